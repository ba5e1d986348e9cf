"""The engine `threads`, which spreads batches over threads: the bulk loop runs without the GIL."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["AHEAD", "default_workers", "run_threads"]

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 3  # tasks for each worker that are submitted but whose results are not taken yet; this bounds the memory


def default_workers() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_threads(
    task: Callable[[T], R], inputs: Iterable[T], workers: int, *, ahead: int = AHEAD
) -> Generator[R, None, None]:
    """Run ``task(value)`` for each input on `workers` threads, and yield the results in the order of the inputs.

    Inputs are taken only as they are needed: at most `ahead` tasks for each worker are submitted and not yet yielded.
    Closing the generator waits for the running tasks, so close it before anything that the tasks wait for.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="dicomcore-index")
    pending: deque[Future[R]] = deque()
    try:
        for value in inputs:
            pending.append(pool.submit(task, value))
            if len(pending) >= ahead * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
