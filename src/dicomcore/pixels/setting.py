"""Pixel data from an array: the Image Pixel module filled in (PS3.3 C.7.6.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.errors import EncodeError
from dicomcore.uids import ExplicitVRLittleEndian, new_uid

__all__ = ["beyond_stored", "set_pixels"]

COLOURS = frozenset(("RGB", "YBR_FULL", "YBR_ICT", "YBR_RCT", "HSV", "ARGB", "CMYK"))
FLOATING = {"f4": "FloatPixelData", "f8": "DoubleFloatPixelData"}
# What described other pixels than these.
STALE = (
    "PixelData", "FloatPixelData", "DoubleFloatPixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "PixelDataProviderURL", "SmallestImagePixelValue", "LargestImagePixelValue", "PlanarConfiguration",
    "NumberOfFrames", "BitsStored", "HighBit", "PixelRepresentation", "EncapsulatedPixelDataValueTotalLength",
)  # fmt: skip


def set_pixels(
    ds: Dataset,
    array: Any,
    *,
    photometric_interpretation: str | None = None,
    bits_stored: int | None = None,
    new_instance: bool = True,
) -> None:
    """Set uncompressed pixel data and the attributes that describe it; see `Dataset.set_pixels`."""
    pixels = np.asarray(array)
    kind = f"{pixels.dtype.kind}{pixels.dtype.itemsize}"
    if kind not in ("b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", *FLOATING):
        raise EncodeError(f"pixels are whole numbers, bits (bool) or floats of 4 or 8 bytes, not {pixels.dtype}")
    frames, rows, columns, samples = _shape(pixels, photometric_interpretation)
    interpretation = photometric_interpretation or ("RGB" if samples > 1 else "MONOCHROME2")
    allocated = 1 if kind == "b1" else 8 * pixels.dtype.itemsize
    stored = allocated if bits_stored is None else bits_stored
    if kind not in FLOATING:
        _check_range(pixels, allocated, stored)
    elif bits_stored is not None:
        raise EncodeError("floats have no Bits Stored")
    for keyword in STALE:
        if keyword in ds:
            delattr(ds, keyword)
    values: dict[str, Any] = {
        "SamplesPerPixel": samples, "PhotometricInterpretation": interpretation, "Rows": rows, "Columns": columns,
        "BitsAllocated": allocated,
    }  # fmt: skip
    if samples > 1:
        values["PlanarConfiguration"] = 0
    if frames is not None:
        values["NumberOfFrames"] = frames
    if kind not in FLOATING:
        values |= {"BitsStored": stored, "HighBit": stored - 1, "PixelRepresentation": int(pixels.dtype.kind == "i")}
    ds.update(values)
    if ds.transfer_syntax is not None and ds.transfer_syntax.is_transfer_syntax and ds.transfer_syntax.is_encapsulated:
        if ds.file_meta is None:
            ds.file_meta = Dataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ordered = pixels.dtype.newbyteorder(">" if ds.is_little_endian is False else "<")
    data = _packed(pixels) if kind == "b1" else pixels.astype(ordered, copy=False).tobytes()
    if kind in FLOATING:
        ds.update({FLOATING[kind]: data})
    else:
        ds.add_new("PixelData", "OB" if allocated <= 8 else "OW", data)
    if new_instance:
        ds.SOPInstanceUID = new_uid()


def _shape(pixels: Any, interpretation: str | None) -> tuple[int | None, int, int, int]:
    """Frames (None where there is no axis of them), rows, columns, samples."""
    shape = pixels.shape
    coloured = interpretation in COLOURS or (interpretation is None and len(shape) == 4)
    if interpretation is None and len(shape) == 3 and shape[2] == 3 and pixels.dtype.kind == "u":
        coloured = True
    want = (3, 4) if coloured else (2, 3)
    if len(shape) not in want or 0 in shape or (coloured and shape[-1] not in (3, 4)):
        layout = "([frames,] rows, columns, samples)" if coloured else "([frames,] rows, columns)"
        raise EncodeError(f"an array of shape {shape} is no {interpretation or 'image'} {layout}")
    samples = shape[-1] if coloured else 1
    rows, columns = shape[-3:-1] if coloured else shape[-2:]
    if max(rows, columns) > 0xFFFF:
        raise EncodeError(f"Rows and Columns are 65535 at most, not {rows} and {columns}")
    return (shape[0] if len(shape) == want[1] else None), rows, columns, samples


def _check_range(pixels: Any, allocated: int, stored: int) -> None:
    if not 1 <= stored <= allocated:
        raise EncodeError(f"Bits Stored are 1 to {allocated}, the bits of a {pixels.dtype}, not {stored}")
    beyond = beyond_stored(pixels, stored)
    if beyond:
        raise EncodeError(beyond)


def beyond_stored(pixels: NDArray[Any], stored: int) -> str:
    """What of an array of whole numbers `stored` bits can't hold; "" where they hold all of it."""
    if stored >= 8 * pixels.itemsize or pixels.dtype.kind == "b":
        return ""
    signed = pixels.dtype.kind == "i"
    low, high = (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if signed else (0, (1 << stored) - 1)
    least, most = pixels.min(), pixels.max()
    if low <= least and most <= high:
        return ""
    return f"{stored} Bits Stored hold {low} to {high}, the array holds {least} to {most}"


def _packed(pixels: Any) -> bytes:
    """Single bits, the first in the lowest bit of the first byte, frames without gaps (PS3.5 8.1.1, D)."""
    return np.packbits(pixels.reshape(-1), bitorder="little").tobytes()
