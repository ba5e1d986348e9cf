# What a pass did: how often each action for each reason, by tag.

from libc.stdint cimport uint8_t, uint32_t

cdef struct Entry:
    uint32_t tag, count
    uint8_t action, rule

cdef class Log:
    cdef Entry* entries             # a hash table; a count of 0 is an empty place
    cdef uint32_t room, filled

    cdef int add(self, uint32_t tag, uint8_t action, uint8_t rule, uint32_t count=*) except -1
    cdef int grow(self) except -1
