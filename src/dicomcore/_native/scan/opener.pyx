"""Opens inputs as an index: a file with preamble and file meta information, or a bare data set.

The encoding of a file's data set is read from the file, see `opening`; that of a bare data set is stated by the caller
and not checked.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from dicomcore._native.base.cursor cimport load_be16, load_le16, load_le32
from dicomcore._native.base.fault cimport OK
from dicomcore._native.base.text cimport trimmed
from dicomcore._native.scan.beginning cimport may_be_dicom
from dicomcore._native.scan.header cimport looks_explicit
from dicomcore._native.scan.index cimport ANY_GROUP, Index, first_rows, name_of
from dicomcore._native.scan.opening cimport (
    DEFLATED,
    EMPTY_SYNTAX_UID,
    GROUP_2_LENGTH,
    META,
    META_BIG_ENDIAN,
    META_IMPLICIT,
    META_REPEATED,
    NO_COMMAND_LENGTH,
    NO_META,
    NO_PREAMBLE,
    NO_SYNTAX,
    NO_SYNTAX_UID,
    NOTHING_IN_FRONT,
    PREFIX_FIRST,
    STRAY_GROUP,
    TRANSFER_SYNTAX_UID,
    WRONG_COMMAND_LENGTH,
    check_meta,
    found_mode,
    guessed_mode,
    is_meta,
    say,
    stated_mode,
    states_length,
)
from dicomcore._native.scan.scan cimport BIG_ENDIAN, IMPLICIT, NO_ROW, Row, Scanner
from dicomcore._native.scan.scanner cimport scanner_begin, scanner_init
from dicomcore._native.scan.source cimport Source, memory_source, opened_source

from dicomcore.errors import InvalidDicomError

cdef enum:
    ALL_TAGS = 0xFFFFFFFF
    PACKED_HEAD = 4096          # bytes of a compressed file, and of its inflated data, that are examined
    XZ_MEMORY = 96 << 20        # bytes of memory for the inflation of an xz file: enough for what xz -9 wrote

PACKED = (                      # how files are compressed that may be DICOM inside, by their first bytes
    (b"\x1f\x8b\x08", "gzip"),  # RFC 1952
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),  # RFC 8878
)
ARCHIVES = (                    # of other kinds than `archive` opens
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "RAR"),
)


cdef uint64_t find_start(Index self, const uint8_t* p, uint64_t n, bint force) except? 1:
    # The offset of the first element: behind preamble and prefix (PS3.10 7.1), or 0 if these are missing.
    if n >= META and memcmp(p + 128, b"DICM", 4) == 0:
        self.preamble = p[:128]
        return META
    if n >= 8 and is_meta(p):
        say(&self.opening, NO_PREAMBLE, 0, 0, 0, 0)
        return 0
    if n >= 12 and memcmp(p, b"DICM", 4) == 0 and is_meta(p + 4):
        say(&self.opening, PREFIX_FIRST, 0, 0, 0, 0)
        return 4
    if not force:
        refuse(self, p, n)
    say(&self.opening, NOTHING_IN_FRONT, 0, 0, 0, 0)
    return 0


cdef int refuse(Index self, const uint8_t* p, uint64_t n) except -1:
    # Raise for an input without prefix and file meta information. The error's `may_be_dicom` tells callers that skip
    # files other than DICOM whether this one may be DICOM nevertheless.
    cdef bint perhaps = may_be_dicom(p, <Py_ssize_t>n)
    name = name_of(self)
    if self.source.size == 0:
        raise InvalidDicomError(f"{name} is empty", may_be_dicom=True)
    for magic, packing in PACKED:
        if n >= <uint64_t>len(magic) and memcmp(p, <const uint8_t*>magic, len(magic)) == 0:
            perhaps = holds_dicom(packing, p[:min(n, <uint64_t>PACKED_HEAD)])
            found = "may be DICOM," if perhaps else "is not DICOM but"
            raise InvalidDicomError(f"{name} {found} compressed by {packing}: decompress it first",
                                    may_be_dicom=perhaps)
    for magic, packing in ARCHIVES:
        if n >= <uint64_t>len(magic) and memcmp(p, <const uint8_t*>magic, len(magic)) == 0:
            raise InvalidDicomError(f"{name} is a {packing} archive, which is not opened: extract it first",
                                    may_be_dicom=True)
    found = "may be DICOM, but there is" if perhaps else "is not DICOM:"
    raise InvalidDicomError(f"{name} {found} no DICM prefix at byte 128 and no file meta information at byte 0; "
                            "force=True reads it as a bare data set", may_be_dicom=perhaps)


cdef bint holds_dicom(str packing, bytes compressed) except -1:
    # Whether the beginning of a compressed file may be DICOM once inflated; one that is damaged there may be, and so
    # may one whose method gives nothing of so few bytes.
    cdef bytes found
    if packing == "gzip":
        import zlib                             # few inputs need it

        inflate, damage = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress, zlib.error
    elif packing == "xz":
        try:
            import lzma                         # not part of every Python
        except ImportError:
            return True
        inflate, damage = lzma.LZMADecompressor(memlimit=XZ_MEMORY).decompress, lzma.LZMAError
    else:
        return True
    try:
        found = inflate(compressed, PACKED_HEAD)
    except (EOFError, damage):
        return True
    if found[128:132] == b"DICM":
        return True
    return may_be_dicom(<const uint8_t*>found, len(found))


cdef int read_meta(Index self, const uint8_t* p, uint64_t left, int* stated) except -1:
    # Scan the file meta information element by element, as its group length is often wrong (PS3.10 7.1). `stated` is
    # set to the encoding that its transfer syntax stands for, see stated_mode().
    cdef Scanner* s = &self.scanner
    cdef uint8_t mode = 0
    cdef uint64_t begin = s.pos
    cdef Py_ssize_t i, second
    cdef const uint8_t* value = NULL

    stated[0] = NO_SYNTAX
    if left < 8 or not is_meta(p):
        say(&self.opening, NO_META, 0, s.pos, 0, 0)
        return 0
    if load_le16(p) != 2:
        mode = BIG_ENDIAN
        say(&self.opening, META_BIG_ENDIAN, GROUP_2_LENGTH, s.pos, 0, 0)
    elif not looks_explicit(p):
        mode = IMPLICIT
        say(&self.opening, META_IMPLICIT, GROUP_2_LENGTH, s.pos, 0, 0)
    scanner_begin(s, mode, 2)
    self.run()
    self.publish()
    if states_length(self.rows, self.count, GROUP_2_LENGTH):
        _owner = self.hold(&self.rows[0], &value)
    second = check_meta(&self.opening, self.rows, self.count, value, begin, s.pos)
    if second < self.count:
        forget_group(self, second, self.rows[second].offset - self.rows[second].header)
    self.meta_count = self.count
    i = self.find(0, self.count, TRANSFER_SYNTAX_UID)
    if i >= 0:
        _owner = self.hold(&self.rows[i], &value)
        stated[0] = stated_mode(value, self.rows[i].length)
        self.transfer_syntax = unpadded(value, self.rows[i].length)
    if self.transfer_syntax == "":
        say(&self.opening, NO_SYNTAX_UID if i < 0 else EMPTY_SYNTAX_UID, TRANSFER_SYNTAX_UID, begin, 0, 0)
    return 0


cdef str unpadded(const uint8_t* p, Py_ssize_t n):
    # A UID as text, without the spaces and NULs around it.
    n = trimmed(p, n)
    while n and (p[0] == 32 or p[0] == 0):
        p += 1
        n -= 1
    return p[:n].decode("latin-1")


cdef int forget_group(Index self, Py_ssize_t row, uint64_t begin) except -1:
    # Drop the rows of a repeated group 2, from `row` on (byte `begin` to the scanner's position). They belong to no
    # data set; only the source keeps their bytes.
    cdef Scanner* s = &self.scanner
    s.count = row
    while s.deviation_count and s.deviations[s.deviation_count - 1].offset >= begin:
        s.deviation_count -= 1
    self.publish()
    say(&self.opening, META_REPEATED, GROUP_2_LENGTH, begin, s.pos - begin, 0)
    return 0


cdef int mode_of(str syntax) except -3:
    # The encoding that a transfer syntax stands for, see stated_mode().
    cdef bytes text = syntax.encode("latin-1", "replace")
    return stated_mode(<const uint8_t*>PyBytes_AS_STRING(text), len(text))


cdef const uint8_t* look(Index self, uint64_t* left) except? NULL:
    # The bytes at the scanner's position, at least 8 unless the source ends before.
    cdef Scanner* s = &self.scanner
    if s.pos < s.start or s.pos + 8 > s.stop and s.stop < s.total:
        self.source.cover(s.pos, &s.window, &s.start, &s.stop)
    left[0] = s.stop - s.pos
    return s.window + (s.pos - s.start)


cdef int read_data_set(Index self, int stated) except -1:
    # Scan the data set of a file, and any second group 2 or command elements in front of it. `stated` is the encoding
    # of its transfer syntax.
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
        s.disordered = True                     # those of the data set begin anew
        scanner_begin(s, IMPLICIT, 0)           # command elements are implicit VR little endian (PS3.7 6.3)
        self.run()
        p = look(self, &left)
    self.mode = told_mode(self, p, left, stated)
    return scan_data_set(self)


cdef uint8_t told_mode(Index self, const uint8_t* p, uint64_t left, int stated) noexcept nogil:
    # The encoding of a file's data set: that of its transfer syntax, unless the first element shows another.
    cdef Scanner* s = &self.scanner
    if stated == NO_SYNTAX:
        return guessed_mode(p, left, s.total - s.pos) if left >= 8 else 0
    if stated == DEFLATED:
        stated = 0
    if left < 8:
        return <uint8_t>stated
    return found_mode(&self.opening, p, left, s.total - s.pos, s.pos, <uint8_t>stated)


cdef int scan_data_set(Index self) except -1:
    # Scan the elements from the scanner's position on, in the encoding `mode` of the index.
    cdef Scanner* s = &self.scanner
    if s.done and s.pos < s.total:
        s.done = False
    scanner_begin(s, self.mode, -1)
    self.run()
    self.publish()
    self.header_rows = s.count - (1 if s.paused_at_pixels else 0)
    self.complete = s.done or not s.paused_at_pixels or s.pos >= s.total
    return 0


cdef int drop_pixels(Index self) noexcept:
    # If the scan was paused behind the row of pixel data, drop that row, and don't scan what follows.
    if self.scanner.paused_at_pixels:
        self.count -= 1
        self.scanner.count = self.count
    self.complete = True
    return 0


cdef Index begin_index(Source source, object limits, Py_ssize_t known):
    # An empty index with room for the `known` rows and some more.
    cdef Index self = Index()
    cdef Scanner* s = &self.scanner
    cdef Py_ssize_t max_rows = limits.elements
    self.source = source
    self.complete = False
    self.limits = limits
    self.transfer_syntax = ""
    self.group = ANY_GROUP
    if max_rows >= NO_ROW:
        max_rows = NO_ROW - 1
    if scanner_init(s, known + first_rows(max_rows - known)) != OK:
        raise MemoryError("no memory for the index")
    s.max_depth = limits.depth
    s.max_rows = max_rows
    s.total = source.size
    s.pos = source.first
    s.window = source.data
    s.start = source.begin
    s.stop = min(source.begin + source.held, s.total)
    if s.stop < s.total:
        source.cover(source.first, &s.window, &s.start, &s.stop)
    return self


def open_index(object given, *, object limits, bint force=False, bint stop_before_pixels=False,
               uint32_t stop_tag=ALL_TAGS, bint whole=False):
    """Index a file (PS3.10 7): a path, an object with `size` and read_at(), or bytes-like memory.

    `force` reads an input without prefix and file meta information as a bare data set. The scan ends before the first
    top-level tag that is `stop_tag` or higher. `whole` scans the elements behind pixel data at once; by default they
    are scanned when they are first needed.
    """
    cdef Source source = opened_source(given, 0, None)
    cdef Index self
    cdef Scanner* s
    cdef uint64_t left
    cdef const uint8_t* p
    cdef int stated = NO_SYNTAX
    try:
        self = begin_index(source, limits, 0)
        s = &self.scanner
        self.stop_before_pixels = stop_before_pixels
        s.pos = find_start(self, s.window, s.stop, force)
        p = look(self, &left)
        read_meta(self, p, left, &stated)
        self.publish()
        self.body = s.pos
        if stated == DEFLATED:
            self.deflated = True
            return self
        s.stop_tag = stop_tag
        s.pause_at_pixels = not whole or stop_before_pixels
        read_data_set(self, stated)
        if stop_before_pixels:
            drop_pixels(self)
    finally:
        source.end_scan()
    return self


def open_data_set(object given, str transfer_syntax not None, *, object limits, uint64_t offset=0, object length=None,
                  bint stop_before_pixels=False, object mode=None):
    """Index a bare data set (PS3.5 7) in the stated transfer syntax; no encoding is guessed.

    `given` is any input of open_index(). The data set is its `length` bytes (by default all) from `offset` on; offsets
    in the index count from the input's first byte. `mode` overrides the encoding that the transfer syntax stands for,
    which then only labels the data set.
    """
    cdef Source source = opened_source(given, offset, length)
    return index_bare(source, transfer_syntax, limits, stop_before_pixels, mode, ANY_GROUP)


def open_group(object given, int group, str transfer_syntax not None, *, object limits):
    """Index memory that holds one group alone: a command set (0, PS3.7 6.3.1), or file meta information (2)."""
    return index_bare(opened_source(given, 0, None), transfer_syntax, limits, False, None, group)


cdef Index index_bare(Source source, str transfer_syntax, object limits, bint stop_before_pixels, object mode,
                      int group):
    cdef int stated = mode_of(transfer_syntax) if mode is None else mode
    cdef Index self
    try:
        self = begin_index(source, limits, 0)
        self.bare = True
        self.group = group
        self.transfer_syntax = transfer_syntax
        self.stop_before_pixels = stop_before_pixels
        self.body = source.first
        if stated == DEFLATED:
            self.deflated = True
            return self
        self.mode = <uint8_t>max(stated, 0)
        scan_bare(self)
    finally:
        source.end_scan()
    return self


cdef int scan_bare(Index self) except -1:
    # Scan a bare data set, or a single group. Command elements and file meta information are reported in a data set.
    cdef Row* row
    self.scanner.pause_at_pixels = self.group == ANY_GROUP
    scan_data_set(self)
    if self.stop_before_pixels:
        drop_pixels(self)
    if self.group != ANY_GROUP:
        check_group(self)
    elif self.count:
        row = &self.rows[0]
        if row.tag >> 16 == 0 or row.tag >> 16 == 2:
            say(&self.opening, STRAY_GROUP, row.tag, row.offset - row.header, 0, 0)
    return 0


cdef int check_group(Index self) except -1:
    # Report elements of another group, and a command set that doesn't begin with its correct length (PS3.7 6.3.1, 9.3).
    cdef const uint8_t* value
    cdef Row* row
    cdef uint64_t said
    cdef Py_ssize_t i = 0
    while i < self.count:
        row = &self.rows[i]
        if row.tag >> 16 != <uint32_t>self.group:
            say(&self.opening, STRAY_GROUP, row.tag, row.offset - row.header, 0, 0)
            break
        i = row.next
    if self.group:
        return 0
    if not states_length(self.rows, self.count, 0):
        say(&self.opening, NO_COMMAND_LENGTH, 0, self.body, 0, 0)
        return 0
    row = &self.rows[0]
    _owner = self.hold(row, &value)
    said = load_le32(value)
    if said != self.source.size - (row.offset + 4):
        say(&self.opening, WRONG_COMMAND_LENGTH, 0, self.body, said, self.source.size - (row.offset + 4))
    return 0


def reopen_inflated(Index outer not None, object inflated, *, uint32_t stop_tag=ALL_TAGS, str trouble=""):
    """The index of a deflated input: its head, followed by its inflated data set."""
    cdef Index self = begin_index(memory_source(outer.head() + inflated, outer.source.first), outer.limits, outer.count)
    cdef Scanner* s = &self.scanner
    self.inflated = True
    self.bare = outer.bare
    self.body = outer.body
    self.packed = outer.source
    self.packed_at = outer.body
    self.preamble = outer.preamble
    self.transfer_syntax = outer.transfer_syntax
    self.noted = outer.noted
    self.opening = outer.opening
    if trouble:
        self.note("DEFLATE", 0, outer.scanner.pos, trouble)
    self.stop_before_pixels = outer.stop_before_pixels
    self.meta_count = outer.meta_count
    memcpy(s.rows, outer.rows, outer.count * sizeof(Row))
    s.count = outer.count
    s.disordered = outer.scanner.disordered
    s.pos = outer.scanner.pos
    s.stop_tag = stop_tag
    if self.bare:
        scan_bare(self)
        return self
    s.pause_at_pixels = self.stop_before_pixels
    read_data_set(self, DEFLATED)
    if self.stop_before_pixels:
        drop_pixels(self)
    return self


def reopen(bytes data, object limits, bint stop_before_pixels, uint32_t stop_tag, bint inflated, bint whole=True,
           uint64_t first=0, str stated=None, uint8_t mode=0, int group=ANY_GROUP):
    """The index of a pickled input, made again from its bytes, which begin at offset `first`.

    If a transfer syntax is `stated`, they are a bare data set. `whole` also scans the rows behind pixel data, to which
    pickled items may refer.
    """
    cdef Index self
    if stated is not None:
        self = index_bare(memory_source(data, first), stated, limits, stop_before_pixels, mode, group)
        self.inflated = inflated
    else:
        self = open_index(data, limits=limits, force=True, stop_before_pixels=stop_before_pixels, stop_tag=stop_tag)
        if inflated:
            self = reopen_inflated(self, self.rest(), stop_tag=stop_tag)
            self.packed = None          # the pickle doesn't contain the deflated bytes
    if whole:
        self.finish()
    return self
