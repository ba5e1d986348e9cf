"""The pool of worker processes: about one for each CPU, started when first needed, and reused."""

from __future__ import annotations

import atexit
import functools
import os
import pickle
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.limits import Limits
from dicomcore.pixels.coding.registry import Codec
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.isolation.process import KNOWN, Worker, WorkerGone
from dicomcore.threads import FairSemaphore, cpus

__all__ = ["POOL", "decode_apart", "workers"]

Decoded = TypeVar("Decoded")

ATTEMPTS = 3
"""Workers to try, an idle one and then new ones: a worker may have been ended for reasons other than the frame."""
FRAMES_HELD = 16
"""Frames whose bytes are allowed besides `Limits.decode_bytes`: OpenJPEG's samples are 4 bytes wide."""


def decode_apart(
    codec: Codec,
    codestreams: Sequence[memoryview],
    desc: FrameDescription,
    outs: Sequence[NDArray[Any] | None],
    limits: Limits,
) -> tuple[list[NDArray[Any]], Exception | None]:
    """Decode frames of one kind by `codec` in a worker process, to samples in the container of `desc`.

    Returns the frames up to the first that fails, and its error or None: the decoder's error, or a PixelDecodeError
    where the decoder crashes, takes longer than ``limits.decode_seconds`` or more memory than ``limits.decode_bytes``.
    Raises UnsupportedTransferSyntaxError where another process can't import the decoder.
    """
    job = _pickled(codec, desc)
    space = limits.decode_bytes + FRAMES_HELD * desc.samples * desc.dtype.itemsize
    return POOL.decode(job, codestreams, desc, outs, seconds=limits.decode_seconds, address_space=space)


def workers() -> int:
    """The most processes: one more than CPUs, so that none idles while results are copied from a worker."""
    return cpus() + 1


@functools.lru_cache(maxsize=256)
def _pickled(codec: Codec, desc: FrameDescription) -> bytes:
    try:
        if getattr(codec.decoder, "__module__", None) == "__main__":
            raise pickle.PicklingError("it is defined in __main__")
        return pickle.dumps((codec.decoder, desc), pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UnsupportedTransferSyntaxError(
            f"{codec.name} can't be isolated: another process has to find its decoder by module and name ({error}); "
            "register(…, trusted=True) lets it run in this one"
        ) from error


class Pool:
    """A pool of workers, and a semaphore that bounds how many decode at once."""

    def __init__(self) -> None:
        self._begin()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _begin(self) -> None:
        self._most = workers()
        self._idle: deque[Worker] = deque()
        self._slots = FairSemaphore(self._most)

    def decode(self, *job: Any, **options: Any) -> tuple[list[NDArray[Any]], Exception | None]:
        """See `Worker.decode`; any worker may run the job."""
        with self._slots:
            return self.attempt(lambda worker: worker.decode(*job, **options))

    def attempt(self, decode: Callable[[Worker], Decoded], wanted: Worker | None = None) -> Decoded:
        """Decode by a worker, and retry with a new one where its process had ended before."""
        for turn in range(ATTEMPTS):
            worker = Worker() if turn else self.take(wanted)  # if one idle worker was killed, all may have been
            try:
                return decode(worker)
            except WorkerGone:
                continue
            finally:
                self.give_back(worker)
        raise PixelDecodeError(f"{ATTEMPTS} processes ended before they began to decode it")

    def take(self, wanted: Worker | None = None) -> Worker:
        """Take an idle worker, `wanted` if that is idle, or start a new one."""
        if wanted is not None:
            with suppress(ValueError):
                self._idle.remove(wanted)
                if wanted.alive:
                    return wanted
                wanted.close()
        try:
            return self._idle.pop()  # if its process has ended, the request will fail
        except IndexError:
            return Worker()

    def give_back(self, worker: Worker) -> None:
        """Make a worker idle again, or close it where it is unusable or not needed."""
        if worker.usable and len(self._idle) < self._most:
            self._idle.append(worker)
        else:
            worker.close()

    def close(self) -> None:
        """End the idle workers."""
        while self._idle:
            self._idle.pop().close()

    def _forget(self) -> None:
        """Start afresh after a fork: threads that were not copied may hold locks, and the workers are the parent's.

        Busy workers are let go of too: while this process held their sockets, they would not notice the parent's end.
        """
        self._begin()
        for worker in list(KNOWN):
            worker.close()


POOL = Pool()
"""The pool of this process."""
