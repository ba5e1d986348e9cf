"""Values of content items: measurements, references, coordinates, times (PS3.3 C.18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.building import Plain
from dicomcore.dataset.code import Code, code_of
from dicomcore.dataset.lookup import first_item, float_array, integers_of, number_of, text_of, texts_of
from dicomcore.uids import UID

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Coordinates", "ImageReference", "Numeric", "Reference", "TemporalRange", "WaveformReference"]


@dataclass(slots=True)
class Numeric:
    """A measured value with its unit (PS3.3 C.18.1); `value` is None if only a qualifier says why it is missing.

    `floating` and the fraction `numerator`/`denominator` give the same number where DS is not exact enough.
    """

    value: float | None
    unit: Code | None = None
    qualifier: Code | None = None
    floating: float | None = None
    numerator: int | None = None
    denominator: int | None = None

    @classmethod
    def of(cls, data_set: Dataset) -> Numeric:
        """Read the measurement from the attributes of a NUM content item."""
        qualifier = code_of(data_set, "NumericValueQualifierCodeSequence")
        measured = first_item(data_set, "MeasuredValueSequence")
        if measured is None:
            return cls(None, None, qualifier)
        return cls(
            number_of(measured, "NumericValue"),
            code_of(measured, "MeasurementUnitsCodeSequence"),
            qualifier,
            number_of(measured, "FloatingPointValue"),
            number_of(measured, "RationalNumeratorValue"),
            number_of(measured, "RationalDenominatorValue"),
        )

    def plain(self) -> Plain:
        """Return the attributes of a NUM content item by keyword."""
        measured = {
            "NumericValue": self.value,
            "FloatingPointValue": self.floating,
            "RationalNumeratorValue": self.numerator,
            "RationalDenominatorValue": self.denominator,
            "MeasurementUnitsCodeSequence": _codes(self.unit),
        }
        present = _without_none(measured)
        attributes: Plain = {"MeasuredValueSequence": [present] if self.value is not None or self.unit else []}
        if self.qualifier is not None:
            attributes["NumericValueQualifierCodeSequence"] = _codes(self.qualifier)
        return attributes

    @property
    def exact(self) -> float | None:
        """The number from its most exact form: the double, the fraction, or the decimal text."""
        if self.floating is not None:
            return self.floating
        if self.numerator is not None and self.denominator:
            return self.numerator / self.denominator
        return self.value


@dataclass(slots=True)
class Reference:
    """A reference to a SOP instance, by SOP class and instance UID (PS3.3 C.18.3)."""

    sop_class: UID
    sop_instance: UID

    @classmethod
    def of(cls, data_set: Dataset) -> Reference | None:
        """Read the first item of the Referenced SOP Sequence of `data_set`; None if it has none."""
        item = first_item(data_set, "ReferencedSOPSequence")
        return None if item is None else cls(*_uids(item))

    def plain(self) -> Plain:
        """Return the attributes of a content item with this reference, by keyword."""
        return {"ReferencedSOPSequence": [self.attributes()]}

    def attributes(self) -> Plain:
        """Return the attributes of an item of a Referenced SOP Sequence, by keyword."""
        return {"ReferencedSOPClassUID": self.sop_class, "ReferencedSOPInstanceUID": self.sop_instance}


@dataclass(slots=True)
class ImageReference(Reference):
    """A reference to an image, or to frames or segments of it, and the way to display it (PS3.3 C.18.4)."""

    frames: tuple[int, ...] = ()
    """Frame numbers, from 1; empty for all."""
    segments: tuple[int, ...] = ()
    presentation_state: Reference | None = None
    real_world_mapping: Reference | None = None

    @classmethod
    def of(cls, data_set: Dataset) -> ImageReference | None:
        """Read the first item of the Referenced SOP Sequence of `data_set`; None if it has none."""
        item = first_item(data_set, "ReferencedSOPSequence")
        if item is None:
            return None
        return cls(
            *_uids(item),
            integers_of(item, "ReferencedFrameNumber"),
            integers_of(item, "ReferencedSegmentNumber"),
            Reference.of(item),
            _mapping(item),
        )

    def attributes(self) -> Plain:
        """Return the attributes of an item of a Referenced SOP Sequence, by keyword."""
        values = Reference.attributes(self)
        if self.frames:
            values["ReferencedFrameNumber"] = list(self.frames)
        if self.segments:
            values["ReferencedSegmentNumber"] = list(self.segments)
        if self.presentation_state is not None:
            values["ReferencedSOPSequence"] = [self.presentation_state.attributes()]
        if self.real_world_mapping is not None:
            values["ReferencedRealWorldValueMappingInstanceSequence"] = [self.real_world_mapping.attributes()]
        return values


@dataclass(slots=True)
class WaveformReference(Reference):
    """A reference to a waveform, or to channels of it: (multiplex group, channel), both from 1 (PS3.3 C.18.5)."""

    channels: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, data_set: Dataset) -> WaveformReference | None:
        """Read the first item of the Referenced SOP Sequence of `data_set`; None if it has none."""
        item = first_item(data_set, "ReferencedSOPSequence")
        if item is None:
            return None
        numbers = integers_of(item, "ReferencedWaveformChannels")
        return cls(*_uids(item), tuple(zip(numbers[::2], numbers[1::2], strict=False)))

    def attributes(self) -> Plain:
        """Return the attributes of an item of a Referenced SOP Sequence, by keyword."""
        values = Reference.attributes(self)
        if self.channels:
            values["ReferencedWaveformChannels"] = [number for pair in self.channels for number in pair]
        return values


@dataclass(slots=True)
class Coordinates:
    """A figure in an image, (n, 2) columns and rows, or in space, (n, 3) mm, as float32 (PS3.3 C.18.6, C.18.9)."""

    graphic_type: str
    """POINT, MULTIPOINT, POLYLINE, POLYGON, CIRCLE, ELLIPSE, ELLIPSOID."""
    points: NDArray[np.float32]
    frame_of_reference: UID | None = None
    """Only of figures in space."""
    pixel_origin: str | None = None
    """FRAME or VOLUME (Pixel Origin Interpretation)."""
    fiducial: UID | None = None

    @classmethod
    def of(cls, data_set: Dataset, dimensions: int) -> Coordinates | None:
        """Read the figure of an SCOORD (2 dimensions) or SCOORD3D (3) content item; None if it has no whole points."""
        data = float_array(data_set, "GraphicData")
        if data is None or data.size % dimensions:
            return None
        frame, fiducial = text_of(data_set, "ReferencedFrameOfReferenceUID"), text_of(data_set, "FiducialUID")
        return cls(
            text_of(data_set, "GraphicType") or "",
            data.astype(np.float32).reshape(-1, dimensions),
            UID(frame) if frame else None,
            text_of(data_set, "PixelOriginInterpretation") or None,
            UID(fiducial) if fiducial else None,
        )

    def plain(self) -> Plain:
        """Return the attributes of an SCOORD or SCOORD3D content item by keyword."""
        return _without_none(
            {
                "GraphicData": np.asarray(self.points, np.float32).reshape(-1).tolist(),
                "GraphicType": self.graphic_type,
                "PixelOriginInterpretation": self.pixel_origin,
                "ReferencedFrameOfReferenceUID": self.frame_of_reference,
                "FiducialUID": self.fiducial,
            }
        )


@dataclass(slots=True)
class TemporalRange:
    """Points or segments of time, as sample positions, as time offsets or as date-times (PS3.3 C.18.7)."""

    range_type: str
    """POINT, MULTIPOINT, SEGMENT, MULTISEGMENT, BEGIN, END."""
    samples: tuple[int, ...] = ()
    """Referenced Sample Positions, counted from 1."""
    offsets: tuple[float, ...] = ()
    """Referenced Time Offsets, in seconds."""
    moments: tuple[str, ...] = ()
    """Referenced DateTime, DT text."""

    @classmethod
    def of(cls, data_set: Dataset) -> TemporalRange:
        """Read the range from the attributes of a TCOORD content item."""
        offsets = float_array(data_set, "ReferencedTimeOffsets")
        return cls(
            text_of(data_set, "TemporalRangeType") or "",
            integers_of(data_set, "ReferencedSamplePositions"),
            () if offsets is None else tuple(offsets.tolist()),
            texts_of(data_set, "ReferencedDateTime"),
        )

    def plain(self) -> Plain:
        """Return the attributes of a TCOORD content item by keyword."""
        attributes: Plain = {"TemporalRangeType": self.range_type}
        if self.samples:
            attributes["ReferencedSamplePositions"] = list(self.samples)
        if self.offsets:
            attributes["ReferencedTimeOffsets"] = list(self.offsets)
        if self.moments:
            attributes["ReferencedDateTime"] = list(self.moments)
        return attributes


def _uids(item: Dataset) -> tuple[UID, UID]:
    names = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")
    sop_class, instance = (UID(text_of(item, name) or "") for name in names)
    return sop_class, instance


def _mapping(item: Dataset) -> Reference | None:
    mapping = first_item(item, "ReferencedRealWorldValueMappingInstanceSequence")
    return None if mapping is None else Reference(*_uids(mapping))


def _codes(code: Code | None) -> list[Plain] | None:
    return None if code is None else [code.plain()]


def _without_none(plain: Plain) -> Plain:
    return {keyword: value for keyword, value in plain.items() if value is not None}
