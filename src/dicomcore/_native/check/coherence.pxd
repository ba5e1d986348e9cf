# What is checked of a data set, and the rules across attributes.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.elements cimport Asked
from dicomcore._native.check.findings cimport Findings
from dicomcore._native.check.plan cimport Plan
from dicomcore._native.check.subject cimport Subject

cdef struct Wanted:         # which rules are run
    bint structure          # those of the plan
    bint notes              # also of elements that the IOD does not have
    bint folds              # the attributes of a module that is missing as a whole are one finding
    bint coherence
    Asked elements

# All that is wanted. Rows [0, meta_stop) are the file meta information; the transfer syntax is its text without
# padding, n bytes. Conditions that could not be decided are added to unknown[0].
cdef Status check_subject(const Subject* s, Plan plan, const Wanted* what, uint32_t meta_stop, const uint8_t* syntax,
                          int n, Findings* f, uint64_t* unknown) noexcept nogil
cdef int own_class(const Subject* s) noexcept nogil     # the row of its SOP class in the tables, -1: they have none
