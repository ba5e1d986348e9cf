"""Structures: the contours of an RT Structure Set as arrays (PS3.3 A.19, C.8.8.5, C.8.8.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import ParseError
from dicomcore.lookup import float_array, integers_of, items_of, number_of, text_of
from dicomcore.objects.planes import Stack
from dicomcore.objects.polygons import fill

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Contour", "Roi", "Structures"]


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

        A pixel is inside where its centre is; contours on one plane that lie in each other make holes (keyhole contours
        do so by themselves). Contours between planes count for the nearest. Raises ParseError where a contour is more
        than half a plane's distance, or half a mm, from any.
        """
        made = np.zeros((len(stack.origins), rows, columns), np.uint8)
        heights = (stack.origins - stack.origins[0]) @ stack.normal
        reach = 0.5 + (stack.spacing[0] / 2 if stack.is_even else 0.0)
        for number, contour in enumerate(self.contours):
            if not contour.geometric_type.startswith("CLOSED") or len(contour.points) < 3:
                continue
            away = contour.points - stack.origins[0]
            height = float(np.median(away @ stack.normal))
            plane = int(np.abs(heights - height).argmin())
            if abs(heights[plane] - height) > reach:
                raise ParseError(f"contour {number} of region {self.number} lies on no plane of the stack")
            across = away @ stack.orientation[:3] / stack.spacing[2]
            down = away @ stack.orientation[3:] / stack.spacing[1]
            made[plane] ^= fill(down, across, rows, columns)
        return made


class Structures:
    """The regions of an RT Structure Set: ``Structures(ds)["liver"].contours[0].points``."""

    def __init__(self, data_set: Dataset) -> None:
        """Raises ParseError where the data set is no structure set, or a contour's points are not triples."""
        if "StructureSetROISequence" not in data_set and "ROIContourSequence" not in data_set:
            raise ParseError("the data set has no Structure Set ROI Sequence (3006,0020)")
        self.label = text_of(data_set, "StructureSetLabel") or ""
        self.rois = tuple(_rois(data_set).values())

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


def _rois(data_set: Dataset) -> dict[int, Roi]:
    """Regions by number, those with contours and no description too."""
    made: dict[int, Roi] = {}
    for item in items_of(data_set, "StructureSetROISequence"):
        number = int(number_of(item, "ROINumber") or 0)
        made[number] = Roi(
            number,
            text_of(item, "ROIName") or "",
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
        roi = made.setdefault(number, Roi(number))
        colour = integers_of(item, "ROIDisplayColor")
        if len(colour) == 3:
            roi.colour = (colour[0], colour[1], colour[2])
        roi.contours += [_contour(one, number) for one in items_of(item, "ContourSequence")]
    return made


def _contour(item: Dataset, number: int) -> Contour:
    data = float_array(item, "ContourData")
    if data is None or data.size % 3:
        held = "no numbers" if data is None else f"{data.size} numbers"
        offset = item["ContourData"].offset if "ContourData" in item else None
        raise ParseError(f"a contour of region {number} has {held} for its points, not triples", offset=offset)
    return Contour(
        (text_of(item, "ContourGeometricType") or "").strip(),
        data.reshape(-1, 3),
        tuple(
            uid for one in items_of(item, "ContourImageSequence") if (uid := text_of(one, "ReferencedSOPInstanceUID"))
        ),
    )
