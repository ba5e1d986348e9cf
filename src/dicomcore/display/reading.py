"""Read a data set's display parameters into a `Display` (PS3.3 C.7.6.3, C.7.6.16, C.7.9, C.11)."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Any

from dicomcore.dataset.lookup import first_item, interpretation_of, is_big_endian, item_at, items_of, number_of, term_of
from dicomcore.display.rendering import FUNCTIONS, Display, Window
from dicomcore.display.tables import LookUpTable, Palette
from dicomcore.errors import PixelDecodeError
from dicomcore.notes import Note

__all__ = ["display_of", "display_through", "palette_of", "replaced", "rescale_of", "table_of"]

COLOURS = ("Red", "Green", "Blue")
VOI, WORD, FAINT = "VOI LUT", 16, 14
"""A VOI LUT of 16 bits whose entries have at most 14 would show a picture in the darkest quarter of the scale: its
descriptor then states the size of a word (Agfa's CR), and its largest entry tells the bits."""
FRAME_TYPES = tuple(f"{of}FrameTypeSequence" for of in ("MRImage", "CTImage", "PET", "XRay3D", "PhotoacousticImage"))


def display_of(data_set: Any, frame: int = 0) -> Display:
    """Read a frame's display parameters: from its functional groups, then the shared ones, then the data set itself."""
    places = _groups(data_set, frame)
    transformed = _first(places, "PixelValueTransformationSequence") or data_set
    view = _first(places, "FrameVOILUTSequence") or data_set
    notes: list[Note] = []
    stored = _stored_range(data_set)
    modality = _tables(data_set, "ModalityLUTSequence", data_set, stored, notes)
    presentation = _tables(data_set, "PresentationLUTSequence", data_set, (0.0, float("inf")), notes)
    slope, intercept = rescale_of(transformed, notes)
    reached = _reached(stored, modality[0] if modality else None, slope, intercept)
    photometric = interpretation_of(data_set) or "MONOCHROME2"
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
        presentation_shape=term_of(data_set, "PresentationLUTShape") or None,
        presentation_lut=presentation[0] if presentation else None,
        palette=palette,
        supplemental_palette=palette is not None and not indexed,
        padding=_padding(data_set),
        notes=tuple(notes),
    )


def display_through(
    image: Any,
    state: Any,
    *,
    modality: Any,
    view: Any,
    palette: Palette | None = None,
    supplemental: bool = True,
) -> Display:
    """Read how a presentation state displays an image: its own tables only, the image's are not used (PS3.4 N.2).

    Parameters
    ----------
    image, state : Dataset
        The image, and the presentation state, whose byte order its tables have.
    modality, view : Dataset, optional
        Where the Modality LUT and the VOI LUT attributes stand; None for identity.
    palette : Palette, optional
        The palette of a pseudo-colour state.
    supplemental : bool
        Whether a supplemental palette of the image still colours its part of the values.
    """
    notes: list[Note] = []
    stored = _stored_range(image)
    tables = () if modality is None else _tables(modality, "ModalityLUTSequence", state, stored, notes)
    table = tables[0] if tables else None
    slope, intercept = (1.0, 0.0) if modality is None else rescale_of(modality, notes)
    reached = _reached(stored, table, slope, intercept)
    presentation = _tables(state, "PresentationLUTSequence", state, (0.0, float("inf")), notes)
    photometric = interpretation_of(image) or "MONOCHROME2"
    indexed = photometric == "PALETTE COLOR"
    own = _palette(image, [], notes, indexed=indexed) if indexed or supplemental else None
    luts = () if view is None else _tables(view, "VOILUTSequence", state, reached, notes)
    windows = () if view is None else _windows(view, notes)
    if not luts and not windows and number_of(image, "BitsStored") is not None:  # floats have no full range
        low, high = reached
        windows = (Window((low + high) / 2, high - low or 1.0, "LINEAR_EXACT", whole=True),)
    return Display(
        photometric_interpretation=photometric,
        bits_stored=_stored_bits(image),
        rescale_slope=slope,
        rescale_intercept=intercept,
        modality_lut=table,
        windows=windows,
        voi_luts=luts,
        presentation_shape=term_of(state, "PresentationLUTShape") or "IDENTITY",
        presentation_lut=presentation[0] if presentation else None,
        presentation_palette=palette,
        palette=own,
        supplemental_palette=own is not None and not indexed,
        padding=_padding(image),
        notes=tuple(notes),
    )


def replaced(display: Display, state: Any, image: Any, *, modality: Any = None, view: Any = None) -> Display:
    """The display with the tables of an item of a presentation state instead of the image's, where it has any."""
    notes = list(display.notes)
    stored = _stored_range(image)
    if modality is not None and any(name in modality for name in ("RescaleSlope", "ModalityLUTSequence")):
        tables = _tables(modality, "ModalityLUTSequence", state, stored, notes)
        slope, intercept = rescale_of(modality, notes)
        display = replace(
            display, modality_lut=tables[0] if tables else None, rescale_slope=slope, rescale_intercept=intercept
        )
    if view is not None:
        reached = _reached(stored, display.modality_lut, display.rescale_slope, display.rescale_intercept)
        luts = _tables(view, "VOILUTSequence", state, reached, notes)
        display = replace(display, voi_luts=luts, windows=_windows(view, notes))
    return replace(display, notes=tuple(notes))


def _stored_range(data_set: Any) -> tuple[float, float]:
    """The least and the largest possible stored value."""
    bits = _stored_bits(data_set)
    if number_of(data_set, "PixelRepresentation", 0) == 1:
        return float(-(1 << bits - 1)), float((1 << bits - 1) - 1)
    return 0.0, float((1 << bits) - 1)


def _stored_bits(data_set: Any) -> int:
    """Bits Stored, or Bits Allocated where it is missing or nonsense."""
    allocated = int(number_of(data_set, "BitsAllocated", 8))
    allocated = allocated if 1 <= allocated <= 64 else 16
    stored = int(number_of(data_set, "BitsStored", 0))
    return stored if 1 <= stored <= allocated else allocated


def rescale_of(place: Any, notes: list[Note]) -> tuple[float, float]:
    """Rescale Slope and Intercept; 1 and 0 where missing, or where a slope of 0 would make all values equal."""
    slope = float(number_of(place, "RescaleSlope", 1.0))
    if not slope:
        notes.append(Note("rescale-slope", "Rescale Slope is 0: slope and intercept are left out"))
        return 1.0, 0.0
    return slope, float(number_of(place, "RescaleIntercept", 0.0))


def _reached(
    stored: tuple[float, float], modality: LookUpTable | None, slope: float, intercept: float
) -> tuple[float, float]:
    """The least and the largest value that the modality step can pass to the VOI step."""
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
    """The image's palette: for all pixels where `indexed` (PALETTE COLOR), else a supplemental one for some of them."""
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
    """Read the data set's palette, plain or segmented; None where it has none."""
    descriptor = data_set.get("RedPaletteColorLookupTableDescriptor")
    if not isinstance(descriptor, (list, tuple)):
        return None
    for prefix in ("", "Segmented"):
        names = [f"{prefix}{colour}PaletteColorLookupTableData" for colour in COLOURS]
        channels = [data_set.get(name) for name in names]
        if all(channels):
            in_bytes = data_set[names[0]].VR == "OB"  # instead of OW; bytes have no order
            try:
                return Palette.of(
                    descriptor,
                    channels,
                    segmented=bool(prefix),
                    pixel_representation=number_of(data_set, "PixelRepresentation", 0),
                    big_endian=is_big_endian(data_set, names[0], data_set) and not in_bytes,
                )
            except PixelDecodeError as error:
                raise PixelDecodeError(f"palette: {error}") from None
    return None


def _groups(data_set: Any, frame: int) -> list[Any]:
    """A frame's functional groups, its own before the shared ones."""
    own = item_at(data_set, "PerFrameFunctionalGroupsSequence", frame)
    shared = first_item(data_set, "SharedFunctionalGroupsSequence")
    return [groups for groups in (own, shared) if groups is not None]


def _first(places: list[Any], keyword: str) -> Any:
    """The sequence's first item from the first of `places` that contains one; None where none of them does."""
    return next((item for place in places if (item := first_item(place, keyword)) is not None), None)


def _tables(
    place: Any, keyword: str, data_set: Any, inputs: tuple[float, float], notes: list[Note]
) -> tuple[LookUpTable, ...]:
    """The look-up tables of a sequence, without the items of empty attributes that some writers add."""
    items = [item for item in items_of(place, keyword) if item.get("LUTDescriptor") is not None]
    name = keyword.replace("LUTSequence", " LUT")
    try:
        return tuple(table_of(name, item, data_set, inputs, notes) for item in items)
    except PixelDecodeError as error:
        raise PixelDecodeError(f"{name}: {error}") from None


def table_of(name: str, item: Any, data_set: Any, inputs: tuple[float, float], notes: list[Note]) -> LookUpTable:
    """Read one look-up table; `inputs` are the least and the largest value that can be looked up in it."""
    descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
    if not isinstance(descriptor, (list, tuple)) or data is None:
        raise PixelDecodeError("a look-up table without descriptor or data")
    if isinstance(data, (int, float)):
        data = [data]
    table = LookUpTable.of(descriptor, data, big_endian=is_big_endian(item, "LUTData", data_set))
    if name == VOI and descriptor[2] == WORD and int(table.entries.max()) < 1 << FAINT:
        table = replace(table, bits=max(int(table.entries.max()).bit_length(), 8))
    _note_bits(name, descriptor[2], table.bits, notes)
    return replace(table, first_mapped=_first_mapped(int(descriptor[1]), len(table.entries), *inputs))


def _note_bits(name: str, stated: int, bits: int, notes: list[Note]) -> None:
    if bits != stated:
        notes.append(Note("lut-bits", f"{name}: the descriptor says {stated} bits an entry, and entries have {bits}"))


def _first_mapped(stated: int, entries: int, low: float, high: float) -> int:
    """The first value that a table maps, signed where its input can be below 0 (PS3.3 C.11.1.1, C.11.2.1.1).

    Implicit VR does not state the sign, and writers of explicit VR get it wrong. Where the file's sign is not the
    standard's, or the standard's maps no input, the reading that maps more of the input is taken.
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
    if len(centers) != len(widths) or any((c is None) != (w is None) for c, w in zip(centers, widths, strict=False)):
        notes.append(Note("window-pairs", "some Window Center has no Window Width, or the reverse: it is left out"))
    pairs = [(c, w) for c, w in zip(centers, widths, strict=False) if c is not None and w is not None]
    for _, width in pairs:
        if width <= 0:
            notes.append(Note("window-width", f"a Window Width is {width:g}: that window is left out"))
        elif width < 1 and function == "LINEAR":  # PS3.3 C.11.2.1.2.1
            notes.append(Note("window-width", f"a Window Width is {width:g}, below 1: it is taken as LINEAR_EXACT"))
    return tuple(Window(center, width, function) for center, width in pairs if width > 0)


def _numbers(place: Any, keyword: str) -> list[float | None]:
    value = place.get(keyword)
    values = value if isinstance(value, (list, tuple)) else [value]
    return [float(number) if isinstance(number, (int, float)) and isfinite(number) else None for number in values]


def _padding(data_set: Any) -> tuple[float, float] | None:
    """Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2); their float attributes first (C.7.6.24, C.7.6.25)."""
    for kind in ("Float", "DoubleFloat"):
        value = number_of(data_set, f"{kind}PixelPaddingValue")
        if value is not None:
            return value, number_of(data_set, f"{kind}PixelPaddingRangeLimit", value)
    value = number_of(data_set, "PixelPaddingValue")
    if value is None:
        return None
    limit = number_of(data_set, "PixelPaddingRangeLimit", value)
    return _as_stored(data_set, value), _as_stored(data_set, limit)


def _as_stored(data_set: Any, value: float) -> float:
    """A value of VR "US or SS" with the sign that Pixel Representation requires, whichever VR its writer chose."""
    representation = number_of(data_set, "PixelRepresentation")
    if representation is None or not -32768 <= value <= 65535:
        return value
    if representation == 1:
        return value - 65536 if value >= 32768 else value
    return value + 65536 if value < 0 else value
