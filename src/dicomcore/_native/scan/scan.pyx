"""The scanner: bytes in, rows of the index and deviations out (PS3.5 7, A.4).

One loop with its own stack of levels; every iteration consumes input, closes a level or returns. A scan can pause
between two elements and be called again: where its window ends (NEED_MORE) or, as an option, behind top-level pixel
data (OK with `paused_at_pixels`).
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.cursor cimport load_be32, load_le16, load_le32
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.fault cimport NEED_MORE, OK, Status
from dicomcore._native.base.shared cimport store_flag
from dicomcore._native.base.vr cimport NO_VR, SQ, UN, VR_SHORT, VR_UNKNOWN, is_letters, vr_form
from dicomcore._native.scan.header cimport lacks_vr, load_half, load_tag, load_word, looks_explicit, starts_item
from dicomcore._native.scan.plain cimport HEADROOM, scan_plain
from dicomcore._native.scan.scanner cimport add_row, close_level, note, open_level, scanner_begin
from dicomcore._native.scan.strange cimport plausible, strange_header, strange_implicit, unseen

cdef enum:
    MISLED = 16         # after this many misleading items, the lengths of items are believed
    NO_TAG = 0xFFFFFFFF


cdef Status unfinished(Scanner* s, Level* level) noexcept nogil:
    # Close a level whose bytes are used up. If its length is undefined, its delimiter is missing.
    cdef uint32_t code = MISSING_ITEM_DELIMITER if level.kind == ELEMENTS else MISSING_SEQUENCE_DELIMITER
    cdef Row* row = &s.rows[level.row]
    cdef Status status = OK
    if not level.defined:
        status = note(s, code, row.tag, row.offset - row.header, 0, 0)
    close_level(s, s.pos)
    return status


cdef Status leftover(Scanner* s, Level* level, uint64_t left) noexcept nogil:
    # Skip bytes that are too few for a header.
    cdef uint64_t offset = s.pos
    s.pos += left
    return note(s, TRAILING_BYTES, 0, offset, 8, left)


cdef inline Status read_header(Scanner* s, Level* level, const uint8_t* p, uint32_t tag, uint64_t left, uint16_t* vr,
                               uint32_t* length, uint8_t* header, uint8_t* flags) noexcept nogil:
    # Read VR, length field, header size and encoding (into `flags`) of the element at p, which has at least 8 bytes.
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
        length[0] = short_length            # the two reserved bytes hold a length: the writer used the short form
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
    # Open an element of undefined length: a sequence, or pixel data in fragments (PS3.5 7.5, A.4). `left` counts from
    # the value.
    cdef bint big = (mode & BIG_ENDIAN) != 0
    cdef bint pixels = tag == PIXEL_DATA or not (vr == SQ or vr == UN or vr == NO_VR)
    cdef bint untyped = vr == UN and not mode & IMPLICIT
    cdef uint8_t flags = UNDEFINED | CONTAINER | (FRAGMENTS if pixels else 0)
    cdef bint inside
    cdef Status status

    if pixels and tag != PIXEL_DATA and left >= 8 and load_word(value + 4, big) == <uint32_t>UNDEFINED_LENGTH:
        flags &= <uint8_t>~<int>FRAGMENTS       # fragments have defined lengths: this is a sequence, whatever its VR
        pixels = False
    if untyped and big and left >= 8 and load_le32(value) == <uint32_t>0xE000FFFE:
        mode &= <uint8_t>~<int>BIG_ENDIAN       # PS3.5 6.2.2: implicit VR little endian in any data set
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
    # Scan one element of a data set; s.pos is its header's offset, and at least 8 bytes of it are at p.
    cdef uint16_t vr = NO_VR
    cdef uint32_t length = 0
    cdef uint8_t header = 8, flags = level.mode
    cdef uint64_t at = s.pos, size
    cdef uint32_t parent = level.row
    cdef Status status = read_header(s, level, p, tag, left, &vr, &length, &header, &flags)

    if status != OK:
        return status
    if tag <= level.last:
        store_flag(&s.disordered, True)     # also for tag 0, which may be the first
        if level.last:
            status = note(s, DUPLICATE_TAG if tag == level.last else OUT_OF_ORDER, tag, at, level.last, 0)
            if status != OK:
                return status
    level.last = tag
    left -= header
    s.pos = at + header
    if length == UNDEFINED_LENGTH:
        if (vr == SQ or vr == UN or vr == NO_VR or tag == PIXEL_DATA or header == 12
                or starts_item(p + header, left, flags)):
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
        if not starts_item(p + header, size, flags):
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
    # Whether an element in big endian really has VR UN, so that its value is little endian (PS3.5 6.2.2), and not an
    # unknown VR. Items in big endian break this rule, but their tag shows it.
    return load_le16(p + 4) == UN and not (left >= 8 and load_be32(value) == <uint32_t>ITEM)


cdef bint ends_empty(Scanner* s, Level* level) noexcept nogil:
    # Whether a sequence of length 0, which has no delimiter, ends at s.pos in this item.
    cdef Row* row = &s.rows[s.count - 1]
    return (row.parent == level.row and row.flags & (CONTAINER | UNDEFINED) == CONTAINER and row.length == 0
            and row.offset == s.pos)


cdef Status delimiter(Scanner* s, Level* level, uint32_t tag, uint32_t length) noexcept nogil:
    # Handle an item or sequence delimiter in the place of an element, item or fragment. A length other than 0 is
    # ignored.
    cdef uint64_t at = s.pos
    cdef Row* row
    cdef Status status = OK
    cdef bint item_here = level.kind == ELEMENTS

    if length:
        status = note(s, DELIMITER_LENGTH, tag, at, length, 0)
        if status != OK:
            return status
    if s.depth == 0 or (tag == ITEM_DELIMITER and not item_here):
        s.pos = at + 8                      # there is nothing open for it to close
        return note(s, STRAY_DELIMITER, tag, at, 0, 0)
    row = &s.rows[level.row]
    if tag == SEQUENCE_DELIMITER and item_here and ends_empty(s, level):
        s.pos = at + 8
        return note(s, STRAY_DELIMITER, tag, at, 0, 0)
    if tag == SEQUENCE_DELIMITER and item_here:
        # The item's own delimiter is missing, or the item's length is too large; the sequence ends, too.
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
    # Handle any other element in the place of an item or fragment.
    cdef Row* row = &s.rows[level.row]
    cdef uint64_t at = s.pos
    cdef Status status

    if level.defined:                       # believe the length: the sequence's bytes still include the rest
        s.pos = level.end
        return note(s, NOT_AN_ITEM, tag, at, 0, level.end - at)
    status = note(s, MISSING_SEQUENCE_DELIMITER, row.tag, row.offset - row.header, tag, 0)
    close_level(s, at)
    return status


cdef inline uint8_t item_mode(Scanner* s, Level* level, const uint8_t* first, uint64_t left) noexcept nogil:
    # The encoding of an item of at most `left` bytes in an explicit sequence, by its first element. Some writers change
    # to implicit VR inside sequences; UN sequences should be implicit but are not always.
    if first[0] == 0xFE and first[1] == 0xFF or first[0] == 0xFF and first[1] == 0xFE:
        return level.mode                   # an empty item's delimiter
    if is_letters(first[4], first[5]) or (first[4] == 63 and first[5] == 63):       # some write "??" for a VR
        return level.mode
    if lacks_vr(first, s.stop - s.pos - 8, left, (level.mode & BIG_ENDIAN) != 0):
        return level.mode
    return level.mode | IMPLICIT


cdef Status item(Scanner* s, Level* level, const uint8_t* p, uint32_t length, uint64_t left) noexcept nogil:
    # Open an item of a sequence; the 8 bytes of its header are at p.
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
        mode = item_mode(s, level, p + 8, size if defined else left)
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
    # Add a fragment, or the Basic Offset Table, of encapsulated pixel data (PS3.5 A.4).
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
    # Fragments in an item end at `end`, behind their delimiter: extend the item and the levels around it up to there.
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
    # Whether the first bytes of the item with its header at p are an element's header, not a codestream.
    cdef bint big = (level.mode & BIG_ENDIAN) != 0
    if length < 8:
        return length == 0
    if looks_explicit(p + 8):
        return True
    return public_vr(load_tag(p + 8, big)) != NO_VR and load_word(p + 12, big) <= length - 8


cdef Status heed_item(Scanner* s, Level* level) noexcept nogil:
    # Check the header of a fragment inside an item of defined length. If fragments continue past the item's end up to a
    # delimiter (PS3.5 7.5, A.4), the item's length is wrong. If they don't, take back the rows and deviations read past
    # the end, and believe the item's length.
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
    # Whether only zeros follow, with which some writers pad files.
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
    # The checks before each element of the top level; `ends` is set if the scan ends before it.
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
    # Begin inside the value of one element, whose row becomes row 0; the value holds items.
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
    # Scan from s.pos on. OK: the scan reached its end (s.done), another group (s.only_group) or pixel data
    # (s.paused_at_pixels). NEED_MORE: the window must hold s.pos and what follows. Other statuses: a fault at s.pos.
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
