"""Converts between samples by plane and samples by pixel (Planar Configuration, PS3.3 C.7.6.3.1.3)."""

from libc.stdint cimport uint8_t

cdef extern from "pixels/planes.h" nogil:
    Py_ssize_t dc_interleave_start(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels, Py_ssize_t samples,
                                   int width) noexcept
    Py_ssize_t dc_separate_start(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels, Py_ssize_t samples,
                                 int width) noexcept
    void dc_interleave_loop8(const uint8_t*, uint8_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept
    void dc_interleave_loop16(const uint8_t*, uint8_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept
    void dc_interleave_loop32(const uint8_t*, uint8_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept
    void dc_interleave_loop64(const uint8_t*, uint8_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept
    void dc_separate_loop8(const uint8_t*, uint8_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept
    void dc_separate_loop16(const uint8_t*, uint8_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept
    void dc_separate_loop32(const uint8_t*, uint8_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept
    void dc_separate_loop64(const uint8_t*, uint8_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept


cdef void join(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels, Py_ssize_t samples, int width) noexcept nogil:
    cdef Py_ssize_t done = dc_interleave_start(src, dst, pixels, samples, width)
    if width == 1:
        dc_interleave_loop8(src, dst, pixels, samples, done)
    elif width == 2:
        dc_interleave_loop16(src, dst, pixels, samples, done)
    elif width == 4:
        dc_interleave_loop32(src, dst, pixels, samples, done)
    else:
        dc_interleave_loop64(src, dst, pixels, samples, done)


cdef void part(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels, Py_ssize_t samples, int width) noexcept nogil:
    cdef Py_ssize_t done = dc_separate_start(src, dst, pixels, samples, width)
    if width == 1:
        dc_separate_loop8(src, dst, pixels, samples, done)
    elif width == 2:
        dc_separate_loop16(src, dst, pixels, samples, done)
    elif width == 4:
        dc_separate_loop32(src, dst, pixels, samples, done)
    else:
        dc_separate_loop64(src, dst, pixels, samples, done)


cdef Py_ssize_t whole_pixels(const uint8_t[::1] src, uint8_t[::1] dst, Py_ssize_t samples, int width) except -1:
    # The number of pixels in both buffers, which must be the same whole number.
    cdef Py_ssize_t size = src.shape[0]
    if samples < 1 or samples > 65535 or width not in (1, 2, 4, 8) or size != dst.shape[0] or size % (samples * width):
        raise ValueError(f"src has {size} bytes and dst {dst.shape[0]}: not the same whole number of pixels with "
                         f"{samples} samples of {width} bytes")
    if size and -size < &dst[0] - &src[0] < size:
        raise ValueError("src and dst overlap")
    return size // (samples * width)


def interleave(const uint8_t[::1] src not None, uint8_t[::1] dst not None, Py_ssize_t samples, int width):
    """Convert the `samples` planes in `src` to samples by pixel in `dst`; `width` is 1, 2, 4 or 8 bytes per sample."""
    cdef Py_ssize_t pixels = whole_pixels(src, dst, samples, width)
    if pixels:
        with nogil:
            join(&src[0], &dst[0], pixels, samples, width)


def separate(const uint8_t[::1] src not None, uint8_t[::1] dst not None, Py_ssize_t samples, int width):
    """Convert pixels of `samples` samples in `src` to planes in `dst`; `width` is 1, 2, 4 or 8 bytes per sample."""
    cdef Py_ssize_t pixels = whole_pixels(src, dst, samples, width)
    if pixels:
        with nogil:
            part(&src[0], &dst[0], pixels, samples, width)
