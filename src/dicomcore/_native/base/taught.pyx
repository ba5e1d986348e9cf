"""Entries that a program has added to the dictionaries, for the whole process.

Kernels look up only the VR of a public tag. Its table never changes: a new table replaces it, and the old one is never
freed, as threads may be reading it. All other fields are in Python dictionaries, which only gain entries.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t
from libc.stdlib cimport malloc
from libc.string cimport memcpy

from dicomcore._native.base.shared cimport load_pointer, store_pointer

from _thread import allocate_lock

cdef struct Known:
    uint32_t tag
    uint16_t vr

cdef struct Table:
    Py_ssize_t count
    Known rows[1]               # `count` rows, unsorted, as there are few

cdef Table* PUBLIC = NULL
cdef dict ENTRIES = {}          # tag -> entry
cdef dict KEYWORDS = {}         # keyword -> tag
cdef dict PRIVATE = {}          # (creator, tag without its block) -> entry
cdef object ONE_AT_A_TIME = allocate_lock()


cdef uint16_t taught_vr(uint32_t tag) noexcept nogil:
    cdef Table* table = <Table*>load_pointer(<void**>&PUBLIC)
    cdef Py_ssize_t i
    if table != NULL:
        for i in range(table.count):
            if table.rows[i].tag == tag:
                return table.rows[i].vr
    return 0


cdef int64_t taught_tag(object keyword):
    return KEYWORDS.get(keyword, -1) if len(KEYWORDS) and isinstance(keyword, str) else -1


cdef tuple taught_entry(uint32_t tag):
    return ENTRIES.get(tag) if len(ENTRIES) else None


cdef bint any_taught_private():
    return len(PRIVATE) != 0


cdef tuple taught_private(uint32_t tag, object creator):
    return PRIVATE.get((creator, tag & 0xFFFF00FF)) if len(PRIVATE) else None


def teach(uint32_t tag, str VR not None, tuple entry not None) -> None:
    """Add a public element; `entry` is (VR, VM, name, "Retired" or "", keyword). It replaces an earlier one."""
    cdef Table* table
    cdef Table* made
    cdef Py_ssize_t count, i
    with ONE_AT_A_TIME:
        table = PUBLIC
        count = 0 if table == NULL else table.count
        made = <Table*>malloc(sizeof(Table) + count * sizeof(Known))
        if made == NULL:
            raise MemoryError("no memory for a dictionary entry")
        if count:
            memcpy(made, table, sizeof(Table) + (count - 1) * sizeof(Known))
        for i in range(count):
            if made.rows[i].tag == tag:
                break
        else:
            i = count
            count += 1
        made.count = count
        made.rows[i].tag = tag
        made.rows[i].vr = <uint16_t>(ord(VR[0]) | ord(VR[1]) << 8)
        ENTRIES[tag] = entry
        KEYWORDS[entry[4]] = tag
        store_pointer(<void**>&PUBLIC, made)


def teach_private(str creator not None, uint32_t tag, tuple entry not None) -> None:
    """Add an element of a private creator; `entry` is (VR, VM, name, ""). It replaces an earlier one."""
    PRIVATE[creator, tag & 0xFFFF00FF] = entry


def taught_keywords() -> list:
    """The keywords of the added public elements."""
    return list(KEYWORDS)


def knows_creator(creator) -> bool:
    """Whether any element of this private creator was added."""
    return any(one == creator for one, _ in list(PRIVATE))
