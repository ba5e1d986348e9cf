"""The displayed area, and where the pixels of an image land in the picture (PS3.3 C.10.4, C.10.6)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels import resample as kernels
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, float_array, integers_of, item_at, number_of, term_of
from dicomcore.display.references import Images, images_of
from dicomcore.errors import LimitError, ParseError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.notes import Note
from dicomcore.tags import Tag

__all__ = ["DisplayedArea", "Placement", "area_of", "pixel_aspect", "placed", "rotation_of", "turned"]

MODES = ("SCALE TO FIT", "TRUE SIZE", "MAGNIFY")
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


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
    """Height and width of a pixel."""
    images: Images = field(default_factory=dict)
    origin: str = ""
    """FRAME or VOLUME (Pixel Origin Interpretation): what columns and rows of a tiled image count from."""

    def moved(self, across: int, down: int) -> DisplayedArea:
        """The same area, so many columns to the right and rows down."""
        corners = [(column + across, row + down) for column, row in (self.top_left, self.bottom_right)]
        return replace(self, top_left=corners[0], bottom_right=corners[1])


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image lands in the picture: turned, flipped, and its displayed area scaled."""

    shape: tuple[int, int]
    """(rows, columns) of the image."""
    rotation: int
    flipped: bool
    picture: tuple[int, int]
    """(rows, columns) of the picture."""
    area: tuple[float, float, float, float]
    """Left, top, right, bottom of the displayed area in the turned image, whose first pixel spans 0 to 1."""
    target: tuple[float, float, float, float]
    """Left, top, right, bottom of the displayed area in the picture."""

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the picture per pixel of the turned image, across and down."""
        left, top, right, bottom = self.area
        wide, high = self.target[2] - self.target[0], self.target[3] - self.target[1]
        return wide / (right - left), high / (bottom - top)

    def points(self, points: NDArray[Any], units: str) -> NDArray[np.float64]:
        """Map points, (n, 2) of columns and rows, to the picture.

        `units` is PIXEL for positions in the image, DISPLAY for fractions of the displayed area.
        """
        points = np.asarray(points, np.float64)
        left, top, right, bottom = self.target
        if units == "DISPLAY":
            return points * (right - left, bottom - top) + (left, top)
        across, down = self.scale
        placed = _turned_points(points, self.shape, self.rotation, flipped=self.flipped)
        return (placed - self.area[:2]) * (across, down) + (left, top)

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn, flip, crop and scale a picture of the image; what lies outside the image is black."""
        moved = turned(picture, self.rotation, flipped=self.flipped)
        rows, columns = self.picture
        if self.area == (0.0, 0.0, float(columns), float(rows)) == self.target and moved.shape[:2] == self.picture:
            return moved
        placed = np.zeros((rows, columns, *moved.shape[2:]), moved.dtype)
        if self.scale == (1.0, 1.0) and all(number == int(number) for number in (*self.area, *self.target)):
            _copy(moved, placed, int(self.target[0] - self.area[0]), int(self.target[1] - self.area[1]), self.target)
            return placed
        across, down = self.scale
        box = (
            self.area[0] - self.target[0] / across,
            self.area[1] - self.target[1] / down,
            self.area[0] + (columns - self.target[0]) / across,
            self.area[1] + (rows - self.target[1]) / down,
        )
        _resampled(moved, placed, box)
        return _outside_black(placed, self.target)


def _copy(
    source: NDArray[Any], target: NDArray[Any], right: int, down: int, within: tuple[float, float, float, float]
) -> None:
    """Copy pixels, moved to the right and down, as far as both arrays and the area within the target reach."""
    left, top = max(right, int(within[0]), 0), max(down, int(within[1]), 0)
    end_x = min(source.shape[1] + right, target.shape[1], int(within[2]))
    end_y = min(source.shape[0] + down, target.shape[0], int(within[3]))
    if left < end_x and top < end_y:
        target[top:end_y, left:end_x] = source[top - down : end_y - down, left - right : end_x - right]


def _resampled(source: NDArray[Any], target: NDArray[Any], box: tuple[float, float, float, float]) -> None:
    samples = 1 if source.ndim == 2 else source.shape[2]
    wide = source.dtype.itemsize
    kernels.resample(
        np.ascontiguousarray(source).reshape(-1).view(np.uint8),
        source.shape[0],
        source.shape[1],
        samples,
        wide,
        target.reshape(-1).view(np.uint8),
        target.shape[0],
        target.shape[1],
        *box,
    )


def _outside_black(picture: NDArray[Any], within: tuple[float, float, float, float]) -> NDArray[Any]:
    left, top = (max(round(number), 0) for number in within[:2])
    right, bottom = (max(round(number), 0) for number in within[2:])
    picture[:top] = 0
    picture[bottom:] = 0
    picture[:, :left] = 0
    picture[:, right:] = 0
    return picture


def turned(picture: NDArray[Any], rotation: int, *, flipped: bool) -> NDArray[Any]:
    """Rotate a picture clockwise by a multiple of 90 degrees, then flip it left to right (PS3.3 C.10.6)."""
    moved = np.rot90(picture, -(rotation // 90))
    return np.ascontiguousarray(moved[:, ::-1] if flipped else moved)


def _turned_points(
    points: NDArray[np.float64], shape: tuple[int, int], rotation: int, *, flipped: bool
) -> NDArray[np.float64]:
    rows, columns = shape
    x, y = points[..., 0], points[..., 1]
    if rotation == 90:
        x, y = rows - y, x
    elif rotation == 180:
        x, y = columns - x, rows - y
    elif rotation == 270:
        x, y = y, columns - x
    width = columns if rotation % 180 == 0 else rows
    return np.stack((width - x if flipped else x, y), -1)


def rotation_of(data_set: Dataset) -> int:
    """Image Rotation in degrees clockwise, 0 to 270; raises ParseError if it is no multiple of 90."""
    rotation = int(number_of(data_set, "ImageRotation") or 0)
    if rotation % 90:
        tag = int(Tag("ImageRotation"))
        raise ParseError(f"Image Rotation (0070,0042) is {rotation}, not a multiple of 90 (PS3.3 C.10.6)", tag=tag)
    return rotation % 360


def area_of(item: Dataset) -> DisplayedArea:
    """Read an item of the Displayed Area Selection Sequence; raises ParseError if it has no corners."""
    spacing = float_array(item, "PresentationPixelSpacing")
    return DisplayedArea(
        _corner(item, "DisplayedAreaTopLeftHandCorner"),
        _corner(item, "DisplayedAreaBottomRightHandCorner"),
        term_of(item, "PresentationSizeMode"),
        number_of(item, "PresentationPixelMagnificationRatio"),
        () if spacing is None else tuple(spacing.tolist()),
        integers_of(item, "PresentationPixelAspectRatio"),
        images_of(item),
        term_of(item, "PixelOriginInterpretation"),
    )


def _corner(item: Dataset, keyword: str) -> tuple[int, int]:
    numbers = integers_of(item, keyword)
    if len(numbers) != 2:
        raise ParseError(f"a displayed area has the {keyword} {numbers}, not a column and a row", tag=int(Tag(keyword)))
    return numbers[0], numbers[1]


def _ratio(pair: Any) -> float | None:
    """Height by width of a pixel; None if the pair is no plausible one."""
    if len(pair) != 2 or not all(isinstance(number, (int, float)) and isfinite(number) for number in pair):
        return None
    high, wide = (float(number) for number in pair)
    return high / wide if high > 0 and wide > 0 and 1 / 64 <= high / wide <= 64 else None


def pixel_aspect(image: Dataset, frame: int = 0) -> float:
    """Height by width of a frame's pixels, by the aspect ratio or the spacing that the image states; else 1."""
    ratio = _ratio(integers_of(image, "PixelAspectRatio"))
    groups = (
        item_at(image, "PerFrameFunctionalGroupsSequence", frame),
        first_item(image, "SharedFunctionalGroupsSequence"),
    )
    places = [None if group is None else first_item(group, "PixelMeasuresSequence") for group in groups]
    for place in (*places, image):
        for keyword in SPACINGS:
            values = None if place is None else place.get(keyword)
            if ratio is None and isinstance(values, list):
                ratio = _ratio(values)
    return 1.0 if ratio is None else ratio


def placed(
    shape: tuple[int, int],
    area: DisplayedArea | None,
    *,
    rotation: int = 0,
    flipped: bool = False,
    aspect: float = 1.0,
    size: int | tuple[int, int] | None = None,
    screen_spacing: Any = None,
    limits: Limits = DEFAULT_LIMITS,
    notes: list[Note] | None = None,
) -> Placement:
    """Place an image in a picture.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    area : DisplayedArea, optional
        The part to display; None for the whole image.
    rotation : int
        Degrees clockwise.
    flipped : bool
        Whether left and right are exchanged after the rotation.
    aspect : float
        Height by width of a pixel, where the area states none.
    size : int or tuple of int, optional
        The longer side of the picture, or its rows and columns. None gives each pixel of the image one in the picture,
        unless the area magnifies or its pixels are no squares.
    screen_spacing : pair of float, optional
        Millimetres between rows and columns of the screen, for the size mode TRUE SIZE.
    limits : Limits
        Bounds the pixels of the picture.
    notes : list, optional
        Receives what could not be honoured.

    Raises
    ------
    ParseError
        The area has no size.
    LimitError
        The picture would cross the limit of pixels.
    """
    notes = [] if notes is None else notes
    box = _box(shape, area, rotation, flipped=flipped, notes=notes)
    across, down = box[2] - box[0], box[3] - box[1]
    ratio = aspect
    if area is not None:
        ratio = _ratio(area.pixel_spacing) or _ratio(area.aspect_ratio) or 1.0
    if rotation % 180:
        ratio = 1 / ratio
    natural = (across, down * ratio) if ratio >= 1 else (across / ratio, down)
    wanted, fixed = _wanted(area, natural, (across, down), rotation, screen_spacing, notes)
    picture, target = _fitted(wanted, size, fixed=fixed)
    if picture[0] * picture[1] > limits.pixels:
        raise LimitError(f"a picture of {picture[0]} × {picture[1]} pixels crosses the limit of {limits.pixels}")
    return Placement(shape, rotation, flipped, picture, box, target)


def _box(
    shape: tuple[int, int], area: DisplayedArea | None, rotation: int, *, flipped: bool, notes: list[Note]
) -> tuple[float, float, float, float]:
    """The displayed area in the turned image."""
    if area is None:
        rows, columns = shape if rotation % 180 == 0 else shape[::-1]
        return 0.0, 0.0, float(columns), float(rows)
    centres = np.array([area.top_left, area.bottom_right], np.float64) - 0.5
    first, last = _turned_points(centres, shape, rotation, flipped=flipped)
    if first[0] > last[0] or first[1] > last[1]:
        message = (
            f"the displayed area's corners {area.top_left} and {area.bottom_right} are not top left and bottom right "
            "once the image is turned: they are exchanged"
        )
        notes.append(Note("displayed-area", message))
    low, high = np.minimum(first, last) - 0.5, np.maximum(first, last) + 0.5
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _wanted(
    area: DisplayedArea | None,
    natural: tuple[float, float],
    pixels: tuple[float, float],
    rotation: int,
    screen_spacing: Any,
    notes: list[Note],
) -> tuple[tuple[float, float], bool]:
    """Width and height of the displayed area in the picture, and whether the state fixes them."""
    if area is None or area.size_mode in ("", "SCALE TO FIT"):
        return natural, False
    if area.size_mode == "MAGNIFY":
        ratio = area.magnification
        if ratio is None or not 0 < ratio <= 1e6:
            tag = int(Tag("PresentationPixelMagnificationRatio"))
            raise ParseError(f"Presentation Pixel Magnification Ratio (0070,0103) is {ratio}", tag=tag)
        return (natural[0] * ratio, natural[1] * ratio), True
    if area.size_mode == "TRUE SIZE":
        spacing = area.pixel_spacing
        if screen_spacing is not None and len(spacing) == 2 and min(spacing) > 0:
            down, across = spacing if rotation % 180 == 0 else spacing[::-1]
            return (pixels[0] * across / screen_spacing[1], pixels[1] * down / screen_spacing[0]), True
        said = "the screen's" if len(spacing) == 2 else "the image's"
        notes.append(Note("true-size", f"{said} pixel spacing is not known: TRUE SIZE is shown as SCALE TO FIT"))
        return natural, False
    notes.append(Note("size-mode", f"Presentation Size Mode is {area.size_mode!r}: taken as SCALE TO FIT"))
    return natural, False


def _fitted(
    wanted: tuple[float, float], size: int | tuple[int, int] | None, *, fixed: bool
) -> tuple[tuple[int, int], tuple[float, float, float, float]]:
    """The picture's rows and columns, and the target of the displayed area in it."""
    wide, high = wanted
    if isinstance(size, int):
        if size < 1:
            raise ValueError(f"a picture's size is 1 or more, not {size}")
        if fixed:
            size = (min(round(high), size), min(round(wide), size))
            size = (max(size[0], 1), max(size[1], 1))
        else:
            factor = size / max(wide, high)
            wide, high, size = wide * factor, high * factor, None
    if size is None:
        columns, rows = max(round(min(wide, 1e9)), 1), max(round(min(high, 1e9)), 1)
        return (rows, columns), (0.0, 0.0, float(columns), float(rows))
    rows, columns = size
    if rows < 1 or columns < 1:
        raise ValueError(f"a picture has 1 row and column or more, not {rows} and {columns}")
    if not fixed:
        factor = min(columns / wide, rows / high)
        wide, high = wide * factor, high * factor
    left, top = round((columns - wide) / 2), round((rows - high) / 2)
    return (rows, columns), (float(left), float(top), left + max(round(wide), 1), top + max(round(high), 1))
