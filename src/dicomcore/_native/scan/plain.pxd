# The scanner's fast path, for input that breaks no rule and is little endian: one loop, without a function call per
# element. It is in a .pxd so that it is compiled into `scan`, which enters it again after each irregularity.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from dicomcore._native.base.compiler cimport DC_BIG_ENDIAN
from dicomcore._native.base.cursor cimport load_le32, load_le64
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.scan.header cimport rotate
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN,
    CONTAINER,
    ELEMENTS,
    IMPLICIT,
    ITEM,
    ITEMS,
    NO_ROW,
    PIECES,
    UNDEFINED,
    UNDEFINED_LENGTH,
    Level,
    Row,
    Scanner,
)
from dicomcore._native.base.vr cimport NO_VR, SQ, VR_LONG, VR_SEQUENCE, VR_SHORT, VR_UNKNOWN, is_letters, vr_form

cdef enum:
    HEADROOM = 32                   # bytes that one iteration may read: two headers and a spare word
    ITEM_LE = 0xE000FFFE            # tags as they look in a little-endian word
    ITEM_DELIMITER_LE = 0xE00DFFFE
    SEQUENCE_DELIMITER_LE = 0xE0DDFFFE
    FIRST_PIXELS = 0x7FE00000       # from this tag on, top-level elements may need the checks of `scan`
    FIRST_DELIMITER = 0xFFFE0000
    VR_BITS = 0xFFFF00000000        # of an explicit header's first word, and of a row's
    NO_LETTERS = 0x4140             # a length field up to this can't look like the letters of a VR


cdef inline void put_row(Row* row, uint64_t head, uint64_t offset, uint64_t length, uint32_t parent,
                         Py_ssize_t next) noexcept nogil:
    # `head` is the row's first word: tag, VR, header and flags in this order from the lowest byte.
    if DC_BIG_ENDIAN:
        row.tag = <uint32_t>head
        row.vr = <uint16_t>(head >> 32)
        row.header = <uint8_t>(head >> 48)
        row.flags = <uint8_t>(head >> 56)
    else:
        memcpy(row, &head, 8)
    row.offset = offset
    row.length = length
    row.parent = parent
    row.next = <uint32_t>next


cdef inline uint64_t row_head(uint32_t tag, uint16_t vr, uint8_t header, uint8_t flags) noexcept nogil:
    return tag | (<uint64_t>vr << 32) | (<uint64_t>header << 48) | (<uint64_t>flags << 56)


cdef inline Level* push(Level* level, uint64_t end, uint32_t row, uint8_t kind, uint8_t mode,
                        bint defined) noexcept nogil:
    # Enter the level inside. Its `last` is set when scan_plain() leaves it or pushes another.
    level += 1
    level.end = end
    level.row = row
    level.kind = kind
    level.mode = mode
    level.defined = defined
    level.untyped = level.inside = False
    return level


cdef inline const uint8_t* bytes_at(uint64_t address) noexcept nogil:
    return <const uint8_t*><size_t>address


cdef inline void scan_plain(Scanner* s) noexcept nogil:
    # Scan elements, sequences and items while they break no rule and are little endian, which holds for most of any
    # file; stop at the first that doesn't, with s.pos at its header, for `scan`. Each iteration reads one header, or
    # ends one level. Positions are addresses kept as integers, since the end of a level may be outside the window;
    # `base` is the address that the source's first byte would have. The function is long so that all of it shares the
    # same registers.
    cdef Level* level = &s.levels[s.depth]
    cdef Level* deepest = &s.levels[min(s.max_depth, s.level_capacity - 2)]
    cdef uint64_t base = <uint64_t><size_t>s.window - s.start
    cdef uint64_t at = base + s.pos, end = base + level.end, size, word, until, head
    cdef uint64_t safe = base + (s.stop if s.stop == s.total else s.stop - HEADROOM)
    cdef uint32_t top_bound, bound, last = level.last, parent = level.row, tag, length
    cdef uint32_t next = <uint32_t>s.count + 1
    cdef uint8_t form, header, flags, mode = level.mode
    cdef bint defined = level.defined, items_due = level.kind == ITEMS
    cdef uint16_t vr
    cdef Row* row = s.rows + s.count
    cdef Row* room = s.rows + s.capacity

    if s.pos < s.start or level.kind == PIECES or s.total < 8 or (s.stop != s.total and s.stop - s.start < HEADROOM):
        return
    top_bound = 0 if s.only_group >= 0 else min(s.stop_tag, <uint32_t>FIRST_PIXELS)
    bound = top_bound if parent == NO_ROW else <uint32_t>FIRST_DELIMITER
    until = min(safe, end - 8)              # the last address where a header fits into this level and the window
    while True:
        if not items_due and not mode & IMPLICIT:
            # -- elements of explicit VR with 16-bit lengths, as most are; the first other header is for what follows
            head = row_head(0, 0, 8, mode)
            while at <= until and row < room:
                word = load_le64(bytes_at(at))
                tag = rotate(<uint32_t>word)
                length = <uint32_t>(word >> 48)
                if not last < tag < bound or vr_form(<uint16_t>(word >> 32)) != VR_SHORT:
                    break
                if length > end - at - 8 or length & 1:
                    break
                at += 8
                put_row(row, head | tag | word & VR_BITS, at - base, length, parent, next)
                row += 1
                next += 1
                last = tag
                at += length
        if at <= until and row < room:
            word = load_le64(bytes_at(at))
            length = <uint32_t>(word >> 32)
            if not items_due:
                tag = rotate(<uint32_t>word)
                if last < tag < bound:
                    # -- an element
                    header = 8
                    if mode & IMPLICIT:
                        if length > NO_LETTERS and vr_form(<uint16_t>length) != VR_UNKNOWN:
                            break                       # it may be explicit VR
                        vr = public_vr(tag)
                        form = VR_SEQUENCE if vr == SQ else VR_LONG
                    else:
                        vr = <uint16_t>length
                        length >>= 16
                        form = vr_form(vr)
                        if form == VR_SHORT or form == VR_UNKNOWN or length or end - at < 12:
                            break
                        length = load_le32(bytes_at(at + 8))
                        header = 12
                    size = end - at - header
                    if form != VR_SEQUENCE:
                        if length > size or length & 1:
                            break
                        at += header
                        put_row(row, row_head(tag, vr, header, mode), at - base, length, parent, next)
                        row += 1
                        next += 1
                        last = tag
                        at += length
                        continue
                    # -- a sequence, if an item follows
                    if size < 8 or load_le32(bytes_at(at + header)) != <uint32_t>ITEM_LE or level >= deepest:
                        break
                    defined = length != <uint32_t>UNDEFINED_LENGTH
                    if defined and (<uint64_t>length - 8 > size - 8 or length & 1):     # 8 bytes at least hold an item
                        break
                    level.last = tag
                    at += header
                    flags = mode | (CONTAINER if defined else CONTAINER | UNDEFINED)
                    put_row(row, row_head(tag, SQ, header, flags), at - base,
                            length if defined else 0, parent, 0)
                    if defined:
                        end = at + length
                        until = min(safe, end - 8)
                    parent = next - 1
                    level = push(level, end - base, parent, ITEMS, mode, defined)
                    row += 1
                    next += 1
                    items_due = True
                    continue
                elif word == <uint64_t>ITEM_DELIMITER_LE and not defined:
                    s.rows[parent].length = at - base - s.rows[parent].offset
                    at += 8
                else:
                    break
            elif <uint32_t>word == <uint32_t>ITEM_LE:
                # -- an item
                size = end - at - 8
                if size < 8 or level >= deepest:
                    break
                if not mode & IMPLICIT and not is_letters(bytes_at(at)[12], bytes_at(at)[13]):
                    break
                defined = length != <uint32_t>UNDEFINED_LENGTH
                if defined and (length > size or length < 8 or length & 1):
                    break
                at += 8
                flags = mode | (CONTAINER if defined else CONTAINER | UNDEFINED)
                put_row(row, row_head(ITEM, NO_VR, 8, flags), at - base, length if defined else 0, parent, 0)
                if defined:
                    end = at + length
                    until = min(safe, end - 8)
                parent = next - 1
                level = push(level, end - base, parent, ELEMENTS, mode, defined)
                row += 1
                next += 1
                last = 0
                bound = FIRST_DELIMITER
                items_due = False
                continue
            elif word == <uint64_t>SEQUENCE_DELIMITER_LE and not defined:
                s.rows[parent].length = at - base - s.rows[parent].offset
                at += 8
            else:
                break
        elif at != end or not defined or parent == NO_ROW:
            break
        # -- a level has ended: continue in the level around it
        s.rows[parent].next = next - 1
        level -= 1
        end = base + level.end
        until = min(safe, end - 8)
        parent = level.row
        last = level.last
        mode = level.mode
        defined = level.defined
        items_due = not items_due
        if parent == NO_ROW:
            bound = top_bound
        if mode & BIG_ENDIAN:
            break
    if not items_due:
        level.last = last
    s.depth = level - s.levels
    s.pos = at - base
    s.count = row - s.rows
