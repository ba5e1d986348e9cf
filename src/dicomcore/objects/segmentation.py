"""Segmentation: the segments of a SEG object as arrays in space (PS3.3 C.8.20)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import first_item, items_of, number_of, term_of
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

    Frames are arranged by position: planes in the order of their normal, the same planes for every segment, with zeros
    where a segment has no frame. ``seg.stack.affine`` maps array indices to space. Frames of several images at one
    position (cine, echoes, diffusion) have a plane each, in the order of their Dimension Index Values or source images;
    ``stack`` then has no affine, but the origin of each plane. Frames of a tiled image are assembled to the total pixel
    matrix, with one plane for each focal plane. Frames without a position keep their order.
    """

    def __init__(self, data_set: Dataset, *, strict: bool = False) -> None:
        """Read the descriptions of the segments; pixels are decoded on access.

        Missing, contradictory and assumed attributes are listed in `issues`; with `strict` the first issue raises
        ParseError. Raises ParseError if the data set is not a segmentation.
        """
        stated = term_of(data_set, "SegmentationType")
        if stated not in KINDS:
            raise ParseError(f"the data set is not a segmentation: its Segmentation Type is {stated!r}")
        self.kind = KINDS[stated]
        """binary, fractional or labelmap."""
        self.data_set = data_set
        self.segments = tuple(Segment.of(item) for item in items_of(data_set, "SegmentSequence"))
        self.fractional_type = term_of(data_set, "SegmentationFractionalType") or None
        """PROBABILITY or OCCUPANCY."""
        self.frames = data_set.frames
        description = self.frames.description
        if description.samples_per_pixel != 1:
            raise ParseError(f"a segmentation has one sample per pixel, not {description.samples_per_pixel}")
        self._shape = (description.rows, description.columns)
        if strict and self.issues:
            first = self.issues[0]
            raise ParseError(first.message, tag=None if first.tag is None else int(first.tag))

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """Missing, contradictory and assumed attributes of the segments and of the planes of the frames.

        Raises ParseError as `stack` does.
        """
        return (*self._segment_issues(), *(self._assignment.issues if self.tiles is None else self.tiles.issues))

    def segment(self, number: int) -> Segment:
        """Return the segment with this number; raise KeyError if there is none."""
        for segment in self.segments:
            if segment.number == number:
                return segment
        raise KeyError(f"there is no segment {number}")

    @cached_property
    def frame_segments(self) -> NDArray[np.intp]:
        """(frames,): the segment number of each frame; 0 in a label map, whose frames show all segments."""
        count = len(self.frames)
        if self.kind == "labelmap":
            return np.zeros(count, np.intp)
        shared, groups = frame_groups(self.data_set, count)
        if not groups and self.tiles is not None and self.tiles.channels is not None:
            numbers = np.array([*[segment.number or 0 for segment in self.segments], 0], np.intp)
            return numbers[np.minimum(self.tiles.channels, len(numbers) - 1)]
        fallback = _segment_number(shared)
        if not fallback and len(self.segments) == 1:
            fallback = self.segments[0].number or 0  # the only one; reported in `issues`
        stated = [_segment_number(group) or fallback for group in groups]
        return np.array([*stated, *[fallback] * (count - len(stated))], np.intp)

    def _segment_issues(self) -> Iterator[Issue]:
        """Report contradictions between frames, functional groups and segments."""
        numbers = [segment.number for segment in self.segments]
        if len(set(numbers)) != len(numbers) or None in numbers:
            message = f"the segments have the numbers {numbers}: each needs its own number"
            yield Issue("SEGMENT_NUMBER", Tag("SegmentNumber"), 0, message)
        if "ConcatenationUID" in self.data_set:
            part, whole = (number_of(self.data_set, f"InConcatenation{name}Number") for name in ("", "Total"))
            message = f"this is part {part or '?'} of {whole or '?'} of a concatenation: other parts have more frames"
            yield Issue("CONCATENATION", Tag("ConcatenationUID"), 0, message)
        if self.kind == "fractional" and not number_of(self.data_set, "MaximumFractionalValue"):
            message = "there is no Maximum Fractional Value (0062,000E): 255 is assumed"
            yield Issue("MAXIMUM_FRACTIONAL_VALUE", Tag("MaximumFractionalValue"), 0, message)
        count, items = len(self.frames), items_of(self.data_set, "PerFrameFunctionalGroupsSequence")
        if items and len(items) != count:
            message = f"there are {count} frames, but functional groups for {len(items)}"
            yield Issue("FRAME_GROUPS", Tag("PerFrameFunctionalGroupsSequence"), 0, message)
        if self.kind == "labelmap":
            return
        unknown = sorted(set(self.frame_segments.tolist()) - set(numbers) - {0})
        if unknown:
            message = f"frames belong to segments {unknown}, which are not described: array() does not return them"
            yield Issue("SEGMENT_REFERENCE", Tag("ReferencedSegmentNumber"), 0, message)
        if self.tiles is None or self.tiles.channels is None or items:
            yield from self._unnamed(items[:count])

    def _unnamed(self, items: list[Dataset]) -> Iterator[Issue]:
        """Report frames that do not state their segment."""
        if _segment_number(first_item(self.data_set, "SharedFunctionalGroupsSequence")):
            return
        named = sum(_segment_number(item) > 0 for item in items)
        if named < len(self.frames):
            effect = "assigned to the only one" if len(self.segments) == 1 else "left out"
            message = f"{len(self.frames) - named} frames do not state their segment: they are {effect}"
            yield Issue("SEGMENT_REFERENCE", Tag("SegmentIdentificationSequence"), 0, message)

    @cached_property
    def stack(self) -> Stack | None:
        """The planes of all frames in space; None if frames have no position or orientation, or the image is tiled.

        Raises ParseError if the planes do not form a stack, or if only some frames have a position; LimitError if the
        stack has far more planes than frames.
        """
        return None if self.tiles is not None else self._assignment.stack

    @cached_property
    def tiles(self) -> Tiles | None:
        """The positions of frames in the total pixel matrix; None if the image is not tiled."""
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
        """Return a segment, (planes, rows, columns): uint8, 0 or 1; of a fractional segmentation float32, 0 to 1.

        Raises KeyError if there is no segment with this number, PixelDecodeError if its frames cannot be decoded, and
        ParseError if different frames lie on one plane and nothing states which image each belongs to, or if a value of
        a fractional segmentation is above its maximum.
        """
        self.segment(number)
        if self.kind == "labelmap":
            return (self._values() == number).view(np.uint8)
        chosen = np.flatnonzero(self.frame_segments == number)
        placed = self._placed(chosen)
        if self.kind == "binary":
            return self._as_binary(placed)
        scale = number_of(self.data_set, "MaximumFractionalValue") or 255
        highest = int(placed.max(initial=0))
        if highest > scale:
            raise ParseError(f"segment {number} has the value {highest}, but Maximum Fractional Value is {scale}")
        return placed.astype(np.float32) / np.float32(scale)

    def labels(self, *, overlap: str = "refuse") -> NDArray[Any]:
        """Return the segment number of each pixel, (planes, rows, columns), 0 where there is no segment.

        Raises ParseError if segments overlap, unless `overlap` is "last": then the higher number counts; and if 0 is
        the number of a segment, not of the background. Raises ValueError for a fractional segmentation, which has no
        labels.
        """
        if overlap not in ("refuse", "last"):
            raise ValueError(f"overlap is 'refuse' or 'last', not {overlap!r}")
        if self.kind == "fractional":
            raise ValueError("a fractional segmentation has no labels: its segments are fractions")
        if self.kind == "labelmap":
            values, background = self._values(), self._background
            if not background:
                return values
            if any(segment.number == 0 for segment in self.segments):
                message = f"0 is a segment's number, and {background} is the background: use array() for each segment"
                raise ParseError(message, tag=int(Tag("PixelPaddingValue")))
            return np.where(values == background, 0, values).astype(values.dtype)
        highest = max((segment.number or 0 for segment in self.segments), default=0)
        labels = np.zeros(self.shape, np.uint8 if highest < 256 else np.uint16)
        for number in sorted({segment.number for segment in self.segments if segment.number}):
            covered = self.array(number) != 0
            if overlap == "refuse" and labels[covered].any():
                raise ParseError(f"segment {number} overlaps another: use overlap='last', or array() for each")
            labels[covered] = number
        return labels

    @property
    def _background(self) -> int:
        """The value of a label map's background: its Pixel Padding Value, or 0 (PS3.3 C.8.20.2)."""
        value = number_of(self.data_set, "PixelPaddingValue") or 0
        return int(value) if 0 <= value <= np.iinfo(self.frames.dtype).max else 0

    def _values(self) -> NDArray[Any]:
        """The pixels of a label map, with its background where there is no frame."""
        every, background = np.arange(len(self.frames)), self._background
        if self.tiles is not None:
            return self.tiles.assembled(self.frames.stack(every.tolist()), every, background=background)
        return self._placed(every, np.full(self.shape, background, self.frames.dtype))

    def _placed(self, chosen: NDArray[np.intp], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Put frames on their planes, in `out` if it is given, else in zeros."""
        if self.tiles is not None:
            frames = self.frames.stack(chosen.tolist())
            return self.tiles.assembled(frames, chosen, out)
        index = self._assignment.index[chosen]
        placed = np.zeros(self.shape, self.frames.dtype) if out is None else out
        if len(index) and (np.diff(index) == 1).all():
            self.frames.stack(chosen.tolist(), out=placed[index[0] : index[-1] + 1])
        elif len(np.unique(index)) == len(index):
            placed[index] = self.frames.stack(chosen.tolist())
        else:  # indistinguishable frames of a segment on one plane must be copies of one frame
            frames = self.frames.stack(chosen.tolist())
            placed[index] = frames
            differs = np.flatnonzero((placed[index] != frames).any(axis=(1, 2)))
            if differs.size:
                raise ParseError(
                    f"frame {chosen[differs[0]] + 1} lies on one plane with another of its segment, from which it "
                    "differs, and nothing states which image each belongs to: use frames and frame_segments"
                )
        return placed

    def arrays(self, numbers: Sequence[int] | None = None) -> NDArray[Any]:
        """Return the segments with these numbers, by default all, in one array: (segments, planes, rows, columns)."""
        described = [segment.number for segment in self.segments if segment.number is not None]
        chosen = described if numbers is None else numbers
        if self.kind != "binary":
            return np.stack([self.array(number) for number in chosen])
        segments = np.zeros((len(chosen), *self.shape), self.frames.dtype)
        for number, out in zip(chosen, segments, strict=True):
            self.segment(number)
            self._placed(np.flatnonzero(self.frame_segments == number), out)
        return self._as_binary(segments)

    def _as_binary(self, placed: NDArray[Any]) -> NDArray[Any]:
        """Samples of a binary segmentation as 0 and 1: some writers store it in bytes, of which 255 stands for 1."""
        if self.frames.stated.bits_allocated == 1:
            return placed
        return (placed != 0).view(np.uint8)


def _segment_number(group: Dataset | None) -> int:
    item = None if group is None else first_item(group, "SegmentIdentificationSequence")
    return 0 if item is None else int(number_of(item, "ReferencedSegmentNumber") or 0)
