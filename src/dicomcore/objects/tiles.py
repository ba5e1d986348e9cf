"""Tiles: frames that together make the total pixel matrix of a slide (PS3.3 C.7.6.17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import LimitError
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.lookup import first_item, items_of, number_of, text_of

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

    def assembled(
        self, frames: NDArray[Any], chosen: NDArray[np.intp], out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Put the chosen frames, (n, rows, columns), in their places; what lies outside the matrix is left out."""
        matrix = np.zeros(self.shape, frames.dtype) if out is None else out
        planes, rows, columns = self.shape
        for frame, (plane, top, left) in zip(frames, self.places[chosen].tolist(), strict=True):
            if not (0 <= plane < planes and 0 <= top < rows and 0 <= left < columns):
                continue
            height, width = min(frame.shape[0], rows - top), min(frame.shape[1], columns - left)
            matrix[plane, top : top + height, left : left + width] = frame[:height, :width]
        return matrix


def tiles_of(data_set: Dataset, frames: int, channels: int, tile: tuple[int, ...]) -> Tiles | None:
    """Read where `frames` frames of shape `tile` lie; None where the image is not tiled.

    In a full tiling (TILED_FULL) frames run along columns, then rows, focal planes and at last `channels`. Raises
    LimitError where the matrix is claimed to be far larger than its frames.
    """
    rows, columns = (number_of(data_set, f"TotalPixelMatrix{name}") for name in ("Rows", "Columns"))
    if not isinstance(rows, int) or not isinstance(columns, int) or rows < 1 or columns < 1:
        return None
    focal = max(int(number_of(data_set, "TotalPixelMatrixFocalPlanes") or 1), 1)
    if (text_of(data_set, "DimensionOrganizationType") or "").strip() == "TILED_FULL":
        places = _full(frames, (rows, columns), tile, focal)
    else:
        focal, places = _sparse(data_set, frames)
    pixels = focal * rows * columns
    held = max(frames, 1) * tile[0] * tile[1]
    if pixels > DEFAULT_LIMITS.frame_pixels or (pixels > LARGE and pixels > MOST_TIMES_FRAMES * held):
        raise LimitError(f"{frames} frames are claimed to make a matrix of {focal} × {rows} × {columns} pixels")
    return Tiles((focal, rows, columns), places)


def _full(frames: int, matrix: tuple[int, int], tile: tuple[int, ...], focal: int) -> NDArray[np.intp]:
    down, across = (-(-whole // one) for whole, one in zip(matrix, tile, strict=True))
    number = np.arange(frames)
    plane = number // (down * across) % focal
    row, column = number // across % down, number % across
    return np.stack([plane, row * tile[0], column * tile[1]], axis=1)


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
    heights, planes = np.unique(places[:, 0], return_inverse=True)
    made = places.astype(np.intp) - 1
    made[:, 0] = planes.reshape(-1)
    return len(heights), made
