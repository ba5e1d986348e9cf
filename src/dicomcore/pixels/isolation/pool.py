"""The workers that wait for frames: as many as there are CPUs, started when first needed, and kept."""

from __future__ import annotations

import atexit
import functools
import os
import pickle
import threading
from typing import Any

from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.limits import Limits
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.isolation.process import Worker, WorkerGone
from dicomcore.pixels.registry import Codec
from dicomcore.threads import cpus

__all__ = ["decode_apart"]

ATTEMPTS = 3
"""Workers that may be found dead, and not by the frame's doing."""
FRAMES_HELD = 16
"""Address space that decoding may take besides `Limits.decode_bytes`, in frames: OpenJPEG's samples are 4 bytes wide."""


def decode_apart(
    codec: Codec, data: memoryview, desc: FrameDescription, out: NDArray[Any] | None, limits: Limits
) -> NDArray[Any]:
    """Let `codec` decode a frame in another process; as its decoder, but samples come in the description's container.

    Raises what the decoder raises, PixelDecodeError where it crashes, takes longer than ``limits.decode_seconds`` or
    more memory than ``limits.decode_bytes``, and UnsupportedTransferSyntaxError where it can't be sent there.
    """
    job = _pickled(codec, desc)
    space = limits.decode_bytes + FRAMES_HELD * desc.samples * desc.dtype.itemsize
    return _POOL.decode(job, data, desc, out, seconds=limits.decode_seconds, address_space=space)


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


class _Pool:
    def __init__(self) -> None:
        self._begin()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(max(cpus(), 2))
        self._idle: list[Worker] = []

    def decode(self, *job: Any, **options: Any) -> NDArray[Any]:
        room = self._room
        with room:
            for _ in range(ATTEMPTS):
                worker = self._take()
                try:
                    found: NDArray[Any] = worker.decode(*job, **options)
                    return found
                except WorkerGone:
                    continue
                finally:
                    self._give_back(worker)
        raise PixelDecodeError(f"{ATTEMPTS} processes ended before they began to decode it")

    def _take(self) -> Worker:
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                return Worker()
            if worker.alive:
                return worker
            worker.close()

    def _give_back(self, worker: Worker) -> None:
        if worker.usable:
            with self._lock:
                self._idle.append(worker)
        else:
            worker.close()

    def close(self) -> None:
        """End the workers that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()

    def _forget(self) -> None:
        """After a fork the workers are the parent's; those at work just now too."""
        idle = self._idle
        self._begin()
        for worker in idle:
            worker.forget()


_POOL = _Pool()
