"""The protocol between a process and its workers: shared memory, and short messages on a socket.

A request is a `HEAD`, then the name of new memory (Windows only), then a pickled job unless it is the last request's.
The memory contains the codestreams' lengths, the codestreams, and the samples. A reply is a `REPLY`, then JSON: a
worker decodes hostile bytes, so that its pickles must not be loaded.
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
"""First byte of a reply; the second counts the decoded frames. The flag RETIRING: the worker takes no further work."""
READY = b"dicomcore"
"""The first message of a worker."""
BEGUN = 0
"""Offset in the memory of the byte that counts the frames that the worker has begun."""
LENGTHS_AT, INPUT_AT = 64, 4096
"""Offsets in the memory of the codestreams' lengths, 8 bytes each, and of the contiguous codestreams."""
MOST_FRAMES = 255
"""The most frames in one request."""
MOST_TEXT = 1 << 16
"""The most bytes of a reply's JSON."""
WINDOWS = sys.platform == "win32"


class Request(NamedTuple):
    """The fixed part of a request, `HEAD`; the memory's name and the pickled job follow it."""

    memory: int
    """Size of new memory in bytes; 0 where the last request's memory is used again."""
    frames: int
    out_at: int
    """Offset in the memory of the first frame's samples; those of the other frames follow."""
    stride: int
    """Bytes from one frame's samples to the next one's."""
    seconds: float
    """Time for each frame."""
    address_space: int
    """Bytes of address space that decoding may take."""
    name: int
    job: int
    """Bytes of the memory's name and of the pickled job, which follow; 0 where the last request's job is used again."""


class Memory:
    """Anonymous memory shared by two processes, without a name that could outlive them."""

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
        """Send a request along with this memory."""
        if WINDOWS:
            channel.sendall(message)
            return
        sent = socket.send_fds(channel, [message], [self._descriptor])
        channel.sendall(message[sent:])
        os.close(self._descriptor)
        self._descriptor = -1

    def close(self) -> None:
        """Release the descriptor; views into the memory stay valid."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _anonymous_file() -> int:
    with contextlib.suppress(AttributeError, OSError):  # old kernels and sandboxes have none
        return os.memfd_create("dicomcore", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _keep_size(descriptor: int) -> None:
    """Prevent shrinking: reading a page that was cut off would kill a process."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)


def receive(channel: socket.socket, size: int, data: bytes = b"") -> bytes:
    """Receive until `data` has at least `size` bytes; raises EOFError where the peer has closed the socket.

    May return more: neither side sends a second message before the reply, so all bytes are of the same message.
    """
    while len(data) < size:
        more = channel.recv(MOST_TEXT)
        if not more:
            raise EOFError
        data += more
    return data
