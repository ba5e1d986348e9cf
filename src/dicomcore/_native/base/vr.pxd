# VRs as two ASCII letters in one word, the first in the low byte (PS3.5 6.2). Lower-case letters stand for a choice of
# VRs that the dictionary leaves to the data set's context (PS3.6, PS3.5 Annex A).

from libc.stdint cimport uint8_t, uint16_t

cdef extern from "base/tables/vr.h" nogil:
    enum:
        VR_UNKNOWN      # not a VR of the standard
        VR_SHORT        # 16-bit value length
        VR_LONG         # two reserved bytes and a 32-bit value length
        VR_SEQUENCE     # SQ: header as VR_LONG
        VR_UNTYPED      # UN: header as VR_LONG
    const uint8_t VR_FORM[32 * 32]
    ctypedef struct vr_row_t:
        uint16_t code
        const char* name
        const char* dtype       # NumPy's name of a word, without byte order; "" for text and sequences
    const int VR_COUNT
    const vr_row_t VR_ROWS[]
    bint is_text "vr_is_text" (uint16_t vr)             # VRs whose empty value is "" and not None
    bint is_number "vr_is_number" (uint16_t vr)         # binary numbers; AT is not one of them
    bint is_bytes "vr_is_bytes" (uint16_t vr)           # bulk data of bytes or words
    bint has_charset "vr_has_charset" (uint16_t vr)     # Specific Character Set governs their text (PS3.5 6.1.2.2)
    bint is_single "vr_is_single" (uint16_t vr)         # a backslash is a character of their text (PS3.5 6.2)
    Py_ssize_t word_size "vr_word_size" (uint16_t vr)   # bytes per word of a binary value, 1 for all others


cdef enum VR:
    NO_VR = 0
    AE = 0x4541
    AS = 0x5341
    AT = 0x5441
    CS = 0x5343
    DA = 0x4144
    DS = 0x5344
    DT = 0x5444
    FD = 0x4446
    FL = 0x4C46
    IS = 0x5349
    LO = 0x4F4C
    LT = 0x544C
    OB = 0x424F
    OD = 0x444F
    OF = 0x464F
    OL = 0x4C4F
    OV = 0x564F
    OW = 0x574F
    PN = 0x4E50
    SH = 0x4853
    SL = 0x4C53
    SQ = 0x5153
    SS = 0x5353
    ST = 0x5453
    SV = 0x5653
    TM = 0x4D54
    UC = 0x4355
    UI = 0x4955
    UL = 0x4C55
    UN = 0x4E55
    UR = 0x5255
    US = 0x5355
    UT = 0x5455
    UV = 0x5655
    US_OR_SS = 0x7378
    OB_OR_OW = 0x786F
    US_OR_OW = 0x6F78
    US_OR_SS_OR_OW = 0x746C


cdef inline uint8_t vr_form(uint16_t vr) noexcept nogil:
    # The form of an explicit element's header (PS3.5 7.1.2), looked up by both letters at once.
    if vr & 0xE0E0 != 0x4040:
        return VR_UNKNOWN
    return VR_FORM[(vr & 31) | (vr >> 3 & 0x3E0)]


cdef inline bint is_letters(uint8_t first, uint8_t second) noexcept nogil:
    return 65 <= first <= 90 and 65 <= second <= 90


cdef inline Py_ssize_t swap_width(uint16_t vr) noexcept nogil:
    # Bytes of a word that changes with the byte order; a tag is two words of 2 bytes (PS3.5 7.3).
    return 2 if vr == AT else word_size(vr)
