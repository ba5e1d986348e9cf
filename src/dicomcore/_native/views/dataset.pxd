# Views over an index: data sets, with what was changed in memory laid over what the source holds.

from libc.stdint cimport uint32_t

from dicomcore._native.views.data_element cimport DataElement, Owner

cdef enum Place:
    TOP_LEVEL = -1      # Owner.container: the data set itself
    FILE_META = -2      # the file meta information
    NOWHERE = -3        # made in memory


cdef struct Order:
    # Rows of a data set's elements by ascending tag, one a tag. Once others may see it, it stays as it is.
    Order* before               # what it took the place of, and others may still be reading
    Py_ssize_t count
    bint whole                  # no rows will be added
    uint32_t rows[1]            # `count` of them


cdef class DatasetBase(Owner):
    cdef Order* order                   # NULL before arrange()
    cdef dict elements                  # tag -> DataElement set or handed out, None for one deleted; see overlay_of()
    cdef object wanted                  # frozenset of the tags asked for, None for all
    cdef object __weakref__

    cdef void forget_order(self) noexcept
    cdef Order* arrange(self) except NULL
    cdef Py_ssize_t find_row(self, uint32_t tag) except -2
    cdef dict changes(self)
    cdef object lying_over(self, uint32_t tag)
    cdef DataElement element_over(self, uint32_t tag)
    cdef DataElement element_at(self, Py_ssize_t row)
    cdef object row_value(self, Py_ssize_t row)
    cdef Order* complete(self) except NULL
    cdef list tags(self)
    cdef int check_name(self, name) except -1
