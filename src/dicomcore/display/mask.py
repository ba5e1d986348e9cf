"""Mask subtraction: the difference between a frame and others of the same image (PS3.3 C.7.6.10, C.11.13, C.11.19)."""

from __future__ import annotations

from dataclasses import replace
from math import floor, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import float_array, integers_of, items_of, number_of, term_of
from dicomcore.dataset.state import header_of
from dicomcore.display.polygons import fill
from dicomcore.display.reading import table_of
from dicomcore.display.references import applies, images_of
from dicomcore.display.rendering import Display, Window, apply_modality
from dicomcore.display.tables import LookUpTable
from dicomcore.errors import ParseError
from dicomcore.notes import Note
from dicomcore.tags import Tag

__all__ = ["filtered", "subtracted"]

MOST_AVERAGED = 4096
"""Frames that are averaged at most, for a mask or for a contrast frame."""


def subtracted(
    image: Dataset, state: Dataset, frame: int, display: Display, *, uid: str, log: bool, notes: list[Note]
) -> tuple[NDArray[Any], Display] | None:
    """Subtract the mask that a presentation state states from a frame (from 0).

    Parameters
    ----------
    image, state : Dataset
        The image and the presentation state.
    frame : int
        The frame, from 0.
    display : Display
        How the state displays the frame.
    uid : str
        The image's SOP Instance UID.
    log : bool
        Whether the state is an XA/XRF one, whose values are subtracted before the Modality LUT (PS3.4 N.2.5), through a
        table of their own, and whose mask may stay visible.
    notes : list
        Receives what could not be honoured.

    Returns
    -------
    tuple or None
        The difference, and how it is displayed; None if nothing is subtracted from this frame.

    Raises
    ------
    ParseError
        The mask's frames are missing.
    """
    if term_of(state, "RecommendedViewingMode") == "NAT":
        return None
    item = _item(state, uid, frame)
    if item is None:
        return None
    wanted = _mask_frames(item, frame, len(image.frames), notes)
    if wanted is None:
        return None
    if len(image.frames.description.shape) != 2:
        notes.append(Note("mask", "the presentation state subtracts a mask from colours: it is left out"))
        return None
    averaged = int(number_of(item, "ContrastFrameAveraging", 1))
    contrast = range(frame, min(frame + max(averaged, 1), len(image.frames)))
    stage = replace(display, rescale_slope=1.0, rescale_intercept=0.0, modality_lut=None) if log else display
    now = _mean(image, contrast, item, state, stage)
    before = _shifted(_mean(image, wanted, item, state, stage), item, frame)
    share = 1.0 - _visible(state, uid, frame) / 100.0 if log else 1.0
    difference = now - share * before
    return _narrowed(difference), _of_difference(display, log=log)


def filtered(state: Dataset, uid: str, frame: int) -> bool:
    """Whether an XA/XRF state asks for edges to be enhanced, which is left to the display (PS3.4 N.2.5.2)."""
    for item in items_of(state, "MultiFramePresentationSequence"):
        if applies(images_of(item), uid, frame):
            return bool(number_of(item, "DisplayFilterPercentage", 0) > 0)
    return False


def _item(state: Dataset, uid: str, frame: int) -> Dataset | None:
    """The subtraction that applies to a frame."""
    for item in items_of(state, "MaskSubtractionSequence"):
        pairs = _pairs(integers_of(item, "ApplicableFrameRange"))
        within = not pairs or any(low <= frame + 1 <= high for low, high in pairs)
        if within and applies(images_of(item), uid, frame) and term_of(item, "MaskOperation") != "NONE":
            return item
    return None


def _pairs(numbers: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def _mask_frames(item: Dataset, frame: int, count: int, notes: list[Note]) -> tuple[int, ...] | None:
    """The frames, from 0, of the mask; None if there is none for this frame."""
    operation = term_of(item, "MaskOperation")
    if operation == "AVG_SUB":
        numbers = integers_of(item, "MaskFrameNumbers")
        if not 1 <= len(numbers) <= MOST_AVERAGED or not all(1 <= number <= count for number in numbers):
            shown = f"{len(numbers)} numbers" if len(numbers) > 16 else numbers
            raise ParseError(
                f"Mask Frame Numbers (0028,6110) are {shown}: the image has the frames 1 to {count}",
                tag=int(Tag("MaskFrameNumbers")),
            )
        return tuple(number - 1 for number in numbers)
    offset = int(number_of(item, "TIDOffset", 1))
    if operation == "TID":
        place = frame - offset
    elif operation == "REV_TID":
        pairs = _pairs(integers_of(item, "ApplicableFrameRange"))
        if not pairs:
            raise ParseError(
                "REV_TID needs an Applicable Frame Range (0028,6102)", tag=int(Tag("ApplicableFrameRange"))
            )
        first = pairs[0][0]
        place = (first - offset) - (frame + 1 - first) - 1
    else:
        notes.append(Note("mask", f"Mask Operation is {operation!r}: the frame is shown without subtraction"))
        return None
    if not 0 <= place < count:
        notes.append(Note("mask", f"the mask of frame {frame + 1} would be frame {place + 1}: nothing is subtracted"))
        return None
    return (place,)


def _mean(image: Dataset, frames: Any, item: Dataset, state: Dataset, display: Display) -> NDArray[np.float64]:
    """The mean of frames after the modality step."""
    total: NDArray[np.float64] | None = None
    for number in frames:
        table = _intensity_table(image, item, state, number)
        stage = display if table is None else replace(display, modality_lut=table)
        values = np.asarray(apply_modality(image.frames[number], stage), np.float64)
        total = values if total is None else total + values
    assert total is not None
    return total / len(frames)


def _intensity_table(image: Dataset, item: Dataset, state: Dataset, frame: int) -> LookUpTable | None:
    """The Pixel Intensity Relationship LUT of a frame, which makes its values logarithmic (PS3.3 C.11.19)."""
    for one in items_of(item, "PixelIntensityRelationshipLUTSequence"):
        pairs = _pairs(integers_of(one, "LUTFrameRange"))
        if not pairs or any(low <= frame + 1 <= high for low, high in pairs):
            header = header_of(image)
            bits, signed = int(number_of(header, "BitsStored", 16)), number_of(header, "PixelRepresentation") == 1
            low = -(1 << bits - 1) if signed else 0
            return table_of("Pixel Intensity Relationship LUT", one, state, (low, low + (1 << bits) - 1), [])
    return None


def _visible(state: Dataset, uid: str, frame: int) -> float:
    """Mask Visibility Percentage: 0 for subtraction, 100 for the frame as it is (PS3.3 C.8.19.7)."""
    for item in items_of(state, "MultiFramePresentationSequence"):
        if applies(images_of(item), uid, frame):
            return float(min(max(number_of(item, "MaskVisibilityPercentage", 0.0), 0.0), 100.0))
    return 0.0


def _shifted(mask: NDArray[np.float64], item: Dataset, frame: int) -> NDArray[np.float64]:
    """The mask moved by Mask Sub-pixel Shift, in each region by its own (PS3.3 C.11.19.1.2)."""
    whole = _shift(mask, item)
    for shifts in items_of(item, "PixelShiftSequence"):
        pairs = _pairs(integers_of(shifts, "PixelShiftFrameRange"))
        if pairs and not any(low <= frame + 1 <= high for low, high in pairs):
            continue
        result = mask.copy()
        for region in items_of(shifts, "RegionPixelShiftSequence"):
            corners = np.array(integers_of(region, "VerticesOfTheRegion"), np.float64)
            moved = _shift(mask, region)
            if corners.size < 6 or corners.size % 2:
                result = moved
                continue
            inside = fill(corners[::2] - 1, corners[1::2] - 1, *mask.shape).view(bool)
            result[inside] = moved[inside]
        return result
    return whole


def _shift(mask: NDArray[np.float64], item: Dataset) -> NDArray[np.float64]:
    """Move a mask down and to the right by fractions of pixels; at its edges the last pixels are repeated."""
    pair = float_array(item, "MaskSubPixelShift")
    if pair is None or pair.size != 2 or not all(isfinite(number) for number in pair) or not pair.any():
        return mask
    for axis, distance in enumerate(pair.tolist()):
        size = mask.shape[axis]
        distance = min(max(distance, -size), size)
        whole = floor(distance)
        share = distance - whole
        near = np.clip(np.arange(size) - whole, 0, size - 1)
        far = np.clip(np.arange(size) - whole - 1, 0, size - 1)
        mask = (1 - share) * np.take(mask, near, axis) + share * np.take(mask, far, axis)
    return mask


def _narrowed(difference: NDArray[np.float64]) -> NDArray[Any]:
    """Whole numbers of 16 bits as such, because the chain then takes one look-up a pixel."""
    if not difference.size or not -32768 <= float(difference.min()) <= float(difference.max()) <= 32767:
        return difference
    narrow = difference.astype(np.int16)
    return narrow if np.array_equal(narrow, difference) else difference


def _of_difference(display: Display, *, log: bool) -> Display:
    """How a difference is displayed: a signed value one bit longer than the frames', 0 where they are equal."""
    window = display.windows[0] if len(display.windows) == 1 and not display.voi_luts else None
    if window is not None and window.whole:
        reach = window.width if window.width > 0 else 1.0
        display = replace(display, windows=(Window(0.0, 2 * reach, "LINEAR_EXACT", whole=True),))
    if not log:
        display = replace(display, rescale_slope=1.0, rescale_intercept=0.0, modality_lut=None)
    return replace(display, padding=None)
