# The structure of a data set beside its IOD.

from libc.stdint cimport uint8_t, uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.findings cimport Findings
from dicomcore._native.check.plan cimport Plan
from dicomcore._native.check.subject cimport Subject

# `notes`: also elements that the IOD does not have; `folds`: the attributes of a module that is missing as a whole are
# one finding. The transfer syntax is text without padding, n bytes. Conditions that could not be decided are added to
# unknown[0].
cdef Status check_structure(const Subject* s, Plan plan, bint notes, bint folds, const uint8_t* syntax, int n,
                            Findings* f, uint64_t* unknown) noexcept nogil
