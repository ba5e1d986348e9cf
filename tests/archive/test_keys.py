"""Keys of an earlier table: batches in the table's order, in any other order, and paths that occur twice."""

from __future__ import annotations

import numpy as np
import pytest

from dicomcore.archive.tables.keys import NEAR, Key, Keys


def keys_of(hashes, in_order=True):
    count = len(hashes)
    numbers = np.arange(count)
    tags = np.zeros(count, np.uint64)
    return Keys(
        Key(np.array(hashes, np.uint64), numbers, numbers, tags, numbers, np.ones(count, np.int32)), in_order=in_order
    )


BATCHES = {  # name: (hashes of the table, batches of hashes, rows found, rows unseen)
    "as in the table": ([5, 3, 9, 1], [[5, 3], [9, 1]], [[0, 1], [2, 3]], []),
    "the end is gone": ([5, 3, 9, 1], [[5, 3]], [[0, 1]], [2, 3]),
    "the beginning is gone": ([5, 3, 9, 1], [[9, 1]], [[2, 3]], [0, 1]),
    "one is new": ([5, 3, 9, 1], [[5, 4, 3], [9, 1]], [[0, -1, 1], [2, 3]], []),
    "one is new behind the end": ([5, 3], [[5, 3, 7]], [[0, 1, -1]], []),
    "batches in another order": ([5, 3, 9, 1], [[9, 1], [5, 3]], [[2, 3], [0, 1]], []),
    "order within a batch": ([5, 3, 9, 1], [[5, 3], [1, 9]], [[0, 1], [3, 2]], []),
    "twice in the table, as it is": ([5, 3, 5, 1], [[5, 3], [5, 1]], [[0, 1], [2, 3]], []),
    "twice in the table, once now": ([5, 3, 5, 1], [[5, 3]], [[0, 1]], [3]),
    "twice in the table, sorted": ([5, 3, 5, 1], [[1, 5]], [[3, 2]], [1]),
    "one file": ([5], [[5]], [[0]], []),
}


@pytest.mark.parametrize(("hashes", "batches", "rows", "unseen"), BATCHES.values(), ids=BATCHES)
def test_rows_are_found(hashes, batches, rows, unseen):
    keys = keys_of(hashes)
    for batch, wanted in zip(batches, rows, strict=True):
        key, known = keys.find(np.array(batch, np.uint64))
        assert np.where(known, key.rows, -1).tolist() == wanted
    assert keys.unseen().tolist() == unseen


def test_of_tables_in_several_files_the_last_row_counts():
    keys = keys_of([5, 3, 5], in_order=False)
    key, known = keys.find(np.array([5, 3], np.uint64))
    assert known.all()
    assert key.rows.tolist() == [2, 1]


def test_a_batch_far_from_the_last_one_is_found():
    count = 3 * NEAR
    keys = keys_of(range(1, count + 1))
    for begin in (0, 2 * NEAR, 10):
        key, known = keys.find(np.arange(begin + 1, begin + 101, dtype=np.uint64))
        assert known.all()
        assert key.rows.tolist() == list(range(begin, begin + 100))
    assert len(keys.unseen()) == count - 210
