"""The dtype of a volume: it holds the values of all slices exactly, or the values are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.archive.imaging.slices import Slice
from dicomcore.errors import DicomError

__all__ = ["check_fill", "common_dtype", "fitted"]

LONGEST = 53  # bits of the longest integer that float64 holds exactly


def common_dtype(slices: list[Slice]) -> np.dtype[Any]:
    """The smallest dtype that holds the stored values of all slices.

    Raises DicomError if no dtype does, for example for both signed and unsigned samples of 64 bits.
    """
    kinds: dict[np.dtype[Any], Slice] = {}
    for slice_ in slices:
        kinds.setdefault(slice_.data_set.frames.dtype, slice_)
    common = np.result_type(*kinds)
    if all(_holds(common, kind) for kind in kinds):
        return common
    named = ", ".join(f"{kind} in {slice_}" for kind, slice_ in kinds.items())
    raise DicomError(f"no dtype holds the stored values of all slices: {named}")


def _holds(common: np.dtype[Any], kind: np.dtype[Any]) -> bool:
    return common.kind != "f" or kind.kind == "f" or 8 * kind.itemsize <= LONGEST


def fitted(values: NDArray[Any], kind: np.dtype[Any], slice_: Slice, bound: float) -> NDArray[Any]:
    """The values of `slice_` in a form that an array of dtype `kind` takes unchanged, apart from a float's precision.

    `bound` is a limit that their magnitude can't exceed. Raises DicomError for values outside the dtype's range, and
    for fractions and NaN if it is an integer dtype.
    """
    if np.can_cast(values.dtype, kind, "safe") or not values.size:
        return values
    if kind.kind == "f":
        most = float(np.finfo(kind).max)
        if bound > most and (np.abs(values[np.isfinite(values)]) > most).any():
            raise DicomError(f"{slice_}: {kind} can't hold values beyond {most:g}")
        return values
    if values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        raise DicomError(f"{slice_}: {kind} can't hold values such as {_fraction(values):g}: choose a float dtype")
    low, high, limits = values.min(), values.max(), np.iinfo(kind)
    if int(low) < limits.min or int(high) > limits.max:
        raise DicomError(f"{slice_}: {kind} can't hold its values from {low:g} to {high:g}")
    return values.astype(kind)


def _fraction(values: NDArray[Any]) -> float:
    return float(values[values != np.rint(values)].flat[0])


def check_fill(fill: float, kind: np.dtype[Any]) -> None:
    """Raise DicomError for a fill value that an array of this dtype can't hold."""
    with np.errstate(all="ignore"):
        converted = np.array(fill).astype(kind)
    too_large = bool(np.isfinite(fill)) != bool(np.isfinite(converted))
    if too_large or (kind.kind in "iu" and not (np.isfinite(fill) and converted == fill)):
        raise DicomError(f"fill is {fill!r}, which {kind} can't hold")
