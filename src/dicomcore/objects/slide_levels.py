"""Levels of a slide: where the tiles of its images lie in a total pixel matrix, and regions of it (PS3.3 C.8.12.4)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, float_array, items_of, number_of, term_of, text_of, texts_of
from dicomcore.errors import LimitError, ParseError
from dicomcore.issues import Issue
from dicomcore.limits import Limits
from dicomcore.pixels.pasting import paste
from dicomcore.tags import Tag
from dicomcore.threads import in_order, run_over

__all__ = ["Level", "Placed", "size_of"]

Change = Callable[[NDArray[Any], Dataset, str], NDArray[Any]]
"""What is done to a decoded tile, given its image and the identifier of its optical path."""
FARTHEST = 1 << 32  # positions are UL or SL
MICRO = 1000  # Z Offset in Slide Coordinate System is in micrometers, Spacing Between Slices in mm


class Placed(NamedTuple):
    """A tile: its image, its frame (from 0), and the row and column of its first pixel, from 0."""

    image: Dataset
    frame: int
    top: int
    left: int


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the frames of one image lie."""

    corners: NDArray[np.int64]
    """(frames, 2): row and column of the first pixel, from 0."""
    heights: NDArray[np.float64]
    """(frames,): µm above the slide."""
    paths: NDArray[np.intp]
    """(frames,): index into `names`, -1 for frames of no optical path."""
    names: tuple[str, ...]
    issues: tuple[Issue, ...] = ()


class _Tiles(NamedTuple):
    """Tiles of one focal plane and optical path, in the order of their rows and columns."""

    images: NDArray[np.intp]
    frames: NDArray[np.intp]
    corners: NDArray[np.int64]
    apart: bool
    """Whether no tile overlaps another."""


@dataclass(eq=False)
class Level:
    """One resolution of a slide: a matrix of pixels, whose tiles are frames of one image or of several.

    Several images belong to one level: parts of a concatenation, or images of other optical paths or focal planes.
    """

    shape: tuple[int, int]
    """(rows, columns) of the total pixel matrix."""
    tile: tuple[int, int]
    """(rows, columns) of a tile."""
    spacing: tuple[float, float] | None
    """mm between rows, between columns; None if the images do not state it."""
    images: tuple[Dataset, ...] = field(repr=False)
    limits: Limits = field(repr=False)
    offset: tuple[float, float] = (0.0, 0.0)
    """mm from the first pixel of the largest level, down and to the right."""
    _own: threading.local = field(default_factory=threading.local, init=False, repr=False)
    """The tile that each thread decodes into: to allocate one takes half as long as to decode it."""

    @property
    def tiles(self) -> tuple[int, int]:
        """Rows and columns of tiles that cover the matrix."""
        return -(-self.shape[0] // self.tile[0]), -(-self.shape[1] // self.tile[1])

    @property
    def focal_planes(self) -> tuple[float, ...]:
        """Heights of the focal planes above the slide, in µm, from the lowest."""
        return self._planes

    @property
    def optical_paths(self) -> tuple[str, ...]:
        """Identifiers of the optical paths."""
        return self._paths

    @property
    def issues(self) -> tuple[Issue, ...]:
        """TILE_COUNT: frames of a full tiling are missing or too many; TILE_POSITION: frames lie outside the matrix."""
        return (*(issue for places in self._places for issue in places.issues), *_missing_parts(self.images))

    def kind(self, path: str | int | None = None, focal: int | None = None) -> tuple[int, np.dtype[Any]]:
        """Return samples of a pixel (1, or 3 for colour) and dtype; raise ParseError if the tiles differ in them."""
        tiles = self._tiles_of(path, focal)
        shown = [0] if tiles is None else np.unique(tiles.images).tolist()
        kinds = {(self.images[i].frames.description.samples_per_pixel, self.images[i].frames.dtype) for i in shown}
        if len(kinds) > 1:
            raise ParseError(f"the tiles of one optical path and focal plane differ in samples or bits: {kinds}")
        samples, dtype = kinds.pop()
        return int(samples), dtype

    def within(
        self, top: int, left: int, rows: int, columns: int, path: str | int | None = None, focal: int | None = None
    ) -> list[Placed]:
        """Return the tiles that have pixels in an area, by rows and columns."""
        tiles = self._tiles_of(path, focal)
        if tiles is None:
            return []
        tall, wide = self.tile
        first, last = np.searchsorted(tiles.corners[:, 0], (top - tall + 1, min(top + rows, self.shape[0])))
        near = tiles.corners[first:last, 1]
        chosen = first + np.flatnonzero((near > left - wide) & (near < min(left + columns, self.shape[1])))
        return [
            Placed(self.images[image], frame, *corner)
            for image, frame, corner in zip(
                tiles.images[chosen].tolist(),
                tiles.frames[chosen].tolist(),
                tiles.corners[chosen].tolist(),
                strict=True,
            )
        ]

    def paint(
        self,
        top: int,
        left: int,
        out: NDArray[Any],
        *,
        path: str | int | None,
        focal: int | None,
        change: Change | None,
        background: Any,
        workers: int,
    ) -> NDArray[Any]:
        """Fill `out`, (rows, columns[, samples]), with the area from (top, left) on; decode on `workers` threads."""
        rows, columns = out.shape[:2]
        placed = self.within(top, left, rows, columns, path, focal)
        tiles = self._tiles_of(path, focal)
        apart = tiles is None or tiles.apart
        covered = sum(np.prod(self._overlap(one, top, left, rows, columns)[2]) for one in placed)
        if covered < rows * columns or not apart:
            out[...] = background
        name = "" if not self._paths else self._paths[self.path_number(path)]

        frames_of = {id(image): image.frames for image in {id(one.image): one.image for one in placed}.values()}
        own = self._own

        def put(one: Placed, tile: NDArray[Any] | None) -> None:
            target, source, (height, width) = self._overlap(one, top, left, rows, columns)
            place = out[target[0] : target[0] + height, target[1] : target[1] + width]
            area = slice(source[0], source[0] + height), slice(source[1], source[1] + width)
            if tile is not None:
                place[...] = tile[area]
                return
            frames = frames_of[id(one.image)]
            if getattr(own, "frames", None) is not frames:
                own.frames, own.tile = frames, np.empty(frames.description.shape, frames.dtype)
            paste(frames, one.frame, area, place, own.tile)

        def decoded(one: Placed) -> NDArray[Any]:
            tile: NDArray[Any] = frames_of[id(one.image)].decode(one.frame)
            return tile if change is None else change(tile, one.image, name)

        if apart:
            run_over(
                placed,
                lambda _, one: put(one, None if change is None else decoded(one)),
                min(workers, len(placed)),
            )
        else:  # where tiles overlap the later one counts, so that they are put one after the other
            for one, tile in zip(placed, in_order(placed, decoded, workers), strict=True):
                put(one, tile)
        return out

    def path_number(self, path: str | int | None) -> int:
        """Return the index of an optical path; raise ValueError or IndexError if there is no such path."""
        if isinstance(path, str):
            if path not in self._paths:
                raise ValueError(f"there is no optical path {path!r}, but {', '.join(map(repr, self._paths))}")
            return self._paths.index(path)
        number = 0 if path is None else path
        if self._paths and not 0 <= number < len(self._paths):
            raise IndexError(f"optical path {number} of {len(self._paths)}")
        return number

    def _overlap(
        self, one: Placed, top: int, left: int, rows: int, columns: int
    ) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Return where a tile begins in an area, where the area begins in the tile, and the size that they share."""
        corner, area = (one.top, one.left), (top, left)
        starts = [max(*pair, 0) for pair in zip(corner, area, strict=True)]
        stops = [
            min(corner[axis] + self.tile[axis], area[axis] + (rows, columns)[axis], self.shape[axis]) for axis in (0, 1)
        ]
        target = (starts[0] - top, starts[1] - left)
        source = (starts[0] - one.top, starts[1] - one.left)
        return target, source, (max(stops[0] - starts[0], 0), max(stops[1] - starts[1], 0))

    def _tiles_of(self, path: str | int | None, focal: int | None) -> _Tiles | None:
        number = self.path_number(path)
        plane = len(self._planes) // 2 if focal is None else focal
        if not 0 <= plane < max(len(self._planes), 1):
            raise IndexError(f"focal plane {plane} of {len(self._planes)}")
        return self._by_channel.get((number, plane))

    @cached_property
    def _places(self) -> list[_Places]:
        return [_places_of(image, self.shape, self.tile) for image in self.images]

    @cached_property
    def _planes(self) -> tuple[float, ...]:
        heights = np.concatenate([places.heights for places in self._places])
        return tuple(np.unique(heights[np.isfinite(heights)]).tolist())

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for places in self._places for name in places.names))

    @cached_property
    def _by_channel(self) -> dict[tuple[int, int], _Tiles]:
        """The tiles of each optical path and focal plane."""
        images = np.repeat(np.arange(len(self.images)), [len(places.paths) for places in self._places])
        frames = np.concatenate([np.arange(len(places.paths)) for places in self._places])
        corners = np.concatenate([places.corners for places in self._places])
        planes = np.searchsorted(self._planes, np.concatenate([places.heights for places in self._places]))
        paths = np.concatenate([self._path_numbers(places) for places in self._places])
        tall, wide = self.tile
        inside = (corners > (-tall, -wide)).all(axis=1) & (corners < self.shape).all(axis=1) & (paths >= 0)
        chosen = np.flatnonzero(inside)
        chosen = chosen[np.lexsort((corners[chosen, 1], corners[chosen, 0], planes[chosen], paths[chosen]))]
        channels = np.stack([paths[chosen], planes[chosen]], axis=1)
        ends = np.flatnonzero((np.diff(channels, axis=0) != 0).any(axis=1)) + 1
        found: dict[tuple[int, int], _Tiles] = {}
        for part in np.split(chosen, ends) if chosen.size else ():
            own = corners[part]
            key = int(paths[part[0]]), int(planes[part[0]])
            found[key] = _Tiles(images[part], frames[part], own, _are_apart(own, self.tile))
        return found

    def _path_numbers(self, places: _Places) -> NDArray[np.intp]:
        """Return the index into `optical_paths` of each frame's path."""
        numbers = np.array([*map(self._paths.index, places.names), -1])
        return numbers[np.where(places.paths < len(places.names), places.paths, -1)]


def _missing_parts(images: Iterable[Dataset]) -> Iterable[Issue]:
    """Yield an issue for each concatenation that lacks a part: its tiles are background."""
    parts: dict[str, list[Dataset]] = {}
    for image in images:
        uid = text_of(image, "ConcatenationUID")
        if uid:
            parts.setdefault(uid, []).append(image)
    for uid, members in parts.items():
        numbers = {number_of(image, "InConcatenationNumber") for image in members}
        totals = [number_of(image, "InConcatenationTotalNumber") or 0 for image in members]
        # The last part need not say how many there are; then what lies before each part must be there.
        ends = {int(number_of(image, "ConcatenationFrameOffsetNumber") or 0): len(image.frames) for image in members}
        gaps = [start for start in ends if start and start not in {first + count for first, count in ends.items()}]
        if len(numbers) < max(totals) or gaps or 0 not in ends:
            message = f"the concatenation {uid} lacks parts: {len(numbers)} of {max(totals) or 'an unknown number'}"
            yield Issue("TILE_COUNT", Tag("InConcatenationNumber"), 0, message)


def size_of(image: Dataset) -> tuple[int, int]:
    """Return rows and columns of an image's total pixel matrix; of an image without one, those of its frame."""
    for prefix in ("TotalPixelMatrix", ""):
        rows, columns = (number_of(image, prefix + name) for name in ("Rows", "Columns"))
        if isinstance(rows, int) and isinstance(columns, int) and 0 < rows <= FARTHEST and 0 < columns <= FARTHEST:
            return rows, columns
    raise ParseError("an image has neither Total Pixel Matrix Rows and Columns nor Rows and Columns")


def _are_apart(corners: NDArray[np.int64], tile: tuple[int, int]) -> bool:
    """Whether sorted tiles lie on a grid, each at its own place."""
    on_grid = not ((corners - corners[:1]) % tile).any()
    return bool(on_grid and (np.diff(corners, axis=0) != 0).any(axis=1).all())


def _places_of(image: Dataset, shape: tuple[int, int], tile: tuple[int, int]) -> _Places:
    """Return where the frames of an image lie, by its full tiling or by what they state."""
    count = len(image.frames)
    names = _path_names(image)
    if term_of(image, "DimensionOrganizationType") == "TILED_FULL":
        return _full(image, count, names, shape, tile)
    if "TotalPixelMatrixRows" not in image and count == 1:  # a label in one piece
        return _Places(np.zeros((1, 2), np.int64), np.zeros(1), np.zeros(1, np.intp), names)
    places = _sparse(image, count, names, shape, tile)
    if len(places.corners) and (places.corners < -FARTHEST // 2).all():  # none has a position
        full = _full(image, count, names, shape, tile)
        message = "no frame has a position in the total pixel matrix: they are taken as a full tiling"
        issue = Issue("TILE_POSITION", Tag("PerFrameFunctionalGroupsSequence"), 0, message)
        return _Places(full.corners, full.heights, full.paths, full.names, (issue, *full.issues))
    return places


def _path_names(image: Dataset) -> tuple[str, ...]:
    items = items_of(image, "OpticalPathSequence")
    names = [text_of(item, "OpticalPathIdentifier") or str(number) for number, item in enumerate(items, 1)]
    return tuple(names) or ("1",)


def _full(image: Dataset, count: int, names: tuple[str, ...], shape: tuple[int, int], tile: tuple[int, int]) -> _Places:
    """Compute places from frame numbers: columns first, then rows, focal planes, optical paths (PS3.3 C.7.6.17.3)."""
    down, across = -(-shape[0] // tile[0]), -(-shape[1] // tile[1])
    focal = max(int(number_of(image, "TotalPixelMatrixFocalPlanes") or 1), 1)
    first = max(int(number_of(image, "ConcatenationFrameOffsetNumber") or 0), 0)
    number = first + np.arange(count, dtype=np.int64)
    corners = np.stack([number // across % down * tile[0], number % across * tile[1]], axis=1)
    plane = number // (down * across) % focal
    path = number // (down * across * focal)
    path[path >= len(names)] = -1
    origin = first_item(image, "TotalPixelMatrixOriginSequence")
    base = 0.0 if origin is None else float(number_of(origin, "ZOffsetInSlideCoordinateSystem") or 0)
    measures = _shared(image, "PixelMeasuresSequence")
    step = None if measures is None else number_of(measures, "SpacingBetweenSlices")
    heights = np.asarray(base + plane * (float(step or 0) * MICRO or 1.0), np.float64)
    expected, part = focal * down * across * len(names), "ConcatenationUID" in image
    issues: tuple[Issue, ...] = ()
    if first + count > expected or (first + count < expected and not part):
        message = f"there are {count} frames, not {expected}: {len(names)} optical paths, {focal} focal planes, "
        message += f"{down} × {across} tiles"
        issues = (Issue("TILE_COUNT", Tag("NumberOfFrames"), 0, message),)
    return _Places(corners, heights, path.astype(np.intp), names, issues)


def _sparse(
    image: Dataset, count: int, names: tuple[str, ...], shape: tuple[int, int], tile: tuple[int, int]
) -> _Places:
    """Read the places that frames state; frames without one lie far outside the matrix."""
    corners = np.full((count, 2), -FARTHEST, np.int64)
    heights, paths = np.zeros(count), np.zeros(count, np.intp)
    shared = [
        _shared(image, keyword) for keyword in ("PlanePositionSlideSequence", "OpticalPathIdentificationSequence")
    ]
    groups = items_of(image, "PerFrameFunctionalGroupsSequence")
    for frame in range(count):
        group = groups[frame] if frame < len(groups) else None
        place, path = shared if group is None else _own(group, shared)
        corner = None if place is None else _corner(place)
        if corner is not None and place is not None:
            corners[frame] = corner
            heights[frame] = number_of(place, "ZOffsetInSlideCoordinateSystem") or 0
        name = None if path is None else text_of(path, "OpticalPathIdentifier")
        if name is not None:
            paths[frame] = names.index(name) if name in names else -1
    if number_of(image, "TotalPixelMatrixFocalPlanes") == 1 and count:
        heights[:] = np.median(heights)  # tiles of one plane that were focused each by itself
    issues: tuple[Issue, ...] = ()
    outside = np.flatnonzero(((corners <= np.negative(tile)) | (corners >= shape)).any(axis=1))
    if outside.size:
        message = f"{outside.size} frames, the first of them {outside[0] + 1}, have no position in the matrix"
        issues = (Issue("TILE_POSITION", Tag("PlanePositionSlideSequence"), 0, message),)
    return _Places(corners, heights, paths, names, issues)


def _own(group: Dataset, shared: Iterable[Dataset | None]) -> tuple[Dataset | None, Dataset | None]:
    place, path = shared
    own_place = first_item(group, "PlanePositionSlideSequence")
    own_path = first_item(group, "OpticalPathIdentificationSequence")
    return place if own_place is None else own_place, path if own_path is None else own_path


def _corner(place: Dataset) -> tuple[int, int] | None:
    row, column = (number_of(place, f"{name}PositionInTotalImagePixelMatrix") for name in ("Row", "Column"))
    known = isinstance(row, int) and isinstance(column, int) and abs(row) < FARTHEST and abs(column) < FARTHEST
    return (row - 1, column - 1) if known else None


def _shared(image: Dataset, keyword: str) -> Dataset | None:
    """Return a functional group that all frames share."""
    groups = first_item(image, "SharedFunctionalGroupsSequence")
    return None if groups is None else first_item(groups, keyword)


def spacing_of(image: Dataset) -> tuple[float, float] | None:
    """Return mm between rows and columns: Pixel Spacing, else the imaged volume over the matrix."""
    places = [_shared(image, "PixelMeasuresSequence")]
    group = first_item(image, "PerFrameFunctionalGroupsSequence")
    places += [None if group is None else first_item(group, "PixelMeasuresSequence")]
    for place in places:
        spacing = None if place is None else float_array(place, "PixelSpacing")
        if spacing is not None and spacing.size == 2 and (spacing > 0).all() and np.isfinite(spacing).all():
            return float(spacing[0]), float(spacing[1])
    size = [number_of(image, f"ImagedVolume{name}") for name in ("Height", "Width")]
    if all(side and side > 0 for side in size):
        rows, columns = size_of(image)
        return float(size[0]) / rows, float(size[1]) / columns
    return None


def group_levels(images: Iterable[Dataset], limits: Limits) -> list[Level]:
    """Make levels of images, the largest first; raise ParseError if tiles of one level differ in size."""
    by_size: dict[tuple[int, int], list[Dataset]] = {}
    for image in images:
        by_size.setdefault(size_of(image), []).append(image)
    levels = []
    for shape in sorted(by_size, key=lambda size: size[0] * size[1], reverse=True):
        members = by_size[shape]
        tiles = {(number_of(image, "Rows"), number_of(image, "Columns")) for image in members}
        tile = next(iter(tiles))
        if len(tiles) > 1 or not all(isinstance(side, int) and side > 0 for side in tile):
            raise ParseError(f"images of {shape[0]} × {shape[1]} pixels have tiles of several sizes or none: {tiles}")
        rows, columns = int(tile[0]), int(tile[1])
        if rows * columns > limits.frame_pixels:
            raise LimitError(f"tiles of {rows} × {columns} pixels cross the limit")
        levels.append(Level(shape, (rows, columns), spacing_of(members[0]), tuple(members), limits))
    return levels


def flavour_of(image: Dataset) -> str:
    """Return the third value of Image Type: VOLUME, LABEL, OVERVIEW, THUMBNAIL (PS3.3 C.8.12.4.1.1)."""
    values = texts_of(image, "ImageType")
    return values[2].strip().upper() if len(values) > 2 else "VOLUME"
