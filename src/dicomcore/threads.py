"""Threads: helper threads that wait for work between calls, and a fair semaphore."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

__all__ = ["FairSemaphore", "cpus", "hand_out", "in_order", "run_over"]

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_HELPERS = 256
"""A new helper thread is started when all others are busy, up to this number."""


def cpus() -> int:
    """Number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class FairSemaphore:
    """A semaphore whose waiting threads get their turn in the order in which they came.

    A released place goes to the thread that has waited longest. With `threading.Semaphore` or a queue the place is
    merely free: the thread that released it takes it again before a waiting thread wakes up, for minutes on end.
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
    """Threads that wait for work, since starting a thread takes longer than decoding a small frame."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._dismiss, after_in_child=self._forget)

    def submit(self, work: Callable[[], object]) -> Future[object]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(MOST_HELPERS, thread_name_prefix="dicomcore")
            return self._pool.submit(work)

    def _dismiss(self) -> None:
        """End the threads before a fork: it copies none of them, but every lock that one of them may hold."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._pool = None


_HELPERS = _Helpers()


def hand_out(work: Callable[[], object]) -> Callable[[], None]:
    """Offer `work` to a helper thread; return a function that waits for its end and raises what it raised.

    Work that no helper has begun when the caller waits is withdrawn and never run, so the caller must be able to do it
    without help. Therefore work that hands out more work cannot deadlock.
    """
    try:
        job = _HELPERS.submit(work)
    except RuntimeError:  # the system gives no more threads, or the interpreter is shutting down
        return lambda: None

    def wait() -> None:
        if not job.cancel():
            job.result()

    return wait


def in_order(
    items: Iterable[Item], work: Callable[[Item], Result], threads: int, *, ahead: int = 2, overlapped: bool = False
) -> Generator[Result, None, None]:
    """Yield ``work(item)`` for each item, in the order of the items, computed on `threads` threads.

    Items are taken no sooner than needed: at most `ahead` items per thread are begun and not yet yielded, which bounds
    the memory. With fewer than two threads the caller's own does the work, unless `overlapped`: then another thread
    works while the caller uses the results. The first exception ends the iteration. Closing it ends it, too, after the
    work that has begun: close it before the objects that the work uses.
    """
    if threads < 2 and not overlapped:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="dicomcore")
    begun: deque[Future[Result]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) >= ahead * threads:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def run_over(items: Sequence[Item], work: Callable[[int, Item], object], threads: int) -> None:
    """Call ``work(position, item)`` for each item; the first exception stops every thread."""
    if threads < 2:
        for position, item in enumerate(items):
            work(position, item)
        return
    pending = iter(enumerate(items))
    lock = threading.Lock()  # two threads may not advance one iterator at the same time
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
    with ExitStack() as after:  # waits for every thread, even when one raised
        for wait in waits:
            after.callback(wait)
        drain()
