"""Lines and polygons cut to the neighbourhood of a picture, so that distant points cost nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["clipped_line", "clipped_polygon"]

Points = NDArray[np.float64]
FAR = 1e12


def clipped_line(points: Points, size: tuple[int, int], margin: float) -> list[Points]:
    """The parts of a line that lie within `margin` of a picture of (width, height)."""
    low, high = np.array((-margin, -margin)), np.array(size, np.float64) + margin
    if not len(points) or not np.isfinite(points).all():
        return []
    inside = ((points >= low) & (points <= high)).all(1)
    if inside.all():
        return [points]
    if len(points) == 1:
        return []
    starts, stops, near = _cut(points[:-1].clip(-FAR, FAR), points[1:].clip(-FAR, FAR), low, high)
    parts: list[Points] = []
    for number in np.flatnonzero(near).tolist():
        joined = parts and np.array_equal(parts[-1][-1], starts[number])
        if joined:
            parts[-1] = np.concatenate((parts[-1], stops[number : number + 1]))
        else:
            parts.append(np.stack((starts[number], stops[number])))
    return parts


def _cut(starts: Points, stops: Points, low: Points, high: Points) -> tuple[Points, Points, NDArray[np.bool_]]:
    """Cut segments to a box; the third result marks those that reach into it (Liang and Barsky's method)."""
    way = stops - starts
    enter, leave = np.zeros(len(starts)), np.ones(len(starts))
    near = np.ones(len(starts), np.bool_)
    for axis in range(2):
        for sign, edge in ((-1.0, low[axis]), (1.0, high[axis])):
            speed, room = sign * way[:, axis], sign * (edge - starts[:, axis])
            near &= (speed != 0) | (room >= 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                share = room / speed
            enter = np.where(speed < 0, np.maximum(enter, share), enter)
            leave = np.where(speed > 0, np.minimum(leave, share), leave)
    near &= enter <= leave
    first, last = starts + enter[:, None] * way, starts + leave[:, None] * way
    return np.where(enter[:, None] > 0, first, starts), np.where(leave[:, None] < 1, last, stops), near


def clipped_polygon(corners: Points, size: tuple[int, int], margin: float) -> Points:
    """The part of a polygon that lies within `margin` of a picture of (width, height)."""
    if len(corners) < 3 or not np.isfinite(corners).all():
        return corners[:0]
    corners = corners.clip(-FAR, FAR)
    for axis, edge, sign in (
        (0, -margin, 1.0),
        (0, size[0] + margin, -1.0),
        (1, -margin, 1.0),
        (1, size[1] + margin, -1.0),
    ):
        corners = _half(corners, axis, edge, sign)
        if len(corners) < 3:
            return corners[:0]
    return corners


def _half(corners: Points, axis: int, edge: float, sign: float) -> Points:
    """The part of a polygon on one side of an edge (Sutherland and Hodgman's method)."""
    depth = sign * (corners[:, axis] - edge)
    inside = depth >= 0
    if inside.all():
        return corners
    after = np.roll(corners, -1, 0)
    depth_after = np.roll(depth, -1)
    crosses = inside != np.roll(inside, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(crosses, depth / (depth - depth_after), 0.0)
    crossing = corners + share[:, None] * (after - corners)
    both = np.stack((corners, crossing), 1)
    kept = np.stack((inside, crosses), 1)
    result: Points = both[kept]
    return result
