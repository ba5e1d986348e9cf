"""Reporter: delivers the reports of a ledger by associations with those who wait for them, and tries again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from dicomcore.errors import DicomError
from dicomcore.net import NetLimits, Role, Timeouts, associate
from dicomcore.net.limits import DEFAULT_NET_LIMITS, DEFAULT_TIMEOUTS
from dicomcore.services.ledger import Event, Ledger

__all__ = ["Peers", "Reporter"]

log = logging.getLogger("dicomcore.services")
Peers = Mapping[str, str] | Callable[[str], str | None]
"""Where AE titles are: ``host:port`` or ``AET@host:port`` by title."""

FIRST, LONGEST = 10.0, 3600.0  # seconds until a report is tried again; twice as many each time
MOST_TRIES = 30
AGAIN = frozenset({0x0213, 0xA700, 0xA701, 0xA702})  # statuses of a receiver that is full: the report did not arrive
AT_ONCE = 8  # receivers that reports are sent to at the same time
GRACE = 5.0  # seconds that it waits at its end
IDLE = 60.0  # seconds after which it looks by itself


class Reporter:
    """Sends what is due, an association for each receiver, in the order in which it happened.

    Parameters
    ----------
    ledger : Ledger
        Where reports are kept.
    peers : mapping or callable
        The places of AE titles. Reports for a title without one stay, and are sent when it has one.
    calling : str
        The AE title that reports, that of the provider.
    tries : int
        How often a report is tried before it is given up.
    timeouts, limits : Timeouts, NetLimits
        Of the associations.
    options
        Of `net.associate`, such as `tls`.
    """

    def __init__(
        self,
        ledger: Ledger,
        peers: Peers,
        *,
        calling: str = "DICOMCORE",
        tries: int = MOST_TRIES,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        limits: NetLimits = DEFAULT_NET_LIMITS,
        **options: Any,
    ) -> None:
        self._ledger, self._peers, self.calling, self._tries = ledger, peers, calling, tries
        self._options = {"timeouts": timeouts, "limits": limits, **options}
        self._woken = threading.Condition()
        self._is_due = self._is_stopping = False
        self._busy: set[str] = set()  # AE titles that a thread delivers to
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] | None = None

    def place(self, aet: str) -> str | None:
        """Where an AE title is, None if that is not known."""
        found = self._peers(aet) if callable(self._peers) else self._peers.get(aet)
        return found if not found or "@" in found else f"{aet}@{found}"

    # -- a thread of its own

    def start(self) -> None:
        """Deliver in a thread, until `stop`."""
        if self._thread is not None:
            return
        self._is_stopping, self._is_due = False, True
        self._stop = self._ledger.listen(lambda _: self.wake())
        self._thread = threading.Thread(target=self._work, name="dicomcore-reporter", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being sent, but do not wait long for receivers that do not answer."""
        if self._thread is None:
            return
        if self._stop is not None:
            self._stop()
        with self._woken:
            self._is_stopping = True
            self._woken.notify_all()
        self._thread.join()
        self._thread = None
        with self._woken:
            self._woken.wait_for(lambda: not self._busy, GRACE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wake(self) -> None:
        """There is something to deliver."""
        with self._woken:
            self._is_due = True
            self._woken.notify_all()

    def _work(self) -> None:
        while True:
            try:
                wait = self._begin()
            except Exception as error:  # a broken ledger must not end the thread in silence
                log.warning("reports were not delivered: %s", error)
                wait = IDLE
            with self._woken:
                self._woken.wait_for(lambda: self._is_due or self._is_stopping, wait)
                if self._is_stopping:
                    return
                self._is_due = False

    def _begin(self) -> float:
        """Have threads deliver what is due; how long nothing else will be."""
        now, wait = self._ledger.clock(), IDLE
        for aet, due in self._ledger.due().items():
            if due > now:
                wait = min(wait, due - now)
                continue
            with self._woken:
                if aet in self._busy or len(self._busy) >= AT_ONCE:
                    continue
                self._busy.add(aet)
            threading.Thread(
                target=self._deliver_and_tell, args=(aet,), name=f"dicomcore-report-{aet}", daemon=True
            ).start()
        return wait

    def _deliver_and_tell(self, aet: str) -> None:
        try:
            self._deliver_to(aet, self._ledger.reports(aet))
        except Exception as error:
            log.warning("reports for %s were not delivered: %s", aet, error)
        finally:
            with self._woken:
                self._busy.discard(aet)
                self._is_due = True
                self._woken.notify_all()

    # -- delivering

    def deliver(self) -> int:
        """Send what is due now, in the calling thread; how many reports arrived."""
        now = self._ledger.clock()
        ready = [aet for aet, due in self._ledger.due().items() if due <= now]
        return sum(self._deliver_to(aet, self._ledger.reports(aet)) for aet in ready)

    def _deliver_to(self, aet: str, events: list[Event]) -> int:
        place = self.place(aet)
        if place is None:
            self._later(events, "the AE title has no address")
            return 0
        contexts = list(dict.fromkeys(event.context for event in events))
        arrived = 0
        try:
            with associate(
                place,
                calling=self.calling,
                contexts=contexts,
                roles=[Role(context, True, True) for context in contexts],
                **self._options,
            ) as association:
                for event in events:
                    response = association.n_event_report(
                        event.sop_class, event.instance, event.type, event.dataset or None, over=event.context
                    )
                    if response.status in AGAIN:
                        self._later(events[arrived:], response.status.text)
                        return arrived
                    if not response.status.is_success:
                        log.warning("%s answered a report with %s", aet, response.status)
                    self._ledger.delivered(event.number)
                    arrived += 1
        except (DicomError, OSError, ValueError) as error:
            self._later(events[arrived:], str(error))
        return arrived

    def _later(self, events: Iterable[Event], why: str) -> None:
        """Try again later; the order of an AE title's reports is kept, so that all of them wait for the first."""
        for event in events:
            if event.tries + 1 >= self._tries:
                log.warning("a report for %s was given up after %d tries: %s", event.aet, event.tries + 1, why)
                self._ledger.delivered(event.number)
            else:
                wait = min(FIRST * 2.0 ** min(event.tries, 16), LONGEST)
                self._ledger.put_off(event.number, self._ledger.clock() + wait, why)
