/* Constants and types that the loops of chains.h and emit.h share with their callers. */
#ifndef DICOMCORE_JPEGLL_TYPES_H
#define DICOMCORE_JPEGLL_TYPES_H

#include "base/simd.h"

enum {
    JLL_CATEGORIES = 17,      /* SSSS from 0 to 16 (T.81 H.1.2.2) */
    JLL_LONGEST_CODE = 16,    /* most bits of a code (C.2) */
    JLL_MOST_EXTRA = 15,      /* most bits behind a code; category 16 has none */
    JLL_WINDOW_BITS = 64 - 7, /* usable bits of a window: up to 7 bits of its first byte precede its position */
    JLL_SLACK = 16,           /* bytes past the end of the bits that a window may read */
    JLL_CODE_BITS = 11,       /* index bits of `code`; longer codes are found length by length */
    JLL_MOST_BITS = 13,       /* most index bits of `several` */
    JLL_TOGETHER = 3,         /* most differences of an entry of `several` */
    JLL_STEPS = 4,            /* entries of `several` taken from one window */
    JLL_SHORT = 19,           /* most bits of a difference in `code` if three are taken from one window */
    JLL_LONG = 28,            /* most bits if two are */
    JLL_CHAINS = 6,           /* most chains of a loop */
    JLL_SPILL = 16,           /* samples a chain may write past its `full` */
    /* Most bits of one difference. */
    JLL_LONGEST = JLL_LONGEST_CODE + JLL_MOST_EXTRA,
    /* Most bits that a chain takes between two checks of its stop. A step that meets an entry of zero takes no bits; a
     * single difference is then read behind the others. */
    JLL_GROUP = (JLL_STEPS - 1) * JLL_MOST_BITS + JLL_LONGEST,
};
DC_STATIC_ASSERT(JLL_WINDOW_BITS >= JLL_LONGEST);
DC_STATIC_ASSERT(JLL_WINDOW_BITS >= 3 * JLL_SHORT);
DC_STATIC_ASSERT(JLL_WINDOW_BITS >= 2 * JLL_LONG);
DC_STATIC_ASSERT(JLL_SLACK >= sizeof(uint64_t));
DC_STATIC_ASSERT(JLL_GROUP >= JLL_STEPS * JLL_MOST_BITS);
DC_STATIC_ASSERT(JLL_GROUP >= 2 * JLL_SHORT + JLL_LONGEST);
DC_STATIC_ASSERT(JLL_GROUP >= JLL_LONG + JLL_LONGEST);

typedef struct {
    uint32_t limit[18];   /* by code length: the first 16-bit window above all codes up to this length; ascending */
    int32_t first[18];    /* by code length: the index of its first symbol, less its first code */
    uint8_t symbols[256]; /* SSSS in the order of codes */
    int most;             /* JLL_SHORT or JLL_LONG: most bits of code and difference of an entry of `code` */
    /* By a window's first JLL_CODE_BITS bits: SSSS << 8 | bits of code and difference; 0: look it up by length. */
    uint16_t code[1 << JLL_CODE_BITS];
} jll_table;

/* The whole differences, at most three, in a window's first `several_bits` bits. Bits 0 to 5 are the number of bits
 * that they take, 6 and 7 the component of the next difference, 8 to 15 twice the number of differences; from bit 16 on
 * follow the differences, 16 bits each. If not even one fits, all but the component is zero. */
typedef uint64_t jll_several;
DC_STATIC_ASSERT(64 >= 16 + 16 * JLL_TOGETHER);
DC_STATIC_ASSERT(1 << 6 > JLL_MOST_BITS);

typedef struct {
    int64_t pos;    /* the next bit */
    int64_t stop;   /* the loops stop here; the caller reads the bits behind it with a check for each difference */
    uint16_t *out;  /* where the next difference is stored */
    uint16_t *full; /* the end of the wanted differences */
    int phase;      /* component of the next difference, if components have their own tables */
    int broken;     /* the bits at pos are not a code */
} jll_chain;

#endif
