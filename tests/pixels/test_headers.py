"""Codestream headers: their contents, and that a false size is refused before anything is allocated."""

import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore.errors import LimitError, PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.pixels import FrameDescription, decode_frame
from dicomcore.pixels.coding.headers import end_of_tile_parts, read_j2k, read_jpeg, read_jxl

imagecodecs = pytest.importorskip("imagecodecs")
GREY = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)
COLOUR = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(rows=7, columns=5, ids=(1, 2, 3), precision=8, sof=0xC0, before=b"") -> bytes:
    parts = b"".join(bytes((i, 0x11, 0)) for i in ids)
    frame = struct.pack(">BHHB", precision, rows, columns, len(ids)) + parts
    return b"\xff\xd8" + before + segment(sof, frame) + b"\xff\xda\x00\x02"


JFIF = segment(0xE0, b"JFIF\0" + bytes(9))
ADOBE = segment(0xEE, b"Adobe" + bytes(6) + b"\1")
ADOBE_RGB = segment(0xEE, b"Adobe" + bytes(6) + b"\0")
JPEG_COLOURS = {  # name: (codestream, colour, what it rests on)
    "nothing": (jpeg(), None, None),
    "JFIF": (jpeg(before=JFIF), "YBR", "JFIF"),
    "Adobe, transformed": (jpeg(before=ADOBE), "YBR", "Adobe"),
    "Adobe, not transformed": (jpeg(before=ADOBE_RGB), "RGB", "Adobe"),
    "Adobe before JFIF": (jpeg(before=JFIF + ADOBE_RGB), "RGB", "Adobe"),
    "ids RGB": (jpeg(ids=b"RGB", before=JFIF), "RGB", "component ids"),
    "ids rgb": (jpeg(ids=b"rgb"), "RGB", "component ids"),
    "grey": (jpeg(ids=(1,), before=JFIF), None, None),
    "fill bytes": (jpeg(before=b"\xff\xff\xff" + JFIF), "YBR", "JFIF"),
    "dirt between segments": (jpeg(before=b"\x00\x12" + JFIF), "YBR", "JFIF"),
}


@pytest.mark.parametrize(("stream", "colour", "by"), JPEG_COLOURS.values(), ids=JPEG_COLOURS)
def test_jpeg_colour(stream, colour, by):
    info = read_jpeg(memoryview(stream))
    assert (info.rows, info.columns, info.precision) == (7, 5, 8)
    assert (info.colour, info.marked_by) == (colour, by)


@pytest.mark.parametrize(("sof", "lossless"), [(0xC0, False), (0xC1, False), (0xC2, False), (0xC3, True), (0xF7, None)])
def test_jpeg_kinds(sof, lossless):
    info = read_jpeg(memoryview(jpeg(sof=sof)))
    assert info.lossless is lossless
    assert info.format == ("JPEG-LS" if sof == 0xF7 else "JPEG")


ENCODED = {  # name: (reader, codestream, what it holds)
    "J2K grey": (read_j2k, lambda: imagecodecs.jpeg2k_encode(GREY, codecformat="J2K", reversible=True), GREY),
    "JP2 colour": (read_j2k, lambda: imagecodecs.jpeg2k_encode(COLOUR, codecformat="JP2", reversible=True), COLOUR),
    "JPEG-LS": (read_jpeg, lambda: imagecodecs.jpegls_encode(GREY), GREY),
    "JPEG XL grey": (read_jxl, lambda: imagecodecs.jpegxl_encode(GREY, lossless=True), GREY),
    "JPEG XL colour": (read_jxl, lambda: imagecodecs.jpegxl_encode(COLOUR, lossless=True), COLOUR),
    "JPEG XL lossy": (read_jxl, lambda: imagecodecs.jpegxl_encode(COLOUR, level=80), COLOUR),
    "JPEG XL boxed": (read_jxl, lambda: imagecodecs.jpegxl_encode(COLOUR, lossless=True, usecontainer=True), COLOUR),
    "JPEG": (read_jpeg, lambda: imagecodecs.jpeg8_encode(COLOUR), COLOUR),
}


@pytest.mark.parametrize(("read", "encode", "array"), ENCODED.values(), ids=ENCODED)
def test_encoders_headers(read, encode, array):
    stream = memoryview(encode())
    info = read(stream)
    assert (info.rows, info.columns) == array.shape[:2]
    assert info.components in (None, 1 if array.ndim == 2 else 3)
    assert info.precision in (None, 8 * array.itemsize)
    for cut in range(min(len(stream), 120)):
        assert 0 <= fault_of(read, stream[:cut]) <= cut


def fault_of(read, stream: memoryview) -> int:
    """Offset of the fault a reader finds, 0 where it finds none."""
    try:
        read(stream)
    except PixelDecodeError as error:
        return error.offset
    return 0


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (8, 8), (256, 256), (300, 200), (513, 4097), (64, 80), (16, 9)])
def test_jpeg_xl_sizes(rows, columns):
    stream = imagecodecs.jpegxl_encode(np.zeros((rows, columns), np.uint8), lossless=True)
    info = read_jxl(memoryview(stream))
    assert (info.rows, info.columns) == (rows, columns)


@given(st.binary(max_size=200), st.sampled_from([b"\xff\xd8", b"\xff\x4f\xff\x51", b"\xff\x0a", b""]))
def test_any_bytes(data, start):
    for read in (read_jpeg, read_j2k, read_jxl):
        try:
            info = read(memoryview(start + data))
        except PixelDecodeError:
            continue
        assert info.rows >= 0
        assert info.columns >= 0


def j2k(rows: int, columns: int, tile: int = 1 << 16) -> bytes:
    siz = struct.pack(">HIIIIIIIIH", 0, columns, rows, 0, 0, tile, tile, 0, 0, 1) + bytes((7, 1, 1))
    return b"\xff\x4f" + segment(0x51, siz) + bytes(900)


LIARS = {  # transfer syntax: a codestream of 1 KB that claims 65535 × 65535
    "1.2.840.10008.1.2.4.50": jpeg(65535, 65535, ids=(1,)) + bytes(900),
    "1.2.840.10008.1.2.4.57": jpeg(65535, 65535, ids=(1,), sof=0xC3) + bytes(900),
    "1.2.840.10008.1.2.4.80": jpeg(65535, 65535, ids=(1,), sof=0xF7) + bytes(900),
    "1.2.840.10008.1.2.4.90": j2k(65535, 65535),
}


@pytest.mark.parametrize(("syntax", "stream"), LIARS.items())
@pytest.mark.parametrize("size", [64, 65535])
def test_claimed_size_is_refused_before_decoding(syntax, stream, size):
    desc = FrameDescription(rows=size, columns=size, bits_allocated=8, transfer_syntax=syntax)
    tracemalloc.start()
    with pytest.raises((LimitError, PixelDecodeError)):
        decode_frame(stream, desc)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.57"])
def test_size_that_the_bytes_cannot_hold(syntax):
    sof = 0xC3 if syntax.endswith("57") else 0xC0
    desc = FrameDescription(rows=30000, columns=30000, bits_allocated=8, transfer_syntax=syntax)
    with pytest.raises(PixelDecodeError):
        decode_frame(jpeg(30000, 30000, ids=(1,), sof=sof) + bytes(900), desc)


def test_limits_are_the_callers():
    desc = FrameDescription(rows=100, columns=100, bits_allocated=8)
    with pytest.raises(LimitError):
        decode_frame(bytes(10000), desc, limits=Limits(frame_pixels=9999))
    assert decode_frame(bytes(10000), desc, limits=Limits(frame_pixels=10000)).samples.shape == (100, 100)


def test_too_many_tiles():
    with pytest.raises(PixelDecodeError, match="tiles"):
        read_j2k(memoryview(j2k(60000, 60000, tile=1)))


def test_end_of_tile_parts():
    stream = imagecodecs.jpeg2k_encode(GREY, codecformat="J2K", reversible=True)
    assert stream[end_of_tile_parts(memoryview(stream)) :] == b"\xff\xd9"
    assert end_of_tile_parts(memoryview(stream)[:40]) is None
