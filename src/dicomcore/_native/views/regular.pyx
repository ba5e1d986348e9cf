"""Sequences whose bytes follow the standard throughout, so that every reader finds the same items in them."""

from libc.stdint cimport uint8_t, uint64_t

from dicomcore._native.base.vr cimport NO_VR, SQ, US_OR_SS, VR_LONG, VR_SHORT, VR_UNTYPED, vr_form
from dicomcore._native.scan.index cimport Index, rows_of
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN,
    CLIPPED,
    CONTAINER,
    FRAGMENTS,
    IMPLICIT,
    ITEM,
    SPECIFIC_CHARACTER_SET,
    UNDEFINED,
    Row,
)
from dicomcore._native.views.decode cimport resolve_vr

cdef enum:
    MODE = IMPLICIT | BIG_ENDIAN
    LONG_UN = 0xFFFF            # from this length on, a UN may be any VR (PS3.5 6.2.2)
    DELIMITER = 8               # bytes of a delimiter
    DEEPEST = 16                # sequences of undefined length in each other, which readers parse by recursion


cdef bint is_regular_value(Index index, Py_ssize_t row) except -1:
    # Whether an element without items is encoded by the rules, and its VR is clear from its own bytes.
    cdef Row* r = &index.rows[row]
    cdef uint8_t form
    if r.flags & (CLIPPED | CONTAINER | UNDEFINED) or r.tag >> 16 == 0xFFFE or r.tag == SPECIFIC_CHARACTER_SET:
        return False
    if r.flags & IMPLICIT:
        if r.header != 8 or r.vr == US_OR_SS:
            return False
        return r.length == 0 or r.vr != SQ and (r.vr != NO_VR or resolve_vr(index, row) != SQ)
    form = vr_form(r.vr)
    if form == VR_SHORT:
        return r.header == 8
    if r.header != 12:
        return False
    if form == VR_UNTYPED:
        return r.length < LONG_UN and (r.length == 0 or resolve_vr(index, row) != SQ)
    return form == VR_LONG or r.vr == SQ and r.length == 0


cdef uint8_t regular_container(Index index, Py_ssize_t row, const uint8_t* regular) noexcept nogil:
    # Whether a sequence or an item is encoded by the rules: regular contents in its own encoding that fill it without
    # gaps. An item without elements does not show its encoding. The result is 0, or 1 and the number of sequences of
    # undefined length in each other that begin here.
    cdef Row* rows = index.rows
    cdef Row* r = &rows[row]
    cdef Row* inner
    cdef bint is_item = r.tag == ITEM
    cdef uint64_t at = r.offset
    cdef Py_ssize_t i = row + 1
    cdef uint8_t deepest = 1
    if r.flags & (CLIPPED | FRAGMENTS):
        return 0
    if is_item:
        if r.next == row + 1:
            return 0
    elif r.vr != SQ or r.header != (8 if r.flags & IMPLICIT else 12):
        return 0
    while i < r.next:
        inner = &rows[i]
        if (not regular[i] or inner.offset - inner.header != at or (inner.flags ^ r.flags) & MODE
                or (inner.tag == ITEM) == is_item):
            return 0
        if is_item and inner.flags & UNDEFINED or not is_item:
            deepest = max(deepest, regular[i])
        at = inner.offset + inner.length + (DELIMITER if inner.flags & UNDEFINED else 0)
        i = inner.next
    if not is_item and r.flags & UNDEFINED:
        deepest += 1
    return deepest if at == r.offset + r.length and deepest <= DEEPEST + 1 else 0


def regular_sequences(Index index not None) -> bytes:
    """A byte for each row: not 0 for a sequence whose bytes, with all items inside, follow PS3.5 7.5 to the letter.

    All its items are in the encoding of the sequence itself and in the character set around it. No length is wrong, and
    no byte lies between elements. Everything whose reading takes more than its own bytes is left out: VRs that depend
    on other elements, fragments, UN that is a sequence. No more than 16 sequences of undefined length
    are in each other.
    """
    cdef Py_ssize_t count, row
    cdef bytearray found
    cdef uint8_t* regular
    cdef Row* r
    index.finish()
    count = rows_of(index)
    found = bytearray(count)
    regular = <uint8_t*><char*>found
    for row in range(count - 1, -1, -1):        # contents before what is around them
        r = &index.rows[row]
        if r.tag == ITEM or r.flags & CONTAINER:
            regular[row] = regular_container(index, row, regular)
        else:
            regular[row] = is_regular_value(index, row)
    for row in range(count):
        if not index.rows[row].flags & CONTAINER or index.rows[row].tag == ITEM:
            regular[row] = 0
    return bytes(found)
