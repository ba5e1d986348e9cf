# Elements of command sets (PS3.7 6.3.1) and the PDU around one, written to memory that has room for them. Each function
# but `put_pdu` gives the place behind what it wrote.

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from dicomcore._native.base.cursor cimport store_be32, store_le16, store_le32


cdef inline uint8_t* put_header(uint8_t* p, uint32_t number, uint32_t length) noexcept nogil:
    p[0] = p[1] = 0
    store_le16(p + 2, number)
    store_le32(p + 4, length)
    return p + 8


cdef inline uint8_t* put_word(uint8_t* p, uint32_t number, uint32_t value) noexcept nogil:
    p = put_header(p, number, 2)
    store_le16(p, value)
    return p + 2


cdef inline uint8_t* put_uid(uint8_t* p, uint32_t number, const uint8_t* uid, Py_ssize_t size) noexcept nogil:
    p = put_header(p, number, <uint32_t>(size + (size & 1)))
    memcpy(p, uid, size)
    p[size] = 0
    return p + size + (size & 1)


cdef inline uint8_t* put_group_length(uint8_t* p, Py_ssize_t size) noexcept nogil:
    # Of a command set of `size` bytes, the twelve of this element among them.
    p = put_header(p, 0, 4)
    store_le32(p, <uint32_t>(size - 12))
    return p + 4


cdef inline void put_pdu(uint8_t* p, int number, int control, Py_ssize_t size) noexcept nogil:
    # What is in front of the only fragment, of `size` bytes, of a P-DATA-TF PDU (PS3.8 9.3.5): twelve bytes.
    p[0], p[1] = 4, 0
    store_be32(p + 2, <uint32_t>(size + 6))
    store_be32(p + 6, <uint32_t>(size + 2))
    p[10], p[11] = <uint8_t>number, <uint8_t>control
