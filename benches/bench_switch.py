"""What it costs to stand in pydicom's place: install() itself, and code under it against dicomcore and pydicom.

pydicom is imported for its turns, so that its habits are taken up and laid down between turns instead of by install().
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pydicom

import dicomcore as dc
from benches.inputs import real_files
from benches.passes import race_long
from benches.table import OURS, Row, markdown
from dicomcore.interop.pydicom.names import filereader, filewriter, manner

SWITCHED = "in pydicom's place"
INSTALL = (
    "import dicomcore; from time import perf_counter; import dicomcore.interop.pydicom as p; s = perf_counter();"
    " p.install(); print(perf_counter() - s)"
)
SEVEN = (
    "PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality", "StudyDate",
)  # fmt: skip


def under_pydicoms_habits(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same work while native code has pydicom's habits."""

    def switched(work: Any) -> Any:
        manner.adopt()
        try:
            return run(work)
        finally:
            manner.drop()

    return switched


def header(read: Callable[..., Any]) -> Callable[[list[str]], int]:
    def run(paths: list[str]) -> int:
        return sum(sum(ds.get(name) is not None for name in SEVEN) for ds in map(read, paths))

    return run


def walk(read: Callable[..., Any]) -> Callable[[list[str]], int]:
    def run(paths: list[str]) -> int:
        count = 0
        for path in paths:
            for element in read(path).iterall():
                if element.tag != 0x7FE00010:
                    element.value  # noqa: B018
                count += 1
        return count

    return run


def change(read: Callable[..., Any], write: Callable[..., Any]) -> Callable[[list[str]], int]:
    def run(paths: list[str]) -> int:
        size = 0
        for path in paths:
            ds, out = read(path), BytesIO()
            ds.PatientID = "1"
            write(out, ds)
            size += len(out.getvalue()) > 0
        return size

    return run


def install_row(quick: bool) -> Row:
    """Seconds of install() in a fresh interpreter that has imported dicomcore."""
    cached = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    program = [sys.executable, "-c", INSTALL]
    times = [
        float(subprocess.run(program, capture_output=True, text=True, check=True, env=cached).stdout)
        for _ in range(3 if quick else 15)
    ]
    row = Row("install()", {OURS: min(times)})
    row.at_most(20, "ms", min(times) * 1e3)
    return row


def files() -> list[str]:
    """The real files that both read, walk and write."""
    good = []
    for path in map(str, real_files()):
        try:
            for read, write in ((pydicom.dcmread, pydicom.dcmwrite), (filereader.dcmread, filewriter.dcmwrite)):
                walk(read)([path])
                change(read, write)([path])
        except Exception:
            continue
        good.append(path)
    return good


def rows(quick: bool = False) -> list[Row]:
    """The rows of the table."""
    paths, made = files(), [install_row(quick)]
    plain_write = lambda out, ds: dc.dcmwrite(out, ds, enforce_standard=False)  # noqa: E731
    works = {
        "dcmread and seven values": (header(dc.dcmread), header(filereader.dcmread), header(pydicom.dcmread)),
        "dcmread and all values": (walk(dc.dcmread), walk(filereader.dcmread), walk(pydicom.dcmread)),
        "dcmread, a change, dcmwrite": (
            change(dc.dcmread, plain_write),
            change(filereader.dcmread, filewriter.dcmwrite),
            change(pydicom.dcmread, pydicom.dcmwrite),
        ),
    }
    for name, (ours, switched, theirs) in works.items():
        contestants = {OURS: ours, SWITCHED: under_pydicoms_habits(switched), "pydicom": theirs}
        row = Row(name, race_long(paths, contestants, 2 if quick else 7), len(paths), "file")
        row.at_most(1.2, "× dicomcore", row.seconds[SWITCHED] / row.seconds[OURS])
        row.notes.append(f"{len(paths)} real files")
        made.append(row)
    return made


if __name__ == "__main__":
    print(markdown(rows("--quick" in sys.argv)))
