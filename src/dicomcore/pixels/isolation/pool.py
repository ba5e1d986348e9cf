"""The workers that wait for frames: about as many as there are CPUs, started when first needed, and kept."""

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

Found = TypeVar("Found")

ATTEMPTS = 3
"""Workers that are tried: one that waits and new ones, which may have been ended, and not by the frame's doing."""
FRAMES_HELD = 16
"""Frames' worth of address space granted besides `Limits.decode_bytes`: OpenJPEG's samples are 4 bytes wide."""


def decode_apart(
    codec: Codec,
    codestreams: Sequence[memoryview],
    desc: FrameDescription,
    outs: Sequence[NDArray[Any] | None],
    limits: Limits,
) -> tuple[list[NDArray[Any]], Exception | None]:
    """Let `codec` decode frames of one kind in another process; as its decoder, but samples come in `desc`'s container.

    Gives the frames up to the first that fails, and how it does: with what the decoder raises, or a PixelDecodeError
    where it crashes, takes longer than ``limits.decode_seconds`` or more memory than ``limits.decode_bytes``. Raises
    UnsupportedTransferSyntaxError where the decoder can't be sent there.
    """
    job = _pickled(codec, desc)
    space = limits.decode_bytes + FRAMES_HELD * desc.samples * desc.dtype.itemsize
    return POOL.decode(job, codestreams, desc, outs, seconds=limits.decode_seconds, address_space=space)


def workers() -> int:
    """Processes at most: while one is waited for or copied from, another one has its CPU."""
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
    """Workers, and room for so many frames at once."""

    def __init__(self) -> None:
        self._begin()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _begin(self) -> None:
        self._most = workers()
        self._idle: deque[Worker] = deque()
        self._room = FairSemaphore(self._most)

    def decode(self, *job: Any, **options: Any) -> tuple[list[NDArray[Any]], Exception | None]:
        """As `Worker.decode`, by any of them."""
        with self._room:
            return self.attempt(lambda worker: worker.decode(*job, **options))

    def attempt(self, decode: Callable[[Worker], Found], wanted: Worker | None = None) -> Found:
        """Let a worker decode, and another one where it turns out to have ended before."""
        for turn in range(ATTEMPTS):
            worker = Worker() if turn else self.take(wanted)  # who killed one that waited may have killed all
            try:
                return decode(worker)
            except WorkerGone:
                continue
            finally:
                self.give_back(worker)
        raise PixelDecodeError(f"{ATTEMPTS} processes ended before they began to decode it")

    def take(self, wanted: Worker | None = None) -> Worker:
        """One that waits, the one that is `wanted` if it does, or a new one."""
        if wanted is not None:
            with suppress(ValueError):
                self._idle.remove(wanted)
                if wanted.alive:
                    return wanted
                wanted.close()
        try:
            return self._idle.pop()  # that it has ended is found out when it is asked
        except IndexError:
            return Worker()

    def give_back(self, worker: Worker) -> None:
        """Let it wait for further work, if it can do any."""
        if worker.usable and len(self._idle) < self._most:
            self._idle.append(worker)
        else:
            worker.close()

    def close(self) -> None:
        """End the workers that wait."""
        while self._idle:
            self._idle.pop().close()

    def _forget(self) -> None:
        """After a fork: locks may be held by threads that weren't copied, and the workers are the parent's.

        Those at work too: while this process held their sockets they would not see the parent's end.
        """
        self._begin()
        for worker in list(KNOWN):
            worker.close()


POOL = Pool()
"""The process's own."""
