"""The Value Field of a pixel data element (PS3.5 7.1), read by position from the data set's source or from memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dicomcore.dataset.state import index_of, is_changed
from dicomcore.errors import PixelDecodeError

__all__ = ["ValueField"]

NEAR, WINDOW = 1 << 12, 1 << 16
"""Bytes from one peek to the next that are read rather than skipped, and how many are read then."""


class ValueField:
    """`size` bytes from the first byte of a pixel data element's value on; several threads may read at once.

    Encapsulated pixel data of undefined length reaches to the end of the source here: its items tell where it ends.
    """

    def __init__(
        self, read: Callable[[int, int], memoryview], size: int, *, source: Any = None, start: int = 0
    ) -> None:
        self.size = size
        self.source = source, start
        """Where the bytes come from, an index or memory, and where in it they begin."""
        self._read = read

    @classmethod
    def of(cls, data_set: Any, element: Any) -> ValueField:
        """The value field of a pixel data element, which is not read for this."""
        index = index_of(data_set)
        if index is None or is_changed(element) or element.offset is None:
            held = memoryview(element.value or b"").cast("B").toreadonly()
            return cls(lambda offset, length: held[offset : offset + length], len(held), source=held)
        start = element.offset
        size = index.size - start if element.is_undefined_length else min(element.length, index.size - start)
        return cls(lambda offset, length: index.read(start + offset, length), size, source=index, start=start)

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly these bytes; raises PixelDecodeError where there are fewer."""
        if offset < 0 or length < 0 or offset > self.size or length > self.size - offset:
            raise PixelDecodeError(f"pixel data of {self.size} bytes ends before {offset} + {length}", offset=self.size)
        return self._read(offset, length)

    def upto(self, offset: int, length: int) -> memoryview:
        """These bytes, or as many of them as there are."""
        length = max(min(length, self.size - offset), 0)
        return self.read(offset, length) if length else memoryview(b"")

    @contextmanager
    def peeking(self) -> Iterator[Callable[[int, int], bytes]]:
        """Gives a function that reads `length` bytes at `offset`, fewer at the end; a file stays open meanwhile."""
        source, start = self.source
        path = getattr(source, "path", None)
        if path is None:
            yield lambda offset, length: bytes(self.upto(offset, length))
            return
        self.upto(0, 1)  # says so where the file is another by now
        begin, window = 0, b""
        with open(path, "rb", buffering=0) as file:

            def peek(offset: int, length: int) -> bytes:
                nonlocal begin, window
                length = max(min(length, self.size - offset), 0)
                if not 0 <= offset - begin <= len(window) - length:
                    # Many small fragments: reading on takes less time than going from one to the next.
                    near = window and 0 <= offset - begin - len(window) < NEAR
                    file.seek(start + offset)
                    begin, window = offset, file.read(max(length, min(WINDOW, self.size - offset)) if near else length)
                return window[offset - begin : offset - begin + length]

            yield peek
