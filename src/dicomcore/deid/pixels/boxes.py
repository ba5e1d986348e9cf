"""Boxes to blank: rectangles of one frame or of all, each with its reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from dicomcore.deid.pixels.rectangles import Rectangle

__all__ = ["Box", "Boxes"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle that was blanked."""

    frame: int | None
    """The frame, from 0; None for every frame."""
    x: int
    y: int
    width: int
    height: int
    why: str
    """One of "regions", "mask: …" with the device's label, and "text"; never what stood there."""

    @property
    def rectangle(self) -> Rectangle:
        """The box without its frame and reason."""
        return Rectangle(self.x, self.y, self.width, self.height)


class Boxes:
    """The boxes found so far, each once, cut to the frame's size."""

    def __init__(self, rows: int, columns: int, frames: int) -> None:
        self.rows, self.columns, self.frames = rows, columns, frames
        self._every: list[Rectangle] = []
        self._own: dict[int, list[Rectangle]] = defaultdict(list)
        self._all: dict[Box, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, frame: int | None, rectangles: Iterable[Rectangle], why: str) -> bool:
        """Add rectangles of a frame, or of all; returns whether any was new."""
        before = len(self._all)
        for rectangle in rectangles:
            part = rectangle.within(self.rows, self.columns)
            if part is None:
                continue
            box = Box(frame, *part, why)
            if box not in self._all:
                self._all[box] = None
                (self._every if frame is None else self._own[frame]).append(part)
        return len(self._all) > before

    def of(self, frame: int) -> list[Rectangle]:
        """The rectangles to blank in a frame."""
        return self._every + self._own.get(frame, [])

    @property
    def touched(self) -> list[int]:
        """The frames that have any, in order."""
        return list(range(self.frames)) if self._every else sorted(frame for frame, own in self._own.items() if own)

    def all(self) -> tuple[Box, ...]:
        """The boxes, in the order in which they were found."""
        return tuple(self._all)
