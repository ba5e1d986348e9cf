"""Where the data set of a message goes while it arrives: memory up to a bound, or a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from dicomcore.errors import LimitError

if TYPE_CHECKING:
    from dicomcore._native.net.fragments import Fragment

Buffer = bytes | memoryview

__all__ = ["FileSink", "MemorySink", "Nowhere", "Sink", "no_space"]

MOST_BUFFERS = 512  # in one writev(); systems allow 1024


class Sink(Protocol):
    """Takes the fragments of one data set."""

    def write(self, data: memoryview, fragments: list[Fragment]) -> None:
        """Take fragments of `data`, which is valid during the call only."""

    def finish(self) -> object:
        """All is there: what the message's `data` becomes."""

    def abort(self) -> None:
        """No more will come: nothing of it may stay."""


class MemorySink:
    """A data set in memory; `finish` gives its bytes."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, bytearray()

    def write(self, data: memoryview, fragments: list[Fragment]) -> None:
        """Take fragments; LimitError beyond the bound."""
        for _, _, offset, length in fragments:
            if len(self._held) + length > self._most:
                raise LimitError(f"a data set of more than {self._most} bytes is not taken into memory")
            self._held += data[offset : offset + length]

    def finish(self) -> bytes:
        """The bytes of the data set."""
        return bytes(self._held)

    def abort(self) -> None:
        """Forget what came."""
        self._held.clear()


class Nowhere:
    """Takes a data set that nobody wants."""

    def write(self, data: memoryview, fragments: list[Fragment]) -> None:
        """Pass over fragments."""

    def finish(self) -> None:
        """There is nothing."""

    def abort(self) -> None:
        """There was nothing."""


class FileSink:
    """A data set written behind the `head` of a file; `done` and `failed` say what becomes of it.

    A fault while writing (a full disk) is kept: the rest of the message is taken and dropped, and `failed` gets it, so
    that the sender gets a status and the association goes on. Nothing is written before the first fragment is here, and
    the head goes out together with it.
    """

    def __init__(self, file: int, head: bytes, most: int) -> None:
        self.file, self._head, self._left = file, head, most
        self.size = 0
        self.fault: Exception | None = None

    def write(self, data: memoryview, fragments: list[Fragment]) -> None:
        """Write fragments."""
        if self.fault is not None:
            return
        try:
            if len(fragments) == 1:
                _, _, offset, length = fragments[0]
                self._write([data[offset : offset + length]], length)
            else:
                parts: list[Buffer] = [data[offset : offset + length] for _, _, offset, length in fragments if length]
                self._write(parts, sum(map(len, parts)))
        except (OSError, LimitError) as error:
            self.fault = error

    def _write(self, parts: list[Buffer], wanted: int) -> None:
        if self.size + wanted > self._left:
            raise LimitError(f"a data set of more than {self._left} bytes is not taken")
        self.size += wanted
        if self._head:
            wanted += len(self._head)
            parts, self._head = [self._head, *parts], b""
        if len(parts) == 1 or not hasattr(os, "writev"):
            for part in parts:
                write_whole(self.file, memoryview(part))
            return
        if len(parts) <= MOST_BUFFERS:
            written = os.writev(self.file, parts)
            if written == wanted:
                return
            parts = [memoryview(b"".join(parts))[written:]]
        for part in parts:
            write_whole(self.file, memoryview(part))

    def finish(self) -> object:
        """What `done` makes of the file, or `failed` of the fault."""
        try:
            if self.fault is None and self._head:
                self._write([], 0)
        except OSError as error:
            self.fault = error
        return self.done() if self.fault is None else self.failed(self.fault)

    def abort(self) -> None:
        """The message will not be complete."""
        self.failed(self.fault or LimitError("the message ended in the middle"))

    def done(self) -> object:
        """All is written."""
        raise NotImplementedError

    def failed(self, fault: Exception) -> object:
        """It could not be written, or is not complete: nothing of it may stay."""
        raise NotImplementedError


def write_whole(file: int, data: memoryview) -> None:
    """Write all bytes; OSError as write() raises it."""
    while data:
        data = data[os.write(file, data) :]


def no_space(folder: str, least: int) -> bool:
    """Whether a disk has less than `least` bytes left."""
    if not hasattr(os, "statvfs"):
        return False
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize < least
