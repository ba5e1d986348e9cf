"""The code of conditions, read test by test."""

from libc.stdint cimport int32_t, uint8_t

from dicomcore._native.base.cursor cimport load_le16, load_le32
from dicomcore._native.rules.tables cimport condition_code, condition_count, rules, rules_t


cdef Py_ssize_t read_test(const rules_t* r, const uint8_t* code, Py_ssize_t i, uint8_t first, Test* t) noexcept nogil:
    cdef int k
    t.operator, t.base = first & 31, first >> 5
    t.step_count = t.n = t.relation = 0
    t.tag, t.number = 0, 0
    if t.base == THROUGH:
        t.base, t.step_count = code[i] >> 5, min(code[i] & 31, <int>MOST_STEPS)
        i += 1
        for k in range(t.step_count):
            t.steps[k] = r.condition_tags[load_le16(code + i)]
            i += 2
    if t.operator == WIDE:
        return i
    t.tag = r.condition_tags[load_le16(code + i)]
    i += 2
    if t.operator == HAS or t.operator == ODD:
        return i
    if t.operator == CODE:
        t.values = &r.sets[r.condition_sets[load_le16(code + i)]]
        return i + 2
    if t.operator != ITEMS:
        t.n = code[i]
        i += 1
    if t.operator == ITEMS or t.operator == CMP:
        t.relation = code[i] & 7
        if code[i] & 8:
            t.number = code[i + 1]
            return i + 2
        t.number = <int32_t>load_le32(code + i + 1)
        return i + 5
    if t.operator == IN or t.operator == OTHER:
        t.values = &r.sets[r.condition_sets[load_le16(code + i)]]
        return i + 2
    if t.operator == TAG:
        t.number = r.condition_tags[load_le16(code + i)]
        return i + 2
    return i


cdef set tags_with_values():
    cdef const rules_t* r = rules()
    cdef set found = set()
    cdef const uint8_t* code
    cdef Py_ssize_t n = 0
    cdef int k
    for k in range(1, condition_count()):
        code = condition_code(r, k, &n)
        if n:
            read_trees(r, code, found)
    return found


cdef void read_trees(const rules_t* r, const uint8_t* code, set found):
    # The trees of a condition: that which requires, and those which permit and forbid.
    cdef uint8_t flags = code[0]
    cdef int width = 2 if flags & 16 else 1, _tree
    cdef Py_ssize_t i = 1, size
    for _tree in range(1 + (flags >> 2 & 1) + (flags >> 3 & 1)):
        size = load_le16(code + i) if width == 2 else code[i]
        i += width
        read_tree(r, code + i, size, found)
        i += size


cdef void read_tree(const rules_t* r, const uint8_t* code, Py_ssize_t n, set found):
    cdef Py_ssize_t i = 0
    cdef uint8_t first, operator
    cdef Test t
    while i < n:
        first = code[i]
        i += 1
        operator = first & 31
        if operator <= XOR or operator == PLACE:
            i += 1
        elif operator == MODULE:
            i += 2
        elif operator > FALSE:
            i = read_test(r, code, i, first, &t)
            if operator != HAS and operator != VAL and operator != ITEMS and operator != WIDE:
                found.add(t.tag)
