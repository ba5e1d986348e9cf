"""Bytes to values: every value of all real files, the contours of a structure set, single attributes."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom import config

import dicomcore as dc
from benches.inputs import CONTOURS, POINTS, real_files, structure_set
from benches.passes import race_long, race_over
from benches.race import race
from benches.table import OURS, Row, markdown

warnings.simplefilter("ignore")  # pydicom's warnings about values take time that must not count


def values_ours(path: str) -> list[Any]:
    return [element.value for element in dc.dcmread(path, force=True).iterall()]


def values_pydicom(path: str) -> list[Any]:
    return [element.value for element in pydicom.dcmread(path, force=True).iterall()]


def values_unchecked(path: str) -> list[Any]:
    """pydicom without the validation of values as they are read."""
    before = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.IGNORE
    try:
        return values_pydicom(path)
    finally:
        config.settings.reading_validation_mode = before


def plain(value: Any) -> Any:
    """A value in a form that both sides share."""
    if value is None or isinstance(value, str):
        return (value or "").rstrip(" =")
    if isinstance(value, (pydicom.Sequence, dc.Sequence)):
        return len(value)
    if isinstance(value, (list, pydicom.multival.MultiValue)):
        return [plain(each) for each in value] or ""
    if isinstance(value, pydicom.valuerep.PersonName):
        return str(value).rstrip(" =")
    return value


def agreed(files: list[Path]) -> tuple[list[Path], int, list[str]]:
    """Files with equal values in both, the number of those values, and the other files."""
    alike, count, left = [], 0, []
    for path in files:
        try:
            theirs = [plain(value) for value in values_pydicom(str(path))]
        except Exception:  # pydicom may give anything for a value that breaks its VR
            left.append(path.name)
            continue
        mine = [plain(value) for value in values_ours(str(path))]
        if len(mine) == len(theirs) and all(a == b or a != a for a, b in zip(mine, theirs, strict=True)):
            alike.append(path)
            count += len(mine)
        else:
            left.append(path.name)
    return alike, count, left


def every_value(quick: bool) -> Row:
    """All values of all real files: the sum of each file's best time."""
    files, count, left = agreed(real_files()[:: 10 if quick else 1])
    contestants = {OURS: values_ours, "pydicom": values_pydicom, "pydicom, no validation": values_unchecked}
    total = race_over(files, contestants, rounds=2 if quick else 5)
    row = Row("dcmread + every value of the real files", total, count, "value")
    row.at_least(20, "pydicom")
    row.notes.append(
        f"{len(files)} files, {count} values; left out because the values differ or pydicom raises: {left}"
    )
    return row


@contextmanager
def numpy_decimals() -> Iterator[None]:
    """Set pydicom's option to read DS into arrays."""
    config.use_DS_numpy = True
    try:
        yield
    finally:
        config.use_DS_numpy = False


def contours_ours(data: bytes) -> list[Any]:
    regions = dc.dcmread(data).ROIContourSequence
    return [contour["ContourData"].array for region in regions for contour in region.ContourSequence]


def contours_pydicom(data: bytes) -> list[Any]:
    regions = pydicom.dcmread(BytesIO(data)).ROIContourSequence
    return [np.array(contour.ContourData, float) for region in regions for contour in region.ContourSequence]


def contours_numpy(data: bytes) -> list[Any]:
    with numpy_decimals():
        return contours_pydicom(data)


def structure_set_row(quick: bool, long: bool) -> Row:
    """Contours to arrays, the reading included."""
    contours = CONTOURS // 20 if quick else CONTOURS
    data = structure_set(long=long, contours=contours)
    contestants = {OURS: contours_ours, "pydicom": contours_pydicom, "pydicom, use_DS_numpy": contours_numpy}
    mine = np.concatenate(contours_ours(data))
    for name in list(contestants)[1:]:
        assert np.array_equal(mine, np.concatenate(contestants[name](data))), f"{name} has other numbers"
    best = race_long(data, contestants, rounds=2)
    best[OURS] = min(best[OURS], race_long(data, {OURS: contours_ours}, rounds=7)[OURS])
    row = Row(
        f"RTSTRUCT to arrays, {'16 characters' if long else '2 or 3 decimals'} a value",
        best,
        3 * POINTS * contours,
        "value",
    )
    row.at_least(150, "pydicom")
    row.at_most(40, "ns a value", best[OURS] / row.count * 1e9)
    return row


def single_attributes() -> list[Row]:
    """A name and a few attributes, each of a data set that was read before."""
    charsets = Path(pydicom.__file__).parent / "data/charset_files"
    found = []
    for work, path, keyword in (
        ("PN in ISO 2022 IR 87", charsets / "chrH31.dcm", "PatientName"),
        ("PN in ISO_IR 100", charsets / "chrGerm.dcm", "PatientName"),
        ("keyword of a US", charsets / "chrGerm.dcm", "Rows"),
    ):
        sides = {OURS: dc.dcmread(path), "pydicom": pydicom.dcmread(path)}
        if len({plain(getattr(ds, keyword, None)) for ds in sides.values()}) != 1:
            raise AssertionError(f"{work}: the sides disagree")
        times = 2000

        def access(ds: Any, keyword: str = keyword, times: int = times) -> None:
            for _ in range(times):
                getattr(ds, keyword, None)

        contestants = {name: lambda _, ds=ds, access=access: access(ds) for name, ds in sides.items()}
        row = Row(f"{work}, again and again", race(None, contestants, rounds=5, agree=False), times, "access")
        row.notes.append("both keep text that they decoded; bench_again has the aims")
        found.append(row)
    return found


def rows(quick: bool = False) -> list[Row]:
    """The rows of the table, and the cost of single attributes."""
    return [every_value(quick), structure_set_row(quick, False), structure_set_row(quick, True), *single_attributes()]


if __name__ == "__main__":
    print(markdown(rows("--quick" in sys.argv)))
