# The scanner's structures: rows of the index, deviations, and the state that lets a scan pause between two elements
# and continue when more bytes are in memory.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status

cdef enum:
    UNDEFINED_LENGTH = 0xFFFFFFFF
    NO_ROW = 0xFFFFFFFF

cdef enum Tags:
    SPECIFIC_CHARACTER_SET = 0x00080005
    PIXEL_REPRESENTATION = 0x00280103
    FLOAT_PIXEL_DATA = 0x7FE00008
    DOUBLE_FLOAT_PIXEL_DATA = 0x7FE00009
    PIXEL_DATA = 0x7FE00010
    TRAILING_PADDING = 0xFFFCFFFC
    ITEM = 0xFFFEE000
    ITEM_DELIMITER = 0xFFFEE00D
    SEQUENCE_DELIMITER = 0xFFFEE0DD

# Row.flags; the first two are also the encoding in which a level is read.
cdef enum Flags:
    IMPLICIT = 1            # implicit VR: the row's VR comes from the dictionary
    BIG_ENDIAN = 2
    UNDEFINED = 4           # the length field is FFFFFFFFH; Row.length is the actual length
    CLIPPED = 8             # the length field is wrong, mostly too large; Row.length is the actual length
    CONTAINER = 16          # rows of its items (or fragments) follow
    FRAGMENTS = 32          # a container of fragments: encapsulated pixel data

cdef enum IssueCode:
    TRAILING_BYTES = 1
    TRAILING_ZEROS
    LENGTH_BEYOND_END
    OUT_OF_ORDER
    DUPLICATE_TAG
    ODD_LENGTH
    UNKNOWN_VR
    IMPLICIT_IN_EXPLICIT
    LENGTH_FIELD_16
    MISSING_ITEM_DELIMITER
    MISSING_SEQUENCE_DELIMITER
    STRAY_DELIMITER
    DELIMITER_LENGTH
    NOT_AN_ITEM
    NO_ITEMS
    SHORT_VR_UNDEFINED
    EXPLICIT_IN_IMPLICIT
    SHORT_ITEM
    LENGTH_13

cdef struct Row:            # 32 bytes; also the record that dc.scan() returns
    uint32_t tag            # group << 16 | element
    uint16_t vr             # two letters, the first in the low byte; 0 for items and unknown VRs
    uint8_t header          # bytes from the element's first byte to its value's
    uint8_t flags
    uint64_t offset         # of the value's first byte, from the source's first byte
    uint64_t length         # of the value that is present, without delimiters
    uint32_t parent         # row of the sequence around an item, or of the item around an element
    uint32_t next           # first row behind this one and its contents

cdef struct Deviation:
    uint32_t code           # IssueCode
    uint32_t tag
    uint64_t offset         # of the element's first byte
    uint64_t claimed        # a length, VR or tag as the input states it, depending on the code
    uint64_t present

cdef enum LevelKind:
    ELEMENTS                # a data set: the top level or an item
    ITEMS                   # a sequence
    PIECES                  # encapsulated pixel data

cdef struct Level:
    uint64_t end            # where the nearest level with a defined length ends: no child passes it
    uint32_t row            # the container's row, NO_ROW at the top
    uint32_t last           # tag of the last element, to check the order
    uint8_t kind
    uint8_t mode            # IMPLICIT | BIG_ENDIAN
    bint defined            # ends at `end`; otherwise at a delimiter
    bint untyped            # a UN sequence: implicit VR inside is correct (PS3.5 6.2.2)
    bint inside             # fragments in an item or sequence of defined length; `end` is not limited by it

cdef struct Scanner:
    # the window: bytes [start, stop) of a source of `total` bytes
    const uint8_t* window
    uint64_t start
    uint64_t stop
    uint64_t total
    # results
    Row* rows
    Py_ssize_t count
    Py_ssize_t capacity
    Deviation* deviations
    Py_ssize_t deviation_count
    Py_ssize_t deviation_capacity
    # state
    uint64_t pos
    Level* levels
    Py_ssize_t depth
    Py_ssize_t level_capacity
    bint crossing           # fragments are being read past the end of the item around them, since:
    uint64_t crossing_pos
    Py_ssize_t crossing_count
    Py_ssize_t crossing_deviations
    uint32_t misled         # how often these fragments ended without a delimiter
    bint disordered         # the tags of a data set may not ascend: rows must be sorted before they are searched
    bint done               # nothing is left to scan
    bint paused_at_pixels
    # options
    int32_t only_group      # stop before the first top-level element of another group; -1: any
    uint32_t stop_tag       # stop before the first top-level element with this tag or a higher one
    bint pause_at_pixels    # return once the row of top-level pixel data is added
    Py_ssize_t max_depth
    Py_ssize_t max_rows

cdef Status scan_items(Scanner* s, const Row* element) noexcept nogil
cdef Status scan(Scanner* s) noexcept nogil
