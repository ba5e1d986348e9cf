# The index of one input: its source, its rows and its deviations.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.scan.opening cimport Opening
from dicomcore._native.scan.scan cimport Row, Scanner
from dicomcore._native.base.shared cimport load_flag, load_size, store_flag
from dicomcore._native.scan.source cimport Source

cdef enum:
    ANY_GROUP = -1
    FIRST_ROWS = 160                    # most files have fewer
    TEXTS = 16                          # texts that are kept decoded; a power of 2


cdef class Index:
    cdef readonly Source source
    cdef Scanner scanner
    cdef Row* rows                      # published rows: [0, count) never move while the index lives
    cdef Row* outgrown                  # the rows' previous memory, which other threads may still be reading
    cdef Py_ssize_t count               # rows_of() reads it, before `rows`, as another thread may be scanning
    cdef readonly Py_ssize_t meta_count  # number of rows of file meta information
    cdef Py_ssize_t header_rows         # number of rows before the first pixel data at the top level
    cdef readonly object limits
    cdef readonly bytes preamble        # 128 bytes, or None
    cdef readonly str transfer_syntax   # as stated by the file or the caller, "" if neither states it
    cdef Opening opening                # the deviations of the file's beginning
    cdef readonly bint bare             # a bare data set, whose transfer syntax the caller stated
    cdef int group                      # 0: a command set; 2: only file meta information; else ANY_GROUP
    cdef readonly bint deflated         # the data set is deflated and not inflated yet
    cdef readonly bint inflated         # the data set was inflated: its offsets count inflated bytes
    cdef readonly bint stop_before_pixels
    cdef readonly uint8_t mode          # encoding of the data set: IMPLICIT | BIG_ENDIAN
    cdef readonly uint64_t body         # offset of the data set, behind any preamble and file meta information
    cdef readonly Source packed         # for an inflated input: the source of its deflated data set
    cdef readonly uint64_t packed_at    # where the deflated data set begins in `packed`
    cdef bint complete                  # see is_complete()
    cdef object failure                 # the exception that finish() raised, or None
    cdef object lock                    # see own_lock()
    cdef set noted                      # deviations noted outside the scanner: (name, tag, offset, message)
    cdef set late                       # deviations in sequences that were indexed late, shared by their indices
    cdef dict siblings                  # cache of sibling(): row by (level's first row, its end, tag); None at first
    cdef dict charsets                  # Charset of each data set, by the row of its item; None at first
    cdef uint32_t[TEXTS] decoded        # the row + 1 of the text that was decoded last, by the row's low bits
    cdef list texts                     # decoded texts by the row's low bits, see decode.coded_text(); None at first
    cdef Index outer                    # for a sequence that was indexed late: the index of its element,
    cdef Py_ssize_t outer_row           # and the element's row there
    cdef bint changed                   # see mark_changed()

    cdef int run(self) except -1
    cdef int refuse(self, Status status) except -1
    cdef int finish(self) except -1
    cdef object own_lock(self)
    cdef dict own_charsets(self)
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
    # The number of rows so far. `rows` is published before `count`: if read afterwards, it has at least that many.
    return load_size(&index.count)


cdef inline bint is_complete(Index index) noexcept nogil:
    # Whether the scan has ended; from then on no row is added or changed.
    return load_flag(&index.complete)


cdef inline int mark_changed(Index index) except -1:
    # Note that a value over these rows was set, or that a mutable value was handed out. Without an index, do nothing.
    if index is not None:
        store_flag(&index.changed, True)
    return 0


cdef inline Py_ssize_t first_rows(Py_ssize_t allowed) noexcept nogil:
    # The initial capacity in rows: at least one, and at most the limit, so that growing checks the limit.
    return max(<Py_ssize_t>1, min(<Py_ssize_t>FIRST_ROWS, allowed))


cdef str name_of(Index self)
cdef int check_row(Index index, Py_ssize_t row) except -1
cdef Index open_value(Index outer, Py_ssize_t row)
cdef object view_of(Source source, object owner, const uint8_t* data, uint64_t length)
