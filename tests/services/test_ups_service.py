"""Unified procedure steps over associations: contexts of all SOP classes, reports, pynetdicom, and hostile requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from dicomcore import Dataset, net, services
from dicomcore.errors import NetworkError
from dicomcore.net.commands import Kind
from dicomcore.services.ups import EVENT, FILTERED, GLOBAL, PULL, PUSH, WATCH
from tests.net.test_server import QUICK
from tests.services.test_ups import LOCK, OTHER, STEP, data_set, performed, step


class Watcher:
    """A server that takes reports."""

    def __init__(self) -> None:
        self.got: list[tuple[int, str, str]] = []
        self.changed = threading.Condition()
        self.server = net.Server(ae="WATCH", timeouts=QUICK)
        self.server.service(Kind.N_EVENT_REPORT, [EVENT], self.take)

    def take(self, request: net.Request) -> int:
        assert request.sop_class == PUSH
        state = str(request.dataset.get("ProcedureStepState") or "")
        with self.changed:
            self.got.append((request.command.EventTypeID, request.sop_instance, state))
            self.changed.notify_all()
        return 0


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    made = Watcher()
    with made.server:
        yield made


class Node:
    def __init__(self, peers: dict[str, str]) -> None:
        self.now = 1e9
        self.ledger = services.Ledger(clock=lambda: self.now)
        self.items = services.Workitems(self.ledger)
        self.reporter = services.Reporter(self.ledger, peers, calling="UPS", timeouts=QUICK)
        self.server = net.Server(ae="UPS", timeouts=QUICK)
        self.server.add(services.UnifiedProcedureSteps(self.items, self.reporter))


@pytest.fixture
def node(watcher: Watcher) -> Iterator[Node]:
    made = Node({"WATCH": watcher.server.address})
    with made.server:
        yield made


@pytest.fixture
def association(node: Node) -> Iterator[net.Association]:
    with net.associate(node.server.address, calling="ME", timeouts=QUICK) as made:
        yield made


def subscription(aet: str = "WATCH", lock: str = "FALSE", **keys: Any) -> Dataset:
    return data_set(ReceivingAE=aet, DeletionLock=lock, **keys)


def change(state: str, lock: str = LOCK) -> Dataset:
    return data_set(ProcedureStepState=state, TransactionUID=lock)


def test_the_life_of_a_step(node: Node, association: net.Association, watcher: Watcher) -> None:
    act = association.n_action
    assert act(PUSH, GLOBAL, 3, subscription(), over=WATCH).status == 0
    assert association.n_create(PUSH, step(), instance=STEP).status == 0
    (found,) = association.find(
        {"ProcedureStepState": "SCHEDULED", "SOPInstanceUID": "", "SOPClassUID": ""}, model="ups"
    )
    assert (found.SOPInstanceUID, found.SOPClassUID) == (STEP, PUSH)
    assert act(PUSH, STEP, 1, change("IN PROGRESS"), over=PULL).status == 0
    assert act(PUSH, STEP, 1, change("IN PROGRESS", OTHER), over=PULL).status == 0xC301
    late = act(PUSH, STEP, 1, change("COMPLETED"), over=PULL)
    assert (late.status, late.comment[:8]) == (0xC304, "missing:")
    changes = performed()
    changes.TransactionUID = LOCK
    assert association.n_set(PUSH, STEP, changes, over=PULL).status == 0
    assert act(PUSH, STEP, 2, data_set(ReasonForCancellation="no"), over=PUSH).status == 0
    assert act(PUSH, STEP, 1, change("COMPLETED"), over=PULL).status == 0
    for over in (PUSH, PULL, WATCH):
        got = association.n_get(PUSH, STEP, [0x00741000, 0x00100010], over=over)
        assert got.dataset is not None
        assert (got.status, got.dataset.ProcedureStepState, len(got.dataset)) == (0, "COMPLETED", 2)
    whole = association.n_get(PUSH, STEP, over=WATCH).dataset
    assert whole is not None
    assert not {"TransactionUID", "SOPClassUID", "SOPInstanceUID"} & {element.keyword for element in whole}
    assert node.reporter.deliver() == 4
    assert watcher.got == [(1, STEP, "SCHEDULED"), (1, STEP, "IN PROGRESS"), (2, STEP, ""), (1, STEP, "COMPLETED")]


def test_reports_come_by_themselves_and_in_order(node: Node, association: net.Association, watcher: Watcher) -> None:
    with node.reporter:
        association.n_action(PUSH, GLOBAL, 3, subscription(), over=WATCH)
        for number in range(50):
            association.n_create(PUSH, step(), instance=f"1.2.{number}")
        with watcher.changed:
            watcher.changed.wait_for(lambda: len(watcher.got) == 50, 20)
    assert [uid for _, uid, _ in watcher.got] == [f"1.2.{number}" for number in range(50)]


ACTIONS: dict[str, tuple[Any, ...]] = {
    # name: (action, instance, context, information, status)
    "subscribe, no receiver": (3, GLOBAL, WATCH, subscription(aet=""), 0x0114),
    "subscribe, nothing": (3, GLOBAL, WATCH, None, 0x0114),
    "subscribe, no lock": (3, GLOBAL, WATCH, data_set(ReceivingAE="WATCH"), 0),
    "subscribe, a lock of another kind": (3, GLOBAL, WATCH, subscription(lock="MAYBE"), 0x0115),
    "subscribe who is unknown": (3, GLOBAL, WATCH, subscription(aet="NOBODY"), 0xC308),
    "subscribe to none": (3, OTHER, WATCH, subscription(), 0xC307),
    "subscribe by keys": (3, FILTERED, WATCH, subscription(WorklistLabel="A"), 0),
    "subscribe by no keys": (3, FILTERED, WATCH, subscription(), 0x0114),
    "unsubscribe": (4, STEP, WATCH, subscription(), 0),
    "unsubscribe from none": (4, OTHER, WATCH, subscription(), 0xC307),
    "unsubscribe nobody": (4, STEP, WATCH, Dataset(), 0x0114),
    "suspend": (5, GLOBAL, WATCH, subscription(), 0),
    "suspend one": (5, STEP, WATCH, subscription(), 0xC314),
    "change, over Push": (1, STEP, PUSH, change("IN PROGRESS"), 0x0123),
    "change, over Watch": (1, STEP, WATCH, change("IN PROGRESS"), 0x0123),
    "subscribe, over Pull": (3, STEP, PULL, subscription(), 0x0123),
    "cancel, over Pull": (2, STEP, PULL, Dataset(), 0x0123),
    "change, no state": (1, STEP, PULL, data_set(TransactionUID=LOCK), 0x0114),
    "change, no lock": (1, STEP, PULL, data_set(ProcedureStepState="IN PROGRESS"), 0xC301),
    "change, nothing": (1, STEP, PULL, None, 0x0114),
    "change none": (1, OTHER, PULL, change("IN PROGRESS"), 0xC307),
    "change with an empty UID": (1, "", PULL, change("IN PROGRESS"), 0xC307),
    "an action that does not exist": (9, STEP, PULL, change("IN PROGRESS"), 0x0123),
    "a state of the wrong kind": (1, STEP, PULL, data_set(ProcedureStepState=["IN PROGRESS", "X"]), 0x0115),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_actions(node: Node, association: net.Association, name: str) -> None:
    action, instance, over, told, status = ACTIONS[name]
    assert node.items.create(step(), STEP).status == 0
    assert association.n_action(PUSH, instance, action, told, over=over).status == status
    assert association.n_get(PUSH, STEP, over=PUSH).dataset.ProcedureStepState == "SCHEDULED"  # type: ignore[union-attr]


def test_without_a_reporter_nobody_subscribes() -> None:
    server = net.Server(ae="UPS", timeouts=QUICK)
    server.add(services.UnifiedProcedureSteps(services.Workitems()))
    with server, net.associate(server.address, timeouts=QUICK) as association:
        assert association.n_action(PUSH, GLOBAL, 3, subscription(), over=WATCH).status == 0xC315


def test_other_sop_classes_are_none_of_ours(association: net.Association) -> None:
    other = "1.2.840.10008.3.1.2.3.3"
    assert association.n_create(other, step(), over=PUSH).status == 0x0118
    assert association.n_get(other, STEP, over=PULL).status == 0x0118
    assert association.n_set(other, STEP, step(), over=PULL).status == 0x0118
    assert association.n_action(other, STEP, 1, step(), over=PULL).status == 0x0118
    assert association.n_create(PULL, step(), over=PUSH).status == 0  # as some peers say it
    assert association.echo().status == 0


def test_rubbish_instead_of_a_data_set(node: Node, association: net.Association) -> None:
    from dicomcore.net.blocking import Wire
    from dicomcore.net.operations import Single

    association.n_create(PUSH, step(), instance=STEP)
    wire: Wire = association._wire_for(PULL)

    def send(data: bytes) -> int:
        operation = Single(Kind.N_SET, PULL, {0x0003: PUSH, 0x1001: STEP})
        made = operation.next

        def following(contexts: Any) -> Any:
            invocation = made(contexts)
            return invocation and invocation._replace(parts=[data])

        operation.next = following  # type: ignore[method-assign]
        (response,) = wire.results(operation)
        return int(response.status)

    before = node.items.retrieve(STEP).dataset
    for data in (
        b"\0" * 8,
        b"\xff" * 64,
        b"\x74\0\0\x10CS\xff\xff",
        b"x",
        b"\x10\0\x10\0SQ\0\0" + b"\xff" * 4 + b"\0" * 9,
    ):
        assert send(data) in (0, 0x0110, 0x0106), data
    after = node.items.retrieve(STEP).dataset
    assert after is not None
    assert before is not None
    for keyword in ("PatientName", "ProcedureStepState", "ProcedureStepLabel"):
        assert after[keyword].value == before[keyword].value
    with suppress(NetworkError):
        assert send(b"\0" * (20 << 20)) == 0xA700  # more than is taken into memory


# -- pynetdicom


def test_pynetdicom_pushes_pulls_and_watches(node: Node) -> None:
    pynetdicom = pytest.importorskip("pynetdicom")
    from pydicom.dataset import Dataset as Theirs
    from pynetdicom import evt

    got: list[tuple[int, str]] = []

    def report(event: Any) -> Any:
        got.append((event.event_type, event.request.AffectedSOPInstanceUID))
        return 0x0000, None

    def theirs(ds: Dataset) -> Any:
        made = Theirs()
        for element in ds:
            value = element.value
            setattr(made, element.keyword, [theirs(item) for item in value] if element.VR == "SQ" else value)
        return made

    listening = pynetdicom.AE("THEM")
    listening.add_supported_context(EVENT, scu_role=True, scp_role=True)
    there = listening.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)])
    try:
        node.reporter._peers = {"THEM": f"127.0.0.1:{there.server_address[1]}"}
        entity = pynetdicom.AE("THEM")
        for uid in (PUSH, PULL, WATCH):
            entity.add_requested_context(uid)
        one = entity.associate("127.0.0.1", node.server.port, ae_title="UPS")
        assert one.is_established

        def act(action: int, ds: Dataset, uid: str, meta: str) -> int:
            return int(one.send_n_action(theirs(ds), action, PUSH, uid, meta_uid=meta)[0].Status)

        assert act(3, subscription("THEM"), GLOBAL, WATCH) == 0
        assert one.send_n_create(theirs(step()), PUSH, STEP)[0].Status == 0
        answers = list(one.send_c_find(theirs(data_set(ProcedureStepState="SCHEDULED", PatientID="")), PULL))
        assert [status.Status for status, _ in answers] == [0xFF00, 0]
        assert answers[0][1].PatientID == "1"
        assert act(1, change("IN PROGRESS"), STEP, PULL) == 0
        changes = performed()
        changes.TransactionUID = LOCK
        assert one.send_n_set(theirs(changes), PUSH, STEP, meta_uid=PULL)[0].Status == 0
        assert act(1, change("COMPLETED", OTHER), STEP, PULL) == 0xC301
        assert act(1, change("COMPLETED"), STEP, PULL) == 0
        assert act(1, change("COMPLETED"), STEP, PULL) == 0xB306
        status, found = one.send_n_get([0x00741000], PUSH, STEP, meta_uid=WATCH)
        assert (status.Status, found.ProcedureStepState) == (0, "COMPLETED")
        one.release()
        assert node.reporter.deliver() == 3
    finally:
        there.shutdown()
    assert got == [(1, STEP)] * 3


def test_a_manager_of_pynetdicom() -> None:
    pynetdicom = pytest.importorskip("pynetdicom")
    from pynetdicom import evt

    seen: list[tuple[str, str, str]] = []

    def noted(event: Any) -> Any:
        request = event.request
        seen.append((type(request).__name__, event.context.abstract_syntax, str(request.RequestedSOPClassUID)))
        return 0x0000, None

    entity = pynetdicom.AE("THEM")
    for uid in (PUSH, PULL, WATCH):
        entity.add_supported_context(uid)
    handlers = [(kind, noted) for kind in (evt.EVT_N_SET, evt.EVT_N_ACTION, evt.EVT_N_GET)]
    there = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        with net.associate(
            f"THEM@127.0.0.1:{there.server_address[1]}", contexts=[PUSH, PULL, WATCH], timeouts=QUICK
        ) as association:
            assert association.n_set(PUSH, STEP, data_set(PatientID="1"), over=PULL).status == 0
            assert association.n_action(PUSH, STEP, 1, change("IN PROGRESS"), over=PULL).status == 0
            assert association.n_action(PUSH, STEP, 3, subscription(), over=WATCH).status == 0
    finally:
        there.shutdown()
    assert seen == [("N_SET", PULL, PUSH), ("N_ACTION", PULL, PUSH), ("N_ACTION", WATCH, PUSH)]
