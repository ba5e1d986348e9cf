"""Paste a part of a frame into a larger picture, its colours converted on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels import colour as kernels
from dicomcore.pixels.colour import coded_colour
from dicomcore.pixels.frames import Frames
from dicomcore.pixels.sample_values import sample_values
from dicomcore.pixels.unused_bits import bits_that_count

__all__ = ["paste"]


def paste(
    frames: Frames, index: int, area: tuple[slice, slice], target: NDArray[Any], tile: NDArray[Any]
) -> NDArray[Any]:
    """Set `target` to an area of a frame, ``frames[index][area]``, and return it.

    `tile` is an array of the frame's shape and dtype, into which the frame is decoded. For JPEG in YBR only the pixels
    of the area are converted, straight into `target`.
    """
    description = frames.description
    if frames.is_encapsulated and description.samples_per_pixel == 3 and tile.dtype == np.uint8:
        decoded = frames.decoded(index, tile)
        plain = bits_that_count(frames.stated, decoded.info, 8) is None
        if plain and coded_colour(decoded.description, decoded.info) == "YBR" and _has_rows(target):
            kernels.ybr_full_area_to_rgb(decoded.samples[area], target)
        else:
            target[...] = sample_values(decoded, frames.stated)[area]
    else:
        target[...] = frames.decode(index, out=tile)[area]
    return target


def _has_rows(target: NDArray[Any]) -> bool:
    """Whether the samples of each row follow each other."""
    return target.dtype == np.uint8 and target.strides[1:] == (3, 1) and target.strides[0] >= 3 * target.shape[1]
