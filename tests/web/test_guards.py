"""What stands before every request: users, origins, limits, and what is said when something is wrong."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route

from dicomcore import catalogue, web
from dicomcore.web.limits import WebLimits
from tests.web.calling import DICOM, FILES, Caller, calling, message, place_of

VIEWER = "https://viewer.example"


@pytest.mark.parametrize("path", ["/studies", "/studies/1.2", "/nothing", "/studies?limit=a"])
def test_origins_that_may(tmp_path: Path, path: str) -> None:
    with calling(tmp_path, cors=[VIEWER]) as (caller, _):
        answer = caller.get(path, origin=VIEWER)
        assert answer.headers["access-control-allow-origin"] == VIEWER, "errors carry it, too"
        assert "origin" in answer.headers["vary"]
        other = caller.get(path, origin="https://evil.example")
        assert "access-control-allow-origin" not in other.headers


def test_preflights(tmp_path: Path) -> None:
    asked = {
        "origin": VIEWER,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    with calling(tmp_path / "a", cors=[VIEWER], auth=lambda request: None) as (caller, _):
        answer = caller.ask("OPTIONS", "/studies", headers=asked)
        assert answer.status_code == 204
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == "content-type"
    with calling(tmp_path / "b") as (caller, _):
        assert "access-control-allow-origin" not in caller.ask("OPTIONS", "/studies", headers=asked).headers
    with calling(tmp_path / "c", cors="*") as (caller, _):
        assert caller.ask("OPTIONS", "/studies", headers=asked).headers["access-control-allow-origin"] == "*"


def test_pages_of_other_origins_change_nothing(tmp_path: Path) -> None:
    body, fields = message([FILES["CT_small.dcm"]])
    with calling(tmp_path, delete=True) as (caller, held):
        refused = caller.ask("POST", "/studies", content=body, headers=fields | {"origin": "https://evil.example"})
        assert refused.status_code == 403
        assert len(held) == 0
        assert (
            caller.ask("POST", "/studies", content=body, headers=fields | {"origin": "http://node"}).status_code == 200
        )
        place = place_of(FILES["CT_small.dcm"])
        assert caller.ask("DELETE", place, headers={"origin": "null"}).status_code == 403
        assert len(held) == 1


def test_users(tmp_path: Path) -> None:
    async def admit(request: Any) -> Any:
        token = request.headers.get("authorization")
        if token == "Bearer moved":
            return RedirectResponse("https://login.example")
        return token == "Bearer good"

    with calling(tmp_path, auth=admit) as (caller, held):
        for path in ("/studies", "/metrics", "/openapi.json", "/", "/nothing/at/all", "/studies/1/metadata"):
            answer = caller.get(path)
            assert answer.status_code in (401, 404), path
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"] == "Bearer"
        assert caller.store([FILES["CT_small.dcm"]]).status_code == 401
        assert len(held) == 0
        assert caller.get("/studies", authorization="Bearer good").status_code == 204
        assert caller.get("/studies", authorization="Bearer moved").headers["location"] == "https://login.example"
        assert caller.get("/health").status_code == 200, "load balancers have no token"


def test_long_heads(tmp_path: Path) -> None:
    with calling(tmp_path) as (caller, _):
        assert caller.get("/studies", accept="a" * 17000).status_code == 431
        assert caller.get("/studies?PatientID=" + "a" * 17000).status_code == 431
        assert caller.get("/studies", accept="a/b," * 100).status_code == 400
        assert caller.get("/studies", x_more="a" * 1000).status_code == 204


def test_compressed_bodies(tmp_path: Path) -> None:
    body, fields = message([FILES["CT_small.dcm"]])
    bomb = zlib.compress(bytes(50 << 20), 9)
    with calling(tmp_path, limits=WebLimits(inflated_ratio=100)) as (caller, held):

        def post(data: bytes, coding: str) -> int:
            headers = fields | {"content-encoding": coding}
            return caller.ask("POST", "/studies", content=data, headers=headers).status_code

        assert post(gzip.compress(body), "gzip") == 200
        assert post(zlib.compress(body), "deflate") == 200
        assert post(bomb, "deflate") == 413
        assert post(gzip.compress(body)[:-100], "gzip") == 400
        assert post(body, "gzip") == 400
        assert post(body, "br") == 415
        assert len(held) == 1
        assert not list(tmp_path.glob(".incoming/*.part"))


def test_compressed_answers(caller: Caller) -> None:
    plain = caller.get("/studies", accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    packed = caller.get("/studies", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert "content-encoding" not in caller.get("/studies", accept_encoding="gzip;q=0").headers


def test_too_many_requests(tmp_path: Path) -> None:
    with calling(tmp_path, limits=WebLimits(requests=0)) as (caller, _):
        answer = caller.get("/studies")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]


def test_head_and_options(caller: Caller) -> None:
    for path in ("/studies", place_of(FILES["CT_small.dcm"]), "/health"):
        answer = caller.ask("HEAD", path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert caller.ask("OPTIONS", path).status_code == 200
    refused = caller.ask("PATCH", "/studies")
    assert refused.status_code == 405
    assert "GET" in refused.headers["allow"]
    assert "POST" in refused.headers["allow"]
    assert caller.ask("POST", "/series").status_code == 405
    assert caller.ask("POST", f"{place_of(FILES['CT_small.dcm'])}/metadata").status_code == 405
    assert caller.ask("DELETE", "/studies").status_code == 405


def test_every_answer_is_safe(caller: Caller) -> None:
    for path in ("/studies", "/nothing", "/health", f"{place_of(FILES['CT_small.dcm'])}/rendered"):
        answer = caller.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "private" in answer.headers["cache-control"]
    echoed = caller.get("/studies?<script>alert(1)</script>=1")
    assert echoed.headers["content-type"] == "application/problem+json"


def test_it_mounts_anywhere(tmp_path: Path) -> None:
    with catalogue.open(tmp_path) as held, asyncio.Runner() as runner:
        inner = web.app(held)
        outer = Starlette(routes=[Mount("/pacs/web", inner), Route("/", lambda request: PlainTextResponse("home"))])
        caller = Caller(outer, runner)
        body, fields = message([FILES["CT_small.dcm"]])
        stored = caller.ask("POST", "/pacs/web/studies", content=body, headers=fields)
        assert stored.status_code == 200
        (row,) = caller.get("/pacs/web/studies").json()
        assert row["00081190"]["Value"][0].startswith("http://node/pacs/web/studies/")
        assert caller.get(f"/pacs/web{place_of(FILES['CT_small.dcm'])}/frames/1").status_code == 200
        assert caller.get("/").text == "home"
        inner.node.close()


def test_middleware_is_applied(tmp_path: Path) -> None:
    class Marking:
        def __init__(self, application: Any) -> None:
            self.application = application

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def marked(event: Any) -> None:
                if event["type"] == "http.response.start":
                    event["headers"].append((b"x-mark", b"1"))
                await send(event)

            await self.application(scope, receive, marked)

    with catalogue.open(tmp_path) as held, asyncio.Runner() as runner:
        application = web.app(held)
        application.add_middleware(Marking)
        assert Caller(application, runner).get("/studies").headers["x-mark"] == "1"
        application.node.close()


BASES = {  # name: (options, header fields, base)
    "as it was called": ({}, {}, "http://node"),
    "configured": ({"base_url": "https://pacs.example/dicom-web/"}, {}, "https://pacs.example/dicom-web"),
    "a field that nobody asked for": ({}, {"forwarded": "proto=https;host=evil.example"}, "http://node"),
    "Forwarded": ({"proxied": True}, {"forwarded": 'for=1.2.3.4;proto=https;host="pacs.example:8443"'},
                  "https://pacs.example:8443"),
    "the older fields": ({"proxied": True}, {"x-forwarded-proto": "https", "x-forwarded-host": "pacs.example",
                                             "x-forwarded-prefix": "/web/"}, "https://pacs.example/web"),
    "rubbish": ({"proxied": True}, {"forwarded": 'proto=javascript;host="a b<>"', "x-forwarded-prefix": "//evil"},
                "http://node"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "fields", "base"), BASES.values(), ids=BASES)
def test_bases(tmp_path: Path, options: dict[str, Any], fields: dict[str, str], base: str) -> None:
    with calling(tmp_path, **options) as (caller, _):
        caller.store([FILES["CT_small.dcm"]])
        (row,) = caller.ask("GET", "/studies", headers=fields).json()
        assert row["00081190"]["Value"][0].startswith(f"{base}/studies/")
        (model,) = caller.get(f"{place_of(FILES['CT_small.dcm'])}/metadata").json()
        uri = model["7FE00010"]["BulkDataURI"]
        assert uri.startswith(f"{base}/studies/" if "base_url" in options else "bulkdata/")


@pytest.mark.parametrize(("host", "status"), [
    ("localhost", 204), ("localhost:8080", 204), ("[::1]:8080", 204), ("LOCALHOST", 204), ("evil.example", 421),
    ("localhost.evil.example:80", 421), ("", 421), ("a b", 421),
])  # fmt: skip
def test_names_of_the_service(tmp_path: Path, host: str, status: int) -> None:
    """A page whose name leads to this machine does not reach it."""
    with calling(tmp_path, hosts=["localhost", "::1"]) as (caller, _):
        assert caller.get("/studies", host=host).status_code == status


def test_a_viewer(tmp_path: Path) -> None:
    folder = tmp_path / "viewer"
    (folder / "lib").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Viewer</title>")
    (folder / "lib" / "a.js").write_text("1")
    (folder / ".secret").write_text("no")
    (tmp_path / "outside.txt").write_text("no")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    with calling(tmp_path / "store", viewer=folder) as (caller, _):
        page = caller.get("/", accept="text/html,*/*")
        assert "<title>Viewer" in page.text
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert caller.get("/viewer/lib/a.js").headers["content-type"].startswith("text/javascript")
        for path in ("../outside.txt", "%2e%2e/outside.txt", ".secret", "link.txt", "none.js", "lib", "lib/../../x"):
            assert caller.get(f"/viewer/{path}").status_code == 404, path
    with calling(tmp_path / "other") as (caller, _):
        assert caller.get("/viewer/lib/a.js").status_code == 404
        assert caller.get("/", accept="text/html").headers["content-type"] == "application/json"


def test_metrics_and_health(caller: Caller) -> None:
    model = caller.get("/health").json()
    assert model["status"] == "ok"
    assert model["instances"] == len(FILES)
    text = caller.get("/metrics").text
    assert 'dicomcore_web_requests_total{method="GET",resource="health",status="200"}' in text
    assert f"dicomcore_web_instances {len(FILES)}" in text


def test_a_client_that_leaves_stops_its_answer(tmp_path: Path) -> None:
    """An answer is not read on for a client that is gone."""
    with catalogue.open(tmp_path) as held, asyncio.Runner() as runner:
        application = web.app(held)
        caller = Caller(application, runner)
        big = FILES["CT_small.dcm"].read_bytes() + bytes(4 << 20)
        caller.store([big])
        sent = []

        async def ask() -> None:
            gone = asyncio.Event()

            async def receive() -> dict[str, Any]:
                if not sent:
                    return {"type": "http.request", "body": b"", "more_body": False}
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(event: Any) -> None:
                sent.append(event)
                gone.set()
                await asyncio.sleep(0)

            path = place_of(FILES["CT_small.dcm"])
            scope = {"type": "http", "method": "GET", "path": path, "query_string": b"",
                     "headers": [(b"accept", f"{DICOM};transfer-syntax=*".encode())]}  # fmt: skip
            await application(scope, receive, send)

        runner.run(ask())
        assert sum(len(event.get("body", b"")) for event in sent) < len(big)
        application.node.close()


def test_a_client_that_sends_nothing_is_told(tmp_path: Path) -> None:
    limits = WebLimits(receive_seconds=0.05, send_seconds=0.05)
    with catalogue.open(tmp_path) as held, asyncio.Runner() as runner:
        application = web.app(held, limits=limits)
        sent: list[Any] = []

        async def never() -> Any:
            await asyncio.Event().wait()

        async def send(event: Any) -> None:
            sent.append(event)

        body, fields = message([FILES["CT_small.dcm"]])
        scope = {"type": "http", "method": "POST", "path": "/studies", "query_string": b"",
                 "headers": [(name.encode(), value.encode()) for name, value in fields.items()]}  # fmt: skip
        runner.run(application(scope, never, send))
        assert sent[0]["status"] == 408
        assert body
        assert not list(tmp_path.glob(".incoming/*.part"))
        application.node.close()


def test_a_body_that_dribbles_is_told(tmp_path: Path) -> None:
    """Each piece comes in time, and the whole never would."""
    limits = WebLimits(receive_seconds=0.05, least_rate=1000)
    with catalogue.open(tmp_path) as held, asyncio.Runner() as runner:
        application = web.app(held, limits=limits)
        sent: list[Any] = []
        pieces = 0

        async def slowly() -> Any:
            nonlocal pieces
            pieces += 1
            await asyncio.sleep(0.02)
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(event: Any) -> None:
            sent.append(event)

        _, fields = message([])
        scope = {"type": "http", "method": "POST", "path": "/studies", "query_string": b"",
                 "headers": [(name.encode(), value.encode()) for name, value in fields.items()]}  # fmt: skip
        runner.run(application(scope, slowly, send))
        assert sent[0]["status"] == 408
        assert pieces < 10
        application.node.close()
