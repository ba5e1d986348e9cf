"""One worker process, as seen by those it works for."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import DicomError, LimitError, PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.isolation.wire import (
    BEGUN,
    FAILED,
    HEAD,
    INPUT_AT,
    MOST_TEXT,
    READY,
    REPLY,
    RETIRING,
    WINDOWS,
    Memory,
    Request,
    receive,
)

__all__ = ["CodecFailed", "Worker", "WorkerGone"]

BOOT = "import sys; sys.path[:] = sys.argv[2:]; from dicomcore.pixels.isolation.worker import main; main(sys.argv[1])"
START_SECONDS = 120.0
GRACE_SECONDS = 2.0
"""A worker ends itself when time is up; after so much longer it is ended."""
LEAST_SECONDS, MOST_SECONDS = 1e-3, 1e6
"""What timers take; 0 would stop one."""
LEAST_MEMORY, MOST_KEPT = 1 << 21, 1 << 28
"""Shared memory that a worker begins with; more than the latter is given up once less will do."""
ALIGNED = 4096


class CodecFailed(Exception):
    """What a decoder raised in its process."""


class WorkerGone(Exception):
    """The process ended before it began the job, which may be given to another one."""


class Worker:
    """A process that decodes one frame at a time. Not for several threads at once."""

    def __init__(self) -> None:
        """Start it, and wait until it is ready; raises DicomError where that can't be done."""
        self.usable = False
        self.keeps: object = None
        """Whose state the process has; for those who ask it several times."""
        self._owner = os.getpid()
        self._memory: Memory | None = None
        self._view = np.zeros(0, np.uint8)
        self._channel, theirs = socket.socketpair()
        try:
            self._process = _start(theirs)
        except OSError as error:
            self._channel.close()
            raise DicomError(f"a process to decode in can't be started: {error}") from error
        finally:
            theirs.close()
        try:
            self._channel.settimeout(START_SECONDS)
            if receive(self._channel, len(READY)) != READY:
                raise EOFError
        except (OSError, EOFError) as error:
            self.close()
            raise DicomError(f"the process to decode in did not start: {self._ending()}") from error
        except BaseException:
            self.close()
            raise
        self._seconds = START_SECONDS
        self.usable = True

    @property
    def alive(self) -> bool:
        """Whether the process is there, as far as one knows."""
        return self.usable and self._process.poll() is None

    def decode(
        self,
        job: bytes,
        data: memoryview,
        desc: FrameDescription,
        out: NDArray[Any] | None,
        *,
        seconds: float,
        address_space: int,
    ) -> NDArray[Any]:
        """The samples in the description's own container, `out` where it is given.

        Raises CodecFailed with what the decoder raised, our own exceptions as they were, WorkerGone, and
        PixelDecodeError where the process didn't survive the frame.
        """
        held, room = data.nbytes, desc.samples * desc.dtype.itemsize
        seconds = min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
        out_at = -(-(INPUT_AT + held) // ALIGNED) * ALIGNED
        self.usable = False  # until the reply is there in full
        fresh = self._make_room(out_at + room)
        self._view[BEGUN] = 0
        if held:
            np.copyto(self._view[INPUT_AT : INPUT_AT + held], np.frombuffer(data, np.uint8))
        name = fresh.name.encode("ascii") if fresh else b""
        size = fresh.size if fresh else 0
        head = HEAD.pack(*Request(size, held, out_at, room, seconds, address_space, len(name), len(job)))
        kind, said = self._asked(head + name + job, fresh, seconds)
        self.usable = not kind & RETIRING
        if kind & FAILED:
            _raise(said)
        samples = self._view[out_at : out_at + room].view(desc.dtype).reshape(desc.shape)
        if out is None:
            return samples.copy()
        np.copyto(out, samples)
        return out

    def close(self) -> None:
        """End the process, whatever it does; after a fork it is the parent's, and only let go of."""
        self.usable = False
        self._channel.close()
        if self._owner != os.getpid():
            self._process.returncode = 0  # not to be waited for here
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._memory is not None:
            self._memory.close()

    def _make_room(self, size: int) -> Memory | None:
        """New memory where what there is doesn't suffice, or is far too much."""
        if size <= len(self._view) and (len(self._view) <= MOST_KEPT or size > MOST_KEPT // 4):
            return None
        size = max(LEAST_MEMORY, 1 << (size - 1).bit_length() if size < MOST_KEPT else size)
        if self._memory is not None:
            self._memory.close()
        self._memory = Memory(size)
        self._view = np.frombuffer(self._memory.map, np.uint8)
        return self._memory

    def _asked(self, message: bytes, fresh: Memory | None, seconds: float) -> tuple[int, bytes]:
        if seconds != self._seconds:
            self._channel.settimeout(seconds + GRACE_SECONDS)
            self._seconds = seconds
        try:
            if fresh is None:
                self._channel.sendall(message)
            else:
                fresh.hand_over(self._channel, message)
            said = receive(self._channel, REPLY.size)
            kind, length = REPLY.unpack_from(said)
            if length > MOST_TEXT:
                raise EOFError
            said = receive(self._channel, REPLY.size + length, said)
            if len(said) > REPLY.size + length:
                raise EOFError
            return kind, said[REPLY.size :]
        except TimeoutError:
            self.close()
            raise PixelDecodeError(_too_long(seconds)) from None
        except (EOFError, OSError):
            ending = self._ending()
            self.close()
            if not self._view[BEGUN]:
                raise WorkerGone from None
            late = not WINDOWS and self._process.returncode == -signal.SIGALRM
            raise PixelDecodeError(_too_long(seconds) if late else f"decoding it ended its process: {ending}") from None

    def _ending(self) -> str:
        """How the process ended, in words."""
        try:
            code = self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return "it no longer answers"
        if code < 0:
            try:
                return signal.Signals(-code).name
            except ValueError:
                return f"signal {-code}"
        return f"exit code {code}"


def _too_long(seconds: float) -> str:
    return f"decoding it took longer than {seconds:g} seconds (Limits.decode_seconds)"


def _start(theirs: socket.socket) -> subprocess.Popen[bytes]:
    if not sys.executable or getattr(sys, "frozen", False):
        raise OSError("sys.executable is no Python that could be started")
    # one thread a worker, and libraries that start some on import are slow to
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    where = "" if WINDOWS else str(theirs.fileno())
    command = [sys.executable, "-c", BOOT, where, *sys.path]
    if not WINDOWS:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment, pass_fds=[theirs.fileno()]
        )
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    shared = theirs.share(process.pid)  # type: ignore[attr-defined, unused-ignore]
    assert process.stdin is not None
    process.stdin.write(len(shared).to_bytes(4, "little") + shared)
    process.stdin.flush()
    return process


def _raise(said: bytes) -> None:
    """Raise what the worker says its decoder raised."""
    try:
        told = json.loads(said)
        text, offset = str(told["text"]), told["offset"]
    except (ValueError, TypeError, KeyError) as error:
        raise PixelDecodeError("what the process said of it can't be read") from error
    if told["ours"] is None:
        raise CodecFailed(text)
    for kind in (LimitError, UnsupportedTransferSyntaxError):
        if told["ours"] == kind.__name__:
            raise kind(text)
    raise PixelDecodeError(text, offset=offset if isinstance(offset, int) else None)
