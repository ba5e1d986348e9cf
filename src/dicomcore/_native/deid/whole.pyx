"""A file as a whole: whether it is all there, where it ends, and the beginning of the new one (PS3.10 7.1)."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from dicomcore._native.deid.facts cimport named
from dicomcore._native.scan.index cimport Index
from dicomcore._native.scan.scan cimport (
    CLIPPED, CONTAINER, IMPLICIT_IN_EXPLICIT, LENGTH_BEYOND_END, MISSING_ITEM_DELIMITER, MISSING_SEQUENCE_DELIMITER,
    PIXEL_DATA, TRAILING_BYTES, UNDEFINED, Row,
)
from dicomcore._native.write.output cimport Output

from dicomcore.errors import DeidError


cdef int put_whole(Output out, bytes data) except -1:
    return out.put(<const uint8_t*>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef bytes head_of(bytes sop_class, bytes instance, bytes syntax, bytes implementation):
    # Preamble and file meta information (PS3.10 7.1).
    cdef bytes body = b"\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01"
    if sop_class:
        body += uid_element(b"\x02\0", sop_class)
    if instance:
        body += uid_element(b"\x03\0", instance)
    body += uid_element(b"\x10\0", syntax)
    body += implementation
    return bytes(128) + b"DICM\x02\0\0\0UL\x04\0" + len(body).to_bytes(4, "little") + body


cdef bytes uid_element(bytes element, bytes value):
    value = value.strip(b" \0")
    value += b"\0" * (len(value) & 1)
    return b"\x02\0" + element + b"UI" + len(value).to_bytes(2, "little") + value


cdef int check_whole(Index index) except -1:
    # Refuse an input that is cut short, in a value or in a header.
    cdef Py_ssize_t i
    cdef uint32_t code
    cdef bint suspicious = False
    cdef const Row* r
    for i in range(index.scanner.deviation_count):
        code = index.scanner.deviations[i].code
        suspicious |= (code == LENGTH_BEYOND_END or code == MISSING_ITEM_DELIMITER
                       or code == MISSING_SEQUENCE_DELIMITER)
        if code == IMPLICIT_IN_EXPLICIT and index.transfer_syntax == "":
            raise DeidError("the input does not tell its transfer syntax, and its elements are of two")
        if code == TRAILING_BYTES and is_header_begun(index, index.scanner.deviations[i].offset):
            raise DeidError("the input is cut short in the header of an element")
    if suspicious:
        for i in range(last_row(index)):
            r = &index.rows[i]
            if r.offset + r.length == index.source.size and (
                    r.flags & CLIPPED or (r.flags & UNDEFINED and r.flags & CONTAINER)):
                raise DeidError(f"the input is cut short in {named(r.tag)}", tag=r.tag)
    return 0


cdef Py_ssize_t last_row(Index index) noexcept:
    # The row behind the last one that counts. Behind the pixel data bytes that are no element may be taken for one that
    # breaks off.
    cdef Py_ssize_t i = index.find(index.meta_count, index.count, PIXEL_DATA), last = index.count
    cdef const Row* r
    if i < 0:
        return last
    i = index.rows[i].next
    while i < index.count:
        r = &index.rows[i]
        last = i
        i = r.next
    if last < index.count:
        r = &index.rows[last]
        if r.flags & CLIPPED and r.offset + r.length == index.source.size:
            return last
    return index.count


cdef bint is_header_begun(Index index, uint64_t offset) except -1:
    # Whether the bytes from `offset` to the end of the input may be the beginning of an element: they are not only
    # zeros, and no pixel data, which is mostly the last element, is in front of them.
    cdef const uint8_t* p
    cdef uint64_t left = index.source.size - offset, i
    if left >= 8 or index.find(index.meta_count, index.count, PIXEL_DATA) >= 0:
        return False
    _owner = index.source.hold(offset, left, &p)
    for i in range(left):
        if p[i]:
            return True
    return False


cdef bytes root_value(Index index, uint32_t tag, Py_ssize_t first, Py_ssize_t stop):
    cdef Py_ssize_t row = index.find(first, stop, tag)
    cdef const uint8_t* p
    cdef const Row* r
    if row < 0:
        return b""
    r = &index.rows[row]
    if r.flags & CONTAINER or r.length > 256:
        return b""
    _owner = index.source.hold(r.offset, r.length, &p)
    return PyBytes_FromStringAndSize(<const char*>p, <Py_ssize_t>r.length)
