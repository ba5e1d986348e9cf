"""make_presentation: make a softcopy presentation state for images (PS3.3 A.33)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from dicomcore.dataset import Dataset
from dicomcore.dataset.building import Plain
from dicomcore.dataset.lookup import float_array, integers_of, interpretation_of, number_of, text_of
from dicomcore.display.cielab import to_cielab
from dicomcore.display.reading import display_of
from dicomcore.display.rendering import Display, Window
from dicomcore.display.shutters import Shutter
from dicomcore.display.srgb import srgb_profile
from dicomcore.display.tables import LookUpTable, Palette
from dicomcore.objects.marks import Mark, annotation_items
from dicomcore.objects.modules import new_object, reference_to, referenced_series, set_attributes
from dicomcore.objects.presentation import DisplayedArea, Layer
from dicomcore.uids import generate_uid
from dicomcore.values import format_date, format_time

__all__ = ["Blend", "make_presentation"]

KINDS = {  # SOP classes
    "grayscale": "1.2.840.10008.5.1.4.1.1.11.1",
    "color": "1.2.840.10008.5.1.4.1.1.11.2",
    "pseudo_color": "1.2.840.10008.5.1.4.1.1.11.3",
    "advanced_blending": "1.2.840.10008.5.1.4.1.1.11.8",
}
GREY_KINDS = ("grayscale", "pseudo_color")
MODES = ("SCALE TO FIT", "TRUE SIZE", "MAGNIFY")
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
SHAPES = ("IDENTITY", "INVERSE")
MOST_ENTRIES = 65536
UTF_8 = "ISO_IR 192"

View = Window | tuple[float, float] | LookUpTable | None
Area = DisplayedArea | tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """One input of an advanced blending: the images of a series, and how they become colours.

    The second input lies over the first, the third over the result, and so on: `opacity` is how much of it is seen
    (FOREGROUND); without it, the two have equal weights wherever both have a value (EQUAL).
    """

    images: Sequence[Dataset] = field(repr=False)
    window: View = None
    """By default the view of the first image that has one."""
    palette: Palette | None = None
    """None shows a grayscale image in grey."""
    opacity: float | None = None
    """0 to 1."""


def make_presentation(
    images: Dataset | Sequence[Dataset] | Sequence[Blend],
    kind: str = "grayscale",
    *,
    window: View = None,
    presentation: str | LookUpTable | None = None,
    palette: Palette | None = None,
    marks: Sequence[Mark] = (),
    layers: Sequence[Layer] = (),
    area: Area = None,
    size_mode: str = "SCALE TO FIT",
    magnification: float | None = None,
    shutter: Shutter | None = None,
    rotation: int = 0,
    flip: bool = False,
    profile: bytes | None = None,
    label: str = "PRESENTATION",
    description: str = "",
    creator: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make a presentation state, ready to be saved.

    Parameters
    ----------
    images : Dataset or sequence of Dataset or of Blend
        The images that the state is for, of one study; for "advanced_blending" the inputs in their order.
    kind : str
        "grayscale", "color", "pseudo_color" or "advanced_blending".
    window : Window, pair, LookUpTable, optional
        Window or VOI LUT for all images; by default each image's own first view. Not for "color".
    presentation : str or LookUpTable, optional
        IDENTITY or INVERSE, or a presentation LUT; by default INVERSE for images in MONOCHROME1, which look as they do
        without a state. Only for "grayscale".
    palette : Palette, optional
        The colours of "pseudo_color"; needed there.
    marks : sequence of Mark
        `Point`, `Polyline`, `Curve`, `Circle`, `Ellipse` and `Label`.
    layers : sequence of Layer
        Order, description and colour of graphic layers; those that only marks name are added.
    area : DisplayedArea or tuple, optional
        The area to display, (left, top, right, bottom) in pixels from 1; by default all of each image.
    size_mode : str
        "SCALE TO FIT", "TRUE SIZE" or "MAGNIFY".
    magnification : float, optional
        Pixels of the screen for one of the image; only and always for "MAGNIFY".
    shutter : Shutter, optional
        The part that is not covered. Only for "grayscale" and "pseudo_color".
    rotation, flip : int, bool
        Degrees clockwise (0, 90, 180, 270), and whether columns are mirrored afterwards.
    profile : bytes, optional
        An ICC profile of input class for colours; by default sRGB.
    label, description, creator : str
        Content Label, Content Description and Content Creator's Name.
    attributes : mapping, optional
        More attributes by keyword. They are set last.

    Returns
    -------
    Dataset
        The presentation state.

    Raises
    ------
    ValueError
        Images or options do not fit each other; the message says which.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {', '.join(map(repr, KINDS))}, not {kind!r}")
    inputs, shown = _inputs(images, kind)
    _refuse_unfitting(kind, window, presentation, palette, shutter)
    state = new_object(shown[0], KINDS[kind], "PR")
    plain: Plain = {"SpecificCharacterSet": UTF_8, "Laterality": text_of(shown[0], "Laterality") or ""}
    plain |= _identification(label, description, creator)
    references = {image.SOPInstanceUID: reference_to(image) for image in shown}
    if kind == "advanced_blending":
        plain |= _blending(inputs) | referenced_series(shown, state.StudyInstanceUID) | _frame_of_reference(shown)
    else:
        plain |= _relationship(shown)
    if kind in GREY_KINDS:
        plain |= _modality(shown) | _voi(shown, window) | _shutter(shutter, kind)
    if kind == "grayscale":
        plain |= _presentation_lut(shown, presentation)
    else:
        plain |= {"ICCProfile": profile or srgb_profile()} | ({} if profile else {"ColorSpace": "SRGB"})
    if palette is not None:
        plain |= _palette(palette)
    plain["DisplayedAreaSelectionSequence"] = _areas(shown, area, size_mode, magnification, (rotation, flip))
    plain |= _spatial(rotation, flip) | _graphics(marks, layers, references, kind)
    return set_attributes(set_attributes(state, plain), attributes)


def _inputs(images: Any, kind: str) -> tuple[list[Blend], list[Dataset]]:
    """Return the inputs of a blending and all images; raise ValueError if they do not fit each other."""
    given = [images] if isinstance(images, Dataset) else list(images)
    inputs = [one for one in given if isinstance(one, Blend)]
    blends = kind == "advanced_blending"
    if not given or (blends and len(inputs) != len(given)) or (inputs and not blends):
        raise ValueError(f"a state of kind {kind!r} is made for {'Blend inputs' if blends else 'images'}: at least one")
    if blends and len(inputs) < 2:
        raise ValueError("a blending has two inputs at least")
    shown = [image for one in inputs for image in one.images] if blends else given
    if any(not one.images for one in inputs):
        raise ValueError("an input of a blending has no images")
    for keyword in ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if any(not text_of(image, keyword) for image in shown):
            raise ValueError(f"an image has no {keyword}")
    if len({image.SOPInstanceUID for image in shown}) < len(shown):
        raise ValueError("an image was given twice")
    if not blends and len({image.StudyInstanceUID for image in shown}) > 1:
        raise ValueError("the images are of several studies, and a presentation state belongs to one")
    colour = [image for image in shown if (number_of(image, "SamplesPerPixel") or 1) > 1]
    if kind in GREY_KINDS and colour:
        raise ValueError(f"{len(colour)} of the images are in colour: their states are of kind 'color'")
    return inputs, shown


def _refuse_unfitting(kind: str, window: Any, presentation: Any, palette: Any, shutter: Any) -> None:
    """Raise ValueError for options that a state of this kind cannot express."""
    if window is not None and kind not in GREY_KINDS:
        raise ValueError(f"a state of kind {kind!r} has no window of its own" + " but its inputs" * (kind[0] == "a"))
    if presentation is not None and kind != "grayscale":
        raise ValueError(f"a state of kind {kind!r} has no presentation LUT")
    if (palette is not None) != (kind == "pseudo_color"):
        raise ValueError("a palette goes with kind 'pseudo_color', which needs one")
    if shutter is not None and kind not in GREY_KINDS:
        raise ValueError(f"a state of kind {kind!r} has no shutter")


def _identification(label: str, description: str, creator: str) -> Plain:
    """Return the attributes of Presentation State Identification."""
    now = datetime.now()
    if not 0 < len(label) <= 16 or label != label.upper():
        raise ValueError(f"a label has 1 to 16 characters, letters in upper case (CS), not {label!r}")
    return {
        "PresentationCreationDate": format_date(now.date()),
        "PresentationCreationTime": format_time(now.time()),
        "ContentLabel": label,
        "ContentDescription": description,
        "ContentCreatorName": creator,
    }


def _relationship(images: list[Dataset]) -> Plain:
    """Return Referenced Series Sequence with the images of each series (PS3.3 C.11.11)."""
    by_series: dict[str, list[Plain]] = {}
    for image in images:
        by_series.setdefault(image.SeriesInstanceUID, []).append(reference_to(image))
    series = [{"SeriesInstanceUID": uid, "ReferencedImageSequence": items} for uid, items in by_series.items()]
    return {"ReferencedSeriesSequence": series}


def _frame_of_reference(images: list[Dataset]) -> Plain:
    uids = {text_of(image, "FrameOfReferenceUID") for image in images} - {None, ""}
    if len(uids) > 1:
        raise ValueError(f"the inputs of a blending are in {len(uids)} frames of reference, and are not registered")
    uid = uids.pop() if uids else generate_uid()
    return {"FrameOfReferenceUID": uid, "PositionReferenceIndicator": ""}


# -- grey values


def _modality(images: list[Dataset]) -> Plain:
    """Return the attributes of Modality LUT; raise ValueError if images have different ones."""
    each = [_modality_of(display_of(image)) for image in images]
    if any(repr(one) != repr(each[0]) for one in each):
        raise ValueError("the images differ in their rescaling or modality LUT: one state has one for all of them")
    plain = dict(each[0])
    if "RescaleSlope" in plain:
        plain["RescaleType"] = text_of(images[0], "RescaleType") or ("HU" if _is_ct(images[0]) else "US")
    return plain


def _is_ct(image: Dataset) -> bool:
    return text_of(image, "Modality") == "CT"


def _modality_of(display: Display) -> Plain:
    if display.modality_lut is not None:
        return {"ModalityLUTSequence": [_table(display.modality_lut) | {"ModalityLUTType": "US"}]}
    if display.keeps_values:
        return {}
    return {"RescaleIntercept": display.rescale_intercept, "RescaleSlope": display.rescale_slope}


def _voi(images: list[Dataset], window: View) -> Plain:
    """Return Softcopy VOI LUT Sequence: one view for all images, or the view of each."""
    if window is not None:
        return {"SoftcopyVOILUTSequence": [_view(window)]}
    groups: dict[str, tuple[Plain, list[Dataset]]] = {}
    for image in images:
        display = display_of(image)
        views = (*display.voi_luts, *display.windows)
        if views:
            plain = _view(views[0])
            groups.setdefault(repr(plain), (plain, []))[1].append(image)
    items = []
    for plain, members in groups.values():
        whole = {} if len(members) == len(images) else {"ReferencedImageSequence": [*map(reference_to, members)]}
        items.append(whole | plain)
    return {"SoftcopyVOILUTSequence": items} if items else {}


def _view(window: Any) -> Plain:
    """Return the attributes of a window or a VOI LUT."""
    if isinstance(window, LookUpTable):
        return {"VOILUTSequence": [_table(_in_16_bits(window))]}
    view = window if isinstance(window, Window) else Window(float(window[0]), float(window[1]))
    if not (np.isfinite(view.center) and np.isfinite(view.width)) or view.width <= 0:
        raise ValueError(f"a window has a finite center and a width above 0, not {view.center} and {view.width}")
    if view.function == "LINEAR" and view.width < 1:
        raise ValueError(f"a LINEAR window is 1 wide at least, not {view.width}: use LINEAR_EXACT (PS3.3 C.11.2.1.2)")
    plain: Plain = {"WindowCenter": view.center, "WindowWidth": view.width}
    return plain if view.function == "LINEAR" else plain | {"VOILUTFunction": view.function}


def _in_16_bits(table: LookUpTable) -> LookUpTable:
    """Return a table whose entries have the same shares of the whole range in 8 or 16 bits (PS3.3 C.11.2.1.1)."""
    if table.bits in (8, 16):
        return table
    share = np.asarray(table.entries, np.float64) / ((1 << table.bits) - 1)
    return LookUpTable(np.rint(share.clip(0, 1) * 65535).astype(np.uint16), table.first_mapped, 16)


def _table(table: LookUpTable) -> Plain:
    """Return LUT Descriptor and LUT Data of a table."""
    entries = np.asarray(table.entries)
    if not 0 < entries.size <= MOST_ENTRIES or not 8 <= table.bits <= 16:
        raise ValueError(f"a look-up table has 1 to 65536 entries of 8 to 16 bits, not {entries.size} of {table.bits}")
    if not -(1 << 15) <= table.first_mapped < 1 << 16:
        raise ValueError(f"a look-up table begins at a value of 16 bits, not at {table.first_mapped}")
    descriptor = [entries.size % MOST_ENTRIES, table.first_mapped, table.bits]
    return {"LUTDescriptor": descriptor, "LUTData": entries.astype("<u2").tobytes()}


def _presentation_lut(images: list[Dataset], presentation: Any) -> Plain:
    if isinstance(presentation, LookUpTable):
        if presentation.first_mapped:
            raise ValueError("a presentation LUT begins at 0 (PS3.3 C.11.6.1.1)")
        return {"PresentationLUTSequence": [_table(presentation)]}
    inverted = {interpretation_of(image) == "MONOCHROME1" for image in images}
    if presentation is None:
        if len(inverted) > 1:
            raise ValueError("some of the images are in MONOCHROME1, others not: say presentation='IDENTITY' or other")
        presentation = "INVERSE" if inverted.pop() else "IDENTITY"
    if presentation not in SHAPES:
        raise ValueError(f"presentation is IDENTITY, INVERSE or a LookUpTable, not {presentation!r}")
    return {"PresentationLUTShape": presentation}


def _shutter(shutter: Shutter | None, kind: str) -> Plain:
    """Return the attributes of Display Shutter."""
    if shutter is None:
        return {}
    openings = {"RECTANGULAR": shutter.rectangle, "CIRCULAR": shutter.circle, "POLYGONAL": shutter.polygon}
    shapes = [shape for shape, opening in openings.items() if opening]
    if not shapes:
        raise ValueError("the shutter has no opening")
    plain: Plain = {"ShutterShape": shapes, "ShutterPresentationValue": shutter.value * 257}
    if shutter.rectangle:
        edges = ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
        plain |= {f"Shutter{edge}Edge": number for edge, number in zip(edges, shutter.rectangle, strict=True)}
    if shutter.circle:
        plain |= {"CenterOfCircularShutter": [*shutter.circle[:2]], "RadiusOfCircularShutter": shutter.circle[2]}
    if shutter.polygon:
        plain["VerticesOfThePolygonalShutter"] = [number for corner in shutter.polygon for number in corner]
    if kind == "pseudo_color":
        plain["ShutterPresentationColorCIELabValue"] = to_cielab(shutter.colour or (shutter.value,) * 3)
    return plain


# -- colours


def _palette(palette: Palette) -> Plain:
    """Return the attributes of Palette Color Lookup Table."""
    plain: Plain = {}
    for name, channel in zip(("Red", "Green", "Blue"), palette.channels, strict=False):
        entries = np.asarray(channel)
        if not 0 < entries.size <= MOST_ENTRIES or palette.bits not in (8, 16):
            raise ValueError(f"a palette has 1 to 65536 entries of 8 or 16 bits, not {entries.size} of {palette.bits}")
        if palette.bits == 8:  # presentation states have 16 bits; 8 stand for the same colours
            entries = entries.astype(np.uint16) * 257
        prefix = f"{name}PaletteColorLookupTable"
        plain[f"{prefix}Descriptor"] = [entries.size % MOST_ENTRIES, palette.first_mapped, 16]
        plain[f"{prefix}Data"] = entries.astype("<u2").tobytes()
    return plain


def _blending(inputs: list[Blend]) -> Plain:
    """Return the attributes of Advanced Blending Presentation State and its display."""
    items = [_input(number, one) for number, one in enumerate(inputs, 1)]
    steps: list[Plain] = []
    below = 1
    for number, one in enumerate(inputs[1:], 2):
        order = [number, below]  # of two inputs in FOREGROUND the first is in front (PS3.4 N.2.6)
        step: Plain = {"BlendingDisplayInputSequence": [{"BlendingInputNumber": one} for one in order]}
        if one.opacity is None:
            step["BlendingMode"] = "EQUAL"
        elif 0 <= one.opacity <= 1:
            step |= {"BlendingMode": "FOREGROUND", "RelativeOpacity": float(one.opacity)}
        else:
            raise ValueError(f"an opacity is 0 to 1, not {one.opacity}")
        if number < len(inputs):
            below = len(inputs) + number - 1
            step["BlendingInputNumber"] = below
        steps.append(step)
    return {
        "AdvancedBlendingSequence": items,
        "PixelPresentation": "TRUE_COLOR",
        "BlendingDisplaySequence": steps,
    }


def _input(number: int, one: Blend) -> Plain:
    """Return an item of Advanced Blending Sequence; the first input's geometry is that of the picture."""
    first = one.images[0]
    if len({image.SeriesInstanceUID for image in one.images}) > 1:
        raise ValueError(f"the images of input {number} are of several series")
    item: Plain = {
        "BlendingInputNumber": number,
        "StudyInstanceUID": first.StudyInstanceUID,
        "SeriesInstanceUID": first.SeriesInstanceUID,
        "ReferencedImageSequence": [*map(reference_to, one.images)],
        "GeometryForDisplay": "TRUE" if number == 1 else "FALSE",
    }
    coloured = (number_of(first, "SamplesPerPixel") or 1) > 1
    if coloured and (one.window is not None or one.palette is not None):
        raise ValueError(f"input {number} is in colour: it has neither window nor palette")
    if not coloured:
        item |= _modality(list(one.images))
        views = _voi([first], one.window)
        item |= views
    if one.palette is not None:
        item["PaletteColorLookupTableSequence"] = [_palette(one.palette)]
    return item


# -- area and graphics


def _areas(
    images: list[Dataset], area: Area, mode: str, magnification: float | None, turned: tuple[int, bool]
) -> list[Plain]:
    """Return the items of Displayed Area Selection Sequence, one for images of the same size and spacing."""
    if mode not in MODES:
        raise ValueError(f"size_mode is {', '.join(MODES)}, not {mode!r}")
    if (magnification is not None) != (mode == "MAGNIFY") or (magnification is not None and not magnification > 0):
        raise ValueError("a magnification above 0 goes with size_mode='MAGNIFY', which needs one")
    groups: dict[str, tuple[Plain, list[Dataset]]] = {}
    for image in images:
        plain = _area(image, area, mode, turned) | _pixel_size(image, mode)
        if magnification is not None:
            plain["PresentationPixelMagnificationRatio"] = float(magnification)
        groups.setdefault(repr(plain), (plain, []))[1].append(image)
    if len(groups) == 1:
        return [plain for plain, _ in groups.values()]
    return [{"ReferencedImageSequence": [*map(reference_to, members)]} | plain for plain, members in groups.values()]


def _area(image: Dataset, area: Area, mode: str, turned: tuple[int, bool]) -> Plain:
    tiled = "TotalPixelMatrixColumns" in image
    prefix = "TotalPixelMatrix" if tiled else ""
    size = [number_of(image, f"{prefix}{name}") for name in ("Columns", "Rows")]
    if isinstance(area, DisplayedArea):
        corners = (*area.top_left, *area.bottom_right)
    else:
        corners = (1, 1, *size) if area is None else area
    if len(corners) != 4 or any(not isinstance(number, int) for number in corners):
        raise ValueError(f"an area is left, top, right and bottom in whole pixels, not {corners}")
    if corners[2] < corners[0] or corners[3] < corners[1]:
        raise ValueError(f"the area {corners} has no size: right and bottom follow left and top")
    plain: Plain = {"PixelOriginInterpretation": "VOLUME"} if tiled else {}
    first, last = _turned(corners, *turned)
    return plain | {
        "DisplayedAreaTopLeftHandCorner": first,
        "DisplayedAreaBottomRightHandCorner": last,
        "PresentationSizeMode": mode,
    }


def _turned(corners: tuple[int, ...], rotation: int, flip: bool) -> tuple[list[int], list[int]]:
    """Return the corners that are at the top left and bottom right of the turned image (PS3.3 C.10.4)."""
    left, top, right, bottom = corners
    clockwise = [[left, top], [right, top], [right, bottom], [left, bottom]]
    start = -rotation // 90 % 4  # a quarter turn brings the corner before to the top left
    shown = clockwise[start:] + clockwise[:start]
    return (shown[1], shown[3]) if flip else (shown[0], shown[2])


def _pixel_size(image: Dataset, mode: str) -> Plain:
    """Return the spacing of pixels, else their aspect ratio; TRUE SIZE needs the spacing."""
    for keyword in SPACINGS:
        spacing = float_array(image, keyword)
        if spacing is not None and spacing.size == 2 and (spacing > 0).all():
            return {"PresentationPixelSpacing": spacing.tolist()}
    if mode == "TRUE SIZE":
        raise ValueError("an image states no pixel spacing, which size_mode='TRUE SIZE' needs")
    ratio = integers_of(image, "PixelAspectRatio")
    return {"PresentationPixelAspectRatio": list(ratio) if len(ratio) == 2 else [1, 1]}


def _spatial(rotation: int, flip: bool) -> Plain:
    if rotation % 90:
        raise ValueError(f"a rotation is 0, 90, 180 or 270 degrees, not {rotation}")
    if not rotation % 360 and not flip:
        return {}
    return {"ImageRotation": rotation % 360, "ImageHorizontalFlip": "Y" if flip else "N"}


def _graphics(marks: Sequence[Mark], layers: Sequence[Layer], references: dict[str, Plain], kind: str) -> Plain:
    """Return the attributes of Graphic Annotation and Graphic Layer."""
    if not marks:
        if layers:
            raise ValueError("there are layers without any mark")
        return {}
    known = {layer.name: layer for layer in layers}
    for mark in marks:
        known.setdefault(mark.layer, Layer(mark.layer, max((one.order for one in known.values()), default=0) + 1))
    for name in known:
        if not 0 < len(name) <= 16 or name != name.upper():
            raise ValueError(f"a layer's name has 1 to 16 characters, letters in upper case (CS), not {name!r}")
    return {
        "GraphicAnnotationSequence": annotation_items(marks, references),
        "GraphicLayerSequence": [_layer(layer, kind) for layer in known.values()],
    }


def _layer(layer: Layer, kind: str) -> Plain:
    plain: Plain = {"GraphicLayer": layer.name, "GraphicLayerOrder": layer.order}
    if layer.colour is not None:
        red, green, blue = layer.colour
        if kind == "grayscale":
            plain["GraphicLayerRecommendedDisplayGrayscaleValue"] = (299 * red + 587 * green + 114 * blue) * 257 // 1000
        plain["GraphicLayerRecommendedDisplayCIELabValue"] = to_cielab(layer.colour)
    return plain | ({"GraphicLayerDescription": layer.description} if layer.description else {})
