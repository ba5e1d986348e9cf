/* Running sums of 16-bit words modulo 65536, with SSE2 or in plain C. */
#ifndef DICOMCORE_RUNNING_SUM_H
#define DICOMCORE_RUNNING_SUM_H

#include "base/simd.h"

/* dst[k] = start + src[0] + … + src[k]; dst may be src. */
static inline void running_sum(uint16_t *dst, const uint16_t *src, ptrdiff_t count, uint16_t start)
{
    ptrdiff_t k = 0;
    uint16_t sum = start;
#if DC_SSE2
    __m128i carry = _mm_set1_epi16((short)start);
    for (; k + 8 <= count; k += 8) {
        __m128i x = _mm_loadu_si128((const __m128i *)(src + k));
        x = _mm_add_epi16(x, _mm_slli_si128(x, 2));
        x = _mm_add_epi16(x, _mm_slli_si128(x, 4));
        x = _mm_add_epi16(x, _mm_slli_si128(x, 8));
        x = _mm_add_epi16(x, carry);
        _mm_storeu_si128((__m128i *)(dst + k), x);
        carry = _mm_shufflehi_epi16(x, 0xFF);
        carry = _mm_unpackhi_epi64(carry, carry);
    }
    sum = (uint16_t)_mm_cvtsi128_si32(carry);
#endif
    for (; k < count; k++) {
        sum = (uint16_t)(sum + src[k]);
        dst[k] = sum;
    }
}

/* The same for three interleaved sequences: dst[k] = start[k % 3] + src[k % 3] + … + src[k - 3] + src[k]. */
static inline void running_sum3(uint16_t *dst, const uint16_t *src, ptrdiff_t count, const uint16_t *start)
{
    uint16_t a = start[0], b = start[1], c = start[2];
    ptrdiff_t k;
    for (k = 0; k + 3 <= count; k += 3) {
        dst[k] = a = (uint16_t)(a + src[k]);
        dst[k + 1] = b = (uint16_t)(b + src[k + 1]);
        dst[k + 2] = c = (uint16_t)(c + src[k + 2]);
    }
}

#endif
