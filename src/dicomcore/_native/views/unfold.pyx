"""Going down through a data set and its items: with a stack, as the input says how deep they are nested, and never
without end, as a data set made in memory can be an item of itself."""

cimport cython

from dicomcore.errors import EncodeError

cdef object END = object()


cdef int enter(set above, object data_set) except -1:
    # Note a data set among those that are open, by its id(); EncodeError where it is open already.
    if id(data_set) in above:
        raise EncodeError("a data set can't be an item of itself")
    above.add(id(data_set))
    return 0


@cython.freelist(16)
cdef class Below:
    """Stands among the parts of a data set where those of one of its items belong."""

    cdef readonly object item
    cdef object parts

    def __init__(self, item, parts):
        self.item = item
        self.parts = iter(parts)

    def __class_getitem__(cls, _):
        return cls


cdef class unfolded:
    """The parts of a data set, with those of an item in the place of each `Below`, however deep.

    Raises EncodeError where a data set is an item of itself.
    """

    cdef list items, parts      # the open data sets, and what is left of each
    cdef set above              # their ids

    def __init__(self, data_set, parts):
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
