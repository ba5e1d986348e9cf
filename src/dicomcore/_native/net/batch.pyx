"""Files sent one after the other (C-STORE) without the GIL: each is read while the peer works on the one before.

What is not plain is left to the careful way: a file, or the response to a request.
"""

from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.errno cimport EAGAIN, EINTR, ETIMEDOUT
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy

from dicomcore._native.net.ask cimport HEAD, HEADER, MOST, SHORT, Sending, net_piece, put_request, receive_response
from dicomcore._native.net.heads cimport Identity, Value, encoding_of, identify, read_meta, read_uid

cdef extern from "Python.h":
    bytes PyUnicode_EncodeFSDefault(object text)

cdef extern from "net/ask.h" nogil:
    Py_ssize_t ask_send(int file, net_piece* pieces, int count)
    int ask_open(const char* path, size_t most, size_t* size)
    bint ask_fill(int file, uint8_t* to, size_t size)
    int64_t ask_clock()

cdef enum:
    CONTEXTS = 128
    MOST_FILES = 64         # in one call
    LARGEST = 1 << 20       # bytes of a file
    LEAST_ROOM = 1 << 14    # bytes that are set aside for one
    PATIENCE = 2000         # microseconds after which no other file is begun
    LONGEST_UID = 64
    MOST_ID = 0xFFFF
    C_STORE = 0x0001

cdef uint32_t SOP_INSTANCE = 0x00080018


cdef struct Offer:
    int number              # of the presentation context
    Value sop_class, syntax


cdef struct Source:
    const char* path
    const uint8_t* whole    # the file's bytes if they are here already, else NULL
    Py_ssize_t size


cdef struct Loaded:
    uint8_t* room           # that files are read into
    Py_ssize_t room_size
    const uint8_t* data     # the data set
    Py_ssize_t size
    int offer               # that it goes with; -1: it is not sent here
    Value sop_instance


cdef struct Sent:
    int offer, status
    Py_ssize_t size         # of the UID
    uint8_t sop_instance[LONGEST_UID]


cdef bint is_same(const Value* one, const Value* other) noexcept nogil:
    return one.size == other.size and memcmp(one.at, other.at, one.size) == 0


cdef Value value_of(bytes text):
    cdef Value made
    if not read_uid(<const uint8_t*><const char*>text, len(text), &made):
        made.at, made.size = NULL, 0        # what no file has
    return made


cdef int fault_of(Py_ssize_t result) noexcept nogil:
    # The error in what a call on a socket gave, 0 if the connection goes on.
    return 0 if result >= 0 or result == -EAGAIN or result == -EINTR else <int>-result


cdef class Batch:
    """Sends the files of one operation.

    Parameters
    ----------
    contexts : list of tuples
        Presentation contexts in the order of preference: number, abstract syntax and transfer syntax, both bytes.
    fragment : int
        The most bytes of a fragment.
    """

    cdef Offer offers[CONTEXTS]
    cdef int offered
    cdef list held                          # what the offers point into
    cdef Py_ssize_t fragment
    cdef Source sources[MOST_FILES]
    cdef Loaded files[2]
    cdef int at                             # the one of them that goes next
    cdef bint is_ready                      # whether its bytes are here
    cdef object ready                       # what they came from
    cdef list taken                         # what the present files came from
    cdef Sent sent[MOST_FILES]
    cdef int done                           # how many responses came
    cdef Sending request
    cdef Py_ssize_t gone                    # bytes of a request without a plain response; -1: there is none
    cdef int64_t begun                      # when it began to go
    cdef bint is_running
    cdef readonly int identifier            # its message ID, or that of the last request
    cdef readonly Py_ssize_t came           # bytes that came behind it, 0 at the end of the connection, else -1
    cdef readonly int fault                 # the error of the connection, or 0

    def __init__(self, list contexts not None, Py_ssize_t fragment):
        cdef int at = 0
        if len(contexts) > CONTEXTS:
            raise ValueError(f"an association has at most {CONTEXTS} presentation contexts")
        self.held, self.offered, self.fragment = contexts, len(contexts), fragment
        for number, sop_class, syntax in contexts:
            if not 0 < number < 256:
                raise ValueError(f"{number} is no number of a presentation context")
            self.offers[at].number = number
            self.offers[at].sop_class, self.offers[at].syntax = value_of(sop_class), value_of(syntax)
            at += 1

    def __dealloc__(self):
        free(self.files[0].room)
        free(self.files[1].room)

    def run(self, int file, list sources not None, int identifier, uint8_t[::1] room not None):
        """Send files over a blocking socket, each after the plain response to the one before.

        Parameters
        ----------
        sources : list
            Paths, and instances of them, whose bytes may be here. They are sent up to one that is neither or is not
            small and plain, up to a response that says more than success, and as far as they begin in two milliseconds.
        identifier : int
            The message ID before that of the first request.
        room : writable buffer
            Takes responses.

        Returns
        -------
        list of tuples
            For each plain response, the place of the context in `contexts`, the SOP Instance UID, and the status.
        tuple or None
            The place and the UID of one more request that went out, wholly or in part. Then `identifier`, `came` and
            `fault` say how it went, `left` and `waited` what is still to be sent of it, and since when.
        """
        cdef list names = [], found = []
        cdef uint8_t* p
        cdef Sent* one
        cdef int count, at
        if room.shape[0] < SHORT:
            raise ValueError(f"there is no room for a response in {room.shape[0]} bytes")
        if self.is_running:
            raise RuntimeError("files are being sent already")
        self.is_running = True
        try:
            count, self.taken = self.take(sources, names), sources
            self.is_ready = self.is_ready and count > 0 and sources[0] is self.ready
            self.identifier, p = identifier, &room[0]
            with nogil:
                self.go(file, count, p, room.shape[0])
            for at in range(self.done):
                one = &self.sent[at]
                found.append((one.offer, PyUnicode_DecodeASCII(<char*>one.sop_instance, one.size, NULL), one.status))
            at = self.done + (self.gone >= 0)
            self.ready = sources[at] if self.is_ready else None
            return found, None if self.gone < 0 else self.asked()
        finally:
            self.is_running = False

    @property
    def left(self):
        """The bytes of the request that were not sent, b"" for none. The next call forgets them."""
        cdef const Loaded* one = &self.files[self.at ^ 1]
        cdef Py_ssize_t at = 0, length, count = (one.size + self.fragment - 1) // self.fragment
        cdef int used
        cdef list parts
        if self.gone < 0 or self.gone == self.request.total:
            return b""
        parts = [(<char*>self.request.head)[:self.request.total - one.size - count * HEADER]]
        for used in range(count):
            length = min(self.fragment, one.size - at)
            parts += (<char*>self.request.headers[used])[:HEADER], (<char*>one.data)[at : at + length]
            at += length
        return b"".join(parts)[self.gone:]

    @property
    def waited(self):
        """Seconds since the request began to go."""
        return (ask_clock() - self.begun) / 1e6

    cdef tuple asked(self):
        cdef Loaded* one = &self.files[self.at ^ 1]
        return one.offer, PyUnicode_DecodeASCII(<const char*>one.sop_instance.at, one.sop_instance.size, NULL)

    cdef int take(self, list sources, list names) except -1:
        # Note what is to be sent; how many. `names` holds what it points into.
        cdef int count = 0
        cdef Source* one
        cdef bytes data
        for source in sources[:MOST_FILES]:
            one = &self.sources[count]
            one.path, one.whole, one.size = NULL, NULL, 0
            if isinstance(source, tuple):
                whole, source = source.whole, source.source
                if type(whole) is bytes:
                    data = whole
                    one.whole, one.size = data, len(data)
                elif whole is not None:
                    break
            if type(source) is not str:
                break
            try:
                data = PyUnicode_EncodeFSDefault(source)
            except UnicodeEncodeError:
                break
            if b"\0" in data:
                break
            names.append(data)
            one.path = data
            count += 1
        return count

    cdef void go(self, int file, int count, uint8_t* room, Py_ssize_t size) noexcept nogil:
        cdef int64_t started = ask_clock()
        cdef Loaded* one
        cdef const Offer* offer
        cdef int status
        self.done, self.gone, self.came, self.fault = 0, -1, -1, 0
        while self.done < count:
            one = &self.files[self.at]
            if not self.is_ready:
                self.load(one, &self.sources[self.done])
            self.is_ready = False
            if one.offer < 0:
                return
            offer = &self.offers[one.offer]
            self.identifier = self.identifier % MOST_ID + 1
            put_request(&self.request, offer.number, C_STORE, self.identifier, &offer.sop_class, &one.sop_instance,
                        one.data, one.size, self.fragment)
            self.begun = ask_clock()
            self.gone = ask_send(file, self.request.pieces, self.request.count)
            self.at ^= 1
            if self.gone < self.request.total:
                self.fault = fault_of(self.gone)
                self.gone = max(self.gone, 0)
                return
            if self.done + 1 < count:
                self.load(&self.files[self.at], &self.sources[self.done + 1])
                self.is_ready = True
            self.came = receive_response(file, room, size, offer.number, C_STORE, self.identifier, &status)
            if status < 0:
                self.fault = 0 if -self.came == ETIMEDOUT else fault_of(self.came)
                self.came = max(self.came, -1)
                return
            self.note(one, status)
            if status or ask_clock() - started > PATIENCE:
                return

    cdef void note(self, const Loaded* one, int status) noexcept nogil:
        # A plain response came to the request for a file.
        cdef Sent* made = &self.sent[self.done]
        made.offer, made.status, made.size = one.offer, status, one.sop_instance.size
        memcpy(made.sop_instance, one.sop_instance.at, made.size)
        self.gone = -1
        self.done += 1

    cdef void load(self, Loaded* one, const Source* source) noexcept nogil:
        # Have a file's bytes here, and find out what they go with.
        cdef size_t size = 0
        cdef const uint8_t* p = source.whole
        cdef int file
        one.offer = -1
        if p == NULL:
            file = ask_open(source.path, LARGEST, &size)
            if file < 0:
                return
            if not make_room(one, size):
                size = 0                    # it is closed, and not taken
            if not ask_fill(file, one.room, size):
                return
            p = one.room
        else:
            size = source.size
        self.judge(one, p, size)

    cdef void judge(self, Loaded* one, const uint8_t* p, Py_ssize_t n) noexcept nogil:
        # What a file of n bytes is, and the offer that it goes with as it is.
        cdef Identity found
        cdef Value syntax
        cdef Py_ssize_t offset = read_meta(p, n, &syntax)
        cdef int encoding, at
        if offset < 0:
            return
        one.data, one.size = p + offset, n - offset
        encoding = encoding_of(syntax.at, syntax.size)
        if encoding < 0 or one.size <= 0 or one.size & 1:   # fragments are even (PS3.8 E.2)
            return
        if self.fragment < HEAD or one.size > MOST * self.fragment:
            return
        found.sop_class.size = found.sop_instance.size = 0
        if not identify(one.data, one.size, one.size, encoding, SOP_INSTANCE, &found) or not found.sop_instance.size:
            return
        one.sop_instance = found.sop_instance
        for at in range(self.offered):
            if is_same(&found.sop_class, &self.offers[at].sop_class) and is_same(&syntax, &self.offers[at].syntax):
                if found.sop_class.size:
                    one.offer = at
                return


cdef bint make_room(Loaded* one, size_t size) noexcept nogil:
    # Room for so many bytes, LARGEST at most.
    cdef Py_ssize_t most
    if <Py_ssize_t>size > one.room_size:
        most = min(LARGEST, max(LEAST_ROOM, 2 * <Py_ssize_t>size))
        free(one.room)
        one.room, one.room_size = <uint8_t*>malloc(most), most
        if one.room == NULL:
            one.room_size = 0
    return one.room != NULL
