"""Prediction of JPEG lossless (T.81 H.1.2.1), both ways.

Rows hold `count` samples of `lag` components in turn, so that a sample's left neighbour is `lag` before it. All is modulo
65536 (H.1.2.1). Ra, Rb and Rc of the standard are the samples to the left, above, and above left. Where the predictor
is linear with a whole weight for Ra, what is left to do sample by sample is a running sum.
"""

from libc.stdint cimport int32_t, uint16_t, uint32_t

cdef extern from "running_sum.h" nogil:
    void running_sum(uint16_t* dst, const uint16_t* src, Py_ssize_t count, uint16_t start)
    void running_sum3(uint16_t* dst, const uint16_t* src, Py_ssize_t count, const uint16_t* start)


cdef inline uint16_t half_step(uint16_t a, uint16_t b) noexcept nogil:
    # (a - b) >> 1 with the sign kept, in sixteen bits, which loops can be vectorised in
    return <uint16_t>((a >> 1) - (b >> 1) - (~a & b & 1))


cdef void sum_up(const uint16_t* src, uint16_t* dst, Py_ssize_t count, int lag, const uint16_t* start) noexcept nogil:
    cdef Py_ssize_t k
    cdef int j
    if lag == 1:
        running_sum(dst, src, count, start[0])
    elif lag == 3:
        running_sum3(dst, src, count, start)
    else:
        for j in range(lag):
            dst[j] = <uint16_t>(start[j] + src[j])
        for k in range(lag, count):
            dst[k] = <uint16_t>(dst[k - lag] + src[k])


cdef void undo_first_row(const uint16_t* differences, uint16_t* row, Py_ssize_t count, int lag,
                         uint16_t start) noexcept nogil:
    # The first row of a scan or restart interval is predicted from the left, its first sample is `start` (H.1.2.1).
    cdef uint16_t starts[4]
    cdef int j
    for j in range(4):
        starts[j] = start
    sum_up(differences, row, count, lag, starts)


cdef void undo_row(const uint16_t* differences, uint16_t* row, const uint16_t* above, Py_ssize_t count, int lag,
                   int predictor) noexcept nogil:
    # Each further row; its first sample is predicted from above.
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
    elif predictor == 6:                        # Rb + ((Ra - Rc) >> 1)
        for k in range(lag, count):
            row[k] = <uint16_t>(d[k] + above[k] + ((<int32_t>row[k - lag] - above[k - lag]) >> 1))
    else:                                       # (Ra + Rb) >> 1
        for k in range(lag, count):
            row[k] = <uint16_t>(d[k] + ((<uint32_t>row[k - lag] + above[k]) >> 1))


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
