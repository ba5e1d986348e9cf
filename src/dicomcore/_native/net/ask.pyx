"""Plain requests to a peer, C-STORE and C-ECHO, sent and their responses received in one call each, and small files."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t

from dicomcore._native.base.cursor cimport load_be32, load_le16, load_le32
from dicomcore._native.net.elements cimport put_group_length, put_pdu, put_uid, put_word
from dicomcore._native.net.heads cimport Value

cdef extern from "Python.h":
    bytes PyUnicode_EncodeFSDefault(object text)

cdef extern from "net/ask.h" nogil:
    Py_ssize_t ask_send(int file, net_piece* pieces, int count)
    Py_ssize_t ask_receive(int file, uint8_t* to, size_t size)
    Py_ssize_t ask_read(const char* path, uint8_t* to, size_t most)

cdef enum:
    DATA = 4                # the type of a P-DATA-TF PDU
    PDU = 12                # bytes of one in front of its only fragment
    COMMAND = 1             # bits of a message control header
    LAST = 2
    RESPONSE = 0x8000
    ELEMENT = 8             # bytes of an element's tag and length
    GROUP_LENGTH = 12       # bytes of the element that is in front of a command set
    NO_DATA_SET = 0x0101
    LONGEST_UID = 64
    TURNS = 3               # how often more of it is received
    SMALL = 16384           # bytes of a small file


def send(int file, int number, int kind, int identifier, bytes sop_class not None, bytes sop_instance not None,
         const uint8_t[::1] data, Py_ssize_t fragment):
    """Send a request over a blocking socket: C-STORE with a data set, or C-ECHO without (None).

    An empty `sop_instance` is left out; `fragment` bounds a fragment. Returns how many bytes went, which may be fewer
    than all, and how many all are; None if it cannot be sent in one go. OSError if nothing went, BlockingIOError too.
    """
    cdef Sending one
    cdef Value named, instance
    cdef const uint8_t* body = NULL
    cdef Py_ssize_t size = 0 if data is None else data.shape[0], sent
    if len(sop_class) > LONGEST_UID or len(sop_instance) > LONGEST_UID or not 0 < number < 256:
        return None
    if fragment < HEAD or (data is not None and not 0 < size <= MOST * fragment):
        return None
    if size:
        body = &data[0]
    named.at, named.size = sop_class, len(sop_class)
    instance.at, instance.size = sop_instance, len(sop_instance)
    put_request(&one, number, kind, identifier, &named, &instance, body, size, fragment)
    with nogil:
        sent = ask_send(file, one.pieces, one.count)
    if sent < 0:
        raise OSError(<int>-sent, "the request was not sent")
    return sent, one.total


cdef void put_request(Sending* one, int number, int kind, int identifier, const Value* sop_class,
                      const Value* sop_instance, const uint8_t* body, Py_ssize_t size,
                      Py_ssize_t fragment) noexcept nogil:
    cdef uint8_t* p = one.head + PDU + GROUP_LENGTH
    cdef Py_ssize_t at = 0, length
    cdef int used = 0
    p = put_uid(p, 0x0002, sop_class.at, sop_class.size)
    p = put_word(p, 0x0100, kind)
    p = put_word(p, 0x0110, identifier)
    if body != NULL:
        p = put_word(p, 0x0700, 0)
    p = put_word(p, 0x0800, NO_DATA_SET if body == NULL else 0)
    if sop_instance.size:
        p = put_uid(p, 0x1000, sop_instance.at, sop_instance.size)
    one.total, one.count = p - one.head, 1
    put_pdu(one.head, number, COMMAND | LAST, one.total - PDU)
    put_group_length(one.head + PDU, one.total - PDU)
    piece_set(&one.pieces[0], one.head, one.total)
    while at < size:
        length = fragment if fragment < size - at else size - at
        put_pdu(one.headers[used], number, LAST if at + length == size else 0, length)
        piece_set(&one.pieces[one.count], one.headers[used], PDU)
        piece_set(&one.pieces[one.count + 1], body + at, length)
        at, used, one.count, one.total = at + length, used + 1, one.count + 2, one.total + PDU + length


def receive(int file, uint8_t[::1] room not None, int number, int kind, int identifier):
    """Receive from a blocking socket: how many bytes came, and the status if they are the response to a request.

    The status is -1 if they are anything else, or more or less than that, or the response says more than a status.
    OSError if nothing came, BlockingIOError too.
    """
    cdef Py_ssize_t count, size = room.shape[0]
    cdef int status = -1
    if size < SHORT:
        raise ValueError(f"there is no room for a response in {size} bytes")
    with nogil:
        count = receive_response(file, &room[0], size, number, kind, identifier, &status)
    if count < 0:
        raise OSError(<int>-count, "nothing came")
    return count, status


cdef Py_ssize_t receive_response(int file, uint8_t* p, Py_ssize_t size, int number, int kind, int identifier,
                                 int* status) noexcept nogil:
    cdef Py_ssize_t count = ask_receive(file, p, size), more
    cdef int turns = TURNS
    while 0 < count < SHORT and turns and is_cut(p, count):     # many peers send a header by itself
        more = ask_receive(file, p + count, size - count)
        if more <= 0:
            break
        count, turns = count + more, turns - 1
    status[0] = status_of(p, count, number, kind | RESPONSE, identifier) if count > 0 else -1
    return count


cdef bint is_cut(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Whether these bytes are the beginning of a short P-DATA-TF PDU.
    return p[0] == DATA and (n < 6 or n - 6 < load_be32(p + 2) <= SHORT - 6)


cdef int status_of(const uint8_t* p, Py_ssize_t n, int number, uint32_t kind, uint32_t identifier) noexcept nogil:
    # The status of a response that is the only PDU and of the elements that every response may have, else -1.
    cdef Py_ssize_t at = PDU, length
    cdef uint32_t element, left
    cdef int status = -1, last = -1, seen = 0
    if n < PDU or p[0] != DATA or load_be32(p + 2) != n - 6 or load_be32(p + 6) != n - 10:
        return -1
    if p[10] != number or p[11] != COMMAND | LAST:
        return -1
    while at < n:
        if n - at < ELEMENT:
            return -1
        element, left = load_le16(p + at + 2), load_le32(p + at + 4)
        at += ELEMENT
        if load_le16(p + at - ELEMENT) or left > n - at or <int>element <= last:
            return -1
        last, length = element, left
        if element in (0x0100, 0x0120, 0x0800, 0x0900):
            if length != 2:
                return -1
            left = load_le16(p + at)
            if element == 0x0900:
                status = left
            elif left != (kind if element == 0x0100 else identifier if element == 0x0120 else NO_DATA_SET):
                return -1
            else:
                seen += 1
        elif element not in (0x0000, 0x0002, 0x1000) or length > LONGEST_UID + 1:
            return -1
        at += length
    return status if seen == 3 else -1


def status(const uint8_t[::1] data not None, int number, int kind, int identifier):
    """The status if these bytes are the response to a request, as `receive` says it."""
    return status_of(&data[0], data.shape[0], number, kind | RESPONSE, identifier) if data.shape[0] else -1


def read_small(path not None):
    """The bytes of a regular file of up to 16 KiB; None for others, and if they cannot be had."""
    cdef uint8_t[SMALL] room
    cdef bytes name = PyUnicode_EncodeFSDefault(path) if isinstance(path, str) else path
    cdef const char* where = name
    cdef Py_ssize_t count
    if b"\0" in name:
        return None
    with nogil:
        count = ask_read(where, room, SMALL)
    return None if count < 0 else PyBytes_FromStringAndSize(<char*>room, count)
