"""Work on several threads: the caller's own, and helpers that stay awake for the next call."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

__all__ = ["Room", "cpus", "hand_out", "run_over"]

Item = TypeVar("Item")

MOST_HELPERS = 256
"""Helpers are started when all others are at work, up to so many."""


def cpus() -> int:
    """CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Room:
    """Room for so many at once; who waits for it gets it in turn.

    A place that is left goes to the thread that has waited longest: where it is merely free, as with a semaphore or a
    queue, the thread that leaves it takes it again before the one that waits wakes up, for minutes on end.
    """

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()
        except BaseException:  # Ctrl-C
            self._withdraw(turn)
            raise

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _withdraw(self, turn: threading.Lock) -> None:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self.__exit__()  # its turn had come


class _Helpers:
    """Threads that wait for work: starting one takes longer than decoding many a frame does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._dismiss, after_in_child=self._forget)

    def submit(self, work: Callable[[], object]) -> Future[object]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(MOST_HELPERS, thread_name_prefix="dicomcore-pixels")
            return self._pool.submit(work)

    def _dismiss(self) -> None:
        """Send the threads home before a fork, which copies none of them, but every lock that one may hold."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._pool = None


_HELPERS = _Helpers()


def hand_out(work: Callable[[], object]) -> Callable[[], None]:
    """Let another thread do `work`; returns what waits until it is done, and raises what it raised.

    Where no thread came to it by then it is taken back and never begun: who hands out work has to be able to do without
    help. So work that hands out more of it can't lock up.
    """
    try:
        job = _HELPERS.submit(work)
    except RuntimeError:  # no more threads to be had, or the interpreter is going down
        return lambda: None

    def wait() -> None:
        if not job.cancel():
            job.result()

    return wait


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

    waits = [hand_out(drain) for _ in range(threads - 1)]
    with ExitStack() as after:  # waits for all, whichever raise
        for wait in waits:
            after.callback(wait)
        drain()
