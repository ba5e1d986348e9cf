# DS values that keep their text, for code written for pydicom.

from libc.stdint cimport uint8_t

cdef object decimal_of(double number, const uint8_t* text, Py_ssize_t n)
