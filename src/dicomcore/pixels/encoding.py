"""The encoders that come with dicomcore, put into their registry on import (PS3.5 8.2, A.4).

What `quality` means is the syntax's own matter: JPEG 1 to 100 (90 by default); JPEG-LS near-lossless the largest error
of a sample (2); JPEG 2000 the peak signal-to-noise ratio in dB (60); HTJ2K the quantisation step as a part of the range
of Bits Stored (0.002); JPEG XL the distance, of which 1 is hardly seen (1.0).
"""

from __future__ import annotations

import zlib
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore import codecs
from dicomcore.errors import EncodeError
from dicomcore.pixels.builtin import IMAGECODECS
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.encoder_registry import Capacity, register_encoder
from dicomcore.pixels.packing import packed_bits

__all__ = ["fits", "precision_of"]

JPEG = "1.2.840.10008.1.2.4."
JPEG_QUALITY, NEAR, PSNR, STEP, DISTANCE = 90, 2, 60, 0.002, 1.0
SMALLEST = 64  # HTJ2K RPCL: the lowest resolution has at most so many rows and columns
RGB_TO_RCT, RGB_TO_ICT, RGB_TO_XYB = {"RGB": "YBR_RCT"}, {"RGB": "YBR_ICT"}, {"RGB": "XYB"}
TO_422 = {"RGB": "YBR_FULL_422", "YBR_FULL": "YBR_FULL_422"}


def fits(samples: NDArray[Any], desc: FrameDescription) -> bool:
    """Whether every sample is within Bits Stored; some writers leave more in the words."""
    bits = desc.stored
    if bits >= 8 * samples.itemsize:
        return True
    if samples.dtype.kind == "i":
        return bool(samples.min() >= -(1 << (bits - 1)) and samples.max() < 1 << (bits - 1))
    return bool(samples.max() < 1 << bits)


def precision_of(samples: NDArray[Any], desc: FrameDescription) -> int:
    """Bits a sample that lose nothing: Bits Stored, or all of the word."""
    return desc.stored if fits(samples, desc) else 8 * samples.itemsize


def within(quality: float | None, default: float, low: float, high: float, what: str) -> float:
    """The quality that is wanted; ValueError outside of what it means."""
    if quality is None:
        return default
    if not low <= quality <= high:
        raise ValueError(f"quality is {what}, {low:g} to {high:g}, not {quality:g}")
    return quality


def encode_words(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Uncompressed, little endian; single bits packed (PS3.5 A.4.11)."""
    if desc.bits_allocated == 1:
        return packed_bits(samples)
    return np.ascontiguousarray(samples, samples.dtype.newbyteorder("<")).tobytes()


def encode_deflated(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """Deflated Image Frame Compression (PS3.5 A.4.13)."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(encode_words(samples, desc, None)) + deflater.flush()


def encode_rle(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """RLE Lossless (PS3.5 Annex G)."""
    return codecs.rle_encode(samples)


def encode_jpeg_lossless(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """JPEG Lossless, process 14 with selection value 1, which both of its syntaxes take."""
    try:
        return codecs.jpeg_lossless_encode(samples, precision=max(desc.stored, 2))
    except EncodeError:
        if fits(samples, desc):
            raise
        return codecs.jpeg_lossless_encode(samples)


def encode_jpeg_ls(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """JPEG-LS without loss. Only pyjpegls says how many bits of a word count, which takes fewer bytes."""
    precision = precision_of(samples, desc)
    width = 8 * samples.itemsize
    if precision < width and precision >= 2 and find_spec("jpeg_ls") is not None:
        return _pyjpegls(samples, precision, 0)
    bare = samples.view(f"u{samples.itemsize}")
    return bytes(import_module("imagecodecs").jpegls_encode(bare))


def encode_near_lossless(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """JPEG-LS with errors of at most so much; what is encoded never leaves the range of Bits Stored."""
    precision = precision_of(samples, desc)
    near = int(within(quality, NEAR, 0, min(255, (1 << precision) // 2 - 1), "the largest error of a sample"))
    if precision == 8 * samples.itemsize:
        return bytes(import_module("imagecodecs").jpegls_encode(samples.view(f"u{samples.itemsize}"), level=near))
    if find_spec("jpeg_ls") is None:
        raise EncodeError(f"near-lossless JPEG-LS of {precision} bits needs pyjpegls: pip install dicomcore[jpegls]")
    return _pyjpegls(samples, precision, near)


def _pyjpegls(samples: NDArray[Any], precision: int, near: int) -> bytes:
    words = samples.view(f"u{samples.itemsize}")
    if samples.dtype.kind == "i":
        words = words & words.dtype.type((1 << precision) - 1)
    rows, columns, count = (*samples.shape, 1)[:3]
    mode = 2 if count > 1 else 0  # colour by pixel
    little = np.ascontiguousarray(words, words.dtype.newbyteorder("<"))
    encode = import_module("jpeg_ls").encode_buffer
    return bytes(encode(little.tobytes(), rows, columns, count, precision, near, mode))


def encode_jpeg2000(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """JPEG 2000 by the reversible wavelet; RGB by the reversible component transform."""
    return _openjpeg(samples, desc, reversible=True)


def encode_lossy_jpeg2000(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """JPEG 2000 by the irreversible wavelet."""
    level = within(quality, PSNR, 1, 200, "the peak signal-to-noise ratio in dB")
    return _openjpeg(samples, desc, reversible=False, level=level)


def _openjpeg(samples: NDArray[Any], desc: FrameDescription, **options: Any) -> bytes:
    encode = import_module("imagecodecs").jpeg2k_encode
    transformed = samples.ndim == 3 and samples.shape[2] == 3 and desc.photometric_interpretation == "RGB"
    bits = precision_of(samples, desc)
    resolutions = min(6, max(1, min(samples.shape[:2]).bit_length()))
    return bytes(
        encode(
            samples,
            codecformat="J2K",
            bitspersample=bits,
            mct=transformed,
            resolutions=resolutions,
            numthreads=1,
            **options,
        )
    )


def encode_htj2k(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """HTJ2K by the reversible wavelet, resolution by resolution, with lengths of tile-parts in front (PS3.5 A.4.4)."""
    return _openjph(samples, desc, reversible=True)


def encode_lossy_htj2k(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """HTJ2K by the irreversible wavelet."""
    step = within(quality, STEP, 1e-6, 0.5, "the quantisation step")
    # OpenJPH's step is a part of the range of the word, which Bits Stored needn't fill.
    return _openjph(samples, desc, reversible=False, level=step * 2.0 ** (desc.stored - 8 * samples.itemsize))


def _openjph(samples: NDArray[Any], desc: FrameDescription, **options: Any) -> bytes:
    encode = import_module("imagecodecs").htj2k_encode
    transformed = samples.ndim == 3 and samples.shape[2] == 3 and desc.photometric_interpretation == "RGB"
    # Of a single row or column OpenJPH 0.32 loses samples of the least value once it is divided into resolutions.
    levels = min(1, min(samples.shape[:2]) - 1)
    while levels and max(samples.shape[:2]) >> levels > SMALLEST:
        levels += 1
    return bytes(encode(samples, rgb=transformed, tlm=True, resolutions=levels, **options))


def encode_jpeg_xl(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """JPEG XL without loss."""
    return _libjxl(samples, desc, lossless=True)


def encode_lossy_jpeg_xl(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """JPEG XL."""
    distance = within(quality, DISTANCE, 0.01, 25, "the distance")
    return _libjxl(samples, desc, lossless=False, distance=distance)


def _libjxl(samples: NDArray[Any], desc: FrameDescription, **options: Any) -> bytes:
    encode = import_module("imagecodecs").jpegxl_encode
    bits = precision_of(samples, desc)
    return bytes(encode(samples, bitspersample=bits, usecontainer=False, numthreads=1, **options))


def encode_baseline(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """JPEG of 8 bits; colour with half as many chroma samples across, RGB turned to YBR before."""
    return _libjpeg(samples, desc, quality, 8)


def encode_extended(samples: NDArray[Any], desc: FrameDescription, quality: float | None) -> bytes:
    """JPEG of 8 or, in words of 16, of 12 bits."""
    return _libjpeg(samples, desc, quality, dct_precision(desc))


def dct_precision(desc: FrameDescription) -> int:
    """Bits of a sample in JPEG by DCT (T.81 B.2.2): 8 or 12."""
    return 8 if desc.bits_allocated == 8 else 12


def _libjpeg(samples: NDArray[Any], desc: FrameDescription, quality: float | None, bits: int) -> bytes:
    level = int(within(quality, JPEG_QUALITY, 1, 100, "JPEG's"))
    if not fits(samples, desc):
        raise EncodeError(f"samples up to {samples.max()} are beyond {desc.stored} Bits Stored, and JPEG has {bits}")
    encode = import_module("imagecodecs").jpeg8_encode
    if samples.ndim == 2:
        return bytes(
            encode(samples, level=level, colorspace="GRAYSCALE", outcolorspace="GRAYSCALE", bitspersample=bits)
        )
    given = "RGB" if desc.photometric_interpretation == "RGB" else "YCbCr"
    return bytes(
        encode(samples, level=level, colorspace=given, outcolorspace="YCbCr", subsampling="422", bitspersample=bits)
    )


def full_word(desc: FrameDescription) -> int:
    """All bits of a word."""
    return desc.bits_allocated


def _fill() -> None:
    whole = Capacity(allocated=(1, 8, 16, 32, 64), samples=(1, 2, 3, 4))
    register_encoder("1.2.840.10008.1.2.1.98", encode_words, name="dicomcore", capacity=whole)
    register_encoder("1.2.840.10008.1.2.8.1", encode_deflated, name="dicomcore", capacity=whole)
    register_encoder("1.2.840.10008.1.2.5", encode_rle, name="dicomcore")
    deep = Capacity(bits=(1, 16), allocated=(8, 16))
    for end in (57, 70):
        register_encoder(f"{JPEG}{end}", encode_jpeg_lossless, name="dicomcore", capacity=deep)
    few = Capacity(bits=(1, 16), allocated=(8, 16), samples=(1, 3))
    wide = Capacity(bits=(1, 24), allocated=(8, 16, 32), samples=(1, 3))
    lossy = Capacity(bits=(2, 16), allocated=(8, 16), samples=(1, 3), palette=False, ybr=False)
    plain = Capacity(bits=(1, 16), allocated=(8, 16), samples=(1, 3), signed=False, ybr=False)
    seen = Capacity(bits=(2, 16), allocated=(8, 16), samples=(1, 3), signed=False, palette=False, ybr=False)
    near = Capacity(bits=(2, 16), allocated=(8, 16), samples=(1, 3), palette=False)
    dct: dict[str, Any] = {"samples": (1, 3), "signed": False, "palette": False}
    jpeg: dict[str, Any] = {"method": "ISO_10918_1", "precision": dct_precision, "colours": TO_422}
    baseline, extended = Capacity(bits=(1, 8), allocated=(8,), **dct), Capacity(bits=(1, 12), allocated=(8, 16), **dct)
    for end, encode, name, capacity, more in (
        (50, encode_baseline, "libjpeg-turbo", baseline, {**jpeg}),
        (51, encode_extended, "libjpeg-turbo", extended, {**jpeg}),
        (80, encode_jpeg_ls, "CharLS", few, {}),
        (81, encode_near_lossless, "CharLS", near, {"method": "ISO_14495_1"}),
        (90, encode_jpeg2000, "OpenJPEG", wide, {"colours": RGB_TO_RCT}),
        (91, encode_lossy_jpeg2000, "OpenJPEG", lossy, {"method": "ISO_15444_1", "colours": RGB_TO_ICT}),
        (201, encode_htj2k, "OpenJPH", few, {"colours": RGB_TO_RCT}),
        (202, encode_htj2k, "OpenJPH", few, {"colours": RGB_TO_RCT}),
        (203, encode_lossy_htj2k, "OpenJPH", lossy,
         {"method": "ISO_15444_15", "colours": RGB_TO_ICT, "precision": full_word}),
        (110, encode_jpeg_xl, "libjxl", plain, {}),
        (112, encode_lossy_jpeg_xl, "libjxl", seen, {"method": "ISO_18181_1", "colours": RGB_TO_XYB}),
    ):  # fmt: skip
        register_encoder(
            f"{JPEG}{end}", encode, name=f"imagecodecs ({name})", capacity=capacity, requires=IMAGECODECS, **more
        )


_fill()
