"""Tells whether a data set was changed since it was read, and which elements: set, deleted, or altered in place."""

from libc.stdint cimport uint32_t

from dicomcore._native.views.data_element cimport DataElement, held_by, items_of_row
from dicomcore._native.views.dataset cimport TOP_LEVEL, DatasetBase
from dicomcore._native.scan.index cimport Index, rows_of
from dicomcore._native.scan.opening cimport EMPTY_SYNTAX_UID
from dicomcore._native.scan.scan cimport CONTAINER, ITEM
from dicomcore._native.base.vr cimport SQ


cdef class Judge:
    """Caches its results for sequences, so that each sequence is examined once at any depth."""

    def __cinit__(self):
        self.judged = {}

    cdef bint is_changed(self, DataElement element) except -1:
        # Whether the element's value is no longer the source's.
        if element.index is None or element.is_set:
            return True
        if not element.has_value:
            return False
        if element.vr != SQ:
            return element.is_changed()
        known = self.judged.get(id(element))
        if known is None:
            self.judge(element)
            known = self.judged[id(element)]
        return known[1]

    cdef int judge(self, DataElement sequence) except -1:
        # Cache for a sequence that the caller has seen, and for the sequences in it, whether it was changed.
        cdef list waiting = [sequence], inside
        cdef DataElement element, found
        cdef bint changed
        while waiting:
            element = waiting[len(waiting) - 1]
            if id(element) in self.judged:
                waiting.pop()
                continue
            inside = []
            changed = not has_own_items(element)
            if not changed:
                for item in <list>held_by(element):
                    if not (<DatasetBase>item).elements:
                        continue
                    for tag, one in (<DatasetBase>item).changes().items():
                        found = one
                        if found is None:
                            changed = (<DatasetBase>item).find_row(tag) >= 0
                        elif found.index is None or found.is_set or not found.has_value or found.vr != SQ:
                            changed = self.is_changed(found)
                        elif id(found) in self.judged:
                            changed = self.judged[id(found)][1]
                        else:
                            inside.append(found)
                        if changed:
                            break
                    if changed:
                        break
            if changed or not inside:
                self.judged[id(element)] = (element, changed)
                waiting.pop()
            else:
                waiting.extend(inside)
        return 0

    cdef bint item_changed(self, DatasetBase item) except -1:
        # Whether any element of an item was set, deleted or altered in place.
        if not item.elements:
            return False
        for tag, element in item.changes().items():
            if element is None:
                if item.find_row(tag) >= 0:
                    return True
            elif self.is_changed(element):
                return True
        return False


cdef bint has_own_items(DataElement sequence) except -1:
    # Whether a sequence that the caller has seen still has the items of its rows, in the same order.
    cdef Index index = sequence.index, late
    cdef DatasetBase item
    cdef Py_ssize_t i, row = sequence.row, stop, at = 0
    cdef list items = list(held_by(sequence))
    if index.rows[row].length == 0:
        return not items
    if not index.known(row).flags & CONTAINER:
        if not items:
            return not items_of_row(index, row)     # the value's bytes may not be items: then it never had any
        item = items[0]
        late = item.index
        if late is None or late.outer is not index or late.outer_row != row:
            return False
        index = late
        row = 0
    i = row + 1
    stop = index.rows[row].next
    while i < stop:
        if index.rows[i].tag == ITEM:
            if at == len(items):
                return False
            item = items[at]
            if item.index is not index or item.container != i or item.wanted is not None:
                return False
            at += 1
        i = index.rows[i].next
    return at == len(items)


def is_untouched(DatasetBase data_set not None) -> bool:
    """Whether nothing in a data set was changed since it was read, and the reader left out no element."""
    cdef Judge judge = Judge()
    return data_set.index is not None and data_set.wanted is None and not judge.item_changed(data_set)


def changed_elements(DatasetBase data_set not None) -> dict:
    """The elements of this level whose value is no longer the source's, by tag; None stands for a deleted element."""
    cdef Judge judge = Judge()
    cdef dict found = {}
    for tag, element in data_set.changes().items():
        if element is None:
            if data_set.find_row(tag) >= 0:
                found[tag] = None
        elif judge.is_changed(element):
            found[tag] = element
    return found


def head_stands(DatasetBase data_set not None, Index index not None, bint whole) -> bool:
    """Whether the preamble, prefix and file meta information can be copied unchanged.

    They must be free of faults and still describe `data_set`: its SOP Class and Instance UIDs were not set since. If
    `whole`, every element that PS3.10 7.1 requires must be present.
    """
    cdef Py_ssize_t i
    cdef int present = 0
    cdef uint32_t tag
    if index.preamble is None or index.meta_count == 0:
        return False
    for tag in (0x00080016, 0x00080018):
        if tag in data_set.changes() and tag in changed_elements(data_set):
            return False
    for i in range(index.opening.count):
        if index.opening.deviations[i].code <= EMPTY_SYNTAX_UID:
            return False
    for i in range(index.meta_count):
        tag = index.rows[i].tag
        if index.rows[i].length and (tag == 0x00020000 or tag == 0x00020001 or tag == 0x00020002
                                     or tag == 0x00020003 or tag == 0x00020010 or tag == 0x00020012):
            present += 1
    return not whole or present == 6


def stray_tag(DatasetBase data_set not None) -> int:
    """A tag of group 0000 or 0002 among the elements that were read so far, or -1.

    These groups belong to commands and to file meta information, not to data sets (PS3.7 6.3.1, PS3.10 7.1).
    """
    cdef Index index = data_set.index
    cdef Py_ssize_t i, stop
    cdef uint32_t tag
    if index is None or data_set.container != TOP_LEVEL:
        return -1
    i = index.meta_count
    stop = rows_of(index)
    while i < stop:
        tag = index.rows[i].tag
        if (tag >> 16 == 0 or tag >> 16 == 2) and tag in data_set:
            return tag
        i = index.rows[i].next
    return -1
