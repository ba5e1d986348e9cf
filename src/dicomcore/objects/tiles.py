"""Tiles: frames that together make the total pixel matrix of a slide (PS3.3 C.7.6.17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import first_item, items_of, number_of, text_of
from dicomcore.errors import LimitError, ParseError
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Tiles", "tiles_of"]

LARGE, MOST_TIMES_FRAMES = 1 << 26, 1024
"""Above so many pixels, a matrix or stack may be so many times larger than all its frames together."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Where each frame lies in the total pixel matrix."""

    shape: tuple[int, int, int]
    """(focal planes, rows, columns) of the matrix."""
    places: NDArray[np.intp]
    """(frames, 3): focal plane, row and column of each frame's first pixel, from 0."""
    channels: NDArray[np.intp] | None = None
    """(frames,): which segment, from 0 in their order, each frame of a full tiling is of; None where frames say it."""
    issues: tuple[Issue, ...] = ()
    """TILE_COUNT: frames of a full tiling are missing; TILE_POSITION: frames lie nowhere in the matrix."""

    def assembled(
        self, frames: NDArray[Any], chosen: NDArray[np.intp], out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Put the chosen frames, (n, rows, columns), in their places; what lies outside the matrix is left out.

        Where tiles overlap, the higher value counts. Raises ParseError where two frames in one place differ.
        """
        matrix = np.zeros(self.shape, frames.dtype) if out is None else out
        planes, rows, columns = self.shape
        taken: dict[tuple[int, int, int], int] = {}
        for number, (plane, top, left) in enumerate(self.places[chosen].tolist()):
            frame = frames[number]
            if not (0 <= plane < planes and 0 <= top < rows and 0 <= left < columns):
                continue
            other = taken.setdefault((plane, top, left), number)
            if other != number and not np.array_equal(frames[other], frame):
                both = f"frames {chosen[other] + 1} and {chosen[number] + 1}"
                raise ParseError(f"{both} differ, and are of one segment and in one place of the total pixel matrix")
            height, width = min(frame.shape[0], rows - top), min(frame.shape[1], columns - left)
            place = matrix[plane, top : top + height, left : left + width]
            np.maximum(place, frame[:height, :width], out=place)
        return matrix


def tiles_of(data_set: Dataset, frames: int, channels: int, tile: tuple[int, int]) -> Tiles | None:
    """Read where `frames` frames of shape `tile` lie; None where the image is not tiled.

    In a full tiling (TILED_FULL) frames run along columns, then rows, focal planes and at last `channels` (PS3.3
    C.7.6.17.3); a part of a concatenation goes on where the part before it ended. Raises LimitError where the matrix is
    claimed to be far larger than its frames.
    """
    rows, columns = (number_of(data_set, f"TotalPixelMatrix{name}") for name in ("Rows", "Columns"))
    if not isinstance(rows, int) or not isinstance(columns, int) or rows < 1 or columns < 1:
        return None
    focal = max(int(number_of(data_set, "TotalPixelMatrixFocalPlanes") or 1), 1)
    full = (text_of(data_set, "DimensionOrganizationType") or "").strip() == "TILED_FULL"
    focal, places = (focal, None) if full else _sparse(data_set, frames)
    pixels = focal * rows * columns
    held = max(frames, 1) * tile[0] * tile[1]
    if pixels > DEFAULT_LIMITS.frame_pixels or (pixels > LARGE and pixels > MOST_TIMES_FRAMES * held):
        raise LimitError(f"{frames} frames are claimed to make a matrix of {focal} × {rows} × {columns} pixels")
    shape = (focal, rows, columns)
    if places is None:
        return _full(data_set, frames, channels, shape, tile)
    outside = np.flatnonzero(((places < 0) | (places >= shape)).any(axis=1))
    if not outside.size:
        return Tiles(shape, places)
    said = f"{outside.size} frames, of which {outside[0] + 1} is the first, lie nowhere in the matrix and are left out"
    return Tiles(shape, places, issues=(Issue("TILE_POSITION", Tag("PlanePositionSlideSequence"), 0, said),))


def _full(data_set: Dataset, frames: int, channels: int, shape: tuple[int, int, int], tile: tuple[int, int]) -> Tiles:
    """Frames whose place is told by their number."""
    focal, down, across = shape[0], -(-shape[1] // tile[0]), -(-shape[2] // tile[1])
    first = max(int(number_of(data_set, "ConcatenationFrameOffsetNumber") or 0), 0)
    number = first + np.arange(frames)
    plane = number // (down * across) % focal
    row, column = number // across % down, number % across
    places = np.stack([plane, row * tile[0], column * tile[1]], axis=1)
    due = focal * down * across * channels
    part = "ConcatenationUID" in data_set
    issues: tuple[Issue, ...] = ()
    if first + frames > due or (first + frames < due and not part):
        said = f"there are {frames} frames, and {due} are due in {channels} full tilings of {focal} × {down} × {across}"
        issues = (Issue("TILE_COUNT", Tag("NumberOfFrames"), 0, said),)
    return Tiles(shape, places, number // (focal * down * across), issues)


def _sparse(data_set: Dataset, frames: int) -> tuple[int, NDArray[np.intp]]:
    """Frames that say where they lie; focal planes are told apart by their height over the slide."""
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
    made = places.astype(np.intp) - 1
    made[:, 0] = planes.reshape(-1)
    return len(heights), made
