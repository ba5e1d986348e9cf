"""Finds what looks like lines of text in one picture: strokes, glyphs of connected strokes, glyphs on one baseline.

A picture is two planes of bytes. Text brighter than its surroundings is sought in the first, darker text in the second;
for a grey frame both are the same. Each is searched at full size and at halves of it, so that strokes of any width are
narrow at one of them.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status, raise_fault

cdef extern from "deid/textlike.h" nogil:
    int DC_REACH
    void dc_top_hat(const uint8_t* row, uint8_t* hat, uint8_t* spare, Py_ssize_t n) noexcept
    Py_ssize_t dc_edges(const uint8_t* hat, Py_ssize_t n, int least, int* edges) noexcept
    void dc_halve(const uint8_t* upper, const uint8_t* lower, uint8_t* dst, Py_ssize_t n) noexcept

cdef enum:
    SCALES = 3              # each half of the one before
    LEVELS = 3              # contrasts at which strokes are cut out
    LOWEST = 5              # least height of a glyph, in pixels
    LOWEST_HALVED = 10      # the same at the other scales
    LARGE = 30              # height from which glyphs of a line do not touch
    HIGHEST = 48            # greatest height of a glyph
    CELL = 16               # pixels of a cell of the grid in which neighbours are looked up
    SMALLEST = 24           # a scale of fewer rows or columns is not searched
    FIELDS = 4              # numbers of a box: left, top, width, height
    ROUNDS = 4              # times that lines grow by what is beside them

cdef int CONTRASTS[LEVELS]
CONTRASTS[:] = [24, 56, 112]
cdef int MEANS[LEVELS]          # least mean contrast of a line that was cut out at this level, which texture lacks
MEANS[:] = [54, 80, 116]

cdef double MOST_DOUBT = 1.1

cdef struct Run:
    int start, stop, blob

cdef struct Blob:
    int left, top, right, bottom    # right and bottom are behind the last pixel
    int area, runs
    uint64_t peaks, squares         # the sum of the contrasts in the middle of the runs, and of their squares
    int parent                      # itself for a root
    int next                        # the next glyph of a cell, -1 for none
    int glyphs
    int heights                     # the sum of the glyphs'
    int64_t heights_squared
    int band_top, band_bottom       # of a line before it grew

cdef struct Work:
    const uint8_t* plane
    Py_ssize_t rows, columns
    uint8_t* hat                    # rows * columns
    uint8_t* spare                  # one row and what is beside it
    int* edges                      # of the runs of a row
    Run* runs                       # two rows
    Blob* blobs
    Py_ssize_t count, room
    int* cells
    int scale

cdef struct Boxes:
    int32_t* numbers                # FIELDS a box
    Py_ssize_t count, room


# -- glyphs

cdef inline int root_of(Blob* blobs, int at) noexcept nogil:
    while blobs[at].parent != at:
        blobs[at].parent = blobs[blobs[at].parent].parent
        at = blobs[at].parent
    return at


cdef inline void absorb(Blob* into, const Blob* other) noexcept nogil:
    into.left = min(into.left, other.left)
    into.top = min(into.top, other.top)
    into.right = max(into.right, other.right)
    into.bottom = max(into.bottom, other.bottom)
    into.area += other.area
    into.runs += other.runs
    into.peaks += other.peaks
    into.squares += other.squares
    into.glyphs += other.glyphs
    into.heights += other.heights
    into.heights_squared += other.heights_squared


cdef inline int join(Blob* blobs, int one, int other) noexcept nogil:
    # The root of two blobs that belong together.
    one, other = root_of(blobs, one), root_of(blobs, other)
    if one == other:
        return one
    if one > other:
        one, other = other, one
    absorb(&blobs[one], &blobs[other])
    blobs[other].parent = one
    return one


cdef inline int new_blob(Work* w) noexcept nogil:
    # The number of a new blob; -1 without memory. A picture of n pixels has n / 4 of them at most.
    cdef Blob* grown
    if w.count == w.room:
        grown = <Blob*>realloc(w.blobs, 2 * w.room * sizeof(Blob))
        if grown == NULL:
            return -1
        w.blobs, w.room = grown, 2 * w.room
    w.count += 1
    return <int>w.count - 1


cdef Status find_blobs(Work* w, int least) noexcept nogil:
    # The connected strokes of at least this contrast.
    cdef Run* above = w.runs
    cdef Run* here = w.runs + w.columns // 2 + 1
    cdef Run* run
    cdef const uint8_t* row
    cdef Py_ssize_t y, i, j, above_count = 0, count
    cdef int blob, peak
    w.count = 0
    for y in range(w.rows):
        row = w.hat + y * w.columns
        count = dc_edges(row, w.columns, least, w.edges) // 2
        j = 0
        for i in range(count):
            run = &here[i]
            run.start, run.stop = w.edges[2 * i], w.edges[2 * i + 1]
            blob = -1
            while j < above_count and above[j].stop < run.start:
                j += 1
            while j < above_count and above[j].start <= run.stop:
                blob = join(w.blobs, blob, above[j].blob) if blob >= 0 else root_of(w.blobs, above[j].blob)
                if above[j].stop > run.stop:
                    break                   # it may touch the next run too
                j += 1
            if blob < 0:
                blob = new_blob(w)
                if blob < 0:
                    return NO_MEMORY
                memset(&w.blobs[blob], 0, sizeof(Blob))
                w.blobs[blob].parent, w.blobs[blob].left, w.blobs[blob].top = blob, run.start, <int>y
                w.blobs[blob].glyphs = 1
            run.blob = blob
            peak = row[(run.start + run.stop) // 2]
            w.blobs[blob].left = min(w.blobs[blob].left, run.start)
            w.blobs[blob].right = max(w.blobs[blob].right, run.stop)
            w.blobs[blob].bottom = <int>y + 1
            w.blobs[blob].area += run.stop - run.start
            w.blobs[blob].runs += 1
            w.blobs[blob].peaks += peak
            w.blobs[blob].squares += peak * peak
        above, here, above_count = here, above, count
    return OK


cdef inline bint is_glyph(const Blob* b, int lowest, int mean) noexcept nogil:
    cdef int height = b.bottom - b.top, width = b.right - b.left
    if not lowest <= height <= HIGHEST or width > 40 * height or b.area < height:
        return False
    return 4 * b.peaks >= <uint64_t>(3 * mean) * b.runs


cdef void keep_glyphs(Work* w, int level) noexcept nogil:
    # Only the blobs that may be glyphs stay, or several that touch.
    cdef Py_ssize_t i, kept = 0
    cdef int lowest = LOWEST_HALVED if w.scale else LOWEST
    for i in range(w.count):
        if w.blobs[i].parent == i and is_glyph(&w.blobs[i], lowest, MEANS[level]):
            w.blobs[kept] = w.blobs[i]
            w.blobs[kept].glyphs = 1
            w.blobs[kept].heights = w.blobs[kept].bottom - w.blobs[kept].top
            w.blobs[kept].heights_squared = w.blobs[kept].heights * w.blobs[kept].heights
            kept += 1
    w.count = kept
    for i in range(kept):
        w.blobs[i].parent = <int>i


# -- lines

cdef inline int apart(int one, int other) noexcept nogil:
    return one - other if one > other else other - one


cdef inline bint are_beside(const Blob* b, const Blob* c) noexcept nogil:
    # Whether `c`, to the right of `b`, may be the next glyph of its line: alike in height and contrast, and aligned.
    cdef int high = b.bottom - b.top, other = c.bottom - c.top, most = max(high, other), least = min(high, other)
    cdef int gap = c.left - b.right, slack = max(most // 6, 1)
    if 5 * most > 12 * least + 5 or 2 * gap < -most:
        return False
    if gap > most + 2 and (             # such as digits with a hyphen between them
            gap > 2 * most + 2 or apart(b.bottom, c.bottom) > 1 or apart(b.top, c.top) > 1):
        return False
    if 2 * (min(b.bottom, c.bottom) - max(b.top, c.top)) < least:
        return False
    if 5 * b.peaks * c.runs > 9 * c.peaks * b.runs or 5 * c.peaks * b.runs > 9 * b.peaks * c.runs:
        return False
    return apart(b.bottom, c.bottom) <= slack or apart(b.top, c.top) <= slack


cdef void join_lines(Work* w, const Blob* glyphs) noexcept nogil:
    # Join each glyph with those beside it; `glyphs` are the blobs before any was joined.
    cdef Py_ssize_t across = w.columns // CELL + 1, down = w.rows // CELL + 1, i
    cdef int x, y, first, last, top, bottom, at, high
    for i in range(across * down):
        w.cells[i] = -1
    for i in range(w.count):
        at = <int>((glyphs[i].top + glyphs[i].bottom) // 2 // CELL * across + glyphs[i].left // CELL)
        w.blobs[i].next = w.cells[at]
        w.cells[at] = <int>i
    for i in range(w.count):
        high = glyphs[i].bottom - glyphs[i].top
        first = max(glyphs[i].right - high, 0) // CELL
        last = min((glyphs[i].right + 5 * high // 2 + 4) // CELL, <int>across - 1)
        top = max(glyphs[i].top - high // 2, 0) // CELL
        bottom = min((glyphs[i].bottom + high // 2) // CELL, <int>down - 1)
        for y in range(top, bottom + 1):
            for x in range(first, last + 1):
                at = w.cells[y * across + x]
                while at >= 0:
                    if at != i and glyphs[at].left >= glyphs[i].left and are_beside(&glyphs[i], &glyphs[at]):
                        join(w.blobs, <int>i, at)
                    at = w.blobs[at].next


cdef inline bint is_text(const Blob* b, int level, int scale) noexcept nogil:
    # Whether a line has as many strokes as text of its size, of an even contrast, in glyphs of one height.
    cdef int64_t high = b.bottom - b.top, wide = b.right - b.left, glyphs = b.glyphs
    if 10 * wide < 16 * high or 10 * b.runs < 25 * high:
        return False
    if 10 * b.runs > 26 * wide or 100 * b.runs < 55 * wide:
        return False
    if 10 * high * glyphs > 18 * b.heights or b.peaks < <uint64_t>MEANS[level] * b.runs:
        return False
    if scale or high >= LARGE:
        return glyphs >= 3 and 50 * wide <= 100 * glyphs * high <= 330 * wide
    if glyphs >= 3:
        return 35 * wide <= 100 * glyphs * high <= 330 * wide
    return b.runs >= 4 * high


cdef inline double spread(double squares, double total, double count) noexcept nogil:
    # The variance of numbers by the square of their mean.
    return squares * count / (total * total) - 1


cdef double margin_of(const Work* w, const Blob* b, int least) noexcept nogil:
    # How much of the rows above and below a line has strokes too: text has none there but what hangs from it.
    cdef Py_ssize_t[4] places = [b.top - 3, b.top - 2, b.bottom + 1, b.bottom + 2]
    cdef Py_ssize_t marked = 0, seen = 0, k, x
    cdef const uint8_t* row
    for k in range(4):
        if not 0 <= places[k] < w.rows:
            continue
        row = w.hat + places[k] * w.columns
        for x in range(b.left, b.right):
            marked += row[x] >= least
        seen += b.right - b.left
    return <double>marked / seen if seen else 0


cdef bint is_written(const Work* w, const Blob* b, int least) noexcept nogil:
    # Whether a line is as even as writing: of one colour, in glyphs of one height, with nothing above and below. The
    # weights divide text over images from what was taken for it in CT, MR and ultrasound without text; the fewer the
    # glyphs are, the less each of them may deviate.
    cdef double doubt = margin_of(w, b, least) / 0.25
    doubt += spread(b.squares, b.peaks, b.runs) / 0.3
    doubt += spread(b.heights_squared, b.heights, b.glyphs) / 0.25
    return doubt * (1.0 if b.glyphs <= 3 else 0.8 if b.glyphs <= 5 else 0.6) <= MOST_DOUBT


cdef inline bint continues(const Blob* line, const Blob* b) noexcept nogil:
    # Whether `b`, too short for a line of its own, may be a word of `line`.
    cdef int high = line.band_bottom - line.band_top, other = b.bottom - b.top, slack = high // 3 + 1
    cdef int gap = max(b.left - line.right, line.left - b.right)
    if 2 * gap > 5 * high + 4 or 10 * other < 3 * high:
        return False
    return b.top >= line.band_top - slack and b.bottom <= line.band_bottom + slack


cdef void grow_lines(Work* w, uint8_t* kinds) noexcept nogil:
    # Join what continues a line to it; `kinds` is 1 for the line of a root, 2 for another root. The others are looked
    # up by the rows in which their middle is.
    cdef Py_ssize_t down = w.rows // CELL + 1, i, row
    cdef int _turn, at
    cdef bint grew = True
    for i in range(down):
        w.cells[i] = -1
    for i in range(w.count):
        if kinds[i] == 2:
            row = (w.blobs[i].top + w.blobs[i].bottom) // 2 // CELL
            w.blobs[i].next = w.cells[row]
            w.cells[row] = <int>i
    for _turn in range(ROUNDS):
        if not grew:
            return
        grew = False
        for i in range(w.count):
            if kinds[i] != 1:
                continue
            for row in range(w.blobs[i].band_top // CELL, w.blobs[i].band_bottom // CELL + 1):
                at = w.cells[row]
                while at >= 0:
                    if kinds[at] == 2 and continues(&w.blobs[i], &w.blobs[at]):
                        absorb(&w.blobs[i], &w.blobs[at])
                        kinds[at] = 0
                        grew = True
                    at = w.blobs[at].next


cdef Status add_box(Boxes* boxes, const Blob* b, const Work* w, Py_ssize_t rows, Py_ssize_t columns) noexcept nogil:
    # Put a line among the boxes, with room around it for dots, accents and what hangs below the baseline.
    cdef int32_t* grown
    cdef int32_t* box
    cdef int high = b.bottom - b.top, beside = 3 * high // 8 + 2, above = high // 4 + 2
    if boxes.count == boxes.room:
        grown = <int32_t*>realloc(boxes.numbers, 2 * boxes.room * FIELDS * sizeof(int32_t))
        if grown == NULL:
            return NO_MEMORY
        boxes.numbers, boxes.room = grown, 2 * boxes.room
    box = boxes.numbers + boxes.count * FIELDS
    box[0], box[1] = max(b.left - beside, 0) << w.scale, max(b.top - above, 0) << w.scale
    box[2] = <int>min(<Py_ssize_t>(b.right + beside) << w.scale, columns) - box[0]
    box[3] = <int>min(<Py_ssize_t>(b.bottom + above) << w.scale, rows) - box[1]
    boxes.count += 1
    return OK


cdef Status find_text(Work* w, int level, Py_ssize_t rows, Py_ssize_t columns, Boxes* boxes) noexcept nogil:
    # The lines of text among the glyphs of one contrast.
    cdef Py_ssize_t i, lines = 0
    cdef Status status = OK
    cdef uint8_t* kinds = <uint8_t*>calloc(w.count, 1)
    cdef Blob* glyphs = <Blob*>malloc(w.count * sizeof(Blob))
    if kinds == NULL or glyphs == NULL:
        free(kinds)
        free(glyphs)
        return NO_MEMORY
    memcpy(glyphs, w.blobs, w.count * sizeof(Blob))
    join_lines(w, glyphs)
    for i in range(w.count):
        if w.blobs[i].parent == i:
            w.blobs[i].band_top, w.blobs[i].band_bottom = w.blobs[i].top, w.blobs[i].bottom
            kinds[i] = 2
            if is_text(&w.blobs[i], level, w.scale) and is_written(w, &w.blobs[i], CONTRASTS[level]):
                kinds[i] = 1
            lines += kinds[i] == 1
    if lines:
        grow_lines(w, kinds)
    for i in range(w.count):
        if kinds[i] == 1 and status == OK:
            status = add_box(boxes, &w.blobs[i], w, rows, columns)
    free(kinds)
    free(glyphs)
    return status


cdef Status search(Work* w, Py_ssize_t rows, Py_ssize_t columns, Boxes* boxes) noexcept nogil:
    # Search one plane at one scale; the picture has these rows and columns.
    cdef Py_ssize_t y
    cdef int level
    cdef Status status
    for y in range(w.rows):
        dc_top_hat(w.plane + y * w.columns, w.hat + y * w.columns, w.spare, w.columns)
    for level in range(LEVELS):
        status = find_blobs(w, CONTRASTS[level])
        if status != OK:
            return status
        keep_glyphs(w, level)
        if w.count:
            status = find_text(w, level, rows, columns, boxes)
            if status != OK:
                return status
    return OK


cdef inline bint are_one(const int32_t* a, const int32_t* b) noexcept nogil:
    # Whether two boxes share most of the smaller one, and are the same line or one within the other.
    cdef int64_t wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    cdef int64_t high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    cdef int64_t least = min(<int64_t>a[2] * a[3], <int64_t>b[2] * b[3])
    if wide <= 0 or high <= 0 or 10 * wide * high < 6 * least:
        return False
    return 10 * wide * high >= 9 * least or 5 * (a[3] + b[3] - high) <= 7 * max(a[3], b[3])


cdef void merge_boxes(Boxes* boxes) noexcept nogil:
    # Lines that were found at several contrasts become one box each.
    cdef Py_ssize_t i = 0, j
    cdef int32_t* a
    cdef int32_t* b
    cdef int right, bottom
    while i < boxes.count:
        a = boxes.numbers + i * FIELDS
        j = i + 1
        while j < boxes.count:
            b = boxes.numbers + j * FIELDS
            if not are_one(a, b):
                j += 1
                continue
            right, bottom = max(a[0] + a[2], b[0] + b[2]), max(a[1] + a[3], b[1] + b[3])
            a[0], a[1] = min(a[0], b[0]), min(a[1], b[1])
            a[2], a[3] = right - a[0], bottom - a[1]
            boxes.count -= 1
            memcpy(b, boxes.numbers + boxes.count * FIELDS, FIELDS * sizeof(int32_t))
            j = i + 1                       # the box grew: those before may be one with it now
        i += 1


cdef Status search_scales(const uint8_t* plane, Py_ssize_t rows, Py_ssize_t columns, bint dark,
                          uint8_t* pixels, Work* w, Boxes* boxes) noexcept nogil:
    # `pixels` has room for the plane, which is copied there, and halved in place for each further scale.
    cdef Py_ssize_t i
    cdef int scale
    cdef Status status
    for i in range(rows * columns):
        pixels[i] = 255 - plane[i] if dark else plane[i]
    w.plane, w.rows, w.columns = pixels, rows, columns
    for scale in range(SCALES):
        w.scale = scale
        status = search(w, rows, columns, boxes)
        if status != OK:
            return status
        if w.rows < 2 * SMALLEST or w.columns < 2 * SMALLEST:
            break
        for i in range(w.rows // 2):
            dc_halve(pixels + 2 * i * w.columns, pixels + (2 * i + 1) * w.columns, w.hat, w.columns // 2)
            memcpy(pixels + i * (w.columns // 2), w.hat, w.columns // 2)
        w.rows, w.columns = w.rows // 2, w.columns // 2
    return OK


cdef Status search_planes(const uint8_t* bright, const uint8_t* dark, Py_ssize_t rows, Py_ssize_t columns,
                          Boxes* boxes) noexcept nogil:
    cdef Work w
    cdef Status status = NO_MEMORY
    cdef uint8_t* pixels = <uint8_t*>malloc(rows * columns)
    memset(&w, 0, sizeof(Work))
    w.room = 1024
    w.hat = <uint8_t*>malloc(rows * columns)
    w.spare = <uint8_t*>malloc(columns + 2 * DC_REACH)
    w.edges = <int*>malloc((columns + 2) * sizeof(int))
    w.runs = <Run*>malloc(2 * (columns // 2 + 1) * sizeof(Run))
    w.blobs = <Blob*>malloc(w.room * sizeof(Blob))
    w.cells = <int*>malloc((columns // CELL + 1) * (rows // CELL + 1) * sizeof(int))
    if (pixels != NULL and w.hat != NULL and w.spare != NULL and w.edges != NULL and w.runs != NULL
            and w.blobs != NULL and w.cells != NULL):
        status = search_scales(bright, rows, columns, False, pixels, &w, boxes)
        if status == OK:
            status = search_scales(dark, rows, columns, True, pixels, &w, boxes)
    free(pixels)
    free(w.hat)
    free(w.spare)
    free(w.edges)
    free(w.runs)
    free(w.blobs)
    free(w.cells)
    return status


def find_text_boxes(const uint8_t[::1] bright not None, const uint8_t[::1] dark not None, Py_ssize_t rows,
                    Py_ssize_t columns) -> bytes:
    """The boxes of what looks like text: left, top, width and height of each, as 32-bit numbers in native order.

    Text brighter than its surroundings is sought in `bright`, darker text in `dark`; each is rows * columns bytes.
    """
    cdef Boxes boxes
    cdef Status status = NO_MEMORY
    if not 0 < rows < 65536 or not 0 < columns < 65536:
        raise ValueError(f"a picture of {rows} x {columns} pixels")
    if bright.shape[0] != rows * columns or dark.shape[0] != rows * columns:
        raise ValueError(f"planes of {bright.shape[0]} and {dark.shape[0]} bytes are not {rows} x {columns} pixels")
    boxes.count, boxes.room = 0, 64
    boxes.numbers = <int32_t*>malloc(boxes.room * FIELDS * sizeof(int32_t))
    try:
        if boxes.numbers != NULL:
            with nogil:
                status = search_planes(&bright[0], &dark[0], rows, columns, &boxes)
                merge_boxes(&boxes)
        if status != OK:
            raise_fault(status, "text", 0)
        return (<const uint8_t*>boxes.numbers)[:boxes.count * FIELDS * sizeof(int32_t)]
    finally:
        free(boxes.numbers)
