"""Text over a picture: in a box, at a point, or both (PS3.3 C.10.5.1.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.display.drawing import Ink, Painter, Shape
from dicomcore.display.styles import TextStyle

__all__ = ["default_height", "leader", "write"]

MOST_CHARACTERS, MOST_LINES = 4096, 256
SMALLEST = 9.0
OTHER_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf")
PLAIN = TextStyle()
Point = tuple[float, float]


def default_height(size: tuple[int, int]) -> float:
    """The height of text that has no box, in pixels."""
    return max(SMALLEST + 2, min(size) / 36)


def write(
    painter: Painter,
    text: str,
    ink: Ink,
    *,
    box: tuple[float, float, float, float] | None = None,
    at: Point | None = None,
    justification: str = "LEFT",
    style: TextStyle | None = None,
    align: Point = (0.0, 0.0),
) -> tuple[float, float, float, float] | None:
    """Write a text in a box, or at a point.

    Parameters
    ----------
    painter : Painter
        What to write on.
    text : str
        The text; carriage returns and line feeds begin a line.
    ink : Ink
        Its colour.
    box : tuple of float, optional
        Left, top, right, bottom: the text is as large as fits, but never unreadably small.
    at : tuple of float, optional
        A point, without a box: by `align` of (0, 0) the text's top left corner, by (1, 1) its bottom right one.
    justification : str
        LEFT, CENTER or RIGHT, of lines in the box.
    style : TextStyle, optional
        Alignment, shadow, underline, bold and italic.
    align : tuple of float
        Where the point is in the text.

    Returns
    -------
    tuple of float or None
        Left, top, right, bottom of what was written; None if that is nothing.
    """
    style = style or PLAIN
    lines = text[:MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).strip("\n").split("\n")
    lines = [line.rstrip() for line in lines[:MOST_LINES]]
    if not any(lines):
        return None
    height, lines = _fitted(lines, box, painter.size, style)
    font = _font(round(height * 4) / 4, any(ord(letter) > 0x24F for line in lines for letter in line))
    justification = style.horizontal or justification
    mask = _lettered(lines, font, height, justification, style)
    place = _placed(mask, box, at, align, justification, style)
    painter.spend(mask.size)
    if style.shadow is not None:
        _shadow(painter, mask, place, style)
    painter.mask(mask, place, Ink(style.colour, ink.opacity) if style.colour is not None else ink)
    return place[0], place[1], place[0] + mask.shape[1], place[1] + mask.shape[0]


def _fitted(
    lines: list[str], box: tuple[float, float, float, float] | None, size: tuple[int, int], style: TextStyle
) -> tuple[float, list[str]]:
    """The height of letters, and the lines, broken between words where the box is narrow."""
    height = default_height(size)
    if box is None:
        return height, lines
    wide, high = box[2] - box[0], box[3] - box[1]
    if wide < 1 or high < 1:
        return height, lines
    largest = min(high / len(lines) / 1.2, 4 * height)
    probe = _font(64.0, False)
    longest = max(float(probe.getlength(line)) / 64 for line in lines) or 1.0
    fitting = min(largest, wide / longest)
    if fitting >= min(SMALLEST, largest):
        return max(fitting, 4.0), lines
    height = max(min(SMALLEST, largest), 4.0)  # words wrap, and what still does not fit runs over the box
    return height, _wrapped(lines, wide / height, probe)


def _wrapped(lines: list[str], width: float, probe: Any) -> list[str]:
    wrapped: list[str] = []
    for line in lines:
        row = ""
        for word in line.split(" "):
            longer = f"{row} {word}" if row else word
            if row and float(probe.getlength(longer)) / 64 > width:
                wrapped.append(row)
                row = word
            else:
                row = longer
        wrapped.append(row)
    return wrapped[:MOST_LINES]


@lru_cache(maxsize=64)
def _font(height: float, foreign: bool) -> Any:
    from PIL import ImageFont

    for name in OTHER_FONTS if foreign else ():
        try:
            return ImageFont.truetype(name, height)
        except OSError:
            continue
    return ImageFont.load_default(height)


def _lettered(lines: list[str], font: Any, height: float, justification: str, style: TextStyle) -> NDArray[np.uint8]:
    """The lines as a mask, as wide as the widest."""
    from PIL import Image, ImageDraw

    step = max(round(1.2 * height), 1)
    bold = 1 if style.bold else 0
    widths = [float(font.getlength(line)) + 2 * bold for line in lines]
    lean = round(0.2 * step) if style.italic else 0
    wide = min(max(int(np.ceil(max(widths))) + 2, 1), 1 << 15)
    image = Image.new("L", (wide + lean, step * len(lines)))
    draw = ImageDraw.Draw(image)
    shares = {"CENTER": 0.5, "RIGHT": 1.0}
    for number, (line, width) in enumerate(zip(lines, widths, strict=True)):
        left = (wide - width) * shares.get(justification, 0.0) + bold
        draw.text((left, number * step), line, fill=255, font=font, stroke_width=bold)
        if style.underlined:
            base = number * step + round(1.08 * height)
            draw.line((left, base, left + width, base), fill=255, width=max(round(height / 14), 1))
    if lean:
        part = image.transform(
            image.size, Image.Transform.AFFINE, (1, lean / step, -lean, 0, 1, 0), Image.Resampling.BILINEAR
        )
        image = part
    return np.asarray(image)


def _placed(
    mask: NDArray[np.uint8],
    box: tuple[float, float, float, float] | None,
    at: Point | None,
    align: Point,
    justification: str,
    style: TextStyle,
) -> tuple[int, int]:
    """Left and top of the text in the picture."""
    high, wide = mask.shape
    if box is None:
        x, y = at if at is not None else (0.0, 0.0)
        return _near(x - align[0] * wide), _near(y - align[1] * high)
    across = {"CENTER": 0.5, "RIGHT": 1.0}.get(justification, 0.0)
    down = {"CENTER": 0.5, "BOTTOM": 1.0}.get(style.vertical, 0.0)
    left = box[0] + across * (box[2] - box[0] - wide)
    top = box[1] + down * (box[3] - box[1] - high)
    return _near(left), _near(top)


def _near(number: float) -> int:
    return round(min(max(number, -1e6), 1e6))


def _shadow(painter: Painter, mask: NDArray[np.uint8], place: tuple[int, int], style: TextStyle) -> None:
    shadow = style.shadow
    assert shadow is not None
    ink = Ink(shadow.colour, shadow.opacity)
    right, down = round(shadow.offset[0]), round(shadow.offset[1])
    if not shadow.outlined:
        painter.mask(mask, (place[0] + right, place[1] + down), ink)
        return
    reach = min(max(abs(right), abs(down), 1), 8)
    wide = np.pad(mask, reach)
    outline = wide.copy()
    for y in range(-reach, reach + 1):
        for x in range(-reach, reach + 1):
            np.maximum(outline, np.roll(wide, (y, x), (0, 1)), out=outline)
    painter.mask(outline, (place[0] - reach, place[1] - reach), ink)


def leader(painter: Painter, box: tuple[float, float, float, float], anchor: Point, ink: Ink, thickness: float) -> None:
    """Draw the line from a text's box to its anchor point."""
    left, top, right, bottom = box
    start = (min(max(anchor[0], left), right), min(max(anchor[1], top), bottom))
    line = np.array([start, anchor], np.float64)
    shape = Shape(ink, [(line, thickness), (line[1:], 3 * thickness)])
    painter.shape(shape)
