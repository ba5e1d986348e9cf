"""Columns in Arrow's layout: they are filled row by row, and their buffers are handed over at the end."""

from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status

KINDS = {"text": TEXT, "date": DATE, "float64": FLOAT64, "float32": FLOAT32, "int32": INT32, "int64": INT64,
         "uint64": UINT64}


cdef class Block:
    """The memory of one finished buffer, read-only; Arrow keeps a reference as long as it needs the memory."""
    cdef Buffer buffer

    def __dealloc__(self):
        free(self.buffer.data)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.buffer.data, self.buffer.size, 1, flags)


cdef Block take(Buffer* b):
    # Move the buffer's memory to a Block.
    cdef Block block = Block()
    if b.data == NULL and reserve(b, 8) != OK:
        raise MemoryError("no memory for a column")
    block.buffer = b[0]
    memset(b, 0, sizeof(Buffer))
    return block


cdef Status column_init(Column* c, Py_ssize_t rows) noexcept nogil:
    # Reserve a bit and one value or offset per row; the buffers of lists and texts grow with their content.
    if reserve(&c.valid, (rows + 63) // 64 * 8) != OK:
        return NO_MEMORY
    c.valid.size = (rows + 7) // 8
    memset(c.valid.data, 0, c.valid.capacity)
    if c.many:
        if reserve(&c.offsets, 4 * (rows + 1)) != OK:
            return NO_MEMORY
        (<int32_t*>c.offsets.data)[0] = 0
    if c.kind == TEXT:
        if reserve(&c.starts, 4 * (rows + 1)) != OK or reserve(&c.data, 16 * rows) != OK:
            return NO_MEMORY
        (<int32_t*>c.starts.data)[0] = 0
        c.starts.size = 4
        return OK
    return reserve(&c.data, 8 * rows)


cdef void column_free(Column* c) noexcept nogil:
    free(c.valid.data)
    free(c.offsets.data)
    free(c.starts.data)
    free(c.data.data)


cdef void undo_row(Column* c, Py_ssize_t row) noexcept nogil:
    # Remove the values that were added for `row`, whether the row was closed or not.
    c.valid.data[row >> 3] &= <uint8_t>~(1 << (row & 7))
    if c.many:
        c.count = (<int32_t*>c.offsets.data)[row]
        c.offsets.size = 4 * (row + 1)
    if c.kind == TEXT:
        c.starts.size = 4 * ((c.count if c.many else row) + 1)
        c.data.size = (<int32_t*>c.starts.data)[c.starts.size // 4 - 1]
    else:
        c.data.size = (c.count if c.many else row) * width_of(c.kind)


cdef Status add_latin(Column* c, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef uint8_t* into
    if reserve(&c.data, 2 * n) != OK:
        return NO_MEMORY
    into = c.data.data + c.data.size
    for i in range(n):
        if p[i] < 0x80:
            into[0] = p[i]
            into += 1
        else:
            into[0] = 0xC0 | (p[i] >> 6)
            into[1] = 0x80 | (p[i] & 0x3F)
            into += 2
    c.data.size = into - c.data.data
    return close_text(c)


cdef object take_column(Column* c):
    return (c.count, take(&c.valid), take(&c.offsets) if c.many else None,
            take(&c.starts) if c.kind == TEXT else None, take(&c.data))


cdef int put_value(Column* c, Py_ssize_t row, object value) except -1:
    if value is not None:
        for one in value if c.many else (value,):
            put_one(c, one)
    close_row(c, row, value is not None)
    return 0


cdef int put_one(Column* c, object value) except -1:
    cdef bytes text
    cdef double full
    cdef float single
    cdef int32_t word
    cdef int64_t wide
    cdef uint64_t unsigned_wide
    cdef Status status
    if c.kind == TEXT:
        text = value.encode("utf-8", "backslashreplace")
        status = add_text(c, <const uint8_t*><const char*>text, len(text))
    elif c.kind == FLOAT64:
        full = value
        status = add_word(c, &full)
    elif c.kind == FLOAT32:
        single = value
        status = add_word(c, &single)
    elif c.kind == INT64:
        wide = value
        status = add_word(c, &wide)
    elif c.kind == UINT64:
        unsigned_wide = value
        status = add_word(c, &unsigned_wide)
    else:
        word = value
        status = add_word(c, &word)
    if status != OK:
        raise MemoryError("no memory for a batch of files")
    return 0
