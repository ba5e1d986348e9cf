"""Modules and attributes that are there, missing, empty or out of place (PS3.3 A.1.3, PS3.5 7.4)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free, malloc

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status
from dicomcore._native.check.codes cimport (
    EMPTY, EMPTY_CONDITIONAL, FORBIDDEN, MISSING, MISSING_CONDITIONAL, MISSING_EMPTY_ALLOWED, MODULE_MISSING, NOT_DUE,
)
from dicomcore._native.check.conditions cimport FORBIDDEN as IS_FORBIDDEN
from dicomcore._native.check.conditions cimport FREE, UNKNOWN, YES, Outcome, outcome_of
from dicomcore._native.check.plan cimport Claim, Level, Slot
from dicomcore._native.check.subject cimport has_value
from dicomcore._native.check.values cimport check_value
from dicomcore._native.check.visit cimport MODULE_IN_PART, MODULE_PRESENT, Visit, Walk, count_unknown, note
from dicomcore._native.rules.tables cimport (
    RULE_NO_TYPE, RULE_TYPE_1, RULE_TYPE_1C, RULE_TYPE_2, RULE_TYPE_3,
)
from dicomcore._native.scan.scan cimport NO_ROW

cdef enum:
    MANDATORY = 0x4D            # usages of modules, as letters
    CONDITIONAL = 0x43

cdef struct Verdict:            # what is wrong with the presence of an attribute
    uint16_t code, refusal      # that it is missing or empty; that it is there; 0: it is right so
    bint filled
    const Claim* asking
    const Claim* refusing


# -- modules -------------------------------------------------------------------------------------------------------

cdef void settle_modules(Walk* w) noexcept nogil:
    cdef int k
    cdef Outcome outcome
    for k in range(w.usage_count + w.group_count):
        w.active[k] = k >= w.usage_count or w.usages[k] == MANDATORY
    mark_filled(w)
    for k in range(w.usage_count):
        if w.usages[k] == CONDITIONAL and w.active[k] != MODULE_PRESENT:
            outcome = outcome_of(w, w.conditions[k])
            if outcome.required == YES:
                w.active[k] = MODULE_PRESENT
            count_unknown(w, outcome.required == UNKNOWN)


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
        if told and owner >= 0 and owner < w.usage_count and w.active[owner] != MODULE_PRESENT:
            c = &w.claims[slot.claims]
            if has_value(w.subject, w.arena[v.places + i]):
                w.active[owner] = MODULE_IN_PART if c.type == RULE_TYPE_3 else MODULE_PRESENT


# -- attributes ----------------------------------------------------------------------------------------------------

cdef inline bint is_held(const Walk* w, const Claim* c) noexcept nogil:
    # Whether what a module says of the presence of an attribute holds here.
    return w.active[c.usage] == MODULE_PRESENT or (w.active[c.usage] == MODULE_IN_PART and w.depth > 0)


cdef void judge(Walk* w, uint32_t place, Verdict* out) noexcept nogil:
    # What the modules that are there say of the presence of an attribute.
    cdef const Visit* v = &w.visits[w.depth]
    cdef const Level* own = &w.levels[v.level]
    cdef const Slot* slot = &w.slots[own.slots + place]
    cdef uint32_t row = w.arena[v.places + place], k
    cdef bint there = row != NO_ROW, filled = there and has_value(w.subject, row), allowed = False
    cdef bint never_empty = True
    cdef uint8_t guarded
    cdef const Claim* c
    cdef const Claim* idle = NULL
    cdef uint16_t code
    cdef Outcome outcome
    out.code = out.refusal = 0
    out.asking = out.refusing = NULL
    out.filled = filled
    if filled and slot.claim_count == 1 and w.claims[slot.claims].type & 1:
        return                  # type 1, 2 or 3 with a value: the usual case
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
            count_unknown(w, guarded == UNKNOWN)
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
                    out.refusing, out.refusal = c, FORBIDDEN
                continue
            count_unknown(w, outcome.required == UNKNOWN)
            if outcome.required == YES and not there:
                code = MISSING_CONDITIONAL
            elif outcome.required == YES or outcome.otherwise == FREE:
                allowed = True
                if there and not filled and c.type == RULE_TYPE_1C:
                    code = EMPTY_CONDITIONAL
            elif there:
                out.refusing, out.refusal = c, FORBIDDEN if outcome.otherwise == IS_FORBIDDEN else NOT_DUE
        if code and (out.code == 0 or out.code == MISSING_EMPTY_ALLOWED):
            out.code, out.asking = code, c
    if there and never_empty and idle != NULL and not filled:
        out.code, out.asking = EMPTY, idle      # no module that it could be part of lets it be empty
    if allowed:
        out.refusal = 0


cdef Status check_present(Walk* w, uint32_t place) noexcept nogil:
    # An attribute that is there: at most one finding of its presence, and those of its value.
    cdef const Slot* slot = &w.slots[w.levels[w.visits[w.depth].level].slots + place]
    cdef uint32_t row = w.arena[w.visits[w.depth].places + place]
    cdef Verdict found
    cdef Status status = OK
    judge(w, place, &found)
    if found.code:
        status = note(w, found.code, found.asking, w.subject.rows[row].tag, row, 0)
    if status == OK and found.refusal:
        status = note(w, found.refusal, found.refusing, w.subject.rows[row].tag, row, 0)
    if status == OK and found.filled:
        status = check_value(w, slot, row)
    return status


cdef inline Status note_missing(Walk* w, const Verdict* found, uint32_t tag) noexcept nogil:
    # Of an attribute that is due by a condition, the type is told.
    cdef uint32_t detail = found.asking.type if found.code == MISSING_CONDITIONAL else 0
    return note(w, found.code, found.asking, tag, NO_ROW, detail)


cdef Status check_missing(Walk* w) noexcept nogil:
    # The attributes of an item that are due and not there.
    cdef const Visit* v = &w.visits[w.depth]
    cdef const Level* own = &w.levels[v.level]
    cdef uint32_t i, slot
    cdef Verdict found
    cdef Status status = OK
    for i in range(own.needed_count):
        slot = w.needed[own.needed + i]
        if w.arena[v.places + slot] == NO_ROW:
            judge(w, slot, &found)
            if found.code:
                status = note_missing(w, &found, w.slots[own.slots + slot].tag)
                if status != OK:
                    return status
    return OK


# -- modules without any attribute ---------------------------------------------------------------------------------

cdef struct Lack:               # what the root lacks of a module
    uint32_t due, of_value      # attributes; those that need a value
    bint begun                  # the module has attributes in the data set
    bint told


cdef Status check_missing_modules(Walk* w) noexcept nogil:
    # The same of the root, where the attributes of a module that is missing as a whole are one finding.
    cdef const Visit* v = &w.visits[0]
    cdef const Level* own = &w.levels[v.level]
    cdef Lack* lacks = <Lack*>calloc(w.usage_count + w.group_count + 1, sizeof(Lack))
    cdef Verdict* verdicts = <Verdict*>malloc((own.needed_count + 1) * sizeof(Verdict))
    cdef Status status = NO_MEMORY
    if lacks != NULL and verdicts != NULL:
        count_lacks(w, lacks, verdicts)
        status = note_lacks(w, lacks, verdicts)
    free(lacks)
    free(verdicts)
    return status


cdef void count_lacks(Walk* w, Lack* lacks, Verdict* verdicts) noexcept nogil:
    cdef const Visit* v = &w.visits[0]
    cdef const Level* own = &w.levels[v.level]
    cdef const Slot* slot
    cdef Lack* lack
    cdef uint32_t i, k
    for i in range(own.slot_count):
        if w.arena[v.places + i] != NO_ROW:
            slot = &w.slots[own.slots + i]
            for k in range(slot.claim_count):
                lacks[w.claims[slot.claims + k].usage].begun = True
    for i in range(own.needed_count):
        verdicts[i].code = 0
        if w.arena[v.places + w.needed[own.needed + i]] == NO_ROW:
            judge(w, w.needed[own.needed + i], &verdicts[i])
            if verdicts[i].code:
                lack = &lacks[verdicts[i].asking.usage]
                lack.due += 1
                lack.of_value += verdicts[i].code == MISSING or verdicts[i].code == MISSING_CONDITIONAL


cdef Status note_lacks(Walk* w, Lack* lacks, const Verdict* verdicts) noexcept nogil:
    cdef const Level* own = &w.levels[w.visits[0].level]
    cdef const Claim* c
    cdef Lack* lack
    cdef uint32_t i, tag
    cdef Status status = OK
    for i in range(own.needed_count):
        if verdicts[i].code == 0:
            continue
        c = verdicts[i].asking
        lack = &lacks[c.usage]
        tag = w.slots[own.slots + w.needed[own.needed + i]].tag
        if not w.folds or lack.begun or lack.due < 2 or lack.of_value == 0:
            status = note_missing(w, &verdicts[i], tag)
        elif not lack.told:
            lack.told = True
            status = note(w, MODULE_MISSING, c, tag, NO_ROW, lack.due)
        if status != OK:
            return status
    return OK
