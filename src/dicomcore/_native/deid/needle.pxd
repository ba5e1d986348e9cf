# The set of needles, for native callers that search memory of their own.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status

cdef enum Flags:            # of a needle
    WHOLE_WORD = 1          # no letter goes on with a letter, no digit with a digit
    CASELESS = 2            # ASCII letters only
    WIDE_LITTLE = 4         # text of two bytes a character: where its neighbours are
    WIDE_BIG = 8

cdef enum:
    SETS = 4

cdef struct Needle:
    uint32_t at, length     # in Set.text
    uint32_t flags
    uint32_t number         # as the caller counts

cdef struct Gram:           # one of the stretches of a needle, one of which every search meets
    uint64_t word
    uint32_t needle, offset

cdef struct Set:
    uint8_t* text           # of all needles, caseless ones in lower case
    Needle* needles
    Py_ssize_t count
    Gram* grams             # sorted by bucket
    uint32_t* buckets       # the first gram of each, and the end of the last
    uint64_t* bits          # one for each hash: whether any gram has it
    uint64_t mask           # of the bytes of a word that a gram has
    int shift, bucket_shift
    Py_ssize_t width, stride, longest   # of a gram, from look to look, of a needle

cdef struct Hit:
    int64_t offset
    uint32_t needle

cdef struct Hits:
    Hit* items
    Py_ssize_t most, kept
    int64_t found           # also those that are not kept

cdef void find(const Set* s, const uint8_t* data, Py_ssize_t n, Py_ssize_t first, Py_ssize_t stop, int64_t base,
               Hits* hits) noexcept nogil


cdef class Needles:
    cdef Set[SETS] sets     # of one byte a character and of two, short and long ones
    cdef Py_ssize_t count
