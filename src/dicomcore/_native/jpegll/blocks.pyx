"""Decodes scans of JPEG lossless whose components differ in size, or have several samples in a minimum coded unit (MCU,
T.81 A.2).

They are rare, so the code is plain: each difference is stored at the position of its sample, then prediction runs over
the rows of each restart interval.
"""

from libc.stdint cimport uint16_t
from libc.stdlib cimport calloc
from libc.string cimport memset

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status
from dicomcore._native.jpegll.entropy cimport Bits, Tables, read_one
from dicomcore._native.jpegll.markers cimport Component, Frame, Scan
from dicomcore._native.jpegll.predict cimport undo_first_row, undo_row
from dicomcore._native.jpegll.rows cimport Output, next_interval, put_samples


cdef Status lay_blocks(Blocks* blocks, const Frame* frame, const Scan* scan) noexcept nogil:
    cdef const Component* part
    cdef Py_ssize_t size = 0
    cdef Py_ssize_t sizes[4]
    cdef int j
    part = &frame.components[scan.component[0]]
    if scan.count == 1:                         # the MCU of a single component is one sample (A.2.2)
        blocks.across = part.columns
        blocks.down = part.rows
    else:
        blocks.across = (frame.columns + frame.hmax - 1) // frame.hmax
        blocks.down = (frame.rows + frame.vmax - 1) // frame.vmax
    for j in range(scan.count):
        part = &frame.components[scan.component[j]]
        blocks.h[j] = part.h if scan.count > 1 else 1
        blocks.v[j] = part.v if scan.count > 1 else 1
        sizes[j] = blocks.across * blocks.h[j] * blocks.down * blocks.v[j]
        size += sizes[j]
    blocks.memory = <uint16_t*>calloc(size, sizeof(uint16_t))
    if blocks.memory == NULL:
        return NO_MEMORY
    blocks.plane[0] = blocks.memory
    for j in range(1, scan.count):
        blocks.plane[j] = blocks.plane[j - 1] + sizes[j - 1]
    return OK


cdef Status read_block_row(Bits* bits, const Tables* tables, const Blocks* blocks, int count,
                           Py_ssize_t y) noexcept nogil:
    # Read the differences of one row of MCUs, each to the position of its sample.
    cdef Py_ssize_t x, pitch
    cdef uint16_t* row
    cdef int j, h, v
    cdef Status status
    for x in range(blocks.across):
        for j in range(count):
            pitch = blocks.across * blocks.h[j]
            row = blocks.plane[j] + y * blocks.v[j] * pitch + x * blocks.h[j]
            for v in range(blocks.v[j]):
                for h in range(blocks.h[j]):
                    status = read_one(bits, tables.turn[j], row + v * pitch + h)
                    if status != OK:
                        return status
    return OK


cdef void undo_block_rows(const Blocks* blocks, int j, Py_ssize_t first, Py_ssize_t stop, int predictor,
                          uint16_t start) noexcept nogil:
    # Turn the differences of component j into samples, in the MCU rows of one restart interval.
    cdef Py_ssize_t pitch = blocks.across * blocks.h[j], y
    cdef uint16_t* row
    for y in range(first * blocks.v[j], stop * blocks.v[j]):
        row = blocks.plane[j] + y * pitch
        if y == first * blocks.v[j]:
            undo_first_row(row, row, pitch, 1, start)
        else:
            undo_row(row, row, row - pitch, pitch, 1, predictor)


cdef Status decode_blocks(Bits* bits, const Tables* tables, const Frame* frame, const Scan* scan, Blocks* blocks,
                          Py_ssize_t interval) noexcept nogil:
    cdef uint16_t start = <uint16_t>(1 << (frame.precision - scan.point_transform - 1))
    cdef Py_ssize_t first = 0, y = 0, stop
    cdef Status status = OK
    cdef int j
    while y < blocks.down and status == OK:
        if y:
            status = next_interval(bits)
        first = y
        stop = min(y + interval, blocks.down)
        while y < stop and status == OK:
            status = read_block_row(bits, tables, blocks, scan.count, y)
            if status == OK:
                y += 1
        for j in range(scan.count):
            undo_block_rows(blocks, j, first, y, scan.predictor, start)
            memset(blocks.plane[j] + y * blocks.v[j] * blocks.across * blocks.h[j], 0,
                   (stop - y) * blocks.v[j] * blocks.across * blocks.h[j] * sizeof(uint16_t))
    return status


cdef void put_blocks(const Blocks* blocks, const Frame* frame, const Scan* scan, Output* out,
                     bint apart) noexcept nogil:
    # Write each component to the output at its own size, or enlarged to the frame's size by repeating samples.
    cdef const Component* part
    cdef Py_ssize_t y, x, pitch
    cdef uint16_t* row
    cdef uint16_t sample
    cdef int j
    for j in range(scan.count):
        part = &frame.components[scan.component[j]]
        pitch = blocks.across * blocks.h[j]
        if apart:
            for y in range(part.rows):
                put_samples(out, j, y * part.columns, blocks.plane[j] + y * pitch, part.columns, 1)
            continue
        for y in range(frame.rows):
            row = blocks.plane[j] + y * part.v // frame.vmax * pitch
            for x in range(frame.columns):
                sample = row[x * part.h // frame.hmax]
                put_samples(out, j, y * frame.columns + x, &sample, 1, 1)
