# Coerces the values that callers set to the types that elements hold.

from libc.stdint cimport uint16_t, uint32_t

cdef object coerced_for(uint32_t tag, object value, uint16_t vr, str checks)
