"""Overlays, ICC profiles and icons, against pydicom's own overlay arrays and bits set here."""

import io

import numpy as np
import pydicom
import pytest
from pixel_files import ABSENT, named
from test_pixels_frames import made

import dicomcore as dc
from dicomcore.errors import PixelDecodeError

needs_corpus = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)


@needs_corpus
@pytest.mark.parametrize("end", ["MR-SIEMENS-DICOM-WithOverlays.dcm", "examples_overlay.dcm"])
def test_as_pydicom(end):
    theirs = pydicom.dcmread(named(end))
    overlays = dc.dcmread(named(end)).frames.overlays
    assert overlays
    for overlay in overlays:
        assert not overlay.embedded
        assert (overlay.array() == theirs.overlay_array(overlay.group)).all()
        with pytest.raises(IndexError):
            overlay.array(overlay.frames)


def test_in_unused_bits():
    array = np.random.default_rng(1).integers(0, 65536, (2, 4, 5)).astype("u2")
    ds = pydicom.dcmread(io.BytesIO(made(array, BitsStored=12)))
    for element, vr, value in (
        (0x10, "US", 4), (0x11, "US", 5), (0x40, "CS", "G"), (0x50, "SS", [1, 1]), (0x100, "US", 16), (0x102, "US", 13),
    ):  # fmt: skip
        ds.add_new((0x6002, element), vr, value)
    buffer = io.BytesIO()
    ds.save_as(buffer)
    (overlay,) = dc.dcmread(buffer.getvalue()).frames.overlays
    assert overlay.embedded
    assert (overlay.group, overlay.frames, overlay.kind) == (0x6002, 2, "G")
    for i in (0, 1):
        assert (overlay.array(i) == (array[i] >> 13 & 1)).all()


def test_too_short():
    ds = pydicom.dcmread(io.BytesIO(made(np.zeros((1, 4, 4), "u2"))))
    for element, vr, value in ((0x10, "US", 40), (0x11, "US", 50), (0x100, "US", 1), (0x3000, "OW", bytes(8))):
        ds.add_new((0x6000, element), vr, value)
    buffer = io.BytesIO()
    ds.save_as(buffer)
    (overlay,) = dc.dcmread(buffer.getvalue()).frames.overlays
    with pytest.raises(PixelDecodeError, match="no frame 0"):
        overlay.array()


def test_icc_profile_and_icon():
    ds = pydicom.dcmread(io.BytesIO(made(np.zeros((1, 4, 4), "u2"))))
    icon = pydicom.Dataset()
    icon.Rows = icon.Columns = 2
    icon.SamplesPerPixel, icon.BitsAllocated, icon.BitsStored, icon.HighBit = 1, 8, 8, 7
    icon.PhotometricInterpretation, icon.PixelRepresentation = "MONOCHROME2", 0
    icon.PixelData = b"\1\2\3\4"
    icon["PixelData"].VR = "OB"
    ds.IconImageSequence = [icon]
    ds.ICCProfile = b"profile!"
    buffer = io.BytesIO()
    ds.save_as(buffer)
    ours = dc.dcmread(buffer.getvalue())
    assert ours.frames.icc_profile == b"profile!"
    assert ours.IconImageSequence[0].pixel_array.tolist() == [[1, 2], [3, 4]]
    assert dc.dcmread(made(np.zeros((1, 4, 4), "u2"))).frames.icc_profile is None
