"""Data sets: views over an index, made on demand. Changes are laid over the index; the source is never modified."""

cimport cython
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint16_t, uint32_t

from dicomcore._native.views.data_element cimport (
    AllElements,
    DataElement,
    bare_element,
    carried,
    new_element,
    owner_of,
    tag_number,
)
from dicomcore._native.views.coerce cimport coerced_for
from dicomcore._native.views.decode cimport decode, make_tag, resolve_vr, vr_name
from dicomcore._native.views.facade cimport ADVICE, CHECK_NAME, CHECK_VALUE, SETTING_ADVICE
from dicomcore._native.views.order cimport free_orders, in_order, ordered
from dicomcore._native.views.unfold cimport enter
from dicomcore._native.base.dictionary cimport find_keyword, keyword_of_tag, public_vr
from dicomcore._native.scan.index cimport Index, check_row, is_complete, mark_changed, rows_of
from dicomcore._native.scan.scan cimport BIG_ENDIAN, NO_ROW, PIXEL_DATA, Row
from dicomcore._native.base.shared cimport load_flag, load_pointer, order_writes, store_pointer
from dicomcore._native.base.vr cimport NO_VR, OW, SQ, swap_width

from dicomcore._native.base.swap import swap_words

cdef extern from "Python.h":
    object PyObject_GenericGetAttr(object, object)
    int PyObject_GenericSetAttr(object, object, PyObject*) except -1

cdef enum:
    BITS_ALLOCATED = 0x00280100
    UNSORTED = -3               # an answer of search()

cdef object MISSING = object()
cdef dict CHECKS = {mode: mode for mode in ("warn", "raise", "ignore")}


def make_dataset(cls, Index index not None, Py_ssize_t container, wanted: frozenset | None = None) -> DatasetBase:
    """A `cls` over an index: the item at row `container`, the whole data set (-1), or file meta information (-2)."""
    cdef DatasetBase made = cls.__new__(cls)
    if container >= 0:
        check_row(index, container)
    made.index = index
    made.container = container
    made.wanted = wanted
    return made


cdef inline dict overlay_of(DatasetBase self):
    # `elements`, created at its first use and never replaced. Threads change it only inside the data set's critical
    # section, so that an object that another thread looks up there is not freed before that thread has a reference.
    cdef dict made
    if self.elements is None:
        made = {}
        order_writes()                          # threads test for None without the critical section
        self.elements = made
    return self.elements


cdef class DatasetBase(Owner):
    """The native part of `Dataset`: finds elements, hands out values, keeps changes."""

    def __cinit__(self, *args, **kwargs):
        self.container = NOWHERE

    def __dealloc__(self):
        free_orders(self.order)

    # -- rows

    cdef int span(self, Py_ssize_t* first, Py_ssize_t* stop) except -1:
        # The range that contains this data set's rows, as far as they were scanned.
        cdef Index index = self.index
        first[0] = stop[0] = 0
        if index is None:
            return 0
        if self.container >= 0:
            first[0] = self.container + 1
            stop[0] = index.rows[self.container].next
        elif self.container == FILE_META:
            stop[0] = index.meta_count
        else:
            first[0] = index.meta_count
            stop[0] = index.header_rows if self.apart else rows_of(index)
        return 0

    cdef bint is_whole(self) noexcept:
        # Whether no rows will be added. Rows behind pixel data are scanned when they are first needed.
        return self.index is None or self.container != TOP_LEVEL or self.apart or is_complete(self.index)

    cdef Order* arrange(self) except NULL:
        # Sort the rows of this data set by tag.
        cdef Py_ssize_t first, stop
        cdef Order* order
        cdef bint whole
        with cython.critical_section(self):
            whole = self.is_whole()             # ask first: another thread may publish more rows
            if self.order != NULL and (self.order.whole or not whole):
                return self.order
            self.span(&first, &stop)
            order = ordered(self.index, first, stop, self.wanted)
            order.whole = whole
            order.before = self.order
            store_pointer(<void**>&self.order, order)
            return order

    cdef Py_ssize_t find_row(self, uint32_t tag) except -2:
        # The row of an element, -1 if the source doesn't have it.
        cdef Py_ssize_t low, high, middle
        cdef Order* order
        cdef Row* rows
        cdef uint32_t there
        if self.index is None:
            return -1
        order = <Order*>load_pointer(<void**>&self.order)
        if order == NULL:
            middle = self.search(tag)
            if middle != UNSORTED:
                return middle
            order = self.arrange()
        while True:
            rows = self.index.rows
            low = 0
            high = order.count
            while low < high:
                middle = (low + high) >> 1
                there = rows[order.rows[middle]].tag
                if there == tag:
                    return order.rows[middle]
                if there < tag:
                    low = middle + 1
                else:
                    high = middle
            if order.whole:
                return -1
            order = self.complete()

    cdef Py_ssize_t search(self, uint32_t tag) except -2:
        # The row of an element among rows that ascend as they are, -1 if there is none; UNSORTED if they may not.
        cdef Index index = self.index
        cdef Py_ssize_t low, high, middle
        cdef uint32_t around = <uint32_t>self.container if self.container >= 0 else <uint32_t>NO_ROW
        cdef Row* rows
        cdef bint whole
        if self.wanted is not None:
            return UNSORTED
        while True:
            whole = self.is_whole()             # ask first: another thread may publish more rows
            self.span(&low, &high)
            if load_flag(&index.scanner.disordered):
                return UNSORTED
            rows = index.rows
            while low < high:
                middle = (low + high) >> 1
                while rows[middle].parent != around:
                    middle = rows[middle].parent        # a row of an item: the element in this data set
                if rows[middle].tag == tag:
                    return middle
                if rows[middle].tag < tag:
                    low = rows[middle].next
                else:
                    high = middle
            if whole:
                return -1
            index.finish()

    cdef Order* complete(self) except NULL:
        # The order of all rows, including those behind pixel data.
        cdef Order* order
        if not self.is_whole():
            self.index.finish()
        order = <Order*>load_pointer(<void**>&self.order)
        return order if order != NULL and order.whole else self.arrange()

    # -- elements

    cdef dict changes(self):
        # A copy of `elements`, to iterate over while other threads change it.
        return {} if self.elements is None else self.elements.copy()

    cdef object lying_over(self, uint32_t tag):
        # The change laid over this tag: a DataElement, None if it was deleted, MISSING if there is no change.
        if self.elements is None:
            return MISSING
        with cython.critical_section(self):
            return self.elements.get(tag, MISSING)

    cdef DataElement element_over(self, uint32_t tag):
        # The same, but None if there is no change.
        found = self.lying_over(tag)
        return None if found is MISSING else found

    cdef DataElement element_at(self, Py_ssize_t row):
        return new_element(self.index, row, self, False)

    cdef DataElement find(self, uint32_t tag):
        # The element with this tag, None if there is none; the same object every time.
        cdef Py_ssize_t row
        cdef DataElement made
        found = self.lying_over(tag)
        if found is not MISSING:
            return found
        row = self.find_row(tag)
        if row < 0:
            return None
        made = self.element_at(row)
        made.keep(self)
        with cython.critical_section(self):
            return overlay_of(self).setdefault(tag, made)

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
            found = self.lying_over(tag)
            if found is not MISSING:
                return default if found is None else (<DataElement>found).get_value()
        row = self.find_row(tag)
        return default if row < 0 else self.row_value(row)

    cdef int adopt(self, DataElement element) except -1:
        # From now on this object is the element: its value was set, or can change in place.
        if not element.kept:
            element.keep(self)
        with cython.critical_section(self):
            overlay_of(self)[element.number] = element
        return self.mark()

    cdef int mark(self) except -1:
        # Note that a value was set, or can change in place, so that the source's bytes may no longer be the value.
        if not self.apart:
            mark_changed(self.index)
        return 0

    cdef DataElement keeper_of(self, DataElement element):
        # The element that holds the value of this element's row, now that the value is handed out and can change in
        # place: the first element whose value was read. If another element was set for the tag, or it was deleted,
        # this element holds its own value.
        cdef DataElement found
        with cython.critical_section(self):
            found = overlay_of(self).setdefault(element.number, element)
        if found is element and not element.kept:
            element.keep(self)
        self.mark()
        if found is None or found.index is not element.index or found.row != element.row or found.is_set:
            return element
        return found

    cdef list tags(self):
        # The tags of all elements, ascending.
        cdef Py_ssize_t i
        cdef list found
        cdef Order* order = self.complete()
        found = [self.index.rows[order.rows[i]].tag for i in range(order.count)]
        if self.elements:
            merged = set(found)
            for tag, element in self.changes().items():
                if element is None:
                    merged.discard(tag)
                else:
                    merged.add(tag)
            if len(merged) != len(found) or not merged.issuperset(found):
                found = sorted(merged)
        return found

    # -- access

    def __getattribute__(self, name):
        cdef int64_t tag = find_keyword(name)
        if tag < 0:
            try:
                return PyObject_GenericGetAttr(self, name)
            except AttributeError as error:
                message = ADVICE(self, name)
                if message is None:
                    raise
                raise AttributeError(message, name=name, obj=self) from error
        value = self.tag_value(<uint32_t>tag, MISSING)
        if value is MISSING:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return value

    def __setattr__(self, name, value):
        cdef int64_t tag = find_keyword(name)
        if tag < 0:
            if name != name.lower() and self.checks != "ignore":
                self.check_name(name)
            try:
                PyObject_GenericSetAttr(self, name, <PyObject*>value)
            except AttributeError as error:
                message = SETTING_ADVICE(self, name)
                if message is None:
                    raise
                raise AttributeError(message, name=name, obj=self) from error
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
            value = coerced_for(tag, value, vr, self.checks)
            self.check(tag, vr, value)
            element = bare_element()
            element.number = tag
            element.vr = vr
            element.held = value
            element.has_value = element.is_set = True
            self.adopt(element)
        else:
            element.value = value

    cdef int check(self, uint32_t tag, uint16_t vr, object value) except -1:
        # Warn or raise if the VR doesn't allow the value.
        if self.checks == "ignore" or vr == SQ:
            return 0
        CHECK_VALUE(self.checks or "warn", make_tag(tag), vr_name(vr), value)
        return 0

    cdef int check_name(self, name) except -1:
        # Warn or raise if an attribute's name looks like a misspelt keyword.
        if not hasattr(type(self), name):
            CHECK_NAME(self.checks or "warn", name)
        return 0

    @property
    def validation(self) -> str:
        """What happens if a value is set that its VR doesn't allow (PS3.5 6.2): "warn", "raise" or "ignore"."""
        return self.checks or "warn"

    @validation.setter
    def validation(self, str mode not None):
        if mode not in ("warn", "raise", "ignore"):
            raise ValueError(f"validation is 'warn', 'raise' or 'ignore', not {mode!r}")
        self.checks = CHECKS[mode]              # a string that is never freed: other threads may be reading it

    def _delete(self, uint32_t tag):
        cdef bint stands = self.find_row(tag) >= 0
        with cython.critical_section(self):
            if stands:
                overlay_of(self)[tag] = None
            else:
                overlay_of(self).pop(tag, None)
        self.mark()

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
        elsewhere = element.distant
        owner = owner_of(element)
        if elsewhere or (owner is not self and (owner is not None or element.index is not None)):
            element = brought(self, element)     # it belongs to another data set
        if self.checks != "ignore":
            element.settle()
            self.check(element.number, element.vr, element.get_value())
        element.keep(self)
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
        found = self.lying_over(<uint32_t>tag)
        if found is not MISSING:
            return found is not None
        return self.find_row(<uint32_t>tag) >= 0

    def get(self, key, default=None):
        """The value for a keyword, the DataElement for any other form of tag; `default` if there is none."""
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
        cdef Py_ssize_t row
        for tag in self.tags():
            if self.elements:
                element = self.find(tag)
            else:
                row = self.find_row(tag)
                element = self.element_at(row) if row >= 0 else None
            if element is not None:                 # else another thread has deleted it
                yield element

    def iterall(self):
        """All elements, depth first: a sequence's element comes before those of its items."""
        cdef AllElements found
        cdef Order* order
        if (self.index is None or self.apart or self.wanted is not None or self.elements
                or load_flag(&self.index.changed)):
            return self._iterall_changed()
        order = self.complete()
        found = AllElements.__new__(AllElements)
        found.root = self
        found.index = self.index
        found.outer = []
        self.span(&found.row, &found.stop)
        return found if in_order(order) else self._iterall_changed()

    def _iterall_changed(self):
        cdef set above = {id(self)}
        stack = [(self, iter(self), iter(()))]      # open data sets, each with the rest of its elements and items
        while stack:
            data_set, elements, items = stack[len(stack) - 1]
            item = next(items, None)
            if item is not None:
                enter(above, item)
                stack.append((item, iter(item), iter(())))
                continue
            element = next(elements, None)
            if element is None:
                stack.pop()
                above.discard(id(data_set))
                continue
            yield element
            if element.VR == "SQ":
                stack[len(stack) - 1] = (data_set, elements, iter(element.value))

    def keys(self):
        """The tags of all elements, ascending."""
        return [make_tag(tag) for tag in self.tags()]

    # -- copies

    cdef int over(self, Index index, Py_ssize_t container, object wanted, bint apart) except -1:
        # Make a new data set a view over rows.
        self.index = index
        self.container = container
        self.wanted = wanted
        self.apart = apart
        return 0

    cdef int take(self, dict changes, object chosen, object memo) except -1:
        # Lay clones of another data set's changes, of the `chosen` tags or all, over the rows of a new data set.
        cdef dict taken = {}
        if changes is None:
            return 0
        for tag, element in changes.items():
            if chosen is None or tag in chosen:
                taken[tag] = None if element is None else (<DataElement>element).clone(self, memo)
        self.elements = taken
        if taken:
            self.mark()
        return 0

    @property
    def _kept(self) -> dict:
        # Objects that belong to the data set besides its elements, see `kept`; created at its first use.
        cdef dict made
        if self.kept is None:
            with cython.critical_section(self):
                if self.kept is None:
                    made = {}
                    order_writes()
                    self.kept = made
        return self.kept


cdef DataElement brought(DatasetBase self, DataElement element):
    # A copy of another data set's element for this one, with bytes in the byte order of this data set, which is little
    # endian if it was made in memory.
    cdef DataElement made = carried(element)
    cdef Owner owner = owner_of(element)
    cdef Row* r
    cdef bint big = False
    cdef Py_ssize_t width
    if type(made.held) is not bytes or element.is_set or element.index is None:
        return made
    if self.index is not None:
        r = &self.index.rows[self.container] if self.container >= 0 else NULL
        big = ((self.index.mode if r == NULL else r.flags) & BIG_ENDIAN) != 0
    if ((element.index.rows[element.row].flags & BIG_ENDIAN) != 0) != big:
        width = swap_width(made.vr)
        if made.number == PIXEL_DATA and made.vr == OW and owner is not None:   # swap whole pixel cells
            bits = owner.tag_value(BITS_ALLOCATED, 16)
            width = bits // 8 if bits == 32 or bits == 64 else width
        made.held = turned(made.held, width)
    return made


cdef bytes turned(bytes data, Py_ssize_t width):
    # Reverse the bytes of each word of `width` bytes; an incomplete last word is not changed.
    cdef Py_ssize_t whole = len(data) // width * width
    cdef bytearray made = bytearray(data)
    if width > 1:
        swap_words(memoryview(data)[:whole], memoryview(made)[:whole], width)
    return bytes(made)
