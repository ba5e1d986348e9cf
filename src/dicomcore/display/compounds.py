"""Compound graphics: arrows, rulers, axes, cross hairs and the like as lines, areas and labels (PS3.3 C.10.5.1.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from dicomcore.display.curves import ellipse
from dicomcore.display.graphics import Compound, Tick

__all__ = ["POINTS", "Parts", "parts_of"]

Points = NDArray[np.float64]
Box = tuple[float, float, float, float]


@dataclass(slots=True, eq=False)
class Parts:
    """What a compound graphic is drawn as."""

    lines: list[Points] = field(default_factory=list)
    areas: list[Points] = field(default_factory=list)
    """Filled if the graphic is."""
    heads: list[Points] = field(default_factory=list)
    """Arrow heads: always filled."""
    labels: list[tuple[str, tuple[float, float], tuple[float, float]]] = field(default_factory=list)
    """A text, its point, and where the point is in the text."""

    def turn(self, centre: Points, degrees: float) -> None:
        """Rotate everything counterclockwise about a point."""
        for group in (self.lines, self.areas, self.heads):
            group[:] = [_rotated(points, centre, degrees) for points in group]
        turned = []
        for text, point, align in self.labels:
            x, y = _rotated(np.array([point]), centre, degrees)[0]
            turned.append((text, (float(x), float(y)), align))
        self.labels[:] = turned


def parts_of(compound: Compound, points: Points, centre: Points | None, box: Box, thickness: float) -> Parts | None:
    """Return what a compound graphic consists of.

    Parameters
    ----------
    compound : Compound
        The graphic.
    points, centre : array
        Its points and its rotation point in the picture.
    box : tuple of float
        Left, top, right, bottom of the displayed area in the picture.
    thickness : float
        Of its lines, in pixels.

    Returns
    -------
    Parts or None
        None for a type that is not known, and for a wrong number of points.
    """
    wanted = POINTS.get(compound.graphic_type)
    known = len(points) == wanted or (wanted == 0 and len(points) % 2 == 0 and len(points))
    if wanted is None or not known or not np.isfinite(points).all():
        return None
    parts = MAKERS[compound.graphic_type](compound, points, centre, box, thickness)
    if compound.rotation:
        parts.turn(points.mean(0) if centre is None else centre, compound.rotation)
    return parts


def _rotated(points: Points, centre: Points, degrees: float) -> Points:
    across, down = (points - centre).T
    turn = radians(degrees % 360)
    return centre + np.stack((across * cos(turn) + down * sin(turn), down * cos(turn) - across * sin(turn)), -1)


def _multiline(_: Compound, points: Points, *__: object) -> Parts:
    return Parts([points[place : place + 2] for place in range(0, len(points), 2)])


def _rectangle(_: Compound, points: Points, *__: object) -> Parts:
    (left, top), (right, bottom) = points
    outline = np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])
    return Parts([outline], [outline[:-1]])


def _ellipse(_: Compound, points: Points, *__: object) -> Parts:
    (left, top), (right, bottom) = points
    x, y = (left + right) / 2, (top + bottom) / 2
    outline = ellipse(np.array([(left, y), (right, y), (x, top), (x, bottom)]))
    return Parts([outline], [outline[:-1]])


def _arrow(_: Compound, points: Points, __: object, box: Box, thickness: float) -> Parts:
    anchor, foot = points
    head = _head(anchor, foot, box, thickness)
    return Parts([np.stack((foot, head[1:].mean(0)))], [], [head])


def _head(tip: Points, foot: Points, box: Box, thickness: float) -> Points:
    """The triangle of an arrow's head: its tip, and its two other corners."""
    along, length = _direction(foot, tip)
    size = min(max(6 * thickness, 0.02 * min(box[2] - box[0], box[3] - box[1])), max(length, 1e-3))
    base, side = tip - size * along, 0.4 * size * np.array((-along[1], along[0]))
    return np.stack((tip, base + side, base - side))


def _direction(start: Points, stop: Points) -> tuple[Points, float]:
    way = stop - start
    length = float(np.hypot(*way))
    return (way / length if length else np.array((1.0, 0.0))), length


def _infinite(compound: Compound, points: Points, centre: Points | None, box: Box, thickness: float) -> Parts:
    along, _ = _direction(*points)
    middle = points.mean(0) if centre is None else centre
    # A line through the points reaches the borders of the picture from wherever it starts.
    reach = 2 * (box[2] - box[0] + box[3] - box[1]) + float(np.abs(middle).max()) + float(np.abs(points).max())
    on_line = points[0] + float((middle - points[0]) @ along) * along
    gap = compound.gap * min(box[2] - box[0], box[3] - box[1]) / 2
    if not gap:
        return Parts([np.stack((on_line - reach * along, on_line + reach * along))])
    return Parts(
        [
            np.stack((on_line - reach * along, on_line - gap * along)),
            np.stack((on_line + gap * along, on_line + reach * along)),
        ]
    )


def _cut(compound: Compound, points: Points, centre: Points | None, box: Box, thickness: float) -> Parts:
    parts = _infinite(compound, points, centre, box, thickness)
    along, length = _direction(*points)
    right = np.array((-along[1], along[0]))
    size = 0.08 * min(box[2] - box[0], box[3] - box[1])
    for share in (0.25, 0.75):  # the middle of each half
        tip = points[0] + share * length * along
        foot = tip + size * right
        head = _head(tip, foot, box, thickness)
        parts.lines.append(np.stack((foot, head[1:].mean(0))))
        parts.heads.append(head)
    return parts


def _range(_: Compound, points: Points, __: object, box: Box, thickness: float) -> Parts:
    along, _length = _direction(*points)
    side = max(4 * thickness, 0.01 * min(box[2] - box[0], box[3] - box[1])) * np.array((-along[1], along[0]))
    return Parts([points, *(np.stack((end - side, end + side)) for end in points)])


def _scale(compound: Compound, points: Points, _: object, box: Box, thickness: float) -> Parts:
    parts = Parts([points])
    major = max(6 * thickness, 0.02 * min(box[2] - box[0], box[3] - box[1]))
    _tick(parts, compound, points[0], points[1], compound.ticks, major)
    shares = sorted({tick.position for tick in compound.ticks})
    if compound.graphic_type == "RULER" and 2 <= len(shares) <= 256:
        # Nine minor ticks between neighbouring major ones, if they can be told apart.
        _, length = _direction(*points)
        for low, high in pairwise(shares):
            if (high - low) * length / 10 >= 2 * thickness:
                minor = tuple(Tick(low + (high - low) * number / 10) for number in range(1, 10))
                _tick(parts, compound, points[0], points[1], minor, major / 2)
    return parts


def _tick(parts: Parts, compound: Compound, start: Points, stop: Points, ticks: tuple[Tick, ...], size: float) -> None:
    """Add ticks, and their labels, to a line."""
    along, _ = _direction(start, stop)
    below = np.array((-along[1], along[0]))  # to the right of the way from the first point to the second
    if below[1] < 0 or (below[1] == 0 and below[0] < 0):
        below = -below
    up, down = {"BOTTOM": (0.0, 1.0), "TOP": (1.0, 0.0)}.get(compound.tick_alignment, (0.5, 0.5))
    for tick in ticks[:1024]:
        place = start + tick.position * (stop - start)
        parts.lines.append(np.stack((place - up * size * below, place + down * size * below)))
        if compound.labelled and tick.label:
            sign = -1.0 if compound.label_alignment == "TOP" else 1.0
            x, y = place + sign * 1.3 * size * below
            align = (0.5 - 0.5 * sign * float(below[0]), 0.5 - 0.5 * sign * float(below[1]))
            parts.labels.append((tick.label, (float(x), float(y)), align))


def _crosshair(compound: Compound, points: Points, _: object, box: Box, thickness: float) -> Parts:
    side = min(box[2] - box[0], box[3] - box[1])
    radius = side / 2 if compound.visibility is None else compound.visibility * side / 2
    gap = min(compound.gap * side / 2, radius)
    parts = Parts()
    major = max(6 * thickness, 0.02 * side)
    for way in np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)]):
        start, stop = points[0] + gap * way, points[0] + radius * way
        parts.lines.append(np.stack((start, stop)))
        _tick(parts, compound, points[0], stop, compound.ticks, major)
    return parts


Maker = Callable[[Compound, Points, Points | None, Box, float], Parts]
MAKERS: dict[str, Maker] = {
    "MULTILINE": _multiline,
    "INFINITELINE": _infinite,
    "CUTLINE": _cut,
    "RANGELINE": _range,
    "RULER": _scale,
    "AXIS": _scale,
    "CROSSHAIR": _crosshair,
    "ARROW": _arrow,
    "RECTANGLE": _rectangle,
    "ELLIPSE": _ellipse,
}
POINTS = dict.fromkeys(MAKERS, 2) | {"MULTILINE": 0, "CROSSHAIR": 1}
"""Points of each type; 0 stands for any even number."""
