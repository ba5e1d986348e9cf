"""One pass over the rows of an index: elements that stay are copied by their own bytes, others are left out, emptied or
replaced (PS3.15 Annex E).

Nothing is copied that is not an element's header or value, or the header or delimiter of a sequence or an item. The
levels are a stack of our own; its depth is that of the index, which `Limits` bounds.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc

from dicomcore._native.base.cursor cimport load_be32, load_le16, load_le32
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.vr cimport (
    AE, AS, AT, CS, DA, DS, DT, IS, LO, LT, NO_VR, OB, PN, SH, SQ, ST, TM, UC, UI, UN, UR, UT, VR_SHORT, VR_UNKNOWN,
    is_number, is_text, vr_form, word_size,
)
from dicomcore._native.check.plan cimport NO_LEVEL, Level, Plan, Slot as LevelSlot, slot_of
from dicomcore._native.deid.log cimport Log
from dicomcore._native.deid.rules cimport (
    AGE, CALL, CLEAN, CONTENT, DUMMY, EMPTY, GRAPHICS, KEEP, MAP, NAME, NET, NO_ACTION, PIXELS, PRIVATE_RULE, REMOVE,
    STRUCTURE, TABLE, UNKNOWN, UNREAD, X_D, X_Z, X_Z_D, X_Z_U, Z_D, PrivateRow, Rules, Slot, slot_for,
)
from dicomcore._native.scan.index cimport Index, open_value
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN, CLIPPED, CONTAINER, FRAGMENTS, IMPLICIT, ITEM, ITEM_DELIMITER, LENGTH_BEYOND_END,
    MISSING_ITEM_DELIMITER, MISSING_SEQUENCE_DELIMITER, PIXEL_DATA, SEQUENCE_DELIMITER, TRAILING_BYTES, UNDEFINED,
    UNDEFINED_LENGTH, Row,
)
from dicomcore._native.views.decode cimport charset_at, decode, resolve_vr, vr_name
from dicomcore._native.write.encode cimport put_value
from dicomcore._native.write.output cimport Output

from dicomcore.errors import DeidError

cdef extern from "Python.h":
    PyObject* PyDict_GetItem(object found, object key)      # also of a subclass

cdef enum:
    NOWHERE = -1
    SOP_CLASS = 0x00080016
    SOP_INSTANCE = 0x00080018
    STUDY_INSTANCE = 0x0020000D
    PATIENT_ID = 0x00100020
    ISSUER = 0x00100021
    TIMEZONE = 0x00080201
    SCHEME = 0x00080102
    CONCEPT_NAME = 0x0040A043
    UNITS = 0x004008EA
    FIRST_GROUP = 8             # of data sets; lower ones are of files, directories and commands

cdef enum How:                  # what a sequence makes of the elements in its items that no row names
    AS_USUAL = 0
    DUMMIES = 1                 # its values become dummies
    CLEANED = 2                 # its text is cleaned
    STRUCTURED = 4              # its items are content items
    RETAINED = 8                # its text stays: an option or the caller says so

cdef struct Frame:              # one data set, or the items of one sequence
    Py_ssize_t first, row, stop
    Py_ssize_t length_at        # where its length stands in the output's buffer, NOWHERE: it has a delimiter
    uint64_t begun              # the output's size behind its header
    uint64_t end                # where its contents end in the source
    uint32_t level              # of the IOD
    uint32_t tag                # of the sequence
    uint32_t block              # the private block that was asked for last, and its creator
    int creator
    uint32_t overlay            # the group of overlays that was asked for last
    bint overlay_gone
    int index
    uint8_t how
    bint items, big


# UIDs that name classes, syntaxes and schemes, not instances.
cdef bint names_class(uint32_t tag) noexcept nogil:
    return (
        tag == 0x00080016 or tag == 0x0008001A or tag == 0x0008001B or tag == 0x00080062 or tag == 0x0008010C
        or tag == 0x0008010D or tag == 0x00080117 or tag == 0x00080118 or tag == 0x0008040E or tag == 0x00081150
        or tag == 0x0008115A or tag == 0x00083002 or tag == 0x00340003 or tag == 0x04000010 or tag == 0x04000510
        or tag == 0x30100052 or tag == 0x30100053
    )


cdef bint names_code(uint32_t tag) noexcept nogil:
    # Code Value, Coding Scheme Designator and Version, Long Code Value, URN Code Value: numbers, but of no patient.
    return 0x00080100 <= tag <= 0x00080120 and (
        tag == 0x00080100 or tag == 0x00080102 or tag == 0x00080103 or tag == 0x00080119 or tag == 0x00080120
    )


cdef bint has_content_items(uint32_t tag) noexcept nogil:
    # Content, Acquisition Context, Protocol Context, Content Item Modifier, Specimen Preparation Step Content Item.
    return (tag == 0x0040A730 or tag == 0x00400555 or tag == 0x00400440 or tag == 0x00400441 or tag == 0x00400612)


cdef bint is_prose(uint16_t vr) noexcept nogil:
    # Text that may hold anything; code strings and numbers do not.
    return (vr == LO or vr == SH or vr == ST or vr == LT or vr == UT or vr == UC or vr == PN or vr == AE or vr == UR)


cdef bint is_time(uint16_t vr) noexcept nogil:
    return vr == DA or vr == DT or vr == TM


cdef int type_at(Plan types, uint32_t level, uint32_t tag, uint32_t* child) noexcept nogil:
    # The strictest type of an attribute at its place: 1, 2, 3; 0 if the IOD is not known. `child` becomes the level of
    # its items.
    cdef const LevelSlot* slot
    cdef const Level* own
    cdef uint32_t place, k
    cdef uint8_t kind, strictest = 6
    child[0] = NO_LEVEL
    if level == NO_LEVEL:
        return 0
    own = &types.levels[level]
    place = slot_of(types.slots, own, tag)
    if place == own.slot_count:
        return 3
    slot = &types.slots[own.slots + place]
    child[0] = slot.child
    for k in range(slot.claim_count):
        kind = types.claims[slot.claims + k].type
        if kind and kind < strictest:
            strictest = kind
    return 1 if strictest <= 2 else 2 if strictest <= 4 else 3


cdef uint8_t settled(uint8_t action, int kind) noexcept nogil:
    # A compound action, by the type of the attribute; where the IOD is not known, what is valid in any.
    if action == X_Z:
        return REMOVE if kind == 3 else EMPTY
    if action == X_D:
        return REMOVE if kind == 3 else DUMMY
    if action == Z_D:
        return EMPTY if kind >= 2 else DUMMY
    if action == X_Z_D:
        return REMOVE if kind == 3 else EMPTY if kind == 2 else DUMMY
    if action == X_Z_U:
        return REMOVE if kind == 3 else EMPTY if kind == 2 else MAP
    if action == EMPTY:
        return DUMMY if kind == 1 else EMPTY
    return action


cdef str named(uint32_t tag):
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


cdef class Redactor:
    """The state of one pass."""

    cdef Index index                # of the data set, or of a sequence that was indexed late
    cdef list indices
    cdef Rules rules
    cdef Plan types
    cdef object mapping             # the façade's: maps what native code does not
    cdef bytes study                # Study Instance UID
    cdef object patient             # its part for this file; None until needed
    cdef object uids                # a dict that makes what it lacks
    cdef Output out
    cdef Log log
    cdef Frame* frames
    cdef Py_ssize_t depth, room
    cdef uint64_t run_begin, run_end    # the bytes of the source that are to be copied next
    cdef tuple marks                # elements of the root that say what was done, with their bytes in three encodings
    cdef Py_ssize_t next_mark
    cdef uint32_t pixels            # the tag of pixel data that was cleaned, 0: none
    cdef object cleaned             # its new value
    cdef bytes planes               # of the present group of overlays

    def __dealloc__(self):
        free(self.frames)

    # -- copying

    cdef int flush(self) except -1:
        if self.run_end > self.run_begin:
            self.out.put_source(self.index.source, self.run_begin, self.run_end - self.run_begin)
        self.run_begin = self.run_end = 0
        return 0

    cdef inline int keep(self, uint64_t begin, uint64_t end) except -1:
        # Copy bytes [begin, end) of the source.
        if begin != self.run_end:
            self.flush()
            self.run_begin = begin
        self.run_end = end
        return 0

    cdef bint is_plain(self, const Row* r) except -1:
        # Whether the header can be copied: it has the form of its VR, states the length that is there, and nothing is
        # in its reserved bytes.
        cdef const uint8_t* p
        if r.flags & CLIPPED:
            return False
        if r.header != 12:
            return r.header == 8 and (r.tag == ITEM or r.flags & IMPLICIT or vr_form(r.vr) == VR_SHORT)
        _owner = self.index.source.hold(r.offset - 6, 2, &p)
        return p[0] == 0 and p[1] == 0

    cdef int keep_element(self, Frame* f, const Row* r) except -1:
        if self.is_plain(r):
            return self.keep(r.offset - r.header, r.offset + r.length)
        self.put_header(r.tag, r, r.vr, r.length, f.big)
        return self.keep(r.offset, r.offset + r.length)

    cdef Py_ssize_t put_header(self, uint32_t tag, const Row* r, uint16_t vr, uint64_t length, bint big) except -1:
        # Write a header in the form of a row's; returns where the length stands.
        cdef uint8_t form
        self.flush()
        self.out.put_tag(tag, big)
        if tag == ITEM or r.flags & IMPLICIT:
            self.out.put32(<uint32_t>length, big)
            return self.out.size - 4
        form = vr_form(vr)
        if form == VR_UNKNOWN:
            vr = UN
        self.out.put_byte(vr & 0xFF)
        self.out.put_byte(vr >> 8)
        if form == VR_SHORT:
            if length > 0xFFFF:
                raise DeidError(f"{named(tag)} would have more bytes than its VR allows", tag=tag)
            self.out.put16(<uint16_t>length, big)
            return self.out.size - 2
        self.out.put16(0, big)
        self.out.put32(<uint32_t>length, big)
        return self.out.size - 4

    cdef int put_bytes(self, Frame* f, const Row* r, const uint8_t* p, Py_ssize_t n) except -1:
        # Write the element with another value, padded to even length.
        cdef uint16_t vr = r.vr
        self.put_header(r.tag, r, vr, n + (n & 1), f.big)
        self.out.put(p, n)
        if n & 1:
            self.out.put_byte(32 if is_text(vr) and vr != UI else 0)
        return 0

    cdef int replace(self, Frame* f, const Row* r, bytes value) except -1:
        return self.put_bytes(f, r, <const uint8_t*>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))

    cdef bytes value_of(self, const Row* r):
        cdef const uint8_t* p
        _owner = self.index.source.hold(r.offset, r.length, &p)
        return PyBytes_FromStringAndSize(<const char*>p, <Py_ssize_t>r.length)

    # -- levels

    cdef Frame* push(self) except NULL:
        cdef Frame* longer
        if self.depth + 1 >= self.room:
            longer = <Frame*>realloc(self.frames, (2 * self.room + 16) * sizeof(Frame))
            if longer == NULL:
                raise MemoryError("no memory for the levels of a data set")
            self.frames, self.room = longer, 2 * self.room + 16
        self.depth += 1
        return &self.frames[self.depth]

    cdef int open(self, Py_ssize_t row, uint32_t level, uint8_t how, Index late) except -1:
        # Begin the items of a sequence, or the elements of an item. `late` is the index of a sequence whose items were
        # not indexed with the data set.
        cdef const Row* r = &self.index.rows[row]
        cdef Frame* around = &self.frames[self.depth]
        cdef Frame* f
        cdef bint big = around.big, at_item = r.tag == ITEM, delimited
        cdef Py_ssize_t at = NOWHERE
        delimited = r.flags & UNDEFINED and r.flags & CONTAINER and not r.flags & CLIPPED
        if delimited and self.is_plain(r):
            self.keep(r.offset - r.header, r.offset)
        else:
            at = self.put_header(r.tag, r, r.vr, UNDEFINED_LENGTH if delimited else 0, big)
            if delimited:
                at = NOWHERE
        f = self.push()
        around = f - 1
        f.length_at, f.begun, f.end = at, self.out.total(), r.offset + r.length
        f.level, f.how, f.items, f.big = level, how, not at_item, big
        f.tag = around.tag if at_item else r.tag
        f.block, f.creator, f.overlay, f.overlay_gone = 0, NOWHERE, 0, False
        if at_item:
            f.big = (r.flags & BIG_ENDIAN) != 0
        f.index = around.index
        if late is not None:
            f.index = len(self.indices)
            self.indices.append(late)
            self.index = late
            f.first, f.stop = 1, late.count
        else:
            f.first, f.stop = row + 1, r.next
        f.row = f.first
        if f.items and f.first < f.stop:
            f.big = (self.index.rows[f.first].flags & BIG_ENDIAN) != 0
        return 0

    cdef int close(self) except -1:
        # End the present level: write its delimiter, or its length.
        cdef Frame* f = &self.frames[self.depth]
        cdef uint32_t delimiter = <uint32_t>SEQUENCE_DELIMITER if f.items else <uint32_t>ITEM_DELIMITER
        cdef uint64_t length
        cdef bint big = (f - 1).big if not f.items else f.big
        if f.length_at == NOWHERE:
            if self.has_delimiter(f.end, delimiter, big):
                self.keep(f.end, f.end + 8)
            else:
                self.flush()
                self.out.put_tag(delimiter, big)
                self.out.put32(0, big)
        else:
            self.flush()
            length = self.out.total() - f.begun
            if length >= <uint64_t>UNDEFINED_LENGTH:
                raise DeidError(f"{named(f.tag)} has {length} bytes, too many for a length field", tag=f.tag)
            self.patch(f, length)
        self.depth -= 1
        self.index = <Index>self.indices[self.frames[self.depth].index]
        return 0

    cdef int patch(self, Frame* f, uint64_t length) except -1:
        cdef bint big = (f - 1).big
        self.out.patch32(f.length_at, <uint32_t>length, big)
        return 0

    cdef bint has_delimiter(self, uint64_t at, uint32_t delimiter, bint big) except -1:
        cdef const uint8_t* p
        cdef uint32_t tag
        if self.index.source.size < 8 or at > self.index.source.size - 8:
            return False
        _owner = self.index.source.hold(at, 8, &p)
        tag = load_be32(p) if big else <uint32_t>load_le16(p) << 16 | load_le16(p + 2)
        return tag == delimiter and load_le32(p + 4) == 0

    # -- the walk

    cdef int run(self) except -1:
        cdef Frame* f
        cdef const Row* r
        cdef Py_ssize_t row
        while True:
            f = &self.frames[self.depth]
            if f.row >= f.stop:
                if self.depth == 0:
                    self.mark(0xFFFFFFFF)
                    self.flush()
                    return 0
                self.close()
                continue
            row = f.row
            r = &self.index.rows[row]
            f.row = r.next
            if f.items:
                self.item(f, row, r)
            else:
                if self.depth == 0 and self.next_mark < len(self.marks) and self.mark(r.tag):
                    continue
                self.element(f, row, r)
        return 0

    cdef int item(self, Frame* f, Py_ssize_t row, const Row* r) except -1:
        cdef uint8_t how = f.how
        if how & STRUCTURED and has_content_items(f.tag):
            how = self.content_item(f, row, r)
            if how == 0xFF:
                return 0
        return self.open(row, f.level, how, None)

    cdef uint8_t content_item(self, Frame* f, Py_ssize_t row, const Row* r) except 0xFE:
        # What becomes of a content item: 0xFF if it is removed, else how its elements are handled.
        letter = self.patient_of().content_item(self.index, row)
        if letter == "X":
            self.log.add(f.tag, REMOVE, CONTENT)
            return 0xFF
        if letter == "K":
            return STRUCTURED
        if letter == "C":
            return STRUCTURED | CLEANED
        self.log.add(f.tag, DUMMY, CONTENT)
        return STRUCTURED | DUMMIES

    cdef int element(self, Frame* f, Py_ssize_t row, const Row* r) except -1:
        cdef uint32_t tag = r.tag
        cdef const Slot* slot
        cdef uint16_t vr
        cdef uint8_t action, rule = TABLE
        if tag >> 16 < FIRST_GROUP:
            self.log.add(tag, REMOVE, STRUCTURE)
            return 0
        if tag & 0x10000:
            return self.private_element(f, row, r)
        slot = slot_for(self.rules.slots, tag)
        action = slot.action
        if tag == self.pixels and self.pixels and self.depth == 0:
            self.log.add(tag, CLEAN, PIXELS)
            return self.put_pixels(f, r)
        if action == NO_ACTION:
            if tag & 0xFFFF == 0 or tag >> 16 >= 0xFFFC:
                self.log.add(tag, REMOVE, STRUCTURE)
                return 0
            if tag >> 24 == 0x50 or tag >> 24 == 0x60:
                return self.repeating_element(f, row, r)
            if self.rules.unknown_removed and not self.is_known(f, tag):
                self.log.add(tag, REMOVE, UNKNOWN)
                return 0
            if r.flags & FRAGMENTS:
                return self.fragments(f, row, r)
            vr = self.vr_of(r, row, 0)
            if vr == SQ or r.flags & CONTAINER:
                return self.sequence(f, row, self.how_in(f.how, tag), -1)
            if is_prose(vr) and self.is_misplaced(tag):
                self.log.add(tag, REMOVE, UNREAD)
                return 0
            if not (vr == UI or vr == PN or vr == UN or f.how or is_time(vr)) and (
                    not self.rules.descriptors or not (is_prose(vr) or vr == CS)):
                return self.keep_any(f, row, r)
            if vr == UN:
                return self.untyped(f, row, r)
            action = self.net(f, tag, vr)
            if action == KEEP:
                return self.keep_any(f, row, r)
            rule = NET
            return self.act(f, row, r, action, X_Z_D, rule, vr, 0)
        vr = self.vr_of(r, row, slot.vr)
        return self.act(f, row, r, action, slot.basic, slot.rule, vr, slot.number)

    cdef bint is_known(self, Frame* f, uint32_t tag) noexcept:
        cdef const Level* level
        if f.level == NO_LEVEL:
            return False
        level = &self.types.levels[f.level]
        return slot_of(self.types.slots, level, tag) < level.slot_count

    cdef uint8_t how_in(self, uint8_t how, uint32_t tag) noexcept nogil:
        # How the items of a sequence are handled that no row names: names and units of content items stay.
        if tag == CONCEPT_NAME or tag == UNITS:
            return AS_USUAL
        if self.rules.structured and has_content_items(tag):
            return STRUCTURED | CLEANED
        return how

    cdef uint16_t vr_of(self, const Row* r, Py_ssize_t row, uint16_t told) except? 0xFFFF:
        cdef uint16_t vr = r.vr
        if r.flags & IMPLICIT or vr == UN or vr_form(vr) == VR_UNKNOWN:
            if told and not r.flags & CONTAINER:
                return told
            return resolve_vr(self.index, row)
        return vr

    cdef uint8_t net(self, Frame* f, uint32_t tag, uint16_t vr) noexcept nogil:
        # The action of an element that no row names, by its VR and the sequence around it.
        if vr == UI:
            return KEEP if names_class(tag) else self.rules.net_uid
        if f.how & DUMMIES and (is_prose(vr) or is_time(vr) or vr == DS or vr == IS or vr == OB):
            return DUMMY
        if vr == PN:
            return self.rules.net_name
        if is_time(vr):
            return self.rules.net_date
        if f.how & RETAINED or not (is_prose(vr) or vr == CS) or names_code(tag):
            return KEEP
        return CLEAN if self.rules.descriptors or (f.how & CLEANED and vr != CS) else KEEP

    cdef int act(self, Frame* f, Py_ssize_t row, const Row* r, uint8_t action, uint8_t basic, uint8_t rule, uint16_t vr,
                 uint16_t number) except -1:
        cdef uint32_t child = NO_LEVEL
        cdef int kind = 0
        cdef bint walked = action == X_Z_U
        if action == EMPTY or action >= X_Z:
            kind = self.kind_of(f, r.tag, &child)
            action = settled(action, kind)
        if action == CLEAN and (vr != SQ and not self.is_cleanable(r.tag, vr)):
            action = settled(basic, self.kind_of(f, r.tag, &child))
        if action == REMOVE:
            self.log.add(r.tag, REMOVE, rule)
            return 0
        if vr == SQ or (r.flags & (CONTAINER | FRAGMENTS)) == CONTAINER:
            return self.sequence_by(f, row, r, action, rule, walked)
        if action == KEEP:
            self.log.add(r.tag, KEEP, rule)
            return self.keep_any(f, row, r)
        if r.length == 0:
            return self.keep_any(f, row, r)
        if rule != NET or action != CLEAN:
            self.log.add(r.tag, action, rule)
        if action == EMPTY:
            return self.put_bytes(f, r, NULL, 0)
        if action == DUMMY:
            return self.dummy(f, r, vr)
        if action == MAP:
            return self.map_uid(f, r)
        if action == CALL:
            return self.call(f, row, r, vr, number)
        return self.by_mapping(f, row, r, action, basic, rule, vr)

    cdef int kind_of(self, Frame* f, uint32_t tag, uint32_t* child) noexcept:
        return type_at(self.types, f.level, tag, child) if self.types is not None else 0

    cdef bint is_cleanable(self, uint32_t tag, uint16_t vr) noexcept nogil:
        return is_time(vr) or is_prose(vr) or vr == CS or tag == TIMEZONE

    cdef bint is_misplaced(self, uint32_t tag) noexcept nogil:
        # Whether text stands in the place of numbers or bytes.
        cdef uint16_t vr = public_vr(tag)
        return vr != NO_VR and not is_text(vr) and vr != DS and vr != IS and vr != UN

    cdef int fragments(self, Frame* f, Py_ssize_t row, const Row* r) except -1:
        # Only pixel data may be encapsulated (PS3.5 A.4).
        if r.tag == PIXEL_DATA:
            return self.keep_any(f, row, r)
        self.log.add(r.tag, REMOVE, UNREAD)
        return 0

    cdef int keep_any(self, Frame* f, Py_ssize_t row, const Row* r) except -1:
        # Copy an element as it stands; of encapsulated pixel data each fragment.
        cdef Py_ssize_t i
        cdef const Row* part
        cdef bint big = (r.flags & BIG_ENDIAN) != 0
        if not r.flags & CONTAINER:
            return self.keep_element(f, r)
        if self.is_plain(r):
            self.keep(r.offset - r.header, r.offset)
        else:
            self.put_header(r.tag, r, r.vr, UNDEFINED_LENGTH, f.big)
        i = row + 1
        while i < r.next:
            part = &self.index.rows[i]
            if part.flags & CLIPPED:
                raise DeidError(f"{named(r.tag)} is damaged", tag=r.tag)
            self.keep(part.offset - part.header, part.offset + part.length)
            i = part.next
        if self.has_delimiter(r.offset + r.length, SEQUENCE_DELIMITER, big):
            return self.keep(r.offset + r.length, r.offset + r.length + 8)
        self.flush()
        self.out.put_tag(SEQUENCE_DELIMITER, big)
        self.out.put32(0, big)
        return 0

    cdef int put_pixels(self, Frame* f, const Row* r) except -1:
        # Write the new value of the pixel data: bytes, and stretches of the old value.
        cdef uint64_t size = self.cleaned.size
        cdef bint open = self.cleaned.is_encapsulated
        cdef uint64_t begin, length
        cdef str vr = self.cleaned.vr
        if size + (size & 1) >= <uint64_t>UNDEFINED_LENGTH and not open:
            raise DeidError(f"{named(r.tag)} has {size} bytes, too many for its length", tag=r.tag)
        self.put_header(r.tag, r, <uint16_t>(ord(vr[0]) | ord(vr[1]) << 8),
                        <uint64_t>UNDEFINED_LENGTH if open else size + (size & 1), f.big)
        for part in self.cleaned.parts():
            if isinstance(part, bytes):
                self.out.put_object(part)
                continue
            begin, length = part.offset, part.length
            if begin > self.index.source.size - r.offset or length > self.index.source.size - r.offset - begin:
                raise DeidError(f"{named(r.tag)} is shorter than it was", tag=r.tag)
            self.out.put_source(self.index.source, r.offset + begin, length)
        if open:
            self.out.put_tag(SEQUENCE_DELIMITER, f.big)
            self.out.put32(0, f.big)
        elif size & 1:
            self.out.put_byte(0)
        return 0

    # -- sequences

    cdef int sequence_by(self, Frame* f, Py_ssize_t row, const Row* r, uint8_t action, uint8_t rule,
                         bint walked) except -1:
        # A sequence that a row names; it is not removed. If it is `walked`, only the UIDs in it are replaced.
        cdef uint8_t how = AS_USUAL
        self.log.add(r.tag, action, rule)
        if action == EMPTY:
            return self.empty_sequence(f, r)
        if action == CALL:
            return 0
        if action == CLEAN:
            how = CLEANED
            if self.rules.structured and r.tag >> 16 == 0x0040:
                how = STRUCTURED | CLEANED
        elif action == KEEP:
            how = RETAINED
        elif not walked:
            how = DUMMIES       # also of an attribute that should have another VR
        return self.sequence(f, row, how, rule)

    cdef int empty_sequence(self, Frame* f, const Row* r) except -1:
        self.put_header(r.tag, r, r.vr, 0, f.big)
        return 0

    cdef int sequence(self, Frame* f, Py_ssize_t row, uint8_t how, int rule) except -1:
        cdef const Row* r = &self.index.rows[row]
        cdef uint32_t child = NO_LEVEL
        cdef Index late = None
        if self.types is not None:
            type_at(self.types, f.level, r.tag, &child)
        if not r.flags & CONTAINER:
            if r.length == 0:
                return self.keep_element(f, r)
            late = self.opened(row)
            if late is None:
                self.log.add(r.tag, REMOVE, UNREAD)
                return 0
        return self.open(row, child, how, late)

    cdef Index opened(self, Py_ssize_t row):
        # The index of a value that is a sequence; None if it cannot be read as one, wholly.
        cdef Index late = open_value(self.index, row)
        cdef Py_ssize_t i
        if late.count < 2:
            return None
        for i in range(late.scanner.deviation_count):
            if late.scanner.deviations[i].code == LENGTH_BEYOND_END:
                return None
        return late

    cdef int untyped(self, Frame* f, Py_ssize_t row, const Row* r) except -1:
        # An element whose VR nothing tells: it stays only if it is a sequence, and its items are walked.
        if r.length == 0:
            return self.keep_any(f, row, r)
        if self.begins_item(r):
            return self.sequence(f, row, f.how, UNREAD)
        self.log.add(r.tag, REMOVE, UNREAD)
        return 0

    cdef bint begins_item(self, const Row* r) except -1:
        cdef const uint8_t* p
        if r.length < 8:
            return False
        _owner = self.index.source.hold(r.offset, 4, &p)
        return load_le32(p) == <uint32_t>0xE000FFFE or load_be32(p) == <uint32_t>ITEM

    # -- private elements, overlays and curves

    cdef int private_element(self, Frame* f, Py_ssize_t row, const Row* r) except -1:
        cdef uint32_t tag = r.tag, low = tag & 0xFFFF
        cdef const Slot* slot = slot_for(self.rules.slots, tag)
        cdef const PrivateRow* safe = NULL
        cdef uint16_t vr
        cdef uint8_t action
        if slot.action != NO_ACTION:
            return self.act(f, row, r, slot.action, slot.basic, slot.rule, self.vr_of(r, row, slot.vr), slot.number)
        if (self.rules.private_count or self.rules.own_private) and tag >> 16 > 8 and low >= 0x10:
            if low <= 0xFF:
                if self.is_needed(f, r):
                    self.log.add(tag, KEEP, PRIVATE_RULE)
                    return self.keep_element(f, r)
            elif low >= 0x1000:
                safe = self.rules.find_private(self.creator_of(f, tag), tag)
        if safe == NULL:
            self.log.add(tag, REMOVE, PRIVATE_RULE)
            return 0
        vr = self.vr_of(r, row, safe.vr)
        action = self.private_action(safe.what, vr)
        if vr == UN and (r.flags & CONTAINER or self.begins_item(r)):
            vr = SQ
        if vr == SQ:
            self.log.add(tag, KEEP, PRIVATE_RULE)
            return self.sequence(f, row, AS_USUAL, PRIVATE_RULE)
        return self.act(f, row, r, action, REMOVE, PRIVATE_RULE, vr, 0)

    cdef uint8_t private_action(self, uint8_t what, uint16_t vr) noexcept nogil:
        # Of a private element that is safe; dates and UIDs in it follow the options as others do.
        cdef uint8_t action
        if vr == UI or what == c"h":
            return self.rules.net_uid
        if is_time(vr) or what == c"o":
            action = self.rules.net_date
            return REMOVE if action >= X_Z else action
        if vr == PN:
            return REMOVE
        if self.rules.descriptors and is_prose(vr):
            return CLEAN
        return KEEP

    cdef int creator_of(self, Frame* f, uint32_t tag) except? -2:
        # The number of the creator of a private element's block, NOWHERE if the plan does not know it.
        cdef uint32_t block = (tag & 0xFFFF0000) | (tag >> 8 & 0xFF)
        cdef Py_ssize_t i
        if f.block != block:
            f.block, f.creator = block, NOWHERE
            i = self.index.find(f.first, f.stop, block)
            if i >= 0:
                f.creator = self.creator_at(&self.index.rows[i])
        return f.creator

    cdef int creator_at(self, const Row* r) except? -2:
        if r.length > 128:
            return NOWHERE
        return self.rules.creators.get(self.value_of(r).strip(b" \0"), NOWHERE)

    cdef bint is_needed(self, Frame* f, const Row* r) except -1:
        # Whether any element of a creator's block stays.
        cdef int creator = self.creator_at(r)
        cdef Py_ssize_t i = f.row
        cdef const Row* other
        cdef const PrivateRow* safe
        if creator < 0 and not self.rules.own_private:
            return False
        while i < f.stop:
            other = &self.index.rows[i]
            if other.tag >> 16 == r.tag >> 16 and (other.tag >> 8 & 0xFF) == (r.tag & 0xFF):
                if self.rules.own_private and slot_for(self.rules.slots, other.tag).action not in (NO_ACTION, REMOVE):
                    return True
                safe = self.rules.find_private(creator, other.tag)
                if safe != NULL and self.private_action(safe.what, self.vr_of(other, i, safe.vr)) != REMOVE:
                    return True
            i = other.next
        return False

    cdef int repeating_element(self, Frame* f, Py_ssize_t row, const Row* r) except -1:
        # Curves, and overlays: an overlay without its data is no overlay, so that all of its group goes with them.
        cdef uint32_t tag = r.tag, group = tag & 0xFFFF0000, low = tag & 0xFFFF
        cdef uint16_t vr = self.vr_of(r, row, 0)
        if tag >> 24 == 0x50:
            if self.rules.curves == REMOVE:
                self.log.add(tag, REMOVE, GRAPHICS)
                return 0
            if is_prose(vr):
                return self.act(f, row, r, CLEAN, REMOVE, GRAPHICS, vr, 0)
            return self.keep_any(f, row, r)
        if f.overlay != group:
            f.overlay = group
            f.overlay_gone = self.is_overlay_gone(f, group)
        if f.overlay_gone or (low == 0x4000 and self.rules.overlay_text == REMOVE):
            self.log.add(tag, REMOVE, GRAPHICS)
            return 0
        if is_prose(vr) and self.rules.overlay_text == CLEAN:
            return self.act(f, row, r, CLEAN, REMOVE, GRAPHICS, vr, 0)
        if low == 0x3000:
            self.log.add(tag, CLEAN, GRAPHICS)
            return self.replace(f, r, self.planes)
        return self.keep_any(f, row, r)

    cdef bint is_overlay_gone(self, Frame* f, uint32_t group) except -1:
        # Whether a group of overlays goes: its planes are not kept, or cannot be cleaned. What is cleaned waits in
        # `planes` for its place.
        cdef Py_ssize_t i = self.index.find(f.first, f.stop, group | 0x3000)
        if i < 0:
            return False
        if self.rules.overlays == REMOVE or self.index.rows[i].flags & CONTAINER or self.index.rows[i].length == 0:
            return True
        self.planes = self.mapping.planes(
            self.value_of(&self.index.rows[i]), self.number_at(f, group | 0x10), self.number_at(f, group | 0x11),
            max(self.number_at(f, group | 0x15), 1), f.big and self.index.rows[i].vr != OB,
        )
        return self.planes is None

    cdef int number_at(self, Frame* f, uint32_t tag) except -1:
        # A number of the present level, 0 if there is none.
        cdef Py_ssize_t i = self.index.find(f.first, f.stop, tag)
        cdef const uint8_t* p
        cdef const Row* r
        if i < 0:
            return 0
        r = &self.index.rows[i]
        if r.vr == IS or tag & 0xFFFF == 0x15:
            text = self.value_of(r).strip(b" \0") if r.length <= 12 else b""
            return int(text) if text.isdigit() and len(text) < 7 else 1
        if r.length != 2:
            return 0
        _owner = self.index.source.hold(r.offset, 2, &p)
        return p[0] << 8 | p[1] if f.big else load_le16(p)

    # -- other values

    cdef int dummy(self, Frame* f, const Row* r, uint16_t vr) except -1:
        # A value that its VR allows and that says nothing.
        cdef const char* text = NULL
        cdef Py_ssize_t n
        if r.tag == SCHEME:
            text = "99ANON"
        elif vr == DA:
            text = "19000101"
        elif vr == DT:
            text = "19000101000000"
        elif vr == TM:
            text = "000000"
        elif vr == DS or vr == IS:
            text = "1"
        elif vr == AS:
            text = "000Y"
        elif vr == UR:
            text = "urn:anonymized"
        elif vr == CS:
            text = "ANONYMIZED"
        elif vr == UI:
            return self.map_uid(f, r)
        elif is_text(vr):
            text = "ANONYMIZED"
        if text != NULL:
            n = 0
            while text[n]:
                n += 1
            return self.put_bytes(f, r, <const uint8_t*>text, n)
        n = word_size(vr)
        if is_number(vr) or vr == AT:
            n = <Py_ssize_t>min(r.length, <uint64_t>4096)
        n = max(n + (n & 1), <Py_ssize_t>2)
        self.put_header(r.tag, r, r.vr, n, f.big)
        for _ in range(n):
            self.out.put_byte(0)
        return 0

    cdef int map_uid(self, Frame* f, const Row* r) except -1:
        cdef bytes given = self.value_of(r)
        cdef PyObject* found = PyDict_GetItem(self.uids, given)
        cdef bytes made = <bytes>found if found != NULL else <bytes>self.uids[given]
        if made is given or made == given:
            return self.keep_element(f, r)
        return self.replace(f, r, made)

    cdef int by_mapping(self, Frame* f, Py_ssize_t row, const Row* r, uint8_t action, uint8_t basic, uint8_t rule,
                        uint16_t vr) except -1:
        cdef bytes given = self.value_of(r)
        cdef uint32_t child
        cdef int kind
        if action == NAME:
            made = self.patient_of().pseudonym(r.tag)
        elif action == AGE:
            made = self.mapping.age(given)
        elif is_time(vr) or r.tag == TIMEZONE:
            made = self.patient_of().date(given, vr_name(vr), r.tag)
        else:
            made = self.patient_of().element(given, vr_name(vr), charset_at(self.index, row))
        if made is None:
            kind = self.kind_of(f, r.tag, &child)
            action = settled(<uint8_t>X_Z_D if kind == 1 or kind == 2 else basic, kind)
            self.log.add(r.tag, action, rule)
            if action == DUMMY:
                return self.dummy(f, r, vr)
            if action == EMPTY:
                return self.put_bytes(f, r, NULL, 0)
            return 0
        if made is given or made == given:
            return self.keep_element(f, r)
        if rule == NET and action == CLEAN:
            self.log.add(r.tag, action, rule)
        return self.replace(f, r, made)

    cdef object patient_of(self):
        # What the façade knows of this file's patient.
        if self.patient is None:
            index = <Index>self.indices[0]
            self.patient = self.mapping.patient(self.text_of(ISSUER), self.text_of(PATIENT_ID), self.study, index)
        return self.patient

    cdef str text_of(self, uint32_t tag):
        # The text of an element of the root, "" without one.
        cdef Index index = <Index>self.indices[0]
        cdef Py_ssize_t row = index.find(index.meta_count, index.count, tag)
        if row < 0 or index.rows[row].flags & CONTAINER or index.rows[row].length > 1024:
            return ""
        value = decode(index, row, LO)
        return "\\".join(map(str, value)) if isinstance(value, list) else str(value or "")

    cdef int call(self, Frame* f, Py_ssize_t row, const Row* r, uint16_t vr, uint16_t number) except -1:
        # A function of the caller makes the value, or None to remove the element.
        cdef Output part = Output()
        made = self.rules.functions[number](decode(self.index, row, vr))
        if made is None:
            return 0
        put_value(part, vr, made, f.big, f.big, charset_at(self.index, row))
        return self.replace(f, r, part.whole())

    cdef bint mark(self, uint32_t tag) except -1:
        # Write the marks whose place is in front of an element with this tag; whether one takes its place.
        cdef bint implicit = (self.index.mode & IMPLICIT) != 0, big = (self.index.mode & BIG_ENDIAN) != 0, taken = False
        cdef uint32_t own
        while self.next_mark < len(self.marks):
            own = self.marks[self.next_mark][0]
            if own > tag:
                break
            taken = own == tag
            self.flush()
            put_whole(self.out, <bytes>self.marks[self.next_mark][1 if implicit else 3 if big else 2])
            self.next_mark += 1
        if taken:
            self.log.add(tag, REMOVE, STRUCTURE)
        return taken


cdef int put_whole(Output out, bytes data) except -1:
    return out.put(<const uint8_t*>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef bytes head_of(bytes sop_class, bytes instance, bytes syntax, bytes implementation):
    # Preamble and file meta information (PS3.10 7.1).
    cdef bytes body = b"\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01"
    if sop_class:
        body += uid_element(b"\x02\0", sop_class)
    if instance:
        body += uid_element(b"\x03\0", instance)
    body += uid_element(b"\x10\0", syntax)
    body += implementation
    return bytes(128) + b"DICM\x02\0\0\0UL\x04\0" + len(body).to_bytes(4, "little") + body


cdef bytes uid_element(bytes element, bytes value):
    value = value.strip(b" \0")
    value += b"\0" * (len(value) & 1)
    return b"\x02\0" + element + b"UI" + len(value).to_bytes(2, "little") + value


cdef int check_whole(Index index) except -1:
    # Refuse an input that is cut short, in a value or in a header.
    cdef Py_ssize_t i
    cdef uint32_t code
    cdef bint suspicious = False
    cdef const Row* r
    for i in range(index.scanner.deviation_count):
        code = index.scanner.deviations[i].code
        suspicious |= (code == LENGTH_BEYOND_END or code == MISSING_ITEM_DELIMITER
                       or code == MISSING_SEQUENCE_DELIMITER)
        if code == TRAILING_BYTES and is_header_begun(index, index.scanner.deviations[i].offset):
            raise DeidError("the input is cut short in the header of an element")
    if suspicious:
        for i in range(last_row(index)):
            r = &index.rows[i]
            if r.offset + r.length == index.source.size and (
                    r.flags & CLIPPED or (r.flags & UNDEFINED and r.flags & CONTAINER)):
                raise DeidError(f"the input is cut short in {named(r.tag)}", tag=r.tag)
    return 0


cdef Py_ssize_t last_row(Index index) noexcept:
    # The row behind the last one that counts. Behind the pixel data bytes that are no element may be taken for one that
    # breaks off.
    cdef Py_ssize_t i = index.find(index.meta_count, index.count, PIXEL_DATA), last = index.count
    cdef const Row* r
    if i < 0:
        return last
    i = index.rows[i].next
    while i < index.count:
        r = &index.rows[i]
        last = i
        i = r.next
    if last < index.count:
        r = &index.rows[last]
        if r.flags & CLIPPED and r.offset + r.length == index.source.size:
            return last
    return index.count


cdef bint is_header_begun(Index index, uint64_t offset) except -1:
    # Whether the bytes from `offset` to the end of the input may be the beginning of an element: they are not only
    # zeros, and no pixel data, which is mostly the last element, is in front of them.
    cdef const uint8_t* p
    cdef uint64_t left = index.source.size - offset, i
    if left >= 8 or index.find(index.meta_count, index.count, PIXEL_DATA) >= 0:
        return False
    _owner = index.source.hold(offset, left, &p)
    for i in range(left):
        if p[i]:
            return True
    return False


cdef bytes root_value(Index index, uint32_t tag, Py_ssize_t first, Py_ssize_t stop):
    cdef Py_ssize_t row = index.find(first, stop, tag)
    cdef const uint8_t* p
    cdef const Row* r
    if row < 0:
        return b""
    r = &index.rows[row]
    if r.flags & CONTAINER or r.length > 256:
        return b""
    _owner = index.source.hold(r.offset, r.length, &p)
    return PyBytes_FromStringAndSize(<const char*>p, <Py_ssize_t>r.length)


def redact(Index index not None, Rules rules not None, object mapping, Output head not None, Output body not None, *,
           bytes syntax not None, bytes implementation not None, tuple marks not None, uint32_t pixels=0,
           object cleaned=None):
    """Write a de-identified file into `head` and `body`, which may be the same Output; returns the log.

    `mapping` maps what has to be mapped; `syntax` is the transfer syntax of the output, `implementation` the elements
    of file meta information that name the writer. `marks` are elements of the root that say what was done: tag, and
    bytes in implicit VR, explicit VR and explicit VR big endian, none to leave it out. `cleaned` is the new value of
    the element `pixels`.
    """
    cdef Redactor w = Redactor.__new__(Redactor)
    cdef Frame* f
    cdef bytes sop_class, instance, study
    index.finish()
    check_whole(index)
    w.index, w.indices, w.rules, w.mapping, w.out, w.log = index, [index], rules, mapping, body, Log.__new__(Log)
    w.marks, w.pixels, w.cleaned = marks, pixels, cleaned
    sop_class = root_value(index, SOP_CLASS, index.meta_count, index.count) or root_value(
        index, 0x00020002, 0, index.meta_count)
    instance = root_value(index, SOP_INSTANCE, index.meta_count, index.count) or root_value(
        index, 0x00020003, 0, index.meta_count)
    study = root_value(index, STUDY_INSTANCE, index.meta_count, index.count)
    sop_class = sop_class.strip(b" \0")
    w.types = rules.types_of(sop_class)
    mapping.check(sop_class, w.types is not None)
    w.study = study
    w.uids = mapping.uids_of(study)
    if instance and slot_for(rules.slots, SOP_INSTANCE).action == MAP:
        instance = w.uids[instance]
    put_whole(head, head_of(sop_class, instance, syntax, implementation))
    w.depth = NOWHERE
    f = w.push()
    f.first = f.row = index.meta_count
    f.stop = last_row(index)
    if f.stop < index.count:
        w.log.add(index.rows[f.stop].tag, REMOVE, UNREAD)
    f.length_at, f.index, f.level = NOWHERE, 0, 0 if w.types is not None else NO_LEVEL
    f.begun, f.end, f.tag, f.block, f.creator, f.overlay = 0, 0, 0, 0, NOWHERE, 0
    f.how, f.items, f.overlay_gone, f.big = AS_USUAL, False, False, (index.mode & BIG_ENDIAN) != 0
    w.run()
    return w.log
