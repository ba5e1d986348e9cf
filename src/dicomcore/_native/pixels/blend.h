/* Blends pixels of red, green, blue and opacity, of 8 bits each, in one word (PS3.4 N.2.4.3, N.2.6). */
#ifndef DICOMCORE_BLEND_H
#define DICOMCORE_BLEND_H

#include "base/simd.h"

/* The opacity is 255, or 0 for padding: its highest bit tells. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define DC_OPAQUE(pixel) ((pixel) >> 7 & 1u)
#else
#define DC_OPAQUE(pixel) ((pixel) >> 31)
#endif

/* `share` of 65536 is the first picture's, the rest the second's; where one has padding, the other has all. Opacity
 * goes the way of the colours: the weights of what is no padding make 65536. */
DC_INLINE void dc_weigh_body(const uint8_t *first, const uint8_t *second, uint8_t *dst, ptrdiff_t pixels,
                             uint32_t share)
{
    ptrdiff_t i;
    for (i = 0; i < pixels; i++) {
        uint32_t a, b, of_a, of_b, result = 0;
        int shift;
        memcpy(&a, first + 4 * i, 4);
        memcpy(&b, second + 4 * i, 4);
        of_a = DC_OPAQUE(a) * (DC_OPAQUE(b) ? share : 65536u);
        of_b = DC_OPAQUE(b) * (DC_OPAQUE(a) ? 65536u - share : 65536u);
        for (shift = 0; shift < 32; shift += 8)
            result |= (((a >> shift & 255) * of_a + (b >> shift & 255) * of_b + 32768u) >> 16) << shift;
        memcpy(dst + 4 * i, &result, 4);
    }
}
DC_DISPATCH(dc_weigh, (const uint8_t *first, const uint8_t *second, uint8_t *dst, ptrdiff_t pixels, uint32_t share),
            (first, second, dst, pixels, share))

/* Leaves the opacity out. Each store but the last runs into the next pixel, which overwrites it. */
static inline void dc_drop_opacity(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels)
{
    ptrdiff_t i;
    for (i = 0; i + 1 < pixels; i++)
        memcpy(dst + 3 * i, src + 4 * i, 4);
    if (pixels > 0)
        memcpy(dst + 3 * i, src + 4 * i, 3);
}

#endif
