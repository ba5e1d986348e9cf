/* One kernel body, compiled for what every machine has and again for AVX2, picked at each call.

   The body is inlined into both, so the plain path is the same source and is what other compilers and machines get.
   The pick reads a word the C library fills at start-up: no state of ours, no resolver that runs before a sanitizer. */
#ifndef DICOMCORE_SIMD_H
#define DICOMCORE_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define DC_INLINE static inline __attribute__((always_inline))
#else
#define DC_INLINE static __forceinline
#endif

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__) && !defined(DICOMCORE_PLAIN)
#define DC_AVX2 1
#include <immintrin.h>
#define DC_TARGET_AVX2 __attribute__((target("avx2")))
#define DC_HAS_AVX2() __builtin_cpu_supports("avx2")
#else
#define DC_AVX2 0
#endif

/* The caller vouches that no turn of the next loop reads what another wrote. */
#if defined(__clang__)
#define DC_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define DC_IVDEP _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define DC_IVDEP __pragma(loop(ivdep))
#else
#define DC_IVDEP
#endif

/* A 64-bit word whose lowest byte is the first in memory. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define DC_LITTLE64(v) __builtin_bswap64(v)
#else
#define DC_LITTLE64(v) (v)
#endif

/* name(params) runs name##_body(args) compiled for the machine at hand. */
#if DC_AVX2
#define DC_DISPATCH(name, params, args)                         \
    DC_TARGET_AVX2 static void name##_avx2 params { name##_body args; } \
    static void name##_plain params { name##_body args; }       \
    static inline void name params                              \
    {                                                           \
        if (DC_HAS_AVX2())                                      \
            name##_avx2 args;                                   \
        else                                                    \
            name##_plain args;                                  \
    }
#else
#define DC_DISPATCH(name, params, args) \
    static inline void name params { name##_body args; }
#endif

#endif
