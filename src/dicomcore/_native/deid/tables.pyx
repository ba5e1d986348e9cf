"""The tables of PS3.15 Annex E as Python values; plans are made of them."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef extern from "deid/tables/attributes.h" nogil:
    ctypedef struct deid_attribute_t:
        uint32_t tag
        uint8_t kind, retired, basic
        uint16_t kept, cleaned
        char vr[6]
    ctypedef struct deid_code_t:
        const char* code
        const char* meaning
        const char* option
    const char* DEID_EDITION
    const int DEID_ACTION_COUNT, DEID_OPTION_COUNT, DEID_CODE_COUNT, DEID_ATTRIBUTE_COUNT
    const char* const DEID_ACTIONS[]
    const char* const DEID_OPTIONS[]
    const deid_code_t DEID_CODES[]
    const deid_attribute_t DEID_ATTRIBUTES[]

cdef extern from "deid/tables/content.h" nogil:
    ctypedef struct deid_content_t:
        const char* code
        const char* scheme
        const char* meaning
        const char* value_type
        uint8_t retired, basic
        uint16_t kept, cleaned
    const int DEID_CONTENT_COUNT, DEID_CONTENT_OPTION_COUNT
    const char* const DEID_CONTENT_OPTIONS[]
    const deid_content_t DEID_CONTENTS[]

cdef extern from "deid/tables/private.h" nogil:
    ctypedef struct deid_private_t:
        uint16_t creator, group
        uint8_t low, what
        char vr[6]
    const int DEID_CREATOR_COUNT, DEID_SAFE_COUNT, DEID_TCIA_COUNT
    const char* const DEID_CREATORS[]
    const deid_private_t DEID_SAFES[]
    const deid_private_t DEID_TCIAS[]


cdef str text(const char* p):
    return p.decode("utf-8")


cdef dict marked(uint16_t kept, uint16_t cleaned, const char* const* options, int count):
    # The letter of each option that has one.
    return {text(options[i]): "K" if kept >> i & 1 else "C" for i in range(count) if (kept | cleaned) >> i & 1}


def edition() -> str:
    """The edition of PS3.15 that the tables have."""
    return text(DEID_EDITION)


def attributes():
    """(tag, kind, retired, action of the basic profile, letter by option, VR) of each row of Table E.1-1.

    `kind` is 0 for an attribute, 1 for curves, 2 for overlay data, 3 for overlay comments, 4 for private attributes.
    The VR is "" where the dictionary has the attribute.
    """
    cdef int i
    cdef const deid_attribute_t* row
    found = []
    for i in range(DEID_ATTRIBUTE_COUNT):
        row = &DEID_ATTRIBUTES[i]
        found.append((row.tag, row.kind, bool(row.retired), text(DEID_ACTIONS[row.basic]),
                      marked(row.kept, row.cleaned, DEID_OPTIONS, DEID_OPTION_COUNT), text(row.vr)))
    return found


def content_items():
    """(code, scheme, meaning, value type, retired, action of the basic profile, letter by option) of each row of Table
    E.3.4-1."""
    cdef int i
    cdef const deid_content_t* row
    found = []
    for i in range(DEID_CONTENT_COUNT):
        row = &DEID_CONTENTS[i]
        found.append((text(row.code), text(row.scheme), text(row.meaning), text(row.value_type), bool(row.retired),
                      text(DEID_ACTIONS[row.basic]),
                      marked(row.kept, row.cleaned, DEID_CONTENT_OPTIONS, DEID_CONTENT_OPTION_COUNT)))
    return found


def codes():
    """(code, meaning, option) of CID 7050, De-identification Method; the option of the profile itself is "basic"."""
    cdef int i
    return [(text(DEID_CODES[i].code), text(DEID_CODES[i].meaning), text(DEID_CODES[i].option))
            for i in range(DEID_CODE_COUNT)]


cdef tuple private_row(const deid_private_t* row):
    return text(DEID_CREATORS[row.creator]), row.group, row.low, chr(row.what), text(row.vr)


def safe_private():
    """(creator, group, low byte of the element, "k", VR) of each row of Table E.3.10-1."""
    cdef int i
    return [private_row(&DEID_SAFES[i]) for i in range(DEID_SAFE_COUNT)]


def tcia_private():
    """The same of what TCIA's knowledge base keeps: "k" keep, "h" replace UIDs, "o" shift dates."""
    cdef int i
    return [private_row(&DEID_TCIAS[i]) for i in range(DEID_TCIA_COUNT)]
