# A growing JSON document: its characters, and the functions that append values in their JSON forms.

from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef class Document:
    cdef PyObject* text
    cdef uint8_t* data          # its characters
    cdef Py_ssize_t size, capacity
    cdef bint ascii             # nothing above 7FH was written

    cdef int grow(self, Py_ssize_t more) except -1

    cdef inline int reserve(self, Py_ssize_t more) except -1:
        if more > self.capacity - self.size:
            self.grow(more)
        return 0

    cdef inline int put(self, const char* text, Py_ssize_t n) except -1:
        self.reserve(n)
        memcpy(self.data + self.size, text, n)
        self.size += n
        return 0

    cdef inline int put_byte(self, uint8_t c) except -1:
        self.reserve(1)
        self.data[self.size] = c
        self.size += 1
        return 0

    cdef int put_quoted(self, const uint8_t* p, Py_ssize_t n) except -1
    cdef int put_str(self, str text) except -1
    cdef object finished(self)
    cdef bint put_number_texts(self, const uint8_t* p, Py_ssize_t n, bint whole) except -1
    cdef int put_numbers(self, const uint8_t* p, Py_ssize_t n, uint16_t vr, bint big) except -1
    cdef int put_number(self, const uint8_t* p, uint16_t vr, bint big) except -1
    cdef int put_tag(self, uint32_t tag) except -1
    cdef int put_wide(self, uint64_t word, bint signed) except -1
    cdef int put_double(self, double value) except -1
    cdef bint put_texts(self, const uint8_t* p, Py_ssize_t n, uint16_t vr) except -1
    cdef int put_one(self, const uint8_t* p, Py_ssize_t n, uint16_t vr) except -1
