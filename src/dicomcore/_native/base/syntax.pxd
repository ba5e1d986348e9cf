# How a transfer syntax encodes a data set (PS3.5 Annex A), from the table of `dicomcore.syntaxes`.

from libc.stdint cimport uint8_t
from libc.string cimport memcmp

cdef extern from "base/tables/syntaxes.h" nogil:
    enum:
        SYNTAX_IMPLICIT         # the two flags that a row of the index has, too (scan.pxd)
        SYNTAX_BIG_ENDIAN
        SYNTAX_DEFLATED
    ctypedef struct syntax_row_t:
        uint8_t flags, length
        const char* uid
    const int SYNTAX_COUNT
    const syntax_row_t SYNTAX_ROWS[]


cdef inline uint8_t syntax_flags(const uint8_t* uid, Py_ssize_t n) noexcept nogil:
    # The SYNTAX_ flags of a UID without its padding; 0, explicit VR little endian, for one that is not in the table.
    cdef int i
    for i in range(SYNTAX_COUNT):
        if n == SYNTAX_ROWS[i].length and memcmp(uid, SYNTAX_ROWS[i].uid, n) == 0:
            return SYNTAX_ROWS[i].flags
    return 0
