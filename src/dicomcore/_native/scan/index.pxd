# The index of one input: its source, its rows and what deviated.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.scan.opening cimport Opening
from dicomcore._native.scan.scan cimport Row, Scanner
from dicomcore._native.base.shared cimport load_flag, load_size, store_flag
from dicomcore._native.scan.source cimport Source

cdef enum:
    ANY_GROUP = -1
    FIRST_ROWS = 160                    # most files have fewer


cdef class Index:
    cdef readonly Source source
    cdef Scanner scanner
    cdef Row* rows                      # as published: rows [0, count) never move while the index lives
    cdef Row* outgrown                  # an earlier place of theirs, which other threads may still be reading
    cdef Py_ssize_t count               # read by rows_of() before `rows`, where the scan may be going on
    cdef readonly Py_ssize_t meta_count  # how many of them are file meta information
    cdef Py_ssize_t header_rows         # how many stand before the first pixel data at the top level
    cdef readonly object limits
    cdef readonly bytes preamble        # 128 bytes, or None
    cdef readonly str transfer_syntax   # as the file or the caller states it, "" where neither does
    cdef Opening opening                # how the beginning deviates
    cdef readonly bint bare             # a data set alone, whose transfer syntax the caller stated
    cdef int group                      # 0: it is a command set, 2: file meta information alone; else ANY_GROUP
    cdef readonly bint deflated         # what follows the file meta information waits to be inflated
    cdef readonly bint inflated         # and was: offsets behind the file meta information count inflated bytes
    cdef readonly bint stop_before_pixels
    cdef readonly uint8_t mode          # encoding of the data set: IMPLICIT | BIG_ENDIAN
    cdef readonly uint64_t body         # offset of the data set, behind preamble and file meta information if any
    cdef readonly Source packed         # of an inflated input: where its deflated data set stands, from `packed_at`
    cdef readonly uint64_t packed_at
    cdef bint complete                  # read by is_complete()
    cdef object failure                 # what finish() met, None while it met nothing
    cdef object lock
    cdef set noted                      # deviations found outside the scanner: (name, tag, offset, message)
    cdef set late                       # deviations in sequences looked up late, shared by their indices
    cdef dict siblings                  # rows found by (first and last of their level, tag), None at first
    cdef dict charsets                  # Charset of a data set, by the row of its item
    cdef Index outer                    # of the element whose value this indexes, for one looked up late
    cdef Py_ssize_t outer_row
    cdef bint changed                   # see mark_changed()

    cdef int run(self) except -1
    cdef int refuse(self, Status status) except -1
    cdef int finish(self) except -1
    cdef Row* known(self, Py_ssize_t row) except NULL
    cdef int publish(self) except -1
    cdef Py_ssize_t find(self, Py_ssize_t first, Py_ssize_t stop, uint32_t tag) noexcept nogil
    cdef object hold(self, Row* row, const uint8_t** data)
    cdef Py_ssize_t sibling(self, Py_ssize_t row, uint32_t tag) except -2
    cdef Py_ssize_t level_of(self, Py_ssize_t row, Py_ssize_t* stop) noexcept nogil
    cdef set notes(self)
    cdef set late_notes(self)
    cdef int note(self, str code, uint32_t tag, uint64_t offset, str message) except -1


cdef inline Py_ssize_t rows_of(Index index) noexcept nogil:
    # How many rows there are now. They are published before their number: `rows` read afterwards has as many.
    return load_size(&index.count)


cdef inline bint is_complete(Index index) noexcept nogil:
    # Whether nothing is left to be scanned; all rows are there then, and stay as they are.
    return load_flag(&index.complete)


cdef inline int mark_changed(Index index) except -1:
    # A value over these rows, if there are any, was set, or one that can be changed was handed out.
    if index is not None:
        store_flag(&index.changed, True)
    return 0


cdef inline Py_ssize_t first_rows(Py_ssize_t allowed) noexcept nogil:
    # How many rows to make room for at first: at least one, and no more than are allowed, so that growing asks.
    return max(<Py_ssize_t>1, min(<Py_ssize_t>FIRST_ROWS, allowed))


cdef str name_of(Index self)
cdef Index open_value(Index outer, Py_ssize_t row)
cdef object view_of(Source source, object owner, const uint8_t* data, uint64_t length)
