"""Real files for tests, read where they are: the corpus beside the repository, and what the pydicom package ships.

`DICOMCORE_CORPUS` says where the corpus is when it isn't in ``../shared/corpus``. Its manifest holds what other
software answers for each file; without it the tests that need it are skipped, and the summary says so.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pydicom.data


def _find_root() -> Path:
    """DICOMCORE_CORPUS, or shared/corpus beside a folder above this one."""
    named = os.environ.get("DICOMCORE_CORPUS")
    places = [Path(named)] if named else [up / "shared" / "corpus" for up in Path(__file__).resolve().parents[3:]]
    return next((place for place in places if (place / "manifest.jsonl").is_file()), places[0])


ROOT = _find_root()
MANIFEST = ROOT / "manifest.jsonl"
PYDICOM = Path(pydicom.data.__file__).parent
ABSENT = "" if MANIFEST.is_file() else f"no corpus at {ROOT}: set DICOMCORE_CORPUS to where manifest.jsonl is"


class Real(NamedTuple):
    """A real file: a `name` for tables, its `path`, and its `line` of the manifest."""

    name: str
    path: Path
    line: dict[str, Any]

    def data(self) -> bytes:
        return self.path.read_bytes()


@cache
def lines() -> tuple[dict[str, Any], ...]:
    """The manifest; empty where the corpus is absent."""
    return () if ABSENT else tuple(json.loads(line) for line in MANIFEST.read_text().splitlines())


@cache
def dicom_files() -> tuple[Real, ...]:
    """Every DICOM file of the manifest, in its order; those of packages only if their bytes are the same."""
    found = []
    for line in lines():
        if line["kind"] != "dicom":
            continue
        packaged = line.get("package") == "pydicom"
        path = (PYDICOM if packaged else ROOT) / line["path"]
        if packaged and (not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != line["sha256"]):
            continue  # from another version of pydicom
        found.append(Real(line["path"], path, line))
    return tuple(found)


def real(name: str) -> Path:
    """The path of a real file by its name's end: ``real("rtplan.dcm")``. One that isn't here skips the test."""
    import pytest

    for folder in ("test_files", "charset_files", "test_files/dicomdirtests"):
        if (PYDICOM / folder / name).is_file():
            return PYDICOM / folder / name
    for one in dicom_files():
        if one.name == name or one.name.endswith("/" + name):
            return one.path
    pytest.skip(ABSENT or f"{name} is not in the corpus")


def small_files(limit: int) -> list[Real]:
    """DICOM files of at most `limit` bytes, each content once."""
    seen: set[str] = set()
    found = []
    for one in dicom_files():
        if one.line["size"] <= limit and one.line["sha256"] not in seen:
            seen.add(one.line["sha256"])
            found.append(one)
    return found
