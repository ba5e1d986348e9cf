"""A peer made of bytes: what it sends need not be DICOM. With a socket, or face to face with a session."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dicomcore.net.accepting import AcceptorSession, Offering
from dicomcore.net.commands import Command, Field, Kind, decode, encode
from dicomcore.net.exchange import Message
from dicomcore.net.items import ContextOffer, UserInformation
from dicomcore.net.pdu import Request, encode_pdu
from tests.support import dicom_bytes as raw

VERIFICATION, CT, STUDY_FIND = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.2.2.1"
IMPLICIT = "1.2.840.10008.1.2"
OFFERS = tuple(ContextOffer(number, uid, (IMPLICIT,)) for number, uid in ((1, VERIFICATION), (3, CT), (5, STUDY_FIND)))
USER = UserInformation(maximum_length=16384, implementation_class_uid="1.2.3")
ABORT = b"\7\0\0\0\0\4\0\0\0\0"
RELEASE = b"\5\0\0\0\0\4\0\0\0\0"
REJECTED, ACCEPTED, DATA, RELEASED, ABORTED = 3, 2, 4, 6, 7


def asking(
    called: str = "SERVER",
    calling: str = "PEER",
    offers: Iterable[ContextOffer] = OFFERS,
    user: UserInformation = USER,
    **other: Any,
) -> bytes:
    return encode_pdu(Request(called, calling, tuple(offers), user, **other))


def pdv(number: int, control: int, data: bytes) -> bytes:
    return struct.pack(">IBB", len(data) + 2, number, control) + data


def data_pdu(*values: bytes) -> bytes:
    body = b"".join(values)
    return struct.pack(">BxI", 4, len(body)) + body


def message(number: int, command: bytes | dict[int, Any], data: bytes | None = None) -> bytes:
    """A message in one PDU for the command set, and one for the data set."""
    if isinstance(command, dict):
        command = encode({Field.DATA_SET_TYPE: 0x0101 if data is None else 0, **command})
    found = data_pdu(pdv(number, 3, command))
    return found if data is None else found + data_pdu(pdv(number, 2, data))


def echo(identifier: int = 1, number: int = 1) -> bytes:
    return message(
        number, {Field.COMMAND: int(Kind.C_ECHO), Field.MESSAGE_ID: identifier, Field.AFFECTED_SOP_CLASS: VERIFICATION}
    )


def instance(uid: str = "1.2.3", sop_class: str = CT, study: str = "1.2", series: str = "1.2.1") -> bytes:
    """The smallest data set of an instance."""
    pairs = ((0x00080016, sop_class), (0x00080018, uid), (0x0020000D, study), (0x0020000E, series))
    return b"".join(raw.element(tag, None, padded(text)) for tag, text in pairs)


def padded(text: str) -> bytes:
    data = text.encode("latin-1")
    return data + b"\0" * (len(data) & 1)


def storing(uid: str = "1.2.3", identifier: int = 1, sop_class: str = CT) -> dict[int, Any]:
    return {
        Field.COMMAND: int(Kind.C_STORE),
        Field.MESSAGE_ID: identifier,
        Field.AFFECTED_SOP_CLASS: sop_class,
        Field.AFFECTED_SOP_INSTANCE: uid,
        Field.PRIORITY: 0,
    }


def finding(identifier: int = 1) -> dict[int, Any]:
    return {
        Field.COMMAND: int(Kind.C_FIND),
        Field.MESSAGE_ID: identifier,
        Field.AFFECTED_SOP_CLASS: STUDY_FIND,
        Field.PRIORITY: 0,
    }


KEYS = raw.element(0x00080052, None, b"STUDY ") + raw.element(0x00100010, None, b"")


def pdus(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Types and bodies of whole PDUs."""
    while len(data) >= 6:
        length = int.from_bytes(data[2:6], "big")
        yield data[0], data[6 : 6 + length]
        data = data[6 + length :]


def responses(data: bytes) -> list[Command]:
    """The command sets of messages."""
    found = []
    for kind, body in pdus(data):
        if kind == DATA and body[5] & 1:
            found.append(decode(body[6:]))
    return found


def statuses(data: bytes) -> list[int]:
    return [one.get(Field.STATUS, -1) for one in responses(data)]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


class Face:
    """A peer face to face with an acceptor's session, without sockets; `handled` are requests that it lets through."""

    def __init__(self, offering: Offering | None = None, request: bytes | None = None, **options: Any) -> None:
        self.handled: list[Message] = []
        made = offering or Offering(titles=frozenset(), **options)
        self.session = AcceptorSession(made, ("192.0.2.1", 104), 1, bytearray(1 << 16), self._handle)
        self.now = 0.0
        self.session.connection.accepted(self.now)
        if request is not None:
            self.answer = self.send(request)

    def _handle(self, session: AcceptorSession, message: Message) -> None:
        if message.command.kind == Kind.C_CANCEL:
            return
        self.handled.append(message)
        stored = session.stored(message)
        session.respond(message, 0 if stored is None else stored.status)

    def send(self, data: bytes) -> bytes:
        """Send, and what comes back."""
        session = self.session
        session.handle(session.connection.receive(data, self.now), self.now)
        return b"".join(map(bytes, session.take(self.now)))

    def close(self) -> None:
        self.session.handle(self.session.connection.closed(self.now), self.now)


class Peer:
    """A peer with a socket."""

    def __init__(self, port: int, request: bytes | None = None, *, host: str = "127.0.0.1", wait: float = 10) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), wait, source_address=(host, 0))
        self._held = b""
        if request is not None:
            self.send(request)
            self.answer = self.pdu()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _take(self, count: int) -> bytes:
        while len(self._held) < count:
            part = self.socket.recv(1 << 16)
            if not part:
                raise EOFError
            self._held += part
        found, self._held = self._held[:count], self._held[count:]
        return found

    def pdu(self) -> tuple[int, bytes]:
        """Type and body of the next PDU; EOFError if the connection was closed."""
        head = self._take(6)
        return head[0], self._take(int.from_bytes(head[2:], "big"))

    def status(self) -> int:
        """The status of the next response; that of an abort is -1."""
        while True:
            kind, body = self.pdu()
            if kind != DATA:
                return -1
            if body[5] & 1:
                return int(decode(body[6:]).get(Field.STATUS, -2))

    def rest(self) -> bytes:
        """Everything until the connection is closed."""
        found = self._held
        try:
            while part := self.socket.recv(1 << 16):
                found += part
        except ConnectionError:
            pass
        return found
