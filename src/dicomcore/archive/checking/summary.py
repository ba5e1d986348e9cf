"""What the rows of a table of findings come to: counts by SOP class and code."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.failure import NOT_DICOM
from dicomcore.archive.tables.stored import open_stored
from dicomcore.archive.tables.table import int_array, int_values, text_array, valid_rows

with needs_extra("pyarrow"):
    import pyarrow as pa

__all__ = ["CheckTally", "Line", "check_summary"]

KEYS = ("sop_class", "iod", "severity", "code", "error_kind")
NEEDED = (*KEYS, "finding", "count", "error")
RANKS = {"error": 0, "warning": 1, "note": 2}
Key = tuple[str | None, str | None, str | None, str | None, str | None]


class Line(NamedTuple):
    """A kind of finding: in how many files it is, and how often it is in them. Without a code: files without findings;
    with an error kind: files that could not be read."""

    sop_class: str | None
    iod: str | None
    severity: str | None
    code: str | None
    error_kind: str | None
    files: int
    count: int  # type: ignore[assignment]  # a tuple has a method of that name


class CheckTally:
    """Counts over the record batches of `check`, in their order; pass its `add` as `progress`."""

    def __init__(self) -> None:
        self.files = 0
        """Files that were checked."""
        self.unclean = 0
        """Those of them with findings."""
        self.unreadable = 0
        self.not_dicom = 0
        self._files: Counter[Key] = Counter()
        self._counts: Counter[Key] = Counter()
        self._begin = perf_counter()
        self._last: set[Key] = set()  # the keys of the last file, whose findings may go on in the next batch

    def add(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Add the rows of a batch; it may begin within the findings of a file."""
        if not batch.num_rows:
            return
        finding = int_values(batch["finding"], -1)
        first = finding <= 0
        failed = valid_rows(batch["error"])
        alien = Counter(batch["error_kind"].drop_null().to_pylist())[NOT_DICOM]
        self.not_dicom += alien
        self.unreadable += int(failed.sum()) - alien
        self.files += int((first & ~failed).sum())
        self.unclean += int((finding == 0).sum())
        numbers = np.cumsum(first, dtype=np.int64)
        rows = pa.table({**{name: batch[name] for name in (*KEYS, "count")}, "file": int_array(numbers)})
        for row in rows.group_by(list(KEYS)).aggregate([("count", "sum"), ("file", "count_distinct")]).to_pylist():
            key = _key(row)
            self._counts[key] += row["count_sum"] or 0
            self._files[key] += row["file_count_distinct"]
        if not numbers[0]:
            again = self._last & self._keys(rows, numbers == 0)
            self._files.subtract(again)
        ending = self._keys(rows, numbers == numbers[-1])
        self._last = ending if numbers[-1] else self._last | ending

    @property
    def seconds(self) -> float:
        """Seconds since the tally was created."""
        return perf_counter() - self._begin

    def _keys(self, rows: pa.Table, which: Any) -> set[Key]:
        at = np.flatnonzero(which)
        some = rows.slice(at[0], len(at)).select(list(KEYS))
        return {_key(row) for row in some.to_pylist()}

    def lines(self) -> list[Line]:
        """The counts, the gravest and most frequent kinds of findings first."""
        found = (Line(*key, files, self._counts[key]) for key, files in self._files.items() if files)
        return sorted(found, key=_order)


def _key(row: dict[str, Any]) -> Key:
    return row["sop_class"], row["iod"], row["severity"], row["code"], row["error_kind"]


def _order(line: Line) -> tuple[int, int, str, str]:
    return RANKS.get(line.severity or "", 3), -line.files, line.code or "", line.sop_class or ""


def check_summary(findings: pa.Table | str | os.PathLike[str]) -> pa.Table:
    """Count the findings of `check` by SOP class and code.

    Parameters
    ----------
    findings : pyarrow.Table or path
        The table, or the Parquet or Arrow file of one.

    Returns
    -------
    pyarrow.Table
        Columns `sop_class`, `iod`, `severity` and `code`; `files`, which have such findings; `count`, how often they
        are there; and `error_kind`. Files without findings are counted in rows without a code, those that could not be
        read in rows with an `error_kind`. The gravest findings come first, of these the most frequent.

    Raises
    ------
    ValueError
        It is no table of `check`.
    OSError
        The file can't be read.
    """
    tally = CheckTally()
    for batch in _batches(findings):
        tally.add(batch)
    lines = tally.lines()
    texts = {name: text_array([getattr(line, name) for line in lines]) for name in KEYS}
    numbers = {
        name: int_array(np.array([getattr(line, name) for line in lines], np.int64)) for name in Line._fields[5:]
    }
    error_kind = texts.pop("error_kind")
    return pa.table({**texts, **numbers, "error_kind": error_kind})


def _batches(findings: pa.Table | str | os.PathLike[str]) -> Iterator[pa.Table | pa.RecordBatch]:
    if isinstance(findings, pa.Table):
        _refuse_others(findings.schema, "the table")
        yield from findings.to_batches()
        return
    path = os.fsdecode(findings)
    os.stat(path)
    table = open_stored(path)
    if table is None:
        raise ValueError(f"{path} is neither a Parquet nor an Arrow file")
    try:
        _refuse_others(table.schema, path)
        for group in range(len(table.sizes)):
            yield table.read(group, NEEDED)
    finally:
        table.close()


def _refuse_others(schema: pa.Schema, name: str) -> None:
    if not set(NEEDED) <= set(schema.names):
        raise ValueError(f"{name} has no findings: dicomcore.archive.check makes such a table")
