"""A live catalogue: SQLite beside the files of a store, written by one thread in groups, read by many."""

from __future__ import annotations

import json
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import sleep
from typing import Any, NamedTuple, Self

from dicomcore.catalogue.attributes import COLUMNS, COUNTED, KEYS, LEVELS, level_of
from dicomcore.catalogue.matching import Query, Term, fold_name
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.errors import DicomError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread

__all__ = ["Entry", "LiveCatalogue"]

NAME = "catalogue.sqlite"
VERSION = 1
TABLES = dict(zip(LEVELS, ("patients", "studies", "series", "instances"), strict=True))
FOLDED = {level: tuple(name for name in names if name.endswith("Name") and name != "StationName"
                       and "Manufacturer" not in name and name not in ("InstitutionName", "ProtocolName"))
          for level, names in COLUMNS.items()}  # fmt: skip
OWN = ("path", "transfer_syntax", "size", "source")  # of instances, beside their attributes
SEQUENCE = "RequestAttributesSequence"  # kept as JSON
GROUP = 256  # instances that are committed together
WAIT = 0.001  # seconds that the first of a group waits for others
GLOB = str.maketrans({"[": "[[]"})
SETTINGS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000")


class Entry(NamedTuple):
    """An instance of the catalogue: its file, what it is, and its transfer syntax."""

    path: str
    sop_class: str
    sop_instance: str
    transfer_syntax: str


@dataclass(slots=True)
class _Series:
    """Row numbers of a series, its study and patient, and what the present transaction adds to it."""

    series: int
    study: int
    patient: int
    more: int = 0  # instances
    modalities: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)


def _schema() -> Iterator[str]:
    above = ""
    for level in LEVELS:
        names = [*COLUMNS[level], *COUNTED[level], *(f"{name}_folded" for name in FOLDED[level])]
        columns = ["id INTEGER PRIMARY KEY"]
        if above:
            columns.append(f"parent INTEGER NOT NULL REFERENCES {TABLES[above]}(id) ON DELETE CASCADE")
        columns += [f'"{name}" {"INTEGER DEFAULT 0" if name.startswith("NumberOf") and "Related" in name else "TEXT"}'
                    for name in names]  # fmt: skip
        if level == "IMAGE":
            columns += ["path TEXT", "transfer_syntax TEXT", "size INTEGER", "source TEXT"]
        unique = "PatientID, IssuerOfPatientID" if level == "PATIENT" else KEYS[level]
        yield f"CREATE TABLE {TABLES[level]} ({', '.join(columns)}, UNIQUE ({unique}))"
        if above:
            yield f"CREATE INDEX {TABLES[level]}_parent ON {TABLES[level]} (parent)"
        above = level
    for table, column in (("patients", "PatientName_folded"), ("studies", "StudyDate"), ("studies", "AccessionNumber"),
                          ("series", "Modality")):  # fmt: skip
        yield f'CREATE INDEX {table}_{column} ON {table} ("{column}")'
    yield f"PRAGMA user_version={VERSION}"


class LiveCatalogue:
    """The instances of a folder, in ``catalogue.sqlite`` there.

    Any thread may search; what is added is written by one thread, in groups, and a `Future` tells when the group is on
    the disk. A context manager.
    """

    def __init__(self, folder: str | os.PathLike[str], *, limits: Limits | None = None, durable: bool = False) -> None:
        self.folder = os.path.abspath(os.fsdecode(folder))
        os.makedirs(self.folder, exist_ok=True)
        self._path = os.path.join(self.folder, NAME)
        self._limits, self.durable = limits, durable
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._known: dict[str, _Series] = {}  # those that the present transaction has touched, by UID
        self._writer = self._connect()
        if not self._writer.execute("PRAGMA user_version").fetchone()[0]:
            with self._writer:
                for statement in _schema():
                    self._writer.execute(statement)
        found = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if found != VERSION:
            raise DicomError(f"{self._path} is a catalogue of version {found}; this program knows {VERSION}")
        if durable:
            self._writer.execute("PRAGMA synchronous=FULL")
        self._queue: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="dicomcore-catalogue", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        made = sqlite3.connect(self._path, check_same_thread=False)
        made.row_factory = sqlite3.Row
        for setting in SETTINGS:
            made.execute(f"PRAGMA {setting}")
        return made

    @property
    def _reader(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._connect()
            self._readers.append(found)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what waits, and close the database."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        for connection in (*self._readers, self._writer):
            connection.close()
        self._readers.clear()

    # -- writing

    def _write(self) -> None:
        size = 1  # of the group before
        while True:
            first = self._queue.get()
            if first is None:
                return
            if size > 1:
                sleep(WAIT)  # others follow, as they did before; one who waits for each answer is not kept waiting
            group, is_last = [first], False
            while len(group) < GROUP and not self._queue.empty():
                following = self._queue.get()  # this thread alone takes
                if following is None:
                    is_last = True
                    break
                group.append(following)
            size = len(group)
            self._commit(group)
            if is_last:
                return

    def _commit(self, group: list[tuple[Callable[[], Any], Future[Any]]]) -> None:
        results: list[tuple[Future[Any], Any, Exception | None]] = []
        try:
            with self._writer:
                for work, future in group:
                    try:
                        results.append((future, work(), None))
                    except (DicomError, OSError, sqlite3.Error) as error:
                        results.append((future, None, error))
                self._settle()
        except sqlite3.Error as error:  # the disk is full: none of the group is there
            results = [(future, None, error) for _, future in group]
            self._known.clear()
        for future, result, failure in results:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

    def _later(self, work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._queue.put((work, future))
        return future

    def add(self, path: str | os.PathLike[str], *, source: str = "") -> Future[bool]:
        """Add a file, or renew what is known of it; the result tells whether the instance is new."""
        place = os.path.abspath(os.fsdecode(path))

        def work() -> bool:
            return self._insert(place, dcmread(place, stop_before_pixels=True, limits=self._limits), source)

        return self._later(work)

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

    def _insert(self, path: str, ds: Dataset, source: str) -> bool:
        for keyword in (KEYS[level] for level in LEVELS[1:]):
            if not _text(ds, keyword):
                raise DicomError(f"the file has no {keyword}")
        series = self._series_of(ds)
        values = _values(ds, "IMAGE")
        values |= {"path": path, "transfer_syntax": str(ds.transfer_syntax or ""), "size": os.path.getsize(path),
                   "source": source}  # fmt: skip
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        cursor = self._writer.execute(
            f"INSERT INTO instances (parent, {names}) VALUES (?, {marks}) ON CONFLICT DO NOTHING",
            (series.series, *values.values()),
        )
        if not cursor.rowcount:
            names = ", ".join(f'"{name}"=?' for name in values)
            uid = values["SOPInstanceUID"]
            self._writer.execute(f"UPDATE instances SET {names} WHERE SOPInstanceUID=?", (*values.values(), uid))
            return False
        series.more += 1
        series.modalities.add(_text(ds, "Modality"))
        series.classes.add(values["SOPClassUID"])
        return True

    def _series_of(self, ds: Dataset) -> _Series:
        """Where an instance belongs; what is not there yet is made. A series and a study stay where they are."""
        uid = _text(ds, "SeriesInstanceUID")
        known = self._known.get(uid)
        if known is not None:
            return known
        find = self._writer.execute
        found = find(
            "SELECT series.id, studies.id, studies.parent FROM series JOIN studies ON series.parent=studies.id "
            "WHERE SeriesInstanceUID=?", (uid,)
        ).fetchone()  # fmt: skip
        if found is None:
            study = _text(ds, "StudyInstanceUID")
            above = find("SELECT id, parent FROM studies WHERE StudyInstanceUID=?", (study,)).fetchone()
            if above is None:
                patient = self._patient_of(ds)
                above = self._put("STUDY", ds, patient), patient
                find("UPDATE patients SET NumberOfPatientRelatedStudies=NumberOfPatientRelatedStudies+1 WHERE id=?",
                     (patient,))  # fmt: skip
            found = self._put("SERIES", ds, above[0]), *above
            find("UPDATE studies SET NumberOfStudyRelatedSeries=NumberOfStudyRelatedSeries+1 WHERE id=?", (above[0],))
            find("UPDATE patients SET NumberOfPatientRelatedSeries=NumberOfPatientRelatedSeries+1 WHERE id=?",
                 (above[1],))  # fmt: skip
        known = self._known[uid] = _Series(*found)
        return known

    def _patient_of(self, ds: Dataset) -> int:
        keys = _text(ds, "PatientID"), _text(ds, "IssuerOfPatientID")
        found = self._writer.execute("SELECT id FROM patients WHERE PatientID=? AND IssuerOfPatientID=?", keys)
        row = found.fetchone()
        return self._put("PATIENT", ds, None) if row is None else int(row[0])

    def _put(self, level: str, ds: Dataset, parent: int | None) -> int:
        values = _values(ds, level)
        if parent is not None:
            values["parent"] = parent
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        made = self._writer.execute(f"INSERT INTO {TABLES[level]} ({names}) VALUES ({marks})", tuple(values.values()))
        assert made.lastrowid is not None
        return made.lastrowid

    def _settle(self) -> None:
        """Write what was counted in the present transaction, and forget what was known in it."""
        execute = self._writer.execute
        for one in self._known.values():
            if not one.more:
                continue
            for table, what, place in (("series", "Series", one.series), ("studies", "Study", one.study),
                                       ("patients", "Patient", one.patient)):  # fmt: skip
                column = f"NumberOf{what}RelatedInstances"
                execute(f"UPDATE {table} SET {column}={column}+? WHERE id=?", (one.more, place))
            self._gather(one.study, "ModalitiesInStudy", one.modalities)
            self._gather(one.study, "SOPClassesInStudy", one.classes)
        self._known.clear()

    def _gather(self, study: int, column: str, values: set[str]) -> None:
        held = self._writer.execute(f"SELECT {column} FROM studies WHERE id=?", (study,)).fetchone()[0] or ""
        known = set(held.split("\\")) - {""}
        if not values - {""} <= known:
            joined = "\\".join(sorted(known | values - {""}))
            self._writer.execute(f"UPDATE studies SET {column}=? WHERE id=?", (joined, study))

    def remove(self, sop_instance: str) -> Future[bool]:
        """Forget an instance, with what is empty then; the file stays. The result tells whether it was there."""
        return self._later(lambda: self._remove(sop_instance))

    def _remove(self, uid: str) -> bool:
        self._settle()
        found = self._writer.execute(
            "SELECT instances.id, series.id, studies.id, patients.id FROM instances "
            "JOIN series ON instances.parent=series.id JOIN studies ON series.parent=studies.id "
            "JOIN patients ON studies.parent=patients.id WHERE SOPInstanceUID=?", (uid,)).fetchone()  # fmt: skip
        if found is None:
            return False
        instance, series, study, patient = found
        execute = self._writer.execute
        execute("DELETE FROM instances WHERE id=?", (instance,))
        execute("DELETE FROM series WHERE id=? AND id NOT IN (SELECT parent FROM instances)", (series,))
        execute("DELETE FROM studies WHERE id=? AND id NOT IN (SELECT parent FROM series)", (study,))
        execute("DELETE FROM patients WHERE id=? AND id NOT IN (SELECT parent FROM studies)", (patient,))
        self._recount(series, study, patient)
        return True

    def _recount(self, series: int, study: int, patient: int) -> None:
        execute = self._writer.execute
        execute("UPDATE series SET NumberOfSeriesRelatedInstances=(SELECT COUNT(*) FROM instances WHERE parent=?1) "
                "WHERE id=?1", (series,))  # fmt: skip
        below = "FROM instances JOIN series ON instances.parent=series.id WHERE series.parent=?1"
        execute(
            f"UPDATE studies SET NumberOfStudyRelatedInstances=(SELECT COUNT(*) {below}), "
            "NumberOfStudyRelatedSeries=(SELECT COUNT(*) FROM series WHERE parent=?1) WHERE id=?1", (study,)
        )  # fmt: skip
        for column, source in (
            ("ModalitiesInStudy", f"SELECT DISTINCT Modality {below} ORDER BY Modality"),
            ("SOPClassesInStudy", f"SELECT DISTINCT SOPClassUID {below} ORDER BY SOPClassUID"),
        ):
            values = [row[0] for row in execute(source, (study,)) if row[0]]
            execute(f"UPDATE studies SET {column}=? WHERE id=?", ("\\".join(values), study))
        execute(
            "UPDATE patients SET NumberOfPatientRelatedStudies=(SELECT COUNT(*) FROM studies WHERE parent=?1), "
            "NumberOfPatientRelatedSeries=(SELECT TOTAL(NumberOfStudyRelatedSeries) FROM studies WHERE parent=?1), "
            "NumberOfPatientRelatedInstances=(SELECT TOTAL(NumberOfStudyRelatedInstances) FROM studies WHERE parent=?1)"
            " WHERE id=?1", (patient,)
        )  # fmt: skip

    # -- reading

    def search(self, query: Query, *, limit: int | None = None, offset: int = 0) -> Iterator[dict[str, Any]]:
        """Rows of the query's level that match, in a stable order: values by keyword, with those of the levels above.

        Multiple values are joined by backslashes, sequences lists of dict. ValueError for a level that does not exist.
        """
        level = _checked(query.level)
        where, values, left = _where(query.terms, level)
        sql = f"{_select(level)}{where} ORDER BY {TABLES[level]}.id"
        count = skipped = 0
        rest = Query(level, left)
        for found in self._reader.execute(sql, values):
            row = _row(found, level)
            if not rest.matches(row):
                continue
            if skipped < offset:
                skipped += 1
                continue
            if limit is not None and count >= limit:
                return
            count += 1
            yield row

    def values(self, query: Query, keywords: Sequence[str]) -> Iterator[Sequence[Any]]:
        """The values of some attributes in the rows that `search` gives.

        The attributes are of the query's level and those above it. None stands for what was not counted yet.
        """
        level = _checked(query.level)
        where, values, left = _where(query.terms, level)
        needed = [term.keyword for term in left if _is_at(term.keyword, level)]
        names = list(dict.fromkeys([*keywords, *needed]))
        cursor = self._reader.cursor()
        cursor.row_factory = None  # type: ignore[assignment]  # plain tuples
        found = cursor.execute(f"{_select(level, names)}{where} ORDER BY {TABLES[level]}.id", values)
        if not left and SEQUENCE not in names:
            yield from found
            return
        rest, count = Query(level, left), len(keywords)
        for one in found:
            row = _row(dict(zip(names, one, strict=True)), level)
            if rest.matches(row):
                yield [row[name] for name in names[:count]]

    def entries(self, query: Query) -> Iterator[Entry]:
        """The instances below what matches."""
        at_image = Query("IMAGE", [term for term in query.terms if term.kind != "any"])
        where, values, left = _where(at_image.terms, "IMAGE")
        rest = Query("IMAGE", left)
        for found in self._reader.execute(f"{_select('IMAGE')}{where} ORDER BY instances.id", values):
            if rest.matches(_row(found, "IMAGE")):
                yield Entry(found["path"], found["SOPClassUID"] or "", found["SOPInstanceUID"],
                            found["transfer_syntax"] or "")  # fmt: skip

    def __len__(self) -> int:
        """The number of instances."""
        return int(self._reader.execute("SELECT COUNT(*) FROM instances").fetchone()[0])

    def renew(self) -> tuple[int, int]:
        """Agree with the folder: add files that are not known, forget those that are gone; how many of each."""
        known = {row[0] for row in self._reader.execute("SELECT path FROM instances")}
        there = set()
        for root, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            there |= {os.path.join(root, name) for name in names if name.endswith(".dcm")}
        added, _ = self.add_all(sorted(there - known))
        gone = 0
        for path in sorted(known - there):
            uid = self._reader.execute("SELECT SOPInstanceUID FROM instances WHERE path=?", (path,)).fetchone()
            if uid is not None and not os.path.exists(path):
                gone += self.remove(uid[0]).result()
        return added, gone


def _values(ds: Dataset, level: str) -> dict[str, Any]:
    values: dict[str, Any] = {name: _text(ds, name) for name in COLUMNS[level]}
    for name in FOLDED[level]:
        values[f"{name}_folded"] = "=".join(["", *map(fold_name, values[name].split("=")), ""])
    if level == "SERIES" and SEQUENCE in ds:
        values[SEQUENCE] = json.dumps([_plain(item) for item in ds.RequestAttributesSequence or []])
    return values


def _text(ds: Dataset, keyword: str) -> str:
    value = ds.get(keyword)
    return str(value) if isinstance(value, int) else text_of(ds, keyword) or ""


def _plain(item: Dataset) -> dict[str, Any]:
    return {keyword: _text(item, keyword) for keyword in (element.keyword for element in item)
            if keyword and not keyword.endswith("Sequence")}  # fmt: skip


def _checked(level: str) -> str:
    if level not in LEVELS:
        raise ValueError(f"{level!r} is no query/retrieve level; they are {', '.join(LEVELS)}")
    return level


def _above(level: str) -> list[str]:
    return list(LEVELS[: LEVELS.index(level) + 1])


def _is_at(keyword: str, level: str) -> bool:
    """Whether rows of a level have an attribute."""
    at = level_of(keyword)
    return at is not None and LEVELS.index(at) <= LEVELS.index(level)


def _select(level: str, keywords: Sequence[str] | None = None) -> str:
    """The columns of a level and of those above it, or some of them."""
    own = keywords is None and level == "IMAGE"
    if keywords is None:
        keywords = [name for one in _above(level) for name in (*COLUMNS[one], *COUNTED[one])]
    names = [f'{TABLES[level_of(name) or level]}."{name}" AS "{name}"' for name in keywords]
    if own:
        names += [f"instances.{name} AS {name}" for name in OWN]
    joined = TABLES[level]
    for upper, lower in reversed(list(zip(_above(level), _above(level)[1:], strict=False))):
        joined += f" JOIN {TABLES[upper]} ON {TABLES[lower]}.parent={TABLES[upper]}.id"
    return f"SELECT {', '.join(names)} FROM {joined}"


def _where(terms: Iterable[Term], level: str) -> tuple[str, list[str], list[Term]]:
    """Conditions that every match fulfils, their values, and the terms that are still to be looked at in Python."""
    parts: list[str] = []
    values: list[str] = []
    left: list[Term] = []
    for term in terms:
        at = level_of(term.keyword)
        is_here = at is not None and _is_at(term.keyword, level) and len(term.path) == 1
        is_decided = term.kind == "any" or (is_here and term.kind == "equal" and term.vr == "UI")
        if not is_decided or term.keyword in COUNTED.get(at or "", ()):
            left.append(term)
        if at is None or not is_here or term.kind in ("any", "empty"):
            continue
        if term.keyword in COUNTED[at]:
            continue
        column = f'{TABLES[at]}."{term.keyword}"'
        if term.vr == "PN" and term.keyword in FOLDED[at] and term.kind in ("equal", "like"):
            texts = [f"*={group}=*" for text in term.values for group in text.split("=") if group]
            column = f'{TABLES[at]}."{term.keyword}_folded"'
            parts.append("(" + " OR ".join([f"{column} GLOB ?"] * len(texts)) + ")")
            values += [text.translate(GLOB) for text in texts]
        elif term.kind == "equal" and term.vr == "UI":
            parts.append(f"{column} IN ({', '.join('?' * len(term.values))})")
            values += term.values
        elif term.kind == "equal" and term.vr != "PN":
            parts.append("(" + " OR ".join([f"'\\' || {column} || '\\' GLOB ?" if at == "IMAGE" else f"{column} GLOB ?"]
                                           * len(term.values)) + ")")  # fmt: skip
            values += [f"*{_plain_glob(text)}*" for text in term.values]
        elif term.kind == "range" and term.vr == "DA":
            low, high = term.values
            parts.append(f"{column} BETWEEN ? AND ?")
            values += [low, high or "99999999"]
    return (" WHERE " + " AND ".join(parts) if parts else ""), values, left


def _plain_glob(text: str) -> str:
    return "".join(f"[{one}]" if one in "*?[" else one for one in text)


def _row(found: Any, level: str) -> dict[str, Any]:
    row: dict[str, Any] = dict(found)
    if level in ("SERIES", "IMAGE"):
        held = row.get(SEQUENCE)
        row[SEQUENCE] = json.loads(held) if held else []
    return row
