# Encodes one element.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.views.data_element cimport DataElement
from dicomcore._native.write.level cimport Level
from dicomcore._native.write.output cimport Output

cdef enum Lengths:
    AS_STOOD = 0
    DEFINED = 1
    OPEN = 2


cdef class Encoder:
    cdef Output out
    cdef uint8_t mode               # the encoding to write: IMPLICIT | BIG_ENDIAN
    cdef bint encapsulated          # whether fragments may be written
    cdef int lengths
    cdef object forced              # a Charset that replaces every stated one, or None
    cdef tuple terms

    cdef object charset_of(self, Level level)
    cdef uint16_t settled(self, Level level, DataElement element) except 0xFFFF
    cdef long long number(self, Level level, uint32_t tag, long long default) except? -1
    cdef uint64_t word_width(self, Level level, uint32_t tag, uint16_t vr) except 0
    cdef object named(self, Level level, uint32_t tag, object error)
    cdef Py_ssize_t put_header(self, uint32_t tag, uint16_t vr, uint64_t length) except -1
    cdef int set_length(self, Py_ssize_t at, uint32_t tag, uint16_t vr, uint64_t length) except -1
    cdef bint is_open(self, bint stood)
    cdef int put_group_length(self, Level level, uint32_t tag) except -1
    cdef int close_group(self, Level level) except -1
    cdef int put_plain(self, Level level, DataElement element, uint16_t vr) except -1
    cdef int put_encapsulated(self, DataElement element, object held) except -1
    cdef int convert_value(self, Level level, Py_ssize_t row, uint16_t vr) except -1
    cdef int put_terms(self) except -1
    cdef int recode(self, Level level, Py_ssize_t row, uint16_t vr, bytes data) except -1
    cdef int convert_fragments(self, Level level, Py_ssize_t row) except -1

cdef tuple terms_of(object value)
