"""What the web service tells an audit trail: the same events as the DIMSE services, of requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from dicomcore import audit, dcmread
from tests.audit.events import Told
from tests.web.calling import FILES, Caller, calling, place_of

CT, MR = FILES["CT_small.dcm"], FILES["MR_small.dcm"]
PLACE = place_of(CT)
STUDY = PLACE.split("/series")[0]
WADO = "/wado?requestType=WADO&studyUID={}&seriesUID={}&objectUID={}".format(*PLACE.split("/")[2::2])


@contextmanager
def asking(folder: Path, **options: Any) -> Iterator[tuple[Caller, Told]]:
    """A caller of a service that has one CT; what it told of that is forgotten."""
    told = Told()
    with calling(folder, audit=told, **options) as (caller, _):
        assert caller.store([CT]).status_code == 200
        caller_node(caller).audit._gathered.flush()
        told.clear()
        yield caller, told


def caller_node(caller: Caller) -> Any:
    return caller._client._transport.app.node  # type: ignore[attr-defined]


def about(path: Path) -> tuple[str, audit.Patient]:
    ds = dcmread(path)
    return str(ds.StudyInstanceUID), audit.Patient(str(ds.PatientID), str(ds.PatientName))


def test_storage(tmp_path: Path) -> None:
    told = Told()
    with calling(tmp_path, audit=told) as (caller, _):
        assert caller.store([CT, MR]).status_code == 200
        caller_node(caller).audit._gathered.flush()
        assert caller.store([CT]).status_code == 200
        caller_node(caller).audit._gathered.flush()
        assert caller.store([b"nothing", MR]).status_code == 202
    events = told.of(audit.InstancesTransferred)
    assert sorted((one.patient.id, one.action, one.outcome) for one in events) == sorted([
        (about(CT)[1].id, "C", 0), (about(MR)[1].id, "C", 0), (about(CT)[1].id, "R", 0), (about(MR)[1].id, "R", 0),
        ("", "R", audit.MINOR),
    ])  # fmt: skip
    ct = next(one for one in events if one.patient.id == about(CT)[1].id)
    assert (ct.studies[0].uid, ct.patient) == about(CT)
    assert ct.studies[0].instances[0].uids == (str(dcmread(CT).SOPInstanceUID),)
    assert ct.source.host == "127.0.0.1"
    assert ct.source.is_requestor


@pytest.mark.parametrize("path", [
    f"{PLACE}/metadata", f"{STUDY}/metadata", f"{PLACE}/frames/1", f"{PLACE}/rendered", f"{PLACE}/thumbnail",
    f"{PLACE}/pixeldata", f"{PLACE}/frames/1/rendered", WADO,
])  # fmt: skip
def test_what_is_looked_at(tmp_path: Path, path: str) -> None:
    with asking(tmp_path) as (caller, told):
        for _ in range(3):
            assert caller.get(path, "*/*").status_code == 200
    (event,) = told.of(audit.InstancesAccessed)
    assert (event.studies[0].uid, event.patient) == about(CT)
    assert (event.action, event.outcome) == ("R", 0)
    assert len(told) == 1


@pytest.mark.parametrize("path", [PLACE, STUDY, f"{WADO}&contentType=application/dicom"])
def test_what_is_sent(tmp_path: Path, path: str) -> None:
    with asking(tmp_path) as (caller, told):
        for _ in range(3):
            assert caller.get(path).status_code == 200
    (event,) = told.of(audit.InstancesTransferred)
    assert (event.studies[0].uid, event.patient) == about(CT)
    assert event.studies[0].instances == (
        audit.Instances(str(dcmread(CT).SOPClassUID), 1, (str(dcmread(CT).SOPInstanceUID),)),
    )
    assert event.destination.is_requestor
    assert event.source.name == "dicomcore"
    assert len(told) == 1


@pytest.mark.parametrize("path", ["/studies", "/series", f"{STUDY}/series"])
def test_queries(tmp_path: Path, path: str) -> None:
    with asking(tmp_path) as (caller, told):
        assert caller.get(f"{path}?PatientName=Doe%2A&limit=3").status_code in (200, 204)
    (event,) = told.of(audit.Query)
    assert (event.resource, event.query, event.sop_class) == (path, b"PatientName=Doe%2A&limit=3", "")
    assert b"Search Criteria" in audit.as_xml(event, audit.Source("PACS"))


@pytest.mark.parametrize(("path", "kind"), [(STUDY, audit.StudyDeleted), (PLACE, audit.StudyDeleted)])
def test_deleted_studies(tmp_path: Path, path: str, kind: type[Any]) -> None:
    with asking(tmp_path, delete=True) as (caller, told):
        assert caller.ask("DELETE", path).status_code == 204
        assert caller.ask("DELETE", path).status_code == 404
    (event,) = told.of(kind)
    assert (event.studies[0].uid, event.patient) == about(CT)
    assert len(told) == 1


def test_a_part_of_a_study_is_deleted(tmp_path: Path) -> None:
    other = dcmread(CT)
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    with asking(tmp_path / "store", delete=True) as (caller, told):
        other.save_as(tmp_path / "other.dcm")
        caller.store([tmp_path / "other.dcm"])
        assert caller.ask("DELETE", PLACE).status_code == 204
    (event,) = told.of(audit.InstancesAccessed)
    assert event.action == "D"
    assert not told.of(audit.StudyDeleted)


def test_what_is_not_there_is_no_access(tmp_path: Path) -> None:
    with asking(tmp_path) as (caller, told):
        assert caller.get("/studies/1.2.3/metadata").status_code == 404
        assert caller.ask("HEAD", PLACE).status_code == 200
        assert caller.ask("OPTIONS", PLACE).status_code == 200
        assert caller.get("/health").status_code == 200
    assert told == []


def test_users(tmp_path: Path) -> None:
    def auth(request: Request) -> Any:
        name = request.headers.get("x-user", "")
        return Response(status_code=403) if name == "mallory" else name

    told = Told()
    with calling(tmp_path, audit=told, auth=auth) as (caller, _):
        for _ in range(5):
            assert caller.get("/studies", x_user="jane").status_code == 204
        for _ in range(5):
            assert caller.get("/studies").status_code == 401
    good, bad = told.of(audit.UserAuthentication)
    assert (good.user.user, good.outcome) == ("jane", 0)
    assert bad.outcome == audit.MINOR
    assert [one.source.user for one in told.of(audit.Query)] == ["jane"] * 5


def test_strangers(tmp_path: Path) -> None:
    with asking(tmp_path, delete=True, hosts=("node",)) as (caller, told):
        assert caller.ask("DELETE", PLACE, headers={"origin": "https://evil.example"}).status_code == 403
        assert caller.get("/studies", host="evil.example").status_code == 421
    assert [one.kind.meaning for one in told.of(audit.SecurityAlert)] == ["Use of Restricted Function"] * 2


@pytest.mark.parametrize(("fields", "host"), [
    ({"forwarded": 'for="[2001:db8::7]:4711";proto=https'}, "2001:db8::7"),
    ({"forwarded": "for=192.0.2.60;by=203.0.113.43"}, "192.0.2.60"),
    ({"x_forwarded_for": "192.0.2.61, 198.51.100.1"}, "192.0.2.61"),
    ({}, "127.0.0.1"),
])  # fmt: skip
def test_behind_a_proxy(tmp_path: Path, fields: dict[str, str], host: str) -> None:
    for is_proxied in (True, False):
        with asking(tmp_path / str(is_proxied), proxied=is_proxied) as (caller, told):
            caller.get("/studies", **fields)
        (event,) = told.of(audit.Query)
        assert event.source.host == (host if is_proxied else "127.0.0.1")


def test_a_study_whose_patient_changes(tmp_path: Path) -> None:
    merged = dcmread(CT)
    merged.PatientID, merged.PatientName = "MERGED", "Doe^Jane"
    merged.save_as(tmp_path / "merged.dcm")
    with asking(tmp_path / "store", duplicates="replace") as (caller, told):
        caller.get(f"{PLACE}/metadata")
        caller.store([tmp_path / "merged.dcm"])
        caller.get(f"{PLACE}/metadata")
    assert [one.patient.id for one in told.of(audit.InstancesAccessed)] == [about(CT)[1].id, "MERGED"]
    assert told.of(audit.InstancesTransferred)[0].action == "U"


def test_lines_of_all_that_a_service_tells(tmp_path: Path) -> None:
    with asking(tmp_path, delete=True) as (caller, told):
        for path in (PLACE, f"{PLACE}/metadata", "/studies"):
            caller.get(path)
        caller.ask("DELETE", STUDY)
    names = {json.loads(audit.as_json(one, audit.Source("PACS")))["event"] for one in told}
    assert names == {"DICOM Instances Transferred", "DICOM Instances Accessed", "Query", "DICOM Study Deleted"}
