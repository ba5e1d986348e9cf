"""`dicomcore sheet` draws one picture a series, and reports the series it can't draw."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest

from dicomcore.cli import main
from tests.support.corpus import PYDICOM

pytest.importorskip("pyarrow")
Image = pytest.importorskip("PIL.Image")
FILES = ("CT_small.dcm", "MR_small.dcm", "examples_ybr_color.dcm", "rtplan.dcm", "JPEG2000.dcm")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "archive"
    made.mkdir()
    for name in FILES:
        shutil.copy(PYDICOM / "test_files" / name, made / name)
    return made


def test_draws_a_folder_and_its_index_alike(folder, tmp_path, capsys):
    sheet, index, again = tmp_path / "sheet.png", tmp_path / "index.parquet", tmp_path / "again.png"
    assert main(["sheet", str(folder), "-o", str(sheet), "--size", "64", "--columns", "2"]) == 0
    assert "4 of 4 series" in capsys.readouterr().out
    assert main(["index", str(folder), "-o", str(index)]) == 0
    assert main(["sheet", str(index), "-o", str(again), "--size", "64", "--columns", "2"]) == 0
    pixels = np.asarray(Image.open(sheet))
    assert np.array_equal(pixels, np.asarray(Image.open(again)))
    fields = [pixels[y : y + 64, x : x + 64] for y in (8, 110) for x in (8, 80)]
    assert all(field.std() > 10 for field in fields)


def test_issues_of_rendering_are_reported(tmp_path, capsys):
    """And padding doesn't widen the range of a picture."""
    (tmp_path / "in").mkdir()
    ds = pydicom.dcmread(PYDICOM / "test_files" / "CT_small.dcm")
    ds.RescaleSlope = 0
    ds.PixelPaddingValue = -2000
    values = ds.pixel_array.astype("i2")
    values[:] = 100
    values[:, 64:] = 200
    values[:8] = -2000
    ds.PixelData = values.tobytes()
    ds.save_as(tmp_path / "in" / "a.dcm")
    assert main(["sheet", str(tmp_path / "in"), "-o", str(tmp_path / "sheet.png"), "--size", "128"]) == 0
    assert "RESCALE_SLOPE" in capsys.readouterr().err
    pixels = np.asarray(Image.open(tmp_path / "sheet.png"))[8:136, 8:136, 0]
    assert (pixels[:6] == 0).all()
    assert (pixels[12:, :60] == 0).all()
    assert (pixels[12:, 68:] == 255).all()


def test_a_series_that_cannot_be_decoded_is_reported(folder, tmp_path, capsys):
    data = (folder / "CT_small.dcm").read_bytes()
    (folder / "CT_small.dcm").write_bytes(data[: data.rindex(b"\xe0\x7f\x10\x00")])
    assert main(["sheet", str(folder), "-o", str(tmp_path / "sheet.jpg")]) == 1
    said = capsys.readouterr()
    assert "CT_small.dcm" in said.err
    assert "3 of 4 series" in said.out
    assert (tmp_path / "sheet.jpg").stat().st_size > 1000


@pytest.mark.parametrize(
    "arguments",
    [["nowhere", "-o", "x.png"], [".", "-o", "x.txt"], [".", "-o", "x.png", "--size", "3"]],
    ids=["no such folder", "no such format", "no such size"],
)
def test_wrong_use(arguments, capsys):
    assert main(["sheet", *arguments]) == 2
    assert capsys.readouterr().err.startswith("dicomcore sheet: ")
