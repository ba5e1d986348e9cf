"""A change of a file-set on disk that is whole or not there, wherever it is broken off.

New files get their names first, none of them referred to yet; then the new DICOMDIR takes the old one's place; then
the files that it no longer refers to go. At any moment the DICOMDIR is whole and what it refers to is there. A journal
beside it lists the files of the change while it lasts: what a killed process left behind is told from that, and
finished or undone by whoever changes the file-set next.
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
FEW = 64  # files that are synchronised one by one; with more, the whole disk is

FileID = tuple[str, ...]


class Change(NamedTuple):
    """What is to be done in `folder`: its new DICOMDIR, files to be made (where from: a path or a data set), files
    that go."""

    folder: str
    directory: bytes
    made: list[tuple[FileID, str | Dataset]]
    removed: list[FileID]


def apply(change: Change, *, link: bool = False, durable: bool = True) -> None:
    """Carry a change out. `link`: files are linked rather than copied where the system can.

    Raises FileExistsError where a file to be made is there already, and OSError as writing does; then the file-set is
    as it was.
    """
    places = [(path_of(change.folder, file_id), source) for file_id, source in change.made]
    for place, _ in places:
        if os.path.lexists(place):
            raise FileExistsError(17, "is there already, and no file of the file-set", place)
    recover(change.folder)
    with _journal(change, durable):
        folders: set[str] = set()
        try:
            for place, source in places:
                _make_folder(os.path.dirname(place), folders)
                _make(place, source, link)
            if durable:
                _synchronise([place for place, _ in places], folders)
            _replace_directory(change, durable)
        except BaseException:
            if not _is_done(change):  # an interrupt may come just after the DICOMDIR took its place
                _discard(change.folder, [file_id for file_id, _ in change.made], path_of)
            raise
        _discard(change.folder, change.removed, _found)


def _replace_directory(change: Change, durable: bool) -> None:
    """Put the new DICOMDIR in the old one's place, complete."""
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


def _is_done(change: Change) -> bool:
    return _digest_of(os.path.join(change.folder, DICOMDIR)) == hashlib.sha256(change.directory).hexdigest()


def is_unfinished(folder: str) -> bool:
    """Whether a change of the file-set in `folder` was broken off, or is under way."""
    return os.path.lexists(os.path.join(folder, JOURNAL))


def recover(folder: str) -> bool:
    """Finish or undo what a killed process left behind: whether there was anything. The DICOMDIR decides which.

    Raises DicomError while the change is under way in another process.
    """
    path = os.path.join(folder, JOURNAL)
    try:
        file = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return False
    try:
        _lock(file, folder)
        if os.fstat(file).st_nlink == 0:  # its process came to the end meanwhile
            return False
        made, removed, digest = _read_journal(file)
        if _digest_of(os.path.join(folder, DICOMDIR)) == digest:
            _discard(folder, removed, _found)
        else:
            _discard(folder, made, path_of)
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, NEW_DIRECTORY))
        os.unlink(path)
    finally:
        os.close(file)
    return True


@contextmanager
def _journal(change: Change, durable: bool) -> Iterator[None]:
    """The list of the change's files, there and locked while the change lasts."""
    path = os.path.join(change.folder, JOURNAL)
    os.makedirs(change.folder, exist_ok=True)
    text = json.dumps(
        {
            "directory": hashlib.sha256(change.directory).hexdigest(),
            "made": [list(file_id) for file_id, _ in change.made],
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
        # Only here, and where the change was undone: a killed process leaves the journal.
    finally:
        with suppress(OSError):
            os.unlink(path)
        os.close(file)


def _lock(file: int, folder: str) -> None:
    try:
        import fcntl
    except ImportError:  # no such locks: the journal's presence alone has to do
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DicomError(f"the file-set in {folder!r} is being changed by another process") from None
    except OSError:  # a file system without locks
        return


def _read_journal(file: int) -> tuple[list[FileID], list[FileID], str]:
    """What a journal lists; nothing for one that was not written to its end, as nothing was done then."""
    data = b""
    while part := os.read(file, STEP):
        data += part
    try:
        said: Any = json.loads(data)
        lists = [[tuple(map(str, one)) for one in said[name]] for name in ("made", "removed")]
        return lists[0], lists[1], str(said["directory"])
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


def _make(place: str, source: str | Dataset, link: bool) -> None:
    if isinstance(source, Dataset):
        with os.fdopen(os.open(place, NEW_FILE, 0o666), "wb") as file:
            dcmwrite(file, source)
        return
    if link:
        with suppress(OSError):  # another disk, or one that has no links
            os.link(source, place)
            return
    came, goes = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0)), -1
    try:
        goes = os.open(place, NEW_FILE, 0o666)
        while part := os.read(came, STEP):
            write_all(goes, part)
    finally:
        os.close(came)
        if goes >= 0:
            os.close(goes)


def _synchronise(places: list[str], folders: set[str]) -> None:
    """Have the disk hold new files before a directory refers to them."""
    if len(places) > FEW and hasattr(os, "sync"):
        os.sync()
        return
    for place in [*places, *folders]:
        with suppress(OSError):  # not every system lets a folder be opened
            synchronise(place)


def _found(folder: str, file_id: FileID) -> str:
    return Medium(folder).find(file_id)


def _discard(folder: str, file_ids: list[FileID], place_of: Callable[[str, FileID], str]) -> None:
    """Take files away, and the folders that hold nothing then."""
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
            except OSError:  # something is left in it
                break
            above = os.path.dirname(above)
