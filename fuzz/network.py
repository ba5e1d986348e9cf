"""Targets of the network: the bytes of a peer, however they are divided, and command sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dicomcore.net import NetLimits, commands
from dicomcore.net.accepting import AcceptorSession, Offering
from dicomcore.net.connection import Connection, Data
from dicomcore.net.exchange import LAST, Message
from dicomcore.net.items import (
    Common,
    ContextAnswer,
    ContextOffer,
    Extended,
    Identity,
    Role,
    UserInformation,
)
from dicomcore.net.pdu import DATA, Abort, Accept, Reject, Release, Released, Request, decode_pdu, encode_pdu
from dicomcore.net.states import TABLE, State
from fuzz.target import FuzzInput, Target, refused

BOUNDS = NetLimits(pdu=4096, longest_pdu=8192, associate_pdu=8192, command_bytes=2048, identifier_bytes=4096)
STATES = (State.ESTABLISHED, State.AWAITING_REQUEST, State.AWAITING_ACCEPT, *State)
CT, FIND, VERIFICATION = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.1"
IMPLICIT = "1.2.840.10008.1.2"
OFFERS = tuple(ContextOffer(2 * at + 1, uid, (IMPLICIT,)) for at, uid in enumerate((VERIFICATION, CT, FIND)))
ASKING = Request("SERVER", "PEER", OFFERS, UserInformation(4096, "1.2.3"))


def portions(data: bytes, size: int) -> Iterator[bytes]:
    """Bytes in portions of a size, whole for 0."""
    size = size or max(len(data), 1)
    for at in range(0, len(data), size):
        yield data[at : at + size]


def happened(state: State, is_acceptor: bool, data: bytes, size: int) -> tuple[list[Any], bytes, State, int]:
    """What bytes bring about: events, with fragments joined; what is sent; the state after them; how many issues."""
    one = Connection(is_acceptor=is_acceptor, limits=BOUNDS, scratch=bytearray(512))
    one.connect(ASKING, 0.0)
    one.state = state
    found: list[Any] = []
    for portion in portions(data, size):
        for event in one.receive(portion, 0.0):
            if isinstance(event, Data):
                join(found, event)
            else:
                found.append(event)
        assert one.buffer().nbytes
        assert len(one.buffer()) <= max(BOUNDS.longest_pdu, BOUNDS.associate_pdu) + 512
    return found, b"".join(map(bytes, one.take())), one.state, len(one.issues)


def join(found: list[Any], event: Data) -> None:
    """Add fragments, those of one data set as one: it may come in any number of them."""
    for number, control, offset, length in event.fragments:
        data = bytes(event.data[offset : offset + length])
        before = found[-1] if found and type(found[-1]) is tuple else (0, LAST, b"")
        if before[:2] == (number, control & ~LAST):  # which was not the last of them
            found[-1] = number, control, before[2] + data
        else:
            found.append((number, control, data))


def received(data: bytes) -> None:
    """Any bytes in any state, divided in any way: the same events, answers and state. What is sent can be read."""
    taken = FuzzInput(data)
    state, is_acceptor, size = taken.one_of(STATES), bool(taken.byte() & 1), taken.byte()
    whole = happened(state, is_acceptor, taken.left, 0)
    assert happened(state, is_acceptor, taken.left, size) == whole
    assert happened(state, is_acceptor, taken.left, 1) == whole
    sent = whole[1]
    while sent:
        length = int.from_bytes(sent[2:6], "big")
        assert decode_pdu(sent[0], sent[6 : 6 + length])[1] == []
        sent = sent[6 + length :]
    assert whole[2] in {state, *(after for _, after in TABLE.values())}


def units(data: bytes) -> None:
    """Any bytes as the body of a PDU: what is read is written, and reads the same; its own bytes if it is canonical."""
    taken = FuzzInput(data)
    kind = taken.one_of((1, 2, 3, 5, 6, 7))
    pdu, issues = decode_pdu(kind, taken.left, BOUNDS)
    if issues:
        return
    try:
        written = encode_pdu(pdu)
    except ValueError:  # what a peer may send and this side may not, such as a character in an AE title
        return
    assert int.from_bytes(written[2:6], "big") == len(written) - 6
    again, deviations = decode_pdu(written[0], written[6:], BOUNDS)
    assert encode_pdu(again) == written
    assert not deviations
    if kind > DATA or kind == 3:
        assert again == pdu


def command_sets(data: bytes) -> None:
    """Any bytes as a command set: what is read without issues is written, and reads the same."""
    command = commands.decode(data, BOUNDS)
    _ = repr(command), command.kind, command.is_response, command.has_data_set
    refused(lambda: command.dataset)
    if command.issues:
        return
    written = commands.encode(command)
    again = commands.decode(written, BOUNDS)
    assert commands.encode(again) == written
    if all(value.isascii() and len(value) <= 64 for value in command.values() if isinstance(value, str)):
        assert again == command or not all(map(printed, command.values())), (command, again)


def printed(value: Any) -> bool:
    """Whether a value has characters that a comment may hold."""
    return not isinstance(value, str) or (value.isprintable() and "\\" not in value)


def association(data: bytes) -> None:
    """Any bytes behind an association: the acceptor handles the same messages however they are divided."""
    taken = FuzzInput(data)
    size = taken.byte()
    whole = answered(taken.left, 0)
    assert answered(taken.left, size) == whole
    assert answered(taken.left, 1) == whole


def answered(data: bytes, size: int) -> list[Any]:
    """The requests that were let through.

    What is sent may differ: a fault in the same portion takes back responses that wait, and the release that is asked
    for in front of it.
    """
    handled: list[Any] = []

    def handle(session: AcceptorSession, message: Message) -> None:
        handled.append((message.context.number, dict(message.command), message.data))
        if message.command.kind != commands.Kind.C_CANCEL:
            session.respond(message, 0)

    offering = Offering(titles=frozenset(), limits=BOUNDS, syntaxes=dict.fromkeys((CT, FIND), (IMPLICIT,)))
    session = AcceptorSession(offering, ("192.0.2.1", 104), 1, bytearray(512), handle)
    session.connection.accepted(0.0)
    for portion in (encode_pdu(ASKING), *portions(data, size)):
        session.handle(session.connection.receive(portion, 0.0), 0.0)
        session.take(0.0)
    assert session.is_open or session.is_released or session.failure is not None
    session.handle(session.connection.closed(0.0), 0.0)
    assert session.connection.state == State.IDLE
    return handled


# -- seeds


def pdus() -> Iterator[bytes]:
    user = UserInformation(
        16384, "1.2.3", "NAME", (8, 1), (Role(CT, False, True),), (Extended(CT, b"\1\0"),),
        (Common(CT, "1.2.840.10008.4.2", ("1.2.3", "1.2.4")),), Identity(2, b"user", b"secret", True),
    )  # fmt: skip
    yield encode_pdu(ASKING)
    yield encode_pdu(Request("S", "C", (ContextOffer(1, CT, (IMPLICIT, "1.2")),), user))
    answers = (ContextAnswer(1, 0, IMPLICIT), ContextAnswer(3, 4))
    yield encode_pdu(Accept("S", "C", answers, UserInformation(0, "1.2", identity_answer=b"x")))
    for pdu in (Reject(1, 1, 7), Release(), Released(), Abort(2, 6)):
        yield encode_pdu(pdu)


def sets() -> Iterator[bytes]:
    """Command sets of each kind of message, both ways."""
    field = commands.Field
    for kind in commands.Kind:
        values: dict[int, Any] = {field.AFFECTED_SOP_CLASS: CT, field.COMMAND: int(kind), field.MESSAGE_ID: 1}
        yield commands.encode({**values, field.DATA_SET_TYPE: 0x0101, field.MOVE_DESTINATION: "THERE"})
        yield commands.encode({field.COMMAND: kind | 0x8000, field.RESPONDED_TO: 1, field.STATUS: 0xFF00,
                               field.ERROR_COMMENT: "why", field.OFFENDING_ELEMENT: (0x00100010,)})  # fmt: skip


def data_pdu(number: int, control: int, data: bytes) -> bytes:
    value = (len(data) + 2).to_bytes(4, "big") + bytes((number, control)) + data
    return b"\4\0" + len(value).to_bytes(4, "big") + value


def streams() -> Iterator[bytes]:
    """Messages behind an association, whole and in pieces, and what ends it."""
    field = commands.Field
    for data in sets():
        for number in (1, 3, 5):
            yield data_pdu(number, 3, data)
    head = commands.encode({field.AFFECTED_SOP_CLASS: FIND, field.COMMAND: 0x20, field.MESSAGE_ID: 2,
                            field.DATA_SET_TYPE: 0})  # fmt: skip
    message = data_pdu(5, 1, head[:20]) + data_pdu(5, 3, head[20:]) + data_pdu(5, 0, b"ab") + data_pdu(5, 2, b"cd")
    yield message
    yield message + encode_pdu(Release())
    yield message[:-10] + encode_pdu(Abort(0, 0))


def peers() -> Iterator[bytes]:
    """Bytes in several states, in portions of several sizes."""
    for at, data in enumerate((*pdus(), *streams())):
        for state in range(3):
            yield bytes((state, at, at % 7)) + data


TARGETS = {
    "peer": Target(received, peers),
    "pdu": Target(units, lambda: (bytes([(1, 2, 3, 5, 6, 7).index(one[0])]) + one[6:] for one in pdus())),
    "command": Target(command_sets, sets, 2048),
    "association": Target(association, lambda: (bytes([at % 9]) + one for at, one in enumerate(streams())), 4096),
}
