"""Scales pictures: linear between pixels where they are magnified, averages over pixels where they shrink."""

from libc.math cimport ceil, fabs, floor
from libc.stdint cimport uint8_t, uint16_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status, raise_fault

cdef extern from "pixels/resample.h" nogil:
    void dc_add_row_u8(const uint8_t* src, float* sums, Py_ssize_t count, float weight) noexcept
    void dc_add_row_u16(const uint8_t* src, float* sums, Py_ssize_t count, float weight) noexcept

ctypedef fused Sample:
    uint8_t
    uint16_t

ctypedef struct Axis:
    Py_ssize_t* first                       # of each pixel of the result: the first pixel that it is made from,
    Py_ssize_t* count                       # how many there are; 0 where the result lies outside the source
    Py_ssize_t* place                       # and where their weights stand
    float* weight
    Py_ssize_t total


cdef void release(Axis* axis) noexcept nogil:
    free(axis.first)
    free(axis.count)
    free(axis.place)
    free(axis.weight)


cdef double reached(double centre, double support, Py_ssize_t size, Py_ssize_t* first, Py_ssize_t* stop) noexcept nogil:
    # The pixels of the source within `support` of a position; returns 0 where the position lies outside the source.
    if not 0 <= centre < size:
        first[0] = stop[0] = 0
        return 0
    first[0] = <Py_ssize_t>max(ceil(centre - support - 0.5), 0.0)
    stop[0] = <Py_ssize_t>min(floor(centre + support - 0.5) + 1, <double>size)
    return 1


cdef Status plan(Axis* axis, Py_ssize_t size, Py_ssize_t results, double low, double high) noexcept nogil:
    # The weights along one axis: a triangle as wide as two pixels of the source, or of the result if those are wider.
    cdef double step = (high - low) / results, support = max(step, 1.0), centre, total, share
    cdef Py_ssize_t i, k, first = 0, stop = 0, at = 0
    axis.total = 0
    for i in range(results):
        reached(low + (i + 0.5) * step, support, size, &first, &stop)
        axis.total += stop - first
    axis.first = <Py_ssize_t*>malloc(results * sizeof(Py_ssize_t))
    axis.count = <Py_ssize_t*>malloc(results * sizeof(Py_ssize_t))
    axis.place = <Py_ssize_t*>malloc(results * sizeof(Py_ssize_t))
    axis.weight = <float*>malloc(max(axis.total, 1) * sizeof(float))
    if axis.first == NULL or axis.count == NULL or axis.place == NULL or axis.weight == NULL:
        return NO_MEMORY
    for i in range(results):
        centre = low + (i + 0.5) * step
        reached(centre, support, size, &first, &stop)
        axis.first[i], axis.count[i], axis.place[i] = first, stop - first, at
        total = 0
        for k in range(first, stop):
            share = max(1 - fabs(k + 0.5 - centre) / support, 0.0)
            axis.weight[at + k - first] = <float>share
            total += share
        for k in range(first, stop):
            axis.weight[at + k - first] = <float>(axis.weight[at + k - first] / total)
        at += stop - first
    return OK


cdef void add_row(const uint8_t* src, float* sums, Py_ssize_t count, int size, float weight) noexcept nogil:
    if size == 1:
        dc_add_row_u8(src, sums, count, weight)
    else:
        dc_add_row_u16(src, sums, count, weight)


cdef void shrink_row(const float* sums, const Axis* across, Py_ssize_t results, Py_ssize_t samples,
                     Sample* dst) noexcept nogil:
    cdef Py_ssize_t i, k, s, first, place
    cdef float value, most = 255 if Sample is uint8_t else 65535    # rounding errors may pass it
    for i in range(results):
        first, place = across.first[i], across.place[i]
        for s in range(samples):
            value = 0.5
            for k in range(across.count[i]):
                value += across.weight[place + k] * sums[(first + k) * samples + s]
            dst[i * samples + s] = <Sample>min(value, most) if across.count[i] else 0


cdef void scale_rows(const Sample* src, Py_ssize_t width, Py_ssize_t samples, const Axis* down, const Axis* across,
                     float* sums, Sample* dst, Py_ssize_t rows, Py_ssize_t columns) noexcept nogil:
    cdef Py_ssize_t i, k, line = width * samples
    for i in range(rows):
        if down.count[i] == 0:
            memset(dst + i * columns * samples, 0, columns * samples * sizeof(Sample))
            continue
        memset(sums, 0, line * sizeof(float))
        for k in range(down.count[i]):
            add_row(<const uint8_t*>(src + (down.first[i] + k) * line), sums, line, sizeof(Sample),
                    down.weight[down.place[i] + k])
        shrink_row(sums, across, columns, samples, dst + i * columns * samples)


cdef Status scale(const uint8_t* src, Py_ssize_t height, Py_ssize_t width, Py_ssize_t samples, int size, uint8_t* dst,
                  Py_ssize_t rows, Py_ssize_t columns, double left, double top, double right,
                  double bottom) noexcept nogil:
    cdef Axis down, across
    cdef float* sums = <float*>malloc(width * samples * sizeof(float))
    cdef Status status = OK if sums != NULL else NO_MEMORY
    memset(&down, 0, sizeof(Axis))
    memset(&across, 0, sizeof(Axis))
    if status == OK:
        status = plan(&down, height, rows, top, bottom)
    if status == OK:
        status = plan(&across, width, columns, left, right)
    if status == OK and size == 1:
        scale_rows[uint8_t](src, width, samples, &down, &across, sums, dst, rows, columns)
    elif status == OK:
        scale_rows[uint16_t](<const uint16_t*>src, width, samples, &down, &across, sums, <uint16_t*>dst, rows, columns)
    release(&down)
    release(&across)
    free(sums)
    return status


def resample(const uint8_t[::1] src not None, Py_ssize_t height, Py_ssize_t width, Py_ssize_t samples, int size,
             uint8_t[::1] dst not None, Py_ssize_t rows, Py_ssize_t columns, double left, double top, double right,
             double bottom):
    """Scale a part of a picture; what lies outside the picture becomes 0.

    Parameters
    ----------
    src : buffer of uint8
        The picture: `height` rows of `width` pixels of `samples` samples, each of `size` bytes (1 or 2) and unsigned.
    dst : buffer of uint8
        Receives `rows` rows of `columns` pixels.
    left, top, right, bottom : float
        The part of the picture that the result shows; the first pixel spans 0 to 1.
    """
    cdef Status status
    if size not in (1, 2) or min(height, width, samples, rows, columns) < 1:
        raise ValueError(f"no picture of {height} × {width} × {samples} samples of {size} bytes to {rows} × {columns}")
    if src.shape[0] != height * width * samples * size or dst.shape[0] != rows * columns * samples * size:
        raise ValueError(f"{src.shape[0]} and {dst.shape[0]} bytes are no pictures of these sizes")
    if not (-1e12 < left < right < 1e12 and -1e12 < top < bottom < 1e12):
        raise ValueError(f"no part of a picture from {left}, {top} to {right}, {bottom}")
    with nogil:
        status = scale(&src[0], height, width, samples, size, &dst[0], rows, columns, left, top, right, bottom)
    if status != OK:
        raise_fault(status, "picture", 0)
