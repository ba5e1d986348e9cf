"""The value that blanked pixels get: the frame's background, in the samples' own colour space (PS3.3 C.7.6.3.1.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.display.reading import display_of, palette_of
from dicomcore.errors import EncodeError
from dicomcore.pixels.description import FrameDescription

__all__ = ["background_of"]

OFFSET_CHROMA = ("YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
PARTIAL = ("YBR_PARTIAL_422", "YBR_PARTIAL_420")
BLACKEST = 16  # luminance of black in YBR_PARTIAL, of 8 bits


def background_of(data_set: Any, desc: FrameDescription, first: NDArray[Any]) -> tuple[float, ...]:
    """The sample values of a blank pixel, one for each sample.

    `desc` describes the samples that are blanked; `first` are the values of the first frame, where it is grey. Unsigned
    grey gets 0, or the greatest value in MONOCHROME1; signed grey and floats the darkest value of the first frame, as 0
    may be a grey in the middle. None of these is in the range of Pixel Padding Value, which would make what was blanked
    no part of the image. Raises EncodeError for a colour space that isn't known.
    """
    interpretation, stored = desc.photometric_interpretation, desc.stored
    if desc.samples_per_pixel == 1:
        if interpretation == "PALETTE COLOR":
            return (_darkest_entry(data_set),)
        return (_grey(data_set, desc, first, inverted=interpretation == "MONOCHROME1"),)
    middle = 1 << stored - 1
    if desc.samples_per_pixel == 3:
        if interpretation in ("RGB", "HSV"):
            return 0, 0, 0
        if interpretation in OFFSET_CHROMA:
            return 0, middle, middle
        if interpretation in PARTIAL:
            return BLACKEST << max(stored - 8, 0), middle, middle
    if desc.samples_per_pixel == 4 and interpretation in ("ARGB", "CMYK"):
        return 0, 0, 0, 0 if interpretation == "ARGB" else (1 << stored) - 1
    raise EncodeError(f"{desc.samples_per_pixel} samples of {interpretation} have no known black")


def _grey(data_set: Any, desc: FrameDescription, first: NDArray[Any], *, inverted: bool) -> float:
    padding = display_of(data_set, 0).padding
    low, high = (min(padding), max(padding)) if padding else (1.0, 0.0)
    if desc.floating or desc.pixel_representation:
        seen = first[np.isfinite(first) & ((first < low) | (first > high))]
        if not seen.size:
            return 0.0
        darkest = seen.max() if inverted else seen.min()
        return float(darkest) if desc.floating else int(darkest)
    most = (1 << desc.stored) - 1
    value = most if inverted else 0
    if low <= value <= high:  # the nearest value that is no padding
        value = int(low) - 1 if inverted else int(high) + 1
    return value if 0 <= value <= most else (0 if inverted else most)


def _darkest_entry(data_set: Any) -> int:
    palette = palette_of(data_set)
    if palette is None:
        return 0
    total = np.sum([channel.astype(np.int64) for channel in palette.channels[:3]], axis=0)
    return palette.first_mapped + int(total.argmin())
