# Data elements, and what they know of the data set around them.

cimport cython
from libc.stdint cimport int64_t, uint16_t, uint32_t

from dicomcore._native.scan.index cimport Index


cdef class Owner:
    cdef Index index
    cdef Py_ssize_t container           # row of the item, or a Place
    cdef str checks                     # what becomes of values that their VR doesn't allow: None stands for "warn"
    cdef bint apart                     # a header beside its data set, or in one: what it keeps changes no data set

    cdef DataElement find(self, uint32_t tag)
    cdef object tag_value(self, uint32_t tag, object default)
    cdef int adopt(self, DataElement element) except -1
    cdef DataElement keeper_of(self, DataElement element)
    cdef int check(self, uint32_t tag, uint16_t vr, object value) except -1


cdef class DataElement:
    cdef Index index                    # None for an element made in memory
    cdef Py_ssize_t row
    cdef object place                   # where it belongs, see owner_of(): a data set, or a weak reference to one
    cdef bint kept                      # by the data set, which it then doesn't keep alive: there would be no end to it
    cdef bint distant                   # met by iterall(): its place is the root
    cdef bint has_value                 # `held` is the value: it was set, or must stay the same object
    cdef bint is_set                    # it was set: the source's bytes no longer count
    cdef uint32_t number
    cdef uint16_t vr
    cdef object held                    # read by held_by(): another thread may be setting it

    cdef object get_value(self)
    cdef int settle(self) except -1
    cdef bint is_changed(self) except -1
    cdef DataElement clone(self, Owner owner, memo)
    cdef int keep(self, Owner owner) except -1


cdef inline Owner owner_of(DataElement element):
    # The data set it belongs to, or for one met by iterall() the root; None where there is none, or none any more.
    with cython.critical_section(element):
        return element.place() if element.kept else element.place


cdef inline object held_by(DataElement element):
    # The value that the element keeps.
    with cython.critical_section(element):
        return element.held


cdef class AllElements:
    cdef Owner root
    cdef Index index
    cdef Py_ssize_t row, stop
    cdef list outer


cdef int64_t tag_number(object key) except -2
cdef DataElement carried(DataElement element)
cdef bint is_row_itemless(Index index, Py_ssize_t row) except -1
cdef bint is_itemless(DataElement element) except -1
cdef list items_of_row(Index index, Py_ssize_t row)
cdef DataElement new_element(Index index, Py_ssize_t row, Owner owner, bint distant)
