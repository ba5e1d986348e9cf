"""Sinks: a file of JSON lines, and syslog servers over UDP and TLS, which are sockets of the tests."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import stat
import threading
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dicomcore import audit, net
from tests.audit.events import EVENTS
from tests.net.test_tls import pair

__all__ = ["pair"]

SOURCE = audit.Source("PACS 1")
HEAD = re.compile(
    rb"<85>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]+ PACS-1 \d+ DICOM\+RFC3881 - \xef\xbb\xbf<AuditM"
)
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def content(message: bytes) -> ET.Element:
    """The message behind the header (RFC 5424)."""
    assert HEAD.match(message), message[:120]
    return ET.fromstring(message[message.index(b"\xef\xbb\xbf") + 3 :])


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = audit.JsonLines(path)
    for _, event in EVENTS.values():
        sink.write(event, SOURCE)
    sink.flush()
    path.rename(tmp_path / "audit.1")  # as a rotation does
    sink.write(EVENTS["start"][1], SOURCE)
    sink.close()
    lines = (tmp_path / "audit.1").read_bytes().splitlines()
    assert [json.loads(line)["event"] for line in lines] == [event.id.meaning for _, event in EVENTS.values()]
    assert len(path.read_bytes().splitlines()) == 1
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        audit.JsonLines(tmp_path / "no" / "audit.jsonl")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk() -> None:
    sink = audit.JsonLines("/dev/full")
    with pytest.raises(OSError, match="No space"):
        sink.write(EVENTS["start"][1], SOURCE)
    sink.close()


def test_datagrams() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(30)
        sink = audit.Syslog("127.0.0.1", server.getsockname()[1])
        for _, event in EVENTS.values():
            sink.write(event, SOURCE)
            found = content(server.recv(65536)).find("EventIdentification/EventID")
            assert found is not None
            assert found.get("csd-code") == event.id.value
        huge = audit.Query(source=audit.Party(), destination=audit.Party(), query=bytes(100_000), resource="/studies")
        with pytest.raises(audit.Undeliverable, match="do not fit into a datagram"):
            sink.write(huge, SOURCE)
        sink.close()


class SyslogServer:
    """Takes messages with octet counting (RFC 5425 4.3), a connection at a time."""

    def __init__(self, pair: tuple[Path, Path]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        context.load_verify_locations(pair[0])
        context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context = context
        self.port = self._listener.getsockname()[1]

    def take(self, count: int) -> list[bytes]:
        """So many messages of the next connection, which it then closes."""
        sock, _ = self._listener.accept()
        found = []
        with self._context.wrap_socket(sock, server_side=True) as made, made.makefile("rb") as stream:
            for _ in range(count):
                digits = b""
                while (byte := stream.read(1)) != b" ":
                    digits += byte
                found.append(stream.read(int(digits)))
        return found

    def close(self) -> None:
        self._listener.close()


@needs_openssl
def test_tls(pair: tuple[Path, Path]) -> None:
    server = SyslogServer(pair)
    rounds: list[list[bytes]] = []
    first_is_over = threading.Event()

    def serve() -> None:
        rounds.append(server.take(2))
        first_is_over.set()
        rounds.append(server.take(1))

    thread = threading.Thread(target=serve)
    thread.start()
    tls = net.tls_context(certificate=pair[0], key=pair[1], trust=pair[0])
    sink = audit.Syslog("localhost", server.port, tls=tls)
    sink.write(EVENTS["login"][1], SOURCE)
    sink.write(EVENTS["transferred"][1], SOURCE)
    assert first_is_over.wait(30)
    sink.write(EVENTS["logout"][1], SOURCE)  # over a new connection: the server has closed the first
    thread.join(30)
    sink.close()
    server.close()
    kinds = [[content(one).find("EventIdentification/EventID") for one in messages] for messages in rounds]
    assert [[one.get("csd-code") for one in found if one is not None] for found in kinds] == [
        ["110114", "110104"], ["110114"],
    ]  # fmt: skip


@needs_openssl
def test_a_server_that_is_not_trusted(pair: tuple[Path, Path]) -> None:
    server = SyslogServer(pair)

    def serve() -> None:
        with pytest.raises((ssl.SSLError, OSError)):
            server.take(1)

    thread = threading.Thread(target=serve)
    thread.start()
    sink = audit.Syslog("localhost", server.port, tls=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        sink.write(EVENTS["login"][1], SOURCE)
    sink.close()
    thread.join(30)
    server.close()


def test_names_of_places(tmp_path: Path) -> None:
    made = ssl.create_default_context()
    for text, told in (
        (str(tmp_path / "a.jsonl"), str(tmp_path / "a.jsonl")),
        ("syslog+udp://localhost", "syslog+udp://localhost:514"),
        ("syslog+udp://[::1]:1514", "syslog+udp://::1:1514"),
        ("syslog+tls://log.example", "syslog+tls://log.example:6514"),
    ):
        assert repr(audit.sink_of(text, lambda: made)) == told
    for text in (
        "https://log.example",
        "syslog+tls://",
        "syslog+tcp://log.example",
        "syslog+udp://h/x",
        "syslog+udp://h:x",
    ):
        with pytest.raises(ValueError, match=r"syslog|[Pp]ort"):
            audit.sink_of(text, lambda: made)
