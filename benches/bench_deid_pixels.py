"""Text in pixels: how much is found, at what price, in what time; and what blanking it costs.

``python -m benches.bench_deid_pixels [--quick] [--write]``. Text is rendered by Pillow in twelve fonts over real
images; a line counts as found if 98 % of its strokes lie in boxes.
"""

from __future__ import annotations

import platform
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import dicomcore as dc
from benches.race import processor
from dicomcore.deid.pixels import Mask, Masks, Rectangle, clean, text_boxes
from dicomcore.deid.pixels.ocr import find_engine, read_boxes
from tests.support.made_images import made
from tests.support.pixel_files import named

PAGE = Path(__file__).with_name("bench_deid_pixels.md")
ROWS, COLUMNS = 480, 640
HEIGHTS = (10, 11, 12, 14, 16, 18, 20, 24, 32, 40)
"""Heights of capitals, in pixels."""
CLASSES = {"7–9": (7, 8, 9), "10–12": (10, 11, 12), "13–20": (14, 16, 18, 20), "21–60": (24, 32, 40, 60)}
FONTS = (
    "DejaVuSans.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSerif.ttf", "LiberationSans-Regular.ttf",
    "LiberationSansNarrow-Regular.ttf", "LiberationSerif-Regular.ttf", "LiberationMono-Regular.ttf", "Roboto-Bold.ttf",
    "OpenSans-Regular.ttf", "Lato-Regular.ttf", "TerminusTTF-4.46.0.ttf", "NotoMono-Regular.ttf",
)  # fmt: skip
FOLDERS = (Path("/usr/share/fonts"), Path.home() / ".fonts", Path("/Library/Fonts"))
BACKGROUNDS = {
    "CT": ("CT1_RLE", "693_UNCR.dcm", "ELSCINT1_JP2vsJ2K.dcm", "TOSHIBA_J2K_SIZ0_PixRep1.dcm"),
    "US": (
        "JPGLosslessP14SV1_1s_1f_8b.dcm",
        "OBXXXX1A.dcm",
        "gdcm-US-ALOKA-16.dcm",
        "JPEGExtended_3s_1f_u_08_08.dcm",
        "JPEGLosslessP14SV1_3s_2f_u_08_08.dcm",
    ),
    "CR": ("RG3_RLE", "RG1_J2KI.dcm", "966.dcm", "NM_Kakadu44_SOTmarkerincons.dcm"),
}
LINES = 7
CONTRAST = 60
"""Grey levels between text and all but the rarest of what is behind it: less is hard to read."""
COLOURS = (255, 255, 220, 180, 0, 40)
COVERED = 0.98
NAMES = """John Mary Anna Peter José Zoë Ahmed Olga Björn WILLIAM ELIZABETH Jürgen François Ingrid Tomás
Smith Meyer Nguyen García O'Neill Kowalski MÜLLER JOHNSON Ivanov Takahashi Lindqvist Abdelrahman Quigley"""
FIRST, LAST = (names.split() for names in NAMES.splitlines())


def written(rng: random.Random) -> str:
    """A line such as devices write."""
    day, month, year = rng.randrange(1, 29), rng.randrange(1, 13), rng.randrange(1920, 2026)
    return rng.choice(
        (
            f"{rng.choice(LAST)}, {rng.choice(FIRST)}",
            f"{rng.choice(LAST).upper()}^{rng.choice(FIRST).upper()}",
            f"DOB: {day:02}/{month:02}/{year}",
            f"ID {rng.randrange(10**5, 10**9)}",
            f"{year}-{month:02}-{day:02} {rng.randrange(24):02}:{rng.randrange(60):02}",
            f"St. {rng.choice(FIRST)} Hospital",
            f"Acc# {rng.choice('ABCX')}{rng.randrange(10**5, 10**7)}",
        )
    )


@cache
def font_files() -> dict[str, Path]:
    """The fonts that are installed, by name."""
    found = {path.name: path for folder in FOLDERS if folder.is_dir() for path in folder.rglob("*.ttf")}
    return {name: found[name] for name in FONTS if name in found}


@cache
def font(name: str, height: int) -> Any:
    """A font whose capitals are this high."""
    for size in range(height, 4 * height):
        made_font = ImageFont.truetype(font_files()[name], size)
        box = made_font.getbbox("H")
        if box[3] - box[1] >= height:
            return made_font
    raise ValueError(f"{name} has no capitals of {height} pixels")


@cache
def shown(name: str) -> Any:
    """A real image as a picture in grey."""
    picture = dc.dcmread(named(name)).frames.render(0)
    return np.ascontiguousarray(picture.max(axis=2) if picture.ndim == 3 else picture)


def part(picture: Any, rng: random.Random) -> Any:
    """640 × 480 pixels of a picture, or all of it in the middle of black."""
    rows, columns = picture.shape
    if rows >= ROWS and columns >= COLUMNS:
        top, left = rng.randrange(rows - ROWS + 1), rng.randrange(columns - COLUMNS + 1)
        return picture[top : top + ROWS, left : left + COLUMNS].copy()
    whole = np.zeros((ROWS, COLUMNS), np.uint8)
    cut = picture[:ROWS, :COLUMNS]
    top, left = (ROWS - cut.shape[0]) // 2, (COLUMNS - cut.shape[1]) // 2
    whole[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return whole


@dataclass
class Line:
    """A line of text in a picture."""

    text: str
    height: int
    font: str
    box: tuple[int, int, int, int]
    strokes: Any


def write_into(
    picture: Any, rng: random.Random, heights: tuple[int, ...], text: Callable[[random.Random], str]
) -> list[Line]:
    """Write lines that do not touch into a picture, in place."""
    used = np.zeros(picture.shape, bool)
    lines: list[Line] = []
    for _ in range(6 * LINES):
        if len(lines) == LINES:
            break
        name, height, words = rng.choice(list(font_files())), rng.choice(heights), text(rng)
        face = font(name, height)
        left, top, right, bottom = face.getbbox(words)
        wide, high = right - left, bottom - top
        if wide >= COLUMNS or high >= ROWS:
            continue
        x, y = rng.randrange(COLUMNS - wide), rng.randrange(ROWS - high)
        room = 8 + height // 2
        if used[max(0, y - room) : y + high + room, max(0, x - 2 * room) : x + wide + 2 * room].any():
            continue
        under = picture[y : y + high, x : x + wide]
        low, most = np.percentile(under, (2, 98))
        fitting = [value for value in COLOURS if value - most >= CONTRAST or low - value >= CONTRAST]
        if not fitting:
            continue
        mask = Image.new("L", (wide, high))
        ImageDraw.Draw(mask).text((-left, -top), words, fill=255, font=face)
        share = np.asarray(mask).astype(np.float32) / 255
        picture[y : y + high, x : x + wide] = (under * (1 - share) + rng.choice(fitting) * share + 0.5).astype(np.uint8)
        used[y : y + high, x : x + wide] = True
        rows, columns = np.nonzero(share > 0.5)
        lines.append(Line(words, height, name, (x, y, wide, high), (rows + y, columns + x)))
    return lines


@dataclass
class Count:
    """What was found of lines, and what was boxed besides."""

    lines: int = 0
    found: int = 0
    boxes: int = 0
    right: int = 0
    """Boxes that hold some of a line."""
    outside: list[float] = field(default_factory=list)
    """Share of a picture that was boxed without a line there."""

    @property
    def recall(self) -> float:
        return self.found / max(self.lines, 1)

    @property
    def precision(self) -> float:
        return self.right / max(self.boxes, 1)


def pictures(kind: str, many: int, seed: int) -> Iterator[tuple[Any, random.Random]]:
    """Parts of the real images of a kind."""
    for name in BACKGROUNDS[kind]:
        rng = random.Random(f"{seed} {kind} {name}")
        for _ in range(many):
            yield part(shown(name), rng), rng


def judge(
    kind: str, heights: tuple[int, ...], many: int, *, seed: int = 2026, text: Callable[[random.Random], str] = written
) -> Count:
    """Count what is found of lines of these heights on images of a kind."""
    count = Count()
    for picture, rng in pictures(kind, many, seed):
        lines = write_into(picture, rng, heights, text)
        hidden = np.zeros(picture.shape, bool)
        real = np.zeros(picture.shape, bool)
        for line in lines:
            x, y, wide, high = line.box
            real[max(0, y - 4) : y + high + 4, max(0, x - 8) : x + wide + 8] = True
        for x, y, wide, high in text_boxes(picture):
            hidden[y : y + high, x : x + wide] = True
            count.boxes += 1
            count.right += bool(real[y : y + high, x : x + wide].any())
        count.lines += len(lines)
        count.found += sum(hidden[line.strokes].mean() >= COVERED for line in lines)
        count.outside.append(float((hidden & ~real).mean()))
    return count


def empty(kind: str, many: int) -> tuple[float, float]:
    """Boxes a picture, and the share of it that they cover, where nothing was written."""
    boxes, shares = [], []
    for picture, _ in pictures(kind, many, 7):
        found = text_boxes(picture)
        hidden = np.zeros(picture.shape, bool)
        for x, y, wide, high in found:
            hidden[y : y + high, x : x + wide] = True
        boxes.append(len(found))
        shares.append(float(hidden.mean()))
    return float(np.mean(boxes)), float(np.mean(shares))


def best(work: Callable[[], Any], rounds: int = 9) -> float:
    """The least processor time of several turns, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def recall_table(many: int) -> list[str]:
    lines = ["| capitals, pixels | " + " | ".join(f"{kind}: recall | precision" for kind in BACKGROUNDS) + " |"]
    lines.append("|---|" + "---|---|" * len(BACKGROUNDS))
    total: dict[str, Count] = {kind: Count() for kind in BACKGROUNDS}
    for name, heights in CLASSES.items():
        cells = []
        for kind, whole in total.items():
            count = judge(kind, heights, many)
            cells.append(f"{count.recall:.4f} ({count.lines} lines) | {count.precision:.3f}")
            if min(heights) >= HEIGHTS[0]:
                whole.lines, whole.found = whole.lines + count.lines, whole.found + count.found
                whole.boxes, whole.right = whole.boxes + count.boxes, whole.right + count.right
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    cells = [f"**{count.recall:.4f}** ({count.lines} lines) | {count.precision:.3f}" for count in total.values()]
    lines.append("| **10 and more** | " + " | ".join(cells) + " |")
    every = sum(count.found for count in total.values()) / sum(count.lines for count in total.values())
    aim = "met" if every >= 0.98 else "**short**"
    lines += ["", f"All lines of 10 pixels and more: recall {every:.4f}, of ≥ 0.98: {aim}.", ""]
    return lines


def font_table(many: int) -> list[str]:
    """Recall by font over all backgrounds."""
    seen: dict[str, list[bool]] = {}
    for kind in BACKGROUNDS:
        for picture, rng in pictures(kind, many, 11):
            lines = write_into(picture, rng, HEIGHTS, written)
            hidden = np.zeros(picture.shape, bool)
            for x, y, wide, high in text_boxes(picture):
                hidden[y : y + high, x : x + wide] = True
            for line in lines:
                seen.setdefault(line.font, []).append(bool(hidden[line.strokes].mean() >= COVERED))
    lines = ["| font | lines | recall |", "|---|---|---|"]
    return [*lines, *(f"| {name} | {len(found)} | {np.mean(found):.4f} |" for name, found in sorted(seen.items())), ""]


def short_table(many: int) -> list[str]:
    """Recall of short texts, which have little to be told by."""
    kinds: dict[str, Callable[[random.Random], str]] = {
        "two letters (Li, Wu)": lambda rng: rng.choice(("Li", "Wu", "Ng", "AB", "JD", "7A")),
        "four (Anna, 1961)": lambda rng: rng.choice(("Anna", "1961", "LIAM", "ab12", "Zoe.", "B-47")),
        "eight": lambda rng: rng.choice(("Takahash", "19610317", "JOHN DOE", "A-123/45")),
    }
    lines = ["| text | " + " | ".join(BACKGROUNDS) + " |", "|---|" + "---|" * len(BACKGROUNDS)]
    for name, text in kinds.items():
        cells = (f"{judge(kind, HEIGHTS, many, text=text).recall:.3f}" for kind in BACKGROUNDS)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def empty_table(many: int) -> list[str]:
    lines = ["| images without text written into them | boxes | share of the picture |", "|---|---|---|"]
    for kind in BACKGROUNDS:
        boxes, share = empty(kind, many)
        own = " (they have text of their own)" if kind == "US" else ""
        lines.append(f"| {kind}{own} | {boxes:.2f} | {share:.2%} |")
    return [*lines, ""]


def time_table() -> list[str]:
    lines = ["| picture of 640 × 480 | time | reach |", "|---|---|---|"]
    for kind, names in BACKGROUNDS.items():
        for name in names:
            picture = part(shown(name), random.Random(1))
            took = 1e3 * best(lambda picture=picture: text_boxes(picture))  # type: ignore[misc]
            met = "met" if took <= 3 else "**short**"
            lines.append(f"| {kind}, {name} | {took:.2f} ms | ≤ 3 ms: {met} |")
            busy = picture.copy()
            write_into(busy, random.Random(2), HEIGHTS, written)
            took = 1e3 * best(lambda busy=busy: text_boxes(busy))  # type: ignore[misc]
            lines.append(f"| the same with {LINES} lines | {took:.2f} ms | {'met' if took <= 3 else '**short**'} |")
    return [*lines, ""]


def blank_table() -> list[str]:
    """What blanking costs beside reading: one box of each frame."""
    lines = ["| work | time |", "|---|---|"]
    mask = Masks((Mask("box", ("always", True), (Rectangle(20, 10, 200, 30),)),))
    frames = np.random.default_rng(1).integers(0, 255, (100, ROWS, COLUMNS)).astype(np.uint8)
    data = made(frames, NumberOfFrames=100)
    native = dc.dcmread(data)

    def stream() -> None:
        value = clean(native, ["masks"], masks=mask).pixel_data
        assert value is not None
        for _ in value.pieces():
            pass

    took = best(stream, 3)
    lines.append(f"| native, 100 frames of 640 × 480: a box in each | {1e6 * took / 100:.0f} µs a frame |")
    took = best(lambda: frames.copy(), 3)
    lines.append(f"| the same bytes copied | {1e6 * took / 100:.0f} µs a frame |")
    for syntax in ("rle", "jpeg-lossless", "jpeg-ls", "jpeg-2000", "jpeg"):
        coded = bytearray()
        picture = np.stack([shown("JPGLosslessP14SV1_1s_1f_8b.dcm")[:ROWS, :COLUMNS]] * 8)
        dc.transcode(dc.dcmread(made(picture, NumberOfFrames=8)), coded, syntax)
        source = dc.dcmread(bytes(coded))
        took = best(lambda source=source: clean(source, ["masks"], masks=mask), 3)  # type: ignore[misc]
        decode = best(lambda source=source: source.frames.array(workers=1), 3)  # type: ignore[misc]
        lines.append(
            f"| {source.transfer_syntax.name}: decoded, blanked, encoded, compared | {1e3 * took / 8:.2f} ms a frame "
            f"(decoding alone {1e3 * decode / 8:.2f}) |"
        )
    return [*lines, ""]


def ocr_table(many: int) -> list[str]:
    engine = find_engine()
    if engine is None:
        return []
    times, boxes, right, lines_there = [], 0, 0, 0
    for kind in BACKGROUNDS:
        for picture, rng in list(pictures(kind, many, 5))[::2]:
            lines = write_into(picture, rng, HEIGHTS, written)
            found = text_boxes(picture)
            start = time.process_time()
            read = read_boxes(engine, picture, found)
            times.append(time.process_time() - start)
            boxes += len(found)
            lines_there += len(lines)
            whole = "".join(reading.text for reading in read).casefold()
            right += sum("".join(line.text.split()).casefold()[:5] in "".join(whole.split()) for line in lines)
    name = type(engine).__name__.strip("_")
    return [
        "| OCR on the boxes alone | |", "|---|---|",
        f"| engine | {name} |",
        f"| processor time a picture of {boxes / len(times):.1f} boxes | {np.mean(times):.2f} s |",
        f"| lines whose first five characters were read without a fault | {right / lines_there:.3f} |", "",
    ]  # fmt: skip


def versions() -> str:
    found = []
    for name in ("numpy", "pillow", "rapidocr-onnxruntime", "onnxruntime"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"{processor()}, {platform.system()}, Python {platform.python_version()}; {', '.join(found)}."


def main() -> None:
    many = 4 if "--quick" in sys.argv else 12
    if len(font_files()) < len(FONTS):
        print("fonts that are missing:", ", ".join(name for name in FONTS if name not in font_files()))
    parts = [
        "# Text in pixels",
        "",
        "Written by `python -m benches.bench_deid_pixels --write`. Text of names, dates, numbers and places is "
        f"rendered in {len(font_files())} fonts, white, grey or black, over parts of real images wherever it has a "
        f"contrast of {CONTRAST} of 255; a line is found if {COVERED:.0%} of its strokes lie in boxes. OCR is off; "
        "precision is the share of boxes that hold some of a line. Times are processor time, best of several turns, "
        "on one thread of a machine that was busy.",
        "",
        versions(),
        "",
        *recall_table(many),
        *empty_table(many),
        *font_table(many),
        *short_table(max(many // 3, 2)),
        *time_table(),
        *blank_table(),
        *ocr_table(2),
    ]
    text = "\n".join(parts)
    print(text)
    if "--write" in sys.argv:
        PAGE.write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
