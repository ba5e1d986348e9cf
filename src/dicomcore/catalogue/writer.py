"""The writer of a live catalogue: one thread that takes what is to be written, and commits it in groups."""

from __future__ import annotations

import errno
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from time import sleep
from typing import Any, Protocol

from dicomcore.errors import DicomError
from dicomcore.files import synchronise

__all__ = ["Task", "Work", "Writer"]

GROUP = 256  # tasks that are committed together
WAIT = 0.001  # seconds that the first of a group waits for others
SYNCHRONISERS = 8  # files that are synchronised at once


class Task(Protocol):
    """Something to write. Its methods are called in this order, by the writer's thread.

    A DicomError or an OSError of `prepare` or `work` fails this task alone, an sqlite3.Error of `work` all that share
    its transaction.
    """

    files: tuple[str, ...]
    """Files whose bytes have to be on the disk first, if the catalogue is durable."""

    def prepare(self) -> None:
        """Read what is needed."""

    def work(self) -> Any:
        """Write, in a transaction that others share; returns the result."""

    def undo(self) -> None:
        """The transaction has failed: undo what is outside the database."""

    def settle(self, result: Any) -> None:
        """The transaction is on the disk."""


class Work:
    """A task that is a function."""

    files: tuple[str, ...] = ()

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def prepare(self) -> None:
        """Nothing."""

    def work(self) -> Any:
        """Call the function."""
        return self._function()

    def undo(self) -> None:
        """Nothing."""

    def settle(self, result: Any) -> None:
        """Nothing."""


class Writer:
    """The thread that writes.

    Parameters
    ----------
    connection : sqlite3.Connection
        The writer's own.
    durability : {"none", "group", "each"}
        Whether tasks wait for the disk, and whether together.
    begin, before_commit, failed : callable
        Called when a transaction begins, when its tasks are done (for the folders that have to be on the disk), and
        when it is undone.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        durability: str,
        begin: Callable[[], None],
        before_commit: Callable[[], Iterable[str]],
        failed: Callable[[], None],
    ) -> None:
        self._connection, self._begin = connection, begin
        self._before_commit, self._failed = before_commit, failed
        self._most = 1 if durability == "each" else GROUP
        self._queue: queue.SimpleQueue[tuple[Task, Future[Any]] | None] = queue.SimpleQueue()
        is_durable = durability != "none"
        self._pool = ThreadPoolExecutor(SYNCHRONISERS, thread_name_prefix="dicomcore-disk") if is_durable else None
        self._thread = threading.Thread(target=self._run, name="dicomcore-catalogue", daemon=True)
        self._thread.start()

    def put(self, task: Task) -> Future[Any]:
        """Have a task done; the future has its result when it is on the disk."""
        future: Future[Any] = Future()
        self._queue.put((task, future))
        return future

    def close(self) -> None:
        """Write what waits, and end."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        if self._pool is not None:
            self._pool.shutdown()

    def _run(self) -> None:
        size = 1  # of the group before
        while True:
            first = self._queue.get()
            if first is None:
                return
            if size > 1:
                sleep(WAIT)  # others follow, as they did before; one who waits for each answer is not kept waiting
            group, is_last = [first], False
            while len(group) < self._most and not self._queue.empty():
                following = self._queue.get()  # this thread alone takes
                if following is None:
                    is_last = True
                    break
                group.append(following)
            size = len(group)
            self._commit(group)
            if is_last:
                return

    def _commit(self, group: list[tuple[Task, Future[Any]]]) -> None:
        ready = []
        for task, future in group:
            try:
                task.prepare()
                ready.append((task, future))
            except (DicomError, OSError, sqlite3.Error) as error:
                future.set_exception(error)
        ready = self._synchronised(ready)
        done: list[tuple[Task, Future[Any], Any]] = []
        try:
            with self._connection:
                self._begin()
                for task, future in ready:
                    try:
                        done.append((task, future, task.work()))
                    except (DicomError, OSError) as error:
                        task.undo()
                        future.set_exception(error)
                self._synchronise_folders(self._before_commit())
        except Exception as error:  # the disk is full: none of the group is there
            self._failed()
            for task, future in ready:
                if not future.done():
                    task.undo()
                    future.set_exception(error)
            return
        for task, future, result in done:
            with suppress(OSError, sqlite3.Error):
                task.settle(result)
            future.set_result(result)

    def _synchronised(self, tasks: list[tuple[Task, Future[Any]]]) -> list[tuple[Task, Future[Any]]]:
        """The tasks whose files are on the disk."""
        if self._pool is None or not any(task.files for task, _ in tasks):
            return tasks
        ready = []
        shares = [tasks[start::SYNCHRONISERS] for start in range(min(SYNCHRONISERS, len(tasks)))]
        failures = {id(task): failure for some in self._pool.map(_synchronise, shares) for task, failure in some}
        for task, future in tasks:
            failure = failures[id(task)]
            if failure is None:
                ready.append((task, future))
            else:
                task.undo()
                future.set_exception(failure)
        return ready

    def _synchronise_folders(self, folders: Iterable[str]) -> None:
        if self._pool is None:
            return
        for failure in self._pool.map(_folder_failure, folders):
            if failure is not None and failure.errno not in (errno.EINVAL, errno.EACCES, errno.ENOENT):
                raise failure  # some systems cannot synchronise a folder


def _synchronise(tasks: list[tuple[Task, Future[Any]]]) -> list[tuple[Task, OSError | None]]:
    done: list[tuple[Task, OSError | None]] = []
    for task, _ in tasks:
        try:
            for path in task.files:
                synchronise(path)
            done.append((task, None))
        except OSError as error:
            done.append((task, error))
    return done


def _folder_failure(folder: str) -> OSError | None:
    if os.name != "posix":
        return None
    try:
        synchronise(folder)
    except OSError as error:
        return error
    return None
