"""Sources: memory, or a file (or an object with read_at()) that is read in blocks by position, never mapped."""

import os

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.errno cimport EISDIR, errno
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memchr, memcpy

from dicomcore._native.base.file cimport (
    FILE_DIRECTORY,
    FILE_REGULAR,
    file_close,
    file_facts,
    file_open,
    file_read,
    file_stat,
)

from dicomcore.errors import DicomError, TruncatedError

cdef extern from "Python.h":
    bytes PyUnicode_EncodeFSDefault(object text)

cdef enum:
    PEEK = 256                  # the size of a window for a single fragment's header
    PEEK_MOST = 64 * 1024       # its largest size, for headers that are close to each other
    NEAR = 4096                 # a page: the disk delivers the next one along with it

cdef const char* NOTHING = b"\0"


cdef class Source:
    """Bytes [first, size) of an input: memory, a file, or an object with read_at(). `opened_source` makes it."""

    def __cinit__(self):
        self.file = -1
        self.kept = -1
        self.data = <const uint8_t*>NOTHING         # a scan needs an address to count from, even without bytes

    def __dealloc__(self):
        self.end_scan()
        if self.kept != -1:
            file_close(self.kept)

    def keep_open(self) -> int:
        """Keep the file open, whatever its path leads to from now on; returns its handle, -1 for memory.

        Call it before the file is replaced by another: later reads then still get the bytes that were indexed.
        """
        cdef file_handle file, other = -1
        if self.path is not None and self.kept == -1:
            file = self.open(False)
            with cython.critical_section(self):
                if self.kept == -1:
                    self.kept = file
                elif self.kept != file:         # another thread was first
                    other = file
            if other != -1:
                file_close(other)
        return self.kept

    cdef file_handle open(self, bint first) except? -1:
        # Open the file and return its handle, -1 for anything but a regular file. The `first` call stores size and time
        # of change, later calls compare them, so that another file at this path is refused. If another thread has just
        # replaced the file and kept the old one open, the result is `kept`, which callers must not close.
        cdef file_facts facts
        cdef const char* path
        cdef file_handle file
        cdef int failed, status = 0
        if self.ranged is not None:
            return -1
        path = self.fs_path
        with nogil:
            file = file_open(path)
            failed = errno
            if file != -1:
                status = file_stat(file, &facts)
                failed = errno
        if file != -1 and status == 0:
            if not first:
                if facts.size == self.file_size and facts.changed == self.changed:
                    return file
                file_close(file)
                if self.kept != -1:
                    return self.kept
                raise DicomError(f"{self.path!r} has changed since it was read: read it again")
            if facts.kind == FILE_REGULAR:
                self.size = self.file_size = facts.size
                self.changed = facts.changed
                return file
        if file != -1:
            file_close(file)
            if status == 0 and facts.kind != FILE_DIRECTORY:
                return -1
            if status == 0:
                raise IsADirectoryError(EISDIR, "is a directory; dicomcore.archive.index() reads folders", self.path)
        raise OSError(failed, os.strerror(failed), self.path)

    cdef int narrow(self, uint64_t first, object length) except -1:
        # Limit the input to `length` bytes from `first` on (all that follow if None).
        cdef uint64_t wanted
        if first > self.size:
            raise TruncatedError(f"offset {first} lies behind the {self.size} bytes of the input", offset=self.size)
        if length is not None:
            wanted = length
            if wanted > self.size - first:
                raise TruncatedError(f"{wanted} bytes are requested from byte {first} on, where only "
                                     f"{self.size - first} are left", offset=self.size)
            self.size = first + wanted
        self.first = first
        if self.held == 0:
            self.begin = first
        return 0

    cdef int begin_scan(self) except -1:
        # Keep the file open for the reads of a scan, which a single thread makes. Each read of a value opens its own
        # handle.
        if self.kept != -1:
            self.file = self.kept
        elif self.path is not None:
            self.file = self.open(False)
        return 0

    cdef void end_scan(self) noexcept:
        if self.file != -1:
            if self.file != self.kept:
                file_close(self.file)
            self.file = -1

    def borrow(self) -> int:
        """The file's handle, to copy from; the caller returns it to give_back(). DicomError if the file has changed."""
        return self.kept if self.kept != -1 else self.open(False)

    def give_back(self, file_handle file) -> None:
        if file != -1 and file != self.kept:
            file_close(file)

    cdef bytes read_from(self, file_handle file, uint64_t offset, uint64_t length):
        # Read exactly these bytes, which must lie inside the file.
        cdef bytes block = PyBytes_FromStringAndSize(NULL, length)
        self.read_to(file, offset, length, <uint8_t*>PyBytes_AS_STRING(block))
        return block

    cdef int read_to(self, file_handle file, uint64_t offset, uint64_t length, uint8_t* into) except -1:
        cdef int64_t got
        cdef int failed
        cdef bytes block
        if self.ranged is not None:
            block = self.ranged.read_at(offset, length)
            if <uint64_t>len(block) != length:
                raise TruncatedError(f"{self.ranged!r} ends before its {self.size} bytes", offset=offset + len(block))
            memcpy(into, PyBytes_AS_STRING(block), length)
            return 0
        with nogil:
            got = file_read(file, into, length, offset)
            failed = errno
        if got < 0:
            raise OSError(failed, os.strerror(failed), self.path)
        if <uint64_t>got != length:
            raise TruncatedError(f"{self.path!r} was cut short while it was read", offset=offset + got)
        return 0

    cdef bytes read(self, uint64_t offset, uint64_t length):
        # Read the bytes of a value without caching them.
        cdef file_handle file
        if self.kept != -1:
            return self.read_from(self.kept, offset, length)
        file = self.open(False)
        try:
            return self.read_from(file, offset, length)
        finally:
            if file != -1 and file != self.kept:
                file_close(file)

    cdef int peek(self, uint64_t offset, const uint8_t** window, uint64_t* start, uint64_t* stop) except -1:
        # Read a window at `offset` that lasts until the next call. It is small, as the headers of fragments are far
        # apart; it grows fourfold whenever `offset` is close behind the last window, as for many small fragments.
        cdef uint64_t want = PEEK, held
        if self.peeked is not None and offset >= self.peeked_at:
            held = <uint64_t>len(self.peeked)
            if offset - self.peeked_at <= held + NEAR:
                want = min(4 * held, <uint64_t>PEEK_MOST)
        want = min(want, self.size - offset)
        self.peeked = self.read_from(self.file, offset, want)
        self.peeked_at = offset
        window[0] = <const uint8_t*>PyBytes_AS_STRING(self.peeked)
        start[0] = offset
        stop[0] = offset + want
        return 0

    cdef int cover(self, uint64_t offset, const uint8_t** window, uint64_t* start, uint64_t* stop) except -1:
        # Read a window that holds `offset` and more bytes behind it than any window before. Headers are mostly small,
        # so blocks start small and grow fourfold; a new block begins behind a long value.
        cdef uint64_t begin, held, want
        cdef bytes block
        if self.blocks is not None:
            begin, block = self.blocks[len(self.blocks) - 1]
            held = <uint64_t>len(block)
        else:
            begin = self.begin
            held = self.held
        if offset < begin or offset > begin + held + SKIP:
            begin = offset
            want = HEAD
        elif held >= LARGE:
            begin = offset
            want = 2 * held
        else:
            want = offset - begin + max(4 * held, <uint64_t>HEAD)
        want = min(want, self.size - begin)
        block = self.read_from(self.file, begin, want)
        window[0] = <const uint8_t*>PyBytes_AS_STRING(block)
        start[0] = begin
        stop[0] = begin + want
        self.keep(begin, block)
        return 0

    cdef int keep(self, uint64_t begin, bytes block) except -1:
        # Keep a block. It replaces a shorter one from the same offset, unless other threads may be reading that one.
        if self.held == 0 or (begin == self.begin and not self.shared):
            self.owner = block
            self.data = <const uint8_t*>PyBytes_AS_STRING(block)
            self.begin = begin
            self.held = <uint64_t>len(block)
        elif self.blocks is None:
            self.blocks = [(begin, block)]
        elif (<tuple>self.blocks[len(self.blocks) - 1])[0] == begin and not self.shared:
            self.blocks[len(self.blocks) - 1] = (begin, block)
        else:
            self.blocks.append((begin, block))
        return 0

    cdef bint at_hand(self, uint64_t offset, uint64_t length, const uint8_t** data) noexcept:
        # Whether these bytes of the source are in memory; if so, `data` is set to their address.
        cdef uint64_t begin
        cdef bytes block
        if offset >= self.begin and offset - self.begin <= self.held and length <= self.held - (offset - self.begin):
            data[0] = self.data + (offset - self.begin)
            return True
        if self.blocks is not None:
            for begin, block in self.blocks:
                if begin <= offset and offset - begin + length <= <uint64_t>len(block):
                    data[0] = <const uint8_t*>PyBytes_AS_STRING(block) + (offset - begin)
                    return True
        return False

    cdef file_handle read_into(self, uint64_t offset, uint64_t length, uint8_t* into, file_handle opened) except? -1:
        # Copy bytes of the source to `into`. Pass the returned handle to the next call as `opened` (at first -1), and
        # the last one to give_back(). It stays -1 while all bytes are in memory.
        cdef const uint8_t* data
        cdef file_handle file = opened
        if self.at_hand(offset, length, &data):
            with nogil:
                memcpy(into, data, length)
            return file
        if file == -1:
            file = self.borrow()
        try:
            self.read_to(file, offset, length, into)
        except BaseException:
            if opened == -1:
                self.give_back(file)
            raise
        return file

    cdef object hold(self, uint64_t offset, uint64_t length, const uint8_t** data):
        # Set `data` to the address of these bytes, and return the object that keeps them alive. They are read if they
        # are not in memory.
        cdef uint64_t begin
        cdef bytes block
        if length == 0:
            data[0] = <const uint8_t*>NOTHING
            return b""
        if offset >= self.begin and offset - self.begin <= self.held and length <= self.held - (offset - self.begin):
            data[0] = self.data + (offset - self.begin)
            return self.owner
        if self.blocks is not None:
            for begin, block in self.blocks:
                if begin <= offset and offset - begin + length <= <uint64_t>len(block):
                    data[0] = <const uint8_t*>PyBytes_AS_STRING(block) + (offset - begin)
                    return block
        block = self.read(offset, length)
        data[0] = <const uint8_t*>PyBytes_AS_STRING(block)
        return block


cdef Source memory_source(object data, uint64_t first=0):
    # A source over a bytes-like object, which it keeps alive; `first` is the offset of its first byte.
    cdef Source source = Source()
    cdef const uint8_t[::1] view = data
    source.held = <uint64_t>view.shape[0]
    source.first = source.begin = first
    source.size = first + source.held
    source.data = &view[0] if view.shape[0] else <const uint8_t*>NOTHING
    source.owner = view
    return source


cdef Source file_source(object path):
    # A source over a file, left open for the scan; the caller ends the scan. Other than regular files are read whole.
    cdef Source source = Source()
    source.path = path if type(path) is str else os.fspath(path)     # kept for messages
    source.fs_path = PyUnicode_EncodeFSDefault(path) if type(path) is str else os.fsencode(path)
    if memchr(PyBytes_AS_STRING(source.fs_path), 0, len(source.fs_path)) != NULL:
        raise ValueError(f"a path can't hold a NUL: {path!r}")
    source.file = source.open(True)
    if source.file == -1:
        with open(path, "rb") as stream:
            return memory_source(stream.read())
    return source


cdef Source ranged_source(object ranged):
    # A source over an object with `size` and read_at(offset, length).
    cdef Source source = Source()
    source.ranged = ranged
    source.size = ranged.size
    return source


cdef Source opened_source(object given, uint64_t offset, object length):
    # A source over `length` bytes (all that follow if None) from `offset` on, of a path, an object with read_at() or
    # bytes-like memory.
    cdef Source source
    if type(given) is str:
        source = file_source(given)
    elif type(given) is bytes:
        source = memory_source(given)
    elif hasattr(given, "read_at"):
        source = ranged_source(given)
    elif isinstance(given, (str, os.PathLike)):
        source = file_source(given)
    else:
        source = memory_source(given)
    if offset or length is not None:
        source.narrow(offset, length)
    return source
