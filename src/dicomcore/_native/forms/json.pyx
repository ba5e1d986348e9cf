"""Writes a data set as DICOM JSON (PS3.18 Annex F) from its rows: text, numbers and bytes go from the source into the
document without intermediate Python objects. The façade decodes unusual values and writes their JSON.
"""

from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from dicomcore._native.views.data_element cimport DataElement, is_itemless, is_row_itemless
from dicomcore._native.views.dataset cimport DatasetBase
from dicomcore._native.views.decode cimport decode, is_lut_descriptor, resolve_vr, vr_name
from dicomcore._native.forms.document cimport Document
from dicomcore._native.scan.index cimport Index, open_value
from dicomcore._native.scan.scan cimport BIG_ENDIAN, CONTAINER, ITEM, PIXEL_REPRESENTATION, Row
from dicomcore._native.scan.source cimport Source
from dicomcore._native.base.swap cimport swap
from dicomcore._native.base.text cimport is_ascii
from dicomcore._native.base.vr cimport *

from dicomcore._native.views.dataset import make_dataset
from dicomcore.errors import EncodeError

cdef extern from "Python.h":
    bint PyObject_CheckBuffer(object thing)
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

cdef extern from "forms/base64.h" nogil:
    void dc_base64(const uint8_t* src, Py_ssize_t n, uint8_t* dst) noexcept

cdef object SAFE = (1 << 53) - 1    # the largest integer that every reader keeps exactly (PS3.18 F.2.3)

cdef enum:
    NUMBER_ROOM = 32        # bytes that are enough for any number
    PART = 96 * 1024        # bytes encoded in base64 at a time, without the GIL; a multiple of 3 and of each word size
    DEEPEST = 10_000        # levels of data sets made in memory: a data set that contains itself has endless levels

cdef enum Kind:
    ROWS        # consecutive elements of the index, in ascending order of tag
    ITEMS       # the rows of a sequence's items
    VIEW        # a DatasetBase: its elements by tag, changes included
    VIEWS       # the items of a sequence that was set, or that the caller has seen

cdef struct Level:
    uint8_t kind
    bint any            # something was written: a comma goes before the next element or item
    bint owns           # the last entry of `owners` belongs to this level
    Py_ssize_t row      # ROWS, ITEMS: the next row of the index
    Py_ssize_t stop


cdef bint is_ascending(Index index, Py_ssize_t first, Py_ssize_t stop) noexcept nogil:
    # Whether the elements [first, stop) are in ascending order of tag, without duplicates.
    cdef Py_ssize_t i = first
    cdef uint32_t last = 0
    while i < stop:
        if index.rows[i].tag <= last and i != first:
            return False
        last = index.rows[i].tag
        i = index.rows[i].next
    return True


cdef class Writer(Document):
    # Writes a data set into the document, with a stack of levels.
    cdef object odd             # odd(vr, value) -> the JSON that follows the VR of an unusual value
    cdef object bulk            # bulk(element) -> URI; or a str, what stands before tag/offset in URIs; or None
    cdef uint32_t added_tag     # of an attribute of the top level that the data set need not have
    cdef object added           # its JSON, None once it is written, or if the data set has it
    cdef DatasetBase whole      # the data set whose rows are the top level
    cdef Py_ssize_t most        # most bytes of a value that stays inline if there is a `bulk`
    cdef Index index            # of the innermost level of rows
    cdef Level* levels
    cdef Py_ssize_t depth, level_capacity
    cdef list owners
    cdef Py_ssize_t views
    cdef type data_set_class

    def __cinit__(self):
        self.owners = []

    def __dealloc__(self):
        free(self.levels)

    # -- levels

    cdef int push(self, Kind kind, Py_ssize_t row, Py_ssize_t stop, object owner) except -1:
        cdef Level* levels
        cdef Py_ssize_t wanted
        if self.depth == self.level_capacity:
            wanted = 2 * self.level_capacity + 16
            levels = <Level*>realloc(self.levels, wanted * sizeof(Level))
            if levels == NULL:
                raise MemoryError("no memory for nested sequences")
            self.levels = levels
            self.level_capacity = wanted
        self.levels[self.depth] = Level(kind, False, owner is not None, row, stop)
        self.depth += 1
        if owner is not None:
            self.owners.append(owner)
        return 0

    cdef int push_view(self, DatasetBase view) except -1:
        self.views += 1
        if self.views > DEEPEST:
            raise EncodeError(f"data sets nested deeper than {<int>DEEPEST}: does one contain itself?")
        return self.push(VIEW, 0, 0, (view, iter(view.tags())))

    cdef int push_whole(self, DatasetBase view) except -1:
        # The top level: as rows, if it was not changed and they are in order.
        cdef Py_ssize_t first, stop
        if view.index is None or view.elements or view.wanted is not None:
            return self.push_view(view)
        if not view.is_whole():
            view.index.finish()
        view.span(&first, &stop)
        if not is_ascending(view.index, first, stop):
            return self.push_view(view)
        self.whole = view
        self.index = view.index
        return self.push(ROWS, first, stop, None)

    cdef int pop(self) except -1:
        cdef Level* level = &self.levels[self.depth - 1]
        self.depth -= 1
        if level.kind == ITEMS or level.kind == VIEWS:
            self.put(b"]}", 2)
        else:
            self.put_byte(0x7D)
        if level.kind == VIEW:
            self.views -= 1
        if level.owns:
            owner = self.owners.pop()
            if level.kind == ITEMS:
                self.index = (<tuple>owner)[0]
        return 0

    cdef int run(self) except -1:
        # Write the levels, the innermost first, until none is left.
        cdef Level* level
        while self.depth:
            level = &self.levels[self.depth - 1]
            if level.kind == ROWS:
                if level.row < level.stop:
                    self.next_row(level)
                    continue
            elif level.kind == ITEMS:
                if level.row < level.stop:
                    self.next_item(level)
                    continue
            elif self.next_of_view(level):
                continue
            if self.depth == 1 and self.added is not None:
                self.put_added(&self.levels[0])
            self.pop()
        return 0

    cdef inline int comma(self, Level* level) except -1:
        if level.any:
            self.put_byte(0x2C)
        level.any = True
        return 0

    cdef int next_row(self, Level* level) except -1:
        cdef Py_ssize_t row = level.row
        cdef uint32_t tag = self.index.rows[row].tag
        level.row = self.index.known(row).next
        if tag & 0xFFFF == 0:                   # group lengths stay out (PS3.18 F.2.2)
            return 0
        if self.depth == 1:
            self.passed(level, tag)
            return self.comma(level) or self.put_row(self.index, row, self.whole)
        self.comma(level)
        return self.put_row(self.index, row, None)

    cdef int next_item(self, Level* level) except -1:
        cdef Py_ssize_t row = level.row, stop = self.index.rows[row].next
        level.row = stop
        if self.index.rows[row].tag != ITEM:
            return 0
        self.comma(level)
        self.put_byte(0x7B)
        if is_ascending(self.index, row + 1, stop):
            return self.push(ROWS, row + 1, stop, None)
        return self.push_view(make_dataset(self.data_set_class, self.index, row))

    cdef bint next_of_view(self, Level* level) except -1:
        # Write the next element of a VIEW, or the next item of VIEWS; False if none is left.
        cdef DatasetBase view
        cdef DataElement element
        cdef uint32_t tag
        owner = self.owners[len(self.owners) - 1]
        if level.kind == VIEWS:
            view = next(owner, None)
            if view is None:
                return False
            self.comma(level)
            self.put_byte(0x7B)
            self.push_view(view)
            return True
        view, tags = owner
        found = next(tags, None)
        if found is None:
            return False
        tag = found
        if tag & 0xFFFF == 0:
            return True
        if self.depth == 1:
            self.passed(level, tag)
        self.comma(level)
        element = view.element_over(tag)
        if element is None:
            self.put_row(view.index, view.find_row(tag), view)
        elif element.index is not None and not element.is_set and (not element.has_value or not keeps(element)):
            self.put_row(element.index, element.row, view)
        else:
            self.put_element(element, view)
        return True

    cdef inline int passed(self, Level* level, uint32_t tag) except -1:
        # Before an element of the top level: the added attribute goes before the first of a higher tag.
        if self.added is None or tag < self.added_tag:
            return 0
        if tag > self.added_tag:
            return self.put_added(level)
        self.added = None
        return 0

    cdef int put_added(self, Level* level) except -1:
        text, self.added = self.added, None
        self.comma(level)
        self.reserve(10)
        self.put_tag(self.added_tag)
        self.put_byte(0x3A)
        return self.put_str(text)

    # -- elements

    cdef int put_head(self, uint32_t tag, uint16_t vr) except -1:
        # "GGGGEEEE":{"vr":"XX"
        cdef uint8_t* p
        self.reserve(32)
        self.put_tag(tag)
        p = self.data + self.size
        memcpy(p, b':{"vr":"', 8)
        p[8] = vr & 0xFF
        p[9] = vr >> 8
        p[10] = 0x22
        self.size += 11
        return 0

    cdef int put_element(self, DataElement element, DatasetBase view) except -1:
        # Write an element whose value was set or may have been changed.
        cdef uint16_t vr = element.vr
        cdef Py_ssize_t mark
        value = element.get_value()
        if vr_form(vr) == VR_UNKNOWN:
            vr = settled(vr, value, view)
        self.put_head(element.number, vr)
        if vr == SQ:
            if not value:
                return self.put_byte(0x7D)
            self.put(b',"Value":[', 10)
            return self.push(VIEWS, 0, 0, iter(value))
        if self.bulk is not None and is_bytes(vr):
            size = memoryview(value).nbytes if PyObject_CheckBuffer(value) else 0
            if size > self.most and not isinstance(self.bulk, str):
                return self.put_uri(self.bulk(element))
            if size > self.most and element.offset is not None:
                return self.put_uri(f"{self.bulk}{element.number:08X}/{element.offset}")
        mark = self.size
        try:
            if not self.put_held(vr, value):
                self.size = mark
                self.put_str(self.odd(vr_name(vr), value))
        except (ValueError, TypeError, OverflowError) as error:
            raise EncodeError(f"{element.tag} {element.keyword}: {error}") from error
        return self.put_byte(0x7D)

    cdef bint put_held(self, uint16_t vr, object value) except -1:
        # Write a value from memory, or several in a list, that has the type which reading gives; False for others.
        cdef list values
        if type(value) is not list:
            if value is None or isinstance(value, str) and not value:
                return True
            self.put(b',"Value":[', 10)
            if not self.put_single(vr, value):
                return False
            self.put_byte(0x5D)
            return True
        values = (<list>value).copy()           # other threads may change it
        if len(values) == 0 or len(values) == 1 and (values[0] is None or values[0] == ""):
            return False
        self.put(b',"Value":[', 10)
        for one in values:
            if one is None or isinstance(one, str) and not one:
                self.put(b"null", 4)
            elif not self.put_single(vr, one):
                return False
            self.put_byte(0x2C)
        self.data[self.size - 1] = 0x5D
        return True

    cdef bint put_single(self, uint16_t vr, object value) except -1:
        cdef Py_ssize_t n
        cdef const char* p
        self.reserve(NUMBER_ROOM)
        if type(value) is float and (vr == DS or vr == FD or vr == FL):
            if not isfinite(<double>value):
                return False
            self.put_double(value)
        elif type(value) is int and (vr == IS or is_number(vr) and vr != FD and vr != FL):
            if not -SAFE <= value <= SAFE:
                return False
            self.put_wide(<uint64_t><int64_t>value, True)
        elif is_text(vr) and isinstance(value, str):
            if vr == PN and value.endswith("="):
                return False
            p = PyUnicode_AsUTF8AndSize(value, &n)
            self.ascii = self.ascii and value.isascii()
            self.put_one(<const uint8_t*>p, n, vr)
        else:
            return False
        return True

    cdef int put_uri(self, object uri) except -1:
        cdef Py_ssize_t n
        cdef const char* p
        if not isinstance(uri, str):
            raise TypeError(f"bulk_data_element_handler gives a URI as str, not {type(uri).__name__}")
        p = PyUnicode_AsUTF8AndSize(uri, &n)
        self.ascii = self.ascii and uri.isascii()
        self.put(b',"BulkDataURI":', 15)
        self.put_quoted(<const uint8_t*>p, n)
        return self.put_byte(0x7D)

    cdef int put_row(self, Index index, Py_ssize_t row, DatasetBase view) except -1:
        # Write an element of the source. It belongs to `view`, or to the item around the row if `view` is None.
        cdef Row* r = index.known(row)
        cdef uint16_t vr = resolve_vr(index, row)
        cdef Py_ssize_t n = <Py_ssize_t>r.length, mark
        cdef const uint8_t* p
        cdef bint done

        self.put_head(r.tag, vr)
        if vr == SQ:
            return self.put_sequence(index, row)
        if n == 0:
            return self.put_byte(0x7D)
        if is_bytes(vr):
            if self.bulk is not None and n > self.most:
                if isinstance(self.bulk, str):
                    return self.put_uri(f"{self.bulk}{r.tag:08X}/{r.offset}")
                if view is None:
                    view = make_dataset(self.data_set_class, index, index.rows[row].parent)
                return self.put_uri(self.bulk(view.find(r.tag)))
            return self.put_bytes(index.source, r.offset, n, word_size(vr) if r.flags & BIG_ENDIAN else 1)
        _owner = index.hold(r, &p)
        mark = self.size
        if vr == DS or vr == IS:
            done = self.put_number_texts(p, n, vr == IS)
        elif is_text(vr):
            done = self.put_texts(p, n, vr) if is_ascii(p, n) else self.put_coded(index, row, vr)
        else:
            done = n % word_size(vr) == 0 and not (vr == SS and is_lut_descriptor(r.tag))
            if done:
                self.put_numbers(p, n, vr, r.flags & BIG_ENDIAN != 0)
        if not done:
            self.size = mark
            value = bytes(p[:n]) if vr == DS or vr == IS or is_text(vr) else decode(index, row, vr)
            self.put_str(self.odd(vr_name(vr), value))
        return self.put_byte(0x7D)

    cdef int put_sequence(self, Index index, Py_ssize_t row) except -1:
        # Write the part of a sequence's attribute that follows its VR; a level of their own writes its items.
        cdef Py_ssize_t i, stop
        cdef object before = None
        if index.known(row).length == 0:
            return self.put_byte(0x7D)
        if is_row_itemless(index, row):         # the value's bytes are not items: write them as UN, so none is lost
            self.data[self.size - 3] = 0x55
            self.data[self.size - 2] = 0x4E
            return self.put_bytes(index.source, index.rows[row].offset, <Py_ssize_t>index.rows[row].length, 1)
        if not index.rows[row].flags & CONTAINER:
            index = open_value(index, row)
            row = 0
        i = row + 1
        stop = index.rows[row].next
        while i < stop and index.rows[i].tag != ITEM:
            i = index.rows[i].next
        if i >= stop:
            return self.put_byte(0x7D)
        self.put(b',"Value":[', 10)
        if index is not self.index:
            before = (self.index,)
            self.index = index
        return self.push(ITEMS, i, stop, before)

    cdef int put_bytes(self, Source source, uint64_t offset, Py_ssize_t n, Py_ssize_t width) except -1:
        # Write bytes of the source in base64, converted to little endian: JSON can't state a byte order. They are
        # encoded in parts: a part that is read from a file reuses the same memory, and is still in the CPU cache.
        cdef Py_ssize_t size
        cdef bytearray swapped
        cdef const uint8_t* p
        cdef uint8_t* into
        self.put(b',"InlineBinary":"', 17)
        self.reserve((n + 2) // 3 * 4 + 2)
        while n:
            size = min(n, <Py_ssize_t>PART)
            _owner = source.hold(offset, size, &p)
            if width > 1:
                swapped = bytearray(p[:size])
                into = <uint8_t*><char*>swapped
                swap(into, into, size // width, width)
                p = into
            into = self.data + self.size
            if size < PART:
                dc_base64(p, size, into)
            else:
                with nogil:
                    dc_base64(p, size, into)
            self.size += (size + 2) // 3 * 4
            _owner = None                       # so that the next part can reuse its memory
            offset += size
            n -= size
        return self.put(b'"}', 2)

    cdef bint put_coded(self, Index index, Py_ssize_t row, uint16_t vr) except -1:
        # Append text as its character set decodes it, in UTF-8; False if that loses bytes.
        cdef Py_ssize_t n
        cdef const char* p
        cdef object value = decode(index, row, vr)
        cdef list values = value if isinstance(value, list) else [value]
        if len(values) == 1 and not values[0]:
            return True
        if any(["\ufffd" in text for text in values]):      # not decodable: the façade gets the bytes
            return False
        self.put(b',"Value":[', 10)
        for text in values:
            p = PyUnicode_AsUTF8AndSize(text, &n)
            self.ascii = self.ascii and text.isascii()
            if n:
                self.put_one(<const uint8_t*>p, n, vr)
            else:
                self.put(b"null", 4)
            self.put_byte(0x2C)
        self.data[self.size - 1] = 0x5D
        return True

cdef bint keeps(DataElement element) except -1:
    # Whether the value must be written from memory: the caller has seen the sequence, or changed the list.
    return element.is_changed() and not (element.vr == SQ and is_itemless(element))


cdef uint16_t settled(uint16_t vr, object value, DatasetBase view) except? 0xFFFF:
    # The VR of a value made in memory if the dictionary allows several ("US or SS") (PS3.5 A.1, PS3.6).
    if vr == OB_OR_OW or isinstance(value, (bytes, bytearray, memoryview)):
        return OW
    if vr == US_OR_SS or vr == US_OR_SS_OR_OW:
        numbers = value if isinstance(value, list) else [value]
        if view.tag_value(PIXEL_REPRESENTATION, 0) == 1 or any(isinstance(n, int) and n < 0 for n in numbers):
            return SS
    return US


def settled_vr(DataElement element not None, DatasetBase view not None) -> str:
    """The VR of an element of `view`; a single VR even if the dictionary allows several ("US or SS")."""
    element.settle()
    if vr_form(element.vr) == VR_UNKNOWN:
        return vr_name(settled(element.vr, element.get_value(), view))
    return vr_name(element.vr)


def write_json(
    DatasetBase data_set not None,
    DatasetBase meta,
    object odd,
    object bulk,
    Py_ssize_t most,
    uint32_t added_tag=0,
    str added=None,
) -> str:
    """The DICOM JSON document of a data set.

    Parameters
    ----------
    data_set : DatasetBase
        The data set to write.
    meta : DatasetBase or None
        File meta information, whose attributes are written before those of the data set.
    odd : callable
        odd(vr, value) returns the JSON that follows the VR of an unusual value in its attribute object.
    bulk : callable, str or None
        bulk(element) returns the URI of a binary value of more than `most` bytes; a str is what stands before the tag
        and the offset of the value, with a slash between them, in these URIs, if it has an offset; None writes every
        value inline.
    most : int
        Most bytes of a binary value that is written inline although there is a `bulk`.
    added_tag, added : int, str or None
        The tag and the JSON of an attribute that is written in its place, unless the data set has it.
    """
    cdef Writer writer = Writer()
    writer.odd = odd
    writer.bulk = bulk
    writer.most = most
    writer.data_set_class = type(data_set)
    writer.added_tag = added_tag
    writer.put_byte(0x7B)
    if meta is not None:
        writer.push_view(meta)
        writer.run()
        writer.size -= 1                        # remove the closing brace: the data set goes into the same object
        writer.push_view(data_set)
        writer.levels[0].any = writer.size > 1
    else:
        writer.push_whole(data_set)
    writer.added = added
    writer.run()
    return writer.finished()
