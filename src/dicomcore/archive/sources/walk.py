"""Walking: every file below a folder, in an order that does not change from run to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from dicomcore.archive.sources.place import NOT_REGULAR, Fault, shown

__all__ = ["PART", "Fault", "Output", "shown", "walk_folder"]

PART = ".part"  # how the names of files that are being written end


class Output(NamedTuple):
    """The table being written: not to be read when it stands in a folder that is."""

    folder: tuple[int, int]
    name: str

    @classmethod
    def at(cls, path: str) -> Output | None:
        """The one at `path`; None where there is no such folder."""
        folder, name = os.path.split(os.path.abspath(path))
        try:
            return cls(_identity(folder), name)
        except OSError:
            return None

    def left_out(self, names: list[str]) -> list[str]:
        """Names of the output's folder without its own, a part of it that is being written among them."""
        return [name for name in names if name != self.name and not self._is_part(name)]

    def _is_part(self, name: str) -> bool:
        return name.startswith(f".{self.name}.") and name.endswith(PART)


def walk_folder(top: str, met: set[tuple[int, int]], output: Output | None = None) -> Iterator[str]:
    """The files below a folder, each folder's entries sorted by name.

    Links are followed; a folder that is among `met`, by a link or as another source, is not walked again. A folder
    that can't be read comes as a Fault, and so does what is neither a file nor a folder.
    """
    # A stack of names still to come, last first, and of the folders they stand in; no recursion however deep.
    pending: list[_Folder] = []
    path: str | None = top
    while True:
        if path is not None:
            try:
                pending.append(_listing(path, met, output))
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
    """What their paths begin with."""
    names: list[str]
    """In reverse order."""
    folders: set[str]
    special: set[str]
    """Pipes, sockets, devices."""


def _listing(folder: str, met: set[tuple[int, int]], output: Output | None) -> _Folder:
    prefix = os.path.join(folder, "")
    identity = _identity(folder)
    if identity in met and identity[1]:  # some file systems number nothing
        return _Folder(prefix, [], set(), set())
    met.add(identity)
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
            except OSError:  # a link that leads nowhere or round in a circle: reading it as a file says so
                pass
    if output is not None and identity == output.folder:
        names = output.left_out(names)
    names.sort(reverse=True)
    return _Folder(prefix, names, folders, special)


def _identity(folder: str) -> tuple[int, int]:
    facts = os.stat(folder)
    return facts.st_dev, facts.st_ino
