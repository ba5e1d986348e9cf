# Headers that break the standard: unknown VRs, explicit elements in implicit data sets, GE's length 13.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.scan.scan cimport Level, Scanner


cdef bint unseen(Scanner* s, Level* level, uint64_t at) noexcept nogil
cdef bint plausible(Scanner* s, Level* level, uint64_t at, uint32_t tag) noexcept nogil
cdef Status strange_implicit(Scanner* s, Level* level, const uint8_t* p, uint32_t tag, uint64_t left, uint16_t* vr,
                             uint32_t* length, uint8_t* header, uint8_t* flags) noexcept nogil
cdef Status strange_header(Scanner* s, Level* level, const uint8_t* p, uint32_t tag, uint64_t left,
                           uint16_t* vr, uint32_t* length, uint8_t* header, uint8_t* flags) noexcept nogil
