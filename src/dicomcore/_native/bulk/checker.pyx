"""The bulk check: opens, indexes and checks many files without the GIL, and makes no Python object for a file.

It reads the files that the bulk loop reads (see `head`), as far as nothing in them deviates from the encoding rules,
and no element in UN has to be given its VR. Any other file is for the caller, who checks it with `dicomcore.iod` and
puts what was found. Both give the same findings.

Most findings of a folder are alike: each is kept once, with the path of its first item, and files refer to it by its
number.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from dicomcore._native.base.fault cimport IO_FAULT, NEED_MORE, NO_MEMORY, OK, UNSUPPORTED, Status
from dicomcore._native.base.file cimport (
    FILE_REGULAR, file_close, file_facts, file_handle, file_open, file_read, file_stat,
)
from dicomcore._native.base.text cimport is_ascii, trimmed
from dicomcore._native.bulk.column cimport (
    INT64, TEXT, Buffer, Column, add_text, add_word, close_row, column_free, column_init, put_value, reserve,
    take_column,
)
from dicomcore._native.bulk.head cimport Head, Segment
from dicomcore._native.check.alike cimport fold_frames, unfold_frames
from dicomcore._native.check.coherence cimport Wanted, check_subject, own_class
from dicomcore._native.check.elements cimport Asked
from dicomcore._native.check.findings cimport NO_MODULE, Findings, Found, close_findings, open_findings
from dicomcore._native.check.plan cimport Plan, plan_for
from dicomcore._native.check.subject cimport Block, Subject, find_root, text_at
from dicomcore._native.check.unknown_vr cimport has_known
from dicomcore._native.scan.opening cimport TRANSFER_SYNTAX_UID
from dicomcore._native.scan.scan cimport ITEM, NO_ROW, Row, Scanner
from dicomcore._native.scan.source cimport HEAD

from dicomcore._native.rules import tables as _tables

cdef enum:
    ARENA = 4 * 1024 * 1024     # what is in front of pixel data and behind it, at most
    BEHIND = 4 * 1024           # bytes of a window behind the head: most are for one fragment's header
    MOST_CODES = 1024
    LONGEST_UID = 1024
    SOP_CLASS_UID = 0x00080016
    SOP_INSTANCE_UID = 0x00080018
    RETIRED = 15
    UNKNOWN_SOP_CLASS = 18
    FINDINGS_CUT = 19
    FIRST_PLACES = 256

cdef struct Shape:              # a finding, whatever file it is of
    uint64_t hash
    uint32_t tag, detail, more
    uint32_t step               # the first of its steps in `steps`
    uint32_t depth              # the number of steps
    uint16_t code, module

cdef struct Step:               # a sequence around the attribute, and the number of the item in it
    uint32_t tag, number

cdef struct Seen:               # a finding of a file
    int32_t shape
    uint32_t count


cdef inline uint64_t mixed(uint64_t hash, uint64_t word) noexcept nogil:
    hash = (hash ^ word) * <uint64_t>0xFF51AFD7ED558CCD
    return hash ^ (hash >> 32)


cdef class Checker(Head):
    """What is found in a batch of files: `run` and `put` go through them in order, and `finish` takes it.

    Parameters
    ----------
    paths : list of str or None
        The files. A path that is None is never opened: it is for `put`.
    sop_class : int
        The row of the tables that all files are checked by; -1: by that of their own class.
    codes : iterable of int
        The codes of the findings that are kept.
    structure, notes, folds, coherence, forms, counts, retired : bool
        What is looked for, as in `findings`.
    issues : bool
        Whether files that deviate from the encoding rules are for the caller, who knows the words for that.
    most : int
        Different findings of a file.
    depth, elements : int
        Limits of a file; what is beyond them is for the caller.
    """
    cdef readonly Py_ssize_t row_count
    cdef file_facts facts
    cdef uint8_t[MOST_CODES] chosen
    cdef Wanted wanted
    cdef bint issues
    cdef uint32_t most
    cdef int stated
    cdef PyObject** plans               # by row of the tables, NULL: not asked for yet; the last one is None
    cdef int plan_count
    cdef list kept_plans
    cdef int lacking_plan
    cdef bint behind                    # the scanner is behind the row of pixel data
    cdef bint busy
    cdef Column size, mtime, sop_class, instance
    cdef Buffer counts                  # uint32: the findings of each file
    cdef Buffer unknown                 # int64: the conditions that could not be decided in each file
    cdef Buffer seen                    # Seen
    cdef Buffer shapes                  # Shape
    cdef Buffer steps                   # Step
    cdef uint32_t* places               # numbers of shapes + 1 by hash, open addressing
    cdef uint32_t place_count

    def __cinit__(self, list paths not None, *, int sop_class, codes, bint structure, bint notes, bint folds,
                  bint coherence, bint forms, bint counts, bint retired, bint issues, uint32_t most, Py_ssize_t depth,
                  Py_ssize_t elements):
        cdef Py_ssize_t rows = len(paths)
        self.row_count = rows
        self.stated = sop_class
        self.wanted = Wanted(structure, notes, folds, coherence, Asked(forms, counts, retired))
        self.issues = issues
        self.most = most
        self.scanner.max_depth = min(self.scanner.max_depth, depth)
        self.scanner.max_rows = min(self.scanner.max_rows, elements)
        self.plan_count = _tables.counts()["sop_classes"]
        if not -1 <= sop_class < self.plan_count:
            raise ValueError(f"{sop_class} is no row of the tables")
        for code in codes:
            if not 0 <= code < MOST_CODES:
                raise ValueError(f"{code} is no code")
            self.chosen[<int>code] = True
        self.name_paths(paths)
        self.kept_plans = []
        self.plans = <PyObject**>calloc(self.plan_count + 1, sizeof(PyObject*))
        self.place_count = FIRST_PLACES
        self.places = <uint32_t*>calloc(FIRST_PLACES, sizeof(uint32_t))
        self.size.kind = self.mtime.kind = INT64
        self.sop_class.kind = self.instance.kind = TEXT
        if (self.plans == NULL or self.places == NULL or column_init(&self.size, rows) != OK
                or column_init(&self.mtime, rows) != OK or column_init(&self.sop_class, rows) != OK
                or column_init(&self.instance, rows) != OK):
            raise MemoryError("no memory for a batch of files")
        self.plans[self.plan_count] = <PyObject*>None

    def __dealloc__(self):
        free(self.plans)
        free(self.places)
        column_free(&self.size)
        column_free(&self.mtime)
        column_free(&self.sop_class)
        column_free(&self.instance)
        free(self.counts.data)
        free(self.unknown.data)
        free(self.seen.data)
        free(self.shapes.data)
        free(self.steps.data)

    # -- the file

    cdef Status cover(self, file_handle file, uint64_t offset) noexcept nogil:
        # Everything in front of pixel data is read in one block; behind that, a window at a time.
        if self.behind:
            return self.cover_behind(file, offset)
        return self.cover_head(file, offset + 1)

    cdef Status cover_head(self, file_handle file, uint64_t stop) noexcept nogil:
        # Hold the bytes up to `stop`, and some more.
        cdef Scanner* s = &self.scanner
        cdef Segment* head = &self.segments[0]
        cdef uint64_t want
        if self.segment_count == 0:
            head.begin, head.held, head.at = 0, 0, 0
            self.segment_count = 1
        want = max(stop, 4 * head.held if head.held else <uint64_t>HEAD)
        want = min(want, s.total)
        want = min(want, <uint64_t>ARENA)
        if want < stop or want == head.held:
            return UNSUPPORTED
        if not self.read(file, head.held, want - head.held, <Py_ssize_t>head.held):
            return IO_FAULT
        head.held = want
        s.window, s.start, s.stop = self.arena.data, 0, want
        return OK

    cdef Status cover_behind(self, file_handle file, uint64_t offset) noexcept nogil:
        # A window from `offset` on; a longer one if the last one was too short for what stands there.
        cdef Scanner* s = &self.scanner
        cdef Py_ssize_t at = <Py_ssize_t>self.segments[0].held
        cdef uint64_t want = BEHIND
        cdef bint again = s.start <= offset < s.stop
        if again:
            want = 4 * (s.stop - s.start)
        want = min(want, s.total - offset)
        if want > <uint64_t>ARENA or (again and want <= s.stop - offset):
            return UNSUPPORTED
        if not self.read(file, offset, want, at):
            return IO_FAULT
        s.window, s.start, s.stop = self.arena.data + at, offset, offset + want
        return OK

    cdef bint read(self, file_handle file, uint64_t offset, uint64_t length, Py_ssize_t at) noexcept nogil:
        # Read bytes of the file to this place of the arena.
        cdef int64_t got
        self.arena.size = at
        if reserve(&self.arena, <Py_ssize_t>length) != OK:
            return False
        got = file_read(file, self.arena.data + at, length, offset)
        self.arena.size = at + <Py_ssize_t>length
        return got >= 0 and <uint64_t>got == length

    cdef Status open_whole(self, file_handle file, Subject* subject) noexcept nogil:
        # Index the whole file, and hold the bytes in front of its pixel data and behind it.
        cdef Scanner* s = &self.scanner
        cdef Status status
        self.behind = False
        self.deviations.size = 0
        status = self.read_beginning(file, self.facts.size)
        if status == OK:
            status = self.scan_on(file)
        if status == OK and s.paused_at_pixels and not s.done:
            self.behind = True
            s.pause_at_pixels = False
            status = self.scan_on(file)
        if status != OK:
            return status
        if s.count > s.max_rows or (self.issues and (s.deviation_count or self.deviations.size)):
            return UNSUPPORTED
        return self.hold(file, subject)

    cdef Status hold(self, file_handle file, Subject* subject) noexcept nogil:
        cdef Scanner* s = &self.scanner
        cdef uint32_t i = <uint32_t>self.meta_count, count = <uint32_t>s.count
        cdef uint64_t until = s.total, begin = s.total
        cdef Py_ssize_t at
        cdef Status status
        while i < count and s.rows[i].tag >> 16 != 0x7FE0:
            i = s.rows[i].next
        if i < count:
            until = s.rows[i].offset
            while i < count and s.rows[i].tag >> 16 == 0x7FE0:
                i = s.rows[i].next
            begin = s.rows[i].offset if i < count else s.total
        if until > self.segments[0].held:
            self.behind = False
            status = self.cover_head(file, until)
            if status != OK:
                return status
        at = <Py_ssize_t>self.segments[0].held
        if begin < s.total:
            if s.total - begin > <uint64_t>ARENA:
                return UNSUPPORTED
            if not self.read(file, begin, s.total - begin, at):
                return IO_FAULT
        memset(subject, 0, sizeof(Subject))
        subject.rows, subject.first, subject.stop = s.rows, <uint32_t>self.meta_count, count
        subject.head = Block(self.arena.data, 0, until)
        subject.tail = Block(self.arena.data + at, begin, s.total)
        return OK

    cdef int find_syntax(self, const uint8_t** text) noexcept nogil:
        # The text of the transfer syntax without padding, as the index of a file has it.
        cdef Scanner* s = &self.scanner
        cdef Py_ssize_t i = 0, n = 0
        text[0] = self.arena.data
        while i < self.meta_count:
            if s.rows[i].tag == TRANSFER_SYNTAX_UID:
                text[0] = self.value(&s.rows[i])
                n = trimmed(text[0], <Py_ssize_t>s.rows[i].length) if text[0] != NULL else 0
            i = s.rows[i].next
        while n and (text[0][0] == 32 or text[0][0] == 0):
            text[0] += 1
            n -= 1
        return <int>min(n, <Py_ssize_t>64)

    # -- the check

    cdef Status check_file(self, Py_ssize_t row) noexcept nogil:
        # Check one file. UNSUPPORTED: it is for the caller. NEED_MORE: the plan of its SOP class is lacking.
        cdef file_handle file
        cdef Subject subject
        cdef Status status = UNSUPPORTED
        if self.names[row] == NULL:
            return UNSUPPORTED
        file = file_open(self.names[row])
        if file == -1:
            return UNSUPPORTED
        if file_stat(file, &self.facts) == 0 and self.facts.kind == FILE_REGULAR:
            status = self.open_whole(file, &subject)
        file_close(file)
        if status != OK:
            return NO_MEMORY if status == NO_MEMORY else UNSUPPORTED
        return self.check_rows(row, &subject)

    cdef Status check_rows(self, Py_ssize_t row, Subject* subject) noexcept nogil:
        cdef const uint8_t* uid = NULL
        cdef const uint8_t* instance = NULL
        cdef const uint8_t* syntax = NULL
        cdef int n = self.uid_of(subject, SOP_CLASS_UID, &uid), m = self.uid_of(subject, SOP_INSTANCE_UID, &instance)
        cdef int known = self.stated if self.stated >= 0 else own_class(subject), length
        cdef uint64_t unknown = 0
        cdef Findings found
        cdef Status status
        if n < 0 or m < 0:
            return UNSUPPORTED
        if known < 0 and (n == 0 or not 48 <= uid[0] <= 57):     # there may be one that Python reads
            return UNSUPPORTED
        if known < 0 and self.chosen[RETIRED]:      # Python knows whether that was a SOP class once
            return UNSUPPORTED
        if self.wanted.structure and known >= 0 and self.plans[known] == NULL:
            self.lacking_plan = known
            return NEED_MORE
        length = self.find_syntax(&syntax)
        open_findings(&found, self.most)
        status = self.check_known(subject, known, syntax, length, &found, &unknown)
        if status == OK:
            status = self.keep_findings(subject, &found, known < 0)
        close_findings(&found)
        unfold_frames(subject)
        if status == OK:
            status = self.keep_file(row, uid, n, instance, m, <int64_t>unknown)
        return status

    cdef Status check_known(self, Subject* subject, int known, const uint8_t* syntax, int length, Findings* found,
                            uint64_t* unknown) noexcept nogil:
        # Frames that are alike are folded for it.
        cdef Wanted what = self.wanted
        cdef PyObject* plan
        cdef Status status
        what.structure = what.structure and known >= 0
        plan = self.plans[known if what.structure else self.plan_count]
        status = fold_frames(subject, (<Plan>plan).looked if what.structure else NULL)
        if status != OK:
            return status
        if has_known(subject):
            return UNSUPPORTED
        return check_subject(subject, <Plan>plan, &what, <uint32_t>self.meta_count, syntax, length, found, unknown)

    cdef int uid_of(self, const Subject* subject, uint32_t tag, const uint8_t** text) noexcept nogil:
        # The length of the text of a UID; 0: there is none, -1: it is no plain text, or has another VR.
        cdef uint32_t row = find_root(subject, tag)
        cdef int n
        if row == NO_ROW:
            return 0
        n = text_at(subject, &subject.rows[row], 1, text)
        if n > LONGEST_UID or (n > 0 and not is_ascii(text[0], n)) or (n < 0 and subject.rows[row].length):
            return -1
        return max(n, 0)

    cdef Status keep_findings(self, const Subject* subject, const Findings* found, bint strange) noexcept nogil:
        # Those that were chosen; `strange` of a SOP class that the tables do not have.
        cdef Py_ssize_t before = self.seen.size
        cdef uint32_t i, count
        cdef const Found* one
        cdef Found more
        cdef Status status = OK
        memset(&more, 0, sizeof(Found))
        more.around, more.module, more.count = NO_ROW, NO_MODULE, 1
        for i in range(found.count):
            one = &found.list[i]
            if status == OK and self.chosen[one.code]:
                status = self.keep_one(subject, one)
        if status == OK and strange and self.chosen[UNKNOWN_SOP_CLASS]:
            more.code, more.tag = UNKNOWN_SOP_CLASS, SOP_CLASS_UID
            status = self.keep_one(subject, &more)
        if status == OK and found.cut and self.chosen[FINDINGS_CUT]:
            more.code, more.tag, more.detail = FINDINGS_CUT, 0, found.cut
            status = self.keep_one(subject, &more)
        count = <uint32_t>((self.seen.size - before) // <Py_ssize_t>sizeof(Seen))
        return add_bytes(&self.counts, &count, sizeof(count)) if status == OK else status

    cdef Status keep_file(self, Py_ssize_t row, const uint8_t* uid, int n, const uint8_t* instance, int m,
                          int64_t unknown) noexcept nogil:
        cdef int64_t size = <int64_t>self.facts.size
        cdef int64_t micros = self.facts.changed // 1000 - (self.facts.changed % 1000 < 0)  # floor, also before 1970
        if (add_word(&self.size, &size) != OK or add_word(&self.mtime, &micros) != OK
                or add_bytes(&self.unknown, &unknown, sizeof(unknown)) != OK
                or (n and add_text(&self.sop_class, uid, n) != OK)
                or (m and add_text(&self.instance, instance, m) != OK)):
            return NO_MEMORY
        close_row(&self.size, row, True)
        close_row(&self.mtime, row, True)
        close_row(&self.sop_class, row, n != 0)
        close_row(&self.instance, row, m != 0)
        return OK

    # -- findings that are alike

    cdef Status keep_one(self, const Subject* subject, const Found* found) noexcept nogil:
        cdef Seen seen
        cdef Shape shape
        cdef Status status
        shape.tag, shape.detail, shape.more = found.tag, found.detail, found.more
        shape.code, shape.module = found.code, found.module
        status = self.lay_steps(subject, found.around, &shape)
        if status == OK:
            shape.hash = self.hash_of(&shape)
            status = self.number_of(&shape, &seen.shape)
        seen.count = found.count
        return add_bytes(&self.seen, &seen, sizeof(Seen)) if status == OK else status

    cdef Status lay_steps(self, const Subject* subject, uint32_t item, Shape* shape) noexcept nogil:
        # Add the steps to an item behind those of all shapes, the outermost first.
        cdef const Row* rows = subject.rows
        cdef uint32_t outer = item, depth = 0, i
        cdef Step* step
        while outer != NO_ROW and rows[outer].parent != NO_ROW:
            depth += 1
            outer = rows[rows[outer].parent].parent
        shape.step, shape.depth = <uint32_t>(self.steps.size // <Py_ssize_t>sizeof(Step)), depth
        if reserve(&self.steps, depth * sizeof(Step)) != OK:
            return NO_MEMORY
        self.steps.size += depth * sizeof(Step)
        while depth:
            depth -= 1
            step = &(<Step*>self.steps.data)[shape.step + depth]
            step.tag, step.number = rows[rows[item].parent].tag, 0
            i = rows[item].parent + 1
            while i < item:
                step.number += rows[i].tag == ITEM
                i = rows[i].next
            item = rows[rows[item].parent].parent
        return OK

    cdef uint64_t hash_of(self, const Shape* shape) noexcept nogil:
        cdef const Step* steps = &(<Step*>self.steps.data)[shape.step] if shape.depth else NULL
        cdef uint64_t hash = mixed(shape.depth, <uint64_t>shape.tag << 32 | shape.detail)
        cdef uint32_t i
        hash = mixed(hash, <uint64_t>shape.more << 32 | <uint32_t>shape.code << 16 | shape.module)
        for i in range(shape.depth):
            hash = mixed(hash, <uint64_t>steps[i].tag << 32 | steps[i].number)
        return hash

    cdef Status number_of(self, const Shape* shape, int32_t* number) noexcept nogil:
        # The number of a shape, whose steps are the last ones; they are dropped if it is known.
        cdef uint32_t count = <uint32_t>(self.shapes.size // <Py_ssize_t>sizeof(Shape)), place
        if count * 2 >= self.place_count and self.grow() != OK:
            return NO_MEMORY
        place = <uint32_t>shape.hash & (self.place_count - 1)
        while self.places[place]:
            number[0] = <int32_t>self.places[place] - 1
            if self.is_same(shape, &(<Shape*>self.shapes.data)[number[0]]):
                self.steps.size = shape.step * sizeof(Step)
                return OK
            place = (place + 1) & (self.place_count - 1)
        self.places[place] = count + 1
        number[0] = <int32_t>count
        return add_bytes(&self.shapes, shape, sizeof(Shape))

    cdef bint is_same(self, const Shape* a, const Shape* b) noexcept nogil:
        cdef const Step* steps = <Step*>self.steps.data
        return (a.hash == b.hash and a.tag == b.tag and a.detail == b.detail and a.more == b.more and a.code == b.code
                and a.module == b.module and a.depth == b.depth
                and (a.depth == 0 or memcmp(&steps[a.step], &steps[b.step], a.depth * sizeof(Step)) == 0))

    cdef Status grow(self) noexcept nogil:
        # Twice the places; all shapes are entered again.
        cdef uint32_t size = 2 * self.place_count, i, place
        cdef const Shape* shapes = <Shape*>self.shapes.data
        cdef uint32_t* places = <uint32_t*>calloc(size, sizeof(uint32_t))
        if places == NULL:
            return NO_MEMORY
        for i in range(<uint32_t>(self.shapes.size // <Py_ssize_t>sizeof(Shape))):
            place = <uint32_t>shapes[i].hash & (size - 1)
            while places[place]:
                place = (place + 1) & (size - 1)
            places[place] = i + 1
        free(self.places)
        self.places, self.place_count = places, size
        return OK

    # -- for Python

    cdef int check_idle(self) except -1:
        if self.busy:
            raise RuntimeError("a Checker is for one thread at a time, and another thread is in run()")
        return 0

    def run(self) -> int:
        """Check files until one is for the caller, who puts it; returns its row, or the number of files at the end."""
        cdef Status status = OK
        self.check_idle()
        self.busy = True
        try:
            while True:
                with nogil:
                    while self.row < self.row_count:
                        status = self.check_file(self.row)
                        if status != OK:
                            break
                        self.row += 1
                if status != NEED_MORE:
                    break
                plan = plan_for(self.lacking_plan)
                self.kept_plans.append(plan)
                self.plans[self.lacking_plan] = <PyObject*>plan
        finally:
            self.busy = False
        if status == NO_MEMORY:
            raise MemoryError("no memory for a batch of files")
        return self.row

    def put(self, size, mtime, sop_class, instance, int64_t unknown, list found not None):
        """Put what was found in the next file.

        Parameters
        ----------
        size, mtime : int or None
            The file's size in bytes and its time of change in ns.
        sop_class, instance : str or None
            The UIDs of its SOP class and SOP instance.
        unknown : int
            How many conditions could not be decided.
        found : list of (int, int)
            The number of each finding and its count. The numbers are the caller's, below 0.
        """
        cdef Seen seen
        cdef uint32_t count = <uint32_t>len(found)
        cdef Py_ssize_t row = self.row
        self.check_idle()
        if row >= self.row_count:
            raise ValueError("put() needs a file that was not checked yet")
        for number, times in found:
            seen.shape, seen.count = number, times
            if seen.shape >= 0:
                raise ValueError(f"{number} is a number of the checker's own findings")
            if add_bytes(&self.seen, &seen, sizeof(Seen)) != OK:
                raise MemoryError("no memory for a batch of files")
        put_value(&self.size, row, size)
        put_value(&self.mtime, row, None if mtime is None else mtime // 1000)
        put_value(&self.sop_class, row, sop_class)
        put_value(&self.instance, row, instance)
        if (add_bytes(&self.counts, &count, sizeof(count)) != OK
                or add_bytes(&self.unknown, &unknown, sizeof(unknown)) != OK):
            raise MemoryError("no memory for a batch of files")
        self.row += 1

    def finish(self) -> tuple:
        """Hand over what was found.

        Returns (columns, counts, unknown, seen, shapes). `columns` are the buffers of size, mtime, SOP class and SOP
        instance, as Extractor.finish() gives them. `counts` are a uint32 and `unknown` an int64 for each file, `seen`
        the pairs (int32 number, uint32 count) of the findings of all files, one after the other. `shapes` are the
        findings by number, as `findings` of `_native.check.coherence` gives them, each with a count of 1.
        """
        self.check_idle()
        if self.row != self.row_count:
            raise ValueError(f"{self.row} of {self.row_count} files are checked")
        columns = [take_column(&self.size), take_column(&self.mtime), take_column(&self.sop_class),
                   take_column(&self.instance)]
        self.row = self.row_count = 0
        return columns, bytes_of(&self.counts), bytes_of(&self.unknown), bytes_of(&self.seen), self.listed()

    cdef list listed(self):
        cdef const Shape* shapes = <Shape*>self.shapes.data
        cdef const Step* steps
        cdef Py_ssize_t i
        cdef uint32_t k
        made = []
        for i in range(self.shapes.size // <Py_ssize_t>sizeof(Shape)):
            steps = &(<Step*>self.steps.data)[shapes[i].step] if shapes[i].depth else NULL
            path = tuple([(steps[k].tag, steps[k].number) for k in range(shapes[i].depth)])
            module = None if shapes[i].module == NO_MODULE else shapes[i].module
            made.append((shapes[i].code, module, shapes[i].tag, path, 1, shapes[i].detail, shapes[i].more))
        return made


cdef inline Status add_bytes(Buffer* b, const void* data, Py_ssize_t n) noexcept nogil:
    if reserve(b, n) != OK:
        return NO_MEMORY
    memcpy(b.data + b.size, data, n)
    b.size += n
    return OK


cdef bytes bytes_of(const Buffer* b):
    return PyBytes_FromStringAndSize(<const char*>b.data, b.size) if b.size else b""
