# Files of one folder after the other, looked up and opened by their names in it: that takes less than a whole path.

from libc.string cimport memcmp, memcpy

from dicomcore._native.base.file cimport file_facts, file_handle, file_look, file_open
from dicomcore._native.base.folder cimport folder_close, folder_file, folder_handle, folder_look, folder_open

cdef enum:
    LONGEST = 4096              # bytes of a folder's path that is opened

cdef struct Around:             # the folder of the last path, which the next ones mostly share
    const char* path
    Py_ssize_t length           # with the separator behind it
    folder_handle folder        # -1: not open
    bint refused


cdef inline Py_ssize_t folder_length(const char* path, Py_ssize_t n) noexcept nogil:
    while n and path[n - 1] != b"/":
        n -= 1
    return n


cdef inline bint step_in(Around* around, const char* path, Py_ssize_t n) noexcept nogil:
    # Whether the folder of a path of `n` bytes is open; the second file of a folder opens it.
    cdef char name[LONGEST]
    cdef Py_ssize_t length = folder_length(path, n)
    if length == 0 or length != around.length or memcmp(path, around.path, length) != 0:
        leave(around)
        around.path = path
        around.length = length
        return False
    if around.folder == -1 and not around.refused:
        around.refused = length >= LONGEST
        if not around.refused:
            memcpy(name, path, length)
            name[length] = 0
            around.folder = folder_open(name)
            around.refused = around.folder == -1
    return around.folder != -1 and length < n


cdef inline int look_in(Around* around, const char* path, Py_ssize_t n, file_facts* facts) noexcept nogil:
    # As file_look(). The path's memory is needed until the next call.
    if step_in(around, path, n):
        return folder_look(around.folder, path + around.length, facts)
    return file_look(path, facts)


cdef inline file_handle open_in(Around* around, const char* path, Py_ssize_t n) noexcept nogil:
    # As file_open(). The path's memory is needed until the next call.
    if step_in(around, path, n):
        return folder_file(around.folder, path + around.length)
    return file_open(path)


cdef inline void leave(Around* around) noexcept nogil:
    if around.folder != -1:
        folder_close(around.folder)
    around.folder = -1
    around.length = 0
    around.refused = False
