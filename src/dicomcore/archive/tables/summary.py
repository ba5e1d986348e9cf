"""Counts over the rows of a run, which a progress bar and a summary show."""

from __future__ import annotations

import json
import re
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any

from dicomcore.archive.failure import NOT_DICOM

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ErrorLines", "Summary"]

OFFSETS = re.compile(r"byte (?!128\b|0\b)\d+")  # except 128, the offset of the DICM prefix, and 0


class Summary:
    """Counts over record batches of `index`; pass its `add` as `progress`."""

    def __init__(self) -> None:
        self.files = 0
        self.unreadable = 0
        self.not_dicom = 0
        self.deviating = 0
        self.reasons: dict[tuple[str, str], tuple[int, str]] = {}
        """By kind of failure and reason (without offsets): the number of paths without values, and the first path."""
        self.gone = 0
        self.gone_example: str | None = None
        self._begin = perf_counter()

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch."""
        self.files += batch.num_rows
        self.deviating += batch.num_rows - batch.column("issues").null_count
        errors = batch.column("error")
        if errors.null_count == batch.num_rows:
            return
        kinds = batch.column("error_kind").to_pylist()
        for row, error in enumerate(errors.to_pylist()):
            if error is not None:
                if kinds[row] == NOT_DICOM:
                    self.not_dicom += 1
                else:
                    self.unreadable += 1
                reason = kinds[row], OFFSETS.sub("byte …", error)
                count, example = self.reasons.get(reason, (0, batch.column("path")[row].as_py()))
                self.reasons[reason] = (count + 1, example)

    def add_gone(self, path: str) -> None:
        """Count a path that an earlier run's table has and the sources have no more."""
        self.gone += 1
        self.gone_example = self.gone_example or path

    @property
    def seconds(self) -> float:
        """Seconds since the summary was created."""
        return perf_counter() - self._begin

    def as_dict(self) -> dict[str, Any]:
        """The counts as a dictionary, for JSON output."""
        seconds = self.seconds
        return {
            "files": self.files,
            "read": self.files - self.unreadable - self.not_dicom,
            "unreadable": self.unreadable,
            "not_dicom": self.not_dicom,
            "with_issues": self.deviating,
            "gone": self.gone,
            "gone_example": self.gone_example,
            "seconds": round(seconds, 3),
            "files_per_second": round(self.files / seconds) if seconds else 0,
            "reasons": [
                {"kind": kind, "reason": reason, "count": count, "example": example}
                for (kind, reason), (count, example) in sorted(self.reasons.items(), key=_weight)
            ],
        }


def _weight(item: tuple[tuple[str, str], tuple[int, str]]) -> tuple[bool, int, str]:
    """A sort key that puts important reasons first: files that could not be read, then the most frequent."""
    (kind, reason), (count, _) = item
    return kind == NOT_DICOM, -count, reason


class ErrorLines:
    """Writes a line of JSON for each path without values and each path that is gone; without `file`, nothing."""

    def __init__(self, file: IO[str] | None) -> None:
        self._file = file

    def failed(self, batch: pa.RecordBatch) -> None:
        """Write a line ``{"path": …, "error": …, "kind": …}`` for each row with an error."""
        errors = batch.column("error")
        if self._file is None or errors.null_count == len(errors):
            return
        kinds = batch.column("error_kind").to_pylist()
        for row, error in enumerate(errors.to_pylist()):
            if error is not None:
                self._write({"path": batch.column("path")[row].as_py(), "error": error, "kind": kinds[row]})
        self._file.flush()

    def gone(self, path: str) -> None:
        """Write a line ``{"path": …, "gone": true}``."""
        self._write({"path": path, "gone": True})

    def _write(self, entry: dict[str, Any]) -> None:
        if self._file is not None:
            print(json.dumps(entry, ensure_ascii=False), file=self._file)
