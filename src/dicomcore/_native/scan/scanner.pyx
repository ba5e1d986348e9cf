"""A scanner's state: functions that manage its memory, start it, and add rows, deviations and levels."""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memset

from dicomcore._native.base.fault cimport LIMIT, NO_MEMORY, OK, Status
from dicomcore._native.scan.scan cimport ELEMENTS, NO_ROW, Deviation, Level, Row, Scanner

cdef enum:
    NO_TAG = 0xFFFFFFFF


cdef Status scanner_init(Scanner* s, Py_ssize_t rows) noexcept nogil:
    # Initialise a scanner without a window; `rows` is its first capacity.
    memset(s, 0, sizeof(Scanner))
    s.capacity = rows
    s.level_capacity = 16
    s.rows = <Row*>malloc(rows * sizeof(Row))
    s.levels = <Level*>malloc(s.level_capacity * sizeof(Level))
    if s.rows == NULL or s.levels == NULL:
        scanner_free(s)
        return NO_MEMORY
    scanner_reset(s)
    return OK


cdef void scanner_reset(Scanner* s) noexcept nogil:
    # Prepare for another input; memory and limits are kept.
    s.count = 0
    s.deviation_count = 0
    s.pos = 0
    s.depth = 0
    s.done = False
    s.crossing = False
    s.misled = 0
    s.disordered = False
    s.paused_at_pixels = False
    s.only_group = -1
    s.stop_tag = NO_TAG


cdef void scanner_free(Scanner* s) noexcept nogil:
    free(s.rows)
    free(s.levels)
    free(s.deviations)
    s.rows = NULL
    s.levels = NULL
    s.deviations = NULL
    s.capacity = s.level_capacity = s.deviation_capacity = 0


cdef void scanner_begin(Scanner* s, uint8_t mode, int32_t only_group) noexcept nogil:
    # Start a data set in this encoding at s.pos.
    cdef Level* top = &s.levels[0]
    s.depth = 0
    s.done = False
    s.only_group = only_group
    top.end = s.total
    top.row = NO_ROW
    top.last = 0
    top.kind = ELEMENTS
    top.mode = mode
    top.defined = True
    top.untyped = top.inside = False


cdef Status note(Scanner* s, uint32_t code, uint32_t tag, uint64_t offset,
                 uint64_t claimed, uint64_t present) noexcept nogil:
    cdef Deviation* grown
    cdef Py_ssize_t capacity

    if s.deviation_count == s.deviation_capacity:
        capacity = 2 * s.deviation_capacity if s.deviation_capacity else 8
        grown = <Deviation*>realloc(s.deviations, capacity * sizeof(Deviation))
        if grown == NULL:
            return NO_MEMORY
        s.deviations = grown
        s.deviation_capacity = capacity
    s.deviations[s.deviation_count] = Deviation(code, tag, offset, claimed, present)
    s.deviation_count += 1
    return OK


cdef Status grow_rows(Scanner* s) noexcept nogil:
    cdef Py_ssize_t capacity = 2 * s.capacity
    cdef Row* grown
    if s.count >= s.max_rows:
        return LIMIT
    if capacity > s.max_rows:
        capacity = s.max_rows
    grown = <Row*>realloc(s.rows, capacity * sizeof(Row))
    if grown == NULL:
        return NO_MEMORY
    s.rows = grown
    s.capacity = capacity
    return OK


cdef Status open_level(Scanner* s, uint8_t kind, uint8_t mode, uint64_t end, bint defined, bint untyped) noexcept nogil:
    # Enter the contents of the row just added.
    cdef Level* grown
    cdef Level* level

    if s.depth >= s.max_depth:
        return LIMIT
    if s.depth + 1 == s.level_capacity:
        grown = <Level*>realloc(s.levels, 2 * s.level_capacity * sizeof(Level))
        if grown == NULL:
            return NO_MEMORY
        s.levels = grown
        s.level_capacity *= 2
    s.depth += 1
    level = &s.levels[s.depth]
    level.end = end
    level.row = <uint32_t>(s.count - 1)
    level.last = 0
    level.kind = kind
    level.mode = mode
    level.defined = defined
    level.untyped = untyped
    level.inside = False
    return OK
