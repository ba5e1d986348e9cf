# Frames that are alike: of many items of per-frame functional groups with the same findings, one is looked at.

from libc.stdint cimport UINT32_MAX, uint32_t

from dicomcore._native.base.fault cimport Status
from dicomcore._native.check.findings cimport Findings
from dicomcore._native.check.subject cimport Subject

cdef struct Turn:               # where a pass over the rows is
    uint32_t stop               # the row where the next item of the per-frame groups begins, or what is behind them
    uint32_t number             # of the items that were chosen, the next one

cdef Status fold_frames(Subject* s, const uint32_t* looked) noexcept nogil
# Choose the items that are looked at. `looked` are the tags at whose values the IOD's rules look, see Plan; NULL: all.
cdef void unfold_frames(Subject* s) noexcept nogil


cdef inline Turn turn_of(const Subject* s) noexcept nogil:
    # The beginning of a pass over all rows.
    cdef Turn turn
    turn.stop = UINT32_MAX if s.chosen == NULL else s.frames + 1
    turn.number = 0
    return turn


cdef inline bint is_passed_over(const Subject* s, Turn* turn, uint32_t row, Findings* f) noexcept nogil:
    # Of a row at turn.stop: whether other items stand for the one that begins here; go on at turn.stop then. What is
    # found in this one counts for those for which it stands. `f` may be NULL.
    cdef uint32_t weight = 1
    if turn.number < s.chosen_count and row <= s.chosen[turn.number].row:
        if row < s.chosen[turn.number].row:
            turn.stop = s.chosen[turn.number].row
            return True
        weight = s.chosen[turn.number].weight
        turn.number += 1
        turn.stop = s.rows[row].next
    else:
        turn.stop = UINT32_MAX
    if f != NULL:
        f.weight = weight
    return False
