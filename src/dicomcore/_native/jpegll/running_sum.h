/* Running sums modulo 65536 or 256: with AVX2 where the machine has it, else with SSE2 or in plain C. */
#ifndef DICOMCORE_RUNNING_SUM_H
#define DICOMCORE_RUNNING_SUM_H

#include "base/simd.h"

/* dst[k] = start + src[0] + … + src[k]; dst may be src. The sums within a vector don't wait for those before it; only
 * `carry`, the sum of all before it in each lane, goes from vector to vector. */
static inline void running_sum_plain(uint16_t *dst, const uint16_t *src, ptrdiff_t count, uint16_t start)
{
    ptrdiff_t k = 0;
    uint16_t sum = start;
#if DC_SSE2
    __m128i carry = _mm_set1_epi16((short)start);
    for (; k + 8 <= count; k += 8) {
        __m128i x = _mm_loadu_si128((const __m128i *)(src + k)), last;
        x = _mm_add_epi16(x, _mm_slli_si128(x, 2));
        x = _mm_add_epi16(x, _mm_slli_si128(x, 4));
        x = _mm_add_epi16(x, _mm_slli_si128(x, 8));
        last = _mm_shufflehi_epi16(x, 0xFF);
        _mm_storeu_si128((__m128i *)(dst + k), _mm_add_epi16(x, carry));
        carry = _mm_add_epi16(carry, _mm_unpackhi_epi64(last, last));
    }
    sum = (uint16_t)_mm_cvtsi128_si32(carry);
#endif
    for (; k < count; k++) {
        sum = (uint16_t)(sum + src[k]);
        dst[k] = sum;
    }
}

/* The same, narrowed to 8 bits. */
static inline void running_sum8_plain(uint8_t *dst, const uint16_t *src, ptrdiff_t count, uint8_t start)
{
    ptrdiff_t k = 0;
    uint8_t sum = start;
#if DC_SSE2
    const __m128i low = _mm_set1_epi16(0xFF);
    __m128i carry = _mm_set1_epi8((char)start);
    for (; k + 16 <= count; k += 16) {
        __m128i x = _mm_and_si128(_mm_loadu_si128((const __m128i *)(src + k)), low), last;
        x = _mm_packus_epi16(x, _mm_and_si128(_mm_loadu_si128((const __m128i *)(src + k + 8)), low));
        x = _mm_add_epi8(x, _mm_slli_si128(x, 1));
        x = _mm_add_epi8(x, _mm_slli_si128(x, 2));
        x = _mm_add_epi8(x, _mm_slli_si128(x, 4));
        x = _mm_add_epi8(x, _mm_slli_si128(x, 8));
        last = _mm_unpackhi_epi8(x, x);
        last = _mm_shufflehi_epi16(last, 0xFF);
        _mm_storeu_si128((__m128i *)(dst + k), _mm_add_epi8(x, carry));
        carry = _mm_add_epi8(carry, _mm_unpackhi_epi64(last, last));
    }
    sum = (uint8_t)_mm_cvtsi128_si32(carry);
#endif
    for (; k < count; k++) {
        sum = (uint8_t)(sum + src[k]);
        dst[k] = sum;
    }
}

/* Three interleaved sequences: dst[k] = start[k % 3] + src[k % 3] + … + src[k - 3] + src[k]. */
static inline void running_sum3_plain(uint16_t *dst, const uint16_t *src, ptrdiff_t count, const uint16_t *start)
{
    uint16_t a = start[0], b = start[1], c = start[2];
    ptrdiff_t k;
    for (k = 0; k + 3 <= count; k += 3) {
        dst[k] = a = (uint16_t)(a + src[k]);
        dst[k + 1] = b = (uint16_t)(b + src[k + 1]);
        dst[k + 2] = c = (uint16_t)(c + src[k + 2]);
    }
}

static inline void running_sum38_plain(uint8_t *dst, const uint16_t *src, ptrdiff_t count, const uint8_t *start)
{
    uint8_t a = start[0], b = start[1], c = start[2];
    ptrdiff_t k;
    for (k = 0; k + 3 <= count; k += 3) {
        dst[k] = a = (uint8_t)(a + src[k]);
        dst[k + 1] = b = (uint8_t)(b + src[k + 1]);
        dst[k + 2] = c = (uint8_t)(c + src[k + 2]);
    }
}

#if DC_ASKS
DC_TARGET("avx2")
static void running_sum_wide(uint16_t *dst, const uint16_t *src, ptrdiff_t count, uint16_t start)
{
    const __m256i last = _mm256_set1_epi16(0x0F0E);
    __m256i carry = _mm256_set1_epi16((short)start);
    ptrdiff_t k = 0;
    for (; k + 16 <= count; k += 16) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(src + k)), half;
        x = _mm256_add_epi16(x, _mm256_slli_si256(x, 2));
        x = _mm256_add_epi16(x, _mm256_slli_si256(x, 4));
        x = _mm256_add_epi16(x, _mm256_slli_si256(x, 8));
        half = _mm256_shuffle_epi8(x, last); /* each half's sum */
        x = _mm256_add_epi16(x, _mm256_permute2x128_si256(half, half, 0x08));
        half = _mm256_add_epi16(half, _mm256_permute2x128_si256(half, half, 0x01));
        _mm256_storeu_si256((__m256i *)(dst + k), _mm256_add_epi16(x, carry));
        carry = _mm256_add_epi16(carry, half);
    }
    running_sum_plain(dst + k, src + k, count - k, (uint16_t)_mm256_extract_epi16(carry, 0));
}

/* In a vector of three interleaved sequences, a lane's predecessor is three lanes before it, so the lane that the next
 * vector begins with is that of the third from last. */
DC_TARGET("avx2")
static void running_sum3_wide(uint16_t *dst, const uint16_t *src, ptrdiff_t count, const uint16_t *start)
{
    const __m128i before = _mm_setr_epi8(10, 11, 12, 13, 14, 15, 10, 11, 12, 13, 14, 15, 10, 11, 12, 13);
    uint16_t next[8] = {0};
    __m128i carry;
    ptrdiff_t k = 0;
    memcpy(next + 5, start, 6);
    carry = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)next), before);
    for (; k + 24 <= count; k += 24) {
        int j;
        for (j = 0; j < 24; j += 8) {
            __m128i x = _mm_loadu_si128((const __m128i *)(src + k + j));
            x = _mm_add_epi16(x, _mm_slli_si128(x, 6));
            x = _mm_add_epi16(x, _mm_slli_si128(x, 12));
            x = _mm_add_epi16(x, carry);
            _mm_storeu_si128((__m128i *)(dst + k + j), x);
            carry = _mm_shuffle_epi8(x, before);
        }
    }
    _mm_storeu_si128((__m128i *)next, carry);
    running_sum3_plain(dst + k, src + k, count - k, next);
}

DC_TARGET("avx2")
static void running_sum38_wide(uint8_t *dst, const uint16_t *src, ptrdiff_t count, const uint8_t *start)
{
    const __m128i before = _mm_setr_epi8(13, 14, 15, 13, 14, 15, 13, 14, 15, 13, 14, 15, 13, 14, 15, 13);
    const __m128i low = _mm_set1_epi16(0xFF);
    uint8_t next[16] = {0};
    __m128i carry;
    ptrdiff_t k = 0;
    memcpy(next + 13, start, 3);
    carry = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)next), before);
    for (; k + 48 <= count; k += 48) {
        int j;
        for (j = 0; j < 48; j += 16) {
            __m128i x = _mm_and_si128(_mm_loadu_si128((const __m128i *)(src + k + j)), low);
            x = _mm_packus_epi16(x, _mm_and_si128(_mm_loadu_si128((const __m128i *)(src + k + j + 8)), low));
            x = _mm_add_epi8(x, _mm_slli_si128(x, 3));
            x = _mm_add_epi8(x, _mm_slli_si128(x, 6));
            x = _mm_add_epi8(x, _mm_slli_si128(x, 12));
            x = _mm_add_epi8(x, carry);
            _mm_storeu_si128((__m128i *)(dst + k + j), x);
            carry = _mm_shuffle_epi8(x, before);
        }
    }
    _mm_storeu_si128((__m128i *)next, carry);
    running_sum38_plain(dst + k, src + k, count - k, next);
}
#define RUNNING_SUM_WIDE DC_HAS("avx2")
#else
#define RUNNING_SUM_WIDE 0
#define running_sum_wide running_sum_plain
#define running_sum3_wide running_sum3_plain
#define running_sum38_wide running_sum38_plain
#endif

static inline void running_sum(uint16_t *dst, const uint16_t *src, ptrdiff_t count, uint16_t start)
{
    if (RUNNING_SUM_WIDE)
        running_sum_wide(dst, src, count, start);
    else
        running_sum_plain(dst, src, count, start);
}

static inline void running_sum3(uint16_t *dst, const uint16_t *src, ptrdiff_t count, const uint16_t *start)
{
    if (RUNNING_SUM_WIDE)
        running_sum3_wide(dst, src, count, start);
    else
        running_sum3_plain(dst, src, count, start);
}

/* running_sum() and running_sum3() of differences to samples of one byte, modulo 256. */
static inline void running_sum_bytes(uint8_t *dst, const uint16_t *src, ptrdiff_t count, int lag, const uint8_t *start)
{
    if (lag == 1)
        running_sum8_plain(dst, src, count, start[0]);
    else if (RUNNING_SUM_WIDE)
        running_sum38_wide(dst, src, count, start);
    else
        running_sum38_plain(dst, src, count, start);
}

#endif
