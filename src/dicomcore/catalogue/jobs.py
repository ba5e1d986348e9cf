"""Jobs: what is done later, and again if it fails, in a database that outlives the process."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Self

from dicomcore.catalogue.records import Records
from dicomcore.errors import DicomError

__all__ = ["STATES", "Again", "GiveUp", "Job", "Jobs", "Runner", "State"]

log = logging.getLogger("dicomcore.jobs")
STATES = ("waiting", "running", "done", "failed", "cancelled")
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 3600.0  # seconds before another attempt; each pause is twice the one before
MOST_ATTEMPTS = 10
KEPT = 30 * 86_400.0  # seconds that jobs stay in the list when they are over
LOOK = 5.0  # seconds after which a runner looks for what other processes added
FIELDS = "id, kind, key, payload, state, attempts, due, error, made, changed, result"


class GiveUp(Exception):
    """Raised by the function of a job that will never succeed."""


class Again(Exception):
    """Raised by the function of a job that is to be tried again, as what is left of it: its new `payload`."""

    def __init__(self, why: str, payload: Mapping[str, Any]) -> None:
        super().__init__(why)
        self.payload = payload


class Job(NamedTuple):
    """A job: what it is of which `kind`, its `state`, and when it is `due`, in seconds since 1970.

    `state` is one of `STATES`; `error` says why the last attempt failed.
    """

    id: int
    kind: str
    key: str
    payload: dict[str, Any]
    state: str
    attempts: int
    due: float
    error: str
    made: float
    changed: float
    result: dict[str, Any]


class State:
    """The database of what a store knows beside its instances: `jobs` and `records`."""

    def __init__(self, path: str = ":memory:", *, clock: Callable[[], float] = time.time) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        for setting in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {setting}")
        lock = threading.RLock()
        self.jobs = Jobs(self._connection, lock, clock)
        self.records = Records(self._connection, lock, clock)

    def close(self) -> None:
        """Close it."""
        self._connection.close()


class Jobs:
    """Jobs in an SQLite database. Any thread may use it.

    A job that fails is due again after 10 s, then after 20 s, and so on up to an hour, ten times in all.
    """

    def __init__(self, connection: sqlite3.Connection, lock: threading.RLock, clock: Callable[[], float]) -> None:
        self._connection, self._lock, self.clock = connection, lock, clock
        self.first_pause, self.longest_pause, self.most_attempts = FIRST_PAUSE, LONGEST_PAUSE, MOST_ATTEMPTS
        self._woken: list[Callable[[], None]] = []
        for statement in (
            "CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, key TEXT, payload TEXT, "
            "state TEXT, attempts INTEGER, due REAL, error TEXT, made REAL, changed REAL, result TEXT)",
            "CREATE UNIQUE INDEX IF NOT EXISTS jobs_key ON jobs (kind, key) "
            "WHERE key <> '' AND state IN ('waiting', 'running')",
            "CREATE INDEX IF NOT EXISTS jobs_due ON jobs (state, kind, due)",
        ):
            connection.execute(statement)

    def on_change(self, function: Callable[[], None]) -> None:
        """Call a function whenever a job is added."""
        self._woken.append(function)

    def add(self, kind: str, payload: Mapping[str, Any], *, key: str = "", after: float = 0.0) -> int:
        """Add a job that is due in `after` seconds, and return its number.

        With a `key`, a job of that kind and key that is not over yet is returned in place of a new one.
        """
        now = self.clock()
        values = kind, key, json.dumps(dict(payload)), "waiting", 0, now + after, "", now, now, "{}"
        with self._lock:
            made = self._connection.execute(
                "INSERT INTO jobs (kind, key, payload, state, attempts, due, error, made, changed, result) "
                "VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", values
            )  # fmt: skip
            number = made.lastrowid if made.rowcount else None
            if number is None:
                found = self._connection.execute(
                    "SELECT id FROM jobs WHERE kind=? AND key=? AND state IN ('waiting', 'running')", (kind, key)
                )
                number = int(found.fetchone()[0])
            self._connection.execute(
                "DELETE FROM jobs WHERE state IN ('done', 'failed', 'cancelled') AND changed<?", (now - KEPT,)
            )
        for function in self._woken:
            function()
        return number

    def get(self, number: int) -> Job | None:
        """A job by its number."""
        return next(iter(self._found("WHERE id=?", (number,))), None)

    def all(self, kind: str | None = None, state: str | None = None) -> list[Job]:
        """All jobs, or those of a kind or state, in the order that they were added."""
        return self._found("WHERE (?1 IS NULL OR kind=?1) AND (?2 IS NULL OR state=?2) ORDER BY id", (kind, state))

    def _found(self, where: str, values: tuple[Any, ...]) -> list[Job]:
        with self._lock:
            rows = self._connection.execute(f"SELECT {FIELDS} FROM jobs {where}", values).fetchall()
        return [Job._make([*row[:3], json.loads(row[3]), *row[4:10], json.loads(row[10])]) for row in rows]

    def take(self, kinds: str | Iterable[str]) -> Job | None:
        """The next job of some kinds that is due, which is running then; None if there is none."""
        names = [kinds] if isinstance(kinds, str) else list(kinds)
        marks = ",".join("?" * len(names))
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                found = self._found(
                    f"WHERE state='waiting' AND kind IN ({marks}) AND due<=? ORDER BY due, id LIMIT 1",
                    (*names, self.clock()),
                )
                if found:
                    self._connection.execute(
                        "UPDATE jobs SET state='running', attempts=attempts+1, changed=? WHERE id=?",
                        (self.clock(), found[0].id),
                    )
            finally:
                self._connection.execute("COMMIT")
        return self.get(found[0].id) if found else None

    def next_due(self, kinds: Iterable[str]) -> float | None:
        """When the next job of some kinds is due; None if none waits."""
        names = list(kinds)
        marks = ",".join("?" * len(names))
        with self._lock:
            found = self._connection.execute(
                f"SELECT MIN(due) FROM jobs WHERE state='waiting' AND kind IN ({marks})", names
            )
            due = found.fetchone()[0]
        return None if due is None else float(due)

    def done(self, number: int, result: Mapping[str, Any] | None = None) -> None:
        """A running job has succeeded."""
        self._settle(number, "done", "", json.dumps(dict(result or {})))

    def failed(self, number: int, error: str, *, retry: bool = True, payload: Mapping[str, Any] | None = None) -> None:
        """A running job has failed; it is due again, unless there were too many attempts or `retry` is False.

        `payload` is what is left of it.
        """
        if payload is not None:
            with self._lock:
                self._connection.execute("UPDATE jobs SET payload=? WHERE id=?", (json.dumps(dict(payload)), number))
        job = self.get(number)
        if job is None:
            return
        if not retry or job.attempts >= self.most_attempts:
            self._settle(number, "failed", error)
            return
        pause = min(self.first_pause * 2.0 ** (max(job.attempts, 1) - 1), self.longest_pause)
        self._settle(number, "waiting", error, due=self.clock() + pause)

    def _settle(self, number: int, state: str, error: str, result: str | None = None, due: float | None = None) -> None:
        with self._lock:
            self._connection.execute(
                "UPDATE jobs SET state=?1, error=?2, result=COALESCE(?3, result), due=COALESCE(?4, due), changed=?5 "
                "WHERE id=?6 AND state='running'", (state, error, result, due, self.clock(), number)
            )  # fmt: skip

    def cancel(self, number: int) -> bool:
        """Cancel a job that is not over; whether it was one. What runs now is not stopped, and not tried again."""
        with self._lock:
            gone = self._connection.execute(
                "UPDATE jobs SET state='cancelled', changed=? WHERE id=? AND state IN ('waiting', 'running')",
                (self.clock(), number),
            )
            return gone.rowcount > 0

    def retry(self, number: int) -> bool:
        """Have a job that failed or waits tried now; whether it is one."""
        with self._lock:
            found = self._connection.execute(
                "UPDATE OR IGNORE jobs SET state='waiting', attempts=0, due=?1, changed=?1 "
                "WHERE id=?2 AND state IN ('waiting', 'failed')", (self.clock(), number)
            )  # fmt: skip
            changed = found.rowcount > 0
        for function in self._woken:
            function()
        return changed

    def recover(self, kinds: Iterable[str]) -> int:
        """Have jobs that ran when their process ended tried again; how many. Only one process may run jobs."""
        names = list(kinds)
        marks = ",".join("?" * len(names))
        with self._lock:
            found = self._connection.execute(
                f"UPDATE jobs SET state='waiting', due=? WHERE state='running' AND kind IN ({marks})",
                (self.clock(), *names),
            )
            return found.rowcount


class Runner:
    """Runs jobs in threads, as they are due. A context manager.

    Parameters
    ----------
    jobs : Jobs
        Where they are.
    functions : mapping of str to callable
        The function of each kind: it gets a Job, and returns its result, a dict or None. `GiveUp` fails the job for
        good; with any other error it is tried again.
    workers : int
        Jobs that run at once.
    """

    def __init__(
        self, jobs: Jobs, functions: Mapping[str, Callable[[Job], Mapping[str, Any] | None]], *, workers: int = 2
    ) -> None:
        self._jobs, self._functions = jobs, dict(functions)
        self._condition = threading.Condition()
        self._is_stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"dicomcore-jobs-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._jobs.recover(self._functions)
        self._jobs.on_change(self.wake)
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Finish what runs, and begin nothing more."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def wake(self) -> None:
        """Look at once for what is due."""
        with self._condition:
            self._condition.notify_all()

    def step(self) -> bool:
        """Run the next job that is due, in this thread; whether there was one."""
        job = self._jobs.take(self._functions)
        if job is None:
            return False
        try:
            result = self._functions[job.kind](job)
        except GiveUp as error:
            self._jobs.failed(job.id, str(error), retry=False)
        except Again as error:
            self._jobs.failed(job.id, str(error), payload=error.payload)
        except Exception as error:
            log.warning("job %d, %s: %s", job.id, job.kind, type(error).__name__, exc_info=not _is_usual(error))
            self._jobs.failed(job.id, f"{type(error).__name__}: {error}")
        else:
            self._jobs.done(job.id, result)
        return True

    def _work(self) -> None:
        while not self._is_stopping:
            if self.step():
                continue
            with self._condition:
                if self._is_stopping:
                    return
                due = self._jobs.next_due(self._functions)
                pause = LOOK if due is None else min(LOOK, max(0.0, due - self._jobs.clock()))
                self._condition.wait(pause)


def _is_usual(error: Exception) -> bool:
    return isinstance(error, DicomError | OSError)
