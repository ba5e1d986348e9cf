/* Reads Huffman-coded differences of JPEG lossless (T.81 H.2.2, F.2.2) at several positions of the bits at once.
 *
 * A chain is a position in the bits and a position in the output. Each look-up depends on the shift and the look-up
 * before it, so that one chain leaves most of the processor idle; three independent chains take little more time than
 * one, and a fourth gains nothing. The bits are free of stuffed zero bytes and have JLL_SLACK readable bytes past their
 * end, so a refill is one unaligned load.
 *
 * This is C because the loops are macros over the number of chains and are compiled once more for BMI2. */
#ifndef DICOMCORE_JPEGLL_CHAINS_H
#define DICOMCORE_JPEGLL_CHAINS_H

#include "jpegll/types.h"

DC_INLINE uint64_t jll_window(const uint8_t *bits, int64_t pos)
{
    uint64_t word;
    memcpy(&word, bits + (pos >> 3), 8);
    return DC_BIG64(word) << (pos & 7);
}

/* Stores four samples at out, of which at most three are differences: the caller advances by their number. */
DC_INLINE void jll_store(uint16_t *out, uint64_t differences)
{
#if DC_BIG_ENDIAN
    out[0] = (uint16_t)differences;
    out[1] = (uint16_t)(differences >> 16);
    out[2] = (uint16_t)(differences >> 32);
#else
    memcpy(out, &differences, 8);
#endif
}

/* The difference of category ssss from the first bits of `window` (T.81 F.2.2.1, figure F.12, without branches). */
DC_INLINE uint16_t jll_extend(uint64_t window, unsigned ssss)
{
    uint64_t value = (window >> 1) >> (63 - ssss);
    uint64_t negative = ~(uint64_t)((int64_t)window >> 63);
    return (uint16_t)(value + (negative & (1 - ((uint64_t)1 << ssss))));
}

/* Reads one difference from `window`, which has at least JLL_LONGEST usable bits; returns the bits that it takes, 0 if
 * they are not a code. */
static inline int jll_one(const jll_table *table, uint64_t window, uint16_t *out)
{
    unsigned entry = table->code[window >> (64 - JLL_CODE_BITS)];
    uint32_t head = (uint32_t)(window >> 48);
    int length = 1, ssss;
    if (entry) {
        *out = jll_extend(window << ((entry & 0xFF) - (entry >> 8)), entry >> 8);
        return entry & 0xFF;
    }
    while (length <= JLL_LONGEST_CODE && head >= table->limit[length])
        length++;
    if (length > JLL_LONGEST_CODE)
        return 0;
    ssss = table->symbols[(table->first[length] + (int32_t)(head >> (16 - length))) & 0xFF];
    if (ssss > 16)
        return 0;
    if (ssss == 16) { /* 32768, without further bits (T.81 H.1.2.2) */
        *out = 0x8000;
        return length;
    }
    *out = jll_extend(window << length, (unsigned)ssss);
    return length + ssss;
}

/* Reads one difference of a chain. */
static inline void jll_step(const jll_table *const *tables, int count, const uint8_t *bits, jll_chain *chain)
{
    int took = jll_one(tables[chain->phase], jll_window(bits, chain->pos), chain->out);
    if (!took) {
        chain->broken = 1;
        return;
    }
    chain->pos += took;
    chain->out++;
    chain->phase = chain->phase + 1 == count ? 0 : chain->phase + 1;
}

/* Each loop runs until one of its chains reaches its stop, is full, or breaks. Local variables replace the chains'
 * fields, as the compiler can't know that `out` doesn't point to them. */
#define JLL_TAKE(c, chain)                   \
    int64_t pos##c = (chain)->pos;           \
    const int64_t stop##c = (chain)->stop;   \
    uint16_t *out##c = (chain)->out;         \
    uint16_t *const full##c = (chain)->full; \
    uint64_t window##c
#define JLL_GIVE(c, chain) ((chain)->pos = pos##c, (chain)->out = out##c)
#define JLL_GOES(c) (pos##c < stop##c && out##c < full##c)
#define JLL_REFILL(c) (window##c = jll_window(bits, pos##c))

#define JLL_SLOW(c, chain)                                           \
    do {                                                             \
        int took = jll_one(table, jll_window(bits, pos##c), out##c); \
        if (!took) {                                                 \
            (chain)->broken = 1;                                     \
            goto done;                                               \
        }                                                            \
        pos##c += took;                                              \
        out##c++;                                                    \
        JLL_REFILL(c);                                               \
    } while (0)

/* Reads one difference; the bits of two steps and of their look-ups fit a window. JLL_SLOW refills the window. */
DC_STATIC_ASSERT(JLL_WINDOW_BITS >= 2 * (JLL_CODE_BITS + JLL_MOST_EXTRA));
DC_STATIC_ASSERT(JLL_GROUP >= 2 * JLL_LONGEST);
#define JLL_WIDE(c, chain)                                                                                       \
    do {                                                                                                         \
        unsigned entry = table->code[window##c >> (64 - JLL_CODE_BITS)], ssss = entry >> 8, took = entry & 0xFF; \
        if (DC_RARELY(!entry)) {                                                                                 \
            JLL_SLOW(c, chain);                                                                                  \
            break;                                                                                               \
        }                                                                                                        \
        *out##c++ = jll_extend(window##c << (took - ssss), ssss);                                                \
        window##c <<= took;                                                                                      \
        pos##c += took;                                                                                          \
    } while (0)

/* Reads up to JLL_TOGETHER differences; JLL_STEPS steps fit a window. An entry of zero repeats itself, so the last step
 * shows whether any step met one. `out` is below `full` before the first step, so that a chain can write past `full`
 * all differences of the steps, a single difference of JLL_SLOW, or the fourth sample of the last store. */
DC_STATIC_ASSERT(JLL_WINDOW_BITS >= JLL_STEPS * JLL_MOST_BITS);
DC_STATIC_ASSERT(JLL_SPILL >= JLL_STEPS * JLL_TOGETHER + 1);
DC_STATIC_ASSERT(JLL_SPILL >= (JLL_STEPS - 1) * JLL_TOGETHER + 4);
#define JLL_SEVERAL(c)                                                    \
    do {                                                                  \
        entry##c = several[window##c >> shift];                           \
        jll_store(out##c, entry##c >> 16);                                \
        out##c = (uint16_t *)((char *)out##c + ((entry##c >> 8) & 0xFF)); \
        window##c <<= entry##c & 63;                                      \
        pos##c += entry##c & 63;                                          \
    } while (0)

DC_INLINE void jll_wide1_body(const jll_table *table, const uint8_t *bits, jll_chain *a)
{
    JLL_TAKE(0, a);
    while (JLL_GOES(0)) {
        JLL_REFILL(0);
        JLL_WIDE(0, a);
        JLL_WIDE(0, a);
    }
done:
    JLL_GIVE(0, a);
}
DC_DISPATCH(jll_wide1, (const jll_table *table, const uint8_t *bits, jll_chain *a), (table, bits, a))

DC_INLINE void jll_wide2_body(const jll_table *table, const uint8_t *bits, jll_chain *a, jll_chain *b)
{
    JLL_TAKE(0, a);
    JLL_TAKE(1, b);
    while (JLL_GOES(0) && JLL_GOES(1)) {
        JLL_REFILL(0);
        JLL_REFILL(1);
        JLL_WIDE(0, a);
        JLL_WIDE(1, b);
        JLL_WIDE(0, a);
        JLL_WIDE(1, b);
    }
done:
    JLL_GIVE(0, a);
    JLL_GIVE(1, b);
}
DC_DISPATCH(jll_wide2, (const jll_table *table, const uint8_t *bits, jll_chain *a, jll_chain *b), (table, bits, a, b))

DC_INLINE void jll_wide3_body(const jll_table *table, const uint8_t *bits, jll_chain *a, jll_chain *b, jll_chain *c)
{
    JLL_TAKE(0, a);
    JLL_TAKE(1, b);
    JLL_TAKE(2, c);
    while (JLL_GOES(0) && JLL_GOES(1) && JLL_GOES(2)) {
        JLL_REFILL(0);
        JLL_REFILL(1);
        JLL_REFILL(2);
        JLL_WIDE(0, a);
        JLL_WIDE(1, b);
        JLL_WIDE(2, c);
        JLL_WIDE(0, a);
        JLL_WIDE(1, b);
        JLL_WIDE(2, c);
    }
done:
    JLL_GIVE(0, a);
    JLL_GIVE(1, b);
    JLL_GIVE(2, c);
}
DC_DISPATCH(jll_wide3, (const jll_table *table, const uint8_t *bits, jll_chain *a, jll_chain *b, jll_chain *c),
            (table, bits, a, b, c))

DC_INLINE void jll_several1_body(const jll_table *table, const jll_several *several, int several_bits,
                                 const uint8_t *bits, jll_chain *a)
{
    const int shift = 64 - several_bits;
    uint64_t entry0;
    JLL_TAKE(0, a);
    while (JLL_GOES(0)) {
        JLL_REFILL(0);
        JLL_SEVERAL(0);
        JLL_SEVERAL(0);
        JLL_SEVERAL(0);
        JLL_SEVERAL(0);
        if (DC_RARELY(!entry0))
            JLL_SLOW(0, a);
    }
done:
    JLL_GIVE(0, a);
}
DC_DISPATCH(jll_several1,
            (const jll_table *table, const jll_several *several, int several_bits, const uint8_t *bits, jll_chain *a),
            (table, several, several_bits, bits, a))

DC_INLINE void jll_several2_body(const jll_table *table, const jll_several *several, int several_bits,
                                 const uint8_t *bits, jll_chain *a, jll_chain *b)
{
    const int shift = 64 - several_bits;
    uint64_t entry0, entry1;
    JLL_TAKE(0, a);
    JLL_TAKE(1, b);
    while (JLL_GOES(0) && JLL_GOES(1)) {
        JLL_REFILL(0);
        JLL_REFILL(1);
        JLL_SEVERAL(0);
        JLL_SEVERAL(1);
        JLL_SEVERAL(0);
        JLL_SEVERAL(1);
        JLL_SEVERAL(0);
        JLL_SEVERAL(1);
        JLL_SEVERAL(0);
        JLL_SEVERAL(1);
        if (DC_RARELY(!entry0))
            JLL_SLOW(0, a);
        if (DC_RARELY(!entry1))
            JLL_SLOW(1, b);
    }
done:
    JLL_GIVE(0, a);
    JLL_GIVE(1, b);
}
DC_DISPATCH(jll_several2,
            (const jll_table *table, const jll_several *several, int several_bits, const uint8_t *bits, jll_chain *a,
             jll_chain *b),
            (table, several, several_bits, bits, a, b))

DC_INLINE void jll_several3_body(const jll_table *table, const jll_several *several, int several_bits,
                                 const uint8_t *bits, jll_chain *a, jll_chain *b, jll_chain *c)
{
    const int shift = 64 - several_bits;
    uint64_t entry0, entry1, entry2;
    JLL_TAKE(0, a);
    JLL_TAKE(1, b);
    JLL_TAKE(2, c);
    while (JLL_GOES(0) && JLL_GOES(1) && JLL_GOES(2)) {
        JLL_REFILL(0);
        JLL_REFILL(1);
        JLL_REFILL(2);
        JLL_SEVERAL(0);
        JLL_SEVERAL(1);
        JLL_SEVERAL(2);
        JLL_SEVERAL(0);
        JLL_SEVERAL(1);
        JLL_SEVERAL(2);
        JLL_SEVERAL(0);
        JLL_SEVERAL(1);
        JLL_SEVERAL(2);
        JLL_SEVERAL(0);
        JLL_SEVERAL(1);
        JLL_SEVERAL(2);
        if (DC_RARELY(!entry0))
            JLL_SLOW(0, a);
        if (DC_RARELY(!entry1))
            JLL_SLOW(1, b);
        if (DC_RARELY(!entry2))
            JLL_SLOW(2, c);
    }
done:
    JLL_GIVE(0, a);
    JLL_GIVE(1, b);
    JLL_GIVE(2, c);
}
DC_DISPATCH(jll_several3,
            (const jll_table *table, const jll_several *several, int several_bits, const uint8_t *bits, jll_chain *a,
             jll_chain *b, jll_chain *c),
            (table, several, several_bits, bits, a, b, c))

/* As JLL_SEVERAL, for components with their own tables, one behind the other: an entry states the next component. */
#define JLL_TURNS(c)                                                      \
    do {                                                                  \
        entry##c = several[turn##c | (window##c >> shift)];               \
        jll_store(out##c, entry##c >> 16);                                \
        out##c = (uint16_t *)((char *)out##c + ((entry##c >> 8) & 0xFF)); \
        window##c <<= entry##c & 63;                                      \
        pos##c += entry##c & 63;                                          \
        turn##c = (entry##c >> 6 & 3) << several_bits;                    \
    } while (0)

#define JLL_TURNS_SLOW(c, chain)                                                                                  \
    do {                                                                                                          \
        const jll_table *table = tables[turn##c >> several_bits];                                                 \
        JLL_SLOW(c, chain);                                                                                       \
        turn##c = (turn##c >> several_bits) + 1 == (uint64_t)count ? 0 : turn##c + ((uint64_t)1 << several_bits); \
    } while (0)

DC_INLINE void jll_turns1_body(const jll_table *const *tables, int count, const jll_several *several, int several_bits,
                               const uint8_t *bits, jll_chain *a)
{
    const int shift = 64 - several_bits;
    uint64_t entry0, turn0 = (uint64_t)a->phase << several_bits;
    JLL_TAKE(0, a);
    while (JLL_GOES(0)) {
        JLL_REFILL(0);
        JLL_TURNS(0);
        JLL_TURNS(0);
        JLL_TURNS(0);
        JLL_TURNS(0);
        if (DC_RARELY(!(entry0 & 63)))
            JLL_TURNS_SLOW(0, a);
    }
done:
    a->phase = (int)(turn0 >> several_bits);
    JLL_GIVE(0, a);
}
DC_DISPATCH(jll_turns1,
            (const jll_table *const *tables, int count, const jll_several *several, int several_bits,
             const uint8_t *bits, jll_chain *a),
            (tables, count, several, several_bits, bits, a))

DC_INLINE void jll_turns2_body(const jll_table *const *tables, int count, const jll_several *several, int several_bits,
                               const uint8_t *bits, jll_chain *a, jll_chain *b)
{
    const int shift = 64 - several_bits;
    uint64_t entry0, entry1, turn0 = (uint64_t)a->phase << several_bits, turn1 = (uint64_t)b->phase << several_bits;
    JLL_TAKE(0, a);
    JLL_TAKE(1, b);
    while (JLL_GOES(0) && JLL_GOES(1)) {
        JLL_REFILL(0);
        JLL_REFILL(1);
        JLL_TURNS(0);
        JLL_TURNS(1);
        JLL_TURNS(0);
        JLL_TURNS(1);
        JLL_TURNS(0);
        JLL_TURNS(1);
        JLL_TURNS(0);
        JLL_TURNS(1);
        if (DC_RARELY(!(entry0 & 63)))
            JLL_TURNS_SLOW(0, a);
        if (DC_RARELY(!(entry1 & 63)))
            JLL_TURNS_SLOW(1, b);
    }
done:
    a->phase = (int)(turn0 >> several_bits);
    b->phase = (int)(turn1 >> several_bits);
    JLL_GIVE(0, a);
    JLL_GIVE(1, b);
}
DC_DISPATCH(jll_turns2,
            (const jll_table *const *tables, int count, const jll_several *several, int several_bits,
             const uint8_t *bits, jll_chain *a, jll_chain *b),
            (tables, count, several, several_bits, bits, a, b))

#endif
