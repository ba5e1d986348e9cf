"""Decoders that crash, hang or fail like libraries on damaged codestreams; a worker imports them by name."""

from __future__ import annotations

import os
import signal
import time

import numpy as np


def by_first_byte(codestream, desc, out):
    """A frame filled with the codestream's first byte, unless that byte is a command."""
    word = chr(codestream[0])
    if word == "S":
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)  # a sanitizer would handle the signal itself
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "K":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "X":
        os._exit(0)
    if word == "A":
        os.abort()
    if word == "H":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(600)
    if word == "L":
        while True:
            pass
    if word == "M":
        return np.ones(1 << 40, np.uint8)
    if word == "E":
        raise RuntimeError("nothing like a frame")
    if word == "W":
        return np.zeros((3, 3), np.uint8)
    if word == "P":
        time.sleep(0.05)
        return np.full(desc.shape, os.getpid(), np.uint32)
    out[...] = codestream[0]
    return out


def wide(codestream, desc, out):
    """Samples twice as wide as the container, not in `out`."""
    return np.full(desc.shape, 0x0102, np.uint16)
