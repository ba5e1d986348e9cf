"""Decoders of JPEG, JPEG-LS, JPEG 2000, HTJ2K and JPEG XL through imagecodecs, which is imported when first needed.

`dicomcore.pixels.coding.headers` has read and checked the header of each codestream before. Each decoder runs on one
thread, as frames are decoded in parallel.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels import planes
from dicomcore.arrays import as_bytes
from dicomcore.errors import PixelDecodeError
from dicomcore.pixels.coding.chroma import decode_chroma
from dicomcore.pixels.coding.endings import END
from dicomcore.pixels.coding.headers import end_of_tile_parts, read_j2k, read_jpeg, read_jxl
from dicomcore.pixels.coding.registry import Format, Requirement
from dicomcore.pixels.description import FrameDescription

__all__ = ["FORMATS", "IMAGECODECS", "decode_jpeg", "decode_jpeg2000", "decode_jpeg_ls", "decode_jpeg_xl"]

IMAGECODECS = Requirement("imagecodecs", "pip install imagecodecs")


def decode_jpeg(data: memoryview, desc: FrameDescription, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decode JPEG of any DCT process of libjpeg-turbo, 8 and 12 bits; chroma is upsampled, colour stays as coded."""
    imagecodecs = import_module("imagecodecs")
    # libjpeg converts no colour where input and output spaces are the same. For four components an Adobe marker segment
    # distinguishes CMYK from YCCK, and no Photometric Interpretation is YCCK.
    space = {1: "GRAYSCALE", 3: "YCBCR", 4: "CMYK"}.get(desc.samples_per_pixel)
    coded = None if desc.samples_per_pixel == 4 else space
    return imagecodecs.jpeg8_decode(
        data, colorspace=coded, outcolorspace=space, out=_fitting(out, desc, "u", desc.stored)
    )


def decode_jpeg_ls(data: memoryview, desc: FrameDescription, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decode JPEG-LS, lossless and near-lossless, by CharLS; colour in any interleave mode."""
    imagecodecs = import_module("imagecodecs")
    if END not in bytes(data[-16:]):
        # After a stream that breaks off, CharLS 2.4 counts zeros up to 2^31, for ten seconds. A marker stops it.
        data = memoryview(bytes(data) + END)
    if desc.samples_per_pixel == 1:
        return imagecodecs.jpegls_decode(data, out=_fitting(out, desc, "u", desc.stored))
    samples = imagecodecs.jpegls_decode(data)
    by_plane = np.moveaxis(samples, -1, 0)
    if not by_plane.flags.c_contiguous or samples.flags.c_contiguous:
        return samples
    mixed = _fitting(out, desc, "u", desc.stored)
    if mixed is None:
        mixed = np.empty(samples.shape, samples.dtype)
    planes.interleave(as_bytes(by_plane), as_bytes(mixed), desc.samples_per_pixel, samples.itemsize)
    return mixed


def decode_jpeg2000(data: memoryview, desc: FrameDescription, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decode JPEG 2000 Part 1 and HTJ2K by OpenJPEG, undoing component transforms and ignoring a JP2 file's boxes.

    OpenJPH would decode HTJ2K faster. It is not used because, as imagecodecs calls it, a lossy frame's overshoot wraps
    around, and errors in a codestream only go to stderr, while samples that were never written are returned.
    """
    imagecodecs = import_module("imagecodecs")
    info = read_j2k(data)
    # A JP2 file's palette or colour profile is no part of the samples (PS3.5 A.4.4): OpenJPEG gets the bare codestream.
    bare = data[info.offset : info.offset + info.length]
    kind = "i" if info.signed else "u"
    target = _fitting(out, desc, kind, info.precision or desc.stored)

    def decode(codestream: Any) -> NDArray[Any]:
        if info.subsampled:
            return decode_chroma(lambda jp2: imagecodecs.jpeg2k_decode(jp2, numthreads=1), codestream, info)
        return imagecodecs.jpeg2k_decode(codestream, numthreads=1, out=target)

    try:
        return decode(bare)
    except imagecodecs.Jpeg2kError:
        # OpenJPEG fails where EOC is missing after the last tile-part, or where a marker segment precedes it, as in a
        # PACS that pads its frames with one.
        end = end_of_tile_parts(bare)
        if end is None or END in bytes(bare[end - 2 : end + 2]):  # no tile-part contains EOC: its bytes are missing
            raise
        return decode(bytes(bare[:end]) + END)


def decode_jpeg_xl(data: memoryview, desc: FrameDescription, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decode JPEG XL, including recompressed JPEG, by libjxl, to RGB or grey in any case."""
    imagecodecs = import_module("imagecodecs")
    samples = imagecodecs.jpegxl_decode(data, index=0, keeporientation=True, numthreads=1)
    if samples.dtype.kind == "f":
        raise PixelDecodeError(f"the JPEG XL codestream holds {samples.dtype}, and Pixel Data is whole numbers")
    return samples.reshape(desc.shape) if samples.size == desc.samples else samples


def _fitting(out: NDArray[Any] | None, desc: FrameDescription, kind: str, precision: int) -> NDArray[Any] | None:
    """`out` in the library's own dtype, where that has the same width; else None, and samples are copied afterwards."""
    width = 1 if precision <= 8 else 2 if precision <= 16 else 4
    if out is None or out.dtype.itemsize != width or out.shape != desc.shape or not out.flags.c_contiguous:
        return None
    return out.view(f"{kind}{width}")


FORMATS = {
    "JPEG": Format(decode_jpeg, "imagecodecs (libjpeg-turbo)", read_jpeg, IMAGECODECS),
    "JPEG-LS": Format(decode_jpeg_ls, "imagecodecs (CharLS)", read_jpeg, IMAGECODECS),
    "JPEG 2000": Format(decode_jpeg2000, "imagecodecs (OpenJPEG)", read_j2k, IMAGECODECS),
    "JPEG XL": Format(decode_jpeg_xl, "imagecodecs (libjxl)", read_jxl, IMAGECODECS),
}
