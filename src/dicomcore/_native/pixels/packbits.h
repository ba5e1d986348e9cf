/* The inner loops of RLE (PS3.5 Annex G): they expand runs, find runs, and join byte planes. They are in C for SIMD,
 * each with a plain form that gives the same bytes, and because some are compiled once more for wider vector units. */
#ifndef DICOMCORE_PACKBITS_H
#define DICOMCORE_PACKBITS_H

#include "base/simd.h"

#if defined(_MSC_VER) && !defined(__clang__)
static inline int packbits_lowest(unsigned mask)
{
    unsigned long place;
    _BitScanForward(&place, mask);
    return (int)place;
}
#else
static inline int packbits_lowest(unsigned mask) { return __builtin_ctz(mask); }
#endif

/* The progress of expanding a segment. */
typedef struct {
    const uint8_t *src; /* the segment's first byte */
    ptrdiff_t at;       /* the next control byte */
    ptrdiff_t safe;     /* offset in src where the loops stop: the caller checks every bound behind it */
    uint8_t *dst;
    ptrdiff_t done; /* bytes written to dst */
    ptrdiff_t stop; /* bytes after which the loops stop */
} packbits_place;

enum { PACKBITS_LONGEST = 128 }; /* most bytes of a run or literal (PS3.5 G.3.1) */

/* Writes one run or literal. Each control byte is found through the one before it, so that this chain sets the pace,
 * and mispredicted branches would stall it. So the code always reads and writes 32 or PACKBITS_LONGEST bytes, and a
 * mask selects copying or filling. `control` is signed; the caller handles -128, which stands for no bytes. */
DC_INLINE void packbits_emit(uint8_t *DC_RESTRICT dst, const uint8_t *DC_RESTRICT src, int control)
{
    const uint8_t repeat = (uint8_t)(control >> 31), fill = src[0] & repeat, keep = (uint8_t)~repeat;
    int k;
    for (k = 0; k < 32; k++)
        dst[k] = (uint8_t)((src[k] & keep) | fill);
    if (control >= 32 || control <= -32)
        for (k = 32; k < PACKBITS_LONGEST; k++)
            dst[k] = (uint8_t)((src[k] & keep) | fill);
}

#define PACKBITS_GOES(p) (at##p < safe##p && done##p < stop##p)
#define PACKBITS_TAKE(p, place)                                       \
    const uint8_t *const src##p = (place)->src;                       \
    uint8_t *const dst##p = (place)->dst;                             \
    const ptrdiff_t safe##p = (place)->safe, stop##p = (place)->stop; \
    ptrdiff_t at##p = (place)->at, done##p = (place)->done
#define PACKBITS_GIVE(p, place) ((place)->at = at##p, (place)->done = done##p)
#define PACKBITS_STEP(p)                                              \
    do {                                                              \
        int control = (int8_t)src##p[at##p];                          \
        if (control == -128) {                                        \
            at##p++;                                                  \
            break;                                                    \
        }                                                             \
        packbits_emit(dst##p + done##p, src##p + at##p + 1, control); \
        at##p += (control & ~(control >> 31)) + 2;                    \
        done##p += (control < 0 ? -control : control) + 1;            \
    } while (0)

/* Expand one segment, or two or three in turn, as they don't depend on each other; until one of them is at its end. */
DC_INLINE void packbits_expand1_body(packbits_place *a)
{
    PACKBITS_TAKE(0, a);
    while (PACKBITS_GOES(0))
        PACKBITS_STEP(0);
    PACKBITS_GIVE(0, a);
}
DC_DISPATCH(packbits_expand1, (packbits_place *a), (a))

DC_INLINE void packbits_expand2_body(packbits_place *a, packbits_place *b)
{
    PACKBITS_TAKE(0, a);
    PACKBITS_TAKE(1, b);
    while (PACKBITS_GOES(0) && PACKBITS_GOES(1)) {
        PACKBITS_STEP(0);
        PACKBITS_STEP(1);
    }
    PACKBITS_GIVE(0, a);
    PACKBITS_GIVE(1, b);
}
DC_DISPATCH(packbits_expand2, (packbits_place *a, packbits_place *b), (a, b))

DC_INLINE void packbits_expand3_body(packbits_place *a, packbits_place *b, packbits_place *c)
{
    PACKBITS_TAKE(0, a);
    PACKBITS_TAKE(1, b);
    PACKBITS_TAKE(2, c);
    while (PACKBITS_GOES(0) && PACKBITS_GOES(1) && PACKBITS_GOES(2)) {
        PACKBITS_STEP(0);
        PACKBITS_STEP(1);
        PACKBITS_STEP(2);
    }
    PACKBITS_GIVE(0, a);
    PACKBITS_GIVE(1, b);
    PACKBITS_GIVE(2, c);
}
DC_DISPATCH(packbits_expand3, (packbits_place *a, packbits_place *b, packbits_place *c), (a, b, c))

/* dst[2k], dst[2k + 1] = low[k], high[k] */
static inline void packbits_join2(uint8_t *dst, const uint8_t *low, const uint8_t *high, ptrdiff_t count)
{
    ptrdiff_t k = 0;
#if DC_SSE2
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

/* Interleaves words of `width` bytes from three planes, from word k on. */
DC_INLINE void packbits_join3_rest(uint8_t *dst, const uint8_t *a, const uint8_t *b, const uint8_t *c, ptrdiff_t k,
                                   ptrdiff_t count, int width)
{
    for (; k < count; k++) {
        memcpy(dst + (3 * k) * width, a + k * width, width);
        memcpy(dst + (3 * k + 1) * width, b + k * width, width);
        memcpy(dst + (3 * k + 2) * width, c + k * width, width);
    }
}

#if DC_ASKS
/* Each sixteen bytes of dst combine one shuffle per plane, which sets the other planes' bytes to zero. `width` is 1, 2
 * or 4; `size` and the result count bytes, not words. */
DC_TARGET_SSSE3 static ptrdiff_t packbits_join3_ssse3(uint8_t *dst, const uint8_t *a, const uint8_t *b,
                                                      const uint8_t *c, ptrdiff_t size, int width)
{
    __m128i shuffle[3][3];
    ptrdiff_t k;
    int part, plane, j;
    for (part = 0; part < 3; part++)
        for (plane = 0; plane < 3; plane++) {
            int8_t from[16];
            for (j = 0; j < 16; j++) {
                int word = (16 * part + j) / width;
                from[j] = word % 3 == plane ? (int8_t)(word / 3 * width + j % width) : -1;
            }
            shuffle[part][plane] = _mm_loadu_si128((const __m128i *)from);
        }
    for (k = 0; k + 16 <= size; k += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(a + k));
        __m128i y = _mm_loadu_si128((const __m128i *)(b + k));
        __m128i z = _mm_loadu_si128((const __m128i *)(c + k));
        for (part = 0; part < 3; part++)
            _mm_storeu_si128(
                (__m128i *)(dst + 3 * k + 16 * part),
                _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(x, shuffle[part][0]), _mm_shuffle_epi8(y, shuffle[part][1])),
                             _mm_shuffle_epi8(z, shuffle[part][2])));
    }
    return k;
}
#endif

/* dst[3k], dst[3k + 1], dst[3k + 2] = a[k], b[k], c[k], words of 1, 2 or 4 bytes */
static inline void packbits_join3(uint8_t *dst, const uint8_t *a, const uint8_t *b, const uint8_t *c, ptrdiff_t count,
                                  int width)
{
    ptrdiff_t k = 0;
#if DC_ASKS
    if (DC_HAS("ssse3"))
        k = packbits_join3_ssse3(dst, a, b, c, count * width, width) / width;
#endif
    if (width == 1)
        packbits_join3_rest(dst, a, b, c, k, count, 1);
    else if (width == 2)
        packbits_join3_rest(dst, a, b, c, k, count, 2);
    else
        packbits_join3_rest(dst, a, b, c, k, count, 4);
}

/* The same for four planes of bytes. */
static inline void packbits_join4(uint8_t *dst, const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d,
                                  ptrdiff_t count)
{
    ptrdiff_t k = 0;
#if DC_SSE2
    for (; k + 16 <= count; k += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(a + k)), y = _mm_loadu_si128((const __m128i *)(b + k));
        __m128i z = _mm_loadu_si128((const __m128i *)(c + k)), w = _mm_loadu_si128((const __m128i *)(d + k));
        __m128i low = _mm_unpacklo_epi8(x, y), high = _mm_unpackhi_epi8(x, y);
        __m128i low2 = _mm_unpacklo_epi8(z, w), high2 = _mm_unpackhi_epi8(z, w);
        _mm_storeu_si128((__m128i *)(dst + 4 * k), _mm_unpacklo_epi16(low, low2));
        _mm_storeu_si128((__m128i *)(dst + 4 * k + 16), _mm_unpackhi_epi16(low, low2));
        _mm_storeu_si128((__m128i *)(dst + 4 * k + 32), _mm_unpacklo_epi16(high, high2));
        _mm_storeu_si128((__m128i *)(dst + 4 * k + 48), _mm_unpackhi_epi16(high, high2));
    }
#endif
    for (; k < count; k++) {
        dst[4 * k] = a[k];
        dst[4 * k + 1] = b[k];
        dst[4 * k + 2] = c[k];
        dst[4 * k + 3] = d[k];
    }
}

/* dst[k] = src[k * stride] */
static inline void packbits_pick(uint8_t *dst, const uint8_t *src, ptrdiff_t stride, ptrdiff_t count)
{
    ptrdiff_t k = 0;
    if (stride == 1) {
        memcpy(dst, src, (size_t)count);
        return;
    }
#if DC_SSE2
    if (stride == 2) {
        const __m128i low = _mm_set1_epi16(0xFF);
        for (; k + 17 <= count; k += 16) { /* not k + 16: src may start at an odd byte */
            __m128i a = _mm_loadu_si128((const __m128i *)(src + 2 * k));
            __m128i b = _mm_loadu_si128((const __m128i *)(src + 2 * k + 16));
            _mm_storeu_si128((__m128i *)(dst + k), _mm_packus_epi16(_mm_and_si128(a, low), _mm_and_si128(b, low)));
        }
    }
#endif
    for (; k + 4 <= count; k += 4) {
        const uint8_t *from = src + k * stride;
        uint8_t a = from[0], b = from[stride], c = from[2 * stride], d = from[3 * stride];
        dst[k] = a;
        dst[k + 1] = b;
        dst[k + 2] = c;
        dst[k + 3] = d;
    }
    for (; k < count; k++)
        dst[k] = src[k * stride];
}

/* The length of the run of equal bytes at the start of src, at most `most`. Reads up to 16 bytes past `most`. */
static inline ptrdiff_t packbits_run(const uint8_t *src, ptrdiff_t most)
{
#if DC_SSE2
    const __m128i first = _mm_set1_epi8((char)src[0]);
    ptrdiff_t k;
    if (src[1] != src[0])
        return 1;
    for (k = 0; k < most; k += 16) {
        unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(first, _mm_loadu_si128((const __m128i *)(src + k))));
        if (same != 0xFFFF) {
            k += packbits_lowest(same ^ 0xFFFF);
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

/* The number of bytes before the first three equal ones, from 1 to `most`. Reads up to 32 bytes past `most`. */
static inline ptrdiff_t packbits_literal(const uint8_t *src, ptrdiff_t most)
{
    ptrdiff_t k = 1;
#if DC_SSE2
    for (; k < most; k += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(src + k));
        __m128i b = _mm_loadu_si128((const __m128i *)(src + k + 1));
        __m128i c = _mm_loadu_si128((const __m128i *)(src + k + 2));
        unsigned same = (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, b), _mm_cmpeq_epi8(b, c)));
        if (same) {
            k += packbits_lowest(same);
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
