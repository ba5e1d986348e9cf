"""One file's bytes as far as they were read, and the way to the others."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dicomcore.errors import TruncatedError

__all__ = ["Blob"]

SKIP = 32 * 1024  # what a header leaves out further than this behind a piece begins another, as in the bulk loop
LARGE = 1 << 20  # pieces are no longer than this but for values that are asked for


class Blob:
    """What `dcmread` reads like a file, and the bulk loop piece by piece: ascending (offset, bytes).

    ``fetch(offset, length)`` gives bytes that are not at hand. `mtime` is in ns, None where there is none.
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
        self._lock = threading.Lock()  # frames are read on many threads, and a member's inflater is one

    def __repr__(self) -> str:
        return repr(str(self.name))

    def extend(self, offset: int) -> None:
        """Fetch more of the header: what follows `offset`, or the last piece where that is near it."""
        begin, piece = self.pieces[-1]
        end = begin + len(piece)
        if offset > end + SKIP:
            self.pieces.append((offset, self._get(offset, min(SKIP, self.size - offset))))
        else:
            more = min(max(3 * len(piece), offset - end + SKIP // 2), LARGE, self.size - end)
            self.pieces[-1] = begin, piece + self._get(end, more)

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly these bytes of the file; what is not at hand is fetched, and kept where it follows what is."""
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
        found = self._fetch(offset, length)
        if len(found) != length:
            raise TruncatedError(f"ends at byte {offset + len(found)}, not at {self.size}", offset=offset + len(found))
        return found
