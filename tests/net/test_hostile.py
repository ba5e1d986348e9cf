"""Hostile peers face to face with an acceptor: lies about lengths, damaged command sets, names as paths, what was not
agreed, every kind of end, a full disk. The clock is injected; nothing waits."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dicomcore import net
from dicomcore.errors import ParseError
from dicomcore.net import commands
from dicomcore.net import storing as stores
from dicomcore.net.accepting import Offering
from dicomcore.net.commands import Field, Kind
from dicomcore.net.connection import Connection
from dicomcore.net.exchange import Context
from dicomcore.net.items import Role, UserInformation
from dicomcore.net.operations import Storing
from dicomcore.net.pdu import Accept, decode_pdu
from dicomcore.net.session import Session
from dicomcore.net.states import State
from tests.net.raw_peer import (
    ABORT,
    ABORTED,
    ACCEPTED,
    CT,
    IMPLICIT,
    KEYS,
    REJECTED,
    RELEASE,
    STUDY_FIND,
    VERIFICATION,
    Face,
    asking,
    data_pdu,
    echo,
    finding,
    instance,
    message,
    pdus,
    pdv,
    responses,
    statuses,
    storing,
)
from tests.support import dicom_bytes as raw

GENERAL, OUT_OF_RESOURCES = net.NetLimits(free_bytes=0), 0xA700


@pytest.fixture
def offering(tmp_path: Path) -> Offering:
    folder = net.Folder(tmp_path / "in" / "side", limits=GENERAL)
    return Offering(
        titles=frozenset(), limits=GENERAL, folder=folder, has_store=True, syntaxes={STUDY_FIND: (IMPLICIT,)}
    )


@pytest.fixture
def face(offering: Offering) -> Face:
    return Face(offering, asking())


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def is_aborted(answer: bytes) -> bool:
    return [kind for kind, _ in pdus(answer)][-1:] == [ABORTED]


# -- A, B: lengths


CLAIMS = (0, 1, 3, 5, 1 << 20, (1 << 20) + 1, 1 << 31, (1 << 32) - 1)


@pytest.mark.parametrize("is_open", [False, True], ids=["before the association", "in the association"])
@pytest.mark.parametrize("kind", range(10))
def test_nothing_is_set_aside_for_a_claim(kind: int, is_open: bool) -> None:
    for claim in CLAIMS:
        face = Face(request=asking() if is_open else None)
        tracemalloc.start()
        try:
            face.send(struct.pack(">BxI", kind, claim) + b"abc")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 200_000, (kind, claim)
        connection = face.session.connection
        waits = connection.state not in (State.AWAITING_CLOSE, State.IDLE)
        wanted = {1: (5, 1 << 20), 2: (5, 1 << 20)}.get(kind, ())
        assert waits == (claim in wanted), (kind, claim)
        if waits:
            assert connection.deadline == 30.0


VALUES = {
    "no value": data_pdu(),
    "a length of 0": data_pdu(b"\0\0\0\0"),
    "a length of 1": data_pdu(b"\0\0\0\1\1"),
    "one more than there is": data_pdu(b"\0\0\0\4\1\3a"),
    "2 GiB": data_pdu(b"\x80\0\0\0\1\3"),
    "4 GiB less 1": data_pdu(b"\xff\xff\xff\xff\1\3"),
    "4 GiB less 4, which wraps with its header": data_pdu(b"\xff\xff\xff\xfc\1\3"),
    "half a header behind a value": data_pdu(pdv(1, 0, b"ab"), b"\0"),
    "an empty fragment that is last, without a command": data_pdu(pdv(1, 2, b"")),
}


@pytest.mark.parametrize("data", VALUES.values(), ids=VALUES)
def test_values_whose_length_lies(face: Face, data: bytes) -> None:
    assert is_aborted(face.send(data))
    assert face.send(echo()) == b""
    assert face.handled == []


def test_empty_fragments_are_no_fault(face: Face) -> None:
    command = commands.encode({Field.DATA_SET_TYPE: 0x0101, Field.COMMAND: 0x30, Field.MESSAGE_ID: 1})
    parts = [pdv(1, 1, b""), pdv(1, 1, command[:7]), pdv(1, 1, b""), pdv(1, 1, command[7:]), pdv(1, 3, b"")]
    assert statuses(face.send(data_pdu(*parts))) == [0]


@pytest.mark.parametrize("most", [1, 6, 15])
def test_a_peer_that_accepts_next_to_nothing(most: int) -> None:
    face = Face(request=asking(user=UserInformation(maximum_length=most, implementation_class_uid="1.2")))
    assert is_aborted(face.answer)
    assert face.session.failure is not None


def test_small_pdus_are_kept_to() -> None:
    face = Face(request=asking(user=UserInformation(maximum_length=16, implementation_class_uid="1.2")))
    answer = face.send(echo())
    assert {len(body) <= 16 for _, body in pdus(answer)} == {True}
    assert commands.decode(b"".join(body[6:] for _, body in pdus(answer)))[Field.STATUS] == 0


def test_items_that_are_nested_or_many() -> None:
    inner = b""
    while len(inner) < 60_000:
        inner = struct.pack(">BxH", 0x50, len(inner)) + inner
    request = bytearray(asking())
    for extra in (inner, b"\x20\0\0\4\1\0\0\0" * 129, b"\x99\0\0\0" * 5000):
        body = bytes(request[6:]) + extra
        face = Face(request=struct.pack(">BxI", 1, len(body)) + body)
        assert [kind for kind, _ in pdus(face.answer)] in ([ACCEPTED], [ABORTED])


# -- B: negotiation


UIDS = ["", "x" * 65, "1" * 65, "..", "1.2/../3", "1.2\0.3", "1.2\n3", "\xe4\xf6", "A.B", ".", "1..2", "1.2."]


@pytest.mark.parametrize("uid", UIDS, ids=repr)
def test_uids_that_are_none_are_not_accepted(offering: Offering, uid: str) -> None:
    data = uid.encode("latin-1")
    item = lambda kind, body: struct.pack(">BxH", kind, len(body)) + body  # noqa: E731
    offers = (
        item(0x20, bytes((1, 0, 0, 0)) + item(0x30, data) + item(0x40, IMPLICIT.encode()))
        + item(0x20, bytes((3, 0, 0, 0)) + item(0x30, CT.encode()) + item(0x40, data))
        + item(0x20, bytes((5, 0, 0, 0)) + item(0x30, VERIFICATION.encode()) + item(0x40, IMPLICIT.encode()))
    )
    role = item(0x54, struct.pack(">H", len(data)) + data + b"\1\1")
    whole = asking(offers=())
    body = whole[6:74] + offers + item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x50, item(0x51, b"\0\0\x40\0") + role)
    face = Face(offering, struct.pack(">BxI", 1, len(body)) + body)
    (answer,) = pdus(face.answer)
    accept, _ = decode_pdu(*answer)
    assert isinstance(accept, Accept)
    assert [one.result for one in accept.contexts] == [3, 4, 0]
    assert accept.user.roles == ()
    assert statuses(face.send(echo(number=5))) == [0]


def test_as_many_roles_as_fit(offering: Offering) -> None:
    roles = tuple(Role(f"1.2.{number}", True, True) for number in range(4000))
    face = Face(offering, asking(user=UserInformation(16384, "1.2", roles=roles)))
    assert [kind for kind, _ in pdus(face.answer)] == [ACCEPTED]


REQUESTS = {
    "another protocol version": (asking(version=2), (1, 2, 2)),
    "another application context": (asking(application_context="1.2.3"), (1, 1, 2)),
}


@pytest.mark.parametrize(("request_", "reason"), REQUESTS.values(), ids=REQUESTS)
def test_requests_that_are_rejected(request_: bytes, reason: tuple[int, ...]) -> None:
    (answer,) = pdus(Face(request=request_).answer)
    assert (answer[0], tuple(answer[1][1:])) == (REJECTED, reason)


# -- C: command sets


def command_bytes(pairs: list[tuple[int, bytes]]) -> bytes:
    body = b"".join(struct.pack("<HHI", 0, number, len(value)) + value for number, value in pairs)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


STORE = [
    (0x0002, CT.encode() + b"\0"),
    (0x0100, b"\1\0"),
    (0x0110, b"\7\0"),
    (0x0700, b"\0\0"),
    (0x0800, b"\0\0"),
    (0x1000, b"1.2.3\0"),
]
NOT_SUPPORTED, MISTYPED, CANNOT_UNDERSTAND, MISMATCH = 0x0122, 0x0212, 0xC000, 0xA900


def without(number: int) -> list[tuple[int, bytes]]:
    return [(one, value) for one, value in STORE if one != number]


def with_value(number: int, value: bytes) -> list[tuple[int, bytes]]:
    return [(one, value if one == number else old) for one, old in STORE]


COMMANDS: dict[str, tuple[list[tuple[int, bytes]], int | None]] = {
    # a status, or None for an abort
    "whole": (STORE, 0),
    "no SOP class": (without(0x0002), NOT_SUPPORTED),
    "no command field": (without(0x0100), MISTYPED),
    "no message ID": (without(0x0110), MISTYPED),
    "no priority": (without(0x0700), 0),
    "no data set type": (without(0x0800), None),
    "no SOP instance": (without(0x1000), CANNOT_UNDERSTAND),
    "nothing": ([], None),
    "an empty SOP class": (with_value(0x0002, b""), NOT_SUPPORTED),
    "two SOP classes": (with_value(0x0002, CT.encode() + b"\\1.2"), NOT_SUPPORTED),
    "another SOP class": (with_value(0x0002, b"1.2.840.10008.1.1\0"), NOT_SUPPORTED),
    "an empty SOP instance": (with_value(0x1000, b""), CANNOT_UNDERSTAND),
    "two SOP instances": (with_value(0x1000, b"1.2.3\\1.2.4\0"), MISMATCH),
    "a SOP instance of 4000 characters": (with_value(0x1000, b"1" * 4000), MISMATCH),
    "a command field of 0 bytes": (with_value(0x0100, b""), MISTYPED),
    "a command field of 1 byte": (with_value(0x0100, b"\1"), MISTYPED),
    "a command field of 4 bytes": (with_value(0x0100, b"\1\0\0\0"), 0),
    "two message IDs": (with_value(0x0110, b"\7\0\x08\0"), 0),
    "an unknown command": (with_value(0x0100, b"\x34\x12"), -1),
    "the command 0": (with_value(0x0100, b"\0\0"), MISTYPED),
    "out of order": (STORE[::-1], 0),
    "the same element twice": ([*STORE, (0x0110, b"\7\0")], 0),
    "another message ID behind": ([*STORE, (0x0110, b"\x09\0")], 0),
    "unknown elements": ([*STORE, (0x4321, b"abcd"), (0x0001, b"\0\0\0\0")], 0),
    "a data set type behind the end of the group": ([*without(0x0800), (0x0800, b"\1\1")], None),
    "many elements": ([*STORE, *((number, b"") for number in range(0x2000, 0x2080))], None),
}


@pytest.mark.parametrize(("pairs", "status"), COMMANDS.values(), ids=COMMANDS)
def test_command_sets(face: Face, tmp_path: Path, pairs: list[tuple[int, bytes]], status: int | None) -> None:
    answer = face.send(message(3, command_bytes(pairs), instance()))
    if status is None:
        assert is_aborted(answer)
        assert not files(tmp_path)
        return
    (response,) = responses(answer)
    assert response[Field.RESPONDED_TO] in (7, 9, 0)
    assert not is_aborted(answer)
    if status >= 0:
        assert response[Field.STATUS] == status
        assert len(files(tmp_path)) == (status == 0)
    assert statuses(face.send(echo())) == [0]


RAW_COMMANDS = {
    "a length beyond the end": struct.pack("<HHI", 0, 0x0100, 0xFFFFFFFF) + b"\x30\0",
    "an undefined length": command_bytes(STORE) + struct.pack("<HHI", 0, 0x1001, 0xFFFFFFFF),
    "half a header": command_bytes(STORE)[:-3],
    "another group": command_bytes(STORE) + struct.pack("<HHI", 8, 0x0016, 0),
    "explicit VR": b"\0\0\0\0UL\4\0\0\0\0\0" + b"\0\0\0\1US\2\0\x30\0",
    "big endian": struct.pack(">HHIH", 0, 0x0100, 2, 0x30),
    "a sequence": struct.pack("<HHI", 0, 0x0100, 8) + b"\xfe\xff\0\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0",
    "text": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("data", RAW_COMMANDS.values(), ids=RAW_COMMANDS)
def test_command_sets_that_cannot_be_read(face: Face, data: bytes) -> None:
    assert is_aborted(face.send(data_pdu(pdv(1, 3, data))))
    assert face.handled == []


def test_every_truncation_of_a_command_set(offering: Offering) -> None:
    whole = command_bytes(STORE)
    for size in range(len(whole)):
        try:
            commands.decode(whole[:size])
        except ParseError as error:
            assert 0 <= (error.offset or 0) <= size
        face = Face(offering, asking())
        answer = face.send(data_pdu(pdv(3, 3, whole[:size])))
        assert is_aborted(answer) or len(responses(answer)) <= 1


def test_a_command_set_without_end(face: Face) -> None:
    part = data_pdu(pdv(1, 1, bytes(16000)))
    answers = [face.send(part) for _ in range(6)]
    assert is_aborted(b"".join(answers))


# -- E: names


NAMES = [
    "..",
    "../../x",
    "/etc/x",
    "a\0b",
    "." * 16,
    "CON",
    "a\\b",
    "a\nb",
    "$(touch x)",
    "`id`",
    "-rf",
    "\xe4\xf6",
    "~",
]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_names_are_no_paths(offering: Offering, tmp_path: Path, name: str) -> None:
    request = bytearray(asking())
    raw_name = name.encode("latin-1")[:16].ljust(16)
    request[10:26] = request[26:42] = raw_name
    face = Face(offering, bytes(request))
    assert [kind for kind, _ in pdus(face.answer)] == [ACCEPTED]
    assert "\n" not in face.session.peer
    data = instance(name, study=name, series=name)
    answer = face.send(message(3, command_bytes(with_value(0x1000, name.encode("latin-1"))), data))
    assert statuses(answer)[0] in (0, MISMATCH, CANNOT_UNDERSTAND)
    root = tmp_path / "in" / "side"
    assert all(path.is_relative_to(root) and path.suffix == ".dcm" for path in files(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"in"}
    assert all("\n" not in path.name and "\\" not in path.name for path in files(tmp_path))


# -- K: what was not agreed


def with_context(**changes: Any) -> bytes:
    return message(3, {**storing(), **changes}, instance())


CONFUSED: dict[str, tuple[bytes, int | None]] = {
    # a status, or None for an abort
    "a context that was never offered": (echo(number=9), None),
    "a context number that is even": (echo(number=2), None),
    "the context 0": (echo(number=0), None),
    "a data set over the context 0": (data_pdu(pdv(0, 2, b"abcd")), None),
    "the context 0 in the middle of a message": (data_pdu(pdv(3, 1, command_bytes(STORE)[:20]), pdv(0, 3, b"")), None),
    "a data set without a command set": (data_pdu(pdv(3, 2, b"abcd")), None),
    "a command set where the data set was due": (data_pdu(pdv(3, 3, command_bytes(STORE))) + echo(number=3), None),
    "messages of two contexts, interleaved": (
        data_pdu(pdv(3, 3, command_bytes(STORE)), pdv(1, 3, command_bytes([(0x100, b"\x30\0"), (0x110, b"\1\0")]))),
        None,
    ),
    "a response to nothing": (message(3, {Field.COMMAND: 0x8001, Field.RESPONDED_TO: 77, Field.STATUS: 0}), None),
    "a response without the message that it answers": (message(3, {Field.COMMAND: 0x8001, Field.STATUS: 0}), None),
    "a second association request": (asking(), None),
    "an association's acceptance": (b"\2\0" + asking()[2:], None),
    "a rejection": (b"\3\0\0\0\0\4\0\1\1\1", None),
    "the answer to no release": (b"\6\0\0\0\0\4\0\0\0\0", None),
    "a C-STORE without a data set": (message(3, storing()), CANNOT_UNDERSTAND),
    "a C-FIND without an identifier": (message(5, finding()), CANNOT_UNDERSTAND),
    "a C-STORE over the context of verification": (message(1, storing(), instance()), NOT_SUPPORTED),
    "a C-STORE over the context of a query": (message(5, storing(), instance()), NOT_SUPPORTED),
    "a C-STORE of another class": (message(3, storing(sop_class="1.2.3"), instance()), NOT_SUPPORTED),
}


@pytest.mark.parametrize(("data", "status"), CONFUSED.values(), ids=CONFUSED)
def test_what_was_not_agreed(face: Face, tmp_path: Path, data: bytes, status: int | None) -> None:
    answer = face.send(data)
    assert face.handled == []
    assert not files(tmp_path)
    if status is None:
        assert is_aborted(answer)
        ((_, body),) = [one for one in pdus(answer) if one[0] == ABORTED]
        assert body[2] == 2  # the service provider
        assert face.send(echo()) == b""
    else:
        assert statuses(answer) == [status]
        assert statuses(face.send(echo())) == [0]


BEHIND = {"data": echo(), "a release": RELEASE, "another request": asking(), "an abort": ABORT, "rubbish": b"\xee" * 8}


@pytest.mark.parametrize("data", BEHIND.values(), ids=BEHIND)
def test_bytes_that_do_not_wait_for_the_acceptance(offering: Offering, data: bytes) -> None:
    face = Face(offering, asking() + data)
    assert [kind for kind, _ in pdus(face.answer)] in ([ABORTED], [])
    assert not face.session.is_open
    assert face.session.request is None


def test_a_second_request_is_an_unexpected_pdu(face: Face) -> None:
    ((_, body),) = pdus(face.send(asking()))
    assert tuple(body[2:]) == (2, 2)


BEFORE = {"data": echo(), "a release": RELEASE, "an acceptance": b"\2\0" + asking()[2:], "no PDU": b"\x42" + bytes(9)}


@pytest.mark.parametrize("data", BEFORE.values(), ids=BEFORE)
def test_before_the_association(data: bytes) -> None:
    face = Face()
    assert is_aborted(face.send(data))
    assert face.send(asking()) == b"" or face.session.request is None


def test_the_wrong_role(offering: Offering, tmp_path: Path) -> None:
    offering.scp_roles.add("1.2.840.10008.5.1.4.1.2.2.3")
    user = UserInformation(16384, "1.2", roles=(Role(CT, False, True),))
    face = Face(offering, asking(user=user))
    assert statuses(face.send(message(3, storing(), instance()))) == [NOT_SUPPORTED]
    assert (face.handled, files(tmp_path)) == ([], [])
    assert statuses(face.send(echo())) == [0]


def test_a_message_before_the_fault_counts_however_the_bytes_are_divided(offering: Offering, tmp_path: Path) -> None:
    data = message(3, storing(), instance()) + data_pdu(pdv(9, 3, b""))
    face = Face(offering, asking())
    assert is_aborted(face.send(data))
    assert len(face.handled) == 1
    other = Face(offering, asking())
    answers = b"".join(other.send(data[at : at + 1]) for at in range(len(data)))
    assert is_aborted(answers)
    assert len(other.handled) == 1


def test_cancelling_what_is_not_there(face: Face) -> None:
    for number in (1, 3, 5):
        cancel = message(number, {Field.COMMAND: int(Kind.C_CANCEL), Field.RESPONDED_TO: 4711})
        assert face.send(cancel) == b""
    assert statuses(face.send(echo())) == [0]


def test_a_message_that_is_underway_twice(face: Face, tmp_path: Path) -> None:
    face.session.underway.add(1)
    assert statuses(face.send(message(3, storing(), instance()))) == [0x0210]
    assert not files(tmp_path)
    face.session.underway.clear()
    assert statuses(face.send(message(3, storing(), instance()))) == [0]


def test_more_than_was_agreed(face: Face, tmp_path: Path) -> None:
    face.session.underway |= {10, 11}
    assert statuses(face.send(message(5, finding(), KEYS))) == [0x0213]
    assert statuses(face.send(message(3, storing(), instance()))) == [OUT_OF_RESOURCES]
    assert (face.handled, files(tmp_path)) == ([], [])


def test_an_association_that_works_does_not_rest(face: Face) -> None:
    face.session.underway.add(1)
    face.now = 301.0
    face.session.expire(face.now)
    assert face.session.is_open
    assert face.session.deadline == 601.0
    face.session.underway.clear()
    face.session.expire(601.0)
    assert not face.session.is_open


# -- every kind of end


STREAM = [
    asking(),
    data_pdu(pdv(3, 1, command_bytes(STORE)[:20])),
    data_pdu(pdv(3, 3, command_bytes(STORE)[20:])),
    data_pdu(pdv(3, 0, instance()[:40])),
    data_pdu(pdv(3, 0, b"")),
    data_pdu(pdv(3, 2, instance()[40:])),
    RELEASE,
]
ENDS = {"abort": ABORT, "release": RELEASE, "rubbish": b"\xee" * 8}


def half_visible(root: Path) -> list[Path]:
    """Files that are not a whole instance."""
    return [path for path in files(root) if path.suffix != ".dcm" or not path.read_bytes().endswith(instance())]


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_end_after_each_pdu(offering: Offering, tmp_path: Path, end: bytes) -> None:
    for count in range(len(STREAM) + 1):
        face = Face(offering)
        for part in STREAM[:count]:
            face.send(part)
        face.send(end)
        assert not half_visible(tmp_path), count
        assert len(files(tmp_path)) == (count > 5)
        face.close()
        assert face.session.connection.state == State.IDLE


def test_the_connection_is_lost_at_every_byte(offering: Offering, tmp_path: Path) -> None:
    whole = b"".join(STREAM)
    stored_at = len(whole) - len(RELEASE)
    for cut in range(0, len(whole) + 1):
        face = Face(offering)
        face.send(whole[: min(cut, len(STREAM[0]))])
        face.send(whole[len(STREAM[0]) : cut])
        face.close()
        assert not half_visible(tmp_path), cut
        assert len(files(tmp_path)) == (cut >= stored_at), cut


def test_time_runs_out_at_every_byte(offering: Offering, tmp_path: Path) -> None:
    whole = b"".join(STREAM)
    for cut in range(0, len(whole) + 1, 5):
        face = Face(offering)
        face.send(whole[: min(cut, len(STREAM[0]))])
        face.send(whole[len(STREAM[0]) : cut])
        for _ in range(4):
            deadline = face.session.deadline
            if deadline is None:
                break
            face.session.expire(deadline)
            face.session.take(deadline)
        assert face.session.connection.state == State.IDLE, cut
        assert not half_visible(tmp_path), cut


# -- a full disk


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("has_unnamed", [True, False], ids=["without a name", "with a name"])
@pytest.mark.parametrize("call", ["open", "write", "writev", "link", "fsync", "makedirs"])
@pytest.mark.parametrize("parts", [1, 3])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, parts: int, has_unnamed: bool) -> None:
    folder = net.Folder(tmp_path / "root", durable=True, limits=GENERAL)
    folder._has_unnamed = folder._has_unnamed and has_unnamed
    face = Face(Offering(titles=frozenset(), folder=folder, has_store=True, limits=GENERAL), asking())
    data = instance()
    cuts = [len(data) * part // parts // 2 * 2 for part in range(parts)] + [len(data)]
    values = [pdv(3, 0 if b < len(data) else 2, data[a:b]) for a, b in pairwise(cuts)]
    request = data_pdu(pdv(3, 3, command_bytes(STORE))) + data_pdu(*values)
    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        patched.setattr(stores, "keep", lambda *_: errno.ENOSPC)
        if call in ("write", "writev"):  # whichever of them is taken
            patched.setattr(os, "write", full)
            patched.setattr(os, "writev", full, raising=False)
        answer = face.send(request)
    (response,) = responses(answer)
    assert response[Field.STATUS] == OUT_OF_RESOURCES
    assert response[Field.AFFECTED_SOP_INSTANCE] == "1.2.3"
    assert not files(tmp_path)
    assert statuses(face.send(request)) == [0]
    assert len(files(tmp_path)) == 1


def test_a_folder_that_is_removed_meanwhile(tmp_path: Path) -> None:
    folder = net.Folder(tmp_path / "root", limits=GENERAL)
    face = Face(Offering(titles=frozenset(), folder=folder, has_store=True, limits=GENERAL), asking())
    assert statuses(face.send(message(3, storing(), instance()))) == [0]
    for path in (tmp_path / "root").iterdir():
        if path.name != ".incoming":
            shutil.rmtree(path)
    assert statuses(face.send(message(3, storing(), instance()))) == [0]
    assert len(files(tmp_path)) == 1


def test_too_little_room(tmp_path: Path) -> None:
    for limits in (net.NetLimits(free_bytes=1 << 62), net.NetLimits(free_bytes=0, file_bytes=50)):
        folder = net.Folder(tmp_path, limits=limits)
        face = Face(Offering(titles=frozenset(), folder=folder, has_store=True, limits=limits), asking())
        assert statuses(face.send(message(3, storing(), instance()))) == [OUT_OF_RESOURCES]
        assert statuses(face.send(echo())) == [0]
        assert not files(tmp_path)


def test_the_time_for_a_response_begins_when_all_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(raw.part10(instance() + raw.element(0x7FE00010, None, bytes(5 << 20)), IMPLICIT))
    connection = Connection()
    connection.state = State.ESTABLISHED
    session = Session(connection, limits=net.NetLimits(ahead=1 << 17))
    session.establish({1: Context(1, CT, IMPLICIT)}, 16384, 1, 1, 0.0)
    session.start(Storing([path]))
    session.pump(0.0)
    now = 0.0
    while session.take(now):
        assert session.deadline is not None
        assert session.deadline > now
        now += 100.0
    assert now > 300.0
    session.expire(now)
    assert session.is_open
    session.expire(now + 300.0)
    assert not session.is_open


# -- what responses say (PS3.7 9.3, 10.3)


def test_the_response_to_a_store(face: Face) -> None:
    (response,) = responses(face.send(message(3, storing(identifier=300), instance())))
    assert dict(response) == {
        Field.AFFECTED_SOP_CLASS: CT,
        Field.COMMAND: 0x8001,
        Field.RESPONDED_TO: 300,
        Field.DATA_SET_TYPE: 0x0101,
        Field.STATUS: 0,
        Field.AFFECTED_SOP_INSTANCE: "1.2.3",
    }
    assert response.issues == []


COMMENTS = {
    "long": ("x" * 200, "x" * 64),
    "characters beyond ASCII": ("Größe", "Gr??e"),
    "a backslash and a new line": ("a\\b\nc", "a?b?c"),
}


@pytest.mark.parametrize(("text", "sent"), COMMENTS.values(), ids=COMMENTS)
def test_comments_fit_their_element(text: str, sent: str) -> None:
    data = commands.encode({Field.COMMAND: 0x8001, Field.ERROR_COMMENT: text})
    assert commands.decode(data)[Field.ERROR_COMMENT] == sent
