# Appends one value to a column.

from libc.stdint cimport uint8_t, uint16_t

from dicomcore._native.bulk.column cimport Column
from dicomcore._native.base.fault cimport Status
from dicomcore._native.base.text cimport trimmed
from dicomcore._native.base.vr cimport AE, PN


cdef inline Py_ssize_t undressed(const uint8_t** p, Py_ssize_t n, uint16_t vr) noexcept nogil:
    # Length of a value without its insignificant characters other than trailing padding: an AE loses leading spaces, a
    # PN empty component groups at its end.
    while vr == AE and n and p[0][0] == 32:
        p[0] += 1
        n -= 1
    if vr == PN and n and p[0][n - 1] == 61:
        while n and p[0][n - 1] == 61:
            n -= 1
        n = trimmed(p[0], n)
    return n


cdef bint is_utf8(const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef bint is_printable(const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef Status text_cell(Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr, bint latin) noexcept nogil
cdef Status date_cell(Column* c, const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef Status number_text_cell(Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr) noexcept nogil
cdef Status binary_cell(Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr, bint big) noexcept nogil
