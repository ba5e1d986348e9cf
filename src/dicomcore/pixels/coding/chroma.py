"""JPEG 2000 whose chroma has fewer samples than its luminance, as whole-slide scanners write it (4:2:2, 4:2:0).

OpenJPEG, as imagecodecs calls it, turns such components to RGB, and can't be told not to. In a JP2 file it takes the
channels from a palette and its mapping of components (ISO 15444-1 I.5.3.4, I.5.3.5), and that gives them as coded:

- one channel, the first component, is luminance;
- a palette whose one entry is 65535 in the place of luminance makes red 65535 + 1.402 (CR - 32768) and blue
  65535 + 1.772 (CB - 32768), nothing of which is clipped, and from which CR and CB follow exactly.
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
"""XRsiz and YRsiz of what OpenJPEG spreads."""
DEEPEST = 15
"""Bits a sample that the sums above hold."""
CONSTANT, MIDDLE = 65535, 32768
RED, BLUE = 1.402, 1.772
SRGB, GREY = 16, 17


def decode_chroma(decode: Callable[[bytes], NDArray[Any]], codestream: Any, info: CodestreamInfo) -> NDArray[Any]:
    """The samples of a frame as coded, (rows, columns, 3), each sample of CB and CR repeated over its pixels.

    `decode` is given JP2 files. Raises PixelDecodeError for other subsampling, signed and deeper samples.
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
    # The library cuts what is behind the point off: of a number below 0, as all of these are, towards 0.
    samples[..., 1] = np.rint((mixed[..., 2] - (CONSTANT + 0.5)) / BLUE) + MIDDLE
    samples[..., 2] = np.rint((mixed[..., 0] - (CONSTANT + 0.5)) / RED) + MIDDLE
    return samples


def _jp2(codestream: Any, info: CodestreamInfo, colour: int, bits: int, channels: tuple[tuple[int, int], ...]) -> bytes:
    """A JP2 file whose channels are these components, each with 1 where the palette stands in its place."""
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
