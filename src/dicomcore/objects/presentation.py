"""Presentation: read a softcopy presentation state, and render frames through it (PS3.3 A.33)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset, Sequence
from dicomcore.dataset.lookup import float_array, integers_of, items_of, number_of, text_of, texts_of
from dicomcore.dataset.state import header_of
from dicomcore.display.cielab import from_cielab
from dicomcore.display.reading import display_of, palette_of
from dicomcore.display.rendering import Display, Window, render
from dicomcore.errors import DicomError, ParseError
from dicomcore.objects.shutter import Shutter, shutter_of, shutter_value
from dicomcore.pixels.overlays import Overlay, draw_overlays, read_overlays
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Annotation", "DisplayedArea", "Figure", "Layer", "Presentation", "Text"]

Images = dict[str, tuple[int, ...]]
"""Frame numbers, from 1, by SOP Instance UID of the image; empty for all frames."""
MODALITY = ("RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence")
VIEW = ("WindowCenter", "WindowWidth", "VOILUTFunction", "WindowCenterWidthExplanation", "VOILUTSequence")
OUTPUT = ("PresentationLUTShape", "PresentationLUTSequence")
SEVERAL_IMAGES = {  # attributes of presentation states that combine several images: what such a state does
    "BlendingSequence": "blends images",
    "BlendingDisplaySequence": "blends images",
    "VolumetricPresentationInputSetSequence": "shows a volume",
}
GROUPED = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


@dataclass(frozen=True, slots=True)
class DisplayedArea:
    """The part of an image to display (PS3.3 C.10.4); columns and rows count from 1, and may lie outside the image."""

    top_left: tuple[int, int]
    """(column, row)."""
    bottom_right: tuple[int, int]
    size_mode: str = ""
    """SCALE TO FIT, TRUE SIZE or MAGNIFY."""
    magnification: float | None = None
    pixel_spacing: tuple[float, ...] = ()
    """mm between rows, between columns."""
    aspect_ratio: tuple[int, ...] = ()
    images: Images = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """A graphic layer (PS3.3 C.10.7)."""

    name: str
    order: int = 0
    description: str = ""
    colour: tuple[int, int, int] | None = None
    """sRGB, 0 to 255."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A graphic object (PS3.3 C.10.5)."""

    graphic_type: str
    """POINT, POLYLINE, INTERPOLATED, CIRCLE, ELLIPSE."""
    points: NDArray[np.float32]
    """(n, 2): columns and rows from 1 (``PIXEL``), or fractions of the displayed area from 0 to 1 (``DISPLAY``)."""
    units: str = "PIXEL"
    filled: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A text object (PS3.3 C.10.5), in a box, at an anchor point, or both."""

    text: str
    box: NDArray[np.float32] | None = None
    """(2, 2): top left and bottom right corner."""
    box_units: str = ""
    justification: str = ""
    anchor: NDArray[np.float32] | None = None
    """(2,): column, row."""
    anchor_units: str = ""
    anchor_visible: bool = False


@dataclass(frozen=True, slots=True)
class Annotation:
    """Graphic and text objects in one layer, for some images or for all."""

    layer: str
    figures: tuple[Figure, ...] = ()
    texts: tuple[Text, ...] = ()
    images: Images = field(default_factory=dict)


class Presentation:
    """A softcopy presentation state: ``Presentation(pr).render(ct)`` renders an image as its author intended.

    Parts that name images apply to these; parts that name none apply to all images of the presentation state.
    """

    def __init__(self, data_set: Dataset) -> None:
        """Raises ParseError if the data set is no presentation state, or has an invalid rotation or displayed area."""
        if "DisplayedAreaSelectionSequence" not in data_set and "PresentationLUTShape" not in data_set:
            raise ParseError(
                "the data set is not a presentation state: it has neither displayed area nor presentation LUT"
            )
        self.data_set = data_set
        self.label = text_of(data_set, "ContentLabel") or ""
        self.description = text_of(data_set, "ContentDescription") or ""
        self.images: Images = {}
        for series in items_of(data_set, "ReferencedSeriesSequence"):
            self.images |= _images(series)
        self.displayed_areas = tuple(map(_area, items_of(data_set, "DisplayedAreaSelectionSequence")))
        self.layers = tuple(map(_layer, items_of(data_set, "GraphicLayerSequence")))
        self.annotations = tuple(map(_annotation, items_of(data_set, "GraphicAnnotationSequence")))
        rotation = int(number_of(data_set, "ImageRotation") or 0)
        if rotation % 90:
            raise ParseError(f"Image Rotation (0070,0042) is {rotation}, not a multiple of 90 (PS3.3 C.10.6)")
        self.rotation = rotation % 360
        """Degrees clockwise, before the flip."""
        self.flipped = text_of(data_set, "ImageHorizontalFlip") == "Y"
        self.shutter: Shutter | None = shutter_of(data_set)
        self._bitmap_shutter = _bitmap_shutter_of(data_set)

    def applies_to(self, image: Dataset) -> bool:
        """Whether this presentation state is for an image."""
        return text_of(image, "SOPInstanceUID") in self.images

    def displayed_area(self, image: Dataset, frame: int = 0) -> DisplayedArea | None:
        """Return the displayed area of a frame (from 0) of an image, or None."""
        uid = text_of(image, "SOPInstanceUID") or ""
        return next((area for area in self.displayed_areas if _applies(area.images, uid, frame)), None)

    def display(self, image: Dataset, frame: int = 0) -> Display:
        """Return the display pipeline of a frame (from 0), with the tables of this presentation state.

        A step that the presentation state does not have is omitted, even if the image has it (PS3.4 N.2). Raises
        DicomError for a presentation state that combines several images: its tables are not those of a single image.
        """
        does = next((SEVERAL_IMAGES[keyword] for keyword in SEVERAL_IMAGES if keyword in self.data_set), None)
        if does is not None:
            raise DicomError(f"the presentation state {does}, which is not supported: render the images separately")
        merged = header_of(image).copy()
        for keyword in (*MODALITY, *VIEW, *OUTPUT, *GROUPED):
            if keyword in merged:
                del merged[keyword]
        _copy_attributes(merged, self.data_set, (*MODALITY, *OUTPUT))
        uid = text_of(image, "SOPInstanceUID") or ""
        view = next(self._views(uid, frame), None)
        if view is not None:
            _copy_attributes(merged, view, VIEW)
        # A supplemental palette belongs to the image's own pipeline, which a presentation state replaces.
        shown = replace(display_of(merged), supplemental_palette=False, presentation_palette=palette_of(self.data_set))
        if view is not None or number_of(merged, "BitsStored") is None:  # floats have no full range
            return shown
        return replace(shown, windows=(_whole_range(shown, merged),))

    def _views(self, uid: str, frame: int) -> Iterator[Dataset]:
        for item in items_of(self.data_set, "SoftcopyVOILUTSequence"):
            if _applies(_images(item), uid, frame):
                yield item

    def render(self, image: Dataset, frame: int = 0, *, crop: bool = False) -> NDArray[np.uint8]:
        """Render a frame (from 0) in 8 bits: apply tables and shutter, rotate and flip.

        Returns (rows, columns) for grayscale, (rows, columns, 3) for colour and pseudo-colour. `crop` cuts out the
        displayed area, as far as it lies in the image; pixels are not scaled. Graphics are not drawn. Colours are those
        of the image. Raises DicomError if the presentation state subtracts a mask or blends images.
        """
        self._refuse_mask()
        display = self.display(image, frame)
        for note in display.notes:
            image.frames.note(note)
        picture = render(image.frames[frame], display)
        if self.shutter is not None:
            picture = self.shutter.close(picture)
        if self._bitmap_shutter is not None:
            picture = _with_bitmap_shutter(picture, self._bitmap_shutter, frame, shutter_value(self.data_set))
        area = self.displayed_area(image, frame) if crop else None
        if area is not None:
            (left, right), (top, bottom) = (sorted(pair) for pair in zip(area.top_left, area.bottom_right, strict=True))
            picture = picture[max(top - 1, 0) : max(bottom, 0), max(left - 1, 0) : max(right, 0)]
        turned = np.rot90(picture, -(self.rotation // 90))
        return np.ascontiguousarray(turned[:, ::-1] if self.flipped else turned)

    def _refuse_mask(self) -> None:
        """Raise DicomError if the picture is to be the difference from other frames (PS3.3 C.11.13)."""
        masks = items_of(self.data_set, "MaskSubtractionSequence")
        natural = text_of(self.data_set, "RecommendedViewingMode") == "NAT"
        if not natural and any(text_of(mask, "MaskOperation") != "NONE" for mask in masks):
            raise DicomError(
                "the presentation state subtracts a mask, which is not supported: image.frames.render shows the frames"
            )


def _bitmap_shutter_of(data_set: Dataset) -> Overlay | None:
    """Return the overlay of a bitmap shutter (PS3.3 C.7.6.15); raise ParseError if it is missing."""
    if "BITMAP" not in {shape.strip() for shape in texts_of(data_set, "ShutterShape")}:
        return None
    group = number_of(data_set, "ShutterOverlayGroup")
    for overlay in read_overlays(data_set, None):
        if overlay.group == group:
            return overlay
    named = f"{group:04X}" if isinstance(group, int) else "none"
    raise ParseError(
        f"the bitmap shutter's overlay group is {named}, but that overlay is missing: the area it covers is unknown"
    )


def _with_bitmap_shutter(picture: NDArray[np.uint8], overlay: Overlay, frame: int, value: int) -> NDArray[np.uint8]:
    """Return a copy of a frame's picture with this value where the bits of the overlay are set."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    draw_overlays(mask, (overlay,), frame)
    covered = picture.copy()
    covered[mask != 0] = value
    return covered


def _copy_attributes(target: Dataset, source: Dataset, keywords: Iterable[str]) -> None:
    for keyword in keywords:
        if keyword in source:
            value = source[keyword].value
            setattr(target, keyword, Sequence(value) if source[keyword].VR == "SQ" else value)


def _whole_range(display: Display, merged: Dataset) -> Window:
    """Return a window over all possible values, which means no VOI transformation."""
    if display.modality_lut is not None:
        low, high = 0.0, float((1 << display.modality_lut.bits) - 1)
    else:
        signed = number_of(merged, "PixelRepresentation") == 1
        first = -(1 << (display.bits_stored - 1)) if signed else 0
        ends = (first, first + (1 << display.bits_stored) - 1)
        low, high = sorted(end * display.rescale_slope + display.rescale_intercept for end in ends)
    return Window((low + high) / 2, high - low or 1.0, "LINEAR_EXACT")


def _images(item: Dataset) -> Images:
    images: Images = {}
    for reference in items_of(item, "ReferencedImageSequence"):
        uid = text_of(reference, "ReferencedSOPInstanceUID") or ""
        images[uid] = integers_of(reference, "ReferencedFrameNumber")
    return images


def _applies(images: Images, uid: str, frame: int) -> bool:
    return not images or (uid in images and (not images[uid] or frame + 1 in images[uid]))


def _pair(item: Dataset, keyword: str) -> tuple[int, int]:
    numbers = integers_of(item, keyword)
    if len(numbers) != 2:
        raise ParseError(f"a displayed area has the {keyword} {numbers}, not a column and a row", tag=int(Tag(keyword)))
    return numbers[0], numbers[1]


def _area(item: Dataset) -> DisplayedArea:
    spacing = float_array(item, "PresentationPixelSpacing")
    return DisplayedArea(
        _pair(item, "DisplayedAreaTopLeftHandCorner"),
        _pair(item, "DisplayedAreaBottomRightHandCorner"),
        text_of(item, "PresentationSizeMode") or "",
        number_of(item, "PresentationPixelMagnificationRatio"),
        () if spacing is None else tuple(spacing.tolist()),
        integers_of(item, "PresentationPixelAspectRatio"),
        _images(item),
    )


def _layer(item: Dataset) -> Layer:
    lab = integers_of(item, "GraphicLayerRecommendedDisplayCIELabValue")
    colour = from_cielab(lab) if len(lab) == 3 else None
    grey = number_of(item, "GraphicLayerRecommendedDisplayGrayscaleValue")
    if colour is None and isinstance(grey, int):
        colour = (grey >> 8,) * 3
    return Layer(
        text_of(item, "GraphicLayer") or "",
        int(number_of(item, "GraphicLayerOrder") or 0),
        text_of(item, "GraphicLayerDescription") or "",
        colour,
    )


def _annotation(item: Dataset) -> Annotation:
    return Annotation(
        text_of(item, "GraphicLayer") or "",
        tuple(map(_figure, items_of(item, "GraphicObjectSequence"))),
        tuple(map(_text, items_of(item, "TextObjectSequence"))),
        _images(item),
    )


def _points(item: Dataset, keyword: str) -> NDArray[np.float32] | None:
    data = float_array(item, keyword)
    return None if data is None or data.size % 2 else data.astype(np.float32).reshape(-1, 2)


def _figure(item: Dataset) -> Figure:
    points = _points(item, "GraphicData")
    if points is None:
        offset = item["GraphicData"].offset if "GraphicData" in item else None
        raise ParseError("a graphic object's points are not pairs of numbers", offset=offset)
    units, filled = text_of(item, "GraphicAnnotationUnits"), text_of(item, "GraphicFilled")
    return Figure(text_of(item, "GraphicType") or "", points, units or "PIXEL", filled == "Y")


def _text(item: Dataset) -> Text:
    corners = [_points(item, f"BoundingBox{name}HandCorner") for name in ("TopLeft", "BottomRight")]
    whole = [corner for corner in corners if corner is not None and corner.size == 2]
    anchor = _points(item, "AnchorPoint")
    return Text(
        text_of(item, "UnformattedTextValue") or "",
        np.concatenate(whole) if len(whole) == 2 else None,
        text_of(item, "BoundingBoxAnnotationUnits") or "",
        text_of(item, "BoundingBoxTextHorizontalJustification") or "",
        None if anchor is None or anchor.size != 2 else anchor[0],
        text_of(item, "AnchorPointAnnotationUnits") or "",
        text_of(item, "AnchorPointVisibility") == "Y",
    )
