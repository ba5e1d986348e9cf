"""The log of a pass."""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free

cdef enum:
    FIRST_ROOM = 128            # a power of 2


cdef inline uint32_t hashed(uint32_t tag, uint8_t action, uint8_t rule) noexcept nogil:
    return ((tag ^ <uint32_t>action << 24 ^ <uint32_t>rule << 12) * <uint32_t>2654435761) >> 8


cdef class Log:
    """How often each action was done for each reason, by tag; it holds no value of the input."""

    def __dealloc__(self):
        free(self.entries)

    cdef int add(self, uint32_t tag, uint8_t action, uint8_t rule) except -1:
        cdef uint32_t at
        cdef Entry* entry
        if 2 * self.filled >= self.room:
            self.grow()
        at = hashed(tag, action, rule) & (self.room - 1)
        while True:
            entry = &self.entries[at]
            if entry.count == 0:
                entry.tag, entry.action, entry.rule = tag, action, rule
                self.filled += 1
                break
            if entry.tag == tag and entry.action == action and entry.rule == rule:
                break
            at = (at + 1) & (self.room - 1)
        entry.count += 1
        return 0

    cdef int grow(self) except -1:
        cdef uint32_t room = 2 * self.room if self.room else <uint32_t>FIRST_ROOM, i, at
        cdef Entry* entry
        cdef Entry* entries = <Entry*>calloc(room, sizeof(Entry))
        if entries == NULL:
            raise MemoryError("no memory for the log of a pass")
        for i in range(self.room):
            entry = &self.entries[i]
            if entry.count:
                at = hashed(entry.tag, entry.action, entry.rule) & (room - 1)
                while entries[at].count:
                    at = (at + 1) & (room - 1)
                entries[at] = entry[0]
        free(self.entries)
        self.entries, self.room = entries, room
        return 0

    def __reduce__(self):
        return log_of, (self.rows(),)

    def rows(self):
        """(tag, letter of the action, number of the rule, count), in ascending order."""
        cdef uint32_t i
        return sorted([
            (self.entries[i].tag, chr(self.entries[i].action), self.entries[i].rule, self.entries[i].count)
            for i in range(self.room) if self.entries[i].count
        ])


def log_of(list rows):
    """The log with these rows, from a pickle."""
    cdef Log log = Log.__new__(Log)
    cdef uint32_t at
    for tag, action, rule, count in rows:
        log.add(tag, ord(action), rule)
        at = hashed(tag, ord(action), rule) & (log.room - 1)
        while log.entries[at].tag != tag or log.entries[at].action != ord(action) or log.entries[at].rule != rule:
            at = (at + 1) & (log.room - 1)
        log.entries[at].count = count
    return log
