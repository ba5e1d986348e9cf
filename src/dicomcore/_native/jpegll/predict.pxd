# Prediction of JPEG lossless (T.81 H.1.2.1), for decoding and encoding.

from libc.stdint cimport uint8_t, uint16_t

cdef extern from "jpegll/slanted.h" nogil:
    enum:
        JLL_SLANT

cdef enum:
    SLANT = JLL_SLANT               # rows that undo_slanted() decodes together

cdef void undo_first_row(const uint16_t* differences, uint16_t* row, Py_ssize_t count, int lag,
                         uint16_t start) noexcept nogil
cdef void undo_row(const uint16_t* differences, uint16_t* row, const uint16_t* above, Py_ssize_t count, int lag,
                   int predictor) noexcept nogil
cdef void undo_slanted(const uint16_t* differences, uint16_t** rows, const uint16_t* above, Py_ssize_t count,
                       int predictor) noexcept nogil
cdef void undo_bytes(const uint16_t* differences, uint8_t* row, Py_ssize_t count, int lag, bint first,
                     uint16_t start) noexcept nogil
cdef void differ_first_row(const uint16_t* row, uint16_t* differences, Py_ssize_t count, int lag,
                           uint16_t start) noexcept nogil
cdef void differ_row(const uint16_t* row, const uint16_t* above, uint16_t* differences, Py_ssize_t count, int lag,
                     int predictor) noexcept nogil
