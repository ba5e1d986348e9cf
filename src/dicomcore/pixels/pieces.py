"""Where the frames of encapsulated pixel data are: offset tables and fragments (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.pixels.note import Note
from dicomcore.pixels.store import Store

__all__ = ["Fragment", "Pieces", "Spans"]

ITEM = b"\xfe\xff\x00\xe0"
SEQUENCE_DELIMITER = b"\xfe\xff\xdd\xe0"
UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM_HEADER = 8
END_MARKERS = (b"\xff\xd9",)
"""EOI and EOC: how JPEG, JPEG-LS and JPEG 2000 codestreams end."""


class Fragment(NamedTuple):
    """Where one fragment's bytes are in the pixel data's value."""

    offset: int
    length: int


class Spans(NamedTuple):
    """Where frames of one fragment stand in the pixel data's value, (frames, 2): an item's first byte and its end."""

    places: NDArray[np.uint64]
    exact: bool
    """The item ends there; else there or later. Nobody looked: what stands there may be no item, and no frame."""


GAPS = 4096
"""Bytes between frames that may be read along with them: item headers and padding, hardly more."""


class Pieces:
    """Finds each frame's fragments; reads item headers, and no pixel bytes but ends of fragments where it must guess.

    With an offset table that makes sense only the items of the frame asked for are looked at. Without one, or once an
    entry turns out to be wrong, all items are.
    """

    def __init__(
        self,
        store: Store,
        frames: int,
        limits: Limits,
        extended: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None = None,
    ) -> None:
        """`frames` is Number of Frames; `extended` the Extended Offset Table and its lengths."""
        self.store = store
        self.limits = limits
        self.notes: list[Note] = []
        self._stated = frames
        self._scanned: list[tuple[Fragment, ...]] | None = None
        self._every: Spans | None = None
        self._first, basic = self._basic_table()
        self._starts, self._lengths = self._table(basic, extended)

    def __len__(self) -> int:
        if self._starts is not None:
            return len(self._starts)
        return len(self._frames())

    def fragments(self, index: int) -> tuple[Fragment, ...]:
        """The fragments of frame `index`; raises PixelDecodeError where there is no such frame."""
        if self._starts is not None and index < len(self._starts):
            found = self._by_table(index)
            if found is not None:
                return found
            self._distrust(f"entry {index} does not lead to an item")
        frames = self._frames()
        if index >= len(frames):
            raise PixelDecodeError(f"frame {index} is not there: the fragments make {len(frames)}", frame=index)
        return frames[index]

    def missing(self, index: int) -> int:
        """Bytes that the items of frame `index` claim behind the end of the source."""
        offset = self.fragments(index)[-1].offset
        claimed = int.from_bytes(self.store.read(offset - 4, 4), "little")
        return max(offset + claimed - self.store.size, 0)

    def codestream(self, index: int) -> memoryview:
        """The bytes of frame `index`, its fragments joined."""
        return self.joined(self.fragments(index))

    def joined(self, fragments: tuple[Fragment, ...]) -> memoryview:
        """The bytes of these fragments together; unlike all else here to be called on any thread."""
        if len(fragments) == 1:
            return self.store.read(*fragments[0])
        return memoryview(b"".join(self.store.read(*fragment) for fragment in fragments))

    def joined_each(self, frames: list[tuple[Fragment, ...]]) -> list[memoryview]:
        """What `joined` gives for each of these frames; those that stand close together are read at once."""
        first = min(fragments[0].offset for fragments in frames)
        stop = max(fragment.offset + fragment.length for fragments in frames for fragment in fragments)
        wanted = sum(fragment.length for fragments in frames for fragment in fragments)
        if len(frames) == 1 or stop - first > wanted + GAPS or any(len(fragments) > 1 for fragments in frames):
            return [self.joined(fragments) for fragments in frames]
        held = self.store.read(first, stop - first)
        return [held[offset - first : offset - first + length] for ((offset, length),) in frames]

    def spans(self, indices: Sequence[int]) -> Spans | None:
        """Where frames stand, as an offset table has it unread; None where there is no such frame."""
        if self._every is None:
            scanned = self._starts is None
            self._every = Spans(self._scanned_spans() if scanned else self._table_spans(), exact=self._lengths is None)
        places, exact = self._every
        if max(indices) >= len(places):
            return None
        if len(indices) == 1:
            return Spans(places[indices[0] : indices[0] + 1], exact)
        return Spans(places[np.array(indices, np.intp)], exact)

    def _scanned_spans(self) -> NDArray[np.uint64]:
        """A frame of several fragments has no place."""
        items = [frame[0] if len(frame) == 1 else Fragment(ITEM_HEADER, -ITEM_HEADER) for frame in self._frames()]
        return np.array([(offset - ITEM_HEADER, offset + length) for offset, length in items], np.uint64)

    def _table_spans(self) -> NDArray[np.uint64]:
        assert self._starts is not None
        size, last = np.uint64(self.store.size), len(self._starts) - 1
        places = np.empty((last + 1, 2), np.uint64)
        places[:, 0] = self._starts + self._first
        if self._lengths is not None:
            places[:, 1] = np.minimum(places[:, 0] + ITEM_HEADER + np.minimum(self._lengths, size), size)
            return places
        places[:-1, 1] = places[1:, 0]
        found = self._by_table(last)  # whose end no other entry tells
        places[-1] = (0, 0) if found is None or len(found) > 1 else (places[-1, 0], sum(found[0]))
        return places

    # -- offset tables

    def _basic_table(self) -> tuple[int, NDArray[np.uint64]]:
        """Where the first fragment's item begins, and the offsets in the item before it."""
        head = bytes(self.store.upto(0, 8))
        if len(head) < 8 or head[:4] != ITEM:
            raise PixelDecodeError("encapsulated pixel data does not begin with an item", offset=0)
        length = int.from_bytes(head[4:], "little")
        if length > self.store.size - 8:
            raise PixelDecodeError(f"Basic Offset Table claims {length} bytes", offset=4)
        if length > 4 * self.limits.frames:
            raise PixelDecodeError(f"Basic Offset Table of {length} bytes crosses the limit of frames", offset=4)
        table = np.frombuffer(self.store.read(8, length // 4 * 4), "<u4").astype(np.uint64)
        return 8 + length, table

    def _table(
        self, basic: NDArray[np.uint64], extended: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None
    ) -> tuple[NDArray[np.uint64] | None, NDArray[np.uint64] | None]:
        """The offsets to go by, and the lengths that an Extended Offset Table adds."""
        if extended is not None and len(extended[0]):
            if len(extended[0]) == len(extended[1]) and self._plausible(extended[0]):
                return extended
            self.notes.append(Note("offset-table", "Extended Offset Table makes no sense and is passed over"))
        if not len(basic):
            return None, None
        if len(basic) < self._stated or not self._plausible(basic):
            self.notes.append(Note("offset-table", "Basic Offset Table makes no sense and is passed over"))
            return None, None
        return basic, None

    def _plausible(self, offsets: NDArray[np.uint64]) -> bool:
        room = self.store.size - self._first
        rising = len(offsets) < 2 or bool((offsets[1:] > offsets[:-1]).all())
        return offsets[0] == 0 and rising and int(offsets[-1]) < room

    def _by_table(self, index: int) -> tuple[Fragment, ...] | None:
        assert self._starts is not None
        at = self._first + int(self._starts[index])
        if self._lengths is not None:
            fragment = self._item(at)
            if fragment is None or int(self._lengths[index]) > fragment.length:
                return None
            return (Fragment(fragment.offset, int(self._lengths[index])),)
        stop = self._first + int(self._starts[index + 1]) if index + 1 < len(self._starts) else self.store.size
        last = index + 1 == len(self._starts)
        found = []
        while at < stop:
            fragment = self._item(at)
            if fragment is None:
                break
            found.append(fragment)
            at = fragment.offset + fragment.length
        return tuple(found) if found and (last or at == stop) else None

    def _item(self, at: int) -> Fragment | None:
        """The fragment whose item begins at `at`; cut where the source ends."""
        head = bytes(self.store.upto(at, 8))
        if len(head) < 8 or head[:4] != ITEM:
            return None
        length = int.from_bytes(head[4:], "little")
        if length == UNDEFINED_LENGTH:
            return None
        return Fragment(at + 8, min(length, self.store.size - at - 8))

    def _distrust(self, why: str) -> None:
        self._starts = self._lengths = self._every = None
        self.notes.append(Note("offset-table", f"the offset table is passed over: {why}"))

    # -- without a table

    def _frames(self) -> list[tuple[Fragment, ...]]:
        if self._scanned is None:
            self._scanned = self._grouped(self._scan())
        return self._scanned

    def _scan(self) -> list[Fragment]:
        found: list[Fragment] = []
        at, size = self._first, self.store.size
        with self.store.peeking() as peek:
            while at + 8 <= size:
                head = peek(at, 8)
                length = int.from_bytes(head[4:], "little")
                if head[:4] != ITEM or len(head) < 8 or length == UNDEFINED_LENGTH:
                    if head[:4] != SEQUENCE_DELIMITER:
                        self.notes.append(
                            Note("fragments", f"no item at byte {at} of the pixel data, which ends there")
                        )
                    break
                fragment = Fragment(at + 8, min(length, size - at - 8))
                at = fragment.offset + fragment.length
                found.append(fragment)
                if len(found) > self.limits.elements:
                    raise PixelDecodeError(f"more fragments than the limit of {self.limits.elements}", offset=at)
        if not found:
            raise PixelDecodeError("encapsulated pixel data without a fragment", offset=self._first)
        return found

    def _grouped(self, fragments: list[Fragment]) -> list[tuple[Fragment, ...]]:
        """Fragments by frame: as many as frames, one frame, or by the ends of codestreams."""
        if len(fragments) == self._stated:
            return [(fragment,) for fragment in fragments]
        if self._stated == 1 and not self._several(fragments):
            return [tuple(fragments)]
        if len(fragments) < self._stated:
            self.notes.append(Note("frames", f"{len(fragments)} fragments for {self._stated} frames"))
            return [(fragment,) for fragment in fragments]
        groups: list[tuple[Fragment, ...]] = []
        begin = 0
        for i, fragment in enumerate(fragments):
            if self._ends(fragment):
                groups.append(tuple(fragments[begin : i + 1]))
                begin = i + 1
        if len(groups) < self._stated:
            raise PixelDecodeError(
                f"{len(fragments)} fragments are {self._stated} frames, and neither an offset table nor the ends of "
                "codestreams tell which"
            )
        if begin < len(fragments):
            self.notes.append(Note("fragments", f"{len(fragments) - begin} fragments belong to no frame"))
        return groups

    def _several(self, fragments: list[Fragment]) -> bool:
        """Whether what is called one frame is several: every fragment a codestream with its end."""
        return len(fragments) > 1 and all(self._ends(fragment) and self._begins(fragment) for fragment in fragments)

    def _begins(self, fragment: Fragment) -> bool:
        return bytes(self.store.upto(fragment.offset, min(2, fragment.length))) in (b"\xff\xd8", b"\xff\x4f")

    def _ends(self, fragment: Fragment) -> bool:
        """Whether a codestream ends here; up to 10 bytes may follow it, as padding."""
        length = min(10, fragment.length)
        tail = bytes(self.store.read(fragment.offset + fragment.length - length, length))
        return any(marker in tail for marker in END_MARKERS)
