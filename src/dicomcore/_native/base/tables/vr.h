/* VRs (PS3.5 6.2).
 *
 * Made by `python tools/make_tables.py`; edit that, not this.
 * Input: dicomcore/vrs.py. */
#ifndef DICOMCORE_VR_H
#define DICOMCORE_VR_H

#include <stdint.h>

/* How an explicit element's header goes on behind its VR, by the VR's two letters (PS3.5 Table 7.1-1). */
enum { VR_UNKNOWN, VR_SHORT, VR_LONG, VR_SEQUENCE, VR_UNTYPED };

/* five bits of each letter: A is 1 */
#define VR_CELL(a, b) [((a) & 31) | ((b) & 31) << 5]

static const uint8_t VR_FORM[32 * 32] = {
    VR_CELL('A', 'E') = VR_SHORT,
    VR_CELL('A', 'S') = VR_SHORT,
    VR_CELL('A', 'T') = VR_SHORT,
    VR_CELL('C', 'S') = VR_SHORT,
    VR_CELL('D', 'A') = VR_SHORT,
    VR_CELL('D', 'S') = VR_SHORT,
    VR_CELL('D', 'T') = VR_SHORT,
    VR_CELL('F', 'D') = VR_SHORT,
    VR_CELL('F', 'L') = VR_SHORT,
    VR_CELL('I', 'S') = VR_SHORT,
    VR_CELL('L', 'O') = VR_SHORT,
    VR_CELL('L', 'T') = VR_SHORT,
    VR_CELL('O', 'B') = VR_LONG,
    VR_CELL('O', 'D') = VR_LONG,
    VR_CELL('O', 'F') = VR_LONG,
    VR_CELL('O', 'L') = VR_LONG,
    VR_CELL('O', 'V') = VR_LONG,
    VR_CELL('O', 'W') = VR_LONG,
    VR_CELL('P', 'N') = VR_SHORT,
    VR_CELL('S', 'H') = VR_SHORT,
    VR_CELL('S', 'L') = VR_SHORT,
    VR_CELL('S', 'Q') = VR_SEQUENCE,
    VR_CELL('S', 'S') = VR_SHORT,
    VR_CELL('S', 'T') = VR_SHORT,
    VR_CELL('S', 'V') = VR_LONG,
    VR_CELL('T', 'M') = VR_SHORT,
    VR_CELL('U', 'C') = VR_LONG,
    VR_CELL('U', 'I') = VR_SHORT,
    VR_CELL('U', 'L') = VR_SHORT,
    VR_CELL('U', 'N') = VR_UNTYPED,
    VR_CELL('U', 'R') = VR_LONG,
    VR_CELL('U', 'S') = VR_SHORT,
    VR_CELL('U', 'T') = VR_LONG,
    VR_CELL('U', 'V') = VR_LONG,
};

/* `code` is the two letters, the first in the low byte; `dtype` NumPy's name for a word of its values. */
typedef struct { uint16_t code; const char *name, *dtype; } vr_row_t;
#define VR_COUNT 34
static const vr_row_t VR_ROWS[34] = {
    {0x4541, "AE", ""}, {0x5341, "AS", ""}, {0x5441, "AT", "u4"}, {0x5343, "CS", ""},
    {0x4144, "DA", ""}, {0x5344, "DS", ""}, {0x5444, "DT", ""}, {0x4446, "FD", "f8"},
    {0x4C46, "FL", "f4"}, {0x5349, "IS", ""}, {0x4F4C, "LO", ""}, {0x544C, "LT", ""},
    {0x424F, "OB", "u1"}, {0x444F, "OD", "f8"}, {0x464F, "OF", "f4"}, {0x4C4F, "OL", "u4"},
    {0x564F, "OV", "u8"}, {0x574F, "OW", "u2"}, {0x4E50, "PN", ""}, {0x4853, "SH", ""},
    {0x4C53, "SL", "i4"}, {0x5153, "SQ", ""}, {0x5353, "SS", "i2"}, {0x5453, "ST", ""},
    {0x5653, "SV", "i8"}, {0x4D54, "TM", ""}, {0x4355, "UC", ""}, {0x4955, "UI", ""},
    {0x4C55, "UL", "u4"}, {0x4E55, "UN", "u1"}, {0x5255, "UR", ""}, {0x5355, "US", "u2"},
    {0x5455, "UT", ""}, {0x5655, "UV", "u8"},
};

static inline int vr_is_text(uint16_t vr)
{
    switch (vr) {
    case 0x4541: /* AE */
    case 0x5341: /* AS */
    case 0x5343: /* CS */
    case 0x4144: /* DA */
    case 0x5444: /* DT */
    case 0x4F4C: /* LO */
    case 0x544C: /* LT */
    case 0x4E50: /* PN */
    case 0x4853: /* SH */
    case 0x5453: /* ST */
    case 0x4D54: /* TM */
    case 0x4355: /* UC */
    case 0x4955: /* UI */
    case 0x5255: /* UR */
    case 0x5455: /* UT */
        return 1;
    default:
        return 0;
    }
}

static inline int vr_is_number(uint16_t vr)
{
    switch (vr) {
    case 0x4446: /* FD */
    case 0x4C46: /* FL */
    case 0x4C53: /* SL */
    case 0x5353: /* SS */
    case 0x5653: /* SV */
    case 0x4C55: /* UL */
    case 0x5355: /* US */
    case 0x5655: /* UV */
        return 1;
    default:
        return 0;
    }
}

static inline int vr_is_bytes(uint16_t vr)
{
    switch (vr) {
    case 0x424F: /* OB */
    case 0x444F: /* OD */
    case 0x464F: /* OF */
    case 0x4C4F: /* OL */
    case 0x564F: /* OV */
    case 0x574F: /* OW */
    case 0x4E55: /* UN */
        return 1;
    default:
        return 0;
    }
}

static inline int vr_has_charset(uint16_t vr)
{
    switch (vr) {
    case 0x4F4C: /* LO */
    case 0x544C: /* LT */
    case 0x4E50: /* PN */
    case 0x4853: /* SH */
    case 0x5453: /* ST */
    case 0x4355: /* UC */
    case 0x5455: /* UT */
        return 1;
    default:
        return 0;
    }
}

static inline int vr_is_single(uint16_t vr)
{
    switch (vr) {
    case 0x544C: /* LT */
    case 0x5453: /* ST */
    case 0x5255: /* UR */
    case 0x5455: /* UT */
        return 1;
    default:
        return 0;
    }
}

static inline int vr_word_size(uint16_t vr)
{
    switch (vr) {
    case 0x574F: /* OW */
    case 0x5353: /* SS */
    case 0x5355: /* US */
        return 2;
    case 0x5441: /* AT */
    case 0x4C46: /* FL */
    case 0x464F: /* OF */
    case 0x4C4F: /* OL */
    case 0x4C53: /* SL */
    case 0x4C55: /* UL */
        return 4;
    case 0x4446: /* FD */
    case 0x444F: /* OD */
    case 0x564F: /* OV */
    case 0x5653: /* SV */
    case 0x5655: /* UV */
        return 8;
    default:
        return 1;
    }
}

#endif
