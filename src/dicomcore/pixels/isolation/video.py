"""Decode a video's frames in a worker process that keeps the stream between frames."""

from __future__ import annotations

import functools
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.pixels.coding.video import VideoStream
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.isolation.pool import POOL
from dicomcore.pixels.isolation.process import CodecFailed, Worker

__all__ = ["VideoApart"]

STREAMS = 16
"""Copies of the stream that memory is allowed for, besides `Limits.decode_bytes`: libav's packets, and frames ahead."""


class VideoApart:
    """A `VideoStream` decoded in worker processes; not thread-safe.

    The stream is sent to the worker that decodes the first frame, and sent again only where that worker is busy with
    other work or has ended.
    """

    def __init__(self, stream: Any, description: FrameDescription, *, limits: Limits) -> None:
        self._data = bytes(stream)
        self._description = description
        self._limits = limits
        self._token = object()
        self._worker: Worker | None = None
        self._next = 0

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Decode frame `index` to RGB, (rows, columns, 3); raises PixelDecodeError."""
        try:
            return POOL.attempt(lambda worker: self._decoded(worker, index), self._worker)
        except CodecFailed as error:
            raise PixelDecodeError(str(error)) from None

    def _decoded(self, worker: Worker, index: int) -> NDArray[np.uint8]:
        stream = b""
        if worker.keeps is not self._token:
            stream, self._next = self._data, 0
        passed = index - self._next if index >= self._next else index
        job = functools.partial(
            decode_video, index=index, transfer_syntax=self._description.transfer_syntax, limits=self._limits
        )
        self._worker, worker.keeps = None, None
        frames, failure = worker.decode(
            pickle.dumps((job, self._description), pickle.HIGHEST_PROTOCOL),
            [memoryview(stream)],
            self._description,
            [None],
            seconds=self._limits.decode_seconds * (passed + 1),
            address_space=self._limits.decode_bytes + STREAMS * len(self._data),
        )
        if failure is not None:
            raise failure
        self._worker, worker.keeps, self._next = worker, self._token, index + 1
        return frames[0]


# The open stream of the worker process, which has one thread and one stream.
_STREAMS: list[VideoStream] = []


def decode_video(
    data: memoryview,
    _description: FrameDescription,
    _out: NDArray[Any] | None,
    *,
    index: int,
    transfer_syntax: str,
    limits: Limits,
) -> NDArray[np.uint8]:
    """Decode one frame of the stream, which the first request brings; runs in the worker."""
    if data.nbytes:
        _STREAMS[:] = [VideoStream(data, transfer_syntax, limits=limits)]
    if not _STREAMS:
        raise PixelDecodeError("the stream could not be opened")
    return _STREAMS[0].frame(index)
