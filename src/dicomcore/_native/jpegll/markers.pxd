# Reads the marker segments of a JPEG lossless codestream (T.81 Annex B), before and between the scans.

from libc.stdint cimport uint8_t

from dicomcore._native.base.fault cimport Status


cdef enum:                      # second bytes of the markers between restart intervals (T.81 table B.1)
    RST0 = 0xD0
    RST7 = 0xD7

cdef struct Component:
    uint8_t id                  # Ci
    int h, v                    # Hi, Vi: sampling factors
    Py_ssize_t rows, columns    # in the component's own samples (A.1.1)

cdef struct Frame:              # SOF3 (B.2.2)
    int precision               # P
    Py_ssize_t rows, columns    # Y, X
    int count                   # Nf
    int hmax, vmax
    Component components[4]

cdef struct Scan:               # SOS (B.2.3)
    int count                   # Ns
    int component[4]            # indices into Frame.components
    int table[4]                # Tdj
    int predictor               # Ss
    int point_transform         # Al

cdef struct Codes:              # one table of a DHT segment (B.2.4.2)
    uint8_t counts[17]          # number of codes by length, from 1 on
    uint8_t symbols[256]
    int total                   # number of codes; 0: the table is not defined

cdef struct Stream:
    const uint8_t* src
    Py_ssize_t n
    Py_ssize_t i                # offset of the next byte; after a fault, of the byte at fault
    Frame frame
    bint framed                 # a frame header has been read
    Codes codes[4]
    Py_ssize_t restart_interval     # Ri, in MCUs; 0: none

cdef void open_stream(Stream* s, const uint8_t* src, Py_ssize_t n) noexcept nogil
cdef Status next_scan(Stream* s, Scan* scan) noexcept nogil
cdef Status next_marker(const uint8_t* src, Py_ssize_t n, Py_ssize_t* i, int* marker) noexcept nogil
