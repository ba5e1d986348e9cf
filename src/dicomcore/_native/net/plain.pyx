"""Plain requests of one association, C-STORE and C-ECHO, received and answered without the GIL.

What is not plain is left to the careful readers, from its first byte on. Instances go to their places, and are answered
at once; or they are handed over as files that are in no place yet, and are answered, in order, when it is told what
became of them. Meanwhile more is received.
"""

import os
from collections import deque
from contextlib import suppress
from functools import partial

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memmove

from dicomcore._native.base.cursor cimport load_be32, load_le16, load_le32, store_le32
from dicomcore._native.base.shared cimport load_flag, store_flag
from dicomcore._native.net.elements cimport put_group_length, put_pdu, put_uid, put_word
from dicomcore._native.net.heads cimport Identity, Value, encoding_of, identify, read_uid
from dicomcore._native.net.line cimport MOST_COMMENT, MOST_WAITING, Line, Waiting, join, place_in, waits_in

cdef extern from "net/pieces.h" nogil:
    ctypedef struct net_piece:
        pass
    void piece_set(net_piece* piece, const uint8_t* data, size_t size)

cdef extern from "net/keep.h" nogil:
    int keep_file(const char* folder, const char* target, const net_piece* pieces, int count, size_t size,
                  int durable)
    int keep_part(const char* target, const net_piece* pieces, int count, size_t size)

cdef extern from "net/serve.h" nogil:
    enum:
        SERVE_BYTES
        SERVE_NOTICE
    int serve_wait(int file, int notice, int milliseconds)
    Py_ssize_t serve_receive(int file, uint8_t* to, size_t size)
    int serve_notice()
    void serve_tell(int notice)
    void serve_told(int notice)
    void serve_forget(int notice)
    Py_ssize_t serve_send(int file, const uint8_t* from_, size_t size)
    int64_t serve_clock()
    bint serve_has_room(const char* folder, uint64_t least)

cdef enum:
    DATA = 4                # the type of a P-DATA-TF PDU
    HEADER = 6              # bytes of a PDU's header, and of a presentation data value in front of its fragment
    LEAST = 2               # what a presentation data value's length says at least
    COMMAND = 1             # bits of a message control header
    LAST = 2
    C_STORE = 0x0001
    C_ECHO = 0x0030
    RESPONSE = 0x8000
    NO_DATA_SET = 0x0101
    LONGEST_UID = 64
    ELEMENT = 8             # bytes of an element's tag and length
    GROUP_LENGTH = 12       # bytes of the element that is in front of a command set
    CONTEXTS = 128
    MOST_PIECES = 64        # of a file
    PATH = 4096             # bytes of a path
    SUFFIX_SIZE = 5         # of a file's name, with the zero behind it
    PART_SIZE = 6           # of a name of a file that is in no place
    DIGITS = 20             # of a number of 64 bits
    META = 1024             # bytes in front of a data set, at most
    ANSWER = 320            # bytes of an answer, at most
    ANSWERS = 8192          # bytes of answers that go out together
    PAUSE = 20              # milliseconds in which nothing comes
    LONG = 200              # milliseconds in which a message does not become whole
    CHECK_EACH = 50         # milliseconds after which the room on the disk is looked at
    ROOM = 1 << 20          # bytes that a message has
    DUPLICATE_INVOCATION = 0x0210
    OUT_OF_RESOURCES = 0xA700
    COMMENT = 0x0902
    LAST_WAIT = 10000       # milliseconds that a thread that has to stop waits for what it handed over

cdef uint32_t SERIES = 0x0020000E
cdef bytes PRINTABLE = bytes(c if 32 <= c < 127 and c != 92 else 63 for c in range(256))     # an LO (PS3.5 6.2)
cdef const char* SUFFIX = ".dcm"
cdef const char* PART = ".part"


cdef enum Outcome:
    SERVED
    SHORT           # more of the message is to come
    LEFT            # it is not plain
    UNPLACED        # the folder of its series is not known
    FULL            # as many requests wait as may
    FRESH           # files are to be handed over
    TOLD            # it is told what became of files


cdef struct Context:
    bint is_there
    int encoding            # of data sets; -1 for those that are read elsewhere
    Value abstract, before, behind


cdef struct Asked:
    uint32_t kind, identifier
    bint has_identifier, has_data
    Value sop_class, sop_instance   # where they are not there, `at` is NULL


cdef bint take_uid(const uint8_t* p, Py_ssize_t n, Value* value) noexcept nogil:
    # A UID of a command set, whose padding may be a space.
    while n and (p[n - 1] == 0 or p[n - 1] == 32):
        n -= 1
    return read_uid(p, n, value)


cdef bint is_name(const Value* uid) noexcept nogil:
    # Whether a UID is a file's name as it is.
    cdef Py_ssize_t i
    if uid.size == 0 or uid.at[0] == 46 or uid.at[uid.size - 1] == 46:
        return False
    for i in range(1, uid.size):
        if uid.at[i] == 46 and uid.at[i - 1] == 46:
            return False
    return True


cdef bint is_same(const Value* one, const Value* other) noexcept nogil:
    return one.size == other.size and memcmp(one.at, other.at, one.size) == 0


cdef bint read_command(const uint8_t* p, Py_ssize_t n, Asked* asked) noexcept nogil:
    # A command set of the elements that C-STORE and C-ECHO have, in order; False for others.
    cdef Py_ssize_t at = 0, length
    cdef uint32_t number, left, word
    cdef int last = -1
    asked.kind = 0
    asked.has_identifier = asked.has_data = False
    asked.sop_class.at = asked.sop_instance.at = NULL
    asked.sop_class.size = asked.sop_instance.size = 0
    while at < n:
        if n - at < ELEMENT:
            return False
        number, left = load_le16(p + at + 2), load_le32(p + at + 4)
        at += ELEMENT
        if load_le16(p + at - ELEMENT) or left > n - at or <int>number <= last:
            return False
        last, length = number, left
        if number in (0x0100, 0x0110, 0x0700, 0x0800, 0x1031):
            if length != 2:
                return False
            word = load_le16(p + at)
            if number == 0x0100:
                asked.kind = word
            elif number == 0x0110:
                asked.identifier, asked.has_identifier = word, True
            elif number == 0x0800:
                asked.has_data = word != NO_DATA_SET
        elif number == 0x0002:
            if not take_uid(p + at, length, &asked.sop_class):
                return False
        elif number == 0x1000:
            if not take_uid(p + at, length, &asked.sop_instance):
                return False
        elif number == 0x1030:
            for word in range(left):
                if not 32 <= p[at + word] < 127:
                    return False
        elif number:
            return False
        at += length
    return asked.has_identifier


cdef Py_ssize_t answer(const Asked* asked, int number, uint32_t status, const uint8_t* comment, Py_ssize_t comment_size,
                       uint8_t* made) noexcept nogil:
    # The PDU of a response; its bytes, of which there is room for ANSWER.
    cdef uint8_t* body = made + 2 * HEADER
    cdef uint8_t* p = body + GROUP_LENGTH
    cdef Py_ssize_t size
    if asked.sop_class.size:
        p = put_uid(p, 0x0002, asked.sop_class.at, asked.sop_class.size)
    p = put_word(p, 0x0100, asked.kind | RESPONSE)
    p = put_word(p, 0x0120, asked.identifier)
    p = put_word(p, 0x0800, NO_DATA_SET)
    p = put_word(p, 0x0900, status)
    if comment_size:
        p = put_uid(p, COMMENT, comment, comment_size)
        if comment_size & 1:
            (p - 1)[0] = 32
    if asked.sop_instance.size:
        p = put_uid(p, 0x1000, asked.sop_instance.at, asked.sop_instance.size)
    size = p - body
    put_group_length(body, size)
    put_pdu(made, number, COMMAND | LAST, size)
    return size + 2 * HEADER


cdef Py_ssize_t put_number(char* p, uint64_t number) noexcept nogil:
    # A number in decimal digits; how many, of DIGITS at most.
    cdef char[DIGITS] digits
    cdef Py_ssize_t count = 0, i
    while True:
        digits[count] = <char>(48 + number % 10)
        number //= 10
        count += 1
        if number == 0:
            break
    for i in range(count):
        p[i] = digits[count - 1 - i]
    return count


cdef Value value_of(bytes text):
    cdef Value made
    made.at, made.size = <const uint8_t*><const char*>text, len(text)
    return made


cdef class Plain:
    """Serves the plain requests of one association.

    Parameters
    ----------
    contexts : list of tuples
        Presentation contexts that this side is the SCP of: number, abstract syntax, transfer syntax, and what stands
        before and behind the instance's UID in the file meta information; all but the number are bytes. `beginning`
        is what is in front of the length of that.
    incoming : bytes
        The folder of files that are not whole, whose disk keeps `free_bytes`.
    home : callable
        Gives the folder of a study and series, all bytes.
    longest, fragment, command_bytes, file_bytes : int
        Bytes of a PDU that comes, of a fragment that is sent, of a command set, of a data set, at most.
    hand : callable, optional
        Gets paths of complete files, and a function that takes a list of a status and a comment for each of them, from
        any thread. Then `home` is not asked.
    part : bytes
        How the paths of those files begin.
    most : int
        Requests that may wait for that.
    """

    cdef Context contexts[CONTEXTS]
    cdef list held
    cdef bytes incoming, beginning
    cdef const char* folder                 # of `incoming`
    cdef Value start                        # of `beginning`
    cdef object home
    cdef Py_ssize_t longest, fragment, command_bytes, file_bytes
    cdef uint64_t free_bytes
    cdef bint durable
    cdef uint8_t uids[2 * LONGEST_UID]      # of the study and the series whose folder is known
    cdef Value study, series
    cdef char path[PATH]                    # that folder, and the name of the present file
    cdef Py_ssize_t path_size
    cdef Identity found                     # of the present data set
    cdef uint8_t answers[ANSWERS + (MOST_WAITING + 1) * ANSWER]
    cdef Py_ssize_t answered                # bytes of answers that are to be sent
    cdef int64_t checked, unchecked         # when the room on the disk was looked at, and bytes since then
    cdef bint is_stopping                   # set by another thread, while `serve` runs
    cdef readonly Py_ssize_t served, kept   # requests, and bytes of their data sets
    cdef object hand
    cdef bytes part
    cdef bint is_handing, is_leaving        # leaving: nothing more is taken
    cdef int64_t leaving_since
    cdef int most
    cdef Line line
    cdef object told                        # what became of files, by their running numbers
    cdef readonly int notice                # a descriptor that can be read when there is something in `told`, or -1

    def __cinit__(self):
        self.notice = -1

    def __init__(self, list contexts not None, *, bytes beginning not None, bytes incoming not None, home, longest,
                 fragment, command_bytes, file_bytes, free_bytes, bint durable, hand=None, bytes part not None=b"",
                 int most=1):
        cdef Context* one
        cdef int number
        self.held = contexts
        for number, abstract, syntax, before, behind in contexts:
            if not 0 < number < 256 or not number & 1:
                raise ValueError(f"{number} is no number of a presentation context")
            one = &self.contexts[number >> 1]
            one.is_there = True
            one.encoding = encoding_of(<const uint8_t*><const char*>(<bytes>syntax), len(<bytes>syntax))
            one.abstract, one.before, one.behind = value_of(abstract), value_of(before), value_of(behind)
            if len(beginning) + 4 + one.before.size + ELEMENT + LONGEST_UID + one.behind.size > META:
                raise ValueError("the file meta information is too long")
        self.beginning, self.incoming, self.home = beginning, incoming, home
        self.start, self.folder = value_of(beginning), incoming
        self.longest, self.fragment, self.command_bytes = longest, fragment, command_bytes
        self.file_bytes, self.free_bytes, self.durable = file_bytes, free_bytes, durable
        self.checked = -1
        self.hand, self.part, self.told, self.most = hand, part, deque(), max(1, min(most, MOST_WAITING))
        self.is_handing = hand is not None
        if self.is_handing and self.notice < 0:
            if len(part) > PATH - DIGITS - PART_SIZE:
                raise ValueError("the names of files are too long")
            self.path_size = len(part)
            memcpy(self.path, <const char*>part, self.path_size)
            self.notice = serve_notice()
            if self.notice < 0:
                raise OSError("files cannot be handed over")

    def __dealloc__(self):
        serve_forget(self.notice)

    @property
    def waiting(self):
        """How many requests wait to be answered."""
        return self.line.end - self.line.first

    @property
    def is_full(self):
        """Whether nothing more is taken before one of them is answered."""
        return <int64_t>(self.line.end - self.line.first) >= self.most

    def stop(self):
        """Have `serve` return after the present request."""
        store_flag(&self.is_stopping, True)

    def serve(self, int file):
        """Serve requests of a socket until one is not plain, nothing comes for a while, or the connection ends.

        Returns the bytes that came and are not served, and those of answers that the peer did not take yet.
        """
        cdef uint8_t* room = <uint8_t*>malloc(ROOM)
        cdef Py_ssize_t have = 0
        cdef Outcome why
        self.answered = 0
        self.is_leaving = False
        if room == NULL:
            return b"", b""
        try:
            while True:
                with nogil:
                    why = self.run(file, room, &have)
                if why == FRESH:
                    self.hand_over()
                elif why == TOLD:
                    self.listen()
                elif why != UNPLACED or not self.placed():
                    break
            return (PyBytes_FromStringAndSize(<char*>room, have),
                    PyBytes_FromStringAndSize(<char*>self.answers, self.answered))
        finally:
            free(room)

    def feed(self, uint8_t[::1] room not None, Py_ssize_t have):
        """Serve the requests in the first `have` bytes of `room`, which are moved away.

        Returns how many bytes are left, the answers, whether to call again at once, and whether more of a plain request
        may come. While requests are `waiting`, call again when `notice` can be read.
        """
        cdef uint8_t* p = &room[0]
        cdef Py_ssize_t at = 0, used = 0
        cdef Outcome why
        if not 0 <= have <= room.shape[0]:
            raise ValueError(f"{have} bytes are not in {room.shape[0]} bytes")
        self.answered = 0
        self.is_leaving = False
        if self.is_handing:
            self.listen()
        while True:
            with nogil:
                self.answer_done()
                why = self.next(p + at, have - at, &used)
            if why == SERVED:
                at += used
            if (why != SERVED or self.answered > ANSWERS) and (why != UNPLACED or not self.placed()):
                break
        if at:
            memmove(p, p + at, have - at)
        if self.line.handed < self.line.end:
            self.hand_over()
        return (have - at, PyBytes_FromStringAndSize(<char*>self.answers, self.answered), why == SERVED,
                why in (SHORT, FULL) and not load_flag(&self.is_stopping))

    cdef hand_over(self):
        # Give away the files that came since the last time.
        cdef list numbers = [], paths = []
        cdef uint64_t running = self.line.handed
        while running < self.line.end:
            if place_in(&self.line, running).has_file:
                numbers.append(running)
                paths.append(os.fsdecode(b"%s%d.part" % (self.part, running)))
            running += 1
        self.line.handed = self.line.end
        if not paths:
            return
        try:
            self.hand(paths, partial(self.tell, numbers))
        except Exception:
            for path in paths:
                with suppress(OSError):
                    os.unlink(path)
            self.tell(numbers, [(OUT_OF_RESOURCES, "it could not be written")] * len(numbers))

    def tell(self, list numbers not None, list results not None):
        """What became of files, by running numbers: a status and a comment of each, from any thread."""
        self.told.append((numbers, results))
        serve_tell(self.notice)

    cdef listen(self):
        # Note what was told.
        cdef Waiting* one
        cdef bytes comment
        serve_told(self.notice)
        while self.told:
            numbers, results = self.told.popleft()
            for running, (status, text) in zip(numbers, results, strict=True):
                one = place_in(&self.line, running)
                comment = text[:MOST_COMMENT].encode("ascii", "replace").translate(PRINTABLE)
                one.comment_size = len(comment)
                memcpy(one.comment, <const char*>comment, one.comment_size)
                one.status = status
                one.is_done = True

    cdef bint placed(self):
        # Ask for the folder of a series; False if there is none.
        cdef Value* study = &self.found.study
        cdef Value* series = &self.found.series
        cdef bytes path
        try:
            path = self.home(PyBytes_FromStringAndSize(<char*>study.at, study.size),
                             PyBytes_FromStringAndSize(<char*>series.at, series.size))
        except Exception:  # the careful readers find it out again, and say it
            return False
        if len(path) > PATH - LONGEST_UID - 8:
            return False
        self.path_size = len(path)
        memcpy(self.path, <const char*>path, self.path_size)
        memcpy(self.uids, study.at, study.size)
        memcpy(self.uids + LONGEST_UID, series.at, series.size)
        self.study.at, self.study.size = self.uids, study.size
        self.series.at, self.series.size = self.uids + LONGEST_UID, series.size
        return True

    cdef Outcome run(self, int file, uint8_t* room, Py_ssize_t* have) noexcept nogil:
        # Serve; have[0] bytes of `room` are those that came and are not served.
        cdef Py_ssize_t at = 0, used = 0, count
        cdef int64_t begun = -1                 # when the first bytes of the present message were here
        cdef int ready
        cdef Outcome why
        while True:
            self.answer_done()
            why = self.next(room + at, have[0] - at, &used)
            if why == SERVED:
                at, begun = at + used, -1
                if self.answered <= ANSWERS:
                    continue
            if at:
                have[0] -= at
                memmove(room, room + at, have[0])
                at = 0
            if not self.send(file):
                self.leave()
            if self.line.handed < self.line.end:
                return FRESH
            if why == UNPLACED:
                return UNPLACED
            if why == LEFT or load_flag(&self.is_stopping) or (why == SHORT and self.is_late(have[0], begun)):
                self.leave()
            if self.is_leaving and self.is_over():
                return LEFT
            if why == SERVED and not self.is_leaving:
                continue
            ready = serve_wait(-1 if self.is_leaving or why == FULL else file, self.notice, PAUSE)
            if ready & SERVE_NOTICE:
                return TOLD
            if ready & SERVE_BYTES:
                count = serve_receive(file, room + have[0], ROOM - have[0])
                if count < 0:
                    self.leave()
                have[0] += max(count, 0)
                if begun < 0:
                    begun = serve_clock()
            elif self.line.first == self.line.end:
                return LEFT

    cdef void leave(self) noexcept nogil:
        if not self.is_leaving:
            self.is_leaving, self.leaving_since = True, serve_clock()

    cdef bint is_over(self) noexcept nogil:
        # Whether nothing waits, or what waits is not waited for.
        if self.line.first == self.line.end:
            return True
        return load_flag(&self.is_stopping) and serve_clock() - self.leaving_since > LAST_WAIT

    cdef bint is_late(self, Py_ssize_t have, int64_t begun) noexcept nogil:
        # Whether a message that is not whole cannot be waited for here.
        return have == ROOM or (begun >= 0 and serve_clock() - begun > LONG)

    cdef Outcome next(self, const uint8_t* p, Py_ssize_t n, Py_ssize_t* used) noexcept nogil:
        # Serve the next message, if that may be.
        if self.is_leaving:
            return LEFT
        if <int64_t>(self.line.end - self.line.first) >= self.most:
            return FULL
        return self.take(p, n, used)

    cdef void answer_done(self) noexcept nogil:
        # Answer the requests at the head of the line that are done.
        cdef Waiting* one
        cdef Asked asked
        while self.line.first < self.line.end:
            one = place_in(&self.line, self.line.first)
            if not one.is_done:
                break
            asked.kind, asked.identifier = one.kind, one.identifier
            asked.sop_class.at, asked.sop_class.size = one.sop_class, one.class_size
            asked.sop_instance.at, asked.sop_instance.size = one.sop_instance, one.instance_size
            self.answered += answer(&asked, one.number, one.status, one.comment, one.comment_size,
                                    self.answers + self.answered)
            self.line.first += 1
            if self.line.handed < self.line.first:
                self.line.handed = self.line.first

    cdef bint send(self, int file) noexcept nogil:
        # Send the answers; False if the peer does not take them all.
        cdef Py_ssize_t sent
        if self.answered:
            sent = serve_send(file, self.answers, self.answered)
            self.answered -= sent
            memmove(self.answers, self.answers + sent, self.answered)
        return self.answered == 0

    cdef Outcome take(self, const uint8_t* p, Py_ssize_t n, Py_ssize_t* used) noexcept nogil:
        # Serve the message in the n bytes at p if it is plain and whole; used[0] are its bytes.
        cdef net_piece[MOST_PIECES] pieces
        cdef Py_ssize_t at = 0, left = 0, length, total = 0
        cdef int count = 1, number = 0
        cdef const uint8_t* first = NULL
        cdef Py_ssize_t first_size = 0
        cdef Asked asked
        while True:
            if left == 0:
                if at < n and p[at] != DATA:
                    return LEFT
                if n - at < HEADER:
                    return SHORT
                left = load_be32(p + at + 2)
                at += HEADER
                if left > self.longest or left < HEADER:
                    return LEFT
            if left < HEADER:
                return LEFT
            if n - at < HEADER:
                return SHORT
            length = load_be32(p + at)
            if length < LEAST or length > left - 4:
                return LEFT
            length -= LEAST
            at, left = at + HEADER, left - HEADER
            if number == 0:
                if p[at - 1] != COMMAND | LAST or not p[at - 2] & 1 or length > self.command_bytes:
                    return LEFT
                if n - at < length:
                    return SHORT
                number = p[at - 2]
                if not read_command(p + at, length, &asked) or not self.is_plain(number, &asked):
                    return LEFT
                if not asked.has_data:
                    if left != length:
                        return LEFT
                    used[0] = at + length
                    return self.done(number, &asked, self.fault(&asked))
            else:
                if p[at - 2] != number or p[at - 1] & COMMAND or length == 0 or count == MOST_PIECES - 1:
                    return LEFT
                total += length
                if total > self.file_bytes:
                    return LEFT
                if n - at < length:
                    return SHORT
                if first == NULL:
                    first, first_size = p + at, length
                piece_set(&pieces[count], p + at, length)
                count += 1
                if p[at - 1] & LAST:
                    if left != length:
                        return LEFT
                    used[0] = at + length
                    return self.keep(number, &asked, pieces, count, total, first, first_size)
            at, left = at + length, left - length

    cdef bint is_plain(self, int number, const Asked* asked) noexcept nogil:
        cdef const Context* context = &self.contexts[number >> 1]
        if not context.is_there or self.fragment < ANSWER:
            return False
        if asked.kind == C_ECHO:
            return not asked.has_data
        return (asked.kind == C_STORE and asked.has_data and context.encoding >= 0 and is_name(&asked.sop_instance)
                and is_same(&asked.sop_class, &context.abstract))

    cdef Outcome done(self, int number, const Asked* asked, uint32_t status) noexcept nogil:
        # Answer a request, after those that wait.
        cdef Waiting* one
        if self.line.first == self.line.end:
            self.answered += answer(asked, number, status, NULL, 0, self.answers + self.answered)
        else:
            one = self.queue(number, asked)
            one.status, one.is_done = status, True
        self.served += 1
        return SERVED

    cdef Waiting* queue(self, int number, const Asked* asked) noexcept nogil:
        return join(&self.line, number, asked.kind, asked.identifier, &asked.sop_class, &asked.sop_instance)

    cdef Outcome keep(self, int number, const Asked* asked, net_piece* pieces, int count, Py_ssize_t total,
                      const uint8_t* first, Py_ssize_t first_size) noexcept nogil:
        # Keep a data set as a file in its place; pieces[0] is free for what stands in front of it.
        cdef const Context* context = &self.contexts[number >> 1]
        cdef uint8_t[META] meta
        cdef Identity* found = &self.found
        cdef Py_ssize_t size
        found.sop_class.size = found.sop_instance.size = found.study.size = found.series.size = 0
        if not identify(first, first_size, total, context.encoding, SERIES, found):
            return LEFT
        if not is_same(&found.sop_class, &asked.sop_class) or not is_same(&found.sop_instance, &asked.sop_instance):
            return LEFT
        if self.is_handing:
            return self.keep_for_another(number, asked, pieces, count, total)
        if not is_name(&found.study) or not is_name(&found.series):
            return LEFT
        if not is_same(&found.study, &self.study) or not is_same(&found.series, &self.series):
            return UNPLACED
        if not self.has_room():
            return LEFT
        memcpy(self.path + self.path_size, asked.sop_instance.at, asked.sop_instance.size)
        memcpy(self.path + self.path_size + asked.sop_instance.size, SUFFIX, SUFFIX_SIZE)
        size = self.begin(context, &asked.sop_instance, meta)
        piece_set(&pieces[0], meta, size)
        if keep_file(self.folder, self.path, pieces, count, size + total, self.durable):
            return LEFT
        self.unchecked += total
        self.kept += total
        return self.done(number, asked, 0)

    cdef uint32_t fault(self, const Asked* asked) noexcept nogil:
        return DUPLICATE_INVOCATION if waits_in(&self.line, asked.identifier) else 0

    cdef Outcome keep_for_another(self, int number, const Asked* asked, net_piece* pieces, int count,
                                  Py_ssize_t total) noexcept nogil:
        # Keep a data set as a file that is to be handed over.
        cdef uint8_t[META] meta
        cdef char* name = self.path + self.path_size
        cdef Py_ssize_t size
        if self.fault(asked):
            return self.done(number, asked, DUPLICATE_INVOCATION)
        if not self.has_room():
            return LEFT
        name += put_number(name, self.line.end)
        memcpy(name, PART, PART_SIZE)
        size = self.begin(&self.contexts[number >> 1], &asked.sop_instance, meta)
        piece_set(&pieces[0], meta, size)
        if keep_part(self.path, pieces, count, size + total):
            return LEFT
        self.unchecked += total
        self.kept += total
        self.served += 1
        self.queue(number, asked).has_file = True
        return SERVED

    cdef bint has_room(self) noexcept nogil:
        # Whether the disk has room; looked at every now and then, and after so many bytes.
        cdef int64_t now = serve_clock()
        if self.checked < 0 or now - self.checked > CHECK_EACH or self.unchecked > <int64_t>(self.free_bytes >> 2):
            if not serve_has_room(self.folder, self.free_bytes):
                return False
            self.checked, self.unchecked = now, 0
        return True

    cdef Py_ssize_t begin(self, const Context* context, const Value* uid, uint8_t* meta) noexcept nogil:
        # Preamble, prefix and file meta information (PS3.10 7.1); their bytes.
        cdef uint8_t* p = meta
        cdef Py_ssize_t size = ELEMENT + uid.size + (uid.size & 1)
        memcpy(p, self.start.at, self.start.size)
        p += self.start.size
        store_le32(p, <uint32_t>(context.before.size + size + context.behind.size))
        memcpy(p + 4, context.before.at, context.before.size)
        p += 4 + context.before.size
        p[0], p[1], p[2], p[3], p[4], p[5] = 2, 0, 3, 0, 85, 73     # (0002,0003) UI
        p[6], p[7] = (size - ELEMENT) & 0xFF, 0
        memcpy(p + ELEMENT, uid.at, uid.size)
        if uid.size & 1:
            p[size - 1] = 0
        p += size
        memcpy(p, context.behind.at, context.behind.size)
        return p + context.behind.size - meta
