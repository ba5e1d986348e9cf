"""The encoders that come with dicomcore (PS3.5 8.2, A.4); `builtin` registers them.

The meaning of `quality` depends on the lossy syntax:

- JPEG: 1 to 100, 90 by default; for fewer than 8 Bits Stored the quantisation steps are smaller.
- JPEG-LS near-lossless: the largest error of a sample, 2 by default.
- JPEG 2000: the peak signal-to-noise ratio in dB, 60 by default.
- HTJ2K: the quantisation step as a fraction of the range of Bits Stored, 0.002 by default.
- JPEG XL: the distance, 0.1 by default; at 1.0 the loss is hardly visible in a photograph.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore import codecs
from dicomcore.errors import EncodeError
from dicomcore.pixels.coding.encoder_registry import Capacity, Encode, Writer
from dicomcore.pixels.coding.foreign import IMAGECODECS
from dicomcore.pixels.coding.quality import (
    DISTANCE,
    PSNR,
    STEP,
    dct_precision,
    distance_limit,
    jpeg_level,
    jpeg_limit,
    near_limit,
    near_of,
    psnr_limit,
    step_limit,
)
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.packing import packed_bits

__all__ = ["ENCODERS", "fits", "precision_of"]

SMALLEST = 64  # HTJ2K RPCL: the most rows and columns of the lowest resolution
FEW_BYTES = 512  # a lossy JPEG 2000 codestream shorter than this, plus 1/64 of the frame's bytes, is checked
# pyjpegls reserves twice the frame's bytes, which is too little for the headers of small frames.
SMALL_FRAME, SPARE = 4096, bytes(4096)
LEAST_PRECISION = 4  # OpenJPEG sizes its buffer by the bits of a sample, too small for noise of fewer bits
RGB_TO_RCT, RGB_TO_ICT, RGB_TO_XYB = {"RGB": "YBR_RCT"}, {"RGB": "YBR_ICT"}, {"RGB": "XYB"}
TO_422 = {"RGB": "YBR_FULL_422", "YBR_FULL": "YBR_FULL_422"}


def fits(samples: NDArray[Any], desc: FrameDescription) -> bool:
    """Whether every sample is within Bits Stored; some writers use more bits of the words."""
    bits = desc.stored
    if bits >= 8 * samples.itemsize:
        return True
    if samples.dtype.kind == "i":
        return bool(samples.min() >= -(1 << (bits - 1)) and samples.max() < 1 << (bits - 1))
    return bool(samples.max() < 1 << bits)


def precision_of(samples: NDArray[Any], desc: FrameDescription) -> int:
    """The bits per sample that preserve every sample: Bits Stored, or the whole word."""
    return desc.stored if fits(samples, desc) else 8 * samples.itemsize


def refuse_beyond(samples: NDArray[Any], desc: FrameDescription) -> None:
    """Raise EncodeError for samples beyond Bits Stored, which a codestream of that precision would cut off."""
    if not fits(samples, desc):
        raise EncodeError(f"samples from {samples.min()} to {samples.max()} are beyond {desc.stored} Bits Stored")


def narrowed(samples: NDArray[Any], precision: int) -> NDArray[Any]:
    """Samples in the smallest word for this precision: libraries choose what they encode by the word."""
    width = 1 if precision <= 8 else 2 if precision <= 16 else 4
    return samples if samples.itemsize == width else samples.astype(f"{samples.dtype.kind}{width}")


def encode_words(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode uncompressed, in little endian; single bits are packed (PS3.5 A.4.11)."""
    if desc.bits_allocated == 1:
        return packed_bits(samples)
    return np.ascontiguousarray(samples, samples.dtype.newbyteorder("<")).tobytes()


def encode_deflated(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode by Deflated Image Frame Compression (PS3.5 A.4.13)."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(encode_words(samples, desc, None)) + deflater.flush()


def encode_rle(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in RLE Lossless (PS3.5 Annex G)."""
    return codecs.rle_encode(samples)


def encode_jpeg_lossless(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in JPEG Lossless, process 14 with selection value 1, which is valid in both of its transfer syntaxes."""
    try:
        return codecs.jpeg_lossless_encode(samples, precision=max(desc.stored, 2))
    except EncodeError:
        if fits(samples, desc):
            raise
        return codecs.jpeg_lossless_encode(samples)


def encode_jpeg_ls(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in lossless JPEG-LS."""
    return _charls(samples, precision_of(samples, desc), 0)


def encode_near_lossless(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in near-lossless JPEG-LS, with errors of at most `quality`; decoded samples stay within the precision.

    Samples are unsigned, as T.87 has no signed ones: an error in two's complement would flip the sign at either end of
    the range.
    """
    precision = precision_of(samples, desc)
    return _charls(samples, precision, near_of(desc, quality, precision))


def ls_precision(desc: FrameDescription) -> int:
    """The precision of a JPEG-LS codestream: Bits Stored, at least 2 (T.87); without pyjpegls all bits of the word."""
    if find_spec("jpeg_ls") is None:
        return 8 * desc.dtype.itemsize
    return max(desc.stored, 2)


def _charls(samples: NDArray[Any], precision: int, near: int) -> bytes:
    if precision < 8 * samples.itemsize and find_spec("jpeg_ls") is not None:
        return _pyjpegls(samples, max(precision, 2), near)
    imagecodecs = import_module("imagecodecs")
    words = samples.view(f"u{samples.itemsize}")
    try:
        return bytes(imagecodecs.jpegls_encode(words, level=near))
    except imagecodecs.JpeglsError:  # the buffer of imagecodecs is too small for noise
        return bytes(imagecodecs.jpegls_encode(words, level=near, out=3 * words.nbytes + SMALL_FRAME))


def _pyjpegls(samples: NDArray[Any], precision: int, near: int) -> bytes:
    words = samples.view(f"u{samples.itemsize}")
    if samples.dtype.kind == "i":
        words = words & words.dtype.type((1 << precision) - 1)
    rows, columns, count = (*samples.shape, 1)[:3]
    mode = 2 if count > 1 else 0  # colour by pixel
    words = narrowed(words, precision)
    little = np.ascontiguousarray(words, words.dtype.newbyteorder("<")).tobytes()
    if len(little) < SMALL_FRAME:  # spare bytes enlarge its buffer; `encode_buffer` would refuse them
        return bytes(import_module("_CharLS")._encode(little + SPARE, near, mode, rows, columns, count, precision))
    return bytes(import_module("jpeg_ls").encode_buffer(little, rows, columns, count, precision, near, mode))


def encode_jpeg2000(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes | bytearray:
    """Encode in JPEG 2000 with the reversible wavelet, and RGB with the reversible component transform.

    The transform makes chrominance one bit wider than samples, and OpenJPEG reserves no bit plane for it: strongly
    coloured samples were decoded wrongly. So OpenJPEG is given a precision of one bit more, and the header is then
    changed to the real precision.
    """
    if samples.itemsize == 4:
        refuse_beyond(samples, desc)  # OpenJPEG encodes a full 32-bit word wrongly
    if not is_rgb(samples, desc):
        return _openjpeg(samples, desc, reversible=True)
    bits = max(precision_of(samples, desc), LEAST_PRECISION)
    words = samples.astype("i1" if bits < 8 else "i2" if bits < 16 else "i4", copy=False)
    if samples.dtype.kind == "u":
        words = shifted(samples, words.itemsize, bits)
    return _with_precision(_openjpeg(words, desc, bits + 1, reversible=True), bits, samples.dtype.kind == "i")


def encode_lossy_jpeg2000(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in JPEG 2000 with the irreversible wavelet."""
    level = PSNR.of(quality)
    refuse_beyond(samples, desc)
    coded = _openjpeg(samples, desc, reversible=False, level=level)
    if len(coded) > FEW_BYTES + samples.nbytes // 64:
        return coded
    # For a frame of almost equal values OpenJPEG may encode nothing at all, whatever ratio it was given.
    decoded = import_module("imagecodecs").jpeg2k_decode(coded, numthreads=1).reshape(samples.shape)
    error = np.sqrt(np.mean(np.square(decoded.astype(np.float64) - samples)))
    full = (1 << desc.stored) - 1
    return coded if error <= full * 10 ** (-level / 20) + 1 else _openjpeg(samples, desc, reversible=False)


def j2k_precision(desc: FrameDescription) -> int:
    """The precision of a lossless JPEG 2000 codestream."""
    return max(desc.stored, LEAST_PRECISION)


def is_rgb(samples: NDArray[Any], desc: FrameDescription) -> bool:
    """Whether samples are RGB, which a component transform turns into luminance and chrominance (PS3.5 8.2.4)."""
    return samples.ndim == 3 and samples.shape[2] == 3 and desc.photometric_interpretation == "RGB"


def shifted(samples: NDArray[Any], width: int, precision: int) -> NDArray[Any]:
    """Shift unsigned samples of `precision` bits by half their range, to signed words of `width` bytes (T.800 G.1)."""
    if width == samples.itemsize:
        return samples.view(f"i{width}") - (1 << (precision - 1))
    return np.subtract(samples, 1 << (precision - 1), dtype=f"i{width}", casting="unsafe")


def _openjpeg(samples: NDArray[Any], desc: FrameDescription, bits: int | None = None, **options: Any) -> bytes:
    """Encode a JPEG 2000 codestream with a precision of `bits`, by default the bits that the samples need."""
    encode = import_module("imagecodecs").jpeg2k_encode
    if bits is None:
        bits = max(precision_of(samples, desc), LEAST_PRECISION)
    resolutions = min(6, max(1, min(samples.shape[:2]).bit_length()))
    return bytes(
        encode(
            narrowed(samples, bits),
            codecformat="J2K",
            bitspersample=bits,
            mct=is_rgb(samples, desc),
            resolutions=resolutions,
            numthreads=1,
            **options,
        )
    )


def encode_htj2k(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes | bytearray:
    """Encode in HTJ2K with the reversible wavelet, by resolution, with tile-part lengths in the header (PS3.5 A.4.4).

    OpenJPH always states 8 or 16 bits, while PS3.5 8.2.4 requires a precision of Bits Stored. Only the level shift of
    unsigned samples depends on the precision (T.800 G.1). So unsigned samples are shifted here and encoded as signed
    ones, which are not shifted again. The header is then changed to Bits Stored and the real sign, so that decoders
    shift back.
    """
    precision = precision_of(samples, desc)
    words = narrowed(samples, precision)
    if precision == 8 * words.itemsize:
        return _openjph(words, desc, reversible=True)
    signed = words.dtype.kind == "i"
    if not signed:
        words = shifted(words, words.itemsize, precision)
    return _with_precision(_openjph(words, desc, reversible=True), precision, signed)


def _with_precision(codestream: bytes, precision: int, signed: bool) -> bytearray:
    """The codestream with `precision` and sign in each component's Ssiz (T.800 A.5.1)."""
    changed = bytearray(codestream)
    components = int.from_bytes(changed[40:42])  # after SOC, SIZ and its length, capabilities, eight sizes
    changed[42 : 42 + 3 * components : 3] = bytes([precision - 1 | signed << 7]) * components
    return changed


def encode_lossy_htj2k(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in HTJ2K with the irreversible wavelet."""
    step = STEP.of(quality)
    refuse_beyond(samples, desc)
    words = narrowed(samples, desc.stored)
    width = 8 * words.itemsize
    # OpenJPH's step is a fraction of the range of the word, not of Bits Stored; steps far below 1 overflow.
    level = max(step * 2.0 ** (desc.stored - width), 2.0 ** -(width + 3))
    return _openjph(words, desc, reversible=False, level=level)


def whole_word(desc: FrameDescription) -> int:
    """The precision of a lossy HTJ2K codestream: OpenJPH encodes all bits of a word."""
    return 8 if desc.stored <= 8 else 16


def _openjph(samples: NDArray[Any], desc: FrameDescription, **options: Any) -> bytes:
    encode = import_module("imagecodecs").htj2k_encode
    # OpenJPH 0.32 loses samples of the least value where it divides a single row or column into resolutions.
    levels = min(1, min(samples.shape[:2]) - 1)
    while levels and max(samples.shape[:2]) >> levels > SMALLEST:
        levels += 1
    return bytes(encode(samples, rgb=is_rgb(samples, desc), tlm=True, resolutions=levels, **options))


def encode_jpeg_xl(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in lossless JPEG XL."""
    return _libjxl(samples, desc, lossless=True)


def encode_lossy_jpeg_xl(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in lossy JPEG XL."""
    distance = DISTANCE.of(quality)
    refuse_beyond(samples, desc)
    return _libjxl(samples, desc, lossless=False, distance=distance)


def _libjxl(samples: NDArray[Any], desc: FrameDescription, **options: Any) -> bytes:
    encode = import_module("imagecodecs").jpegxl_encode
    bits = precision_of(samples, desc)
    return bytes(encode(narrowed(samples, bits), bitspersample=bits, usecontainer=False, numthreads=1, **options))


def encode_baseline(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in 8-bit JPEG; RGB is converted to YBR first, and chroma is halved horizontally."""
    return _libjpeg(samples, desc, quality, 8)


def encode_extended(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Encode in 8-bit JPEG, or for 16-bit words in 12-bit JPEG."""
    return _libjpeg(samples, desc, quality, dct_precision(desc))


def _libjpeg(samples: NDArray[Any], desc: FrameDescription, quality: float | None, bits: int) -> bytes:
    level = jpeg_level(desc, quality)
    refuse_beyond(samples, desc)
    encode = import_module("imagecodecs").jpeg8_encode
    if samples.ndim == 2:
        return bytes(
            encode(samples, level=level, colorspace="GRAYSCALE", outcolorspace="GRAYSCALE", bitspersample=bits)
        )
    given = "RGB" if desc.photometric_interpretation == "RGB" else "YCbCr"
    return bytes(
        encode(samples, level=level, colorspace=given, outcolorspace="YCbCr", subsampling="422", bitspersample=bits)
    )


def two_or_more(desc: FrameDescription) -> int:
    """The precision of a JPEG lossless codestream (T.81 B.2.2)."""
    return max(desc.stored, 2)


# The capacities. OpenJPEG's 32-bit coefficients overflow with 24-bit grey samples and with 23-bit colour. Lossy
# OpenJPEG is off by up to 3 at any depth, and JPEG by DCT by 1: too much for samples of few bits.
WHOLE = Capacity(allocated=(1, 8, 16, 32, 64), samples=(1, 2, 3, 4))
DEEP = Capacity(bits=(1, 16), allocated=(8, 16))
FEW = Capacity(bits=(1, 16), allocated=(8, 16), samples=(1, 3))
WIDE = Capacity(bits=(1, 22), allocated=(8, 16, 32), samples=(1, 3))
LOSSY = Capacity(bits=(8, 16), allocated=(8, 16), samples=(1, 3), palette=False, ybr=False)
FINE = Capacity(bits=(2, 16), allocated=(8, 16), samples=(1, 3), palette=False, ybr=False)
PLAIN = Capacity(bits=(1, 16), allocated=(8, 16), samples=(1, 3), signed=False, ybr=False)
SEEN = Capacity(bits=(2, 16), allocated=(8, 16), samples=(1, 3), signed=False, palette=False, ybr=False)
NEAR = Capacity(bits=(2, 16), allocated=(8, 16), samples=(1, 3), signed=False, palette=False)
# Readers assume that a colour JPEG is YBR, and convert it to RGB.
BASELINE = Capacity(
    bits=(4, 8), allocated=(8,), samples=(1, 3), signed=False, palette=False, colours=("RGB", "YBR_FULL")
)
EXTENDED = replace(BASELINE, bits=(4, 12), allocated=(8, 16))
DCT: dict[str, Any] = {"colours": TO_422, "precision": dct_precision, "limit": jpeg_limit}


def _library(name: str, encode: Encode, capacity: Capacity, **more: Any) -> Writer:
    """An encoder that calls a library through imagecodecs."""
    return Writer(encode, f"imagecodecs ({name})", capacity, requires=IMAGECODECS, **more)


ENCODERS = {  # by `Syntax.encoder`
    "words": Writer(encode_words, "dicomcore", WHOLE),
    "deflated": Writer(encode_deflated, "dicomcore", WHOLE),
    "RLE": Writer(encode_rle, "dicomcore", Capacity(pixel_bytes=15)),
    "JPEG lossless": Writer(encode_jpeg_lossless, "dicomcore", DEEP, precision=two_or_more),
    "JPEG baseline": _library("libjpeg-turbo", encode_baseline, BASELINE, **DCT),
    "JPEG extended": _library("libjpeg-turbo", encode_extended, EXTENDED, **DCT),
    "JPEG-LS": _library("CharLS", encode_jpeg_ls, FEW, precision=ls_precision),
    "JPEG-LS near-lossless": _library("CharLS", encode_near_lossless, NEAR, precision=ls_precision, limit=near_limit),
    "JPEG 2000": _library("OpenJPEG", encode_jpeg2000, WIDE, colours=RGB_TO_RCT, precision=j2k_precision),
    "JPEG 2000 lossy": _library("OpenJPEG", encode_lossy_jpeg2000, LOSSY, colours=RGB_TO_ICT, limit=psnr_limit),
    "HTJ2K": _library("OpenJPH", encode_htj2k, FEW, colours=RGB_TO_RCT),
    "HTJ2K lossy": _library(
        "OpenJPH", encode_lossy_htj2k, FINE, colours=RGB_TO_ICT, precision=whole_word, limit=step_limit
    ),
    "JPEG XL": _library("libjxl", encode_jpeg_xl, PLAIN),
    "JPEG XL lossy": _library("libjxl", encode_lossy_jpeg_xl, SEEN, colours=RGB_TO_XYB, limit=distance_limit),
}
