"""Video frames by index, on streams encoded here; without PyAV the error names the extra."""

import io
import os
import signal
import struct
import sys

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from dicomcore.errors import PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels.coding import video
from tests.support.mutate import mutants

MPEG2, H264, HEVC, H264_SPLIT = (f"1.2.840.10008.1.2.4.{end}" for end in ("100", "102", "107", "102.1"))
FRAMES = 12


def picture(i: int) -> np.ndarray:
    """A grey frame whose brightness encodes its number: 16 steps from dark to light."""
    return np.full((64, 96, 3), 16 + 18 * i, np.uint8)


def encoded(codec: str, container: str) -> bytes:
    av = pytest.importorskip("av")
    held = io.BytesIO()
    try:
        with av.open(held, "w", format=container) as output:
            stream = output.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            for i in range(FRAMES):
                for packet in stream.encode(av.VideoFrame.from_ndarray(picture(i), format="rgb24")):
                    output.mux(packet)
            for packet in stream.encode():
                output.mux(packet)
    except (av.error.FFmpegError, ValueError) as error:
        pytest.skip(f"no encoder for {codec}: {error}")
    return held.getvalue()


STREAMS = {
    "MPEG-2 elementary": (MPEG2, "mpeg2video", "mpeg2video"),
    "MPEG-2 transport": (MPEG2, "mpeg2video", "mpegts"),
    "H.264 elementary": (H264, "h264", "h264"),
    "H.264 transport": (H264, "h264", "mpegts"),
    "H.264 MP4": (H264_SPLIT, "h264", "mp4"),
    "HEVC elementary": (HEVC, "hevc", "hevc"),
}


def file_of(stream: bytes, syntax: str, pieces: int = 1, table: bytes = b"", empty: bool = False) -> bytes:
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = ds.SOPInstanceUID = "1.2.3"
    ds.Rows, ds.Columns, ds.NumberOfFrames, ds.SamplesPerPixel = 64, 96, FRAMES, 3
    ds.PhotometricInterpretation, ds.PlanarConfiguration = "YBR_PARTIAL_420", 0
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    step = -(-len(stream) // pieces // 2) * 2  # fragments are of even length
    parts = [stream[i : i + step] for i in range(0, len(stream), step)]
    items = [table, *(part + b"\0" * (len(part) % 2) for part in parts)]
    if empty:
        items = [table, b"", *items[1:], b""]
    ds.PixelData = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(item)) + item for item in items)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize("isolate", [False, True], ids=["here", "isolated"])
@pytest.mark.parametrize(("syntax", "codec", "container"), STREAMS.values(), ids=STREAMS)
def test_frames_by_index(syntax, codec, container, isolate):
    ds = dc.dcmread(file_of(encoded(codec, container), syntax), limits=dc.Limits(isolate=isolate))
    assert ds.frames.shape == (FRAMES, 64, 96, 3)
    for i in (0, 1, 7, 3, FRAMES - 1):
        frame = ds.frames[i]
        assert frame.dtype == np.uint8
        assert abs(frame.astype(int) - picture(i)).mean() < 6
    assert ds.frames[2:5].shape == (3, 64, 96, 3)


def test_stream_in_several_fragments():
    stream = encoded("mpeg2video", "mpegts")
    ds = dc.dcmread(file_of(stream, MPEG2 + ".1", pieces=3))
    assert bytes(ds.frames.encoded(0)).rstrip(b"\0") == stream.rstrip(b"\0")
    assert abs(ds.frames[5].astype(int) - picture(5)).mean() < 6


TABLES = {"no table": b"", "the first": bytes(4), "one a frame": struct.pack(f"<{FRAMES}I", *range(0, 20 * FRAMES, 20))}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("pieces", [1, 2, FRAMES, FRAMES + 5])
def test_fragments_are_one_stream(pieces, table):
    """The number of fragments, empty ones and offset tables don't matter (PS3.5 8.2.5)."""
    stream = encoded("mpeg2video", "mpegts")
    ds = dc.dcmread(file_of(stream, MPEG2 + ".1", pieces, table, empty=True))
    assert len(ds.frames) == FRAMES
    assert bytes(ds.frames.encoded(0)).rstrip(b"\0") == stream.rstrip(b"\0")
    assert abs(ds.frames[5].astype(int) - picture(5)).mean() < 6
    assert not ds.issues


def test_another_medium_is_refused():
    """libav decodes pictures too, as colours of its own."""
    imagecodecs = pytest.importorskip("imagecodecs")
    pytest.importorskip("av")
    for stream in (imagecodecs.png_encode(picture(3)), imagecodecs.bmp_encode(picture(3))):
        with pytest.raises(PixelDecodeError):
            video.VideoStream(stream, H264).frame(0)


def test_past_the_last_frame():
    stream = video.VideoStream(encoded("mpeg2video", "mpegts"), MPEG2)
    with pytest.raises(IndexError):
        stream.frame(FRAMES)


@pytest.mark.parametrize("isolate", [False, True], ids=["here", "isolated"])
def test_dirt(isolate):
    pytest.importorskip("av")
    frames = dc.dcmread(file_of(bytes(range(256)) * 4, MPEG2), limits=dc.Limits(isolate=isolate)).frames
    for i in (0, 3):
        with pytest.raises(PixelDecodeError) as caught:
            frames[i]
        assert caught.value.frame == i


@pytest.mark.thread_unsafe(reason="kills the worker that all share")
@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_an_isolated_video_and_its_worker():
    """Killing an idle worker loses nothing; two videos and another process's worker don't disturb each other."""
    limits = dc.Limits(isolate=True)
    frames = dc.dcmread(file_of(encoded("h264", "mp4"), H264_SPLIT), limits=limits).frames
    other = dc.dcmread(file_of(encoded("mpeg2video", "mpegts"), MPEG2), limits=limits).frames
    before = frames[4]
    stream = frames._source._stream
    worker = stream._worker
    assert worker.keeps is stream._token
    os.kill(worker._process.pid, signal.SIGKILL)
    assert (frames[4] == before).all()
    for i in (5, 6, 2, 9):
        for one in (frames, other):
            assert abs(one[i].astype(int) - picture(i)).mean() < 6


@pytest.mark.parametrize("count", [12, pytest.param(2000, marks=pytest.mark.long)])
def test_damaged_video_isolated(count):
    stream = encoded("h264", "mp4")
    limits = dc.Limits(isolate=True, decode_seconds=20)
    for damaged in filter(None, mutants(stream, 5, count)):
        frames = dc.dcmread(file_of(damaged, H264_SPLIT), limits=limits).frames
        for i in (0, 7):
            try:
                assert frames[i].shape == (64, 96, 3)
            except PixelDecodeError as error:
                assert error.frame == i


def test_without_pyav(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(video, "import_module", absent)
    ds = dc.dcmread(file_of(b"stream", H264))
    assert bytes(ds.frames.encoded(3)) == b"stream"
    with pytest.raises(UnsupportedTransferSyntaxError, match=r"dicomcore\[video\]"):
        ds.frames[0]
