"""The internal state of data sets: their index and row, the changes laid over them, and copies of both.

`dicomcore.dataset.state` offers these functions to the packages above. No other module reads the fields of a data set
or an element.
"""

from cpython.weakref cimport PyWeakref_NewRef

from dicomcore._native.scan.index cimport Index, check_row
from dicomcore._native.scan.scan cimport BIG_ENDIAN, CONTAINER, ITEM, UNDEFINED, Row
from dicomcore._native.views.data_element cimport DataElement, held_by, is_itemless
from dicomcore._native.views.dataset cimport TOP_LEVEL, DatasetBase
from dicomcore._native.views.decode cimport raw_view
from dicomcore._native.views.facade cimport DATASET, ELEMENT, SEQUENCE
from dicomcore._native.base.vr cimport SQ


# -- index and row -------------------------------------------------------------------------------------------------

def index_of(DatasetBase data_set not None) -> Index | None:
    """The index of a data set, None if it was made in memory."""
    return data_set.index


def file_index(DatasetBase data_set not None) -> Index | None:
    """The index of a file's data set; None for an item, for file meta information, and for one made in memory."""
    return data_set.index if data_set.container == TOP_LEVEL else None


def row_of(DatasetBase data_set not None) -> int:
    """The row of an item in its index; negative for a data set that is not an item."""
    return data_set.container


def item_header(DatasetBase data_set not None) -> tuple | None:
    """(offset of an item's tag in its source, whether it has undefined length); None for what is no item of one."""
    if data_set.index is None or data_set.container < 0:
        return None
    cdef Row* row = &data_set.index.rows[data_set.container]
    return row.offset - row.header, row.flags & UNDEFINED != 0


def touched(DatasetBase data_set not None) -> dict:
    """A new dict by tag of the elements that were set or handed out, with None for those that were deleted."""
    return data_set.changes()


def state_fields(DatasetBase data_set not None) -> tuple:
    """The fields of a `State`."""
    return (data_set.index, data_set.container, data_set.wanted,
            None if data_set.elements is None else data_set.changes(), bool(data_set.apart))


def served() -> tuple:
    """The classes that items, sequences and elements are made of now, see `dicomcore.dataset.serving`."""
    return DATASET, SEQUENCE, DataElement if ELEMENT is None else ELEMENT


# -- elements ------------------------------------------------------------------------------------------------------

def is_changed(DataElement element not None) -> bool:
    """Whether an element's value may differ from the source's bytes: it was set, or changed in place.

    A list that was only read has not changed. A sequence that was handed out may have changed: ask its items.
    """
    return element.is_changed()


def has_own_items(DataElement element not None) -> bool:
    """Whether a sequence of the source still has the items of its source, in the same order and without any change."""
    cdef DataElement one
    cdef list open_elements = [element]
    while open_elements:
        one = open_elements.pop()
        if one.is_set or one.index is None:
            return False
        if one.has_value and not keeps_items(one, open_elements):
            return False
    return True


cdef bint keeps_items(DataElement element, list inner) except -1:
    # The same for the items of one sequence that was handed out; the sequences in them are added to `inner`.
    cdef Index index = element.index
    cdef list items = list(held_by(element))
    cdef DatasetBase item
    cdef DataElement one
    cdef Py_ssize_t row = element.row + 1, stop = index.rows[element.row].next, count = 0
    if not index.rows[element.row].flags & CONTAINER:
        return not items and index.rows[element.row].length == 0
    while row < stop:
        if index.rows[row].tag == ITEM:
            if count == len(items):
                return False
            item = items[count]
            if item.index is not index or item.container != row or item.wanted is not None:
                return False
            count += 1
            for one in item.changes().values():
                if one is None or one.index is not index or index.rows[one.row].parent != row:
                    return False
                one.settle()
                if one.vr == SQ:
                    inner.append(one)
                elif one.is_changed():
                    return False
        row = index.rows[row].next
    return count == len(items)


def loose_bytes(DataElement element not None) -> bytes:
    """The bytes of a sequence that holds other bytes than items; b"" for all other elements, and once it has items."""
    element.settle()
    return bytes(raw_view(element.index, element.row)) if element.vr == SQ and is_itemless(element) else b""


def is_in_big_endian(DataElement element not None) -> bool | None:
    """Whether the words of an element's bytes are in big endian; None for a value that was set: ask its data set."""
    if element.is_set or element.index is None:
        return None
    return element.index.rows[element.row].flags & BIG_ENDIAN != 0


def put(DatasetBase data_set not None, DataElement element not None) -> None:
    """Add an element that belongs to no data set yet, without a check of its value."""
    element.keep(data_set)
    data_set.adopt(element)


# -- data sets over the same rows ----------------------------------------------------------------------------------

cdef DatasetBase beside(DatasetBase data_set, object cls):
    # A data set of class `cls` over the same rows, without changes.
    cdef DatasetBase made = cls.__new__(cls)        # the __init__ of a subclass may need arguments
    made.over(data_set.index, data_set.container, data_set.wanted, data_set.apart)
    return made


def as_read(DatasetBase data_set not None) -> DatasetBase:
    """The data set as read from its source, without changes."""
    return beside(data_set, DATASET)


def part_of(DatasetBase data_set not None, frozenset tags not None) -> DatasetBase:
    """A data set of the elements with these tags, with their changes."""
    cdef DatasetBase made = DATASET.__new__(DATASET)
    made.over(data_set.index, data_set.container, tags, data_set.apart)
    made.take(data_set.changes(), tags, None)
    return made


def header_of(DatasetBase data_set not None) -> DatasetBase:
    """A read-only view of the elements in front of the data set's pixel data, with their present changes.

    It shares the index, and reading it changes nothing in the data set. Looking up a missing attribute is cheap,
    whereas the whole data set would scan everything behind its pixel data, fragment by fragment, to find it. Items,
    data sets made in memory, inflated ones and selections of tags have nothing left to scan: they are returned
    themselves.
    """
    cdef DatasetBase made
    cdef DataElement one
    cdef dict changed
    if (data_set.index is None or data_set.container != TOP_LEVEL or data_set.wanted is not None or data_set.apart
            or data_set.index.inflated):
        return data_set
    made = type(data_set).__new__(type(data_set))
    made.over(data_set.index, TOP_LEVEL, None, True)
    if data_set.elements:
        changed = {}
        for tag, element in data_set.changes().items():
            one = element
            if one is None or one.is_changed() or one.vr == SQ:     # items that were handed out may change
                changed[tag] = one
        made.take(changed, None, None)
    if data_set.kept is not None and "file_meta" in data_set.kept:
        made.kept = {"file_meta": data_set.kept["file_meta"]}
    return made


# -- copies --------------------------------------------------------------------------------------------------------

cdef dict lasting(DatasetBase data_set):
    # The entries of `kept` that a copy of the data set shares: all but its frames. The dict is copied first, as other
    # threads may add to it.
    cdef dict found
    if data_set.kept is None:
        return None
    found = data_set.kept.copy()
    found.pop("frames", None)
    return found


cdef object copied_values(dict values, object memo):
    if memo is not None:
        from copy import deepcopy

        return deepcopy(values, memo)
    return {name: value.copy() if isinstance(value, DatasetBase) else value for name, value in values.items()}


def copy_of(DatasetBase data_set not None, dict memo=None) -> DatasetBase:
    """A copy that can be changed independently; values are shared, or copied too with the `memo` of a deep copy."""
    cdef DatasetBase made = beside(data_set, type(data_set))
    cdef dict kept = lasting(data_set), own = data_set.__dict__.copy()
    made.take(None if data_set.elements is None else data_set.changes(), None, memo)
    made.checks = data_set.checks
    if kept:
        made.kept = copied_values(kept, memo)
    if own:
        made.__dict__.update(copied_values(own, memo))
    return made


def pickled(DatasetBase data_set not None) -> tuple:
    """The arguments from which `unpickled` makes the same data set: class, state with changes, `kept`, attributes."""
    cdef dict changed = None
    cdef DataElement one
    if data_set.elements is not None:
        changed = {tag: one for tag, one in data_set.changes().items() if one is None or one.is_changed()}
    state = (data_set.index, data_set.container, data_set.wanted, changed, bool(data_set.apart))
    return type(data_set), state, lasting(data_set), data_set.__dict__.copy()


def unpickled(object cls, tuple state not None, dict kept, dict own not None) -> DatasetBase:
    """The data set made again from the result of `pickled`."""
    cdef DatasetBase made = cls.__new__(cls)
    index, row, wanted, changed, apart = state
    if row >= 0:
        check_row(index, row)
    made.over(index, row, wanted, apart)
    made.take(changed, None, None)
    made.kept = kept
    if own:
        made.__dict__.update(own)
    return made


cdef class Recall:
    """Returns a data set while it is alive, afterwards a new one over the same rows and changes."""

    cdef object reference, cls, wanted
    cdef Index index
    cdef Py_ssize_t container
    cdef dict elements, kept, own

    def __call__(self) -> DatasetBase:
        cdef DatasetBase found = self.reference()
        if found is None:
            found = self.cls.__new__(self.cls)
            found.over(self.index, self.container, self.wanted, False)
            found.elements = self.elements
            found.kept = None if self.kept is None else self.kept.copy()
            if self.own:
                found.__dict__.update(self.own)
        return found


def recall_of(DatasetBase data_set not None) -> Recall:
    """A callable that returns the data set without keeping it alive, for its frames, which the data set holds."""
    cdef Recall made = Recall.__new__(Recall)
    made.reference = PyWeakref_NewRef(data_set, None)
    made.cls = type(data_set)
    made.index = data_set.index
    made.container = data_set.container
    made.wanted = data_set.wanted
    made.elements = data_set.elements
    made.kept = lasting(data_set)
    made.own = data_set.__dict__.copy()
    return made
