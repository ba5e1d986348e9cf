# Scans of JPEG lossless whose components differ in size, or have several samples in a minimum coded unit (MCU).

from libc.stdint cimport uint16_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.jpegll.entropy cimport Bits, Tables
from dicomcore._native.jpegll.markers cimport Frame, Scan
from dicomcore._native.jpegll.rows cimport Output


cdef struct Blocks:                     # a scan in MCUs of h × v samples of each component (A.2)
    Py_ssize_t across, down             # MCUs
    int h[4]
    int v[4]
    uint16_t* plane[4]                  # the samples of each component, filled up to whole MCUs
    uint16_t* memory

cdef Status lay_blocks(Blocks* blocks, const Frame* frame, const Scan* scan) noexcept nogil
cdef Status decode_blocks(Bits* bits, const Tables* tables, const Frame* frame, const Scan* scan, Blocks* blocks,
                          Py_ssize_t interval) noexcept nogil
cdef void put_blocks(const Blocks* blocks, const Frame* frame, const Scan* scan, Output* out, bint apart) noexcept nogil
