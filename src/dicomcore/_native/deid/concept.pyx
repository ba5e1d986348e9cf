"""Reads what a content item is about: its concept and its value type (PS3.3 10.2, C.17.3)."""

from libc.stdint cimport uint8_t, uint32_t

from dicomcore._native.base.text cimport stripped
from dicomcore._native.scan.index cimport Index, rows_of
from dicomcore._native.scan.scan cimport ITEM, Row

cdef enum:
    VALUE_TYPE = 0x0040A040
    CONCEPT_NAME = 0x0040A043
    REFERENCE = 0x0040DB73          # Referenced Content Item Identifier
    CODE_VALUE = 0x00080100
    SCHEME = 0x00080102
    LONG_CODE_VALUE = 0x00080119
    URN_CODE_VALUE = 0x00080120
    LONGEST = 1024                  # bytes of a code


cdef str text_of(Index index, Row* row):
    cdef const uint8_t* data = NULL
    cdef Py_ssize_t n
    if row.length == 0 or row.length > LONGEST:
        return ""
    _owner = index.hold(row, &data)
    n = stripped(&data, <Py_ssize_t>row.length)
    return data[:n].decode("latin-1")


def concept_at(Index index not None, uint32_t row):
    """(coding scheme, code, value type) of the item of a content sequence in a row; empty texts for what it lacks."""
    cdef uint32_t i = row + 1, k, stop, count = <uint32_t>rows_of(index)
    cdef Row* rows = index.rows
    cdef str scheme = "", code = "", kind = ""
    if row >= count or rows[row].tag != ITEM:
        raise ValueError(f"row {row} is no item")
    while i < rows[row].next:
        if rows[i].tag == VALUE_TYPE:
            kind = text_of(index, &rows[i])
        elif rows[i].tag == CONCEPT_NAME and i + 1 < rows[i].next and rows[i + 1].tag == ITEM:
            k, stop = i + 2, rows[i + 1].next
            while k < stop:
                if rows[k].tag == SCHEME:
                    scheme = text_of(index, &rows[k])
                elif rows[k].tag == CODE_VALUE or rows[k].tag == LONG_CODE_VALUE or rows[k].tag == URN_CODE_VALUE:
                    code = text_of(index, &rows[k])
                k = rows[k].next
        i = rows[i].next
    return scheme, code, kind


def refers_to_items(Index index not None):
    """Whether content items refer to others by their place in the tree."""
    cdef Py_ssize_t i, count
    index.finish()
    count = rows_of(index)
    for i in range(index.meta_count, count):
        if index.rows[i].tag == REFERENCE:
            return True
    return False
