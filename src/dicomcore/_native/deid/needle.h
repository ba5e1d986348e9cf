/* The first look of a search for many strings: on to the next place where a word may be one of theirs. */
#ifndef DICOMCORE_NEEDLE_H
#define DICOMCORE_NEEDLE_H

#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "base/simd.h"

#define NEEDLE_LOWER 0x2020202020202020ULL  /* makes ASCII letters equal in both cases, and keeps other bytes apart */
#define NEEDLE_SPREAD 0x9E3779B97F4A7C15ULL /* 2^64 divided by the golden ratio */

/* Eight bytes, the first one lowest. */
DC_INLINE uint64_t needle_word(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
    return DC_LITTLE64(word);
}

DC_INLINE uint64_t needle_hash(uint64_t word, uint64_t mask) { return ((word | NEEDLE_LOWER) & mask) * NEEDLE_SPREAD; }

DC_INLINE uint64_t needle_mark(const uint64_t *bits, uint64_t word, uint64_t mask, int shift)
{
    uint64_t place = needle_hash(word, mask) >> shift;
    return bits[place >> 6] >> (place & 63);
}

/* From at[0] on in steps, four at a time, while all four can be read before `end`; at[0] becomes the first of four of
 * which one is marked, or where the steps ended. */
DC_INLINE void needle_skip_body(const uint64_t *bits, uint64_t mask, int shift, const uint8_t *data, ptrdiff_t end,
                                ptrdiff_t step, ptrdiff_t *at)
{
    ptrdiff_t i = at[0], last = end - 8 - 3 * step;
    while (i <= last) {
        uint64_t a = needle_mark(bits, needle_word(data + i), mask, shift);
        uint64_t b = needle_mark(bits, needle_word(data + i + step), mask, shift);
        uint64_t c = needle_mark(bits, needle_word(data + i + 2 * step), mask, shift);
        uint64_t d = needle_mark(bits, needle_word(data + i + 3 * step), mask, shift);
        if ((a | b | c | d) & 1)
            break;
        i += 4 * step;
    }
    at[0] = i;
}

DC_DISPATCH(needle_skip,
            (const uint64_t *bits, uint64_t mask, int shift, const uint8_t *data, ptrdiff_t end, ptrdiff_t step,
             ptrdiff_t *at),
            (bits, mask, shift, data, end, step, at))

#endif
