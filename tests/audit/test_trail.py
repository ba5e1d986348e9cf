"""Trails: what is told reaches the sinks in its order, nothing waits for them, and losses are told."""

from __future__ import annotations

import logging
import threading

import pytest

from dicomcore import audit
from dicomcore.audit import trail as trails
from tests.audit.events import EVENTS

LOGIN = EVENTS["login"][1]


class Memory:
    """A sink that keeps events; it fails, or waits, as told."""

    def __init__(self) -> None:
        self.events: list[audit.Event] = []
        self.failures = 0
        self.may_go = threading.Event()
        self.may_go.set()
        self.begun = threading.Event()
        self.is_closed = False

    def write(self, event: audit.Event, source: audit.Source) -> None:
        self.begun.set()
        assert self.may_go.wait(60)
        if self.failures:
            self.failures -= 1
            raise OSError("unreachable")
        self.events.append(event)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_PAUSE", "LAST_PAUSE"):
        monkeypatch.setattr(trails, name, 0.001)


def test_in_order_between_start_and_stop() -> None:
    one, two = Memory(), Memory()
    with audit.Trail(one, two, source="PACS", titles=("PACS",)) as trail:
        for _, event in EVENTS.values():
            trail(event)
    for sink in (one, two):
        first, *between, last = sink.events
        assert isinstance(first, audit.ApplicationActivity)
        assert isinstance(last, audit.ApplicationActivity)
        assert (first.is_start, last.is_start) == (True, False)
        assert between == [event for _, event in EVENTS.values()]
        assert sink.is_closed


@pytest.mark.usefixtures("soon")
def test_a_sink_that_fails_for_a_while_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    sink = Memory()
    sink.failures = 5
    with caplog.at_level(logging.WARNING), audit.Trail(sink) as trail:
        for _ in range(10):
            trail(LOGIN)
    assert sink.events[1:-1] == [LOGIN] * 10
    assert trail.lost == 0
    assert "unreachable" in caplog.text


def test_what_is_lost_is_told(caplog: pytest.LogCaptureFixture) -> None:
    sink = Memory()
    with caplog.at_level(logging.ERROR), audit.Trail(sink, waiting=4) as trail:
        assert sink.begun.wait(60)
        sink.may_go.clear()
        for _ in range(100):
            trail(LOGIN)  # neither waits nor fails
        assert trail.lost >= 95
        sink.may_go.set()
    alerts = [event for event in sink.events if isinstance(event, audit.SecurityAlert)]
    assert {alert.kind.value for alert in alerts} == {"110133"}
    assert sum(int(alert.description.split()[0]) for alert in alerts) == trail.lost
    assert "audit messages are lost" in caplog.text


def test_a_sink_that_never_works_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("FIRST_PAUSE", "LAST_PAUSE", "GRACE"):
        monkeypatch.setattr(trails, name, 0.01)
    sink = Memory()
    sink.failures = 1 << 30
    with caplog.at_level(logging.ERROR), audit.Trail(sink) as trail:
        trail(LOGIN)
    assert trail.lost == 3
    assert "3 audit messages did not reach" in caplog.text


def test_what_a_sink_can_never_take_is_passed_over() -> None:
    class Small(Memory):
        def write(self, event: audit.Event, source: audit.Source) -> None:
            if event == LOGIN:
                raise audit.Undeliverable("too long")
            super().write(event, source)

    sink = Small()
    with audit.Trail(sink) as trail:
        trail(LOGIN)
    assert len(sink.events) == 2
    assert trail.lost == 1


def test_a_trail_needs_a_sink() -> None:
    with pytest.raises(ValueError, match="sink"):
        audit.Trail()
