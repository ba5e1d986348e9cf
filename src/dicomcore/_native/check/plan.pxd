# The tables of an IOD, compiled for the walk: for each level of its data sets the attributes in ascending order of tag,
# each with what the modules say of it. Macros that include themselves make a graph, not an endless tree.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef enum:
    NO_LEVEL = 0x7FFFFFFF
    LOOKED_BITS = 13
    LOOKED_SIZE = 1 << LOOKED_BITS

cdef struct Claim:              # what one row of a module's table says of an attribute
    uint16_t usage              # in which of the IOD's modules, or functional groups behind them
    uint16_t module             # the table
    uint16_t condition, uses
    uint16_t guard              # the condition of the include that brought it, 0: none
    uint8_t use_count, type, items, spare

cdef struct Slot:               # an attribute of a level
    uint32_t tag                # an x of a repeating group is an F
    uint32_t claims
    uint32_t child              # the level of its items
    uint16_t claim_count
    uint16_t vr                 # of the dictionary, 0: none

cdef struct Level:
    uint32_t slots, slot_count
    uint32_t needed, needed_count       # slots that may have to be there, in `needed` of the plan
    bint groups                 # items of functional groups

cdef class Plan:
    cdef Slot* slots
    cdef Claim* claims
    cdef Level* levels
    cdef uint32_t* needed
    cdef readonly int sop_class, slot_total, claim_total, level_total
    cdef readonly int usage_count, group_count
    cdef uint16_t* modules      # the module of each usage, then of each functional group
    cdef uint8_t* usages        # its letter: M, C, U
    cdef uint16_t* conditions   # its condition
    cdef uint32_t* looked       # tags at whose values rules look, a hash table of LOOKED_SIZE places; 0: an empty one


cdef inline uint32_t slot_of(const Slot* all_slots, const Level* level, uint32_t tag) noexcept nogil:
    # The number of a tag's slot in its level, slot_count if it has none.
    cdef const Slot* slots = &all_slots[level.slots]
    cdef uint32_t low = 0, high = level.slot_count, middle
    cdef uint32_t top = tag >> 24
    if (top == 0x50 or top == 0x60) and not tag & 0x10000:
        tag |= 0x00FF0000
    while low < high:
        middle = (low + high) >> 1
        if slots[middle].tag < tag:
            low = middle + 1
        else:
            high = middle
    return low if low < level.slot_count and slots[low].tag == tag else level.slot_count


cdef inline uint32_t looked_at(const uint32_t* looked, uint32_t tag) noexcept nogil:
    # The place of a tag in the table, or the empty one where it belongs.
    cdef uint32_t at = (tag * <uint32_t>2654435761) >> (32 - LOOKED_BITS)
    while looked[at] and looked[at] != tag:
        at = (at + 1) & (LOOKED_SIZE - 1)
    return at


cdef Plan plan_for(int sop_class)
