"""PDUs: round trips, against pynetdicom both ways, and every truncation and every lie about a length."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomcore.errors import ParseError
from dicomcore.net.connection import Connection, Data
from dicomcore.net.items import (
    Common,
    ContextAnswer,
    ContextOffer,
    Extended,
    Identity,
    Role,
    UserInformation,
)
from dicomcore.net.pdu import Abort, Accept, Reject, Release, Released, Request, decode_pdu, encode_pdu
from dicomcore.net.states import State

CT, VERIFICATION = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.1"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
FULL = UserInformation(
    maximum_length=262144,
    implementation_class_uid="1.2.826.0.1",
    implementation_version_name="SOMEONE_1.0",
    window=(8, 1),
    roles=(Role(CT, False, True), Role(VERIFICATION, True, True)),
    extended=(Extended(CT, b"\1\0\1"),),
    common=(Common(CT, "1.2.840.10008.4.2", ("1.2.3", "1.2.4")),),
    identity=Identity(2, b"user", b"secret", wants_answer=True),
)
PDUS = {
    "request": Request("SERVER", "CLIENT", (ContextOffer(1, VERIFICATION, (IMPLICIT, EXPLICIT)),
                                            ContextOffer(3, CT, (EXPLICIT,))), FULL),
    "request without items of the user": Request("S", "C", (), UserInformation()),
    "accept": Accept("SERVER", "CLIENT", (ContextAnswer(1, 0, IMPLICIT), ContextAnswer(3, 4)),
                     UserInformation(maximum_length=16384, implementation_class_uid="1.2", identity_answer=b"token")),
    "reject": Reject(2, 3, 2),
    "release": Release(),
    "released": Released(),
    "abort": Abort(2, 6),
}  # fmt: skip


@pytest.mark.parametrize("pdu", PDUS.values(), ids=PDUS)
def test_round_trip(pdu: object) -> None:
    data = encode_pdu(pdu)  # type: ignore[arg-type]
    assert int.from_bytes(data[2:6], "big") == len(data) - 6
    assert decode_pdu(data[0], data[6:]) == (pdu, [])


@pytest.mark.parametrize("pdu", PDUS.values(), ids=PDUS)
def test_every_truncation_is_refused_or_shorter(pdu: object) -> None:
    data = encode_pdu(pdu)  # type: ignore[arg-type]
    body = data[6:]
    for size in range(len(body)):
        try:
            found, issues = decode_pdu(data[0], body[:size])
        except ParseError as error:
            assert error.offset is not None
            assert 0 <= error.offset <= size
        else:
            assert found != pdu or issues


@pytest.mark.parametrize("pdu", PDUS.values(), ids=PDUS)
def test_every_byte_may_lie(pdu: object) -> None:
    data = encode_pdu(pdu)  # type: ignore[arg-type]
    for at in range(6, len(data)):
        for value in (0, 1, 0x7F, 0xFF):
            changed = bytearray(data[6:])
            changed[at - 6] = value
            try:
                decode_pdu(data[0], bytes(changed))
            except ParseError as error:
                assert 0 <= (error.offset or 0) <= len(changed)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(kind=st.sampled_from([1, 2, 3, 5, 6, 7]), body=st.binary(max_size=400))
def test_any_bytes(kind: int, body: bytes) -> None:
    try:
        pdu, issues = decode_pdu(kind, body)
    except ParseError:
        return
    if not issues and kind not in (1, 2):
        assert type(encode_pdu(pdu)) is bytes


def test_pynetdicom_reads_the_same() -> None:
    pdus = pytest.importorskip("pynetdicom.pdu")
    theirs = pdus.A_ASSOCIATE_RQ()
    theirs.decode(encode_pdu(PDUS["request"]))
    assert theirs.called_ae_title.strip() == "SERVER"
    assert theirs.calling_ae_title.strip() == "CLIENT"
    assert [(one.context_id, str(one.abstract_syntax)) for one in theirs.presentation_context] == [
        (1, VERIFICATION),
        (3, CT),
    ]
    user = theirs.user_information
    assert user.maximum_length == 262144
    assert str(user.implementation_class_uid) == "1.2.826.0.1"
    assert user.implementation_version_name == "SOMEONE_1.0"
    assert user.async_ops_window.maximum_number_operations_invoked == 8
    assert {str(uid): (role.scu, role.scp) for uid, role in user.role_selection.items()} == {
        CT: (0, 1),
        VERIFICATION: (1, 1),
    }
    assert user.user_identity.secondary_field == b"secret"
    assert theirs.encode() == encode_pdu(PDUS["request"])


def test_pynetdicom_writes_the_same() -> None:
    pdus = pytest.importorskip("pynetdicom.pdu")
    theirs = pdus.A_ASSOCIATE_AC()
    theirs.decode(encode_pdu(replace(PDUS["accept"], contexts=(ContextAnswer(1, 0, IMPLICIT),))))  # type: ignore[type-var]
    data = theirs.encode()
    assert decode_pdu(2, data[6:])[0].contexts[0] == ContextAnswer(1, 0, IMPLICIT)  # type: ignore[union-attr]
    for name, kind in (("reject", pdus.A_ASSOCIATE_RJ), ("release", pdus.A_RELEASE_RQ), ("abort", pdus.A_ABORT_RQ)):
        other = kind()
        other.decode(encode_pdu(PDUS[name]))
        assert other.encode() == encode_pdu(PDUS[name])


TITLES = {
    "padded with NUL": (b"SERVER\0\0\0\0\0\0\0\0\0\0", "SERVER", "TITLE_PADDED"),
    "lower case": (b"server          ", "server", None),
    "blank": (b" " * 16, "", "NO_TITLE"),
    "spaces in front": (b"   SERVER       ", "SERVER", None),
}


@pytest.mark.parametrize(("raw", "title", "issue"), TITLES.values(), ids=TITLES)
def test_titles_of_real_devices(raw: bytes, title: str, issue: str | None) -> None:
    data = bytearray(encode_pdu(PDUS["request"]))
    data[10:26] = raw
    pdu, issues = decode_pdu(1, bytes(data[6:]))
    assert isinstance(pdu, Request)
    assert (pdu.called, [one.code for one in issues]) == (title, [issue] if issue else [])


@pytest.mark.parametrize("title", ["", "   ", "A" * 17, "A\\B", "A\nB", "Ä"])
def test_titles_that_are_not_sent(title: str) -> None:
    with pytest.raises(ValueError, match="AE title"):
        encode_pdu(Request(title, "C", (), UserInformation()))


def test_a_rejected_context_may_hold_anything() -> None:
    data = bytes((3, 0, 4, 0)) + b"\x40\0\xff\xff garbage"
    item = b"\x21\0" + len(data).to_bytes(2, "big") + data
    whole = encode_pdu(Accept("S", "C", (), UserInformation()))
    pdu, _ = decode_pdu(2, whole[6:74] + item + whole[74:])
    assert isinstance(pdu, Accept)
    assert pdu.contexts == (ContextAnswer(3, 4),)


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(PDUS["request"])


# -- fragments


def pdv(number: int, control: int, data: bytes) -> bytes:
    value = bytes((number, control)) + data
    return len(value).to_bytes(4, "big") + value


def data_pdu(*values: bytes) -> bytes:
    body = b"".join(values)
    return b"\4\0" + len(body).to_bytes(4, "big") + body


STREAM = b"".join(
    (
        data_pdu(pdv(1, 3, b"command")),
        data_pdu(pdv(1, 0, b"first part "), pdv(1, 0, b"second part ")),
        data_pdu(pdv(1, 2, b"last part")),
        data_pdu(pdv(3, 3, b"")),
        encode_pdu(Release()),
    )
)


def established(**options: object) -> Connection:
    one = Connection(**options)  # type: ignore[arg-type]
    one.state = State.ESTABLISHED
    return one


def happened(one: Connection, chunks: list[bytes]) -> list[Any]:
    """Events, with the fragments of each data set joined: what a caller sees of any division of the bytes."""
    found: list[Any] = []
    for chunk in chunks:
        for event in one.receive(chunk, 0.0):
            if not isinstance(event, Data):
                found.append(event)
                continue
            for number, control, at, size in event.fragments:
                data = bytes(event.data[at : at + size])
                before = found[-1] if found and type(found[-1]) is tuple else (0, 2, b"")
                if before[:2] == (number, control & ~2):  # which was not the last
                    found[-1] = number, control, before[2] + data
                else:
                    found.append((number, control, data))
    return found


def test_any_division_of_the_bytes_gives_the_same_events() -> None:
    whole = happened(established(), [STREAM])
    assert next(one for one in whole if isinstance(one, tuple) and len(one) == 3) == (1, 3, b"command")
    for at in range(len(STREAM)):
        assert happened(established(), [STREAM[:at], STREAM[at:]]) == whole
    assert happened(established(), [STREAM[at : at + 1] for at in range(len(STREAM))]) == whole


@settings(max_examples=100, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_divisions(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[a:b] for a, b in pairwise(bounds)]
    assert happened(established(), chunks) == happened(established(), [STREAM])


LIES = {
    "no presentation data value": data_pdu(),
    "a value of no bytes": data_pdu(b"\0\0\0\0"),
    "a value of one byte": data_pdu(b"\0\0\0\1\1"),
    "a value longer than the PDU": data_pdu(b"\0\0\0\x20\1\3ab"),
    "a value of 4 GiB": data_pdu(b"\xff\xff\xff\xff\1\3ab"),
    "half a length behind a value": data_pdu(pdv(1, 3, b"ab"), b"\0\0"),
    "a PDU of 2 GiB": b"\4\0\x80\0\0\0",
    "a PDU of 4 GiB": b"\4\0\xff\xff\xff\xff",
    "a release of 1 MiB": b"\5\0\0\x10\0\0",
    "an abort of no bytes": b"\7\0\0\0\0\0",
    "an association request of 4 GiB": b"\1\0\xff\xff\xff\xff",
    "an unknown type": b"\x42\0\0\0\0\4abcd",
}


@pytest.mark.parametrize("data", LIES.values(), ids=LIES)
def test_lengths_that_lie_abort_at_once(data: bytes) -> None:
    one = established()
    events = one.receive(data, 0.0)
    assert type(events[-1]).__name__ == "Aborted"
    assert one.state == State.AWAITING_CLOSE
    assert decode_pdu(7, b"".join(one.take())[6:])[0].source == 2  # type: ignore[union-attr]
    assert len(one.buffer()) <= 1 << 20


def test_memory_is_not_set_aside_for_a_claim() -> None:
    for begun in (b"\4\0\0\4\0\0" + b"\0\4\0\0", b"\1\0\0\4\0\0" + b"\0\4\0\0"):  # 256 KiB are claimed
        one = established()
        one.buffer()
        tracemalloc.start()
        one.receive(begun, 0.0)
        one.buffer()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < (64 << 10) + 4096


def test_data_is_given_as_it_comes() -> None:
    """A fragment is not kept until it is whole: what there is of it is none that ends its message."""
    one = established()
    whole = data_pdu(pdv(1, 2, bytes(range(200))))
    (event,) = one.receive(whole[:60], 0.0)
    assert isinstance(event, Data)
    assert event.fragments == [(1, 0, 12, 48)]
    (event,) = one.receive(whole[60:], 0.0)
    assert isinstance(event, Data)
    assert event.fragments == [(1, 2, 0, 152)]


def test_half_a_pdu_ends_when_its_time_is_up() -> None:
    one = established()
    one.receive(STREAM[:9], 100.0)
    assert one.deadline == 130.0
    assert one.expire(129.0) == []
    (event,) = one.expire(130.0)
    assert "did not in time" in event.why  # type: ignore[union-attr]
    assert one.state == State.AWAITING_CLOSE


def test_a_silent_peer_is_given_up() -> None:
    one = Connection(is_acceptor=True)
    one.accepted(5.0)
    assert one.deadline == 35.0
    one.expire(35.0)
    assert (one.state, one.wants_close) == (State.IDLE, True)
