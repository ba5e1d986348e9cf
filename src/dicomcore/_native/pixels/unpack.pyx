"""Unpacks samples from packed bits, and extracts samples from their words (PS3.5 8.1.1)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "pixels/unpack.h" nogil:
    void dc_unpack_bits(const uint8_t* src, uint8_t* dst, Py_ssize_t count, int start) noexcept
    void dc_pack_bits(const uint8_t* src, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_unpack12(const uint8_t* src, uint16_t* dst, Py_ssize_t pairs) noexcept
    void dc_unpack24(const uint8_t* src, uint32_t* dst, Py_ssize_t count) noexcept
    void dc_extend8(uint8_t* words, Py_ssize_t count, int low, int stored, int is_signed) noexcept
    void dc_extend16(uint8_t* words, Py_ssize_t count, int low, int stored, int is_signed) noexcept
    void dc_extend32(uint8_t* words, Py_ssize_t count, int low, int stored, int is_signed) noexcept
    void dc_extend64(uint8_t* words, Py_ssize_t count, int low, int stored, int is_signed) noexcept


cdef inline bint holds(Py_ssize_t held, Py_ssize_t start_bit, Py_ssize_t count, Py_ssize_t bits) noexcept nogil:
    # Whether `held` bytes contain `count` cells of `bits` bits from `start_bit` on; nothing here can overflow.
    cdef Py_ssize_t first = start_bit // 8, left
    if start_bit < 0 or count < 0 or first > held:
        return False
    left = (held - first) * 8 - start_bit % 8   # 8 * 2**60 would overflow, and no buffer is that long
    return left >= 0 and count <= left // bits


def unpack_bits(const uint8_t[::1] src not None, uint8_t[::1] dst not None, Py_ssize_t start_bit=0):
    """Unpack the bits of `src` from bit `start_bit` on, lowest bit of each byte first, to a byte of 0 or 1 each."""
    cdef Py_ssize_t count = dst.shape[0]
    if not holds(src.shape[0], start_bit, count, 1):
        raise ValueError(f"{src.shape[0]} bytes do not hold {count} bits from bit {start_bit} on")
    if count:
        with nogil:
            dc_unpack_bits(&src[0] + start_bit // 8, &dst[0], count, <int>(start_bit % 8))


def pack_bits(const uint8_t[::1] src not None, uint8_t[::1] dst not None):
    """Set bit k of `dst`, lowest bit of each byte first, if byte k of `src` is not 0; unused bits of `dst` become 0."""
    cdef Py_ssize_t count = src.shape[0]
    if dst.shape[0] != count // 8 + (count % 8 != 0):
        raise ValueError(f"{count} bits do not make {dst.shape[0]} bytes")
    if count:
        with nogil:
            dc_pack_bits(&src[0], &dst[0], count)


cdef void any_cells(const uint8_t* src, uint32_t* dst, Py_ssize_t count, Py_ssize_t at, int bits) noexcept nogil:
    # Unpack cells of 1 to 32 bits from bit `at` on: plain code, for widths that no current writer uses.
    cdef Py_ssize_t i, k, last
    cdef uint64_t window
    for i in range(count):
        window = 0
        last = (at + bits - 1) >> 3
        for k in range(at >> 3, last + 1):
            window |= <uint64_t>src[k] << (8 * (k - (at >> 3)))
        dst[i] = <uint32_t>((window >> (at & 7)) & ((<uint64_t>1 << bits) - 1))
        at += bits


def unpack_12(const uint8_t[::1] src not None, uint16_t[::1] dst not None, Py_ssize_t start_bit=0):
    """Unpack the 12-bit cells of `src` from bit `start_bit` on, lowest bit first; `start_bit` is a multiple of 4."""
    cdef Py_ssize_t count = dst.shape[0], pairs, at
    cdef const uint8_t* p
    if start_bit % 4 or not holds(src.shape[0], start_bit, count, 12):
        raise ValueError(f"{src.shape[0]} bytes do not hold {count} cells of 12 bits from bit {start_bit} on")
    if count == 0:
        return
    with nogil:
        p = &src[0] + start_bit // 8
        at = 0
        if start_bit % 8:                   # the cell begins in the upper half of a byte
            dst[0] = <uint16_t>(p[0] >> 4 | <uint32_t>p[1] << 4)
            p += 2
            at = 1
        pairs = (count - at) // 2
        if pairs:
            dc_unpack12(p, &dst[0] + at, pairs)
        if (count - at) % 2:
            p += 3 * pairs
            dst[count - 1] = <uint16_t>(p[0] | <uint32_t>(p[1] & 0x0F) << 8)


def unpack_24(const uint8_t[::1] src not None, uint32_t[::1] dst not None):
    """Unpack the little-endian 3-byte words of `src`."""
    cdef Py_ssize_t count = dst.shape[0]
    if not holds(src.shape[0], 0, count, 24):
        raise ValueError(f"{src.shape[0]} bytes do not hold {count} words of 24 bits")
    if count:
        with nogil:
            dc_unpack24(&src[0], &dst[0], count)


def unpack_cells(const uint8_t[::1] src not None, uint32_t[::1] dst not None, int bits, Py_ssize_t start_bit=0):
    """Unpack the cells of `bits` bits (1 to 32) of `src` from bit `start_bit` on, lowest bit first."""
    cdef Py_ssize_t count = dst.shape[0]
    if not 1 <= bits <= 32:
        raise ValueError(f"cells have 1 to 32 bits, not {bits}")
    if not holds(src.shape[0], start_bit, count, bits):
        raise ValueError(f"{src.shape[0]} bytes do not hold {count} cells of {bits} bits from bit {start_bit} on")
    if count:
        with nogil:
            any_cells(&src[0], &dst[0], count, start_bit, bits)


def extend_samples(uint8_t[::1] words not None, int width, int low_bit, int bits_stored, bint is_signed):
    """Move samples down to bit 0 of their words, in place, and overwrite the bits above them.

    Parameters
    ----------
    words : buffer of uint8
        Words in native byte order.
    width : int
        Bytes per word: 1, 2, 4 or 8.
    low_bit : int
        The sample's lowest bit: High Bit + 1 - Bits Stored.
    bits_stored : int
        The number of bits of a sample.
    is_signed : bool
        Whether the bits above a sample become its sign or 0.
    """
    cdef Py_ssize_t size = words.shape[0]
    if width not in (1, 2, 4, 8) or size % width:
        raise ValueError(f"{size} bytes are not a whole number of {width}-byte words")
    if not (low_bit >= 0 and 1 <= bits_stored <= 8 * width - low_bit):
        raise ValueError(f"{bits_stored} bits from bit {low_bit} up do not fit a {width}-byte word")
    if size == 0:
        return
    with nogil:
        if width == 1:
            dc_extend8(&words[0], size, low_bit, bits_stored, is_signed)
        elif width == 2:
            dc_extend16(&words[0], size // 2, low_bit, bits_stored, is_signed)
        elif width == 4:
            dc_extend32(&words[0], size // 4, low_bit, bits_stored, is_signed)
        else:
            dc_extend64(&words[0], size // 8, low_bit, bits_stored, is_signed)


def extract_bit(const uint8_t[::1] words not None, uint8_t[::1] dst not None, int width, int bit):
    """Extract bit `bit` of each little-endian `width`-byte word to a byte, 0 or 1: an overlay in an unused bit."""
    cdef Py_ssize_t count = dst.shape[0], i
    cdef const uint8_t* p
    if width not in (1, 2, 4, 8) or words.shape[0] // width < count or not 0 <= bit < 8 * width:
        raise ValueError(f"{words.shape[0]} bytes do not hold bit {bit} of {count} words of {width} bytes")
    if count:
        with nogil:
            p = &words[0] + bit // 8
            for i in range(count):
                dst[i] = p[i * width] >> (bit % 8) & 1
