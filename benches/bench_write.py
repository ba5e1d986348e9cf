"""Writing: real files with one element changed, a segmentation built as objects, one field of a large file.

python -m benches.bench_write [--rounds N] [--out benches/write.md]
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import dicomsdl
import gdcm
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset

import dicomcore as dc
from benches.inputs import CT_IMAGE, SEGMENTATION, element, part10, real_files
from benches.passes import race_long, race_over
from benches.table import OURS, Row, machine, markdown

FRAMES = 12_000
LARGE = 1 << 30
PATIENT_ID, NEW = 0x00100020, "A1B2"
warnings.simplefilter("ignore")
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()
dicomsdl.set_loglevel(dicomsdl.LogLevel.ERROR)


# ---- one element changed


def memory_ours(path: str) -> bytes:
    ds = dc.dcmread(path)
    ds.PatientID = NEW
    return ds.to_bytes()


def memory_pydicom(path: str) -> bytes:
    ds = pydicom.dcmread(path)
    ds.PatientID = NEW
    stream = io.BytesIO()
    ds.save_as(stream)
    return stream.getvalue()


def memory_dicomsdl(path: str) -> bytes:
    ds = dicomsdl.open_file(path)
    ds.addDataElement(PATIENT_ID).fromString(NEW)
    return ds.saveToMemory()


def to_file(target: str) -> dict[str, Callable[[str], None]]:
    """The same from file to file; ours with and, like the peers, without waiting for the disk."""

    def ours(path: str) -> None:
        ds = dc.dcmread(path)
        ds.PatientID = NEW
        ds.save_as(target, durable=False)

    def durable(path: str) -> None:
        ds = dc.dcmread(path)
        ds.PatientID = NEW
        ds.save_as(target)

    def by_pydicom(path: str) -> None:
        ds = pydicom.dcmread(path)
        ds.PatientID = NEW
        ds.save_as(target)

    def by_dicomsdl(path: str) -> None:
        ds = dicomsdl.open_file(path)
        ds.addDataElement(PATIENT_ID).fromString(NEW)
        ds.saveToFile(target)

    def by_gdcm(path: str) -> None:
        reader = gdcm.Reader()
        reader.SetFileName(path)
        if not reader.Read():
            raise ValueError(f"GDCM can't read {path}")
        made = gdcm.DataElement(gdcm.Tag(0x0010, 0x0020))
        made.SetVR(gdcm.VR(gdcm.VR.LO))
        made.SetByteValue(NEW, gdcm.VL(len(NEW)))
        reader.GetFile().GetDataSet().Replace(made)
        writer = gdcm.Writer()
        writer.SetFile(reader.GetFile())
        writer.SetFileName(target)
        if not writer.Write():
            raise ValueError(f"GDCM can't write {path}")

    return {OURS: ours, "dicomcore, durable": durable, "pydicom": by_pydicom, "dicomsdl": by_dicomsdl, "gdcm": by_gdcm}


def says(data: bytes) -> list[Any]:
    """The contents of a written file by pydicom: tags and the values on which writers agree."""
    ds = pydicom.dcmread(io.BytesIO(data))
    return [str(ds.PatientID), str(ds.get("SOPInstanceUID", "")), len(ds.get("PixelData", b""))]


def agreed(target: str) -> list[Path]:
    """The files that all contestants write with equal contents; checked in a process of its own, as some crash it."""
    good: list[Path] = []
    pending = real_files()
    while pending:
        run = subprocess.run(
            [sys.executable, "-m", "benches.bench_write", "--check", target],
            input="\n".join(map(str, pending)), capture_output=True, text=True, check=False,
        )  # fmt: skip
        answers = [line for line in run.stdout.splitlines() if line.startswith("answer ")]
        good += [path for path, answer in zip(pending, answers, strict=False) if answer == "answer good"]
        pending = pending[len(answers) + 1 :] if len(answers) < len(pending) else []
    return good


def check(target: str) -> None:
    """Answer for each file named on standard input."""
    for path in sys.stdin.read().splitlines():
        try:
            answers = [says(run(path)) for run in (memory_ours, memory_pydicom, memory_dicomsdl)]
            for run in to_file(target).values():
                run(path)
                answers.append(says(Path(target).read_bytes()))
            good = all(answer == answers[0] for answer in answers)
        except Exception:
            good = False
        print("answer good" if good else "answer bad", flush=True)


def one_change(rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        target = str(Path(folder) / "written.dcm")
        files = agreed(target)
        size = sum(path.stat().st_size for path in files) / len(files)
        work = f"read, change PatientID, write: {len(files)} real files, {size / 1000:.0f} KB on average"
        memory = {OURS: memory_ours, "pydicom": memory_pydicom, "dicomsdl": memory_dicomsdl}
        rows = [
            Row(f"{work}; into memory", race_over(files, memory, rounds), len(files), "file"),
            Row(f"{work}; into a file in memory", race_over(files, to_file(target), rounds), len(files), "file"),
        ]
        small = [path for path in files if path.stat().st_size <= 150_000]
        rows.append(
            Row(
                f"the {len(small)} of them up to 150 KB; into memory",
                race_over(small, memory, rounds),
                len(small),
                "file",
            )
        )
    for row in rows:
        row.at_least(40, "pydicom")
        row.at_least(5, "dicomsdl")
        row.at_least(5, "gdcm")
    return rows


# ---- built as objects


def frame_of(kind: Any, number: int) -> Any:
    """The functional groups of one frame of a segmentation (PS3.3 A.51.5.1)."""
    source, derivation, content, position, segment, frame = (kind() for _ in range(6))
    source.ReferencedSOPClassUID = CT_IMAGE
    source.ReferencedSOPInstanceUID = f"1.2.826.0.1.3680043.10.1.2.{number % 300}"
    derivation.SourceImageSequence = [source]
    content.StackID = "1"
    content.InStackPositionNumber = number + 1
    content.DimensionIndexValues = [1 + number // 300, 1 + number % 300]
    position.ImagePositionPatient = [-125.5, -98.25, 1.25 * (number % 300) + 0.5]
    segment.ReferencedSegmentNumber = 1 + number // 300
    frame.DerivationImageSequence = [derivation]
    frame.FrameContentSequence = [content]
    frame.PlanePositionSequence = [position]
    frame.SegmentIdentificationSequence = [segment]
    return frame


def segmentation_of(kind: Any) -> Any:
    ds = kind()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = SEGMENTATION, "1.2.826.0.1.3680043.10.1.1", "SEG"
    ds.PerFrameFunctionalGroupsSequence = [frame_of(kind, number) for number in range(FRAMES)]
    return ds


def write_by_pydicom(ds: Dataset) -> bytes:
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, ds, enforce_file_format=True)
    return stream.getvalue()


def built(rounds: int) -> Row:
    ours, theirs = segmentation_of(dc.Dataset), segmentation_of(Dataset)
    theirs.file_meta = FileMetaDataset()
    theirs.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    a, b = (dc.dcmread(data) for data in (ours.to_bytes(), write_by_pydicom(theirs)))
    assert a == b, "the two wrote different data sets"
    best = race_long(
        None, {OURS: lambda _: ours.to_bytes(), "pydicom": lambda _: write_by_pydicom(theirs)}, max(rounds // 3, 2)
    )
    row = Row(f"write a segmentation of {FRAMES} frames built as objects ({len(ours.to_bytes()) / 1e6:.1f} MB)", best)
    row.at_least(20, "pydicom")
    return row


# ---- one field of a large file

EDIT = """
import sys, time
import dicomcore as dc
start = time.perf_counter()
ds = dc.dcmread(sys.argv[1])
ds.PatientID = "a longer identifier"
ds.save_as(sys.argv[2], enforce_standard=False, durable=False)
took = time.perf_counter() - start
print(took, next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def large(rounds: int, folder: str | None) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        source, target = str(Path(place) / "large.dcm"), str(Path(place) / "edited.dcm")
        with open(source, "wb") as file:
            head = part10(CT_IMAGE, element(PATIENT_ID, "LO", "1"))
            file.write(head + b"\xe0\x7f\x10\0OW\0\0" + LARGE.to_bytes(4, "little"))
            block = os.urandom(1 << 20)
            for _ in range(LARGE >> 20):
                file.write(block)
        best = {OURS: float("inf"), "cp": float("inf")}
        resident = 0
        for _ in range(rounds):
            for name in best:
                Path(target).unlink(missing_ok=True)
                os.sync()
                start = perf_counter()
                if name == OURS:
                    said = subprocess.run(
                        [sys.executable, "-c", EDIT, source, target], capture_output=True, text=True, check=True
                    ).stdout.split()
                    best[name], resident = min(best[name], float(said[0])), max(resident, int(said[1]))
                else:
                    subprocess.run(["cp", source, target], check=True)
                    best[name] = min(best[name], perf_counter() - start)
        assert dc.dcmread(target, stop_before_pixels=True).PatientID in ("1", "a longer identifier")
        start = perf_counter()
        in_place = dc.patch(source, {"PatientID": "2"}, durable=False)
        patched = perf_counter() - start
        assert in_place
    row = Row("edit one field of a 1 GiB file into another; neither waits for the disk", best)
    row.at_most(1.3, "× cp", best[OURS] / best["cp"])
    row.at_most(64, "MB resident, Python and NumPy included", resident / 1000)
    row.notes.append(f"a value that fits in the old one's place: patch() {patched * 1e3:.2f} ms")
    return [row]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--folder", help="where the large file is made")
    parser.add_argument("--check", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check:
        check(options.check)
        return
    rows = [*one_change(options.rounds), built(options.rounds), *large(options.rounds, options.folder)]
    facts = machine(["pydicom", "dicomsdl", "python-gdcm", "numpy"])
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    where = f"{facts['processor']}, {facts['cores']} cores, {facts['system']}, Python {facts['python']}"
    head = f"# Writing\n\n{where}; {versions}.\n"
    said = f"{head}\n{markdown(rows)}"
    print(said)
    if options.out:
        options.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
