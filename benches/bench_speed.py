"""The aims of speed in one run of a few minutes: python -m benches.bench_speed [--work NAME] [--write].

Processor time counts, unless a row says otherwise, and over many files that of a whole pass: the best time of each file
alone would hide what is paid between files. Peers leave pixel data out where they can. All contestants take turns on
the same input. With --write the table goes into speed.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import fastdicom
import imagecodecs
import numpy as np
import pydicom
import pydicom.data

import dicomcore as dc
from benches import bench_index, bench_isolated, bench_slow, bench_values, bench_walk, bench_write, inputs, peers
from benches.bench_frames import KINDS
from benches.bench_frames import write as write_frames
from benches.bench_header import agreed
from benches.bench_index_odd import KINDS as ODD_FILES
from benches.bench_index_odd import microseconds
from benches.bench_jpegll import images
from benches.race import geometric_mean, race
from benches.table import OURS, Reach, Row, machine, markdown
from dicomcore.archive import DEFAULT_COLUMNS, index
from dicomcore.archive.tables.columns import Columns
from dicomcore.codecs import jpeg_lossless_decode, jpeg_lossless_info, rle_decode
from tests.support import pixel_corpus

PACKAGES = ("numpy", "pydicom", "fastdicom", "dicomsdl", "imagecodecs", "pylibjpeg-rle", "pyarrow")
TEST_FILES = Path(pydicom.data.__file__).parent / "test_files"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"
SMALL_FRAME = 2000  # bytes of a frame that is mostly overhead
HEAD = """# Aims of speed

Written by `python -m benches.bench_speed --write`. {docs}

{processor}, {cores} cores, {system}, Python {python}; {packages}. Load of the machine: {load:.1f}.

"""


# -- ways to measure


def passes(files: list[Path], contestants: Mapping[str, Callable[[str], Any]], rounds: int) -> dict[str, float]:
    """The least processor time of each contestant for a pass over all files; slow ones take fewer turns."""
    paths = [str(path) for path in files]
    best: dict[str, float] = {}
    for turn in range(rounds):
        for name, run in contestants.items():
            if turn > 1 and best[name] > 1:
                continue
            begun = process_time()
            for path in paths:
                run(path)
            best[name] = min(best.get(name, float("inf")), process_time() - begun)
    return best


def spent(command: list[str]) -> float:
    """Processor time of a process; bytecode is cached."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return used.ru_utime + used.ru_stime


def starts(commands: Mapping[str, list[str]], rounds: int = 15) -> dict[str, float]:
    """The least processor time of each command."""
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(rounds):
        for name, command in commands.items():
            best[name] = min(best[name], spent(command))
    return best


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        prefix="dicomcore-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
    ) as at:
        yield Path(at)


def ratio_row(work: str, unit: str, ratios: list[float], mean: float, least: float | None = None) -> Row:
    """A row of which only ratios are known: one for each image."""
    row = Row(work, {OURS: 0.0})
    row.reaches.append(Reach(mean, f"× {unit}, geometric mean", geometric_mean(ratios)))
    if least is not None:
        row.reaches.append(Reach(least, f"× {unit}, least", min(ratios)))
    return row


# -- rows


def start() -> list[Row]:
    """Imports, and commands on one small file."""
    path = str(TEST_FILES / "CT_small.dcm")
    program = [sys.executable, "-c", "import sys; from dicomcore.cli import main; sys.exit(main())"]
    with scratch() as folder:
        commands = {
            "nothing": [sys.executable, "-c", "pass"],
            OURS: [sys.executable, "-c", "import dicomcore"],
            "numpy": [sys.executable, "-c", "import numpy"],
            "pydicom": [sys.executable, "-c", "import pydicom"],
            "dump": [*program, "dump", path],
            "index": [*program, "index", path, "-o", str(folder / "x.parquet"), "--no-resume"],
        }
        if shutil.which("dcmdump"):
            commands["dcmdump"] = ["dcmdump", path]
        best = starts(commands)
    nothing = best["nothing"]
    imported = Row("import", {name: best[name] - nothing for name in (OURS, "numpy", "pydicom")})
    imported.at_most(0.4, "× import numpy", imported.seconds[OURS] / imported.seconds["numpy"])
    dumped = Row("`dicomcore dump FILE`, the whole process", {OURS: best["dump"], "Python alone": nothing})
    if "dcmdump" in best:
        dumped.seconds["dcmdump"] = best["dcmdump"]
        dumped.at_most(1.5, "× dcmdump", best["dump"] / best["dcmdump"])
    indexed = Row("`dicomcore index FILE`, the whole process", {OURS: best["index"]})
    indexed.at_most(0.5, "s", best["index"])
    return [imported, dumped, indexed]


def header() -> list[Row]:
    """dcmread and seven values, whole passes."""
    files, _ = agreed(inputs.real_files())

    def fast(path: str) -> list[Any]:
        ds = fastdicom.dcmread(path, stop_before_pixels=True)
        return [ds.get(keyword) for keyword in peers.SEVEN]

    def lean(path: str) -> list[Any]:
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        return [ds.get(keyword) for keyword in peers.SEVEN]

    contestants = {
        OURS: peers.seven_ours,
        "fastdicom": fast,
        "dicomsdl": peers.seven_dicomsdl,
        "pydicom": lean,
        "pydicom, 7 tags only": peers.seven_pydicom_lean,
        "open+pread+close": peers.head_alone,
    }
    row = Row("header and 7 values, whole passes", passes(files, contestants, 9), len(files), "file")
    row.at_least(6, "fastdicom")
    row.at_least(15, "dicomsdl")
    row.at_least(100, "pydicom")
    return [row]


def change() -> list[Row]:
    """One element changed, whole passes."""
    with scratch() as folder:
        target = str(folder / "written.dcm")
        files = bench_write.agreed(target)
        memory = {
            OURS: bench_write.memory_ours,
            "pydicom": bench_write.memory_pydicom,
            "dicomsdl": bench_write.memory_dicomsdl,
        }
        ways = bench_write.to_file(target)

        def bare(path: str) -> None:
            with open(path, "rb", buffering=0) as source, open(target + ".new", "wb", buffering=0) as out:
                out.write(source.read())
            os.replace(target + ".new", target)

        rows = []
        for how, contestants, least in (
            ("into memory", {**memory, "the read alone": lambda path: Path(path).read_bytes()}, 4.0),
            ("file to file", {**{name: ways[name] for name in memory}, "read, write and rename alone": bare}, 1.3),
        ):
            row = Row(f"change PatientID, {how}, whole passes", passes(files, contestants, 7), len(files), "file")
            row.at_least(45, "pydicom")
            row.at_least(least, "dicomsdl")
            rows.append(row)
    return rows


def jpeg_lossless() -> list[Row]:
    ratios = []
    for _, codestream, _ in images():
        info = jpeg_lossless_info(codestream)
        out = np.empty(info.shape, info.dtype)
        sides = {
            OURS: partial(jpeg_lossless_decode, out=out),
            "libjpeg-turbo": partial(imagecodecs.jpeg8_decode, out=out),
        }
        best = race(codestream, sides, rounds=25)
        ratios.append(best["libjpeg-turbo"] / best[OURS])
    return [ratio_row("JPEG lossless, decoding", "libjpeg-turbo", ratios, 5, 3.5)] if ratios else []


def rle() -> list[Row]:
    from rle import rle as theirs

    large, small = [], []
    for parameter in pixel_corpus.with_pixels(RLE_LOSSLESS):
        (line,) = parameter.values
        if line is None or line["pixels"]["bits_allocated"] == 1:
            continue
        pixels, frame = line["pixels"], next(pixel_corpus.codestreams(line))[0]
        told = {name: pixels[name] for name in ("rows", "columns", "bits_allocated")}
        told["samples_per_pixel"] = pixels["samples"]
        out = rle_decode(frame, planar=True, **told)
        decode = partial(
            theirs.decode_frame, nr_pixels=told["rows"] * told["columns"], bpp=told["bits_allocated"], byteorder="<"
        )
        times = max(1, 50_000 // out.nbytes)

        def again(frame: bytes, run: Callable[[bytes], Any], times: int = times) -> Any:
            for _ in range(times):
                answer = run(frame)
            return answer

        sides = {
            OURS: partial(again, run=partial(rle_decode, planar=True, out=out, **told)),
            "theirs": partial(again, run=decode),
        }
        best = race(frame, sides, rounds=40)
        if "WG04" in line["path"]:
            large.append(best["theirs"] / best[OURS])
        elif len(frame) < SMALL_FRAME:
            small.append(best["theirs"] / best[OURS])
    rows = []
    if large:
        rows.append(ratio_row("RLE, decoding, WG04 images", "pylibjpeg-rle", large, 4.5))
    if small:
        rows.append(ratio_row(f"RLE, decoding, frames under {SMALL_FRAME} bytes", "pylibjpeg-rle", small, 1.5, 1.5))
    return rows


def two_cores() -> list[Row]:
    """`pixel_array` of 24 frames on one thread and on two, by wall clock."""
    rows = []
    with scratch() as folder:
        for name, (end, encode, picture) in KINDS.items():
            path = folder / "threads.dcm"
            write_frames(path, end, encode(picture), picture, 24, True)
            frames = dc.dcmread(path).frames
            out = np.empty(frames.shape, frames.dtype)
            sides = {f"{n}": lambda frames, out=out, n=n: frames.array(out=out, workers=n) for n in (1, 2)}
            best = race(frames, sides, rounds=25, clock=perf_counter)
            row = Row(
                f"24 frames of {name}, two threads, wall clock", {OURS: best["2"], "one thread": best["1"]}, 24, "frame"
            )
            row.at_least(1.8, "one thread")
            rows.append(row)
    return rows


def isolated() -> list[Row]:
    """`pixel_array` of JPEG frames in worker processes and here: wall clock and processor time."""
    rows = []
    with scratch() as folder:
        for name in ("JPEG, colour", "JPEG, grey"):
            kind, picture = bench_isolated.CASES[name]
            end, encode, _ = KINDS[kind]
            path = folder / "isolated.dcm"
            write_frames(path, end, encode(picture), picture, bench_isolated.FRAMES, True)
            here, apart = dc.dcmread(path).frames, dc.dcmread(path, limits=dc.Limits(isolate=True)).frames
            apart.array()  # starts the workers
            told = bench_isolated.compare(here.array, apart.array, 25)
            row = Row(
                f"isolated {name}, pixel_array, wall clock", {OURS: told["best"][1], "in this process": told["best"][0]}
            )
            row.at_most(1.15, "× in this process", told["best"][1] / told["best"][0])
            row.notes.append(f"processor time {told['CPU'][1] / told['CPU'][0]:.2f}×")
            rows.append(row)
    return rows


def scan() -> list[Row]:
    """The index of a segmentation, and the contours of a structure set."""
    rows = [bench_walk.scans(defined, 12_000, 25) for defined in (True, False)]
    for row in rows:
        row.reaches = []
        row.at_most(4.5, "ns a row", row.seconds[OURS] / row.count * 1e9)
    contours = bench_values.structure_set_row(True, True)
    contours.reaches = []
    contours.at_least(150, "pydicom")
    return [*rows, contours]


def archive() -> list[Row]:
    """Indexes of 20 000 files, first and second runs; odd files in the bulk loop."""
    with scratch() as folder:
        files, out = folder / "archive", folder / "index.parquet"
        files.mkdir()
        bench_index.make_archive(files, bench_index.real_files())
        best: dict[str, list[float]] = {}
        for _ in range(5):
            for name, resume in (("first", False), ("second", True)):
                begun, wall = process_time(), perf_counter()
                index(files, out=out, workers=2, resume=resume)
                took = (process_time() - begun, perf_counter() - wall)
                best[name] = [min(pair) for pair in zip(took, best.get(name, took), strict=True)]
        count = bench_index.FILES
        first = Row("index of 20 000 files, warm, 2 threads, wall clock", {OURS: best["first"][1]}, count, "file")
        first.reaches.append(Reach(200_000, "files/s", count / best["first"][1]))
        first.notes.append(f"{best['first'][0] / count * 1e6:.1f} µs of processor time a file")
        second = Row(
            "second run, nothing changed", {OURS: best["second"][0], "first run": best["first"][0]}, count, "file"
        )
        second.at_least(8, "first run")
        second.notes.append("the walk and fstatat() of a C program alone allow about 7×")
        return [first, second, odd(folder)]


def odd(folder: Path) -> Row:
    """Deflated files beside usual ones."""
    data = (TEST_FILES / "CT_small.dcm").read_bytes()
    body = data[144 + int.from_bytes(data[140:144], "little") :]
    columns, each = Columns(DEFAULT_COLUMNS), {}
    for kind in ("usual", "deflated"):
        path = folder / f"{kind}.dcm"
        path.write_bytes(ODD_FILES[kind](body))
        each[kind] = microseconds([str(path)] * 1000, columns, bulk=True, rounds=9) / 1e6
    row = Row("index of deflated files", {OURS: each["deflated"], "usual files": each["usual"]}, 1, "file")
    row.reaches.append(Reach(1 / 3, "of the usual rate", each["usual"] / each["deflated"]))
    return row


WORKS: dict[str, Callable[[], list[Row]]] = {
    "start": start,
    "header": header,
    "change": change,
    "jpeg-lossless": jpeg_lossless,
    "rle": rle,
    "two-cores": two_cores,
    "isolated": isolated,
    "scan": scan,
    "archive": archive,
    "slow": bench_slow.rows,
}


def lines_of(rows: list[Row]) -> str:
    """The table; rows of ratios alone have no times."""
    return markdown(rows).replace("| 0 ns a run |", "| |")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work", action="append", choices=list(WORKS), help="only this work; may be repeated")
    arguments.add_argument("--write", action="store_true", help="write speed.md")
    chosen = arguments.parse_args()
    rows: list[Row] = []
    for name in chosen.work or WORKS:
        begun = perf_counter()
        rows += WORKS[name]()
        print(f"{name}: {perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    about = machine(PACKAGES)
    packages = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    docs = " ".join((__doc__ or "").split("\n\n")[1].split("With --write")[0].split())
    text = HEAD.format(**about, packages=packages, docs=docs, load=os.getloadavg()[0]) + lines_of(rows)
    print(text)
    if chosen.write:
        Path(__file__).with_name("speed.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
