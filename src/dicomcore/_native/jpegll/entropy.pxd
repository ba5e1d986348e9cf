# Decodes the entropy-coded data of JPEG lossless to differences (T.81 H.2).

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.jpegll.markers cimport Codes

cdef extern from "jpegll/types.h" nogil:
    enum:
        JLL_SLACK
        JLL_CODE_BITS
        JLL_SHORT
        JLL_LONG
        JLL_CHAINS
        JLL_SPILL
        JLL_LONGEST
        JLL_GROUP
    ctypedef uint64_t jll_several
    ctypedef struct jll_table:
        uint32_t limit[18]
        int32_t first[18]
        uint8_t symbols[256]
        int most
        uint16_t code[1]            # types.h states its length
    ctypedef struct jll_chain:
        int64_t pos
        int64_t stop
        uint16_t* out
        uint16_t* full
        int phase
        int broken

cdef enum:
    REGION = 8192                   # most bytes of entropy-coded data that a chain reads in one round

cdef struct Tables:                 # of one scan
    int count                       # number of tables, one per component; 1: all components share one
    const jll_table* turn[4]        # by component
    jll_table* owned                # `count` tables
    jll_several* several            # NULL: too few samples, or too many bits per sample, for it to pay off
    int several_bits

cdef struct Bits:                   # entropy-coded data, whose stuffed zeros are removed while it is read
    const uint8_t* src
    Py_ssize_t n
    Py_ssize_t i                    # offset in src of the next byte to copy into `clean`
    Py_ssize_t cap                  # offset in src where copying stops for now; at most n
    Py_ssize_t began                # offset in src of the first byte of this restart interval
    int64_t dropped                 # bytes of this interval that have left `clean`
    uint8_t* clean
    Py_ssize_t held                 # bytes in `clean`
    int64_t pos                     # the next bit of `clean`
    bint ended                      # src[i] begins a marker, or i is n or the cap
    int misses                      # consecutive rounds in which two chains never fell into step

cdef enum:
    LOGGED = 512                    # most positions at which a chain can fall into step with the next chain

cdef struct Start:                  # the first samples of a chain that began at an arbitrary byte
    int64_t log[LOGGED]             # the bit at which each of them begins
    int phases[LOGGED]              # its component, if components have their own tables
    int logged
    uint16_t* begin                 # where the first one is stored

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
