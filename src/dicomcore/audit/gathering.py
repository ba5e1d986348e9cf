"""Many small happenings as few events: instances by study, and alerts that repeat."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any, NamedTuple

from dicomcore.audit.events import Event, Instances, Patient, SecurityAlert, Study

__all__ = ["Gatherer", "Hook", "Repeats", "Subject", "tell"]

Hook = Callable[[Event], Any]
"""Takes events, from any thread."""

log = logging.getLogger("dicomcore.audit")
SECONDS = 30.0  # for which instances are gathered
MOST_GROUPS = 1024  # that are gathered at a time
MOST_NAMED = 256  # instances of a SOP class that an event names; of more it gives their number
QUIET = 60.0  # seconds in which an event that repeats is counted


def tell(hook: Hook, event: Event) -> None:
    """Call a hook. What it raises is logged, and does not stop what the event is about."""
    try:
        hook(event)
    except Exception:
        log.exception("an event is not audited: %s", event.id.meaning)


class Subject(NamedTuple):
    """The study and the patient of an instance."""

    study: str = ""
    patient: Patient = Patient()
    accession: str = ""
    description: str = ""


class _Counted:
    """Instances of a SOP class in a study."""

    def __init__(self) -> None:
        self.count = 0
        self.uids: set[str] = set()

    def add(self, uid: str) -> None:
        """Count one; the same instance again is none more."""
        if self.count > MOST_NAMED:
            self.count += 1
        elif uid not in self.uids:
            self.count += 1
            self.uids.add(uid)
            if self.count > MOST_NAMED:
                self.uids.clear()

    def told(self, sop_class: str) -> Instances:
        """As an event tells it."""
        return Instances(sop_class, self.count, tuple(sorted(self.uids)))


class _Group:
    """What belongs to one event."""

    def __init__(self) -> None:
        self.begun = monotonic()
        self.studies: dict[str, tuple[Subject, dict[str, _Counted]]] = {}

    def told(self) -> tuple[Study, ...]:
        """The studies as an event tells them."""
        return tuple(
            Study(
                subject.study,
                tuple(one.told(sop_class) for sop_class, one in classes.items() if one.count),
                subject.accession,
                subject.description,
            )
            for subject, classes in self.studies.values()
        )


class Gatherer:
    """Gathers instances by what happens to them and by patient, and tells a hook of them together.

    That is when `flush` is called, and otherwise after some seconds. May be used by any number of threads.
    """

    def __init__(self, hook: Hook, *, seconds: float = SECONDS) -> None:
        self._hook, self._seconds = hook, seconds
        self._groups: dict[tuple[Hashable, Event, Patient], _Group] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(
        self, event: Event, subject: Subject, sop_class: str = "", sop_instance: str = "", *, owner: Hashable = None
    ) -> None:
        """Add an instance, or a study without naming instances, to the event that is like `event`.

        `event` has neither studies nor a patient yet. `owner` is whose `flush` tells it, such as an association.
        """
        key = owner, event, subject.patient
        late: list[Event] = []
        with self._lock:
            group = self._groups.get(key)
            if group is None:
                if len(self._groups) >= MOST_GROUPS:
                    late = [self._taken(next(iter(self._groups)))]
                group = self._groups[key] = _Group()
            _, classes = group.studies.setdefault(subject.study, (subject, {}))
            if sop_instance:
                if sop_class not in classes:
                    classes[sop_class] = _Counted()
                classes[sop_class].add(sop_instance)
            self._wind()
        self._tell(late)

    def flush(self, owner: Hashable = None) -> None:
        """Tell what was gathered for an owner; for None all that there is."""
        with self._lock:
            events = [self._taken(key) for key in list(self._groups) if owner is None or key[0] == owner]
        self._tell(events)

    def close(self) -> None:
        """Tell all that there is, and wait for nothing more."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self.flush()

    def _taken(self, key: tuple[Hashable, Event, Patient]) -> Event:
        group = self._groups.pop(key)
        changes: dict[str, Any] = {"studies": group.told(), "patient": key[2], "time": datetime.now(UTC)}
        return replace(key[1], **changes)

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            tell(self._hook, event)

    def _wind(self) -> None:
        """Have a thread look again later."""
        if self._timer is None:
            self._timer = threading.Timer(self._seconds, self._expire)
            self._timer.daemon = True
            self._timer.start()

    def _expire(self) -> None:
        before = monotonic() - self._seconds / 2  # so that none waits for two turns
        with self._lock:
            self._timer = None
            events = [self._taken(key) for key, group in list(self._groups.items()) if group.begun <= before]
            if self._groups:
                self._wind()
        self._tell(events)


class Repeats:
    """Tells a hook of an event at once, and counts those that are like it for a while.

    Whoever knocks at a server without an end fills no log with it. An alert that did repeat says so when it comes
    again after that while.
    """

    def __init__(self, hook: Hook, *, seconds: float = QUIET, clock: Callable[[], float] = monotonic) -> None:
        self._hook, self._seconds, self._clock = hook, seconds, clock
        self._seen: dict[Event, list[float]] = {}  # the end of the quiet time, and how many came in it
        self._lock = threading.Lock()

    def tell(self, event: Event) -> None:
        """Tell an event, unless it was told just now."""
        now = self._clock()
        with self._lock:
            seen = self._seen.get(event)
            if seen is not None and now < seen[0]:
                seen[1] += 1
                return
            more = 0 if seen is None else int(seen[1])
            if len(self._seen) >= MOST_GROUPS:
                self._forget(now)
            if seen is not None or len(self._seen) < MOST_GROUPS:
                self._seen[event] = [now + self._seconds, 0]
        if more and isinstance(event, SecurityAlert):
            event = replace(event, description=f"{event.description} ({more} more before)")
        tell(self._hook, event)

    def _forget(self, now: float) -> None:
        for event in [event for event, (until, _) in self._seen.items() if until <= now]:
            del self._seen[event]
