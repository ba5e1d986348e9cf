"""The meaning of `quality` for each lossy encoder, and the largest errors that it allows."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from dicomcore.pixels.description import FrameDescription

__all__ = [
    "CHROMINANCE", "DISTANCE", "JPEG", "NEAR", "PSNR", "STEP", "ErrorLimit", "Quality", "coarse_limit",
    "dct_precision", "distance_limit", "jpeg_level", "jpeg_limit", "near_limit", "near_of", "psnr_limit", "step_limit",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quality:
    """The range and the default of one encoder's `quality`."""

    default: float
    low: float
    high: float
    meaning: str

    def of(self, quality: float | None) -> float:
        """The given quality, or the default for None. Raises ValueError outside the range."""
        if quality is None:
            return self.default
        if not self.low <= quality <= self.high:
            raise ValueError(f"quality is {self.meaning}, {self.low:g} to {self.high:g}, not {quality:g}")
        return quality


JPEG = Quality(90, 1, 100, "JPEG's")
NEAR = Quality(2, 0, 255, "the largest error of a sample")
PSNR = Quality(60, 1, 200, "the peak signal-to-noise ratio in dB")
STEP = Quality(0.002, 1e-6, 0.5, "the quantisation step")
# libjxl's own default, 1.0, is meant for photographs. With it a 12-bit CT, of which a window shows a tenth of the
# range, is off by 36. 0.1 loses about as much as JPEG 2000's default.
DISTANCE = Quality(0.1, 0.01, 25, "the distance")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLimit:
    """The largest allowed difference between decoded and encoded samples, in sample values."""

    largest: float | None = None
    """The largest error of any sample."""
    rms: float | None = None
    """The root mean square error over a frame."""
    space: Literal["samples", "coded", "means"] = "samples"
    """The values compared: samples; luminance and chrominance as coded by JPEG; or means of 8 × 8 pixels."""


def range_of(desc: FrameDescription, bits: int | None = None) -> int:
    """The difference of the largest and the smallest sample of `bits` bits, by default Bits Stored."""
    return (1 << (bits or desc.stored)) - 1


def dct_precision(desc: FrameDescription) -> int:
    """Bits of a sample in JPEG by DCT (T.81 B.2.2): 8 or 12."""
    return 8 if desc.bits_allocated == 8 else 12


def near_of(desc: FrameDescription, quality: float | None, precision: int | None = None) -> int:
    """JPEG-LS's NEAR, at most half of the largest sample (T.87 C.2.3)."""
    most = min(255, range_of(desc, precision) // 2)
    return int(Quality(min(NEAR.default, most), NEAR.low, most, NEAR.meaning).of(quality))


def near_limit(desc: FrameDescription, quality: float | None) -> ErrorLimit:
    """No sample is off by more than NEAR (T.87 A.1)."""
    return ErrorLimit(largest=near_of(desc, quality))


# Errors of a sample from the quantisation table for luminance (T.81 table K.1) at quality 50. The largest error is the
# sum over all coefficients of half a step times the amplitude of the cosine. The root mean square is that of the half
# steps, as the DCT preserves it. *_OF_STEPS is the same for a table of ones, as libjpeg rounds the steps it scales.
LARGEST_OF_TABLE, RMS_OF_TABLE, LARGEST_OF_STEPS, RMS_OF_STEPS = 445.0, 33.6, 7.5, 0.5
CHROMINANCE = 1.5
"""The errors from table K.2, for chrominance, relative to those from table K.1."""


def jpeg_level(desc: FrameDescription, quality: float | None) -> int:
    """JPEG's quality for Bits Stored: below 8, its steps would be too wide, and are scaled with the range."""
    level = JPEG.of(quality)
    scale = scale_of(level) * 2.0 ** min(desc.stored - 8, 0)
    return int(level) if desc.stored >= 8 else round(100 - 50 * scale if scale < 1 else 50 / scale)


def scale_of(level: float) -> float:
    """The factor by which libjpeg multiplies the steps of T.81's tables."""
    return 50 / level if level < 50 else 2 - level / 50


def jpeg_limit(desc: FrameDescription, quality: float | None) -> ErrorLimit:
    """The largest error of luminance from quantisation and rounding."""
    scale = scale_of(jpeg_level(desc, quality))
    # All the error of a block at the frame's edge may be in the part that belongs to the frame.
    whole = sqrt(_padded(desc.rows) * _padded(desc.columns) / (desc.rows * desc.columns))
    return ErrorLimit(
        largest=min(LARGEST_OF_TABLE * scale + LARGEST_OF_STEPS + 2, range_of(desc, dct_precision(desc))),
        rms=min((RMS_OF_TABLE * scale + RMS_OF_STEPS) * whole + 1, range_of(desc, dct_precision(desc)) / 2),
        space="coded" if desc.samples_per_pixel == 3 else "samples",
    )


def _padded(size: int) -> int:
    return -(-size // 8) * 8


def psnr_limit(desc: FrameDescription, quality: float | None) -> ErrorLimit:
    """Twice the root mean square error at the signal-to-noise ratio of `quality`, plus some for rounding."""
    full = range_of(desc)
    return ErrorLimit(rms=min(2 * full * 10 ** (-PSNR.of(quality) / 20) + 4, 0.6 * full))


def step_limit(desc: FrameDescription, quality: float | None) -> ErrorLimit:
    """A few steps of quantisation, as a sample is the sum of several coefficients."""
    step = STEP.of(quality) * range_of(desc)
    return ErrorLimit(largest=16 * step + 3, rms=3 * step + 2)


def distance_limit(desc: FrameDescription, quality: float | None) -> ErrorLimit:
    """Twice the error measured with noise. JPEG XL preserves the look of colour, not its samples: compares means."""
    distance, full = DISTANCE.of(quality), range_of(desc)
    if desc.samples_per_pixel == 1:
        return ErrorLimit(largest=min(0.4 * distance, 1) * full + 2, rms=0.08 * distance * full + 1)
    return ErrorLimit(rms=0.15 * sqrt(distance) * full + 1, space="means")


def coarse_limit(desc: FrameDescription, quality: float | None) -> ErrorLimit:
    """The limit of encoders that state none: a root mean square error of a quarter of the range."""
    return ErrorLimit(rms=range_of(desc) / 4)
