"""Fuzz targets, and the options that they take from an input's bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

import dicomcore as dc

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent

LIMITS = dc.Limits(inflated_bytes=4 << 20, frame_pixels=1 << 22, frames=4096)
"""So low that an input of a few kilobytes can't make a run slow; a LimitError is no finding."""


class Target(NamedTuple):
    """A function of bytes. `run` raises for a finding; a DicomError is none."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    most: int = 8192
    """The largest number of bytes of an input."""

    def __call__(self, data: bytes) -> None:
        try:
            self.run(data)
        except dc.DicomError as error:
            check_error(error)


def check_error(error: dc.DicomError) -> None:
    """Check that an error has a message, and no negative offset."""
    assert str(error)
    offset = getattr(error, "offset", None)
    assert offset is None or offset >= 0, offset


def refused(work: Callable[[], object]) -> bool:
    """Whether dicomcore refuses to do this."""
    try:
        work()
    except dc.DicomError as error:
        check_error(error)
        return True
    return False


class FuzzInput:
    """Options from the first bytes of an input; `left` is the rest, its content. A missing byte is 0."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def byte(self) -> int:
        first, self.left = self.left[:1], self.left[1:]
        return first[0] if first else 0

    def word(self) -> int:
        return self.byte() | self.byte() << 8

    def one_of(self, choices: tuple[T, ...]) -> T:
        return choices[self.byte() % len(choices)]

    def part(self) -> bytes:
        """As many bytes as the next byte says."""
        count = self.byte()
        found, self.left = self.left[:count], self.left[count:]
        return found
