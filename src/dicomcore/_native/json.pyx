"""DICOM JSON (PS3.18 Annex F) of a data set, written from its rows: text, numbers and bytes go from the source into the
document without a Python object between. Values out of the ordinary are decoded and put into JSON by the façade.
"""

from cpython.mem cimport PyMem_Free
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.math cimport isfinite
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcpy, strlen

from dicomcore._native.cursor cimport load_be16, load_be32, load_be64, load_le16, load_le32, load_le64
from dicomcore._native.dataset cimport DatasetBase, DataElement
from dicomcore._native.decode cimport decode, is_lut_descriptor, resolve_vr, vr_name, word_size
from dicomcore._native.index cimport Index, open_value
from dicomcore._native.scan cimport BIG_ENDIAN, CONTAINER, ITEM, PIXEL_REPRESENTATION, Row
from dicomcore._native.source cimport Source
from dicomcore._native.swap cimport swap
from dicomcore._native.text cimport is_ascii, trimmed, without_equals
from dicomcore._native.vr cimport *

from dicomcore._native.dataset import make_dataset
from dicomcore.errors import EncodeError

cdef extern from "Python.h":
    bint PyObject_CheckBuffer(object thing)
    PyObject* PyUnicode_New(Py_ssize_t size, uint32_t highest) except NULL
    int PyUnicode_Resize(PyObject** text, Py_ssize_t size) except -1
    void* PyUnicode_DATA(PyObject* text)
    str PyUnicode_DecodeUTF8(const char* data, Py_ssize_t size, const char* errors)
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL
    char* PyOS_double_to_string(double value, char code, int precision, int flags, int* kind) except NULL
    enum:
        Py_DTSF_ADD_DOT_0

cdef extern from "base64.h" nogil:
    void dc_base64(const uint8_t* src, Py_ssize_t n, uint8_t* dst) noexcept

cdef enum:
    FIRST = 4096            # bytes of the document to begin with
    PART = 96 * 1024        # of a value in base64, without the GIL; a multiple of 3 and of all words
    DEEPEST = 10_000        # data sets made in memory and nested in each other; one in itself would have no end
    LONGEST_NUMBER = 64     # characters of a DS that is copied as it stands
    DIGITS = 15             # of an IS that is: as many as a double holds
    NUMBER_ROOM = 32        # bytes that any number takes

cdef enum Kind:
    ROWS        # elements that stand in the index one behind the other, by ascending tag
    ITEMS       # the rows of a sequence's items
    VIEW        # a DatasetBase: its elements by tag, changes included
    VIEWS       # the items of a sequence that was set or handed out

cdef struct Level:
    uint8_t kind
    bint any            # something was written: a comma goes before the next
    bint owns           # the last entry of `owners` belongs to this level
    Py_ssize_t row      # ROWS, ITEMS: where it stands in the index
    Py_ssize_t stop

cdef const uint8_t* HEX = b"0123456789ABCDEF"
cdef const uint8_t* LOWER_HEX = b"0123456789abcdef"
cdef int64_t SAFE = 9007199254740991    # 2^53 - 1


cdef inline bint is_bytes(uint16_t vr) noexcept nogil:
    return vr == OB or vr == OW or vr == UN or vr == OF or vr == OD or vr == OL or vr == OV


cdef bint is_ascending(Index index, Py_ssize_t first, Py_ssize_t stop) noexcept nogil:
    # Whether the elements [first, stop) stand in order of tag, none twice.
    cdef Py_ssize_t i = first
    cdef uint32_t last = 0
    while i < stop:
        if index.rows[i].tag <= last and i != first:
            return False
        last = index.rows[i].tag
        i = index.rows[i].next
    return True


cdef bint is_plain(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether no byte of a string has to be escaped (RFC 8259 7).
    cdef Py_ssize_t i
    cdef uint8_t found = 0
    for i in range(n):
        found |= <uint8_t>(p[i] < 32) | <uint8_t>(p[i] == 0x22) | <uint8_t>(p[i] == 0x5C)
    return not found


cdef Py_ssize_t escape(const uint8_t* p, Py_ssize_t n, uint8_t* out) noexcept nogil:
    # A string's bytes with what JSON asks for escaped; up to six bytes for one. Gives how many.
    cdef Py_ssize_t i
    cdef uint8_t* start = out
    cdef uint8_t c, short
    for i in range(n):
        c = p[i]
        if c >= 32 and c != 0x22 and c != 0x5C:
            out[0] = c
            out += 1
            continue
        short = (c if c >= 32 else 0x62 if c == 8 else 0x74 if c == 9 else 0x6E if c == 10 else 0x66 if c == 12
                 else 0x72 if c == 13 else 0)
        out[0] = 0x5C
        if short:
            out[1] = short
            out += 2
        else:
            memcpy(out + 1, b"u00", 3)
            out[4] = LOWER_HEX[c >> 4]
            out[5] = LOWER_HEX[c & 15]
            out += 6
    return out - start


cdef Py_ssize_t write_integer(int64_t value, uint8_t* out) noexcept nogil:
    # Decimal digits; up to 20 bytes. Gives how many.
    cdef uint8_t digits[20]
    cdef Py_ssize_t n = 0, i, at = 0
    cdef uint64_t rest = <uint64_t>value
    if value < 0:
        rest = 0 - rest
        out[0] = 0x2D
        at = 1
    while True:
        digits[n] = <uint8_t>(48 + rest % 10)
        n += 1
        rest //= 10
        if rest == 0:
            break
    for i in range(n):
        out[at + i] = digits[n - 1 - i]
    return at + n


cdef inline bint is_digit(const uint8_t* p, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    return i < n and 48 <= p[i] <= 57


cdef Py_ssize_t write_number_text(const uint8_t* p, Py_ssize_t n, bint whole, uint8_t* out) noexcept nogil:
    # One component of a DS or (`whole`) IS as a JSON number: its own characters, without what JSON doesn't allow (plus
    # sign, leading zeros, a point without digits on both sides) and with the same digits. Up to n + 2 bytes. Gives how
    # many; 0 where it takes a closer look: no such number, or one that a double might not hold.
    cdef Py_ssize_t i = 0, at = 0, first, digits
    if n > (DIGITS + 1 if whole else LONGEST_NUMBER):
        return 0
    if p[0] == 0x2D or p[0] == 0x2B:
        if p[0] == 0x2D:
            out[0] = 0x2D
            at = 1
        i = 1
    first = i
    while is_digit(p, i, n):
        i += 1
    digits = i - first
    if whole and digits > DIGITS:
        return 0
    while digits > 1 and p[first] == 48:
        first += 1
        digits -= 1
    if digits == 0:
        if whole or not (i < n and p[i] == 0x2E and is_digit(p, i + 1, n)):
            return 0
        out[at] = 48
        at += 1
    else:
        memcpy(out + at, p + first, digits)
        at += digits
    if whole:
        return at if i == n else 0
    if i < n and p[i] == 0x2E:
        i += 1
        if is_digit(p, i, n):
            out[at] = 0x2E
            at += 1
            while is_digit(p, i, n):
                out[at] = p[i]
                at += 1
                i += 1
    if i < n and (p[i] == 0x45 or p[i] == 0x65):
        first = i
        i += 1
        if i < n and (p[i] == 0x2D or p[i] == 0x2B):
            i += 1
        digits = 0
        while is_digit(p, i, n):
            digits += 1
            i += 1
        if digits == 0 or digits > 2:
            return 0
        memcpy(out + at, p + first, i - first)
        at += i - first
    return at if i == n else 0


cdef class Writer:
    # A document as it grows: the characters of a str that nobody has seen yet.
    cdef PyObject* text
    cdef uint8_t* data          # its characters
    cdef Py_ssize_t size, capacity
    cdef bint ascii             # nothing above 7FH was written
    cdef object odd             # attribute(vr, value) -> what follows "vr" in the attribute object, as JSON
    cdef object bulk            # element -> URI, or None
    cdef Py_ssize_t most        # bytes of a value that stays inline although there is `bulk`
    cdef Index index            # of the level at hand, if it is of rows
    cdef Level* levels
    cdef Py_ssize_t depth, level_capacity
    cdef list owners
    cdef Py_ssize_t views
    cdef type data_set_class

    def __cinit__(self):
        self.ascii = True
        self.owners = []

    def __dealloc__(self):
        Py_XDECREF(self.text)
        free(self.levels)

    # -- characters

    cdef int grow(self, Py_ssize_t more) except -1:
        cdef Py_ssize_t wanted = max(self.size + more, self.capacity + (self.capacity >> 1), <Py_ssize_t>FIRST)
        if self.text == NULL:
            self.text = PyUnicode_New(wanted, 127)
        else:
            PyUnicode_Resize(&self.text, wanted)
        self.data = <uint8_t*>PyUnicode_DATA(self.text)
        self.capacity = wanted
        return 0

    cdef inline int reserve(self, Py_ssize_t more) except -1:
        if more > self.capacity - self.size:
            self.grow(more)
        return 0

    cdef inline int put(self, const char* text, Py_ssize_t n) except -1:
        self.reserve(n)
        memcpy(self.data + self.size, text, n)
        self.size += n
        return 0

    cdef inline int put_byte(self, uint8_t c) except -1:
        self.reserve(1)
        self.data[self.size] = c
        self.size += 1
        return 0

    cdef int put_quoted(self, const uint8_t* p, Py_ssize_t n) except -1:
        # A string of UTF-8 bytes.
        if is_plain(p, n):
            self.reserve(n + 2)
            self.data[self.size] = 0x22
            memcpy(self.data + self.size + 1, p, n)
            self.size += n + 1
        else:
            self.reserve(6 * n + 2)
            self.data[self.size] = 0x22
            self.size += 1 + escape(p, n, self.data + self.size + 1)
        self.data[self.size] = 0x22
        self.size += 1
        return 0

    cdef int put_str(self, str text) except -1:
        # Text that is JSON already.
        cdef Py_ssize_t n
        cdef const char* p = PyUnicode_AsUTF8AndSize(text, &n)
        self.ascii = self.ascii and text.isascii()
        return self.put(p, n)

    cdef object finished(self):
        # The document as a str; nothing can be put any more.
        cdef PyObject* text = self.text
        cdef object result
        if not self.ascii:
            return PyUnicode_DecodeUTF8(<const char*>self.data, self.size, NULL)
        PyUnicode_Resize(&self.text, self.size)
        text = self.text
        self.text = NULL
        result = <object>text
        Py_XDECREF(text)
        return result

    # -- levels

    cdef int push(self, Kind kind, Py_ssize_t row, Py_ssize_t stop, object owner) except -1:
        cdef Level* levels
        cdef Py_ssize_t wanted
        if self.depth == self.level_capacity:
            wanted = 2 * self.level_capacity + 16
            levels = <Level*>realloc(self.levels, wanted * sizeof(Level))
            if levels == NULL:
                raise MemoryError("no memory for nested sequences")
            self.levels = levels
            self.level_capacity = wanted
        self.levels[self.depth] = Level(kind, False, owner is not None, row, stop)
        self.depth += 1
        if owner is not None:
            self.owners.append(owner)
        return 0

    cdef int push_view(self, DatasetBase view) except -1:
        self.views += 1
        if self.views > DEEPEST:
            raise EncodeError(f"data sets nested deeper than {<int>DEEPEST}: does one contain itself?")
        return self.push(VIEW, 0, 0, (view, iter(view.tags())))

    cdef int pop(self) except -1:
        cdef Level* level = &self.levels[self.depth - 1]
        self.depth -= 1
        if level.kind == ITEMS or level.kind == VIEWS:
            self.put(b"]}", 2)
        else:
            self.put_byte(0x7D)
        if level.kind == VIEW:
            self.views -= 1
        if level.owns:
            owner = self.owners.pop()
            if level.kind == ITEMS:
                self.index = (<tuple>owner)[0]
        return 0

    cdef int run(self) except -1:
        # Write what the levels hold, from the innermost outward, until none is left.
        cdef Level* level
        while self.depth:
            level = &self.levels[self.depth - 1]
            if level.kind == ROWS:
                if level.row < level.stop:
                    self.next_row(level)
                    continue
            elif level.kind == ITEMS:
                if level.row < level.stop:
                    self.next_item(level)
                    continue
            elif self.next_of_view(level):
                continue
            self.pop()
        return 0

    cdef inline int comma(self, Level* level) except -1:
        if level.any:
            self.put_byte(0x2C)
        level.any = True
        return 0

    cdef int next_row(self, Level* level) except -1:
        cdef Py_ssize_t row = level.row
        cdef uint32_t tag = self.index.rows[row].tag
        level.row = self.index.known(row).next
        if tag & 0xFFFF == 0:                   # group lengths stay out (PS3.18 F.2.2)
            return 0
        self.comma(level)
        return self.put_row(self.index, row, None)

    cdef int next_item(self, Level* level) except -1:
        cdef Py_ssize_t row = level.row, stop = self.index.rows[row].next
        level.row = stop
        if self.index.rows[row].tag != ITEM:
            return 0
        self.comma(level)
        self.put_byte(0x7B)
        if is_ascending(self.index, row + 1, stop):
            return self.push(ROWS, row + 1, stop, None)
        return self.push_view(make_dataset(self.data_set_class, self.index, row))

    cdef bint next_of_view(self, Level* level) except -1:
        # The next element of a data set or item of a sequence that are objects; False where none is left.
        cdef DatasetBase view
        cdef DataElement element
        cdef uint32_t tag
        owner = self.owners[len(self.owners) - 1]
        if level.kind == VIEWS:
            view = next(owner, None)
            if view is None:
                return False
            self.comma(level)
            self.put_byte(0x7B)
            self.push_view(view)
            return True
        view, tags = owner
        found = next(tags, None)
        if found is None:
            return False
        tag = found
        if tag & 0xFFFF == 0:
            return True
        self.comma(level)
        element = None
        if view.elements is not None:
            element = view.elements.get(found)
        if element is None:
            self.put_row(view.index, view.find_row(tag), view)
        elif element.index is not None and not element.is_set and (not element.has_value or not keeps(element)):
            self.put_row(element.index, element.row, view)
        else:
            self.put_element(element, view)
        return True

    # -- elements

    cdef int put_head(self, uint32_t tag, uint16_t vr) except -1:
        # "GGGGEEEE":{"vr":"XX"
        cdef uint8_t* p
        cdef int i
        self.reserve(32)
        p = self.data + self.size
        p[0] = 0x22
        for i in range(8):
            p[1 + i] = HEX[tag >> (28 - 4 * i) & 15]
        memcpy(p + 9, b'":{"vr":"', 9)
        p[18] = vr & 0xFF
        p[19] = vr >> 8
        p[20] = 0x22
        self.size += 21
        return 0

    cdef int put_element(self, DataElement element, DatasetBase view) except -1:
        # An element whose value was set or may have been changed.
        cdef uint16_t vr = element.vr
        value = element.get_value()
        if vr_form(vr) == VR_UNKNOWN:
            vr = settled(vr, value, view)
        self.put_head(element.number, vr)
        if vr == SQ:
            if not value:
                return self.put_byte(0x7D)
            self.put(b',"Value":[', 10)
            return self.push(VIEWS, 0, 0, iter(value))
        if self.bulk is not None and is_bytes(vr):
            size = memoryview(value).nbytes if PyObject_CheckBuffer(value) else 0
            if size > self.most:
                return self.put_uri(element)
        try:
            self.put_str(self.odd(vr_name(vr), value))
        except (ValueError, TypeError, OverflowError) as error:
            raise EncodeError(f"{element.tag} {element.keyword}: {error}") from error
        return self.put_byte(0x7D)

    cdef int put_uri(self, object element) except -1:
        cdef Py_ssize_t n
        cdef const char* p
        uri = self.bulk(element)
        if not isinstance(uri, str):
            raise TypeError(f"bulk_data_element_handler gives a URI as str, not {type(uri).__name__}")
        p = PyUnicode_AsUTF8AndSize(uri, &n)
        self.ascii = self.ascii and uri.isascii()
        self.put(b',"BulkDataURI":', 15)
        self.put_quoted(<const uint8_t*>p, n)
        return self.put_byte(0x7D)

    cdef int put_row(self, Index index, Py_ssize_t row, DatasetBase view) except -1:
        # An element of the source; one of `view`, or of the item around the row.
        cdef Row* r = index.known(row)
        cdef uint16_t vr = resolve_vr(index, row)
        cdef Py_ssize_t n = <Py_ssize_t>r.length, mark
        cdef const uint8_t* p
        cdef bint done

        self.put_head(r.tag, vr)
        if vr == SQ:
            return self.put_sequence(index, row)
        if n == 0:
            return self.put_byte(0x7D)
        if is_bytes(vr):
            if self.bulk is not None and n > self.most:
                if view is None:
                    view = make_dataset(self.data_set_class, index, index.rows[row].parent)
                return self.put_uri(view.find(r.tag))
            return self.put_bytes(index.source, r.offset, n, word_size(vr) if r.flags & BIG_ENDIAN else 1)
        _owner = index.hold(r, &p)
        mark = self.size
        if vr == DS or vr == IS:
            done = self.put_number_texts(p, n, vr == IS)
        elif is_text(vr):
            done = self.put_texts(p, n, vr) if is_ascii(p, n) else self.put_coded(index, row, vr)
        else:
            done = n % word_size(vr) == 0 and not (vr == SS and is_lut_descriptor(r.tag))
            if done:
                self.put_numbers(p, n, vr, r.flags & BIG_ENDIAN != 0)
        if not done:
            self.size = mark
            self.put_str(self.odd(vr_name(vr), decode(index, row, vr)))
        return self.put_byte(0x7D)

    cdef int put_sequence(self, Index index, Py_ssize_t row) except -1:
        # What stands behind the VR of a sequence; its items follow from a level of their own.
        cdef Py_ssize_t i, stop
        cdef object before = None
        if not index.known(row).flags & CONTAINER:
            if index.rows[row].length == 0:
                return self.put_byte(0x7D)
            index = open_value(index, row)
            row = 0
        i = row + 1
        stop = index.rows[row].next
        while i < stop and index.rows[i].tag != ITEM:
            i = index.rows[i].next
        if i >= stop:
            return self.put_byte(0x7D)
        self.put(b',"Value":[', 10)
        if index is not self.index:
            before = (self.index,)
            self.index = index
        return self.push(ITEMS, i, stop, before)

    cdef int put_bytes(self, Source source, uint64_t offset, Py_ssize_t n, Py_ssize_t width) except -1:
        # Base64 of bytes of the source, little endian: JSON doesn't say in which order they are, nor has it another.
        # In parts: what has to be read from a file is read into the same memory, and still in the cache when encoded.
        cdef Py_ssize_t size
        cdef bytearray swapped
        cdef const uint8_t* p
        cdef uint8_t* into
        self.put(b',"InlineBinary":"', 17)
        self.reserve((n + 2) // 3 * 4 + 2)
        while n:
            size = min(n, <Py_ssize_t>PART)
            _owner = source.hold(offset, size, &p)
            if width > 1:
                swapped = bytearray(p[:size])
                into = <uint8_t*><char*>swapped
                swap(into, into, size // width, width)
                p = into
            into = self.data + self.size
            if size < PART:
                dc_base64(p, size, into)
            else:
                with nogil:
                    dc_base64(p, size, into)
            self.size += (size + 2) // 3 * 4
            _owner = None                       # its memory is for the next part
            offset += size
            n -= size
        return self.put(b'"}', 2)

    cdef bint put_number_texts(self, const uint8_t* p, Py_ssize_t n, bint whole) except -1:
        # DS and IS; False where a component is out of the ordinary.
        cdef const uint8_t* end
        cdef const uint8_t* cut
        cdef const uint8_t* stop
        cdef uint8_t* out
        cdef Py_ssize_t wrote
        n = trimmed(p, n)
        if n == 0:
            return True
        self.put(b',"Value":[', 10)
        end = p + n
        while True:
            cut = <const uint8_t*>memchr(p, 0x5C, end - p) if end > p else NULL
            stop = cut if cut != NULL else end
            while p < stop and p[0] == 32:
                p += 1
            wrote = trimmed(p, stop - p)
            self.reserve(LONGEST_NUMBER + 8)
            out = self.data + self.size
            if wrote == 0:
                memcpy(out, b"null", 4)
                wrote = 4
            else:
                wrote = write_number_text(p, wrote, whole, out)
                if wrote == 0:
                    return False
            out[wrote] = 0x5D if cut == NULL else 0x2C
            self.size += wrote + 1
            if cut == NULL:
                return True
            p = cut + 1

    cdef int put_numbers(self, const uint8_t* p, Py_ssize_t n, uint16_t vr, bint big) except -1:
        cdef Py_ssize_t width = word_size(vr), i
        self.put(b',"Value":[', 10)
        for i in range(0, n, width):
            self.reserve(NUMBER_ROOM)
            self.put_number(p + i, vr, big)
            self.put_byte(0x2C)
        self.data[self.size - 1] = 0x5D
        return 0

    cdef int put_number(self, const uint8_t* p, uint16_t vr, bint big) except -1:
        # One binary number; there is room for it.
        cdef int64_t value
        cdef uint64_t word
        cdef uint32_t half
        cdef float single
        cdef double full
        if vr == US:
            value = load_be16(p) if big else load_le16(p)
        elif vr == SS:
            value = <int16_t>(load_be16(p) if big else load_le16(p))
        elif vr == UL:
            value = load_be32(p) if big else load_le32(p)
        elif vr == SL:
            value = <int32_t>(load_be32(p) if big else load_le32(p))
        elif vr == FL:
            half = load_be32(p) if big else load_le32(p)
            memcpy(&single, &half, 4)
            return self.put_double(single)
        elif vr == AT:
            if big:
                half = (<uint32_t>load_be16(p) << 16) | load_be16(p + 2)
            else:
                half = (<uint32_t>load_le16(p) << 16) | load_le16(p + 2)
            return self.put_tag(half)
        else:
            word = load_be64(p) if big else load_le64(p)
            if vr == FD:
                memcpy(&full, &word, 8)
                return self.put_double(full)
            return self.put_wide(word, vr == SV)
        self.size += write_integer(value, self.data + self.size)
        return 0

    cdef int put_tag(self, uint32_t tag) except -1:
        cdef uint8_t* out = self.data + self.size
        cdef int i
        out[0] = 0x22
        for i in range(8):
            out[1 + i] = HEX[tag >> (28 - 4 * i) & 15]
        out[9] = 0x22
        self.size += 10
        return 0

    cdef int put_wide(self, uint64_t word, bint signed) except -1:
        # 64 bits; as text where readers that know only doubles would lose digits (PS3.18 F.2.3).
        cdef int64_t value = <int64_t>word
        cdef bint safe = -SAFE <= value <= SAFE if signed else word <= <uint64_t>SAFE
        if safe:
            self.size += write_integer(value, self.data + self.size)
            return 0
        return self.put_str(f'"{value}"' if signed else f'"{word}"')

    cdef int put_double(self, double value) except -1:
        # The shortest digits that give this double again, as repr() has them.
        cdef char* digits
        cdef int64_t whole
        if not isfinite(value):
            return self.put_str('"NaN"' if value != value else '"Infinity"' if value > 0 else '"-Infinity"')
        if -1e15 < value < 1e15:
            whole = <int64_t>value
            if whole != 0 and <double>whole == value:
                self.size += write_integer(whole, self.data + self.size)
                return self.put(b".0", 2)
        digits = PyOS_double_to_string(value, 0x72, 0, Py_DTSF_ADD_DOT_0, NULL)
        try:
            return self.put(digits, strlen(digits))
        finally:
            PyMem_Free(digits)

    # -- text

    cdef bint put_texts(self, const uint8_t* p, Py_ssize_t n, uint16_t vr) except -1:
        # ASCII text, divided and rid of its padding as decode() does it.
        cdef const uint8_t* end
        cdef const uint8_t* cut
        cdef Py_ssize_t size
        cdef bint each = vr == LO or vr == SH or vr == UC or vr == UI or vr == AE
        n = trimmed(p, n)
        if n == 0:
            return True
        if is_single(vr):
            self.put(b',"Value":[', 10)
            self.put_quoted(p, n)
            self.put_byte(0x5D)
            return True
        end = p + n
        cut = <const uint8_t*>memchr(p, 0x5C, n)
        if cut == NULL:
            while vr == AE and p < end and p[0] == 32:
                p += 1
            size = without_equals(p, n) if vr == PN else end - p
            if size:
                self.put(b',"Value":[', 10)
                self.put_one(p, size, vr)
                self.put_byte(0x5D)
            return True
        self.put(b',"Value":[', 10)
        while True:
            size = (cut if cut != NULL else end) - p
            if each:
                size = trimmed(p, size)
            elif vr == PN:
                size = without_equals(p, size)
            while vr == AE and size and p[0] == 32:
                p += 1
                size -= 1
            if size:
                self.put_one(p, size, vr)
            else:
                self.put(b"null", 4)
            if cut == NULL:
                return self.put_byte(0x5D) == 0
            self.put_byte(0x2C)
            p = cut + 1
            cut = <const uint8_t*>memchr(p, 0x5C, end - p) if end > p else NULL

    cdef bint put_coded(self, Index index, Py_ssize_t row, uint16_t vr) except -1:
        # Text that its character set makes readable, in UTF-8.
        cdef Py_ssize_t n
        cdef const char* p
        cdef object value = decode(index, row, vr)
        cdef list values = value if isinstance(value, list) else [value]
        if len(values) == 1 and not values[0]:
            return True
        self.put(b',"Value":[', 10)
        for text in values:
            p = PyUnicode_AsUTF8AndSize(text, &n)
            self.ascii = self.ascii and text.isascii()
            if n:
                self.put_one(<const uint8_t*>p, n, vr)
            else:
                self.put(b"null", 4)
            self.put_byte(0x2C)
        self.data[self.size - 1] = 0x5D
        return True

    cdef int put_one(self, const uint8_t* p, Py_ssize_t n, uint16_t vr) except -1:
        # One value: a string, or a person's name by component groups, those that aren't empty (PS3.18 F.2.2).
        cdef const uint8_t* end = p + n
        cdef const uint8_t* cut
        cdef int group = 0
        cdef bint any = False
        if vr != PN:
            return self.put_quoted(p, n)
        self.put_byte(0x7B)
        while True:
            cut = <const uint8_t*>memchr(p, 0x3D, end - p) if group < 2 and end > p else NULL
            n = (cut if cut != NULL else end) - p
            if n:
                if any:
                    self.put_byte(0x2C)
                any = True
                if group == 0:
                    self.put(b'"Alphabetic":', 13)
                elif group == 1:
                    self.put(b'"Ideographic":', 14)
                else:
                    self.put(b'"Phonetic":', 11)
                self.put_quoted(p, n)
            if cut == NULL:
                return self.put_byte(0x7D)
            p = cut + 1
            group += 1


cdef bint keeps(DataElement element) except -1:
    # Whether the element's value has to be written from memory: the sequence was handed out, or a list was changed.
    return element.vr == SQ or element._changed


cdef uint16_t settled(uint16_t vr, object value, DatasetBase view) except? 0xFFFF:
    # One VR where the dictionary leaves a choice ("US or SS"), for a value made in memory (PS3.5 A.1, PS3.6).
    if vr == OB_OR_OW or isinstance(value, (bytes, bytearray, memoryview)):
        return OW
    if vr == US_OR_SS or vr == US_OR_SS_OR_OW:
        numbers = value if isinstance(value, list) else [value]
        if view.tag_value(PIXEL_REPRESENTATION, 0) == 1 or any(isinstance(n, int) and n < 0 for n in numbers):
            return SS
    return US


def settled_vr(DataElement element not None, DatasetBase view not None) -> str:
    """The VR of an element of `view`, one of the standard's also where the dictionary leaves a choice."""
    element.settle()
    if vr_form(element.vr) == VR_UNKNOWN:
        return vr_name(settled(element.vr, element.get_value(), view))
    return vr_name(element.vr)


def write_json(DatasetBase data_set not None, DatasetBase meta, object odd, object bulk, Py_ssize_t most) -> str:
    """The document of a data set, its attributes behind those of its file meta information if that is given.

    `odd(vr, value)` gives what follows the VR of an unusual value. `bulk(element)`, unless it is None, is asked for the
    URI of binary values of more than `most` bytes.
    """
    cdef Writer writer = Writer()
    writer.odd = odd
    writer.bulk = bulk
    writer.most = most
    writer.data_set_class = type(data_set)
    writer.put_byte(0x7B)
    if meta is not None:
        writer.push_view(meta)
        writer.run()
        writer.size -= 1                        # the brace: what follows goes into the same object
        writer.push_view(data_set)
        writer.levels[0].any = writer.size > 1
    else:
        writer.push_view(data_set)
    writer.run()
    return writer.finished()
