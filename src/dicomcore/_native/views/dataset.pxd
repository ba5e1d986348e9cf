# Data sets: views over an index, with changes made in memory laid over its rows.

from libc.stdint cimport uint32_t

from dicomcore._native.scan.index cimport Index
from dicomcore._native.views.data_element cimport DataElement, Owner
from dicomcore._native.views.order cimport Order

cdef enum Place:
    TOP_LEVEL = -1      # Owner.container: the whole data set
    FILE_META = -2      # the file meta information
    NOWHERE = -3        # made in memory


cdef class DatasetBase(Owner):
    cdef Order* order                   # NULL before arrange()
    cdef dict elements                  # tag -> DataElement set or handed out, None if deleted; see overlay_of()
    cdef object wanted                  # frozenset of the tags that it shows, None for all
    cdef dict kept                      # "file_meta", "preamble", "noted", "frames", once made or set; None at first
    cdef object __weakref__

    cdef int over(self, Index index, Py_ssize_t container, object wanted, bint apart) except -1
    cdef int take(self, dict changes, object chosen, object memo) except -1
    cdef int mark(self) except -1
    cdef int span(self, Py_ssize_t* first, Py_ssize_t* stop) except -1
    cdef bint is_whole(self) noexcept
    cdef Order* arrange(self) except NULL
    cdef Py_ssize_t search(self, uint32_t tag) except -2
    cdef Py_ssize_t find_row(self, uint32_t tag) except -2
    cdef dict changes(self)
    cdef object lying_over(self, uint32_t tag)
    cdef DataElement element_over(self, uint32_t tag)
    cdef DataElement element_at(self, Py_ssize_t row)
    cdef object row_value(self, Py_ssize_t row)
    cdef Order* complete(self) except NULL
    cdef list tags(self)
    cdef int check_name(self, name) except -1
