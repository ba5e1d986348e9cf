"""Functional groups: each macro stands in the shared groups, or in those of every frame (PS3.3 C.7.6.16)."""

from libc.stdint cimport uint32_t

from dicomcore._native.base.fault cimport OK, Status
from dicomcore._native.check.codes cimport EMPTY, EMPTY_CONDITIONAL, GROUP_MISSING, GROUP_TWICE
from dicomcore._native.check.conditions cimport UNKNOWN, YES, Outcome, outcome_of
from dicomcore._native.check.plan cimport Claim, Level, Slot
from dicomcore._native.check.subject cimport has_value
from dicomcore._native.check.values cimport check_value
from dicomcore._native.check.visit cimport ONE_FRAME, SHARED_FRAME, Visit, Walk, count_unknown, kid_of, note
from dicomcore._native.rules.tables cimport RULE_NO_TYPE, RULE_TYPE_1, RULE_TYPE_1C, RULE_TYPE_2
from dicomcore._native.scan.scan cimport NO_ROW

cdef enum:
    FRAME_GROUPS = 0x52009230
    MANDATORY = 0x4D            # usages of macros, as letters
    CONDITIONAL = 0x43


cdef Status check_groups(Walk* w) noexcept nogil:
    # The macros of the present item of functional groups: each is in the shared groups or in every frame's. What the
    # shared groups lack is missing only if no frame has groups.
    cdef const Visit* v = &w.visits[w.depth]
    cdef uint32_t own_groups = kid_of(w, 0, FRAME_GROUPS)
    cdef bint last = v.frame == ONE_FRAME or own_groups == NO_ROW or not has_value(w.subject, own_groups)
    cdef const Level* own = &w.levels[v.level]
    cdef const Slot* slot
    cdef const Claim* c
    cdef uint32_t i, k, row
    cdef int group
    cdef bint empty
    cdef Status status
    cdef Outcome outcome
    for i in range(own.slot_count):
        slot = &w.slots[own.slots + i]
        row = w.arena[v.places + i]
        empty = False
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
                if w.usages[c.usage] == MANDATORY:
                    status = note(w, GROUP_MISSING, c, slot.tag, NO_ROW, 0)
                elif w.usages[c.usage] == CONDITIONAL:
                    outcome = outcome_of(w, w.conditions[c.usage])
                    count_unknown(w, outcome.required == UNKNOWN)
                    if outcome.required == YES:
                        status = note(w, GROUP_MISSING, c, slot.tag, NO_ROW, 0)
            if status == OK and row != NO_ROW and not empty and not has_value(w.subject, row):
                empty = True
                if c.type == RULE_TYPE_1:
                    status = note(w, EMPTY, c, slot.tag, row, 0)
                elif c.type == RULE_TYPE_1C:
                    status = note(w, EMPTY_CONDITIONAL, c, slot.tag, row, 0)
            if status != OK:
                return status
        if row != NO_ROW and has_value(w.subject, row):
            status = check_value(w, slot, row)
            if status != OK:
                return status
    return OK
