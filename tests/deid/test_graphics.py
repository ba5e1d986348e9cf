"""Overlays and curves: removed, or cleaned of text."""

from __future__ import annotations

import io
import struct

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

import dicomcore as dc
from dicomcore import deid
from tests.deid.objects import CT, file_of, text
from tests.support.dicom_bytes import BIG_ENDIAN, element, part10

ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFont = pytest.importorskip("PIL.ImageFont")
Image = pytest.importorskip("PIL.Image")

KEY = deid.Key(bytes(range(32)))
BASIC, CLEAN = deid.Plan(key=KEY), deid.Plan(["clean_graphics"], KEY)
ROWS, COLUMNS = 120, 250


def drawn(*, name: bool) -> NDArray[np.bool_]:
    """A plane with an outline, and a name beside it."""
    image = Image.new("1", (COLUMNS, ROWS))
    draw = ImageDraw.Draw(image)
    draw.ellipse((150, 20, 240, 110), outline=1)
    if name:
        draw.text((8, 40), "DOE JANE", fill=1, font=ImageFont.load_default(20))
    return np.asarray(image).astype(bool)


def overlay(plane: NDArray[np.bool_], *, big: bool = False, rows: int = ROWS) -> list[bytes]:
    data = np.packbits(plane.ravel(), bitorder="little").tobytes()
    data = np.frombuffer(data, "<u2").astype(">u2").tobytes() if big else data
    word = ">H" if big else "<H"
    return [
        element(0x60020010, "US", struct.pack(word, rows), big=big),
        element(0x60020011, "US", struct.pack(word, COLUMNS), big=big),
        element(0x60020040, "CS", b"G ", big=big),
        element(0x60020050, "SS", struct.pack(word, 1) * 2, big=big),
        element(0x60020100, "US", struct.pack(word, 1), big=big),
        element(0x60020102, "US", struct.pack(word, 0), big=big),
        element(0x60023000, "OW", data, big=big),
    ]


def plane_of(data: bytes, *, big: bool = False) -> NDArray[np.bool_]:
    value = pydicom.dcmread(io.BytesIO(data))[0x60023000].value
    words = np.frombuffer(value, ">u2" if big else "<u2").astype("<u2")
    return np.unpackbits(words.view(np.uint8), bitorder="little")[: ROWS * COLUMNS].reshape(ROWS, COLUMNS).astype(bool)


def cleaned(data: bytes) -> tuple[bytes, deid.Outcome]:
    out = bytearray()
    outcome = deid.apply(data, out, CLEAN)
    return bytes(out), outcome


def test_basic_removes_the_group() -> None:
    made = deid.deidentify(dc.dcmread(file_of(*overlay(drawn(name=True)))), BASIC)
    assert not [tag for tag in made.keys() if int(tag) >> 24 == 0x60]  # noqa: SIM118


@pytest.mark.parametrize("big", [False, True])
def test_text_is_cleared_and_lines_stay(big: bool) -> None:
    elements = overlay(drawn(name=True), big=big)
    sop_class = element(0x00080016, "UI", CT.encode() + b"\0" * (len(CT) % 2), big=True)
    data = part10(b"".join([sop_class, *elements]), BIG_ENDIAN) if big else file_of(*elements)
    out, outcome = cleaned(data)
    after = plane_of(out, big=big)
    assert not after[:, :120].any()
    assert np.array_equal(after[:, 145:], drawn(name=False)[:, 145:])
    assert ("cleaned", "graphics") in outcome.counts


def test_plane_without_text_stays() -> None:
    out, _ = cleaned(file_of(*overlay(drawn(name=False))))
    assert np.array_equal(plane_of(out), drawn(name=False))


def test_plane_of_another_size_goes() -> None:
    made = deid.deidentify(dc.dcmread(file_of(*overlay(drawn(name=True), rows=9999))), CLEAN)
    assert not [tag for tag in made.keys() if int(tag) >> 24 == 0x60]  # noqa: SIM118


def test_curves() -> None:
    curve = [text(0x50000022, "LO", "of Jane Doe 2001-02-03"), element(0x50003000, "OW", bytes(8))]
    assert 0x50003000 not in deid.deidentify(dc.dcmread(file_of(*curve)), BASIC)
    made = deid.deidentify(dc.dcmread(file_of(*curve)), CLEAN)
    assert 0x50003000 in made
    assert "2001" not in str(made[0x50000022].value)
