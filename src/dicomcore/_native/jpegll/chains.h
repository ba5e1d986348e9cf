/* Reads Huffman-coded differences of JPEG lossless (T.81 H.2.2, F.2.2) at several positions of the bits at once.
 *
 * A chain is a position in the bits and a position in the output. Each look-up depends on the shift and the look-up
 * before it, some eight cycles, so that one chain leaves most of the processor idle; six independent chains keep it
 * busy. The bits are free of stuffed zero bytes and have JLL_SLACK readable bytes past their end, so a refill is one
 * unaligned load.
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

/* Finds the code at the start of `window` length by length; returns SSSS << 8 | bits of code and difference, 0 if there
 * is no such code. */
static inline unsigned jll_find(const jll_table *table, uint64_t window)
{
    uint32_t head = (uint32_t)(window >> 48);
    int length = 1;
    unsigned ssss;
    while (length <= JLL_LONGEST_CODE && head >= table->limit[length])
        length++;
    if (length > JLL_LONGEST_CODE)
        return 0;
    ssss = table->symbols[(table->first[length] + (int32_t)(head >> (16 - length))) & 0xFF];
    if (ssss > 16)
        return 0;
    return ssss << 8 | ((unsigned)length + (ssss == 16 ? 0 : ssss)); /* 16: no further bits (T.81 H.1.2.2) */
}

/* Reads one difference from `window`, which has at least JLL_LONGEST usable bits; returns the bits that it takes, 0 if
 * they are not a code. */
static inline int jll_one(const jll_table *table, uint64_t window, uint16_t *out)
{
    unsigned entry = table->code[window >> (64 - JLL_CODE_BITS)], ssss, took;
    if (!entry)
        entry = jll_find(table, window);
    ssss = entry >> 8;
    took = entry & 0xFF;
    *out = ssss == 16 ? 0x8000 : jll_extend(window << (took - ssss), ssss);
    return (int)took;
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

/* The number of times that each of `count` chains can take a group of differences, `most` at most: a group begins
 * before the chain's stop and before its output is full. */
static inline ptrdiff_t jll_rounds(jll_chain *const *chains, int count, int most)
{
    int64_t rounds = INT32_MAX;
    int k;
    for (k = 0; k < count; k++) {
        int64_t bits = (chains[k]->stop - chains[k]->pos + JLL_GROUP - 1) / JLL_GROUP;
        int64_t room = (chains[k]->full - chains[k]->out + most - 1) / most;
        bits = chains[k]->broken ? 0 : bits;
        rounds = bits < rounds ? bits : rounds;
        rounds = room < rounds ? room : rounds;
    }
    return (ptrdiff_t)rounds;
}

/* The loops below run until one of their chains reaches its stop, is full, or breaks. They count the groups that surely
 * fit first, so that the groups themselves check nothing. Local variables replace the chains' fields, as the compiler
 * can't know that `out` doesn't point to them. EACH applies a macro to the number of each chain. */
#define JLL_EACH1(M) M(0);
#define JLL_EACH2(M) JLL_EACH1(M) M(1);
#define JLL_EACH3(M) JLL_EACH2(M) M(2);
#define JLL_EACH4(M) JLL_EACH3(M) M(3);
#define JLL_EACH5(M) JLL_EACH4(M) M(4);
#define JLL_EACH6(M) JLL_EACH5(M) M(5);

#define JLL_REFILL(c) (window##c = jll_window(bits, pos##c), taken##c = 0)

/* Several differences by one look-up. JLL_STEPS steps fit a window; `taken` adds up their entries, so that bits and
 * output advance once a group. An entry of zero repeats itself, so the last step shows whether any step met one; then
 * the next difference is read alone. `out` is below `full` before the first step, so that a chain can write past `full`
 * all differences of the steps, a single difference, or the fourth sample of the last store. */
DC_STATIC_ASSERT(JLL_WINDOW_BITS >= JLL_STEPS * JLL_MOST_BITS);
DC_STATIC_ASSERT(JLL_STEPS *JLL_MOST_BITS < 256);
DC_STATIC_ASSERT(JLL_SPILL >= JLL_STEPS * JLL_TOGETHER + 1);
DC_STATIC_ASSERT(JLL_SPILL >= (JLL_STEPS - 1) * JLL_TOGETHER + 4);
#define JLL_SEVERAL_TAKE(c)            \
    int64_t pos##c = chains[c]->pos;   \
    uint16_t *out##c = chains[c]->out; \
    uint64_t window##c, taken##c
#define JLL_SEVERAL_GIVE(c) (chains[c]->pos = pos##c, chains[c]->out = out##c)
#define JLL_SEVERAL_STEP(c)                                                              \
    do {                                                                                 \
        uint64_t entry = several[window##c >> shift];                                    \
        jll_store((uint16_t *)((char *)out##c + ((taken##c >> 8) & 0xFF)), entry >> 16); \
        window##c <<= entry & 63;                                                        \
        taken##c += entry;                                                               \
    } while (0)
#define JLL_SEVERAL_LAST(c)                                                              \
    do {                                                                                 \
        uint64_t entry = several[window##c >> shift];                                    \
        jll_store((uint16_t *)((char *)out##c + ((taken##c >> 8) & 0xFF)), entry >> 16); \
        taken##c += entry;                                                               \
        out##c = (uint16_t *)((char *)out##c + ((taken##c >> 8) & 0xFF));                \
        pos##c += taken##c & 0xFF;                                                       \
        if (DC_RARELY(!(entry & 63))) {                                                  \
            int took = jll_one(table, jll_window(bits, pos##c), out##c);                 \
            pos##c += took;                                                              \
            out##c += took != 0;                                                         \
            chains[c]->broken = !took;                                                   \
            broken |= !took;                                                             \
        }                                                                                \
    } while (0)

#define JLL_SEVERAL_PARAMS                                                                      \
    (const jll_table *table, const jll_several *several, int several_bits, const uint8_t *bits, \
     jll_chain *const *chains)
#define JLL_SEVERAL(count)                                                                                      \
    DC_INLINE void jll_several##count##_body JLL_SEVERAL_PARAMS                                                 \
    {                                                                                                           \
        const int shift = 64 - several_bits;                                                                    \
        ptrdiff_t rounds;                                                                                       \
        int broken = 0;                                                                                         \
        while ((rounds = jll_rounds(chains, count, JLL_STEPS * JLL_TOGETHER)) > 0) {                            \
            JLL_EACH##count(JLL_SEVERAL_TAKE) do                                                                \
            {                                                                                                   \
                JLL_EACH##count(JLL_REFILL) JLL_EACH##count(JLL_SEVERAL_STEP) JLL_EACH##count(JLL_SEVERAL_STEP) \
                    JLL_EACH##count(JLL_SEVERAL_STEP) JLL_EACH##count(JLL_SEVERAL_LAST)                         \
            }                                                                                                   \
            while (--rounds && !broken)                                                                         \
                ;                                                                                               \
            JLL_EACH##count(JLL_SEVERAL_GIVE)                                                                   \
        }                                                                                                       \
    }                                                                                                           \
    DC_DISPATCH(jll_several##count, JLL_SEVERAL_PARAMS, (table, several, several_bits, bits, chains))
JLL_SEVERAL(1)
JLL_SEVERAL(2)
JLL_SEVERAL(3)
JLL_SEVERAL(4)
JLL_SEVERAL(5)
JLL_SEVERAL(6)

/* One difference by each look-up, for images of many bits a sample. To find the next code takes few instructions, to
 * extend a difference takes many; so the chains only store windows and entries, and jll_finish() computes the
 * differences of a batch, several at once where the machine can. */
enum { JLL_BATCH = 240 };
DC_STATIC_ASSERT(JLL_BATCH % 6 == 0);
DC_STATIC_ASSERT(3 * JLL_SHORT < 256 && 2 * JLL_LONG < 256);

typedef struct {
    uint32_t windows[JLL_BATCH]; /* the bits from a code on */
    uint16_t entries[JLL_BATCH]; /* SSSS << 8 | bits of code and difference */
} jll_batch;

/* Stores the `count` differences of a batch at out. */
DC_INLINE void jll_finish(const jll_batch *batch, ptrdiff_t count, uint16_t *DC_RESTRICT out)
{
    ptrdiff_t k;
    for (k = 0; k < count; k++) {
        uint32_t entry = batch->entries[k], ssss = entry >> 8;
        uint32_t window = batch->windows[k] << ((entry & 0xFF) - ssss);
        uint32_t value = (window >> 1) >> (31 - ssss);
        uint32_t negative = ~(uint32_t)((int32_t)window >> 31);
        out[k] = (uint16_t)(value + (negative & (1 - ((uint32_t)1 << ssss))));
    }
}

/* Appends to a batch a difference whose entry of `code` is 0; returns the bits that it takes, 0 if they are not a code.
 * SSSS 16 stands for 32768 without further bits, which jll_finish() takes from a window that begins with a one. */
static inline int jll_append(const jll_table *table, uint64_t window, uint32_t *to, uint16_t *entry)
{
    unsigned found = jll_find(table, window);
    *to = found >> 8 == 16 ? 0x80000000 : (uint32_t)(window >> 32);
    *entry = (uint16_t)(found >> 8 == 16 ? 16 << 8 | 16 : found);
    return found & 0xFF;
}

#define JLL_WIDE_TAKE(c)                     \
    int64_t pos##c = chains[c]->pos;         \
    uint32_t *to##c = batches[c].windows;    \
    uint16_t *entry##c = batches[c].entries; \
    uint64_t window##c;                      \
    unsigned taken##c
#define JLL_WIDE_GIVE(c)                                                     \
    do {                                                                     \
        jll_finish(&batches[c], to##c - batches[c].windows, chains[c]->out); \
        chains[c]->out += to##c - batches[c].windows;                        \
        chains[c]->pos = pos##c;                                             \
    } while (0)
#define JLL_WIDE_STEP(c, k)                                        \
    do {                                                           \
        unsigned entry = codes[window##c >> (64 - JLL_CODE_BITS)]; \
        to##c[k] = (uint32_t)(window##c >> 32);                    \
        entry##c[k] = (uint16_t)entry;                             \
        window##c <<= entry & 63;                                  \
        taken##c += entry;                                         \
    } while (0)
#define JLL_WIDE_0(c) JLL_WIDE_STEP(c, 0)
#define JLL_WIDE_1(c) JLL_WIDE_STEP(c, 1)
#define JLL_WIDE_2(c) JLL_WIDE_STEP(c, 2)
/* After an entry of zero, the group's steps behind it repeat it. */
#define JLL_WIDE_LAST(c, steps)                                                                \
    do {                                                                                       \
        pos##c += taken##c & 0xFF;                                                             \
        if (DC_RARELY(!entry##c[steps - 1])) {                                                 \
            int took, kept = !entry##c[0] ? 0 : steps == 2 || !entry##c[1] ? 1 : 2;            \
            took = jll_append(table, jll_window(bits, pos##c), to##c + kept, entry##c + kept); \
            pos##c += took;                                                                    \
            to##c += kept + (took != 0);                                                       \
            entry##c += kept + (took != 0);                                                    \
            chains[c]->broken = !took;                                                         \
            broken |= !took;                                                                   \
            break;                                                                             \
        }                                                                                      \
        to##c += steps;                                                                        \
        entry##c += steps;                                                                     \
    } while (0)
#define JLL_WIDE_LAST2(c) JLL_WIDE_LAST(c, 2)
#define JLL_WIDE_LAST3(c) JLL_WIDE_LAST(c, 3)

#define JLL_WIDE_PARAMS (const jll_table *table, const uint8_t *bits, jll_chain *const *chains)
#define JLL_WIDE(count)                                                                                      \
    DC_INLINE void jll_wide##count##_body JLL_WIDE_PARAMS                                                    \
    {                                                                                                        \
        const uint16_t *const codes = table->code;                                                           \
        const int steps = table->most == JLL_SHORT ? 3 : 2;                                                  \
        jll_batch batches[count];                                                                            \
        ptrdiff_t rounds;                                                                                    \
        int broken = 0;                                                                                      \
        while ((rounds = jll_rounds(chains, count, steps)) > 0) {                                            \
            JLL_EACH##count(JLL_WIDE_TAKE) rounds = rounds < JLL_BATCH / steps ? rounds : JLL_BATCH / steps; \
            if (steps == 3)                                                                                  \
                do {                                                                                         \
                    JLL_EACH##count(JLL_REFILL) JLL_EACH##count(JLL_WIDE_0) JLL_EACH##count(JLL_WIDE_1)      \
                        JLL_EACH##count(JLL_WIDE_2) JLL_EACH##count(JLL_WIDE_LAST3)                          \
                } while (--rounds && !broken);                                                               \
            else                                                                                             \
                do {                                                                                         \
                    JLL_EACH##count(JLL_REFILL) JLL_EACH##count(JLL_WIDE_0) JLL_EACH##count(JLL_WIDE_1)      \
                        JLL_EACH##count(JLL_WIDE_LAST2)                                                      \
                } while (--rounds && !broken);                                                               \
            JLL_EACH##count(JLL_WIDE_GIVE)                                                                   \
        }                                                                                                    \
    }                                                                                                        \
    DC_DISPATCH(jll_wide##count, JLL_WIDE_PARAMS, (table, bits, chains))
JLL_WIDE(1)
JLL_WIDE(2)
JLL_WIDE(3)
JLL_WIDE(4)
JLL_WIDE(5)

/* As above, for components with their own tables, one behind the other: an entry states the next component. */
#define JLL_TURNS_TAKE(c)              \
    int64_t pos##c = chains[c]->pos;   \
    uint16_t *out##c = chains[c]->out; \
    uint64_t window##c, entry##c, turn##c = (uint64_t)chains[c]->phase << several_bits
#define JLL_TURNS_GIVE(c) \
    (chains[c]->pos = pos##c, chains[c]->out = out##c, chains[c]->phase = (int)(turn##c >> several_bits))
#define JLL_TURNS_REFILL(c) (window##c = jll_window(bits, pos##c))
#define JLL_TURNS_STEP(c)                                                 \
    do {                                                                  \
        entry##c = several[turn##c | (window##c >> shift)];               \
        jll_store(out##c, entry##c >> 16);                                \
        out##c = (uint16_t *)((char *)out##c + ((entry##c >> 8) & 0xFF)); \
        window##c <<= entry##c & 63;                                      \
        pos##c += entry##c & 63;                                          \
        turn##c = (entry##c >> 6 & 3) << several_bits;                    \
    } while (0)
#define JLL_TURNS_LAST(c)                                                                                             \
    do {                                                                                                              \
        if (DC_RARELY(!(entry##c & 63))) {                                                                            \
            int took = jll_one(tables[turn##c >> several_bits], jll_window(bits, pos##c), out##c);                    \
            chains[c]->broken = !took;                                                                                \
            broken |= !took;                                                                                          \
            if (!took)                                                                                                \
                break;                                                                                                \
            pos##c += took;                                                                                           \
            out##c++;                                                                                                 \
            turn##c = (turn##c >> several_bits) + 1 == (uint64_t)count ? 0 : turn##c + ((uint64_t)1 << several_bits); \
        }                                                                                                             \
    } while (0)

#define JLL_TURNS_PARAMS                                                                                           \
    (const jll_table *const *tables, int count, const jll_several *several, int several_bits, const uint8_t *bits, \
     jll_chain *const *chains)
#define JLL_TURNS(number)                                                                                              \
    DC_INLINE void jll_turns##number##_body JLL_TURNS_PARAMS                                                           \
    {                                                                                                                  \
        const int shift = 64 - several_bits;                                                                           \
        ptrdiff_t rounds;                                                                                              \
        int broken = 0;                                                                                                \
        while ((rounds = jll_rounds(chains, number, JLL_STEPS * JLL_TOGETHER)) > 0) {                                  \
            JLL_EACH##number(JLL_TURNS_TAKE) do                                                                        \
            {                                                                                                          \
                JLL_EACH##number(JLL_TURNS_REFILL) JLL_EACH##number(JLL_TURNS_STEP) JLL_EACH##number(JLL_TURNS_STEP)   \
                    JLL_EACH##number(JLL_TURNS_STEP) JLL_EACH##number(JLL_TURNS_STEP) JLL_EACH##number(JLL_TURNS_LAST) \
            }                                                                                                          \
            while (--rounds && !broken)                                                                                \
                ;                                                                                                      \
            JLL_EACH##number(JLL_TURNS_GIVE)                                                                           \
        }                                                                                                              \
    }                                                                                                                  \
    DC_DISPATCH(jll_turns##number, JLL_TURNS_PARAMS, (tables, count, several, several_bits, bits, chains))
JLL_TURNS(1)
JLL_TURNS(2)
JLL_TURNS(3)
JLL_TURNS(4)

/* Runs the first of `count` chains, as many as a loop has, until one of them reaches its stop, is full, or breaks. */
static inline void jll_run_several(const jll_table *table, const jll_several *several, int several_bits,
                                   const uint8_t *bits, jll_chain *const *chains, int count)
{
    switch (count) {
    case 1:
        jll_several1(table, several, several_bits, bits, chains);
        break;
    case 2:
        jll_several2(table, several, several_bits, bits, chains);
        break;
    case 3:
        jll_several3(table, several, several_bits, bits, chains);
        break;
    case 4:
        jll_several4(table, several, several_bits, bits, chains);
        break;
    case 5:
        jll_several5(table, several, several_bits, bits, chains);
        break;
    default:
        jll_several6(table, several, several_bits, bits, chains);
    }
}

static inline void jll_run_wide(const jll_table *table, const uint8_t *bits, jll_chain *const *chains, int count)
{
    switch (count) {
    case 1:
        jll_wide1(table, bits, chains);
        break;
    case 2:
        jll_wide2(table, bits, chains);
        break;
    case 3:
        jll_wide3(table, bits, chains);
        break;
    case 4:
        jll_wide4(table, bits, chains);
        break;
    default:
        jll_wide5(table, bits, chains);
    }
}

static inline void jll_run_turns(const jll_table *const *tables, int components, const jll_several *several,
                                 int several_bits, const uint8_t *bits, jll_chain *const *chains, int count)
{
    switch (count) {
    case 1:
        jll_turns1(tables, components, several, several_bits, bits, chains);
        break;
    case 2:
        jll_turns2(tables, components, several, several_bits, bits, chains);
        break;
    case 3:
        jll_turns3(tables, components, several, several_bits, bits, chains);
        break;
    default:
        jll_turns4(tables, components, several, several_bits, bits, chains);
    }
}

#endif
