/* Copies and fills in steps of 16 bytes, and the joining of byte planes: what SIMD does for RLE.
 * Each has a plain-C form; both give the same bytes. */
#ifndef DICOMCORE_RUNS16_H
#define DICOMCORE_RUNS16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define RUNS16_SSE2 1
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
static inline int runs16_lowest(unsigned mask)
{
    unsigned long place;
    _BitScanForward(&place, mask);
    return (int)place;
}
#else
static inline int runs16_lowest(unsigned mask) { return __builtin_ctz(mask); }
#endif

/* Sixteen bytes from src, or src[0] sixteen times: without a branch, as data makes the choice at random. */
static inline void runs16_emit(uint8_t *dst, const uint8_t *src, int repeat)
{
#ifdef RUNS16_SSE2
    __m128i literal = _mm_loadu_si128((const __m128i *)src);
    __m128i fill = _mm_set1_epi8((char)src[0]);
    __m128i choice = _mm_set1_epi32(-repeat);
    _mm_storeu_si128((__m128i *)dst, _mm_or_si128(_mm_and_si128(choice, fill), _mm_andnot_si128(choice, literal)));
#else
    if (repeat)
        memset(dst, src[0], 16);
    else
        memcpy(dst, src, 16);
#endif
}

static inline void runs16_copy(uint8_t *dst, const uint8_t *src) { memcpy(dst, src, 16); }

static inline void runs16_fill(uint8_t *dst, uint8_t value) { memset(dst, value, 16); }

/* dst[2k], dst[2k + 1] = low[k], high[k] */
static inline void runs16_join2(uint8_t *dst, const uint8_t *low, const uint8_t *high, ptrdiff_t count)
{
    ptrdiff_t k = 0;
#ifdef RUNS16_SSE2
    for (; k + 16 <= count; k += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(low + k));
        __m128i b = _mm_loadu_si128((const __m128i *)(high + k));
        _mm_storeu_si128((__m128i *)(dst + 2 * k), _mm_unpacklo_epi8(a, b));
        _mm_storeu_si128((__m128i *)(dst + 2 * k + 16), _mm_unpackhi_epi8(a, b));
    }
#endif
    for (; k < count; k++) {
        dst[2 * k] = low[k];
        dst[2 * k + 1] = high[k];
    }
}

/* dst[k] = src[k * stride] */
static inline void runs16_pick(uint8_t *dst, const uint8_t *src, ptrdiff_t stride, ptrdiff_t count)
{
    ptrdiff_t k = 0;
    if (stride == 1) {
        memcpy(dst, src, (size_t)count);
        return;
    }
#ifdef RUNS16_SSE2
    if (stride == 2) {
        const __m128i low = _mm_set1_epi16(0xFF);
        for (; k + 17 <= count; k += 16) { /* one less than fits: src may start at an odd byte */
            __m128i a = _mm_loadu_si128((const __m128i *)(src + 2 * k));
            __m128i b = _mm_loadu_si128((const __m128i *)(src + 2 * k + 16));
            _mm_storeu_si128((__m128i *)(dst + k), _mm_packus_epi16(_mm_and_si128(a, low), _mm_and_si128(b, low)));
        }
    }
#endif
    for (; k < count; k++)
        dst[k] = src[k * stride];
}

/* How often src[0] stands at the start of src, `most` at most. Reads 16 bytes past `most`. */
static inline ptrdiff_t runs16_run(const uint8_t *src, ptrdiff_t most)
{
#ifdef RUNS16_SSE2
    const __m128i first = _mm_set1_epi8((char)src[0]);
    ptrdiff_t k;
    if (src[1] != src[0])
        return 1;
    for (k = 0; k < most; k += 16) {
        unsigned same = (unsigned)_mm_movemask_epi8(
            _mm_cmpeq_epi8(first, _mm_loadu_si128((const __m128i *)(src + k))));
        if (same != 0xFFFF) {
            k += runs16_lowest(same ^ 0xFFFF);
            break;
        }
    }
    return k < most ? k : most;
#else
    ptrdiff_t k = 1;
    while (k < most && src[k] == src[0])
        k++;
    return k;
#endif
}

/* Bytes before the first three equal ones, `most` at most and 1 at least. Reads 32 bytes past `most`. */
static inline ptrdiff_t runs16_literal(const uint8_t *src, ptrdiff_t most)
{
    ptrdiff_t k = 1;
#ifdef RUNS16_SSE2
    for (; k < most; k += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(src + k));
        __m128i b = _mm_loadu_si128((const __m128i *)(src + k + 1));
        __m128i c = _mm_loadu_si128((const __m128i *)(src + k + 2));
        unsigned same = (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, b), _mm_cmpeq_epi8(b, c)));
        if (same) {
            k += runs16_lowest(same);
            break;
        }
    }
    return k < most ? k : most;
#else
    while (k < most && !(src[k] == src[k + 1] && src[k] == src[k + 2]))
        k++;
    return k;
#endif
}

#endif
