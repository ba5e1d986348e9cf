"""Fills parts of uncompressed pixel data, a stretch of it at a time."""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy, memset

cdef void fill(uint8_t* dst, int64_t base, int64_t size, const int64_t* spans, Py_ssize_t count,
               const uint8_t* pattern, int64_t unit) noexcept nogil:
    # Repeat the pattern from the first byte of each span on; `dst` is bytes base .. base + size of the pixel data.
    cdef Py_ssize_t i
    cdef int64_t first, stop, done, at
    for i in range(count):
        first, stop = max(spans[2 * i], base), min(spans[2 * i + 1], base + size)
        done = 0
        while done < unit and first + done < stop:
            dst[first + done - base] = pattern[(first + done - spans[2 * i]) % unit]
            done += 1
        while first + done < stop:                  # what is there is whole patterns: twice as much each time
            at = min(done, stop - first - done)
            memcpy(dst + first + done - base, dst + first - base, <size_t>at)
            done += at


cdef void fill_even(uint8_t* dst, int64_t base, int64_t size, const int64_t* spans, Py_ssize_t count,
                    uint8_t value) noexcept nogil:
    cdef Py_ssize_t i
    cdef int64_t first, stop
    for i in range(count):
        first, stop = max(spans[2 * i], base), min(spans[2 * i + 1], base + size)
        if first < stop:
            memset(dst + first - base, value, <size_t>(stop - first))


cdef inline bint is_even(const uint8_t* pattern, Py_ssize_t unit) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(1, unit):
        if pattern[i] != pattern[0]:
            return False
    return True


cdef void fill_single(uint8_t* dst, int64_t base, int64_t size, const int64_t* spans, Py_ssize_t count,
                      bint value) noexcept nogil:
    # The same with bits, the lowest of a byte first (PS3.5 8.1.1).
    cdef Py_ssize_t i
    cdef int64_t first, stop, at
    for i in range(count):
        first, stop = max(spans[2 * i], 8 * base), min(spans[2 * i + 1], 8 * (base + size))
        for at in range(first, stop):
            if value:
                dst[(at >> 3) - base] |= <uint8_t>(1 << (at & 7))
            else:
                dst[(at >> 3) - base] &= <uint8_t>~(1 << (at & 7))


def fill_bytes(uint8_t[::1] dst not None, int64_t base, const int64_t[:, ::1] spans not None,
               const uint8_t[::1] pattern not None):
    """Fill what `dst` has of `spans`, pairs of the first byte and the one behind the last, with a repeated pattern.

    Offsets count from the start of the pixel data; `dst` begins at `base`.
    """
    cdef Py_ssize_t size = dst.shape[0], count = spans.shape[0]
    if base < 0 or spans.shape[1] != 2 or not pattern.shape[0]:
        raise ValueError("spans are pairs of offsets, and a pattern has a byte")
    if size and count:
        with nogil:
            if is_even(&pattern[0], pattern.shape[0]):
                fill_even(&dst[0], base, size, &spans[0, 0], count, pattern[0])
            else:
                fill(&dst[0], base, size, &spans[0, 0], count, &pattern[0], pattern.shape[0])


def fill_bits(uint8_t[::1] dst not None, int64_t base, const int64_t[:, ::1] spans not None, bint value):
    """Set the bits of `spans` that `dst` has; as `fill_bytes`, but that spans count bits."""
    cdef Py_ssize_t size = dst.shape[0], count = spans.shape[0]
    if base < 0 or spans.shape[1] != 2:
        raise ValueError("spans are pairs of offsets")
    if size and count:
        with nogil:
            fill_single(&dst[0], base, size, &spans[0, 0], count, value)
