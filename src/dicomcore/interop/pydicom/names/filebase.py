"""pydicom.filebase: streams that know an encoding."""

from __future__ import annotations

import os
from io import BytesIO
from struct import calcsize, unpack
from typing import Any, Protocol, Self

__all__ = ["DicomBytesIO", "DicomFile", "DicomFileLike", "DicomIO", "ReadableBuffer", "WriteableBuffer", "unwrapped"]


class ReadableBuffer(Protocol):
    """A stream that can be read."""

    def read(self, size: int = ..., /) -> bytes: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def tell(self) -> int: ...


class WriteableBuffer(Protocol):
    """A stream that can be written."""

    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def tell(self) -> int: ...
    def write(self, b: bytes | bytearray | memoryview, /) -> int: ...


class DicomIO:
    """A stream around `buffer`, with the encoding of the data set in it.

    Raises AttributeError for a `buffer` without tell() and seek(), or without both read() and write().
    """

    def __init__(self, buffer: Any) -> None:
        missing = [name for name in ("seek", "tell") if not hasattr(buffer, name)]
        if missing or not (hasattr(buffer, "read") or hasattr(buffer, "write")):
            raise AttributeError(
                f"'{type(buffer).__name__}' object has no attribute {missing[0] if missing else 'read'!r}"
            )
        self._buffer = buffer
        self._implicit: bool | None = None
        self._little: bool | None = None
        self._name = getattr(buffer, "filename", None) or getattr(buffer, "name", None)
        for name in ("read", "write", "seek", "tell"):  # the buffer's own, so that nothing stands between
            if hasattr(buffer, name):
                setattr(self, name, getattr(buffer, name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self, *args: Any, **kwargs: Any) -> Any:
        """Close the buffer."""
        return self._buffer.close(*args, **kwargs)

    @property
    def parent(self) -> Any:
        """The buffer."""
        return self._buffer

    @property
    def name(self) -> Any:
        """The name of the buffer's file."""
        return self._name

    @name.setter
    def name(self, name: Any) -> None:
        self._name = name

    @property
    def is_little_endian(self) -> bool:
        """The byte order; AttributeError if it was not set."""
        return self._stated(self._little, "is_little_endian")

    @is_little_endian.setter
    def is_little_endian(self, value: bool) -> None:
        self._little = self._checked(value, "is_little_endian")

    @property
    def is_implicit_VR(self) -> bool:
        """Whether VRs are implicit; AttributeError if it was not set."""
        return self._stated(self._implicit, "is_implicit_VR")

    @is_implicit_VR.setter
    def is_implicit_VR(self, value: bool) -> None:
        self._implicit = self._checked(value, "is_implicit_VR")

    def _stated(self, value: bool | None, name: str) -> bool:
        if value is None:
            raise AttributeError(f"{type(self).__name__}.{name}' has not been set")
        return value

    def _checked(self, value: Any, name: str) -> bool:
        if not isinstance(value, bool):
            raise TypeError(f"'{type(self).__name__}.{name}' must be bool")
        return value

    def read(self, size: int = -1, /) -> bytes:
        """Read bytes."""
        raise TypeError(f"the buffer of type {type(self._buffer).__name__} cannot be read")

    def write(self, b: bytes | bytearray | memoryview, /) -> int:
        """Write bytes."""
        raise TypeError(f"the buffer of type {type(self._buffer).__name__} cannot be written")

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Set the position."""
        return int(self._buffer.seek(offset, whence))

    def tell(self) -> int:
        """The position."""
        return int(self._buffer.tell())

    def read_exact(self, length: int, nr_retries: int = 3) -> bytes:
        """Read `length` bytes; EOFError if there are fewer."""
        data = bytearray(self.read(length))
        for _ in range(nr_retries):
            if len(data) == length:
                return bytes(data)
            data += self.read(length - len(data))
        if len(data) == length:
            return bytes(data)
        raise EOFError(
            f"Unexpected end of file. Read {len(data)} bytes of {length} expected starting at position "
            f"0x{self.tell() - len(data):x}"
        )

    def _number(self, form: str) -> int:
        order = "<" if self.is_little_endian else ">"
        number: int = unpack(order + form, self.read(calcsize("<" + form)))[0]
        return number

    def _put(self, value: int, size: int) -> None:
        self.write(value.to_bytes(size, "little" if self.is_little_endian else "big"))

    def read_US(self) -> int:
        """Read a number of 16 bits; struct.error at the end."""
        return self._number("H")

    def read_UL(self) -> int:
        """Read a number of 32 bits; struct.error at the end."""
        return self._number("L")

    def read_tag(self) -> tuple[int, int]:
        """Read a tag as (group, element); EOFError at the end."""
        group, element = unpack("<HH" if self.is_little_endian else ">HH", self.read_exact(4))
        return group, element

    def write_US(self, val: int) -> None:
        """Write a number of 16 bits."""
        self._put(val, 2)

    def write_UL(self, val: int) -> None:
        """Write a number of 32 bits."""
        self._put(val, 4)

    def write_tag(self, tag: int) -> None:
        """Write a tag."""
        self._put(tag >> 16, 2)
        self._put(tag & 0xFFFF, 2)


def unwrapped(stream: Any) -> Any:
    """The stream that a `DicomIO` wraps; anything else as it is."""
    return stream.parent if isinstance(stream, DicomIO) else stream


class DicomFileLike(DicomIO):
    """A stream around a file."""


def DicomFile(*args: Any, **kwargs: Any) -> DicomFileLike:
    """A `DicomFileLike` around the file that open() opens with these arguments."""
    return DicomFileLike(open(*args, **kwargs))


class DicomBytesIO(DicomIO):
    """A stream around bytes in memory."""

    def __init__(self, initial_bytes: bytes | bytearray | memoryview = b"") -> None:
        super().__init__(BytesIO(initial_bytes))

    def getvalue(self) -> bytes:
        """All bytes."""
        return self._buffer.getvalue()  # type: ignore[no-any-return]

    def getbuffer(self) -> memoryview:
        """A view of all bytes."""
        return self._buffer.getbuffer()  # type: ignore[no-any-return]
