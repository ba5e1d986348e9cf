# Text of VRs that have a form (PS3.5 6.2, 9.1). A value is p[0:n], without padding.

from libc.stdint cimport uint8_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.findings cimport Findings
from dicomcore._native.check.subject cimport Subject
from dicomcore._native.scan.scan cimport Row

cdef bint is_uid(const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef bint is_date(const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef bint is_time(const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef bint is_datetime(const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef bint is_age(const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef bint is_bad_text(const Subject* s, const Row* r) noexcept nogil
# Whether one of the row's values is not in the form of its VR; False for VRs without a form, for what is empty, and for
# values that are not in memory.
cdef Status check_texts(const Subject* s, Findings* f) noexcept nogil
# A finding BAD_VALUE for each such row, at every depth.
