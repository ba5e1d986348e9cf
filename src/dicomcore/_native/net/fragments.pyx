"""P-DATA-TF PDUs (PS3.8 9.3.5): the fragments of many PDUs in one call."""

from libc.stdint cimport uint8_t

from dicomcore._native.base.cursor cimport load_be32

cdef enum:
    DATA = 4
    HEADER = 6          # bytes of a PDU's header
    LEAST = 2           # bytes of a presentation data value: its context and message control header


def scan(const uint8_t[::1] data not None, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t longest):
    """The fragments of the whole P-DATA-TF PDUs that follow each other from `start`.

    Returns where the next PDU begins, the fragments as tuples (presentation context, message control header, offset,
    length), and the offset of a presentation data value that is no such thing, or -1. A PDU longer than `longest` is
    left where it is.
    """
    cdef list found = []
    cdef Py_ssize_t at = start, end, length, inside
    if not 0 <= start <= stop <= data.shape[0]:
        raise ValueError(f"{start}:{stop} lies outside of {data.shape[0]} bytes")
    while stop - at >= HEADER and data[at] == DATA:
        length = load_be32(&data[at + 2])
        if length > longest or length > stop - at - HEADER:
            break
        inside, end = at + HEADER, at + HEADER + length
        if length == 0:
            return at, found, at
        while inside < end:
            if end - inside < 4:
                return at, found, inside
            length = load_be32(&data[inside])
            if length < LEAST or length > end - inside - 4:
                return at, found, inside
            found.append((data[inside + 4], data[inside + 5], inside + 6, length - LEAST))
            inside += 4 + length
        at = end
    return at, found, -1
