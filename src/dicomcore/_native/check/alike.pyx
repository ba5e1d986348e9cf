"""Frames that are alike: items of per-frame functional groups in which the same is found.

Two items are alike if they have the same elements, of the same VR, with equal values; values at which no rule looks may
differ if they are as many and are right or wrong alike. The first two items and the last one stand for themselves, as
conditions may name the first and the last item of a sequence.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status
from dicomcore._native.base.vr cimport LO, LT, PN, SH, ST, UC, UT
from dicomcore._native.check.checked cimport RULE_CHECKED_ZERO, place_of
from dicomcore._native.check.plan cimport looked_at
from dicomcore._native.check.slots cimport (
    AT_DIMENSION_INDEX_VALUES, AT_IMAGE_POSITION_PATIENT, AT_REFERENCED_SOP_INSTANCE_UID, SLOT_COUNT,
)
from dicomcore._native.check.subject cimport (
    Chosen, Subject, bytes_of, find_root, float_at, has_value, text_at, value_count,
)
from dicomcore._native.check.texts cimport has_form, is_bad_text
from dicomcore._native.scan.scan cimport CONTAINER, ITEM, NO_ROW, Row

cdef enum:
    FRAME_GROUPS = 0x52009230
    SOP_INSTANCE_UID = 0x00080018
    CHANNELS = 0x003A0200       # the rule of their bits looks back to the waveform that was seen last
    FEWEST = 8                  # items that are worth it
    KINDS = 1024                # places of the table of items; half of them are taken at most
    KNOWN = 128                 # rows whose traits are kept; a power of 2
    TRIAL = 512                 # items from which on at least a quarter has to be like others

cdef struct Kind:
    uint64_t hashed
    uint32_t item, place        # its first item: the row, and the place among those that are chosen
    bint taken

cdef struct Traits:             # of a value, what rules ask of it at which they don't look any closer
    uint32_t row
    int count
    bint filled, bad, wide      # not empty; not in the form of its VR; with bytes of a character set
    bint alone                  # like no other

cdef struct Kinds:
    Kind[KINDS] table
    Traits[KNOWN] known         # of rows that were compared last, by the low bits of the row; row 0: none
    uint32_t count
    Kind* last                  # that of the item before


cdef void unfold_frames(Subject* s) noexcept nogil:
    free(s.chosen)
    s.chosen = NULL


cdef Status fold_frames(Subject* s, const uint32_t* looked) noexcept nogil:
    cdef uint32_t row = find_root(s, FRAME_GROUPS)
    cdef Kinds* kinds
    if row == NO_ROW or not s.rows[row].flags & CONTAINER or not has_many(s, row):
        return OK
    kinds = <Kinds*>calloc(1, sizeof(Kinds))
    s.chosen = <Chosen*>malloc((s.rows[row].next - row) * sizeof(Chosen))       # as many as there are rows will do
    s.frames, s.chosen_count = row, 0
    if kinds != NULL and s.chosen != NULL:
        choose(s, looked, kinds)
    free(kinds)
    return OK if kinds != NULL and s.chosen != NULL else NO_MEMORY


cdef bint has_many(const Subject* s, uint32_t row) noexcept nogil:
    cdef uint32_t i = row + 1, stop = s.rows[row].next, count = 0
    while i < stop and count < FEWEST:
        count += 1
        i = s.rows[i].next
    return count == FEWEST


cdef void choose(Subject* s, const uint32_t* looked, Kinds* kinds) noexcept nogil:
    cdef uint32_t i = s.frames + 1, stop = s.rows[s.frames].next, number = 0, place
    while i < stop:
        place = s.chosen_count
        if number >= 2 and s.rows[i].next < stop and s.rows[i].tag == ITEM and (
                number < TRIAL or s.chosen_count < (number >> 2) * 3):
            place = place_among(s, looked, kinds, i)
        if place == s.chosen_count:
            s.chosen[place] = Chosen(i, 1)
            s.chosen_count += 1
        else:
            s.chosen[place].weight += 1
        number += 1
        i = s.rows[i].next


cdef uint32_t place_among(const Subject* s, const uint32_t* looked, Kinds* kinds, uint32_t item) noexcept nogil:
    # The place of the item that stands for one; the next place if none does.
    cdef uint64_t hashed
    cdef uint32_t at
    cdef Kind* kind
    if kinds.last != NULL and are_alike(s, looked, kinds, kinds.last.item, item):
        return kinds.last.place
    hashed = hash_of(s, looked, item)
    at = <uint32_t>(hashed >> 32) & (KINDS - 1)
    while kinds.table[at].taken:
        kind = &kinds.table[at]
        if kind.hashed == hashed and are_alike(s, looked, kinds, kind.item, item):
            kinds.last = kind
            return kind.place
        at = (at + 1) & (KINDS - 1)
    if kinds.count < KINDS >> 1:
        kinds.count += 1
        kinds.last = &kinds.table[at]
        kinds.table[at] = Kind(hashed, item, s.chosen_count, True)
    return s.chosen_count


# -- two items -----------------------------------------------------------------------------------------------------

cdef bint are_alike(const Subject* s, const uint32_t* looked, Kinds* kinds, uint32_t a, uint32_t b) noexcept nogil:
    cdef const Row* x = &s.rows[a]
    cdef const Row* y = &s.rows[b]
    cdef uint32_t count = x.next - a, k
    cdef bint same = x.length == y.length
    cdef const uint8_t* p
    cdef const uint8_t* q
    if y.next - b != count or x.flags != y.flags:
        return False
    if same:
        p, q = bytes_of(s, x), bytes_of(s, y)
        same = p != NULL and q != NULL and memcmp(p, q, x.length) == 0
    for k in range(1, count):
        x, y = &s.rows[a + k], &s.rows[b + k]
        if x.tag != y.tag or x.vr != y.vr or x.flags != y.flags or x.next - a != y.next - b:
            return False
        if same:
            if x.length != y.length:
                return False
        elif not is_around(x) and not is_same(s, x, y) and not may_differ(s, looked, kinds, a + k, b + k):
            return False
        if x.tag == CHANNELS:
            return False
    return True


cdef inline bint is_around(const Row* r) noexcept nogil:
    return r.tag == ITEM or r.flags & CONTAINER


cdef inline bint is_same(const Subject* s, const Row* x, const Row* y) noexcept nogil:
    # Whether two values are equal; they are not known to be if they are not in memory.
    cdef const uint8_t* p
    cdef const uint8_t* q
    if x.length != y.length:
        return False
    if x.length == 0:
        return True
    p, q = bytes_of(s, x), bytes_of(s, y)
    return p != NULL and q != NULL and memcmp(p, q, x.length) == 0


cdef bint may_differ(const Subject* s, const uint32_t* looked, Kinds* kinds, uint32_t a, uint32_t b) noexcept nogil:
    # Whether the same is found in two values that are not equal; `a` is compared with many.
    cdef Traits* known = &kinds.known[a & (KNOWN - 1)]
    cdef Traits other
    if is_looked_at(looked, &s.rows[a]):
        return False
    if known.row != a:
        known[0] = traits_of(s, a)
    if known.alone:
        return False
    other = traits_of(s, b)
    return (not other.alone and known.count == other.count and known.filled == other.filled
            and known.bad == other.bad and known.wide == other.wide)


cdef Traits traits_of(const Subject* s, uint32_t row) noexcept nogil:
    cdef const Row* r = &s.rows[row]
    cdef int place = place_of(r.tag)
    cdef Traits t
    t.row, t.count, t.filled, t.bad, t.wide = row, 0, False, False, False
    t.alone = bytes_of(s, r) == NULL
    if t.alone:
        return t
    t.count, t.filled = value_count(s, r), has_value(s, row)
    if has_form(r.vr):
        t.bad = is_bad_text(s, r)
    if is_coded(r.vr):
        t.wide = is_wide(s, r)
    if place == AT_REFERENCED_SOP_INSTANCE_UID:
        t.alone = is_own(s, r)
    elif place >= 0 and RULE_CHECKED_ZERO[place]:
        t.alone = has_zero(s, r)
    return t


cdef inline bint is_looked_at(const uint32_t* looked, const Row* r) noexcept nogil:
    # Whether rules ask more of the value than `may_differ` compares.
    cdef int place
    if looked == NULL or looked[looked_at(looked, r.tag)]:
        return True
    place = place_of(r.tag)
    return 0 <= place < SLOT_COUNT and not (
        place == AT_DIMENSION_INDEX_VALUES                  # their number
        or place == AT_IMAGE_POSITION_PATIENT               # whether there is one
        or place == AT_REFERENCED_SOP_INSTANCE_UID          # whether it is the object's own
    )


cdef inline bint is_coded(uint16_t vr) noexcept nogil:
    # Whether it is text in a character set.
    return vr == SH or vr == LO or vr == ST or vr == LT or vr == PN or vr == UC or vr == UT


cdef bint is_wide(const Subject* s, const Row* r) noexcept nogil:
    # Whether text has a byte that only a character set explains.
    cdef const uint8_t* p = bytes_of(s, r)
    cdef uint64_t k
    for k in range(r.length):
        if p[k] >= 0x80 or p[k] == 0x1B:
            return True
    return False


cdef bint is_own(const Subject* s, const Row* r) noexcept nogil:
    # Whether a UID is that of the object.
    cdef uint32_t row = find_root(s, SOP_INSTANCE_UID)
    cdef const uint8_t* p = NULL
    cdef const uint8_t* q = NULL
    cdef int n = text_at(s, &s.rows[row], 1, &p) if row != NO_ROW else 0, m = text_at(s, r, 1, &q)
    return n > 0 and n == m and memcmp(p, q, n) == 0


cdef bint has_zero(const Subject* s, const Row* r) noexcept nogil:
    # Whether a number is zero, or negative.
    cdef double number = 0
    cdef int i = 1
    while float_at(s, r, i, &number):
        if number <= 0:
            return True
        i += 1
    return False


# -- a hash of what has to be equal --------------------------------------------------------------------------------

cdef inline uint64_t mixed(uint64_t hashed, uint64_t word) noexcept nogil:
    hashed = (hashed ^ word) * <uint64_t>0x9E3779B97F4A7C15
    return hashed ^ (hashed >> 29)


cdef uint64_t hash_of(const Subject* s, const uint32_t* looked, uint32_t item) noexcept nogil:
    cdef uint64_t hashed = s.rows[item].next - item
    cdef const Row* r
    cdef uint32_t k
    for k in range(item + 1, s.rows[item].next):
        r = &s.rows[k]
        hashed = mixed(hashed, <uint64_t>r.tag << 32 | r.vr)
        if is_around(r):
            hashed = mixed(hashed, r.next - k)
        elif is_looked_at(looked, r):
            hashed = hash_bytes(hashed, bytes_of(s, r), r.length)
        else:
            hashed = mixed(hashed, <uint64_t>value_count(s, r))
    return hashed


cdef uint64_t hash_bytes(uint64_t hashed, const uint8_t* p, uint64_t n) noexcept nogil:
    cdef uint64_t i = 0, word = 0
    hashed = mixed(hashed, n)
    if p == NULL:
        return hashed
    while n - i >= 8:
        memcpy(&word, p + i, 8)
        hashed = mixed(hashed, word)
        i += 8
    word = 0
    memcpy(&word, p + i, n - i)
    return mixed(hashed, word)
