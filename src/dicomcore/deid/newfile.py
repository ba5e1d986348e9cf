"""A file that has no name before it is complete, so that nothing of it is left by a kill or on a full disk."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from functools import cache
from typing import Self

from dicomcore.files import NEW_FILE

__all__ = ["NewFile", "rename_new", "sweep"]

_UNNAMED = getattr(os, "O_TMPFILE", 0)
_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_OWN = "/proc/self/fd"
_BEGINS, _ENDS = ".dicomcore-", ".part"
_LONG_AGO = 24 * 3600.0  # seconds


class NewFile:
    """A new file in a folder. `file` is its descriptor, `path` a name under which this process can read it.

    Where the system has no files without a name it has one that begins with a point and ends with ``.part``.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._beside = ""
        self.file = _unnamed(folder)
        if self.file >= 0:
            self.path = f"{_OWN}/{self.file}"
        else:
            self.path = self._beside = self._free_name()
            self.file = os.open(self.path, NEW_FILE, 0o666)

    def _free_name(self) -> str:
        return os.path.join(self._folder, f"{_BEGINS}{os.urandom(8).hex()}{_ENDS}")

    def settle(self, target: str) -> None:
        """Give the complete file its name; FileExistsError if it is taken."""
        if not self._beside:
            os.link(self.path, target, src_dir_fd=self.file)  # follows /proc, which it does not without a folder
            return
        self._finish()
        rename_new(self._beside, target)
        self._beside = ""

    def keep(self) -> str:
        """Give the complete file a name that is nobody's, and return it: the caller renames or removes the file."""
        if not self._beside:
            name = self._free_name()
            os.link(self.path, name, src_dir_fd=self.file)
            return name
        self._finish()
        name, self._beside = self._beside, ""
        return name

    def _finish(self) -> None:
        if self.file >= 0:
            os.close(self.file)
            self.file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file; it is gone unless it has got a name."""
        self._finish()
        if self._beside:
            with suppress(FileNotFoundError):
                os.unlink(self._beside)


def rename_new(beside: str, target: str) -> None:
    """Give a file another name; FileExistsError if that is taken."""
    try:
        os.link(beside, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o666))  # of two that want the name one gets it
        os.replace(beside, target)
    else:
        os.unlink(beside)


def sweep(folder: str) -> None:
    """Remove what runs of long ago left behind, which were killed or lost their system."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(_BEGINS) and entry.name.endswith(_ENDS):
                with suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime > _LONG_AGO:
                        os.unlink(entry.path)


@cache
def _has_unnamed() -> bool:
    return bool(_UNNAMED) and os.path.isdir(_OWN)


def _unnamed(folder: str) -> int:
    """The descriptor of a file without a name; -1 where the system or the file system has none."""
    if not _has_unnamed():
        return -1
    try:
        return os.open(folder, os.O_RDWR | _UNNAMED | getattr(os, "O_CLOEXEC", 0), 0o666)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.EDQUOT):
            raise
        return -1
