"""Where the frames of images lie in the patient (PS3.3 C.7.6.2), and what is odd about how they lie together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.issues import Issue
from dicomcore.lookup import first_item, items_of
from dicomcore.pixels.attributes import display_of, header_of, number
from dicomcore.pixels.render import Display
from dicomcore.tags import Tag

__all__ = ["Slice", "alike", "issue", "normal_of", "slices_of", "stacked"]

POSITION = Tag("ImagePositionPatient")
GAP = 1.5  # times the usual distance: a slice is missing there
UNEVEN = 0.02  # of it, by which a slice may lie beside its place
TILT = 0.002  # of it, sideways: 0.1 degrees
SAME = 0.02  # of it, below which two slices lie at one place; never above SAME_MM
SAME_MM = 0.05
COSINE_SLACK = 1e-3  # cosines are written with few digits


@dataclass(eq=False, slots=True)
class Slice:
    """One frame: of which data set, where its first pixel's centre lies (mm, LPS), and how its rows and columns run."""

    source: str
    data_set: Dataset
    frame: int
    position: NDArray[np.float64]
    along_row: NDArray[np.float64]
    along_column: NDArray[np.float64]
    spacing: tuple[float, float]
    """Between rows, between columns, in mm (Pixel Spacing)."""
    thickness: float | None
    """Spacing Between Slices or Slice Thickness, mm."""
    shape: tuple[int, int]
    space: str
    """Frame of Reference UID."""
    display: Display
    """How its stored values become the modality's."""


def issue(code: str, message: str) -> Issue:
    """An oddity of how slices lie."""
    return Issue(code, POSITION, 0, message)


def slices_of(source: str, data_set: Dataset) -> Iterator[Slice]:
    """The frames of an image whose place is known: of an enhanced one by its functional groups (PS3.3 C.7.6.16.2), of a
    dose by its Grid Frame Offset Vector (C.8.8.3.2)."""
    header = header_of(data_set)
    display = display_of(header)
    if number(header, "DoseGridScaling"):
        display = replace(display, rescale_slope=float(number(header, "DoseGridScaling")))
    groups = items_of(header, "PerFrameFunctionalGroupsSequence")
    if groups:
        shared_places = items_of(header, "SharedFunctionalGroupsSequence")[:1]
        for frame, group in enumerate(groups):
            found = _slice(source, data_set, frame, [group, *shared_places, header], display)
            if found is not None:
                yield found
        return
    first = _slice(source, data_set, 0, [header], display)
    if first is None:
        return
    offsets = _floats(header.get("GridFrameOffsetVector"))
    start = 0.0 if not len(offsets) or offsets[0] == 0 else first.position[2]  # else they are z coordinates themselves
    for frame, offset in enumerate(offsets if len(offsets) > 1 else [start]):
        yield replace(first, frame=frame, position=first.position + normal_of(first) * (offset - start))


def _slice(source: str, data_set: Dataset, frame: int, places: list[Any], display: Display) -> Slice | None:
    position = _floats(_found(places, "PlanePositionSequence", "ImagePositionPatient"))
    orientation = _floats(_found(places, "PlaneOrientationSequence", "ImageOrientationPatient"))
    if len(position) != 3 or len(orientation) != 6:
        return None
    along_row, along_column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if min(lengths) < 0.5 or np.linalg.norm(np.cross(along_row, along_column)) < 0.5:
        return None
    header = places[-1]
    spacing = _floats(_found(places, "PixelMeasuresSequence", "PixelSpacing"))
    return Slice(
        source=source,
        data_set=data_set,
        frame=frame,
        position=position,
        along_row=along_row / lengths[0],
        along_column=along_column / lengths[1],
        spacing=tuple(spacing.tolist()) if len(spacing) == 2 and min(spacing) > 0 else (1.0, 1.0),
        thickness=_thickness(places),
        shape=(int(number(header, "Rows", 0)), int(number(header, "Columns", 0))),
        space=str(header.get("FrameOfReferenceUID") or ""),
        display=_rescaled(display, places),
    )


def _thickness(places: list[Any]) -> float | None:
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        said = _floats(_found(places, "PixelMeasuresSequence", keyword))
        if len(said) and said[0]:
            return abs(float(said[0]))
    return None


def _rescaled(display: Display, places: list[Any]) -> Display:
    """With the slope and intercept of the frame's own functional groups."""
    found = [
        _floats(_found([*places[:-1], {}], "PixelValueTransformationSequence", keyword))
        for keyword in ("RescaleSlope", "RescaleIntercept")
    ]
    if not all(map(len, found)):
        return display
    return replace(display, rescale_slope=float(found[0][0]), rescale_intercept=float(found[1][0]))


def _found(places: list[Any], sequence: str, keyword: str) -> Any:
    """A value by the first place that has it: an item of functional groups, or the data set itself at the end."""
    for place in places[:-1]:
        item = first_item(place, sequence)
        if item is not None and keyword in item:
            return item.get(keyword)
    return places[-1].get(keyword)


def _floats(value: Any) -> NDArray[np.float64]:
    """Numbers that are finite, all or none."""
    values = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    try:
        found = np.array([float(one) for one in values])
    except (TypeError, ValueError):
        return np.empty(0)
    return found if np.isfinite(found).all() else np.empty(0)


def normal_of(one: Slice) -> NDArray[np.float64]:
    """The unit vector that its rows and columns stand upright to, by the right hand."""
    normal = np.cross(one.along_row, one.along_column)
    return np.asarray(normal / np.linalg.norm(normal))


def alike(a: Slice, b: Slice) -> str:
    """What keeps two slices out of one volume; empty when nothing does."""
    cosines = np.concatenate([a.along_row - b.along_row, a.along_column - b.along_column])
    if np.abs(cosines).max() > COSINE_SLACK:
        return "MIXED_ORIENTATION"
    if a.shape != b.shape:
        return "MIXED_SHAPE"
    if not np.allclose(a.spacing, b.spacing, rtol=1e-3):
        return "MIXED_SPACING"
    return "MIXED_FRAME_OF_REFERENCE" if a.space != b.space else ""


def stacked(slices: list[Slice]) -> tuple[list[Slice], NDArray[np.float64], list[int], list[Issue]]:
    """Slices in order along their normal, one a place: them, the step from one to the next (mm), how many are missing
    before each, and what is odd."""
    normal = normal_of(slices[0])
    places = np.array([one.position @ normal for one in slices])
    order = np.argsort(places, kind="stable")
    ordered, along = [slices[i] for i in order], places[order]
    issues: list[Issue] = []
    gaps = np.diff(along)
    wide = gaps[gaps > SAME_MM]
    same = min(SAME_MM, SAME * float(np.median(wide))) if len(wide) else SAME_MM
    kept = [i for i in range(len(ordered)) if i == 0 or gaps[i - 1] > same]
    if len(kept) < len(ordered):
        twice = len(ordered) - len(kept)
        issues.append(issue("DUPLICATE_POSITION", f"{twice} slices lie where another does; the first of each is taken"))
    ordered = [ordered[i] for i in kept]
    if len(ordered) == 1:
        return ordered, normal * (ordered[0].thickness or 1.0), [0], issues
    step, missing, found = _step(ordered, normal)
    return ordered, step, missing, issues + found


def _step(ordered: list[Slice], normal: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[int], list[Issue]]:
    positions = np.array([one.position for one in ordered])
    gaps = np.diff(positions @ normal)
    usual = float(np.median(gaps))
    missing = [0, *(max(round(gap / usual) - 1, 1) if gap > GAP * usual else 0 for gap in gaps.tolist())]
    issues = []
    if any(missing):
        at = next(i for i, count in enumerate(missing) if count)
        where = f"the first between {positions[at - 1].tolist()} and {positions[at].tolist()}"
        issues.append(issue("MISSING_SLICES", f"{sum(missing)} slices are missing at {usual:.4g} mm apart, {where}"))
    numbers = np.arange(len(ordered)) + np.cumsum(missing)
    step = (positions[-1] - positions[0]) / numbers[-1]
    beside = np.linalg.norm(positions - positions[0] - numbers[:, None] * step, axis=1).max()
    if beside > max(UNEVEN * usual, 0.01):
        issues.append(issue("UNEVEN_SPACING", f"slices lie up to {beside:.4g} mm beside equal steps of {usual:.4g} mm"))
    sideways = float(np.linalg.norm(step - (step @ normal) * normal))
    if sideways > TILT * usual:
        angle = np.degrees(np.arctan2(sideways, step @ normal))
        issues.append(issue("TILTED", f"slices are stacked {angle:.2f} degrees off their normal (tilted gantry)"))
    return step, missing, issues
