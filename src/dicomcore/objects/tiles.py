"""Tiles: the positions of frames in the total pixel matrix of a slide (PS3.3 C.7.6.17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import first_item, items_of, number_of, term_of
from dicomcore.errors import LimitError, ParseError
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Tiles", "tiles_of"]

LARGE, MOST_TIMES_FRAMES = 1 << 26, 1024
"""A matrix or stack of more than LARGE pixels may be at most MOST_TIMES_FRAMES times larger than all its frames."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The position of each frame in the total pixel matrix."""

    shape: tuple[int, int, int]
    """(focal planes, rows, columns) of the matrix."""
    places: NDArray[np.intp]
    """(frames, 3): focal plane, row and column of the first pixel of each frame, from 0."""
    channels: NDArray[np.intp] | None = None
    """(frames,): the segment of each frame of a full tiling, from 0 in their order; None if frames state it."""
    issues: tuple[Issue, ...] = ()
    """TILE_COUNT: frames of a full tiling are missing; TILE_POSITION: frames lie outside the matrix."""

    def assembled(
        self, frames: NDArray[Any], chosen: NDArray[np.intp], out: NDArray[Any] | None = None, *, background: int = 0
    ) -> NDArray[Any]:
        """Put the chosen frames, (n, rows, columns), at their positions; parts outside the matrix are left out.

        `background` is what has no tile. Where tiles overlap, the higher value counts, or with a background other than
        0, the later one that is not background. Raises ParseError if two frames at one position differ.
        """
        matrix = np.full(self.shape, background, frames.dtype) if out is None else out
        planes, rows, columns = self.shape
        by_position: dict[tuple[int, int, int], int] = {}
        for number, (plane, top, left) in enumerate(self.places[chosen].tolist()):
            frame = frames[number]
            if not (0 <= plane < planes and 0 <= top < rows and 0 <= left < columns):
                continue
            other = by_position.setdefault((plane, top, left), number)
            if other != number and not np.array_equal(frames[other], frame):
                both = f"frames {chosen[other] + 1} and {chosen[number] + 1}"
                raise ParseError(f"{both} differ, but have the same segment and position in the total pixel matrix")
            height, width = min(frame.shape[0], rows - top), min(frame.shape[1], columns - left)
            area = matrix[plane, top : top + height, left : left + width]
            tile = frame[:height, :width]
            if background:
                np.copyto(area, tile, where=tile != background)
            else:
                np.maximum(area, tile, out=area)
        return matrix


def tiles_of(data_set: Dataset, frames: int, channels: int, tile: tuple[int, int]) -> Tiles | None:
    """Read the positions of `frames` frames of shape `tile`; None if the image is not tiled.

    In a full tiling (TILED_FULL) frames run along columns, then rows, focal planes and finally `channels` (PS3.3
    C.7.6.17.3); a part of a concatenation continues after the part before it. Raises LimitError if the stated size of
    the matrix is far larger than its frames.
    """
    rows, columns = (number_of(data_set, f"TotalPixelMatrix{name}") for name in ("Rows", "Columns"))
    if not isinstance(rows, int) or not isinstance(columns, int) or rows < 1 or columns < 1:
        return None
    focal = max(int(number_of(data_set, "TotalPixelMatrixFocalPlanes") or 1), 1)
    full = term_of(data_set, "DimensionOrganizationType") == "TILED_FULL"
    focal, places = (focal, None) if full else _sparse(data_set, frames)
    pixels = focal * rows * columns
    frame_pixels = max(frames, 1) * tile[0] * tile[1]
    if pixels > DEFAULT_LIMITS.frame_pixels or (pixels > LARGE and pixels > MOST_TIMES_FRAMES * frame_pixels):
        raise LimitError(f"{frames} frames are claimed to make a matrix of {focal} × {rows} × {columns} pixels")
    shape = (focal, rows, columns)
    if places is None:
        return _full(data_set, frames, channels, shape, tile)
    outside = np.flatnonzero(((places < 0) | (places >= shape)).any(axis=1))
    if not outside.size:
        return Tiles(shape, places)
    message = f"{outside.size} frames, the first of them {outside[0] + 1}, lie outside the matrix and are left out"
    return Tiles(shape, places, issues=(Issue("TILE_POSITION", Tag("PlanePositionSlideSequence"), 0, message),))


def _full(data_set: Dataset, frames: int, channels: int, shape: tuple[int, int, int], tile: tuple[int, int]) -> Tiles:
    """Compute positions from frame numbers, for a full tiling."""
    focal, down, across = shape[0], -(-shape[1] // tile[0]), -(-shape[2] // tile[1])
    first = max(int(number_of(data_set, "ConcatenationFrameOffsetNumber") or 0), 0)
    number = first + np.arange(frames)
    plane = number // (down * across) % focal
    row, column = number // across % down, number % across
    places = np.stack([plane, row * tile[0], column * tile[1]], axis=1)
    expected = focal * down * across * channels
    part = "ConcatenationUID" in data_set
    issues: tuple[Issue, ...] = ()
    if first + frames > expected or (first + frames < expected and not part):
        message = (
            f"there are {frames} frames, not {expected}, in {channels} full tilings of {focal} × {down} × {across}"
        )
        issues = (Issue("TILE_COUNT", Tag("NumberOfFrames"), 0, message),)
    return Tiles(shape, places, number // (focal * down * across), issues)


def _sparse(data_set: Dataset, frames: int) -> tuple[int, NDArray[np.intp]]:
    """Read the positions that frames state; focal planes differ in their height above the slide."""
    names = (
        *("ZOffsetInSlideCoordinateSystem", "RowPositionInTotalImagePixelMatrix"),
        "ColumnPositionInTotalImagePixelMatrix",
    )
    places = np.full((frames, 3), -1.0)
    for frame, group in enumerate(items_of(data_set, "PerFrameFunctionalGroupsSequence")[:frames]):
        item = first_item(group, "PlanePositionSlideSequence")
        if item is not None:
            places[frame] = [number_of(item, name) or 0 for name in names]
    known = places[:, 1:].min(axis=1) > 0
    places[~known, 0] = places[known, 0].min(initial=np.inf) if known.any() else 0  # no focal plane of their own
    heights, planes = np.unique(places[:, 0], return_inverse=True)
    positions = places.astype(np.intp) - 1
    positions[:, 0] = planes.reshape(-1)
    return len(heights), positions
