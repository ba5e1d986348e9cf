"""Each attribute of objects without errors removed, emptied, or put where it is not due: exactly that is found.

What is due is told by tests.support.presence, for the whole object: findings that follow from the change elsewhere, as
conditions name the attribute, are among them. Errors of values and across attributes that follow are in KNOCK_ON.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import dicomcore as dc
from dicomcore.dictionary import keyword_for_tag
from dicomcore.errors import DicomError
from dicomcore.iod import check, describe
from dicomcore.uids import UID
from tests.iod.test_alike import segmentation
from tests.iod.test_made_objects import MADE as OBJECTS
from tests.support.corpus import real, small_files
from tests.support.presence import Oracle, element_of, places

Steps = tuple[tuple[int, int], ...]
Found = Counter[tuple[str, str]]
"""How often a code was found at a path without the numbers of items."""

PRESENCE = {
    "MISSING", "EMPTY", "MISSING_EMPTY_ALLOWED", "MISSING_CONDITIONAL", "FORBIDDEN", "NOT_DUE", "EMPTY_CONDITIONAL",
    "GROUP_TWICE", "GROUP_MISSING",
}  # fmt: skip
RULES = ("structure", "values", "coherence", "-MODULE_MISSING", "-ISSUE")
LARGEST = 400_000  # bytes of a file
KEPT = {0x00080016: "names the IOD that the object is compared with", 0x00080005: "says how texts are encoded"}
"""Attributes that are not changed."""


class Reason(NamedTuple):
    """Why an error is found elsewhere; the texts are patterns of the attributes that were changed and found."""

    change: str
    code: str
    found: str
    text: str


KNOCK_ON = (
    Reason("* DimensionOrganizationSequence.DimensionOrganizationUID", "DIMENSION_ORGANIZATION",
           "DimensionIndexSequence.DimensionOrganizationUID", "names the organization whose UID is gone"),
    Reason("* SegmentSequence.SegmentNumber", "SEGMENT_REFERENCE", "*.ReferencedSegmentNumber",
           "names the segment whose number is gone"),
    Reason("added *FloatPixelPaddingRangeLimit", "NOT_ENUMERATED", "BitsAllocated",
           "begins a module of pixels in floating point, whose bits are others"),
    Reason("added PixelData", "NOT_ENUMERATED", "BitsAllocated",
           "makes the module of integer pixels due, whose bits are others"),
    Reason("removed NumberOfFrames", "FRAGMENT_COUNT", "PixelData", "without it there is one frame"),
    Reason("removed NumberOfFrames", "OFFSET_TABLE", "PixelData", "without it there is one frame"),
    Reason("emptied EncapsulatedDocument", "DOCUMENT_LENGTH", "EncapsulatedDocumentLength",
           "counts the bytes that are gone"),
)  # fmt: skip


class Mutant(NamedTuple):
    """A change of one attribute."""

    kind: str
    steps: Steps
    tag: int
    path: str
    change: Callable[[dc.Dataset], object]
    undo: Callable[[dc.Dataset], object]


def path_of(steps: Steps, tag: int) -> str:
    """The place of an attribute, without the numbers of items."""
    return ".".join(name_of(one) for one in (*(step for step, _ in steps), tag))


def name_of(tag: int) -> str:
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def found_in(ds: dc.Dataset) -> tuple[Found, Found]:
    """What is found of presence, and the other errors."""
    presence: Found = Counter()
    others: Found = Counter()
    for one in check(ds, rules=RULES):
        path = re.sub(r"\[\d+\]", "", one.path)
        if one.code in PRESENCE:
            presence[one.code, path] += one.count
        elif one.severity == "error":
            others[one.code, path] += one.count
    return presence, others


def due_in(ds: dc.Dataset) -> Found:
    """What is to be found of presence."""
    oracle = Oracle(ds)
    found: Found = Counter()
    for steps, item in places(ds, 10**9):
        for tag in oracle.iod.levels.get(tuple(step for step, _ in steps), ()):
            for code in oracle.code(steps, tag):
                element = element_of(item, tag)
                found[code, path_of(steps, tag if element is None else int(element.tag))] += 1
    return found


def mutants(ds: dc.Dataset) -> Iterator[Mutant]:
    """The changes of an object: each attribute of its IOD once, in the first item that has it."""
    oracle = Oracle(ds)
    seen = set()
    for steps, item in list(places(ds, 2)):
        level = oracle.iod.levels.get(tuple(step for step, _ in steps), {})
        for tag in sorted(level):
            element = element_of(item, tag)
            path = path_of(steps, tag if element is None else int(element.tag))
            if path in seen or tag in KEPT:
                continue
            if element is None:
                if tag >> 16 & 0xFF == 0xFF or not any(one.type in ("1C", "2C") for one in level[tag]):
                    continue
                added = some(tag)
                if added is not None:
                    seen.add(path)
                    yield Mutant("added", steps, tag, path, putting(item, added), dropping(item, tag))
                continue
            seen.add(path)
            tag = int(element.tag)
            yield Mutant("removed", steps, tag, path, dropping(item, tag), putting(item, element))
            if tag >> 16 == 0x7FE0 and ds.transfer_syntax and not is_native(ds):
                continue  # encapsulated pixel data has an item at least
            yield Mutant(
                "emptied",
                steps,
                tag,
                path,
                putting(item, dc.DataElement(tag, element.VR, None)),
                putting(item, element),
            )


def is_native(ds: dc.Dataset) -> bool:
    return not UID(ds.transfer_syntax).is_compressed


def putting(item: dc.Dataset, element: dc.DataElement) -> Callable[[dc.Dataset], object]:
    return lambda _: item.__setitem__(element.tag, element)


def dropping(item: dc.Dataset, tag: int) -> Callable[[dc.Dataset], object]:
    return lambda _: item.__delitem__(tag)


VALUES = {
    "AE": "A", "AS": "001D", "AT": 0x00100010, "CS": "A", "DA": "20000101", "DS": "1", "DT": "2000", "FD": 1.0,
    "FL": 1.0, "IS": "1", "LO": "a", "LT": "a", "OB": b"\0\0", "OW": b"\0\0", "OF": bytes(4), "PN": "a", "SH": "a",
    "SL": 1, "SS": 1, "ST": "a", "TM": "00", "UC": "a", "UI": "1.2", "UL": 1, "UR": "a", "US": 1, "UT": "a",
}  # fmt: skip


def some(tag: int) -> dc.DataElement | None:
    """An element with a value that any such element may have; a sequence has an item."""
    try:
        vr = dc.dictionary.dictionary_VR(tag)
    except KeyError:
        return None
    vr = vr.split(" or ")[0]
    value = [dc.Dataset()] if vr == "SQ" else VALUES.get(vr)
    return None if value is None else dc.DataElement(tag, vr, value)


def promised(ds: dc.Dataset, mutant: Mutant) -> set[str]:
    """What the types that `describe` gives say by themselves: of mandatory modules, at the root, without conditions."""
    if mutant.steps or mutant.kind == "added":
        return set()
    modules = {one.name for one in describe(str(ds.SOPClassUID)).modules if one.usage == "M"}
    types = {
        one.type
        for one in describe(str(ds.SOPClassUID)).attributes
        if one.path == (mutant.tag,) and one.module in modules and not one.macro
    }
    if types == {"1"}:
        return {"MISSING"} if mutant.kind == "removed" else {"EMPTY"}
    return {"MISSING_EMPTY_ALLOWED"} if types == {"2"} and mutant.kind == "removed" else set()


def examined(ds: dc.Dataset) -> int:
    """Try every change of an object; how many there were."""
    presence, others = found_in(ds)
    assert presence == due_in(ds)
    count = 0
    for mutant in list(mutants(ds)):
        mutant.change(ds)
        after, more = found_in(ds)
        name = f"{mutant.kind} {mutant.path}"
        due = due_in(ds)
        assert after == due, f"{name}: not due {after - due}, not found {due - after}"
        for code in promised(ds, mutant) if not after - presence else set():
            assert (code, mutant.path) in after, f"{name}: not found {code}"
        for code, path in more - others:
            if path == mutant.path or path.startswith(mutant.path + "."):
                continue
            assert reason(name, code, path), f"{name}: found {code} of {path}"
        mutant.undo(ds)
        count += 1
    return count


def reason(change: str, code: str, path: str) -> str:
    """Why an error is found elsewhere; empty if nobody has looked."""
    for one in KNOCK_ON:
        if all(map(fnmatchcase, (change, code, path), one[:3])):
            return one.text
    return ""


def without_errors(path: object) -> dc.Dataset | None:
    """The object in a file, None if it has errors or no IOD."""
    try:
        ds = dc.dcmread(path)
        report = check(ds, rules=RULES, at_least="error")
    except DicomError:
        return None
    return ds if report and report.iod else None


MADE: dict[str, Callable[[], dc.Dataset]] = {"frames": lambda: segmentation(8), **OBJECTS}
FAST = ["MR_small.dcm", "SC_rgb_rle.dcm", "reportsi.dcm"]


def agreed(largest: int) -> int:
    """Compare what is found of presence in real files, also those with errors; how many there were."""
    seen = 0
    for one in small_files(largest):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                ds = dc.dcmread(one.path)
                if not check(ds, rules=RULES).iod:
                    continue
            except DicomError:
                continue
            assert found_in(ds)[0] == due_in(ds), one.name
        seen += 1
    return seen


def test_real_files() -> None:
    assert agreed(5_000) > 30 or not small_files(5_000)


@pytest.mark.long
def test_all_real_files() -> None:
    assert agreed(LARGEST) > 200 or not small_files(LARGEST)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FAST)
def test_changed(name: str) -> None:
    assert examined(dc.dcmread(real(name))) > 100


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["binary segmentation"])
def test_changed_objects(name: str) -> None:
    assert examined(MADE[name]()) > 100


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(set(MADE) - {"binary segmentation"}))
def test_all_changed_objects(name: str) -> None:
    examined(MADE[name]())


@cache
def kinds() -> dict[str, Path]:
    """Real files, one of each set of attributes, by name."""
    found: dict[tuple[object, ...], Path] = {}
    for one in small_files(LARGEST):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                ds = dc.dcmread(one.path)
                key = (str(ds.get("SOPClassUID")), ds.transfer_syntax, *(int(element.tag) for element in ds))
            except DicomError:
                continue
        found.setdefault(key, one.path)
    return {path.name: path for path in found.values()}


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(7200)
def test_all_changed() -> None:
    """Of every other real file without errors."""
    tried = 0
    for name, path in kinds().items():
        ds = without_errors(path)
        if ds is not None and name not in FAST:
            tried += examined(ds)
    assert tried > 5000 or not kinds()
