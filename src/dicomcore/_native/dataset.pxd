# Views over an index: data sets, with what was changed in memory laid over what the source holds.

from libc.stdint cimport uint32_t

from dicomcore._native.data_element cimport DataElement, Owner

cdef enum Place:
    TOP_LEVEL = -1      # Owner.container: the data set itself
    FILE_META = -2      # the file meta information
    NOWHERE = -3        # made in memory


cdef class DatasetBase(Owner):
    cdef uint32_t* order                # rows of the elements by ascending tag, one a tag
    cdef Py_ssize_t arranged            # how many; -1 before arrange()
    cdef dict elements                  # tag -> DataElement set or handed out, None for one deleted
    cdef object wanted                  # frozenset of the tags asked for, None for all
    cdef object __weakref__

    cdef int arrange(self) except -1
    cdef Py_ssize_t find_row(self, uint32_t tag) except -2
    cdef DataElement element_at(self, Py_ssize_t row)
    cdef object row_value(self, Py_ssize_t row)
    cdef int complete(self) except -1
    cdef bint in_order(self)
    cdef list tags(self)
