"""Pixel data that comes as consumer formats (PS3.18 Table 10.5.2-1): its transfer syntax, and what describes it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dicomcore import uids
from dicomcore.dataset import Dataset
from dicomcore.errors import PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels.coding.headers import SIGNATURE_BYTES, CodestreamInfo, format_by_signature, read_j2k, read_jpeg
from dicomcore.web.choices import EXPLICIT
from dicomcore.web.media import media_of

__all__ = ["describe_pixels", "syntax_of_part"]

TRANSFORMED = frozenset({"image/png", "image/gif"})


def _info(data: bytes) -> CodestreamInfo | None:
    kind = format_by_signature(data[:SIGNATURE_BYTES])
    if kind == "JPEG":
        return read_jpeg(memoryview(data))
    return read_j2k(memoryview(data)) if kind == "JPEG 2000" else None


def syntax_of_part(media: str, stated: str, data: bytes) -> str:
    """The transfer syntax of a codestream: the stated one, or that which its header tells.

    Raises UnsupportedTransferSyntaxError if neither tells.
    """
    if media in TRANSFORMED:
        return EXPLICIT
    if stated and stated != "*":
        if media_of(stated) != media:
            raise UnsupportedTransferSyntaxError(f"frames of {stated} are not {media}")
        return stated
    info = _info(data)
    if info is not None and info.format == "JPEG":
        if info.lossless:
            return str(uids.JPEGLosslessSV1)
        return str(uids.JPEGBaseline8Bit if info.frame_type == 0 else uids.JPEGExtended12Bit)
    if info is not None and info.format == "JPEG-LS":
        return str(uids.JPEGLSLossless if info.lossless else uids.JPEGLSNearLossless)
    if info is not None and info.format == "JPEG 2000":
        return str(uids.JPEG2000Lossless if info.lossless else uids.JPEG2000)
    if info is not None and info.format == "HTJ2K":
        return str(uids.HTJ2KLossless if info.lossless else uids.HTJ2K)
    if media == "image/dicom-rle":
        return str(uids.RLELossless)
    raise UnsupportedTransferSyntaxError(f"a part of {media} needs a transfer-syntax")


def describe_pixels(ds: Dataset, media: str, codestreams: list[bytes]) -> list[bytes]:
    """Add to a data set what it does not say of its pixels, and return the frames as they are written."""
    if media in TRANSFORMED:
        return [_samples(ds, media, one) for one in codestreams]
    info = _info(codestreams[0])
    if info is None:
        return codestreams
    bits = info.precision or 8
    _complete(
        ds,
        Rows=info.rows,
        Columns=info.columns,
        SamplesPerPixel=info.components or 1,
        BitsAllocated=8 if bits <= 8 else 16,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=int(info.signed),
        PhotometricInterpretation=_colour(info),
        **({"PlanarConfiguration": 0} if (info.components or 1) > 1 else {}),
    )
    return [_bare(one) for one in codestreams]


def _complete(ds: Dataset, **values: Any) -> None:
    for keyword, value in values.items():
        if keyword not in ds or ds[keyword].is_empty:
            setattr(ds, keyword, value)


def _colour(info: CodestreamInfo) -> str:
    if (info.components or 1) == 1:
        return "MONOCHROME2"
    if info.format == "JPEG":
        return "RGB" if info.colour == "RGB" else "YBR_FULL_422" if info.subsampled else "YBR_FULL"
    if info.colour == "YBR":
        return "YBR_RCT" if info.lossless else "YBR_ICT"
    return "RGB"


def _bare(data: bytes) -> bytes:
    """A codestream without the boxes of a JP2 file (PS3.5 8.2.4)."""
    info = _info(data)
    if info is None or not info.offset:
        return data
    return data[info.offset : info.offset + info.length]


def _samples(ds: Dataset, media: str, data: bytes) -> bytes:
    """The samples of a PNG or GIF, without transparency."""
    import imagecodecs

    try:
        array = np.asarray((imagecodecs.png_decode if media == "image/png" else imagecodecs.gif_decode)(data))
    except (ValueError, RuntimeError) as error:
        raise PixelDecodeError(f"the picture cannot be decoded: {error}") from None
    if array.ndim == 4:
        raise PixelDecodeError("animations are not taken apart")
    if array.ndim == 3:
        array = array[..., :1] if array.shape[2] < 3 else array[..., :3]
        array = array[..., 0] if array.shape[2] == 1 else array
    samples = 1 if array.ndim == 2 else 3
    bits = 8 * array.itemsize
    for keyword, value in {
        "Rows": array.shape[0], "Columns": array.shape[1], "SamplesPerPixel": samples, "BitsAllocated": bits,
        "BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": 0,
        "PhotometricInterpretation": "MONOCHROME2" if samples == 1 else "RGB",
    }.items():  # fmt: skip
        setattr(ds, keyword, value)
    if samples > 1:
        ds.PlanarConfiguration = 0
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
