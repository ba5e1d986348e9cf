"""The outlines of graphic types as points: curves, circles, ellipses (PS3.3 C.10.5.1.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["circle", "dashes", "ellipse", "interpolated"]

Points = NDArray[np.float64]
MOST_POINTS = 1 << 20
MOST_DASHES = 1 << 13


def interpolated(points: Points, scale: float = 1.0) -> Points:
    """A centripetal Catmull–Rom curve through points; closed if the last is the first. `scale` is pixels per unit."""
    keep = np.ones(len(points), np.bool_)
    keep[1:] = (np.diff(points, axis=0) != 0).any(1)
    points = points[keep]
    if len(points) < 3:
        return points
    closed = bool((points[0] == points[-1]).all())
    before = points[-2] if closed else 2 * points[0] - points[1]
    after = points[1] if closed else 2 * points[-1] - points[-2]
    line = np.concatenate((before[None], points, after[None]))
    longest = float(np.linalg.norm(np.diff(points, axis=0), axis=1).max()) * scale
    steps = int(min(max(longest / 2, 4), 64, max(MOST_POINTS // len(points), 1)))
    knots = np.linalg.norm(np.diff(line, axis=0), axis=1) ** 0.5
    knots[knots == 0] = 1e-6
    place = np.concatenate(([0.0], np.cumsum(knots)))
    first, last = place[1:-2], place[2:-1]
    share = np.linspace(0, 1, steps, endpoint=False)
    at = first[:, None] + share * (last - first)[:, None]
    curve = _neville(line, place, at).reshape(-1, 2)
    return np.concatenate((curve, points[-1:]))


def _neville(line: Points, place: NDArray[np.float64], at: NDArray[np.float64]) -> Points:
    """Points of the curve between each pair of inner points, by Barry and Goldman's pyramid."""
    count = len(line) - 3

    def mix(left: Points, right: Points, low: int, high: int) -> Points:
        start, stop = place[low : low + count, None], place[high : high + count, None]
        share = ((at - start) / (stop - start))[..., None]
        return (1 - share) * left + share * right

    corner = [line[number : number + count, None] for number in range(4)]
    one, two, three = (mix(corner[k], corner[k + 1], k, k + 1) for k in range(3))
    return mix(mix(one, two, 0, 2), mix(two, three, 1, 3), 1, 2)


def circle(centre: Points, edge: Points, scale: float = 1.0) -> Points:
    """A closed circle by its centre and a point on it."""
    radius = float(np.hypot(*(edge - centre)))
    return _round(centre, np.array((radius, 0.0)), np.array((0.0, radius)), scale)


def ellipse(points: Points, scale: float = 1.0) -> Points:
    """A closed ellipse by the ends of its major axis and the ends of its minor axis."""
    centre = (points[0] + points[1]) / 2
    return _round(centre, (points[1] - points[0]) / 2, (points[3] - points[2]) / 2, scale)


def _round(centre: Points, first: Points, second: Points, scale: float) -> Points:
    reach = float(max(np.hypot(*first), np.hypot(*second))) * scale
    count = int(min(max(reach * 2, 32), 4096)) if np.isfinite(reach) else 32
    angle = np.linspace(0, 2 * np.pi, count + 1)[:, None]
    return np.asarray(centre + np.cos(angle) * first + np.sin(angle) * second)


def dashes(points: Points, pattern: int, stretch: float) -> tuple[list[Points], list[Points]] | None:
    """Cut a line into the stretches whose bit in a 32-bit pattern is 1, and those whose bit is 0.

    None if there would be too many.
    """
    lengths = np.hypot(*np.diff(points, axis=0).T)
    place = np.concatenate(([0.0], np.cumsum(lengths)))
    total = float(place[-1])
    count = int(np.ceil(total / stretch)) if np.isfinite(total) else MOST_DASHES + 1
    if count > MOST_DASHES or len(points) * count > 1 << 22:
        return None
    parts: tuple[list[Points], list[Points]] = ([], [])
    start = 0
    bits = [pattern >> (number % 32) & 1 for number in range(count)]
    for number in range(1, count + 1):
        if number == count or bits[number] != bits[start]:
            low, high = start * stretch, min(number * stretch, total)
            inner = (place > low) & (place < high)
            ends = [np.array([np.interp(at, place, points[:, axis]) for axis in (0, 1)]) for at in (low, high)]
            parts[0 if bits[start] else 1].append(np.concatenate((ends[0][None], points[inner], ends[1][None])))
            start = number
    return parts
