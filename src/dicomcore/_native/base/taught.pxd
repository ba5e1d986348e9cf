# Entries that a program has added to the dictionaries. Asked only for what the generated tables don't hold.

from libc.stdint cimport int64_t, uint16_t, uint32_t

cdef uint16_t taught_vr(uint32_t tag) noexcept nogil        # two letters, the first in the low byte; 0 when unknown
cdef int64_t taught_tag(object keyword)                     # -1 when unknown
cdef tuple taught_entry(uint32_t tag)                       # (VR, VM, name, retired, keyword), None when unknown
cdef bint any_taught_private()                              # whether the next is worth asking
cdef tuple taught_private(uint32_t tag, object creator)     # (VR, VM, name, ""), None when unknown
