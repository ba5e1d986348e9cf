"""Rectangles of pixels, and what a list of them leaves of a picture."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Rectangle", "outside_of"]


class Rectangle(NamedTuple):
    """Columns from `x` and rows from `y` on, both from 0."""

    x: int
    y: int
    width: int
    height: int

    def within(self, rows: int, columns: int) -> Rectangle | None:
        """The part inside a picture; None where there is none."""
        left, top = max(self.x, 0), max(self.y, 0)
        right, bottom = min(self.x + self.width, columns), min(self.y + self.height, rows)
        return Rectangle(left, top, right - left, bottom - top) if right > left and bottom > top else None


def outside_of(kept: Iterable[Rectangle], rows: int, columns: int) -> list[Rectangle]:
    """Rectangles that cover each pixel outside of `kept` once, and no other."""
    inside = [part for each in kept if (part := each.within(rows, columns)) is not None]
    edges = sorted({0, rows, *(each.y for each in inside), *(each.y + each.height for each in inside)})
    made: list[Rectangle] = []
    for top, bottom in pairwise(edges):
        at = 0
        spans = sorted((each.x, each.x + each.width) for each in inside if each.y <= top < each.y + each.height)
        for left, right in [*spans, (columns, columns)]:
            if left > at:
                made.append(Rectangle(at, top, left - at, bottom - top))
            at = max(at, right)
    return made
