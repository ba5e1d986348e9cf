"""Comments in the headers of codestreams: blanked, at the same length, and with the same pixels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dicomcore import Dataset, dcmread
from dicomcore.deid.pixels import Mask, Masks, Rectangle, clean
from dicomcore.deid.pixels.comments import ENCODERS, blanked_codestream
from dicomcore.errors import DicomError
from tests.support.dicom_bytes import element, part10
from tests.support.pixel_files import with_pixels

NAME = b"Quillfeather 4711 37.77N"
JPEG_LIKE = "1.2.840.10008.1.2.4."
FILES = [
    line
    for line in with_pixels()
    if line["transfer_syntax"].startswith(JPEG_LIKE) and line["transfer_syntax"][len(JPEG_LIKE) :] < "92"
]
NOWHERE = Masks(())
SOMEWHERE = Masks((Mask("x", ("always", True), (Rectangle(2, 2, 9, 5),)),))


def with_comment(data: bytes) -> bytes:
    """A codestream with a comment behind its first marker, or first segment of JPEG 2000."""
    if data[:2] == b"\xff\xd8":
        more = b"\xff\xfe" + (len(NAME) + 2).to_bytes(2, "big") + NAME
        more += b"\xff\xe1" + (len(NAME) + 8).to_bytes(2, "big") + b"Exif\0\0" + NAME
        return data[:2] + more + data[2:]
    size = int.from_bytes(data[4:6], "big")
    more = b"\xff\x64" + (len(NAME) + 4).to_bytes(2, "big") + b"\0\1" + NAME
    return data[: 4 + size] + more + data[4 + size :]


def commented(line: dict[str, Any], pieces: int) -> Dataset:
    """A real file whose only frame, in so many fragments, has comments."""
    ds = dcmread(line["file"])
    if len(ds.frames) > 1:
        pytest.skip("it has several frames")
    data = bytes(ds.frames.encoded(0))
    if not data.startswith((b"\xff\xd8", b"\xff\x4f\xff\x51")):
        pytest.skip("it is no bare codestream")
    try:
        ds.frames.decode(0)
    except DicomError:
        pytest.skip("it cannot be decoded")
    data = with_comment(data)
    data += b"\0" * (len(data) % 2)
    cuts = [0, *(min(20 * one, len(data) // 2) for one in range(1, pieces)), len(data)]
    parts = [data[one:other] for one, other in pairwise(cuts)]
    items = b"".join(b"\xfe\xff\x00\xe0" + len(part).to_bytes(4, "little") + part for part in parts)
    ds.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0" + items
    return ds


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("line", FILES, ids=lambda line: line["path"])
def test_comments_of_real_files(line: dict[str, Any], pieces: int) -> None:
    ds = commented(line, pieces)
    if len(ds.frames) != 1:
        pytest.skip("fragments that begin like frames are frames")
    done = clean(ds, ["masks"], masks=NOWHERE)
    after = ds.copy()
    done.put(after)
    assert len(after.PixelData) == len(ds.PixelData)
    whole = bytes(after.frames.encoded(0))
    assert NAME not in whole
    assert b"Exif" not in whole[:200]
    assert np.array_equal(after.frames.decode(0), ds.frames.decode(0))


@pytest.mark.parametrize(
    "line", [line for line in FILES if line["transfer_syntax"].endswith((".50", ".80"))], ids=lambda line: line["path"]
)
def test_blanked_frames_have_no_comments(line: dict[str, Any]) -> None:
    ds = commented(line, 1)
    done = clean(ds, ["masks"], masks=SOMEWHERE, recode=True)
    after = ds.copy()
    done.put(after)
    assert NAME not in bytes(after.frames.encoded(0))


SOFTWARE = {
    b"Kakadu-v5.0": True,
    b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n": True,
    b"Created by OpenJPEG version 2.5.0": True,
    b"LEAD Technologies Inc. V1.01\0": True,
    b"PADDING": True,
    b"Kakadu John Smith": False,
    b"IJG 19610203": False,
    b"Smith": False,
}


@pytest.mark.parametrize(("said", "stays"), SOFTWARE.items())
def test_comments_of_encoders_stay(said: bytes, stays: bool) -> None:
    assert bool(ENCODERS.fullmatch(said)) is stays
    data = b"\xff\xd8\xff\xfe" + (len(said) + 2).to_bytes(2, "big") + said + b"\xff\xda"
    assert (blanked_codestream(data) == data) is stays


def segment(marker: int, contents: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(contents) + 2).to_bytes(2, "big") + contents


def box(kind: bytes, contents: bytes) -> bytes:
    return (len(contents) + 8).to_bytes(4, "big") + kind + contents


SAMPLES = b"\x12\xff\0\x34\xff\xd0\x56"
PACKETS = b"\x12\xff\x64\0\x06stay"


def tile_part(header: bytes, size: int | None = None) -> bytes:
    whole = 12 + len(header) + 2 + len(PACKETS)
    return segment(0x90, bytes(2) + (whole if size is None else size).to_bytes(4, "big") + b"\0\1") + (
        header + b"\xff\x93" + PACKETS
    )


J2K = b"\xff\x4f" + segment(0x51, bytes(36))
COMMENT_2000 = segment(0x64, b"\0\1" + NAME)
HIDDEN = {  # a codestream, and what of it stays beside its blanks
    "JPEG, between scans": (b"\xff\xd8" + segment(0xDA, b"\1\1\0\0\x3f\0") + SAMPLES + segment(0xFE, NAME)
                            + segment(0xDA, b"\1\1\0\0\x3f\0") + SAMPLES + b"\xff\xd9", SAMPLES),
    "JPEG, behind its end": (b"\xff\xd8" + segment(0xDA, b"\1") + SAMPLES + b"\xff\xd9\0" + NAME, SAMPLES),
    "JPEG, a picture behind its end": (b"\xff\xd8" + segment(0xDA, b"\1") + SAMPLES + b"\xff\xd9\xff\xd8" + NAME,
                                       SAMPLES),
    "JPEG-LS, between scans": (b"\xff\xd8" + segment(0xDA, b"\1") + b"\xff\x7f\x11" + segment(0xFE, NAME)
                               + segment(0xDA, b"\2") + b"\xff\x01\xff\xd9", b"\xff\x7f\x11"),
    "JPEG 2000, of a tile-part": (J2K + tile_part(COMMENT_2000) + b"\xff\xd9", PACKETS),
    "JPEG 2000, of the second tile-part": (J2K + tile_part(b"") + tile_part(COMMENT_2000) + b"\xff\xd9", PACKETS),
    "JPEG 2000, of the last tile-part": (J2K + tile_part(COMMENT_2000, 0) + b"\xff\xd9", PACKETS),
    "JPEG 2000, behind its end": (J2K + tile_part(b"") + b"\xff\xd9" + NAME, PACKETS),
    "JP2, a box": (box(b"jP  ", b"\r\n\x87\n") + box(b"jp2c", J2K + tile_part(b"") + b"\xff\xd9") + box(b"xml ", NAME),
                   PACKETS),
    "JP2, a box that nothing names": (box(b"jP  ", b"\r\n\x87\n") + box(b"note", NAME), b"\r\n\x87\n"),
    "JPEG XL, Exif": (box(b"JXL ", b"\r\n\x87\n") + box(b"jxlc", SAMPLES) + box(b"Exif", NAME), SAMPLES),
}  # fmt: skip


@pytest.mark.parametrize(("data", "kept"), HIDDEN.values(), ids=HIDDEN)
def test_comments_anywhere_in_a_codestream(data: bytes, kept: bytes) -> None:
    made = blanked_codestream(data)
    assert len(made) == len(data)
    assert NAME not in made
    assert kept in made
    assert blanked_codestream(data.replace(NAME, bytes(len(NAME)))).count(kept) == data.count(kept)


def test_samples_that_look_like_a_comment_stay():
    data = b"\xff\xd8" + segment(0xDA, b"\1") + b"\x11" + segment(0xFE, b"samples") + b"\x22\xff\xd9"
    assert blanked_codestream(data) == data


def rle_frame() -> bytes:
    """One of 8 pixels by 2, whose segment has text behind its plane, and whose header has some."""
    plane = b"\x07" + bytes(range(8)) + b"\xf9\x09"
    return (b"\1\0\0\0\x40\0\0\0" + NAME).ljust(64, b"\0") + plane + NAME


def rle(*fragments: bytes) -> Dataset:
    parts = [part + b"\0" * (len(part) % 2) for part in fragments]
    items = b"".join(b"\xfe\xff\x00\xe0" + len(part).to_bytes(4, "little") + part for part in parts)
    value = b"\xfe\xff\x00\xe0\4\0\0\0\0\0\0\0" + items + b"\xfe\xff\xdd\xe0\0\0\0\0"
    numbers = {0x00280002: 1, 0x00280010: 2, 0x00280011: 8, 0x00280100: 8, 0x00280101: 8, 0x00280102: 7, 0x00280103: 0}
    body = [element(tag, "US", number.to_bytes(2, "little")) for tag, number in numbers.items()]
    body.insert(1, element(0x00280004, "CS", b"MONOCHROME2 "))
    pixels = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + value
    return dcmread(part10(b"".join(body) + pixels, "1.2.840.10008.1.2.5"))


@pytest.mark.parametrize(
    "fragments", [(rle_frame(),), (rle_frame(), NAME), (rle_frame()[:70], rle_frame()[70:])],
    ids=["behind the plane", "a fragment of its own", "in two fragments"],
)  # fmt: skip
def test_what_is_behind_the_planes_of_rle(fragments: tuple[bytes, ...]) -> None:
    ds = rle(*fragments)
    done = clean(ds, ["masks"], masks=NOWHERE)
    after = ds.copy()
    done.put(after)
    assert NAME not in bytes(after.PixelData)
    assert len(after.PixelData) == len(ds.PixelData)
    assert np.array_equal(after.frames.decode(0), ds.frames.decode(0))


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xfe", b"\xff\xd8\xff\xfe\0\0AB\xff\xfe\xff\xffC"]
)
def test_damaged_headers_end(data: bytes) -> None:
    assert len(blanked_codestream(data)) == len(data)
