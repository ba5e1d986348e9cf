"""Decodes one JPEG lossless frame on two threads, with the same result as on one.

The first thread decodes from the frame's start, the second from a byte near the middle of the entropy-coded data, where
a code begins only by chance. When the first thread reaches that byte, it finds the sample from which on both threads
would read the same (see fall_in_step() in entropy.pyx), and continues prediction with the second thread's differences.
If there is no such sample, the first thread decodes the rest alone.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from dicomcore._native.base.fault cimport NO_MEMORY, OK, OVERRUN, Status, TRUNCATED, raise_fault
from dicomcore._native.base.held cimport check_words, hold, hold_writable, let_go
from dicomcore._native.jpegll.entropy cimport (
    LOGGED, Bits, Start, Tables, build_tables, fall_in_step, fill, free_bits, free_tables, jll_chain, open_bits,
    place_of, read_differences, room_for, start_anywhere,
)
from dicomcore._native.jpegll.markers cimport Codes, Scan, Stream, next_scan, open_stream
from dicomcore._native.jpegll.predict cimport SLANT
from dicomcore._native.jpegll.rows cimport Output, Rows, decode_rows, free_rows, open_rows, take_rows

cdef enum:
    WORTH = 1 << 16                 # fewest bytes of entropy-coded data for which a second thread pays off


cdef bint is_plain(const Stream* s, const Scan* scan) noexcept nogil:
    # Whether the codestream is one scan of all components at the frame's size, without restart intervals.
    cdef int j
    if s.restart_interval or scan.count != s.frame.count:
        return False
    for j in range(scan.count):
        if s.frame.components[j].h != s.frame.hmax or s.frame.components[j].v != s.frame.vmax:
            return False
    return scan.count == 1 or s.frame.hmax * s.frame.vmax == 1


cdef Py_ssize_t samples_in(const Stream* s) noexcept nogil:
    return s.frame.rows * s.frame.columns * s.frame.count


cdef Status tables_of(const Stream* s, const Scan* scan, Tables* tables) noexcept nogil:
    cdef const Codes* codes[4]
    cdef int j
    for j in range(scan.count):
        codes[j] = &s.codes[scan.table[j]]
    return build_tables(tables, codes, scan.count, samples_in(s), 8.0 * (s.n - s.i) / samples_in(s))


cdef void find_tail(const uint8_t* src, Py_ssize_t n, Ahead* ahead) noexcept nogil:
    memset(ahead, 0, sizeof(Ahead))
    open_stream(&ahead.stream, src, n)
    if next_scan(&ahead.stream, &ahead.scan) != OK or not is_plain(&ahead.stream, &ahead.scan):
        return
    if n - ahead.stream.i < WORTH or samples_in(&ahead.stream) // 8 > n - ahead.stream.i:
        return
    # A little before the middle, as the first thread also does all of the prediction.
    ahead.place = ahead.stream.i + (n - ahead.stream.i) * 46 // 100
    while src[ahead.place - 1] == 0xFF and ahead.place < n:     # not between 0xFF and its stuffed zero
        ahead.place += 1


cdef Status decode_ahead(Ahead* ahead) noexcept nogil:
    # Read differences from ahead.place on, until the data ends or the bits are not a code.
    cdef const Stream* s = &ahead.stream
    cdef Py_ssize_t most = min(samples_in(s), 8 * (s.n - ahead.place)), headroom, got = 0
    cdef jll_chain chain
    cdef int phase
    cdef Status status = tables_of(s, &ahead.scan, &ahead.tables)
    if status == OK:
        status = open_bits(&ahead.bits, s.src, s.n, ahead.place)
    if status != OK:
        return status
    headroom = SLANT * s.frame.columns * s.frame.count + 4 * LOGGED
    ahead.memory = <uint16_t*>malloc((headroom + most + room_for(most)) * sizeof(uint16_t))
    if ahead.memory == NULL:
        return NO_MEMORY
    ahead.differences = ahead.memory + headroom
    fill(&ahead.bits)
    chain.pos = 0
    chain.phase = chain.broken = 0
    chain.out = ahead.differences
    chain.full = chain.out + most
    chain.stop = 8 * ahead.bits.held - 64
    start_anywhere(&ahead.tables, ahead.bits.clean, &chain, &ahead.start, LOGGED)
    ahead.bits.pos = chain.pos
    ahead.count = chain.out - ahead.differences
    phase = chain.phase
    while status == OK and ahead.count < most:
        status = read_differences(&ahead.bits, &ahead.tables, ahead.differences + ahead.count, most - ahead.count,
                                  &phase, &got)
        ahead.count += got
    return status


cdef bint meet(Bits* bits, const Tables* tables, Rows* rows, Ahead* ahead) noexcept nogil:
    # Read on from the last sample before ahead.place, where `bits` was capped, until head and tail fall into step, and
    # put the head's differences before the tail's. False: they never fell into step; the differences are in the heap.
    cdef int64_t boundary = 8 * (bits.held - (bits.pos >> 3))   # the tail's first bit in `clean`, once that is filled
    cdef Start start = ahead.start
    cdef jll_chain chain
    cdef int j
    bits.cap = bits.n
    bits.ended = False
    fill(bits)
    for j in range(start.logged):
        start.log[j] += boundary
    chain.pos = bits.pos
    chain.phase = rows.phase
    chain.broken = 0
    chain.out = rows.heap + rows.held
    chain.full = chain.out + min((rows.last - rows.y) * rows.count - rows.held, <Py_ssize_t>2 * LOGGED)
    j = fall_in_step(tables, bits.clean, &chain, &start)
    rows.held = chain.out - rows.heap
    bits.pos = chain.pos
    rows.phase = chain.phase
    if j < 0:
        return False
    ahead.differences += j - rows.held
    ahead.count += rows.held - j
    memcpy(ahead.differences, rows.heap, rows.held * sizeof(uint16_t))
    return True


cdef Status begin(Ahead* ahead, uint8_t* dst, Py_ssize_t size, int width, bint lenient, Tables* tables, Bits* bits,
                  Rows* rows) noexcept nogil:
    # Set up the head's tables, bits and rows.
    cdef const Stream* s = &ahead.stream
    cdef Output out
    cdef Status status
    cdef int j
    if s.frame.precision > 8 * width or samples_in(s) * width > size:
        return OVERRUN
    if samples_in(s) * width < size:
        return TRUNCATED
    if lenient:
        memset(dst, 0, size)
    out.width = width
    out.stride = s.frame.count
    out.shift = ahead.scan.point_transform
    for j in range(s.frame.count):
        out.dst[j] = dst + j * width
    status = tables_of(s, &ahead.scan, tables)
    if status == OK:
        status = open_bits(bits, s.src, s.n, s.i)
    if status == OK:
        bits.cap = ahead.place
        status = open_rows(rows, &s.frame, &ahead.scan, &out, s.frame.rows)
    return status


cdef Status finish(Ahead* ahead, const Tables* tables, Bits* bits, Rows* rows, Py_ssize_t* at) noexcept nogil:
    # Decode the rows that follow the head, with the tail's differences if both fell into step.
    cdef Status status = OK
    if ahead.differences != NULL and ahead.status != NO_MEMORY and meet(bits, tables, rows, ahead):
        take_rows(rows, ahead.differences, ahead.count, True)
        if rows.y == rows.last:
            return OK
        at[0] = place_of(&ahead.bits)
        return ahead.status
    bits.cap = bits.n
    bits.ended = False
    status = decode_rows(bits, tables, rows, rows.last)
    if status != OK:
        at[0] = place_of(bits)
    return status


cdef class Tail:
    """The latter half of a codestream: call `run` in one thread, and `decode_frame` with the tail in another.

    It is true if two threads can decode the codestream, and if it is long enough to pay off. It refers to `src`, which
    must not change.
    """
    cdef Ahead ahead
    cdef Py_buffer source
    cdef bint held

    def __cinit__(self, src):
        hold(src, &self.source)
        self.held = True
        with nogil:
            find_tail(<const uint8_t*>self.source.buf, self.source.len, &self.ahead)

    def __dealloc__(self):
        free(self.ahead.memory)
        free_bits(&self.ahead.bits)
        free_tables(&self.ahead.tables)
        if self.held:
            let_go(&self.source)

    def __bool__(self):
        return self.ahead.place > 0

    def run(self):
        """Decode the tail; call it once."""
        if self.ahead.memory != NULL or self.ahead.place == 0:
            raise ValueError("run() needs a true Tail, and is called once")
        with nogil:
            self.ahead.status = decode_ahead(&self.ahead)


def decode_frame(Tail tail not None, dst, int width, wait, bint lenient=False):
    """Decode the codestream of `tail`; returns and raises as decode_frame() of codec.pyx does.

    Parameters
    ----------
    tail : Tail
        A true Tail.
    dst : buffer
        Receives the samples, pixel by pixel; a contiguous buffer of any item type.
    width : int
        Bytes per sample: 1 or 2.
    wait : callable
        Returns when tail.run() has returned. It is called at most once, and not if the head has a fault or is enough.
    lenient : bool
        Return the offset of the first fault instead of raising.
    """
    cdef Ahead* ahead = &tail.ahead
    cdef Py_buffer target
    cdef Tables tables
    cdef Bits bits
    cdef Rows rows
    cdef Py_ssize_t at = ahead.stream.i
    cdef bint waits
    cdef Status status
    if ahead.place == 0 or (width != 1 and width != 2):
        raise ValueError("decode_frame() needs a true Tail, and samples of 1 or 2 bytes")
    memset(&tables, 0, sizeof(Tables))
    memset(&bits, 0, sizeof(Bits))
    memset(&rows, 0, sizeof(Rows))
    hold_writable(dst, &target)
    try:
        check_words(&target, width)
        with nogil:
            waits = False
            status = begin(ahead, <uint8_t*>target.buf, target.len, width, lenient, &tables, &bits, &rows)
            if status == OK:
                status = decode_rows(&bits, &tables, &rows, rows.last)
                waits = status == TRUNCATED and bits.i == ahead.place
                if status != OK and not waits:
                    at = place_of(&bits)
        if waits:
            wait()
            with nogil:
                status = finish(ahead, &tables, &bits, &rows, &at)
    finally:
        free_rows(&rows)
        free_bits(&bits)
        free_tables(&tables)
        let_go(&target)
    if status == OK:
        return None
    if lenient and status != NO_MEMORY and status != OVERRUN:
        return at
    raise_fault(status, "JPEG lossless codestream", at)
