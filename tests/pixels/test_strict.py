"""`strict` holds for frames: a note about a frame is an error, wherever it is decoded."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import codecs
from dicomcore.archive import frames as archive_frames
from dicomcore.errors import PixelDecodeError
from tests.support.made_images import made

imagecodecs = pytest.importorskip("imagecodecs")

BASELINE, LOSSLESS, J2K, RLE = (f"1.2.840.10008.1.2.{end}" for end in ("4.50", "4.70", "4.90", "5"))
Y, X = np.mgrid[0:16, 0:24]
GREY = (X * 5 + Y * 3).astype("u1")
DEEP = (X * 97 + Y * 31).astype("u2")
RGB = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], -1)
JPEG_LOSSLESS = codecs.jpeg_lossless_encode(DEEP, precision=12)
SIGNED_J2K = imagecodecs.jpeg2k_encode(DEEP.astype("i2"), level=0, reversible=True, codecformat="j2k")
RGB_JPEG = imagecodecs.jpeg8_encode(RGB, colorspace="RGB", outcolorspace="RGB")
TWO = np.stack([GREY, GREY + 1])

NOTED = {  # code of an issue: a file with it
    "FRAMES": made(TWO, NumberOfFrames=1),
    "PIXEL_LENGTH": made(GREY, GREY.tobytes()[:-40]),
    "PIXEL_TRANSFER_SYNTAX": made(DEEP, [JPEG_LOSSLESS], RLE, BitsStored=12),
    "PIXEL_PRECISION": made(DEEP, [JPEG_LOSSLESS], LOSSLESS),
    "PIXEL_SIGN": made(DEEP, [SIGNED_J2K], J2K),
    "PIXEL_SAMPLES": made(GREY, [RGB_JPEG], BASELINE),
    "PIXEL_COLOUR": made(RGB, [RGB_JPEG], BASELINE, PhotometricInterpretation="YBR_FULL_422"),
    "FRAGMENTS": made(GREY, [codecs.rle_encode(GREY) + b"\0\0"], RLE).replace(b"\xfe\xff\xdd\xe0", b"\xfe\xff\xde\xe0"),
}


def unpickled(ds: dc.Dataset) -> dc.Dataset:
    return pickle.loads(pickle.dumps(ds))


ENTRIES = {  # functions that decode the frames of a data set
    "frames[0]": lambda ds: ds.frames[0],
    "raw": lambda ds: ds.frames.decode(0, raw=True),
    "out": lambda ds: ds.frames.array(out=np.empty(ds.frames.shape, ds.frames.dtype)),
    "decoded": lambda ds: ds.frames.decoded(0),
    "slice": lambda ds: ds.frames[:],
    "pixel_array": lambda ds: ds.pixel_array,
    "render": lambda ds: ds.frames.render(0),
    "a copy": lambda ds: ds.copy().pixel_array,
    "pickled": lambda ds: unpickled(ds).pixel_array,
    "pickled frames": lambda ds: pickle.loads(pickle.dumps(ds.frames)).array(),
}


@pytest.mark.parametrize("code", NOTED)
@pytest.mark.parametrize("take", ENTRIES.values(), ids=ENTRIES)
def test_notes_are_errors_when_strict(code, take):
    lenient = dc.dcmread(NOTED[code])
    take(lenient)
    lenient.pixel_array  # noqa: B018
    assert code in [issue.code for issue in lenient.issues]
    with pytest.raises(dc.DicomError):
        take(dc.dcmread(NOTED[code], strict=True))
    with pytest.raises(dc.DicomError):
        take(dc.dcmread(NOTED[code], limits=dc.Limits(strict=True)))


CONFORMING = {
    "native": made(GREY),
    "JPEG lossless": made(DEEP, [JPEG_LOSSLESS], LOSSLESS, BitsStored=12),
    "RLE": made(TWO, [codecs.rle_encode(one) for one in TWO], RLE, NumberOfFrames=2),
    "JPEG": made(RGB, [RGB_JPEG], BASELINE),
}


@pytest.mark.parametrize("take", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("data", CONFORMING.values(), ids=CONFORMING)
def test_conforming_frames_are_read_when_strict(data, take):
    take(dc.dcmread(data, strict=True))


def test_strict_in_a_worker():
    ds = dc.dcmread(NOTED["PIXEL_COLOUR"], limits=dc.Limits(isolate=True, strict=True))
    with pytest.raises(PixelDecodeError, match="RGB by its") as caught:
        ds.frames.stack([0])
    assert caught.value.frame == 0


def test_strict_in_items():
    """Icons are decoded by their data set's rules."""
    ds = dc.dcmread(made(GREY))
    icon = dc.dcmread(made(RGB, [RGB_JPEG], BASELINE, PhotometricInterpretation="YBR_FULL_422"))
    item = dc.Dataset()
    for element in icon[0x00280000:]:
        item.add(element)
    ds.IconImageSequence = dc.Sequence([item])
    ds.file_meta.TransferSyntaxUID = BASELINE
    ds.PixelData = icon.PixelData
    data = ds.to_bytes()
    assert dc.dcmread(data).IconImageSequence[0].frames[0].shape == RGB.shape
    with pytest.raises(PixelDecodeError, match="Photometric Interpretation"):
        dc.dcmread(data, strict=True).IconImageSequence[0].frames[0]


@pytest.mark.parametrize("to", ["explicit", "rle"])
def test_strict_in_transcoding(to):
    dc.transcode(NOTED["PIXEL_COLOUR"], bytearray(), to)
    with pytest.raises(PixelDecodeError, match="RGB by its"):
        dc.transcode(NOTED["PIXEL_COLOUR"], bytearray(), to, limits=dc.Limits(strict=True))


def test_strict_in_bulk(tmp_path):
    """The message names file and frame, as a log has nothing else."""
    (tmp_path / "good.dcm").write_bytes(CONFORMING["JPEG"])
    (tmp_path / "other.dcm").write_bytes(NOTED["PIXEL_COLOUR"])
    take = partial(archive_frames, tmp_path, limits=dc.Limits(strict=True))
    good, other = take(errors="yield")
    assert good.error is None
    assert isinstance(other.error, PixelDecodeError)
    wanted = f"{tmp_path / 'other.dcm'}, frame 0: Photometric Interpretation is YBR_FULL_422, the codestream is RGB"
    assert str(other.error).startswith(wanted)
    with pytest.raises(PixelDecodeError, match=r"other\.dcm, frame 0"):
        list(take())


def test_an_error_names_file_and_frame(tmp_path):
    path = tmp_path / "cut.dcm"
    path.write_bytes(made(TWO, [RGB_JPEG, b"\xff\xd8" + bytes(60)], BASELINE, NumberOfFrames=2))
    with pytest.raises(PixelDecodeError) as caught:
        dc.dcmread(path).frames[1]
    error = caught.value
    assert (error.path, error.frame, error.offset) == (str(path), 1, 2)
    assert str(error) == f"{path}, frame 1: JPEG marker missing, at byte 2"
    same = pickle.loads(pickle.dumps(error))
    assert (str(same), same.frame, same.path, same.message) == (str(error), 1, str(path), error.message)


ENCODERS = {  # what stands in a data set with another number of samples
    "JPEG": (BASELINE, lambda array: imagecodecs.jpeg8_encode(array, level=100)),
    "JPEG lossless": (LOSSLESS, codecs.jpeg_lossless_encode),
    "JPEG-LS": ("1.2.840.10008.1.2.4.80", imagecodecs.jpegls_encode),
    "JPEG 2000": (J2K, partial(imagecodecs.jpeg2k_encode, level=0, reversible=True, codecformat="j2k")),
    "HTJ2K as JPEG 2000": ("1.2.840.10008.1.2.4.201", partial(imagecodecs.jpeg2k_encode, level=0, codecformat="j2k")),
    "JPEG XL": ("1.2.840.10008.1.2.4.110", partial(imagecodecs.jpegxl_encode, lossless=True)),
}
RGBA = np.concatenate([RGB, GREY[..., None]], -1)


@pytest.mark.parametrize(("syntax", "encode"), ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize(
    ("coded", "stated"), [(RGB, GREY), (GREY, RGB), (RGBA, RGB)], ids=["3 for 1", "1 for 3", "4 for 3"]
)
def test_samples_per_pixel_that_the_codestream_contradicts(coded, stated, syntax, encode):
    data = made(stated, [encode(coded)], syntax)
    ds = dc.dcmread(data)
    if (syntax, coded.shape[-1]) == ("1.2.840.10008.1.2.4.110", 4):  # JPEG XL codes opacity separately from colour
        with pytest.raises(PixelDecodeError, match="gave samples of shape"):
            ds.pixel_array  # noqa: B018
        return
    assert ds.pixel_array.shape == ds.frames.shape == coded.shape
    (issue,) = [issue for issue in ds.issues if issue.code == "PIXEL_SAMPLES"]
    had, has = (array.shape[2] if array.ndim == 3 else 1 for array in (stated, coded))
    assert f"Samples per Pixel is {had}, the codestream has {has}" in issue.message
    with pytest.raises(PixelDecodeError, match="Samples per Pixel") as caught:
        dc.dcmread(data, strict=True).frames[0]
    assert caught.value.frame == 0


def test_each_frame_is_compared_with_the_data_set():
    """Each frame's codestream is compared with the data set, not with the first frame's."""
    plain = imagecodecs.jpegls_encode(GREY >> 1)
    deep = codecs.jpeg_lossless_encode(GREY >> 1, precision=7)
    data = made(np.stack([GREY >> 1] * 3), [plain, deep, plain], "1.2.840.10008.1.2.4.80", NumberOfFrames=3)
    ds = dc.dcmread(data)
    assert (ds.pixel_array == GREY >> 1).all()
    assert [issue.code for issue in ds.issues] == ["PIXEL_PRECISION", "PIXEL_TRANSFER_SYNTAX"]
    strict = dc.dcmread(data, strict=True)
    assert (strict.frames[0] == GREY >> 1).all()
    assert (strict.frames[2] == GREY >> 1).all()
    with pytest.raises(PixelDecodeError) as caught:
        strict.pixel_array  # noqa: B018
    assert caught.value.frame == 1
