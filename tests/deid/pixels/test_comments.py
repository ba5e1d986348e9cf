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
    b"Kakadu John Smith": False,
    b"IJG 19610203": False,
    b"Smith": False,
}


@pytest.mark.parametrize(("said", "stays"), SOFTWARE.items())
def test_comments_of_encoders_stay(said: bytes, stays: bool) -> None:
    assert bool(ENCODERS.fullmatch(said)) is stays
    data = b"\xff\xd8\xff\xfe" + (len(said) + 2).to_bytes(2, "big") + said + b"\xff\xda"
    assert (blanked_codestream(data) == data) is stays


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xfe", b"\xff\xd8\xff\xfe\0\0AB\xff\xfe\xff\xffC"]
)
def test_damaged_headers_end(data: bytes) -> None:
    assert len(blanked_codestream(data)) == len(data)
