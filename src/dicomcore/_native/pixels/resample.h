/* Adds weighted rows of samples: the inner loop of scaling, as wide as the machine's vectors. */
#ifndef DICOMCORE_RESAMPLE_H
#define DICOMCORE_RESAMPLE_H

#include "base/simd.h"

#define DC_ADD_ROW(name, type)                                                                              \
    DC_INLINE void dc_add_row_##name##_body(const uint8_t *src, float *sums, ptrdiff_t count, float weight) \
    {                                                                                                       \
        ptrdiff_t i;                                                                                        \
        for (i = 0; i < count; i++) {                                                                       \
            type v;                                                                                         \
            memcpy(&v, src + i * (ptrdiff_t)sizeof v, sizeof v);                                            \
            sums[i] += weight * (float)v;                                                                   \
        }                                                                                                   \
    }                                                                                                       \
    DC_DISPATCH(dc_add_row_##name, (const uint8_t *src, float *sums, ptrdiff_t count, float weight),        \
                (src, sums, count, weight))

DC_ADD_ROW(u8, uint8_t)
DC_ADD_ROW(u16, uint16_t)

#endif
