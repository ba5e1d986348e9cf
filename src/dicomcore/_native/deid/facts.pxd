# What the standard says of tags and VRs that the walk asks for, and how compound actions are settled.

from libc.stdint cimport uint16_t, uint32_t, uint8_t

from dicomcore._native.base.vr cimport AE, DA, DT, LO, LT, PN, SH, ST, TM, UC, UR, UT
from dicomcore._native.check.plan cimport NO_LEVEL, Level, Plan, Slot as LevelSlot, slot_of
from dicomcore._native.deid.rules cimport DUMMY, EMPTY, MAP, REMOVE, X_D, X_Z, X_Z_D, X_Z_U, Z_D

cdef enum:
    SOP_CLASS = 0x00080016
    SOP_INSTANCE = 0x00080018
    STUDY_INSTANCE = 0x0020000D
    SERIES_INSTANCE = 0x0020000E
    PATIENT_ID = 0x00100020
    ISSUER = 0x00100021
    TIMEZONE = 0x00080201
    SCHEME = 0x00080102
    CONCEPT_NAME = 0x0040A043
    UNITS = 0x004008EA
    FIRST_GROUP = 8             # of data sets; lower ones are of files, directories and commands


cdef inline bint identifies(uint32_t tag) noexcept nogil:
    return tag == SOP_INSTANCE or tag == PATIENT_ID or tag == STUDY_INSTANCE or tag == SERIES_INSTANCE


# UIDs that name classes, syntaxes and schemes, not instances.
cdef inline bint names_class(uint32_t tag) noexcept nogil:
    return (
        tag == 0x00080016 or tag == 0x0008001A or tag == 0x0008001B or tag == 0x00080062 or tag == 0x0008010C
        or tag == 0x0008010D or tag == 0x00080117 or tag == 0x00080118 or tag == 0x0008040E or tag == 0x00081150
        or tag == 0x0008115A or tag == 0x00083002 or tag == 0x00340003 or tag == 0x04000010 or tag == 0x04000510
        or tag == 0x30100052 or tag == 0x30100053
    )


cdef inline bint names_code(uint32_t tag) noexcept nogil:
    # Code Value, Coding Scheme Designator and Version: numbers, but of no patient.
    return tag == 0x00080100 or tag == 0x00080102 or tag == 0x00080103


cdef inline bint names_long_code(uint32_t tag) noexcept nogil:
    # Long Code Value, URN Code Value: they have room for a name.
    return tag == 0x00080119 or tag == 0x00080120


cdef inline bint has_content_items(uint32_t tag) noexcept nogil:
    # Content, Acquisition Context, Protocol Context, Content Item Modifier, Specimen Preparation Step Content Item.
    return (tag == 0x0040A730 or tag == 0x00400555 or tag == 0x00400440 or tag == 0x00400441 or tag == 0x00400612)


cdef inline bint is_prose(uint16_t vr) noexcept nogil:
    # Text that may hold anything; code strings and numbers do not.
    return (vr == LO or vr == SH or vr == ST or vr == LT or vr == UT or vr == UC or vr == PN or vr == AE or vr == UR)


cdef inline bint is_time(uint16_t vr) noexcept nogil:
    return vr == DA or vr == DT or vr == TM


cdef inline int type_at(Plan types, uint32_t level, uint32_t tag, uint32_t* child) noexcept nogil:
    # The strictest type of an attribute at its place: 1, 2, 3; 0 if the IOD is not known. `child` becomes the level of
    # its items.
    cdef const LevelSlot* slot
    cdef const Level* own
    cdef uint32_t place, k
    cdef uint8_t kind, strictest = 6
    child[0] = NO_LEVEL
    if level == NO_LEVEL:
        return 0
    own = &types.levels[level]
    place = slot_of(types.slots, own, tag)
    if place == own.slot_count:
        return 3
    slot = &types.slots[own.slots + place]
    child[0] = slot.child
    for k in range(slot.claim_count):
        kind = types.claims[slot.claims + k].type
        if kind and kind < strictest:
            strictest = kind
    return 1 if strictest <= 2 else 2 if strictest <= 4 else 3


cdef inline uint8_t settled(uint8_t action, int kind) noexcept nogil:
    # A compound action, by the type of the attribute; where the IOD is not known, what is valid in any.
    if action == X_Z:
        return REMOVE if kind == 3 else EMPTY
    if action == X_D:
        return REMOVE if kind == 3 else DUMMY
    if action == Z_D:
        return EMPTY if kind >= 2 else DUMMY
    if action == X_Z_D:
        return REMOVE if kind == 3 else EMPTY if kind == 2 else DUMMY
    if action == X_Z_U:
        return REMOVE if kind == 3 else EMPTY if kind == 2 else MAP
    if action == EMPTY:
        return DUMMY if kind == 1 else EMPTY
    return action


cdef inline str named(uint32_t tag):
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
