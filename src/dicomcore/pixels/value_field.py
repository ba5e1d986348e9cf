"""The Value Field of a pixel data element (PS3.5 7.1), read by position from the data set's source or from memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dicomcore.dataset.state import index_of, is_changed
from dicomcore.errors import PixelDecodeError

__all__ = ["ValueField"]

NEAR, WINDOW = 1 << 12, 1 << 16
"""Peeks fewer than NEAR bytes apart are served from a read of WINDOW bytes."""


class ValueField:
    """The `size` bytes of a pixel data element's value; several threads may read at once.

    Encapsulated pixel data of undefined length extends to the end of the source here: its items tell where it ends.
    """

    def __init__(
        self, read: Callable[[int, int], memoryview], size: int, *, source: Any = None, start: int = 0
    ) -> None:
        self.size = size
        self.source = source, start
        """The index or memory that the bytes are read from, and the offset there at which they begin."""
        self._read = read

    @classmethod
    def of(cls, data_set: Any, element: Any) -> ValueField:
        """The value field of a pixel data element; reads nothing yet."""
        index = index_of(data_set)
        if index is None or is_changed(element) or element.offset is None:
            memory = memoryview(element.value or b"").cast("B").toreadonly()
            return cls(lambda offset, length: memory[offset : offset + length], len(memory), source=memory)
        start = element.offset
        size = index.size - start if element.is_undefined_length else min(element.length, index.size - start)
        return cls(lambda offset, length: index.read(start + offset, length), size, source=index, start=start)

    def read(self, offset: int, length: int) -> memoryview:
        """Read exactly these bytes; raises PixelDecodeError where there are fewer."""
        if offset < 0 or length < 0 or offset > self.size or length > self.size - offset:
            raise PixelDecodeError(f"pixel data of {self.size} bytes ends before {offset} + {length}", offset=self.size)
        return self._read(offset, length)

    def upto(self, offset: int, length: int) -> memoryview:
        """Read these bytes, fewer at the end."""
        length = max(min(length, self.size - offset), 0)
        return self.read(offset, length) if length else memoryview(b"")

    @contextmanager
    def peeking(self) -> Iterator[Callable[[int, int], bytes]]:
        """Yield a function that reads `length` bytes at `offset`, fewer at the end; a file stays open meanwhile."""
        source, start = self.source
        path = getattr(source, "path", None)
        if path is None:
            yield lambda offset, length: bytes(self.upto(offset, length))
            return
        self.upto(0, 1)  # raises where the file was replaced
        begin, window = 0, b""
        with open(path, "rb", buffering=0) as file:

            def peek(offset: int, length: int) -> bytes:
                nonlocal begin, window
                length = max(min(length, self.size - offset), 0)
                if not 0 <= offset - begin <= len(window) - length:
                    # With many small fragments, reading on is faster than seeking from one to the next.
                    near = window and 0 <= offset - begin - len(window) < NEAR
                    file.seek(start + offset)
                    begin, window = offset, file.read(max(length, min(WINDOW, self.size - offset)) if near else length)
                return window[offset - begin : offset - begin + length]

            yield peek
