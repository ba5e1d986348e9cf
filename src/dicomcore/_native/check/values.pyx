"""Values beside what the modules say of them: enumerated values, defined terms, numbers of items, coded values."""

from libc.stdint cimport UINT32_MAX, int64_t, uint8_t, uint16_t, uint32_t

from dicomcore._native.base.fault cimport OK, Status
from dicomcore._native.base.vr cimport SQ, SS
from dicomcore._native.check.codes cimport (
    CODE_NOT_DEFINED, CODE_UNKNOWN, ITEM_COUNT, NOT_DEFINED, NOT_ENUMERATED, RETIRED_SCHEME, VALUE_COUNT,
)
from dicomcore._native.check.conditions cimport UNKNOWN, YES, Outcome, outcome_of
from dicomcore._native.check.plan cimport Claim, Slot
from dicomcore._native.check.subject cimport (
    Subject, bytes_of, find_row, int_at, items_of, text_at, value_count,
)
from dicomcore._native.check.visit cimport Walk, count_unknown, kid_of, note
from dicomcore._native.rules.contexts cimport (
    context_at, context_row, find_code, has_member, is_srt, rule_context_t,
)
from dicomcore._native.rules.tables cimport (
    RULE_STRING, find_number, find_string, rule_items_t, rule_set_t, rule_use_t, rules_t,
)
from dicomcore._native.scan.scan cimport ITEM, NO_ROW, Row

cdef enum Kind:             # of rules about values, see layout.h; the others are looked at elsewhere
    NUMBERS = 0x42
    DEFINED_GROUP = 0x43
    DEFINED = 0x44
    ENUMERATED = 0x45
    COUNT = 0x4E
    TAGS = 0x54
    BASELINE_GROUP = 0x63

cdef enum:
    MOST_VALUES = 64            # values of an attribute that are looked at
    NOT_EXTENSIBLE = 0x4E       # flag of a context group
    CODE_VALUE = 0x00080100
    CODING_SCHEME = 0x00080102
    LONG_CODE_VALUE = 0x00080119
    CONCEPT_NAME = 0x0040A043
    CONCEPT_CODE = 0x0040A168


cdef Status check_value(Walk* w, const Slot* slot, uint32_t row) noexcept nogil:
    # Enumerated values, defined terms and the number of items.
    cdef const Claim* c
    cdef uint32_t k
    cdef bint listed_values = False
    cdef Status status = OK
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
    if listed_values:
        status = check_codes(w, slot, row) if w.subject.rows[row].vr == SQ else check_terms(w, slot, row)
    return status


cdef inline bint is_stated(const Walk* w, const Claim* c) noexcept nogil:
    # Whether what a module says of the values of an attribute holds here.
    return w.active[c.usage] and (c.guard == 0 or outcome_of(w, c.guard).required == YES)


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
        if not is_stated(w, c):
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
    count_unknown(w, outcome.required == UNKNOWN)
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


# -- coded values --------------------------------------------------------------------------------------------------

cdef Status check_codes(Walk* w, const Slot* slot, uint32_t row) noexcept nogil:
    # The items of a code sequence beside the context groups that the modules name. Content items are left to the
    # templates of PS3.16.
    cdef const Claim* c
    cdef const rule_use_t* use
    cdef uint32_t k
    cdef Status status
    if slot.tag == CONCEPT_NAME or slot.tag == CONCEPT_CODE:
        return OK
    for k in range(slot.claim_count):
        c = &w.claims[slot.claims + k]
        use = groups_of(w, c)
        if use == NULL or not is_stated(w, c) or is_replaced(w, slot, k):
            continue
        status = check_members(w, c, use, row)
        if status != OK:
            return status
    return OK


cdef const rule_use_t* groups_of(Walk* w, const Claim* c) noexcept nogil:
    # The context groups that hold here, NULL: none. The last ones replace others.
    cdef const rule_use_t* use
    cdef uint32_t u = c.use_count
    while u > 0:
        u -= 1
        use = &w.rules.uses[c.uses + u]
        if (use.kind == DEFINED_GROUP or use.kind == BASELINE_GROUP) and is_due(w, use):
            return use
    return NULL


cdef bint is_replaced(Walk* w, const Slot* slot, uint32_t k) noexcept nogil:
    # Whether the module names other context groups for the attribute where it includes it.
    cdef const Claim* c = &w.claims[slot.claims + k]
    cdef const Claim* other
    cdef uint32_t i
    for i in range(k + 1, slot.claim_count):
        other = &w.claims[slot.claims + i]
        if other.usage == c.usage and groups_of(w, other) != NULL and is_stated(w, other):
            return True
    return False


cdef Status check_members(Walk* w, const Claim* c, const rule_use_t* use, uint32_t row) noexcept nogil:
    # Each item's code beside the context groups of a use, of which one has to have it.
    cdef const rule_set_t* groups = &w.rules.sets[use.set]
    cdef const Row* rows = w.subject.rows
    cdef uint32_t item = row + 1
    cdef uint32_t first = w.rules.values[groups.values].value
    cdef uint16_t code
    cdef Status status
    cdef bint closed = True
    if not are_known(w, groups, &closed):
        return OK
    closed = closed and use.kind == DEFINED_GROUP and use.edition == 0
    while item < rows[row].next:
        if rows[item].tag == ITEM:
            code = judge_code(w, groups, item, closed)
            if code:
                status = note(w, code, c, rows[row].tag, row, first)
                if status != OK:
                    return status
        item = rows[item].next
    return OK


cdef bint are_known(const Walk* w, const rule_set_t* groups, bint* closed) noexcept nogil:
    # Whether the tables have the members of all the groups; `closed`: none of them may be extended.
    cdef const rule_context_t* group
    cdef int i, number
    for i in range(groups.value_count):
        number = context_row(<int>w.rules.values[groups.values + i].value)
        if number < 0:
            return False
        group = context_at(number)
        closed[0] = closed[0] and group.flag == NOT_EXTENSIBLE
        if group.count == 0:
            return False
    return True


cdef uint16_t judge_code(const Walk* w, const rule_set_t* groups, uint32_t item, bint closed) noexcept nogil:
    # What is wrong with the code of an item, 0: nothing, or it has none that can be looked up.
    cdef const Subject* s = w.subject
    cdef uint32_t stop = s.rows[item].next
    cdef uint32_t value = find_row(s, item + 1, stop, CODE_VALUE), scheme
    cdef const uint8_t* p = NULL
    cdef const uint8_t* q = NULL
    cdef int n, m, number, i
    if value == NO_ROW:
        value = find_row(s, item + 1, stop, LONG_CODE_VALUE)
    scheme = find_row(s, item + 1, stop, CODING_SCHEME)
    if value == NO_ROW or scheme == NO_ROW:
        return 0
    n, m = text_at(s, &s.rows[value], 1, &p), text_at(s, &s.rows[scheme], 1, &q)
    if n <= 0 or m <= 0:
        return 0
    number = find_code(q, m, p, n)
    for i in range(groups.value_count if number >= 0 else 0):
        if has_member(context_row(<int>w.rules.values[groups.values + i].value), number):
            return RETIRED_SCHEME if is_srt(q, m) else 0
    if is_srt(q, m) and number < 0:
        return CODE_UNKNOWN         # the tables may lack the code that took its place
    return CODE_NOT_DEFINED if closed else CODE_UNKNOWN
