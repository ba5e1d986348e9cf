"""Look-ups over the generated dictionaries: elements by tag and keyword."""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, strlen

from dicomcore._native.cursor cimport load_le64


cdef extern from "tables/dictionary.h" nogil:
    ctypedef struct public_row_t:
        uint32_t tag, text
        uint8_t keyword, name, vr, vm, retired
    ctypedef struct public_slot_t:
        uint32_t tag
        uint16_t vr, row
    const int PUBLIC_VR_COUNT, PUBLIC_VM_COUNT, PUBLIC_REPEATING
    const uint32_t PUBLIC_MULTIPLIER
    const char PUBLIC_VR[][16]
    const char PUBLIC_VM[][8]
    const char PUBLIC_TEXT[][4096]
    const public_row_t PUBLIC_ROWS[]
    const public_slot_t PUBLIC_SLOTS[]
    const uint16_t PUBLIC_KEYWORDS[]

cdef enum:
    EMPTY = 0xFFFF              # a hash slot without a row
    BITS = 14                   # of the public hashes
    MASK = (1 << BITS) - 1
    UL = c"U" | c"L" << 8
    LO = c"L" | c"O" << 8

cdef tuple VRS = tuple([PUBLIC_VR[i].decode("ascii") for i in range(PUBLIC_VR_COUNT)])
cdef tuple VMS = tuple([PUBLIC_VM[i].decode("ascii") for i in range(PUBLIC_VM_COUNT)])


cdef inline const public_slot_t* probe(uint32_t tag) noexcept nogil:
    # The tag's slot, or an empty one; a third of the slots is taken, so the walk ends soon.
    cdef uint32_t at = (tag * PUBLIC_MULTIPLIER) >> (32 - BITS)
    while PUBLIC_SLOTS[at].tag != tag and PUBLIC_SLOTS[at].row != EMPTY:
        at = (at + 1) & MASK
    return &PUBLIC_SLOTS[at]


cdef inline uint32_t repeating(uint32_t tag) noexcept nogil:
    # The key of the repeating element that the tag would belong to: its x nibbles set (PS3.6 §6, PS3.5 7.6).
    cdef uint32_t group = tag >> 16
    if group >> 8 == 0x50 or group >> 8 == 0x60 or group >> 8 == 0x7F:
        return tag | 0x00FF0000
    if group == 0x0020:
        return tag | 0xFF
    if group == 0x0028:
        return tag | 0xF0
    if group == 0x1000:
        return tag | 0xFFF0
    if group == 0x1010:
        return tag | 0xFFFF
    return tag


cdef inline const public_slot_t* find(uint32_t tag) noexcept nogil:
    # NULL when the dictionary doesn't hold the tag, neither itself nor as a repeating element.
    cdef const public_slot_t* slot
    cdef uint32_t key
    if tag & 0x10000:
        return NULL
    slot = probe(tag)
    if slot.row != EMPTY:
        return slot
    key = repeating(tag)
    if key == tag:
        return NULL
    slot = probe(key)
    return slot if slot.row != EMPTY else NULL


cdef uint16_t public_vr(uint32_t tag) noexcept nogil:
    cdef const public_slot_t* slot
    if tag & 0x10000:                       # private: only the creators' VR is known (PS3.5 7.8.1)
        if 0x10 <= (tag & 0xFFFF) <= 0xFF:
            return LO
        return UL if tag & 0xFFFF == 0 else 0
    slot = probe(tag)
    if slot.row != EMPTY:
        return slot.vr
    if tag & 0xFFFF == 0:                   # group length, retired but for two (PS3.5 7.2)
        return UL
    slot = find(tag)
    return slot.vr if slot != NULL else 0


cdef inline uint64_t load_short(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Fewer than eight bytes, little-endian.
    cdef uint64_t word = 0
    cdef Py_ssize_t i
    for i in range(n):
        word |= <uint64_t>p[i] << (8 * i)
    return word


cdef inline uint32_t text_hash(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Length, first, middle and last eight bytes: keywords share beginnings and ends, rarely all three.
    # The generator computes the same.
    cdef uint64_t first, middle, last, mixed
    if n < 8:
        first = middle = last = load_short(p, n)
    else:
        first = load_le64(p)
        middle = load_le64(p + n // 2 - 4)
        last = load_le64(p + n - 8)
    mixed = first * <uint64_t>0x9E3779B97F4A7C15 ^ middle * <uint64_t>0xC2B2AE3D27D4EB4F
    mixed = (mixed ^ last * <uint64_t>0x165667B19E3779F9) + <uint64_t>n
    mixed = (mixed ^ mixed >> 32) * <uint64_t>0xD6E8FEB86659FD93
    return <uint32_t>(mixed >> 32)


cdef inline const char* public_text(const public_row_t* row) noexcept nogil:
    return <const char*>PUBLIC_TEXT + row.text


cdef int64_t find_keyword(object keyword):
    cdef Py_ssize_t n = 0
    cdef const char* text
    cdef uint32_t at
    cdef const public_row_t* row
    if not isinstance(keyword, str):
        return -1
    try:
        text = PyUnicode_AsUTF8AndSize(keyword, &n)
    except UnicodeEncodeError:              # a lone surrogate
        return -1
    at = text_hash(<const uint8_t*>text, n) >> (32 - BITS)
    while PUBLIC_KEYWORDS[at] != EMPTY:
        row = &PUBLIC_ROWS[PUBLIC_KEYWORDS[at]]
        if row.keyword == n and memcmp(public_text(row), text, n) == 0:
            return row.tag
        at = (at + 1) & MASK
    return -1


cdef object tag_of_keyword(object keyword):
    cdef int64_t tag = find_keyword(keyword)
    return None if tag < 0 else tag


cdef inline str slice_text(const char* text, Py_ssize_t n):
    return PyUnicode_DecodeUTF8(text, n, NULL)


cdef str keyword_of_tag(uint32_t tag):
    cdef const public_slot_t* slot = find(tag)
    if slot == NULL:
        return ""
    return slice_text(public_text(&PUBLIC_ROWS[slot.row]), PUBLIC_ROWS[slot.row].keyword)


cdef str name_of_tag(uint32_t tag):
    cdef const public_slot_t* slot = find(tag)
    cdef const public_row_t* row
    if slot != NULL:
        row = &PUBLIC_ROWS[slot.row]
        return slice_text(public_text(row) + row.keyword, row.name)
    if tag & 0x10000:
        return "Private Creator" if tag & 0xFFFF < 0x100 else "Private tag data"
    return "Group Length" if tag & 0xFFFF == 0 else ""


cdef str vm_of_tag(uint32_t tag):
    cdef const public_slot_t* slot = find(tag)
    return VMS[PUBLIC_ROWS[slot.row].vm] if slot != NULL else ""


def entry(uint32_t tag):
    """(VR, VM, name, 'Retired' or '', keyword) of a public or repeating element, None when there is none."""
    cdef const public_slot_t* slot = find(tag)
    cdef const public_row_t* row
    if slot == NULL:
        return None
    row = &PUBLIC_ROWS[slot.row]
    return (
        VRS[row.vr], VMS[row.vm], slice_text(public_text(row) + row.keyword, row.name),
        "Retired" if row.retired else "", slice_text(public_text(row), row.keyword),
    )


def vr_code(uint32_t tag):
    """What the scanner takes for the tag's VR: two letters, '' when unknown."""
    cdef uint16_t vr = public_vr(tag)
    return chr(vr & 0xFF) + chr(vr >> 8) if vr else ""


def has_tag(uint32_t tag):
    """Whether the element itself is in PS3.6 or PS3.7; repeating ones don't count."""
    cdef const public_slot_t* slot = probe(tag)
    return slot.row != EMPTY and slot.row < PUBLIC_REPEATING


def repeater_has_tag(uint32_t tag):
    """Whether the tag is one of a repeating element's (PS3.5 7.6)."""
    cdef const public_slot_t* slot
    if tag & 0x10000:
        return False
    slot = probe(repeating(tag))
    return slot.row != EMPTY and slot.row >= PUBLIC_REPEATING


def tag_for_keyword(keyword):
    """The element's tag, None when no element has the keyword."""
    return tag_of_keyword(keyword)


def keywords():
    """Every element's keyword, in the order of the tags; repeating elements are left out."""
    cdef int i
    return [
        slice_text(public_text(&PUBLIC_ROWS[i]), PUBLIC_ROWS[i].keyword)
        for i in range(PUBLIC_REPEATING) if PUBLIC_ROWS[i].keyword
    ]
