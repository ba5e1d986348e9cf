"""Segmentation: the segments of a SEG object as arrays in space (PS3.3 C.8.20)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import LimitError, ParseError
from dicomcore.lookup import first_item, items_of, number_of, text_of
from dicomcore.objects.planes import Stack, frame_planes, stack_of
from dicomcore.objects.segment import Segment
from dicomcore.objects.tiles import LARGE, MOST_TIMES_FRAMES, Tiles, tiles_of

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Segmentation"]

KINDS = {"BINARY": "binary", "FRACTIONAL": "fractional", "LABELMAP": "labelmap"}


class Segmentation:
    """The segments of a segmentation: ``Segmentation(ds).array(1)`` is segment 1, (planes, rows, columns).

    Frames are put in order by where they lie: planes along the normal, the same planes for every segment, with zeros
    where a segment has no frame. ``seg.stack.affine`` says where they are. Frames of a tiled image are put together to
    the total pixel matrix, one plane for each focal plane. Frames without a place keep their order.
    """

    def __init__(self, data_set: Dataset) -> None:
        """Raises ParseError where the data set is no segmentation."""
        stated = (text_of(data_set, "SegmentationType") or "").strip()
        if stated not in KINDS:
            raise ParseError(f"the data set is no segmentation: its Segmentation Type is {stated!r}")
        self.kind = KINDS[stated]
        """binary, fractional or labelmap."""
        self.data_set = data_set
        self.segments = tuple(Segment.of(item) for item in items_of(data_set, "SegmentSequence"))
        self.fractional_type = text_of(data_set, "SegmentationFractionalType") or None
        """PROBABILITY or OCCUPANCY."""
        self.frames = data_set.frames
        description = self.frames.description
        if description.samples_per_pixel != 1:
            raise ParseError(f"a segmentation has one sample a pixel, not {description.samples_per_pixel}")
        self._shape = (description.rows, description.columns)

    def segment(self, number: int) -> Segment:
        """The segment of this number; KeyError where there is none."""
        for segment in self.segments:
            if segment.number == number:
                return segment
        raise KeyError(f"there is no segment {number}")

    @cached_property
    def frame_segments(self) -> NDArray[np.intp]:
        """(frames,): the segment that each frame is of; 0 in a label map, whose frames are of all."""
        count = len(self.frames)
        if self.kind == "labelmap":
            return np.zeros(count, np.intp)
        groups = items_of(self.data_set, "PerFrameFunctionalGroupsSequence")
        shared = first_item(self.data_set, "SharedFunctionalGroupsSequence")
        if not groups and self.tiles is not None and len(self.segments):
            each = -(-count // len(self.segments))  # TILED_FULL: one segment after another
            return np.array([segment.number or 0 for segment in self.segments], np.intp).repeat(each)[:count]
        fallback = _segment_number(shared)
        found = [_segment_number(group) or fallback for group in groups[:count]]
        return np.array([*found, *[fallback] * (count - len(found))], np.intp)

    @cached_property
    def stack(self) -> Stack | None:
        """The planes of all frames in space; None where they have no place there.

        Raises ParseError where the frames' planes make no stack, LimitError where it is absurdly high.
        """
        if self.tiles is not None:
            return None
        planes = frame_planes(self.data_set, len(self.frames))
        if planes is None or len(planes.positions) not in (len(self.frames), 1):
            return None
        return stack_of(planes) if len(planes.positions) == len(self.frames) else None

    @cached_property
    def tiles(self) -> Tiles | None:
        """How frames make a total pixel matrix; None where the image is not tiled."""
        return tiles_of(self.data_set, len(self.frames), max(len(self.segments), 1), self._shape)

    @cached_property
    def _planes(self) -> tuple[int, NDArray[np.intp]]:
        """How many planes there are, and which each frame is on."""
        if self.stack is not None:
            count = len(self.stack.origins)
            pixels = count * self._shape[0] * self._shape[1]
            if pixels > LARGE and count > MOST_TIMES_FRAMES * len(self.frames):
                raise LimitError(f"{len(self.frames)} frames are claimed to lie in a stack of {count} planes")
            return count, self.stack.index
        index = np.zeros(len(self.frame_segments), np.intp)
        for number in np.unique(self.frame_segments):
            own = self.frame_segments == number
            index[own] = np.arange(own.sum())
        return int(index.max(initial=-1)) + 1, index

    @property
    def shape(self) -> tuple[int, int, int]:
        """(planes, rows, columns) of every segment."""
        if self.tiles is not None:
            return self.tiles.shape
        return self._planes[0], *self._shape

    def array(self, number: int) -> NDArray[Any]:
        """One segment, (planes, rows, columns): uint8, 0 or 1; of a fractional segmentation float32, 0 to 1.

        Raises KeyError where there is no such segment, PixelDecodeError where its frames can't be decoded.
        """
        self.segment(number)
        if self.kind == "labelmap":
            return (self.labels() == number).view(np.uint8)
        chosen = np.flatnonzero(self.frame_segments == number)
        placed = self._placed(chosen)
        if self.kind == "binary":
            return placed
        scale = number_of(self.data_set, "MaximumFractionalValue") or 255
        return placed.astype(np.float32) / np.float32(scale)

    def labels(self, *, overlap: str = "refuse") -> NDArray[Any]:
        """All segments in one array, (planes, rows, columns): each pixel's segment number, 0 where there is none.

        Raises ParseError where segments overlap, unless `overlap` is "last": then the higher number counts. A
        fractional segmentation has no labels: ValueError.
        """
        if overlap not in ("refuse", "last"):
            raise ValueError(f"overlap is 'refuse' or 'last', not {overlap!r}")
        if self.kind == "fractional":
            raise ValueError("a fractional segmentation has no labels: its segments are shares")
        if self.kind == "labelmap":
            placed = self._placed(np.arange(len(self.frames)))
            background = number_of(self.data_set, "PixelPaddingValue") or 0
            return placed if not background else np.where(placed == background, 0, placed).astype(placed.dtype)
        highest = max((segment.number or 0 for segment in self.segments), default=0)
        labels = np.zeros(self.shape, np.uint8 if highest < 256 else np.uint16)
        for number in sorted(segment.number or 0 for segment in self.segments):
            covered = self.array(number) != 0
            if overlap == "refuse" and labels[covered].any():
                raise ParseError(f"segment {number} overlaps another: use overlap='last', or array() for each")
            labels[covered] = number
        return labels

    def _placed(self, chosen: NDArray[np.intp], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Frames on their planes, in `out` (of zeros) where it is given."""
        if self.tiles is not None:
            frames = self.frames.stack(chosen.tolist())
            return self.tiles.assembled(frames, chosen, out)
        _, planes = self._planes
        index = planes[chosen]
        placed = np.zeros(self.shape, self.frames.dtype) if out is None else out
        if len(index) and (np.diff(index) == 1).all():
            self.frames.stack(chosen.tolist(), out=placed[index[0] : index[-1] + 1])
        elif len(np.unique(index)) == len(index):
            placed[index] = self.frames.stack(chosen.tolist())
        else:  # several frames of a segment on one plane
            np.maximum.at(placed, index, self.frames.stack(chosen.tolist()))
        return placed

    def arrays(self, numbers: Sequence[int] | None = None) -> NDArray[Any]:
        """Several segments, or all, in one array: (segments, planes, rows, columns)."""
        chosen = [segment.number or 0 for segment in self.segments] if numbers is None else numbers
        if self.kind != "binary":
            return np.stack([self.array(number) for number in chosen])
        made = np.zeros((len(chosen), *self.shape), self.frames.dtype)
        for number, out in zip(chosen, made, strict=True):
            self.segment(number)
            self._placed(np.flatnonzero(self.frame_segments == number), out)
        return made


def _segment_number(group: Dataset | None) -> int:
    item = None if group is None else first_item(group, "SegmentIdentificationSequence")
    return 0 if item is None else int(number_of(item, "ReferencedSegmentNumber") or 0)
