"""Structures: the contours of an RT Structure Set as arrays (PS3.3 A.19, C.8.8.5, C.8.8.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import float_array, integers_of, items_of, number_of, text_of
from dicomcore.errors import ParseError
from dicomcore.issues import Issue
from dicomcore.objects.planes import Stack
from dicomcore.objects.polygons import fill
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Contour", "Roi", "Structures"]

GEOMETRIC_TYPES = ("POINT", "OPEN_PLANAR", "OPEN_NONPLANAR", "CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
ONE_HEIGHT = 1e-2
"""mm: contours and planes this close lie in one plane."""


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """One contour of a region."""

    geometric_type: str
    """POINT, OPEN_PLANAR, OPEN_NONPLANAR, CLOSED_PLANAR, CLOSEDPLANAR_XOR."""
    points: NDArray[np.float64]
    """(n, 3), mm, in the patient's coordinates (LPS)."""
    images: tuple[str, ...] = ()
    """SOP Instance UIDs of the images it was drawn on."""


@dataclass(slots=True, eq=False)
class Roi:
    """A region of interest: what it is, and its contours."""

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
        """All points of all contours, (n, 3)."""
        return np.concatenate([contour.points for contour in self.contours] or [np.empty((0, 3))])

    def mask(self, stack: Stack, rows: int, columns: int) -> NDArray[np.uint8]:
        """Fill the closed contours on the planes of a stack: (planes, rows, columns) of uint8, 0 or 1.

        A pixel is inside where its centre is; contours of one height that lie in each other make holes (keyhole
        contours do so by themselves). Contours between planes are added to the nearest. Points and open contours
        enclose nothing. Raises ParseError where a contour, or part of it, is more than half a plane's distance, or
        half a mm, from the plane that is nearest; ValueError for a stack without Pixel Spacing.
        """
        if np.isnan(stack.spacing[1:]).any():
            raise ValueError("the stack has no Pixel Spacing: where its pixels lie is not known")
        made = np.zeros((len(stack.origins), rows, columns), np.uint8)
        heights = (stack.origins - stack.origins[0]) @ stack.normal
        reach = 0.5 + (stack.spacing[0] / 2 if stack.is_even else 0.0)
        layers: list[tuple[int, float, NDArray[np.uint8]]] = []
        for number, contour in enumerate(self.contours):
            if not contour.geometric_type.startswith("CLOSED") or len(contour.points) < 3:
                continue
            away = contour.points - stack.origins[0]
            along = away @ stack.normal
            height = float(np.median(along))
            plane = int(np.abs(heights - height).argmin())
            if abs(heights[plane] - height) > reach:
                raise ParseError(f"contour {number} of region {self.number} lies on no plane of the stack")
            if np.abs(along - heights[plane]).max() > reach:
                raise ParseError(f"contour {number} of region {self.number} is not parallel to the planes of the stack")
            across = away @ stack.orientation[:3] / stack.spacing[2]
            down = away @ stack.orientation[3:] / stack.spacing[1]
            layers.append((plane, height, fill(down, across, rows, columns)))
        layers.sort(key=lambda layer: layer[:2])
        while layers:
            plane, height, filled = layers.pop()
            while layers and layers[-1][0] == plane and height - layers[-1][1] < ONE_HEIGHT:
                filled ^= layers.pop()[2]
            made[np.abs(heights - heights[plane]) < ONE_HEIGHT] |= filled  # of several images at one place, all
        return made


class Structures:
    """The regions of an RT Structure Set: ``Structures(ds)["liver"].contours[0].points``."""

    def __init__(self, data_set: Dataset, *, strict: bool = False) -> None:
        """Read the regions and their contours.

        What is missing or contradicts itself is in `issues`; with `strict` the first such raises ParseError. Raises
        ParseError where the data set is no structure set, or a contour's points are not triples.
        """
        if "StructureSetROISequence" not in data_set and "ROIContourSequence" not in data_set:
            raise ParseError("the data set has no Structure Set ROI Sequence (3006,0020)")
        self.label = text_of(data_set, "StructureSetLabel") or ""
        reader = _Reader(strict)
        with np.errstate(over="ignore", invalid="ignore"):  # what isn't finite is looked at apart
            self.rois = tuple(reader.rois(data_set).values())
        self.issues: tuple[Issue, ...] = tuple(reader.issues)
        """ROI_NUMBER, ROI_REFERENCE, CONTOUR_DATA, CONTOUR_TYPE."""

    def __len__(self) -> int:
        return len(self.rois)

    def __iter__(self) -> Iterator[Roi]:
        return iter(self.rois)

    def __getitem__(self, key: int | str) -> Roi:
        """The region of this number, or the first of this name; KeyError where there is none."""
        for roi in self.rois:
            if key == (roi.number if isinstance(key, int) else roi.name):
                return roi
        raise KeyError(f"there is no region {key!r}")


class _Reader:
    """Regions and contours of a data set, and what deviates, noted or raised."""

    def __init__(self, strict: bool) -> None:
        self.issues: list[Issue] = []
        self._strict = strict

    def _note(self, code: str, item: Dataset, keyword: str, message: str) -> None:
        offset = item[keyword].offset if keyword in item else None
        if self._strict:
            raise ParseError(message, offset=offset, tag=int(Tag(keyword)))
        self.issues.append(Issue(code, Tag(keyword), offset or 0, message))

    def rois(self, data_set: Dataset) -> dict[int, Roi]:
        """Regions by number, those with contours and no description too."""
        made: dict[int, Roi] = {}
        for item in items_of(data_set, "StructureSetROISequence"):
            number = int(number_of(item, "ROINumber") or 0)
            name = text_of(item, "ROIName") or ""
            if number_of(item, "ROINumber") is None:
                self._note("ROI_NUMBER", item, "ROINumber", f"the region {name!r} has no ROI Number: 0 is taken")
            if number in made:
                said = f"the regions {made[number].name!r} and {name!r} have the number {number}: the last one counts"
                self._note("ROI_NUMBER", item, "ROINumber", said)
            made[number] = Roi(
                number,
                name,
                text_of(item, "ROIDescription") or "",
                text_of(item, "ROIGenerationAlgorithm") or "",
                text_of(item, "ReferencedFrameOfReferenceUID") or "",
            )
        for item in items_of(data_set, "RTROIObservationsSequence"):
            number = int(number_of(item, "ReferencedROINumber") or 0)
            if number in made:
                made[number].interpreted_type = text_of(item, "RTROIInterpretedType") or ""
        for item in items_of(data_set, "ROIContourSequence"):
            number = int(number_of(item, "ReferencedROINumber") or 0)
            if number not in made:
                said = f"there are contours of region {number}, which is not in the Structure Set ROI Sequence"
                self._note("ROI_REFERENCE", item, "ReferencedROINumber", said)
            roi = made.setdefault(number, Roi(number))
            colour = integers_of(item, "ROIDisplayColor")
            if len(colour) == 3:
                roi.colour = (colour[0], colour[1], colour[2])
            for place, one in enumerate(items_of(item, "ContourSequence"), 1):
                contour = self._contour(one, f"contour {place} of region {number}")
                if contour is not None:
                    roi.contours.append(contour)
        return made

    def _contour(self, item: Dataset, subject: str) -> Contour | None:
        """One contour; None where it has no points."""
        points = self._points(item, subject)
        if points is None:
            return None
        kind = (text_of(item, "ContourGeometricType") or "").strip()
        if kind not in GEOMETRIC_TYPES:
            said = f"{subject} has the unknown geometric type {kind!r}"
            self._note("CONTOUR_TYPE", item, "ContourGeometricType", said)
        elif kind.startswith("CLOSED") and len(points) < 3:
            said = f"{subject} is closed and has {len(points)} points, which enclose nothing"
            self._note("CONTOUR_DATA", item, "ContourData", said)
        return Contour(
            kind,
            points,
            tuple(
                uid
                for one in items_of(item, "ContourImageSequence")
                if (uid := text_of(one, "ReferencedSOPInstanceUID"))
            ),
        )

    def _points(self, item: Dataset, subject: str) -> NDArray[np.float64] | None:
        """The points of a contour, (n, 3); None where there are none that can be read."""
        data = float_array(item, "ContourData")
        if data is None or not data.size:
            self._note("CONTOUR_DATA", item, "ContourData", f"{subject} has no Contour Data: it is left out")
            return None
        if not isfinite(data.dot(data)):  # at the price of a sum, whether one is none
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
        """Numbers without what stands behind the last triple and is none; None where others are none too."""
        numbers = np.isfinite(data)
        if numbers.all():
            return data
        end = len(data) - int(numbers[::-1].argmax())
        if end % 3 or len(data) - end > 2 or not numbers[:end].all():
            said = f"{subject} has values among its points that are no numbers: it is left out"
            self._note("CONTOUR_DATA", item, "ContourData", said)
            return None
        said = f"{subject} has values behind its points that are empty or no numbers: they are left out"
        self._note("CONTOUR_DATA", item, "ContourData", said)
        return data[:end]
