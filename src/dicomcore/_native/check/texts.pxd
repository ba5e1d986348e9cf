# Text of VRs that have a form or a greatest length (PS3.5 6.2, 9.1). A value is p[0:n], without padding.

from libc.stdint cimport uint8_t, uint16_t

from dicomcore._native.base.vr cimport AE, AS, CS, DA, DS, DT, IS, LO, LT, PN, SH, ST, TM, UI
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


cdef inline bint has_form(uint16_t vr) noexcept nogil:
    return vr == UI or vr == DS or vr == IS or vr == DA or vr == TM or vr == DT or vr == AS or has_bounds(vr)


cdef inline bint has_bounds(uint16_t vr) noexcept nogil:
    # VRs of whose text the length and the control characters are bounded.
    return vr == CS or vr == SH or vr == LO or vr == PN or vr == AE or vr == ST or vr == LT
