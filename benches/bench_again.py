"""Values asked for again and again from one data set, in every way that a program asks for them, beside pydicom."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom

import dicomcore as dc
from benches.bench_values import plain
from benches.race import race
from benches.table import OURS, Row, markdown

warnings.simplefilter("ignore")

DATA = Path(pydicom.__file__).parent / "data"
TIMES = 1000
WAYS: dict[str, Callable[[Any], Any]] = {
    "ds.PatientName": lambda ds: ds.PatientName,
    "ds.StudyInstanceUID": lambda ds: ds.StudyInstanceUID,
    "ds.PatientID": lambda ds: ds.PatientID,
    "ds.Modality": lambda ds: ds.Modality,
    "ds.SliceThickness": lambda ds: ds.SliceThickness,
    'ds["PatientID"].value': lambda ds: ds["PatientID"].value,
    'ds.get("PatientID")': lambda ds: ds.get("PatientID"),
    "ds[0x00100020].value": lambda ds: ds[0x00100020].value,
    "ds[0x00100010].value": lambda ds: ds[0x00100010].value,
}
FILES = {  # file: the ways that are tried on it
    "test_files/CT_small.dcm": list(WAYS),
    **{
        f"charset_files/{name}.dcm": ["ds.PatientName", "ds[0x00100010].value"]
        for name in ("chrH31", "chrH32", "chrGerm", "chrRuss", "chrX1", "chrX2", "chrKoreanMulti")
    },
}


def repeated(way: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def run(data_set: Any) -> None:
        for _ in range(TIMES):
            way(data_set)

    return run


def rows(quick: bool = False) -> list[Row]:
    """A row for each file and way of asking."""
    found = []
    for name, ways in FILES.items():
        sides = {OURS: dc.dcmread(DATA / name), "pydicom": pydicom.dcmread(DATA / name)}
        for way in ways:
            answers = [plain(WAYS[way](data_set)) for data_set in sides.values()]
            assert answers[0] == answers[1], f"{name}: {way}: the sides disagree"
            run = repeated(WAYS[way])
            contestants = {side: lambda _, ds=ds, run=run: run(ds) for side, ds in sides.items()}
            row = Row(
                f"{Path(name).stem}: {way}",
                race(None, contestants, rounds=5 if quick else 25, agree=False),
                TIMES,
                "access",
            )
            row.at_least(1, "pydicom")
            found.append(row)
    return found


if __name__ == "__main__":
    print(markdown(rows("--quick" in sys.argv)))
