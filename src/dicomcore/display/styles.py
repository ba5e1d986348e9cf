"""Styles of graphics and text (PS3.3 Tables C.10-5a, C.10-5b and C.10-5c)."""

from __future__ import annotations

from dataclasses import dataclass

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, integers_of, number_of, term_of, text_of
from dicomcore.display.cielab import from_cielab

__all__ = [
    "Colour",
    "FillStyle",
    "LineStyle",
    "Shadow",
    "TextStyle",
    "colour_of",
    "fill_style_of",
    "line_style_of",
    "text_style_of",
]

Colour = tuple[int, int, int]
"""sRGB, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """A shadow beside a line or a text, or an outline around it."""

    outlined: bool = False
    offset: tuple[float, float] = (0.0, 0.0)
    """Pixels to the right and down."""
    colour: Colour = (0, 0, 0)
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How lines are drawn (Line Style Sequence)."""

    colour: Colour | None = None
    """None for the layer's."""
    opacity: float = 1.0
    thickness: float = 1.0
    """Pixels of the picture."""
    pattern: int | None = None
    """32 bits, the lowest first, each a stretch of the line as long as it is thick; None for a solid line."""
    off_colour: Colour | None = None
    """The colour of stretches whose bit is 0; None leaves them out."""
    off_opacity: float = 0.0
    shadow: Shadow | None = None


@dataclass(frozen=True, slots=True)
class FillStyle:
    """How closed graphics are filled (Fill Style Sequence)."""

    colour: Colour | None = None
    """None for the layer's."""
    opacity: float = 1.0
    pattern: bytes | None = None
    """32 rows of 32 bits for the stippled mode; None for a solid filling."""
    off_colour: Colour | None = None
    off_opacity: float = 0.0


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How text is written (Text Style Sequence)."""

    font: str = ""
    css_font: str = ""
    colour: Colour | None = None
    horizontal: str = ""
    """LEFT, CENTER, RIGHT."""
    vertical: str = ""
    """TOP, CENTER, BOTTOM."""
    underlined: bool = False
    bold: bool = False
    italic: bool = False
    shadow: Shadow | None = None


def colour_of(item: Dataset, keyword: str) -> Colour | None:
    """The sRGB colour of a CIELab value; None if it is missing or no triplet."""
    lab = integers_of(item, keyword)
    return from_cielab(lab) if len(lab) == 3 else None


def line_style_of(item: Dataset) -> LineStyle | None:
    """The line style of a graphic object; None if it states none."""
    style = first_item(item, "LineStyleSequence")
    if style is None:
        return None
    dashed = term_of(style, "LineDashingStyle") == "DASHED"
    pattern = number_of(style, "LinePattern")
    return LineStyle(
        colour_of(style, "PatternOnColorCIELabValue"),
        _share(style, "PatternOnOpacity"),
        float(min(max(number_of(style, "LineThickness", 1.0), 0.25), 1024.0)),
        int(pattern) & 0xFFFFFFFF if dashed and pattern is not None else None,
        colour_of(style, "PatternOffColorCIELabValue"),
        _share(style, "PatternOffOpacity"),
        _shadow_of(style),
    )


def fill_style_of(item: Dataset) -> FillStyle | None:
    """The fill style of a graphic object; None if it states none."""
    style = first_item(item, "FillStyleSequence")
    if style is None:
        return None
    pattern = style.get("FillPattern")
    stippled = term_of(style, "FillMode") in ("STIPPELED", "STIPPLED") and isinstance(pattern, bytes)
    return FillStyle(
        colour_of(style, "PatternOnColorCIELabValue"),
        _share(style, "PatternOnOpacity"),
        pattern if stippled and len(pattern) == 128 else None,
        colour_of(style, "PatternOffColorCIELabValue"),
        _share(style, "PatternOffOpacity"),
    )


def text_style_of(item: Dataset) -> TextStyle | None:
    """The style of a text object; None if it states none."""
    style = first_item(item, "TextStyleSequence")
    if style is None:
        return None
    return TextStyle(
        text_of(style, "FontName") or "",
        text_of(style, "CSSFontName") or "",
        colour_of(style, "TextColorCIELabValue"),
        term_of(style, "HorizontalAlignment"),
        term_of(style, "VerticalAlignment"),
        term_of(style, "Underlined") == "Y",
        term_of(style, "Bold") == "Y",
        term_of(style, "Italic") == "Y",
        _shadow_of(style),
    )


def _share(style: Dataset, keyword: str) -> float:
    return float(min(max(number_of(style, keyword, 1.0), 0.0), 1.0))


def _shadow_of(style: Dataset) -> Shadow | None:
    kind = term_of(style, "ShadowStyle")
    if kind not in ("NORMAL", "OUTLINED"):
        return None
    offset = [float(min(max(number_of(style, f"ShadowOffset{axis}", 1.0), -1024.0), 1024.0)) for axis in "XY"]
    colour = colour_of(style, "ShadowColorCIELabValue") or (0, 0, 0)
    return Shadow(kind == "OUTLINED", (offset[0], offset[1]), colour, _share(style, "ShadowOpacity"))
