"""Shutter: the part of an image that is covered (PS3.3 C.7.6.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import integers_of, number_of, texts_of
from dicomcore.display.cielab import from_cielab
from dicomcore.display.polygons import fill
from dicomcore.errors import ParseError
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Shutter", "shutter_colour", "shutter_of", "shutter_value"]

EDGES = ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")


@dataclass(frozen=True, slots=True)
class Shutter:
    """The openings of a shutter; pixels that lie in all of them are visible. Rows and columns count from 1."""

    rectangle: tuple[int, ...] = ()
    """Left and right column, upper and lower row; empty without a rectangular shutter."""
    circle: tuple[int, ...] = ()
    """Row and column of the centre, radius in pixels; empty without a circular shutter."""
    polygon: tuple[tuple[int, int], ...] = ()
    """(row, column) of the corners; empty without a polygonal shutter."""
    value: int = 0
    """Value of covered pixels, 0 (black) to 255."""
    colour: tuple[int, int, int] | None = None
    """sRGB colour of covered pixels in colour pictures, 0 to 255; None for the grey of `value`."""

    def opening(self, rows: int, columns: int) -> NDArray[np.bool_]:
        """Return (rows, columns) of bool, true where pixels are visible."""
        row, column = np.arange(1, rows + 1)[:, None], np.arange(1, columns + 1)[None]
        visible = np.ones((rows, columns), bool)
        if self.rectangle:
            left, right, upper, lower = self.rectangle
            visible &= (row >= upper) & (row <= lower) & (column >= left) & (column <= right)
        if self.circle:
            down, across, radius = (float(number) for number in self.circle)
            visible &= (row - down) ** 2 + (column - across) ** 2 <= radius**2
        if self.polygon:
            corners = np.array(self.polygon, np.float64) - 1
            visible &= fill(corners[:, 0], corners[:, 1], rows, columns).view(bool)
        return visible

    def close(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of the picture in which the covered pixels have the value or the colour of the shutter."""
        covered = picture.copy()
        value: Any = self.value if picture.ndim == 2 or self.colour is None else self.colour
        covered[~self.opening(*picture.shape[:2])] = value
        return covered


def shutter_of(data_set: Dataset) -> Shutter | None:
    """Read the shutter of a data set; None if it has no shutter, or only a bitmap shutter.

    Raises ParseError if an opening cannot be read, because the pixels that it covers must not be visible.
    """
    shapes = {shape.strip().upper() for shape in texts_of(data_set, "ShutterShape")}
    openings: dict[str, Any] = {}
    if "RECTANGULAR" in shapes:
        edges = [number_of(data_set, f"Shutter{edge}Edge") for edge in EDGES]
        if not all(isinstance(edge, int) for edge in edges):
            raise _unreadable("ShutterLeftVerticalEdge", f"a rectangular shutter has the edges {edges}")
        openings["rectangle"] = tuple(edges)
    if "CIRCULAR" in shapes:
        centre = integers_of(data_set, "CenterOfCircularShutter")
        radius = number_of(data_set, "RadiusOfCircularShutter")
        if len(centre) != 2 or not isinstance(radius, int):
            message = f"a circular shutter has the centre {centre} and the radius {radius}"
            raise _unreadable("CenterOfCircularShutter", message)
        openings["circle"] = (*centre, radius)
    if "POLYGONAL" in shapes:
        corners = integers_of(data_set, "VerticesOfThePolygonalShutter")
        if len(corners) < 6 or len(corners) % 2:
            raise _unreadable("VerticesOfThePolygonalShutter", f"a polygonal shutter has the vertices {corners}")
        openings["polygon"] = tuple(zip(corners[::2], corners[1::2], strict=True))
    if not openings:
        return None
    return Shutter(**openings, value=shutter_value(data_set), colour=shutter_colour(data_set))


def shutter_value(data_set: Dataset) -> int:
    """Return the value of covered pixels, 0 (black) to 255."""
    value = number_of(data_set, "ShutterPresentationValue")
    return min(max(int(value or 0), 0), 65535) >> 8


def shutter_colour(data_set: Dataset) -> tuple[int, int, int] | None:
    """Return the sRGB colour of covered pixels in colour pictures; None if the data set recommends only a grey."""
    lab = integers_of(data_set, "ShutterPresentationColorCIELabValue")
    return from_cielab(lab) if len(lab) == 3 else None


def _unreadable(keyword: str, message: str) -> ParseError:
    return ParseError(message + ": the area it covers is unknown", tag=int(Tag(keyword)))
