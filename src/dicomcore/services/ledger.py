"""Ledger: what a department's services remember, in one SQLite file: workitems, procedure steps, reports to be sent."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, Self

from dicomcore.dataset import DataElement, Dataset
from dicomcore.encoding import decode, encode
from dicomcore.errors import DicomError
from dicomcore.uids import ExplicitVRLittleEndian

__all__ = ["Event", "Ledger", "opened", "packed", "settled", "unpacked"]

log = logging.getLogger("dicomcore.services")
VERSION = 1
MOST = 10_000  # reports that are kept for an AE title; more push out the oldest
AT_A_TIME = 500  # reports that are read at once
SYNTAX = str(ExplicitVRLittleEndian)
UTF_8, CHARACTER_SET = "ISO_IR 192", 0x00080005
SETTINGS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000")
SCHEMA = """
CREATE TABLE reports (id INTEGER PRIMARY KEY AUTOINCREMENT, aet TEXT NOT NULL, channel TEXT NOT NULL,
    context TEXT NOT NULL, sop_class TEXT NOT NULL, instance TEXT NOT NULL, event INTEGER NOT NULL, data BLOB NOT NULL,
    made REAL NOT NULL, due REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '');
CREATE INDEX reports_aet ON reports (aet, id);
CREATE TABLE workitems (uid TEXT PRIMARY KEY, state TEXT NOT NULL, owner TEXT NOT NULL DEFAULT '',
    changed REAL NOT NULL, data BLOB NOT NULL, keys TEXT NOT NULL);
CREATE INDEX workitems_state ON workitems (state, changed);
CREATE TABLE subscriptions (uid TEXT NOT NULL REFERENCES workitems(uid) ON DELETE CASCADE, aet TEXT NOT NULL,
    lock INTEGER NOT NULL, PRIMARY KEY (uid, aet)) WITHOUT ROWID;
CREATE INDEX subscriptions_aet ON subscriptions (aet);
CREATE TABLE subscribers (aet TEXT PRIMARY KEY, lock INTEGER NOT NULL, keys BLOB);
CREATE TABLE channels (aet TEXT PRIMARY KEY, channel TEXT NOT NULL);
CREATE TABLE steps (uid TEXT PRIMARY KEY, status TEXT NOT NULL, changed REAL NOT NULL, data BLOB NOT NULL);
CREATE TABLE notices (uid TEXT PRIMARY KEY, made REAL NOT NULL, data BLOB NOT NULL);
"""


class Event(NamedTuple):
    """A report for an AE title: its number, which grows, what it is about, the event type, and what it says.

    `context` is the SOP class whose presentation context carries it, `sop_class` the one that the message names.
    """

    number: int
    aet: str
    sop_class: str
    instance: str
    type: int
    dataset: Dataset
    context: str
    tries: int = 0


class Ledger:
    """The memory of services, in a file; `:memory:` lasts as long as the object. A context manager.

    Any thread may use it: each transaction is short, and they take turns. `clock` gives the time in seconds.
    """

    def __init__(self, path: str | os.PathLike[str] = ":memory:", *, clock: Callable[[], float] = time.time) -> None:
        self.path, self.clock = os.fspath(path), clock
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._depth = 0
        self._told: list[Event] = []
        self._listeners: list[Callable[[Event], None]] = []
        for setting in ("foreign_keys=ON", *SETTINGS):
            self._connection.execute(f"PRAGMA {setting}")
        with self.transaction() as found:
            if not found.execute("PRAGMA user_version").fetchone()[0]:
                for statement in SCHEMA.strip().rstrip(";").split(";\n"):
                    found.execute(statement)
                found.execute(f"PRAGMA user_version={VERSION}")
            version = found.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            raise DicomError(f"{self.path} is a ledger of version {version}; this program knows {VERSION}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The database; what is done inside is done as a whole, or not if there is an exception.

        Reports that were posted are told to listeners when they are on the disk.
        """
        told: list[Event] = []
        with self._lock:
            if self._depth:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                self._told.clear()
                raise
            else:
                self._connection.execute("COMMIT")
                told, self._told = self._told, []
            finally:
                self._depth -= 1
        for event in told:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except Exception as error:  # what was done is done: it is not the fault of who asked for it
                    log.warning("a listener failed: %s: %s", type(error).__name__, error)

    # -- reports

    def post(
        self,
        aet: str,
        sop_class: str,
        instance: str,
        event: int,
        ds: Dataset,
        *,
        context: str = "",
        delay: float = 0.0,
    ) -> int:
        """Keep a report for an AE title until it is delivered; its number. It is due in `delay` seconds."""
        now, data = self.clock(), packed(ds)
        with self.transaction() as found:
            row = found.execute("SELECT channel FROM channels WHERE aet=?", (aet,)).fetchone()
            made = found.execute(
                "INSERT INTO reports (aet, channel, context, sop_class, instance, event, data, made, due) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    aet,
                    row[0] if row else "dimse",
                    context or sop_class,
                    sop_class,
                    instance,
                    event,
                    data,
                    now,
                    now + delay,
                ),
            ).lastrowid
            assert made is not None
            found.execute(
                "DELETE FROM reports WHERE aet=?1 AND id <= "
                "(SELECT id FROM reports WHERE aet=?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                (aet, MOST),
            )
            self._told.append(Event(made, aet, sop_class, instance, event, unpacked(data), context or sop_class))
        return made

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Have a function called with each report that is posted from now on; what is returned ends that.

        It is called in the thread that caused the report and must be quick.
        """
        self._listeners.append(listener)

        def stop() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def reports(self, aet: str, *, after: int = 0) -> list[Event]:
        """The first reports for an AE title that are still kept, 500 at most; `after` skips those up to a number."""
        sql = "SELECT id, aet, sop_class, instance, event, data, context, tries FROM reports WHERE aet=? AND id>?"
        with self.transaction() as found:
            rows = found.execute(sql + " ORDER BY id LIMIT ?", (aet, after, AT_A_TIME)).fetchall()
        return [
            Event(number, title, sop_class, instance, event, unpacked(data), context, tries)
            for number, title, sop_class, instance, event, data, context, tries in rows
        ]

    def due(self, channel: str = "dimse") -> dict[str, float]:
        """When reports of a channel are to be sent, by AE title: none is sent before those that happened earlier."""
        with self.transaction() as found:
            rows = found.execute("SELECT aet, MAX(due) FROM reports WHERE channel=? GROUP BY aet", (channel,))
            return dict(rows.fetchall())

    def retry(self, aet: str) -> None:
        """An AE title has shown that it is there: what waits for it is due now."""
        with self.transaction() as found:
            found.execute("UPDATE reports SET due=? WHERE aet=? AND due>?", (now := self.clock(), aet, now))

    def delivered(self, number: int) -> None:
        """A report has arrived, and is forgotten."""
        with self.transaction() as found:
            found.execute("DELETE FROM reports WHERE id=?", (number,))

    def put_off(self, number: int, due: float, error: str) -> None:
        """A report could not be delivered: it is due again later."""
        with self.transaction() as found:
            found.execute("UPDATE reports SET tries=tries+1, due=?, error=? WHERE id=?", (due, error, number))

    def set_channel(self, aet: str, channel: str) -> None:
        """How reports reach an AE title: ``"dimse"`` by associations, anything else by who asks for them."""
        with self.transaction() as found:
            found.execute("INSERT OR REPLACE INTO channels VALUES (?, ?)", (aet, channel))


def opened(ledger: Ledger | str | os.PathLike[str]) -> Ledger:
    """A ledger, or the one of a path."""
    return ledger if isinstance(ledger, Ledger) else Ledger(ledger)


# -- data sets


def settled(ds: Dataset) -> Dataset:
    """A data set of decoded values, which no longer depends on the bytes, the character set or the syntax it came in.

    File meta information and group lengths are left out, and its character set is UTF-8 if it needs one. Values are as
    they came, also those that their VR forbids.
    """
    made = _settled(ds)
    if not _is_plain(made):
        made.SpecificCharacterSet = UTF_8
    return made


def _settled(ds: Dataset) -> Dataset:
    made = Dataset()
    made.validation = "ignore"
    for element in ds:
        tag = element.tag
        if tag.group in (0, 2) or not tag.element or tag == CHARACTER_SET:
            continue
        value = element.value
        if element.VR == "SQ":
            value = [_settled(item) for item in value or ()]
        made.add(DataElement(tag, element.VR, value))
    return made


def packed(ds: Dataset) -> bytes:
    """A data set as bytes, its texts in UTF-8 if ASCII does not do; EncodeError for values that cannot be encoded."""
    copy = ds.copy()
    if _is_plain(copy):
        copy.pop(CHARACTER_SET, None)
    else:
        copy.SpecificCharacterSet = UTF_8
    return encode(copy, SYNTAX)


def _is_plain(ds: Dataset) -> bool:
    for element in ds:
        value = element.value
        if element.VR == "SQ":
            if not all(_is_plain(item) for item in value or ()):
                return False
        elif not all(str(one).isascii() for one in (value if isinstance(value, list) else (value,))):
            return False
    return True


def unpacked(data: bytes) -> Dataset:
    """The data set of `packed`. It says its character set only if it has text beyond ASCII."""
    ds = decode(data, SYNTAX)
    ds.validation = "ignore"
    return ds
