"""Lists folders without the GIL and without a Python object per entry: the walk over many files."""

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.errno cimport errno
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, qsort
from libc.string cimport memcmp, memcpy, memset, strlen

from dicomcore._native.base.fault cimport IO_FAULT, NO_MEMORY, OK, Status
from dicomcore._native.base.file cimport FILE_DIRECTORY, FILE_OTHER, FILE_REGULAR
from dicomcore._native.base.folder cimport FOLDERS, folder_end, folder_list, folder_next
from dicomcore._native.base.text cimport is_ascii
from dicomcore._native.bulk.cell cimport is_utf8
from dicomcore._native.bulk.column cimport Buffer, reserve

import os
import sys

cdef extern from "Python.h":
    object PyUnicode_New(Py_ssize_t size, Py_UCS4 largest)
    void* PyUnicode_DATA(object text)

cdef enum:
    MOST_SUFFIX = 64

PLAIN, FOLDER, SPECIAL = FILE_REGULAR, FILE_DIRECTORY, FILE_OTHER
# Sorting bytes sorts the texts only where names are UTF-8.
LISTS = bool(FOLDERS) and sys.getfilesystemencoding() == "utf-8"

cdef struct Entry:
    Py_ssize_t at               # of the name in `names`, behind reading its address
    const uint8_t* name
    Py_ssize_t length
    int kind


cdef int ascending(const void* one, const void* other) noexcept nogil:
    cdef const Entry* a = <const Entry*>one
    cdef const Entry* b = <const Entry*>other
    cdef int order = memcmp(a.name, b.name, min(a.length, b.length))
    if order:
        return order
    return (a.length > b.length) - (a.length < b.length)


cdef inline uint8_t small(uint8_t letter) noexcept nogil:
    return letter | 0x20 if b"A" <= letter <= b"Z" else letter


cdef bint ends_in(const Entry* entry, const uint8_t* suffix, Py_ssize_t n) noexcept nogil:
    # Whether the name ends in the suffix, which is in small letters.
    cdef Py_ssize_t i
    if entry.length < n:
        return False
    for i in range(n):
        if small(entry.name[entry.length - n + i]) != suffix[i]:
            return False
    return True


cdef class Folder:
    """The entries of a folder, sorted by name; links are followed. OSError if it can't be listed.

    Parameters
    ----------
    folder : str
        The folder's path.
    prefix : str
        What the entries' paths begin with.
    """
    cdef Buffer entries, names
    cdef Py_ssize_t count
    cdef str prefix
    cdef readonly bint sorted
    """False if a name is not valid UTF-8: the order of the texts is unknown then."""

    def __cinit__(self, str folder not None, str prefix not None):
        cdef bytes path = os.fsencode(folder)
        cdef const char* raw = path
        cdef Status status
        cdef int code = 0
        self.prefix = prefix
        with nogil:
            status = self.read(raw, &code)
        if status == NO_MEMORY:
            raise MemoryError("no memory for the names in a folder")
        if status != OK:
            raise OSError(code, os.strerror(code), folder)

    def __dealloc__(self):
        free(self.entries.data)
        free(self.names.data)

    def __len__(self) -> int:
        return self.count

    cdef Status read(self, const char* path, int* code) noexcept nogil:
        cdef void* listed = folder_list(path)
        cdef const char* name = NULL
        cdef int kind = 0, more
        cdef Status status = OK
        if listed == NULL:
            code[0] = errno
            return IO_FAULT
        while status == OK:
            more = folder_next(listed, &name, &kind)
            if more <= 0:
                if more < 0:
                    code[0] = errno
                    status = IO_FAULT
                break
            status = self.add(name, kind)
        folder_end(listed)
        if status == OK:
            self.order()
        return status

    cdef Status add(self, const char* name, int kind) noexcept nogil:
        cdef Entry* entry
        cdef Py_ssize_t n = <Py_ssize_t>strlen(name)
        if reserve(&self.entries, sizeof(Entry)) != OK or reserve(&self.names, n) != OK:
            return NO_MEMORY
        entry = <Entry*>(self.entries.data + self.entries.size)
        entry.at = self.names.size
        entry.length = n
        entry.kind = kind
        memcpy(self.names.data + self.names.size, name, n)
        self.names.size += n
        self.entries.size += sizeof(Entry)
        self.count += 1
        return OK

    cdef void order(self) noexcept nogil:
        cdef Entry* entry = <Entry*>self.entries.data
        cdef Py_ssize_t i
        self.sorted = True
        for i in range(self.count):
            entry[i].name = self.names.data + entry[i].at
            if not is_ascii(entry[i].name, entry[i].length) and not is_utf8(entry[i].name, entry[i].length):
                self.sorted = False
        if self.count > 1:
            qsort(entry, <size_t>self.count, sizeof(Entry), ascending)

    def marks(self, tuple suffixes not None) -> list:
        """The (position, kind) of each entry that is no plain file, or whose name ends in one of the suffixes (bytes in
        small letters; the name's may be capitals).

        The kind is PLAIN, FOLDER or SPECIAL, which is a pipe, a socket or a device.
        """
        cdef const uint8_t* ends[MOST_SUFFIX]
        cdef Py_ssize_t sizes[MOST_SUFFIX]
        cdef Entry* entry = <Entry*>self.entries.data
        cdef Py_ssize_t i, j, count = len(suffixes)
        cdef bint marked
        cdef bint last[256]                             # whether a suffix ends in this byte: few names do
        cdef bytes suffix
        if count > MOST_SUFFIX:
            raise ValueError(f"{count} suffixes are more than {MOST_SUFFIX}")
        memset(last, 0, sizeof(last))
        for i in range(count):
            suffix = suffixes[i]
            if not suffix:
                raise ValueError("an empty suffix marks nothing")
            ends[i] = <const uint8_t*>suffix
            sizes[i] = len(suffix)
            last[ends[i][sizes[i] - 1]] = True
        found = []
        for i in range(self.count):
            marked = entry[i].kind != FILE_REGULAR
            if not marked and last[small(entry[i].name[entry[i].length - 1])]:
                for j in range(count):
                    marked = marked or ends_in(&entry[i], ends[j], sizes[j])
            if marked:
                found.append((i, entry[i].kind))
        return found

    def paths(self, Py_ssize_t start, Py_ssize_t stop) -> list:
        """The paths of the entries from position `start` up to `stop`."""
        cdef Entry* entry = <Entry*>self.entries.data
        cdef Py_ssize_t i, n
        cdef bytes raw = self.prefix.encode("ascii") if self.prefix.isascii() else b""
        cdef bint plain = self.prefix.isascii()
        cdef uint8_t* out
        if not 0 <= start <= stop <= self.count:
            raise ValueError(f"entries {start} to {stop} are not in a folder of {self.count}")
        n = len(raw)
        found = []
        for i in range(start, stop):
            if plain and is_ascii(entry[i].name, entry[i].length):
                path = PyUnicode_New(n + entry[i].length, 127)
                out = <uint8_t*>PyUnicode_DATA(path)
                memcpy(out, <const char*>raw, n)
                memcpy(out + n, entry[i].name, entry[i].length)
            else:
                path = self.prefix + PyUnicode_DecodeUTF8(<const char*>entry[i].name, entry[i].length,
                                                          "surrogateescape")
            found.append(path)
        return found
