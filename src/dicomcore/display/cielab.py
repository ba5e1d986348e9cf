"""Colours of segments and surfaces: CIELab PCS-Values relative to D50, 16 bits each (PS3.3 C.10.7.1.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["from_cielab", "to_cielab"]

WHITE = np.array([0.96422, 1.0, 0.82521])  # D50
TO_SRGB = np.array(  # from XYZ relative to D50, adapted to D65 by Bradford's method
    [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]]
)
FROM_SRGB = np.linalg.inv(TO_SRGB)
DELTA = 6 / 29


def from_cielab(values: Sequence[int]) -> tuple[int, int, int]:
    """Convert L*, a* and b*, 16 bits each, to the nearest sRGB colour, 0 to 255 each."""
    lightness, a, b = np.asarray(values, np.float64) * (100 / 65535, 255 / 65535, 255 / 65535) - np.array([0, 128, 128])
    middle = (lightness + 16) / 116
    roots = np.array([middle + a / 500, middle, middle - b / 200])
    linear = TO_SRGB @ (WHITE * np.where(roots > DELTA, roots**3, 3 * DELTA**2 * (roots - 4 / 29)))
    linear = linear.clip(0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.rint(coded * 255).astype(int).tolist()
    return red, green, blue


def to_cielab(colour: Sequence[int]) -> list[int]:
    """Convert an sRGB colour, 0 to 255 each, to L*, a* and b*, 16 bits each."""
    coded = np.asarray(colour, np.float64) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    ratios = FROM_SRGB @ linear / WHITE
    roots = np.where(ratios > DELTA**3, np.cbrt(ratios), ratios / (3 * DELTA**2) + 4 / 29)
    lab = np.array([116 * roots[1] - 16, 500 * (roots[0] - roots[1]), 200 * (roots[1] - roots[2])])
    scaled = (lab + np.array([0, 128, 128])) * (65535 / 100, 65535 / 255, 65535 / 255)
    words: list[int] = np.rint(scaled.clip(0, 65535)).astype(int).tolist()
    return words
