# What is checked: the rows of a data set, and the bytes of its values as far as they are in memory. Nothing is decoded
# twice, nothing is allocated; values that are not in memory (pixel data) are there, but not known.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.vr cimport (
    AT, FD, FL, OB_OR_OW, SL, SQ, SS, SV, UL, UN, US, US_OR_OW, US_OR_SS, US_OR_SS_OR_OW, UV,
)
from dicomcore._native.scan.scan cimport ITEM, NO_ROW, Row

cdef struct Block:
    const uint8_t* data
    uint64_t begin, end         # bytes [begin, end) of the source

cdef struct Chosen:             # an item of the per-frame functional groups that stands for others, too
    uint32_t row, weight        # for how many, itself included

cdef struct Subject:
    const Row* rows
    uint32_t first, stop        # the rows of the data set
    Block head, tail            # in front of the pixel data, and behind it
    uint32_t frames             # the row of the per-frame functional groups, if some of their items stand for others:
    Chosen* chosen              # those that are looked at, in their order; the last one is among them. NULL: all are
    uint32_t chosen_count


cdef inline const uint8_t* bytes_of(const Subject* s, const Row* r) noexcept nogil:
    # The value's bytes, r.length of them; NULL if they are not in memory.
    cdef uint64_t end = r.offset + r.length
    if r.offset >= s.head.begin and end <= s.head.end:
        return s.head.data + (r.offset - s.head.begin)
    if r.offset >= s.tail.begin and end <= s.tail.end:
        return s.tail.data + (r.offset - s.tail.begin)
    return NULL


cdef inline uint32_t find_row(const Subject* s, uint32_t first, uint32_t stop, uint32_t tag) noexcept nogil:
    # The row of an element of the level [first, stop), or NO_ROW. The first one wins where a tag comes twice.
    cdef uint32_t i = first
    while i < stop:
        if s.rows[i].tag == tag:
            return i
        i = s.rows[i].next
    return NO_ROW


cdef inline uint32_t find_root(const Subject* s, uint32_t tag) noexcept nogil:
    return find_row(s, s.first, s.stop, tag)


cdef inline uint32_t items_of(const Subject* s, uint32_t row) noexcept nogil:
    # The number of items of a sequence.
    cdef uint32_t i = row + 1, stop = s.rows[row].next, count = 0
    while i < stop:
        count += s.rows[i].tag == ITEM
        i = s.rows[i].next
    return count


cdef inline int word_of(uint16_t vr) noexcept nogil:
    # Bytes of one number of a binary VR; 0 for others.
    if vr == US or vr == SS or vr == US_OR_SS or vr == US_OR_OW or vr == US_OR_SS_OR_OW:
        return 2
    if vr == UL or vr == SL or vr == FL or vr == AT:
        return 4
    if vr == FD or vr == UV or vr == SV:
        return 8
    return 0


cdef inline bint is_text(uint16_t vr) noexcept nogil:
    # Neither numbers nor OB, OW, …
    return word_of(vr) == 0 and vr != SQ and vr != UN and vr & 0xFF != 0x4F and vr != OB_OR_OW and vr != 0


cdef bint has_value(const Subject* s, uint32_t row) noexcept nogil                  # more than padding; of SQ: an item
cdef int value_count(const Subject* s, const Row* r) noexcept nogil                 # the VM; 0: empty
cdef int text_at(const Subject* s, const Row* r, int n, const uint8_t** text) noexcept nogil
# The length of value n (from 1) without padding, -1: there is no such value.
cdef bint int_at(const Subject* s, const Row* r, int n, bint signed, int64_t* out) noexcept nogil
# Value n (from 1) as an integer, cut if it is a decimal; False: there is none, or it can't be read. `signed` decides
# for a VR that is US or SS.
cdef bint float_at(const Subject* s, const Row* r, int n, double* out) noexcept nogil
