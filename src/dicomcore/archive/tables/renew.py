"""A batch of a run that an earlier one has left rows for: read what is new or changed, take over the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dicomcore.archive.spread import spread
from dicomcore.archive.tables.previous import NO_ROW, Ints, Previous, row_counts
from dicomcore.archive.tables.table import int_array

__all__ = ["Kept", "Renewal"]

Read = Callable[[int, list[str]], pa.RecordBatch]


class Kept(NamedTuple):
    """A batch all of whose rows stand one after the other in the earlier table, and are the same still."""

    first: int
    rows: int


class Renewal:
    """What is done with each batch. `read` gives the rows of files, and keeps them as the part of a batch by its
    number. `lazy`: rows that stand in the earlier table as they are come as `Kept`, so that a table that nothing
    changes in is never even decoded."""

    def __init__(self, read: Read, previous: Previous, *, lazy: bool = True) -> None:
        self.lazy = lazy
        self._read = read
        self._previous = previous

    def __call__(self, numbered: tuple[int, list[str]]) -> Kept | pa.RecordBatch:
        number, paths = numbered
        if not self._previous:
            return self._read(number, paths)
        rows, same = self._previous.find(paths)
        counts = self._previous.counts(rows[rows != NO_ROW])
        known = len(counts) == len(rows) and self._is_stretch(rows, counts)
        stretch = Kept(int(rows[0]), int(counts.sum())) if known else None
        if same.all():
            if stretch is not None and self.lazy:
                return stretch
            return _one(self._previous.take(spread(rows, counts)))
        new = np.flatnonzero(~same)
        read = self._read(number, [paths[i] for i in new.tolist()])
        if stretch is not None and self.lazy:
            # Files that could not be read: they are tried again, and mostly fail again as they did.
            before = self._previous.take(spread(rows[new], counts[new]))
            if pa.Table.from_batches([read]).equals(before):
                return stretch
        return self._merge(rows[same], np.flatnonzero(same), read, new)

    def _is_stretch(self, rows: Ints, counts: Ints) -> bool:
        ends = rows + counts
        return bool((rows[1:] == ends[:-1]).all()) and int(ends[-1]) <= self._previous.first_rows

    def _merge(self, rows: Ints, old: Ints, read: pa.RecordBatch, new: Ints) -> pa.RecordBatch:
        """Rows taken over and rows read, in the order of the files that they are of."""
        if not len(rows):
            return read
        counts = self._previous.counts(rows)
        kept = self._previous.take(spread(rows, counts))
        both = np.concatenate([counts, row_counts(read)])
        begins = np.cumsum(both) - both
        order = np.argsort(np.concatenate([old, new]))
        joined = pa.concat_tables([kept, pa.Table.from_batches([read])])
        return _one(joined.take(int_array(spread(begins[order], both[order]))))


def _one(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)
