"""The geometry of a stack: the order of slices along their normal, their step, and its irregularities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dicomcore.archive.imaging.slices import Slice, issue, normal_of
from dicomcore.errors import DicomError
from dicomcore.issues import Issue

__all__ = ["by_place", "refuse_beside", "step_of"]

GAP = 1.5  # a distance above this multiple of the usual distance means that a slice is missing
UNEVEN = 0.02  # share of the usual distance that a slice may be off its place
TILT = 0.002  # share of the usual distance that a step may go sideways: 0.1 degrees
SAME = 0.02  # share of the usual distance below which two slices are at one place, but never above SAME_MM
SAME_MM = 0.05
NEAR = 1e-3  # share of a pixel: different places are further apart, so smaller gaps don't count for the usual distance
JITTER = 0.02  # share of a pixel below which gaps don't count for the usual distance if there are wider ones
MOST = 1e9  # slices that may be missing in one gap: positions are finite, but their ratios may not be
BESIDE = 0.5  # pixels in the plane by which slices at one place may differ


def by_place(slices: list[Slice]) -> list[list[Slice]]:
    """The slices in order along their normal, grouped into places of the same distance along it."""
    along = np.array([slice_.position for slice_ in slices]) @ normal_of(slices[0])
    order = np.argsort(along, kind="stable")
    gaps = np.diff(along[order])
    wide = gaps[gaps > JITTER * min(slices[0].spacing)]
    if not len(wide):
        wide = gaps[gaps > NEAR * min(slices[0].spacing)]
    same = min(SAME_MM, SAME * float(np.median(wide))) if len(wide) else np.inf
    places: list[list[Slice]] = []
    for gap, i in zip([np.inf, *gaps.tolist()], order.tolist(), strict=True):
        if gap > same or not places:
            places.append([])
        places[-1].append(slices[i])
    return places


def refuse_beside(places: list[list[Slice]]) -> None:
    """Raise DicomError if two slices are at the same distance along the normal, but side by side."""
    for a, *others in places:
        for b in others:
            away = b.position - a.position
            columns, rows = abs(float(away @ a.along_row)), abs(float(away @ a.along_column))
            if rows > BESIDE * a.spacing[0] or columns > BESIDE * a.spacing[1]:
                apart = np.hypot(rows, columns)
                raise DicomError(f"{a} and {b} lie side by side, {apart:.4g} mm apart: that is more than one stack")


def step_of(ordered: list[Slice]) -> tuple[NDArray[np.float64], list[int], list[Issue]]:
    """The step (mm) from one slice to the next, the number of missing slices before each, and issues."""
    normal = normal_of(ordered[0])
    if len(ordered) == 1:
        only = ordered[0]
        if only.thickness is not None:
            return normal * only.thickness, [0], []
        text = f"{only}: there is neither Spacing Between Slices nor Slice Thickness: 1 mm was made up"
        return normal, [0], [issue("INVENTED_SPACING", text, "SliceThickness")]
    positions = np.array([slice_.position for slice_ in ordered])
    gaps = np.diff(positions @ normal)
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])  # of two in the middle the smaller, as missing slices widen it
    missing = [0, *(max(round(min(gap / usual, MOST)) - 1, 1) if gap > GAP * usual else 0 for gap in gaps.tolist())]
    issues = []
    if any(missing):
        at = next(i for i, count in enumerate(missing) if count)
        where = f"the first between {positions[at - 1].tolist()} and {positions[at].tolist()}"
        issues.append(issue("MISSING_SLICES", f"{sum(missing)} slices are missing at {usual:.4g} mm apart, {where}"))
    numbers = np.arange(len(ordered)) + np.cumsum(missing)
    step = (positions[-1] - positions[0]) / numbers[-1]
    beside = np.linalg.norm(positions - positions[0] - numbers[:, None] * step, axis=1).max()
    if beside > max(UNEVEN * usual, NEAR * min(ordered[0].spacing)):
        issues.append(issue("UNEVEN_SPACING", f"slices lie up to {beside:.4g} mm beside equal steps of {usual:.4g} mm"))
    sideways = float(np.linalg.norm(step - (step @ normal) * normal))
    if sideways > TILT * usual:
        angle = np.degrees(np.arctan2(sideways, step @ normal))
        issues.append(issue("TILTED", f"slices are stacked {angle:.2f} degrees off their normal (tilted gantry)"))
    return step, missing, issues
