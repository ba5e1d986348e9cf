"""Holdings: the rows of a live catalogue as its writer changes them, with what is counted of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dicomcore.catalogue.attributes import KEYS, LEVELS, OBJECTS, OWN, TABLES
from dicomcore.catalogue.rows import row_of
from dicomcore.catalogue.schema import kept_text, values_of
from dicomcore.catalogue.sql import column_of, joined
from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError

__all__ = ["Holdings", "UIDs", "uids_of"]

OF_NO_PATIENT = frozenset(uid for some in OBJECTS.values() for uid in some)
MOST_KNOWN = 1024  # series whose row numbers are remembered
BELOW = {  # the instances of a row, by level
    "PATIENT": "parent IN (SELECT id FROM series WHERE parent IN (SELECT id FROM studies WHERE parent=?))",
    "STUDY": "parent IN (SELECT id FROM series WHERE parent=?)",
    "SERIES": "parent=?",
    "IMAGE": "id=?",
}


class UIDs(NamedTuple):
    """What an instance is, and where it belongs; one of no patient has no study and series."""

    study: str
    series: str
    instance: str
    sop_class: str


@dataclass(slots=True)
class _Series:
    """Row numbers of a series, its study and patient, and what the present transaction adds to it.

    `person` are the unique keys of the patient: its ID, and who issued it.
    """

    series: int
    study: int
    patient: int
    person: tuple[str, str]
    more: int = 0  # instances
    modalities: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)


class Holdings:
    """What the writer's thread does to the tables, within a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection, self._execute = connection, connection.execute
        self._known: dict[tuple[str, str], _Series] = {}  # that are not removed, by UIDs of study and series
        self._touched: dict[tuple[str, str], _Series] = {}  # those to which the present transaction adds
        self._multiple = {row[0] for row in self._execute("SELECT name FROM multiple")}
        self._statements: dict[str, str] = {}

    def forget(self) -> None:
        """The transaction was undone."""
        self._known.clear()
        self._touched.clear()
        self._multiple = {row[0] for row in self._execute("SELECT name FROM multiple")}

    # -- adding

    def insert(self, ds: Dataset, uids: UIDs, own: dict[str, Any], *, arrives: bool = True) -> bool:
        """Add an instance, or renew what is known of it; whether it is new. `own` are the columns of `own_values`.

        What does not arrive now keeps the time that it came.
        """
        uid = uids.instance
        if not uids.study:
            return self._insert_object(ds, uids, own)
        series = self._series_of(ds, uids)
        held = self._execute("SELECT id, parent FROM instances WHERE SOPInstanceUID=?", (uid,)).fetchone()
        if held is not None and held[1] != series.series:
            self.remove("IMAGE", held[0])  # it has moved to another series
            held = None
            series = self._series_of(ds, uids)
        values = {**values_of(ds, "IMAGE"), **own}
        if held is not None:
            if not arrives:
                del values["arrived"]
            self._update("IMAGE", values, held[0])
            self._execute("DELETE FROM frames WHERE instance=?", (held[0],))
            self._renew_above(ds, series)
            return False
        self._put("IMAGE", values, series.series)
        series.more += 1
        series.modalities.add(kept_text(ds, "Modality"))
        series.classes.add(values["SOPClassUID"])
        self._touched[uids.study, uids.series] = series
        return True

    def _renew_above(self, ds: Dataset, series: _Series) -> None:
        """Renew what is known of series, study and patient by an instance that has taken the place of its former self.

        So a study that is sent again with another patient, as after a merge, is that patient's.
        """
        patient = self._patient_of(ds)
        for level, row in (("SERIES", series.series), ("STUDY", series.study), ("PATIENT", patient)):
            self._update(level, values_of(ds, level), row)
        if patient == series.patient:
            return
        self.settle()
        self._known.clear()
        execute = self._execute
        execute("UPDATE studies SET parent=? WHERE id=?", (patient, series.study))
        execute("DELETE FROM patients WHERE id=?1 AND NOT EXISTS (SELECT 1 FROM studies WHERE parent=?1)",
                (series.patient,))  # fmt: skip
        for row in (patient, series.patient):
            self._patient(row)

    def is_of_another(self, ds: Dataset, uids: UIDs) -> bool:
        """Whether the study of an instance that was inserted just now is another patient's than it says.

        An instance that names no patient, as derived ones may, contradicts nothing.
        """
        series = self._known.get((uids.study, uids.series))
        if series is None or series.person == (own := _person(ds)):
            return False
        return any(one and other and one != other for one, other in zip(series.person, own, strict=True))

    def _insert_object(self, ds: Dataset, uids: UIDs, own: dict[str, Any]) -> bool:
        """An instance of no patient: its attributes are kept as they are."""
        held = self._execute("SELECT 1 FROM others WHERE SOPInstanceUID=?", (uids.instance,)).fetchone()
        row = json.dumps(row_of(ds))
        self._execute("INSERT OR REPLACE INTO others VALUES (?,?,?,?,?,?,?,?)",
                      (uids.instance, uids.sop_class, *(own[name] for name in OWN), row))  # fmt: skip
        return held is None

    def _series_of(self, ds: Dataset, uids: UIDs) -> _Series:
        """Where an instance belongs; what is not there yet is made. A study stays where it is."""
        key = uids.study, uids.series
        known = self._known.get(key)
        if known is not None:
            return known
        find = self._execute
        found = find(
            "SELECT series.id, studies.id, studies.parent FROM series JOIN studies ON series.parent=studies.id "
            "WHERE StudyInstanceUID=? AND SeriesInstanceUID=?", key
        ).fetchone()  # fmt: skip
        if found is None:
            above = find("SELECT id, parent FROM studies WHERE StudyInstanceUID=?", (uids.study,)).fetchone()
            if above is None:
                patient = self._patient_of(ds)
                above = self._put("STUDY", values_of(ds, "STUDY"), patient), patient
                find("UPDATE patients SET NumberOfPatientRelatedStudies=NumberOfPatientRelatedStudies+1 WHERE id=?",
                     (patient,))  # fmt: skip
            found = self._put("SERIES", values_of(ds, "SERIES"), above[0]), *above
            find("UPDATE studies SET NumberOfStudyRelatedSeries=NumberOfStudyRelatedSeries+1 WHERE id=?", (above[0],))
            find("UPDATE patients SET NumberOfPatientRelatedSeries=NumberOfPatientRelatedSeries+1 WHERE id=?",
                 (above[1],))  # fmt: skip
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        known = self._touched.get(key)
        if known is None:
            series, study, patient = found
            person = find("SELECT PatientID, IssuerOfPatientID FROM patients WHERE id=?", (patient,)).fetchone()
            known = _Series(series, study, patient, person)
        self._known[key] = known
        return known

    def _patient_of(self, ds: Dataset) -> int:
        found = self._execute(
            "SELECT id FROM patients WHERE PatientID=? AND IssuerOfPatientID=?", _person(ds)
        ).fetchone()
        return self._put("PATIENT", values_of(ds, "PATIENT"), None) if found is None else int(found[0])

    def _put(self, level: str, values: dict[str, Any], parent: int | None) -> int:
        self._note_multiple(values)
        statement = self._statements.get(level)
        if statement is None:
            names = ", ".join(f'"{name}"' for name in values)
            marks = ", ".join("?" * len(values))
            first, mark = ("parent, ", "?, ") if level != "PATIENT" else ("", "")
            statement = f"INSERT INTO {TABLES[level]} ({first}{names}) VALUES ({mark}{marks})"
            self._statements[level] = statement
        held = tuple(values.values())
        made = self._execute(statement, held if parent is None else (parent, *held))
        assert made.lastrowid is not None
        return made.lastrowid

    def _update(self, level: str, values: dict[str, Any], row: int) -> None:
        self._note_multiple(values)
        names = ", ".join(f'"{name}"=?' for name in values)
        self._execute(f"UPDATE {TABLES[level]} SET {names} WHERE id=?", (*values.values(), row))

    def _note_multiple(self, values: dict[str, Any]) -> None:
        """Note columns in which a value is several: their conditions are others."""
        for name, value in values.items():
            if type(value) is str and "\\" in value and name not in self._multiple and name != "path":
                self._multiple.add(name)
                self._execute("INSERT OR IGNORE INTO multiple VALUES (?)", (name,))

    def settle(self) -> None:
        """Write what was counted in the present transaction."""
        execute = self._execute
        for one in self._touched.values():
            if not one.more:
                continue
            for table, what, place in (("series", "Series", one.series), ("studies", "Study", one.study),
                                       ("patients", "Patient", one.patient)):  # fmt: skip
                column = f"NumberOf{what}RelatedInstances"
                execute(f"UPDATE {table} SET {column}={column}+? WHERE id=?", (one.more, place))
            self._gather(one.study, "ModalitiesInStudy", one.modalities)
            self._gather(one.study, "SOPClassesInStudy", one.classes)
            one.more = 0
            one.modalities.clear()
            one.classes.clear()
        self._touched.clear()

    def _gather(self, study: int, column: str, values: set[str]) -> None:
        held = self._execute(f"SELECT {column} FROM studies WHERE id=?", (study,)).fetchone()[0] or ""
        known = set(held.split("\\")) - {""}
        if not values - {""} <= known:
            joined = "\\".join(sorted(known | values - {""}))
            self._note_multiple({column: joined})
            self._execute(f"UPDATE studies SET {column}=? WHERE id=?", (joined, study))

    # -- removing

    def rows_of(self, level: str, keys: Iterable[tuple[str, str]]) -> list[int]:
        """Row numbers of a level by attributes of it and of the levels above."""
        wanted = list(keys)
        where = " AND ".join(f"{column_of(name)}=?" for name, _ in wanted)
        sql = f"SELECT {TABLES[level]}.id FROM {joined(level)} WHERE {where}"
        return [row[0] for row in self._execute(sql, [value for _, value in wanted])]

    def take_object(self, sop_instance: str) -> list[tuple[str, str]]:
        """Remove an instance of no patient: its path and UID, if it was there."""
        rows = self._execute("SELECT path, SOPInstanceUID FROM others WHERE SOPInstanceUID=?", (sop_instance,))
        found = [(path, uid) for path, uid in rows]
        self._execute("DELETE FROM others WHERE SOPInstanceUID=?", (sop_instance,))
        return found

    def instances_of(self, level: str, row: int) -> list[tuple[str, str]]:
        """(path, SOP Instance UID) of the instances below a row."""
        sql = f"SELECT path, SOPInstanceUID FROM instances WHERE {BELOW[level]}"
        return [(path, uid) for path, uid in self._execute(sql, (row,))]

    def remove(self, level: str, row: int) -> int:
        """Remove the instances below a row, and what is empty then; how many."""
        self.settle()
        self._known.clear()
        execute = self._execute
        above = execute(
            "SELECT DISTINCT series.id, studies.id, patients.id FROM instances JOIN series ON "
            "instances.parent=series.id JOIN studies ON series.parent=studies.id JOIN patients ON "
            f"studies.parent=patients.id WHERE instances.{BELOW[level]}", (row,)
        ).fetchall()  # fmt: skip
        count = execute(f"DELETE FROM instances WHERE {BELOW[level]}", (row,)).rowcount
        recounts = (self._series, self._study, self._patient)
        for level_at in (2, 1, 0):
            table, below = TABLES[LEVELS[level_at]], TABLES[LEVELS[level_at + 1]]
            for one in {rows[2 - level_at] for rows in above}:
                execute(f"DELETE FROM {table} WHERE id=?1 AND NOT EXISTS (SELECT 1 FROM {below} WHERE parent=?1)",
                        (one,))  # fmt: skip
        for number, recount in enumerate(recounts):
            for one in {rows[number] for rows in above}:
                recount(one)
        return count

    def _series(self, row: int) -> None:
        self._execute("UPDATE series SET NumberOfSeriesRelatedInstances=(SELECT COUNT(*) FROM instances "
                      "WHERE parent=?1) WHERE id=?1", (row,))  # fmt: skip

    def _study(self, row: int) -> None:
        execute = self._execute
        below = "FROM instances JOIN series ON instances.parent=series.id WHERE series.parent=?1"
        execute(
            f"UPDATE studies SET NumberOfStudyRelatedInstances=(SELECT COUNT(*) {below}), "
            "NumberOfStudyRelatedSeries=(SELECT COUNT(*) FROM series WHERE parent=?1) WHERE id=?1", (row,)
        )  # fmt: skip
        for column, source in (
            ("ModalitiesInStudy", f"SELECT DISTINCT Modality {below} ORDER BY Modality"),
            ("SOPClassesInStudy", f"SELECT DISTINCT SOPClassUID {below} ORDER BY SOPClassUID"),
        ):
            values = [one[0] for one in execute(source, (row,)) if one[0]]
            execute(f"UPDATE studies SET {column}=? WHERE id=?", ("\\".join(values), row))

    def _patient(self, row: int) -> None:
        self._execute(
            "UPDATE patients SET NumberOfPatientRelatedStudies=(SELECT COUNT(*) FROM studies WHERE parent=?1), "
            "NumberOfPatientRelatedSeries=(SELECT TOTAL(NumberOfStudyRelatedSeries) FROM studies WHERE parent=?1), "
            "NumberOfPatientRelatedInstances=(SELECT TOTAL(NumberOfStudyRelatedInstances) FROM studies WHERE parent=?1)"
            " WHERE id=?1", (row,)
        )  # fmt: skip


def _person(ds: Dataset) -> tuple[str, str]:
    """The unique keys of a patient."""
    return kept_text(ds, "PatientID"), kept_text(ds, "IssuerOfPatientID")


def uids_of(ds: Dataset) -> UIDs:
    """The UIDs of a data set. DicomError if it is nobody's: it lacks that of a study, a series, or its own."""
    if kept_text(ds, "SOPClassUID") in OF_NO_PATIENT:
        return UIDs("", "", kept_text(ds, "SOPInstanceUID"), kept_text(ds, "SOPClassUID"))
    found = UIDs._make(kept_text(ds, name) for name in (*(KEYS[level] for level in LEVELS[1:]), "SOPClassUID"))
    for level, uid in zip(LEVELS[1:], found, strict=False):
        if not uid:
            raise DicomError(f"the file has no {KEYS[level]}")
    return found
