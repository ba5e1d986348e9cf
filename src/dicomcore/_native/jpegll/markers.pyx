"""Reads the marker segments of a JPEG lossless codestream (T.81 Annex B)."""

from libc.stdint cimport uint8_t
from libc.string cimport memchr, memset

from dicomcore._native.base.cursor cimport load_be16
from dicomcore._native.base.fault cimport CORRUPT, OK, Status, TRUNCATED, UNSUPPORTED

cdef enum:                      # second bytes of markers (T.81 table B.1)
    TEM = 0x01
    SOF0 = 0xC0
    SOF3 = 0xC3                 # lossless, sequential, Huffman
    DHT = 0xC4
    JPG = 0xC8
    DAC = 0xCC
    SOF15 = 0xCF
    SOI = 0xD8
    EOI = 0xD9
    SOS = 0xDA
    DNL = 0xDC
    DRI = 0xDD


cdef void open_stream(Stream* s, const uint8_t* src, Py_ssize_t n) noexcept nogil:
    memset(s, 0, sizeof(Stream))
    s.src = src
    s.n = n


cdef Status next_marker(const uint8_t* src, Py_ssize_t n, Py_ssize_t* i, int* marker) noexcept nogil:
    # Move i[0] behind the next marker. Skips the bytes before it: fill bytes (B.1.1.2), and entropy-coded data with its
    # stuffed zeros.
    cdef const uint8_t* found
    cdef Py_ssize_t k = i[0]
    cdef int code
    while k < n:
        found = <const uint8_t*>memchr(src + k, 0xFF, n - k)
        if found == NULL:
            break
        k = found - src + 1
        while k < n and src[k] == 0xFF:
            k += 1
        if k == n:
            break
        code = src[k]
        k += 1
        if code != 0:
            i[0] = k
            marker[0] = code
            return OK
    i[0] = n
    return TRUNCATED


cdef Status next_scan(Stream* s, Scan* scan) noexcept nogil:
    # Read marker segments up to and including the next scan header; s.i is then the offset of the entropy-coded data.
    cdef Py_ssize_t start, size
    cdef int marker
    cdef Status status
    if s.i == 0 and (s.n < 2 or s.src[0] != 0xFF or s.src[1] != SOI):
        return CORRUPT if s.n >= 2 else TRUNCATED
    while True:
        status = next_marker(s.src, s.n, &s.i, &marker)
        if status != OK:
            return status
        if marker == SOI or marker == TEM or RST0 <= marker <= RST7:
            continue
        if marker == EOI:
            s.i -= 2
            return TRUNCATED
        if s.n - s.i < 2:
            s.i = s.n
            return TRUNCATED
        start = s.i
        size = load_be16(s.src + start)
        if size < 2:
            return CORRUPT
        if size > s.n - start:
            return TRUNCATED
        if marker == DHT:
            status = read_codes(s, start + 2, start + size)
        elif marker == DRI:
            if size != 4:
                return CORRUPT
            s.restart_interval = load_be16(s.src + start + 2)
        elif marker == SOF3:
            status = read_frame(s, start + 2, start + size)
        elif SOF0 <= marker <= SOF15 and marker != JPG and marker != DAC:
            return UNSUPPORTED
        elif marker == SOS:
            status = read_scan(s, scan, start + 2, start + size)
        if status != OK:
            return status
        s.i = start + size
        if marker == SOS:
            return find_rows(s)


cdef Status read_codes(Stream* s, Py_ssize_t i, Py_ssize_t stop) noexcept nogil:
    # Read the tables of one DHT segment; lossless coding doesn't use tables of class 1 (AC).
    cdef Codes codes
    cdef int place, length, k
    while i < stop:
        s.i = i
        memset(&codes, 0, sizeof(Codes))
        if stop - i < 17:
            return CORRUPT
        place = s.src[i]
        for length in range(1, 17):
            codes.counts[length] = s.src[i + length]
            codes.total += codes.counts[length]
        i += 17
        if codes.total > 256 or codes.total > stop - i or place >> 4 > 1 or place & 15 > 3:
            return CORRUPT
        for k in range(codes.total):
            codes.symbols[k] = s.src[i + k]
        i += codes.total
        if place >> 4 == 0:
            s.codes[place] = codes
    return OK


cdef Status read_frame(Stream* s, Py_ssize_t i, Py_ssize_t stop) noexcept nogil:
    cdef Frame* frame = &s.frame
    cdef Component* part
    cdef int k
    s.i = i
    if s.framed or stop - i < 6:
        return CORRUPT
    frame.precision = s.src[i]
    frame.rows = load_be16(s.src + i + 1)
    frame.columns = load_be16(s.src + i + 3)
    frame.count = s.src[i + 5]
    if frame.precision < 2 or frame.precision > 16 or frame.columns == 0 or frame.count == 0:
        return CORRUPT
    if frame.count > 4:
        return UNSUPPORTED
    if stop - i < 6 + 3 * frame.count:
        return CORRUPT
    frame.hmax = frame.vmax = 1
    for k in range(frame.count):
        part = &frame.components[k]
        part.id = s.src[i + 6 + 3 * k]
        part.h = s.src[i + 7 + 3 * k] >> 4
        part.v = s.src[i + 7 + 3 * k] & 15
        if not (1 <= part.h <= 4 and 1 <= part.v <= 4):
            s.i = i + 7 + 3 * k
            return CORRUPT
        frame.hmax = max(frame.hmax, part.h)
        frame.vmax = max(frame.vmax, part.v)
    size_components(frame)
    s.framed = True
    return OK


cdef void size_components(Frame* frame) noexcept nogil:
    cdef Component* part
    cdef int k
    for k in range(frame.count):                # A.1.1
        part = &frame.components[k]
        part.rows = (frame.rows * part.v + frame.vmax - 1) // frame.vmax
        part.columns = (frame.columns * part.h + frame.hmax - 1) // frame.hmax


cdef Status read_scan(Stream* s, Scan* scan, Py_ssize_t i, Py_ssize_t stop) noexcept nogil:
    cdef int j, k, id
    s.i = i
    if not s.framed or stop - i < 1:
        return CORRUPT
    scan.count = s.src[i]
    if not (1 <= scan.count <= s.frame.count) or stop - i < 4 + 2 * scan.count:
        return CORRUPT
    for j in range(scan.count):
        s.i = i + 1 + 2 * j
        id = s.src[s.i]
        scan.table[j] = s.src[s.i + 1] >> 4
        if scan.table[j] > 3 or s.codes[scan.table[j]].total == 0:
            return CORRUPT
        # Components must have the frame header's order (B.2.3). So none occurs twice, and duplicate identifiers are
        # harmless.
        k = scan.component[j - 1] + 1 if j else 0
        while k < s.frame.count and s.frame.components[k].id != id:
            k += 1
        if k == s.frame.count:
            return CORRUPT
        scan.component[j] = k
    s.i = i + 1 + 2 * scan.count
    scan.predictor = s.src[s.i]
    scan.point_transform = s.src[s.i + 2] & 15
    if not (1 <= scan.predictor <= 7) or scan.point_transform >= s.frame.precision:
        return CORRUPT
    return OK


cdef Status find_rows(Stream* s) noexcept nogil:
    # If the frame header leaves the number of lines open (Y = 0), a DNL segment states it after the first scan (B.2.5).
    cdef Py_ssize_t i = s.i
    cdef int marker = 0
    cdef Status status
    if s.frame.rows:
        return OK
    while True:
        status = next_marker(s.src, s.n, &i, &marker)
        if status != OK:
            s.i = s.n
            return status
        if not RST0 <= marker <= RST7:
            break
    if marker != DNL or s.n - i < 4 or load_be16(s.src + i) != 4:
        s.i = i
        return CORRUPT
    s.frame.rows = load_be16(s.src + i + 2)
    if s.frame.rows == 0:
        s.i = i + 2
        return CORRUPT
    size_components(&s.frame)
    return OK
