# A request that goes out in one call, and the response that comes to it.

from libc.stdint cimport uint8_t

from dicomcore._native.net.heads cimport Value

cdef extern from "net/pieces.h" nogil:
    ctypedef struct net_piece:
        pass
    void piece_set(net_piece* piece, const uint8_t* data, size_t size)

cdef enum:
    HEAD = 256              # bytes of a request's command set with its PDU, at most
    MOST = 64               # fragments of a data set that are sent at a time
    HEADER = 12             # bytes of a PDU in front of its only fragment
    SHORT = 512             # bytes of the PDU of a response that is waited for


cdef struct Sending:
    uint8_t head[HEAD]
    uint8_t headers[MOST][HEADER]
    net_piece pieces[2 * MOST + 1]
    int count               # of pieces
    Py_ssize_t total        # their bytes

# A request (C-STORE with a data set, C-ECHO without, where `body` is NULL) of UIDs of up to 64 bytes and up to MOST
# fragments of at least HEAD bytes; an empty instance is left out. It is valid while its parts are.
cdef void put_request(Sending* one, int number, int kind, int identifier, const Value* sop_class,
                      const Value* sop_instance, const uint8_t* body, Py_ssize_t size,
                      Py_ssize_t fragment) noexcept nogil
# Bytes that came into the `size` bytes at p, SHORT at least, or an error's negative number; status[0] is that of the
# response if they are one that says no more, else -1.
cdef Py_ssize_t receive_response(int file, uint8_t* p, Py_ssize_t size, int number, int kind, int identifier,
                                 int* status) noexcept nogil
