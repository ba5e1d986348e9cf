"""The templates of PS3.16. `template_rows.h` says what the fields mean."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp

from dicomcore._native.rules.bounds cimport checked

cdef extern from "rules/templates.h" nogil:
    ctypedef struct rule_expression_t:
        uint32_t text
        uint16_t length
    ctypedef struct rule_template_t:
        uint32_t text
        uint16_t rows, row_count, number
        uint8_t key, name, edition
    ctypedef struct rule_template_row_t:
        uint16_t concept, value, condition, bindings, included, number
        uint8_t depth, relationship, value_type, least, most, requirement, flags
    ctypedef struct rule_sr_class_t:
        char uid[40]
        uint8_t iod
    ctypedef struct rule_relation_t:
        uint8_t iod, source, relationship
        uint32_t targets
    const int RULE_SR_CLASS_COUNT, RULE_RELATION_COUNT
    const rule_sr_class_t RULE_SR_CLASSES[]
    const rule_relation_t RULE_RELATIONS[]
    const int RULE_TEMPLATE_ROW_COUNT, RULE_TEMPLATE_COUNT, RULE_NUMBER_COUNT, RULE_EXPRESSION_COUNT
    const rule_template_row_t RULE_TEMPLATE_ROWS[]
    const rule_template_t RULE_TEMPLATES[]
    const rule_expression_t RULE_EXPRESSIONS[]
    const char RULE_TEMPLATE_TEXT[][4096]
    const char RULE_NUMBERS[][8]


cdef str slice_text(Py_ssize_t at, Py_ssize_t n):
    return RULE_TEMPLATE_TEXT[0][at:at + n].decode("ascii")


def counts():
    """Rows of each table, and the bytes of all."""
    return {
        "templates": RULE_TEMPLATE_COUNT, "rows": RULE_TEMPLATE_ROW_COUNT, "numbers": RULE_NUMBER_COUNT,
        "expressions": RULE_EXPRESSION_COUNT, "sr_classes": RULE_SR_CLASS_COUNT, "relations": RULE_RELATION_COUNT,
        "bytes": sizeof(RULE_TEMPLATE_ROWS) + sizeof(RULE_TEMPLATES) + sizeof(RULE_EXPRESSIONS)
        + sizeof(RULE_NUMBERS) + sizeof(RULE_TEMPLATE_TEXT) + sizeof(RULE_SR_CLASSES) + sizeof(RULE_RELATIONS),
    }


def find(str key not None):
    """The row of a template by its key, -1 if there is none."""
    cdef bytes wanted = key.encode()
    cdef const char* text = wanted
    cdef Py_ssize_t n = len(wanted)
    cdef int i
    for i in range(RULE_TEMPLATE_COUNT):
        if RULE_TEMPLATES[i].key == n and memcmp(RULE_TEMPLATE_TEXT[0] + RULE_TEMPLATES[i].text, text, n) == 0:
            return i
    return -1


def template(int number):
    """(key, name, number of the template, edition) of the template in a row."""
    cdef const rule_template_t* one = &RULE_TEMPLATES[checked(number, RULE_TEMPLATE_COUNT)]
    return slice_text(one.text, one.key), slice_text(one.text + one.key, one.name), one.number, one.edition


def rows(int number):
    """The rows of a template: (number, depth, relationship, value type, fewest, most, requirement, flags, concept,
    value, condition, bindings, template included or -1), where the fields behind the flags are numbers of
    expressions."""
    cdef const rule_template_t* one = &RULE_TEMPLATES[checked(number, RULE_TEMPLATE_COUNT)]
    cdef const rule_template_row_t* row
    cdef int i
    found = []
    for i in range(one.row_count):
        row = &RULE_TEMPLATE_ROWS[one.rows + i]
        found.append((
            RULE_NUMBERS[row.number].decode("ascii"), row.depth, row.relationship, row.value_type, row.least, row.most,
            row.requirement, row.flags, row.concept, row.value, row.condition, row.bindings, row.included - 1,
        ))
    return found


def expression(int number):
    """The JSON of an expression, "" for 0."""
    cdef const rule_expression_t* one = &RULE_EXPRESSIONS[checked(number, RULE_EXPRESSION_COUNT)]
    return slice_text(one.text, one.length)


def relations(str sop_class not None):
    """{(value type, relationship): value types below, as bits} of the IOD of a SOP class; None if there is no table."""
    cdef bytes wanted = sop_class.encode()
    cdef int i, k
    for i in range(RULE_SR_CLASS_COUNT):
        if RULE_SR_CLASSES[i].uid == wanted:
            return {
                (<int>RULE_RELATIONS[k].source, <int>RULE_RELATIONS[k].relationship): RULE_RELATIONS[k].targets
                for k in range(RULE_RELATION_COUNT) if RULE_RELATIONS[k].iod == RULE_SR_CLASSES[i].iod
            }
    return None
