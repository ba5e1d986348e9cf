# The structure of a data set beside its IOD.

from libc.stdint cimport uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.findings cimport Findings
from dicomcore._native.check.plan cimport Plan
from dicomcore._native.check.subject cimport Subject

# `notes`: also elements that the IOD does not have. Conditions that could not be decided are added to unknown[0].
cdef Status check_structure(const Subject* s, Plan plan, bint notes, Findings* f, uint64_t* unknown) noexcept nogil
