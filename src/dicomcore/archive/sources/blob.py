"""The bytes of one file that were read so far, and a function that fetches the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dicomcore.errors import TruncatedError

__all__ = ["Blob"]

SKIP = 32 * 1024  # a read that begins further than this behind a piece starts a new one, as in the bulk loop
LARGE = 1 << 20  # the longest piece, unless a requested value is longer


class Blob:
    """A file that `dcmread` reads as a source, and the bulk loop as `pieces`: (offset, bytes) in ascending order.

    ``fetch(offset, length)`` returns bytes that no piece contains. `mtime` is in ns, None if unknown.
    """

    def __init__(
        self,
        name: str,
        size: int,
        mtime: int | None,
        fetch: Callable[[int, int], bytes],
        head: bytes,
    ) -> None:
        self.name = name
        self.size = size
        self.mtime = mtime
        self.pieces: list[tuple[int, bytes]] = [(0, head)]
        self._fetch = fetch
        self._lock = threading.Lock()  # many threads read frames, but a member has only one inflater

    def __repr__(self) -> str:
        return repr(str(self.name))

    def extend(self, offset: int) -> None:
        """Fetch more of the header: the bytes from `offset`, or those behind the last piece if `offset` is near it."""
        begin, piece = self.pieces[-1]
        end = begin + len(piece)
        if offset > end + SKIP:
            self.pieces.append((offset, self._get(offset, min(SKIP, self.size - offset))))
        else:
            more = min(max(3 * len(piece), offset - end + SKIP // 2), LARGE, self.size - end)
            self.pieces[-1] = begin, piece + self._get(end, more)

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly these bytes of the file. Missing bytes are fetched, and kept if they follow the last piece."""
        with self._lock:
            return self._read_at(offset, length)

    def _read_at(self, offset: int, length: int) -> bytes:
        for begin, piece in self.pieces:
            if begin <= offset and offset + length <= begin + len(piece):
                return piece[offset - begin : offset - begin + length]
        begin, piece = self.pieces[-1]
        end = begin + len(piece)
        if not begin <= offset <= end or length > LARGE or len(piece) > LARGE:
            return self._get(offset, length)
        self.pieces[-1] = begin, piece + self._get(end, offset + length - end)
        return self.pieces[-1][1][offset - begin : offset - begin + length]

    def _get(self, offset: int, length: int) -> bytes:
        if length < 1:
            raise TruncatedError(f"nothing is left at byte {offset}", offset=offset)
        data = self._fetch(offset, length)
        if len(data) != length:
            raise TruncatedError(f"ends at byte {offset + len(data)}, not at {self.size}", offset=offset + len(data))
        return data
