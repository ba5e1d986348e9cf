"""Verification: the new file is read again and compared with the frames that it should have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dicomcore.errors import DicomError, EncodeError
from dicomcore.part10.reader import dcmread
from dicomcore.pixels.coding.quality import ErrorLimit
from dicomcore.pixels.coding.video import VIDEO_SYNTAXES
from dicomcore.pixels.frames import Frames
from dicomcore.threads import cpus, in_order
from dicomcore.transcoding.job import Job, whole_jpeg
from dicomcore.transcoding.loss import Loss, coded_error, mean_error, sample_error
from dicomcore.transcoding.recompress import from_jpeg_xl
from dicomcore.transcoding.source import Prepared

__all__ = ["Verified", "verify_file"]

Compare = Callable[[tuple[int, int]], Loss | None]
"""Takes a frame's number in the new file and in the source; gives its loss, None if the frames are not the same."""

NOTHING = ErrorLimit(largest=0)


class Verified(NamedTuple):
    """The loss of the worst frame, and the limit for it."""

    loss: Loss
    limit: ErrorLimit


def verify_file(path: str, job: Job) -> Verified:
    """Compare the file at `path` with the frames that `job` had to write.

    Raises EncodeError, which names the frame, if a frame is not that of the source, or differs from it by more than the
    limit of the encoder.
    """
    written: Frames = dcmread(path, limits=job.frames.limits).frames
    if len(written) != len(job.indices):
        raise EncodeError(f"verification failed: {len(written)} frames were written instead of {len(job.indices)}")
    limit = NOTHING
    if job.encoder is not None and job.prepared is not None:
        limit = job.encoder.error_limit(job.prepared.description, job.options.quality)
    compare = _comparison(written, job, limit)
    threads = 1 if job.own in VIDEO_SYNTAXES else min(len(job.indices), job.options.workers or cpus())
    worst = Loss()
    for place, loss in enumerate(in_order(list(enumerate(job.indices)), compare, threads)):
        if loss is None:
            raise EncodeError(
                f"verification failed: frame {place} of what was written is not the source's; it was removed"
            )
        if beyond := loss.beyond(limit):
            raise EncodeError(f"verification failed: frame {place} of what was written is {beyond}; it was removed")
        worst |= loss
    return Verified(worst, limit)


def _comparison(written: Frames, job: Job, limit: ErrorLimit) -> Compare:
    """The function that compares one frame, by the way in which it was written."""
    source = job.frames
    if job.stays or job.copies:
        return lambda place: _alike(
            bytes(written.encoded(place[0])) == bytes(source.encoded(place[1]))
            or _same(written.decode(place[0], raw=True), source.decode(place[1], raw=True))
        )
    if job.recompresses:
        restore = partial(from_jpeg_xl, limits=source.limits)
        if job.own.endswith(".111"):
            return lambda place: _alike(restore(source.encoded(place[1])) == whole_jpeg(written.encoded(place[0])))
        return lambda place: _alike(restore(written.encoded(place[0])) == whole_jpeg(source.encoded(place[1])))
    assert job.prepared is not None
    prepared, again = job.prepared, Prepared(written._data_set, written, None, 0)

    def measure(place: tuple[int, int]) -> Loss | None:
        wanted = prepared.samples(place[1], place[0])
        if limit.space == "coded":
            return coded_error(written.decode(place[0], raw=True), wanted, prepared.description)
        found = again.samples(place[0], place[0])
        if job.lossless:
            return _alike(_same(found, wanted))
        if found.shape != wanted.shape or found.dtype != wanted.dtype:
            return None
        return mean_error(found, wanted) if limit.space == "means" else sample_error(found, wanted)

    def compare(place: tuple[int, int]) -> Loss | None:
        try:
            return measure(place)
        except DicomError as error:
            raise EncodeError(f"verification failed: frame {place[0]} of what was written: {error.args[0]}") from error

    return compare


def _alike(same: bool) -> Loss | None:
    return Loss() if same else None


def _same(one: Any, other: Any) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and np.array_equal(one.view("u1"), other.view("u1"))
