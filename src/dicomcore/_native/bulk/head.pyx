"""Reads a file's header in the bulk loop: in windows and without the GIL; finds elements by their paths.

It reads the usual headers: a preamble and explicit file meta information, the common encodings; if `lenient`, also
files that lack one of these, or the transfer syntax. Any other header is UNSUPPORTED, and takes the dcmread path: the
caller reads the file with `dicomcore.dcmread`.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, strlen

from dicomcore._native.bulk.column cimport last_of, reserve
from dicomcore._native.bulk.inflate cimport inflate_beginning
from dicomcore._native.base.cursor cimport load_be16, load_be32, load_le16, load_le32
from dicomcore._native.base.fault cimport IO_FAULT, NEED_MORE, NO_MEMORY, OK, UNSUPPORTED, Status
from dicomcore._native.base.file cimport file_handle, file_read
from dicomcore._native.base.text cimport is_ascii, stripped
from dicomcore._native.base.vr cimport CS, DA, LO, SH, SQ, TM, UI, UL
from dicomcore._native.scan.header cimport looks_explicit
from dicomcore._native.scan.opening cimport (
    DEFLATED,
    EMPTY_SYNTAX_UID,
    GROUP_2_LENGTH,
    META,
    NO_META,
    NO_PREAMBLE,
    NO_SYNTAX,
    NO_SYNTAX_UID,
    NOTHING_IN_FRONT,
    PREFIX_FIRST,
    TRANSFER_SYNTAX_UID,
    Opening,
    check_meta,
    found_mode,
    guessed_mode,
    is_meta,
    say,
    stated_mode,
    states_length,
)
from dicomcore._native.scan.scan cimport (
    CONTAINER,
    DUPLICATE_TAG,
    ITEM,
    OUT_OF_ORDER,
    PIXEL_DATA,
    Deviation,
    Row,
    Scanner,
    scan,
)
from dicomcore._native.scan.scanner cimport scanner_begin, scanner_free, scanner_init, scanner_reset
from dicomcore._native.scan.source cimport HEAD, LARGE, SKIP

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

cdef enum:
    ARENA = 4 * 1024 * 1024     # a header that needs more bytes takes the dcmread path
    FIRST_ROWS = 256
    MAX_ROWS = 1 << 20
    MAX_DEPTH = 512             # Limits.depth
    MAX_DEVIATIONS = 32
    NOT_HERE = -9               # an encoding that only dcmread() can find
    SHORT = 4096                # bytes of a file that are read first where headers are short
    MARGIN = 64                 # bytes behind the last header that the scan looks at, at most
    FORESEEN = 8                # short headers, one after the other, from which on the next one may be short
    SHORTEST = 144              # bytes of a file that is read here
    INFLATED = 4096             # bytes of a deflated data set that are inflated first: most headers fit
    BEHIND = 128                # bytes behind the last header that are inflated: the next one may be longer
    MOST_INFLATED = 1 << 16     # a longer header is inflated by the caller
    SUSPECT = 1024              # as in opening.pyx: whether such a first group is meant depends on the data set's size
    FIRST_ELEMENTS = 0x18       # of group 8: one of them begins a data set
    LONGEST_FIRST = 64          # bytes of its value in implicit VR


cdef inline bint is_named(const uint8_t* p, Py_ssize_t n, const Hop* hop) noexcept nogil:
    n = stripped(&p, n)
    return n == hop.creator_size and memcmp(p, hop.creator, n) == 0


cdef bint begins_bare(const uint8_t* p) noexcept nogil:
    # Whether 8 bytes begin a data set without file meta information, as _begins_bare() in archive/tables/row.py says.
    cdef bint little = p[0] == 8 and p[1] == 0
    cdef uint16_t group = load_le16(p) if little else load_be16(p)
    cdef uint16_t element = load_le16(p + 2) if little else load_be16(p + 2)
    cdef uint16_t vr = load_le16(p + 4)
    if group != 8 or element > FIRST_ELEMENTS:
        return False
    if vr == UL or vr == CS or vr == UI or vr == SH or vr == DA or vr == TM or vr == LO:
        return True
    return (load_le32(p + 4) if little else load_be32(p + 4)) <= LONGEST_FIRST


cdef int find_beginning(Opening* opening, const uint8_t* p) noexcept nogil:
    # The offset of the first element of a file of at least SHORTEST bytes; below 0 if only dcmread() can find it.
    if memcmp(p + 128, b"DICM", 4) == 0:
        return META
    if is_meta(p):
        say(opening, NO_PREAMBLE, 0, 0, 0, 0)
        return 0
    if memcmp(p, b"DICM", 4) == 0 and is_meta(p + 4):
        say(opening, PREFIX_FIRST, 0, 0, 0, 0)
        return 4
    if not begins_bare(p):
        return -1
    say(opening, NOTHING_IN_FRONT, 0, 0, 0, 0)
    return 0


cdef class Head:
    """Reads the header of one file after the other; keeps the deviations of all files."""

    def __cinit__(self):
        self.creators = []
        if scanner_init(&self.scanner, FIRST_ROWS) != OK or reserve(&self.arena, HEAD) != OK:
            raise MemoryError("no memory for a batch of files")
        self.scanner.max_depth = MAX_DEPTH
        self.scanner.max_rows = MAX_ROWS
        self.first = HEAD
        self.inflated_first = INFLATED

    def __dealloc__(self):
        scanner_free(&self.scanner)
        free(self.arena.data)
        free(self.deviations.data)
        free(self.names)

    cdef int name_paths(self, list paths) except -1:
        cdef Py_ssize_t i, n, count = len(paths)
        self.paths = list(paths)
        self.names = <const char**>calloc(count + 1, sizeof(char*))
        if self.names == NULL:
            raise MemoryError("no memory for a batch of files")
        for i in range(count):
            path = self.paths[i]
            if type(path) is not str:
                continue
            try:
                self.names[i] = PyUnicode_AsUTF8AndSize(path, &n)
            except UnicodeEncodeError:          # a lone surrogate: the name is not valid UTF-8
                continue
            if <Py_ssize_t>strlen(self.names[i]) != n:
                self.names[i] = NULL
        return 0

    # -- windows of the file

    cdef Status cover(self, file_handle file, uint64_t offset) noexcept nogil:
        # Read a window that contains `offset` and reaches further than any before, with the sizes of Source.cover().
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
            want = 2 * last.held if near else HEAD if self.segment_count else <uint64_t>self.first
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

    cdef Status widen(self, file_handle file) noexcept nogil:
        # Make the window as wide as that of dcmread(), which looks at all of it where an encoding is in doubt.
        if self.given or self.first == HEAD or self.segment_count > 1 or self.scanner.stop >= self.scanner.total:
            return OK
        self.segment_count = 0
        self.arena.size = 0
        self.first = HEAD
        return self.cover(file, 0)

    cdef void foresee(self, uint64_t needed) noexcept nogil:
        # Read less of the next file if some files needed few bytes: the headers of a series have about one length.
        if needed + MARGIN > SHORT:
            self.short_ones = 0
        else:
            self.short_ones += 1
        self.first = SHORT if self.short_ones >= FORESEEN else HEAD

    cdef Status cover_given(self, uint64_t offset) noexcept nogil:
        # As cover(), for a file in memory: make the next piece that contains `offset` the window.
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

    cdef bint hold_pieces(self, uint64_t size, list pieces) except -1:
        # Use the ascending (offset, bytes) pieces of a file of `size` bytes as windows; False if they are too many or
        # too large.
        cdef Py_ssize_t n
        cdef uint64_t begin
        cdef bytes piece
        self.given = False
        self.lacking = False
        self.segment_count = 0
        self.arena.size = 0
        if len(pieces) > SEGMENTS:
            return False
        for begin, piece in pieces:
            n = len(piece)
            if begin > size or <uint64_t>n > size - begin:
                raise ValueError(f"bytes {begin} to {begin + n} are not in a file of {size}")
            if n > ARENA - self.arena.size:
                return False
            if reserve(&self.arena, n) != OK:
                raise MemoryError("no memory for a file's header")
            memcpy(self.arena.data + self.arena.size, PyBytes_AS_STRING(piece), n)
            self.segments[self.segment_count] = Segment(begin, <uint64_t>n, self.arena.size)
            self.segment_count += 1
            self.arena.size += n
        return True

    cdef const uint8_t* value(self, const Row* r) noexcept nogil:
        # The address of a value's bytes; NULL if they weren't read.
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
        # Scan the file meta information, and the data set up to `stop_tag`. UNSUPPORTED: for the dcmread path.
        cdef Scanner* s = &self.scanner
        cdef Status status = self.read_beginning(file, size)
        if status != OK:
            return status
        s.stop_tag = self.stop_tag
        status = self.scan_on(file)
        if not self.given:
            self.foresee(s.pos)
        if status == OK and s.paused_at_pixels and self.stop_tag > PIXEL_DATA + 1:
            return UNSUPPORTED
        return status

    cdef Status read_deflated(self) noexcept nogil:
        # Scan the header whose data set, at `deflated_at`, is deflated, if the bytes that were read suffice. If they
        # don't, or are damaged, `deflated_at` remains for the caller.
        cdef uint64_t start = self.deflated_at, whole = 0
        cdef Py_ssize_t held = <Py_ssize_t>self.segments[0].held, wanted = self.inflated_first
        cdef Status status = OK
        if self.segment_count != 1 or start > <uint64_t>held:
            return UNSUPPORTED
        self.given = self.inflated = True
        while wanted <= MOST_INFLATED:
            status = self.inflate_window(held, <Py_ssize_t>start, wanted, &whole)
            if status != OK:
                break
            self.lacking = False
            status = self.read_header(-1, whole)
            if not self.lacking:
                self.inflated_first = max(<Py_ssize_t>(self.scanner.pos - start) + BEHIND, BEHIND)
                return status
            self.drop_deviations(self.row)
            wanted = max(2 * wanted, <Py_ssize_t>(self.lack - start) + INFLATED)
        self.given = self.inflated = False
        self.deflated_at = start
        self.inflated_first = INFLATED
        return NO_MEMORY if status == NO_MEMORY else UNSUPPORTED

    cdef Status inflate_window(self, Py_ssize_t held, Py_ssize_t head, Py_ssize_t wanted,
                               uint64_t* whole) noexcept nogil:
        # Of the file's first `held` bytes, make the first `head` and up to `wanted` inflated from the rest the only
        # window; whole[0] is the size of both, or more than that where there is more to inflate.
        cdef Segment* one = &self.segments[0]
        cdef Py_ssize_t done = 0, used = 0
        cdef bint ended = False
        cdef uint8_t* p
        cdef Status status
        self.arena.size = held
        if reserve(&self.arena, head + wanted) != OK:
            return NO_MEMORY
        p = self.arena.data + held
        status = inflate_beginning(self.arena.data + head, held - head, p + head, wanted, &done, &used, &ended)
        self.foresee(<uint64_t>(head + used if status == OK else HEAD))
        if status != OK:
            return status
        memcpy(p, self.arena.data, head)
        one.at = held               # behind the file's bytes
        one.held = head + done
        self.arena.size = held + head + done
        whole[0] = one.held if ended else <uint64_t>1 << 62
        return OK

    cdef Status read_beginning(self, file_handle file, uint64_t size) noexcept nogil:
        # Scan the file meta information; the scanner stands at the data set, and pauses at its pixel data.
        cdef Scanner* s = &self.scanner
        cdef const uint8_t* p
        cdef int mode, begin
        cdef uint8_t found = 0
        cdef Opening opening
        cdef Status status

        opening.count = 0
        scanner_reset(s)
        s.total = size
        s.start = s.stop = 0
        if not self.given:
            self.segment_count = 0
            self.arena.size = 0
        self.deflated_at = 0
        if size < SHORTEST:
            return UNSUPPORTED
        status = self.cover(file, 0)
        if status != OK:
            return status
        if s.stop < SHORTEST:
            return self.cover_given(s.stop)
        begin = find_beginning(&opening, s.window)
        if begin < 0 or begin != META and not self.lenient:
            return UNSUPPORTED
        s.pos = <uint64_t>begin
        s.pause_at_pixels = True
        p = s.window + begin
        if load_le16(p) == 2 and looks_explicit(p) and is_meta(p):
            scanner_begin(s, 0, 2)
            status = self.scan_on(file)
            if status != OK:
                return status
            self.meta_count = s.count
            mode = self.checked_meta(&opening, <uint64_t>begin)
        elif is_meta(p) or not self.lenient:
            return UNSUPPORTED
        else:
            self.meta_count = 0
            say(&opening, NO_META, 0, s.pos, 0, 0)
            mode = NO_SYNTAX
        status = self.find_encoding(file, &opening, mode, &found)
        if status == OK:
            status = self.keep_opening(&opening)
        if status == OK:
            scanner_begin(s, found, -1)
        return status

    cdef Status find_encoding(self, file_handle file, Opening* opening, int mode, uint8_t* found) noexcept nogil:
        # The encoding of the data set, at which the scanner stands, by the one that is stated and by its first element.
        cdef Scanner* s = &self.scanner
        cdef const uint8_t* p
        cdef Status status
        if mode == DEFLATED and self.inflated:
            mode = 0
        elif mode == DEFLATED and self.lenient and not self.given:
            self.deflated_at = s.pos
        if mode < 0 and (mode != NO_SYNTAX or not self.lenient):
            return UNSUPPORTED
        found[0] = <uint8_t>max(mode, 0)
        if s.pos >= s.total:
            return OK
        if s.total - s.pos < 8:
            return UNSUPPORTED
        if s.pos < s.start or s.pos > s.stop or s.stop - s.pos < 8:
            status = self.cover(file, s.pos)
            if status != OK:
                return status
            if s.stop - s.pos < 8:
                return self.cover_given(s.stop) if self.given else UNSUPPORTED
        p = s.window + (s.pos - s.start)
        if load_le16(p) == 0 or load_be16(p) == 2:      # group 0000 (a command set, or padding), or more of 0002
            return UNSUPPORTED
        if self.inflated and load_le16(p) >= SUSPECT:   # the whole size is not known
            return UNSUPPORTED
        if mode or load_le16(p) >= SUSPECT or not looks_explicit(p):
            status = self.widen(file)
            if status != OK:
                return status
            p = s.window + (s.pos - s.start)
        if mode == NO_SYNTAX:
            found[0] = guessed_mode(p, s.stop - s.pos, s.total - s.pos)
        else:
            found[0] = found_mode(opening, p, s.stop - s.pos, s.total - s.pos, s.pos, <uint8_t>mode)
        return OK

    cdef int checked_meta(self, Opening* opening, uint64_t begin) noexcept nogil:
        # The encoding that the file meta information at `begin` states, see stated_mode(); NOT_HERE.
        cdef Scanner* s = &self.scanner
        cdef const uint8_t* p = NULL
        cdef Py_ssize_t i = 0
        cdef uint32_t code = NO_SYNTAX_UID
        cdef int mode = NO_SYNTAX
        if s.count == 0:
            return NOT_HERE
        if states_length(s.rows, s.count, GROUP_2_LENGTH):
            p = self.value(&s.rows[0])
            if p == NULL:
                return NOT_HERE
        if check_meta(opening, s.rows, s.count, p, begin, s.pos) < s.count:
            return NOT_HERE
        while i < s.count:
            if s.rows[i].tag == TRANSFER_SYNTAX_UID:
                p = self.value(&s.rows[i])
                if p == NULL:
                    return NOT_HERE
                mode = stated_mode(p, <Py_ssize_t>s.rows[i].length)
                code = EMPTY_SYNTAX_UID
            i = s.rows[i].next
        if mode == NO_SYNTAX:
            say(opening, code, TRANSFER_SYNTAX_UID, begin, 0, 0)
        return mode

    # -- deviations

    cdef Status keep(self, uint32_t code, uint32_t tag, uint64_t offset, uint64_t claimed,
                     uint64_t present) noexcept nogil:
        # Keep a deviation of the row being read.
        cdef Kept* kept
        if reserve(&self.deviations, sizeof(Kept)) != OK:
            return NO_MEMORY
        kept = <Kept*>(self.deviations.data + self.deviations.size)
        kept.row = self.row
        kept.deviation = Deviation(code, tag, offset, claimed, present)
        self.deviations.size += sizeof(Kept)
        return OK

    cdef Status keep_opening(self, const Opening* opening) noexcept nogil:
        cdef const Deviation* d
        cdef int i
        for i in range(opening.count):
            d = &opening.deviations[i]
            if self.keep(d.code, d.tag, d.offset, d.claimed, d.present) != OK:
                return NO_MEMORY
        return OK

    cdef Status keep_deviations(self) noexcept nogil:
        cdef Scanner* s = &self.scanner
        cdef Deviation* d
        cdef Py_ssize_t i
        for i in range(s.deviation_count):
            d = &s.deviations[i]
            if self.keep(d.code, d.tag, d.offset, d.claimed, d.present) != OK:
                return NO_MEMORY
        return OK

    cdef void drop_deviations(self, Py_ssize_t row) noexcept nogil:
        while self.deviations.size and (<Kept*>last_of(&self.deviations, sizeof(Kept))).row == row:
            self.deviations.size -= sizeof(Kept)

    cdef bint is_disordered(self) noexcept nogil:
        # Whether elements are out of order or occur twice, or there are more deviations than are worth keeping.
        cdef Scanner* s = &self.scanner
        cdef Py_ssize_t i
        for i in range(s.deviation_count):
            if s.deviations[i].code == OUT_OF_ORDER or s.deviations[i].code == DUPLICATE_TAG:
                return True
        return s.deviation_count > MAX_DEVIATIONS

    # -- elements

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
        # Find the element of a step among the siblings in rows [begin, end).
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
