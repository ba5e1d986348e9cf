/* Unpacks samples that don't fill whole bytes: single bits, 12-bit cells, 24-bit words (PS3.5 8.1.1, lowest bit first);
 * and extends samples that don't fill their word. */
#ifndef DICOMCORE_UNPACK_H
#define DICOMCORE_UNPACK_H

#include "base/simd.h"

/* Spreads bit k of `bits` to byte k of a word, 0 or 1: copy the byte eight times, keep bit k of copy k, carry it up. */
DC_INLINE uint64_t dc_spread_bits(uint8_t bits)
{
    uint64_t kept = ((uint64_t)bits * 0x0101010101010101u) & 0x8040201008040201u;
    return ((kept + 0x7F7F7F7F7F7F7F7Fu) >> 7) & 0x0101010101010101u;
}

/* The reverse: sets bit k if byte k is not zero. No two products overlap, so that the multiplication has no carry. */
DC_INLINE uint8_t dc_gather_bits(uint64_t bytes)
{
    uint64_t set = (((bytes & 0x7F7F7F7F7F7F7F7Fu) + 0x7F7F7F7F7F7F7F7Fu) | bytes) >> 7 & 0x0101010101010101u;
    return (uint8_t)((set * 0x0102040810204080u) >> 56);
}

/* Unpacks `count` bits to a byte each; the first is bit `start` (0 to 7) of src[0]. */
DC_INLINE void dc_unpack_bits_body(const uint8_t *src, uint8_t *dst, ptrdiff_t count, int start)
{
    ptrdiff_t whole = count / 8, i;
    uint64_t word;
    for (i = 0; i < whole; i++) {
        /* With a start of 0, src may end before the next byte. */
        uint32_t pair = start ? src[i] | (uint32_t)src[i + 1] << 8 : src[i];
        word = DC_LITTLE64(dc_spread_bits((uint8_t)(pair >> start)));
        memcpy(dst + 8 * i, &word, 8);
    }
    for (i = 8 * whole; i < count; i++)
        dst[i] = src[(i + start) >> 3] >> ((i + start) & 7) & 1;
}
DC_DISPATCH(dc_unpack_bits, (const uint8_t *src, uint8_t *dst, ptrdiff_t count, int start), (src, dst, count, start))

DC_INLINE void dc_pack_bits_body(const uint8_t *src, uint8_t *dst, ptrdiff_t count)
{
    ptrdiff_t whole = count / 8, i;
    uint64_t word;
    for (i = 0; i < whole; i++) {
        memcpy(&word, src + 8 * i, 8);
        dst[i] = dc_gather_bits(DC_LITTLE64(word));
    }
    if (count % 8) {
        uint8_t last = 0;
        for (i = 8 * whole; i < count; i++)
            last |= (uint8_t)((src[i] != 0) << (i & 7));
        dst[whole] = last;
    }
}
DC_DISPATCH(dc_pack_bits, (const uint8_t *src, uint8_t *dst, ptrdiff_t count), (src, dst, count))

/* Unpacks `pairs` pairs of 12-bit cells, of three bytes each. */
DC_INLINE void dc_unpack12_body(const uint8_t *src, uint16_t *dst, ptrdiff_t pairs)
{
    ptrdiff_t i;
    for (i = 0; i < pairs; i++) {
        dst[2 * i] = (uint16_t)(src[3 * i] | (src[3 * i + 1] & 0x0F) << 8);
        dst[2 * i + 1] = (uint16_t)(src[3 * i + 1] >> 4 | src[3 * i + 2] << 4);
    }
}
DC_DISPATCH(dc_unpack12, (const uint8_t *src, uint16_t *dst, ptrdiff_t pairs), (src, dst, pairs))

DC_INLINE void dc_unpack24_body(const uint8_t *src, uint32_t *dst, ptrdiff_t count)
{
    ptrdiff_t i;
    for (i = 0; i < count; i++)
        dst[i] = src[3 * i] | (uint32_t)src[3 * i + 1] << 8 | (uint32_t)src[3 * i + 2] << 16;
}
DC_DISPATCH(dc_unpack24, (const uint8_t *src, uint32_t *dst, ptrdiff_t count), (src, dst, count))

/* Moves each word's sample, `stored` bits from bit `low` up, down to bit 0; clears or sign-fills the bits above. */
#define DC_EXTEND(bits)                                                                                        \
    DC_INLINE void dc_extend##bits##_body(uint8_t *words, ptrdiff_t count, int low, int stored, int is_signed) \
    {                                                                                                          \
        const int up = bits - stored - low, down = bits - stored;                                              \
        ptrdiff_t i;                                                                                           \
        if (is_signed) {                                                                                       \
            DC_IVDEP                                                                                           \
            for (i = 0; i < count; i++) {                                                                      \
                uint##bits##_t word;                                                                           \
                memcpy(&word, words + i * (bits / 8), bits / 8);                                               \
                word = (uint##bits##_t)((int##bits##_t)(uint##bits##_t)(word << up) >> down);                  \
                memcpy(words + i * (bits / 8), &word, bits / 8);                                               \
            }                                                                                                  \
        } else {                                                                                               \
            DC_IVDEP                                                                                           \
            for (i = 0; i < count; i++) {                                                                      \
                uint##bits##_t word;                                                                           \
                memcpy(&word, words + i * (bits / 8), bits / 8);                                               \
                word = (uint##bits##_t)((uint##bits##_t)(word << up) >> down);                                 \
                memcpy(words + i * (bits / 8), &word, bits / 8);                                               \
            }                                                                                                  \
        }                                                                                                      \
    }                                                                                                          \
    DC_DISPATCH(dc_extend##bits, (uint8_t *words, ptrdiff_t count, int low, int stored, int is_signed),        \
                (words, count, low, stored, is_signed))

DC_EXTEND(8)
DC_EXTEND(16)
DC_EXTEND(32)
DC_EXTEND(64)

#endif
