"""Places: where the frames of an instance lie in its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dicomcore.dataset.state import file_index
from dicomcore.errors import DicomError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.pixels.encapsulated_frames import EncapsulatedFrames
from dicomcore.pixels.frames import Frames
from dicomcore.pixels.native_frames import NativeFrames
from dicomcore.pixels.video_frames import VideoFrames

__all__ = ["FramePlaces", "find_frames", "packed", "unpacked"]


@dataclass(frozen=True, slots=True)
class FramePlaces:
    """Where frames lie: `spans` of each frame, (offset, length) in the file.

    Frames of native pixel data are `size` bytes each, from `start` on, and have no entries in `fragments`.
    """

    is_encapsulated: bool
    transfer_syntax: str
    start: int
    size: int
    count: int
    fragments: tuple[tuple[tuple[int, int], ...], ...] = ()

    def __len__(self) -> int:
        return self.count

    def spans(self, index: int) -> tuple[tuple[int, int], ...]:
        """The parts of frame `index`, counted from 0: offset and length in the file. IndexError past the last one."""
        if not 0 <= index < self.count:
            raise IndexError(f"frame {index} of {self.count}")
        return self.fragments[index] if self.is_encapsulated else ((self.start + index * self.size, self.size),)


def find_frames(source: Any, limits: Limits | None = None) -> FramePlaces:
    """The places of the frames of a file, or of an object with `size` and `read_at`.

    Of a video, its one stream. Raises DicomError if there is no pixel data, if it is deflated, if frames begin inside
    bytes, or if the last one is not there as a whole.
    """
    ds = dcmread(source, limits=limits)
    index = file_index(ds)
    if index is None or index.inflated:
        raise DicomError("the frames of a deflated data set have no places in its file")
    frames = Frames(ds)
    found = frames.source
    syntax = found.stated.transfer_syntax
    if isinstance(found, NativeFrames):
        first, stop, _ = found.span(0)
        if any(found.span(number)[2] for number in range(min(len(found), 8))):
            raise DicomError("frames of single bits begin inside bytes")
        lacking = found.missing(len(found) - 1)
        if lacking:
            raise DicomError(f"the pixel data ends {lacking} bytes before its last frame does")
        return FramePlaces(False, syntax, found.value.source[1] + first, stop - first, len(found))
    assert isinstance(found, EncapsulatedFrames | VideoFrames)
    begin = found.value.source[1]
    count = 1 if isinstance(found, VideoFrames) else len(found)
    fragments = tuple(
        tuple((begin + offset, length) for offset, length in found.fragments(number)) for number in range(count)
    )
    return FramePlaces(True, syntax, 0, 0, count, fragments)


def packed(places: FramePlaces) -> bytes:
    """Places as bytes, for a table."""
    numbers = [int(places.is_encapsulated), places.start, places.size, places.count]
    for fragments in places.fragments:
        numbers.append(len(fragments))
        numbers += [number for fragment in fragments for number in fragment]
    return places.transfer_syntax.encode() + b"\0" + np.array(numbers, "<u8").tobytes()


def unpacked(data: bytes) -> FramePlaces:
    """Places from `packed` bytes."""
    syntax, _, rest = data.partition(b"\0")
    numbers = iter(np.frombuffer(rest, "<u8").tolist())
    is_encapsulated, start, size, count = (next(numbers) for _ in range(4))
    fragments = tuple(
        tuple((next(numbers), next(numbers)) for _ in range(next(numbers))) for _ in range(count * is_encapsulated)
    )
    return FramePlaces(bool(is_encapsulated), syntax.decode(), start, size, count, fragments)
