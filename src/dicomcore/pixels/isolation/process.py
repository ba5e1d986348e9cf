"""The client's side of a worker process."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import DicomError, LimitError, PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.isolation import wire

__all__ = ["KNOWN", "CodecFailed", "Worker", "WorkerGone"]

BOOT = "import sys; sys.path[:] = sys.argv[2:]; from dicomcore.pixels.isolation.worker import main; main(sys.argv[1])"
START_SECONDS = 120.0
GRACE_SECONDS = 2.0
"""A worker ends itself when its time is up; this many seconds later it is killed."""
LEAST_SECONDS, MOST_SECONDS = 1e-3, 1e6
"""The range of a timer; 0 would stop it."""
LEAST_MEMORY, MOST_KEPT = 1 << 21, 1 << 28
"""Bytes of shared memory that a worker begins with; memory larger than the latter is replaced once less is needed."""
ALIGNED, LINE = 4096, 64


class CodecFailed(Exception):
    """The error that a decoder raised in its process."""


class WorkerGone(Exception):
    """The process ended before it began the job; another worker may retry it."""


KNOWN: WeakSet[Worker] = WeakSet()
"""All workers that were started; a process forked off this one closes their sockets."""


class Worker:
    """A process that decodes one frame, or several of one kind, at a time. Not thread-safe."""

    def __init__(self) -> None:
        """Start the process, and wait until it is ready; raises DicomError where it doesn't start."""
        self.usable = False
        self.keeps: object = None
        """The token of the client whose state the process keeps between requests."""
        self._owner = os.getpid()
        self._job = b""
        self._shared: wire.Memory | None = None
        self._memory = memoryview(b"")
        self._channel, theirs = socket.socketpair()
        KNOWN.add(self)
        try:
            self._process = _start(theirs)
        except OSError as error:
            self._channel.close()
            raise DicomError(f"a process to decode in can't be started: {error}") from error
        finally:
            theirs.close()
        try:
            self._channel.settimeout(START_SECONDS)
            if wire.receive(self._channel, len(wire.READY)) != wire.READY:
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
        """Whether the process is usable and has not ended."""
        return self.usable and self._process.poll() is None

    def decode(
        self,
        job: bytes,
        codestreams: Sequence[memoryview],
        desc: FrameDescription,
        outs: Sequence[NDArray[Any] | None],
        *,
        seconds: float,
        address_space: int,
    ) -> tuple[list[NDArray[Any]], Exception | None]:
        """Decode frames up to the first that fails; returns their samples and the failure, or None.

        Parameters
        ----------
        job
            The pickled decoder and description.
        codestreams
            The codestreams of at most `wire.MOST_FRAMES` frames.
        desc
            The description of the frames, which gives the container of their samples.
        outs
            For each frame an array for its samples, or None.
        seconds
            The time for each frame.
        address_space
            Bytes of address space that decoding may take.

        Returns
        -------
        tuple
            The samples of the frames before the first that failed; and its failure: a CodecFailed with the decoder's
            error, an exception of dicomcore unchanged, or a PixelDecodeError where the process ended.

        Raises
        ------
        WorkerGone
            The process ended before it began a frame.
        """
        if len(codestreams) > wire.MOST_FRAMES:
            raise ValueError(f"{len(codestreams)} frames in one request, where at most {wire.MOST_FRAMES} are possible")
        shape, dtype = desc.shape, desc.dtype
        lengths = [codestream.nbytes for codestream in codestreams]
        stride = -(-desc.samples * dtype.itemsize // LINE) * LINE
        out_at = -(-(wire.INPUT_AT + sum(lengths)) // ALIGNED) * ALIGNED
        seconds = min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
        self.usable = False  # until the whole reply was received
        fresh = self._new_memory(out_at + stride * len(lengths))
        memory, at = self._memory, wire.INPUT_AT
        memory[wire.BEGUN] = 0
        memory[wire.LENGTHS_AT : wire.LENGTHS_AT + 8 * len(lengths)] = struct.pack(f"={len(lengths)}Q", *lengths)
        for codestream, length in zip(codestreams, lengths, strict=True):
            memory[at : at + length] = codestream
            at += length
        name = fresh.name.encode("ascii") if fresh else b""
        size = fresh.size if fresh else 0
        new_job = b"" if job is self._job else job
        counts = (size, len(lengths), out_at, stride, seconds, address_space, len(name), len(new_job))
        self._job = job
        done, failure = self._request(wire.HEAD.pack(*counts) + name + new_job, fresh, seconds, len(lengths))
        samples = []
        for out in outs[:done]:
            shared: NDArray[Any] = np.ndarray(shape, dtype, memory, out_at)
            out_at += stride
            if out is None:
                samples.append(shared.copy())
            else:
                np.copyto(out, shared)
                samples.append(out)
        return samples, failure

    def close(self) -> None:
        """End the process, even if it is busy; after a fork only let go of it, as it is the parent's."""
        self.usable = False
        self._channel.close()
        if self._owner != os.getpid():
            if (process := getattr(self, "_process", None)) is not None:  # None: forked while it was being started
                process.returncode = 0  # so that this process doesn't wait for it
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._shared is not None:
            self._shared.close()

    def _new_memory(self, size: int) -> wire.Memory | None:
        """Replace the shared memory where it is too small or far too large; returns the new memory, or None."""
        current = len(self._memory)
        if size <= current and (current <= MOST_KEPT or size > MOST_KEPT // 4):
            return None
        size = max(LEAST_MEMORY, 1 << (size - 1).bit_length() if size < MOST_KEPT else size)
        if self._shared is not None:
            self._shared.close()
        self._shared = wire.Memory(size)
        self._memory = memoryview(self._shared.map)
        return self._shared

    def _request(
        self, message: bytes, fresh: wire.Memory | None, seconds: float, frames: int
    ) -> tuple[int, Exception | None]:
        """Send a request and wait for the reply; returns the number of decoded frames, and the next one's failure."""
        if seconds != self._seconds:
            self._channel.settimeout(seconds + GRACE_SECONDS)
            self._seconds = seconds
        try:
            if fresh is None:
                self._channel.sendall(message)
            else:
                fresh.hand_over(self._channel, message)
            reply = self._reply()
            kind, done, length = wire.REPLY.unpack_from(reply)
            if length > wire.MOST_TEXT:
                raise EOFError
            reply = wire.receive(self._channel, wire.REPLY.size + length, reply)
            if len(reply) > wire.REPLY.size + length or done > frames or (done < frames) != bool(kind & wire.FAILED):
                raise EOFError
        except TimeoutError:
            self.close()
            return self._begun(frames), PixelDecodeError(_too_long(seconds))
        except (EOFError, OSError):
            ending = self._ending()
            self.close()
            if not self._memory[wire.BEGUN]:
                raise WorkerGone from None
            late = not wire.WINDOWS and self._process.returncode == -signal.SIGALRM
            text = _too_long(seconds) if late else f"decoding it ended its process: {ending}"
            return self._begun(frames), PixelDecodeError(text)
        self.usable = not kind & wire.RETIRING
        return done, _failure(reply[wire.REPLY.size :]) if kind & wire.FAILED else None

    def _reply(self) -> bytes:
        """Wait for the reply's first bytes, as long as the worker begins another frame within each frame's time."""
        begun = 1
        while True:
            try:
                return wire.receive(self._channel, wire.REPLY.size)
            except TimeoutError:
                if self._memory[wire.BEGUN] <= begun:
                    raise
                begun = self._memory[wire.BEGUN]

    def _begun(self, frames: int) -> int:
        """The number of frames before the last one that the worker began."""
        return min(max(self._memory[wire.BEGUN] - 1, 0), frames - 1)

    def _ending(self) -> str:
        """Describe in words how the process ended."""
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
    # A worker needs one thread only, and libraries that start threads on import take time for it.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    where = "" if wire.WINDOWS else str(theirs.fileno())
    command = [sys.executable, "-c", BOOT, where, *sys.path]
    if not wire.WINDOWS:
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


def _failure(encoded: bytes) -> Exception:
    """The decoder's error, from the JSON of the worker's reply."""
    try:
        report = json.loads(encoded)
        text, offset = str(report["text"]), report["offset"]
    except (ValueError, TypeError, KeyError):
        return PixelDecodeError("decoding it failed, and the worker process's report can't be read")
    if report["ours"] is None:
        return CodecFailed(text)
    for kind in (LimitError, UnsupportedTransferSyntaxError):
        if report["ours"] == kind.__name__:
            return kind(text)
    return PixelDecodeError(text, offset=offset if isinstance(offset, int) else None)
