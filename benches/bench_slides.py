"""Whole slides: regions, tiles and opening, beside wsidicom.

`python -m benches.bench_slides [--quick]`; a full run writes slides.md beside this file.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from wsidicom import WsiDicom
from wsidicom.config import Settings

from benches.race import race
from benches.table import OURS, Row, machine, markdown
from dicomcore.objects import Slide
from tests.support.slides import picture, write_pyramid

PACKAGES = ("numpy", "wsidicom", "imagecodecs", "pydicom")
SIDE, TILE, REGION = 8192, 512, 2048
AT = (1000, 1500)  # on no edge of a tile: 5 × 5 tiles have pixels of the region
HEAD = """# Whole slides beside wsidicom

Written by `python -m benches.bench_slides`. A made pyramid of four levels, {side} × {side} pixels and smaller, tiles of
512 × 512 in JPEG, quality 80, 4:2:2. Contestants took turns on the same slide in one process, each with a slide that it
opened anew, so that no cache holds tiles; the best turn counts, and none before its pixels were found equal to ours
within 1. wsidicom has its fastest decoder (imagecodecs, as dicomcore; opencv installed). Both decode by libjpeg-turbo:
that is two thirds of the time of a region. The machine was busy with other work, so processor time, of all threads
together, is what compares; wall times are given where they were taken, and say little.

{cores} shared cores of an x86-64 server, {system}, Python {python}; {packages}.

"""


def make_slide(folder: Path, side: int) -> None:
    write_pyramid(folder, picture(side, side), TILE, 4, transfer_syntax="jpeg", quality=80)


def region_by_us(folder: Path, workers: int, profile: str | None = None) -> Callable[[Any], Any]:
    def read(_: Any) -> Any:
        return Slide(folder).region(*AT, REGION, REGION, workers=workers, profile=profile)

    return read


def region_by_wsidicom(folder: Path, workers: int) -> Callable[[Any], Any]:
    settings = Settings(preferred_decoder="imagecodecs")

    def read(_: Any) -> Any:
        with WsiDicom.open(folder, settings=settings) as slide:
            return slide.read_region(AT, 0, (REGION, REGION), threads=workers, as_array=True)

    return read


def small_by_us(folder: Path, places: list[tuple[int, int]]) -> Callable[[Any], Any]:
    def read(_: Any) -> Any:
        slide = Slide(folder)
        return np.stack([slide.region(*place, 256, 256, workers=1) for place in places])

    return read


def small_by_wsidicom(folder: Path, places: list[tuple[int, int]]) -> Callable[[Any], Any]:
    settings = Settings(preferred_decoder="imagecodecs", decoded_frame_cache_size=0)

    def read(_: Any) -> Any:
        with WsiDicom.open(folder, settings=settings) as slide:
            return np.stack([slide.read_region(place, 0, (256, 256), threads=1, as_array=True) for place in places])

    return read


def compared(title: str, ours: Any, theirs: Any, clock: Any, number: int, unit: str, rounds: int) -> Row:
    """Race both, after their pixels were compared."""
    if ours is not None:
        difference = np.abs(ours(None).astype(int) - theirs(None)).max()
        assert difference <= 1, f"pixels differ by up to {difference}"
    seconds = race(None, {OURS: ours, "wsidicom": theirs}, rounds=rounds, agree=False, clock=clock)
    return Row(title, seconds, number, unit)


def opening_row(folder: Path, rounds: int) -> Row:
    def by_us(_: Any) -> Any:
        return [level.shape for level in Slide(folder).levels]

    def by_wsidicom(_: Any) -> Any:
        with WsiDicom.open(folder) as slide:
            return [(level.size.height, level.size.width) for level in slide.pyramids[0]]

    assert by_us(None) == by_wsidicom(None), "the levels differ"
    contestants = {OURS: by_us, "wsidicom": by_wsidicom}
    return Row("opening, 4 files", race(None, contestants, rounds=rounds, agree=False, clock=process_time), 1, "slide")


def rows(quick: bool = False) -> list[Row]:
    """All rows of the table."""
    rounds = 3 if quick else 25
    random = np.random.default_rng(0)
    made = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_slide(folder, 4096 if quick else SIDE)
        places = [tuple(place) for place in random.integers(0, 3500, (50, 2)).tolist()]
        what = f"region of {REGION} × {REGION}, slide opened anew"
        for workers, clock, kind in (
            (1, process_time, "processor"),
            (2, process_time, "processor"),
            (2, perf_counter, "wall"),
        ):
            title = f"{what}; {workers} thread{'s' * (workers > 1)}, {kind} time"
            ours, theirs = region_by_us(folder, workers), region_by_wsidicom(folder, workers)
            made.append(compared(title, ours, theirs, clock, 1, "region", rounds))
        small = small_by_us(folder, places), small_by_wsidicom(folder, places)
        made.append(
            compared("50 regions of 256 × 256, 1 thread, processor time", *small, process_time, 50, "region", rounds)
        )
        made.append(opening_row(folder, rounds))
    return made


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    about = machine(PACKAGES)
    packages = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    table = HEAD.format(**about, packages=packages, side=SIDE) + markdown(rows(quick))
    print(table)
    if not quick:
        (Path(__file__).parent / "slides.md").write_text(table)
