"""Records: small documents by kind and key, in which services keep their state."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dicomcore.errors import DicomError

__all__ = ["Conflict", "Record", "Records"]


class Conflict(DicomError):
    """A record was changed by somebody else, or is there already."""


class Record(NamedTuple):
    """A document: its `value`, and its `version`, which counts its changes from 1."""

    key: str
    value: dict[str, Any]
    version: int
    changed: float


class Records:
    """Documents of JSON in an SQLite database, by kind and key. Any thread may use it."""

    def __init__(self, connection: sqlite3.Connection, lock: threading.RLock, clock: Callable[[], float]) -> None:
        self._connection, self._lock, self._clock = connection, lock, clock
        with lock, connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS records (kind TEXT, key TEXT, value TEXT, version INTEGER, changed REAL, "
                "PRIMARY KEY (kind, key)) WITHOUT ROWID"
            )

    def put(self, kind: str, key: str, value: dict[str, Any], *, expect: int | None = None) -> int:
        """Write a document, and return its version.

        With `expect`, Conflict is raised unless its version is still that one; 0 stands for none.
        """
        text = json.dumps(value)
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            found = self._connection.execute("SELECT version FROM records WHERE kind=? AND key=?", (kind, key))
            row = found.fetchone()
            version = 0 if row is None else int(row[0])
            if expect is not None and expect != version:
                raise Conflict(f"{kind} {key} has version {version}, not {expect}" if version else
                               f"there is no {kind} {key}")  # fmt: skip
            self._connection.execute(
                "INSERT OR REPLACE INTO records VALUES (?,?,?,?,?)", (kind, key, text, version + 1, self._clock())
            )
        return version + 1

    def get(self, kind: str, key: str) -> Record | None:
        """A document, None if there is none."""
        with self._lock:
            found = self._connection.execute(
                "SELECT key, value, version, changed FROM records WHERE kind=? AND key=?", (kind, key)
            ).fetchone()
        return None if found is None else Record(found[0], json.loads(found[1]), *found[2:])

    def all(self, kind: str) -> Iterator[Record]:
        """The documents of a kind, by key."""
        after = ""
        while True:
            with self._lock:
                rows = self._connection.execute(
                    "SELECT key, value, version, changed FROM records WHERE kind=? AND key>? ORDER BY key LIMIT 256",
                    (kind, after),
                ).fetchall()
            for key, value, version, changed in rows:
                yield Record(key, json.loads(value), version, changed)
            if not rows:
                return
            after = rows[-1][0]

    def remove(self, kind: str, key: str) -> bool:
        """Remove a document; whether it was there."""
        with self._lock, self._connection:
            gone = self._connection.execute("DELETE FROM records WHERE kind=? AND key=?", (kind, key))
            return gone.rowcount > 0
