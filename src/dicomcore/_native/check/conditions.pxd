# Conditions of attributes and modules, run over the data set that the walk is in.

from libc.stdint cimport uint8_t, uint16_t

from dicomcore._native.check.visit cimport Walk

cdef enum Answer:
    NO
    YES
    UNKNOWN

cdef enum Otherwise:    # what holds when an attribute is not required
    FREE                # it may be there
    FORBIDDEN           # it must not be there
    ABSENT              # it is not to be there (PS3.5 7.4.2, 7.4.4)

cdef struct Outcome:
    uint8_t required    # Answer
    uint8_t otherwise   # Otherwise; FREE where that can't be told
    bint forbidden      # it must not be there, whatever else

cdef Outcome outcome_of(const Walk* w, uint16_t condition) noexcept nogil
