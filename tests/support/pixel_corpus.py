"""The corpus' images and codestreams, with hashes of the samples on which independent decoders agree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.corpus import PYDICOM, ROOT, lines


def path_of(line: dict[str, Any]) -> Path:
    """The file of a manifest line; skips the test where it isn't installed."""
    path = (PYDICOM if line.get("package") else ROOT) / line["path"]
    if not path.is_file():
        pytest.skip(f"{line['path']} is not there")
    return path


def with_pixels(*transfer_syntaxes: str) -> list[Any]:
    """A pytest parameter for each DICOM file of these transfer syntaxes on whose samples decoders agree."""
    found = [
        pytest.param(line, id=Path(line["path"]).name)
        for line in lines()
        if line.get("transfer_syntax") in transfer_syntaxes and line.get("pixels", {}).get("consensus")
    ]
    return found or [pytest.param(None, marks=pytest.mark.skip(reason="the corpus is absent"))]


def codestreams(line: dict[str, Any]) -> Iterator[tuple[bytes, str]]:
    """Each frame's codestream with the expected sha256 of its samples."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.encaps import generate_frames

    pixels = line["pixels"]
    data = pydicom.dcmread(path_of(line), force=True).PixelData
    frames = generate_frames(data, number_of_frames=pixels["frames"])
    return zip(frames, pixels["consensus"], strict=True)


def sha256(array: np.ndarray[Any, Any]) -> str:
    """The hash of an array's samples, little endian."""
    return hashlib.sha256(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).hexdigest()
