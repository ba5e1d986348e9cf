"""The bulk loop: headers of many files to columns in Arrow's layout, without the GIL or a Python object a file.

What is usual in DICOM files is done here: preamble and explicit file meta information, the common encodings, text in
ASCII, UTF-8 or Latin-1, values of the VR the dictionary has. Text in other character sets is handed back to be decoded;
a file with anything else is handed back whole, to be read by `dicomcore.dcmread`. Every way gives the same row.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memchr, memcmp, memcpy, memset, strlen

from dicomcore._native.cursor cimport load_be16, load_be32, load_be64, load_le16, load_le32, load_le64
from dicomcore._native.dictionary cimport public_vr
from dicomcore._native.fault cimport CORRUPT, IO_FAULT, NEED_MORE, NO_MEMORY, OK, UNSUPPORTED, Status
from dicomcore._native.file cimport FILE_REGULAR, file_close, file_facts, file_handle, file_open, file_read, file_stat
from dicomcore._native.number cimport count_values, parse_decimals, parse_integers
from dicomcore._native.scan cimport (
    BIG_ENDIAN,
    CONTAINER,
    DUPLICATE_TAG,
    IMPLICIT,
    ITEM,
    OUT_OF_ORDER,
    PIXEL_DATA,
    PIXEL_REPRESENTATION,
    SPECIFIC_CHARACTER_SET,
    Deviation,
    Row,
    Scanner,
    looks_explicit,
    scan,
    scanner_begin,
    scanner_free,
    scanner_init,
    scanner_reset,
)
from dicomcore._native.text cimport is_ascii, trimmed
from dicomcore._native.vr cimport *

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

cdef enum:
    META = 132                  # where file meta information begins (PS3.10 7.1)
    HEAD = 16 * 1024            # the windows are those of source.pyx, so that both ways see the same bytes
    LARGE = 1024 * 1024
    SKIP = 32 * 1024
    SEGMENTS = 8
    ARENA = 4 * 1024 * 1024     # a header that takes more is for the other way
    FIRST_ROWS = 256
    MAX_ROWS = 1 << 20
    MAX_DEPTH = 512             # Limits.depth
    MAX_DEVIATIONS = 32
    LONG_VALUE = 64 * 1024      # of a longer value the other way decides
    TRANSFER_SYNTAX_UID = 0x00020010
    GROUP_2_LENGTH = 0x00020000
    NOWHERE = 0xFFFFFFFF
    MOST = 0x7FFFFFFF           # bytes of a buffer
    QUOTED = 80                 # bytes of a misfit that are kept: more than row.py shows

cdef enum Found:                # deviations that the scanner doesn't see; dicomcore.archive.deviations has their words
    NO_META_LENGTH = 101
    WRONG_META_LENGTH
    FOUND_LITTLE_ENDIAN
    FOUND_BIG_ENDIAN
    FOUND_EXPLICIT
    FOUND_IMPLICIT

cdef enum Charset:
    NOT_ASKED
    UTF_8
    LATIN_1


KINDS = {"text": TEXT, "date": DATE, "float64": FLOAT64, "float32": FLOAT32, "int32": INT32, "int64": INT64,
         "uint64": UINT64}


# ---- buffers -----------------------------------------------------------------------------------------------------

cdef inline Status reserve(Buffer* b, Py_ssize_t more) noexcept nogil:
    # Room for `more` bytes behind those that are there; never more than Arrow's 32-bit offsets reach.
    cdef Py_ssize_t capacity = b.capacity
    cdef uint8_t* grown
    if more > MOST - b.size:
        return NO_MEMORY
    if more <= capacity - b.size:
        return OK
    while more > capacity - b.size:
        capacity = 2 * capacity if capacity else 1024
    grown = <uint8_t*>realloc(b.data, capacity)
    if grown == NULL:
        return NO_MEMORY
    b.data = grown
    b.capacity = capacity
    return OK


cdef class Block:
    """Memory of one finished buffer, read-only; Arrow keeps it as long as it needs it."""
    cdef Buffer buffer

    def __dealloc__(self):
        free(self.buffer.data)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.buffer.data, self.buffer.size, 1, flags)


cdef Block take(Buffer* b):
    # The buffer's memory goes over to the Block.
    cdef Block block = Block()
    if b.data == NULL and reserve(b, 8) != OK:
        raise MemoryError("no memory for a column")
    block.buffer = b[0]
    memset(b, 0, sizeof(Buffer))
    return block


cdef Status column_init(Column* c, Py_ssize_t rows) noexcept nogil:
    # A row takes a bit, one value or offset; what lists and texts hold grows.
    if reserve(&c.valid, (rows + 63) // 64 * 8) != OK:
        return NO_MEMORY
    c.valid.size = (rows + 7) // 8
    memset(c.valid.data, 0, c.valid.capacity)
    if c.many:
        if reserve(&c.offsets, 4 * (rows + 1)) != OK:
            return NO_MEMORY
        (<int32_t*>c.offsets.data)[0] = 0
    if c.kind == TEXT:
        if reserve(&c.starts, 4 * (rows + 1)) != OK or reserve(&c.data, 16 * rows) != OK:
            return NO_MEMORY
        (<int32_t*>c.starts.data)[0] = 0
        c.starts.size = 4
        return OK
    return reserve(&c.data, 8 * rows)


cdef void column_free(Column* c) noexcept nogil:
    free(c.valid.data)
    free(c.offsets.data)
    free(c.starts.data)
    free(c.data.data)


cdef inline Py_ssize_t width_of(uint8_t kind) noexcept nogil:
    return 4 if kind == DATE or kind == INT32 or kind == FLOAT32 else 8


cdef void close_row(Column* c, Py_ssize_t row, bint valid) noexcept nogil:
    # Behind the values of a row: a list ends, a null is filled up.
    cdef int32_t* starts
    if c.many:
        (<int32_t*>c.offsets.data)[row + 1] = <int32_t>c.count
        c.offsets.size = 4 * (row + 2)
    elif not valid and c.kind == TEXT:
        starts = <int32_t*>c.starts.data
        starts[row + 1] = starts[row]
        c.starts.size = 4 * (row + 2)
    elif not valid:
        memset(c.data.data + row * width_of(c.kind), 0, width_of(c.kind))
        c.data.size = (row + 1) * width_of(c.kind)
    if valid:
        c.valid.data[row >> 3] |= <uint8_t>(1 << (row & 7))


cdef void undo_row(Column* c, Py_ssize_t row) noexcept nogil:
    # Forget what was added for `row`, closed or not.
    c.valid.data[row >> 3] &= <uint8_t>~(1 << (row & 7))
    if c.many:
        c.count = (<int32_t*>c.offsets.data)[row]
        c.offsets.size = 4 * (row + 1)
    if c.kind == TEXT:
        c.starts.size = 4 * ((c.count if c.many else row) + 1)
        c.data.size = (<int32_t*>c.starts.data)[c.starts.size // 4 - 1]
    else:
        c.data.size = (c.count if c.many else row) * width_of(c.kind)


cdef inline Status add_word(Column* c, const void* value) noexcept nogil:
    cdef Py_ssize_t width = width_of(c.kind)
    if reserve(&c.data, width) != OK:
        return NO_MEMORY
    memcpy(c.data.data + c.data.size, value, width)
    c.data.size += width
    c.count += 1
    return OK


cdef Status close_text(Column* c) noexcept nogil:
    # The text just added to `data` is one value.
    if reserve(&c.starts, 4) != OK:
        return NO_MEMORY
    (<int32_t*>(c.starts.data + c.starts.size))[0] = <int32_t>c.data.size
    c.starts.size += 4
    c.count += 1
    return OK


cdef inline Status add_text(Column* c, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    if reserve(&c.data, n) != OK:
        return NO_MEMORY
    memcpy(c.data.data + c.data.size, p, n)
    c.data.size += n
    return close_text(c)


cdef Status add_latin(Column* c, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef uint8_t* into
    if reserve(&c.data, 2 * n) != OK:
        return NO_MEMORY
    into = c.data.data + c.data.size
    for i in range(n):
        if p[i] < 0x80:
            into[0] = p[i]
            into += 1
        else:
            into[0] = 0xC0 | (p[i] >> 6)
            into[1] = 0x80 | (p[i] & 0x3F)
            into += 2
    c.data.size = into - c.data.data
    return close_text(c)


# ---- values ------------------------------------------------------------------------------------------------------

cdef bint is_utf8(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # Well-formed UTF-8 (Unicode 3.9, table 3-7) without escapes.
    cdef Py_ssize_t i = 0, k, more
    cdef uint8_t low, high
    while i < n:
        if p[i] < 0x80:
            if p[i] == 0x1B:
                return False
            i += 1
            continue
        low, high = 0x80, 0xBF
        if 0xC2 <= p[i] <= 0xDF:
            more = 1
        elif 0xE0 <= p[i] <= 0xEF:
            more = 2
            if p[i] == 0xE0:
                low = 0xA0
            elif p[i] == 0xED:
                high = 0x9F                     # no surrogates
        elif 0xF0 <= p[i] <= 0xF4:
            more = 3
            if p[i] == 0xF0:
                low = 0x90
            elif p[i] == 0xF4:
                high = 0x8F
        else:
            return False
        if more >= n - i or not low <= p[i + 1] <= high:
            return False
        for k in range(2, more + 1):
            if not 0x80 <= p[i + k] <= 0xBF:
                return False
        i += more + 1
    return True


cdef inline Py_ssize_t undressed(const uint8_t** p, Py_ssize_t n, uint16_t vr) noexcept nogil:
    # Length without what a VR may drop besides padding behind: an AE spaces in front, a PN empty component groups.
    while vr == AE and n and p[0][0] == 32:
        p[0] += 1
        n -= 1
    if vr == PN and n and p[0][n - 1] == 61:
        while n and p[0][n - 1] == 61:
            n -= 1
        n = trimmed(p[0], n)
    return n


cdef Status text_cell(Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr, bint latin) noexcept nogil:
    # The value's components without their padding. One that a single text can't hold is for the other way.
    cdef const uint8_t* cut
    cdef const uint8_t* end = p + n
    cdef Py_ssize_t size
    cdef Status status
    if not c.many or is_single(vr):
        if not is_single(vr) and memchr(p, 0x5C, n) != NULL:
            return UNSUPPORTED
        return add_latin(c, p, n) if latin else add_text(c, p, n)
    while True:
        cut = <const uint8_t*>memchr(p, 0x5C, end - p) if end > p else NULL
        size = undressed(&p, trimmed(p, (cut if cut != NULL else end) - p), vr)
        status = add_latin(c, p, size) if latin else add_text(c, p, size)
        if status != OK or cut == NULL:
            return status
        p = cut + 1


cdef inline int two_digits(const uint8_t* p) noexcept nogil:
    cdef unsigned int a = <unsigned int>p[0] - 48, b = <unsigned int>p[1] - 48
    return -1 if a > 9 or b > 9 else <int>(10 * a + b)


cdef bint is_printable(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if p[i] < 32 or p[i] > 126:
            return False
    return True


cdef Status date_cell(Column* c, const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # YYYYMMDD, and ACR-NEMA's YYYY.MM.DD (PS3.5 6.2), as days since 1970-01-01. CORRUPT: no date.
    cdef int century, year, month, day, days
    cdef bint dots = n == 10 and p[4] == 46 and p[7] == 46
    if c.many and memchr(p, 0x5C, n) != NULL:
        return UNSUPPORTED
    if n != 8 and not dots:
        return CORRUPT
    century = two_digits(p)
    year = two_digits(p + 2)
    month = two_digits(p + 4 + dots)
    day = two_digits(p + 6 + 2 * dots)
    if century < 0 or year < 0 or not 1 <= month <= 12 or day < 1:
        return CORRUPT
    year += 100 * century
    if year == 0 or day > days_of(year, month):
        return CORRUPT
    year -= month <= 2                          # years that begin in March have their odd day last
    days = 365 * year + year // 4 - year // 100 + year // 400
    days += (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1 - 719468
    return add_word(c, &days)


cdef inline int days_of(int year, int month) noexcept nogil:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


cdef Status number_text_cell(Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr) noexcept nogil:
    # DS or IS. CORRUPT: not all of it is numbers, or there are more than the column takes.
    cdef Py_ssize_t total = count_values(p, n), count, at, i
    cdef double* floats
    cdef Status status
    if total == 0:
        return UNSUPPORTED
    if total > 1 and not c.many:
        return CORRUPT
    if reserve(&c.data, 8 * total) != OK:
        return NO_MEMORY
    if vr == IS:
        status = parse_integers(p, n, <int64_t*>(c.data.data + c.data.size), total, &count, &at)
    else:
        floats = <double*>(c.data.data + c.data.size)
        status = parse_decimals(p, n, floats, total, &count, &at)
        if status == OK:
            for i in range(count):
                if floats[i] != floats[i]:      # an empty component
                    return CORRUPT
    if status != OK or count != total:
        return CORRUPT if status == CORRUPT else UNSUPPORTED
    c.data.size += 8 * total
    c.count += total
    return OK


cdef Status binary_cell(Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr, bint big) noexcept nogil:
    cdef Py_ssize_t width = 2 if vr == US or vr == SS else 4 if vr == UL or vr == SL or vr == FL else 8
    cdef Py_ssize_t i = 0
    cdef int32_t word
    cdef int64_t wide
    cdef Status status = OK
    if n % width or (n != width and not c.many):
        return UNSUPPORTED
    while i < n:
        if width == 2:
            word = load_be16(p + i) if big else load_le16(p + i)
            if vr == SS:
                word = <int16_t>word
            status = add_word(c, &word)
        elif vr == UL:
            wide = load_be32(p + i) if big else load_le32(p + i)
            status = add_word(c, &wide)
        elif width == 4:
            word = <int32_t>(load_be32(p + i) if big else load_le32(p + i))
            status = add_word(c, &word)
        else:
            wide = <int64_t>(load_be64(p + i) if big else load_le64(p + i))
            status = add_word(c, &wide)
        if status != OK:
            return status
        i += width
    return OK


# ---- one file ----------------------------------------------------------------------------------------------------

cdef inline bint equals(const uint8_t* p, Py_ssize_t n, const char* text) noexcept nogil:
    return n == <Py_ssize_t>strlen(text) and memcmp(p, text, n) == 0


cdef int stated_mode(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    # The encoding that a transfer syntax stands for; -1 for a deflated one.
    n = trimmed(p, n)
    while n and p[0] == 32:
        p += 1
        n -= 1
    if n == 0:
        return -1
    if equals(p, n, b"1.2.840.10008.1.2") or equals(p, n, b"1.2.840.113619.5.2"):
        return IMPLICIT
    if equals(p, n, b"1.2.840.10008.1.2.2"):
        return BIG_ENDIAN
    if (equals(p, n, b"1.2.840.10008.1.2.1.99") or equals(p, n, b"1.2.840.10008.1.2.4.95")
            or equals(p, n, b"1.2.840.10008.1.2.4.205")):
        return -1
    return 0


cdef struct Kept:
    Py_ssize_t row
    Deviation deviation


cdef struct Hop:                # a step of a column's path; the last one is the element itself
    uint32_t tag                # of a private element without the digits of its block
    int32_t item                # from 0; -1: all of them
    const char* creator         # NULL: a public element
    Py_ssize_t creator_size


cdef struct Way:                # the hops to a column's element
    Hop* hops
    Py_ssize_t count            # 0: it stands at the top level, and is public


cdef struct Misfit:
    Py_ssize_t row
    Py_ssize_t column
    Py_ssize_t start            # of its text in `misfit_text`
    Py_ssize_t length


cdef inline bint is_named(const uint8_t* p, Py_ssize_t n, const Hop* hop) noexcept nogil:
    n = trimmed(p, n)
    return n == hop.creator_size and memcmp(p, hop.creator, n) == 0


cdef inline void* last_of(Buffer* records, Py_ssize_t size) noexcept nogil:
    return records.data + records.size - size


cdef class Extractor:
    """Rows of a batch of files: made for their number, filled by `run` and `put` in order, taken by `finish`.

    `columns` holds (tag, VR code, Kind, many, private creator, steps) of each, ascending by the tag that stands at the
    top level; the steps are (tag, private creator, item) of the sequences that lead to a nested element. `stop_tag`
    ends the scan of a file. A path that is None is never opened: its row is for `put`.
    """
    cdef Scanner scanner
    cdef Column* columns
    cdef Py_ssize_t width, rows, row
    cdef uint32_t stop_tag
    cdef Column path, size, mtime
    cdef Buffer arena
    cdef Segment segments[SEGMENTS]
    cdef int segment_count
    cdef Way* ways                      # to each column's element
    cdef list creators                  # holds the memory of their creators
    cdef uint32_t* found                # row of each column's element in the scanner's index
    cdef uint32_t pixel_representation, character_set
    cdef Charset charset
    cdef Py_ssize_t meta_count
    cdef file_facts facts
    cdef Py_ssize_t cell                # the column whose turn it is
    cdef bint busy                      # a thread is in `run`: no other may touch the columns
    cdef bint asking                    # for the text of that cell
    cdef bint waiting                   # to go on with the row at that cell
    cdef Buffer deviations              # Kept
    cdef Buffer misfits                 # Misfit
    cdef Buffer misfit_text
    cdef list paths                     # holds the memory of `names`
    cdef const char** names             # NULL: a path that C can't have
    cdef bint given                     # the next row's file is in memory: the segments are the pieces of it
    cdef bytes given_name               # its text in the column `path`
    cdef const char* given_text
    cdef Py_ssize_t given_size
    cdef bint timeless                  # it has no time of change
    cdef bint lacking                   # and bytes from `lack` on are missing
    cdef uint64_t lack

    def __cinit__(self, list columns not None, uint32_t stop_tag, list paths not None):
        cdef Py_ssize_t i, rows = len(paths)
        self.rows = rows
        self.stop_tag = stop_tag
        self.width = len(columns)
        self.name_paths(paths)
        self.columns = <Column*>calloc(self.width + 1, sizeof(Column))
        self.found = <uint32_t*>calloc(self.width + 1, sizeof(uint32_t))
        self.ways = <Way*>calloc(self.width + 1, sizeof(Way))
        self.creators = []
        if (self.columns == NULL or self.found == NULL or self.ways == NULL
                or scanner_init(&self.scanner, FIRST_ROWS) != OK):
            raise MemoryError("no memory for a batch of files")
        self.scanner.max_depth = MAX_DEPTH
        self.scanner.max_rows = MAX_ROWS
        self.path.kind = TEXT
        self.size.kind = INT64
        self.mtime.kind = INT64
        if (column_init(&self.path, rows) != OK or column_init(&self.size, rows) != OK
                or column_init(&self.mtime, rows) != OK or reserve(&self.arena, HEAD) != OK):
            raise MemoryError("no memory for a batch of files")
        for i, (tag, vr, kind, many, creator, steps) in enumerate(columns):
            if creator or steps:
                self.lay_way(&self.ways[i], [*steps, (tag, creator, 0)])
            self.columns[i].tag = tag
            self.columns[i].vr = vr
            self.columns[i].kind = kind
            self.columns[i].many = many
            if column_init(&self.columns[i], rows) != OK:
                raise MemoryError("no memory for a batch of files")

    cdef int lay_way(self, Way* way, list steps) except -1:
        cdef Py_ssize_t i
        cdef bytes creator
        way.hops = <Hop*>calloc(len(steps), sizeof(Hop))
        if way.hops == NULL:
            raise MemoryError("no memory for a batch of files")
        way.count = len(steps)
        for i, (tag, creator, item) in enumerate(steps):
            way.hops[i].tag = tag
            way.hops[i].item = item
            if creator:
                self.creators.append(creator)
                way.hops[i].creator = <const char*>creator
                way.hops[i].creator_size = len(creator)
        return 0

    cdef int name_paths(self, list paths) except -1:
        cdef Py_ssize_t i, n
        self.paths = list(paths)
        self.names = <const char**>calloc(self.rows + 1, sizeof(char*))
        if self.names == NULL:
            raise MemoryError("no memory for a batch of files")
        for i in range(self.rows):
            path = self.paths[i]
            if type(path) is not str:
                continue
            try:
                self.names[i] = PyUnicode_AsUTF8AndSize(path, &n)
            except UnicodeEncodeError:          # a name that is no UTF-8
                continue
            if <Py_ssize_t>strlen(self.names[i]) != n:
                self.names[i] = NULL
        return 0

    def __dealloc__(self):
        cdef Py_ssize_t i
        scanner_free(&self.scanner)
        free(self.arena.data)
        free(self.deviations.data)
        free(self.misfits.data)
        free(self.misfit_text.data)
        free(self.names)
        free(self.found)
        column_free(&self.path)
        column_free(&self.size)
        column_free(&self.mtime)
        if self.columns != NULL:
            for i in range(self.width):
                column_free(&self.columns[i])
        if self.ways != NULL:
            for i in range(self.width):
                free(self.ways[i].hops)
        free(self.ways)
        free(self.columns)

    # -- windows of the file

    cdef Status cover(self, file_handle file, uint64_t offset) noexcept nogil:
        # A window that holds `offset` and more behind it than any before: the steps of Source.cover().
        cdef Scanner* s = &self.scanner
        cdef Segment* last = &self.segments[self.segment_count - 1 if self.segment_count else 0]
        cdef uint64_t begin, want, have = 0
        cdef int64_t got
        cdef bint near
        if self.given:
            return self.cover_given(offset)
        near = (self.segment_count > 0 and offset >= last.begin
                and offset <= last.begin + last.held + SKIP)
        if near and last.held < LARGE:
            begin = last.begin
            have = last.held
            want = offset - begin + (4 * have if 4 * have > HEAD else HEAD)
        else:
            want = 2 * last.held if near else HEAD
            if self.segment_count == SEGMENTS:
                return UNSUPPORTED
            last = &self.segments[self.segment_count]
            last.begin = begin = offset
            last.at = self.arena.size
            last.held = 0
            self.segment_count += 1
        if want > s.total - begin:
            want = s.total - begin
        if want > <uint64_t>(ARENA - last.at):
            return UNSUPPORTED
        self.arena.size = last.at + <Py_ssize_t>have
        if reserve(&self.arena, <Py_ssize_t>(want - have)) != OK:
            return NO_MEMORY
        got = file_read(file, self.arena.data + self.arena.size, want - have, begin + have)
        if got < 0 or <uint64_t>got != want - have:
            return IO_FAULT
        last.held = want
        self.arena.size = last.at + <Py_ssize_t>want
        s.window = self.arena.data + last.at
        s.start = begin
        s.stop = begin + want
        return OK

    cdef Status cover_given(self, uint64_t offset) noexcept nogil:
        # The same among the pieces of a file in memory: the next one that holds `offset`.
        cdef Scanner* s = &self.scanner
        cdef Segment* one
        cdef int i
        for i in range(self.segment_count):
            one = &self.segments[i]
            if one.begin <= offset and offset - one.begin <= one.held and one.begin + one.held > s.stop:
                s.window = self.arena.data + one.at
                s.start = one.begin
                s.stop = one.begin + one.held
                return OK
        self.lacking = True
        self.lack = offset
        return UNSUPPORTED

    cdef const uint8_t* value(self, const Row* r) noexcept nogil:
        # Where a value's bytes are, NULL when they weren't read.
        cdef int i
        cdef uint64_t at
        cdef Segment* one
        for i in range(self.segment_count):
            one = &self.segments[i]
            at = r.offset - one.begin
            if r.offset >= one.begin and at <= one.held and r.length <= one.held - at:
                return self.arena.data + one.at + at
        return NULL

    cdef Status scan_on(self, file_handle file) noexcept nogil:
        cdef Status status
        while True:
            status = scan(&self.scanner)
            if status != NEED_MORE:
                return status
            status = self.cover(file, self.scanner.pos)
            if status != OK:
                return status

    # -- the header

    cdef Status read_header(self, file_handle file, uint64_t size) noexcept nogil:
        # Scan file meta information and data set up to the last wanted element. UNSUPPORTED: for the other way.
        cdef Scanner* s = &self.scanner
        cdef const uint8_t* p
        cdef int mode
        cdef uint8_t found
        cdef Status status

        scanner_reset(s)
        s.total = size
        s.start = s.stop = 0
        if not self.given:
            self.segment_count = 0
            self.arena.size = 0
        if size < 144:
            return UNSUPPORTED
        status = self.cover(file, 0)
        if status != OK:
            return status
        if s.stop < 144:
            return self.cover_given(s.stop)
        p = s.window
        if memcmp(p + 128, b"DICM", 4) != 0 or load_le16(p + 132) != 2 or not looks_explicit(p + 132):
            return UNSUPPORTED
        s.pos = 132
        scanner_begin(s, 0, 2)
        s.pause_at_pixels = True
        status = self.scan_on(file)
        if status != OK:
            return status
        self.meta_count = s.count
        mode = self.checked_meta()
        if mode < 0:
            return UNSUPPORTED
        found = <uint8_t>mode
        if s.pos < s.total:
            if s.total - s.pos < 8:
                return UNSUPPORTED
            if s.pos < s.start or s.pos > s.stop or s.stop - s.pos < 8:
                status = self.cover(file, s.pos)
                if status != OK:
                    return status
            p = s.window + (s.pos - s.start)
            if load_le16(p) == 0:               # command elements, or padding
                return UNSUPPORTED
            found = self.found_mode(p, <uint8_t>mode)
        scanner_begin(s, found, -1)
        s.stop_tag = self.stop_tag
        status = self.scan_on(file)
        if status == OK and s.paused_at_pixels and self.stop_tag > PIXEL_DATA + 1:
            return UNSUPPORTED
        return status

    cdef int checked_meta(self) noexcept nogil:
        # The encoding that the file meta information states; -1 where the other way has to find it.
        cdef Scanner* s = &self.scanner
        cdef Row* first = &s.rows[0]
        cdef const uint8_t* p
        cdef uint64_t said, present
        cdef Py_ssize_t i = 0
        cdef int mode = -1
        if s.count == 0:
            return -1
        if first.tag != GROUP_2_LENGTH or first.length != 4:
            self.keep(NO_META_LENGTH, GROUP_2_LENGTH, META, 0, 0)
        else:
            p = self.value(first)
            if p == NULL:
                return -1
            said = load_le32(p)
            present = s.pos - (first.offset + 4)
            if said != present:
                self.keep(WRONG_META_LENGTH, GROUP_2_LENGTH, META, said, present)
        while i < s.count:
            if s.rows[i].tag == TRANSFER_SYNTAX_UID:
                p = self.value(&s.rows[i])
                mode = stated_mode(p, <Py_ssize_t>s.rows[i].length) if p != NULL else -1
            i = s.rows[i].next
        return mode

    cdef uint8_t found_mode(self, const uint8_t* p, uint8_t mode) noexcept nogil:
        # The mode stated, unless the data set's first element, at p, shows otherwise: as index.pyx has it.
        cdef uint64_t at = self.scanner.pos
        cdef uint16_t little = load_le16(p), big = load_be16(p)
        cdef bint letters = is_letters(p[4], p[5])
        if mode & BIG_ENDIAN:
            if big >= 1024 and little < big:
                self.keep(FOUND_LITTLE_ENDIAN, 0, at, 0, 0)
                mode &= <uint8_t>~<int>BIG_ENDIAN
        elif little >= 1024 and 0 < big < 256 and p[1] < 64 and (letters or mode & IMPLICIT):
            self.keep(FOUND_BIG_ENDIAN, 0, at, 0, 0)
            mode |= BIG_ENDIAN
        if mode & IMPLICIT and looks_explicit(p):
            self.keep(FOUND_EXPLICIT, 0, at, 0, 0)
            mode &= <uint8_t>~<int>IMPLICIT
        elif not mode & IMPLICIT and not letters and not (p[4] == 63 and p[5] == 63):
            if p[0] != 0xFE or p[1] != 0xFF:
                self.keep(FOUND_IMPLICIT, 0, at, 0, 0)
                mode |= IMPLICIT
        return mode

    cdef void look_up(self) noexcept nogil:
        # The row of each wanted element: the last one with its tag at the top level.
        cdef Scanner* s = &self.scanner
        cdef Py_ssize_t i = 0, j = 0
        cdef uint32_t tag, last = 0
        cdef bint meta
        memset(self.found, 0xFF, self.width * sizeof(uint32_t))
        self.pixel_representation = NOWHERE
        self.character_set = NOWHERE
        while i < s.count:
            tag = s.rows[i].tag
            meta = i < self.meta_count
            if tag < last:
                j = 0
            last = tag
            while j < self.width and (self.ways[j].count or self.columns[j].tag < tag):
                j += 1
            # Group 2 belongs into the file meta information and nothing else does.
            if j < self.width and self.columns[j].tag == tag and meta == (tag >> 16 == 2):
                self.found[j] = <uint32_t>i
            if tag == PIXEL_REPRESENTATION:
                self.pixel_representation = <uint32_t>i
            elif tag == SPECIFIC_CHARACTER_SET:
                self.character_set = <uint32_t>i
            i = s.rows[i].next

    cdef Status follow_ways(self) noexcept nogil:
        # The rows of private and of nested elements. UNSUPPORTED: not all of them can be told here.
        cdef Py_ssize_t j
        cdef Status status
        for j in range(self.width):
            if self.ways[j].count:
                status = self.follow(&self.ways[j], &self.found[j])
                if status != OK:
                    return status
        return OK

    cdef Status follow(self, const Way* way, uint32_t* found) noexcept nogil:
        cdef const Row* rows = self.scanner.rows
        cdef Py_ssize_t begin = self.meta_count, end = self.scanner.count, k
        cdef uint32_t at = NOWHERE
        cdef int32_t item
        cdef Status status
        found[0] = NOWHERE
        for k in range(way.count):
            status = self.find_in(begin, end, &way.hops[k], &at)
            if status != OK or at == NOWHERE:
                return status
            if k == way.count - 1:
                break
            if rows[at].vr != SQ or not rows[at].flags & CONTAINER or way.hops[k].item < 0:
                return OK if rows[at].vr == SQ and rows[at].length == 0 else UNSUPPORTED
            item = way.hops[k].item
            begin = at + 1
            end = rows[at].next
            while begin < end and (item or rows[begin].tag != ITEM):
                item -= rows[begin].tag == ITEM
                begin = rows[begin].next
            if begin >= end:
                return OK
            end = rows[begin].next
            begin += 1
        found[0] = at
        return OK

    cdef Status find_in(self, Py_ssize_t begin, Py_ssize_t end, const Hop* hop, uint32_t* found) noexcept nogil:
        # The element of a hop among those from `begin` on that follow each other.
        cdef const Row* rows = self.scanner.rows
        cdef const uint8_t* p
        cdef uint32_t wanted = hop.tag, block = 0
        cdef Py_ssize_t i = begin
        found[0] = NOWHERE
        if hop.creator != NULL:
            while i < end and block == 0 and rows[i].tag >> 16 <= hop.tag >> 16:
                if rows[i].tag >> 16 == hop.tag >> 16 and 0x10 <= rows[i].tag & 0xFFFF <= 0xFF:
                    p = self.value(&rows[i])
                    if p == NULL or not is_ascii(p, <Py_ssize_t>rows[i].length):
                        return UNSUPPORTED
                    if is_named(p, <Py_ssize_t>rows[i].length, hop):
                        block = rows[i].tag & 0xFF
                i = rows[i].next
            if block == 0:
                return OK
            wanted = hop.tag | block << 8
        while i < end:
            if rows[i].tag == wanted:
                found[0] = <uint32_t>i
            i = rows[i].next
        return OK

    # -- cells

    cdef uint16_t vr_of(self, const Row* r) noexcept nogil:
        # As resolve_vr() has it, for an element that the dictionary knows.
        cdef uint16_t vr = r.vr
        cdef const Row* context
        cdef const uint8_t* p
        if vr == UN and not r.flags & IMPLICIT and r.length < 0xFFFF:
            vr = public_vr(r.tag)
        if vr == US_OR_SS and self.ways[self.cell].count:   # by what stands next to it
            return NO_VR
        if vr == US_OR_SS:
            vr = US
            if self.pixel_representation != NOWHERE:
                context = &self.scanner.rows[self.pixel_representation]
                p = self.value(context)
                if p == NULL:
                    return NO_VR
                if context.length >= 2 and (load_be16(p) if context.flags & BIG_ENDIAN else load_le16(p)):
                    vr = SS
        return vr

    cdef Status find_charset(self) noexcept nogil:
        cdef const Row* r
        cdef const uint8_t* p
        cdef Py_ssize_t n
        if self.charset != NOT_ASKED:
            return OK
        if self.character_set == NOWHERE:
            return UNSUPPORTED
        r = &self.scanner.rows[self.character_set]
        p = self.value(r)
        if p == NULL:
            return UNSUPPORTED
        n = trimmed(p, <Py_ssize_t>r.length)
        if equals(p, n, b"ISO_IR 192"):
            self.charset = UTF_8
        elif equals(p, n, b"ISO_IR 100"):
            self.charset = LATIN_1
        else:
            return UNSUPPORTED
        return OK

    cdef Status coded_cell(self, Column* c, const uint8_t* p, Py_ssize_t n, uint16_t vr) noexcept nogil:
        # Text with bytes above 7FH.
        if not has_charset(vr) or self.ways[self.cell].count:   # an item may have its own character set
            return UNSUPPORTED
        if self.find_charset() != OK:
            self.asking = True
            return UNSUPPORTED
        if self.charset == UTF_8:
            return text_cell(c, p, n, vr, False) if is_utf8(p, n) else UNSUPPORTED
        if memchr(p, 0x1B, n) != NULL:
            return UNSUPPORTED
        return text_cell(c, p, n, vr, True)

    cdef Status fill_cell(self, Column* c, const Row* r, bint* valid) noexcept nogil:
        cdef const uint8_t* p
        cdef Py_ssize_t n
        cdef uint16_t vr
        cdef Status status

        valid[0] = False
        if r.length == 0 and not r.flags & CONTAINER:
            return OK
        if r.flags & CONTAINER or r.length > LONG_VALUE:
            return UNSUPPORTED
        p = self.value(r)
        if p == NULL:
            return UNSUPPORTED
        n = <Py_ssize_t>r.length
        vr = self.vr_of(r)
        if c.kind == TEXT:
            if not is_text(vr):
                return UNSUPPORTED
            n = undressed(&p, trimmed(p, n), vr)
            if n == 0:
                return OK
            valid[0] = True
            return text_cell(c, p, n, vr, False) if is_ascii(p, n) else self.coded_cell(c, p, n, vr)
        if vr != c.vr and not (c.vr == US_OR_SS and vr == US):
            return UNSUPPORTED
        if vr == DA or vr == DS or vr == IS:
            n = trimmed(p, n)
            if n == 0:
                return OK
            valid[0] = True
            status = date_cell(c, p, n) if vr == DA else number_text_cell(c, p, n, vr)
            if status == CORRUPT and is_printable(p, n):
                valid[0] = False
                return self.keep_misfit(p, n)
            return UNSUPPORTED if status == CORRUPT else status
        valid[0] = True
        return binary_cell(c, p, n, vr, (r.flags & BIG_ENDIAN) != 0)

    cdef Status fill_cells(self, Py_ssize_t row) noexcept nogil:
        # The columns from `cell` on; what was added stays to be undone if one fails.
        cdef Column* c
        cdef bint valid
        cdef Status status
        while self.cell < self.width:
            c = &self.columns[self.cell]
            valid = False
            if self.found[self.cell] != NOWHERE:
                status = self.fill_cell(c, &self.scanner.rows[self.found[self.cell]], &valid)
                if status != OK:
                    return status
            close_row(c, row, valid)
            self.cell += 1
        return OK

    cdef Status open_row(self, Py_ssize_t row) noexcept nogil:
        # Read a file's header: its wanted elements are in `found` then.
        cdef file_handle file
        cdef Status status = IO_FAULT
        if self.given:
            status = self.read_header(-1, self.facts.size)
        elif self.names[row] == NULL:
            return UNSUPPORTED
        else:
            file = file_open(self.names[row])
            if file == -1:
                return IO_FAULT
            if file_stat(file, &self.facts) == 0 and self.facts.kind == FILE_REGULAR:
                status = self.read_header(file, self.facts.size)
            file_close(file)
        if status != OK or self.is_disordered():
            return UNSUPPORTED
        self.look_up()
        self.charset = NOT_ASKED
        self.cell = 0
        return self.follow_ways()

    cdef bint is_disordered(self) noexcept nogil:
        # Elements out of order or twice, or more deviations than are worth keeping.
        cdef Scanner* s = &self.scanner
        cdef Py_ssize_t i
        for i in range(s.deviation_count):
            if s.deviations[i].code == OUT_OF_ORDER or s.deviations[i].code == DUPLICATE_TAG:
                return True
        return s.deviation_count > MAX_DEVIATIONS

    cdef Status put_facts(self, Py_ssize_t row, int64_t size, int64_t changed) noexcept nogil:
        cdef int64_t micros = changed // 1000 - (changed % 1000 < 0)    # floor, whatever the sign
        cdef Status status = add_word(&self.size, &size)
        if status == OK:
            status = add_word(&self.mtime, &micros)
        if status == OK:
            close_row(&self.size, row, True)
            close_row(&self.mtime, row, not (self.given and self.timeless))
        return status

    cdef Status read_row(self, Py_ssize_t row) noexcept nogil:
        # One file's row, or none of it; one that waits for a text goes on behind it.
        cdef const char* name = self.names[row]
        cdef Py_ssize_t size
        cdef Status status = OK
        if not self.waiting:
            status = self.open_row(row)
        self.waiting = False
        if status == OK:
            status = self.fill_cells(row)
        if status == UNSUPPORTED and self.asking:
            self.waiting = True
            return NEED_MORE
        if status == OK:
            status = self.keep_deviations(row)
        if status == OK:
            status = self.put_facts(row, <int64_t>self.facts.size, self.facts.changed)
        if status == OK:
            if self.given:
                name = self.given_text
                size = self.given_size
            else:
                size = <Py_ssize_t>strlen(name)
            status = add_text(&self.path, <const uint8_t*>name, size)
        if status != OK:
            self.undo(row)
            return status
        close_row(&self.path, row, True)
        self.given = False
        return OK

    cdef Status keep(self, uint32_t code, uint32_t tag, uint64_t offset, uint64_t claimed,
                     uint64_t present) noexcept nogil:
        # A deviation of the row being read.
        cdef Kept* kept
        if reserve(&self.deviations, sizeof(Kept)) != OK:
            return NO_MEMORY
        kept = <Kept*>(self.deviations.data + self.deviations.size)
        kept.row = self.row
        kept.deviation = Deviation(code, tag, offset, claimed, present)
        self.deviations.size += sizeof(Kept)
        return OK

    cdef Status keep_misfit(self, const uint8_t* p, Py_ssize_t n) noexcept nogil:
        # A value that the cell's type can't hold; of a long one the beginning is enough to quote.
        cdef Misfit* misfit
        if n > QUOTED:
            n = QUOTED
        if reserve(&self.misfits, sizeof(Misfit)) != OK or reserve(&self.misfit_text, n) != OK:
            return NO_MEMORY
        misfit = <Misfit*>(self.misfits.data + self.misfits.size)
        misfit.row = self.row
        misfit.column = self.cell
        misfit.start = self.misfit_text.size
        misfit.length = n
        memcpy(self.misfit_text.data + misfit.start, p, n)
        self.misfits.size += sizeof(Misfit)
        self.misfit_text.size += n
        return OK

    cdef Status keep_deviations(self, Py_ssize_t row) noexcept nogil:
        cdef Scanner* s = &self.scanner
        cdef Deviation* d
        cdef Py_ssize_t i
        for i in range(s.deviation_count):
            d = &s.deviations[i]
            if self.keep(d.code, d.tag, d.offset, d.claimed, d.present) != OK:
                return NO_MEMORY
        return OK

    cdef void undo(self, Py_ssize_t row) noexcept nogil:
        cdef Py_ssize_t j
        for j in range(self.width):
            undo_row(&self.columns[j], row)
        undo_row(&self.path, row)
        undo_row(&self.size, row)
        undo_row(&self.mtime, row)
        while self.deviations.size and (<Kept*>last_of(&self.deviations, sizeof(Kept))).row == row:
            self.deviations.size -= sizeof(Kept)
        while self.misfits.size and (<Misfit*>last_of(&self.misfits, sizeof(Misfit))).row == row:
            self.misfits.size -= sizeof(Misfit)

    # -- for Python

    cdef int check_idle(self) except -1:
        if self.busy:
            raise RuntimeError("a batch is for one thread: another one is reading into it")
        return 0

    def run(self) -> int:
        """Read files on until one is not for this loop: its row, or the number of files at the end.

        `asked` says then whether one text of it is missing, for `answer`, or the whole row, for `put`.
        """
        cdef Status status = OK
        self.check_idle()
        self.busy = True
        self.asking = False
        with nogil:
            while self.row < self.rows:
                status = self.read_row(self.row)
                if status != OK:
                    break
                self.row += 1
        self.busy = False
        if status == NO_MEMORY:
            raise MemoryError("no memory for a batch of files")
        return self.row

    def give(self, str name not None, uint64_t size, mtime, list pieces not None):
        """Have `run` read the next row from memory: ascending (offset, bytes) pieces of a file of `size` bytes, the
        first from 0 on, and its mtime in ns or None. Where they aren't enough, `run` stops there and `missing` says
        where the next byte is that it needs."""
        cdef Py_ssize_t n
        cdef uint64_t begin
        cdef bytes piece
        self.check_idle()
        if self.waiting or self.row >= self.rows:
            raise ValueError("a file is given for a row whose turn it is")
        self.given = False
        self.lacking = False
        self.segment_count = 0
        self.arena.size = 0
        if len(pieces) > SEGMENTS:              # for the other way
            return
        for begin, piece in pieces:
            n = len(piece)
            if begin > size or <uint64_t>n > size - begin:
                raise ValueError(f"bytes {begin} to {begin + n} are not in a file of {size}")
            if n > ARENA - self.arena.size:
                return
            if reserve(&self.arena, n) != OK:
                raise MemoryError("no memory for a file's header")
            memcpy(self.arena.data + self.arena.size, PyBytes_AS_STRING(piece), n)
            self.segments[self.segment_count] = Segment(begin, <uint64_t>n, self.arena.size)
            self.segment_count += 1
            self.arena.size += n
        self.timeless = mtime is None
        self.facts.size = size
        self.facts.changed = 0 if mtime is None else mtime
        self.given_name = name.encode("utf-8", "backslashreplace")
        self.given_text = PyBytes_AS_STRING(self.given_name)
        self.given_size = len(self.given_name)
        self.given = True

    @property
    def missing(self) -> int | None:
        """Where the next byte is that a row's file in memory lacks; None where that isn't what `run` stopped for."""
        return self.lack if self.given and self.lacking and not self.waiting else None

    def asked(self) -> tuple | None:
        """(value, VR, Specific Character Set) as bytes of the text that is missing; None where it is a whole row."""
        cdef const Row* r
        cdef const uint8_t* p
        if not self.waiting:
            return None
        r = &self.scanner.rows[self.found[self.cell]]
        p = self.value(r)
        value = p[:r.length]
        vr = self.vr_of(r)
        terms = b""
        if self.character_set != NOWHERE:
            r = &self.scanner.rows[self.character_set]
            p = self.value(r)
            if p == NULL:
                return None
            terms = p[:r.length]
        return value, chr(vr & 0xFF) + chr(vr >> 8), terms

    def answer(self, text):
        """The text that was missing, or a list of them: `run` goes on behind it."""
        self.check_idle()
        if not self.waiting:
            raise ValueError("no text is missing")
        put_value(&self.columns[self.cell], self.row, text)
        self.cell += 1

    @property
    def asks_for_many(self) -> bool:
        """Whether the text that is missing is a list of them."""
        return self.columns[self.cell].many

    def put(self, str path not None, size, mtime, list values not None):
        """Fill the next row: bytes and ns of the file (or None), and a value of each column that its type can hold."""
        cdef Py_ssize_t j, row = self.row
        self.check_idle()
        if len(values) != self.width or row >= self.rows:
            raise ValueError("a row takes one value a column, and a batch no more rows than it was made for")
        self.undo(row)
        self.waiting = False
        self.given = False
        try:
            put_value(&self.path, row, path)
            put_value(&self.size, row, size)
            put_value(&self.mtime, row, None if mtime is None else mtime // 1000)
            for j in range(self.width):
                put_value(&self.columns[j], row, values[j])
        except BaseException:
            self.undo(row)
            raise
        self.row += 1

    def issues(self) -> list:
        """(row, code, tag, offset, claimed, present) of what deviated in files that `run` read, by row."""
        cdef Kept* kept = <Kept*>self.deviations.data
        cdef Deviation* d
        cdef Py_ssize_t i
        found = []
        for i in range(self.deviations.size // <Py_ssize_t>sizeof(Kept)):
            d = &kept[i].deviation
            found.append((kept[i].row, d.code, d.tag, d.offset, d.claimed, d.present))
        return found

    def misread(self) -> list:
        """(row, column, text) of values that their column's type can't hold, in files that `run` read, by row."""
        cdef Misfit* misfit = <Misfit*>self.misfits.data
        cdef Py_ssize_t i
        found = []
        for i in range(self.misfits.size // <Py_ssize_t>sizeof(Misfit)):
            text = (self.misfit_text.data + misfit[i].start)[:misfit[i].length]
            found.append((misfit[i].row, misfit[i].column, text))
        return found

    def finish(self) -> list:
        """The buffers of path, size, mtime and all columns, which leave this object: one (values, validity, offsets,
        starts, data) each, with None where the type has no such buffer and the count of values of a list."""
        cdef Py_ssize_t j
        self.check_idle()
        if self.row != self.rows:
            raise ValueError(f"{self.row} of {self.rows} rows are filled")
        taken = [take_column(&self.path), take_column(&self.size), take_column(&self.mtime)]
        for j in range(self.width):
            taken.append(take_column(&self.columns[j]))
        self.row = self.rows = 0
        return taken


cdef object take_column(Column* c):
    return (c.count, take(&c.valid), take(&c.offsets) if c.many else None,
            take(&c.starts) if c.kind == TEXT else None, take(&c.data))


cdef int put_value(Column* c, Py_ssize_t row, object value) except -1:
    if value is not None:
        for one in value if c.many else (value,):
            put_one(c, one)
    close_row(c, row, value is not None)
    return 0


cdef int put_one(Column* c, object value) except -1:
    cdef bytes text
    cdef double full
    cdef float single
    cdef int32_t word
    cdef int64_t wide
    cdef uint64_t unsigned_wide
    cdef Status status
    if c.kind == TEXT:
        text = value.encode("utf-8", "backslashreplace")
        status = add_text(c, <const uint8_t*><const char*>text, len(text))
    elif c.kind == FLOAT64:
        full = value
        status = add_word(c, &full)
    elif c.kind == FLOAT32:
        single = value
        status = add_word(c, &single)
    elif c.kind == INT64:
        wide = value
        status = add_word(c, &wide)
    elif c.kind == UINT64:
        unsigned_wide = value
        status = add_word(c, &unsigned_wide)
    else:
        word = value
        status = add_word(c, &word)
    if status != OK:
        raise MemoryError("no memory for a batch of files")
    return 0
