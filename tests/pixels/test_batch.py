"""Frames decoded in a batch equal those decoded one by one, also if one frame differs from the others."""

from __future__ import annotations

import io
import random
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicomcore as dc
from dicomcore._native.pixels.batch import Batch, How
from dicomcore.codecs import jpeg_lossless_encode, rle_encode
from dicomcore.errors import DicomError, PixelDecodeError
from dicomcore.pixels import register
from dicomcore.pixels.coding.own import decode_jpeg_lossless, decode_rle
from dicomcore.pixels.coding.registry import codec_for
from dicomcore.tags import Tag

RLE, JPEG_LOSSLESS = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70"
RNG = np.random.default_rng(3)


def item(data: bytes) -> bytes:
    data += b"\0" * (len(data) % 2)
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data


def made(streams, syntax, shape, dtype, *, table="basic", pieces=(), **told) -> bytes:
    """A file of these codestreams; `pieces` names frames that are cut into two fragments."""
    items = [item(s[:8]) + item(s[8:]) if i in pieces else item(s) for i, s in enumerate(streams)]
    offsets = [sum(map(len, items[:i])) for i in range(len(items))]
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = ds.SOPInstanceUID = "1.2.3"
    ds.Rows, ds.Columns, ds.NumberOfFrames = *shape[:2], len(streams)
    ds.SamplesPerPixel = shape[2] if len(shape) > 2 else 1
    ds.PhotometricInterpretation = told.pop("colour", "RGB" if ds.SamplesPerPixel > 1 else "MONOCHROME2")
    ds.PlanarConfiguration = 0
    ds.BitsAllocated = 8 * np.dtype(dtype).itemsize
    ds.BitsStored = told.pop("stored", ds.BitsAllocated)
    ds.PixelRepresentation = int(np.dtype(dtype).kind == "i")
    if table == "extended":
        ds.ExtendedOffsetTable = np.array(offsets, "<u8").tobytes()
        ds.ExtendedOffsetTableLengths = np.array([len(s) for s in streams], "<u8").tobytes()
    basic = np.array(told.pop("offsets", offsets), "<u4").tobytes() if table == "basic" else b""
    ds.PixelData = item(basic) + b"".join(items)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def pictures(shape, dtype, high, count=9):
    slope = np.add.outer(np.arange(shape[0]), np.arange(shape[1])).reshape(*shape[:2], *(1,) * (len(shape) - 2))
    return [((slope * (i + 1) + RNG.integers(0, 9, shape)) % high).astype(dtype).reshape(shape) for i in range(count)]


@contextmanager
def one_by_one(*syntaxes):
    """Register our codecs as foreign ones, so that each frame is decoded by itself."""
    own = {RLE: decode_rle, JPEG_LOSSLESS: decode_jpeg_lossless}
    before = {syntax: codec_for(syntax) for syntax in syntaxes}
    for syntax, codec in before.items():
        wrapped = lambda data, desc, out, decode=own[syntax]: decode(data, desc, out)  # noqa: E731
        register(syntax, wrapped, name=codec.name, read_header=codec.read_header)
    try:
        yield
    finally:
        for syntax, codec in before.items():
            register(syntax, codec.decoder, name=codec.name, read_header=codec.read_header)


def outcome(source, **options):
    """The samples and notes of decoding, or the error."""
    try:
        frames = dc.dcmread(source).frames
        array = frames.array(**options)
    except DicomError as error:
        return type(error), getattr(error, "frame", None), getattr(error, "offset", None), str(error)
    return array.tobytes(), array.shape, array.dtype, sorted(note.message for note in frames.notes)


def jpeg(array, precision=None):
    return jpeg_lossless_encode(array, precision=precision)


CASES = {  # name: (syntax, encoder, shape, dtype, values below, told)
    "RLE 8": (RLE, rle_encode, (7, 9), "u1", 256, {}),
    "RLE 16": (RLE, rle_encode, (40, 30), "u2", 65536, {}),
    "RLE 32": (RLE, rle_encode, (5, 6), "u4", 1 << 32, {}),
    "RLE 64": (RLE, rle_encode, (5, 6), "u8", 1 << 40, {}),
    "RLE signed": (RLE, rle_encode, (8, 8), "i2", 65536, {}),
    "RLE, dirt above": (RLE, rle_encode, (8, 8), "u2", 65536, {"stored": 12}),
    "RLE, sign to extend": (RLE, rle_encode, (8, 8), "i2", 4096, {"stored": 12}),
    "RLE 32, dirt above": (RLE, rle_encode, (8, 8), "u4", 1 << 32, {"stored": 20}),
    "RLE 32, sign to extend": (RLE, rle_encode, (8, 8), "i4", 1 << 20, {"stored": 20}),
    "RLE 64, dirt above": (RLE, rle_encode, (5, 6), "u8", 1 << 60, {"stored": 40}),
    "RLE colour": (RLE, rle_encode, (8, 5, 3), "u1", 256, {}),
    "RLE YBR": (RLE, rle_encode, (8, 5, 3), "u1", 256, {"colour": "YBR_FULL"}),
    "RLE YBR partial": (RLE, rle_encode, (8, 6, 3), "u1", 256, {"colour": "YBR_PARTIAL_422"}),
    "RLE YBR 16": (RLE, rle_encode, (8, 5, 3), "u2", 4096, {"colour": "YBR_FULL"}),
    "RLE colour 16": (RLE, rle_encode, (8, 5, 3), "u2", 65536, {}),
    "JPEG 8": (JPEG_LOSSLESS, jpeg, (16, 9), "u1", 256, {}),
    "JPEG 12 in 16": (JPEG_LOSSLESS, lambda a: jpeg(a, 12), (16, 9), "u2", 4096, {"stored": 12}),
    "JPEG 16 called 12": (JPEG_LOSSLESS, jpeg, (16, 9), "u2", 65536, {"stored": 12}),
    "JPEG 8 in 16": (JPEG_LOSSLESS, lambda a: jpeg(a.astype("u1")), (16, 9), "u2", 256, {"stored": 8}),
    "JPEG signed": (JPEG_LOSSLESS, lambda a: jpeg(a.astype("i2") - 2000, 12), (6, 9), "i2", 4000, {"stored": 12}),
    "JPEG colour": (JPEG_LOSSLESS, jpeg, (9, 8, 3), "u1", 256, {}),
    "JPEG YBR": (JPEG_LOSSLESS, jpeg, (9, 8, 3), "u1", 256, {"colour": "YBR_FULL"}),
    "JPEG larger than its words": (JPEG_LOSSLESS, lambda a: jpeg(a.astype("u2"), 12), (16, 9), "u1", 256, {}),
}
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def streams_of(case):
    _, encode, shape, dtype, high, _ = case
    return [encode(picture) for picture in pictures(shape, dtype, high)]


@pytest.mark.thread_unsafe(reason="registers another codec")
@EACH
@pytest.mark.parametrize("table", ["basic", "extended", None])
def test_a_batch_equals_frame_by_frame(case, table, tmp_path):
    syntax, _, shape, dtype, _, told = case
    streams = streams_of(case)
    streams *= 1 + 80_000 // sum(map(len, streams))  # more than the block that holds the header
    data = made(streams, syntax, shape, dtype, table=table, **told)
    path = tmp_path / "frames.dcm"
    path.write_bytes(data)
    with one_by_one(syntax):
        expected = outcome(data)
        raw = outcome(data, raw=True)
    for source in (data, path):
        for workers in (1, 3):
            assert outcome(source, workers=workers) == expected
            assert outcome(source, workers=workers, raw=True) == raw
        frames = dc.dcmread(source).frames
        every = np.frombuffer(expected[0], frames.dtype).reshape(frames.shape)
        for i in (0, 5, len(frames) - 1):
            assert (frames.decode(i, out=np.empty(frames.shape[1:], frames.dtype)) == every[i]).all()
            assert (frames[i] == every[i]).all()


@EACH
@pytest.mark.skipif(sys.byteorder == "big", reason="machines of big endian decode frame by frame")
def test_no_frame_is_decoded_outside_the_batch(case, monkeypatch):
    syntax, _, shape, dtype, _, told = case
    if told.get("colour") == "YBR_PARTIAL_422" or (told.get("colour") and dtype == "u2"):
        pytest.skip("colour that is converted afterwards")
    frames = dc.dcmread(made(streams_of(case), syntax, shape, dtype, **told)).frames
    monkeypatch.setattr(frames._source, "_decoded", None)
    assert len(frames.array(workers=2)) == 9
    assert (frames[3:5] == frames.stack([3, 4])).all()


def other_size(streams, shape):
    streams[4] = jpeg(np.zeros((shape[1], shape[0]), "u2"), 12)


def other_precision(streams, shape):
    streams[4] = jpeg(pictures(shape, "u2", 4096)[0])


def other_comment(streams, shape):
    streams[4] = streams[4][:2] + b"\xff\xfe\x00\x05abc" + streams[4][2:]


def other_marker(streams, shape):
    streams[4] = streams[4][:2] + b"\xff\xe5\x00\x05abc" + streams[4][2:]


def cut(streams, shape):
    streams[6] = streams[6][: len(streams[6]) // 2]


def nothing(streams, shape):
    streams[2] = b""


def dirt(streams, shape):
    streams[0] = b"\xff" * 80


UNLIKE = {f.__name__: f for f in (other_size, other_precision, other_comment, other_marker, cut, nothing, dirt)}


@pytest.mark.thread_unsafe(reason="registers another codec")
@pytest.mark.parametrize("change", UNLIKE.values(), ids=UNLIKE)
@pytest.mark.parametrize("name", ["JPEG 12 in 16", "RLE 16"])
def test_a_batch_with_one_different_frame_equals_frame_by_frame(name, change):
    case = CASES[name]
    syntax, _, shape, dtype, _, told = case
    streams = streams_of(case)
    change(streams, shape)
    data = made(streams, syntax, shape, dtype, **told)
    with one_by_one(syntax):
        expected = outcome(data, workers=1)
    for workers in (1, 3):
        assert outcome(data, workers=workers) == expected


TABLES = {  # name: how a file of nine RLE frames is made
    "two fragments": {"pieces": (3,)},
    "two fragments in the last": {"pieces": (8,)},
    "two fragments each, no table": {"pieces": range(9), "table": None},
    "entry between items": {"offsets": [0, 300, *range(8000, 64000, 8000)]},
    "entries of the next frame": {"offsets": lambda o: [0, *o[2:], o[-1] + 6]},
    "zeros": {"offsets": [0] * 9},
}


@pytest.mark.thread_unsafe(reason="registers another codec")
@pytest.mark.parametrize("how", TABLES.values(), ids=TABLES)
def test_tables(how):
    case = CASES["RLE 16"]
    syntax, _, shape, dtype, _, told = case
    streams = streams_of(case)
    how = dict(how)
    if callable(how.get("offsets")):
        sizes = [len(item(stream)) for stream in streams]
        how["offsets"] = how["offsets"]([sum(sizes[:i]) for i in range(9)])
    data = made(streams, syntax, shape, dtype, **told, **how)
    with one_by_one(syntax):
        expected = outcome(data, workers=1)
    assert outcome(data, workers=1) == expected
    assert outcome(data, workers=3)[:3] == expected[:3]


@pytest.mark.thread_unsafe(reason="registers another codec")
@pytest.mark.parametrize("name", ["RLE 16", "RLE YBR", "JPEG 12 in 16", "JPEG YBR"])
@given(seed=st.integers(0, 1 << 30))
@settings(max_examples=40, deadline=None)
def test_mutated_pixel_data(name, seed):
    syntax, encode, shape, dtype, high, told = CASES[name]
    streams = [encode(picture) for picture in pictures(shape, dtype, high, 4)]
    data = bytearray(made(streams, syntax, shape, dtype, **told))
    draw = random.Random(seed)
    begin = data.index(b"\xe0\x7f\x10\x00OB") + 12
    for _ in range(draw.choice((1, 2, 8))):
        data[draw.randrange(begin, len(data))] = draw.randrange(256)
    with one_by_one(syntax):
        expected = outcome(bytes(data), workers=1)
    found = outcome(bytes(data), workers=1)
    # Once an entry of the offset table is wrong it is passed over; frames decoded by it before are right nevertheless.
    assert found == expected or "fragments make" in str(expected[-1])


def test_many_threads_detect_a_wrong_table():
    """Codestreams, frames and all of them at once, by threads that begin together."""
    streams = streams_of(CASES["RLE 16"])
    data = made(streams, RLE, (40, 30), "u2", offsets=TABLES["entry between items"]["offsets"])
    expected = [stream + b"\0" * (len(stream) % 2) for stream in streams]
    every = dc.dcmread(data).frames.array(workers=1)
    for _ in range(20):
        frames, start = dc.dcmread(data).frames, threading.Barrier(4)

        def work(k, frames=frames, start=start):
            start.wait()
            if k == 3:
                return (frames.array(workers=2) == every).all()
            return all(bytes(frames.encoded(i)) == expected[i] and (frames[i] == every[i]).all() for i in range(k, 9))

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, range(4)))


def test_frames_set_in_memory():
    case = CASES["RLE 16"]
    data = made(streams_of(case), RLE, (40, 30), "u2")
    ds = dc.dcmread(data)
    expected = ds.pixel_array
    ds.PixelData = bytes(ds["PixelData"].raw) if ds["PixelData"].raw else ds.PixelData
    ds[Tag("PixelData")].value = bytearray(ds.PixelData)
    assert (ds.pixel_array == expected).all()


def test_a_file_that_changed_is_not_decoded(tmp_path):
    case = CASES["RLE 16"]
    path = tmp_path / "frames.dcm"
    path.write_bytes(made(streams_of(case) * 9, RLE, (40, 30), "u2"))
    frames = dc.dcmread(path).frames
    assert frames[80].any()
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(DicomError, match="changed"):
        frames[80]


def test_a_claimed_size_is_not_allocated():
    """An RLE frame of 80 bytes in a data set of 65535 × 65535 pixels."""
    data = made([b"\x01\0\0\0\x40" + bytes(75)] * 2, RLE, (65535, 65535), "u2")
    with pytest.raises(PixelDecodeError) as caught:
        dc.dcmread(data, limits=dc.Limits(frame_pixels=1 << 40)).frames[1]
    assert caught.value.frame == 1


SMALL = How(pixels=4, samples=1, width=1, header=None)
FRAME = item(rle_encode(np.arange(4, dtype="u1").reshape(2, 2)))
MISUSE = {
    "outside": (FRAME, [0, len(FRAME) + 1], 4),
    "backwards": (FRAME, [9, 8], 4),
    "too little room": (FRAME, [0, len(FRAME)], 3),
    "too much room": (FRAME, [0, len(FRAME)], 8),
    "half a span": (FRAME, [0], 4),
}


@pytest.mark.parametrize(("source", "spans", "room"), MISUSE.values(), ids=MISUSE)
def test_spans_and_sizes_outside_the_buffers_are_refused(source, spans, room):
    with pytest.raises(ValueError, match="frame"):
        Batch(SMALL, source, 0, np.array(spans, "u8"), bytearray(room))


def test_an_uninitialised_batch_is_refused():
    for use in (lambda batch: batch.run(1), Batch.stop, Batch.left):
        with pytest.raises(ValueError, match="not called"):
            use(Batch.__new__(Batch))
    with pytest.raises(ValueError, match="9 samples"):
        How(pixels=4, samples=9, width=2, header=None)
    with pytest.raises(ValueError, match="these codecs give no"):
        How(pixels=4, samples=1, width=2, header=None, to_rgb=True)


def test_a_batch_runs_in_portions_and_stops():
    spans, out = np.array([[0, len(FRAME)]] * 10, "u8"), np.zeros((10, 4), "u1")
    batch = Batch(SMALL, FRAME, 0, spans, out)
    assert batch.run(5) is True
    assert batch.left() == list(range(2, 10))
    batch.stop()
    assert batch.run(100) is False
    assert batch.left() == list(range(2, 10))
    assert out[:2].tolist() == [[0, 1, 2, 3]] * 2
    assert not out[2:].any()
