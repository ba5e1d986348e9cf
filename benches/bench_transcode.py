"""1 000 CT slices from explicit VR to JPEG lossless beside DCMTK's dcmcjpeg and GDCM's gdcmconv, the same files.

dcmcjpeg and gdcmconv take one file a call, so that they run in 1 000 processes, two at a time; ours is one process with
two threads, its start included. DCMTK can't do many files in one process; GDCM can, through its Python binding, and is
measured a second time in one process with one thread. Times are processor time (user and system) of all processes
together, so that other work on the machine hardly shows, and in a row of their own wall-clock time. Every 50th
file is decoded and must hold the source's samples before a time counts.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import numpy as np
import pydicom
import pydicom.data

import dicomcore
from benches.table import OURS, Row, machine, markdown

FILES, QUICK = 1000, 40
LOOKED_AT = 50  # one file in this number is checked
RESULTS = Path(__file__).parent / "transcode.md"
BY_GDCM = """
import sys, os, gdcm
source, target = sys.argv[1:]
for name in sorted(os.listdir(source)):
    reader = gdcm.ImageReader()
    reader.SetFileName(os.path.join(source, name))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(os.path.join(target, name))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
"""


def make_files(folder: Path, count: int) -> None:
    """Slices of 512 × 512 pixels, no two alike: a real one, with its rows rotated and new noise."""
    corpus = Path(os.environ.get("DICOMCORE_CORPUS", ""))
    found = corpus / "files/dicom-test-files/WG04/RLE/CT1_RLE"
    source = dicomcore.dcmread(found if found.is_file() else pydicom.data.get_testdata_file("CT_small.dcm"))
    pixels = source.pixel_array
    pixels = np.tile(pixels, (512 // pixels.shape[0], 512 // pixels.shape[1]))
    random = np.random.default_rng(7)
    for i in range(count):
        moved = np.roll(pixels, i, axis=0) + random.integers(0, 2, pixels.shape, pixels.dtype)
        source.set_pixels(moved, bits_stored=16)
        source.SOPInstanceUID = f"1.2.3.4.{i}"
        source.InstanceNumber = i
        source.save_as(folder / f"{i:05}.dcm", transfer_syntax="1.2.840.10008.1.2.1", durable=False)


def ours(source: Path, target: Path) -> None:
    command = [sys.executable, "-m", "dicomcore.cli", "transcode", str(source), "-o", str(target)]
    environment = {**os.environ, "PYTHONPATH": str(Path(dicomcore.__file__).parents[1])}
    options = ["--to", "jpeg-lossless", "--workers", "2", "--no-resume"]
    subprocess.run([*command, *options], env=environment, check=True, capture_output=True)


def each_by(*command: str) -> Callable[[Path, Path], None]:
    """Run a process for each file, two at a time."""

    def run(source: Path, target: Path) -> None:
        def one(name: str) -> None:
            subprocess.run([*command, str(source / name), str(target / name)], check=True, capture_output=True)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, sorted(os.listdir(source))))

    return run


def all_by_gdcm(source: Path, target: Path) -> None:
    subprocess.run([sys.executable, "-c", BY_GDCM, str(source), str(target)], check=True, capture_output=True)


def used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def check(source: Path, target: Path) -> int:
    """Compare the samples with pydicom's reading of the source; give the number of bytes written."""
    for name in sorted(os.listdir(source))[::LOOKED_AT]:
        wanted = pydicom.dcmread(source / name).pixel_array
        assert np.array_equal(dicomcore.dcmread(target / name).pixel_array, wanted), target / name
    assert len(os.listdir(target)) == len(os.listdir(source))
    return sum(path.stat().st_size for path in target.iterdir())


def race(source: Path, scratch: Path, count: int, rounds: int) -> list[Row]:
    contestants: dict[str, Callable[[Path, Path], None]] = {OURS: ours}
    if shutil.which("dcmcjpeg"):
        contestants["dcmcjpeg"] = each_by("dcmcjpeg", "+e1")
    if shutil.which("gdcmconv"):
        contestants["gdcmconv"] = each_by("gdcmconv", "--jpeg")
    contestants["GDCM, one process"] = all_by_gdcm
    best = {name: float("inf") for name in contestants}
    wall = dict(best)
    sizes = {}
    for _ in range(rounds):
        for name, run in contestants.items():
            target = scratch / "made"
            target.mkdir()
            begin, before = perf_counter(), used()
            run(source, target)
            best[name] = min(best[name], used() - before)
            wall[name] = min(wall[name], perf_counter() - begin)
            sizes[name] = check(source, target)
            shutil.rmtree(target)
    work = f"{count} CT slices of 512 × 512, explicit to JPEG lossless SV1"
    rows = [Row(f"{work}: processor time", best, count, "file"), Row(f"{work}: wall clock", wall, count, "file")]
    for row in rows:
        row.at_least(6, "dcmcjpeg")
        row.at_least(4, "gdcmconv")
    written = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items())
    rows[0].notes.append(f"written: {written}")
    rows[1].notes.append(
        "others worked on the machine meanwhile; all contestants two at a time but GDCM in one process"
    )
    return rows


def main() -> None:
    quick = "--quick" in sys.argv
    count, rounds = (QUICK, 1) if quick else (FILES, 2)
    with tempfile.TemporaryDirectory(prefix="dicomcore-bench-") as place:
        source = Path(place) / "source"
        source.mkdir()
        make_files(source, count)
        rows = race(source, Path(place), count, rounds)
    facts = machine(["pydicom", "numpy", "python-gdcm"])
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    head = f"{facts['processor']}, {os.cpu_count()} cores, {facts['system']}, Python {facts['python']}, {versions}"
    for tool, option in (("dcmcjpeg", "--version"), ("gdcmconv", "--version")):
        if shutil.which(tool):
            said = subprocess.run([tool, option], capture_output=True, text=True, check=False).stdout.splitlines()
            head += f"; {said[0].replace('$Date', '').strip('$ ') if said else tool}"
    text = f"# Transcoding\n\n{(__doc__ or '').split(chr(10), 2)[2].strip()}\n\n{head}\n\n{markdown(rows)}"
    print(text)
    if not quick:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
