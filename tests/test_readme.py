"""The README's code runs, and gives what its comments say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from corpus import PYDICOM

import dicomcore as dc

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A folder as the README has it."""
    (tmp_path / "archive").mkdir()
    for place in ("CT_small.dcm", "archive/1.dcm"):
        shutil.copy(PYDICOM / "test_files" / "CT_small.dcm", tmp_path / place)
    monkeypatch.chdir(tmp_path)


def test_tour(archive):
    names: dict = {}
    exec(BLOCKS[0], names)
    ds, rows = names["ds"], names["rows"]
    assert ds.PatientName.family_name == "CompressedSamples"
    assert ds.Rows == 128
    assert ds["PixelSpacing"].array.tolist() == [0.661468, 0.661468]
    assert ds[0x0008, 0x0060].value == "CT"
    assert ds.transfer_syntax.name == "Explicit VR Little Endian"
    assert ds.issues == ()
    assert ds.pixel_array.shape == (128, 128)
    assert ds.frames[0].dtype == np.int16
    assert rows["tag"][rows["length"] > 10_000].tolist() == [0x7FE00010]
    assert dc.dcmread("new.dcm").PatientID == "anon-1"
    assert dc.Dataset.from_json(ds.to_json()) == ds


def test_table(archive):
    pytest.importorskip("pyarrow")
    names: dict = {}
    exec(BLOCKS[1], names)
    assert names["table"].column("Modality").to_pylist() == ["CT"]


def test_rooms_come_with_the_package():
    code = "import sys, dicomcore as dc; assert 'dicomcore.codecs' not in sys.modules; dc.codecs.rle_encode; dc.pixels"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dc.nothing
