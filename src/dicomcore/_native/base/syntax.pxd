# How each transfer syntax encodes a data set (PS3.5 Annex A); the table is generated from `dicomcore.syntaxes`.

from libc.stdint cimport uint8_t
from libc.string cimport memcmp

cdef extern from "base/tables/syntaxes.h" nogil:
    enum:
        SYNTAX_IMPLICIT         # this flag and the next are also flags of an index's rows (scan.pxd)
        SYNTAX_BIG_ENDIAN
        SYNTAX_DEFLATED
    ctypedef struct syntax_row_t:
        uint8_t flags, length
        const char* uid
    const int SYNTAX_COUNT
    const syntax_row_t SYNTAX_ROWS[]


cdef inline uint8_t syntax_flags(const uint8_t* uid, Py_ssize_t n) noexcept nogil:
    # The SYNTAX_ flags of a UID, given without padding; 0 (explicit VR little endian) if the table doesn't list it.
    cdef int i
    for i in range(SYNTAX_COUNT):
        if n == SYNTAX_ROWS[i].length and memcmp(uid, SYNTAX_ROWS[i].uid, n) == 0:
            return SYNTAX_ROWS[i].flags
    return 0
