"""Storage commitment: over the same association and another, found and lost, remembered, and with pynetdicom."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomcore import Dataset, catalogue, dcmread, net, services
from dicomcore.errors import NetworkError
from dicomcore.net.commands import Kind
from dicomcore.services.commitment import INSTANCE, PUSH_MODEL, Reference, check
from dicomcore.services.reporter import FIRST
from tests.net.test_server import FILES, QUICK

SOME = FILES[:4]
KNOWN = [Reference(str(dcmread(path).SOPClassUID), str(dcmread(path).SOPInstanceUID)) for path in SOME]
GONE = Reference("1.2.840.10008.5.1.4.1.1.2", "1.2.3.4")


class Node:
    """A server that keeps instances and commits itself; addresses of others are added as they come."""

    def __init__(self, folder: Path) -> None:
        self.now = 1e9
        self.peers: dict[str, str] = {}
        self.store = catalogue.open(folder / "store")
        self.ledger = services.Ledger(folder / "ledger.sqlite", clock=lambda: self.now)
        self.reporter = services.Reporter(self.ledger, self.peers, calling="NODE", timeouts=QUICK)
        self.server = net.Server(ae="NODE", timeouts=QUICK)
        self.server.add(services.Storage(self.store), services.Commitment(self.store, self.ledger, self.reporter))

    def waiting(self) -> int:
        return len(self.ledger.reports("ME"))

    def has_told(self) -> bool:
        """Whether no report waits any more; what the peer answered may be a moment on its way."""
        until = time.monotonic() + 10
        while self.waiting() and time.monotonic() < until:
            time.sleep(0.01)
        return not self.waiting()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    with made.store, made.ledger, made.server:
        with net.associate(made.server.address, timeouts=QUICK) as association:
            assert {int(one.status) for one in association.store(SOME)} == {0}
        yield made


def ask(node: Node, references: Any, **options: Any) -> services.Committed:
    return services.commit(node.server.address, references, calling="ME", timeouts=QUICK, wait=10, **options)


def test_over_the_same_association(node: Node) -> None:
    result = ask(node, KNOWN)
    assert (set(result.kept), result.failed, result.is_whole) == (set(KNOWN), {}, True)
    assert node.has_told()


def test_over_an_association_of_the_providers(node: Node, free_port: int) -> None:
    node.peers["ME"] = f"127.0.0.1:{free_port}"
    with node.reporter:
        result = ask(node, [*KNOWN, GONE], listen=f"127.0.0.1:{free_port}")
    assert (set(result.kept), result.failed) == (set(KNOWN), {GONE: 0x0112})
    assert node.has_told()


def test_reasons(node: Node) -> None:
    conflict = Reference(GONE.sop_class + ".1", KNOWN[0].sop_instance)
    (row,) = node.store.search(catalogue.compile_identifier(_keys(KNOWN[1].sop_instance), level="IMAGE"))
    os.unlink(row["path"])
    (row,) = node.store.search(catalogue.compile_identifier(_keys(KNOWN[2].sop_instance), level="IMAGE"))
    Path(row["path"]).write_bytes(b"cut")
    wanted = [KNOWN[0], KNOWN[0], conflict, GONE, KNOWN[1], KNOWN[2]]
    assert check(node.store, wanted) == {
        KNOWN[0]: 0, conflict: 0x0119, GONE: 0x0112, KNOWN[1]: 0x0110, KNOWN[2]: 0x0110,
    }  # fmt: skip
    result = ask(node, wanted)
    assert result.kept == (KNOWN[0],)
    assert result.failed == {conflict: 0x0119, GONE: 0x0112, KNOWN[1]: 0x0110, KNOWN[2]: 0x0110}


def _keys(uid: str) -> Dataset:
    made = Dataset()
    made.SOPInstanceUID = uid
    return made


def test_many_references(node: Node) -> None:
    many = [Reference(GONE.sop_class, f"1.2.3.{number}") for number in range(3000)]
    result = ask(node, [*KNOWN, *many])
    assert (set(result.kept), len(result.failed)) == (set(KNOWN), 3000)


def test_a_peer_that_cannot_be_reached_is_tried_again(node: Node, tmp_path: Path) -> None:
    node.peers["ME"] = "127.0.0.1:1"
    with net.associate(node.server.address, calling="ME", timeouts=QUICK) as association:
        transaction = services.request_commitment(association, KNOWN)
        assert association.report(0) is None
    node.now += 3600
    assert node.reporter.deliver() == 0
    (kept,) = node.ledger.reports("ME")
    assert (kept.tries, kept.dataset.TransactionUID) == (1, transaction)
    assert node.reporter.deliver() == 0  # not due
    node.now += FIRST + 1
    receiver = services.CommitmentReceiver()
    with services.Ledger(tmp_path / "ledger.sqlite", clock=lambda: node.now) as again:  # another process would do it
        server = net.Server(ae="ME", timeouts=QUICK)
        server.add(receiver)
        with server:
            peers = {"ME": server.address}
            assert services.Reporter(again, peers, calling="NODE", timeouts=QUICK).deliver() == 1
        result = receiver.result(transaction)
    assert result is not None
    assert set(result.kept) == set(KNOWN)
    assert node.waiting() == 0


def test_a_report_is_given_up_some_day(node: Node) -> None:
    node.ledger.post("ME", PUSH_MODEL, INSTANCE, 1, _keys("1.2"))
    reporter = services.Reporter(node.ledger, {"ME": "127.0.0.1:1"}, tries=3, timeouts=QUICK)
    for _ in range(3):
        assert node.waiting() == 1
        reporter.deliver()
        node.now += 4000
    assert node.waiting() == 0


REQUESTS: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    # name: (attributes, of the request, status)
    "no transaction": ({"TransactionUID": None}, {}, 0x0114),
    "an empty one": ({"TransactionUID": ""}, {}, 0x0114),
    "no UID": ({"TransactionUID": "../x"}, {}, 0x0115),
    "no references": ({"ReferencedSOPSequence": None}, {}, 0x0114),
    "empty": ({"ReferencedSOPSequence": []}, {}, 0x0115),
    "another action": ({}, {"action": 2}, 0x0123),
    "another instance": ({}, {"instance": "1.2.3"}, 0x0112),
    "another class": ({}, {"sop_class": "1.2.840.10008.1.20.2"}, 0x0118),
    "no data set": ({"TransactionUID": None, "ReferencedSOPSequence": None}, {}, 0x0114),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_that_are_refused(node: Node, name: str) -> None:
    values, changes, status = REQUESTS[name]
    item, ds = Dataset(), Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = KNOWN[0]
    for keyword, value in ({"TransactionUID": "1.2.3", "ReferencedSOPSequence": [item]} | values).items():
        if value is not None:
            ds.validation = "ignore"
            setattr(ds, keyword, value)
    given = {"sop_class": PUSH_MODEL, "instance": INSTANCE, "action": 1} | changes
    with net.associate(node.server.address, calling="ME", timeouts=QUICK) as association:
        response = association.n_action(
            given["sop_class"], given["instance"], given["action"], ds or None, over=PUSH_MODEL
        )
        assert response.status == status
        assert association.echo().status == 0
    assert node.waiting() == 0


@pytest.mark.parametrize("missing", ["ReferencedSOPClassUID", "ReferencedSOPInstanceUID"])
def test_a_reference_without_a_uid(node: Node, missing: str) -> None:
    item, ds = Dataset(), Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = KNOWN[0]
    delattr(item, missing)
    ds.TransactionUID, ds.ReferencedSOPSequence = "1.2.3", [item]
    with net.associate(node.server.address, timeouts=QUICK) as association:
        assert association.n_action(PUSH_MODEL, INSTANCE, 1, ds).status == 0x0115


def test_a_provider_that_refuses_or_says_nothing() -> None:
    server = net.Server(ae="NODE", timeouts=QUICK)
    server.service(Kind.N_ACTION, [PUSH_MODEL], lambda request: 0 if request.peer.calling == "A" else 0x0213)
    with server:
        with pytest.raises(NetworkError, match="refused: resource limitation"):
            services.commit(server.address, KNOWN, calling="B", timeouts=QUICK)
        with pytest.raises(NetworkError, match="no result of the commitment"):
            services.commit(server.address, KNOWN, calling="A", timeouts=QUICK, wait=0.3)


# -- pynetdicom


def test_pynetdicom_asks(node: Node) -> None:
    pynetdicom = pytest.importorskip("pynetdicom")
    from pydicom.dataset import Dataset as Theirs
    from pynetdicom import evt

    got: list[tuple[int, Any]] = []
    came = threading.Event()

    def report(event: Any) -> Any:
        got.append((event.event_type, event.event_information))
        came.set()
        return 0x0000, None

    ds, items = Theirs(), []
    for reference in [*KNOWN, GONE]:
        item = Theirs()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = reference
        items.append(item)
    ds.TransactionUID, ds.ReferencedSOPSequence = "1.2.3.9", items
    entity = pynetdicom.AE("THEM")
    entity.add_requested_context(PUSH_MODEL)
    handlers = [(evt.EVT_N_EVENT_REPORT, report)]
    there = entity.associate("127.0.0.1", node.server.port, ae_title="NODE", evt_handlers=handlers)
    assert there.is_established
    status, _ = there.send_n_action(ds, 1, PUSH_MODEL, INSTANCE)
    assert status.Status == 0
    assert came.wait(10)
    there.release()
    ((event, information),) = got
    assert (event, information.TransactionUID, len(information.ReferencedSOPSequence)) == (2, "1.2.3.9", len(KNOWN))
    assert information.FailedSOPSequence[0].FailureReason == 0x0112

    # over an association of ours, in the role of SCP
    came.clear()
    entity = pynetdicom.AE("THEM")
    entity.add_supported_context(PUSH_MODEL, scu_role=True, scp_role=True)
    listening = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        node.peers["THEM"] = f"127.0.0.1:{listening.server_address[1]}"
        asking = pynetdicom.AE("THEM")
        asking.add_requested_context(PUSH_MODEL)
        there = asking.associate("127.0.0.1", node.server.port, ae_title="NODE")
        status, _ = there.send_n_action(ds, 1, PUSH_MODEL, INSTANCE)
        there.release()
        assert status.Status == 0
        node.now += 3600
        assert node.reporter.deliver() == 1
    finally:
        listening.shutdown()
    assert got[1][1].TransactionUID == "1.2.3.9"


def test_pynetdicom_commits(free_port: int) -> None:
    pynetdicom = pytest.importorskip("pynetdicom")
    from pydicom.dataset import Dataset as Theirs
    from pynetdicom import build_role, evt

    def act(event: Any) -> Any:
        asked = event.action_information
        threading.Thread(target=answer, args=(asked,), daemon=True).start()
        return 0x0000, None

    def answer(asked: Any) -> None:
        result = Theirs()
        result.TransactionUID, result.ReferencedSOPSequence = asked.TransactionUID, asked.ReferencedSOPSequence
        back = pynetdicom.AE("THEM")
        back.add_requested_context(PUSH_MODEL)
        role = build_role(PUSH_MODEL, scp_role=True)
        there = back.associate("127.0.0.1", free_port, ae_title="ME", ext_neg=[role])
        if there.is_established:
            there.send_n_event_report(result, 1, PUSH_MODEL, INSTANCE)
            there.release()

    entity = pynetdicom.AE("THEM")
    entity.add_supported_context(PUSH_MODEL)
    listening = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_ACTION, act)])
    try:
        result = services.commit(
            f"THEM@127.0.0.1:{listening.server_address[1]}", KNOWN, calling="ME",
            listen=f"127.0.0.1:{free_port}", timeouts=QUICK, wait=10,
        )  # fmt: skip
    finally:
        listening.shutdown()
    assert (set(result.kept), result.failed) == (set(KNOWN), {})
