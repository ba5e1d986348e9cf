"""A stack machine of three values for the conditions of PS3.3; tools/standard/conditions/code.py describes the code.

The codes come from our own tables, so that they are not checked again: a test runs every one of them.
"""

from libc.stdint cimport UINT32_MAX, int8_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp

from dicomcore._native.base.cursor cimport load_le16
from dicomcore._native.base.vr cimport AT, LO, LT, PN, SH, SQ, ST, UC, UN, UT
from dicomcore._native.check.alike cimport Turn, is_passed_over, turn_of
from dicomcore._native.check.condition_code cimport *
from dicomcore._native.check.subject cimport (
    Subject, bytes_of, find_row, has_value, int_at, items_of, text_at, value_count,
)
from dicomcore._native.check.visit cimport ONE_FRAME, Visit, Walk, kid_of
from dicomcore._native.rules.tables cimport rule_set_t, rule_value_t, rules_t
from dicomcore._native.scan.scan cimport ITEM, NO_ROW, Row

cdef enum:
    DEEPEST = 64            # values on the stack

cdef enum:
    FRAME_GROUPS = 0x52009230
    CODE_VALUE = 0x00080100
    LONG_CODE_VALUE = 0x00080119
    URN_CODE_VALUE = 0x00080120
    CODING_SCHEME = 0x00080102
    CHARACTER_SET = 0x00080005
    TRANSFER_SYNTAX = 0x00020010
    NOWHERE = 3             # besides the three answers: no data set has the element


# -- values --------------------------------------------------------------------------------------------------------

cdef inline bint related(uint8_t relation, int64_t a, int64_t b) noexcept nogil:
    if relation == 0:
        return a == b
    if relation == 1:
        return a != b
    if relation == 2:
        return a < b
    if relation == 3:
        return a <= b
    if relation == 4:
        return a > b
    return a >= b


cdef bint is_member(const rules_t* r, const rule_set_t* values, const uint8_t* p, int n) noexcept nogil:
    cdef int i
    cdef const rule_value_t* one
    for i in range(values.value_count):
        one = &r.values[values.values + i]
        if one.length == <uint32_t>n and memcmp(r.text + one.value, p, n) == 0:
            return True
    return False


cdef int decimal_text(int64_t number, uint8_t* out) noexcept nogil:
    # The number's decimal digits; their count.
    cdef uint8_t[24] turned
    cdef int n = 0, k = 0
    cdef bint negative = number < 0
    if negative:
        number = -number
    while number or n == 0:
        turned[n] = <uint8_t>(48 + number % 10)
        number //= 10
        n += 1
    if negative:
        turned[n] = 45
        n += 1
    for k in range(n):
        out[k] = turned[n - 1 - k]
    return n


cdef uint8_t compared(const Walk* w, const Row* r, const Test* t) noexcept nogil:
    # Tests that look at values: YES if one of them will do. `other`: NO if one is a member.
    cdef const Subject* s = w.subject
    cdef int count = value_count(s, r), k, first = t.n if t.n else 1, last = t.n if t.n else count, n
    cdef const uint8_t* p
    cdef uint8_t[24] digits
    cdef int64_t number
    cdef bint seen = False
    if count == 0 or first > count:
        return UNKNOWN if t.operator == OTHER else NO
    if bytes_of(s, r) == NULL:
        return UNKNOWN
    for k in range(first, last + 1):
        if t.operator == IN or t.operator == OTHER:
            n = text_at(s, r, k, &p)
            if n < 0:
                if not int_at(s, r, k, False, &number):
                    continue
                n = decimal_text(number, digits)
                p = digits
            if n == 0:
                continue
            seen = True
            if is_member(w.rules, t.values, p, n):
                return YES if t.operator == IN else NO
            continue
        if not int_at(s, r, k, False, &number):
            continue
        if t.operator == CMP and related(t.relation, number, t.number):
            return YES
        if t.operator == TAG and number == t.number:
            return YES
        if t.operator == ODD and r.vr == AT and number >> 16 & 1:
            return YES
    if t.operator == OTHER:
        return YES if seen else UNKNOWN
    return NO


cdef bint is_coded(const Walk* w, uint32_t row, const Test* t) noexcept nogil:
    # Whether an item of a code sequence has one of the codes, "scheme|value".
    cdef const Subject* s = w.subject
    cdef uint32_t item = row + 1, stop = s.rows[row].next, value, scheme
    cdef const uint8_t* p
    cdef const uint8_t* q
    cdef const rule_value_t* one
    cdef const char* text
    cdef int n, m, i
    while item < stop:
        if s.rows[item].tag == ITEM:
            value = find_row(s, item + 1, s.rows[item].next, CODE_VALUE)
            if value == NO_ROW:
                value = find_row(s, item + 1, s.rows[item].next, LONG_CODE_VALUE)
            if value == NO_ROW:
                value = find_row(s, item + 1, s.rows[item].next, URN_CODE_VALUE)
            scheme = find_row(s, item + 1, s.rows[item].next, CODING_SCHEME)
            if value != NO_ROW and scheme != NO_ROW:
                n, m = text_at(s, &s.rows[value], 1, &p), text_at(s, &s.rows[scheme], 1, &q)
                for i in range(t.values.value_count if n > 0 and m > 0 else 0):
                    one = &w.rules.values[t.values.values + i]
                    text = w.rules.text + one.value
                    if (
                        one.length == <uint32_t>(n + m + 1) and text[m] == 0x7C and memcmp(text, q, m) == 0
                        and memcmp(text + m + 1, p, n) == 0
                    ):
                        return True
        item = s.rows[item].next
    return False


cdef bint is_wide(const Walk* w, uint32_t first, uint32_t stop) noexcept nogil:
    # Whether a text of the data set, or of its items without a character set of their own, has a byte of 80H or more,
    # or ESC.
    cdef const Subject* s = w.subject
    cdef Turn turn = turn_of(s)
    cdef const Row* r
    cdef const uint8_t* p
    cdef uint32_t i
    cdef uint64_t k
    if not first <= s.frames < stop:
        turn.stop = UINT32_MAX          # the per-frame groups are not among these rows
    i = first
    while i < stop:
        if i >= turn.stop and is_passed_over(s, &turn, i, NULL):
            i = turn.stop
            continue
        r = &s.rows[i]
        i += 1
        if r.tag == ITEM and find_row(s, i, r.next, CHARACTER_SET) != NO_ROW:
            i = r.next
            continue
        if r.vr == SH or r.vr == LO or r.vr == ST or r.vr == LT or r.vr == PN or r.vr == UC or r.vr == UT:
            p = bytes_of(s, r)
            if p != NULL:
                for k in range(r.length):
                    if p[k] >= 0x80 or p[k] == 0x1B:
                        return True
    return False


# -- one test in one data set --------------------------------------------------------------------------------------

cdef uint8_t tested(const Walk* w, uint32_t row, const Test* t) noexcept nogil:
    # A test of an element that is there.
    cdef const Row* r = &w.subject.rows[row]
    if t.operator == HAS:
        return YES
    if t.operator == VAL:
        if not has_value(w.subject, row):
            return NO
        return YES if t.n <= 1 or value_count(w.subject, r) >= t.n else NO
    if r.vr == UN:
        return UNKNOWN
    if t.operator == ITEMS:
        return YES if related(t.relation, items_of(w.subject, row), t.number) else NO
    if t.operator == CODE:
        return YES if is_coded(w, row, t) else NO
    return compared(w, r, t)


cdef inline uint8_t without(const Test* t) noexcept nogil:
    # The same of an element that is missing.
    if t.operator == OTHER:
        return UNKNOWN
    if t.operator == ITEMS:
        return YES if related(t.relation, 0, t.number) else NO
    return NO


cdef inline uint8_t either(uint8_t a, uint8_t b) noexcept nogil:
    # Of two data sets those count that have the element.
    if a == NOWHERE or b == NOWHERE:
        return b if a == NOWHERE else a
    return YES if a == YES or b == YES else UNKNOWN if a == UNKNOWN or b == UNKNOWN else NO


cdef inline uint8_t told(uint8_t answer, const Test* t) noexcept nogil:
    return without(t) if answer == NOWHERE else answer


cdef uint8_t within(const Walk* w, uint32_t first, uint32_t stop, int step, const Test* t) noexcept nogil:
    # The test below the sequences of the scope from `step` on: any item will do. As deep as the scope is written.
    cdef const Subject* s = w.subject
    cdef uint32_t row, item, end, number = 0
    cdef uint8_t answer = NOWHERE
    if t.operator == WIDE and step == t.step_count:
        return YES if is_wide(w, first, stop) else NO
    row = find_row(s, first, stop, t.steps[step] if step < t.step_count else t.tag)
    if row == NO_ROW:
        return NOWHERE
    if step == t.step_count:
        return tested(w, row, t)
    item, end = row + 1, s.rows[row].next
    while item < end and answer != YES:
        if s.rows[item].tag == ITEM:
            answer = either(answer, within(w, item + 1, s.rows[item].next, step + 1, t))
        number += 1
        item = item_behind(s, row, item, number)
    return answer


cdef inline uint32_t item_behind(const Subject* s, uint32_t sequence, uint32_t item, uint32_t number) noexcept nogil:
    # The row behind an item. Of frames that are alike one is enough; `number` is that of the next one.
    if s.chosen != NULL and sequence == s.frames and number < s.chosen_count:
        return s.chosen[number].row
    return s.rows[item].next


cdef uint8_t in_level(const Walk* w, uint32_t visit, const Test* t) noexcept nogil:
    cdef const Visit* v = &w.visits[visit]
    cdef uint32_t row
    if t.step_count or t.operator == WIDE or is_open(t.tag):
        return told(within(w, v.first, v.stop, 0, t), t) if not is_open(t.tag) else open_within(w, v.first, v.stop, t)
    if visit == 0 and t.tag >> 16 == 2:
        row = find_row(w.subject, 0, w.subject.first, t.tag)        # of the file meta information
        if row == NO_ROW and t.tag == TRANSFER_SYNTAX and w.syntax_length:
            return in_syntax(w, t)
    else:
        row = kid_of(w, visit, t.tag)
    return without(t) if row == NO_ROW else tested(w, row, t)


cdef uint8_t in_syntax(const Walk* w, const Test* t) noexcept nogil:
    # A test of the transfer syntax of a data set that has no file meta information.
    cdef bint member
    if t.operator == HAS or t.operator == VAL:
        return YES
    if t.operator != IN and t.operator != OTHER:
        return UNKNOWN
    member = is_member(w.rules, t.values, w.syntax, w.syntax_length)
    return YES if member == (t.operator == IN) else NO


cdef inline bint is_open(uint32_t tag) noexcept nogil:
    # A tag of a repeating group: an F for each x.
    return tag >> 16 == 0x60FF or tag >> 16 == 0x50FF


cdef uint8_t open_within(const Walk* w, uint32_t first, uint32_t stop, const Test* t) noexcept nogil:
    # The same in each group that repeats.
    cdef const Subject* s = w.subject
    cdef uint32_t i = first
    cdef uint8_t answer = NOWHERE
    while i < stop and answer != YES:
        if s.rows[i].tag >> 24 == t.tag >> 24 and (s.rows[i].tag & 0xFFFF) == (t.tag & 0xFFFF):
            answer = either(answer, tested(w, i, t))
        i = s.rows[i].next
    return told(answer, t)


# -- functional groups ---------------------------------------------------------------------------------------------

cdef uint8_t in_item(const Walk* w, uint32_t item, const Test* t) noexcept nogil:
    # The test in an item of functional groups: its own elements, and those of the items of its sequences.
    cdef const Subject* s = w.subject
    cdef uint32_t row, inner, end, stop
    cdef uint8_t answer
    if item == NO_ROW:
        return NOWHERE
    stop = s.rows[item].next
    answer = within(w, item + 1, stop, 0, t)
    row = item + 1
    while row < stop and answer != YES:
        if s.rows[row].vr == SQ:
            inner, end = row + 1, s.rows[row].next
            while inner < end and answer != YES:
                if s.rows[inner].tag == ITEM:
                    answer = either(answer, within(w, inner + 1, s.rows[inner].next, 0, t))
                inner = s.rows[inner].next
        row = s.rows[row].next
    return answer


cdef uint8_t in_frames(const Walk* w, const Test* t) noexcept nogil:
    # In this frame's groups and the shared ones. A rule of no frame concerns every frame: YES or NO if all say so.
    cdef const Subject* s = w.subject
    cdef uint32_t k, row, item, end, number = 0
    cdef uint8_t common = in_item(w, w.shared_item, t), one
    cdef bint some_yes = False, some_no = False
    if common == YES:
        return YES
    for k in range(w.depth + 1):
        if w.visits[k].frame == ONE_FRAME:
            # The lowest such visit is the frame's own item.
            return told(either(common, in_item(w, w.visits[k].item, t)), t)
    row = kid_of(w, 0, FRAME_GROUPS)
    if row == NO_ROW:
        return told(common, t)
    item, end = row + 1, s.rows[row].next
    while item < end:
        if s.rows[item].tag == ITEM:
            one = told(either(common, in_item(w, item, t)), t)
            if one == UNKNOWN:
                return UNKNOWN
            some_yes |= one == YES
            some_no |= one != YES
            if some_yes and some_no:
                return UNKNOWN
        number += 1
        item = item_behind(s, row, item, number)
    return YES if some_yes else NO if some_no else told(common, t)


# -- trees ---------------------------------------------------------------------------------------------------------

cdef uint8_t anywhere(const Walk* w, const Test* t) noexcept nogil:
    # The test in the data sets that its base names.
    cdef uint32_t up, tag
    cdef uint32_t k
    if t.base == FRAMES:
        return in_frames(w, t)
    if t.base == ROOT:
        return in_level(w, 0, t)
    if t.base == NEAREST:
        tag = t.steps[0] if t.step_count else t.tag
        k = w.depth + 1
        while k > 0:
            k -= 1
            if kid_of(w, k, tag) != NO_ROW:
                return in_level(w, k, t)
        return without(t)
    up = t.base
    return in_level(w, w.depth - up, t) if up <= w.depth else without(t)


cdef uint8_t answer_of(const Walk* w, const uint8_t* code, Py_ssize_t n) noexcept nogil:
    # The value of a tree. A code that could not be run would be an error of the tables: UNKNOWN.
    cdef uint8_t[DEEPEST] stack
    cdef int top = 0, count, k, yes, no
    cdef Py_ssize_t i = 0
    cdef uint8_t first, operator
    cdef Test t
    while i < n:
        first = code[i]
        i += 1
        operator = first & 31
        if operator <= XOR:
            count = code[i]
            i += 1
            yes = no = 0
            for k in range(top - count, top):
                yes += stack[k] == YES
                no += stack[k] == NO
            top -= count
            if operator == AND:
                stack[top] = NO if no else YES if yes == count else UNKNOWN
            elif operator == OR:
                stack[top] = YES if yes else NO if no == count else UNKNOWN
            else:
                stack[top] = UNKNOWN if yes + no < count else YES if yes == 1 else NO
        elif operator == NOT:
            top -= 1
            stack[top] = UNKNOWN if stack[top] == UNKNOWN else YES if stack[top] == NO else NO
        elif operator <= FALSE:
            stack[top] = UNKNOWN if operator == UNDECIDED else YES if operator == TRUE else NO
        elif operator == PLACE:
            stack[top] = is_placed(w, <int8_t>code[i])
            i += 1
        elif operator == MODULE:
            stack[top] = is_module(w, w.rules.condition_modules[load_le16(code + i)])
            i += 2
        else:
            i = read_test(w.rules, code, i, first, &t)
            stack[top] = anywhere(w, &t)
        top += 1
        if top >= DEEPEST:
            return UNKNOWN
    return stack[0] if top == 1 else UNKNOWN


cdef uint8_t is_placed(const Walk* w, int place) noexcept nogil:
    cdef const Visit* v = &w.visits[w.depth]
    if v.item == NO_ROW:
        return NO
    if place > 0:
        return YES if v.number == <uint32_t>place else NO
    return YES if w.subject.rows[v.item].next >= w.visits[w.depth - 1].items_stop else NO


cdef uint8_t is_module(const Walk* w, uint16_t module) noexcept nogil:
    # Whether a module is in the data set.
    cdef int k
    for k in range(w.usage_count):
        if w.modules[k] == module:
            return YES if w.active[k] == 1 else NO      # in part is not
    return NO


cdef Outcome outcome_of(const Walk* w, uint16_t condition) noexcept nogil:
    cdef Outcome found
    cdef const uint8_t* code = w.rules.condition_code + w.rules.condition_at[condition]
    cdef Py_ssize_t size, i = 1
    cdef int width
    cdef uint8_t flags, permitted
    found.required, found.otherwise, found.forbidden = UNKNOWN, FREE, False
    if w.rules.condition_at[condition + 1] == w.rules.condition_at[condition]:
        return found
    flags = code[0]
    width = 2 if flags & 16 else 1
    size = load_le16(code + i) if width == 2 else code[i]
    i += width
    found.required = answer_of(w, code + i, size)
    i += size
    if found.required == NO:
        found.otherwise = flags & 3
    if flags & 4:
        size = load_le16(code + i) if width == 2 else code[i]
        i += width
        permitted = answer_of(w, code + i, size)
        i += size
        if permitted != NO:
            found.otherwise = FREE
    if flags & 8:
        size = load_le16(code + i) if width == 2 else code[i]
        i += width
        found.forbidden = answer_of(w, code + i, size) == YES
    return found
