"""Rules across attributes: one pass over the rows, a level at a time, each row looked at once."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from dicomcore._native.base.fault cimport OK, Status, raise_fault
from dicomcore._native.check.alike cimport Turn, fold_frames, is_passed_over, turn_of, unfold_frames
from dicomcore._native.check.checked cimport RULE_CHECKED_ZERO, place_of
from dicomcore._native.check.codes cimport *
from dicomcore._native.check.elements cimport Asked, check_elements, drop_second_counts
from dicomcore._native.check.findings cimport Findings, Found, close_findings, open_findings
from dicomcore._native.check.frame_rules cimport (
    check_dimension_values, check_frame_numbers, check_frame_type, check_frames, check_own_frames, check_reference,
    check_segments, free_names, read_names,
)
from dicomcore._native.check.image_rules cimport (
    OVERLAY_GROUPS, Overlay, check_image, check_lossy, check_lut, check_overlay, check_palette, check_window, coding_of,
    place_overlay,
)
from dicomcore._native.check.level cimport *
from dicomcore._native.check.object_rules cimport (
    check_aspect, check_channel, check_contour, check_document, check_graphic, check_identity, check_laterality,
    check_mapping, check_matrix, check_order, check_orientation, check_points, check_position, check_spacing,
    check_timezone, check_waveform,
)
from dicomcore._native.check.slots cimport *
from dicomcore._native.check.subject cimport Subject, find_root, float_at, items_of, text_at
from dicomcore._native.check.plan cimport Plan, plan_for
from dicomcore._native.check.unknown_vr cimport resolved
from dicomcore._native.check.walk cimport check_structure
from dicomcore._native.rules.tables cimport find_sop_class
from dicomcore._native.scan.index cimport Index, rows_of
from dicomcore._native.scan.scan cimport CONTAINER, FRAGMENTS, ITEM, NO_ROW, Row

cdef enum:
    SOP_CLASS_UID = 0x00080016
    NUMBER_OF_FRAMES = 0x00280008
    MODIFIED_ATTRIBUTES = 0x04000550            # what an object was before it was changed, right or wrong
    ORIGINAL_ATTRIBUTES = 0x04000561
    NONCONFORMING_ATTRIBUTES = 0x04000551


cdef Status check_coherence(const Subject* s, uint32_t meta_stop, const uint8_t* syntax, int n,
                            Findings* f) noexcept nogil:
    cdef Level v
    cdef uint32_t[SLOT_COUNT] root
    cdef Overlay[OVERLAY_GROUPS] overlays
    cdef Status status
    cdef int i
    memset(&v, 0, sizeof(Level))
    memset(overlays, 0xFF, sizeof(overlays))            # NO_ROW
    memset(v.at, 0xFF, sizeof(v.at))
    v.s, v.f, v.meta_stop, v.root = s, f, meta_stop, v.at
    v.around = NO_ROW
    v.coding = coding_of(syntax, n)
    gather(&v, s.first, s.stop, overlays)
    read_root(&v)
    status = read_names(&v)
    if status == OK:
        check_root(&v, overlays)
        for i in range(SLOT_COUNT):
            root[i] = v.at[i]
        v.root = root
        check_items(&v)
        status = v.status
    free_names(&v)
    return status


cdef void read_root(Level* v) noexcept nogil:
    # What rules at all levels ask of the root.
    v.frames = count_or(v, AT_NUMBER_OF_FRAMES, -1) if has(v, AT_NUMBER_OF_FRAMES) else 1
    v.signed = count_or(v, AT_PIXEL_REPRESENTATION, 0) == 1
    v.labels = says(v, AT_SEGMENTATION_TYPE, "LABELMAP")
    v.has_pixels = has(v, AT_PIXEL_DATA)
    if has(v, AT_DIMENSION_INDEX_SEQUENCE) and row_at(v, AT_DIMENSION_INDEX_SEQUENCE).flags & CONTAINER:
        v.dimensions = items_of(v.s, v.at[AT_DIMENSION_INDEX_SEQUENCE])


cdef void check_root(Level* v, const Overlay* overlays) noexcept nogil:
    cdef int i
    check_identity(v)
    check_frames(v)
    check_segments(v)
    check_lossy(v)
    check_laterality(v)
    check_level(v)
    for i in range(OVERLAY_GROUPS):
        if overlays[i].data != NO_ROW:
            check_overlay(v, &overlays[i])


cdef inline bint is_apart(uint32_t tag) noexcept nogil:
    # A sequence whose items say nothing about the object: those of private ones mean what their creator says.
    return (tag >> 16 & 1 or tag == ORIGINAL_ATTRIBUTES or tag == MODIFIED_ATTRIBUTES
            or tag == NONCONFORMING_ATTRIBUTES)


cdef void check_items(Level* v) noexcept nogil:
    # Every item, in the order of the rows.
    cdef const Row* rows = v.s.rows
    cdef uint32_t i = v.s.first
    cdef Turn turn = turn_of(v.s)
    while i < v.s.stop and v.status == OK:
        if i >= turn.stop and is_passed_over(v.s, &turn, i, v.f):
            i = turn.stop
            continue
        if rows[i].flags & CONTAINER and (rows[i].flags & FRAGMENTS or is_apart(rows[i].tag)) and rows[i].tag != ITEM:
            i = rows[i].next
            continue
        if rows[i].tag == ITEM and rows[i].parent != NO_ROW:
            forget(v)
            v.around = i
            v.sequence = rows[rows[i].parent].tag
            gather(v, i + 1, rows[i].next, NULL)
            if v.touched_count:
                check_level(v)
        i += 1


cdef inline void forget(Level* v) noexcept nogil:
    cdef int i
    for i in range(v.touched_count):
        v.at[v.touched[i]] = NO_ROW
    v.touched_count = 0


cdef void gather(Level* v, uint32_t first, uint32_t stop, Overlay* overlays) noexcept nogil:
    # Note the level's rows; of a tag that comes twice the last one counts. Numbers that can't be zero are checked.
    cdef const Row* rows = v.s.rows
    cdef uint32_t i = first
    cdef int place
    while i < stop:
        place = place_of(rows[i].tag)
        if place >= 0:
            if place < SLOT_COUNT:
                if v.at[place] == NO_ROW:
                    v.touched[v.touched_count] = <uint8_t>place
                    v.touched_count += 1
                v.at[place] = i
            if RULE_CHECKED_ZERO[place] and rows[i].length:
                check_zero(v, i, NOT_ZERO if RULE_CHECKED_ZERO[place] == 2 else ZERO_UNLIKELY)
        elif overlays != NULL and rows[i].tag >> 24 == 0x60:
            place_overlay(overlays, rows[i].tag, i)
        i = rows[i].next


cdef void check_zero(Level* v, uint32_t row, uint16_t code) noexcept nogil:
    cdef const Row* r = &v.s.rows[row]
    cdef double number = 0
    cdef int i = 1
    while i <= FEW and float_at(v.s, r, i, &number):
        if number == 0 or (r.tag == NUMBER_OF_FRAMES and number < 0):
            report(v, code, r.tag, row, 0, i)
            return
        i += 1


cdef void check_level(Level* v) noexcept nogil:
    # The rules of the attributes that are there.
    cdef int i
    if has(v, AT_BITS_ALLOCATED) or has(v, AT_PIXEL_DATA) or has(v, AT_PHOTOMETRIC_INTERPRETATION):
        check_image(v)
    for i in range(v.touched_count):
        check_slot(v, v.touched[i])


cdef void check_slot(Level* v, int slot) noexcept nogil:
    # The rules that begin with one attribute; compiles to a switch.
    if slot == AT_WINDOW_WIDTH:
        check_window(v)
    elif slot == AT_LUT_DESCRIPTOR:
        check_lut(v)
    elif slot == AT_RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR:
        check_palette(v)
    elif slot == AT_SMALLEST_IMAGE_PIXEL_VALUE:
        check_order(v, slot, AT_LARGEST_IMAGE_PIXEL_VALUE, SMALLEST_LARGEST)
    elif slot == AT_SMALLEST_PIXEL_VALUE_IN_SERIES:
        check_order(v, slot, AT_LARGEST_PIXEL_VALUE_IN_SERIES, SMALLEST_LARGEST)
    elif slot == AT_SHUTTER_LEFT_VERTICAL_EDGE:
        check_order(v, slot, AT_SHUTTER_RIGHT_VERTICAL_EDGE, SHUTTER)
    elif slot == AT_SHUTTER_UPPER_HORIZONTAL_EDGE:
        check_order(v, slot, AT_SHUTTER_LOWER_HORIZONTAL_EDGE, SHUTTER)
    elif slot == AT_COLLIMATOR_LEFT_VERTICAL_EDGE:
        check_order(v, slot, AT_COLLIMATOR_RIGHT_VERTICAL_EDGE, COLLIMATOR)
    elif slot == AT_COLLIMATOR_UPPER_HORIZONTAL_EDGE:
        check_order(v, slot, AT_COLLIMATOR_LOWER_HORIZONTAL_EDGE, COLLIMATOR)
    elif slot == AT_REGION_LOCATION_MIN_X0:
        check_order(v, slot, AT_REGION_LOCATION_MAX_X1, REGION)
    elif slot == AT_REGION_LOCATION_MIN_Y0:
        check_order(v, slot, AT_REGION_LOCATION_MAX_Y1, REGION)
    elif slot == AT_START_TRIM:
        check_order(v, slot, AT_STOP_TRIM, TRIM)
        check_frame_numbers(v, slot)
    elif (slot == AT_STOP_TRIM or slot == AT_REPRESENTATIVE_FRAME_NUMBER or slot == AT_FRAME_NUMBERS_OF_INTEREST
            or slot == AT_MASK_FRAME_NUMBERS):
        check_frame_numbers(v, slot)
    elif slot == AT_REFERENCED_FRAME_NUMBER:
        check_own_frames(v)
    elif slot == AT_DIMENSION_INDEX_VALUES:
        check_dimension_values(v)
    elif slot == AT_FRAME_TYPE:
        check_frame_type(v)
    elif (slot == AT_REFERENCED_ROI_NUMBER or slot == AT_REFERENCED_BEAM_NUMBER
            or slot == AT_REFERENCED_TOLERANCE_TABLE_NUMBER or slot == AT_REFERENCED_PATIENT_SETUP_NUMBER
            or slot == AT_REFERENCED_DOSE_REFERENCE_NUMBER or slot == AT_REFERENCED_SEGMENT_NUMBER
            or slot == AT_DIMENSION_ORGANIZATION_UID or slot == AT_GRAPHIC_LAYER or slot == AT_OPTICAL_PATH_IDENTIFIER):
        check_reference(v, slot)
    elif (slot == AT_PIXEL_SPACING or slot == AT_IMAGER_PIXEL_SPACING or slot == AT_NOMINAL_SCANNED_PIXEL_SPACING
            or slot == AT_IMAGE_PLANE_PIXEL_SPACING or slot == AT_DETECTOR_ELEMENT_SPACING
            or slot == AT_OBJECT_PIXEL_SPACING_IN_CENTER_OF_BEAM or slot == AT_PRESENTATION_PIXEL_SPACING):
        check_spacing(v, slot)
    elif slot == AT_PIXEL_ASPECT_RATIO:
        check_aspect(v)
    elif slot == AT_IMAGE_ORIENTATION_PATIENT or slot == AT_IMAGE_ORIENTATION_SLIDE:
        check_orientation(v, slot)
    elif slot == AT_IMAGE_POSITION_PATIENT:
        check_position(v, slot)
    elif slot == AT_FRAME_OF_REFERENCE_TRANSFORMATION_MATRIX:
        check_matrix(v)
    elif slot == AT_REAL_WORLD_VALUE_FIRST_VALUE_MAPPED:
        check_mapping(v)
    elif slot == AT_ENCAPSULATED_DOCUMENT:
        check_document(v)
    elif slot == AT_TIMEZONE_OFFSET_FROM_UTC:
        check_timezone(v)
    elif slot == AT_NUMBER_OF_CONTOUR_POINTS:
        check_contour(v)
    elif slot == AT_GRAPHIC_DATA:
        check_graphic(v)
    elif slot == AT_DVH_DATA or slot == AT_POINT_COORDINATES_DATA:
        check_points(v)
    elif slot == AT_WAVEFORM_DATA:
        check_waveform(v)
    elif slot == AT_WAVEFORM_BITS_STORED:
        check_channel(v)


cdef Status check_subject(const Subject* s, Plan plan, const Wanted* what, uint32_t meta_stop, const uint8_t* syntax,
                          int n, Findings* f, uint64_t* unknown) noexcept nogil:
    cdef Status status = OK
    if what.structure:
        status = check_structure(s, plan, what.notes, what.folds, syntax, n, f, unknown)
    if what.coherence and status == OK:
        status = check_coherence(s, meta_stop, syntax, n, f)
    if (what.elements.forms or what.elements.counts or what.elements.retired) and status == OK:
        status = check_elements(s, &what.elements, f)
        drop_second_counts(s, f)
    return status


# -- over an index -------------------------------------------------------------------------------------------------

def findings(Index index not None, *, int sop_class, bint structure, bint notes, bint folds, bint coherence, bint forms,
             bint counts, bint retired, uint32_t most, bint apart=False, bint each=False):
    """What is found in the data set of an index.

    Returns a list of (code, module or None, tag, path, count, detail, more), how many different findings were left out
    beyond `most`, the UID of the SOP class that the data set states, and how many conditions could not be decided. A
    path is a step (tag of a sequence, number of its item) for each item around the attribute, the outermost first.
    `sop_class` is a row of the tables: -1 for the data set's own; `structure` is checked if there is one, with `notes`
    on elements that it does not have, and with `folds` modules that are missing as a whole are one finding. `forms`,
    `counts` and `retired` are rules of single elements. With `apart`, findings in different items are not counted in
    one; `each` looks also at each of the frames that are alike. The detail of MISSING_CONDITIONAL is the type, see
    layout.h.
    """
    cdef Findings f
    cdef Subject s
    cdef Status status = OK
    cdef bytes syntax = index.transfer_syntax.encode("ascii", "replace")
    cdef const uint8_t* uid = <const uint8_t*><const char*>syntax
    cdef int n = <int>min(len(syntax), 64)
    cdef uint32_t meta
    cdef uint64_t unknown = 0
    cdef Plan plan
    cdef Wanted what
    cdef bint all_frames = apart or each
    index.finish()
    meta = <uint32_t>index.meta_count
    owners = fill(index, &s)
    open_findings(&f, most)
    f.apart = apart
    try:
        plan = fold(&s, sop_class, all_frames)
        if resolve(index, &s, owners):
            plan = fold(&s, sop_class, all_frames)
        what = Wanted(structure and plan is not None, notes, folds, coherence, Asked(forms, counts, retired))
        with nogil:
            status = check_subject(&s, plan, &what, meta, uid, n, &f, &unknown)
        if status != OK:
            raise_fault(status, "check", 0)
        return listed(&s, &f), f.cut, sop_class_of(&s), unknown
    finally:
        close_findings(&f)
        unfold_frames(&s)
        del owners


cdef Plan fold(Subject* s, int sop_class, bint all_frames):
    # The plan of the SOP class in a row of the tables, -1: that of the data set; frames that are alike beside it are
    # folded.
    cdef Plan plan = None
    if sop_class < 0:
        sop_class = own_class(s)
    if sop_class >= 0:
        plan = plan_for(sop_class)
    if not all_frames and fold_frames(s, NULL if plan is None else plan.looked) != OK:
        raise MemoryError("no memory for the frames that are alike")
    return plan


cdef bint resolve(Index index, Subject* s, list owners) except -1:
    # Go on with other rows if elements are in UN.
    rows = resolved(index, s)
    if rows is None:
        return False
    unfold_frames(s)
    owners.append(rows)
    return True


cdef list listed(const Subject* s, const Findings* f):
    cdef uint32_t i
    cdef uint32_t root = NO_ROW
    paths, places = {root: ()}, {}
    return [found_of(s, &f.list[i], paths, places) for i in range(f.count)]


cdef int own_class(const Subject* s) noexcept nogil:
    # The row of the data set's SOP class, -1: the tables have none.
    cdef const uint8_t* p = NULL
    cdef uint32_t row = find_root(s, SOP_CLASS_UID)
    cdef int n = text_at(s, &s.rows[row], 1, &p) if row != NO_ROW else 0
    return find_sop_class(p, n) if n > 0 else -1


cdef str sop_class_of(const Subject* s):
    cdef const uint8_t* p = NULL
    cdef uint32_t row = find_root(s, SOP_CLASS_UID)
    cdef int n = text_at(s, &s.rows[row], 1, &p) if row != NO_ROW else 0
    return p[:n].decode("latin-1") if n > 0 else ""


cdef list fill(Index index, Subject* s):
    # The rows of an index, and the bytes in front of its pixel data and behind it, with what keeps them in memory.
    cdef uint64_t first = index.source.first, stop = index.source.size, from_, until = stop
    cdef uint32_t i
    cdef const Row* pixels = NULL
    memset(s, 0, sizeof(Subject))
    s.rows, s.first, s.stop = index.rows, <uint32_t>index.meta_count, <uint32_t>rows_of(index)
    i = s.first
    while i < s.stop:
        if s.rows[i].tag >> 16 == 0x7FE0:
            pixels = &s.rows[i]
            break
        i = s.rows[i].next
    from_ = stop
    if pixels != NULL:
        until = pixels.offset
        while i < s.stop and s.rows[i].tag >> 16 == 0x7FE0:
            i = s.rows[i].next
        from_ = s.rows[i].offset if i < s.stop else stop
    s.head.begin, s.head.end = first, until
    s.tail.begin, s.tail.end = from_, stop
    return [index.source.hold(first, until - first, &s.head.data),
            index.source.hold(from_, stop - from_, &s.tail.data)]


cdef tuple found_of(const Subject* s, const Found* one, dict paths, dict places):
    return (one.code, None if one.module == NO_MODULE else one.module, one.tag,
            path_of(s, one.around, paths, places), one.count, one.detail, one.more)


cdef tuple path_of(const Subject* s, uint32_t item, dict paths, dict places):
    # (tag of the sequence, number of the item) around a row, the outermost first. `paths` are those known, by item;
    # `places` the last item whose number was counted, by sequence: the next one is mostly behind it.
    cdef uint32_t sequence, i, number, outer = item
    waiting = []
    while outer not in paths:
        if s.rows[outer].parent == NO_ROW:
            paths[outer] = ()
            break
        waiting.append(outer)
        outer = s.rows[s.rows[outer].parent].parent
    path = paths[outer]
    while waiting:
        outer = waiting.pop()
        sequence = s.rows[outer].parent
        i, number = places.get(sequence, (sequence + 1, 0))
        if i > outer:
            i, number = sequence + 1, 0
        while i < outer:
            number += s.rows[i].tag == ITEM
            i = s.rows[i].next
        places[sequence] = (outer, number)
        path = paths[outer] = (*path, (s.rows[sequence].tag, number))
    return path
