"""A live catalogue: SQLite beside the files of a store, written by one thread in groups, read by many."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import count as counter
from typing import Any, Self

from dicomcore.catalogue.attributes import KEYS, LEVELS, TABLES
from dicomcore.catalogue.holdings import Holdings, uids_of
from dicomcore.catalogue.jobs import State
from dicomcore.catalogue.locking import lock_incoming
from dicomcore.catalogue.places import FramePlaces, find_frames, packed, unpacked
from dicomcore.catalogue.protocol import Entry
from dicomcore.catalogue.reading import Reading
from dicomcore.catalogue.receiving import DUPLICATES, Adding, Received, Receiving, own_values, place_of
from dicomcore.catalogue.schema import SINCE_THREE, VERSION, schema
from dicomcore.catalogue.sql import SQLITE, prepare
from dicomcore.catalogue.writer import Work, Writer
from dicomcore.errors import DicomError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread

__all__ = ["DURABILITY", "LiveCatalogue"]

NAME, STATE_NAME = "catalogue.sqlite", "state.sqlite"
INCOMING = ".incoming"
DURABILITY = ("none", "group", "each")
SETTINGS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000")


class LiveCatalogue(Reading):
    """The instances of a folder, in ``catalogue.sqlite`` there; see `Catalogue` for the searches.

    Any thread may search; what is added is written by one thread, in groups, and a `Future` tells when the group is
    committed. A context manager.

    Parameters
    ----------
    folder : path
        The folder, which is made if need be.
    limits : Limits
        Bounds on what is read of a file.
    durable : {"none", "group", "each"} or bool
        Whether what is added counts only when it is on the disk, and whether one flush serves all that came meanwhile
        ("group", or True) or each has its own.

    Raises
    ------
    OSError
        The folder cannot be made.
    DicomError
        Its catalogue is of a later version.
    """

    dialect = SQLITE
    is_read_only = False

    def __init__(
        self, folder: str | os.PathLike[str], *, limits: Limits | None = None, durable: str | bool = "none"
    ) -> None:
        self.folder = os.path.abspath(os.fsdecode(folder))
        self.incoming = os.path.join(self.folder, INCOMING)
        os.makedirs(self.incoming, exist_ok=True)
        self._path = os.path.join(self.folder, NAME)
        self.limits, self.durability = limits, _durability(durable)
        self._lock_file = lock_incoming(self.incoming)
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._parts, self._mark = counter(1), os.urandom(8).hex()
        self._connection = self._connect()
        old = self._made()
        if self.durable:
            self._connection.execute("PRAGMA synchronous=FULL")
        self._state: State | None = None
        self._lock = threading.Lock()
        self.holdings = Holdings(self._connection)
        self.touched_folders: set[str] = set()
        self._version = 0
        self._writer = Writer(
            self._connection,
            durability=self.durability,
            begin=self._begin,
            before_commit=self._before_commit,
            failed=self.holdings.forget,
        )
        if self._lock_file.is_first:
            self._recover()
        self._lock_file.share()
        if old:
            self.add_all(path for path in old if os.path.exists(path))

    def _made(self) -> list[str]:
        """Make the tables where they are missing; of tables of an earlier version, the files that were in them."""
        execute = self._connection.execute
        found = execute("PRAGMA user_version").fetchone()[0]
        old: list[str] = []
        if found == 1:  # its files tell all that was in it
            old = [row[0] for row in execute("SELECT path FROM instances ORDER BY id")]
            for table in reversed(TABLES.values()):
                execute(f"DROP TABLE {table}")
            found = 0
        if not found:
            with self._connection:
                for statement in schema():
                    execute(statement)
            found = VERSION
        if found == 3:
            with self._connection:
                for statement in (*SINCE_THREE, f"PRAGMA user_version={VERSION}"):
                    execute(statement)
            found = VERSION
        if found != VERSION:
            raise DicomError(f"{self._path} is a catalogue of version {found}; this program knows {VERSION}")
        return old

    def _connect(self) -> sqlite3.Connection:
        made = sqlite3.connect(self._path, check_same_thread=False)
        for setting in SETTINGS:
            made.execute(f"PRAGMA {setting}")
        prepare(made)
        return made

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._connect()
            self._readers.append(found)
        return found.execute(sql, values)

    def _multiple(self) -> Collection[str]:
        return {row[0] for row in self._rows("SELECT name FROM multiple")}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what waits, and close the database."""
        self._writer.close()
        for connection in (*self._readers, self._connection):
            connection.close()
        self._readers.clear()
        if self._state is not None:
            self._state.close()
            self._state = None
        self._lock_file.close()

    @property
    def durable(self) -> bool:
        """Whether what is added waits for the disk."""
        return self.durability != "none"

    # -- what services keep

    @property
    def state(self) -> State:
        """The database of jobs and records, in ``state.sqlite``."""
        with self._lock:
            if self._state is None:
                self._state = State(os.path.join(self.folder, STATE_NAME))
            return self._state

    @property
    def jobs(self) -> Any:
        """Work that is done later, and again if it fails."""
        return self.state.jobs

    @property
    def records(self) -> Any:
        """Documents by kind and key: the state of services."""
        return self.state.records

    # -- writing

    def _begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:  # another process has written
            self.holdings.forget()
            self._version = version

    def _before_commit(self) -> Iterable[str]:
        self.holdings.settle()
        self._connection.execute(f"PRAGMA application_id={self._next_change()}")
        folders, self.touched_folders = self.touched_folders, set()
        return folders

    def _next_change(self) -> int:
        return (self._connection.execute("PRAGMA application_id").fetchone()[0] + 1) & 0x7FFFFFFF

    @property
    def changed(self) -> int:
        """A number that grows with whatever is added or removed."""
        return int(next(self._rows("PRAGMA application_id"))[0])

    def add(self, path: str | os.PathLike[str], *, source: str = "") -> Future[bool]:
        """Add a file, or renew what is known of it; the result tells whether the instance is new.

        A second file of an instance changes nothing.
        """
        place = os.path.abspath(os.fsdecode(path))
        return self._writer.put(Adding(self, place, source))

    def add_all(self, paths: Iterable[str | os.PathLike[str]]) -> tuple[int, list[tuple[str, str]]]:
        """Add files; how many, and those that could not be, with the reason."""
        pending = [(os.fsdecode(path), self.add(path)) for path in paths]
        failed = []
        for path, future in pending:
            try:
                future.result()
            except (DicomError, OSError, sqlite3.Error) as error:
                failed.append((path, str(error)))
        return len(pending) - len(failed), failed

    def part(self) -> str:
        """A path for a new file, which `receive` takes when it is complete."""
        return os.path.join(self.incoming, f"{self._mark}-{next(self._parts)}.part")

    def receive(self, part: str | os.PathLike[str], *, source: str = "", duplicates: str = "keep") -> Future[Received]:
        """Take a complete file into the store, at the place that its UIDs give it.

        Parameters
        ----------
        part : path
            A file in the file system of the store, such as one at `part()`. It is gone afterwards.
        source : str
            Who it comes from.
        duplicates : {"keep", "replace", "reject", "version"}
            What is done with an instance whose UID is there with other data: keep the old one and warn (B000), replace
            it, refuse it (0111), or keep both, of which the catalogue shows the later one. The same data is a success,
            and nothing is written.

        Returns
        -------
        Future[Received]
            Done when the group that it is committed with is. It has no exception for what the file or the disk does:
            its status says it.
        """
        result: Future[Received] = Future()

        def done(found: list[Received]) -> None:
            if result.set_running_or_notify_cancel():  # else nobody waits any more
                result.set_result(found[0])

        self.receive_all([os.fsdecode(part)], source=source, duplicates=duplicates, done=done)
        return result

    def receive_all(
        self,
        parts: Sequence[str],
        *,
        source: str = "",
        duplicates: str = "keep",
        done: Callable[[list[Received]], object],
    ) -> None:
        """Take complete files into the store, as `receive` does.

        `done` gets what became of each, in the writer's thread, when the groups that they are committed with are.
        """
        if duplicates not in DUPLICATES:
            raise ValueError(f"duplicates is one of {', '.join(DUPLICATES)}, not {duplicates!r}")
        tasks = [Receiving(self, part, source, duplicates) for part in parts]

        def told(found: list[Any]) -> None:
            done([task.outcome(result) for task, result in zip(tasks, found, strict=True)])

        self._writer.put_all(tasks, told)

    def remove(self, sop_instance: str) -> Future[bool]:
        """Forget an instance, with what is empty then; the file stays. The result tells whether it was there."""

        def work() -> bool:
            rows = self.holdings.rows_of("IMAGE", [("SOPInstanceUID", sop_instance)])
            gone = self.holdings.take_object(sop_instance)
            return bool(gone or sum(self.holdings.remove("IMAGE", row) for row in rows))

        return self._writer.put(Work(work))

    def delete(
        self, *, patient: str = "", study: str = "", series: str = "", instance: str = "", files: bool = True
    ) -> Future[int]:
        """Delete a patient, a study, a series, or one instance, with their files; how many instances.

        What is given has to agree. Without `files`, they are only forgotten; files outside the folder stay.
        """
        keys = [(KEYS[level], value) for level, value in zip(LEVELS, (patient, study, series, instance), strict=True)
                if value]  # fmt: skip
        if not keys:
            raise ValueError("a patient, a study, a series or an instance is needed")
        level = next(level for level in reversed(LEVELS) if KEYS[level] == keys[-1][0])
        return self._writer.put(_Deleting(self, level, keys, files))

    # -- for tasks, in the writer's thread

    def held_path(self, sop_instance: str) -> str | None:
        """The path of an instance, None if there is none."""
        found = self._connection.execute(
            "SELECT path FROM instances WHERE SOPInstanceUID=?1 UNION ALL SELECT path FROM others WHERE "
            "SOPInstanceUID=?1", (sop_instance,)
        )  # fmt: skip
        row = found.fetchone()
        return None if row is None else str(row[0])

    def owns(self, path: str) -> bool:
        """Whether a file lies in the store's folder: others are never removed."""
        return path.startswith(self.folder + os.sep)

    def make_folder(self, folder: str) -> None:
        """Make a folder of the store, which is synchronised with those above it."""
        os.makedirs(folder, exist_ok=True)
        while len(folder) > len(self.folder):
            folder = os.path.dirname(folder)
            self.touched_folders.add(folder)

    def adopt(self, path: str) -> None:
        """Add a file that is in its place."""
        ds = dcmread(path, stop_before_pixels=True, limits=self.limits)
        self.holdings.insert(ds, uids_of(ds), own_values(path, ds, ""))

    def put_aside(self, path: str, sop_instance: str) -> None:
        """A file is an earlier version of an instance."""
        self._connection.execute("INSERT OR REPLACE INTO aside VALUES (?, ?)", (path, sop_instance))

    def taken_versions(self, sop_instance: str) -> list[str]:
        """The earlier versions of an instance, which are forgotten."""
        rows = self._connection.execute("SELECT path FROM aside WHERE instance=?", (sop_instance,)).fetchall()
        self._connection.execute("DELETE FROM aside WHERE instance=?", (sop_instance,))
        return [row[0] for row in rows]

    def doom(self, path: str) -> None:
        """A file goes when the transaction is on the disk."""
        self._connection.execute("INSERT OR REPLACE INTO doomed VALUES (?)", (path,))

    def is_doomed(self, path: str) -> bool:
        """Whether a file goes."""
        return self._connection.execute("SELECT 1 FROM doomed WHERE path=?", (path,)).fetchone() is not None

    def unlink_doomed(self, paths: Iterable[str]) -> None:
        """Remove files, with the folders that are empty then, and note that they are gone."""
        gone = list(paths)
        for path in gone:
            with suppress(OSError):
                os.unlink(path)
            with suppress(OSError):
                os.removedirs(os.path.dirname(path))
        if gone:
            with self._connection:
                self._connection.executemany("DELETE FROM doomed WHERE path=?", [(path,) for path in gone])

    # -- files

    def frames(self, entry: Entry) -> FramePlaces:
        """Where the frames of an instance lie in its file; found once, and then kept.

        Raises DicomError if it has no pixel data, or frames that do not begin at bytes.
        """
        found = next(self._rows("SELECT places FROM frames JOIN instances ON frames.instance=instances.id "
                                "WHERE SOPInstanceUID=?", (entry.sop_instance,)), None)  # fmt: skip
        if found is not None:
            return unpacked(found[0])
        places = find_frames(entry.path, self.limits)
        statement = "INSERT OR REPLACE INTO frames SELECT id, ? FROM instances WHERE SOPInstanceUID=? AND path=?"
        values = packed(places), entry.sop_instance, entry.path
        self._writer.put(Work(lambda: self._connection.execute(statement, values)))
        return places

    def _recover(self) -> None:
        """After a process that ended in the middle: what has its place is known, and all else of it is gone."""
        for path in [row[0] for row in self._rows("SELECT path FROM doomed")]:
            self.unlink_doomed([path])
        linked = []
        for entry in os.scandir(self.incoming):
            if entry.name.endswith((".part", ".new")):
                with suppress(OSError, DicomError):
                    linked += self._names_of(entry.path)
        self.add_all(path for path in linked if not self._knows(path))
        for entry in os.scandir(self.incoming):
            if entry.name.endswith((".part", ".new")):
                with suppress(OSError):
                    os.unlink(entry.path)

    def _knows(self, path: str) -> bool:
        known = "SELECT 1 FROM {} WHERE path=?1 AND size=?2"
        sql = f"{known.format('instances')} UNION ALL {known.format('others')}"
        return next(self._rows(sql, (path, os.path.getsize(path))), None) is not None

    def _names_of(self, part: str) -> list[str]:
        """The places that a file beside the store has in it."""
        facts = os.stat(part)
        if facts.st_nlink < 2:
            return []
        ds = dcmread(part, stop_before_pixels=True, limits=self.limits)
        folder = os.path.dirname(place_of(self.folder, uids_of(ds)))
        return [one.path for one in os.scandir(folder) if one.inode() == facts.st_ino]

    def objects(self, sop_classes: Collection[str]) -> Iterator[tuple[Entry, dict[str, Any]]]:
        """Instances that belong to no patient, of some SOP classes: what they are, and all their attributes."""
        marks = ", ".join("?" * len(sop_classes))
        for found in self._rows(
            "SELECT path, SOPClassUID, SOPInstanceUID, transfer_syntax, size, arrived, attributes FROM others "
            f"WHERE SOPClassUID IN ({marks}) ORDER BY rowid", tuple(sop_classes)
        ):  # fmt: skip
            path, sop_class, sop_instance, syntax, size, arrived, row = found
            yield Entry(path, sop_class, sop_instance, syntax, size=size, arrived=arrived), json.loads(row)

    def renew(self) -> tuple[int, int]:
        """Agree with the folder: add files that are not known, forget those that are gone; how many of each."""
        known = {
            row[0]
            for row in self._rows(
                "SELECT path FROM instances UNION ALL SELECT path FROM aside UNION ALL SELECT path FROM others"
            )
        }
        there = set()
        for root, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            there |= {os.path.join(root, name) for name in names if name.endswith(".dcm")}
        added, _ = self.add_all(sorted(there - known))
        gone = 0
        for path in sorted(known - there):
            uid = next(self._rows("SELECT SOPInstanceUID FROM instances WHERE path=?1 UNION ALL "
                                  "SELECT SOPInstanceUID FROM others WHERE path=?1", (path,)), None)  # fmt: skip
            if uid is not None and not os.path.exists(path):
                gone += self.remove(uid[0]).result()
        return added, gone


def _durability(durable: str | bool) -> str:
    found = ("group" if durable else "none") if isinstance(durable, bool) else durable
    if found not in DURABILITY:
        raise ValueError(f"durable is one of {', '.join(DURABILITY)}, not {durable!r}")
    return str(found)


class _Deleting:
    """A task: instances go with their files."""

    files: tuple[str, ...] = ()

    def __init__(self, store: LiveCatalogue, level: str, keys: Sequence[tuple[str, str]], with_files: bool) -> None:
        self._store, self._level, self._keys, self._with_files = store, level, keys, with_files
        self._paths: list[str] = []

    def prepare(self) -> None:
        """Nothing is read."""

    def work(self) -> int:
        """Remove the rows, and note the files."""
        store, count = self._store, 0
        if self._level == "IMAGE":
            for path, uid in store.holdings.take_object(self._keys[-1][1]):
                self._paths += [path, *store.taken_versions(uid)]
                count += 1
        for row in store.holdings.rows_of(self._level, self._keys):
            for path, uid in store.holdings.instances_of(self._level, row):
                self._paths += [path, *store.taken_versions(uid)]
            count += store.holdings.remove(self._level, row)
        self._paths = [path for path in self._paths if self._with_files and store.owns(path)]
        for path in self._paths:
            store.doom(path)
        return count

    def undo(self) -> None:
        """No file was touched."""

    def settle(self, result: int) -> None:
        """Remove the files."""
        self._store.unlink_doomed(self._paths)
