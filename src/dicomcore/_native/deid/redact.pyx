"""One pass over the rows of an index: elements that stay are copied by their own bytes, others are left out, emptied or
replaced (PS3.15 Annex E).
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from dicomcore._native.base.cursor cimport load_be32, load_le16, load_le32
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.vr cimport (
    CS, DS, IS, NO_VR, OB, PN, SQ, UI, UN, VR_SHORT, VR_UNKNOWN, is_text, vr_form,
)
from dicomcore._native.check.plan cimport NO_LEVEL, Level, slot_of
from dicomcore._native.deid.changer cimport Changer
from dicomcore._native.deid.copier cimport NOWHERE, Frame
from dicomcore._native.deid.facts cimport (
    CONCEPT_NAME, FIRST_GROUP, PATIENT_ID, SERIES_INSTANCE, SOP_CLASS, SOP_INSTANCE, STUDY_INSTANCE, TIMEZONE, UNITS,
    has_content_items, identifies, is_prose, is_time, names_class, names_code, settled, type_at,
)
from dicomcore._native.deid.log cimport Log
from dicomcore._native.deid.rules cimport (
    CALL, CLEAN, CONTENT, DUMMY, EMPTY, GRAPHICS, KEEP, MAP, NET, NO_ACTION, PIXELS, PRIVATE_RULE, REMOVE, STRUCTURE,
    TABLE, UNKNOWN, UNREAD, X_Z, X_Z_D, X_Z_U, PrivateRow, Rules, Slot, slot_for,
)
from dicomcore._native.deid.whole cimport check_whole, head_of, last_row, put_whole, root_value
from dicomcore._native.scan.index cimport Index, open_value
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN, CONTAINER, FRAGMENTS, IMPLICIT, ITEM, LENGTH_BEYOND_END, PIXEL_DATA, Row,
)
from dicomcore._native.views.decode cimport charset_at, resolve_vr
from dicomcore._native.write.output cimport Output

cdef enum How:                  # what a sequence makes of the elements in its items that no row names
    AS_USUAL = 0
    DUMMIES = 1                 # its values become dummies
    CLEANED = 2                 # its text is cleaned
    STRUCTURED = 4              # its items are content items
    RETAINED = 8                # its text stays: an option or the caller says so


cdef class Redactor(Changer):
    """The state of one pass."""

    cdef uint32_t pixels            # the tag of pixel data that was cleaned, 0: none
    cdef bytes planes               # of the present group of overlays
    cdef dict identity              # new values by tag
    cdef bint embedded              # there are overlays in the bits beside the samples

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
                if self.depth == 0:
                    if self.next_mark < len(self.marks) and self.mark(r.tag):
                        continue
                    if self.identity is not None and identifies(r.tag):
                        self.identifying_element(f, row, r)
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

    cdef int identifying_element(self, Frame* f, Py_ssize_t row, const Row* r) except -1:
        # An element of the root whose new value the caller wants to know.
        cdef uint32_t tag = r.tag
        cdef Py_ssize_t begun, header = 8
        self.flush()
        begun = self.out.size
        self.element(f, row, r)
        if self.depth:
            return 0
        self.flush()
        if self.out.size - begun > 8 and not r.flags & IMPLICIT and (
                vr_form(load_le16(self.out.buffer + begun + 4)) != VR_SHORT):
            header = 12
        if self.out.size - begun > header:
            self.identity[tag] = self.out.buffer[begun + header:self.out.size]
        return 0

    cdef str identity_text(self, uint32_t tag):
        # The new value of such an element.
        cdef bytes value = self.identity.get(tag, b"")
        cdef Py_ssize_t row
        if b"\x1b" not in value and value.isascii():
            return value.decode("ascii").strip(" \0")
        row = self.index.find(self.index.meta_count, self.index.count, tag)
        return "\\".join(charset_at(self.index, row).decode_values(value, "LO")[0])

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
            if self.is_worded(f, r, vr):
                return self.by_mapping(f, row, r, CLEAN, X_Z_D, NET, vr)
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
            return self.put_bytes(f, r, NULL, 0, vr)
        if action == DUMMY:
            return self.dummy(f, r, vr)
        if action == MAP:
            return self.map_uid(f, r)
        if action == CALL:
            return self.call(f, row, r, vr, number)
        return self.by_mapping(f, row, r, action, basic, rule, vr)

    cdef bint is_cleanable(self, uint32_t tag, uint16_t vr) noexcept nogil:
        return is_time(vr) or is_prose(vr) or vr == CS or tag == TIMEZONE

    cdef bint is_misplaced(self, uint32_t tag) noexcept nogil:
        # Whether text stands in the place of numbers or bytes.
        cdef uint16_t vr = public_vr(tag)
        return vr != NO_VR and not is_text(vr) and vr != DS and vr != IS and vr != UN

    cdef bint is_worded(self, Frame* f, const Row* r, uint16_t vr) except -1:
        # Whether a decimal or integer string has letters, so that it is cleaned as other text is.
        cdef const uint8_t* p
        cdef Py_ssize_t i, n
        if vr != DS and vr != IS or r.flags & CONTAINER or f.how & (DUMMIES | RETAINED):
            return False
        if not self.rules.descriptors and not f.how & CLEANED:
            return False
        n = <Py_ssize_t>r.length
        _owner = self.index.source.hold(r.offset, n, &p)
        for i in range(n):
            if p[i] >= 0x80 or (97 <= p[i] | 0x20 <= 122 and p[i] | 0x20 != 101):
                return True
        return False

    cdef int fragments(self, Frame* f, Py_ssize_t row, const Row* r) except -1:
        # Only pixel data may be encapsulated (PS3.5 A.4).
        if r.tag == PIXEL_DATA:
            return self.keep_any(f, row, r)
        self.log.add(r.tag, REMOVE, UNREAD)
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
        if is_prose(vr) and safe.vr and not is_prose(safe.vr) and safe.vr != UN:
            self.log.add(tag, REMOVE, UNREAD)       # text in the place of numbers is not what is known to be safe
            return 0
        if vr == UN and (r.flags & CONTAINER or self.begins_item(r)):
            vr = SQ
        if vr == SQ:
            self.log.add(tag, KEEP, PRIVATE_RULE)
            return self.sequence(f, row, AS_USUAL, PRIVATE_RULE)
        if action == KEEP and self.is_worded(f, r, vr):
            return self.by_mapping(f, row, r, CLEAN, REMOVE, PRIVATE_RULE, vr)
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
            return self.replace(f, r, self.planes, OB)
        return self.keep_any(f, row, r)

    cdef bint is_overlay_gone(self, Frame* f, uint32_t group) except -1:
        # Whether a group of overlays goes: its planes are not kept, or cannot be cleaned. What is cleaned waits in
        # `planes` for its place.
        cdef Py_ssize_t i = self.index.find(f.first, f.stop, group | 0x3000)
        if i < 0:                           # its plane may be in the bits beside the samples
            if self.rules.overlays == KEEP or self.depth or self.number_at(f, group | 0x102) == 0:
                return False
            self.embedded = True
            return True
        if self.rules.overlays == REMOVE or self.index.rows[i].flags & CONTAINER or self.index.rows[i].length == 0:
            return True
        self.planes = self.mapping.planes(
            self.value_of(&self.index.rows[i]), self.number_at(f, group | 0x10), self.number_at(f, group | 0x11),
            max(self.number_at(f, group | 0x15), 1), f.big and self.index.rows[i].vr != OB,
        )
        return self.planes is None


def redact(Index index not None, Rules rules not None, object mapping, Output head not None, Output body not None, *,
           bytes syntax not None, bytes implementation not None, tuple marks not None, uint32_t pixels=0,
           object cleaned=None, bint identity=False):
    """Write a de-identified file into `head` and `body`, which may be the same Output. Returns the log; with `identity`
    the new Patient ID, Study, Series and SOP Instance UID; and whether overlays are in the bits beside the samples.

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
    w.marks, w.pixels, w.cleaned, w.identity = marks, pixels, cleaned, {} if identity else None
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
    if not identity:
        return w.log, None, w.embedded
    return w.log, (w.identity_text(PATIENT_ID), w.identity_text(STUDY_INSTANCE), w.identity_text(SERIES_INSTANCE),
                   w.identity_text(SOP_INSTANCE)), w.embedded
