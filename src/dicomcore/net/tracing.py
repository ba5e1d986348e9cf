"""What captured packets say: associations and messages, without the values of patients unless they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from dicomcore._native.net.fragments import Fragments
from dicomcore.dictionary import keyword_for_tag
from dicomcore.encoding import decode
from dicomcore.errors import DicomError, ParseError
from dicomcore.limits import Limits
from dicomcore.net.captures import Flow, Segment, segments
from dicomcore.net.commands import Command, Field, Kind
from dicomcore.net.commands import decode as decode_command
from dicomcore.net.contexts import agreed
from dicomcore.net.exchange import COMMAND, LAST, Context
from dicomcore.net.items import Answer, UserInformation
from dicomcore.net.limits import DEFAULT_NET_LIMITS
from dicomcore.net.pdu import ABORT, DATA, REQUEST, Abort, Accept, Reject, Released, Request, decode_pdu
from dicomcore.net.session import REJECTIONS
from dicomcore.net.statuses import Status
from dicomcore.uids import UID

__all__ = ["trace"]

MOST_CONNECTIONS = 4096  # whose ends were not captured; beyond it the oldest are forgotten
MOST_DATA = 1 << 20  # bytes of a data set that is shown
LONGEST = 0xFFFFFFFF  # nothing of a P-DATA-TF is kept
HEADER = 6
HIDDEN = frozenset(
    {Field.GROUP_LENGTH, Field.DATA_SET_TYPE, Field.ERROR_COMMENT, Field.AFFECTED_SOP_INSTANCE,
     Field.REQUESTED_SOP_INSTANCE, Field.COMMAND, Field.MESSAGE_ID, Field.RESPONDED_TO, Field.STATUS}
)  # fmt: skip
SHOWN = frozenset({Field.ERROR_COMMENT, Field.AFFECTED_SOP_INSTANCE, Field.REQUESTED_SOP_INSTANCE})

Fact = dict[str, Any]


def trace(path: str | os.PathLike[str], *, values: bool = False, limits: Limits | None = None) -> Iterator[Fact]:
    """What a capture (pcap, pcapng) has of DICOM: a dictionary for each PDU of an association and each message.

    Parameters
    ----------
    path : path
        The capture. It needs dpkt, which ``pip install dicomcore[trace]`` brings.
    values : bool
        Also give what may tell of patients: UIDs of instances, comments, and data sets of up to 1 MiB.
    limits : Limits, optional
        Bounds on data sets that are decoded.

    Yields
    ------
    dict
        Each has ``time``, ``connection`` (a number), ``source``, ``target`` and ``what``, such as
        ``"A-ASSOCIATE-RQ"`` or ``"C-STORE-RQ"``; ``error`` where something cannot be read. They can be written as JSON,
        but for ``data_set``, which is a Dataset.

    Raises
    ------
    ParseError
        The file is no capture.
    ModuleNotFoundError
        dpkt is not installed.
    """
    known: dict[tuple[str, str], _Connection] = {}
    count = 0
    for segment in segments(path):
        ends = min(segment.source, segment.target), max(segment.source, segment.target)
        connection = known.get(ends)
        if connection is None or (segment.is_first and connection.has_data):
            if not (segment.data or segment.is_first):
                continue
            count += 1
            known.pop(ends, None)
            connection = known[ends] = _Connection(count, values, limits)
            if len(known) > MOST_CONNECTIONS:
                del known[next(iter(known))]
        yield from connection.take(segment)


class _Connection:
    """Both directions of a TCP connection."""

    def __init__(self, number: int, values: bool, limits: Limits | None) -> None:
        self.number, self.values, self.limits = number, values, limits
        self.contexts: dict[int, Context] = {}
        self.request: Request | None = None
        self.asked: dict[tuple[str, int], float] = {}  # when a request came, by its sender and message ID
        self._sides: dict[str, _Side] = {}

    @property
    def has_data(self) -> bool:
        """Whether any bytes came."""
        return any(side.has_data for side in self._sides.values())

    def take(self, segment: Segment) -> Iterator[Fact]:
        """What a segment completes."""
        side = self._sides.get(segment.source)
        if side is None:
            side = self._sides[segment.source] = _Side(self, segment.source, segment.target)
        yield from side.take(segment)


class _Side:
    """One direction: PDUs, and the messages in them."""

    def __init__(self, connection: _Connection, source: str, target: str) -> None:
        self._connection, self._source, self._target = connection, source, target
        self._flow, self._fragments, self._bytes = Flow(), Fragments(), bytearray()
        self._is_over = self.has_data = False
        self._number = self._size = 0
        self._pending, self._data = bytearray(), bytearray()
        self._command: Command | None = None
        self._time = 0.0

    def _fact(self, what: str, **more: Any) -> Fact:
        return {
            "time": self._time,
            "connection": self._connection.number,
            "source": self._source,
            "target": self._target,
            "what": what,
            **{name: value for name, value in more.items() if value is not None},
        }

    def _fault(self, why: str) -> Fact:
        self._is_over = True
        return self._fact("unreadable", error=why)

    def take(self, segment: Segment) -> Iterator[Fact]:
        """What a segment completes."""
        self._time = segment.time
        data = self._flow.take(segment)
        if self._is_over:
            return
        if self._flow.is_broken:
            yield self._fault("bytes are missing in the capture; what follows in this direction is not read")
        elif data:
            is_first, self.has_data = not self.has_data, True
            self._bytes += data
            if is_first and not 1 <= self._bytes[0] <= ABORT:  # another protocol, or a capture from the middle of a PDU
                self._is_over = True
                if self._bytes[:2] == b"\x16\x03":
                    yield self._fact("TLS", error="it is encrypted")
            else:
                yield from self._pdus()

    def _pdus(self) -> Iterator[Fact]:
        held = self._bytes
        while held and not self._is_over:
            if self._fragments.is_inside or held[0] == DATA:
                at, found, fault = self._fragments.scan(bytes(held), 0, len(held), LONGEST)
                for number, control, offset, length in found:
                    yield from self._fragment(number, control, held[offset : offset + length])
                if fault >= 0:
                    yield self._fault("a presentation data value has a length that lies")
                del held[:at]
                if at == 0:
                    return
                continue
            if len(held) < HEADER:
                return
            kind, length = held[0], int.from_bytes(held[2:HEADER], "big")
            if not 1 <= kind <= ABORT or length > DEFAULT_NET_LIMITS.associate_pdu:
                yield self._fault(f"{kind:#04x} with {length} bytes is no PDU")
                return
            if len(held) < HEADER + length:
                return
            yield self._pdu(kind, bytes(held[HEADER : HEADER + length]))
            del held[: HEADER + length]

    def _pdu(self, kind: int, body: bytes) -> Fact:
        name = ("A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "A-ASSOCIATE-RJ", "", "A-RELEASE-RQ", "A-RELEASE-RP", "A-ABORT")
        what = name[kind - REQUEST]
        try:
            pdu, issues = decode_pdu(kind, body)
        except ParseError as error:
            return self._fact(what, error=str(error))
        noted = [str(issue) for issue in issues] or None
        if isinstance(pdu, Request):
            self._connection.request = pdu
            return self._fact(what, **_request(pdu, self._connection.values), issues=noted)
        if isinstance(pdu, Accept):
            return self._fact(what, **self._accepted(pdu), issues=noted)
        if isinstance(pdu, Reject):
            why = REJECTIONS.get((pdu.source, pdu.reason))
            return self._fact(what, result=pdu.result, origin=pdu.source, reason=pdu.reason, meaning=why)
        if isinstance(pdu, Abort):
            return self._fact(what, origin=pdu.source, reason=pdu.reason)
        assert isinstance(pdu, Released) or what
        return self._fact(what, issues=noted)

    def _accepted(self, accept: Accept) -> Fact:
        connection = self._connection
        if connection.request is not None:
            connection.contexts = agreed(connection.request, accept)
        contexts = [
            {"number": one.number, "transfer_syntax": _name(one.transfer_syntax)}
            if one.result == Answer.ACCEPTED
            else {"number": one.number, "rejected": one.result}
            for one in accept.contexts
        ]
        return {**_user(accept.user), "contexts": contexts}

    # -- messages

    def _fragment(self, number: int, control: int, data: bytearray) -> Iterator[Fact]:
        if self._number and number != self._number:
            yield self._fault("a message was interrupted by one of another presentation context")
            return
        self._number = number
        if control & COMMAND:
            self._pending += data
            if len(self._pending) > DEFAULT_NET_LIMITS.command_bytes:
                yield self._fault("a command set is too long")
            elif control & LAST:
                yield from self._commanded()
            return
        self._size += len(data)
        if self._connection.values and self._size <= MOST_DATA:
            self._data += data
        if control & LAST:
            yield self._message()

    def _commanded(self) -> Iterator[Fact]:
        data, self._pending = bytes(self._pending), bytearray()
        try:
            self._command = decode_command(data)
        except ParseError as error:
            yield self._fault(f"a command set cannot be read: {error}")
            return
        if not self._command.has_data_set:
            yield self._message()

    def _message(self) -> Fact:
        command, number, size = self._command or Command(), self._number, self._size
        data, self._data = bytes(self._data), bytearray()
        self._command, self._number, self._size = None, 0, 0
        context = self._connection.contexts.get(number)
        values = self._connection.values
        kind = "response" if command.is_response else "request"
        with suppress(ValueError):
            kind = Kind(command.kind).name.replace("_", "-") + ("-RSP" if command.is_response else "-RQ")
        status = command.get(Field.STATUS)
        shown = {
            keyword_for_tag(tag) or f"{tag:04X}": _plain(tag, value)
            for tag, value in command.items()
            if tag not in HIDDEN or (values and tag in SHOWN)
        }
        return self._fact(
            kind,
            context=number,
            transfer_syntax=_name(context.transfer_syntax) if context else None,
            message=command.get(Field.RESPONDED_TO if command.is_response else Field.MESSAGE_ID),
            status=status,
            meaning=Status(status).text if status is not None else None,
            seconds=self._took(command),
            data_set_bytes=size or None,
            command=shown or None,
            data_set=self._shown(data, size, context) if values and size else None,
        )

    def _took(self, command: Command) -> float | None:
        """Seconds since the request that a response answers."""
        asked = self._connection.asked
        if not command.is_response:
            asked[self._source, command.get(Field.MESSAGE_ID, 0)] = self._time
            return None
        since = asked.get((self._target, command.get(Field.RESPONDED_TO, 0)))
        return None if since is None else round(self._time - since, 6)

    def _shown(self, data: bytes, size: int, context: Context | None) -> Any:
        if context is None or size > MOST_DATA:
            return None
        try:
            return decode(data, context.transfer_syntax, limits=self._connection.limits)
        except DicomError:
            return None


def _name(uid: str) -> str:
    return UID(uid).name or uid


def _plain(tag: int, value: Any) -> Any:
    """A value of a command set as JSON has it; SOP classes by their names."""
    if tag in (Field.AFFECTED_SOP_CLASS, Field.REQUESTED_SOP_CLASS):
        return _name(str(value))
    if isinstance(value, tuple):
        return [f"{one >> 16:04X},{one & 0xFFFF:04X}" for one in value]
    return value.hex() if isinstance(value, bytes) else value


def _user(user: UserInformation) -> Fact:
    return {
        "maximum_length": user.maximum_length,
        "implementation": user.implementation_version_name or user.implementation_class_uid,
        "window": list(user.window) if user.window else None,
    }


def _request(request: Request, values: bool) -> Fact:
    """What a requestor says. An identity's secret never is shown."""
    identity = request.user.identity
    return {
        "called": request.called,
        "calling": request.calling,
        **_user(request.user),
        "identity": None if identity is None else int(identity.kind),
        "contexts": [
            {
                "number": one.number,
                "abstract_syntax": _name(one.abstract_syntax),
                "transfer_syntaxes": [_name(uid) for uid in one.transfer_syntaxes],
            }
            for one in request.contexts
        ],
    }
