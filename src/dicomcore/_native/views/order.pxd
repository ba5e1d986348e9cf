# The rows of one data set's elements by ascending tag.

from libc.stdint cimport uint32_t

from dicomcore._native.scan.index cimport Index


cdef struct Order:
    # One row for each tag. It never changes once other threads may see it.
    Order* before               # the order that this one replaced; other threads may still be reading it
    Py_ssize_t count
    bint whole                  # no rows will be added
    uint32_t rows[1]            # `count` rows


cdef Order* ordered(Index index, Py_ssize_t first, Py_ssize_t stop, object wanted) except NULL
cdef void free_orders(Order* order) noexcept
cdef bint in_order(const Order* order) noexcept nogil
