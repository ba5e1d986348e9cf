# The latter half of a JPEG lossless scan, which another thread decodes ahead.

from libc.stdint cimport uint8_t, uint16_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.jpegll.entropy cimport Bits, Start, Tables
from dicomcore._native.jpegll.markers cimport Scan, Stream
from dicomcore._native.jpegll.rows cimport Rows


cdef struct Ahead:
    Stream stream
    Scan scan
    Py_ssize_t place                # offset of the tail's first byte; 0: this codestream has no tail
    uint16_t* memory
    uint16_t* differences           # within `memory`, behind room for a few rows
    Py_ssize_t count                # number of differences
    Start start
    Bits bits
    Tables tables
    Status status                   # the reason why decoding ended; `bits` has the position
