"""Instances to send: what a C-STORE request says of them, and their bytes in a transfer syntax, as they stand if it is
their own."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from dicomcore._native.net.ask import read_small
from dicomcore._native.net.heads import read_file
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.dataset.state import file_index
from dicomcore.encoding import encode_buffers
from dicomcore.errors import DicomError, InvalidDicomError, UnsupportedTransferSyntaxError
from dicomcore.limits import Limits
from dicomcore.net.contexts import CONVERTED
from dicomcore.part10.reader import dcmread
from dicomcore.syntaxes import BY_UID
from dicomcore.uids import UID, ExplicitVRLittleEndian

__all__ = ["TRANSCODE", "Instance", "open_instance"]

TRANSCODE = ("never", "uncompressed", "lossless")
CHUNK = 1 << 20
LEAST_PAGE, MOST_PAGES = 64 << 10, 10  # bytes of a file that is read into memory that is used again, and how many are
HEAD = 8 << 10  # bytes of a file that are read for what it is
READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
WANTED = (0x00020002, 0x00020003, 0x00080016, 0x00080018)


class Pages:
    """Memory that files are read into again and again: new pages take a process longer than the bytes in them."""

    def __init__(self) -> None:
        self._held: list[bytearray] = []

    def take(self, size: int) -> memoryview | None:
        """Room for so many bytes, which is taken until the view has gone; None if there is none."""
        if size < LEAST_PAGE:
            return None
        for one in self._held:
            try:
                one.pop()  # not while views of it are about
            except BufferError:
                continue
            one.append(0)
            return memoryview(one)[:size]
        if len(self._held) == MOST_PAGES:
            return None
        self._held.append(bytearray(CHUNK + 1))
        return memoryview(self._held[-1])[:size]


class Instance(NamedTuple):
    """What is sent: a path or a data set, its SOP class and instance, and its transfer syntax."""

    source: Any
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    offset: int = 0
    """Where the data set begins in the file; a data set in memory has 0."""
    whole: bytes | memoryview | None = None
    """The bytes of the file if they were read already."""

    @property
    def path(self) -> str | None:
        """The file; None for a data set in memory."""
        return None if isinstance(self.source, Dataset) else os.fsdecode(self.source)

    def as_it_is(self, syntax: str, pages: Pages | None = None) -> memoryview | None:
        """The data set's bytes in its own transfer syntax, of a file of up to 1 MiB that can be sent as it is.

        `pages` is memory to read into.
        """
        if syntax != self.transfer_syntax or isinstance(self.source, Dataset):
            return None
        whole = _read_whole(self.source, pages) if self.whole is None else self.whole
        if whole is None or len(whole) <= self.offset or (len(whole) - self.offset) & 1:
            return None
        return memoryview(whole)[self.offset :]

    def parts(self, syntax: str, limits: Limits | None = None) -> Iterator[bytes | memoryview]:
        """The data set's bytes in a transfer syntax, in pieces of up to 1 MiB.

        Its own syntax gives the bytes of the file. Raises UnsupportedTransferSyntaxError if it cannot be converted.
        """
        if isinstance(self.source, Dataset):
            return encode_buffers(self._converted(self.source, syntax, limits), syntax)
        if syntax == self.transfer_syntax:
            is_deflated = _is_deflated(syntax)
            whole = _read_whole(self.source) if self.whole is None else self.whole
            if whole is not None:
                return _whole_parts(whole, self.offset, is_deflated)
            return _file_parts(self.source, self.offset, is_deflated)
        return encode_buffers(self._converted(dcmread(self.source, limits=limits), syntax, limits), syntax)

    def _converted(self, ds: Dataset, syntax: str, limits: Limits | None) -> Dataset:
        own = self.transfer_syntax
        if syntax == own or (own in CONVERTED and syntax in CONVERTED) or _is_deflated(own):
            return ds
        if syntax not in CONVERTED:
            raise UnsupportedTransferSyntaxError(f"{UID(own).name} is not sent as {UID(syntax).name}")
        from dicomcore.transcoding import transcode  # a lazy door: not every association converts pixel data

        made = bytearray()
        transcode(ds, made, syntax)
        return dcmread(bytes(made), limits=limits)


def _is_deflated(syntax: str) -> bool:
    known = BY_UID.get(syntax)  # private ones may be sent, too
    return known is not None and known.deflated


def _file_parts(path: Any, offset: int, is_deflated: bool) -> Iterator[bytes]:
    """The bytes behind the file meta information. Fragments have even lengths (PS3.8 E.2): what is damaged so that it
    ends in the middle of a word is refused, and a deflated stream gets the byte that PS3.5 A.5 wants."""
    with open(path, "rb", buffering=0) as file:
        is_odd = _is_odd(os.fstat(file.fileno()).st_size - offset, is_deflated)
        file.seek(offset)
        yield from iter(lambda: file.read(CHUNK), b"")
        if is_odd:
            yield b"\0"


def _whole_parts(whole: bytes | memoryview, offset: int, is_deflated: bool) -> Iterator[bytes | memoryview]:
    """The same of a file that was read."""
    is_odd = _is_odd(len(whole) - offset, is_deflated)
    yield memoryview(whole)[offset:]
    if is_odd:
        yield b"\0"


def _is_odd(size: int, is_deflated: bool) -> bool:
    if size <= 0:
        raise DicomError("it has become shorter since its head was read")
    if size & 1 and not is_deflated:
        raise DicomError("its data set has an odd number of bytes, which cannot be sent (PS3.5 7.1.1, PS3.8 E.2)")
    return bool(size & 1)


def _read_whole(path: Any, pages: Pages | None = None) -> bytes | memoryview | None:
    """The bytes of a file of up to 1 MiB; None for others, and if they cannot be had."""
    small = read_small(path) if isinstance(path, str) else None
    if small is not None:
        return small
    data, size = _beginning(path, True, pages)
    return data if data is not None and len(data) == size else None


def _beginning(path: Any, is_whole: bool, pages: Pages | None = None) -> tuple[bytes | memoryview | None, int]:
    """The beginning of a file, or all of it if it has no more than 1 MiB, and its size; None if it cannot be had."""
    if not isinstance(path, str | os.PathLike):
        return None, 0
    try:
        file = os.open(path, READ)
    except OSError:
        return None, 0
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            return None, 0
        size = facts.st_size
        most = size if is_whole and size <= CHUNK else min(size, HEAD)
        room = None if pages is None else pages.take(most)
        data = os.read(file, most) if room is None else room[: os.readv(file, [room])]
        return (data, size) if len(data) == most else (None, 0)
    except OSError:
        return None, 0
    finally:
        os.close(file)


def _head(
    source: Any, whole: bytes | memoryview | None, limits: Limits | None
) -> tuple[Dataset, bytes | memoryview | None]:
    """The attributes that are wanted of a file, and its bytes; what is wrong with it is said by its path."""
    if whole is not None:
        with suppress(DicomError):
            return dcmread(whole, specific_tags=WANTED, limits=limits, force=True), whole
    return dcmread(source, specific_tags=WANTED, limits=limits, force=True), None


def open_instance(source: Any, limits: Limits | None = None, *, to_send: bool = False) -> Instance:
    """What a file or data set is; only its head is read. DicomError or OSError if it cannot be sent.

    A small file is read whole, and one of up to 1 MiB if its parts are wanted now, which `to_send` says.
    """
    whole: bytes | memoryview | None = None
    if not isinstance(source, Dataset):
        whole = read_small(source) if isinstance(source, str) else None
        size = 0 if whole is None else len(whole)
        is_whole = to_send or whole is not None
        if whole is None:
            whole, size = _beginning(source, to_send)
        if whole is not None:
            plain = read_file(whole, size)
            whole = whole if is_whole and len(whole) == size else None
            if plain is not None:
                return Instance(source, *plain, whole)
    return _opened(source, whole, limits)


def _opened(source: Any, whole: bytes | memoryview | None, limits: Limits | None) -> Instance:
    """The same of any data set or file."""
    is_set = isinstance(source, Dataset)
    ds, whole = (source, None) if is_set else _head(source, whole, limits)
    meta = None if is_set else ds.file_meta
    sop_class = text_of(ds, "SOPClassUID") or (meta and text_of(meta, "MediaStorageSOPClassUID")) or ""
    sop_instance = text_of(ds, "SOPInstanceUID") or (meta and text_of(meta, "MediaStorageSOPInstanceUID")) or ""
    if not sop_class or not sop_instance:
        missing = "SOP Instance UID" if sop_class else "SOP Class UID"
        raise InvalidDicomError(f"it has no {missing}, which a C-STORE request names (PS3.7 9.1.1.1)")
    syntax = str(ds.transfer_syntax or ExplicitVRLittleEndian)
    index = None if is_set else file_index(ds)
    if index is None:
        return Instance(source, sop_class, sop_instance, syntax)
    if (
        syntax != index.transfer_syntax
        and index.transfer_syntax
        and UID(index.transfer_syntax).is_implicit_VR != (UID(syntax).is_implicit_VR)
    ):
        raise DicomError(f"it is labelled {UID(index.transfer_syntax).name} and encoded as {UID(syntax).name}")
    offset = index.packed_at if index.inflated else index.body
    return Instance(source, sop_class, sop_instance, index.transfer_syntax or syntax, int(offset), whole)
