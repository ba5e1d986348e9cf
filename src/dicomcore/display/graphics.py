"""Graphic and text objects of a presentation state, and their layers (PS3.3 C.10.5, C.10.7)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import float_array, integers_of, items_of, number_of, term_of, text_of
from dicomcore.display.cielab import from_cielab
from dicomcore.display.references import Images, images_of
from dicomcore.display.styles import (
    Colour,
    FillStyle,
    LineStyle,
    TextStyle,
    fill_style_of,
    line_style_of,
    text_style_of,
)
from dicomcore.errors import ParseError
from dicomcore.tags import Tag

__all__ = ["Annotation", "Compound", "Figure", "Layer", "Text", "Tick", "annotation_of", "layer_of"]


@dataclass(frozen=True, slots=True)
class Layer:
    """A graphic layer (PS3.3 C.10.7)."""

    name: str
    order: int = 0
    description: str = ""
    colour: Colour | None = None
    """sRGB, 0 to 255: the recommended CIELab value, or else the recommended grey."""
    grey: int | None = None
    """The recommended P-Value, 0 to 65535."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A graphic object (PS3.3 C.10.5)."""

    graphic_type: str
    """POINT, POLYLINE, INTERPOLATED, CIRCLE, ELLIPSE."""
    points: NDArray[np.float32]
    """(n, 2): columns and rows, where 0, 0 is the top left corner of the first pixel (``PIXEL``) or of the total pixel
    matrix (``MATRIX``); or fractions of the displayed area from 0 to 1 (``DISPLAY``)."""
    units: str = "PIXEL"
    filled: bool = False
    line: LineStyle | None = None
    fill: FillStyle | None = None
    compound: int | None = None
    """The number of the compound graphic that this object is an alternative for."""
    stated: int | None = None
    """Number of Graphic Points (0070,0021), which may differ from the points there are."""


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
    style: TextStyle | None = None
    compound: int | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A major tick of a ruler, an axis or a cross hair."""

    position: float
    """Share of the way from the first point to the second."""
    label: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Compound:
    """A compound graphic (PS3.3 C.10.5.1.3)."""

    graphic_type: str
    """MULTILINE, INFINITELINE, CUTLINE, RANGELINE, RULER, AXIS, CROSSHAIR, ARROW, RECTANGLE, ELLIPSE, …"""
    points: NDArray[np.float32]
    units: str = "PIXEL"
    number: int | None = None
    """Compound Graphic Instance ID; simple objects with the same number are not drawn beside it."""
    filled: bool = False
    rotation: float = 0.0
    """Degrees counterclockwise about the rotation point."""
    rotation_point: NDArray[np.float32] | None = None
    gap: float = 0.0
    """Share of the displayed area that is left out about the rotation point, or about the origin of a cross hair."""
    visibility: float | None = None
    """Diameter of a cross hair as a share of the displayed area."""
    ticks: tuple[Tick, ...] = ()
    tick_alignment: str = "CENTER"
    label_alignment: str = "BOTTOM"
    labelled: bool = False
    line: LineStyle | None = None
    fill: FillStyle | None = None
    style: TextStyle | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """Graphic and text objects in one layer, for some images or for all."""

    layer: str
    figures: tuple[Figure, ...] = ()
    texts: tuple[Text, ...] = ()
    images: Images = field(default_factory=dict)
    compounds: tuple[Compound, ...] = ()


def layer_of(item: Dataset) -> Layer:
    """Read an item of the Graphic Layer Sequence."""
    lab = integers_of(item, "GraphicLayerRecommendedDisplayCIELabValue")
    colour = from_cielab(lab) if len(lab) == 3 else None
    grey = number_of(item, "GraphicLayerRecommendedDisplayGrayscaleValue")
    grey = min(max(grey, 0), 65535) if isinstance(grey, int) else None
    if colour is None and grey is not None:
        colour = (grey >> 8,) * 3
    return Layer(
        text_of(item, "GraphicLayer") or "",
        int(number_of(item, "GraphicLayerOrder") or 0),
        text_of(item, "GraphicLayerDescription") or "",
        colour,
        grey,
    )


def annotation_of(item: Dataset) -> Annotation:
    """Read an item of the Graphic Annotation Sequence; raises ParseError if an object has no readable points."""
    return Annotation(
        text_of(item, "GraphicLayer") or "",
        tuple(map(_figure, items_of(item, "GraphicObjectSequence"))),
        tuple(map(_text, items_of(item, "TextObjectSequence"))),
        images_of(item),
        tuple(map(_compound, items_of(item, "CompoundGraphicSequence"))),
    )


def _points(item: Dataset, keyword: str) -> NDArray[np.float32] | None:
    data = float_array(item, keyword)
    return None if data is None or data.size % 2 else data.astype(np.float32).reshape(-1, 2)


def _graphic_data(item: Dataset) -> NDArray[np.float32]:
    dimensions = number_of(item, "GraphicDimensions", 2)
    if dimensions != 2:
        tag = int(Tag("GraphicDimensions"))
        raise ParseError(f"a graphic object has {dimensions} dimensions (0070,0020), not 2", tag=tag)
    points = _points(item, "GraphicData")
    if points is None:
        offset = item["GraphicData"].offset if "GraphicData" in item else None
        tag = int(Tag("GraphicData"))
        raise ParseError("a graphic object's points (0070,0022) are not pairs of numbers", offset=offset, tag=tag)
    return points


def _whole(item: Dataset, keyword: str) -> int | None:
    number = number_of(item, keyword)
    return number if isinstance(number, int) else None


def _figure(item: Dataset) -> Figure:
    return Figure(
        term_of(item, "GraphicType"),
        _graphic_data(item),
        term_of(item, "GraphicAnnotationUnits") or "PIXEL",
        term_of(item, "GraphicFilled") == "Y",
        line_style_of(item),
        fill_style_of(item),
        _whole(item, "CompoundGraphicInstanceID"),
        _whole(item, "NumberOfGraphicPoints"),
    )


def _text(item: Dataset) -> Text:
    corners = [_points(item, f"BoundingBox{name}HandCorner") for name in ("TopLeft", "BottomRight")]
    whole = [corner for corner in corners if corner is not None and corner.size == 2]
    return Text(
        text_of(item, "UnformattedTextValue") or "",
        np.concatenate(whole) if len(whole) == 2 else None,
        term_of(item, "BoundingBoxAnnotationUnits"),
        term_of(item, "BoundingBoxTextHorizontalJustification"),
        _point(item, "AnchorPoint"),
        term_of(item, "AnchorPointAnnotationUnits"),
        term_of(item, "AnchorPointVisibility") == "Y",
        text_style_of(item),
        _whole(item, "CompoundGraphicInstanceID"),
    )


def _point(item: Dataset, keyword: str) -> NDArray[np.float32] | None:
    point = _points(item, keyword)
    return None if point is None or point.size != 2 else point[0]


def _compound(item: Dataset) -> Compound:
    ticks = (
        Tick(float(number_of(tick, "TickPosition", 0.0)), text_of(tick, "TickLabel") or "")
        for tick in items_of(item, "MajorTicksSequence")
    )
    visibility = number_of(item, "DiameterOfVisibility")
    return Compound(
        term_of(item, "CompoundGraphicType"),
        _graphic_data(item),
        term_of(item, "CompoundGraphicUnits") or "PIXEL",
        _whole(item, "CompoundGraphicInstanceID"),
        term_of(item, "GraphicFilled") == "Y",
        float(number_of(item, "RotationAngle", 0.0)),
        _point(item, "RotationPoint"),
        float(max(number_of(item, "GapLength", 0.0), 0.0)),
        None if visibility is None else float(max(visibility, 0.0)),
        tuple(ticks),
        term_of(item, "TickAlignment") or "CENTER",
        term_of(item, "TickLabelAlignment") or "BOTTOM",
        term_of(item, "ShowTickLabel") == "Y",
        line_style_of(item),
        fill_style_of(item),
        text_style_of(item),
    )
