"""Foreign codecs: samples, containers and signs, on frames made here and on the corpus' codestreams."""

import contextlib

import numpy as np
import pytest

from dicomcore.errors import PixelDecodeError
from dicomcore.pixels import FrameDescription, decode_frame
from tests.support.pixel_files import ABSENT, ROOT

imagecodecs = pytest.importorskip("imagecodecs")
RNG = np.random.default_rng(7)
GREY8 = RNG.integers(0, 256, (41, 37), dtype=np.uint8)
GREY12 = RNG.integers(0, 4096, (41, 37), dtype=np.uint16)
GREY16 = RNG.integers(0, 65536, (41, 37), dtype=np.uint16)
SIGNED = RNG.integers(-2048, 2048, (41, 37), dtype=np.int16)
COLOUR = RNG.integers(0, 256, (41, 37, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (41, 37, 3), dtype=np.uint16)

LS, J2K, HT, HTRPCL, XL = (f"1.2.840.10008.1.2.4.{end}" for end in ("80", "90", "201", "202", "110"))


def j2k(array, **options):
    return imagecodecs.jpeg2k_encode(array, codecformat="J2K", reversible=True, **options)


def jp2(array):
    return imagecodecs.jpeg2k_encode(array, codecformat="JP2", reversible=True)


def ht(array):
    return imagecodecs.htj2k_encode(array, reversible=True)


def xl(array):
    return imagecodecs.jpegxl_encode(array, lossless=True)


LOSSLESS = {  # name: (transfer syntax, encoder, array)
    "JPEG-LS 8": (LS, imagecodecs.jpegls_encode, GREY8),
    "JPEG-LS 16": (LS, imagecodecs.jpegls_encode, GREY16),
    "JPEG-LS colour": (LS, imagecodecs.jpegls_encode, COLOUR),
    "J2K 8": (J2K, j2k, GREY8),
    "J2K 16": (J2K, j2k, GREY16),
    "J2K signed": (J2K, j2k, SIGNED),
    "J2K colour": (J2K, j2k, COLOUR),
    "J2K deep colour": (J2K, j2k, DEEP),
    "JP2": (J2K, jp2, COLOUR),
    "HTJ2K 8": (HT, ht, GREY8),
    "HTJ2K 16": (HTRPCL, ht, GREY16),
    "HTJ2K colour": (HT, ht, COLOUR),
    "HTJ2K signed": (HT, ht, SIGNED),
    "JPEG XL 8": (XL, xl, GREY8),
    "JPEG XL 16": (XL, xl, GREY16),
    "JPEG XL colour": (XL, xl, COLOUR),
}


def description(array, syntax, **changes):
    fields = {
        "rows": array.shape[0],
        "columns": array.shape[1],
        "samples_per_pixel": 1 if array.ndim == 2 else 3,
        "bits_allocated": 8 * array.itemsize,
        "bits_stored": 8 * array.itemsize,
        "pixel_representation": int(array.dtype.kind == "i"),
        "photometric_interpretation": "MONOCHROME2" if array.ndim == 2 else "RGB",
        "transfer_syntax": syntax,
    }
    return FrameDescription(**{**fields, **changes})


@pytest.mark.parametrize(("syntax", "encode", "array"), LOSSLESS.values(), ids=LOSSLESS)
def test_lossless(syntax, encode, array):
    stream = encode(array)
    desc = description(array, syntax)
    decoded = decode_frame(stream, desc)
    assert decoded.samples.dtype == array.dtype
    assert (decoded.samples == array).all()
    out = np.zeros_like(array)
    assert decode_frame(memoryview(bytearray(stream)), desc, out=out).samples is out
    assert (out == array).all()


@pytest.mark.parametrize(("syntax", "encode", "array"), LOSSLESS.values(), ids=LOSSLESS)
def test_narrow_samples_in_a_wide_container(syntax, encode, array):
    if array.itemsize == 2:
        pytest.skip("as wide as its container")
    desc = description(array, syntax, bits_allocated=16, bits_stored=12)
    decoded = decode_frame(encode(array), desc, out=np.zeros(array.shape, np.uint16))
    assert (decoded.samples == array).all()
    assert [note.code for note in decoded.notes] in (["pixel-precision"], [])


def test_container_too_small_grows():
    desc = description(GREY16, J2K, bits_allocated=8, bits_stored=8)
    decoded = decode_frame(j2k(GREY16), desc)
    assert (decoded.samples == GREY16).all()
    assert decoded.description.bits_allocated == 16
    with pytest.raises(PixelDecodeError, match="out is"):
        decode_frame(j2k(GREY16), desc, out=np.zeros(GREY16.shape, np.uint8))


def test_the_codestream_knows_its_components():
    decoded = decode_frame(j2k(COLOUR), description(COLOUR, J2K, samples_per_pixel=1))
    assert (decoded.samples == COLOUR).all()
    assert "pixel-samples" in [note.code for note in decoded.notes]


def test_signed_codestream_in_unsigned_container_is_sign_extended():
    decoded = decode_frame(j2k(SIGNED), description(SIGNED, J2K, pixel_representation=0))
    assert decoded.samples.dtype == np.uint16
    assert (decoded.samples.view(np.int16) == SIGNED).all()
    assert [note.code for note in decoded.notes] == ["pixel-sign"]


def test_lossy_htj2k_is_clamped():
    """Black and white overshoot in the inverse wavelet; without clamping white specks stand on black."""
    array = np.where(np.indices((64, 64)).sum(0) // 9 % 2, 255, 0).astype(np.uint8)
    stream = imagecodecs.htj2k_encode(array, reversible=False, level=0.05)
    decoded = decode_frame(stream, description(array, "1.2.840.10008.1.2.4.203")).samples
    assert abs(decoded.astype(int) - array).max() < 128


@pytest.mark.parametrize("cut", [3, 20, 60, 200, 700])
@pytest.mark.parametrize(("syntax", "encode", "array"), LOSSLESS.values(), ids=LOSSLESS)
def test_cut_short(syntax, encode, array, cut):
    """An error of ours, or the samples that the library decoded; nothing else."""
    with contextlib.suppress(PixelDecodeError):
        assert decode_frame(encode(array)[:cut], description(array, syntax)).samples.shape == array.shape


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_12_bit_jpeg_of_the_standard():
    """T.83 process 4: 12 bits, four components; IJG's and DCMTK's decoder is libjpeg-turbo's."""
    data = (ROOT / "files/pylibjpeg-data/jpg/10918/p4/E1.JPG").read_bytes()
    desc = FrameDescription(
        rows=257, columns=255, samples_per_pixel=4, bits_allocated=16, bits_stored=12,
        transfer_syntax="1.2.840.10008.1.2.4.51",
    )  # fmt: skip
    samples = decode_frame(data, desc).samples
    assert samples.shape == (257, 255, 4)
    assert samples.max() < 4096
