"""Received data sets that are here as a whole, to files, in one call without the GIL."""

from libc.stdint cimport uint8_t

cdef extern from "net/pieces.h" nogil:
    ctypedef struct net_piece:
        pass
    void piece_set(net_piece* piece, const uint8_t* data, size_t size)

cdef extern from "net/keep.h" nogil:
    int keep_file(const char* folder, const char* target, const net_piece* pieces, int count, size_t size,
                  int durable)

cdef enum:
    MOST = 64           # pieces of a file that are written here
    TOO_MANY = 7        # E2BIG


def keep(bytes folder not None, bytes target not None, bytes head not None, const uint8_t[::1] data not None,
         list fragments not None, bint durable):
    """Write a head and fragments of `data` to a file that then appears as `target`; 0, or the number of the error.

    After an error there is no such file, unless it was there before. `folder` is on the same file system. Fragments are
    tuples as `Fragments.scan` gives them.
    """
    cdef net_piece[MOST] pieces
    cdef Py_ssize_t offset, length, size = len(head), count = len(fragments)
    cdef int fault, used = 1
    cdef const char* where = folder
    cdef const char* name = target
    cdef const uint8_t* begin = head
    if count > MOST - 1:
        return TOO_MANY
    piece_set(&pieces[0], begin, size)
    for one in fragments:
        offset, length = one[2], one[3]
        if not 0 <= offset <= data.shape[0] or not 0 <= length <= data.shape[0] - offset:
            raise ValueError(f"{offset} and {length} bytes lie outside of {data.shape[0]} bytes")
        if length:
            piece_set(&pieces[used], &data[offset], length)
            used, size = used + 1, size + length
    with nogil:
        fault = keep_file(where, name, pieces, used, size, durable)
    return fault
