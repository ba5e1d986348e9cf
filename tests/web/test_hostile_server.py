"""What hostile clients send: bodies that lie, names that are paths, markup in values, and many at once."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest

from dicomcore import catalogue, dcmread, web
from dicomcore.web.limits import WebLimits
from tests.web.calling import DICOM, FILES, Caller, calling, message, place_of

CT = FILES["CT_small.dcm"]
TYPE = f'multipart/related; type="{DICOM}"; boundary=x'


def post(caller: Caller, body: bytes, content_type: str = TYPE, path: str = "/studies") -> int:
    return caller.ask("POST", path, content=body, headers={"content-type": content_type}).status_code


BODIES = {  # name: (body, content type, statuses)
    "nothing": (b"", TYPE, {400}),
    "no delimiter": (b"y" * 100_000, TYPE, {400}),
    "only the last delimiter": (b"--x--\r\n", TYPE, {400}),
    "a part without an end": (b"--x\r\n\r\n" + b"a" * 1000, TYPE, {400}),
    "a head without an end": (b"--x\r\nA: " + b"a" * 100_000, TYPE, {400}),
    "many fields": (b"--x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n\r\n--x--\r\n", TYPE, {400}),
    "many parts": (b"--x\r\n\r\n\r\n" * 2000 + b"--x--\r\n", TYPE, {409}),
    "no boundary": (b"--x--\r\n", f'multipart/related; type="{DICOM}"', {400}),
    "a long boundary": (b"--x--\r\n", f'multipart/related; type="{DICOM}"; boundary={"b" * 500}', {400}),
    "a boundary with a line end": (b"--x--\r\n", 'multipart/related; boundary="a\\\r\nb"', {400, 415}),
    "another type": (b"--x--\r\n", 'multipart/related; type="text/html"; boundary=x', {415}),
    "no type": (b"", "", {415}),
    "parts of another type": (b"--x\r\nContent-Type: image/png\r\n\r\na\r\n--x--\r\n", TYPE, {409}),
    "a length that lies": (
        b"--x\r\nContent-Type: application/dicom\r\nContent-Length: 9999999\r\n\r\n" + CT.read_bytes()
        + b"\r\n--x--\r\n", TYPE, {200, 409},
    ),
    "a preamble alone": (b"--x\r\n\r\n" + bytes(128) + b"DICM\r\n--x--\r\n", TYPE, {409}),
    "half a file": (b"--x\r\n\r\n" + CT.read_bytes()[:400] + b"\r\n--x--\r\n", TYPE, {409}),
    "a web page": (b"--x\r\n\r\n<html><script>\r\n--x--\r\n", TYPE, {409}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "content_type", "statuses"), BODIES.values(), ids=BODIES)
def test_bodies_that_lie(tmp_path: Path, body: bytes, content_type: str, statuses: set[int]) -> None:
    with calling(tmp_path) as (caller, held):
        status = post(caller, body, content_type)
        assert status in statuses
        assert len(held) == (status == 200)
        assert not list(tmp_path.glob(".incoming/*.part"))
        assert caller.get("/health").status_code == 200


def test_a_boundary_inside_of_pixel_data(tmp_path: Path) -> None:
    """Bytes that look like a delimiter without its line end are data."""
    ds = dcmread(CT)
    pixels = bytearray(ds.PixelData)
    pixels[100:110] = b"\r\n--boundX"
    ds.PixelData = bytes(pixels)
    body = b"--bound\r\nContent-Type: application/dicom\r\n\r\n" + ds.to_bytes() + b"\r\n--bound--\r\n"
    with calling(tmp_path) as (caller, _):
        assert post(caller, body, f'multipart/related; type="{DICOM}"; boundary=bound') == 200
        frame = caller.get(f"{place_of(CT)}/frames/1", "application/octet-stream")
        assert frame.content == bytes(pixels)


NAMES = ("..", "../../etc/x", "/etc/passwd", "a\\b", "." * 64, "CON", "x" * 64, "1.2.3/4", "%2e%2e", "<script>")


@pytest.mark.filterwarnings("ignore:.*UI is a UID")
@pytest.mark.parametrize("name", NAMES)
def test_names_never_become_paths(tmp_path: Path, name: str) -> None:
    ds = dcmread(CT)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        ds[keyword].value = name
    ds.file_meta.MediaStorageSOPInstanceUID = name
    root = tmp_path / "store"
    with calling(root) as (caller, held):
        body, fields = message([ds.to_bytes(enforce_standard=False)])
        answer = caller.ask("POST", "/studies", content=body, headers=fields)
        assert answer.status_code in (200, 409)
        assert {path.name for path in tmp_path.iterdir()} == {"store"}
        if len(held):
            (path,) = root.rglob("*.dcm")
            assert path.resolve().is_relative_to(root.resolve())
            (row,) = caller.get("/instances").json()
            assert row["00080018"]["Value"] == name.split("\\")
            assert caller.get(row["00081190"]["Value"][0], DICOM).status_code in (200, 404)


def test_markup_in_values_stays_text(tmp_path: Path) -> None:
    ds = dcmread(CT)
    ds.PatientName = ds.StudyDescription = '<script>alert("1")</script>'
    with calling(tmp_path) as (caller, _):
        assert caller.store([ds.to_bytes()]).status_code == 200
        found = caller.get("/studies?includefield=StudyDescription", "text/html,*/*")
        assert found.headers["content-type"] == "application/dicom+json"
        assert found.json()[0]["00081030"]["Value"] == ['<script>alert("1")</script>']
        xml = caller.get("/studies?includefield=StudyDescription", "application/dicom+xml").text
        assert "<script" not in xml
        wrong = caller.get("/studies?%3Cscript%3E=1", "text/html")
        assert wrong.headers["content-type"] == "application/problem+json"


def test_any_change_of_a_request_is_an_answer(tmp_path: Path) -> None:
    """Bytes of good requests are changed, cut and doubled: each is answered, and nothing half stored is left."""
    made = random.Random(5)
    body, fields = message([CT, FILES["MR_small.dcm"]])
    with calling(tmp_path) as (caller, _):
        for _ in range(150):
            changed = bytearray(body)
            for _ in range(made.randrange(1, 6)):
                at = made.randrange(len(changed)) if made.random() < 0.5 else made.randrange(1200)
                kind = made.randrange(3)
                if kind == 0:
                    changed[at] = made.randrange(256)
                elif kind == 1:
                    del changed[at : at + made.randrange(1, 200)]
                else:
                    changed[at:at] = changed[at : at + made.randrange(200)]
            answer = caller.ask("POST", "/studies", content=bytes(changed), headers=fields)
            assert answer.status_code in (200, 202, 400, 409), answer.text[:200]
        assert not list(tmp_path.glob(".incoming/*.part"))
        for path in ("/studies", "/instances", "/instances?includefield=all"):
            assert caller.get(path).status_code in (200, 204)


POST = b"POST /studies HTTP/1.1\r\nHost: x\r\n"
RAW = {
    "a length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\naaaaa",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a chunk that is none": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "an association": b"\x01\x00\x00\x00\x00\xcd\x00\x01",
    "a path out of the root": b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "a null byte": b"GET /studies/\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
}


def test_raw_requests(tmp_path: Path) -> None:
    """What is no request is refused, and others are served on."""
    with catalogue.open(tmp_path) as held, web.Running(web.app(held)) as running:
        for name, data in RAW.items():
            with socket.create_connection(("127.0.0.1", running.port), timeout=10) as peer:
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := peer.recv(1 << 16):
                    answer += piece
                status = answer.split(b" ", 2)[1][:3] if answer else b""
                assert status in (b"", b"400", b"404", b"415"), name
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as peer:
            peer.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert peer.recv(4096).startswith(b"HTTP/1.1 200")


def test_silent_and_slow_clients_cost_the_others_nothing(tmp_path: Path) -> None:
    with catalogue.open(tmp_path) as held, web.Running(web.app(held, limits=WebLimits(requests=5))) as running:
        body, fields = message([CT])
        head = f"POST /studies HTTP/1.1\r\nHost: x\r\nContent-Type: {fields['content-type']}\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        others = [socket.create_connection(("127.0.0.1", running.port), timeout=10) for _ in range(60)]
        try:
            for number, one in enumerate(others):
                one.sendall((head.encode() + body[:5000]) if number % 2 else b"GET /studies HT")
            with socket.create_connection(("127.0.0.1", running.port), timeout=10) as peer:
                peer.sendall(head.encode() + body)
                assert peer.recv(4096).startswith(b"HTTP/1.1 200")
        finally:
            for one in others:
                one.close()
        assert len(held) == 1
    assert not list(tmp_path.glob(".incoming/*.part"))
