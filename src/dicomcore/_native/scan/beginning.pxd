# Whether the first bytes of a file without a DICM prefix may be DICOM.

from libc.stdint cimport uint8_t

cdef bint may_be_dicom(const uint8_t* p, Py_ssize_t n) noexcept nogil
