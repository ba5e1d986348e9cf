"""The walk over every file below a folder, in an order that does not change from run to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple, Protocol

from dicomcore._native.bulk.folder import FOLDER, LISTS, PLAIN, SPECIAL, Folder
from dicomcore.archive.sources.place import NOT_REGULAR, Fault

__all__ = ["PART", "Output", "walk_folder", "walk_runs"]

PART = ".part"  # suffix of files that are being written
RUN = 1000  # paths in a run: a folder may have millions of entries


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

    def owns(self, path: str) -> bool:
        """Whether an entry of the output's folder is the output or one of its unfinished files."""
        name = os.path.basename(path)
        return name == self.name or (name.startswith(f".{self.name}.") and name.endswith(PART))


def walk_folder(top: str, walked: set[tuple[int, int]]) -> Iterator[str]:
    """The files of `walk_runs`, one by one."""
    return chain.from_iterable(walk_runs(top, walked))


def walk_runs(
    top: str, walked: set[tuple[int, int]], output: Output | None = None, suffixes: tuple[bytes, ...] = ()
) -> Iterator[list[str]]:
    """The files below a folder in runs of up to RUN paths, each folder's entries sorted by name.

    Links are followed. A folder in `walked` (device and inode), reached by a link or as another source, is not walked
    again. A folder that can't be read becomes a Fault, and so does an entry that is neither a file nor a folder. A
    Fault, and a file whose name ends in one of the `suffixes` (lower case; the name may have capitals), is a run by
    itself.
    """
    # A stack of folders with what is still to come of them: no recursion, however deep the tree is.
    pending: list[Iterator[list[str] | _Below]] = []
    path: str | None = top
    while True:
        if path is not None:
            try:
                pending.append(_listing(path, walked, output, suffixes))
            except OSError as error:
                yield [Fault(path, f"{type(error).__name__}: {error.strerror}")]
        if not pending:
            return
        path = None
        for piece in pending[-1]:
            if isinstance(piece, _Below):
                path = piece.path
                break
            yield piece
        else:
            pending.pop()


class _Below(NamedTuple):
    """A folder to walk next."""

    path: str


class _Entries(Protocol):
    """A folder's entries, sorted by name."""

    def __len__(self) -> int: ...
    def marks(self, suffixes: tuple[bytes, ...]) -> list[tuple[int, int]]: ...
    def paths(self, start: int, stop: int) -> list[str]: ...


def _listing(
    folder: str, walked: set[tuple[int, int]], output: Output | None, suffixes: tuple[bytes, ...]
) -> Iterator[list[str] | _Below]:
    identity = _identity(folder)
    if identity in walked and identity[1]:  # some file systems have no inode numbers
        return iter(())
    walked.add(identity)
    pieces = _pieces(_entries(folder), suffixes)
    return pieces if output is None or identity != output.folder else _without(pieces, output)


def _entries(folder: str) -> _Entries:
    prefix = os.path.join(folder, "")
    if LISTS:
        entries = Folder(folder, prefix)
        if entries.sorted:
            return entries
    return _Scanned(folder, prefix)


def _pieces(entries: _Entries, suffixes: tuple[bytes, ...]) -> Iterator[list[str] | _Below]:
    begin = 0
    for at, kind in [*entries.marks(suffixes), (len(entries), PLAIN)]:
        for start in range(begin, at, RUN):
            yield entries.paths(start, min(start + RUN, at))
        begin = at + 1
        for path in entries.paths(at, min(begin, len(entries))):
            yield _Below(path) if kind == FOLDER else [path if kind == PLAIN else Fault(path, NOT_REGULAR)]


def _without(pieces: Iterator[list[str] | _Below], output: Output) -> Iterator[list[str] | _Below]:
    for piece in pieces:
        if isinstance(piece, _Below):
            if not output.owns(piece.path):
                yield piece
        elif kept := [path for path in piece if not output.owns(path)]:
            yield kept


class _Scanned:
    """As Folder, for any system and for names that are not UTF-8."""

    def __init__(self, folder: str, prefix: str) -> None:
        self._prefix = prefix
        with os.scandir(folder) as entries:
            self._entries = sorted((entry.name, _kind(entry)) for entry in entries)

    def __len__(self) -> int:
        return len(self._entries)

    def marks(self, suffixes: tuple[bytes, ...]) -> list[tuple[int, int]]:
        ends = tuple(map(os.fsdecode, suffixes))
        named = enumerate(self._entries)
        return [(at, kind) for at, (name, kind) in named if kind != PLAIN or (ends and name.lower().endswith(ends))]

    def paths(self, start: int, stop: int) -> list[str]:
        return [self._prefix + name for name, _ in self._entries[start:stop]]


def _kind(entry: os.DirEntry[str]) -> int:
    try:
        if entry.is_dir():
            return FOLDER
        if not entry.is_file() and entry.stat():
            return SPECIAL
    except OSError:  # a dangling or circular link: reading it as a file reports the error
        pass
    return PLAIN


def _identity(folder: str) -> tuple[int, int]:
    facts = os.stat(folder)
    return facts.st_dev, facts.st_ino
