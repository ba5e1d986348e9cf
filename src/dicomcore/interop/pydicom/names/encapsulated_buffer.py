"""Encapsulated pixel data whose frames stay in their streams until they are read."""

from __future__ import annotations

import os
from bisect import bisect_right
from io import BufferedIOBase, BytesIO
from itertools import accumulate
from struct import pack
from typing import Any

from dicomcore.tags import ITEM_BYTES

__all__ = ["EncapsulatedBuffer", "_BufferedItem"]

ITEM_HEADER = 8
LONGEST = 2**32 - 2
CHUNK = 8192


class _BufferedItem:
    """An item whose value is what a stream holds, padded to an even length."""

    def __init__(self, buffer: BufferedIOBase) -> None:
        self.buffer = buffer
        self._size = _size_of(buffer)
        if self._size > LONGEST:
            raise ValueError(f"Buffers containing more than {LONGEST} bytes are not supported")
        self._padding = bool(self._size % 2)
        self.length = ITEM_HEADER + self._size + self._padding
        """Bytes of the item, its header included."""
        self._item = ITEM_BYTES + pack("<L", self._size + self._padding)

    def read(self, start: int, size: int) -> bytes:
        """The item's bytes from `start` on, at most `size`; the stream keeps its position."""
        if not 0 <= start < self.length:
            raise ValueError(f"Invalid 'start' value '{start}', must be in the closed interval [0, {self.length - 1}]")
        stop = min(start + size, self.length)
        found = bytearray(self._item[start:stop])
        while len(found) < stop - start:
            place = start + len(found) - ITEM_HEADER
            more = b"\0" if place == self._size else self._value(place, stop - start - len(found))
            if not more:
                break
            found += more
        return bytes(found)

    def _value(self, place: int, size: int) -> bytes:
        before = self.buffer.tell()
        try:
            self.buffer.seek(place)
            return self.buffer.read(min(size, self._size - place))
        finally:
            self.buffer.seek(before)


def _size_of(buffer: Any) -> int:
    before = buffer.tell()
    buffer.seek(0, os.SEEK_END)
    size: int = buffer.tell()
    buffer.seek(before)
    return size


class EncapsulatedBuffer(BufferedIOBase):
    """A stream of encapsulated pixel data: a Basic Offset Table, then an item for each of `buffers`, a frame each.

    Parameters
    ----------
    buffers : list of io.BufferedIOBase
        The frames' codestreams.
    use_bot : bool
        Whether the Basic Offset Table has offsets.
    """

    def __init__(self, buffers: list[BufferedIOBase], use_bot: bool = False) -> None:
        if not isinstance(buffers, list):
            raise TypeError("'buffers' must be a list of objects that inherit from 'io.BufferedIOBase'")
        self._items = [_BufferedItem(buffer) for buffer in buffers]
        self._use_bot = use_bot
        self._offset = 0
        self._parts = [_BufferedItem(BytesIO(self.basic_offset_table[ITEM_HEADER:])), *self._items]
        self._starts = [0, *accumulate(part.length for part in self._parts)]

    @property
    def basic_offset_table(self) -> bytes:
        """The item of the Basic Offset Table."""
        offsets = self.offsets if self._use_bot else []
        return ITEM_BYTES + pack(f"<L{len(offsets)}L", 4 * len(offsets), *offsets)

    @property
    def closed(self) -> bool:
        """Whether one of the streams is closed."""
        return any(item.buffer.closed for item in self._items)

    @property
    def encapsulated_length(self) -> int:
        """The number of bytes, without a sequence delimiter."""
        return self._starts[-1]

    @property
    def extended_lengths(self) -> bytes:
        """The value of Extended Offset Table Lengths."""
        return pack(f"<{len(self._items)}Q", *(length - ITEM_HEADER for length in self.lengths))

    @property
    def extended_offsets(self) -> bytes:
        """The value of Extended Offset Table."""
        return pack(f"<{len(self._items)}Q", *self.offsets)

    @property
    def lengths(self) -> list[int]:
        """The bytes of each frame's item, its header included."""
        return [item.length for item in self._items]

    @property
    def offsets(self) -> list[int]:
        """The offset of each frame's item, from the first one."""
        return [0, *accumulate(self.lengths)][: len(self._items)]

    def read(self, size: int | None = CHUNK, /) -> bytes:
        """Read at most `size` bytes; None reads the rest."""
        wanted = self.encapsulated_length if size is None else size
        found = bytearray()
        while len(found) < wanted and self._offset < self.encapsulated_length:
            number = bisect_right(self._starts, self._offset) - 1
            more = self._parts[number].read(self._offset - self._starts[number], wanted - len(found))
            if not more:
                break
            self._offset += len(more)
            found += more
        return bytes(found)

    def readable(self) -> bool:
        """Whether all streams can be read."""
        return all(item.buffer.readable() for item in self._items)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Set the position, which may lie beyond the end; one before the beginning becomes 0, except in SEEK_SET."""
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._offset, os.SEEK_END: self.encapsulated_length}
        if whence not in origins:
            raise ValueError("Invalid 'whence' value, should be 0, 1 or 2")
        if whence == os.SEEK_SET and offset < 0:
            raise ValueError(f"Negative seek 'offset' value {offset}")
        self._offset = max(origins[whence] + offset, 0)
        return self._offset

    def seekable(self) -> bool:
        """Whether all streams can be read from any position."""
        return all(item.buffer.seekable() for item in self._items)

    def tell(self) -> int:
        """The position."""
        return self._offset
