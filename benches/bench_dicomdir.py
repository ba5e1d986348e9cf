"""File-sets of 10 000 files beside DCMTK's dcmmkdir and pydicom's FileSet, the same files on one file system.

dcmmkdir makes a DICOMDIR for files in place, and so do we, both as processes of their own. pydicom's FileSet copies
files under names of its own when it writes, and so do we, both in this process and without waiting for the disk. Times
are processor time (user and system), so that other work on the machine hardly shows. Every DICOMDIR is read and must
list the same instances before a time counts.
"""

from __future__ import annotations

import logging
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pydicom
import pydicom.data
import pydicom.fileset

import dicomcore
from benches.table import OURS, Row, machine, markdown
from dicomcore.fileset import FileSet

FILES, QUICK = 10_000, 500
SHARE = 10  # pydicom adds one file in this number, where it only adds
COPIED = 2_000  # files of the set that pydicom writes; its time for each file grows with their number
RESULTS = Path(__file__).parent / "dicomdir.md"
DCMMKDIR = shutil.which("dcmmkdir")


def make_files(folder: Path, count: int) -> list[str]:
    """CT slices of ten patients, two studies each, five series a study, under File IDs."""
    ds = pydicom.dcmread(pydicom.data.get_testdata_file("CT_small.dcm"))
    each = max(1, count // 100)  # slices of a series
    found = []
    for i in range(count):
        series, number = divmod(i, each)
        patient, study = series // 10, series // 5
        ds.PatientID, ds.PatientName = f"P{patient}", f"Name^{patient}"
        ds.StudyInstanceUID, ds.StudyID, ds.AccessionNumber = f"1.2.3.1.{study}", str(study), str(study)
        ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = f"1.2.3.2.{series}", series, number
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.3.{i}"
        path = folder / f"P{patient:03}" / f"ST{study:03}" / f"SE{series:04}" / f"IM{number:05}"
        path.parent.mkdir(parents=True, exist_ok=True)
        ds.save_as(path)
        found.append(str(path))
    return found


def in_process(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start


def as_process(command: list[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(Path(dicomcore.__file__).parents[1])}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def listed(dicomdir: Path) -> list[tuple[str, ...]]:
    """The records of each instance in a DICOMDIR, by pydicom's reader rather than ours."""
    records = pydicom.dcmread(dicomdir).DirectoryRecordSequence
    levels: dict[str, str] = {}
    found = []
    for record in records:  # all programs write records depth first
        kind = record.DirectoryRecordType
        if kind == "IMAGE":
            found.append((levels["PATIENT"], levels["STUDY"], levels["SERIES"], record.ReferencedSOPInstanceUIDInFile))
        else:
            keyword = {"PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID"}[kind]
            levels[kind] = record[keyword].value
    return sorted(found)


def with_ours(paths: list[str], target: Path) -> None:
    file_set = FileSet()
    for path in paths:
        file_set.add(path)
    file_set.write(target, durable=False)


def with_pydicom(paths: list[str], target: Path) -> None:
    file_set = pydicom.fileset.FileSet()
    for path in paths:
        file_set.add(path)
    file_set.write(target)


def in_place(folder: Path, count: int, rounds: int) -> Row:
    ours = [sys.executable, "-m", "dicomcore.cli", "dicomdir", "create", "."]
    commands = {OURS: ours}
    if DCMMKDIR:
        commands["dcmmkdir"] = [DCMMKDIR, "+r", "+id", ".", "-Nxc", "-q"]
    best = dict.fromkeys(commands, float("inf"))
    answers = {}
    for _ in range(rounds):
        for name, command in commands.items():
            best[name] = min(best[name], as_process(command, folder))
            answers[name] = listed(folder / "DICOMDIR")
            (folder / "DICOMDIR").unlink()
    assert all(answer == answers[OURS] and len(answer) == count for answer in answers.values())
    row = Row(f"DICOMDIR for {count} files in place", best, count, "file")
    row.at_least(3, "dcmmkdir")
    row.notes.append("whole processes, interpreter and all; ours also synchronises the DICOMDIR with the disk")
    return row


def copied(paths: list[str], scratch: Path, count: int, rounds: int) -> Row:
    contestants = {OURS: with_ours, "pydicom FileSet": with_pydicom}
    best = dict.fromkeys(contestants, float("inf"))
    answers = {}
    for i in range(rounds):
        for name, work in contestants.items():
            target = scratch / f"{name.split()[0]}{i}"
            best[name] = min(best[name], in_process(lambda work=work, target=target: work(paths, target)))
            answers[name] = listed(target / "DICOMDIR")
            shutil.rmtree(target)
    assert all(answer == answers[OURS] and len(answer) == count for answer in answers.values())
    row = Row(f"file-set of {count} files, copied", best, count, "file")
    row.at_least(20, "pydicom FileSet")
    row.notes.append(
        "adding and writing; both copy every file and neither waits for the disk. 2 000 files, as pydicom had not"
        " written 10 000 after five minutes of processor time, which is beyond 60×"
    )
    return row


def described(paths: list[str], scratch: Path, count: int) -> Row:
    """Time to add files and make the DICOMDIR's bytes, without copying."""

    def ours() -> None:
        file_set = FileSet()
        for path in paths:
            file_set.add(path)
        file_set.to_bytes()

    def theirs() -> None:
        file_set = pydicom.fileset.FileSet()
        for path in paths[::SHARE]:
            file_set.add(path)

    best = {OURS: min(in_process(ours) for _ in range(3)), "pydicom FileSet": in_process(theirs) * SHARE}
    row = Row(f"records of {count} files, nothing copied", best, count, "file")
    row.notes.append(
        "ours with the DICOMDIR encoded, pydicom's without, which it does only when it writes;"
        " pydicom adds every tenth file"
    )
    return row


def read(paths: list[str], folder: Path, count: int) -> Row:
    file_set = FileSet.new(folder)
    for path in paths:
        file_set.add(path)
    file_set.write()

    def ours() -> None:
        assert len(list(FileSet(folder))) == count

    def theirs() -> None:
        assert len(list(pydicom.fileset.FileSet(folder / "DICOMDIR"))) == count

    best = {OURS: min(in_process(ours) for _ in range(5)), "pydicom FileSet": in_process(theirs)}
    (folder / "DICOMDIR").unlink()
    return Row(f"reading a DICOMDIR of {count} files", best, count, "file")


def main() -> None:
    quick = "--quick" in sys.argv
    count = QUICK if quick else FILES
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="dicomcore-bench-") as place:
        folder, scratch = Path(place) / "set", Path(place) / "scratch"
        folder.mkdir()
        scratch.mkdir()
        paths = make_files(folder, count)
        rows = [
            in_place(folder, count, 3),
            copied(paths[:COPIED], scratch, min(count, COPIED), 1),
            described(paths, scratch, count),
            read(paths, folder, count),
        ]
    facts = machine(["pydicom", "numpy"])
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    said = subprocess.run([DCMMKDIR, "--version"], capture_output=True, text=True).stdout if DCMMKDIR else "- - none"
    head = f"{facts['processor']}, {os.cpu_count()} cores, {facts['system']}, Python {facts['python']}, {versions}, "
    head += f"DCMTK {said.split()[2].removeprefix('v')}"
    text = f"# File-sets\n\n{__doc__.split(chr(10), 2)[2].strip()}\n\n{head}\n\n{markdown(rows)}"
    print(text)
    if not quick:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
