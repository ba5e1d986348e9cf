"""Searches bytes and files for many strings at once, at the speed of memory.

A word of the data is looked at every few bytes only, and whether any needle has it there is one bit of a table: each
needle is long enough to contain so many words in a row that one of them must be looked at. Only where the bit is set
the needles themselves are compared.
"""

from libc.errno cimport errno
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from dicomcore._native.base.fault cimport IO_FAULT, NO_MEMORY, OK, Status
from dicomcore._native.base.file cimport file_close, file_facts, file_handle, file_open, file_read, file_stat
from dicomcore._native.base.held cimport hold, let_go

cdef extern from "deid/needle.h" nogil:
    const uint64_t NEEDLE_LOWER
    uint64_t needle_word(const uint8_t* p)
    uint64_t needle_hash(uint64_t word, uint64_t mask)
    uint64_t needle_mark(const uint64_t* bits, uint64_t word, uint64_t mask, int shift)
    void needle_skip(const uint64_t* bits, uint64_t mask, int shift, const uint8_t* data, Py_ssize_t end,
                     Py_ssize_t step, Py_ssize_t* at)

WHOLE = WHOLE_WORD
FOLDED = CASELESS
LITTLE = WIDE_LITTLE
BIG = WIDE_BIG

cdef enum:
    WORD = 8                # most bytes of a gram
    STRIDE = 4              # most bytes from one look to the next
    NEIGHBOURS = 2          # bytes on either side of a needle that tell whether it is a word
    LEAST = 2               # bytes of the shortest needle
    LONGEST = 4096          # bytes of the longest needle
    PIECE = 1 << 20         # bytes of a file that are searched at a time
    FEWEST_BITS = 16        # of the hashes of a small set
    MOST_BITS = 26
    LONG = 8                # bytes of needles that are searched apart, as longer grams tell more of them;
    MANY = 1000             # those of one byte a character where there are so many needles


cdef inline uint8_t lower(uint8_t byte) noexcept nogil:
    return byte + 32 if 65 <= byte <= 90 else byte


cdef inline int kind(uint32_t character) noexcept nogil:
    # 1: a digit, 2: an ASCII letter
    if 48 <= character <= 57:
        return 1
    return 2 if 97 <= (character | 32) <= 122 else 0


cdef inline int kind_at(const uint8_t* data, Py_ssize_t i, Py_ssize_t n, uint32_t flags) noexcept nogil:
    # Of the character that begins at i; none outside the data.
    if flags & (WIDE_LITTLE | WIDE_BIG):
        if i < 0 or i > n - 2:
            return 0
        if flags & WIDE_LITTLE:
            return kind(data[i] | <uint32_t>data[i + 1] << 8)
        return kind(data[i + 1] | <uint32_t>data[i] << 8)
    return kind(data[i]) if 0 <= i < n else 0


cdef bint is_word(const uint8_t* data, Py_ssize_t n, Py_ssize_t start, Py_ssize_t length,
                  uint32_t flags) noexcept nogil:
    cdef Py_ssize_t width = 2 if flags & (WIDE_LITTLE | WIDE_BIG) else 1
    cdef int inside = kind_at(data, start, n, flags)
    if inside and kind_at(data, start - width, n, flags) == inside:
        return False
    inside = kind_at(data, start + length - width, n, flags)
    return not (inside and kind_at(data, start + length, n, flags) == inside)


cdef bint is_here(const Set* s, const Needle* needle, const uint8_t* data, Py_ssize_t n,
                  Py_ssize_t start) noexcept nogil:
    # Whether a needle begins at `start`.
    cdef const uint8_t* text = s.text + needle.at
    cdef Py_ssize_t i, length = needle.length
    if start < 0 or length > n - start:
        return False
    if needle.flags & CASELESS:
        for i in range(length):
            if lower(data[start + i]) != text[i]:
                return False
    else:
        for i in range(length):
            if data[start + i] != text[i]:
                return False
    return not needle.flags & WHOLE_WORD or is_word(data, n, start, length, needle.flags)


cdef void look(const Set* s, const uint8_t* data, Py_ssize_t n, Py_ssize_t i, uint64_t word, Py_ssize_t first,
               Py_ssize_t stop, int64_t base, Hits* hits) noexcept nogil:
    # Compare the needles that have this word, where they have it.
    cdef uint32_t k, bucket
    cdef uint64_t gram = (word | NEEDLE_LOWER) & s.mask
    cdef Py_ssize_t start
    if not needle_mark(s.bits, word, s.mask, s.shift) & 1:
        return
    bucket = <uint32_t>(needle_hash(word, s.mask) >> s.bucket_shift)
    for k in range(s.buckets[bucket], s.buckets[bucket + 1]):
        if s.grams[k].word != gram:
            continue
        start = i - <Py_ssize_t>s.grams[k].offset
        if start < first or start >= stop or not is_here(s, &s.needles[s.grams[k].needle], data, n, start):
            continue
        hits.found += 1
        if hits.kept < hits.most:
            hits.items[hits.kept] = Hit(base + start, s.needles[s.grams[k].needle].number)
            hits.kept += 1


cdef void find(const Set* s, const uint8_t* data, Py_ssize_t n, Py_ssize_t first, Py_ssize_t stop, int64_t base,
               Hits* hits) noexcept nogil:
    # All needles that begin at first ≤ i < stop in n bytes. base + i is the offset that is reported.
    cdef Py_ssize_t i = first, step = s.stride, end, k
    cdef uint8_t[8] tail
    if s.count == 0:
        return
    end = min(n, stop + s.longest)
    while True:
        needle_skip(s.bits, s.mask, s.shift, data, end, step, &i)
        if i > end - 8 - 3 * step:
            break
        for k in range(4):
            look(s, data, n, i + k * step, needle_word(data + i + k * step), first, stop, base, hits)
        i += 4 * step
    while i < end:                                      # the last bytes, with zeros behind them
        memset(tail, 0, 8)
        memcpy(tail, data + i, min(8, n - i))
        look(s, data, n, i, needle_word(tail), first, stop, base, hits)
        i += step


cdef Status find_in_file(const Set* sets, const char* path, Hits* hits, int* fault) noexcept nogil:
    # In pieces; each is read with what a needle that begins in it may go on with, and with the bytes around.
    cdef file_handle file = file_open(path)
    cdef file_facts facts
    cdef uint8_t* buffer
    cdef int64_t at = 0, got, before
    cdef int64_t more = 0
    cdef int k
    cdef Status status = OK
    if file == -1:
        fault[0] = errno
        return IO_FAULT
    if file_stat(file, &facts) != 0:
        fault[0] = errno
        file_close(file)
        return IO_FAULT
    for k in range(SETS):
        more = max(more, sets[k].longest + NEIGHBOURS)
    buffer = <uint8_t*>malloc(NEIGHBOURS + PIECE + more)
    if buffer == NULL:
        file_close(file)
        return NO_MEMORY
    while at < <int64_t>facts.size:
        before = min(at, NEIGHBOURS)
        got = file_read(file, buffer, before + PIECE + more, at - before)
        if got < 0:
            fault[0] = errno
            status = IO_FAULT
            break
        if got <= before:                               # shorter by now
            break
        for k in range(SETS):
            find(&sets[k], buffer, got, before, min(before + PIECE, got), at - before, hits)
        at += PIECE
    free(buffer)
    file_close(file)
    return status


cdef class Needles:
    """A set of byte strings. `flags` has a sum of WHOLE, FOLDED, LITTLE and BIG for each."""

    def __cinit__(self, texts, flags):
        held = [bytes(one) for one in texts]
        said = [int(one) for one in flags]
        if len(held) != len(said):
            raise ValueError(f"{len(held)} needles have {len(said)} flags")
        for text in held:
            if not LEAST <= len(text) <= LONGEST:
                raise ValueError(f"a needle has {LEAST} to {LONGEST} bytes, not {len(text)}")
        self.count = len(held)
        apart = len(held) > MANY
        places = [
            2 + (len(text) >= LONG) if one & (WIDE_LITTLE | WIDE_BIG) else apart and len(text) >= LONG
            for text, one in zip(held, said)
        ]
        for place in range(SETS):
            fill(&self.sets[place], held, said, [i for i in range(self.count) if places[i] == place])

    def __dealloc__(self):
        cdef int k
        for k in range(SETS):
            empty(&self.sets[k])

    def __len__(self):
        return self.count

    def search(self, data, Py_ssize_t most=1000):
        """([(offset, number of the needle)], how many there are) in a buffer; the list ends after `most`."""
        cdef Py_buffer view
        cdef Hits hits
        cdef int k
        start_hits(&hits, most)
        try:
            hold(data, &view)
            try:
                with nogil:
                    for k in range(SETS):
                        find(&self.sets[k], <const uint8_t*>view.buf, view.len, 0, view.len, 0, &hits)
            finally:
                let_go(&view)
            return found(&hits)
        finally:
            free(hits.items)

    def search_file(self, str path not None, Py_ssize_t most=1000):
        """The same in a file, of which a megabyte is in memory at a time. Raises OSError."""
        cdef bytes name = path.encode()
        cdef const char* text = name
        cdef Hits hits
        cdef Status status = OK
        cdef int fault = 0
        if b"\0" in name:
            raise ValueError("a path has no NUL")
        start_hits(&hits, most)
        try:
            with nogil:
                status = find_in_file(self.sets, text, &hits, &fault)
            if status == NO_MEMORY:
                raise MemoryError("no memory to search a file")
            if status != OK:
                import os
                raise OSError(fault, os.strerror(fault), path)
            return found(&hits)
        finally:
            free(hits.items)


cdef void empty(Set* s) noexcept:
    free(s.text)
    free(s.needles)
    free(s.grams)
    free(s.buckets)
    free(s.bits)


cdef int fill(Set* s, list texts, list flags, list numbers) except -1:
    cdef Py_ssize_t at = 0, shortest = LONGEST, i
    cdef bytes text
    cdef const uint8_t* p
    s.count = len(numbers)
    s.text = <uint8_t*>malloc(sum([len(texts[i]) for i in numbers]) + 1)
    s.needles = <Needle*>calloc(s.count + 1, sizeof(Needle))
    if s.text == NULL or s.needles == NULL:
        raise MemoryError("no memory for needles")
    for i in range(s.count):
        text = texts[numbers[i]]
        p = <const uint8_t*>text
        s.needles[i] = Needle(<uint32_t>at, <uint32_t>len(text), flags[numbers[i]], numbers[i])
        memcpy(s.text + at, p, len(text))
        if s.needles[i].flags & CASELESS:
            fold(s.text + at, len(text))
        at += len(text)
        shortest = min(shortest, len(text))
        s.longest = max(s.longest, len(text))
    measure(s, shortest)
    choose(s)
    return 0


cdef int measure(Set* s, Py_ssize_t shortest) except -1:
    # How long grams are, how far apart the looks, and how large the tables.
    cdef Py_ssize_t grams
    cdef int bits = FEWEST_BITS, bucket_bits = 4
    s.width = min(WORD, max(LEAST, shortest - 1 if shortest < 6 else shortest - 2))
    s.stride = min(STRIDE, shortest - s.width + 1)
    s.mask = <uint64_t>0xFFFFFFFFFFFFFFFF >> (64 - 8 * s.width)
    grams = s.count * s.stride
    while bits < MOST_BITS and grams * 64 > 1 << bits:
        bits += 1
    while bucket_bits < bits and grams * 2 > 1 << bucket_bits:
        bucket_bits += 1
    s.shift, s.bucket_shift = 64 - bits, 64 - bucket_bits
    s.bits = <uint64_t*>calloc(1 << (bits - 6), sizeof(uint64_t))
    s.buckets = <uint32_t*>calloc((1 << bucket_bits) + 1, sizeof(uint32_t))
    s.grams = <Gram*>calloc(grams + 1, sizeof(Gram))
    if s.bits == NULL or s.buckets == NULL or s.grams == NULL:
        raise MemoryError("no memory for needles")
    return 0


cdef int choose(Set* s) except -1:
    # The stretch of each needle whose words other needles have least, so that few are compared where one is met.
    cdef Py_ssize_t i, j, window, best
    cdef uint32_t cost, least, total = 0, buckets = <uint32_t>1 << (64 - s.bucket_shift)
    cdef uint64_t word, place
    cdef uint32_t* counts = <uint32_t*>calloc(buckets, sizeof(uint32_t))
    cdef Gram* loose = <Gram*>malloc((s.count * s.stride + 1) * sizeof(Gram))
    cdef const uint8_t* text
    try:
        if counts == NULL or loose == NULL:
            raise MemoryError("no memory for needles")
        for i in range(s.count):
            text = s.text + s.needles[i].at
            best, least = 0, <uint32_t>0xFFFFFFFF
            for window in range(<Py_ssize_t>s.needles[i].length - s.width - s.stride + 2):
                cost = 0
                for j in range(window, window + s.stride):
                    cost += counts[needle_hash(gram_at(s, text + j), s.mask) >> s.bucket_shift]
                    cost += 8 * is_common(text + j, s.width)
                if cost < least:
                    best, least = window, cost
            for j in range(best, best + s.stride):
                word = gram_at(s, text + j)
                counts[needle_hash(word, s.mask) >> s.bucket_shift] += 1
                loose[total] = Gram(word, <uint32_t>i, <uint32_t>j)
                total += 1
                place = needle_hash(word, s.mask) >> s.shift
                s.bits[place >> 6] |= <uint64_t>1 << (place & 63)
        for i in range(buckets):
            s.buckets[i + 1] = s.buckets[i] + counts[i]
            counts[i] = s.buckets[i]
        for i in range(total):
            place = needle_hash(loose[i].word, s.mask) >> s.bucket_shift
            s.grams[counts[place]] = loose[i]
            counts[place] += 1
    finally:
        free(counts)
        free(loose)
    return 0


cdef inline uint64_t gram_at(const Set* s, const uint8_t* text) noexcept nogil:
    cdef uint8_t[8] word
    memset(word, 0, 8)
    memcpy(word, text, s.width)
    return (needle_word(word) | NEEDLE_LOWER) & s.mask


cdef inline int is_common(const uint8_t* text, Py_ssize_t width) noexcept nogil:
    # Whether more than half of the bytes are those of padding and of pixels that show nothing.
    cdef Py_ssize_t i
    cdef int count = 0
    for i in range(width):
        count += text[i] == 0 or text[i] == 32 or text[i] == 255
    return 2 * count > width


cdef void fold(uint8_t* text, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        text[i] = lower(text[i])


cdef int start_hits(Hits* hits, Py_ssize_t most) except -1:
    most = max(0, min(most, 1 << 24))
    hits.items = <Hit*>malloc((most + 1) * sizeof(Hit))
    if hits.items == NULL:
        raise MemoryError("no memory for what is found")
    hits.most, hits.kept, hits.found = most, 0, 0
    return 0


cdef tuple found(const Hits* hits):
    cdef Py_ssize_t i
    return sorted([(hits.items[i].offset, <int>hits.items[i].needle) for i in range(hits.kept)]), hits.found
