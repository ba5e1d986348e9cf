# A file's header in the bulk loop: the windows of it that are in memory, and the scan through them.

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from dicomcore._native.bulk.column cimport Buffer
from dicomcore._native.base.fault cimport Status
from dicomcore._native.base.file cimport file_handle
from dicomcore._native.scan.opening cimport Opening
from dicomcore._native.scan.scan cimport Deviation, Row, Scanner

cdef enum:
    SEGMENTS = 8
    NOWHERE = 0xFFFFFFFF

cdef struct Segment:    # bytes [begin, begin + held) of the file, stored from arena.data[at] on
    uint64_t begin
    uint64_t held
    Py_ssize_t at

cdef struct Kept:
    Py_ssize_t row
    Deviation deviation

cdef struct Hop:                # a step of a column's path; the last step is the element itself
    uint32_t tag                # a private element's has 00 in place of its block number
    int32_t item                # counted from 0; -1: all items
    const char* creator         # NULL: a public element
    Py_ssize_t creator_size

cdef struct Way:                # the path to a column's element
    Hop* hops
    Py_ssize_t count            # 0: a public element of the top level


cdef class Head:
    cdef Scanner scanner
    cdef Py_ssize_t meta_count          # the scanner's rows of file meta information
    cdef uint32_t stop_tag
    cdef Py_ssize_t row                 # the file's row in the batch
    cdef Buffer deviations              # Kept structs of all rows so far
    cdef Buffer arena
    cdef Py_ssize_t first               # bytes to read first of the next file
    cdef int short_ones                 # files with short headers, one after the other
    cdef Segment segments[SEGMENTS]
    cdef int segment_count
    cdef bint given                     # the next row's file is in memory: the segments are its pieces
    cdef bint lacking                   # the pieces lack the byte at offset `lack`
    cdef uint64_t lack
    cdef bint lenient                   # also read files without preamble, file meta information or transfer syntax
    cdef bint inflated                  # the file in memory is the head of a deflated one, and its inflated data set
    cdef uint64_t deflated_at           # where the deflated data set of the last file begins; 0: it is not deflated
    cdef Py_ssize_t inflated_first      # bytes to inflate first of the next deflated data set
    cdef list creators                  # keeps the creators' memory alive, to which the hops point
    cdef list paths                     # keeps the memory of `names` alive
    cdef const char** names             # UTF-8; NULL: not a str, not valid UTF-8, or with a zero character

    cdef int name_paths(self, list paths) except -1
    cdef Status cover(self, file_handle file, uint64_t offset) noexcept nogil
    cdef Status widen(self, file_handle file) noexcept nogil
    cdef void foresee(self, uint64_t needed) noexcept nogil
    cdef Status cover_given(self, uint64_t offset) noexcept nogil
    cdef bint hold_pieces(self, uint64_t size, list pieces) except -1
    cdef const uint8_t* value(self, const Row* r) noexcept nogil
    cdef Status scan_on(self, file_handle file) noexcept nogil
    cdef Status read_header(self, file_handle file, uint64_t size) noexcept nogil
    cdef Status read_deflated(self) noexcept nogil
    cdef Status inflate_window(self, Py_ssize_t held, Py_ssize_t head, Py_ssize_t wanted,
                               uint64_t* whole) noexcept nogil
    cdef Status read_beginning(self, file_handle file, uint64_t size) noexcept nogil
    cdef Status find_encoding(self, file_handle file, Opening* opening, int mode, uint8_t* found) noexcept nogil
    cdef int checked_meta(self, Opening* opening, uint64_t begin) noexcept nogil
    cdef Status keep_opening(self, const Opening* opening) noexcept nogil
    cdef Status keep(self, uint32_t code, uint32_t tag, uint64_t offset, uint64_t claimed,
                     uint64_t present) noexcept nogil
    cdef Status keep_deviations(self) noexcept nogil
    cdef void drop_deviations(self, Py_ssize_t row) noexcept nogil
    cdef bint is_disordered(self) noexcept nogil
    cdef int lay_way(self, Way* way, list steps) except -1
    cdef Status follow(self, const Way* way, uint32_t* found) noexcept nogil
    cdef Status find_in(self, Py_ssize_t begin, Py_ssize_t end, const Hop* hop, uint32_t* found) noexcept nogil
