"""Encodes values by VR (PS3.5 6.2): text, numbers as text, binary numbers, tags, bulk data."""

from cpython.mem cimport PyMem_Free
from cpython.unicode cimport PyUnicode_GET_LENGTH
from libc.math cimport isfinite, isinf
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy, strchr, strlen

from dicomcore._native.views.decode cimport vr_dtype, vr_name
from dicomcore._native.views.facade cimport KEEPS
from dicomcore._native.write.output cimport Output
from dicomcore._native.base.vr cimport *

import operator

from dicomcore.arrays import is_array, is_floating, np
from dicomcore.charset import DEFAULT_CHARSET, NAME_DELIMITERS, TEXT_DELIMITERS, VALUE_DELIMITERS
from dicomcore.errors import EncodeError
from dicomcore.values import format_date, format_datetime, format_time, is_date, is_datetime, is_decimal, is_time

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    const uint8_t* PyUnicode_1BYTE_DATA(object text)
    char* PyOS_double_to_string(double value, char format, int precision, int flags, int* kind) except NULL
    double PyFloat_AsDouble(object value) except? -1.0

cdef enum:
    ADD_DOT_0 = 2               # Py_DTSF_ADD_DOT_0: 6.0 for 6, as pydicom writes
    DS_LENGTH = 16              # most characters of a DS component (PS3.5 6.2)
    BACKSLASH = 0x5C


# -- text

cdef object lacking(str text, uint16_t vr):
    # The error for text that a VR without character sets can't hold.
    for character in text:
        if not 0x20 <= ord(character) < 0x7F:
            return EncodeError(f"U+{ord(character):04X} {character!r} is outside the default repertoire, "
                               f"which is all that VR {vr_name(vr)} can hold")
    return EncodeError(f"VR {vr_name(vr)} can't hold {text!r}")


cdef str said_by(object value):
    # The text that pydicom's classes for DS, IS, DA, TM and DT keep with a value; None without one.
    text = getattr(value, "original_string", None)
    return text if type(text) is str else None


cdef int put_text(Output out, object value, uint16_t vr, object charset) except -1:
    # Append one component, or the whole text of a VR that has no multiple values.
    cdef bint single = is_single(vr)
    cdef const uint8_t* data
    cdef Py_ssize_t n
    cdef str text
    if isinstance(value, str):
        text = <str>value
    elif isinstance(value, (bytes, bytearray, memoryview)):
        out.put_object(value)
        return 0
    elif vr == DT and is_datetime(value):
        text = said_by(value) or format_datetime(value)
    elif vr == DA and is_date(value):
        text = said_by(value) or format_date(value)
    elif vr == TM and is_time(value):
        text = said_by(value) or format_time(value)
    elif value is None:
        return 0
    else:
        raise EncodeError(f"VR {vr_name(vr)} takes text, not {type(value).__name__}")
    if PyUnicode_IS_ASCII(text):
        data = PyUnicode_1BYTE_DATA(text)
        n = PyUnicode_GET_LENGTH(text)
        if n == 0 or memchr(data, 0x1B, n) == NULL:
            if n and not single and memchr(data, BACKSLASH, n) != NULL:
                raise EncodeError(f"{text!r} contains a backslash, which divides values: give a list")
            out.put(data, n)
            return 0
    if not has_charset(vr):
        raise lacking(text, vr)
    if not single and "\\" in text:
        raise EncodeError(f"{text!r} contains a backslash, which divides values: give a list")
    delimiters = NAME_DELIMITERS if vr == PN else TEXT_DELIMITERS if single else VALUE_DELIMITERS
    out.put_object((charset if charset is not None else DEFAULT_CHARSET).encode(text, delimiters=delimiters))
    return 0


# -- numbers as text

cdef str take_text(char* text):
    # The text that PyOS_double_to_string() allocated, which is freed; exponents lose plus signs and leading zeros:
    # "1e-5", "1e20".
    cdef str found = text.decode("ascii")
    PyMem_Free(text)
    if "e" not in found:
        return found
    mantissa, exponent = found.split("e")
    return f"{mantissa}e{int(exponent)}"


cdef str fixed(double value, int digits):
    # The number with `digits` digits behind the point; a lone 0 before the point is left out: ".0625".
    cdef str text = take_text(PyOS_double_to_string(value, b"f", digits, 0, NULL))
    if text.startswith("0."):
        return text[1:]
    if text.startswith("-0."):
        return "-" + text[2:]
    return text


cdef str floating(double value, int digits):
    # The number rounded to `digits` significant digits, as a whole number with an exponent: "15625e-6".
    mantissa, exponent = take_text(PyOS_double_to_string(value, b"e", digits - 1, 0, NULL)).split("e")
    sign = "-" if mantissa[0] == "-" else ""
    mantissa = mantissa.lstrip("-").replace(".", "")
    kept = mantissa.rstrip("0") or "0"
    power = int(exponent) - len(kept) + 1
    return f"{sign}{kept}e{power}" if power else f"{sign}{kept}"


cdef str fitted(double value):
    # The text of at most 16 characters that keeps the most digits, for a number whose shortest exact text is longer.
    cdef int digits, places
    cdef str scientific = take_text(PyOS_double_to_string(value, b"e", 16, 0, NULL))
    cdef int exponent = int(scientific.split("e")[1]), room = DS_LENGTH - (scientific[0] == "-")
    best = ""
    places = max(room - 1 - (exponent + 1 if exponent >= 0 else 0), 0)
    while places >= 0 and exponent < room and not best:     # rounding up may add a digit
        text = fixed(value, places)
        if len(text) <= DS_LENGTH:
            best = text
        places -= 1
    kept = places + 1 + exponent + 1            # its significant digits
    digits = room - 2
    while digits > 0 and (not best or digits > kept):
        text = floating(value, digits)
        if len(text) <= DS_LENGTH:
            return text
        digits -= 1
    return best


cdef str decimal_text(double value):
    cdef str text
    if not isfinite(value):
        raise EncodeError(f"VR DS can't hold {value}")
    text = take_text(PyOS_double_to_string(value, b"r", 0, 0, NULL))
    if len(text) <= DS_LENGTH:
        return text
    text = fitted(value)
    while isinf(<double>float(text)):           # rounded past the largest double
        value *= 1 - 1e-11
        text = fitted(value)
    return text


cdef int put_number_text(Output out, object value, uint16_t vr) except -1:
    # Append the text of a DS or IS value that was read or set as text. It need not be a number, and its control
    # characters are kept.
    if isinstance(value, str) and value.isascii() and "\\" not in value:
        value = value.encode("ascii")
    return put_text(out, value, vr, None)


cdef int put_decimal(Output out, object value) except -1:
    cdef double number
    cdef char* text
    cdef Py_ssize_t n
    cdef object said
    if type(value) is not float and type(value) is not int and is_decimal(value):
        said = str(value)
        if len(said) <= DS_LENGTH and value.is_finite():
            out.put_object(said.encode("ascii"))
            return 0
    elif isinstance(value, (str, bytes)):
        return put_number_text(out, value, DS)
    elif value is None:
        return 0
    elif type(value) is not float and isinstance(value, float):
        said = said_by(value)
        if said:
            return put_number_text(out, said, DS)
    try:
        number = PyFloat_AsDouble(value)
    except TypeError:
        raise EncodeError(f"VR DS takes numbers, not {type(value).__name__}") from None
    if not isfinite(number):
        raise EncodeError(f"VR DS can't hold {number}")
    if type(value) is int and len(str(value)) <= DS_LENGTH:
        out.put_object(str(value).encode("ascii"))
        return 0
    text = PyOS_double_to_string(number, b"r", 0, ADD_DOT_0 if KEEPS else 0, NULL)
    n = strlen(text)
    if n <= DS_LENGTH and strchr(text, b"e") == NULL:
        try:
            out.put(<const uint8_t*>text, n)
        finally:
            PyMem_Free(text)
        return 0
    PyMem_Free(text)
    out.put_object(decimal_text(number).encode("ascii"))
    return 0


cdef object whole(object value, uint16_t vr):
    # The value as an int; a float or Decimal must be whole.
    try:
        return operator.index(value)
    except TypeError:
        pass
    if (isinstance(value, float) or is_decimal(value) or is_floating(value)) and value == value and abs(value) < 1e300:
        if int(value) == value:
            return int(value)
    raise EncodeError(f"VR {vr_name(vr)} takes whole numbers, not {value!r}")


cdef int put_integer(Output out, object value) except -1:
    if isinstance(value, (str, bytes)):
        return put_number_text(out, value, IS)
    if value is None:
        return 0
    if type(value) is not int and isinstance(value, int):
        said = said_by(value)
        if said:
            return put_number_text(out, said, IS)
    if (isinstance(value, float) or is_floating(value)) and isfinite(<double>value) and value != int(value):
        out.put_object(decimal_text(value).encode("ascii"))     # read as a fraction, or set despite a warning
        return 0
    text = str(whole(value, IS))
    if len(text) > 12:
        raise EncodeError(f"VR IS can't hold {text}: it takes at most 12 characters")
    out.put_object(text.encode("ascii"))
    return 0


# -- binary numbers

cdef int put_word(Output out, uint64_t word, Py_ssize_t width, bint big) except -1:
    cdef Py_ssize_t i
    out.need(width)
    for i in range(width):
        out.buffer[out.size + (width - 1 - i if big else i)] = (word >> (8 * i)) & 0xFF
    out.size += width
    return 0


cdef int put_number(Output out, object value, uint16_t vr, bint big) except -1:
    cdef Py_ssize_t width = word_size(vr)
    cdef double full
    cdef float single
    cdef uint64_t word = 0
    cdef uint32_t half
    if vr == FL or vr == FD:
        try:
            full = PyFloat_AsDouble(value)
        except TypeError:
            raise EncodeError(f"VR {vr_name(vr)} takes numbers, not {type(value).__name__}") from None
        if vr == FD:
            memcpy(&word, &full, 8)
        else:
            single = <float>full
            if isinf(single) and not isinf(full):
                raise EncodeError(f"VR FL can't hold {full}")
            memcpy(&half, &single, 4)
            word = half
        return put_word(out, word, width, big)
    number = whole(value, vr)
    if vr == SS or vr == SL or vr == SV:
        if not -((<object>1) << (8 * width - 1)) <= number < (<object>1) << (8 * width - 1):
            raise EncodeError(f"VR {vr_name(vr)} can't hold {number}")
        word = <uint64_t><int64_t>number
    else:
        if not 0 <= number < (<object>1) << (8 * width):
            raise EncodeError(f"VR {vr_name(vr)} can't hold {number}")
        word = <uint64_t>number
    if vr == AT:
        put_word(out, word >> 16, 2, big)
        return put_word(out, word & 0xFFFF, 2, big)
    return put_word(out, word, width, big)


cdef object as_words(object value, uint16_t vr):
    # An array as little-endian words of its VR; OB, OW and UN take the bytes of any integer array of up to 32 bits.
    array = np.asarray(value)
    if vr == AT:
        if array.dtype.kind not in "ui" or (array.size and not 0 <= array.min() <= array.max() <= 0xFFFFFFFF):
            raise EncodeError("VR AT takes tags")
        wide = array.astype("<u4")
        return np.ascontiguousarray(((wide >> 16) | (wide << 16)).astype("<u4"))
    if array.dtype.hasobject:
        raise EncodeError(f"VR {vr_name(vr)} takes bytes or numbers, not an array of objects")
    if array.dtype.kind == "b" and not is_binary(vr):
        array = array.astype("u1")
    if is_binary(vr) or vr == OF or vr == OD or vr == OL or vr == OV:
        return fitted_words(array, vr)
    if array.dtype.kind not in "iu" or array.dtype.itemsize > 4:        # NumPy's default types, seldom meant for a file
        raise EncodeError(f"VR {vr_name(vr)} takes bytes or whole numbers of up to 32 bits, not an array of "
                          f"{array.dtype}: give it the type that it is to have in the file")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))


cdef object fitted_words(object array, uint16_t vr):
    # Numbers as words of their VR, if the VR can hold every one. OL and OV take integers of their own size unchanged,
    # signed or not.
    cdef bint floats = vr == FL or vr == FD or vr == OF or vr == OD
    word = np.dtype("<" + vr_dtype(vr))
    if array.dtype.kind in "iu" and array.dtype.itemsize == word.itemsize and (vr == OL or vr == OV):
        return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    made = None
    if array.dtype.kind in "uifb":
        with np.errstate(over="ignore", invalid="ignore"):
            made = array.astype(word)
    if made is None or not (np.array_equal(np.isfinite(made), np.isfinite(array)) if floats
                            else np.array_equal(made, array)):
        raise EncodeError(f"VR {vr_name(vr)} can't hold all of the array's values")
    return np.ascontiguousarray(made)


cdef object listed_words(object value, uint16_t vr):
    # A number, or a list of numbers, as words of a bulk VR.
    try:
        made = np.array(value, vr_dtype(vr))
    except (OverflowError, ValueError, TypeError) as error:
        raise EncodeError(f"VR {vr_name(vr)} can't hold these values: {error}") from None
    if made.dtype.kind == "f":
        return fitted_words(np.asarray(value, float), vr)
    if not np.array_equal(made, np.asarray(value)):
        raise EncodeError(f"VR {vr_name(vr)} takes whole numbers, not {value!r}")
    return made


cdef int put_bulk(Output out, object value, uint16_t vr, bint big, bint held_big, uint64_t width) except -1:
    # Append bytes or words in bulk; values set as bytes have the byte order of their data set, `held_big`.
    if isinstance(value, (bytes, bytearray)):
        out.put_object(value, width if big != held_big else 1)
    elif isinstance(value, memoryview) and value.format in ("B", "b", "c"):
        out.put_object(value.cast("B") if value.contiguous else bytes(value), width if big != held_big else 1)
    elif isinstance(value, str):
        raise EncodeError(f"VR {vr_name(vr)} takes bytes, not text")
    else:
        if isinstance(value, (list, tuple, int, float)):
            value = listed_words(value, vr)
        if not is_array(value):
            try:
                value = np.asarray(memoryview(value))
            except TypeError:
                raise EncodeError(f"VR {vr_name(vr)} takes bytes, not {type(value).__name__}") from None
        array = as_words(value, vr)
        if array.size:
            out.put_object(array.reshape(-1).view("u1"), width if big else 1)
    return 0


# -- any value

cdef int put_one(Output out, object value, uint16_t vr, bint big, object charset) except -1:
    if vr == DS:
        return put_decimal(out, value)
    if vr == IS:
        return put_integer(out, value)
    return put_text(out, value, vr, charset)


cdef inline bint is_numpy(object value):
    # Whether it is an array, which few values are.
    return not isinstance(value, (str, int, float, list, tuple)) and is_array(value)


cdef bint is_binary(uint16_t vr) noexcept nogil:
    return is_number(vr) or vr == AT


cdef int put_value(Output out, uint16_t vr, object value, bint big, bint held_big, object charset,
                   uint64_t width=0) except -1:
    cdef uint64_t start = out.total()
    cdef bint first = True
    if value is None:
        return 0
    if is_bytes(vr) or (is_binary(vr) and (
            isinstance(value, (bytes, bytearray, memoryview)) or is_numpy(value))):
        put_bulk(out, value, vr, big, held_big, width if width else <uint64_t>swap_width(vr))
    elif is_binary(vr):
        if isinstance(value, (list, tuple)):
            for one in value:
                put_number(out, one, vr, big)
        elif not (isinstance(value, str) and not value):
            put_number(out, value, vr, big)
    else:
        if is_numpy(value):
            value = value.reshape(-1).tolist()
        if isinstance(value, (list, tuple)):
            if len(value) > 1 and is_single(vr):
                raise EncodeError(f"VR {vr_name(vr)} takes one text, not {len(value)}")
            for one in value:
                if not first:
                    out.put_byte(BACKSLASH)
                put_one(out, one, vr, big, charset)
                first = False
        else:
            put_one(out, value, vr, big, charset)
    if (out.total() - start) & 1:
        out.put_byte(0 if vr == UI or is_bytes(vr) or is_binary(vr) else 32)
    return 0


def encode_value(str vr not None, value, *, bint big=False, charset=None) -> bytes:
    """The bytes of one value by VR, padded to even length. Raises EncodeError."""
    cdef Output out = Output()
    put_value(out, <uint16_t>(ord(vr[0]) | ord(vr[1]) << 8), value, big, False, charset)
    return out.whole()


def format_decimal(double value) -> str:
    """The text of a number in VR DS: the shortest that gives the same number, or the closest in 16 characters."""
    return decimal_text(value)
