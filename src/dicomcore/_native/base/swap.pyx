"""Reverses the byte order of words, for pixel data and values in big endian (PS3.5 7.3)."""

from libc.stdint cimport uint8_t

from dicomcore._native.base.fault cimport OK, UNSUPPORTED, Status

cdef extern from "base/swap.h" nogil:
    void dc_swap_words16(const uint8_t* src, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_swap_words32(const uint8_t* src, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_swap_words64(const uint8_t* src, uint8_t* dst, Py_ssize_t count) noexcept


cdef Status swap(const uint8_t* src, uint8_t* dst, Py_ssize_t count, Py_ssize_t width) noexcept nogil:
    if width == 2:
        dc_swap_words16(src, dst, count)
    elif width == 4:
        dc_swap_words32(src, dst, count)
    elif width == 8:
        dc_swap_words64(src, dst, count)
    else:
        return UNSUPPORTED
    return OK


def swap_words(const uint8_t[::1] src not None, uint8_t[::1] dst not None, Py_ssize_t width):
    """Write the `width`-byte words of `src` (2, 4 or 8) to `dst` with their bytes reversed.

    `dst` may be `src` itself but must not overlap it otherwise. Both hold the same whole number of words.
    """
    cdef Py_ssize_t size = src.shape[0]
    cdef Py_ssize_t apart
    cdef Status status
    if width not in (2, 4, 8) or size % width or dst.shape[0] != size:
        raise ValueError(f"{size} bytes to {dst.shape[0]} bytes are not the same whole number of {width}-byte words")
    if size == 0:
        return
    apart = &dst[0] - &src[0]
    if apart != 0 and -size < apart < size:
        raise ValueError("src and dst overlap without being the same")
    with nogil:
        status = swap(&src[0], &dst[0], size // width, width)
    assert status == OK
