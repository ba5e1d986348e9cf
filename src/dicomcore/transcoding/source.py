"""The frames of a data set prepared for encoding: decoded, with unused bits set, in a colour space of the target."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError, EncodeError
from dicomcore.pixels.coding.decoding import DecodedFrame
from dicomcore.pixels.coding.encoder_registry import FrameEncoder
from dicomcore.pixels.coding.headers import CodestreamInfo
from dicomcore.pixels.coding.video import VIDEO_SYNTAXES
from dicomcore.pixels.colour import coded_colour, to_rgb
from dicomcore.pixels.description import FrameDescription, interpretation_for, samples_of
from dicomcore.pixels.frames import Frames
from dicomcore.pixels.setting import beyond_stored
from dicomcore.pixels.unused_bits import settle_unused_bits
from dicomcore.transcoding.damage import refuse_made_up
from dicomcore.transcoding.overlays import EmbeddedOverlays

__all__ = ["Prepared"]


class Prepared:
    """The frames to encode: `description` describes the arrays of `samples`, which several threads may call.

    YBR stays YBR if the source is lossless and the encoder takes it. The output of a JPEG DCT decoder becomes RGB, and
    so does YBR for a lossy encoder that takes none.
    """

    def __init__(
        self, data_set: Dataset, frames: Frames, encoder: FrameEncoder | None, first: int, *, keep: bool = False
    ) -> None:
        self.frames = frames
        self._keep = keep  # accept samples that a decoder makes up for a frame that is cut short
        self.info: CodestreamInfo | None = None
        self.overlays = EmbeddedOverlays(data_set, frames.stated.bits_allocated)
        stated = frames.stated
        self._stored, self._wider = stated.stored, False
        if not stated.floating and stated.transfer_syntax not in VIDEO_SYNTAXES and frames.is_encapsulated:
            decoded = frames.decoded(first)
            self.info = decoded.info
            self._stored = self._needed(decoded)
        self._rgb = self._space(encoder)
        self.description = self._described()

    def _needed(self, decoded: DecodedFrame) -> int:
        """The Bits Stored that the frames need: the codestream's precision, if samples exceed the stated bits."""
        stored, info = self._stored, decoded.info
        in_words = bool(self.frames.stated.low_bit or self.overlays)  # then the other bits of the words are set
        self._wider = info is not None and (info.precision or 0) > stored and not in_words
        if not self._wider or info is None or info.precision is None:
            return stored
        if info.lossless is False:  # the samples of any other frame may overshoot
            return info.precision
        samples = settle_unused_bits(decoded.samples, self.frames.stated, info)
        return info.precision if beyond_stored(samples, stored) else stored

    def _space(self, encoder: FrameEncoder | None) -> bool:
        described = self.frames.description
        space = coded_colour(described, self.info)
        if space not in ("YBR", "YBR_PARTIAL") or self.is_video:
            return False
        dct = self.info is not None and self.info.format == "JPEG" and not self.info.lossless
        if space == "YBR_PARTIAL" or dct:
            return True
        return encoder is not None and not encoder.lossless and not encoder.capacity.ybr

    @property
    def is_video(self) -> bool:
        """Whether the frames are those of a video."""
        return self.frames.stated.transfer_syntax in VIDEO_SYNTAXES

    def _described(self) -> FrameDescription:
        stated, found = self.frames.stated, self.frames.description
        interpretation = stated.photometric_interpretation
        if found.samples_per_pixel == 3:
            space = coded_colour(found, self.info)
            if self._rgb or self.is_video or space == "RGB":
                interpretation = "RGB"
            elif space == "YBR":
                interpretation = "YBR_FULL"
        if found.samples_per_pixel not in (stated.samples_per_pixel, samples_of(interpretation)):
            interpretation = interpretation_for(found.samples_per_pixel)  # the codestream's samples decide
        grown = found.bits_allocated > stated.bits_allocated
        stored = self.info.precision if grown and self.info is not None else self._stored
        allocated = 1 if found.bits_allocated == 1 else 8 * found.dtype.itemsize
        if self.is_video:
            allocated, stored = 8, 8
        return replace(
            found,
            bits_allocated=allocated,
            bits_stored=stored,
            photometric_interpretation=interpretation,
            planar_configuration=0,
            high_bit=None,
        )

    def samples(self, index: int, place: int) -> NDArray[Any]:
        """The samples of one frame, which will be number `place` in the new file."""
        decoded = self.frames.decoded(index)
        if not self._keep:
            refuse_made_up(decoded)
        samples = decoded.samples
        if self.is_video:
            return samples
        if self.overlays:
            self.overlays.take(place, samples)
        settle_unused_bits(samples, self.frames.stated, decoded.info)
        beyond = beyond_stored(samples, self.description.stored) if self._wider else ""
        if beyond:
            raise EncodeError(f"frame {index}: {beyond}")
        if coded_colour(decoded.description, decoded.info) != coded_colour(self.frames.description, self.info):
            raise EncodeError(f"frame {index} has another colour space than the first one")
        if self._rgb:
            samples = to_rgb(samples, decoded.description, decoded.info, out=samples)
        return np.ascontiguousarray(samples)

    @property
    def lossy(self) -> bool:
        """Whether the source's pixel data was compressed lossily."""
        if self.is_video:
            return True
        if self.info is None:
            return False
        if self.info.format == "JPEG-LS":
            return self.frames.stated.transfer_syntax.endswith(".81") and near_of(self.frames) != 0
        if self.info.format == "JPEG XL":
            return not self.frames.stated.transfer_syntax.endswith(".110")
        return not self.info.lossless


def near_of(frames: Frames) -> int:
    """JPEG-LS's NEAR, from the scan header of the first frame (T.87 C.2.3); 1 if it can't be read."""
    try:
        head = bytes(frames.encoded(0)[:4096])
    except DicomError:
        return 1
    at = head.find(b"\xff\xda")
    if at < 0 or at + 5 > len(head):
        return 1
    near = at + 5 + 2 * head[at + 4]
    return head[near] if near < len(head) else 1
