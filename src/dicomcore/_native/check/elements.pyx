"""Rules of the dictionary and of VRs: the form of text (PS3.5 6.2), how many values (6.4), what is retired (PS3.6)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.dictionary cimport public_is_retired, public_takes
from dicomcore._native.base.fault cimport OK, Status
from dicomcore._native.base.vr cimport LO, PN, SH, SQ, UC
from dicomcore._native.check.alike cimport Turn, is_passed_over, turn_of
from dicomcore._native.check.codes cimport BAD_VALUE, RETIRED, VALUE_COUNT
from dicomcore._native.check.findings cimport NO_MODULE, Findings, Found, add
from dicomcore._native.check.subject cimport Subject, bytes_of, is_text, value_count, word_of
from dicomcore._native.check.texts cimport has_form, is_bad_text
from dicomcore._native.scan.scan cimport NO_ROW, TRAILING_PADDING, Row


cdef Status check_elements(const Subject* s, const Asked* asked, Findings* f) noexcept nogil:
    cdef uint32_t i, count
    cdef const Row* r
    cdef Status status = OK
    cdef Turn turn = turn_of(s)
    i = s.first
    while i < s.stop:
        if i >= turn.stop and is_passed_over(s, &turn, i, f):
            i = turn.stop
            continue
        r = &s.rows[i]
        if asked.forms and has_form(r.vr) and is_bad_text(s, r):
            status = report(s, f, BAD_VALUE, i, 0)
        if asked.counts and status == OK and is_counted(s, r):
            count = <uint32_t>value_count(s, r)
            if count > 0 and not public_takes(r.tag, count) and not public_is_retired(r.tag):
                status = report(s, f, VALUE_COUNT, i, count)
        if asked.retired and status == OK and is_old(r.tag):
            status = report(s, f, RETIRED, i, 0)
        if status != OK:
            return status
        i += 1
    return OK


cdef inline bint is_old(uint32_t tag) noexcept nogil:
    # Group lengths, padding, and the delimiters of items are left out.
    return tag & 0xFFFF != 0 and tag < TRAILING_PADDING and public_is_retired(tag)


cdef bint is_counted(const Subject* s, const Row* r) noexcept nogil:
    # Whether the values can be told apart: in text of a character set, a byte of 5CH may be part of a character.
    cdef const uint8_t* p
    cdef uint64_t i
    if r.tag & 0x10000 or r.length == 0 or r.vr == 0 or r.vr == SQ:
        return False
    if word_of(r.vr):
        return True
    p = bytes_of(s, r)
    if p == NULL or not is_text(r.vr):
        return False
    if r.vr == LO or r.vr == SH or r.vr == PN or r.vr == UC:
        for i in range(r.length):
            if p[i] >= 0x80 or p[i] == 0x1B:
                return False
    return True


cdef Status report(const Subject* s, Findings* f, uint16_t code, uint32_t row, uint32_t detail) noexcept nogil:
    cdef uint32_t path = 0, item = s.rows[row].parent, sequence
    while item != NO_ROW and s.rows[item].parent != NO_ROW:
        sequence = s.rows[item].parent
        path = path * <uint32_t>31 + s.rows[sequence].tag
        item = s.rows[sequence].parent
    return add(f, code, <uint16_t>NO_MODULE, s.rows[row].tag, row, s.rows[row].parent, path, detail, 0)


# -- counts of values that two rules tell --------------------------------------------------------------------------

cdef void drop_second_counts(const Subject* s, Findings* f) noexcept nogil:
    cdef uint32_t i, kept = 0
    for i in range(f.count):
        if f.list[i].code == VALUE_COUNT and f.list[i].module == NO_MODULE and is_told(s, f, &f.list[i]):
            continue
        if kept != i:
            f.list[kept] = f.list[i]
        kept += 1
    f.count = kept


cdef bint is_told(const Subject* s, const Findings* f, const Found* one) noexcept nogil:
    # Whether a module tells the same; those of modules come first, and stay.
    cdef const Found* other = f.list
    while other != one:
        if (other.code == VALUE_COUNT and other.module != NO_MODULE and other.tag == one.tag
                and is_same_place(s, other.around, one.around)):
            return True
        other += 1
    return False


cdef bint is_same_place(const Subject* s, uint32_t a, uint32_t b) noexcept nogil:
    # Whether the sequences around two items are the same, whatever the items' numbers.
    cdef const Row* rows = s.rows
    while a != NO_ROW and b != NO_ROW and rows[a].parent != NO_ROW and rows[b].parent != NO_ROW:
        a, b = rows[a].parent, rows[b].parent
        if rows[a].tag != rows[b].tag:
            return False
        a, b = rows[a].parent, rows[b].parent
    return (a == NO_ROW or rows[a].parent == NO_ROW) and (b == NO_ROW or rows[b].parent == NO_ROW)
