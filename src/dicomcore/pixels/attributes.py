"""What a data set says of its frames and of showing them, read into the plain structures that the rest works on."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.dataset import make_dataset
from dicomcore._native.index import open_index
from dicomcore.dataset import DATA_SET
from dicomcore.errors import PixelDecodeError
from dicomcore.lookup import is_big_endian
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.render import Display, Window
from dicomcore.pixels.tables import LookUpTable, Palette
from dicomcore.tags import Tag

__all__ = ["describe", "display_of", "extended_table", "find_pixel_data", "header_of", "number_of_frames", "state_of"]

PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
LITTLE_ENDIAN, BIG_ENDIAN = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
COLOURS = ("Red", "Green", "Blue")


def header_of(data_set: Any) -> Any:
    """The data set up to its pixel data, where that can be told apart from it; else the data set itself.

    Asking the whole for an attribute that it doesn't have makes it look behind its pixel data, at every fragment.
    """
    index, row, wanted, elements = data_set._state()
    if index is None or row != DATA_SET or wanted is not None or index.inflated:
        return data_set
    source = index.path if index.path is not None else index.ranged
    if source is None:
        source = index.read(0, index.size)
    opened = open_index(source, index.path is not None, index.limits, True, True)
    header = make_dataset(type(data_set), opened, DATA_SET)
    changed = {tag: element for tag, element in (elements or {}).items() if element is None or element._changed}
    header._take(changed, None, None)
    header.file_meta = data_set.file_meta  # which may have been changed too
    return header


def find_pixel_data(data_set: Any) -> str:
    """The keyword of the data set's pixel data; raises PixelDecodeError where there is none."""
    for keyword in PIXEL_KEYWORDS:
        if keyword in data_set:
            return keyword
    raise PixelDecodeError("the data set has no pixel data")


def number(data_set: Any, keyword: str, default: Any = None) -> Any:
    """A number, the first of several; `default` where there is none or it can't be read."""
    value = data_set.get(keyword)
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    return value if isinstance(value, (int, float)) and isfinite(value) else default


def number_of_frames(data_set: Any) -> int:
    """Number of Frames; 1 where it is missing or nonsense."""
    return max(int(number(data_set, "NumberOfFrames", 1)), 1)


def describe(data_set: Any, keyword: str) -> FrameDescription:
    """The description of a data set's frames; raises PixelDecodeError where it says too little."""
    floating = keyword != "PixelData"
    needed = {name: int(number(data_set, name, 0)) for name in ("Rows", "Columns", "BitsAllocated")}
    if floating:
        needed["BitsAllocated"] = 32 if keyword == "FloatPixelData" else 64
    missing = [name for name, value in needed.items() if value < 1]
    if missing:
        raise PixelDecodeError(f"the data set has pixel data, and no {' and '.join(missing)}")
    samples = max(int(number(data_set, "SamplesPerPixel", 1)), 1)
    interpretation = str(data_set.get("PhotometricInterpretation") or "").strip()
    return FrameDescription(
        rows=needed["Rows"],
        columns=needed["Columns"],
        samples_per_pixel=samples,
        bits_allocated=needed["BitsAllocated"],
        bits_stored=int(number(data_set, "BitsStored", 0)) or None,
        pixel_representation=1 if number(data_set, "PixelRepresentation", 0) == 1 else 0,
        photometric_interpretation=interpretation or ("RGB" if samples == 3 else "MONOCHROME2"),
        planar_configuration=1 if number(data_set, "PlanarConfiguration", 0) == 1 else 0,
        transfer_syntax=_syntax_of(data_set),
        floating=floating,
    )


def _syntax_of(data_set: Any) -> str:
    """The transfer syntax; of what is native the one that its byte order, as found, makes it."""
    stated = str(data_set.transfer_syntax or LITTLE_ENDIAN)
    if stated == BIG_ENDIAN and data_set.is_little_endian:
        return LITTLE_ENDIAN
    if stated in ("1.2.840.10008.1.2", LITTLE_ENDIAN) and data_set.is_little_endian is False:
        return BIG_ENDIAN
    return stated


def display_of(data_set: Any, frame: int = 0) -> Display:
    """How a frame is to be shown: from its functional groups, then the shared ones, then the data set itself."""
    places = _groups(data_set, frame)
    transformed = _first(places, "PixelValueTransformationSequence") or data_set
    view = _first(places, "FrameVOILUTSequence") or data_set
    signed = number(data_set, "PixelRepresentation", 0) == 1
    modality = _tables(data_set, "ModalityLUTSequence", data_set, signed)
    presentation = _tables(data_set, "PresentationLUTSequence", data_set, False)
    return Display(
        photometric_interpretation=str(data_set.get("PhotometricInterpretation") or "MONOCHROME2").strip(),
        bits_stored=int(number(data_set, "BitsStored", 8)),
        rescale_slope=float(number(transformed, "RescaleSlope", 1.0)),
        rescale_intercept=float(number(transformed, "RescaleIntercept", 0.0)),
        modality_lut=modality[0] if modality else None,
        windows=_windows(view),
        voi_luts=_tables(view, "VOILUTSequence", data_set, signed),
        presentation_shape=str(data_set.get("PresentationLUTShape") or "").strip() or None,
        presentation_lut=presentation[0] if presentation else None,
        palette=palette_of(data_set),
        padding=_padding(data_set),
    )


def palette_of(data_set: Any) -> Palette | None:
    """The data set's palette, plain or segmented; None where it has none."""
    descriptor = data_set.get("RedPaletteColorLookupTableDescriptor")
    if not isinstance(descriptor, (list, tuple)):
        return None
    for prefix in ("", "Segmented"):
        names = [f"{prefix}{colour}PaletteColorLookupTableData" for colour in COLOURS]
        channels = [data_set.get(name) for name in names]
        if all(channels):
            in_bytes = data_set[names[0]].VR == "OB"  # where OW is due; bytes have no order
            return Palette.of(
                descriptor,
                channels,
                segmented=bool(prefix),
                pixel_representation=number(data_set, "PixelRepresentation", 0),
                big_endian=is_big_endian(data_set, names[0], data_set) and not in_bytes,
            )
    return None


def _groups(data_set: Any, frame: int) -> list[Any]:
    own = _items(data_set, "PerFrameFunctionalGroupsSequence")
    return [*own[frame : frame + 1], *_items(data_set, "SharedFunctionalGroupsSequence")[:1]]


def _first(places: list[Any], keyword: str) -> Any:
    for place in places:
        if items := _items(place, keyword):
            return items[0]
    return None


def _items(place: Any, keyword: str) -> Sequence[Any]:
    # pydicom's, too; a damaged header may give the element another VR, whose values aren't items.
    value = place.get(keyword)
    return value if isinstance(value, list) and value and hasattr(value[0], "get") else ()


def _tables(place: Any, keyword: str, data_set: Any, signed: bool) -> tuple[LookUpTable, ...]:
    """The look-up tables of a sequence; some writers put in items all of whose attributes are empty."""
    items = [item for item in _items(place, keyword) if item.get("LUTDescriptor") is not None]
    return tuple(_table(item, data_set, signed) for item in items)


def _table(item: Any, data_set: Any, signed: bool) -> LookUpTable:
    descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
    if not isinstance(descriptor, (list, tuple)) or data is None:
        raise PixelDecodeError("a look-up table without descriptor or data")
    if isinstance(data, (int, float)):
        data = [data]
    return LookUpTable.of(
        descriptor, data, pixel_representation=int(signed), big_endian=is_big_endian(item, "LUTData", data_set)
    )


def _windows(place: Any) -> tuple[Window, ...]:
    function = str(place.get("VOILUTFunction") or "LINEAR").strip().upper()
    centers, widths = (_numbers(place, name) for name in ("WindowCenter", "WindowWidth"))
    pairs = zip(centers, widths, strict=False)
    return tuple(Window(c, w, function) for c, w in pairs if c is not None and w is not None)


def _numbers(place: Any, keyword: str) -> list[float | None]:
    value = place.get(keyword)
    values = value if isinstance(value, (list, tuple)) else [value]
    return [float(one) if isinstance(one, (int, float)) and isfinite(one) else None for one in values]


def _padding(data_set: Any) -> tuple[float, float] | None:
    value = number(data_set, "PixelPaddingValue")
    if value is None:
        return None
    return value, number(data_set, "PixelPaddingRangeLimit", value)


DESCRIBING = frozenset(
    int(Tag(keyword))
    for keyword in (
        *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
        *("BitsAllocated", "BitsStored", "PixelRepresentation", "PixelData", "FloatPixelData", "DoubleFloatPixelData"),
    )
)


def state_of(data_set: Any) -> tuple[Any, ...]:
    """What was set of all that frames hang on: those of another state are other frames."""
    found: list[tuple[int, Any]] = []
    for tag, element in (data_set._state()[3] or {}).items():
        if tag in DESCRIBING and (element is None or element._changed):
            value = None if element is None else element.value
            found.append((tag, value if isinstance(value, (int, float, str)) else id(value)))
    return (str(data_set.transfer_syntax), *sorted(found, key=lambda one: one[0]))


def extended_table(data_set: Any) -> tuple[NDArray[np.uint64], NDArray[np.uint64]] | None:
    """Extended Offset Table and Lengths (PS3.3 C.7.6.3.1.8); None where either is missing or not whole."""
    offsets, lengths = data_set.get("ExtendedOffsetTable"), data_set.get("ExtendedOffsetTableLengths")
    if not isinstance(offsets, bytes) or not isinstance(lengths, bytes) or len(offsets) % 8 or len(lengths) % 8:
        return None
    return np.frombuffer(offsets, "<u8"), np.frombuffer(lengths, "<u8")
