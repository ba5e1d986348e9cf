"""Update the attributes that describe a data set's encoded pixel data (PS3.3 C.7.6.3, C.7.6.1.1.5)."""

from __future__ import annotations

from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.pixels.coding.encoder_registry import FrameEncoder
from dicomcore.pixels.description import FrameDescription

__all__ = ["describe_pixels", "note_loss", "put"]


def describe_pixels(header: Dataset, desc: FrameDescription, encoder: FrameEncoder | None) -> None:
    """Set the Image Pixel attributes that differ from the encoded frames; the others stay untouched."""
    interpretation, stored = desc.photometric_interpretation, desc.stored
    if encoder is not None:
        interpretation = encoder.colours.get(interpretation, interpretation)
        if encoder.precision is not None:
            stored = encoder.precision(desc)
    put(header, "SamplesPerPixel", desc.samples_per_pixel)
    put(header, "PhotometricInterpretation", interpretation)
    if desc.samples_per_pixel > 1:
        put(header, "PlanarConfiguration", desc.planar_configuration)
    grown = header.get("BitsAllocated") != desc.bits_allocated
    put(header, "BitsAllocated", desc.bits_allocated)
    if grown or header.get("BitsStored") != stored:
        put(header, "BitsStored", stored)
    put(header, "HighBit", stored - 1)  # samples are encoded without the bits below them


def put(header: Dataset, keyword: str, value: Any) -> None:
    """Set an attribute unless it has this value already."""
    if header.get(keyword) != value:
        setattr(header, keyword, value)


def note_loss(header: Dataset, ratio: float | None, method: str | None) -> None:
    """State that the pixels were lossily compressed, after any earlier such compression (PS3.3 C.7.6.1.1.5)."""
    put(header, "LossyImageCompression", "01")
    for keyword, value in (("LossyImageCompressionRatio", ratio), ("LossyImageCompressionMethod", method)):
        if value is not None:
            earlier = header.get(keyword)
            before = [] if earlier in (None, "") else list(earlier) if isinstance(earlier, (list, tuple)) else [earlier]
            values = [*before, round(value, 2) if isinstance(value, float) else value]
            setattr(header, keyword, values if len(values) > 1 else values[0])
