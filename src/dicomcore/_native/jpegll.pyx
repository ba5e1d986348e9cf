"""JPEG lossless (T.81 process 14): a codestream to samples.

Scans whose components have all the frame's size go row by row: differences into a buffer that stays in the cache, then
prediction into the output. Subsampled components are decoded each at its own size first.
"""

from libc.stdint cimport uint8_t, uint16_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memmove, memset

from dicomcore._native.fault cimport CORRUPT, NO_MEMORY, OK, OVERRUN, Status, TRUNCATED, UNSUPPORTED, raise_fault
from dicomcore._native.held cimport hold, hold_writable, let_go
from dicomcore._native.jpegll_entropy cimport (
    Bits, Tables, begin_interval, build_tables, free_bits, free_tables, open_bits, place_of, read_differences, read_one,
    room_for,
)
from dicomcore._native.jpegll_markers cimport (
    Codes, Component, Frame, Scan, Stream, next_marker, next_scan, open_stream,
)
from dicomcore._native.jpegll_predict cimport SLANT, undo_first_row, undo_row, undo_slanted

from dicomcore.errors import PixelDecodeError

cdef enum:
    RST0 = 0xD0
    RST7 = 0xD7

cdef struct Output:                     # where the samples of a scan go
    uint8_t* dst[4]                     # the first sample of each of its components
    int width                           # bytes per sample: 1 or 2
    int stride                          # from a component's sample to its next
    int shift                           # the point transform (H.1.2.1)


# --- rows of components that have the frame's size ---

cdef inline bint is_packed(const Output* out, int lag) noexcept nogil:
    # The scan's components are all that stands in dst, in turn.
    cdef int j
    for j in range(lag):
        if out.dst[j] != out.dst[0] + j * out.width:
            return False
    return out.stride == lag


cdef void put_samples(const Output* out, int j, Py_ssize_t first, const uint16_t* samples, Py_ssize_t count,
                      int lag) noexcept nogil:
    # `count` samples, each `lag` after the one before, to where component j's sample `first` and its next ones stand.
    cdef int shift = out.shift, stride = out.stride
    cdef uint8_t* narrow = out.dst[j] + first * stride
    cdef uint16_t* wide = <uint16_t*>out.dst[j] + first * stride
    cdef Py_ssize_t k
    if out.width == 1 and stride == 1 and lag == 1:
        for k in range(count):
            narrow[k] = <uint8_t>(samples[k] << shift)
    elif out.width == 1:
        for k in range(count):
            narrow[k * stride] = <uint8_t>(samples[k * lag] << shift)
    else:
        for k in range(count):
            wide[k * stride] = <uint16_t>(samples[k * lag] << shift)


cdef void put_row(Output* out, const uint16_t* row, Py_ssize_t y, Py_ssize_t columns, int lag) noexcept nogil:
    cdef Output all
    cdef int j
    if is_packed(out, lag):
        all = out[0]
        all.stride = 1
        put_samples(&all, 0, y * columns * lag, row, columns * lag, 1)
        return
    for j in range(lag):
        put_samples(out, j, y * columns, row + j, columns, lag)


cdef Status next_interval(Bits* bits) noexcept nogil:
    # Past the RSTn marker that is to follow; what is left of the interval is padding.
    cdef Py_ssize_t i = bits.i
    cdef int marker
    cdef Status status = next_marker(bits.src, bits.n, &i, &marker)
    if status == OK and not RST0 <= marker <= RST7:
        i -= 2
        status = CORRUPT
    begin_interval(bits, i)
    return status


cdef Status decode_rows(Bits* bits, const Tables* tables, const Frame* frame, const Scan* scan, Output* out,
                        Py_ssize_t interval_rows) noexcept nogil:
    # All rows of a scan. Differences pile up in `heap` until they are rows.
    cdef int lag = scan.count, phase = 0, step, j
    cdef Py_ssize_t columns = frame.columns, count = columns * lag, y = 0, top = 0, held = 0, got = 0, used
    cdef Py_ssize_t room = SLANT * count + room_for(interval_rows * count), stop
    cdef uint16_t* heap = <uint16_t*>malloc((room + (SLANT + 1) * count) * sizeof(uint16_t))
    cdef uint16_t* rows[SLANT]
    cdef uint16_t* above = NULL
    cdef uint16_t start = <uint16_t>(1 << (frame.precision - scan.point_transform - 1))
    cdef bint in_place = out.width == 2 and out.shift == 0 and is_packed(out, lag)
    cdef bint slanted = scan.predictor >= 6 and lag == 1 and columns >= SLANT
    cdef Status status = OK
    if heap == NULL:
        return NO_MEMORY
    while y < frame.rows:
        if y == top + interval_rows:
            status = next_interval(bits)
            if status != OK:
                break
            top = y
            held = phase = 0
        stop = min(top + interval_rows, frame.rows)
        status = read_differences(bits, tables, heap + held, (stop - y) * count - held, &phase, &got)
        held += got
        used = 0
        while held - used >= count:
            step = SLANT if slanted and y > top and stop - y >= SLANT else 1
            if held - used < step * count:
                if status == OK:
                    break                       # the others will come
                step = 1
            for j in range(step):
                rows[j] = heap + room + (y + j) % (SLANT + 1) * count
                if in_place:
                    rows[j] = <uint16_t*>out.dst[0] + (y + j) * count
            if step == SLANT:
                undo_slanted(heap + used, rows, above, count, scan.predictor)
            elif y == top:
                undo_first_row(heap + used, rows[0], count, lag, start)
            else:
                undo_row(heap + used, rows[0], above, count, lag, scan.predictor)
            for j in range(step):
                if not in_place:
                    put_row(out, rows[j], y + j, columns, lag)
            above = rows[step - 1]
            used += step * count
            y += step
        if status != OK:
            break
        held -= used
        memmove(heap, heap + used, held * sizeof(uint16_t))
    free(heap)
    return status


# --- components of several sizes ---

cdef struct Blocks:                     # a scan in MCUs of h × v samples of each component (A.2)
    Py_ssize_t across, down             # MCUs
    int h[4]
    int v[4]
    uint16_t* plane[4]                  # whole MCUs of each component
    uint16_t* memory


cdef Status lay_blocks(Blocks* blocks, const Frame* frame, const Scan* scan) noexcept nogil:
    cdef const Component* part
    cdef Py_ssize_t size = 0
    cdef Py_ssize_t sizes[4]
    cdef int j
    part = &frame.components[scan.component[0]]
    if scan.count == 1:                         # one component alone goes sample by sample (A.2.2)
        blocks.across = part.columns
        blocks.down = part.rows
    else:
        blocks.across = (frame.columns + frame.hmax - 1) // frame.hmax
        blocks.down = (frame.rows + frame.vmax - 1) // frame.vmax
    for j in range(scan.count):
        part = &frame.components[scan.component[j]]
        blocks.h[j] = part.h if scan.count > 1 else 1
        blocks.v[j] = part.v if scan.count > 1 else 1
        sizes[j] = blocks.across * blocks.h[j] * blocks.down * blocks.v[j]
        size += sizes[j]
    blocks.memory = <uint16_t*>calloc(size, sizeof(uint16_t))
    if blocks.memory == NULL:
        return NO_MEMORY
    blocks.plane[0] = blocks.memory
    for j in range(1, scan.count):
        blocks.plane[j] = blocks.plane[j - 1] + sizes[j - 1]
    return OK


cdef Status read_block_row(Bits* bits, const Tables* tables, const Blocks* blocks, int count,
                           Py_ssize_t y) noexcept nogil:
    # The differences of one row of MCUs, each to the place of its sample.
    cdef Py_ssize_t x, pitch
    cdef uint16_t* row
    cdef int j, h, v
    cdef Status status
    for x in range(blocks.across):
        for j in range(count):
            pitch = blocks.across * blocks.h[j]
            row = blocks.plane[j] + y * blocks.v[j] * pitch + x * blocks.h[j]
            for v in range(blocks.v[j]):
                for h in range(blocks.h[j]):
                    status = read_one(bits, tables.turn[j], row + v * pitch + h)
                    if status != OK:
                        return status
    return OK


cdef void undo_block_rows(const Blocks* blocks, int j, Py_ssize_t first, Py_ssize_t stop, int predictor,
                          uint16_t start) noexcept nogil:
    # The samples of component j in the MCU rows of one restart interval.
    cdef Py_ssize_t pitch = blocks.across * blocks.h[j], y
    cdef uint16_t* row
    for y in range(first * blocks.v[j], stop * blocks.v[j]):
        row = blocks.plane[j] + y * pitch
        if y == first * blocks.v[j]:
            undo_first_row(row, row, pitch, 1, start)
        else:
            undo_row(row, row, row - pitch, pitch, 1, predictor)


cdef Status decode_blocks(Bits* bits, const Tables* tables, const Frame* frame, const Scan* scan, Blocks* blocks,
                          Py_ssize_t interval_rows) noexcept nogil:
    cdef uint16_t start = <uint16_t>(1 << (frame.precision - scan.point_transform - 1))
    cdef Py_ssize_t first = 0, y = 0, stop
    cdef Status status = OK
    cdef int j
    while y < blocks.down and status == OK:
        if y:
            status = next_interval(bits)
        first = y
        stop = min(y + interval_rows, blocks.down)
        while y < stop and status == OK:
            status = read_block_row(bits, tables, blocks, scan.count, y)
            if status == OK:
                y += 1
        for j in range(scan.count):
            undo_block_rows(blocks, j, first, y, scan.predictor, start)
            memset(blocks.plane[j] + y * blocks.v[j] * blocks.across * blocks.h[j], 0,
                   (stop - y) * blocks.v[j] * blocks.across * blocks.h[j] * sizeof(uint16_t))
    return status


cdef void put_blocks(const Blocks* blocks, const Frame* frame, const Scan* scan, Output* out,
                     bint apart) noexcept nogil:
    # Each component at its own size, or spread to the frame's by repeating samples.
    cdef const Component* part
    cdef Py_ssize_t y, x, pitch
    cdef uint16_t* row
    cdef uint16_t sample
    cdef int j
    for j in range(scan.count):
        part = &frame.components[scan.component[j]]
        pitch = blocks.across * blocks.h[j]
        if apart:
            for y in range(part.rows):
                put_samples(out, j, y * part.columns, blocks.plane[j] + y * pitch, part.columns, 1)
            continue
        for y in range(frame.rows):
            row = blocks.plane[j] + y * part.v // frame.vmax * pitch
            for x in range(frame.columns):
                sample = row[x * part.h // frame.hmax]
                put_samples(out, j, y * frame.columns + x, &sample, 1, 1)


# --- scans ---

cdef inline bint is_even(const Frame* frame, const Scan* scan) noexcept nogil:
    # All components of the scan have the frame's size, and one sample of each is an MCU.
    cdef const Component* part
    cdef int j
    for j in range(scan.count):
        part = &frame.components[scan.component[j]]
        if part.h != frame.hmax or part.v != frame.vmax:
            return False
    return scan.count == 1 or frame.hmax * frame.vmax == 1


cdef Status interval_of(const Stream* s, Py_ssize_t across, Py_ssize_t down, Py_ssize_t* rows) noexcept nogil:
    # Rows of MCUs in a restart interval, of which there is a whole number (H.1.1).
    rows[0] = down
    if s.restart_interval == 0:
        return OK
    if s.restart_interval % across and s.restart_interval < across * down:
        return UNSUPPORTED
    rows[0] = min(max(s.restart_interval // across, <Py_ssize_t>1), down)
    return OK


cdef Status decode_scan(Stream* s, const Scan* scan, Output* out, bint apart, double bits_each) noexcept nogil:
    # One scan; s.i is then somewhere before what follows it, or where the fault is.
    cdef const Frame* frame = &s.frame
    cdef const Codes* codes[4]
    cdef Tables tables
    cdef Blocks blocks
    cdef Bits bits
    cdef Py_ssize_t interval_rows
    cdef Status status
    cdef bint even = is_even(frame, scan)
    cdef int j
    memset(&tables, 0, sizeof(Tables))
    memset(&blocks, 0, sizeof(Blocks))
    memset(&bits, 0, sizeof(Bits))
    for j in range(scan.count):
        codes[j] = &s.codes[scan.table[j]]
    status = build_tables(&tables, codes, scan.count, frame.rows * frame.columns * scan.count, bits_each)
    if status == OK:
        status = open_bits(&bits, s.src, s.n, s.i)
    if status == OK and even:
        status = interval_of(s, frame.columns, frame.rows, &interval_rows)
        if status == OK:
            status = decode_rows(&bits, &tables, frame, scan, out, interval_rows)
            s.i = bits.i if status == OK else place_of(&bits)
    elif status == OK:
        status = lay_blocks(&blocks, frame, scan)
        if status == OK:
            status = interval_of(s, blocks.across, blocks.down, &interval_rows)
        if status == OK:
            status = decode_blocks(&bits, &tables, frame, scan, &blocks, interval_rows)
            s.i = bits.i if status == OK else place_of(&bits)
            put_blocks(&blocks, frame, scan, out, apart)
    free(blocks.memory)
    free_bits(&bits)
    free_tables(&tables)
    return status


cdef Py_ssize_t samples_of(const Frame* frame, int count, bint apart) noexcept nogil:
    # Samples of the first `count` components.
    cdef Py_ssize_t total = 0
    cdef int k
    for k in range(count):
        total += frame.components[k].rows * frame.components[k].columns if apart else frame.rows * frame.columns
    return total


cdef Status decode_scans(Stream* s, Scan* scan, uint8_t* dst, int width, bint apart) noexcept nogil:
    # Scans until each component has been in one: neither EOI nor what stands before it is needed then.
    cdef Frame* frame = &s.frame
    cdef Output out
    cdef int seen = 0, j, k
    cdef double bits_each = 8.0 * (s.n - s.i) / samples_of(frame, frame.count, apart)
    cdef Status status
    while True:
        out.width = width
        out.stride = 1 if apart else frame.count
        out.shift = scan.point_transform
        for j in range(scan.count):
            k = scan.component[j]
            out.dst[j] = dst + (samples_of(frame, k, True) if apart else k) * width
            seen |= 1 << k
        status = decode_scan(s, scan, &out, apart, bits_each)
        if status != OK or seen == (1 << frame.count) - 1:
            return status
        status = next_scan(s, scan)
        if status != OK:
            return status


cdef Status decode_stream(const uint8_t* src, Py_ssize_t n, uint8_t* dst, Py_ssize_t size, int width, bint apart,
                          bint lenient, Py_ssize_t* at) noexcept nogil:
    # A codestream into `size` bytes at dst, samples of `width` bytes: pixel by pixel, or `apart`, component by component
    # at its own size. On failure at[0] is the offset of the fault; a lenient caller has then whole rows, and zeros.
    cdef Stream s
    cdef Scan scan
    cdef Py_ssize_t samples
    cdef Status status
    open_stream(&s, src, n)
    status = next_scan(&s, &scan)
    if status == OK:
        samples = samples_of(&s.frame, s.frame.count, apart)
        if s.frame.precision > 8 * width or samples * width > size:
            status = OVERRUN
        elif samples * width < size or (samples // 8 > n - s.i and not lenient):
            status = TRUNCATED                  # a sample takes one bit at least
    if status == OK:
        if lenient:
            memset(dst, 0, size)
        status = decode_scans(&s, &scan, dst, width, apart)
    at[0] = s.i
    return status


cdef Status read_info(const uint8_t* src, Py_ssize_t n, Stream* s, Scan* scan) noexcept nogil:
    open_stream(s, src, n)
    return next_scan(s, scan)


# --- for Python ---

def info(src):
    """What the frame header and the first scan header say (T.81 B.2.2, B.2.3), as a dict."""
    cdef Stream s
    cdef Scan scan
    cdef Py_buffer source
    cdef Status status
    cdef int k
    hold(src, &source)
    try:
        with nogil:
            status = read_info(<const uint8_t*>source.buf, source.len, &s, &scan)
    finally:
        let_go(&source)
    raise_fault(status, "JPEG lossless codestream", s.i, PixelDecodeError)
    return {
        "rows": s.frame.rows,
        "columns": s.frame.columns,
        "precision": s.frame.precision,
        "components": tuple([
            (s.frame.components[k].id, s.frame.components[k].rows, s.frame.components[k].columns)
            for k in range(s.frame.count)
        ]),
        "predictor": scan.predictor,
        "point_transform": scan.point_transform,
        "restart_interval": s.restart_interval,
        "interleaved": scan.count > 1,
        "scan_offset": s.i,
    }


def decode_frame(src, dst, int width, bint apart=False, bint lenient=False):
    """Decode a codestream into `dst`, in samples of `width` bytes (1 or 2), pixel by pixel; `apart` component by
    component, each at its own size.

    Both are contiguous buffers of any items. Returns None; with `lenient` the offset of the first fault, or None, and
    `dst` holds the rows that could be read, else zeros. Raises PixelDecodeError; its offset counts from src's first byte.
    """
    cdef Py_buffer source, target
    cdef Py_ssize_t at = 0
    cdef Status status
    if width != 1 and width != 2:
        raise ValueError(f"samples have 1 or 2 bytes, not {width}")
    hold(src, &source)
    try:
        hold_writable(dst, &target)
        try:
            with nogil:
                status = decode_stream(<const uint8_t*>source.buf, source.len, <uint8_t*>target.buf, target.len, width,
                                       apart, lenient, &at)
        finally:
            let_go(&target)
    finally:
        let_go(&source)
    if status == OK:
        return None
    if lenient and status != NO_MEMORY and status != OVERRUN:
        return at
    raise_fault(status, "JPEG lossless codestream", at)
