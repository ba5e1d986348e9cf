# Codes and context groups of PS3.16 for native code; `coded.h` says what the fields mean. Only `contexts.pyx` holds the
# tables.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef extern from "rules/coded.h" nogil:
    ctypedef struct rule_code_t:
        uint32_t text
        uint8_t value, meaning, scheme
    ctypedef struct rule_srt_t:
        uint32_t text
        uint16_t code
        uint8_t length
    ctypedef struct rule_context_t:
        uint32_t text, members
        uint16_t number, count
        uint8_t name, uid, version, flag

cdef int find_code(const uint8_t* scheme, Py_ssize_t m, const uint8_t* value, Py_ssize_t n) noexcept nogil
# The number of a code given without padding, of SRT that of the code of SCT in its place; -1: none.
cdef bint has_member(int context, int code) noexcept nogil                      # `context` is a row
cdef int context_row(int number) noexcept nogil                                 # -1: there is no such group
cdef const rule_context_t* context_at(int row) noexcept nogil
cdef bint is_srt(const uint8_t* scheme, Py_ssize_t m) noexcept nogil            # SRT, or a name that it had before
