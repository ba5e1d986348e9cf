# One level of a data set, the root or an item, as rules across attributes see it: the row of each attribute that they
# ask for, and what of the root they need below it.

from libc.stdint cimport UINT32_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport OK, Status
from dicomcore._native.base.text cimport equals
from dicomcore._native.check.findings cimport NO_MODULE, Findings, add
from dicomcore._native.check.slots cimport SLOT_COUNT
from dicomcore._native.check.subject cimport Subject, bytes_of, float_at, int_at, text_at, value_count
from dicomcore._native.scan.scan cimport NO_ROW, Row

cdef enum:
    FEW = 64                        # values of one attribute that are looked at, as each is sought from the first on

# What a transfer syntax says about pixel data.
cdef extern from "base/tables/codings.h" nogil:
    enum:
        CODING_UNKNOWN              # a private one, or one without pixel data
        CODING_NATIVE
        CODING_BASELINE             # JPEG with 8 bits, lossy
        CODING_LOSSY                # other lossy JPEG
        CODING_RLE
        CODING_WAVELET              # JPEG 2000
        CODING_FRAMES               # others that code each frame apart
        CODING_VIDEO
        CODING_JOINT                # several frames in one codestream

# Numbers, names or UIDs that items of a sequence of the root have, and that others refer to.
cdef enum:
    NAMED_ROI
    NAMED_BEAM
    NAMED_ION_BEAM
    NAMED_FRACTION
    NAMED_TOLERANCE
    NAMED_SETUP
    NAMED_DOSE_REFERENCE
    NAMED_SEGMENT
    NAMED_ORGANIZATION
    NAMED_LAYER
    NAMED_PATH
    NAMED_COUNT

cdef struct Names:
    int64_t* keys                   # sorted; hashes of texts. NULL: the root has no such sequence
    uint32_t count

cdef struct Level:
    const Subject* s
    Findings* f
    Status status
    uint32_t at[SLOT_COUNT]         # the row of each attribute; NO_ROW: it is not there
    uint8_t touched[SLOT_COUNT]     # those that are there
    int touched_count
    uint32_t around                 # the row of the item, NO_ROW: the root
    uint32_t sequence               # the tag of the sequence around the item, 0: the root
    # of the root, and so the same at all levels
    const uint32_t* root
    uint32_t meta_stop              # rows [0, meta_stop) are the file meta information
    int coding
    bint has_pixels
    int64_t frames                  # 1 where the root does not say, 0 or less: not known
    bint signed                     # Pixel Representation is 1
    bint labels                     # a segmentation by labels
    uint32_t dimensions             # items of Dimension Index Sequence
    int64_t waveform_bits           # of the waveform that was seen last
    Names named[NAMED_COUNT]


cdef inline bint has(const Level* v, int slot) noexcept nogil:
    return v.at[slot] != NO_ROW


cdef inline bint is_root(const Level* v) noexcept nogil:
    return v.around == NO_ROW


cdef inline const Row* row_at(const Level* v, int slot) noexcept nogil:
    return &v.s.rows[v.at[slot]]


cdef inline bint whole(const Level* v, int slot, int64_t* out) noexcept nogil:
    # The first value as an integer; False: there is none.
    return has(v, slot) and int_at(v.s, row_at(v, slot), 1, v.signed, out)


cdef inline int64_t count_or(const Level* v, int slot, int64_t default) noexcept nogil:
    # A number that isn't negative; `default` if there is no value, -1 if it can't be read.
    cdef int64_t number = 0
    if not has(v, slot) or row_at(v, slot).length == 0:
        return default
    return number if whole(v, slot, &number) and number >= 0 else -1


cdef inline int text(const Level* v, int slot, int n, const uint8_t** p) noexcept nogil:
    # The length of value n without padding, -1: there is none.
    return text_at(v.s, row_at(v, slot), n, p) if has(v, slot) else -1


cdef inline bint says(const Level* v, int slot, const char* value) noexcept nogil:
    # Whether the first value is this text.
    cdef const uint8_t* p = NULL
    cdef int n = text(v, slot, 1, &p)
    return n >= 0 and equals(p, n, value)


cdef inline int64_t values(const Level* v, int slot) noexcept nogil:
    # The number of values, -1 if they are not in memory or not there.
    cdef const Row* r
    if not has(v, slot):
        return -1
    r = row_at(v, slot)
    if r.length and bytes_of(v.s, r) == NULL:
        return -1
    return value_count(v.s, r)


cdef inline uint32_t capped(uint64_t number) noexcept nogil:
    return <uint32_t>min(number, <uint64_t>UINT32_MAX)


cdef inline void report(Level* v, uint16_t code, uint32_t tag, uint32_t row, uint32_t detail,
                        uint32_t more) noexcept nogil:
    cdef uint32_t path = 0, item = v.around, sequence
    cdef Status status
    while item != NO_ROW:
        sequence = v.s.rows[item].parent
        if sequence == NO_ROW:
            break
        path = path * <uint32_t>31 + v.s.rows[sequence].tag
        item = v.s.rows[sequence].parent
    status = add(v.f, code, <uint16_t>NO_MODULE, tag, row, v.around, path, detail, more)
    if status != OK:
        v.status = status


cdef inline void found(Level* v, uint16_t code, int slot, uint64_t detail, uint64_t more) noexcept nogil:
    # A finding about an attribute of the level. Findings that differ in `detail` are not counted in one.
    report(v, code, row_at(v, slot).tag, v.at[slot], capped(detail), capped(more))
