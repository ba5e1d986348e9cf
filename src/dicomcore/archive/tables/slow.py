"""Reading a batch from storage that answers slowly, such as a network's: many requests at a time, on more threads."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from time import perf_counter

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.sources.place import Place
from dicomcore.threads import cpus, run_over

with needs_extra("pyarrow"):
    import pyarrow as pa

__all__ = ["unless_slow"]

REQUESTS = 32
"""Requests that wait for storage at a time, those of all threads together."""
SLOW = 0.5e-3
"""Seconds that looking up and opening a file takes on slow storage: a page cache takes a fiftieth of them."""
ASKED = 3  # files of a batch that are timed
FEWEST = 8  # files for which more threads are worth their start

Read = Callable[[list[str]], pa.RecordBatch]


def unless_slow(read: Read) -> Read:
    """`read` for batches of paths; a batch on slow storage is read in shares, on as many threads.

    How long storage takes is measured for each batch by the fastest of a few files, as any of them may have waited for
    a processor.
    """

    def read_any(paths: list[str]) -> pa.RecordBatch:
        return _in_shares(read, paths) if len(paths) >= FEWEST and _seconds(paths) > SLOW else read(paths)

    return read_any


def _in_shares(read: Read, paths: list[str]) -> pa.RecordBatch:
    threads = max(REQUESTS // cpus(), 2)  # as many processors read batches at the same time
    size = -(-len(paths) // threads)
    shares = [paths[start : start + size] for start in range(0, len(paths), size)]
    found: list[pa.RecordBatch | None] = [None] * len(shares)

    def work(position: int, share: list[str]) -> None:
        found[position] = read(share)

    run_over(shares, work, len(shares))
    (whole,) = pa.Table.from_batches(found).combine_chunks().to_batches() or [found[0]]
    return whole


def _seconds(paths: list[str]) -> float:
    """The least time that it took to look up and open one of a few files; 0 if none is a plain local file."""
    times = [_time_of(path) for path in paths[:: -(-len(paths) // ASKED)] if not isinstance(path, Place)]
    return min(times, default=0.0)


def _time_of(path: str) -> float:
    begun = perf_counter()
    try:
        if stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for its writer
            os.close(os.open(path, os.O_RDONLY))
    except (OSError, ValueError):
        pass
    return perf_counter() - begun
