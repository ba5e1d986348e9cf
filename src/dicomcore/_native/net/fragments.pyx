"""P-DATA-TF PDUs (PS3.8 9.3.5): their fragments, as the bytes come."""

from libc.stdint cimport uint8_t

from dicomcore._native.base.cursor cimport load_be32

cdef enum:
    DATA = 4
    HEADER = 6          # bytes of a PDU's header
    VALUE_HEADER = 6    # bytes of a presentation data value in front of its fragment
    LEAST = 2           # what a presentation data value's length says at least: its context and message control header
    LAST = 2            # bit of a message control header


cdef class Fragments:
    """Divides what is received into fragments; it keeps none of the bytes, only where in a PDU they end.

    `is_inside` says that the rest of a PDU is to come, `completed` how many PDUs there were.
    """

    cdef Py_ssize_t left            # bytes of the present PDU that are to come
    cdef Py_ssize_t value_left      # those of its present fragment
    cdef int number, control        # of the present fragment
    cdef readonly Py_ssize_t completed

    @property
    def is_inside(self):
        return self.left > 0

    def skip(self, Py_ssize_t count):
        """Pass over up to `count` bytes of the present PDU; how many they are."""
        if count > self.left:
            count = self.left
        self.left -= count
        self.value_left = 0
        return count

    def scan(self, const uint8_t[::1] data not None, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t longest):
        """The fragments in data[start:stop], which goes on where the last call ended.

        Returns where it ended, the fragments as tuples (presentation context, message control header, offset, length),
        and the offset of a presentation data value that is no such thing, or -1. A fragment that has come in part is
        given as far as it is here, as one that is not the last of its message. A PDU that is longer than `longest` or
        no P-DATA-TF is left where it is, and so is the header of a PDU or of a value that is not whole.
        """
        cdef list found = []
        cdef Py_ssize_t at = start, length
        if not 0 <= start <= stop <= data.shape[0]:
            raise ValueError(f"{start}:{stop} lies outside of {data.shape[0]} bytes")
        while True:
            if self.value_left:
                length = self.value_left if self.value_left < stop - at else stop - at
                if length == 0:
                    break
                self.value_left -= length
                self.left -= length
                found.append((self.number, self.control & ~LAST if self.value_left else self.control, at, length))
                at += length
                self.completed += self.left == 0
            elif self.left:
                if self.left < VALUE_HEADER:
                    return at, found, at
                if stop - at < VALUE_HEADER:
                    break
                length = load_be32(&data[at])
                if length < LEAST or length > self.left - 4:
                    return at, found, at
                self.number, self.control = data[at + 4], data[at + 5]
                at += VALUE_HEADER
                self.left -= VALUE_HEADER
                self.value_left = length - LEAST
                if self.value_left == 0:
                    found.append((self.number, self.control, at, 0))
                    self.completed += self.left == 0
            else:
                if stop - at < HEADER or data[at] != DATA:
                    break
                length = load_be32(&data[at + 2])
                if length > longest:
                    break
                if length == 0:
                    return at, found, at
                self.left = length
                at += HEADER
        return at, found, -1
