"""Instances that belong to no patient (PS3.18 12), at the resource of their kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dicomcore import Dataset, catalogue, dcmread, services, uids
from dicomcore.web.media import JSON, XML
from dicomcore.web.multipart import PartWriter
from dicomcore.web.objects import CLASSES
from dicomcore.web.routes import OBJECTS
from tests.services.test_objects import made
from tests.web.calling import AS_STORED, DICOM, FILES, calling, parts_of


def test_the_resources_are_those_of_the_routes() -> None:
    assert set(CLASSES) == OBJECTS
    assert services.Query  # the same kinds are found by C-FIND
    known = {str(uid) for some in catalogue.attributes.OBJECTS.values() for uid in some}
    assert {uid for some in CLASSES.values() for uid in some} == known


@pytest.mark.parametrize("kind", sorted(OBJECTS))
def test_every_kind(tmp_path: Path, kind: str) -> None:
    paths = [made(tmp_path, CLASSES[kind][-1], number) for number in range(3)]
    with calling(tmp_path / "store", delete=True) as (caller, _):
        stored = caller.store(paths, f"/{kind}")
        assert stored.status_code == 200, stored.text
        assert stored.json()["00081190"]["Value"] == [f"http://node/{kind}"]
        assert stored.json()["00081199"]["Value"][1]["00081190"]["Value"] == [f"http://node/{kind}/1.2.1"]
        found = caller.get(f"/{kind}?HangingProtocolName=Sch%C3%A4del%201").json()
        assert [row["00080018"]["Value"] for row in found] == [["1.2.1"]]
        assert found[0]["00081190"]["Value"] == [f"http://node/{kind}/1.2.1"]
        assert "0072000C" not in found[0]
        with_sequence = caller.get(f"/{kind}?HangingProtocolDefinitionSequence.Modality=CT&limit=5").json()
        assert [row["0072000C"]["Value"][0]["00080060"]["Value"] for row in with_sequence] == [["CT"]]
        page = caller.get(f"/{kind}?limit=1&offset=1&includefield=all")
        assert len(page.json()) == 1
        assert page.headers["x-total-count"] == "3"
        assert caller.get(f"/{kind}?ContentLabel=NOTHING").status_code == 204
        assert len(parts_of(caller.get(f"/{kind}", XML))) == 3
        place = f"/{kind}/1.2.1"
        assert caller.get(place, f"{DICOM}; transfer-syntax=*").content == paths[1].read_bytes()
        ((_, data),) = parts_of(caller.get(place, AS_STORED))
        assert data == paths[1].read_bytes()
        (model,) = caller.get(place, JSON).json()
        assert model == dcmread(paths[1]).to_json_dict()
        assert len(parts_of(caller.get(place, XML))) == 1
        assert caller.get(place, "image/jpeg").status_code == 406
        other = next(name for name in sorted(OBJECTS) if name != kind)
        assert caller.get(f"/{other}/1.2.1").status_code == 404
        assert caller.ask("DELETE", f"/{other}/1.2.1").status_code == 404
        assert caller.ask("DELETE", place).status_code == 204
        assert caller.get(place).status_code == 404


def item_of(answer: Any) -> str:
    return str(answer.json()["00081198"]["Value"][0]["00000902"]["Value"][0])


def test_what_is_refused(tmp_path: Path) -> None:
    palette = made(tmp_path, uids.ColorPaletteStorage, 1)
    with calling(tmp_path / "store") as (caller, held):
        assert item_of(caller.store([palette], "/hanging-protocols")) == "its SOP class is stored at /color-palettes"
        assert item_of(caller.store([palette], "/studies")) == "its SOP class is stored at /color-palettes"
        ct = caller.store([FILES["CT_small.dcm"]], "/color-palettes")
        assert item_of(ct) == "its SOP class is not one of /color-palettes"
        assert "another instance" in item_of(caller.store([palette], "/color-palettes/1.2.9"))
        assert caller.store([palette], "/color-palettes/1.2.1").status_code == 200
        assert len(held) == 0
        for path in ("/color-palettes/1/2", "/color-palettes/%20%00", "/color-palette"):
            assert caller.get(path).status_code == 404
        assert caller.get("/color-palettes?NoSuchThing=1").status_code == 400
        assert caller.ask("DELETE", "/color-palettes/1.2.1").status_code == 405
        assert caller.ask("PUT", "/color-palettes/1.2.1").status_code == 405
        assert caller.ask("OPTIONS", "/color-palettes").status_code == 200
    with calling(tmp_path / "closed", store=False) as (caller, _):
        assert caller.store([palette], "/color-palettes").status_code == 405


def test_an_object_in_json(tmp_path: Path) -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.ContentLabel = uids.ColorPaletteStorage, "1.2.3", "HOT"
    writer = PartWriter(JSON)
    body = writer.head(JSON) + json.dumps([ds.to_json_dict()]).encode() + writer.tail()
    with calling(tmp_path) as (caller, _):
        headers = {"content-type": writer.content_type}
        assert caller.ask("POST", "/color-palettes", content=body, headers=headers).status_code == 200
        assert caller.get("/color-palettes?ContentLabel=HOT").json()[0]["00080018"]["Value"] == ["1.2.3"]
