"""Bytearrays whose bytes are still to be written."""

from cpython.bytearray cimport PyByteArray_FromStringAndSize


def blank(Py_ssize_t size) -> bytearray:
    """A bytearray of `size` bytes of no particular value, every one of which the caller is to write.

    ``bytearray(size)`` clears them with the GIL held, which for a frame takes as long as decoding it.
    """
    if size < 0:
        raise ValueError(f"{size} bytes")
    return PyByteArray_FromStringAndSize(NULL, size)
