"""The index of one input: its rows, scanned on demand, and its deviations."""

from _thread import allocate_lock

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from dicomcore._native.base.fault cimport LIMIT, NEED_MORE, OK, Status
from dicomcore._native.base.shared cimport store_flag, store_size
from dicomcore._native.scan.scan cimport CONTAINER, NO_ROW, PIECES, Deviation, Row, Scanner, scan, scan_items
from dicomcore._native.scan.scanner cimport scanner_free, scanner_init
from dicomcore._native.scan.source cimport Source

from dicomcore.errors import LimitError, TruncatedError

cdef enum:
    BRIEF = 32 * 1024           # bytes that are scanned without releasing the GIL
    MANY = 256                  # with fewer rows, sibling() searches anew each time instead of caching


cdef Source NO_SOURCE = Source()


cdef class Index:
    """Rows over the bytes of one input; the functions of `opener` make it.

    One that they did not make is the complete index of no bytes.
    """

    def __cinit__(self):
        self.source = NO_SOURCE
        self.complete = True

    def __dealloc__(self):
        scanner_free(&self.scanner)
        free(self.outgrown)

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        # The rows as plain bytes, read-only; they don't move while the index lives.
        self.finish()
        PyBuffer_FillInfo(buffer, self, <void*>self.rows, self.count * sizeof(Row), 1, flags)

    cdef int run(self) except -1:
        # Scan until the scanner reaches its end or pauses; read more bytes whenever it needs them.
        cdef Scanner* s = &self.scanner
        cdef Status status
        while True:
            if s.stop - s.pos <= BRIEF:         # it takes some microseconds: less than to get the GIL back at times
                status = scan(s)
            else:
                with nogil:
                    status = scan(s)
            if status == OK:
                return 0
            if status == NEED_MORE:
                if s.levels[s.depth].kind == PIECES:
                    self.source.peek(s.pos, &s.window, &s.start, &s.stop)
                else:
                    self.source.cover(s.pos, &s.window, &s.start, &s.stop)
            else:
                self.refuse(status)

    cdef int refuse(self, Status status) except -1:
        # Raise the exception for the status of a failed scan.
        cdef Scanner* s = &self.scanner
        if status != LIMIT:
            raise MemoryError("no memory for the index")
        if s.depth >= s.max_depth:
            raise LimitError(f"sequences and items nested deeper than Limits.depth, {self.limits.depth}, "
                             f"at byte {s.pos}", offset=s.pos)
        raise LimitError(f"more than Limits.elements, {s.max_rows}, up to byte {s.pos}", offset=s.pos)

    cdef int publish(self) except -1:
        self.rows = self.scanner.rows
        store_size(&self.count, self.scanner.count)
        return 0

    cdef int finish(self) except -1:
        # Scan the elements that were left out behind pixel data. Rows that other threads may be reading don't move. If
        # the scan fails, every later call raises the same exception, and the rows scanned before stay readable.
        cdef Scanner* s = &self.scanner
        cdef Row* rows
        cdef Py_ssize_t capacity
        if is_complete(self):
            return 0
        with self.own_lock():
            if is_complete(self):
                return 0
            if self.failure is not None:
                raise self.failure
            self.source.begin_scan()
            capacity = max(s.count, min(2 * s.capacity, s.max_rows))
            rows = <Row*>malloc(capacity * sizeof(Row))
            if rows == NULL:
                raise MemoryError("no memory for the index")
            memcpy(rows, s.rows, s.count * sizeof(Row))
            self.outgrown = s.rows
            s.rows = rows
            s.capacity = capacity
            s.pause_at_pixels = False
            self.source.shared = True
            try:
                self.run()
            except Exception as error:
                self.failure = error
                raise
            finally:
                self.source.end_scan()
            self.publish()
            store_flag(&self.complete, True)
            self.source.peeked = None           # no further scan needs the window
        return 0

    cdef object own_lock(self):
        # `lock`, created at its first use: most inputs are scanned once, by the thread that opens them.
        made = allocate_lock() if self.lock is None else None
        with cython.critical_section(self):
            if self.lock is None:
                self.lock = made
            return self.lock

    cdef dict own_charsets(self):
        with cython.critical_section(self):
            if self.charsets is None:
                self.charsets = {}
            return self.charsets

    cdef Row* known(self, Py_ssize_t row) except NULL:
        # A row with its final length. The end of encapsulated pixel data is searched for only when it is needed.
        if not is_complete(self) and row == rows_of(self) - 1 and self.rows[row].flags & CONTAINER:
            self.finish()
        return &self.rows[row]

    cdef Py_ssize_t find(self, Py_ssize_t first, Py_ssize_t stop, uint32_t tag) noexcept nogil:
        # The last sibling in [first, stop) with this tag, -1 if there is none.
        cdef Py_ssize_t i = first, found = -1
        cdef Row* rows = self.rows
        while i < stop:
            if rows[i].tag == tag:
                found = i
            i = rows[i].next
        return found

    cdef Py_ssize_t sibling(self, Py_ssize_t row, uint32_t tag) except -2:
        # The last row with this tag in the data set of `row`, -1 if there is none. For many siblings the result is
        # cached: each of them may ask for the same row.
        cdef Py_ssize_t stop, first = self.level_of(row, &stop)
        if stop - first < MANY:
            return self.find(first, stop, tag)
        key = (first, stop, tag)
        with cython.critical_section(self):
            if self.siblings is None:
                self.siblings = {}
            known = self.siblings.get(key)
        if known is None:
            known = self.siblings.setdefault(key, self.find(first, stop, tag))
        return known

    cdef Py_ssize_t level_of(self, Py_ssize_t row, Py_ssize_t* stop) noexcept nogil:
        # The first row of the data set that contains `row`; `stop` is the row behind its last.
        cdef uint32_t parent = self.rows[row].parent
        if parent != NO_ROW:
            stop[0] = self.rows[parent].next
            return parent + 1
        if row < self.meta_count:
            stop[0] = self.meta_count
            return 0
        stop[0] = rows_of(self)
        return self.meta_count

    cdef object hold(self, Row* row, const uint8_t** data):
        return self.source.hold(row.offset, row.length, data)

    cdef int note(self, str code, uint32_t tag, uint64_t offset, str message) except -1:
        entry = (code, tag, offset, message)
        self.notes().add(entry)
        return 0

    cdef set notes(self):
        # `noted`, created at its first use.
        with cython.critical_section(self):
            if self.noted is None:
                self.noted = set()
            return self.noted

    cdef set late_notes(self):
        with cython.critical_section(self):
            if self.late is None:
                self.late = set()
            return self.late

    @property
    def path(self):
        """The path that the caller gave, None for memory and for objects with read_at()."""
        return self.source.path

    @property
    def ranged(self):
        """The object whose read_at() is called instead of reading a file, None for paths and memory."""
        return self.source.ranged

    @property
    def size(self) -> int:
        """The size of the source in bytes, inflated if it was deflated."""
        return self.source.size

    def read(self, uint64_t offset, uint64_t length) -> memoryview:
        """Bytes of the source, read-only; TruncatedError if they lie outside it."""
        cdef const uint8_t* data
        if offset < self.source.first:
            raise TruncatedError(f"{name_of(self)} begins at byte {self.source.first}", offset=offset)
        if offset > self.source.size or length > self.source.size - offset:
            raise TruncatedError(f"{name_of(self)} ends before byte {offset + length}", offset=self.source.size)
        return view_of(self.source, self.source.hold(offset, length, &data), data, length)

    def __reduce__(self):
        # The pickle contains all bytes, so that the copy works where the file doesn't exist.
        from dicomcore._native.scan.opener import reopen        # imports this module

        if self.outer is not None:
            return reopen_value, (self.outer, self.outer_row)
        first = self.source.first
        data = bytes(self.read(first, self.source.size - first))
        stated = self.transfer_syntax if self.bare else None
        return reopen, (data, self.limits, self.stop_before_pixels, self.scanner.stop_tag, self.inflated,
                        is_complete(self), first, stated, self.mode, self.group)

    def deviations(self):
        """The scanner's deviations as (code, tag, offset, claimed, present), with the code numbers of dicomcore.issues,
        and those noted elsewhere as (name, tag, offset, message)."""
        cdef Deviation* d
        cdef Py_ssize_t i
        self.finish()
        found = list(self.late_notes())
        for i in range(self.opening.count):
            d = &self.opening.deviations[i]
            found.append((d.code, d.tag, d.offset, d.claimed, d.present))
        for i in range(self.scanner.deviation_count):
            d = &self.scanner.deviations[i]
            found.append((d.code, d.tag, d.offset, d.claimed, d.present))
        return found, list(self.notes())

    def rest(self):
        """All bytes behind the file meta information: a deflated data set."""
        cdef const uint8_t* data
        cdef uint64_t pos = self.scanner.pos
        _owner = self.source.hold(pos, self.source.size - pos, &data)
        return data[:self.source.size - pos]

    def head(self):
        """All bytes up to the end of the file meta information."""
        cdef const uint8_t* data
        cdef uint64_t first = self.source.first
        _owner = self.source.hold(first, self.scanner.pos - first, &data)
        return data[:self.scanner.pos - first]


cdef str name_of(Index self):
    named = self.source.path if self.source.ranged is None else self.source.ranged
    return "the input" if named is None else repr(named)


cdef int check_row(Index index, Py_ssize_t row) except -1:
    # Refuse a row number from Python that the index doesn't have.
    cdef Py_ssize_t count = 0 if index is None else rows_of(index)
    if not 0 <= row < count:
        raise IndexError(f"row {row} of an index with {count} rows")
    return 0


cdef Py_ssize_t depth_of(Index index, Py_ssize_t row) noexcept:
    # The number of items and sequences around a row of this index.
    cdef Py_ssize_t depth = 0
    while index.rows[row].parent != NO_ROW:
        row = index.rows[row].parent
        depth += 1
    return depth


cdef Index open_value(Index outer, Py_ssize_t row):
    # The index of the value of a UN or private element that turns out to be a sequence after the scan. Its row 0 is the
    # element itself; offsets still count from the start of the source.
    cdef Index self = Index()
    cdef Scanner* s = &self.scanner
    cdef Row* element = &outer.rows[row]
    cdef const uint8_t* data
    cdef Py_ssize_t i
    cdef Status status
    self.source = outer.source
    self.limits = outer.limits
    self.transfer_syntax = outer.transfer_syntax
    self.noted = outer.notes()
    self.late = outer.late_notes()
    self.outer = outer
    self.outer_row = row
    if scanner_init(s, first_rows(outer.scanner.max_rows)) != OK:
        raise MemoryError("no memory for the index")
    s.max_depth = outer.scanner.max_depth - depth_of(outer, row)
    s.max_rows = outer.scanner.max_rows
    _owner = outer.hold(element, &data)
    s.window = data
    s.start = s.pos = element.offset
    s.stop = s.total = element.offset + element.length
    status = scan_items(s, element)
    if status != OK:
        self.refuse(status)
    self.run()
    for i in range(s.deviation_count):
        self.late.add((s.deviations[i].code, s.deviations[i].tag, s.deviations[i].offset, s.deviations[i].claimed,
                       s.deviations[i].present))
    self.publish()
    self.complete = True
    return self


def reopen_value(Index outer not None, Py_ssize_t row):
    """The index of a sequence that was indexed late, made again from a pickle."""
    check_row(outer, row)
    return open_value(outer, row)


cdef object view_of(Source source, object owner, const uint8_t* data, uint64_t length):
    # A read-only memoryview of bytes that Source.hold() returned, with the object `owner` that keeps them alive.
    cdef Py_ssize_t at
    if type(owner) is bytes:
        at = data - <const uint8_t*><char*>(<bytes>owner)
        return memoryview(owner)[at:at + <Py_ssize_t>length]
    at = data - source.data
    return memoryview(owner).cast("B")[at:at + <Py_ssize_t>length].toreadonly()
