# Views over an index: data sets and elements, with what was changed in memory laid over what the source holds.

from libc.stdint cimport int64_t, uint16_t, uint32_t

from dicomcore._native.index cimport Index

cdef enum Place:
    TOP_LEVEL = -1      # DatasetBase.container: the data set itself
    FILE_META = -2      # the file meta information
    NOWHERE = -3        # made in memory


cdef class DatasetBase:
    cdef Index index
    cdef Py_ssize_t container           # row of the item, or a Place
    cdef uint32_t* order                # rows of the elements by ascending tag, one a tag
    cdef Py_ssize_t arranged            # how many; -1 before arrange()
    cdef dict elements                  # tag -> DataElement set or handed out, None for one deleted
    cdef str checks                     # what becomes of values that their VR doesn't allow: None stands for "warn"
    cdef object wanted                  # frozenset of the tags asked for, None for all
    cdef object __weakref__

    cdef int arrange(self) except -1
    cdef Py_ssize_t find_row(self, uint32_t tag) except -2
    cdef DataElement element_at(self, Py_ssize_t row)
    cdef DataElement find(self, uint32_t tag)
    cdef object row_value(self, Py_ssize_t row)
    cdef object tag_value(self, uint32_t tag, object default)
    cdef int adopt(self, DataElement element) except -1
    cdef int complete(self) except -1
    cdef int check(self, uint32_t tag, uint16_t vr, object value) except -1
    cdef bint in_order(self)
    cdef list tags(self)


cdef class DataElement:
    cdef Index index                    # None for an element made in memory
    cdef Py_ssize_t row
    cdef DatasetBase owner              # the data set it belongs to, or for one met by iterall() the root
    cdef bint distant                   # met by iterall(): `owner` is the root
    cdef bint has_value                 # `held` is the value: it was set, or must stay the same object
    cdef bint is_set                    # it was set: the source's bytes no longer count
    cdef uint32_t number
    cdef uint16_t vr
    cdef object held

    cdef object get_value(self)
    cdef int settle(self) except -1


cdef list items_of_row(Index index, Py_ssize_t row)
