"""Segmentation: the segments of a SEG object as arrays in space (PS3.3 C.8.20)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import first_item, items_of, number_of, text_of
from dicomcore.errors import LimitError, ParseError
from dicomcore.issues import Issue
from dicomcore.objects.plane_assignment import PlaneAssignment, assign_planes
from dicomcore.objects.planes import Stack, frame_groups
from dicomcore.objects.segment import Segment
from dicomcore.objects.tiles import LARGE, MOST_TIMES_FRAMES, Tiles, tiles_of
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Segmentation"]

KINDS = {"BINARY": "binary", "FRACTIONAL": "fractional", "LABELMAP": "labelmap"}


class Segmentation:
    """The segments of a segmentation: ``Segmentation(ds).array(1)`` is segment 1, (planes, rows, columns).

    Frames are put in order by where they lie: planes along the normal, the same planes for every segment, with zeros
    where a segment has no frame. ``seg.stack.affine`` says where they are. Frames of several images at one place (cine,
    echoes, diffusion) have a plane each, in the order of their Dimension Index Values or source images; ``stack`` then
    has no affine, and gives the origin of each plane. Frames of a tiled image are put together to the total pixel
    matrix, one plane for each focal plane. Frames without a place keep their order.
    """

    def __init__(self, data_set: Dataset, *, strict: bool = False) -> None:
        """Read what the segments are and where the frames lie; pixels are decoded when they are asked for.

        What is missing, contradicts itself or is made up is in `issues`; with `strict` the first such raises
        ParseError. Raises ParseError where the data set is no segmentation.
        """
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
        if strict and self.issues:
            first = self.issues[0]
            raise ParseError(first.message, tag=None if first.tag is None else int(first.tag))

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """What of the segments and the frames' planes is missing, contradicts itself or is made up.

        Raises ParseError as `stack` does.
        """
        return (*self._segment_issues(), *(self._assignment.issues if self.tiles is None else self.tiles.issues))

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
        shared, groups = frame_groups(self.data_set, count)
        if not groups and self.tiles is not None and self.tiles.channels is not None:
            numbers = np.array([*[segment.number or 0 for segment in self.segments], 0], np.intp)
            return numbers[np.minimum(self.tiles.channels, len(numbers) - 1)]
        fallback = _segment_number(shared)
        if not fallback and len(self.segments) == 1:
            fallback = self.segments[0].number or 0  # which else; `issues` says it
        found = [_segment_number(group) or fallback for group in groups]
        return np.array([*found, *[fallback] * (count - len(found))], np.intp)

    def _segment_issues(self) -> Iterator[Issue]:
        """What doesn't fit between frames, functional groups and segments."""
        numbers = [segment.number for segment in self.segments]
        if len(set(numbers)) != len(numbers) or None in numbers:
            said = f"the segments are numbered {numbers}: not each has a number of its own"
            yield Issue("SEGMENT_NUMBER", Tag("SegmentNumber"), 0, said)
        if "ConcatenationUID" in self.data_set:
            part, whole = (number_of(self.data_set, f"InConcatenation{name}Number") for name in ("", "Total"))
            said = f"this is part {part or '?'} of {whole or '?'} of a concatenation: other parts have the other frames"
            yield Issue("CONCATENATION", Tag("ConcatenationUID"), 0, said)
        if self.kind == "fractional" and not number_of(self.data_set, "MaximumFractionalValue"):
            said = "there is no Maximum Fractional Value (0062,000E): 255 is made up"
            yield Issue("MAXIMUM_FRACTIONAL_VALUE", Tag("MaximumFractionalValue"), 0, said)
        count, items = len(self.frames), items_of(self.data_set, "PerFrameFunctionalGroupsSequence")
        if items and len(items) != count:
            said = f"there are {count} frames and functional groups of {len(items)}"
            yield Issue("FRAME_GROUPS", Tag("PerFrameFunctionalGroupsSequence"), 0, said)
        if self.kind == "labelmap":
            return
        unknown = sorted(set(self.frame_segments.tolist()) - set(numbers) - {0})
        if unknown:
            said = f"frames are of segments {unknown}, which are not in the Segment Sequence: array() doesn't give them"
            yield Issue("SEGMENT_REFERENCE", Tag("ReferencedSegmentNumber"), 0, said)
        if self.tiles is None or self.tiles.channels is None or items:
            yield from self._unnamed(items[:count])

    def _unnamed(self, items: list[Dataset]) -> Iterator[Issue]:
        """Frames that don't say of which segment they are."""
        if _segment_number(first_item(self.data_set, "SharedFunctionalGroupsSequence")):
            return
        named = sum(_segment_number(item) > 0 for item in items)
        if named < len(self.frames):
            taken = "taken for the only one" if len(self.segments) == 1 else "left out"
            said = f"{len(self.frames) - named} frames don't say of which segment they are: {taken}"
            yield Issue("SEGMENT_REFERENCE", Tag("SegmentIdentificationSequence"), 0, said)

    @cached_property
    def stack(self) -> Stack | None:
        """The planes of all frames in space; None where they have no place there.

        Raises ParseError where the frames' planes make no stack, or only some have a place; LimitError where it is
        absurdly high.
        """
        return None if self.tiles is not None else self._assignment.stack

    @cached_property
    def tiles(self) -> Tiles | None:
        """How frames make a total pixel matrix; None where the image is not tiled."""
        channels = 1 if self.kind == "labelmap" else max(len(self.segments), 1)
        return tiles_of(self.data_set, len(self.frames), channels, self._shape)

    @cached_property
    def _assignment(self) -> PlaneAssignment:
        """How many planes there are, and on which of them each frame lies."""
        assignment = assign_planes(self.data_set, self.frame_segments)
        pixels = assignment.planes * self._shape[0] * self._shape[1]
        if pixels > LARGE and assignment.planes > MOST_TIMES_FRAMES * len(self.frames):
            raise LimitError(f"{len(self.frames)} frames are claimed to lie in a stack of {assignment.planes} planes")
        return assignment

    @property
    def shape(self) -> tuple[int, int, int]:
        """(planes, rows, columns) of every segment."""
        if self.tiles is not None:
            return self.tiles.shape
        return self._assignment.planes, *self._shape

    def array(self, number: int) -> NDArray[Any]:
        """One segment, (planes, rows, columns): uint8, 0 or 1; of a fractional segmentation float32, 0 to 1.

        Raises KeyError where there is no such segment, PixelDecodeError where its frames can't be decoded, ParseError
        where frames of it differ that lie on one plane and nothing tells of which image each is, or a value of a
        fractional segmentation is above its maximum.
        """
        self.segment(number)
        if self.kind == "labelmap":
            return (self.labels() == number).view(np.uint8)
        chosen = np.flatnonzero(self.frame_segments == number)
        placed = self._placed(chosen)
        if self.kind == "binary":
            return placed
        scale = number_of(self.data_set, "MaximumFractionalValue") or 255
        highest = int(placed.max(initial=0))
        if highest > scale:
            raise ParseError(f"segment {number} has the value {highest}, and Maximum Fractional Value is {scale}")
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
        for number in sorted({segment.number for segment in self.segments if segment.number}):
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
        index = self._assignment.index[chosen]
        placed = np.zeros(self.shape, self.frames.dtype) if out is None else out
        if len(index) and (np.diff(index) == 1).all():
            self.frames.stack(chosen.tolist(), out=placed[index[0] : index[-1] + 1])
        elif len(np.unique(index)) == len(index):
            placed[index] = self.frames.stack(chosen.tolist())
        else:  # several frames of a segment on one plane, which nothing tells apart: copies of one frame
            frames = self.frames.stack(chosen.tolist())
            placed[index] = frames
            differs = np.flatnonzero((placed[index] != frames).any(axis=(1, 2)))
            if differs.size:
                raise ParseError(
                    f"frame {chosen[differs[0]] + 1} lies on one plane with another of its segment, from which it "
                    "differs, and nothing tells of which image each is: use frames and frame_segments"
                )
        return placed

    def arrays(self, numbers: Sequence[int] | None = None) -> NDArray[Any]:
        """Several segments, or all, in one array: (segments, planes, rows, columns)."""
        described = [segment.number for segment in self.segments if segment.number is not None]
        chosen = described if numbers is None else numbers
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
