"""The log of a pass."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
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

    cdef int add(self, uint32_t tag, uint8_t action, uint8_t rule, uint32_t count=1) except -1:
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
        entry.count += count
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

    def merge(self, Log other not None):
        """Add what another log has."""
        cdef uint32_t i
        cdef Entry* entry
        for i in range(other.room):
            entry = &other.entries[i]
            if entry.count:
                self.add(entry.tag, entry.action, entry.rule, entry.count)

    def __reduce__(self):
        cdef uint32_t i
        cdef Py_ssize_t kept = 0
        cdef bytes packed = PyBytes_FromStringAndSize(NULL, self.filled * <Py_ssize_t>sizeof(Entry))
        cdef Entry* entries = <Entry*>PyBytes_AS_STRING(packed)
        for i in range(self.room):
            if self.entries[i].count:
                entries[kept] = self.entries[i]
                kept += 1
        return log_of, (packed,)

    def rows(self):
        """(tag, letter of the action, number of the rule, count), in ascending order."""
        cdef uint32_t i
        return sorted([
            (self.entries[i].tag, chr(self.entries[i].action), self.entries[i].rule, self.entries[i].count)
            for i in range(self.room) if self.entries[i].count
        ])


def log_of(bytes packed not None):
    """The log with these entries, from a pickle of this machine."""
    cdef Log log = Log.__new__(Log)
    cdef const Entry* entries = <const Entry*>PyBytes_AS_STRING(packed)
    cdef Py_ssize_t i
    for i in range(PyBytes_GET_SIZE(packed) // <Py_ssize_t>sizeof(Entry)):
        log.add(entries[i].tag, entries[i].action, entries[i].rule, entries[i].count)
    return log
