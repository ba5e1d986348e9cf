"""JPEG 2000 with subsampled chroma (4:2:2, 4:2:0), which whole-slide scanners write.

OpenJPEG, as imagecodecs calls it, converts such components to RGB, and no option prevents it. But in a JP2 file it
takes the channels from a palette and its mapping of components (ISO 15444-1 I.5.3.4, I.5.3.5). Two such files give the
components as coded:

- one whose only channel is the first component gives luminance;
- one with a palette of the single entry 65535 in place of luminance gives red as 65535 + 1.402 (CR - 32768) and blue
  as 65535 + 1.772 (CB - 32768). Neither is clipped, and CR and CB follow exactly.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import PixelDecodeError
from dicomcore.pixels.coding.headers import CodestreamInfo

__all__ = ["decode_chroma"]

TAKEN = (((1, 1), (2, 1), (2, 1)), ((1, 1), (2, 2), (2, 2)))
"""XRsiz and YRsiz of the components that OpenJPEG upsamples."""
DEEPEST = 15
"""The most bits per sample for which the sums above are exact."""
CONSTANT, MIDDLE = 65535, 32768
RED, BLUE = 1.402, 1.772
SRGB, GREY = 16, 17


def decode_chroma(decode: Callable[[bytes], NDArray[Any]], codestream: Any, info: CodestreamInfo) -> NDArray[Any]:
    """Decode a frame to samples as coded, (rows, columns, 3), each CB and CR sample repeated over its pixels.

    `decode` decodes JP2 files. Raises PixelDecodeError for other subsampling, and for signed or deeper samples.
    """
    precision = info.precision or 8
    if info.subsampling not in TAKEN or info.signed or precision > DEEPEST:
        kind = "signed" if info.signed else "unsigned"
        raise PixelDecodeError(
            f"JPEG 2000 of {info.components} components {info.subsampling} and {precision} {kind} bits can't be decoded"
        )
    luminance = decode(_jp2(codestream, info, GREY, precision, ((0, 0),)))
    mixed = decode(_jp2(codestream, info, SRGB, 16, ((0, 1), (1, 0), (2, 0))))
    samples = np.empty((*luminance.shape, 3), luminance.dtype)
    samples[..., 0] = luminance
    # The library truncates towards 0, and all these numbers are below 0.
    samples[..., 1] = np.rint((mixed[..., 2] - (CONSTANT + 0.5)) / BLUE) + MIDDLE
    samples[..., 2] = np.rint((mixed[..., 0] - (CONSTANT + 0.5)) / RED) + MIDDLE
    return samples


def _jp2(codestream: Any, info: CodestreamInfo, colour: int, bits: int, channels: tuple[tuple[int, int], ...]) -> bytes:
    """A JP2 file with a channel for each pair (component, 1 where the palette replaces it)."""
    count = len(channels)
    sizes = struct.pack(">IIHBBBB", info.rows, info.columns, info.components, (info.precision or 8) - 1, 7, 0, 0)
    entry = b"\xff\xff" if bits > 8 else b"\xff"
    palette = struct.pack(">HB", 1, count) + bytes([bits - 1]) * count + entry * count
    mapping = b"".join(struct.pack(">HBB", component, replaced, 0) for component, replaced in channels)
    header = _box(b"ihdr", sizes) + _box(b"colr", struct.pack(">BBBI", 1, 0, 0, colour))
    header += _box(b"pclr", palette) + _box(b"cmap", mapping)
    begin = _box(b"jP  ", b"\r\n\x87\n") + _box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return begin + _box(b"jp2h", header) + _box(b"jp2c", bytes(codestream))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content
