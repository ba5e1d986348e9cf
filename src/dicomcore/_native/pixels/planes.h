/* Converts between samples by plane and samples by pixel (Planar Configuration 1 and 0, PS3.3 C.7.6.3.1.3). */
#ifndef DICOMCORE_PLANES_H
#define DICOMCORE_PLANES_H

#include "base/simd.h"

#if DC_ASKS
/* Three bytes per pixel, 16 pixels per 128-bit lane: byte k of the lane's chunk c belongs to sample (c + k) mod 3. So
 * two blends gather each sample, and one shuffle puts it in order; joining reverses these steps. */
#define DC_EVERY3(a, b, c) \
    _mm256_setr_epi8(a, b, c, a, b, c, a, b, c, a, b, c, a, b, c, a, a, b, c, a, b, c, a, b, c, a, b, c, a, b, c, a)
#define DC_BOTH(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) \
    _mm256_setr_epi8(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)

DC_TARGET_WIDE static inline __m256i dc_load_lanes(const uint8_t *p)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p)),
                                   _mm_loadu_si128((const __m128i *)(p + 48)), 1);
}

DC_TARGET_WIDE static inline void dc_store_lanes(uint8_t *p, __m256i v)
{
    _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i *)(p + 48), _mm256_extracti128_si256(v, 1));
}

/* Splits the 96 bytes at src into 32 bytes of each sample. */
DC_TARGET_WIDE static inline void dc_split3(const uint8_t *src, __m256i *a, __m256i *b, __m256i *c)
{
    const __m256i second = DC_EVERY3(0, -1, 0), third = DC_EVERY3(0, 0, -1);
    const __m256i p0 = dc_load_lanes(src), p1 = dc_load_lanes(src + 16), p2 = dc_load_lanes(src + 32);
    __m256i x = _mm256_blendv_epi8(_mm256_blendv_epi8(p0, p2, second), p1, third);
    __m256i y = _mm256_blendv_epi8(_mm256_blendv_epi8(p1, p0, second), p2, third);
    __m256i z = _mm256_blendv_epi8(_mm256_blendv_epi8(p2, p1, second), p0, third);
    *a = _mm256_shuffle_epi8(x, DC_BOTH(0, 3, 6, 9, 12, 15, 2, 5, 8, 11, 14, 1, 4, 7, 10, 13));
    *b = _mm256_shuffle_epi8(y, DC_BOTH(1, 4, 7, 10, 13, 0, 3, 6, 9, 12, 15, 2, 5, 8, 11, 14));
    *c = _mm256_shuffle_epi8(z, DC_BOTH(2, 5, 8, 11, 14, 1, 4, 7, 10, 13, 0, 3, 6, 9, 12, 15));
}

DC_TARGET_WIDE static inline void dc_join3(uint8_t *dst, __m256i a, __m256i b, __m256i c)
{
    const __m256i second = DC_EVERY3(0, -1, 0), third = DC_EVERY3(0, 0, -1);
    const __m256i x = _mm256_shuffle_epi8(a, DC_BOTH(0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10, 5));
    const __m256i y = _mm256_shuffle_epi8(b, DC_BOTH(5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10));
    const __m256i z = _mm256_shuffle_epi8(c, DC_BOTH(10, 5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15));
    dc_store_lanes(dst, _mm256_blendv_epi8(_mm256_blendv_epi8(x, y, second), z, third));
    dc_store_lanes(dst + 16, _mm256_blendv_epi8(_mm256_blendv_epi8(y, z, second), x, third));
    dc_store_lanes(dst + 32, _mm256_blendv_epi8(_mm256_blendv_epi8(z, x, second), y, third));
}

DC_TARGET_WIDE static ptrdiff_t dc_join3_wide(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels)
{
    ptrdiff_t i;
    for (i = 0; i + 32 <= pixels; i += 32)
        dc_join3(dst + 3 * i, _mm256_loadu_si256((const __m256i *)(src + i)),
                 _mm256_loadu_si256((const __m256i *)(src + pixels + i)),
                 _mm256_loadu_si256((const __m256i *)(src + 2 * pixels + i)));
    return i;
}

DC_TARGET_WIDE static ptrdiff_t dc_split3_wide(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels)
{
    ptrdiff_t i;
    for (i = 0; i + 32 <= pixels; i += 32) {
        __m256i a, b, c;
        dc_split3(src + 3 * i, &a, &b, &c);
        _mm256_storeu_si256((__m256i *)(dst + i), a);
        _mm256_storeu_si256((__m256i *)(dst + pixels + i), b);
        _mm256_storeu_si256((__m256i *)(dst + 2 * pixels + i), c);
    }
    return i;
}
#endif

/* Converts plane by plane, in blocks that stay in the CPU cache; the first `from` pixels are done already. */
#define DC_BLOCK 2048
#define DC_PLANES(name, bits, here, there)                                                                           \
    DC_INLINE void name##bits##_body(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels, ptrdiff_t samples,          \
                                     ptrdiff_t from)                                                                 \
    {                                                                                                                \
        ptrdiff_t block, stop, s, i;                                                                                 \
        for (block = from; block < pixels; block = stop) {                                                           \
            stop = pixels - block > DC_BLOCK ? block + DC_BLOCK : pixels;                                            \
            for (s = 0; s < samples; s++) {                                                                          \
                DC_IVDEP                                                                                             \
                for (i = block; i < stop; i++)                                                                       \
                    memcpy(dst + (there) * (bits / 8), src + (here) * (bits / 8), bits / 8);                         \
            }                                                                                                        \
        }                                                                                                            \
    }                                                                                                                \
    DC_DISPATCH(name##bits, (const uint8_t *src, uint8_t *dst, ptrdiff_t pixels, ptrdiff_t samples, ptrdiff_t from), \
                (src, dst, pixels, samples, from))

DC_PLANES(dc_interleave_loop, 8, i + s * pixels, s + i * samples)
DC_PLANES(dc_interleave_loop, 16, i + s * pixels, s + i * samples)
DC_PLANES(dc_interleave_loop, 32, i + s * pixels, s + i * samples)
DC_PLANES(dc_interleave_loop, 64, i + s * pixels, s + i * samples)
DC_PLANES(dc_separate_loop, 8, s + i * samples, i + s * pixels)
DC_PLANES(dc_separate_loop, 16, s + i * samples, i + s * pixels)
DC_PLANES(dc_separate_loop, 32, s + i * samples, i + s * pixels)
DC_PLANES(dc_separate_loop, 64, s + i * samples, i + s * pixels)

/* Converts the first pixels of three bytes with the vector unit; returns their number. */
static inline ptrdiff_t dc_interleave_start(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels, ptrdiff_t samples,
                                            int width)
{
#if DC_ASKS
    if (width == 1 && samples == 3 && DC_HAS_WIDE())
        return dc_join3_wide(src, dst, pixels);
#endif
    (void)src, (void)dst, (void)pixels, (void)samples, (void)width;
    return 0;
}

static inline ptrdiff_t dc_separate_start(const uint8_t *src, uint8_t *dst, ptrdiff_t pixels, ptrdiff_t samples,
                                          int width)
{
#if DC_ASKS
    if (width == 1 && samples == 3 && DC_HAS_WIDE())
        return dc_split3_wide(src, dst, pixels);
#endif
    (void)src, (void)dst, (void)pixels, (void)samples, (void)width;
    return 0;
}

#endif
