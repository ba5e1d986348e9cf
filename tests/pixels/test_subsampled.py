"""Chroma with fewer samples than luminance: JPEG 2000 as whole-slide scanners write it, and uncompressed 4:2:2."""

from __future__ import annotations

import base64
from fractions import Fraction

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.archive import frames as archive_frames
from dicomcore.errors import PixelDecodeError
from tests.support.made_images import made

imagecodecs = pytest.importorskip("imagecodecs")

J2K = "1.2.840.10008.1.2.4.90"
LABELS = ("YBR_FULL_422", "YBR_FULL", "RGB", "YBR_ICT", "YBR_RCT")
SUBSAMPLED = {"4:2:2": ("yuv422p", 2, 1), "4:2:0": ("yuv420p", 2, 2)}
RNG = np.random.default_rng(3)


def planes(rows: int, columns: int, across: int, down: int) -> list[np.ndarray]:
    y, x = np.mgrid[0:rows, 0:columns]
    chroma = -(-rows // down), -(-columns // across)
    return [((x * 7 + y * 5) % 256).astype("u1"), *(RNG.integers(0, 256, chroma, "u1") for _ in range(2))]


def spread(parts: list[np.ndarray], across: int, down: int) -> np.ndarray:
    """(rows, columns, 3), each chroma sample repeated over its pixels."""
    rows, columns = parts[0].shape
    wide = [np.repeat(np.repeat(part, down, 0), across, 1)[:rows, :columns] for part in parts[1:]]
    return np.stack([parts[0], *wide], -1)


def to_rgb(ybr: np.ndarray) -> np.ndarray:
    """The inverse of PS3.3 C.7.6.3.1.2; halves may be rounded either way."""
    y, cb, cr = np.moveaxis(ybr.astype(float), -1, 0)
    cb, cr = cb - 128, cr - 128
    rgb = np.stack([y + 1.402 * cr, y - 0.114 * 1.772 / 0.587 * cb - 0.299 * 1.402 / 0.587 * cr, y + 1.772 * cb], -1)
    return np.clip(np.rint(rgb), 0, 255).astype("u1")


def is_close(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and np.abs(one.astype(int) - other).max() <= 1


def by_ffmpeg(parts: list[np.ndarray], pixel_format: str) -> bytes:
    """A lossless codestream of another encoder, whose components are these planes."""
    av = pytest.importorskip("av")
    rows, columns = parts[0].shape
    context = av.CodecContext.create("jpeg2000", "w")
    context.width, context.height, context.pix_fmt, context.time_base = columns, rows, pixel_format, Fraction(1, 1)
    context.options = {"format": "j2k", "pred": "1"}
    frame = av.VideoFrame(columns, rows, pixel_format)
    for part, plane in zip(parts, frame.planes, strict=True):
        padded = np.zeros((plane.height, plane.line_size), "u1")
        padded[:, : plane.width] = part
        plane.update(padded.tobytes())
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))


@pytest.fixture(params=[(16, 16), (15, 17), (40, 33)], ids=["even", "odd", "odd columns"])
def size(request):
    return request.param


@pytest.fixture(params=SUBSAMPLED.values(), ids=SUBSAMPLED)
def image(request, size):
    """Samples as coded, and their codestream."""
    pixel_format, across, down = request.param
    parts = planes(*size, across, down)
    return spread(parts, across, down), by_ffmpeg(parts, pixel_format)


@pytest.mark.parametrize("label", LABELS)
def test_jpeg_2000_is_converted_once(image, label, tmp_path):
    """Whatever the photometric interpretation: RGB is never subsampled (CP-2650 allows YBR_FULL_422)."""
    ybr, codestream = image
    path = tmp_path / "slide.dcm"
    path.write_bytes(made(ybr, [codestream, codestream], J2K, PhotometricInterpretation=label))
    ds = dc.dcmread(path)
    assert (ds.frames.decode(0, raw=True) == ybr).all()
    assert is_close(ds.frames[0], to_rgb(ybr))
    assert is_close(ds.pixel_array[1], to_rgb(ybr))
    assert is_close(ds.frames.render(0), to_rgb(ybr))
    assert all(is_close(record.array, to_rgb(ybr)) for record in archive_frames(path))
    assert ("PIXEL_COLOUR" in [issue.code for issue in ds.issues]) == (label in ("RGB", "YBR_ICT", "YBR_RCT"))


def test_jpeg_2000_in_a_worker(image):
    ybr, codestream = image
    data = made(ybr, [codestream], J2K, PhotometricInterpretation="YBR_FULL_422")
    assert is_close(dc.dcmread(data, limits=dc.Limits(isolate=True)).frames[:][0], to_rgb(ybr))


@pytest.mark.parametrize("to", ["explicit", "rle", "htj2k", "jpeg-lossless", "jpeg-ls"])
def test_jpeg_2000_transcoded(image, to):
    ybr, codestream = image
    out = bytearray()
    dc.transcode(made(ybr, [codestream], J2K, PhotometricInterpretation="YBR_FULL_422"), out, to, verify=True)
    made_of_it = dc.dcmread(bytes(out))
    assert is_close(made_of_it.pixel_array, to_rgb(ybr))
    assert made_of_it.PhotometricInterpretation in ("RGB", "YBR_FULL")
    raw = made_of_it.frames.decode(0, raw=True)
    assert is_close(raw, ybr if made_of_it.PhotometricInterpretation == "YBR_FULL" else to_rgb(ybr))


@pytest.mark.thread_unsafe(reason="registers with pydicom")
def test_jpeg_2000_through_pydicom(image, tmp_path):
    pydicom = pytest.importorskip("pydicom")
    from dicomcore.interop.pydicom import PLUGIN, register, unregister

    ybr, codestream = image
    path = tmp_path / "slide.dcm"
    path.write_bytes(made(ybr, [codestream], J2K, PhotometricInterpretation="YBR_FULL_422"))
    register()
    try:
        raw = pydicom.pixels.pixel_array(path, decoding_plugin=PLUGIN, raw=True)
        rgb = pydicom.pixels.pixel_array(path, decoding_plugin=PLUGIN)
    finally:
        unregister()
    assert (raw == ybr).all()
    assert is_close(rgb, to_rgb(ybr))


WRITTEN_BY_OPENJPEG = base64.b64decode(
    "/0//UQAvAAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAADBwEBBwICBwIC/1IADAAAAAEAAQQEAAH/XAAHQEBISFD/ZAAlAAFDcm"
    "VhdGVkIGJ5IE9wZW5KUEVHIHZlcnNpb24gMi41LjD/kAAKAAAAAABUAAH/k9+AeBIL010Zolqn1hoF6cY62c+0FAacUBCHz7QUBPtIHZjAEUD5"
    "AYAiFwN/58D5AUPqAwANAQs9hcD5AcPqAwAOCn8MF8b/2Q=="
)
"""8 × 8, 4:2:0, by opj_compress 2.5.0, for where there is no FFmpeg: each Y is 8 row + column, CB 40 + and CR 200 - 9
times the place of the sample among 4 × 4."""


def test_jpeg_2000_of_another_encoder():
    y, place = np.arange(64, dtype="u1").reshape(8, 8), np.arange(16).reshape(4, 4)
    ybr = spread([y, (40 + 9 * place).astype("u1"), (200 - 9 * place).astype("u1")], 2, 2)
    ds = dc.dcmread(made(ybr, [WRITTEN_BY_OPENJPEG], J2K, PhotometricInterpretation="YBR_FULL_422"))
    assert (ds.frames.decode(0, raw=True) == ybr).all()
    assert is_close(ds.frames[0], to_rgb(ybr))


def test_jpeg_2000_of_other_subsampling_is_refused():
    """Only the rows are halved: OpenJPEG has no rule for that, and dicomcore doesn't guess."""
    siz = WRITTEN_BY_OPENJPEG.index(b"\xff\x51") + 42
    other = WRITTEN_BY_OPENJPEG[:siz] + b"\x07\1\1\x07\1\2\x07\1\2" + WRITTEN_BY_OPENJPEG[siz + 9 :]
    with pytest.raises(PixelDecodeError, match="can't be decoded"):
        dc.dcmread(made(np.zeros((8, 8, 3), "u1"), [other], J2K)).frames[0]


# -- uncompressed


def pairs(ybr: np.ndarray) -> bytes:
    """Y1 Y2 CB CR by row, the last pixel of an odd row twice."""
    wide = np.concatenate([ybr, ybr[:, -1:]], 1) if ybr.shape[1] % 2 else ybr
    left, right = wide[:, ::2], wide[:, 1::2]
    return np.stack([left[..., 0], right[..., 0], left[..., 1], left[..., 2]], -1).tobytes()


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize(("rows", "columns"), [(4, 6), (4, 5), (5, 5), (3, 7), (6, 3)])
def test_uncompressed_pairs(rows, columns, frames):
    ybr = np.stack([spread(planes(rows, columns, 2, 1), 2, 1) for _ in range(frames)])
    said = {"PhotometricInterpretation": "YBR_FULL_422", "NumberOfFrames": frames}
    ds = dc.dcmread(made(ybr, b"".join(map(pairs, ybr)), **said))
    assert (ds.frames.stack(range(frames), raw=True) == ybr).all()
    assert is_close(ds.frames[-1], to_rgb(ybr[-1]))
    assert not ds.issues
    full = dc.dcmread(made(ybr, ybr.tobytes(), **said))  # as some writers have it
    assert (full.frames.stack(range(frames), raw=True) == ybr).all()


@pytest.mark.parametrize(("rows", "columns"), [(4, 5), (5, 5), (6, 3)])
def test_uncompressed_pairs_that_are_no_rows(rows, columns):
    """Neither whole pairs in a row nor full chroma: any picture of these bytes would be sheared."""
    run_on = bytes(2 * rows * columns)
    ds = dc.dcmread(made(np.zeros((rows, columns, 3), "u1"), run_on, PhotometricInterpretation="YBR_FULL_422"))
    with pytest.raises(PixelDecodeError, match="whole pairs"):
        ds.pixel_array  # noqa: B018
