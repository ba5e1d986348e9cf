"""Crosswalk: the old and the new identity of each file, in a table that only its owner can read."""

from __future__ import annotations

import csv
import os
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of

if TYPE_CHECKING:
    from dicomcore.deid.working import Done

__all__ = ["Crosswalk", "Identity", "identity_of"]

OWNER_ONLY = 0o600


class Identity(NamedTuple):
    """What names a file's patient, study, series and instance."""

    patient_id: str
    study: str
    series: str
    instance: str


def identity_of(ds: Dataset) -> Identity:
    """The identity of a data set; what it lacks is empty."""
    keywords = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    return Identity(*(text_of(ds, keyword) or "" for keyword in keywords))


class Crosswalk:
    """A CSV file with a row for each input; without a path it takes rows and writes none."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = path
        self._file: Any = None
        self._rows: Any = None

    def __enter__(self) -> Self:
        if self._path is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            handle = os.open(self._path, flags, OWNER_ONLY)
            if hasattr(os, "fchmod"):
                os.fchmod(handle, OWNER_ONLY)
            self._file = open(handle, "a", encoding="utf-8", newline="")
            self._rows = csv.writer(self._file)
            if not os.fstat(handle).st_size:
                names = [f"{age}_{name}" for name in Identity._fields for age in ("old", "new")]
                self._rows.writerow(["input", "result", "output", *names])
        return self

    def write(self, done: Done, old: Identity | None, new: Identity | None) -> None:
        """A row for an input."""
        if self._rows is None:
            return
        pairs = zip(old, new, strict=True) if old is not None and new is not None else ()
        self._rows.writerow([done.source, done.result, done.output, *(one for pair in pairs for one in pair)])

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
