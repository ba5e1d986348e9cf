/* Rows of the templates of PS3.16, which `python -m tools.standard` writes. */
#ifndef DICOMCORE_RULES_TEMPLATE_ROWS_H
#define DICOMCORE_RULES_TEMPLATE_ROWS_H

#include <stdint.h>

/* A text of RULE_TEMPLATE_TEXT. Expressions are JSON, and code is the number of a code.
 *
 * Concepts and values: ["C", code]; ["D", numbers of context groups] for a defined one, ["B", …] for a baseline one;
 * ["$", name] for a parameter; ["|", expressions]; of values also ["G", graphic types, fewest points, most points].
 * Bindings of an include: an object with an expression, or null, for each parameter.
 * Conditions: ["and" or "or" or "not", conditions]; ["open"] for one that can't be decided; ["count", where, steps,
 * operator, number] counts content items. `where` is "." for those beside the row, ".." for those one level above it,
 * where SELF is the item around the row, "../.." for two levels, "//" for those anywhere in the document. A step is a
 * value type, SELF, or REFERENCE for by-reference relationships, and a test; the next step counts below what passes.
 * Tests: ["concept", concept], ["value", value], ["rel", relationship], and the operators. */
typedef struct {
    uint32_t text;
    uint16_t length;
} rule_expression_t;

/* A template: key (its number, and letters for a variant) and name stand behind each other in RULE_TEMPLATE_TEXT.
 * `edition` is a row of EDITIONS in tools/standard/template_rows.py. */
typedef struct {
    uint32_t text;
    uint16_t rows, row_count, number;
    uint8_t key, name, edition;
} rule_template_t;

/* A row. The first four fields are rows of RULE_EXPRESSIONS, 0: none. `included` is a row of RULE_TEMPLATES + 1, `most`
 * is 0 where there is no limit. Flags: 1 by reference, 2 may be present though the condition is false. */
typedef struct {
    uint16_t concept, value, condition, bindings, included, number;
    uint8_t depth, relationship, value_type, least, most, requirement, flags;
} rule_template_row_t;

/* A SOP class of structured reports, and the number of its IOD in RULE_RELATIONS. */
typedef struct {
    char uid[40];
    uint8_t iod;
} rule_sr_class_t;

/* Which value types, as bits, an item of a value type may have below it in a relationship (PS3.3 A.35). */
typedef struct {
    uint8_t iod, source, relationship;
    uint32_t targets;
} rule_relation_t;

#endif
