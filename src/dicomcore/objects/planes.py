"""Where frames lie in space: their planes put in order, and the affine of the stack (PS3.3 C.7.6.2)."""

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
"""Planes of a stack, those without frames included."""
NEAR = 1e-2
"""Of the distance between planes: how far off its place a plane may lie, and whether two are one."""
TILTED = 1e-3
"""Sines and differences of cosines that are still one orientation."""


@dataclass(frozen=True, slots=True)
class FramePlanes:
    """The planes of some frames, as stated."""

    positions: NDArray[np.float64]
    """(frames, 3), mm: the centre of each frame's first pixel."""
    orientation: NDArray[np.float64]
    """(6,): the directions of a row and of a column."""
    spacing: NDArray[np.float64]
    """(2,), mm: between rows, between columns; NaN where it isn't stated."""
    distance: float | None
    """mm between planes, where it is stated."""
    thickness: float | None
    """mm."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of parallel planes in the order of their normal, the vector product of row and column direction."""

    origins: NDArray[np.float64]
    """(planes, 3), mm: the centre of each plane's first pixel, in the patient's coordinates (LPS)."""
    orientation: NDArray[np.float64]
    """(6,): the directions of a row and of a column."""
    spacing: tuple[float, float, float]
    """mm between planes, rows, columns; the first is NaN where planes are not evenly spaced, the others where the
    frames have no Pixel Spacing."""
    index: NDArray[np.intp]
    """(frames,): the plane of each frame."""
    issues: tuple[Issue, ...] = ()
    """What is missing or made up: PIXEL_SPACING, SLICE_SPACING."""

    @property
    def normal(self) -> NDArray[np.float64]:
        """(3,): the direction from plane to plane."""
        return np.cross(self.orientation[:3], self.orientation[3:])

    @property
    def is_even(self) -> bool:
        """Whether planes have the same distance everywhere, so that there is an affine."""
        return not np.isnan(self.spacing[0])

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4): from (plane, row, column, 1) to (x, y, z, 1) in mm, LPS.

        ValueError where planes are not evenly spaced, or the frames have no Pixel Spacing.
        """
        if not self.is_even:
            raise ValueError("the planes are not evenly spaced: use origins")
        if np.isnan(self.spacing[1:]).any():
            raise ValueError("the frames have no Pixel Spacing (0028,0030), which the affine needs: use origins")
        made = np.eye(4)
        between, rows, columns = self.spacing
        made[:3, 0] = self.normal * between
        made[:3, 1] = self.orientation[3:] * rows
        made[:3, 2] = self.orientation[:3] * columns
        made[:3, 3] = self.origins[0]
        return made


def frame_planes(data_set: Dataset, frames: int) -> FramePlanes | None:
    """Read the planes of the first `frames` frames from functional groups, or from the data set itself.

    None where no frame has a position, or none an orientation. Raises ParseError where only some frames have a
    position, or frames differ in orientation or spacing.
    """
    positions = frame_positions(data_set, frames)
    if positions is None:
        return None
    shared, groups = frame_groups(data_set, frames)
    if shared is None and not groups:
        orientation, measures = _orientation([data_set]), _measures([data_set])
    else:
        orientation = _orientation(_places(shared, groups, "PlaneOrientationSequence"))
        measures = _measures(_places(shared, groups, "PixelMeasuresSequence"))
    if orientation is None:
        return None
    offsets = float_array(data_set, "GridFrameOffsetVector")
    if offsets is not None:
        normal = np.cross(orientation[:3], orientation[3:])
        positions = positions + _offsets(offsets, positions, normal)[:, None] * normal
    spacing, distance, thickness = measures
    return FramePlanes(positions, orientation, np.full(2, np.nan) if spacing is None else spacing, distance, thickness)


def frame_groups(data_set: Dataset, frames: int) -> tuple[Dataset | None, list[Dataset]]:
    """The shared functional groups, and those of each of the first `frames` frames as far as there are any."""
    shared = first_item(data_set, "SharedFunctionalGroupsSequence")
    return shared, items_of(data_set, "PerFrameFunctionalGroupsSequence")[:frames]


def frame_positions(data_set: Dataset, frames: int) -> NDArray[np.float64] | None:
    """(frames, 3): the centre of each frame's first pixel, mm, without grid frame offsets; None where none is stated.

    Raises ParseError where only some frames have a position.
    """
    shared, groups = frame_groups(data_set, frames)
    if shared is None and not groups:
        position = _numbers(data_set, "ImagePositionPatient", 3)
        return None if position is None or not frames else np.tile(position, (frames, 1))
    held = [_shared_or_own(shared, group, "PlanePositionSequence") for group in groups]
    if len(groups) < frames:
        held += [None if shared is None else first_item(shared, "PlanePositionSequence")] * (frames - len(groups))
    each = [None if place is None else _numbers(place, "ImagePositionPatient", 3) for place in held]
    missing = [number for number, one in enumerate(each, 1) if one is None]
    if len(missing) == len(each):
        return None
    if missing:
        raise ParseError(
            f"frame {missing[0]} has no Image Position (Patient) (0020,0032), and others have: its plane is not known"
        )
    return np.array(each)


def _offsets(offsets: NDArray[Any], positions: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far along the normal an RT Dose's planes lie from its position, as offsets or as z (PS3.3 C.8.8.3.2)."""
    are_heights = offsets.size > 0 and offsets[0] == positions[0, 2] and np.allclose(normal, [0, 0, 1], atol=TILTED)
    if offsets.size != len(positions) or (offsets[0] != 0 and not are_heights):
        raise ParseError(
            f"Grid Frame Offset Vector (3004,000C) has {offsets.size} values for {len(positions)} frames, or begins "
            "neither at 0 nor at the position's z"
        )
    return (offsets - offsets[0]).astype(np.float64)


def _shared_or_own(shared: Dataset | None, group: Dataset, keyword: str) -> Dataset | None:
    own = first_item(group, keyword)
    return own if own is not None or shared is None else first_item(shared, keyword)


def _places(shared: Dataset | None, groups: list[Dataset], keyword: str) -> list[Dataset]:
    """The items that hold an attribute: the shared one alone where there is one."""
    place = None if shared is None else first_item(shared, keyword)
    if place is not None:
        return [place]
    return [place for group in groups if (place := first_item(group, keyword)) is not None]


def _numbers(place: Dataset, keyword: str, count: int) -> NDArray[np.float64] | None:
    found = float_array(place, keyword)
    if found is None or found.size != count or not np.isfinite(found).all():
        return None
    return found.astype(np.float64)


def _orientation(places: list[Dataset]) -> NDArray[np.float64] | None:
    found = [_numbers(place, "ImageOrientationPatient", 6) for place in places]
    if not found or any(one is None for one in found):
        return None
    stacked = np.array(found)
    if np.ptp(stacked, axis=0).max() > TILTED:
        raise ParseError("the frames differ in Image Orientation (Patient): they make no stack")
    row, column = stacked[0, :3], stacked[0, 3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(row @ column) > TILTED * 10 or abs(lengths[0] - 1) > 0.01 or abs(lengths[1] - 1) > 0.01:
        raise ParseError(f"Image Orientation (Patient) {stacked[0].tolist()} is no pair of perpendicular unit vectors")
    return stacked[0]


def _measures(places: list[Dataset]) -> tuple[NDArray[np.float64] | None, float | None, float | None]:
    found = [_numbers(place, "PixelSpacing", 2) for place in places]
    if not found or any(one is None for one in found):
        return None, None, None
    stacked = np.array(found)
    if (stacked <= 0).any():
        raise ParseError("Pixel Spacing is not positive")
    if np.ptp(stacked, axis=0).max() > NEAR * stacked.min():
        raise ParseError("the frames differ in Pixel Spacing: they make no stack")
    distance, thickness = (number_of(places[0], name) for name in ("SpacingBetweenSlices", "SliceThickness"))
    return stacked[0], abs(distance) if distance else None, thickness if thickness and thickness > 0 else None


def stack_of(planes: FramePlanes) -> Stack:
    """Put planes in order along their normal; frames in one place share a plane, and gaps in an even stack are filled.

    Raises ParseError where frames are shifted against each other within their planes, LimitError where the stack would
    have more planes than any has.
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
        raise ParseError("the frames are shifted against each other within their planes: they make no stack")
    index, frames = ranks_of(heights, NEAR * (planes.distance or planes.thickness or finest))
    unique = heights[frames]
    issues = tuple(_missing(planes, len(unique)))
    if len(unique) == 1:
        between = planes.distance or planes.thickness or 1.0
        return Stack(planes.positions[[first]], planes.orientation, (between, rows, columns), index, issues)
    even = _even(unique, planes.distance)
    if even is None:
        return Stack(planes.positions[frames], planes.orientation, (float("nan"), rows, columns), index, issues)
    between, places = even
    if places[-1] >= MOST_PLANES:
        raise LimitError(f"a stack of {places[-1] + 1} planes crosses the limit of {MOST_PLANES}")
    origins = planes.positions[first] + np.arange(places[-1] + 1)[:, None] * between * normal
    return Stack(origins, planes.orientation, (between, rows, columns), places[index], issues)


def ranks_of(heights: NDArray[np.float64], near: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rank of each height among those that are more than `near` apart, and for each rank the first that has it."""
    order = np.argsort(heights, kind="stable")
    apart = np.diff(heights[order]) > near
    index = np.empty(len(order), np.intp)
    index[order] = np.concatenate([[0], np.cumsum(apart)])
    return index, order[np.concatenate([[True], apart])]


def _missing(planes: FramePlanes, count: int) -> Iterator[Issue]:
    if np.isnan(planes.spacing).any():
        yield Issue("PIXEL_SPACING", Tag("PixelSpacing"), 0, "the frames have no Pixel Spacing (0028,0030)")
    if count == 1 and not (planes.distance or planes.thickness):
        said = "one plane without Spacing Between Slices and Slice Thickness: 1 mm is made up"
        yield Issue("SLICE_SPACING", Tag("SpacingBetweenSlices"), 0, said)


def _even(heights: NDArray[np.float64], stated: float | None) -> tuple[float, NDArray[np.intp]] | None:
    """The distance of which all heights are multiples, and which; None where there is none."""
    for distance in (stated, float(np.diff(heights).min())):
        if not distance:
            continue
        multiples = heights / distance
        places = np.rint(multiples)
        if places[-1] > 1e9 or places[-1] < 1:
            continue
        exact = float(heights[-1] / places[-1])  # what is stated is often rounded
        if np.abs(heights / exact - places).max() <= NEAR * 5 and (np.diff(places) > 0).all():
            return exact, places.astype(np.intp)
    return None
