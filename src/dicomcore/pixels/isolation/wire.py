"""What goes between a process and its workers: memory that both see, and short messages on a socket.

A request is a `HEAD`, then what it counts: the name of new memory (Windows alone), and a pickled job where it isn't the
last one's. The memory holds how long the codestreams are, the codestreams, and the samples. A reply is a `REPLY` and as
many bytes of JSON, since whoever decodes hostile bytes is not to have its pickles read.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import socket
import struct
import sys
import tempfile
from typing import NamedTuple

__all__ = [
    "BEGUN", "DONE", "FAILED", "HEAD", "INPUT_AT", "LENGTHS_AT", "MOST_FRAMES", "MOST_TEXT", "READY", "REPLY",
    "RETIRING", "WINDOWS", "Memory", "Request", "receive",
]  # fmt: skip

HEAD = struct.Struct("<QIQQdQHI")
REPLY = struct.Struct("<BBI")
DONE, FAILED, RETIRING = 0, 1, 2
"""First byte of a reply; the second counts the frames that were decoded. RETIRING, added, says: no further work."""
READY = b"dicomcore"
"""What a worker says first."""
BEGUN = 0
"""Place of the byte in the memory that says how many of the frames the worker has begun."""
LENGTHS_AT, INPUT_AT = 64, 4096
"""Where the codestreams' lengths, 8 bytes each, and where the codestreams stand in the memory, one after the other."""
MOST_FRAMES = 255
"""Frames of one request at most."""
MOST_TEXT = 1 << 16
"""Bytes of a reply's JSON at most."""
WINDOWS = sys.platform == "win32"


class Request(NamedTuple):
    """One job as it goes through the socket, but for the job itself."""

    memory: int
    """Size of new memory in bytes, 0 where that of the last job is still good."""
    frames: int
    out_at: int
    """Where the first frame's samples are to go in the memory; the others' follow."""
    room: int
    """Bytes that one frame's take."""
    seconds: float
    """Time for each frame."""
    address_space: int
    """Bytes that decoding may take besides."""
    name: int
    job: int
    """Bytes of the memory's name and of the pickled job, which follow; 0 is the last request's job again."""


class Memory:
    """Anonymous memory that two processes share; it has no name that could outlive them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.name = ""
        self._descriptor = -1
        if WINDOWS:
            self.name = f"dicomcore-{os.getpid()}-{secrets.token_hex(16)}"  # gone with its last handle
            self.map = mmap.mmap(-1, size, tagname=self.name)  # type: ignore[call-arg, unused-ignore]
            return
        self._descriptor = _anonymous_file()
        try:
            os.ftruncate(self._descriptor, size)
            _keep_size(self._descriptor)
            self.map = mmap.mmap(self._descriptor, size)
        except BaseException:
            os.close(self._descriptor)
            raise

    def hand_over(self, channel: socket.socket, message: bytes) -> None:
        """Send a request that comes with this memory."""
        if WINDOWS:
            channel.sendall(message)
            return
        sent = socket.send_fds(channel, [message], [self._descriptor])
        channel.sendall(message[sent:])
        os.close(self._descriptor)
        self._descriptor = -1

    def close(self) -> None:
        """Let go of it; what still looks into it goes on to do so."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("dicomcore", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _keep_size(descriptor: int) -> None:
    """Nobody may cut it short: who looks at a page that is gone is killed."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)


def receive(channel: socket.socket, size: int, data: bytes = b"") -> bytes:
    """`data` and what is lacking to so many bytes; raises EOFError where the other side is gone.

    May give more: nobody says a second thing before he is answered, so what came at once belongs together.
    """
    while len(data) < size:
        more = channel.recv(MOST_TEXT)
        if not more:
            raise EOFError
        data += more
    return data
