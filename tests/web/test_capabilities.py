"""What the server says of itself: WADL and OpenAPI, and that every resource in them is there."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dicomcore import dcmread
from tests.web.calling import FILES, Caller, calling

CT = dcmread(FILES["CT_small.dcm"])
VALUES = {
    "study": CT.StudyInstanceUID, "series": CT.SeriesInstanceUID, "instance": CT.SOPInstanceUID, "frames": "1",
    "transaction": "1.2.3",
}  # fmt: skip


def test_every_resource_is_there(caller: Caller) -> None:
    model = caller.get("/openapi.json").json()
    assert model["servers"] == [{"url": "http://node"}]
    assert len(model["paths"]) > 25
    for path, methods in model["paths"].items():
        if "get" in methods:
            answer = caller.get(re.sub(r"{(\w+)}", lambda found: str(VALUES[found[1]]), path))
            known = {int(status) for status in methods["get"]["responses"] if status.isdigit()}
            assert answer.status_code in known | {400}, path
            media = answer.headers.get("content-type", "").partition(";")[0]
            if answer.status_code == 200:
                assert media in methods["get"]["responses"]["200"]["content"], path


def test_what_is_off_is_not_offered(tmp_path: Path) -> None:
    with calling(tmp_path / "a", store=False) as (caller, _):
        paths = caller.get("/openapi.json").json()["paths"]
        assert not any("post" in methods for path, methods in paths.items() if path.startswith("/studies"))
        assert not any("delete" in methods for methods in paths.values())
        assert "/workitems" not in paths
    with calling(tmp_path / "b", delete=True) as (caller, _):
        assert "delete" in caller.get("/openapi.json").json()["paths"]["/studies/{study}"]


@pytest.mark.parametrize("path", ["/", "/studies"])
def test_wadl(caller: Caller, path: str) -> None:
    answer = caller.ask("OPTIONS", path)
    assert answer.headers["content-type"] == "application/vnd.sun.wadl+xml"
    root = ElementTree.fromstring(answer.text)
    resources = root.findall(".//{*}resource")
    assert "studies/{study}/metadata" in {one.get("path") for one in resources}
    assert {"GET", "POST"} <= {one.get("name") for one in root.findall(".//{*}method")}
    assert caller.ask("OPTIONS", path, headers={"accept": "application/json"}).json()["openapi"]


def test_all_of_the_server(caller: Caller) -> None:
    assert caller.ask("OPTIONS", "/*").status_code == 200
