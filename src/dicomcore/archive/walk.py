"""Walking: every file below the sources, in an order that does not change from run to run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

__all__ = ["Fault", "as_sources", "shown", "walk"]

SourceLike = str | os.PathLike[str]


class Fault(str):
    """A path that can't be walked, and the `reason`."""

    __slots__ = ("reason",)
    reason: str

    def __new__(cls, path: str, reason: str) -> Fault:
        self = super().__new__(cls, path)
        self.reason = reason
        return self


def as_sources(sources: SourceLike | Iterable[SourceLike]) -> list[str]:
    """The sources as a list of paths, from one or several."""
    if isinstance(sources, (str, os.PathLike)):
        sources = [sources]
    return [os.fsdecode(os.fspath(source)) for source in sources]


def shown(path: str) -> str:
    """The path as a table shows it: bytes that are no UTF-8 as escapes."""
    if path.isascii():
        return str(path)
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def walk(sources: Iterable[str]) -> Iterator[str]:
    """The files that are sources or below folders that are, each folder's entries sorted by name.

    Links are followed; a folder that is met again, by a link or as another source, is not walked twice. A source
    that isn't there and a folder that can't be read come as a Fault.
    """
    met: set[tuple[int, int]] = set()
    for source in sources:
        if os.path.isdir(source):
            yield from _walk_folder(source, met)
        elif os.path.lexists(source):
            yield source
        else:
            yield Fault(source, "FileNotFoundError: No such file or folder")


def _walk_folder(top: str, met: set[tuple[int, int]]) -> Iterator[str]:
    # A stack of names still to come, last first, and of the folders they stand in; no recursion however deep.
    pending: list[tuple[str, list[str], set[str]]] = []
    path: str | None = top
    while True:
        if path is not None:
            try:
                pending.append(_listing(path, met))
            except OSError as error:
                yield Fault(path, f"{type(error).__name__}: {error.strerror}")
        if not pending:
            return
        prefix, names, folders = pending[-1]
        path = None
        while names:
            name = names.pop()
            if name in folders:
                path = prefix + name
                break
            yield prefix + name
        else:
            pending.pop()


def _listing(folder: str, met: set[tuple[int, int]]) -> tuple[str, list[str], set[str]]:
    """What its entries' paths begin with, their names in reverse order, and which of them are folders."""
    prefix = os.path.join(folder, "")
    facts = os.stat(folder)
    identity = (facts.st_dev, facts.st_ino)
    if identity in met and facts.st_ino:  # some file systems number nothing
        return prefix, [], set()
    met.add(identity)
    names: list[str] = []
    folders: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            try:
                if entry.is_dir():
                    folders.add(entry.name)
            except OSError:  # a link that leads round in a circle: reading it as a file says so
                pass
    names.sort(reverse=True)
    return prefix, names, folders
