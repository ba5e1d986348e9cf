"""Headers that break the standard: the bytes behind their values show how to read them.

These are unknown VRs, explicit elements in implicit data sets, and GE's length 13. They are rare: the scanner's loop
calls these functions through a pointer.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.cursor cimport load_le16
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.fault cimport NEED_MORE, OK, Status
from dicomcore._native.base.vr cimport NO_VR, UN, VR_SHORT, is_letters, vr_form
from dicomcore._native.scan.header cimport load_half, load_tag, load_word, looks_explicit, starts_item
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN,
    CLIPPED,
    EXPLICIT_IN_IMPLICIT,
    IMPLICIT,
    IMPLICIT_IN_EXPLICIT,
    ITEM,
    ITEM_DELIMITER,
    LENGTH_13,
    SEQUENCE_DELIMITER,
    UNDEFINED_LENGTH,
    UNKNOWN_VR,
    Level,
    Scanner,
)
from dicomcore._native.scan.scanner cimport note

cdef enum:
    FORESEEN = 1 << 20  # how far ahead, in bytes, the header behind a value is examined to understand its own


cdef bint unseen(Scanner* s, Level* level, uint64_t at) noexcept nogil:
    # Whether a longer window would show the bytes behind an element that ends at `at`, not more than FORESEEN ahead.
    return at <= s.pos + FORESEEN and at < level.end and level.end - at >= 8 and s.stop < s.total and at + 8 > s.stop


cdef bint plausible(Scanner* s, Level* level, uint64_t at, uint32_t tag) noexcept nogil:
    # Whether something valid follows an element that ends at `at`: the end of its level, a delimiter, or an explicit
    # element with a higher tag. False if that is outside the window.
    cdef const uint8_t* p
    cdef uint32_t follower
    if at >= level.end or level.end - at < 8:
        return at == level.end
    if at < s.start or at > s.stop or s.stop - at < 8:
        return False
    p = s.window + (at - s.start)
    follower = load_tag(p, (level.mode & BIG_ENDIAN) != 0)
    if follower == ITEM_DELIMITER or follower == SEQUENCE_DELIMITER:
        return True
    return follower > tag and looks_explicit(p)


cdef bint steps_up(Scanner* s, Level* level, uint64_t at, uint32_t tag) noexcept nogil:
    # Whether an element that ends at `at` is the last of its level, or a higher tag that is known or private follows.
    cdef uint32_t follower
    if at >= level.end or level.end - at < 8:
        return at == level.end
    if at < s.start or at > s.stop or s.stop - at < 8:
        return False
    follower = load_tag(s.window + (at - s.start), (level.mode & BIG_ENDIAN) != 0)
    return follower > tag and (public_vr(follower) != NO_VR or follower & 0x10000 and follower >> 16 > 8)


cdef bint follows(Scanner* s, Level* level, uint64_t at, uint32_t tag) noexcept nogil:
    # Like plausible(), but the next element may be in implicit VR.
    cdef bint big = (level.mode & BIG_ENDIAN) != 0
    cdef const uint8_t* p
    cdef uint32_t follower, length
    if at >= level.end or level.end - at < 8:
        return at == level.end
    if at < s.start or at > s.stop or s.stop - at < 8:
        return False
    p = s.window + (at - s.start)
    follower = load_tag(p, big)
    length = load_word(p + 4, big)
    if follower == ITEM_DELIMITER or follower == SEQUENCE_DELIMITER:
        return length == 0
    if follower <= tag or follower >> 16 >= 0xFFFE:
        return False
    if looks_explicit(p):
        return True
    if length > level.end - at - 8 and length != <uint32_t>UNDEFINED_LENGTH:
        return False
    return public_vr(follower) != NO_VR or follower & 0x10000 and follower >> 16 > 8


cdef Status strange_implicit(Scanner* s, Level* level, const uint8_t* p, uint32_t tag, uint64_t left, uint16_t* vr,
                             uint32_t* length, uint8_t* header, uint8_t* flags) noexcept nogil:
    # Read an implicit element whose length field holds the letters of a VR, or 13. Some writers put explicit items or
    # elements into implicit data sets. The bytes behind the value decide; if the implicit length fits, it is preferred.
    # Some GE devices wrote 13 for 10.
    cdef bint big = (level.mode & BIG_ENDIAN) != 0
    cdef bint impossible = length[0] > left - 8
    cdef uint16_t letters = load_le16(p + 4)
    cdef uint8_t size = 8
    cdef uint32_t found = load_half(p + 6, big)
    cdef uint64_t end
    cdef bint fits

    if length[0] == 13:
        if unseen(s, level, s.pos + 21):
            return NEED_MORE
        if not follows(s, level, s.pos + 18, tag) or follows(s, level, s.pos + 21, tag):
            return OK
        length[0] = 10
        flags[0] |= CLIPPED
        return note(s, LENGTH_13, tag, s.pos, 13, 10)
    if vr_form(letters) != VR_SHORT:
        if found or left < 12:
            return OK
        found = load_word(p + 8, big)
        size = 12
    end = s.pos + size + found
    if found == <uint32_t>UNDEFINED_LENGTH:
        fits = size == 12 and left > 12 and starts_item(p + 12, left - 12, level.mode)
    elif found > left - size:
        fits = False
    elif unseen(s, level, end):
        return NEED_MORE
    else:
        fits = follows(s, level, end, tag) or (impossible or length[0] & 1) and end > s.pos + FORESEEN
    if not fits:
        return OK
    if not impossible:
        if unseen(s, level, s.pos + 8 + length[0]):
            return NEED_MORE
        if follows(s, level, s.pos + 8 + length[0], tag):
            return OK
    vr[0] = letters
    length[0] = found
    header[0] = size
    flags[0] &= <uint8_t>~<int>IMPLICIT
    if s.depth and level.row == <uint32_t>(s.count - 1):        # an item's first element: assume it of all of the item
        level.mode = flags[0]
        s.rows[level.row].flags &= <uint8_t>~<int>IMPLICIT
        return note(s, EXPLICIT_IN_IMPLICIT, ITEM, s.rows[level.row].offset - 8, 0, 0)
    return note(s, EXPLICIT_IN_IMPLICIT, tag, s.pos, 0, 0)


cdef Status strange_header(Scanner* s, Level* level, const uint8_t* p, uint32_t tag, uint64_t left,
                           uint16_t* vr, uint32_t* length, uint8_t* header, uint8_t* flags) noexcept nogil:
    # Read an explicit element whose VR is not in the standard. PS3.5 6.2 note: future VRs will have the long form.
    # DCMTK reads capital letters in the long form and "??" in the short form; pydicom reads capital letters in the
    # short form and all others as implicit VR. Here, the reading is taken behind whose value something valid follows.
    cdef bint big = (level.mode & BIG_ENDIAN) != 0
    cdef bint letters = is_letters(p[4], p[5])
    cdef uint64_t pos = s.pos
    cdef uint32_t implicit_length = load_word(p + 4, big)
    cdef uint32_t short_length = load_half(p + 6, big)
    cdef uint32_t long_length = load_word(p + 8, big) if left >= 12 else UNDEFINED_LENGTH
    cdef bint implicit_fits, short_fits, long_fits
    cdef uint32_t code = UNKNOWN_VR

    if (unseen(s, level, pos + 8 + short_length) or unseen(s, level, pos + 8 + implicit_length)
            or short_length == 0 and left >= 12 and unseen(s, level, pos + 12 + long_length)):
        return NEED_MORE
    implicit_fits = implicit_length <= left - 8 and plausible(s, level, pos + 8 + implicit_length, tag)
    short_fits = short_length <= left - 8 and plausible(s, level, pos + 8 + short_length, tag)
    long_fits = (left >= 12 and short_length == 0 and long_length <= left - 12
                 and plausible(s, level, pos + 12 + long_length, tag))
    vr[0] = UN
    if long_fits and (letters or not implicit_fits):
        length[0] = long_length
        header[0] = 12
    elif short_fits and (letters or not implicit_fits):
        length[0] = short_length
        header[0] = 8
    elif not implicit_fits and (letters or implicit_length > left - 8 and short_length <= left - 8
                                and steps_up(s, level, pos + 8 + short_length, tag)):
        length[0] = short_length
        header[0] = 8
    else:
        vr[0] = public_vr(tag)
        flags[0] |= IMPLICIT
        length[0] = implicit_length
        header[0] = 8
        code = IMPLICIT_IN_EXPLICIT
    return note(s, code, tag, pos, p[4] | (<uint64_t>p[5] << 8), 0)
