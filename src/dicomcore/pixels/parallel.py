"""Frames on several threads: one queue, drawn from frame by frame."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["cpus", "run_over"]

Item = TypeVar("Item")


def cpus() -> int:
    """CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_over(items: Sequence[Item], work: Callable[[int, Item], object], threads: int) -> None:
    """Call ``work(place, item)`` for each of the items; the first that raises ends it, on every thread."""
    if threads < 2:
        for place, item in enumerate(items):
            work(place, item)
        return
    pending = iter(enumerate(items))
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
