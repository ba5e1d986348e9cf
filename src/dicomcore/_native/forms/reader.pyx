"""Reads DICOM JSON (PS3.18 Annex F) and Native DICOM Model documents (PS3.19 A.1) in their usual form.

An attribute in any other form is left to the façade, with its text; so is a document that breaks a rule, as a whole:
the façade finds the fault and names it.
"""

from base64 import b64decode

from cpython.list cimport PyList_GET_ITEM
from cpython.weakref cimport PyWeakref_NewRef
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp

from dicomcore._native.base.fault cimport OK
from dicomcore._native.base.number cimport parse_decimal
from dicomcore._native.base.vr cimport *
from dicomcore._native.views.data_element cimport DataElement
from dicomcore._native.views.dataset cimport DatasetBase
from dicomcore._native.views.decode cimport dress, empty_value, make_tag, number_of_text
from dicomcore._native.views.facade cimport DATASET, SEQUENCE

cdef extern from "Python.h":
    str PyUnicode_DecodeUTF8(const char* data, Py_ssize_t size, const char* errors)

cdef enum:
    LONGEST_NUMBER = 40         # characters of a number that is read here
    INTEGER_DIGITS = 18         # an int64 holds any number of so many digits
    LEVELS = 2                  # levels that Limits.depth counts for each nested sequence: the sequence and its item

cdef enum Token:
    BAD                         # not in the usual form
    NULL_WORD
    TEXT                        # a string without escapes: `start`, `size`
    INTEGER                     # `whole`
    DECIMAL                     # `number`
    GROUPS                      # an object, of which only the brace was read

cdef struct Level:
    bint is_item                # the attributes of a data set; otherwise the items of a sequence
    bint any                    # something was read: a comma comes next, or the end
    uint32_t tag                # of the last attribute, or of the sequence
    Py_ssize_t count            # items so far


cdef inline int hexadecimal(uint8_t c) noexcept nogil:
    if 48 <= c <= 57:
        return c - 48
    c |= 32
    return c - 87 if 97 <= c <= 102 else -1


cdef inline bint read_tag(const uint8_t* p, uint32_t* tag) noexcept nogil:
    # Eight hexadecimal digits.
    cdef int i, digit
    tag[0] = 0
    for i in range(8):
        digit = hexadecimal(p[i])
        if digit < 0:
            return False
        tag[0] = tag[0] << 4 | <uint32_t>digit
    return True


cdef bint lowest_and_highest(uint16_t vr, int64_t* lowest, int64_t* highest) noexcept nogil:
    # The range of a VR of integers; False for other VRs.
    cdef bint signed = vr == SS or vr == SL or vr == SV
    cdef int bits = 16 if vr == US or vr == SS else 32 if vr == UL or vr == SL else 62 if vr == UV or vr == SV else 0
    if bits == 0:
        return False
    lowest[0] = -(<int64_t>1 << (bits - 1)) if signed else 0        # 62: all that INTEGER_DIGITS can be
    highest[0] = (<int64_t>1 << (bits - signed)) - 1
    return True


cdef class Reader:
    # Reads one document, with a stack of levels.
    cdef bytes data
    cdef const uint8_t* p
    cdef const uint8_t* end
    cdef Level* levels
    cdef Py_ssize_t depth, capacity, items_around, most_items, elements_left
    cdef list data_sets         # the data sets of the open levels
    cdef list sequences         # the sequences of the open levels
    cdef list left              # (data set, path of its item, tag, text) of the attributes left to the façade
    # the last token
    cdef const uint8_t* start
    cdef Py_ssize_t size
    cdef int64_t whole
    cdef double number

    def __cinit__(self):
        self.data_sets = []
        self.sequences = []
        self.left = []

    def __dealloc__(self):
        free(self.levels)

    # -- characters

    cdef inline uint8_t next(self) noexcept nogil:
        # Skip white space; the next character, 0 at the end.
        while self.p < self.end and (self.p[0] == 32 or self.p[0] == 10 or self.p[0] == 13 or self.p[0] == 9):
            self.p += 1
        return self.p[0] if self.p < self.end else 0

    cdef inline bint take(self, uint8_t mark) noexcept nogil:
        if self.next() != mark:
            return False
        self.p += 1
        return True

    cdef bint string(self) noexcept nogil:
        # Read a string without escapes and control characters.
        cdef const uint8_t* p
        if not self.take(0x22):
            return False
        p = self.start = self.p
        while p < self.end and p[0] != 0x22:
            if p[0] < 32 or p[0] == 0x5C:
                return False
            p += 1
        if p == self.end:
            return False
        self.size = p - self.start
        self.p = p + 1
        return True

    cdef bint name(self, const char* text, Py_ssize_t n) noexcept nogil:
        # Read this key, and the colon behind it.
        return self.string() and self.size == n and memcmp(self.start, text, n) == 0 and self.take(0x3A)

    cdef Token numeral(self) noexcept nogil:
        # Read a number (RFC 8259 6).
        cdef const uint8_t* p = self.p
        cdef bint negative = p[0] == 0x2D, whole = True
        cdef const uint8_t* first
        cdef int64_t value = 0
        self.start = p
        p += negative
        first = p
        while p < self.end and 48 <= p[0] <= 57:
            value = 10 * value + (p[0] - 48) if p - first < INTEGER_DIGITS else 0
            p += 1
        if p == first or first[0] == 48 and p - first > 1:
            return BAD
        whole = p - first <= INTEGER_DIGITS
        if p < self.end and p[0] == 0x2E:
            whole = False
            p += 1
            first = p
            while p < self.end and 48 <= p[0] <= 57:
                p += 1
            if p == first:
                return BAD
        elif not whole:
            return BAD
        if p < self.end and p[0] | 32 == 0x65:
            whole = False
            p += 1
            if p < self.end and (p[0] == 0x2B or p[0] == 0x2D):
                p += 1
            first = p
            while p < self.end and 48 <= p[0] <= 57:
                p += 1
            if p == first:
                return BAD
        self.size = p - self.start
        self.p = p
        if whole:
            self.whole = -value if negative else value
            return INTEGER
        if self.size > LONGEST_NUMBER or parse_decimal(self.start, self.size, &self.number) != OK:
            return BAD
        return DECIMAL if isfinite(self.number) else BAD

    cdef Token token(self) noexcept nogil:
        # Read the next value of an attribute.
        cdef uint8_t mark = self.next()
        if mark == 0x22:
            return TEXT if self.string() else BAD
        if mark == 0x7B:
            self.p += 1
            return GROUPS
        if mark == 0x2D or 48 <= mark <= 57:
            return self.numeral()
        if self.end - self.p >= 4 and memcmp(self.p, b"null", 4) == 0:
            self.p += 4
            return NULL_WORD
        return BAD

    cdef bint skip(self) noexcept nogil:
        # Pass over an object, whatever is in it; False if it has no end.
        cdef Py_ssize_t open_marks = 0
        cdef uint8_t mark
        while self.p < self.end:
            mark = self.p[0]
            self.p += 1
            if mark == 0x22:
                while self.p < self.end and self.p[0] != 0x22:
                    self.p += 2 if self.p[0] == 0x5C else 1
                if self.p >= self.end:
                    return False
                self.p += 1
            elif mark == 0x7B or mark == 0x5B:
                open_marks += 1
            elif mark == 0x7D or mark == 0x5D:
                open_marks -= 1
                if open_marks == 0:
                    return True
        return False

    # -- levels

    cdef int push(self, bint is_item, uint32_t tag) except -1:
        cdef Level* levels
        cdef Py_ssize_t wanted
        if self.depth == self.capacity:
            wanted = max(2 * self.capacity, <Py_ssize_t>16)
            levels = <Level*>realloc(self.levels, wanted * sizeof(Level))
            if levels == NULL:
                raise MemoryError("no memory for nested sequences")
            self.levels = levels
            self.capacity = wanted
        self.levels[self.depth] = Level(is_item, False, tag, 0)
        self.depth += 1
        return 0

    cdef bint count(self) noexcept:
        self.elements_left -= 1
        return self.elements_left >= 0

    cdef int add(self, uint32_t tag, uint16_t vr, object value) except -1:
        # Add an element to the innermost data set.
        cdef DatasetBase owner = <DatasetBase>PyList_GET_ITEM(self.data_sets, len(self.data_sets) - 1)
        cdef DataElement made = DataElement.__new__(DataElement)
        made.number = tag
        made.vr = vr
        made.held = value
        made.has_value = made.is_set = made.kept = True
        made.place = PyWeakref_NewRef(owner, None)
        if owner.elements is None:
            owner.elements = {}
        owner.elements[tag] = made
        return 0

    cdef bint open_item(self, Level* level) except -1:
        # Begin the next item of a sequence.
        cdef list sequence = <list>PyList_GET_ITEM(self.sequences, len(self.sequences) - 1)
        cdef DatasetBase item
        level.any = True
        if self.items_around >= self.most_items or not self.count():
            return False
        item = DATASET.__new__(DATASET)
        sequence.append(item)
        level.count += 1
        if self.next() == 0x6E:                 # null stands for an empty item
            return self.token() == NULL_WORD
        if not self.take(0x7B):
            return False
        self.items_around += 1
        self.data_sets.append(item)
        self.push(True, 0)
        return True

    cdef bint read(self) except -1:
        # Read all levels; False if the document is not in the usual form.
        cdef Level* level
        if not self.take(0x7B):
            return False
        self.push(True, 0)
        while self.depth:
            level = &self.levels[self.depth - 1]
            if self.take(0x7D if level.is_item else 0x5D):
                self.depth -= 1
                if level.is_item:
                    self.data_sets.pop()
                    self.items_around -= 1
                else:
                    self.sequences.pop()
                    if not self.take(0x7D):     # of the attribute object
                        return False
                continue
            if level.any and not self.take(0x2C):
                return False
            if not (self.next_attribute(level) if level.is_item else self.open_item(level)):
                return False
        return self.next() == 0 and self.p == self.end

    # -- attributes

    cdef bint next_attribute(self, Level* level) except -1:
        cdef uint32_t tag
        cdef const uint8_t* begin
        cdef bint first = not level.any
        level.any = True
        if not self.string() or self.size != 8 or not read_tag(self.start, &tag) or not self.take(0x3A):
            return False
        if tag <= level.tag and not first or self.next() != 0x7B or not self.count():
            return False
        level.tag = tag
        begin = self.p
        if tag >> 16 == 2 or tag >> 16 == 0xFFFE or tag & 0xFFFF == 0 or not self.attribute(tag):
            self.p = begin
            if not self.skip():
                return False
            self.elements_left += 1             # the façade counts it
            found = self.reference(begin)
            if found is None:
                found = begin[:self.p - begin]
            self.left.append((self.data_sets[len(self.data_sets) - 1], self.path(), tag, found))
        return True

    cdef dict reference(self, const uint8_t* begin):
        # The attribute object that lies from `begin` to here, if it has a VR and a URI in their usual form; else None.
        cdef const uint8_t* stop = self.p
        cdef str vr
        cdef dict found = None
        self.p = begin + 1
        if self.name(b"vr", 2) and self.string():
            vr = PyUnicode_DecodeUTF8(<const char*>self.start, self.size, NULL)
            if self.take(0x2C) and self.name(b"BulkDataURI", 11) and self.string() and self.take(0x7D):
                found = {"vr": vr, "BulkDataURI": PyUnicode_DecodeUTF8(<const char*>self.start, self.size, NULL)}
        self.p = stop
        return found

    cdef str path(self):
        # The path of the innermost item, as the façade's ElementPath has it: "00081140[0]."
        cdef Py_ssize_t i
        cdef str text = ""
        for i in range(self.depth - 1):
            if not self.levels[i].is_item:
                text += f"{self.levels[i].tag:08X}[{self.levels[i].count - 1}]."
        return text

    cdef bint attribute(self, uint32_t tag) except -1:
        # Read an attribute object; False if it is not in the usual form.
        cdef uint16_t vr
        cdef uint8_t form
        cdef list items
        if not self.take(0x7B) or not self.name(b"vr", 2) or not self.string() or self.size != 2:
            return False
        vr = self.start[0] | self.start[1] << 8
        form = vr_form(vr)
        if form == VR_UNKNOWN:
            return False
        if vr == SQ:
            items = <list>SEQUENCE.__new__(SEQUENCE)         # a subclass of list
            if not self.take(0x7D):
                if not self.open_values():
                    return False
                self.sequences.append(items)
                self.push(False, tag)
            self.add(tag, vr, items)
            return True
        if self.take(0x7D):
            self.add(tag, vr, nothing(vr))
            return True
        if is_bytes(vr):
            return vr != UN and self.inline(tag, vr)
        if not self.open_values():
            return False
        value = self.values(tag, vr)
        if value is None or not self.take(0x7D):
            return False
        self.add(tag, vr, (<tuple>value)[0])
        return True

    cdef bint inline(self, uint32_t tag, uint16_t vr) except -1:
        # Read the value of a VR of bytes, which is in base64.
        if not (self.take(0x2C) and self.name(b"InlineBinary", 12) and self.string() and self.take(0x7D)):
            return False
        try:
            self.add(tag, vr, b64decode(self.start[:self.size], validate=True))
        except ValueError:
            return False
        return True

    cdef bint open_values(self) noexcept nogil:
        return self.take(0x2C) and self.name(b"Value", 5) and self.take(0x5B)

    cdef tuple values(self, uint32_t tag, uint16_t vr):
        # Read the values behind the bracket of a Value array; the attribute's value in a tuple, None if they are not in
        # the usual form.
        cdef list several = None
        cdef object one = None
        cdef Py_ssize_t count = 0
        cdef Token token
        if self.take(0x5D):
            return (nothing(vr),)
        while True:
            token = self.token()
            if token == BAD:
                return None
            if token == NULL_WORD and self.next() == 0x5D and count == 0:
                self.p += 1
                return (nothing(vr),)
            value = self.single(token, tag, vr)
            if value is None:
                return None
            count += 1
            if count == 1:
                one = value
            elif several is None:
                several = [one, value]
            else:
                several.append(value)
            if self.take(0x5D):
                return (one if several is None else several,)
            if not self.take(0x2C):
                return None

    cdef object single(self, Token token, uint32_t tag, uint16_t vr):
        # One value as the façade's `typed` gives it; None if it is not in the usual form.
        cdef int64_t lowest, highest
        cdef float rounded
        cdef uint32_t found
        if vr == PN and token == GROUPS:
            return self.alphabetic()
        if token == GROUPS:
            return None
        if is_text(vr):
            return self.text(token, vr)
        if vr == DS or vr == IS:
            if token == NULL_WORD:
                return ""
            if token == TEXT:
                value = number_of_text(PyUnicode_DecodeUTF8(<const char*>self.start, self.size, NULL), vr)
                return value if isinstance(value, int) or vr == DS and isinstance(value, float) else None
            if vr == DS:
                return <double>self.whole if token == INTEGER else self.number
            return self.whole if token == INTEGER else None
        if vr == AT:
            return make_tag(found) if token == TEXT and self.size == 8 and read_tag(self.start, &found) else None
        if vr == FD or vr == FL:
            if token != INTEGER and token != DECIMAL:
                return None
            if token == INTEGER:
                self.number = <double>self.whole
            if vr == FD:
                return self.number
            rounded = <float>self.number
            return rounded if isfinite(rounded) else None
        if token == INTEGER and lowest_and_highest(vr, &lowest, &highest) and lowest <= self.whole <= highest:
            return self.whole
        return None

    cdef object text(self, Token token, uint16_t vr):
        # One value of a VR of text.
        if token == NULL_WORD:
            return dress("", vr)
        if token != TEXT or vr == UI and self.size and (self.start[0] <= 32 or self.start[self.size - 1] <= 32):
            return None
        return dress(PyUnicode_DecodeUTF8(<const char*>self.start, self.size, NULL), vr)

    cdef object alphabetic(self):
        # A person's name of one component group.
        cdef str text
        if not self.name(b"Alphabetic", 10) or not self.string() or memchr(self.start, 0x3D, self.size) != NULL:
            return None
        text = PyUnicode_DecodeUTF8(<const char*>self.start, self.size, NULL)
        return dress(text, PN) if self.take(0x7D) else None


cdef object nothing(uint16_t vr):
    # The value of an attribute object without values.
    return dress("", vr) if is_text(vr) else empty_value(vr)


cdef tuple read_by(Reader reader, bytes data, Py_ssize_t begin, DatasetBase root, Py_ssize_t depth,
                   Py_ssize_t elements):
    # What a reader made of a document from byte `begin` on, see read_usual(); None leaves the root as it was.
    if root.index is not None or root.elements:
        return None
    reader.data = data
    reader.p = data
    reader.end = reader.p + len(data)
    reader.p += begin
    reader.most_items = depth // LEVELS
    reader.elements_left = elements
    reader.data_sets.append(root)
    try:
        if reader.read():
            return reader.elements_left, reader.left
    except UnicodeDecodeError:
        pass
    root.elements = None
    return None


def read_usual(bytes data not None, DatasetBase root not None, Py_ssize_t depth, Py_ssize_t elements) -> tuple | None:
    """Read a document in UTF-8 into an empty data set, within the limits of nesting and of elements.

    Returns the number of elements that the limit has left, and what the façade has to read itself, in the order of the
    document: (data set, path of its item, tag, text) of each such attribute; for the text stands a dict, if it has the
    usual form of a URI. None, and an unchanged root, if the
    document is not in the usual form as a whole.
    """
    return read_by(Reader(), data, 0, root, depth, elements)


# -- the Native DICOM Model in XML (PS3.19 A.1)

cdef class XmlReader(Reader):
    # The same for a document in XML, of elements without comments, references and prefixes.
    cdef const uint8_t* tag_text    # attributes of the last tag; NULL if it lacks them
    cdef const uint8_t* vr_text
    cdef int64_t position           # its number, 0 if it has none
    cdef bint closed                # it has no contents

    cdef inline bint literal(self, const char* text, Py_ssize_t n) noexcept nogil:
        if self.end - self.p < n or memcmp(self.p, text, n) != 0:
            return False
        self.p += n
        return True

    cdef bint space(self) noexcept nogil:
        # Skip white space; whether there was any.
        cdef const uint8_t* before = self.p
        while self.p < self.end and (self.p[0] == 32 or self.p[0] == 10 or self.p[0] == 9):
            self.p += 1
        return self.p != before

    cdef bint tag(self, const char* text, Py_ssize_t n) noexcept nogil:
        # Read the opening tag of this element; attributes other than those of an attribute or a value are refused.
        cdef bint any = False, found
        cdef const uint8_t* name
        cdef Py_ssize_t size
        self.space()
        if not self.literal(b"<", 1) or not self.literal(text, n):
            return False
        self.tag_text = self.vr_text = NULL
        self.position = 0
        while True:
            found = self.space()
            if self.literal(b">", 1):
                self.closed = False
                return True
            if self.literal(b"/>", 2):
                self.closed = True
                return True
            if not found:
                return False
            name = self.p
            while self.p < self.end and (self.p[0] | 32) >= 97 and (self.p[0] | 32) <= 122:
                self.p += 1
            size = self.p - name
            if not self.literal(b'="', 2):
                return False
            self.start = self.p
            while self.p < self.end and 32 <= self.p[0] < 127 and self.p[0] != 0x22 and self.p[0] != 0x26 and \
                    self.p[0] != 0x3C:
                self.p += 1
            self.size = self.p - self.start
            if not self.literal(b'"', 1):
                return False
            if size == 3 and memcmp(name, b"tag", 3) == 0 and self.tag_text == NULL and self.size == 8:
                self.tag_text = self.start
            elif size == 2 and memcmp(name, b"vr", 2) == 0 and self.vr_text == NULL and self.size == 2:
                self.vr_text = self.start
            elif size == 6 and memcmp(name, b"number", 6) == 0 and self.position == 0 and self.is_position():
                pass
            elif size == 7 and memcmp(name, b"keyword", 7) == 0 and not any:
                any = True
            else:
                return False

    cdef bint is_position(self) noexcept nogil:
        # Read the last attribute's value as a number without leading zeros.
        cdef Py_ssize_t i
        if not 0 < self.size < 9 or self.start[0] == 48:
            return False
        for i in range(self.size):
            if not 48 <= self.start[i] <= 57:
                return False
            self.position = 10 * self.position + (self.start[i] - 48)
        return True

    cdef bint contents(self, const char* ending, Py_ssize_t n) noexcept nogil:
        # Read text up to this closing tag.
        cdef const uint8_t* p = self.p
        self.start = p
        if not self.closed:
            while p < self.end and p[0] != 0x3C:
                if p[0] < 32 and p[0] != 10 and p[0] != 9 or p[0] == 0x26 or p[0] == 0x3E:
                    return False
                if p[0] == 0xEF and self.end - p > 2 and p[1] == 0xBF and p[2] >= 0xBE:     # no characters of XML
                    return False
                p += 1
        self.size = p - self.start
        self.p = p
        return self.closed or self.literal(ending, n)

    cdef bint pass_attribute(self) noexcept nogil:
        # Pass over an attribute with all that is in it.
        cdef Py_ssize_t depth = 0
        cdef const uint8_t* begin
        cdef bint quoted
        while self.p < self.end:
            if self.p[0] != 0x3C:
                self.p += 1
                continue
            begin = self.p
            quoted = False
            while self.p < self.end and (quoted or self.p[0] != 0x3E):
                if self.p[0] == 0x22:
                    quoted = not quoted
                elif self.p[0] == 0x27:
                    return False
                self.p += 1
            if self.p == self.end:
                return False
            self.p += 1
            if self.p - begin > 15 and memcmp(begin, b"<DicomAttribute", 15) == 0:
                depth += self.p[-2] != 0x2F
            elif self.p - begin >= 17 and memcmp(begin, b"</DicomAttribute", 16) == 0:
                depth -= 1
            if depth == 0:
                return True
        return False

    cdef bint read(self) except -1:
        cdef Level* level
        self.push(True, 0)
        while self.depth:
            level = &self.levels[self.depth - 1]
            self.space()
            if self.literal(b"</", 2):
                if not self.close(level):
                    return False
                continue
            if not (self.next_attribute(level) if level.is_item else self.open_item(level)):
                return False
        self.space()
        return self.p == self.end

    cdef bint close(self, Level* level) except -1:
        # Leave a level at its closing tag.
        self.depth -= 1
        if not level.is_item:
            self.sequences.pop()
            return self.literal(b"DicomAttribute>", 15)
        self.data_sets.pop()
        self.items_around -= 1
        return self.literal(b"Item>", 5) if self.depth else self.literal(b"NativeDicomModel>", 17)

    cdef bint open_item(self, Level* level) except -1:
        cdef list sequence = <list>PyList_GET_ITEM(self.sequences, len(self.sequences) - 1)
        cdef DatasetBase item
        if (self.items_around >= self.most_items or not self.count() or not self.tag(b"Item", 4)
                or self.tag_text != NULL or self.vr_text != NULL):
            return False
        level.count += 1
        if self.position != 0 and self.position != level.count:
            return False
        item = DATASET.__new__(DATASET)
        sequence.append(item)
        if not self.closed:
            self.items_around += 1
            self.data_sets.append(item)
            self.push(True, 0)
        return True

    cdef bint next_attribute(self, Level* level) except -1:
        cdef const uint8_t* begin = self.p
        cdef uint32_t tag = 0
        if not self.count():
            return False
        if not self.tag(b"DicomAttribute", 14) or self.position or not self.is_public(&tag) or (
                tag > level.tag and not self.attribute(tag)):
            self.p = begin
            if not self.pass_attribute():
                return False
            self.elements_left += 1             # the façade counts it
            self.left.append((self.data_sets[len(self.data_sets) - 1], self.path(), 0, begin[:self.p - begin]))
            return True
        if tag <= level.tag:
            return False
        level = &self.levels[self.depth - 1]
        if not level.is_item:
            level -= 1                          # attribute() has opened the sequence
        level.tag = tag
        return True

    cdef bint is_public(self, uint32_t* tag) noexcept nogil:
        # Whether the last tag is of an attribute that no other has to be known for.
        cdef int i
        if self.tag_text == NULL or self.vr_text == NULL or not read_tag(self.tag_text, tag):
            return False
        for i in range(8):
            if self.tag_text[i] >= 97:
                return False
        return not (tag[0] & 0x10000 or tag[0] >> 16 == 2 or tag[0] >> 16 == 0xFFFE or tag[0] & 0xFFFF == 0)

    cdef bint attribute(self, uint32_t tag) except -1:
        # Read the values of an attribute whose tag was read.
        cdef uint16_t vr = self.vr_text[0] | self.vr_text[1] << 8
        cdef list items
        if vr_form(vr) == VR_UNKNOWN:
            return False
        if vr == SQ:
            items = <list>SEQUENCE.__new__(SEQUENCE)        # a subclass of list
            self.add(tag, vr, items)
            if not self.closed:
                self.sequences.append(items)
                self.push(False, tag)
            return True
        value = self.values(tag, vr)
        if value is None:
            return False
        self.add(tag, vr, (<tuple>value)[0])
        return True

    cdef tuple values(self, uint32_t tag, uint16_t vr):
        cdef list found = []
        if not self.closed:
            while True:
                self.space()
                if self.literal(b"</DicomAttribute>", 17):
                    break
                if is_bytes(vr) or not self.tag(b"PersonName" if vr == PN else b"Value", 10 if vr == PN else 5):
                    return None
                if self.tag_text != NULL or self.vr_text != NULL:
                    return None
                if self.position != 0 and self.position != len(found) + 1:
                    return None
                value = self.name_value() if vr == PN else self.value(tag, vr)
                if value is None:
                    return None
                found.append(value)
        if not found or len(found) == 1 and type(found[0]) is str and not found[0]:
            return (nothing(vr),)
        return (found[0] if len(found) == 1 else found,)

    cdef object value(self, uint32_t tag, uint16_t vr):
        # One value as the façade gives it; None if it is not in the usual form.
        cdef const uint8_t* behind
        cdef const uint8_t* end = self.end
        cdef Token token = TEXT
        if not self.contents(b"</Value>", 8):
            return None
        if self.size == 0:
            return dress("", vr) if is_text(vr) else "" if vr == DS or vr == IS else None
        if not is_single(vr) and memchr(self.start, 0x5C, self.size) != NULL:
            return None
        if not is_text(vr) and (self.start[0] <= 32 or self.start[self.size - 1] <= 32):
            return None
        if is_number(vr):
            behind = self.p
            self.p = self.start
            self.end = self.start + self.size
            token = self.numeral()
            if self.p != self.end:
                token = BAD
            self.end = end
            self.p = behind
            if token == BAD or token == INTEGER and self.whole == 0 and self.start[0] == 0x2D:     # -0.0
                return None
        return self.single(token, tag, vr)

    cdef object name_value(self):
        # A person's name of one component group.
        cdef list parts = []
        cdef const uint8_t* begin
        if self.closed or not self.tag(b"Alphabetic", 10) or self.closed:
            return None
        for name, ending in COMPONENTS:
            self.space()
            begin = self.p
            if self.literal(b"</Alphabetic>", 13):
                break
            if self.tag(name, len(<bytes>name)):
                if not self.contents(ending, len(<bytes>ending)) or memchr(self.start, 0x3D, self.size) != NULL or \
                        memchr(self.start, 0x5C, self.size) != NULL:
                    return None
                parts.append(PyUnicode_DecodeUTF8(<const char*>self.start, self.size, NULL))
            else:
                self.p = begin
                parts.append("")
        else:
            self.space()
            if not self.literal(b"</Alphabetic>", 13):
                return None
        self.space()
        return dress("^".join(parts), PN) if parts and self.literal(b"</PersonName>", 13) else None


cdef tuple COMPONENTS = tuple([
    (name, b"</" + name + b">") for name in (b"FamilyName", b"GivenName", b"MiddleName", b"NamePrefix", b"NameSuffix")
])


def read_usual_xml(bytes data not None, Py_ssize_t begin, DatasetBase root not None, Py_ssize_t depth,
                   Py_ssize_t elements) -> tuple | None:
    """The same for the contents of a NativeDicomModel element, which begin at byte `begin`; the tags of what is left
    are 0."""
    if not 0 <= begin <= len(data):
        return None
    return read_by(XmlReader(), data, begin, root, depth, elements)


cdef inline Py_ssize_t behind_space(const uint8_t* p, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    while i < n and (p[i] == 32 or p[i] == 9 or p[i] == 10 or p[i] == 13):
        i += 1
    return i


cdef Py_ssize_t behind_object(const uint8_t* p, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    # The offset behind the object that begins at i, or -1 if it does not end. What it contains is not judged.
    cdef Py_ssize_t depth = 0
    cdef uint8_t c
    while i < n:
        c = p[i]
        if c == 34:                             # a string, in which \\ escapes one character
            i += 1
            while i < n and p[i] != 34:
                i += 2 if p[i] == 92 else 1
        elif c == 123 or c == 91:
            depth += 1
        elif c == 125 or c == 93:
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    return -1


def object_spans(const uint8_t[::1] text not None) -> list | None:
    """Where the objects of an array begin and end, as offsets; None for a text that is no array of objects.

    The objects are to be read one by one: brackets are only counted here.
    """
    cdef Py_ssize_t n = text.shape[0], i, start
    cdef const uint8_t* p
    cdef list spans = []
    if n == 0:
        return None
    p = &text[0]
    i = behind_space(p, 0, n)
    if i == n or p[i] != 91:
        return None
    i = behind_space(p, i + 1, n)
    while i < n and p[i] == 123:
        start = i
        with nogil:
            i = behind_object(p, i, n)
        if i < 0:
            return None
        spans.append((start, i))
        i = behind_space(p, i, n)
        if i == n or p[i] != 44:
            break
        i = behind_space(p, i + 1, n)
        if i == n or p[i] != 123:
            return None
    if i == n or p[i] != 93 or behind_space(p, i + 1, n) != n:
        return None
    return spans
