"""The grey chain beside DCMTK's dcmp2pgm, on 200 states: bits × sign × modality × VOI × presentation × turn × shutter.

DCMTK's `dcmpsmk` makes the states, and their tables are set here. Pictures differ by at most 1, but for presentation
LUTs, where DCMTK rounds down to an entry and we to the nearest: by one entry there. What dcmp2pgm 3.6.7 does not do:

| not done by dcmp2pgm | compared |
|---|---|
| LINEAR_EXACT, SIGMOID | in test_lut.py, with pydicom |
| shutters other than bitmaps: it reads them, and leaves them to the viewer | where they are open |
| the value of a bitmap shutter over an image that is turned: it paints black | its cover, and the rest |
| padding in black: it takes it through the chain | `test_padding_is_where_pictures_differ` |
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import display
from dicomcore.display.area import turned
from tests.display.states import made, table_item

DCMPSMK, DCMP2PGM, DCM2PNM = map(shutil.which, ("dcmpsmk", "dcmp2pgm", "dcm2pnm"))
needs_dcmtk = pytest.mark.skipif(not (DCMPSMK and DCMP2PGM), reason="DCMTK's dcmpsmk or dcmp2pgm isn't installed")

BITS = (8, 10, 12, 16)
MODALITY = ("none", "rescale", "table")
VOI = ("none", "window", "narrow window", "table")
PRESENTATION = ("IDENTITY", "INVERSE", "table")
TURN = ((0, "N"), (90, "N"), (180, "Y"), (270, "Y"))
SHUTTER = ("none", "RECTANGULAR", "CIRCULAR", "POLYGONAL", "BITMAP")
ALL = list(product(BITS, (0, 1), MODALITY, VOI, PRESENTATION, TURN, SHUTTER))
CHOSEN = sorted(random.Random(18).sample(range(len(ALL)), 200))


def image_of(bits: int, signed: int) -> dc.Dataset:
    """48 × 64 pixels that use the whole range of their bits."""
    low = -(1 << bits - 1) if signed else 0
    values = np.linspace(low, low + (1 << bits) - 1, 48 * 64).reshape(48, 64)
    values[20:28] = values[20:28][:, ::-1]
    dtype = np.dtype(f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}")
    return made(np.rint(values).astype(dtype), bits_stored=bits, SOPInstanceUID=f"2.25.{bits}{signed}")


def reach(bits: int, signed: int, modality: str) -> tuple[float, float]:
    """The least and the largest value behind the modality step."""
    if modality == "table":
        return 0.0, 4095.0
    low = -(1 << bits - 1) if signed else 0
    high = low + (1 << bits) - 1
    return (low, high) if modality == "none" else (2.0 * low - 100, 2.0 * high - 100)


def set_modality(state: dc.Dataset, bits: int, signed: int, kind: str) -> None:
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence"):
        state.pop(keyword, None)
    if kind == "rescale":
        state.RescaleSlope, state.RescaleIntercept, state.RescaleType = 2.0, -100.0, "US"
    elif kind == "table":
        low = -(1 << bits - 1) if signed else 0
        count = min(1 << bits, 4096)
        item = table_item(low, 12, 4095 * np.linspace(0, 1, count) ** 1.5)
        item.ModalityLUTType = "US"
        state.ModalityLUTSequence = [item]


def set_voi(state: dc.Dataset, kind: str, low: float, high: float) -> None:
    state.pop("SoftcopyVOILUTSequence", None)
    item = dc.Dataset()
    if kind == "window":
        item.WindowCenter, item.WindowWidth = round((low + high) / 2), round((high - low) * 0.6)
    elif kind == "narrow window":
        item.WindowCenter, item.WindowWidth = round(low + (high - low) * 0.3), round((high - low) / 16)
    elif kind == "table":
        entries = 255 * np.sqrt(np.linspace(0, 1, min(int(high - low + 1), 1024)))
        item.VOILUTSequence = [table_item(max(int(low), -32768), 8, entries)]
    if kind != "none":
        state.SoftcopyVOILUTSequence = [item]


def set_presentation(state: dc.Dataset, kind: str) -> None:
    for keyword in ("PresentationLUTShape", "PresentationLUTSequence"):
        state.pop(keyword, None)
    if kind == "table":
        state.PresentationLUTSequence = [table_item(0, 8, 255 * np.linspace(0, 1, 256) ** 1.2)]
    else:
        state.PresentationLUTShape = kind


def set_shutter(state: dc.Dataset, kind: str) -> None:
    if kind == "none":
        return
    state.ShutterShape, state.ShutterPresentationValue = kind, 0x6000
    if kind == "RECTANGULAR":
        state.ShutterLeftVerticalEdge, state.ShutterRightVerticalEdge = 5, 50
        state.ShutterUpperHorizontalEdge, state.ShutterLowerHorizontalEdge = 7, 40
    elif kind == "CIRCULAR":
        state.CenterOfCircularShutter, state.RadiusOfCircularShutter = [24, 30], 18
    elif kind == "POLYGONAL":
        state.VerticesOfThePolygonalShutter = [5, 5, 5, 50, 40, 60, 44, 10]
    else:
        state.ShutterOverlayGroup = 0x6000
        for element, vr, value in ((0x10, "US", 48), (0x11, "US", 64), (0x100, "US", 1), (0x102, "US", 0)):
            state.add_new(0x60000000 | element, vr, value)
        state.add_new(0x60000040, "CS", "G")
        state.add_new(0x60000050, "SS", [1, 1])
        state.add_new(0x60003000, "OW", b"\x0f\xf0" * (48 * 64 // 16))


def pgm(path: Path) -> np.ndarray:
    data = path.read_bytes()
    head = re.match(rb"P5\s+(?:#.*\n)?(\d+)\s(\d+)\s255\s", data)
    assert head is not None
    return np.frombuffer(data[head.end() :], np.uint8).reshape(int(head[2]), int(head[1]))


def run(*command: str | Path | None) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of all depths, and a state that dcmpsmk makes for each."""
    folder = tmp_path_factory.mktemp("dcmtk")
    for bits, signed in product(BITS, (0, 1)):
        image_of(bits, signed).save_as(folder / f"{bits}{signed}.dcm")
        run(DCMPSMK, "-V", folder / f"{bits}{signed}.dcm", folder / f"{bits}{signed}.ps.dcm")
    return folder


@needs_dcmtk
@pytest.mark.parametrize("part", range(10))
def test_pictures_are_those_of_dcmtk(part, folder, tmp_path):
    worst = {}
    for number in CHOSEN[20 * part : 20 * part + 20]:
        bits, signed, modality, voi, presentation, (rotation, flip), shutter = ALL[number]
        path = folder / f"{bits}{signed}.dcm"
        state = dc.dcmread(folder / f"{bits}{signed}.ps.dcm")
        set_modality(state, bits, signed, modality)
        set_voi(state, voi, *reach(bits, signed, modality))
        set_presentation(state, presentation)
        state.ImageRotation, state.ImageHorizontalFlip = rotation, flip
        set_shutter(state, shutter)
        state.save_as(tmp_path / "state.dcm")
        run(DCMP2PGM, "-p", tmp_path / "state.dcm", path, tmp_path / "theirs.pgm")
        ours, theirs = display.render(path, tmp_path / "state.dcm"), pgm(tmp_path / "theirs.pgm")
        assert ours.shape == theirs.shape
        off = np.abs(ours.astype(int) - theirs)
        opening = display.read_state(tmp_path / "state.dcm").shutter
        if opening is not None:
            shown = turned(opening.opening(48, 64), rotation, flipped=flip == "Y")
            assert (ours[~shown] == 0x60).all()
            off = off[shown]
        elif shutter == "BITMAP" and (rotation, flip) != (0, "N"):
            cover = np.unpackbits(np.frombuffer(b"\x0f\xf0" * (48 * 8 // 2), np.uint8), bitorder="little")
            covered = turned(cover.reshape(48, 64), rotation, flipped=flip == "Y").view(bool)
            assert (ours[covered] == 0x60).all()
            assert not theirs[covered].any()
            off = off[~covered]
        worst[ALL[number]] = int(off.max())
    most = {case: 2 if case[4] == "table" else 1 for case in worst}
    assert {case: off for case, off in worst.items() if off > most[case]} == {}


@pytest.mark.skipif(not DCM2PNM, reason="DCMTK's dcm2pnm isn't installed")
@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("bits", BITS)
def test_images_without_a_state(bits, signed, interpretation, tmp_path):
    """An image's own rescaling, window and polarity beside dcm2pnm."""
    image = image_of(bits, signed)
    image.PhotometricInterpretation = interpretation
    low, high = reach(bits, signed, "rescale")
    image.RescaleSlope, image.RescaleIntercept = 2.0, -100.0
    image.WindowCenter, image.WindowWidth = round((low + high) / 2), round((high - low) * 0.7)
    image.save_as(tmp_path / "image.dcm")
    run(DCM2PNM, "+op", "+Wi", "1", tmp_path / "image.dcm", tmp_path / "theirs.pgm")
    ours = display.render(tmp_path / "image.dcm")
    assert np.abs(ours.astype(int) - pgm(tmp_path / "theirs.pgm")).max() <= 1


@needs_dcmtk
@pytest.mark.parametrize("padding", ["background", "through"])
def test_padding_is_where_pictures_differ(padding, folder, tmp_path):
    """DCMTK takes padding through the chain; by default it is black here."""
    image = dc.dcmread(folder / "120.dcm")
    image.PixelPaddingValue = int(image.pixel_array[24, 40])
    image.save_as(tmp_path / "image.dcm")
    run(DCMPSMK, "-V", tmp_path / "image.dcm", tmp_path / "state.dcm")
    run(DCMP2PGM, "-p", tmp_path / "state.dcm", tmp_path / "image.dcm", tmp_path / "theirs.pgm")
    ours = display.render(tmp_path / "image.dcm", tmp_path / "state.dcm", padding=padding)
    padded = image.pixel_array == image.PixelPaddingValue
    off = np.abs(ours.astype(int) - pgm(tmp_path / "theirs.pgm"))
    assert off[~padded].max() <= 1
    assert (off[padded].max() <= 1) == (padding == "through")
    if padding == "background":
        assert not ours[padded].any()


def test_turns_are_clockwise_then_flipped():
    square = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert turned(square, 90, flipped=False).tolist() == [[3, 0], [4, 1], [5, 2]]
    assert turned(square, 90, flipped=True).tolist() == [[0, 3], [1, 4], [2, 5]]
