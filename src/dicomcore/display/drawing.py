"""A painter: draws lines, areas and masks over a picture, smooth at their edges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.display.clipping import clipped_line, clipped_polygon
from dicomcore.display.icc import needs_picture
from dicomcore.display.styles import Colour
from dicomcore.errors import LimitError
from dicomcore.limits import Limits

__all__ = ["Ink", "Painter", "Shape", "grouped"]

FINE = (4, 2, 1)
"""Shapes are drawn this many times larger, and reduced: as far as their masks have at most LARGEST pixels."""
LARGEST = 1 << 27
TIMES, LEAST = 4096, 1 << 16
"""Graphics take at most TIMES as many pixels as the picture has, or as LEAST pixels."""


@dataclass(frozen=True, slots=True)
class Ink:
    """A colour and its opacity."""

    colour: Colour = (255, 255, 255)
    opacity: float = 1.0
    grey: int | None = None
    """A P-Value, 0 to 65535, for grey pictures; None derives it from the colour."""

    @property
    def is_grey(self) -> bool:
        """Whether a grey picture can show the colour."""
        return self.colour[0] == self.colour[1] == self.colour[2]

    @property
    def p_value(self) -> int:
        """The P-Value for a grey picture: the stated one, or the colour's luma."""
        if self.grey is not None:
            return self.grey
        red, green, blue = self.colour
        return round(257 * (0.2126 * red + 0.7152 * green + 0.0722 * blue))


@dataclass(slots=True, eq=False)
class Shape:
    """Lines and areas of one ink that are drawn together; coordinates are (across, down) in the picture."""

    ink: Ink
    lines: list[tuple[NDArray[np.float64], float]] = field(default_factory=list)
    """Points, (n, 2), and thickness."""
    areas: list[NDArray[np.float64]] = field(default_factory=list)
    """Corners, (n, 2)."""
    pattern: NDArray[np.bool_] | None = None
    """(32, 32): the stipples of the areas; None fills them."""

    def box(self) -> tuple[float, float, float, float] | None:
        """Left, top, right, bottom; None if there is nothing to draw."""
        reaches = [(points, thickness / 2 + 1) for points, thickness in self.lines if len(points)]
        reaches += [(points, 1.0) for points in self.areas if len(points)]
        if not reaches:
            return None
        low = np.min([points.min(0) - reach for points, reach in reaches], 0)
        high = np.max([points.max(0) + reach for points, reach in reaches], 0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


class Painter:
    """Draws over a picture; a grey one becomes RGB when something coloured is drawn, unless it is for a screen."""

    def __init__(
        self,
        picture: NDArray[Any],
        *,
        levels: NDArray[Any] | None,
        limits: Limits,
        clip: tuple[float, float, float, float],
    ) -> None:
        try:
            from PIL import Image, ImageDraw
        except ImportError:
            raise needs_picture("drawing graphics") from None
        self.picture = picture.copy()
        self._image, self._draw = Image, ImageDraw
        self._levels = levels
        width, height = self.size
        left, top, right, bottom = (round(min(max(edge, -1e6), 1e6)) for edge in clip)
        self._clip = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        self._most = self._left = min(64 * limits.pixels, TIMES * max(width * height, LEAST))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.picture.shape[1], self.picture.shape[0]

    def spend(self, pixels: int) -> None:
        """Count pixels that graphics take; raises LimitError when they cross the limit."""
        self._left -= pixels
        if self._left < 0:
            raise LimitError(f"the graphics take more than {self._most} pixels (64 × Limits.pixels at most)")

    def shape(self, shape: Shape) -> None:
        """Draw a shape."""
        lines = [(part, wide) for points, wide in shape.lines for part in clipped_line(points, self.size, wide + 2)]
        areas = [clipped_polygon(points, self.size, 4.0) for points in shape.areas]
        shape = Shape(shape.ink, lines, [area for area in areas if len(area) > 2], shape.pattern)
        tile = self._tile(shape.box())
        if tile is None:
            return
        left, top, right, bottom = tile
        wide, high = right - left, bottom - top
        fine = next(times for times in FINE if times * times * wide * high <= LARGEST or times == FINE[-1])
        self.spend(fine * fine * wide * high)
        image = self._image.new("L", (fine * wide, fine * high))
        draw = self._draw.Draw(image)
        origin = (left, top)
        for corners in shape.areas:
            draw.polygon(_flat(corners, origin, fine), fill=255)
        for points, thickness in shape.lines:
            _line(draw, points, thickness, origin, fine)
        mask = np.asarray(image.reduce(fine) if fine > 1 else image)
        if shape.pattern is not None:
            mask = mask * _tiled(shape.pattern, origin, mask.shape)
        self.mask(mask, origin, shape.ink)

    def mask(self, mask: NDArray[Any], origin: tuple[int, int], ink: Ink) -> None:
        """Lay an ink over the picture where a mask of uint8, placed at (left, top), is set."""
        left, top = origin
        area_left, area_top = max(left, self._clip[0]), max(top, self._clip[1])
        mask = mask[area_top - top :, area_left - left :]
        if self.picture.ndim == 2 and self._levels is None and not ink.is_grey:
            self.picture = np.repeat(self.picture[..., None], 3, axis=2)
        right, bottom = min(area_left + mask.shape[1], self._clip[2]), min(area_top + mask.shape[0], self._clip[3])
        place = self.picture[area_top : max(bottom, area_top), area_left : max(right, area_left)]
        mask = mask[: place.shape[0], : place.shape[1]]
        if not mask.size:
            return
        share = mask.astype(np.float32) * (ink.opacity / 255)
        share = share if place.ndim == 2 else share[..., None]
        value = np.asarray(self._value(ink, coloured=place.ndim == 3), np.float32)
        place[...] = np.rint(place + share * (value - place)).astype(place.dtype)

    def _value(self, ink: Ink, *, coloured: bool) -> Any:
        if coloured:
            return ink.colour if ink.grey is None or not ink.is_grey else (ink.grey >> 8,) * 3
        if self._levels is not None:
            return self._levels[ink.p_value]
        return ink.p_value >> 8

    def _tile(self, box: tuple[float, float, float, float] | None) -> tuple[int, int, int, int] | None:
        """The part of the picture that a box covers."""
        if box is None:
            return None
        left, top = max(int(np.floor(box[0])), self._clip[0]), max(int(np.floor(box[1])), self._clip[1])
        right, bottom = min(int(np.ceil(box[2])), self._clip[2]), min(int(np.ceil(box[3])), self._clip[3])
        return (left, top, right, bottom) if left < right and top < bottom else None


def _flat(points: NDArray[np.float64], origin: tuple[int, int], fine: int) -> list[float]:
    flat: list[float] = (fine * (points - origin) - 0.5).reshape(-1).tolist()
    return flat


def _line(draw: Any, points: NDArray[np.float64], thickness: float, origin: tuple[int, int], fine: int) -> None:
    width = max(round(fine * thickness), 1)
    flat = _flat(points, origin, fine)
    if len(points) > 1:
        draw.line(flat, fill=255, width=width, joint="curve" if width > 2 else None)
    for x, y in (flat[:2], flat[-2:]):  # round ends, and points
        reach = (width - 1) / 2
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)


def _tiled(pattern: NDArray[np.bool_], origin: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A pattern repeated over a tile; it starts at the picture's first pixel."""
    rows = (np.arange(shape[0]) + origin[1]) % pattern.shape[0]
    columns = (np.arange(shape[1]) + origin[0]) % pattern.shape[1]
    return pattern[rows[:, None], columns[None]]


def grouped(shapes: Iterable[Shape]) -> Iterable[Shape]:
    """Join shapes of one ink that follow each other."""
    last: Shape | None = None
    for shape in shapes:
        if last is not None and shape.ink == last.ink and shape.pattern is None and last.pattern is None:
            last.lines += shape.lines
            last.areas += shape.areas
            continue
        if last is not None:
            yield last
        last = shape
    if last is not None:
        yield last
