# Reverses the bytes of each word; `dst` may be `src` itself.

from libc.stdint cimport uint8_t

from dicomcore._native.base.fault cimport Status


cdef Status swap(const uint8_t* src, uint8_t* dst, Py_ssize_t count, Py_ssize_t width) noexcept nogil
