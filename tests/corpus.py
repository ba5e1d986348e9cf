"""The corpus: real files, each with the answers that independent decoders give (its README says how)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def find_root() -> Path | None:
    """Where the corpus stands: DICOMCORE_CORPUS, or shared/corpus beside a folder above this one."""
    named = os.environ.get("DICOMCORE_CORPUS")
    places = [Path(named)] if named else [up / "shared" / "corpus" for up in Path(__file__).resolve().parents]
    return next((place for place in places if (place / "manifest.jsonl").is_file()), None)


@cache
def lines() -> list[dict[str, Any]]:
    """The manifest's lines; none where the corpus is absent."""
    root = find_root()
    if root is None:
        return []
    with open(root / "manifest.jsonl", encoding="utf-8") as manifest:
        return [json.loads(line) for line in manifest]


def path_of(line: dict[str, Any]) -> Path:
    """The file of a manifest line; skips the test where it isn't installed."""
    root = find_root()
    assert root is not None
    if not line.get("package"):
        return root / line["path"]
    package = pytest.importorskip(line["package"])
    return Path(package.__file__).parent / "data" / line["path"]


def with_pixels(*transfer_syntaxes: str) -> list[Any]:
    """A pytest parameter for each DICOM file of these transfer syntaxes on whose samples decoders agree."""
    found = [
        pytest.param(line, id=Path(line["path"]).name)
        for line in lines()
        if line.get("transfer_syntax") in transfer_syntaxes and line.get("pixels", {}).get("consensus")
    ]
    return found or [pytest.param(None, marks=pytest.mark.skip(reason="the corpus is absent"))]


def codestreams(line: dict[str, Any]) -> Iterator[tuple[bytes, str]]:
    """Each frame's codestream with the sha256 that its samples are to have."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.encaps import generate_frames

    pixels = line["pixels"]
    data = pydicom.dcmread(path_of(line), force=True).PixelData
    frames = generate_frames(data, number_of_frames=pixels["frames"])
    return zip(frames, pixels["consensus"], strict=True)


def sha256(array: np.ndarray[Any, Any]) -> str:
    """The hash of an array's samples, little endian."""
    return hashlib.sha256(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).hexdigest()
