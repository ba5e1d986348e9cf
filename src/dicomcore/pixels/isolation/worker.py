"""What runs in a worker process: one job after the other, until nobody is there to send any."""

from __future__ import annotations

import contextlib
import functools
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
from dicomcore.pixels.isolation.wire import (
    BEGUN,
    DONE,
    FAILED,
    HEAD,
    INPUT_AT,
    MOST_TEXT,
    READY,
    REPLY,
    RETIRING,
    WINDOWS,
    Request,
    receive,
)

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

__all__ = ["main"]

ROOM_BESIDE = 0 if WINDOWS else socket.CMSG_SPACE(array("i").itemsize)
JOBS = 20_000
"""Jobs after which a worker retires: libraries leak."""


def main(where: str) -> None:
    """Serve the socket whose descriptor is `where`; on Windows standard input says which one it is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the user's Ctrl-C is for the process that we work for
    if WINDOWS:
        length = int.from_bytes(sys.stdin.buffer.read(4), "little")
        channel = socket.fromshare(sys.stdin.buffer.read(length))  # type: ignore[attr-defined, unused-ignore]
    else:
        channel = socket.socket(fileno=int(where))
    with contextlib.suppress(EOFError, ConnectionError):
        channel.sendall(READY)
        _serve(channel)


def _serve(channel: socket.socket) -> None:
    # No copy of a codestream or of samples is made here beyond what the decoder makes.
    memory = np.zeros(0, np.uint8)
    before, allowed = _address_space(), 0
    for served in range(1, JOBS + 1):
        request, name, job, descriptors = _next(channel)
        wanted = before + request.address_space + request.memory + len(memory)
        if before and wanted != allowed:
            _allow(wanted)
            allowed = wanted
        if request.memory:
            memory = np.frombuffer(_opened(request.memory, descriptors, name.decode("ascii")), np.uint8)
        memory[BEGUN] = 1
        if not WINDOWS:
            signal.setitimer(signal.ITIMER_REAL, request.seconds)  # nobody handles it: it ends the process
        kind, said = DONE, b""
        try:
            _run(job, memory, request)
        except Exception as error:
            kind, said = FAILED, _told(error)
        if not WINDOWS:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if served == JOBS or (kind == FAILED and _address_space() - before > request.address_space // 4):
            kind |= RETIRING  # what was leaked must not be held against the frames that follow
        channel.sendall(REPLY.pack(kind, len(said)) + said)


def _next(channel: socket.socket) -> tuple[Request, bytes, bytes, list[int]]:
    """A request, the name of its memory, its pickled job, and the descriptor of its memory."""
    data, descriptors = b"", array("i")
    if not WINDOWS:
        data, beside, _, _ = channel.recvmsg(MOST_TEXT, ROOM_BESIDE)
        if not data:
            raise EOFError
        for _, _, held in beside:  # nothing but descriptors is ever sent
            descriptors.frombytes(held)
    data = receive(channel, HEAD.size, data)
    request = Request(*HEAD.unpack_from(data))
    at = HEAD.size + request.name
    data = receive(channel, at + request.job, data)
    return request, data[HEAD.size : at], data[at:], list(descriptors)


def _opened(size: int, descriptors: list[int], name: str) -> mmap.mmap:
    if WINDOWS:
        return mmap.mmap(-1, size, tagname=name)  # type: ignore[call-arg, unused-ignore]
    (descriptor,) = descriptors
    try:
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


@functools.lru_cache(maxsize=64)
def _job(pickled: bytes) -> tuple[Any, Any]:
    decoder, description = pickle.loads(pickled)
    return decoder, description


def _run(pickled: bytes, memory: np.ndarray, request: Request) -> None:
    decoder, desc = _job(pickled)
    codestream = memoryview(memory[INPUT_AT : INPUT_AT + request.held])
    out = memory[request.out_at : request.out_at + request.room].view(desc.dtype).reshape(desc.shape)
    samples = decoder(codestream, desc, out)
    if samples.shape != desc.shape:
        raise ValueError(f"samples of shape {samples.shape}, not {desc.shape}")
    if not np.may_share_memory(samples, out):
        np.copyto(out, samples, casting="unsafe")


def _told(error: Exception) -> bytes:
    ours = type(error).__name__ if isinstance(error, DicomError) else None
    offset = getattr(error, "offset", None) if ours else None
    text = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        text = "it takes more memory than allowed (Limits.decode_bytes)"
    told = {"ours": ours, "text": text[:2000], "offset": offset if isinstance(offset, int) else None}
    return json.dumps(told).encode()


def _address_space() -> int:
    """Bytes of address space in use; 0 where the system doesn't say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * mmap.PAGESIZE
    except OSError:
        return 0


def _allow(size: int) -> None:
    """Let what is allocated fail beyond `size` bytes of address space, where the system can do that."""
    if resource is None:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        size = min(size, most)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (size, most))
