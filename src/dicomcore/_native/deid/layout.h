/* Rows of the tables of de-identification (PS3.15 Annex E). */
#ifndef DICOMCORE_DEID_LAYOUT_H
#define DICOMCORE_DEID_LAYOUT_H

#include <stdint.h>

/* Bits of `kept` and `cleaned` are columns of options; `kind` is 0 for an attribute, else one of the table's rows for
 * repeating groups (1 curves, 2 overlay data, 3 overlay comments) and for private attributes (4). `vr` is given where
 * the dictionary does not have the attribute. */
typedef struct {
    uint32_t tag;
    uint8_t kind, retired, basic;
    uint16_t kept, cleaned;
    char vr[6];
} deid_attribute_t;

typedef struct {
    const char *code, *scheme, *meaning, *value_type;
    uint8_t retired, basic;
    uint16_t kept, cleaned;
} deid_content_t;

typedef struct {
    const char *code, *meaning, *option;
} deid_code_t;

/* `what` is k: keep, h: replace the UID, o: shift the date. */
typedef struct {
    uint16_t creator, group;
    uint8_t low, what;
    char vr[6];
} deid_private_t;

#endif
