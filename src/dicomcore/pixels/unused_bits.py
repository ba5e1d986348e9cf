"""Bits above and below a sample: left out, so that a sample's word is its value (PS3.5 8.1.1)."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from dicomcore._native.pixels import unpack
from dicomcore.arrays import as_bytes
from dicomcore.pixels.coding.headers import CodestreamInfo
from dicomcore.pixels.description import FrameDescription

__all__ = ["bits_that_count", "low_bit_of", "settle_unused_bits"]


def bits_that_count(desc: FrameDescription, info: CodestreamInfo | None, width: int) -> int | None:
    """How many low bits of each word of `width` bits are its sample's; None where a word is its value already.

    `desc` is the data set's own word. Which bits count is settled as pydicom does:

    - JPEG 2000, HTJ2K: the samples are values already; where the codestream's sign contradicts Pixel Representation, a
      grey sample is read again in the codestream's precision, with the data set's sign.
    - JPEG-LS knows no sign: signed samples are sign-extended from the codestream's precision.
    - JPEG by DCT, JPEG XL: values already. What overshoots Bits Stored stays, and does not wrap around as in pydicom.
    - A codestream with more bits than Bits Stored carries the words as High Bit describes them: see `low_bit_of`.
    - All else: Bits Stored bits count; what stands above, an overlay or dirt, is taken away.
    """
    if desc.floating or desc.bits_allocated == 1:
        return None
    bits = desc.stored
    if desc.high_bit not in (None, bits - 1) and low_bit_of(desc, info):
        return bits
    if info is not None and info.format in ("JPEG 2000", "HTJ2K"):
        grey = desc.photometric_interpretation in ("MONOCHROME1", "MONOCHROME2")
        if not grey or info.signed == bool(desc.pixel_representation):
            return None
        bits = info.precision or bits
    elif info is not None and info.format == "JPEG-LS":
        if not desc.pixel_representation:
            return None
        bits = info.precision or bits
    elif info is not None and not info.lossless and desc.pixel_representation == 0:
        return None
    return bits if bits < width else None


def low_bit_of(desc: FrameDescription, info: CodestreamInfo | None) -> int:
    """The bit where a sample begins in its word, be it uncompressed or what a codestream carries.

    A codestream of no more bits than Bits Stored carries the samples alone, wherever High Bit says that they stood.
    """
    if desc.low_bit and info is not None and (info.precision or 0) < desc.low_bit + desc.stored:
        return 0
    return desc.low_bit


def settle_unused_bits(
    samples: NDArray[Any], desc: FrameDescription, info: CodestreamInfo | None = None
) -> NDArray[Any]:
    """Make each word of a contiguous, writable array the value of its sample, in place; give the array back."""
    width = samples.dtype.itemsize
    bits = bits_that_count(desc, info, 8 * width)
    if bits is not None:
        unpack.extend_samples(as_bytes(samples), width, low_bit_of(desc, info), bits, samples.dtype.kind == "i")
    return samples
