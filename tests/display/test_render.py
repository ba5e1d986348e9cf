"""Pictures: the display chain step by step, and against pydicom's own steps on real files."""

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut

import dicomcore as dc
from dicomcore.display.rendering import Display, Window, apply_modality, render
from dicomcore.display.tables import LookUpTable, Palette
from tests.support.pixel_files import ABSENT, named

RAMP = np.arange(16, dtype=np.uint8).reshape(4, 4)
INVERTING = LookUpTable(np.arange(15, -1, -1, dtype=np.uint8) * 17, 0, 8)

CHAIN = {  # name: (display, pictures of the values 0 and 15)
    "own range": (Display(), (0, 255)),
    "MONOCHROME1": (Display(photometric_interpretation="MONOCHROME1"), (255, 0)),
    "inverse shape": (Display(presentation_shape="INVERSE"), (255, 0)),
    "a shape outranks MONOCHROME1": (
        Display(photometric_interpretation="MONOCHROME1", presentation_shape="IDENTITY"),
        (0, 255),
    ),
    "rescaled into the window": (
        Display(rescale_slope=2.0, rescale_intercept=-1000.0, windows=(Window(-985.0, 30.0, "LINEAR_EXACT"),)),
        (0, 255),
    ),
    "window": (Display(windows=(Window(8, 1),)), (0, 255)),
    "modality LUT": (Display(modality_lut=INVERTING), (255, 0)),
    "VOI LUT before window": (Display(voi_luts=(INVERTING,), windows=(Window(8, 1),)), (255, 0)),
    "presentation LUT": (Display(presentation_lut=LookUpTable(np.array([9, 5], np.uint8), 0, 8)), (9, 5)),
    "padding": (Display(padding=(15, 15), presentation_shape="INVERSE"), (255, 0)),
}


@pytest.mark.parametrize(("display", "wanted"), CHAIN.values(), ids=CHAIN)
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "f4"])
def test_chain(display, wanted, dtype):
    picture = render(RAMP.astype(dtype), display)
    assert picture.dtype == np.uint8
    assert (picture[0, 0], picture[3, 3]) == wanted
    out = np.zeros((4, 4), np.uint8)
    assert render(RAMP.astype(dtype), display, out=out) is out
    assert (out == picture).all()


def test_views_by_number():
    display = Display(windows=(Window(4, 1), Window(12, 1)))
    assert render(RAMP, display, window=1).sum() < render(RAMP, display, window=0).sum()
    assert (render(RAMP, display, window=Window(12, 1)) == render(RAMP, display, window=1)).all()
    with pytest.raises(IndexError):
        render(RAMP, display, window=2)


def test_a_window_of_nan_is_ignored():
    ds = dc.Dataset()
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.BitsAllocated, ds.BitsStored = 1, 2, 1, 8, 8
    ds.PixelRepresentation, ds.PhotometricInterpretation, ds.PixelData = 0, "MONOCHROME2", b"\1\2"
    with pytest.warns(UserWarning, match="can't hold nan"):
        ds.WindowCenter, ds.WindowWidth = 40.0, float("nan")
    assert ds.frames.render(0).tolist() == [[0, 255]]


def test_a_flat_image_is_black():
    assert not render(np.full((3, 3), 7, np.int16), Display()).any()


def test_extremes_of_16_bits():
    values = np.array([[-32768, 0, 32767]], np.int16)
    assert render(values, Display()).tolist() == [[0, 128, 255]]
    assert render(values.view(np.uint16), Display()).tolist() == [[255, 0, 255]]


def test_deep_colour_loses_its_lowest_bits():
    deep = np.full((2, 2, 3), 0x0ABC, np.uint16)
    assert (render(deep, Display(photometric_interpretation="RGB", bits_stored=12)) == 0xAB).all()


def test_deep_colour_beyond_bits_stored_has_full_brightness():
    """Lossy codecs overshoot, which must not wrap around to black."""
    deep = np.full((2, 2, 3), 0x1003, np.uint16)
    assert (render(deep, Display(photometric_interpretation="RGB", bits_stored=12)) == 255).all()


DEPTHS = {  # name: (dtype, Bits Stored, the least, a middle and the largest sample)
    "6 of 8": ("u1", 6, [0, 21, 63]),
    "8 of 8": ("u1", 8, [0, 85, 255]),
    "4 of 16": ("u2", 4, [0, 5, 15]),
    "8 of 16": ("u2", 8, [0, 85, 255]),
    "1 of 8": ("u1", 1, [0, 0, 1]),
    "signed": ("i1", 8, [-128, -43, 127]),
    "signed, 12 of 16": ("i2", 12, [-2048, -683, 2047]),
    "signed, 4 of 8": ("i1", 4, [-8, -3, 7]),
    "64 bits": ("u8", 64, [0, 85 << 56, 2**64 - 1]),
    "signed, 64 bits": ("i8", 64, [-(2**63), -43 << 56, 2**63 - 1]),
}


@pytest.mark.parametrize(("dtype", "bits", "samples"), DEPTHS.values(), ids=DEPTHS)
def test_colour_of_any_depth_takes_the_whole_scale(dtype, bits, samples):
    picture = render(np.array([[samples]], dtype), Display(photometric_interpretation="RGB", bits_stored=bits))
    assert picture.tolist() == [[[0, 0 if bits == 1 else 85, 255]]]


def test_colour_above_bits_stored_is_taken_as_8_bits():
    """A codestream can hold such samples under a data set that states fewer bits."""
    picture = render(np.array([[[0, 85, 255]]], "u1"), Display(photometric_interpretation="RGB", bits_stored=6))
    assert picture.tolist() == [[[0, 85, 255]]]


def test_a_rescale_slope_of_0_is_ignored():
    values = np.array([[-3, 0, 9]], np.int16)
    assert apply_modality(values, Display(rescale_slope=0.0, rescale_intercept=7.0)).tolist() == [[-3, 0, 9]]


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("end", ["mlut_18.dcm", "vlut_04.dcm", "CT_small.dcm", "693_UNCI.dcm", "MR_small.dcm"])
def test_grey_as_pydicom(end):
    path = named(end)
    ds = pydicom.dcmread(path)
    shown = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds).astype(float)
    if "WindowCenter" not in ds and "VOILUTSequence" not in ds:
        low, high = shown.min(), shown.max()
    elif "VOILUTSequence" in ds:
        low, high = 0, (1 << ds.VOILUTSequence[0].LUTDescriptor[2]) - 1
    else:
        low, high = shown.min(), shown.max()
        if low == high:
            pytest.skip("flat")
    wanted = (shown - low) / (high - low) * 255
    if ds.PhotometricInterpretation == "MONOCHROME1":
        wanted = 255 - wanted
    picture = dc.dcmread(path).frames.render(0).astype(float)
    assert np.corrcoef(picture.reshape(-1), wanted.reshape(-1))[0, 1] > 0.999


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("end", ["examples_palette.dcm", "OBXXXX1A.dcm", "ALOKA-16.dcm", "ALOKA-16_big.dcm"])
def test_palette_as_pydicom(end):
    ds = pydicom.dcmread(named(end))
    colours = apply_color_lut(ds.pixel_array, ds)
    wanted = (colours >> 8).astype(np.uint8) if colours.dtype == np.uint16 and colours.max() > 255 else colours
    assert (dc.dcmread(named(end)).frames.render(0) == wanted).all()


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_colour_is_shown_as_it_is():
    frames = dc.dcmread(named("examples_ybr_color.dcm")).frames
    assert (frames.render(3) == frames[3]).all()


def test_functional_groups_frame_by_frame():
    """The frame's own window and the shared rescale outrank what stands outside the groups (PS3.3 C.7.6.16)."""
    ds = dc.Dataset()
    ds.Rows, ds.Columns, ds.NumberOfFrames, ds.SamplesPerPixel = 1, 4, 2, 1
    ds.BitsAllocated = ds.BitsStored = 8
    ds.PixelRepresentation, ds.PhotometricInterpretation = 0, "MONOCHROME2"
    ds.WindowCenter, ds.WindowWidth, ds.RescaleSlope, ds.RescaleIntercept = 1.0, 1.0, 1.0, 0.0
    ds.PixelData = bytes([0, 10, 20, 30] * 2)
    shared, transform = dc.Dataset(), dc.Dataset()
    transform.RescaleSlope, transform.RescaleIntercept = 2.0, 0.0
    shared.PixelValueTransformationSequence = dc.Sequence([transform])
    ds.SharedFunctionalGroupsSequence = dc.Sequence([shared])
    own = []
    for center in (10.0, 50.0):
        group, view = dc.Dataset(), dc.Dataset()
        view.WindowCenter, view.WindowWidth = center, 1.0
        group.FrameVOILUTSequence = dc.Sequence([view])
        own.append(group)
    ds.PerFrameFunctionalGroupsSequence = dc.Sequence(own)
    assert ds.frames.render(0).tolist() == [[0, 255, 255, 255]]
    assert ds.frames.render(1).tolist() == [[0, 0, 0, 255]]


@pytest.mark.skipif(bool(ABSENT), reason=str(ABSENT))
def test_empty_look_up_tables_are_ignored():
    """A real file has Modality and VOI LUT Sequences whose items are empty."""
    path = named("JPEGLosslessP14SV1_1s_1f_u_16_16.dcm")
    shown = dc.dcmread(path).frames.render(0)
    assert shown.shape == (535, 800)
    assert shown.std() > 10


TABLES = st.builds(
    lambda first, entries: LookUpTable(np.array(entries, np.uint16), first, 12),
    st.integers(-40, 40),
    st.lists(st.integers(0, 4095), min_size=1, max_size=40),
)
DISPLAYS = st.builds(
    Display,
    photometric_interpretation=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    rescale_slope=st.sampled_from([1.0, 0.5, -2.0, 0.0]),
    rescale_intercept=st.sampled_from([0.0, -1024.0]),
    modality_lut=st.none() | TABLES,
    voi_luts=st.just(()) | st.tuples(TABLES),
    windows=st.just(()) | st.tuples(st.builds(Window, st.floats(-50, 50), st.floats(-1, 90))),
    padding=st.none() | st.tuples(st.integers(-60, 60), st.integers(-60, 60)),
    palette=st.just(Palette((np.arange(8, dtype=np.uint8),) * 3, 20, 8)),
    supplemental_palette=st.booleans(),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=12), DISPLAYS)
def test_every_width_and_sign_shows_alike(values, display):
    """Frames of up to 16 bits are shown by a table, wider ones pixel by pixel."""
    pictures = [render(np.array([values], kind), display) for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "i8", "f8")]
    assert all(np.array_equal(pictures[0], picture) for picture in pictures[1:])
