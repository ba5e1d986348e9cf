"""Encodes samples as a JPEG lossless codestream (T.81 process 14), with the Huffman table that suits them best.

It makes two passes over the rows: the first counts the categories of the differences, the second writes their codes.
The second pass computes the differences again, which costs less than storing them.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memchr, memcpy, memset

from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status, raise_fault
from dicomcore._native.base.held cimport check_words, hold, let_go
from dicomcore._native.jpegll.predict cimport differ_first_row, differ_row

cdef extern from "jpegll/emit.h" nogil:
    enum:
        JLL_CATEGORIES
        JLL_CODE_BYTES
        JLL_TWICE_BITS
    ctypedef struct jll_code:
        uint32_t base
        uint32_t mask
        int bits
    ctypedef struct jll_tail:
        uint64_t window
        int bits
    void jll_count(const uint16_t* differences, Py_ssize_t count, uint64_t* counts)
    void jll_emit(const uint16_t* differences, Py_ssize_t count, const jll_code* codes, int twice, jll_tail* state,
                  uint8_t** next)

cdef enum:
    CATEGORIES = JLL_CATEGORIES
    LEAVES = CATEGORIES + 1         # one more code is reserved, so that no code is all ones (T.81 K.2)
    LONGEST = 16                    # most bits of a code
    HEADERS = 128                   # most bytes before and after the entropy-coded data

cdef struct Picture:                # the samples to encode
    const uint8_t* src
    int width                       # bytes per sample, 1 or 2
    Py_ssize_t rows, columns
    int samples                     # per pixel, 1 to 4
    int precision                   # low bits of a sample that are encoded
    int predictor

cdef struct Book:                   # the Huffman table in the form of a DHT segment
    uint8_t counts[LONGEST + 1]
    uint8_t symbols[CATEGORIES]
    int total

cdef struct Sink:
    uint8_t* bytes
    Py_ssize_t size, room


# -- rows

cdef void take_row(const Picture* picture, Py_ssize_t y, uint16_t* row) noexcept nogil:
    cdef Py_ssize_t count = picture.columns * picture.samples, k
    cdef const uint8_t* narrow = picture.src + y * count
    cdef const uint16_t* wide = <const uint16_t*>picture.src + y * count
    cdef uint16_t mask = <uint16_t>((1 << picture.precision) - 1)
    if picture.width == 1:
        for k in range(count):
            row[k] = narrow[k] & mask
    else:
        for k in range(count):
            row[k] = wide[k] & mask


cdef const uint16_t* differ(const Picture* picture, Py_ssize_t y, uint16_t* scratch) noexcept nogil:
    # Compute the differences of row y; the call before must have been for row y - 1. scratch holds three rows.
    cdef Py_ssize_t count = picture.columns * picture.samples
    cdef uint16_t* row = scratch + (y & 1) * count
    cdef uint16_t* above = scratch + (~y & 1) * count
    cdef uint16_t* differences = scratch + 2 * count
    take_row(picture, y, row)
    if y == 0:
        differ_first_row(row, differences, count, picture.samples, <uint16_t>(1 << (picture.precision - 1)))
    else:
        differ_row(row, above, differences, count, picture.samples, picture.predictor)
    return differences


# -- the table

cdef void code_lengths(const uint64_t* counts, int* lengths) noexcept nogil:
    # Huffman code lengths of the categories that occur and of the reserved leaf, the lightest; 0: doesn't occur.
    cdef uint64_t weight[LEAVES]
    cdef int chain[LEAVES]                      # the next leaf of the same tree, -1: none
    cdef int low, lower, k
    for k in range(LEAVES):
        # Doubled, so that the last leaf is lighter than any other.
        weight[k] = 2 * counts[k] if k < CATEGORIES else 1
        chain[k] = -1
        lengths[k] = 0
    while True:
        lower = low = -1
        for k in range(LEAVES):
            if weight[k] == 0:
                continue
            if lower < 0 or weight[k] <= weight[lower]:
                low = lower
                lower = k
            elif low < 0 or weight[k] <= weight[low]:
                low = k
        if low < 0:
            return
        weight[low] += weight[lower]
        weight[lower] = 0
        k = low
        while True:                             # all leaves of both trees are one level deeper now
            lengths[k] += 1
            if chain[k] < 0:
                break
            k = chain[k]
        chain[k] = lower
        k = lower
        while k >= 0:
            lengths[k] += 1
            k = chain[k]


cdef void make_book(const uint64_t* counts, Book* book) noexcept nogil:
    # Make the table (T.81 K.2): limit the lengths to 16, remove the longest code, which is the reserved leaf's, and
    # give the most frequent categories the shortest codes.
    cdef int lengths[LEAVES]
    cdef int held[LEAVES + 1]
    cdef bint placed[CATEGORIES]
    cdef int length, shorter, k, best
    memset(held, 0, sizeof(held))
    memset(book, 0, sizeof(Book))
    code_lengths(counts, lengths)
    for k in range(LEAVES):
        held[lengths[k]] += 1
    held[0] = 0
    for length in range(LEAVES, LONGEST, -1):
        while held[length] > 0:                 # of two longest, one takes their parent, one splits a shorter code
            shorter = length - 2
            while held[shorter] == 0:
                shorter -= 1
            held[length] -= 2
            held[length - 1] += 1
            held[shorter + 1] += 2
            held[shorter] -= 1
    length = LONGEST
    while held[length] == 0:
        length -= 1
    held[length] -= 1
    memset(placed, 0, sizeof(placed))
    for length in range(1, LONGEST + 1):
        book.counts[length] = <uint8_t>held[length]
        for _ in range(held[length]):
            best = -1
            for k in range(CATEGORIES):
                if counts[k] and not placed[k] and (best < 0 or counts[k] > counts[best]):
                    best = k
            placed[best] = True
            book.symbols[book.total] = <uint8_t>best
            book.total += 1


cdef uint64_t make_codes(const Book* book, const uint64_t* counts, jll_code* codes, int* longest) noexcept nogil:
    # Make the canonical codes (T.81 C.2), shifted to leave room for a difference's bits; returns the number of bits
    # that the frame will take.
    cdef uint32_t code = 0
    cdef uint64_t bits = 0
    cdef int length, ssss, index = 0
    memset(codes, 0, CATEGORIES * sizeof(jll_code))
    longest[0] = 0
    for length in range(1, LONGEST + 1):
        for _ in range(book.counts[length]):
            ssss = book.symbols[index]
            index += 1
            codes[ssss].bits = length + (ssss if ssss < 16 else 0)
            codes[ssss].mask = (1 << ssss) - 1 if ssss < 16 else 0
            codes[ssss].base = code << ssss if ssss < 16 else code
            longest[0] = max(longest[0], codes[ssss].bits)
            bits += counts[ssss] * codes[ssss].bits
            code += 1
        code <<= 1
    return bits


# -- the codestream

cdef Status reserve(Sink* sink, Py_ssize_t more) noexcept nogil:
    cdef uint8_t* moved
    if more <= sink.room - sink.size:
        return OK
    moved = <uint8_t*>realloc(sink.bytes, sink.size + sink.size // 4 + more)
    if moved == NULL:
        return NO_MEMORY
    sink.bytes = moved
    sink.room = sink.size + sink.size // 4 + more
    return OK


cdef void put(Sink* sink, int value, int size) noexcept nogil:
    # Append a big-endian number of one or two bytes.
    if size == 2:
        sink.bytes[sink.size] = <uint8_t>(value >> 8)
        sink.size += 1
    sink.bytes[sink.size] = <uint8_t>value
    sink.size += 1


cdef void put_headers(Sink* sink, const Picture* picture, const Book* book) noexcept nogil:
    cdef int k
    # The sizes of SOI, SOF3, DHT, SOS and EOI for four components and all categories.
    static_assert(2 + (10 + 3 * 4) + (21 + CATEGORIES) + (8 + 2 * 4) + 2 <= HEADERS)
    put(sink, 0xFFD8, 2)                        # SOI
    put(sink, 0xFFC3, 2)                        # SOF3 (B.2.2)
    put(sink, 8 + 3 * picture.samples, 2)
    put(sink, picture.precision, 1)
    put(sink, <int>picture.rows, 2)
    put(sink, <int>picture.columns, 2)
    put(sink, picture.samples, 1)
    for k in range(picture.samples):
        put(sink, k + 1, 1)
        put(sink, 0x11, 1)
        put(sink, 0, 1)
    put(sink, 0xFFC4, 2)                        # DHT (B.2.4.2)
    put(sink, 19 + book.total, 2)
    put(sink, 0, 1)
    for k in range(1, LONGEST + 1):
        put(sink, book.counts[k], 1)
    for k in range(book.total):
        put(sink, book.symbols[k], 1)
    put(sink, 0xFFDA, 2)                        # SOS (B.2.3)
    put(sink, 6 + 2 * picture.samples, 2)
    put(sink, picture.samples, 1)
    for k in range(picture.samples):
        put(sink, k + 1, 1)
        put(sink, 0, 1)
    put(sink, picture.predictor, 1)
    put(sink, 0, 2)


cdef Status put_stuffed(Sink* sink, const uint8_t* src, Py_ssize_t n) noexcept nogil:
    # Append entropy-coded bytes, with a zero stuffed after each 0xFF (B.1.1.5).
    cdef const uint8_t* stop = src + n
    cdef const uint8_t* found
    cdef Status status = reserve(sink, 2 * n)
    if status != OK:
        return status
    while src < stop:
        found = <const uint8_t*>memchr(src, 0xFF, stop - src)
        n = (found + 1 if found != NULL else stop) - src
        memcpy(sink.bytes + sink.size, src, n)
        sink.size += n
        src += n
        if found != NULL:
            put(sink, 0, 1)
    return OK


cdef Status put_rows(Sink* sink, const Picture* picture, const jll_code* codes, int longest, uint16_t* scratch,
                     uint8_t* fresh) noexcept nogil:
    # Write the codes of all rows, and EOI; `fresh` has room for the codes of one row.
    cdef Py_ssize_t count = picture.columns * picture.samples, y
    cdef jll_tail tail
    cdef uint8_t* stop
    cdef uint8_t last
    cdef Status status
    tail.window = 0
    tail.bits = 0
    for y in range(picture.rows):
        stop = fresh
        jll_emit(differ(picture, y, scratch), count, codes, longest <= JLL_TWICE_BITS, &tail, &stop)
        status = put_stuffed(sink, fresh, stop - fresh)
        if status != OK:
            return status
    if tail.bits:                               # ones fill up the last byte (F.1.2.3)
        last = <uint8_t>(tail.window << (8 - tail.bits) | ((1 << (8 - tail.bits)) - 1))
        status = put_stuffed(sink, &last, 1)
        if status != OK:
            return status
    status = reserve(sink, 2)
    if status == OK:
        put(sink, 0xFFD9, 2)                    # EOI
    return status


cdef Status encode(const Picture* picture, Sink* sink) noexcept nogil:
    cdef Py_ssize_t count = picture.columns * picture.samples, y
    cdef uint64_t counts[CATEGORIES]
    cdef jll_code codes[CATEGORIES]
    cdef Book book
    cdef uint64_t bits
    cdef int longest
    cdef Status status = NO_MEMORY
    cdef uint16_t* scratch = <uint16_t*>malloc(3 * count * sizeof(uint16_t))
    cdef uint8_t* fresh = <uint8_t*>malloc(count * JLL_CODE_BYTES + 8)
    if scratch != NULL and fresh != NULL:
        memset(counts, 0, sizeof(counts))
        for y in range(picture.rows):
            jll_count(differ(picture, y, scratch), count, counts)
        make_book(counts, &book)
        bits = make_codes(&book, counts, codes, &longest)
        status = reserve(sink, <Py_ssize_t>(bits // 8 + bits // 512) + HEADERS)
        if status == OK:
            put_headers(sink, picture, &book)
            status = put_rows(sink, picture, codes, longest, scratch, fresh)
    free(scratch)
    free(fresh)
    return status


def encode_frame(src, Py_ssize_t rows, Py_ssize_t columns, int samples, int width,
                 int precision, int predictor):
    """Encode a frame as one interleaved scan.

    Parameters
    ----------
    src : buffer
        The samples in native byte order, pixel by pixel; a contiguous buffer of any item type.
    rows, columns : int
        The size of the frame, 1 to 65535 each.
    samples : int
        Samples per pixel, 1 to 4.
    width : int
        Bytes per sample: 1 or 2.
    precision : int
        The number of low bits of each sample to encode, at least 2.
    predictor : int
        The predictor's number, 1 to 7 (T.81 table H.1).

    Returns
    -------
    bytes
        The codestream.
    """
    cdef Picture picture
    cdef Py_buffer source
    cdef Sink sink
    cdef Status status
    if not (0 < rows <= 0xFFFF and 0 < columns <= 0xFFFF and 1 <= samples <= 4 and 1 <= width <= 2
            and 2 <= precision <= 8 * width and 1 <= predictor <= 7):
        raise ValueError("a JPEG lossless frame has 1 to 65535 rows and columns, 1 to 4 samples of 2 to 16 bits")
    memset(&sink, 0, sizeof(Sink))
    hold(src, &source)
    try:
        if source.len != rows * columns * samples * width:
            raise ValueError(f"a buffer of {source.len} bytes, where the frame has {rows * columns * samples * width}")
        check_words(&source, width)
        picture = Picture(src=<const uint8_t*>source.buf, width=width, rows=rows, columns=columns, samples=samples,
                          precision=precision, predictor=predictor)
        with nogil:
            status = encode(&picture, &sink)
        raise_fault(status, "JPEG lossless frame", 0)
        return sink.bytes[:sink.size]
    finally:
        free(sink.bytes)
        let_go(&source)
