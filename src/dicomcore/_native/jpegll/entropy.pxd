# Entropy-coded data of JPEG lossless to differences (T.81 H.2).

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.jpegll.markers cimport Codes

cdef extern from "jpegll/types.h" nogil:
    enum:
        JLL_SLACK
        JLL_CODE_BITS
        JLL_MOST_BITS
        JLL_SPILL
        JLL_LONGEST
        JLL_GROUP
    ctypedef uint64_t jll_several
    ctypedef struct jll_table:
        uint32_t limit[18]
        int32_t first[18]
        uint8_t symbols[256]
        uint16_t code[1]            # its length is the header's affair
    ctypedef struct jll_chain:
        int64_t pos
        int64_t stop
        uint16_t* out
        uint16_t* full
        int phase
        int broken

cdef enum:
    REGION = 8192                   # bytes of entropy-coded data a chain has before it, at most

cdef struct Tables:                 # of one scan
    int count                       # components with a table of their own, in turn; 1: all have the same
    const jll_table* turn[4]        # by component
    jll_table* owned                # `count` of them
    jll_several* several            # NULL: the bits hold too few differences for it, or they are too few
    int several_bits

cdef struct Bits:                   # entropy-coded data, its stuffed zeros taken out as it is read
    const uint8_t* src
    Py_ssize_t n
    Py_ssize_t i                    # of src: what hasn't been taken yet
    Py_ssize_t cap                  # of src: what isn't to be taken yet; n at most
    Py_ssize_t began                # of src: the first byte of this restart interval
    int64_t dropped                 # bytes of this interval that have left `clean`
    uint8_t* clean
    Py_ssize_t held                 # bytes in clean
    int64_t pos                     # the next bit of clean
    bint ended                      # src[i] begins a marker, or is the end or the cap
    int misses                      # second chains in a row that never fell into step

cdef enum:
    LOGGED = 512                    # places at which a chain may fall into step with the one behind it, at most

cdef struct Start:                  # how a chain began that began anywhere
    int64_t log[LOGGED]             # where its first samples begin
    int phases[LOGGED]
    int logged
    uint16_t* begin                 # its first sample

cdef void start_anywhere(const Tables* tables, const uint8_t* bits, jll_chain* chain, Start* start,
                         int most) noexcept nogil
cdef int fall_in_step(const Tables* tables, const uint8_t* bits, jll_chain* chain, const Start* start) noexcept nogil
cdef void fill(Bits* bits) noexcept nogil
cdef Status build_tables(Tables* tables, const Codes** codes, int count, Py_ssize_t samples,
                         double bits_each) noexcept nogil
cdef void free_tables(Tables* tables) noexcept nogil
cdef Status open_bits(Bits* bits, const uint8_t* src, Py_ssize_t n, Py_ssize_t i) noexcept nogil
cdef void free_bits(Bits* bits) noexcept nogil
cdef void begin_interval(Bits* bits, Py_ssize_t i) noexcept nogil
cdef Py_ssize_t place_of(const Bits* bits) noexcept nogil
cdef Py_ssize_t room_for(Py_ssize_t want) noexcept nogil
cdef Status read_differences(Bits* bits, const Tables* tables, uint16_t* out, Py_ssize_t want, int* phase,
                             Py_ssize_t* got) noexcept nogil
cdef Status read_one(Bits* bits, const jll_table* table, uint16_t* out) noexcept nogil
