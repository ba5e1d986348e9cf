# The attributes that rules across attributes look at, by tag.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef extern from "rules/tables/checked.h" nogil:
    const int RULE_CHECKED_BITS
    const uint32_t RULE_CHECKED_FACTOR
    const uint32_t RULE_CHECKED_TAGS[]
    const uint8_t RULE_CHECKED_ZERO[]
    const uint16_t RULE_CHECKED_HASH[]


cdef inline int place_of(uint32_t tag) noexcept nogil:
    # The place of an attribute in the tables, -1: none; those below SLOT_COUNT are looked for.
    cdef uint32_t at = <uint32_t>(tag * RULE_CHECKED_FACTOR) >> (32 - RULE_CHECKED_BITS)
    cdef int place
    while True:
        place = <int>RULE_CHECKED_HASH[at] - 1
        if place < 0 or RULE_CHECKED_TAGS[place] == tag:
            return place
        at = (at + 1) & ((1 << RULE_CHECKED_BITS) - 1)
