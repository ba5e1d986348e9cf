"""GSDF: the Grayscale Standard Display Function, luminance against just-noticeable differences (PS3.14)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["HIGHEST_JND", "HIGHEST_LUMINANCE", "LOWEST_JND", "LOWEST_LUMINANCE", "jnd", "luminance"]

# Coefficients of powers of ln j, the highest first: log10 L is the one polynomial over the other (PS3.14 7.1).
ABOVE = (0.0013635334, -0.025468404, 0.13646699, 0.080242636, -1.3011877)
BELOW = (0.00012992634, -0.0031978977, 0.02874562, -0.10320229, -0.025840191, 1.0)
# Coefficients of powers of log10 L, the highest first, for j.
INVERSE = (-0.017046845, 0.14710899, -0.18014349, -1.1878455, 0.28175407, 9.8247004, 41.912053, 94.593053, 71.498068)
LOWEST_JND, HIGHEST_JND = 1.0, 1023.0
STEPS = 2  # of Newton's method, from an index that the polynomial gives within 0.09
ROUNDING = 1e-12  # exp and log of one number and of an array differ in the last digit on some processors


def luminance(jnd: ArrayLike) -> Any:
    """Return the luminance in cd/m² of JND indices, 1 to 1023: a float for a number, else an array.

    Raises ValueError for an index outside that range, for which the function is not defined.
    """
    indices = _within(jnd, LOWEST_JND, HIGHEST_JND, "JND index", "")
    x = np.log(indices)
    return _as_given(10.0 ** (np.polyval(ABOVE, x) / np.polyval(BELOW, x)))


def jnd(luminance: ArrayLike) -> Any:
    """Return the JND indices of luminances in cd/m²: a float for a number, else an array.

    The polynomial of PS3.14 7.1, which errs by up to 0.09, is refined until it is the inverse of `luminance`. Raises
    ValueError for a luminance below that of index 1 (0.0500 cd/m²) or above that of index 1023 (3993 cd/m²).
    """
    levels = np.log10(_within(luminance, LOWEST_LUMINANCE, HIGHEST_LUMINANCE, "luminance", " cd/m²"))
    indices = np.polyval(INVERSE, levels).clip(LOWEST_JND, HIGHEST_JND)
    for _ in range(STEPS):
        x = np.log(indices)
        above, below = np.polyval(ABOVE, x), np.polyval(BELOW, x)
        slope = (np.polyval(ABOVE_SLOPE, x) * below - above * np.polyval(BELOW_SLOPE, x)) / below**2
        indices = np.exp(x - (above / below - levels) / slope).clip(LOWEST_JND, HIGHEST_JND)
    return _as_given(indices)


def _within(values: ArrayLike, low: float, high: float, name: str, unit: str) -> NDArray[np.float64]:
    """Return the values as floats within the range; raise ValueError if one is outside by more than rounding."""
    numbers = np.asarray(values, np.float64)
    outside = ~((numbers >= low * (1 - ROUNDING)) & (numbers <= high * (1 + ROUNDING)))
    if outside.any():
        first = numbers[outside].reshape(-1)[0]
        raise ValueError(f"the {name} is {low:.6g} to {high:.6g}{unit}, not {first:g}{unit} (PS3.14 7.1)")
    return np.asarray(numbers.clip(low, high))


def _as_given(values: NDArray[np.float64]) -> Any:
    return values if values.ndim else float(values)


ABOVE_SLOPE, BELOW_SLOPE = np.polyder(ABOVE), np.polyder(BELOW)
LOWEST_LUMINANCE: float = luminance(LOWEST_JND)
HIGHEST_LUMINANCE: float = luminance(HIGHEST_JND)
