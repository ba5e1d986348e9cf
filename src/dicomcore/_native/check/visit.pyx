"""Look-ups among the elements of the data sets that are being walked through."""

from libc.stdint cimport uint32_t

from dicomcore._native.scan.scan cimport NO_ROW


cdef uint32_t kid_of(const Walk* w, uint32_t visit, uint32_t tag) noexcept nogil:
    cdef const Visit* v = &w.visits[visit]
    cdef const uint32_t* kids = &w.arena[v.kids]
    cdef uint32_t low = 0, high = v.kid_count, middle
    while low < high:
        middle = (low + high) >> 1
        if w.subject.rows[kids[middle]].tag < tag:
            low = middle + 1
        else:
            high = middle
    if low < v.kid_count and w.subject.rows[kids[low]].tag == tag:
        return kids[low]
    return NO_ROW
