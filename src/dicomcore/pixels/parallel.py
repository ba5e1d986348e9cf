"""Frames on several threads: one queue, drawn from frame by frame."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

__all__ = ["cpus", "run_over"]


def cpus() -> int:
    """CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_over(indices: Sequence[int], work: Callable[[int, int], object], threads: int) -> None:
    """Call ``work(place, index)`` for each of the indices; the first that raises ends it, on every thread."""
    if threads < 2:
        for place, index in enumerate(indices):
            work(place, index)
        return
    pending = iter(enumerate(indices))
    lock = threading.Lock()  # an iterator may not be drawn from by two threads at once
    stopped = threading.Event()

    def drain() -> None:
        while not stopped.is_set():
            with lock:
                drawn = next(pending, None)
            if drawn is None:
                return
            try:
                work(*drawn)
            except BaseException:
                stopped.set()
                raise

    with ThreadPoolExecutor(threads) as pool:
        for job in [pool.submit(drain) for _ in range(threads)]:
            job.result()
