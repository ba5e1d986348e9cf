# Rules of frames, dimensions, and of numbers by which items refer to each other.

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.level cimport Level

cdef Status read_names(Level* v) noexcept nogil
cdef void free_names(Level* v) noexcept nogil
cdef void check_frames(Level* v) noexcept nogil
cdef void check_segments(Level* v) noexcept nogil
cdef void check_frame_numbers(Level* v, int slot) noexcept nogil
cdef void check_own_frames(Level* v) noexcept nogil
cdef void check_dimension_values(Level* v) noexcept nogil
cdef void check_frame_type(Level* v) noexcept nogil
cdef void check_reference(Level* v, int slot) noexcept nogil
