"""The walk over every file below a folder, in an order that does not change from run to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from dicomcore.archive.sources.place import NOT_REGULAR, Fault

__all__ = ["PART", "Output", "walk_folder"]

PART = ".part"  # suffix of files that are being written


class Output(NamedTuple):
    """The table that this run writes; it is left out of the walk if it lies in one of the sources' folders."""

    folder: tuple[int, int]
    name: str

    @classmethod
    def at(cls, path: str) -> Output | None:
        """The output at `path`; None if its folder does not exist."""
        folder, name = os.path.split(os.path.abspath(path))
        try:
            return cls(_identity(folder), name)
        except OSError:
            return None

    def left_out(self, names: list[str]) -> list[str]:
        """The names in the output's folder without the output and its unfinished files."""
        return [name for name in names if name != self.name and not self._is_part(name)]

    def _is_part(self, name: str) -> bool:
        return name.startswith(f".{self.name}.") and name.endswith(PART)


def walk_folder(top: str, walked: set[tuple[int, int]], output: Output | None = None) -> Iterator[str]:
    """The files below a folder, each folder's entries sorted by name.

    Links are followed. A folder in `walked` (device and inode), reached by a link or as another source, is not walked
    again. A folder that can't be read becomes a Fault, and so does an entry that is neither a file nor a folder.
    """
    # A stack of folders with the names that are still to come, last first: no recursion, however deep the tree is.
    pending: list[_Folder] = []
    path: str | None = top
    while True:
        if path is not None:
            try:
                pending.append(_listing(path, walked, output))
            except OSError as error:
                yield Fault(path, f"{type(error).__name__}: {error.strerror}")
        if not pending:
            return
        here = pending[-1]
        path = None
        while here.names:
            name = here.names.pop()
            if name in here.folders:
                path = here.prefix + name
                break
            yield here.prefix + name if name not in here.special else Fault(here.prefix + name, NOT_REGULAR)
        else:
            pending.pop()


class _Folder(NamedTuple):
    """A folder's entries."""

    prefix: str
    """The folder's path and a separator: what the entries' paths begin with."""
    names: list[str]
    """In reverse order."""
    folders: set[str]
    special: set[str]
    """Pipes, sockets, devices."""


def _listing(folder: str, walked: set[tuple[int, int]], output: Output | None) -> _Folder:
    prefix = os.path.join(folder, "")
    identity = _identity(folder)
    if identity in walked and identity[1]:  # some file systems have no inode numbers
        return _Folder(prefix, [], set(), set())
    walked.add(identity)
    names: list[str] = []
    folders: set[str] = set()
    special: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            try:
                if entry.is_dir():
                    folders.add(entry.name)
                elif not entry.is_file() and entry.stat():
                    special.add(entry.name)
            except OSError:  # a dangling or circular link: reading it as a file reports the error
                pass
    if output is not None and identity == output.folder:
        names = output.left_out(names)
    names.sort(reverse=True)
    return _Folder(prefix, names, folders, special)


def _identity(folder: str) -> tuple[int, int]:
    facts = os.stat(folder)
    return facts.st_dev, facts.st_ino
