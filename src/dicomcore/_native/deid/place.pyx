"""Tells where in a data set a byte of its file is."""

from libc.stdint cimport uint32_t, uint64_t

from dicomcore._native.scan.index cimport Index, rows_of
from dicomcore._native.scan.scan cimport CONTAINER, FRAGMENTS, ITEM, Row


def place_at(Index index not None, uint64_t offset):
    """(steps, tag, VR) of the element that has the byte: the sequences around it with the numbers of their items.

    The VR is empty for what has none; the tag is 0 for a byte of no element. Fragments belong to their pixel data.
    """
    cdef Row* rows
    cdef Row* row
    cdef uint32_t i = 0, stop, item = 0
    cdef list steps = []
    cdef bint found = True
    index.finish()
    rows = index.rows
    stop = <uint32_t>rows_of(index)
    while found:
        found, item = False, 0
        while i < stop:
            row = &rows[i]
            if row.offset - row.header <= offset < row.offset + row.length:
                if row.tag == ITEM and steps:           # one at the top is an element that is none
                    steps[len(steps) - 1] = (steps[len(steps) - 1][0], item)
                elif row.flags & CONTAINER and not row.flags & FRAGMENTS:
                    if offset < row.offset:
                        return steps, row.tag, "SQ"
                    steps.append((row.tag, 0))
                else:
                    return steps, row.tag, chr(row.vr & 0xFF) + chr(row.vr >> 8) if row.vr else ""
                i, stop, found = i + 1, row.next, True
                break
            item += row.tag == ITEM
            i = row.next
    if steps:
        return steps[:len(steps) - 1], steps[len(steps) - 1][0], "SQ"
    return [], 0, ""
