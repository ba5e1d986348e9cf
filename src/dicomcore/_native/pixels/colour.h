/* Converts between YBR_FULL and RGB of 8 bits (PS3.3 C.7.6.3.1.2), and rounds as pydicom does: to floor(x + 1/2) of the
 * exact value, except for one tie (below), which pydicom's float arithmetic rounds down. */
#ifndef DICOMCORE_COLOUR_H
#define DICOMCORE_COLOUR_H

#include "pixels/planes.h"

DC_INLINE uint8_t dc_clip8(int32_t v) { return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v); }

/* Coefficients are scaled by 2^16 and 2^22; the odd offsets put every one of the 256 or 65536 chroma values on the
 * right side of its rounding step (a test checks all of them).
 *
 * The tie: at CB 78, CR 178 green is Y less exactly 18.5. pydicom multiplies in single precision with fused adds, and
 * there the product falls short of the tie while the sum stays under 2^5 or so: Y from 19 to 46. */
#define DC_RED_OF_CR 91881
#define DC_BLUE_OF_CB 116130
#define DC_GREEN_OF_CB 1443412
#define DC_GREEN_OF_CR 2995305
DC_STATIC_ASSERT((DC_GREEN_OF_CB + DC_GREEN_OF_CR) * 128 + 2097152 + 32 <= INT32_MAX);
DC_STATIC_ASSERT(DC_BLUE_OF_CB * 128 + 32768 + 32 <= INT32_MAX);

DC_INLINE void dc_ybr_pixel(int32_t y, int32_t b, int32_t r, uint8_t *rgb)
{
    int32_t green = y + ((-DC_GREEN_OF_CB * (b - 128) - DC_GREEN_OF_CR * (r - 128) + 2097152 + 32) >> 22);
    green -= b == 78 && r == 178 && y >= 19 && y <= 46;
    rgb[0] = dc_clip8(y + ((DC_RED_OF_CR * (r - 128) + 32768) >> 16));
    rgb[1] = dc_clip8(green);
    rgb[2] = dc_clip8(y + ((DC_BLUE_OF_CB * (b - 128) + 32768 + 32) >> 16));
}

static inline void dc_ybr_to_rgb_plain(const uint8_t *y, const uint8_t *b, const uint8_t *r, ptrdiff_t step,
                                       uint8_t *dst, ptrdiff_t pixels)
{
    ptrdiff_t i;
    for (i = 0; i < pixels; i++)
        dc_ybr_pixel(y[i * step], b[i * step], r[i * step], dst + 3 * i);
}

#if DC_ASKS
/* Converts 16 pixels in words of 16 bits, with 128 already subtracted from the chroma. The fractional parts of 1.402
 * and 1.772 fit one rounding multiply each (the tie at CB 3 needs its own step); green needs 30 bits, in two products
 * of 15. */
DC_TARGET_WIDE static inline void dc_ybr_words(__m256i y, __m256i b, __m256i r, __m256i *red, __m256i *green,
                                               __m256i *blue)
{
    const __m256i high = _mm256_set1_epi32((int)(((uint32_t)-23401 << 16) | (uint16_t)-11277));
    const __m256i low = _mm256_set1_epi32((5969 << 16) | 11212);
    const __m256i half = _mm256_set1_epi32(1 << 14);
    const __m256i pair0 = _mm256_unpacklo_epi16(b, r), pair1 = _mm256_unpackhi_epi16(b, r);
    __m256i low0 = _mm256_srai_epi32(_mm256_add_epi32(_mm256_madd_epi16(pair0, low), half), 15);
    __m256i low1 = _mm256_srai_epi32(_mm256_add_epi32(_mm256_madd_epi16(pair1, low), half), 15);
    __m256i sum0 = _mm256_add_epi32(_mm256_add_epi32(_mm256_madd_epi16(pair0, high), half), low0);
    __m256i sum1 = _mm256_add_epi32(_mm256_add_epi32(_mm256_madd_epi16(pair1, high), half), low1);
    __m256i rest = _mm256_sub_epi16(_mm256_mulhrs_epi16(b, _mm256_set1_epi16(-7471)),
                                    _mm256_cmpeq_epi16(b, _mm256_set1_epi16(-125)));
    *red = _mm256_add_epi16(_mm256_add_epi16(y, r), _mm256_mulhrs_epi16(r, _mm256_set1_epi16(13173)));
    *green = _mm256_add_epi16(y, _mm256_packs_epi32(_mm256_srai_epi32(sum0, 15), _mm256_srai_epi32(sum1, 15)));
    *blue = _mm256_add_epi16(_mm256_add_epi16(y, rest), _mm256_add_epi16(b, b));
}

DC_TARGET_WIDE static inline void dc_ybr_block(__m256i y, __m256i b, __m256i r, uint8_t *dst)
{
    const __m256i zero = _mm256_setzero_si256(), middle = _mm256_set1_epi16(128);
    __m256i red0, red1, green0, green1, blue0, blue1, green;
    __m256i tie =
        _mm256_and_si256(_mm256_cmpeq_epi8(b, _mm256_set1_epi8(78)), _mm256_cmpeq_epi8(r, _mm256_set1_epi8((char)178)));
    dc_ybr_words(_mm256_unpacklo_epi8(y, zero), _mm256_sub_epi16(_mm256_unpacklo_epi8(b, zero), middle),
                 _mm256_sub_epi16(_mm256_unpacklo_epi8(r, zero), middle), &red0, &green0, &blue0);
    dc_ybr_words(_mm256_unpackhi_epi8(y, zero), _mm256_sub_epi16(_mm256_unpackhi_epi8(b, zero), middle),
                 _mm256_sub_epi16(_mm256_unpackhi_epi8(r, zero), middle), &red1, &green1, &blue1);
    green = _mm256_packus_epi16(green0, green1);
    if (_mm256_movemask_epi8(tie)) {
        tie = _mm256_and_si256(tie, _mm256_cmpeq_epi8(_mm256_max_epu8(y, _mm256_set1_epi8(19)), y));
        tie = _mm256_and_si256(tie, _mm256_cmpeq_epi8(_mm256_min_epu8(y, _mm256_set1_epi8(46)), y));
        green = _mm256_add_epi8(green, tie);
    }
    dc_join3(dst, _mm256_packus_epi16(red0, red1), green, _mm256_packus_epi16(blue0, blue1));
}

DC_TARGET_WIDE static ptrdiff_t dc_ybr_to_rgb_wide(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels)
{
    ptrdiff_t i;
    for (i = 0; i + 32 <= pixels; i += 32) {
        __m256i y, b, r;
        dc_split3(src + 3 * i, &y, &b, &r);
        dc_ybr_block(y, b, r, dst + 3 * i);
    }
    return i;
}

DC_TARGET_WIDE static ptrdiff_t dc_ybr_planes_to_rgb_wide(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels)
{
    ptrdiff_t i;
    for (i = 0; i + 32 <= pixels; i += 32)
        dc_ybr_block(_mm256_loadu_si256((const __m256i *)(src + i)),
                     _mm256_loadu_si256((const __m256i *)(src + pixels + i)),
                     _mm256_loadu_si256((const __m256i *)(src + 2 * pixels + i)), dst + 3 * i);
    return i;
}
#endif

/* Converts samples by pixel; src and dst may be the same. */
static inline void dc_ybr_to_rgb(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels, int plain)
{
    ptrdiff_t done = 0;
#if DC_ASKS
    if (!plain && DC_HAS_WIDE())
        done = dc_ybr_to_rgb_wide(src, dst, pixels);
#endif
    (void)plain;
    src += 3 * done;
    dc_ybr_to_rgb_plain(src, src + 1, src + 2, 3, dst + 3 * done, pixels - done);
}

/* Converts three planes to samples by pixel; src and dst must not overlap. */
static inline void dc_ybr_planes_to_rgb(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels, int plain)
{
    ptrdiff_t done = 0;
#if DC_ASKS
    if (!plain && DC_HAS_WIDE())
        done = dc_ybr_planes_to_rgb_wide(src, dst, pixels);
#endif
    (void)plain;
    src += done;
    dc_ybr_to_rgb_plain(src, src + pixels, src + 2 * pixels, 1, dst + 3 * done, pixels - done);
}

/* a * x + c, rounded as by one fused single-precision operation: the product is exact in double, and so is the sum. */
DC_INLINE float dc_fused(float a, float x, float c) { return (float)((double)a * (double)x + (double)c); }

DC_INLINE void dc_rgb_to_ybr_body(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels)
{
    ptrdiff_t i;
    for (i = 0; i < pixels; i++) {
        const float r = src[3 * i], g = src[3 * i + 1], b = src[3 * i + 2];
        const float y = dc_fused(0.114f, b, dc_fused(0.587f, g, 0.299f * r));
        const float cb =
            dc_fused((float)(0.886 / 1.772), b, dc_fused((float)(-0.587 / 1.772), g, (float)(-0.299 / 1.772) * r));
        const float cr =
            dc_fused((float)(-0.114 / 1.402), b, dc_fused((float)(-0.587 / 1.402), g, (float)(0.701 / 1.402) * r));
        /* Every sum is positive here, so that truncation is the floor. */
        dst[3 * i] = dc_clip8((int32_t)(float)((double)y + 0.5));
        dst[3 * i + 1] = dc_clip8((int32_t)(float)((double)cb + 128.5));
        dst[3 * i + 2] = dc_clip8((int32_t)(float)((double)cr + 128.5));
    }
}
DC_DISPATCH(dc_rgb_to_ybr, (const uint8_t *src, uint8_t *dst, ptrdiff_t pixels), (src, dst, pixels))

/* Y1 Y2 CB CR to Y1 CB CR Y2 CB CR (PS3.3 C.7.6.3.1.2). */
DC_INLINE void dc_spread_422_body(const uint8_t *src, uint8_t *dst, ptrdiff_t pairs)
{
    ptrdiff_t i;
    for (i = 0; i < pairs; i++) {
        dst[6 * i] = src[4 * i];
        dst[6 * i + 1] = dst[6 * i + 4] = src[4 * i + 2];
        dst[6 * i + 2] = dst[6 * i + 5] = src[4 * i + 3];
        dst[6 * i + 3] = src[4 * i + 1];
    }
}
DC_DISPATCH(dc_spread_422, (const uint8_t *src, uint8_t *dst, ptrdiff_t pairs), (src, dst, pairs))

#endif
