"""The plane of an array that each frame of a segmentation belongs to (PS3.3 C.7.6.16.2.3, C.7.6.17, C.8.20)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import first_item, integers_of, items_of, number_of, text_of
from dicomcore.issues import Issue
from dicomcore.objects.planes import Stack, frame_groups, frame_planes, frame_positions, ranks_of, stack_of
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["PlaneAssignment", "assign_planes"]

SEGMENT = frozenset({Tag("SegmentNumber"), Tag("ReferencedSegmentNumber")})
PLACE = frozenset({Tag("ImagePositionPatient"), Tag("StackID"), Tag("InStackPositionNumber")})
"""Dimensions that depend on the position alone."""
NEAR = 1e-2
"""mm: positions at most this far apart are the same."""

Keys = NDArray[np.intp]
"""(frames, n): numbers that distinguish frames, the most significant column first."""


@dataclass(frozen=True, slots=True)
class PlaneAssignment:
    """How many planes an array has, and on which of them each frame lies."""

    planes: int
    index: NDArray[np.intp]
    """(frames,): the plane of each frame."""
    stack: Stack | None
    """The planes in space, None if that is not known."""
    issues: tuple[Issue, ...] = ()


def assign_planes(data_set: Dataset, segments: NDArray[np.intp]) -> PlaneAssignment:
    """Determine the plane of each frame; `segments`, (frames,), is the segment number of each.

    Planes differ in position. Frames at the same position get a plane each if they differ in another dimension
    (Dimension Index Values), or if frames of one segment there refer to different source images, such as the images of
    a cine. Frames without a position are distinguished by dimension, by source image, or by their order.
    """
    count = len(segments)
    planes = frame_planes(data_set, count)
    if planes is not None:
        stack = stack_of(planes)
        return _spread(data_set, segments, PlaneAssignment(len(stack.origins), stack.index, stack, stack.issues))
    positions = frame_positions(data_set, count)
    if positions is not None:
        index, firsts = ranks_of(_heights(positions), NEAR)
        said = "the frames have positions but no Image Orientation (Patient): the planes are in order, but not a stack"
        issue = Issue("PLANE_ORIENTATION", Tag("ImageOrientationPatient"), 0, said)
        return _spread(data_set, segments, PlaneAssignment(len(firsts), index, None, (issue,)))
    return _without_place(data_set, segments)


def _heights(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project positions on the line through all of them, ascending in the coordinate that differs most."""
    away = positions - positions[0]
    longest = away[np.linalg.norm(away, axis=1).argmax()]
    length = float(np.linalg.norm(longest)) or 1.0
    heights: NDArray[np.float64] = away @ (longest / length)
    return heights if longest[np.abs(longest).argmax()] >= 0 else -heights


def _spread(data_set: Dataset, segments: NDArray[np.intp], assigned: PlaneAssignment) -> PlaneAssignment:
    """Give frames at the same position a plane each, if dimensions or source images distinguish them."""
    if np.bincount(assigned.index).max(initial=0) < 2:
        return assigned  # each frame has its own position
    further = _dimensions(data_set, len(segments), SEGMENT | PLACE)
    apart = _are_apart(segments, assigned.index)
    if apart and further is None:
        return assigned
    candidates = iter([further]) if apart else _candidates(data_set, len(segments), further)
    for keys in candidates:
        if keys is None:
            continue
        places, index = np.unique(np.column_stack([assigned.index, keys]), axis=0, return_inverse=True)
        index = index.reshape(-1)
        if not _are_apart(segments, index):
            continue
        if len(places) == len(np.unique(assigned.index)):
            return assigned  # one image at each position
        stack = assigned.stack
        if stack is not None:
            spacing = (float("nan"), *stack.spacing[1:])
            stack = replace(stack, origins=stack.origins[places[:, 0]], spacing=spacing, index=index)
        return replace(assigned, planes=len(places), index=index, stack=stack)
    return assigned


def _without_place(data_set: Dataset, segments: NDArray[np.intp]) -> PlaneAssignment:
    """Determine the planes of frames without a position."""
    if len(np.unique(segments)) > 1:
        for keys in _candidates(data_set, len(segments), _dimensions(data_set, len(segments), SEGMENT)):
            if keys is not None and _are_apart(segments, *keys.T):
                places, index = np.unique(keys, axis=0, return_inverse=True)
                return PlaneAssignment(len(places), index.reshape(-1), None)
    index = np.zeros(len(segments), np.intp)
    for number in np.unique(segments):
        of_segment = segments == number
        index[of_segment] = np.arange(of_segment.sum())
    issues: tuple[Issue, ...] = ()
    if len(np.unique(segments)) > 1:
        said = "the frames have no position: those of each segment are put on planes in their order"
        issues = (Issue("PLANE_POSITION", Tag("PlanePositionSequence"), 0, said),)
    return PlaneAssignment(int(index.max(initial=-1)) + 1, index, None, issues)


def _candidates(data_set: Dataset, frames: int, dimensions: Keys | None) -> Iterator[Keys | None]:
    yield dimensions
    yield _sources(data_set, frames)


def _are_apart(*keys: NDArray[np.intp]) -> bool:
    """Whether every two frames differ in a key; each key is (frames,)."""
    return len(set(zip(*(key.tolist() for key in keys), strict=True))) == len(keys[0])


def _dimensions(data_set: Dataset, frames: int, without: frozenset[Tag]) -> Keys | None:
    """Return Dimension Index Values, except those in `without`; None if there are no others, or a frame lacks them."""
    items = items_of(data_set, "DimensionIndexSequence")
    pointers = [number_of(item, "DimensionIndexPointer") for item in items]
    chosen = [place for place, pointer in enumerate(pointers) if pointer not in without]
    if not chosen:
        return None
    rows = []
    for group in frame_groups(data_set, frames)[1]:
        content = first_item(group, "FrameContentSequence")
        values = () if content is None else integers_of(content, "DimensionIndexValues")
        if len(values) != len(pointers):
            return None
        rows.append([values[place] for place in chosen])
    return np.array(rows, np.intp) if len(rows) == frames else None


def _sources(data_set: Dataset, frames: int) -> Keys | None:
    """Number the source images of each frame in the order of their first use; None if a frame has no source."""
    numbers: dict[tuple[tuple[str, tuple[int, ...]], ...], int] = {}
    rows = []
    for group in frame_groups(data_set, frames)[1]:
        sources = tuple(
            (text_of(image, "ReferencedSOPInstanceUID") or "", integers_of(image, "ReferencedFrameNumber"))
            for derivation in items_of(group, "DerivationImageSequence")
            for image in items_of(derivation, "SourceImageSequence")
        )
        if not sources:
            return None
        rows.append(numbers.setdefault(sources, len(numbers)))
    return np.array(rows, np.intp)[:, None] if len(rows) == frames else None
