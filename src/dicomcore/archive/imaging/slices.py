"""Slices: the position of frames in the patient (PS3.3 C.7.6.2), and the other attributes that volumes need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, interpretation_of, items_of, number_of
from dicomcore.dataset.state import header_of
from dicomcore.display.reading import display_of, rescale_of
from dicomcore.display.rendering import Display
from dicomcore.issues import Issue
from dicomcore.notes import Note
from dicomcore.pixels.attributes import number_of_frames
from dicomcore.tags import Tag

__all__ = ["COSINE_SLACK", "Slice", "counted", "issue", "normal_of", "slices_of"]

NM_VECTORS = ("EnergyWindowVector", "DetectorVector", "RRIntervalVector", "TimeSlotVector")
"""The vectors that distinguish frames of one slice in nuclear medicine (PS3.3 C.8.4.8)."""
TIMES = {Tag("FrameTime"), Tag("FrameTimeVector")}
COSINE_SLACK = 1e-3  # cosines are written with few digits
OTHER_SPACINGS = {
    "ImagerPixelSpacing": "Imager Pixel Spacing, at the detector,",
    "NominalScannedPixelSpacing": "Nominal Scanned Pixel Spacing",
}


class Image(NamedTuple):
    """The attributes that all frames of a data set share."""

    instance: str
    """SOP Instance UID."""
    shape: tuple[int, int]
    space: str
    """Frame of Reference UID."""
    series: tuple[str, str]
    """Study and Series Instance UID."""
    samples: str
    """"colour", or the Photometric Interpretation of one sample a pixel."""


@dataclass(eq=False, slots=True, kw_only=True)
class Slice:
    """One frame of a data set: the position of its first pixel's centre (mm, LPS), and the direction of its rows and
    columns as unit vectors."""

    source: str
    data_set: Dataset
    frame: int
    position: NDArray[np.float64]
    along_row: NDArray[np.float64]
    along_column: NDArray[np.float64]
    spacing: tuple[float, float]
    """Between rows, between columns, in mm (Pixel Spacing)."""
    made_up: str
    """If the data set has no usable Pixel Spacing, text that says where `spacing` comes from; else empty."""
    thickness: float | None
    """Spacing Between Slices or Slice Thickness, mm."""
    image: Image
    display: Display
    """The transformation of stored values to modality values."""
    places: list[Any]
    """The data sets with its attributes by precedence: its functional groups, the shared ones, its data set."""
    vectors: dict[str, int] = field(default_factory=dict)
    """The frame's values of the vectors of a nuclear medicine image, by keyword."""
    groups: list[Dataset] | None = None
    """The items of its functional groups, once `get` has read them."""

    def get(self, *keywords: str) -> Any:
        """The value of the first of these attributes that its functional groups or its data set contain."""
        if self.groups is None:
            items = (first_item(place, group.keyword) for place in self.places[:-1] for group in place)
            self.groups = [item for item in items if item is not None]
        for keyword in keywords:
            if keyword in self.vectors:
                return self.vectors[keyword]
            for item in (*self.groups, self.places[-1]):
                if keyword in item:
                    return item.get(keyword)
        return None

    @property
    def is_enhanced(self) -> bool:
        """Whether it has functional groups."""
        return len(self.places) > 1

    def stated(self, sequence: str, keyword: str) -> Any:
        """A value of one functional group, or else of the data set; cheaper than `get`, which searches all groups."""
        return _value(self.places, sequence, keyword)

    @property
    def is_transformed(self) -> bool:
        """Whether the data set has a transformation of stored values to modality values."""
        return not self.display.keeps_values or any(
            _value(self.places, "PixelValueTransformationSequence", keyword) is not None
            for keyword in ("RescaleSlope", "RescaleIntercept")
        )

    @property
    def unit(self) -> str:
        """The unit of its modality values (Units of PET, or Rescale Type); empty if it is not stated."""
        unit = self.places[-1].get("Units") or _value(self.places, "PixelValueTransformationSequence", "RescaleType")
        return unit.strip() if isinstance(unit, str) else ""

    def __str__(self) -> str:
        return f"{self.source}, frame {self.frame}"


def issue(code: str, message: str, keyword: str = "ImagePositionPatient") -> Issue:
    """An issue of the slices' geometry, or of the attribute `keyword`."""
    return Issue(code, Tag(keyword), 0, message)


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 slice", "2 slices"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def slices_of(source: str, data_set: Dataset) -> tuple[list[Slice], list[Issue]]:
    """The frames of an image whose position is known, and issues for frames whose position is not.

    The position comes from the functional groups of an enhanced image (PS3.3 C.7.6.16.2), from the Grid Frame Offset
    Vector of a dose (C.8.8.3.2), and from the detector and the sign of Spacing Between Slices of reconstructed nuclear
    medicine (C.8.4.11, C.8.4.15).
    """
    header = header_of(data_set)
    groups = items_of(header, "PerFrameFunctionalGroupsSequence")
    issues: list[Issue] = []
    if groups:
        slices = _enhanced(source, data_set, header, groups)
    elif _is_reconstruction(header):
        slices, issues = _nuclear(source, data_set, header)
    else:
        slices, issues = _classic(source, data_set, header)
    frames = number_of_frames(header) if groups or not slices else _present_frames(data_set, header)
    placed = {slice_.frame for slice_ in slices if slice_.frame < frames}
    if slices and len(placed) < frames:
        first = next(frame for frame in range(frames) if frame not in placed)
        what = f"{frames - len(placed)} of {frames} frames have no place in the patient"
        issues.append(issue("NO_POSITION", f"{source}: {what} and were left out, the first is frame {first}"))
    return slices, issues


def _present_frames(data_set: Dataset, header: Dataset) -> int:
    """The number of frames in the pixel data: the Number of Frames that a data set claims may be wrong."""
    return len(data_set.frames) if number_of_frames(header) > 1 else 1


def _enhanced(source: str, data_set: Dataset, header: Dataset, groups: list[Dataset]) -> list[Slice]:
    shared = items_of(header, "SharedFunctionalGroupsSequence")[:1]
    display = display_of(header, len(groups))  # past the last frame: only shared attributes, or the data set's own
    slices: list[Slice] = []
    for frame, group in enumerate(groups):
        places = [group, *shared, header]
        # A position in the data set itself can't be that of several frames.
        position = _floats(_value(places, "PlanePositionSequence", "ImagePositionPatient", len(groups) == 1))
        orientation = _floats(_value(places, "PlaneOrientationSequence", "ImageOrientationPatient"))
        like = slices[-1] if slices else None
        slice_ = _slice(source, data_set, places, position, orientation, display, like)
        if slice_ is not None:
            slices.append(replace(slice_, frame=frame))
    return slices


def _classic(source: str, data_set: Dataset, header: Dataset) -> tuple[list[Slice], list[Issue]]:
    """The frames of a data set with one Image Position (Patient)."""
    display = display_of(header)
    scaling = number_of(header, "DoseGridScaling")
    if scaling:  # instead of a rescale, which a dose does not have (PS3.3 C.8.8.3)
        display = replace(display, rescale_slope=float(scaling), rescale_intercept=0.0, modality_lut=None)
    position, orientation = (_floats(header.get(f"Image{what}Patient")) for what in ("Position", "Orientation"))
    first = _slice(source, data_set, [header], position, orientation, display)
    if first is None:
        return [], []
    if len(offsets := _floats(header.get("GridFrameOffsetVector"))):
        slices, issues = _dose(first, offsets)
        if not scaling:
            text = f"{source}: Dose Grid Scaling is {'missing' if scaling is None else 0}: values are the stored ones"
            issues.append(issue("DOSE_GRID_SCALING", text, "DoseGridScaling"))
        return slices, issues
    frames = _present_frames(data_set, header)
    if frames == 1:
        return [first], []
    pointer = header.get("FrameIncrementPointer")
    pointers = pointer if isinstance(pointer, list) else [pointer]
    if TIMES.intersection(tag for tag in pointers if isinstance(tag, int)):  # a cine loop of one plane
        return [replace(first, frame=frame) for frame in range(frames)], []
    between = number_of(header, "SpacingBetweenSlices")
    if not between:
        return [first], []
    step = normal_of(first) * abs(float(between))
    assumed = f"{frames} frames have one position: they were placed one behind the other along the normal"
    assumption = issue("ASSUMED_POSITION", f"{source}: {assumed}, {abs(between):g} mm apart (Spacing Between Slices)")
    slices = [replace(first, frame=frame, position=first.position + frame * step) for frame in range(frames)]
    return slices, [assumption]


def _dose(first: Slice, offsets: NDArray[np.float64]) -> tuple[list[Slice], list[Issue]]:
    """The planes of a dose: offsets along the normal from the first, or z coordinates (PS3.3 C.8.8.3.2)."""
    along = normal_of(first)
    issues: list[Issue] = []
    axial = abs(along[2]) > 1 - COSINE_SLACK  # only axial planes have one z coordinate each
    if axial and offsets[0] != 0 and np.isclose(offsets[0], first.position[2], atol=1e-3):
        along = np.array([0.0, 0.0, 1.0])
    elif offsets[0] != 0:
        what = f"Grid Frame Offset Vector begins with {offsets[0]:g}, neither 0 nor the z of axial planes"
        text = f"{first.source}: {what}: offsets are taken from its first value"
        issues.append(issue("GRID_OFFSETS", text, "GridFrameOffsetVector"))
    steps = offsets - offsets[0]
    if len(steps) > 1 and steps[1]:
        first = replace(first, thickness=abs(float(steps[1])))
    return [replace(first, frame=i, position=first.position + along * step) for i, step in enumerate(steps)], issues


def _is_reconstruction(header: Dataset) -> bool:
    kinds = header.get("ImageType")
    third = kinds[2] if isinstance(kinds, list) and len(kinds) > 2 else None
    return third in ("RECON TOMO", "RECON GATED TOMO") and bool(items_of(header, "DetectorInformationSequence"))


def _nuclear(source: str, data_set: Dataset, header: Dataset) -> tuple[list[Slice], list[Issue]]:
    """The slices of reconstructed nuclear medicine: the position of the first is the detector's (PS3.3 C.8.4.11)."""
    detector = items_of(header, "DetectorInformationSequence")[0]
    position, orientation = (
        _floats(detector.get(keyword) or header.get(keyword))
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient")
    )
    first = _slice(source, data_set, [header], position, orientation, display_of(header))
    if first is None:
        return [], []
    frames = _present_frames(data_set, header)
    between = number_of(header, "SpacingBetweenSlices")
    issues: list[Issue] = []
    if not between and (between := number_of(header, "SliceThickness")):
        text = f"{source}: Spacing Between Slices is empty: Slice Thickness, {between:g} mm, is used instead"
        issues.append(issue("ASSUMED_POSITION", text, "SpacingBetweenSlices"))
    step = normal_of(first) * float(between or 0)  # the sign of the spacing is its direction (C.8.4.15)
    vectors = {keyword: each for keyword in NM_VECTORS if len(each := _vector(header, keyword, frames))}
    numbers = _vector(header, "SliceVector", frames)
    numbers = numbers if len(numbers) else range(1, frames + 1)
    slices: list[Slice] = []
    for frame, slice_number in enumerate(numbers):
        steps = slice_number - numbers[0]
        if between or not steps:
            own = {keyword: vector[frame] for keyword, vector in vectors.items()}
            slices.append(replace(first, frame=frame, position=first.position + step * steps, vectors=own))
    return slices, issues


def _vector(header: Dataset, keyword: str, frames: int) -> Sequence[int]:
    """The values of a vector with an integer for each frame; empty for any other value."""
    values = header.get(keyword)
    values = values if isinstance(values, list) else [values]
    return values if len(values) == frames and all(isinstance(value, int) for value in values) else ()


def _slice(
    source: str,
    data_set: Dataset,
    places: list[Any],
    position: NDArray[np.float64],
    orientation: NDArray[np.float64],
    display: Display,
    like: Slice | None = None,
) -> Slice | None:
    """Frame 0 as a slice, None without a position. Shared attributes come from `like`, an earlier slice."""
    if len(position) != 3 or len(orientation) != 6:
        return None
    along_row, along_column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if min(lengths) < 0.5 or np.linalg.norm(np.cross(along_row, along_column)) < 0.5:
        return None
    spacing, made_up = _spacing(places)
    image = _image_of(places[-1]) if like is None else like.image
    return Slice(
        source=source,
        data_set=data_set,
        frame=0,
        position=position,
        along_row=along_row / lengths[0],
        along_column=along_column / lengths[1],
        spacing=spacing,
        made_up=made_up,
        thickness=_thickness(places),
        image=image,
        display=_rescaled(display, places),
        places=places,
    )


def _image_of(header: Dataset) -> Image:
    coloured = number_of(header, "SamplesPerPixel", 1) > 1
    return Image(
        instance=_text(header, "SOPInstanceUID"),
        shape=(int(number_of(header, "Rows", 0)), int(number_of(header, "Columns", 0))),
        space=_text(header, "FrameOfReferenceUID"),
        series=(_text(header, "StudyInstanceUID"), _text(header, "SeriesInstanceUID")),
        samples="colour" if coloured else interpretation_of(header),
    )


def _spacing(places: list[Any]) -> tuple[tuple[float, float], str]:
    """Pixel Spacing, or the spacing used instead of it and text for the issue."""
    stated = _floats(_value(places, "PixelMeasuresSequence", "PixelSpacing"))
    if _is_spacing(stated):
        return (float(stated[0]), float(stated[1])), ""
    reason = f"Pixel Spacing is {stated.tolist()}" if len(stated) else "there is no Pixel Spacing"
    for keyword, name in OTHER_SPACINGS.items():
        other = _floats(places[-1].get(keyword))
        if _is_spacing(other):
            return (float(other[0]), float(other[1])), f"{reason}: {name} was taken for it"
    return (1.0, 1.0), f"{reason}: 1 mm was made up"


def _is_spacing(values: NDArray[np.float64]) -> bool:
    return len(values) == 2 and bool(values.min() > 0)


def _thickness(places: list[Any]) -> float | None:
    between, thick = (
        _floats(_value(places, "PixelMeasuresSequence", keyword))
        for keyword in ("SpacingBetweenSlices", "SliceThickness")
    )
    if len(between) and between[0]:
        return abs(float(between[0]))  # a sign is a direction (C.8.4.15)
    return float(thick[0]) if len(thick) and thick[0] > 0 else None


def _rescaled(display: Display, places: list[Any]) -> Display:
    """`display` with the slope and intercept of the frame's functional groups, if these have both."""
    rescale = {
        keyword: _value([*places[:-1], {}], "PixelValueTransformationSequence", keyword)
        for keyword in ("RescaleSlope", "RescaleIntercept")
    }
    if not all(len(_floats(value)) for value in rescale.values()):
        return display
    notes: list[Note] = []
    slope, intercept = rescale_of(rescale, notes)
    return replace(display, rescale_slope=slope, rescale_intercept=intercept, notes=(*display.notes, *notes))


def _value(places: list[Any], sequence: str, keyword: str, whole: bool = True) -> Any:
    """An attribute's value from the first of `places` that has it: an item of a functional group, or at the end, with
    `whole`, the data set itself."""
    for place in places[:-1]:
        item = first_item(place, sequence)
        if item is not None and keyword in item:
            return item.get(keyword)
    return places[-1].get(keyword) if whole else None


def _text(header: Dataset, keyword: str) -> str:
    return str(header.get(keyword) or "")


def _floats(value: Any) -> NDArray[np.float64]:
    """A value's components as floats; empty unless all are finite numbers."""
    values = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    try:
        numbers = np.array([float(component) for component in values])
    except (TypeError, ValueError):
        return np.empty(0)
    return numbers if np.isfinite(numbers).all() else np.empty(0)


def normal_of(slice_: Slice) -> NDArray[np.float64]:
    """The slice's normal: the unit vector perpendicular to its rows and columns, by the right-hand rule."""
    normal = np.cross(slice_.along_row, slice_.along_column)
    return np.asarray(normal / np.linalg.norm(normal))
