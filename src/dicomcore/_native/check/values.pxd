# Values beside what the modules that are there say of them.

from libc.stdint cimport uint32_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.plan cimport Slot
from dicomcore._native.check.visit cimport Walk

cdef Status check_value(Walk* w, const Slot* slot, uint32_t row) noexcept nogil     # of an attribute that has a value
