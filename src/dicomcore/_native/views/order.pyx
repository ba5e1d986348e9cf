"""The rows of one data set's elements by ascending tag; in the source they may be in any order."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc

from dicomcore._native.scan.index cimport Index
from dicomcore._native.scan.scan cimport Row

cdef enum:
    FEW_ROWS = 1024     # up to here memory is reserved for all rows in the range, nested ones too


cdef Order* ordered(Index index, Py_ssize_t first, Py_ssize_t stop, object wanted) except NULL:
    # The siblings among the rows [first, stop), with the `wanted` tags or all, sorted by tag. Of several with the same
    # tag, the last counts, as in pydicom.
    cdef Py_ssize_t i, n = stop - first
    cdef Row* rows = NULL if index is None else index.rows
    cdef bint ascending = True, everything = wanted is None
    cdef uint32_t last = 0
    cdef Order* order
    if n > FEW_ROWS:                            # count the siblings, without nested rows
        n = 0
        i = first
        while i < stop:
            n += 1
            i = rows[i].next
    order = <Order*>malloc(sizeof(Order) + n * sizeof(uint32_t))
    if order == NULL:
        raise MemoryError("no memory to arrange a data set")
    order.before = NULL
    order.whole = False
    i = first
    n = 0
    while i < stop:
        if everything or rows[i].tag in wanted:
            ascending &= rows[i].tag > last or n == 0
            last = rows[i].tag
            order.rows[n] = <uint32_t>i
            n += 1
        i = rows[i].next
    order.count = n
    if not ascending:
        try:
            order.count = sort_rows(index, order.rows, n)
        except BaseException:
            free(order)
            raise
    return order


cdef void free_orders(Order* order) noexcept:
    # Free an order and all that it replaced.
    cdef Order* before
    while order != NULL:
        before = order.before
        free(order)
        order = before


cdef bint in_order(const Order* order) noexcept nogil:
    # Whether the rows are in the order of their tags in the source too, so that a walk along them is sorted.
    cdef Py_ssize_t i
    for i in range(1, order.count):
        if order.rows[i] <= order.rows[i - 1]:
            return False
    return True


cdef Py_ssize_t sort_rows(Index index, uint32_t* order, Py_ssize_t n) except -1:
    # Sort rows by tag. Of several with the same tag, keep the last, and note the duplicate.
    cdef Py_ssize_t i, kept = 0
    cdef uint32_t row
    cdef list pairs = [(index.rows[order[i]].tag, order[i]) for i in range(n)]
    pairs.sort()
    for i in range(n):
        row = (<tuple>pairs[i])[1]
        if kept and index.rows[order[kept - 1]].tag == index.rows[row].tag:
            if index.rows[order[kept - 1]].next != row:     # the scanner notes adjacent duplicates
                index.note("DUPLICATE_TAG", index.rows[row].tag, index.rows[row].offset - index.rows[row].header,
                           "stands more than once; the last one counts")
            order[kept - 1] = row
        else:
            order[kept] = row
            kept += 1
    return kept
