"""The client stores: what it sends of which source, and what it makes of the server's answer."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from dicomcore import Dataset, dcmread, web
from dicomcore.errors import WebError
from dicomcore.web.multipart import read_parts
from tests.web.faces import FACES, JSON, Script, answer
from tests.web.test_client import SMALL

FAILED = 0xA900


@pytest.fixture(params=FACES.values(), ids=FACES)
def face(request: pytest.FixtureRequest) -> Any:
    return request.param


def bodies(request: httpx.Request) -> list[bytes]:
    """The parts of a request."""
    return [data for _, data in read_parts([request.content], request.headers["content-type"])]


def module(stored: list[str], failed: dict[str, int] | None = None, **more: Any) -> bytes:
    """A Store Instances Response Module."""
    made: dict[str, Any] = {}
    references = [{"00081155": {"vr": "UI", "Value": [uid]}} for uid in stored]
    for uid, code in more.get("warned", {}).items():
        references.append({"00081155": {"vr": "UI", "Value": [uid]}, "00081196": {"vr": "US", "Value": [code]}})
    if references:
        made["00081199"] = {"vr": "SQ", "Value": references}
    if failed:
        made["00081198"] = {
            "vr": "SQ",
            "Value": [
                {"00081155": {"vr": "UI", "Value": [uid]}, "00081197": {"vr": "US", "Value": [code]}}
                for uid, code in failed.items()
            ],
        }
    return json.dumps(made).encode()


class Store:
    """A server that takes everything, but what `refuses` names."""

    def __init__(self, refuses: dict[str, int] | None = None, largest: int = 10**9) -> None:
        self.refuses, self.largest = refuses or {}, largest
        self.got: dict[str, bytes] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert int(request.headers["content-length"]) == len(request.content)
        if len(request.content) > self.largest:
            return answer(413, b"too large")
        failed, stored = {}, []
        for data in bodies(request):
            uid = str(dcmread(data).SOPInstanceUID)
            if uid in self.refuses:
                failed[uid] = self.refuses[uid]
            else:
                self.got[uid] = data
                stored.append(uid)
        return answer(409 if not stored else 202 if failed else 200, module(stored, failed), JSON)


def uid(path: Path) -> str:
    return str(dcmread(path).SOPInstanceUID)


def folder_of(tmp_path: Path) -> Path:
    """A folder with files, one of them no DICOM file and one half of one."""
    made = tmp_path / "in" / "below"
    made.mkdir(parents=True)
    for path in SMALL:
        shutil.copy(path, made)
    (made / "notes.txt").write_text("no DICOM file at all, only words")
    (made / "cut.dcm").write_bytes(SMALL[0].read_bytes()[:140])
    return made.parent


def zip_of(tmp_path: Path) -> Path:
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in SMALL:
            archive.write(one, f"study/{one.name}")
    return path


SOURCES = {  # name: (what makes the source, failures, files passed over)
    "a file": (lambda tmp: SMALL, 0, 0),
    "a folder": (folder_of, 1, 1),
    "a zip": (zip_of, 0, 0),
    "data sets": (lambda tmp: [dcmread(path) for path in SMALL], 0, 0),
    "all of them": (lambda tmp: [str(SMALL[0]), dcmread(SMALL[1]), SMALL[2]], 0, 0),
}


@pytest.mark.parametrize(("make", "failures", "passed"), SOURCES.values(), ids=SOURCES)
def test_sources(face, tmp_path, make, failures, passed):
    store = Store()
    seen: list[web.Outcome] = []
    result = face(Script(store)).run("store", make(tmp_path), each=seen.append)
    assert (result.stored, len(result.failures), result.passed_over) == (len(SMALL), failures, passed)
    assert bool(result) == (not failures)
    assert store.got == {uid(path): path.read_bytes() for path in SMALL}
    assert len(seen) == len(SMALL) + failures


def test_batches(face):
    script = Script(Store())
    assert face(script, limits=web.ClientLimits(batch=2)).run("store", SMALL).stored == 3
    assert [len(bodies(request)) for request in script.requests] == [2, 1]
    script = Script(Store())
    assert face(script, limits=web.ClientLimits(batch_bytes=1)).run("store", SMALL).stored == 3
    assert len(script.requests) == 3


def test_a_study_is_named(face):
    script = Script(Store())
    face(script).run("store", SMALL[0], study="1.2.3")
    assert script.paths == ["studies/1.2.3"]
    assert script.requests[0].method == "POST"
    assert script.requests[0].headers["accept"] == "application/dicom+json"


def test_each_instance_has_its_outcome(face):
    refused = uid(SMALL[1])
    result = face(Script(Store({refused: FAILED}))).run("store", SMALL)
    assert (result.stored, [one.sop_instance for one in result.failures]) == (2, [refused])
    assert result.failures[0].code == FAILED
    assert "does not match the SOP class (A900)" in result.failures[0].error
    assert result.failures[0].path == str(SMALL[1])


def test_a_request_that_is_too_large_is_halved(face):
    largest = max(path.stat().st_size for path in SMALL) + 1000
    store = Store(largest=largest)
    result = face(Script(store)).run("store", SMALL)
    assert (result.stored, result.failures) == (3, [])
    result = face(Script(Store(largest=5000))).run("store", SMALL)
    assert result.stored == sum(path.stat().st_size < 4500 for path in SMALL)
    assert all("413" in one.error for one in result.failures)


ANSWERS = {  # name: (status, body, header fields, outcomes: state and words)
    "nothing said": (200, b"", {}, "failed", "does not mention it"),
    "another instance": (200, module(["1.2"]), JSON, "failed", "does not mention it"),
    "a warning": (202, module([], warned={uid(SMALL[0]): 0xB000}), JSON, "warning", "B000"),
    "a failure": (409, module([], {uid(SMALL[0]): 0x0110}), JSON, "failed", "processing failure (0110)"),
    "a reason of its own": (409, module([], {uid(SMALL[0]): 45070}), JSON, "failed", "B00E"),
    "conflict in words": (409, b"no room", {"content-type": "text/plain"}, "failed", "409: no room"),
    "not understood": (415, b"what?", {}, "failed", "415: what?"),
    "no JSON": (200, b"[{", JSON, "failed", "answered 200"),
    "XML": (
        200,
        dcmread(SMALL[0], stop_before_pixels=True).to_xml().encode(),
        {"content-type": "application/dicom+xml"},
        "failed",
        "does not mention it",
    ),
}


@pytest.mark.parametrize(("status", "body", "headers", "state", "words"), ANSWERS.values(), ids=ANSWERS)
def test_answers(face, status, body, headers, state, words):
    seen: list[web.Outcome] = []
    face(Script(lambda request: answer(status, body, headers))).run("store", SMALL[0], each=seen.append)
    assert [(one.state, words in one.error) for one in seen] == [(state, True)]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_server_that_stores_nothing_is_asked_once(face, status):
    script = Script(lambda request: answer(status, b"no"))
    seen: list[web.Outcome] = []
    with pytest.raises(WebError, match=f"{status}: no"):
        face(script, limits=web.ClientLimits(batch=1)).run("store", SMALL, each=seen.append)
    assert (len(script.requests), len(seen)) == (1, 1)


def test_a_broken_connection_sends_the_batch_again(face):
    store = Store()
    first = [httpx.WriteError("reset"), httpx.ReadError("reset")]
    script = Script(lambda request: first.pop() if first else store(request))
    client = face(script)
    assert client.run("store", SMALL).stored == 3
    assert client.waits.seconds == [0.5, 1.0]
    assert len({request.content for request in script.requests}) == 1


class Shortening(Script):
    """Cuts a file after the client has measured it."""

    def __init__(self, path: Path, answer: Any) -> None:
        super().__init__(answer)
        self.path = path

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.path.write_bytes(SMALL[0].read_bytes()[:500])
        return super().handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.path.write_bytes(SMALL[0].read_bytes()[:500])
        return await super().handle_async_request(request)


def test_a_file_that_grows_shorter_does_not_cost_the_others(face, tmp_path):
    path = tmp_path / "a.dcm"
    shutil.copy(SMALL[0], path)
    store = Store()
    result = face(Shortening(path, store)).run("store", [path, *SMALL[1:]])
    assert store.got.keys() == {uid(one) for one in SMALL[1:]}
    assert [(one.path, "has become shorter" in one.error) for one in result.failures] == [(str(path), True)]


def test_a_source_that_is_not_there(face, tmp_path):
    result = face(Script(Store())).run("store", tmp_path / "nothing")
    assert ["No such file" in one.error for one in result.failures] == [True]


# -- delete, workitems, commitment


def test_delete(face):
    script = Script(lambda request: answer(204))
    face(script).run("delete", "1.2", "1.3")
    assert (script.requests[0].method, script.paths) == ("DELETE", ["studies/1.2/series/1.3"])


def item() -> Dataset:
    ds = Dataset()
    ds.ProcedureStepLabel, ds.ProcedureStepState = "Read it", "SCHEDULED"
    return ds


WORKITEMS = {  # name: (method, arguments, options, HTTP method, path and query, keys of the body)
    "create": ("create", (item(), "1.2"), {}, "POST", "workitems?workitem=1.2", {"00741000", "00741204"}),
    "update": (
        "update",
        ("1.2", item()),
        {"transaction": "1.9"},
        "POST",
        "workitems/1.2?transaction-uid=1.9",
        {"00741000", "00741204"},
    ),
    "state": ("state", ("1.2", "IN PROGRESS", "1.9"), {}, "PUT", "workitems/1.2/state", {"00081195", "00741000"}),
    "cancel": ("cancel", ("1.2",), {}, "POST", "workitems/1.2/cancelrequest", None),
    "subscribe to one": (
        "subscribe",
        ("ME", "1.2"),
        {"deletion_lock": True},
        "POST",
        "workitems/1.2/subscribers/ME?deletionlock=true",
        None,
    ),
    "subscribe to all": (
        "subscribe",
        ("ME",),
        {},
        "POST",
        "workitems/1.2.840.10008.5.1.4.34.5/subscribers/ME?deletionlock=false",
        None,
    ),
    "unsubscribe": ("unsubscribe", ("ME", "1.2"), {}, "DELETE", "workitems/1.2/subscribers/ME", None),
    "suspend": (
        "suspend",
        ("ME",),
        {},
        "POST",
        "workitems/1.2.840.10008.5.1.4.34.5/subscribers/ME/suspend",
        None,
    ),
}


@pytest.mark.parametrize(("name", "arguments", "options", "method", "path", "keys"), WORKITEMS.values(), ids=WORKITEMS)
def test_workitems(face, name, arguments, options, method, path, keys):
    headers = {"warning": '299 ups "changed"', "content-location": "/dicom-web/workitems/1.2"}
    script = Script(lambda request: answer(200, b"", headers))
    made = face(script).run(f"workitems.{name}", *arguments, **options)
    (request,) = script.requests
    assert (request.method, script.paths) == (method, [path])
    if keys is None:
        assert request.content == b""
    else:
        assert request.headers["content-type"] == "application/dicom+json"
        assert json.loads(request.content)[0].keys() == keys
    wanted = {"create": "1.2", "subscribe": "/dicom-web/workitems/1.2", "unsubscribe": None, "suspend": None}
    assert made == wanted.get(name, '299 ups "changed"')


def test_a_workitem_is_retrieved(face):
    script = Script(lambda request: answer(200, f"[{item().to_json()}]".encode(), JSON))
    assert face(script).run("workitems.retrieve", "1.2").ProcedureStepLabel == "Read it"
    with pytest.raises(WebError, match="no workitem"):
        face(Script(lambda request: answer(200, b"[]", JSON))).run("workitems.retrieve", "1.2")


def test_commitment(face):
    mine, other = uid(SMALL[0]), uid(SMALL[1])
    answers = [answer(202), answer(200, module([mine], {other: 0x0112}), JSON)]
    script = Script(lambda request: answers.pop(0))
    client = face(script)
    asked = client.run("commit", [dcmread(SMALL[0]), (dcmread(SMALL[1]).SOPClassUID, other)], transaction="1.9")
    assert (asked.transaction, asked.is_done, bool(asked)) == ("1.9", False, False)
    sent = json.loads(script.requests[0].content)[0]["00081199"]["Value"]
    assert [one["00081155"]["Value"] for one in sent] == [[mine], [other]]
    done = face(script).run("commitment", "1.9")
    assert (done.is_done, bool(done)) == (True, False)
    assert {one.sop_instance: one.state for one in done.outcomes} == {mine: "stored", other: "failed"}
    assert script.paths == ["commitment-requests/1.9"] * 2


def test_capabilities(face):
    script = Script(lambda request: answer(200, b"<application/>", {"content-type": "application/vnd.sun.wadl+xml"}))
    assert face(script).run("capabilities") == ("<application/>", "application/vnd.sun.wadl+xml")
    assert (script.requests[0].method, script.paths) == ("OPTIONS", [""])
