"""`strict` reaches the frames: what would be noted of them is an error, wherever they are decoded."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest
from made_images import made

import dicomcore as dc
from dicomcore import codecs
from dicomcore.archive import frames as archive_frames
from dicomcore.errors import PixelDecodeError

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

NOTED = {  # code: a file of which it is said
    "FRAMES": made(TWO, NumberOfFrames=1),
    "PIXEL_LENGTH": made(GREY, GREY.tobytes()[:-40]),
    "PIXEL_TRANSFER_SYNTAX": made(DEEP, [JPEG_LOSSLESS], RLE, BitsStored=12),
    "PIXEL_PRECISION": made(DEEP, [JPEG_LOSSLESS], LOSSLESS),
    "PIXEL_SIGN": made(DEEP, [SIGNED_J2K], J2K),
    "PIXEL_SAMPLES": made(GREY, [RGB_JPEG], BASELINE),
    "PIXEL_COLOUR": made(RGB, [RGB_JPEG], BASELINE, PhotometricInterpretation="YBR_FULL_422"),
    "FRAGMENTS": made(GREY, [codecs.rle_encode(GREY) + b"\0\0"], RLE).replace(b"\xfe\xff\xdd\xe0", b"\xfe\xff\xde\xe0"),
}


def again(ds: dc.Dataset) -> dc.Dataset:
    return pickle.loads(pickle.dumps(ds))


ENTRIES = {  # each takes a data set, and asks for its frames
    "frames[0]": lambda ds: ds.frames[0],
    "raw": lambda ds: ds.frames.decode(0, raw=True),
    "out": lambda ds: ds.frames.array(out=np.empty(ds.frames.shape, ds.frames.dtype)),
    "decoded": lambda ds: ds.frames.decoded(0),
    "slice": lambda ds: ds.frames[:],
    "pixel_array": lambda ds: ds.pixel_array,
    "render": lambda ds: ds.frames.render(0),
    "a copy": lambda ds: ds.copy().pixel_array,
    "pickled": lambda ds: again(ds).pixel_array,
    "pickled frames": lambda ds: pickle.loads(pickle.dumps(ds.frames)).array(),
}


@pytest.mark.parametrize("code", NOTED)
@pytest.mark.parametrize("take", ENTRIES.values(), ids=ENTRIES)
def test_what_is_noted_is_an_error_when_strict(code, take):
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
def test_what_conforms_is_read_when_strict(data, take):
    take(dc.dcmread(data, strict=True))


def test_strict_in_a_worker():
    ds = dc.dcmread(NOTED["PIXEL_COLOUR"], limits=dc.Limits(isolate=True, strict=True))
    with pytest.raises(PixelDecodeError, match="RGB by its") as caught:
        ds.frames.stack([0])
    assert caught.value.frame == 0


def test_strict_in_bulk(tmp_path):
    """The file and the frame are in the message, as a log has nothing else."""
    (tmp_path / "good.dcm").write_bytes(CONFORMING["JPEG"])
    (tmp_path / "other.dcm").write_bytes(NOTED["PIXEL_COLOUR"])
    take = partial(archive_frames, tmp_path, limits=dc.Limits(strict=True))
    good, other = take(errors="yield")
    assert good.error is None
    assert isinstance(other.error, PixelDecodeError)
    wanted = f"{tmp_path / 'other.dcm'}, frame 0: Photometric Interpretation is YBR_FULL_422, the codestream is RGB"
    assert str(other.error).startswith(wanted)
    with pytest.raises(PixelDecodeError, match="other.dcm, frame 0"):
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
