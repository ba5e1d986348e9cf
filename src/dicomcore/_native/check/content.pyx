"""The content items of a document as rows of numbers, and equal subtrees found (PS3.3 C.17.3)."""

from cpython.bytearray cimport PyByteArray_AS_STRING
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memset, strlen

from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.check.subject cimport (
    Block, Subject, find_row, has_value, int_at, items_of, text_at, value_count,
)
from dicomcore._native.rules.contexts cimport find_code
from dicomcore._native.scan.index cimport Index, rows_of
from dicomcore._native.scan.scan cimport ITEM, NO_ROW, Row
from dicomcore._native.scan.source cimport Source

from dicomcore.errors import LimitError

# As RELATIONSHIPS and VALUE_TYPES of sr/template_views.py count them.
cdef const char** RELATIONSHIPS = [
    "", "CONTAINS", "HAS PROPERTIES", "HAS OBS CONTEXT", "HAS ACQ CONTEXT", "INFERRED FROM", "SELECTED FROM",
    "HAS CONCEPT MOD",
]
cdef const char** VALUE_TYPES = [
    "", "CONTAINER", "TEXT", "DATE", "TIME", "DATETIME", "UIDREF", "PNAME", "CODE", "NUM", "COMPOSITE", "IMAGE",
    "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD", "TABLE",
]
cdef enum:
    RELATIONSHIP_COUNT = 8
    VALUE_TYPE_COUNT = 17
    CODE_TYPE = 8
    NUM_TYPE = 9
    REFERENCES = 10             # COMPOSITE, IMAGE and WAVEFORM
    WAVEFORM_TYPE = 12
    SCOORD_TYPE = 13
    SCOORD3D_TYPE = 14
    TCOORD_TYPE = 15
    NO_CODE = -1                # beyond that, -2 - n is code n of those that the tables do not have

# The attribute that holds the value, by value type.
cdef uint32_t* VALUES = [
    0, 0x0040A050, 0x0040A160, 0x0040A121, 0x0040A122, 0x0040A120, 0x0040A124, 0x0040A123, 0x0040A168, 0x0040A300,
    0x00081199, 0x00081199, 0x00081199, 0x00700022, 0x00700022, 0x0040A130, 0x0040A801,
]

cdef enum Problems:             # bits of Item.flags; sr/item_rules.py says what they mean
    BAD_RELATIONSHIP = 1
    BAD_VALUE_TYPE = 2
    NO_CONCEPT = 4
    BAD_CONCEPT = 8
    NO_VALUE = 16
    BAD_VALUE = 32
    RETIRED_CONCEPT = 64
    RETIRED_VALUE = 128
    REFERENCE = 256
    REFERENCE_WITH_VALUE = 512
    MANY_ITEMS = 1024

cdef struct Item:               # ITEM_TYPE of sr/content.py has the same fields
    uint32_t row                # of the item in the index, NO_ROW for the root
    int32_t parent              # the number of the item around it, -1 for the root
    int32_t ordinal             # its place among its siblings, from 1
    int32_t concept, value      # numbers of codes
    int32_t template            # the number of the template that it names, -1: none
    uint16_t flags
    uint8_t relationship, value_type

cdef struct Open:               # a level that is being walked through
    uint32_t row, stop
    int32_t parent, ordinal

cdef struct Fields:             # the rows of an item's attributes
    uint32_t relationship, value_type, concept, reference, content, template


cdef class Reader:
    cdef Subject subject
    cdef Item* items
    cdef Open* open
    cdef int32_t count, capacity, open_count, open_capacity
    cdef dict foreign           # number by (scheme, value)
    cdef list codes             # (scheme, value, meaning)
    cdef dict template_numbers
    cdef list templates
    cdef list references        # (number of the item, target)
    cdef object owner           # keeps the bytes alive

    def __dealloc__(self):
        free(self.items)
        free(self.open)

    cdef int add(self, uint32_t row, int32_t parent, int32_t ordinal) except -1:
        cdef Item* longer
        if self.count == self.capacity:
            self.capacity = self.capacity * 2 if self.capacity else 256
            longer = <Item*>realloc(self.items, self.capacity * sizeof(Item))
            if longer == NULL:
                raise MemoryError
            self.items = longer
        memset(&self.items[self.count], 0, sizeof(Item))
        self.items[self.count].row, self.items[self.count].parent = row, parent
        self.items[self.count].ordinal = ordinal
        self.count += 1
        return self.count - 1

    cdef int enter(self, uint32_t sequence, int32_t parent) except -1:
        cdef Open* longer
        if self.open_count == self.open_capacity:
            self.open_capacity = self.open_capacity * 2 if self.open_capacity else 32
            longer = <Open*>realloc(self.open, self.open_capacity * sizeof(Open))
            if longer == NULL:
                raise MemoryError
            self.open = longer
        self.open[self.open_count] = Open(sequence + 1, self.subject.rows[sequence].next, parent, 0)
        self.open_count += 1
        return 0

    cdef int walk(self, int32_t most, int64_t depth) except -1:
        # Every item before its children, and siblings in their order.
        cdef const Subject* s = &self.subject
        cdef Open* level
        cdef uint32_t row, content
        cdef int32_t number
        number = self.add(NO_ROW, -1, 1)
        content = self.read(number, s.first, s.stop)
        if content != NO_ROW:
            self.enter(content, number)
        while self.open_count:
            level = &self.open[self.open_count - 1]
            row = level.row
            if row >= level.stop:
                self.open_count -= 1
                continue
            level.row = s.rows[row].next
            if s.rows[row].tag != ITEM:
                continue
            if self.count >= most:
                raise LimitError(f"more than {most} content items")
            level.ordinal += 1
            number = self.add(row, level.parent, level.ordinal)
            content = self.read(number, row + 1, s.rows[row].next)
            if content != NO_ROW:
                if 2 * <int64_t>self.open_count >= depth:   # a sequence is one level and an item in it another
                    raise LimitError(f"content items nested deeper than {depth} levels")
                self.enter(content, number)
        return 0

    cdef uint32_t read(self, int32_t number, uint32_t first, uint32_t stop) except? 0xFFFFFFFE:
        # Fill the item; give the row of its Content Sequence.
        cdef const Subject* s = &self.subject
        cdef Item* item = &self.items[number]
        cdef Fields f
        cdef uint32_t i = first
        memset(&f, 0xFF, sizeof(Fields))
        item.concept = item.value = item.template = NO_CODE
        while i < stop:
            if s.rows[i].tag >> 16 == 0x0040:
                if s.rows[i].tag == 0x0040A010:
                    f.relationship = i
                elif s.rows[i].tag == 0x0040A040:
                    f.value_type = i
                elif s.rows[i].tag == 0x0040A043:
                    f.concept = i
                elif s.rows[i].tag == 0x0040A730:
                    f.content = i
                elif s.rows[i].tag == 0x0040A504:
                    f.template = i
                elif s.rows[i].tag == 0x0040DB73:
                    f.reference = i
            i = s.rows[i].next
        item.relationship = word(s, f.relationship, RELATIONSHIPS, RELATIONSHIP_COUNT)
        item.value_type = word(s, f.value_type, VALUE_TYPES, VALUE_TYPE_COUNT)
        if number and item.relationship == 0:
            item.flags |= BAD_RELATIONSHIP
        if f.reference != NO_ROW:
            self.refer(number, item, &f)
            return f.content
        if item.value_type == 0:
            item.flags |= BAD_VALUE_TYPE
        if f.concept != NO_ROW and items_of(s, f.concept):
            item.concept = self.code(item, f.concept, BAD_CONCEPT, RETIRED_CONCEPT)
        elif number == 0 or 2 <= item.value_type <= NUM_TYPE:
            item.flags |= NO_CONCEPT
        if item.value_type:
            self.read_value(item, find_row(s, first, stop, VALUES[item.value_type]), first, stop)
        if f.template != NO_ROW:
            item.template = self.template(f.template)
        return f.content

    cdef int refer(self, int32_t number, Item* item, const Fields* f) except -1:
        cdef const Row* row = &self.subject.rows[f.reference]
        cdef int64_t part = 0
        cdef int n, count = value_count(&self.subject, row)
        item.flags |= REFERENCE
        if f.value_type != NO_ROW:
            item.flags |= REFERENCE_WITH_VALUE
        target = []
        for n in range(1, min(count, 1024) + 1):
            if not int_at(&self.subject, row, n, False, &part):
                break
            target.append(part)
        self.references.append((number, tuple(target)))
        return 0

    cdef int32_t code(self, Item* item, uint32_t sequence, uint16_t bad, uint16_t retired) except? -1000000000:
        # The number of the code in a sequence's first item.
        cdef const Subject* s = &self.subject
        cdef uint32_t first = first_item(s, sequence), i, stop
        cdef uint32_t value = NO_ROW, scheme = NO_ROW, meaning = NO_ROW
        cdef const uint8_t* value_text = b""
        cdef const uint8_t* scheme_text = b""
        cdef int m = 0, n = 0, number
        cdef bint urn = False
        if first == NO_ROW:
            item.flags |= bad
            return NO_CODE
        stop = s.rows[first].next
        if stop < s.rows[sequence].next and items_of(s, sequence) > 1:
            item.flags |= MANY_ITEMS
        i = first + 1
        while i < stop:
            if s.rows[i].tag == 0x00080100 or s.rows[i].tag == 0x00080119 or s.rows[i].tag == 0x00080120:
                value = i
                urn = s.rows[i].tag == 0x00080120
            elif s.rows[i].tag == 0x00080102:
                scheme = i
            elif s.rows[i].tag == 0x00080104:
                meaning = i
            i = s.rows[i].next
        if value != NO_ROW:
            n = text_at(s, &s.rows[value], 1, &value_text)
        if scheme != NO_ROW:
            m = text_at(s, &s.rows[scheme], 1, &scheme_text)
        if n <= 0 or (m <= 0 and not urn) or meaning == NO_ROW or not has_value(s, meaning):
            item.flags |= bad
        if n <= 0:
            return NO_CODE
        if m <= 0:
            m = 0
        elif is_retired(scheme_text, m):
            item.flags |= retired
        number = find_code(scheme_text, m, value_text, n)
        return number if number >= 0 else self.foreign_code(scheme_text[:m], value_text[:n], meaning)

    cdef int32_t foreign_code(self, bytes scheme, bytes value, uint32_t meaning) except? -1000000000:
        cdef const uint8_t* text
        cdef int n
        key = scheme, value
        number = self.foreign.get(key)
        if number is None:
            number = self.foreign[key] = -2 - len(self.codes)
            n = text_at(&self.subject, &self.subject.rows[meaning], 1, &text) if meaning != NO_ROW else 0
            said = text[:n] if n > 0 else b""
            self.codes.append((scheme.decode("latin-1"), value.decode("latin-1"), said.decode("utf-8", "replace")))
        return number

    cdef int32_t template(self, uint32_t sequence) except? -1000000000:
        cdef const Subject* s = &self.subject
        cdef const uint8_t* text
        cdef uint32_t row
        cdef int n
        row = first_item(s, sequence)
        if row == NO_ROW:
            return NO_CODE
        row = find_row(s, row + 1, s.rows[row].next, 0x0040DB00)
        n = text_at(s, &s.rows[row], 1, &text) if row != NO_ROW else 0
        if n <= 0:
            return NO_CODE
        name = text[:n].decode("latin-1")
        number = self.template_numbers.get(name)
        if number is None:
            number = self.template_numbers[name] = len(self.templates)
            self.templates.append(name)
        return number

    cdef int read_value(self, Item* item, uint32_t row, uint32_t first, uint32_t stop) except -1:
        cdef const Subject* s = &self.subject
        cdef const uint8_t* text
        cdef uint32_t inner, unit
        cdef int kind = item.value_type, n
        if row == NO_ROW or (kind != NUM_TYPE and not has_value(s, row)):
            item.flags |= NO_VALUE
            return 0
        if kind == CODE_TYPE:
            item.value = self.code(item, row, BAD_VALUE, RETIRED_VALUE)
        elif kind == NUM_TYPE:
            inner = first_item(s, row)
            if inner == NO_ROW:                             # no number, and perhaps a qualifier that says why
                return 0
            if items_of(s, row) > 1:
                item.flags |= MANY_ITEMS
            unit = find_row(s, inner + 1, s.rows[inner].next, 0x004008EA)
            if unit == NO_ROW or items_of(s, unit) == 0:
                item.flags |= BAD_VALUE
            else:
                item.value = self.code(item, unit, BAD_VALUE, RETIRED_VALUE)
            unit = find_row(s, inner + 1, s.rows[inner].next, 0x0040A30A)
            if unit == NO_ROW or not has_value(s, unit):
                item.flags |= BAD_VALUE
        elif REFERENCES <= kind <= WAVEFORM_TYPE:
            if items_of(s, row) > 1:
                item.flags |= MANY_ITEMS
            inner = first_item(s, row)
            if inner == NO_ROW:
                item.flags |= BAD_VALUE
                return 0
            for tag in (0x00081150, 0x00081155):
                unit = find_row(s, inner + 1, s.rows[inner].next, tag)
                if unit == NO_ROW or not has_value(s, unit):
                    item.flags |= BAD_VALUE
        elif kind == SCOORD_TYPE or kind == SCOORD3D_TYPE:
            unit = find_row(s, first, stop, 0x00700023)
            n = text_at(s, &s.rows[unit], 1, &text) if unit != NO_ROW else 0
            if n <= 0:
                item.flags |= BAD_VALUE
            else:
                item.value = self.foreign_code(b"", text[:n], NO_ROW)
            if kind == SCOORD3D_TYPE:
                unit = find_row(s, first, stop, 0x30060024)
                if unit == NO_ROW or not has_value(s, unit):
                    item.flags |= BAD_VALUE
        elif kind == TCOORD_TYPE:
            for tag in (0x0040A132, 0x0040A138, 0x0040A13A):
                unit = find_row(s, first, stop, tag)
                if unit != NO_ROW and has_value(s, unit):
                    return 0
            item.flags |= BAD_VALUE
        return 0


cdef inline uint32_t first_item(const Subject* s, uint32_t sequence) noexcept nogil:
    # The row of a sequence's first item, NO_ROW if it has none or is no sequence.
    cdef uint32_t i = sequence + 1, stop = s.rows[sequence].next
    while i < stop:
        if s.rows[i].tag == ITEM:
            return i
        i = s.rows[i].next
    return NO_ROW


cdef uint8_t word(const Subject* s, uint32_t row, const char** words, int count) noexcept nogil:
    # The place of a row's text in a table of words; 0: it is none of them.
    cdef const uint8_t* text
    cdef int i, n
    if row == NO_ROW:
        return 0
    n = text_at(s, &s.rows[row], 1, &text)
    if n <= 0:
        return 0
    for i in range(1, count):
        if words[i][0] == text[0] and <int>strlen(words[i]) == n and memcmp(words[i], text, n) == 0:
            return <uint8_t>i
    return 0


cdef bint is_retired(const uint8_t* scheme, int m) noexcept nogil:
    return (m == 3 and memcmp(scheme, b"SRT", 3) == 0) or (m == 4 and memcmp(scheme, b"SNM3", 4) == 0) or (
        m == 5 and memcmp(scheme, b"99SDM", 5) == 0
    )


def items(Index index not None, int most, int64_t depth):
    """(items, codes that the tables do not have, templates named, references) of a data set's content.

    LimitError is raised for more items than `most`, and for deeper ones than `depth`, as `Limits` counts it.

    The items are `Item` records; a code is (scheme, value, meaning), a reference (number of the item, target).
    """
    static_assert(sizeof(Item) == 28)
    cdef Reader reader = Reader()
    cdef const uint8_t* data = NULL
    cdef Source source = index.source
    cdef bytearray made
    index.finish()
    owner = source.hold(source.first, source.size - source.first, &data)
    reader.subject.rows = index.rows
    reader.subject.first = <uint32_t>index.meta_count
    reader.subject.stop = <uint32_t>rows_of(index)
    reader.subject.head = Block(data, source.first, source.size)
    reader.subject.tail = Block(NULL, 0, 0)
    reader.foreign, reader.codes, reader.template_numbers = {}, [], {}
    reader.templates, reader.references, reader.owner = [], [], owner
    reader.walk(most, depth)
    made = bytearray((<uint8_t*>reader.items)[:reader.count * sizeof(Item)])
    return made, reader.codes, reader.templates, reader.references


def signatures(const uint8_t[::1] records not None, dict targets not None):
    """(numbers, kinds): a number for each item, equal for items with equal subtrees, as int32, and what it stands for.

    A kind is (value type, relationship, by reference, concept, value, template, numbers of the children). An item that
    refers to another has that one's value type and concept; `targets` has the numbers of both.
    """
    cdef Py_ssize_t count = records.shape[0] // <Py_ssize_t>sizeof(Item), n
    cdef const Item* list_of = <const Item*>&records[0]
    cdef const Item* item
    cdef const Item* target
    cdef dict known = {}
    cdef list kinds = []
    cdef list below = [None] * count
    cdef bytearray numbers = bytearray(count * sizeof(int32_t))
    cdef int32_t* out = <int32_t*>PyByteArray_AS_STRING(numbers)
    cdef list children
    cdef object inside, number, place, key
    cdef bint refers
    for n in range(count - 1, -1, -1):
        item = &list_of[n]
        target = item
        if item.flags & REFERENCE:
            place = targets.get(n)
            if place is not None:
                target = &list_of[<Py_ssize_t>place]
        children = below[n]
        if children is not None:
            children.reverse()
        inside = () if children is None else tuple(children)
        refers = (item.flags & REFERENCE) != 0
        key = (
            <int>target.value_type, <int>item.relationship, refers, target.concept, item.value, item.template, inside,
        )
        number = known.get(key)
        if number is None:
            number = known[key] = len(kinds)
            kinds.append(key)
        out[n] = number
        if item.parent >= 0:
            children = below[item.parent]
            if children is None:
                below[item.parent] = [number]
            else:
                children.append(number)
    return numbers, kinds
