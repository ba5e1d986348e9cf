# Rules of pixel data, look-up tables, windows and overlays.

from libc.stdint cimport uint8_t, uint32_t

from dicomcore._native.check.level cimport Level

cdef enum:
    OVERLAY_GROUPS = 16

cdef struct Overlay:                # the rows of one group 60xx
    uint32_t rows, columns, frames, allocated, position, data

cdef int coding_of(const uint8_t* uid, int n) noexcept nogil
cdef void check_image(Level* v) noexcept nogil
cdef void check_lossy(Level* v) noexcept nogil
cdef void check_window(Level* v) noexcept nogil
cdef void check_lut(Level* v) noexcept nogil
cdef void check_palette(Level* v) noexcept nogil
cdef void place_overlay(Overlay* overlays, uint32_t tag, uint32_t row) noexcept nogil
cdef void check_overlay(Level* v, const Overlay* o) noexcept nogil
