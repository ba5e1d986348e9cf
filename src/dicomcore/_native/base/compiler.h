/* Names for features that each compiler spells differently: inlining, branch hints, byte order, compile-time checks. */
#ifndef DICOMCORE_COMPILER_H
#define DICOMCORE_COMPILER_H

#include <stddef.h>
#include <stdint.h>

/* Ends the build if a condition on constants is false. It may stand wherever a declaration may. */
#if defined(__cplusplus)
#define DC_STATIC_ASSERT(condition) static_assert(condition, #condition)
#elif defined(__GNUC__) || defined(__clang__) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L)
#define DC_STATIC_ASSERT(condition) _Static_assert(condition, #condition)
#else /* MSVC without C11; no array has a negative size */
#define DC_STATIC_ASSERT(condition) extern void dc_never_defined(const char (*)[(condition) ? 1 : -1])
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define DC_INLINE static __forceinline
#define DC_RESTRICT __restrict
#define DC_RARELY(condition) (condition)
#else
#define DC_INLINE static inline __attribute__((always_inline))
#define DC_RESTRICT __restrict__
#define DC_RARELY(condition) __builtin_expect(!!(condition), 0)
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define DC_BIG_ENDIAN 1
#else
#define DC_BIG_ENDIAN 0
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#include <stdlib.h>
#define DC_SWAP64(word) _byteswap_uint64(word)
#else
#define DC_SWAP64(word) __builtin_bswap64(word)
#endif

/* Converts between a native 64-bit word and one stored in little or big endian. */
#if DC_BIG_ENDIAN
#define DC_LITTLE64(word) DC_SWAP64(word)
#define DC_BIG64(word) (word)
#else
#define DC_LITTLE64(word) (word)
#define DC_BIG64(word) DC_SWAP64(word)
#endif

#endif
