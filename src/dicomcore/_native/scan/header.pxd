# Loads an element's header: tag and lengths in either byte order, and whether it carries a VR.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.cursor cimport load_be16, load_be32, load_le16, load_le32
from dicomcore._native.base.vr cimport VR_UNKNOWN, vr_form
from dicomcore._native.scan.scan cimport BIG_ENDIAN, ITEM, SEQUENCE_DELIMITER, UNDEFINED_LENGTH


cdef inline uint32_t rotate(uint32_t word) noexcept nogil:
    return (word << 16) | (word >> 16)


cdef inline uint32_t load_tag(const uint8_t* p, bint big) noexcept nogil:
    return load_be32(p) if big else rotate(load_le32(p))


cdef inline uint32_t load_word(const uint8_t* p, bint big) noexcept nogil:
    return load_be32(p) if big else load_le32(p)


cdef inline uint16_t load_half(const uint8_t* p, bint big) noexcept nogil:
    return load_be16(p) if big else load_le16(p)


cdef inline bint looks_explicit(const uint8_t* p) noexcept nogil:
    # Whether the element header at p (8 bytes) carries a VR of the standard.
    return vr_form(load_le16(p + 4)) != VR_UNKNOWN


cdef inline bint starts_item(const uint8_t* value, uint64_t left, uint8_t mode) noexcept nogil:
    # Whether a value starts with an item, or with the delimiter of an empty sequence. HEADROOM keeps it in the window.
    cdef uint32_t tag
    if left < 8:
        return left == 0
    tag = load_tag(value, (mode & BIG_ENDIAN) != 0)
    return tag == ITEM or tag == SEQUENCE_DELIMITER


cdef inline bint lacks_vr(const uint8_t* p, uint64_t held, uint64_t left, bint big) noexcept nogil:
    # Whether the first element of a data set of `left` bytes, of which `held` are at p, is explicit although its VR is
    # none: blanks, zeros, small letters. As implicit it would end past the data set; as explicit a higher tag follows.
    cdef uint32_t implicit_length = load_word(p + 4, big), length = load_half(p + 6, big)
    if left < 8 or implicit_length <= left - 8 or implicit_length == <uint32_t>UNDEFINED_LENGTH or length > left - 8:
        return False
    if length == left - 8:
        return True
    return held >= 16 + length and load_tag(p + 8 + length, big) > load_tag(p, big)
