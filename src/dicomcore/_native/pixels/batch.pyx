"""Reads and decodes several frames of one data set without the GIL, on any number of threads.

It serves the package's own codecs, RLE Lossless and JPEG lossless. A frame is one item of encapsulated pixel data
(PS3.5 A.4), read from a file by position or found in memory. Its samples are written to the frame's row of one array,
with unused bits cleared or filled with the sign, and YBR converted to RGB. A frame that isn't as expected, or is at
fault, is left to the caller, who decodes it again and makes a good message.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_release_lock, PyThread_type_lock,
    WAIT_LOCK,
)
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp

from dicomcore._native.base.cursor cimport load_be16, load_le32
from dicomcore._native.base.fault cimport NEED_MORE, NO_MEMORY, OK, Status
from dicomcore._native.base.file cimport file_close, file_handle, file_read
from dicomcore._native.base.held cimport check_words, hold, hold_writable, let_go
from dicomcore._native.scan.index cimport Index
from dicomcore._native.jpegll.codec cimport decode_stream
from dicomcore._native.pixels.rle cimport Layout, expand_frame

cdef extern from "pixels/colour.h" nogil:
    void dc_ybr_to_rgb(const uint8_t* src, uint8_t* dst, Py_ssize_t pixels, int plain) noexcept

cdef extern from "pixels/unpack.h" nogil:
    void dc_extend8(uint8_t* words, Py_ssize_t count, int low, int stored, int is_signed) noexcept
    void dc_extend16(uint8_t* words, Py_ssize_t count, int low, int stored, int is_signed) noexcept
    void dc_extend32(uint8_t* words, Py_ssize_t count, int low, int stored, int is_signed) noexcept
    void dc_extend64(uint8_t* words, Py_ssize_t count, int low, int stored, int is_signed) noexcept

cdef enum:
    LOOKS = 2000                        # checks before stop() sleeps: about 50 us
    KEPT = 4 << 20                      # most bytes of scratch memory kept for the next call
    ITEM_HEADER = 8                     # tag FFFE,E000 and a 32-bit length
    ITEM = 0xE000FFFE                   # the tag as one little-endian word
    SOI = 0xD8                          # second bytes of JPEG's markers (T.81 table B.1)
    SOF0 = 0xC0
    SOF3 = 0xC3
    DHT = 0xC4
    SOS = 0xDA
    DRI = 0xDD
    APP0 = 0xE0
    COM = 0xFE


# -- the frame header of a JPEG codestream

cdef Py_ssize_t next_telling(const uint8_t* p, Py_ssize_t n, Py_ssize_t i) noexcept nogil:
    # The offset of the next marker segment that isn't a Huffman table, a restart interval or a comment. -1: the
    # segments are unusual, or end before the frame header.
    cdef int marker
    cdef Py_ssize_t size
    while n - i >= 4 and p[i] == 0xFF:
        marker = p[i + 1]
        if marker < SOF0 or 0xD0 <= marker <= SOS or marker == 0xFF:
            return -1
        size = load_be16(p + i + 2)
        if size < 2 or size > n - i - 2:
            return -1
        if marker != DHT and marker != DRI and marker != COM:
            return i
        i += 2 + size
    return -1


cdef bint same_header(const uint8_t* a, Py_ssize_t n, const uint8_t* b, Py_ssize_t m) noexcept nogil:
    # Whether two codestreams state the same size, precision, components and colour: their marker segments up to the end
    # of SOF3 are equal, except for Huffman tables, restart intervals and comments.
    cdef Py_ssize_t i = 2, j = 2, size
    if n < 2 or m < 2 or a[0] != 0xFF or a[1] != SOI or b[0] != 0xFF or b[1] != SOI:
        return False
    while True:
        i = next_telling(a, n, i)
        j = next_telling(b, m, j)
        if i < 0 or j < 0:
            return False
        size = 2 + load_be16(a + i + 2)
        if size > m - j or memcmp(a + i, b + j, size) != 0:
            return False
        if a[i + 1] == SOF3:
            return True
        i += size
        j += size


# -- one frame

cdef struct Recipe:
    Layout layout                       # of the samples, by pixel
    const uint8_t* header               # head of a JPEG lossless codestream that all frames must match; NULL: RLE
    Py_ssize_t header_size
    int bits                            # Bits Stored, if unused bits must be cleared or sign-filled; else 0
    bint is_signed
    bint to_rgb                         # from YBR_FULL, in samples of 8 bits


cdef void extend(uint8_t* words, Py_ssize_t count, int width, int bits, bint is_signed) noexcept nogil:
    if width == 1:
        dc_extend8(words, count, 0, bits, is_signed)
    elif width == 2:
        dc_extend16(words, count, 0, bits, is_signed)
    elif width == 4:
        dc_extend32(words, count, 0, bits, is_signed)
    else:
        dc_extend64(words, count, 0, bits, is_signed)


cdef Status decode_one(const Recipe* recipe, const uint8_t* src, Py_ssize_t n, uint8_t* dst,
                       Py_ssize_t size) noexcept nogil:
    # Decode a codestream into the `size` bytes at dst. NEED_MORE: it isn't as expected, or the caller has to decode it
    # again to report an issue.
    cdef const Layout* layout = &recipe.layout
    cdef Py_ssize_t at = 0
    cdef Status status
    if recipe.header == NULL:
        status = expand_frame(src, n, dst, layout, False, &at)
        if status == OK and at >= 0:
            return NEED_MORE
    elif same_header(recipe.header, recipe.header_size, src, n):
        status = decode_stream(src, n, dst, size, layout.width, False, False, &at)
    else:
        return NEED_MORE
    if status == OK and recipe.bits:
        extend(dst, layout.pixels * layout.samples, layout.width, recipe.bits, recipe.is_signed)
    if status == OK and recipe.to_rgb:
        dc_ybr_to_rgb(dst, dst, layout.pixels, False)
    return status


cdef struct Scratch:
    uint8_t* memory
    Py_ssize_t size


cdef class How:
    """The parameters for decoding the frames of a data set, shared by all batches.

    Parameters
    ----------
    pixels : int
        Pixels of a frame.
    samples : int
        Samples per pixel.
    width : int
        Bytes per sample: 1, 2, 4 or 8.
    header : bytes or None
        The head of a JPEG lossless codestream, at least up to the end of its frame header; None for RLE.
    bits : int
        Bits Stored if it is less than 8 * width: the bits above become the sign or 0. 0 leaves all words alone.
    is_signed : bool
        Whether the samples are signed.
    to_rgb : bool
        Convert YBR_FULL to RGB, in samples of 8 bits.
    """

    cdef Recipe recipe
    cdef bytes header
    cdef readonly Py_ssize_t size
    cdef Scratch spare                  # kept between calls: new pages from the system cost more time than reading
    cdef PyThread_type_lock lock        # guards `spare`

    def __cinit__(self):
        self.lock = PyThread_allocate_lock()
        if self.lock == NULL:
            raise MemoryError("no memory for a lock")

    def __dealloc__(self):
        free(self.spare.memory)
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    cdef Scratch take_spare(self) noexcept nogil:
        cdef Scratch taken
        PyThread_acquire_lock(self.lock, WAIT_LOCK)
        taken = self.spare
        self.spare = Scratch(memory=NULL, size=0)
        PyThread_release_lock(self.lock)
        return taken

    cdef void give_back(self, Scratch given) noexcept nogil:
        # Keep the memory if it isn't too large, and larger than what another thread gave back meanwhile.
        cdef Scratch other = given
        if given.size <= KEPT:
            PyThread_acquire_lock(self.lock, WAIT_LOCK)
            if self.spare.size < given.size:
                other = self.spare
                self.spare = given
            PyThread_release_lock(self.lock)
        free(other.memory)

    def __init__(self, *, Py_ssize_t pixels, int samples, int width, bytes header, int bits=0, bint is_signed=False,
                 bint to_rgb=False):
        if not (0 < pixels < 1 << 32 and 0 < samples <= 15 and width in (1, 2, 4, 8) and samples * width <= 15):
            raise ValueError(f"no frames of {pixels} pixels with {samples} samples of {width} bytes")
        if not 0 <= bits < 8 * width or (to_rgb and samples * width != 3) or (header is not None and width > 2):
            raise ValueError(f"these codecs give no {samples} samples of {bits} bits in {width} bytes")
        self.header = header
        self.size = pixels * samples * width
        self.recipe = Recipe(
            layout=Layout(pixels=pixels, columns=1, samples=samples, width=width, planar=False),
            header=NULL, header_size=0, bits=bits, is_signed=is_signed, to_rgb=to_rgb)
        if header is not None:
            self.recipe.header = <const uint8_t*>PyBytes_AS_STRING(header)
            self.recipe.header_size = len(header)


# -- many frames

cdef struct Work:
    const Recipe* recipe
    const uint8_t* data                 # memory that contains all items; NULL: read them from `file`
    file_handle file
    uint64_t base                       # added to a span, modulo 2**64, gives its offset in the file or in `data`
    const uint64_t* spans               # for each frame: its item's first byte, and the byte behind the item
    Py_ssize_t count
    bint exact                          # the item ends at its span's end; else there or later
    uint8_t* dst
    Py_ssize_t size                     # bytes of one frame
    uint8_t* done                       # for each frame: 1 once it was decoded
    PyThread_type_lock lock             # guards the fields below
    Py_ssize_t next                     # the first frame that no thread has taken
    bint stopped
    int running                         # threads inside `run`
    bint awaited                        # a thread waits for the last of them
    PyThread_type_lock idle             # the last one releases it then


cdef Status find_item(const Work* work, Py_ssize_t k, Scratch* scratch, const uint8_t** src,
                      Py_ssize_t* n) noexcept nogil:
    # Find the codestream of frame k; read it into scratch if it isn't in memory.
    cdef uint64_t start = work.spans[2 * k], stop = work.spans[2 * k + 1]
    cdef Py_ssize_t size = <Py_ssize_t>(stop - start)
    cdef uint64_t length
    cdef const uint8_t* item
    if size < ITEM_HEADER:
        return NEED_MORE
    if work.data != NULL:
        item = work.data + (work.base + start)
    else:
        if scratch.size < size:
            free(scratch.memory)
            scratch.memory = <uint8_t*>malloc(size)
            scratch.size = size if scratch.memory != NULL else 0
            if scratch.memory == NULL:
                return NO_MEMORY
        if file_read(work.file, scratch.memory, size, work.base + start) != size:
            return NEED_MORE
        item = scratch.memory
    length = load_le32(item + 4)
    if load_le32(item) != ITEM or length < <uint64_t>(size - ITEM_HEADER):
        return NEED_MORE
    if work.exact and length > <uint64_t>(size - ITEM_HEADER):
        return NEED_MORE
    src[0] = item + ITEM_HEADER
    n[0] = size - ITEM_HEADER
    return OK


cdef Py_ssize_t draw(Work* work, bint stop) noexcept nogil:
    # Take the next frame; -1 if none is left. `stop`: let no thread take any further frame.
    cdef Py_ssize_t drawn = -1
    PyThread_acquire_lock(work.lock, WAIT_LOCK)
    work.stopped |= stop
    if not work.stopped and work.next < work.count:
        drawn = work.next
        work.next += 1
    PyThread_release_lock(work.lock)
    return drawn


cdef void enter(Work* work) noexcept nogil:
    PyThread_acquire_lock(work.lock, WAIT_LOCK)
    work.running += 1
    PyThread_release_lock(work.lock)


cdef void leave(Work* work) noexcept nogil:
    PyThread_acquire_lock(work.lock, WAIT_LOCK)
    work.running -= 1
    if work.running == 0 and work.awaited:
        work.awaited = False
        PyThread_release_lock(work.idle)
    PyThread_release_lock(work.lock)


cdef bint is_idle(Work* work, bint await_it) noexcept nogil:
    # Whether no thread is inside `run`. If not, and `await_it`, the last thread to leave releases work.idle.
    cdef bint idle
    PyThread_acquire_lock(work.lock, WAIT_LOCK)
    idle = work.running == 0
    work.awaited = await_it and not idle
    PyThread_release_lock(work.lock)
    return idle


cdef void stop_all(Work* work) noexcept nogil:
    # Let no thread take further frames, and wait until the frames taken are done. Sleeping and waking up takes as long
    # as decoding a small frame, so it polls for a while first.
    cdef int _
    draw(work, True)
    for _ in range(LOOKS):
        if is_idle(work, False):
            return
    if not is_idle(work, True):
        PyThread_acquire_lock(work.idle, WAIT_LOCK)


cdef bint take_turns(Work* work, Scratch* scratch, Py_ssize_t most) noexcept nogil:
    # Decode frames until none is left, or the frames taken make `most` bytes; returns whether there may be more.
    cdef const uint8_t* src
    cdef Py_ssize_t taken = 0, n = 0, k
    cdef Status status = OK
    while taken < most:
        k = draw(work, status != OK and status != NEED_MORE)
        if k < 0:
            break
        status = find_item(work, k, scratch, &src, &n)
        if status == OK:
            status = decode_one(work.recipe, src, n, work.dst + k * work.size, work.size)
        work.done[k] = status == OK
        taken += work.size
    if status != OK and status != NEED_MORE:
        draw(work, True)
        return False
    return taken >= most


cdef class Batch:
    """Frames to decode into the rows of one array; any number of threads may call `run`, at once or in turn.

    Parameters
    ----------
    how : How
        The parameters of the frames.
    source : Index or buffer
        An Index, whose pixel data's value begins at `base`, or a buffer that contains the value.
    base : int
        Offset of the value in the source of an Index; not used for a buffer.
    spans : buffer
        A pair of uint64 per frame, counted from the value's first byte: the first byte of the frame's item, and the
        byte behind the item or, if not `exact`, behind the bytes of it that are needed.
    dst : buffer
        Receives the frames, one after the other; a contiguous buffer of exactly their size.
    exact : bool
        Whether each item must end where its span ends.
    """

    cdef Work work
    cdef How how
    cdef object owner                   # keeps the memory alive, or the file open
    cdef bint lent                      # the file belongs to the source, which closes it
    cdef Py_buffer spans, target
    cdef bint spans_held, target_held
    cdef bytearray flags

    def __cinit__(self):
        self.work.file = -1
        self.work.lock = PyThread_allocate_lock()
        self.work.idle = PyThread_allocate_lock()
        if self.work.lock == NULL or self.work.idle == NULL:
            raise MemoryError("no memory for a lock")
        PyThread_acquire_lock(self.work.idle, WAIT_LOCK)

    def __init__(self, How how not None, source not None, uint64_t base, spans, dst, bint exact=True):
        cdef Work* work = &self.work
        cdef Py_ssize_t k
        cdef uint64_t first, stop = 0
        if self.spans_held:
            raise ValueError("Batch.__init__() was called before")
        if how.size == 0:
            raise ValueError("How.__init__() was not called")
        self.how = how
        work.recipe = &how.recipe
        work.size = how.size
        work.exact = exact
        hold(spans, &self.spans)
        self.spans_held = True
        hold_writable(dst, &self.target)
        self.target_held = True
        check_words(&self.target, how.recipe.layout.width)
        work.count = self.spans.len // 16
        if self.target.len // work.size != work.count or self.target.len % work.size or <size_t>self.spans.buf & 7:
            raise ValueError(f"a buffer of {self.target.len} bytes for {work.count} frames of {work.size} bytes")
        work.dst = <uint8_t*>self.target.buf
        work.spans = <const uint64_t*>self.spans.buf
        first = work.spans[0] if work.count else 0
        for k in range(work.count):
            if work.spans[2 * k] > work.spans[2 * k + 1]:
                raise ValueError(f"frame {k} ends before it begins")
            first = min(first, work.spans[2 * k])
            stop = max(stop, work.spans[2 * k + 1])
        self.flags = bytearray(work.count)
        work.done = <uint8_t*>PyByteArray_AS_STRING(self.flags)
        self.attach(source, base, first, stop)

    cdef int attach(self, source, uint64_t base, uint64_t first, uint64_t stop) except -1:
        # Attach the bytes [first, stop) behind `base`: point to them in memory, or open the file.
        cdef Index index
        cdef const uint8_t[::1] view
        cdef const uint8_t* data = NULL
        cdef uint64_t size
        cdef bint at_hand
        if not isinstance(source, Index):
            view = source
            size = <uint64_t>view.shape[0]
            if stop > size:
                raise ValueError(f"the frames end at byte {stop}, but the buffer has {size} bytes")
            self.owner = view
            self.work.data = &view[0] if size else <const uint8_t*>b""
            return 0
        index = source
        size = index.source.size
        if base > size or stop > size - base:
            raise ValueError(f"the frames end at byte {base} + {stop}, but the source has {size} bytes")
        at_hand = base + first >= index.source.begin and base + stop <= index.source.begin + index.source.held
        if index.source.path is None or at_hand:
            self.owner = index.source.hold(base + first, stop - first, &data)
            self.work.data = data
            self.work.base = 0 - first
        else:
            self.work.base = base
            self.owner = index.source
            self.work.file = index.source.borrow()
            self.lent = self.work.file == index.source.kept
        return 0

    def __dealloc__(self):
        if self.work.file != -1 and not self.lent:
            file_close(self.work.file)
        if self.spans_held:
            let_go(&self.spans)
        if self.target_held:
            let_go(&self.target)
        if self.work.lock != NULL:
            PyThread_free_lock(self.work.lock)
        if self.work.idle != NULL:
            PyThread_free_lock(self.work.idle)

    cdef int check_made(self) except -1:
        if self.work.data == NULL and self.work.file == -1:
            raise ValueError("Batch.__init__() failed or was not called")
        return 0

    def run(self, Py_ssize_t most) -> bool:
        """Decode frames that no other thread has taken, until they make `most` bytes.

        Returns whether there may be more frames to decode.
        """
        cdef Scratch scratch
        cdef bint more
        self.check_made()
        with nogil:
            enter(&self.work)
            scratch = self.how.take_spare()
            more = take_turns(&self.work, &scratch, most)
            self.how.give_back(scratch)
            leave(&self.work)
        return more

    def stop(self) -> None:
        """Let no thread begin another frame, and wait for the frames in progress.

        Only one thread may call it, and not from inside `run`.
        """
        self.check_made()
        with nogil:
            stop_all(&self.work)

    def left(self) -> list[int]:
        """The positions of the frames that were not decoded; call it after all threads have left `run`."""
        cdef Py_ssize_t k
        self.check_made()
        if self.flags.find(b"\0") < 0:
            return []
        return [k for k in range(self.work.count) if not self.work.done[k]]
