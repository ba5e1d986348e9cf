# One level of what is being written: the elements of a data set, or the items of a sequence.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dicomcore._native.views.dataset cimport DatasetBase
from dicomcore._native.views.order cimport Order
from dicomcore._native.scan.index cimport Index

cdef enum Kind:
    ELEMENTS = 0
    ITEMS               # data sets of a Sequence
    ROW_ITEMS           # items of a sequence that nobody changed, by their rows

cdef enum:
    NO_POSITION = -1    # of what isn't waiting for anything
    MODE = 3            # IMPLICIT | BIG_ENDIAN

cdef class Level:
    cdef Level parent
    cdef int kind
    cdef DatasetBase data_set       # None where rows alone are known
    cdef Index index                # None: everything was made in memory
    cdef Py_ssize_t row, stop       # the next row, and the one behind the last
    cdef const Order* order         # rows in ascending order instead, which the data set holds; NULL: as they stand
    cdef Py_ssize_t place
    cdef dict changed               # tag -> DataElement for its first row's place; None once there, or deleted
    cdef uint32_t lowest, highest   # tags of `changed`
    cdef list added                 # elements without a row, ascending
    cdef Py_ssize_t next_added
    cdef list items
    cdef Py_ssize_t at              # position in items, or number of the item
    cdef uint8_t mode               # encoding of its rows
    cdef bint copies                # rows are copied as they stand
    cdef bint recodes               # text is to have another character set than in the source
    cdef bint held_big              # byte order of what was set as bytes
    cdef bint touched               # elements were changed: group lengths may be wrong
    cdef object charset             # in force for what is written; None: not looked up yet
    cdef int64_t run                # first byte of rows that wait to be copied, or NO_POSITION
    cdef Py_ssize_t length_at       # where the length field stands that is known at the end; NO_POSITION: undefined
    cdef bint delimited
    cdef uint64_t begun             # Output.total() at the content's begin
    cdef uint32_t tag               # the sequence's
    cdef Py_ssize_t group_at        # where the group length stands that is known at the group's end
    cdef uint64_t group_begun
    cdef uint32_t group


cdef uint64_t end_of_item(Index index, Py_ssize_t row) except? 0
cdef uint64_t end_of_row(Level level) except? 0
