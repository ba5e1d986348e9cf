"""The error of a lossy frame, measured in each of the ways in which an `ErrorLimit` can be stated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.pixels.coding.quality import CHROMINANCE, ErrorLimit, dct_precision
from dicomcore.pixels.description import FrameDescription

__all__ = ["Loss", "coded_error", "mean_error", "sample_error"]

BAND = 256  # rows that are processed at once, a multiple of BLOCK
BLOCK = 8


@dataclass(frozen=True, slots=True)
class Loss:
    """The largest difference and the root mean square of all differences, in units of a sample."""

    largest: float = 0.0
    rms: float = 0.0

    def __or__(self, other: Loss) -> Loss:
        """The greater of two losses, field by field."""
        return Loss(max(self.largest, other.largest), max(self.rms, other.rms))

    def beyond(self, limit: ErrorLimit) -> str | None:
        """A description of the error that exceeds the limit; None if none does."""
        if limit.largest is not None and self.largest > limit.largest:
            return f"off by up to {self.largest:.6g}, where {limit.largest:.6g} is the most that its quality allows"
        if limit.rms is not None and self.rms > limit.rms:
            return f"off by {self.rms:.6g} in the mean, where {limit.rms:.6g} is the most that its quality allows"
        return None


def bands(rows: int) -> Iterator[slice]:
    """Slices of at most BAND rows each, which keep the arrays of errors small."""
    return (slice(top, min(top + BAND, rows)) for top in range(0, rows, BAND))


def sample_error(decoded: NDArray[Any], source: NDArray[Any]) -> Loss:
    """The loss, sample by sample."""
    return _total(np.subtract(decoded[band], source[band], dtype=np.float64) for band in bands(len(source)))


def mean_error(decoded: NDArray[Any], source: NDArray[Any]) -> Loss:
    """The largest error of a sample, and the root mean square error of the means of blocks."""
    largest = sample_error(decoded, source).largest

    def means(samples: NDArray[Any]) -> NDArray[Any]:
        starts = [np.arange(0, size, BLOCK) for size in samples.shape[:2]]
        sums = np.add.reduceat(np.add.reduceat(samples, starts[0], axis=0), starts[1], axis=1)
        rows, columns = (np.diff(np.append(start, size)) for start, size in zip(starts, samples.shape[:2], strict=True))
        return sums / np.outer(rows, columns)[:, :, None]

    errors = (means(np.subtract(decoded[band], source[band], dtype=np.float64)) for band in bands(len(source)))
    return Loss(largest, _total(errors).rms)


def coded_error(decoded: NDArray[Any], source: NDArray[Any], desc: FrameDescription) -> Loss:
    """The loss of luminance and chrominance as JPEG codes them, with chrominance at half the horizontal resolution.

    `decoded` is YBR as decoded, `source` is described by `desc`. Decoders interpolate chrominance, so each sample may
    have any value between those of its neighbours. Only a value outside of this range counts as an error, which is
    divided by `CHROMINANCE`, as the quantisation is coarser.
    """
    largest, squares = 0.0, 0.0
    for band in bands(len(source)):
        wanted = source[band].astype(np.float64)
        if desc.photometric_interpretation == "RGB":
            wanted = _ybr(wanted, 1 << (dct_precision(desc) - 1))
        luminance = np.abs(decoded[band][..., 0] - wanted[..., 0])
        low, high = _neighbours(wanted[..., 1:])
        chrominance = decoded[band][..., 1:].astype(np.float64)
        beyond = np.maximum(low - chrominance, chrominance - high)
        largest = max(largest, float(luminance.max()), float(beyond.max()) / CHROMINANCE)
        squares += float(np.square(luminance).sum())
    return Loss(largest, sqrt(squares / (source.shape[0] * source.shape[1])))


def _ybr(rgb: NDArray[Any], centre: int) -> NDArray[Any]:
    """RGB as YBR_FULL (PS3.3 C.7.6.3.1.2)."""
    weights = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    return rgb @ weights.T + (0, centre, centre)


def _neighbours(chrominance: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The lowest and highest mean among each sample's horizontal pair and the pairs beside it."""
    columns = chrominance.shape[1]
    even = np.pad(chrominance, ((0, 0), (0, columns % 2), (0, 0)), mode="edge")
    pairs = np.pad((even[:, ::2] + even[:, 1::2]) / 2, ((0, 0), (1, 1), (0, 0)), mode="edge")
    beside = (pairs[:, :-2], pairs[:, 1:-1], pairs[:, 2:])
    low, high = np.minimum.reduce(beside), np.maximum.reduce(beside)
    return low.repeat(2, axis=1)[:, :columns], high.repeat(2, axis=1)[:, :columns]


def _total(errors: Iterator[NDArray[Any]]) -> Loss:
    largest, squares, count = 0.0, 0.0, 0
    for error in errors:
        largest = max(largest, float(error.max()), -float(error.min()))
        squares += float(np.square(error).sum())
        count += error.size
    return Loss(largest, sqrt(squares / count))
