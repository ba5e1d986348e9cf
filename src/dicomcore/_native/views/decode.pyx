"""Values from rows: an element's VR, and the Python or NumPy value of its bytes (PS3.5 6.2)."""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.object cimport PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.unicode cimport PyUnicode_DecodeLatin1
from libc.math cimport INFINITY, NAN, isfinite
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from dicomcore._native.base.cursor cimport load_be16, load_be32, load_be64, load_le16, load_le32, load_le64
from dicomcore._native.base.dictionary cimport find_creator, private_vr_at, public_vr
from dicomcore._native.base.fault cimport OK, Status
from dicomcore._native.scan.index cimport TEXTS, Index, view_of
from dicomcore._native.base.number cimport count_values, parse_decimal, parse_decimals, parse_integer, parse_integers
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN,
    CONTAINER,
    FRAGMENTS,
    IMPLICIT,
    NO_ROW,
    PIXEL_DATA,
    PIXEL_REPRESENTATION,
    SPECIFIC_CHARACTER_SET,
    UNDEFINED,
    Row,
)
from dicomcore._native.base.taught cimport any_taught_private, taught_private
from dicomcore._native.views.decimal cimport decimal_of
from dicomcore._native.views.facade cimport KEEPS, NAME, WHOLE
from dicomcore._native.base.text cimport is_ascii, stripped, trimmed, without_equals
from dicomcore._native.base.vr cimport *

from dicomcore.arrays import np
from dicomcore.charset import DEFAULT_CHARSET, charset_for
from dicomcore.tags import Tag
from dicomcore.uids import UID
from dicomcore.values import PersonName
from dicomcore.values import parse_integer as parse_integer_text

cdef extern from "Python.h":
    ctypedef object (*newfunc)(PyTypeObject* cls, object args, PyObject* kwargs)
    ctypedef struct PyObject
    newfunc type_new "PyLong_Type.tp_new"
    newfunc str_new "PyUnicode_Type.tp_new"

cdef dict VR_NAMES = {VR_ROWS[i].code: VR_ROWS[i].name.decode("ascii") for i in range(VR_COUNT)} | {
    US_OR_SS: "US or SS", OB_OR_OW: "OB or OW", US_OR_OW: "US or OW", US_OR_SS_OR_OW: "US or SS or OW",
}
cdef dict VR_DTYPES = {
    VR_ROWS[i].code: VR_ROWS[i].dtype.decode("ascii") for i in range(VR_COUNT) if VR_ROWS[i].dtype[0]
}

cdef enum:
    LUT_DATA = 0x00283006
    LONGEST_TEXT = 64 * 1024    # bytes of a text that is kept decoded


cdef str vr_name(uint16_t vr):
    return VR_NAMES.get(vr, "UN")


cdef str vr_dtype(uint16_t vr):
    return VR_DTYPES.get(vr, "u1")


cdef object make_tag(uint32_t tag):
    # Tag(tag) without checking the argument's type.
    return type_new(<PyTypeObject*>Tag, (tag,), NULL)


cdef object make_uid(str text):
    return str_new(<PyTypeObject*>UID, (text,), NULL)


cdef object make_name(str text):
    # Drop the delimiters of empty component groups at the end, as PS3.5 6.2.1 allows.
    if text and text[len(text) - 1] == u"=":
        text = text.rstrip("=")
    return str_new(<PyTypeObject*>(PersonName if NAME is None else NAME), (text,), NULL)


cdef object empty_value(uint16_t vr):
    if vr == PN:
        return make_name("")
    return "" if is_text(vr) else None


# -- which VR

cdef int64_t context_number(Index index, Py_ssize_t row, uint32_t tag) except? -2:
    # The US value of `tag` in the data set of `row`, or in the nearest data set around it that has it; -1 if none has.
    cdef Py_ssize_t found
    cdef const uint8_t* p
    cdef Row* r
    while True:
        found = index.sibling(row, tag)
        if found >= 0 and index.rows[found].length >= 2:
            r = &index.rows[found]
            _owner = index.hold(r, &p)
            return load_be16(p) if r.flags & BIG_ENDIAN else load_le16(p)
        if index.rows[row].parent != NO_ROW:
            row = index.rows[index.rows[row].parent].parent         # the sequence around
        elif index.outer is not None:
            row = index.outer_row
            index = index.outer
        else:
            return -1


cdef uint16_t from_context(Index index, Py_ssize_t row, uint16_t vr) except? 0xFFFF:
    # Choose among the VRs that PS3.6 allows, by Pixel Representation, LUT Descriptor or encoding (PS3.5 A.1, PS3.3
    # C.11.1).
    cdef Row* r = &index.rows[row]
    if vr == US_OR_SS:
        return SS if context_number(index, row, PIXEL_REPRESENTATION) > 0 else US
    if r.tag == PIXEL_DATA and r.flags & UNDEFINED:
        return OB
    if r.tag == LUT_DATA or vr == US_OR_OW or vr == US_OR_SS_OR_OW:
        return US if context_number(index, row, LUT_DESCRIPTOR) == 1 else OW
    return OW


cdef uint16_t private(Index index, Py_ssize_t row) except? 0xFFFF:
    # The VR of a private element from the private dictionary, UN if it is unknown (PS3.5 7.8).
    cdef uint32_t tag = index.rows[row].tag, element = tag & 0xFFFF
    cdef Py_ssize_t creator, n
    cdef const uint8_t* p
    cdef const uint8_t* name
    cdef int known
    cdef uint16_t vr
    if 0x10 <= element <= 0xFF:
        return LO
    if element < 0x1000:
        return UN
    creator = index.sibling(row, (tag & 0xFFFF0000) | (element >> 8))
    if creator < 0 or index.rows[creator].length == 0:
        return UN
    _owner = index.hold(&index.rows[creator], &p)
    name = p
    n = stripped(&name, <Py_ssize_t>index.rows[creator].length)
    known = find_creator(name, n)
    vr = private_vr_at(known, tag) if known >= 0 else NO_VR
    if vr == NO_VR and any_taught_private():
        return own_private(tag, name[:n])
    return vr if vr != NO_VR else UN


cdef uint16_t own_private(uint32_t tag, bytes creator) except? 0xFFFF:
    # The VR of a private element that the program has added to the dictionary, UN if it hasn't.
    cdef tuple own = taught_private(tag, creator.decode("latin-1").strip(" "))
    return UN if own is None else <uint16_t>(ord(own[0][0]) | ord(own[0][1]) << 8)


cdef uint16_t resolve_vr(Index index, Py_ssize_t row) except? 0xFFFF:
    # The VR that the file states; for implicit VR and UN, which state none, the VR of the dictionaries.
    cdef Row* r = &index.rows[row]
    cdef uint16_t vr = r.vr
    if r.flags & CONTAINER and not r.flags & FRAGMENTS:
        return SQ                               # it has items; so has UN of undefined length (PS3.5 6.2.2)
    if r.flags & IMPLICIT:
        if vr == NO_VR:
            vr = private(index, row) if r.tag & 0x10000 else UN
    elif vr == UN:
        vr = private(index, row) if r.tag & 0x10000 else public_vr(r.tag)   # whatever its length (PS3.5 6.2.2)
        if vr == NO_VR:
            vr = UN
    elif vr_form(vr) == VR_UNKNOWN:
        return UN
    if vr == US_OR_SS or vr == OB_OR_OW or vr == US_OR_OW or vr == US_OR_SS_OR_OW:
        return from_context(index, row, vr)
    return vr


# -- character sets

cdef object charset_at(Index index, Py_ssize_t row):
    # The Charset of an element: that of its data set, or of the nearest data set around it with one (PS3.3
    # C.12.1.1.2).
    cdef uint32_t level
    cdef list passed = []
    cdef dict charsets
    if row < index.meta_count:
        return DEFAULT_CHARSET
    while True:
        level = index.rows[row].parent
        charsets = index.own_charsets()
        known = charsets.get(level)
        if known is None:
            passed.append((charsets, level))
            known = stated_charset(index, row)
        if known is not None:
            break
        if level != NO_ROW:
            row = index.rows[level].parent                          # the sequence around
        elif index.outer is not None:
            row = index.outer_row
            index = index.outer
        else:
            known = DEFAULT_CHARSET
            break
    for charsets, where in passed:
        charsets.setdefault(where, known)       # keep an existing one: another thread may be about to use it
    return known


cdef object stated_charset(Index index, Py_ssize_t row):
    # The Charset that the data set of `row` itself states, None if it states none.
    cdef Py_ssize_t stop, first, found
    cdef const uint8_t* p
    first = index.level_of(row, &stop)
    found = index.find(first, stop, SPECIFIC_CHARACTER_SET)
    if found < 0:
        return None
    _owner = index.hold(&index.rows[found], &p)
    terms = p[:index.rows[found].length].decode("latin-1").rstrip(" \0").split("\\")
    known = charset_for(tuple(terms))
    for problem in known.problems:
        index.note("CHARACTER_SET", SPECIFIC_CHARACTER_SET, index.rows[found].offset, problem)
    return known


cdef inline str latin(const uint8_t* p, Py_ssize_t n):
    return PyUnicode_DecodeLatin1(<const char*>p, n, NULL)


cdef object dress(str text, uint16_t vr):
    if vr == UI:
        return make_uid(text)
    if vr == PN:
        return make_name(text)
    return text


cdef object plain_text(const uint8_t* p, Py_ssize_t n, uint16_t vr):
    # Decode bytes that need no character set to one value or a list; padding is removed as pydicom does.
    cdef const uint8_t* end
    cdef const uint8_t* cut
    cdef Py_ssize_t size
    cdef bint each = vr == LO or vr == SH or vr == UC or vr == UI or vr == AE
    cdef list found

    n = trimmed(p, n)
    if vr == AE:
        while n and p[0] == 32:
            p += 1
            n -= 1
    cut = <const uint8_t*>memchr(p, 0x5C, n) if n else NULL
    if cut == NULL:
        return dress(latin(p, without_equals(p, n) if vr == PN else n), vr)
    found = []
    end = p + n
    while True:
        size = (cut if cut != NULL else end) - p
        if each:
            size = trimmed(p, size)
        elif vr == PN:
            size = without_equals(p, size)
        text = latin(p, size)
        found.append(dress(text.lstrip(" ") if vr == AE else text, vr))
        if cut == NULL:
            return found
        p = cut + 1
        cut = <const uint8_t*>memchr(p, 0x5C, end - p) if end > p else NULL


cdef object kept_text(Index index, Py_ssize_t row, const uint8_t* p, Py_ssize_t n, uint16_t vr):
    # The text of a row that was decoded from the same bytes before, None if it was not kept.
    cdef tuple entry
    cdef bytes data
    with cython.critical_section(index):
        entry = None if index.texts is None else index.texts[row & (TEXTS - 1)]
    if entry is None or entry[0] != row or entry[1] != vr:
        return None
    data = entry[2]
    return entry[3] if len(data) == n and memcmp(<const char*>data, p, n) == 0 else None


cdef int keep_text(Index index, Py_ssize_t row, uint16_t vr, bytes data, object text) except -1:
    # Keep a text from the second time on that its row is decoded, in one of TEXTS places: a text that is read once
    # costs no memory, and text read over and over is not decoded again.
    cdef Py_ssize_t place = row & (TEXTS - 1)
    if len(data) > LONGEST_TEXT:
        return 0
    with cython.critical_section(index):
        if index.decoded[place] == row + 1:
            if index.texts is None:
                index.texts = [None] * TEXTS
            index.texts[place] = (row, vr, data, text)
        index.decoded[place] = <uint32_t>(row + 1)
    return 0


cdef object coded_text(Index index, Py_ssize_t row, const uint8_t* p, Py_ssize_t n, uint16_t vr):
    # Decode text that needs its character set.
    cdef Row* r = &index.rows[row]
    cdef bytes data
    if not has_charset(vr):
        index.note("CHARACTER_SET", r.tag, r.offset, f"{vr_name(vr)} holds bytes outside the default repertoire")
        return single_text(p, n) if is_single(vr) else plain_text(p, n, vr)
    known = kept_text(index, row, p, n, vr)
    if known is not None:
        return known
    data = PyBytes_FromStringAndSize(<const char*>p, n)
    charset = charset_at(index, row)
    texts, good = charset.decode_values(data, vr_name(vr))
    if not good:
        index.note("CHARACTER_SET", r.tag, r.offset,
                   f"not decodable with Specific Character Set {chr(92).join(charset.names) or '(none)'}")
    if len(texts) == 1:
        known = dress(texts[0], vr)
        keep_text(index, row, vr, data, known)
        return known
    return [dress(text, vr) for text in texts]


cdef object single_text(const uint8_t* p, Py_ssize_t n):
    return latin(p, trimmed(p, n))


# -- numbers

cdef object whole_of(object number, str text):
    # An IS of pydicom's class, which keeps a text that the number itself doesn't give.
    made = type_new(<PyTypeObject*>WHOLE, (number,), NULL)
    if text is not None and str(number) != text:
        made.original_string = text
    return made


cdef object one_number_text(const uint8_t* p, Py_ssize_t n, uint16_t vr, bint* good):
    # Decode a single DS or IS component: a number, or its text if it isn't one or no double holds it. An IS that is not
    # an integer becomes a float, as in pydicom.
    cdef double number
    cdef int64_t whole
    if trimmed(p, n) == 0:
        return ""
    if vr == DS:
        if parse_decimal(p, n, &number) == OK and isfinite(number):
            return decimal_of(number, p, n) if KEEPS else number
    elif parse_integer(p, n, &whole) == OK:
        return whole if WHOLE is None else whole_of(whole, latin(p, n).strip(" \0"))
    text = latin(p, n).strip(" \0")
    if not text:
        return ""
    if vr == IS:
        try:
            return parse_integer_text(text)     # larger than 64 bits
        except ValueError:
            pass
    good[0] = False
    if vr == IS and parse_decimal(p, n, &number) == OK and isfinite(number):
        return number
    return text


cdef object number_of_text(str text, uint16_t vr):
    # The same for a single component that a caller sets as text.
    cdef bint good = True
    cdef bytes data
    if not text.isascii():
        return text
    data = text.encode("ascii")
    return one_number_text(data, len(data), vr, &good)


def read_number(str vr not None, str text not None):
    """The value that reading returns for one component of a DS or IS: a number, or its text if it is not a number."""
    return number_of_text(text, DS if vr == "DS" else IS)


cdef object number_text(Index index, Py_ssize_t row, const uint8_t* p, Py_ssize_t n, uint16_t vr):
    # Decode DS or IS to a float or int, or a list. A component that is not a number stays text, and an issue is noted.
    cdef Row* r = &index.rows[row]
    cdef const uint8_t* end
    cdef const uint8_t* cut
    cdef bint good = True
    cdef list found

    n = trimmed(p, n)
    if n == 0:
        return None
    end = p + n
    cut = <const uint8_t*>memchr(p, 0x5C, n)
    if cut == NULL:
        value = one_number_text(p, n, vr, &good)
    else:
        found = []
        while cut != NULL:
            found.append(one_number_text(p, cut - p, vr, &good))
            p = cut + 1
            cut = <const uint8_t*>memchr(p, 0x5C, end - p) if end > p else NULL
        found.append(one_number_text(p, end - p, vr, &good))
        value = found
    if not good:
        index.note("BAD_VALUE", r.tag, r.offset,
                   "no whole number where VR IS asks for one" if vr == IS else "no number where VR DS asks for one")
    return value


cdef inline object number(const uint8_t* p, uint16_t vr, bint big):
    cdef uint32_t word
    cdef uint64_t twice
    cdef float single
    cdef double full
    if vr == US:
        return load_be16(p) if big else load_le16(p)
    if vr == SS:
        return <int16_t>(load_be16(p) if big else load_le16(p))
    if vr == UL or vr == SL or vr == FL:
        word = load_be32(p) if big else load_le32(p)
        if vr == UL:
            return word
        if vr == SL:
            return <int32_t>word
        memcpy(&single, &word, 4)
        return single
    if vr == AT:
        if big:
            return make_tag((<uint32_t>load_be16(p) << 16) | load_be16(p + 2))
        return make_tag((<uint32_t>load_le16(p) << 16) | load_le16(p + 2))
    twice = load_be64(p) if big else load_le64(p)
    if vr == UV:
        return twice
    if vr == SV:
        return <int64_t>twice
    memcpy(&full, &twice, 8)
    return full


cdef object binary_numbers(Index index, Py_ssize_t row, const uint8_t* p, Py_ssize_t n, uint16_t vr):
    # Decode binary numbers to one number or a list; to bytes if the length is not a multiple of the VR's word size.
    cdef Row* r = &index.rows[row]
    cdef Py_ssize_t width = word_size(vr), count = n // width, i
    cdef bint big = (r.flags & BIG_ENDIAN) != 0
    cdef list found
    if n == 0:
        return None
    if n % width:
        index.note("BAD_LENGTH", r.tag, r.offset, f"{n} bytes are no multiple of {width}, the size of a {vr_name(vr)}")
        if vr != AT or count == 0:
            return PyBytes_FromStringAndSize(<const char*>p, n)
    if count == 1:
        return number(p, vr, big)
    found = PyList_New(count)
    for i in range(count):
        value = number(p + i * width, vr, big)
        Py_INCREF(value)
        PyList_SET_ITEM(found, i, value)
    if vr == SS and is_lut_descriptor(r.tag) and found[0] < 0:
        found[0] += 65536                       # the number of entries is unsigned in any VR (PS3.3 C.11.1.1.1)
    return found


# -- any value

cdef object decode(Index index, Py_ssize_t row, uint16_t vr):
    # The Python value of any element but a sequence.
    cdef Row* r = index.known(row)
    cdef const uint8_t* p
    cdef Py_ssize_t n = <Py_ssize_t>r.length
    if n == 0:
        return empty_value(vr)
    owner = index.hold(r, &p)
    if vr == DS or vr == IS:
        return number_text(index, row, p, n, vr)
    if is_text(vr):
        if not is_ascii(p, n):
            return coded_text(index, row, p, n, vr)
        if is_single(vr):
            return single_text(p, n)
        return plain_text(p, n, vr)
    if is_number(vr) or vr == AT:
        return binary_numbers(index, row, p, n, vr)
    if type(owner) is bytes and len(<bytes>owner) == n:
        return owner                            # just read from the file for this value only
    return PyBytes_FromStringAndSize(<const char*>p, n)


cdef object raw_view(Index index, Py_ssize_t row):
    # A read-only memoryview of the value's bytes in the source.
    cdef Row* r = index.known(row)
    cdef const uint8_t* p
    return view_of(index.source, index.hold(r, &p), p, r.length)


cdef object decimals(Index index, Py_ssize_t row, uint16_t vr):
    # DS as float64, IS as int64. A component that is empty or not a number becomes NaN, for which IS becomes float64.
    cdef Row* r = &index.rows[row]
    cdef const uint8_t* p
    cdef Py_ssize_t n = <Py_ssize_t>r.length, total, count = 0, at = 0
    cdef double[::1] floats
    cdef int64_t[::1] wholes
    cdef double* into
    cdef int64_t* whole_into
    cdef Status status
    _owner = index.hold(r, &p)
    total = count_values(p, n)
    out = np.empty(total, np.float64 if vr == DS else np.int64)
    if total == 0:
        return out
    if vr == DS:
        floats = out
        into = &floats[0]
        with nogil:
            status = parse_decimals(p, n, into, total, &count, &at)
    else:
        wholes = out
        whole_into = &wholes[0]
        with nogil:
            status = parse_integers(p, n, whole_into, total, &count, &at)
    if status == OK:
        return out
    values = decode(index, row, vr)
    return number_array(values if isinstance(values, list) else [values], vr)


cdef object number_array(list values, uint16_t vr):
    # DS as float64. IS as int64, or as float64 if a value is a fraction, exceeds int64, or is not a number (NaN).
    if vr == IS and all([isinstance(value, int) for value in values]):
        try:
            return np.array(values, np.int64)
        except OverflowError:
            pass
    return np.array([as_double(value) for value in values], np.float64)


cdef double as_double(object value) except? -1.0:
    # The value as a double, NaN if it is not a number; an IS may exceed a double's range and becomes infinite.
    cdef bytes data
    cdef double number
    if isinstance(value, str):
        data = value.encode("latin-1", "replace")
        return number if parse_decimal(data, len(data), &number) == OK else NAN
    try:
        return float(value)
    except OverflowError:
        return INFINITY if value > 0 else -INFINITY
    except (TypeError, ValueError):
        return NAN


cdef object decode_array(Index index, Py_ssize_t row, uint16_t vr):
    # The value of `DataElement.array`.
    cdef Row* r = index.known(row)
    cdef Py_ssize_t width = word_size(vr), n
    if vr == DS or vr == IS:
        return decimals(index, row, vr)
    if is_text(vr):
        value = decode(index, row, vr)
        values = value if isinstance(value, list) else [value] if value != "" else []
        out = np.empty(len(values), object)
        out[:] = values
        return out
    view = raw_view(index, row)
    n = len(view) // width
    if vr == AT:
        halves = np.frombuffer(view, ">u2" if r.flags & BIG_ENDIAN else "<u2", 2 * n).astype(np.uint32)
        return (halves[0::2] << 16) | halves[1::2]
    order = ">" if r.flags & BIG_ENDIAN else "<"
    out = np.frombuffer(view, order + vr_dtype(vr), n) if n else np.empty(0, order + vr_dtype(vr))
    if r.flags & BIG_ENDIAN and not (vr == OW or vr == OL or vr == OV or vr == OF or vr == OD):
        return out.astype(out.dtype.newbyteorder("="))
    return out


cdef Py_ssize_t count_multiplicity(Index index, Py_ssize_t row, uint16_t vr) except -1:
    # The number of values (PS3.5 6.4); 1 for a sequence, as in pydicom.
    cdef Py_ssize_t width
    cdef Row* r = index.known(row)
    if vr == SQ:
        return 1
    if r.length == 0:
        return 0
    if is_text(vr) or vr == DS or vr == IS:
        value = decode(index, row, vr)
        if isinstance(value, list):
            return len(<list>value)
        return 0 if value is None or value == "" else 1
    width = word_size(vr)
    if width == 1 or vr == OW or vr == OL or vr == OV or vr == OF or vr == OD or (r.length % width and vr != AT):
        return 1
    return <Py_ssize_t>r.length // width
