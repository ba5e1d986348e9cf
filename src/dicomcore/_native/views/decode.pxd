# Values from rows: resolves VRs and character sets, and decodes to Python or NumPy values.

from libc.stdint cimport uint16_t, uint32_t

from dicomcore._native.scan.index cimport Index
from dicomcore._native.scan.scan cimport Row

cdef enum:
    LUT_DESCRIPTOR = 0x00283002


cdef inline bint is_lut_descriptor(uint32_t tag) noexcept nogil:
    return tag == LUT_DESCRIPTOR or 0x00281101 <= tag <= 0x00281103


cdef str vr_name(uint16_t vr)
cdef str vr_dtype(uint16_t vr)      # NumPy's name for a word of a binary value, without byte order; "u1" for all others
cdef object make_tag(uint32_t tag)
cdef object make_name(str text)
cdef uint16_t resolve_vr(Index index, Py_ssize_t row) except? 0xFFFF
cdef object charset_at(Index index, Py_ssize_t row)
cdef object decode(Index index, Py_ssize_t row, uint16_t vr)
cdef object number_of_text(str text, uint16_t vr)
cdef object whole_of(object number, str text)
cdef object number_array(list values, uint16_t vr)
cdef object decode_array(Index index, Py_ssize_t row, uint16_t vr)
cdef Py_ssize_t count_multiplicity(Index index, Py_ssize_t row, uint16_t vr) except -1
cdef object raw_view(Index index, Py_ssize_t row)
cdef object empty_value(uint16_t vr)
cdef object dress(str text, uint16_t vr)
