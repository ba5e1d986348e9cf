"""Rules of pixel data, look-up tables, windows and overlays (PS3.3 C.7.6.3, C.9, C.11; PS3.5 8 and A)."""

from libc.stdint cimport UINT32_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from dicomcore._native.base.text cimport equals
from dicomcore._native.base.vr cimport OB
from dicomcore._native.check.codes cimport *
from dicomcore._native.check.level cimport *
from dicomcore._native.check.slots cimport *
from dicomcore._native.check.subject cimport float_at, int_at, items_of
from dicomcore._native.scan.scan cimport CONTAINER, FRAGMENTS, IMPLICIT, NO_ROW, Row

cdef extern from "base/tables/codings.h" nogil:
    ctypedef struct coding_row_t:
        uint8_t coding, length
        const char* uid
    const int CODING_COUNT
    const coding_row_t CODING_ROWS[]

cdef struct Photometric:
    int samples
    bint by_pixel               # only defined for planar configuration 0
    bint wavelet                # made by JPEG 2000 alone


cdef int coding_of(const uint8_t* uid, int n) noexcept nogil:
    # What a transfer syntax, given without padding, says about pixel data.
    cdef int i
    for i in range(CODING_COUNT):
        if n == CODING_ROWS[i].length and memcmp(uid, CODING_ROWS[i].uid, n) == 0:
            return CODING_ROWS[i].coding
    return CODING_UNKNOWN


cdef inline bint is_encapsulated(int coding) noexcept nogil:
    return coding != CODING_UNKNOWN and coding != CODING_NATIVE


cdef int photometric_of(const uint8_t* p, int n, Photometric* out) noexcept nogil:
    # Fill `out`; its samples are 0 for a photometric interpretation that is not listed.
    out.by_pixel = out.wavelet = False
    out.samples = 3
    if equals(p, n, "MONOCHROME2") or equals(p, n, "MONOCHROME1") or equals(p, n, "PALETTE COLOR"):
        out.samples = 1
    elif equals(p, n, "RGB") or equals(p, n, "YBR_FULL") or equals(p, n, "HSV"):
        pass
    elif equals(p, n, "YBR_FULL_422") or equals(p, n, "YBR_PARTIAL_422") or equals(p, n, "YBR_PARTIAL_420"):
        out.by_pixel = True
    elif equals(p, n, "YBR_RCT") or equals(p, n, "YBR_ICT"):
        out.by_pixel = out.wavelet = True
    elif equals(p, n, "ARGB") or equals(p, n, "CMYK"):
        out.samples = 4
    else:
        out.samples = 0
    return out.samples


cdef void check_image(Level* v) noexcept nogil:
    # An image pixel module: that of the root, or that of an icon.
    cdef int64_t allocated = count_or(v, AT_BITS_ALLOCATED, 0), samples = count_or(v, AT_SAMPLES_PER_PIXEL, 1)
    cdef Photometric light
    cdef const uint8_t* p = NULL
    cdef int n = text(v, AT_PHOTOMETRIC_INTERPRETATION, 1, &p)
    light.samples = 0
    light.by_pixel = light.wavelet = False
    if n > 0 and photometric_of(p, n, &light):
        if has(v, AT_SAMPLES_PER_PIXEL) and samples > 0 and samples != light.samples:
            found(v, SAMPLES_PHOTOMETRIC, AT_SAMPLES_PER_PIXEL, samples, light.samples)
        if light.by_pixel and count_or(v, AT_PLANAR_CONFIGURATION, 0) == 1:
            found(v, PLANAR_CONFIGURATION, AT_PLANAR_CONFIGURATION, 0, 0)
        if light.wavelet and v.coding != CODING_UNKNOWN and not codes_wavelets(v.coding) and is_root(v):
            found(v, PHOTOMETRIC_SYNTAX, AT_PHOTOMETRIC_INTERPRETATION, 0, 0)
    check_bits(v, allocated)
    if is_root(v):
        check_kinds(v, allocated)
    if has(v, AT_PIXEL_DATA):
        check_pixels(v, AT_PIXEL_DATA, samples, allocated, n > 0 and equals(p, n, "YBR_FULL_422"),
                     n > 0 and (equals(p, n, "YBR_PARTIAL_422") or equals(p, n, "YBR_PARTIAL_420")))
    if has(v, AT_FLOAT_PIXEL_DATA):
        check_pixels(v, AT_FLOAT_PIXEL_DATA, samples, 32, False, False)
    if has(v, AT_DOUBLE_FLOAT_PIXEL_DATA):
        check_pixels(v, AT_DOUBLE_FLOAT_PIXEL_DATA, samples, 64, False, False)


cdef inline bint codes_wavelets(int coding) noexcept nogil:
    # JPEG XL has transforms of its own, but no harm is done by leaving the question open.
    return coding == CODING_WAVELET or coding == CODING_JOINT or coding == CODING_FRAMES


cdef void check_bits(Level* v, int64_t allocated) noexcept nogil:
    cdef int64_t stored = 0, high = 0
    if not has(v, AT_BITS_ALLOCATED):
        return
    if allocated > 1 and allocated % 8:
        found(v, BITS_ALLOCATED, AT_BITS_ALLOCATED, allocated, 0)
    if not whole(v, AT_BITS_STORED, &stored) or stored <= 0 or allocated <= 0:
        return                              # zero is a finding of its own
    if stored > allocated:
        found(v, BITS_STORED, AT_BITS_STORED, stored, allocated)
    elif whole(v, AT_HIGH_BIT, &high) and high != stored - 1:
        found(v, HIGH_BIT if high < stored - 1 or high >= allocated else HIGH_BIT_ABOVE, AT_HIGH_BIT, high, stored)


cdef void check_kinds(Level* v, int64_t allocated) noexcept nogil:
    # Which of the three kinds of pixel data the root has.
    cdef bint floats = has(v, AT_FLOAT_PIXEL_DATA), doubles = has(v, AT_DOUBLE_FLOAT_PIXEL_DATA)
    if has(v, AT_PIXEL_DATA):
        if floats or doubles:
            found(v, PIXELS_TWICE, AT_PIXEL_DATA, 0, 0)
        elif v.coding == CODING_BASELINE and allocated > 0 and allocated != 8:
            found(v, SYNTAX_BITS, AT_BITS_ALLOCATED, allocated, 0)
    elif floats and doubles:
        found(v, PIXELS_TWICE, AT_DOUBLE_FLOAT_PIXEL_DATA, 0, 0)
    elif (floats and allocated != 32 or doubles and allocated != 64) and allocated > 0:
        found(v, FLOAT_BITS, AT_BITS_ALLOCATED, allocated, 32 if floats else 64)


cdef void check_pixels(Level* v, int slot, int64_t samples, int64_t allocated, bint halved,
                       bint partial) noexcept nogil:
    # Pixel data against what it should have: `halved` chrominance has two samples a pixel, `partial` is not measured.
    cdef const Row* r = row_at(v, slot)
    cdef int64_t frames = v.frames if is_root(v) else 1
    if r.flags & FRAGMENTS:
        if v.coding == CODING_NATIVE:
            found(v, PIXEL_FORM, slot, 0, 0)
        elif frames > 0:
            check_fragments(v, slot, frames)
        return
    if r.flags & CONTAINER or r.length == 0:
        return
    if is_encapsulated(v.coding) and is_root(v):
        found(v, PIXEL_FORM, slot, 0, 0)
        return
    if slot == AT_PIXEL_DATA and r.vr == OB and allocated > 8 and not r.flags & IMPLICIT:
        found(v, PIXEL_VR, slot, 0, 0)
    if not partial and 1 <= samples <= 4 and frames > 0:
        check_length(v, slot, 2 if halved and samples == 3 else samples, allocated, frames)


cdef void check_length(Level* v, int slot, int64_t samples, int64_t allocated, int64_t frames) noexcept nogil:
    cdef int64_t rows = count_or(v, AT_ROWS, 0), columns = count_or(v, AT_COLUMNS, 0)
    cdef uint64_t bits, due
    if rows <= 0 or columns <= 0 or allocated <= 0 or allocated > 64 or (allocated != 1 and allocated % 8):
        return
    bits = <uint64_t>(rows * columns * samples * allocated)         # below 2^41
    if rows > 0xFFFF or columns > 0xFFFF or <uint64_t>frames > (<uint64_t>1 << 62) // bits:
        return
    due = (bits * <uint64_t>frames + 7) >> 3
    if row_at(v, slot).length < due:
        found(v, PIXELS_SHORT, slot, row_at(v, slot).length, due)
    elif row_at(v, slot).length > due + (due & 1):
        found(v, PIXELS_LONG, slot, row_at(v, slot).length, due)


cdef void check_fragments(Level* v, int slot, int64_t frames) noexcept nogil:
    cdef uint32_t items = items_of(v.s, v.at[slot]), first = v.at[slot] + 1
    cdef uint64_t offsets
    if v.coding == CODING_UNKNOWN or v.coding == CODING_VIDEO or v.coding == CODING_JOINT:
        return
    if items == 0 or (items - 1 != frames if v.coding == CODING_RLE else items - 1 < frames):
        found(v, FRAGMENT_COUNT, slot, items - 1 if items else 0, frames)
        return
    offsets = v.s.rows[first].length
    if offsets != 0 and offsets != <uint64_t>frames * 4:
        found(v, OFFSET_TABLE, slot, offsets, frames)
    if is_root(v):
        check_extended(v, AT_EXTENDED_OFFSET_TABLE, frames)
        check_extended(v, AT_EXTENDED_OFFSET_TABLE_LENGTHS, frames)


cdef void check_extended(Level* v, int slot, int64_t frames) noexcept nogil:
    if has(v, slot) and row_at(v, slot).length != <uint64_t>frames * 8:
        found(v, EXTENDED_OFFSETS, slot, row_at(v, slot).length, frames)


cdef void check_lossy(Level* v) noexcept nogil:
    # Lossy Image Compression against the transfer syntax, and its steps against each other; of the root.
    cdef int64_t methods = values(v, AT_LOSSY_IMAGE_COMPRESSION_METHOD)
    cdef int64_t ratios = values(v, AT_LOSSY_IMAGE_COMPRESSION_RATIO)
    cdef bint lossy = v.coding == CODING_BASELINE or v.coding == CODING_LOSSY or v.coding == CODING_VIDEO
    if lossy and v.has_pixels and says(v, AT_LOSSY_IMAGE_COMPRESSION, "00"):
        found(v, LOSSY_FLAG, AT_LOSSY_IMAGE_COMPRESSION, 0, 0)
    if methods > 0 and ratios > 0 and methods != ratios:
        found(v, LOSSY_STEPS, AT_LOSSY_IMAGE_COMPRESSION_METHOD, methods, ratios)


cdef void check_window(Level* v) noexcept nogil:
    cdef int64_t widths = values(v, AT_WINDOW_WIDTH), centers = values(v, AT_WINDOW_CENTER)
    cdef double width = 0
    cdef bint linear = not has(v, AT_VOILUT_FUNCTION) or says(v, AT_VOILUT_FUNCTION, "LINEAR") or says(
        v, AT_VOILUT_FUNCTION, "")
    cdef bint known = linear or says(v, AT_VOILUT_FUNCTION, "LINEAR_EXACT") or says(v, AT_VOILUT_FUNCTION, "SIGMOID")
    cdef int i
    if widths > 0 and centers > 0 and widths != centers:
        found(v, WINDOW_PAIRS, AT_WINDOW_WIDTH, widths, centers)
    if not known:
        return
    for i in range(1, <int>min(widths, <int64_t>FEW) + 1):
        if float_at(v.s, row_at(v, AT_WINDOW_WIDTH), i, &width) and (width < 1 if linear else width <= 0):
            found(v, WINDOW_WIDTH, AT_WINDOW_WIDTH, 0, i)
            return


cdef bint read_descriptor(Level* v, int slot, uint32_t* out) noexcept nogil:
    # Entries, first value (its 16 bits) and bits of a look-up table; False: not three numbers.
    cdef int64_t number = 0
    cdef int i
    if not has(v, slot):
        return False
    for i in range(3):
        if not int_at(v.s, row_at(v, slot), i + 1, False, &number):
            return False
        out[i] = <uint32_t>number & 0xFFFF
    out[0] = out[0] if out[0] else 0x10000
    return True


cdef inline bint fits(uint64_t length, const uint32_t* descriptor) noexcept nogil:
    # Whether the data has the entries that the descriptor states: words, or bytes if they have 8 bits at most.
    cdef uint64_t entries = descriptor[0]
    return length == entries * 2 or (descriptor[2] <= 8 and entries <= length <= entries + (entries & 1))


cdef void check_lut(Level* v) noexcept nogil:
    cdef uint32_t[3] descriptor
    if not read_descriptor(v, AT_LUT_DESCRIPTOR, descriptor):
        return
    if not 8 <= descriptor[2] <= 16:
        found(v, LUT_BITS, AT_LUT_DESCRIPTOR, 0, descriptor[2])
    if has(v, AT_LUT_DATA) and row_at(v, AT_LUT_DATA).length and not fits(row_at(v, AT_LUT_DATA).length, descriptor):
        found(v, LUT_DESCRIPTOR, AT_LUT_DATA, 0, 0)


cdef void check_palette(Level* v) noexcept nogil:
    # The three tables of a palette, by the descriptor of each.
    cdef uint32_t[3] red, other
    cdef int i, slot, data
    if not read_descriptor(v, AT_RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, red):
        return
    if red[2] != 8 and red[2] != 16:
        found(v, PALETTE_BITS, AT_RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, 0, red[2])
    for i in range(3):
        slot = AT_RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR + i
        data = AT_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA + i
        if not read_descriptor(v, slot, other):
            continue
        if memcmp(red, other, sizeof(red)) != 0:
            found(v, PALETTE_DESCRIPTORS, slot, 0, 0)
        elif has(v, data) and row_at(v, data).length and not fits(row_at(v, data).length, other):
            found(v, PALETTE_LENGTH, data, 0, 0)


cdef void place_overlay(Overlay* overlays, uint32_t tag, uint32_t row) noexcept nogil:
    # Note a row of a group 60xx.
    cdef uint32_t group = tag >> 16, element = tag & 0xFFFF
    cdef Overlay* o
    if group & 1 or group >= 0x6000 + 2 * OVERLAY_GROUPS:
        return
    o = &overlays[(group - 0x6000) >> 1]
    if element == 0x0010:
        o.rows = row
    elif element == 0x0011:
        o.columns = row
    elif element == 0x0015:
        o.frames = row
    elif element == 0x0100:
        o.allocated = row
    elif element == 0x0102:
        o.position = row
    elif element == 0x3000:
        o.data = row


cdef int64_t number_in(Level* v, uint32_t row, int64_t default) noexcept nogil:
    cdef int64_t number = 0
    return number if row != NO_ROW and int_at(v.s, &v.s.rows[row], 1, False, &number) else default


cdef void check_overlay(Level* v, const Overlay* o) noexcept nogil:
    cdef int64_t rows = number_in(v, o.rows, 0), columns = number_in(v, o.columns, 0)
    cdef int64_t frames = number_in(v, o.frames, 1), allocated = number_in(v, o.allocated, 1)
    cdef int64_t position = number_in(v, o.position, 0)
    cdef uint64_t due, length
    if o.data == NO_ROW or v.s.rows[o.data].flags & CONTAINER:
        return
    length = v.s.rows[o.data].length
    if allocated != 1:
        report(v, OVERLAY_BITS, v.s.rows[o.allocated].tag, o.allocated, capped(allocated), 1)
    elif position != 0:
        report(v, OVERLAY_BITS, v.s.rows[o.position].tag, o.position, capped(position), 0)
    elif length and 0 < rows <= 0xFFFF and 0 < columns <= 0xFFFF and 0 < frames <= UINT32_MAX >> 2:
        due = (<uint64_t>(rows * columns) * <uint64_t>frames + 7) >> 3
        if length < due:
            report(v, OVERLAY_SHORT, v.s.rows[o.data].tag, o.data, capped(length), capped(due))
        elif length > due + (due & 1):
            report(v, OVERLAY_LONG, v.s.rows[o.data].tag, o.data, capped(length), capped(due))
