/* Decimal Strings (PS3.5 6.2) of up to sixteen digits and a point, a vector for each: for number.pyx.
 *
 * No branch depends on how long a component is or where its point stands, so that the next one is begun while this one
 * is still worked on. Where there is no SSSE3, nothing is read here. */
#ifndef DICOMCORE_DIGITS_H
#define DICOMCORE_DIGITS_H

#include "base/number.h"
#include "base/simd.h"

#define DIGITS_BYTES 18 /* that are looked at for a component: a minus, sixteen characters, and the backslash */

#if DC_ASKS

static inline int reads_digits(void) { return ROUNDS_ONCE && DC_HAS("ssse3"); }

/* Reads components, each with the backslash behind it, of an optional minus and digits with a point or without one; as
 * many as there are in a row, as fit into `cap`, and as a double surely holds. Returns the bytes that they take, and
 * their number in `count`. */
DC_TARGET_SSSE3 static size_t read_digits(const uint8_t *text, size_t n, double *out, size_t cap, size_t *count)
{
    const __m128i behind = _mm_setr_epi8(-16, -15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1);
    const __m128i tens = _mm_set1_epi16(1 << 8 | 10);
    const __m128i hundreds = _mm_set1_epi32(1 << 16 | 100);
    const __m128i myriads = _mm_set1_epi32(1 << 16 | 10000);
    size_t at = 0, done = 0;
    while (done < cap && n - at >= DIGITS_BYTES) {
        const size_t minus = text[at] == '-';
        const uint8_t *first = text + at + minus;
        const __m128i characters = _mm_loadu_si128((const __m128i *)first);
        const __m128i zeroed = _mm_sub_epi8(characters, _mm_set1_epi8('0'));
        const unsigned stops = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(characters, _mm_set1_epi8('\\')));
        const unsigned points = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(characters, _mm_set1_epi8('.')));
        const unsigned digits =
            (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(zeroed, _mm_set1_epi8(9)), zeroed));
        const int length = low_zeros(stops | 1u << 16);
        const unsigned own = (1u << length) - 1;
        const unsigned others = ~digits & own; /* at most the point may be none */
        const int point = low_zeros((uint64_t)(points | 1u << length));
        const int whole = length - (point < length);
        __m128i places, joined;
        uint64_t pair, mantissa;
        double scale;
        if (first[length] != '\\' || whole == 0 || (others & ~(1u << point)))
            break;
        /* Digit k of the last `whole` bytes is that of place k, or k + 1 behind the point; zeros stand in front. */
        places = _mm_add_epi8(behind, _mm_set1_epi8((char)whole));
        places = _mm_sub_epi8(places, _mm_cmpgt_epi8(places, _mm_set1_epi8((char)(point - 1))));
        joined = _mm_maddubs_epi16(_mm_shuffle_epi8(zeroed, places), tens);
        joined = _mm_madd_epi16(joined, hundreds);
        joined = _mm_madd_epi16(_mm_packs_epi32(joined, joined), myriads);
        pair = (uint64_t)_mm_cvtsi128_si64(joined);
        mantissa = (pair & 0xFFFFFFFF) * 100000000u + (pair >> 32);
        if (mantissa >> 53)
            break;
        scale = TEN_DOUBLE[whole - point];
        /* Both are exact: it rounds once, and keeps the sign of zero. */
        out[done++] = (double)(int64_t)mantissa / (minus ? -scale : scale);
        at += minus + (size_t)length + 1;
    }
    *count = done;
    return at;
}

#else

static inline int reads_digits(void) { return 0; }

static inline size_t read_digits(const uint8_t *text, size_t n, double *out, size_t cap, size_t *count)
{
    (void)text, (void)n, (void)out, (void)cap;
    *count = 0;
    return 0;
}

#endif

#endif
