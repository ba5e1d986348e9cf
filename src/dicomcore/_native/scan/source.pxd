# Where an index's bytes come from: memory that is held, or a file read in blocks by position.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from dicomcore._native.base.file cimport file_handle

cdef enum:                                  # windows of a scan, the same in the bulk loop
    HEAD = 16 * 1024                        # the first block: most headers fit
    LARGE = 1024 * 1024                     # a block of this size is not read again to be longer: another one begins
    SKIP = 32 * 1024                        # a value that reaches this far behind a block is stepped over, not read


cdef class Source:
    cdef readonly object path               # what the caller gave, None for memory
    cdef object ranged                      # whose read_at(offset, length) is asked in a file's place, or None
    cdef bytes fs_path                      # the same for the file system
    cdef readonly uint64_t first            # where the input begins: not at 0 for a part of a file
    cdef readonly uint64_t size             # where it ends; offsets count from the first byte of what the caller gave
    cdef uint64_t file_size                 # of all of the file
    cdef int64_t changed
    cdef file_handle file                   # open during a scan, else -1
    cdef file_handle kept                   # open for good, since the path leads elsewhere by now; else -1
    cdef bytes peeked                       # holds the last window on headers
    cdef uint64_t peeked_at                 # where it begins
    cdef object owner                       # holds the first block's memory
    cdef const uint8_t* data                # the first block: bytes [begin, begin + held)
    cdef uint64_t begin, held
    cdef list blocks                        # further ones: (begin, bytes)
    cdef bint shared                        # other threads may be reading: no block goes

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
