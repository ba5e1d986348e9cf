"""Changes of a file-set on disk, each carried out completely or not at all, even if the process is killed.

The new files are written first, while no record refers to them yet. Then the new DICOMDIR replaces the old one. Then
the files that it no longer refers to are removed. At any moment the DICOMDIR is complete and the files that it refers
to exist. While a change lasts, a journal beside the DICOMDIR lists the files of the change. The next process that
changes the file-set reads from it what a killed process left behind, and finishes or undoes the change.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError
from dicomcore.files import NEW_FILE, synchronise, write_all
from dicomcore.fileset.fileid import DICOMDIR, Medium, path_of
from dicomcore.part10.writer import dcmwrite

__all__ = ["JOURNAL", "Change", "apply", "is_unfinished", "recover"]

JOURNAL, NEW_DIRECTORY = ".dicomdir-change", ".dicomdir-new"
STEP = 4 << 20  # bytes copied at a time
FEW = 64  # at most this many files are synchronised one by one; for more, the whole disk is

FileID = tuple[str, ...]


class Change(NamedTuple):
    """A change of the file-set in `folder`: its new DICOMDIR, the files to create, and the files to remove.

    Each file to create comes with its source, a path or a data set.
    """

    folder: str
    directory: bytes
    added: list[tuple[FileID, str | Dataset]]
    removed: list[FileID]


def apply(change: Change, *, link: bool = False, durable: bool = True) -> None:
    """Carry a change out. `link`: files are linked rather than copied where the system supports links.

    Raises FileExistsError if a file to create exists already, and OSError if writing fails. The file-set is then
    unchanged.
    """
    places = [(path_of(change.folder, file_id), source) for file_id, source in change.added]
    for place, _ in places:
        if os.path.lexists(place):
            raise FileExistsError(17, "exists already, and is no file of the file-set", place)
    recover(change.folder)
    with _journal(change, durable):
        folders: set[str] = set()
        try:
            for place, source in places:
                _make_folder(os.path.dirname(place), folders)
                _create_file(place, source, link)
            if durable:
                _synchronise([place for place, _ in places], folders)
            _replace_directory(change, durable)
        except BaseException:
            if not _is_complete(change):  # an interrupt may come just after the DICOMDIR was replaced
                _discard(change.folder, [file_id for file_id, _ in change.added], path_of)
            raise
        _discard(change.folder, change.removed, _path_on_disk)


def _replace_directory(change: Change, durable: bool) -> None:
    """Replace the old DICOMDIR by the complete new one."""
    beside, place = (os.path.join(change.folder, name) for name in (NEW_DIRECTORY, DICOMDIR))
    file = os.open(beside, NEW_FILE, 0o666)
    try:
        try:
            write_all(file, change.directory)
            if durable:
                os.fsync(file)
        finally:
            os.close(file)
        os.replace(beside, place)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    if durable:
        _synchronise([change.folder], set())


def _is_complete(change: Change) -> bool:
    return _digest_of(os.path.join(change.folder, DICOMDIR)) == hashlib.sha256(change.directory).hexdigest()


def is_unfinished(folder: str) -> bool:
    """Whether a change of the file-set in `folder` was interrupted, or is under way."""
    return os.path.lexists(os.path.join(folder, JOURNAL))


def recover(folder: str) -> bool:
    """Finish or undo the change that a killed process left behind; return whether there was one.

    If the DICOMDIR is the new one, the change is finished, otherwise undone.

    Raises DicomError while the change is under way in another process.
    """
    path = os.path.join(folder, JOURNAL)
    try:
        file = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return False
    try:
        _lock(file, folder)
        if os.fstat(file).st_nlink == 0:  # its process has finished the change meanwhile
            return False
        added, removed, digest = _read_journal(file)
        if _digest_of(os.path.join(folder, DICOMDIR)) == digest:
            _discard(folder, removed, _path_on_disk)
        else:
            _discard(folder, added, path_of)
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, NEW_DIRECTORY))
        os.unlink(path)
    finally:
        os.close(file)
    return True


@contextmanager
def _journal(change: Change, durable: bool) -> Iterator[None]:
    """Write the journal, the list of the change's files, and keep it locked while the change lasts."""
    path = os.path.join(change.folder, JOURNAL)
    os.makedirs(change.folder, exist_ok=True)
    text = json.dumps(
        {
            "directory": hashlib.sha256(change.directory).hexdigest(),
            "made": [list(file_id) for file_id, _ in change.added],
            "removed": [list(file_id) for file_id in change.removed],
        }
    ).encode()
    try:
        file = os.open(path, NEW_FILE, 0o666)
    except FileExistsError:
        raise DicomError(f"the file-set in {change.folder!r} is being changed by another process") from None
    try:
        _lock(file, change.folder)
        write_all(file, text)
        if durable:
            os.fsync(file)
        yield
        # Reached when the change was finished or undone; a killed process leaves the journal.
    finally:
        with suppress(OSError):
            os.unlink(path)
        os.close(file)


def _lock(file: int, folder: str) -> None:
    try:
        import fcntl
    except ImportError:  # a system without these locks: the presence of the journal has to suffice
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DicomError(f"the file-set in {folder!r} is being changed by another process") from None
    except OSError:  # a file system without locks
        return


def _read_journal(file: int) -> tuple[list[FileID], list[FileID], str]:
    """The file IDs and the digest that a journal lists.

    A journal that was not written to its end gives empty lists, as nothing was changed by then.
    """
    data = b""
    while chunk := os.read(file, STEP):
        data += chunk
    try:
        journal: Any = json.loads(data)
        lists = [[tuple(map(str, file_id)) for file_id in journal[name]] for name in ("made", "removed")]
        return lists[0], lists[1], str(journal["directory"])
    except (ValueError, KeyError, TypeError):
        return [], [], ""


def _digest_of(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _make_folder(folder: str, known: set[str]) -> None:
    if folder not in known:
        os.makedirs(folder, exist_ok=True)
        known.add(folder)


def _create_file(place: str, source: str | Dataset, link: bool) -> None:
    if isinstance(source, Dataset):
        with os.fdopen(os.open(place, NEW_FILE, 0o666), "wb") as file:
            dcmwrite(file, source)
        return
    if link:
        with suppress(OSError):  # another disk, or a file system without links
            os.link(source, place)
            return
    reader, writer = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0)), -1
    try:
        writer = os.open(place, NEW_FILE, 0o666)
        while part := os.read(reader, STEP):
            write_all(writer, part)
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)


def _synchronise(places: list[str], folders: set[str]) -> None:
    """Wait until the new files are on disk, before a DICOMDIR refers to them."""
    if len(places) > FEW and hasattr(os, "sync"):
        os.sync()
        return
    for place in [*places, *folders]:
        with suppress(OSError):  # some systems can't open a folder
            synchronise(place)


def _path_on_disk(folder: str, file_id: FileID) -> str:
    return Medium(folder).find(file_id)


def _discard(folder: str, file_ids: list[FileID], place_of: Callable[[str, FileID], str]) -> None:
    """Remove files, and the folders that become empty."""
    for file_id in file_ids:
        try:
            path = place_of(folder, file_id)
        except DicomError:
            continue
        with suppress(FileNotFoundError):
            os.unlink(path)
        above = os.path.dirname(path)
        for _ in range(len(os.path.relpath(path, folder).split(os.sep)) - 1):
            try:
                os.rmdir(above)
            except OSError:  # the folder is not empty
                break
            above = os.path.dirname(above)
