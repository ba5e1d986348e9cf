"""Which fragments make a frame, where no offset table can be trusted to say it (PS3.5 A.4)."""

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
"""EOI and EOC: how JPEG, JPEG-LS and JPEG 2000 codestreams end."""
TAIL = 10
"""Bytes at the end of a fragment in which a codestream may end: zeros may follow as padding."""
LONGEST_MAGIC = 12

Peek = Callable[[int, int], bytes]


class Fragment(NamedTuple):
    """Where one fragment's bytes are in the pixel data's value."""

    offset: int
    length: int


class Groups(NamedTuple):
    """The fragments of each frame, and what was noted."""

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
    """Fragments by frame: one each where they are `stated` frames; else by where codestreams begin, or by their ends.

    `listed` are the places at which an offset table has frames begin, whose entries are more or fewer than `stated`.
    More of them count where codestreams tell nothing. `cut` says that the pixel data breaks off. Empty fragments are
    nobody's, unless each fragment is a frame. Raises PixelDecodeError where nothing tells the frames apart.
    """
    doubtful = cut or listed is not None  # that there are as many fragments as frames may be chance
    if len(fragments) == stated and not doubtful:
        return Groups([(fragment,) for fragment in fragments])
    held = [fragment for fragment in fragments if fragment.length]
    if not held:
        raise PixelDecodeError("encapsulated pixel data has empty fragments only")
    if len(held) == stated and not doubtful:
        return Groups([(fragment,) for fragment in held])
    if cut and len(held) < min(len(fragments), stated):
        raise PixelDecodeError("the pixel data breaks off, and its empty fragments may be frames or none")
    firsts = beginnings(value, held)
    ended = Groups([]) if stated == 1 or len(firsts) >= stated else _by_ends(value, held)
    if firsts and len(ended.frames) != stated:
        return _from(firsts, held)
    if len(held) == stated:
        return Groups([(fragment,) for fragment in held])
    if len(ended.frames) == stated:
        return ended
    if listed is not None:
        by_table = np.flatnonzero(np.isin(np.array([fragment.offset for fragment in held], np.uint64), listed))
        if len(by_table) >= stated and by_table[0] == 0:
            return _from(by_table.tolist(), held)
    if stated == 1:
        return Groups([tuple(held)])
    if len(held) < stated:
        said = f"{len(held)} fragments for {stated} frames"
        return Groups([(fragment,) for fragment in held], (Note("frames", said),))
    if len(ended.frames) > stated:
        return ended
    raise PixelDecodeError(
        f"{len(held)} fragments are {stated} frames, and neither an offset table nor the codestreams' begins and ends "
        "tell which"
    )


def _from(firsts: Sequence[int], held: Sequence[Fragment]) -> Groups:
    return Groups([tuple(held[begin:end]) for begin, end in pairwise((*firsts, len(held)))])


def beginnings(value: ValueField, held: Sequence[Fragment]) -> list[int]:
    """Which fragments begin as the first one does, with a codestream; none where that can't be told."""
    with value.peeking() as peek:
        wanted = format_by_signature(_head(peek, held, 0))
        if wanted is None:
            return []
        return [0, *(i for i in range(1, len(held)) if format_by_signature(_head(peek, held, i)) == wanted)]


def _head(peek: Peek, held: Sequence[Fragment], first: int) -> bytes:
    """The bytes from a fragment's first one on; a signature may be spread over very short ones."""
    head = b""
    while first < len(held) and len(head) < LONGEST_MAGIC:
        head += peek(held[first].offset, min(SIGNATURE_BYTES - len(head), held[first].length))
        first += 1
    return head


def _by_ends(value: ValueField, held: Sequence[Fragment]) -> Groups:
    """A frame up to each fragment in which a codestream ends; more than those fragments belong to nobody."""
    groups: list[tuple[Fragment, ...]] = []
    begin, before = 0, b""
    with value.peeking() as peek:
        for i, (offset, length) in enumerate(held):
            tail = peek(offset + max(length - TAIL, 0), min(length, TAIL))
            if any(marker in before + tail for marker in END_MARKERS):
                groups.append(tuple(held[begin : i + 1]))
                begin, tail = i + 1, b""
            before = tail[-1:]  # a marker may be split between two fragments
    if not groups or begin == len(held):
        return Groups(groups)
    return Groups(groups, (Note("fragments", f"{len(held) - begin} fragments belong to no frame"),))
