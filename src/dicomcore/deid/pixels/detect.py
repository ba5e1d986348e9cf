"""Where text may be in frames: pictures of them in which native code looks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.deid.textlike import find_text_boxes
from dicomcore.deid.pixels.rectangles import Rectangle
from dicomcore.display.reading import display_of
from dicomcore.display.rendering import render
from dicomcore.errors import DicomError

__all__ = ["Picture", "is_cine", "pictures_of", "project", "text_boxes"]

CINE = ("FrameTime", "FrameTimeVector", "CineRate", "RecommendedDisplayFrameRate")
"""Attributes of frames that are moments of one scene (PS3.3 C.7.6.5)."""
SPARSE = 5
"""Every so many pixels are enough to know the range of a frame."""
COLOURED = 60
"""The difference of the greatest and the least sample of a pixel that has a colour."""
PLAIN_SHARE = 0.15
"""The least share of strokes in white, grey or black of text in which other colours stand as well."""
SHADES = 0.12
"""The greatest deviation of the hue of text."""
RARE = (0.1, 99.9)
"""Percentiles of a frame's values that are shown as black and white."""


class Picture(NamedTuple):
    """Two planes of bytes: bright text is sought in the first, dark text in the second."""

    bright: NDArray[np.uint8]
    dark: NDArray[np.uint8]
    colours: NDArray[np.uint8] | None = None
    """The red, green and blue of a picture in colour."""

    @property
    def grey(self) -> NDArray[np.uint8]:
        """One plane for readers, in which coloured text has contrast too."""
        if self.bright is self.dark:
            return self.bright
        return (self.bright >> 1) + (self.dark >> 1)

    def boxes(self) -> list[Rectangle]:
        """The boxes of what looks like text."""
        bright, dark = (np.ascontiguousarray(plane).reshape(-1) for plane in self[:2])
        found = find_text_boxes(bright, dark, *self.bright.shape)
        boxes = [Rectangle(*map(int, box)) for box in np.frombuffer(found, np.int32).reshape(-1, 4)]
        return boxes if self.colours is None else [box for box in boxes if not _is_shaded(self.colours, box)]


def text_boxes(picture: NDArray[np.uint8]) -> list[Rectangle]:
    """The boxes of what looks like horizontal text in an 8-bit picture, (rows, columns) or (rows, columns, 3).

    Tuned so that text is rarely missed; texture may be taken for text. Text of fewer than about 8 pixels, single
    letters, and text that is rotated are not found.
    """
    return _picture(picture).boxes()


def _picture(shown: NDArray[np.uint8]) -> Picture:
    """A picture; of colour, the brightest and the darkest of its samples, so that coloured text stands out."""
    if shown.ndim == 2:
        return Picture(shown, shown)
    red, green, blue = shown[..., 0], shown[..., 1], shown[..., 2]
    return Picture(np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue), shown)


def _is_shaded(colours: NDArray[np.uint8], box: Rectangle) -> bool:
    """Whether what stands out in a box is in many shades of a colour, as blood flow is; text is of one colour."""
    part = colours[box.y : box.y + box.height, box.x : box.x + box.width].astype(np.float32)
    most, least = part.max(axis=2), part.min(axis=2)
    sure = (most - np.median(most) > np.ptp(most) / 3) | (np.median(least) - least > np.ptp(least) / 3)
    chroma = (most - least)[sure]
    coloured = chroma > COLOURED
    if not coloured.any() or 1 - coloured.mean() > PLAIN_SHARE:
        return False
    hues = (part[sure][coloured] - least[sure][coloured, None]) / chroma[coloured, None]
    return float(hues.std(axis=0).max()) > SHADES


def is_cine(data_set: Any, frames: int) -> bool:
    """Whether frames are moments of one scene, so that text stays in its place; otherwise each is looked at alone."""
    return frames > 1 and any(data_set.get(keyword) not in (None, "", []) for keyword in CINE)


def pictures_of(data_set: Any, index: int, values: NDArray[Any]) -> list[Picture]:
    """The pictures of a frame's values: all of its range, and the view that the data set asks for."""
    try:
        display = display_of(data_set, index)
    except DicomError:
        display = None
    found = []
    if values.ndim == 3 and values.shape[2] != 3:
        values = values[..., :3]
    is_index = display is not None and display.palette is not None
    if not is_index:
        found.append(_picture(_stretched(values, None if display is None else display.padding)))
    if display is None or (values.ndim == 3 and not is_index):
        return found
    if is_index or display.windows or display.voi_luts or display.modality_lut is not None:
        try:
            found.append(_picture(render(values, display)))
        except DicomError:  # the picture of all values is there
            if is_index:
                found.append(_picture(_stretched(values, None)))
    return found


def _stretched(values: NDArray[Any], padding: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Values as bytes: as they are, or stretched from the least to the greatest, of which the rarest are cut off."""
    if values.dtype == np.uint8 and values.ndim == 3:
        return values
    sample = values[::SPARSE, ::SPARSE].reshape(-1)
    if values.dtype.kind == "f":
        sample = sample[np.isfinite(sample)]
    if padding is not None and values.ndim == 2:
        sample = sample[(sample < min(padding)) | (sample > max(padding))]
    low, high = np.percentile(sample, RARE) if sample.size else (0.0, 1.0)
    if values.dtype == np.uint8 and (low, high) != (0, 1) and high - low >= 128:
        return values
    factor = 255.0 / max(float(high) - float(low), 1e-30)
    scaled = np.subtract(values, low, dtype=np.float32)
    scaled *= np.float32(factor)
    shown: NDArray[np.uint8] = np.nan_to_num(scaled, nan=0.0).clip(0, 255).astype(np.uint8)
    return shown


def project(pictures: Iterable[list[Picture]]) -> list[Picture]:
    """The pictures of several frames as one of each kind, in which only what stays is bright, or dark."""
    joined: list[Picture] = []
    for each in pictures:
        if not joined:
            joined = [Picture(picture.bright.copy(), picture.dark.copy()) for picture in each]
            continue
        for whole, picture in zip(joined, each, strict=False):
            np.minimum(whole.bright, picture.bright, out=whole.bright)
            np.maximum(whole.dark, picture.dark, out=whole.dark)
    return joined
