"""Hashes the texts of an Arrow array, and finds the texts that occurred before."""

from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

import os

cdef enum:
    FIRST_ROOM = 1 << 12        # slots of a new table; the number of slots is always a power of two


cdef bint fits(const int32_t* starts, Py_ssize_t count, Py_ssize_t size) noexcept nogil:
    # Whether the offsets ascend and lie within the text.
    cdef Py_ssize_t i
    if starts[0] < 0 or starts[count] > size:
        return False
    for i in range(count):
        if starts[i + 1] < starts[i]:
            return False
    return True


cdef int check_texts(const uint8_t[::1] text, const int32_t[::1] starts, Py_ssize_t room) except -1:
    cdef Py_ssize_t count = starts.shape[0] - 1
    if count < 0 or room < count or not fits(&starts[0], count, text.shape[0]):
        raise ValueError("the texts' offsets must ascend within their buffer, and `out` must have an entry per text")
    return 0


def digest_texts(const uint8_t[::1] text not None, const int32_t[::1] starts not None, uint64_t[::1] out not None,
                 uint64_t k0, uint64_t k1):
    """Write the hash of each text with the key (k0, k1) to `out`; text i is text[starts[i]:starts[i + 1]]."""
    cdef Py_ssize_t i
    cdef const uint8_t* p
    check_texts(text, starts, out.shape[0])
    with nogil:
        p = &text[0] if text.shape[0] else NULL
        for i in range(starts.shape[0] - 1):
            out[i] = digest(p + starts[i], starts[i + 1] - starts[i], k0, k1)


cdef class Met:
    """The set of the texts seen so far, as 64-bit hashes: about 16 bytes per text of any length.

    Not thread-safe: one thread at a time may use it.
    """
    cdef uint64_t* table                # hashes; 0 marks an empty slot
    cdef Py_ssize_t room, count         # slots, and texts
    cdef uint64_t k0, k1                # a random key: nobody can predict which texts share a slot

    def __cinit__(self):
        cdef bytes key = os.urandom(16)
        memcpy(&self.k0, <const char*>key, 8)
        memcpy(&self.k1, <const char*>key + 8, 8)
        self.room = FIRST_ROOM
        self.table = <uint64_t*>calloc(self.room, sizeof(uint64_t))
        if self.table == NULL:
            raise MemoryError("no memory for the texts met")

    def __dealloc__(self):
        free(self.table)

    def __len__(self) -> int:
        return self.count

    cdef bint add(self, uint64_t hashed) noexcept nogil:
        # Add a hash, and tell whether it was in the table before. The table must have an empty slot.
        cdef Py_ssize_t at
        hashed += hashed == 0
        at = <Py_ssize_t>(hashed & <uint64_t>(self.room - 1))
        while self.table[at] != 0:
            if self.table[at] == hashed:
                return True
            at = (at + 1) & (self.room - 1)
        self.table[at] = hashed
        self.count += 1
        return False

    cdef int grow(self, Py_ssize_t more) except -1:
        # Make room for `more` hashes, so that at least a third of the slots stays empty.
        cdef uint64_t* old = self.table
        cdef Py_ssize_t i, before = self.room, room = self.room
        while (self.count + more) > room // 3 * 2:
            room *= 2
        if room == before:
            return 0
        self.table = <uint64_t*>calloc(room, sizeof(uint64_t))
        if self.table == NULL:
            self.table = old
            raise MemoryError("no memory for the texts met")
        self.room = room
        self.count = 0
        with nogil:
            for i in range(before):
                if old[i] != 0:
                    self.add(old[i])
        free(old)
        return 0

    def mark(self, const uint8_t[::1] text not None, const int32_t[::1] starts not None, uint8_t[::1] out not None):
        """Write 1 to `out` for each text seen before, in this call or an earlier one, else 0. Empty texts get 0."""
        cdef Py_ssize_t i, count = starts.shape[0] - 1
        cdef const uint8_t* p
        check_texts(text, starts, out.shape[0])
        self.grow(count)
        with nogil:
            p = &text[0] if text.shape[0] else NULL
            for i in range(count):
                out[i] = 0
                if starts[i + 1] > starts[i]:
                    out[i] = self.add(digest(p + starts[i], starts[i + 1] - starts[i], self.k0, self.k1))
