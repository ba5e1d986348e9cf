"""Session: operations and requests over one established association, without I/O; both faces stand on it.

One owner moves bytes: it takes buffers, gives bytes, and asks for the deadline. Operations register here, so that the
responses of several find their way, and messages of one direction are never interleaved.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from dicomcore._native.net.commands import answer
from dicomcore.errors import AssociationAborted, AssociationRejected, NetworkError, NetworkTimeout
from dicomcore.net.commands import Command, Field, Kind
from dicomcore.net.connection import (
    Aborted,
    Accepted,
    Buffer,
    Connection,
    Data,
    Event,
    Rejected,
    ReleaseAnswered,
    ReleaseAsked,
    Requested,
)
from dicomcore.net.exchange import Context, Exchange, Message, ProtocolError
from dicomcore.net.limits import DEFAULT_NET_LIMITS, DEFAULT_TIMEOUTS, NetLimits, Timeouts
from dicomcore.net.operations import Invocation, Operation
from dicomcore.net.pdu import Reject
from dicomcore.net.sinks import Sink
from dicomcore.net.states import State

if TYPE_CHECKING:
    from dicomcore._native.net.fragments import Fragment

__all__ = ["REJECTIONS", "Session"]

SERVICE_PROVIDER, UNEXPECTED_PARAMETER = 2, 5
PDU_AND_VALUE = 12  # bytes of a PDU in front of its only fragment
MESSAGE_ID, RESPONDED_TO, STATUS = int(Field.MESSAGE_ID), int(Field.RESPONDED_TO), int(Field.STATUS)
MOST_ID = 0xFFFF
REJECTIONS = {
    (1, 1): "no reason given",
    (1, 2): "the application context is not supported",
    (1, 3): "the calling AE title is not recognized",
    (1, 7): "the called AE title is not recognized",
    (2, 1): "no reason given",
    (2, 2): "the protocol version is not supported",
    (3, 1): "temporary congestion",
    (3, 2): "local limit exceeded",
}


@dataclass(slots=True)
class _Outstanding:
    """A request whose last response is to come."""

    operation: Operation
    token: Any
    number: int
    until: float | None


class Session:
    """What goes on over one connection once it is established.

    `serve` takes the requests of the peer; without it they are answered 0211 by the caller's choice. `sink_for` chooses
    where the data sets of its C-STORE requests go.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        peer: str = "",
        limits: NetLimits = DEFAULT_NET_LIMITS,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        serve: Callable[[Message], None] | None = None,
        sink_for: Callable[[Context, Command], Sink | None] | None = None,
        whole_for: Callable[[Context, Command, memoryview, list[Fragment]], Any] | None = None,
    ) -> None:
        self.connection, self.peer, self.limits, self.timeouts = connection, peer, limits, timeouts
        self.contexts: dict[int, Context] = {}
        self.window = 1
        self.performing = 1
        self.failure: NetworkError | None = None
        self.is_released = False
        self._serve, self._sink_for, self._whole_for = serve, sink_for, whole_for
        self._exchange: Exchange | None = None
        self._operations: list[Operation] = []
        self._outstanding: dict[int, _Outstanding] = {}
        self._sending: deque[tuple[int, Iterator[Buffer] | memoryview | None, bytes]] = deque()
        self.identifier = 0  # the last message ID
        self._held: Buffer | None = None  # a part of the message that is being sent
        self._idle: float | None = None

    # -- the association

    def establish(
        self, contexts: dict[int, Context], peer_maximum: int, window: int, performing: int, now: float
    ) -> None:
        """Both sides have agreed: messages may be exchanged."""
        self.contexts, self.window, self.performing = contexts, window, performing
        try:
            self._exchange = Exchange(
                contexts,
                peer_maximum=peer_maximum,
                limits=self.limits,
                sink_for=self._sink_for,
                whole_for=self._whole_for,
            )
        except ProtocolError as error:
            self.abort(AssociationAborted(str(error), peer=self.peer), now)
        self.rest(now)

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self.failure is None and self.connection.state == State.ESTABLISHED

    @property
    def is_busy(self) -> bool:
        """Whether operations run."""
        return bool(self._operations or self._outstanding)

    @property
    def is_between(self) -> bool:
        """Whether nothing is outstanding, and no message is in the middle in either direction."""
        has_exchange = self._exchange is not None and self._exchange.is_between
        return self.is_open and has_exchange and self.connection.is_between and not self._sending and not self.is_busy

    def is_alone(self, operation: Operation) -> bool:
        """Whether an operation is the only one, and nothing is outstanding or in the middle."""
        operations = self._operations
        if self._outstanding or self._sending or len(operations) != 1 or operations[0] is not operation:
            return False
        has_exchange = self._exchange is not None and self._exchange.is_between
        return has_exchange and self.failure is None and self.connection.is_between

    @property
    def results(self) -> int:
        """How many results wait for the caller."""
        return sum(len(one.results) for one in self._operations)

    def rest(self, now: float) -> None:
        """Begin to count the time with nothing outstanding."""
        self._idle = None if self.timeouts.idle is None else now + self.timeouts.idle

    @property
    def rests_until(self) -> float:
        """When it has rested for too long, if nothing is asked until then."""
        return inf if self._idle is None else self._idle

    def fail(self, error: NetworkError) -> None:
        """The association has ended before its work was done."""
        if self.failure is None and not self.is_released:
            self.failure = error
        if self._exchange is not None:
            self._exchange.end()
        for operation in self._operations:
            operation.fail(error)
        self._operations.clear()
        self._outstanding.clear()
        self._sending.clear()

    # -- operations

    def start(self, operation: Operation) -> None:
        """Take an operation in: `pump` sends its requests, and its results come as responses arrive."""
        if self.failure is not None:
            operation.fail(self.failure)
            return
        self._operations.append(operation)

    def pump(self, now: float) -> None:
        """Send what may be sent now: requests as far as the window reaches."""
        if not self.is_open:
            return
        if not self._operations or len(self._outstanding) >= self.window:
            self.rest(now)
            return
        for operation in list(self._operations):
            while not operation.is_done and len(self._outstanding) < self.window and len(self._sending) < self.window:
                try:
                    invocation = operation.next(self.contexts.values())
                except Exception as error:  # of the caller's data: the operation's, not the association's
                    operation.fail(error)
                    break
                if invocation is None:
                    break
                identifier = self.next_identifier()
                invocation.values[MESSAGE_ID] = identifier
                number = invocation.context.number
                until = self._until(operation, now)
                self._outstanding[identifier] = _Outstanding(operation, invocation.token, number, until)
                self.send(number, invocation.values, invocation.parts)
            if operation.is_done:
                self._operations.remove(operation)
        self.rest(now)

    @property
    def fragment(self) -> int:
        """Bytes of a fragment that the peer takes."""
        assert self._exchange is not None
        return self._exchange.fragment

    def buffers(self, invocation: Invocation) -> list[Buffer]:
        """The message of a request whose data set is in memory, for a face that sends it by itself."""
        assert self._exchange is not None
        return self._exchange.message(invocation.context.number, invocation.values, invocation.parts)  # type: ignore[arg-type]

    def asked(self, operation: Operation, invocation: Invocation, identifier: int, now: float) -> None:
        """A face has sent a request by itself: its response is to come."""
        until = self._until(operation, now)
        self._outstanding[identifier] = _Outstanding(operation, invocation.token, invocation.context.number, until)

    def done(self, operation: Operation, now: float) -> None:
        """A face has taken a response by itself."""
        if operation.is_done:
            self._operations.remove(operation)
        self.rest(now)

    def _until(self, operation: Operation, now: float) -> float | None:
        seconds = getattr(self.timeouts, operation.wait)
        return None if seconds is None else now + seconds

    def _renew(self, now: float) -> None:
        for one in self._outstanding.values():
            one.until = self._until(one.operation, now)

    def held(self, now: float) -> None:
        """Nothing is read for now, by this side's choice: the times for what the peer sends begin anew."""
        self.connection.held(now)
        self._renew(now)

    def next_identifier(self) -> int:
        """A message ID that is not outstanding."""
        while True:
            self.identifier = self.identifier % MOST_ID + 1
            if self.identifier not in self._outstanding:
                return self.identifier

    def cancel(self, operation: Operation) -> None:
        """Ask the peer to stop an operation (C-CANCEL, PS3.7 9.3.2.3); its last response is still to come."""
        operation.is_cancelled = True
        for identifier, one in self._outstanding.items():
            if one.operation is operation and self.is_open:
                self.send(one.number, {Field.COMMAND: int(Kind.C_CANCEL), Field.RESPONDED_TO: identifier})

    # -- messages out

    def prepare(self) -> None:
        """Make the next request ready while the peer works on those that it has."""
        if len(self._outstanding) >= self.window and self.is_open:
            for operation in self._operations:
                try:
                    operation.prepare()
                except Exception as error:  # of the caller's data, as in `pump`
                    operation.fail(error)

    def send(self, number: int, values: dict[int, Any], parts: Iterable[Buffer] | Buffer | None = None) -> None:
        """Put a message behind those that wait to be sent; `parts` is its data set, whole or in parts."""
        assert self._exchange is not None
        head = self._exchange.head(number, values, parts is not None)
        if parts is None:
            self._sending.append((number, None, head))
        elif isinstance(parts, bytes | bytearray | memoryview):
            self._sending.append((number, memoryview(parts).cast("B"), head))
        else:
            self._sending.append((number, iter(parts), head))

    def respond(
        self, message: Message, status: int, *, data: Buffer | None = None, values: dict[int, Any] | None = None
    ) -> None:
        """Answer a request."""
        exchange, number = self._exchange, message.context.number
        assert exchange is not None
        if data is None and (values is None or (len(values) == 1 and Field.ERROR_COMMENT in values)):
            comment = None if values is None else values[Field.ERROR_COMMENT]
            ready = answer(message.command, number, int(status), comment)
            if ready is not None and len(ready) <= exchange.fragment + PDU_AND_VALUE:
                self._sending.append((number, None, ready))
                return
        made = _answer_to(message.command, status)
        made.update(values or {})
        self.send(number, made, data)

    def respond_all(self, message: Message, status: int, data: Iterable[bytes]) -> None:
        """Answer a request several times, with the same status and each time another data set."""
        assert self._exchange is not None
        number = message.context.number
        ready = self._exchange.messages(number, _answer_to(message.command, status), data)
        self._sending.append((number, None, ready))

    def waiting(self) -> int:
        """How many messages wait to be sent."""
        return len(self._sending) + self.connection.waiting()

    def take(self, now: float) -> list[Buffer]:
        """Buffers to send next, about `limits.ahead` bytes at most; empty if there is nothing."""
        sending, connection = self._sending, self.connection
        if not sending:
            return connection.take()
        if len(sending) == 1 and sending[0][1] is None and self.is_open and not connection.waiting():
            return [sending.popleft()[2]]
        assert self._exchange is not None
        size, most = 0, self.limits.ahead
        while sending and size < most and self.is_open:
            number, parts, head = sending[0]
            if parts is None:
                sending.popleft()
                connection.send((head,), now)
                size += len(head)
            elif type(parts) is memoryview:
                sending.popleft()
                connection.send([head, *self._exchange.part(number, parts, True)], now)
                size += len(head) + len(parts)
            else:
                added = self._take_some(number, parts, head, most - size, now)
                if added < 0:
                    break
                size += added
        return connection.take()

    def _take_some(self, number: int, parts: Iterator[Buffer], head: bytes, most: int, now: float) -> int:
        """Send parts of the first message; how many bytes, -1 if that failed."""
        buffers: list[Buffer] = []
        if head:
            self._sending[0] = number, parts, b""
            buffers.append(head)
        try:
            ended, added = self._take_parts(number, parts, buffers, most - len(head), bool(head))
        except Exception as error:  # a file that cannot be read further: half a message is out
            self.abort(NetworkError(f"a message failed in the middle: {error}", peer=self.peer), now)
            return -1
        if ended:
            self._sending.popleft()
        else:  # the time for a response does not run while a long message is being sent
            self._renew(now)
        self.connection.send(buffers, now)
        return added + len(head)

    def _take_parts(
        self, number: int, parts: Iterator[Buffer], buffers: list[Buffer], most: int, begins: bool
    ) -> tuple[bool, int]:
        """Buffers of the data set's next parts; whether it ended, and how many bytes they are."""
        assert self._exchange is not None
        size = 0
        held = self._held
        if begins:
            held = next(parts, None)
            if held is None:
                return True, 0
        while held is not None:
            following = next(parts, None)
            if following is not None and len(held) & 1:  # fragments are even (PS3.8 E.2)
                held = bytes(held) + bytes(following)
                continue
            buffers += self._exchange.part(number, held, following is None)
            size += len(held)
            held = following
            if size >= most:
                break
        self._held = held
        return held is None, size

    # -- what happened

    def handle(self, events: Sequence[Event], now: float) -> None:
        """Take the events of the connection."""
        for event in events:
            if isinstance(event, Data):
                if self.failure is None:  # what came behind a fault is not looked at
                    self._data(event, now)
            elif isinstance(event, Aborted):
                self.fail(AssociationAborted(event.why, source=event.source, reason=event.reason, peer=self.peer))
            elif isinstance(event, Rejected):
                self.fail(rejection(event.reject, self.peer))
            elif isinstance(event, ReleaseAsked):
                self._release_asked(now)
            elif isinstance(event, ReleaseAnswered):
                self.is_released = True
                self._release_asked(now)
            else:
                self.associating(event, now)

    def associating(self, event: Requested | Accepted, now: float) -> None:
        """An answer or a request for the association itself, which a face takes."""
        raise NotImplementedError

    def _release_asked(self, now: float) -> None:
        state = self.connection.state
        if state in (State.AWAITING_LOCAL_RELEASE, State.COLLISION_REQUESTOR, State.COLLISION_ACCEPTOR_LAST):
            if state == State.AWAITING_LOCAL_RELEASE:
                self._send_ready(now)
            self.connection.answer_release(now)
            error = AssociationAborted("the peer released the association", peer=self.peer)
            if self._operations or self._outstanding:
                self.fail(error)
            self.is_released = True
        if self._exchange is not None:  # a message that has begun will not be complete
            self._exchange.end()

    def _send_ready(self, now: float) -> None:
        """Send what has been answered before the peer's wish to release is (PS3.8 9.2.3, AR-7)."""
        while self._sending and self._sending[0][1] is None:
            self.connection.send((self._sending.popleft()[2],), now)

    def _data(self, event: Data, now: float) -> None:
        assert self._exchange is not None
        try:
            for message in self._exchange.take(event):
                self._message(message, now)
        except ProtocolError as error:
            self.abort(AssociationAborted(f"the peer broke the protocol: {error}", peer=self.peer), now)
        self.rest(now)

    def _message(self, message: Message, now: float) -> None:
        command = message.command
        if not command.is_response:
            if self._serve is None:
                raise ProtocolError(f"a request {command.kind:04X} came where none is served")
            self._serve(message)
            return
        identifier = command.get(RESPONDED_TO)
        found = self._outstanding.get(identifier) if isinstance(identifier, int) else None
        if found is None or not isinstance(identifier, int):
            raise ProtocolError(f"a response to message {identifier}, which is not outstanding")
        operation = found.operation
        if STATUS not in command:
            raise ProtocolError("a response has no status")
        try:
            is_last = operation.answered(message, found.token)
        except Exception as error:  # a data set that cannot be read
            operation.fail(error)
            is_last = command.get(Field.STATUS) not in (0xFF00, 0xFF01)
        if is_last:
            del self._outstanding[identifier]
            if operation.is_done and operation in self._operations:
                self._operations.remove(operation)
        else:
            found.until = self._until(operation, now)

    # -- the end

    def abort(self, error: NetworkError, now: float, *, source: int = SERVICE_PROVIDER) -> None:
        """End the association at once; everything outstanding fails with `error`."""
        self.connection.abort(now, source=source, reason=UNEXPECTED_PARAMETER if source == SERVICE_PROVIDER else 0)
        self.fail(error)

    def release(self, now: float) -> None:
        """Ask for the end of the association; `is_released` tells when the peer has agreed."""
        self.connection.release(now)

    # -- time

    @property
    def deadline(self) -> float | None:
        """When `expire` is to be called, or None."""
        earliest = self.connection.deadline
        for one in self._outstanding.values():
            if one.until is not None and (earliest is None or one.until < earliest):
                earliest = one.until
        idle = None if self._outstanding else self._idle
        if idle is not None and (earliest is None or idle < earliest) and self.is_open:
            return idle
        return earliest

    def expire(self, now: float) -> None:
        """Do what is due at this time."""
        self.handle(self.connection.expire(now), now)
        for one in list(self._outstanding.values()):
            if one.until is not None and now >= one.until:
                wait = one.operation.wait
                seconds = getattr(self.timeouts, wait)
                self.abort(NetworkTimeout(f"no response in {seconds:g} s (Timeouts.{wait})", peer=self.peer), now)
                return
        if self._idle is not None and now >= self._idle and not self._outstanding and self.is_open:
            self.idled(now)

    def idled(self, now: float) -> None:
        """Nothing was outstanding for too long: the requestor releases, the acceptor aborts."""
        if self.connection.is_acceptor:
            self.abort(NetworkTimeout("nothing came for too long (Timeouts.idle)", peer=self.peer), now, source=0)
        else:
            self._idle = None
            self.release(now)


def _answer_to(command: Command, status: int) -> dict[int, Any]:
    """The command set of a response."""
    return {
        Field.COMMAND: command.get(Field.COMMAND, 0) | 0x8000,
        Field.RESPONDED_TO: command.get(Field.MESSAGE_ID, 0),
        Field.AFFECTED_SOP_CLASS: command.get(Field.AFFECTED_SOP_CLASS) or command.get(Field.REQUESTED_SOP_CLASS),
        Field.AFFECTED_SOP_INSTANCE: command.get(Field.AFFECTED_SOP_INSTANCE)
        or command.get(Field.REQUESTED_SOP_INSTANCE),
        Field.STATUS: status,
    }


def rejection(reject: Reject, peer: str) -> AssociationRejected:
    """The exception for an A-ASSOCIATE-RJ."""
    why = REJECTIONS.get((reject.source, reject.reason), f"source {reject.source}, reason {reject.reason}")
    kind = "for now" if reject.result == 2 else "for good"
    return AssociationRejected(
        f"the association was rejected {kind}: {why}",
        result=reject.result,
        source=reject.source,
        reason=reject.reason,
        peer=peer,
    )


def windows(offered: tuple[int, int] | None, answered: tuple[int, int] | None, limits: NetLimits) -> tuple[int, int]:
    """How many operations the requestor may invoke and perform; 0 is unlimited, and is cut to the limits."""
    if offered is None or answered is None:
        return 1, 1
    return tuple(
        min(most, *(value or most for value in (own, theirs)))
        for own, theirs, most in zip(offered, answered, (limits.invoking, limits.performing), strict=True)
    )  # type: ignore[return-value]
