"""Files sent in one call: the same bytes go out, and the same outcomes come, as with the careful way."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from dicomcore import net
from dicomcore._native.net.batch import Batch
from dicomcore.errors import AssociationAborted, NetworkTimeout
from dicomcore.net import blocking
from dicomcore.net.commands import Field, decode, encode
from dicomcore.net.instances import open_instance
from dicomcore.net.items import ContextAnswer, UserInformation
from dicomcore.net.operations import Storing
from dicomcore.net.pdu import Accept, encode_pdu
from tests.net.raw_peer import CT, IMPLICIT, RELEASED, data_pdu, pdv
from tests.support import dicom_bytes as raw

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets are no files there")
MR = "1.2.840.10008.5.1.4.1.1.4"
OFFERS = [(CT, (raw.EXPLICIT,)), (CT, (IMPLICIT,)), (MR, (IMPLICIT,))]
Answer = Callable[[int, dict[int, Any]], list[bytes | float]]


def text(tag: int, value: str, vr: str | None) -> bytes:
    return raw.element(tag, vr if vr is None else "UI", value.encode() + b"\0" * (len(value) & 1))


def file(uid: str, syntax: str = raw.EXPLICIT, sop_class: str = CT, size: int = 100) -> bytes:
    vr = None if syntax == IMPLICIT else "OW"
    pixels = bytes(number % 251 for number in range(size))
    data = text(0x00080016, sop_class, vr) + text(0x00080018, uid, vr) + raw.element(0x7FE00010, vr, pixels)
    return raw.part10(data, syntax)


FILES = {  # in an order that goes from what is plain to what is not, and back
    "explicit": file("1.1"),
    "another": file("1.22"),
    "implicit": file("1.3", IMPLICIT),
    "of another class": file("1.4", IMPLICIT, MR),
    "to be converted": file("1.5", raw.EXPLICIT, MR),
    "large": file("1.6", size=300_000),
    "larger than a batch takes": file("1.7", size=1_100_000),
    "plain again": file("1.8"),
    "of no class": raw.part10(text(0x00080018, "1.9", "UI")),
    "of a class without a context": file("1.10", sop_class="1.2.3"),
    "odd": file("1.11") + b"\0",
    "no DICOM": b"plain text",
    "empty": b"",
    "deflated": raw.part10(b"\3\0", raw.DEFLATED),
    **{f"at the end {number}": file(f"1.12.{number}") for number in range(70)},
}


@contextmanager
def acceptor(answer: Answer, maximum: int = 16384) -> Iterator[tuple[str, list[bytes]]]:
    """Accepts one association, and gives the PDUs that come over it. `answer` gives bytes to send, and pauses."""
    came: list[bytes] = []
    user = UserInformation(maximum_length=maximum, implementation_class_uid="1.2.3")
    accepted = tuple(ContextAnswer(2 * at + 1, 0, syntaxes[0]) for at, (_, syntaxes) in enumerate(OFFERS))

    def read(peer: socket.socket, size: int) -> bytes:
        got = b""
        while len(got) < size:
            some = peer.recv(size - len(got))
            if not some:
                raise EOFError
            got += some
        return got

    def talk(peer: socket.socket) -> None:
        number, command = 0, b""
        while True:
            head = read(peer, 6)
            body = read(peer, struct.unpack(">xxI", head)[0])
            came.append(head + body)
            if head[0] == 1:
                peer.sendall(encode_pdu(Accept("X", "Y", accepted, user)))
            elif head[0] == 5:
                peer.sendall(bytes((RELEASED, 0, 0, 0, 0, 4, 0, 0, 0, 0)))
            elif head[0] == 4 and body[5] & 1:
                command = body[6:]
            elif head[0] == 4 and body[5] & 2:
                number += 1
                for one in answer(number, decode(command) | {-1: body[4]}):
                    if isinstance(one, bytes):
                        peer.sendall(one)
                    else:
                        time.sleep(one)

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def work() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.settimeout(20)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with suppress(EOFError, OSError):
                    talk(peer)

        thread = threading.Thread(target=work)
        thread.start()
        yield f"X@127.0.0.1:{listening.getsockname()[1]}", came
        thread.join()


def response(asked: dict[int, Any], **other: Any) -> bytes:
    values: dict[int, Any] = {2: CT, 0x100: 0x8001, 0x120: asked[0x110], 0x800: 0x0101, 0x900: 0, 0x1000: asked[0x1000]}
    values |= {int(Field[name]): value for name, value in other.items()}
    return data_pdu(pdv(asked[-1], 3, encode(values)))


def success(number: int, asked: dict[int, Any]) -> list[bytes | float]:
    return [response(asked)]


def in_parts(number: int, asked: dict[int, Any]) -> list[bytes | float]:
    whole = response(asked)
    return [whole[:6], whole[6:40], 0.001, whole[40:]]


def sometimes(number: int, asked: dict[int, Any]) -> list[bytes | float]:
    status = {2: 0xB000, 4: 0xA700, 30: 0xC000}.get(number, 0)
    if number == 6:
        return [response(asked, STATUS=0xA700, ERROR_COMMENT="no room")]
    return [response(asked, STATUS=status)]


def late(number: int, asked: dict[int, Any]) -> list[bytes | float]:
    return [0.15 if number in (2, 9) else 0.003 if number < 5 else 0.0, response(asked)]


def by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Storing, "batch", lambda self, contexts, fragment: None)


def stored(sources: list[Any], answer: Answer, **options: Any) -> tuple[list[bytes], list[Any]]:
    maximum = options.pop("maximum", 16384)
    with acceptor(answer, maximum) as (address, came), net.associate(address, contexts=OFFERS, **options) as one:
        outcomes = list(one.store(sources))
    return came, outcomes


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    return [str(tmp_path / name) for name in FILES] + [str(tmp_path / "none"), str(tmp_path)]


@pytest.mark.parametrize("answer", [success, in_parts, sometimes, late])
@pytest.mark.parametrize("maximum", [1000, 16384, 0])
def test_bytes_and_outcomes_are_those_of_the_careful_way(
    paths: list[str], answer: Answer, maximum: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts = net.Timeouts(store=5, response=5, write=0.4)  # a call waits for 0.1 s
    came, outcomes = stored(paths, answer, maximum=maximum, timeouts=timeouts)
    by_itself(monkeypatch)
    wanted, expected = stored(paths, answer, maximum=maximum, timeouts=timeouts)
    assert came == wanted
    assert sorted(outcomes) == sorted(expected)
    answered = [one for one in outcomes if one.transfer_syntax]
    assert answered == [one for one in expected if one.transfer_syntax]
    assert len(answered) == 78


def test_instances_that_were_opened(paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    names = list(FILES)
    known = [open_instance(paths[names.index(name)]) for name in names if name.startswith(("at", "an", "im", "large"))]
    came, outcomes = stored(known, success)
    by_itself(monkeypatch)
    assert (came, outcomes) == stored(known, success)
    assert len(outcomes) == len(known)


def test_a_batch_is_what_sends_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1").write_bytes(FILES["explicit"])
    monkeypatch.setattr(Storing, "next", lambda self, contexts: self.fail(ValueError("by itself")))
    batched: list[int] = []
    inside = Storing.sent_together

    def counted(self: Storing, sent: Any, further: Any) -> Any:
        batched.append(len(sent))
        return inside(self, sent, further)

    monkeypatch.setattr(Storing, "sent_together", counted)
    with acceptor(success) as (address, _), net.associate(address, contexts=OFFERS) as one:
        outcomes = islice(one.store([str(tmp_path / "1")] * 70), 70)
        assert [outcome.status for outcome in outcomes] == [0] * 70
    assert sum(batched) == 70


def test_what_is_left_early_is_answered(paths: list[str]) -> None:
    with acceptor(success) as (address, came), net.associate(address, contexts=OFFERS) as one:
        for outcome in one.store(paths):
            assert outcome.status == 0
            break
        assert [found.status for found in one.store(paths[:2])] == [0, 0]
    assert came[-1][0] == 5


WRONG: dict[str, tuple[Answer, type[Exception], str]] = {
    "silence": (lambda number, asked: [1.0] if number == 3 else [response(asked)], NetworkTimeout, "no response in"),
    "another message": (
        lambda number, asked: [response(asked, RESPONDED_TO=number + 7 if number == 3 else number)],
        AssociationAborted,
        "not outstanding",
    ),
    "no status": (
        lambda number, asked: [response(asked, STATUS=None if number == 3 else 0)],
        AssociationAborted,
        "no status",
    ),
    "an abort": (
        lambda number, asked: [b"\7\0\0\0\0\4\0\0\0\0" if number == 3 else response(asked)],
        AssociationAborted,
        "aborted",
    ),
    "no DICOM": (
        lambda number, asked: [b"HTTP/1.1 400 Bad\r\n" if number == 3 else response(asked)],
        AssociationAborted,
        "HTTP came",
    ),
}


@pytest.mark.parametrize("is_batched", [True, False])
@pytest.mark.parametrize(("answer", "kind", "why"), WRONG.values(), ids=WRONG)
def test_what_comes_instead(
    tmp_path: Path, answer: Answer, kind: type[Exception], why: str, is_batched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1").write_bytes(FILES["explicit"])
    if not is_batched:
        by_itself(monkeypatch)
    outcomes = []
    with acceptor(answer) as (address, _):
        association = net.associate(address, contexts=OFFERS, timeouts=net.Timeouts(store=0.3, pdu=5))
        with pytest.raises(kind, match=why):
            outcomes += association.store([str(tmp_path / "1")] * 5)
        association.abort()


def test_outcomes_before_a_loss_are_given(tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(FILES["explicit"])
    with acceptor(WRONG["an abort"][0]) as (address, _):
        association = net.associate(address, contexts=OFFERS)
        outcomes = association.store([str(tmp_path / "1")] * 5)
        assert [next(outcomes).status for _ in range(2)] == [0, 0]
        with pytest.raises(AssociationAborted):
            next(outcomes)
        association.abort()


# -- the native part by itself


CONTEXTS = [(1, CT.encode(), raw.EXPLICIT.encode()), (3, b"none", b"none")]


def test_a_request_that_goes_in_part(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(file("1.2", size=900_000))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 20_000))
        batch = Batch(CONTEXTS, 16384)
        sent, further = batch.run(ours.fileno(), [str(path), str(path)], 65534, bytearray(512))
        assert (sent, further) == ([], (0, "1.2"))
        assert (batch.identifier, batch.came, batch.fault) == (65535, -1, 0)
        assert batch.waited > 0
        left = batch.left
        theirs.setblocking(False)
        got = bytearray()
        with suppress(BlockingIOError):
            while some := theirs.recv(1 << 20):
                got += some
    assert left
    command, parts, data = b"", [], bytes(got) + left
    while data:
        size = struct.unpack_from(">I", data, 2)[0]
        if data[11] & 1:
            command = data[12 : 6 + size]
        else:
            parts.append(data[12 : 6 + size])
        data = data[6 + size :]
    assert decode(command)[0x110] == 65535
    assert raw.part10(b"".join(parts)) == path.read_bytes()


def test_message_ids_begin_again_and_files_ahead_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "1"
    path.write_bytes(FILES["explicit"])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 10_000))
        batch, sources = Batch(CONTEXTS, 16384), [str(path), str(path) + ""]
        theirs.sendall(response({0x110: 1, 0x1000: "1.1", -1: 1}, STATUS=0xA700))
        assert batch.run(ours.fileno(), sources, 65535, bytearray(512)) == ([(0, "1.1", 0xA700)], None)
        path.unlink()  # the second was read while the first was underway
        assert batch.run(ours.fileno(), sources[1:], 1, bytearray(512)) == ([], (0, "1.1"))
        assert batch.left == b""
        assert batch.run(ours.fileno(), sources[1:], 2, bytearray(512)) == ([], None)


def test_a_connection_that_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "1"
    path.write_bytes(FILES["explicit"])
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        batch = Batch(CONTEXTS, 16384)
        assert batch.run(ours.fileno(), [str(path)], 0, bytearray(512)) == ([], (0, "1.1"))
        assert batch.fault
    assert batch.run(-1, [str(path), "a\0b", 3], 0, bytearray(512)) == ([], (0, "1.1"))
    assert batch.run(-1, [3], 0, bytearray(512)) == ([], None)
    assert batch.run(-1, ["\ud800"], 0, bytearray(512)) == ([], None)


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="no number"):
        Batch([(0, b"1", b"1")], 16384)
    with pytest.raises(ValueError, match="at most"):
        Batch([(1, b"1", b"1")] * 129, 16384)
    with pytest.raises(ValueError, match="no room"):
        Batch([], 16384).run(-1, [], 0, bytearray(100))


@pytest.mark.parametrize("fragment", [-1, 0, 1, 255, 256])
def test_small_fragments(fragment: int, tmp_path: Path) -> None:
    path = tmp_path / "1"
    path.write_bytes(FILES["explicit"])
    batch = Batch(CONTEXTS, fragment)
    assert batch.run(-1, [str(path)], 0, bytearray(512)) == ([], None if fragment < 256 else (0, "1.1"))


# -- associations for what is known so far


def test_instances_go_as_they_are_when_others_were_planned_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "FIRST", 2)
    monkeypatch.setattr(blocking, "PLANNED", 3)
    syntaxes = [raw.EXPLICIT] * 5 + [IMPLICIT, raw.EXPLICIT] * 4
    sources, made = [], []
    for number, syntax in enumerate(syntaxes):
        path = tmp_path / f"{number}"
        path.write_bytes(file(f"1.{number}", syntax))
        sources.append(str(path))
    opened = blocking.Wire.__init__

    def counted(self: Any, *args: Any, **options: Any) -> None:
        opened(self, *args, **options)
        made.append(self)

    monkeypatch.setattr(blocking.Wire, "__init__", counted)
    limits = net.NetLimits(invoking=1)
    with (
        net.Server(ae="X", folder=tmp_path / "out") as server,
        net.associate(server.address, limits=limits) as association,
    ):
        outcomes = list(association.store(sources))
    assert [one.status for one in outcomes] == [0] * len(sources)
    assert {one.path: one.transfer_syntax for one in outcomes} == dict(zip(sources, syntaxes, strict=True))
    assert len(made) == 3  # to ask with, for what is known of the first two, and for the others
