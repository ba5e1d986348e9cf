"""The planes of frames in space, their order, and the affine of their stack (PS3.3 C.7.6.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import first_item, float_array, items_of, number_of
from dicomcore.errors import LimitError, ParseError
from dicomcore.issues import Issue
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["FramePlanes", "Stack", "frame_groups", "frame_planes", "frame_positions", "ranks_of", "stack_of"]

MOST_PLANES = 1 << 16
"""Maximum number of planes of a stack, including planes without frames."""
NEAR = 1e-2
"""Tolerance of positions, as a fraction of the distance between planes: planes closer than this are the same."""
ROUNDED = 1e-3
"""mm: a dose's first z and its position are equal up to rounding."""
TILTED = 1e-3
"""Tolerance of orientations, as a sine or a difference of cosines."""


@dataclass(frozen=True, slots=True)
class FramePlanes:
    """The planes of some frames, as the data set states them."""

    positions: NDArray[np.float64]
    """(frames, 3), mm: the centre of the first pixel of each frame."""
    orientation: NDArray[np.float64]
    """(6,): the directions of a row and of a column."""
    spacing: NDArray[np.float64]
    """(2,), mm: between rows, between columns; NaN if it is not stated."""
    distance: float | None
    """mm between planes, None if it is not stated."""
    thickness: float | None
    """mm, None if it is not stated."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of parallel planes in the order of their normal, the vector product of row and column direction."""

    origins: NDArray[np.float64]
    """(planes, 3), mm: the centre of the first pixel of each plane, in patient coordinates (LPS)."""
    orientation: NDArray[np.float64]
    """(6,): the directions of a row and of a column."""
    spacing: tuple[float, float, float]
    """mm between planes, rows, columns; the first is NaN if planes are not evenly spaced, the others are NaN if the
    frames have no Pixel Spacing."""
    index: NDArray[np.intp]
    """(frames,): the plane of each frame."""
    issues: tuple[Issue, ...] = ()
    """PIXEL_SPACING: the spacing is missing; SLICE_SPACING: the distance between planes is assumed."""

    @property
    def normal(self) -> NDArray[np.float64]:
        """(3,): the direction from plane to plane."""
        return np.cross(self.orientation[:3], self.orientation[3:])

    @property
    def is_even(self) -> bool:
        """Whether the planes are evenly spaced, so that there is an affine."""
        return not np.isnan(self.spacing[0])

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4): from (plane, row, column, 1) to (x, y, z, 1) in mm, LPS.

        Raises ValueError if planes are not evenly spaced, or if the frames have no Pixel Spacing.
        """
        if not self.is_even:
            raise ValueError("the planes are not evenly spaced: use origins")
        if np.isnan(self.spacing[1:]).any():
            raise ValueError("the frames have no Pixel Spacing (0028,0030), which the affine needs: use origins")
        matrix = np.eye(4)
        between, rows, columns = self.spacing
        matrix[:3, 0] = self.normal * between
        matrix[:3, 1] = self.orientation[3:] * rows
        matrix[:3, 2] = self.orientation[:3] * columns
        matrix[:3, 3] = self.origins[0]
        return matrix


def frame_planes(data_set: Dataset, frames: int) -> FramePlanes | None:
    """Read the planes of the first `frames` frames from functional groups, or from the data set itself.

    Returns None if no frame has a position, or no frame an orientation. Raises ParseError if only some frames have a
    position, or if frames differ in orientation or spacing.
    """
    positions = frame_positions(data_set, frames)
    if positions is None:
        return None
    shared, groups = frame_groups(data_set, frames)
    if shared is None and not groups:
        orientation, measures = _orientation([data_set]), _measures([data_set])
    else:
        orientation = _orientation(_items_of_group(shared, groups, "PlaneOrientationSequence"))
        measures = _measures(_items_of_group(shared, groups, "PixelMeasuresSequence"))
    if orientation is None:
        return None
    offsets = float_array(data_set, "GridFrameOffsetVector")
    if offsets is not None:
        normal = np.cross(orientation[:3], orientation[3:])
        positions = positions + _offsets(offsets, positions, normal)[:, None] * normal
    spacing, distance, thickness = measures
    return FramePlanes(positions, orientation, np.full(2, np.nan) if spacing is None else spacing, distance, thickness)


def frame_groups(data_set: Dataset, frames: int) -> tuple[Dataset | None, list[Dataset]]:
    """Return the shared functional groups, and those of each of the first `frames` frames if they have any."""
    shared = first_item(data_set, "SharedFunctionalGroupsSequence")
    return shared, items_of(data_set, "PerFrameFunctionalGroupsSequence")[:frames]


def frame_positions(data_set: Dataset, frames: int) -> NDArray[np.float64] | None:
    """Return (frames, 3), mm: the centre of the first pixel of each frame, without grid frame offsets.

    None if no frame has a position. Raises ParseError if only some frames have one.
    """
    shared, groups = frame_groups(data_set, frames)
    if shared is None and not groups:
        position = _numbers(data_set, "ImagePositionPatient", 3)
        return None if position is None or not frames else np.tile(position, (frames, 1))
    items = [_shared_or_own(shared, group, "PlanePositionSequence") for group in groups]
    if len(groups) < frames:
        items += [None if shared is None else first_item(shared, "PlanePositionSequence")] * (frames - len(groups))
    each = [None if item is None else _numbers(item, "ImagePositionPatient", 3) for item in items]
    missing = [number for number, position in enumerate(each, 1) if position is None]
    if len(missing) == len(each):
        return None
    if missing:
        raise ParseError(
            f"frame {missing[0]} has no Image Position (Patient) (0020,0032), but others have: its plane is not known"
        )
    return np.array(each)


def _offsets(offsets: NDArray[Any], positions: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances of an RT Dose's planes from its position, stated as offsets or as z (PS3.3 C.8.8.3.2)."""
    are_heights = offsets.size > 0 and abs(offsets[0] - positions[0, 2]) < ROUNDED and abs(normal[2]) > 1 - TILTED
    if offsets.size != len(positions) or (offsets[0] != 0 and not are_heights):
        raise ParseError(
            f"Grid Frame Offset Vector (3004,000C) has {offsets.size} values for {len(positions)} frames, or begins "
            "neither at 0 nor at the position's z"
        )
    steps = (offsets - offsets[0]).astype(np.float64)
    return -steps if offsets[0] != 0 and normal[2] < 0 else steps


def _shared_or_own(shared: Dataset | None, group: Dataset, keyword: str) -> Dataset | None:
    own = first_item(group, keyword)
    return own if own is not None or shared is None else first_item(shared, keyword)


def _items_of_group(shared: Dataset | None, groups: list[Dataset], keyword: str) -> list[Dataset]:
    """Return the items of a functional group: the shared item alone if there is one, or else that of each frame."""
    item = None if shared is None else first_item(shared, keyword)
    if item is not None:
        return [item]
    return [item for group in groups if (item := first_item(group, keyword)) is not None]


def _numbers(item: Dataset, keyword: str, count: int) -> NDArray[np.float64] | None:
    numbers = float_array(item, keyword)
    if numbers is None or numbers.size != count or not np.isfinite(numbers).all():
        return None
    return numbers.astype(np.float64)


def _orientation(items: list[Dataset]) -> NDArray[np.float64] | None:
    each = [_numbers(item, "ImageOrientationPatient", 6) for item in items]
    if not each or any(orientation is None for orientation in each):
        return None
    stacked = np.array(each)
    if np.ptp(stacked, axis=0).max() > TILTED:
        raise ParseError("the frames differ in Image Orientation (Patient): they do not form a stack")
    row, column = stacked[0, :3], stacked[0, 3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(row @ column) > TILTED * 10 or abs(lengths[0] - 1) > 0.01 or abs(lengths[1] - 1) > 0.01:
        raise ParseError(f"Image Orientation (Patient) {stacked[0].tolist()} is not two perpendicular unit vectors")
    return stacked[0]


def _measures(items: list[Dataset]) -> tuple[NDArray[np.float64] | None, float | None, float | None]:
    each = [_numbers(item, "PixelSpacing", 2) for item in items]
    if not each or any(spacing is None for spacing in each):
        return None, None, None
    stacked = np.array(each)
    if (stacked <= 0).any():
        raise ParseError("Pixel Spacing is not positive")
    if np.ptp(stacked, axis=0).max() > NEAR * stacked.min():
        raise ParseError("the frames differ in Pixel Spacing: they do not form a stack")
    distance, thickness = (number_of(items[0], name) for name in ("SpacingBetweenSlices", "SliceThickness"))
    return stacked[0], abs(distance) if distance else None, thickness if thickness and thickness > 0 else None


def stack_of(planes: FramePlanes) -> Stack:
    """Put planes in the order of their normal; frames at one position share a plane, gaps in an even stack are filled.

    Raises ParseError if frames are shifted against each other within their planes, LimitError if the stack would have
    more than MOST_PLANES planes.
    """
    normal = np.cross(planes.orientation[:3], planes.orientation[3:])
    along = planes.positions @ normal
    first = int(np.argmin(along))
    away = planes.positions - planes.positions[first]
    heights = along - along[first]
    aside = np.linalg.norm(away - heights[:, None] * normal, axis=1)
    rows, columns = planes.spacing.tolist()
    finest = 1.0 if np.isnan(planes.spacing).any() else min(rows, columns)
    if aside.max() > NEAR * finest + TILTED * heights.max():
        raise ParseError("the frames are shifted against each other within their planes: they do not form a stack")
    index, frames = ranks_of(heights, NEAR * (planes.distance or planes.thickness or finest))
    unique = heights[frames]
    issues = tuple(_missing(planes, len(unique)))
    if len(unique) == 1:
        between = planes.distance or planes.thickness or 1.0
        return Stack(planes.positions[[first]], planes.orientation, (between, rows, columns), index, issues)
    even = _even(unique, planes.distance)
    if even is None:
        return Stack(planes.positions[frames], planes.orientation, (float("nan"), rows, columns), index, issues)
    between, multiples = even
    if multiples[-1] >= MOST_PLANES:
        raise LimitError(f"a stack of {multiples[-1] + 1} planes exceeds the limit of {MOST_PLANES}")
    origins = planes.positions[first] + np.arange(multiples[-1] + 1)[:, None] * between * normal
    return Stack(origins, planes.orientation, (between, rows, columns), multiples[index], issues)


def ranks_of(heights: NDArray[np.float64], near: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rank heights; heights at most `near` apart share a rank. Return the ranks, and the first index of each rank."""
    order = np.argsort(heights, kind="stable")
    apart = np.diff(heights[order]) > near
    index = np.empty(len(order), np.intp)
    index[order] = np.concatenate([[0], np.cumsum(apart)])
    return index, order[np.concatenate([[True], apart])]


def _missing(planes: FramePlanes, count: int) -> Iterator[Issue]:
    if np.isnan(planes.spacing).any():
        yield Issue("PIXEL_SPACING", Tag("PixelSpacing"), 0, "the frames have no Pixel Spacing (0028,0030)")
    if count == 1 and not (planes.distance or planes.thickness):
        message = "one plane without Spacing Between Slices and Slice Thickness: 1 mm is assumed"
        yield Issue("SLICE_SPACING", Tag("SpacingBetweenSlices"), 0, message)


def _even(heights: NDArray[np.float64], stated: float | None) -> tuple[float, NDArray[np.intp]] | None:
    """Find a distance of which all heights are multiples, and return it and the multiples; None if there is none."""
    for distance in (stated, float(np.diff(heights).min())):
        if not distance:
            continue
        multiples = heights / distance
        rounded = np.rint(multiples)
        if rounded[-1] > 1e9 or rounded[-1] < 1:
            continue
        exact = float(heights[-1] / rounded[-1])  # the stated distance is often rounded
        if np.abs(heights / exact - rounded).max() <= NEAR * 5 and (np.diff(rounded) > 0).all():
            return exact, rounded.astype(np.intp)
    return None
