"""Icon images for directory records: one frame of an image, reduced in size (PS3.3 F.7)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset, Sequence

__all__ = ["icon_sequence", "shrink"]

LUMINANCE = np.array((0.299, 0.587, 0.114))
LARGEST = 0xFFFF  # Rows and Columns are US


def icon_sequence(data_set: Dataset, size: int) -> Sequence:
    """An Icon Image Sequence for an image: one item of `size` × `size` pixels, 8 bits, MONOCHROME2.

    The frame is the one that Representative Frame Number names, by default the one after a third of the frames. It is
    rendered as for display, colour is reduced to luminance, and the picture is centred in the square. Raises
    PixelDecodeError if the image can't be decoded, ValueError for an invalid size.
    """
    if not 1 <= size <= LARGEST:
        raise ValueError(f"an icon has 1 to {LARGEST} pixels a side, not {size}")
    frames = data_set.frames
    picture = frames.render(_representative(data_set, len(frames)))
    grey = picture.astype(np.float64) if picture.ndim == 2 else picture[..., :3] @ LUMINANCE
    pixels = _squared(shrink(grey, size), size)
    item = Dataset()
    item.SamplesPerPixel = 1
    item.PhotometricInterpretation = "MONOCHROME2"
    item.Rows = item.Columns = size
    item.BitsAllocated = item.BitsStored = 8
    item.HighBit = 7
    item.PixelRepresentation = 0
    data = pixels.tobytes()
    item.add_new(0x7FE00010, "OB", data + b"\0" * (len(data) % 2))
    return Sequence([item])


def _representative(data_set: Dataset, frames: int) -> int:
    stated: Any = data_set.get("RepresentativeFrameNumber")
    if isinstance(stated, int) and 1 <= stated <= frames:
        return stated - 1
    return frames // 3


def shrink(grey: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Reduce a picture of shape (rows, columns) to fit `size` × `size`; each new pixel is the mean of those it covers.

    Smaller pictures are returned unchanged.
    """
    rows, columns = grey.shape
    scale = max(rows, columns) / size
    if scale <= 1:
        return grey
    return _averaged(_averaged(grey, max(1, round(rows / scale)), 0), max(1, round(columns / scale)), 1)


def _averaged(grey: NDArray[np.float64], wanted: int, axis: int) -> NDArray[np.float64]:
    """Means of `wanted` equal stretches along an axis; a pixel on a border counts in both, by its share in each."""
    length = grey.shape[axis]
    edges = np.linspace(0, length, wanted + 1)
    zero = np.zeros_like(np.take(grey, [0], axis))
    sums = np.concatenate([zero, np.cumsum(grey, axis)], axis)
    whole = np.minimum(edges.astype(np.int64), length - 1)
    shape = [1, 1]
    shape[axis] = -1
    part = (edges - whole).reshape(shape)
    at_edges = np.take(sums, whole, axis) + part * np.take(grey, whole, axis)
    means: NDArray[np.float64] = np.diff(at_edges, axis=axis) * (wanted / length)
    return means


def _squared(grey: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    pixels = np.zeros((size, size), np.uint8)
    rows, columns = grey.shape
    top, left = (size - rows) // 2, (size - columns) // 2
    pixels[top : top + rows, left : left + columns] = np.clip(np.rint(grey), 0, 255)
    return pixels
