"""Writes a JSON document (RFC 8259) with the values of DICOM JSON (PS3.18 F.2): strings, names, numbers, tags."""

from cpython.mem cimport PyMem_Free
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.math cimport isfinite
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy, strlen

from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.base.cursor cimport load_be16, load_be32, load_be64, load_le16, load_le32, load_le64
from dicomcore._native.base.text cimport trimmed, without_equals
from dicomcore._native.base.vr cimport AE, AT, FD, FL, LO, PN, SH, SL, SS, SV, UC, UI, UL, US, is_single, word_size

cdef extern from "Python.h":
    PyObject* PyUnicode_New(Py_ssize_t size, uint32_t highest) except NULL
    int PyUnicode_Resize(PyObject** text, Py_ssize_t size) except -1
    void* PyUnicode_DATA(PyObject* text)
    str PyUnicode_DecodeUTF8(const char* data, Py_ssize_t size, const char* errors)
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL
    char* PyOS_double_to_string(double value, char code, int precision, int flags, int* kind) except NULL
    enum:
        Py_DTSF_ADD_DOT_0

cdef enum:
    FIRST = 4096            # bytes of the document to begin with
    LONGEST_NUMBER = 64     # most characters of a DS that is copied
    DIGITS = 15             # most digits of an IS that is copied: a double holds any 15 digits
    INTEGER_ROOM = 20       # most characters of an int64 or uint64
    TAG_ROOM = 10           # characters of a tag in quotes
    NUMBER_ROOM = 32        # bytes that are enough for any number and a comma

cdef const uint8_t* HEX = b"0123456789ABCDEF"
cdef const uint8_t* LOWER_HEX = b"0123456789abcdef"
cdef int64_t SAFE = 9007199254740991    # 2^53 - 1


cdef bint is_plain(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether no byte of a string has to be escaped (RFC 8259 7).
    cdef Py_ssize_t i
    cdef uint8_t found = 0
    for i in range(n):
        found |= <uint8_t>(p[i] < 32) | <uint8_t>(p[i] == 0x22) | <uint8_t>(p[i] == 0x5C)
    return not found


cdef Py_ssize_t escape(const uint8_t* p, Py_ssize_t n, uint8_t* out) noexcept nogil:
    # Write a string's bytes with JSON's escapes, up to six bytes for each; returns the number of bytes written.
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
    # Write decimal digits, at most INTEGER_ROOM bytes; returns the number of bytes written.
    cdef uint8_t digits[INTEGER_ROOM]
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
    # Write one component of a DS or (`whole`) IS as a JSON number: its own characters with the same digits, but without
    # forms that JSON forbids (plus sign, leading zeros, a point without digits on both sides). Takes up to n + 2 bytes,
    # and returns the number of bytes written. 0: the façade must decode it; it isn't a number, or may not fit a double.
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


cdef class Document:
    """The characters of an unfinished str, which no other code can refer to yet."""

    def __cinit__(self):
        self.ascii = True

    def __dealloc__(self):
        Py_XDECREF(self.text)

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

    cdef int put_quoted(self, const uint8_t* p, Py_ssize_t n) except -1:
        # Append UTF-8 bytes as a JSON string.
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
        # Append text that is JSON already.
        cdef Py_ssize_t n
        cdef const char* p = PyUnicode_AsUTF8AndSize(text, &n)
        self.ascii = self.ascii and text.isascii()
        return self.put(p, n)

    cdef object finished(self):
        # The document as a str; nothing can be put afterwards.
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

    # -- numbers

    cdef bint put_number_texts(self, const uint8_t* p, Py_ssize_t n, bint whole) except -1:
        # Append a DS or IS; False if write_number_text() refuses a component.
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
        static_assert(INTEGER_ROOM < NUMBER_ROOM)
        static_assert(TAG_ROOM < NUMBER_ROOM)
        self.put(b',"Value":[', 10)
        for i in range(0, n, width):
            self.reserve(NUMBER_ROOM)
            self.put_number(p + i, vr, big)
            self.put_byte(0x2C)
        self.data[self.size - 1] = 0x5D
        return 0

    cdef int put_number(self, const uint8_t* p, uint16_t vr, bint big) except -1:
        # Append one binary number; NUMBER_ROOM bytes must be reserved.
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
        # Append eight hexadecimal digits in quotes; TAG_ROOM bytes must be reserved.
        cdef uint8_t* out = self.data + self.size
        cdef int i
        out[0] = 0x22
        for i in range(8):
            out[1 + i] = HEX[tag >> (28 - 4 * i) & 15]
        out[9] = 0x22
        self.size += TAG_ROOM
        return 0

    cdef int put_wide(self, uint64_t word, bint signed) except -1:
        # Append a 64-bit integer; as a string if readers that know only doubles would lose digits (PS3.18 F.2.3).
        cdef int64_t value = <int64_t>word
        cdef bint safe = -SAFE <= value <= SAFE if signed else word <= <uint64_t>SAFE
        if safe:
            self.size += write_integer(value, self.data + self.size)
            return 0
        return self.put_str(f'"{value}"' if signed else f'"{word}"')

    cdef int put_double(self, double value) except -1:
        # Append the shortest digits that give the same double, as repr() writes them.
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
        # Append ASCII text, divided into values and stripped of its padding as decode() does it.
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

    cdef int put_one(self, const uint8_t* p, Py_ssize_t n, uint16_t vr) except -1:
        # Append one value: a string, or the component groups of a person's name that aren't empty (PS3.18 F.2.2).
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
