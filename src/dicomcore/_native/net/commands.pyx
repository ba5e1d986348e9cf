"""Command sets (PS3.7 6.3.1) that are as the standard has them, both ways; others are left to the careful readers."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from dicomcore._native.base.cursor cimport load_le16, load_le32
from dicomcore._native.net.elements cimport put_group_length, put_header, put_pdu

cdef enum:
    HEADER = 8          # bytes of an element's tag and length
    LONGEST_UID = 64
    MOST = 512          # bytes of a command set that is written here
    GROUP_LENGTH = 12   # bytes of the element that is in front of all
    PDU = 12            # bytes of a P-DATA-TF PDU in front of the fragment
    COMMAND_AND_LAST = 3
    NO_DATA_SET = 0x0101
    RESPONSE = 0x8000
    SOP_CLASS = 0x0002
    REQUESTED_CLASS = 0x0003
    FIELD = 0x0100
    MESSAGE_ID = 0x0110
    RESPONDED_TO = 0x0120
    DATA_SET_TYPE = 0x0800
    STATUS = 0x0900
    COMMENT = 0x0902
    SOP_INSTANCE = 0x1000
    REQUESTED_INSTANCE = 0x1001
    LONGEST_COMMENT = 64

cdef enum Form:
    UNKNOWN, NUMBER, NUID, TEXT, TAGS


cdef inline Form form_of(uint32_t number) noexcept nogil:
    # The elements of PS3.7 E.1 and E.2.
    if number in (0x0002, 0x0003, 0x1000, 0x1001):
        return NUID
    if number in (0x0600, 0x0902, 0x1030):
        return TEXT
    if number in (0x0901, 0x1005):
        return TAGS
    if number in (0x0100, 0x0110, 0x0120, 0x0700, 0x0800, 0x0900, 0x0903, 0x1002, 0x1008, 0x1020, 0x1021, 0x1022,
                  0x1023, 0x1031):
        return NUMBER
    return UNKNOWN


cdef bint is_uid(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef bint has_digit = False
    for i in range(n):
        if 48 <= p[i] <= 57:
            has_digit = True
        elif p[i] != 46:
            return False
    return has_digit and n <= LONGEST_UID


cdef bint is_ascii(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if p[i] > 127:
            return False
    return True


cdef bint is_plain(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # What a comment holds as it is: an LO has no backslash and no control characters.
    cdef Py_ssize_t i
    for i in range(n):
        if not 0x20 <= p[i] < 0x7F or p[i] == 0x5C:
            return False
    return n <= LONGEST_COMMENT


def read(const uint8_t[::1] data not None, Py_ssize_t most):
    """The values of a command set by element number; None if anything in it is not regular.

    More than `most` elements are not regular.
    """
    cdef dict values = {}
    cdef Py_ssize_t at = 0, size = data.shape[0], length, left
    cdef const uint8_t* p
    cdef uint32_t number
    cdef int last = -1
    cdef Form form
    while at < size:
        if size - at < HEADER:
            return None
        p = &data[at]
        number = load_le16(p + 2)
        left = load_le32(p + 4)
        if load_le16(p) or left > size - at - HEADER or <int>number <= last or len(values) >= most:
            return None
        last = number
        length, p = left, p + HEADER
        at += HEADER + length
        if number == 0:
            continue
        form = form_of(number)
        if form == NUMBER and length == 2:
            values[number] = load_le16(p)
            continue
        if form != NUID and form != TEXT:
            return None
        while length and p[length - 1] in (0, 32):
            length -= 1
        while length and p[0] in (0, 32):
            p, length = p + 1, length - 1
        if not (is_uid(p, length) if form == NUID else is_ascii(p, length)):
            return None
        values[number] = PyUnicode_DecodeASCII(<const char*>p, length, NULL)
    return values


def write(dict values not None):
    """The bytes of a command set of numbers, UIDs and short ASCII texts; None if it has anything else."""
    cdef uint8_t[MOST] made
    cdef Py_ssize_t at = GROUP_LENGTH
    for key in sorted(values):
        value = values[key]
        if value is None or key == 0:
            continue
        if not 0 < key < 0x10000:
            return None
        at = put(made, at, key, value)
        if at < 0:
            return None
    return finished(made, 0, at)


def answer(asked, int number, int status, comment):
    """The P-DATA-TF PDU of a response without a data set, in a presentation context, to the request `asked`.

    `comment` is None without one. None if it is not of numbers, UIDs and short ASCII texts, or the request has no
    message ID.
    """
    cdef uint8_t[PDU + MOST] made
    cdef Py_ssize_t at = GROUP_LENGTH
    cdef object sop_class = asked.get(SOP_CLASS) or asked.get(REQUESTED_CLASS)
    cdef object instance = asked.get(SOP_INSTANCE) or asked.get(REQUESTED_INSTANCE)
    cdef uint8_t* body = made + PDU
    if sop_class is not None:
        at = put(body, at, SOP_CLASS, sop_class)
    at = put(body, at, FIELD, asked.get(FIELD, 0) | RESPONSE)
    at = put(body, at, RESPONDED_TO, asked.get(MESSAGE_ID))
    at = put(body, at, DATA_SET_TYPE, NO_DATA_SET)
    at = put(body, at, STATUS, status)
    if comment is not None:
        at = put(body, at, COMMENT, comment)
    if instance is not None:
        at = put(body, at, SOP_INSTANCE, instance)
    if at < 0:
        return None
    put_pdu(made, number, COMMAND_AND_LAST, at)
    return finished(made, PDU, at)


cdef Py_ssize_t put(uint8_t* made, Py_ssize_t at, uint32_t number, value) except -2:
    # An element behind `at` bytes; the bytes with it, -1 if it is not of numbers, UIDs and short ASCII texts.
    cdef Py_ssize_t length
    cdef const char* text
    cdef long plain
    if at < 0:
        return -1
    if isinstance(value, str) and form_of(number) in (NUID, TEXT):
        text = PyUnicode_AsUTF8AndSize(value, &length)
        if length > MOST - at - HEADER - 1 or not is_ascii(<const uint8_t*>text, length):
            return -1
        if number == COMMENT and not is_plain(<const uint8_t*>text, length):
            return -1
        memcpy(&made[at + HEADER], text, length)
        if length & 1:
            made[at + HEADER + length] = 0 if form_of(number) == NUID else 32
            length += 1
    elif isinstance(value, int) and form_of(number) == NUMBER and 0 <= value < 0x10000:
        if MOST - at < HEADER + 2:
            return -1
        plain, length = value, 2
        made[at + HEADER], made[at + HEADER + 1] = plain & 0xFF, plain >> 8
    else:
        return -1
    put_header(&made[at], number, <uint32_t>length)
    return at + HEADER + length


cdef bytes finished(uint8_t* made, Py_ssize_t start, Py_ssize_t size):
    # The bytes before a command set and of it, with its group length, which stands at `start`.
    put_group_length(&made[start], size)
    return PyBytes_FromStringAndSize(<char*>made, start + size)
