# A file's header as the bulk loop reads it: the windows of it that are in memory, and the scan through them.

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from dicomcore._native.bulk.column cimport Buffer
from dicomcore._native.base.fault cimport Status
from dicomcore._native.base.file cimport file_handle
from dicomcore._native.scan.opening cimport Opening
from dicomcore._native.scan.scan cimport Deviation, Row, Scanner

cdef enum:
    SEGMENTS = 8
    NOWHERE = 0xFFFFFFFF

cdef struct Segment:    # bytes [begin, begin + held) of the file, at `at` in the arena
    uint64_t begin
    uint64_t held
    Py_ssize_t at

cdef struct Kept:
    Py_ssize_t row
    Deviation deviation

cdef struct Hop:                # a step of a column's path; the last one is the element itself
    uint32_t tag                # of a private element without the digits of its block
    int32_t item                # from 0; -1: all of them
    const char* creator         # NULL: a public element
    Py_ssize_t creator_size

cdef struct Way:                # the hops to a column's element
    Hop* hops
    Py_ssize_t count            # 0: it stands at the top level, and is public


cdef class Head:
    cdef Scanner scanner
    cdef Py_ssize_t meta_count          # how many of its rows are file meta information
    cdef uint32_t stop_tag
    cdef Py_ssize_t row                 # the file's, among those of the batch
    cdef Buffer deviations              # Kept, of all rows so far
    cdef Buffer arena
    cdef Segment segments[SEGMENTS]
    cdef int segment_count
    cdef bint given                     # the next row's file is in memory: the segments are the pieces of it
    cdef bint lacking                   # and bytes from `lack` on are missing
    cdef uint64_t lack
    cdef list creators                  # holds the memory of the ways' creators

    cdef Status cover(self, file_handle file, uint64_t offset) noexcept nogil
    cdef Status cover_given(self, uint64_t offset) noexcept nogil
    cdef bint hold_pieces(self, uint64_t size, list pieces) except -1
    cdef const uint8_t* value(self, const Row* r) noexcept nogil
    cdef Status scan_on(self, file_handle file) noexcept nogil
    cdef Status read_header(self, file_handle file, uint64_t size) noexcept nogil
    cdef int checked_meta(self, Opening* opening) noexcept nogil
    cdef Status keep_opening(self, const Opening* opening) noexcept nogil
    cdef Status keep(self, uint32_t code, uint32_t tag, uint64_t offset, uint64_t claimed,
                     uint64_t present) noexcept nogil
    cdef Status keep_deviations(self) noexcept nogil
    cdef bint is_disordered(self) noexcept nogil
    cdef int lay_way(self, Way* way, list steps) except -1
    cdef Status follow(self, const Way* way, uint32_t* found) noexcept nogil
    cdef Status find_in(self, Py_ssize_t begin, Py_ssize_t end, const Hop* hop, uint32_t* found) noexcept nogil
