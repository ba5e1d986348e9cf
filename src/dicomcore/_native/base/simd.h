/* Compiles one kernel body twice, for every x86-64 machine and for one with wider vectors, and picks one at each call.
 *
 * The body is inlined into both, so both come from the same source; other compilers and machines get the plain one.
 * The choice reads a word that the C library fills at start-up: there is no state of our own, and no resolver that runs
 * before a sanitizer. With DICOMCORE_PLAIN defined, everything is plain C. */
#ifndef DICOMCORE_SIMD_H
#define DICOMCORE_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* SSE2, which every x86-64 machine has. */
#if (defined(__SSE2__) || defined(_M_X64)) && !defined(DICOMCORE_PLAIN)
#define DC_SSE2 1
#include <emmintrin.h>
#else
#define DC_SSE2 0
#endif

/* Instruction sets chosen at run time: DC_TARGET lets a function use `isa`, DC_HAS asks whether this machine has it. */
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__) && !defined(DICOMCORE_PLAIN)
#define DC_ASKS 1
#include <immintrin.h>
#define DC_TARGET(isa) __attribute__((target(isa)))
#define DC_TARGET_SSSE3 DC_TARGET("ssse3")
#define DC_HAS(isa) __builtin_cpu_supports(isa)
#else
#define DC_ASKS 0
#endif

/* The wider machine: vectors of 32 bytes, shifts by a variable count in one instruction instead of three (BMI2), and a
 * count of leading zeros, which some compilers can't ask for at run time. Fused multiply-add is left out, as it rounds
 * differently. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define DC_TARGET_WIDE DC_TARGET("avx2,bmi,bmi2,lzcnt")
#define DC_HAS_WIDE() (DC_HAS("avx2") && DC_HAS("bmi") && DC_HAS("bmi2") && DC_HAS("lzcnt"))
#else
#define DC_TARGET_WIDE DC_TARGET("avx2,bmi,bmi2")
#define DC_HAS_WIDE() (DC_HAS("avx2") && DC_HAS("bmi") && DC_HAS("bmi2"))
#endif

/* The caller guarantees that no iteration of the next loop reads what another wrote. */
#if defined(__clang__)
#define DC_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define DC_IVDEP _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define DC_IVDEP __pragma(loop(ivdep))
#else
#define DC_IVDEP
#endif

/* name(params) runs name##_body(args) as compiled for this machine. */
#if DC_ASKS
#define DC_DISPATCH(name, params, args)                                 \
    DC_TARGET_WIDE static void name##_wide params { name##_body args; } \
    static void name##_plain params { name##_body args; }               \
    static inline void name params                                      \
    {                                                                   \
        if (DC_HAS_WIDE())                                              \
            name##_wide args;                                           \
        else                                                            \
            name##_plain args;                                          \
    }
#else
#define DC_DISPATCH(name, params, args) \
    static inline void name params { name##_body args; }
#endif

#endif
