"""Decodes and encodes frames of RLE Lossless (PS3.5 Annex G).

A frame consists of the 64-byte RLE Header and up to 15 segments. Each segment is the PackBits coding of one byte plane:
the most significant bytes of the first sample, then its less significant bytes, then those of the next sample (G.2).
"""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove, memset

from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.base.cursor cimport load_le32, store_le32
from dicomcore._native.base.fault cimport CORRUPT, NO_MEMORY, OK, Status, TRUNCATED, raise_fault
from dicomcore._native.base.held cimport hold, hold_writable, let_go
from dicomcore.errors import PixelDecodeError

cdef extern from "pixels/packbits.h" nogil:
    enum:
        PACKBITS_LONGEST
    ctypedef struct packbits_place:
        const uint8_t* src
        Py_ssize_t at
        Py_ssize_t safe
        uint8_t* dst
        Py_ssize_t done
        Py_ssize_t stop
    void packbits_expand1(packbits_place* a)
    void packbits_expand2(packbits_place* a, packbits_place* b)
    void packbits_expand3(packbits_place* a, packbits_place* b, packbits_place* c)
    void packbits_join2(uint8_t* dst, const uint8_t* low, const uint8_t* high, Py_ssize_t count)
    void packbits_join3(uint8_t* dst, const uint8_t* a, const uint8_t* b, const uint8_t* c, Py_ssize_t count, int width)
    void packbits_join4(uint8_t* dst, const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d,
                        Py_ssize_t count)
    void packbits_pick(uint8_t* dst, const uint8_t* src, Py_ssize_t stride, Py_ssize_t count)
    Py_ssize_t packbits_run(const uint8_t* src, Py_ssize_t most)
    Py_ssize_t packbits_literal(const uint8_t* src, Py_ssize_t most)

cdef enum:
    HEADER = 64             # bytes of the RLE Header (G.5)
    MOST_EXPANSION = 64     # two bytes expand to 128 at most (G.3.1)
    BRIEF = 1024            # bytes of a frame that decodes before another thread would have woken up
    SEGMENTS = 15           # most segments of a frame
    LONGEST = PACKBITS_LONGEST  # most bytes of a run or literal (G.3.1)
    SHORT = 16              # bytes that a short run or literal writes, whatever its length
    SLACK = LONGEST + 16    # bytes that an expansion may read and write past its end
    PAST = 32               # bytes that a search for runs may read past the end of a row
    SMALL = 2048            # bytes of scratch memory that need no allocation
    BLOCK = 4096            # bytes of each plane that are expanded before they are joined: they stay in the L1 cache

cdef struct Segment:
    const uint8_t* src      # the first byte
    Py_ssize_t n            # the number of bytes
    Py_ssize_t past         # bytes of the frame behind them, which may be read
    Py_ssize_t at           # offset of the next control byte; after a fault, of the one at fault
    Py_ssize_t left         # bytes that the plane still lacks
    bint over               # the last run went past the plane, and was cut there
    Status fault


# -- decoding

cdef void expand_fast(Segment* segs, int count, uint8_t** dst, const Py_ssize_t* want,
                      Py_ssize_t* done) noexcept nogil:
    # Expand several segments, each until done[j] bytes at dst[j] reach want[j], or its end is near. dst[j] must have
    # SLACK bytes past want[j]. Nothing here can fault: it stops where bounds must be checked, for expand_checked().
    cdef packbits_place places[SEGMENTS]
    cdef packbits_place* live[SEGMENTS]
    cdef int n, j
    static_assert(1 + LONGEST <= SLACK)         # a control byte, and the bytes read behind it
    for j in range(count):
        places[j].src = segs[j].src
        places[j].at = segs[j].at
        places[j].safe = segs[j].n - SLACK
        places[j].dst = dst[j]
        places[j].done = done[j]
        places[j].stop = min(want[j], done[j] + segs[j].left - LONGEST)
    while True:
        n = 0
        for j in range(count):
            if places[j].at < places[j].safe and places[j].done < places[j].stop:
                live[n] = &places[j]
                n += 1
        if n == 0:
            break
        if n == 1:
            packbits_expand1(live[0])
        elif n == 2 or n == 4:
            packbits_expand2(live[0], live[1])
        else:
            packbits_expand3(live[0], live[1], live[2])
    for j in range(count):
        segs[j].at = places[j].at
        segs[j].left -= places[j].done - done[j]
        done[j] = places[j].done


cdef Py_ssize_t expand_short(Segment* seg, uint8_t* dst, Py_ssize_t want, bint spare) noexcept nogil:
    # Expand runs and literals of up to SHORT bytes, without a branch on which of them it is, until one is longer, or an
    # end is near; expand_checked() goes on there. Returns the number of bytes, which may be more than `want`. What is
    # written behind a run is overwritten by the next: dst has room for what the plane still lacks, or SHORT bytes more
    # than `want`; if `spare`, SHORT bytes more than the plane lacks, too.
    cdef const uint8_t* src = seg.src
    cdef Py_ssize_t i = seg.at, done = 0, run, cost
    cdef Py_ssize_t least = 1 if spare else SHORT
    cdef uint64_t low, high, same, mask
    cdef unsigned int control

    while done < want and seg.left - done >= least and seg.n > i and seg.n + seg.past - i > SHORT:
        control = src[i]
        mask = -<uint64_t>(control > 128)               # all bits are set for a run
        run = (257 - control) if control > 128 else control + 1
        cost = 2 if control > 128 else run + 1
        if run > SHORT or run > seg.left - done or cost > seg.n - i:
            break
        memcpy(&low, src + i + 1, 8)
        memcpy(&high, src + i + 9, 8)
        same = <uint64_t>src[i + 1] * <uint64_t>0x0101010101010101
        low = (same & mask) | (low & ~mask)
        high = (same & mask) | (high & ~mask)
        memcpy(dst + done, &low, 8)
        memcpy(dst + done + 8, &high, 8)
        i += cost
        done += run
    seg.at = i
    seg.left -= done
    return done


cdef Py_ssize_t expand_checked(Segment* seg, uint8_t* dst, Py_ssize_t want, bint spare,
                               bint lenient) noexcept nogil:
    # As expand_fast(), run by run, and checks every bound; sets seg.fault. dst has room as for expand_short(). A run
    # that goes past the plane is cut there: some encoders write these (an ultrasound of pydicom#1438). If `lenient`, a
    # truncated literal is copied in part.
    cdef const uint8_t* src = seg.src
    cdef Py_ssize_t done = expand_short(seg, dst, want, spare), i = seg.at, run, cost
    cdef int control

    while done < want and seg.left > 0:
        seg.at = i
        if i == seg.n:
            seg.fault = TRUNCATED
            break
        control = src[i]
        i += 1
        if control == 128:
            continue
        run = control + 1 if control < 128 else 257 - control
        if run > seg.left:
            seg.over = True
            run = seg.left
        cost = run if control < 128 else 1
        if cost > seg.n - i:
            seg.fault = TRUNCATED
            run = seg.n - i if control < 128 and lenient else 0
        if control < 128:
            memcpy(dst + done, src + i, run)
        elif run:
            memset(dst + done, src[i], run)
        done += run
        seg.left -= run
        if seg.fault != OK or seg.over:
            break
        i += cost
        seg.at = i
    return done


cdef void join(uint8_t* dst, uint8_t** planes, int count, Py_ssize_t pixels, uint8_t* words) noexcept nogil:
    # Copy planes[j][k] to dst[k * count + j]. `words` is scratch memory of words_for(count) bytes.
    cdef const uint8_t* plane
    cdef Py_ssize_t k
    cdef int j, width
    if count == 2:
        packbits_join2(dst, planes[0], planes[1], pixels)
    elif count == 3:
        packbits_join3(dst, planes[0], planes[1], planes[2], pixels, 1)
    elif count == 4:
        packbits_join4(dst, planes[0], planes[1], planes[2], planes[3], pixels)
    elif words_for(count):                  # three samples: first join each sample's words, then the pixels
        width = count // 3
        for j in range(3):
            join(words + j * BLOCK * width, planes + j * width, width, pixels, NULL)
        packbits_join3(dst, words, words + BLOCK * width, words + 2 * BLOCK * width, pixels, width)
    else:
        for j in range(count):
            plane = planes[j]
            for k in range(pixels):
                dst[k * count + j] = plane[k]


cdef inline Py_ssize_t words_for(int count) noexcept nogil:
    return count * BLOCK if count == 6 or count == 12 else 0


cdef Status expand_joined(Segment* segs, int count, int width, uint8_t* dst, Py_ssize_t pixels,
                          bint lenient) noexcept nogil:
    # Expand `count` planes, `width` per sample, into pixels of `count` bytes, a block of each plane at a time.
    cdef uint8_t small[SMALL]
    cdef uint8_t* scratch = small
    cdef Py_ssize_t pitch = min(pixels, <Py_ssize_t>BLOCK) + 2 * SLACK
    cdef Py_ssize_t size = count * pitch + words_for(count)
    cdef uint8_t* planes[SEGMENTS]              # in the order of the bytes of a pixel
    cdef uint8_t* dsts[SEGMENTS]                # the same in the order of the segments
    cdef Py_ssize_t held[SEGMENTS]
    cdef Py_ssize_t wants[SEGMENTS]
    cdef Py_ssize_t done = 0, step
    cdef Status status = OK
    cdef int j
    if size > SMALL:
        scratch = <uint8_t*>malloc(size)
    if scratch == NULL:
        return NO_MEMORY
    for j in range(count):
        dsts[j] = scratch + j * pitch
        planes[j - j % width + width - 1 - j % width] = dsts[j]     # big-endian segments, little-endian samples
        held[j] = 0
    while done < pixels and (status == OK or lenient):
        step = pixels - done if pixels - done < BLOCK else BLOCK
        for j in range(count):
            wants[j] = step
        expand_fast(segs, count, dsts, wants, held)
        for j in range(count):
            if held[j] < step and segs[j].fault == OK:
                held[j] += expand_checked(&segs[j], dsts[j] + held[j], step - held[j], True, lenient)
            if held[j] < step:                                  # a fault: missing bytes become zero
                memset(dsts[j] + held[j], 0, step - held[j])
                held[j] = step
                status = segs[j].fault
        join(dst + done * count, planes, count, step, scratch + count * pitch)
        for j in range(count):
            held[j] -= step
            memmove(dsts[j], dsts[j] + step, held[j])
        done += step
    if scratch != small:
        free(scratch)
    return status


cdef Status expand_planes(Segment* segs, int count, uint8_t* dst, Py_ssize_t pixels, bint lenient) noexcept nogil:
    # Expand planes of one byte per pixel directly into dst; expand_checked() does the last bytes, which have no slack.
    cdef uint8_t* dsts[SEGMENTS]
    cdef Py_ssize_t held[SEGMENTS]
    cdef Py_ssize_t wants[SEGMENTS]
    cdef Status status = OK
    cdef int j
    memset(wants, 0, sizeof(wants))         # for compilers that can't see that count is at least 1
    for j in range(count):
        dsts[j] = dst + j * pixels
        held[j] = 0
        wants[j] = pixels - SLACK
    expand_fast(segs, count, dsts, wants, held)
    for j in range(count):
        held[j] += expand_checked(&segs[j], dsts[j] + held[j], pixels - held[j], False, lenient)
        memset(dsts[j] + held[j], 0, pixels - held[j])
        if segs[j].fault != OK:
            status = segs[j].fault
            if not lenient:
                break
    return status


cdef Status find_segments(const uint8_t* src, Py_ssize_t n, Segment* segs, int wanted, Py_ssize_t pixels,
                          Py_ssize_t* at) noexcept nogil:
    # Read the RLE Header (G.5): the number of segments, and 15 little-endian offsets from the header's first byte.
    cdef Py_ssize_t start, stop = 0
    cdef uint32_t count
    cdef int j
    static_assert(4 + 4 * SEGMENTS == HEADER)
    at[0] = 0
    if n < HEADER:
        at[0] = n
        return TRUNCATED
    count = load_le32(src)
    if count != <uint32_t>wanted:           # the frame has other samples
        return CORRUPT
    for j in range(wanted):
        start = load_le32(src + 4 + 4 * j)
        stop = load_le32(src + 8 + 4 * j) if <uint32_t>j + 1 < count else n
        at[0] = 4 + 4 * j
        if start < HEADER or start > n or stop < start:
            return CORRUPT
        if stop > n:
            stop = n                        # the segment ends with the frame; expanding it finds a missing end
        segs[j] = Segment(src=src + start, n=stop - start, past=n - stop, at=0, left=pixels, over=False, fault=OK)
    return OK


cdef bint is_over(const Segment* seg) noexcept nogil:
    # Whether the segment contains more than its plane. One byte, or any number of zeros, is padding (G.3.1).
    cdef Py_ssize_t i
    if seg.over:
        return True
    if seg.n - seg.at < 2:
        return False
    for i in range(seg.at, seg.n):
        if seg.src[i] != 0:
            return True
    return False


cdef Status expand_frame(const uint8_t* src, Py_ssize_t n, uint8_t* dst, const Layout* layout, bint lenient,
                         Py_ssize_t* at) noexcept nogil:
    # Decode a frame into the pixels × samples × width bytes at dst. On failure at[0] is the offset of the header field
    # or control byte at fault; if `lenient`, dst then holds the bytes that could be read, else zeros. On success at[0]
    # is the offset of the first control byte that was not used, or only in part, because its plane was full; -1 without
    # one.
    cdef Segment segs[SEGMENTS]
    cdef int wanted = layout.samples * layout.width, j, s
    cdef Py_ssize_t plane = layout.pixels * layout.width
    cdef Status status = find_segments(src, n, segs, wanted, layout.pixels, at), first = OK
    if status != OK:
        if lenient:
            memset(dst, 0, layout.samples * plane)
        return status
    if layout.width == 1 and (layout.planar or layout.samples == 1):
        status = expand_planes(segs, layout.samples, dst, layout.pixels, lenient)
    elif not layout.planar:
        status = expand_joined(segs, wanted, layout.width, dst, layout.pixels, lenient)
    else:
        for s in range(layout.samples):
            status = expand_joined(segs + s * layout.width, layout.width, layout.width, dst + s * plane, layout.pixels,
                                   lenient)
            if status != OK and first == OK:
                first = status
            if status != OK and not lenient:
                break
        status = first
    if status != OK:
        for j in range(wanted):
            if segs[j].fault != OK:
                at[0] = segs[j].src - src + segs[j].at
                return segs[j].fault
    at[0] = -1
    for j in range(wanted):
        if is_over(&segs[j]):
            at[0] = segs[j].src - src + segs[j].at
            break
    return status


cdef Py_ssize_t plane_end(const Segment* seg) noexcept nogil:
    # The offset in a segment of the first byte that its plane does not need; the segment's end if it is cut short.
    cdef Py_ssize_t i = 0, left = seg.left, run, cost
    cdef int control
    while left > 0:
        if i >= seg.n:
            return seg.n
        control = seg.src[i]
        i += 1
        if control == 128:
            continue
        run = control + 1 if control < 128 else 257 - control
        if run > left:
            run = left
        cost = run if control < 128 else 1
        if cost > seg.n - i:
            return seg.n
        i += cost
        left -= run
    return i


# -- encoding

cdef Py_ssize_t pack_bound(const Layout* layout) noexcept nogil:
    # The most bytes that a frame can take: a control byte for every 128 bytes of each row, and a padding byte per
    # segment.
    cdef Py_ssize_t rows = layout.pixels // layout.columns
    cdef Py_ssize_t row = layout.columns + (layout.columns + LONGEST - 1) // LONGEST
    return HEADER + layout.samples * layout.width * (rows * row + 1)


cdef Py_ssize_t pack_row(const uint8_t* src, Py_ssize_t n, uint8_t* dst) noexcept nogil:
    # Write the PackBits coding of one row (G.3.1), whose src has PAST readable bytes behind its end; returns the number
    # of bytes written. Two equal bytes become a run only if they don't follow a literal: ending the literal for them
    # would cost the control byte of a new one.
    cdef Py_ssize_t i = 0, o = 0, run, most
    while i < n:
        most = n - i if n - i < LONGEST else LONGEST
        run = packbits_run(src + i, most)
        if run > 1:
            dst[o] = <uint8_t>(257 - run)
            dst[o + 1] = src[i]
            o += 2
        else:
            run = packbits_literal(src + i, most)
            dst[o] = <uint8_t>(run - 1)
            memcpy(dst + o + 1, src + i, run)
            o += run + 1
        i += run
    return o


cdef Status pack_frame(const uint8_t* src, uint8_t* dst, const Layout* layout, Py_ssize_t* size) noexcept nogil:
    # Encode a frame's samples into at most pack_bound() bytes at dst; size[0] is the number of bytes written.
    cdef Py_ssize_t columns = layout.columns, rows = layout.pixels // columns
    cdef Py_ssize_t stride = layout.width if layout.planar else layout.width * layout.samples
    cdef Py_ssize_t y, o = HEADER
    cdef uint8_t* row = <uint8_t*>malloc(columns + PAST)
    cdef const uint8_t* plane
    cdef int s, b, j = 0
    if row == NULL:
        return NO_MEMORY
    memset(row + columns, 0, PAST)
    memset(dst, 0, HEADER)
    dst[0] = <uint8_t>(layout.samples * layout.width)
    for s in range(layout.samples):
        for b in range(layout.width - 1, -1, -1):               # most significant bytes first (G.2)
            plane = src + s * layout.width * (layout.pixels if layout.planar else 1) + b
            store_le32(dst + 4 + 4 * j, <uint32_t>o)
            j += 1
            for y in range(rows):
                packbits_pick(row, plane + y * columns * stride, stride, columns)
                row[columns] = ~row[columns - 1]                # ends a run at the end of the row
                o += pack_row(row, columns, dst + o)
            if o & 1:
                dst[o] = 0                                      # segments have even length (G.3)
                o += 1
    free(row)
    size[0] = o
    return OK


# -- for Python

cdef int lay_out(Layout* layout, Py_ssize_t pixels, Py_ssize_t columns, int samples, int width, bint planar,
                 Py_ssize_t held) except -1:
    # Check the caller's description of a frame against the `held` bytes of its samples, and fill `layout`.
    if not (0 < pixels < 1 << 48 and samples > 0 and width > 0 and samples * width <= SEGMENTS):
        raise ValueError(f"{samples} samples of {width} bytes don't fit the {SEGMENTS} segments of an RLE frame")
    if columns < 1 or pixels % columns:
        raise ValueError(f"{pixels} pixels aren't whole rows of {columns} columns")
    if held != pixels * samples * width:
        raise ValueError(f"a buffer of {held} bytes, where the frame has {pixels * samples * width}")
    layout[0] = Layout(pixels=pixels, columns=columns, samples=samples, width=width, planar=planar)
    return 0


def decode_frame(src, dst, Py_ssize_t pixels, int samples, int width, bint planar=False, bint lenient=False):
    """Decode one RLE frame.

    Parameters
    ----------
    src : buffer
        The frame; a contiguous buffer of any item type.
    dst : buffer
        Receives pixels × samples × width bytes, little endian; a contiguous buffer of any item type.
    pixels : int
        Rows × columns.
    samples : int
        Samples per pixel.
    width : int
        Bytes per sample.
    planar : bool
        Write samples by plane (Planar Configuration 1) instead of by pixel.
    lenient : bool
        Return the offset of the first fault instead of raising; `dst` then holds the bytes that could be read, else
        zeros.

    Returns
    -------
    int or None
        The offset of the first fault if `lenient`; or of the first coded byte that was left out because its plane was
        full; else None. Offsets count from the first byte of `src`.

    Raises
    ------
    PixelDecodeError
        The frame is at fault.
    """
    cdef Py_buffer target
    hold_writable(dst, &target)
    try:
        return decode_held(src, &target, pixels, samples, width, planar, lenient)
    finally:
        let_go(&target)


cdef object decode_held(object src, const Py_buffer* target, Py_ssize_t pixels, int samples, int width, bint planar,
                        bint lenient):
    cdef Layout layout
    cdef Py_buffer source
    cdef Py_ssize_t at = 0
    cdef uint32_t count = 0
    cdef Status status
    hold(src, &source)
    try:
        lay_out(&layout, pixels, 1, samples, width, planar, target.len)
        if source.len < BRIEF:
            status = expand_frame(<const uint8_t*>source.buf, source.len, <uint8_t*>target.buf, &layout, lenient, &at)
        else:
            with nogil:
                status = expand_frame(<const uint8_t*>source.buf, source.len, <uint8_t*>target.buf, &layout, lenient,
                                      &at)
        if status == CORRUPT and at == 0:
            count = load_le32(<const uint8_t*>source.buf)
    finally:
        let_go(&source)
    if status == OK:
        return None if at < 0 else at
    if lenient and status != NO_MEMORY:
        return at
    if status == CORRUPT and at == 0:
        raise PixelDecodeError(f"the RLE Header states {count} segments where {samples * width} are due", offset=0)
    raise_fault(status, "RLE frame", at)


def behind_planes(const uint8_t[::1] src not None, Py_ssize_t pixels, int samples, int width):
    """Where the bytes of an RLE frame are that its planes do not need: (start, stop), for each segment that has any.

    What is between the header's last offset and the first segment is of them, too. A frame whose header is wrong has
    none.
    """
    cdef Segment segs[SEGMENTS]
    cdef Py_ssize_t at = 0, first, start
    cdef Py_ssize_t ends[SEGMENTS]
    cdef int j, wanted = samples * width
    if not (0 < pixels < 1 << 48 and samples > 0 and 0 < width <= SEGMENTS and samples <= SEGMENTS // width):
        raise ValueError(f"{samples} samples of {width} bytes don't fit the {SEGMENTS} segments of an RLE frame")
    if src.shape[0] < HEADER or find_segments(&src[0], src.shape[0], segs, wanted, pixels, &at) != OK:
        return []
    with nogil:
        for j in range(wanted):
            ends[j] = plane_end(&segs[j])
    first = segs[0].src - &src[0]
    found = [(4 + 4 * wanted, first)] if first > 4 + 4 * wanted else []
    for j in range(wanted):
        start = segs[j].src - &src[0]
        if ends[j] < segs[j].n:
            found.append((start + ends[j], start + segs[j].n))
    return found


def decode_into(frame, out, Py_ssize_t rows, Py_ssize_t columns, int samples, int bits, bint planar):
    """Decode one RLE frame into an array of its shape and of unsigned samples in native byte order.

    Returns
    -------
    bool
        False if `out` is no such array or cannot be written to, or if it holds more than the frame can: nothing was
        decoded then.

    Raises
    ------
    PixelDecodeError
        The frame is at fault.
    """
    cdef Py_buffer target
    if type(frame) is not bytes or rows < 1 or columns < 1 or samples < 1:
        return False
    try:
        PyObject_GetBuffer(out, &target, PyBUF_WRITABLE | PyBUF_ND | PyBUF_FORMAT)
    except (BufferError, ValueError):
        return False
    try:
        if target.len > len(<bytes>frame) * MOST_EXPANSION:
            return False
        if not fits_frame(&target, rows, columns, samples, bits >> 3, planar):
            return False
        decode_held(frame, &target, rows * columns, samples, bits >> 3, planar, False)
    finally:
        PyBuffer_Release(&target)
    return True


cdef bint fits_frame(const Py_buffer* target, Py_ssize_t rows, Py_ssize_t columns, int samples, int width,
                     bint planar) noexcept:
    cdef const Py_ssize_t* shape = target.shape
    if width < 1 or target.itemsize != width or target.format == NULL or target.format[0] == 0 or target.format[1] != 0:
        return False                                            # ">H" is in another byte order
    if not (target.format[0] == c"B" or target.format[0] == c"H" or target.format[0] == c"I"
            or target.format[0] == c"L" or target.format[0] == c"Q"):
        return False
    if samples == 1:
        return target.ndim == 2 and shape[0] == rows and shape[1] == columns
    if target.ndim != 3:
        return False
    if planar:
        return shape[0] == samples and shape[1] == rows and shape[2] == columns
    return shape[0] == rows and shape[1] == columns and shape[2] == samples


def encode_frame(src, Py_ssize_t pixels, Py_ssize_t columns, int samples, int width, bint planar=False):
    """Encode one frame as RLE.

    Parameters
    ----------
    src : buffer
        The little-endian samples; a contiguous buffer of any item type.
    pixels : int
        Rows × columns.
    columns : int
        Pixels of a row; each row is encoded separately.
    samples : int
        Samples per pixel.
    width : int
        Bytes per sample.
    planar : bool
        Whether the samples are stored by plane (Planar Configuration 1).

    Returns
    -------
    bytes
        The frame, of even length (PS3.5 G.3).
    """
    cdef Layout layout
    cdef Py_buffer source
    cdef Py_ssize_t size = 0
    cdef Status status
    cdef uint8_t* packed = NULL
    hold(src, &source)
    try:
        lay_out(&layout, pixels, columns, samples, width, planar, source.len)
        if pack_bound(&layout) > 0xFFFFFFFF:
            raise OverflowError("the frame is too large for RLE: the RLE Header has 32 bits for an offset")
        packed = <uint8_t*>malloc(pack_bound(&layout))
        if packed == NULL:
            raise MemoryError("RLE frame: out of memory")
        with nogil:
            status = pack_frame(<const uint8_t*>source.buf, packed, &layout, &size)
        raise_fault(status, "RLE frame", 0)
        return packed[:size]
    finally:
        free(packed)
        let_go(&source)
