# Where the walk is: the data set or item it looks at and those around it. Conditions look outward from here.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.findings cimport Findings
from dicomcore._native.check.plan cimport Claim, Level, Slot
from dicomcore._native.check.subject cimport Subject
from dicomcore._native.rules.tables cimport rules_t

cdef enum Frame:
    NO_FRAME            # the data set is in no functional group
    SHARED_FRAME
    ONE_FRAME

cdef struct Visit:
    uint32_t level      # of the plan
    uint32_t first, stop        # rows of the data set
    uint32_t item       # its own row, NO_ROW at the root
    uint32_t kids, kid_count    # in the arena: its elements' rows in ascending order of tag, then the slot of each
    uint32_t places     # in the arena: the row of each slot of the level, NO_ROW if it is missing
    uint32_t next_kid, next_item, items_stop    # how far the sequences in it are walked through
    uint32_t path       # a hash of the tags around it
    uint32_t number     # the item's place in its sequence, from 1
    uint8_t frame       # Frame

cdef struct Walk:
    const Subject* subject
    const rules_t* rules
    const Slot* slots
    const Claim* claims
    const Level* levels
    const uint32_t* needed
    Findings* findings
    uint8_t* active     # of each usage: whether its module is there, or taken to be (Presence in walk.pyx)
    uint8_t* shared     # of each functional group: whether it is in the shared groups
    const uint16_t* modules     # of each usage: its module
    int usage_count, group_count
    Visit* visits
    uint32_t depth, visit_capacity      # visits[depth] is the present one
    uint32_t* arena
    uint32_t used, room
    uint32_t shared_item        # its row, NO_ROW if there is none
    uint64_t unknown            # conditions that could not be decided


cdef uint32_t kid_of(const Walk* w, uint32_t visit, uint32_t tag) noexcept nogil    # its row, or NO_ROW
