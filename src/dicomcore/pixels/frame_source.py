"""Sources of frames: native samples, codestreams in fragments, or one video stream (PS3.5 A.4, 8.1, 8.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from numpy.typing import NDArray

from dicomcore.errors import LimitError, PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.notes import Note
from dicomcore.pixels.attributes import extended_table, number_of_frames
from dicomcore.pixels.coding.builtin import NATIVE
from dicomcore.pixels.coding.decoding import DecodedFrame
from dicomcore.pixels.coding.registry import codec_for
from dicomcore.pixels.coding.video import VIDEO_SYNTAXES
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.encapsulated_frames import EncapsulatedFrames
from dicomcore.pixels.native_frames import NativeFrames, native_sizes
from dicomcore.pixels.value_field import ValueField
from dicomcore.pixels.video_frames import VideoFrames
from dicomcore.tags import ITEM_BYTES
from dicomcore.uids import UID

__all__ = ["FrameSource", "source_of"]


class FrameSource(Protocol):
    """The frames of one pixel data element, behind `Frames`; each form of pixel data has its own class.

    `Frames` checks every index, and the shape and dtype of every array that it passes. Any number of threads may call
    the methods at once. They raise PixelDecodeError, without the path of the file.
    """

    stated: FrameDescription
    """The data set's description, with the transfer syntax that the bytes really have."""
    description: FrameDescription
    """The description of decoded arrays: `stated`, corrected by the first frame's codestream."""
    is_encapsulated: bool
    """Whether the pixel data has fragments."""

    def __len__(self) -> int:
        """The number of frames."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes so far, each once; grows as frames are decoded."""

    def note(self, *notes: Note) -> None:
        """Add notes."""

    def encoded(self, index: int) -> memoryview:
        """The encoded bytes of a frame, fragments joined; of a video, the whole stream."""

    def missing(self, index: int) -> int:
        """Bytes of a frame (of a video: of its stream) that lie beyond the end of the source."""

    def decoded(self, index: int, out: NDArray[Any] | None = None) -> DecodedFrame:
        """Decode a frame to samples as coded, into `out` if given."""

    def decode(self, index: int, out: NDArray[Any] | None = None, *, raw: bool = False) -> NDArray[Any]:
        """Decode a frame to values, or with `raw` to samples as coded, into `out` if given."""

    def decode_many(
        self, indices: Sequence[int], target: NDArray[Any], *, raw: bool = False, workers: int | None = None
    ) -> None:
        """Decode frames into the rows of `target`; `workers` bounds the threads that decode codestreams."""


def source_of(
    element: Any, value: ValueField, header: Any, stated: FrameDescription, limits: Limits, *, is_from_file: bool
) -> FrameSource:
    """The frames of a pixel data element; raises LimitError or PixelDecodeError where their description can't be right.

    Parameters
    ----------
    element
        The pixel data element; only its length and VR are used, not its value.
    value
        The element's Value Field.
    header
        The data set up to its pixel data.
    stated
        The data set's description of its frames.
    limits
        How large a frame may be, how it is decoded, and whether deviations are errors.
    is_from_file
        Whether the data set is a whole file's, neither an item nor made in memory.
    """
    frames = number_of_frames(header)
    _check_limits(stated, frames, limits)
    if not element.is_undefined_length and not _looks_encapsulated(value, stated, frames):
        notes = _unencapsulated_notes(value, stated, frames, is_from_file)
        return NativeFrames(value, stated, frames, limits, in_words=element.VR == "OW", notes=notes)
    notes = ()
    if stated.transfer_syntax in VIDEO_SYNTAXES:
        video = VideoFrames(value, stated, frames, limits)
        syntax, notes = video.found_syntax()
        if syntax == stated.transfer_syntax:
            return video
        stated = replace(stated, transfer_syntax=syntax)
    return EncapsulatedFrames(value, stated, frames, limits, extended=extended_table(header), notes=notes)


def _check_limits(stated: FrameDescription, frames: int, limits: Limits) -> None:
    stated.dtype  # noqa: B018  raises for samples too wide for any word
    if frames > limits.frames:
        raise LimitError(f"{frames} frames cross the limit of {limits.frames}")
    if stated.rows * stated.columns > limits.frame_pixels:
        raise LimitError(f"frames of {stated.rows} × {stated.columns} pixels cross the limit")


def _looks_encapsulated(value: ValueField, stated: FrameDescription, frames: int) -> bool:
    """Whether pixel data of defined length has fragments: set in memory, or written against the standard."""
    if stated.transfer_syntax in NATIVE and value.size in native_sizes(stated, frames):
        return False  # even if the first samples look like an item
    return value.upto(0, 4) == ITEM_BYTES


def _unencapsulated_notes(
    value: ValueField, stated: FrameDescription, frames: int, is_from_file: bool
) -> tuple[Note, ...]:
    """Notes on pixel data without fragments in a transfer syntax that has them.

    Raises PixelDecodeError where its length isn't that of uncompressed frames either.
    """
    if stated.transfer_syntax in NATIVE or stated.floating:
        return ()
    name = UID(stated.transfer_syntax).name
    if value.size not in native_sizes(stated, frames):
        codec_for(stated.transfer_syntax)
        raise PixelDecodeError(
            f"transfer syntax {name} has fragments, and the pixel data has none; "
            f"its {value.size} bytes are not the size of {frames} uncompressed frames either"
        )
    if not is_from_file:  # pixel data of items may be native (PS3.5 A.4)
        return ()
    return (Note("pixel-transfer-syntax", f"transfer syntax is {name}, the pixel data is uncompressed"),)
