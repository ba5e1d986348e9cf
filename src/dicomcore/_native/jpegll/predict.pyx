"""Prediction of JPEG lossless (T.81 H.1.2.1), for decoding and encoding.

A row holds `count` samples of `lag` interleaved components, so that a sample's left neighbour is `lag` entries before
it. All arithmetic is modulo 65536 (H.1.2.1). The standard's Ra, Rb and Rc are the samples to the left, above, and above
left. If the predictor is linear with a whole weight for Ra, decoding a row is a running sum.
"""

from libc.stdint cimport int32_t, uint16_t, uint32_t

cdef extern from "jpegll/running_sum.h" nogil:
    void running_sum(uint16_t* dst, const uint16_t* src, Py_ssize_t count, uint16_t start)
    void running_sum3(uint16_t* dst, const uint16_t* src, Py_ssize_t count, const uint16_t* start)


cdef inline uint16_t half_step(uint16_t a, uint16_t b) noexcept nogil:
    # (a - b) >> 1 with the sign kept, in 16 bits only, so that compilers can vectorise the loops
    return <uint16_t>((a >> 1) - (b >> 1) - (~a & b & 1))


cdef void sum_up(const uint16_t* src, uint16_t* dst, Py_ssize_t count, int lag, const uint16_t* start) noexcept nogil:
    cdef Py_ssize_t k
    if lag == 1:
        running_sum(dst, src, count, start[0])
    elif lag == 3:
        running_sum3(dst, src, count, start)
    else:
        for k in range(min(lag, count)):        # undo_row() passes a count of 0 for a row of one pixel
            dst[k] = <uint16_t>(start[k] + src[k])
        for k in range(lag, count):
            dst[k] = <uint16_t>(dst[k - lag] + src[k])


cdef void undo_first_row(const uint16_t* differences, uint16_t* row, Py_ssize_t count, int lag,
                         uint16_t start) noexcept nogil:
    # Decode the first row of a scan or restart interval: it is predicted from the left, its first sample from `start`
    # (H.1.2.1).
    cdef uint16_t starts[4]
    cdef int j
    for j in range(4):
        starts[j] = start
    sum_up(differences, row, count, lag, starts)


cdef void undo_row(const uint16_t* differences, uint16_t* row, const uint16_t* above, Py_ssize_t count, int lag,
                   int predictor) noexcept nogil:
    # Decode any further row; its first sample is predicted from above.
    cdef const uint16_t* d = differences
    cdef uint16_t zeros[4]
    cdef Py_ssize_t k
    cdef int j
    if predictor == 1:
        sum_up(d, row, count, lag, above)
        return
    if predictor == 4:                          # Ra + Rb - Rc: the distance to the row above is a running sum
        for j in range(4):
            zeros[j] = 0
        sum_up(d, row, count, lag, zeros)
        for k in range(count):
            row[k] = <uint16_t>(row[k] + above[k])
        return
    for j in range(lag):
        row[j] = <uint16_t>(d[j] + above[j])
    if predictor == 2:
        for k in range(lag, count):
            row[k] = <uint16_t>(d[k] + above[k])
    elif predictor == 3:
        for k in range(lag, count):
            row[k] = <uint16_t>(d[k] + above[k - lag])
    elif predictor == 5:                        # Ra + ((Rb - Rc) >> 1)
        for k in range(lag, count):
            row[k] = <uint16_t>(d[k] + half_step(above[k], above[k - lag]))
        sum_up(row + lag, row + lag, count - lag, lag, row)
    else:
        undo_span(d, row, above, lag, count, lag, predictor)


cdef inline void undo_span(const uint16_t* d, uint16_t* row, const uint16_t* above, Py_ssize_t first, Py_ssize_t stop,
                           int lag, int predictor) noexcept nogil:
    # Decode samples [first, stop) of a row whose predictor halves Ra, which a running sum can't express.
    cdef Py_ssize_t k
    if predictor == 6:                          # Rb + ((Ra - Rc) >> 1)
        for k in range(first, stop):
            row[k] = <uint16_t>(d[k] + above[k] + ((<int32_t>row[k - lag] - above[k - lag]) >> 1))
    else:                                       # (Ra + Rb) >> 1
        for k in range(first, stop):
            row[k] = <uint16_t>(d[k] + ((<uint32_t>row[k - lag] + above[k]) >> 1))


cdef void undo_slanted(const uint16_t* differences, uint16_t** rows, const uint16_t* above, Py_ssize_t count,
                       int predictor) noexcept nogil:
    # Decode SLANT rows of one component with predictor 6 or 7, each row one sample behind the row above it. A sample
    # depends on its left neighbour, but the samples of a step don't depend on each other. `count` is at least SLANT.
    cdef const uint16_t* d0 = differences
    cdef const uint16_t* d1 = d0 + count
    cdef const uint16_t* d2 = d1 + count
    cdef const uint16_t* d3 = d2 + count
    cdef uint16_t* r0 = rows[0]
    cdef uint16_t* r1 = rows[1]
    cdef uint16_t* r2 = rows[2]
    cdef uint16_t* r3 = rows[3]
    cdef uint16_t x0, x1, x2, x3, c0, c1, c2, c3, u1, u2, u3
    cdef Py_ssize_t k
    cdef int j
    r0[0] = <uint16_t>(d0[0] + above[0])
    undo_span(d0, r0, above, 1, SLANT, 1, predictor)
    for j in range(1, SLANT):
        rows[j][0] = <uint16_t>(differences[j * count] + rows[j - 1][0])
        undo_span(differences + j * count, rows[j], rows[j - 1], 1, SLANT - j, 1, predictor)
    x0 = r0[3]
    x1 = r1[2]
    x2 = r2[1]
    x3 = r3[0]
    if predictor == 6:
        c0 = above[3]
        c1 = r0[2]
        c2 = r1[1]
        c3 = r2[0]
        for k in range(SLANT, count):
            u1 = x0
            u2 = x1
            u3 = x2
            x0 = <uint16_t>(d0[k] + above[k] + ((<int32_t>x0 - c0) >> 1))
            x1 = <uint16_t>(d1[k - 1] + u1 + ((<int32_t>x1 - c1) >> 1))
            x2 = <uint16_t>(d2[k - 2] + u2 + ((<int32_t>x2 - c2) >> 1))
            x3 = <uint16_t>(d3[k - 3] + u3 + ((<int32_t>x3 - c3) >> 1))
            c0 = above[k]
            c1 = u1
            c2 = u2
            c3 = u3
            r0[k] = x0
            r1[k - 1] = x1
            r2[k - 2] = x2
            r3[k - 3] = x3
    else:
        for k in range(SLANT, count):
            u1 = x0
            u2 = x1
            u3 = x2
            x0 = <uint16_t>(d0[k] + ((<uint32_t>x0 + above[k]) >> 1))
            x1 = <uint16_t>(d1[k - 1] + ((<uint32_t>x1 + u1) >> 1))
            x2 = <uint16_t>(d2[k - 2] + ((<uint32_t>x2 + u2) >> 1))
            x3 = <uint16_t>(d3[k - 3] + ((<uint32_t>x3 + u3) >> 1))
            r0[k] = x0
            r1[k - 1] = x1
            r2[k - 2] = x2
            r3[k - 3] = x3
    for j in range(1, SLANT):
        undo_span(differences + j * count, rows[j], rows[j - 1], count - j, count, 1, predictor)


cdef void differ_first_row(const uint16_t* row, uint16_t* differences, Py_ssize_t count, int lag,
                           uint16_t start) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(lag):
        differences[k] = <uint16_t>(row[k] - start)
    for k in range(lag, count):
        differences[k] = <uint16_t>(row[k] - row[k - lag])


cdef void differ_row(const uint16_t* row, const uint16_t* above, uint16_t* differences, Py_ssize_t count, int lag,
                     int predictor) noexcept nogil:
    cdef uint16_t* d = differences
    cdef Py_ssize_t k
    for k in range(lag):
        d[k] = <uint16_t>(row[k] - above[k])
    if predictor == 1:
        for k in range(lag, count):
            d[k] = <uint16_t>(row[k] - row[k - lag])
    elif predictor == 2:
        for k in range(lag, count):
            d[k] = <uint16_t>(row[k] - above[k])
    elif predictor == 3:
        for k in range(lag, count):
            d[k] = <uint16_t>(row[k] - above[k - lag])
    elif predictor == 4:
        for k in range(lag, count):
            d[k] = <uint16_t>(row[k] - row[k - lag] - above[k] + above[k - lag])
    elif predictor == 5:
        for k in range(lag, count):
            d[k] = <uint16_t>(row[k] - row[k - lag] - half_step(above[k], above[k - lag]))
    elif predictor == 6:
        for k in range(lag, count):
            d[k] = <uint16_t>(row[k] - above[k] - half_step(row[k - lag], above[k - lag]))
    else:
        for k in range(lag, count):
            d[k] = <uint16_t>(row[k] - ((<uint32_t>row[k - lag] + above[k]) >> 1))
