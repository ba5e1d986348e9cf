"""Writes a data set. Unchanged elements are copied and changed ones are encoded; if the encoding differs from the
source's, every element is converted (PS3.5 7, Annex A).

One loop keeps its own stack of levels, as the scanner does: a level is the elements of a data set, or the items of a
sequence. A level's rows are copied in runs. A run reaches from the first byte of its first row to the beginning of the
next row that isn't copied, so that any bytes between the rows are preserved.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.views.data_element cimport DataElement, held_by, items_of_row
from dicomcore._native.views.dataset cimport FILE_META, TOP_LEVEL, DatasetBase
from dicomcore._native.views.decode cimport charset_at, resolve_vr
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.write.elements cimport AS_STOOD, DEFINED, OPEN, Encoder
from dicomcore._native.write.encode cimport put_value
from dicomcore._native.scan.index cimport Index, is_complete, open_value, rows_of
from dicomcore._native.write.judge cimport Judge
from dicomcore._native.write.level cimport (
    ELEMENTS,
    ITEMS,
    MODE,
    NO_POSITION,
    ROW_ITEMS,
    Level,
    end_of_item,
    end_of_row,
)
from dicomcore._native.write.output cimport Output
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN,
    CLIPPED,
    CONTAINER,
    FRAGMENTS,
    IMPLICIT,
    ITEM,
    ITEM_DELIMITER,
    SEQUENCE_DELIMITER,
    SPECIFIC_CHARACTER_SET,
    UNDEFINED,
    UNDEFINED_LENGTH,
    Row,
)
from dicomcore._native.base.vr cimport SQ, UL, UN

from dicomcore.charset import charset_for
from dicomcore.errors import EncodeError


cdef int64_t begin_of_row(Level level, Py_ssize_t row):
    # The first byte to copy for a row. For the first row this is where the data set begins, so that any bytes before
    # the row are copied too.
    cdef Row* r = &level.index.rows[row]
    if level.parent is None and level.data_set.container == TOP_LEVEL and row == level.index.meta_count:
        return <int64_t>level.index.body
    return <int64_t>(r.offset - r.header)


cdef bint is_unbounded(Index index, Py_ssize_t row) except -1:
    # Whether a row's value length exceeds the bytes that are present, or its delimiter is missing.
    cdef Row* r = index.known(row)
    if r.flags & CLIPPED:
        return True
    return r.flags & UNDEFINED and r.flags & CONTAINER and end_of_item(index, row) == r.offset + r.length


cdef class Composer(Encoder):
    cdef bint repair
    cdef Judge judge
    cdef set inside                 # ids of the data sets being written, to detect one that contains itself

    # -- levels

    cdef Level open_elements(self, DatasetBase data_set, Level around, uint32_t tag):
        cdef Level level = Level.__new__(Level)
        cdef Index index = data_set.index
        level.parent = around
        level.kind = ELEMENTS
        level.data_set = data_set
        level.tag = tag
        level.index = index
        level.held_big = around is not None and around.held_big
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
                level.stop = rows_of(index)
                level.mode = index.mode
            level.held_big = (level.mode & BIG_ENDIAN) != 0
        self.sort_changes(level)
        if self.repair and index is not None:
            level.order = data_set.complete()
        level.recodes = self.recodes_here(level)
        level.copies = self.copies_here(level)
        if index is not None and data_set.container == TOP_LEVEL and self.goes_by_rows(level):
            index.finish()
            level.stop = index.count
        return level

    cdef bint goes_by_rows(self, Level level):
        # Whether a data set is written row by row. Then the rows behind its pixel data must be scanned too: an element
        # that was changed or left out may occur there again. An unchanged data set is copied to its end in one piece.
        return level.touched or not level.copies or level.data_set.wanted is not None

    cdef bint copies_here(self, Level level):
        return (level.index is not None and level.mode == self.mode and not level.recodes
                and self.lengths == AS_STOOD and not self.repair)

    cdef int sort_changes(self, Level level) except -1:
        # Divide the data set's changes into `changed`, which replace rows, and `added`, which have no row.
        cdef DatasetBase data_set = level.data_set
        cdef DataElement element
        cdef bint stands
        cdef uint32_t tag
        if self.forced is not None and level.parent is None and data_set.container != FILE_META:
            data_set.find(SPECIFIC_CHARACTER_SET)
        if not data_set.elements and self.forced is None:
            return 0
        overlay = data_set.changes()
        if self.forced is not None and data_set.container != FILE_META:
            if level.parent is None or SPECIFIC_CHARACTER_SET in data_set:
                overlay[<uint32_t>SPECIFIC_CHARACTER_SET] = DataElement(SPECIFIC_CHARACTER_SET, "CS", list(self.terms))
        for tag in sorted(overlay):
            element = overlay[tag]
            if element is None:
                stands = data_set.find_row(tag) >= 0
                if not stands:
                    continue
            elif element.index is not None:
                if not self.judge.is_changed(element):
                    continue
                stands = True
            else:
                stands = level.index is not None and data_set.find_row(tag) >= 0
            level.touched = True
            if not stands:
                if level.added is None:
                    level.added = []
                level.added.append(element)
            else:
                if level.changed is None:
                    level.changed = {}
                    level.lowest = tag
                level.highest = tag
                level.changed[tag] = element
        return 0

    cdef bint recodes_here(self, Level level) except -1:
        # Whether the source's text must be converted to another character set.
        cdef Level around = level.parent
        cdef DatasetBase data_set = level.data_set
        if level.index is None or data_set.container == FILE_META or level.row >= level.stop:
            return False
        if self.forced is not None:
            return charset_at(level.index, level.row).names != self.forced.names
        if level.changed is not None and <uint32_t>SPECIFIC_CHARACTER_SET in level.changed or (
                level.added and (<DataElement>level.added[0]).number <= SPECIFIC_CHARACTER_SET
                and data_set.element_over(SPECIFIC_CHARACTER_SET) is not None):
            return self.charset_of(level).names != charset_at(level.index, level.row).names
        if around is None:
            return False
        if around.parent is not None and around.parent.index is level.index and not around.parent.recodes:
            return False                            # like the data set around it (`around` is the sequence)
        if data_set.find_row(SPECIFIC_CHARACTER_SET) >= 0:
            return False
        return self.charset_of(level).names != charset_at(level.index, level.row).names

    # -- elements

    cdef bint must_end(self, Level level, Py_ssize_t row) except -1:
        # Whether the last row, copied unchanged, would swallow the bytes written behind it: its length is too large or
        # its delimiter is missing.
        if not level.delimited and (level.added is None or level.next_added == len(level.added)):
            return False
        return is_unbounded(level.index, row)

    cdef int flush(self, Level level, uint64_t end) except -1:
        # Copy the open run, up to byte `end`.
        if level.run != NO_POSITION:
            self.out.put_source(level.index.source, level.run, end - <uint64_t>level.run)
            level.run = NO_POSITION
        return 0

    cdef Level elements(self, Level level):
        # Write elements until one opens a level, and return that level; None at the end.
        cdef Row* r
        cdef uint32_t tag
        cdef Py_ssize_t row
        cdef Level inside
        cdef DataElement element
        cdef bint plain = level.changed is None and level.added is None and level.order == NULL
        cdef bint chosen = level.data_set is not None and level.data_set.wanted is not None
        if plain and level.copies and not chosen and not level.delimited:
            self.copy_all(level)
            return None
        while True:
            row = level.row
            if level.order != NULL:
                row = level.order.rows[level.place] if level.place < level.order.count else level.stop
            if row >= level.stop:
                if level.next_added < (len(level.added) if level.added is not None else 0):
                    inside = self.put_added(level, end_of_row(level))
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
                    inside = self.put_added(level, r.offset - r.header)
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
            if level.changed is not None and level.lowest <= tag <= level.highest and tag in level.changed:
                self.flush(level, r.offset - r.header)
                element = level.changed[tag]
                if element is None:
                    continue
                level.changed[tag] = None           # written once: further rows with this tag are left out
                inside = self.put_element(level, element)
                if inside is not None:
                    return inside
                continue
            if (level.copies and not (level.touched and tag & 0xFFFF == 0 and self.is_group_length(level, r))
                    and not (r.next >= level.stop and self.must_end(level, row))):
                self.join_run(level, row, r)
                continue
            self.flush(level, r.offset - r.header)
            inside = self.convert(level, row)
            if inside is not None:
                return inside

    cdef Level put_added(self, Level level, uint64_t end):
        # Copy the open run up to byte `end`, then write the next element that has no row.
        cdef DataElement element = level.added[level.next_added]
        self.flush(level, end)
        level.next_added += 1
        return self.put_element(level, element)

    cdef inline int join_run(self, Level level, Py_ssize_t row, const Row* r) except -1:
        # Add a row to the open run, or begin a run with it.
        if level.group_at >= 0 and r.tag >> 16 != level.group:
            self.flush(level, r.offset - r.header)
            self.close_group(level)
        if level.run == NO_POSITION:
            level.run = begin_of_row(level, row)
        return 0

    cdef int copy_all(self, Level level) except -1:
        # Copy an unchanged level at once, up to the end of its item or data set.
        cdef Row* r
        if level.data_set is not None and level.data_set.container >= 0:
            r = level.index.known(level.data_set.container)
            self.out.put_source(level.index.source, r.offset, r.length)
        elif level.row < level.stop:
            level.run = begin_of_row(level, level.row)
            level.row = level.stop
            self.finish_elements(level)
        elif level.parent is None and level.data_set.container == TOP_LEVEL:
            self.put_trailer(level, level.index.body)
        return 0

    cdef int finish_elements(self, Level level) except -1:
        # Copy the last run, and any bytes behind the last element of the top level.
        cdef uint64_t end
        cdef bint at_top = level.data_set is not None and level.data_set.container == TOP_LEVEL
        if level.run != NO_POSITION and at_top and not is_complete(level.index):
            self.flush(level, level.index.source.size)      # what follows was not scanned: copy it all
        elif level.copies and at_top and level.parent is None and level.data_set.wanted is None:
            end = end_of_row(level)
            self.flush(level, end)
            self.close_group(level)
            self.put_trailer(level, end)
        else:
            self.flush(level, end_of_row(level) if level.run != NO_POSITION else 0)
        self.close_group(level)
        return 0

    cdef int put_trailer(self, Level level, uint64_t end) except -1:
        # Copy the bytes behind the last element that are too few or too malformed to be an element.
        if not level.index.stop_before_pixels and level.index.scanner.pos >= level.index.source.size:
            self.out.put_source(level.index.source, end, level.index.source.size - end)
        return 0

    cdef bint is_group_length(self, Level level, Row* r):
        # Whether a row is a group length that must be counted again, because an element of its group was changed.
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

    cdef Level put_element(self, Level level, DataElement element):
        # Write an element that was set or changed; returns the level that a sequence opens, or None.
        cdef uint16_t vr
        if level.group_at >= 0 and element.number >> 16 != level.group:
            self.close_group(level)
        element.settle()
        vr = self.settled(level, element)
        if element.number & 0xFFFF == 0 and vr == UL and element.number >> 16 != 2:
            self.put_group_length(level, element.number)    # counted; the value that was set is ignored (PS3.5 7.2)
            return None
        if vr != SQ:
            self.put_plain(level, element, vr)
            return None
        return self.open_sequence(level, element.number, held_by(element), element.index is not None
                                  and element.index.rows[element.row].flags & UNDEFINED != 0)

    # -- sequences

    cdef Level open_sequence(self, Level level, uint32_t tag, object items, bint stood):
        cdef Level inside = Level.__new__(Level)
        cdef bint open = self.is_open(stood)
        cdef Py_ssize_t at
        if self.mode & IMPLICIT and not open and public_vr(tag) != SQ:
            # Without a VR, only undefined length tells readers that a tag they don't know is a sequence.
            open = not (level.mode & IMPLICIT and self.lengths == AS_STOOD)
        if items is None or items == "":
            items = []
        if not isinstance(items, list):
            raise self.named(level, tag, f"VR SQ takes a list of data sets, not {type(items).__name__}")
        at = self.put_header(tag, SQ, UNDEFINED_LENGTH if open else 0)
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
        # Copy unchanged items of a sequence, and open the next changed one; None behind the last.
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
            if id(item) in self.inside:
                raise self.named(level.parent, level.tag, "a data set can't be an item of itself")
            index = item.index
            inside = self.open_elements(item, level, level.tag)
            stood = index is not None and item.container >= 0 and index.rows[item.container].flags & UNDEFINED != 0
            if (inside.copies and item.container >= 0 and inside.changed is None and inside.added is None
                    and item.wanted is None and not (is_unbounded(index, item.container)
                                                     and (level.delimited or level.at < len(level.items)))):
                r = index.known(item.container)
                self.out.put_source(index.source, r.offset - r.header, end_of_item(index, item.container) - r.offset
                                    + r.header)
                continue
            self.inside.add(id(item))
            self.out.put_tag(ITEM, big)
            self.open_content(inside, self.is_open(stood))
            return inside
        return None

    cdef int open_content(self, Level inside, bint open) except -1:
        # Write the length field of an item, whose tag was put before.
        self.out.put32(UNDEFINED_LENGTH if open else 0, (self.mode & BIG_ENDIAN) != 0)
        inside.delimited = open
        inside.length_at = NO_POSITION if open else self.out.size - 4
        inside.begun = self.out.total()
        return 0

    cdef Level next_row_item(self, Level level):
        # Open the next item of a sequence that is converted from its rows; None behind the last.
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
        # End an item or sequence: write its delimiter, or its length.
        cdef bint big = (self.mode & BIG_ENDIAN) != 0
        cdef uint64_t length
        if level.data_set is not None:
            self.inside.discard(id(level.data_set))
        if level.delimited:
            self.out.put_tag(ITEM_DELIMITER if level.kind == ELEMENTS else SEQUENCE_DELIMITER, big)
            self.out.put32(0, big)
        elif level.length_at >= 0:
            length = self.out.total() - level.begun
            if length >= UNDEFINED_LENGTH:
                raise EncodeError(f"a sequence or item of {length} bytes needs undefined length: lengths='undefined'")
            self.out.patch32(level.length_at, <uint32_t>length, big)
        return 0

    cdef Level convert(self, Level level, Py_ssize_t row):
        # Write an element from its row with the header, byte order and character set of the output's encoding.
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
            if late.count < 2:                  # it has no readable item: write its bytes as UN
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

    # -- the whole data set

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


def compose(DatasetBase data_set not None, Output out not None, *, bint implicit, bint big, bint encapsulated,
            str lengths=None, bint repair=False, tuple forced=None):
    """Append the encoded elements of a data set to `out`.

    Parameters
    ----------
    data_set : DatasetBase
        The data set to write.
    out : Output
        Receives the bytes; useless after an exception.
    implicit : bool
        Write implicit VR.
    big : bool
        Write big endian.
    encapsulated : bool
        Whether the transfer syntax allows encapsulated pixel data.
    lengths : str or None
        "defined" or "undefined" length for all sequences and items; None keeps the source's choice.
    repair : bool
        Encode or convert every element, in ascending order of tag, and copy none.
    forced : tuple of str or None
        Defined terms of the character set to write, in place of the stated ones.

    Raises
    ------
    EncodeError
        A value can't be encoded; the message names the element.
    """
    cdef Composer composer = Composer.__new__(Composer)
    composer.out = out
    composer.mode = (IMPLICIT if implicit else 0) | (BIG_ENDIAN if big else 0)
    composer.encapsulated = encapsulated
    composer.repair = repair
    composer.lengths = {None: AS_STOOD, "defined": DEFINED, "undefined": OPEN}[lengths]
    composer.judge = Judge()
    composer.inside = {id(data_set)}
    if forced is not None:
        composer.forced = charset_for(forced)
        composer.terms = forced
    composer.run(data_set)


def bytes_in_place(DataElement element not None):
    """The bytes of an element's new value in its source's encoding, not padded to the old value's length.

    None if they can't replace the old value in place: the element has no row, is a sequence, or has another VR in the
    source. Raises EncodeError, which does not name the element.
    """
    cdef Output out = Output()
    cdef Row* r
    cdef bint big
    if element.index is None or element.vr == SQ:
        return None
    r = &element.index.rows[element.row]
    if r.flags & (CONTAINER | UNDEFINED) or not (r.flags & IMPLICIT or r.vr == element.vr):
        return None
    big = (r.flags & BIG_ENDIAN) != 0
    put_value(out, element.vr, held_by(element), big, big, charset_at(element.index, element.row))
    return out.whole()
