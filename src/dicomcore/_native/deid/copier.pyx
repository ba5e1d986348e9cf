"""Copies elements by their own extents: nothing is copied that is not an element's header or value, or the header or
delimiter of a sequence or an item.

The levels are a stack of our own; its depth is that of the index, which `Limits` bounds.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc

from dicomcore._native.base.cursor cimport load_be32, load_le16, load_le32
from dicomcore._native.base.vr cimport DS, IS, UI, UN, VR_SHORT, VR_UNKNOWN, is_text, vr_form
from dicomcore._native.deid.facts cimport named
from dicomcore._native.scan.index cimport Index
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN, CLIPPED, CONTAINER, IMPLICIT, ITEM, ITEM_DELIMITER, SEQUENCE_DELIMITER, UNDEFINED, UNDEFINED_LENGTH,
    Row,
)

from dicomcore.errors import DeidError


cdef class Copier:
    """The level that is written, those around it, and what of the source is to be copied next."""

    def __dealloc__(self):
        free(self.frames)

    cdef int flush(self) except -1:
        if self.run_end > self.run_begin:
            self.out.put_source(self.index.source, self.run_begin, self.run_end - self.run_begin)
        self.run_begin = self.run_end = 0
        return 0

    cdef int keep(self, uint64_t begin, uint64_t end) except -1:
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
        self.put_header(r.tag, r, r.vr, r.length + (r.length & 1), f.big)
        self.keep(r.offset, r.offset + r.length)
        if r.length & 1:
            self.flush()
            self.out.put_byte(32 if is_text(r.vr) and r.vr != UI else 0)
        return 0

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

    cdef int put_bytes(self, Frame* f, const Row* r, const uint8_t* p, Py_ssize_t n, uint16_t vr) except -1:
        # Write the element with another value, padded to even length as its VR asks (PS3.5 6.2), which is `vr` where
        # the file does not state it.
        if not r.flags & IMPLICIT and r.vr != UN and vr_form(r.vr) != VR_UNKNOWN:
            vr = r.vr
        self.put_header(r.tag, r, r.vr, n + (n & 1), f.big)
        self.out.put(p, n)
        if n & 1:
            self.out.put_byte(32 if (is_text(vr) and vr != UI) or vr == DS or vr == IS else 0)
        return 0

    cdef int replace(self, Frame* f, const Row* r, bytes value, uint16_t vr) except -1:
        return self.put_bytes(f, r, <const uint8_t*>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), vr)

    cdef bytes value_of(self, const Row* r):
        cdef const uint8_t* p
        _owner = self.index.source.hold(r.offset, r.length, &p)
        return PyBytes_FromStringAndSize(<const char*>p, <Py_ssize_t>r.length)

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
