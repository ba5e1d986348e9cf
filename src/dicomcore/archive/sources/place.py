"""Where files stand: a path is a plain text; what no path leads to is a Place, whose text is what the table shows."""

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
"""Between an archive's path and a member's name."""
NOT_REGULAR = "OSError: Not a regular file"
"""The reason of a named pipe, a socket or a device, which is never opened: opening a pipe waits for its writer."""


class Place(str):
    """A file that is no local path: a member of an archive, an object in a store.

    `size` in bytes, `mtime` in µs since 1970 and `etag` are as the listing had them, None where it didn't: they tell
    whether the file has changed without opening it.
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
    def held(self) -> int:
        """Bytes of the file that go along with this: what a batch's memory is counted by."""
        return 0

    def open(self) -> Blob:
        """The beginning of the file and a way to the rest. Raises what keeps it from being read."""
        raise NotImplementedError

    def ask(self) -> Future[Blob] | None:
        """The same on its way, where opening takes waiting rather than work; else None."""
        return None


class Fault(Place):
    """A path that can't be walked, the `reason`, and its `kind`."""

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
        """What the table says of it."""
        return Failure(self.reason, self.kind)


def shown(path: str) -> str:
    """The path as a table shows it: bytes that are no UTF-8 as escapes."""
    if path.isascii():
        return str(path)
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def local_name(text: str) -> str:
    """A name as this system's calls take it: where the locale lacks a character, its bytes in UTF-8."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return os.fsdecode(text.encode("utf-8", "surrogateescape"))
    return text


class Bytes(Protocol):
    """A whole file by position, which several threads may ask at once; goes along to other processes."""

    size: int
    mtime: int | None

    def read_at(self, offset: int, length: int) -> bytes:
        """These bytes; fewer at the end."""


class BytesStream(io.RawIOBase):
    """`Bytes` as the seekable stream that libraries ask for."""

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
        found = self._file.read_at(self._at, wanted) if wanted else b""
        self._at += len(found)
        return found


class LocalFile:
    """Bytes of a regular file. It is opened for each read: a folder may hold more archives than a process may open."""

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
        # A FIFO without a writer must not hang the call; regular files don't heed it.
        return os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))

    def read_at(self, offset: int, length: int) -> bytes:
        """These bytes; fewer at the end. OSError where the file has changed since."""
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
