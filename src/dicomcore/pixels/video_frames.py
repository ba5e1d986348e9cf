"""The frames of a video, one stream in fragments that is decoded in order (PS3.5 8.2.5 to 8.2.8)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.notes import Note, refuse_if_strict
from dicomcore.pixels.coding.decoding import DecodedFrame
from dicomcore.pixels.coding.headers import SIGNATURE_BYTES
from dicomcore.pixels.coding.mislabelled import syntax_of_frame
from dicomcore.pixels.coding.video import VideoStream
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.fragments import Fragment, Fragments
from dicomcore.pixels.value_field import ValueField

if TYPE_CHECKING:
    from dicomcore.pixels.isolation import VideoApart

__all__ = ["VideoFrames"]


class VideoFrames:
    """A `FrameSource` of one video stream, whose frames are 8-bit RGB."""

    is_encapsulated = True

    def __init__(self, value: ValueField, stated: FrameDescription, frames: int, limits: Limits) -> None:
        """`frames` is Number of Frames, which is trusted: only decoding the whole stream would tell the real number."""
        self.stated = stated
        self.description = replace(stated, bits_allocated=8, samples_per_pixel=3)
        self._limits = limits
        self._count = frames
        self._fragments = Fragments(value, frames, limits, whole=True)
        self._noted: dict[Note, None] = {}
        self._stream: VideoStream | VideoApart | None = None
        self._lock = threading.Lock()
        """Guards `_fragments` and `_stream`: one thread at a time looks up fragments or decodes."""

    def __len__(self) -> int:
        return self._count

    @property
    def notes(self) -> tuple[Note, ...]:
        """See `FrameSource.notes`."""
        return tuple(dict.fromkeys((*self._noted, *self._fragments.notes)))

    def note(self, *notes: Note) -> None:
        """See `FrameSource.note`."""
        self._noted.update(dict.fromkeys(notes))

    def found_syntax(self) -> tuple[str, tuple[Note, ...]]:
        """The transfer syntax by the first bytes, with notes: not the stated one where fragments are still pictures."""
        return syntax_of_frame(self.stated, self._fragments.head(0, SIGNATURE_BYTES))

    @property
    def value(self) -> ValueField:
        """The Value Field that has the stream."""
        return self._fragments.value

    def fragments(self, index: int) -> tuple[Fragment, ...]:
        """Where the parts of the whole stream are in the Value Field, for any frame."""
        with self._lock:
            return self._fragments.fragments(0)

    def encoded(self, index: int) -> memoryview:
        """The whole stream, for any frame."""
        fragments = self.fragments(index)
        refuse_if_strict(self._fragments.notes, self._limits)
        return self._fragments.joined(fragments)

    def missing(self, index: int) -> int:
        """Bytes that the stream's last fragment claims beyond the end of the source."""
        with self._lock:
            return self._fragments.missing(0)

    def decoded(self, index: int, out: NDArray[Any] | None = None) -> DecodedFrame:
        """See `FrameSource.decoded`."""
        return DecodedFrame(self.decode(index, out), self.description, None, ())

    def decode(self, index: int, out: NDArray[Any] | None = None, *, raw: bool = False) -> NDArray[Any]:
        """Decode a frame to RGB; `raw` changes nothing, as libav decodes to values."""
        joined = self.encoded(index) if self._stream is None else memoryview(b"")
        with self._lock:
            if self._stream is None:
                self._stream = self._opened(joined)
            try:
                samples: NDArray[Any] = self._stream.frame(index)
            except PixelDecodeError as error:
                error.frame = index
                raise
            except IndexError as error:
                raise PixelDecodeError(f"the video ends before its stated length: {error}", frame=index) from None
        if samples.shape != self.description.shape:
            raise PixelDecodeError(
                f"the video's frames are {samples.shape}, where the data set states {self.description.shape}",
                frame=index,
            )
        if out is None:
            return samples
        np.copyto(out, samples)
        return out

    def decode_many(
        self, indices: Sequence[int], target: NDArray[Any], *, raw: bool = False, workers: int | None = None
    ) -> None:
        """See `FrameSource.decode_many`; runs on one thread, as a frame depends on those before it."""
        for place, index in enumerate(indices):
            self.decode(index, target[place])

    def _opened(self, stream: memoryview) -> VideoStream | VideoApart:
        if self._limits.isolate:
            from dicomcore.pixels.isolation import VideoApart  # imports sockets and processes, which few callers need

            return VideoApart(stream, self.description, limits=self._limits)
        return VideoStream(stream, self.stated.transfer_syntax, limits=self._limits)
