"""Writes elements with other values: dummies, mapped UIDs, what the façade maps, and marks that say what was done."""

from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.cursor cimport load_le16
from dicomcore._native.base.vr cimport (
    AS, AT, CS, DA, DS, DT, IS, LO, TM, UI, UR, is_number, is_text, word_size,
)
from dicomcore._native.deid.copier cimport Copier, Frame
from dicomcore._native.deid.facts cimport (
    ISSUER, PATIENT_ID, SCHEME, TIMEZONE, is_time, named, names_long_code, settled, type_at,
)
from dicomcore._native.deid.rules cimport (
    AGE, CLEAN, DUMMY, EMPTY, NAME, NET, REMOVE, STRUCTURE, X_Z_D,
)
from dicomcore._native.deid.whole cimport put_whole
from dicomcore._native.scan.index cimport Index
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN, CONTAINER, IMPLICIT, SEQUENCE_DELIMITER, UNDEFINED_LENGTH, Row,
)
from dicomcore._native.views.decode cimport charset_at, decode, vr_name
from dicomcore._native.write.encode cimport put_value
from dicomcore._native.write.output cimport Output

from dicomcore.errors import DeidError

cdef extern from "Python.h":
    PyObject* PyDict_GetItem(object found, object key)      # also of a subclass


cdef class Changer(Copier):
    """What new values are made with."""

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
            return self.put_bytes(f, r, <const uint8_t*>text, n, vr)
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
        return self.replace(f, r, made, UI)

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
            made = self.patient_of().element(given, vr_name(vr), charset_at(self.index, row), names_long_code(r.tag))
        if made is None:
            kind = self.kind_of(f, r.tag, &child)
            action = settled(<uint8_t>X_Z_D if kind == 1 or kind == 2 else basic, kind)
            self.log.add(r.tag, action, rule)
            if action == DUMMY:
                return self.dummy(f, r, vr)
            if action == EMPTY:
                return self.put_bytes(f, r, NULL, 0, vr)
            return 0
        if made is given or made == given:
            return self.keep_element(f, r)
        if rule == NET and action == CLEAN:
            self.log.add(r.tag, action, rule)
        return self.replace(f, r, made, vr)

    cdef int kind_of(self, Frame* f, uint32_t tag, uint32_t* child) noexcept:
        return type_at(self.types, f.level, tag, child) if self.types is not None else 0

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
        return self.replace(f, r, part.whole(), vr)

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
