"""Remove the bits above and below a sample, so that its word is its value (PS3.5 8.1.1)."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from dicomcore._native.pixels import unpack
from dicomcore.arrays import as_bytes
from dicomcore.pixels.coding.headers import CodestreamInfo
from dicomcore.pixels.description import FrameDescription

__all__ = ["bits_that_count", "low_bit_of", "settle_unused_bits"]


def bits_that_count(desc: FrameDescription, info: CodestreamInfo | None, width: int) -> int | None:
    """The number of bits of each `width`-bit word that belong to its sample; None where a word is its value already.

    `desc` is the data set's own description. The rules are pydicom's:

    - JPEG 2000, HTJ2K: the samples are values already. Where the codestream's sign contradicts Pixel Representation, a
      grey sample is read again in the codestream's precision, with the data set's sign.
    - JPEG-LS has no sign: signed samples are sign-extended from the codestream's precision, or from Bits Stored where
      all bits above it are 0.
    - JPEG by DCT, JPEG XL: values already. Values that overshoot Bits Stored stay; in pydicom they wrap around.
    - A codestream with more bits than Bits Stored has whole words, laid out as High Bit says: see `low_bit_of`.
    - All others: Bits Stored bits count; the bits above, an overlay or garbage, are removed.
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
    """The lowest bit of a sample in its word, uncompressed or decoded from a codestream.

    A codestream of no more bits than Bits Stored has only the samples, whatever High Bit says.
    """
    if desc.low_bit and info is not None and (info.precision or 0) < desc.low_bit + desc.stored:
        return 0
    return desc.low_bit


def settle_unused_bits(
    samples: NDArray[Any], desc: FrameDescription, info: CodestreamInfo | None = None
) -> NDArray[Any]:
    """Turn each word of a contiguous, writable array into its sample's value, in place; return the array."""
    width = samples.dtype.itemsize
    bits = bits_that_count(desc, info, 8 * width)
    if info is not None and _lost_its_sign(samples, desc, info):
        bits = desc.stored
    if bits is not None:
        unpack.extend_samples(as_bytes(samples), width, low_bit_of(desc, info), bits, samples.dtype.kind == "i")
    return samples


def _lost_its_sign(samples: NDArray[Any], desc: FrameDescription, info: CodestreamInfo) -> bool:
    """Whether signed samples were coded as unsigned words of more bits, with zeros above Bits Stored.

    JPEG-LS and an unsigned JPEG 2000 codestream of whole words keep no sign. Words with the sign of Bits Stored, and
    nothing above it, can't be values: these would be beyond Bits Stored.
    """
    if info.format not in ("JPEG-LS", "JPEG 2000", "HTJ2K") or info.signed or info.lossless is False:
        return False
    if desc.pixel_representation != 1 or (info.precision or 0) <= desc.stored or samples.dtype.itemsize > 4:
        return False
    if not samples.size or desc.stored >= 8 * samples.dtype.itemsize:
        return False
    largest = int(samples.view(f"u{samples.dtype.itemsize}").max())
    return 1 << desc.stored - 1 <= largest < 1 << desc.stored
