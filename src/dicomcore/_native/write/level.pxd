# One level of the data set being written: the elements of a data set, or the items of a sequence.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dicomcore._native.views.dataset cimport DatasetBase
from dicomcore._native.views.order cimport Order
from dicomcore._native.scan.index cimport Index

cdef enum Kind:
    ELEMENTS = 0
    ITEMS               # data sets of a Sequence
    ROW_ITEMS           # items of an unchanged sequence, by their rows

cdef enum:
    NO_POSITION = -1    # no run is open, or no length field is to be patched
    MODE = 3            # IMPLICIT | BIG_ENDIAN

cdef class Level:
    cdef Level parent
    cdef int kind
    cdef DatasetBase data_set       # None for an item that is written from its rows
    cdef Index index                # None: everything was made in memory
    cdef Py_ssize_t row, stop       # the next row, and the row behind the last one
    cdef const Order* order         # the data set's rows in ascending order of tag; NULL: write rows in file order
    cdef Py_ssize_t place           # of the next row in `order`
    cdef dict changed               # tag -> the DataElement that replaces its first row; None if written or deleted
    cdef uint32_t lowest, highest   # tags of `changed`
    cdef list added                 # elements without a row, ascending
    cdef Py_ssize_t next_added
    cdef list items
    cdef Py_ssize_t at              # number of items opened so far
    cdef uint8_t mode               # encoding of its rows
    cdef bint copies                # rows are copied unchanged
    cdef bint recodes               # the text is written in another character set than the source's
    cdef bint held_big              # byte order of values that were set as bytes
    cdef bint touched               # elements were changed: group lengths may be wrong
    cdef object charset             # in force for the text written; None: not looked up yet
    cdef int64_t run                # first byte of the run that waits to be copied, or NO_POSITION
    cdef Py_ssize_t length_at       # position of the length field to patch at the end; NO_POSITION: undefined length
    cdef bint delimited             # has undefined length, and ends with a delimiter
    cdef uint64_t begun             # Output.total() where the content begins
    cdef uint32_t tag               # the sequence's
    cdef Py_ssize_t group_at        # position of the group length's value to patch at the end of the group
    cdef uint64_t group_begun       # Output.total() behind the group length
    cdef uint32_t group


cdef uint64_t end_of_item(Index index, Py_ssize_t row) except? 0
cdef uint64_t end_of_row(Level level) except? 0
