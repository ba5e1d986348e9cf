"""Structures: the contours of an RT Structure Set as arrays (PS3.3 A.19, C.8.8.5, C.8.8.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import float_array, integers_of, items_of, number_of, term_of, text_of
from dicomcore.display.polygons import fill
from dicomcore.errors import ParseError
from dicomcore.issues import Issue
from dicomcore.objects.planes import Stack
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Contour", "Roi", "Structures"]

GEOMETRIC_TYPES = ("POINT", "OPEN_PLANAR", "OPEN_NONPLANAR", "CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
ONE_HEIGHT = 1e-2
"""mm: contours and planes at most this far apart lie in one plane."""


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """A contour of a region."""

    geometric_type: str
    """POINT, OPEN_PLANAR, OPEN_NONPLANAR, CLOSED_PLANAR, CLOSEDPLANAR_XOR."""
    points: NDArray[np.float64]
    """(n, 3), mm, in patient coordinates (LPS)."""
    images: tuple[str, ...] = ()
    """SOP Instance UIDs of the images on which it was drawn."""

    def repeats(self, other: Contour) -> bool:
        """Whether both are CLOSED_PLANAR with the same corners, wherever each begins and whichever way it runs."""
        if (self.geometric_type, other.geometric_type) != ("CLOSED_PLANAR", "CLOSED_PLANAR"):
            return False
        if np.abs(self.points.min(axis=0) - other.points.min(axis=0)).max() > ONE_HEIGHT:
            return False
        return self._corners() == other._corners()

    def _corners(self) -> set[tuple[float, ...]]:
        return set(map(tuple, self.points.round(3).tolist()))


@dataclass(slots=True, eq=False)
class Roi:
    """A region of interest: its description and its contours."""

    number: int
    name: str = ""
    description: str = ""
    algorithm: str = ""
    """AUTOMATIC, SEMIAUTOMATIC or MANUAL (ROI Generation Algorithm)."""
    frame_of_reference: str = ""
    interpreted_type: str = ""
    """PTV, CTV, ORGAN, EXTERNAL, … (RT ROI Interpreted Type)."""
    colour: tuple[int, int, int] | None = None
    """RGB, 0 to 255."""
    contours: list[Contour] = field(default_factory=list)

    @property
    def points(self) -> NDArray[np.float64]:
        """The points of all contours, (n, 3)."""
        return np.concatenate([contour.points for contour in self.contours] or [np.empty((0, 3))])

    def mask(self, stack: Stack, rows: int, columns: int) -> NDArray[np.uint8]:
        """Fill the closed contours on the planes of a stack; return (planes, rows, columns) of uint8, 0 or 1.

        A pixel is inside if its centre is. A contour inside another one at the same height makes a hole; keyhole
        contours need no second contour for it. A CLOSED_PLANAR contour that is there twice counts once. Contours
        between planes are added to the nearest plane. Points, open contours and contours of an unknown type enclose
        nothing. Raises ParseError if a point of a contour is farther from the nearest plane than half
        the distance between planes plus 0.5 mm (0.5 mm in an uneven stack), and ValueError for a stack without Pixel
        Spacing.
        """
        if np.isnan(stack.spacing[1:]).any():
            raise ValueError("the stack has no Pixel Spacing: the positions of its pixels are not known")
        filled_planes = np.zeros((len(stack.origins), rows, columns), np.uint8)
        heights = (stack.origins - stack.origins[0]) @ stack.normal
        reach = 0.5 + (stack.spacing[0] / 2 if stack.is_even else 0.0)
        layers: list[tuple[int, float, NDArray[np.uint8], Contour]] = []
        for number, contour in enumerate(self.contours):
            if not contour.geometric_type.startswith("CLOSED") or len(contour.points) < 3:
                continue
            relative = contour.points - stack.origins[0]
            along = relative @ stack.normal
            height = float(np.median(along))
            plane = int(np.abs(heights - height).argmin())
            if abs(heights[plane] - height) > reach:
                raise ParseError(f"contour {number} of region {self.number} lies on no plane of the stack")
            if np.abs(along - heights[plane]).max() > reach:
                raise ParseError(f"contour {number} of region {self.number} is not parallel to the planes of the stack")
            across = relative @ stack.orientation[:3] / stack.spacing[2]
            down = relative @ stack.orientation[3:] / stack.spacing[1]
            layers.append((plane, height, fill(down, across, rows, columns), contour))
        layers.sort(key=lambda layer: layer[:2])
        while layers:
            plane, height, filled, contour = layers.pop()
            counted = [contour]
            while layers and layers[-1][0] == plane and height - layers[-1][1] < ONE_HEIGHT:
                *_, another, contour = layers.pop()
                if not any(contour.repeats(other) for other in counted):
                    filled ^= another
                    counted.append(contour)
            filled_planes[np.abs(heights - heights[plane]) < ONE_HEIGHT] |= filled  # all images at this position
        return filled_planes


class Structures:
    """The regions of an RT Structure Set: ``Structures(ds)["liver"].contours[0].points``."""

    def __init__(self, data_set: Dataset, *, strict: bool = False) -> None:
        """Read the regions and their contours.

        Missing and contradictory attributes are listed in `issues`; with `strict` the first issue raises ParseError.
        Raises ParseError if the data set is not a structure set, or if the points of a contour are not triples.
        """
        if "StructureSetROISequence" not in data_set and "ROIContourSequence" not in data_set:
            raise ParseError("the data set has no Structure Set ROI Sequence (3006,0020)")
        self.label = text_of(data_set, "StructureSetLabel") or ""
        reader = _Reader(strict)
        with np.errstate(over="ignore", invalid="ignore"):  # numbers that are not finite are checked separately
            self.rois = tuple(reader.rois(data_set).values())
        self.issues: tuple[Issue, ...] = tuple(reader.issues)
        """ROI_NUMBER, ROI_REFERENCE, CONTOUR_DATA, CONTOUR_TYPE."""

    def __len__(self) -> int:
        return len(self.rois)

    def __iter__(self) -> Iterator[Roi]:
        return iter(self.rois)

    def __getitem__(self, key: int | str) -> Roi:
        """Return the region with this number, or the first one with this name; raise KeyError if there is none."""
        for roi in self.rois:
            if key == (roi.number if isinstance(key, int) else roi.name):
                return roi
        raise KeyError(f"there is no region {key!r}")


class _Reader:
    """Reads regions and contours; collects issues, or raises the first one."""

    def __init__(self, strict: bool) -> None:
        self.issues: list[Issue] = []
        self._strict = strict

    def _note(self, code: str, item: Dataset, keyword: str, message: str) -> None:
        offset = item[keyword].offset if keyword in item else None
        if self._strict:
            raise ParseError(message, offset=offset, tag=int(Tag(keyword)))
        self.issues.append(Issue(code, Tag(keyword), offset or 0, message))

    def rois(self, data_set: Dataset) -> dict[int, Roi]:
        """Return the regions by number, including regions with contours but without a description."""
        by_number: dict[int, Roi] = {}
        for item in items_of(data_set, "StructureSetROISequence"):
            number = int(number_of(item, "ROINumber") or 0)
            name = text_of(item, "ROIName") or ""
            if number_of(item, "ROINumber") is None:
                self._note("ROI_NUMBER", item, "ROINumber", f"the region {name!r} has no ROI Number: 0 is assumed")
            if number in by_number:
                message = (
                    f"the regions {by_number[number].name!r} and {name!r} have the number {number}: the last one counts"
                )
                self._note("ROI_NUMBER", item, "ROINumber", message)
            by_number[number] = Roi(
                number,
                name,
                text_of(item, "ROIDescription") or "",
                text_of(item, "ROIGenerationAlgorithm") or "",
                text_of(item, "ReferencedFrameOfReferenceUID") or "",
            )
        for item in items_of(data_set, "RTROIObservationsSequence"):
            number = int(number_of(item, "ReferencedROINumber") or 0)
            if number in by_number:
                by_number[number].interpreted_type = text_of(item, "RTROIInterpretedType") or ""
        for item in items_of(data_set, "ROIContourSequence"):
            number = int(number_of(item, "ReferencedROINumber") or 0)
            if number not in by_number:
                message = f"there are contours of region {number}, which is not in the Structure Set ROI Sequence"
                self._note("ROI_REFERENCE", item, "ReferencedROINumber", message)
            roi = by_number.setdefault(number, Roi(number))
            colour = integers_of(item, "ROIDisplayColor")
            if len(colour) == 3:
                roi.colour = (colour[0], colour[1], colour[2])
            for position, contour_item in enumerate(items_of(item, "ContourSequence"), 1):
                contour = self._contour(contour_item, f"contour {position} of region {number}")
                if contour is not None:
                    roi.contours.append(contour)
        return by_number

    def _contour(self, item: Dataset, subject: str) -> Contour | None:
        """Read a contour; None if it has no points."""
        points = self._points(item, subject)
        if points is None:
            return None
        kind = term_of(item, "ContourGeometricType")
        if kind not in GEOMETRIC_TYPES:
            message = f"{subject} has the unknown geometric type {kind!r}: a mask leaves it out"
            self._note("CONTOUR_TYPE", item, "ContourGeometricType", message)
        elif kind.startswith("CLOSED") and len(points) < 3:
            message = f"{subject} is closed but has {len(points)} points, which enclose nothing"
            self._note("CONTOUR_DATA", item, "ContourData", message)
        return Contour(
            kind,
            points,
            tuple(
                uid
                for image in items_of(item, "ContourImageSequence")
                if (uid := text_of(image, "ReferencedSOPInstanceUID"))
            ),
        )

    def _points(self, item: Dataset, subject: str) -> NDArray[np.float64] | None:
        """Read the points of a contour, (n, 3); None if it has no readable points."""
        data = float_array(item, "ContourData")
        if data is None or not data.size:
            self._note("CONTOUR_DATA", item, "ContourData", f"{subject} has no Contour Data: it is left out")
            return None
        if not isfinite(data.dot(data)):  # checks all numbers for the cost of a sum
            readable = self._readable(item, data, subject)
            if readable is None:
                return None
            data = readable
        if data.size % 3:
            raise ParseError(
                f"{subject} has {data.size} numbers for its points, not triples",
                offset=item["ContourData"].offset,
                tag=int(Tag("ContourData")),
            )
        return data.reshape(-1, 3)

    def _readable(self, item: Dataset, data: NDArray[np.float64], subject: str) -> NDArray[np.float64] | None:
        """Drop values after the last triple that are not numbers; return None if other values are not numbers, too."""
        numbers = np.isfinite(data)
        if numbers.all():
            return data
        end = len(data) - int(numbers[::-1].argmax())
        if end % 3 or len(data) - end > 2 or not numbers[:end].all():
            message = f"{subject} has values among its points that are not numbers: it is left out"
            self._note("CONTOUR_DATA", item, "ContourData", message)
            return None
        message = f"{subject} has values after its points that are empty or not numbers: they are left out"
        self._note("CONTOUR_DATA", item, "ContourData", message)
        return data[:end]
