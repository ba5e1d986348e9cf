"""Counts the minimum coded units (MCUs) of a DCT-based JPEG: it parses the entropy-coded data without decoding samples
(T.81 F, G)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from dicomcore._native.base.compiler cimport static_assert
from dicomcore._native.base.fault cimport CORRUPT, NO_MEMORY, OK, Status, TRUNCATED, UNSUPPORTED, raise_fault

cdef enum:
    COMPONENTS = 4                  # most components of a frame, as in libjpeg
    LOOK = 9                        # bits of a code that index the look-up
    LONGEST = 16                    # most bits of a code, and most bits that follow one
    FILLED = 32                     # bits that are enough for a code and the bits behind it
    SOF0 = 0xC0
    SOF1 = 0xC1
    SOF2 = 0xC2
    DHT = 0xC4
    EOI = 0xD9
    SOS = 0xDA
    DRI = 0xDD
    RST0 = 0xD0
    RST7 = 0xD7
    TEM = 0x01
    SOI = 0xD8

cdef struct Huffman:
    uint16_t look[1 << LOOK]        # length << 8 | symbol; 0 for longer codes
    uint32_t limit[17]              # by length: the last code plus one, as the first bits of a 16-bit window
    int first[17]                   # by length: index of the first symbol, less its code
    uint8_t symbols[256]
    bint known

cdef struct Component:
    uint8_t id
    int across, down                # sampling factors (H, V)
    Py_ssize_t columns, rows        # in blocks, in a scan of this component alone
    Py_ssize_t stride               # in blocks, including those that fill up the last MCU
    uint64_t* known                 # progressive: a bit per coefficient that isn't 0, in a word per block
    Huffman* dc
    Huffman* ac
    bint scanned

cdef struct Walk:
    const uint8_t* data
    Py_ssize_t size, at
    uint64_t bits
    int held                        # bits of `bits` that are valid
    bint progressive
    Py_ssize_t interval             # restart interval, in MCUs
    Py_ssize_t across, down         # MCUs
    int count
    Component components[COMPONENTS]
    Huffman tables[8]               # DC 0 to 3, AC 0 to 3
    int first, last, high, low      # Ss, Se, Ah, Al
    uint32_t end_run
    bint ended                      # whether EOI was met
    Py_ssize_t done, due            # MCUs read and expected in the first incomplete scan, or in the last scan


# -- bits

cdef inline void fill(Walk* w) noexcept nogil:
    # Fill in up to 64 bits; fewer if a marker or the end follows.
    cdef uint8_t byte
    while w.held <= 56 and w.at < w.size:
        byte = w.data[w.at]
        if byte == 0xFF:
            if w.size - w.at < 2 or w.data[w.at + 1] != 0:
                return
            w.at += 1
        w.at += 1
        w.bits = w.bits << 8 | byte
        w.held += 8


cdef inline Status take(Walk* w, int count) noexcept nogil:
    # Skip bits that were filled in.
    if count > w.held:
        return TRUNCATED
    w.held -= count
    return OK


cdef inline Status bit(Walk* w, int* value) noexcept nogil:
    if w.held == 0:
        fill(w)
        if w.held == 0:
            return TRUNCATED
    w.held -= 1
    value[0] = <int>(w.bits >> w.held) & 1
    return OK


cdef inline Status symbol(Walk* w, const Huffman* table, int* value) noexcept nogil:
    # Read the next code's symbol; up to 16 bits behind the code are filled in.
    cdef uint32_t ahead
    cdef int length, entry
    static_assert(LONGEST + LONGEST <= FILLED)
    if w.held < FILLED:
        fill(w)
    ahead = <uint32_t>(w.bits >> (w.held - 16) if w.held >= 16 else w.bits << (16 - w.held)) & 0xFFFF
    entry = table.look[ahead >> (16 - LOOK)]
    if entry:
        length = entry >> 8
        value[0] = entry & 0xFF
    else:
        length = LOOK + 1
        while length <= 16 and ahead >= table.limit[length]:
            length += 1
        if length > 16:
            return CORRUPT if w.held >= 16 else TRUNCATED
        value[0] = table.symbols[(table.first[length] + <int>(ahead >> (16 - length))) & 0xFF]
    if length > w.held:
        return TRUNCATED
    w.held -= length
    return OK


# -- blocks

cdef inline Status whole_block(Walk* w, const Component* c) noexcept nogil:
    # Read a block of a sequential scan (F.1.2).
    cdef int value = 0, k = 1
    cdef Status status = symbol(w, c.dc, &value)
    if status != OK:
        return status
    if value > 16:
        return CORRUPT
    if take(w, value) != OK:
        return TRUNCATED
    while k < 64:
        status = symbol(w, c.ac, &value)
        if status != OK:
            return status
        if value & 15 == 0:
            if value != 0xF0:
                return OK
            k += 16
        else:
            k += (value >> 4) + 1
            if take(w, value & 15) != OK:
                return TRUNCATED
    return OK if k == 64 else CORRUPT


cdef Status first_block(Walk* w, const Component* c, uint64_t* known) noexcept nogil:
    # Read a block of the first scan of coefficients (G.1.2.1, G.1.2.2).
    cdef int value = 0, k = w.first, run
    cdef Status status
    if k == 0:
        status = symbol(w, c.dc, &value)
        return status if status != OK else CORRUPT if value > 16 else take(w, value)
    if w.end_run:
        w.end_run -= 1
        return OK
    while k <= w.last:
        status = symbol(w, c.ac, &value)
        if status != OK:
            return status
        run = value >> 4
        if value & 15:
            k += run
            if k > w.last:
                return CORRUPT
            known[0] |= <uint64_t>1 << k
            if take(w, value & 15) != OK:
                return TRUNCATED
            k += 1
        elif run == 15:
            k += 16
        else:
            return end_of_band(w, run)
    return OK


cdef Status end_of_band(Walk* w, int run) noexcept nogil:
    # Read an end-of-band run: the band ends in this block and in the next `end_run` blocks.
    w.end_run = (<uint32_t>1 << run) - 1
    if run:
        if run > w.held:
            return TRUNCATED
        w.end_run += <uint32_t>(w.bits >> (w.held - run)) & ((<uint32_t>1 << run) - 1)
        w.held -= run
    return OK


cdef Status finer_block(Walk* w, const Component* c, uint64_t* known) noexcept nogil:
    # Read a block of a refinement scan (G.1.2.3): it has a bit for each coefficient that wasn't 0 before.
    cdef int value = 0, k = w.first, run, ignored = 0
    cdef bint ends = False
    cdef Status status
    if k == 0:
        return bit(w, &ignored)
    if w.end_run:
        w.end_run -= 1
        ends = True
    while k <= w.last:
        run = 64
        if not ends:
            status = symbol(w, c.ac, &value)
            if status != OK:
                return status
            run = value >> 4
            if value & 15:
                if take(w, 1) != OK:
                    return TRUNCATED
            elif run < 15:
                status = end_of_band(w, run)
                if status != OK:
                    return status
                ends, run = True, 64
        while k <= w.last:
            if known[0] >> k & 1:
                if bit(w, &ignored) != OK:
                    return TRUNCATED
            elif run == 0:
                break
            else:
                run -= 1
            k += 1
        if not ends and value & 15 and k <= w.last:
            known[0] |= <uint64_t>1 << k
        k += 1
    return OK


cdef Status next_block(Walk* w, Component* c, Py_ssize_t row, Py_ssize_t column) noexcept nogil:
    if not w.progressive:
        return whole_block(w, c)
    cdef uint64_t* known = c.known + row * c.stride + column
    return first_block(w, c, known) if w.high == 0 else finer_block(w, c, known)


# -- scans

cdef Status restart(Walk* w, int number) noexcept nogil:
    # Move behind the next marker, which must be RSTm with this number.
    w.held = 0
    w.end_run = 0
    while w.size - w.at >= 2:
        if w.data[w.at] == 0xFF and w.data[w.at + 1] != 0 and w.data[w.at + 1] != 0xFF:
            if w.data[w.at + 1] != RST0 + number:
                return TRUNCATED
            w.at += 2
            return OK
        w.at += 1
    return TRUNCATED


cdef Status walk_scan(Walk* w, Component** chosen, int count) noexcept nogil:
    cdef Py_ssize_t mcu, across = w.across, due = w.across * w.down, row, column
    cdef int i, x, y
    cdef Status status
    if count == 1:
        across = chosen[0].columns
        due = across * chosen[0].rows
    w.held = 0
    w.end_run = 0
    w.due = due
    for mcu in range(due):
        w.done = mcu
        if w.interval and mcu and mcu % w.interval == 0:
            status = restart(w, <int>(mcu // w.interval - 1) & 7)
            if status != OK:
                return status
        row, column = mcu // across, mcu % across
        if count == 1:
            status = next_block(w, chosen[0], row, column)
            if status != OK:
                return status
            continue
        for i in range(count):
            for y in range(chosen[i].down):
                for x in range(chosen[i].across):
                    status = next_block(w, chosen[i], row * chosen[i].down + y, column * chosen[i].across + x)
                    if status != OK:
                        return status
    w.done = due
    return OK


# -- marker segments

cdef Status read_tables(Walk* w, const uint8_t* body, Py_ssize_t size) noexcept nogil:
    # Read a DHT segment (B.2.4.2).
    cdef Py_ssize_t at = 0, total, i
    cdef int length, _k
    cdef uint32_t code, entry
    cdef Huffman* table
    while size - at >= 17:
        if body[at] & 0x0F > 3 or body[at] >> 4 > 1:
            return CORRUPT
        table = &w.tables[4 * (body[at] >> 4) + (body[at] & 3)]
        memset(table, 0, sizeof(Huffman))
        total = 0
        for length in range(1, 17):
            total += body[at + length]
        if total > 256 or total > size - at - 17:
            return CORRUPT
        for i in range(total):
            table.symbols[i] = body[at + 17 + i]
        code, i = 0, 0
        for length in range(1, 17):
            table.first[length] = <int>i - <int>code
            for _k in range(body[at + length]):
                if length <= LOOK:
                    if code >= <uint32_t>1 << length:
                        return CORRUPT
                    for entry in range(code << (LOOK - length), (code + 1) << (LOOK - length)):
                        table.look[entry] = <uint16_t>(length << 8 | table.symbols[i])
                code += 1
                i += 1
            if code > <uint32_t>1 << length:
                return CORRUPT
            table.limit[length] = code << (16 - length)
            code <<= 1
        table.known = True
        at += 17 + total
    return OK


cdef Status read_frame(Walk* w, const uint8_t* body, Py_ssize_t size) noexcept nogil:
    # Read an SOF segment (B.2.2), and allocate `known` for a progressive frame.
    cdef Py_ssize_t rows, columns, blocks = 0
    cdef int i, across = 1, down = 1
    cdef Component* c
    if w.count or size < 6 or size < 6 + 3 * body[5]:
        return CORRUPT
    rows, columns = body[1] << 8 | body[2], body[3] << 8 | body[4]
    if not rows or not columns or not 1 <= body[5] <= COMPONENTS:
        return UNSUPPORTED
    for i in range(body[5]):
        c = &w.components[i]
        c.id, c.across, c.down = body[6 + 3 * i], body[7 + 3 * i] >> 4, body[7 + 3 * i] & 15
        if not (1 <= c.across <= 4 and 1 <= c.down <= 4):
            return CORRUPT
        across, down = max(across, c.across), max(down, c.down)
    w.across, w.down = (columns + 8 * across - 1) // (8 * across), (rows + 8 * down - 1) // (8 * down)
    w.due = w.across * w.down
    for i in range(body[5]):
        c = &w.components[i]
        c.columns = ((columns * c.across + across - 1) // across + 7) // 8
        c.rows = ((rows * c.down + down - 1) // down + 7) // 8
        c.stride = w.across * c.across
        blocks += c.columns * c.rows
    if blocks > 8 * w.size:                         # a block takes at least one bit
        return TRUNCATED
    for i in range(body[5] if w.progressive else 0):
        c = &w.components[i]
        c.known = <uint64_t*>calloc(c.stride * w.down * c.down, sizeof(uint64_t))
        if c.known == NULL:
            return NO_MEMORY
    w.count = body[5]
    return OK


cdef Status read_scan(Walk* w, const uint8_t* body, Py_ssize_t size) noexcept nogil:
    # Read an SOS segment (B.2.3) and the entropy-coded data behind it.
    cdef Component* chosen[COMPONENTS]
    cdef int i, j, count
    if size < 1 or size < 4 + 2 * body[0] or not 1 <= body[0] <= w.count:
        return CORRUPT
    count = body[0]
    w.first, w.last = body[1 + 2 * count], body[2 + 2 * count]
    w.high, w.low = body[3 + 2 * count] >> 4, body[3 + 2 * count] & 15
    if w.progressive and (w.last > 63 or w.first > w.last or (w.first == 0) != (w.last == 0)
                          or (w.first and count > 1)):
        return CORRUPT
    for i in range(count):
        chosen[i] = NULL
        for j in range(w.count):
            if w.components[j].id == body[1 + 2 * i]:
                chosen[i] = &w.components[j]
        if chosen[i] == NULL or body[2 + 2 * i] >> 4 > 3 or body[2 + 2 * i] & 15 > 3:
            return CORRUPT
        chosen[i].dc, chosen[i].ac = &w.tables[body[2 + 2 * i] >> 4], &w.tables[4 + (body[2 + 2 * i] & 3)]
        if not chosen[i].dc.known and (not w.progressive or (w.first == 0 and w.high == 0)):
            return UNSUPPORTED                      # a table outside of the codestream: the decoder may know it
        if not chosen[i].ac.known and (not w.progressive or w.first):
            return UNSUPPORTED
        chosen[i].scanned = True
    return walk_scan(w, chosen, count)


cdef Status walk(Walk* w) noexcept nogil:
    cdef Py_ssize_t length
    cdef uint8_t marker
    cdef const uint8_t* body
    cdef Status status = OK
    cdef int i
    w.at = 0
    while w.size - w.at >= 2:
        if w.data[w.at] != 0xFF or w.data[w.at + 1] == 0 or w.data[w.at + 1] == 0xFF:
            w.at += 1                               # the rest of a scan, fill bytes, or garbage
            continue
        marker = w.data[w.at + 1]
        w.at += 2
        if marker == EOI:
            w.ended = True
            break
        if marker == SOI or marker == TEM or RST0 <= marker <= RST7:
            continue
        if w.size - w.at < 2:
            break
        length = w.data[w.at] << 8 | w.data[w.at + 1]
        if length < 2 or length > w.size - w.at:
            break
        body = w.data + w.at + 2
        w.at += length
        if marker == SOF0 or marker == SOF1 or marker == SOF2:
            w.progressive = marker == SOF2
            status = read_frame(w, body, length - 2)
        elif marker == DHT:
            status = read_tables(w, body, length - 2)
        elif marker == DRI and length >= 4:
            w.interval = body[0] << 8 | body[1]
        elif marker == SOS:
            status = read_scan(w, body, length - 2)
        elif 0xC3 <= marker <= 0xCF and marker != 0xC8:
            return UNSUPPORTED                      # another process, or tables for arithmetic coding
        if status != OK:
            return status
    if not w.count:
        return UNSUPPORTED
    for i in range(w.count):
        if not w.components[i].scanned:
            w.done, w.due = 0, w.across * w.down
            return TRUNCATED
    return OK


def count_mcus(const uint8_t[::1] codestream not None):
    """Count the minimum coded units in the first incomplete scan of a DCT-based JPEG.

    Returns the number of units that are present, the number that the scan should have, and whether EOI was read. Both
    numbers are equal if all scans are complete, and 0 if they can't be determined: with arithmetic coding, or if a
    table or the height isn't in the codestream. A unit counts if all of its bits are present.
    """
    cdef Walk* w
    cdef Status status
    cdef int i
    cdef Py_ssize_t done, due
    cdef bint ended
    if codestream.shape[0] == 0:
        return 0, 0, False
    w = <Walk*>calloc(1, sizeof(Walk))
    if w == NULL:
        raise MemoryError("JPEG: out of memory")
    with nogil:
        w.data, w.size = &codestream[0], codestream.shape[0]
        status = walk(w)
        done, due, ended = w.done, w.due, w.ended
        for i in range(COMPONENTS):
            free(w.components[i].known)
        free(w)
    if status == NO_MEMORY:
        raise_fault(status, "JPEG", 0)
    if status == UNSUPPORTED:
        return 0, 0, ended
    return due if status == OK else done, due, ended
