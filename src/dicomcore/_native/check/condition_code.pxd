# The code of conditions, which tools/standard/conditions/code.py describes.

from libc.stdint cimport int64_t, uint8_t, uint32_t

from dicomcore._native.rules.tables cimport rule_set_t, rules_t

cdef enum:
    MOST_STEPS = 6          # sequences in a scope, as in code.py

cdef enum Operator:
    AND, OR, XOR, NOT, UNDECIDED, TRUE, FALSE, HAS, VAL, IN, OTHER, CMP, TAG, ODD, CODE, ITEMS, PLACE, MODULE, WIDE

cdef enum Base:
    HERE, UP_ONE, UP_TWO, UP_THREE, ROOT, NEAREST, FRAMES, THROUGH

cdef struct Test:
    uint8_t operator, base, n, relation, step_count
    uint32_t tag
    int64_t number
    const rule_set_t* values
    uint32_t[MOST_STEPS] steps      # tags of the sequences in the scope

cdef Py_ssize_t read_test(const rules_t* r, const uint8_t* code, Py_ssize_t i, uint8_t first, Test* t) noexcept nogil
# Read the test whose first byte is given and whose others begin at i; the place behind it.
cdef set tags_with_values()     # the tags of elements at whose values conditions look, and not only at their presence
