"""The tables of PS3.3: IODs by SOP class, modules and macros as written, value sets."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp

from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.rules.bounds cimport checked

cdef extern from "rules/rules.h" nogil:
    const rules_t RULES
    const int RULE_ROW_COUNT, RULE_MODULE_COUNT, RULE_REFINEMENT_COUNT, RULE_ITEMS_COUNT, RULE_KEYWORD_COUNT
    const int RULE_IE_COUNT, RULE_USAGE_COUNT, RULE_IOD_COUNT, RULE_SOP_CLASS_COUNT
    const int RULE_USE_COUNT, RULE_SET_COUNT, RULE_VALUE_COUNT, RULE_CONDITION_COUNT
    const int RULE_CONDITION_TAG_COUNT, RULE_CONDITION_SET_COUNT, RULE_CONDITION_MODULE_COUNT
    const char* const RULE_IES[]
    const char RULE_TEXT[][4096]
    const uint8_t RULE_CONDITION_CODE[]
    const uint32_t RULE_CONDITION_AT[], RULE_CONDITION_TAGS[]
    const uint16_t RULE_CONDITION_SETS[], RULE_CONDITION_MODULES[]
    const uint32_t RULE_PATHS[]
    const rule_row_t RULE_ROWS[]
    const rule_module_t RULE_MODULES[]
    const rule_refinement_t RULE_REFINEMENTS[]
    const rule_keyword_t RULE_KEYWORDS[]
    const rule_items_t RULE_ITEMS[]
    const rule_usage_t RULE_USAGES[]
    const rule_iod_t RULE_IODS[]
    const rule_sop_class_t RULE_SOP_CLASSES[]
    const rule_use_t RULE_USES[]
    const rule_set_t RULE_SETS[]
    const rule_value_t RULE_VALUES[]

cdef tuple TYPES = ("", "1", "1C", "2", "2C", "3")


cdef const rules_t* rules() noexcept nogil:
    static_assert(sizeof(rule_row_t) == 16)
    return &RULES


cdef int condition_count() noexcept nogil:
    return RULE_CONDITION_COUNT


cdef int find_sop_class(const uint8_t* uid, Py_ssize_t n) noexcept nogil:
    cdef int low = 0, high = RULE_SOP_CLASS_COUNT, middle, order
    cdef const rule_sop_class_t* row
    while low < high:
        middle = (low + high) >> 1
        row = &RULE_SOP_CLASSES[middle]
        order = memcmp(RULES.text + row.text, uid, min(<Py_ssize_t>row.uid, n))
        if order == 0:
            order = row.uid - <int>n if n < 256 else -1
        if order == 0:
            return middle
        if order < 0:
            low = middle + 1
        else:
            high = middle
    return -1


cdef str slice_text(Py_ssize_t at, Py_ssize_t n):
    return RULES.text[at:at + n].decode("ascii")


def counts():
    """Rows of each table, and the bytes of all."""
    return {
        "rows": RULE_ROW_COUNT, "modules": RULE_MODULE_COUNT, "refinements": RULE_REFINEMENT_COUNT,
        "items": RULE_ITEMS_COUNT, "keywords": RULE_KEYWORD_COUNT, "usages": RULE_USAGE_COUNT, "iods": RULE_IOD_COUNT,
        "sop_classes": RULE_SOP_CLASS_COUNT, "uses": RULE_USE_COUNT, "sets": RULE_SET_COUNT,
        "values": RULE_VALUE_COUNT, "conditions": RULE_CONDITION_COUNT - 1,
        "bytes": sizeof(RULE_ROWS) + sizeof(RULE_MODULES) + sizeof(RULE_REFINEMENTS) + sizeof(RULE_PATHS)
        + sizeof(RULE_ITEMS) + sizeof(RULE_KEYWORDS) + sizeof(RULE_USAGES) + sizeof(RULE_IODS)
        + sizeof(RULE_SOP_CLASSES) + sizeof(RULE_USES) + sizeof(RULE_SETS) + sizeof(RULE_VALUES)
        + sizeof(RULE_CONDITION_AT) + sizeof(RULE_CONDITION_CODE) + sizeof(RULE_CONDITION_TAGS)
        + sizeof(RULE_CONDITION_SETS) + sizeof(RULE_CONDITION_MODULES) + sizeof(RULE_TEXT),
    }


def sop_classes():
    """(UID, name) of each SOP class, sorted by UID."""
    return [sop_class(number) for number in range(RULE_SOP_CLASS_COUNT)]


def sop_class(int number):
    """(UID, name) of the SOP class in a row."""
    cdef const rule_sop_class_t* row = &RULE_SOP_CLASSES[checked(number, RULE_SOP_CLASS_COUNT)]
    return slice_text(row.text, row.uid), slice_text(row.text + row.uid, row.name)


def find(uid not None):
    """The row of a SOP class by its UID, -1 if there is none."""
    cdef bytes data = uid.encode("utf-8", "replace")
    return find_sop_class(<const uint8_t*><const char*>data, len(data))


def iod(int number):
    """(name, usages, functional groups, refinements) of the IOD of the SOP class in a row; see `usage_of` and
    `refinement_of` below."""
    checked(number, RULE_SOP_CLASS_COUNT)
    cdef const rule_iod_t* row = iod_of(&RULES, number)
    cdef int i
    return (
        slice_text(row.text, row.name),
        [usage_of(&RULE_USAGES[row.usages + i]) for i in range(row.usage_count)],
        [usage_of(&RULE_USAGES[row.groups + i]) for i in range(row.group_count)],
        [refinement_of(&RULE_REFINEMENTS[row.refinements + i]) for i in range(row.refinement_count)],
    )


cdef tuple usage_of(const rule_usage_t* row):
    # (module, IE, or kind of functional group, usage, number of its condition)
    return row.module, RULE_IES[row.ie].decode("ascii"), chr(row.usage), row.condition


def module(int number):
    """(name, clause, table number) of a module or macro."""
    cdef const rule_module_t* row = &RULE_MODULES[checked(number, RULE_MODULE_COUNT)]
    cdef Py_ssize_t id = row.text + row.name
    return slice_text(row.text, row.name), slice_text(id + row.id, row.clause), slice_text(id, row.id)


def rows(int number):
    """The rows of a module: (depth, tag, module included, type, items, first use, number of uses, number of its
    condition).

    The tag is None in an include and in a row that leaves attributes open, whose included module is None too; the
    module included is -1 for functional groups.
    """
    cdef const rule_module_t* table = &RULE_MODULES[checked(number, RULE_MODULE_COUNT)]
    cdef const rule_row_t* row
    cdef int i
    found = []
    for i in range(table.row_count):
        row = &RULE_ROWS[table.rows + i]
        found.append((
            row.depth,
            row.tag if row.kind == RULE_ATTRIBUTE else None,
            None if row.kind != RULE_INCLUDE else -1 if row.target == RULE_GROUPS else row.target,
            TYPES[row.type], row.items, row.uses, row.use_count, row.condition,
        ))
    return found


def items(int number):
    """(tag, fewest, most) of a row's `items`: as many items as the element with the tag says, else a range. The most is
    0 where there is no limit."""
    cdef const rule_items_t* row = &RULE_ITEMS[checked(number, RULE_ITEMS_COUNT)]
    return row.tag, row.least, row.most


def refinements(int number):
    """What a module says of attributes that it includes; see `refinement_of` below."""
    cdef const rule_module_t* table = &RULE_MODULES[checked(number, RULE_MODULE_COUNT)]
    cdef int i
    return [refinement_of(&RULE_REFINEMENTS[table.refinements + i]) for i in range(table.refinement_count)]


cdef tuple refinement_of(const rule_refinement_t* row):
    # (path, type or "", first use, number of uses, number of the condition)
    cdef int i
    path = tuple([RULE_PATHS[row.path + i] for i in range(row.depth)])
    return path, TYPES[row.type], row.uses, row.use_count, row.condition


def use(int number):
    """(kind, value number, values, edition, whether it has a condition, that condition's number) of a value set at an
    attribute. Kinds and editions are those of layout.h; values are strings, or numbers."""
    cdef const rule_use_t* row = &RULE_USES[checked(number, RULE_USE_COUNT)]
    return (
        chr(row.kind), row.number, members(&RULE_SETS[row.set]), row.edition, bool(row.conditional), row.condition,
    )


cdef tuple members(const rule_set_t* values):
    cdef const rule_value_t* value
    cdef int i
    found = []
    for i in range(values.value_count):
        value = &RULE_VALUES[values.values + i]
        if values.form == RULE_STRING:
            found.append(slice_text(value.value, value.length))
        else:
            found.append(value.value if values.form == RULE_TAG else <int32_t>value.value)
    return tuple(found)


def condition(int number):
    """The bytes of a condition; empty for 0."""
    cdef Py_ssize_t n = 0
    cdef const uint8_t* code = condition_code(&RULES, checked(number, RULE_CONDITION_COUNT), &n)
    return code[:n]


def condition_pool():
    """(tags, sets of strings, modules) that the bytes of conditions name by index."""
    cdef int i
    return (
        [RULE_CONDITION_TAGS[i] for i in range(RULE_CONDITION_TAG_COUNT)],
        [members(&RULE_SETS[RULE_CONDITION_SETS[i]]) for i in range(RULE_CONDITION_SET_COUNT)],
        [RULE_CONDITION_MODULES[i] for i in range(RULE_CONDITION_MODULE_COUNT)],
    )


def keyword(uint32_t tag):
    """The keyword of an attribute that the dictionary does not have, "" if the tables do not have it either."""
    cdef int i
    for i in range(RULE_KEYWORD_COUNT):
        if RULE_KEYWORDS[i].tag == tag:
            return slice_text(RULE_KEYWORDS[i].text, RULE_KEYWORDS[i].length)
    return ""
