"""What isolation costs: foreign codecs in worker processes against the same in the caller's, 512 × 512 frames.

Wall clock in turns, the best and the median, and the CPU time of the process and its workers together, which other work
on the machine hardly affects. `--quick` takes fewer rounds, `--markdown` writes isolated.md.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

import dicomcore as dc
from benches.bench_frames import COLOUR, KINDS, write
from benches.race import machine
from dicomcore.pixels.isolation import pool

AIM = 1.15
FRAMES = 24
GREY8 = COLOUR[..., 0].copy()
CASES = {  # name: (kind of bench_frames, picture)
    "JPEG, colour": ("JPEG", COLOUR),
    "JPEG, grey": ("JPEG", GREY8),
    "JPEG-LS, 16 bits": ("JPEG-LS", KINDS["JPEG-LS"][2]),
    "JPEG 2000, 16 bits": ("JPEG 2000", KINDS["JPEG 2000"][2]),
}


def cpu_seconds() -> float:
    """CPU time of this process and of its idle workers."""
    held = process_time()
    for worker in list(pool.POOL._idle):
        with open(f"/proc/{worker._process.pid}/schedstat", encoding="ascii") as file:
            held += int(file.read().split()[0]) / 1e9
    return held


def compare(here: Callable[[], object], apart: Callable[[], object], rounds: int) -> dict[str, tuple[float, float]]:
    """Seconds in this process and in workers, taken in turns: the best, the median, and CPU time a call."""
    taken: tuple[list[float], list[float]] = ([], [])
    spent: tuple[list[float], list[float]] = ([], [])
    assert np.array_equal(here(), apart())
    for _ in range(rounds):
        for place, run in enumerate((here, apart)):
            before, start = cpu_seconds(), perf_counter()
            run()
            taken[place].append(perf_counter() - start)
            spent[place].append(cpu_seconds() - before)
    return {
        "best": (min(taken[0]), min(taken[1])),
        "median": (statistics.median(taken[0]), statistics.median(taken[1])),
        "CPU": (min(spent[0]), min(spent[1])),
    }


def lines(folder: Path, rounds: int) -> list[str]:
    found = []
    for name, (kind, picture) in CASES.items():
        end, encode, _ = KINDS[kind]
        path = folder / "isolated.dcm"
        write(path, end, encode(picture), picture, FRAMES, True)
        here, apart = dc.dcmread(path).frames, dc.dcmread(path, limits=dc.Limits(isolate=True)).frames
        apart.array()  # starts the workers
        often = rounds * (4 if kind == "JPEG" else 1)
        for work, runs, calls in (
            ("one frame", (lambda f=here: f[5], lambda f=apart: f[5]), 12 * often),
            (f"pixel_array, {FRAMES} frames", (lambda f=here: f.array(), lambda f=apart: f.array()), often),
        ):
            told = compare(*runs, calls)
            ratios = [told[key][1] / told[key][0] for key in told]
            times = " → ".join(f"{1e3 * seconds:.3g}" for seconds in told["best"])
            aim = "met" if ratios[0] <= AIM else "**short**"
            found.append(f"| {name} | {work} | {times} ms | " + " | ".join(f"{r:.2f}×" for r in ratios) + f" | {aim} |")
            print(found[-1], flush=True)
    return found


def main() -> None:
    rounds = 5 if "--quick" in sys.argv else 15
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        found = lines(Path(folder), rounds)
    print(machine("numpy", "imagecodecs"), f"load {load:.1f}")
    if "--markdown" not in sys.argv:
        return
    head = ["| codec | work | best: here → isolated | best | median | CPU time | ≤ 1.15× |", f"|{'---|' * 7}"]
    path = Path(__file__).with_name("isolated.md")
    before, after = path.read_text(encoding="utf-8").split("<!-- table -->\n")[::2]
    parts = (before, "\n".join([*head, *found, ""]), after)
    path.write_text("<!-- table -->\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
