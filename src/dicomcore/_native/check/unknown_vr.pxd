# Elements whose VR is UN (PS3.5 6.2.2), with the VR and the items that the dictionary tells.

from dicomcore._native.check.subject cimport Subject
from dicomcore._native.scan.index cimport Index
from dicomcore._native.scan.scan cimport Row


cdef class Rows:                    # rows of our own
    cdef Row* list
    cdef Py_ssize_t count, capacity
    cdef int append(self, const Row* row) except -1


cdef bint has_known(const Subject* s) noexcept nogil      # whether it has elements in UN whose VR is known
cdef Rows resolved(Index index, Subject* s)
# The subject's rows anew, with which it goes on: elements of the dictionary in UN have its VR, and sequences in UN have
# their items. None if no element is in UN. The caller keeps what is returned as long as the subject.
