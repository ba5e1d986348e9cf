"""Picks the values of a data set that may identify somebody, at every depth, in one pass over the rows of its index."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from dicomcore._native.base.vr cimport AE, DA, DT, PN, UI
from dicomcore._native.scan.index cimport Index, rows_of
from dicomcore._native.scan.scan cimport CONTAINER, ITEM, NO_ROW, Row, SPECIFIC_CHARACTER_SET

cdef enum:
    LONGEST = 65536             # bytes of a value that is picked
    FRAMES = 0x52009230         # Per-frame Functional Groups Sequence
    CODE_VALUE = 0x00080100
    CODE_MEANING = 0x00080104
    LONG_CODE_VALUE = 0x00080119


cdef bint has(const uint32_t* tags, Py_ssize_t count, uint32_t tag) noexcept nogil:
    cdef Py_ssize_t low = 0, high = count, middle
    while low < high:
        middle = (low + high) >> 1
        if tags[middle] == tag:
            return True
        if tags[middle] < tag:
            low = middle + 1
        else:
            high = middle
    return False


cdef inline bint has_kind(uint16_t vr) noexcept nogil:
    return vr == PN or vr == DA or vr == DT or vr == AE or vr == UI


cdef inline uint32_t sequence_of(const Row* rows, uint32_t row) noexcept nogil:
    # The tag of the sequence around the item of an element; 0 at the top.
    cdef uint32_t item = rows[row].parent
    if item == NO_ROW or rows[item].parent == NO_ROW:
        return 0
    return rows[rows[item].parent].tag


def pick(Index index not None, const uint32_t[::1] tags not None, const uint32_t[::1] coded not None):
    """(values, character sets, UIDs) of a data set and its file meta information.

    Picked are elements of VR PN, DA, DT and AE, those with a tag of `tags`, and of sequences with a tag of `coded` the
    codes and their meanings, under the tag of the sequence. A value is (tag, VR as two letters or "", bytes). Of frames
    the first is looked at. Both arrays are sorted.
    """
    cdef Py_ssize_t count
    cdef uint32_t i = 0, tag, named
    cdef Row* row
    cdef const uint8_t* data = NULL
    cdef list values = [], sets = [], uids = []
    index.finish()
    count = rows_of(index)
    while i < count:
        row = &index.rows[i]
        tag = row.tag
        if tag == FRAMES and i + 1 < count and index.rows[i + 1].tag == ITEM:
            # Its rows are looked at up to the end of the first item; the rest is skipped there.
            i += 1
            continue
        if tag == ITEM:
            if row.parent != NO_ROW and index.rows[row.parent].tag == FRAMES and i != row.parent + 1:
                i = index.rows[row.parent].next
            else:
                i += 1
            continue
        if row.flags & CONTAINER or row.length == 0 or row.length > LONGEST:
            i += 1
            continue
        named = 0
        if tag == SPECIFIC_CHARACTER_SET:
            _owner = index.hold(row, &data)
            sets.append(data[:row.length])
        elif tag == CODE_VALUE or tag == CODE_MEANING or tag == LONG_CODE_VALUE:
            named = sequence_of(index.rows, i)
            if not has(&coded[0], coded.shape[0], named):
                named = 0
        elif has_kind(row.vr) or has(&tags[0], tags.shape[0], tag):
            named = tag
        if named:
            _owner = index.hold(row, &data)
            if row.vr == UI:
                uids.append((tag, data[:row.length]))
            else:
                letters = chr(row.vr & 0xFF) + chr(row.vr >> 8) if row.vr else ""
                values.append((named, letters, data[:row.length]))
        i += 1
    return tuple(values), tuple(sets), tuple(uids)
