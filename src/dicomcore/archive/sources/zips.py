"""Members of zip files: listed from the central directory, and inflated no further than their headers need."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial

from dicomcore.archive.sources.blob import Blob
from dicomcore.archive.sources.place import INSIDE, NOT_REGULAR, Bytes, BytesStream, Fault, Place
from dicomcore.errors import LimitError, ParseError

__all__ = ["ZipMember", "zip_members"]

HEAD = 4 * 1024  # bytes inflated at first: most headers fit, and every byte costs time
STORED_HEAD = 16 * 1024  # bytes read at first of a stored member, where more bytes cost nothing
MOST = 64 << 20  # bytes inflated for one header at most; no real header comes near
LOCAL = struct.Struct("<4s22xHH")  # APPNOTE.TXT 4.3.7: signature, lengths of name and extra field
ENCRYPTED = 1  # bit of the general purpose flags
STORED, DEFLATED = 0, 8
UNIX = 3  # the system of a member whose attributes have its mode in their upper half (APPNOTE.TXT 4.4.2.2)
REGULAR = (0, stat.S_IFREG)  # some programs write a mode without the kind of file
GROWTH = 1032  # bytes that deflate makes of one byte at most


class ZipMember(Place):
    """One member of a zip file: its etag is its CRC-32, its mtime the archive's."""

    __slots__ = ("compressed", "file", "flags", "method", "offset")
    file: Bytes
    offset: int
    compressed: int
    method: int
    flags: int

    def open(self) -> Blob:
        """Read the member's head, inflated."""
        if self.flags & ENCRYPTED:
            raise OSError("The member is encrypted: dicomcore reads no encrypted archives")
        if self.method not in (STORED, DEFLATED):
            raise OSError(f"The member is compressed by method {self.method}: stored and deflated ones are read")
        size, mtime = self.size or 0, None if self.mtime is None else self.mtime * 1000
        start = self.file.read_at(self.offset, LOCAL.size + 2 * len(self) + 64 + STORED_HEAD // 2)
        if len(start) < LOCAL.size or start[:4] != b"PK\3\4":
            raise ParseError("no member stands where the archive's directory says", offset=self.offset)
        _, name, extra = LOCAL.unpack_from(start)
        at = LOCAL.size + name + extra
        fetch: Callable[[int, int], bytes]
        if self.method == STORED:
            if size != self.compressed:
                raise ParseError(f"stored in {self.compressed} bytes, but its size is {size}", offset=self.offset)
            fetch = partial(_stored, self.file, self.offset + at)
            length = min(size, STORED_HEAD)
        else:
            if size > GROWTH * (self.compressed + 1):
                raise ParseError(f"{self.compressed} deflated bytes can't hold {size}", offset=self.offset)
            deflated = start[at : at + self.compressed]
            fetch = Inflater(self.file, self.offset + at, self.compressed, size, int(self.etag or "0", 16), deflated)
            length = min(size, HEAD)
        head = fetch(0, length)
        if len(head) != length:
            raise ParseError(f"the member ends at byte {len(head)}, not {size} as the archive says", offset=len(head))
        return Blob(self, size, mtime, fetch, head)


def _stored(file: Bytes, start: int, offset: int, length: int) -> bytes:
    return file.read_at(start + offset, length)


class Inflater:
    """Inflated bytes by position; a read that goes back starts again from the beginning.

    `deflated` are the first deflated bytes, which begin at byte `start` of the file; there are `compressed` of them.
    """

    def __init__(self, file: Bytes, start: int, compressed: int, size: int, crc: int, deflated: bytes) -> None:
        self._file, self._start, self._compressed = file, start, compressed
        self._size, self._crc = size, crc
        self._begin(deflated)

    def _begin(self, deflated: bytes) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._pending, self._taken = deflated, len(deflated)  # deflated bytes in memory, and the number read so far
        self._done, self._sum = 0, 0

    def __call__(self, offset: int, length: int) -> bytes:
        """Inflated bytes; fewer if the stream ends. LimitError for bytes beyond MOST, the limit of a header."""
        if offset + length > MOST:
            raise LimitError(f"a header that inflates to more than {MOST} bytes", offset=MOST)
        if offset < self._done:
            self._begin(b"")
        while self._done < offset and self._inflate(offset - self._done):
            pass
        parts = []
        while length and (part := self._inflate(length)):
            length -= len(part)
            parts.append(part)
        if self._done == self._size:
            self._check_end()
        return b"".join(parts)

    def _inflate(self, length: int) -> bytes:
        """Up to `length` more inflated bytes; none at the end."""
        while not self._inflater.eof:
            if not self._pending:
                self._pending = self._more()
            part = self._inflater.decompress(self._pending, length)
            self._pending = self._inflater.unconsumed_tail
            self._done += len(part)
            self._sum = zlib.crc32(part, self._sum)
            if part or (self._taken == self._compressed and not self._pending):
                return part
        return b""

    def _more(self) -> bytes:
        want = min(STORED_HEAD, self._compressed - self._taken)
        more = self._file.read_at(self._start + self._taken, want) if want else b""
        self._taken += len(more) if more else want
        return more

    def _check_end(self) -> None:
        if self._inflate(1):
            raise ParseError(f"the member is longer than the {self._size} bytes the archive says", offset=self._size)
        if self._sum != self._crc:
            raise ParseError(f"the member's CRC-32 is {self._sum:08x}, not {self._crc:08x}", offset=0)


def zip_members(file: Bytes, path: str) -> Iterator[Place]:
    """The members that are files, in the order of the directory; links are Faults, as they are not followed.

    Raises zipfile's exceptions if the file is no zip file.
    """
    with zipfile.ZipFile(BytesStream(file)) as archive:  # type: ignore[arg-type]
        members = archive.infolist()
    members.reverse()
    while members:  # released one by one
        info = members.pop()
        if info.filename and info.is_dir():
            continue
        name = path + INSIDE + _name(info)
        if info.create_system == UNIX and stat.S_IFMT(info.external_attr >> 16) not in REGULAR:
            yield Fault(name, NOT_REGULAR)
            continue
        member = ZipMember(name, info.file_size, file.mtime, f"{info.CRC:08x}")
        member.file, member.offset = file, info.header_offset
        member.compressed, member.method, member.flags = info.compress_size, info.compress_type, info.flag_bits
        yield member


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name, in UTF-8 even if the flag for it is not set: zip on Unix does not set it."""
    if info.filename.isascii() or info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename
