"""Set pixel data from an array, and the attributes of the Image Pixel module (PS3.3 C.7.6.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import interpretation_of, number_of
from dicomcore.dataset.state import ensured_meta
from dicomcore.encoding.syntax import encoding_of
from dicomcore.errors import EncodeError
from dicomcore.pixels.sign import SignDependent
from dicomcore.uids import UID, ExplicitVRLittleEndian, GEPrivateImplicitVRBigEndianPixels, new_uid

__all__ = ["beyond_stored", "set_pixels", "unmasked"]

COLOURS = {"RGB": 3, "YBR_FULL": 3, "HSV": 3, "ARGB": 4, "CMYK": 4}
"""Samples per Pixel of each colour space."""
GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
WITH_FLOATS = frozenset(("1.2.840.10008.5.1.4.1.1.30", "1.2.840.10008.5.1.4.1.1.66.8"))
"""Parametric Map and Height Map Segmentation Storage, the only IODs with floating-point pixels (PS3.3 A.1.4)."""
PADDING = ("PixelPaddingValue", "PixelPaddingRangeLimit")
FLOAT_PADDING = tuple(f"{width}{keyword}" for width in ("Float", "DoubleFloat") for keyword in PADDING)
FLOATING = {"f4": "FloatPixelData", "f8": "DoubleFloatPixelData"}
# Attributes of the former pixel data, deleted first.
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
    pixels = unmasked(array)
    kind = f"{pixels.dtype.kind}{pixels.dtype.itemsize}"
    if kind not in ("b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", *FLOATING):
        hint = ": astype(np.float32) converts them" if pixels.dtype.kind == "f" else ""
        raise EncodeError(f"pixels are whole numbers, bits (bool) or floats of 4 or 8 bytes, not {pixels.dtype}{hint}")
    if kind in FLOATING:
        _refuse_floats(ds)
    frames, rows, columns, samples = _shape(pixels, photometric_interpretation)
    interpretation = photometric_interpretation or ("RGB" if samples > 1 else _grey_of(ds))
    allocated = 1 if kind == "b1" else 8 * pixels.dtype.itemsize
    stored = allocated if bits_stored is None else bits_stored
    if kind not in FLOATING:
        _check_range(pixels, allocated, stored)
    elif bits_stored is not None:
        raise EncodeError("floats have no Bits Stored")
    signed = pixels.dtype.kind == "i"
    turned = kind not in FLOATING and bool(number_of(ds, "PixelRepresentation", 0)) != signed
    dependent = SignDependent(ds) if turned else None
    for keyword in (*STALE, *(PADDING if kind in FLOATING else FLOAT_PADDING)):
        if keyword in ds:
            delattr(ds, keyword)
    ds.update(
        {
            "SamplesPerPixel": samples, "PhotometricInterpretation": interpretation, "Rows": rows, "Columns": columns,
            "BitsAllocated": allocated,
            **({"PlanarConfiguration": 0} if samples > 1 else {}),
            **({} if frames is None else {"NumberOfFrames": frames}),
        }
    )  # fmt: skip
    if kind not in FLOATING:
        ds.update({"BitsStored": stored, "HighBit": stored - 1, "PixelRepresentation": int(signed)})
    if dependent is not None:
        dependent.put(ds, signed, *_bounds(allocated, signed))
    syntax = ds.transfer_syntax
    if syntax is not None and (encoding_of(syntax).encapsulated or syntax == GEPrivateImplicitVRBigEndianPixels):
        ensured_meta(ds).TransferSyntaxUID = ExplicitVRLittleEndian
    ordered = pixels.dtype.newbyteorder(">" if ds.is_little_endian is False else "<")
    data = _packed(pixels) if kind == "b1" else pixels.astype(ordered, copy=False).tobytes()
    if kind in FLOATING:
        ds.update({FLOATING[kind]: data})
    else:
        ds.add_new("PixelData", "OB" if allocated <= 8 else "OW", data)
    if new_instance:
        ds.SOPInstanceUID = new_uid()


def _grey_of(ds: Dataset) -> str:
    """The Photometric Interpretation of grey values that replace the data set's own."""
    current = interpretation_of(ds)
    if current == "PALETTE COLOR":
        raise EncodeError(
            'the data set is PALETTE COLOR: photometric_interpretation="PALETTE COLOR" says that these are indices of '
            'its palette, "MONOCHROME2" that they are grey'
        )
    return "MONOCHROME1" if current == "MONOCHROME1" else "MONOCHROME2"


def unmasked(array: Any) -> NDArray[Any]:
    """The array; raises EncodeError where any pixel is masked, as masked pixels have no value."""
    if np.ma.is_masked(array):
        raise EncodeError("pixels of the array are masked, and have no value: filled(value) gives them one")
    return np.asarray(array)


def _refuse_floats(ds: Dataset) -> None:
    """Raise EncodeError where the IOD has no floating-point pixels, or readers would rescale them a second time."""
    found = ds.get("SOPClassUID")
    sop_class = UID(found) if isinstance(found, str) else UID("")
    if sop_class.type == "SOP Class" and sop_class not in WITH_FLOATS:
        raise EncodeError(
            f"{sop_class.name} has no Float Pixel Data, as only Parametric Map Storage and Height Map Segmentation "
            "Storage have: give stored values, which Rescale Slope and Intercept turn into these, as whole numbers "
            "such as array.round().astype(np.int16)"
        )
    if number_of(ds, "RescaleSlope", 1) != 1 or number_of(ds, "RescaleIntercept", 0) != 0:
        raise EncodeError(
            "readers would apply Rescale Slope and Intercept to these floats: delete the two where they were applied "
            "already, or give the stored values as whole numbers"
        )


def _shape(pixels: Any, interpretation: str | None) -> tuple[int | None, int, int, int]:
    """The array's frames (None without a frame axis), rows, columns and samples."""
    shape = pixels.shape
    if interpretation is None:
        samples = _samples_of(pixels)
    elif interpretation in COLOURS or interpretation in GREY:
        samples = COLOURS.get(interpretation, 1)
    else:
        known = ", ".join((*GREY, *COLOURS))
        raise EncodeError(f"Photometric Interpretation of an array is one of {known}, not {interpretation}")
    want = (3, 4) if samples > 1 else (2, 3)
    if len(shape) not in want or 0 in shape or (samples > 1 and shape[-1] != samples):
        layout = f"([frames,] rows, columns, {samples})" if samples > 1 else "([frames,] rows, columns)"
        raise EncodeError(f"an array of shape {shape} is no {interpretation or 'image'} {layout}")
    rows, columns = shape[-3:-1] if samples > 1 else shape[-2:]
    if max(rows, columns) > 0xFFFF:
        raise EncodeError(f"Rows and Columns are 65535 at most, not {rows} and {columns}")
    return (shape[0] if len(shape) == want[1] else None), rows, columns, samples


def _samples_of(pixels: Any) -> int:
    """Guess the samples of a pixel: 3 for four axes, and for three axes of unsigned numbers with a last axis of 3.

    Raises EncodeError where three axes may be frames of 3 or 4 columns, or else pixels that DICOM doesn't have.
    """
    shape = pixels.shape
    if len(shape) == 3 and (shape[2] == 4 or (shape[2] == 3 and pixels.dtype.kind != "u")):
        raise EncodeError(
            f"{pixels.dtype} of shape {shape} may be {shape[0]} frames of {shape[2]} columns, or pixels of {shape[2]} "
            'samples, of which colour has 3 unsigned ones: photometric_interpretation="MONOCHROME2" says the former'
        )
    return 3 if len(shape) == 4 or (len(shape) == 3 and shape[2] == 3) else 1


def _check_range(pixels: Any, allocated: int, stored: int) -> None:
    if not 1 <= stored <= allocated:
        raise EncodeError(f"Bits Stored are 1 to {allocated}, the bits of a {pixels.dtype}, not {stored}")
    beyond = beyond_stored(pixels, stored)
    if beyond:
        raise EncodeError(beyond)


def beyond_stored(pixels: NDArray[Any], stored: int) -> str:
    """A message on the range of whole numbers that `stored` bits can't represent; "" where they can."""
    if stored >= 8 * pixels.itemsize or pixels.dtype.kind == "b":
        return ""
    low, high = _bounds(stored, pixels.dtype.kind == "i")
    if pixels.max() <= high and (not low or low <= pixels.min()):
        return ""
    return f"{stored} Bits Stored hold {low} to {high}, the array holds {pixels.min()} to {pixels.max()}"


def _bounds(bits: int, signed: bool) -> tuple[int, int]:
    """The least and the greatest number of `bits` bits."""
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def _packed(pixels: Any) -> bytes:
    """Pack single bits, the first in the lowest bit of the first byte, frames without gaps (PS3.5 8.1.1, D)."""
    return np.packbits(pixels.reshape(-1), bitorder="little").tobytes()
