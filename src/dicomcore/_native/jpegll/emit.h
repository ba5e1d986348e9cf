/* The loops of JPEG lossless encoding: they count categories and write codes (T.81 H.1.2.2, F.1.2.1). They are in C, as
 * they are compiled once more for BMI2 and count leading zeros. */
#ifndef DICOMCORE_JPEGLL_EMIT_H
#define DICOMCORE_JPEGLL_EMIT_H

#include "jpegll/types.h"

enum {
    JLL_CODE_BYTES = 4,  /* most bytes of one difference */
    JLL_TWICE_BITS = 28, /* most bits of a difference if two must fit the window behind up to 7 unwritten bits */
};
DC_STATIC_ASSERT(8 * JLL_CODE_BYTES >= JLL_LONGEST);
DC_STATIC_ASSERT(64 >= 7 + JLL_LONGEST);
DC_STATIC_ASSERT(64 >= 7 + 2 * JLL_TWICE_BITS);

typedef struct {
    uint32_t base; /* the code, followed by SSSS zeros */
    uint32_t mask; /* SSSS ones, or 0 if no bits follow the code */
    int bits;      /* bits of code and difference */
} jll_code;

typedef struct {
    uint64_t window; /* its lowest `bits` bits are not written yet */
    int bits;        /* below 8 between calls */
} jll_tail;

/* SSSS: the number of bits of |difference|; 16 for -32768, which stands for 32768 (T.81 H.1.2.2). */
DC_INLINE unsigned jll_ssss(int difference)
{
    uint32_t size = (uint32_t)(difference < 0 ? -difference : difference);
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long top;
    return _BitScanReverse(&top, size) ? top + 1 : 0;
#else
    return size ? 32 - (unsigned)__builtin_clz(size) : 0;
#endif
}

/* Adds a row's categories to counts[0..JLL_CATEGORIES - 1]. It keeps two histograms, as equal categories often follow
 * each other, and an increment would wait for the one before. */
DC_INLINE void jll_count_body(const uint16_t *differences, ptrdiff_t count, uint64_t *counts)
{
    uint32_t even[JLL_CATEGORIES] = {0}, odd[JLL_CATEGORIES] = {0};
    ptrdiff_t k;
    int s;
    for (k = 0; k + 2 <= count; k += 2) {
        even[jll_ssss((int16_t)differences[k])]++;
        odd[jll_ssss((int16_t)differences[k + 1])]++;
    }
    if (k < count)
        even[jll_ssss((int16_t)differences[k])]++;
    for (s = 0; s < JLL_CATEGORIES; s++)
        counts[s] += (uint64_t)even[s] + odd[s];
}
DC_DISPATCH(jll_count, (const uint16_t *differences, ptrdiff_t count, uint64_t *counts), (differences, count, counts))

/* Writes the window's whole bytes; the store touches eight bytes. */
DC_INLINE uint8_t *jll_put(uint8_t *out, jll_tail *tail)
{
    uint64_t word = DC_BIG64(tail->window << (64 - tail->bits));
    memcpy(out, &word, 8);
    out += tail->bits >> 3;
    tail->bits &= 7;
    return out;
}

DC_INLINE void jll_take(jll_tail *tail, const jll_code *codes, uint16_t difference)
{
    int value = (int16_t)difference;
    const jll_code *code = &codes[jll_ssss(value)];
    uint32_t below = (uint32_t)(value + (value >> 15)); /* one less where negative (T.81 F.1.2.1.1) */
    tail->window = tail->window << code->bits | code->base | (below & code->mask);
    tail->bits += code->bits;
}

/* Writes a row's codes to *next, and moves *next behind them; it must have room for JLL_CODE_BYTES per difference and 8
 * bytes more. `twice`: no code with its difference is longer than JLL_TWICE_BITS. Zero bytes are stuffed later. */
DC_INLINE void jll_emit_body(const uint16_t *differences, ptrdiff_t count, const jll_code *codes, int twice,
                             jll_tail *state, uint8_t **next)
{
    jll_tail tail = *state;
    uint8_t *out = *next;
    ptrdiff_t k = 0;
    if (twice)
        for (; k + 2 <= count; k += 2) {
            jll_take(&tail, codes, differences[k]);
            jll_take(&tail, codes, differences[k + 1]);
            out = jll_put(out, &tail);
        }
    for (; k < count; k++) {
        jll_take(&tail, codes, differences[k]);
        out = jll_put(out, &tail);
    }
    *state = tail;
    *next = out;
}
DC_DISPATCH(jll_emit,
            (const uint16_t *differences, ptrdiff_t count, const jll_code *codes, int twice, jll_tail *state,
             uint8_t **next),
            (differences, count, codes, twice, state, next))

#endif
