# Growing columns: buffers in Arrow's layout, and the functions that append the values of one row.

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport realloc
from libc.string cimport memcpy, memset

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status

cdef enum:
    MOST = 0x7FFFFFFF   # the most bytes of a buffer

cdef enum Kind:
    TEXT            # utf8
    DATE            # date32: days since 1970-01-01
    FLOAT64
    FLOAT32
    INT32
    INT64
    UINT64

cdef struct Buffer:
    uint8_t* data
    Py_ssize_t size
    Py_ssize_t capacity

cdef struct Column:
    uint32_t tag
    uint16_t vr         # the dictionary's
    uint8_t kind
    bint many           # each row holds a list of values
    Py_ssize_t count    # if `many`: values of all rows together
    Buffer valid        # one bit per row
    Buffer offsets      # if `many`: an int32 per row and one more, into the values
    Buffer starts       # TEXT: an int32 per value and one more, into the data
    Buffer data         # the values themselves, or their text


cdef inline Status reserve(Buffer* b, Py_ssize_t more) noexcept nogil:
    # Make room for `more` bytes behind the buffer's content; never more than Arrow's 32-bit offsets reach.
    cdef Py_ssize_t capacity = b.capacity
    cdef uint8_t* grown
    if more > MOST - b.size:
        return NO_MEMORY
    if more <= capacity - b.size:
        return OK
    while more > capacity - b.size:
        capacity = 2 * capacity if capacity else 1024
    grown = <uint8_t*>realloc(b.data, capacity)
    if grown == NULL:
        return NO_MEMORY
    b.data = grown
    b.capacity = capacity
    return OK


cdef inline Py_ssize_t width_of(uint8_t kind) noexcept nogil:
    return 4 if kind == DATE or kind == INT32 or kind == FLOAT32 else 8


cdef inline Status add_word(Column* c, const void* value) noexcept nogil:
    cdef Py_ssize_t width = width_of(c.kind)
    if reserve(&c.data, width) != OK:
        return NO_MEMORY
    memcpy(c.data.data + c.data.size, value, width)
    c.data.size += width
    c.count += 1
    return OK


cdef inline Status close_text(Column* c) noexcept nogil:
    # End the value whose text was just added to `data`.
    if reserve(&c.starts, 4) != OK:
        return NO_MEMORY
    (<int32_t*>(c.starts.data + c.starts.size))[0] = <int32_t>c.data.size
    c.starts.size += 4
    c.count += 1
    return OK


cdef inline Status add_text(Column* c, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    if reserve(&c.data, n) != OK:
        return NO_MEMORY
    memcpy(c.data.data + c.data.size, p, n)
    c.data.size += n
    return close_text(c)


cdef inline void close_row(Column* c, Py_ssize_t row, bint valid) noexcept nogil:
    # End a row behind its values: end its list, or fill up a null.
    cdef int32_t* starts
    if c.many:
        (<int32_t*>c.offsets.data)[row + 1] = <int32_t>c.count
        c.offsets.size = 4 * (row + 2)
    elif not valid and c.kind == TEXT:
        starts = <int32_t*>c.starts.data
        starts[row + 1] = starts[row]
        c.starts.size = 4 * (row + 2)
    elif not valid:
        memset(c.data.data + row * width_of(c.kind), 0, width_of(c.kind))
        c.data.size = (row + 1) * width_of(c.kind)
    if valid:
        c.valid.data[row >> 3] |= <uint8_t>(1 << (row & 7))


cdef inline void* last_of(Buffer* records, Py_ssize_t size) noexcept nogil:
    return records.data + records.size - size


cdef Status column_init(Column* c, Py_ssize_t rows) noexcept nogil
cdef void column_free(Column* c) noexcept nogil
cdef Status add_latin(Column* c, const uint8_t* p, Py_ssize_t n) noexcept nogil
cdef void undo_row(Column* c, Py_ssize_t row) noexcept nogil
cdef object take_column(Column* c)
cdef int put_value(Column* c, Py_ssize_t row, object value) except -1
