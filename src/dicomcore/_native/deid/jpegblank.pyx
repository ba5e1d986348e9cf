"""Blanks minimum coded units of a sequential Huffman-coded JPEG; all others keep their coefficients (T.81 F)."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memset

from dicomcore._native.base.fault cimport CORRUPT, NO_MEMORY, OK, OVERRUN, Status, TRUNCATED, UNSUPPORTED, raise_fault

cdef enum:
    COMPONENTS = 4
    SOF0 = 0xC0
    SOF1 = 0xC1
    DHT = 0xC4
    JPG = 0xC8
    DAC = 0xCC
    SOF15 = 0xCF
    RST0 = 0xD0
    RST7 = 0xD7
    SOI = 0xD8
    EOI = 0xD9
    SOS = 0xDA
    DQT = 0xDB
    DNL = 0xDC
    DRI = 0xDD
    APP0 = 0xE0
    APP1 = 0xE1
    APP13 = 0xED
    APP14 = 0xEE
    APP15 = 0xEF
    COM = 0xFE
    TEM = 0x01
    MOST = 15                       # the most bits of a difference of DC coefficients
    EVERY_WINDOW = 1 << 16

# Huffman codes of the categories 0 to 15, for codestreams whose own table lacks one: counts by length, then values.
cdef uint8_t FULL[16]
FULL[:] = [0, 0, 6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]

cdef struct Table:
    uint16_t look[EVERY_WINDOW]     # by the next 16 bits: length << 8 | symbol; 0 for no code
    uint16_t codes[256]
    uint8_t sizes[256]              # 0: no code
    bint known

cdef struct Component:
    uint8_t id
    int across, down                # sampling factors (H, V)
    int quantization                # number of its table
    Py_ssize_t columns, rows        # in blocks, in a scan of this component alone
    int level                       # the DC coefficient of a blank block, multiplied by the step of quantization
    bint scanned
    int before, written             # the last DC coefficient of the source and of the result
    Table* dc
    Table* ac

cdef struct Job:
    const uint8_t* src
    Py_ssize_t size, at
    uint64_t bits
    int held
    uint8_t* out
    Py_ssize_t room, made
    uint64_t pending
    int waiting                     # bits of `pending`
    bint full                       # whether DC tables are replaced by full ones
    bint lacks                      # whether a code was missing
    bint failed                     # whether memory was
    int count
    int limit                       # the greatest magnitude of a DC coefficient
    Py_ssize_t interval, across, down, unit_columns, unit_rows
    const uint8_t* blank            # across * down
    const int32_t* boxes            # left, top, width, height
    Py_ssize_t box_count
    const int32_t* levels
    Component components[COMPONENTS]
    uint16_t steps[4]               # of the DC coefficient, by number of the table
    Table tables[8]                 # DC 0 to 3, AC 0 to 3


# -- bits in and out

cdef inline void fill(Job* j) noexcept nogil:
    cdef uint8_t byte
    while j.held <= 56 and j.at < j.size:
        byte = j.src[j.at]
        if byte == 0xFF:
            if j.size - j.at < 2 or j.src[j.at + 1] != 0:
                return
            j.at += 1
        j.at += 1
        j.bits = j.bits << 8 | byte
        j.held += 8


cdef inline int take(Job* j, int count, uint32_t* value) noexcept nogil:
    # The next bits, at most 16; -1 where there are fewer.
    if j.held < count:
        fill(j)
        if j.held < count:
            return -1
    j.held -= count
    value[0] = <uint32_t>(j.bits >> j.held) & ((<uint32_t>1 << count) - 1)
    return 0


cdef inline int symbol(Job* j, const Table* table) noexcept nogil:
    # The next symbol; -1 where there is none.
    cdef uint32_t window
    cdef int entry
    if j.held < 16:
        fill(j)
    window = <uint32_t>(j.bits >> (j.held - 16) if j.held >= 16 else j.bits << (16 - j.held)) & 0xFFFF
    entry = table.look[window]
    if not entry or entry >> 8 > j.held:
        return -1
    j.held -= entry >> 8
    return entry & 0xFF


cdef inline void put_byte(Job* j, uint8_t byte) noexcept nogil:
    cdef uint8_t* grown
    if j.made == j.room:
        grown = <uint8_t*>realloc(j.out, 2 * j.room)
        if grown == NULL:
            j.failed = True
            return
        j.out, j.room = grown, 2 * j.room
    j.out[j.made] = byte
    j.made += 1


cdef void put_bytes(Job* j, const uint8_t* data, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        put_byte(j, data[i])


cdef inline void put_bits(Job* j, uint32_t value, int count) noexcept nogil:
    cdef uint8_t byte
    j.pending = j.pending << count | value
    j.waiting += count
    while j.waiting >= 8:
        j.waiting -= 8
        byte = <uint8_t>(j.pending >> j.waiting)
        put_byte(j, byte)
        if byte == 0xFF:
            put_byte(j, 0)


cdef void flush(Job* j) noexcept nogil:
    # Fill the last byte with ones (T.81 F.1.2.3).
    if j.waiting:
        put_bits(j, (<uint32_t>1 << (8 - j.waiting)) - 1, 8 - j.waiting)
    j.pending, j.waiting = 0, 0


cdef inline bint put_symbol(Job* j, const Table* table, int value) noexcept nogil:
    if not table.sizes[value]:
        return False
    put_bits(j, table.codes[value], table.sizes[value])
    return True


# -- blocks

cdef inline int extended(uint32_t bits, int size) noexcept nogil:
    # The number that `size` bits stand for (T.81 F.2.2.1).
    if size and bits < <uint32_t>1 << (size - 1):
        return <int>bits - (1 << size) + 1
    return <int>bits


cdef Status put_dc(Job* j, Component* c, int value) noexcept nogil:
    cdef int difference = value - c.written, size = 0, rest
    rest = difference if difference >= 0 else -difference
    while rest:
        size += 1
        rest >>= 1
    if size > MOST:
        return OVERRUN
    if not put_symbol(j, c.dc, size):
        j.lacks = True
        return UNSUPPORTED
    if size:
        put_bits(j, <uint32_t>(difference if difference > 0 else difference + (1 << size) - 1), size)
    c.written = value
    return OK


cdef Status block(Job* j, Component* c, bint blank) noexcept nogil:
    # Read a block; write it as it is, or a blank one.
    cdef int size = symbol(j, c.dc), value, k = 1
    cdef uint32_t bits = 0
    cdef Status status
    if size < 0 or size > MOST or take(j, size, &bits) < 0:
        return TRUNCATED if j.at >= j.size else CORRUPT
    c.before += extended(bits, size)
    if not -(1 << 20) < c.before < 1 << 20:
        return CORRUPT
    status = put_dc(j, c, c.level if blank else c.before)
    if status != OK:
        return status
    if blank and not put_symbol(j, c.ac, 0):
        return UNSUPPORTED              # a table without a code for the end of a block
    while k < 64:
        value = symbol(j, c.ac)
        if value < 0:
            return TRUNCATED if j.at >= j.size else CORRUPT
        size = value & 15
        if take(j, size, &bits) < 0:
            return TRUNCATED
        if not blank:
            put_symbol(j, c.ac, value)
            if size:
                put_bits(j, bits, size)
        if size:
            k += (value >> 4) + 1
        elif value == 0xF0:
            k += 16
        else:
            return OK
    return OK if k == 64 else CORRUPT


cdef Status restart(Job* j, int number, Component** chosen, int count) noexcept nogil:
    cdef int i
    flush(j)
    j.held = 0
    while j.size - j.at >= 2:
        if j.src[j.at] == 0xFF and j.src[j.at + 1] != 0 and j.src[j.at + 1] != 0xFF:
            if j.src[j.at + 1] != RST0 + number:
                return CORRUPT
            j.at += 2
            put_byte(j, 0xFF)
            put_byte(j, <uint8_t>(RST0 + number))
            for i in range(count):
                chosen[i].before, chosen[i].written = 0, 0
            return OK
        j.at += 1
    return TRUNCATED


cdef Status scan(Job* j, Component** chosen, int count) noexcept nogil:
    cdef Py_ssize_t unit, across = j.across, due = j.across * j.down, row, column
    cdef int i, _x, _y
    cdef bint blank
    cdef Status status
    if count == 1:
        across = chosen[0].columns
        due = across * chosen[0].rows
    j.held, j.bits = 0, 0
    for i in range(count):
        chosen[i].before, chosen[i].written = 0, 0
    for unit in range(due):
        if j.interval and unit and unit % j.interval == 0:
            status = restart(j, <int>(unit // j.interval - 1) & 7, chosen, count)
            if status != OK:
                return status
        row, column = unit // across, unit % across
        if count == 1:
            blank = j.blank[row // chosen[0].down * j.across + column // chosen[0].across]
            status = block(j, chosen[0], blank)
            if status != OK:
                return status
            continue
        blank = j.blank[row * j.across + column]
        for i in range(count):
            for _y in range(chosen[i].down):
                for _x in range(chosen[i].across):
                    status = block(j, chosen[i], blank)
                    if status != OK:
                        return status
    flush(j)
    return NO_MEMORY if j.failed else OK


# -- marker segments

cdef Status set_table(Table* table, const uint8_t* counts, const uint8_t* values, Py_ssize_t total) noexcept nogil:
    cdef Py_ssize_t i = 0
    cdef uint32_t code = 0, first
    cdef int length, _k
    memset(table, 0, sizeof(Table))
    for length in range(1, 17):
        for _k in range(counts[length - 1]):
            if i == total or code >= <uint32_t>1 << length:
                return CORRUPT
            table.codes[values[i]], table.sizes[values[i]] = <uint16_t>code, <uint8_t>length
            for first in range(code << (16 - length), (code + 1) << (16 - length)):
                table.look[first] = <uint16_t>(length << 8 | values[i])
            code += 1
            i += 1
        code <<= 1
    table.known = True
    return OK


cdef Status read_tables(Job* j, const uint8_t* body, Py_ssize_t size) noexcept nogil:
    # Read a DHT segment (T.81 B.2.4.2), and write it, or full tables in place of those for DC coefficients.
    cdef Py_ssize_t at = 0, total, i, begun
    cdef Status status
    cdef Table* table
    while size - at >= 17:
        if body[at] & 0x0F > 3 or body[at] >> 4 > 1:
            return CORRUPT
        table = &j.tables[4 * (body[at] >> 4) + (body[at] & 3)]
        total = 0
        for i in range(16):
            total += body[at + 1 + i]
        if total > 256 or total > size - at - 17:
            return CORRUPT
        status = set_table(table, body + at + 1, body + at + 17, total)
        if status != OK:
            return status
        put_byte(j, 0xFF)
        put_byte(j, DHT)
        begun = total
        if j.full and body[at] >> 4 == 0:
            begun = 16
        put_byte(j, <uint8_t>((begun + 19) >> 8))
        put_byte(j, <uint8_t>((begun + 19) & 0xFF))
        put_byte(j, body[at])
        if begun == 16 and j.full and body[at] >> 4 == 0:
            put_bytes(j, FULL, 16)
            for i in range(16):
                put_byte(j, <uint8_t>i)
        else:
            put_bytes(j, body + at + 1, 16 + total)
        at += 17 + total
    return OK if at == size else CORRUPT


cdef void full_codes(Job* j) noexcept nogil:
    # Let DC coefficients be written with the full table; they are read with their own.
    cdef uint16_t code = 0
    cdef int table, length, value = 0, _k
    for length in range(1, 17):
        for _k in range(FULL[length - 1]):
            for table in range(4):
                j.tables[table].codes[value], j.tables[table].sizes[value] = code, <uint8_t>length
            code += 1
            value += 1
        code <<= 1


cdef Status read_frame(Job* j, const uint8_t* body, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t rows, columns
    cdef int i, across = 1, down = 1
    cdef Component* c
    if j.count or size < 6 or size < 6 + 3 * body[5] or not 1 <= body[5] <= COMPONENTS:
        return CORRUPT
    if body[0] != 8 and body[0] != 12:
        return UNSUPPORTED
    rows, columns = body[1] << 8 | body[2], body[3] << 8 | body[4]
    if rows != j.unit_rows or columns != j.unit_columns:
        return UNSUPPORTED
    for i in range(body[5]):
        c = &j.components[i]
        c.id, c.across, c.down = body[6 + 3 * i], body[7 + 3 * i] >> 4, body[7 + 3 * i] & 15
        c.quantization, c.level = body[8 + 3 * i], j.levels[i]
        if not (1 <= c.across <= 4 and 1 <= c.down <= 4) or c.quantization > 3:
            return CORRUPT
        across, down = max(across, c.across), max(down, c.down)
    j.across, j.down = (columns + 8 * across - 1) // (8 * across), (rows + 8 * down - 1) // (8 * down)
    if j.across * j.down > 8 * j.size:              # a block takes at least one bit
        return TRUNCATED
    for i in range(body[5]):
        c = &j.components[i]
        c.columns = ((columns * c.across + across - 1) // across + 7) // 8
        c.rows = ((rows * c.down + down - 1) // down + 7) // 8
    j.count = body[5]
    j.unit_columns, j.unit_rows = 8 * across, 8 * down
    return OK


cdef Status mark_units(Job* j, uint8_t* blank) noexcept nogil:
    # Mark the units that a box touches.
    cdef Py_ssize_t i, x, y
    cdef const int32_t* box
    for i in range(j.box_count):
        box = j.boxes + 4 * i
        for y in range(box[1] // j.unit_rows, min((box[1] + box[3] - 1) // j.unit_rows + 1, j.down)):
            for x in range(box[0] // j.unit_columns, min((box[0] + box[2] - 1) // j.unit_columns + 1, j.across)):
                blank[y * j.across + x] = 1
    return OK


cdef Status read_scan(Job* j, const uint8_t* body, Py_ssize_t size) noexcept nogil:
    cdef Component* chosen[COMPONENTS]
    cdef int i, k, count, step
    cdef Component* c
    if size < 1 or size < 4 + 2 * body[0] or not 1 <= body[0] <= j.count:
        return CORRUPT
    count = body[0]                     # the spectral selection behind says nothing in sequential scans
    for i in range(count):
        chosen[i] = NULL
        for k in range(j.count):
            if j.components[k].id == body[1 + 2 * i]:
                chosen[i] = &j.components[k]
        for k in range(i):
            if chosen[k] == chosen[i]:
                return CORRUPT
        c = chosen[i]
        if c == NULL or body[2 + 2 * i] >> 4 > 3 or body[2 + 2 * i] & 15 > 3:
            return CORRUPT
        c.dc, c.ac = &j.tables[body[2 + 2 * i] >> 4], &j.tables[4 + (body[2 + 2 * i] & 3)]
        step = j.steps[c.quantization]
        if not c.dc.known or not c.ac.known or not step:
            return UNSUPPORTED
        # Rounded away from the middle, so that black is black and white is white.
        k = j.levels[c - &j.components[0]]
        c.level = -((-k + step - 1) // step) if k < 0 else (k + step - 1) // step
        c.scanned = True
    if j.full:
        full_codes(j)
    return scan(j, chosen, count)


cdef Status read_steps(Job* j, const uint8_t* body, Py_ssize_t size) noexcept nogil:
    # The steps of DC coefficients, from a DQT segment (T.81 B.2.4.1).
    cdef Py_ssize_t at = 0, width
    while at < size:
        width = 2 if body[at] >> 4 else 1
        if body[at] & 15 > 3 or body[at] >> 4 > 1 or 64 * width > size - at - 1:
            return CORRUPT
        j.steps[body[at] & 15] = body[at + 1] if width == 1 else body[at + 1] << 8 | body[at + 2]
        at += 1 + 64 * width
    return OK


cdef inline bint is_left_out(uint8_t marker) noexcept nogil:
    # Whether a segment has nothing that decoding needs: comments, and application data but for the marks of colour.
    return marker == COM or APP1 <= marker <= APP13 or marker == APP15


cdef Status rewrite(Job* j, uint8_t** blank) noexcept nogil:
    cdef Py_ssize_t length
    cdef uint8_t marker
    cdef const uint8_t* body
    cdef Status status
    cdef int i
    if j.size < 4 or j.src[0] != 0xFF or j.src[1] != SOI:
        return CORRUPT
    put_bytes(j, j.src, 2)
    j.at = 2
    while j.size - j.at >= 2:
        if j.src[j.at] != 0xFF or j.src[j.at + 1] == 0 or j.src[j.at + 1] == 0xFF:
            j.at += 1
            continue
        marker = j.src[j.at + 1]
        j.at += 2
        if marker == EOI:
            put_byte(j, 0xFF)
            put_byte(j, EOI)
            for i in range(j.count):
                if not j.components[i].scanned:
                    return CORRUPT
            return NO_MEMORY if j.failed else OK if j.count else CORRUPT
        if marker == TEM or RST0 <= marker <= RST7:
            continue
        if j.size - j.at < 2:
            return TRUNCATED
        length = j.src[j.at] << 8 | j.src[j.at + 1]
        if length < 2 or length > j.size - j.at:
            return TRUNCATED
        body = j.src + j.at + 2
        if marker == DNL or marker == SOI or marker == JPG or marker == DAC:
            return UNSUPPORTED
        if marker != DHT and not is_left_out(marker):
            put_bytes(j, j.src + j.at - 2, length + 2)
        j.at += length
        status = OK
        if marker == DHT:
            status = read_tables(j, body, length - 2)
        elif marker == DQT:
            status = read_steps(j, body, length - 2)
        elif marker == DRI:
            if length < 4:
                return CORRUPT
            j.interval = body[0] << 8 | body[1]
        elif marker == SOF0 or marker == SOF1:
            status = read_frame(j, body, length - 2)
            if status == OK:
                blank[0] = <uint8_t*>calloc(j.across * j.down, 1)
                if blank[0] == NULL:
                    return NO_MEMORY
                j.blank = blank[0]
                mark_units(j, blank[0])
        elif SOF0 < marker <= SOF15:
            return UNSUPPORTED              # progressive, lossless or arithmetic
        elif marker == SOS:
            if not j.count:
                return CORRUPT
            status = read_scan(j, body, length - 2)
        if status != OK:
            return status
    return TRUNCATED


cdef Status attempt(Job* j, bint full) noexcept nogil:
    cdef uint8_t* blank = NULL
    cdef Status status
    j.full, j.lacks, j.made, j.count, j.interval = full, False, 0, 0, 0
    j.pending, j.waiting = 0, 0
    memset(j.components, 0, sizeof(j.components))
    memset(j.tables, 0, sizeof(j.tables))
    memset(j.steps, 0, sizeof(j.steps))
    status = rewrite(j, &blank)
    free(blank)
    return status


def blank_units(const uint8_t[::1] codestream not None, const int32_t[:, ::1] boxes not None,
                const int32_t[::1] levels not None, Py_ssize_t rows, Py_ssize_t columns) -> bytes:
    """The codestream with blank units where `boxes` are: rows of left, top, width and height in pixels, all inside.

    `levels` has the DC coefficient of a blank block of each component, before quantization. Comments and application
    data are left out. Raises UnsupportedTransferSyntaxError for other kinds of JPEG, and for a codestream of another
    size than `rows` and `columns`.
    """
    cdef Job* j
    cdef Status status = NO_MEMORY
    cdef Py_ssize_t i, at = 0
    if boxes.shape[1] != 4 or levels.shape[0] < COMPONENTS:
        raise ValueError(f"boxes have four numbers, and levels are of {COMPONENTS} components")
    for i in range(boxes.shape[0]):
        if boxes[i, 0] < 0 or boxes[i, 1] < 0 or boxes[i, 2] < 1 or boxes[i, 3] < 1:
            raise ValueError("a box that isn't inside")
    j = <Job*>malloc(sizeof(Job))
    if j != NULL:
        memset(j, 0, sizeof(Job))
        j.room = codestream.shape[0] + 4096
        j.out = <uint8_t*>malloc(j.room)
    try:
        if j != NULL and j.out != NULL and codestream.shape[0]:
            j.src, j.size, j.levels = &codestream[0], codestream.shape[0], &levels[0]
            j.boxes, j.box_count = &boxes[0, 0] if boxes.shape[0] else NULL, boxes.shape[0]
            with nogil:
                j.unit_rows, j.unit_columns = rows, columns
                status = attempt(j, False)
                if status == UNSUPPORTED and j.lacks:
                    j.unit_rows, j.unit_columns = rows, columns
                    status = attempt(j, True)
            at = j.at
        elif not codestream.shape[0]:
            status = TRUNCATED
        if status != OK:
            raise_fault(status, "JPEG", at)
        return j.out[:j.made]
    finally:
        if j != NULL:
            free(j.out)
        free(j)
