# The source of an index's bytes: memory, or a file that is read in blocks by position.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from dicomcore._native.base.file cimport file_handle

cdef enum:                                  # sizes of a scan's windows, also in the bulk loop
    HEAD = 16 * 1024                        # the first block; most headers fit into it
    LARGE = 1024 * 1024                     # a block of this size is not extended any more: a new one begins
    SKIP = 32 * 1024                        # a value that reaches further behind a block is skipped, not read


cdef class Source:
    cdef readonly object path               # as the caller gave it, None for memory
    cdef object ranged                      # the object whose read_at(offset, length) replaces a file, or None
    cdef bytes fs_path                      # `path`, encoded for the file system
    cdef readonly uint64_t first            # where the input begins: 0 unless it is a part of a file
    cdef readonly uint64_t size             # where it ends; offsets count from the first byte that the caller gave
    cdef uint64_t file_size                 # size of the whole file
    cdef int64_t changed                    # the file's time of change in nanoseconds
    cdef file_handle file                   # open during a scan, else -1
    cdef file_handle kept                   # stays open, as another file is about to take the path; else -1
    cdef bytes peeked                       # the last window of peek()
    cdef uint64_t peeked_at                 # its offset
    cdef object owner                       # the object that keeps the first block's memory alive
    cdef const uint8_t* data                # the first block: bytes [begin, begin + held)
    cdef uint64_t begin, held
    cdef list blocks                        # further blocks: (begin, bytes)
    cdef bint shared                        # other threads may be reading: no block may be replaced

    cdef file_handle open(self, bint first) except? -1
    cdef int begin_scan(self) except -1
    cdef void end_scan(self) noexcept
    cdef bytes read_from(self, file_handle file, uint64_t offset, uint64_t length)
    cdef int read_to(self, file_handle file, uint64_t offset, uint64_t length, uint8_t* into) except -1
    cdef int peek(self, uint64_t offset, const uint8_t** window, uint64_t* start, uint64_t* stop) except -1
    cdef bytes read(self, uint64_t offset, uint64_t length)
    cdef int cover(self, uint64_t offset, const uint8_t** window, uint64_t* start, uint64_t* stop) except -1
    cdef int narrow(self, uint64_t first, object length) except -1
    cdef int keep(self, uint64_t begin, bytes block) except -1
    cdef bint at_hand(self, uint64_t offset, uint64_t length, const uint8_t** data) noexcept
    cdef file_handle read_into(self, uint64_t offset, uint64_t length, uint8_t* into, file_handle opened) except? -1
    cdef object hold(self, uint64_t offset, uint64_t length, const uint8_t** data)


cdef Source memory_source(object data, uint64_t first=*)
cdef Source opened_source(object given, uint64_t offset, object length)
