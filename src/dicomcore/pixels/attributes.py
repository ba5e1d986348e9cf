"""Read the attributes that describe a data set's frames into the plain structures that decoders use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import interpretation_of, number_of
from dicomcore.dataset.state import is_changed, touched
from dicomcore.errors import PixelDecodeError
from dicomcore.pixels.description import FrameDescription, interpretation_for
from dicomcore.tags import Tag
from dicomcore.uids import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

__all__ = [
    "describe",
    "extended_table",
    "find_pixel_data",
    "number_of_frames",
    "revised",
    "state_of",
]

PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


class Revised:
    """A header overlaid with the elements set in its data set since; offers what `display_of` uses of a data set."""

    def __init__(self, header: Any, data_set: Any) -> None:
        self.is_little_endian = header.is_little_endian
        self._header, self._data_set = header, data_set
        self._looked_at = touched(data_set)

    def _place(self, tag: Any) -> Any:
        return self._data_set if int(Tag(tag)) in self._looked_at else self._header

    def get(self, tag: Any, default: Any = None) -> Any:
        """The value of an attribute."""
        return self._place(tag).get(tag, default)

    def __getitem__(self, tag: Any) -> Any:
        return self._place(tag)[tag]


def revised(header: Any, data_set: Any) -> Any:
    """The header with the data set's changes; itself where nothing was set and no sequence was handed out."""
    return Revised(header, data_set) if any(map(_may_differ, touched(data_set).values())) else header


def _may_differ(element: Any) -> bool:
    """Whether a touched element may differ from the file: set, deleted, or a sequence whose items were handed out."""
    return element is None or is_changed(element) or element.VR == "SQ"


def find_pixel_data(data_set: Any) -> str:
    """The keyword of the data set's pixel data; raises PixelDecodeError where the data set has none."""
    for keyword in PIXEL_KEYWORDS:
        if keyword in data_set:
            return keyword
    raise PixelDecodeError("the data set has no pixel data")


def number_of_frames(data_set: Any) -> int:
    """Number of Frames; 1 where it is missing or nonsense."""
    return max(int(number_of(data_set, "NumberOfFrames", 1)), 1)


def describe(data_set: Any, keyword: str) -> FrameDescription:
    """Read the description of a data set's frames; raises PixelDecodeError where a required attribute is missing."""
    floating = keyword != "PixelData"
    needed = {name: int(number_of(data_set, name, 0)) for name in ("Rows", "Columns", "BitsAllocated")}
    if floating:
        needed["BitsAllocated"] = 32 if keyword == "FloatPixelData" else 64
    missing = [name for name, value in needed.items() if value < 1]
    if missing:
        raise PixelDecodeError(f"the data set has pixel data, and no {' and '.join(missing)}")
    samples = max(int(number_of(data_set, "SamplesPerPixel", 1)), 1)
    interpretation = interpretation_of(data_set)
    return FrameDescription(
        rows=needed["Rows"],
        columns=needed["Columns"],
        samples_per_pixel=samples,
        bits_allocated=needed["BitsAllocated"],
        bits_stored=int(number_of(data_set, "BitsStored", 0)) or None,
        high_bit=None if floating else _whole(number_of(data_set, "HighBit")),
        pixel_representation=1 if number_of(data_set, "PixelRepresentation", 0) == 1 else 0,
        photometric_interpretation=interpretation or interpretation_for(samples),
        planar_configuration=1 if number_of(data_set, "PlanarConfiguration", 0) == 1 else 0,
        transfer_syntax=_syntax_of(data_set),
        floating=floating,
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _syntax_of(data_set: Any) -> str:
    """The transfer syntax; for native pixel data, the one of the byte order in which the data set was read."""
    stated = str(data_set.transfer_syntax or ExplicitVRLittleEndian)
    if stated == ExplicitVRBigEndian and data_set.is_little_endian:
        return str(ExplicitVRLittleEndian)
    if stated in (ImplicitVRLittleEndian, ExplicitVRLittleEndian) and data_set.is_little_endian is False:
        return str(ExplicitVRBigEndian)
    return stated


DESCRIBING = frozenset(
    int(Tag(keyword))
    for keyword in (
        *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
        *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
        *("PixelData", "FloatPixelData", "DoubleFloatPixelData"),
    )
)


def state_of(data_set: Any) -> tuple[Any, ...]:
    """The transfer syntax and every changed element that frames depend on: a different state means different frames."""
    changed: list[tuple[int, Any]] = []
    for tag, element in touched(data_set).items():
        if tag in DESCRIBING and (element is None or is_changed(element)):
            value = None if element is None else element.value
            changed.append((tag, value if isinstance(value, (int, float, str)) else id(value)))
    return (str(data_set.transfer_syntax), *sorted(changed, key=lambda entry: entry[0]))


def extended_table(data_set: Any) -> tuple[NDArray[np.uint64], NDArray[np.uint64]] | None:
    """Extended Offset Table and Lengths (PS3.3 C.7.6.3.1.8); None where either is missing or not whole 64-bit words."""
    offsets, lengths = data_set.get("ExtendedOffsetTable"), data_set.get("ExtendedOffsetTableLengths")
    if not isinstance(offsets, bytes) or not isinstance(lengths, bytes) or len(offsets) % 8 or len(lengths) % 8:
        return None
    return np.frombuffer(offsets, "<u8"), np.frombuffer(lengths, "<u8")
