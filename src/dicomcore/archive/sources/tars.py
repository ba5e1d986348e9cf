"""Members of tar files: in a plain tar they are read in place; of a compressed tar's members the headers are kept.

A compressed tar is one stream, so all of it is inflated, once and in order, and only the headers' bytes are kept.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from dicomcore._native.bulk.extract import Extractor
from dicomcore.archive.extra import needs_extra
from dicomcore.archive.sources.blob import Blob
from dicomcore.archive.sources.place import INSIDE, NOT_REGULAR, Bytes, BytesStream, Fault, Place
from dicomcore.errors import LimitError, TruncatedError
from dicomcore.limits import DEFAULT_LIMITS

__all__ = ["TarMember", "tar_members"]

HEAD = 16 * 1024
LONGEST = 4 << 20  # bytes of the longest header of a compressed tar's member, as in the bulk loop
STEP = 1 << 20
MOST_AT_ONCE = 64 << 20  # bytes of the largest read by tarfile, which takes a member's name or attributes at once
BLOCK = 512
PADDING = 1 << 20  # bytes of zeros behind a tar within which another one is looked for; tar pads to 10 KiB
LINK = "OSError: A link, which is not followed in an archive"
KEPT = 16 << 20  # inflated bytes before their ratio is checked, as in encoding/inflate.py


class TarMember(Place):
    """One member of a plain tar, which begins at byte `offset` of it; its mtime is the archive's."""

    __slots__ = ("file", "offset")
    file: Bytes
    offset: int

    def open(self) -> Blob:
        """Read the member's head."""
        size = self.size or 0
        fetch = partial(_within, self.file, self.offset)
        head = fetch(0, min(HEAD, size))
        if len(head) < min(HEAD, size):
            raise TruncatedError(f"the archive ends at byte {len(head)} of the member", offset=len(head))
        return Blob(self, size, None if self.mtime is None else self.mtime * 1000, fetch, head)


class CompressedMember(Place):
    """One member of a compressed tar: its `head`, kept while the stream was inflated."""

    __slots__ = ("head",)
    head: bytes

    @property
    def kept_bytes(self) -> int:
        """Bytes of the head."""
        return len(self.head)

    def open(self) -> Blob:
        """The member's head; no more bytes can be fetched."""
        return Blob(self, self.size or 0, None if self.mtime is None else self.mtime * 1000, self._gone, self.head)

    def _gone(self, offset: int, length: int) -> bytes:
        raise LimitError(f"the header is longer than the {len(self.head)} bytes kept of it", offset=len(self.head))


def _within(file: Bytes, start: int, offset: int, length: int) -> bytes:
    return file.read_at(start + offset, length)


def tar_members(file: Bytes, path: str, stop_tag: int) -> Iterator[Place]:
    """The members of a tar, in their order, without folders; links and devices are Faults, as links are not followed.

    Of each member of a compressed tar, the bytes of its header up to `stop_tag` are kept. Raises the exceptions of
    tarfile and the decompressors if the file is no tar, is damaged, or ends too early.
    """
    source = _Source(file)
    opener = _OPENERS.get(_kind(file.read_at(0, 6)))
    stream = source if opener is None else _Inflated(opener(source), source)
    for info in _infos(stream):
        if info.isdir():
            continue
        name = path + INSIDE + info.name
        if not info.isreg() or info.issparse():
            yield Fault(name, LINK if info.issym() or info.islnk() else NOT_REGULAR)
        elif opener is None:
            member = TarMember(name, info.size, file.mtime)
            member.file, member.offset = file, info.offset_data
            yield member
        else:
            compressed = CompressedMember(name, info.size, file.mtime)
            compressed.head = _header(stream, info.size, stop_tag)
            yield compressed


def _infos(stream: _Source | _Inflated) -> Iterator[tarfile.TarInfo]:
    """The members of a tar, and of the tars appended to it, as `tar -i` reads them.

    tarfile takes everything that is no header for the end. Members would be missing without a word, so what stands
    there is looked at: ReadError unless it is the end mark, which is zeros (POSIX.1-2017 pax, "ustar Interchange
    Format").
    """
    while True:
        with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]
            while (info := archive.next()) is not None:
                archive.members = []  # tarfile would keep them all
                yield info
            at = archive.offset
        if len(stream.last) < BLOCK:
            raise tarfile.ReadError(f"ends at byte {at + len(stream.last)} without an end mark: it may be cut short")
        if any(stream.last):
            raise tarfile.ReadError(f"a damaged header at byte {at}: members may be missing from there on")
        if not _at_another(stream):
            return


def _at_another(stream: _Source | _Inflated) -> bool:
    """Whether another tar follows the zeros at the end of one; the stream then stands at its first header."""
    for _ in range(PADDING // BLOCK):
        block = stream.read(BLOCK)
        if len(block) < BLOCK:
            return False
        if any(block):
            stream.unread(block)
            return _is_header(block)
    return False


def _is_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _header(stream: Any, size: int, stop_tag: int) -> bytes:
    """The header of the `size`-byte file that begins at the stream's position."""
    head: bytes = stream.read(min(HEAD, size))
    while len(head) < min(size, LONGEST):
        rows = Extractor([], stop_tag, [None])
        rows.give("", size, None, [(0, head)])
        if rows.run() or rows.missing is None:  # complete, or left to dcmread(), which gets no more bytes
            break
        wanted = max(3 * len(head), rows.missing - len(head) + HEAD)
        more = stream.read(min(wanted, LONGEST - len(head), size - len(head)))
        if not more:
            break
        head += more
    return head


def _kind(magic: bytes) -> str:
    for kind, begin in _MAGIC.items():
        if magic.startswith(begin):
            return kind
    return ""


_MAGIC = {"gz": b"\x1f\x8b", "bz2": b"BZh", "xz": b"\xfd7zXZ\0", "zst": b"\x28\xb5\x2f\xfd"}


def _open_gzip(source: Any) -> Any:
    return gzip.GzipFile(fileobj=source, mode="rb")


def _open_bzip2(source: Any) -> Any:
    import bz2  # not part of every Python

    return bz2.BZ2File(source)


def _open_xz(source: Any) -> Any:
    import lzma  # not part of every Python

    return lzma.LZMAFile(source)


def _open_zstd(source: Any) -> Any:
    with needs_extra("pyarrow"):
        import pyarrow as pa
    return pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd")


_OPENERS: dict[str, Callable[[Any], Any]] = {
    "gz": _open_gzip,
    "bz2": _open_bzip2,
    "xz": _open_xz,
    "zst": _open_zstd,
}


class _Source(BytesStream):
    """A tar file as a stream that limits the size of each read; `last` is what it read last."""

    last = b""

    def unread(self, data: bytes) -> None:
        """Go back to the beginning of what was read last."""
        self.seek(-len(data), 1)

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            size = STEP
        if size > MOST_AT_ONCE:
            raise LimitError(f"a member's attributes take {size} bytes", offset=self.tell())
        self.last = super().read(size)
        return self.last


class _Inflated:
    """An inflated stream that only goes forwards; it limits the size of each read and the ratio of inflated bytes."""

    def __init__(self, stream: Any, source: _Source) -> None:
        self._stream, self._source, self._at = stream, source, 0
        self._pushed = b""
        self.last = b""
        """What was read last."""

    def unread(self, data: bytes) -> None:
        """Go back to the beginning of what was read last."""
        self._pushed = data + self._pushed
        self._at -= len(data)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset < self._at:
            raise tarfile.ReadError("a compressed tar can only be read forwards")
        while self._at < offset and self.read(min(STEP, offset - self._at)):
            pass
        return self._at

    def read(self, size: int) -> bytes:
        if size > MOST_AT_ONCE:
            raise LimitError(f"a member's attributes take {size} bytes", offset=self._at)
        parts = [self._pushed[:size]]
        self._pushed = self._pushed[size:]
        size -= len(parts[0])
        self._at += len(parts[0])
        while size and (part := self._stream.read(min(size, STEP))):
            parts.append(part)
            size -= len(part)
            self._at += len(part)
            if self._at > KEPT and self._at > DEFAULT_LIMITS.inflated_ratio * self._source.tell():
                raise LimitError(
                    f"{self._source.tell()} compressed bytes inflate to more than {DEFAULT_LIMITS.inflated_ratio} "
                    "times as many",
                    offset=self._at,
                )
        self.last = b"".join(parts)
        return self.last
