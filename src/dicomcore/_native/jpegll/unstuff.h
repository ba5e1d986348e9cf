/* Copies entropy-coded data without the zero that is stuffed after each byte of 0xFF (T.81 B.1.1.5). */
#ifndef DICOMCORE_JPEGLL_UNSTUFF_H
#define DICOMCORE_JPEGLL_UNSTUFF_H

#include "base/simd.h"

enum { JLL_BLOCK = 64 }; /* bytes that are searched for 0xFF together */

#if DC_SSE2
DC_INLINE int jll_lowest(uint64_t mask)
{
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long place;
    _BitScanForward64(&place, mask);
    return (int)place;
#else
    return __builtin_ctzll(mask);
#endif
}

/* The bytes of a block that are 0xFF, as bits. */
DC_INLINE uint64_t jll_marks(const uint8_t *src)
{
    const __m128i ones = _mm_set1_epi8(-1);
    uint64_t mask = 0;
    int k;
    for (k = 0; k < JLL_BLOCK; k += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(src + k));
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, ones)) << k;
    }
    return mask;
}
#endif

/* Copies from the `count` bytes at src to the `room` bytes at dst, as long as whole blocks fit both, and stops at 0xFF
 * without a zero. took[0] is the number of bytes read; returns the number of bytes written. What follows a stuffed zero
 * is copied as a whole block to its new place, over what the copy before it left there. */
static inline ptrdiff_t jll_unstuff(const uint8_t *src, ptrdiff_t count, uint8_t *dst, ptrdiff_t room, ptrdiff_t *took)
{
    ptrdiff_t at = 0, done = 0;
#if DC_SSE2
    /* The last copy of a block begins at most JLL_BLOCK + 1 bytes behind its start. */
    while (count - at >= 2 * JLL_BLOCK + 1 && room - done >= 2 * JLL_BLOCK) {
        uint64_t marks = jll_marks(src + at);
        ptrdiff_t from = 0;
        memcpy(dst + done, src + at, JLL_BLOCK);
        while (marks) {
            int place = jll_lowest(marks);
            if (src[at + place + 1] != 0) {
                *took = at + place;
                return done + place - from;
            }
            done += place + 1 - from;
            from = place + 2;
            memcpy(dst + done, src + at + from, JLL_BLOCK);
            marks &= marks - 1;
        }
        if (from < JLL_BLOCK) {
            done += JLL_BLOCK - from;
            from = JLL_BLOCK;
        }
        at += from;
    }
#endif
    *took = at;
    return done;
}

#endif
