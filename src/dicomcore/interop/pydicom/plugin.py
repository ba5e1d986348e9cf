"""The functions that pydicom's decoders and encoders call for each frame, by pydicom's conventions for plugins.

pydicom looks up `is_available`, `DECODER_DEPENDENCIES` and `ENCODER_DEPENDENCIES` in the module of a plugin.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore import codecs
from dicomcore._native.pixels.blank import blank
from dicomcore.errors import EncodeError, LimitError, PixelDecodeError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.pixels import FrameDescription, codec_for, decode_frame
from dicomcore.pixels import codecs as known_codecs
from dicomcore.pixels.coding.decoding import check_header
from dicomcore.pixels.colour import coded_colour
from dicomcore.uids import JPEGLossless, JPEGLosslessSV1, RLELossless

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import DecodeRunner
    from pydicom.pixels.encoders.base import EncodeRunner

__all__ = ["DECODER_DEPENDENCIES", "ENCODER_DEPENDENCIES", "decode", "encode", "is_available"]

YBR_FULL = ("YBR_FULL", "YBR_FULL_422")
"""Photometric interpretations that pydicom converts to RGB."""
WARNED = ("pixel-incomplete", "pixel-end", "pixel-length", "pixel-transfer-syntax")
"""Codes of notes that become warnings; pydicom itself warns of the others."""
STATED = "dicomcore_stated"
"""The runner's option in which the stated description of the frames is kept."""

DECODER_DEPENDENCIES = {codec.uid: (codec.requires.module,) if codec.requires else () for codec in known_codecs()}
ENCODER_DEPENDENCIES: dict[str, tuple[str, ...]] = {RLELossless: (), JPEGLossless: (), JPEGLosslessSV1: ()}


default_limits = DEFAULT_LIMITS
"""The limits given to `register`: pydicom has no way to pass them to a plugin."""


def is_available(uid: str) -> bool:
    """Whether a decoder of the transfer syntax `uid` is installed; the encoders need no other package."""
    return any(codec.uid == uid and codec.available for codec in known_codecs())


def decode(src: bytes, runner: DecodeRunner) -> bytearray:
    """Decode the codestream of one frame, without colour conversion.

    Returns little-endian samples, by pixel, or by plane for RLE. Samples have the width of Bits Allocated, or a byte
    each for single bits; if width, order or colour differ from the runner's options, the options are set, from pydicom
    3.1 on those of the frame alone. The option ``limits`` is a `Limits`, by default the one given to `register`. Raises
    PixelDecodeError, after which pydicom tries its next plugin.
    """
    description = _stated_description(runner)
    decoder = _decode_rle if description.transfer_syntax == RLELossless else _decode_by_pixel
    frame, width = decoder(src, description, runner)
    if 8 * width != runner.bits_allocated:
        _state(runner, "bits_allocated", 8 * width)
    if sys.byteorder == "big":
        _swap(frame, width)
    return frame


def _decode_rle(src: bytes, description: FrameDescription, runner: DecodeRunner) -> tuple[bytearray, int]:
    """Return the planes in the order of the segments, as pydicom's own plugins do, and the width of a sample."""
    width = description.dtype.itemsize
    frame = _blank(description)
    _, beyond = codecs.rle_decode_noting(
        src,
        rows=description.rows,
        columns=description.columns,
        samples_per_pixel=description.samples_per_pixel,
        bits_allocated=description.bits_allocated,
        out=frame,
        planar=True,
    )
    if beyond is not None:
        warnings.warn(f"an RLE segment holds more than its plane, from byte {beyond} on: left out", stacklevel=2)
    _state(runner, "planar_configuration", 1)
    if "<" in (runner.get_option("rle_segment_order"), runner.get_option("byteorder")):
        _swap(frame, width)  # pydicom's options for writers that put the least significant byte first
    return frame, width


def _decode_by_pixel(src: bytes, description: FrameDescription, runner: DecodeRunner) -> tuple[bytearray, int]:
    stated, description = description, _corrected(src, description)
    limits: Limits = runner.get_option("limits") or default_limits
    frame = _blank(description)
    out = np.frombuffer(frame, description.dtype).reshape(description.shape)
    decoded = decode_frame(src, description, out=out, limits=limits, stated=stated)
    for note in decoded.notes:
        if note.code in WARNED:
            warnings.warn(note.message, stacklevel=2)
    if description.samples_per_pixel > 1:
        _state(runner, "planar_configuration", 0)
        space = coded_colour(decoded.description, decoded.info)
        if space == "RGB":
            _state(runner, "photometric_interpretation", "RGB")
        elif space == "YBR" and _stated_colour(runner) not in YBR_FULL:
            _state(runner, "photometric_interpretation", "YBR_FULL")
    return frame, description.dtype.itemsize


def _blank(description: FrameDescription) -> bytearray:
    """Allocate the frame; memory that is not written costs nothing if the codestream is refused."""
    size = description.samples * description.dtype.itemsize
    if description.rows * description.columns > DEFAULT_LIMITS.frame_pixels:
        raise LimitError(f"a frame of {description.rows} × {description.columns} pixels exceeds the limit")
    return blank(size)


def _swap(frame: bytearray, width: int) -> None:
    np.frombuffer(frame, f"u{width}").byteswap(inplace=True)


def _state(runner: Any, name: str, value: Any) -> None:
    """Set an option that describes the decoded frame: from pydicom 3.1 on each frame has its own."""
    if hasattr(runner, "set_frame_option"):
        runner.set_frame_option(runner.index, name, value)
    else:
        runner.set_option(name, value)


def _stated_colour(runner: Any) -> str:
    """Return the photometric interpretation that pydicom has for this frame before it is decoded."""
    stated = runner.photometric_interpretation
    if hasattr(runner, "get_frame_option"):
        stated = runner.get_frame_option(runner.index, "photometric_interpretation", stated)
    return str(stated)


def _stated_description(runner: DecodeRunner) -> FrameDescription:
    """Return the description in the data set: options that are set for one frame stay set for the next ones.

    It is therefore kept from the first frame on, among the runner's options, which belong to one call of pydicom.
    """
    stated: FrameDescription | None = runner.get_option(STATED)
    if stated is None:
        stated = _options(runner)
        runner.set_option(STATED, stated)
    return stated


def _options(runner: DecodeRunner) -> FrameDescription:
    return FrameDescription(
        rows=runner.rows,
        columns=runner.columns,
        samples_per_pixel=runner.samples_per_pixel,
        bits_allocated=runner.bits_allocated,
        bits_stored=runner.get_option("bits_stored"),
        pixel_representation=runner.get_option("pixel_representation", 0),
        photometric_interpretation=str(runner.photometric_interpretation),
        planar_configuration=runner.get_option("planar_configuration", 0),
        transfer_syntax=str(runner.transfer_syntax),
    )


def _corrected(src: bytes, stated: FrameDescription) -> FrameDescription:
    """Correct the stated description by the header of the codestream."""
    read_header = codec_for(stated.transfer_syntax).read_header
    if read_header is None:
        return stated
    corrected, notes = check_header(read_header(memoryview(src)), stated)
    if corrected.samples_per_pixel != stated.samples_per_pixel:
        # pydicom has already allocated the array, for another number of samples
        raise PixelDecodeError("; ".join(note.message for note in notes))
    return corrected


def encode(src: bytes, runner: EncodeRunner) -> bytes:
    """Encode one frame of little-endian samples as RLE Lossless or JPEG Lossless.

    `src` has the samples in the smallest container for Bits Stored, as pydicom passes them. For JPEG Lossless the
    option ``selection_value`` is the predictor, 1 to 7; the transfer syntax JPEGLosslessSV1 requires 1. Raises
    EncodeError.
    """
    samples = _frame_array(src, runner)
    uid = str(runner.transfer_syntax)
    if uid == RLELossless:
        width = -(-runner.bits_allocated // 8)
        kind = samples.dtype.kind
        return codecs.rle_encode(samples.astype(f"{kind}{width}", copy=False))
    value = runner.get_option("selection_value", 1)
    if uid == JPEGLosslessSV1 and value != 1:
        raise EncodeError(f"transfer syntax {uid} has selection value 1, not {value}")
    precision = max(runner.bits_stored, 2)  # the least that T.81 table B.2 allows
    coded = codecs.jpeg_lossless_encode(samples, precision=precision, selection_value=value)
    return coded + bytes(len(coded) % 2)


def _frame_array(src: bytes, runner: EncodeRunner) -> NDArray[Any]:
    """Return the frame as an array by pixel."""
    rows, columns, count = runner.rows, runner.columns, runner.samples_per_pixel
    samples = rows * columns * count
    if runner.bits_allocated == 1 and len(src) == -(-samples // 8):  # pydicom passes single bits packed, or a byte each
        src = np.unpackbits(np.frombuffer(src, np.uint8), count=samples, bitorder="little").tobytes()
    width = len(src) // samples
    if width not in (1, 2, 4, 8) or width * samples != len(src):
        raise EncodeError(f"{len(src)} bytes are not a frame of {rows} × {columns} pixels with {count} samples")
    values = np.frombuffer(src, f"<{'i' if runner.pixel_representation else 'u'}{width}")
    if count == 1:
        return values.reshape(rows, columns)
    # pydicom passes an array by pixel, but a buffer in the order of the data set.
    if runner.planar_configuration == 1 and not runner.is_array:
        return values.reshape(count, rows, columns).transpose(1, 2, 0)
    return values.reshape(rows, columns, count)
