# Copies what stays of a file, level by level.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.scan.index cimport Index
from dicomcore._native.scan.scan cimport Row
from dicomcore._native.write.output cimport Output

cdef enum:
    NOWHERE = -1

cdef struct Frame:              # one data set, or the items of one sequence
    Py_ssize_t first, row, stop
    Py_ssize_t length_at        # where its length stands in the output's buffer, NOWHERE: it has a delimiter
    uint64_t begun              # the output's size behind its header
    uint64_t end                # where its contents end in the source
    uint32_t level              # of the IOD
    uint32_t tag                # of the sequence
    uint32_t block              # the private block that was asked for last, and its creator
    int creator
    uint32_t overlay            # the group of overlays that was asked for last
    bint overlay_gone
    int index
    uint8_t how
    bint items, big


cdef class Copier:
    cdef Index index                # of the data set, or of a sequence that was indexed late
    cdef list indices
    cdef Output out
    cdef Frame* frames
    cdef Py_ssize_t depth, room
    cdef uint64_t run_begin, run_end    # the bytes of the source that are to be copied next

    cdef int flush(self) except -1
    cdef int keep(self, uint64_t begin, uint64_t end) except -1
    cdef bint is_plain(self, const Row* r) except -1
    cdef int keep_element(self, Frame* f, const Row* r) except -1
    cdef Py_ssize_t put_header(self, uint32_t tag, const Row* r, uint16_t vr, uint64_t length, bint big) except -1
    cdef int put_bytes(self, Frame* f, const Row* r, const uint8_t* p, Py_ssize_t n, uint16_t vr) except -1
    cdef int replace(self, Frame* f, const Row* r, bytes value, uint16_t vr) except -1
    cdef bytes value_of(self, const Row* r)
    cdef int keep_any(self, Frame* f, Py_ssize_t row, const Row* r) except -1
    cdef Frame* push(self) except NULL
    cdef int open(self, Py_ssize_t row, uint32_t level, uint8_t how, Index late) except -1
    cdef int close(self) except -1
    cdef int patch(self, Frame* f, uint64_t length) except -1
    cdef bint has_delimiter(self, uint64_t at, uint32_t delimiter, bint big) except -1
