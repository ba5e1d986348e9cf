"""Rows of earlier runs, which are reused for files that have not changed since, without reading these."""

from __future__ import annotations

import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dicomcore._native.bulk.digest import digest_texts
from dicomcore._native.bulk.stat import ABSENT, OTHER, survey
from dicomcore.archive.sources.place import Fault, shown
from dicomcore.archive.tables.keys import Flags, Hashes, Ints, Key, Keys
from dicomcore.archive.tables.stored import Stored, open_stored
from dicomcore.archive.tables.table import ERROR_KIND, int_array, int_values, text_array, text_parts, valid_rows

__all__ = ["NO_ROW", "Found", "Previous", "row_counts"]

CACHED_GROUPS = 2  # decoded row groups in memory: few are enough, as both runs read the files in the same order
NO_ROW = -1
NO_TAG = 0  # the hash for a missing etag
KEYS = ("size", "mtime", "etag", "error")
COUNTERS = ("frame", "finding")
"""Columns that count the rows of a file from 0 on, in tables with several rows for a file; null in its only row."""


class Found(NamedTuple):
    """For each path its first row, or NO_ROW (-1), the number of its rows, and whether its file is still the same."""

    rows: Ints
    counts: Ints
    same: Flags


class Previous:
    """Rows of stored tables, looked up by the path, size and mtime (or etag) of their files. The path is in the first
    column.

    Row numbers continue from table to table; if several tables have a path, the last table's rows are used. The
    memory is 45 bytes for each file and two groups of rows, whatever the tables' size.
    """

    def __init__(self, target: str | None, parts: list[str], schema: pa.Schema) -> None:
        """Open the table at `target`, and its `parts`, which are newer. Tables that do not exist, are incomplete or
        have other columns are left out."""
        first = _open(target, schema) if target is not None else None
        tables = [table for table in (first, *(_open(part, schema) for part in parts)) if table is not None]
        self.schema = schema
        self._path = schema.names[0]
        self.first_rows = 0 if first is None or isinstance(first, _Earlier) else sum(first.sizes)
        """The number of rows that may stay where they are in the table at `target`."""
        self._tables = tables
        self._lock = threading.Lock()
        self._finding = threading.Lock()
        self._cache: OrderedDict[tuple[int, tuple[str, ...] | None], pa.Table] = OrderedDict()
        self._key = secrets.randbits(64), secrets.randbits(64)
        self._groups = [(table, group) for table in tables for group in range(len(table.sizes))]
        sizes = [size for table in tables for size in table.sizes]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        key = Key.joined(map(self._key_of, range(len(self._groups))))
        self._keys = Keys(_whole(key) if _counter(schema) is not None else key, in_order=len(tables) == 1)

    def __bool__(self) -> bool:
        """Whether there are rows."""
        return len(self._keys) > 0

    def close(self) -> None:
        """Close the files."""
        for table in self._tables:
            table.close()

    def _key_of(self, group: int) -> Key:
        """A key for each row of a group; of a file's second and further rows with 0 rows."""
        counter = _counter(self.schema)
        table = self._read(group, (self._path, *KEYS, *([counter] if counter is not None else [])))
        paths = table[self._path].combine_chunks()
        hashes = self._hash(paths)
        etags = np.full(len(hashes), NO_TAG, np.uint64)
        if table["etag"].null_count < len(etags):
            etags = np.where(valid_rows(table["etag"]), self._hash(table["etag"].combine_chunks()), etags)
        sizes, times = (int_values(table[name], OTHER) for name in ("size", "mtime"))
        if table["error"].null_count < len(hashes):  # a file that failed is read again
            failed = valid_rows(table["error"])
            sizes[failed] = times[failed] = OTHER
            etags[failed] = NO_TAG
        counts = np.ones(len(hashes), np.int32)
        if counter is not None:
            counts[int_values(table[counter], -1) > 0] = 0  # a further row of the same file
        begin = int(self._starts[group])
        return Key(hashes, sizes, times, etags, np.arange(begin, begin + len(hashes)), counts)

    def _hash(self, texts: pa.Array) -> Hashes:
        out = np.empty(len(texts), np.uint64)
        digest_texts(*text_parts(texts), out, *self._key)
        return out

    def find(self, paths: list[str]) -> Found:
        """Look up the rows of these paths; asks for the files' size and mtime, but opens none."""
        hashes = np.zeros(len(paths), np.uint64)
        facts = np.empty((2, len(paths)), np.int64)
        survey(paths, hashes, facts[0], facts[1], *self._key)
        etags = self._look_at_others(paths, hashes, facts)
        if not self or not paths:
            return Found(np.full(len(paths), NO_ROW), np.ones(len(paths), np.int64), np.zeros(len(paths), bool))
        with self._finding:
            key, known = self._keys.find(hashes)
        same = known & (key.sizes == facts[0]) & (key.sizes != OTHER)
        unchanged = (key.times == facts[1]) & (key.times != OTHER)
        if etags is not None:
            tagged = (etags != NO_TAG) & (key.etags != NO_TAG)
            unchanged = np.where(tagged, key.etags == etags, unchanged)
        return Found(np.where(known, key.rows, NO_ROW), key.counts.astype(np.int64), same & unchanged)

    def _look_at_others(self, paths: list[str], hashes: Hashes, facts: Ints) -> Hashes | None:
        """Fill in the files that the native loop left out; returns the hashes of etags if it left out any file."""
        others = np.flatnonzero(facts[0] == OTHER).tolist()
        if not others:
            return None
        etags = np.full(len(paths), NO_TAG, np.uint64)
        hashes[others] = self._hash(text_array([shown(paths[i]) for i in others]))
        for i in others:
            size, mtime, etag = _facts(paths[i])
            facts[:, i] = size, mtime
            if etag is not None:
                etags[i] = self._hash(text_array([etag]))[0]
        return etags

    def take(self, rows: Ints) -> pa.Table:
        """The rows with these numbers."""
        groups = np.searchsorted(self._starts, rows, side="right") - 1
        cuts = np.flatnonzero(np.diff(groups)) + 1
        parts = []
        for part in np.split(rows, cuts) if len(rows) else []:
            group = int(np.searchsorted(self._starts, part[0], side="right") - 1)
            parts.append(_take(self._group(group, None), part - self._starts[group]))
        return pa.concat_tables(parts) if parts else self.schema.empty_table()

    def rows(self, first: int, count: int, columns: tuple[str, ...] | None = None) -> pa.Table:
        """`count` rows from `first` on, with all columns or only these."""
        parts = []
        while count:
            group = int(np.searchsorted(self._starts, first, side="right") - 1)
            parts.append(self._group(group, columns).slice(first - int(self._starts[group]), count))
            first += len(parts[-1])
            count -= len(parts[-1])
        return pa.concat_tables(parts) if parts else self.schema.empty_table()

    def gone(self) -> Iterator[str]:
        """The paths that no call of `find` contained, in the order of their rows."""
        rows = self._keys.unseen()
        for group in np.unique(np.searchsorted(self._starts, rows, side="right") - 1).tolist():
            begin, end = self._starts[group], self._starts[group + 1]
            inside = rows[(rows >= begin) & (rows < end)] - begin
            yield from self._read(group, (self._path,))[self._path].take(int_array(inside)).to_pylist()

    def _group(self, group: int, columns: tuple[str, ...] | None) -> pa.Table:
        with self._lock:
            if (group, columns) not in self._cache:
                self._cache[group, columns] = self._load(group, columns)
            self._cache.move_to_end((group, columns))
            while len(self._cache) > CACHED_GROUPS:
                self._cache.popitem(last=False)
            return self._cache[group, columns]

    def _read(self, group: int, columns: Sequence[str]) -> pa.Table:
        with self._lock:
            return self._load(group, columns)

    def _load(self, group: int, columns: Sequence[str] | None) -> pa.Table:
        table, inside = self._groups[group]
        return table.read(inside, self.schema.names if columns is None else columns)


def row_counts(table: pa.Table | pa.RecordBatch) -> Ints:
    """The number of rows of each file, in order: 1, unless the table has a row for each frame or finding."""
    counter = _counter(table.schema)
    if counter is None:
        return np.ones(len(table), np.int64)
    begins = np.flatnonzero(int_values(table[counter], -1) <= 0)
    return np.diff(np.append(begins, len(table)))


def _counter(schema: pa.Schema) -> str | None:
    """The column that counts the rows of a file, if there may be several."""
    return next((name for name in COUNTERS if name in schema.names), None)


def _whole(key: Key) -> Key:
    """A key for each file, from a key for each row."""
    begins = np.flatnonzero(key.counts)
    counts = np.diff(np.append(begins, len(key.counts))).astype(np.int32)
    return key.at(begins)._replace(counts=counts)


class _Earlier:
    """A table from a version without the column `error_kind`. Files that failed are read again, so the column is null
    in every row that is reused."""

    def __init__(self, table: Stored) -> None:
        self._table = table
        self.schema = table.schema.append(ERROR_KIND)
        self.sizes = table.sizes

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        names = self.schema.names if columns is None else columns
        rows = self._table.read(group, [name for name in names if name != ERROR_KIND.name])
        if ERROR_KIND.name not in names:
            return rows
        return rows.append_column(ERROR_KIND, pa.nulls(len(rows), ERROR_KIND.type)).select(names)

    def close(self) -> None:
        self._table.close()


def _open(path: str, schema: pa.Schema) -> Stored | None:
    """The table at `path` if it has these columns; it may also have columns that are added to the finished table."""
    table = open_stored(path)
    if table is None:
        return None
    if ERROR_KIND.name not in table.schema.names:
        table = _Earlier(table)
    names = set(schema.names)
    if table.schema.metadata == schema.metadata and _fields(table.schema, names) == _fields(schema, names):
        return table
    table.close()
    return None


def _fields(schema: pa.Schema, names: set[str]) -> list[tuple[str, pa.DataType, bytes | None]]:
    """The properties of fields that must be equal; the rest may differ, as Parquet adds metadata of its own."""
    fields = (schema.field(name) for name in schema.names if name in names)
    return [(field.name, field.type, (field.metadata or {}).get(b"algorithm")) for field in fields]


def _take(table: pa.Table, rows: Ints) -> pa.Table:
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        return table.slice(rows[0], len(rows))
    return table.take(int_array(rows))


def _facts(path: str) -> tuple[int, int, str | None]:
    """Size, mtime (µs) and etag, as tables have them, of a Place or of a path that is not UTF-8."""
    if isinstance(path, Fault):
        return ABSENT, ABSENT, None
    if type(path) is not str:
        size, mtime = (getattr(path, name, None) for name in ("size", "mtime"))
        return (ABSENT if size is None else size), (ABSENT if mtime is None else mtime), getattr(path, "etag", None)
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return ABSENT, ABSENT, None
    return facts.st_size, facts.st_mtime_ns // 1000, None
