"""Converts between YBR and RGB (PS3.3 C.7.6.3.1.2): three samples per pixel, stored by pixel."""

from libc.math cimport floor
from libc.stdint cimport int32_t, uint8_t, uint16_t

cdef extern from "pixels/colour.h" nogil:
    void dc_ybr_to_rgb(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels, int plain) noexcept
    void dc_ybr_planes_to_rgb(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels, int plain) noexcept
    void dc_rgb_to_ybr(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels) noexcept
    void dc_spread_422(const uint8_t* src, uint8_t* dst, Py_ssize_t pairs) noexcept


cdef Py_ssize_t whole_pixels(Py_ssize_t held, Py_ssize_t wanted) except -1:
    if held != wanted or held % 3:
        raise ValueError(f"src has {held} samples and dst {wanted}: not the same whole number of colour pixels")
    return held // 3


cdef int keep_apart(const uint8_t* src, Py_ssize_t held, uint8_t* dst, Py_ssize_t wanted, bint same) except -1:
    if -wanted < dst - src < held and not (same and dst == src):
        raise ValueError("src and dst overlap")
    return 0


def ybr_full_to_rgb(const uint8_t[::1] src not None, uint8_t[::1] dst not None, bint planar=False, bint plain=False):
    """Convert 8-bit YBR_FULL pixels to RGB, with the same results as pydicom's `convert_color_space`.

    Parameters
    ----------
    src : buffer of uint8
        Samples by pixel, or three planes if `planar`. Samples by pixel may be `dst` itself.
    dst : buffer of uint8
        Receives the samples by pixel.
    planar : bool
        Whether `src` consists of three planes.
    plain : bool
        Use portable code only, for tests.
    """
    cdef Py_ssize_t pixels = whole_pixels(src.shape[0], dst.shape[0])
    if pixels == 0:
        return
    keep_apart(&src[0], src.shape[0], &dst[0], dst.shape[0], not planar)
    with nogil:
        if planar:
            dc_ybr_planes_to_rgb(&src[0], &dst[0], pixels, plain)
        else:
            dc_ybr_to_rgb(&src[0], &dst[0], pixels, plain)


cdef bint follow_each_other(const Py_ssize_t* strides, Py_ssize_t columns) noexcept:
    return strides[2] == 1 and strides[1] == 3 and strides[0] >= 3 * columns


def ybr_full_area_to_rgb(const uint8_t[:, :, :] src not None, uint8_t[:, :, :] dst not None):
    """Convert 8-bit YBR_FULL pixels to RGB, (rows, columns, 3), from a part of one array to a part of another."""
    cdef Py_ssize_t rows = src.shape[0], columns = src.shape[1], row
    if src.shape[2] != 3 or dst.shape[2] != 3 or dst.shape[0] != rows or dst.shape[1] != columns:
        raise ValueError("areas of YBR and RGB have the same rows and columns, and 3 samples")
    if rows == 0 or columns == 0:
        return
    if not follow_each_other(src.strides, columns) or not follow_each_other(dst.strides, columns):
        raise ValueError("the pixels of a row are to follow each other, and rows are not to overlap")
    keep_apart(
        &src[0, 0, 0], (rows - 1) * src.strides[0] + 3 * columns,
        &dst[0, 0, 0], (rows - 1) * dst.strides[0] + 3 * columns, False,
    )
    with nogil:
        for row in range(rows):
            dc_ybr_to_rgb(&src[row, 0, 0], &dst[row, 0, 0], columns, False)


def rgb_to_ybr_full(const uint8_t[::1] src not None, uint8_t[::1] dst not None):
    """Convert 8-bit RGB pixels to YBR_FULL; `src` may be `dst` itself. Rounds as pydicom does."""
    cdef Py_ssize_t pixels = whole_pixels(src.shape[0], dst.shape[0])
    if pixels:
        keep_apart(&src[0], src.shape[0], &dst[0], dst.shape[0], True)
        with nogil:
            dc_rgb_to_ybr(&src[0], &dst[0], pixels)


def spread_422(const uint8_t[::1] src not None, uint8_t[::1] dst not None):
    """Expand Y1 Y2 CB CR to Y1 CB CR Y2 CB CR: uncompressed YBR_FULL_422 or YBR_PARTIAL_422 to full size."""
    cdef Py_ssize_t pairs = src.shape[0] // 4
    if src.shape[0] % 4 or dst.shape[0] % 6 or dst.shape[0] // 6 != pairs:
        raise ValueError(f"{src.shape[0]} samples of 4:2:2 do not make {dst.shape[0]} samples")
    if pairs:
        keep_apart(&src[0], src.shape[0], &dst[0], dst.shape[0], False)
        with nogil:
            dc_spread_422(&src[0], &dst[0], pairs)


cdef inline uint8_t clip8(double value) noexcept nogil:
    value = floor(value + 0.5)
    return 0 if value < 0 else 255 if value > 255 else <uint8_t>value


cdef void partial(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels) noexcept nogil:
    # ITU-R BT.601 in studio range: Y 16 to 235, chroma 16 to 240, the inverse of PS3.3's YBR_PARTIAL equations.
    cdef Py_ssize_t i
    cdef double y, b, r
    for i in range(pixels):
        y = (src[3 * i] - 16) * (255.0 / 219.0)
        b = (src[3 * i + 1] - 128) * (255.0 / 224.0)
        r = (src[3 * i + 2] - 128) * (255.0 / 224.0)
        dst[3 * i] = clip8(y + 1.402 * r)
        dst[3 * i + 1] = clip8(y - (0.114 * 1.772 * b + 0.299 * 1.402 * r) / 0.587)
        dst[3 * i + 2] = clip8(y + 1.772 * b)


def ybr_partial_to_rgb(const uint8_t[::1] src not None, uint8_t[::1] dst not None):
    """Convert 8-bit YBR_PARTIAL pixels (retired, studio range) to RGB; `src` may be `dst` itself."""
    cdef Py_ssize_t pixels = whole_pixels(src.shape[0], dst.shape[0])
    if pixels:
        keep_apart(&src[0], src.shape[0], &dst[0], dst.shape[0], True)
        with nogil:
            partial(&src[0], &dst[0], pixels)


cdef inline uint16_t clip16(double value, double top) noexcept nogil:
    value = floor(value + 0.5)
    return <uint16_t>(0 if value < 0 else top if value > top else value)


cdef void deep(const uint16_t* src, uint16_t* dst, Py_ssize_t pixels, int bits) noexcept nogil:
    cdef Py_ssize_t i
    cdef double top = (1 << bits) - 1, middle = 1 << (bits - 1), y, b, r
    for i in range(pixels):
        y = src[3 * i]
        b = src[3 * i + 1] - middle
        r = src[3 * i + 2] - middle
        dst[3 * i] = clip16(y + 1.402 * r, top)
        dst[3 * i + 1] = clip16(y - (0.114 * 1.772 * b + 0.299 * 1.402 * r) / 0.587, top)
        dst[3 * i + 2] = clip16(y + 1.772 * b, top)


def ybr_full_to_rgb_deep(const uint16_t[::1] src not None, uint16_t[::1] dst not None, int bits):
    """Convert YBR_FULL pixels of `bits` stored bits (2 to 16) to RGB; `src` may be `dst` itself."""
    cdef Py_ssize_t pixels = whole_pixels(src.shape[0], dst.shape[0])
    if not 2 <= bits <= 16:
        raise ValueError(f"samples have 2 to 16 bits, not {bits}")
    if pixels:
        keep_apart(<const uint8_t*>&src[0], 2 * src.shape[0], <uint8_t*>&dst[0], 2 * dst.shape[0], True)
        with nogil:
            deep(&src[0], &dst[0], pixels, bits)


cdef void reversible(const int32_t* src, int32_t* dst, Py_ssize_t pixels) noexcept nogil:
    cdef Py_ssize_t i
    cdef int32_t b, r, green
    for i in range(pixels):
        b = src[3 * i + 1]
        r = src[3 * i + 2]
        green = src[3 * i] - ((b + r) >> 2)
        dst[3 * i] = r + green
        dst[3 * i + 1] = green
        dst[3 * i + 2] = b + green


def ybr_rct_to_rgb(const int32_t[::1] src not None, int32_t[::1] dst not None):
    """Convert YBR_RCT pixels with signed chroma (ISO 15444-1 G.2) to RGB; `src` may be `dst` itself."""
    cdef Py_ssize_t pixels = whole_pixels(src.shape[0], dst.shape[0])
    if pixels:
        keep_apart(<const uint8_t*>&src[0], 4 * src.shape[0], <uint8_t*>&dst[0], 4 * dst.shape[0], True)
        with nogil:
            reversible(&src[0], &dst[0], pixels)
