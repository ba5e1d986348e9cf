"""What DIMSE services tell an audit trail: each event once, of whoever did it, and nothing without a hook."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pydicom.data
import pytest

from dicomcore import audit, catalogue, dcmread, net, services
from dicomcore.errors import NetworkError
from dicomcore.net.items import Identity
from tests.audit.events import Told
from tests.net.test_tls import pair

__all__ = ["pair"]

PYDICOM = Path(pydicom.data.__file__).parent / "test_files"
CT, MR = PYDICOM / "CT_small.dcm", PYDICOM / "MR_small.dcm"
PEER = audit.Party("CALLER", ("CALLER",), host="127.0.0.1", is_requestor=True)


def counts(event: Any) -> dict[str, list[tuple[str, int, tuple[str, ...]]]]:
    """Instances of an event by study."""
    return {study.uid: [tuple(one) for one in study.instances] for study in event.studies}


def expected(*paths: Path) -> dict[str, list[tuple[str, int, tuple[str, ...]]]]:
    made = {}
    for path in paths:
        ds = dcmread(path)
        made[str(ds.StudyInstanceUID)] = [(str(ds.SOPClassUID), 1, (str(ds.SOPInstanceUID),))]
    return made


def test_a_node_comes_and_goes(tmp_path: Path) -> None:
    told = Told()
    with net.Server("PACS", folder=tmp_path, audit=told):
        pass
    first, last = told.of(audit.NetworkEntry)
    assert (first.is_attached, last.is_attached, len(told)) == (True, False, 2)
    assert first.node.titles == ("PACS",)


@pytest.mark.parametrize("few", [2, 1 << 30], ids=["thread", "loop"])
def test_storage(tmp_path: Path, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomcore.net.server.FEW", few)
    told = Told()
    with catalogue.open(tmp_path) as store:
        server = net.Server("PACS", audit=told)
        server.add(services.Storage(store))
        with server:
            for _ in range(2):
                with net.associate(server.address, calling="CALLER") as association:
                    for _ in range(4):
                        assert [int(one.status) for one in association.store([CT, MR])] == [0, 0]
    events = told.of(audit.InstancesTransferred)
    assert {event.source for event in events} == {PEER}
    assert {event.destination.titles for event in events} == {("PACS",)}
    for path in (CT, MR):
        ds = dcmread(path)
        of_patient = [event for event in events if event.patient.id == ds.PatientID]
        assert [event.action for event in of_patient] == ["C", "R", "R"]
        assert {event.patient.name for event in of_patient} == {str(ds.PatientName)}
        assert all(counts(event) == expected(path) for event in of_patient)


@pytest.mark.parametrize(("duplicates", "action", "outcome"), [
    ("keep", "R", 0), ("replace", "U", 0), ("version", "U", 0), ("reject", "R", audit.MINOR),
])  # fmt: skip
def test_another_instance_with_the_uid(tmp_path: Path, duplicates: str, action: str, outcome: int) -> None:
    changed = dcmread(CT)
    changed.InstitutionName = "another"
    told = Told()
    with catalogue.open(tmp_path) as store:
        server = net.Server("PACS", audit=told)
        server.add(services.Storage(store, duplicates=duplicates))
        with server:
            for one in (CT, changed):
                with net.associate(server.address) as association:
                    list(association.store([one]))
    first, second = told.of(audit.InstancesTransferred)
    assert (first.action, first.outcome) == ("C", 0)
    assert (second.action, second.outcome) == (action, outcome)
    assert bool(second.reason) == bool(outcome)
    assert counts(second) == expected(CT)


def test_a_folder_and_functions(tmp_path: Path) -> None:
    told = Told()
    refusing = net.Server("REFUSES", audit=told)

    @refusing.store
    def refuse(request: net.Request) -> int:
        raise net.Failure(0xA700, "no room today")

    with net.Server("FOLDER", folder=tmp_path, audit=told) as folder, refusing:
        for address in (folder.address, refusing.address):
            with net.associate(address, calling="CALLER") as association:
                for _ in range(5):
                    list(association.store([CT]))
    of_folder = [event for event in told.of(audit.InstancesTransferred) if event.destination.titles == ("FOLDER",)]
    of_function = [event for event in told.of(audit.InstancesTransferred) if event.destination.titles == ("REFUSES",)]
    assert [event.action for event in of_folder] == ["C", "R"]
    assert [(event.outcome, event.reason) for event in of_function] == [(audit.MINOR, "no room today")]
    assert all(counts(event) == expected(CT) for event in (*of_folder, *of_function))


def test_queries(tmp_path: Path) -> None:
    told = Told()
    with catalogue.open(tmp_path) as store:
        server = net.Server("PACS", audit=told)
        server.add(services.Query(store))
        with server, net.associate(server.address, calling="CALLER") as association:
            list(association.find({"PatientName": "Doe*"}, level="STUDY"))
            with pytest.raises(NetworkError):
                list(association.find({"StudyDate": "2024-01-01"}, level="STUDY"))
    good, bad = told.of(audit.Query)
    assert (good.outcome, bad.outcome) == (0, audit.FAILURE)
    assert good.source == PEER
    assert b"Doe*" in good.query
    assert good.sop_class == "1.2.840.10008.5.1.4.1.2.2.1"
    assert good.transfer_syntax.startswith("1.2.840.10008.1.2")


@pytest.mark.parametrize("how", ["get", "move", "lost"])
def test_retrieval(tmp_path: Path, how: str) -> None:
    told = Told()
    with catalogue.open(tmp_path / "store") as store, net.Server("OTHER", folder=tmp_path / "other") as other:
        server = net.Server("PACS", audit=told)
        peers = {"OTHER": other.address, "NOBODY": "127.0.0.1:1"}
        server.add(services.Storage(store), services.Retrieve(store, peers))
        with server, net.associate(server.address, calling="CALLER") as association:
            list(association.store([CT]))
            ds = dcmread(CT)
            keys = {"StudyInstanceUID": ds.StudyInstanceUID}
            if how == "get":
                storage = {(str(ds.SOPClassUID), (str(ds.transfer_syntax),))}
                with net.associate(server.address, calling="CALLER") as second:
                    list(second.get(keys, into=tmp_path / "got", storage=storage))
            else:
                list(association.move(keys, to="OTHER" if how == "move" else "NOBODY"))
    (begun,) = told.of(audit.BeginTransferring)
    (over,) = [event for event in told.of(audit.InstancesTransferred) if event.source.titles == ("PACS",)]
    assert begun.patient == over.patient == audit.Patient(str(ds.PatientID), str(ds.PatientName))
    assert counts(begun) == counts(over) == expected(CT)
    assert begun.source == over.source
    assert begun.source.titles == ("PACS",)
    assert over.outcome == (audit.MINOR if how == "lost" else 0)
    if how == "get":
        assert (over.destination, over.others) == (PEER, ())
    else:
        assert over.destination.titles == ("OTHER",) if how == "move" else ("NOBODY",)
        assert over.others == (PEER,)


def test_forwarding(tmp_path: Path) -> None:
    told = Told()
    with catalogue.open(tmp_path / "store") as store, net.Server("OTHER", folder=tmp_path / "other") as other:
        part = store.part()
        Path(part).write_bytes(CT.read_bytes())
        store.receive(part, source="").result()
        forwarding = services.Forwarding(store, {"OTHER": other.address}, audit=told)
        forwarding.later("OTHER", store.instances(instance=str(dcmread(CT).SOPInstanceUID)), calling="PACS")
        assert forwarding.runner.step()
    begun, over = told
    assert isinstance(begun, audit.BeginTransferring)
    assert isinstance(over, audit.InstancesTransferred)
    assert counts(begun) == counts(over) == expected(CT)
    assert over.destination == audit.Party("OTHER", ("OTHER",), host="127.0.0.1")


def test_users_and_strangers(tmp_path: Path) -> None:
    told = Told()

    def authenticate(identity: Identity, request: Any) -> str | None:
        return "jane" if identity.secondary == b"secret" else None

    with net.Server("PACS", folder=tmp_path, authenticate=authenticate, audit=told) as server:
        with net.associate(server.address, calling="CALLER", identity=net.Identity(2, b"jdoe", b"secret")) as one:
            one.echo()
        for identity in (net.Identity(2, b"mallory", b"guess"), None):
            for _ in range(3):
                with pytest.raises(NetworkError):
                    net.associate(server.address, calling="CALLER", identity=identity)
        with pytest.raises(NetworkError):
            net.associate(server.address.replace("PACS", "NOPE"), calling="CALLER")
    assert [(one.is_login, one.outcome, one.user.user) for one in told.of(audit.UserAuthentication)] == [
        (True, 0, "jane"), (False, 0, "jane"), (True, audit.MINOR, "mallory"), (True, audit.MINOR, ""),
    ]  # fmt: skip
    (alert,) = told.of(audit.SecurityAlert)
    assert alert.description == "an association with 'NOPE', which is not served here"
    assert alert.subject == "127.0.0.1"
    for event in told:
        assert "secret" not in repr(event)
        assert "guess" not in repr(event)


def test_no_tls(pair: tuple[Path, Path], tmp_path: Path) -> None:
    told = Told()
    tls = net.tls_context(server=True, certificate=pair[0], key=pair[1], trust=pair[0])
    with net.Server("PACS", folder=tmp_path, tls=tls, audit=told) as server, pytest.raises(NetworkError):
        net.associate(server.address)
    (alert,) = told.of(audit.SecurityAlert)
    assert alert.description.startswith("no TLS connection: ")
    assert alert.kind.meaning == "Node Authentication"


def test_nothing_is_loaded_without_a_hook() -> None:
    code = "import sys; from dicomcore import net, services; net.Server(); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "dicomcore.services" in found.stdout.split()
    assert "dicomcore.audit" not in found.stdout
