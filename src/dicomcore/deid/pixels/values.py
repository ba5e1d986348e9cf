"""Value Fields of pixel data that are put together from stretches of the source and of what was made anew."""

from __future__ import annotations

import tempfile
import threading
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from dicomcore.pixels.value_field import ValueField

__all__ = ["CHUNK", "Joined", "NewValue", "Spool", "Stretch"]

CHUNK = 1 << 20
IN_MEMORY = 8 << 20


class Stretch(NamedTuple):
    """Bytes of the source's Value Field that stay as they are."""

    offset: int
    length: int


class Spool:
    """What was made anew: in memory while it is little, then in a file without a name."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self._lock = threading.Lock()
        self._size = 0

    def add(self, data: bytes) -> tuple[int, int]:
        """Append bytes; returns their offset and length."""
        with self._lock:
            self._file.seek(self._size)
            self._file.write(data)
            self._size += len(data)
            return self._size - len(data), len(data)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes that were added."""
        with self._lock:
            self._file.seek(offset)
            return self._file.read(length)


class NewValue:
    """The Value Field of cleaned pixel data, read as often as needed, in pieces.

    Of encapsulated pixel data it begins with the Basic Offset Table's item and ends before the Sequence Delimitation
    Item; its length is undefined in the file.
    """

    def __init__(self, source: ValueField, size: int, vr: str, *, is_encapsulated: bool) -> None:
        self.source = source
        self.size = size
        self.vr = vr
        self.is_encapsulated = is_encapsulated

    def parts(self) -> Iterator[Stretch | bytes]:
        """The value in order: bytes, and stretches of the source's Value Field."""
        raise NotImplementedError

    def read(self, offset: int, length: int) -> memoryview:
        """Bytes of the value."""
        raise NotImplementedError

    def pieces(self) -> Iterator[memoryview]:
        """The value in pieces of at most a megabyte or so."""
        for part in self.parts():
            if isinstance(part, Stretch):
                for at in range(0, part.length, CHUNK):
                    yield self.source.read(part.offset + at, min(CHUNK, part.length - at))
            else:
                yield memoryview(part)

    def whole(self) -> bytes:
        """The value in one piece, for data sets in memory."""
        return b"".join(self.pieces())

    def field(self) -> ValueField:
        """The value as frames are read from it."""
        return ValueField(self.read, self.size, source=self)


class Joined(NewValue):
    """A value of parts whose lengths are known: bytes, stretches of the source, (offset, length) in a spool."""

    def __init__(self, source: ValueField, parts: list[Any], spool: Spool, vr: str) -> None:
        self.items, self.spool = parts, spool
        self._starts, at = [], 0
        for part in parts:
            self._starts.append(at)
            at += len(part) if isinstance(part, bytes) else part[1]
        super().__init__(source, at, vr, is_encapsulated=True)

    def parts(self) -> Iterator[Stretch | bytes]:
        """See `NewValue.parts`."""
        for part in self.items:
            if isinstance(part, (bytes, Stretch)):
                yield part
            else:
                for at in range(0, part[1], CHUNK):
                    yield self.spool.read(part[0] + at, min(CHUNK, part[1] - at))

    def read(self, offset: int, length: int) -> memoryview:
        """See `NewValue.read`."""
        found, at = bytearray(), bisect_right(self._starts, offset) - 1
        while len(found) < length and 0 <= at < len(self.items):
            part, start = self.items[at], offset + len(found) - self._starts[at]
            wanted = length - len(found)
            if isinstance(part, bytes):
                found += part[start : start + wanted]
            elif isinstance(part, Stretch):
                found += self.source.read(part.offset + start, min(wanted, part.length - start))
            else:
                found += self.spool.read(part[0] + start, min(wanted, part[1] - start))
            at += 1
        return memoryview(found)
