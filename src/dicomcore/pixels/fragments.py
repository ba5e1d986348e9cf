"""Locate the frames of encapsulated pixel data by offset tables and fragments (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.notes import Note
from dicomcore.pixels.coding.headers import SIGNATURE_BYTES, format_by_signature
from dicomcore.pixels.grouping import Fragment, beginnings, group_fragments
from dicomcore.pixels.value_field import ValueField
from dicomcore.tags import ITEM_BYTES, SEQUENCE_DELIMITER_BYTES, UNDEFINED_LENGTH

__all__ = ["Fragment", "Fragments", "Spans"]

ITEM_HEADER = 8
ENTRIES = 16
"""Entries of an offset table that tell it from a codestream: the first is 0, and they rise."""


class Spans(NamedTuple):
    """Byte ranges of single-fragment frames in the pixel data's value, (frames, 2): the item's first byte and end."""

    places: NDArray[np.uint64]
    exact: bool
    """Whether each item ends exactly at its end; else there or later. Unverified: a range may contain no item."""


GAPS = 4096
"""Bytes between frames that may be read along with them: item headers and padding, and little else."""


class Fragments:
    """Finds each frame's fragments from item headers; in doubt it also reads the first and last bytes of fragments.

    With an offset table that has an entry for each frame, only the requested frame's items are read. Without such a
    table, or once an entry turns out to be wrong, all items are scanned.
    """

    def __init__(
        self,
        value: ValueField,
        frames: int,
        limits: Limits,
        extended: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None = None,
        *,
        whole: bool = False,
    ) -> None:
        """`frames` is Number of Frames; `extended` the Extended Offset Table and its lengths.

        `whole`: all fragments together are one stream, a video, whatever the offset tables say (PS3.5 8.2.5).
        """
        self.value = value
        self.limits = limits
        self.notes: list[Note] = []
        self._stated = 1 if whole else frames
        self._whole = whole
        self._cut = True
        self._listed: NDArray[np.uint64] | None = None
        self._scanned: list[tuple[Fragment, ...]] | None = None
        self._every: Spans | None = None
        self._first, basic = self._basic_table()
        self._starts, self._lengths = (None, None) if whole else self._table(basic, extended)

    def __len__(self) -> int:
        if self._starts is not None:
            return len(self._starts)
        return len(self._frames())

    def fragments(self, index: int) -> tuple[Fragment, ...]:
        """The fragments of frame `index`; raises PixelDecodeError where there is no such frame."""
        starts = self._starts
        if starts is not None and index < len(starts):
            fragments = self._by_table(starts, index)
            if fragments is not None:
                return fragments
            self._distrust(f"entry {index} does not lead to a frame")
        frames = self._frames()
        if index >= len(frames):
            raise PixelDecodeError(f"frame {index} is not there: the fragments make {len(frames)}", frame=index)
        return frames[index]

    def missing(self, index: int) -> int:
        """Bytes that the items of frame `index` claim beyond the end of the source."""
        offset = self.fragments(index)[-1].offset
        claimed = int.from_bytes(self.value.read(offset - 4, 4), "little")
        return max(offset + claimed - self.value.size, 0)

    def codestream(self, index: int) -> memoryview:
        """The bytes of frame `index`, its fragments joined."""
        return self.joined(self.fragments(index))

    def joined(self, fragments: tuple[Fragment, ...]) -> memoryview:
        """The joined bytes of these fragments; unlike other methods, safe to call on any thread."""
        if len(fragments) == 1:
            return self.value.read(*fragments[0])
        return memoryview(b"".join(self.value.read(*fragment) for fragment in fragments))

    def joined_each(self, frames: list[tuple[Fragment, ...]]) -> list[memoryview]:
        """The joined bytes of each of these frames; frames close together are read at once."""
        if len(frames) == 1:
            return [self.joined(frames[0])]
        first = min(fragments[0].offset for fragments in frames)
        stop = max(fragment.offset + fragment.length for fragments in frames for fragment in fragments)
        wanted = sum(fragment.length for fragments in frames for fragment in fragments)
        if stop - first > wanted + GAPS or any(len(fragments) > 1 for fragments in frames):
            return [self.joined(fragments) for fragments in frames]
        block = self.value.read(first, stop - first)
        return [block[offset - first : offset - first + length] for ((offset, length),) in frames]

    def head(self, index: int, size: int) -> memoryview:
        """The first bytes of frame `index`, at most `size`."""
        head = b""
        for offset, length in self.fragments(index):
            if length >= size and not head:
                return self.value.upto(offset, size)
            head += self.value.upto(offset, min(length, size - len(head)))
            if len(head) == size:
                break
        return memoryview(head)

    def spans(self, indices: Sequence[int]) -> Spans | None:
        """The byte ranges of frames, from the offset table without reading items; None where a frame doesn't exist."""
        if self._every is None:
            places = self._scanned_spans() if self._starts is None else self._table_spans(self._starts)
            self._every = Spans(places, exact=self._lengths is None)
        places, exact = self._every
        if max(indices) >= len(places):
            return None
        if len(indices) == 1:
            return Spans(places[indices[0] : indices[0] + 1], exact)
        return Spans(places[np.array(indices, np.intp)], exact)

    def _scanned_spans(self) -> NDArray[np.uint64]:
        """The ranges of all frames after a scan; a frame of several fragments gets an empty one, 0 to 0."""
        items = [frame[0] if len(frame) == 1 else Fragment(ITEM_HEADER, -ITEM_HEADER) for frame in self._frames()]
        return np.array([(offset - ITEM_HEADER, offset + length) for offset, length in items], np.uint64)

    def _table_spans(self, starts: NDArray[np.uint64]) -> NDArray[np.uint64]:
        size, last = np.uint64(self.value.size), len(starts) - 1
        places = np.empty((last + 1, 2), np.uint64)
        places[:, 0] = starts + self._first
        if self._lengths is not None:
            places[:, 1] = np.minimum(places[:, 0] + ITEM_HEADER + np.minimum(self._lengths, size), size)
            return places
        places[:-1, 1] = places[1:, 0]
        ending = self._by_table(starts, last)  # no further entry gives the last frame's end
        places[-1] = (0, 0) if ending is None or len(ending) > 1 else (places[-1, 0], sum(ending[0]))
        return places

    # -- offset tables

    def _basic_table(self) -> tuple[int, NDArray[np.uint64]]:
        """The offset of the first fragment's item, and the entries of the Basic Offset Table before it.

        Some writers leave out the table's item, which may be empty but has to be there: the first item is a codestream.
        """
        head = bytes(self.value.upto(0, 8))
        if len(head) < 8 or head[:4] != ITEM_BYTES:
            raise PixelDecodeError("encapsulated pixel data does not begin with an item", offset=0)
        length = int.from_bytes(head[4:], "little")
        if length > self.value.size - 8:
            raise PixelDecodeError(f"Basic Offset Table claims {length} bytes", offset=4)
        if length and self._is_fragment(Fragment(8, length)):
            text = "there is no item for the Basic Offset Table: the first one is a fragment"
            self.notes.append(Note("offset-table", text))
            return 0, np.empty(0, np.uint64)
        if length > 4 * self.limits.frames:
            raise PixelDecodeError(f"Basic Offset Table of {length} bytes crosses the limit of frames", offset=4)
        table = np.frombuffer(self.value.read(8, length // 4 * 4), "<u4").astype(np.uint64)
        return 8 + length, table

    def _is_fragment(self, first: Fragment) -> bool:
        """Whether the first item is a codestream: by its signature, or as frames and items are the same number."""
        entries = np.frombuffer(self.value.upto(first.offset, min(first.length, ENTRIES * 4) // 4 * 4), "<u4")
        if len(entries) and not first.length % 4 and entries[0] == 0 and (entries[1:] > entries[:-1]).all():
            return False
        if format_by_signature(bytes(self.value.upto(first.offset, min(first.length, SIGNATURE_BYTES)))) is not None:
            return True
        items, item = 0, first if self._stated else None
        while item is not None and items <= self._stated:
            items, item = items + 1, self._item(item.offset + item.length)
        return items == self._stated

    def _table(
        self, basic: NDArray[np.uint64], extended: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None
    ) -> tuple[NDArray[np.uint64] | None, NDArray[np.uint64] | None]:
        """The offsets to use, and the lengths that an Extended Offset Table adds.

        A table with more or fewer entries than frames is kept in case codestreams don't tell frames apart.
        """
        offsets, lengths = extended if extended is not None else (basic[:0], None)
        for name, starts in (("Extended", offsets), ("Basic", basic)):
            if not len(starts):
                continue
            if len(starts) == self._stated and self._plausible(starts):
                return starts, self._checked(lengths, starts) if name == "Extended" else None
            if len(starts) == self._stated or starts[0] != 0:
                why = "makes no sense"
            else:
                why = f"has {len(starts)} entries for {self._stated} frame{'s' * (self._stated != 1)}"
                self._listed = starts if self._listed is None else self._listed
            self.notes.append(Note("offset-table", f"the {name} Offset Table {why} and is passed over"))
        return None, None

    def _checked(self, lengths: NDArray[np.uint64] | None, starts: NDArray[np.uint64]) -> NDArray[np.uint64] | None:
        if lengths is not None and len(lengths) == len(starts) and lengths.all():
            return lengths
        self.notes.append(Note("offset-table", "the Extended Offset Table Lengths make no sense: items' lengths count"))
        return None

    def _plausible(self, offsets: NDArray[np.uint64]) -> bool:
        room = self.value.size - self._first
        rising = len(offsets) < 2 or bool((offsets[1:] > offsets[:-1]).all())
        return offsets[0] == 0 and rising and int(offsets[-1]) < room

    def _by_table(self, starts: NDArray[np.uint64], index: int) -> tuple[Fragment, ...] | None:
        """The fragments of a frame by the offset table; None where its entry, or the next one, leads to no frame."""
        at = self._first + int(starts[index])
        if self._lengths is not None:
            fragment, length = self._item(at), int(self._lengths[index])
            if fragment is None:
                return None
            if fragment.length - 1 <= length <= fragment.length:  # without or with the padding
                return (Fragment(fragment.offset, length),)
            self._lengths = self._every = None
            said = f"frame {index} has {length} bytes by the Extended Offset Table Lengths, its item {fragment.length}"
            self.notes.append(Note("offset-table", f"{said}: items' lengths count"))
        last = index + 1 == len(starts)
        stop = self.value.size if last else self._first + int(starts[index + 1])
        fragments = []
        while at < stop:
            fragment = self._item(at)
            if fragment is None:
                break
            at = fragment.offset + fragment.length
            if fragment.length:
                fragments.append(fragment)
        if not fragments or not (last or at == stop):
            return None
        if len(fragments) > 1 and len(beginnings(self.value, fragments)) > 1:
            return None  # several frames
        return tuple(fragments)

    def _item(self, at: int) -> Fragment | None:
        """The fragment whose item begins at `at`, cut at the end of the source; None where there is no item."""
        head = bytes(self.value.upto(at, 8))
        if len(head) < 8 or head[:4] != ITEM_BYTES:
            return None
        length = int.from_bytes(head[4:], "little")
        if length == UNDEFINED_LENGTH:
            return None
        return Fragment(at + 8, min(length, self.value.size - at - 8))

    def _distrust(self, why: str) -> None:
        self._starts = self._lengths = self._every = None
        self.notes.append(Note("offset-table", f"the offset table is passed over: {why}"))

    # -- without a table

    def _frames(self) -> list[tuple[Fragment, ...]]:
        if self._scanned is None:
            fragments = self._scan()
            if self._whole:
                self._scanned = [tuple(fragments)]
            else:
                listed = None if self._listed is None else self._listed + np.uint64(self._first + ITEM_HEADER)
                self._scanned, notes = group_fragments(self.value, fragments, self._stated, listed, cut=self._cut)
                self.notes += notes
        return self._scanned

    def _scan(self) -> list[Fragment]:
        fragments: list[Fragment] = []
        at, size = self._first, self.value.size
        with self.value.peeking() as peek:
            while at + 8 <= size:
                head = peek(at, 8)
                length = int.from_bytes(head[4:], "little")
                if head[:4] != ITEM_BYTES or len(head) < 8 or length == UNDEFINED_LENGTH:
                    self._cut = head[:4] != SEQUENCE_DELIMITER_BYTES
                    if self._cut:
                        self.notes.append(
                            Note("fragments", f"no item at byte {at} of the pixel data, which ends there")
                        )
                    break
                fragment = Fragment(at + 8, min(length, size - at - 8))
                at = fragment.offset + fragment.length
                fragments.append(fragment)
                if len(fragments) > self.limits.elements:
                    raise PixelDecodeError(f"more fragments than the limit of {self.limits.elements}", offset=at)
        if not fragments:
            raise PixelDecodeError("encapsulated pixel data without a fragment", offset=self._first)
        return fragments
