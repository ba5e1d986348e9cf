"""What an instance is, from the first bytes of its file or data set, if they are as the standard has them; others are
left to the careful readers."""

from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp

from dicomcore._native.base.cursor cimport load_le16, load_le32
from dicomcore._native.base.syntax cimport SYNTAX_BIG_ENDIAN, SYNTAX_DEFLATED, SYNTAX_IMPLICIT, syntax_flags
from dicomcore._native.base.vr cimport SQ, UI, UL, VR_SHORT, VR_UNKNOWN, is_letters, vr_form

cdef enum:
    PREAMBLE = 132          # the preamble and "DICM" (PS3.10 7.1)
    META_LENGTH = 12        # the element that gives the length of the file meta information
    LONGEST_UID = 64
    DEPTH = 64              # of sequences of undefined length, as many as there are bits in a word
    META_SYNTAX = 0x00020010
    FIRST_GROUP = 0x0008    # of a data set
    SOP_CLASS = 0x00080016
    SOP_INSTANCE = 0x00080018
    STUDY = 0x0020000D
    SERIES = 0x0020000E

cdef uint32_t UNDEFINED_LENGTH = 0xFFFFFFFFU
cdef uint32_t ITEM = 0xFFFEE000U
cdef uint32_t ITEM_END = 0xFFFEE00DU
cdef uint32_t SEQUENCE_END = 0xFFFEE0DDU


cdef struct Element:
    uint32_t tag, length
    uint16_t vr             # 0 where the data set does not say
    Py_ssize_t header


cdef bint read_element(const uint8_t* p, Py_ssize_t n, bint is_implicit, Element* one) noexcept nogil:
    # The header of an element, False unless it is whole and regular.
    cdef uint8_t form
    if n < 8:
        return False
    one.tag = (<uint32_t>load_le16(p) << 16) | load_le16(p + 2)
    one.vr, one.header = 0, 8
    if is_implicit or one.tag >> 16 == 0xFFFE:
        one.length = load_le32(p + 4)
        return one.tag >> 16 == 0xFFFE or not is_letters(p[4], p[5])
    one.vr = load_le16(p + 4)
    form = vr_form(one.vr)
    if form == VR_SHORT:
        one.length = load_le16(p + 6)
        return True
    if form == VR_UNKNOWN or n < 12 or load_le16(p + 6):
        return False
    one.length, one.header = load_le32(p + 8), 12
    return True


cdef bint read_uid(const uint8_t* p, Py_ssize_t n, Value* value) noexcept nogil:
    # A UID (PS3.5 9.1) without its padding, False if it is none.
    cdef Py_ssize_t i
    if n and p[n - 1] == 0:
        n -= 1
    if not 0 < n <= LONGEST_UID:
        return False
    for i in range(n):
        if not 48 <= p[i] <= 57 and p[i] != 46:
            return False
    value.at, value.size = p, n
    return True


cdef Py_ssize_t skip_sequence(const uint8_t* p, Py_ssize_t n, bint is_implicit) noexcept nogil:
    # Bytes of a sequence of undefined length behind its header, with its delimiter; -1 unless it is regular.
    cdef uint64_t items = 0         # a bit for each level that is open: whether it is an item
    cdef int depth = 1
    cdef Py_ssize_t at = 0
    cdef Element one
    while depth:
        if not read_element(p + at, n - at, is_implicit, &one):
            return -1
        at += one.header
        if one.tag == SEQUENCE_END or one.tag == ITEM_END:
            if one.length or (items & 1) != (one.tag == ITEM_END):
                return -1
            items, depth = items >> 1, depth - 1
            continue
        if (items & 1) == (one.tag == ITEM):
            return -1
        if one.length == UNDEFINED_LENGTH:
            if depth == DEPTH or (one.tag != ITEM and not is_implicit and one.vr != SQ):
                return -1
            items, depth = (items << 1) | (one.tag == ITEM), depth + 1
        elif one.length > n - at:
            return -1
        else:
            at += one.length
    return at


cdef bint identify(const uint8_t* p, Py_ssize_t n, Py_ssize_t size, bint is_implicit, uint32_t last,
                   Identity* found) noexcept nogil:
    # The UIDs of a data set of `size` bytes, of which `n` are here, up to the tag `last`; False unless all is regular.
    cdef Py_ssize_t at = 0, left
    cdef uint32_t before = 0
    cdef Element one
    cdef Value* value
    while at < size:
        if not read_element(p + at, n - at, is_implicit, &one) or one.tag <= before or one.tag >> 16 < FIRST_GROUP:
            return False
        if one.tag > last:
            return True
        before = one.tag
        at += one.header
        if one.length == UNDEFINED_LENGTH:
            if not is_implicit and one.vr != SQ:
                return False
            left = skip_sequence(p + at, n - at, is_implicit)
            if left < 0:
                return False
            at += left
            continue
        if one.length & 1 or one.length > size - at:
            return False
        value = NULL
        if one.tag == SOP_CLASS:
            value = &found.sop_class
        elif one.tag == SOP_INSTANCE:
            value = &found.sop_instance
        elif one.tag == STUDY:
            value = &found.study
        elif one.tag == SERIES:
            value = &found.series
        if value != NULL:
            if one.length > n - at or (not is_implicit and one.vr != UI) or not read_uid(p + at, one.length, value):
                return False
        if one.tag == last:
            return True
        at += one.length
        if at > n:
            return False
    return True


cdef int encoding_of(const uint8_t* uid, Py_ssize_t n) noexcept nogil:
    # 1 for implicit VR little endian, 0 for explicit VR little endian, -1 for what is read elsewhere.
    cdef uint8_t flags = syntax_flags(uid, n)
    return -1 if flags & (SYNTAX_BIG_ENDIAN | SYNTAX_DEFLATED) else (flags & SYNTAX_IMPLICIT) != 0


cdef Py_ssize_t read_meta(const uint8_t* p, Py_ssize_t n, Value* syntax) noexcept nogil:
    # Where the data set of a file begins, and its transfer syntax; -1 unless the file meta information is regular.
    cdef Py_ssize_t at = PREAMBLE, stop
    cdef uint32_t before = 0
    cdef Element one
    if n < PREAMBLE + META_LENGTH or memcmp(p + PREAMBLE - 4, b"DICM", 4) != 0:
        return -1
    if not read_element(p + at, n - at, False, &one) or one.tag != 0x00020000 or one.vr != UL or one.length != 4:
        return -1
    if load_le32(p + at + 8) > n - PREAMBLE - META_LENGTH:
        return -1
    stop = PREAMBLE + META_LENGTH + load_le32(p + at + 8)
    at += META_LENGTH
    syntax.at, syntax.size = NULL, 0
    while at < stop:
        if not read_element(p + at, stop - at, False, &one) or one.tag >> 16 != 2 or one.tag <= before:
            return -1
        before = one.tag
        at += one.header
        if one.length > stop - at:
            return -1
        if one.tag == META_SYNTAX and not read_uid(p + at, one.length, syntax):
            return -1
        at += one.length
    return stop if syntax.size else -1


cdef str text_of(const Value* value):
    return PyUnicode_DecodeASCII(<const char*>value.at, value.size, NULL)


def read_file(const uint8_t[::1] data not None, Py_ssize_t size):
    """SOP class, SOP instance, transfer syntax and the data set's offset of a file of `size` bytes.

    `data` is its beginning. None if anything on the way is not regular, or is not there.
    """
    cdef Identity found
    cdef Value syntax
    cdef Py_ssize_t n = data.shape[0], offset
    cdef int encoding
    if n < PREAMBLE or size < n:
        return None
    offset = read_meta(&data[0], n, &syntax)
    if offset < 0:
        return None
    encoding = encoding_of(syntax.at, syntax.size)
    found.sop_class.size = found.sop_instance.size = 0
    if encoding < 0 or not identify(&data[0] + offset, n - offset, size - offset, encoding, SOP_INSTANCE, &found):
        return None
    if not found.sop_class.size or not found.sop_instance.size:
        return None
    return text_of(&found.sop_class), text_of(&found.sop_instance), text_of(&syntax), offset


def read_set(const uint8_t[::1] data not None, Py_ssize_t size, bytes syntax not None):
    """SOP class, SOP instance, study and series of a data set of `size` bytes in a transfer syntax.

    "" stands for a study or series that it has not. `data` is its beginning. None if anything on the way is not
    regular, or is not there.
    """
    cdef Identity found
    cdef Py_ssize_t n = data.shape[0]
    cdef const uint8_t* uid = syntax
    cdef int encoding = encoding_of(uid, len(syntax))
    if encoding < 0 or n == 0 or size < n:
        return None
    found.sop_class.size = found.sop_instance.size = found.study.size = found.series.size = 0
    if not identify(&data[0], n, size, encoding, SERIES, &found):
        return None
    if not found.sop_class.size or not found.sop_instance.size:
        return None
    return (
        text_of(&found.sop_class),
        text_of(&found.sop_instance),
        text_of(&found.study) if found.study.size else "",
        text_of(&found.series) if found.series.size else "",
    )
