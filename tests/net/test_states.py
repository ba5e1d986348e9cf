"""The state table of PS3.8 9.2.3 against pynetdicom's, cell by cell, and every event in every state."""

from __future__ import annotations

import pytest

from dicomcore.net.connection import ACTIONS, Connection
from dicomcore.net.items import ContextOffer, UserInformation
from dicomcore.net.pdu import Abort, Accept, Reject, Release, Released, Request, encode_pdu
from dicomcore.net.states import TABLE, Happening, State

fsm = pytest.importorskip("pynetdicom.fsm")

USER = UserInformation(maximum_length=16384, implementation_class_uid="1.2.3")
REQUEST = Request("CALLED", "CALLING", (ContextOffer(1, "1.2.840.10008.1.1", ("1.2.840.10008.1.2",)),), USER)
ACCEPT = Accept("CALLED", "CALLING", (), USER)
PDUS = {
    Happening.ACCEPT_PDU: ACCEPT,
    Happening.REJECT_PDU: Reject(1, 1, 1),
    Happening.REQUEST_PDU: REQUEST,
    Happening.RELEASE_PDU: Release(),
    Happening.RELEASED_PDU: Released(),
    Happening.ABORT_PDU: Abort(0, 0),
}
LOCAL = {
    Happening.ASSOCIATE: lambda one: one.connect(REQUEST, 0.0),
    Happening.CONNECTED: lambda one: one.connected(0.0),
    Happening.ACCEPTED_CONNECTION: lambda one: one.accepted(0.0),
    Happening.ACCEPT: lambda one: one.accept(ACCEPT, 0.0),
    Happening.REJECT: lambda one: one.reject(Reject(1, 1, 1), 0.0),
    Happening.DATA: lambda one: one.send([b"\4\0\0\0\0\6\0\0\0\2\1\2"], 0.0),
    Happening.RELEASE: lambda one: one.release(0.0),
    Happening.RELEASE_ANSWER: lambda one: one.answer_release(0.0),
}


def test_the_actions_are_those_of_another_table() -> None:
    theirs = {
        (Happening(int(event[3:])), State(int(state[3:]))): action
        for (event, state), action in fsm.TRANSITION_TABLE.items()
    }
    assert {key: action for key, (action, _) in TABLE.items()} == theirs


def test_the_states_after_them_are_those_of_another_table() -> None:
    said = {action: set(states if isinstance(states, tuple) else (states,)) for action, (_, _, states) in (
        (name, entry) for name, entry in fsm.ACTIONS.items())}  # fmt: skip
    for (happening, state), (action, after) in TABLE.items():
        if action in ("AE-6", "AR-8"):
            assert f"Sta{after}" in str(said[action])
        else:
            assert f"Sta{int(after)}" in said[action], (happening, state, action)


def test_every_action_exists() -> None:
    assert {action for action, _ in TABLE.values()} == set(ACTIONS)


def at(state: State) -> Connection:
    """A connection that has come to a state."""
    one = Connection(is_acceptor=state in (State.COLLISION_ACCEPTOR, State.COLLISION_ACCEPTOR_LAST))
    one.connect(REQUEST, 0.0)
    one.take()
    one.state = state
    return one


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("happening", LOCAL, ids=lambda happening: happening.name)
def test_what_the_user_does(happening: Happening, state: State) -> None:
    one = at(state)
    if (happening, state) in TABLE:
        LOCAL[happening](one)
        assert one.state == TABLE[happening, state][1]
    else:
        with pytest.raises(RuntimeError, match=f"Sta{int(state)} "):
            LOCAL[happening](one)
        assert one.state == state


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("happening", PDUS, ids=lambda happening: happening.name)
def test_what_the_peer_sends(happening: Happening, state: State) -> None:
    one = at(state)
    one.receive(encode_pdu(PDUS[happening]), 0.0)
    expected = TABLE[happening, state][1] if (happening, state) in TABLE else state
    if TABLE.get((happening, state), ("", 0))[0] == "AR-8" and one.is_acceptor:
        expected = State.COLLISION_ACCEPTOR
    assert one.state == expected


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(
    "data", [b"\x09\0\0\0\0\4abcd", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3"]
)
def test_what_is_no_pdu(data: bytes, state: State) -> None:
    one = at(state)
    one.receive(data, 0.0)
    key = Happening.INVALID_PDU, state
    assert one.state == (TABLE[key][1] if key in TABLE else state)


@pytest.mark.parametrize("state", State)
def test_the_connection_is_lost(state: State) -> None:
    one = at(state)
    one.closed(0.0)
    assert (one.state, one.wants_close) == (State.IDLE, True)


@pytest.mark.parametrize("is_acceptor", [False, True])
def test_release_collision(is_acceptor: bool) -> None:
    sides = {False: Connection(), True: Connection(is_acceptor=True)}
    for one in sides.values():
        one.state = State.ESTABLISHED
        one.release(0.0)
    asked = {side: b"".join(one.take()) for side, one in sides.items()}
    for side, one in sides.items():
        one.receive(asked[not side], 0.0)
    assert sides[False].state == State.COLLISION_REQUESTOR
    assert sides[True].state == State.COLLISION_ACCEPTOR
    sides[False].answer_release(0.0)
    sides[True].receive(b"".join(sides[False].take()), 0.0)
    assert sides[True].state == State.COLLISION_ACCEPTOR_LAST
    sides[True].answer_release(0.0)
    sides[False].receive(b"".join(sides[True].take()), 0.0)
    assert (sides[False].state, sides[True].state) == (State.IDLE, State.AWAITING_CLOSE)
