"""Renewing a batch for which an earlier run has left rows: new and changed files are read, other rows are reused."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dicomcore.archive.spread import spread
from dicomcore.archive.tables.keys import Ints
from dicomcore.archive.tables.previous import NO_ROW, Previous, row_counts
from dicomcore.archive.tables.table import int_array

__all__ = ["Kept", "Renewal"]

Read = Callable[[int, list[str]], pa.RecordBatch]


class Kept(NamedTuple):
    """A batch whose rows are consecutive in the earlier table and unchanged."""

    first: int
    rows: int


class Renewal:
    """The task for each batch: reads new and changed files, and reuses the rows of the others.

    ``read(number, paths)`` reads the rows of files and stores them as the part of batch `number`. With `lazy`, rows
    that are unchanged in the earlier table are returned as `Kept`, so that a table without changes is never decoded.
    """

    def __init__(self, read: Read, previous: Previous, *, lazy: bool = True) -> None:
        self.lazy = lazy
        self._read = read
        self._previous = previous

    def __call__(self, numbered: tuple[int, list[str]]) -> Kept | pa.RecordBatch:
        number, paths = numbered
        if not self._previous:
            return self._read(number, paths)
        rows, counts, same = self._previous.find(paths)
        known = bool((rows != NO_ROW).all()) and self._is_run(rows, counts)
        run = Kept(int(rows[0]), int(counts.sum())) if known else None
        if same.all():
            if run is not None and self.lazy:
                return run
            return _as_batch(self._previous.take(spread(rows, counts)))
        new = np.flatnonzero(~same)
        read = self._read(number, [paths[i] for i in new.tolist()])
        if run is not None and self.lazy:
            # Files that could not be read are read again, and mostly fail with the same error.
            before = self._previous.take(spread(rows[new], counts[new]))
            if pa.Table.from_batches([read]).equals(before):
                return run
        return self._merge(rows[same], counts[same], np.flatnonzero(same), read, new)

    def _is_run(self, rows: Ints, counts: Ints) -> bool:
        ends = rows + counts
        return bool((rows[1:] == ends[:-1]).all()) and int(ends[-1]) <= self._previous.first_rows

    def _merge(self, rows: Ints, counts: Ints, old: Ints, read: pa.RecordBatch, new: Ints) -> pa.RecordBatch:
        """Merge reused rows and new rows in the order of their files."""
        if not len(rows):
            return read
        kept = self._previous.take(spread(rows, counts))
        both = np.concatenate([counts, row_counts(read)])
        begins = np.cumsum(both) - both
        order = np.argsort(np.concatenate([old, new]))
        joined = pa.concat_tables([kept, pa.Table.from_batches([read])])
        return _as_batch(joined.take(int_array(spread(begins[order], both[order]))))


def _as_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)
