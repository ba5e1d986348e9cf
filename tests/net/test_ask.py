"""Plain requests in one call: their bytes are those of the careful way, and only plain responses are taken."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dicomcore import net
from dicomcore._native.net.ask import read_small, receive, send
from dicomcore.errors import AssociationAborted, NetworkTimeout
from dicomcore.net.commands import Field, Kind, encode
from dicomcore.net.exchange import Context, Exchange
from dicomcore.net.items import ContextAnswer
from dicomcore.net.pdu import Accept, encode_pdu
from tests.net.raw_peer import CT, IMPLICIT, RELEASED, USER, VERIFICATION, data_pdu, pdv

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets are no files there")
FRAGMENT = 1000


@contextmanager
def pair(patience: int = 50_000) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets, of which the first is blocking and waits `patience` microseconds for bytes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(None)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", *divmod(patience, 1_000_000)))
        yield ours, theirs


REQUESTS: dict[str, tuple[dict[int, Any], bytes | None]] = {
    "an echo": ({2: VERIFICATION, 0x100: 0x30, 0x110: 7}, None),
    "an instance": ({2: CT, 0x100: 1, 0x110: 0xFFFF, 0x700: 0, 0x1000: "1.2.3"}, b"ab" * 100),
    "of even UIDs": ({2: CT + "1", 0x100: 1, 0x110: 256, 0x700: 0, 0x1000: "1.22"}, b"ab"),
    "of the longest UIDs": ({2: "1" * 64, 0x100: 1, 0x110: 1, 0x700: 0, 0x1000: "2" * 64}, b"ab"),
    "in fragments": ({2: CT, 0x100: 1, 0x110: 1, 0x700: 0, 0x1000: "1.2.3"}, bytes(range(250)) * 18),
    "of whole fragments": ({2: CT, 0x100: 1, 0x110: 1, 0x700: 0, 0x1000: "1.2.3"}, bytes(2 * FRAGMENT)),
}


@pytest.mark.parametrize(("values", "data"), REQUESTS.values(), ids=REQUESTS)
def test_requests_have_the_bytes_of_the_exchange(values: dict[int, Any], data: bytes | None) -> None:
    with pair() as (ours, theirs):
        uid = values.get(0x1000, "").encode()
        found = send(ours.fileno(), 3, values[0x100], values[0x110], values[2].encode(), uid, data, FRAGMENT)
        exchange = Exchange({3: Context(3, CT, IMPLICIT)}, peer_maximum=FRAGMENT + 6)
        wanted = b"".join(exchange.message(3, dict(values), data))
        assert found == (len(wanted), len(wanted))
        assert theirs.recv(1 << 16) == wanted


REFUSED: dict[str, dict[str, Any]] = {
    "a long UID": {"sop_class": b"1" * 65},
    "a long instance": {"sop_instance": b"1" * 65},
    "small fragments": {"fragment": 100},
    "many fragments": {"data": bytes(65 * FRAGMENT)},
    "an empty data set": {"data": b""},
    "no context": {"number": 0},
}


@pytest.mark.parametrize("other", REFUSED.values(), ids=REFUSED)
def test_what_is_not_sent_in_one_go(other: dict[str, Any]) -> None:
    usual: dict[str, Any] = {
        "number": 3, "kind": 1, "identifier": 1, "sop_class": b"1.2", "sop_instance": b"1.3", "data": b"ab",
        "fragment": FRAGMENT,
    }  # fmt: skip
    with pair() as (ours, _):
        assert send(ours.fileno(), **(usual | other)) is None


def response(**other: Any) -> bytes:
    values: dict[int, Any] = {2: CT, 0x100: 0x8001, 0x120: 5, 0x800: 0x0101, 0x900: 0, 0x1000: "1.2.3"}
    values |= {int(Field[name]): value for name, value in other.items()}
    return data_pdu(pdv(3, 3, encode(values)))


STATUSES = {
    "success": (response(), 0),
    "a status": (response(STATUS=0xA700), 0xA700),
    "the least": (response(AFFECTED_SOP_CLASS=None, AFFECTED_SOP_INSTANCE=None), 0),
    "a comment": (response(ERROR_COMMENT="no"), -1),
    "another message": (response(RESPONDED_TO=6), -1),
    "no message": (response(RESPONDED_TO=None), -1),
    "another kind": (response(COMMAND=0x8030), -1),
    "a request": (response(COMMAND=1), -1),
    "no status": (response(STATUS=None), -1),
    "a data set": (response(DATA_SET_TYPE=0), -1),
    "no data set type": (response(DATA_SET_TYPE=None), -1),
    "another context": (data_pdu(pdv(1, 3, response()[12:])), -1),
    "a fragment": (data_pdu(pdv(3, 1, response()[12:])), -1),
    "two values": (data_pdu(pdv(3, 3, response()[12:]), pdv(3, 3, response()[12:])), -1),
    "two responses": (response() * 2, -1),
    "a release": (b"\5\0\0\0\0\4\0\0\0\0", -1),
    "an element twice": (data_pdu(pdv(3, 3, response()[12:] + response()[-10:])), -1),
    "a length that lies": (data_pdu(pdv(3, 3, response()[12:-10] + b"\xff\xff\xff\x7f" + response()[-6:])), -1),
    "another group": (data_pdu(pdv(3, 3, b"\x08\0\2\0\0\0\0\0" + response()[12:])), -1),
    "a long UID": (response(AFFECTED_SOP_INSTANCE="1" * 200), -1),
    "no PDU": (b"HTTP/1.1 200 OK\r\n", -1),
    "a long PDU": (b"\4\0\0\1\0\0" + bytes(20), -1),
}


@pytest.mark.parametrize(("came", "status"), STATUSES.values(), ids=STATUSES)
def test_statuses(came: bytes, status: int) -> None:
    room = bytearray(1 << 14)
    with pair() as (ours, theirs):
        theirs.sendall(came)
        assert receive(ours.fileno(), room, 3, 1, 5) == (len(came), status)
    assert room[: len(came)] == came


@pytest.mark.parametrize("at", [1, 5, 6, 7, 12, 60, 100])
def test_responses_in_two_parts(at: int) -> None:
    whole = response()
    with pair(patience=30_000_000) as (ours, theirs):  # the second part may be late on a busy machine
        theirs.sendall(whole[:at])
        later = threading.Timer(0.01, theirs.sendall, [whole[at:]])
        later.start()
        assert receive(ours.fileno(), bytearray(1 << 14), 3, 1, 5) == (len(whole), 0)
        later.join()


def test_truncated_responses() -> None:
    whole = response()
    for size in range(1, len(whole), 5):
        with pair() as (ours, theirs):
            theirs.sendall(whole[:size])
            theirs.close()
            assert receive(ours.fileno(), bytearray(1 << 14), 3, 1, 5) == (size, -1)


def test_silence_and_the_end() -> None:
    with pair() as (ours, theirs):
        with pytest.raises(BlockingIOError):
            receive(ours.fileno(), bytearray(512), 3, 1, 5)
        theirs.close()
        assert receive(ours.fileno(), bytearray(512), 3, 1, 5) == (0, -1)
        with pytest.raises(BrokenPipeError):
            send(ours.fileno(), 3, 0x30, 1, b"1.2", b"", None, FRAGMENT)
        with pytest.raises(ValueError, match="no room"):
            receive(ours.fileno(), bytearray(100), 3, 1, 5)


def test_small_files(tmp_path: Path) -> None:
    path = tmp_path / "ä"
    for size in (1, 16384):
        path.write_bytes(bytes(size))
        assert read_small(str(path)) == bytes(size)
        assert read_small(os.fsencode(path)) == bytes(size)
    for size in (0, 16385):
        path.write_bytes(bytes(size))
        assert read_small(str(path)) is None
    for other in (str(tmp_path), str(tmp_path / "none"), "a\0b", "/dev/zero"):
        assert read_small(other) is None


# -- an acceptor of bytes


@contextmanager
def acceptor(*answers: bytes | float) -> Iterator[str]:
    """Accepts one association for verification, and says to what comes the answers in turn; a number is a pause."""
    accept = Accept("X", "Y", (ContextAnswer(1, 0, IMPLICIT),), USER)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def work() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.settimeout(10)
                peer.recv(1 << 16)
                peer.sendall(encode_pdu(accept))
                peer.recv(1 << 16)
                for one in answers:
                    if isinstance(one, bytes):
                        peer.sendall(one)
                    else:
                        time.sleep(one)
                while some := peer.recv(1 << 16):
                    if some[0] == 5:
                        peer.sendall(bytes((RELEASED, 0, 0, 0, 0, 4, 0, 0, 0, 0)))

        thread = threading.Thread(target=work)
        thread.start()
        yield f"X@127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def echoed(identifier: int = 1, **other: Any) -> bytes:
    values: dict[int, Any] = {0x100: 0x8030, 0x120: identifier, 0x800: 0x0101, 0x900: 0}
    values |= {int(Field[name]): value for name, value in other.items()}
    return data_pdu(pdv(1, 3, encode(values)))


FINE: dict[str, tuple[bytes | float, ...]] = {
    "at once": (echoed(),),
    "in many parts": tuple(part for at in range(0, 70, 7) for part in (echoed()[at : at + 7], 0.005)),
    "late": (0.3, echoed()),
    "a part, and late": (echoed()[:20], 0.3, echoed()[20:]),
    "behind an event": (
        data_pdu(pdv(1, 3, encode({0x100: int(Kind.N_EVENT_REPORT), 0x110: 9, 0x800: 0x0101, 0x1002: 1}))),
        echoed(),
    ),
    "with a comment": (echoed(ERROR_COMMENT="fine"),),
}


@pytest.mark.parametrize("answers", FINE.values(), ids=FINE)
def test_an_echo_is_answered(answers: tuple[bytes | float, ...]) -> None:
    with acceptor(*answers) as address:
        timeouts = net.Timeouts(response=5, pdu=5, idle=0.4)
        with net.associate(address, contexts=[VERIFICATION], timeouts=timeouts) as association:
            found = association.echo()
            assert found.status == 0
            assert found.command[Field.RESPONDED_TO] == 1
            assert found.comment == found.command.get(Field.ERROR_COMMENT, "")


WRONG: dict[str, tuple[tuple[bytes | float, ...], type[Exception], str]] = {
    "to another message": ((echoed(2),), AssociationAborted, "not outstanding"),
    "an abort": ((b"\7\0\0\0\0\4\0\0\0\0",), AssociationAborted, "aborted"),
    "no status": ((echoed(STATUS=None),), AssociationAborted, "no status"),
    "silence": ((1.0,), NetworkTimeout, "no response in"),
    "a part": ((echoed()[:20], 1.0), AssociationAborted, "in part"),
}


@pytest.mark.parametrize(("answers", "kind", "why"), WRONG.values(), ids=WRONG)
def test_an_echo_is_not_answered(answers: tuple[bytes | float, ...], kind: type[Exception], why: str) -> None:
    with acceptor(*answers) as address:
        timeouts = net.Timeouts(response=0.4, pdu=0.2)
        association = net.associate(address, contexts=[VERIFICATION], timeouts=timeouts)
        with pytest.raises(kind, match=why):
            association.echo()
        assert not association.is_open
        association.abort()
