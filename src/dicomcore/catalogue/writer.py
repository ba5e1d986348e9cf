"""The writer of a live catalogue: one thread that takes what is to be written, and commits it in groups."""

from __future__ import annotations

import errno
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from time import sleep
from typing import Any, NamedTuple, Protocol

from dicomcore.errors import DicomError
from dicomcore.files import synchronise

__all__ = ["Task", "Work", "Writer"]

log = logging.getLogger("dicomcore.catalogue")

GROUP = 256  # tasks that are committed together
WAIT = 0.001  # seconds that the first of a group waits for others
SYNCHRONISERS = 8  # files that are synchronised at once


class Task(Protocol):
    """Something to write. Its methods are called in this order, by the writer's thread.

    An exception of `prepare`, and a DicomError or an OSError of `work`, fails this task alone, any other of `work` all
    that share its transaction.
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


class _Job(NamedTuple):
    """Tasks whose results are told together."""

    tasks: Sequence[Task]
    done: Callable[[list[Any]], object]


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
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_closed = False
        is_durable = durability != "none"
        self._pool = ThreadPoolExecutor(SYNCHRONISERS, thread_name_prefix="dicomcore-disk") if is_durable else None
        self._thread = threading.Thread(target=self._run, name="dicomcore-catalogue", daemon=True)
        self._thread.start()

    def put(self, task: Task) -> Future[Any]:
        """Have a task done; the future has its result when it is on the disk."""
        future: Future[Any] = Future()

        def done(found: list[Any]) -> None:
            (result,) = found
            if not future.set_running_or_notify_cancel():
                return  # nobody waits any more
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

        self.put_all([task], done)
        return future

    def put_all(self, tasks: Sequence[Task], done: Callable[[list[Any]], object]) -> None:
        """Have tasks done; `done` gets the result of each, or the exception, when all are on the disk.

        It is called by the writer's thread; for a writer that is closed, at once.
        """
        with self._lock:
            is_closed = self._is_closed
            if not is_closed:
                self._queue.put(_Job(tasks, done))
        if is_closed:
            done([OSError(errno.EBADF, "the catalogue is closed") for _ in tasks])

    def close(self) -> None:
        """Write what waits, and end."""
        with self._lock:
            self._is_closed = True
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
            jobs, size, is_last = [first], len(first.tasks), False
            while size < self._most and not self._queue.empty():
                following = self._queue.get()  # this thread alone takes
                if following is None:
                    is_last = True
                    break
                jobs.append(following)
                size += len(following.tasks)
            self._do(jobs)
            if is_last:
                return

    def _do(self, jobs: list[_Job]) -> None:
        """Commit the tasks of jobs, and tell the results."""
        tasks = [task for job in jobs for task in job.tasks]
        found: dict[int, Any] = {}  # results and exceptions, by the task's id
        for start in range(0, len(tasks), self._most):
            self._commit(tasks[start : start + self._most], found)
        for job in jobs:
            try:
                job.done([found[id(task)] for task in job.tasks])
            except Exception:  # of who waited for it: others wait, too
                log.exception("what was written could not be told")

    def _commit(self, tasks: Sequence[Task], found: dict[int, Any]) -> None:
        ready = []
        for task in tasks:
            try:
                task.prepare()
                ready.append(task)
            except Exception as error:  # of whatever a file holds: the writer goes on
                found[id(task)] = error
        ready = self._synchronised(ready, found)
        done: list[tuple[Task, Any]] = []
        try:
            with self._connection:
                self._begin()
                for task in ready:
                    try:
                        done.append((task, task.work()))
                    except (DicomError, OSError) as error:
                        task.undo()
                        found[id(task)] = error
                self._synchronise_folders(self._before_commit())
        except Exception as error:  # the disk is full: none of the group is there
            self._failed()
            for task in ready:
                if id(task) not in found:
                    task.undo()
                    found[id(task)] = error
            return
        for task, result in done:
            with suppress(OSError, sqlite3.Error):
                task.settle(result)
            found[id(task)] = result

    def _synchronised(self, tasks: list[Task], found: dict[int, Any]) -> list[Task]:
        """The tasks whose files are on the disk."""
        if self._pool is None or not any(task.files for task in tasks):
            return tasks
        shares = [tasks[start::SYNCHRONISERS] for start in range(min(SYNCHRONISERS, len(tasks)))]
        failures = {id(task): failure for some in self._pool.map(_synchronise, shares) for task, failure in some}
        for task in tasks:
            failure = failures[id(task)]
            if failure is not None:
                task.undo()
                found[id(task)] = failure
        return [task for task in tasks if failures[id(task)] is None]

    def _synchronise_folders(self, folders: Iterable[str]) -> None:
        if self._pool is None:
            return
        for failure in self._pool.map(_folder_failure, folders):
            if failure is not None and failure.errno not in (errno.EINVAL, errno.EACCES, errno.ENOENT):
                raise failure  # some systems cannot synchronise a folder


def _synchronise(tasks: list[Task]) -> list[tuple[Task, OSError | None]]:
    done: list[tuple[Task, OSError | None]] = []
    for task in tasks:
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
