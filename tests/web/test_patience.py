"""Clients that never end a head, or never read: deadlines of connections, with a clock that the tests turn."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from dicomcore import catalogue, dcmread, web
from dicomcore.web.limits import WebLimits
from dicomcore.web.patience import Patience
from tests.web.calling import FILES

LIMITS = WebLimits(head_seconds=20, send_seconds=60, least_rate=500, head_bytes=1000)
HEAD = b"GET /studies HTTP/1.1\r\nHost: x\r\n\r\n"


class Clock:
    """The loop of a connection: what was put off happens when the clock is turned."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waiting: list[tuple[float, Callable[..., Any], tuple[Any, ...], Clock.Handle]] = []

    class Handle:
        is_over = False

        def cancel(self) -> None:
            self.is_over = True

    def call_later(self, seconds: float, call: Callable[..., Any], *arguments: Any) -> Handle:
        handle = Clock.Handle()
        self.waiting.append((self.now + seconds, call, arguments, handle))
        return handle

    def create_task(self, work: Any, **_: Any) -> Any:
        work.close()
        return asyncio.Future(loop=asyncio.new_event_loop())

    def turn(self, seconds: float) -> None:
        until = self.now + seconds
        while due := sorted((one for one in self.waiting if one[0] <= until), key=lambda one: one[0]):
            self.waiting.remove(due[0])
            self.now, call, arguments, handle = due[0]
            if not handle.is_over:
                call(*arguments)
        self.now = until


class Wire:
    """A transport whose client takes what `take` says."""

    def __init__(self) -> None:
        self.sent, self.waits, self.is_closed, self.is_aborted = b"", 0, False, False

    def write(self, data: bytes) -> None:
        self.sent += data

    def get_write_buffer_size(self) -> int:
        return self.waits

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, *_: Any) -> None:
        return None

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


@pytest.fixture
def made() -> tuple[Patience, Wire, Clock]:
    clock, wire = Clock(), Wire()
    config = uvicorn.Config(lambda scope: None, log_config=None)  # type: ignore[arg-type,return-value]
    connection = Patience(config=config, server_state=ServerState(), app_state={}, _loop=clock, limits=LIMITS)  # type: ignore[arg-type]
    connection.connection_made(wire)
    return connection, wire, clock


def test_a_head_that_does_not_end(made: tuple[Patience, Wire, Clock]) -> None:
    connection, wire, clock = made
    for _ in range(19):
        clock.turn(1)
        connection.data_received(b"GET /"[:1] if clock.now == 1 else b"")
    assert not wire.is_closed
    clock.turn(1)
    assert wire.is_closed
    assert wire.sent.startswith(b"HTTP/1.1 408")


def test_a_connection_without_a_request_is_closed(made: tuple[Patience, Wire, Clock]) -> None:
    _, wire, clock = made
    clock.turn(20)
    assert wire.is_closed
    assert not wire.sent


def test_the_second_head_has_a_deadline_too(made: tuple[Patience, Wire, Clock]) -> None:
    connection, wire, clock = made
    connection.data_received(HEAD)
    clock.turn(1000)
    assert not wire.is_closed, "the answer is being made"
    connection.cycle.response_complete = True
    connection.on_response_complete()
    connection.data_received(HEAD[:9])
    clock.turn(19)
    assert not wire.is_closed
    clock.turn(1)
    assert wire.sent.startswith(b"HTTP/1.1 408")


ENDLESS = {
    "a target": (b"GET /" + b"a" * 999, b"a" * 1000),
    "fields": (b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 100),
    "a value": (b"GET / HTTP/1.1\r\na: ", b"b" * 1000),
    "empty lines": (b"\r\n", b"\r\n" * 500),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_head_has_a_size(made: tuple[Patience, Wire, Clock], name: str) -> None:
    connection, wire, _ = made
    first, more = ENDLESS[name]
    connection.data_received(first)
    for _ in range(10):
        connection.data_received(more)
    assert wire.is_closed
    assert wire.sent.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))


def test_trailers_have_a_size(made: tuple[Patience, Wire, Clock]) -> None:
    connection, wire, _ = made
    connection.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
    for _ in range(100):
        connection.data_received(b"a: b\r\n" * 100)
    assert wire.is_aborted


UPLOAD = b"POST /studies HTTP/1.1\r\nHost: x\r\n"


def waiting(connection: Patience) -> bytes:
    """What of a body waits, as the application gets it."""
    return asyncio.run(connection.cycle.receive())["body"]


def test_a_piece_of_a_body_is_not_copied(made: tuple[Patience, Wire, Clock]) -> None:
    connection, _, _ = made
    connection.data_received(UPLOAD + b"Content-Length: 9\r\n\r\n")
    connection.on_body(piece := bytes(range(4)))
    assert waiting(connection) is piece
    connection.data_received(b"fghij")
    assert waiting(connection) == b"fghij"


def test_pieces_that_wait_are_joined(made: tuple[Patience, Wire, Clock]) -> None:
    connection, _, _ = made
    connection.data_received(UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for number in range(1000):
        connection.data_received(b"1\r\n%c\r\n" % (number % 256))
        if number:  # bytes would be copied for each chunk of one
            assert isinstance(connection.cycle.body, bytearray)
    assert waiting(connection) == bytes(number % 256 for number in range(1000))


def test_reading_stops_before_an_application_that_does_not_follow(
    made: tuple[Patience, Wire, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, wire, _ = made
    happened: list[str] = []
    monkeypatch.setattr(wire, "pause_reading", lambda: happened.append("paused"))
    monkeypatch.setattr(wire, "resume_reading", lambda: happened.append("resumed"))
    connection.data_received(UPLOAD + b"Content-Length: 900000000\r\n\r\n")
    for _ in range(8):
        connection.data_received(bytes(64 << 10))
    assert not happened
    connection.data_received(b"x")
    assert happened == ["paused"]
    assert len(waiting(connection)) == (512 << 10) + 1
    assert happened == ["paused", "resumed"]


def test_a_client_that_takes_nothing(made: tuple[Patience, Wire, Clock]) -> None:
    connection, wire, clock = made
    connection.data_received(HEAD)
    wire.waits = 100_000
    connection.pause_writing()
    clock.turn(59)
    assert not wire.is_closed
    clock.turn(1)
    assert wire.is_aborted


def test_a_client_that_takes_slowly_is_served(made: tuple[Patience, Wire, Clock]) -> None:
    connection, wire, clock = made
    connection.data_received(HEAD)
    wire.waits = 200_000
    connection.pause_writing()
    for _ in range(6):
        wire.waits -= 30_000
        clock.turn(60)
        assert not wire.is_closed
    clock.turn(60)
    clock.turn(60)
    assert wire.is_aborted, "it has stopped"


def test_a_short_answer_that_nobody_takes(made: tuple[Patience, Wire, Clock]) -> None:
    """Below the mark from which writing is paused: the connection is closed with bytes that wait."""
    connection, wire, clock = made
    connection.data_received(HEAD)
    wire.waits = 1000
    connection.cycle.response_complete = True
    connection.on_response_complete()
    clock.turn(5)
    assert wire.is_closed
    assert not wire.is_aborted
    clock.turn(60)
    assert wire.is_aborted


def test_over_a_socket(tmp_path: Path) -> None:
    limits = WebLimits(head_seconds=0.2)
    with catalogue.open(tmp_path) as held, web.Running(web.app(held, limits=limits)) as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as peer:
            peer.sendall(HEAD + HEAD[:5])
            answer = b""
            while piece := peer.recv(4096):
                answer += piece
        assert b" 204 " in answer
        assert b" 408 " in answer


OLD = {  # name: (request, whether its answer has a length)
    "a search": (b"GET /studies", True),
    "metadata, which are streamed": (b"GET /studies/%b/metadata", False),
    "instances": (b"GET /studies/%b", True),
    "a head": (b"HEAD /studies/%b/metadata", False),
    "nothing": (b"GET /studies/1.2.3/series", False),
}


@pytest.mark.parametrize("name", OLD)
def test_http_1_0(tmp_path: Path, name: str) -> None:
    """A client of HTTP/1.0 gets no chunks, which it does not know: the body ends with the connection."""
    line, has_length = OLD[name]
    study = str(dcmread(FILES["CT_small.dcm"]).StudyInstanceUID).encode()
    with catalogue.open(tmp_path) as held, web.Running(web.app(held)) as running:
        held.add(FILES["CT_small.dcm"]).result()
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as peer:
            peer.sendall((line % study if b"%b" in line else line) + b" HTTP/1.0\r\nAccept-Encoding: identity\r\n\r\n")
            answer = b""
            while piece := peer.recv(4096):
                answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert (b"content-length" in head.lower()) is has_length
    if b"json" in head and body:
        assert json.loads(body)
