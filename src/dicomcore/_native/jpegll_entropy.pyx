"""Entropy-coded data of JPEG lossless to differences (T.81 H.2)."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy, memmove, memset

from dicomcore._native.fault cimport CORRUPT, NO_MEMORY, OK, Status, TRUNCATED
from dicomcore._native.jpegll_markers cimport Codes

cdef extern from "jpegll_chains.h" nogil:
    uint64_t jll_window(const uint8_t* bits, int64_t pos)
    uint16_t jll_extend(uint64_t window, unsigned int ssss)
    int jll_one(const jll_table* table, uint64_t window, uint16_t* out)
    void jll_step(const jll_table* const* tables, int count, const uint8_t* bits, jll_chain* chain)
    void jll_wide1(const jll_table* table, const uint8_t* bits, jll_chain* a)
    void jll_wide2(const jll_table* table, const uint8_t* bits, jll_chain* a, jll_chain* b)
    void jll_several1(const jll_table* table, const jll_several* several, int several_bits, const uint8_t* bits,
                      jll_chain* a)
    void jll_several2(const jll_table* table, const jll_several* several, int several_bits, const uint8_t* bits,
                      jll_chain* a, jll_chain* b)

cdef enum:
    CLEAN = 2 * REGION              # bytes of clean, less its slack
    WORTH = 512                     # bytes from which on a second chain gains more than its start costs
    GROUP = 57                      # bits that a chain takes between two looks at its stop, at most


# --- tables ---

cdef Status build_table(jll_table* table, const Codes* codes) noexcept nogil:
    # Canonical codes (T.81 C.2) as a look-up by the first bits, and by length for those longer.
    cdef uint32_t code = 0, k, step, at
    cdef int length, index = 0, j, ssss, total
    memset(table, 0, sizeof(jll_table))
    for j in range(256):
        table.symbols[j] = codes.symbols[j]
    for length in range(1, 17):
        table.first[length] = index - <int>code
        for j in range(codes.counts[length]):
            ssss = codes.symbols[index]
            total = length + ssss
            if length <= JLL_CODE_BITS and ssss < 16:
                step = 1 << (JLL_CODE_BITS - length)
                at = code * step
                for k in range(at, min(at + step, <uint32_t>1 << JLL_CODE_BITS)):
                    table.code[k] = <uint16_t>(ssss << 8 | total)
            code += 1
            index += 1
        if code > <uint32_t>1 << length:        # more codes than there are of this length
            return CORRUPT
        table.limit[length] = code << (16 - length)
        code <<= 1
    table.limit[17] = 0x10000
    return OK


cdef void build_several(jll_several* several, const jll_table* table, int bits) noexcept nogil:
    # See jpegll_chains.h. First each window's first difference, then up to two more behind it.
    cdef uint32_t size = <uint32_t>1 << bits, mask = size - 1, k, rest
    cdef uint64_t entry, more
    cdef uint16_t difference
    cdef int took, used, j
    cdef uint32_t* single = <uint32_t*>(several + size)             # scratch behind the table
    for k in range(size):
        took = jll_one(table, <uint64_t>k << (64 - bits), &difference)
        single[k] = (<uint32_t>difference << 16 | took) if 0 < took <= bits else 0
    for k in range(size):
        entry = 0
        used = 0
        for j in range(3):
            more = single[(k << used) & mask]
            if more == 0 or used + <int>(more & 63) > bits:
                break
            used += more & 63
            entry += (more >> 16) << (16 + 16 * j)
            entry += 2 << 8
        several[k] = entry + used


cdef double expect_short(const Codes* codes, int bits) noexcept nogil:
    # The share of differences that take `bits` at most, going by what the lengths of codes say of their frequency.
    cdef double share = 0, all = 0, weight
    cdef int length, index = 0, j
    for length in range(1, 17):
        weight = 1.0 / (1 << length)
        for j in range(codes.counts[length]):
            all += weight
            if length + codes.symbols[index] <= bits:
                share += weight
            index += 1
    return share / all if all > 0 else 0


cdef int several_bits_for(const Codes* codes, Py_ssize_t samples) noexcept nogil:
    # How many bits a look-up of several differences is worth: building it costs about 2 ** bits samples. 0: none.
    cdef int bits = 10
    if samples < 1 << 15:
        return 0
    if samples >= 1 << 17:
        bits = 11
    if samples >= 1 << 19:
        bits = 12
    return bits if expect_short(codes, bits) > 0.9 else 0


cdef Status build_tables(Tables* tables, const Codes** codes, int count, Py_ssize_t samples) noexcept nogil:
    # The tables of a scan of `count` components and about as many samples; codes[j] may be the same for several j.
    cdef Status status
    cdef int j
    memset(tables, 0, sizeof(Tables))
    tables.count = 1
    for j in range(1, count):
        if codes[j] != codes[0]:
            tables.count = count
    tables.owned = <jll_table*>malloc(tables.count * sizeof(jll_table))
    if tables.owned == NULL:
        return NO_MEMORY
    for j in range(tables.count):
        status = build_table(&tables.owned[j], codes[j])
        if status != OK:
            return status
    for j in range(count):
        tables.turn[j] = &tables.owned[j if tables.count > 1 else 0]
    if tables.count == 1:
        tables.several_bits = several_bits_for(codes[0], samples)
    if tables.several_bits:
        tables.several = <jll_several*>malloc((sizeof(jll_several) + sizeof(uint32_t)) << tables.several_bits)
        if tables.several == NULL:
            return NO_MEMORY
        build_several(tables.several, tables.turn[0], tables.several_bits)
    return OK


cdef void free_tables(Tables* tables) noexcept nogil:
    free(tables.owned)
    free(tables.several)
    tables.owned = NULL
    tables.several = NULL


# --- bits ---

cdef Status open_bits(Bits* bits, const uint8_t* src, Py_ssize_t n, Py_ssize_t i) noexcept nogil:
    memset(bits, 0, sizeof(Bits))
    bits.src = src
    bits.n = n
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
    # Drops what has been read and takes on as much as clean can hold, without the zero stuffed after each 0xFF
    # (T.81 B.1.1.5); stops at a marker.
    cdef Py_ssize_t spent = <Py_ssize_t>(bits.pos >> 3), room, part
    cdef const uint8_t* found
    cdef const uint8_t* src = bits.src
    memmove(bits.clean, bits.clean + spent, bits.held - spent)
    bits.held -= spent
    bits.dropped += spent
    bits.pos -= 8 * spent
    while not bits.ended:
        room = min(<Py_ssize_t>CLEAN - bits.held, bits.n - bits.i)
        if room == 0:
            bits.ended = bits.i == bits.n
            break
        found = <const uint8_t*>memchr(src + bits.i, 0xFF, room)
        part = found - (src + bits.i) if found != NULL else room
        memcpy(bits.clean + bits.held, src + bits.i, part)
        bits.held += part
        bits.i += part
        if found == NULL:
            continue
        if bits.n - bits.i < 2 or src[bits.i + 1] != 0:
            bits.ended = True               # a marker, fill bytes before one, or half of one
        else:
            bits.clean[bits.held] = 0xFF
            bits.held += 1
            bits.i += 2
    memset(bits.clean + bits.held, 0, JLL_SLACK)


cdef Py_ssize_t place_of(const Bits* bits) noexcept nogil:
    # The offset in src of the byte that holds the next bit.
    cdef int64_t left = bits.dropped + (bits.pos >> 3)
    cdef Py_ssize_t k = bits.began
    while left > 0 and k < bits.i:
        k += 2 if bits.src[k] == 0xFF else 1
        left -= 1
    return min(k, bits.n)


# --- differences ---

cdef Py_ssize_t room_for(Py_ssize_t want) noexcept nogil:
    # Samples that `out` of read_differences must have room for: a chain can't give more than its bits, or than wanted.
    return 2 * (min(want, <Py_ssize_t>8 * CLEAN) + 2 * JLL_SPILL)


cdef void run_pair(const Tables* tables, const uint8_t* bits, jll_chain* a, jll_chain* b) noexcept nogil:
    if tables.several != NULL:
        jll_several2(tables.turn[0], tables.several, tables.several_bits, bits, a, b)
    else:
        jll_wide2(tables.turn[0], bits, a, b)


cdef void run_alone(const Tables* tables, const uint8_t* bits, jll_chain* chain) noexcept nogil:
    if tables.count > 1:
        while chain.pos < chain.stop and chain.out < chain.full and not chain.broken:
            jll_step(tables.turn, tables.count, bits, chain)
    elif tables.several != NULL:
        jll_several1(tables.turn[0], tables.several, tables.several_bits, bits, chain)
    else:
        jll_wide1(tables.turn[0], bits, chain)


cdef bint fall_in_step(const Tables* tables, const uint8_t* bits, jll_chain* chain, const int64_t* log,
                       const int* phases, int logged, int* place) noexcept nogil:
    # Steps `chain` on until it stands where the later chain stood before its sample place[0]: from there on both read
    # the same. False: it broke, is full, or passed all of the log.
    cdef int j = 0
    while j < logged and chain.out < chain.full and not chain.broken:
        if log[j] < chain.pos:
            j += 1
        elif log[j] == chain.pos and phases[j] == chain.phase:
            place[0] = j
            return True
        elif log[j] == chain.pos:
            j += 1
        else:
            jll_step(tables.turn, tables.count, bits, chain)
    return False


cdef void run_two(Bits* bits, const Tables* tables, jll_chain* a, int64_t stop) noexcept nogil:
    # Chain `a` from bits.pos, and a second from the middle byte of what is held, where a code begins only by chance.
    # Huffman codes fall into step by themselves: once `a` stands where the second one stood, what that one read since
    # is right, and is moved to where `a` ends. Else it is thrown away.
    cdef int64_t log[LOGGED]
    cdef int phases[LOGGED]
    cdef jll_chain b
    cdef uint16_t* begin
    cdef int logged = 0, place = 0
    cdef int64_t middle = ((bits.pos >> 3) + bits.held) // 2 * 8
    b.pos = middle
    b.stop = stop
    b.phase = b.broken = 0
    b.out = begin = a.out + min(middle - a.pos, <int64_t>(a.full - a.out)) + 2 * JLL_SPILL
    b.full = b.out + (a.full - a.out)
    while logged < LOGGED and not b.broken and b.out < b.full:
        log[logged] = b.pos
        phases[logged] = b.phase
        logged += 1
        jll_step(tables.turn, tables.count, bits.clean, &b)
    a.stop = middle - GROUP
    if tables.count == 1 and not b.broken:
        run_pair(tables, bits.clean, a, &b)
    if not a.broken:
        run_alone(tables, bits.clean, a)
    while a.pos < middle and a.out < a.full and not a.broken:
        jll_step(tables.turn, tables.count, bits.clean, a)
    if fall_in_step(tables, bits.clean, a, log, phases, logged, &place):
        begin += place
        memmove(a.out, begin, (b.out - begin) * sizeof(uint16_t))
        a.out += b.out - begin
        a.pos = b.pos
        a.phase = b.phase
        a.broken = b.broken
        bits.misses = 0
    elif a.out < a.full:
        bits.misses += 1


cdef Status read_differences(Bits* bits, const Tables* tables, uint16_t* out, Py_ssize_t want, int* phase,
                             Py_ssize_t* got) noexcept nogil:
    # The next differences of the interval, `want` at most (what it has left), into out, which has room_for(want).
    # OK with got[0] < want means: come again. After a fault bits.pos is where it is.
    cdef jll_chain a
    cdef int64_t end, before
    fill(bits)
    end = 8 * bits.held
    a.pos = bits.pos
    a.out = out
    a.full = out + want
    a.phase = phase[0]
    a.broken = 0
    if end - a.pos >= 8 * WORTH and want >= WORTH and bits.misses < 4 and tables.count == 1:
        run_two(bits, tables, &a, end - 2 * GROUP)
    a.stop = end - 2 * GROUP
    if not a.broken:
        run_alone(tables, bits.clean, &a)
    while bits.ended and a.out < a.full and not a.broken:       # the interval's last differences, bit by bit
        before = a.pos
        jll_step(tables.turn, tables.count, bits.clean, &a)
        if a.pos > end:
            a.pos = before
            a.out -= 1
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
    # One difference, for scans whose samples come in another order than they are stored.
    cdef int took
    if 8 * bits.held - bits.pos < 8 * JLL_SLACK and not bits.ended:
        fill(bits)
    took = jll_one(table, jll_window(bits.clean, bits.pos), out)
    if took == 0:
        return TRUNCATED if 8 * bits.held - bits.pos < 16 else CORRUPT
    if took > 8 * bits.held - bits.pos:
        return TRUNCATED
    bits.pos += took
    return OK
