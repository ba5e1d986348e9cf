"""The client on scripted answers: what it asks, what it makes of good answers, and what of bad ones."""

from __future__ import annotations

import base64
import datetime
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import httpx
import pydicom.data
import pytest

from dicomcore import dcmread, web
from dicomcore.errors import LimitError, WebError
from dicomcore.limits import Limits
from dicomcore.web.multipart import PartWriter
from tests.net.test_server import FILES
from tests.web.faces import FACES, JSON, URL, Script, answer

STUDY = "1.2.840.1"
BY_NAME = {path.name: path for path in Path(pydicom.data.__file__).parent.rglob("*.dcm")}
SMALL = [BY_NAME[name] for name in ("CT_small.dcm", "JPEG2000.dcm", "reportsi.dcm")]


@pytest.fixture(params=FACES.values(), ids=FACES)
def face(request: pytest.FixtureRequest) -> Any:
    return request.param


def rows(*uids: str) -> bytes:
    """Matches of a search."""
    return json.dumps([{"0020000D": {"vr": "UI", "Value": [uid]}} for uid in uids]).encode()


def parts(bodies: list[bytes], content_type: str = "application/dicom") -> tuple[list[bytes], dict[str, str]]:
    """The pieces of a multipart body, and its header fields."""
    writer = PartWriter(content_type)
    pieces = [piece for body in bodies for piece in (writer.head(), body)]
    return [*pieces, writer.tail()], {"content-type": writer.content_type}


# -- search

QUERIES = {  # name: (method, arguments, options, path and query)
    "a keyword": ("studies", (), {"PatientName": "DOE*"}, "studies?PatientName=DOE%2A&limit=1000"),
    "no page": ("studies", (), {"page": None}, "studies"),
    "a tag": ("studies", ({0x00100020: "7"},), {"page": None}, "studies?00100020=7"),
    "a tag as text": ("studies", ({"00100020": "7"},), {"page": None}, "studies?00100020=7"),
    "a path": (
        "series",
        (STUDY, {"RequestAttributesSequence.RequestedProcedureID": "A 1"}),
        {"page": None},
        f"studies/{STUDY}/series?RequestAttributesSequence.RequestedProcedureID=A+1",
    ),
    "a date": ("studies", (), {"StudyDate": datetime.date(2025, 1, 2), "page": None}, "studies?StudyDate=20250102"),
    "UIDs": ("instances", (), {"SOPInstanceUID": ["1.2", "1.3"], "page": None}, "instances?SOPInstanceUID=1.2%2C1.3"),
    "an empty value": ("studies", (), {"PatientID": None, "page": None}, "studies?PatientID="),
    "names beyond ASCII": ("studies", (), {"PatientName": "Äneas", "page": None}, "studies?PatientName=%C3%84neas"),
    "options": (
        "studies",
        (),
        {"fuzzy": True, "include": ["StudyDescription", "all"], "limit": 5, "offset": 2},
        "studies?includefield=StudyDescription&includefield=all&fuzzymatching=true&limit=5&offset=2",
    ),
    "instances of a series": ("instances", (STUDY, "1.3"), {"page": None}, f"studies/{STUDY}/series/1.3/instances"),
    "instances of a study": ("instances", (STUDY,), {"page": None}, f"studies/{STUDY}/instances"),
    "all series": ("series", (), {"page": None}, "series"),
    "workitems": ("workitems.search", (), {"page": None}, "workitems"),
}


@pytest.mark.parametrize(("method", "arguments", "options", "path"), QUERIES.values(), ids=QUERIES)
def test_what_a_search_asks(face, method, arguments, options, path):
    script = Script(lambda request: answer(204))
    assert face(script).run(method, *arguments, **options) == []
    assert script.paths == [path]
    assert script.requests[0].headers["accept"] == "application/dicom+json"


WRONG = {  # name: (method, arguments, options, words)
    "a keyword that does not exist": ("studies", (), {"PatientNam": "A"}, "no keyword"),
    "a path with a word that does not exist": ("studies", ({"A.PatientName": "A"},), {}, "no keyword"),
    "a page of none": ("studies", (), {"page": 0}, "page is 1 or more"),
    "a negative limit": ("studies", (), {"limit": -1}, "0 or more"),
    "a series without its study": ("metadata", (None, "1.2"), {}, "needs its study"),
    "a path as a UID": ("metadata", ("..",), {}, "is no UID"),
    "an empty UID": ("metadata", ("",), {}, "is no UID"),
    "a line end in a UID": ("metadata", ("1.2\r\nX: y",), {}, "is no UID"),
    "frame 0": ("frames", ("1", "2", "3", [0]), {"raw": True}, "from 1"),
    "frame of a series": ("rendered", ("1", "2", None, 1), {}, "needs its instance"),
    "a state that there is not": ("workitems.state", ("1", "DONE", "2"), {}, "IN PROGRESS"),
    "no instance to commit": ("commit", ([],), {}, "no instance"),
    "a way of bulk data": ("metadata", ("1",), {"bulk": "now"}, "bulk is one of"),
}


@pytest.mark.parametrize(("method", "arguments", "options", "words"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(face, method, arguments, options, words):
    script = Script(lambda request: answer(204))
    with pytest.raises(ValueError, match=words):
        face(script).run(method, *arguments, **options)
    assert script.requests == []


@pytest.mark.parametrize("uid", ["a/b", "1.2?x=1", "1.2#x", "%2e%2e", "Ä"])
def test_a_uid_stays_one_segment_of_the_path(face, uid):
    script = Script(lambda request: answer(204))
    face(script).run("metadata", uid)
    path = script.requests[0].url.raw_path
    assert path.startswith(b"/dicom-web/studies/")
    assert path.endswith(b"/metadata")
    assert path.count(b"/") == 4
    assert b"?" not in path


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "host/x", "https://", "https://host/x?y=1", "file:///etc/passwd", "https:///x"]
)
def test_urls_that_no_service_has(face, url):
    with pytest.raises(ValueError, match="DICOMweb service"):
        face(Script(lambda request: answer(204)), url=url)


class Paging:
    """A server with `count` studies that gives at most `most` at once."""

    def __init__(self, count: int, most: int, *, warns: bool = False, deaf: str = "") -> None:
        self.all = [f"1.{i}" for i in range(count)]
        self.most, self.warns, self.deaf = most, warns, deaf

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        offset = 0 if self.deaf == "offset" else int(params.get("offset", 0))
        limit = 10**6 if self.deaf == "limit" else int(params.get("limit", 10**6))
        some = self.all[offset:][: min(limit, self.most)]
        headers = dict(JSON)
        if self.warns and offset + len(some) < len(self.all):
            headers["warning"] = '299 pacs "The number of results exceeded the maximum supported by the server"'
        return answer(200 if some else 204, rows(*some) if some else b"", headers)


PAGES = {  # name: (server, options, matches, requests)
    "two pages and an empty one": (Paging(20, 100), {"page": 10}, 20, 3),
    "a last page that is short": (Paging(25, 100), {"page": 10}, 25, 3),
    "a limit": (Paging(100, 100), {"page": 10, "limit": 15}, 15, 2),
    "a limit of none": (Paging(100, 100), {"limit": 0}, 0, 0),
    "a server that gives less and warns": (Paging(25, 4, warns=True), {"page": 10}, 25, 7),
    "the same without pages": (Paging(25, 10, warns=True), {"page": None}, 25, 3),
    "a server without limits": (Paging(30, 10**6, deaf="limit"), {"page": 10}, 30, 1),
    "the same with a limit": (Paging(30, 10**6, deaf="limit"), {"page": 10, "limit": 7}, 7, 1),
    "nothing": (Paging(0, 10), {}, 0, 1),
}


@pytest.mark.parametrize(("server", "options", "matches", "requests"), PAGES.values(), ids=PAGES)
def test_pages(face, server, options, matches, requests):
    script = Script(server)
    found = face(script).run("studies", **options)
    assert [ds.StudyInstanceUID for ds in found] == server.all[:matches]
    assert len(script.requests) == requests


def test_a_server_that_repeats_its_page_is_found_out(face):
    with pytest.raises(WebError, match="the same page again"):
        face(Script(Paging(20, 100, deaf="offset"))).run("studies", page=10)


def test_pages_are_asked_for_when_they_are_needed():
    script = Script(Paging(100, 100))
    with web.Client(URL, transport=script) as client:
        found = client.studies(page=10)
        assert script.requests == []
        for _ in range(10):
            next(found)
        assert len(script.requests) == 1
        next(found)
        assert len(script.requests) == 2


# -- answers

REFUSALS = {  # name: (response, words of the error)
    "a status report as text": ((404, b"no such study", {"content-type": "text/plain"}), "answered 404: no such study"),
    "as a problem": (
        (400, b'{"title": "bad", "detail": "no date"}', {"content-type": "application/problem+json"}),
        "400: no date: bad",
    ),
    "as HTML": (
        (500, b"<html><style>x{}</style><p>out of <b>order</b></html>", {"content-type": "text/html"}),
        "out of",
    ),
    "with control characters": ((403, b"a\x1b[31mb\r\nc", {}), r"403: a \[31mb c"),
    "without a body": ((401, b"", {}), "answered 401$"),
    "a warning alone": ((400, b"", {"warning": "299 x"}), "299 x"),
    "an endless text": ((400, b"x" * 100_000, {}), "x{500}$"),
    "compressed": ((404, gzip.compress(b"not here"), {"content-encoding": "gzip"}), "not here"),
}


@pytest.mark.parametrize(("response", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_the_server_says_is_in_the_error(face, response, words):
    with pytest.raises(WebError, match=words) as caught:
        face(Script(lambda request: answer(*response)), retries=0).run("studies", PatientName="SECRET")
    assert caught.value.status == response[0]
    assert caught.value.url == f"{URL}/studies"
    assert "SECRET" not in str(caught.value)


BROKEN = {  # name: (body, header fields, words)
    "no JSON": (b"[{", JSON, "answered 200"),
    "a number": (b"7", JSON, "answered 200"),
    "an attribute that is none": (b'[{"0020000D": 7}]', JSON, "an attribute is an object"),
    "HTML": (b"<!doctype html><p>Please log in", {"content-type": "text/html"}, "'text/html' came"),
    "damaged gzip": (b"\x1f\x8bxxxxxxxxxxxx", {**JSON, "content-encoding": "gzip"}, "damaged"),
    "gzip cut short": (gzip.compress(rows("1.2"))[:-9], {**JSON, "content-encoding": "gzip"}, "ends in the middle"),
    "another encoding": (b"x", {**JSON, "content-encoding": "br"}, "Content-Encoding 'br'"),
    "XML that is none": (b"<a", {"content-type": "application/dicom+xml"}, "answered 200"),
}


@pytest.mark.parametrize(("body", "headers", "words"), BROKEN.values(), ids=BROKEN)
def test_answers_that_cannot_be_read(face, body, headers, words):
    with pytest.raises(WebError, match=words):
        face(Script(lambda request: answer(200, body, headers)), retries=0).run("studies")


GOOD = {  # name: (body, header fields)
    "JSON": (rows("1.2"), JSON),
    "JSON by its other name": (rows("1.2"), {"content-type": "application/json; charset=utf-8"}),
    "JSON without a type": (rows("1.2"), {}),
    "gzip": (gzip.compress(rows("1.2")), {**JSON, "content-encoding": "gzip"}),
    "two members of gzip": (
        gzip.compress(rows("1.2")[:9]) + gzip.compress(rows("1.2")[9:]),
        {**JSON, "content-encoding": "x-gzip"},
    ),
    "gzip with padding": (gzip.compress(rows("1.2")) + bytes(4), {**JSON, "content-encoding": "gzip"}),
    "deflate": (zlib.compress(rows("1.2")), {**JSON, "content-encoding": "deflate"}),
    "one object": (rows("1.2")[1:-1], JSON),
}  # fmt: skip


@pytest.mark.parametrize(("body", "headers"), GOOD.values(), ids=GOOD)
def test_data_sets_in_any_coat(face, body, headers):
    script = Script(lambda request: answer(200, [body[i : i + 7] for i in range(0, len(body), 7)], headers))
    assert [ds.StudyInstanceUID for ds in face(script).run("studies")] == ["1.2"]


def test_xml_in_parts_is_read_whatever_was_asked(face):
    ds = dcmread(FILES[0], stop_before_pixels=True)
    pieces, headers = parts([ds.to_xml().encode()] * 2, "application/dicom+xml")
    found = face(Script(lambda request: answer(200, pieces, headers))).run("metadata", STUDY)
    assert [one.SOPInstanceUID for one in found] == [ds.SOPInstanceUID] * 2


def test_a_bomb_of_gzip_is_refused(face):
    bomb = gzip.compress(bytes(32 << 20))
    limits = web.ClientLimits(reading=Limits(inflated_ratio=100))
    script = Script(lambda request: answer(200, bomb, {**JSON, "content-encoding": "gzip"}))
    with pytest.raises((LimitError, WebError), match="inflates more than 100 times"):
        face(script, limits=limits).run("studies")


def test_a_body_beyond_the_limit_is_refused(face):
    script = Script(lambda request: answer(200, [b" " * 1000] * 20, JSON))
    with pytest.raises(LimitError, match="more than 10000 bytes"):
        face(script, limits=web.ClientLimits(body=10_000)).run("studies")


# -- tries

TRIES = {  # name: (answers in turn, what is waited, whether it succeeds)
    "busy, then not": ([(503, {}), (429, {}), 200], [0.5, 1.0], True),
    "busy for seconds": ([(503, {"retry-after": "7"}), 200], [7.0], True),
    "busy until a time": (
        [
            (503, {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}),
            200,
        ],
        [30.0],
        True,
    ),
    "busy until a time that is over": (
        [
            (503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:30 GMT"}),
            200,
        ],
        [0.0],
        True,
    ),
    "busy for too long": ([(503, {"retry-after": "86400"})], [], False),
    "busy for nonsense": ([(503, {"retry-after": "soon"}), 200], [0.5], True),
    "always busy": ([(503, {})] * 4, [0.5, 1.0, 2.0], False),
    "a gateway": ([(502, {}), (504, {}), 200], [0.5, 1.0], True),
    "not found": ([(404, {})], [], False),
    "not connected": ([httpx.ConnectError("refused"), 200], [0.5], True),
    "broken off": ([httpx.ReadError("reset"), httpx.RemoteProtocolError("cut"), 200], [0.5, 1.0], True),
    "too slow": ([httpx.ReadTimeout("slow")] * 4, [0.5, 1.0, 2.0], False),
}


@pytest.mark.parametrize(("answers", "waits", "succeeds"), TRIES.values(), ids=TRIES)
def test_tries(face, answers, waits, succeeds):
    left = list(answers)

    def respond(request):
        one = left.pop(0)
        if isinstance(one, Exception):
            return one
        return answer(200, rows("1.2"), JSON) if one == 200 else answer(one[0], b"later", one[1])

    client = face(Script(respond))
    if succeeds:
        assert len(client.run("studies")) == 1
    else:
        with pytest.raises(WebError):
            client.run("studies")
    assert (client.waits.seconds, left) == (waits, [])


def test_what_could_do_harm_twice_is_not_sent_twice(face):
    ds = dcmread(FILES[0], stop_before_pixels=True)
    for failure in (httpx.ReadError("reset"), answer(502)):
        script = Script(lambda request, failure=failure: failure)
        with pytest.raises(WebError):
            face(script).run("workitems.create", ds, "1.2")
        assert len(script.requests) == 1


# -- redirections, and whom credentials go to

SECRETS = ("authorization", "x-key")
REDIRECTS = {  # name: (location, host that is asked, whether it gets the credentials)
    "another path": ("/elsewhere/studies", "pacs.example.org", True),
    "a relative path": ("studies?page=2", "pacs.example.org", True),
    "another host": ("https://other.example.org/studies", "other.example.org", False),
    "another port": ("https://pacs.example.org:8443/studies", "pacs.example.org", False),
    "without TLS": ("http://pacs.example.org/studies", "pacs.example.org", False),
    "a host that begins like ours": ("https://pacs.example.org.evil.example/", "pacs.example.org.evil.example", False),
    "credentials in the location": ("https://a:b@other.example.org/", "other.example.org", False),
}


@pytest.mark.parametrize(("location", "host", "trusted"), REDIRECTS.values(), ids=REDIRECTS)
def test_redirections(face, location, host, trusted):
    first = [answer(302, b"", {"location": location})]
    script = Script(lambda request: first.pop() if first else answer(200, rows("1.2"), JSON))
    found = face(script, auth=("user", "pass"), headers={"X-Key": "k"}).run("studies")
    assert len(found) == 1
    asked = script.requests[1]
    assert asked.url.host == host
    assert all(name in script.requests[0].headers for name in SECRETS)
    own = base64_of("user:pass")
    assert (asked.headers.get("authorization") == own) == trusted
    assert ("x-key" in asked.headers) == trusted


def base64_of(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


REFUSED_REDIRECTS = {
    "a file": "file:///etc/passwd",
    "nothing": "https://",
    "a circle": f"{URL}/studies",
}


@pytest.mark.parametrize("location", REFUSED_REDIRECTS.values(), ids=REFUSED_REDIRECTS)
def test_redirections_that_are_refused(face, location):
    script = Script(lambda request: answer(302, b"", {"location": location}))
    with pytest.raises(WebError, match=r"no http or https URL|redirections"):
        face(script).run("studies")


def test_a_body_is_not_sent_on_to_another_host(face):
    script = Script(lambda request: answer(307, b"", {"location": "https://other.example.org/studies"}))
    with pytest.raises(WebError, match=r"a redirection to other\.example\.org is not followed by a POST"):
        face(script).run("store", SMALL[0])
    assert len(script.requests) == 1


def test_credentials_of_the_url_are_used_and_not_shown(face):
    script = Script(lambda request: answer(404))
    client = face(script, url="https://me:se%40cret@pacs.example.org/dicom-web/")
    assert "cret" not in repr(client.client)
    with pytest.raises(WebError) as caught:
        client.run("studies")
    assert "cret" not in str(caught.value)
    assert script.requests[0].headers["authorization"] == base64_of("me:se@cret")


def test_a_function_may_sign_each_request(face):
    def sign(request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {request.url.path}"
        return request

    script = Script(lambda request: answer(204))
    face(script, auth=sign).run("studies")
    assert script.requests[0].headers["authorization"] == "Bearer /dicom-web/studies"
