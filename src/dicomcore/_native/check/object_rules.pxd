# Rules of identity, geometry, waveforms, contours and graphics.

from libc.stdint cimport uint16_t

from dicomcore._native.check.level cimport Level

cdef void check_identity(Level* v) noexcept nogil
cdef void check_document(Level* v) noexcept nogil
cdef void check_timezone(Level* v) noexcept nogil
cdef void check_laterality(Level* v) noexcept nogil
cdef void check_spacing(Level* v, int slot) noexcept nogil
cdef void check_aspect(Level* v) noexcept nogil
cdef void check_orientation(Level* v, int slot) noexcept nogil
cdef void check_position(Level* v, int slot) noexcept nogil
cdef void check_matrix(Level* v) noexcept nogil
cdef void check_order(Level* v, int low, int high, uint16_t code) noexcept nogil
cdef void check_mapping(Level* v) noexcept nogil
cdef void check_contour(Level* v) noexcept nogil
cdef void check_graphic(Level* v) noexcept nogil
cdef void check_points(Level* v) noexcept nogil
cdef void check_waveform(Level* v) noexcept nogil
cdef void check_channel(Level* v) noexcept nogil
