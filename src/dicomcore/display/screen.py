"""Screen: a measured display system, its calibration to the GSDF, and how well it follows it (PS3.14)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dicomcore.display import gsdf
from dicomcore.errors import ParseError

__all__ = ["Conformance", "Screen"]

MOST_LEVELS = 1 << 16
MOST_BYTES = 4 << 20
ORDERS = (1, 2, 3)  # of the curves that the FIT measure tries (PS3.14 C.2)
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
SETTING = re.compile(rf"(max|amb|lum|ord)\s+({NUMBER})", re.IGNORECASE)
LEVEL = re.compile(rf"({NUMBER})\s*[\s,;]\s*({NUMBER})")
HEADING = re.compile(r'"?[A-Za-z]')


@dataclass(frozen=True, slots=True, eq=False)
class Conformance:
    """How well a display system follows the GSDF, by the measures of PS3.14 C.2."""

    intervals: NDArray[np.float64] = field(repr=False)
    """JNDs of each step between two P-Values; all alike on a display that follows the GSDF."""
    mean: float
    lum: float
    """LUM: the root mean square error of `intervals` about their mean, in JNDs."""
    fits: dict[int, float]
    """FIT: the share of the variance of `intervals` that a curve of order 1, 2, 3 explains; near 0 is a flat line."""
    deviation: float
    """The largest difference between contrast and the GSDF's, ΔL/L over a step, as a share of the GSDF's."""


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """A display system by its characteristic curve: the luminance of each digital driving level (DDL)."""

    ddl_luminance: NDArray[np.float64] = field(repr=False)
    """cd/m² of each DDL from 0, measured without ambient light."""
    ambient: float = 0.0
    """cd/m² that the surface reflects, added to each level."""

    def __init__(self, ddl_luminance: ArrayLike, ambient: float = 0.0) -> None:
        """Raises ValueError unless luminances are at least two, finite, not negative, and rise from first to last."""
        levels = np.array(ddl_luminance, np.float64)
        if levels.ndim != 1 or not 2 <= levels.size <= MOST_LEVELS:
            raise ValueError(f"a screen has 2 to {MOST_LEVELS} driving levels, not an array of shape {levels.shape}")
        if not np.isfinite(levels).all() or levels.min() < 0:
            bad = int(np.flatnonzero(~(np.isfinite(levels) & (levels >= 0)))[0])
            raise ValueError(f"the luminance of driving level {bad} is {levels[bad]}: it must be 0 or more")
        if not (isfinite(ambient) and ambient >= 0):
            raise ValueError(f"the ambient light must be 0 cd/m² or more, not {ambient}")
        if levels[-1] <= levels[0]:
            raise ValueError("the last driving level is not brighter than the first")
        levels.flags.writeable = False
        object.__setattr__(self, "ddl_luminance", levels)
        object.__setattr__(self, "ambient", float(ambient))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Screen:
        """Read a measured screen from a text file of driving levels and luminances.

        Lines hold a level and its luminance in cd/m², separated by blanks, a comma or a semicolon; `#` begins a
        comment. ``max N`` states the highest level and ``amb N`` the ambient light, as in DCMTK's files for monitors;
        lines of headings are skipped in a CSV file. Levels between measured ones are interpolated
        by smooth curves that never fall where the points rise. Raises ParseError naming the line that is none of these.
        """
        settings: dict[str, float] = {}
        levels: dict[int, float] = {}
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ParseError(f"{os.fspath(path)} is larger than a measured screen can be")
        for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
            text = line.split("#")[0].strip()
            if text.lower() == "eof" or not text:
                continue
            setting, level = SETTING.fullmatch(text), LEVEL.fullmatch(text.rstrip(",; "))
            if setting:
                settings[setting[1].lower()] = float(setting[2])
            elif level:
                _add_level(levels, level[1], level[2], f"{os.fspath(path)}, line {number}")
            elif levels or not HEADING.match(text):
                raise ParseError(f"{os.fspath(path)}, line {number}: no driving level and luminance in {text[:60]!r}")
        return cls(_all_levels(levels, settings, os.fspath(path)), settings.get("amb", 0.0))

    @property
    def jnds(self) -> tuple[float, float]:
        """The JND indices of the darkest and the brightest level, ambient light included."""
        levels = self._seen()
        return gsdf.jnd(levels[0]), gsdf.jnd(levels[-1])

    def table(self, bits: int) -> NDArray[Any]:
        """Return the DDL for each P-Value of `bits` bits (1 to 16): that whose luminance is nearest to the GSDF's.

        They are uint8 for a screen of up to 256 levels, else uint16.

        The P-Values are spread evenly over the JND indices from the darkest to the brightest level. Where the measured
        curve falls, the levels of the fall are passed over; luminances that the GSDF does not reach, below 0.05 or
        above 3993 cd/m², count as its ends.
        """
        if not 1 <= bits <= 16:
            raise ValueError(f"P-Values have 1 to 16 bits, not {bits}")
        levels, (low, high) = self._seen(), self.jnds
        if high <= low:
            raise ValueError("the screen's levels lie outside the range of the GSDF, 0.05 to 3993 cd/m²")
        rising = np.concatenate(([0], 1 + np.flatnonzero(levels[1:] > levels[:-1])))
        shown = levels[rising]
        last = (1 << bits) - 1
        # Halfway between two levels the nearest one changes: so there is one JND index to compute for each level.
        changes = (gsdf.jnd((shown[1:] + shown[:-1]) / 2) - low) * (last / (high - low))
        counts = np.diff(np.concatenate(([-1], np.floor(changes).clip(-1, last), [last])))
        return np.repeat(rising, counts.astype(np.intp)).astype(np.uint8 if levels.size <= 256 else np.uint16)

    def conformance(self, p_values: ArrayLike | None = None) -> Conformance:
        """Measure how well luminance follows the GSDF (PS3.14 C.2).

        `p_values` are the DDLs shown for evenly spaced P-Values, such as ``screen.table(8)``; None takes the DDLs
        themselves, for a screen that is calibrated inside. Raises ValueError for fewer than five of them.
        """
        chosen = np.arange(self.ddl_luminance.size) if p_values is None else np.asarray(p_values)
        if chosen.ndim != 1 or chosen.size < 5 or chosen.dtype.kind not in "iu":
            raise ValueError("conformance is measured at five driving levels or more")
        if chosen.min() < 0 or chosen.max() >= self.ddl_luminance.size:
            raise ValueError(f"the screen has the driving levels 0 to {self.ddl_luminance.size - 1}")
        levels = (self.ddl_luminance + self.ambient)[chosen].clip(gsdf.LOWEST_LUMINANCE, gsdf.HIGHEST_LUMINANCE)
        indices = gsdf.jnd(levels)
        intervals = np.diff(indices)
        mean = float(intervals.mean())
        places = np.linspace(-1, 1, intervals.size)
        spread = float(((intervals - mean) ** 2).sum())
        fits = {order: _explained(places, intervals, order, spread) for order in ORDERS}
        wanted = gsdf.luminance(np.linspace(indices[0], indices[-1], indices.size).clip(1, 1023))
        contrasts, standard = (2 * np.diff(row) / (row[1:] + row[:-1]) for row in (levels, wanted))
        deviation = float(np.abs(contrasts / standard - 1).max()) if standard.min() > 0 else 0.0
        return Conformance(intervals, mean, float(np.sqrt(spread / intervals.size)), fits, deviation)

    def _seen(self) -> NDArray[np.float64]:
        """Return the luminance of each level with ambient light, never falling, within the range of the GSDF."""
        rising = np.maximum.accumulate(self.ddl_luminance) + self.ambient
        return rising.clip(gsdf.LOWEST_LUMINANCE, gsdf.HIGHEST_LUMINANCE)


def _explained(places: NDArray[np.float64], values: NDArray[np.float64], order: int, spread: float) -> float:
    """Return the share of the variance that a polynomial of this order explains (R²)."""
    if spread < 1e-12 or values.size <= order + 1:
        return 0.0
    left = values - np.polyval(np.polyfit(places, values, order), places)
    return float(1 - (left**2).sum() / spread)


def _add_level(levels: dict[int, float], level: str, luminance: str, where: str) -> None:
    number = float(level)
    if not number.is_integer() or not 0 <= number < MOST_LEVELS:
        raise ParseError(f"{where}: a driving level is a whole number from 0 to {MOST_LEVELS - 1}, not {level}")
    if int(number) in levels:
        raise ParseError(f"{where}: driving level {int(number)} was given before")
    levels[int(number)] = float(luminance)


def _all_levels(levels: dict[int, float], settings: dict[str, float], name: str) -> NDArray[np.float64]:
    """Return the luminance of every level from 0 to the highest, those between measured ones interpolated."""
    if not levels:
        raise ParseError(f"{name} has no driving level and luminance")
    if "lum" in settings:
        raise ParseError(f"{name} describes a printer or a scanner by optical densities, not a screen")
    highest = settings.get("max", max(levels))
    if highest != max(levels) or min(levels) != 0:
        raise ParseError(f"{name} measures the driving levels {min(levels)} to {max(levels)}, not 0 to {highest:g}")
    measured = sorted(levels)
    luminances = [levels[level] for level in measured]
    return _between(np.array(measured, np.float64), np.array(luminances), np.arange(max(levels) + 1.0))


def _between(x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate by cubic curves that rise where the measured points rise (Fritsch and Butland)."""
    if len(x) < 3:
        return np.interp(at, x, y)
    width = np.diff(x)
    slope = np.diff(y) / width
    before, behind = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    same = slope[1:] * slope[:-1] > 0
    safe = [np.where(same, part, 1.0) for part in (slope[:-1], slope[1:])]
    inner = np.where(same, (before + behind) / (before / safe[0] + behind / safe[1]), 0.0)
    ends = [
        np.clip(slope[a] + (slope[a] - slope[b]) * width[a] / (width[a] + width[b]), *sorted((0.0, 3 * slope[a])))
        for a, b in ((0, 1), (-1, -2))
    ]
    tangent = np.concatenate((ends[:1], inner, ends[1:]))
    piece = np.searchsorted(x, at, "right").clip(1, len(x) - 1) - 1
    t, h = (at - x[piece]) / width[piece], width[piece]
    start = y[piece] * (1 + 2 * t) * (1 - t) ** 2 + h * tangent[piece] * t * (1 - t) ** 2
    stop = y[piece + 1] * t**2 * (3 - 2 * t) + h * tangent[piece + 1] * t**2 * (t - 1)
    return start + stop
