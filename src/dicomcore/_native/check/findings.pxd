# What a check found, before it becomes objects: findings that repeat over items and frames are counted in one.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dicomcore._native.base.fault cimport Status

cdef struct Found:
    uint64_t key            # code, tag, module and path of tags: what is counted in one
    uint32_t tag            # of the attribute concerned
    uint32_t row            # its row, NO_ROW if it is missing
    uint32_t around         # the row of the item around it, NO_ROW at the root
    uint32_t count          # how often it was found
    uint32_t detail         # by the code: another tag, a number of a value set, …
    uint32_t more           # by the code
    uint16_t code           # the number of its code, see dicomcore.iod.codes
    uint16_t module         # the module of PS3.3 that rules, 0xFFFF: none

cdef enum:
    NO_MODULE = 0xFFFF

cdef struct Findings:
    Found* list
    uint32_t* table         # places in `list` + 1 by key, open addressing; a power of 2
    uint32_t count, capacity, table_size
    uint32_t weight         # how often what is added was found: 1, in items that stand for others more
    uint32_t most           # different findings; what goes beyond is counted in `cut`
    uint32_t cut
    bint apart              # findings in different items are not counted in one

cdef void open_findings(Findings* f, uint32_t most) noexcept nogil
cdef void close_findings(Findings* f) noexcept nogil
cdef Status add(Findings* f, uint16_t code, uint16_t module, uint32_t tag, uint32_t row, uint32_t around, uint32_t path,
                uint32_t detail, uint32_t more) noexcept nogil
# `path` is a hash of the tags around the attribute: findings with equal paths are counted in one.
