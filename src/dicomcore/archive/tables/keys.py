"""The keys of an earlier table's files, by which the next run finds their rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Flags", "Hashes", "Ints", "Key", "Keys"]

NEAR = 1 << 14  # files before and behind the last ones found, among which the next batch is looked for first
Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]


class Key(NamedTuple):
    """Files by their rows: arrays of the hash of the path, size, mtime, hash of the etag, first row, number of rows."""

    hashes: Hashes
    sizes: Ints
    times: Ints
    etags: Hashes
    rows: Ints
    counts: NDArray[np.int32]

    def at(self, places: Ints | Flags | slice) -> Key:
        """The keys at these places."""
        return Key._make(field[places] for field in self)

    @classmethod
    def joined(cls, keys: Iterable[Key]) -> Key:
        """The keys of all these, in their order."""
        none = (np.empty(0, kind) for kind in (np.uint64, np.int64, np.int64, np.uint64, np.int64, np.int32))
        return cls._make(map(np.concatenate, zip(none, *keys, strict=True)))


class Keys:
    """Keys of many files, and which of them were found. One thread at a time may use it.

    If `in_order`, a batch whose files follow each other in the table, as they do in a run over the same sources, is
    found without sorting. The first other batch sorts the keys by their hash; of several keys with one hash the last
    one then stands for all.
    """

    def __init__(self, key: Key, *, in_order: bool) -> None:
        self.key = key
        self._seen = np.zeros(len(key.hashes), bool)
        self._in_order = True
        self._next = 0
        if not in_order:
            self._sort()

    def __len__(self) -> int:
        return len(self.key.hashes)

    def find(self, hashes: Hashes) -> tuple[Key, Flags]:
        """A key for each of these hashes, and whether it is the hash's; there must be at least one of both."""
        begin = self._follow(hashes) if self._in_order else None
        if begin is not None:
            run = slice(begin, begin + len(hashes))
            self._next = run.stop
            self._seen[run] = True
            return self.key.at(run), np.ones(len(hashes), bool)
        if self._in_order:
            self._sort()
        at = np.minimum(np.searchsorted(self.key.hashes, hashes), len(self) - 1)
        known = self.key.hashes[at] == hashes
        self._seen[at[known]] = True
        return self.key.at(at), known

    def unseen(self) -> Ints:
        """The first rows of the files that were not found, in ascending order."""
        if self._in_order and not self._seen.all():
            self._sort()
        return np.sort(self.key.rows[~self._seen])

    def _follow(self, hashes: Hashes) -> int | None:
        """Where these files stand in the table, if it has them one behind the other near the last ones found."""
        low = max(self._next - NEAR, 0)
        for at in (low + np.flatnonzero(self.key.hashes[low : self._next + NEAR] == hashes[0])).tolist():
            if np.array_equal(self.key.hashes[at : at + len(hashes)], hashes):
                return int(at)
        return None

    def _sort(self) -> None:
        self._in_order = False
        order = np.argsort(self.key.hashes, kind="stable")
        hashes = self.key.hashes[order]
        last = np.ones(len(order), bool)
        last[:-1] = hashes[1:] != hashes[:-1]
        first = np.flatnonzero(np.concatenate([[True], last[:-1]])) if len(order) else order
        self._seen = np.logical_or.reduceat(self._seen[order], first) if len(order) else self._seen
        self.key = self.key.at(order[last])
