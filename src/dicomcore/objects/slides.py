"""Slides: tiles and regions of whole slide images, at any level of their pyramid (PS3.3 A.32.8)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from math import floor, isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, float_array, integers_of, items_of, number_of, text_of
from dicomcore.display.cielab import from_cielab
from dicomcore.display.icc import OUTPUTS, managed
from dicomcore.errors import DicomError, InvalidDicomError, LimitError, ParseError
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.notes import Note
from dicomcore.objects.slide_levels import Change, Level, flavour_of, group_levels
from dicomcore.part10.reader import dcmread
from dicomcore.threads import cpus

__all__ = ["Slide"]

Source = str | os.PathLike[str] | Dataset
SLIDE_IMAGES = "1.2.840.10008.5.1.4.1.1.77.1.6"  # VL Whole Slide Microscopy Image Storage
WHITE = 255
NEAR = 1.0  # pixels of the coarser level by which the origins of two levels may differ and still be the same


class Slide:
    """The images of one slide: ``Slide(folder).region(1000, 2000, 512, 512)``.

    `levels` are the resolutions, the largest first. Pixels are counted from 0, from the top left of a level's total
    pixel matrix; millimetres from the top left of the largest level. Where there is no tile a region has the
    background: the colour that the slide recommends for absent pixels, else white for colour and 0 for grey.
    """

    def __init__(self, sources: Source | Iterable[Source], *, limits: Limits = DEFAULT_LIMITS) -> None:
        """`sources` are a folder, whose other files are passed over, or files and data sets of one slide.

        Raises ParseError if there is no whole slide image, or if they are of several slides.
        """
        self.limits = limits
        images = list(_images(sources, limits))
        by_flavour: dict[str, list[Dataset]] = {}
        for image in images:
            by_flavour.setdefault(flavour_of(image), []).append(image)
        volume = [image for name, several in by_flavour.items() if name not in ASIDE for image in several]
        if not volume:
            raise ParseError("there is no whole slide image: none of the images is of VOLUME flavour")
        _refuse_several(volume)
        self.levels: tuple[Level, ...] = tuple(group_levels(volume, limits))
        self._notes: dict[Note, None] = {}
        self._aside = {name: by_flavour[name] for name in ASIDE if name in by_flavour}
        self._place_levels()

    def __repr__(self) -> str:
        rows, columns = self.levels[0].shape
        return f"<Slide of {rows} × {columns} pixels, {len(self.levels)} levels>"

    @property
    def spacing(self) -> tuple[float, float] | None:
        """mm between rows, between columns, of the largest level."""
        return self.levels[0].spacing

    @property
    def optical_paths(self) -> tuple[str, ...]:
        """Identifiers of the optical paths of the largest level."""
        return self.levels[0].optical_paths

    @property
    def focal_planes(self) -> tuple[float, ...]:
        """Heights in µm of the focal planes of the largest level."""
        return self.levels[0].focal_planes

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Deviations in the tilings of all levels."""
        return tuple(issue for level in self.levels for issue in level.issues)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was assumed of colours so far, such as sRGB where there is no usable ICC profile."""
        return tuple(self._notes)

    def level_for(self, downsample: float) -> int:
        """Return the number of the smallest level that is reduced by at most this factor."""
        largest = self.levels[0].shape[1]
        fitting = [i for i, level in enumerate(self.levels) if largest / level.shape[1] <= downsample * 1.01]
        return fitting[-1] if fitting else 0

    def tile(
        self,
        row: int,
        column: int,
        level: int = 0,
        *,
        path: str | int | None = None,
        focal: int | None = None,
        profile: str | None = None,
    ) -> NDArray[Any]:
        """Return the tile at a row and column of tiles, whole, even where it extends past the matrix; see `region`."""
        chosen = self._level(level)
        down, across = chosen.tiles
        if not (0 <= row < down and 0 <= column < across):
            raise IndexError(f"tile ({row}, {column}) of {down} × {across}")
        tall, wide = chosen.tile
        corner = row * tall, column * wide
        for one in chosen.within(*corner, 1, 1, path, focal):
            if (one.top, one.left) == corner:
                tile = one.image.frames.decode(one.frame)
                return (
                    tile
                    if profile is None
                    else _managed(profile, self._notes)(tile, one.image, _path_name(chosen, path))
                )
        return self._painted(chosen, *corner, tall, wide, path, focal, profile, 1)

    def region(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        level: int = 0,
        *,
        units: str = "pixel",
        path: str | int | None = None,
        focal: int | None = None,
        profile: str | None = None,
        workers: int | None = None,
    ) -> NDArray[Any]:
        """Return a region as (rows, columns) or (rows, columns, 3), with the background where there is no tile.

        Parameters
        ----------
        x, y
            Column and row of its first pixel at `level`, or mm from the top left of the largest level.
        width, height
            Its size in the same units. It may extend past the slide.
        level
            The number of the level, from 0 for the largest.
        units
            "pixel" or "mm"; mm are rounded to whole pixels of the level.
        path
            The identifier or the number of the optical path; the first by default.
        focal
            The number of the focal plane, from the lowest; the middle one by default.
        profile
            "srgb", "adobergb", "rommrgb" or "displayp3" brings colours there from the ICC profile of the optical path;
            None keeps them. Without a usable profile they are taken as sRGB, which `notes` then tell.
        workers
            Threads that decode; one for each CPU by default.

        Raises
        ------
        ValueError
            A size that is not positive, other units, an unknown optical path, or mm without a known spacing.
        LimitError
            The region has more pixels than `limits` allow.
        PixelDecodeError
            A tile is damaged: the error names its frame and file.
        """
        chosen = self._level(level)
        left, top, wide, tall = _pixels((x, y, width, height), units, chosen)
        return self._painted(chosen, top, left, tall, wide, path, focal, profile, workers)

    def thumbnail(self, size: int = 512, *, profile: str | None = None) -> NDArray[Any]:
        """Return a picture of the whole slide, at most `size` pixels on its longer side."""
        if size < 1:
            raise ValueError(f"a thumbnail has 1 pixel at least, not {size}")
        levels = [level for level in self.levels if max(level.shape) >= size] or [self.levels[0]]
        level = levels[-1]
        whole = self._painted(level, 0, 0, *level.shape, None, None, profile, None)
        return whole if max(level.shape) <= size else _reduced(whole, size)

    def label(self, *, profile: str | None = None) -> NDArray[Any] | None:
        """Return the picture of the slide's label, or None."""
        return self._associated("LABEL", profile)

    def overview(self, *, profile: str | None = None) -> NDArray[Any] | None:
        """Return the picture of the whole glass, or None."""
        return self._associated("OVERVIEW", profile)

    def position(self, x: float, y: float, level: int = 0) -> tuple[float, float]:
        """Return where a pixel lies in the slide coordinate system, in mm (PS3.3 C.8.12.2)."""
        chosen = self._level(level)
        origin, axes = _frame_of(self.levels[0].images[0])
        spacing = _known_spacing(chosen)
        right, down = x * spacing[1] + chosen.offset[1], y * spacing[0] + chosen.offset[0]
        place = origin + axes[:3][:2] * right + axes[3:][:2] * down
        return float(place[0]), float(place[1])

    def _level(self, level: int) -> Level:
        if not 0 <= level < len(self.levels):
            raise IndexError(f"level {level} of {len(self.levels)}")
        return self.levels[level]

    def _associated(self, flavour: str, profile: str | None) -> NDArray[Any] | None:
        images = self._aside.get(flavour)
        if not images:
            return None
        level = group_levels(images, self.limits)[0]
        return self._painted(level, 0, 0, *level.shape, None, None, profile, None)

    def _painted(
        self,
        level: Level,
        top: int,
        left: int,
        rows: int,
        columns: int,
        path: str | int | None,
        focal: int | None,
        profile: str | None,
        workers: int | None,
    ) -> NDArray[Any]:
        if rows * columns > self.limits.pixels:
            raise LimitError(f"a region of {rows} × {columns} pixels crosses the limit of {self.limits.pixels}")
        samples, dtype = level.kind(path, focal)
        shape = (rows, columns) if samples == 1 else (rows, columns, samples)
        return level.paint(
            top,
            left,
            np.empty(shape, dtype),
            path=path,
            focal=focal,
            change=None if profile is None else _managed(profile, self._notes),
            background=_background(level, path, samples, dtype),
            workers=cpus() if workers is None else max(workers, 1),
        )

    def _place_levels(self) -> None:
        """Set the offset of each level, where its origin differs from that of the largest by a pixel or more."""
        origin, axes = _frame_of(self.levels[0].images[0])
        for level in self.levels[1:]:
            own, _ = _frame_of(level.images[0])
            if level.spacing is None:
                continue
            apart = own - origin
            down, right = float(apart @ axes[3:][:2]), float(apart @ axes[:3][:2])
            if max(abs(down) / level.spacing[0], abs(right) / level.spacing[1]) >= NEAR:
                level.offset = (down, right)


ASIDE = ("LABEL", "OVERVIEW", "THUMBNAIL", "LOCALIZER")


def _images(sources: Source | Iterable[Source], limits: Limits) -> Iterator[Dataset]:
    """Yield the whole slide images of the sources; a folder may hold other files, too."""
    if isinstance(sources, str | os.PathLike) and os.path.isdir(sources):
        for path in sorted(Path(sources).iterdir()):
            image = _slide_image(path, limits) if path.is_file() else None
            if image is not None:
                yield image
        return
    several = [sources] if isinstance(sources, str | os.PathLike | Dataset) else sources
    for source in several:
        image = source if isinstance(source, Dataset) else dcmread(source, limits=limits)
        if text_of(image, "SOPClassUID") != SLIDE_IMAGES:
            name = image.filename or text_of(image, "SOPInstanceUID") or "a data set"
            raise ParseError(f"{name} is not a whole slide image", tag=0x00080016)
        yield image


def _slide_image(path: Path, limits: Limits) -> Dataset | None:
    """Read a file of a folder; None if it is no whole slide image."""
    try:
        image = dcmread(path, limits=limits)
    except InvalidDicomError:
        return None
    return image if text_of(image, "SOPClassUID") == SLIDE_IMAGES else None


def _refuse_several(images: list[Dataset]) -> None:
    """Raise ParseError if images are of several slides: of other frames of reference or containers."""
    for keyword in ("FrameOfReferenceUID", "ContainerIdentifier", "PyramidUID"):
        values = sorted({text for image in images if (text := text_of(image, keyword))})
        if len(values) > 1:
            raise ParseError(f"the images are of {len(values)} slides: their {keyword} is {', '.join(values[:5])}")


def _pixels(area: tuple[float, float, float, float], units: str, level: Level) -> tuple[int, int, int, int]:
    """Return left, top, width and height in pixels of the level."""
    if not all(isfinite(number) for number in area):
        raise ValueError(f"a region's numbers are finite, not {area}")
    x, y, width, height = area
    if not (width > 0 and height > 0):
        raise ValueError(f"a region has a size of 1 pixel at least, not {width:g} × {height:g}")
    if units == "mm":
        across, down = reversed(_known_spacing(level))
        x, y = (x - level.offset[1]) / across, (y - level.offset[0]) / down
        left, top = floor(x + 0.5), floor(y + 0.5)
        return left, top, max(round(width / across), 1), max(round(height / down), 1)
    if units != "pixel":
        raise ValueError(f"units are 'pixel' or 'mm', not {units!r}")
    if any(number != int(number) for number in area):
        raise ValueError(f"a region in pixels has whole numbers, not {area}")
    return int(x), int(y), int(width), int(height)


def _reduced(whole: NDArray[Any], size: int) -> NDArray[Any]:
    """Reduce a picture to `size` pixels on the longer side, each the mean of those that it covers."""
    summed, covered = whole.astype(np.float32), np.ones(1, np.float32)
    for axis in (0, 1):
        length = whole.shape[axis]
        count = max(round(length * size / max(whole.shape[:2])), 1)
        edges = np.arange(count + 1) * length // count
        summed = np.add.reduceat(summed, edges[:-1], axis=axis)
        covered = np.multiply.outer(covered, np.diff(edges)) if axis else np.diff(edges).astype(np.float32)
    means = summed / covered.reshape(*covered.shape, *[1] * (whole.ndim - 2))
    return np.rint(means).astype(whole.dtype)


def _known_spacing(level: Level) -> tuple[float, float]:
    if level.spacing is None:
        raise ValueError("the slide states neither Pixel Spacing nor the size of the imaged volume")
    return level.spacing


def _frame_of(image: Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the origin of the matrix in mm, (2,), and the directions of a row and of a column, (6,)."""
    place = first_item(image, "TotalPixelMatrixOriginSequence")
    numbers = [None if place is None else number_of(place, f"{axis}OffsetInSlideCoordinateSystem") for axis in "XY"]
    axes = float_array(image, "ImageOrientationSlide")
    if axes is None or axes.size != 6 or not np.isfinite(axes).all():
        axes = np.array([1.0, 0, 0, 0, 1, 0])
    return np.array([float(number or 0) for number in numbers]), axes.astype(np.float64)


def _path_name(level: Level, path: str | int | None) -> str:
    return level.optical_paths[level.path_number(path)] if level.optical_paths else ""


def _optical_path(image: Dataset, name: str) -> Dataset | None:
    items = items_of(image, "OpticalPathSequence")
    named = (item for item in items if text_of(item, "OpticalPathIdentifier") == name)
    return next(named, items[0] if items else None)


def _background(level: Level, path: str | int | None, samples: int, dtype: np.dtype[Any]) -> Any:
    """The value of pixels without a tile: what the image recommends, else white or 0."""
    if samples != 3:
        return 0
    image = level.images[0]
    item = _optical_path(image, _path_name(level, path))
    for place in (image, item):
        lab = () if place is None else integers_of(place, "RecommendedAbsentPixelCIELabValue")
        if len(lab) == 3:
            return np.array(from_cielab(lab), dtype)
    return WHITE if dtype.itemsize == 1 else np.iinfo(dtype).max


def _managed(profile: str, notes: dict[Note, None]) -> Change:
    """Return what brings a tile from the ICC profile of its optical path into a colour space."""
    if profile not in OUTPUTS:
        raise ValueError(f"a profile is {', '.join(OUTPUTS)}, not {profile!r}")

    def change(tile: NDArray[Any], image: Dataset, name: str) -> NDArray[Any]:
        if tile.ndim < 3 or profile == "none":
            return tile
        if tile.dtype != np.uint8:
            raise DicomError(f"colours of {8 * tile.itemsize} bits cannot be brought into a colour space")
        found: list[Note] = []
        managed_tile = managed(tile, _profile_of(image, name), profile, found)
        notes.update(dict.fromkeys(found))
        return managed_tile

    return change


def _profile_of(image: Dataset, name: str) -> bytes | str | None:
    """Return the ICC profile of an optical path, or else of the image; or the name of its colour space."""
    for place in (_optical_path(image, name), image):
        profile = None if place is None else place.get("ICCProfile")
        if isinstance(profile, bytes) and profile:
            return profile
        space = "" if place is None else (text_of(place, "ColorSpace") or "").strip().lower()
        if space in OUTPUTS and space != "none":
            return space
    return None
