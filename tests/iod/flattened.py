"""The flattened typed paths of PS3.3 2026b that highdicom carries, beside those that `describe` gives.

They come from another extraction of the standard's text. It leaves some attributes out: see path_differences.csv.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydicom._dicom_dict import RepeatersDictionary
from pydicom.datadict import dictionary_has_tag, tag_for_keyword

import dicomcore as dc

SPEC = importlib.util.find_spec("highdicom")
FOLDER = Path(SPEC.origin).parent / "_standard" if SPEC and SPEC.origin else Path()
Paths = dict[tuple[int, ...], str]


class Difference(NamedTuple):
    """A path that one side lacks, with all below it, or whose types differ."""

    module: str  # key of highdicom's module
    path: str
    ours: str  # type, empty if the path isn't there
    theirs: str
    count: int  # paths from this one down


@cache
def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


# SOP classes that store nothing; highdicom has their IODs alone.
REAL_TIME = {
    "1.2.840.10008.10.1": "real-time-video-endoscopic-image",
    "1.2.840.10008.10.2": "real-time-video-photographic-image",
    "1.2.840.10008.10.3": "real-time-audio-waveform",
    "1.2.840.10008.10.4": "rendition-selection-document",
}


def sop_classes() -> dict[str, str]:
    """UID: key of the IOD."""
    return {**read("sop_class_iod_map.json"), **REAL_TIME}


def theirs(key: str) -> Paths:
    """Type by path of a module."""
    rows = read("module_attribute_map.json").get(key, ())
    return {tuple(map(tag_of, (*row["path"], row["keyword"]))): row["type"] for row in rows}


REPEATING = {entry[4]: int(mask.replace("x", "0"), 16) for mask, entry in RepeatersDictionary.items()}


@cache
def tag_of(keyword: str) -> int:
    """The tag of a keyword; of a repeating group's, that of the first group."""
    return tag_for_keyword(keyword) or REPEATING[keyword]


def known(tag: str) -> bool:
    """Whether the dictionary that highdicom reads has the element."""
    return dictionary_has_tag(int(tag, 16)) or int(tag, 16) in REPEATING.values()


def keys(iod: str) -> list[str]:
    """Keys of an IOD's modules."""
    return [entry["key"] for entry in read("iod_module_map.json")[iod]]


def squashed(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def pairs() -> Iterator[tuple[str, str, dc.iod.Module]]:
    """(IOD's key, highdicom's key of a module, our module); modules with functional groups once for each IOD, others
    once."""
    done = set()
    for uid, iod in sop_classes().items():
        described = dc.iod.describe(uid)
        listed = read("iod_module_map.json")[iod]
        found = {squashed(entry["key"]): entry for entry in listed}
        assert len(described.modules) == len(listed)
        for module in described.modules:
            name = squashed(module.name)
            entry = found.get(name) or found[squashed(iod) + name]
            assert (entry["usage"], entry["ie"]) == (module.usage, module.ie), (iod, module.name)
            once = (entry["key"], iod if module.functional_groups else "")
            if once not in done:
                done.add(once)
                yield iod, entry["key"], module


def compare(key: str, module: dc.iod.Module) -> tuple[int, list[Difference]]:
    """How many paths of a module are equal in both, and the others."""
    mine = {tuple(attribute.path): attribute.type for attribute in module.attributes}
    other = theirs(key)
    equal = sum(other.get(path) == kind for path, kind in mine.items())
    differ = [path for path in mine.keys() | other.keys() if mine.get(path) != other.get(path)]
    return equal, list(collapsed(key, sorted(differ), mine, other))


def collapsed(key: str, differ: list[tuple[int, ...]], mine: Paths, other: Paths) -> Iterator[Difference]:
    """Differences without those below a path that one side lacks."""
    lacking: tuple[int, ...] | None = None
    for path in differ:
        if lacking is not None and path[: len(lacking)] == lacking:
            continue
        one_side = (path in mine) != (path in other)
        lacking = path if one_side else None
        below = [one for one in differ if one[: len(path)] == path] if one_side else [path]
        text = "/".join(f"{tag:08X}" for tag in path)
        yield Difference(key, text, mine.get(path, ""), other.get(path, ""), len(below))
