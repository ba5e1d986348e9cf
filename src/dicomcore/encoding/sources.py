"""What a data set can be read from: a path, memory, a stream, or an object that reads by position."""

from __future__ import annotations

import os
from typing import Any, BinaryIO, Protocol

from dicomcore.errors import InvalidDicomError

__all__ = ["Ranged", "Source", "openable"]


class Ranged(Protocol):
    """What can be read as lazily as a file: its `size`, and its bytes by position. Messages name it by its repr()."""

    @property
    def size(self) -> int:
        """In bytes."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly these bytes; fewer where the input turns out to be shorter than `size`."""


Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Ranged


def openable(src: Any, caller: str, upto: int | None = None) -> Any:
    """What native code opens: `src` itself if it is a path or reads by position, else its bytes.

    A stream is read from where it stands: to its end, or as many bytes as `upto`.
    """
    if isinstance(src, (str, bytes, os.PathLike)) or hasattr(src, "read_at"):
        return src
    if hasattr(src, "read"):
        data = src.read() if upto is None else src.read(upto)
        if not isinstance(data, bytes):
            raise TypeError("a stream must be binary: open it with 'rb'")
        if not data:
            _refuse_end(src)
        return data
    try:
        return memoryview(src).cast("B")
    except TypeError:
        raise TypeError(f"{caller}() takes a path, bytes or a binary stream, not {type(src).__name__}") from None


def _refuse_end(stream: Any) -> None:
    """Raise InvalidDicomError for a stream that was read or written to its end, and not rewound."""
    try:
        place = stream.tell()
    except (AttributeError, OSError):  # a pipe
        return
    if place:
        raise InvalidDicomError(f"the stream stands at its end, byte {place}: seek(0) takes it back to its beginning")
