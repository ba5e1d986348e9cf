"""Bytes of files as they lie: spans of them in one answer, in pieces that hold little memory, and ranges."""

from __future__ import annotations

import os
import re
import threading
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from dicomcore.errors import DicomError
from dicomcore.web.problems import Problem
from dicomcore.web.requests import Reply, Request

__all__ = ["PIECE", "OpenFile", "Span", "batched", "open_file", "read_at_once", "read_spans", "span_reply"]

PIECE = 512 << 10
"""Bytes of a piece of a stream."""
WHOLE = 256 << 10
"""Bytes up to which an answer is read at once."""
NOWAIT = getattr(os, "RWF_NOWAIT", 0)
READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
RANGE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*")
SEEKING = threading.Lock()

Span = tuple[int, int]
"""Offset and length."""


def _read_by_seeking(number: int, length: int, offset: int) -> bytes:
    """`os.pread` where the system has none."""
    with SEEKING:
        os.lseek(number, offset, os.SEEK_SET)
        return os.read(number, length)


_read_at = getattr(os, "pread", _read_by_seeking)


class OpenFile:
    """A file that stays open as long as something refers to it: what was begun ends with the same bytes."""

    __slots__ = ("__weakref__", "number", "size", "tag")

    def __init__(self, path: str) -> None:
        self.number = os.open(path, READ)
        facts = os.fstat(self.number)
        self.size = facts.st_size
        self.tag = f"{facts.st_ino:x}-{facts.st_size:x}-{facts.st_mtime_ns:x}"

    def __del__(self) -> None:
        number, self.number = getattr(self, "number", -1), -1
        if number >= 0:
            os.close(number)

    def read(self, offset: int, length: int) -> bytes:
        """These bytes, all of them; DicomError if the file has become shorter."""
        data = _read_at(self.number, length, offset)
        while len(data) < length:
            more = _read_at(self.number, length - len(data), offset + len(data))
            if not more:
                raise DicomError("a file has become shorter since it was catalogued")
            data += more
        return data

    def read_now(self, offset: int, length: int) -> bytes | None:
        """These bytes if the system has them in memory, so that nothing waits; None if not."""
        if not NOWAIT:
            return None
        buffer = bytearray(length)
        try:
            done = os.preadv(self.number, [buffer], offset, NOWAIT)
        except OSError:
            return None
        return bytes(buffer) if done == length else None


class ObjectFile(OpenFile):
    """The same of an object in a store, or a member of an archive: what has `size` and ``read_at(offset, length)``."""

    __slots__ = ("_source",)

    def __init__(self, source: Any) -> None:
        self._source, self.number, self.size = source, -1, int(source.size)
        named = zlib.crc32(str(getattr(source, "name", "")).encode())
        self.tag = f"{named:x}-{self.size:x}-{getattr(source, 'mtime', None) or 0:x}"

    def read(self, offset: int, length: int) -> bytes:
        """These bytes, all of them."""
        data = bytes(self._source.read_at(offset, length))
        if len(data) < length:
            raise DicomError("an object has become shorter since it was catalogued")
        return data

    def read_now(self, offset: int, length: int) -> bytes | None:
        """Nothing of it is in memory."""
        return None


def open_file(source: Any) -> OpenFile:
    """What a catalogue gives as the source of an instance, to be sent."""
    return ObjectFile(source) if hasattr(source, "read_at") else OpenFile(source)


def read_spans(file: OpenFile, spans: Iterable[Span]) -> Iterator[bytes]:
    """The bytes of spans, in pieces."""
    for offset, length in spans:
        while length > 0:
            taken = min(length, PIECE)
            yield file.read(offset, taken)
            offset, length = offset + taken, length - taken


def read_at_once(file: OpenFile, spans: Iterable[Span]) -> bytes:
    """The bytes of spans, joined."""
    return b"".join(file.read(offset, length) for offset, length in spans)


def batched(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The same bytes in pieces of about PIECE bytes: small ones are joined."""
    held: list[bytes | memoryview] = []
    size = 0
    for piece in pieces:
        if not held and len(piece) >= PIECE:
            yield piece
            continue
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


class Window(NamedTuple):
    """A part of a representation: from `start` up to `stop`."""

    start: int
    stop: int


def _wanted(request: Request, size: int, tag: str) -> Window | None:
    """The range that is asked for (RFC 9110 14.2); None for all of it: several ranges and false ones are passed over.

    Problem 416 for a range behind the end.
    """
    text = request.headers.get("range")
    if text is None or request.method != "GET":
        return None
    condition = request.headers.get("if-range")
    if condition is not None and condition != tag:
        return None
    found = RANGE.fullmatch(text.strip().lower())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, stop = max(size - int(found[2]), 0), size
        if not int(found[2]):
            start = size
    else:
        start = int(found[1])
        stop = min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= size:
        raise Problem(416, f"there are {size} bytes", [("content-range", f"bytes */{size}")])
    return Window(start, stop)


def span_reply(request: Request, file: OpenFile, spans: Iterable[Span], media: str, tag: str) -> Reply:
    """Bytes of a file as an answer of one part, or the range of them that is asked for."""
    spans = list(spans)
    size = sum(length for _, length in spans)
    headers = [("accept-ranges", "bytes"), ("etag", tag), ("cache-control", "private, no-cache")]
    window = _wanted(request, size, tag)
    status = 200
    if window is not None:
        status = 206
        headers.append(("content-range", f"bytes {window.start}-{window.stop - 1}/{size}"))
        spans, size = _cut(spans, window), window.stop - window.start
    if size <= WHOLE:
        return Reply(status, media, read_at_once(file, spans), headers)
    return Reply(status, media, headers=headers, stream=read_spans(file, spans), length=size)


def _cut(spans: Iterable[Span], window: Window) -> list[Span]:
    """The spans of a window of what they make together."""
    cut, at = [], 0
    for offset, length in spans:
        first, last = max(window.start - at, 0), min(window.stop - at, length)
        if first < last:
            cut.append((offset + first, last - first))
        at += length
    return cut
