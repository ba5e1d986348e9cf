# Requests that are received and whose responses wait for another thread, in the order in which they came.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from dicomcore._native.net.heads cimport Value


cdef enum:
    MOST_WAITING = 64       # a power of two
    MOST_UID = 64           # bytes of a UID, and of a comment (PS3.5 6.2)
    MOST_COMMENT = 64


cdef struct Waiting:
    int number              # of the presentation context
    uint32_t kind, identifier, status
    bint has_file, is_done
    Py_ssize_t class_size, instance_size, comment_size
    uint8_t sop_class[MOST_UID]
    uint8_t sop_instance[MOST_UID]
    uint8_t comment[MOST_COMMENT]


cdef struct Line:
    # Running numbers of requests: of the first that waits, the first that is not handed over, and the next one.
    uint64_t first, handed, end
    Waiting places[MOST_WAITING]


cdef inline Waiting* place_in(Line* line, uint64_t running) noexcept nogil:
    return &line.places[running & (MOST_WAITING - 1)]


cdef inline bint waits_in(const Line* line, uint32_t identifier) noexcept nogil:
    # Whether a request with a message ID is in the line.
    cdef uint64_t running = line.first
    while running < line.end:
        if line.places[running & (MOST_WAITING - 1)].identifier == identifier:
            return True
        running += 1
    return False


cdef inline Py_ssize_t copied(uint8_t* to, const Value* uid) noexcept nogil:
    # A UID, of MOST_UID bytes at most as `read_uid` gives it; its size.
    if uid.size:
        memcpy(to, uid.at, uid.size)
    return uid.size


cdef inline Waiting* join(Line* line, int number, uint32_t kind, uint32_t identifier, const Value* sop_class,
                          const Value* sop_instance) noexcept nogil:
    # A request at the end of the line, in which there is room.
    cdef Waiting* made = place_in(line, line.end)
    line.end += 1
    made.number, made.kind, made.identifier = number, kind, identifier
    made.status = 0
    made.has_file = made.is_done = False
    made.class_size, made.instance_size = copied(made.sop_class, sop_class), copied(made.sop_instance, sop_instance)
    made.comment_size = 0
    return made
