/* Prediction from the left with halving (T.81 H.1.2.1, selections 6 and 7) for several rows at once: with SSE2 or in
 * plain C. A sample depends on its left neighbour, but if each row is one sample behind the row above it, the samples
 * of a step don't depend on each other. */
#ifndef DICOMCORE_JPEGLL_SLANTED_H
#define DICOMCORE_JPEGLL_SLANTED_H

#include "base/simd.h"

enum { JLL_SLANT = 8 }; /* rows that are decoded together */

#if DC_SSE2
/* Turns eight vectors, one a row, into eight vectors, one a column, and back. */
DC_INLINE void jll_transpose(__m128i *v)
{
    __m128i a[8], b[8];
    int k;
    for (k = 0; k < 4; k++) {
        a[2 * k] = _mm_unpacklo_epi16(v[k], v[k + 4]);
        a[2 * k + 1] = _mm_unpackhi_epi16(v[k], v[k + 4]);
    }
    for (k = 0; k < 4; k++) {
        b[2 * k] = _mm_unpacklo_epi16(a[k], a[k + 4]);
        b[2 * k + 1] = _mm_unpackhi_epi16(a[k], a[k + 4]);
    }
    for (k = 0; k < 4; k++) {
        v[2 * k] = _mm_unpacklo_epi16(b[k], b[k + 4]);
        v[2 * k + 1] = _mm_unpackhi_epi16(b[k], b[k + 4]);
    }
}

/* The vector's lanes one lane further, behind `first`. */
DC_INLINE __m128i jll_push(__m128i lanes, uint16_t first)
{
    return _mm_insert_epi16(_mm_slli_si128(lanes, 2), first, 0);
}
#endif

/* Decodes columns first - j to stop - j of the rows j = 0, …, JLL_SLANT - 1, as long as eight steps fit; returns the
 * column reached. `differences` holds the rows' differences, `count` a row. The columns before must be decoded, and
 * `first` be at least JLL_SLANT. */
static inline ptrdiff_t jll_slanted(const uint16_t *differences, uint16_t *const *rows, const uint16_t *above,
                                    ptrdiff_t count, ptrdiff_t first, ptrdiff_t stop, int predictor)
{
    ptrdiff_t k = first;
    int j, s;
#if DC_SSE2
    /* The lanes are the rows' left neighbours; `up` their neighbours above. For (Ra + Rb) >> 1 all are complements, as
     * _mm_avg_epu16() rounds up: ~((~a + ~b + 1) >> 1) = (a + b) >> 1. */
    const __m128i ones = _mm_set1_epi16(-1), top = _mm_set1_epi16((short)0x8000);
    uint16_t lefts[JLL_SLANT], ups[JLL_SLANT];
    __m128i left, up, d[JLL_SLANT];
    for (j = 0; j < JLL_SLANT; j++) {
        lefts[j] = rows[j][k - j - 1];
        ups[j] = j ? rows[j - 1][k - j - 1] : above[k - 1]; /* above the left neighbour: Rc */
    }
    left = _mm_loadu_si128((const __m128i *)lefts);
    up = _mm_loadu_si128((const __m128i *)ups);
    if (predictor == 7)
        left = _mm_xor_si128(left, ones);
    for (; k + 8 <= stop; k += 8) {
        for (j = 0; j < JLL_SLANT; j++)
            d[j] = _mm_loadu_si128((const __m128i *)(differences + j * count + k - j));
        jll_transpose(d);
        if (predictor == 7)
            for (s = 0; s < 8; s++) {
                up = jll_push(left, (uint16_t)~above[k + s]);
                left = _mm_sub_epi16(_mm_avg_epu16(left, up), d[s]);
                d[s] = _mm_xor_si128(left, ones);
            }
        else /* Rb + ((Ra - Rc) >> 1), where (a - c) >> 1 = ((a + ~c + 1) >> 1) + 0x8000 modulo 65536 */
            for (s = 0; s < 8; s++) {
                __m128i half = _mm_avg_epu16(left, _mm_xor_si128(up, ones));
                up = jll_push(left, above[k + s]);
                left = _mm_add_epi16(_mm_add_epi16(_mm_add_epi16(d[s], top), half), up);
                d[s] = left;
            }
        jll_transpose(d);
        for (j = 0; j < JLL_SLANT; j++)
            _mm_storeu_si128((__m128i *)(rows[j] + k - j), d[j]);
    }
#else
    for (; k < stop; k++)
        for (j = 0; j < JLL_SLANT; j++) {
            const uint16_t *over = (j ? rows[j - 1] : above) + k - j;
            uint16_t *row = rows[j] + k - j, d = differences[j * count + k - j];
            if (predictor == 7)
                row[0] = (uint16_t)(d + (((uint32_t)row[-1] + over[0]) >> 1));
            else
                row[0] = (uint16_t)(d + over[0] + (((int32_t)row[-1] - over[-1]) >> 1));
        }
    (void)s;
#endif
    return k;
}

#endif
