# The bulk loop's structures: growing buffers in Arrow's layout, and a column made of them.

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

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
    bint many           # a list of values
    Py_ssize_t count    # many: values of all rows together
    Buffer valid        # one bit a row
    Buffer offsets      # many: int32 a row and one more, into the values
    Buffer starts       # TEXT: int32 a value and one more, into the data
    Buffer data         # the values themselves, or their text

cdef struct Segment:    # bytes [begin, begin + held) of the file, at `at` in the arena
    uint64_t begin
    uint64_t held
    Py_ssize_t at
