# What is about to be written: bytes made here, and stretches of sources that are copied only when it is.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.scan.source cimport Source

cdef struct Piece:
    Py_ssize_t source       # place in Output.sources, -1 for bytes of Output.buffer
    uint64_t offset
    uint64_t length
    uint64_t width          # size of the words whose bytes are reversed on the way; 1: none are


cdef class Output:
    cdef uint8_t* buffer
    cdef Py_ssize_t size, capacity
    cdef Py_ssize_t begun               # bytes of the buffer from here on are in no piece yet
    cdef Piece* pieces
    cdef Py_ssize_t count, room
    cdef list sources
    cdef uint64_t closed                # bytes in pieces
    cdef Py_ssize_t exports

    cdef uint64_t total(self) noexcept
    cdef int need(self, Py_ssize_t n) except -1
    cdef int put(self, const uint8_t* data, Py_ssize_t n) except -1
    cdef int put_byte(self, uint8_t value) except -1
    cdef int put16(self, uint16_t value, bint big) except -1
    cdef int put32(self, uint32_t value, bint big) except -1
    cdef int put_tag(self, uint32_t tag, bint big) except -1
    cdef int put_source(self, Source source, uint64_t offset, uint64_t length, uint64_t width=*) except -1
    cdef int put_object(self, object data, uint64_t width=*) except -1
    cdef int close_piece(self) except -1
    cdef int add_piece(self, Py_ssize_t source, uint64_t offset, uint64_t length, uint64_t width) except -1
    cdef object view(self, Source source, uint64_t offset, uint64_t length)
    cdef void patch32(self, Py_ssize_t at, uint32_t value, bint big) noexcept
