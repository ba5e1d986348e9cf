"""Attributes with a value for each frame, or with the number of a frame, where only some frames are written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset import Sequence as Items
from dicomcore.dataset.building import build
from dicomcore.dataset.lookup import first_item, float_array, integers_of, items_of, number_of, term_of
from dicomcore.pixels.overlays import little_endian, put_overlay_data
from dicomcore.tags import Tag

__all__ = ["select_frames"]

PER_FRAME = "PerFrameFunctionalGroupsSequence"
VECTORS = (
    *(f"{what}Vector" for what in ("EnergyWindow", "Detector", "Phase", "Rotation", "RRInterval", "TimeSlot", "Slice")),
    *(f"{what}Vector" for what in ("AngularView", "TimeSlice", "PageNumber", "FrameLabel", "SliceLocation")),
    *("FramePrimaryAngleVector", "FrameSecondaryAngleVector", "DisplayWindowLabelVector"),
    *("PositionerPrimaryAngleIncrement", "PositionerSecondaryAngleIncrement", "GridFrameOffsetVector"),
    *(f"Table{way}Increment" for way in ("Vertical", "Lateral", "Longitudinal")),
)
"""Attributes with a value for each frame, whether Frame Increment Pointer names them or not."""
NUMBERS = ("RepresentativeFrameNumber", "StartTrim", "StopTrim", "IVUSPullbackStartFrameNumber")
"""Optional attributes with the number of a frame, from 1."""
COSINES, OFFSET = "ImageOrientationSlide", "OffsetInSlideCoordinateSystem"
OVERLAYS = range(0x6000, 0x6020, 2)
FRAMES, ORIGIN, DATA = 0x15, 0x51, 0x3000
"""Elements of an overlay: Number of Frames in Overlay, Image Frame Origin, Overlay Data (PS3.3 C.9.2.1)."""


def select_frames(header: Dataset, indices: Sequence[int], of: int) -> None:
    """Reduce what describes each of `of` frames to the frames of `indices`, from 0, in their order."""
    groups = header.get(PER_FRAME)
    if isinstance(groups, list) and len(groups) == of:
        setattr(header, PER_FRAME, Items([groups[i] for i in indices]))
    _times(header, indices, of)
    _places(header, indices, of)
    pointers = header.get("FrameIncrementPointer")
    pointed = pointers if isinstance(pointers, list) else [pointers]
    for tag in {*map(Tag, VECTORS), *(Tag(tag) for tag in pointed if isinstance(tag, int))} - {Tag("FrameTimeVector")}:
        values = header.get(tag).value if tag in header else None
        if isinstance(values, list) and len(values) == of and header[tag].VR != "SQ":
            header.add_new(tag, header[tag].VR, [values[i] for i in indices])
    new = {old + 1: number for number, old in reversed(list(enumerate(indices, 1)))}
    _numbers(header, new)
    _masks(header, new)
    for group in OVERLAYS:
        _overlay(header, group << 16, indices)
    if term_of(header, "DimensionOrganizationType") == "TILED_FULL":  # places follow from the numbers of all frames
        _state_places(header, indices)
    header.NumberOfFrames = len(indices)


class _Tiling(NamedTuple):
    """A full tiling, whose frames run along columns, rows, focal planes and channels (PS3.3 C.7.6.17.3)."""

    tile: tuple[int, int]
    tiles: tuple[int, int]
    focal: int
    origin: NDArray[np.float64]
    """Of the total pixel matrix in the slide: mm, mm, micrometres."""
    down: NDArray[np.float64]
    """From row to row."""
    across: NDArray[np.float64]
    between: float
    """Micrometres between focal planes."""

    @classmethod
    def of(cls, header: Dataset) -> _Tiling | None:
        """The tiling of an image; None if it does not state one."""
        names = ("Rows", "Columns", "TotalPixelMatrixRows", "TotalPixelMatrixColumns")
        rows, columns, height, width = (int(number_of(header, name) or 0) for name in names)
        shared = first_item(header, "SharedFunctionalGroupsSequence")
        measures = None if shared is None else first_item(shared, "PixelMeasuresSequence")
        origin, cosines = first_item(header, "TotalPixelMatrixOriginSequence"), float_array(header, COSINES)
        spacing = None if measures is None else float_array(measures, "PixelSpacing")
        if min(rows, columns, height, width) < 1 or origin is None or measures is None:
            return None
        if cosines is None or len(cosines) != 6 or spacing is None or len(spacing) != 2:
            return None
        return cls(
            (rows, columns),
            (-(-height // rows), -(-width // columns)),
            max(int(number_of(header, "TotalPixelMatrixFocalPlanes") or 1), 1),
            np.array([number_of(origin, f"{axis}{OFFSET}") or 0.0 for axis in "XYZ"], np.float64),
            spacing[0] * cosines[3:],
            spacing[1] * cosines[:3],
            1000.0 * float(number_of(measures, "SpacingBetweenSlices") or 0.0),
        )

    def place(self, number: int) -> tuple[Dataset, int]:
        """The Plane Position (Slide) of a frame, from 0, and its channel."""
        (rows, columns), (down, across) = self.tile, self.tiles
        row, column = number // across % down * rows, number % across * columns
        x, y, z = (self.origin + row * self.down + column * self.across).tolist()
        z += number // (down * across) % self.focal * self.between
        position = {f"{axis}{OFFSET}": round(value, 6) for axis, value in zip("XYZ", (x, y, z), strict=True)}
        matrix = {
            "ColumnPositionInTotalImagePixelMatrix": column + 1,
            "RowPositionInTotalImagePixelMatrix": row + 1,
        }
        return build({**position, **matrix}), number // (down * across * self.focal)


def _state_places(header: Dataset, indices: Sequence[int]) -> None:
    """Make a full tiling a sparse one, whose frames state their place, optical path or segment."""
    tiling = _Tiling.of(header)
    if tiling is None:
        del header.DimensionOrganizationType
        return
    groups = items_of(header, PER_FRAME)
    before = int(number_of(header, "ConcatenationFrameOffsetNumber") or 0)
    made = []
    for place, index in enumerate(indices):
        group = groups[place].copy() if len(groups) == len(indices) else Dataset()
        position, channel = tiling.place(before + index)
        group.PlanePositionSlideSequence = [position]
        _state_channel(header, group, channel)
        made.append(group)
    setattr(header, PER_FRAME, Items(made))
    header.DimensionOrganizationType = "TILED_SPARSE"


def _state_channel(header: Dataset, group: Dataset, channel: int) -> None:
    """The optical path or the segment of a frame, which in a full tiling follows from its number."""
    for described, keyword, identification, own in (
        ("OpticalPathSequence", "OpticalPathIdentifier", "OpticalPathIdentificationSequence", "OpticalPathIdentifier"),
        ("SegmentSequence", "SegmentNumber", "SegmentIdentificationSequence", "ReferencedSegmentNumber"),
    ):
        items = items_of(header, described)
        if channel < len(items) and keyword in items[channel] and identification not in group:
            setattr(group, identification, [build({own: items[channel].get(keyword)})])


def _times(header: Dataset, indices: Sequence[int], of: int) -> None:
    """Frame Time and Frame Time Vector are the time since the frame before (PS3.3 C.7.6.5.1.2)."""
    vector, each = header.get("FrameTimeVector"), number_of(header, "FrameTime")
    if isinstance(vector, list) and len(vector) == of and all(isinstance(value, (int, float)) for value in vector):
        starts = list(accumulate(vector))
        header.FrameTimeVector = [0, *_steps(starts, indices)]
    if each is None or len(indices) < 2:
        return
    steps = _steps([each * frame for frame in range(of)], indices)
    if min(steps) == max(steps) > 0:
        header.FrameTime = steps[0]
        return
    header.FrameTimeVector = [0, *steps]
    del header.FrameTime
    pointers = header.get("FrameIncrementPointer")
    pointed = [Tag("FrameTimeVector") if tag == Tag("FrameTime") else tag for tag in _listed(pointers)]
    header.FrameIncrementPointer = pointed if len(pointed) > 1 else Tag("FrameTimeVector")


def _places(header: Dataset, indices: Sequence[int], of: int) -> None:
    """The position of a dose and of reconstructed nuclear medicine is the first frame's (C.8.8.3.2, C.8.4.11)."""
    offsets, slices = float_array(header, "GridFrameOffsetVector"), integers_of(header, "SliceVector")
    if offsets is not None and len(offsets) == of and np.isfinite(offsets).all():
        step = float(offsets[indices[0]] - offsets[0])
        along = None if offsets[0] == 0 else np.array([0.0, 0.0, 1.0])
        if _moved(header, header, step, along) and offsets[0] == 0:
            header.GridFrameOffsetVector = [round(offset - step, 6) for offset in offsets.tolist()]
    detectors, between = items_of(header, "DetectorInformationSequence"), number_of(header, "SpacingBetweenSlices")
    if detectors and between and len(slices) == of:
        step = float(between) * (slices[indices[0]] - slices[0])
        moved = [detector.copy() for detector in detectors]
        for detector in moved:
            _moved(detector, header, step, None)
        header.DetectorInformationSequence = Items(moved)


def _moved(place: Dataset, header: Dataset, step: float, along: NDArray[np.float64] | None) -> bool:
    """Move the position of `place` by `step` mm along its normal or `along`; whether it has any."""
    position = float_array(place, "ImagePositionPatient")
    cosines = float_array(place if "ImageOrientationPatient" in place else header, "ImageOrientationPatient")
    if position is None or len(position) != 3 or cosines is None or len(cosines) != 6:
        return False
    along = np.cross(cosines[:3], cosines[3:]) if along is None else along
    if step:
        place.ImagePositionPatient = [round(value, 6) for value in (position + step * along).tolist()]
    return True


def _steps(starts: list[Any], indices: Sequence[int]) -> list[float]:
    return [round(float(starts[b] - starts[a]), 6) for a, b in pairwise(indices)]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value in (None, "") else [value]


def _numbers(header: Dataset, new: dict[int, int]) -> None:
    """Numbers of frames become those of the new file; what is said of frames that are not there is left out."""
    for keyword in (*NUMBERS, "IVUSPullbackStopFrameNumber"):
        number = header.get(keyword)
        if isinstance(number, int) and number in new:
            setattr(header, keyword, new[number])
        elif keyword in header:
            del header[Tag(keyword)]
    numbers = integers_of(header, "FrameNumbersOfInterest")
    kept = [place for place, number in enumerate(numbers) if number in new]
    for keyword in ("FrameOfInterestDescription", "FrameOfInterestType", "FrameNumbersOfInterest"):
        values = _listed(header.get(keyword))
        if not numbers or len(values) != len(numbers):
            continue
        if keyword == "FrameNumbersOfInterest":
            values = [new.get(number) for number in numbers]
        _put(header, keyword, [values[place] for place in kept])


def _put(header: Dataset, keyword: str, values: list[Any]) -> None:
    if values:
        setattr(header, keyword, values if len(values) > 1 else values[0])
    elif keyword in header:
        del header[Tag(keyword)]


def _masks(header: Dataset, new: dict[int, int]) -> None:
    """Masks whose frames are there, for the frames that are there (PS3.3 C.7.6.10)."""
    masks = []
    for item in items_of(header, "MaskSubtractionSequence"):
        frames, ranges = integers_of(item, "MaskFrameNumbers"), integers_of(item, "ApplicableFrameRange")
        within = [number for old, number in new.items() if any(a <= old <= b for a, b in _pairs(ranges))]
        if any(frame not in new for frame in frames) or (ranges and not within):
            continue
        mask = item.copy()
        _put(mask, "MaskFrameNumbers", [new[frame] for frame in frames])
        _put(mask, "ApplicableFrameRange", [number for number in sorted(within) for _ in range(2)])
        masks.append(mask)
    if masks:
        header.MaskSubtractionSequence = Items(masks)
    elif "MaskSubtractionSequence" in header:
        del header.MaskSubtractionSequence


def _pairs(values: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(values[::2], values[1::2], strict=False))


def _overlay(header: Dataset, group: int, indices: Sequence[int]) -> None:
    """An overlay of some frames gets a plane for each new frame; one without a number of frames is for all of them."""
    elements = (group | element for element in (FRAMES, ORIGIN, 0x10, 0x11, DATA))
    count, first, rows, columns, data = (header[tag].value if tag in header else None for tag in elements)
    if (count is None and first is None) or not isinstance(rows, int) or not isinstance(columns, int) or not data:
        return
    count, size = count if isinstance(count, int) else 1, rows * columns
    ordered = little_endian(data, header, group | DATA)
    bits = np.unpackbits(np.frombuffer(ordered, np.uint8), bitorder="little")
    if not 0 < count * size <= len(bits):
        return
    planes = bits[: count * size].reshape(count, size)
    chosen = np.zeros((len(indices), size), np.uint8)
    for place, index in enumerate(indices):
        plane = index - ((first if isinstance(first, int) else 1) - 1)
        if 0 <= plane < count:
            chosen[place] = planes[plane]
    put_overlay_data(header, group | DATA, np.packbits(chosen, bitorder="little").tobytes())
    header.add_new(group | FRAMES, "IS", len(indices))
    header.add_new(group | ORIGIN, "US", 1)
