"""Frames of JPEG by DCT blanked in whole units, while all other units keep their coefficients (T.81 A.2, F)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dicomcore._native.deid.jpegblank import blank_units
from dicomcore.dataset import Dataset
from dicomcore.deid.pixels.background import background_of
from dicomcore.deid.pixels.boxes import Boxes
from dicomcore.deid.pixels.comments import blanked_codestream
from dicomcore.errors import EncodeError, PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels.coding.decoding import DecodedFrame, decode_frame
from dicomcore.pixels.colour import coded_colour
from dicomcore.pixels.frames import Frames
from dicomcore.transcoding.damage import made_up

__all__ = ["JpegUnits"]

COMPONENTS = 4
BLOCK = 8
SPACES = {"RGB": "RGB", "YBR": "YBR_FULL", "YBR_PARTIAL": "YBR_PARTIAL_422"}


class JpegUnits:
    """Blanks the minimum coded units that boxes touch; nothing is compressed again.

    Raises UnsupportedTransferSyntaxError where the first frame is progressive, arithmetic or lossless.
    """

    lossless = True

    def __init__(self, data_set: Dataset, frames: Frames, boxes: Boxes) -> None:
        self._data_set, self._frames, self._boxes = data_set, frames, boxes
        self.note = "boxes were enlarged to whole units of JPEG, and all other units keep their coefficients"
        self._first = frames.decode(boxes.touched[0])
        self._blanked(boxes.touched[0])

    def frame(self, index: int) -> bytes:
        """The new codestream of a frame, which was decoded again."""
        try:
            data = blanked_codestream(self._blanked(index))
        except UnsupportedTransferSyntaxError as error:
            raise EncodeError(f"frame {index} is another kind of JPEG than those before: {error}") from error
        decode_frame(
            data, self._frames.description, limits=self._frames.limits, frame=index, stated=self._frames.stated
        )
        return data

    def attributes(self) -> dict[str, Any]:
        """No attribute changes."""
        return {}

    def _blanked(self, index: int) -> bytes:
        decoded = self._frames.decoded(index)
        for text in made_up(decoded):
            raise PixelDecodeError(text, frame=index)
        desc = decoded.description
        boxes = np.array(self._boxes.of(index), np.int32).reshape(-1, 4)
        return blank_units(self._frames.encoded(index), boxes, self._levels(decoded), desc.rows, desc.columns)

    def _levels(self, decoded: DecodedFrame) -> np.ndarray[Any, np.dtype[np.int32]]:
        """The DC coefficient of a block of the background, for each component."""
        desc, info = decoded.description, decoded.info
        space = SPACES.get(coded_colour(desc, info) or "", desc.photometric_interpretation)
        stored = min(desc.stored, self._frames.stated.stored)
        described = replace(desc, photometric_interpretation=space, bits_stored=stored)
        values = background_of(self._data_set, described, self._first)
        precision = (info.precision if info is not None else None) or desc.stored
        levels = np.zeros(COMPONENTS, np.int32)
        levels[: len(values)] = [(int(value) - (1 << precision - 1)) * BLOCK for value in values]
        return levels
