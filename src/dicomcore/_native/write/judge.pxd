# Tells whether a data set was changed since it was read.

from dicomcore._native.views.data_element cimport DataElement
from dicomcore._native.views.dataset cimport DatasetBase


cdef class Judge:
    cdef dict judged                # id of a sequence's element -> (element, whether it was changed)

    cdef bint is_changed(self, DataElement element) except -1
    cdef int judge(self, DataElement sequence) except -1
    cdef bint item_changed(self, DatasetBase item) except -1
