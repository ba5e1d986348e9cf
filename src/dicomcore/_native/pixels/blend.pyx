"""Blends pictures of red, green, blue and opacity (PS3.4 N.2.4, N.2.6). An opacity of 0 marks padding."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memset

cdef extern from "pixels/blend.h" nogil:
    void dc_weigh(const uint8_t* first, const uint8_t* second, uint8_t* dst, Py_ssize_t pixels, uint32_t share) noexcept
    void dc_drop_opacity(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels) noexcept

cdef enum:
    PIXEL = 4


def foreground(const uint8_t[::1] first not None, const uint8_t[::1] second not None, uint8_t[::1] dst not None,
               double opacity):
    """Blend two pictures: the first with this opacity, the second with the rest; padding takes the other's colour."""
    cdef uint32_t share
    cdef Py_ssize_t size = dst.shape[0]
    if first.shape[0] != size or second.shape[0] != size or size % PIXEL:
        raise ValueError(f"pictures of {first.shape[0]} and {second.shape[0]} bytes are not blended into {size}")
    if not 0 <= opacity <= 1:
        raise ValueError(f"an opacity lies between 0 and 1, not at {opacity}")
    share = <uint32_t>(opacity * 65536 + 0.5)
    if size:
        with nogil:
            dc_weigh(&first[0], &second[0], &dst[0], size // PIXEL, share)


cdef void add(const uint8_t* src, uint16_t* sums, Py_ssize_t pixels) noexcept nogil:
    cdef Py_ssize_t i, k
    for i in range(pixels):
        if src[PIXEL * i + 3]:
            for k in range(3):
                sums[PIXEL * i + k] += src[PIXEL * i + k]
            sums[PIXEL * i + 3] += 1


def accumulate(const uint8_t[::1] src not None, uint16_t[::1] sums not None):
    """Add a picture's colours and, in the place of opacity, the number of its pixels that are no padding.

    At most 257 pictures may be added.
    """
    if src.shape[0] != sums.shape[0] or src.shape[0] % PIXEL:
        raise ValueError(f"{src.shape[0]} bytes are not added to {sums.shape[0]} sums")
    if src.shape[0]:
        with nogil:
            add(&src[0], &sums[0], src.shape[0] // PIXEL)


cdef void divide(const uint16_t* sums, uint8_t* dst, Py_ssize_t pixels) noexcept nogil:
    cdef Py_ssize_t i, k
    cdef uint32_t count
    for i in range(pixels):
        count = sums[PIXEL * i + 3]
        if count == 0:
            memset(dst + PIXEL * i, 0, PIXEL)
            continue
        for k in range(3):
            dst[PIXEL * i + k] = <uint8_t>((2 * <uint32_t>sums[PIXEL * i + k] + count) // (2 * count))
        dst[PIXEL * i + 3] = 255


def equal(const uint16_t[::1] sums not None, uint8_t[::1] dst not None):
    """Make the picture of sums: the mean of the colours that are no padding."""
    if sums.shape[0] != dst.shape[0] or dst.shape[0] % PIXEL:
        raise ValueError(f"{sums.shape[0]} sums are no picture of {dst.shape[0]} bytes")
    if dst.shape[0]:
        with nogil:
            divide(&sums[0], &dst[0], dst.shape[0] // PIXEL)


def drop_opacity(const uint8_t[::1] src not None, uint8_t[::1] dst not None):
    """Write the red, green and blue of each pixel."""
    if src.shape[0] % PIXEL or src.shape[0] // PIXEL * 3 != dst.shape[0]:
        raise ValueError(f"{src.shape[0]} bytes with opacity are not {dst.shape[0]} without")
    if dst.shape[0]:
        with nogil:
            dc_drop_opacity(&src[0], &dst[0], src.shape[0] // PIXEL)
