/* Applies look-up tables to stored pixel values: clamps to the table, then fetches (PS3.3 C.7.6.3.1.5, C.11.1.1,
 * C.11.2.1.1). */
#ifndef DICOMCORE_LUT_H
#define DICOMCORE_LUT_H

#include "base/simd.h"

/* Subtracts the first mapped value, and clamps the indices to the table. Works in blocks whose indices stay in the CPU
 * cache. */
#define DC_LUT_BLOCK 1024

#define DC_INDEX(name, type, wide)                                                                                     \
    DC_INLINE void dc_index_##name##_body(const uint8_t *src, uint32_t *index, ptrdiff_t count, int64_t first,         \
                                          uint32_t last)                                                               \
    {                                                                                                                  \
        const wide most = (wide)last;                                                                                  \
        ptrdiff_t i;                                                                                                   \
        for (i = 0; i < count; i++) {                                                                                  \
            type v;                                                                                                    \
            wide d;                                                                                                    \
            memcpy(&v, src + i * (ptrdiff_t)sizeof v, sizeof v);                                                       \
            d = (wide)v - (wide)first;                                                                                 \
            index[i] = (uint32_t)(d < 0 ? 0 : d > most ? most : d);                                                    \
        }                                                                                                              \
    }                                                                                                                  \
    DC_DISPATCH(dc_index_##name, (const uint8_t *src, uint32_t *index, ptrdiff_t count, int64_t first, uint32_t last), \
                (src, index, count, first, last))

DC_INDEX(u8, uint8_t, int32_t)
DC_INDEX(i8, int8_t, int32_t)
DC_INDEX(u16, uint16_t, int32_t)
DC_INDEX(i16, int16_t, int32_t)
DC_INDEX(u32, uint32_t, int64_t)
DC_INDEX(i32, int32_t, int64_t)

/* Writes `size` bytes of each entry of `type`. If the entry is larger, its store runs into bytes that the next store
 * overwrites, so the last entry is written separately. */
#define DC_FETCH(name, type, size)                                                                                 \
    DC_STATIC_ASSERT((size) <= sizeof(type) && sizeof(type) <= 2 * (size));                                        \
    static inline void dc_fetch_##name(const uint8_t *table, const uint32_t *index, uint8_t *dst, ptrdiff_t count) \
    {                                                                                                              \
        type entry;                                                                                                \
        ptrdiff_t i;                                                                                               \
        for (i = 0; i < count - 1; i++) {                                                                          \
            memcpy(&entry, table + (size_t)index[i] * sizeof entry, sizeof entry);                                 \
            memcpy(dst + (size) * i, &entry, sizeof entry);                                                        \
        }                                                                                                          \
        memcpy(dst + (size) * i, table + (size_t)index[i] * sizeof entry, size);                                   \
    }

DC_FETCH(1, uint8_t, 1)
DC_FETCH(2, uint16_t, 2)
DC_FETCH(3, uint32_t, 3)
DC_FETCH(4, uint32_t, 4)
DC_FETCH(6, uint64_t, 6)
DC_FETCH(8, uint64_t, 8)

#endif
