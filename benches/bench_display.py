"""Presentation states rendered, beside DCMTK's dcmp2pgm: ``python -m benches.bench_display [--quick] [--write]``.

Processor time, of dcmp2pgm that of its process; the pictures must agree before a time counts.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import dicomcore as dc
from benches.race import machine
from dicomcore import display
from dicomcore.display.icc import KNOWN, matrix_profile
from dicomcore.display.rendering import render as render_samples
from tests.display.states import area, figure, item, layer, made, palette, reference, state_of, window

PAGE = Path(__file__).with_name("display.md")
HEAD = """# Pictures by presentation states

Written by `python -m benches.bench_display --write`. Processor time of one thread, best of several turns, on 2 shared
cores of an x86-64 server that was busy; dcmp2pgm's is that of its process, which is how people run it. Its pictures
differ by at most 1 from ours.

{machine}; {dcmtk}.

| work | ms | reach | dcmp2pgm, ms | ratio | reach |
|---|---|---|---|---|---|
"""
RNG = np.random.default_rng(18)
SLICE = np.clip(RNG.normal(1000, 300, (512, 512)), 0, 4095).astype(np.uint16)
Row = tuple[str, float, float | None, float | None, float | None]


def best(work: Callable[[], Any], rounds: int) -> float:
    """Best milliseconds of processor time."""
    work()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def by_dcmtk(image: Path, state: Path, rounds: int) -> tuple[float, np.ndarray] | None:
    """Best milliseconds of dcmp2pgm, and its picture; None where it is not installed."""
    program = shutil.which("dcmp2pgm")
    if program is None:
        return None
    target, times = image.with_suffix(".pgm"), []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([program, "-p", state, image, target], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    data = target.read_bytes()
    head = re.match(rb"P5\s+(?:#.*\n)?(\d+) (\d+) 255\n", data)
    assert head is not None
    return 1e3 * min(times), np.frombuffer(data[head.end() :], np.uint8).reshape(int(head[2]), int(head[1]))


def saved(folder: Path, name: str, image: dc.Dataset, **attributes: Any) -> tuple[Path, Path]:
    """The paths of an image and of a state for it."""
    paths = folder / f"{name}.dcm", folder / f"{name}.ps.dcm"
    image.save_as(paths[0])
    if shutil.which("dcmpsmk"):
        subprocess.run(["dcmpsmk", "-V", *paths], check=True, capture_output=True)
        state = dc.dcmread(paths[1])
    else:
        state = state_of(image, DisplayedAreaSelectionSequence=[area((1, 1), image.pixel_array.shape[::-1])])
    for keyword, value in attributes.items():
        setattr(state, keyword, value)
    state.save_as(paths[1])
    return paths


def beside_dcmtk(name: str, paths: tuple[Path, Path], aims: tuple[float | None, float | None], rounds: int) -> Row:
    ours = best(lambda: display.render(*paths), rounds)
    theirs = by_dcmtk(*paths, max(rounds // 4, 2))
    if theirs is None:
        return name, ours, aims[0], None, aims[1]
    assert np.abs(display.render(*paths).astype(int) - theirs[1]).max() <= 1
    return name, ours, aims[0], theirs[0], aims[1]


def grey(folder: Path, rounds: int) -> list[Row]:
    head = {"RescaleSlope": 1.0, "RescaleIntercept": -1024.0, "RescaleType": "HU"}
    ct = made(SLICE, bits_stored=12, SOPInstanceUID="2.25.101")
    views = {"SoftcopyVOILUTSequence": [window(40, 400)]}
    plain = saved(folder, "ct", ct, **head, **views)
    turned = saved(folder, "turned", ct, **head, **views, ImageRotation=90, ImageHorizontalFlip="Y")
    plate = RNG.integers(0, 4096, (2500, 2000)).astype(np.uint16)
    dx = made(plate, bits_stored=12, SOPInstanceUID="2.25.102")
    dx_paths = saved(folder, "dx", dx, SoftcopyVOILUTSequence=[window(2000, 3000)])
    read, state = dc.dcmread(dx_paths[0]), display.read_state(dx_paths[1])
    samples, shown, out = read.frames[0], state.display(read), np.empty((2500, 2000), np.uint8)
    chain = best(lambda: render_samples(samples, shown, out=out), rounds)
    shrunk = best(lambda: display.render(read, state, size=1024), rounds)
    return [
        beside_dcmtk("512², grayscale state, both files read", plain, (2.0, 25.0), rounds),
        beside_dcmtk("the same, rotated and flipped", turned, (None, None), rounds),
        beside_dcmtk("2 000 × 2 500, both files read", dx_paths, (None, None), max(rounds // 3, 3)),
        ("2 000 × 2 500, the chain to 8 bits", chain, 8.0, None, None),
        ("2 000 × 2 500, to 1 024 rows", shrunk, None, None, None),
    ]  # fmt: skip


def blending(rounds: int) -> list[Row]:
    first = made(SLICE, bits_stored=12, SOPInstanceUID="2.25.11", SeriesInstanceUID="2.25.31")
    second = made(
        SLICE[::-1], bits_stored=12, SOPInstanceUID="2.25.12", SeriesInstanceUID="2.25.32", PixelPaddingValue=0
    )
    tint = np.stack([np.arange(256) * 257, np.arange(256) * 128, np.zeros(256)], -1)
    inputs = [
        item(BlendingInputNumber=number, ReferencedImageSequence=[reference(image)],
             SoftcopyVOILUTSequence=[window(1000, 800)])
        for number, image in ((1, first), (2, second))
    ]  # fmt: skip
    inputs[1].PaletteColorLookupTableSequence = [palette(item(), tint)]
    rows: list[Row] = []
    for mode in ("FOREGROUND", "EQUAL"):
        step = item(BlendingDisplayInputSequence=[item(BlendingInputNumber=1), item(BlendingInputNumber=2)],
                    BlendingMode=mode, RelativeOpacity=0.4)  # fmt: skip
        made_state = state_of(kind="advanced-blending", AdvancedBlendingSequence=inputs, BlendingDisplaySequence=[step])
        state = display.read_state(made_state)
        time_taken = best(lambda state=state: display.render([first, second], state), rounds)
        rows.append((f"advanced blending of 2 × 512², {mode}", time_taken, 3.0, None, None))
    return rows


def colour_and_graphics(rounds: int) -> list[Row]:
    profile = matrix_profile(*KNOWN["adobergb"])
    photo = made(RNG.integers(0, 256, (512, 512, 3)).astype(np.uint8), ICCProfile=profile)
    ct = made(SLICE, bits_stored=12, SOPInstanceUID="2.25.101")
    circles = [figure("CIRCLE", [(40.0 + 20 * k, 256), (40.0 + 20 * k, 200)]) for k in range(20)]
    text = item(UnformattedTextValue="20 circles", BoundingBoxAnnotationUnits="PIXEL",
                BoundingBoxTopLeftHandCorner=[10.0, 10.0], BoundingBoxBottomRightHandCorner=[200.0, 40.0],
                BoundingBoxTextHorizontalJustification="LEFT")  # fmt: skip
    note = item(GraphicLayer="A", GraphicObjectSequence=circles, TextObjectSequence=[text])
    drawn = state_of(ct, GraphicLayerSequence=[layer("A", 1, (255, 220, 0))], GraphicAnnotationSequence=[note])
    state = display.read_state(drawn)
    return [
        ("512² in colour, its ICC profile to sRGB", best(lambda: display.render(photo), rounds), None, None, None),
        ("512², 20 circles and a text", best(lambda: display.render(ct, state), rounds), None, None, None),
    ]


def line(row: Row) -> str:
    name, ours, aim, theirs, times = row
    cells = [name, f"{ours:.2f}", reach(aim, ours, least=False), "", "", ""]
    if theirs is not None:
        cells[3:] = [f"{theirs:.1f}", f"{theirs / ours:.0f}×", reach(times, theirs / ours, least=True)]
    return f"| {' | '.join(cells)} |"


def reach(aim: float | None, value: float, *, least: bool) -> str:
    if aim is None:
        return ""
    met = value >= aim if least else value <= aim
    return f"{'≥' if least else '≤'} {aim:g}{'×' if least else ''}: {'met' if met else '**short**'}"


def main() -> None:
    rounds = 5 if "--quick" in sys.argv else 40
    with tempfile.TemporaryDirectory() as name:
        rows = [*grey(Path(name), rounds), *blending(rounds), *colour_and_graphics(rounds)]
    table = "\n".join(map(line, rows)) + "\n"
    print(table)
    if "--write" in sys.argv:
        said = subprocess.run(["dcmp2pgm", "--version"], capture_output=True, text=True, check=False).stdout
        dcmtk = " ".join(said.split()[1:4]) if said else "no DCMTK"
        PAGE.write_text(HEAD.format(machine=machine("numpy", "pillow"), dcmtk=dcmtk) + table, encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
