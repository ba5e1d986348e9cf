"""Decodes JPEG lossless (T.81 process 14): a codestream to samples, scan by scan."""

from libc.stdint cimport uint8_t
from libc.stdlib cimport free
from libc.string cimport memset

from dicomcore._native.base.fault cimport NO_MEMORY, OK, OVERRUN, Status, TRUNCATED, UNSUPPORTED, raise_fault
from dicomcore._native.base.held cimport check_words, hold, hold_writable, let_go
from dicomcore._native.jpegll.blocks cimport Blocks, decode_blocks, lay_blocks, put_blocks
from dicomcore._native.jpegll.entropy cimport Bits, Tables, build_tables, free_bits, free_tables, open_bits, place_of
from dicomcore._native.jpegll.markers cimport Codes, Component, Frame, Scan, Stream, next_scan, open_stream
from dicomcore._native.jpegll.rows cimport Output, Rows, decode_rows, free_rows, open_rows

from dicomcore.errors import PixelDecodeError


cdef inline bint is_even(const Frame* frame, const Scan* scan) noexcept nogil:
    # Whether all components of the scan have the frame's size, and an MCU is one sample of each.
    cdef const Component* part
    cdef int j
    for j in range(scan.count):
        part = &frame.components[scan.component[j]]
        if part.h != frame.hmax or part.v != frame.vmax:
            return False
    return scan.count == 1 or frame.hmax * frame.vmax == 1


cdef Status interval_of(const Stream* s, Py_ssize_t across, Py_ssize_t down, Py_ssize_t* rows) noexcept nogil:
    # The number of MCU rows in a restart interval, which must be a whole number (H.1.1).
    rows[0] = down
    if s.restart_interval == 0:
        return OK
    if s.restart_interval % across and s.restart_interval < across * down:
        return UNSUPPORTED
    rows[0] = min(max(s.restart_interval // across, <Py_ssize_t>1), down)
    return OK


cdef Status decode_scan(Stream* s, const Scan* scan, Output* out, bint apart, double bits_each) noexcept nogil:
    # Decode one scan. Afterwards s.i is at most the offset of the next marker segment, or the offset of the fault.
    cdef const Frame* frame = &s.frame
    cdef const Codes* codes[4]
    cdef Tables tables
    cdef Blocks blocks
    cdef Rows rows
    cdef Bits bits
    cdef Py_ssize_t interval_rows
    cdef Status status
    cdef bint even = is_even(frame, scan)
    cdef int j
    memset(&tables, 0, sizeof(Tables))
    memset(&blocks, 0, sizeof(Blocks))
    memset(&rows, 0, sizeof(Rows))
    memset(&bits, 0, sizeof(Bits))
    for j in range(scan.count):
        codes[j] = &s.codes[scan.table[j]]
    status = build_tables(&tables, codes, scan.count, frame.rows * frame.columns * scan.count, bits_each)
    if status == OK:
        status = open_bits(&bits, s.src, s.n, s.i)
    if status == OK and even:
        status = interval_of(s, frame.columns, frame.rows, &interval_rows)
        if status == OK:
            status = open_rows(&rows, frame, scan, out, interval_rows)
        if status == OK:
            status = decode_rows(&bits, &tables, &rows, interval_rows)
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
    free_rows(&rows)
    free_bits(&bits)
    free_tables(&tables)
    return status


cdef Py_ssize_t samples_of(const Frame* frame, int count, bint apart) noexcept nogil:
    # The number of samples of the first `count` components.
    cdef Py_ssize_t total = 0
    cdef int k
    for k in range(count):
        total += frame.components[k].rows * frame.components[k].columns if apart else frame.rows * frame.columns
    return total


cdef Status decode_scans(Stream* s, Scan* scan, uint8_t* dst, int width, bint apart) noexcept nogil:
    # Decode scans until each component has been in one; the rest of the codestream, EOI included, isn't needed.
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
    # Decode a codestream into the `size` bytes at dst, in samples of `width` bytes: pixel by pixel, or, if `apart`,
    # component by component, each at its own size. On failure at[0] is the offset of the fault; if `lenient`, dst then
    # holds the whole rows decoded before the fault, else zeros.
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


# -- for Python

def info(src):
    """The fields of the frame header and the first scan header (T.81 B.2.2, B.2.3), as a dict."""
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
    """Decode a codestream.

    Parameters
    ----------
    src : buffer
        The codestream; a contiguous buffer of any item type.
    dst : buffer
        Receives the samples in native byte order; a contiguous buffer of any item type.
    width : int
        Bytes per sample: 1 or 2.
    apart : bool
        Write component by component, each at its own size, instead of pixel by pixel.
    lenient : bool
        Return the offset of the first fault instead of raising; `dst` then holds the whole rows before it, else zeros.

    Returns
    -------
    int or None
        The offset of the first fault if `lenient`, counted from the first byte of `src`; None without a fault.

    Raises
    ------
    PixelDecodeError
        The codestream is at fault; its offset counts from the first byte of `src`.
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
            check_words(&target, width)
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
