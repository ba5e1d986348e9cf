"""Decode MPEG-2, H.264 and HEVC streams to frames by index, through PyAV (the `video` extra; PS3.5 8.2.5 to 8.2.8)."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.syntaxes import SYNTAXES

__all__ = ["VIDEO_SYNTAXES", "VideoStream"]

VIDEO_SYNTAXES = {syntax.uid: syntax.video for syntax in SYNTAXES if syntax.video}
"""The video codec of each transfer syntax."""

STREAMS = frozenset(("mpeg1video", *VIDEO_SYNTAXES.values()))
"""The codecs that are decoded in any of these transfer syntaxes; libav would also decode pictures, text and more."""


class VideoStream:
    """A video stream whose frames are decoded by index; not thread-safe.

    A frame depends on those before it: the next frame costs one frame, an earlier one starts over.
    """

    def __init__(self, stream: Any, transfer_syntax: str, *, limits: Limits = DEFAULT_LIMITS) -> None:
        """`stream` is the joined fragments. Raises UnsupportedTransferSyntaxError where PyAV isn't installed."""
        if transfer_syntax not in VIDEO_SYNTAXES:
            raise UnsupportedTransferSyntaxError(f"transfer syntax {transfer_syntax} is not a video")
        try:
            self._av = import_module("av")
        except ImportError:
            raise UnsupportedTransferSyntaxError(
                f"video frames of transfer syntax {transfer_syntax} need PyAV: pip install 'dicomcore[video]'"
            ) from None
        self._data = bytes(stream)
        self._codec = VIDEO_SYNTAXES[transfer_syntax]
        self._limits = limits
        self._frames: Any = iter(())
        self._next = 0
        self._rewind()

    def _rewind(self) -> None:
        self._frames = self._decode()
        self._next = 0

    def _decode(self) -> Any:
        """Decode frames in order of presentation, from a container or an elementary stream."""
        av = self._av
        try:
            with av.open(io.BytesIO(self._data)) as container:
                video = container.streams.video[0]
                if video.codec_context.name not in STREAMS:
                    name = video.codec_context.name
                    raise PixelDecodeError(f"the fragments hold {name}, not {self._codec} as the transfer syntax says")
                video.thread_type = "AUTO"
                yield from container.decode(video)
        except (av.error.FFmpegError, IndexError) as error:
            raise PixelDecodeError(f"{self._codec} stream can't be decoded: {error}") from error

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Decode frame `index` to RGB, (rows, columns, 3); raises IndexError past the last frame."""
        if index < 0:
            raise IndexError(f"frame {index}")
        if index < self._next:
            self._rewind()
        for decoded in self._frames:
            self._next += 1
            if decoded.width * decoded.height > self._limits.frame_pixels or self._next > self._limits.frames:
                raise PixelDecodeError(f"video of {decoded.width} × {decoded.height} pixels", frame=self._next - 1)
            if self._next - 1 == index:
                return decoded.to_ndarray(format="rgb24")
        raise IndexError(f"frame {index} of {self._next}")
