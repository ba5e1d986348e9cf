"""Earlier runs' rows: those of files that have not changed since, to be taken over unread."""

from __future__ import annotations

import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dicomcore._native.bulk.digest import digest_texts
from dicomcore._native.bulk.stat import ABSENT, OTHER, survey
from dicomcore.archive.sources.place import Fault, shown
from dicomcore.archive.tables.stored import Stored, open_stored
from dicomcore.archive.tables.table import ERROR_KIND, int_array, int_values, text_array, text_parts, valid_rows

__all__ = ["NO_ROW", "Found", "Previous", "row_counts"]

HELD_GROUPS = 2  # decoded at a time: both runs go through the files in the same order
NO_ROW = -1
NO_TAG = 0  # the hash of an etag that there is none of
KEYS = ("path", "size", "mtime", "etag", "error")
Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]
KEY = np.dtype([("hash", "u8"), ("facts", "i8", 2), ("etag", "u8"), ("row", "i8"), ("rows", "i4")])
"""One file: hash of the path, size and mtime, hash of the etag, its first row and the number of them."""


class Found(NamedTuple):
    """Of each path its first row, NO_ROW (-1) where there is none, and whether its file is as it was then."""

    rows: Ints
    same: Flags


class Previous:
    """Rows of stored tables, found by the path, size and mtime (or etag) of the files that they are of.

    Rows count on from table to table; of a path in several the last table's count. What is held is 45 bytes a file
    and two groups of rows, whatever the tables' size.
    """

    def __init__(self, target: str | None, parts: list[str], schema: pa.Schema) -> None:
        """Of the table at `target`, and of `parts` that are newer; those that are not there, not whole or of other
        columns are left out."""
        first = _open(target, schema) if target is not None else None
        tables = [table for table in (first, *(_open(part, schema) for part in parts)) if table is not None]
        self.schema = schema
        self.first_rows = 0 if first is None or isinstance(first, _Earlier) else sum(first.sizes)
        """How many rows may stay where they are in the table at `target`."""
        self._tables = tables
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[int, tuple[str, ...] | None], pa.Table] = OrderedDict()
        self._key = secrets.randbits(64), secrets.randbits(64)
        self._groups = [(table, group) for table in tables for group in range(len(table.sizes))]
        sizes = [size for table in tables for size in table.sizes]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        keys = np.concatenate([np.empty(0, KEY), *map(self._keys, range(len(self._groups)))])
        if "frame" in schema.names:
            keys = _joined(keys)
        keys = keys[np.argsort(keys["hash"], kind="stable")]
        last = np.ones(len(keys), bool)
        last[:-1] = keys["hash"][1:] != keys["hash"][:-1]
        # Apart from each other, where a search finds them faster.
        self._hashes, self._facts, self._etags, self._rows, self._counts = (
            np.ascontiguousarray(keys[name][last]) for name in ("hash", "facts", "etag", "row", "rows")
        )
        self._seen = np.zeros(len(self._hashes), bool)

    def __bool__(self) -> bool:
        """Whether there are rows."""
        return len(self._hashes) > 0

    def close(self) -> None:
        """Let go of the files."""
        for table in self._tables:
            table.close()

    def _keys(self, group: int) -> NDArray[Any]:
        """A KEY of each file in a group."""
        table = self._read(group, KEYS + (("frame",) if "frame" in self.schema.names else ()))
        paths = table["path"].combine_chunks()
        hashes = self._hash(paths)
        etags = np.full(len(hashes), NO_TAG, np.uint64)
        if table["etag"].null_count < len(etags):
            etags = np.where(valid_rows(table["etag"]), self._hash(table["etag"].combine_chunks()), etags)
        facts = np.stack([int_values(table[name], OTHER) for name in ("size", "mtime")], axis=1)
        failed = valid_rows(table["error"])  # is tried again
        facts[failed] = OTHER
        etags[failed] = NO_TAG
        keys = np.empty(len(hashes), KEY)
        keys["hash"], keys["facts"], keys["etag"] = hashes, facts, etags
        keys["row"] = np.arange(len(hashes)) + self._starts[group]
        keys["rows"] = 1
        if "frame" in table.schema.names:
            keys["rows"][_frames(table) > 0] = 0  # of the file before
        return keys

    def _hash(self, texts: pa.Array) -> Hashes:
        out = np.empty(len(texts), np.uint64)
        digest_texts(*text_parts(texts), out, *self._key)
        return out

    def find(self, paths: list[str]) -> Found:
        """What is known of these paths; looks at the files, but opens none."""
        hashes = np.zeros(len(paths), np.uint64)
        facts = np.empty((2, len(paths)), np.int64)
        survey(paths, hashes, facts[0], facts[1], *self._key)
        etags = self._look_at_others(paths, hashes, facts)
        found = np.full(len(paths), NO_ROW, np.int64)
        if not self:
            return Found(found, np.zeros(len(paths), bool))
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        known = self._hashes[at] == hashes
        self._seen[at[known]] = True
        found[known] = self._rows[at[known]]
        size, mtime = self._facts[at].T
        same = known & (size == facts[0]) & (size != OTHER)
        unchanged = (mtime == facts[1]) & (mtime != OTHER)
        if etags is not None:
            tagged = (etags != NO_TAG) & (self._etags[at] != NO_TAG)
            unchanged = np.where(tagged, self._etags[at] == etags, unchanged)
        return Found(found, same & unchanged)

    def _look_at_others(self, paths: list[str], hashes: Hashes, facts: Ints) -> Hashes | None:
        """Fill in what the native loop left out; the hashes of etags, where there are any."""
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

    def counts(self, rows: Ints) -> Ints:
        """How many rows there are of each file whose first row is given."""
        if "frame" not in self.schema.names:
            return np.ones(len(rows), np.int64)
        order = np.argsort(self._rows)
        return self._counts[order[np.searchsorted(self._rows[order], rows)]].astype(np.int64)

    def take(self, rows: Ints) -> pa.Table:
        """These rows."""
        groups = np.searchsorted(self._starts, rows, side="right") - 1
        cuts = np.flatnonzero(np.diff(groups)) + 1
        parts = []
        for part in np.split(rows, cuts) if len(rows) else []:
            group = int(np.searchsorted(self._starts, part[0], side="right") - 1)
            parts.append(_take(self._group(group, None), part - self._starts[group]))
        return pa.concat_tables(parts) if parts else self.schema.empty_table()

    def rows(self, first: int, count: int, columns: tuple[str, ...] | None = None) -> pa.Table:
        """`count` rows from `first` on, of all columns or of these alone."""
        parts = []
        while count:
            group = int(np.searchsorted(self._starts, first, side="right") - 1)
            parts.append(self._group(group, columns).slice(first - int(self._starts[group]), count))
            first += len(parts[-1])
            count -= len(parts[-1])
        return pa.concat_tables(parts) if parts else self.schema.empty_table()

    def gone(self) -> Iterator[str]:
        """Paths that no call of `find` asked for, in the order of their rows."""
        rows = np.sort(self._rows[~self._seen])
        for group in np.unique(np.searchsorted(self._starts, rows, side="right") - 1).tolist():
            begin, end = self._starts[group], self._starts[group + 1]
            inside = rows[(rows >= begin) & (rows < end)] - begin
            yield from self._read(group, ("path",))["path"].take(int_array(inside)).to_pylist()

    def _group(self, group: int, columns: tuple[str, ...] | None) -> pa.Table:
        with self._lock:
            if (group, columns) not in self._held:
                self._held[group, columns] = self._load(group, columns)
            self._held.move_to_end((group, columns))
            while len(self._held) > HELD_GROUPS:
                self._held.popitem(last=False)
            return self._held[group, columns]

    def _read(self, group: int, columns: Sequence[str]) -> pa.Table:
        with self._lock:
            return self._load(group, columns)

    def _load(self, group: int, columns: Sequence[str] | None) -> pa.Table:
        table, inside = self._groups[group]
        return table.read(inside, self.schema.names if columns is None else columns)


def row_counts(table: pa.Table | pa.RecordBatch) -> Ints:
    """How many rows each file has, one after the other: 1, but where a file has a row a frame."""
    if "frame" not in table.schema.names:
        return np.ones(len(table), np.int64)
    begins = np.flatnonzero(_frames(table) <= 0)
    return np.diff(np.append(begins, len(table)))


def _frames(table: pa.Table | pa.RecordBatch) -> Ints:
    """The frame of each row, from 0; -1 for a row that is a whole file's."""
    return int_values(table["frame"], -1)


def _joined(keys: NDArray[Any]) -> NDArray[Any]:
    """A key a file, from one a row."""
    begins = np.flatnonzero(keys["rows"])
    whole = keys[begins]
    whole["rows"] = np.diff(np.append(begins, len(keys)))
    return whole


class _Earlier:
    """A table of a version that had no column `error_kind`. Files that failed are read again, so that it is null in
    every row that is taken over."""

    def __init__(self, table: Stored) -> None:
        self._table = table
        self.schema = table.schema.append(ERROR_KIND)
        self.sizes = table.sizes

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        names = self.schema.names if columns is None else columns
        found = self._table.read(group, [name for name in names if name != ERROR_KIND.name])
        if ERROR_KIND.name not in names:
            return found
        return found.append_column(ERROR_KIND, pa.nulls(len(found), ERROR_KIND.type)).select(names)

    def close(self) -> None:
        self._table.close()


def _open(path: str, schema: pa.Schema) -> Stored | None:
    """The table at `path`, if it has these columns, perhaps among what was added for the table as a whole."""
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
    """What has to be the same: Parquet adds metadata of its own."""
    found = (schema.field(name) for name in schema.names if name in names)
    return [(field.name, field.type, (field.metadata or {}).get(b"algorithm")) for field in found]


def _take(table: pa.Table, rows: Ints) -> pa.Table:
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
        return table.slice(rows[0], len(rows))
    return table.take(int_array(rows))


def _facts(path: str) -> tuple[int, int, str | None]:
    """Size, mtime in µs as the table has them, and etag, of what is no plain path or none in UTF-8."""
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
