"""The part of a stream before its pixel data, so that a large file is not read for its head."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from dicomcore._native.scan.index import Index
from dicomcore.limits import Limits
from dicomcore.part10.reader import open_source
from dicomcore.part10.rows import rows_of

__all__ = ["head_of"]

UNDEFINED = 4  # a row's flag
DELIMITER = 8  # bytes of the delimiter that ends a value of undefined length


def head_of(stream: BinaryIO, limits: Limits, force: bool) -> Any:
    """The bytes from the stream's position up to its pixel data, where the stream then stands.

    A stream that cannot seek, or is deflated as a whole, is returned itself, at its position: it has to be read whole.
    """
    try:
        start = stream.tell()
        size = stream.seek(0, io.SEEK_END) - start
        stream.seek(start)
    except (AttributeError, OSError):
        return stream
    if size <= 0:
        return stream
    index = open_source(_Window(stream, start, size), limits=limits, force=force, stop_before_pixels=True)
    end = _end_of(index)
    stream.seek(start)
    return stream if index.inflated or not end else stream.read(end)


def _end_of(index: Index) -> int:
    """The offset behind the last element that was indexed."""
    rows = rows_of(index)
    top = rows[rows["parent"] < 0]
    if len(top) <= index.meta_count:
        return int(index.body)
    last = top[-1]
    return int(last["offset"] + last["length"]) + (DELIMITER if last["flags"] & UNDEFINED else 0)


class _Window:
    """A stream as an object that reads by position."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        self._stream, self._start, self.size = stream, start, size

    def read_at(self, offset: int, length: int) -> bytes:
        """Read these bytes, fewer at the end."""
        self._stream.seek(self._start + offset)
        return self._stream.read(length)
