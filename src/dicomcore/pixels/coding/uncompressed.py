"""Decode uncompressed and deflated frames: bits, words, planes and pairs to samples (PS3.5 8.1, A.4.9, A.4.12)."""

from __future__ import annotations

import sys
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.base import swap
from dicomcore._native.pixels import colour, planes, unpack
from dicomcore.arrays import as_bytes
from dicomcore.errors import PixelDecodeError
from dicomcore.notes import Note
from dicomcore.pixels.coding.registry import Format
from dicomcore.pixels.description import FrameDescription
from dicomcore.syntaxes import SYNTAXES

__all__ = [
    "FORMATS",
    "decode_deflated",
    "decode_encapsulated",
    "decode_native",
    "is_deflated_frame",
    "is_subsampled",
    "native_bits",
]

BIG_ENDIAN = frozenset(syntax.uid for syntax in SYNTAXES if syntax.big_endian_pixels)
"""Transfer syntaxes whose words of pixel data are big endian."""

WORDS = (8, 16, 32, 64)
"""Bits Allocated that fill a word."""

DEFLATE_EXPANSION = 1040
"""The most bytes that one deflated byte may expand to; deflate can't exceed 1032 to 1."""

TELLING_BYTES = 8
"""The fewest bytes that are recognised as a deflated frame; fewer may inflate to one by chance."""


def is_subsampled(desc: FrameDescription) -> bool:
    """Whether uncompressed samples are in the order Y1 Y2 CB CR (PS3.3 C.7.6.3.1.2)."""
    return desc.samples_per_pixel == 3 and desc.photometric_interpretation in ("YBR_FULL_422", "YBR_PARTIAL_422")


def native_bits(desc: FrameDescription) -> int:
    """Bits of one uncompressed frame; frames follow each other without padding.

    Subsampled rows of an odd number of columns, which the standard doesn't have, end with a whole pair.
    """
    if is_subsampled(desc):
        return 2 * desc.rows * (desc.columns + desc.columns % 2) * desc.bits_allocated
    return desc.samples * desc.bits_allocated


def decode_native(
    data: memoryview, desc: FrameDescription, out: NDArray[Any] | None = None, *, start_bit: int = 0
) -> NDArray[Any]:
    """Decode one uncompressed frame to samples in native byte order, by pixel.

    The frame starts at bit `start_bit` of `data`, where its samples don't fill bytes. Raises PixelDecodeError where
    `data` is too short.
    """
    needed = native_bits(desc)
    present = 8 * len(data) - start_bit
    spread = is_subsampled(desc)
    full = desc.samples * desc.bits_allocated
    if spread and present >= full > needed:
        # Full chroma, though labelled 4:2:2: such a writer exists.
        spread, needed = False, full
    if needed > present:
        raise PixelDecodeError(f"a frame of {needed} bits, and {present} bits are there", offset=len(data))
    if out is None:
        out = np.empty(desc.shape, desc.dtype)
    if spread:
        _spread(data[: needed // 8], desc, out)
    elif desc.bits_allocated not in WORDS:
        _unpack(data, desc, out, start_bit)
    else:
        _words(data[: needed // 8], desc, out)
    return out


def _words(data: memoryview, desc: FrameDescription, out: NDArray[Any]) -> None:
    width = desc.bits_allocated // 8
    target = as_bytes(out)
    swapped = (desc.transfer_syntax in BIG_ENDIAN) == (sys.byteorder == "little") and width > 1
    by_plane = desc.samples_per_pixel > 1 and desc.planar_configuration == 1
    if swapped and not by_plane:
        swap.swap_words(data, target, width)
        return
    if by_plane:
        planes.interleave(data, target, desc.samples_per_pixel, width)
    else:
        target[:] = np.frombuffer(data, np.uint8)
    if swapped:
        swap.swap_words(target, target, width)


def _spread(data: memoryview, desc: FrameDescription, out: NDArray[Any]) -> None:
    if desc.bits_allocated != 8:
        raise PixelDecodeError(
            f"{desc.photometric_interpretation} has 8 bits allocated, and the data set says {desc.bits_allocated}"
        )
    if desc.columns % 2 == 0:
        colour.spread_422(data, as_bytes(out))
        return
    wider = np.empty((desc.rows, desc.columns + 1, 3), np.uint8)
    colour.spread_422(data, as_bytes(wider))
    out.view(np.uint8)[...] = wider[:, :-1]


def _unpack(data: memoryview, desc: FrameDescription, out: NDArray[Any], start_bit: int) -> None:
    """Unpack cells that don't fill bytes; planes are interleaved afterwards."""
    bits, by_plane = desc.bits_allocated, desc.samples_per_pixel > 1 and desc.planar_configuration == 1
    if bits > 32:
        raise PixelDecodeError(f"DICOM has no packing of {bits} bits allocated")
    cells = np.empty(desc.samples, "u1" if bits == 1 else "u2" if bits == 12 else "u4")
    if not by_plane and cells.dtype.itemsize == out.dtype.itemsize:
        cells = out.reshape(-1).view(cells.dtype)
    if bits == 1:
        unpack.unpack_bits(data, cells, start_bit)
    elif bits == 12 and start_bit % 4 == 0:
        unpack.unpack_12(data, cells, start_bit)
    elif bits == 24 and start_bit == 0:
        unpack.unpack_24(data, cells)
    else:
        wide = cells if cells.itemsize == 4 else np.empty(desc.samples, "u4")
        unpack.unpack_cells(data, wide, bits, start_bit)
        cells[...] = wide
    if desc.pixel_representation and bits > 1:
        unpack.extend_samples(as_bytes(cells), cells.itemsize, 0, bits, True)
    if by_plane:
        mixed = np.empty_like(cells)
        planes.interleave(as_bytes(cells), as_bytes(mixed), desc.samples_per_pixel, cells.itemsize)
        cells = mixed
    if not np.shares_memory(cells, out):
        signed = cells.view(f"i{cells.itemsize}") if desc.pixel_representation and bits > 1 else cells
        out[...] = signed.reshape(out.shape)


def decode_encapsulated(data: memoryview, desc: FrameDescription, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decode one uncompressed frame in fragments (PS3.5 A.4.11).

    Raises PixelDecodeError where `data`, without padding, isn't as long as the frame: it may be no samples at all.
    """
    size, full = (native_bits(desc) + 7) // 8, (desc.samples * desc.bits_allocated + 7) // 8
    if len(data) not in (size, size + 1, full, full + 1) and any(bytes(data[size:])):
        raise PixelDecodeError(f"an uncompressed frame of {size} bytes, and {len(data)} are there", offset=size)
    return decode_native(data, desc, out)


def decode_deflated(
    data: memoryview, desc: FrameDescription, out: NDArray[Any] | None = None
) -> NDArray[Any] | tuple[NDArray[Any], tuple[Note, ...]]:
    """Decode a frame of Deflated Image Frame Compression (PS3.5 A.4.13).

    Inflates no more than the frame's own size; further bytes of the stream are ignored with a note. Raises
    PixelDecodeError where the stream is damaged or too short.
    """
    size = (native_bits(desc) + 7) // 8
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    if size > DEFLATE_EXPANSION * len(data):
        raise PixelDecodeError(f"{len(data)} deflated bytes cannot hold a frame of {size}", offset=len(data))
    try:
        inflated = inflater.decompress(data, size)
        more = not inflater.eof and inflater.decompress(inflater.unconsumed_tail, 1)
    except zlib.error as error:
        raise PixelDecodeError(f"deflated frame: {error}") from error
    if len(inflated) < size:
        raise PixelDecodeError(f"deflated frame holds {len(inflated)} bytes of {size}", offset=len(data))
    samples = decode_native(memoryview(inflated), desc, out)
    if more:
        return samples, (Note("pixel-length", f"a deflated frame holds more than its {size} bytes: left out"),)
    if len(inflater.unused_data) > 1 and any(inflater.unused_data):
        return samples, (Note("pixel-length", f"{len(inflater.unused_data)} bytes follow a deflated frame: left out"),)
    return samples


def is_deflated_frame(data: memoryview, desc: FrameDescription) -> bool:
    """Whether `data` inflates to exactly one frame of `desc`, followed by at most a byte of padding."""
    size = (native_bits(desc) + 7) // 8
    if len(data) < TELLING_BYTES or size > DEFLATE_EXPANSION * len(data):
        return False
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(data, size + 1)
    except zlib.error:
        return False
    return len(inflated) == size and inflater.eof and len(inflater.unused_data) < 2


FORMATS = {
    "native": Format(decode_native, "dicomcore"),
    "uncompressed": Format(decode_encapsulated, "dicomcore"),
    "deflated": Format(decode_deflated, "dicomcore"),
}
