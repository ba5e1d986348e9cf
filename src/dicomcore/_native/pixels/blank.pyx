"""Makes uninitialised bytearrays."""

from cpython.bytearray cimport PyByteArray_FromStringAndSize


def blank(Py_ssize_t size) -> bytearray:
    """An uninitialised bytearray of `size` bytes; the caller must write every byte.

    ``bytearray(size)`` would clear the bytes while it holds the GIL, which for a frame takes as long as decoding it.
    """
    if size < 0:
        raise ValueError(f"a bytearray can't have {size} bytes")
    return PyByteArray_FromStringAndSize(NULL, size)
