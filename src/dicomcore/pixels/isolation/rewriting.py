"""A codestream made into another one by a worker, none of its samples decoded."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.isolation.pool import POOL
from dicomcore.pixels.isolation.process import CodecFailed

__all__ = ["rewrite_apart"]

GROWTH, SLACK = 8, 1 << 20
"""How many times as large the result may be, and bytes beyond that: recompressing changes sizes by a quarter."""
STREAMS = 64
"""Times the codestream may be held, besides `Limits.decode_bytes`."""
LENGTH = 8
"""Bytes before the result that say how long it is."""


def rewrite_apart(rewrite: Callable[[Any], bytes], data: memoryview, limits: Limits) -> bytes:
    """What `rewrite`, which a worker has to find by module and name, makes of `data`; raises PixelDecodeError."""
    room = LENGTH + GROWTH * data.nbytes + SLACK
    desc = FrameDescription(rows=1, columns=room, bits_allocated=8)
    job = pickle.dumps((functools.partial(run_rewrite, rewrite=rewrite), desc), pickle.HIGHEST_PROTOCOL)
    space = limits.decode_bytes + STREAMS * data.nbytes
    found, failure = POOL.decode(job, [data], desc, [None], seconds=limits.decode_seconds, address_space=space)
    if isinstance(failure, CodecFailed):
        raise PixelDecodeError(str(failure))
    if failure is not None:
        raise failure
    made = found[0][0]
    length = int.from_bytes(made[:LENGTH].tobytes(), "little")
    if length > room - LENGTH:
        raise PixelDecodeError("what its process gave makes no sense")
    return made[LENGTH : LENGTH + length].tobytes()


def run_rewrite(
    data: memoryview, _desc: FrameDescription, out: NDArray[np.uint8], *, rewrite: Callable[[Any], bytes]
) -> NDArray[np.uint8]:
    """Put the result into `out`, its length first; runs in the worker."""
    made = rewrite(data)
    if len(made) > out.size - LENGTH:
        raise PixelDecodeError(f"{data.nbytes} bytes became {len(made)}")
    row = out[0]
    row[:LENGTH] = np.frombuffer(len(made).to_bytes(LENGTH, "little"), np.uint8)
    row[LENGTH : LENGTH + len(made)] = np.frombuffer(made, np.uint8)
    return out
