"""Walks through a data set and its nested items.

The walk uses a stack, as the input decides how deep items are nested. It refuses a data set that is an item of itself,
which is possible in memory.
"""

cimport cython

from dicomcore.errors import EncodeError

cdef object END = object()


cdef int enter(set above, object data_set) except -1:
    # Add a data set's id() to those that are open; EncodeError if it is open already.
    if id(data_set) in above:
        raise EncodeError("a data set can't be an item of itself")
    above.add(id(data_set))
    return 0


@cython.freelist(16)
cdef class Below:
    """A placeholder among the parts of a data set, in the place of the parts of one of its items."""

    cdef readonly object item
    cdef object parts

    def __cinit__(self, item, parts):
        self.item = item
        self.parts = iter(parts)

    def __class_getitem__(cls, _):
        return cls


cdef class unfolded:
    """An iterator over the parts of a data set, with the parts of an item in the place of each `Below`, at any depth.

    Raises EncodeError if a data set is an item of itself.
    """

    cdef list items, parts      # the open data sets, and the remaining parts of each
    cdef set above              # their ids

    def __cinit__(self, data_set, parts):
        self.items = [data_set]
        self.parts = [iter(parts)]
        self.above = {id(data_set)}

    def __iter__(self):
        return self

    @cython.critical_section
    def __next__(self):
        cdef Below inner
        while self.parts:
            part = next(self.parts[len(self.parts) - 1], END)
            if part is END:
                self.parts.pop()
                self.above.discard(id(self.items.pop()))
            elif type(part) is Below:
                inner = part
                enter(self.above, inner.item)
                self.items.append(inner.item)
                self.parts.append(inner.parts)
            else:
                return part
        raise StopIteration
