"""The stack of the data sets that are being walked through, and look-ups among their elements."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memset

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status
from dicomcore._native.check.plan cimport Level, slot_of
from dicomcore._native.scan.scan cimport NO_ROW, Row


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


cdef Status reserve(Walk* w, uint32_t more) noexcept nogil:
    # Room for `more` words in the arena.
    cdef uint64_t needed = <uint64_t>w.used + more, size = w.room
    cdef uint32_t* longer
    if needed <= w.room:
        return OK
    while size < needed:
        size *= 2
    longer = <uint32_t*>realloc(w.arena, size * sizeof(uint32_t))
    if longer == NULL:
        return NO_MEMORY
    w.arena, w.room = longer, <uint32_t>size
    return OK


cdef Status push(Walk* w, uint32_t level, uint32_t first, uint32_t stop, uint32_t item, uint32_t path, uint32_t number,
                 uint8_t frame) noexcept nogil:
    # Make a data set the present one: sort its rows, and put each to its slot.
    cdef uint32_t depth = w.depth + 1 if w.visit_capacity and item != NO_ROW else 0
    cdef uint32_t i, count = 0, k, slot
    cdef const Level* own = &w.levels[level]
    cdef Visit* v
    cdef Visit* longer
    cdef Status status
    cdef uint32_t* kids
    cdef bint ordered = True
    if depth >= w.visit_capacity:
        longer = <Visit*>realloc(w.visits, (depth * 2 + 8) * sizeof(Visit))
        if longer == NULL:
            return NO_MEMORY
        w.visits, w.visit_capacity = longer, depth * 2 + 8
    i = first
    while i < stop:
        count += 1
        i = w.subject.rows[i].next
    status = reserve(w, 2 * count + own.slot_count)
    if status != OK:
        return status
    w.depth = depth
    v = &w.visits[depth]
    v.level, v.first, v.stop, v.item, v.path, v.number, v.frame = level, first, stop, item, path, number, frame
    v.kids, v.kid_count = w.used, count
    v.places = w.used + 2 * count
    v.next_kid, v.next_item, v.items_stop = 0, 0, 0
    w.used += 2 * count + own.slot_count
    kids = &w.arena[v.kids]
    i, k = first, 0
    while i < stop:
        kids[k] = i
        ordered = ordered and (k == 0 or w.subject.rows[kids[k - 1]].tag <= w.subject.rows[i].tag)
        k += 1
        i = w.subject.rows[i].next
    if not ordered:
        sort_kids(w.subject.rows, kids, count)
    memset(&w.arena[v.places], 0xFF, own.slot_count * sizeof(uint32_t))
    for k in range(count):
        slot = slot_of(w.slots, own, w.subject.rows[kids[k]].tag)
        kids[count + k] = slot
        if slot < own.slot_count and w.arena[v.places + slot] == NO_ROW:
            w.arena[v.places + slot] = kids[k]
    return OK


cdef void sort_kids(const Row* rows, uint32_t* kids, uint32_t count) noexcept nogil:
    # Heap sort: elements out of order are rare, and may be many.
    cdef uint32_t start = count // 2, end = count, root, child, held
    while end > 1:
        if start > 0:
            start -= 1
        else:
            end -= 1
            held = kids[end]
            kids[end] = kids[0]
            kids[0] = held
        root = start
        while 2 * root + 1 < end:
            child = 2 * root + 1
            if child + 1 < end and before(rows, kids[child], kids[child + 1]):
                child += 1
            if not before(rows, kids[root], kids[child]):
                break
            held = kids[root]
            kids[root] = kids[child]
            kids[child] = held
            root = child


cdef inline bint before(const Row* rows, uint32_t a, uint32_t b) noexcept nogil:
    return rows[a].tag < rows[b].tag or (rows[a].tag == rows[b].tag and a < b)
