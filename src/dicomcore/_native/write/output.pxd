# The output: bytes encoded into a buffer, and references to byte ranges of sources, which are copied only when the
# output is written.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.scan.source cimport Source

cdef struct Piece:
    Py_ssize_t source       # position in Output.sources, -1 for bytes of Output.buffer
    uint64_t offset
    uint64_t length
    uint64_t width          # size of the words whose bytes are reversed while they are copied; 1: copied unchanged


cdef class Output:
    cdef uint8_t* buffer
    cdef Py_ssize_t size, capacity
    cdef Py_ssize_t begun               # bytes of the buffer from here on belong to no piece yet
    cdef Piece* pieces
    cdef Py_ssize_t count, room
    cdef list sources
    cdef uint64_t closed                # bytes in pieces
    cdef Py_ssize_t exports             # memoryviews of the buffer that exist

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
