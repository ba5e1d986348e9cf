# Positioned reads by path; see file.h.

from libc.stdint cimport int64_t, uint64_t

cdef extern from "base/file.h" nogil:
    ctypedef int file_handle        # -1: no file is open
    ctypedef struct file_facts:
        uint64_t size
        int64_t changed
        int kind
    enum:
        FILE_REGULAR
        FILE_DIRECTORY
        FILE_OTHER
    file_handle file_open(const char* path)
    int file_stat(file_handle file, file_facts* facts)
    int file_look(const char* path, file_facts* facts)
    int64_t file_read(file_handle file, void* buffer, uint64_t size, uint64_t offset)
    void file_close(file_handle file)
