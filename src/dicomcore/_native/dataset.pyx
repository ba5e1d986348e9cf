"""Data sets and elements as views over the index, made on demand; changes are laid over it, the source stays."""

cimport cython
from cpython.object cimport Py_EQ, Py_NE, PyObject
from libc.stdint cimport int64_t, uint16_t, uint32_t
from libc.stdlib cimport free, malloc

from dicomcore._native.decode cimport (
    count_multiplicity,
    decode,
    decode_array,
    empty_value,
    make_tag,
    raw_view,
    resolve_vr,
    vr_name,
)
from dicomcore._native.dictionary cimport (
    find_keyword,
    keyword_of_tag,
    name_of_private,
    name_of_tag,
    public_vr,
)
from dicomcore._native.index cimport Index, open_value
from dicomcore._native.scan cimport CONTAINER, FRAGMENTS, IMPLICIT, ITEM, NO_ROW, UNDEFINED, Row
from dicomcore._native.vr cimport *

from copy import deepcopy
from datetime import date, datetime, time

import numpy as np

from dicomcore.printing import element_line
from dicomcore.tags import Tag
from dicomcore.uids import UID
from dicomcore.values import PersonName, format_date, format_datetime, format_time

cdef extern from "Python.h":
    object PyObject_GenericGetAttr(object, object)
    int PyObject_GenericSetAttr(object, object, PyObject*) except -1

cdef enum:
    FEW_ROWS = 1024     # up to here memory is set aside for all rows below a data set, its own or not

# The façade's classes, told once at import: items are made of them.
cdef object DATASET = None
cdef object SEQUENCE = None
cdef object MISSING = object()
cdef object CHECK = None            # dicomcore.validation.check_value, once it is needed


def set_classes(dataset: type, sequence: type) -> None:
    """Tell which classes items and sequences are made of; called once by `dicomcore.dataset`."""
    global DATASET, SEQUENCE
    DATASET = dataset
    SEQUENCE = sequence


def make_dataset(cls: type, Index index not None, Py_ssize_t container, wanted: frozenset | None = None) -> DatasetBase:
    """A `cls` over the item at row `container` of an index, its data set (-1) or its file meta information (-2)."""
    cdef DatasetBase made = cls.__new__(cls)
    made.index = index
    made.container = container
    made.wanted = wanted
    return made


cdef int64_t tag_number(object key) except -2:
    # A tag from an int, keyword, (group, element) or anything Tag() takes; -1 for a word that is no keyword.
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
    # The items of an SQ element. One the scanner did not take for a sequence is indexed now.
    cdef list items = []
    cdef Py_ssize_t i, stop
    cdef DatasetBase item
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
    # The items of an SQ element as data sets nobody else holds.
    return <list>make_sequence(index, row)


cdef uint16_t vr_code(str vr) except 0xFFFF:
    if len(vr) == 2:
        code = <uint16_t>(ord(vr[0]) | ord(vr[1]) << 8)
        if vr_name(code) == vr:
            return code
    for code in (US_OR_SS, OB_OR_OW, US_OR_OW, US_OR_SS_OR_OW):
        if vr_name(code) == vr:
            return code
    raise ValueError(f"{vr!r} is not a VR")


cdef bint divides(uint16_t vr) noexcept nogil:
    # Text VRs in which a backslash divides values (PS3.5 6.4).
    return is_text(vr) and not is_single(vr) or vr == DS or vr == IS


cdef object dressed(object value, uint16_t vr, str checks=None):
    # A value as the VR's table has it, from what a caller sets: names, UIDs and numbers get their types.
    if value is None or isinstance(value, (bytes, bytearray, memoryview)):
        return value if value is not None else empty_value(vr)
    if vr == SQ:
        return dressed_items(value, checks)
    if isinstance(value, (list, tuple)):
        return [dressed(one, vr) for one in value]
    if isinstance(value, str):
        if "\\" in value and divides(vr):
            return [dressed(one, vr) for one in value.split("\\")]
        if vr == DS:
            return float(value) if value.strip() else ""
        if vr == IS:
            return int(value) if value.strip() else ""
    if vr == UI:
        return value if isinstance(value, UID) else UID(str(value))
    if vr == PN:
        return value if isinstance(value, PersonName) else PersonName(str(value))
    if vr == AT:
        return value if isinstance(value, (Tag, np.ndarray)) else Tag(value)
    if vr == DA and isinstance(value, date):
        return format_date(value)
    if vr == TM and isinstance(value, time):
        return format_time(value)
    if vr == DT and isinstance(value, datetime):
        return format_datetime(value)
    return value


cdef object dressed_items(object value, str checks):
    # A sequence of data sets, and of data sets made from dictionaries by keyword or tag.
    cdef list items = []
    cdef DatasetBase made
    if isinstance(value, SEQUENCE):
        return value
    for one in [value] if isinstance(value, (DatasetBase, dict)) else value:
        if isinstance(one, dict):
            made = DATASET()
            made.checks = checks
            made.update(one)
            one = made
        items.append(one)
    return SEQUENCE(items)


@cython.freelist(64)
cdef class DataElement:
    """One data element (PS3.5 7.1): tag, VR and a value, decoded when asked for.

    `DataElement(tag, VR, value)` makes one in memory. `value` is as the table in docs/design.md has it for the VR.
    """

    def __init__(self, tag, VR, value, *, already_converted=False):
        number = tag_number(tag)
        if number < 0:
            raise ValueError(f"{tag!r} is neither a tag nor a keyword")
        self.number = <uint32_t>number
        self.vr = vr_code(VR)
        self.held = dressed(value, self.vr)
        self.has_value = self.is_set = True

    cdef int settle(self) except -1:
        # Find out the VR of an element of the source.
        if self.vr == NO_VR:
            self.vr = resolve_vr(self.index, self.row)
        return 0

    @property
    def tag(self):
        """The element's Tag."""
        return make_tag(self.number)

    @property
    def VR(self) -> str:
        """The VR's two letters, resolved: see `resolve` in docs/design.md for UN, implicit VR and "US or SS"."""
        self.settle()
        return vr_name(self.vr)

    @VR.setter
    def VR(self, str vr not None):
        value = self.value
        self.vr = vr_code(vr)
        self.value = value

    @property
    def keyword(self) -> str:
        """The attribute's keyword (PS3.6), "" for one that isn't in the dictionary."""
        return keyword_of_tag(self.number)

    @property
    def name(self) -> str:
        """The attribute's name (PS3.6); for private ones "[name]" by the private dictionary, or what they are."""
        if self.number & 0x10000:
            creator = self.private_creator
            found = name_of_private(self.number, creator) if creator else ""
            if found:
                return f"[{found}]"
        return name_of_tag(self.number)

    @property
    def private_creator(self) -> str | None:
        """The creator that reserved this private element's block (PS3.5 7.8.1), None where there is none."""
        cdef DatasetBase owner
        if not self.number & 0x10000 or self.number & 0xFFFF < 0x1000 or self.owner is None:
            return None
        owner = self._home()
        creator = owner.tag_value((self.number & 0xFFFF0000) | (self.number & 0xFFFF) >> 8, None)
        return str(creator).strip() if creator else None

    def _home(self):
        """The data set the element belongs to; one met by iterall() is looked for from the root."""
        cdef DatasetBase place = self.owner
        cdef Index index = self.index
        cdef DataElement element
        cdef Py_ssize_t row = self.row
        cdef list path = []
        if not self.distant:
            return place
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
                if (<DatasetBase>item).container == row:
                    place = item
        self.owner = place
        self.distant = False
        return place

    cdef object get_value(self):
        cdef object value
        if self.has_value:
            return self.held
        self.settle()
        if self.vr == SQ:
            value = make_sequence(self.index, self.row)
        else:
            value = decode(self.index, self.row, self.vr)
            if type(value) is not list:
                return value
        if self.owner is None or self.distant:
            return value
        with cython.critical_section(self):
            if not self.has_value:              # what can be changed in place is handed out once
                self.held = value
                self.has_value = True
        self.owner.adopt(self)
        return self.held

    @property
    def value(self):
        """The value as a Python object; None or "" when empty."""
        return self.get_value()

    @value.setter
    def value(self, value):
        cdef DatasetBase home = None if self.owner is None else self._home()
        self.settle()
        value = dressed(value, self.vr, None if home is None else home.checks)
        if home is not None:
            home.check(self.number, self.vr, value)
            home.adopt(self)
        self.held = value
        self.has_value = self.is_set = True

    @property
    def raw(self) -> memoryview | None:
        """The value's bytes as they stand in the source, read-only; None for a value that was set."""
        if self.is_set or self.index is None:
            return None
        return raw_view(self.index, self.row)

    @property
    def array(self):
        """The value as a NumPy array: numbers in native byte order, DS float64, IS int64, bulk data as its VR's words.

        One-dimensional, one element a value; a view of the source's bytes where it can be one. None for a sequence.
        """
        self.settle()
        if self.vr == SQ:
            return None
        if not self.is_set and self.index is not None:
            return decode_array(self.index, self.row, self.vr)
        values = self.held if isinstance(self.held, list) else [self.held] if self.VM else []
        if is_text(self.vr):
            out = np.empty(len(values), object)
            out[:] = values
            return out
        kind = {"DS": "f8", "IS": "i8", "US": "u2", "SS": "i2", "UL": "u4", "SL": "i4", "UV": "u8", "SV": "i8",
                "FL": "f4", "FD": "f8", "AT": "u4"}.get(vr_name(self.vr))
        if kind is not None and not isinstance(self.held, (bytes, bytearray, memoryview)):
            return np.array(values, kind)
        words = {"OW": "u2", "OL": "u4", "OV": "u8", "OF": "f4", "OD": "f8"}.get(vr_name(self.vr), "u1")
        return np.frombuffer(self.held or b"", words)

    @property
    def VM(self) -> int:
        """How many values there are (PS3.5 6.4); 0 when empty, 1 for a sequence."""
        self.settle()
        if not self.has_value:
            return count_multiplicity(self.index, self.row, self.vr)
        if self.vr == SQ:
            return 1
        if isinstance(self.held, list):
            return len(<list>self.held)
        return 0 if self.held is None or (isinstance(self.held, (str, bytes)) and not self.held) else 1

    @property
    def offset(self) -> int | None:
        """Where the value begins, in bytes from the source's start (of the inflated data set, if deflated)."""
        return None if self.index is None else self.index.rows[self.row].offset

    @property
    def length(self) -> int | None:
        """Bytes of the value as it stands in the source, without delimiters; what is there, not what is claimed."""
        return None if self.index is None else self.index.known(self.row).length

    @property
    def is_undefined_length(self) -> bool:
        """Whether the length field says undefined (PS3.5 7.1.1)."""
        return self.index is not None and self.index.rows[self.row].flags & UNDEFINED != 0

    @property
    def is_private(self) -> bool:
        return self.number & 0x10000 != 0

    @property
    def is_empty(self) -> bool:
        return self.VM == 0

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
        return DataElement, (self.number, self.VR, self.value)

    def __deepcopy__(self, memo):
        return DataElement(self.number, self.VR, deepcopy(self.value, memo))

    @property
    def _changed(self) -> bool:
        # Whether the source's bytes may no longer tell the value: it was set, or changed in place since it was handed
        # out. A list that was only looked at is still what its bytes say; of a sequence its items know.
        if self.is_set or not self.has_value or self.index is None or self.vr == SQ:
            return self.has_value
        return decode(self.index, self.row, self.vr) != self.held

    def _clone(self, DatasetBase owner, memo):
        # The same element for a copy of its data set, the value shared, or copied too when there is a memo.
        cdef DataElement made = new_element(self.index, self.row, owner, False) if self.index is not None else \
            DataElement.__new__(DataElement)
        made.number = self.number
        made.vr = self.vr
        made.owner = owner
        made.has_value = self.has_value
        made.is_set = self.is_set
        made.held = deepcopy(self.held, memo) if memo is not None else self.held
        return made

    def __repr__(self) -> str:
        return element_line(self)

    __str__ = __repr__


cdef DataElement new_element(Index index, Py_ssize_t row, DatasetBase owner, bint distant):
    cdef DataElement made = DataElement.__new__(DataElement)
    made.index = index
    made.row = row
    made.owner = owner
    made.distant = distant
    made.number = index.rows[row].tag
    return made


cdef class AllElements:
    # Every element of an unchanged data set, depth first: a walk along the rows, with a stack of indices only for
    # sequences that are looked up late.
    cdef DatasetBase root
    cdef Index index
    cdef Py_ssize_t row, stop
    cdef list outer

    def __iter__(self):
        return self

    def __next__(self):
        cdef Row* r
        cdef Py_ssize_t row
        cdef bint untold
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
            untold = r.vr == UN or r.vr == SQ or r.flags & IMPLICIT and r.vr == NO_VR
            if untold and r.length and not r.flags & CONTAINER:
                made.settle()
                if made.vr == SQ:
                    self.outer.append((self.index, self.row, self.stop))
                    self.index = open_value(self.index, row)
                    self.row = 1
                    self.stop = self.index.count
            return made


cdef class DatasetBase:
    """What `Dataset` does in C: finding elements, handing out values, keeping changes."""

    def __cinit__(self, *args, **kwargs):
        self.container = NOWHERE
        self.arranged = -1

    def __dealloc__(self):
        free(self.order)

    # -- rows ------------------------------------------------------------------------------------------------------

    cdef int arrange(self) except -1:
        # Put the rows of this data set in order of tag; of several with one tag the last counts, as in pydicom.
        cdef Index index = self.index
        cdef Py_ssize_t i, first, stop, n = 0
        cdef uint32_t last = 0
        cdef uint32_t* order
        cdef bint ascending = True, everything = self.wanted is None
        cdef Row* rows
        if index is None:
            self.arranged = 0
            return 0
        with cython.critical_section(self):
            if self.arranged >= 0:
                return 0
            # The number of rows is read before their place: who publishes them does it the other way round, so that
            # rows read without its lock are never fewer than that.
            if self.container >= 0:
                first = self.container + 1
                stop = index.rows[self.container].next
            elif self.container == FILE_META:
                first, stop = 0, index.meta_count
            else:
                first, stop = index.meta_count, index.count
            rows = index.rows
            n = stop - first
            if n > FEW_ROWS:                    # nested rows don't count: look how many there are
                n = 0
                i = first
                while i < stop:
                    n += 1
                    i = rows[i].next
            order = <uint32_t*>malloc((n + 1) * sizeof(uint32_t))
            if order == NULL:
                raise MemoryError("no memory to arrange a data set")
            i = first
            n = 0
            while i < stop:
                if everything or rows[i].tag in self.wanted:
                    ascending &= rows[i].tag > last or n == 0
                    last = rows[i].tag
                    order[n] = <uint32_t>i
                    n += 1
                i = rows[i].next
            if not ascending:
                n = sort_rows(index, order, n)
            free(self.order)
            self.order = order
            self.arranged = n
        return 0

    cdef Py_ssize_t find_row(self, uint32_t tag) except -2:
        # The row of an element, -1 if the source has none.
        cdef Py_ssize_t low, high, middle
        cdef Row* rows
        cdef uint32_t there
        if self.index is None:
            return -1
        while True:
            if self.arranged < 0:
                self.arrange()
            rows = self.index.rows
            low = 0
            high = self.arranged
            while low < high:
                middle = (low + high) >> 1
                there = rows[self.order[middle]].tag
                if there == tag:
                    return self.order[middle]
                if there < tag:
                    low = middle + 1
                else:
                    high = middle
            if self.container != TOP_LEVEL or self.index.complete:
                return -1
            self.complete()

    cdef int complete(self) except -1:
        # What stands behind pixel data belongs to the data set too.
        if self.container == TOP_LEVEL and not self.index.complete:
            self.index.finish()
            with cython.critical_section(self):
                self.arranged = -1
        return 0

    cdef DataElement element_at(self, Py_ssize_t row):
        return new_element(self.index, row, self, False)

    cdef DataElement find(self, uint32_t tag):
        # The element with this tag, None if there is none; the same object every time.
        cdef Py_ssize_t row
        if self.elements is not None:
            found = self.elements.get(tag, MISSING)
            if found is not MISSING:
                return found
        row = self.find_row(tag)
        if row < 0:
            return None
        if self.elements is None:
            self.elements = {}
        return self.elements.setdefault(tag, self.element_at(row))

    cdef object row_value(self, Py_ssize_t row):
        cdef uint16_t vr = resolve_vr(self.index, row)
        cdef DataElement element
        if vr != SQ:
            value = decode(self.index, row, vr)
            if type(value) is not list:
                return value
        element = self.find(self.index.rows[row].tag)
        return element.get_value()

    cdef object tag_value(self, uint32_t tag, object default):
        cdef Py_ssize_t row
        if self.elements is not None:
            found = self.elements.get(tag, MISSING)
            if found is not MISSING:
                return default if found is None else (<DataElement>found).get_value()
        row = self.find_row(tag)
        return default if row < 0 else self.row_value(row)

    cdef int adopt(self, DataElement element) except -1:
        # From now on this object stands for the element: it was set, or its value can change in place.
        if self.elements is None:
            self.elements = {}
        self.elements[element.number] = element
        if self.index is not None:
            self.index.changed = True
        return 0

    cdef list tags(self):
        # Tags of all elements in ascending order.
        cdef Py_ssize_t i
        cdef list found
        self.complete()
        if self.arranged < 0:
            self.arrange()
        found = [self.index.rows[self.order[i]].tag for i in range(self.arranged)]
        if self.elements:
            merged = set(found)
            for tag, element in self.elements.items():
                if element is None:
                    merged.discard(tag)
                else:
                    merged.add(tag)
            if len(merged) != len(found) or not merged.issuperset(found):
                found = sorted(merged)
        return found

    # -- access ----------------------------------------------------------------------------------------------------

    def __getattribute__(self, name):
        cdef int64_t tag = find_keyword(name)
        if tag < 0:
            return PyObject_GenericGetAttr(self, name)
        value = self.tag_value(<uint32_t>tag, MISSING)
        if value is MISSING:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return value

    def __setattr__(self, name, value):
        cdef int64_t tag = find_keyword(name)
        if tag < 0:
            PyObject_GenericSetAttr(self, name, <PyObject*>value)
        else:
            self._set(<uint32_t>tag, value)

    def __delattr__(self, name):
        cdef int64_t tag = find_keyword(name)
        if tag < 0:
            PyObject_GenericSetAttr(self, name, NULL)
        elif self.find(<uint32_t>tag) is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        else:
            self._delete(<uint32_t>tag)

    def _set(self, uint32_t tag, value):
        cdef DataElement element
        cdef uint16_t vr
        if isinstance(value, DataElement):
            raise TypeError(f"an element is assigned with ds[{make_tag(tag)!r}] = element; "
                            f"ds.{keyword_of_tag(tag)} takes a value")
        element = self.find(tag)
        if element is None:
            vr = public_vr(tag)
            if vr == NO_VR:
                raise ValueError(f"the VR of {make_tag(tag)} is not known: use add_new(tag, VR, value)")
            value = dressed(value, vr, self.checks)
            self.check(tag, vr, value)
            element = DataElement.__new__(DataElement)
            element.number = tag
            element.vr = vr
            element.held = value
            element.has_value = element.is_set = True
            element.owner = self
            self.adopt(element)
        else:
            element.value = value

    cdef int check(self, uint32_t tag, uint16_t vr, object value) except -1:
        # Warn or raise where a value is not what its VR allows.
        global CHECK
        if self.checks == "ignore" or vr == SQ:
            return 0
        if CHECK is None:
            from dicomcore.validation import check_value as CHECK       # stands on data sets
        CHECK(self.checks or "warn", make_tag(tag), vr_name(vr), value)
        return 0

    @property
    def validation(self) -> str:
        """What becomes of a value that its VR doesn't allow (PS3.5 6.2) when it is set: "warn", "raise" or "ignore"."""
        return self.checks or "warn"

    @validation.setter
    def validation(self, str mode not None):
        if mode not in ("warn", "raise", "ignore"):
            raise ValueError(f"validation is 'warn', 'raise' or 'ignore', not {mode!r}")
        self.checks = mode

    def _delete(self, uint32_t tag):
        if self.elements is None:
            self.elements = {}
        if self.find_row(tag) >= 0:
            self.elements[tag] = None
        else:
            self.elements.pop(tag, None)
        if self.index is not None:
            self.index.changed = True

    def __getitem__(self, key):
        cdef int64_t tag
        cdef DataElement element
        if isinstance(key, slice):
            return self._slice(key)
        tag = tag_number(key)
        if tag >= 0:
            element = self.find(<uint32_t>tag)
            if element is not None:
                return element
        raise KeyError(key if tag < 0 else make_tag(<uint32_t>tag))

    def __setitem__(self, key, DataElement element not None):
        cdef int64_t tag = tag_number(key)
        if tag != element.number:
            raise ValueError(f"the element's tag is {element.tag}, not {key!r}")
        if element.owner is not None and element.owner is not self:
            element = DataElement(element.number, element.VR, element.value)
        element.owner = self
        self.adopt(element)

    def __delitem__(self, key):
        cdef int64_t tag
        if isinstance(key, slice):
            for found in [element.tag for element in self._slice(key)]:
                self._delete(found)
            return
        tag = tag_number(key)
        if tag < 0 or self.find(<uint32_t>tag) is None:
            raise KeyError(key)
        self._delete(<uint32_t>tag)

    def __contains__(self, key) -> bool:
        cdef int64_t tag
        try:
            tag = tag_number(key)
        except (ValueError, TypeError, OverflowError):
            return False
        if tag < 0:
            return False
        if self.elements is not None:
            found = self.elements.get(tag, MISSING)
            if found is not MISSING:
                return found is not None
        return self.find_row(<uint32_t>tag) >= 0

    def get(self, key, default=None):
        """The value for a keyword, the DataElement for any other form of tag; `default` where there is none."""
        cdef int64_t tag
        if isinstance(key, str):
            tag = find_keyword(key)
            if tag >= 0:
                return self.tag_value(<uint32_t>tag, default)
        try:
            tag = tag_number(key)
        except (ValueError, TypeError, OverflowError):
            return default
        if tag < 0:
            return getattr(self, key, default) if isinstance(key, str) else default
        element = self.find(<uint32_t>tag)
        return default if element is None else element

    def __len__(self) -> int:
        return len(self.tags())

    def __iter__(self):
        cdef uint32_t tag
        for tag in self.tags():
            element = self.find(tag) if self.elements else self.element_at(self.find_row(tag))
            if element is not None:
                yield element

    def iterall(self):
        """Every element, depth first: a sequence's own before those of its items."""
        cdef AllElements found
        if self.index is None or self.index.changed or self.elements or self.wanted is not None:
            return self._iterall_changed()
        self.complete()
        if self.arranged < 0:
            self.arrange()
        found = AllElements.__new__(AllElements)
        found.root = self
        found.index = self.index
        found.outer = []
        if self.container >= 0:
            found.row = self.container + 1
            found.stop = self.index.rows[self.container].next
        elif self.container == FILE_META:
            found.stop = self.index.meta_count
        else:
            found.row = self.index.meta_count
            found.stop = self.index.count
        return found if self.in_order() else self._iterall_changed()

    cdef bint in_order(self):
        # Whether rows follow each other by tag, so that walking along them is iteration order.
        cdef Py_ssize_t i
        for i in range(1, self.arranged):
            if self.order[i] <= self.order[i - 1]:
                return False
        return True

    def _iterall_changed(self):
        stack = [iter(self)]
        while stack:
            for element in stack[len(stack) - 1]:
                yield element
                if element.VR == "SQ":
                    stack.append(chain_items(element.value))
                    break
            else:
                stack.pop()

    def keys(self):
        """Tags of all elements, ascending."""
        return [make_tag(tag) for tag in self.tags()]

    # -- for the rooms above ---------------------------------------------------------------------------------------

    @property
    def _index(self) -> Index | None:
        return self.index

    @property
    def _row(self) -> int:
        return self.container

    def _state(self):
        return self.index, self.container, self.wanted, self.elements

    def _restore(self, Index index, Py_ssize_t container, wanted, elements):
        self.index = index
        self.container = container
        self.wanted = wanted
        self.elements = elements
        self.arranged = -1

    def _take(self, dict elements, chosen, memo):
        # Lay another data set's changes over this one's rows, those of the `chosen` tags or all.
        cdef dict taken = {}
        if elements is None:
            return
        for tag, element in elements.items():
            if chosen is None or tag in chosen:
                taken[tag] = None if element is None else (<DataElement>element)._clone(self, memo)
        self.elements = taken
        if taken and self.index is not None:
            self.index.changed = True


def chain_items(items):
    """The elements of every item, one after another."""
    for item in items:
        yield from item


cdef Py_ssize_t sort_rows(Index index, uint32_t* order, Py_ssize_t n) except -1:
    # Rows by tag; the last of several with one tag stays, and their being there is noted.
    cdef Py_ssize_t i, kept = 0
    cdef uint32_t row
    cdef list pairs = [(index.rows[order[i]].tag, order[i]) for i in range(n)]
    pairs.sort()
    for i in range(n):
        row = (<tuple>pairs[i])[1]
        if kept and index.rows[order[kept - 1]].tag == index.rows[row].tag:
            if index.rows[order[kept - 1]].next != row:     # the scanner saw those that follow each other
                index.note("DUPLICATE_TAG", index.rows[row].tag, index.rows[row].offset - index.rows[row].header,
                           "stands more than once; the last one counts")
            order[kept - 1] = row
        else:
            order[kept] = row
            kept += 1
    return kept
