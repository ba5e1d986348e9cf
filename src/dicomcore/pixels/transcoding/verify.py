"""What was written, read again and compared with what was to be written."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from dicomcore.errors import DicomError, EncodeError
from dicomcore.part10.reader import dcmread
from dicomcore.pixels.frames import Frames
from dicomcore.pixels.transcoding.job import Job, whole_jpeg
from dicomcore.pixels.transcoding.order import in_order
from dicomcore.pixels.transcoding.recompress import from_jpeg_xl
from dicomcore.pixels.transcoding.source import Prepared
from dicomcore.pixels.video import VIDEO_SYNTAXES
from dicomcore.threads import cpus

__all__ = ["verify_file"]


def verify_file(path: str, job: Job) -> None:
    """Raise EncodeError, which names the frame, unless the file at `path` holds what `job` had to write."""
    written: Frames = dcmread(path, limits=job.frames.limits).frames
    if len(written) != len(job.indices):
        raise EncodeError(f"verification failed: {len(written)} frames were written where {len(job.indices)} were due")
    compare = _comparison(written, job)
    threads = 1 if job.own in VIDEO_SYNTAXES else min(len(job.indices), job.wishes.workers or cpus())
    for place, same in enumerate(in_order(list(enumerate(job.indices)), compare, threads)):
        if not same:
            raise EncodeError(
                f"verification failed: frame {place} of what was written is not the source's; it was removed"
            )


def _comparison(written: Frames, job: Job) -> Any:
    """What says of a frame's place and index whether both are the same."""
    source = job.frames
    if job.stays or job.copies:
        return lambda place: (
            bytes(written.encoded(place[0])) == bytes(source.encoded(place[1]))
            or _same(written.decode(place[0], raw=True), source.decode(place[1], raw=True))
        )
    if job.recompresses:
        restore = partial(from_jpeg_xl, limits=source.limits)
        if job.own.endswith(".111"):
            return lambda place: restore(source.encoded(place[1])) == whole_jpeg(written.encoded(place[0]))
        return lambda place: restore(written.encoded(place[0])) == whole_jpeg(source.encoded(place[1]))
    assert job.prepared is not None
    prepared = job.prepared
    if not job.lossless:
        return lambda place: written.decode(place[0]).shape == prepared.description.shape
    again = Prepared(written._data_set, written, None, 0)

    def compare(place: tuple[int, int]) -> bool:
        try:
            return _same(again.samples(place[0], place[0]), prepared.samples(place[1], place[0]))
        except DicomError as error:
            raise EncodeError(f"verification failed: frame {place[0]} of what was written: {error.args[0]}") from error

    return compare


def _same(one: Any, other: Any) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and np.array_equal(one.view("u1"), other.view("u1"))
