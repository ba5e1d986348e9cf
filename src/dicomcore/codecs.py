"""The codecs alone, for callers who bring their own bytes: RLE Lossless and JPEG Lossless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dicomcore._native import rle as _rle
from dicomcore.errors import EncodeError, PixelDecodeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["rle_decode", "rle_encode"]

RLE_EXPANSION = 64  # 2 bytes stand for 128 at most (PS3.5 G.3.1)


def rle_decode(
    frame: Any,
    *,
    rows: int,
    columns: int,
    samples_per_pixel: int = 1,
    bits_allocated: int,
    out: Any = None,
    planar: bool = False,
    partial: bool = False,
) -> NDArray[Any]:
    """Decode one frame of RLE Lossless pixel data (PS3.5 Annex G).

    `frame` is any buffer that holds the 64-byte RLE Header and its segments. Returns ``(rows, columns)``, or ``(rows,
    columns, samples)``, or with `planar` ``(samples, rows, columns)``: unsigned samples of `bits_allocated` 8, 16, 32 or
    64 bits in native byte order; `bits_allocated` 1 gives one byte a pixel, 0 or 1. `out`, a writable contiguous buffer
    of that size, takes the samples in place of a new array. Raises PixelDecodeError, whose ``offset`` counts bytes from
    the start of `frame`; with `partial` what could be decoded is returned, and zeros for the rest.
    """
    if bits_allocated not in (1, 8, 16, 32, 64):
        raise ValueError(f"bits_allocated is 1, 8, 16, 32 or 64, not {bits_allocated}")
    if min(rows, columns, samples_per_pixel) < 1:
        raise ValueError(f"a frame of {rows} × {columns} pixels with {samples_per_pixel} samples")
    width = max(bits_allocated // 8, 1)
    pixels = rows * columns if bits_allocated > 1 else -(-rows * columns // 8)
    held = memoryview(frame).nbytes
    size = pixels * samples_per_pixel * width
    if size > RLE_EXPANSION * held and not (partial and out is not None):
        raise PixelDecodeError(f"{held} bytes cannot hold a frame of {size} bytes", offset=held)
    shape: tuple[int, ...] = (rows, columns)
    if samples_per_pixel > 1:
        shape = (samples_per_pixel, *shape) if planar else (*shape, samples_per_pixel)
    if bits_allocated == 1:
        packed = np.empty(samples_per_pixel * pixels, np.uint8)
        _rle.decode_frame(flat(frame), packed, pixels, samples_per_pixel, 1, True, partial)
        planes = np.unpackbits(packed.reshape(samples_per_pixel, -1), axis=1, count=rows * columns, bitorder="little")
        bits = planes if planar or samples_per_pixel == 1 else planes.T
        array = output(out, shape, np.dtype(np.uint8))
        array[...] = bits.reshape(shape)
        return array
    array = output(out, shape, np.dtype(f"u{width}"))
    _rle.decode_frame(flat(frame), flat(array), rows * columns, samples_per_pixel, width, planar, partial)
    return array


def rle_encode(array: Any, *, planar: bool = False) -> bytes:
    """Encode one frame as RLE Lossless (PS3.5 Annex G): the RLE Header and its segments, of even length.

    `array` is ``(rows, columns)`` or ``(rows, columns, samples)``, with `planar` ``(samples, rows, columns)``, of any
    8, 16, 32 or 64-bit dtype. No run crosses the end of a row (G.3.1). Raises EncodeError where the samples would take
    more than 15 segments.
    """
    pixels = np.asarray(array)
    if pixels.ndim not in (2, 3) or not pixels.size:
        raise EncodeError(f"a frame has two or three dimensions and pixels, not the shape {pixels.shape}")
    pixels = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    if pixels.ndim == 2:
        (rows, columns), samples = pixels.shape, 1
    elif planar:
        samples, rows, columns = pixels.shape
    else:
        rows, columns, samples = pixels.shape
    if pixels.itemsize * samples > 15:
        raise EncodeError(f"{samples} samples of {pixels.itemsize} bytes need more than RLE's 15 segments (PS3.5 G.5)")
    return _rle.encode_frame(flat(pixels), rows * columns, columns, samples, pixels.itemsize, planar)


def flat(buffer: Any) -> memoryview:
    """The bytes of a contiguous buffer."""
    return memoryview(buffer).cast("B")


def output(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """`out` seen as an array of `shape`, or a new one."""
    if out is None:
        return np.empty(shape, dtype)
    view = memoryview(out)
    size = int(np.prod(shape)) * dtype.itemsize
    if view.readonly or not view.c_contiguous or view.nbytes != size:
        raise ValueError(f"out is to be a writable contiguous buffer of {size} bytes")
    return np.frombuffer(view.cast("B"), dtype).reshape(shape)
