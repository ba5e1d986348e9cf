/* The top-hat of one row: how far each pixel lies above all that stays when bright runs narrower than DC_REACH pixels
 * are cut down to their surroundings (an opening of the row). */
#ifndef DICOMCORE_TEXTLIKE_H
#define DICOMCORE_TEXTLIKE_H

#include "base/simd.h"

#define DC_REACH 11 /* pixels: runs of fewer are strokes */

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

/* Marks the pixels of a row that are at least `least` high. */
DC_INLINE void dc_mark_body(const uint8_t *hat, uint8_t *marks, ptrdiff_t n, int least)
{
    ptrdiff_t k;
    for (k = 0; k < n; k++)
        marks[k] = hat[k] >= least;
}

/* The means of 2 x 2 pixels: n of them, from 2 n pixels of two rows. */
DC_INLINE void dc_halve_body(const uint8_t *upper, const uint8_t *lower, uint8_t *dst, ptrdiff_t n)
{
    ptrdiff_t k;
    for (k = 0; k < n; k++)
        dst[k] = (uint8_t)((upper[2 * k] + upper[2 * k + 1] + lower[2 * k] + lower[2 * k + 1] + 2) >> 2);
}

DC_DISPATCH(dc_top_hat, (const uint8_t *row, uint8_t *hat, uint8_t *spare, ptrdiff_t n), (row, hat, spare, n))
DC_DISPATCH(dc_mark, (const uint8_t *hat, uint8_t *marks, ptrdiff_t n, int least), (hat, marks, n, least))
DC_DISPATCH(dc_halve, (const uint8_t *upper, const uint8_t *lower, uint8_t *dst, ptrdiff_t n), (upper, lower, dst, n))

#endif
