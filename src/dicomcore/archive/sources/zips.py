"""Members of zip files: listed from the central directory, of each no more inflated than its header needs."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial

from dicomcore.archive.sources.blob import Blob
from dicomcore.archive.sources.place import INSIDE, Bytes, BytesStream, Place
from dicomcore.errors import LimitError, ParseError

__all__ = ["ZipMember", "zip_members"]

HEAD = 4 * 1024  # inflated at first: most headers fit, and every byte costs
STORED_HEAD = 16 * 1024  # where bytes come for nothing
MOST = 64 << 20  # inflated for the sake of one header; no real one comes near
LOCAL = struct.Struct("<4s22xHH")  # APPNOTE.TXT 4.3.7: signature, lengths of name and extra field
ENCRYPTED = 1  # bit of the general purpose flags
STORED, DEFLATED = 0, 8
GROWTH = 1032  # deflate makes no more bytes of one


class ZipMember(Place):
    """One member: its etag is its CRC-32, its mtime the archive's."""

    __slots__ = ("compressed", "file", "flags", "method", "offset")
    file: Bytes
    offset: int
    compressed: int
    method: int
    flags: int

    def open(self) -> Blob:
        """The beginning of the member, inflated."""
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
                raise ParseError(f"stored in {self.compressed} bytes, said to have {size}", offset=self.offset)
            fetch = partial(_stored, self.file, self.offset + at)
            length = min(size, STORED_HEAD)
        else:
            if size > GROWTH * (self.compressed + 1):
                raise ParseError(f"{self.compressed} deflated bytes can't hold {size}", offset=self.offset)
            begun = start[at : at + self.compressed]
            fetch = Inflater(self.file, self.offset + at, self.compressed, size, int(self.etag or "0", 16), begun)
            length = min(size, HEAD)
        head = fetch(0, length)
        if len(head) != length:
            raise ParseError(f"the member ends at byte {len(head)}, not {size} as the archive says", offset=len(head))
        return Blob(self, size, mtime, fetch, head)


def _stored(file: Bytes, start: int, offset: int, length: int) -> bytes:
    return file.read_at(start + offset, length)


class Inflater:
    """Inflated bytes by position: forwards goes on, backwards begins again."""

    def __init__(self, file: Bytes, start: int, compressed: int, size: int, crc: int, begun: bytes) -> None:
        self._file, self._start, self._compressed = file, start, compressed
        self._size, self._crc = size, crc
        self._begin(begun)

    def _begin(self, begun: bytes) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._pending, self._taken = begun, len(begun)  # deflated bytes at hand, and those read so far
        self._done, self._sum = 0, 0

    def __call__(self, offset: int, length: int) -> bytes:
        """Inflated bytes; fewer where the stream ends. LimitError past what a header may take."""
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
        """Up to so many bytes more; none at the end."""
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
            raise ParseError(f"the member goes on behind the {self._size} bytes the archive says", offset=self._size)
        if self._sum != self._crc:
            raise ParseError(f"the member's CRC-32 is {self._sum:08x}, not {self._crc:08x}", offset=0)


def zip_members(file: Bytes, path: str) -> Iterator[Place]:
    """The members that are files, in the order of the directory. Raises what zipfile does for what is no zip file."""
    with zipfile.ZipFile(BytesStream(file)) as archive:  # type: ignore[arg-type]
        members = archive.infolist()
    members.reverse()
    while members:  # let go of one by one
        one = members.pop()
        if one.is_dir():
            continue
        member = ZipMember(path + INSIDE + _name(one), one.file_size, file.mtime, f"{one.CRC:08x}")
        member.file, member.offset = file, one.header_offset
        member.compressed, member.method, member.flags = one.compress_size, one.compress_type, one.flag_bits
        yield member


def _name(one: zipfile.ZipInfo) -> str:
    """The name; UTF-8 also where its writer forgot to say so, as zip on Unix does."""
    if one.filename.isascii() or one.flag_bits & 0x800:
        return one.filename
    try:
        return one.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return one.filename
