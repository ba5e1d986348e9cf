"""What a data set says of its frames, as decoders need it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dicomcore.errors import PixelDecodeError
from dicomcore.uids import ExplicitVRLittleEndian

__all__ = ["FrameDescription", "interpretation_for", "samples_of"]

GREY, COLOUR = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"), ("RGB", "HSV", "XYB")


def samples_of(interpretation: str) -> int | None:
    """Samples per Pixel that a Photometric Interpretation asks for (PS3.3 C.7.6.3.1.2); None for an unknown one."""
    if interpretation in GREY:
        return 1
    if interpretation in COLOUR or interpretation.startswith("YBR_"):
        return 3
    return 4 if interpretation in ("ARGB", "CMYK") else None


def interpretation_for(samples: int) -> str:
    """The Photometric Interpretation that pixels of so many samples most likely have."""
    return "RGB" if samples == 3 else "MONOCHROME2"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameDescription:
    """The Image Pixel attributes of one frame (PS3.3 C.7.6.3); where a codestream says otherwise, it is believed."""

    rows: int
    columns: int
    samples_per_pixel: int = 1
    bits_allocated: int
    bits_stored: int | None = None
    """As bits_allocated where not given."""
    high_bit: int | None = None
    """Bits Stored - 1 where not given: samples stand in the lowest bits of their words."""
    pixel_representation: int = 0
    """0 unsigned, 1 two's complement."""
    photometric_interpretation: str = "MONOCHROME2"
    planar_configuration: int = 0
    transfer_syntax: str = str(ExplicitVRLittleEndian)
    floating: bool = False
    """Float or Double Float Pixel Data, by bits_allocated."""

    @property
    def stored(self) -> int:
        """Bits Stored, Bits Allocated where it is absent or makes no sense."""
        stored = self.bits_stored
        return stored if stored is not None and 0 < stored <= self.bits_allocated else self.bits_allocated

    @property
    def low_bit(self) -> int:
        """The bit of its word where a sample begins, High Bit + 1 - Bits Stored; 0 where High Bit makes no sense.

        PS3.5 8.1.1 knows 0 alone; files of before 2014, and of ACR-NEMA, have others.
        """
        if self.high_bit is None or not self.stored - 1 < self.high_bit < self.bits_allocated:
            return 0
        return self.high_bit + 1 - self.stored

    @property
    def dtype(self) -> np.dtype:
        """Native dtype of a sample's container: one byte for single bits, the next larger word for 12 and 24."""
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
        """Samples of one frame."""
        return self.rows * self.columns * self.samples_per_pixel
