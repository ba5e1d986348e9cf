"""Conversion to RGB from the colour spaces that DICOM retired in 2001: CMYK, HSV, ARGB (PS3.3-1998 C.7.6.3.1.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError

__all__ = ["as_rgb"]


def as_rgb(samples: NDArray[np.uint8], interpretation: str) -> NDArray[np.uint8]:
    """Convert 8-bit samples, (rows, columns, samples), to RGB; three samples that aren't HSV are RGB already.

    Raises PixelDecodeError for pixels that can't be converted.
    """
    count = samples.shape[2]
    if interpretation == "CMYK" and count == 4:
        ink = samples[..., :3].astype(np.uint16) + samples[..., 3:]
        return (255 - np.minimum(ink, 255)).astype(np.uint8)
    if interpretation == "ARGB" and count == 4:
        if samples[..., 0].any():
            raise PixelDecodeError("no picture of ARGB whose first samples are indices of a palette")
        return np.ascontiguousarray(samples[..., 1:])
    if count != 3:
        raise PixelDecodeError(f"no picture of pixels with {count} samples in {interpretation}")
    return _from_hsv(samples) if interpretation == "HSV" else samples


def _from_hsv(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert HSV, where 0 to 255 is the whole circle in hue, and 0 to 1 in saturation and value."""
    hue, saturation, value = np.moveaxis(samples / 255.0, -1, 0)
    sector: NDArray[Any] = hue * 6.0
    channels = []
    for turn in (5.0, 3.0, 1.0):  # red, green, blue
        place = (turn + sector) % 6.0
        channels.append(value - value * saturation * np.clip(np.minimum(place, 4.0 - place), 0.0, 1.0))
    return np.rint(np.stack(channels, -1) * 255.0).astype(np.uint8)
