"""Where the data set of a message goes while it arrives: memory up to a bound, or a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from dicomcore.errors import LimitError

if TYPE_CHECKING:
    from dicomcore._native.net.fragments import Fragment

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
    """A data set written behind what a descriptor holds already; `done` and `failed` say what becomes of the file.

    A fault while writing (a full disk) is kept: the rest of the message is taken and dropped, and `finish` gives the
    fault to `failed`, so that the sender gets a status and the association goes on.
    """

    def __init__(
        self, file: int, *, done: Callable[[int], object], failed: Callable[[Exception], object], most: int
    ) -> None:
        self._file, self._done, self._failed, self._left = file, done, failed, most
        self.size = 0
        self.fault: Exception | None = None

    def write(self, data: memoryview, fragments: list[Fragment]) -> None:
        """Write fragments."""
        if self.fault is not None:
            return
        try:
            self._write([data[offset : offset + length] for _, _, offset, length in fragments if length])
        except (OSError, LimitError) as error:
            self.fault = error

    def _write(self, parts: list[memoryview]) -> None:
        wanted = sum(map(len, parts))
        if self.size + wanted > self._left:
            raise LimitError(f"a data set of more than {self._left} bytes is not taken")
        self.size += wanted
        if len(parts) == 1 or not hasattr(os, "writev"):
            for part in parts:
                write_whole(self._file, part)
            return
        for begin in range(0, len(parts), MOST_BUFFERS):
            some = parts[begin : begin + MOST_BUFFERS]
            written = os.writev(self._file, some)
            if written != sum(map(len, some)):
                write_whole(self._file, memoryview(b"".join(some))[written:])

    def finish(self) -> object:
        """What `done` makes of the file, or `failed` of the fault."""
        return self._done(self.size) if self.fault is None else self._failed(self.fault)

    def abort(self) -> None:
        """The message will not be complete."""
        self._failed(self.fault or LimitError("the message ended in the middle"))


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
