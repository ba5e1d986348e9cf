# Entries that a program has added to the dictionaries. They are looked up only if the generated tables have no entry.

from libc.stdint cimport int64_t, uint16_t, uint32_t

cdef uint16_t taught_vr(uint32_t tag) noexcept nogil        # two letters, the first in the low byte; 0 if unknown
cdef int64_t taught_tag(object keyword)                     # -1 if unknown
cdef tuple taught_entry(uint32_t tag)                       # (VR, VM, name, retired, keyword), None if unknown
cdef bint any_taught_private()                              # whether any private entry was added
cdef tuple taught_private(uint32_t tag, object creator)     # (VR, VM, name, ""), None if unknown
