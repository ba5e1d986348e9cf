"""What a data set says of its frames and of showing them, read into the plain structures that the rest works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.scan.opener import open_header
from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset.dataset import DATA_SET
from dicomcore.dataset.lookup import is_big_endian
from dicomcore.display.render import FUNCTIONS, Display, Window
from dicomcore.display.tables import LookUpTable, Palette
from dicomcore.errors import PixelDecodeError
from dicomcore.pixels.description import FrameDescription, interpretation_for
from dicomcore.pixels.note import Note
from dicomcore.tags import Tag

__all__ = [
    "describe",
    "display_of",
    "extended_table",
    "find_pixel_data",
    "header_of",
    "number_of_frames",
    "rescale_of",
    "revised",
    "state_of",
]

PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
LITTLE_ENDIAN, BIG_ENDIAN = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
COLOURS = ("Red", "Green", "Blue")
FRAME_TYPES = tuple(f"{of}FrameTypeSequence" for of in ("MRImage", "CTImage", "PET", "XRay3D", "PhotoacousticImage"))


def header_of(data_set: Any) -> Any:
    """The data set up to its pixel data, where that can be told apart from it; else the data set itself.

    Asking the whole for an attribute that it doesn't have makes it look behind its pixel data, at every fragment.
    """
    index, row, wanted, elements = data_set._state()
    if index is None or row != DATA_SET or wanted is not None or index.inflated:
        return data_set
    header = make_dataset(type(data_set), open_header(index), DATA_SET)
    changed = {tag: element for tag, element in (elements or {}).items() if _may_differ(element)}
    header._take(changed, None, None)
    header.file_meta = data_set.file_meta  # which may have been changed too
    return header


class Revised:
    """A header that was read apart, under what was set in its data set since: what `display_of` needs of one."""

    def __init__(self, header: Any, data_set: Any) -> None:
        self.is_little_endian = header.is_little_endian
        self._header, self._data_set = header, data_set
        self._looked_at = data_set._state()[3] or {}

    def _place(self, tag: Any) -> Any:
        return self._data_set if int(Tag(tag)) in self._looked_at else self._header

    def get(self, tag: Any, default: Any = None) -> Any:
        """The value of an attribute."""
        return self._place(tag).get(tag, default)

    def __getitem__(self, tag: Any) -> Any:
        return self._place(tag)[tag]


def revised(header: Any, data_set: Any) -> Any:
    """A header as it is now; itself where nothing was set in its data set, and no sequence handed out to be changed."""
    looked_at = (data_set._state()[3] or {}).values()
    return Revised(header, data_set) if any(map(_may_differ, looked_at)) else header


def _may_differ(element: Any) -> bool:
    """Whether an element that was looked at may not be the file's: set, deleted, or a sequence whose items are out."""
    return element is None or element._changed or element.VR == "SQ"


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
        high_bit=None if floating else _whole(number(data_set, "HighBit")),
        pixel_representation=1 if number(data_set, "PixelRepresentation", 0) == 1 else 0,
        photometric_interpretation=interpretation or interpretation_for(samples),
        planar_configuration=1 if number(data_set, "PlanarConfiguration", 0) == 1 else 0,
        transfer_syntax=_syntax_of(data_set),
        floating=floating,
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


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
    notes: list[Note] = []
    stored = _stored_range(data_set)
    modality = _tables(data_set, "ModalityLUTSequence", data_set, stored, notes)
    presentation = _tables(data_set, "PresentationLUTSequence", data_set, (0.0, float("inf")), notes)
    slope, intercept = rescale_of(transformed, notes)
    reached = _reached(stored, modality[0] if modality else None, slope, intercept)
    photometric = str(data_set.get("PhotometricInterpretation") or "MONOCHROME2").strip()
    indexed = photometric == "PALETTE COLOR"
    palette = _palette(data_set, places, notes, indexed=indexed)
    return Display(
        photometric_interpretation=photometric,
        bits_stored=_stored_bits(data_set),
        rescale_slope=slope,
        rescale_intercept=intercept,
        modality_lut=modality[0] if modality else None,
        windows=_windows(view, notes),
        voi_luts=_tables(view, "VOILUTSequence", data_set, reached, notes),
        presentation_shape=str(data_set.get("PresentationLUTShape") or "").strip() or None,
        presentation_lut=presentation[0] if presentation else None,
        palette=palette,
        supplemental_palette=palette is not None and not indexed,
        padding=_padding(data_set),
        notes=tuple(notes),
    )


def _stored_range(data_set: Any) -> tuple[float, float]:
    """The least and the largest stored value that there can be."""
    bits = _stored_bits(data_set)
    if number(data_set, "PixelRepresentation", 0) == 1:
        return float(-(1 << bits - 1)), float((1 << bits - 1) - 1)
    return 0.0, float((1 << bits) - 1)


def _stored_bits(data_set: Any) -> int:
    """Bits Stored, or Bits Allocated where it is missing or nonsense."""
    allocated = int(number(data_set, "BitsAllocated", 8))
    allocated = allocated if 1 <= allocated <= 64 else 16
    stored = int(number(data_set, "BitsStored", 0))
    return stored if 1 <= stored <= allocated else allocated


def rescale_of(place: Any, notes: list[Note]) -> tuple[float, float]:
    """Rescale Slope and Intercept; 1 and 0 where there are none, or where a slope of 0 would make all values one."""
    slope = float(number(place, "RescaleSlope", 1.0))
    if not slope:
        notes.append(Note("rescale-slope", "Rescale Slope is 0: slope and intercept are left out"))
        return 1.0, 0.0
    return slope, float(number(place, "RescaleIntercept", 0.0))


def _reached(
    stored: tuple[float, float], modality: LookUpTable | None, slope: float, intercept: float
) -> tuple[float, float]:
    """The least and the largest value that the modality step can give, which the VOI step takes."""
    if modality is not None:
        return 0.0, float((1 << modality.bits) - 1)
    low, high = sorted(end * slope + intercept for end in stored)
    return low, high


def _pixel_presentation(data_set: Any, places: list[Any]) -> str:
    """Pixel Presentation: the frame's own, by its frame type (PS3.3 C.8.16.2), or the image's."""
    for keyword in FRAME_TYPES:
        item = _first(places, keyword)
        if item is not None and item.get("PixelPresentation"):
            return str(item.get("PixelPresentation")).strip()
    return str(data_set.get("PixelPresentation") or "").strip()


def _palette(data_set: Any, places: list[Any], notes: list[Note], *, indexed: bool) -> Palette | None:
    """The palette of an image that is shown by one: PALETTE COLOR is `indexed`, a supplemental one colours a part."""
    descriptor = data_set.get("RedPaletteColorLookupTableDescriptor")
    if not indexed and (descriptor is None or _pixel_presentation(data_set, places) != "COLOR"):
        return None
    palette = palette_of(data_set)
    if palette is None:
        notes.append(Note("palette", "the image has no palette that can be read: it is shown in grey"))
    else:
        _note_bits("palette", descriptor[2], palette.bits, notes)
    return palette


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
            try:
                return Palette.of(
                    descriptor,
                    channels,
                    segmented=bool(prefix),
                    pixel_representation=number(data_set, "PixelRepresentation", 0),
                    big_endian=is_big_endian(data_set, names[0], data_set) and not in_bytes,
                )
            except PixelDecodeError as error:
                raise PixelDecodeError(f"palette: {error}") from None
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


def _tables(
    place: Any, keyword: str, data_set: Any, inputs: tuple[float, float], notes: list[Note]
) -> tuple[LookUpTable, ...]:
    """The look-up tables of a sequence; some writers put in items all of whose attributes are empty."""
    items = [item for item in _items(place, keyword) if item.get("LUTDescriptor") is not None]
    name = keyword.replace("LUTSequence", " LUT")
    try:
        return tuple(_table(name, item, data_set, inputs, notes) for item in items)
    except PixelDecodeError as error:
        raise PixelDecodeError(f"{name}: {error}") from None


def _table(name: str, item: Any, data_set: Any, inputs: tuple[float, float], notes: list[Note]) -> LookUpTable:
    """One look-up table; `inputs` are the least and the largest value that it can be asked for."""
    descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
    if not isinstance(descriptor, (list, tuple)) or data is None:
        raise PixelDecodeError("a look-up table without descriptor or data")
    if isinstance(data, (int, float)):
        data = [data]
    table = LookUpTable.of(descriptor, data, big_endian=is_big_endian(item, "LUTData", data_set))
    _note_bits(name, descriptor[2], table.bits, notes)
    return replace(table, first_mapped=_first_mapped(int(descriptor[1]), len(table.entries), *inputs))


def _note_bits(name: str, stated: int, bits: int, notes: list[Note]) -> None:
    if bits != stated:
        notes.append(Note("lut-bits", f"{name}: entries are said to have {stated} bits, and have {bits}"))


def _first_mapped(stated: int, entries: int, low: float, high: float) -> int:
    """The first value that a table maps, signed where its input can be below 0 (PS3.3 C.11.1.1, C.11.2.1.1).

    In implicit VR the sign isn't said, and writers of explicit VR get it wrong. Where the file's sign and the due one
    disagree, or the due one maps nothing, the reading that maps more of the input is taken.
    """
    unsigned = stated & 0xFFFF
    signed = unsigned - 65536 if unsigned >= 32768 else unsigned
    due, other = (signed, unsigned) if low < 0 else (unsigned, signed)

    def mapped(first: int) -> float:
        return max(min(high, first + entries - 1) - max(low, first) + 1, 0)

    if stated == due and mapped(due):
        return due
    return other if mapped(other) > mapped(due) else due


def _windows(place: Any, notes: list[Note]) -> tuple[Window, ...]:
    function = str(place.get("VOILUTFunction") or "LINEAR").strip().upper()
    if function not in FUNCTIONS:
        notes.append(Note("voi-lut-function", f"VOI LUT Function is {function!r}: windows are taken as LINEAR"))
        function = "LINEAR"
    centers, widths = (_numbers(place, name) for name in ("WindowCenter", "WindowWidth"))
    pairs = [(c, w) for c, w in zip(centers, widths, strict=False) if c is not None and w is not None]
    for _, width in pairs:
        if width <= 0:
            notes.append(Note("window-width", f"a Window Width is {width:g}: that window is left out"))
    return tuple(Window(center, width, function) for center, width in pairs if width > 0)


def _numbers(place: Any, keyword: str) -> list[float | None]:
    value = place.get(keyword)
    values = value if isinstance(value, (list, tuple)) else [value]
    return [float(one) if isinstance(one, (int, float)) and isfinite(one) else None for one in values]


def _padding(data_set: Any) -> tuple[float, float] | None:
    """Padding value and range limit (PS3.3 C.7.5.1.1.2), of float pixels theirs (C.7.6.24, C.7.6.25)."""
    for kind in ("Float", "DoubleFloat"):
        value = number(data_set, f"{kind}PixelPaddingValue")
        if value is not None:
            return value, number(data_set, f"{kind}PixelPaddingRangeLimit", value)
    value = number(data_set, "PixelPaddingValue")
    if value is None:
        return None
    limit = number(data_set, "PixelPaddingRangeLimit", value)
    return _as_stored(data_set, value), _as_stored(data_set, limit)


def _as_stored(data_set: Any, value: float) -> float:
    """A value of "US or SS" with the sign that Pixel Representation asks for, whatever VR its writer took."""
    representation = number(data_set, "PixelRepresentation")
    if representation is None or not -32768 <= value <= 65535:
        return value
    if representation == 1:
        return value - 65536 if value >= 32768 else value
    return value + 65536 if value < 0 else value


DESCRIBING = frozenset(
    int(Tag(keyword))
    for keyword in (
        *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
        *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
        *("PixelData", "FloatPixelData", "DoubleFloatPixelData"),
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
