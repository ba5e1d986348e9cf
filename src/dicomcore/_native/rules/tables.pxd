# The tables of PS3.3 for native code: which attributes and values an object of a SOP class has. `layout.h` says what
# the fields mean. Only `tables.pyx` holds the tables; others take the pointer from rules() once and pass it on.

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp

cdef extern from "rules/layout.h" nogil:
    enum:
        RULE_ATTRIBUTE
        RULE_INCLUDE
        RULE_OPEN
    enum:
        RULE_NO_TYPE
        RULE_TYPE_1
        RULE_TYPE_1C
        RULE_TYPE_2
        RULE_TYPE_2C
        RULE_TYPE_3
    enum:
        RULE_STRING
        RULE_NUMBER
        RULE_TAG
        RULE_BITS
        RULE_RANGE
    enum:
        RULE_GROUPS
    ctypedef struct rule_row_t:
        uint32_t tag
        uint16_t target, condition, uses
        uint8_t use_count, depth, kind, type, items
    ctypedef struct rule_module_t:
        uint32_t text
        uint16_t rows, row_count, refinements, refinement_count
        uint8_t name, id, clause, kind
    ctypedef struct rule_refinement_t:
        uint32_t path
        uint16_t depth, condition, uses
        uint8_t use_count, type
    ctypedef struct rule_items_t:
        uint32_t tag
        uint8_t least, most
    ctypedef struct rule_usage_t:
        uint16_t module, condition
        uint8_t ie, usage
    ctypedef struct rule_iod_t:
        uint32_t text
        uint16_t usages, groups, refinements
        uint8_t usage_count, group_count, refinement_count, name
    ctypedef struct rule_sop_class_t:
        uint32_t text
        uint16_t iod
        uint8_t uid, name
    ctypedef struct rule_use_t:
        uint16_t set, condition
        uint8_t kind, number, edition, conditional
    ctypedef struct rule_set_t:
        uint16_t values, value_count
        uint8_t form
    ctypedef struct rule_value_t:
        uint32_t value, length
    ctypedef struct rule_keyword_t:
        uint32_t tag, text, length
    ctypedef struct rules_t:
        const rule_row_t* rows
        const rule_module_t* modules
        const rule_refinement_t* refinements
        const uint32_t* paths
        const rule_items_t* items
        const rule_usage_t* usages
        const rule_iod_t* iods
        const rule_sop_class_t* sop_classes
        const rule_use_t* uses
        const rule_set_t* sets
        const rule_value_t* values
        const uint32_t* condition_at
        const uint8_t* condition_code
        const uint32_t* condition_tags              # by the indices that a condition's bytes have
        const uint16_t* condition_sets              # numbers of `sets`
        const uint16_t* condition_modules           # numbers of `modules`
        const char* text

cdef const rules_t* rules() noexcept nogil
cdef int condition_count() noexcept nogil                                   # numbers from 1 on are below it
cdef int find_sop_class(const uint8_t* uid, Py_ssize_t n) noexcept nogil    # its row, -1: none; without padding


cdef inline const rule_iod_t* iod_of(const rules_t* r, int sop_class) noexcept nogil:
    return &r.iods[r.sop_classes[sop_class].iod]


cdef inline const rule_usage_t* iod_usages(const rules_t* r, const rule_iod_t* iod) noexcept nogil:
    return &r.usages[iod.usages]                        # iod.usage_count of them


cdef inline const rule_usage_t* iod_groups(const rules_t* r, const rule_iod_t* iod) noexcept nogil:
    return &r.usages[iod.groups]                        # iod.group_count of them


cdef inline const rule_row_t* module_rows(const rules_t* r, int module) noexcept nogil:
    return &r.rows[r.modules[module].rows]              # row_count of them


cdef inline const rule_refinement_t* module_refinements(const rules_t* r, int module) noexcept nogil:
    return &r.refinements[r.modules[module].refinements]    # refinement_count of them


cdef inline const rule_refinement_t* iod_refinements(const rules_t* r, const rule_iod_t* iod) noexcept nogil:
    return &r.refinements[iod.refinements]              # refinement_count of them


cdef inline const rule_items_t* row_items(const rules_t* r, const rule_row_t* row) noexcept nogil:
    return &r.items[row.items]


cdef inline const uint8_t* condition_code(const rules_t* r, int number, Py_ssize_t* n) noexcept nogil:
    # The condition's bytes; n[0] is 0 if there is none.
    n[0] = r.condition_at[number + 1] - r.condition_at[number]
    return &r.condition_code[r.condition_at[number]]


cdef inline int compare(const char* a, Py_ssize_t m, const uint8_t* b, Py_ssize_t n) noexcept nogil:
    # As the values of a set are sorted: shorter ones first.
    if m != n:
        return -1 if m < n else 1
    return memcmp(a, b, n)


cdef inline int find_string(
    const rules_t* r, const rule_set_t* values, const uint8_t* text, Py_ssize_t n
) noexcept nogil:
    # The place of a string, given without padding, in a set of strings; -1: none.
    cdef int low = 0, high = values.value_count, middle, order
    cdef const rule_value_t* value
    while low < high:
        middle = (low + high) >> 1
        value = &r.values[values.values + middle]
        order = compare(r.text + value.value, value.length, text, n)
        if order == 0:
            return middle
        if order < 0:
            low = middle + 1
        else:
            high = middle
    return -1


cdef inline int find_number(const rules_t* r, const rule_set_t* values, uint32_t number) noexcept nogil:
    # The place of a number, tag or bit in its set; -1: none. A signed number is given as 32 bits of two's complement.
    cdef int i
    for i in range(values.value_count):
        if r.values[values.values + i].value == number:
            return i
    return -1
