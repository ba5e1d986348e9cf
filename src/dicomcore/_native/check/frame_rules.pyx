"""Rules of frames, dimensions, and numbers by which items refer to each other (PS3.3 C.7.6.5, C.7.6.16, C.7.6.17)."""

from libc.stdint cimport INT64_MIN, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memcmp

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status
from dicomcore._native.base.text cimport equals
from dicomcore._native.base.vr cimport AT
from dicomcore._native.check.codes cimport *
from dicomcore._native.check.level cimport *
from dicomcore._native.check.slots cimport *
from dicomcore._native.check.subject cimport find_root, find_row, int_at, items_of, text_at, value_count
from dicomcore._native.scan.scan cimport CONTAINER, ITEM, NO_ROW, Row

cdef struct Naming:                 # a sequence of the root and what tells its items apart
    int slot
    uint32_t key
    bint is_text
    bint told_apart                 # no two items have the same; False: other rules see to it, or they may


cdef Naming naming(int kind) noexcept nogil:
    if kind == NAMED_ROI:
        return Naming(AT_STRUCTURE_SET_ROI_SEQUENCE, 0x30060022, False, True)
    if kind == NAMED_BEAM:
        return Naming(AT_BEAM_SEQUENCE, 0x300A00C0, False, True)
    if kind == NAMED_ION_BEAM:
        return Naming(AT_ION_BEAM_SEQUENCE, 0x300A00C0, False, True)
    if kind == NAMED_FRACTION:
        return Naming(AT_FRACTION_GROUP_SEQUENCE, 0x300A0071, False, True)
    if kind == NAMED_TOLERANCE:
        return Naming(AT_TOLERANCE_TABLE_SEQUENCE, 0x300A0042, False, True)
    if kind == NAMED_SETUP:
        return Naming(AT_PATIENT_SETUP_SEQUENCE, 0x300A0182, False, True)
    if kind == NAMED_DOSE_REFERENCE:
        return Naming(AT_DOSE_REFERENCE_SEQUENCE, 0x300A0012, False, True)
    if kind == NAMED_SEGMENT:
        return Naming(AT_SEGMENT_SEQUENCE, 0x00620004, False, False)
    if kind == NAMED_ORGANIZATION:
        return Naming(AT_DIMENSION_ORGANIZATION_SEQUENCE, 0x00209164, True, False)
    if kind == NAMED_LAYER:
        return Naming(AT_GRAPHIC_LAYER_SEQUENCE, 0x00700002, True, False)
    return Naming(AT_OPTICAL_PATH_SEQUENCE, 0x00480106, True, False)


cdef int64_t key_of(const Level* v, const Row* r, int n, bint is_text) noexcept nogil:
    # Number n of the row, or a hash of its text; INT64_MIN: it has none.
    cdef int64_t number = INT64_MIN
    cdef uint64_t hashed = 0xCBF29CE484222325
    cdef const uint8_t* p = NULL
    cdef int size, i
    if not is_text:
        return number if int_at(v.s, r, n, False, &number) else INT64_MIN
    size = text_at(v.s, r, n, &p)
    if size <= 0:
        return INT64_MIN
    for i in range(size):
        hashed = (hashed ^ p[i]) * <uint64_t>0x100000001B3
    return <int64_t>(hashed >> 1)


cdef int by_size(const void* a, const void* b) noexcept nogil:
    cdef int64_t x = (<const int64_t*>a)[0], y = (<const int64_t*>b)[0]
    return (x > y) - (x < y)


cdef Status read_names(Level* v) noexcept nogil:
    # What the items of the root's sequences are called. The caller frees it, also after a failure.
    cdef int kind
    cdef Naming one
    cdef uint32_t row, items
    for kind in range(NAMED_COUNT):
        one = naming(kind)
        row = v.at[one.slot]
        if row == NO_ROW or not v.s.rows[row].flags & CONTAINER:
            continue
        items = items_of(v.s, row)
        if items == 0:
            continue
        v.named[kind].keys = <int64_t*>malloc(items * sizeof(int64_t))
        if v.named[kind].keys == NULL:
            return NO_MEMORY
        read_keys(v, &v.named[kind], row, &one)
    return OK


cdef void read_keys(Level* v, Names* names, uint32_t row, const Naming* one) noexcept nogil:
    cdef const Row* rows = v.s.rows
    cdef uint32_t i = row + 1, stop = rows[row].next, at, count = 0, k
    cdef int64_t key
    while i < stop:
        if rows[i].tag == ITEM:
            at = find_row(v.s, i + 1, rows[i].next, one.key)
            key = INT64_MIN if at == NO_ROW else key_of(v, &rows[at], 1, one.is_text)
            if key != INT64_MIN:
                names.keys[count] = key
                count += 1
        i = rows[i].next
    names.count = count
    qsort(names.keys, count, sizeof(int64_t), by_size)
    if not one.told_apart:
        return
    for k in range(1, count):
        if names.keys[k] == names.keys[k - 1]:
            report(v, NUMBER_REPEATED, rows[row].tag, row, capped(<uint64_t>names.keys[k]), one.key)


cdef void free_names(Level* v) noexcept nogil:
    cdef int kind
    for kind in range(NAMED_COUNT):
        free(v.named[kind].keys)
        v.named[kind].keys = NULL


cdef bint knows(const Names* names, int64_t key) noexcept nogil:
    cdef uint32_t low = 0, high = names.count, middle
    while low < high:
        middle = (low + high) >> 1
        if names.keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low < names.count and names.keys[low] == key


cdef void check_reference(Level* v, int slot) noexcept nogil:
    # A number or name by which an item refers to one of a sequence of the root.
    cdef int kind = NAMED_COUNT, i, count
    cdef uint16_t code = NUMBER_UNKNOWN
    cdef uint32_t around = v.sequence
    cdef bint is_text = False
    cdef int64_t key
    if slot == AT_REFERENCED_ROI_NUMBER and (around == 0x30060039 or around == 0x30060080):
        kind = NAMED_ROI
    elif slot == AT_REFERENCED_BEAM_NUMBER and around == 0x300C0004:
        kind = NAMED_BEAM if v.named[NAMED_BEAM].keys != NULL else NAMED_ION_BEAM
    elif around == 0x300A00B0 or around == 0x300A03A2:
        if slot == AT_REFERENCED_TOLERANCE_TABLE_NUMBER:
            kind = NAMED_TOLERANCE
        elif slot == AT_REFERENCED_PATIENT_SETUP_NUMBER:
            kind = NAMED_SETUP
    elif slot == AT_REFERENCED_DOSE_REFERENCE_NUMBER and around == 0x300C0050:
        kind = NAMED_DOSE_REFERENCE
    elif slot == AT_REFERENCED_SEGMENT_NUMBER and around == 0x0062000A:
        kind, code = NAMED_SEGMENT, SEGMENT_REFERENCE
    elif slot == AT_DIMENSION_ORGANIZATION_UID and around == 0x00209222:
        kind, code, is_text = NAMED_ORGANIZATION, DIMENSION_ORGANIZATION, True
    elif slot == AT_GRAPHIC_LAYER and around == 0x00700001:
        kind, code, is_text = NAMED_LAYER, LAYER_UNKNOWN, True
    elif slot == AT_OPTICAL_PATH_IDENTIFIER and around == 0x00480207:
        kind, is_text = NAMED_PATH, True
    if kind == NAMED_COUNT or v.named[kind].keys == NULL:
        return
    count = <int>min(values(v, slot), <int64_t>FEW)
    for i in range(1, count + 1):
        key = key_of(v, row_at(v, slot), i, is_text)
        if key == INT64_MIN or knows(&v.named[kind], key) or (key == 0 and kind == NAMED_SEGMENT and v.labels):
            continue
        found(v, code, slot, 0, 0 if is_text else <uint64_t>key)
        return


cdef void check_segments(Level* v) noexcept nogil:
    # Segments are numbered from 1 on, in order; labels may be any numbers.
    cdef const Row* rows = v.s.rows
    cdef uint32_t i, stop, at
    cdef int64_t due = 1, number = 0
    if not has(v, AT_SEGMENT_SEQUENCE) or v.labels or not row_at(v, AT_SEGMENT_SEQUENCE).flags & CONTAINER:
        return
    i, stop = v.at[AT_SEGMENT_SEQUENCE] + 1, row_at(v, AT_SEGMENT_SEQUENCE).next
    while i < stop:
        if rows[i].tag == ITEM:
            at = find_row(v.s, i + 1, rows[i].next, 0x00620004)
            if at != NO_ROW and int_at(v.s, &rows[at], 1, False, &number) and number != due:
                report_below(v, SEGMENT_NUMBERS, at, i, due)
                return
            due += 1
        i = rows[i].next


cdef void report_below(Level* v, uint16_t code, uint32_t row, uint32_t item, int64_t more) noexcept nogil:
    # A finding about an attribute of an item of the root.
    cdef uint32_t around = v.around
    v.around = item
    report(v, code, v.s.rows[row].tag, row, 0, capped(<uint64_t>more))
    v.around = around


cdef void check_frames(Level* v) noexcept nogil:
    # What the root says of its frames.
    cdef int64_t number = 0, total = 0, offset = 0
    cdef uint32_t items
    if has(v, AT_PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE) and has(v, AT_NUMBER_OF_FRAMES) and v.frames > 0:
        items = items_of(v.s, v.at[AT_PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE])
        if items and items != v.frames:
            found(v, FRAME_COUNT, AT_PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, items, v.frames)
    if has(v, AT_FRAME_INCREMENT_POINTER) and has(v, AT_NUMBER_OF_FRAMES):
        check_pointer(v)
    if whole(v, AT_IN_CONCATENATION_NUMBER, &number):
        if number < 1 or (whole(v, AT_IN_CONCATENATION_TOTAL_NUMBER, &total) and total and number > total):
            found(v, CONCATENATION, AT_IN_CONCATENATION_NUMBER, 0, 0)
        elif whole(v, AT_CONCATENATION_FRAME_OFFSET_NUMBER, &offset) and (number == 1) != (offset == 0):
            found(v, CONCATENATION, AT_CONCATENATION_FRAME_OFFSET_NUMBER, 0, 0)
    check_tiles(v)


cdef bint counts_frames(int64_t tag) noexcept nogil:
    # Attributes with a value for each frame: times, offsets of dose grids, and the vectors of nuclear medicine.
    return (tag == 0x00181065 or tag == 0x3004000C or tag == 0x00540010 or tag == 0x00540020 or tag == 0x00540030
            or tag == 0x00540050 or tag == 0x00540060 or tag == 0x00540070 or tag == 0x00540080 or tag == 0x00540090)


cdef void check_pointer(Level* v) noexcept nogil:
    # What Frame Increment Pointer names is there, with a value for each frame.
    cdef int64_t tag = 0
    cdef int64_t count = values(v, AT_FRAME_INCREMENT_POINTER)
    cdef uint32_t row
    cdef int i
    if row_at(v, AT_FRAME_INCREMENT_POINTER).vr != AT:
        return
    for i in range(1, <int>min(count, <int64_t>FEW) + 1):
        if not int_at(v.s, row_at(v, AT_FRAME_INCREMENT_POINTER), i, False, &tag):
            return
        row = find_root(v.s, <uint32_t>tag)
        if row == NO_ROW:
            found(v, FRAME_POINTER, AT_FRAME_INCREMENT_POINTER, <uint64_t>tag, 0)
        elif counts_frames(tag) and v.s.rows[row].length and bytes_of(v.s, &v.s.rows[row]) != NULL:
            count = value_count(v.s, &v.s.rows[row])
            if v.frames > 0 and count != v.frames:
                report(v, VECTOR_COUNT, <uint32_t>tag, row, capped(<uint64_t>count), capped(<uint64_t>v.frames))


cdef void check_tiles(Level* v) noexcept nogil:
    # A slide that is fully tiled has a frame for each tile, focal plane and optical path.
    cdef int64_t width = count_or(v, AT_TOTAL_PIXEL_MATRIX_COLUMNS, 0), columns = count_or(v, AT_COLUMNS, 0)
    cdef int64_t height = count_or(v, AT_TOTAL_PIXEL_MATRIX_ROWS, 0), rows = count_or(v, AT_ROWS, 0)
    cdef int64_t planes = count_or(v, AT_TOTAL_PIXEL_MATRIX_FOCAL_PLANES, 1)
    cdef int64_t paths = count_or(v, AT_NUMBER_OF_OPTICAL_PATHS, 1), due
    if not says(v, AT_DIMENSION_ORGANIZATION_TYPE, "TILED_FULL") or has(v, AT_CONCATENATION_UID):
        return
    if not says(v, AT_SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.77.1.6") or v.frames <= 0:
        return
    if width <= 0 or height <= 0 or columns <= 0 or rows <= 0 or not 0 < planes < 0x8000 or not 0 < paths < 0x8000:
        return
    due = (width + columns - 1) // columns
    due *= (height + rows - 1) // rows              # below 2^32 * 2^32, of tiles that have a pixel at least
    if due < 0 or due >= <int64_t>1 << 32 or due * planes * paths == v.frames:
        return
    found(v, TILE_COUNT, AT_NUMBER_OF_FRAMES, <uint64_t>v.frames, <uint64_t>(due * planes * paths))


cdef void check_frame_numbers(Level* v, int slot) noexcept nogil:
    # Numbers of the object's own frames; an object that does not say how many it has may mean those of another one, and
    # a part of a concatenation those of the whole.
    cdef int64_t number = 0
    cdef int i
    if v.root[AT_NUMBER_OF_FRAMES] == NO_ROW or v.root[AT_CONCATENATION_UID] != NO_ROW or v.frames < 1:
        return
    for i in range(1, <int>min(values(v, slot), <int64_t>FEW) + 1):
        if int_at(v.s, row_at(v, slot), i, False, &number) and not 1 <= number <= v.frames:
            found(v, FRAME_NUMBER, slot, 0, <uint64_t>number)
            return


cdef void check_own_frames(Level* v) noexcept nogil:
    # Referenced Frame Number of an item that refers to the object itself.
    cdef const uint8_t* mine = NULL
    cdef const uint8_t* other = NULL
    cdef int n, m
    if v.root[AT_SOP_INSTANCE_UID] == NO_ROW:
        return
    n = text_at(v.s, &v.s.rows[v.root[AT_SOP_INSTANCE_UID]], 1, &mine)
    m = text(v, AT_REFERENCED_SOP_INSTANCE_UID, 1, &other)
    if n > 0 and n == m and memcmp(mine, other, n) == 0:
        check_frame_numbers(v, AT_REFERENCED_FRAME_NUMBER)


cdef void check_dimension_values(Level* v) noexcept nogil:
    cdef int64_t count = values(v, AT_DIMENSION_INDEX_VALUES)
    if v.sequence == 0x00209111 and v.dimensions and count > 0 and count != v.dimensions:
        found(v, DIMENSION_COUNT, AT_DIMENSION_INDEX_VALUES, 0, <uint64_t>count)


cdef void check_frame_type(Level* v) noexcept nogil:
    # The first value of a frame's type is that of the image, unless the image is mixed.
    cdef const uint8_t* whole_type = NULL
    cdef const uint8_t* frame_type = NULL
    cdef int n, m
    if v.root[AT_IMAGE_TYPE] == NO_ROW or is_root(v):
        return
    n = text_at(v.s, &v.s.rows[v.root[AT_IMAGE_TYPE]], 1, &whole_type)
    m = text(v, AT_FRAME_TYPE, 1, &frame_type)
    if n > 0 and m > 0 and not equals(whole_type, n, "MIXED") and (n != m or memcmp(whole_type, frame_type, n) != 0):
        found(v, IMAGE_TYPE_FRAMES, AT_FRAME_TYPE, 0, 0)
