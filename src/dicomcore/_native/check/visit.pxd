# Where the walk is: the data set or item it looks at and those around it. Conditions look outward from here.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.alike cimport Turn
from dicomcore._native.check.findings cimport NO_MODULE, Findings, add
from dicomcore._native.check.plan cimport Claim, Level, Slot
from dicomcore._native.check.subject cimport Subject
from dicomcore._native.rules.tables cimport rules_t

cdef enum Frame:
    NO_FRAME            # the data set is in no functional group
    SHARED_FRAME
    ONE_FRAME

cdef enum Presence:         # of a module
    MODULE_ABSENT
    MODULE_PRESENT
    MODULE_IN_PART          # only what it leaves to the writer (type 3): no more is due but in the items of that

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
    uint8_t* active     # of each usage: whether its module is there, or taken to be (Presence)
    uint8_t* shared     # of each functional group: whether it is in the shared groups
    const uint16_t* modules     # of each usage: its module
    const uint8_t* usages       # its letter: M, C, U
    const uint16_t* conditions  # its condition
    const uint8_t* syntax       # the transfer syntax as text, for data sets without file meta information
    int syntax_length
    bint folds, notes           # MODULE_MISSING and NOT_IN_IOD are asked for
    int usage_count, group_count
    Visit* visits
    uint32_t depth, visit_capacity      # visits[depth] is the present one
    uint32_t* arena
    uint32_t used, room
    Turn turn           # where it is among the items of per-frame functional groups
    uint32_t shared_item        # its row, NO_ROW if there is none
    uint64_t unknown            # conditions that could not be decided


cdef uint32_t kid_of(const Walk* w, uint32_t visit, uint32_t tag) noexcept nogil    # its row, or NO_ROW
cdef Status reserve(Walk* w, uint32_t more) noexcept nogil      # room for `more` words in the arena
cdef Status push(Walk* w, uint32_t level, uint32_t first, uint32_t stop, uint32_t item, uint32_t path, uint32_t number,
                 uint8_t frame) noexcept nogil
# Make a data set the present one: sort its rows, and put each to its slot.


cdef inline Status note(Walk* w, uint16_t code, const Claim* c, uint32_t tag, uint32_t row,
                        uint32_t detail) noexcept nogil:
    # A finding about an attribute of the present data set; `c` is what a module says of it, NULL: none does.
    cdef const Visit* v = &w.visits[w.depth]
    cdef uint16_t module = NO_MODULE if c == NULL else w.modules[c.usage]
    return add(w.findings, code, module, tag, row, v.item, v.path, detail, NO_MODULE if c == NULL else c.module)


cdef inline void count_unknown(Walk* w, bint is_unknown) noexcept nogil:
    # A condition that could not be decided, in each of the items that are alike.
    if is_unknown:
        w.unknown += w.findings.weight
