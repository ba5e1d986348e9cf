"""Impossible statements of a data set about its samples and colour: their interpretation, and their issues."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from io import BytesIO

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from dicomcore.errors import EncodeError, PixelDecodeError
from dicomcore.interop.pydicom import register, unregister
from tests.support.corpus import real
from tests.support.made_images import made

imagecodecs = pytest.importorskip("imagecodecs")

BASELINE, JPEG_LS, JPEG_XL = (f"1.2.840.10008.1.2.4.{end}" for end in (50, 80, 110))
Y, X = np.mgrid[0:24, 0:32]
GREY = (Y * 5 + X * 3).astype("u1")
RGB = np.stack([GREY, GREY[::-1], 255 - GREY], -1).copy()
CMYK = np.concatenate([RGB, GREY[..., None] // 4], -1)


def codes(ds):
    return [issue.code for issue in ds.issues]


def without_segment(codestream, marker):
    at = codestream.index(marker)
    return codestream[:at] + codestream[at + 2 + int.from_bytes(codestream[at + 2 : at + 4]) :]


def jpeg(array, **options):
    return bytes(imagecodecs.jpeg8_encode(array, level=95, **options))


# --- words of the header alone

WORDS = {  # name: (array, attributes, the expected issue, None for a correct file)
    "grey": (GREY, {}, None),
    "palette": (GREY, {"PhotometricInterpretation": "PALETTE COLOR"}, None),
    "RGB": (RGB, {}, None),
    "YBR_FULL": (RGB, {"PhotometricInterpretation": "YBR_FULL"}, None),
    "an interpretation of one's own": (GREY, {"PhotometricInterpretation": "THERMAL"}, None),
    "a colour of one's own": (RGB, {"PhotometricInterpretation": "BGR"}, "PIXEL_COLOUR"),
    "small letters": (RGB, {"PhotometricInterpretation": "rgb"}, None),
    "small letters of grey": (GREY, {"PhotometricInterpretation": "Monochrome1"}, None),
    "three samples called grey": (RGB, {"PhotometricInterpretation": "MONOCHROME2"}, "PIXEL_SAMPLES"),
    "three samples called a palette's": (RGB, {"PhotometricInterpretation": "PALETTE COLOR"}, "PIXEL_SAMPLES"),
    "one sample called RGB": (GREY, {"PhotometricInterpretation": "RGB"}, "PIXEL_SAMPLES"),
    "one sample called YBR": (GREY, {"PhotometricInterpretation": "YBR_FULL_422"}, "PIXEL_SAMPLES"),
    "no interpretation": (GREY, {"PhotometricInterpretation": ""}, "PIXEL_COLOUR"),
    "JPEG 2000's lossy colour": (RGB, {"PhotometricInterpretation": "YBR_ICT"}, "PIXEL_COLOUR"),
    "JPEG 2000's lossless colour": (RGB, {"PhotometricInterpretation": "YBR_RCT"}, "PIXEL_COLOUR"),
    "JPEG XL's colour": (RGB, {"PhotometricInterpretation": "XYB"}, "PIXEL_COLOUR"),
    "YBR of 32 bits": (RGB.astype("u4"), {"PhotometricInterpretation": "YBR_FULL"}, "PIXEL_COLOUR"),
    "a sign of 2": (GREY, {"PixelRepresentation": 2}, "PIXEL_SIGN"),
    "planes of 3": (RGB, {"PlanarConfiguration": 3}, "PIXEL_COLOUR"),
    "no frame": (GREY[None], {"NumberOfFrames": 0}, "FRAMES"),
    "frames below none": (GREY[None], {"NumberOfFrames": -1}, "FRAMES"),
}


@pytest.mark.parametrize(("array", "said", "due"), WORDS.values(), ids=WORDS)
def test_impossible_attributes_are_reported(array, said, due):
    file = made(array, **said)
    ds = dc.dcmread(file)
    assert ds.pixel_array.size == array.size
    assert codes(ds) == [due] * (due is not None)
    if due is not None:
        with pytest.raises(PixelDecodeError):
            dc.dcmread(file, strict=True).pixel_array  # noqa: B018


@pytest.mark.parametrize("interpretation", ["YBR_ICT", "YBR_RCT"])
def test_colour_of_jpeg_2000_on_another_codestream_is_reported(interpretation):
    ds = dc.dcmread(made(RGB, [imagecodecs.jpegls_encode(RGB)], JPEG_LS, PhotometricInterpretation=interpretation))
    assert ds.pixel_array.shape == RGB.shape
    assert codes(ds) == ["PIXEL_COLOUR"]


@pytest.mark.parametrize(("interpretation", "like"), [("YBR_ICT", "YBR_FULL"), ("YBR_RCT", "RGB")])
def test_jpeg_2000_without_its_component_transform(interpretation, like):
    """The components then are what Photometric Interpretation says (PS3.5 8.2.4; openslide#772)."""
    codestream = imagecodecs.jpeg2k_encode(RGB, codecformat="j2k", mct=False, reversible=True, level=0)
    said, meant = (
        dc.dcmread(made(RGB, [codestream], "1.2.840.10008.1.2.4.90", PhotometricInterpretation=word))
        for word in (interpretation, like)
    )
    assert np.array_equal(said.pixel_array, meant.pixel_array)
    assert codes(said) == ["PIXEL_COLOUR"]
    assert codes(meant) == []


def test_xyb_is_allowed_for_jpeg_xl():
    ds = dc.dcmread(
        made(RGB, [imagecodecs.jpegxl_encode(RGB, lossless=True)], JPEG_XL, PhotometricInterpretation="XYB")
    )
    assert (ds.pixel_array == RGB).all()
    assert codes(ds) == []


@pytest.mark.parametrize("isolate", [False, True])
def test_floats_in_jpeg_xl_are_no_pixel_data(isolate):
    codestream = imagecodecs.jpegxl_encode((GREY / 255).astype("f4"), lossless=True)
    frames = dc.dcmread(made(GREY, [codestream], JPEG_XL), limits=dc.Limits(isolate=isolate)).frames
    for decode in (frames.array, lambda: frames[0], lambda: frames.stack([0])):
        with pytest.raises(PixelDecodeError, match=r"float32|samples are"):
            decode()


# --- JPEG without a colour marker: pydicom#2280, dicom-rs#829


def test_a_real_jpeg_with_halved_chrominance_is_ybr_whatever_it_is_called():
    ds = dc.dcmread(real("SC_rgb_jpeg_lossy_gdcm.dcm"))
    bars = ds.pixel_array[5:100:10, 50].tolist()  # red, green, blue, each pure and light, and four greys
    for found, wanted in zip(
        (bars[0], bars[2], bars[4], *bars[6:]),
        ([255, 0, 0], [0, 255, 0], [0, 0, 255], [0] * 3, [64] * 3, [192] * 3, [255] * 3),
        strict=True,
    ):
        assert np.abs(np.subtract(found, wanted)).max() <= 1
    said = ds.PhotometricInterpretation != "YBR_FULL"
    assert ("PIXEL_COLOUR" in codes(ds)) == said


@pytest.mark.parametrize("subsampling", ["422", "420"])
@pytest.mark.parametrize("label", ["RGB", "YBR_FULL", "YBR_FULL_422"])
def test_halved_chrominance_is_ybr(subsampling, label):
    codestream = without_segment(jpeg(RGB, subsampling=subsampling), b"\xff\xe0")
    ds = dc.dcmread(made(RGB, [codestream], BASELINE, PhotometricInterpretation=label))
    assert np.abs(ds.pixel_array.astype(int) - RGB).max() <= 8
    assert codes(ds) == ["PIXEL_COLOUR"] * (label == "RGB")


def test_full_chrominance_without_a_marker_is_what_the_data_set_states():
    codestream = without_segment(jpeg(RGB, subsampling="444"), b"\xff\xe0")
    as_rgb = dc.dcmread(made(RGB, [codestream], BASELINE, PhotometricInterpretation="RGB")).pixel_array
    as_ybr = dc.dcmread(made(RGB, [codestream], BASELINE, PhotometricInterpretation="YBR_FULL")).pixel_array
    assert np.abs(as_ybr.astype(int) - RGB).max() <= 4
    assert np.abs(as_rgb.astype(int) - RGB).max() > 100


@pytest.mark.parametrize("coded", ["CMYK", "YCCK"])
def test_four_components_are_cmyk_however_they_are_coded(coded):
    codestream = jpeg(CMYK, colorspace="CMYK", outcolorspace=coded, subsampling="444")
    ds = dc.dcmread(made(RGB, [codestream], BASELINE, PhotometricInterpretation="CMYK", SamplesPerPixel=4))
    assert np.abs(ds.pixel_array.astype(int) - CMYK).max() <= 10


# --- pictures of retired colour spaces

RETIRED = {"CMYK": CMYK // 2, "HSV": RGB}  # of more ink than there can be DCMTK wraps around


@pytest.mark.parametrize(
    ("interpretation", "pixel", "wanted"),
    [
        ("CMYK", [0, 39, 255, 0], [255, 216, 0]),
        ("CMYK", [200, 0, 0, 100], [0, 155, 155]),
        ("HSV", [0, 39, 255], [255, 216, 216]),
        ("HSV", [85, 255, 255], [0, 255, 0]),
        ("ARGB", [0, 1, 2, 3], [1, 2, 3]),
    ],
)
def test_retired_colour_spaces_are_shown_as_rgb(interpretation, pixel, wanted):
    array = np.array([[pixel]], "u1")
    frames = dc.dcmread(
        made(array[..., :3], array.tobytes(), PhotometricInterpretation=interpretation, SamplesPerPixel=len(pixel))
    ).frames
    out = np.empty((1, 1, 3), "u1")
    assert frames.render(0).tolist() == [[wanted]]
    assert frames.render(0, out=out) is out
    assert out.tolist() == [[wanted]]


@pytest.mark.skipif(not shutil.which("dcmj2pnm"), reason="DCMTK is not installed")
@pytest.mark.parametrize("interpretation", ["CMYK", "HSV"])
def test_retired_colour_spaces_look_as_in_dcmtk(tmp_path, interpretation):
    array = RETIRED[interpretation]
    file = made(RGB, array.tobytes(), PhotometricInterpretation=interpretation, SamplesPerPixel=array.shape[2])
    (tmp_path / "one.dcm").write_bytes(file)
    subprocess.run(["dcmj2pnm", "--write-raw-pnm", tmp_path / "one.dcm", tmp_path / "one.ppm"], check=True)
    drawn = np.frombuffer((tmp_path / "one.ppm").read_bytes()[-RGB.size :], "u1").reshape(RGB.shape)
    assert np.abs(dc.dcmread(file).frames.render(0).astype(int) - drawn).max() <= 2


SMALL = {"grey": (GREY, "MONOCHROME1"), "YBR": (RGB, "YBR_FULL"), "HSV": (RGB, "HSV")}


@pytest.mark.parametrize(("array", "interpretation"), SMALL.values(), ids=SMALL)
def test_an_interpretation_in_small_letters_counts(array, interpretation):
    """A picture called monochrome1 was shown as its own negative."""
    small, capital = (
        dc.dcmread(made(array, PhotometricInterpretation=word)) for word in (interpretation.lower(), interpretation)
    )
    assert np.array_equal(small.pixel_array, capital.pixel_array)
    assert np.array_equal(small.frames.render(0), capital.frames.render(0))
    assert np.array_equal(dc.display.render(small), dc.display.render(capital))


@pytest.mark.parametrize(
    ("interpretation", "samples"), [("MONOCHROME2", 2), ("RGB", 4), ("ARGB", 4)], ids=["two samples", "four", "indices"]
)
def test_unknown_colour_spaces_are_not_rendered(interpretation, samples):
    pixels = bytes(range(1, 2 * samples * 2 + 1))
    ds = dc.dcmread(
        made(np.zeros((2, 2), "u1"), pixels, PhotometricInterpretation=interpretation, SamplesPerPixel=samples)
    )
    assert ds.pixel_array.shape == (2, 2, samples)
    with pytest.raises(PixelDecodeError, match="no picture"):
        ds.frames.render(0)


# --- transcoding


@pytest.mark.parametrize("to", ["jpeg", "jpeg-extended"])
@pytest.mark.parametrize("interpretation", ["HSV", "MONOCHROME2", "YBR_RCT", "XYB"])
def test_no_colour_but_rgb_and_ybr_goes_into_a_lossy_jpeg(to, interpretation):
    file = made(RGB, PhotometricInterpretation=interpretation)
    with pytest.raises(EncodeError, match="colour as RGB or YBR_FULL"):
        dc.transcode(file, bytearray(), to=to)
    out = bytearray()
    dc.transcode(file, out, to="jpeg-ls", verify=True)
    assert (dc.dcmread(bytes(out)).pixel_array == RGB).all()


@pytest.mark.parametrize("to", ["explicit", "rle", "jpeg-ls", "jpeg-2000", "jpeg-2000-lossy"])
@pytest.mark.parametrize(
    ("array", "stated", "interpretation", "wanted"),
    [(GREY, RGB, "YBR_FULL", "MONOCHROME2"), (RGB, GREY, "MONOCHROME2", "RGB")],
    ids=["grey in what is called colour", "colour in what is called grey"],
)
def test_the_colour_written_is_that_of_the_samples(to, array, stated, interpretation, wanted):
    file = made(stated, [imagecodecs.jpegls_encode(array)], JPEG_LS, PhotometricInterpretation=interpretation)
    out = bytearray()
    dc.transcode(file, out, to=to)
    ds = dc.dcmread(bytes(out))
    wanted = {"jpeg-2000": "YBR_RCT", "jpeg-2000-lossy": "YBR_ICT"}.get(to, "RGB") if wanted == "RGB" else wanted
    if to == "jpeg-ls":  # the codestream and its attributes stay
        wanted = interpretation
    assert ds.PhotometricInterpretation == wanted
    assert np.abs(ds.pixel_array.astype(int) - array).max() <= 4


# --- JPEG that ends with zeros, as in a file of preallocated size


def test_a_jpeg_that_ends_with_zeros_is_incomplete():
    noise = np.random.default_rng(5).integers(0, 256, (64, 64), "u1")
    codestream = jpeg(noise)
    half = len(codestream) // 2
    file = made(noise, [codestream[:half] + bytes(len(codestream) - half)], BASELINE)
    ds = dc.dcmread(file)
    assert ds.pixel_array.shape == noise.shape
    assert codes(ds) == ["PIXEL_INCOMPLETE"]
    with pytest.raises(PixelDecodeError, match="zeros"):
        dc.transcode(file, bytearray(), to="explicit")
    padded = dc.dcmread(made(noise, [codestream + bytes(600)], BASELINE))
    assert padded.pixel_array.shape == noise.shape
    assert codes(padded) == []


@pytest.fixture
def registered():
    """dicomcore as a plugin of pydicom, which has other names for transfer syntaxes afterwards unless it goes again."""
    register()
    yield
    unregister()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("cut", [b"", b"\xff\xd9"], ids=["open", "with an end marker"])
def test_the_plugin_warns_of_invented_samples(cut):
    noise = np.random.default_rng(5).integers(0, 256, (64, 64), "u1")
    codestream = jpeg(noise)
    ds = pydicom.dcmread(BytesIO(made(noise, [codestream[: len(codestream) // 2] + cut], BASELINE)))
    decoder = pydicom.pixels.get_decoder(BASELINE)
    with pytest.warns(UserWarning, match="made up"):
        decoder.as_array(ds, decoding_plugin="dicomcore")
    whole = pydicom.dcmread(BytesIO(made(noise, [codestream], BASELINE)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decoder.as_array(whole, decoding_plugin="dicomcore")


# --- arrays


def test_masked_pixels_have_no_value(tmp_path):
    ds = dc.dcmread(made(GREY))
    masked = np.ma.masked_greater(GREY, 100)
    before = ds.to_bytes()
    with pytest.raises(EncodeError, match="masked"):
        ds.set_pixels(masked)
    assert ds.to_bytes() == before
    with pytest.raises(EncodeError, match="masked"), dc.FrameWriter(tmp_path / "one.dcm", ds) as writer:
        writer.append(masked)
    ds.set_pixels(np.ma.masked_array(GREY, False))
    assert (ds.pixel_array == GREY).all()


# --- frames that are padded one by one

RNG = np.random.default_rng(9)
PADDED = {  # name: (frames, attributes, one frame's bytes)
    "single bits, many": (RNG.integers(0, 2, (50, 5, 7), "u1"), 1, 5),
    "single bits, few": (RNG.integers(0, 2, (3, 5, 7), "u1"), 1, 5),
    "single bits to words": (RNG.integers(0, 2, (9, 5, 7), "u1"), 1, 6),
    "odd frames, many": (RNG.integers(0, 256, (40, 5, 7), "u1"), 8, 36),
    "odd frames, few": (RNG.integers(0, 256, (4, 5, 7), "u1"), 8, 36),
}


def packed(frames, bits):
    return np.packbits(frames.reshape(-1), bitorder="little").tobytes() if bits == 1 else frames.tobytes()


@pytest.mark.parametrize(("frames", "bits", "size"), PADDED.values(), ids=PADDED)
def test_frames_with_padding_each(frames, bits, size):
    pixels = b"".join(packed(frame, bits).ljust(size, b"\0") for frame in frames)
    said = {"NumberOfFrames": len(frames), "BitsAllocated": bits, "BitsStored": bits}
    ds = dc.dcmread(made(frames, pixels, **said))
    assert (ds.pixel_array == frames).all()
    assert (ds.frames[2] == frames[2]).all()
    assert codes(ds) == ["PIXEL_LENGTH"]
    out = bytearray()
    dc.transcode(made(frames, pixels, **said), out, to="deflated-frames", verify=True)
    assert (dc.dcmread(bytes(out)).pixel_array == frames).all()
    honest = dc.dcmread(made(frames, packed(frames, bits), **said))
    assert (honest.pixel_array == frames).all()
    assert codes(honest) == []


def test_more_frames_than_stated_are_not_padding():
    frames = np.full((36, 5, 7), 7, "u1")
    ds = dc.dcmread(made(frames[:35], frames.tobytes(), NumberOfFrames=35))  # 35 frames of 36 bytes, by the length
    assert ds.pixel_array.shape == (36, 5, 7)
    assert codes(ds) == ["FRAMES"]
