"""Members of tar files: those of a plain one are read where they stand, of a compressed one the headers come along.

A compressed tar is one stream, so all of it is inflated, once and in order; only what headers need is kept.
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
LONGEST = 4 << 20  # header that a compressed tar's member may have: as much as the bulk loop takes
STEP = 1 << 20
MOST_AT_ONCE = 64 << 20  # that tarfile may ask for: what a member's name or attributes take
KEPT = 16 << 20  # inflated bytes before their ratio is heeded, as encoding/inflate.py has it


class TarMember(Place):
    """One member of a plain tar, at `offset` of it; its mtime is the archive's."""

    __slots__ = ("file", "offset")
    file: Bytes
    offset: int

    def open(self) -> Blob:
        """The beginning of the member."""
        size = self.size or 0
        fetch = partial(_within, self.file, self.offset)
        head = fetch(0, min(HEAD, size))
        if len(head) < min(HEAD, size):
            raise TruncatedError(f"the archive ends at byte {len(head)} of the member", offset=len(head))
        return Blob(self, size, None if self.mtime is None else self.mtime * 1000, fetch, head)


class HeldMember(Place):
    """One member of a compressed tar: the `head` of it that was kept when the stream passed by."""

    __slots__ = ("head",)
    head: bytes

    @property
    def held(self) -> int:
        """Bytes kept."""
        return len(self.head)

    def open(self) -> Blob:
        """What was kept; nothing more can be fetched."""
        return Blob(self, self.size or 0, None if self.mtime is None else self.mtime * 1000, self._gone, self.head)

    def _gone(self, offset: int, length: int) -> bytes:
        raise LimitError(f"the header goes on behind the {len(self.head)} bytes kept of it", offset=len(self.head))


def _within(file: Bytes, start: int, offset: int, length: int) -> bytes:
    return file.read_at(start + offset, length)


def tar_members(file: Bytes, path: str, stop_tag: int) -> Iterator[Place]:
    """The members, in their order: folders left out, links and devices as a Fault each, for nothing is followed.

    Of a compressed tar, what a header up to `stop_tag` needs is kept of each. Raises what tarfile and the
    decompressors do for what is no such file, or breaks off.
    """
    source = _Source(file)
    opened = _OPENERS.get(_kind(file.read_at(0, 6)))
    stream = source if opened is None else _Inflated(opened(source), source)
    with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]
        while (one := archive.next()) is not None:
            archive.members = []  # it would keep them all
            if one.isdir():
                continue
            name = path + INSIDE + one.name
            if not one.isreg() or one.issparse():
                yield Fault(name, NOT_REGULAR)
            elif opened is None:
                member = TarMember(name, one.size, file.mtime)
                member.file, member.offset = file, one.offset_data
                yield member
            else:
                held = HeldMember(name, one.size, file.mtime)
                held.head = _header(stream, one.size, stop_tag)
                yield held


def _header(stream: Any, size: int, stop_tag: int) -> bytes:
    """What stands at the stream's position, as far as a file of `size` bytes needs it for its header."""
    head: bytes = stream.read(min(HEAD, size))
    while len(head) < min(size, LONGEST):
        rows = Extractor([], stop_tag, [None])
        rows.give("", size, None, [(0, head)])
        if rows.run() or rows.missing is None:  # whole, or for dcmread(), which asks for no more
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
    """A tar file, bounded in what is read of it at once."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            size = STEP
        if size > MOST_AT_ONCE:
            raise LimitError(f"a member's attributes take {size} bytes", offset=self.tell())
        return super().read(size)


class _Inflated:
    """An inflated stream, forwards alone; bounded in what is asked of it at once and in how far it swells."""

    def __init__(self, stream: Any, source: _Source) -> None:
        self._stream, self._source, self._at = stream, source, 0

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset < self._at:
            raise tarfile.ReadError("a compressed tar goes forwards alone")
        while self._at < offset and self.read(min(STEP, offset - self._at)):
            pass
        return self._at

    def read(self, size: int) -> bytes:
        if size > MOST_AT_ONCE:
            raise LimitError(f"a member's attributes take {size} bytes", offset=self._at)
        parts = []
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
        return b"".join(parts)
