# Which modules are in an object, and which attributes they lack or should not have.

from libc.stdint cimport uint32_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.visit cimport Walk

cdef void settle_modules(Walk* w) noexcept nogil
# Which modules are taken to be there: mandatory ones; conditional ones that are due; others, if an attribute that only
# they have, and that they do not leave to the writer (type 3), is filled. Those left to the writer make them present in
# part.
cdef Status check_present(Walk* w, uint32_t place) noexcept nogil               # the attribute in a slot of the level
cdef Status check_missing(Walk* w) noexcept nogil                               # those that are due and not there
cdef Status check_missing_modules(Walk* w) noexcept nogil                       # the same of the root
