"""Whether a file without a DICM prefix may be DICOM all the same: cut short, damaged, or a bare data set.

Jobs on many files skip files that are not DICOM, so the answer is no only if the bytes leave no doubt.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp

from dicomcore._native.base.cursor cimport load_be16, load_be32, load_le16, load_le32
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.vr cimport NO_VR, VR_SHORT, VR_UNKNOWN, vr_form

cdef enum:
    PREAMBLE = 128              # bytes in front of the prefix (PS3.10 7.1)
    META = 132                  # where file meta information begins
    LOOKED_AT = 4 * 1024        # bytes of a file that are examined
    SHORTEST_PAIR = 16          # bytes of two element headers
    HEADER = 8                  # bytes of an element's header in implicit VR
    MANY = 4                    # implicit VR elements in a row, which don't occur in other formats by chance
    FIRST_GROUP = 0x0002
    IDENTIFYING_GROUP = 0x0008  # the first group of nearly all data sets


cdef bint is_blank(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if p[i]:
            return False
    return True


cdef bint begins_like(const uint8_t* p, Py_ssize_t n, const char* mark, Py_ssize_t size) noexcept nogil:
    # Whether the bytes begin with the mark; if there are fewer, whether they are its beginning.
    return n > 0 and memcmp(p, mark, min(n, size)) == 0


cdef bint is_plain(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether there are no control characters other than those in lines of text.
    cdef Py_ssize_t i
    for i in range(n):
        if p[i] < 32 and not 9 <= p[i] <= 13:
            return False
    return True


cdef bint is_cut_head(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether this may be a file cut off within its preamble or prefix (PS3.10 7.1). Writers put anything but text into
    # a preamble. The preamble of a file that is both TIFF and DICOM begins like text, though.
    if n >= META:
        return False
    if n > PREAMBLE and begins_like(p + PREAMBLE, n - PREAMBLE, b"DICM", 4):
        return True
    return not is_plain(p, n) or begins_like(p, n, b"II*", 3) or begins_like(p, n, b"MM", 2) and n <= 2


cdef inline uint32_t load_tag(const uint8_t* p, bint big) noexcept nogil:
    if big:
        return load_be32(p)
    return <uint32_t>load_le16(p) << 16 | load_le16(p + 2)


cdef bint begins_as_group(const uint8_t* p, Py_ssize_t n, bint big) noexcept nogil:
    # Whether the first element belongs to one of the two groups with which files begin; a tag may be cut off.
    cdef uint32_t group
    if n < 2:
        return n == 1 and not big and (p[0] == FIRST_GROUP or p[0] == IDENTIFYING_GROUP)
    group = load_be16(p) if big else load_le16(p)
    if group != FIRST_GROUP and group != IDENTIFYING_GROUP:
        return False
    return n < 4 or public_vr(load_tag(p, big)) != NO_VR


cdef bint is_explicit_pair(const uint8_t* p, Py_ssize_t n, bint big) noexcept nogil:
    # Whether two elements in explicit VR follow each other, both with the dictionary's VR. No other format has these.
    cdef uint16_t vr = load_le16(p + 4)
    cdef uint32_t tag = load_tag(p, big), length
    cdef Py_ssize_t header = 8
    if public_vr(tag) != vr:
        return False
    if vr_form(vr) == VR_SHORT:
        length = load_be16(p + 6) if big else load_le16(p + 6)
    else:
        header = 12
        length = load_be32(p + 8) if big else load_le32(p + 8)
    if n - header < 8 or length > <uint32_t>(n - header - 8):
        return False
    p += header + length
    vr = load_le16(p + 4)
    return load_tag(p, big) > tag and vr_form(vr) != VR_UNKNOWN and public_vr(load_tag(p, big)) == vr


cdef bint holds_explicit(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether there is an explicit pair at any offset: behind a preamble with a damaged prefix, or behind stray bytes.
    cdef Py_ssize_t i
    for i in range(n - SHORTEST_PAIR + 1):
        if vr_form(load_le16(p + i + 4)) == VR_UNKNOWN:
            continue
        if is_explicit_pair(p + i, n - i, False) or is_explicit_pair(p + i, n - i, True):
            return True
    return False


cdef inline bint is_telling(uint32_t tag) noexcept nogil:
    # Whether the dictionary lists the tag. Every group may have a group length, so tables of small numbers are full of
    # their tags: only the group lengths of the two groups with which files begin count.
    cdef uint32_t group = tag >> 16
    if tag & 0xFFFF == 0:
        return group == FIRST_GROUP or group == IDENTIFYING_GROUP
    return group >= FIRST_GROUP and group & 1 == 0 and public_vr(tag) != NO_VR


cdef bint is_implicit_run(const uint8_t* p, Py_ssize_t n, int count) noexcept nogil:
    # Whether `count` elements in implicit VR follow each other, with ascending tags.
    cdef uint32_t tag, length, last = 0
    while n >= HEADER:
        tag = load_tag(p, False)
        length = load_le32(p + 4)
        if tag <= last or not is_telling(tag):
            return False
        count -= 1
        if count == 0:
            return True
        if length > <uint32_t>(n - HEADER):
            return False
        p += HEADER + length
        n -= HEADER + length
        last = tag
    return False


cdef bint holds_implicit(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether two implicit VR elements are where a data set may begin, or MANY of them at any offset.
    cdef Py_ssize_t i
    if (is_implicit_run(p, n, 2) or n > PREAMBLE and is_implicit_run(p + PREAMBLE, n - PREAMBLE, 2)
            or n > META and is_implicit_run(p + META, n - META, 2)):
        return True
    for i in range(n - MANY * HEADER + 1):
        if load_le32(p + i + 4) < <uint32_t>n and is_implicit_run(p + i, n - i, MANY):
            return True
    return False


cdef bint may_be_dicom(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # `p` is the beginning of a file without a prefix at byte 128: the whole file, or its first 4 KiB. Empty files and
    # files that begin with a blank preamble may be DICOM: an interrupted copy leaves them behind.
    if n > LOOKED_AT:
        n = LOOKED_AT
    return (is_blank(p, min(n, <Py_ssize_t>PREAMBLE))
            or is_cut_head(p, n)
            or begins_like(p, n, b"DICM", 4)
            or begins_as_group(p, n, False)
            or begins_as_group(p, n, True)
            or holds_implicit(p, n)
            or holds_explicit(p, n))


def resembles_dicom(const uint8_t[::1] beginning not None) -> bool:
    """Whether the first bytes of a file without a DICM prefix may be those of a DICOM file."""
    cdef Py_ssize_t n = beginning.shape[0]
    return may_be_dicom(&beginning[0] if n else NULL, n)
