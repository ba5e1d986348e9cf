"""The walk through a data set, level by level, beside the tables of its IOD.

Every element and item is looked at once. Items wait on a stack of our own; its depth is that of the index, which
`Limits` bounds.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from dicomcore._native.base.dictionary cimport public_is_retired, public_vr
from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status
from dicomcore._native.base.vr cimport OB, OB_OR_OW, OW, SQ, SS, UN, US, US_OR_OW, US_OR_SS, US_OR_SS_OR_OW
from dicomcore._native.check.alike cimport is_passed_over, turn_of
from dicomcore._native.check.codes cimport NOT_IN_IOD, WRONG_VR
from dicomcore._native.check.findings cimport Findings
from dicomcore._native.check.groups cimport check_groups
from dicomcore._native.check.plan cimport NO_LEVEL, Level, Plan
from dicomcore._native.check.presence cimport check_missing, check_missing_modules, check_present, settle_modules
from dicomcore._native.check.subject cimport Subject
from dicomcore._native.check.visit cimport NO_FRAME, ONE_FRAME, SHARED_FRAME, Visit, Walk, kid_of, note, push
from dicomcore._native.rules.tables cimport rules
from dicomcore._native.scan.scan cimport IMPLICIT, ITEM, NO_ROW, TRAILING_PADDING, Row

cdef enum:
    SHARED_GROUPS = 0x52009229
    FRAME_GROUPS = 0x52009230
    FIRST_ROOM = 1024           # words of the arena


# -- elements ------------------------------------------------------------------------------------------------------

cdef Status check_unknown(Walk* w) noexcept nogil:
    # Elements of the standard that the IOD does not have, and those of another VR. Retired ones are noted elsewhere.
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
            if w.notes and r.tag >> 16 >= 8 and r.tag != TRAILING_PADDING and not public_is_retired(r.tag):
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


cdef Status look(Walk* w) noexcept nogil:
    # The present data set, without its items.
    cdef const Visit* v = &w.visits[w.depth]
    cdef const Level* own = &w.levels[v.level]
    cdef uint32_t i, slot
    cdef Status status = check_unknown(w)
    if status != OK:
        return status
    if v.frame != NO_FRAME and own.groups:
        return check_groups(w)
    for i in range(v.kid_count):
        slot = w.arena[v.kids + v.kid_count + i]
        if slot < own.slot_count and w.arena[v.places + slot] == w.arena[v.kids + i]:
            status = check_present(w, slot)
            if status != OK:
                return status
    return check_missing(w) if w.depth else check_missing_modules(w)


# -- items ---------------------------------------------------------------------------------------------------------

cdef inline uint32_t deeper(uint32_t path, uint32_t tag) noexcept nogil:
    # The hash of a path with one more sequence.
    return (path ^ tag) * <uint32_t>2654435761 + 40503


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
            if w.depth == 0 and row >= w.turn.stop and is_passed_over(w.subject, &w.turn, row, w.findings):
                v.next_item = w.turn.stop
                continue
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


cdef Status walk_through(Walk* w) noexcept nogil:
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
    settle_modules(w)
    status = look(w)
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
            status = look(w)
    return status


cdef inline uint32_t number_of(const Walk* w, uint32_t sequence, uint32_t item) noexcept nogil:
    # The item's place, exact for the first two, which conditions ask for.
    if item == sequence + 1:
        return 1
    return 2 if w.subject.rows[sequence + 1].next == item else 3


cdef Status check_structure(const Subject* s, Plan plan, bint notes, bint folds, const uint8_t* syntax, int n,
                            Findings* f, uint64_t* unknown) noexcept nogil:
    cdef Walk w
    cdef Status status = NO_MEMORY
    memset(&w, 0, sizeof(Walk))
    w.subject, w.rules, w.findings = s, rules(), f
    w.slots, w.claims, w.levels, w.modules = plan.slots, plan.claims, plan.levels, plan.modules
    w.usages, w.conditions = plan.usages, plan.conditions
    w.needed, w.usage_count, w.group_count = plan.needed, plan.usage_count, plan.group_count
    w.turn = turn_of(s)
    w.syntax, w.syntax_length, w.notes, w.folds = syntax, n, notes, folds
    w.active = <uint8_t*>calloc(w.usage_count + w.group_count + 1, 1)
    w.shared = <uint8_t*>calloc(w.group_count + 1, 1)
    w.room = FIRST_ROOM
    w.arena = <uint32_t*>calloc(w.room, sizeof(uint32_t))
    if w.active != NULL and w.shared != NULL and w.arena != NULL:
        status = walk_through(&w)
    unknown[0] += w.unknown
    free(w.active)
    free(w.shared)
    free(w.arena)
    free(w.visits)
    return status
