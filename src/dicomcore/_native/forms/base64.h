/* Base64 (RFC 4648 4) in loops that compilers turn into vector code: six bytes a word, spread to eight sextets, then
 * each sextet to its character by comparisons instead of a table. */
#ifndef DICOMCORE_BASE64_H
#define DICOMCORE_BASE64_H

#include "base/simd.h"

enum {
    BASE64_WORDS = 64, /* words of a block: 384 bytes in, 512 characters out */
    BASE64_PAST = 2,   /* bytes read past the end of a block: its last word loads 8 bytes and uses 6 */
};
DC_STATIC_ASSERT(6 * (BASE64_WORDS - 1) + 8 == 6 * BASE64_WORDS + BASE64_PAST);

/* Reverses the bytes of a word that was loaded from memory, so that the first byte is the highest. */
DC_INLINE uint64_t dc_big64(uint64_t word)
{
    word = DC_LITTLE64(word);
    word = (word >> 32) | (word << 32);
    word = ((word >> 16) & 0x0000FFFF0000FFFFu) | ((word & 0x0000FFFF0000FFFFu) << 16);
    return ((word >> 8) & 0x00FF00FF00FF00FFu) | ((word & 0x00FF00FF00FF00FFu) << 8);
}

#define DC_WHERE(condition) ((uint8_t)-(uint8_t)(condition)) /* all bits or none */

DC_INLINE uint8_t dc_base64_character(uint8_t sextet)
{
    uint8_t c = (uint8_t)(sextet + 'A');
    c = (uint8_t)(c + (DC_WHERE(sextet > 25) & ('a' - 'A' - 26)));
    c = (uint8_t)(c - (DC_WHERE(sextet > 51) & ('a' - '0' + 26)));
    c = (uint8_t)(c - (DC_WHERE(sextet > 61) & ('0' + 10 - '+')));
    return (uint8_t)(c + (DC_WHERE(sextet > 62) & ('/' - '+' - 1)));
}

/* Encodes one block; BASE64_PAST bytes behind it are read too. */
DC_INLINE void dc_base64_block(const uint8_t *src, uint8_t *dst)
{
    uint64_t words[BASE64_WORDS];
    uint8_t sextets[8 * BASE64_WORDS];
    int i;
    for (i = 0; i < BASE64_WORDS; i++)
        memcpy(&words[i], src + 6 * i, 8);
    for (i = 0; i < BASE64_WORDS; i++) {
        uint64_t w = dc_big64(words[i]) >> 16;
        w = ((w & 0xFFFFFF000000u) << 8) | (w & 0xFFFFFFu);
        w = ((w & 0x00FFF00000FFF000u) << 4) | (w & 0x00000FFF00000FFFu);
        w = ((w & 0x0FC00FC00FC00FC0u) << 2) | (w & 0x003F003F003F003Fu);
        words[i] = dc_big64(w); /* the first sextet first, whatever the order of bytes */
    }
    memcpy(sextets, words, sizeof words);
    for (i = 0; i < 8 * BASE64_WORDS; i++)
        dst[i] = dc_base64_character(sextets[i]);
}

/* Encodes the `n` bytes of src as (n + 2) / 3 * 4 characters; dst must have room for them and not overlap src. */
DC_INLINE void dc_base64_body(const uint8_t *src, ptrdiff_t n, uint8_t *dst)
{
    while (n >= 6 * BASE64_WORDS + BASE64_PAST) {
        dc_base64_block(src, dst);
        src += 6 * BASE64_WORDS;
        dst += 8 * BASE64_WORDS;
        n -= 6 * BASE64_WORDS;
    }
    for (; n > 0; n -= 3, src += 3, dst += 4) {
        uint32_t three = (uint32_t)src[0] << 16 | (n > 1 ? (uint32_t)src[1] << 8 : 0) | (n > 2 ? src[2] : 0);
        dst[0] = dc_base64_character((uint8_t)(three >> 18));
        dst[1] = dc_base64_character(three >> 12 & 63);
        dst[2] = n > 1 ? dc_base64_character(three >> 6 & 63) : '=';
        dst[3] = n > 2 ? dc_base64_character(three & 63) : '=';
    }
}

DC_DISPATCH(dc_base64, (const uint8_t *src, ptrdiff_t n, uint8_t *dst), (src, n, dst))

#endif
