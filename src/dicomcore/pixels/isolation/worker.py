"""The worker process: runs one job after another until its client closes the socket."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import pickle
import signal
import socket
import sys
from array import array
from typing import Any

import numpy as np

from dicomcore.errors import DicomError
from dicomcore.pixels.isolation import wire

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

__all__ = ["main"]

ANCILLARY_BYTES = 0 if wire.WINDOWS else socket.CMSG_SPACE(array("i").itemsize)
FRAMES = 20_000
"""Frames after which a worker retires, as libraries leak memory."""


def main(where: str) -> None:
    """Serve the socket whose descriptor is `where`; on Windows standard input passes the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the client's process handles the user's Ctrl-C
    if wire.WINDOWS:
        length = int.from_bytes(sys.stdin.buffer.read(4), "little")
        channel = socket.fromshare(sys.stdin.buffer.read(length))  # type: ignore[attr-defined, unused-ignore]
    else:
        channel = socket.socket(fileno=int(where))
    with contextlib.suppress(EOFError, ConnectionError):
        channel.sendall(wire.READY)
        _serve(channel)


def _serve(channel: socket.socket) -> None:
    job = _Job()
    before, allowed, served = _address_space(), 0, 0
    while True:
        request, name, pickled, descriptors = _next(channel)
        wanted = before + request.address_space + request.memory + len(job.memory)
        if before and wanted != allowed:
            _allow(wanted)
            allowed = wanted
        if request.memory:
            job.memory = memoryview(_opened(request.memory, descriptors, name.decode("ascii")))
        kind, report = wire.DONE, b""
        try:
            job.run(request, pickled)
        except Exception as error:
            kind, report = wire.FAILED, _report(error)
        if not wire.WINDOWS:
            signal.setitimer(signal.ITIMER_REAL, 0)
        served += job.done
        if served >= FRAMES or (kind and _address_space() - before > request.address_space // 4):
            kind |= wire.RETIRING  # leaked memory must not count against the limit of later frames
        channel.sendall(wire.REPLY.pack(kind, job.done, len(report)) + report)


class _Job:
    """The current decoder, description and memory; the next request may use them again."""

    def __init__(self) -> None:
        self.memory = memoryview(b"")
        self.done = 0
        self._decoder: Any = None
        self._description: Any = None
        self._shape: tuple[int, ...] = ()
        self._dtype: Any = None

    def run(self, request: wire.Request, pickled: bytes) -> None:
        """Decode the request's frames; `done` counts them, also where one raises."""
        memory, at, out_at = self.memory, wire.INPUT_AT, request.out_at
        self.done = 0
        memory[wire.BEGUN] = 1
        if pickled:
            self._decoder, self._description = pickle.loads(pickled)
            self._shape, self._dtype = self._description.shape, self._description.dtype
        lengths = memory[wire.LENGTHS_AT : wire.LENGTHS_AT + 8 * request.frames].cast("Q").tolist()
        for done, length in enumerate(lengths):
            memory[wire.BEGUN] = done + 1
            if not wire.WINDOWS:
                signal.setitimer(signal.ITIMER_REAL, request.seconds)  # no handler is set: SIGALRM ends the process
            self._decode(memory[at : at + length], np.ndarray(self._shape, self._dtype, memory, out_at))
            at, out_at = at + length, out_at + request.stride
            self.done = done + 1

    def _decode(self, codestream: memoryview, out: np.ndarray) -> None:
        # Neither codestream nor samples are copied here, except by the decoder.
        samples = self._decoder(codestream, self._description, out)
        if samples is out:
            return
        if samples.shape != out.shape:
            raise ValueError(f"samples of shape {samples.shape}, not {out.shape}")
        if not np.may_share_memory(samples, out):
            np.copyto(out, samples, casting="unsafe")


def _next(channel: socket.socket) -> tuple[wire.Request, bytes, bytes, list[int]]:
    """Receive a request, the name of its memory, its pickled job, and the descriptor of its memory."""
    data, descriptors = b"", array("i")
    if not wire.WINDOWS:
        data, ancillary, _, _ = channel.recvmsg(wire.MOST_TEXT, ANCILLARY_BYTES)
        if not data:
            raise EOFError
        for _, _, content in ancillary:  # clients send only descriptors
            descriptors.frombytes(content)
    data = wire.receive(channel, wire.HEAD.size, data)
    request = wire.Request(*wire.HEAD.unpack_from(data))
    at = wire.HEAD.size + request.name
    data = wire.receive(channel, at + request.job, data)
    return request, data[wire.HEAD.size : at], data[at:], list(descriptors)


def _opened(size: int, descriptors: list[int], name: str) -> mmap.mmap:
    if wire.WINDOWS:
        return mmap.mmap(-1, size, tagname=name)  # type: ignore[call-arg, unused-ignore]
    (descriptor,) = descriptors
    try:
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def _report(error: Exception) -> bytes:
    """The JSON that reports an error to the client."""
    ours = type(error).__name__ if isinstance(error, DicomError) else None
    offset = getattr(error, "offset", None) if ours else None
    text = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        text = "it takes more memory than allowed (Limits.decode_bytes)"
    report = {"ours": ours, "text": text[:2000], "offset": offset if isinstance(offset, int) else None}
    return json.dumps(report).encode()


def _address_space() -> int:
    """Bytes of address space in use; 0 where the system doesn't tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * mmap.PAGESIZE
    except OSError:
        return 0


def _allow(size: int) -> None:
    """Limit the address space to `size` bytes, where the system supports that."""
    if resource is None:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        size = min(size, most)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (size, most))
