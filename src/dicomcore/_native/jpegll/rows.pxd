# Decodes rows of JPEG lossless whose components have the frame's size: differences to samples in the output.

from libc.stdint cimport uint8_t, uint16_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.jpegll.entropy cimport Bits, Tables
from dicomcore._native.jpegll.markers cimport Frame, Scan


cdef struct Output:                     # where the samples of a scan go
    uint8_t* dst[4]                     # the first sample of each of its components
    int width                           # bytes per sample: 1 or 2
    int stride                          # samples from one sample of a component to its next one
    int shift                           # the point transform (H.1.2.1)

cdef struct Rows:                       # the progress of a scan
    Output out
    int lag                             # components of the scan
    Py_ssize_t columns, count           # pixels and samples of a row
    Py_ssize_t y, top, stop             # the next row, and the first row and the end of its restart interval
    Py_ssize_t last                     # the end of the frame
    int predictor
    uint16_t start                      # the prediction of an interval's first sample
    bint in_place                       # prediction works on the rows of the output itself
    bint bytes                          # the output holds nothing but these samples, of one byte, with predictor 1
    bint slanted                        # decode SLANT rows together
    uint16_t* memory                    # rows for prediction if not in_place
    uint16_t* above                     # the last decoded row
    uint16_t* heap                      # differences that are not rows yet
    Py_ssize_t held                     # their number
    int phase                           # component of the next difference, if components have their own tables

cdef Status open_rows(Rows* rows, const Frame* frame, const Scan* scan, const Output* out,
                      Py_ssize_t interval) noexcept nogil
cdef void free_rows(Rows* rows) noexcept nogil
cdef Py_ssize_t take_rows(Rows* rows, const uint16_t* differences, Py_ssize_t held, bint last) noexcept nogil
cdef Status next_interval(Bits* bits) noexcept nogil
cdef Status decode_rows(Bits* bits, const Tables* tables, Rows* rows, Py_ssize_t interval) noexcept nogil
cdef void put_samples(const Output* out, int j, Py_ssize_t first, const uint16_t* samples, Py_ssize_t count,
                      int lag) noexcept nogil
