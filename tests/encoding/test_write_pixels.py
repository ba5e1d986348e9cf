"""Native pixel data, converted from one byte order to another."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import dicomcore as dc


def image(vr: str, bits: int) -> dc.Dataset:
    """Four samples whose values depend on the byte order, in a file with `vr` for Pixel Data."""
    ds = dc.Dataset()
    ds.SOPClassUID = ds.SOPInstanceUID = "1.2.3"
    ds.Rows = ds.Columns = 2
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit = bits - 1
    ds.add_new("PixelData", vr, np.arange(0x01020304, 0x01020308).astype(f"<u{bits // 8}").tobytes())
    return dc.dcmread(ds.to_bytes(transfer_syntax=ExplicitVRLittleEndian))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(("vr", "bits"), [("OB", 8), ("OW", 8), ("OB", 16), ("OW", 16), ("OB", 32), ("OW", 32)])
def test_samples_keep_their_values(vr: str, bits: int, syntax: str):
    """Samples longer than a byte are swapped although a writer called them OB, and become OW."""
    ds = image(vr, bits)
    written = ds.to_bytes(transfer_syntax=syntax)
    again = dc.dcmread(written)
    assert np.array_equal(again.pixel_array, ds.pixel_array)
    if (vr, bits) != ("OW", 8) or syntax != ExplicitVRBigEndian:  # pydicom doesn't swap single bytes in OW
        assert np.array_equal(pydicom.dcmread(io.BytesIO(written)).pixel_array, ds.pixel_array)
    if syntax == ExplicitVRBigEndian:
        as_bytes = (vr, bits) == ("OB", 8)
        assert (again["PixelData"].VR == "OB") is as_bytes
        back = dc.dcmread(again.to_bytes(transfer_syntax=ExplicitVRLittleEndian))
        assert np.array_equal(back.pixel_array, ds.pixel_array)
