"""Units of a JPEG blanked without touching the others."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from dicomcore import Dataset, dcmread
from dicomcore._native.deid.fill import fill_bits, fill_bytes
from dicomcore._native.deid.jpegblank import blank_units
from dicomcore.deid.pixels import Mask, Masks, Rectangle, clean
from dicomcore.errors import DicomError, EncodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels.coding.decoding import decode_frame
from tests.support.made_images import made
from tests.support.pixel_files import with_pixels

imagecodecs = pytest.importorskip("imagecodecs")

SYNTAXES = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
FILES = [line for line in with_pixels() if line["transfer_syntax"] in SYNTAXES]
NONE = np.zeros((0, 4), np.int32)
BLACK = np.full(4, -1024, np.int32)


@pytest.mark.parametrize("line", FILES, ids=lambda line: line["path"])
def test_without_boxes_every_coefficient_stays(line: dict[str, Any]) -> None:
    frames = dcmread(line["file"]).frames
    stated = frames.stated
    data = bytes(frames.encoded(0))
    same = blank_units(data, NONE, BLACK, stated.rows, stated.columns)
    again = decode_frame(same, frames.description, stated=stated)
    assert np.array_equal(again.samples, frames.decoded(0).samples)


@pytest.mark.parametrize("line", FILES, ids=lambda line: line["path"])
def test_units_of_real_files(line: dict[str, Any]) -> None:
    source = dcmread(line["file"])
    frames = source.frames
    rows, columns = frames.stated.rows, frames.stated.columns
    box = Rectangle(columns // 3, rows // 3, columns // 4 + 1, rows // 5 + 1)
    done = clean(source, ["masks"], masks=Masks((Mask("x", ("always", True), (box,)),)))
    target = source.copy()
    done.put(target)
    before, after = frames.decode(0), target.frames.decode(0)
    inside = after[box.y : box.y + box.height, box.x : box.x + box.width]
    assert (inside == inside.reshape(-1, *after.shape[2:])[0]).all()
    far = np.ones(before.shape[:2], bool)
    far[max(box.y - 17, 0) : box.y + box.height + 17, max(box.x - 17, 0) : box.x + box.width + 17] = False
    assert np.array_equal(after[far], before[far])
    assert done.lossless
    assert any("units" in note for note in done.notes)


def coded(array: Any, **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(array, **options))


def data_set_of(array: Any, codestream: bytes, **said: Any) -> Dataset:
    return dcmread(made(array, [codestream], SYNTAXES[0], **said))


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tables made for the picture": {"optimize": True},
    "4:2:0": {"subsampling": "420"},
    "4:4:4": {"subsampling": "444"},
    "low quality": {"level": 5},
    "high quality": {"level": 100},
}


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("name", OPTIONS)
def test_kinds_of_codestreams(name: str, samples: int) -> None:
    options = dict(OPTIONS[name])
    if samples == 1:
        options.pop("subsampling", None)
    ramp = np.add.outer(np.arange(90), np.arange(120))
    array = (ramp if samples == 1 else np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=2)).astype(np.uint8)
    source = data_set_of(
        array, coded(array, **options), PhotometricInterpretation="YBR_FULL_422" if samples == 3 else "MONOCHROME2"
    )
    box = Rectangle(40, 24, 41, 30)
    done = clean(source, ["masks"], masks=Masks((Mask("x", ("always", True), (box,)),)))
    target = source.copy()
    done.put(target)
    assert not target.frames.decode(0)[24:54, 40:81].any()
    far = np.ones((90, 120), bool)
    far[15:65, 31:97] = False
    assert np.array_equal(target.frames.decode(0)[far], source.frames.decode(0)[far])


def test_comments_and_application_data_go() -> None:
    array = np.add.outer(np.arange(32), np.arange(32)).astype(np.uint8)
    plain = coded(array)
    noted = plain[:2] + b"\xff\xfe\x00\x0eMUELLER ANNA" + b"\xff\xe1\x00\x08MUELL!" + plain[2:]
    out = blank_units(noted, NONE, BLACK, 32, 32)
    assert b"MUELL" not in out
    assert np.array_equal(imagecodecs.jpeg8_decode(out), imagecodecs.jpeg8_decode(plain))


def test_progressive_needs_leave() -> None:
    array = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.fromarray(array).save(out, "JPEG", progressive=True)
    with pytest.raises(UnsupportedTransferSyntaxError):
        blank_units(out.getvalue(), NONE, BLACK, 64, 64)
    source = data_set_of(array, out.getvalue())
    masks = Masks((Mask("x", ("always", True), (Rectangle(8, 8, 20, 20),)),))
    with pytest.raises(EncodeError, match="recode=True"):
        clean(source, ["masks"], masks=masks)
    done = clean(source, ["masks"], masks=masks, recode=True)
    assert not done.lossless
    assert done.attributes["LossyImageCompression"] == "01"


def test_restart_intervals() -> None:
    image = pytest.importorskip("PIL.Image")
    array = np.random.default_rng(1).integers(0, 255, (64, 96)).astype(np.uint8)
    out = io.BytesIO()
    image.fromarray(array).save(out, "JPEG", restart_marker_blocks=5)
    data = out.getvalue()
    if b"\xff\xdd" not in data:
        pytest.skip("this library writes no restart markers")
    new = blank_units(data, np.array([[16, 16, 24, 24]], np.int32), BLACK, 64, 96)
    before, after = imagecodecs.jpeg8_decode(data), imagecodecs.jpeg8_decode(new)
    assert not after[16:40, 16:40].any()
    before[16:40, 16:40] = after[16:40, 16:40] = 0
    assert np.array_equal(before, after)


def test_every_truncation_and_damage_is_an_error_or_a_codestream() -> None:
    array = np.random.default_rng(2).integers(0, 255, (24, 32)).astype(np.uint8)
    data = coded(array)
    box = np.array([[4, 4, 9, 9]], np.int32)
    for size in range(len(data)):
        with pytest.raises(DicomError):
            blank_units(data[:size], box, BLACK, 24, 32)
    rng = np.random.default_rng(3)
    for _ in range(3000):
        damaged = bytearray(data)
        for place in rng.integers(2, len(data), 3):
            damaged[place] = rng.integers(0, 256)
        with suppress(DicomError):
            blank_units(damaged, box, BLACK, 24, 32)


def test_a_component_that_is_scanned_twice_or_never_is_refused() -> None:
    data = bytearray(coded(np.zeros((16, 16, 3), np.uint8)))
    scan = data.index(b"\xff\xda")
    data[scan + 7] = data[scan + 5]  # the second component of the scan is the first again
    with pytest.raises(DicomError):
        blank_units(data, NONE, BLACK, 16, 16)


def test_wrong_arguments() -> None:
    data = coded(np.zeros((16, 16), np.uint8))
    with pytest.raises(ValueError, match="inside"):
        blank_units(data, np.array([[-1, 0, 4, 4]], np.int32), BLACK, 16, 16)
    with pytest.raises(UnsupportedTransferSyntaxError):
        blank_units(data, NONE, BLACK, 17, 16)
    with pytest.raises(ValueError, match="components"):
        blank_units(data, NONE, BLACK[:1], 16, 16)


FILLS = {  # name: (base, spans, pattern, expected of eight bytes of 9)
    "one byte": (0, [(2, 5)], b"\x01", b"\x09\x09\x01\x01\x01\x09\x09\x09"),
    "a pattern, begun outside": (10, [(9, 14)], b"\x01\x02", b"\x02\x01\x02\x01\x09\x09\x09\x09"),
    "behind": (0, [(8, 20)], b"\x01", b"\x09" * 8),
    "before": (20, [(8, 20)], b"\x01", b"\x09" * 8),
    "everything": (3, [(0, 99)], b"\x01\x02\x03", b"\x01\x02\x03\x01\x02\x03\x01\x02"),
    "empty": (0, [(5, 5)], b"\x01", b"\x09" * 8),
}


@pytest.mark.parametrize(("base", "spans", "pattern", "expected"), FILLS.values(), ids=FILLS)
def test_fill(base: int, spans: list[tuple[int, int]], pattern: bytes, expected: bytes) -> None:
    data = bytearray(b"\x09" * 8)
    fill_bytes(data, base, np.array(spans, np.int64), pattern)
    assert data == expected


def test_fill_bits() -> None:
    data = bytearray(b"\xff\xff\xff")
    fill_bits(data, 1, np.array([(3, 13), (20, 99)], np.int64), False)
    assert data == b"\xe0\x0f\x00"
    fill_bits(data, 0, np.array([(0, 2)], np.int64), True)
    assert data == b"\xe3\x0f\x00"
