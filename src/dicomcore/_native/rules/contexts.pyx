"""Codes and context groups of PS3.16."""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, strlen

from dicomcore._native.rules.bounds cimport checked

cdef extern from "rules/contexts.h" nogil:
    const int RULE_SCHEME_COUNT, RULE_CODE_COUNT, RULE_SRT_COUNT, RULE_CONTEXT_COUNT, RULE_MEMBER_COUNT
    const char* const RULE_SCHEMES[]
    const rule_code_t RULE_CODES[]
    const rule_srt_t RULE_SRT[]
    const rule_context_t RULE_CONTEXTS[]
    const uint16_t RULE_MEMBERS[]
    const char RULE_CODE_TEXT[][4096]


cdef inline int order_of(uint32_t text, Py_ssize_t m, const uint8_t* value, Py_ssize_t n) noexcept nogil:
    # Shorter ones first, as the tables are sorted.
    if m != n:
        return -1 if m < n else 1
    return memcmp(RULE_CODE_TEXT[0] + text, value, n)


cdef int find_scheme(const uint8_t* scheme, Py_ssize_t m) noexcept nogil:
    cdef int i
    for i in range(RULE_SCHEME_COUNT):
        if RULE_SCHEMES[i][0] == scheme[0] and <Py_ssize_t>strlen(RULE_SCHEMES[i]) == m:
            if memcmp(RULE_SCHEMES[i], scheme, m) == 0:
                return i
    return -1


cdef bint is_srt(const uint8_t* scheme, Py_ssize_t m) noexcept nogil:
    # SRT, and the names that it had before (PS3.16 8).
    return m == 3 and memcmp(scheme, b"SRT", 3) == 0 or m == 4 and memcmp(scheme, b"SNM3", 4) == 0 or (
        m == 5 and memcmp(scheme, b"99SDM", 5) == 0
    )


cdef int find_srt(const uint8_t* value, Py_ssize_t n) noexcept nogil:
    cdef int low = 0, high = RULE_SRT_COUNT, middle, order
    while low < high:
        middle = (low + high) >> 1
        order = order_of(RULE_SRT[middle].text, RULE_SRT[middle].length, value, n)
        if order == 0:
            return RULE_SRT[middle].code
        if order < 0:
            low = middle + 1
        else:
            high = middle
    return -1


cdef int find_code(const uint8_t* scheme, Py_ssize_t m, const uint8_t* value, Py_ssize_t n) noexcept nogil:
    cdef int low = 0, high = RULE_CODE_COUNT, middle, order, number
    cdef const rule_code_t* row
    if m == 0 or n == 0:
        return -1
    if is_srt(scheme, m):
        number = find_srt(value, n)
        if number >= 0:
            return number
    number = find_scheme(scheme, m)
    if number < 0:
        return -1
    while low < high:
        middle = (low + high) >> 1
        row = &RULE_CODES[middle]
        order = row.scheme - number
        if order == 0:
            order = order_of(row.text, row.value, value, n)
            if order == 0:
                return middle
        if order < 0:
            low = middle + 1
        else:
            high = middle
    return -1


cdef bint has_member(int context, int code) noexcept nogil:
    cdef const uint16_t* members = &RULE_MEMBERS[RULE_CONTEXTS[context].members]
    cdef int low = 0, high = RULE_CONTEXTS[context].count, middle
    while low < high:
        middle = (low + high) >> 1
        if members[middle] == code:
            return True
        if members[middle] < code:
            low = middle + 1
        else:
            high = middle
    return False


cdef int context_row(int number) noexcept nogil:
    cdef int low = 0, high = RULE_CONTEXT_COUNT, middle
    while low < high:
        middle = (low + high) >> 1
        if RULE_CONTEXTS[middle].number == number:
            return middle
        if RULE_CONTEXTS[middle].number < number:
            low = middle + 1
        else:
            high = middle
    return -1


cdef const rule_context_t* context_at(int row) noexcept nogil:
    return &RULE_CONTEXTS[row]


cdef str slice_text(Py_ssize_t at, Py_ssize_t n):
    return PyUnicode_DecodeUTF8(RULE_CODE_TEXT[0] + at, n, NULL)


def counts():
    """Rows of each table, and the bytes of all."""
    return {
        "schemes": RULE_SCHEME_COUNT, "codes": RULE_CODE_COUNT, "srt": RULE_SRT_COUNT, "contexts": RULE_CONTEXT_COUNT,
        "members": RULE_MEMBER_COUNT,
        "bytes": sizeof(RULE_SCHEMES) + sizeof(RULE_CODES) + sizeof(RULE_SRT) + sizeof(RULE_CONTEXTS)
        + sizeof(RULE_MEMBERS) + sizeof(RULE_CODE_TEXT),
    }


def find(str scheme not None, str value not None):
    """The number of a code, of SRT that of the code of SCT in its place; -1 if the tables have none."""
    cdef Py_ssize_t m = 0, n = 0
    cdef const char* named = PyUnicode_AsUTF8AndSize(scheme, &m)
    cdef const char* text = PyUnicode_AsUTF8AndSize(value, &n)
    return find_code(<const uint8_t*>named, m, <const uint8_t*>text, n)


def code(int number):
    """(scheme, value, meaning) of a code; the meaning may be empty."""
    cdef const rule_code_t* row = &RULE_CODES[checked(number, RULE_CODE_COUNT)]
    return (
        RULE_SCHEMES[row.scheme].decode("ascii"), slice_text(row.text, row.value),
        slice_text(row.text + row.value, row.meaning),
    )


def find_context(int number):
    """The row of a context group by its number, -1 if there is none."""
    return context_row(number)


def context(int row):
    """(number, name, UID, version, flag, members) of the context group in a row; coded.h explains the flag."""
    cdef const rule_context_t* one = &RULE_CONTEXTS[checked(row, RULE_CONTEXT_COUNT)]
    cdef Py_ssize_t uid = one.text + one.name
    return (
        one.number, slice_text(one.text, one.name), slice_text(uid, one.uid), slice_text(uid + one.uid, one.version),
        chr(one.flag), one.count,
    )


def members(int row):
    """The numbers of a group's codes, sorted."""
    cdef const rule_context_t* one = &RULE_CONTEXTS[checked(row, RULE_CONTEXT_COUNT)]
    cdef int i
    return [RULE_MEMBERS[one.members + i] for i in range(one.count)]


def contains(int row, str scheme not None, str value not None):
    """Whether a group has a code; see `find`."""
    cdef Py_ssize_t m = 0, n = 0
    cdef const char* named = PyUnicode_AsUTF8AndSize(scheme, &m)
    cdef const char* text = PyUnicode_AsUTF8AndSize(value, &n)
    cdef int number = find_code(<const uint8_t*>named, m, <const uint8_t*>text, n)
    return number >= 0 and has_member(checked(row, RULE_CONTEXT_COUNT), number)


def contains_code(int row, int code):
    """Whether a group has the code with a number."""
    return has_member(checked(row, RULE_CONTEXT_COUNT), code)


def srt(int code):
    """The value of SRT in whose place a code stands, "" if there is none."""
    cdef int i
    for i in range(RULE_SRT_COUNT):
        if RULE_SRT[i].code == code:
            return slice_text(RULE_SRT[i].text, RULE_SRT[i].length)
    return ""
