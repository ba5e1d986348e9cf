"""Overlays, ICC profiles and icons, against pydicom's own overlay arrays and bits set here."""

import io
import shutil
import subprocess

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from dicomcore.codecs import jpeg_lossless_encode
from dicomcore.errors import PixelDecodeError
from tests.pixels.test_frames import made
from tests.support.pixel_files import ABSENT, named

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


def with_overlay(array, elements, **attributes) -> dc.Dataset:
    """A file of frames with one overlay group; `elements` are {element: (VR, value)}."""
    ds = pydicom.dcmread(io.BytesIO(made(array, **attributes)))
    if "HighBit" in attributes:
        ds.HighBit = attributes["HighBit"]
    for element, (vr, value) in elements.items():
        ds.add_new((0x6000, element), vr, value)
    buffer = io.BytesIO()
    ds.save_as(buffer)
    return dc.dcmread(buffer.getvalue())


PLANE = {0x10: ("US", 4), 0x11: ("US", 5), 0x40: ("CS", "G"), 0x50: ("SS", [1, 1]), 0x100: ("US", 16)}
POSITIONS = {  # name: (Bits Stored, High Bit, the bits that an overlay may use)
    "12 of 16": (12, 11, {12, 13, 14, 15}),
    "12 of 16, at the top": (12, 15, {0, 1, 2, 3}),
    "12 of 16, in the middle": (12, 13, {0, 1, 14, 15}),
    "all": (16, 15, set()),
    "more than there are": (20, 19, set()),
}


@pytest.mark.parametrize(("stored", "high", "unused"), POSITIONS.values(), ids=POSITIONS)
@pytest.mark.parametrize("bit", [0, 1, 3, 11, 12, 13, 14, 15, 16])
def test_an_overlay_stands_in_unused_bits_alone(stored, high, unused, bit):
    """PS3.5 8.1.2; a bit of the samples themselves is none, though writers give position 0 and no data."""
    array = np.random.default_rng(1).integers(0, 65536, (1, 4, 5)).astype("u2")
    ds = with_overlay(array, PLANE | {0x102: ("US", bit)}, BitsStored=stored, HighBit=high)
    overlays = ds.frames.overlays
    assert len(overlays) == (bit in unused)
    for overlay in overlays:
        assert overlay.embedded
        assert (overlay.array() == (array[0] >> bit & 1)).all()


@pytest.mark.parametrize("elements", [PLANE, PLANE | {0x102: ("US", 0)}], ids=["no position", "position 0"])
@pytest.mark.parametrize("to", ["rle", "jpeg-lossless", "explicit"])
def test_transcoding_makes_no_overlay_of_the_samples(elements, to):
    array = np.random.default_rng(1).integers(0, 4096, (1, 4, 5)).astype("u2")
    out = bytearray()
    dc.transcode(with_overlay(array, elements, BitsStored=12), out, to=to)
    got = dc.dcmread(bytes(out))
    assert (got.pixel_array == array[0]).all()
    assert got.frames.overlays == ()
    assert 0x60003000 not in got


@pytest.mark.parametrize(("precision", "found"), [(16, 1), (12, 0)])
def test_an_overlay_that_the_codestream_does_not_carry(precision, found):
    """A codestream of 12 bits has only the samples; one of 16 bits the words, with the bits above Bits Stored."""
    from pydicom.encaps import encapsulate

    words = (np.arange(20, dtype="u2").reshape(4, 5) % 2 << 14) | np.arange(20, dtype="u2").reshape(4, 5)
    coded = jpeg_lossless_encode(words if precision == 16 else words & 0xFFF, precision=precision)
    ds = pydicom.dcmread(io.BytesIO(made(words[None], BitsStored=12)))
    for element, (vr, value) in (PLANE | {0x102: ("US", 14)}).items():
        ds.add_new((0x6000, element), vr, value)
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    ds.PixelData = encapsulate([coded])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    ds.save_as(buffer)
    overlays = dc.dcmread(buffer.getvalue()).frames.overlays
    assert len(overlays) == found
    for overlay in overlays:
        assert (overlay.array() == words >> 14).all()


def test_empty_overlay_data_counts_as_missing():
    array = (np.arange(20, dtype="u2").reshape(1, 4, 5) % 2) << 14
    ds = with_overlay(array, PLANE | {0x102: ("US", 14), 0x3000: ("OW", b"")}, BitsStored=12)
    out = bytearray()
    dc.transcode(ds, out, to="rle")
    for one in (ds, dc.dcmread(bytes(out))):
        (overlay,) = one.frames.overlays
        assert (overlay.array() == array[0] >> 14).all()


SHORT = {0x10: ("US", 4), 0x11: ("US", 5), 0x40: ("CS", "G"), 0x100: ("US", 1), 0x102: ("US", 0)}


def test_missing_bits_of_overlay_data_are_0_and_reported():
    ds = with_overlay(np.zeros((1, 4, 5), "u2"), SHORT | {0x3000: ("OW", b"\xff\xff")})
    (overlay,) = ds.frames.overlays
    assert overlay.array().reshape(-1).tolist() == [1] * 16 + [0] * 4
    (issue,) = ds.issues
    assert issue.code == "OVERLAY_LENGTH"
    assert issue.message == "overlay 6000 takes 3 bytes of Overlay Data, and has 2"


def test_an_overlay_with_almost_no_data_is_refused():
    """The attributes state 65535 × 65535 pixels."""
    huge = SHORT | {0x10: ("US", 65535), 0x11: ("US", 65535), 0x3000: ("OW", b"\xff\xff")}
    (overlay,) = with_overlay(np.zeros((1, 4, 5), "u2"), huge).frames.overlays
    with pytest.raises(PixelDecodeError, match="overlay 6000 has 2 bytes"):
        overlay.array()


def test_a_frame_missing_from_overlay_data_is_refused():
    short = SHORT | {0x15: ("IS", 3), 0x51: ("US", 1), 0x3000: ("OW", b"\xff" * 4)}
    (overlay,) = with_overlay(np.zeros((3, 4, 5), "u2"), short).frames.overlays
    assert overlay.array(1).sum() == 12
    with pytest.raises(PixelDecodeError, match="no frame 2"):
        overlay.array(2)


def bits(plane) -> bytes:
    packed = np.packbits(np.asarray(plane, "u1").reshape(-1), bitorder="little").tobytes()
    return packed + bytes(len(packed) % 2)


ORIGINS = {  # name: (row and column, from 1, of the overlay of 2 x 2; the pixels that are white)
    "inside": ([2, 3], {(1, 2), (2, 3)}),
    "at the corner": ([4, 5], {(3, 4)}),
    "beyond the left": ([0, 0], {(0, 0)}),
    "outside": ([9, 9], set()),
    "before the image": ([-5, 1], set()),
}


@pytest.mark.parametrize(("origin", "white"), ORIGINS.values(), ids=ORIGINS)
@pytest.mark.parametrize("kind", ["grey", "RGB"])
def test_overlays_are_drawn_over_the_picture(origin, white, kind):
    array = np.full((1, 4, 5, 3) if kind == "RGB" else (1, 4, 5), 10, "u1")
    elements = SHORT | {0x10: ("US", 2), 0x11: ("US", 2), 0x50: ("SS", origin), 0x3000: ("OW", bits([[1, 0], [0, 1]]))}
    frames = with_overlay(array, elements).frames
    plain, drawn = frames.render(0, window=(50, 100)), frames.render(0, window=(50, 100), overlays=True)
    assert plain.max() < 255
    found = (drawn if kind == "grey" else drawn.min(-1)) == 255
    assert {tuple(place) for place in np.argwhere(found).tolist()} == white
    assert (drawn[~found] == plain[~found]).all()
    out = np.zeros(plain.shape, np.uint8)
    assert frames.render(0, window=(50, 100), overlays=True, out=out) is out
    assert (out == drawn).all()


BELONGING = {  # name: (elements beside the plane's, the overlay's frame for each of the image's three)
    "one for all": ({}, [0, 0, 0]),
    "of the second frame": ({0x51: ("US", 2)}, [None, 0, None]),
    "of all": ({0x15: ("IS", 3), 0x51: ("US", 1)}, [0, 1, 2]),
    "of the last two": ({0x15: ("IS", 2), 0x51: ("US", 2)}, [None, 0, 1]),
    "from the first on": ({0x15: ("IS", 2)}, [0, 1, None]),
}


@pytest.mark.parametrize(("elements", "wanted"), BELONGING.values(), ids=BELONGING)
def test_frames_that_an_overlay_belongs_to(elements, wanted):
    """PS3.3 C.9.3.1: one to one from Image Frame Origin on; a plane without Image Frame Origin is of all frames."""
    planes = np.eye(3, 20, dtype="u1").reshape(3, 4, 5)  # each with one pixel, whose number is its own
    frames = with_overlay(np.zeros((3, 4, 5), "u1"), SHORT | elements | {0x3000: ("OW", bits(planes))}).frames
    (overlay,) = frames.overlays
    assert [overlay.frame_for(i) for i in range(3)] == wanted
    for i, own in enumerate(wanted):
        white = np.flatnonzero(frames.render(i, overlays=True)).tolist()
        assert white == ([] if own is None else [own])


@needs_corpus
@pytest.mark.skipif(not shutil.which("dcmj2pnm"), reason="DCMTK's dcmj2pnm isn't installed")
@pytest.mark.parametrize("end", ["MR-SIEMENS-DICOM-WithOverlays.dcm", "examples_overlay.dcm"])
def test_drawn_where_dcmtk_draws(end, tmp_path):
    """DCMTK draws white too, with its highest value; what it changed is what is drawn here."""
    frames = dc.dcmread(named(end)).frames
    shown = []
    for options in (("-O",), ("+O", "0")):
        command = ["dcmj2pnm", "+op", "+Wm", *options, named(end), tmp_path / "a.pgm"]
        subprocess.run(command, check=True, capture_output=True)
        pixels = (tmp_path / "a.pgm").read_bytes().split(b"\n", 3)[3]
        shown.append(np.frombuffer(pixels, np.uint8, frames[0].size).reshape(frames[0].shape))
    ours = [frames.render(0, overlays=overlays) for overlays in (False, True)]
    assert (ours[0] != ours[1]).any()
    assert ((shown[0] != shown[1]) <= (ours[1] == 255)).all()
    assert ((ours[0] != ours[1]) <= (shown[1] == 255)).all()


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
