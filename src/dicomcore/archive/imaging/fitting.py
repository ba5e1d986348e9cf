"""Which dtype holds the values of all slices, and that a value is held as it is or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.archive.imaging.slices import Slice
from dicomcore.errors import DicomError

__all__ = ["check_fill", "common_dtype", "fitted"]

LONGEST = 53  # bits of an integer that float64 holds


def common_dtype(slices: list[Slice]) -> np.dtype[Any]:
    """The smallest dtype that holds the stored values of all slices.

    Raises DicomError where there is none, as for signed and unsigned samples of 64 bits.
    """
    kinds: dict[np.dtype[Any], Slice] = {}
    for one in slices:
        kinds.setdefault(one.data_set.frames.dtype, one)
    common = np.result_type(*kinds)
    if all(_holds(common, kind) for kind in kinds):
        return common
    named = ", ".join(f"{kind} in {one}" for kind, one in kinds.items())
    raise DicomError(f"no dtype holds the stored values of all slices: {named}")


def _holds(common: np.dtype[Any], kind: np.dtype[Any]) -> bool:
    return common.kind != "f" or kind.kind == "f" or 8 * kind.itemsize <= LONGEST


def fitted(values: NDArray[Any], kind: np.dtype[Any], one: Slice, bound: float) -> NDArray[Any]:
    """Values that an array of this dtype takes as they are, apart from a float's precision.

    `bound` is what their magnitude can't pass. Raises DicomError for what is out of the dtype's range, and for
    fractions and NaN where it is one of integers.
    """
    if np.can_cast(values.dtype, kind, "safe") or not values.size:
        return values
    if kind.kind == "f":
        most = float(np.finfo(kind).max)
        if bound > most and (np.abs(values[np.isfinite(values)]) > most).any():
            raise DicomError(f"{one}: {kind} can't hold values beyond {most:g}")
        return values
    if values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        raise DicomError(f"{one}: {kind} can't hold values such as {_fraction(values):g}: give dtype a float")
    low, high, limits = values.min(), values.max(), np.iinfo(kind)
    if int(low) < limits.min or int(high) > limits.max:
        raise DicomError(f"{one}: {kind} can't hold its values from {low:g} to {high:g}")
    return values.astype(kind)


def _fraction(values: NDArray[Any]) -> float:
    return float(values[values != np.rint(values)].flat[0])


def check_fill(fill: float, kind: np.dtype[Any]) -> None:
    """Raise DicomError for what an array of this dtype can't be filled with."""
    with np.errstate(all="ignore"):
        held = np.array(fill).astype(kind)
    too_large = bool(np.isfinite(fill)) != bool(np.isfinite(held))
    if too_large or (kind.kind in "iu" and not (np.isfinite(fill) and held == fill)):
        raise DicomError(f"fill is {fill!r}, which {kind} can't hold")
