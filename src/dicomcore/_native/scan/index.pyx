"""The index of one input: where it begins, how it is encoded, its rows, and what deviated."""

import threading

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy

from dicomcore._native.scan.beginning cimport may_be_dicom
from dicomcore._native.base.cursor cimport load_be16, load_le16, load_le32
from dicomcore._native.base.fault cimport LIMIT, NEED_MORE, OK, Status
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN,
    CONTAINER,
    IMPLICIT,
    NO_ROW,
    PIECES,
    Deviation,
    Row,
    Scanner,
    byte_order,
    looks_explicit,
    scan,
    scan_items,
    scanner_begin,
    scanner_free,
    scanner_init,
)
from dicomcore._native.base.shared cimport store_flag, store_size
from dicomcore._native.base.syntax cimport SYNTAX_BIG_ENDIAN, SYNTAX_DEFLATED, SYNTAX_IMPLICIT, syntax_flags
from dicomcore._native.scan.source cimport Source, file_source, memory_source, ranged_source
from dicomcore._native.base.vr cimport is_letters

from dicomcore.errors import InvalidDicomError, LimitError, TruncatedError

cdef enum:
    FIRST_ROWS = 160            # most files have fewer
    MANY = 256                  # rows to look through anew each time
    TRANSFER_SYNTAX_UID = 0x00020010
    GROUP_2_LENGTH = 0x00020000
    GZIP_HEAD = 4096            # bytes of a gzip stream, and of what it inflates to, that are looked at

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL


cdef uint8_t flags_of(str syntax) except? 255:
    # The SYNTAX_ flags of a transfer syntax as the file meta information states it.
    cdef Py_ssize_t n = 0
    cdef const char* uid = PyUnicode_AsUTF8AndSize(syntax, &n)
    return syntax_flags(<const uint8_t*>uid, n)


cdef class Index:
    """Rows over the bytes of one input; made by `open_index`."""

    def __cinit__(self):
        self.charsets = {}
        self.lock = threading.Lock()

    def __dealloc__(self):
        scanner_free(&self.scanner)
        free(self.outgrown)

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        # The rows as plain bytes, read-only; they stay where they are as long as the index lives.
        self.finish()
        PyBuffer_FillInfo(buffer, self, <void*>self.rows, self.count * sizeof(Row), 1, flags)

    cdef int run(self) except -1:
        # Scan until the scanner has what it wants, reading on as it goes.
        cdef Scanner* s = &self.scanner
        cdef Status status
        while True:
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
        # Raise what a scan's status stands for.
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
        # Scan what was left behind pixel data. Rows that other threads may be reading stay where they are; after a
        # failure, which every later call meets again, what was known before it stays readable.
        cdef Scanner* s = &self.scanner
        cdef Row* rows
        cdef Py_ssize_t capacity
        if is_complete(self):
            return 0
        with self.lock:
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
            self.source.peeked = None           # no scan goes on from here
        return 0

    cdef Row* known(self, Py_ssize_t row) except NULL:
        # A row whose extent is known: where fragmented pixel data ends is looked for when somebody asks.
        if not is_complete(self) and row == rows_of(self) - 1 and self.rows[row].flags & CONTAINER:
            self.finish()
        return &self.rows[row]

    cdef Py_ssize_t find(self, Py_ssize_t first, Py_ssize_t stop, uint32_t tag) noexcept nogil:
        # The last row with this tag among the siblings [first, stop), -1 if there is none.
        cdef Py_ssize_t i = first, found = -1
        cdef Row* rows = self.rows
        while i < stop:
            if rows[i].tag == tag:
                found = i
            i = rows[i].next
        return found

    cdef Py_ssize_t sibling(self, Py_ssize_t row, uint32_t tag) except -2:
        # The last row with this tag in the data set of `row`, -1 if there is none. Where there are many siblings, what
        # was found is remembered: each of them may ask for the same one.
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
        # First row of the data set that `row` is an element of, and the row behind its last.
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
        # `noted`, made when there is something to note.
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
        """The path it was made of, None for memory and what reads like a file."""
        return self.source.path

    @property
    def ranged(self):
        """What is read in a file's place, None for paths and memory."""
        return self.source.ranged

    @property
    def size(self) -> int:
        """Bytes of the source (once inflated)."""
        return self.source.size

    def read(self, uint64_t offset, uint64_t length) -> memoryview:
        """Bytes of the source, read-only; TruncatedError where there are fewer."""
        cdef const uint8_t* data
        if offset > self.source.size or length > self.source.size - offset:
            raise TruncatedError(f"{name_of(self)} ends before byte {offset + length}", offset=self.source.size)
        return view_of(self.source, self.source.hold(offset, length, &data), data, length)

    def __reduce__(self):
        # All the bytes go along: the copy must work where the file isn't.
        if self.outer is not None:
            return reopen_value, (self.outer, self.outer_row)
        return reopen, (bytes(self.read(0, self.source.size)), self.limits, self.stop_before_pixels,
                        self.scanner.stop_tag, self.inflated, is_complete(self))

    def deviations(self):
        """All deviations as (code, tag, offset, claimed, present), the scanner's numbers for codes, and those noted
        elsewhere as (name, tag, offset, message)."""
        cdef Deviation* d
        cdef Py_ssize_t i
        self.finish()
        found = list(self.late_notes())
        for i in range(self.scanner.deviation_count):
            d = &self.scanner.deviations[i]
            found.append((d.code, d.tag, d.offset, d.claimed, d.present))
        return found, list(self.notes())

    def rest(self):
        """Everything behind the file meta information, for a deflated data set."""
        cdef const uint8_t* data
        cdef uint64_t pos = self.scanner.pos
        _owner = self.source.hold(pos, self.source.size - pos, &data)
        return data[:self.source.size - pos]

    def head(self):
        """Everything up to the end of the file meta information."""
        cdef const uint8_t* data
        self.source.hold(0, self.scanner.pos, &data)
        return data[:self.scanner.pos]


cdef inline Py_ssize_t first_rows(Py_ssize_t allowed) noexcept nogil:
    # How many rows to make room for at first: at least one, and no more than are allowed, so that growing asks.
    return max(<Py_ssize_t>1, min(<Py_ssize_t>FIRST_ROWS, allowed))


cdef bint is_meta(const uint8_t* p) noexcept nogil:
    # Whether 8 bytes look like the first element of file meta information.
    if load_le16(p) == 2 and load_le16(p + 2) < 0x0200:
        return looks_explicit(p) or load_le32(p + 4) < 1024
    return load_be16(p) == 2 and looks_explicit(p)


cdef uint64_t find_start(Index self, const uint8_t* p, uint64_t n, bint force) except? 1:
    # Offset of the first element: behind preamble and prefix (PS3.10 7.1), or where they are missing at 0.
    if n >= 132 and memcmp(p + 128, b"DICM", 4) == 0:
        self.preamble = p[:128]
        return 132
    if n >= 8 and is_meta(p):
        self.note("MISSING_PREAMBLE", 0, 0, "no preamble, no DICM prefix: the file meta information stands at byte 0")
        return 0
    if n >= 12 and memcmp(p, b"DICM", 4) == 0 and is_meta(p + 4):
        self.note("MISSING_PREAMBLE", 0, 0, "the DICM prefix stands at byte 0: no preamble")
        return 4
    if not force:
        refuse(self, p, n)
    self.note("MISSING_PREAMBLE", 0, 0, "no preamble, no DICM prefix and no file meta information")
    return 0


cdef int refuse(Index self, const uint8_t* p, uint64_t n) except -1:
    # Raise for an input that says nowhere that it is DICOM. Whether it may be all the same decides for those who pass
    # over what is not.
    cdef bint perhaps = may_be_dicom(p, <Py_ssize_t>n)
    name = name_of(self)
    if self.source.size == 0:
        raise InvalidDicomError(f"{name} is empty", may_be_dicom=True)
    if n >= 3 and memcmp(p, b"\x1f\x8b\x08", 3) == 0:            # RFC 1952
        if holds_dicom(p[:min(n, <uint64_t>GZIP_HEAD)]):
            raise InvalidDicomError(f"{name} may be DICOM, compressed by gzip: decompress it first", may_be_dicom=True)
        raise InvalidDicomError(f"{name} is not DICOM but compressed by gzip: decompress it first")
    found = "may be DICOM, but there is" if perhaps else "is not DICOM:"
    raise InvalidDicomError(f"{name} {found} no DICM prefix at byte 128 and no file meta information at byte 0; "
                            "force=True reads it as a bare data set", may_be_dicom=perhaps)


cdef bint holds_dicom(bytes compressed) except -1:
    # Whether what a gzip stream begins with may be DICOM; one that is damaged there says nothing else.
    import zlib                                 # for the few that need it

    cdef bytes found
    try:
        found = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(compressed, GZIP_HEAD)
    except zlib.error:
        return True
    if found[128:132] == b"DICM":
        return True
    return may_be_dicom(<const uint8_t*>found, len(found))


cdef str name_of(Index self):
    named = self.source.path if self.source.ranged is None else self.source.ranged
    return "the input" if named is None else repr(named)


cdef int read_meta(Index self, const uint8_t* p, uint64_t left) except -1:
    # The file meta information group, by its elements: its length is often wrong (PS3.10 7.1).
    cdef Scanner* s = &self.scanner
    cdef uint8_t mode = 0
    cdef uint64_t begin = s.pos
    cdef Py_ssize_t i
    cdef const uint8_t* value
    cdef str said

    if left < 8 or not is_meta(p):
        self.note("MISSING_META", 0, s.pos, "no file meta information")
        return 0
    if load_le16(p) != 2:
        mode = BIG_ENDIAN
        self.note("META_ENCODING", 0x00020000, s.pos, "the file meta information is in big endian")
    elif not looks_explicit(p):
        mode = IMPLICIT
        self.note("META_ENCODING", 0x00020000, s.pos, "the file meta information is in implicit VR")
    scanner_begin(s, mode, 2)
    self.run()
    self.publish()
    check_meta_length(self, begin)
    self.meta_count = self.count
    i = self.find(0, self.count, TRANSFER_SYNTAX_UID)
    if i >= 0:
        _owner = self.hold(&self.rows[i], &value)
        self.transfer_syntax = value[:self.rows[i].length].decode("latin-1").strip(" \0")
    if self.transfer_syntax == "":
        said = "no transfer syntax UID" if i < 0 else "the transfer syntax UID is empty"
        self.note("MISSING_TRANSFER_SYNTAX", TRANSFER_SYNTAX_UID, begin, f"{said}: guessed from the data")
    return 0


cdef int check_meta_length(Index self, uint64_t begin) except -1:
    # Compare the group length with what is there, and leave a second group to itself.
    cdef const uint8_t* value
    cdef uint64_t said = 0, present
    cdef Row* row = &self.rows[0]
    cdef bint stated = self.count > 0 and row.tag == GROUP_2_LENGTH and row.length == 4
    cdef Py_ssize_t second
    if stated:
        _owner = self.hold(row, &value)
        said = load_le32(value)
    second = second_group(row, self.count, row.offset + 4 + said if stated else 0)
    if second < self.count:
        present = self.rows[second].offset - self.rows[second].header
        forget_group(self, second, present)
    else:
        present = self.scanner.pos
    if not stated:
        self.note("META_LENGTH", GROUP_2_LENGTH, begin, "the file meta information group has no length")
    elif said != present - (row.offset + 4):
        self.note("META_LENGTH", GROUP_2_LENGTH, begin,
                  f"the file meta information group says {said} bytes and has {present - (row.offset + 4)}")
    return 0


cdef Py_ssize_t second_group(const Row* rows, Py_ssize_t count, uint64_t end) noexcept nogil:
    # The row with which a second file meta information begins among those of group 2, `count` if none does. The group
    # ends where its length says (PS3.10 7.1), unless the elements go on ascending: then the length is wrong.
    cdef Py_ssize_t i = 0, last = 0
    while i < count:
        if i and (rows[i].tag == GROUP_2_LENGTH
                  or rows[i].offset - rows[i].header == end and rows[i].tag <= rows[last].tag):
            return i
        last = i
        i = rows[i].next
    return count


cdef int forget_group(Index self, Py_ssize_t row, uint64_t begin) except -1:
    # Elements of group 2 behind the file meta information, from `row` and byte `begin` to where the scan stands, belong
    # to nothing: they stay in the source alone.
    cdef Scanner* s = &self.scanner
    s.count = row
    while s.deviation_count and s.deviations[s.deviation_count - 1].offset >= begin:
        s.deviation_count -= 1
    self.publish()
    self.note("META_REPEATED", GROUP_2_LENGTH, begin,
              f"{s.pos - begin} bytes of group 0002 follow the file meta information: they don't count, it does")
    return 0


cdef uint8_t found_mode(Index self, const uint8_t* p, uint64_t left) except? 255:
    # How the data set is encoded: what the transfer syntax says, unless its first element shows otherwise. Groups of
    # 0400 and beyond are looked at: most are another group's number in the other byte order.
    cdef uint8_t mode = 0
    cdef bint stated = self.transfer_syntax != ""
    cdef uint16_t little, big
    cdef uint64_t rest = self.source.size - self.scanner.pos
    cdef bint letters
    cdef int order
    if stated:
        mode = flags_of(self.transfer_syntax) & (SYNTAX_IMPLICIT | SYNTAX_BIG_ENDIAN)
    if left < 8:
        return mode
    little = load_le16(p)
    big = load_be16(p)
    letters = is_letters(p[4], p[5])
    if not stated:
        mode = 0 if looks_explicit(p) else IMPLICIT
        if little >= 1024:
            order = byte_order(p, left, rest)
            if order > 0 or order == 0 and big < little:
                mode |= BIG_ENDIAN
        return mode
    if mode & BIG_ENDIAN:
        if big >= 1024 and little < big and byte_order(p, left, rest) < 0:
            self.note("WRONG_BYTE_ORDER", 0, self.scanner.pos, "labelled big endian, found little endian")
            mode &= <uint8_t>~<int>BIG_ENDIAN
    elif (little >= 1024 and 0 < big < 256 and p[1] < 64 and (letters or mode & IMPLICIT)
            and byte_order(p, left, rest) > 0):
        self.note("WRONG_BYTE_ORDER", 0, self.scanner.pos, "labelled little endian, found big endian")
        mode |= BIG_ENDIAN
    if mode & IMPLICIT and looks_explicit(p):
        self.note("EXPLICIT_IN_IMPLICIT", 0, self.scanner.pos, "labelled implicit VR, found explicit VR")
        mode &= <uint8_t>~<int>IMPLICIT
    elif not mode & IMPLICIT and not letters and not (p[4] == 63 and p[5] == 63):
        if p[0] != 0xFE or p[1] != 0xFF:        # a stray delimiter says nothing of what follows
            self.note("IMPLICIT_IN_EXPLICIT", 0, self.scanner.pos, "labelled explicit VR, found implicit VR")
            mode |= IMPLICIT
    return mode


cdef const uint8_t* look(Index self, uint64_t* left) except? NULL:
    # What stands at the scanner's position: at least 8 bytes unless the source ends before.
    cdef Scanner* s = &self.scanner
    if s.pos < s.start or s.pos + 8 > s.stop and s.stop < s.total:
        self.source.cover(s.pos, &s.window, &s.start, &s.stop)
    left[0] = s.stop - s.pos
    return s.window + (s.pos - s.start)


cdef int read_data_set(Index self) except -1:
    cdef Scanner* s = &self.scanner
    cdef uint64_t left
    cdef const uint8_t* p = look(self, &left)
    cdef uint64_t begin = s.pos
    if left >= 8 and self.meta_count and load_be16(p) == 2 and looks_explicit(p):
        scanner_begin(s, BIG_ENDIAN, 2)
        self.run()
        forget_group(self, self.meta_count, begin)
        self.body = s.pos
        p = look(self, &left)
    if left >= 8 and load_le16(p) == 0 and p[2] | p[3] | p[4]:
        scanner_begin(s, IMPLICIT, 0)           # command elements are implicit VR little endian (PS3.7 6.3)
        self.run()
        p = look(self, &left)
    self.mode = found_mode(self, p, left)
    if s.done and s.pos < s.total:
        s.done = False
    scanner_begin(s, self.mode, -1)
    self.run()
    self.publish()
    self.header_rows = s.count - (1 if s.paused_at_pixels else 0)
    self.complete = s.done or not s.paused_at_pixels or s.pos >= s.total
    return 0


cdef int drop_pixels(Index self) noexcept:
    # The scan was paused behind the row of pixel data: forget that row and what would follow.
    if self.scanner.paused_at_pixels:
        self.count -= 1
        self.scanner.count = self.count
    self.complete = True
    return 0


cpdef Index open_index(object source, bint is_path, object limits, bint force=False, bint stop_before_pixels=False,
                       uint32_t stop_tag=0xFFFFFFFF, bint whole=False):
    """Index a path (or what has `size` and read_at() in a file's place), or bytes-like memory.

    `stop_tag` ends the scan before the first top-level tag that isn't lower; `whole` goes on behind pixel data at once,
    where otherwise that waits until it is asked for.
    """
    cdef Index self = Index()
    cdef Scanner* s = &self.scanner
    cdef Py_ssize_t max_rows = limits.elements
    cdef uint64_t left
    cdef const uint8_t* p

    if hasattr(source, "read_at"):
        self.source = ranged_source(source)
    else:
        self.source = file_source(source) if is_path else memory_source(source)
    self.limits = limits
    self.transfer_syntax = ""
    self.stop_before_pixels = stop_before_pixels
    if max_rows >= NO_ROW:
        max_rows = NO_ROW - 1
    if scanner_init(s, first_rows(max_rows)) != OK:
        raise MemoryError("no memory for the index")
    s.max_depth = limits.depth
    s.max_rows = max_rows
    s.total = self.source.size
    try:
        if s.total and (self.source.path is not None or self.source.ranged is not None):
            self.source.cover(0, &s.window, &s.start, &s.stop)
        elif s.total:
            s.window = self.source.data
            s.stop = s.total
        s.pos = find_start(self, s.window, s.stop, force)
        p = look(self, &left)
        read_meta(self, p, left)
        self.publish()
        self.body = s.pos
        if flags_of(self.transfer_syntax) & SYNTAX_DEFLATED:
            self.deflated = True
            return self
        s.stop_tag = stop_tag
        s.pause_at_pixels = not whole or stop_before_pixels
        read_data_set(self)
        if stop_before_pixels:
            drop_pixels(self)
    finally:
        self.source.end_scan()
    return self


cpdef Index reopen_inflated(Index outer, object inflated, uint32_t stop_tag=0xFFFFFFFF, str trouble=""):
    """The index of a deflated input, from its head and its inflated data set together."""
    cdef Index self = Index()
    cdef Scanner* s = &self.scanner
    self.source = memory_source(outer.head() + inflated)
    self.inflated = True
    self.body = outer.body
    self.packed = outer.source
    self.packed_at = outer.body
    self.limits = outer.limits
    self.preamble = outer.preamble
    self.transfer_syntax = outer.transfer_syntax
    self.noted = outer.noted
    if trouble:
        self.note("DEFLATE", 0, outer.scanner.pos, trouble)
    self.stop_before_pixels = outer.stop_before_pixels
    self.meta_count = outer.meta_count
    if scanner_init(s, outer.count + first_rows(outer.scanner.max_rows - outer.count)) != OK:
        raise MemoryError("no memory for the index")
    memcpy(s.rows, outer.rows, outer.count * sizeof(Row))
    s.count = outer.count
    s.pos = outer.scanner.pos
    s.max_depth = outer.scanner.max_depth
    s.max_rows = outer.scanner.max_rows
    s.window = self.source.data
    s.stop = s.total = self.source.size
    s.stop_tag = stop_tag
    s.pause_at_pixels = self.stop_before_pixels
    read_data_set(self)
    if self.stop_before_pixels:
        drop_pixels(self)
    return self


cdef Py_ssize_t depth_of(Index index, Py_ssize_t row) noexcept:
    # Items and sequences around a row of this index.
    cdef Py_ssize_t depth = 0
    while index.rows[row].parent != NO_ROW:
        row = index.rows[row].parent
        depth += 1
    return depth


cdef Index open_value(Index outer, Py_ssize_t row):
    # The index of a value that turned out to be a sequence: a UN or private one, looked up late. Its row 0 is the
    # element's own; offsets go on counting from the source's start.
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


def reopen_value(Index outer, Py_ssize_t row):
    """An index that was looked up late, once more."""
    return open_value(outer, row)


def reopen(bytes data, object limits, bint stop_before_pixels, uint32_t stop_tag, bint inflated, bint whole=True):
    """An index over bytes that were indexed before.

    `whole`: with the rows behind pixel data, which items that were pickled with it may be.
    """
    cdef Index self = open_index(data, False, limits, True, stop_before_pixels, stop_tag, whole)
    if not inflated:
        return self
    return reopen_inflated(self, self.rest(), stop_tag)


cdef object view_of(Source source, object owner, const uint8_t* data, uint64_t length):
    # A read-only memoryview of bytes that `owner` holds, as Source.hold() gave them.
    cdef Py_ssize_t at
    if type(owner) is bytes:
        at = data - <const uint8_t*><char*>(<bytes>owner)
        return memoryview(owner)[at:at + <Py_ssize_t>length]
    at = data - source.data
    return memoryview(owner).cast("B")[at:at + <Py_ssize_t>length].toreadonly()
