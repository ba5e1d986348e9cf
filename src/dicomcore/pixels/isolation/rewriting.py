"""Rewrite a codestream in a worker process without decoding its samples."""

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
"""A result has at most this factor of the codestream's bytes, plus these; recompressing changes sizes by a quarter."""
STREAMS = 64
"""Copies of the codestream that memory is allowed for, besides `Limits.decode_bytes`."""
LENGTH = 8
"""Bytes before the result that state its length."""


def rewrite_apart(rewrite: Callable[[Any], bytes], data: memoryview, limits: Limits) -> bytes:
    """Call `rewrite` on `data` in a worker, which imports it by module and name; raises PixelDecodeError."""
    capacity = LENGTH + GROWTH * data.nbytes + SLACK
    desc = FrameDescription(rows=1, columns=capacity, bits_allocated=8)
    job = pickle.dumps((functools.partial(run_rewrite, rewrite=rewrite), desc), pickle.HIGHEST_PROTOCOL)
    space = limits.decode_bytes + STREAMS * data.nbytes
    frames, failure = POOL.decode(job, [data], desc, [None], seconds=limits.decode_seconds, address_space=space)
    if isinstance(failure, CodecFailed):
        raise PixelDecodeError(str(failure))
    if failure is not None:
        raise failure
    row = frames[0][0]
    length = int.from_bytes(row[:LENGTH].tobytes(), "little")
    if length > capacity - LENGTH:
        raise PixelDecodeError(f"the worker process claims a result of {length} bytes, more than it can return")
    return row[LENGTH : LENGTH + length].tobytes()


def run_rewrite(
    data: memoryview, _desc: FrameDescription, out: NDArray[np.uint8], *, rewrite: Callable[[Any], bytes]
) -> NDArray[np.uint8]:
    """Put the result into `out`, after its length; runs in the worker."""
    rewritten = rewrite(data)
    if len(rewritten) > out.size - LENGTH:
        raise PixelDecodeError(f"{data.nbytes} bytes became {len(rewritten)}")
    row = out[0]
    row[:LENGTH] = np.frombuffer(len(rewritten).to_bytes(LENGTH, "little"), np.uint8)
    row[LENGTH : LENGTH + len(rewritten)] = np.frombuffer(rewritten, np.uint8)
    return out
