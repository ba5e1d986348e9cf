"""Memory that is used again, for one file after the other."""

from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport uint8_t, uintptr_t
from libc.stdlib cimport free, malloc

cdef enum:
    PAGE = 4096


cdef class Scratch:
    """Some bytes at the beginning of a page, with the buffer protocol.

    Where a system's copy has its target a few bytes behind its source, each counted from the beginning of a page, it
    takes six times as long; files are in memory by pages, and a bytearray is 16 bytes behind one.
    """
    cdef void* memory
    cdef uint8_t* data
    cdef readonly Py_ssize_t size
    cdef readonly Py_ssize_t views
    """How many buffers of it there are: none if nothing looks at what it holds."""

    def __cinit__(self, Py_ssize_t size):
        if size < 1:
            raise ValueError("memory has at least one byte")
        self.memory = malloc(size + PAGE)
        if self.memory == NULL:
            raise MemoryError(f"no memory for {size} bytes of a file")
        self.data = <uint8_t*>((<uintptr_t>self.memory + PAGE - 1) & ~<uintptr_t>(PAGE - 1))
        self.size = size

    def __dealloc__(self):
        free(self.memory)

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.size, 0, flags)
        self.views += 1

    def __releasebuffer__(self, Py_buffer* buffer):
        self.views -= 1
