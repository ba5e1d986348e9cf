"""The beginning of a file (PS3.10 7.1): where its parts are, and how the data set behind them is encoded.

`dcmread` and the bulk loop call the same kernels, so that both read a file alike. An `Opening` takes the deviations.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.cursor cimport load_be16, load_le16, load_le32
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.syntax cimport SYNTAX_DEFLATED, syntax_flags
from dicomcore._native.base.text cimport trimmed
from dicomcore._native.base.vr cimport NO_VR, UN, VR_SHORT, VR_UNKNOWN, is_letters, vr_form
from dicomcore._native.scan.header cimport lacks_vr, load_half, load_tag, load_word, looks_explicit
from dicomcore._native.scan.scan cimport BIG_ENDIAN, IMPLICIT, UNDEFINED_LENGTH, Row

cdef enum:
    TRIED = 4           # elements that are read to determine a byte order
    SUSPECT = 1024      # groups from here on are suspect: most are a lower group in the other byte order


cdef int stated_mode(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # The encoding that a transfer syntax stands for: IMPLICIT, BIG_ENDIAN, or one of `Stated`. All others, even those
    # that are not registered, are explicit VR little endian (PS3.5 10, A.4).
    cdef uint8_t flags
    n = trimmed(p, n)
    while n and (p[0] == 32 or p[0] == 0):
        p += 1
        n -= 1
    if n == 0:
        return NO_SYNTAX
    flags = syntax_flags(p, n)
    if flags & SYNTAX_DEFLATED:
        return DEFLATED
    return flags


# -- file meta information


cdef bint is_meta(const uint8_t* p) noexcept nogil:
    # Whether 8 bytes look like the first element of file meta information.
    if load_le16(p) == 2 and load_le16(p + 2) < 0x0200:
        return looks_explicit(p) or load_le32(p + 4) < 1024
    return load_be16(p) == 2 and looks_explicit(p)


cdef Py_ssize_t second_group(const Row* rows, Py_ssize_t count, uint64_t end) noexcept nogil:
    # The row of group 2 at which a second file meta information begins, `count` if there is none. The group ends where
    # its group length says (PS3.10 7.1), unless tags still ascend there: then the group length is wrong.
    cdef Py_ssize_t i = 0, last = 0
    while i < count:
        if i and (rows[i].tag == GROUP_2_LENGTH
                  or rows[i].offset - rows[i].header == end and rows[i].tag <= rows[last].tag):
            return i
        last = i
        i = rows[i].next
    return count


cdef Py_ssize_t check_meta(Opening* opening, const Row* rows, Py_ssize_t count, const uint8_t* length, uint64_t begin,
                           uint64_t stop) noexcept nogil:
    # Compare the group length, whose value is at `length` (NULL if the group has none), with the elements between
    # `begin` and `stop`. Returns the row at which a second group begins, `count` if there is none; the caller drops
    # that group.
    cdef uint64_t said = load_le32(length) if length != NULL else 0
    cdef uint64_t first = rows[0].offset + 4 if length != NULL else 0
    cdef Py_ssize_t second = second_group(rows, count, first + said)
    cdef uint64_t end = rows[second].offset - rows[second].header if second < count else stop
    if length == NULL:
        say(opening, NO_META_LENGTH, GROUP_2_LENGTH, begin, 0, 0)
    elif said != end - first:
        say(opening, WRONG_META_LENGTH, GROUP_2_LENGTH, begin, said, end - first)
    return second


# -- the encoding of the data set


cdef uint8_t read_length(const uint8_t* p, uint64_t held, bint big, uint32_t* length) noexcept nogil:
    # Load the value length from an element's header, of which `held` bytes (at least 8) are in memory. Returns the
    # header's size, 0 if it is cut off.
    cdef uint8_t form = vr_form(load_le16(p + 4))
    if form == VR_UNKNOWN:
        length[0] = load_word(p + 4, big)
        return 8
    if form == VR_SHORT:
        length[0] = load_half(p + 6, big)
        return 8
    if held < 12:
        return 0
    length[0] = load_word(p + 8, big)
    return 12


cdef bint leads_on(const uint8_t* p, uint64_t held, uint64_t left, bint big) noexcept nogil:
    # Whether the first elements of a data set, at p, make sense in this byte order: their value lengths fit into the
    # `left` bytes and lead to higher tags, which have a VR if the first has one. Only elements within `held` count.
    cdef bint explicit = looks_explicit(p)
    cdef uint32_t tag, length = 0
    cdef uint64_t size
    cdef int _i
    for _i in range(TRIED):
        tag = load_tag(p, big)
        size = read_length(p, held, big, &length)
        if size == 0 or length == <uint32_t>UNDEFINED_LENGTH:
            return True
        if left < size or length > left - size:
            return False
        size += length
        if held < size or held - size < 8:
            return True
        p += size
        held -= size
        left -= size
        if load_tag(p, big) <= tag:
            return False
        if load_tag(p, big) >> 16 == 0xFFFE:
            return True
        if explicit and not looks_explicit(p):
            return False
    return True


cdef int evidence(const uint8_t* p, uint64_t held, uint64_t left, bint big) noexcept nogil:
    # A score for reading the data set at p in this byte order: 2 if leads_on(), plus 1 if the dictionary lists its
    # first element with this VR.
    cdef uint16_t letters = load_le16(p + 4), vr = public_vr(load_tag(p, big))
    cdef bint known = vr == letters or letters == UN or vr_form(vr) == VR_UNKNOWN or not looks_explicit(p)
    return 2 * leads_on(p, held, left, big) + (vr != NO_VR and known)


cdef int byte_order(const uint8_t* p, uint64_t held, uint64_t left) noexcept nogil:
    # The byte order of a data set by its first elements, at p: positive for big endian, negative for little, else 0.
    return evidence(p, held, left, True) - evidence(p, held, left, False)


cdef uint8_t guessed_mode(const uint8_t* p, uint64_t held, uint64_t left) noexcept nogil:
    # The encoding of a data set without a transfer syntax, by its first elements, which are at p.
    cdef uint8_t mode = 0 if looks_explicit(p) else IMPLICIT
    cdef uint16_t little = load_le16(p)
    cdef int order
    if little >= SUSPECT:
        order = byte_order(p, held, left)
        if order > 0 or order == 0 and load_be16(p) < little:
            mode |= BIG_ENDIAN
    return mode


cdef uint8_t found_mode(Opening* opening, const uint8_t* p, uint64_t held, uint64_t left, uint64_t at,
                        uint8_t mode) noexcept nogil:
    # The stated encoding, unless the data set's first elements, at p, show another, which is reported. The data set is
    # `left` bytes from offset `at` on, of which `held` are in memory.
    cdef uint16_t little = load_le16(p), big = load_be16(p)
    cdef bint letters = is_letters(p[4], p[5])
    if mode & BIG_ENDIAN:
        if big >= SUSPECT and little < big and byte_order(p, held, left) < 0:
            say(opening, FOUND_LITTLE_ENDIAN, 0, at, 0, 0)
            mode &= <uint8_t>~<int>BIG_ENDIAN
    elif (little >= SUSPECT and 0 < big < 256 and p[1] < 64 and (letters or mode & IMPLICIT)
            and byte_order(p, held, left) > 0):
        say(opening, FOUND_BIG_ENDIAN, 0, at, 0, 0)
        mode |= BIG_ENDIAN
    if mode & IMPLICIT and looks_explicit(p):
        say(opening, FOUND_EXPLICIT, 0, at, 0, 0)
        mode &= <uint8_t>~<int>IMPLICIT
    elif not mode & IMPLICIT and not letters and not (p[4] == 63 and p[5] == 63):
        # A stray delimiter tells nothing about what follows.
        if (p[0] != 0xFE or p[1] != 0xFF) and not lacks_vr(p, held, left, (mode & BIG_ENDIAN) != 0):
            say(opening, FOUND_IMPLICIT, 0, at, 0, 0)
            mode |= IMPLICIT
    return mode
