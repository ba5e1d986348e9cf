"""Appends values to columns by VR (PS3.5 6.2): text, dates, numbers as text, binary numbers.

UNSUPPORTED means that these kernels don't read the value, and that `dicomcore.dcmread` has to.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t
from libc.string cimport memchr

from dicomcore._native.bulk.column cimport Column, add_latin, add_text, add_word, reserve
from dicomcore._native.base.cursor cimport load_be16, load_be32, load_be64, load_le16, load_le32, load_le64
from dicomcore._native.base.fault cimport CORRUPT, NO_MEMORY, OK, UNSUPPORTED, Status
from dicomcore._native.base.number cimport count_values, parse_decimals, parse_integers
from dicomcore._native.base.text cimport trimmed
from dicomcore._native.base.vr cimport FL, IS, SL, SS, UL, US, is_single


cdef bint is_utf8(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether bytes are well-formed UTF-8 (Unicode 3.9, table 3-7) without escape characters.
    cdef Py_ssize_t i = 0, k, more
    cdef uint8_t low, high
    while i < n:
        if p[i] < 0x80:
            if p[i] == 0x1B:
                return False
            i += 1
            continue
        low, high = 0x80, 0xBF
        if 0xC2 <= p[i] <= 0xDF:
            more = 1
        elif 0xE0 <= p[i] <= 0xEF:
            more = 2
            if p[i] == 0xE0:
                low = 0xA0
            elif p[i] == 0xED:
                high = 0x9F                     # no surrogates
        elif 0xF0 <= p[i] <= 0xF4:
            more = 3
            if p[i] == 0xF0:
                low = 0x90
            elif p[i] == 0xF4:
                high = 0x8F
        else:
            return False
        if more >= n - i or not low <= p[i + 1] <= high:
            return False
        for k in range(2, more + 1):
            if not 0x80 <= p[i + k] <= 0xBF:
                return False
        i += more + 1
    return True


cdef bint is_printable(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if p[i] < 32 or p[i] > 126:
            return False
    return True


cdef Status text_cell(Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr, bint latin) noexcept nogil:
    # Append the value's components without their padding. UNSUPPORTED: several components in a column of single texts.
    cdef const uint8_t* cut
    cdef const uint8_t* end = p + n
    cdef Py_ssize_t size
    cdef Status status
    if not c.many or is_single(vr):
        if not is_single(vr) and memchr(p, 0x5C, n) != NULL:
            return UNSUPPORTED
        return add_latin(c, p, n) if latin else add_text(c, p, n)
    while True:
        cut = <const uint8_t*>memchr(p, 0x5C, end - p) if end > p else NULL
        size = undressed(&p, trimmed(p, (cut if cut != NULL else end) - p), vr)
        status = add_latin(c, p, size) if latin else add_text(c, p, size)
        if status != OK or cut == NULL:
            return status
        p = cut + 1


cdef inline int two_digits(const uint8_t* p) noexcept nogil:
    cdef unsigned int a = <unsigned int>p[0] - 48, b = <unsigned int>p[1] - 48
    return -1 if a > 9 or b > 9 else <int>(10 * a + b)


cdef Status date_cell(Column* c, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Append YYYYMMDD, or ACR-NEMA's YYYY.MM.DD (PS3.5 6.2), as days since 1970-01-01. CORRUPT: not a date.
    cdef int century, year, month, day, days
    cdef bint dots = n == 10 and p[4] == 46 and p[7] == 46
    if c.many and memchr(p, 0x5C, n) != NULL:
        return UNSUPPORTED
    if n != 8 and not dots:
        return CORRUPT
    century = two_digits(p)
    year = two_digits(p + 2)
    month = two_digits(p + 4 + dots)
    day = two_digits(p + 6 + 2 * dots)
    if century < 0 or year < 0 or not 1 <= month <= 12 or day < 1:
        return CORRUPT
    year += 100 * century
    if year == 0 or day > days_of(year, month):
        return CORRUPT
    year -= month <= 2                          # count years from March, so that a leap day is the last day of its year
    days = 365 * year + year // 4 - year // 100 + year // 400
    days += (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1 - 719468
    return add_word(c, &days)


cdef inline int days_of(int year, int month) noexcept nogil:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


cdef Status number_text_cell(Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr) noexcept nogil:
    # Append a DS or IS. CORRUPT: a component is not a number, or there are several in a column of single values.
    cdef Py_ssize_t total = count_values(p, n), count, at, i
    cdef double* floats
    cdef Status status
    if total == 0:
        return UNSUPPORTED
    if total > 1 and not c.many:
        return CORRUPT
    if reserve(&c.data, 8 * total) != OK:
        return NO_MEMORY
    if vr == IS:
        status = parse_integers(p, n, <int64_t*>(c.data.data + c.data.size), total, &count, &at)
    else:
        floats = <double*>(c.data.data + c.data.size)
        status = parse_decimals(p, n, floats, total, &count, &at)
        if status == OK:
            for i in range(count):
                if floats[i] - floats[i] != 0:      # NaN or infinity: an empty component, or one too large for a double
                    return CORRUPT
    if status != OK or count != total:
        return CORRUPT if status == CORRUPT else UNSUPPORTED
    c.data.size += 8 * total
    c.count += total
    return OK


cdef Status binary_cell(Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr, bint big) noexcept nogil:
    cdef Py_ssize_t width = 2 if vr == US or vr == SS else 4 if vr == UL or vr == SL or vr == FL else 8
    cdef Py_ssize_t i = 0
    cdef int32_t word
    cdef int64_t wide
    cdef Status status = OK
    if n % width or (n != width and not c.many):
        return UNSUPPORTED
    while i < n:
        if width == 2:
            word = load_be16(p + i) if big else load_le16(p + i)
            if vr == SS:
                word = <int16_t>word
            status = add_word(c, &word)
        elif vr == UL:
            wide = load_be32(p + i) if big else load_le32(p + i)
            status = add_word(c, &wide)
        elif width == 4:
            word = <int32_t>(load_be32(p + i) if big else load_le32(p + i))
            status = add_word(c, &word)
        else:
            wide = <int64_t>(load_be64(p + i) if big else load_le64(p + i))
            status = add_word(c, &wide)
        if status != OK:
            return status
        i += width
    return OK
