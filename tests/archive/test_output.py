"""The table's file in each format, and the queries of the documentation."""

from __future__ import annotations

import csv
import re
import shutil
from collections import Counter
from pathlib import Path

import pydicom
import pytest

from tests.support.corpus import real

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
feather = pytest.importorskip("pyarrow.feather")

from dicomcore.archive import index  # noqa: E402

DOCUMENT = Path(__file__).parents[2] / "docs" / "archive.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
NAMES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "chrH31.dcm")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "archive").mkdir()
    for name in NAMES:
        shutil.copy(real(name), tmp_path / "archive" / name)
    shutil.copy(real("CT_small.dcm"), tmp_path / "archive" / "again.dcm")
    (tmp_path / "archive" / "notes.txt").write_text("no DICOM")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "archive"


def test_parquet_has_groups_and_statistics(archive, monkeypatch):
    monkeypatch.setattr("dicomcore.archive.tables.run.BATCH", 2)
    monkeypatch.setattr("dicomcore.archive.tables.output.GROUP_ROWS", 4)
    file = pq.ParquetFile(index(archive, out="index.parquet"))
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [4, 3]
    names = [file.metadata.row_group(0).column(i).path_in_schema for i in range(file.metadata.num_columns)]
    for name in ("path", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "StudyDate"):
        statistics = file.metadata.row_group(0).column(names.index(name)).statistics
        values = [one for one in file.read_row_group(0, [name])[name].to_pylist() if one is not None]
        assert (statistics.min, statistics.max) == (min(values), max(values))


@pytest.mark.parametrize("name", ["index", "index.parquet", "index.pq", "index.arrow", "index.feather", "index.ipc"])
def test_a_file_of_each_format_equals_the_table(archive, name):
    index(archive, out=name)
    table = feather.read_table(name) if name.endswith(("w", "r", "c")) else pq.read_table(name)
    assert table.equals(index(archive))


def test_csv_joins_multiple_values(archive):
    index(archive, out="index.csv", columns=["PatientName", "PixelSpacing", "ImageType", "Rows", "StudyDate", "all"])
    with open("index.csv", encoding="utf-8", newline="") as file:
        rows = {Path(row["path"]).name: row for row in csv.DictReader(file)}
    assert len(rows) == 7
    ct = rows["CT_small.dcm"]
    assert (ct["PixelSpacing"], ct["ImageType"]) == ("0.661468\\0.661468", "ORIGINAL\\PRIMARY\\AXIAL")
    assert (ct["Rows"], ct["StudyDate"]) == ("128", "2004-01-19")
    assert '"PatientID": "1CT1"' in ct["elements"]
    assert rows["chrH31.dcm"]["PatientName"].startswith("Yamada^Tarou=山田")
    assert rows["notes.txt"]["error"].startswith("InvalidDicomError")
    index(archive, out="index.csv", columns=["Rows"])  # again, over it
    head = Path("index.csv").read_text().splitlines()[0]
    assert head.replace('"', "") == "path,size,mtime,etag,Rows,issues,error,error_kind"


@pytest.mark.parametrize("name", ["index.json", "index.parquet.gz", "index.xlsx"])
def test_an_unknown_suffix_is_refused(archive, name):
    with pytest.raises(ValueError, match="no format"):
        index(archive, out=name)
    assert not Path(name).exists()


@pytest.mark.parametrize("name", ["index.parquet", "index.arrow"])
def test_rows_are_sorted_by_columns(archive, name):
    for _ in range(2):
        index(archive, out=name, sort_by=["Modality", "path"])
        table = pq.read_table(name) if name.endswith("t") else feather.read_table(name)
        plain = index(archive)
        assert table["Modality"].to_pylist() == ["CT", "CT", "MR", "NM", "OT", "RTPLAN", None]
        assert table.sort_by("path").drop_columns("duplicate").equals(plain.drop_columns("duplicate"))
        assert table.equals(index(archive, sort_by=["Modality", "path"]))
    index(archive, out=name)
    assert (pq.read_table(name) if name.endswith("t") else feather.read_table(name)).equals(plain)
    with pytest.raises(ValueError, match="sorted by"):
        index(archive, out=name, sort_by=["ImageType"])


def years_by_pydicom(archive: Path) -> dict[tuple[float, str], int]:
    data_sets = [pydicom.dcmread(path) for path in sorted(archive.glob("*.dcm"))]
    studies = {ds.StudyInstanceUID: ds for ds in reversed(data_sets)}.values()
    return Counter((float(ds.StudyDate[:4]), ds.Modality) for ds in studies if ds.get("StudyDate"))


def test_the_queries_in_the_documentation_run(archive):
    for library in ("pandas", "polars", "duckdb"):
        pytest.importorskip(library)
    (archive / "empty").write_bytes(b"")
    names: dict = {}
    for block in BLOCKS:
        exec(block, names)
    assert {key: n for key, n in names["by_year"].items() if key[0] == key[0]} == years_by_pydicom(archive)
    thin = names["thin"].to_dicts()
    assert [(row["slices"], row["PixelSpacing"]) for row in thin] == [(1, [0.661468, 0.661468])]
    assert names["unreadable"] == [("damaged", "InvalidDicomError: is empty", 1, "archive/empty")]
    assert all(files >= 1 for *_, files in names["deviating"])
    assert feather.read_table("frames.arrow")["pixel_hash"].null_count < 8
