"""Rows of JPEG lossless whose components have the frame's size: differences to samples in their places.

Differences pile up in a buffer that stays in the cache until they are rows; then prediction makes samples of them, in
the output itself where it holds just those.
"""

from libc.stdint cimport uint8_t, uint16_t
from libc.stdlib cimport free, malloc
from libc.string cimport memmove, memset

from dicomcore._native.base.fault cimport CORRUPT, NO_MEMORY, OK, Status
from dicomcore._native.jpegll.entropy cimport Bits, Tables, begin_interval, read_differences, room_for
from dicomcore._native.jpegll.markers cimport RST0, RST7, Frame, Scan, next_marker
from dicomcore._native.jpegll.predict cimport SLANT, undo_first_row, undo_row, undo_slanted


cdef inline bint is_packed(const Output* out, int lag) noexcept nogil:
    # The scan's components are all that stands in dst, in turn.
    cdef int j
    for j in range(lag):
        if out.dst[j] != out.dst[0] + j * out.width:
            return False
    return out.stride == lag


cdef void put_samples(const Output* out, int j, Py_ssize_t first, const uint16_t* samples, Py_ssize_t count,
                      int lag) noexcept nogil:
    # `count` samples, each `lag` after the one before, to where component j's sample `first` and its next ones stand.
    cdef int shift = out.shift, stride = out.stride
    cdef uint8_t* narrow = out.dst[j] + first * stride
    cdef uint16_t* wide = <uint16_t*>out.dst[j] + first * stride
    cdef Py_ssize_t k
    if out.width == 1 and stride == 1 and lag == 1:
        for k in range(count):
            narrow[k] = <uint8_t>(samples[k] << shift)
    elif out.width == 1:
        for k in range(count):
            narrow[k * stride] = <uint8_t>(samples[k * lag] << shift)
    else:
        for k in range(count):
            wide[k * stride] = <uint16_t>(samples[k * lag] << shift)


cdef void put_row(Output* out, const uint16_t* row, Py_ssize_t y, Py_ssize_t columns, int lag) noexcept nogil:
    cdef Output all
    cdef int j
    if is_packed(out, lag):
        all = out[0]
        all.stride = 1
        put_samples(&all, 0, y * columns * lag, row, columns * lag, 1)
        return
    for j in range(lag):
        put_samples(out, j, y * columns, row + j, columns, lag)


cdef Status open_rows(Rows* rows, const Frame* frame, const Scan* scan, const Output* out,
                      Py_ssize_t interval) noexcept nogil:
    memset(rows, 0, sizeof(Rows))
    rows.out = out[0]
    rows.lag = scan.count
    rows.columns = frame.columns
    rows.count = frame.columns * scan.count
    rows.last = frame.rows
    rows.stop = min(interval, frame.rows)
    rows.predictor = scan.predictor
    rows.start = <uint16_t>(1 << (frame.precision - scan.point_transform - 1))
    rows.in_place = out.width == 2 and out.shift == 0 and is_packed(out, scan.count)
    rows.slanted = scan.predictor >= 6 and scan.count == 1 and frame.columns >= SLANT
    rows.heap = <uint16_t*>malloc((SLANT * rows.count + room_for(rows.stop * rows.count)) * sizeof(uint16_t))
    if rows.heap == NULL:
        return NO_MEMORY
    if not rows.in_place:
        rows.memory = <uint16_t*>malloc((SLANT + 1) * rows.count * sizeof(uint16_t))
        if rows.memory == NULL:
            return NO_MEMORY
    return OK


cdef void free_rows(Rows* rows) noexcept nogil:
    free(rows.memory)
    free(rows.heap)
    rows.memory = rows.heap = NULL


cdef Py_ssize_t take_rows(Rows* rows, const uint16_t* differences, Py_ssize_t held, bint last) noexcept nogil:
    # As many rows of the interval as `held` differences make; returns how many of these it took. Where rows are better
    # taken SLANT at once it waits for them, unless these differences are the `last`.
    cdef uint16_t* row[SLANT]
    cdef Py_ssize_t used = 0
    cdef int step, j
    while rows.y < rows.stop and held - used >= rows.count:
        step = SLANT if rows.slanted and rows.y > rows.top and rows.stop - rows.y >= SLANT else 1
        if held - used < step * rows.count:
            if not last:
                break
            step = 1
        for j in range(step):
            if rows.in_place:
                row[j] = <uint16_t*>rows.out.dst[0] + (rows.y + j) * rows.count
            else:
                row[j] = rows.memory + (rows.y + j) % (SLANT + 1) * rows.count
        if step == SLANT:
            undo_slanted(differences + used, row, rows.above, rows.count, rows.predictor)
        elif rows.y == rows.top:
            undo_first_row(differences + used, row[0], rows.count, rows.lag, rows.start)
        else:
            undo_row(differences + used, row[0], rows.above, rows.count, rows.lag, rows.predictor)
        if not rows.in_place:
            for j in range(step):
                put_row(&rows.out, row[j], rows.y + j, rows.columns, rows.lag)
        rows.above = row[step - 1]
        rows.y += step
        used += step * rows.count
    return used


cdef Status next_interval(Bits* bits) noexcept nogil:
    # Past the RSTn marker that is to follow; what is left of the interval is padding.
    cdef Py_ssize_t i = bits.i
    cdef int marker
    cdef Status status = next_marker(bits.src, bits.n, &i, &marker)
    if status == OK and not RST0 <= marker <= RST7:
        i -= 2
        status = CORRUPT
    begin_interval(bits, i)
    return status


cdef Status decode_rows(Bits* bits, const Tables* tables, Rows* rows, Py_ssize_t interval) noexcept nogil:
    # The rows of a scan that are still to come. After a fault the whole rows before it have been taken.
    cdef Py_ssize_t got = 0, used
    cdef Status status = OK
    while rows.y < rows.last and status == OK:
        if rows.y == rows.stop:
            status = next_interval(bits)
            if status != OK:
                break
            rows.top = rows.y
            rows.stop = min(rows.y + interval, rows.last)
            rows.held = rows.phase = 0
        status = read_differences(bits, tables, rows.heap + rows.held,
                                  (rows.stop - rows.y) * rows.count - rows.held, &rows.phase, &got)
        rows.held += got
        used = take_rows(rows, rows.heap, rows.held, status != OK)
        rows.held -= used
        memmove(rows.heap, rows.heap + used, rows.held * sizeof(uint16_t))
    return status
