"""Samples that don't begin at bit 0 of their words (PS3.5 8.1.1 and Annex D as they were until 2014)."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import codecs
from dicomcore.archive import frames as archive_frames
from dicomcore.errors import PixelDecodeError
from tests.support.made_images import made

IMPLICIT, BIG, DEFLATED_FRAMES, RLE, JPEG_LOSSLESS, JPEG_LS, J2K = (
    f"1.2.840.10008.1.2{end}" for end in ("", ".2", ".8.1", ".5", ".4.70", ".4.80", ".4.90")
)
RNG = np.random.default_rng(8)
WORDS = {  # name: (bits allocated, bits stored, high bit)
    "12 of 16, upmost": (16, 12, 15),
    "12 of 16, in the middle": (16, 12, 13),
    "8 of 16, upper byte": (16, 8, 15),
    "6 of 8": (8, 6, 7),
    "20 of 32": (32, 20, 29),
    "15 of 16": (16, 15, 15),
}


def words_of(allocated: int, stored: int, high: int, signed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Three frames of values, with the ends of their range, and their words with other bits above and below."""
    low = -(1 << (stored - 1)) if signed else 0
    values = RNG.integers(low, low + (1 << stored), (3, 6, 7))
    values[:, 0, :2] = low, low + (1 << stored) - 1
    kind = f"{'i' if signed else 'u'}{allocated // 8}"
    around = RNG.integers(0, 1 << allocated, values.shape) & ~(((1 << stored) - 1) << (high + 1 - stored))
    words = (values & ((1 << stored) - 1)) << (high + 1 - stored) | around
    return values, words.astype(f"u{allocated // 8}").view(kind)


def encoded(words: np.ndarray, syntax: str) -> list[bytes]:
    imagecodecs = pytest.importorskip("imagecodecs")
    unsigned = words.view(f"u{words.itemsize}")
    encoders = {
        RLE: codecs.rle_encode,
        JPEG_LOSSLESS: codecs.jpeg_lossless_encode,
        JPEG_LS: imagecodecs.jpegls_encode,
        J2K: lambda frame: imagecodecs.jpeg2k_encode(frame, level=0, reversible=True, codecformat="j2k"),
        DEFLATED_FRAMES: lambda frame: imagecodecs.deflate_encode(frame.tobytes(), raw=True),
    }
    return [encoders[syntax](np.ascontiguousarray(frame)) for frame in (words if syntax == J2K else unsigned)]


@pytest.fixture(params=[0, 1], ids=["unsigned", "signed"])
def signed(request):
    return bool(request.param)


@pytest.mark.parametrize("bits", WORDS.values(), ids=WORDS)
def test_uncompressed(bits, signed, tmp_path):
    values, words = words_of(*bits, signed)
    path = tmp_path / "image.dcm"
    path.write_bytes(made(words, NumberOfFrames=3, BitsStored=bits[1], HighBit=bits[2]))
    ds = dc.dcmread(path)
    assert (ds.pixel_array == values).all()
    assert (ds.frames[1] == values[1]).all()
    assert (ds.frames.decode(2, raw=True) == words[2]).all()
    assert all((record.array == values[record.frame]).all() for record in archive_frames(path))
    (issue,) = ds.issues
    assert issue.code == "PIXEL_HIGH_BIT"
    with pytest.raises(PixelDecodeError, match=f"High Bit is {bits[2]}"):
        dc.dcmread(path, strict=True).pixel_array  # noqa: B018


@pytest.mark.parametrize("syntax", [RLE, JPEG_LOSSLESS, JPEG_LS, J2K, DEFLATED_FRAMES])
@pytest.mark.parametrize("bits", [WORDS["12 of 16, upmost"], WORDS["6 of 8"]], ids=["12 of 16", "6 of 8"])
def test_codestreams_that_carry_the_words(bits, syntax, signed):
    values, words = words_of(*bits, signed)
    said = {"NumberOfFrames": 3, "BitsStored": bits[1], "HighBit": bits[2]}
    ds = dc.dcmread(made(words, encoded(words, syntax), syntax, **said))
    assert (ds.pixel_array == values).all()
    assert (ds.frames[2] == values[2]).all()


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, J2K])
def test_codestreams_of_the_samples_alone(syntax):
    """What has no more bits than Bits Stored can't have stood higher."""
    values, _ = words_of(16, 12, 15, False)
    if syntax == JPEG_LOSSLESS:
        codestreams = [codecs.jpeg_lossless_encode(frame.astype("u2"), precision=12) for frame in values]
    else:
        imagecodecs = pytest.importorskip("imagecodecs")
        options = {"level": 0, "reversible": True, "codecformat": "j2k", "bitspersample": 12}
        codestreams = [imagecodecs.jpeg2k_encode(frame.astype("u2"), **options) for frame in values]
    said = {"NumberOfFrames": 3, "BitsStored": 12, "HighBit": 15}
    assert (dc.dcmread(made(values.astype("u2"), codestreams, syntax, **said)).pixel_array == values).all()


@pytest.mark.parametrize("syntax", [RLE, JPEG_LOSSLESS, JPEG_LS, J2K, DEFLATED_FRAMES])
@pytest.mark.parametrize("above", ["sign", "zeros"])
def test_signed_samples_in_codestreams_of_whole_words(syntax, above, tmp_path):
    """Encoders of words keep or lose the sign above Bits Stored (pydicom#2009, dcm4che#638); DCMTK reads -1 of both."""
    values = (np.arange(-24, 24) * 80).astype("i2").reshape(1, 6, 8)
    words = values.view("u2") & (0xFFFF if above == "sign" else 0x0FFF)
    said = {"NumberOfFrames": 1, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}
    data = made(words, encoded(words, syntax), syntax, **said)
    assert (dc.dcmread(data).pixel_array == values).all()
    (tmp_path / "image.dcm").write_bytes(data)
    assert all((record.array == values[0]).all() for record in archive_frames(tmp_path / "image.dcm"))


@pytest.mark.parametrize("high", [10, 16, 200], ids=["below Bits Stored - 1", "above Bits Allocated", "nonsense"])
def test_an_impossible_high_bit_is_reported(high, signed):
    values, words = words_of(16, 12, 11, signed)
    ds = dc.dcmread(made(words, NumberOfFrames=3, BitsStored=12, HighBit=high))
    assert (ds.pixel_array == values).all()
    assert [issue.code for issue in ds.issues] == ["PIXEL_HIGH_BIT"]


def test_a_changed_high_bit_takes_effect():
    values, words = words_of(16, 12, 15, False)
    ds = dc.dcmread(made(words, NumberOfFrames=3, BitsStored=12, HighBit=11))
    assert not (ds.pixel_array == values).all()
    ds.HighBit = 15
    assert (ds.pixel_array == values).all()


def test_set_pixels_begin_at_bit_0():
    values, words = words_of(16, 12, 15, False)
    ds = dc.dcmread(made(words, NumberOfFrames=3, BitsStored=12, HighBit=15))
    ds.set_pixels(values.astype("u2"), bits_stored=12)
    assert (ds.pixel_array == values).all()
    assert ds.HighBit == 11
    assert not ds.issues


@pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="DCMTK is not installed")
@pytest.mark.parametrize("high", [11, 13, 15])
def test_dcmtk_reads_the_same_samples(high, signed, tmp_path):
    values, words = words_of(16, 12, high, signed)
    (tmp_path / "image.dcm").write_bytes(made(words[0], BitsStored=12, HighBit=high))
    window = ["+Ww", "0" if signed else "2048", "4096"]
    command = ["dcm2pnm", *window, "+opw", str(tmp_path / "image.dcm"), str(tmp_path / "image.pgm")]
    subprocess.run(command, check=True, capture_output=True)
    numbers = [line for line in (tmp_path / "image.pgm").read_text().splitlines() if not line.startswith("#")]
    shown = np.array(" ".join(numbers).split()[-words[0].size :], int).reshape(words[0].shape)
    wanted = (values[0] + (2048 if signed else 0)) * (65535 / 4095)
    assert np.abs(shown - wanted).max() < 32
