"""Turn samples as coded into values: remove unused bits, convert YBR to RGB (PS3.5 8.1.1, PS3.3 C.7.6.3.1.2)."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from dicomcore.pixels.coding.decoding import DecodedFrame
from dicomcore.pixels.colour import coded_colour, to_rgb
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.unused_bits import settle_unused_bits

__all__ = ["sample_values"]


def sample_values(decoded: DecodedFrame, stated: FrameDescription) -> NDArray[Any]:
    """Turn a frame's samples into values, in place; `stated` is the data set's own description."""
    samples = settle_unused_bits(decoded.samples, stated, decoded.info)
    if coded_colour(decoded.description, decoded.info) in (None, "RGB"):
        return samples
    return to_rgb(samples, decoded.description, decoded.info, out=samples)
