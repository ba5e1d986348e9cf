"""A buffer of findings that kernels append to without the GIL."""

from libc.stdint cimport UINT32_MAX, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from dicomcore._native.base.fault cimport NO_MEMORY, OK, Status

cdef enum:
    FIRST = 32


cdef void open_findings(Findings* f, uint32_t most) noexcept nogil:
    memset(f, 0, sizeof(Findings))
    f.most, f.weight = most, 1


cdef void close_findings(Findings* f) noexcept nogil:
    free(f.list)
    free(f.table)
    memset(f, 0, sizeof(Findings))


cdef inline uint64_t mixed(uint64_t word) noexcept nogil:
    word ^= word >> 33
    word *= <uint64_t>0xFF51AFD7ED558CCD
    return word ^ (word >> 29)


cdef inline uint32_t added(uint32_t count, uint32_t more) noexcept nogil:
    return count + more if more <= UINT32_MAX - count else UINT32_MAX


cdef Status add(Findings* f, uint16_t code, uint16_t module, uint32_t tag, uint32_t row, uint32_t around, uint32_t path,
                uint32_t detail, uint32_t more) noexcept nogil:
    cdef uint64_t key = mixed(<uint64_t>tag << 32 | path) ^ (<uint64_t>code << 48 | <uint64_t>module << 32 | detail)
    cdef uint32_t place
    cdef Found* found
    cdef Status status
    if f.apart:
        key ^= mixed(around)
    if f.count * 2 >= f.table_size:
        status = grow(f)
        if status != OK:
            return status
    place = <uint32_t>mixed(key) & (f.table_size - 1)
    while f.table[place]:
        found = &f.list[f.table[place] - 1]
        if found.key == key:
            found.count = added(found.count, f.weight)
            return OK
        place = (place + 1) & (f.table_size - 1)
    if f.count >= f.most:
        f.cut = added(f.cut, f.weight)
        return OK
    found = &f.list[f.count]
    f.count += 1
    f.table[place] = f.count
    found.key = key
    found.code, found.module, found.tag, found.row, found.around = code, module, tag, row, around
    found.count, found.detail, found.more = f.weight, detail, more
    return OK


cdef Status grow(Findings* f) noexcept nogil:
    # Twice the places; all findings are entered again.
    cdef uint32_t capacity = f.capacity * 2 if f.capacity else FIRST, size = capacity * 2, i, place
    cdef uint32_t* table = <uint32_t*>calloc(size, sizeof(uint32_t))
    cdef Found* longer
    if table == NULL:
        return NO_MEMORY
    longer = <Found*>realloc(f.list, capacity * sizeof(Found))
    if longer == NULL:
        free(table)
        return NO_MEMORY
    for i in range(f.count):
        place = <uint32_t>mixed(longer[i].key) & (size - 1)
        while table[place]:
            place = (place + 1) & (size - 1)
        table[place] = i + 1
    free(f.table)
    f.list, f.table, f.capacity, f.table_size = longer, table, capacity, size
    return OK
