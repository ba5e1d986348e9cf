# A file as a whole: whether it is all there, where it ends, and the beginning of the new one.

from libc.stdint cimport uint32_t

from dicomcore._native.scan.index cimport Index
from dicomcore._native.write.output cimport Output

cdef int put_whole(Output out, bytes data) except -1
cdef bytes head_of(bytes sop_class, bytes instance, bytes syntax, bytes implementation)
cdef int check_whole(Index index) except -1
cdef Py_ssize_t last_row(Index index) noexcept
cdef bytes root_value(Index index, uint32_t tag, Py_ssize_t first, Py_ssize_t stop)
