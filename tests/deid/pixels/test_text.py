"""Text found in pictures, read, judged and blanked; and what a second look says."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import pytest

from dicomcore import Dataset, dcmread, dcmwrite, deid
from dicomcore._native.deid.textlike import find_text_boxes
from dicomcore.deid.pixels import Rectangle, clean, cleaning, text_boxes
from dicomcore.deid.pixels.detect import pictures_of, project
from dicomcore.deid.pixels.judge import Judge
from dicomcore.deid.pixels.ocr import Found, Reading, read_boxes
from dicomcore.errors import DeidError
from tests.support.made_images import made
from tests.support.pixel_files import named

Image = pytest.importorskip("PIL.Image")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFont = pytest.importorskip("PIL.ImageFont")

LINES = ("MUELLER^ANNA", "DOB: 17/03/1961", "ID 7730114", "St. Mary Hospital", "2019-04-30 11:48", "van der Berg, Zoe")


def drawn(picture: Any, text: str, x: int, y: int, size: int, value: int = 255) -> np.ndarray[Any, Any]:
    """Draw text into a picture of bytes; returns where its strokes are."""
    image = Image.new("L", (picture.shape[1], picture.shape[0]))
    ImageDraw.Draw(image).text((x, y), text, fill=255, font=ImageFont.load_default(size))
    share = np.asarray(image).astype(float) / 255
    picture[...] = (picture * (1 - share) + value * share + 0.5).astype(np.uint8)
    return share > 0.5


def mask_of(boxes: list[Rectangle], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    found = np.zeros(shape, bool)
    for x, y, width, height in boxes:
        found[y : y + height, x : x + width] = True
    return found


def example(name: str) -> Path:
    return Path(pydicom.data.__file__).parent / "test_files" / name


BACKGROUNDS: dict[str, Callable[[], Any]] = {
    "black": lambda: np.zeros((480, 640), np.uint8),
    "ramp": lambda: np.tile(np.linspace(0, 120, 640), (480, 1)).astype(np.uint8),
    "noise": lambda: np.random.default_rng(0).normal(60, 8, (480, 640)).clip(0, 255).astype(np.uint8),
    "CT": lambda: dcmread(named("CT1_RLE")).frames.render(0)[:480],
    "ultrasound": lambda: np.ascontiguousarray(
        dcmread(named("JPGLosslessP14SV1_1s_1f_8b.dcm")).frames.render(0)[:480, :640]
    ),
    "radiograph": lambda: np.ascontiguousarray(dcmread(named("RG3_RLE")).frames.render(0)[600:1080, 600:1240]),
}


@pytest.mark.parametrize("size", [14, 18, 28, 44])
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_text_is_found(background: str, size: int) -> None:
    picture = BACKGROUNDS[background]().copy()
    where = []
    for place, text in enumerate(LINES):
        area = picture[20 + 70 * place : 20 + 70 * place + size, 20:500]
        where.append(drawn(picture, text, 20, 20 + 70 * place, size, 0 if area.mean() > 150 else 255))
    found = mask_of(text_boxes(picture), picture.shape)
    covered = [found[strokes].mean() for strokes in where]
    assert np.mean(covered) > 0.9, covered  # a line may cross what is as bright as itself


EMPTY = {
    "black": np.zeros((480, 640), np.uint8),
    "white": np.full((480, 640), 255, np.uint8),
    "ramp": np.tile(np.arange(640) * 255 // 639, (480, 1)).astype(np.uint8),
    "soft noise": np.random.default_rng(0).normal(100, 6, (480, 640)).astype(np.uint8),
    "one pixel": np.zeros((1, 1), np.uint8),
    "one row": np.zeros((1, 700), np.uint8),
    "one column": np.full((700, 1), 9, np.uint8),
    "a ruler": np.where(np.arange(640) % 20 == 0, 255, 0)[None, :].repeat(480, 0).astype(np.uint8),
}


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_is_found_where_there_is_none(name: str) -> None:
    assert text_boxes(EMPTY[name]) == []


@pytest.mark.parametrize("name", ["CT1_RLE", "RG3_RLE", "693_UNCR.dcm"])
def test_anatomy_is_not_taken_for_text(name: str) -> None:
    picture = dcmread(named(name)).frames.render(0)
    share = mask_of(text_boxes(picture), picture.shape).mean()
    assert share < 0.02


@pytest.mark.parametrize("seed", range(40))
def test_boxes_are_inside_whatever_the_picture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = (int(n) for n in rng.integers(1, 200, 2))
    picture = (rng.integers(0, 256, (rows, columns)) * (rng.random((rows, columns)) < rng.random())).astype(np.uint8)
    for x, y, width, height in text_boxes(picture):
        assert x >= 0
        assert y >= 0
        assert width > 0
        assert height > 0
        assert x + width <= columns
        assert y + height <= rows


def test_planes_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="planes"):
        find_text_boxes(bytes(10), bytes(12), 3, 4)
    with pytest.raises(ValueError, match="0 x 4"):
        find_text_boxes(b"", b"", 0, 4)


@pytest.mark.parametrize(
    ("text", "background"), [((0, 0, 255), (0, 0, 0)), ((255, 0, 0), (255, 255, 255)), ((255, 255, 0), (90, 90, 90))]
)
def test_coloured_text(text: tuple[int, ...], background: tuple[int, ...]) -> None:
    picture = np.full((120, 400, 3), background, np.uint8)
    strokes = drawn(np.zeros((120, 400), np.uint8), "MUELLER^ANNA 1961", 30, 40, 20)
    picture[strokes] = text
    assert mask_of(text_boxes(picture), (120, 400))[strokes].mean() > 0.9


# -- frames


def slide(text: bool = True, frames: int | None = None, **said: Any) -> Dataset:
    picture = np.full((200, 400), 40, np.uint8)
    if text:
        drawn(picture, "MUELLER^ANNA 1961", 30, 40, 20)
        drawn(picture, "5.0 cm", 300, 150, 18)
    array = picture if frames is None else np.stack([picture] * frames)
    return dcmread(made(array, **({} if frames is None else {"NumberOfFrames": frames}), **said))


def written(source: Dataset) -> bytes:
    out = io.BytesIO()
    dcmwrite(out, source, enforce_standard=False)
    return out.getvalue()


def after(source: Dataset, done: Any) -> Dataset:
    target = source.copy()
    done.put(target)
    return dcmread(written(target))


def test_all_text_is_blanked_without_ocr() -> None:
    source = slide()
    done = clean(source, ["detect"])
    assert done.how == ("detect",)
    assert {box.why for box in done.boxes} == {"text"}
    assert done.burned_in == "NO"
    assert not text_boxes(after(source, done).frames.decode(0))


def test_without_a_second_look_nothing_is_stated() -> None:
    assert clean(slide(), ["detect"], second_look=False).burned_in is None


def test_a_clean_image_can_be_stated_to_be_clean() -> None:
    done = clean(slide(text=False), ["detect"])
    assert done.burned_in == "NO"
    assert done.pixel_data is None


def test_masks_alone_state_nothing() -> None:
    assert clean(slide(text=False), ["masks", "regions"]).burned_in is None


def test_text_of_wide_pixels_is_seen_in_a_narrow_window() -> None:
    values = np.full((200, 400), 1000, np.int16)
    values[:10] = 20000
    values[-10:] = -20000
    strokes = drawn(np.zeros((200, 400), np.uint8), "MUELLER^ANNA 1961", 30, 80, 20)
    values[strokes] = 1090
    source = dcmread(made(values))
    assert not clean(source, ["detect"]).boxes
    source.WindowCenter, source.WindowWidth = 1040, 200
    assert clean(source, ["detect"]).boxes


def moving(frames: int, *, text_in: range, cine: bool) -> Dataset:
    """Noise that moves, with text in some frames."""
    rng = np.random.default_rng(4)
    array = rng.integers(0, 200, (frames, 120, 300)).astype(np.uint8)
    for index in text_in:
        drawn(array[index], "MUELLER^ANNA", 40, 40, 22)
    source = dcmread(made(array, NumberOfFrames=frames))
    if cine:
        source.FrameTime = 40
    return source


def test_text_that_stays_in_a_cine_is_blanked_in_all_frames() -> None:
    source = moving(20, text_in=range(20), cine=True)
    done = clean(source, ["detect"])
    assert {box.frame for box in done.boxes} == {None}
    assert done.frames_changed == tuple(range(20))
    strokes = drawn(np.zeros((120, 300), np.uint8), "MUELLER^ANNA", 40, 40, 22)
    assert all(not frame[strokes].any() for frame in after(source, done).frames)
    assert sum(box.width * box.height for box in done.boxes) < 120 * 300 / 2


def test_text_of_a_part_of_a_cine() -> None:
    source = moving(48, text_in=range(16, 48), cine=True)
    assert clean(source, ["detect"]).boxes


def test_frames_that_are_no_cine_are_looked_at_one_by_one() -> None:
    picture = np.zeros((4, 120, 300), np.uint8)
    drawn(picture[2], "MUELLER^ANNA", 40, 40, 22)
    done = clean(dcmread(made(picture, NumberOfFrames=4)), ["detect"])
    assert {box.frame for box in done.boxes} == {2}
    assert done.frames_changed == (2,)


def test_projection_keeps_what_stays() -> None:
    source = moving(8, text_in=range(8), cine=True)
    whole = project(pictures_of(source, index, source.frames.decode(index)) for index in range(8))
    assert whole[0].bright.mean() < 60
    assert whole[0].dark.mean() > 150


# -- reading


class Fake:
    """An OCR that reads, in turn, the texts that a test gives it; boxes that look alike get the same text."""

    def __init__(self, *sheets: list[str], sure: float = 0.95) -> None:
        self.sheets, self.sure, self.seen = list(sheets), sure, []  # type: ignore[var-annotated]

    def __call__(self, picture: Any) -> list[Found]:
        self.seen.append(picture)
        rows = np.flatnonzero((picture != picture[0, 0]).any(axis=1))
        starts = [rows[0], *rows[1:][np.diff(rows) > 8]] if rows.size else []
        texts = self.sheets.pop(0) if self.sheets else []
        return [Found(text, self.sure, Rectangle(20, int(y), 100, 30)) for text, y in zip(texts, starts, strict=False)]


def test_only_identifying_text_is_blanked() -> None:
    source = slide()
    order = [box.y for box in text_boxes(source.frames.decode(0))]
    texts = ["MUELLER ANNA", "5.0 cm"] if order[0] < order[-1] else ["5.0 cm", "MUELLER ANNA"]
    done = clean(source, ["ocr"], engine=Fake(texts, ["5.0 cm"]), identifiers=["Mueller^Anna"])
    assert len(done.boxes) == 1
    assert done.boxes[0].y < 100
    assert done.burned_in == "NO"


# Names as devices burn them in, which have no other letters.
LATIN = {
    "Papadiamantis, Orestis": "Παπαδιαμάντης^Ορέστης",
    "ZHAVORONKOVA LYUDMILA": "Жаворонкова^Людмила",
    "MUESSIGBRODT JUERGEN": "Müßigbrodt^Jürgen",
    "PAPADIAMANT1S": "Παπαδιαμάντης^Ορέστης",  # misread
}


@pytest.mark.parametrize(("read", "name"), LATIN.items(), ids=LATIN)
def test_names_in_other_letters_are_blanked(read: str, name: str) -> None:
    source = slide()
    source.SpecificCharacterSet, source.PatientName = "ISO_IR 192", name
    order = [box.y for box in text_boxes(source.frames.decode(0))]
    texts = [read, "5.0 cm"] if order[0] < order[-1] else ["5.0 cm", read]
    plan = deid.Plan(["clean_pixel_data"], deid.Key.generate(), pixels={"engine": Fake(texts, ["5.0 cm"])})
    outcome = deid.apply(written(source), io.BytesIO(), plan)
    assert len(outcome.boxes) == 1
    assert outcome.boxes[0].y < 100


def test_second_look_blanks_what_was_misread() -> None:
    source = slide()
    done = clean(source, ["ocr"], engine=Fake(["5.0 cm", "5.0 cm"], ["MUELLER", "5.0 cm"], []), identifiers=["Mueller"])
    assert len(done.boxes) == 1
    assert done.burned_in == "NO"


def test_text_that_never_goes_is_not_stated_to_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    places = iter(range(100))
    monkeypatch.setattr(cleaning.Picture, "boxes", lambda self: [Rectangle(next(places), 0, 10, 10)], raising=True)
    done = clean(slide(text=False), ["detect"])
    assert done.burned_in is None
    assert any("still found" in note for note in done.notes)


def test_ocr_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "find_engine", lambda: None)
    with pytest.raises(DeidError, match=r"dicomcore\[ocr\]"):
        clean(slide(), ["ocr"])
    assert clean(slide()).how == ("regions", "masks", "detect")


@pytest.mark.parametrize("how", [[], ["everything"], "text"])
def test_unknown_ways(how: Any) -> None:
    with pytest.raises(ValueError, match="how is some of"):
        clean(slide(), how)


def test_boxes_are_read_from_one_sheet() -> None:
    picture = np.zeros((100, 300), np.uint8)
    for y in (10, 50):
        drawn(picture, "TEXT", 10, y, 20)
    engine = Fake(["one", "two"])
    read = read_boxes(engine, picture, [Rectangle(5, 5, 80, 30), Rectangle(5, 45, 80, 30)])
    assert [reading.text for reading in read] == ["one", "two"]
    assert len(engine.seen) == 1
    assert engine.seen[0][0, 0] == 255
    read_boxes(engine, picture, [Rectangle(5, 5, 80, 30)], inverted=True)
    assert engine.seen[1][0, 0] == 0


def test_many_boxes_take_several_sheets() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (300, 300)).astype(np.uint8)
    boxes = [Rectangle(x, y, 40, 12) for x in range(0, 250, 50) for y in range(0, 280, 14)]
    engine = Fake()
    assert len(read_boxes(engine, picture, boxes)) == len(boxes)
    assert len(engine.seen) == 2


# -- judging

TOLD = ["Müller^Anna Maria", "7730114", "Li^Wu", "St. Mary Hospital"]
JUDGED = {  # text: (with identifiers, without): whether it stays
    "MUELLER": (False, False),  # another spelling
    "MULLER, ANNA": (False, False),
    "MU1LER": (False, False),  # a character misread
    "Mary Hospital": (False, False),
    "7730ll4": (False, False),
    "773011": (False, False),  # five digits and more, whatever they are
    "LI": (False, False),
    "LIVER": (True, False),
    "17/03/1961": (False, False),
    "17.MAR.61": (False, False),
    "Mar 17, 1961": (False, False),
    "11:48": (False, False),
    "Dr Who": (False, False),
    "Universitätsklinikum": (False, False),
    "a@b.org": (False, False),
    "A^B": (False, False),
    "AB12345X": (False, False),
    "L": (True, True),
    "R": (True, True),
    "AP PORTABLE": (True, True),
    "120 kV 5 mAs": (True, True),
    "5.0 cm": (True, True),
    "DR 65 dB": (True, True),
    "MI 0.8 TIS 1.2": (True, True),
    "W 400 C 40": (True, True),
    "": (True, True),
    "Sagittal T2": (True, False),
}


@pytest.mark.parametrize(("text", "stays"), JUDGED.items(), ids=[repr(text) for text in JUDGED])
def test_judged(text: str, stays: tuple[bool, bool]) -> None:
    told, untold = Judge(TOLD), Judge()
    assert (told.keeps(Reading(text, 0.9)), untold.keeps(Reading(text, 0.9))) == stays


def test_text_that_was_not_read_for_sure_goes() -> None:
    assert not Judge(TOLD).keeps(Reading("LIVER", 0.3))
    assert Judge(TOLD).keeps(Reading("5.0 cm", 0.3))


def test_own_function_and_words() -> None:
    judge = Judge(is_identifying=lambda text: "secret" in text.lower(), allowed=["ward"])
    assert not judge.keeps(Reading("Secret", 1))
    assert judge.keeps(Reading("Other", 1))
    assert Judge(allowed=["ward"]).keeps(Reading("Ward 9", 1))
    assert not Judge(allowed=["ward"]).keeps(Reading("cm", 1))


def test_judge_never_fails_on_any_text() -> None:
    rng = random.Random(1)
    judge = Judge(["Abcdefgh", "", "^", "x"])
    for _ in range(300):
        judge.keeps(Reading("".join(chr(rng.randrange(1, 0x3000)) for _ in range(rng.randrange(30))), rng.random()))


# -- the OCR that is installed


def test_installed_ocr_reads_names_and_nothing_is_left() -> None:
    engine = cleaning.find_engine()
    if engine is None:
        pytest.skip("neither rapidocr-onnxruntime nor tesseract is installed")
    picture = np.zeros((300, 500), np.uint8)
    drawn(picture, "MUELLER^ANNA", 30, 40, 24)
    drawn(picture, "5.0 cm", 300, 200, 24)
    source = dcmread(made(picture))
    done = clean(source, ["ocr"], identifiers=["Mueller^Anna"])
    new = after(source, done).frames.decode(0)
    assert not new[30:80, 30:250].any()
    assert done.burned_in == "NO"
    boxes = text_boxes(new)
    assert not any("MUELL" in reading.text.upper() for reading in read_boxes(engine, new, boxes))


# -- what looks like text and is none

FLOW = {  # real ultrasound with blood flow in colour, and an abdomen: rows and columns without text
    "examples_rgb_color.dcm": (slice(75, 147), slice(44, 274)),
    "examples_jpeg2k.dcm": (slice(150, 293), slice(90, 545)),
    "examples_overlay.dcm": (slice(0, 300), slice(0, 484)),
}


@pytest.mark.parametrize("name", FLOW)
def test_flow_and_organs_are_no_text(name: str) -> None:
    found = clean(dcmread(example(name)), ["detect"])
    assert found.burned_in == "NO"
    covered = mask_of([box.rectangle for box in found.boxes], (480, 640))
    assert not covered[FLOW[name]].any()


@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 255, 0), (0, 255, 0), (255, 128, 0), (90, 200, 255)])
def test_text_over_flow_is_found(colour: tuple[int, int, int]) -> None:
    picture = dcmread(example("examples_jpeg2k.dcm")).frames.decode(0).copy()
    strokes = drawn(np.zeros(picture.shape[:2], np.uint8), "MUELLER ANNA 17.03.1961", 100, 300, 18)
    picture[strokes] = colour
    assert mask_of(text_boxes(picture), picture.shape[:2])[strokes].mean() > 0.98
    strokes = drawn(np.zeros(picture.shape[:2], np.uint8), "MUELLER ANNA 17.03.1961", 100, 195, 18)
    if colour == (255, 255, 255):
        picture[190:225, 90:330] = np.minimum(picture[190:225, 90:330], 200)
        picture[strokes] = colour
        assert mask_of(text_boxes(picture), picture.shape[:2])[strokes].mean() > 0.9


def test_digits_with_hyphens_between_them_are_found() -> None:
    """A date in a font with wide spaces, on a picture of an endoscope."""
    picture = dcmread(named("VL3_RLE")).frames.decode(0)
    covered = mask_of(text_boxes(picture), picture.shape[:2])
    assert covered[33:70, 615:710].mean() > 0.8
