"""Inflates the beginning of a deflated data set (PS3.5 A.5) for the bulk loop, without the GIL.

Only headers are inflated here, a few KiB a file, of which zlib needs most of its time to build tables. What the kernel
refuses, the caller leaves to zlib, which says what is wrong: so it may be stricter than zlib, but never laxer.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from dicomcore._native.base.cursor cimport load_le16, load_le64
from dicomcore._native.base.fault cimport CORRUPT, NEED_MORE, OK, TRUNCATED, Status, raise_fault

cdef extern from "bulk/inflate.h" nogil:
    const uint8_t* LENGTH_ORDER
    const uint16_t* LENGTH_BASE
    const uint8_t* LENGTH_EXTRA
    const uint16_t* DISTANCE_BASE
    const uint8_t* DISTANCE_EXTRA

cdef enum:
    LONGEST = 15                # bits of a code
    FAST = 11                   # bits of the codes that one look into a table decodes
    STOP = 256                  # the symbol that ends a block; above it are the lengths of copies
    LENGTHS = 29
    DISTANCES = 30
    LITERALS = STOP + 1 + LENGTHS
    FIXED_LITERALS = 288        # the fixed codes have symbols that never occur (RFC 1951 3.2.6)
    FIXED_DISTANCES = 32


cdef struct Codes:              # canonical codes (3.2.2)
    uint16_t symbol[FIXED_LITERALS]     # in the order of their codes
    uint16_t fast[1 << FAST]            # by the next bits: symbol << 4 | bits of its code; 0: a longer code, or none
    uint32_t end[LONGEST + 1]           # of the codes of each length or shorter, as a number of 15 bits
    int32_t shift[LONGEST + 1]          # from a code to the place of its symbol

cdef struct Stream:
    const uint8_t* src
    Py_ssize_t n, at            # bytes, and the next one to load
    uint64_t hold               # the bits that were loaded, the next one lowest
    uint32_t count              # their number; the bits above them are 0, or those that come next
    uint8_t* dst
    Py_ssize_t wanted, done


cdef inline void refill(Stream* s) noexcept nogil:
    # Hold at least 56 bits, or all that are left.
    if s.n - s.at >= 8:
        s.hold |= load_le64(s.src + s.at) << s.count
        s.at += (63 - s.count) >> 3
        s.count |= 56
        return
    while s.count <= 55 and s.at < s.n:
        s.hold |= <uint64_t>s.src[s.at] << s.count
        s.at += 1
        s.count += 8


cdef inline void skip(Stream* s, uint32_t bits) noexcept nogil:
    s.hold >>= bits
    s.count -= bits


cdef inline uint32_t ahead(const Stream* s, uint32_t bits) noexcept nogil:
    return <uint32_t>(s.hold & ((<uint64_t>1 << bits) - 1))


# -- codes


cdef Status build(Codes* codes, const uint8_t* lengths, int n) noexcept nogil:
    # Make the codes of `n` symbols from their lengths. As in zlib they are complete, but for a single code of 1 bit.
    cdef uint16_t count[LONGEST + 1]
    cdef uint16_t place[LONGEST + 1]
    cdef int i, bits, most = 0
    cdef uint32_t code = 0, placed = 0

    memset(count, 0, sizeof(count))
    for i in range(n):
        count[lengths[i]] += 1
    for bits in range(1, LONGEST + 1):
        place[bits] = <uint16_t>placed
        code <<= 1
        codes.shift[bits] = <int32_t>placed - <int32_t>code
        code += count[bits]
        placed += count[bits]
        if code > <uint32_t>1 << bits:
            return CORRUPT
        codes.end[bits] = code << (LONGEST - bits)
        if count[bits]:
            most = bits
    if code < 1 << LONGEST and most > 1:
        return CORRUPT
    for i in range(n):
        if lengths[i]:
            codes.symbol[place[lengths[i]]] = <uint16_t>i
            place[lengths[i]] += 1
    fill_fast(codes, count)
    return OK


cdef void fill_fast(Codes* codes, const uint16_t* count) noexcept nogil:
    cdef uint32_t bits, step, at = 0, placed = 0, code = 0      # the code's first bit is lowest, as in the stream
    codes.fast[0] = 0
    for bits in range(1, FAST + 1):
        step = <uint32_t>1 << (bits - 1)
        memcpy(codes.fast + step, codes.fast, step * sizeof(uint16_t))      # shorter codes, and any next bit
        placed += count[bits]
        while at < placed:
            codes.fast[code] = <uint16_t>(codes.symbol[at] << 4 | bits)
            at += 1
            step = <uint32_t>1 << (bits - 1)
            while code & step:
                code ^= step
                step >>= 1
            code |= step


cdef uint32_t find_long(const Codes* codes, uint64_t hold) noexcept nogil:
    # symbol << 4 | bits of the code that the bits begin with, which is longer than FAST; 0: none.
    cdef uint32_t bits, code = <uint32_t>hold & 0xFFFF      # to be reversed: a code's first bit counts most
    code = (code & 0x5555) << 1 | code >> 1 & 0x5555
    code = (code & 0x3333) << 2 | code >> 2 & 0x3333
    code = (code & 0x0F0F) << 4 | code >> 4 & 0x0F0F
    code = ((code & 0xFF) << 8 | code >> 8) >> 1
    for bits in range(FAST + 1, LONGEST + 1):
        if code < codes.end[bits]:
            return <uint32_t>codes.symbol[<int32_t>(code >> (LONGEST - bits)) + codes.shift[bits]] << 4 | bits
    return 0


cdef inline uint32_t find_symbol(const Codes* codes, uint64_t hold) noexcept nogil:
    cdef uint32_t found = codes.fast[hold & ((1 << FAST) - 1)]
    return found if found else find_long(codes, hold)


cdef Status read_lengths(Stream* s, uint8_t* lengths, int n, const Codes* codes) noexcept nogil:
    # The lengths of a block's codes, which are coded themselves (3.2.7).
    cdef int i = 0
    cdef uint32_t found, symbol, bits, extra, again
    cdef uint8_t length
    while i < n:
        refill(s)
        found = find_symbol(codes, s.hold)
        symbol = found >> 4
        bits = found & 15
        extra = 0 if symbol < 16 else 2 if symbol == 16 else 3 if symbol == 17 else 7
        if bits == 0 or bits + extra > s.count:
            return CORRUPT if s.count > LONGEST else NEED_MORE
        skip(s, bits)
        if symbol < 16:
            lengths[i] = <uint8_t>symbol
            i += 1
            continue
        again = ahead(s, extra) + (11 if symbol == 18 else 3)
        skip(s, extra)
        if symbol == 16 and i == 0 or again > <uint32_t>(n - i):
            return CORRUPT
        length = lengths[i - 1] if symbol == 16 else 0
        memset(lengths + i, length, again)
        i += <int>again
    return OK


cdef Status read_codes(Stream* s, Codes* literals, Codes* distances) noexcept nogil:
    # The codes at the beginning of a block with dynamic codes. `literals` is used for the code lengths' codes, too.
    cdef uint8_t lengths[LITERALS + FIXED_DISTANCES]
    cdef int i, literal_count, distance_count, length_count
    cdef Status status
    refill(s)
    if s.count < 14:
        return NEED_MORE
    literal_count = <int>ahead(s, 5) + STOP + 1
    distance_count = <int>(s.hold >> 5 & 31) + 1
    length_count = <int>(s.hold >> 10 & 15) + 4
    skip(s, 14)
    if literal_count > LITERALS or distance_count > DISTANCES:
        return CORRUPT
    memset(lengths, 0, 19)
    for i in range(length_count):
        refill(s)
        if s.count < 3:
            return NEED_MORE
        lengths[LENGTH_ORDER[i]] = <uint8_t>ahead(s, 3)
        skip(s, 3)
    status = build(literals, lengths, 19)
    if status == OK:
        status = read_lengths(s, lengths, literal_count + distance_count, literals)
    if status != OK:
        return status
    if lengths[STOP] == 0:
        return CORRUPT
    status = build(distances, lengths + literal_count, distance_count)
    return build(literals, lengths, literal_count) if status == OK else status


cdef Status fixed_codes(Codes* literals, Codes* distances) noexcept nogil:
    cdef uint8_t lengths[FIXED_LITERALS]
    memset(lengths, 8, 144)
    memset(lengths + 144, 9, 112)
    memset(lengths + 256, 7, 24)
    memset(lengths + 280, 8, 8)
    build(literals, lengths, FIXED_LITERALS)
    memset(lengths, 5, FIXED_DISTANCES)
    return build(distances, lengths, FIXED_DISTANCES)


# -- blocks


cdef inline Status read_copy(Stream* s, uint32_t symbol, const Codes* distances) noexcept nogil:
    # Append a copy of bytes that were inflated before. After a refill and a literal's code at least 41 bits are held.
    cdef uint32_t found, bits, extra
    cdef Py_ssize_t length, distance, k
    cdef uint8_t* to = s.dst + s.done
    if symbol >= LITERALS:
        return CORRUPT
    extra = LENGTH_EXTRA[symbol - STOP - 1]
    if extra > s.count:
        return NEED_MORE
    length = LENGTH_BASE[symbol - STOP - 1] + ahead(s, extra)
    skip(s, extra)
    found = find_symbol(distances, s.hold)
    bits = found & 15
    if bits == 0 or bits > s.count:
        return CORRUPT if s.count >= LONGEST else NEED_MORE
    if found >> 4 >= DISTANCES:
        return CORRUPT
    skip(s, bits)
    extra = DISTANCE_EXTRA[found >> 4]
    if extra > s.count:
        return NEED_MORE
    distance = DISTANCE_BASE[found >> 4] + ahead(s, extra)
    skip(s, extra)
    if distance > s.done:
        return CORRUPT
    if length > s.wanted - s.done:
        length = s.wanted - s.done
    if distance >= length:
        memcpy(to, to - distance, length)
    else:
        for k in range(length):
            to[k] = to[k - distance]
    s.done += length
    return OK


cdef Status coded_block(Stream* stream, const Codes* literals, const Codes* distances) noexcept nogil:
    cdef Stream s = stream[0]           # a copy, which stores to `dst` can't change: most of it stays in registers
    cdef uint32_t found, bits
    cdef Status status = OK
    while s.done < s.wanted:
        refill(&s)
        found = find_symbol(literals, s.hold)
        bits = found & 15
        if bits == 0 or bits > s.count:
            status = CORRUPT if s.count >= LONGEST else NEED_MORE
            break
        skip(&s, bits)
        if found < STOP << 4:
            s.dst[s.done] = <uint8_t>(found >> 4)
            s.done += 1
            found = literals.fast[s.hold & ((1 << FAST) - 1)]       # often another literal follows
            bits = found & 15
            if bits and found < STOP << 4 and bits <= s.count and s.done < s.wanted:
                skip(&s, bits)
                s.dst[s.done] = <uint8_t>(found >> 4)
                s.done += 1
            continue
        if found >> 4 == STOP:
            break
        status = read_copy(&s, found >> 4, distances)
        if status != OK:
            break
    stream[0] = s
    return status


cdef Status stored_block(Stream* s) noexcept nogil:
    cdef Py_ssize_t length
    s.at -= s.count >> 3
    s.hold = s.count = 0
    if s.n - s.at < 4:
        return NEED_MORE
    length = load_le16(s.src + s.at)
    if length ^ load_le16(s.src + s.at + 2) != 0xFFFF:
        return CORRUPT
    s.at += 4
    if length > s.wanted - s.done:
        length = s.wanted - s.done
    if length > s.n - s.at:
        return NEED_MORE
    memcpy(s.dst + s.done, s.src + s.at, length)
    s.at += length
    s.done += length
    return OK


cdef Status inflate_beginning(const uint8_t* src, Py_ssize_t n, uint8_t* dst, Py_ssize_t wanted,
                              Py_ssize_t* done, Py_ssize_t* used, bint* ended) noexcept nogil:
    # Inflate up to `wanted` bytes of a raw deflate stream into `dst`; done[0] is their number, used[0] that of bytes
    # that they took, and ended[0] tells whether they are known to be all. NEED_MORE: `src` ends before.
    cdef Stream s = Stream(src, n, 0, 0, 0, dst, wanted, 0)
    cdef Codes literals, distances
    cdef Status status = OK
    cdef uint32_t kind
    cdef bint last = False
    ended[0] = False
    while status == OK and s.done < wanted and not last:
        refill(&s)
        if s.count < 3:
            status = NEED_MORE
            break
        last = s.hold & 1
        kind = s.hold >> 1 & 3
        skip(&s, 3)
        if kind == 0:
            status = stored_block(&s)
            continue
        if kind == 1:
            status = fixed_codes(&literals, &distances)
        elif kind == 2:
            status = read_codes(&s, &literals, &distances)
        else:
            status = CORRUPT
        if status == OK:
            status = coded_block(&s, &literals, &distances)
    done[0] = s.done
    used[0] = s.at - (s.count >> 3)
    ended[0] = status == OK and last and s.done < wanted
    return status


def inflate_start(const uint8_t[::1] deflated not None, Py_ssize_t wanted):
    """Inflate at most `wanted` bytes of a raw deflate stream; returns them, and whether they are known to be all.

    Raises ValueError for a negative `wanted`, and DicomError, whose ``offset`` is the stream's length, where the stream
    breaks off or is damaged before.
    """
    cdef Py_ssize_t n = deflated.shape[0], done = 0, used = 0
    cdef const uint8_t* src = &deflated[0] if n else NULL
    cdef bytes held
    cdef uint8_t* dst
    cdef bint ended = False
    cdef Status status
    if wanted < 0:
        raise ValueError(f"{wanted} bytes can't be inflated")
    held = PyBytes_FromStringAndSize(NULL, wanted)
    dst = <uint8_t*>PyBytes_AS_STRING(held)
    with nogil:
        status = inflate_beginning(src, n, dst, wanted, &done, &used, &ended)
    if status != OK:
        raise_fault(TRUNCATED if status == NEED_MORE else status, "deflated data set", n)
    return held[:done], ended
