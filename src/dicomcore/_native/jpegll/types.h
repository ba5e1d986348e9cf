/* What the loops of jpegll_chains.h and jpegll_emit.h and their callers share. */
#ifndef DICOMCORE_JPEGLL_TYPES_H
#define DICOMCORE_JPEGLL_TYPES_H

#include "base/simd.h"

enum {
    JLL_CATEGORIES = 17,      /* SSSS from 0 to 16 (T.81 H.1.2.2) */
    JLL_LONGEST_CODE = 16,    /* bits of a code (C.2) */
    JLL_MOST_EXTRA = 15,      /* bits behind a code; category 16 has none */
    JLL_WINDOW_BITS = 64 - 7, /* of a window that count: up to 7 of its first byte stand before its place */
    JLL_SLACK = 16,           /* bytes past the end of the bits that a window may read */
    JLL_CODE_BITS = 11,       /* index of `code`; longer codes are found length by length */
    JLL_MOST_BITS = 12,       /* index of `several`, at most */
    JLL_TOGETHER = 3,         /* differences of an entry of `several`, at most */
    JLL_STEPS = 4,            /* entries of `several` taken from one window */
    JLL_SPILL = 16,           /* samples a chain may write past its `full` */
    /* Bits of one difference. */
    JLL_LONGEST = JLL_LONGEST_CODE + JLL_MOST_EXTRA,
    /* Bits that a chain takes between two looks at its stop: where one of the steps met an entry of zero, which takes
     * none, a difference is read by itself behind the others. */
    JLL_GROUP = (JLL_STEPS - 1) * JLL_MOST_BITS + JLL_LONGEST,
};
DC_STATIC_ASSERT(JLL_WINDOW_BITS >= JLL_LONGEST);
DC_STATIC_ASSERT(JLL_SLACK >= sizeof(uint64_t));
DC_STATIC_ASSERT(JLL_GROUP >= JLL_STEPS * JLL_MOST_BITS);

typedef struct {
    uint32_t limit[18];   /* of each code length: the first 16-bit window that isn't a code so short; rising */
    int32_t first[18];    /* of each code length: the index of its first symbol, less its first code */
    uint8_t symbols[256]; /* SSSS in the order of codes */
    /* A window's first JLL_CODE_BITS bits: SSSS << 8 | bits of code and difference; 0 where that doesn't tell. */
    uint16_t code[1 << JLL_CODE_BITS];
} jll_table;

/* A window's first `several_bits` bits as up to three whole differences, from bit 16 on, 16 bits each; in bits 8 to 15
 * twice their number, in 6 and 7 whose turn comes next, in 0 to 5 the bits they take. Where not even one fits, nothing
 * but whose turn it is. */
typedef uint64_t jll_several;
DC_STATIC_ASSERT(64 >= 16 + 16 * JLL_TOGETHER);
DC_STATIC_ASSERT(1 << 6 > JLL_MOST_BITS);

typedef struct {
    int64_t pos;    /* the next bit */
    int64_t stop;   /* bits are left from here on to whoever checks each */
    uint16_t *out;  /* the next difference goes here */
    uint16_t *full; /* and none that starts here or later is wanted */
    int phase;      /* whose turn it is, where components have their own tables */
    int broken;     /* the bits at pos are no code */
} jll_chain;

#endif
