"""Data elements: views over rows of an index, or elements made in memory."""

cimport cython
from cpython.object cimport Py_EQ, Py_NE, PyObject, PyTypeObject
from cpython.weakref cimport PyWeakref_NewRef
from libc.stdint cimport int64_t, uint16_t, uint32_t

from dicomcore._native.views.coerce cimport coerced_for
from dicomcore._native.views.decode cimport (
    count_multiplicity,
    decode,
    decode_array,
    make_tag,
    number_array,
    raw_view,
    resolve_vr,
    vr_dtype,
    vr_name,
)
from dicomcore._native.views.facade cimport DATASET, ELEMENT, ELEMENT_LINE, SEQUENCE
from dicomcore._native.base.dictionary cimport find_keyword, keyword_of_tag, name_of_private, name_of_tag
from dicomcore._native.scan.index cimport Index, check_row, mark_changed, open_value
from dicomcore._native.scan.scan cimport CONTAINER, FRAGMENTS, IMPLICIT, ITEM, NO_ROW, UNDEFINED, Row
from dicomcore._native.base.vr cimport *


from dicomcore.arrays import is_array, np
from dicomcore.errors import EncodeError
from dicomcore.tags import Tag


cdef tuple NOTHING = ()


cdef int64_t tag_number(object key) except -2:
    # The tag for an int, keyword, (group, element) or anything that Tag() accepts; -1 for a word that isn't a keyword.
    cdef int64_t number
    if isinstance(key, int):
        number = key
        if 0 <= number <= 0xFFFFFFFF:
            return number
        raise OverflowError(f"a tag has 32 bits: {key:#x}")
    if isinstance(key, str):
        number = find_keyword(key)
        if number >= 0:
            return number
        try:
            return int(Tag(key))
        except (ValueError, TypeError, OverflowError):
            return -1
    if isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], int) and isinstance(key[1], int):
        if 0 <= key[0] <= 0xFFFF and 0 <= key[1] <= 0xFFFF:
            return (<int64_t>key[0] << 16) | <int64_t>key[1]
    return int(Tag(key))


cdef object make_sequence(Index index, Py_ssize_t row):
    # The items of an SQ element. If the scanner did not read it as a sequence, its value is indexed now.
    cdef list items = []
    cdef Py_ssize_t i, stop
    cdef Owner item
    if not index.known(row).flags & CONTAINER:
        if index.rows[row].length == 0:
            return SEQUENCE(items)
        index = open_value(index, row)
        row = 0
    stop = index.rows[row].next
    i = row + 1
    while i < stop:
        if index.rows[i].tag == ITEM:
            item = DATASET.__new__(DATASET)
            item.index = index
            item.container = i
            items.append(item)
        i = index.rows[i].next
    return SEQUENCE(items)


cdef list items_of_row(Index index, Py_ssize_t row):
    # The items of an SQ element, as new data sets.
    return <list>make_sequence(index, row)


cdef uint16_t vr_code(object vr) except 0xFFFF:
    if type(vr) is not str:
        if not isinstance(vr, str):
            raise TypeError(f"a VR is a str, not {type(vr).__name__}")
        vr = str.__str__(vr)                    # of a subclass, such as an enumeration or NumPy's str
    if len(vr) == 2:
        code = <uint16_t>(ord(vr[0]) | ord(vr[1]) << 8)
        if vr_name(code) == vr:
            return code
    for code in (US_OR_SS, OB_OR_OW, US_OR_OW, US_OR_SS_OR_OW):
        if vr_name(code) == vr:
            return code
    raise ValueError(f"{vr!r} is not a VR")


cdef DataElement carried(DataElement element):
    # A copy of the element for another data set, with its value instead of the source's bytes. A sequence that holds
    # other bytes than items becomes UN, so that these are not lost.
    cdef Index index = element.index
    element.settle()
    if element.vr == SQ and is_itemless(element):
        return element_of(element.number, UN, bytes(raw_view(index, element.row)))
    return element_of(element.number, element.vr, element.get_value())


cdef bint is_itemless(DataElement element) except -1:
    # Whether an unchanged sequence of the source holds bytes that are not items (PS3.5 7.5).
    if element.index is None or element.is_set or element.has_value and held_by(element):
        return False
    return is_row_itemless(element.index, element.row)


cdef bint is_row_itemless(Index index, Py_ssize_t row) except -1:
    # The same for a row with VR SQ. If an item's header doesn't fit into its bytes, the scanner still reads it as a
    # sequence, but without rows.
    cdef Row* r = index.known(row)
    if r.length == 0:
        return False
    if r.flags & CONTAINER:
        return r.length < 8 and r.next == row + 1
    return not items_of_row(index, row)


def holds_no_items(Index index not None, Py_ssize_t row) -> bool:
    """Whether a row is a sequence, by its VR or a dictionary, but holds bytes that are not items."""
    check_row(index, row)
    return resolve_vr(index, row) == SQ and is_row_itemless(index, row)


cdef class Owner:
    # The methods that an element calls on its data set; `DatasetBase` implements them.

    cdef DataElement find(self, uint32_t tag):
        raise NotImplementedError

    cdef object tag_value(self, uint32_t tag, object default):
        raise NotImplementedError

    cdef int adopt(self, DataElement element) except -1:
        raise NotImplementedError

    cdef DataElement keeper_of(self, DataElement element):
        raise NotImplementedError

    cdef int check(self, uint32_t tag, uint16_t vr, object value) except -1:
        raise NotImplementedError


cdef bint same_values(object one, object other) except -1:
    # Whether two decoded values are equal; NaN equals itself.
    if one == other:
        return True
    if type(one) is not list or type(other) is not list or len(one) != len(other):
        return False
    for i in range(len(one)):
        if one[i] != other[i] and (one[i] == one[i] or other[i] == other[i]):
            return False
    return True


cdef class Later:
    """A value that is elsewhere, at `uri`: ``fetch()`` gives it when it is first asked for."""

    def __init__(self, str uri not None, fetch):
        self.uri = uri
        self.fetch = fetch

    def __deepcopy__(self, memo):
        return self


cdef object arrived(DataElement element, Later later):
    # Fetch a value that is elsewhere. Threads that ask at once may fetch it twice; one value stays.
    value = later.fetch()
    with cython.critical_section(element):
        if element.held is later:
            element.held = value
        return element.held


def later_element(uint32_t tag, str vr not None, Later later not None) -> DataElement:
    """An element whose value is elsewhere."""
    return element_of(tag, vr_code(vr), later)


def later_of(DataElement element not None) -> Later | None:
    """Where the element's value is, as long as it was not asked for; None for any other element."""
    with cython.critical_section(element):
        return element.held if type(element.held) is Later else None


@cython.freelist(64)
cdef class DataElement:
    """A data element (PS3.5 7.1): tag, VR and a value, which is decoded when it is read.

    `DataElement(tag, VR, value)` makes an element in memory. docs/design.md lists the type of `value` for each VR.
    """

    def __cinit__(self):
        self.has_value = self.is_set = True     # None, until it is given another value or a row
        self.vr = UN

    def __init__(self, tag, VR, value, *, already_converted=False):
        number = tag_number(tag)
        if number < 0:
            raise ValueError(f"{tag!r} is neither a tag nor a keyword")
        self.number = <uint32_t>number
        self.vr = vr_code(VR)
        self.held = coerced_for(self.number, value, self.vr, None)
        self.has_value = self.is_set = True

    cdef int settle(self) except -1:
        # Resolve the VR of an element of the source, once.
        if self.vr == NO_VR:
            self.vr = resolve_vr(self.index, self.row)
        return 0

    @property
    def tag(self):
        """The element's Tag."""
        return make_tag(self.number)

    @tag.setter
    def tag(self, tag):
        if ELEMENT is None:
            raise AttributeError("the tag of an element can't be set: make another element")
        self.value = self.value                 # as in pydicom; a data set still has it at its former tag
        self.number = <uint32_t>int(Tag(tag))

    @property
    def VR(self) -> str:
        """The VR's two letters. UN and implicit VR have the dictionary's, "US or SS" what Pixel Representation says."""
        self.settle()
        return vr_name(self.vr)

    @VR.setter
    def VR(self, vr):
        value = self.value
        self.vr = vr_code(vr)
        self.value = value

    @property
    def keyword(self) -> str:
        """The attribute's keyword (PS3.6), "" if the dictionary doesn't list the tag."""
        return keyword_of_tag(self.number)

    @property
    def name(self) -> str:
        """The attribute's name (PS3.6); for private elements "[name]" from their dictionary, else a general name."""
        if self.number & 0x10000:
            creator = self.private_creator
            found = name_of_private(self.number, creator) if creator else ""
            if found:
                return f"[{found}]"
        return name_of_tag(self.number)

    @property
    def private_creator(self) -> str | None:
        """The creator that reserved this private element's block (PS3.5 7.8.1), None if there is none."""
        cdef Owner owner
        cdef Py_ssize_t row
        cdef uint32_t tag = (self.number & 0xFFFF0000) | (self.number & 0xFFFF) >> 8
        creator = None
        if not self.number & 0x10000 or self.number & 0xFFFF < 0x1000:
            return None
        owner = self._home()
        if owner is not None:
            creator = owner.tag_value(tag, None)
        elif self.index is not None:
            row = self.index.sibling(self.row, tag)
            creator = decode(self.index, row, LO) if row >= 0 else None
        return str(creator).strip() if creator else None

    def _home(self):
        """The element's data set, None if it is gone; for an element of iterall() searched from the root."""
        cdef Owner place = owner_of(self)
        cdef Index index = self.index
        cdef DataElement element
        cdef Py_ssize_t row = self.row
        cdef list path = []
        if not self.distant:
            return owner_of(self)               # read again: another thread may have replaced the root
        while True:
            while index.rows[row].parent != NO_ROW and (row != 0 or index.outer is None):
                row = index.rows[row].parent
                if index.rows[row].tag == ITEM:
                    path.append((index, row))
            if index.outer is None:
                break
            row = index.outer_row
            index = index.outer
        for index, row in reversed(path):
            element = place.find(index.rows[index.rows[row].parent].tag)
            for item in element.get_value():
                if (<Owner>item).container == row:
                    place = item
        with cython.critical_section(self):
            if self.distant:
                self.place = place
                self.distant = False
        return place

    cdef int keep(self, Owner owner) except -1:
        # From now on this data set holds the element.
        with cython.critical_section(self):
            self.place = PyWeakref_NewRef(owner, None)
            self.kept = True
            self.distant = False
        return 0

    cdef object get_value(self):
        cdef object value
        cdef DataElement keeper = self
        cdef Owner owner
        cdef bint is_held
        with cython.critical_section(self):
            is_held = self.has_value
        if is_held:
            return held_by(self)
        self.settle()
        if self.vr == SQ:
            value = make_sequence(self.index, self.row)
        else:
            value = decode(self.index, self.row, self.vr)
            if type(value) is not list:
                return value
        if self.distant:
            return value
        owner = owner_of(self)
        if owner is not None:
            if owner.apart and self.vr == SQ:
                for item in <list>value:
                    (<Owner>item).apart = True
            keeper = owner.keeper_of(self)      # mutable values are handed out once
        if keeper is not self:
            value = keeper.get_value()
        with cython.critical_section(self):
            if not self.has_value:
                self.held = value
                self.has_value = True
        return held_by(self)

    @property
    def value(self):
        """The value as a Python object; None or "" when empty."""
        return self.get_value()

    @value.setter
    def value(self, value):
        cdef Owner home = self._home()
        self.settle()
        value = coerced_for(self.number, value, self.vr, None if home is None else home.checks)
        if home is not None:
            home.check(self.number, self.vr, value)
        with cython.critical_section(self):
            self.held = value
            self.has_value = self.is_set = True
        if home is not None:
            home.adopt(self)
        else:
            mark_changed(self.index)

    @property
    def raw(self) -> memoryview | None:
        """The value's bytes as in the source, read-only; None for a value that was set."""
        if self.is_set or self.index is None:
            return None
        return raw_view(self.index, self.row)

    @property
    def array(self):
        """The value as a NumPy array: numbers in native byte order, DS float64, IS int64, bulk data as its VR's words.

        The array is one-dimensional; it is a view of the source's bytes if possible. None for a sequence.
        """
        self.settle()
        if self.vr == SQ:
            return None
        if not self.is_set and self.index is not None:
            return decode_array(self.index, self.row, self.vr)
        held = held_by(self)
        values = held if isinstance(held, list) else [held] if self.VM else []
        if is_text(self.vr):
            out = np.empty(len(values), object)
            out[:] = values
            return out
        if is_array(held):
            values = held.reshape(-1).tolist()
        if self.vr == DS or self.vr == IS:
            return number_array(values, self.vr)
        if (is_number(self.vr) or self.vr == AT) and not isinstance(held, (bytes, bytearray, memoryview)):
            try:
                return np.array(values, vr_dtype(self.vr))
            except (ValueError, TypeError, OverflowError) as error:
                raise EncodeError(f"{self.tag}: VR {vr_name(self.vr)} takes numbers: {error}", tag=self.tag) from None
        words = vr_dtype(self.vr) if is_bytes(self.vr) else "u1"
        if is_array(held):
            from dicomcore._native.write.encode import encode_value   # it imports this module
            size = held.nbytes if words == "u1" or words == "u2" else None          # without padding
            held = encode_value(vr_name(self.vr), held)[:size]
        found = np.frombuffer(held or b"", "<" + words)
        return found if found.dtype.isnative else found.astype(words)

    @property
    def VM(self) -> int:
        """The number of values (PS3.5 6.4); 0 if empty, 1 for a sequence."""
        self.settle()
        if not self.has_value:
            return count_multiplicity(self.index, self.row, self.vr)
        if self.vr == SQ:
            return 1
        held = held_by(self)
        if isinstance(held, list):
            return len(<list>held)
        return 0 if held is None or (isinstance(held, (str, bytes)) and not held) else 1

    @property
    def offset(self) -> int | None:
        """The offset of the value's first byte from the source's start (in inflated bytes, if deflated)."""
        return None if self.index is None else self.index.rows[self.row].offset

    @property
    def length(self) -> int | None:
        """The value's size in the source in bytes, without delimiters: the actual one, even if the field is wrong."""
        return None if self.index is None else self.index.known(self.row).length

    @property
    def is_undefined_length(self) -> bool:
        """Whether the element has undefined length (PS3.5 7.1.1)."""
        return self.index is not None and self.index.rows[self.row].flags & UNDEFINED != 0

    @property
    def is_private(self) -> bool:
        return self.number & 0x10000 != 0

    @property
    def is_empty(self) -> bool:
        """Whether there is no value; for a sequence, whether it has no items."""
        self.settle()
        return not self.get_value() if self.vr == SQ else self.VM == 0

    def __richcmp__(self, other, int op):
        if op != Py_EQ and op != Py_NE:
            return NotImplemented
        if not isinstance(other, DataElement):
            return NotImplemented
        same = self is other or (self.number == (<DataElement>other).number and self.VR == other.VR
                                 and self.value == other.value)
        return same if op == Py_EQ else not same

    __hash__ = None

    def __getitem__(self, key):
        return self.get_value()[key]

    def __reduce__(self):
        cdef DataElement made = carried(self)
        return restored_element, (type(made), made.number, vr_name(made.vr), made.held)

    def __deepcopy__(self, memo):
        cdef DataElement made = carried(self)
        from copy import deepcopy

        made.held = deepcopy(made.held, memo)
        return made

    cdef bint is_changed(self) except -1:
        # Whether the value may differ from the source's bytes: it was set, or changed in place since it was handed out.
        # A list that was only read has not changed. A sequence that was handed out may have; ask its items.
        if self.is_set or not self.has_value or self.index is None or self.vr == SQ:
            return self.has_value
        return not same_values(decode(self.index, self.row, self.vr), held_by(self))

    cdef DataElement clone(self, Owner owner, memo):
        # The element for a copy of its data set. The value is shared, or copied too if there is a memo.
        cdef DataElement made = bare_element()
        made.index = self.index
        made.row = self.row
        made.number = self.number
        made.keep(owner)
        with cython.critical_section(self):
            made.vr = self.vr
            made.has_value = self.has_value
            made.is_set = self.is_set
            made.held = self.held
        if memo is not None:
            from copy import deepcopy

            made.held = deepcopy(made.held, memo)
        return made

    def __repr__(self) -> str:
        return ELEMENT_LINE(self)

    __str__ = __repr__


cdef DataElement bare_element():
    # An element that is still to be filled.
    if ELEMENT is None:
        return DataElement.__new__(DataElement)
    return <DataElement>(<PyTypeObject*>ELEMENT).tp_new(<type>ELEMENT, <PyObject*>NOTHING, NULL)


cdef DataElement element_of(uint32_t tag, uint16_t vr, object value):
    # An element that is made in memory, of a value that has its type already.
    cdef DataElement made = bare_element()
    made.number = tag
    made.vr = vr
    made.held = value
    made.has_value = made.is_set = True
    return made


def restored_element(cls, uint32_t tag, str vr not None, value) -> DataElement:
    """The element that was pickled."""
    cdef DataElement made = cls.__new__(cls)
    made.number = tag
    made.vr = vr_code(vr)
    made.held = value
    made.has_value = made.is_set = True
    return made


cdef DataElement new_element(Index index, Py_ssize_t row, Owner owner, bint distant):
    cdef DataElement made = bare_element()
    made.index = index
    made.row = row
    made.place = owner
    made.distant = distant
    made.has_value = made.is_set = False
    made.vr = NO_VR
    made.number = index.rows[row].tag
    return made


cdef class AllElements:
    # All elements of an unchanged data set, depth first. It walks along the rows and needs a stack of indices only for
    # sequences that are indexed late.

    def __iter__(self):
        return self

    @cython.critical_section
    def __next__(self):
        cdef Row* r
        cdef Py_ssize_t row
        cdef bint unresolved
        cdef DataElement made
        while True:
            if self.row >= self.stop:
                if not self.outer:
                    raise StopIteration
                self.index, self.row, self.stop = self.outer.pop()
                continue
            row = self.row
            r = &self.index.rows[row]
            self.row = r.next if r.flags & FRAGMENTS else row + 1
            if r.tag == ITEM:
                continue
            made = new_element(self.index, row, self.root, True)
            unresolved = r.vr == UN or r.vr == SQ or r.flags & IMPLICIT and r.vr == NO_VR
            if unresolved and r.length and not r.flags & CONTAINER:
                made.settle()
                if made.vr == SQ:
                    self.outer.append((self.index, self.row, self.stop))
                    self.index = open_value(self.index, row)
                    self.row = 1
                    self.stop = self.index.count
            return made
