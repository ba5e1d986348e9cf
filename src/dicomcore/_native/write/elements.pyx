"""Writes one element: its header and its value, which is encoded by VR or converted from its row (PS3.5 7.1)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memmove

from dicomcore._native.base.cursor cimport load_le32
from dicomcore._native.views.data_element cimport DataElement, held_by
from dicomcore._native.views.dataset cimport FILE_META
from dicomcore._native.views.decode cimport charset_at, make_tag
from dicomcore._native.base.dictionary cimport keyword_of_tag
from dicomcore._native.write.encode cimport put_value
from dicomcore._native.scan.index cimport Index
from dicomcore._native.write.level cimport ELEMENTS, NO_POSITION, Level
from dicomcore._native.write.output cimport Output
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN,
    IMPLICIT,
    ITEM,
    PIXEL_DATA,
    SEQUENCE_DELIMITER,
    SPECIFIC_CHARACTER_SET,
    UNDEFINED_LENGTH,
    Row,
)
from dicomcore._native.base.swap cimport swap
from dicomcore._native.base.text cimport is_ascii
from dicomcore._native.base.vr cimport *

from dicomcore.charset import DEFAULT_CHARSET, NAME_DELIMITERS, TEXT_DELIMITERS, VALUE_DELIMITERS, charset_for
from dicomcore.errors import EncodeError
from dicomcore.uids import (
    DeflatedImageFrameCompression,
    EncapsulatedUncompressedExplicitVRLittleEndian,
    HTJ2KLossless,
)

cdef enum:
    BITS_ALLOCATED = 0x00280100
    PIXEL_REPRESENTATION = 0x00280103
    LUT_DESCRIPTOR = 0x00283002
    LARGEST_SHORT = 0xFFFF

cdef object MISSING = object()


cdef class Encoder:
    """Writes elements in the chosen encoding."""

    # -- settings that the surrounding data sets determine

    cdef object charset_of(self, Level level):
        # The Charset in force for text written at this level (PS3.3 C.12.1.1.2).
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
                    pass                                        # an item that is converted from its rows
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

    cdef uint16_t settled(self, Level level, DataElement element) except 0xFFFF:
        # The element's VR; where PS3.6 allows several, the data set being written decides (PS3.5 A.1, A.2, PS3.3
        # C.11.1).
        cdef uint16_t vr = element.vr
        if vr == US_OR_SS:
            return SS if self.number(level, PIXEL_REPRESENTATION, 1 if has_negative(held_by(element)) else 0) else US
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
        # The first value of an element of this data set, or of the nearest data set around it that has the element.
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

    cdef object named(self, Level level, uint32_t tag, object error):
        # An EncodeError whose message also names the element and its path.
        cdef list path = []
        cdef Level here = level
        while here is not None and here.parent is not None:
            if here.kind == ELEMENTS:
                path.append(f"{keyword_of_tag(here.parent.tag) or make_tag(here.parent.tag)}[{here.parent.at - 1}].")
            here = here.parent
        if len(path) > 16:
            path[8:len(path) - 8] = ["…."]
        where = "".join(reversed(path))
        name = keyword_of_tag(tag)
        return EncodeError(f"{where}{make_tag(tag)}{' ' + name if name else ''}: {error}", tag=make_tag(tag),
                           character=getattr(error, "character", None))

    cdef uint64_t word_width(self, Level level, uint32_t tag, uint16_t vr) except 0:
        # Size of the words whose bytes are swapped. Pixel data of VR OW can have samples of 32 or 64 bits, larger than
        # OW's 16-bit words: real files in big endian, and the programs that read them, swap these samples as a whole.
        cdef long long bits
        if tag == PIXEL_DATA and vr == OW:
            bits = self.number(level, BITS_ALLOCATED, 16)
            return 4 if bits == 32 else 8 if bits == 64 else 2
        return <uint64_t>swap_width(vr)

    # -- headers

    cdef Py_ssize_t put_header(self, uint32_t tag, uint16_t vr, uint64_t length) except -1:
        # Write an element's header; returns the position of its length field.
        cdef bint big = (self.mode & BIG_ENDIAN) != 0
        self.out.put_tag(tag, big)
        if self.mode & IMPLICIT:
            self.out.put32(<uint32_t>length, big)
            return self.out.size - 4
        self.out.put_byte(vr & 0xFF)
        self.out.put_byte(vr >> 8)
        if vr_form(vr) != VR_SHORT:
            self.out.put16(0, big)
            self.out.put32(<uint32_t>length, big)
            return self.out.size - 4
        self.out.put16(<uint16_t>length, big)
        return self.out.size - 2

    cdef int set_length(self, Py_ssize_t at, uint32_t tag, uint16_t vr, uint64_t length) except -1:
        # Write the value length at the position that put_header() returned, once the value has been put.
        cdef bint big = (self.mode & BIG_ENDIAN) != 0
        cdef Output out = self.out
        cdef Py_ssize_t width
        if length >= UNDEFINED_LENGTH:
            raise EncodeError(too_long(tag, length))
        if self.mode & IMPLICIT or vr_form(vr) != VR_SHORT:
            out.patch32(at, <uint32_t>length, big)
            return 0
        if length <= LARGEST_SHORT:
            out.buffer[at + (1 if big else 0)] = length & 0xFF
            out.buffer[at + (0 if big else 1)] = length >> 8
            return 0
        # A value too long for its VR's 16-bit length field gets VR UN, whose length field has 32 bits (PS3.5 6.2.2).
        # The whole value is in the buffer: values set in memory are copied there if their VR has the short form.
        out.need(4)
        memmove(out.buffer + at + 6, out.buffer + at + 2, out.size - at - 2)
        out.size += 4
        out.buffer[at - 2] = b"U"
        out.buffer[at - 1] = b"N"
        out.buffer[at] = out.buffer[at + 1] = 0
        out.patch32(at + 2, <uint32_t>length, big)
        width = swap_width(vr)
        if big and width > 1:               # UN's value is little endian in every transfer syntax (PS3.5 6.2.2)
            swap(out.buffer + at + 6, out.buffer + at + 6, <Py_ssize_t>length // width, width)
        return 0

    cdef bint is_open(self, bint stood):
        # Whether a sequence or item gets undefined length; `stood`: whether it has it in the source.
        return stood if self.lengths == AS_STOOD else self.lengths == OPEN

    cdef int put_group_length(self, Level level, uint32_t tag) except -1:
        self.put_header(tag, UL, 4)
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

    # -- values set in memory

    cdef int put_plain(self, Level level, DataElement element, uint16_t vr) except -1:
        # Write an element whose VR is not SQ.
        cdef bint big = (self.mode & BIG_ENDIAN) != 0
        cdef uint32_t tag = element.number
        cdef Py_ssize_t at
        cdef uint64_t begun
        held = held_by(element)
        if tag == PIXEL_DATA and self.encapsulated and level.parent is None:
            return self.put_encapsulated(element, held)
        if tag == PIXEL_DATA and level.parent is None and is_encapsulated(held):
            raise self.named(None, tag, "these are the items of encapsulated pixel data, but the transfer syntax is "
                             "a native one: set the items' own syntax, in file_meta or by transfer_syntax")
        at = self.put_header(tag, vr, 0)
        begun = self.out.total()
        try:
            put_value(self.out, vr, held, big, level.held_big,
                      self.charset_of(level) if has_charset(vr) and not is_plain(held) else None,
                      self.word_width(level, tag, vr))
            self.set_length(at, tag, vr, self.out.total() - begun)
        except EncodeError as error:
            raise self.named(level, tag, error) from None
        return 0

    cdef int put_encapsulated(self, DataElement element, object held) except -1:
        # Write pixel data that was set as the items of PS3.5 A.4: the offset table, then the fragments. The sequence
        # delimiter is added if it is missing.
        cdef const uint8_t[::1] view
        cdef Py_ssize_t n
        try:
            view = held if held is not None else b""
        except (TypeError, ValueError):
            raise self.named(None, element.number, "encapsulated pixel data takes bytes") from None
        n = view.shape[0]
        if n < 8 or load_le32(&view[0]) != <uint32_t>0xE000FFFE:
            raise self.named(None, element.number, "encapsulated pixel data begins with an item, the Basic Offset "
                             "Table: see encapsulate() and transcode()")
        self.put_header(PIXEL_DATA, OB, UNDEFINED_LENGTH)
        self.out.put_object(held)
        if n < 16 or load_le32(&view[n - 8]) != <uint32_t>0xE0DDFFFE or load_le32(&view[n - 4]) != 0:
            self.out.put_tag(SEQUENCE_DELIMITER, False)
            self.out.put32(0, False)
        return 0

    # -- rows converted to another encoding

    cdef int convert_value(self, Level level, Py_ssize_t row, uint16_t vr) except -1:
        cdef Index index = level.index
        cdef Row* r = &index.rows[row]
        cdef uint64_t length = r.length, width = 1
        cdef bint big = (self.mode & BIG_ENDIAN) != 0, odd
        cdef const uint8_t* p
        cdef uint16_t form = vr
        if self.forced is not None and r.tag == SPECIFIC_CHARACTER_SET:
            return self.put_terms()
        if level.recodes and has_charset(vr) and length:
            _owner = index.hold(r, &p)
            if not is_ascii(p, <Py_ssize_t>length):
                self.recode(level, row, vr, p[:length])
                return 0
        if r.tag == PIXEL_DATA and vr == OB and self.number(level, BITS_ALLOCATED, 8) > 8:
            vr = form = OW      # samples longer than a byte are words (PS3.5 A.2), even if the source's VR is OB
        odd = length & 1 != 0
        if length + odd >= UNDEFINED_LENGTH:
            raise self.named(level, r.tag, too_long(r.tag, length))
        if vr_form(vr) == VR_SHORT and length + odd > LARGEST_SHORT and not self.mode & IMPLICIT:
            form = UN
            big = False                 # UN's value is little endian in every transfer syntax (PS3.5 6.2.2)
        if ((r.flags & BIG_ENDIAN) != 0) != big:
            width = self.word_width(level, r.tag, vr)
        self.put_header(r.tag, form, length + odd)
        self.out.put_source(index.source, r.offset, length, width)
        if odd:
            self.out.put_byte(32 if is_padded_by_space(vr) else 0)
        return 0

    cdef int put_terms(self) except -1:
        # Write Specific Character Set with the forced terms.
        cdef Py_ssize_t at = self.put_header(SPECIFIC_CHARACTER_SET, CS, 0)
        cdef uint64_t begun = self.out.total()
        put_value(self.out, CS, list(self.terms), False, False, None)
        return self.set_length(at, SPECIFIC_CHARACTER_SET, CS, self.out.total() - begun)

    cdef int recode(self, Level level, Py_ssize_t row, uint16_t vr, bytes data) except -1:
        # Convert text from the source's character set to the one being written.
        cdef Row* r = &level.index.rows[row]
        cdef uint32_t tag = r.tag
        cdef Py_ssize_t at
        delimiters = NAME_DELIMITERS if vr == PN else TEXT_DELIMITERS if vr in (ST, LT, UT) else VALUE_DELIMITERS
        source = charset_at(level.index, row)
        text, good = source.decode(data, delimiters=delimiters)
        if not good:
            raise self.named(level, tag, f"not decodable with {'/'.join(source.names)}, its character set")
        try:
            made = self.charset_of(level).encode(text, delimiters=delimiters)
        except EncodeError as error:
            raise self.named(level, tag, error) from None
        at = self.put_header(tag, vr, 0)
        self.out.put(made, len(made))
        if len(made) & 1:
            self.out.put_byte(32)
        self.set_length(at, tag, vr, <uint64_t>((len(made) + 1) & ~1))
        return 0

    cdef int convert_fragments(self, Level level, Py_ssize_t row) except -1:
        # Write encapsulated pixel data: every encapsulated transfer syntax codes its items alike (PS3.5 A.4).
        cdef Index index = level.index
        cdef Row* r = index.known(row)
        cdef Py_ssize_t i = row + 1, stop = r.next
        if not self.encapsulated:
            raise self.named(level, r.tag, "is encapsulated, but the transfer syntax to write is not: "
                             "dicomcore.transcode() decodes it")
        self.put_header(r.tag, OB if r.vr != OW else OW, UNDEFINED_LENGTH)
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


# -- helpers

cdef bint is_plain(object value):
    # Whether the value is ASCII text, which every character set codes alike.
    return isinstance(value, str) and (<str>value).isascii()


cdef bint is_encapsulated(object value):
    # Whether bytes consist of items only (PS3.5 A.4), with or without the sequence delimiter.
    cdef const uint8_t[::1] view
    cdef Py_ssize_t n, i = 0
    cdef uint32_t tag, length
    try:
        view = value
    except (TypeError, ValueError):         # an array: samples
        return False
    if view is None:
        return False
    n = view.shape[0]
    while n - i >= 8:
        tag = load_le32(&view[i])
        length = load_le32(&view[i + 4])
        i += 8
        if tag == 0xE0DDFFFE:
            return length == 0 and i > 8
        if tag != 0xE000FFFE or length > <uint64_t>(n - i):
            return False
        i += length
    return i == n and i > 8


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
    said = f"{length} bytes are more than an element's 32-bit length field can state"
    if tag >> 16 == 0x7FE0:
        fragments, deflated, htj2k = [f"{uid.name} ({uid})" for uid in (
            EncapsulatedUncompressedExplicitVRLittleEndian, DeflatedImageFrameCompression, HTJ2KLossless)]
        said += (f"; encapsulated transfer syntaxes can hold them in fragments: {fragments}, {deflated}, or a "
                 f"compressed one, for example {htj2k}")
    return said
