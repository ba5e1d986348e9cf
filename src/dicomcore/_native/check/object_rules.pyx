"""Rules of identity, geometry, waveforms, contours and graphics."""

from libc.math cimport fabs, sqrt
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, strlen

from dicomcore._native.base.text cimport equals
from dicomcore._native.base.vr cimport OB, OF, OW
from dicomcore._native.check.codes cimport *
from dicomcore._native.check.level cimport *
from dicomcore._native.check.slots cimport *
from dicomcore._native.check.subject cimport find_row, float_at, has_value, int_at, items_of, text_at
from dicomcore._native.scan.scan cimport CONTAINER, NO_ROW, Row

cdef extern from "check/sop_rules.h" nogil:
    ctypedef struct sop_rule_t:
        const char* uid
        const char* modalities
        int single
        const char* mime
    const sop_rule_t SOP_RULES[]
    const int SOP_RULE_COUNT

cdef enum:
    MEDIA_SOP_CLASS_UID = 0x00020002
    MEDIA_SOP_INSTANCE_UID = 0x00020003


# -- identity ------------------------------------------------------------------------------------------------------

cdef const sop_rule_t* sop_rule(const uint8_t* uid, int n) noexcept nogil:
    cdef int i
    if n < 25 or memcmp(uid, b"1.2.840.10008.5.1.4.1.1.", 24) != 0:
        return NULL
    for i in range(SOP_RULE_COUNT):
        if equals(uid + 24, n - 24, SOP_RULES[i].uid):
            return &SOP_RULES[i]
    return NULL


cdef bint is_word_of(const uint8_t* word, int n, const char* words) noexcept nogil:
    # Whether a text is one of those that spaces separate.
    cdef const char* p = words
    cdef int size
    while p[0]:
        size = 0
        while p[size] and p[size] != 32:
            size += 1
        if size == n and memcmp(p, word, n) == 0:
            return True
        p += size + (p[size] == 32)
    return False


cdef bint is_same_text(Level* v, int slot, int other) noexcept nogil:
    cdef const uint8_t* p = NULL
    cdef const uint8_t* q = NULL
    cdef int n = text(v, slot, 1, &p), m = text(v, other, 1, &q)
    return n > 0 and n == m and memcmp(p, q, n) == 0


cdef void check_identity(Level* v) noexcept nogil:
    # The SOP class and the UIDs of the root.
    cdef const uint8_t* p = NULL
    cdef int n = text(v, AT_SOP_CLASS_UID, 1, &p)
    cdef const sop_rule_t* rule = sop_rule(p, n) if n > 0 else NULL
    check_meta(v, AT_SOP_CLASS_UID, MEDIA_SOP_CLASS_UID, MEDIA_SOP_CLASS)
    check_meta(v, AT_SOP_INSTANCE_UID, MEDIA_SOP_INSTANCE_UID, MEDIA_SOP_INSTANCE)
    if rule != NULL:
        n = text(v, AT_MODALITY, 1, &p)
        if n > 0 and rule.modalities[0] and not is_word_of(p, n, rule.modalities):
            found(v, MODALITY, AT_MODALITY, 0, 0)
        if rule.single and has(v, AT_NUMBER_OF_FRAMES) and v.frames > 1:
            found(v, SINGLE_FRAME, AT_NUMBER_OF_FRAMES, <uint64_t>v.frames, 0)
        n = text(v, AT_MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, 1, &p)
        if n > 0 and rule.mime[0] and not is_alike(p, n, rule.mime):
            found(v, MIME_TYPE, AT_MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, 0, 0)
    check_uids(v)


cdef bint is_alike(const uint8_t* p, int n, const char* lower) noexcept nogil:
    # Whether a text without its parameters is another, whatever the case.
    cdef int i, m = <int>strlen(lower)
    if n < m or (n > m and p[m] != 59 and p[m] != 32):          # ;
        return False
    for i in range(m):
        if (p[i] | 32 if 65 <= p[i] <= 90 else p[i]) != <uint8_t>lower[i]:
            return False
    return True


cdef void check_meta(Level* v, int slot, uint32_t tag, uint16_t code) noexcept nogil:
    cdef const uint8_t* p = NULL
    cdef const uint8_t* q = NULL
    cdef uint32_t row = find_row(v.s, 0, v.meta_stop, tag)
    cdef int n, m
    if row == NO_ROW:
        return
    n, m = text_at(v.s, &v.s.rows[row], 1, &p), text(v, slot, 1, &q)
    if n > 0 and m > 0 and (n != m or memcmp(p, q, n) != 0):
        found(v, code, slot, 0, 0)


cdef void check_uids(Level* v) noexcept nogil:
    if is_same_text(v, AT_SOP_INSTANCE_UID, AT_SERIES_INSTANCE_UID) or is_same_text(
            v, AT_SOP_INSTANCE_UID, AT_STUDY_INSTANCE_UID):
        found(v, UIDS_ALIKE, AT_SOP_INSTANCE_UID, 0, 0)
    elif is_same_text(v, AT_SERIES_INSTANCE_UID, AT_STUDY_INSTANCE_UID):
        found(v, UIDS_ALIKE, AT_SERIES_INSTANCE_UID, 0, 0)
    check_uid_root(v, AT_SOP_INSTANCE_UID)
    check_uid_root(v, AT_SERIES_INSTANCE_UID)
    check_uid_root(v, AT_STUDY_INSTANCE_UID)


cdef void check_uid_root(Level* v, int slot) noexcept nogil:
    # The standard has instances of its own, such as palettes, below 1.2.840.10008.1.
    cdef const uint8_t* p = NULL
    cdef int n = text(v, slot, 1, &p)
    if n >= 16 and memcmp(p, b"1.2.840.10008.", 14) == 0 and memcmp(p + 14, b"1.", 2) != 0:
        found(v, UID_ROOT, slot, 0, 0)


cdef void check_document(Level* v) noexcept nogil:
    cdef int64_t said = 0
    cdef uint64_t length = row_at(v, AT_ENCAPSULATED_DOCUMENT).length
    if row_at(v, AT_ENCAPSULATED_DOCUMENT).vr != OB or not whole(v, AT_ENCAPSULATED_DOCUMENT_LENGTH, &said):
        return
    if <uint64_t>said + (said & 1) != length + (length & 1):
        found(v, DOCUMENT_LENGTH, AT_ENCAPSULATED_DOCUMENT_LENGTH, <uint64_t>said, length)


cdef void check_timezone(Level* v) noexcept nogil:
    # &ZZXX, from -1200 to +1400; there is no -0000 (PS3.5 6.2).
    cdef const uint8_t* p = NULL
    cdef int n = text(v, AT_TIMEZONE_OFFSET_FROM_UTC, 1, &p), i, minutes
    if n <= 0:
        return
    if n == 5 and (p[0] == 43 or p[0] == 45):
        for i in range(1, 5):
            if not 48 <= p[i] <= 57:
                break
        else:
            minutes = ((p[1] - 48) * 10 + p[2] - 48) * 60 + (p[3] - 48) * 10 + p[4] - 48
            if p[3] < 54 and (minutes <= 840 if p[0] == 43 else 0 < minutes <= 720):
                return
    found(v, TIMEZONE, AT_TIMEZONE_OFFSET_FROM_UTC, 0, 0)


cdef void check_laterality(Level* v) noexcept nogil:
    cdef const uint8_t* p = NULL
    cdef const uint8_t* q = NULL
    cdef int n = text(v, AT_LATERALITY, 1, &p), m
    cdef bint sided = n == 1 and (p[0] == 76 or p[0] == 82)         # L or R
    if not sided:
        return
    m = text(v, AT_IMAGE_LATERALITY, 1, &q)
    if m == 1 and (q[0] == 76 or q[0] == 82) and p[0] != q[0]:
        found(v, LATERALITY_DIFFERS, AT_LATERALITY, 0, 0)
    m = text(v, AT_BODY_PART_EXAMINED, 1, &q)
    if m > 0 and is_word_of(q, m, "ABDOMEN BLADDER BRAIN COCCYX CSPINE HEAD HEART LIVER LSPINE PANCREAS PELVIS "
                                  "PROSTATE SACRUM SKULL SPLEEN SSPINE STOMACH TRACHEA TSPINE UTERUS"):
        found(v, LATERALITY_UNPAIRED, AT_LATERALITY, 0, 0)


# -- geometry ------------------------------------------------------------------------------------------------------

cdef void check_spacing(Level* v, int slot) noexcept nogil:
    # Zero is allowed where there is a single row or column, which only the root can say.
    cdef double value = 0
    cdef int i
    for i in range(1, 3):
        if not float_at(v.s, row_at(v, slot), i, &value) or value > 0:
            continue
        if value == 0 and (is_single(v, v.root[AT_ROWS]) or is_single(v, v.root[AT_COLUMNS])):
            continue
        found(v, SPACING, slot, 0, i)
        return


cdef bint is_single(const Level* v, uint32_t row) noexcept nogil:
    cdef int64_t size = 0
    return row != NO_ROW and int_at(v.s, &v.s.rows[row], 1, False, &size) and size == 1


cdef void check_aspect(Level* v) noexcept nogil:
    cdef int64_t number = 0
    cdef int i
    for i in range(1, 3):
        if int_at(v.s, row_at(v, AT_PIXEL_ASPECT_RATIO), i, False, &number) and number <= 0:
            found(v, ASPECT_RATIO, AT_PIXEL_ASPECT_RATIO, 0, 0)
            return


cdef void check_orientation(Level* v, int slot) noexcept nogil:
    # Text has few digits, so that a hundredth is let pass.
    cdef double[6] d
    cdef double rows, columns, dot
    cdef int i
    for i in range(6):
        if not float_at(v.s, row_at(v, slot), i + 1, &d[i]):
            return
    rows = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
    columns = sqrt(d[3] * d[3] + d[4] * d[4] + d[5] * d[5])
    dot = d[0] * d[3] + d[1] * d[4] + d[2] * d[5]
    if not (fabs(rows - 1) <= 0.01 and fabs(columns - 1) <= 0.01 and fabs(dot) <= 0.01):
        found(v, ORIENTATION, slot, 0, 0)


cdef void check_position(Level* v, int slot) noexcept nogil:
    # A position of an image or a frame needs the root's frame of reference.
    cdef uint32_t row = v.root[AT_FRAME_OF_REFERENCE_UID]
    if v.sequence != 0 and v.sequence != 0x00209113:
        return
    if has_value(v.s, v.at[slot]) and (row == NO_ROW or not has_value(v.s, row)):
        found(v, NO_FRAME_OF_REFERENCE, slot, 0, 0)


cdef void check_matrix(Level* v) noexcept nogil:
    cdef double[16] m
    cdef double dot
    cdef bint good
    cdef int i, j, k
    for i in range(16):
        if not float_at(v.s, row_at(v, AT_FRAME_OF_REFERENCE_TRANSFORMATION_MATRIX), i + 1, &m[i]):
            return
    good = fabs(m[12]) < 1e-4 and fabs(m[13]) < 1e-4 and fabs(m[14]) < 1e-4 and fabs(m[15] - 1) < 1e-4
    if says(v, AT_FRAME_OF_REFERENCE_TRANSFORMATION_MATRIX_TYPE, "RIGID"):
        for j in range(3):
            for k in range(j, 3):
                dot = m[j] * m[k] + m[4 + j] * m[4 + k] + m[8 + j] * m[8 + k]
                good = good and fabs(dot - (j == k)) <= 0.02
    if not good:
        found(v, MATRIX, AT_FRAME_OF_REFERENCE_TRANSFORMATION_MATRIX, 0, 0)


cdef void check_order(Level* v, int low, int high, uint16_t code) noexcept nogil:
    # The first attribute is not above the second.
    cdef int64_t a = 0, b = 0
    if whole(v, low, &a) and whole(v, high, &b) and a > b:
        found(v, code, low, 0, 0)


cdef void check_mapping(Level* v) noexcept nogil:
    # The range of a real world value mapping, and its look-up table.
    cdef int64_t first = 0, last = 0, entries = values(v, AT_REAL_WORLD_VALUE_LUT_DATA)
    if not whole(v, AT_REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, &first):
        return
    if not whole(v, AT_REAL_WORLD_VALUE_LAST_VALUE_MAPPED, &last):
        return
    if first > last:
        found(v, MAPPED_RANGE, AT_REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, 0, 0)
    elif entries > 0 and entries != last - first + 1:
        found(v, MAPPED_LUT, AT_REAL_WORLD_VALUE_LUT_DATA, <uint64_t>entries, <uint64_t>(last - first + 1))


# -- points --------------------------------------------------------------------------------------------------------

cdef void check_contour(Level* v) noexcept nogil:
    cdef int64_t points = 0, count = values(v, AT_CONTOUR_DATA)
    if not whole(v, AT_NUMBER_OF_CONTOUR_POINTS, &points):
        return
    if count >= 0 and has(v, AT_CONTOUR_DATA) and (points > (<int64_t>1 << 40) or count != points * 3):
        found(v, CONTOUR_DATA, AT_CONTOUR_DATA, 0, <uint64_t>count)
    elif points > 1 and says(v, AT_CONTOUR_GEOMETRIC_TYPE, "POINT"):
        found(v, CONTOUR_POINT, AT_NUMBER_OF_CONTOUR_POINTS, 0, <uint64_t>points)


cdef void check_graphic(Level* v) noexcept nogil:
    # Coordinates of a graphic of a presentation state, or of a region in a document, whose 3D ones have a frame of
    # reference.
    cdef bint solid = has(v, AT_REFERENCED_FRAME_OF_REFERENCE_UID)
    cdef int64_t count = values(v, AT_GRAPHIC_DATA), points = 0, each = 3 if solid else 2, due = 0
    if count <= 0:
        return
    if says(v, AT_GRAPHIC_TYPE, "POINT"):
        due = 1
    elif says(v, AT_GRAPHIC_TYPE, "CIRCLE") and not solid:
        due = 2
    elif says(v, AT_GRAPHIC_TYPE, "ELLIPSE"):
        due = 4
    elif says(v, AT_GRAPHIC_TYPE, "ELLIPSOID") and solid:
        due = 6
    if due == 0 and whole(v, AT_NUMBER_OF_GRAPHIC_POINTS, &points) and 0 < points < 1 << 30:
        due = points
    if (due and count != due * each) or count % each:
        found(v, GRAPHIC_DATA, AT_GRAPHIC_DATA, 0, <uint64_t>count)


cdef void check_points(Level* v) noexcept nogil:
    # Points of surfaces, and bins of dose-volume histograms.
    cdef int64_t points = 0, count
    if has(v, AT_DVH_DATA) and whole(v, AT_DVH_NUMBER_OF_BINS, &points):
        count = values(v, AT_DVH_DATA)
        if count >= 0 and (points > (<int64_t>1 << 40) or count != points * 2):
            found(v, DVH_DATA, AT_DVH_DATA, 0, <uint64_t>count)
    if has(v, AT_POINT_COORDINATES_DATA) and row_at(v, AT_POINT_COORDINATES_DATA).vr == OF:
        count = <int64_t>(row_at(v, AT_POINT_COORDINATES_DATA).length >> 2)
        if whole(v, AT_NUMBER_OF_SURFACE_POINTS, &points) and count != points * 3:
            found(v, SURFACE_POINTS, AT_POINT_COORDINATES_DATA, 0, <uint64_t>count)


# -- waveforms -----------------------------------------------------------------------------------------------------

cdef void check_waveform(Level* v) noexcept nogil:
    cdef int64_t channels = count_or(v, AT_NUMBER_OF_WAVEFORM_CHANNELS, 0)
    cdef int64_t samples = count_or(v, AT_NUMBER_OF_WAVEFORM_SAMPLES, 0)
    cdef int64_t bits = count_or(v, AT_WAVEFORM_BITS_ALLOCATED, 0)
    cdef const Row* r = row_at(v, AT_WAVEFORM_DATA)
    cdef uint64_t due
    cdef uint32_t items
    v.waveform_bits = bits
    if has(v, AT_CHANNEL_DEFINITION_SEQUENCE) and channels > 0:
        items = items_of(v.s, v.at[AT_CHANNEL_DEFINITION_SEQUENCE])
        if items and items != channels:
            found(v, WAVEFORM_CHANNELS, AT_CHANNEL_DEFINITION_SEQUENCE, items, <uint64_t>channels)
    if bits > 0 and not fits_interpretation(v, bits):
        found(v, WAVEFORM_FORM, AT_WAVEFORM_BITS_ALLOCATED, <uint64_t>bits, 0)
    if r.flags & CONTAINER or (r.vr != OB and r.vr != OW) or not 0 < channels <= 0xFFFF or samples <= 0:
        return
    if samples > <int64_t>0xFFFFFFFF or not (bits == 8 or bits == 16 or bits == 32 or bits == 64):
        return
    due = <uint64_t>(channels * samples) * <uint64_t>(bits >> 3)
    if r.length != due + (due & 1) and r.length != due:
        found(v, WAVEFORM_DATA, AT_WAVEFORM_DATA, r.length, due)


cdef bint fits_interpretation(Level* v, int64_t bits) noexcept nogil:
    cdef const uint8_t* p = NULL
    cdef int n = text(v, AT_WAVEFORM_SAMPLE_INTERPRETATION, 1, &p)
    if n != 2:
        return True
    if is_word_of(p, n, "SB UB MB AB"):
        return bits == 8
    if is_word_of(p, n, "SS US"):
        return bits == 16
    if is_word_of(p, n, "SL UL"):
        return bits == 32
    return bits == 64 if is_word_of(p, n, "SV UV") else True


cdef void check_channel(Level* v) noexcept nogil:
    cdef int64_t stored = 0
    if v.sequence == 0x003A0200 and v.waveform_bits > 0 and whole(v, AT_WAVEFORM_BITS_STORED, &stored):
        if stored > v.waveform_bits:
            found(v, WAVEFORM_BITS, AT_WAVEFORM_BITS_STORED, <uint64_t>stored, <uint64_t>v.waveform_bits)


def modalities(str sop_class not None) -> str:
    """The modalities that objects of a SOP class come from, between spaces; empty if it may be any, or if other tables
    have them."""
    cdef bytes uid = sop_class.encode("ascii", "replace")
    cdef const sop_rule_t* rule = sop_rule(<const uint8_t*><const char*>uid, <int>min(len(uid), 1024))
    return "" if rule == NULL else rule.modalities.decode("ascii")
