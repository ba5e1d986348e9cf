"""Exchange: DIMSE messages over the fragments of a connection (PS3.7 6.3, 8; PS3.8 Annex E).

A message goes out as one list of buffers, and comes in fragment by fragment into a sink that is chosen when its command
set is there. Messages of one direction are never interleaved.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.errors import LimitError, ParseError
from dicomcore.net.commands import DATA_SET, NO_DATA_SET, Command, Field, decode, encode
from dicomcore.net.connection import Data
from dicomcore.net.limits import DEFAULT_NET_LIMITS, NetLimits
from dicomcore.net.sinks import MemorySink, Sink

if TYPE_CHECKING:
    from dicomcore._native.net.fragments import Fragment

__all__ = ["Context", "Exchange", "Message", "ProtocolError"]

Buffer = bytes | bytearray | memoryview

COMMAND, LAST = 1, 2  # bits of the message control header (PS3.8 E.2)
OVERHEAD = 6  # bytes of a presentation data value in front of its fragment
HEADERS = struct.Struct(">BxIIBB")  # of a P-DATA-TF PDU and of its presentation data value
SMALLEST = 16  # a peer that accepts less of a PDU cannot be talked to


class ProtocolError(ParseError):
    """The peer broke the rules of the message exchange: the association cannot go on."""


class Context(NamedTuple):
    """A presentation context that both sides agreed on. `as_scu` and `as_scp` are the roles of this side."""

    number: int
    abstract_syntax: str
    transfer_syntax: str
    as_scu: bool = True
    as_scp: bool = False


class Message(NamedTuple):
    """A message that has arrived. `data` is what its sink made of the data set: bytes, as a rule; None if it has none.

    `failure` is set if the data set could not be taken.
    """

    context: Context
    command: Command
    data: Any = None
    failure: Exception | None = None


class Exchange:
    """Messages of one association. `sink_for` chooses where the data set of a command goes; by default to memory.

    `whole_for` may take a data set whose fragments are all here, and gives what becomes the message's `data`; None
    leaves it to a sink.
    """

    def __init__(
        self,
        contexts: Mapping[int, Context],
        *,
        peer_maximum: int = 0,
        limits: NetLimits = DEFAULT_NET_LIMITS,
        sink_for: Callable[[Context, Command], Sink | None] | None = None,
        whole_for: Callable[[Context, Command, memoryview, list[Fragment]], Any] | None = None,
    ) -> None:
        self.contexts, self.limits = contexts, limits
        longest = min(peer_maximum or limits.longest_pdu, limits.longest_pdu)
        if longest < SMALLEST:
            raise ProtocolError(f"the peer accepts PDUs of {peer_maximum} bytes, which hold no message")
        self.fragment = (longest - OVERHEAD) & ~1  # even, as PS3.8 E.2 wants it
        self._sink_for, self._whole_for = sink_for, whole_for
        self._pending = bytearray()  # of a command set
        self._number = 0  # the context of the message that is arriving, 0: none
        self._command: Command | None = None
        self._sink: Sink | None = None
        self._failure: Exception | None = None

    # -- out

    def head(self, number: int, values: dict[int, Any], has_data: bool) -> bytes:
        """The PDUs of a command set."""
        values[Field.DATA_SET_TYPE] = DATA_SET if has_data else NO_DATA_SET
        data = encode(values)
        if len(data) <= self.fragment:
            return HEADERS.pack(4, len(data) + OVERHEAD, len(data) + 2, number, COMMAND | LAST) + data
        return b"".join(map(bytes, self._fragments(number, memoryview(data), COMMAND, True)))

    def message(self, number: int, values: dict[int, Any], data: Buffer | None = None) -> list[Buffer]:
        """The buffers of a message whose data set is in memory, which are sent in one go."""
        out: list[Buffer] = [self.head(number, values, data is not None)]
        if data is not None:
            out += self._fragments(number, memoryview(data).cast("B"), 0, True)
        return out

    def messages(self, number: int, values: dict[int, Any], data: Iterable[bytes]) -> bytes:
        """The bytes of messages with the same command set and a data set each."""
        head = self.head(number, values, True)
        out: list[Buffer] = []
        for one in data:
            out.append(head)
            size = len(one)
            if size <= self.fragment:
                out += HEADERS.pack(4, size + OVERHEAD, size + 2, number, LAST), one
            else:
                out += self._fragments(number, memoryview(one), 0, True)
        return b"".join(out)

    def part(self, number: int, data: Buffer, is_last: bool) -> list[Buffer]:
        """The buffers of a part of a data set, which has an even number of bytes unless it is the last."""
        size = len(data)
        if 0 < size <= self.fragment:
            return [
                HEADERS.pack(4, size + OVERHEAD, size + 2, number, LAST if is_last else 0),
                data,
            ]
        return list(self._fragments(number, memoryview(data).cast("B"), 0, is_last))

    def _fragments(self, number: int, data: memoryview, control: int, is_last: bool) -> Iterator[Buffer]:
        size = data.nbytes
        for begin in range(0, max(size, 1), self.fragment):
            length = min(self.fragment, size - begin)
            ends = LAST if is_last and begin + length == size else 0
            yield HEADERS.pack(4, length + OVERHEAD, length + 2, number, control | ends)
            if length:
                yield data[begin : begin + length]

    # -- in

    def take(self, event: Data) -> Iterator[Message]:
        """Each message that fragments complete. ProtocolError behind them if the peer breaks the rules."""
        run: list[Fragment] = []  # fragments of one data set, which go to its sink together
        passed = 0  # fragments up to here are taken
        for at, fragment in enumerate(event.fragments):
            if at < passed:
                continue
            number, control, offset, length = fragment
            if number != self._number or not number:  # 0 is no number of a context
                if self._number:
                    raise ProtocolError("a message was interrupted by one of another presentation context")
                if number not in self.contexts:
                    raise ProtocolError(f"presentation context {number} was not accepted")
                self._number = number
            if control & COMMAND:
                if self._command is not None:
                    raise ProtocolError("a command set came where the data set of the one before was due")
                if len(self._pending) + length > self.limits.command_bytes:
                    raise ProtocolError(f"a command set of more than {self.limits.command_bytes} bytes")
                if not control & LAST:
                    self._pending += event.data[offset : offset + length]
                    continue
                data = bytes(event.data[offset : offset + length])
                if self._pending:
                    data = bytes(self._pending) + data
                    self._pending = bytearray()
                message, passed = self._commanded(data, event, at + 1)
                if message is not None:
                    yield message
                continue
            if self._command is None:
                raise ProtocolError("a data set came without a command set")
            run.append(fragment)
            if control & LAST:
                self._write(event.data, run)
                run = []
                yield self._arrived()
        self._write(event.data, run)

    def _commanded(self, data: bytes, event: Data, following: int) -> tuple[Message | None, int]:
        """A command set is complete; the message too if it has no data set, or one that is here and taken as a whole.

        Also gives the place of the fragment behind it.
        """
        context = self.contexts[self._number]
        try:
            command = decode(data, self.limits)
        except ParseError as error:
            raise ProtocolError(f"a command set cannot be read: {error}") from None
        if not command.has_data_set:
            self._number = 0
            return Message(context, command), following
        if self._whole_for is not None:
            run = _whole(event.fragments, following, self._number)
            if run and (taken := self._whole_for(context, command, event.data, run)) is not None:
                self._number = 0
                return Message(context, command, taken), following + len(run)
        self._command, self._failure = command, None
        try:
            self._sink = self._sink_for(context, command) if self._sink_for else None
        except (LimitError, OSError) as error:  # no file can be begun: the data set is passed over
            self._failure = error
        if self._sink is None:
            self._sink = MemorySink(self.limits.identifier_bytes)
        return None, following

    def _write(self, data: memoryview, run: list[Fragment]) -> None:
        if not run or self._sink is None or self._failure is not None:
            return
        try:
            self._sink.write(data, run)
        except (LimitError, OSError) as error:
            self._failure = error
            self._sink.abort()

    def _arrived(self) -> Message:
        context, command, sink = self.contexts[self._number], self._command, self._sink
        assert command is not None
        assert sink is not None
        self._number, self._command, self._sink = 0, None, None
        if self._failure is not None:
            return Message(context, command, None, self._failure)
        return Message(context, command, sink.finish())

    @property
    def is_between(self) -> bool:
        """Whether no message has come in part."""
        return not self._number and not self._pending

    def end(self) -> None:
        """The association has ended: what has come in part is given up."""
        if self._sink is not None and self._failure is None:
            self._sink.abort()
        self._sink = self._command = None
        self._number = 0
        self._pending.clear()


def _whole(fragments: list[Fragment], start: int, number: int) -> list[Fragment]:
    """The fragments of a data set from `start` on, if all are here; none if one of something else is between."""
    for stop in range(start, len(fragments)):
        one = fragments[stop]
        if one[0] != number or one[1] & COMMAND:
            return []
        if one[1] & LAST:
            return fragments[start : stop + 1]
    return []
