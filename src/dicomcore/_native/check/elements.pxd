# Rules that hold for each element of the standard by itself, in whatever object and item it stands.

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.findings cimport Findings
from dicomcore._native.check.subject cimport Subject

cdef struct Asked:              # findings
    bint forms                  # BAD_VALUE
    bint counts                 # VALUE_COUNT
    bint retired                # RETIRED

cdef Status check_elements(const Subject* s, const Asked* asked, Findings* f) noexcept nogil
cdef void drop_second_counts(const Subject* s, Findings* f) noexcept nogil
# Take out the dictionary's count of values where a module's own is broken, too. Nothing can be added after that.
