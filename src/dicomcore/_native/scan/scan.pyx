"""The scanner: bytes in, rows of the index and deviations out (PS3.5 7, A.4).

One loop with its own stack of levels; every turn consumes input, closes a level or returns. A scan can pause
between two elements: where its window ends (NEED_MORE) or, when asked to, behind top-level pixel data (OK with
`paused_at_pixels`), and be called again.
"""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memset

from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.base.cursor cimport load_be16, load_be32, load_le16, load_le32
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.fault cimport LIMIT, NEED_MORE, NO_MEMORY, OK, Status
from dicomcore._native.scan.plain cimport HEADROOM, rotate, scan_plain
from dicomcore._native.base.vr cimport NO_VR, SQ, UN, VR_SHORT, VR_UNKNOWN, is_letters, vr_form

cdef enum:
    FORESEEN = 1 << 20  # a strange header is told by what follows its value, if that stands within so many bytes
    MISLED = 16         # after so many items whose fragments led nowhere, items are believed
    TRIED = 4           # elements by which a byte order is told
    NO_TAG = 0xFFFFFFFF


cdef Status scanner_init(Scanner* s, Py_ssize_t rows) noexcept nogil:
    # A scanner without window; `rows` is how many to make room for at first.
    static_assert(sizeof(Row) == 32)            # what dc.scan() says of its records
    static_assert(8 + 12 + 8 <= HEADROOM)       # an item's header, an element's, and what a value begins with
    memset(s, 0, sizeof(Scanner))
    s.capacity = rows
    s.level_capacity = 16
    s.rows = <Row*>malloc(rows * sizeof(Row))
    s.levels = <Level*>malloc(s.level_capacity * sizeof(Level))
    if s.rows == NULL or s.levels == NULL:
        scanner_free(s)
        return NO_MEMORY
    scanner_reset(s)
    return OK


cdef void scanner_reset(Scanner* s) noexcept nogil:
    # Ready for another input, its memory and limits kept.
    s.count = 0
    s.deviation_count = 0
    s.pos = 0
    s.depth = 0
    s.done = False
    s.crossing = False
    s.misled = 0
    s.paused_at_pixels = False
    s.only_group = -1
    s.stop_tag = NO_TAG


cdef void scanner_free(Scanner* s) noexcept nogil:
    free(s.rows)
    free(s.levels)
    free(s.deviations)
    s.rows = NULL
    s.levels = NULL
    s.deviations = NULL
    s.capacity = s.level_capacity = s.deviation_capacity = 0


cdef void scanner_begin(Scanner* s, uint8_t mode, int32_t only_group) noexcept nogil:
    # Go on at s.pos with a data set in this encoding.
    cdef Level* top = &s.levels[0]
    s.depth = 0
    s.done = False
    s.only_group = only_group
    top.end = s.total
    top.row = NO_ROW
    top.last = 0
    top.kind = ELEMENTS
    top.mode = mode
    top.defined = True
    top.untyped = top.inside = False


cdef Status note(Scanner* s, uint32_t code, uint32_t tag, uint64_t offset,
                 uint64_t claimed, uint64_t present) noexcept nogil:
    cdef Deviation* grown
    cdef Py_ssize_t capacity

    if s.deviation_count == s.deviation_capacity:
        capacity = 2 * s.deviation_capacity if s.deviation_capacity else 8
        grown = <Deviation*>realloc(s.deviations, capacity * sizeof(Deviation))
        if grown == NULL:
            return NO_MEMORY
        s.deviations = grown
        s.deviation_capacity = capacity
    s.deviations[s.deviation_count] = Deviation(code, tag, offset, claimed, present)
    s.deviation_count += 1
    return OK


cdef Status grow_rows(Scanner* s) noexcept nogil:
    cdef Py_ssize_t capacity = 2 * s.capacity
    cdef Row* grown
    if s.count >= s.max_rows:
        return LIMIT
    if capacity > s.max_rows:
        capacity = s.max_rows
    grown = <Row*>realloc(s.rows, capacity * sizeof(Row))
    if grown == NULL:
        return NO_MEMORY
    s.rows = grown
    s.capacity = capacity
    return OK


cdef inline Status add_row(Scanner* s, uint32_t tag, uint16_t vr, uint8_t header, uint8_t flags,
                           uint64_t offset, uint64_t length, uint32_t parent) noexcept nogil:
    cdef Row* row
    cdef Status status
    if s.count == s.capacity:
        status = grow_rows(s)
        if status != OK:
            return status
    row = &s.rows[s.count]
    row.tag = tag
    row.vr = vr
    row.header = header
    row.flags = flags
    row.offset = offset
    row.length = length
    row.parent = parent
    s.count += 1
    row.next = <uint32_t>s.count
    return OK


cdef Status open_level(Scanner* s, uint8_t kind, uint8_t mode, uint64_t end, bint defined, bint untyped) noexcept nogil:
    # What follows belongs to the row just added.
    cdef Level* grown
    cdef Level* level

    if s.depth >= s.max_depth:
        return LIMIT
    if s.depth + 1 == s.level_capacity:
        grown = <Level*>realloc(s.levels, 2 * s.level_capacity * sizeof(Level))
        if grown == NULL:
            return NO_MEMORY
        s.levels = grown
        s.level_capacity *= 2
    s.depth += 1
    level = &s.levels[s.depth]
    level.end = end
    level.row = <uint32_t>(s.count - 1)
    level.last = 0
    level.kind = kind
    level.mode = mode
    level.defined = defined
    level.untyped = untyped
    level.inside = False
    return OK


cdef inline void close_level(Scanner* s, uint64_t content_end) noexcept nogil:
    cdef Row* row = &s.rows[s.levels[s.depth].row]
    row.next = <uint32_t>s.count
    if row.flags & UNDEFINED:
        row.length = content_end - row.offset
    s.depth -= 1


cdef inline uint32_t load_tag(const uint8_t* p, bint big) noexcept nogil:
    return load_be32(p) if big else rotate(load_le32(p))


cdef inline uint32_t load_word(const uint8_t* p, bint big) noexcept nogil:
    return load_be32(p) if big else load_le32(p)


cdef inline uint16_t load_half(const uint8_t* p, bint big) noexcept nogil:
    return load_be16(p) if big else load_le16(p)


cdef bint looks_explicit(const uint8_t* p) noexcept nogil:
    # Whether the element header at p (8 bytes) carries a VR of the standard.
    return vr_form(load_le16(p + 4)) != VR_UNKNOWN


cdef uint8_t read_length(const uint8_t* p, uint64_t held, bint big, uint32_t* length) noexcept nogil:
    # The value length in an element's header, of which `held` bytes (8 at least) are there; its size, 0 if it is cut.
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
    # Whether the first elements of a data set, at p, fit into what is `left` and follow each other in this byte order,
    # as far as a few are `held`: lengths lead to higher tags, which have a VR if the first has one.
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
    # How much speaks for reading a data set, at p, in a byte order: 2 if its lengths lead on, 1 if the dictionary has
    # its first element with this VR.
    cdef uint16_t letters = load_le16(p + 4), vr = public_vr(load_tag(p, big))
    cdef bint known = vr == letters or letters == UN or vr_form(vr) == VR_UNKNOWN or not looks_explicit(p)
    return 2 * leads_on(p, held, left, big) + (vr != NO_VR and known)


cdef int byte_order(const uint8_t* p, uint64_t held, uint64_t left) noexcept nogil:
    # The byte order of a data set by its first element, at p: above 0 for big endian, below for little, 0 if unclear.
    return evidence(p, held, left, True) - evidence(p, held, left, False)


cdef Status unfinished(Scanner* s, Level* level) noexcept nogil:
    # The bytes of this level are used up. One of undefined length should have had its delimiter by now.
    cdef uint32_t code = MISSING_ITEM_DELIMITER if level.kind == ELEMENTS else MISSING_SEQUENCE_DELIMITER
    cdef Row* row = &s.rows[level.row]
    cdef Status status = OK
    if not level.defined:
        status = note(s, code, row.tag, row.offset - row.header, 0, 0)
    close_level(s, s.pos)
    return status


cdef Status leftover(Scanner* s, Level* level, uint64_t left) noexcept nogil:
    # Fewer bytes than a header takes: step over them.
    cdef uint64_t offset = s.pos
    s.pos += left
    return note(s, TRAILING_BYTES, 0, offset, 8, left)


cdef bint unseen(Scanner* s, Level* level, uint64_t at) noexcept nogil:
    # Whether a longer window would show what follows an element that ends at `at`, which is not too far on.
    return at <= s.pos + FORESEEN and at < level.end and level.end - at >= 8 and s.stop < s.total and at + 8 > s.stop


cdef bint plausible(Scanner* s, Level* level, uint64_t at, uint32_t tag) noexcept nogil:
    # Whether an element that ends at `at` is followed by what could follow it: the end of its level, a delimiter,
    # or an explicit element with a higher tag. What lies outside the window can't be asked.
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


cdef bint follows(Scanner* s, Level* level, uint64_t at, uint32_t tag) noexcept nogil:
    # The same as plausible() where what follows may be in implicit VR.
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
    # An implicit element whose length field holds the letters of a VR, or 13. Some writers put explicit items or
    # elements into implicit data sets; what follows tells, and an honest length goes first. GE's wrote 13 for 10.
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
        fits = size == 12 and left > 12 and starts_item(s, p + 12, left - 12, level.mode)
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
    if s.depth and level.row == <uint32_t>(s.count - 1):        # an item's first element: all of the item, it seems
        level.mode = flags[0]
        s.rows[level.row].flags &= <uint8_t>~<int>IMPLICIT
        return note(s, EXPLICIT_IN_IMPLICIT, ITEM, s.rows[level.row].offset - 8, 0, 0)
    return note(s, EXPLICIT_IN_IMPLICIT, tag, s.pos, 0, 0)


cdef Status strange_header(Scanner* s, Level* level, const uint8_t* p, uint32_t tag, uint64_t left,
                           uint16_t* vr, uint32_t* length, uint8_t* header, uint8_t* flags) noexcept nogil:
    # An explicit element whose VR is none of the standard's. PS3.5 6.2 note: VRs still to come have the long form;
    # DCMTK reads capital letters so and "??" in the short form, pydicom capital letters in the short form and all
    # else as implicit VR. Whichever reading is followed by something sensible is taken.
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
    elif letters and not implicit_fits:
        length[0] = short_length
        header[0] = 8
    else:
        vr[0] = public_vr(tag)
        flags[0] |= IMPLICIT
        length[0] = implicit_length
        header[0] = 8
        code = IMPLICIT_IN_EXPLICIT
    return note(s, code, tag, pos, p[4] | (<uint64_t>p[5] << 8), 0)


cdef inline Status read_header(Scanner* s, Level* level, const uint8_t* p, uint32_t tag, uint64_t left, uint16_t* vr,
                               uint32_t* length, uint8_t* header, uint8_t* flags) noexcept nogil:
    # VR, length field, header size and encoding (in `flags`) of the element at p, which has at least 8 bytes.
    cdef bint big = (level.mode & BIG_ENDIAN) != 0
    cdef uint8_t form
    cdef uint32_t short_length

    header[0] = 8
    if level.mode & IMPLICIT:
        vr[0] = public_vr(tag)
        length[0] = load_word(p + 4, big)
        if vr_form(load_le16(p + 4)) != VR_UNKNOWN or length[0] == 13:
            return strange_implicit(s, level, p, tag, left, vr, length, header, flags)
        return OK
    vr[0] = p[4] | (<uint16_t>p[5] << 8)
    form = vr_form(vr[0])
    if form == VR_SHORT:
        length[0] = load_half(p + 6, big)
        return OK
    if form == VR_UNKNOWN:
        return strange_header(s, level, p, tag, left, vr, length, header, flags)
    short_length = load_half(p + 6, big)
    if short_length and unseen(s, level, s.pos + 8 + short_length):
        return NEED_MORE
    if short_length and left - 8 >= short_length and plausible(s, level, s.pos + 8 + short_length, tag):
        length[0] = short_length            # the two reserved bytes hold a length: the short form was written
        return note(s, LENGTH_FIELD_16, tag, s.pos, vr[0], short_length)
    if left < 12:
        length[0] = 0
        header[0] = <uint8_t>left
        return note(s, LENGTH_BEYOND_END, tag, s.pos, 12, left)
    length[0] = load_word(p + 8, big)
    header[0] = 12
    return OK


cdef Status open_undefined(Scanner* s, Level* level, const uint8_t* value, uint64_t left, uint32_t tag, uint16_t vr,
                           uint8_t header, uint8_t mode) noexcept nogil:
    # An element of undefined length: a sequence, or pixel data in fragments (PS3.5 7.5, A.4). `left` counts from
    # its value.
    cdef bint big = (mode & BIG_ENDIAN) != 0
    cdef bint pixels = tag == PIXEL_DATA or not (vr == SQ or vr == UN or vr == NO_VR)
    cdef bint untyped = vr == UN and not mode & IMPLICIT
    cdef uint8_t flags = UNDEFINED | CONTAINER | (FRAGMENTS if pixels else 0)
    cdef bint inside
    cdef Status status

    if pixels and tag != PIXEL_DATA and left >= 8 and load_word(value + 4, big) == <uint32_t>UNDEFINED_LENGTH:
        flags &= <uint8_t>~<int>FRAGMENTS       # no fragment is of undefined length: whatever its VR, a sequence
        pixels = False
    if untyped and big and left >= 8 and load_le32(value) == <uint32_t>0xE000FFFE:
        mode &= <uint8_t>~<int>BIG_ENDIAN       # PS3.5 6.2.2: implicit VR little endian whatever is outside
    status = add_row(s, tag, vr, header, flags | (mode & (IMPLICIT | BIG_ENDIAN)), s.pos, 0, level.row)
    if status != OK:
        return status
    if not pixels:
        return open_level(s, ITEMS, mode, level.end, False, untyped)
    inside = level.end != s.total and s.misled < MISLED
    status = open_level(s, PIECES, mode, s.total if inside else level.end, False, False)
    if status == OK:
        s.levels[s.depth].inside = inside
        s.crossing = False
    return status


cdef inline Status element(Scanner* s, Level* level, const uint8_t* p, uint32_t tag, uint64_t left) noexcept nogil:
    # One element of a data set; s.pos stands at its header, with at least 8 bytes of it at p.
    cdef uint16_t vr = NO_VR
    cdef uint32_t length = 0
    cdef uint8_t header = 8, flags = level.mode
    cdef uint64_t at = s.pos, size
    cdef uint32_t parent = level.row
    cdef Status status = read_header(s, level, p, tag, left, &vr, &length, &header, &flags)

    if status != OK:
        return status
    if tag <= level.last and level.last:
        status = note(s, DUPLICATE_TAG if tag == level.last else OUT_OF_ORDER, tag, at, level.last, 0)
        if status != OK:
            return status
    level.last = tag
    left -= header
    s.pos = at + header
    if length == UNDEFINED_LENGTH:
        if (vr == SQ or vr == UN or vr == NO_VR or tag == PIXEL_DATA or header == 12
                or starts_item(s, p + header, left, flags)):
            return open_undefined(s, level, p + header, left, tag, vr, header, flags & (IMPLICIT | BIG_ENDIAN))
        status = note(s, SHORT_VR_UNDEFINED, tag, at, length, left)
        if status != OK:
            return status
    if vr == UN and flags & (IMPLICIT | BIG_ENDIAN) == BIG_ENDIAN and is_untyped(p, p + header, left):
        flags &= <uint8_t>~<int>BIG_ENDIAN
    size = length
    if size > left:
        flags |= CLIPPED
        status = note(s, LENGTH_BEYOND_END, tag, at, size, left)
        if status != OK:
            return status
        size = left
    elif length & 1:
        status = note(s, ODD_LENGTH, tag, at, length, 0)
        if status != OK:
            return status
    if vr == SQ:
        if not starts_item(s, p + header, size, flags):
            status = note(s, NO_ITEMS, tag, at, 0, 0)
            if status != OK:
                return status
        else:
            status = add_row(s, tag, vr, header, flags | CONTAINER, s.pos, size, parent)
            if status != OK:
                return status
            return open_level(s, ITEMS, flags & (IMPLICIT | BIG_ENDIAN), s.pos + size, True, False)
    status = add_row(s, tag, vr, header, flags, s.pos, size, parent)
    s.pos += size
    return status


cdef inline bint is_untyped(const uint8_t* p, const uint8_t* value, uint64_t left) noexcept nogil:
    # Whether an element in big endian is a UN, whose value is in little endian all the same (PS3.5 6.2.2), and not one
    # of another VR that is unknown. Items in big endian aren't as they should be, but show it.
    return load_le16(p + 4) == UN and not (left >= 8 and load_be32(value) == <uint32_t>ITEM)


cdef inline bint starts_item(Scanner* s, const uint8_t* value, uint64_t left, uint8_t mode) noexcept nogil:
    # Whether an item, or the delimiter of an empty sequence, stands where a value starts (in the window by HEADROOM).
    cdef uint32_t tag
    if left < 8:
        return left == 0
    tag = load_tag(value, (mode & BIG_ENDIAN) != 0)
    return tag == ITEM or tag == SEQUENCE_DELIMITER


cdef bint ends_empty(Scanner* s, Level* level) noexcept nogil:
    # Whether a sequence of length 0, which takes no delimiter, stands just before s.pos in this item.
    cdef Row* row = &s.rows[s.count - 1]
    return (row.parent == level.row and row.flags & (CONTAINER | UNDEFINED) == CONTAINER and row.length == 0
            and row.offset == s.pos)


cdef Status delimiter(Scanner* s, Level* level, uint32_t tag, uint32_t length) noexcept nogil:
    # An item or sequence delimiter where an element, item or fragment was due. Its length is 0 or not heeded.
    cdef uint64_t at = s.pos
    cdef Row* row
    cdef Status status = OK
    cdef bint item_here = level.kind == ELEMENTS

    if length:
        status = note(s, DELIMITER_LENGTH, tag, at, length, 0)
        if status != OK:
            return status
    if s.depth == 0 or (tag == ITEM_DELIMITER and not item_here):
        s.pos = at + 8                      # nothing is open that it could close
        return note(s, STRAY_DELIMITER, tag, at, 0, 0)
    row = &s.rows[level.row]
    if tag == SEQUENCE_DELIMITER and item_here and ends_empty(s, level):
        s.pos = at + 8
        return note(s, STRAY_DELIMITER, tag, at, 0, 0)
    if tag == SEQUENCE_DELIMITER and item_here:
        # The item's own delimiter is missing, or its length says more than it holds; the sequence ends too.
        status = note(s, MISSING_ITEM_DELIMITER, row.tag, row.offset - row.header, 0, 0)
        if level.defined:
            row.length = at - row.offset
        close_level(s, at)
        return status
    if level.defined:
        status = note(s, STRAY_DELIMITER, tag, at, 0, 0)
        row.length = at - row.offset
    close_level(s, at)
    s.pos = at + 8
    return status


cdef Status not_an_item(Scanner* s, Level* level, uint32_t tag) noexcept nogil:
    # Something else where an item or fragment was due.
    cdef Row* row = &s.rows[level.row]
    cdef uint64_t at = s.pos
    cdef Status status

    if level.defined:                       # believe the length: the rest stays reachable as the sequence's bytes
        s.pos = level.end
        return note(s, NOT_AN_ITEM, tag, at, 0, level.end - at)
    status = note(s, MISSING_SEQUENCE_DELIMITER, row.tag, row.offset - row.header, tag, 0)
    close_level(s, at)
    return status


cdef inline uint8_t item_mode(Scanner* s, Level* level, const uint8_t* first) noexcept nogil:
    # How an item of an explicit sequence is encoded, by its first element. Some writers go over to implicit VR
    # inside sequences; UN sequences should be implicit, and are not always.
    if first[0] == 0xFE and first[1] == 0xFF or first[0] == 0xFF and first[1] == 0xFE:
        return level.mode                   # an empty item's delimiter
    if is_letters(first[4], first[5]) or (first[4] == 63 and first[5] == 63):       # "??" stands for a VR
        return level.mode
    return level.mode | IMPLICIT


cdef Status item(Scanner* s, Level* level, const uint8_t* p, uint32_t length, uint64_t left) noexcept nogil:
    # An item of a sequence, its header's 8 bytes at p.
    cdef uint64_t at = s.pos, size = length
    cdef bint defined = length != UNDEFINED_LENGTH
    cdef uint8_t mode = level.mode, flags
    cdef uint64_t end
    cdef Status status

    left -= 8
    flags = CONTAINER | (0 if defined else UNDEFINED)
    if defined and size > left:
        flags |= CLIPPED
        status = note(s, LENGTH_BEYOND_END, ITEM, at, size, left)
        if status != OK:
            return status
        size = left
    if not mode & IMPLICIT and (size if defined else left) >= 8:
        mode = item_mode(s, level, p + 8)
        if mode != level.mode and not level.untyped:
            status = note(s, IMPLICIT_IN_EXPLICIT, ITEM, at, 0, 0)
            if status != OK:
                return status
    end = at + 8 + size if defined else level.end
    status = add_row(s, ITEM, NO_VR, 8, flags | mode, at + 8, size if defined else 0, level.row)
    if status != OK:
        return status
    s.pos = at + 8
    return open_level(s, ELEMENTS, mode, end, defined, False)


cdef Status fragment(Scanner* s, Level* level, uint32_t length, uint64_t left) noexcept nogil:
    # A fragment, or the Basic Offset Table, of encapsulated pixel data (PS3.5 A.4).
    cdef uint64_t at = s.pos, size = length
    cdef uint8_t flags = level.mode
    cdef Status status = OK

    left -= 8
    if size > left:
        flags |= CLIPPED
        status = note(s, LENGTH_BEYOND_END, ITEM, at, size, left)
        size = left
    elif size & 1:
        status = note(s, ODD_LENGTH, ITEM, at, size, 0)
    if status != OK:
        return status
    s.pos = at + 8 + size
    return add_row(s, ITEM, NO_VR, 8, flags, at + 8, size, level.row)


cdef Status widen(Scanner* s, uint64_t end) noexcept nogil:
    # The fragments of an item end where their delimiter does: so do the item and what is around it, at the earliest.
    cdef Py_ssize_t i = s.depth - 1
    cdef Level* around
    cdef Row* row
    cdef bint said = False
    cdef Status status = OK
    while i > 0 and s.levels[i].end < end:
        around = &s.levels[i]
        row = &s.rows[around.row]
        if around.defined:
            if not said:
                status = note(s, SHORT_ITEM, row.tag, row.offset - row.header, row.length, end - row.offset)
                said = True
            row.length = end - row.offset
            row.flags |= CLIPPED
        around.end = end
        i -= 1
    return status


cdef bint begins_item(Level* level, const uint8_t* p, uint32_t length) noexcept nogil:
    # Whether the first bytes of an item, its header at p, are an element's, not a codestream's.
    cdef bint big = (level.mode & BIG_ENDIAN) != 0
    if length < 8:
        return length == 0
    if looks_explicit(p + 8):
        return True
    return public_vr(load_tag(p + 8, big)) != NO_VR and load_word(p + 12, big) <= length - 8


cdef Status heed_item(Scanner* s, Level* level) noexcept nogil:
    # At a header of fragments in an item of defined length. A length that ends amid them is wrong if they go on to a
    # delimiter (PS3.5 7.5, A.4). If they don't, what was read beyond it is taken back, and the item is believed.
    cdef uint64_t end = s.levels[s.depth - 1].end, at = s.pos, left = s.total - s.pos
    cdef bint fits = False, big = (level.mode & BIG_ENDIAN) != 0
    cdef uint32_t tag = 0, length = 0
    cdef const uint8_t* p = NULL

    if left >= 8:
        if at < s.start or at > s.stop or (s.stop - at < HEADROOM and s.stop < s.total):
            return NEED_MORE
        p = s.window + (at - s.start)
        tag = load_tag(p, big)
        length = load_word(p + 4, big)
        fits = tag == ITEM and length <= left - 8
    if tag == SEQUENCE_DELIMITER and length == 0 and (s.crossing or at < end):
        s.crossing = False
        return widen(s, at + 8)
    if fits and (s.crossing or at < end and at + 8 + length <= end):
        return OK
    if s.crossing:
        s.pos = s.crossing_pos
        s.count = s.crossing_count
        s.deviation_count = s.crossing_deviations
        s.misled += 1
    elif fits and not (at == end and begins_item(level, p, length)):
        s.crossing_pos = at
        s.crossing_count = s.count
        s.crossing_deviations = s.deviation_count
        s.crossing = True
        return OK
    s.crossing = False
    level.end = end
    level.inside = False
    return OK


cdef bint only_zeros(Scanner* s) noexcept nogil:
    # Whether nothing but zeros follows, as some writers pad files.
    cdef const uint8_t* p = s.window + (s.pos - s.start)
    cdef const uint8_t* end = s.window + (s.stop - s.start)
    if s.stop != s.total:
        return False
    while p < end:
        if p[0]:
            return False
        p += 1
    return True


cdef Status top_level(Scanner* s, uint32_t tag, bint* ends) noexcept nogil:
    # What only the top level asks before each element.
    cdef uint64_t at
    ends[0] = False
    if s.only_group >= 0 and tag >> 16 != <uint32_t>s.only_group:
        ends[0] = True
    elif tag >= s.stop_tag and tag != TRAILING_PADDING and s.stop_tag != NO_TAG:
        s.done = True
        ends[0] = True
    elif tag == 0 and s.only_group != 0 and only_zeros(s):
        ends[0] = True
        s.done = True
        at = s.pos
        s.pos = s.total
        return note(s, TRAILING_ZEROS, 0, at, 0, s.total - at)
    return OK


cdef Status scan_items(Scanner* s, const Row* element) noexcept nogil:
    # Begin inside the value of one element, whose row becomes row 0: items are due.
    cdef uint8_t mode = element.flags & (IMPLICIT | BIG_ENDIAN)
    cdef Status status
    scanner_begin(s, mode, -1)
    status = add_row(s, element.tag, SQ, element.header, mode | CONTAINER, element.offset, element.length, NO_ROW)
    if status != OK:
        return status
    return open_level(s, ITEMS, mode, s.total, True, True)


cdef inline bint is_pixels(uint32_t tag) noexcept nogil:
    return tag == PIXEL_DATA or tag == FLOAT_PIXEL_DATA or tag == DOUBLE_FLOAT_PIXEL_DATA


cdef Status scan(Scanner* s) noexcept nogil:
    # Scan on from s.pos. OK: the end was reached (s.done), another group begins (s.only_group), or pixel data was
    # met (s.paused_at_pixels). NEED_MORE: the window should hold s.pos and what follows. Other: a fault at s.pos.
    cdef Level* level
    cdef const uint8_t* p
    cdef uint64_t left
    cdef uint32_t tag
    cdef bint big, ends, top
    cdef Status status = OK

    s.paused_at_pixels = False
    while status == OK:
        level = &s.levels[s.depth]
        if not level.mode & BIG_ENDIAN:
            scan_plain(s)
            level = &s.levels[s.depth]
        if level.inside:
            status = heed_item(s, level)
            if status != OK:
                return status
        if s.pos >= level.end:
            if s.depth == 0:
                s.done = True
                return OK
            status = unfinished(s, level)
            continue
        left = level.end - s.pos
        if left < 8:
            status = leftover(s, level, left)
            continue
        if s.pos < s.start or s.pos > s.stop or (s.stop - s.pos < HEADROOM and s.stop < s.total):
            return NEED_MORE
        p = s.window + (s.pos - s.start)
        big = (level.mode & BIG_ENDIAN) != 0
        tag = load_tag(p, big)
        if level.kind == ELEMENTS:
            top = s.depth == 0
            if top:
                status = top_level(s, tag, &ends)
                if ends or status != OK:
                    return status
            if tag >> 16 == 0xFFFE:
                if tag == ITEM_DELIMITER or tag == SEQUENCE_DELIMITER:
                    status = delimiter(s, level, tag, load_word(p + 4, big))
                    continue
            status = element(s, level, p, tag, left)
            if top and is_pixels(tag) and s.pause_at_pixels and status == OK:
                s.paused_at_pixels = True
                return OK
        elif tag == ITEM:
            if level.kind == ITEMS:
                status = item(s, level, p, load_word(p + 4, big), left)
            else:
                status = fragment(s, level, load_word(p + 4, big), left)
        elif tag == SEQUENCE_DELIMITER or tag == ITEM_DELIMITER:
            status = delimiter(s, level, tag, load_word(p + 4, big))
        else:
            status = not_an_item(s, level, tag)
    return status
