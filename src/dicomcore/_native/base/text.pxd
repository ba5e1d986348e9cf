# Text values as bytes: their length without padding, and whether their character set matters.

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy, strlen


cdef inline Py_ssize_t trimmed(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # The length without trailing spaces and NULs (PS3.5 6.2).
    while n and (p[n - 1] == 32 or p[n - 1] == 0):
        n -= 1
    return n


cdef inline Py_ssize_t stripped(const uint8_t** p, Py_ssize_t n) noexcept nogil:
    # The same without leading spaces, which are not significant in most VRs (PS3.5 6.2); p[0] is moved behind them.
    n = trimmed(p[0], n)
    while n and p[0][0] == 32:
        p[0] += 1
        n -= 1
    return n


cdef inline Py_ssize_t without_equals(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # The length of a person name without the trailing "=" signs of empty component groups (PS3.5 6.2.1.1).
    while n and p[n - 1] == 61:
        n -= 1
    return n


cdef inline bint is_ascii(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether there is no byte above 7FH and no escape, so that every character set gives the same text.
    cdef uint64_t word, high = 0
    cdef Py_ssize_t i = 0
    while n - i >= 8:
        memcpy(&word, p + i, 8)
        high |= word
        i += 8
    while i < n:
        high |= p[i]
        i += 1
    if high & <uint64_t>0x8080808080808080:
        return False
    return n == 0 or memchr(p, 0x1B, n) == NULL


cdef inline bint equals(const uint8_t* p, Py_ssize_t n, const char* text) noexcept nogil:
    return n == <Py_ssize_t>strlen(text) and memcmp(p, text, n) == 0
