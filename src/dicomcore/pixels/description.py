"""The description of a data set's frames that decoders use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dicomcore.errors import PixelDecodeError
from dicomcore.uids import ExplicitVRLittleEndian

__all__ = ["FrameDescription", "interpretation_for", "samples_of"]

GREY, COLOUR = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"), ("RGB", "HSV", "XYB")


def samples_of(interpretation: str) -> int | None:
    """Samples per Pixel of a Photometric Interpretation (PS3.3 C.7.6.3.1.2); None for an unknown one."""
    if interpretation in GREY:
        return 1
    if interpretation in COLOUR or interpretation.startswith("YBR_"):
        return 3
    return 4 if interpretation in ("ARGB", "CMYK") else None


def interpretation_for(samples: int) -> str:
    """The most likely Photometric Interpretation of pixels with this number of samples."""
    return "RGB" if samples == 3 else "MONOCHROME2"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameDescription:
    """The Image Pixel attributes of one frame (PS3.3 C.7.6.3); a codestream's header outranks them."""

    rows: int
    columns: int
    samples_per_pixel: int = 1
    bits_allocated: int
    bits_stored: int | None = None
    """Bits Allocated where not given."""
    high_bit: int | None = None
    """Bits Stored - 1 where not given: samples stand in the lowest bits of their words."""
    pixel_representation: int = 0
    """0 unsigned, 1 two's complement."""
    photometric_interpretation: str = "MONOCHROME2"
    planar_configuration: int = 0
    transfer_syntax: str = str(ExplicitVRLittleEndian)
    floating: bool = False
    """Whether the frame is Float (32 bits allocated) or Double Float Pixel Data (64)."""

    @property
    def stored(self) -> int:
        """Bits Stored, or Bits Allocated where it is missing or invalid."""
        stored = self.bits_stored
        return stored if stored is not None and 0 < stored <= self.bits_allocated else self.bits_allocated

    @property
    def low_bit(self) -> int:
        """The lowest bit of a sample in its word, High Bit + 1 - Bits Stored; 0 where High Bit is invalid.

        PS3.5 8.1.1 allows 0 only; files from before 2014, and ACR-NEMA files, have others.
        """
        if self.high_bit is None or not self.stored - 1 < self.high_bit < self.bits_allocated:
            return 0
        return self.high_bit + 1 - self.stored

    @property
    def dtype(self) -> np.dtype:
        """Native dtype of a sample's container: one byte for single bits, the next larger word for 12 and 24 bits."""
        if self.floating:
            return np.dtype("f4" if self.bits_allocated == 32 else "f8")
        if self.bits_allocated == 1:
            return np.dtype("u1")
        width = next((w for w in (1, 2, 4, 8) if self.bits_allocated <= 8 * w), None)
        if width is None or self.bits_allocated < 1:
            raise PixelDecodeError(f"no word holds samples of {self.bits_allocated} bits allocated")
        return np.dtype(f"{'i' if self.pixel_representation else 'u'}{width}")

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns), or (rows, columns, samples) where there are several."""
        if self.samples_per_pixel == 1:
            return self.rows, self.columns
        return self.rows, self.columns, self.samples_per_pixel

    @property
    def samples(self) -> int:
        """The number of samples in one frame."""
        return self.rows * self.columns * self.samples_per_pixel
