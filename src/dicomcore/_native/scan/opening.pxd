# The beginning of a file (PS3.10 7.1) and the encoding of the data set behind it, for `dcmread` and for the bulk loop.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from dicomcore._native.scan.scan cimport Deviation, Row

cdef enum:
    META = 132                  # where file meta information begins
    GROUP_2_LENGTH = 0x00020000
    TRANSFER_SYNTAX_UID = 0x00020010
    MOST_OPENED = 8             # no file's beginning has more deviations

cdef enum Stated:               # results of stated_mode() besides IMPLICIT and BIG_ENDIAN
    NO_SYNTAX = -1
    DEFLATED = -2               # explicit VR little endian after inflating

cdef enum Opened:               # deviations; their messages are in dicomcore.issues.OPENED
    NO_PREAMBLE = 101
    PREFIX_FIRST
    NOTHING_IN_FRONT
    NO_META
    META_BIG_ENDIAN
    META_IMPLICIT
    NO_META_LENGTH
    WRONG_META_LENGTH
    META_REPEATED
    NO_SYNTAX_UID
    EMPTY_SYNTAX_UID            # up to here the file's head is wrong, below its data set's transfer syntax
    FOUND_LITTLE_ENDIAN
    FOUND_BIG_ENDIAN
    FOUND_EXPLICIT
    FOUND_IMPLICIT
    STRAY_GROUP                 # in a bare data set
    NO_COMMAND_LENGTH           # in a command set
    WRONG_COMMAND_LENGTH

cdef struct Opening:            # the deviations of a file's beginning
    int count
    Deviation deviations[MOST_OPENED]


cdef inline void say(Opening* opening, uint32_t code, uint32_t tag, uint64_t offset, uint64_t claimed,
                     uint64_t present) noexcept nogil:
    if opening.count < MOST_OPENED:
        opening.deviations[opening.count] = Deviation(code, tag, offset, claimed, present)
        opening.count += 1


cdef inline bint states_length(const Row* rows, Py_ssize_t count, uint32_t tag) noexcept nogil:
    # Whether the first row is the group length `tag`.
    return count > 0 and rows[0].tag == tag and rows[0].length == 4


cdef int stated_mode(const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef bint is_meta(const uint8_t* p) noexcept nogil
cdef Py_ssize_t check_meta(Opening* opening, const Row* rows, Py_ssize_t count, const uint8_t* length, uint64_t begin,
                           uint64_t stop) noexcept nogil
cdef uint8_t found_mode(Opening* opening, const uint8_t* p, uint64_t held, uint64_t left, uint64_t at,
                        uint8_t mode) noexcept nogil
cdef uint8_t guessed_mode(const uint8_t* p, uint64_t held, uint64_t left) noexcept nogil
