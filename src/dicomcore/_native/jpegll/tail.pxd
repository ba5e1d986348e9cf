# The latter part of a JPEG lossless scan, decoded ahead by another thread.

from libc.stdint cimport uint8_t, uint16_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.jpegll.entropy cimport Bits, Start, Tables
from dicomcore._native.jpegll.markers cimport Scan, Stream
from dicomcore._native.jpegll.rows cimport Rows


cdef struct Ahead:
    Stream stream
    Scan scan
    Py_ssize_t place                # of the tail's first byte; 0: this codestream has none
    uint16_t* memory
    uint16_t* differences           # within memory, behind room for a few rows
    Py_ssize_t count                # of differences
    Start start
    Bits bits
    Tables tables
    Status status                   # why it ended; where is in bits
