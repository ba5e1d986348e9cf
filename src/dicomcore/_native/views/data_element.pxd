# Data elements, and the interface of the data set that contains them.

cimport cython
from libc.stdint cimport int64_t, uint16_t, uint32_t

from dicomcore._native.scan.index cimport Index


cdef class Owner:
    cdef Index index
    cdef Py_ssize_t container           # the item's row, or a Place
    cdef str checks                     # treatment of values that their VR doesn't allow; None means "warn"
    cdef bint apart                     # belongs to a view of header_of(): what it holds changes no data set

    cdef DataElement find(self, uint32_t tag)
    cdef object tag_value(self, uint32_t tag, object default)
    cdef int adopt(self, DataElement element) except -1
    cdef DataElement keeper_of(self, DataElement element)
    cdef int check(self, uint32_t tag, uint16_t vr, object value) except -1


cdef class DataElement:
    cdef Index index                    # None for an element made in memory
    cdef Py_ssize_t row
    cdef object place                   # its data set or a weak reference to it, see owner_of()
    cdef bint kept                      # its data set holds it, so `place` is weak: a cycle would leak
    cdef bint distant                   # returned by iterall(): `place` is the root data set
    cdef bint has_value                 # `held` is the value: it was set, or must remain the same object
    cdef bint is_set                    # the value was set: the source's bytes no longer count
    cdef uint32_t number
    cdef uint16_t vr
    cdef object held                    # see held_by(): another thread may be setting it

    cdef object get_value(self)
    cdef int settle(self) except -1
    cdef bint is_changed(self) except -1
    cdef DataElement clone(self, Owner owner, memo)
    cdef int keep(self, Owner owner) except -1


cdef inline Owner owner_of(DataElement element):
    # The data set that contains the element (for an element of iterall(), the root); None if there is none or it is
    # gone.
    with cython.critical_section(element):
        return element.place() if element.kept else element.place


cdef class Later:
    cdef readonly str uri
    cdef readonly object fetch


cdef object arrived(DataElement element, Later later)


cdef inline object held_by(DataElement element):
    # The value that the element holds; one that is elsewhere is fetched now.
    with cython.critical_section(element):
        held = element.held
    return arrived(element, <Later>held) if type(held) is Later else held


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
cdef DataElement bare_element()
cdef DataElement new_element(Index index, Py_ssize_t row, Owner owner, bint distant)
