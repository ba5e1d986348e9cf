"""Write files that appear at their path complete or not at all, and on request wait for the disk."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["NEW_FILE", "Placing", "make_folder", "placed", "synchronise", "write_all", "write_bytes", "write_path"]

NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def write_path(
    path: str | os.PathLike[str], fill: Callable[[int], Any], *, overwrite: bool = True, durable: bool = True
) -> None:
    """Call `fill` with a descriptor, to which it writes a file's bytes; the complete file then appears at `path`."""
    # `placed` without a generator, which would cost more than the checks do: small files are written by the thousand.
    placing = Placing(path, overwrite=overwrite, durable=durable)
    try:
        fill(placing.file)
        placing.finish()
    except BaseException as error:
        _give_up(placing, path, error)
        raise


@contextmanager
def placed(path: str | os.PathLike[str], *, overwrite: bool = True, durable: bool = True) -> Iterator[int]:
    """A descriptor to write to; the file appears at `path` when the block ends, unless by an exception."""
    placing = Placing(path, overwrite=overwrite, durable=durable)
    try:
        yield placing.file
        placing.finish()
    except BaseException as error:
        _give_up(placing, path, error)
        raise


def _give_up(placing: Placing, path: str | os.PathLike[str], error: BaseException) -> None:
    """Remove the incomplete file, and name the path in an error of the system, which for a full disk names none."""
    placing.abort()
    if isinstance(error, OSError) and error.filename is None and error.errno is not None:
        error.filename = os.fsdecode(path)


def write_bytes(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write a file of these bytes, completely or not at all."""
    with placed(path, durable=False) as file:
        write_all(file, data)


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a missing folder, and those above it. NotADirectoryError if the path is something else."""
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fsdecode(path)) from None


class Placing:
    """A file that is written beside its path under another name, and renamed when it is complete.

    `durable` synchronises it with the disk first. A link is followed; a device or pipe is written to directly. The new
    file keeps the permissions of an old one. `file` is the descriptor to write to.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = True, durable: bool = True) -> None:
        place = path if type(path) is str else os.fsdecode(path)
        old = _facts(place, os.lstat)
        if old is not None and stat.S_ISLNK(old.st_mode):
            old = _facts(place, os.stat)
            if old is None or stat.S_ISREG(old.st_mode):  # not a pipe behind /dev/stdout, which has no path
                place = os.path.realpath(place)
        if old is not None:
            _refuse(place, old, overwrite)
        self._old, self._place, self._overwrite, self._durable = old, place, overwrite, durable
        self._beside = ""
        if old is not None and not stat.S_ISREG(old.st_mode):
            self.file = os.open(place, os.O_WRONLY | getattr(os, "O_BINARY", 0))
            return
        folder = place.removesuffix(os.path.basename(place))  # with its separator, if it has one
        self._beside = f"{folder}.dicomcore-{os.urandom(8).hex()}.part"
        try:
            self.file = os.open(self._beside, NEW_FILE, 0o666)
        except OSError as error:
            raise type(error)(error.errno, error.strerror, place) from None

    def finish(self) -> None:
        """Rename the complete file to its path. If this raises OSError, the old file is still there."""
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
            with suppress(OSError):  # not every system can open a folder
                synchronise(os.path.dirname(self._place) or ".")

    def abort(self) -> None:
        """Remove the incomplete file."""
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
    try:
        return ask(path)
    except FileNotFoundError:
        return None


def _keep_mode(file: int, path: str, old: os.stat_result) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(file, stat.S_IMODE(old.st_mode))
    else:
        os.chmod(path, stat.S_IMODE(old.st_mode))


def _link_new(beside: str, place: str) -> None:
    """Rename a new file to its path; FileExistsError if the path exists by now."""
    if hasattr(os, "link"):
        os.link(beside, place)
        os.unlink(beside)
    else:
        os.rename(beside, place)


def synchronise(path: str) -> None:
    """Wait until the disk holds a file's bytes, or, on POSIX systems, the names in a folder.

    A rename is durable only after its folder was synchronised. Raises OSError.
    """
    folder = os.path.isdir(path)
    if folder and os.name != "posix":
        return
    opened = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_all(file: int, data: Any) -> None:
    """Call os.write() until all data is written."""
    done = os.write(file, data) if len(data) else 0
    while done < len(data):  # rarely: the system accepts less at a time than was given from 2 GiB on, or on a full disk
        done += os.write(file, memoryview(data)[done:])
