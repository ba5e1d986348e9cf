"""The walk through a data set, level by level, beside the tables of its IOD: modules, types, conditions, values, items.

Every element and item is looked at once. Items wait on a stack of our own; its depth is that of the index, which
`Limits` bounds.
"""

from libc.stdint cimport UINT32_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status
from dicomcore._native.base.vr cimport OB_OR_OW, OW, SQ, SS, UN, US, US_OR_OW, US_OR_SS, US_OR_SS_OR_OW, OB
from dicomcore._native.check.conditions cimport FORBIDDEN, FREE, UNKNOWN, YES, Outcome, outcome_of
from dicomcore._native.check.findings cimport NO_MODULE, Findings, add
from dicomcore._native.check.plan cimport NO_LEVEL, Claim, Level, Plan, Slot, slot_of
from dicomcore._native.check.subject cimport Subject, bytes_of, has_value, int_at, items_of, text_at, value_count
from dicomcore._native.check.visit cimport NO_FRAME, ONE_FRAME, SHARED_FRAME, Visit, Walk, kid_of
from dicomcore._native.rules.tables cimport (
    RULE_NO_TYPE, RULE_STRING, RULE_TYPE_1, RULE_TYPE_1C, RULE_TYPE_2, RULE_TYPE_3, find_number, find_string,
    rule_items_t, rule_set_t, rule_use_t, rules, rules_t,
)
from dicomcore._native.scan.scan cimport IMPLICIT, ITEM, NO_ROW, TRAILING_PADDING, Row

cdef enum Code:             # numbers of dicomcore.iod.codes
    MISSING = 1
    EMPTY
    MISSING_EMPTY_ALLOWED
    MISSING_CONDITIONAL
    FORBIDDEN_PRESENT
    EMPTY_CONDITIONAL
    NOT_ENUMERATED
    NOT_DEFINED
    ITEM_COUNT
    NOT_IN_IOD
    MODULE_MISSING
    GROUP_TWICE
    GROUP_MISSING
    WRONG_VR
    VALUE_COUNT = 16
    NOT_DUE = 23            # present, though the text says nothing of a data set that does not need it

cdef enum Kind:             # of rules about values, see layout.h; the others are looked at elsewhere
    NUMBERS = 0x42
    DEFINED = 0x44
    ENUMERATED = 0x45
    COUNT = 0x4E
    TAGS = 0x54

cdef enum Presence:         # of a module
    ABSENT
    PRESENT
    IN_PART                 # only what it leaves to the writer (type 3): no more is due but in the items of that

cdef enum:
    SHARED_GROUPS = 0x52009229
    FRAME_GROUPS = 0x52009230
    MOST_VALUES = 64            # values of an attribute that are looked at
    FIRST_ROOM = 1024           # words of the arena


# -- the stack -----------------------------------------------------------------------------------------------------

cdef Status reserve(Walk* w, uint32_t more) noexcept nogil:
    # Room for `more` words in the arena.
    cdef uint64_t needed = <uint64_t>w.used + more, size = w.room
    cdef uint32_t* longer
    if needed <= w.room:
        return OK
    while size < needed:
        size *= 2
    longer = <uint32_t*>realloc(w.arena, size * sizeof(uint32_t))
    if longer == NULL:
        return NO_MEMORY
    w.arena, w.room = longer, <uint32_t>size
    return OK


cdef Status push(Walk* w, uint32_t level, uint32_t first, uint32_t stop, uint32_t item, uint32_t path, uint32_t number,
                 uint8_t frame) noexcept nogil:
    # Make a data set the present one: sort its rows, and put each to its slot.
    cdef uint32_t depth = w.depth + 1 if w.visit_capacity and item != NO_ROW else 0
    cdef uint32_t i, count = 0, k, slot
    cdef const Level* own = &w.levels[level]
    cdef Visit* v
    cdef Visit* longer
    cdef Status status
    cdef uint32_t* kids
    cdef bint ordered = True
    if depth >= w.visit_capacity:
        longer = <Visit*>realloc(w.visits, (depth * 2 + 8) * sizeof(Visit))
        if longer == NULL:
            return NO_MEMORY
        w.visits, w.visit_capacity = longer, depth * 2 + 8
    i = first
    while i < stop:
        count += 1
        i = w.subject.rows[i].next
    status = reserve(w, 2 * count + own.slot_count)
    if status != OK:
        return status
    w.depth = depth
    v = &w.visits[depth]
    v.level, v.first, v.stop, v.item, v.path, v.number, v.frame = level, first, stop, item, path, number, frame
    v.kids, v.kid_count = w.used, count
    v.places = w.used + 2 * count
    v.next_kid, v.next_item, v.items_stop = 0, 0, 0
    w.used += 2 * count + own.slot_count
    kids = &w.arena[v.kids]
    i, k = first, 0
    while i < stop:
        kids[k] = i
        ordered = ordered and (k == 0 or w.subject.rows[kids[k - 1]].tag <= w.subject.rows[i].tag)
        k += 1
        i = w.subject.rows[i].next
    if not ordered:
        sort_kids(w.subject.rows, kids, count)
    memset(&w.arena[v.places], 0xFF, own.slot_count * sizeof(uint32_t))
    for k in range(count):
        slot = slot_of(w.slots, own, w.subject.rows[kids[k]].tag)
        kids[count + k] = slot
        if slot < own.slot_count and w.arena[v.places + slot] == NO_ROW:
            w.arena[v.places + slot] = kids[k]
    return OK


cdef void sort_kids(const Row* rows, uint32_t* kids, uint32_t count) noexcept nogil:
    # Heap sort: elements out of order are rare, and may be many.
    cdef uint32_t start = count // 2, end = count, root, child, held
    while end > 1:
        if start > 0:
            start -= 1
        else:
            end -= 1
            held = kids[end]
            kids[end] = kids[0]
            kids[0] = held
        root = start
        while 2 * root + 1 < end:
            child = 2 * root + 1
            if child + 1 < end and before(rows, kids[child], kids[child + 1]):
                child += 1
            if not before(rows, kids[root], kids[child]):
                break
            held = kids[root]
            kids[root] = kids[child]
            kids[child] = held
            root = child


cdef inline bint before(const Row* rows, uint32_t a, uint32_t b) noexcept nogil:
    return rows[a].tag < rows[b].tag or (rows[a].tag == rows[b].tag and a < b)


cdef inline uint32_t deeper(uint32_t path, uint32_t tag) noexcept nogil:
    # The hash of a path with one more sequence.
    return (path ^ tag) * <uint32_t>2654435761 + 40503


# -- modules -------------------------------------------------------------------------------------------------------

cdef void settle_modules(Walk* w, const uint8_t* usages, const uint16_t* conditions) noexcept nogil:
    # Which modules are taken to be there: mandatory ones; conditional ones that are due; others, if an attribute that
    # only they have, and that they do not leave to the writer (type 3), is filled. Those left to the writer make them
    # present in part.
    cdef int k
    cdef Outcome outcome
    for k in range(w.usage_count + w.group_count):
        w.active[k] = k >= w.usage_count or usages[k] == 0x4D
    mark_filled(w)
    for k in range(w.usage_count):
        if usages[k] == 0x43 and w.active[k] != PRESENT:
            outcome = outcome_of(w, conditions[k])
            if outcome.required == YES:
                w.active[k] = PRESENT
            elif outcome.required == UNKNOWN:
                w.unknown += 1


cdef void mark_filled(Walk* w) noexcept nogil:
    cdef const Visit* v = &w.visits[0]
    cdef const Level* own = &w.levels[v.level]
    cdef const Slot* slot
    cdef const Claim* c
    cdef uint32_t i, k
    cdef int owner
    cdef bint told
    for i in range(own.slot_count):
        if w.arena[v.places + i] == NO_ROW:
            continue
        slot = &w.slots[own.slots + i]
        owner, told = -1, True
        for k in range(slot.claim_count):
            c = &w.claims[slot.claims + k]
            if c.type == RULE_NO_TYPE:
                continue
            if owner >= 0 and owner != c.usage:
                told = False
            owner = c.usage
        if told and owner >= 0 and owner < w.usage_count and w.active[owner] != PRESENT:
            c = &w.claims[slot.claims]
            if has_value(w.subject, w.arena[v.places + i]):
                w.active[owner] = IN_PART if c.type == RULE_TYPE_3 else PRESENT


# -- attributes ----------------------------------------------------------------------------------------------------

cdef inline Status note(Walk* w, uint16_t code, const Claim* c, uint32_t tag, uint32_t row,
                        uint32_t detail) noexcept nogil:
    cdef const Visit* v = &w.visits[w.depth]
    cdef uint16_t module = NO_MODULE if c == NULL else w.modules[c.usage]
    return add(w.findings, code, module, tag, row, v.item, v.path, detail, NO_MODULE if c == NULL else c.module)


cdef inline bint is_held(const Walk* w, const Claim* c) noexcept nogil:
    # Whether what a module says of the presence of an attribute holds here.
    return w.active[c.usage] == PRESENT or (w.active[c.usage] == IN_PART and w.depth > 0)


cdef Status check_slot(Walk* w, uint32_t place) noexcept nogil:
    # What the modules that are there say of an attribute: at most one finding of its presence, one of its value.
    cdef const Visit* v = &w.visits[w.depth]
    cdef const Level* own = &w.levels[v.level]
    cdef const Slot* slot = &w.slots[own.slots + place]
    cdef uint32_t row = w.arena[v.places + place], k
    cdef bint there = row != NO_ROW, filled = there and has_value(w.subject, row), allowed = False
    cdef bint never_empty = True
    cdef uint8_t guarded
    cdef const Claim* c
    cdef const Claim* idle = NULL
    cdef const Claim* refusing = NULL
    cdef uint16_t worst = 0, refused = 0, code
    cdef const Claim* by = NULL
    cdef Outcome outcome
    cdef Status status
    if filled and slot.claim_count == 1 and w.claims[slot.claims].type & 1:
        allowed = True          # type 1, 2 or 3 with a value: the usual case
    else:
        for k in range(slot.claim_count):
            c = &w.claims[slot.claims + k]
            if c.type == RULE_NO_TYPE:
                continue
            if not is_held(w, c):
                idle = c
                never_empty = never_empty and c.type == RULE_TYPE_1 and c.guard == 0
                continue
            never_empty = False
            guarded = YES if c.guard == 0 else outcome_of(w, c.guard).required
            if guarded != YES:
                w.unknown += guarded == UNKNOWN
                allowed |= guarded == UNKNOWN
                continue
            code = 0
            if c.type == RULE_TYPE_1:
                allowed = True
                code = 0 if filled else EMPTY if there else MISSING
            elif c.type == RULE_TYPE_2:
                allowed = True
                code = 0 if there else MISSING_EMPTY_ALLOWED
            elif c.type == RULE_TYPE_3:
                allowed = True
            else:
                outcome = outcome_of(w, c.condition)
                if outcome.forbidden:       # whatever else: it is not due either
                    if there:
                        refusing, refused = c, FORBIDDEN_PRESENT
                    continue
                if outcome.required == UNKNOWN:
                    w.unknown += 1
                if outcome.required == YES:
                    allowed = True
                    if not there:
                        code = MISSING_CONDITIONAL
                    elif not filled and c.type == RULE_TYPE_1C:
                        code = EMPTY_CONDITIONAL
                elif outcome.otherwise == FREE:
                    allowed = True
                    if there and not filled and c.type == RULE_TYPE_1C:
                        code = EMPTY_CONDITIONAL
                elif there:
                    refusing, refused = c, FORBIDDEN_PRESENT if outcome.otherwise == FORBIDDEN else NOT_DUE
            if code and (worst == 0 or worst == MISSING_EMPTY_ALLOWED):
                worst, by = code, c
        if there and never_empty and idle != NULL and not filled:
            worst, by = EMPTY, idle     # no module that it could be part of lets it be empty
    if worst:
        status = note(w, worst, by, slot.tag if not there else w.subject.rows[row].tag, row,
                      by.type if worst == MISSING_CONDITIONAL else 0)
        if status != OK:
            return status
    if refusing != NULL and not allowed:
        status = note(w, refused, refusing, w.subject.rows[row].tag, row, 0)
        if status != OK:
            return status
    if filled:
        return check_value(w, slot, row)
    return OK


cdef Status check_value(Walk* w, const Slot* slot, uint32_t row) noexcept nogil:
    # Enumerated values, defined terms and the number of items.
    cdef const Claim* c
    cdef uint32_t k
    cdef bint listed_values = False
    cdef Status status
    cdef const rule_items_t* items
    cdef uint32_t count
    cdef int64_t stated
    cdef uint32_t teller
    for k in range(slot.claim_count):
        c = &w.claims[slot.claims + k]
        if not w.active[c.usage]:
            continue
        listed_values |= c.use_count != 0
        if c.items and w.subject.rows[row].vr == SQ:
            items = &w.rules.items[c.items]
            count = items_of(w.subject, row)
            if items.tag:
                teller = kid_of(w, w.depth, items.tag)
                if teller == NO_ROW or w.subject.rows[teller].vr == SQ:
                    continue
                if not int_at(w.subject, &w.subject.rows[teller], 1, False, &stated) or stated == count:
                    continue
            elif count >= items.least and (items.most == 0 or count <= items.most):
                continue
            status = note(w, ITEM_COUNT, c, w.subject.rows[row].tag, row, count)
            if status != OK:
                return status
    return check_terms(w, slot, row) if listed_values else OK


cdef Status check_terms(Walk* w, const Slot* slot, uint32_t row) noexcept nogil:
    # What the modules that are there say of the values. Each set holds for itself.
    cdef const Row* r = &w.subject.rows[row]
    cdef const Claim* c
    cdef const rule_use_t* use
    cdef uint32_t k, u
    cdef int count = value_count(w.subject, r)
    cdef Status status
    if bytes_of(w.subject, r) == NULL:
        return OK
    for k in range(slot.claim_count):
        c = &w.claims[slot.claims + k]
        if not w.active[c.usage] or (c.guard and outcome_of(w, c.guard).required != YES):
            continue
        for u in range(c.use_count):
            use = &w.rules.uses[c.uses + u]
            if not is_looked_at(use.kind) or not is_due(w, use):
                continue
            status = check_use(w, c, use, r, row, count, c.uses + u)
            if status != OK:
                return status
    return OK


cdef inline bint is_looked_at(uint8_t kind) noexcept nogil:
    return kind == ENUMERATED or kind == DEFINED or kind == NUMBERS or kind == TAGS or kind == COUNT


cdef bint is_due(Walk* w, const rule_use_t* use) noexcept nogil:
    # Whether a set of values holds here.
    cdef Outcome outcome
    if not use.conditional:
        return True
    if use.condition == 0:
        return False            # it can't be told
    outcome = outcome_of(w, use.condition)
    w.unknown += outcome.required == UNKNOWN
    return outcome.required == YES


cdef Status check_use(Walk* w, const Claim* c, const rule_use_t* use, const Row* r, uint32_t row, int count,
                      uint32_t number) noexcept nogil:
    cdef const rule_set_t* values = &w.rules.sets[use.set]
    cdef int n, first = use.number if use.number else 1
    cdef int last = use.number if use.number else min(count, <int>MOST_VALUES)
    cdef uint16_t code
    cdef Status status
    if use.kind == COUNT:
        if values.value_count == 2 and not is_between(w.rules, values, count):
            return note(w, VALUE_COUNT, c, r.tag, row, count)
        return OK
    for n in range(first, min(last, count) + 1):
        code = 0
        if not is_term(w, values, r, n):
            code = NOT_DEFINED if use.kind == DEFINED or use.edition else NOT_ENUMERATED
        if code:
            status = note(w, code, c, r.tag, row, number | <uint32_t>n << 24)
            if status != OK:
                return status
    return OK


cdef inline bint is_between(const rules_t* r, const rule_set_t* values, int count) noexcept nogil:
    # The fewest and the most values; 0: any number.
    cdef uint32_t least = r.values[values.values].value, most = r.values[values.values + 1].value
    return <uint32_t>count >= least and (most == 0 or <uint32_t>count <= most)


cdef bint is_term(const Walk* w, const rule_set_t* values, const Row* r, int n) noexcept nogil:
    # Whether value n is in a set; a value that is empty or can't be read breaks no rule of this kind.
    cdef const uint8_t* p = NULL
    cdef int length
    cdef int64_t number = 0
    if values.form == RULE_STRING:
        length = text_at(w.subject, r, n, &p)
        return length <= 0 or find_string(w.rules, values, p, length) >= 0
    if not int_at(w.subject, r, n, r.vr == SS, &number):
        return True
    return -(<int64_t>1 << 31) <= number <= UINT32_MAX and find_number(w.rules, values, <uint32_t>number) >= 0


# -- functional groups ---------------------------------------------------------------------------------------------

cdef Status check_groups(Walk* w, const uint8_t* usages, const uint16_t* conditions) noexcept nogil:
    # The macros of the present item of functional groups: each is in the shared groups or in every frame's. What the
    # shared groups lack is missing only if no frame has groups.
    cdef const Visit* v = &w.visits[w.depth]
    cdef uint32_t own_groups = kid_of(w, 0, FRAME_GROUPS)
    cdef bint last = v.frame == ONE_FRAME or own_groups == NO_ROW or items_of(w.subject, own_groups) == 0
    cdef const Level* own = &w.levels[v.level]
    cdef const Slot* slot
    cdef const Claim* c
    cdef uint32_t i, k, row
    cdef int group
    cdef Status status
    cdef Outcome outcome
    for i in range(own.slot_count):
        slot = &w.slots[own.slots + i]
        row = w.arena[v.places + i]
        for k in range(slot.claim_count):
            c = &w.claims[slot.claims + k]
            group = c.usage - w.usage_count
            if group < 0 or c.type == RULE_NO_TYPE:
                continue
            status = OK
            if v.frame == SHARED_FRAME:
                w.shared[group] |= row != NO_ROW
            elif row != NO_ROW and w.shared[group]:
                status = note(w, GROUP_TWICE, c, slot.tag, row, 0)
            if last and row == NO_ROW and not w.shared[group] and (c.type == RULE_TYPE_1 or c.type == RULE_TYPE_2):
                if usages[c.usage] == 0x4D:
                    status = note(w, GROUP_MISSING, c, slot.tag, NO_ROW, 0)
                elif usages[c.usage] == 0x43:
                    outcome = outcome_of(w, conditions[c.usage])
                    w.unknown += outcome.required == UNKNOWN
                    if outcome.required == YES:
                        status = note(w, GROUP_MISSING, c, slot.tag, NO_ROW, 0)
            if status != OK:
                return status
        if row != NO_ROW and has_value(w.subject, row):
            status = check_value(w, slot, row)
            if status != OK:
                return status
    return OK


# -- the walk ------------------------------------------------------------------------------------------------------

cdef Status check_unknown(Walk* w, bint notes) noexcept nogil:
    # Elements of the standard that the IOD does not have, and sequences that are none.
    cdef const Visit* v = &w.visits[w.depth]
    cdef const Level* own = &w.levels[v.level]
    cdef const uint32_t* kids = &w.arena[v.kids]
    cdef const Row* r
    cdef uint32_t k, slot
    cdef uint16_t due
    cdef Status status
    for k in range(v.kid_count):
        r = &w.subject.rows[kids[k]]
        if r.tag >> 16 & 1 or r.tag & 0xFFFF == 0:
            continue
        slot = kids[v.kid_count + k]
        if slot == own.slot_count:
            if notes and r.tag >> 16 >= 8 and r.tag != TRAILING_PADDING:
                status = note(w, NOT_IN_IOD, NULL, r.tag, kids[k], 0)
                if status != OK:
                    return status
        if not r.flags & IMPLICIT and r.vr != UN:
            due = w.slots[own.slots + slot].vr if slot < own.slot_count else public_vr(r.tag)
            if due and due != r.vr and not is_choice(due, r.vr):
                status = note(w, WRONG_VR, NULL, r.tag, kids[k], <uint32_t>due << 16 | r.vr)
                if status != OK:
                    return status
    return OK


cdef inline bint is_choice(uint16_t due, uint16_t vr) noexcept nogil:
    # Whether the dictionary leaves a choice of VRs that has this one.
    if due == US_OR_SS:
        return vr == US or vr == SS
    if due == OB_OR_OW:
        return vr == OB or vr == OW
    if due == US_OR_OW:
        return vr == US or vr == OW
    return due == US_OR_SS_OR_OW and (vr == US or vr == SS or vr == OW)


cdef Status look(Walk* w, const uint8_t* usages, const uint16_t* conditions, bint notes) noexcept nogil:
    # The present data set, without its items.
    cdef const Visit* v = &w.visits[w.depth]
    cdef const Level* own = &w.levels[v.level]
    cdef uint32_t i, slot
    cdef Status status = check_unknown(w, notes)
    if status != OK:
        return status
    if v.frame != NO_FRAME and w.levels[v.level].groups:
        return check_groups(w, usages, conditions)
    for i in range(v.kid_count):
        slot = w.arena[v.kids + v.kid_count + i]
        if slot < own.slot_count and w.arena[v.places + slot] == w.arena[v.kids + i]:
            status = check_slot(w, slot)
            if status != OK:
                return status
    for i in range(own.needed_count):
        slot = w.needed[own.needed + i]
        if w.arena[v.places + slot] == NO_ROW:
            status = check_slot(w, slot)
            if status != OK:
                return status
    return OK


cdef bint next_item(Walk* w, uint32_t* level, uint32_t* item, uint32_t* sequence) noexcept nogil:
    # Move on to the next item in a sequence of the present data set; False: there is none left.
    cdef Visit* v = &w.visits[w.depth]
    cdef const Level* own = &w.levels[v.level]
    cdef const uint32_t* kids = &w.arena[v.kids]
    cdef uint32_t slot, row
    while True:
        while v.next_item < v.items_stop:
            row = v.next_item
            v.next_item = w.subject.rows[row].next
            if w.subject.rows[row].tag == ITEM:
                slot = kids[v.kid_count + v.next_kid - 1]
                level[0], item[0], sequence[0] = w.slots[own.slots + slot].child, row, kids[v.next_kid - 1]
                return True
        while True:
            if v.next_kid >= v.kid_count:
                return False
            row = kids[v.next_kid]
            slot = kids[v.kid_count + v.next_kid]
            v.next_kid += 1
            if slot < own.slot_count and w.slots[own.slots + slot].child != NO_LEVEL and w.subject.rows[row].vr == SQ:
                break
        v.next_item, v.items_stop = row + 1, w.subject.rows[row].next


cdef Status walk_through(Walk* w, const uint8_t* usages, const uint16_t* conditions, bint notes) noexcept nogil:
    cdef Status status
    cdef uint32_t level, item, sequence, tag, path, number
    cdef uint8_t frame
    status = push(w, 0, w.subject.first, w.subject.stop, NO_ROW, 0, 0, NO_FRAME)
    if status != OK:
        return status
    w.shared_item = kid_of(w, 0, SHARED_GROUPS)
    if w.shared_item != NO_ROW:
        item = w.shared_item + 1
        w.shared_item = item if item < w.subject.rows[w.shared_item].next else NO_ROW
    settle_modules(w, usages, conditions)
    status = look(w, usages, conditions, notes)
    while status == OK:
        if not next_item(w, &level, &item, &sequence):
            if w.depth == 0:
                break
            w.used = w.visits[w.depth].kids
            w.depth -= 1
            continue
        tag = w.subject.rows[sequence].tag
        frame = NO_FRAME
        if w.depth == 0:
            frame = SHARED_FRAME if tag == SHARED_GROUPS else ONE_FRAME if tag == FRAME_GROUPS else NO_FRAME
        path = deeper(w.visits[w.depth].path, tag)
        number = number_of(w, sequence, item)
        status = push(w, level, item + 1, w.subject.rows[item].next, item, path, number, frame)
        if status == OK:
            status = look(w, usages, conditions, notes)
    return status


cdef inline uint32_t number_of(const Walk* w, uint32_t sequence, uint32_t item) noexcept nogil:
    # The item's place, exact for the first two, which conditions ask for.
    if item == sequence + 1:
        return 1
    return 2 if w.subject.rows[sequence + 1].next == item else 3


cdef Status check_structure(const Subject* s, Plan plan, bint notes, Findings* f, uint64_t* unknown) noexcept nogil:
    cdef Walk w
    cdef Status status = NO_MEMORY
    memset(&w, 0, sizeof(Walk))
    w.subject, w.rules, w.findings = s, rules(), f
    w.slots, w.claims, w.levels, w.modules = plan.slots, plan.claims, plan.levels, plan.modules
    w.needed, w.usage_count, w.group_count = plan.needed, plan.usage_count, plan.group_count
    w.active = <uint8_t*>calloc(w.usage_count + w.group_count + 1, 1)
    w.shared = <uint8_t*>calloc(w.group_count + 1, 1)
    w.room = FIRST_ROOM
    w.arena = <uint32_t*>calloc(w.room, sizeof(uint32_t))
    if w.active != NULL and w.shared != NULL and w.arena != NULL:
        status = walk_through(&w, plan.usages, plan.conditions, notes)
    unknown[0] += w.unknown
    free(w.active)
    free(w.shared)
    free(w.arena)
    free(w.visits)
    return status
