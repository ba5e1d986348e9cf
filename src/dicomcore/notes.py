"""What is found out about frames that the data set should have said, or said otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits

__all__ = ["Note", "refuse_if_strict"]


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was settled, completed or left out; becomes an Issue of the data set, and an error when strict."""

    code: str
    """The issue's code in lower case, with hyphens: "pixel-colour". docs/design/data-sets.md lists them."""
    message: str
    frame: int | None = None
    """Where it is one frame's, and says what is made up there."""


def refuse_if_strict(notes: Iterable[Note], limits: Limits, frame: int | None = None) -> None:
    """Raise PixelDecodeError for the first note, where the limits are strict."""
    if limits.strict:
        for note in notes:
            raise PixelDecodeError(note.message, frame=frame if note.frame is None else note.frame)
