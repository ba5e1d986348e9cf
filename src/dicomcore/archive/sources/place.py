"""Locations of files: a local path is a plain str; any other file is a Place, a str with the text that tables show."""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING, Protocol, Self

from dicomcore.archive.failure import UNREACHABLE, Failure, Kind

if TYPE_CHECKING:
    from concurrent.futures import Future

    from dicomcore.archive.sources.blob import Blob

__all__ = ["INSIDE", "NOT_REGULAR", "Bytes", "BytesStream", "Fault", "LocalFile", "Place", "local_name", "shown"]

INSIDE = "!/"
"""Separates an archive's path from a member's name."""
NOT_REGULAR = "OSError: Not a regular file"
"""The reason for a named pipe, a socket or a device. These are never opened: opening a pipe waits for its writer."""


class Place(str):
    """A file without a local path: a member of an archive, or an object in a store.

    `size` (bytes), `mtime` (µs since 1970) and `etag` come from the listing, and are None if it does not state them.
    They show whether the file has changed without opening it.
    """

    __slots__ = ("etag", "mtime", "size")
    size: int | None
    mtime: int | None
    etag: str | None

    def __new__(cls, text: str, size: int | None = None, mtime: int | None = None, etag: str | None = None) -> Self:
        self = super().__new__(cls, text)
        self.size = size
        self.mtime = mtime
        self.etag = etag
        return self

    @property
    def kept_bytes(self) -> int:
        """Bytes of the file that this object keeps in memory; they count towards the memory of a batch."""
        return 0

    def open(self) -> Blob:
        """Read the head of the file; the Blob fetches the rest. Raises an exception if the file can't be read."""
        raise NotImplementedError

    def ask(self) -> Future[Blob] | None:
        """Start opening the file if that means waiting for an answer rather than computing; else None."""
        return None


class Fault(Place):
    """A path that can't be read or walked, with the `reason` and `kind` of the failure."""

    __slots__ = ("kind", "reason")
    reason: str
    kind: Kind

    def __new__(cls, path: str, reason: str = "", kind: Kind = UNREACHABLE) -> Self:
        self = super().__new__(cls, path)
        self.reason = reason
        self.kind = kind
        return self

    @property
    def failure(self) -> Failure:
        """The failure that the table shows for this path."""
        return Failure(self.reason, self.kind)


def shown(path: str) -> str:
    """The path as a table shows it: bytes that are not UTF-8 appear as escapes."""
    if path.isascii():
        return str(path)
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def local_name(text: str) -> str:
    """A name as this system's calls take it: a character that the locale lacks becomes its bytes in UTF-8."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return os.fsdecode(text.encode("utf-8", "surrogateescape"))
    return text


class Bytes(Protocol):
    """Random access to a whole file, from several threads at once; instances can be pickled for other processes."""

    size: int
    mtime: int | None

    def read_at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on; fewer at the end of the file."""


class BytesStream(io.RawIOBase):
    """A seekable stream over `Bytes`, for libraries that need one."""

    def __init__(self, file: Bytes) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._file.size)[whence])
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._file.size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        data = self._file.read_at(self._at, wanted) if wanted else b""
        self._at += len(data)
        return data


class LocalFile:
    """The Bytes of a regular file, opened for each read: a folder may have more archives than a process may open."""

    def __init__(self, path: str) -> None:
        self.path = path
        file = self._open()
        try:
            facts = os.fstat(file)
        finally:
            os.close(file)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError("Not a regular file")
        self.size = facts.st_size
        self.mtime: int | None = facts.st_mtime_ns // 1000

    def _open(self) -> int:
        # A FIFO without a writer must not block the call; O_NONBLOCK has no effect on regular files.
        return os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))

    def read_at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on; fewer at the end. OSError if the file has changed since it was listed."""
        file = self._open()
        try:
            facts = os.fstat(file)
            if facts.st_size != self.size or facts.st_mtime_ns // 1000 != self.mtime:
                raise OSError("The archive has changed since it was listed")
            if hasattr(os, "pread"):
                return os.pread(file, length, offset)
            os.lseek(file, offset, os.SEEK_SET)
            return os.read(file, length)
        finally:
            os.close(file)
