/* What number.pyx needs of the compiler: wide products, bit counts, and a double made from its bits.
 * With DICOMCORE_PLAIN defined, it is what a compiler without any of that gets. */
#ifndef DICOMCORE_NUMBER_H
#define DICOMCORE_NUMBER_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "base/tables/powers.h"

DC_STATIC_ASSERT(sizeof POWER_BITS / sizeof *POWER_BITS == POWER_MAX - POWER_MIN + 1);
DC_STATIC_ASSERT(sizeof TEN_DOUBLE / sizeof *TEN_DOUBLE == 22 + 1); /* 10^22 is the last that a double holds exactly */

/* One multiplication or division rounds once only where doubles are not computed wider (x87 does). */
#if defined(DICOMCORE_PLAIN)
#define ROUNDS_ONCE 0
#elif defined(FLT_EVAL_METHOD)
#define ROUNDS_ONCE (FLT_EVAL_METHOD == 0)
#elif defined(_WIN64)
#define ROUNDS_ONCE 1
#else
#define ROUNDS_ONCE 0
#endif

#if defined(DICOMCORE_PLAIN)
#elif defined(__GNUC__) || defined(__clang__)
#define GNU_BITS
#elif defined(_MSC_VER) && (defined(_M_X64) || defined(_M_ARM64))
#include <intrin.h>
#define MSVC_BITS
#endif

/* Eight characters in one word, the first one lowest. Cython keeps no 64-bit constants outside Python objects. */
#define ASCII_ZEROS 0x3030303030303030u
#define BACKSLASHES 0x5C5C5C5C5C5C5C5Cu
#define POINTS 0x2E2E2E2E2E2E2E2Eu
#define LOW_BITS 0x0101010101010101u
#define TEN_TO_TOP 0x7676767676767676u /* added to a byte, sets its top bit from 10 on */
#define TOP_BITS 0x8080808080808080u
#define JOIN_PAIRS 0xA01u /* 10 * 2^8 + 1: each byte times ten and its neighbour */
#define PAIRS 0x00FF00FF00FF00FFu
#define JOIN_FOURS 0x640001u /* 100 * 2^16 + 1 */
#define FOURS 0x0000FFFF0000FFFFu
#define JOIN_EIGHT 0x271000000001u /* 10000 * 2^32 + 1 */

/* Zero bits below the lowest set bit; `word` is not 0. */
static inline int low_zeros(uint64_t word)
{
#if defined(GNU_BITS)
    return __builtin_ctzll(word);
#elif defined(MSVC_BITS)
    unsigned long at;
    _BitScanForward64(&at, word);
    return (int)at;
#else
    int count = 0;
    for (; !(word & 1); word >>= 1)
        count++;
    return count;
#endif
}

/* Zero bits above the highest set bit; `word` is not 0. */
static inline int high_zeros(uint64_t word)
{
#if defined(GNU_BITS)
    return __builtin_clzll(word);
#elif defined(MSVC_BITS)
    unsigned long at;
    _BitScanReverse64(&at, word);
    return 63 - (int)at;
#else
    int count = 0;
    for (; !(word >> 63); word <<= 1)
        count++;
    return count;
#endif
}

/* The 128-bit product: returns its high word and puts the low one into *low. */
static inline uint64_t multiply_wide(uint64_t a, uint64_t b, uint64_t *low)
{
#if defined(__SIZEOF_INT128__) && !defined(DICOMCORE_PLAIN)
    unsigned __int128 product = (unsigned __int128)a * b;
    *low = (uint64_t)product;
    return (uint64_t)(product >> 64);
#else
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t bottom = a0 * b0;
    uint64_t middle = a1 * b0 + (bottom >> 32);
    uint64_t other = a0 * b1 + (uint32_t)middle;
    *low = (other << 32) | (uint32_t)bottom;
    return a1 * b1 + (middle >> 32) + (other >> 32);
#endif
}

static inline double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
