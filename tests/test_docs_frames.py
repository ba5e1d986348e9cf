"""The code of docs/frames.md runs as it stands there, and gives what its comments say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from corpus import PYDICOM

pytest.importorskip("pyarrow")

PAGE = Path(__file__).parents[1] / "docs" / "frames.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
SERIES = sorted((PYDICOM / "test_files" / "dicomdirtests" / "98892001" / "CT5N").iterdir())


@pytest.fixture
def names(tmp_path, monkeypatch):
    """A folder as the page has it; what the blocks leave behind, one after the other."""
    for folder in ("archive", "ct"):
        (tmp_path / folder).mkdir()
        for i, path in enumerate(SERIES):
            shutil.copy(path, tmp_path / folder / f"{i + 1}.dcm")
    (tmp_path / "archive" / "notes.txt").write_text("no DICOM")
    monkeypatch.chdir(tmp_path)
    left: dict = {}
    for block in BLOCKS:
        exec(block, left)
    return left


def test_the_blocks_run(names):
    assert len(BLOCKS) == 4
    assert names["label"] == "CT"
    assert names["total"] != 0
    assert [path for path, _ in names["bad"]] == ["archive/notes.txt"]
    assert names["seen"] == 8
    assert names["batch"].shape == (2, 16, 16)
    volume = names["volume"]
    assert (volume.array.shape, volume.array.dtype) == ((5, 16, 16), np.float32)
    assert volume.issues == ()
    assert volume.spacing == pytest.approx((2.5, 0.488281, 0.488281))
