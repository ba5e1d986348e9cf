# Rules across attributes, at every level of a data set.

from libc.stdint cimport uint8_t, uint32_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.findings cimport Findings
from dicomcore._native.check.subject cimport Subject

# Rows [0, meta_stop) are the file meta information; the transfer syntax is its text without padding, n bytes.
cdef Status check_coherence(const Subject* s, uint32_t meta_stop, const uint8_t* syntax, int n,
                            Findings* f) noexcept nogil
