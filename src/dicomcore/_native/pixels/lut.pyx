"""Applies look-up tables, segmented tables, rescale and windows to pixel values (PS3.3 C.7.6.3.1.5, C.7.9.2, C.11)."""

from libc.math cimport exp, floor, rint
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from dicomcore._native.base.fault cimport CORRUPT, OK, TRUNCATED, Status, raise_fault

cdef extern from "pixels/lut.h" nogil:
    enum: DC_LUT_BLOCK
    void dc_index_u8(const uint8_t* src, uint32_t* index, Py_ssize_t count, int64_t first, uint32_t last) noexcept
    void dc_index_i8(const uint8_t* src, uint32_t* index, Py_ssize_t count, int64_t first, uint32_t last) noexcept
    void dc_index_u16(const uint8_t* src, uint32_t* index, Py_ssize_t count, int64_t first, uint32_t last) noexcept
    void dc_index_i16(const uint8_t* src, uint32_t* index, Py_ssize_t count, int64_t first, uint32_t last) noexcept
    void dc_index_u32(const uint8_t* src, uint32_t* index, Py_ssize_t count, int64_t first, uint32_t last) noexcept
    void dc_index_i32(const uint8_t* src, uint32_t* index, Py_ssize_t count, int64_t first, uint32_t last) noexcept
    void dc_fetch_1(const uint8_t* table, const uint32_t* index, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_fetch_2(const uint8_t* table, const uint32_t* index, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_fetch_3(const uint8_t* table, const uint32_t* index, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_fetch_4(const uint8_t* table, const uint32_t* index, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_fetch_6(const uint8_t* table, const uint32_t* index, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_fetch_8(const uint8_t* table, const uint32_t* index, uint8_t* dst, Py_ssize_t count) noexcept


cdef void index_block(const uint8_t* src, uint32_t* index, Py_ssize_t count, int width, bint is_signed, int64_t first,
                      uint32_t last) noexcept nogil:
    if width == 1:
        if is_signed:
            dc_index_i8(src, index, count, first, last)
        else:
            dc_index_u8(src, index, count, first, last)
    elif width == 2:
        if is_signed:
            dc_index_i16(src, index, count, first, last)
        else:
            dc_index_u16(src, index, count, first, last)
    elif is_signed:
        dc_index_i32(src, index, count, first, last)
    else:
        dc_index_u32(src, index, count, first, last)


cdef void fetch_block(const uint8_t* table, const uint32_t* index, uint8_t* dst, Py_ssize_t count,
                      int size) noexcept nogil:
    if size == 1:
        dc_fetch_1(table, index, dst, count)
    elif size == 2:
        dc_fetch_2(table, index, dst, count)
    elif size == 3:
        dc_fetch_3(table, index, dst, count)
    elif size == 4:
        dc_fetch_4(table, index, dst, count)
    elif size == 6:
        dc_fetch_6(table, index, dst, count)
    else:
        dc_fetch_8(table, index, dst, count)


cdef void look_up(const uint8_t* src, Py_ssize_t count, int width, bint is_signed, const uint8_t* table,
                  uint32_t last, int64_t first, uint8_t* dst, int size) noexcept nogil:
    cdef uint32_t[DC_LUT_BLOCK] index
    cdef Py_ssize_t done = 0, step
    while done < count:
        step = min(count - done, <Py_ssize_t>DC_LUT_BLOCK)
        index_block(src + done * width, index, step, width, is_signed, first, last)
        fetch_block(table, index, dst + done * size, step, size)
        done += step


def lookup(const uint8_t[::1] src not None, int width, bint is_signed, const uint8_t[::1] table not None,
           int64_t first_mapped, uint8_t[::1] dst not None, int size):
    """Write the table's entry for each word of `src` to `dst`.

    Parameters
    ----------
    src : buffer of uint8
        Words in native byte order.
    width : int
        Bytes per word: 1, 2 or 4.
    is_signed : bool
        Whether the words are signed.
    table : buffer of uint8
        The entries. The first also applies to all words below `first_mapped`, the last to all words beyond the table.
    first_mapped : int
        The word that maps to the first entry.
    dst : buffer of uint8
        Receives `size` bytes per word.
    size : int
        Bytes written per entry: 1, 2, 4 or 8; or 3 or 6, for entries of 4 or 8 bytes: three colours and a filler.
    """
    cdef int entry = 4 if size == 3 else 8 if size == 6 else size
    cdef Py_ssize_t count, entries
    if width not in (1, 2, 4) or size not in (1, 2, 3, 4, 6, 8):
        raise ValueError(f"no look-up from words of {width} bytes to entries of {size}")
    count = src.shape[0] // width
    entries = table.shape[0] // entry
    if src.shape[0] % width or dst.shape[0] // size != count or dst.shape[0] % size:
        raise ValueError(f"{src.shape[0]} bytes of {width}-byte words do not give {dst.shape[0]} bytes of {size} each")
    if not 1 <= entries <= 1 << 24 or table.shape[0] % entry:
        raise ValueError(f"{table.shape[0]} bytes are no table of {entry}-byte entries")
    if not -(1 << 24) <= first_mapped <= 1 << 24:
        raise ValueError(f"first mapped value {first_mapped} lies outside 24 bits")
    if count:
        with nogil:
            look_up(&src[0], count, width, is_signed, &table[0], <uint32_t>(entries - 1), first_mapped, &dst[0], size)


cdef Status segment(const uint16_t* src, Py_ssize_t n, Py_ssize_t* at, uint16_t* dst, Py_ssize_t count,
                    Py_ssize_t* done) noexcept nogil:
    # Expand one discrete or linear segment from src[at[0]] on, and advance at[0] and done[0]. Entries beyond `count`
    # are left out.
    cdef Py_ssize_t i = at[0], k, length, out = done[0]
    cdef double low, high
    if n - i < 3:
        return TRUNCATED
    length = src[i + 1]
    if src[i] > 1 or length == 0:           # empty segments would let a few bytes cause endless work
        return CORRUPT
    if src[i] == 0:
        if length > n - i - 2:
            return TRUNCATED
        for k in range(min(length, count - out)):
            dst[out + k] = src[i + 2 + k]
        at[0] = i + 2 + length
    else:
        if out == 0:                        # a line needs the value it starts from
            return CORRUPT
        low = dst[out - 1]
        high = src[i + 2]
        for k in range(min(length, count - out)):
            dst[out + k] = <uint16_t>rint(low + (high - low) * (k + 1) / length)
        at[0] = i + 3
    done[0] = out + min(length, count - out)
    return OK


cdef Status indirect(const uint16_t* src, Py_ssize_t n, Py_ssize_t* at, int width, uint16_t* dst, Py_ssize_t count,
                     Py_ssize_t* done) noexcept nogil:
    # Repeat segments from another offset (C.7.9.2.3); these are never indirect themselves, so nothing nests.
    cdef Py_ssize_t i = at[0], words = 4 if width == 1 else 2, k, there
    cdef uint32_t offset = 0
    cdef Status status
    if n - i < 2 + words:
        return TRUNCATED
    for k in range(words):
        offset |= <uint32_t>src[i + 2 + k] << (8 * width * k)
    if offset % width or offset // width >= n:
        return CORRUPT
    there = offset // width
    for _ in range(src[i + 1]):
        if done[0] == count:
            break
        status = segment(src, n, &there, dst, count, done)
        if status != OK:
            return status
    at[0] = i + 2 + words
    return OK


cdef Status expand(const uint16_t* src, Py_ssize_t n, int width, uint16_t* dst, Py_ssize_t count, Py_ssize_t* at,
                   Py_ssize_t* done) noexcept nogil:
    # Expand all segments. On failure at[0] is the segment at fault. A single word after the last segment is padding.
    cdef Status status = OK
    while done[0] < count and n - at[0] >= 2 and status == OK:
        if src[at[0]] == 2:
            status = indirect(src, n, at, width, dst, count, done)
        else:
            status = segment(src, n, at, dst, count, done)
    return status


def expand_segments(const uint16_t[::1] src not None, int width, uint16_t[::1] dst not None):
    """Expand a segmented look-up table (PS3.3 C.7.9.2) into `dst`; returns the number of entries written.

    `src` contains the words, which have `width` bytes (1 or 2) in the file, widened to 16 bits. Entries beyond `dst`
    are left out.
    """
    cdef Py_ssize_t at = 0, done = 0, n = src.shape[0]
    cdef Status status = OK
    if width not in (1, 2):
        raise ValueError(f"segmented tables have words of 1 or 2 bytes, not {width}")
    if n and dst.shape[0]:
        with nogil:
            status = expand(&src[0], n, width, &dst[0], dst.shape[0], &at, &done)
    if status != OK:
        raise_fault(status, "segmented look-up table", at * width)
    return done


cdef void scale(const double* src, double* dst, Py_ssize_t count, double slope, double intercept) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        dst[i] = src[i] * slope + intercept


cdef void line(const double* src, double* dst, Py_ssize_t count, double center, double width, double low,
               double high) noexcept nogil:
    cdef Py_ssize_t i
    cdef double bottom = center - width / 2, top = center + width / 2
    for i in range(count):
        if src[i] <= bottom:
            dst[i] = low
        elif src[i] > top:
            dst[i] = high
        else:
            dst[i] = ((src[i] - center) / width + 0.5) * (high - low) + low


cdef void curve(const double* src, double* dst, Py_ssize_t count, double center, double width, double low,
                double high) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        dst[i] = (high - low) / (1 + exp(-4 * (src[i] - center) / width)) + low


def rescale(const double[::1] src not None, double[::1] dst not None, double slope, double intercept):
    """Write src * slope + intercept (PS3.3 C.11.1.1.2) to `dst`, which may be `src`."""
    if src.shape[0] != dst.shape[0]:
        raise ValueError(f"{src.shape[0]} values do not fill {dst.shape[0]}")
    if src.shape[0]:
        with nogil:
            scale(&src[0], &dst[0], src.shape[0], slope, intercept)


def window(const double[::1] src not None, double[::1] dst not None, double center, double width, double low,
           double high, bint sigmoid=False):
    """Apply a window to values (PS3.3 C.11.2.1).

    Parameters
    ----------
    src, dst : buffer of float64
        The values, and the results; `dst` may be `src`.
    center, width : float
        The window of LINEAR_EXACT. For LINEAR pass center - 0.5 and width - 1; a width of 0 is then a threshold.
    low, high : float
        The range of the results.
    sigmoid : bool
        Apply the sigmoid function instead of a straight line; its width must be above 0.
    """
    if src.shape[0] != dst.shape[0]:
        raise ValueError(f"{src.shape[0]} values do not fill {dst.shape[0]}")
    if not width >= 0 or (sigmoid and width == 0):
        raise ValueError(f"a window can't be {width} wide")
    if src.shape[0] == 0:
        return
    with nogil:
        if sigmoid:
            curve(&src[0], &dst[0], src.shape[0], center, width, low, high)
        else:
            line(&src[0], &dst[0], src.shape[0], center, width, low, high)


cdef void bytes_of(const double* src, uint8_t* dst, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        # The comparison with 0 makes NaN 0.
        dst[i] = (255 if src[i] >= 255 else <uint8_t>floor(src[i] + 0.5)) if src[i] > 0 else 0


def to_bytes(const double[::1] src not None, uint8_t[::1] dst not None):
    """Round values to the nearest integer from 0 to 255; values outside become the nearer limit, and NaN becomes 0."""
    if src.shape[0] != dst.shape[0]:
        raise ValueError(f"{src.shape[0]} values do not fill {dst.shape[0]} bytes")
    if src.shape[0]:
        with nogil:
            bytes_of(&src[0], &dst[0], src.shape[0])
