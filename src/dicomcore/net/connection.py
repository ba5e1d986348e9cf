"""Connection: one association of the upper layer (PS3.8), without input or output.

Bytes go in, events come out, and buffers to send are taken. The clock is an argument: `deadline` says when `expire`
wants to be called. Nothing here opens a socket, starts a thread, looks at a clock or writes a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dicomcore._native.net.fragments import Fragments
from dicomcore.errors import ParseError
from dicomcore.issues import Issue
from dicomcore.net.limits import DEFAULT_NET_LIMITS, DEFAULT_TIMEOUTS, NetLimits, Timeouts
from dicomcore.net.pdu import (
    ABORT,
    ACCEPT,
    DATA,
    REJECT,
    RELEASE,
    RELEASED,
    REQUEST,
    Abort,
    Accept,
    Pdu,
    Reject,
    Release,
    Released,
    Request,
    decode_pdu,
    encode_pdu,
)
from dicomcore.net.states import TABLE, Happening, State

if TYPE_CHECKING:
    from dicomcore._native.net.fragments import Fragment

__all__ = [
    "Aborted",
    "Accepted",
    "Connection",
    "Data",
    "Event",
    "Rejected",
    "ReleaseAnswered",
    "ReleaseAsked",
    "Requested",
]

Buffer = bytes | bytearray | memoryview

HEADER = 6
SHORT = 4  # bytes of the body of the PDUs that are neither A-ASSOCIATE nor P-DATA-TF
SLOPPY = 4  # a quarter more than was announced is accepted
FIRST_SCRATCH = 16 << 10  # bytes that are received at a time, in the beginning
KEEP = 64 << 10  # bytes that are set aside for a PDU before more of it has come
SERVICE_USER, SERVICE_PROVIDER = 0, 2  # sources of an A-ABORT
NO_REASON, UNKNOWN_PDU, UNEXPECTED_PDU, UNEXPECTED_PARAMETER, INVALID_PARAMETER = 0, 1, 2, 5, 6
HAPPENINGS = {
    REQUEST: Happening.REQUEST_PDU,
    ACCEPT: Happening.ACCEPT_PDU,
    REJECT: Happening.REJECT_PDU,
    DATA: Happening.DATA_PDU,
    RELEASE: Happening.RELEASE_PDU,
    RELEASED: Happening.RELEASED_PDU,
    ABORT: Happening.ABORT_PDU,
}
ENDED = (State.IDLE, State.AWAITING_CLOSE)
DATA_STATES = frozenset(
    state for state in State if (cell := TABLE.get((Happening.DATA_PDU, state))) and cell[0] in ("DT-2", "AR-6")
)
"""States in which data is taken; it changes none of them."""
ESTABLISHED = State.ESTABLISHED


# -- events


class Requested(NamedTuple):
    """The peer asks for an association; the answer is `accept` or `reject`."""

    request: Request


class Accepted(NamedTuple):
    """The peer accepted the association."""

    accept: Accept


class Rejected(NamedTuple):
    """The peer rejected the association."""

    reject: Reject


class Data(NamedTuple):
    """Fragments of messages: (context, message control header, offset, length) of `data`, valid until the next call.

    A fragment that has come in part is one that is not the last of its message.
    """

    data: memoryview
    fragments: list[Fragment]


class ReleaseAsked(NamedTuple):
    """The peer wants to end the association; the answer is `answer_release`."""


class ReleaseAnswered(NamedTuple):
    """The peer agreed to the end of the association."""


class Aborted(NamedTuple):
    """The association ended at once: by the peer's A-ABORT, for a fault (`why`), or because the connection was lost.

    `source` and `reason` are those of the A-ABORT that came or was sent, None if there was none.
    """

    source: int | None
    reason: int | None
    why: str


Event = Requested | Accepted | Rejected | Data | ReleaseAsked | ReleaseAnswered | Aborted


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why the present event happened, for the actions that need to know."""

    pdu: Pdu | None = None
    reason: int = NO_REASON
    why: str = ""
    source: int = SERVICE_USER


NO_CAUSE = _Cause()


class Connection:
    """One association, by the state table of PS3.8 9.2.3.

    `is_acceptor` tells the side. `scratch` is memory that bytes are received into; connections of one loop share it,
    because a connection keeps only what is left of a PDU. `issues` says what deviated and was accepted.
    """

    def __init__(
        self,
        *,
        is_acceptor: bool = False,
        limits: NetLimits = DEFAULT_NET_LIMITS,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        scratch: bytearray | None = None,
    ) -> None:
        self.state = State.IDLE
        self.is_acceptor = is_acceptor
        self.limits, self.timeouts = limits, timeouts
        self.issues: list[Issue] = []
        self.wants_close = False
        self.longest_pdu = (
            min(limits.longest_pdu, limits.pdu + limits.pdu // SLOPPY) if limits.pdu else (limits.longest_pdu)
        )
        self._scratch = memoryview(bytearray(FIRST_SCRATCH) if scratch is None else scratch)
        self._may_grow = scratch is None  # to what one PDU takes, when more comes at a time than there is room for
        self._fragments = Fragments()  # where in a P-DATA-TF PDU the bytes are
        self._tail = b""  # of a header that has come in part
        self._rest: bytearray | None = None  # another PDU that has come in part
        self._have = self._need = 0
        self._out: list[Buffer] = []
        self._events: list[Event] = []
        self._artim: float | None = None
        self._arriving: float | None = None  # until when the rest of a PDU has to be there
        self._waiting: float | None = None  # until when the requestor's answer has to be there
        self._is_lost = False  # bytes can no longer be divided into PDUs

    # -- what the local user does

    def connect(self, request: Request, now: float) -> None:
        """Ask for an association; `connected` follows when the transport connection stands (requestor)."""
        self._request = request
        self._local(Happening.ASSOCIATE, now)

    def connected(self, now: float) -> None:
        """The transport connection stands: send the A-ASSOCIATE-RQ (requestor)."""
        self._local(Happening.CONNECTED, now)

    def accepted(self, now: float) -> None:
        """A transport connection was accepted: wait for the A-ASSOCIATE-RQ (acceptor)."""
        self._local(Happening.ACCEPTED_CONNECTION, now)

    def accept(self, accept: Accept, now: float) -> None:
        """Accept the association."""
        self._local(Happening.ACCEPT, now, _Cause(pdu=accept))

    def reject(self, reject: Reject, now: float) -> None:
        """Reject the association."""
        self._local(Happening.REJECT, now, _Cause(pdu=reject))

    def send(self, buffers: Sequence[Buffer], now: float) -> None:
        """Send whole P-DATA-TF PDUs, divided into buffers in any way."""
        if self.state != ESTABLISHED:  # there the table has no action, and the state stays
            self._local(Happening.DATA, now)
        self._out.extend(buffers)

    def release(self, now: float) -> None:
        """Ask the peer for the end of the association."""
        self._local(Happening.RELEASE, now)

    def answer_release(self, now: float) -> None:
        """Agree to the end of the association."""
        self._local(Happening.RELEASE_ANSWER, now)

    def abort(self, now: float, *, source: int = SERVICE_USER, reason: int = NO_REASON) -> None:
        """End the association at once. An association that has ended stays as it is."""
        if (Happening.ABORT, self.state) in TABLE:
            self._local(Happening.ABORT, now, _Cause(source=source, reason=reason))
        else:
            self.wants_close = True

    def take(self) -> list[Buffer]:
        """The buffers to send next; they belong to the caller."""
        if not self._out:
            return []
        out, self._out = self._out, []
        return out

    def waiting(self) -> int:
        """How many buffers wait to be taken."""
        return len(self._out)

    @property
    def is_between(self) -> bool:
        """Whether an association is established, no PDU has come in part, and none waits to be taken."""
        has_part = self._tail or self._rest is not None or self._fragments.is_inside
        return self.state == ESTABLISHED and not has_part and not self._out

    # -- what the transport does

    def buffer(self) -> memoryview:
        """Where the next bytes go; `received` follows. Never empty."""
        if self._rest is None:
            tail = len(self._tail)
            if not tail:
                return self._scratch
            self._scratch[:tail] = self._tail
            return self._scratch[tail:]
        if self._have == len(self._rest):
            self._rest.extend(bytes(min(self._need - self._have, max(KEEP, self._have))))
        return memoryview(self._rest)[self._have :]

    def received(self, count: int, now: float) -> list[Event]:
        """Take `count` bytes that were put into `buffer`; what happened by them."""
        if self._rest is None:
            tail, self._tail = len(self._tail), b""
            self._parse(self._scratch, tail + count, now)
            if self._may_grow and tail + count == len(self._scratch):
                most = max(self.limits.pdu or self.limits.longest_pdu, FIRST_SCRATCH) + HEADER
                self._may_grow = len(self._scratch) < most
                self._scratch = memoryview(bytearray(min(4 * len(self._scratch), most)))
        else:
            self._have += count
            self._complete(now)
        return self._happened()

    def receive(self, data: Buffer, now: float) -> list[Event]:
        """Take bytes, however they are divided. The data of the events is copied, and stays valid."""
        found: list[Event] = []
        view = memoryview(data).cast("B")
        while view.nbytes:
            target = self.buffer()
            count = min(view.nbytes, target.nbytes)
            target[:count] = view[:count]
            del target  # memory that is exported cannot grow
            for event in self.received(count, now):
                found.append(_copied(event) if isinstance(event, Data) else event)
            view = view[count:]
        return found

    def closed(self, now: float) -> list[Event]:
        """The transport connection was closed by the peer, or lost."""
        if self.state != State.IDLE:
            self._fire(Happening.CLOSED, now, _Cause(why="the connection was closed without a release"))
        self.wants_close = True
        return self._happened()

    def held(self, now: float) -> None:
        """Nothing is read for now, by this side's choice: the time for the rest of a PDU begins anew."""
        if self._arriving is not None:
            self._arriving = _later(now, self.timeouts.pdu)

    @property
    def deadline(self) -> float | None:
        """When `expire` is to be called, or None."""
        if self._artim is None and self._arriving is None and self._waiting is None:
            return None
        return min(time for time in (self._artim, self._arriving, self._waiting) if time is not None)

    def expire(self, now: float) -> list[Event]:
        """Do what is due at this time."""
        if self._artim is not None and now >= self._artim:
            self._fire(Happening.EXPIRED, now, _Cause(why="the peer did not go on in time (ARTIM timer)"))
        if self._waiting is not None and now >= self._waiting:
            self._waiting = None
            was = "release" if self.state != State.AWAITING_ACCEPT else "association"
            self._give_up(f"no answer to the {was} request in time", now)
        if self._arriving is not None and now >= self._arriving:
            self._arriving = None
            self._give_up("a PDU came in part, and the rest did not in time", now)
        return self._happened()

    # -- PDUs from bytes

    def _happened(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _complete(self, now: float) -> None:
        """Go on with a PDU that has come in part."""
        rest = self._rest
        assert rest is not None
        if self._have < self._need:
            return
        self._rest = self._arriving = None
        self._parse(memoryview(rest), self._need, now)

    def _parse(self, data: memoryview, stop: int, now: float) -> None:
        at, fragments = 0, self._fragments
        completed, is_another = fragments.completed, False
        while at < stop and not self._is_lost and self.state != State.IDLE:
            if self.state in DATA_STATES and (fragments.is_inside or data[at] == DATA):
                begun = at
                at, found, fault = fragments.scan(data, at, stop, self.longest_pdu)
                if found:
                    self._events.append(Data(data, found))
                if fault >= 0:
                    self._invalid(INVALID_PARAMETER, "a presentation data value has a length that lies", now)
                    return
                if at != begun:
                    continue
            if fragments.is_inside and self.state not in DATA_STATES:
                at += fragments.skip(stop - at)
                continue
            if stop - at < HEADER:
                self._tail = bytes(data[at:stop])
                break
            length = self._length_of(data, at, now)
            if length is None:
                return
            if stop - at < HEADER + length:
                self._keep(data, at, stop, HEADER + length)
                break
            self._pdu(data[at], bytes(data[at + HEADER : at + HEADER + length]), now)
            at += HEADER + length
            is_another = True
        if self.state == State.IDLE or not (fragments.is_inside or self._tail or self._rest is not None):
            self._arriving = None
        elif self._arriving is None or is_another or fragments.completed != completed:
            self._arriving = _later(now, self.timeouts.pdu)

    def _keep(self, data: memoryview, at: int, stop: int, need: int) -> None:
        self._have, self._need = stop - at, need
        self._rest = bytearray(min(need, max(KEEP, self._have)))
        self._rest[: self._have] = data[at:stop]

    def _length_of(self, data: Buffer, at: int, now: float) -> int | None:
        """The length in a PDU's header; None if the PDU is not wanted, before its body is here."""
        kind, length = data[at], int.from_bytes(data[at + 2 : at + HEADER], "big")
        happening = HAPPENINGS.get(kind)
        if happening is None:
            self._invalid(UNKNOWN_PDU, _strange(bytes(data[at : at + HEADER])), now)
            return None
        most = {DATA: self.longest_pdu, REQUEST: self.limits.associate_pdu, ACCEPT: self.limits.associate_pdu}.get(
            kind, SHORT
        )
        is_odd = kind not in (REQUEST, ACCEPT, DATA) and length != SHORT
        if length > most or is_odd:
            self._invalid(INVALID_PARAMETER, f"a PDU of type {kind} says {length} bytes, {most} are accepted", now)
            return None
        if kind == DATA and self.state not in (State.ESTABLISHED, State.AWAITING_RELEASE, State.AWAITING_CLOSE):
            self._is_lost = True  # its bytes are not waited for
            self._fire(happening, now, _Cause(reason=UNEXPECTED_PDU, why="data came where none is expected"))
            return None
        return length

    def _pdu(self, kind: int, body: bytes, now: float) -> None:
        if kind == DATA:  # in Sta13, where it is passed over
            self._fire(Happening.DATA_PDU, now)
            return
        try:
            pdu, issues = decode_pdu(kind, body, self.limits)
        except ParseError as error:
            self._fire(Happening.INVALID_PDU, now, _Cause(reason=INVALID_PARAMETER, why=str(error)))
            return
        self.issues += issues
        why = f"a PDU of type {kind} came where none is expected"
        self._fire(HAPPENINGS[kind], now, _Cause(pdu=pdu, reason=UNEXPECTED_PDU, why=why))

    def _invalid(self, reason: int, why: str, now: float) -> None:
        """After such a PDU the bytes cannot be divided any more."""
        self._is_lost = True
        self._fire(Happening.INVALID_PDU, now, _Cause(reason=reason, why=why))

    # -- the state machine

    def _local(self, happening: Happening, now: float, cause: _Cause | None = None) -> None:
        if (happening, self.state) not in TABLE:
            raise RuntimeError(f"{happening.name} is not possible in Sta{self.state} ({self.state.name})")
        self._fire(happening, now, cause)

    def _fire(self, happening: Happening, now: float, cause: _Cause | None = None) -> None:
        found = TABLE.get((happening, self.state))
        if found is None:
            return
        action, after = found
        self.state = after
        ACTIONS[action](self, cause or NO_CAUSE, now)
        if self.state in ENDED:
            self._waiting = self._arriving = None

    def _give_up(self, why: str, now: float) -> None:
        """End the association for a reason of our own, as the service provider (PS3.8 7.4)."""
        if (Happening.ABORT, self.state) in TABLE:
            self._fire(Happening.ABORT, now, _Cause(source=SERVICE_PROVIDER))
            self._events.append(Aborted(SERVICE_PROVIDER, NO_REASON, why))
        elif self.state != State.IDLE:
            self.state, self._artim, self.wants_close = State.IDLE, None, True
            self._events.append(Aborted(None, None, why))

    def _put(self, pdu: Pdu | None) -> None:
        assert pdu is not None
        self._out.append(encode_pdu(pdu))

    def _start_artim(self, now: float) -> None:
        self._artim = _later(now, self.timeouts.associate)

    def _close(self) -> None:
        self._artim, self.wants_close = None, True


def _copied(event: Data) -> Data:
    """The same data, for longer than until the next call."""
    _, _, offset, length = event.fragments[-1]
    return Data(memoryview(bytes(event.data[: offset + length])), event.fragments)


def _later(now: float, seconds: float | None) -> float | None:
    return None if seconds is None else now + seconds


def _strange(header: bytes) -> str:
    """What a header that is none of a PDU looks like."""
    if header[:2] == b"\x16\x03":
        return "a TLS handshake came where DICOM without TLS is spoken"
    if header.split(b" ")[0] in (b"GET", b"POST", b"HEAD", b"PUT", b"OPTIO", b"HTTP/1"):
        return "HTTP came where DICOM is spoken"
    return f"{header[0]:#04x} is no type of a PDU"


# -- actions (PS3.8 9.2.2), by their names in the table


def _ae_1(self: Connection, cause: _Cause, now: float) -> None:
    """The caller opens the transport connection."""


def _ae_2(self: Connection, cause: _Cause, now: float) -> None:
    self._put(self._request)
    self._waiting = _later(now, self.timeouts.associate)


def _ae_3(self: Connection, cause: _Cause, now: float) -> None:
    self._waiting = None
    assert isinstance(cause.pdu, Accept)
    self._events.append(Accepted(cause.pdu))


def _ae_4(self: Connection, cause: _Cause, now: float) -> None:
    assert isinstance(cause.pdu, Reject)
    self._events.append(Rejected(cause.pdu))
    self._close()


def _ae_5(self: Connection, cause: _Cause, now: float) -> None:
    self._start_artim(now)


def _ae_6(self: Connection, cause: _Cause, now: float) -> None:
    self._artim = None
    assert isinstance(cause.pdu, Request)
    if cause.pdu.version & 1:
        self._events.append(Requested(cause.pdu))
        return
    self.state = State.AWAITING_CLOSE  # protocol version not supported, by the service provider (PS3.8 9.3.4)
    self._put(Reject(1, 2, 2))
    self._start_artim(now)


def _ae_8(self: Connection, cause: _Cause, now: float) -> None:
    self._put(cause.pdu)
    self._start_artim(now)


def _put_pdu(self: Connection, cause: _Cause, now: float) -> None:
    self._put(cause.pdu)


def _nothing(self: Connection, cause: _Cause, now: float) -> None:
    """What is sent or indicated stands at the caller."""


def _ar_1(self: Connection, cause: _Cause, now: float) -> None:
    self._put(Release())
    self._waiting = _later(now, self.timeouts.release)


def _ar_2(self: Connection, cause: _Cause, now: float) -> None:
    self._events.append(ReleaseAsked())


def _ar_3(self: Connection, cause: _Cause, now: float) -> None:
    self._events.append(ReleaseAnswered())
    self._close()


def _ar_4(self: Connection, cause: _Cause, now: float) -> None:
    self._put(Released())
    self._start_artim(now)


def _ar_5(self: Connection, cause: _Cause, now: float) -> None:
    self._artim = None


def _ar_8(self: Connection, cause: _Cause, now: float) -> None:
    self._events.append(ReleaseAsked())
    if self.is_acceptor:
        self.state = State.COLLISION_ACCEPTOR


def _ar_9(self: Connection, cause: _Cause, now: float) -> None:
    self._put(Released())


def _ar_10(self: Connection, cause: _Cause, now: float) -> None:
    self._events.append(ReleaseAnswered())


def _aa_1(self: Connection, cause: _Cause, now: float) -> None:
    """For the local user, and for a PDU in front of any association (PS3.8 9.3.8 has the reasons)."""
    self._put(Abort(cause.source, cause.reason if cause.source == SERVICE_PROVIDER else NO_REASON))
    self._start_artim(now)
    if cause.why:
        self._events.append(Aborted(cause.source, NO_REASON, cause.why))


def _aa_2(self: Connection, cause: _Cause, now: float) -> None:
    self._close()


def _aa_3(self: Connection, cause: _Cause, now: float) -> None:
    assert isinstance(cause.pdu, Abort)
    who = "peer" if cause.pdu.source == SERVICE_USER else "peer's upper layer"
    self._events.append(Aborted(cause.pdu.source, cause.pdu.reason, f"the {who} aborted the association"))
    self._close()


def _aa_4(self: Connection, cause: _Cause, now: float) -> None:
    self._events.append(Aborted(None, None, cause.why))


def _aa_7(self: Connection, cause: _Cause, now: float) -> None:
    self._put(Abort(SERVICE_PROVIDER, cause.reason))


def _aa_8(self: Connection, cause: _Cause, now: float) -> None:
    self._put(Abort(SERVICE_PROVIDER, cause.reason))
    self._events.append(Aborted(SERVICE_PROVIDER, cause.reason, cause.why))
    self._start_artim(now)


ACTIONS = {
    "AE-1": _ae_1,
    "AE-2": _ae_2,
    "AE-3": _ae_3,
    "AE-4": _ae_4,
    "AE-5": _ae_5,
    "AE-6": _ae_6,
    "AE-7": _put_pdu,
    "AE-8": _ae_8,
    "DT-1": _nothing,
    "DT-2": _nothing,
    "AR-1": _ar_1,
    "AR-2": _ar_2,
    "AR-3": _ar_3,
    "AR-4": _ar_4,
    "AR-5": _ar_5,
    "AR-6": _nothing,
    "AR-7": _nothing,
    "AR-8": _ar_8,
    "AR-9": _ar_9,
    "AR-10": _ar_10,
    "AA-1": _aa_1,
    "AA-2": _aa_2,
    "AA-3": _aa_3,
    "AA-4": _aa_4,
    "AA-5": _ar_5,
    "AA-6": _nothing,
    "AA-7": _aa_7,
    "AA-8": _aa_8,
}
