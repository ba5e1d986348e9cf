"""Real files with pixel data, each with its line of the manifest."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.corpus import ABSENT, ROOT, dicom_files

__all__ = ["ABSENT", "ROOT", "named", "sha256", "with_pixels"]


@cache
def with_pixels() -> list[dict[str, Any]]:
    """Manifest lines of DICOM files whose frames have a size, each with its `file`."""
    return [{**one.line, "file": one.path} for one in dicom_files() if one.line.get("pixels", {}).get("rows")]


def named(end: str) -> Path:
    """The file whose path ends with this. Without a corpus it skips the test."""
    import pytest

    if ABSENT:
        pytest.skip(ABSENT)
    return next(entry["file"] for entry in with_pixels() if entry["path"].endswith(end))


def sha256(array: np.ndarray) -> str:
    """Hash of an array's samples, little endian, as the manifest has it."""
    return hashlib.sha256(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).hexdigest()
