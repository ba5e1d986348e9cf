# The beginning of a raw deflate stream (RFC 1951), inflated from memory.

from libc.stdint cimport uint8_t

from dicomcore._native.base.fault cimport Status

cdef Status inflate_beginning(const uint8_t* src, Py_ssize_t n, uint8_t* dst, Py_ssize_t wanted,
                              Py_ssize_t* done, Py_ssize_t* used, bint* ended) noexcept nogil
