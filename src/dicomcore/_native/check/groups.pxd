# Functional groups of frames.

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.visit cimport Walk

cdef Status check_groups(Walk* w) noexcept nogil        # the present item, of the shared groups or of a frame's
