"""Data sets to DICOM JSON: beside pydicom in one process, beside dcm2json as processes; `--quick` for a small run.

A full run writes json.md beside this file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import pydicom

import dicomcore as dc
from benches.inputs import CONTOURS, real_files, segmentation, structure_set
from benches.table import OURS, Row, machine, markdown
from tests.support.json_forms import DCM2JSON, dcmtk_way, differences

warnings.simplefilter("ignore")
HERE = Path(__file__).parent
DCMTK = "dcm2json, whole process"
OUR_PROCESS = "dicomcore dump --json, whole process"
READERS: dict[str, Callable[..., Any]] = {OURS: dc.dcmread, "pydicom": pydicom.dcmread}

HEAD = """# DICOM JSON beside its peers

Written by `python -m benches.bench_json`: a data set, read and not looked at before, to JSON text; the reading doesn't
count against pydicom, and does as said against dcm2json. All took turns on the same input in one run, and the models
were the same but for what tests/forms/test_json.py lists. Figures are for ratios.

{processor}, {cores} cores, {system}, Python {python}; pydicom {pydicom}, DCMTK {dcmtk}.

"""


def uri(element: Any) -> str:
    """The URI of bulk data."""
    return f"bulk/{int(element.tag):08X}"


def written(reader: Callable[..., Any], path: str, **options: Any) -> tuple[float, str]:
    """Seconds of processor time of to_json() for a data set that was just read, and the text."""
    data_set = reader(path, force=True)
    start = thread_time()
    text = data_set.to_json(**options)
    return thread_time() - start, text


def race(files: list[Path], rounds: int, **options: Any) -> tuple[Row, list[str]]:
    """The sum over files of each side's best; and the files left out because models differ or pydicom raises."""
    total = dict.fromkeys(READERS, 0.0)
    left, counted, size, worst = [], 0, 0, (1e9, "")
    for path in files:
        best = dict.fromkeys(READERS, float("inf"))
        texts: dict[str, str] = {}
        try:
            for _ in range(rounds):
                for name, reader in READERS.items():
                    seconds, texts[name] = written(reader, str(path), **options)
                    best[name] = min(best[name], seconds)
        except ValueError:  # pydicom's warning of an invalid number
            left.append(path.name)
            continue
        if differences(*map(json.loads, texts.values())):
            left.append(path.name)
            continue
        counted += 1
        size += len(texts[OURS])
        worst = min(worst, (best["pydicom"] / best[OURS], path.name))
        for name, seconds in best.items():
            total[name] += seconds
    row = Row("", total, counted, "file")
    row.notes = [f"{counted} files, {size / 1e6:.0f} MB of JSON; the least of all ratios is {worst[0]:.1f}, {worst[1]}"]
    return row, left


def real_rows(quick: bool) -> list[Row]:
    """All real files, with binary values inline, and with those of more than 1 KB as URIs."""
    files = real_files()[:: 20 if quick else 1]
    inline, left = race(files, 2 if quick else 3)
    inline.work = "real files, all inline"
    inline.at_least(20, "pydicom")
    inline.notes.append(f"left out, as models differ or pydicom raises: {left}")
    bulk, _ = race(files, 2 if quick else 3, bulk_data_element_handler=uri)
    bulk.work = "real files, bulk data as URIs"
    bulk.at_least(20, "pydicom")
    return [inline, bulk]


def in_process(path: str) -> str:
    return dc.dcmread(path, force=True).to_json()


def process(command: list[str]) -> Callable[[str], str]:
    def run(path: str) -> str:
        return subprocess.run([*command, path], capture_output=True, check=True).stdout.decode()

    return run


def large_rows(quick: bool, folder: Path) -> list[Row]:
    """Large objects: beside pydicom as above, and beside dcm2json from file to text on standard output."""
    inputs = {
        "12 000-frame SEG": segmentation(600 if quick else 12_000),
        "RTSTRUCT, 210 000 DS values": structure_set(contours=CONTOURS // (50 if quick else 10)),
    }
    rows = []
    for work, data in inputs.items():
        path = folder / "large.dcm"
        path.write_bytes(data)
        row, left = race([path], 1 if quick else 2)
        assert not left, work
        row.work, row.unit, row.notes = work, "data set", []
        row.at_least(20, "pydicom")
        rows.append(row)
        if DCM2JSON is None:
            continue
        dump = process([sys.executable, "-m", "dicomcore.cli", "dump", "-q", "--json"])
        contestants = {OURS: in_process, OUR_PROCESS: dump, DCMTK: process([DCM2JSON, "-q", "-fc"])}
        rows.append(by_process(f"{work}, from file", [path], contestants, 1 if quick else 2))
    return rows


def by_process(work: str, files: list[Path], contestants: dict[str, Any], rounds: int) -> Row:
    """Wall-clock seconds over all files, each side's best for each, where the models are the same."""
    total = dict.fromkeys(contestants, 0.0)
    counted = 0
    for path in files:
        best = dict.fromkeys(contestants, float("inf"))
        texts = {}
        try:
            for _ in range(rounds):
                for name, run in contestants.items():
                    start = perf_counter()
                    texts[name] = run(str(path))
                    best[name] = min(best[name], perf_counter() - start)
            ours, *_, theirs = (json.loads(text) for text in texts.values())
        except (subprocess.CalledProcessError, ValueError):
            continue
        if any(not dcmtk_way(place, *both) for place, both in differences(ours, theirs).items()):
            continue
        counted += 1
        for name, seconds in best.items():
            total[name] += seconds
    row = Row(work, total, counted, "file")
    row.at_least(3, DCMTK)
    return row


def small_row(quick: bool) -> Row:
    """Real files that dcm2json can write, a process for each, beside one process of ours for all."""
    contestants = {OURS: in_process, DCMTK: process([DCM2JSON or "", "-q", "-fc"])}
    row = by_process("real files, from file", real_files()[:: 30 if quick else 4], contestants, 2)
    row.notes.append(f"{row.count} files; a process of dcm2json takes one file, and its start is most of the time")
    return row


def rows(quick: bool = False) -> list[Row]:
    """All rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        found = [*real_rows(quick), *large_rows(quick, Path(folder))]
    return [*found, small_row(quick)] if DCM2JSON else found


def dcmtk_version() -> str:
    if DCM2JSON is None:
        return "absent"
    said = subprocess.run([DCM2JSON, "--version"], capture_output=True, text=True, check=False).stdout
    return said.split()[2].lstrip("v")


def main() -> None:
    quick = "--quick" in sys.argv
    about = machine(["pydicom"])
    table = HEAD.format(**about, pydicom=about["versions"]["pydicom"], dcmtk=dcmtk_version()) + markdown(rows(quick))
    print(table)
    if not quick:
        (HERE / "json.md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
