"""The index of a 12 000-frame segmentation, and a walk along all its elements."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import dicomsdl
import fastdicom
import numpy as np
import pydicom

import dicomcore as dc
from benches.inputs import ROWS_A_FRAME, segmentation
from benches.passes import race_long
from benches.race import race
from benches.table import OURS, Row, markdown

FRAMES = 12_000


@contextmanager
def on_disk(data: bytes) -> Iterator[str]:
    """The path of a file that holds `data` for a while."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.dcm"
        path.write_bytes(data)
        yield str(path)


def read_whole(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    data = os.pread(file, os.fstat(file).st_size, 0)
    os.close(file)
    return data


def dcmdump(path: str) -> bytes:
    return subprocess.run(["dcmdump", "-q", "+L", path], capture_output=True, check=True).stdout


def walk_ours(data: bytes) -> int:
    n = 0
    for element in dc.dcmread(data).iterall():
        _ = element.tag, element.VR
        n += 1
    return n


def walk_pydicom(data: bytes) -> int:
    n = 0
    for element in pydicom.dcmread(BytesIO(data)).iterall():
        _ = element.tag, element.VR
        n += 1
    return n


def check(data: bytes, path: str) -> int:
    """The number of rows of the index, after a check that all contestants see the same elements."""
    index = dc.scan(data)
    top = index["parent"] == -1
    elements = int(np.count_nonzero(index["tag"][np.argmax(index["tag"] > 0x2FFFF) :] != 0xFFFEE000))
    assert elements == walk_ours(data), "the index and iterall() differ"
    assert np.array_equal(index, dc.scan(path)), "memory and file differ"
    frames = int(ROWS_A_FRAME * np.count_nonzero(index["tag"] == 0x00209113))
    assert len(index) == frames + int(np.count_nonzero(top)), "rows are missing"
    for ds in (fastdicom.dcmread(path), dicomsdl.open_file(path)):
        assert len(ds["PerFrameFunctionalGroupsSequence"]) * ROWS_A_FRAME == frames
    if shutil.which("dcmdump"):
        lines = dcmdump(path).decode().splitlines()
        seen = sum(line.lstrip().startswith("(") and not line.lstrip().startswith(("(fffe", "(0002")) for line in lines)
        assert seen == elements, f"dcmdump sees {seen} elements, not {elements}"
    return len(index)


def scans(defined: bool, frames: int, rounds: int) -> Row:
    """One form of the object: our index against each peer's reading of the whole file."""
    data = segmentation(frames, defined=defined)
    with on_disk(data) as path:
        count = check(data, path)
        scratch = bytearray(len(data))
        view = memoryview(scratch)

        def copy(_: Any) -> None:
            view[:] = data

        contestants = {
            OURS: lambda _: dc.scan(data),
            f"{OURS}, from a file": lambda _: dc.scan(path),
            "the read alone": lambda _: read_whole(path),
            "a copy in memory": copy,
            "fastdicom, from a file": lambda _: fastdicom.dcmread(path),
            "dicomsdl, from a file": lambda _: dicomsdl.open_file(path),
        }
        best = race(None, contestants, rounds=rounds, agree=False)
        if shutil.which("dcmdump"):
            best |= race(path, {"dcmdump": dcmdump}, rounds=1, agree=False)
        row = Row(f"scan of a {frames}-frame SEG, {'' if defined else 'un'}defined lengths", best, count, "row")
        row.at_most(5, "ns a row", best[OURS] / count * 1e9)
        behind = best[f"{OURS}, from a file"] - best["the read alone"]
        row.at_most(5, "ns a row above the read", behind / count * 1e9)
        row.notes.append(f"{count} rows, {len(data) / 1e6:.1f} MB; items count as rows")
        return row


def walks(frames: int, rounds: int) -> Row:
    """Python objects for every element."""
    data = segmentation(frames)
    count = walk_ours(data)
    assert count == walk_pydicom(data), "pydicom sees other elements"
    best = race_long(data, {OURS: walk_ours, "pydicom": walk_pydicom}, rounds)
    row = Row(f"dcmread + iterall() with .tag and .VR, {frames}-frame SEG", best, count, "element")
    row.at_least(50, "pydicom")
    return row


def rows(quick: bool = False) -> list[Row]:
    """The rows of the table."""
    frames = 1200 if quick else FRAMES
    return [
        scans(True, frames, 5 if quick else 40),
        scans(False, frames, 5 if quick else 40),
        walks(frames, 1 if quick else 2),
    ]


if __name__ == "__main__":
    print(markdown(rows("--quick" in sys.argv)))
