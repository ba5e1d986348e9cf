"""Small images in encapsulated pixel data, built by hand from codestreams of other software's encoders."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
import pytest

from tests.support.dicom_bytes import DEFLATED, JPIP_DEFLATE, JPIP_HTJ2K_DEFLATE, element, part10

imagecodecs = pytest.importorskip("imagecodecs")
encode_row = pytest.importorskip("pydicom.pixels.encoders.native")._encode_row

Y, X = np.mgrid[0:24, 0:20]
FRAMES = [((Y * X * (n + 1) + n) % 256).astype("u1") for n in range(3)]
WIDE = [frame * np.uint16(257) + np.uint16(3) for frame in FRAMES]
"""The same with 16 bits, whose bytes differ."""


def item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data


def rle(frame: np.ndarray) -> bytes:
    """One frame, its rows by pydicom's encoder: a segment for each byte, the most significant first (PS3.5 G.2)."""
    planes = np.moveaxis(frame.astype(frame.dtype.newbyteorder(">")).view("u1").reshape(*frame.shape, -1), -1, 0)
    segments = [b"".join(encode_row(row.tobytes()) for row in plane) for plane in planes]
    segments = [segment + bytes(len(segment) % 2) for segment in segments]
    offsets = [64 + sum(map(len, segments[:i])) for i in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


def deflated(frame: np.ndarray) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(frame.tobytes()) + coder.flush()


CODED = {  # name: (transfer syntax, one frame's codestream)
    "rle": ("1.2.840.10008.1.2.5", rle),
    "jpeg-lossless": ("1.2.840.10008.1.2.4.70", imagecodecs.ljpeg_encode),
    "jpeg-ls": ("1.2.840.10008.1.2.4.80", imagecodecs.jpegls_encode),
    "jpeg-2000": (
        "1.2.840.10008.1.2.4.90",
        lambda frame: imagecodecs.jpeg2k_encode(frame, codecformat="j2k", reversible=True, level=0),
    ),
    "jpeg-xl": ("1.2.840.10008.1.2.4.110", lambda frame: imagecodecs.jpegxl_encode(frame, lossless=True)),
    "deflated": ("1.2.840.10008.1.2.8.1", deflated),
    "uncompressed": ("1.2.840.10008.1.2.1.98", lambda frame: frame.tobytes()),
}


class Written(NamedTuple):
    """Encapsulated pixel data: fragments, and their offset tables."""

    fragments: list[bytes]
    basic: tuple[int, ...] | None = ()
    """None: not even its item."""
    extended: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    frames: int = 3
    codes: frozenset[str] = frozenset()
    """The issues that are due."""


def even(data: bytes) -> bytes:
    return data + bytes(len(data) % 2)


def file_of(syntax: str | None, written: Written, *, bits: int = 8, vr: str = "OB") -> bytes:
    """A file of grey images, 24 rows of 20; in implicit VR if the syntax says so; None omits the syntax."""
    explicit = syntax != "1.2.840.10008.1.2"

    def made(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
        return element(tag, vr if explicit else None, value, length=length)

    data = made(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0") + made(0x00080018, "UI", b"1.2.3\0")
    data += made(0x280002, "US", b"\1\0") + made(0x280004, "CS", b"MONOCHROME2 ")
    data += made(0x280008, "IS", f"{written.frames} ".encode())
    for tag, value in (0x280010, 24), (0x280011, 20), (0x280100, bits), (0x280101, bits), (0x280102, bits - 1):
        data += made(tag, "US", struct.pack("<H", value))
    data += made(0x280103, "US", b"\0\0")
    if written.extended is not None:
        for tag, table in zip((0x7FE00001, 0x7FE00002), written.extended, strict=True):
            data += made(tag, "OV", struct.pack(f"<{len(table)}Q", *table))
    items = b"".join(map(item, written.fragments))
    if written.basic is not None:
        items = item(struct.pack(f"<{len(written.basic)}I", *written.basic)) + items
    data += made(0x7FE00010, vr, items + b"\xfe\xff\xdd\xe0" + bytes(4), 0xFFFFFFFF)
    if syntax in (DEFLATED, JPIP_DEFLATE, JPIP_HTJ2K_DEFLATE):
        coder = zlib.compressobj(wbits=-15)
        data = even(coder.compress(data) + coder.flush())
    return part10(data, syntax)
