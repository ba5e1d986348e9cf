"""Texts and pictures in the headers of codestreams, which are no pixels: blanked where they are, at the same length."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dicomcore.deid.pixels.values import Joined, NewValue, Spool, Stretch

__all__ = ["blanked_codestream", "without_comments"]

Span = tuple[int, int]
Read = Callable[[int, int], bytes]

BLANK = b" "
COMMENT, FIRST_APP, LAST_APP, SCAN, END = 0xFE, 0xE0, 0xEF, 0xDA, 0xD9  # COM, APP0, APP15, SOS, EOI (T.81 B.1)
NEEDED = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xE8: b"", 0xEE: b"Adobe"}
"""What readers of pixels may need of application segments: JFIF, ICC profiles, colour transforms of JPEG-LS, Adobe."""
COMMENT_2000, TILE_2000 = 0x64, 0x90  # COM, SOT (T.800 A.2)
BARE = frozenset([0x01, *range(0xD0, 0xD9)])  # markers without a length
_SOFTWARE = (
    rb"kakadu|openjpeg|openjph|ojph|grok|charls|lead|aware|jasper|gd-jpeg|ijg|intel|ffmpeg|lavc|dcmtk|offis|gdcm|pvrg"
    rb"|adobe|imagemagick|pegasus|handmade|jj2000|matrox|morgan"
)
_WORDS = rb"v|ver|version|inc|llc|technologies|technology|corp|library|jpeg|ls|lossless|encoder|codec|by|using|quality"
ENCODERS = re.compile(
    rb"\s*(?:created by|creator:?|encoded by|compressed by|file written by)?\s*(?:%s)"
    rb"(?:[\s.,:;()/+=\0-]|(?<!\d)\d{1,4}(?!\d)|(?:%s|%s)(?![a-z]))*"
    rb"|Kdu-Layer-Info: log_2\{Delta-D\((?:MSE|squared-error)\)/\[2\^16\*Delta-L\(bytes\)\]\}, L\(bytes\)"
    rb"[\s\d.,e+-]*\0?" % (_SOFTWARE, _WORDS, _SOFTWARE),
    re.IGNORECASE,
)
"""Comments that only name the software that encoded the frame, or say how it did."""


def blanked_codestream(data: bytes) -> bytes:
    """A codestream with blanks for its comments."""
    spans = list(_hidden(lambda offset, length: data[offset : offset + length], len(data)))
    if not spans:
        return data
    made = bytearray(data)
    for start, stop in spans:
        made[start:stop] = BLANK * (stop - start)
    return bytes(made)


def without_comments(source: Any, value: NewValue | None, vr: str) -> NewValue | None:
    """The value of encapsulated frames with blanks for the comments in those that stay as they are; None for none.

    `value` is the new value of the frames, if there is one: its codestreams that were made anew have no comments.
    """
    spans: list[Span] = []
    end = 0
    with source.value.peeking() as peek:
        for index in range(len(source)):
            fragments = source.fragments(index)
            for fragment in fragments:
                end = max(end, fragment.offset + fragment.length + fragment.length % 2)
            spans += _in_value(fragments, peek)
    if not spans:
        return None
    if isinstance(value, Joined):
        return Joined(source.value, list(_split(value.items, sorted(spans))), value.spool, vr)
    return Joined(source.value, list(_split([Stretch(0, end)], sorted(spans))), Spool(), vr)


def _in_value(fragments: Sequence[Any], peek: Read) -> Iterator[Span]:
    """Where the comments of a frame are in the Value Field; its codestream may be in several fragments."""
    starts, size = [], 0
    for fragment in fragments:
        starts.append(size)
        size += fragment.length

    def pieces(offset: int, stop: int) -> Iterator[Span]:
        for fragment, start in zip(fragments, starts, strict=True):
            low, high = max(offset, start), min(stop, start + fragment.length)
            if low < high:
                yield fragment.offset + low - start, fragment.offset + high - start

    def read(offset: int, length: int) -> bytes:
        return b"".join(bytes(peek(low, high - low)) for low, high in pieces(offset, min(offset + length, size)))

    for start, stop in _hidden(read, size):
        yield from pieces(start, stop)


def _hidden(read: Read, size: int) -> Iterator[Span]:
    """Where the comments of a codestream are, but those that only name an encoder."""
    begin = read(0, 8)
    if begin[4:] == b"jP  ":
        yield from _boxed(read, size)
    elif begin[:2] == b"\xff\xd8":
        yield from _of_jpeg(read, size)
    elif begin[:4] == b"\xff\x4f\xff\x51":
        yield from _of_jpeg2000(read, 0, size)


def _of_jpeg(read: Read, size: int) -> Iterator[Span]:
    for marker, start, stop in _segments(read, 0, size, SCAN):
        if marker == COMMENT:
            if not ENCODERS.fullmatch(read(start, stop - start)):
                yield start, stop
        elif FIRST_APP <= marker <= LAST_APP:
            needed = NEEDED.get(marker)
            if needed is None or read(start, len(needed)) != needed:
                yield start, stop


def _of_jpeg2000(read: Read, begin: int, size: int) -> Iterator[Span]:
    for marker, start, stop in _segments(read, begin, size, TILE_2000):
        if marker == COMMENT_2000 and not ENCODERS.fullmatch(read(start + 2, stop - start - 2)):
            yield min(start + 2, stop), stop


def _boxed(read: Read, size: int) -> Iterator[Span]:
    """Of a file of JPEG 2000, which should not be in a frame: its texts, and the comments of its codestream."""
    at = 0
    while at + 8 <= size:
        head = read(at, 16)
        length, first = int.from_bytes(head[:4], "big"), at + 8
        if length == 1:
            length, first = int.from_bytes(head[8:16], "big"), at + 16
        stop = size if length == 0 else min(at + length, size)
        if stop < first:
            return
        if head[4:8] == b"jp2c":
            yield from _of_jpeg2000(read, first, stop)
        elif head[4:8] in (b"uuid", b"xml ", b"jp2i", b"uinf"):
            yield min(first + 16 * (head[4:8] == b"uuid"), stop), stop
        at = stop


def _segments(read: Read, begin: int, size: int, last: int) -> Iterator[tuple[int, int, int]]:
    """The marker and the place of the contents of each segment in front of the first scan or tile."""
    at = begin + 2
    while at + 4 <= size:
        head = read(at, 4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (last, END):
            return
        if head[1] == 0xFF or head[1] in BARE:  # a fill byte
            at += 1 if head[1] == 0xFF else 2
            continue
        length = max(int.from_bytes(head[2:], "big"), 2)
        yield head[1], at + 4, min(at + 2 + length, size)
        at += 2 + length


def _split(parts: Sequence[Any], spans: list[Span]) -> Iterator[Any]:
    """Parts of a value, with blanks in the spans of the stretches that stay."""
    for part in parts:
        if not isinstance(part, Stretch):
            yield part
            continue
        at, end = part.offset, part.offset + part.length
        for start, stop in spans:
            if at <= start and stop <= end:
                if start > at:
                    yield Stretch(at, start - at)
                yield BLANK * (stop - start)
                at = stop
        if at < end:
            yield Stretch(at, end - at)
