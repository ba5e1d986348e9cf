"""Values in UN: their VR is the dictionary's, and sequences are read as such (PS3.5 6.2.2)."""

from libc.stdint cimport uint16_t, uint32_t
from libc.stdlib cimport free, malloc, realloc

from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.vr cimport SQ, UN
from dicomcore._native.check.alike cimport Turn, is_passed_over, turn_of
from dicomcore._native.check.subject cimport Subject
from dicomcore._native.scan.index cimport Index, open_value, rows_of
from dicomcore._native.scan.scan cimport CONTAINER, FRAGMENTS, NO_ROW, Row

from dicomcore.errors import DicomError

cdef enum:
    SPARE = 64                      # rows


cdef class Rows:
    def __dealloc__(self):
        free(self.list)

    cdef int append(self, const Row* row) except -1:
        cdef Row* longer
        if self.count == self.capacity:
            longer = <Row*>realloc(self.list, (self.capacity * 2 + SPARE) * sizeof(Row))
            if longer == NULL:
                raise MemoryError
            self.list, self.capacity = longer, self.capacity * 2 + SPARE
        self.list[self.count] = row[0]
        self.count += 1
        return 0


cdef class _Reading:                # of the rows of one index
    cdef Index index
    cdef Py_ssize_t at, count       # rows [0, at) of `count` are read
    cdef Py_ssize_t first           # the first row that is its own: 1 if row 0 is the element that was opened
    cdef uint32_t* places           # of each row, and of what is behind the last one, among the new rows

    def __dealloc__(self):
        free(self.places)


cdef _Reading reading(Index index, Py_ssize_t first, Py_ssize_t element):
    cdef _Reading made = _Reading.__new__(_Reading)
    made.index, made.at, made.first, made.count = index, first, first, rows_of(index)
    made.places = <uint32_t*>malloc((made.count + 1) * sizeof(uint32_t))
    if made.places == NULL:
        raise MemoryError
    made.places[0] = <uint32_t>element
    return made


cdef bint is_known(const Row* row) noexcept nogil:
    # Whether the element is in UN though its VR is known.
    return row.vr == UN and not row.flags & FRAGMENTS and (row.flags & CONTAINER or public_vr(row.tag) != 0)


cdef bint has_known(const Subject* s) noexcept nogil:
    cdef Turn turn = turn_of(s)
    cdef uint32_t i = s.first
    while i < s.stop:
        if i >= turn.stop and is_passed_over(s, &turn, i, NULL):
            i = turn.stop
            continue
        if is_known(&s.rows[i]):
            return True
        i += 1
    return False


cdef Rows resolved(Index index, Subject* s):
    cdef Rows made
    if not has_known(s):
        return None
    made = Rows.__new__(Rows)
    read_all(made, index)
    s.rows, s.stop = made.list, <uint32_t>made.count
    return made


cdef int read_all(Rows made, Index index) except -1:
    # The rows of an index, and of the sequences in UN that are opened on the way. Sequences in sequences are bounded by
    # the depth that the index allows.
    cdef list waiting = [reading(index, 0, 0)]
    cdef _Reading now
    cdef Row row
    cdef Index inside
    while waiting:
        now = waiting[len(waiting) - 1]
        if now.at == now.count:
            now.places[now.at] = <uint32_t>made.count
            settle(made, now)
            waiting.pop()
            continue
        row = now.index.rows[now.at]
        now.places[now.at] = <uint32_t>made.count
        inside = None
        if is_known(&row):
            inside = tell(&row, now.index, now.at)
        made.append(&row)
        now.at += 1
        if inside is not None:
            waiting.append(reading(inside, 1, made.count - 1))
    return 0


cdef Index tell(Row* row, Index index, Py_ssize_t at):
    # Give the row its VR; the index of its value, if that is a sequence which is not read yet.
    cdef uint16_t vr = SQ if row.flags & CONTAINER else public_vr(row.tag)
    cdef Index inside = None
    if vr == SQ and not row.flags & CONTAINER and row.length:
        try:
            inside = open_value(index, at)
        except DicomError:
            return None
        if rows_of(inside) < 2:     # it has no readable item
            return None
        row.flags |= CONTAINER
    row.vr = vr
    return inside


cdef void settle(Rows made, _Reading now) noexcept:
    # Lead the rows that came from an index to their new places.
    cdef Py_ssize_t k
    cdef Row* row
    for k in range(now.first, now.count):
        row = &made.list[now.places[k]]
        row.next = now.places[now.index.rows[k].next]
        if now.index.rows[k].parent != NO_ROW:
            row.parent = now.places[now.index.rows[k].parent]
