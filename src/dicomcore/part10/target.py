"""Where a file is written to: a path, of which the old file or the new one is there at any moment, a stream, bytes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from dicomcore._native.write.output import Output
from dicomcore.encoding.emitting import emit, write_all, write_file

__all__ = ["Placing", "Target", "make_folder", "placed", "write_all", "write_bytes", "write_out", "write_path"]

Target = str | os.PathLike[str] | bytearray | BinaryIO
NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def write_out(target: Any, out: Output, *, overwrite: bool = True, durable: bool = True) -> None:
    """Write all of `out` to a path, at the end of a bytearray, or to a binary stream from where it stands.

    Raises FileExistsError unless `overwrite`, and OSError as open() and write() do; then nothing of a path has changed.
    """
    if isinstance(target, (str, os.PathLike)):
        write_path(target, lambda file: write_file(file, out), overwrite=overwrite, durable=durable)
    elif isinstance(target, bytearray) or hasattr(target, "write"):
        emit(target, out)
    else:
        raise TypeError(f"a target is a path, a bytearray or a binary stream, not {type(target).__name__}")


def write_path(
    path: str | os.PathLike[str], fill: Callable[[int], Any], *, overwrite: bool = True, durable: bool = True
) -> None:
    """Have `fill` write a file's bytes to a descriptor, and put that file at `path` only when it is complete."""
    with placed(path, overwrite=overwrite, durable=durable) as file:
        fill(file)


@contextmanager
def placed(path: str | os.PathLike[str], *, overwrite: bool = True, durable: bool = True) -> Iterator[int]:
    """A descriptor to write to; what was written is at `path` when the block is left, unless by an exception."""
    placing = Placing(path, overwrite=overwrite, durable=durable)
    try:
        yield placing.file
        placing.finish()
    except BaseException:
        placing.abort()
        raise


def write_bytes(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Have a file of these bytes at `path`, whole or not at all."""
    with placed(path, durable=False) as file:
        write_all(file, data)


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder, and those above it, unless it is there. NotADirectoryError where something else is."""
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fsdecode(path)) from None


class Placing:
    """A file on its way to a path: written beside it under another name, synchronised with the disk if `durable`, and
    renamed when it is finished. A link is followed; a device or pipe is written to as it is. Permissions of an old file
    stay. `file` is the descriptor to write to.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = True, durable: bool = True) -> None:
        place = os.fsdecode(path)
        old = _facts(place, os.lstat)
        if old is not None and stat.S_ISLNK(old.st_mode):
            old = _facts(place, os.stat)
            if old is None or stat.S_ISREG(old.st_mode):  # /dev/stdout leads to what has no path
                place = os.path.realpath(place)
        if old is not None:
            _refuse(place, old, overwrite)
        self._old, self._place, self._overwrite, self._durable = old, place, overwrite, durable
        self._beside = ""
        if old is not None and not stat.S_ISREG(old.st_mode):
            self.file = os.open(place, os.O_WRONLY | getattr(os, "O_BINARY", 0))
            return
        self._beside = os.path.join(os.path.dirname(place), f".dicomcore-{os.urandom(8).hex()}.part")
        try:
            self.file = os.open(self._beside, NEW_FILE, 0o666)
        except OSError as error:
            raise type(error)(error.errno, error.strerror, place) from None

    def finish(self) -> None:
        """Give the complete file its name. Raises OSError; the old file is then still there."""
        if not self._beside:
            os.close(self.file)
            self.file = -1
            return
        if self._old is not None:
            _keep_mode(self.file, self._beside, self._old)
        if self._durable:
            os.fsync(self.file)
        os.close(self.file)
        self.file = -1
        if self._overwrite:
            os.replace(self._beside, self._place)
        else:
            _link_new(self._beside, self._place)
        self._beside = ""
        if self._durable:
            _sync_folder(os.path.dirname(self._place) or ".")

    def abort(self) -> None:
        """Take the unfinished file away."""
        if self.file != -1:
            os.close(self.file)
            self.file = -1
        if self._beside:
            with suppress(OSError):
                os.unlink(self._beside)
            self._beside = ""


def _refuse(place: str, old: os.stat_result, overwrite: bool) -> None:
    if not overwrite:
        raise FileExistsError(17, "exists, and overwrite=False", place)
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(21, "is a directory", place)
    if not os.access(place, os.W_OK):
        raise PermissionError(13, "is read-only", place)


def _facts(path: str, ask: Callable[[str], os.stat_result]) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return ask(path)
    return None


def _keep_mode(file: int, path: str, old: os.stat_result) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(file, stat.S_IMODE(old.st_mode))
    else:
        os.chmod(path, stat.S_IMODE(old.st_mode))


def _link_new(beside: str, place: str) -> None:
    """Give a file its name unless another has it by now."""
    if hasattr(os, "link"):
        os.link(beside, place)
        os.unlink(beside)
    else:
        os.rename(beside, place)


def _sync_folder(folder: str) -> None:
    """The rename itself is on disk only when the folder is; not every system lets a folder be opened."""
    if os.name != "posix":
        return
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
