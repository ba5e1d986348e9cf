/* Rows of the tables of PS3.16, which `python -m tools.standard` writes. */
#ifndef DICOMCORE_RULES_CODED_H
#define DICOMCORE_RULES_CODED_H

#include <stdint.h>

/* A code: value and meaning stand behind each other in RULE_CODE_TEXT, `scheme` is a row of RULE_SCHEMES. */
typedef struct {
    uint32_t text;
    uint8_t value, meaning, scheme;
} rule_code_t;

/* A value of the retired scheme SRT, and the code of SCT with the same meaning. */
typedef struct {
    uint32_t text;
    uint16_t code;
    uint8_t length;
} rule_srt_t;

/* A context group: name, UID and version stand behind each other in RULE_CODE_TEXT; its members are `count` codes of
 * RULE_MEMBERS from `members` on, sorted. `flag` is E for extensible, N for not extensible, ? for not known. */
typedef struct {
    uint32_t text, members;
    uint16_t number, count;
    uint8_t name, uid, version, flag;
} rule_context_t;

#endif
