/* Plain fields that one thread writes while others read them without a lock. A thread that reads a value with load_*
 * also sees everything that was written before its store_*. On x86 both are ordinary moves. No Python.h. */
#ifndef DICOMCORE_SHARED_H
#define DICOMCORE_SHARED_H

#include <stddef.h>

/* order_writes(): a thread that sees a pointer written after it also sees everything written before it. It is for
 * pointers in the fields of Python objects, which are assigned, not stored with store_pointer(). */
#if defined(_MSC_VER) && !defined(__clang__)

#include <intrin.h>
#if defined(_M_ARM64)
#define SHARED_ORDER() __dmb(_ARM64_BARRIER_ISH)
#else
#define SHARED_ORDER() _ReadWriteBarrier()
#endif
static inline void order_writes(void) { SHARED_ORDER(); }
#define SHARED_PAIR(type, what)                              \
    static inline type load_##what(type const *place)        \
    {                                                        \
        type value = *(type const volatile *)place;          \
        SHARED_ORDER();                                      \
        return value;                                        \
    }                                                        \
    static inline void store_##what(type *place, type value) \
    {                                                        \
        SHARED_ORDER();                                      \
        *(type volatile *)place = value;                     \
    }

#else

static inline void order_writes(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }
#define SHARED_PAIR(type, what)                                                                            \
    static inline type load_##what(type const *place) { return __atomic_load_n(place, __ATOMIC_ACQUIRE); } \
    static inline void store_##what(type *place, type value) { __atomic_store_n(place, value, __ATOMIC_RELEASE); }

#endif

typedef void *shared_pointer;

SHARED_PAIR(int, flag)
SHARED_PAIR(ptrdiff_t, size)
SHARED_PAIR(shared_pointer, pointer)

#endif
