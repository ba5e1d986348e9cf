"""Notes on frames: what decoding found that the data set does not state, or states wrongly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits

__all__ = ["Note", "refuse_if_strict"]


@dataclass(frozen=True, slots=True)
class Note:
    """A deviation that decoding corrected, completed or ignored: an Issue of the data set, or an error if strict."""

    code: str
    """The issue's code in lower case, with hyphens: "pixel-colour". docs/design/data-sets.md lists them."""
    message: str
    frame: int | None = None
    """The frame (from 0) that the note concerns; None for all the pixel data."""


def refuse_if_strict(notes: Iterable[Note], limits: Limits, frame: int | None = None) -> None:
    """Raise PixelDecodeError for the first note, if the limits are strict."""
    if limits.strict:
        for note in notes:
            raise PixelDecodeError(note.message, frame=frame if note.frame is None else note.frame)
