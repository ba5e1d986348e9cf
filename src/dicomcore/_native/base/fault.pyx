"""Turns a kernel's Status into an exception."""

from dicomcore.errors import LimitError, PixelDecodeError, UnsupportedTransferSyntaxError

cdef dict SAYS = {
    TRUNCATED: "ends before the data that it announces",
    OVERRUN: "holds more data than its output has room for",
    CORRUPT: "breaks a rule of its format",
    UNSUPPORTED: "uses a feature that is not supported",
    LIMIT: "exceeds a limit",
    IO_FAULT: "could not be read",
}


cdef int raise_fault(Status status, str what, Py_ssize_t offset, object error=PixelDecodeError) except -1:
    """Raise `error` for a status other than OK; `offset` counts from the first byte that the user passed."""
    if status == OK:
        return 0
    if status == NO_MEMORY:
        raise MemoryError(f"{what}: out of memory")
    message = f"{what} {SAYS[status]}, at byte {offset}"
    if status == LIMIT:
        raise LimitError(message, offset=offset)
    if status == UNSUPPORTED:
        raise UnsupportedTransferSyntaxError(message)
    raise error(message, offset=offset)
