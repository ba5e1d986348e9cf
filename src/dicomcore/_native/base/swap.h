/* Reverses the bytes of words of 2, 4 and 8 bytes. src and dst are equal or don't overlap; any alignment will do. */
#ifndef DICOMCORE_SWAP_H
#define DICOMCORE_SWAP_H

#include "base/simd.h"

DC_INLINE uint16_t dc_swap16(uint16_t v) { return (uint16_t)((v >> 8) | (v << 8)); }

DC_INLINE uint32_t dc_swap32(uint32_t v)
{
    return (v >> 24) | ((v >> 8) & 0x0000FF00u) | ((v << 8) & 0x00FF0000u) | (v << 24);
}

DC_INLINE uint64_t dc_swap64(uint64_t v)
{
    return ((uint64_t)dc_swap32((uint32_t)v) << 32) | dc_swap32((uint32_t)(v >> 32));
}

#define DC_SWAP_LOOP(bits)                                                                       \
    DC_INLINE void dc_swap_words##bits##_body(const uint8_t *src, uint8_t *dst, ptrdiff_t count) \
    {                                                                                            \
        ptrdiff_t i;                                                                             \
        DC_IVDEP                                                                                 \
        for (i = 0; i < count; i++) {                                                            \
            uint##bits##_t word;                                                                 \
            memcpy(&word, src + i * (bits / 8), bits / 8);                                       \
            word = dc_swap##bits(word);                                                          \
            memcpy(dst + i * (bits / 8), &word, bits / 8);                                       \
        }                                                                                        \
    }                                                                                            \
    DC_DISPATCH(dc_swap_words##bits, (const uint8_t *src, uint8_t *dst, ptrdiff_t count), (src, dst, count))

DC_SWAP_LOOP(16)
DC_SWAP_LOOP(32)
DC_SWAP_LOOP(64)

#endif
