"""Marks: points, lines, circles and texts for a presentation state that is made (PS3.3 C.10.5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, isfinite, radians, sin
from typing import Any

from dicomcore.dataset.building import Plain
from dicomcore.display.cielab import to_cielab

__all__ = ["Circle", "Curve", "Ellipse", "Label", "Mark", "Point", "Polyline", "annotation_items"]

UNITS = ("PIXEL", "DISPLAY", "MATRIX")
ALIGNED = ("LEFT", "RIGHT", "CENTER")
LONGEST_TEXT = 1024  # characters of ST
MOST_POINTS = 0xFFFF  # Number of Graphic Points is US


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What all marks have: a layer, and the units of their coordinates.

    In PIXEL the top left corner of the image's first pixel is 0, 0, and its bottom right corner 1, 1. In DISPLAY the
    displayed area extends from 0, 0 to 1, 1. MATRIX is PIXEL in the total pixel matrix of a slide.
    """

    layer: str = "DRAWING"
    units: str = "PIXEL"
    images: tuple[str, ...] = ()
    """SOP Instance UIDs of the images that have the mark; empty for all."""
    colour: tuple[int, int, int] | None = None
    """sRGB, 0 to 255; by default the layer's. Only colour states show it."""
    width: float | None = None
    """Thickness of lines in pixels of the screen; 1 by default."""

    def described(self) -> tuple[str, Plain]:
        """Return the sequence that the mark belongs to, and its item."""
        raise NotImplementedError

    def _graphic(self, kind: str, points: Iterable[Sequence[float]], filled: bool | None = None) -> tuple[str, Plain]:
        """Return a graphic object; `filled` is None for a figure that cannot be."""
        data = [float(number) for point in points for number in point]
        if len(data) % 2 or not all(map(isfinite, data)):
            raise ValueError(f"the points of a mark are pairs of finite numbers, not {data[:6]}")
        if len(data) // 2 > MOST_POINTS:
            raise ValueError(f"a mark has {MOST_POINTS} points at most, not {len(data) // 2}")
        if self.units not in UNITS:
            raise ValueError(f"a mark's units are {', '.join(UNITS)}, not {self.units!r}")
        plain: Plain = {
            "GraphicAnnotationUnits": self.units,
            "GraphicDimensions": 2,
            "NumberOfGraphicPoints": len(data) // 2,
            "GraphicData": data,
            "GraphicType": kind,
        }
        if filled is not None:
            plain["GraphicFilled"] = "Y" if filled else "N"
        if self.colour is not None or self.width is not None:
            plain["LineStyleSequence"] = [_line_style(self.colour or (255, 255, 255), self.width or 1.0)]
        if filled and self.colour is not None:
            plain["FillStyleSequence"] = [_fill_style(self.colour)]
        return "GraphicObjectSequence", plain


@dataclass(frozen=True, slots=True)
class Point(Mark):
    """A point."""

    x: float
    y: float

    def described(self) -> tuple[str, Plain]:
        return self._graphic("POINT", [(self.x, self.y)])


@dataclass(frozen=True, slots=True)
class Polyline(Mark):
    """Straight lines from point to point; closed if the last point is the first."""

    points: tuple[tuple[float, float], ...]
    filled: bool = False

    def described(self) -> tuple[str, Plain]:
        return self._graphic("POLYLINE", _several(self.points), _filled(self.points, self.filled))


@dataclass(frozen=True, slots=True)
class Curve(Mark):
    """A smooth curve through points (INTERPOLATED); closed if the last point is the first."""

    points: tuple[tuple[float, float], ...]
    filled: bool = False

    def described(self) -> tuple[str, Plain]:
        return self._graphic("INTERPOLATED", _several(self.points), _filled(self.points, self.filled))


@dataclass(frozen=True, slots=True)
class Circle(Mark):
    """A circle about a point."""

    x: float
    y: float
    radius: float
    filled: bool = False

    def described(self) -> tuple[str, Plain]:
        if not self.radius > 0:
            raise ValueError(f"a circle's radius must be more than 0, not {self.radius}")
        return self._graphic("CIRCLE", [(self.x, self.y), (self.x + self.radius, self.y)], self.filled)


@dataclass(frozen=True, slots=True)
class Ellipse(Mark):
    """An ellipse about a point, by its half axes; `angle` turns the first one clockwise from the row, in degrees."""

    x: float
    y: float
    radii: tuple[float, float]
    angle: float = 0.0
    filled: bool = False

    def described(self) -> tuple[str, Plain]:
        if not min(self.radii) > 0:
            raise ValueError(f"an ellipse's half axes must be more than 0, not {self.radii}")
        across, down = cos(radians(self.angle)), sin(radians(self.angle))
        axes = [(self.radii[0] * across, self.radii[0] * down), (-self.radii[1] * down, self.radii[1] * across)]
        if self.radii[0] < self.radii[1]:  # the major axis comes first
            axes.reverse()
        ends = [(self.x + sign * right, self.y + sign * low) for right, low in axes for sign in (-1, 1)]
        return self._graphic("ELLIPSE", ends, self.filled)


@dataclass(frozen=True, slots=True)
class Label(Mark):
    """A text at a point, in a box, or both: the point is then what the text in the box is about."""

    text: str
    at: tuple[float, float] | None = None
    """Column and row of the anchor point."""
    box: tuple[float, float, float, float] | None = None
    """Left, top, right and bottom."""
    align: str = "LEFT"
    """LEFT, RIGHT or CENTER in the box."""
    visible: bool = False
    """Whether the anchor point is drawn, with a line to the text."""

    def described(self) -> tuple[str, Plain]:
        if not 0 < len(self.text) <= LONGEST_TEXT:
            raise ValueError(f"a text has 1 to {LONGEST_TEXT} characters, not {len(self.text)}")
        if self.at is None and self.box is None:
            raise ValueError(f"the text {self.text[:40]!r} needs a point (`at`) or a `box`")
        if self.units not in UNITS or self.align not in ALIGNED:
            raise ValueError(f"units are {', '.join(UNITS)}, align is {', '.join(ALIGNED)}")
        if not all(map(isfinite, (*(self.at or ()), *(self.box or ())))):
            raise ValueError(f"the text {self.text[:40]!r} has a place that is not finite")
        plain: Plain = {"UnformattedTextValue": self.text}
        if self.box is not None:
            plain |= {
                "BoundingBoxAnnotationUnits": self.units,
                "BoundingBoxTopLeftHandCorner": [*map(float, self.box[:2])],
                "BoundingBoxBottomRightHandCorner": [*map(float, self.box[2:])],
                "BoundingBoxTextHorizontalJustification": self.align,
            }
        if self.at is not None:
            plain |= {
                "AnchorPointAnnotationUnits": self.units,
                "AnchorPoint": [*map(float, self.at)],
                "AnchorPointVisibility": "Y" if self.visible else "N",
            }
        if self.colour is not None:
            plain["TextStyleSequence"] = [_text_style(self.colour, self.align if self.box else None)]
        return "TextObjectSequence", plain


def annotation_items(marks: Iterable[Mark], references: dict[str, Plain]) -> list[Plain]:
    """Return the items of Graphic Annotation Sequence, one for each layer and set of images.

    `references` are the attributes that refer to each image, by SOP Instance UID.
    """
    items: dict[tuple[str, tuple[str, ...]], Plain] = {}
    for mark in marks:
        unknown = [uid for uid in mark.images if uid not in references]
        if unknown:
            raise ValueError(f"a mark is for the image {unknown[0]}, which the presentation state does not have")
        item = items.setdefault((mark.layer, mark.images), {})
        if mark.images:
            item["ReferencedImageSequence"] = [references[uid] for uid in mark.images]
        item["GraphicLayer"] = mark.layer
        keyword, plain = mark.described()
        item.setdefault(keyword, []).append(plain)
    return list(items.values())


def _several(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    if len(points) < 2:
        raise ValueError(f"a line has two points or more, not {len(points)}")
    return points


def _filled(points: tuple[tuple[float, float], ...], filled: bool) -> bool | None:
    """Return whether a line is filled; None if it is open, as it then cannot say so (Graphic Filled is 1C)."""
    closed = tuple(points[0]) == tuple(points[-1]) if points else False
    if filled and not closed:
        raise ValueError("a line that is filled ends at its first point")
    return filled if closed else None


def _shadow() -> dict[str, Any]:
    return {
        "ShadowStyle": "OFF",
        "ShadowOffsetX": 0.0,
        "ShadowOffsetY": 0.0,
        "ShadowColorCIELabValue": to_cielab((0, 0, 0)),
        "ShadowOpacity": 0.0,
    }


def _line_style(colour: tuple[int, int, int], width: float) -> Plain:
    if not 0 < width < 1024:
        raise ValueError(f"a line's width is more than 0, not {width}")
    return {
        "PatternOnColorCIELabValue": to_cielab(colour),
        "PatternOnOpacity": 1.0,
        "LineThickness": float(width),
        "LineDashingStyle": "SOLID",
    } | _shadow()


def _fill_style(colour: tuple[int, int, int]) -> Plain:
    return {
        "PatternOnColorCIELabValue": to_cielab(colour),
        "PatternOnOpacity": 1.0,
        "PatternOffOpacity": 0.0,
        "FillMode": "SOLID",
    }


def _text_style(colour: tuple[int, int, int], align: str | None) -> Plain:
    style: Plain = {"CSSFontName": "sans-serif", "TextColorCIELabValue": to_cielab(colour)}
    if align is not None:
        style |= {"HorizontalAlignment": align, "VerticalAlignment": "TOP"}
    return style | {"ShadowStyle": "OFF", "Underlined": "N", "Bold": "N", "Italic": "N"}
