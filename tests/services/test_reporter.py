"""The reporter: many receivers, some of which are slow or gone, in their order and without a tick of waiting."""

from __future__ import annotations

import socket
import threading
from typing import Any

from dicomcore import Dataset, net, services
from dicomcore.net.commands import Kind
from tests.net.test_server import QUICK

UID = "1.2.840.10008.1.20.1"


def report(number: int) -> Dataset:
    made = Dataset()
    made.TransactionUID = f"1.2.{number}"
    return made


class Receiver:
    def __init__(self, status: int = 0) -> None:
        self.got: list[str] = []
        self.status = status
        self.changed = threading.Condition()
        self.server = net.Server(ae="", timeouts=QUICK)
        self.server.service(Kind.N_EVENT_REPORT, [UID], self.take)

    def take(self, request: net.Request) -> int:
        with self.changed:
            self.got.append(str(request.dataset.TransactionUID))
            self.changed.notify_all()
        return self.status

    def has(self, count: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: len(self.got) >= count, 20)


def test_one_silent_receiver_does_not_keep_the_others_waiting() -> None:
    receiver, ledger = Receiver(), services.Ledger()
    with socket.create_server(("127.0.0.1", 0)) as silent, receiver.server:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        peers = {"SILENT": place, "GONE": "127.0.0.1:1", "THERE": f"127.0.0.1:{receiver.server.port}"}
        patient = net.Timeouts(connect=5, associate=60, response=60)
        reporter = services.Reporter(ledger, peers, timeouts=patient)
        for aet in ("SILENT", "GONE", "NOWHERE", "THERE"):
            for number in range(3):
                ledger.post(aet, UID, "1.2", 1, report(number))
        reporter.start()
        assert receiver.has(3)
        ledger.post("THERE", UID, "1.2", 1, report(3))
        assert receiver.has(4)
        silent.close()
        stopped = threading.Thread(target=reporter.stop, daemon=True)
        stopped.start()
    assert receiver.got == [f"1.2.{number}" for number in range(4)]
    assert [len(ledger.reports(aet)) for aet in ("GONE", "NOWHERE")] == [3, 3]


def test_a_full_receiver_gets_it_later() -> None:
    now = [1e9]
    ledger = services.Ledger(clock=lambda: now[0])
    receiver = Receiver(status=0x0213)
    with receiver.server:
        reporter = services.Reporter(ledger, {"A": f"127.0.0.1:{receiver.server.port}"}, timeouts=QUICK)
        for number in range(2):
            ledger.post("A", UID, "1.2", 1, report(number))
        assert reporter.deliver() == 0
        ledger.post("A", UID, "1.2", 1, report(2))
        assert reporter.deliver() == 0  # what came later waits for what came first
        receiver.status = 0x0110
        now[0] += 11
        assert reporter.deliver() == 3  # refused for good is answered
    assert receiver.got == ["1.2.0", "1.2.0", "1.2.1", "1.2.2"]
    assert ledger.reports("A") == []


def test_who_shows_itself_is_tried_at_once() -> None:
    now: list[Any] = [1e9]
    ledger = services.Ledger(clock=lambda: now[0])
    peers = {"A": "127.0.0.1:1"}
    reporter = services.Reporter(ledger, peers, timeouts=QUICK)
    ledger.post("A", UID, "1.2", 1, report(0))
    for _ in range(5):
        reporter.deliver()
        now[0] += 1e4
    reporter.deliver()
    assert ledger.due()["A"] > now[0] + 60
    receiver = Receiver()
    with receiver.server:
        peers["A"] = f"127.0.0.1:{receiver.server.port}"
        ledger.retry("A")
        assert reporter.deliver() == 1
