/* The compiler features that number.pyx needs: wide products, bit counts, and doubles from their bits.
 * Other compilers, and all with DICOMCORE_PLAIN defined, get the same in plain C. */
#ifndef DICOMCORE_NUMBER_H
#define DICOMCORE_NUMBER_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "base/tables/powers.h"

DC_STATIC_ASSERT(sizeof POWER_BITS / sizeof *POWER_BITS == POWER_MAX - POWER_MIN + 1);
DC_STATIC_ASSERT(sizeof TEN_DOUBLE / sizeof *TEN_DOUBLE == 22 + 1); /* 10^22: the last that a double holds exactly */

/* A multiplication or division rounds only once unless it is computed wider than a double, as on the x87. */
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

/* Words of eight characters, the first in the low byte. Cython keeps 64-bit constants in Python objects only. */
#define ASCII_ZEROS 0x3030303030303030u
#define BACKSLASHES 0x5C5C5C5C5C5C5C5Cu
#define POINTS 0x2E2E2E2E2E2E2E2Eu
#define LOW_BITS 0x0101010101010101u
#define TEN_TO_TOP 0x7676767676767676u /* added to a byte, sets its top bit if the byte is 10 or more */
#define TOP_BITS 0x8080808080808080u
#define JOIN_PAIRS 0xA01u /* 10 * 2^8 + 1: ten times each byte, plus its neighbour */
#define PAIRS 0x00FF00FF00FF00FFu
#define JOIN_FOURS 0x640001u /* 100 * 2^16 + 1 */
#define FOURS 0x0000FFFF0000FFFFu
#define JOIN_EIGHT 0x271000000001u /* 10000 * 2^32 + 1 */

/* The number of zero bits below the lowest set bit; `word` is not 0. */
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

/* The number of zero bits above the highest set bit; `word` is not 0. */
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

/* Multiplies to 128 bits: returns the high word and stores the low word in *low. */
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
