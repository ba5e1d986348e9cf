"""The bulk loop: headers of many files to columns in Arrow's layout, without the GIL or a Python object a file.

What is usual in DICOM files is done here: preamble and explicit file meta information, the common encodings, text in
ASCII, UTF-8 or Latin-1, values of the VR the dictionary has. Text in other character sets is handed back to be decoded;
a file with anything else is handed back whole, to be read by `dicomcore.dcmread`. Every way gives the same row.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memchr, memcpy, memset, strlen

from dicomcore._native.bulk.cell cimport (
    binary_cell,
    date_cell,
    is_printable,
    is_utf8,
    number_text_cell,
    text_cell,
    undressed,
)
from dicomcore._native.bulk.column cimport (
    INT64,
    TEXT,
    Buffer,
    Column,
    add_text,
    add_word,
    close_row,
    column_free,
    column_init,
    last_of,
    put_value,
    reserve,
    take_column,
    undo_row,
)
from dicomcore._native.base.cursor cimport load_be16, load_le16
from dicomcore._native.base.dictionary cimport public_vr
from dicomcore._native.base.fault cimport CORRUPT, IO_FAULT, NEED_MORE, NO_MEMORY, OK, UNSUPPORTED, Status
from dicomcore._native.base.file cimport FILE_REGULAR, file_close, file_facts, file_handle, file_open, file_stat
from dicomcore._native.bulk.head cimport NOWHERE, Head, Kept, Way
from dicomcore._native.scan.scan cimport (
    BIG_ENDIAN,
    CONTAINER,
    IMPLICIT,
    PIXEL_REPRESENTATION,
    SPECIFIC_CHARACTER_SET,
    Deviation,
    Row,
    Scanner,
)
from dicomcore._native.base.text cimport equals, is_ascii, trimmed
from dicomcore._native.base.vr cimport DA, DS, IS, NO_VR, SS, UN, US, US_OR_SS, has_charset, is_text

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

cdef enum:
    LONG_VALUE = 64 * 1024      # of a longer value the other way decides
    QUOTED = 80                 # bytes of a misfit that are kept: more than row.py shows

cdef enum Charset:
    NOT_ASKED
    UTF_8
    LATIN_1


cdef struct Misfit:
    Py_ssize_t row
    Py_ssize_t column
    Py_ssize_t start            # of its text in `misfit_text`
    Py_ssize_t length


cdef class Extractor(Head):
    """Rows of a batch of files: made for their number, filled by `run` and `put` in order, taken by `finish`.

    `columns` holds (tag, VR code, Kind, many, private creator, steps) of each, ascending by the tag that stands at the
    top level; the steps are (tag, private creator, item) of the sequences that lead to a nested element. `stop_tag`
    ends the scan of a file. A path that is None is never opened: its row is for `put`.
    """
    cdef Column* columns
    cdef Py_ssize_t width, rows
    cdef Column path, size, mtime
    cdef Way* ways                      # to each column's element
    cdef uint32_t* found                # row of each column's element in the scanner's index
    cdef uint32_t pixel_representation, character_set
    cdef Charset charset
    cdef file_facts facts
    cdef Py_ssize_t cell                # the column whose turn it is
    cdef bint busy                      # a thread is in `run`: no other may touch the columns
    cdef bint asking                    # for the text of that cell
    cdef bint waiting                   # to go on with the row at that cell
    cdef Buffer misfits                 # Misfit
    cdef Buffer misfit_text
    cdef list paths                     # holds the memory of `names`
    cdef const char** names             # NULL: a path that C can't have
    cdef bytes given_name               # of a file in memory: its text in the column `path`
    cdef const char* given_text
    cdef Py_ssize_t given_size
    cdef bint timeless                  # it has no time of change

    def __cinit__(self, list columns not None, uint32_t stop_tag, list paths not None):
        cdef Py_ssize_t i, rows = len(paths)
        self.rows = rows
        self.stop_tag = stop_tag
        self.width = len(columns)
        self.name_paths(paths)
        self.columns = <Column*>calloc(self.width + 1, sizeof(Column))
        self.found = <uint32_t*>calloc(self.width + 1, sizeof(uint32_t))
        self.ways = <Way*>calloc(self.width + 1, sizeof(Way))
        if self.columns == NULL or self.found == NULL or self.ways == NULL:
            raise MemoryError("no memory for a batch of files")
        self.path.kind = TEXT
        self.size.kind = INT64
        self.mtime.kind = INT64
        if (column_init(&self.path, rows) != OK or column_init(&self.size, rows) != OK
                or column_init(&self.mtime, rows) != OK):
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

    # -- elements

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

    # -- cells

    cdef uint16_t vr_of(self, const Row* r) noexcept nogil:
        # As resolve_vr() has it, for an element that the dictionary knows.
        cdef uint16_t vr = r.vr
        cdef const Row* context
        cdef const uint8_t* p
        if vr == UN and not r.flags & IMPLICIT:
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
            status = self.keep_deviations()
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
        self.check_idle()
        if self.waiting or self.row >= self.rows:
            raise ValueError("a file is given for a row whose turn it is")
        if not self.hold_pieces(size, pieces):          # for the other way
            return
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
