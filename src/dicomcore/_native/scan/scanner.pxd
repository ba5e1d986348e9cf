# A scanner's state: functions that manage its memory, start it, and add rows, deviations and levels.

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport OK, Status
from dicomcore._native.scan.scan cimport UNDEFINED, Row, Scanner


cdef Status scanner_init(Scanner* s, Py_ssize_t rows) noexcept nogil
cdef void scanner_reset(Scanner* s) noexcept nogil
cdef void scanner_free(Scanner* s) noexcept nogil
cdef void scanner_begin(Scanner* s, uint8_t mode, int32_t only_group) noexcept nogil
cdef Status note(Scanner* s, uint32_t code, uint32_t tag, uint64_t offset,
                 uint64_t claimed, uint64_t present) noexcept nogil
cdef Status grow_rows(Scanner* s) noexcept nogil
cdef Status open_level(Scanner* s, uint8_t kind, uint8_t mode, uint64_t end, bint defined, bint untyped) noexcept nogil


cdef inline Status add_row(Scanner* s, uint32_t tag, uint16_t vr, uint8_t header, uint8_t flags,
                           uint64_t offset, uint64_t length, uint32_t parent) noexcept nogil:
    cdef Row* row
    cdef Status status
    if s.count == s.capacity:
        status = grow_rows(s)
        if status != OK:
            return status
    row = &s.rows[s.count]
    row.tag = tag
    row.vr = vr
    row.header = header
    row.flags = flags
    row.offset = offset
    row.length = length
    row.parent = parent
    s.count += 1
    row.next = <uint32_t>s.count
    return OK


cdef inline void close_level(Scanner* s, uint64_t content_end) noexcept nogil:
    cdef Row* row = &s.rows[s.levels[s.depth].row]
    row.next = <uint32_t>s.count
    if row.flags & UNDEFINED:
        row.length = content_end - row.offset
    s.depth -= 1
