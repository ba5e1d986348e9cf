"""The RLE Lossless and JPEG Lossless codecs alone, for callers who have codestreams and no data set."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomcore._native.jpegll import codec as _jpegll
from dicomcore._native.jpegll import encode as _jpegll_encode
from dicomcore._native.jpegll import tail as _jpegll_tail
from dicomcore._native.pixels import rle as _rle
from dicomcore.errors import EncodeError, PixelDecodeError
from dicomcore.threads import hand_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "JpegLosslessInfo",
    "jpeg_lossless_decode",
    "jpeg_lossless_decode_components",
    "jpeg_lossless_encode",
    "jpeg_lossless_info",
    "rle_decode",
    "rle_encode",
]

ARRAY = np.ndarray
UNSIGNED = {width: np.dtype(f"u{width}") for width in (1, 2, 4, 8)}

PARTIAL_SAMPLES_PER_BYTE = 1 << 12  # a truncated codestream may claim this many
RLE_WIDTHS = {1: 1, 8: 1, 16: 2, 32: 4, 64: 8}  # bytes per sample, by Bits Allocated
RLE_EXPANSION = 64  # 2 bytes expand to 128 at most (PS3.5 G.3.1)


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

    Parameters
    ----------
    frame : bytes-like
        The 64-byte RLE Header and its segments. Bytes of a segment beyond its plane are ignored.
    rows, columns : int
        Size of the frame in pixels.
    samples_per_pixel : int
        1 for grayscale, 3 for colour.
    bits_allocated : int
        8, 16, 32 or 64; or 1, which gives one byte per pixel, 0 or 1.
    out : writable contiguous buffer, optional
        Receives the samples instead of a new array; of exactly their size.
    planar : bool
        Put the samples axis first.
    partial : bool
        Return what could be decoded of a damaged frame, and zeros for the rest, instead of raising.

    Returns
    -------
    ndarray
        Unsigned samples of `bits_allocated` bits in native byte order: ``(rows, columns)``, ``(rows, columns,
        samples)``, or with `planar` ``(samples, rows, columns)``.

    Raises
    ------
    PixelDecodeError
        The frame is damaged; ``offset`` counts bytes from the start of `frame`.
    """
    # A small frame takes less time than the checks of any other buffer.
    is_array = type(out) is ARRAY and not partial
    if is_array and _rle.decode_into(frame, out, rows, columns, samples_per_pixel, bits_allocated, planar):
        return out
    array, _ = rle_decode_noting(
        frame,
        rows=rows,
        columns=columns,
        samples_per_pixel=samples_per_pixel,
        bits_allocated=bits_allocated,
        out=out,
        planar=planar,
        partial=partial,
    )
    return array


def rle_decode_noting(
    frame: Any,
    *,
    rows: int,
    columns: int,
    samples_per_pixel: int,
    bits_allocated: int,
    out: Any = None,
    planar: bool = False,
    partial: bool = False,
) -> tuple[NDArray[Any], int | None]:
    """As `rle_decode`, with the offset of the first byte that was ignored because its plane was full, or None."""
    width = RLE_WIDTHS.get(bits_allocated)
    if width is None:
        raise ValueError(f"bits_allocated is 1, 8, 16, 32 or 64, not {bits_allocated}")
    if rows < 1 or columns < 1 or samples_per_pixel < 1:
        raise ValueError(f"a frame of {rows} × {columns} pixels with {samples_per_pixel} samples")
    pixels = rows * columns if bits_allocated > 1 else -(-rows * columns // 8)
    held = size_of(frame)
    size = pixels * samples_per_pixel * width
    if size > RLE_EXPANSION * held and not (partial and out is not None):
        raise PixelDecodeError(f"{held} bytes cannot hold a frame of {size} bytes", offset=held)
    shape: tuple[int, ...] = (rows, columns)
    if samples_per_pixel > 1:
        shape = (samples_per_pixel, rows, columns) if planar else (rows, columns, samples_per_pixel)
    if bits_allocated > 1:
        array = output(out, shape, UNSIGNED[width])
        beyond = _rle.decode_frame(frame, array, pixels, samples_per_pixel, width, planar, partial)
        if sys.byteorder == "big":
            array.byteswap(inplace=True)
        return array, beyond
    planes, beyond = _decode_bits(frame, rows * columns, samples_per_pixel, partial)
    bits = planes if planar or samples_per_pixel == 1 else planes.T
    array = output(out, shape, UNSIGNED[1])
    array[...] = bits.reshape(shape)
    return array, beyond


def _decode_bits(frame: Any, pixels: int, samples: int, partial: bool) -> tuple[NDArray[Any], int | None]:
    """Decode single bits to planes of a byte for each sample.

    Some writers pack them before the runs are made, others (pydicom 3.1) give each sample a byte. Segments that hold
    twice what packed samples need are of the second kind.
    """
    width = -(-pixels // 8)
    packed = np.empty(samples * width, np.uint8)
    beyond = _rle.decode_frame(frame, packed, width, samples, 1, True, partial)
    if beyond is not None and _holds(frame, samples, min(2 * width, pixels)):
        whole = np.empty((samples, pixels), np.uint8)
        beyond = _rle.decode_frame(frame, whole, pixels, samples, 1, True, partial)
        return whole & 1, beyond
    return np.unpackbits(packed.reshape(samples, -1), axis=1, count=pixels, bitorder="little"), beyond


def _holds(frame: Any, samples: int, count: int) -> bool:
    """Whether each segment has at least `count` bytes when it is decoded."""
    try:
        _rle.decode_frame(frame, np.empty(samples * count, np.uint8), count, samples, 1, True, False)
    except PixelDecodeError:
        return False
    return True


def rle_encode(array: Any, *, planar: bool = False) -> bytes:
    """Encode one frame as RLE Lossless (PS3.5 Annex G); return the RLE Header and its segments, of even length.

    `array` is ``(rows, columns)``, ``(rows, columns, samples)``, or with `planar` ``(samples, rows, columns)``, of any
    8, 16, 32 or 64-bit dtype. No run crosses the end of a row (G.3.1). Raises EncodeError if the samples need more than
    15 segments.
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
    return _rle.encode_frame(pixels, rows * columns, columns, samples, pixels.itemsize, planar)


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegLosslessInfo:
    """Fields of the frame header and the first scan header of a codestream (T.81 B.2.2, B.2.3)."""

    rows: int
    columns: int
    precision: int
    """Bits per sample, 2 to 16."""
    components: tuple[tuple[int, int, int], ...]
    """Identifier, rows and columns of each component; they differ where components are subsampled."""
    predictor: int
    """Selection value, 1 to 7 (T.81 table H.1)."""
    point_transform: int
    """Number of low-order bits that the encoder dropped."""
    restart_interval: int
    """In minimum coded units; 0 means none."""
    interleaved: bool
    """Whether the first scan has more than one component."""
    scan_offset: int
    """Offset of the first byte of entropy-coded data."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the decoded array."""
        samples = len(self.components)
        return (self.rows, self.columns, samples) if samples > 1 else (self.rows, self.columns)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the decoded array: uint8 for up to 8 bits, else uint16."""
        return UNSIGNED[1 if self.precision <= 8 else 2]


def jpeg_lossless_info(codestream: Any) -> JpegLosslessInfo:
    """Read the headers of a JPEG lossless codestream (T.81 process 14) up to its first scan.

    Raises PixelDecodeError, whose ``offset`` counts bytes from the start of `codestream`, and
    UnsupportedTransferSyntaxError for other kinds of JPEG.
    """
    return JpegLosslessInfo(**_jpegll.info(codestream))


def jpeg_lossless_decode(codestream: Any, *, out: Any = None, partial: bool = False, threads: int = 1) -> NDArray[Any]:
    """Decode a JPEG lossless codestream (T.81 process 14) of 2 to 16 bits, 1 to 4 components and any predictor.

    Returns ``(rows, columns)`` or ``(rows, columns, samples)`` in native byte order: uint8 for up to 8 bits of
    precision, else uint16. Samples of subsampled components are repeated. `out`, a writable contiguous buffer, receives
    the samples instead of a new array; if it has twice the bytes that 8-bit samples need, it receives uint16. With
    `threads` of 2 or more, a large frame is decoded on two threads, with the same result; many frames are decoded
    faster with one thread for each. Raises PixelDecodeError, whose ``offset`` counts bytes from the start of
    `codestream`. With `partial`, the rows that could be decoded are returned, and zeros for the rest.
    """
    info = jpeg_lossless_info(codestream)
    size = prod(info.shape)
    check_claim(codestream, info, size, partial)
    dtype = info.dtype
    if out is not None and dtype.itemsize == 1 and memoryview(out).nbytes == 2 * size:
        dtype = np.dtype(np.uint16)
    array = output(out, info.shape, dtype)
    if threads < 2 or not decode_on_two(codestream, array, partial):
        _jpegll.decode_frame(codestream, array, dtype.itemsize, False, partial)
    return array


def decode_on_two(codestream: Any, array: NDArray[Any], partial: bool) -> bool:
    """Decode on two threads; return False if the codestream is too short for that, or has another structure."""
    tail = _jpegll_tail.Tail(codestream)
    if not tail:
        return False
    wait = hand_out(tail.run)
    try:
        _jpegll_tail.decode_frame(tail, array, array.itemsize, wait, partial)
    finally:
        wait()
    return True


def jpeg_lossless_decode_components(codestream: Any, *, partial: bool = False) -> list[NDArray[Any]]:
    """Decode a JPEG lossless codestream to one ``(rows, columns)`` array per component, not upsampled (T.81 A.1.1)."""
    info = jpeg_lossless_info(codestream)
    sizes = [rows * columns for _, rows, columns in info.components]
    check_claim(codestream, info, sum(sizes), partial)
    samples = np.empty(sum(sizes), info.dtype)
    _jpegll.decode_frame(codestream, samples, info.dtype.itemsize, True, partial)
    parts = np.split(samples, np.cumsum(sizes)[:-1])
    return [part.reshape(rows, columns) for part, (_, rows, columns) in zip(parts, info.components, strict=True)]


def jpeg_lossless_encode(array: Any, *, precision: int | None = None, selection_value: int = 1) -> bytes:
    """Encode one frame as a JPEG lossless codestream (T.81 process 14), in one scan with an optimal Huffman table.

    `array` is ``(rows, columns)`` or ``(rows, columns, samples)`` with up to 4 samples, of an 8 or 16-bit integer
    dtype. `precision` is 2 to 16 bits per sample, by default all bits of the dtype. Signed samples are written as two's
    complement of `precision` bits; decoders return them unsigned. `selection_value` is the predictor, 1 to 7; JPEG
    Lossless, Non-Hierarchical, First-Order Prediction (Process 14, Selection Value 1) requires 1. The length of the
    codestream may be odd; an item of pixel data then needs a zero byte behind it. Raises EncodeError for arrays that
    the format cannot hold.
    """
    pixels = np.asarray(array)
    if pixels.ndim not in (2, 3) or not pixels.size or max(pixels.shape[:2]) > 0xFFFF or pixels.shape[2:] > (4,):
        raise EncodeError(f"JPEG lossless holds up to 65535 × 65535 pixels of 1 to 4 samples, not {pixels.shape}")
    if pixels.dtype.kind not in "iub" or pixels.itemsize > 2:
        raise EncodeError(f"JPEG lossless holds integers of up to 16 bits, not {pixels.dtype}")
    width = 8 * pixels.itemsize
    precision = width if precision is None else precision
    if not 2 <= precision <= width or not 1 <= selection_value <= 7:
        raise EncodeError(
            f"precision is 2 to {width} and selection_value 1 to 7, not {precision} and {selection_value}"
        )
    if precision < width:
        low, high = (
            (-1 << precision - 1, (1 << precision - 1) - 1) if pixels.dtype.kind == "i" else (0, (1 << precision) - 1)
        )
        if int(pixels.min()) < low or int(pixels.max()) > high:
            raise EncodeError(f"samples from {pixels.min()} to {pixels.max()} don't fit {precision} bits")
    pixels = np.require(pixels, pixels.dtype.newbyteorder("="), ["C", "A"])
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    return _jpegll_encode.encode_frame(
        pixels, pixels.shape[0], pixels.shape[1], samples, pixels.itemsize, precision, selection_value
    )


def check_claim(codestream: Any, info: JpegLosslessInfo, samples: int, partial: bool) -> None:
    """Refuse a frame that the codestream cannot hold before it is allocated: a sample takes at least one bit."""
    total = size_of(codestream)
    held = total - info.scan_offset
    if samples > (PARTIAL_SAMPLES_PER_BYTE if partial else 8) * held:
        raise PixelDecodeError(f"{held} bytes cannot hold {samples} samples", offset=total)


def output(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A view of `out` with this shape and dtype, or a new array."""
    if out is None:
        return np.empty(shape, dtype)
    if type(out) is np.ndarray and out.shape == shape and out.dtype == dtype and out.flags.carray:
        return out
    view = memoryview(out)
    size = prod(shape) * dtype.itemsize
    if view.readonly or not view.c_contiguous or view.nbytes != size:
        raise ValueError(f"out is to be a writable contiguous buffer of {size} bytes")
    return np.frombuffer(view.cast("B"), dtype).reshape(shape)


def size_of(buffer: Any) -> int:
    """Number of bytes in a buffer."""
    kind = type(buffer)
    return len(buffer) if kind is bytes or kind is bytearray else memoryview(buffer).nbytes
