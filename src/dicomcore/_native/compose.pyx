"""A data set into bytes: what was not changed is copied as it stands, what was is encoded, and where the encoding
differs from the source's all is rewritten (PS3.5 7, Annex A).

One loop with its own stack of levels, as the scanner: a level is the elements of a data set, or the items of a
sequence. A level's rows are copied in runs, from the first byte of the first row to where the next row that isn't
copied begins, so that whatever stands between them stays too.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memmove

from dicomcore._native.cursor cimport load_be32, load_le32
from dicomcore._native.dataset cimport FILE_META, TOP_LEVEL, DataElement, DatasetBase, items_of_row
from dicomcore._native.decode cimport charset_at, has_charset, is_ascii, make_tag, resolve_vr
from dicomcore._native.dictionary cimport keyword_of_tag, public_vr
from dicomcore._native.encode cimport put_value, swap_width
from dicomcore._native.index cimport Index, open_value
from dicomcore._native.output cimport Output
from dicomcore._native.scan cimport (
    BIG_ENDIAN,
    CONTAINER,
    FRAGMENTS,
    IMPLICIT,
    ITEM,
    ITEM_DELIMITER,
    PIXEL_DATA,
    SEQUENCE_DELIMITER,
    SPECIFIC_CHARACTER_SET,
    UNDEFINED,
    UNDEFINED_LENGTH,
    Row,
)
from dicomcore._native.vr cimport *

from dicomcore.charset import DEFAULT_CHARSET, NAME_DELIMITERS, TEXT_DELIMITERS, VALUE_DELIMITERS, charset_for
from dicomcore.errors import EncodeError

cdef enum Kind:
    ELEMENTS = 0
    ITEMS               # data sets of a Sequence
    ROW_ITEMS           # items of a sequence that nobody changed, by their rows

cdef enum Lengths:
    AS_STOOD = 0
    DEFINED = 1
    OPEN = 2

cdef enum:
    NO_POSITION = -1
    BITS_ALLOCATED = 0x00280100
    PIXEL_REPRESENTATION = 0x00280103
    LUT_DESCRIPTOR = 0x00283002
    LUT_DATA = 0x00283006
    LARGEST_SHORT = 0xFFFF
    MODE = 3            # IMPLICIT | BIG_ENDIAN

cdef uint64_t NO_RUN = <uint64_t>-1
cdef object MISSING = object()


cdef class Level:
    cdef Level parent
    cdef int kind
    cdef DatasetBase data_set       # None where rows alone are known
    cdef Index index                # None: everything was made in memory
    cdef Py_ssize_t row, stop       # the next row, and the one behind the last
    cdef uint32_t* order            # rows in ascending order instead, which the data set holds; NULL: as they stand
    cdef Py_ssize_t place
    cdef dict changed               # tag -> DataElement, None for one deleted: what takes the place of a row
    cdef dict spots                 # tag -> row where a changed element is written
    cdef list added                 # elements without a row, ascending
    cdef Py_ssize_t next_added
    cdef list items
    cdef Py_ssize_t at              # position in items, or number of the item
    cdef uint8_t mode               # encoding of its rows
    cdef bint copies                # rows are copied as they stand
    cdef bint recodes               # text is to have another character set than in the source
    cdef bint held_big              # byte order of what was set as bytes
    cdef bint touched               # elements were changed: group lengths may be wrong
    cdef object charset             # in force for what is written; None: not looked up yet
    cdef uint64_t run               # first byte of rows that wait to be copied, or NO_RUN
    cdef Py_ssize_t length_at       # where the length field stands that is known at the end; NO_POSITION: undefined
    cdef bint delimited
    cdef uint64_t begun             # Output.total() at the content's begin
    cdef uint32_t tag               # the sequence's
    cdef Py_ssize_t group_at        # where the group length stands that is known at the group's end
    cdef uint64_t group_begun
    cdef uint32_t group

    def __cinit__(self):
        self.run = NO_RUN
        self.length_at = NO_POSITION
        self.group_at = NO_POSITION


cdef class Composer:
    cdef Output out
    cdef uint8_t mode               # wanted
    cdef bint encapsulated, repair
    cdef int lengths
    cdef object forced              # Charset in place of all that are stated
    cdef tuple terms
    cdef dict judged                # id of a sequence's element -> (element, whether it was changed)

    # -- what was changed

    cdef bint is_changed(self, DataElement element) except -1:
        # Whether the source's bytes no longer tell the element's value.
        if element.index is None or element.is_set:
            return True
        if not element.has_value:
            return False
        if element.vr != SQ:
            return element._changed
        known = self.judged.get(id(element))
        if known is None:
            self.judge(element)
            known = self.judged[id(element)]
        return known[1]

    cdef int judge(self, DataElement sequence) except -1:
        # Settle for a sequence that was handed out, and those in it, whether any of it was changed.
        cdef list waiting = [sequence], inside
        cdef DataElement element, found
        cdef bint changed
        while waiting:
            element = waiting[len(waiting) - 1]
            if id(element) in self.judged:
                waiting.pop()
                continue
            inside = []
            changed = not has_own_items(element)
            if not changed:
                for item in <list>element.held:
                    overlay = (<DatasetBase>item).elements
                    if not overlay:
                        continue
                    for tag, one in (<dict>overlay).items():
                        found = one
                        if found is None:
                            changed = (<DatasetBase>item).find_row(tag) >= 0
                        elif found.index is None or found.is_set or not found.has_value or found.vr != SQ:
                            changed = self.is_changed(found)
                        elif id(found) in self.judged:
                            changed = self.judged[id(found)][1]
                        else:
                            inside.append(found)
                        if changed:
                            break
                    if changed:
                        break
            if changed or not inside:
                self.judged[id(element)] = (element, changed)
                waiting.pop()
            else:
                waiting.extend(inside)
        return 0

    cdef bint item_changed(self, DatasetBase item) except -1:
        # The same for an item.
        if not item.elements:
            return False
        for tag, element in item.elements.items():
            if element is None:
                if item.find_row(tag) >= 0:
                    return True
            elif self.is_changed(element):
                return True
        return False

    # -- levels

    cdef Level open_elements(self, DatasetBase data_set, Level around, uint32_t tag):
        cdef Level level = Level.__new__(Level)
        cdef Index index = data_set.index
        level.parent = around
        level.kind = ELEMENTS
        level.data_set = data_set
        level.tag = tag
        level.index = index
        level.held_big = around.held_big if around is not None else (self.mode & BIG_ENDIAN) != 0
        if index is not None:
            if data_set.container >= 0:
                level.row = data_set.container + 1
                level.stop = index.known(data_set.container).next
                level.mode = index.rows[data_set.container].flags & MODE
            elif data_set.container == FILE_META:
                level.stop = index.meta_count
                level.mode = index.rows[0].flags & MODE if index.meta_count else 0
            else:
                level.row = index.meta_count
                level.stop = index.count
                level.mode = index.mode
            level.held_big = (level.mode & BIG_ENDIAN) != 0
        self.sort_changes(level)
        if self.repair and index is not None:
            data_set.complete()
            if data_set.arranged < 0:
                data_set.arrange()
            level.order = data_set.order
        level.recodes = self.recodes_here(level)
        level.copies = self.copies_here(level)
        if not level.copies and index is not None and data_set.container == TOP_LEVEL:
            data_set.complete()
            level.stop = index.count
        return level

    cdef bint copies_here(self, Level level):
        return (level.index is not None and level.mode == self.mode and not level.recodes
                and self.lengths == AS_STOOD and not self.repair)

    cdef int sort_changes(self, Level level) except -1:
        # Divide what lies over the rows into what takes a row's place and what has none.
        cdef DatasetBase data_set = level.data_set
        cdef DataElement element
        cdef Py_ssize_t row
        cdef uint32_t tag
        if self.forced is not None and level.parent is None and data_set.container != FILE_META:
            data_set.find(SPECIFIC_CHARACTER_SET)
        if not data_set.elements and self.forced is None:
            return 0
        overlay = dict(data_set.elements) if data_set.elements else {}
        if self.forced is not None and data_set.container != FILE_META:
            if level.parent is None or SPECIFIC_CHARACTER_SET in data_set:
                overlay[<uint32_t>SPECIFIC_CHARACTER_SET] = DataElement(SPECIFIC_CHARACTER_SET, "CS", list(self.terms))
        for tag in sorted(overlay):
            element = overlay[tag]
            if element is None:
                row = data_set.find_row(tag)
                if row < 0:
                    continue
            elif element.index is not None:
                if not self.is_changed(element):
                    continue
                row = element.row
            elif level.index is None:
                row = -1
            else:
                row = data_set.find_row(tag)
            level.touched = True
            if row < 0:
                if level.added is None:
                    level.added = []
                level.added.append(element)
            else:
                if level.changed is None:
                    level.changed = {}
                    level.spots = {}
                level.changed[tag] = element
                level.spots[tag] = row
        if level.added and level.index is not None and data_set.container == TOP_LEVEL:
            level.stop = level.index.count          # looking for rows may have made the scan go on
        return 0

    cdef bint recodes_here(self, Level level) except -1:
        # Whether the source's text has another character set than what is written.
        cdef Level around = level.parent
        cdef DatasetBase data_set = level.data_set
        if level.index is None or data_set.container == FILE_META or level.row >= level.stop:
            return False
        if self.forced is not None:
            return charset_at(level.index, level.row).names != self.forced.names
        if level.changed is not None and <uint32_t>SPECIFIC_CHARACTER_SET in level.changed or (
                level.added and (<DataElement>level.added[0]).number <= SPECIFIC_CHARACTER_SET
                and data_set.elements.get(<uint32_t>SPECIFIC_CHARACTER_SET) is not None):
            return self.charset_of(level).names != charset_at(level.index, level.row).names
        if around is None:
            return False
        if around.parent is not None and around.parent.index is level.index and not around.parent.recodes:
            return False                            # as around it: `around` is the sequence
        if data_set.find_row(SPECIFIC_CHARACTER_SET) >= 0:
            return False
        return self.charset_of(level).names != charset_at(level.index, level.row).names

    cdef object charset_of(self, Level level):
        # The Charset in force for what is written there (PS3.3 C.12.1.1.2).
        cdef list asked = []
        cdef Level here = level
        found = self.forced
        while found is None and here is not None:
            if here.charset is not None:
                found = here.charset
                break
            asked.append(here)
            if here.kind == ELEMENTS:
                if here.data_set is None:
                    if not here.recodes and here.row > 0:
                        found = charset_at(here.index, here.row - 1)
                        break
                elif here.data_set.container == FILE_META:
                    found = DEFAULT_CHARSET
                    break
                else:
                    terms = here.data_set.tag_value(SPECIFIC_CHARACTER_SET, MISSING)
                    if terms is not MISSING:
                        found = charset_for(terms_of(terms))
                        break
            here = here.parent
        if found is None:
            found = DEFAULT_CHARSET
        for here in asked:
            here.charset = found
        return found

    # -- headers

    cdef Py_ssize_t put_header(self, uint32_t tag, uint16_t vr, uint64_t length, bint is_long) except -1:
        # A header; gives the length field's place. The form is the VR's, or the long one where `is_long`.
        cdef bint big = (self.mode & BIG_ENDIAN) != 0
        self.out.put_tag(tag, big)
        if self.mode & IMPLICIT:
            self.out.put32(<uint32_t>length, big)
            return self.out.size - 4
        self.out.put_byte(vr & 0xFF)
        self.out.put_byte(vr >> 8)
        if is_long or vr_form(vr) != VR_SHORT:
            self.out.put16(0, big)
            self.out.put32(<uint32_t>length, big)
            return self.out.size - 4
        self.out.put16(<uint16_t>length, big)
        return self.out.size - 2

    cdef int set_length(self, Py_ssize_t at, uint32_t tag, uint16_t vr, uint64_t length) except -1:
        # The length of an element whose value has been put, at the place that put_header() gave.
        cdef bint big = (self.mode & BIG_ENDIAN) != 0
        cdef Output out = self.out
        if length >= UNDEFINED_LENGTH:
            raise EncodeError(too_long(tag, length))
        if self.mode & IMPLICIT or vr_form(vr) != VR_SHORT:
            out.patch32(at, <uint32_t>length, big)
            return 0
        if length <= LARGEST_SHORT:
            out.buffer[at + (1 if big else 0)] = length & 0xFF
            out.buffer[at + (0 if big else 1)] = length >> 8
            return 0
        # A value too long for its VR's length field has VR UN, which has a longer one (PS3.5 6.2.2). All of it is in
        # the buffer, as what is set is copied there where its VR has the short form.
        out.need(4)
        memmove(out.buffer + at + 6, out.buffer + at + 2, out.size - at - 2)
        out.size += 4
        out.buffer[at - 2] = b"U"
        out.buffer[at - 1] = b"N"
        out.buffer[at] = out.buffer[at + 1] = 0
        out.patch32(at + 2, <uint32_t>length, big)
        return 0

    cdef bint is_open(self, bint stood):
        # Whether a sequence or item gets undefined length, where it had or hadn't.
        return stood if self.lengths == AS_STOOD else self.lengths == OPEN

    # -- elements

    cdef int flush(self, Level level, uint64_t end) except -1:
        # Copy the rows that wait, up to byte `end`.
        if level.run != NO_RUN:
            self.out.put_source(level.index.source, level.run, end - level.run)
            level.run = NO_RUN
        return 0

    cdef Level elements(self, Level level):
        # Write elements until one opens a level, which is returned; None at the end.
        cdef Row* r
        cdef uint32_t tag
        cdef Py_ssize_t row
        cdef Level inside
        cdef DataElement element
        cdef bint plain = level.changed is None and level.added is None and level.order == NULL
        cdef bint chosen = level.data_set is not None and level.data_set.wanted is not None
        if plain and level.copies and not chosen:
            self.copy_all(level)
            return None
        while True:
            row = level.row
            if level.order != NULL:
                row = level.order[level.place] if level.place < level.data_set.arranged else level.stop
            if row >= level.stop:
                if level.next_added < (len(level.added) if level.added is not None else 0):
                    self.flush(level, end_of_row(level))
                    element = level.added[level.next_added]
                    level.next_added += 1
                    inside = self.put_element(level, element)
                    if inside is not None:
                        return inside
                    continue
                self.finish_elements(level)
                return None
            r = &level.index.rows[row]
            tag = r.tag
            if level.added is not None and level.next_added < len(level.added):
                element = level.added[level.next_added]
                if element.number < tag:
                    self.flush(level, r.offset - r.header)
                    level.next_added += 1
                    inside = self.put_element(level, element)
                    if inside is not None:
                        return inside
                    continue
            if level.order != NULL:
                level.place += 1
            else:
                level.row = r.next if not r.flags & CONTAINER else level.index.known(row).next
                r = &level.index.rows[row]
            if chosen and tag not in level.data_set.wanted:
                self.flush(level, r.offset - r.header)
                continue
            if level.changed is not None and tag in level.changed:
                self.flush(level, r.offset - r.header)
                element = level.changed[tag]
                if element is None or level.spots[tag] != row:
                    continue
                inside = self.put_element(level, element)
                if inside is not None:
                    return inside
                continue
            if level.copies and not (level.touched and tag & 0xFFFF == 0 and self.is_group_length(level, r)):
                if level.group_at >= 0 and tag >> 16 != level.group:
                    self.flush(level, r.offset - r.header)
                    self.close_group(level)
                if level.run == NO_RUN:
                    level.run = r.offset - r.header
                continue
            self.flush(level, r.offset - r.header)
            inside = self.convert(level, row)
            if inside is not None:
                return inside

    cdef int copy_all(self, Level level) except -1:
        # A level of which nothing was changed, at once: up to the end of what holds it.
        cdef Row* r
        if level.data_set is not None and level.data_set.container >= 0:
            r = level.index.known(level.data_set.container)
            self.out.put_source(level.index.source, r.offset, r.length)
        elif level.row < level.stop:
            r = &level.index.rows[level.row]
            level.run = r.offset - r.header
            level.row = level.stop
            self.finish_elements(level)
        elif level.parent is None and level.data_set.container == TOP_LEVEL:
            self.put_trailer(level, level.index.body)
        return 0

    cdef int finish_elements(self, Level level) except -1:
        # Behind the last element.
        cdef uint64_t end
        cdef bint at_top = level.data_set is not None and level.data_set.container == TOP_LEVEL
        if level.run != NO_RUN and at_top and not level.index.complete:
            self.flush(level, level.index.source.size)      # to the end, whatever it is
        elif level.copies and at_top and level.parent is None and level.data_set.wanted is None:
            end = end_of_row(level)
            self.flush(level, end)
            self.close_group(level)
            self.put_trailer(level, end)
        else:
            self.flush(level, end_of_row(level) if level.run != NO_RUN else 0)
        self.close_group(level)
        return 0

    cdef int put_trailer(self, Level level, uint64_t end) except -1:
        # What follows the last element, too little or too strange to be one.
        if not level.index.stop_before_pixels and level.index.scanner.pos >= level.index.source.size:
            self.out.put_source(level.index.source, end, level.index.source.size - end)
        return 0

    cdef bint is_group_length(self, Level level, Row* r):
        # Whether a group length must be counted anew: something of its group was changed.
        cdef uint32_t group = r.tag >> 16, tag
        cdef DataElement element
        if r.length != 4 or group == 2:
            return False
        if level.changed is not None:
            for tag in level.changed:
                if tag >> 16 == group:
                    return True
        if level.added is not None:
            for element in level.added:
                if element.number >> 16 == group:
                    return True
        return False

    cdef int put_group_length(self, Level level, uint32_t tag) except -1:
        self.put_header(tag, UL, 4, False)
        level.group_at = self.out.size
        self.out.put32(0, False)
        level.group_begun = self.out.total()
        level.group = tag >> 16
        return 0

    cdef int close_group(self, Level level) except -1:
        if level.group_at >= 0:
            self.out.patch32(level.group_at, <uint32_t>(self.out.total() - level.group_begun),
                             (self.mode & BIG_ENDIAN) != 0)
            level.group_at = NO_POSITION
        return 0

    cdef Level put_element(self, Level level, DataElement element):
        # An element that was set or changed, by its VR.
        cdef uint16_t vr
        cdef Py_ssize_t at
        cdef uint64_t begun
        cdef uint32_t tag = element.number
        if level.group_at >= 0 and tag >> 16 != level.group:
            self.close_group(level)
        element.settle()
        vr = self.settled(level, element)
        if vr == SQ:
            return self.open_sequence(level, tag, element.held, element.index is not None
                                      and element.index.rows[element.row].flags & UNDEFINED != 0)
        if tag == PIXEL_DATA and self.encapsulated and level.parent is None:
            self.put_encapsulated(element)
            return None
        at = self.put_header(tag, vr, 0, False)
        begun = self.out.total()
        try:
            put_value(self.out, vr, element.held, (self.mode & BIG_ENDIAN) != 0, level.held_big,
                      self.charset_of(level) if has_charset(vr) and not is_plain(element.held) else None)
            self.set_length(at, tag, vr, self.out.total() - begun)
        except EncodeError as error:
            raise self.named(level, tag, error) from None
        return None

    cdef object named(self, Level level, uint32_t tag, object error):
        # The error with the element's name, and where it stands.
        cdef list path = []
        cdef Level here = level
        while here is not None and here.parent is not None:
            if here.kind == ELEMENTS:
                path.append(f"{keyword_of_tag(here.parent.tag) or make_tag(here.parent.tag)}[{here.parent.at - 1}].")
            here = here.parent
        where = "".join(reversed(path))
        made = EncodeError(f"{where}{make_tag(tag)} {keyword_of_tag(tag)}: {error}".replace(" : ", ": "))
        made.tag = make_tag(tag)
        return made

    cdef uint16_t settled(self, Level level, DataElement element) except 0xFFFF:
        # A VR that PS3.6 leaves to the data set, by what is written (PS3.5 A.1, A.2, PS3.3 C.11.1).
        cdef uint16_t vr = element.vr
        if vr == US_OR_SS:
            return SS if self.number(level, PIXEL_REPRESENTATION, 1 if has_negative(element.held) else 0) else US
        if vr == OB_OR_OW:
            if element.number == PIXEL_DATA and self.encapsulated:
                return OB
            if element.number == PIXEL_DATA and not self.mode & IMPLICIT:
                return OW if self.number(level, BITS_ALLOCATED, 16) > 8 else OB
            return OW
        if vr == US_OR_OW or vr == US_OR_SS_OR_OW:
            return US if self.number(level, LUT_DESCRIPTOR, 0) == 1 else OW
        return vr

    cdef long long number(self, Level level, uint32_t tag, long long default) except? -1:
        # The first value of an element of this data set or the nearest around it.
        cdef Level here = level
        while here is not None:
            if here.data_set is not None:
                found = here.data_set.tag_value(tag, None)
                if isinstance(found, list) and found:
                    found = found[0]
                if isinstance(found, int):
                    return found
            here = here.parent
        return default

    cdef int put_encapsulated(self, DataElement element) except -1:
        # Pixel data set as the items of PS3.5 A.4: the offset table's and the fragments', without their delimiter.
        cdef const uint8_t[::1] view
        cdef Py_ssize_t n
        try:
            view = element.held if element.held is not None else b""
        except (TypeError, ValueError):
            raise self.named(None, element.number, "encapsulated pixel data takes bytes") from None
        n = view.shape[0]
        if n < 8 or load_le32(&view[0]) != <uint32_t>0xE000FFFE:
            raise self.named(None, element.number, "encapsulated pixel data begins with an item, the Basic Offset "
                             "Table: see encapsulate() and transcode()")
        self.put_header(PIXEL_DATA, OB, UNDEFINED_LENGTH, False)
        self.out.put_object(element.held)
        if n < 16 or load_le32(&view[n - 8]) != <uint32_t>0xE0DDFFFE or load_le32(&view[n - 4]) != 0:
            self.out.put_tag(SEQUENCE_DELIMITER, False)
            self.out.put32(0, False)
        return 0

    # -- sequences

    cdef Level open_sequence(self, Level level, uint32_t tag, object items, bint stood):
        cdef Level inside = Level.__new__(Level)
        cdef bint open = self.is_open(stood)
        cdef Py_ssize_t at
        if self.mode & IMPLICIT and not open and public_vr(tag) != SQ:
            open = not (level.mode & IMPLICIT and self.lengths == AS_STOOD)     # or no reader would know what it is
        if items is None or items == "":
            items = []
        if not isinstance(items, list):
            raise self.named(level, tag, f"VR SQ takes a list of data sets, not {type(items).__name__}")
        at = self.put_header(tag, SQ, UNDEFINED_LENGTH if open else 0, False)
        inside.parent = level
        inside.kind = ITEMS
        inside.tag = tag
        inside.items = <list>items
        inside.held_big = level.held_big
        inside.delimited = open
        inside.length_at = NO_POSITION if open else at
        inside.begun = self.out.total()
        return inside

    cdef Level next_item(self, Level level):
        # Open the next item of a sequence; copy those that are as they were. None behind the last.
        cdef bint big = (self.mode & BIG_ENDIAN) != 0
        cdef DatasetBase item
        cdef Level inside
        cdef Index index
        cdef Row* r
        cdef bint stood
        while level.at < len(level.items):
            one = level.items[level.at]
            level.at += 1
            if not isinstance(one, DatasetBase):
                raise self.named(level.parent, level.tag, f"an item is a data set, not {type(one).__name__}")
            item = one
            self.refuse_cycle(level, item)
            index = item.index
            inside = self.open_elements(item, level, level.tag)
            stood = index is not None and item.container >= 0 and index.rows[item.container].flags & UNDEFINED != 0
            if (inside.copies and item.container >= 0 and inside.changed is None and inside.added is None
                    and item.wanted is None):
                r = index.known(item.container)
                self.out.put_source(index.source, r.offset - r.header, end_of_item(index, item.container) - r.offset
                                    + r.header)
                continue
            self.out.put_tag(ITEM, big)
            self.open_content(inside, self.is_open(stood))
            return inside
        return None

    cdef int refuse_cycle(self, Level level, DatasetBase item) except -1:
        cdef Level here = level.parent
        while here is not None:
            if here.data_set is item:
                raise self.named(level.parent, level.tag, "a data set can't be an item of itself")
            here = here.parent
        return 0

    cdef int open_content(self, Level inside, bint open) except -1:
        # The length field of an item, whose tag was put.
        self.out.put32(UNDEFINED_LENGTH if open else 0, (self.mode & BIG_ENDIAN) != 0)
        inside.delimited = open
        inside.length_at = NO_POSITION if open else self.out.size - 4
        inside.begun = self.out.total()
        return 0

    cdef Level next_row_item(self, Level level):
        # The same for a sequence that is rewritten from its rows.
        cdef Level inside
        cdef Index index = level.index
        cdef Row* r
        while level.row < level.stop:
            r = &index.rows[level.row]
            if r.tag != ITEM:
                level.row = r.next
                continue
            level.at += 1
            inside = Level.__new__(Level)
            inside.parent = level
            inside.kind = ELEMENTS
            inside.index = index
            inside.row = level.row + 1
            inside.stop = r.next
            inside.mode = r.flags & MODE
            inside.held_big = level.held_big
            inside.tag = level.tag
            inside.recodes = self.rows_recode(inside)
            self.out.put_tag(ITEM, (self.mode & BIG_ENDIAN) != 0)
            self.open_content(inside, self.is_open(r.flags & UNDEFINED != 0))
            level.row = r.next
            return inside
        return None

    cdef bint rows_recode(self, Level inside) except -1:
        cdef Level around = inside.parent.parent
        if not around.recodes or inside.row >= inside.stop:
            return False
        if self.forced is None and inside.index.find(inside.row, inside.stop, SPECIFIC_CHARACTER_SET) >= 0:
            return False
        return True

    cdef int close(self, Level level) except -1:
        # The end of an item or sequence.
        cdef bint big = (self.mode & BIG_ENDIAN) != 0
        cdef uint64_t length
        if level.delimited:
            self.out.put_tag(ITEM_DELIMITER if level.kind == ELEMENTS else SEQUENCE_DELIMITER, big)
            self.out.put32(0, big)
        elif level.length_at >= 0:
            length = self.out.total() - level.begun
            if length >= UNDEFINED_LENGTH:
                raise EncodeError(f"a sequence or item of {length} bytes takes undefined length: lengths='undefined'")
            self.out.patch32(level.length_at, <uint32_t>length, big)
        return 0

    # -- rows in another encoding

    cdef Level convert(self, Level level, Py_ssize_t row):
        # Write an element again from its row: header, byte order and text as they are wanted.
        cdef Index index = level.index
        cdef Row* r = index.known(row)
        cdef uint32_t tag = r.tag
        cdef uint16_t vr
        cdef Level inside
        cdef Index late
        if level.group_at >= 0 and tag >> 16 != level.group:
            self.close_group(level)
        if tag & 0xFFFF == 0 and r.length == 4 and tag >> 16 != 2:
            self.put_group_length(level, tag)
            return None
        if r.flags & FRAGMENTS:
            self.convert_fragments(level, row)
            return None
        vr = resolve_vr(index, row)
        if vr != SQ:
            self.convert_value(level, row, vr)
            return None
        late = index
        if not r.flags & CONTAINER and r.length:
            late = open_value(index, row)
            if late.count < 2:                  # nothing in it can be read: it stays bytes
                self.convert_value(level, row, UN)
                return None
        inside = self.open_sequence(level, tag, [] if not self.repair else items_of_row(index, row),
                                    r.flags & UNDEFINED != 0)
        if not self.repair:
            inside.kind = ROW_ITEMS
            inside.index = late
            inside.row = row + 1 if late is index else 1
            inside.stop = index.rows[row].next if late is index else late.count
        return inside

    cdef int convert_value(self, Level level, Py_ssize_t row, uint16_t vr) except -1:
        cdef Index index = level.index
        cdef Row* r = &index.rows[row]
        cdef uint64_t length = r.length, width = 1
        cdef bint big = (self.mode & BIG_ENDIAN) != 0, odd
        cdef const uint8_t* p
        cdef uint16_t form = vr
        if level.recodes and has_charset(vr) and length:
            _owner = index.hold(r, &p)
            if not is_ascii(p, <Py_ssize_t>length):
                self.recode(level, row, vr, p[:length])
                return 0
        odd = length & 1 != 0
        if length + odd >= UNDEFINED_LENGTH:
            raise self.named(level, r.tag, too_long(r.tag, length))
        if ((r.flags & BIG_ENDIAN) != 0) != big:
            width = <uint64_t>swap_width(vr)
        if vr_form(vr) == VR_SHORT and length + odd > LARGEST_SHORT and not self.mode & IMPLICIT:
            form = UN
        self.put_header(r.tag, form, length + odd, False)
        self.out.put_source(index.source, r.offset, length, width)
        if odd:
            self.out.put_byte(32 if is_padded_by_space(vr) else 0)
        return 0

    cdef int recode(self, Level level, Py_ssize_t row, uint16_t vr, bytes data) except -1:
        # Text from the source's character set into the one that is written.
        cdef Row* r = &level.index.rows[row]
        cdef uint32_t tag = r.tag
        cdef Py_ssize_t at
        delimiters = NAME_DELIMITERS if vr == PN else TEXT_DELIMITERS if vr in (ST, LT, UT) else VALUE_DELIMITERS
        source = charset_at(level.index, row)
        text, good = source.decode(data, delimiters=delimiters)
        if not good:
            raise self.named(level, tag, f"not decodable with {'/'.join(source.names)}, in which it stands")
        try:
            made = self.charset_of(level).encode(text, delimiters=delimiters)
        except EncodeError as error:
            raise self.named(level, tag, error) from None
        at = self.put_header(tag, vr, 0, False)
        self.out.put(made, len(made))
        if len(made) & 1:
            self.out.put_byte(32)
        self.set_length(at, tag, vr, <uint64_t>((len(made) + 1) & ~1))
        return 0

    cdef int convert_fragments(self, Level level, Py_ssize_t row) except -1:
        # Encapsulated pixel data: its bytes are those of every syntax that has any (PS3.5 A.4).
        cdef Index index = level.index
        cdef Row* r = index.known(row)
        cdef Py_ssize_t i = row + 1, stop = r.next
        if not self.encapsulated:
            raise self.named(level, r.tag, "is encapsulated, and the transfer syntax wanted has none of that: "
                             "dicomcore.transcode() decodes it")
        self.put_header(r.tag, OB if r.vr != OW else OW, UNDEFINED_LENGTH, False)
        while i < stop:
            r = &index.rows[i]
            self.out.put_tag(ITEM, False)
            self.out.put32(<uint32_t>(r.length + (r.length & 1)), False)
            self.out.put_source(index.source, r.offset, r.length)
            if r.length & 1:
                self.out.put_byte(0)
            i = r.next
        self.out.put_tag(SEQUENCE_DELIMITER, False)
        self.out.put32(0, False)
        return 0

    # -- all of it

    cdef int run(self, DatasetBase data_set) except -1:
        cdef Level level = self.open_elements(data_set, None, 0)
        cdef Level inside
        while level is not None:
            if level.kind == ELEMENTS:
                inside = self.elements(level)
            elif level.kind == ITEMS:
                inside = self.next_item(level)
            else:
                inside = self.next_row_item(level)
            if inside is None:
                self.close(level)
                level = level.parent
            else:
                level = inside
        return 0


# ---- help --------------------------------------------------------------------------------------------------------

cdef bint is_plain(object value):
    # Text that every character set codes alike.
    return isinstance(value, str) and (<str>value).isascii()


cdef bint has_negative(object value):
    if isinstance(value, (list, tuple)):
        return any(isinstance(one, int) and one < 0 for one in value)
    return isinstance(value, int) and value < 0


cdef tuple terms_of(object value):
    if isinstance(value, (list, tuple)):
        return tuple([str(one) for one in value])
    return tuple(str(value).split("\\")) if value else ("",)


cdef bint is_padded_by_space(uint16_t vr) noexcept nogil:
    return swap_width(vr) == 1 and not (vr == UI or vr == OB or vr == UN)


cdef str too_long(uint32_t tag, uint64_t length):
    said = f"{length} bytes are more than an element's 32-bit length field can say"
    if tag >> 16 == 0x7FE0:
        said += ("; syntaxes that can hold them cut pixel data into fragments: Encapsulated Uncompressed Explicit VR "
                 "Little Endian (1.2.840.10008.1.2.1.98), Deflated Image Frame Compression (1.2.840.10008.1.2.8.1), or "
                 "a compressed one such as HTJ2K Lossless (1.2.840.10008.1.2.4.201)")
    return said


cdef bint has_own_items(DataElement sequence) except -1:
    # Whether the items of a sequence that was handed out are those of its rows, and in their order.
    cdef Index index = sequence.index, late
    cdef DatasetBase item
    cdef Py_ssize_t i, row = sequence.row, stop, at = 0
    cdef list items = <list>sequence.held
    if index.rows[row].length == 0:
        return not items
    if not index.known(row).flags & CONTAINER:
        if not items:
            return False
        item = items[0]
        late = item.index
        if late is None or late.outer is not index or late.outer_row != row:
            return False
        index = late
        row = 0
    i = row + 1
    stop = index.rows[row].next
    while i < stop:
        if index.rows[i].tag == ITEM:
            if at == len(items):
                return False
            item = items[at]
            if item.index is not index or item.container != i or item.wanted is not None:
                return False
            at += 1
        i = index.rows[i].next
    return at == len(items)


cdef uint64_t end_of_item(Index index, Py_ssize_t row) except? 0:
    # The byte behind an item or an element, its delimiter included where it has one.
    cdef Row* r = index.known(row)
    cdef uint64_t end = r.offset + r.length
    cdef uint32_t delimiter = <uint32_t>ITEM_DELIMITER if r.tag == ITEM else <uint32_t>SEQUENCE_DELIMITER
    cdef const uint8_t* p
    if r.flags & UNDEFINED and r.flags & CONTAINER and index.source.size >= end + 8:
        _owner = index.source.hold(end, 8, &p)
        if r.flags & BIG_ENDIAN:
            if load_be32(p) == delimiter:
                return end + 8
        elif load_le32(p) == <uint32_t>((delimiter << 16) | (delimiter >> 16)):
            return end + 8
    return end


cdef uint64_t end_of_row(Level level) except? 0:
    # The byte behind a level's last row; the data set's first byte where it has none.
    cdef Py_ssize_t last = -1, i
    cdef Index index = level.index
    cdef DatasetBase data_set = level.data_set
    if index is None:
        return 0
    if data_set is None:
        return index.rows[index.rows[level.stop - 1].parent].offset if level.stop else 0
    i = 0 if data_set.container == FILE_META else index.meta_count
    if data_set.container >= 0:
        i = data_set.container + 1
    while i < level.stop:
        last = i
        i = index.rows[i].next
    if last < 0:
        return index.rows[data_set.container].offset if data_set.container >= 0 else index.body
    return end_of_item(index, last)


def compose(DatasetBase data_set not None, Output out not None, *, bint implicit, bint big, bint encapsulated,
            str lengths=None, bint repair=False, tuple forced=None):
    """Put the bytes of a data set's elements at the end of `out`, in the encoding wanted.

    `encapsulated`: whether pixel data in fragments may be written. `lengths`: "defined" or "undefined" for all
    sequences and items, None to leave them as they stood. `repair` writes everything anew. `forced` are the terms of a
    character set in place of those stated. Raises EncodeError, which names the element; `out` is then of no use.
    """
    cdef Composer composer = Composer.__new__(Composer)
    composer.out = out
    composer.mode = (IMPLICIT if implicit else 0) | (BIG_ENDIAN if big else 0)
    composer.encapsulated = encapsulated
    composer.repair = repair
    composer.lengths = {None: AS_STOOD, "defined": DEFINED, "undefined": OPEN}[lengths]
    composer.judged = {}
    if forced is not None:
        composer.forced = charset_for(forced)
        composer.terms = forced
    composer.run(data_set)


def is_untouched(DatasetBase data_set not None) -> bool:
    """Whether a data set is as its source has it, elements left out by the reader aside."""
    cdef Composer composer = Composer.__new__(Composer)
    composer.judged = {}
    return data_set.index is not None and data_set.wanted is None and not composer.item_changed(data_set)


def changed_elements(DatasetBase data_set not None) -> dict:
    """The elements of this level whose bytes no longer tell their value, by tag; None for one that was deleted."""
    cdef Composer composer = Composer.__new__(Composer)
    cdef dict found = {}
    composer.judged = {}
    for tag, element in (data_set.elements or {}).items():
        if element is None:
            if data_set.find_row(tag) >= 0:
                found[tag] = None
        elif composer.is_changed(element):
            found[tag] = element
    return found


def head_conforms(Index index not None) -> bool:
    """Whether preamble, prefix and file meta information stand as PS3.10 7.1 wants them."""
    cdef Py_ssize_t i
    cdef int present = 0
    cdef uint32_t tag
    if index.preamble is None or index.meta_count == 0:
        return False
    for code, _, _, _ in index.noted or ():
        if code[:5] == "META_" or code[:8] == "MISSING_":
            return False
    for i in range(index.meta_count):
        tag = index.rows[i].tag
        if index.rows[i].length and tag in (0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012):
            present += 1
    return present == 6
