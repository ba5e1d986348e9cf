# Writes elements with other values.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from dicomcore._native.check.plan cimport Plan
from dicomcore._native.deid.copier cimport Copier, Frame
from dicomcore._native.deid.log cimport Log
from dicomcore._native.deid.rules cimport Rules
from dicomcore._native.scan.scan cimport Row


cdef class Changer(Copier):
    cdef Rules rules
    cdef Plan types
    cdef object mapping             # the façade's: maps what native code does not
    cdef bytes study                # Study Instance UID
    cdef object patient             # its part for this file; None until needed
    cdef object uids                # a dict that makes what it lacks
    cdef Log log
    cdef tuple marks                # elements of the root that say what was done, with their bytes in three encodings
    cdef Py_ssize_t next_mark
    cdef object cleaned             # the new value of pixel data that was cleaned

    cdef int dummy(self, Frame* f, const Row* r, uint16_t vr) except -1
    cdef int map_uid(self, Frame* f, const Row* r) except -1
    cdef int by_mapping(self, Frame* f, Py_ssize_t row, const Row* r, uint8_t action, uint8_t basic, uint8_t rule,
                        uint16_t vr) except -1
    cdef int kind_of(self, Frame* f, uint32_t tag, uint32_t* child) noexcept
    cdef object patient_of(self)
    cdef str text_of(self, uint32_t tag)
    cdef int call(self, Frame* f, Py_ssize_t row, const Row* r, uint16_t vr, uint16_t number) except -1
    cdef int number_at(self, Frame* f, uint32_t tag) except -1
    cdef bint mark(self, uint32_t tag) except -1
    cdef int put_pixels(self, Frame* f, const Row* r) except -1
