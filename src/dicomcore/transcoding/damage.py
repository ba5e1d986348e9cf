"""Missing parts of a source's frames, which are refused, or reported and replaced in the new file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dicomcore.dataset import Dataset
from dicomcore.dataset.state import index_of
from dicomcore.errors import PixelDecodeError
from dicomcore.issues import Issue
from dicomcore.pixels.attributes import number_of_frames
from dicomcore.pixels.coding.decoding import DecodedFrame
from dicomcore.pixels.frames import Frames
from dicomcore.tags import ITEM, PIXEL_DATA

__all__ = ["CUT_SHORT", "Damage", "cut_elements", "issues_of", "made_up", "path_of", "refuse_made_up"]

BREAKS_OFF, NO_END = "pixel-incomplete", "pixel-end"
"""Codes of notes: on a codestream whose rest the decoder made up, and on a codestream without its end marker."""
CUT_SHORT = frozenset(("LENGTH_BEYOND_END", "MISSING_SEQUENCE_DELIMITER", "MISSING_ITEM_DELIMITER", "DEFLATE"))
"""Codes of issues of a source that is cut short."""
KEEPS = '; damaged="keep" writes what is there, and says so'


class Damage:
    """The gaps in the frames at `indices`; `texts` has a sentence for each gap.

    `all_frames`: every frame was asked for, so frames that Number of Frames counts and the file lacks are gaps too.
    """

    def __init__(self, data_set: Dataset, frames: Frames, indices: Sequence[int], *, all_frames: bool) -> None:
        self._frames, self._path = frames, path_of(data_set)
        self._found: dict[tuple[int | None, str], None] = {}  # the gaps, in the order in which they were found
        self.stated = max(number_of_frames(data_set), len(frames))
        """Number of Frames, or the number of frames in the file if that is greater."""
        if all_frames and len(frames) < self.stated:
            self._add(None, f"{len(frames)} of {self.stated} frames are there")
        last = len(frames) - 1  # data that is cut short lacks its end
        missing = frames.missing(last) if last in indices else 0
        if missing:
            self._add(last, f"the last {missing} bytes are missing")

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def texts(self) -> tuple[str, ...]:
        """A sentence for each gap, which begins with the frame."""
        return tuple(text if frame is None else f"frame {frame}: {text}" for frame, text in self._found)

    def _add(self, frame: int | None, text: str) -> None:
        self._found.setdefault((frame, text))

    def add_open_end(self, data_set: Dataset) -> None:
        """Count a missing sequence delimiter as a gap, if no decoder will tell whether the last frame is complete."""
        ends = [issue for issue in data_set.issues if issue.code == "MISSING_SEQUENCE_DELIMITER"]
        if any(issue.tag == PIXEL_DATA for issue in ends) and not self:
            self._add(None, "the pixel data lacks its sequence delimiter, so its last frame may be cut short")

    def add_decoded(self, indices: Iterable[int]) -> None:
        """Decode frames, and count the parts that decoders make up as gaps."""
        for index in indices:
            for text in made_up(self._frames.decoded(index)):
                self._add(index, text)

    def refuse(self) -> None:
        """Raise PixelDecodeError for the first gap, if there is one."""
        for frame, text in self._found:
            error = PixelDecodeError(text + KEEPS, frame=frame)
            error.path = self._path
            raise error


def path_of(data_set: Dataset) -> str | None:
    """The path of the file that a data set was read from; None for a data set in memory."""
    return None if data_set.filename is None else str(data_set.filename)


def made_up(decoded: DecodedFrame) -> list[str]:
    """Messages about parts of a frame that the decoder made up, or may have made up.

    A JPEG without its end marker is complete, as its minimum coded units were counted. In other formats a missing end
    marker may mean that more is missing.
    """
    counted = decoded.info is not None and decoded.info.format == "JPEG"
    codes = (BREAKS_OFF,) if counted else (BREAKS_OFF, NO_END)
    return [note.message for note in decoded.notes if note.code in codes]


def refuse_made_up(decoded: DecodedFrame) -> None:
    """Raise PixelDecodeError if part of a frame was made up."""
    for text in made_up(decoded):
        raise PixelDecodeError(text + KEEPS)


def cut_elements(issues: Iterable[Issue], *, but_pixels: bool = False) -> tuple[str, ...]:
    """Messages of issues about elements that are cut short; `but_pixels` leaves out pixel data and its items."""
    left_out = (PIXEL_DATA, ITEM) if but_pixels else ()
    return tuple(issue.message for issue in issues if issue.code in CUT_SHORT and issue.tag not in left_out)


def issues_of(data_set: Dataset, frames: Frames | None) -> tuple[Issue, ...]:
    """The issues of the data set and its frames, as far as they were read."""
    index, notes = index_of(data_set), frames is not None and frames.notes
    if index is not None and not notes and not any(index.deviations()):
        return ()  # a short cut, as `data_set.issues` takes longer
    own = data_set.issues
    return own + tuple(issue for issue in (frames.issues if frames is not None else ()) if issue not in own)
