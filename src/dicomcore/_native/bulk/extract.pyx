"""The bulk loop: reads the headers of many files into columns in Arrow's layout, without the GIL and without a Python
object per file.

It reads the usual files: explicit file meta information or none, the common encodings, text in ASCII, UTF-8 or
Latin-1, and values with the dictionary's VR. Text in other character sets is returned to the caller, who decodes it;
so is a deflated data set of which the bytes that were read first don't inflate to the whole header.
Any other file takes the dcmread path: the caller reads it with `dicomcore.dcmread` and puts the row. Both paths give
the same row.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memchr, memcpy, memset, strlen

from dicomcore._native.bulk.around cimport Around, leave, open_in
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
from dicomcore._native.base.file cimport FILE_REGULAR, file_close, file_facts, file_handle, file_stat
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

cdef enum:
    LONG_VALUE = 64 * 1024      # a file with a longer value in a column takes the dcmread path
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
    """The rows of a batch of files: `run` and `put` fill them in order, and `finish` takes them.

    Parameters
    ----------
    columns : list of tuple
        The (tag, VR code, Kind, many, private creator, steps) of each column, in ascending order of its tag at the top
        level. The steps are the (tag, private creator, item) of the sequences around a nested element.
    stop_tag : int
        The scan of a file ends at this tag.
    paths : list of str or None
        The files. A path that is None is never opened: its row is for `put`.
    """
    cdef Column* columns
    cdef Py_ssize_t width, rows
    cdef Column path, size, mtime
    cdef Way* ways                      # the path to each column's element
    cdef uint32_t* found                # row of each column's element in the scanner's index
    cdef uint32_t pixel_representation, character_set
    cdef Charset charset
    cdef file_facts facts
    cdef Around around                  # the folder of the last file, open during `run`
    cdef Py_ssize_t cell                # the next column to fill in the row being read
    cdef bint busy                      # a thread is in `run`: no other may touch the columns
    cdef bint asking                    # the text of that cell has to be decoded by the caller
    cdef bint waiting                   # the row continues at that cell after `answer`
    cdef Buffer misfits                 # Misfit
    cdef Buffer misfit_text
    cdef bytes given_name               # of a file in memory: its text in the column `path`
    cdef const char* given_text
    cdef Py_ssize_t given_size
    cdef bint timeless                  # the file in memory has no mtime
    cdef uint64_t whole                 # bytes of the file in memory; of an inflated one, at least as many

    def __cinit__(self, list columns not None, uint32_t stop_tag, list paths not None):
        cdef Py_ssize_t i, rows = len(paths)
        self.rows = rows
        self.stop_tag = stop_tag
        self.lenient = True
        self.around = Around(NULL, 0, -1, False)
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

    def __dealloc__(self):
        cdef Py_ssize_t i
        free(self.misfits.data)
        free(self.misfit_text.data)
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
        # Find the row of each column's element: the last row with its tag at the top level.
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
            # Group 0002 counts only in the file meta information, and every other group only outside of it.
            if j < self.width and self.columns[j].tag == tag and meta == (tag >> 16 == 2):
                self.found[j] = <uint32_t>i
            if tag == PIXEL_REPRESENTATION:
                self.pixel_representation = <uint32_t>i
            elif tag == SPECIFIC_CHARACTER_SET:
                self.character_set = <uint32_t>i
            i = s.rows[i].next

    cdef Status follow_ways(self) noexcept nogil:
        # Find the rows of private and of nested elements. UNSUPPORTED: one of them takes the dcmread path.
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
        # The VR that resolve_vr() would give, for an element of the dictionary; NO_VR where only resolve_vr() can tell.
        cdef uint16_t vr = r.vr
        cdef const Row* context
        cdef const uint8_t* p
        if vr == UN and not r.flags & IMPLICIT:
            vr = public_vr(r.tag)
        if vr == US_OR_SS and self.ways[self.cell].count:   # the item's own Pixel Representation decides
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
        # Append text that has bytes above 7FH.
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
        # Fill the columns from `cell` on. After a failure the caller has to undo the row.
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
        # Read a file's header, and find its columns' elements.
        cdef file_handle file
        cdef Status status = IO_FAULT
        self.deflated_at = 0
        if self.given:
            status = self.read_header(-1, self.whole)
        elif self.names[row] == NULL:
            return UNSUPPORTED
        else:
            file = open_in(&self.around, self.names[row], <Py_ssize_t>strlen(self.names[row]))
            if file == -1:
                return IO_FAULT
            if file_stat(file, &self.facts) == 0 and self.facts.kind == FILE_REGULAR:
                status = self.read_header(file, self.facts.size)
            file_close(file)
            if status == UNSUPPORTED and self.deflated_at:
                self.given_text = self.names[row]
                self.given_size = <Py_ssize_t>strlen(self.names[row])
                self.timeless = False
                status = self.read_deflated()
        if status != OK or self.is_disordered():
            return UNSUPPORTED
        self.look_up()
        self.charset = NOT_ASKED
        self.cell = 0
        return self.follow_ways()

    cdef Status put_facts(self, Py_ssize_t row, int64_t size, int64_t changed) noexcept nogil:
        cdef int64_t micros = changed // 1000 - (changed % 1000 < 0)    # floor, also of negative times
        cdef Status status = add_word(&self.size, &size)
        if status == OK:
            status = add_word(&self.mtime, &micros)
        if status == OK:
            close_row(&self.size, row, True)
            close_row(&self.mtime, row, not (self.given and self.timeless))
        return status

    cdef Status read_row(self, Py_ssize_t row) noexcept nogil:
        # Read one file's row, or undo it. NEED_MORE: the row waits for a text, and continues behind it next time.
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
        self.given = self.inflated = False
        return OK

    cdef Status keep_misfit(self, const uint8_t* p, Py_ssize_t n) noexcept nogil:
        # Keep a value that the cell's type can't hold, to quote it; the beginning of a long value is enough.
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
        self.drop_deviations(row)
        while self.misfits.size and (<Misfit*>last_of(&self.misfits, sizeof(Misfit))).row == row:
            self.misfits.size -= sizeof(Misfit)

    # -- for Python

    cdef int check_idle(self) except -1:
        if self.busy:
            raise RuntimeError("an Extractor is for one thread at a time, and another thread is in run()")
        return 0

    def run(self) -> int:
        """Read files until one needs the caller's help; returns its row, or the number of files at the end.

        If `asked` then returns a text, decode it for `answer`. If it returns None, the whole row is for `put`.
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
            leave(&self.around)
        self.busy = False
        if status == NO_MEMORY:
            raise MemoryError("no memory for a batch of files")
        return self.row

    def give(self, str name not None, uint64_t size, mtime, list pieces not None, inflated=None):
        """Make `run` read the next row from memory.

        If the pieces aren't enough, `run` stops at the row, and `missing` is the offset of the next byte that it needs.

        Parameters
        ----------
        name : str
            The row's text in the column `path`.
        size : int
            Bytes of the whole file.
        mtime : int or None
            The file's time of change in ns.
        pieces : list of (int, bytes)
            Byte ranges of the file with their offsets, in ascending order; the first begins at 0.
        inflated : int, optional
            For a deflated file: the pieces are of its head and its inflated data set, which are this many bytes, or, as
            long as that is not known, fewer than this.
        """
        cdef uint64_t whole = size if inflated is None else inflated
        self.check_idle()
        if self.waiting or self.row >= self.rows:
            raise ValueError("give() needs an unfilled row that isn't waiting for a text: answer() or put() first")
        self.inflated = inflated is not None
        self.whole = whole
        if not self.hold_pieces(whole, pieces):         # for the dcmread path
            self.inflated = False
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
        """Offset of the next byte that a file in memory lacks; None if `run` stopped for another reason."""
        return self.lack if self.given and self.lacking and not self.waiting else None

    @property
    def deflated(self) -> int | None:
        """Offset of the deflated data set at whose file `run` stopped; None if it stopped for another reason."""
        return self.deflated_at if self.deflated_at and not self.waiting else None

    def asked(self) -> tuple | None:
        """The (value bytes, VR, Specific Character Set bytes) of a text to decode; None if the whole row is missing."""
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
        """Fill in the decoded text, or a list of texts: the next `run` continues behind it."""
        self.check_idle()
        if not self.waiting:
            raise ValueError("no text is missing: answer() belongs to a text that asked() returned")
        put_value(&self.columns[self.cell], self.row, text)
        self.cell += 1

    @property
    def asks_for_many(self) -> bool:
        """Whether `answer` takes a list of texts."""
        return self.columns[self.cell].many

    def put(self, str path not None, size, mtime, list values not None):
        """Fill the next row.

        Parameters
        ----------
        path : str
            The row's text in the column `path`.
        size, mtime : int or None
            The file's size in bytes and its time of change in ns.
        values : list
            A value for each column that the column's type can hold, or None.
        """
        cdef Py_ssize_t j, row = self.row
        self.check_idle()
        if len(values) != self.width or row >= self.rows:
            raise ValueError(f"a row takes {self.width} values, and the batch has {self.rows} rows")
        self.undo(row)
        self.waiting = False
        self.given = self.inflated = False
        self.deflated_at = 0
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
        """The (row, code, tag, offset, claimed, present) of each deviation in the files that `run` read, by row."""
        cdef Kept* kept = <Kept*>self.deviations.data
        cdef Deviation* d
        cdef Py_ssize_t i
        found = []
        for i in range(self.deviations.size // <Py_ssize_t>sizeof(Kept)):
            d = &kept[i].deviation
            found.append((kept[i].row, d.code, d.tag, d.offset, d.claimed, d.present))
        return found

    def misread(self) -> list:
        """The (row, column, text) of each value that its column's type can't hold, in files that `run` read, by row."""
        cdef Misfit* misfit = <Misfit*>self.misfits.data
        cdef Py_ssize_t i
        found = []
        for i in range(self.misfits.size // <Py_ssize_t>sizeof(Misfit)):
            text = (self.misfit_text.data + misfit[i].start)[:misfit[i].length]
            found.append((misfit[i].row, misfit[i].column, text))
        return found

    def finish(self) -> list:
        """Hand over the buffers of path, size, mtime and all columns.

        Each is a tuple (count, validity, offsets, starts, data). `count` is the number of values in all lists of a
        column of lists; a buffer is None if the column's type doesn't use it.
        """
        cdef Py_ssize_t j
        self.check_idle()
        if self.row != self.rows:
            raise ValueError(f"{self.row} of {self.rows} rows are filled")
        taken = [take_column(&self.path), take_column(&self.size), take_column(&self.mtime)]
        for j in range(self.width):
            taken.append(take_column(&self.columns[j]))
        self.row = self.rows = 0
        return taken
