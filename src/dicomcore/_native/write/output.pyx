"""The output: bytes encoded into a buffer, and references to byte ranges of sources.

Most of a data set that was read is copied. Small ranges are copied into the buffer at once; a large range is recorded
as a piece and streamed later. So the memory needed is about that of the changed elements.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from dicomcore._native.base.file cimport file_handle
from dicomcore._native.scan.index cimport view_of
from dicomcore._native.scan.source cimport Source, memory_source

cdef extern from "base/swap.h" nogil:
    void dc_swap_words16(const uint8_t* src, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_swap_words32(const uint8_t* src, uint8_t* dst, Py_ssize_t count) noexcept
    void dc_swap_words64(const uint8_t* src, uint8_t* dst, Py_ssize_t count) noexcept

cdef enum:
    FIRST_BYTES = 2048
    TINY = 1024                 # a range of at most this length is copied into the buffer at once
    STEP = 1 << 20              # bytes of a source that are in memory at a time while it is streamed; a multiple of 8


cdef inline void swap_in_place(uint8_t* data, uint64_t n, uint64_t width) noexcept nogil:
    # Reverse words of 2, 4 or 8 bytes; an incomplete word at the end stays unchanged.
    if width == 2:
        dc_swap_words16(data, data, <Py_ssize_t>(n // 2))
    elif width == 4:
        dc_swap_words32(data, data, <Py_ssize_t>(n // 4))
    elif width == 8:
        dc_swap_words64(data, data, <Py_ssize_t>(n // 8))


cdef class Output:
    """The pieces to write, in order; `compose` fills it, and it can be read any number of times.

    The buffer protocol exposes only the bytes of its own buffer, not the ranges of sources: see `whole`.
    """

    def __cinit__(self):
        self.sources = []

    def __dealloc__(self):
        free(self.buffer)
        free(self.pieces)

    def __len__(self) -> int:
        return self.total()

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        # While a view exists, nothing can be added: the buffer would move.
        self.close_piece()
        PyBuffer_FillInfo(buffer, self, self.buffer if self.size else <void*>b"", self.size, 1, flags)
        self.exports += 1

    def __releasebuffer__(self, Py_buffer* buffer):
        self.exports -= 1

    cdef uint64_t total(self) noexcept:
        return self.closed + <uint64_t>(self.size - self.begun)

    # -- adding

    cdef int need(self, Py_ssize_t n) except -1:
        # Make room for n more bytes in the buffer.
        cdef Py_ssize_t capacity
        cdef uint8_t* grown
        if n <= self.capacity - self.size:
            return 0
        if self.exports:
            raise BufferError("an Output can't grow while a memoryview of it exists: release the view first")
        capacity = max(2 * self.capacity, self.size + n, <Py_ssize_t>FIRST_BYTES)
        grown = <uint8_t*>realloc(self.buffer, capacity)
        if grown == NULL:
            raise MemoryError(f"no memory for {capacity} bytes to write")
        self.buffer = grown
        self.capacity = capacity
        return 0

    cdef int put(self, const uint8_t* data, Py_ssize_t n) except -1:
        self.need(n)
        if n:
            memcpy(self.buffer + self.size, data, n)
            self.size += n
        return 0

    cdef int put_byte(self, uint8_t value) except -1:
        self.need(1)
        self.buffer[self.size] = value
        self.size += 1
        return 0

    cdef int put16(self, uint16_t value, bint big) except -1:
        self.need(2)
        self.buffer[self.size + (1 if big else 0)] = value & 0xFF
        self.buffer[self.size + (0 if big else 1)] = value >> 8
        self.size += 2
        return 0

    cdef int put32(self, uint32_t value, bint big) except -1:
        self.need(4)
        self.size += 4
        self.patch32(self.size - 4, value, big)
        return 0

    cdef int put_tag(self, uint32_t tag, bint big) except -1:
        return self.put32(tag if big else (tag << 16) | (tag >> 16), big)

    cdef void patch32(self, Py_ssize_t at, uint32_t value, bint big) noexcept:
        # Overwrite a 32-bit word that was put before.
        cdef int i
        for i in range(4):
            self.buffer[at + (3 - i if big else i)] = (value >> (8 * i)) & 0xFF

    cdef int close_piece(self) except -1:
        # Make a piece of the bytes that were put since the last one.
        cdef Py_ssize_t n = self.size - self.begun
        if n:
            self.add_piece(-1, <uint64_t>self.begun, <uint64_t>n, 1)
            self.begun = self.size
        return 0

    cdef int add_piece(self, Py_ssize_t source, uint64_t offset, uint64_t length, uint64_t width) except -1:
        cdef Piece* grown
        cdef Piece* last
        cdef Py_ssize_t room
        if self.count:
            last = &self.pieces[self.count - 1]
            if last.source == source and last.offset + last.length == offset and last.width == 1 and width == 1:
                last.length += length
                self.closed += length
                return 0
        if self.count == self.room:
            room = 2 * self.room if self.room else 8
            grown = <Piece*>realloc(self.pieces, room * sizeof(Piece))
            if grown == NULL:
                raise MemoryError("no memory for the list of pieces to write")
            self.pieces = grown
            self.room = room
        self.pieces[self.count] = Piece(source, offset, length, width)
        self.count += 1
        self.closed += length
        return 0

    cdef int put_source(self, Source source, uint64_t offset, uint64_t length, uint64_t width=1) except -1:
        # Append a byte range of a source, with its words reversed if `width` is more than 1.
        cdef const uint8_t* data
        cdef Py_ssize_t i, at = -1
        if length <= TINY:
            _owner = source.hold(offset, length, &data)
            self.put(data, <Py_ssize_t>length)
            swap_in_place(self.buffer + self.size - length, length, width)
            return 0
        self.close_piece()
        for i in range(len(self.sources) - 1, -1, -1):
            if self.sources[i] is source:
                at = i
                break
        if at < 0:
            at = len(self.sources)
            self.sources.append(source)
        return self.add_piece(at, offset, length, width)

    cdef int put_object(self, object data, uint64_t width=1) except -1:
        # Append the bytes of a bytes-like object; a large object is referred to, not copied.
        cdef Source source = memory_source(data)
        return self.put_source(source, 0, source.size, width)

    def add(self, data) -> None:
        """Append the bytes of a bytes-like object; they must not change until the output is written."""
        self.put_object(data)

    def add_source(self, Source source not None, uint64_t offset, uint64_t length) -> None:
        """Append a byte range of a source."""
        self.put_source(source, offset, length)

    # -- reading

    def whole(self) -> bytes:
        """The whole output as bytes."""
        cdef bytes made = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>self.total())
        cdef uint8_t* into = <uint8_t*>PyBytes_AS_STRING(made)
        cdef Source source = None               # the piece's; its file stays open for consecutive pieces
        cdef file_handle file = -1
        cdef Piece* piece
        cdef Py_ssize_t i
        self.close_piece()
        try:
            for i in range(self.count):
                piece = &self.pieces[i]
                if piece.source < 0:
                    memcpy(into, self.buffer + piece.offset, piece.length)
                else:
                    if source is not self.sources[piece.source]:
                        if source is not None:
                            source.give_back(file)
                        file = -1
                        source = self.sources[piece.source]
                    file = source.read_into(piece.offset, piece.length, into, file)
                    swap_in_place(into, piece.length, piece.width)
                into += piece.length
        finally:
            if source is not None:
                source.give_back(file)
        return made

    def stretches(self):
        """The (source, offset, length, width) of every piece; source is None for bytes of this Output's own buffer."""
        cdef Py_ssize_t i
        cdef Piece* piece
        self.close_piece()
        found = []
        for i in range(self.count):
            piece = &self.pieces[i]
            found.append((None if piece.source < 0 else self.sources[piece.source], piece.offset, piece.length,
                          piece.width))
        return found

    def chunks(self):
        """Yield the bytes in order: views of bytes in memory, and blocks of at most 1 MiB that are read from files."""
        for source, offset, length, width in self.stretches():
            if source is None:
                yield memoryview(self)[offset:offset + length]
                continue
            view = self.view(source, offset, length) if width == 1 else None
            if view is not None:
                yield view
            else:
                yield from self.read_chunks(source, offset, length, width)

    cdef object view(self, Source source, uint64_t offset, uint64_t length):
        # A view of a byte range of a source; None if the range is not in memory and would have to be read.
        cdef const uint8_t* data
        if not source.at_hand(offset, length, &data):
            return None
        owner = source.hold(offset, length, &data)
        return view_of(source, owner, data, length)

    def read_chunks(self, Source source not None, uint64_t offset, uint64_t length, uint64_t width):
        """Yield a byte range of a source in blocks of at most 1 MiB, its words reversed if `width` is more than 1."""
        cdef uint64_t at = 0, n
        cdef bytes block
        while at < length:
            n = min(<uint64_t>STEP, length - at)
            block = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>n)
            source.give_back(source.read_into(offset + at, n, <uint8_t*>PyBytes_AS_STRING(block), -1))
            swap_in_place(<uint8_t*>PyBytes_AS_STRING(block), n, width)
            yield block
            at += n
