"""A trail: the hook that takes events, and threads that bring them to where they go."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from itertools import islice
from time import monotonic
from typing import Self

from dicomcore.audit import codes
from dicomcore.audit.events import MAJOR, ApplicationActivity, Event, Party, SecurityAlert, this_process
from dicomcore.audit.messages import Source
from dicomcore.audit.sinks import Sink, Undeliverable

__all__ = ["Trail"]

log = logging.getLogger("dicomcore.audit")
MOST_WAITING = 10_000  # events that wait for a sink
TOGETHER = 256
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between attempts
LAST_PAUSE = 0.25  # when the trail ends
GRACE = 10.0  # seconds that a trail waits for its sinks when it ends


class Trail:
    """Takes events and brings them to sinks, each by a thread of its own; a context manager.

    Calling it with an event neither waits nor fails. While a sink cannot be reached its events wait, 10 000 at most;
    those that are lost are counted, logged, and told to the sink when it works again. The trail itself says when the
    application starts and stops, and so does whoever shares it with several servers.

    Parameters
    ----------
    *sinks : Sink
        `JsonLines`, `Syslog`, or anything with their methods.
    source : str
        The name of this source of messages, such as an AE title.
    site : str
        The enterprise and site that the name is unique in.
    titles : iterable of str
        The AE titles of the application.
    waiting : int
        Events that wait for a sink, at most.
    """

    def __init__(
        self,
        *sinks: Sink,
        source: str = "dicomcore",
        site: str = "",
        titles: tuple[str, ...] = (),
        waiting: int = MOST_WAITING,
    ) -> None:
        if not sinks:
            raise ValueError("a trail needs a sink")
        self.source = Source(source, site)
        self._application: Party = this_process(*titles)
        self._writers = [_Writer(sink, self.source, waiting, self._application) for sink in sinks]

    def __call__(self, event: Event) -> None:
        """Take an event."""
        for one in self._writers:
            one.put(event)

    @property
    def lost(self) -> int:
        """How many messages did not reach a sink, and never will."""
        return sum(one.lost for one in self._writers)

    def __enter__(self) -> Self:
        for one in self._writers:
            one.start()
        self(ApplicationActivity(application=self._application))
        return self

    def __exit__(self, *_: object) -> None:
        self(ApplicationActivity(application=self._application, is_start=False))
        until = monotonic() + GRACE
        for one in self._writers:
            one.stop(until)


class _Writer:
    """Brings events to one sink."""

    def __init__(
        self, sink: Sink, source: Source, most: int, reporter: Party, clock: Callable[[], float] = monotonic
    ) -> None:
        self._sink, self._source, self._most, self._reporter, self._clock = sink, source, most, reporter, clock
        self._waiting: deque[Event] = deque()
        self._changed = threading.Condition()
        self._is_over = False
        self._missed = 0  # lost since the sink was told of losses
        self.lost = 0
        self._pause = FIRST_PAUSE
        self._thread = threading.Thread(target=self._run, name="dicomcore-audit", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, event: Event) -> None:
        """Take an event, or lose it."""
        with self._changed:
            if len(self._waiting) >= self._most:
                self._lose(1)
                return
            self._waiting.append(event)
            self._changed.notify()

    def _lose(self, count: int) -> None:
        if not self._missed:
            log.error("audit messages are lost: %r takes none", self._sink)
        self.lost += count
        self._missed += count

    def stop(self, until: float) -> None:
        """Bring what waits until a time, then give up."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(max(until - self._clock(), 0))
        with self._changed:
            left = len(self._waiting)
            if left:
                self._lose(left)
                log.error("%d audit messages did not reach %r", left, self._sink)
                self._waiting.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._is_over:
                    self._changed.wait()
                if not self._waiting:
                    break
                batch = list(islice(self._waiting, TOGETHER))
                missed = self._missed
            self._bring(batch, missed)
        if self._missed:
            self._bring([], self._missed)
        self._sink.close()

    def _bring(self, batch: list[Event], missed: int) -> None:
        """Write some of what waits; what was written waits no more."""
        try:
            if missed:
                self._sink.write(self._losses(missed), self._source)
                with self._changed:
                    self._missed -= missed
            for event in batch:
                try:
                    self._sink.write(event, self._source)
                except Undeliverable as error:
                    log.error("an audit message cannot go to %r: %s", self._sink, error)
                    self.lost += 1
                with self._changed:
                    if self._waiting and self._waiting[0] is event:
                        self._waiting.popleft()
            self._sink.flush()
            self._pause = FIRST_PAUSE
        except Exception as error:
            log.warning("audit messages wait: %r: %s", self._sink, error)
            with self._changed:
                self._changed.wait_for(lambda: self._is_over, self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            with self._changed:
                if self._is_over:  # try again until `stop` gives up
                    self._changed.wait(LAST_PAUSE)

    def _losses(self, count: int) -> SecurityAlert:
        return SecurityAlert(
            kind=codes.RECORDING_STOPPED,
            outcome=MAJOR,
            reporter=self._reporter,
            subject=self._reporter.host,
            description=f"{count} audit messages were lost, because they could not be delivered",
        )
