/* Rows of the tables of PS3.3, which `python -m tools.standard` writes. */
#ifndef DICOMCORE_RULES_LAYOUT_H
#define DICOMCORE_RULES_LAYOUT_H

#include <stdint.h>

/* What a row of a module is. Open rows stand for attributes that the table does not name. */
enum { RULE_ATTRIBUTE, RULE_INCLUDE, RULE_OPEN };

/* The type of an attribute (PS3.5 7.4). */
enum { RULE_NO_TYPE, RULE_TYPE_1, RULE_TYPE_1C, RULE_TYPE_2, RULE_TYPE_2C, RULE_TYPE_3 };

/* What the members of a value set are. */
enum { RULE_STRING, RULE_NUMBER, RULE_TAG, RULE_BITS, RULE_RANGE };

/* Instead of the module that a row includes: the functional groups of the IOD. */
enum { RULE_GROUPS = 0xFFFF };

/* `condition` is a number of RULE_CONDITION_AT. 0 is none: a row of type 1C or 2C, a usage C or a conditional use
 * without one cannot be decided. */

/* A row of a module, in the order of its table. A row belongs to the last attribute before it that has `depth` - 1,
 * also when that attribute came with an include. `target` is the module included. The row's value sets are `use_count`
 * rows of RULE_USES from `uses` on, `items` is a row of RULE_ITEMS. An x of a repeating group's tag is an F. */
typedef struct {
    uint32_t tag;
    uint16_t target, condition, uses;
    uint8_t use_count, depth, kind, type, items, spare;
} rule_row_t;

/* A module or macro: `row_count` rows of RULE_ROWS from `rows` on, and so the refinements. Name, table number (such as
 * C.7-11a) and clause stand behind each other in RULE_TEXT. `kind` is 0 for a module, 1 for a macro, 2 for others. */
typedef struct {
    uint32_t text;
    uint16_t rows, row_count, refinements, refinement_count;
    uint8_t name, id, clause, kind;
} rule_module_t;

/* What a module says of an attribute that one of its includes brings: `depth` tags of RULE_PATHS from `path` on, from
 * the module's own level. A type other than RULE_NO_TYPE, with its condition, replaces the attribute's own; value sets
 * are added. */
typedef struct {
    uint32_t path;
    uint16_t depth, condition, uses;
    uint8_t use_count, type;
} rule_refinement_t;

/* How many items a sequence has: as many as the element `tag` says, else `least` to `most` (0: any number). */
typedef struct {
    uint32_t tag;
    uint8_t least, most;
} rule_items_t;

/* A module in an IOD, or a macro among its functional groups: `usage` is M, C or U, `ie` a row of RULE_IES. */
typedef struct {
    uint16_t module, condition;
    uint8_t ie, usage;
} rule_usage_t;

/* An IOD: rows of RULE_USAGES for its modules, and for its functional groups, and of RULE_REFINEMENTS for what it says
 * of attributes of its modules, whose paths begin at the root. */
typedef struct {
    uint32_t text;
    uint16_t usages, groups, refinements;
    uint8_t usage_count, group_count, refinement_count, name;
} rule_iod_t;

/* A SOP class: its UID and name stand behind each other in RULE_TEXT. */
typedef struct {
    uint32_t text;
    uint16_t iod;
    uint8_t uid, name;
} rule_sop_class_t;

/* What an attribute's values must be. `kind` is E for enumerated values, D for defined terms, B for enumerated numbers,
 * T for tags, M for bits, Z for a number that must not be zero (z: should not), whose set is empty, N for how many
 * values there are, C for the context groups of a code sequence (c: baseline), whose set has their numbers. `number` is
 * that of the value concerned, 0 for each. Uses of one attribute hold each for itself, but the last context groups
 * replace others. `edition` is 0 for 2024-12, 1 for 2016, 2 for 2008. */
typedef struct {
    uint16_t set, condition;
    uint8_t kind, number, edition, conditional;
} rule_use_t;

typedef struct {
    uint16_t values, value_count;
    uint8_t form;
} rule_set_t;

/* A string of RULE_TEXT, or a number or tag alone. A number of SS is a two's complement. */
typedef struct {
    uint32_t value, length;
} rule_value_t;

/* The keyword of an attribute that the dictionary does not have. */
typedef struct {
    uint32_t tag, text, length;
} rule_keyword_t;

/* The tables, behind one pointer, so that one module alone holds them. */
typedef struct {
    const rule_row_t *rows;
    const rule_module_t *modules;
    const rule_refinement_t *refinements;
    const uint32_t *paths;
    const rule_items_t *items;
    const rule_usage_t *usages;
    const rule_iod_t *iods;
    const rule_sop_class_t *sop_classes;
    const rule_use_t *uses;
    const rule_set_t *sets;
    const rule_value_t *values;
    const uint32_t *condition_at;
    const uint8_t *condition_code;
    const uint32_t *condition_tags;
    const uint16_t *condition_sets, *condition_modules;
    const char *text;
} rules_t;

#endif
