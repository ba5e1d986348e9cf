"""UPS-RS: workitems from their creation to their end, subscriptions, and reports over a WebSocket; commitment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dicomcore import Dataset, catalogue, dcmread, new_uid, services, web
from dicomcore.services.ledger import Ledger
from tests.web.calling import FILES, Caller, calling, place_of

JSON = {"content-type": "application/dicom+json"}
GLOBAL = "1.2.840.10008.5.1.4.34.5"


def step(**values: Any) -> Dataset:
    """A scheduled step with what a new one must have (PS3.4 Table CC.2.5-3)."""
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.34.6.1"
    ds.ScheduledProcedureStepPriority = "MEDIUM"
    ds.ProcedureStepLabel = "Fuse"
    ds.WorklistLabel = "FUSION"
    ds.ScheduledProcedureStepStartDateTime = "20260101120000"
    ds.ScheduledProcedureStepModificationDateTime = "20260101120000"
    ds.InputReadinessState = "READY"
    ds.ProcedureStepState = "SCHEDULED"
    ds.PatientName, ds.PatientID = "Doe^Jane", "1"
    ds.PatientBirthDate = ds.PatientSex = ds.AdmissionID = ""
    ds.IssuerOfAdmissionIDSequence = ds.ScheduledWorkitemCodeSequence = ds.ScheduledProcessingParametersSequence = []
    ds.ScheduledStationNameCodeSequence = ds.ScheduledStationClassCodeSequence = []
    ds.ScheduledStationGeographicLocationCodeSequence = ds.ReferencedRequestSequence = ds.InputInformationSequence = []
    ds.AdmittingDiagnosesDescription = ""
    ds.AdmittingDiagnosesCodeSequence = []
    ds.StudyInstanceUID = "1.2.3"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


@pytest.fixture
def department(tmp_path: Path) -> Iterator[tuple[Caller, services.Workitems]]:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        items = services.Workitems(ledger)
        with calling(tmp_path / "store", workitems=items) as (caller, _):
            yield caller, items


def post(caller: Caller, path: str, ds: Dataset | None = None, method: str = "POST") -> httpx.Response:
    body = b"" if ds is None else f"[{ds.to_json()}]".encode()
    return caller.ask(method, path, content=body, headers=JSON)


def state(value: str, transaction: str) -> Dataset:
    ds = Dataset()
    ds.ProcedureStepState, ds.TransactionUID = value, transaction
    return ds


def test_a_workitem_from_its_creation_to_its_end(department: tuple[Caller, services.Workitems]) -> None:
    caller, _ = department
    uid, owner = new_uid(), new_uid()
    made = post(caller, f"/workitems?{uid}", step())
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"http://node/workitems/{uid}"
    assert post(caller, f"/workitems?workitem={uid}", step()).status_code == 409
    (model,) = caller.get(f"/workitems/{uid}").json()
    assert model["00741204"]["Value"] == ["Fuse"]
    assert "00081195" not in model
    assert "Fuse" in caller.get(f"/workitems/{uid}", "application/dicom+xml").text
    (found,) = caller.get("/workitems?ProcedureStepState=SCHEDULED&PatientName=DOE*").json()
    assert found["00080018"]["Value"] == [uid]
    assert caller.get("/workitems?ProcedureStepState=COMPLETED").status_code == 204
    begun = post(caller, f"/workitems/{uid}/state", state("IN PROGRESS", owner), "PUT")
    assert begun.status_code == 200, begun.text
    assert post(caller, f"/workitems/{uid}/state", state("IN PROGRESS", new_uid()), "PUT").status_code == 409
    change = Dataset()
    change.ProcedureStepLabel = "Fuse more"
    assert post(caller, f"/workitems/{uid}", change).status_code == 409, "it has an owner"
    for spelling in ("transaction-uid", "TransactionUID", "transaction"):
        assert post(caller, f"/workitems/{uid}?{spelling}={owner}", change).status_code == 200
    assert post(caller, f"/workitems/{uid}?{owner}", change).status_code == 200
    assert caller.get(f"/workitems/{uid}").json()[0]["00741204"]["Value"] == ["Fuse more"]
    assert post(caller, f"/workitems/{uid}/state", state("CANCELED", owner), "PUT").status_code in (200, 409)


REFUSED = {
    "/workitems/1.2.3.4": ("GET", 404),
    "/workitems/1.2.3.4/state": ("PUT", 400),
    "/workitems/1.2.3.4/cancelrequest": ("POST", 404),
    "/workitems/1.2.3.4/what": ("GET", 404),
    "/workitems": ("DELETE", 405),
    "/workitems?limit=a": ("GET", 400),
    "/workitems?NoSuchThing=1": ("GET", 400),
    f"/workitems/{GLOBAL}/subscribers/{'X' * 17}": ("POST", 400),
    f"/workitems/{GLOBAL}/subscribers/X/what": ("POST", 404),
    "/workitems/1.2/subscribers/X/suspend": ("POST", 400),
}


@pytest.mark.parametrize(("path", "asked"), REFUSED.items(), ids=REFUSED)
def test_what_is_refused(department: tuple[Caller, services.Workitems], path: str, asked: tuple[str, int]) -> None:
    caller, _ = department
    answer = caller.ask(asked[0], path, headers=JSON)
    assert answer.status_code == asked[1], answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"{", b"[1]", b"[-5]", b"[5000000000]", b"[[]]", b'"a"', b"[{},{}]", b'{"0":1}'])
def test_bodies_that_are_none(department: tuple[Caller, services.Workitems], body: bytes) -> None:
    caller, _ = department
    assert caller.ask("POST", "/workitems", content=body, headers=JSON).status_code == 400


def test_without_a_worklist(tmp_path: Path) -> None:
    with calling(tmp_path) as (caller, _):
        assert caller.get("/workitems").status_code == 404


def test_reports_come_over_a_websocket(tmp_path: Path) -> None:
    websockets = pytest.importorskip("websockets.sync.client")
    with (
        Ledger(tmp_path / "ledger.sqlite") as ledger,
        catalogue.open(tmp_path / "store") as held,
        web.Running(web.app(held, workitems=services.Workitems(ledger))) as running,
        httpx.Client(base_url=running.url) as client,
    ):
        asked = client.post(f"/workitems/{GLOBAL}/subscribers/VIEWER")
        assert asked.status_code == 201
        place = asked.headers["content-location"]
        assert place == running.url.replace("http", "ws") + "/subscribers/VIEWER"
        uid = new_uid()
        before = client.post(f"/workitems?{uid}", content=f"[{step().to_json()}]", headers=JSON)
        assert before.status_code == 201
        with websockets.connect(place) as connection:
            first = json.loads(connection.recv(timeout=10))
            assert first["00001000"]["Value"] == [uid]
            owner = new_uid()
            ds = state("IN PROGRESS", owner)
            client.put(f"/workitems/{uid}/state", content=f"[{ds.to_json()}]", headers=JSON)
            states = [first.get("00741000", {}).get("Value")]
            while ["IN PROGRESS"] not in states:
                states.append(json.loads(connection.recv(timeout=10)).get("00741000", {}).get("Value"))
        assert client.delete(f"/workitems/{GLOBAL}/subscribers/VIEWER").status_code == 200
        from websockets.exceptions import InvalidStatus

        with pytest.raises(InvalidStatus), websockets.connect(place, origin="https://evil.example"):
            pass
        with pytest.raises(InvalidStatus), websockets.connect(running.url.replace("http", "ws") + "/nothing"):
            pass


def test_commitment(tmp_path: Path) -> None:
    ct = dcmread(FILES["CT_small.dcm"])
    asked = Dataset()
    items = []
    for sop_class, uid in ((ct.SOPClassUID, ct.SOPInstanceUID), (ct.SOPClassUID, "1.2.3")):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
        items.append(item)
    asked.ReferencedSOPSequence = items
    with calling(tmp_path) as (caller, _):
        caller.store([FILES["CT_small.dcm"]])
        taken = post(caller, "/commitment-requests/1.2.3.4", asked)
        assert taken.status_code == 202
        model = caller.get(taken.headers["location"]).json()
        assert model["00081199"]["Value"][0]["00081155"]["Value"] == [str(ct.SOPInstanceUID)]
        assert model["00081198"]["Value"][0]["00081155"]["Value"] == ["1.2.3"]
        assert "1.2.3" in caller.get("/commitment-requests/1.2.3.4", "application/dicom+xml").text
        assert caller.get("/commitment-requests/1.9").status_code == 404
        assert post(caller, "/commitment-requests/1.9", Dataset()).status_code == 400
        assert post(caller, "/commitment-requests/x", asked).status_code == 404
        assert caller.get(place_of(FILES["CT_small.dcm"])).status_code == 200
