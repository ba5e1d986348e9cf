"""Look-up of a file-set's records: leaf records by UID and File ID, and the levels above them by their keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dicomcore.fileset.keys import LEVELS
from dicomcore.fileset.records import Record, active

__all__ = ["IDENTITY", "Registry"]

IDENTITY = {"PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID"}
"""The key that identifies a record of each level within its entity."""


class Registry:
    """Look-up tables of the records that are in use."""

    def __init__(self, roots: Iterable[Record]) -> None:
        self.by_uid: dict[str, Record] = {}
        self.by_file: dict[tuple[str, ...], Record] = {}
        self.folders: set[tuple[str, ...]] = set()
        self._levels: dict[tuple[int, str, str], Record] = {}
        for record in active(roots):
            self.enter(record)

    def enter(self, record: Record) -> None:
        """Add one record; the first record with a key stays."""
        if record.type in LEVELS:
            self._levels.setdefault((_above(record.parent), record.type, _identity(record)), record)
        file_id = record.file_id
        if not file_id:
            return
        self.by_file.setdefault(file_id, record)
        for depth in range(len(file_id) - 1, 0, -1):
            folder = file_id[:depth]
            if folder in self.folders:
                break
            self.folders.add(folder)
        uid = record.sop_instance_uid
        if uid:
            self.by_uid.setdefault(str(uid), record)

    def level(self, above: Record | None, kind: str, value: Any) -> Record | None:
        """The record of a level below `above` whose key has this value."""
        return self._levels.get((_above(above), kind, _text(value)))

    def is_taken(self, file_id: tuple[str, ...]) -> bool:
        """Whether a file or folder has this File ID."""
        return file_id in self.by_file or file_id in self.folders


def _above(record: Record | None) -> int:
    return 0 if record is None else id(record)


def _identity(record: Record) -> str:
    value = record.keys.get(IDENTITY[record.type])
    if not value and record.type == "STUDY":  # the record may refer to a file instead (PS3.3 F.5.2)
        value = record.sop_instance_uid
    return _text(value)


def _text(value: Any) -> str:
    return str(value).strip(" \0") if value is not None else ""
