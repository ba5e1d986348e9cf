# What becomes of each element: the rows of the profile for a choice of options, and the private elements that are safe.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.check.plan cimport Plan

# Actions are ASCII letters, those of PS3.15 where it has one.
cdef enum Action:
    NO_ACTION = 0
    KEEP = 0x4B
    REMOVE = 0x58
    EMPTY = 0x5A            # a dummy where the IOD wants a value
    DUMMY = 0x44
    MAP = 0x55
    CLEAN = 0x43
    NAME = 0x50             # the patient's pseudonym
    AGE = 0x41              # ages over 89 years become 90
    CALL = 0x46             # a function of the caller
    X_Z = 0x61              # settled by the attribute's type in the IOD: X/Z, X/D, Z/D, X/Z/D, X/Z/U*
    X_D = 0x62
    Z_D = 0x63
    X_Z_D = 0x64
    X_Z_U = 0x65

cdef enum Rule:             # why: what the log of a data set says beside each action
    TABLE                   # Table E.1-1
    OWN                     # the caller's
    PRIVATE_RULE
    NET                     # by its VR, as no table knows it
    GRAPHICS
    CONTENT
    UNREAD                  # neither its VR nor its items are known
    UNKNOWN                 # the IOD does not know it
    STRUCTURE               # group lengths, padding
    PIXELS

cdef struct Slot:
    uint32_t tag
    uint16_t vr             # where the dictionary has none
    uint16_t number         # of the caller's function
    uint8_t action, basic, rule

cdef struct PrivateRow:
    uint64_t key            # creator << 32 | group << 8 | low byte
    uint16_t vr
    uint8_t what            # k: keep, h: replace the UID, o: shift the date

cdef enum:
    BITS = 12

cdef class Rules:
    cdef Slot[1 << BITS] slots
    cdef Py_ssize_t filled
    cdef PrivateRow* private
    cdef Py_ssize_t private_count
    cdef dict creators                  # their numbers by their bytes
    cdef dict plans                     # of IODs by the bytes of the SOP class UID, None: unknown
    cdef tuple functions
    cdef uint8_t net_uid, net_name, net_date, curves, overlays, overlay_text
    cdef bint unknown_removed, structured, descriptors
    cdef bint own_private               # the caller named private elements that stay

    cdef int put(self, uint32_t tag, uint8_t action, uint8_t basic, uint8_t rule, uint16_t number, str vr) except -1
    cdef int put_private(self, list rows) except -1
    cdef Plan types_of(self, bytes sop_class)
    cdef const PrivateRow* find_private(self, int creator, uint32_t tag) noexcept nogil


cdef inline const Slot* slot_for(const Slot* slots, uint32_t tag) noexcept nogil:
    # The slot of a tag; without a rule an empty one.
    cdef uint32_t at = (tag * <uint32_t>2654435761) >> (32 - BITS)
    while slots[at].tag != tag and slots[at].action != NO_ACTION:
        at = (at + 1) & ((1 << BITS) - 1)
    return &slots[at]
