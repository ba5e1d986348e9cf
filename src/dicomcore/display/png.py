"""PNG files of grey and RGB pictures in 8 or 16 bits, so that viewing frames needs no other library (ISO 15948)."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # grey, RGB, RGB with alpha


def png(picture: NDArray[Any], *, level: int = 6) -> bytes:
    """Encode uint8 or uint16 samples, (rows, columns) or (rows, columns, 3 or 4), as a PNG file."""
    if picture.dtype not in (np.uint8, np.uint16) or picture.ndim not in (2, 3) or not picture.size:
        raise ValueError(f"no PNG of shape {picture.shape} and dtype {picture.dtype}")
    rows, columns = picture.shape[:2]
    samples = 1 if picture.ndim == 2 else picture.shape[2]
    if samples not in COLOUR_TYPES:
        raise ValueError(f"no PNG of {samples} samples a pixel")
    width = columns * samples * picture.itemsize
    lines = np.zeros((rows, 1 + width), np.uint8)  # the byte before each row gives its filter; 0 means none
    lines[:, 1:] = np.ascontiguousarray(picture, picture.dtype.newbyteorder(">")).view(np.uint8).reshape(rows, width)
    header = struct.pack(">IIBBBBB", columns, rows, 8 * picture.itemsize, COLOUR_TYPES[samples], 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), level)), (b"IEND", b"")
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
