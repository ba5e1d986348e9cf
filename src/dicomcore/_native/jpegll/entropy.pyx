"""Decodes the entropy-coded data of JPEG lossless to differences (T.81 H.2)."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset

from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.base.fault cimport CORRUPT, NO_MEMORY, OK, Status, TRUNCATED
from dicomcore._native.jpegll.markers cimport Codes

cdef extern from "jpegll/chains.h" nogil:
    uint64_t jll_window(const uint8_t* bits, int64_t pos)
    uint16_t jll_extend(uint64_t window, unsigned int ssss)
    int jll_one(const jll_table* table, uint64_t window, uint16_t* out)
    void jll_step(const jll_table* const* tables, int count, const uint8_t* bits, jll_chain* chain)
    void jll_run_turns(const jll_table* const* tables, int components, const jll_several* several, int several_bits,
                       const uint8_t* bits, jll_chain* const* chains, int count)
    void jll_run_several(const jll_table* table, const jll_several* several, int several_bits, const uint8_t* bits,
                         jll_chain* const* chains, int count)
    void jll_run_wide(const jll_table* table, const uint8_t* bits, jll_chain* const* chains, int count)

cdef extern from "jpegll/unstuff.h" nogil:
    Py_ssize_t jll_unstuff(const uint8_t* src, Py_ssize_t count, uint8_t* dst, Py_ssize_t room, Py_ssize_t* took)

cdef enum:
    CHAINS = JLL_CHAINS             # most chains that run together
    WIDE = 5                        # most chains if each look-up gives one difference
    TURNS = 4                       # most chains if components have their own tables
    CHANCES = 64                    # positions logged for chains to fall into step; at most LOGGED
    CLEAN = CHAINS * REGION         # bytes of `clean` without its slack
    WORTH = 384                     # fewest bytes for which another chain gains more than its start costs


# -- tables

cdef Status build_table(jll_table* table, const Codes* codes) noexcept nogil:
    # Build the look-up of canonical codes (T.81 C.2) by their first bits; longer codes are found by length.
    cdef uint32_t code = 0
    cdef int length, index = 0, j
    memset(table, 0, sizeof(jll_table))
    for j in range(256):
        table.symbols[j] = codes.symbols[j]
    for length in range(1, 17):
        table.first[length] = index - <int>code
        for _ in range(codes.counts[length]):
            code += 1
            index += 1
        if code > <uint32_t>1 << length:        # more codes than there are of this length
            return CORRUPT
        table.limit[length] = code << (16 - length)
        code <<= 1
    table.limit[17] = 0x10000
    return OK


cdef void build_codes(jll_table* table, const Codes* codes, int most) noexcept nogil:
    # Build the look-up of single differences of at most `most` bits.
    cdef uint32_t code = 0, k, step
    cdef int length, index = 0, ssss, total
    table.most = most
    for length in range(1, JLL_CODE_BITS + 1):
        step = 1 << (JLL_CODE_BITS - length)
        for _ in range(codes.counts[length]):
            ssss = codes.symbols[index]
            total = length + ssss
            if ssss < 16 and total <= most:
                for k in range(code * step, (code + 1) * step):
                    table.code[k] = <uint16_t>(ssss << 8 | total)
            code += 1
            index += 1
        code <<= 1


cdef void build_singles(uint32_t* singles, const Codes* codes, int bits) noexcept nogil:
    # For each window: its first difference << 16 | 2 << 8 | the bits that it takes; 0 if it doesn't fit the window.
    cdef uint32_t code = 0, k, step, value
    cdef int length, index = 0, ssss, total
    memset(singles, 0, (<size_t>1 << bits) * sizeof(uint32_t))
    for length in range(1, bits + 1):
        step = 1 << (bits - length)
        for _ in range(codes.counts[length]):
            ssss = codes.symbols[index]
            total = length + (0 if ssss == 16 else ssss)
            if ssss <= 16 and total <= bits:
                for k in range(step):
                    value = 0x8000 if ssss == 16 else jll_extend(<uint64_t>k << (64 - bits + length), ssss)
                    singles[code * step + k] = value << 16 | 2 << 8 | total
            code += 1
            index += 1
        code <<= 1


cdef void build_several(jll_several* several, const uint32_t* singles, int turn, int count, int bits) noexcept nogil:
    # Build the look-up of jpegll/types.h for windows that begin at component `turn`; `singles` has the windows of each
    # component. What doesn't fit is masked, as branches on it could not be predicted.
    cdef uint32_t size = <uint32_t>1 << bits, mask = size - 1, k, a, b, c, used, fits
    cdef const uint32_t* first = singles + turn * size
    cdef const uint32_t* second = singles + (turn + 1) % count * size
    cdef const uint32_t* third = singles + (turn + 2) % count * size
    cdef uint64_t next[4]
    cdef int j
    for j in range(4):
        next[j] = (turn + j) % count << 6
    for k in range(size):
        a = first[k]
        used = a & 63
        b = second[(k << used) & mask]
        fits = (a != 0) & (used + (b & 63) <= <uint32_t>bits)
        b &= 0 - fits
        used += b & 63
        c = third[(k << used) & mask]
        fits = (b != 0) & (used + (c & 63) <= <uint32_t>bits)
        c &= 0 - fits
        several[k] = ((<uint64_t>(a >> 16) << 16) + (<uint64_t>(b >> 16) << 32) + (<uint64_t>(c >> 16) << 48)
                      + (a & 0xFFFF) + (b & 0xFFFF) + (c & 0xFFFF))
        several[k] += next[(several[k] >> 9) & 3]


cdef Status build_all_several(Tables* tables, const Codes** codes, int bits) noexcept nogil:
    cdef Py_ssize_t size = tables.count * (<Py_ssize_t>1 << bits)
    cdef uint32_t* singles
    cdef int j
    tables.several_bits = bits
    tables.several = <jll_several*>malloc(size * (sizeof(jll_several) + sizeof(uint32_t)))
    if tables.several == NULL:
        return NO_MEMORY
    singles = <uint32_t*>(tables.several + size)                    # scratch behind the tables
    for j in range(tables.count):
        build_singles(singles + (j << bits), codes[j], bits)
    for j in range(tables.count):
        build_several(tables.several + (j << bits), singles, j, tables.count, bits)
    return OK


cdef int several_bits_for(Py_ssize_t samples, double bits_each, int count) noexcept nogil:
    # The index bits of the look-up of several differences, 0 if it doesn't pay off: building an entry costs about as
    # much as decoding one or two samples, and each difference that doesn't fit costs a mispredicted branch.
    if samples < 4096 or bits_each > (9 if count > 1 else 8):
        return 0
    if samples < 1 << 17:
        return 9 if samples < 1 << 15 else 10
    if count > 1:
        return 10
    if samples < 1 << 19:
        return 12 if bits_each > 3 else 11
    return 13 if bits_each > 4.5 else 12


cdef bint alike(const Codes* a, const Codes* b) noexcept nogil:
    return a == b or (memcmp(a.counts, b.counts, sizeof(a.counts)) == 0
                      and memcmp(a.symbols, b.symbols, a.total) == 0)


cdef Status build_tables(Tables* tables, const Codes** codes, int count, Py_ssize_t samples,
                         double bits_each) noexcept nogil:
    # Build the tables of a scan of `count` components and `samples` samples of about `bits_each` bits.
    cdef Status status
    cdef int j, bits
    memset(tables, 0, sizeof(Tables))
    tables.count = 1
    for j in range(1, count):
        if not alike(codes[j], codes[0]):
            tables.count = count
    tables.owned = <jll_table*>malloc(tables.count * sizeof(jll_table))
    if tables.owned == NULL:
        return NO_MEMORY
    for j in range(tables.count):
        status = build_table(&tables.owned[j], codes[j])
        if status != OK:
            return status
        build_codes(&tables.owned[j], codes[j], JLL_SHORT if bits_each < 10 else JLL_LONG)
    for j in range(count):
        tables.turn[j] = &tables.owned[j if tables.count > 1 else 0]
    bits = several_bits_for(samples, bits_each, tables.count)
    return build_all_several(tables, codes, bits) if bits else OK


cdef void free_tables(Tables* tables) noexcept nogil:
    free(tables.owned)
    free(tables.several)
    tables.owned = NULL
    tables.several = NULL


# -- bits

cdef Status open_bits(Bits* bits, const uint8_t* src, Py_ssize_t n, Py_ssize_t i) noexcept nogil:
    memset(bits, 0, sizeof(Bits))
    bits.src = src
    bits.n = bits.cap = n
    bits.clean = <uint8_t*>malloc(min(n - i, <Py_ssize_t>CLEAN) + JLL_SLACK)
    if bits.clean == NULL:
        return NO_MEMORY
    begin_interval(bits, i)
    return OK


cdef void free_bits(Bits* bits) noexcept nogil:
    free(bits.clean)
    bits.clean = NULL


cdef void begin_interval(Bits* bits, Py_ssize_t i) noexcept nogil:
    bits.i = bits.began = i
    bits.dropped = 0
    bits.held = 0
    bits.pos = 0
    bits.ended = False


cdef void fill(Bits* bits) noexcept nogil:
    # Drop the bytes that were read, and fill `clean` from src without the zero that is stuffed after each 0xFF (T.81
    # B.1.1.5); stops at a marker and at the cap.
    cdef Py_ssize_t spent = <Py_ssize_t>(bits.pos >> 3), room, part
    cdef const uint8_t* found
    cdef const uint8_t* src = bits.src
    memmove(bits.clean, bits.clean + spent, bits.held - spent)
    bits.held -= spent
    bits.dropped += spent
    bits.pos -= 8 * spent
    bits.held += jll_unstuff(src + bits.i, bits.cap - bits.i, bits.clean + bits.held, CLEAN - bits.held, &part)
    bits.i += part
    while not bits.ended:                   # what is left of the last blocks
        room = min(<Py_ssize_t>CLEAN - bits.held, bits.cap - bits.i)
        if room == 0:
            bits.ended = bits.i == bits.cap
            break
        found = <const uint8_t*>memchr(src + bits.i, 0xFF, room)
        part = found - (src + bits.i) if found != NULL else room
        memcpy(bits.clean + bits.held, src + bits.i, part)
        bits.held += part
        bits.i += part
        if found == NULL:
            continue
        if bits.cap - bits.i < 2 or src[bits.i + 1] != 0:
            bits.ended = True               # a marker, fill bytes before one, or half of one
        else:
            bits.clean[bits.held] = 0xFF
            bits.held += 1
            bits.i += 2
    memset(bits.clean + bits.held, 0, JLL_SLACK)


cdef Py_ssize_t place_of(const Bits* bits) noexcept nogil:
    # The offset in src of the byte that contains the next bit.
    cdef int64_t left = bits.dropped + (bits.pos >> 3)
    cdef Py_ssize_t k = bits.began
    while left > 0 and k < bits.i:
        k += 2 if bits.src[k] == 0xFF else 1
        left -= 1
    return min(k, bits.n)


# -- differences

cdef Py_ssize_t room_for(Py_ssize_t want) noexcept nogil:
    # Samples for which `out` of read_differences() must have room: no chain gives more than it has bits, or than
    # `want`.
    return min(CHAINS * want, <Py_ssize_t>8 * CLEAN) + CHAINS * 2 * JLL_SPILL


cdef inline bint goes(const jll_chain* chain) noexcept nogil:
    return chain.pos < chain.stop and chain.out < chain.full and not chain.broken


cdef void run_some(const Tables* tables, const uint8_t* bits, jll_chain** chains, int count) noexcept nogil:
    # Run `count` chains until one of them reaches its stop, is full, or breaks.
    if tables.count == 1 and tables.several != NULL:
        jll_run_several(tables.turn[0], tables.several, tables.several_bits, bits, chains, count)
    elif tables.count == 1:
        jll_run_wide(tables.turn[0], bits, chains, count)
    elif tables.several != NULL:
        jll_run_turns(tables.turn, tables.count, tables.several, tables.several_bits, bits, chains, count)
    else:
        while goes(chains[0]):
            jll_step(tables.turn, tables.count, bits, chains[0])


cdef void run_together(const Tables* tables, const uint8_t* bits, jll_chain* chains, int count) noexcept nogil:
    # Run all chains but the last to their stops; the last one runs only while another chain runs too. At least one
    # chain ends in each round.
    cdef jll_chain* live[CHAINS]
    cdef int n, k
    while True:
        n = 0
        for k in range(count):
            if goes(&chains[k]):
                live[n] = &chains[k]
                n += 1
        if n == 0 or live[0] == &chains[count - 1]:
            return
        run_some(tables, bits, live, n)


cdef inline bint log_step(const Tables* tables, const uint8_t* bits, jll_chain* chain, Start* start) noexcept nogil:
    # Read a chain's next sample and log where it begins; False: the chain has ended.
    if not goes(chain):
        return False
    start.log[start.logged] = chain.pos
    start.phases[start.logged] = chain.phase
    start.logged += 1
    jll_step(tables.turn, tables.count, bits, chain)
    return True


cdef void start_anywhere(const Tables* tables, const uint8_t* bits, jll_chain* chain, Start* start,
                         int most) noexcept nogil:
    # Read at most `most` first samples of a chain, and log where each begins.
    start.logged = 0
    start.begin = chain.out
    while start.logged < most and log_step(tables, bits, chain, start):
        pass


cdef void start_together(const Tables* tables, const uint8_t* bits, jll_chain* chains, Start* starts,
                         int count) noexcept nogil:
    # As start_anywhere(), for chains[1] to chains[count - 1] in turns, as none waits for another.
    cdef int k
    for k in range(1, count):
        starts[k].logged = 0
        starts[k].begin = chains[k].out
    for _ in range(CHANCES):
        for k in range(1, count):
            log_step(tables, bits, &chains[k], &starts[k])


cdef int fall_in_step(const Tables* tables, const uint8_t* bits, jll_chain* chain, const Start* start) noexcept nogil:
    # Advance `chain` until it reaches the beginning of one of the next chain's first samples; returns that sample's
    # number. From there on both chains read the same samples. -1: the chain broke, is full, or passed the whole log.
    cdef int j = 0
    while j < start.logged and chain.out < chain.full and not chain.broken:
        if start.log[j] > chain.pos:
            jll_step(tables.turn, tables.count, bits, chain)
        elif start.log[j] == chain.pos and start.phases[j] == chain.phase:
            return j
        else:
            j += 1
    return -1


cdef void run_chains(Bits* bits, const Tables* tables, jll_chain* first, int count, int64_t end) noexcept nogil:
    # Run `first` from bits.pos, and other chains from later bytes, where a code begins only by chance. Huffman codes
    # synchronise by themselves: once a chain reaches a position that the next chain logged, the samples that the next
    # chain read from there on are right, and are moved behind those of `first`. If it never does, the next chain and
    # those after it are discarded.
    cdef jll_chain chains[CHAINS]
    cdef Start starts[CHAINS]
    cdef int64_t begin[CHAINS]
    cdef Py_ssize_t wanted = first.full - first.out
    cdef jll_chain* chain
    cdef int k, place
    static_assert(<int>CHANCES <= LOGGED)
    chains[0] = first[0]
    begin[0] = first.pos
    for k in range(1, count):
        begin[k] = (first.pos + (end - first.pos) * k // count) & ~<int64_t>7
        chain = &chains[k]
        chain.pos = begin[k]
        chain.phase = chain.broken = 0
        chain.out = chains[k - 1].full + 2 * JLL_SPILL
        if begin[k] - begin[k - 1] < wanted:
            chain.out = (first.out if k == 1 else starts[k - 1].begin) + (begin[k] - begin[k - 1]) + 2 * JLL_SPILL
        starts[k].begin = chain.out
        chain.full = chain.out + wanted
        chain.stop = end - 2 * JLL_GROUP
        chains[k - 1].stop = begin[k] - JLL_GROUP
    start_together(tables, bits.clean, chains, starts, count)
    run_together(tables, bits.clean, chains, count)
    first[0] = chains[0]
    for k in range(1, count):
        while first.pos < begin[k] and first.out < first.full and not first.broken:
            jll_step(tables.turn, tables.count, bits.clean, first)
        place = fall_in_step(tables, bits.clean, first, &starts[k])
        if place < 0:
            bits.misses += first.out < first.full
            return
        bits.misses = 0
        chain = &chains[k]
        memmove(first.out, starts[k].begin + place, (chain.out - starts[k].begin - place) * sizeof(uint16_t))
        first.out += chain.out - starts[k].begin - place
        first.pos = chain.pos
        first.phase = chain.phase
        first.broken = chain.broken


cdef Status read_differences(Bits* bits, const Tables* tables, uint16_t* out, Py_ssize_t want, int* phase,
                             Py_ssize_t* got) noexcept nogil:
    # Read at most `want` differences of the interval into `out`, which must have room_for(want) entries; `want` is the
    # number that the interval still has. OK with got[0] < want: call again. After a fault bits.pos is its position.
    cdef jll_chain a, before
    cdef jll_chain* alone = &a
    cdef int64_t end
    cdef int count
    fill(bits)
    end = 8 * bits.held
    a.pos = bits.pos
    a.out = out
    a.full = out + want
    a.phase = phase[0]
    a.broken = 0
    count = <int>min((end - a.pos) // (8 * WORTH), <int64_t>CHAINS)
    if want < WORTH or bits.misses > 3 or (tables.count > 1 and tables.several == NULL):
        count = 1
    elif tables.count > 1:
        count = min(count, TURNS)
    elif tables.several == NULL:
        count = min(count, WIDE)
    if count > 1:
        run_chains(bits, tables, &a, count, end)
    if bits.ended or count < 2 or bits.misses:
        a.stop = end - 2 * JLL_GROUP
        if goes(&a):
            run_some(tables, bits.clean, &alone, 1)
    while bits.ended and a.out < a.full and not a.broken:       # the interval's last differences, bit by bit
        before = a
        jll_step(tables.turn, tables.count, bits.clean, &a)
        if a.pos > end:
            a = before
            a.broken = 2
    got[0] = a.out - out
    phase[0] = a.phase
    bits.pos = a.pos
    if got[0] >= want:
        got[0] = want
        return OK
    if a.broken:
        return TRUNCATED if a.broken == 2 or (bits.ended and end - a.pos < 16) else CORRUPT
    return OK


cdef Status read_one(Bits* bits, const jll_table* table, uint16_t* out) noexcept nogil:
    # Read one difference, for scans that code their samples in another order than they are stored.
    cdef int took
    static_assert(JLL_LONGEST <= 8 * JLL_SLACK)
    if 8 * bits.held - bits.pos < 8 * JLL_SLACK and not bits.ended:
        fill(bits)
    took = jll_one(table, jll_window(bits.clean, bits.pos), out)
    if took == 0:
        return TRUNCATED if 8 * bits.held - bits.pos < 16 else CORRUPT
    if took > 8 * bits.held - bits.pos:
        return TRUNCATED
    bits.pos += took
    return OK
