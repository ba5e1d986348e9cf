"""Levels of the data set being written, and where an item, an element or a level ends in the source."""

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from dicomcore._native.base.cursor cimport load_be32, load_le32
from dicomcore._native.views.dataset cimport FILE_META, DatasetBase
from dicomcore._native.scan.index cimport Index
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN,
    CONTAINER,
    ITEM,
    ITEM_DELIMITER,
    SEQUENCE_DELIMITER,
    UNDEFINED,
    Row,
)

@cython.trashcan(True)      # each level refers to its parent: deep nesting must not be freed recursively
cdef class Level:
    """The progress of writing one data set or sequence; created by the composer."""

    def __cinit__(self):
        self.run = NO_POSITION
        self.length_at = NO_POSITION
        self.group_at = NO_POSITION


cdef uint64_t end_of_item(Index index, Py_ssize_t row) except? 0:
    # The byte behind an item or an element, including its delimiter if it has one.
    cdef Row* r = index.known(row)
    cdef uint64_t end = r.offset + r.length
    cdef uint32_t delimiter = <uint32_t>ITEM_DELIMITER if r.tag == ITEM else <uint32_t>SEQUENCE_DELIMITER
    cdef const uint8_t* p
    if r.flags & UNDEFINED and r.flags & CONTAINER and index.source.size >= end + 8:
        _owner = index.source.hold(end, 8, &p)
        if r.flags & BIG_ENDIAN:
            if load_be32(p) == delimiter:
                return end + 8
        elif load_le32(p) == <uint32_t>((delimiter << 16) | (delimiter >> 16)):
            return end + 8
    return end


cdef uint64_t end_of_row(Level level) except? 0:
    # The byte behind a level's last row; the data set's first byte if it has no rows.
    cdef Py_ssize_t last = -1, i
    cdef Index index = level.index
    cdef DatasetBase data_set = level.data_set
    if index is None:
        return 0
    if data_set is None:
        return index.rows[index.rows[level.stop - 1].parent].offset if level.stop else 0
    i = 0 if data_set.container == FILE_META else index.meta_count
    if data_set.container >= 0:
        i = data_set.container + 1
    while i < level.stop:
        last = i
        i = index.rows[i].next
    if last < 0:
        return index.rows[data_set.container].offset if data_set.container >= 0 else index.body
    return end_of_item(index, last)
