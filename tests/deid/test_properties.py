"""What holds for every real file: elements that stay keep their bytes, nothing new is wrong, references resolve."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pydicom
import pytest

import dicomcore as dc
from dicomcore import deid, iod
from dicomcore._native.deid import tables
from dicomcore.tags import Tag
from tests.support.corpus import ABSENT, PYDICOM, Real, small_files

pytestmark = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)

KEY = deid.Key(bytes(range(32)))
LIMIT = 400_000
PLANS = {
    "basic": deid.Plan(key=KEY),
    "retained": deid.Plan(
        [
            "retain_uids", "retain_device_identity", "retain_institution_identity", "retain_patient_characteristics",
            "retain_longitudinal_full_dates", "retain_safe_private",
        ]
    ),
    "cleaned": deid.Plan(
        [
            "clean_structured_content", "clean_descriptors", "clean_graphics", "retain_patient_characteristics",
            "retain_longitudinal_modified_dates",
        ],
        KEY,
    ),
    "moved": deid.Plan(["retain_longitudinal_modified_dates", "retain_safe_private"], KEY, safe_private="tcia"),
}  # fmt: skip
MARKS = {0x00120062, 0x00120063, 0x00120064, 0x00280303}
REFUSED = ("DICOMDIR", "cut short", "cannot be read")


@cache
def files() -> list[Real]:
    return small_files(LIMIT)


def applied(data: bytes, plan: deid.Plan) -> tuple[bytes, deid.Outcome]:
    out = bytearray()
    outcome = deid.apply(data, out, plan)
    return bytes(out), outcome


def readable(plan: deid.Plan) -> Iterator[tuple[str, bytes, bytes, deid.Outcome]]:
    for real in files():
        data = real.data()
        try:
            out, outcome = applied(data, plan)
        except deid.DeidError as error:
            assert any(reason in str(error) for reason in REFUSED), (real.name, error)
            continue
        yield real.name, data, out, outcome


def read(data: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data), force=True)


def raw_elements(ds: Any, path: str = "") -> dict[str, tuple[int, str, bytes]]:
    """Tag, VR and bytes of all elements but sequences, by path."""
    found = {}
    for tag, element in [(tag, ds.get_item(tag)) for tag in list(ds.keys())]:  # before any is converted
        place = f"{path}/{int(tag):08X}"
        implicit = element.VR in (None, "UN") and bytes(element.value or b"")[:4] == b"\xfe\xff\0\xe0"
        if element.VR == "SQ" or isinstance(element.value, pydicom.Sequence) or (implicit and ds[tag].VR == "SQ"):
            for number, inner in enumerate(ds[tag].value):
                found |= raw_elements(inner, f"{place}[{number}]")
        elif isinstance(element.value, bytes):
            found[place] = int(tag), element.VR, element.value
    return found


@pytest.mark.parametrize("name", PLANS)
def test_elements_that_stay_keep_their_bytes(name: str) -> None:
    count = 0
    for file, data, out, outcome in readable(PLANS[name]):
        before, after = raw_elements(read(data)), raw_elements(read(out))
        changed = {int(tag) for tag, action, *_ in outcome.rows if action != "kept"} | MARKS
        for path, value in after.items():
            if not around(path) & changed:
                assert value == before[path], (file, path)
                count += 1
        gone = {path for path in before if path not in after and not around(path) & changed}
        assert not gone, (file, gone)
        assert dc.dcmread(out).transfer_syntax == dc.dcmread(data).transfer_syntax, file
        assert sha256(pixels(data)).digest() == sha256(pixels(out)).digest(), file
    assert count > 3000


def around(path: str) -> set[int]:
    """The tags of an element and of the sequences around it."""
    return {int(step[:8], 16) for step in path.split("/")[1:]}


def pixels(data: bytes) -> bytes:
    """The bytes of the pixel data, fragments with their headers."""
    ds = dc.dcmread(data)
    return b"".join(bytes(ds.get_item(tag).value or b"") for tag in (0x7FE00010,) if tag in ds)


# The table removes these whatever their type is, also where another attribute of the item asks for them (1C).
REMOVED = {str(Tag(tag)) for tag, _, _, basic, *_ in tables.attributes() if basic == "X"}


@pytest.mark.parametrize("name", PLANS)
def test_nothing_new_is_wrong(name: str) -> None:
    for file, data, out, _ in readable(PLANS[name]):
        old, new = findings(data), findings(out)
        more = {(code, tag) for code, tag in new - old if code != "MISSING_CONDITIONAL" or tag not in REMOVED}
        assert not more, (file, more)
        old_issues = {issue.code for issue in dc.dcmread(data).issues}
        assert {issue.code for issue in dc.dcmread(out).issues} <= old_issues, file


def findings(data: bytes) -> set[tuple[str, str]]:
    # A module is looked at by its attributes: what was missing before may be all of it now.
    found = iod.check(data, rules=["-MODULE_MISSING"], at_least="error")
    return {(finding.code, str(finding.tag)) for finding in found}


def test_pydicom_reads_all_of_it() -> None:
    for file, data, out, _ in readable(PLANS["basic"]):
        if "charset" in file:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                str(pydicom.dcmread(io.BytesIO(data), force=True))
            except Exception:  # pydicom cannot read the input either
                continue
            assert str(pydicom.dcmread(io.BytesIO(out))), file


def test_syntaxes_of_the_corpus() -> None:
    """Every way to encode a data set, and several to encode pixel data, is among the files."""
    seen = {str(dc.dcmread(data).transfer_syntax) for _, data, _, _ in readable(PLANS["basic"])}
    assert {"1.2.840.10008.1.2" + end for end in ("", ".1", ".2", ".1.99", ".5", ".4.50", ".4.90")} <= seen
    assert len(seen) >= 10


def study_files() -> list[Path]:
    return sorted(path for path in (PYDICOM / "test_files/dicomdirtests/98892003").rglob("*") if path.is_file())


def uids_of(ds: dc.Dataset) -> Iterator[tuple[int, str]]:
    for element in ds.iterall():
        if element.VR == "UI" and element.value:
            values = element.value if isinstance(element.value, list) else [element.value]
            yield from ((int(element.tag), str(value)) for value in values)


def test_references_resolve() -> None:
    plan = deid.Plan(key=KEY)
    old, new = {}, {}
    for path in study_files():
        ds = dc.dcmread(path)
        old[str(ds.SOPInstanceUID)], new[str(ds.SOPInstanceUID)] = ds, deid.deidentify(ds, plan)
    assert len({ds.SOPInstanceUID for ds in new.values()}) == len(old) > 10
    mapped: dict[str, str] = {}
    for uid, ds in old.items():
        for tag in (0x0020000D, 0x0020000E, 0x00200052, 0x00080018):
            if tag in ds:
                assert mapped.setdefault(str(ds[tag].value), str(new[uid][tag].value)) == str(new[uid][tag].value)
    known = {str(ds.SOPInstanceUID) for ds in new.values()}
    resolved = 0
    for uid, ds in new.items():
        given = [value for tag, value in uids_of(old[uid]) if tag == 0x00081155 and value in old]
        for tag, value in uids_of(ds):
            if tag == 0x00081155 and given:
                resolved += value in known
    assert resolved or not any(0x00081155 in dict(uids_of(ds)) for ds in new.values())


def test_intervals_are_kept() -> None:
    plan = deid.Plan(["retain_longitudinal_modified_dates"], KEY)
    offsets: dict[str, set[int]] = {}
    for path in study_files():
        before = dc.dcmread(path)
        after = deid.deidentify(before, plan)
        for element in before:
            if element.VR == "DA" and element.value and element.tag in after:
                moved = day(str(after[element.tag].value)) - day(str(element.value))
                offsets.setdefault(str(before.PatientID), set()).add(moved)
    assert offsets
    assert all(len(found) == 1 and -3650 <= min(found) <= -1 for found in offsets.values())


def day(text: str) -> int:
    digits = text.replace(".", "").replace("-", "")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).toordinal()


PROGRAM = """
import hashlib, sys
from dicomcore import deid
plan = deid.Plan(["retain_longitudinal_modified_dates"], deid.Key(bytes(range(32))))
for path in sys.argv[1:]:
    out = bytearray()
    deid.apply(path, out, plan)
    print(hashlib.sha256(out).hexdigest(), path)
"""


def test_two_processes_in_two_orders() -> None:
    paths = [str(path) for path in study_files()]
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, *order], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.splitlines()
        for order, seed in ((paths, "1"), (paths[::-1], "2"))
    ]  # fmt: skip
    assert sorted(runs[0]) == sorted(runs[1])
    assert len(runs[0]) == len(paths)


def test_twice_is_as_once() -> None:
    """Without UIDs and dates, which are mapped again."""
    plan = deid.Plan(["retain_uids", "retain_longitudinal_full_dates"])
    for file, _, out, _ in readable(plan):
        assert applied(out, plan)[0] == out, file


def test_cut_short(tmp_path: Path) -> None:
    """A file that breaks off in an element is refused, and nothing is written."""
    data = (PYDICOM / "test_files/MR_small.dcm").read_bytes()
    plan, target = PLANS["basic"], tmp_path / "out.dcm"
    whole = 0
    for size in [*range(140, 4000, 61), len(data) - 1000, len(data) - 1]:
        source = tmp_path / "DOE^JANE.dcm"
        source.write_bytes(data[:size])
        try:
            deid.apply(source, target, plan)
            whole += 1
            target.unlink()
        except deid.DeidError as error:
            assert "JANE" not in str(error)
        assert [path.name for path in tmp_path.iterdir()] == [source.name]
    assert whole < 5  # those that end behind an element


def test_large_values_are_not_read(tmp_path: Path) -> None:
    """The pixel data of a file on disk is copied as a range of the source."""
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    ds = dc.dcmread(PYDICOM / "test_files/CT_small.dcm")
    ds.PixelData = bytes(range(256)) * 40000
    dc.dcmwrite(source, ds)
    deid.apply(source, target, PLANS["basic"])
    assert dc.dcmread(target).PixelData == ds.PixelData
    with pytest.raises(FileExistsError):
        deid.apply(source, target, PLANS["basic"], overwrite=False)
