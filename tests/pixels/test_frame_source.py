"""The class of each kind of pixel data, and the protocol that all of them offer to `Frames`."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import codecs
from dicomcore.pixels.encapsulated_frames import EncapsulatedFrames
from dicomcore.pixels.frame_source import FrameSource
from dicomcore.pixels.native_frames import NativeFrames
from dicomcore.pixels.video_frames import VideoFrames
from dicomcore.uids import MPEG2MPML, ExplicitVRLittleEndian, RLELossless

FRAMES = np.arange(3 * 4 * 6, dtype=np.uint8).reshape(3, 4, 6)
STREAM = b"\x00\x00\x01\xb3" + bytes(60)
"""How an MPEG-2 stream begins; no picture is in it."""


def fragments(*codestreams: bytes) -> bytes:
    items = (b"", *(stream + b"\0" * (len(stream) % 2) for stream in codestreams))
    return b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data for data in items)


RLE = fragments(*map(codecs.rle_encode, FRAMES))
KINDS = {  # name: (transfer syntax, Pixel Data, class)
    "samples": (ExplicitVRLittleEndian, FRAMES.tobytes(), NativeFrames),
    "samples called RLE": (RLELossless, FRAMES.tobytes(), NativeFrames),
    "RLE": (RLELossless, RLE, EncapsulatedFrames),
    "RLE called native": (ExplicitVRLittleEndian, RLE, EncapsulatedFrames),
    "RLE called MPEG-2": (MPEG2MPML, RLE, EncapsulatedFrames),
    "MPEG-2": (MPEG2MPML, fragments(STREAM[:32], STREAM[32:]), VideoFrames),
}


def frames_of(syntax: str, pixels: bytes) -> Any:
    ds = dc.Dataset()
    ds.set_pixels(FRAMES)
    ds.file_meta = dc.Dataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.add_new("PixelData", "OB", pixels)
    return ds.frames


@pytest.mark.parametrize(("syntax", "pixels", "kind"), KINDS.values(), ids=KINDS)
def test_the_class_follows_the_bytes(syntax: str, pixels: bytes, kind: type):
    frames = frames_of(syntax, pixels)
    source = frames._source
    assert type(source) is kind
    assert (len(source), len(frames)) == (3, 3)
    assert source.is_encapsulated == frames.is_encapsulated == (kind is not NativeFrames)
    assert [source.missing(i) for i in range(3)] == [0, 0, 0]
    assert frames.stated == source.stated
    if kind is VideoFrames:
        assert bytes(source.encoded(1)) == STREAM
        assert source.description.shape == (4, 6, 3)
        return
    for raw in (False, True):
        every = np.zeros((2, 4, 6), np.uint8)
        source.decode_many([2, 0], every, raw=raw, workers=2)
        assert np.array_equal(every, FRAMES[[2, 0]])
        assert np.array_equal(source.decode(1, every[0], raw=raw), FRAMES[1])
        assert np.array_equal(every[0], FRAMES[1])
    assert np.array_equal(source.decoded(1).samples, FRAMES[1])


@pytest.mark.parametrize("kind", [NativeFrames, EncapsulatedFrames, VideoFrames])
def test_every_class_implements_the_protocol(kind: type):
    wanted = {name for name, value in vars(FrameSource).items() if callable(value) or isinstance(value, property)}
    wanted -= {name for name in wanted if name.startswith("_") and name != "__len__"}
    assert len(wanted) == 8
    assert wanted <= vars(kind).keys()


def test_notes_are_kept_once_and_in_order():
    frames = frames_of(ExplicitVRLittleEndian, RLE)
    before = frames.notes
    assert [note.code for note in before] == ["pixel-transfer-syntax"]
    frames.note(before[0])
    assert frames.notes == before
