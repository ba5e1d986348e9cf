"""Where frames lie: their planes in the patient, and their place in a total pixel matrix.

PS3.3 C.7.6.2, C.7.6.16.2, C.7.6.17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, float_array, integers_of, item_at, number_of, text_of
from dicomcore.dataset.state import header_of

__all__ = ["FramePlane", "matrix_origin", "plane_of"]

RECONSTRUCTED = ("RECON TOMO", "RECON GATED TOMO")


@dataclass(frozen=True, slots=True, eq=False)
class FramePlane:
    """The plane of a frame in the patient."""

    position: NDArray[np.float64]
    """Centre of the first pixel, mm."""
    across: NDArray[np.float64]
    """Direction along a row."""
    down: NDArray[np.float64]
    """Direction along a column."""
    spacing: tuple[float, float]
    """mm between rows, between columns."""
    thickness: float
    reference: str
    """Frame of Reference UID."""

    @property
    def normal(self) -> NDArray[np.float64]:
        """The direction through the plane."""
        return np.cross(self.across, self.down)

    def is_parallel_to(self, other: FramePlane) -> bool:
        """Whether both have the same rows and columns in the same frame of reference."""
        same = self.reference == other.reference
        return same and float(self.across @ other.across) > 0.9999 and float(self.down @ other.down) > 0.9999

    def distance_to(self, other: FramePlane) -> float:
        """mm between parallel planes."""
        return abs(float((other.position - self.position) @ self.normal))

    def box_in(self, other: FramePlane, shape: tuple[int, int]) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of this frame of `shape` in the pixels of a parallel one."""
        way = self.position - other.position
        left = (float(way @ other.across) - self.spacing[1] / 2) / other.spacing[1] + 0.5
        top = (float(way @ other.down) - self.spacing[0] / 2) / other.spacing[0] + 0.5
        rows, columns = shape
        return (
            left,
            top,
            left + columns * self.spacing[1] / other.spacing[1],
            top + rows * self.spacing[0] / other.spacing[0],
        )


def plane_of(image: Dataset, frame: int) -> FramePlane | None:
    """Read the plane of a frame (from 0); None if the image does not state one."""
    header = header_of(image)
    places = [header]
    for keyword, place in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", frame)):
        groups = item_at(header, keyword, place)
        if groups is not None:
            for name in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence"):
                item = first_item(groups, name)
                places = places if item is None else [item, *places]
    detector = _detector(header)
    if detector is not None:
        places = [detector, *places]
    position, axes = _numbers(places, "ImagePositionPatient", 3), _numbers(places, "ImageOrientationPatient", 6)
    spacing = _numbers(places, "PixelSpacing", 2)
    if position is None or axes is None or spacing is None or min(spacing) <= 0:
        return None
    lengths = np.linalg.norm(axes[:3]), np.linalg.norm(axes[3:])
    if not 0.99 < min(lengths) <= max(lengths) < 1.01:
        return None
    thickness = next((one for place in places if (one := number_of(place, "SliceThickness")) is not None), 0.0)
    return FramePlane(
        position + _offset(header, frame, np.cross(axes[:3], axes[3:])),
        axes[:3] / lengths[0],
        axes[3:] / lengths[1],
        (float(spacing[0]), float(spacing[1])),
        float(max(thickness, 0.0)),
        text_of(header, "FrameOfReferenceUID") or "",
    )


def _detector(header: Dataset) -> Dataset | None:
    """The item with the position of the first slice of reconstructed nuclear medicine (PS3.3 C.8.4.11)."""
    kinds = header.get("ImageType")
    third = kinds[2] if isinstance(kinds, list) and len(kinds) > 2 else None
    return first_item(header, "DetectorInformationSequence") if third in RECONSTRUCTED else None


def _offset(header: Dataset, frame: int, normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the position of an image to its frame.

    Offsets of a dose are along the normal from 0 on, or z coordinates (PS3.3 C.8.8.3.2). The sign of Spacing Between
    Slices is the direction of slices of nuclear medicine (C.8.4.15).
    """
    if _detector(header) is not None:
        slices, between = integers_of(header, "SliceVector"), number_of(header, "SpacingBetweenSlices")
        steps = slices[frame] - slices[0] if frame < len(slices) else frame
        return float((between or number_of(header, "SliceThickness") or 0.0) * steps) * normal
    offsets = float_array(header, "GridFrameOffsetVector")
    if offsets is None or frame >= len(offsets) or not np.isfinite(offsets).all():
        return np.zeros(3)
    return float(offsets[frame] - offsets[0]) * (normal if offsets[0] == 0 else np.array([0.0, 0.0, 1.0]))


def _numbers(places: list[Any], keyword: str, count: int) -> NDArray[np.float64] | None:
    for place in places:
        value = place.get(keyword)
        if isinstance(value, list) and len(value) == count and all(isinstance(one, (int, float)) for one in value):
            numbers = np.array(value, np.float64)
            if np.isfinite(numbers).all():
                return numbers
    return None


def matrix_origin(image: Dataset, frame: int) -> NDArray[np.float64]:
    """Column and row, from 0, of a frame's first pixel in the total pixel matrix of a tiled image."""
    header = header_of(image)
    for keyword, place in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        groups = item_at(header, keyword, place)
        item = None if groups is None else first_item(groups, "PlanePositionSlideSequence")
        if item is not None:
            column = number_of(item, "ColumnPositionInTotalImagePixelMatrix", 1)
            row = number_of(item, "RowPositionInTotalImagePixelMatrix", 1)
            return np.array((column - 1, row - 1), np.float64)
    columns, rows = number_of(header, "Columns", 0), number_of(header, "Rows", 0)
    total = number_of(header, "TotalPixelMatrixColumns", columns)
    across = max(-(-int(total) // max(int(columns), 1)), 1)
    return np.array((frame % across * columns, frame // across * rows), np.float64)
