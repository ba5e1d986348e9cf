"""Real files with pixels: the corpus beside the repository and what the pydicom package ships, with their answers.

`DICOMCORE_CORPUS` says where the corpus is when no folder above this one has it in ``shared/corpus``.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data

PYDICOM = Path(pydicom.data.__file__).parent


def _root() -> Path | None:
    named = os.environ.get("DICOMCORE_CORPUS")
    places = [Path(named)] if named else [up / "shared" / "corpus" for up in Path(__file__).resolve().parents]
    return next((place for place in places if (place / "manifest.jsonl").is_file()), None)


ROOT = _root()
ABSENT = "" if ROOT else "no corpus: set DICOMCORE_CORPUS to where its manifest.jsonl is"


@cache
def with_pixels() -> list[dict[str, Any]]:
    """Manifest lines of DICOM files with pixels, each with its `file`; packaged ones only where unchanged."""
    found = []
    for line in (ROOT / "manifest.jsonl").read_text().splitlines() if ROOT else ():
        entry = json.loads(line)
        if entry["kind"] != "dicom" or "pixels" not in entry or not entry["pixels"].get("rows"):
            continue
        packaged = entry.get("package") == "pydicom"
        entry["file"] = (PYDICOM if packaged else ROOT) / entry["path"]
        if packaged and hashlib.sha256(entry["file"].read_bytes()).hexdigest() != entry["sha256"]:
            continue
        found.append(entry)
    return found


def named(end: str) -> Path:
    """The file whose path ends so."""
    return next(entry["file"] for entry in with_pixels() if entry["path"].endswith(end))


def sha256(array: np.ndarray) -> str:
    """Hash of an array's samples, little endian, as the manifest has it."""
    return hashlib.sha256(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).hexdigest()
