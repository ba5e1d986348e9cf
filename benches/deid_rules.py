"""Counts elements of real files that Table E.1-1 rules and that a tool has kept as they were.

The table is read from the JSON of the standard here, not from dicomcore's tables. An element counts as kept if its
action is to remove, empty, replace or map it, it has a value, and the output has the same value at the same place.
``python -m benches.deid_rules`` prints the counts of all tools that are there, at their own settings.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

from benches import deid_peers
from benches.deid_files import plain
from benches.deid_score import Output
from tests.support import corpus, standard

OURS = "dicomcore"
IMAGES = frozenset(["CT", "MR", "PT"])
ELEMENTS = ("1.2.840.10008.", "1.2.276.0.7230010.3.0")
BASIC = 5
TEXTS = frozenset(["PN", "LO", "SH", "ST", "LT", "UT", "CS", "UC"])
COLUMNS = {
    "retain_safe_private": 6, "retain_uids": 7, "retain_device_identity": 8, "retain_institution_identity": 9,
    "retain_patient_characteristics": 10, "retain_longitudinal_full_dates": 11,
    "retain_longitudinal_modified_dates": 12, "clean_descriptors": 13, "clean_structured_content": 14,
    "clean_graphics": 15,
}  # fmt: skip


class Kept(NamedTuple):
    """Elements that are ruled, and how many of them were kept: at the root, and at every depth."""

    ruled: int
    kept: int
    ruled_deep: int
    kept_deep: int
    tags: Counter[str]
    missing: int


@cache
def actions() -> dict[str, str]:
    """The basic profile's action by tag."""
    return {row[0]: row[BASIC] for row in standard.load("deid")["attributes"]}


def ruled(tag: pydicom.tag.BaseTag) -> bool:
    """Whether the table rules an element."""
    if tag.is_private:
        return not tag.is_private_creator
    text = f"{int(tag):08X}"
    if text in actions():
        return True
    if 0x5000 <= tag.group <= 0x50FF:
        return True
    return 0x6000 <= tag.group <= 0x60FF and tag.element in (0x3000, 0x4000)


def told(options: tuple[str, ...]) -> deid_peers.Table:
    """The table and its options in one letter a tag, as peers' own rules can say it.

    S and T are dates and date times to be shifted, H an ID to be mapped, the others as in the table.
    """
    found = {}
    for row in standard.load("deid")["attributes"]:
        tag = row[0]
        if "x" in tag or tag == "PRIVATE":
            continue
        try:
            vr = dictionary_VR(int(tag, 16))
        except KeyError:
            vr = "LO"
        chosen = {row[COLUMNS[one]] for one in options if one in COLUMNS} - {None}
        found[tag] = _letter(row[BASIC], vr, chosen)
    found["00100020"] = "H"
    return found


def _letter(action: str, vr: str, chosen: set[str]) -> str:
    if "K" in chosen:
        return "K"
    if chosen:
        return {"DA": "S", "DT": "T", "TM": "K", "SQ": "K"}.get(vr, "X")
    if action in ("D", "Z/D"):
        return "D" if vr in TEXTS else "K" if vr == "SQ" else "Z"
    return action[0]


def real_files() -> list[Path]:
    """Images of CT, MR and PET that pydicom reads, each content once."""
    found, seen = [], set()
    for one in corpus.dicom_files():
        if one.line["sha256"] in seen or not one.line.get("is_part10"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                modality = pydicom.dcmread(one.path, specific_tags=["Modality"]).get("Modality")
            except Exception:
                continue
        if modality in IMAGES:
            seen.add(one.line["sha256"])
            found.append(one.path)
    return found


def elements(ds: Dataset, deep: bool) -> Iterator[tuple[str, str, bool]]:
    """Path, value and whether it is ruled, of the elements with a value; `deep` enters items."""
    for tag in list(ds.keys()):
        try:
            one = ds[tag]
        except Exception:
            continue
        if one.value in (None, "", b"") or (one.VR == "SQ" and not one.value):
            continue
        where = f"{int(tag):08X}"
        if one.VR == "SQ":
            if ruled(one.tag):
                yield where, str(one.value), True
            if deep:
                for number, item in enumerate(one.value):
                    for path, value, is_ruled in elements(item, True):
                        yield f"{where}#{number}/{path}", value, is_ruled
            continue
        yield where, plain(one.value), ruled(one.tag)


def registered(value: str) -> bool:
    """UIDs of the standard are no identities, and stay."""
    return value.startswith(ELEMENTS[0])


def count(source: Path, out: Path) -> Kept:
    """What a tool kept of the files of a folder, found by their names."""
    numbers: Counter[str] = Counter()
    tags: Counter[str] = Counter()
    missing = 0
    for path in sorted(one for one in source.rglob("*") if one.is_file()):
        target = out / path.relative_to(source)
        if not target.is_file():
            missing += 1
            continue
        before, after = Output(path, path.name).ds, Output(target, path.name).ds
        for deep in (False, True):
            left = {where: value for where, value, _ in elements(after, deep)}
            for where, value, is_ruled in elements(before, deep):
                if not is_ruled or registered(value):
                    continue
                numbers[f"ruled{deep}"] += 1
                if left.get(where) == value:
                    numbers[f"kept{deep}"] += 1
                    if deep:
                        tags[where.rsplit("/", 1)[-1]] += 1
    return Kept(numbers["ruledFalse"], numbers["keptFalse"], numbers["ruledTrue"], numbers["keptTrue"], tags, missing)


def copied(files: list[Path], folder: Path) -> Path:
    """The files in a folder of their own, by number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(files):
        (folder / f"{number:04}.dcm").write_bytes(path.read_bytes())
    return folder


def ours(source: Path, out: Path) -> None:
    """The basic profile of dicomcore, file by file."""
    from dicomcore import deid

    plan = deid.Plan(key=deid.Key.generate())
    for path in sorted(source.rglob("*")):
        try:
            deid.apply(path, out / path.relative_to(source), plan)
        except deid.DeidError:
            continue


def rows(names: list[str]) -> dict[str, Kept]:
    """The counts of tools, dicomcore among them."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        source = copied(real_files(), Path(place) / "in")
        for name in names:
            out = Path(place) / name
            out.mkdir()
            if name == OURS:
                ours(source, out)
            else:
                deid_peers.over_folder(name, source, out)
            found[name] = count(source, out)
    return found


def table(found: dict[str, Kept]) -> str:
    """The counts as a Markdown table."""
    lines = [
        "| tool | ruled at the root | kept | ruled at every depth | kept | no output |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in found.items():
        lines.append(
            f"| {name} | {one.ruled:,} | {one.kept:,} | {one.ruled_deep:,} | {one.kept_deep:,} | {one.missing} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    chosen = sys.argv[1:] or [OURS, *(name for name in deid_peers.available() if name != "PixelMed")]
    print(table(rows(chosen)))
