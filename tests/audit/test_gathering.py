"""Gathering: many instances as one event, bounded, and alerts that repeat."""

from __future__ import annotations

import logging
import threading

import pytest

from dicomcore import audit
from tests.audit.events import CT, EVENTS, MR, NODE, PEER

EVENT = audit.InstancesTransferred(source=PEER, destination=NODE, action="C")
JANE, JOHN = audit.Patient("1", "Doe^Jane"), audit.Patient("2", "Doe^John")


def gatherer(told: list[audit.Event], seconds: float = 3600) -> audit.Gatherer:
    return audit.Gatherer(told.append, seconds=seconds)


def test_by_patient_and_study() -> None:
    told: list[audit.Event] = []
    made = gatherer(told)
    for patient, study, sop_class, uid in (
        (JANE, "1.1", CT, "1"), (JANE, "1.1", CT, "2"), (JANE, "1.1", MR, "3"), (JANE, "1.2", CT, "4"),
        (JOHN, "1.3", CT, "5"), (JANE, "1.1", CT, "2"),
    ):  # fmt: skip
        made.add(EVENT, audit.Subject(study, patient), sop_class, uid)
    assert not told
    made.close()
    jane, john = told
    assert isinstance(jane, audit.InstancesTransferred)
    assert isinstance(john, audit.InstancesTransferred)
    assert jane.patient == JANE
    assert [(one.uid, [(two.sop_class, two.number, two.uids) for two in one.instances]) for one in jane.studies] == [
        ("1.1", [(CT, 2, ("1", "2")), (MR, 1, ("3",))]),
        ("1.2", [(CT, 1, ("4",))]),
    ]
    assert [one.uid for one in john.studies] == ["1.3"]


def test_of_many_it_gives_the_number() -> None:
    told: list[audit.Event] = []
    made = gatherer(told)
    for number in range(1000):
        made.add(EVENT, audit.Subject("1.1", JANE), CT, str(number))
    made.flush()
    (event,) = told
    assert isinstance(event, audit.InstancesTransferred)
    assert event.studies[0].instances == (audit.Instances(CT, 1000),)
    made.close()


def test_what_differs_is_told_apart() -> None:
    told: list[audit.Event] = []
    made = gatherer(told)
    failed = audit.InstancesTransferred(source=PEER, destination=NODE, outcome=audit.MINOR, reason="no room")
    for event, owner in ((EVENT, 1), (failed, 1), (EVENT, 2)):
        made.add(event, audit.Subject("1.1", JANE), CT, "1", owner=owner)
    made.flush(1)
    assert [one.outcome for one in told] == [0, audit.MINOR]
    made.close()
    assert len(told) == 3


def test_groups_are_bounded() -> None:
    told: list[audit.Event] = []
    made = gatherer(told)
    for number in range(5000):
        made.add(EVENT, audit.Subject(f"1.{number}", audit.Patient(str(number))), CT, "1")
    assert len(told) >= 5000 - 1024
    made.close()
    assert len(told) == 5000


def test_it_is_told_by_and_by() -> None:
    come = threading.Event()
    made = audit.Gatherer(lambda _: come.set(), seconds=0.01)
    made.add(EVENT, audit.Subject("1.1", JANE), CT, "1")
    assert come.wait(30)
    made.close()


def test_threads_lose_nothing() -> None:
    told: list[audit.Event] = []
    made = gatherer(told, seconds=0.001)

    def work(name: int) -> None:
        for number in range(500):
            made.add(EVENT, audit.Subject("1.1", JANE), CT, f"{name}.{number}", owner=name)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    made.close()
    found = sum(one.studies[0].instances[0].number for one in told if isinstance(one, audit.InstancesTransferred))
    assert found == 2000


def test_alerts_that_repeat() -> None:
    told: list[audit.Event] = []
    now = [0.0]
    made = audit.Repeats(told.append, seconds=60, clock=lambda: now[0])
    alert, login = EVENTS["alert"][1], EVENTS["login"][1]
    for _ in range(1000):
        made.tell(alert)
    made.tell(login)
    assert told == [alert, login]
    now[0] = 61.0
    made.tell(alert)
    assert isinstance(told[-1], audit.SecurityAlert)
    assert told[-1].description == "no TLS (999 more before)"


def test_alerts_of_many_are_bounded() -> None:
    told: list[audit.Event] = []
    made = audit.Repeats(told.append, clock=lambda: 0.0)
    for number in range(3000):
        made.tell(audit.UserAuthentication(user=audit.Party(str(number))))
    assert len(told) == 3000  # none is kept back, and memory holds no more than some
    assert len(made._seen) <= 1024


def test_a_hook_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def hook(event: audit.Event) -> None:
        raise RuntimeError("full")

    made = audit.Gatherer(hook, seconds=3600)
    made.add(EVENT, audit.Subject("1.1", JANE), CT, "1")
    with caplog.at_level(logging.ERROR):
        made.close()
    assert "an event is not audited: DICOM Instances Transferred" in caplog.text
