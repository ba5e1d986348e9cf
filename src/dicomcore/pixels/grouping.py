"""Group fragments into frames where no offset table can be trusted (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError
from dicomcore.notes import Note
from dicomcore.pixels.coding.headers import SIGNATURE_BYTES, format_by_signature
from dicomcore.pixels.value_field import ValueField

__all__ = ["Fragment", "Groups", "beginnings", "group_fragments"]

END_MARKERS = (b"\xff\xd9",)
"""EOI and EOC, which end JPEG, JPEG-LS and JPEG 2000 codestreams."""
TAIL = 10
"""Bytes at the end of a fragment that are searched for an end marker: zeros may follow it as padding."""
LONGEST_MAGIC = 12

Peek = Callable[[int, int], bytes]


class Fragment(NamedTuple):
    """The byte range of one fragment in the pixel data's value."""

    offset: int
    length: int


class Groups(NamedTuple):
    """The fragments of each frame, and notes."""

    frames: list[tuple[Fragment, ...]]
    notes: tuple[Note, ...] = ()


def group_fragments(
    value: ValueField,
    fragments: Sequence[Fragment],
    stated: int,
    listed: NDArray[np.uint64] | None = None,
    *,
    cut: bool = False,
) -> Groups:
    """Group fragments by frame.

    A fragment is a frame where there are `stated` fragments. Otherwise codestreams' signatures tell where frames begin,
    or their end markers where frames end.

    Parameters
    ----------
    value
        The Value Field of the pixel data.
    fragments
        All fragments. Empty ones belong to no frame, unless each fragment is a frame.
    stated
        Number of Frames.
    listed
        The offsets of frames' first bytes by an offset table that has more or fewer entries than `stated`. A table of
        more entries decides where the codestreams don't.
    cut
        Whether the pixel data breaks off.

    Raises
    ------
    PixelDecodeError
        Nothing tells the frames apart.
    """
    doubtful = cut or listed is not None  # the same number of fragments and frames may be coincidence
    if len(fragments) == stated and not doubtful:
        return Groups([(fragment,) for fragment in fragments])
    filled = [fragment for fragment in fragments if fragment.length]
    if not filled:
        raise PixelDecodeError("encapsulated pixel data has empty fragments only")
    if len(filled) == stated and not doubtful:
        return Groups([(fragment,) for fragment in filled])
    if cut and len(filled) < min(len(fragments), stated):
        raise PixelDecodeError("the pixel data breaks off, and its empty fragments may be frames or none")
    firsts = beginnings(value, filled)
    ended = Groups([]) if stated == 1 or len(firsts) >= stated else _by_ends(value, filled)
    if firsts and len(ended.frames) != stated:
        return _from(firsts, filled)
    if len(filled) == stated:
        return Groups([(fragment,) for fragment in filled])
    if len(ended.frames) == stated:
        return ended
    if listed is not None:
        by_table = np.flatnonzero(np.isin(np.array([fragment.offset for fragment in filled], np.uint64), listed))
        if len(by_table) >= stated and by_table[0] == 0:
            return _from(by_table.tolist(), filled)
    if stated == 1:
        return Groups([tuple(filled)])
    if len(filled) < stated:
        said = f"{len(filled)} fragments for {stated} frames"
        return Groups([(fragment,) for fragment in filled], (Note("frames", said),))
    if len(ended.frames) > stated:
        return ended
    raise PixelDecodeError(
        f"{len(filled)} fragments make {stated} frames, and neither an offset table nor the codestreams tell where "
        "each frame begins"
    )


def _from(firsts: Sequence[int], filled: Sequence[Fragment]) -> Groups:
    return Groups([tuple(filled[begin:end]) for begin, end in pairwise((*firsts, len(filled)))])


def beginnings(value: ValueField, filled: Sequence[Fragment]) -> list[int]:
    """Places of the fragments whose codestream format is the first one's; empty where that format is unknown."""
    with value.peeking() as peek:
        wanted = format_by_signature(_head(peek, filled, 0))
        if wanted is None:
            return []
        return [0, *(i for i in range(1, len(filled)) if format_by_signature(_head(peek, filled, i)) == wanted)]


def _head(peek: Peek, filled: Sequence[Fragment], first: int) -> bytes:
    """The bytes from the start of a fragment on, enough for a signature, which may span several short fragments."""
    head = b""
    while first < len(filled) and len(head) < LONGEST_MAGIC:
        head += peek(filled[first].offset, min(SIGNATURE_BYTES - len(head), filled[first].length))
        first += 1
    return head


def _by_ends(value: ValueField, filled: Sequence[Fragment]) -> Groups:
    """End a frame at each fragment that contains an end marker; fragments after the last marker belong to no frame."""
    groups: list[tuple[Fragment, ...]] = []
    begin, before = 0, b""
    with value.peeking() as peek:
        for i, (offset, length) in enumerate(filled):
            tail = peek(offset + max(length - TAIL, 0), min(length, TAIL))
            if any(marker in before + tail for marker in END_MARKERS):
                groups.append(tuple(filled[begin : i + 1]))
                begin, tail = i + 1, b""
            before = tail[-1:]  # a marker may be split between two fragments
    if not groups or begin == len(filled):
        return Groups(groups)
    return Groups(groups, (Note("fragments", f"{len(filled) - begin} fragments belong to no frame"),))
