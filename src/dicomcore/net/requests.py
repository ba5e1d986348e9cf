"""Requests of a peer, as handlers of a server see them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dicomcore.dataset import Dataset
from dicomcore.encoding import decode
from dicomcore.errors import LimitError
from dicomcore.limits import Limits
from dicomcore.net.commands import Command, Field, Kind
from dicomcore.net.exchange import Context, Message
from dicomcore.net.sinks import write_whole
from dicomcore.net.storing import Stored, file_head
from dicomcore.part10.reader import dcmread
from dicomcore.uids import generate_uid

if TYPE_CHECKING:
    from dicomcore._native.net.fragments import Fragment
    from dicomcore.audit import Subject
    from dicomcore.net.reporting import Backchannel

__all__ = ["Failure", "Peer", "Request", "SpoolSink", "Spooled"]

IN_MEMORY = 1 << 20  # bytes of an instance that are kept in memory; a longer one goes to a temporary file


class Failure(Exception):
    """Raised by a handler to answer a status of failure, with a comment for the peer."""

    def __init__(self, status: int, comment: str = "") -> None:
        super().__init__(comment)
        self.status, self.comment = status, comment


class Peer:
    """The other side of an association: its address, AE titles, and its identity as far as it was checked."""

    def __init__(self, address: tuple[Any, ...], calling: str, called: str, principal: Any, number: int) -> None:
        self.host, self.port = str(address[0]), int(address[1])
        self.calling, self.called, self.principal, self.number = calling, called, principal, number
        self.extended: dict[str, bytes] = {}
        """What was agreed in extended negotiation, by SOP class (PS3.7 D.3.3.5)."""

    def __repr__(self) -> str:
        return f"<Peer {self.calling}@{self.host}:{self.port}, association {self.number}>"


class Spooled:
    """An instance that was received without a folder: in memory, or in a temporary file that goes with it."""

    def __init__(self, head: bytes, data: bytes | None, file: str | None) -> None:
        self._head, self._data, self._file = head, data, file

    @property
    def path(self) -> str:
        """A temporary file with the instance; move it to keep it."""
        if self._file is None:
            handle, self._file = tempfile.mkstemp(prefix="dicomcore-", suffix=".dcm")
            try:
                write_whole(handle, memoryview(self.whole()))
            finally:
                os.close(handle)
        return self._file

    def whole(self) -> bytes:
        """The bytes of the file."""
        assert self._data is not None
        return self._head + self._data

    def read(self, limits: Limits | None) -> Dataset:
        """The data set with its file meta information."""
        return dcmread(self.whole() if self._data is not None else self.path, limits=limits)

    def drop(self) -> None:
        """Remove the temporary file, unless it was moved."""
        if self._file is not None:
            with suppress(OSError):
                os.unlink(self._file)


class SpoolSink:
    """Takes an instance into memory, and from 1 MiB on into a temporary file."""

    def __init__(self, context: Context, command: Command, most: int, sender: str, receiver: str) -> None:
        self._head = file_head(
            command.get(Field.AFFECTED_SOP_CLASS) or "",
            command.get(Field.AFFECTED_SOP_INSTANCE) or "",
            context.transfer_syntax,
            sender,
            receiver,
        )
        self._held: bytearray | None = bytearray()
        self._most, self._size, self._file, self._path = most, 0, -1, ""

    def write(self, data: memoryview, fragments: list[Fragment]) -> None:
        """Take fragments; LimitError beyond the bound."""
        for _, _, offset, length in fragments:
            self._size += length
            if self._size > self._most:
                raise LimitError(f"a data set of more than {self._most} bytes is not taken")
            part = data[offset : offset + length]
            if self._held is not None and self._size <= IN_MEMORY:
                self._held += part
                continue
            if self._held is not None:
                self._file, self._path = tempfile.mkstemp(prefix="dicomcore-", suffix=".dcm")
                write_whole(self._file, memoryview(self._head + bytes(self._held)))
                self._held = None
            write_whole(self._file, part)

    def finish(self) -> Spooled:
        """The instance."""
        if self._held is not None:
            return Spooled(self._head, bytes(self._held), None)
        os.close(self._file)
        return Spooled(self._head, None, self._path)

    def abort(self) -> None:
        """Forget what came."""
        self._held = None
        if self._file != -1:
            os.close(self._file)
            self._file = -1
            with suppress(OSError):
                os.unlink(self._path)


class Request:
    """A request: its `command`, `context`, `peer`, and what it brings.

    `dataset` is read when it is first asked for: the identifier of a query, the instance of a C-STORE, the attributes
    of an N-CREATE. `is_cancelled` becomes True when the peer cancels it or has gone. `association` reports events to
    the peer over the association that the request came on; `response` takes elements of the command set of a DIMSE-N
    response by number, such as an Error Comment; functions in `afterwards` are called in a thread when the last
    response is on its way.
    """

    def __init__(self, message: Message, peer: Peer, limits: Limits | None) -> None:
        self.command, self.context, self.peer = message.command, message.context, peer
        self.is_cancelled = False
        self.meant: list[str] = []
        """The UIDs of the instances that a retrieval is to send, so that those that fail can be named."""
        self.settled: Callable[[set[str]], None] | None = None
        """Called after the sub-operations of a C-MOVE or C-GET with the UIDs of the instances that were stored."""
        self._data, self._limits = message.data, limits
        self.subject: Subject | None = None
        """Of a C-STORE that is audited: its study and patient."""
        self.action = "C"
        """What an audit trail is told of a C-STORE: the instance is created, updates another, or is merely read."""
        self.association: Backchannel | None = None
        self.response: dict[int, Any] = {}
        self.afterwards: list[Callable[[], object]] = []
        self._dataset: Dataset | None = None
        self._made = ""  # the UID of an instance that the peer leaves to this side

    def __repr__(self) -> str:
        return f"<Request {self.command!r} of {self.peer!r}>"

    @property
    def sop_class(self) -> str:
        """The SOP class that the request names."""
        found = self.command.get(Field.AFFECTED_SOP_CLASS) or self.command.get(Field.REQUESTED_SOP_CLASS)
        return found or self.context.abstract_syntax

    @property
    def sop_instance(self) -> str:
        """The SOP instance that the request names, "" if it names none.

        For an N-CREATE without one it is a new UID, which the response names (PS3.7 10.1.5.1.4).
        """
        found = self.command.get(Field.AFFECTED_SOP_INSTANCE) or self.command.get(Field.REQUESTED_SOP_INSTANCE)
        if not found and self.command.kind == Kind.N_CREATE:
            self._made = self._made or generate_uid()
        return found or self._made

    @property
    def dataset(self) -> Dataset:
        """The data set of the request; an empty one if it has none. DicomError if it cannot be read."""
        if self._dataset is None:
            self._dataset = self._read()
        return self._dataset

    def _read(self) -> Dataset:
        if isinstance(self._data, bytes):
            return decode(self._data, self.context.transfer_syntax, limits=self._limits)
        if isinstance(self._data, Spooled):
            return self._data.read(self._limits)
        if isinstance(self._data, Stored) and self._data.path is not None:
            return dcmread(self._data.path, limits=self._limits)
        return Dataset()

    @property
    def encoded(self) -> bytes:
        """The bytes of a data set that is no instance, such as the identifier of a query."""
        return self._data if isinstance(self._data, bytes) else b""

    @property
    def path(self) -> str | None:
        """The file of a C-STORE: its place in the server's folder, else a temporary one, which goes unless it is moved.

        None for other requests.
        """
        if isinstance(self._data, Spooled | Stored):
            return self._data.path
        return None
