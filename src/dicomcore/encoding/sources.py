"""Sources of data sets: a path, memory, a stream, or an object that reads by position."""

from __future__ import annotations

import os

from dicomcore.errors import InvalidDicomError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Protocol, TypeAlias

    class Ranged(Protocol):
        """An object that is read lazily, like a file: it has a size and reads by position. Messages give its repr()."""

        @property
        def size(self) -> int:
            """The size in bytes."""

        def read_at(self, offset: int, length: int) -> bytes:
            """Read exactly these bytes; fewer only if the input ends before `size`."""


__all__ = ["Source", "openable"]


Source: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Ranged"


def openable(src: Any, caller: str, upto: int | None = None) -> Any:
    """The form of a source that native code opens: `src` if it is a path or reads by position, else its bytes.

    A stream is read from its position to its end, or at most `upto` bytes. `caller` is the function that messages name.
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
    """Raise InvalidDicomError for a stream that was read or written to its end and not rewound."""
    try:
        position = stream.tell()
    except (AttributeError, OSError):  # a pipe
        return
    if position:
        text = f"the stream is at its end, byte {position}: seek(0) returns to its beginning"
        raise InvalidDicomError(text, may_be_dicom=True)
