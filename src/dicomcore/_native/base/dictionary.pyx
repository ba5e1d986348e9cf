"""Look-ups in the generated dictionaries: elements by tag and keyword, private elements, UIDs."""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp

from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.base.cursor cimport load_le64
from dicomcore._native.base.taught cimport taught_entry, taught_private, taught_tag, taught_vr

from dicomcore._native.base.taught import knows_creator, taught_keywords


cdef extern from *:
    """
    #define new_int(cls, args) PyLong_Type.tp_new((PyTypeObject *)(cls), (args), NULL)
    """
    object new_int(type cls, tuple args)


cdef extern from "base/tables/dictionary.h" nogil:
    ctypedef struct public_row_t:
        uint32_t tag, text
        uint8_t keyword, name, vr, vm, retired
    ctypedef struct public_slot_t:
        uint32_t tag
        uint16_t vr, row
    const int PUBLIC_VR_COUNT, PUBLIC_VM_COUNT, PUBLIC_COUNT, PUBLIC_REPEATING
    const uint32_t PUBLIC_MULTIPLIER
    const char PUBLIC_VR[][16]
    const char PUBLIC_VM[][8]
    const char PUBLIC_TEXT[][4096]
    const public_row_t PUBLIC_ROWS[]
    const public_slot_t PUBLIC_SLOTS[]
    const uint16_t PUBLIC_KEYWORDS[]

cdef extern from "base/tables/private_dictionary.h" nogil:
    ctypedef struct private_row_t:
        uint32_t tag, text
        uint8_t name, vr, vm
    ctypedef struct creator_row_t:
        uint32_t text
        uint16_t length, first
    const int PRIVATE_VR_COUNT, PRIVATE_VM_COUNT, CREATOR_COUNT
    const char PRIVATE_VR[][16]
    const char PRIVATE_VR_CODE[][4]
    const char PRIVATE_VM[][8]
    const char PRIVATE_TEXT[][4096]
    const private_row_t PRIVATE_ROWS[]
    const creator_row_t CREATOR_ROWS[]
    const uint16_t CREATOR_SLOTS[]

cdef extern from "base/tables/uid_dictionary.h" nogil:
    ctypedef struct uid_row_t:
        uint32_t text
        uint8_t uid, keyword, name, info, type, retired
    const int UID_COUNT
    const char UID_TYPE[][48]
    const char UID_TEXT[][4096]
    const uid_row_t UID_ROWS[]
    const uint16_t UID_SLOTS[]
    const uint16_t UID_KEYWORDS[]

cdef enum:
    EMPTY = 0xFFFF              # a hash slot without a row
    BITS = 14                   # of an index into the public hash tables
    MASK = (1 << BITS) - 1
    CREATOR_BITS = 10
    UID_BITS = 11
    UL = c"U" | c"L" << 8
    LO = c"L" | c"O" << 8

cdef tuple VRS = tuple([PUBLIC_VR[i].decode("ascii") for i in range(PUBLIC_VR_COUNT)])
cdef tuple VMS = tuple([PUBLIC_VM[i].decode("ascii") for i in range(PUBLIC_VM_COUNT)])
cdef tuple PRIVATE_VRS = tuple([PRIVATE_VR[i].decode("ascii") for i in range(PRIVATE_VR_COUNT)])
cdef tuple PRIVATE_VMS = tuple([PRIVATE_VM[i].decode("ascii") for i in range(PRIVATE_VM_COUNT)])


cdef inline const public_slot_t* probe(uint32_t tag) noexcept nogil:
    # The tag's slot, or an empty one. Only a third of the slots are taken, so the walk ends soon.
    static_assert(sizeof(PUBLIC_SLOTS) == sizeof(public_slot_t) << BITS)
    static_assert(PUBLIC_COUNT < 1 << (BITS - 1))
    cdef uint32_t at = (tag * PUBLIC_MULTIPLIER) >> (32 - BITS)
    while PUBLIC_SLOTS[at].tag != tag and PUBLIC_SLOTS[at].row != EMPTY:
        at = (at + 1) & MASK
    return &PUBLIC_SLOTS[at]


cdef inline uint32_t repeating(uint32_t tag) noexcept nogil:
    # The key under which the table lists the repeating element that the tag may belong to: the tag with all bits of the
    # "x" digits set (PS3.6 §6, PS3.5 7.6).
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
    # The tag's slot, or that of its repeating element; NULL if the dictionary has neither.
    cdef const public_slot_t* slot
    if tag & 0x10000:
        return NULL
    slot = probe(tag)
    if slot.row == EMPTY:
        slot = probe(repeating(tag))
    return slot if slot.row != EMPTY else NULL


cdef uint16_t public_vr(uint32_t tag) noexcept nogil:
    cdef const public_slot_t* slot
    if tag & 0x10000:                       # private: only the VR of creators is known (PS3.5 7.8.1)
        if 0x10 <= (tag & 0xFFFF) <= 0xFF:
            return LO
        return UL if tag & 0xFFFF == 0 else 0
    slot = probe(tag)
    if slot.row != EMPTY:
        return slot.vr
    if tag & 0xFFFF == 0:                   # group length; all but two are retired (PS3.5 7.2)
        return UL
    slot = probe(repeating(tag))
    return slot.vr if slot.row != EMPTY else taught_vr(tag)


cdef bint public_is_retired(uint32_t tag) noexcept nogil:
    cdef const public_slot_t* slot = find(tag)
    return slot != NULL and PUBLIC_ROWS[slot.row].retired


cdef bint public_takes(uint32_t tag, int64_t count) noexcept nogil:
    # VMs are 2, 1-3, 1-n, 2-2n: the fewest, the most, and with both "n" and a number the step.
    cdef const public_slot_t* slot = find(tag)
    cdef const char* vm
    cdef int least = 0, most = 0
    if slot == NULL or PUBLIC_VM[PUBLIC_ROWS[slot.row].vm][0] == 0:
        return True
    vm = PUBLIC_VM[PUBLIC_ROWS[slot.row].vm]
    while 48 <= vm[0] <= 57:
        least = least * 10 + vm[0] - 48
        vm += 1
    if vm[0] == 0:
        return count == least
    vm += 1                                 # "-"
    while 48 <= vm[0] <= 57:
        most = most * 10 + vm[0] - 48
        vm += 1
    if vm[0] == 0:
        return least <= count <= most
    return count >= least and (most == 0 or count % most == 0)


cdef inline uint64_t load_short(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # A little-endian word from fewer than eight bytes.
    cdef uint64_t word = 0
    cdef Py_ssize_t i
    for i in range(n):
        word |= <uint64_t>p[i] << (8 * i)
    return word


cdef inline uint32_t text_hash(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Mixes the length and the first, middle and last eight bytes: many keywords share their beginning or end, few share
    # all three. The generator of the tables computes the same hash.
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


cdef inline const char* utf8(object text, Py_ssize_t* n):
    # NULL for keys that no dictionary can hold: other types, and strings with a lone surrogate.
    if not isinstance(text, str):
        return NULL
    try:
        return PyUnicode_AsUTF8AndSize(text, n)
    except UnicodeEncodeError:
        return NULL


cdef int64_t find_keyword(object keyword):
    cdef Py_ssize_t n = 0
    cdef const char* text = utf8(keyword, &n)
    cdef uint32_t at
    cdef const public_row_t* row
    if text == NULL:
        return -1
    static_assert(sizeof(PUBLIC_KEYWORDS) == sizeof(uint16_t) << BITS)
    at = text_hash(<const uint8_t*>text, n) >> (32 - BITS)
    while PUBLIC_KEYWORDS[at] != EMPTY:
        row = &PUBLIC_ROWS[PUBLIC_KEYWORDS[at]]
        if row.keyword == n and memcmp(public_text(row), text, n) == 0:
            return row.tag
        at = (at + 1) & MASK
    return taught_tag(keyword)


cdef object tag_of_keyword(object keyword):
    cdef int64_t tag = find_keyword(keyword)
    return None if tag < 0 else tag


cdef inline str slice_text(const char* text, Py_ssize_t n):
    return PyUnicode_DecodeUTF8(text, n, NULL)


cdef str keyword_of_tag(uint32_t tag):
    cdef const public_slot_t* slot = find(tag)
    if slot == NULL:
        own = taught_entry(tag)
        return "" if own is None else own[4]
    return slice_text(public_text(&PUBLIC_ROWS[slot.row]), PUBLIC_ROWS[slot.row].keyword)


cdef str name_of_tag(uint32_t tag):
    cdef const public_slot_t* slot = find(tag)
    cdef const public_row_t* row
    if slot != NULL:
        row = &PUBLIC_ROWS[slot.row]
        return slice_text(public_text(row) + row.keyword, row.name)
    own = taught_entry(tag)
    if own is not None:
        return own[2]
    if tag & 0xFFFF == 0:
        return "Group Length"
    if tag & 0x10000:                       # (gggg,0001) to (gggg,000F) are forbidden (PS3.5 7.8.1)
        return "Private Creator" if 0x10 <= tag & 0xFFFF <= 0xFF else "Private tag data"
    return ""


cdef str vm_of_tag(uint32_t tag):
    cdef const public_slot_t* slot = find(tag)
    return VMS[PUBLIC_ROWS[slot.row].vm] if slot != NULL else ""


def entry(uint32_t tag):
    """(VR, VM, name, 'Retired' or '', keyword) of a public or repeating element, None if the tag is unknown."""
    cdef const public_slot_t* slot = find(tag)
    cdef const public_row_t* row
    if slot == NULL:
        return taught_entry(tag)
    row = &PUBLIC_ROWS[slot.row]
    return (
        VRS[row.vr], VMS[row.vm], slice_text(public_text(row) + row.keyword, row.name),
        "Retired" if row.retired else "", slice_text(public_text(row), row.keyword),
    )


def vr_code(uint32_t tag):
    """The VR that the scanner assumes for the tag in implicit VR: two letters, '' if unknown."""
    cdef uint16_t vr = public_vr(tag)
    return chr(vr & 0xFF) + chr(vr >> 8) if vr else ""


def has_tag(uint32_t tag):
    """Whether PS3.6 or PS3.7 lists exactly this tag; tags of repeating elements don't count."""
    cdef const public_slot_t* slot = probe(tag)
    return slot.row != EMPTY and slot.row < PUBLIC_REPEATING or taught_entry(tag) is not None


def repeater_has_tag(uint32_t tag):
    """Whether the tag belongs to a repeating element (PS3.5 7.6)."""
    cdef const public_slot_t* slot
    if tag & 0x10000:
        return False
    slot = probe(repeating(tag))
    return slot.row != EMPTY and slot.row >= PUBLIC_REPEATING


def tag_for_keyword(keyword):
    """The tag of the element with this keyword, None if no element has it."""
    return tag_of_keyword(keyword)


def repeater_has_keyword(keyword):
    """Whether the keyword is that of a repeating element, so that it names no single tag."""
    cdef Py_ssize_t n = 0
    cdef const char* text = utf8(keyword, &n)
    cdef int i
    if text == NULL:
        return False
    for i in range(PUBLIC_REPEATING, PUBLIC_COUNT):
        if PUBLIC_ROWS[i].keyword == n and memcmp(public_text(&PUBLIC_ROWS[i]), text, n) == 0:
            return True
    return False


def keywords():
    """The keywords of all elements but the repeating ones, in the order of their tags."""
    cdef int i
    return [
        slice_text(public_text(&PUBLIC_ROWS[i]), PUBLIC_ROWS[i].keyword)
        for i in range(PUBLIC_REPEATING) if PUBLIC_ROWS[i].keyword
    ] + taught_keywords()


cdef int find_creator(const uint8_t* creator, Py_ssize_t n) noexcept nogil:
    cdef uint32_t at = text_hash(creator, n) >> (32 - CREATOR_BITS)
    static_assert(sizeof(CREATOR_SLOTS) == sizeof(uint16_t) << CREATOR_BITS)
    static_assert(CREATOR_COUNT < 1 << CREATOR_BITS)                # an empty slot ends each walk
    cdef const creator_row_t* row
    while CREATOR_SLOTS[at] != EMPTY:
        row = &CREATOR_ROWS[CREATOR_SLOTS[at]]
        if row.length == n and memcmp(<const char*>PRIVATE_TEXT + row.text, creator, n) == 0:
            return CREATOR_SLOTS[at]
        at = (at + 1) & ((1 << CREATOR_BITS) - 1)
    return -1


cdef int creator_of(object creator):
    cdef Py_ssize_t n = 0
    cdef const char* text = utf8(creator, &n)
    return find_creator(<const uint8_t*>text, n) if text != NULL else -1


cdef const private_row_t* find_private(int creator, uint32_t tag) noexcept nogil:
    # The creator's entry for exactly this tag, else for the tag in any block, else in any block of any group with the
    # same high byte; NULL if there is none.
    cdef uint32_t[3] keys
    cdef Py_ssize_t low, high, middle
    cdef int i
    if creator < 0:
        return NULL
    keys[0], keys[1], keys[2] = tag, tag | 0xFF00, tag | 0xFFFF00
    for i in range(3):
        low, high = CREATOR_ROWS[creator].first, CREATOR_ROWS[creator + 1].first
        while low < high:
            middle = (low + high) >> 1
            if PRIVATE_ROWS[middle].tag < keys[i]:
                low = middle + 1
            else:
                high = middle
        if low < CREATOR_ROWS[creator + 1].first and PRIVATE_ROWS[low].tag == keys[i]:
            return &PRIVATE_ROWS[low]
    return NULL


cdef uint16_t private_vr_at(int creator, uint32_t tag) noexcept nogil:
    cdef const private_row_t* row = find_private(creator, tag)
    if row == NULL:
        return 0
    return <uint16_t>(<uint8_t>PRIVATE_VR_CODE[row.vr][0] | <uint32_t><uint8_t>PRIVATE_VR_CODE[row.vr][1] << 8)


cdef inline str private_name(const private_row_t* row):
    return slice_text(<const char*>PRIVATE_TEXT + row.text, row.name)


cdef str name_of_private(uint32_t tag, object creator):
    cdef const private_row_t* row = find_private(creator_of(creator), tag)
    if row != NULL:
        return private_name(row)
    own = taught_private(tag, creator)
    return "" if own is None else own[2]


def private_vr(uint32_t tag, creator):
    """The VR of a creator's element, spelled as in PS3.6; None if it is unknown."""
    cdef const private_row_t* row = find_private(creator_of(creator), tag)
    if row != NULL:
        return PRIVATE_VRS[row.vr]
    own = taught_private(tag, creator)
    return None if own is None else own[0]


def private_vr_code(uint32_t tag, creator):
    """The VR that the scanner assumes for a creator's element: two letters, '' if unknown."""
    cdef uint16_t vr = private_vr_at(creator_of(creator), tag)
    return chr(vr & 0xFF) + chr(vr >> 8) if vr else ""


def private_entry(uint32_t tag, creator):
    """(VR, VM, name, '') of a creator's element, None if it is unknown."""
    cdef const private_row_t* row = find_private(creator_of(creator), tag)
    if row == NULL:
        return taught_private(tag, creator)
    return PRIVATE_VRS[row.vr], PRIVATE_VMS[row.vm], private_name(row), ""


def has_creator(creator):
    """Whether the private dictionary lists the creator in exactly this spelling."""
    return creator_of(creator) >= 0 or knows_creator(creator)


def uid_entry(uid):
    """(name, type, info, 'Retired' or '', keyword) of a registered UID, None if it is unknown."""
    cdef Py_ssize_t n = 0
    cdef const char* text = utf8(uid, &n)
    cdef const char* found
    cdef const uid_row_t* row
    cdef uint32_t at
    if text == NULL:
        return None
    static_assert(UID_COUNT < 1 << UID_BITS)                        # an empty slot ends each walk
    static_assert(sizeof(UID_SLOTS) == sizeof(uint16_t) << UID_BITS)
    at = text_hash(<const uint8_t*>text, n) >> (32 - UID_BITS)
    while UID_SLOTS[at] != EMPTY:
        row = &UID_ROWS[UID_SLOTS[at]]
        found = <const char*>UID_TEXT + row.text
        if row.uid == n and memcmp(found, text, n) == 0:
            found += row.uid
            return (
                slice_text(found + row.keyword, row.name), UID_TYPE[row.type].decode("ascii"),
                slice_text(found + row.keyword + row.name, row.info), "Retired" if row.retired else "",
                slice_text(found, row.keyword),
            )
        at = (at + 1) & ((1 << UID_BITS) - 1)
    return None


def uid_for_keyword(keyword):
    """The UID with this keyword, None if no UID has it."""
    cdef Py_ssize_t n = 0
    cdef const char* text = utf8(keyword, &n)
    cdef const uid_row_t* row
    cdef uint32_t at
    if text == NULL:
        return None
    static_assert(sizeof(UID_KEYWORDS) == sizeof(uint16_t) << UID_BITS)
    at = text_hash(<const uint8_t*>text, n) >> (32 - UID_BITS)
    while UID_KEYWORDS[at] != EMPTY:
        row = &UID_ROWS[UID_KEYWORDS[at]]
        if row.keyword == n and memcmp(<const char*>UID_TEXT + row.text + row.uid, text, n) == 0:
            return slice_text(<const char*>UID_TEXT + row.text, row.uid)
        at = (at + 1) & ((1 << UID_BITS) - 1)
    return None


def registered_uids():
    """All UIDs of the dictionary, sorted as text."""
    cdef int i
    return [slice_text(<const char*>UID_TEXT + UID_ROWS[i].text, UID_ROWS[i].uid) for i in range(UID_COUNT)]


cdef object new_tag(type cls, uint32_t tag):
    return new_int(cls, (tag,))


def instance(type cls not None, uint32_t tag):
    """`cls(tag)` for an int subclass, without the checks of its `__new__`."""
    if not issubclass(cls, int):
        raise TypeError(f"{cls.__name__} is no subclass of int")
    return new_tag(cls, tag)
