"""Decodes rows of JPEG lossless whose components have the frame's size: differences to samples in the output.

Differences collect in a buffer that stays in the CPU cache until they make rows. Then prediction turns them into
samples, directly in the output if it contains nothing but these samples, unshifted and in words of 16 bits, or of 8
bits with predictor 1, for which sums modulo 256 suffice.
"""

from libc.stdint cimport uint8_t, uint16_t
from libc.stdlib cimport free, malloc
from libc.string cimport memmove, memset

from dicomcore._native.base.fault cimport CORRUPT, NO_MEMORY, OK, Status
from dicomcore._native.jpegll.entropy cimport Bits, Tables, begin_interval, read_differences, room_for
from dicomcore._native.jpegll.markers cimport RST0, RST7, Frame, Scan, next_marker
from dicomcore._native.jpegll.predict cimport SLANT, undo_bytes, undo_first_row, undo_row, undo_slanted


cdef inline bint is_packed(const Output* out, int lag) noexcept nogil:
    # Whether the output contains the scan's components only, interleaved in their order.
    cdef int j
    for j in range(lag):
        if out.dst[j] != out.dst[0] + j * out.width:
            return False
    return out.stride == lag


cdef void put_samples(const Output* out, int j, Py_ssize_t first, const uint16_t* samples, Py_ssize_t count,
                      int lag) noexcept nogil:
    # Write `count` samples, which are `lag` entries apart, to the output as component j's samples from `first` on.
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
    rows.bytes = (out.width == 1 and out.shift == 0 and is_packed(out, scan.count) and scan.predictor == 1
                  and scan.count in (1, 3))
    rows.slanted = scan.predictor >= 6 and scan.count == 1 and frame.columns >= SLANT
    rows.heap = <uint16_t*>malloc((SLANT * rows.count + room_for(rows.stop * rows.count)) * sizeof(uint16_t))
    if rows.heap == NULL:
        return NO_MEMORY
    if not rows.in_place and not rows.bytes:
        rows.memory = <uint16_t*>malloc((SLANT + 1) * rows.count * sizeof(uint16_t))
        if rows.memory == NULL:
            return NO_MEMORY
    return OK


cdef void free_rows(Rows* rows) noexcept nogil:
    free(rows.memory)
    free(rows.heap)
    rows.memory = rows.heap = NULL


cdef Py_ssize_t take_rows(Rows* rows, const uint16_t* differences, Py_ssize_t held, bint last) noexcept nogil:
    # Decode the rows of the interval for which `held` differences suffice; returns the number of differences used. If
    # `slanted`, it decodes SLANT rows together and waits for their differences, unless these are the `last` ones.
    cdef uint16_t* row[SLANT]
    cdef Py_ssize_t used = 0
    cdef int step, j
    while rows.bytes and rows.y < rows.stop and held - used >= rows.count:
        undo_bytes(differences + used, rows.out.dst[0] + rows.y * rows.count, rows.count, rows.lag,
                   rows.y == rows.top, rows.start)
        rows.y += 1
        used += rows.count
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
    # Skip the rest of the interval, which is padding, and the RSTn marker that must follow.
    cdef Py_ssize_t i = bits.i
    cdef int marker
    cdef Status status = next_marker(bits.src, bits.n, &i, &marker)
    if status == OK and not RST0 <= marker <= RST7:
        i -= 2
        status = CORRUPT
    begin_interval(bits, i)
    return status


cdef Status decode_rows(Bits* bits, const Tables* tables, Rows* rows, Py_ssize_t interval) noexcept nogil:
    # Decode the remaining rows of a scan. After a fault, the whole rows before it have been decoded.
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
