"""One worker process, as seen by those it works for."""

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
"""A worker ends itself when time is up; after so much longer it is ended."""
LEAST_SECONDS, MOST_SECONDS = 1e-3, 1e6
"""What timers take; 0 would stop one."""
LEAST_MEMORY, MOST_KEPT = 1 << 21, 1 << 28
"""Shared memory that a worker begins with; more than the latter is given up once less will do."""
ALIGNED, LINE = 4096, 64


class CodecFailed(Exception):
    """What a decoder raised in its process."""


class WorkerGone(Exception):
    """The process ended before it began the job, which may be given to another one."""


KNOWN: WeakSet[Worker] = WeakSet()
"""All that were started, as their sockets are not for a process that is forked off this one."""


class Worker:
    """A process that decodes one frame, or a few of a kind, at a time. Not for several threads at once."""

    def __init__(self) -> None:
        """Start it, and wait until it is ready; raises DicomError where that can't be done."""
        self.usable = False
        self.keeps: object = None
        """Whose state the process has; for those who ask it several times."""
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
        """Whether the process is there, as far as one knows."""
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
        """The samples in the description's own container, in `outs` where they are given, and what stopped it.

        That is a CodecFailed with what the decoder raised, our own exception as it was, or a PixelDecodeError where the
        process didn't survive the frame: the one behind the last that is given. Raises WorkerGone where none was begun.
        """
        if len(codestreams) > wire.MOST_FRAMES:
            raise ValueError(f"{len(codestreams)} frames in one request, and {wire.MOST_FRAMES} is the most")
        shape, dtype = desc.shape, desc.dtype
        lengths = [codestream.nbytes for codestream in codestreams]
        room = -(-desc.samples * dtype.itemsize // LINE) * LINE
        out_at = -(-(wire.INPUT_AT + sum(lengths)) // ALIGNED) * ALIGNED
        seconds = min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
        self.usable = False  # until the reply is there in full
        fresh = self._make_room(out_at + room * len(lengths))
        memory, at = self._memory, wire.INPUT_AT
        memory[wire.BEGUN] = 0
        memory[wire.LENGTHS_AT : wire.LENGTHS_AT + 8 * len(lengths)] = struct.pack(f"={len(lengths)}Q", *lengths)
        for codestream, length in zip(codestreams, lengths, strict=True):
            memory[at : at + length] = codestream
            at += length
        name = fresh.name.encode("ascii") if fresh else b""
        size = fresh.size if fresh else 0
        said = b"" if job is self._job else job
        counts = (size, len(lengths), out_at, room, seconds, address_space, len(name), len(said))
        self._job = job
        done, failure = self._asked(wire.HEAD.pack(*counts) + name + said, fresh, seconds, len(lengths))
        samples = []
        for out in outs[:done]:
            found: NDArray[Any] = np.ndarray(shape, dtype, memory, out_at)
            out_at += room
            if out is None:
                samples.append(found.copy())
            else:
                np.copyto(out, found)
                samples.append(out)
        return samples, failure

    def close(self) -> None:
        """End the process, whatever it does; after a fork it is the parent's, and only let go of."""
        self.usable = False
        self._channel.close()
        if self._owner != os.getpid():
            if (process := getattr(self, "_process", None)) is not None:  # forked while it was being started
                process.returncode = 0  # not to be waited for here
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._shared is not None:
            self._shared.close()

    def _make_room(self, size: int) -> wire.Memory | None:
        """New memory where what there is doesn't suffice, or is far too much."""
        held = len(self._memory)
        if size <= held and (held <= MOST_KEPT or size > MOST_KEPT // 4):
            return None
        size = max(LEAST_MEMORY, 1 << (size - 1).bit_length() if size < MOST_KEPT else size)
        if self._shared is not None:
            self._shared.close()
        self._shared = wire.Memory(size)
        self._memory = memoryview(self._shared.map)
        return self._shared

    def _asked(
        self, message: bytes, fresh: wire.Memory | None, seconds: float, frames: int
    ) -> tuple[int, Exception | None]:
        """How many frames were decoded, and what became of the next one where these aren't all."""
        if seconds != self._seconds:
            self._channel.settimeout(seconds + GRACE_SECONDS)
            self._seconds = seconds
        try:
            if fresh is None:
                self._channel.sendall(message)
            else:
                fresh.hand_over(self._channel, message)
            said = self._reply()
            kind, done, length = wire.REPLY.unpack_from(said)
            if length > wire.MOST_TEXT:
                raise EOFError
            said = wire.receive(self._channel, wire.REPLY.size + length, said)
            if len(said) > wire.REPLY.size + length or done > frames or (done < frames) != bool(kind & wire.FAILED):
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
        return done, _failure(said[wire.REPLY.size :]) if kind & wire.FAILED else None

    def _reply(self) -> bytes:
        """The reply's head, waited for as long as a frame may take and another one was begun each time."""
        begun = 1
        while True:
            try:
                return wire.receive(self._channel, wire.REPLY.size)
            except TimeoutError:
                if self._memory[wire.BEGUN] <= begun:
                    raise
                begun = self._memory[wire.BEGUN]

    def _begun(self, frames: int) -> int:
        """Frames before the last that was begun."""
        return min(max(self._memory[wire.BEGUN] - 1, 0), frames - 1)

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


def _failure(said: bytes) -> Exception:
    """What the worker says its decoder raised."""
    try:
        told = json.loads(said)
        text, offset = str(told["text"]), told["offset"]
    except (ValueError, TypeError, KeyError):
        return PixelDecodeError("what the process said of it can't be read")
    if told["ours"] is None:
        return CodecFailed(text)
    for kind in (LimitError, UnsupportedTransferSyntaxError):
        if told["ours"] == kind.__name__:
            return kind(text)
    return PixelDecodeError(text, offset=offset if isinstance(offset, int) else None)
