"""Values of the rows of a data set that is checked, read in place."""

from libc.math cimport isfinite
from libc.stdint cimport UINT32_MAX, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy

from dicomcore._native.base.cursor cimport load_be16, load_be32, load_be64, load_le16, load_le32, load_le64
from dicomcore._native.base.fault cimport OK
from dicomcore._native.base.number cimport parse_decimal, parse_integer
from dicomcore._native.base.text cimport stripped, trimmed
from dicomcore._native.base.vr cimport AT, DS, FD, FL, IS, LT, SL, SQ, SS, ST, UR, US, UT, UV
from dicomcore._native.scan.scan cimport BIG_ENDIAN, CONTAINER, Row

cdef enum:
    BACKSLASH = 0x5C


cdef bint has_value(const Subject* s, uint32_t row) noexcept nogil:
    cdef const Row* r = &s.rows[row]
    cdef const uint8_t* p
    if r.vr == SQ or r.flags & CONTAINER:
        return r.next > row + 1
    if r.length == 0:
        return False
    p = bytes_of(s, r)
    if p == NULL or not is_text(r.vr):
        return True
    return trimmed(p, <Py_ssize_t>r.length) != 0


cdef int value_count(const Subject* s, const Row* r) noexcept nogil:
    cdef const uint8_t* p = bytes_of(s, r)
    cdef Py_ssize_t n = <Py_ssize_t>r.length, i
    cdef int size = word_of(r.vr), count = 1
    if r.length == 0:
        return 0
    if size:
        return <int>min(n // size, <Py_ssize_t>0x7FFFFFFF)
    if p == NULL or not is_text(r.vr):
        return 1
    n = trimmed(p, n)
    if n == 0:
        return 0
    if r.vr == LT or r.vr == ST or r.vr == UT or r.vr == UR:
        return 1
    for i in range(n):
        count += p[i] == BACKSLASH
    return count


cdef int text_at(const Subject* s, const Row* r, int n, const uint8_t** text) noexcept nogil:
    cdef const uint8_t* p = bytes_of(s, r)
    cdef const uint8_t* cut
    cdef Py_ssize_t left = <Py_ssize_t>r.length, size
    if p == NULL or left == 0 or not is_text(r.vr):
        return -1
    if r.vr == LT or r.vr == ST or r.vr == UT or r.vr == UR:
        if n != 1:
            return -1
        text[0] = p
        return <int>min(trimmed(p, left), <Py_ssize_t>0x7FFFFFFF)
    while True:
        cut = <const uint8_t*>memchr(p, BACKSLASH, left) if left else NULL
        size = left if cut == NULL else cut - p
        n -= 1
        if n == 0:
            text[0] = p
            size = stripped(text, size)
            return <int>min(size, <Py_ssize_t>0x7FFFFFFF)
        if cut == NULL:
            return -1
        left -= size + 1
        p = cut + 1


cdef bint int_at(const Subject* s, const Row* r, int n, bint signed, int64_t* out) noexcept nogil:
    cdef const uint8_t* p
    cdef int size = word_of(r.vr), length
    cdef bint big = (r.flags & BIG_ENDIAN) != 0
    cdef double number
    cdef uint16_t half
    cdef uint32_t word
    cdef uint64_t wide
    if r.vr == IS or r.vr == DS:
        length = text_at(s, r, n, &p)
        if length <= 0:
            return False
        if parse_integer(p, length, out) == OK:
            return True
        if parse_decimal(p, length, &number) != OK or not isfinite(number) or not -9e18 < number < 9e18:
            return False
        out[0] = <int64_t>number
        return True
    if r.vr == FL or r.vr == FD:
        if not float_at(s, r, n, &number) or not isfinite(number) or not -9e18 < number < 9e18:
            return False
        out[0] = <int64_t>number
        return True
    p = bytes_of(s, r)
    if p == NULL or size == 0 or n < 1 or r.length // size < <uint64_t>n:
        return False
    p += (n - 1) * size
    if r.vr == AT:
        out[0] = (load_be16(p) << 16 | load_be16(p + 2)) if big else (load_le16(p) << 16 | load_le16(p + 2))
        out[0] &= UINT32_MAX
    elif size == 2:
        half = load_be16(p) if big else load_le16(p)
        out[0] = <int64_t>half
        if r.vr == SS or (signed and r.vr != US):
            out[0] = <int16_t>half
    elif size == 4:
        word = load_be32(p) if big else load_le32(p)
        out[0] = <int64_t>word
        if r.vr == SL:
            out[0] = <int32_t>word
    else:
        wide = load_be64(p) if big else load_le64(p)
        if r.vr == UV and wide > <uint64_t>0x7FFFFFFFFFFFFFFF:
            return False
        out[0] = <int64_t>wide
    return True


cdef bint float_at(const Subject* s, const Row* r, int n, double* out) noexcept nogil:
    cdef const uint8_t* p
    cdef int length
    cdef bint big = (r.flags & BIG_ENDIAN) != 0
    cdef uint32_t word
    cdef uint64_t wide
    cdef float single
    cdef int64_t whole = 0
    if r.vr == DS or r.vr == IS:
        length = text_at(s, r, n, &p)
        return length > 0 and parse_decimal(p, length, out) == OK
    if r.vr == FL or r.vr == FD:
        length = word_of(r.vr)
        p = bytes_of(s, r)
        if p == NULL or n < 1 or r.length // <uint64_t>length < <uint64_t>n:
            return False
        p += (n - 1) * length
        if length == 4:
            word = load_be32(p) if big else load_le32(p)
            memcpy(&single, &word, 4)
            out[0] = single
        else:
            wide = load_be64(p) if big else load_le64(p)
            memcpy(out, &wide, 8)
        return True
    if not int_at(s, r, n, False, &whole):
        return False
    out[0] = <double>whole
    return True
