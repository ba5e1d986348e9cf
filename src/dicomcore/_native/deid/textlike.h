/* The top-hat of one row: how far each pixel lies above all that stays when bright runs narrower than DC_REACH pixels
 * are cut down to their surroundings (an opening of the row). */
#ifndef DICOMCORE_TEXTLIKE_H
#define DICOMCORE_TEXTLIKE_H

#include "base/simd.h"

#define DC_REACH 11 /* pixels: runs of fewer are strokes */

/* The number of the lowest bit that is set, of which there is one. */
DC_INLINE int dc_lowest_bit(uint64_t bits)
{
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_ctzll(bits);
#else
    int at = 0;
    while (!(bits >> at & 1))
        at++;
    return at;
#endif
}

/* In place, each of a[0 .. n) becomes the least (the greatest) of itself and the DC_REACH - 1 values behind it, all of
 * which are there: each step reads ahead of what it writes. */
DC_INLINE void dc_least_ahead(uint8_t *a, ptrdiff_t n)
{
    static const int steps[4] = {1, 2, 4, 3}; /* windows of 2, 4, 8, 11 */
    int i;
    ptrdiff_t k;
    ptrdiff_t valid = n + DC_REACH - 1;
    for (i = 0; i < 4; i++) {
        int step = steps[i];
        valid -= step;
        DC_IVDEP
        for (k = 0; k < valid; k++)
            a[k] = a[k + step] < a[k] ? a[k + step] : a[k];
    }
}

DC_INLINE void dc_greatest_ahead(uint8_t *a, ptrdiff_t n)
{
    static const int steps[4] = {1, 2, 4, 3};
    int i;
    ptrdiff_t k;
    ptrdiff_t valid = n + DC_REACH - 1;
    for (i = 0; i < 4; i++) {
        int step = steps[i];
        valid -= step;
        DC_IVDEP
        for (k = 0; k < valid; k++)
            a[k] = a[k + step] > a[k] ? a[k + step] : a[k];
    }
}

/* `spare` has room for n + 2 * (DC_REACH - 1) bytes. Pixels outside of the row count as 0, so that strokes at its ends
 * are strokes. */
DC_INLINE void dc_top_hat_body(const uint8_t *row, uint8_t *hat, uint8_t *spare, ptrdiff_t n)
{
    ptrdiff_t k;
    memset(spare, 0, DC_REACH - 1);
    memcpy(spare + DC_REACH - 1, row, (size_t)n);
    memset(spare + DC_REACH - 1 + n, 0, DC_REACH - 1);
    dc_least_ahead(spare, n + DC_REACH - 1);
    dc_greatest_ahead(spare, n);
    for (k = 0; k < n; k++)
        hat[k] = (uint8_t)(row[k] - spare[k]);
}

/* Bits of 64 pixels, the first in the lowest: 1 for those that are at least `least` high. */
DC_INLINE uint64_t dc_marked(const uint8_t *hat, int least)
{
    uint64_t bits = 0;
    int k;
#if DC_SSE2
    __m128i limit = _mm_set1_epi8((char)least);
    for (k = 0; k < 4; k++) {
        __m128i high = _mm_loadu_si128((const __m128i *)(hat + 16 * k));
        __m128i kept = _mm_cmpeq_epi8(_mm_max_epu8(high, limit), high);
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(kept) << (16 * k);
    }
#else
    for (k = 0; k < 64; k++)
        bits |= (uint64_t)(hat[k] >= least) << k;
#endif
    return bits;
}

/* Where runs of pixels that are at least `least` high begin and where they end, in turns; returns the number of both.
 * `edges` has room for n + 2 of them. */
DC_INLINE ptrdiff_t dc_edges(const uint8_t *hat, ptrdiff_t n, int least, int *edges)
{
    ptrdiff_t at, count = 0;
    uint64_t before = 0;
    for (at = 0; at < n; at += 64) {
        uint64_t bits, turns;
        if (n - at >= 64) {
            bits = dc_marked(hat + at, least);
        } else {
            ptrdiff_t k;
            for (bits = 0, k = 0; k < n - at; k++)
                bits |= (uint64_t)(hat[at + k] >= least) << k;
        }
        turns = bits ^ (bits << 1 | before);
        before = bits >> 63;
        while (turns) {
            edges[count++] = (int)at + dc_lowest_bit(turns);
            turns &= turns - 1;
        }
    }
    if (count & 1)
        edges[count++] = (int)n;
    return count;
}

/* The means of 2 x 2 pixels: n of them, from 2 n pixels of two rows. */
DC_INLINE void dc_halve_body(const uint8_t *upper, const uint8_t *lower, uint8_t *dst, ptrdiff_t n)
{
    ptrdiff_t k;
    for (k = 0; k < n; k++)
        dst[k] = (uint8_t)((upper[2 * k] + upper[2 * k + 1] + lower[2 * k] + lower[2 * k + 1] + 2) >> 2);
}

DC_DISPATCH(dc_top_hat, (const uint8_t *row, uint8_t *hat, uint8_t *spare, ptrdiff_t n), (row, hat, spare, n))
DC_DISPATCH(dc_halve, (const uint8_t *upper, const uint8_t *lower, uint8_t *dst, ptrdiff_t n), (upper, lower, dst, n))

#endif
