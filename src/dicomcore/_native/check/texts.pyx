"""Text in the form of its VR: UIDs, dates, times, ages, numbers and codes; lengths and control characters of prose
(PS3.5 6.2, 9.1).
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t
from libc.string cimport memchr

from dicomcore._native.base.fault cimport OK
from dicomcore._native.base.number cimport parse_decimal, parse_integer
from dicomcore._native.base.text cimport stripped, trimmed
from dicomcore._native.base.vr cimport AE, AS, CS, DA, DS, DT, IS, LT, PN, SH, ST, TM, UI
from dicomcore._native.check.subject cimport Subject, bytes_of
from dicomcore._native.scan.scan cimport Row

cdef enum:
    BACKSLASH = 0x5C
    ESCAPE = 0x1B
    CIRCUMFLEX = 0x5E
    EQUALS = 0x3D
    COMPONENTS = 5              # of a component group of PN (PS3.5 6.2.1)
    GROUPS = 3


cdef inline int digits(const uint8_t* p, Py_ssize_t n, int count) noexcept nogil:
    # The number that the first `count` bytes are, -1 if they aren't all digits.
    cdef int number = 0, i
    if n < count:
        return -1
    for i in range(count):
        if not 48 <= p[i] <= 57:
            return -1
        number = number * 10 + p[i] - 48
    return number


cdef bint is_uid(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Numbers between dots, none with a leading zero, at most 64 bytes; one number alone is no UID of anybody.
    cdef Py_ssize_t i, begin = 0
    if not 1 <= n <= 64:
        return False
    for i in range(n + 1):
        if i == n or p[i] == 46:
            if i == begin or (p[begin] == 48 and i - begin > 1):
                return False
            begin = i + 1
        elif not 48 <= p[i] <= 57:
            return False
    return True


cdef bint is_date(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # YYYYMMDD; readers also know YYYY.MM.DD of before 1993.
    cdef int month, day
    if n == 10 and p[4] == 46 and p[7] == 46:
        month, day = digits(p + 5, 2, 2), digits(p + 8, 2, 2)
    elif n == 8:
        month, day = digits(p + 4, 4, 2), digits(p + 6, 2, 2)
    else:
        return False
    return digits(p, n, 4) >= 0 and 1 <= month <= 12 and 1 <= day <= days_of(digits(p, n, 4), month)


cdef inline int days_of(int year, int month) noexcept nogil:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


cdef bint is_clock(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # HH, HHMM, HHMMSS or HHMMSS.F with 1 to 6 digits; a leap second is the 61st.
    cdef Py_ssize_t i
    if n < 2 or not 0 <= digits(p, n, 2) <= 23:
        return False
    if n == 2:
        return True
    if n < 4 or not 0 <= digits(p + 2, n - 2, 2) <= 59:
        return False
    if n == 4:
        return True
    if n < 6 or not 0 <= digits(p + 4, n - 4, 2) <= 60:
        return False
    if n == 6:
        return True
    if p[6] != 46 or not 8 <= n <= 13:
        return False
    for i in range(7, n):
        if not 48 <= p[i] <= 57:
            return False
    return True


cdef bint is_time(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # As of a clock; readers also know HH:MM:SS of before 1993.
    cdef uint8_t[13] plain
    cdef Py_ssize_t i, count = 0
    if n < 5 or p[2] != 58:
        return is_clock(p, n)
    for i in range(n):
        if p[i] == 58 and (i == 2 or i == 5):
            continue
        if count == 13:
            return False
        plain[count] = p[i]
        count += 1
    return is_clock(plain, count)


cdef bint is_datetime(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # YYYY, YYYYMM, YYYYMMDD, with a time behind it, and an offset from UTC behind each.
    cdef int month, day, minutes
    if n > 5 and (p[n - 5] == 43 or p[n - 5] == 45):
        if digits(p + n - 4, 4, 4) < 0 or p[n - 2] >= 54:
            return False
        minutes = digits(p + n - 4, 4, 2) * 60 + digits(p + n - 2, 2, 2)
        if minutes > (840 if p[n - 5] == 43 else 720):
            return False
        n -= 5
    if n > 26 or digits(p, n, 4) < 0:
        return False
    if n == 4:
        return True
    month = digits(p + 4, n - 4, 2)
    if not 1 <= month <= 12:
        return False
    if n == 6:
        return True
    day = digits(p + 6, n - 6, 2)
    if not 1 <= day <= days_of(digits(p, n, 4), month):
        return False
    return n == 8 or is_clock(p + 8, n - 8)


cdef bint is_age(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    return n == 4 and digits(p, n, 3) >= 0 and (p[3] == 68 or p[3] == 87 or p[3] == 77 or p[3] == 89)   # D, W, M, Y


cdef bint is_plain(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Digits and signs alone, where the parser also takes 1.0 and 15e1.
    cdef Py_ssize_t i
    for i in range(n):
        if not 48 <= p[i] <= 57 and p[i] != 43 and p[i] != 45:
            return False
    return True


cdef bint is_code(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Capital letters, digits, spaces and underscores, 16 at most.
    cdef Py_ssize_t i
    if n > 16:
        return False
    for i in range(n):
        if not 65 <= p[i] <= 90 and not 48 <= p[i] <= 57 and p[i] != 32 and p[i] != 95:
            return False
    return True


cdef inline Py_ssize_t longest(uint16_t vr) noexcept nogil:
    # The most characters of a value; of PN, of a component group.
    if vr == SH or vr == AE:
        return 16
    if vr == ST:
        return 1024
    return 10240 if vr == LT else 64


cdef bint is_prose(uint16_t vr, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Not longer than its VR allows, and without control characters that it does not allow. What its character set makes
    # of a byte is not looked at: of other bytes than ASCII's four may be one character, and what has escape sequences
    # is not counted.
    cdef Py_ssize_t i, plain = 0, wide = 0, most = longest(vr)
    cdef int marks = 0, groups = 1
    cdef bint lines = vr == ST or vr == LT
    for i in range(n):
        if p[i] >= 0x80:
            wide += 1
            continue
        if p[i] < 0x20:
            if p[i] == ESCAPE:
                return True
            if not lines or not (9 <= p[i] <= 13 and p[i] != 11):
                return False
        plain += 1
        if vr == PN and p[i] == CIRCUMFLEX:
            marks += 1
        elif vr == PN and p[i] == EQUALS:
            if plain - 1 + (wide + 3) // 4 > most or marks >= COMPONENTS or groups == GROUPS:
                return False
            groups += 1
            plain = wide = marks = 0
    return plain + (wide + 3) // 4 <= most and marks < COMPONENTS


cdef bint is_fit(uint16_t vr, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether one value is in the form of its VR.
    cdef int64_t number
    cdef double decimal
    if vr == UI:
        return is_uid(p, n)
    if vr == DA:
        return is_date(p, n)
    if vr == TM:
        return is_time(p, n)
    if vr == DT:
        return is_datetime(p, n)
    if vr == AS:
        return is_age(p, n)
    if vr == DS:
        return n <= 16 and parse_decimal(p, n, &decimal) == OK
    if vr == IS:
        return n <= 12 and is_plain(p, n) and parse_integer(p, n, &number) == OK and -2147483648 <= number <= 2147483647
    if vr == CS:
        return is_code(p, n)
    return not has_bounds(vr) or is_prose(vr, p, n)


cdef bint is_bad_text(const Subject* s, const Row* r) noexcept nogil:
    cdef const uint8_t* p
    cdef const uint8_t* cut
    cdef const uint8_t* value
    cdef Py_ssize_t left = <Py_ssize_t>r.length, size, n
    if left == 0 or not has_form(r.vr):
        return False
    p = bytes_of(s, r)
    if p == NULL:
        return False
    if has_bounds(r.vr) and memchr(p, ESCAPE, left) != NULL:
        return False            # a byte of 5CH may be part of a character
    while True:
        cut = <const uint8_t*>memchr(p, BACKSLASH, left) if left and r.vr != ST and r.vr != LT else NULL
        size = left if cut == NULL else cut - p
        value = p
        n = stripped(&value, size) if r.vr == DS or r.vr == IS or r.vr == CS else trimmed(value, size)
        if n and not is_fit(r.vr, value, n):
            return True
        if cut == NULL:
            return False
        left -= size + 1
        p = cut + 1


def fits(str vr not None, const uint8_t[::1] text not None):
    """Whether a text without padding is in the form of a VR."""
    cdef bytes letters = vr.encode("ascii")
    if len(letters) != 2:
        raise ValueError(f"{vr!r} is no VR")
    cdef uint16_t code = <uint16_t>(letters[0] | letters[1] << 8)
    return bool(is_fit(code, &text[0], text.shape[0])) if text.shape[0] else not has_form(code)
