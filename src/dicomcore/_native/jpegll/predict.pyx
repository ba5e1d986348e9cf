"""Prediction of JPEG lossless (T.81 H.1.2.1), for decoding and encoding.

A row holds `count` samples of `lag` interleaved components, so that a sample's left neighbour is `lag` entries before
it. All arithmetic is modulo 65536 (H.1.2.1). The standard's Ra, Rb and Rc are the samples to the left, above, and above
left. If the predictor is linear with a whole weight for Ra, decoding a row is a running sum.
"""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t

cdef extern from "jpegll/running_sum.h" nogil:
    void running_sum(uint16_t* dst, const uint16_t* src, Py_ssize_t count, uint16_t start)
    void running_sum3(uint16_t* dst, const uint16_t* src, Py_ssize_t count, const uint16_t* start)
    void running_sum_bytes(uint8_t* dst, const uint16_t* src, Py_ssize_t count, int lag, const uint8_t* start)

cdef extern from "jpegll/slanted.h" nogil:
    Py_ssize_t jll_slanted(const uint16_t* differences, uint16_t** rows, const uint16_t* above, Py_ssize_t count,
                           Py_ssize_t first, Py_ssize_t stop, int predictor)


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
    # Decode SLANT rows of one component with predictor 6 or 7, each row one sample behind the row above it. `count` is
    # at least SLANT.
    cdef Py_ssize_t reached
    cdef const uint16_t* over = above
    cdef int j
    for j in range(SLANT):
        rows[j][0] = <uint16_t>(differences[j * count] + over[0])
        undo_span(differences + j * count, rows[j], over, 1, SLANT - j, 1, predictor)
        over = rows[j]
    reached = jll_slanted(differences, rows, above, count, SLANT, count, predictor)
    over = above
    for j in range(SLANT):
        undo_span(differences + j * count, rows[j], over, reached - j, count, 1, predictor)
        over = rows[j]


cdef void undo_bytes(const uint16_t* differences, uint8_t* row, Py_ssize_t count, int lag, bint first,
                     uint16_t start) noexcept nogil:
    # Decode a row of samples of one byte with predictor 1, for a `lag` of 1 or 3; unless it is the `first` row, the row
    # above lies before it.
    cdef uint8_t starts[3]
    cdef int j
    for j in range(lag):
        starts[j] = <uint8_t>start if first else row[j - count]
    running_sum_bytes(row, differences, count, lag, starts)


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
