"""How batches are spread over threads: the bulk loop runs without the GIL."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["AHEAD", "default_workers", "run_threads"]

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 3  # tasks a worker that are begun or done but not yet taken: what bounds the memory


def default_workers() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_threads(
    task: Callable[[T], R], inputs: Iterable[T], workers: int, *, ahead: int = AHEAD
) -> Generator[R, None, None]:
    """``task(one)`` of each input, in their order, `workers` at a time. Inputs are taken no sooner than needed: no more
    than `ahead` a worker. Closing it waits for the tasks that were begun: close it before what they wait for."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="dicomcore-index")
    pending: deque[Future[R]] = deque()
    try:
        for one in inputs:
            pending.append(pool.submit(task, one))
            if len(pending) >= ahead * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
