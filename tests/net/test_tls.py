"""TLS: the profiles of PS3.15 Annex B on loopback, and what they refuse."""

from __future__ import annotations

import shutil
import socket
import ssl
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from dicomcore import net
from dicomcore.errors import NetworkError
from tests.net.raw_peer import ABORTED, asking, echo, instance, message, responses, statuses, storing, until
from tests.net.test_server import FILES, QUICK

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.mark.parametrize("profile", ["bcp195", "modified"])
def test_mutual(pair: tuple[Path, Path], tmp_path: Path, profile: str) -> None:
    certificate, key = pair
    ours = net.tls_context(profile, server=True, certificate=certificate, key=key, trust=certificate)
    theirs = net.tls_context(profile, certificate=certificate, key=key, trust=certificate)
    with net.Server(ae="SERVER", folder=tmp_path, tls=ours) as server:
        with net.associate(server.address, tls=theirs, timeouts=QUICK) as association:
            assert association.echo().status == 0
            assert [one.status for one in association.store(FILES)] == [0] * len(FILES)
        with pytest.raises(NetworkError):  # no certificate
            net.associate(server.address, tls=net.tls_context(profile, trust=certificate), timeouts=QUICK).echo()
        with pytest.raises(NetworkError):  # no TLS
            net.associate(server.address, timeouts=QUICK)


def test_a_certificate_that_is_not_trusted(pair: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = pair
    ours = net.tls_context(server=True, certificate=certificate, key=key, mutual=False)
    strange = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with net.Server(ae="SERVER", tls=ours) as server, pytest.raises(NetworkError, match="TLS"):
        net.associate(server.address, tls=strange, timeouts=QUICK)


def test_old_versions_are_refused(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    made = net.tls_context(server=True, certificate=certificate, key=key, trust=certificate)
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    names = {cipher["name"] for cipher in made.get_ciphers()}
    assert not any("CBC" in name or "RC4" in name or "SHA1" in name or name.endswith("-SHA") for name in names)
    assert all(name.startswith(("TLS_", "ECDHE-")) for name in names)


@pytest.mark.parametrize("profile", ["basic", "aes", "iscl", "non-downgrading", "nonsense"])
def test_retired_profiles_are_refused_by_name(profile: str) -> None:
    with pytest.raises(ValueError, match=profile):
        net.tls_context(profile)


# -- peers made of bytes


def contexts(pair: tuple[Path, Path]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    certificate, key = pair
    ours = net.tls_context(server=True, certificate=certificate, key=key, mutual=False)
    return ours, net.tls_context(trust=certificate)


def sealed(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    made = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")
    made.settimeout(10)
    return made


def answers(peer: ssl.SSLSocket, count: int) -> bytes:
    """The bytes of so many messages."""
    got = b""
    while len(responses(got)) < count:
        some = peer.recv(1 << 16)
        assert some, got
        got += some
    return got


def associated(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    peer = sealed(port, context)
    peer.sendall(asking())
    assert peer.recv(1 << 16)[0] == 2
    return peer


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
def test_instances_in_pieces(pair: tuple[Path, Path], tmp_path: Path, size: int) -> None:
    ours, theirs = contexts(pair)
    data = instance("1.2.3.{}") + b"\xe0\x7f\x10\0" + struct.pack("<I", 40_000) + bytes(range(250)) * 160
    with net.Server("SERVER", folder=tmp_path, tls=ours) as server, associated(server.port, theirs) as peer:
        for number in range(12 if size > 7 else 4):
            uid = f"1.2.3.{number}"
            made = data if size > 7 else instance("1.2.3.{}")
            made = made.replace(instance("1.2.3.{}"), instance(uid))
            sent = message(3, storing(uid, number + 1), made) + echo(number + 100)
            for at in range(0, len(sent), size):
                peer.sendall(sent[at : at + size])
            assert statuses(answers(peer, 2)) == [0, 0]
            (found,) = tmp_path.rglob(f"{uid}.dcm")
            assert found.read_bytes().endswith(made)


def test_many_requests_at_once(pair: tuple[Path, Path], tmp_path: Path) -> None:
    ours, theirs = contexts(pair)
    with net.Server("SERVER", folder=tmp_path, tls=ours) as server, associated(server.port, theirs) as peer:
        for begin in (0, 1000):
            sent = b"".join(echo(begin + number + 1) for number in range(500))
            peer.sendall(sent)
            found = responses(answers(peer, 500))
            assert [one[0x0120] for one in found] == [begin + number + 1 for number in range(500)]


def test_the_end_of_tls_and_what_is_none(pair: tuple[Path, Path], tmp_path: Path) -> None:
    ours, theirs = contexts(pair)
    with net.Server("SERVER", folder=tmp_path, tls=ours, timeouts=QUICK) as server:
        for end in (
            lambda peer: peer.unwrap(),
            lambda peer: peer.close(),
            lambda peer: socket.socket.send(peer, b"\x17\3\3\0\x20" + bytes(32)),  # a record that is not its own
            lambda peer: socket.socket.send(peer, b"GET / HTTP/1.1\r\n\r\n"),
            lambda peer: peer.sendall(b"\5\0\0\0\0\4\0\0\0\0"),
        ):
            for count in (0, 1, 30):
                with associated(server.port, theirs) as peer:
                    for number in range(count):
                        peer.sendall(echo(number + 1))
                        answers(peer, 1)
                    with suppress(OSError):
                        end(peer)
                    assert until(lambda: server.associations == 0 or peer.fileno() == -1)
        assert until(lambda: server.associations == 0)


def test_a_fault_is_answered_before_the_end(pair: tuple[Path, Path]) -> None:
    ours, theirs = contexts(pair)
    with net.Server("SERVER", tls=ours) as server, associated(server.port, theirs) as peer:
        peer.sendall(b"\x99" * 100)
        assert peer.recv(100)[0] == ABORTED


def test_a_handshake_has_its_time(pair: tuple[Path, Path]) -> None:
    ours, _ = contexts(pair)
    with net.Server("SERVER", tls=ours, timeouts=net.Timeouts(connect=0.2)) as server:
        for sent in (b"", b"\x16\3\1\2\0\1", b"\x16"):
            with socket.create_connection(("127.0.0.1", server.port)) as peer:
                peer.settimeout(10)
                peer.sendall(sent)
                with suppress(ConnectionResetError):
                    assert peer.recv(100) == b""


def test_the_server_stops(pair: tuple[Path, Path], tmp_path: Path) -> None:
    ours, theirs = contexts(pair)
    server = net.Server("SERVER", folder=tmp_path, tls=ours)
    with server:
        peer = associated(server.port, theirs)
        for number in range(20):
            peer.sendall(echo(number + 1))
            answers(peer, 1)
    assert peer.recv(100)[:1] == bytes((ABORTED,))
    peer.close()
