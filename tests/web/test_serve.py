"""`dicomcore serve --http`: DIMSE and web over one store, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dicomcore import dcmread, net, web
from tests.web.calling import AS_STORED, FILES, message, parts_of, place_of

SERVE = [sys.executable, "-m", "dicomcore", "serve", "--port", "0", "--http", "0"]
CT = FILES["CT_small.dcm"]


@contextmanager
def serving(store: Path, *options: str) -> Iterator[tuple[str, str]]:
    """The DIMSE address and the URL of a node."""
    command = [*SERVE, "--store", str(store), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().rpartition(":")[0]
            yield address, process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0


@pytest.mark.skipif(os.name != "posix", reason="signals end it")
def test_what_one_half_stores_the_other_gives(tmp_path: Path) -> None:
    mr = FILES["MR_small.dcm"]
    with serving(tmp_path / "store") as (address, url), httpx.Client(base_url=url) as client:
        body, fields = message([CT])
        assert client.post("/studies", content=body, headers=fields).status_code == 200
        with net.associate(address) as association:
            assert [int(one.status) for one in association.store([mr])] == [0]
            ct = dcmread(CT)
            kinds = {(str(ct.SOPClassUID), (str(ct.transfer_syntax),))}
            keys = {"StudyInstanceUID": ct.StudyInstanceUID}
            (outcome,) = association.get(keys, into=tmp_path / "got", storage=kinds)
            assert outcome.status == 0
        ((_, data),) = parts_of(client.get(place_of(mr), headers={"accept": AS_STORED}))
        assert dcmread(data).to_json() == dcmread(mr).to_json()
        (got,) = (tmp_path / "got").rglob("*.dcm")
        assert dcmread(got).to_json() == ct.to_json()
        assert client.get("/health").json()["instances"] == 2
        assert client.get("/workitems").status_code == 204
        assert client.get("/studies", headers={"host": "evil.example"}).status_code == 421


@pytest.mark.skipif(os.name != "posix", reason="signals end it")
def test_tokens(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    with serving(tmp_path / "store", "--http-token", str(tmp_path / "token")) as (_, url):
        assert httpx.get(f"{url}/studies").status_code == 401
        assert httpx.get(f"{url}/studies", headers={"authorization": "Bearer wrong"}).status_code == 401
        assert httpx.get(f"{url}/studies", headers={"authorization": "Bearer secret"}).status_code == 204


@pytest.mark.parametrize(("options", "said"), [
    (["--bind", "0.0.0.0"], "--http-token"),
    (["--viewer", "/nowhere/at/all"], "no such folder"),
])  # fmt: skip
def test_what_does_not_go_together(tmp_path: Path, options: list[str], said: str) -> None:
    done = subprocess.run([*SERVE, "--store", str(tmp_path), *options], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_body_is_not_asked_for_in_vain(tmp_path: Path) -> None:
    """`Expect: 100-continue`: what is refused by its head is refused before the body is sent."""
    import socket

    from dicomcore import catalogue

    with catalogue.open(tmp_path) as held, web.Running(web.app(held)) as running:
        for kind, answers in (("text/plain", [b"HTTP/1.1 415"]), ("", [b"HTTP/1.1 100", b"HTTP/1.1 200"])):
            body, fields = message([CT])
            head = f"POST /studies HTTP/1.1\r\nHost: x\r\nContent-Type: {kind or fields['content-type']}\r\n"
            head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
            with socket.create_connection(("127.0.0.1", running.port), timeout=10) as peer:
                peer.sendall(head.encode())
                for number, wanted in enumerate(answers):
                    assert peer.recv(4096).startswith(wanted)
                    if number == 0 and len(answers) > 1:
                        peer.sendall(body)


def test_answers_do_not_wait_for_acknowledgements(tmp_path: Path) -> None:
    import socket

    from dicomcore import catalogue

    with catalogue.open(tmp_path) as held, web.Running(web.app(held)) as running:
        assert running._socket.proto == socket.IPPROTO_TCP, "asyncio sets TCP_NODELAY only then"
        assert httpx.get(f"{running.url}/health").status_code == 200


@pytest.mark.skipif(os.name != "posix", reason="signals end it")
def test_both_halves_tell_one_trail(tmp_path: Path) -> None:
    lines = tmp_path / "audit.jsonl"
    with (
        serving(tmp_path / "store", "--ae", "PACS", "--audit", str(lines), "--audit-site", "City") as (
            address,
            url,
        ),
        httpx.Client(base_url=url) as client,
    ):
        with net.associate(address, calling="ME") as association:
            assert [int(one.status) for one in association.store([CT])] == [0]
        assert client.get(f"{place_of(CT)}/metadata").status_code == 200
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [(line["event"], line.get("type")) for line in told][:2] == [
        ("Application Activity", "Application Start"), ("Network Entry", "Attach"),
    ]  # fmt: skip
    assert (told[-1]["event"], told[-1]["type"]) == ("Application Activity", "Application Stop")
    assert {line["event"] for line in told[2:-1]} == {
        "DICOM Instances Transferred", "DICOM Instances Accessed", "Network Entry",
    }  # fmt: skip
    assert {(line["source"], line["site"]) for line in told} == {("PACS", "City")}


@pytest.mark.parametrize(("options", "why"), [
    (["--audit", "https://log.example"], "syslog+tls://HOST:PORT"),
    (["--audit", "syslog+tls://log.example"], "--audit-trust"),
    (["--audit", "no/such/folder/audit.jsonl"], "No such file"),
])  # fmt: skip
def test_places_that_are_none(tmp_path: Path, options: list[str], why: str) -> None:
    command = [*SERVE, "--store", str(tmp_path), *options]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert found.returncode == 2
    assert why in found.stderr
    assert "Traceback" not in found.stderr
