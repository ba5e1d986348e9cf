"""An earlier run's table: the rows of files that have not changed since, to be taken over unread."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dicomcore.archive.walk import Fault, shown

__all__ = ["Previous"]

HELD_GROUPS = 2  # decoded at a time: both runs go through the files in the same order
NO_ROW = -1


class Previous:
    """Rows of the Parquet file at a path, found by the path, size and mtime that they are of.

    What is held is 32 bytes a row and two row groups, whatever the file's size.
    """

    def __init__(self, file: pq.ParquetFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._groups: OrderedDict[int, pa.Table] = OrderedDict()
        metadata = file.metadata
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        hashes, facts = [np.empty(0, np.int64)], [np.empty((0, 2), np.int64)]
        rows = [np.empty(0, np.int64)]
        for group in range(metadata.num_row_groups):
            keys = file.read_row_group(group, ["path", "size", "mtime", "error"])
            read = pc.and_(pc.is_null(keys["error"]), pc.is_valid(keys["mtime"]))  # what failed is tried again
            rows.append(np.flatnonzero(read.to_numpy()) + self._starts[group])
            keys = keys.filter(read)
            hashes.append(_hashes(keys["path"].to_pylist()))
            facts.append(np.stack([keys[name].cast(pa.int64()).to_numpy() for name in ("size", "mtime")], axis=1))
        joined = np.concatenate(hashes)
        order = np.argsort(joined, kind="stable")
        self._hashes = joined[order]
        self._facts = np.concatenate(facts)[order]
        self._rows = np.concatenate(rows)[order]

    @classmethod
    def open(cls, path: str, schema: pa.Schema) -> Self | None:
        """The table at `path`, None where there is none with this very schema."""
        try:
            file = pq.ParquetFile(path)
        except (OSError, pa.ArrowException):
            return None
        found = file.schema_arrow
        if not found.equals(schema) or found.metadata != schema.metadata:
            file.close()
            return None
        return cls(file)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def find(self, paths: list[str]) -> NDArray[np.int64]:
        """The row of each path, NO_ROW (-1) for a file that is new or has changed."""
        found = np.full(len(paths), NO_ROW, np.int64)
        if not len(self._hashes):
            return found
        facts = np.array([_facts(path) for path in paths], np.int64)
        hashes = _hashes([shown(path) for path in paths])
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        same = (self._hashes[at] == hashes) & (self._facts[at] == facts).all(axis=1)
        found[same] = self._rows[at[same]]
        return found

    def take(self, rows: NDArray[np.int64]) -> pa.Table:
        """These rows."""
        groups = np.searchsorted(self._starts, rows, side="right") - 1
        cuts = np.flatnonzero(np.diff(groups)) + 1
        parts = []
        for part in np.split(rows, cuts):
            group = int(np.searchsorted(self._starts, part[0], side="right") - 1)
            parts.append(_take(self._group(group), part - self._starts[group]))
        return pa.concat_tables(parts)

    def _group(self, group: int) -> pa.Table:
        with self._lock:
            if group not in self._groups:
                self._groups[group] = self._file.read_row_group(group)
            self._groups.move_to_end(group)
            while len(self._groups) > HELD_GROUPS:
                self._groups.popitem(last=False)
            return self._groups[group]


def _take(table: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        return table.slice(rows[0], len(rows))
    return table.take(pa.array(rows))


def _hashes(paths: list[str]) -> NDArray[np.int64]:
    return np.fromiter(map(hash, paths), np.int64, len(paths))


def _facts(path: str) -> tuple[int, int]:
    """Size and mtime in µs, as the table has them; -1 for what can't be asked."""
    if isinstance(path, Fault):
        return -1, -1
    try:
        facts = os.stat(path)
    except OSError:
        return -1, -1
    return facts.st_size, facts.st_mtime_ns // 1000
