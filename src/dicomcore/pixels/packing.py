"""Pack single-bit samples as in pixel data (PS3.5 8.1.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels.unpack import pack_bits

__all__ = ["packed_bits"]


def packed_bits(samples: NDArray[Any]) -> bytes:
    """Pack an array of any shape into bits, the lowest first: 1 where a sample (bool or uint8) is not 0.

    Frames follow each other without a gap; the last byte is padded with zeros.
    """
    cells = np.ascontiguousarray(samples).reshape(-1).view(np.uint8)
    packed = bytearray(-(-cells.size // 8))
    pack_bits(cells, packed)
    return bytes(packed)
