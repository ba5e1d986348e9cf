"""archive.report and `dicomcore report`: the page shows the content of the index, and runs and loads nothing."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.corpus import PYDICOM
from tests.support.peers import without_preloads

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")
pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
pytest.importorskip("PIL")

import pyarrow as pa
import pyarrow.parquet as pq

from dicomcore.archive import index, report
from dicomcore.archive.reporting.findings import Findings, series_to_show
from dicomcore.archive.reporting.sql import connected
from dicomcore.cli import main

BROWSERS = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
CHROMIUM = next(filter(None, BROWSERS), None)
EVIL = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)> $\\frac{1}$ {{ 7*7 }} \x00\x1b[31m\u202e \ud83d"


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def real_index(tmp_path_factory):
    return index(PYDICOM / "test_files", out=tmp_path_factory.mktemp("report") / "index.parquet")


@pytest.fixture(scope="module")
def real_page(real_index):
    return report(real_index, real_index.with_name("report.html"))


def page_of(table, tmp_path, **options) -> Page:
    return Page(report(table, tmp_path / "report.html", **options).read_text(encoding="utf-8"))


def ask(table, question):
    with connected(table) as database:
        return getattr(Findings(database), question)()


def test_a_page_of_real_files(real_index, real_page):
    text = real_page.read_text(encoding="utf-8")
    page, table = Page(text), pq.read_table(real_index)
    assert f"{len(table)}files" in re.sub(r"\s", "", page.text)
    for wanted in (
        "Explicit VR Little Endian",
        "CT Image",
        "GE MEDICAL SYSTEMS",
        "MISSING_PREAMBLE",
        "no file meta information at byte 0",
        "161 slices missing",
        "7 orientations",
    ):
        assert wanted in page.text, wanted
    assert text.count("data:image/jpeg;base64,") > 30
    assert real_page.stat().st_size < 1 << 20
    assert not list(real_page.parent.glob("*.part"))


def test_nothing_is_loaded_and_nothing_runs(real_page):
    page = Page(real_page.read_text(encoding="utf-8"))
    assert not page.tags & {"script", "iframe", "object", "embed", "link", "base", "form", "image", "foreignobject"}
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ("src", "href", "xlink:href", "action"):
            assert value.startswith(("data:image/jpeg;base64,", "#")), (tag, name, value[:80])
        assert "http" not in value or name.startswith("xmlns"), (tag, name, value)


def evil_table(rows: int = 3) -> pa.Table:
    """An index in which every text is an attack; one row has an error, and all have the same UID."""
    evil = EVIL.encode("utf-8", "replace").decode()
    text = dict.fromkeys(
        ("path", "PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID", "SeriesDescription", "Modality",
         "SOPInstanceUID", "SOPClassUID", "TransferSyntaxUID", "Manufacturer"), [evil] * rows,
    )  # fmt: skip
    return pa.table(
        {
            **text,
            "size": [10] * rows,
            "StudyDate": [date(2020, 1, 1)] * rows,
            "Rows": [5] * rows,
            "ImagePositionPatient": [[0.0, 0.0, float(z)] for z in (0, 1, 9)[:rows]],
            "ImageOrientationPatient": [[1.0, 0, 0, 0, 1, 0]] * rows,
            "issues": [[f"{evil} {evil}"]] * rows,
            "error": pa.array([None] * (rows - 1) + [evil], pa.string()),
        }
    )


def test_everything_is_escaped(tmp_path):
    page = page_of(evil_table(), tmp_path, title=EVIL.encode("utf-8", "replace").decode())
    assert not page.tags & {"script", "img"}
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.text.count("<script>alert('x')</script>") > 8
    assert "{{ 7*7 }}" in page.text
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text


def test_a_hostile_file_is_escaped(tmp_path):
    import pydicom

    made = pydicom.dcmread(PYDICOM / "test_files" / "CT_small.dcm")
    made.PatientName = made.Manufacturer = made.SeriesDescription = "<script>alert(1)</script>"
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    folder.mkdir()
    made.save_as(folder / "<script>.dcm")
    made.save_as(folder / "<script>2.dcm")
    page = page_of(index(tmp_path), tmp_path)
    assert "script" not in page.tags
    assert all(value.startswith("data:") for _, name, value in page.attributes if name == "src")
    assert "<script>.dcm" in page.text


LEFT_OUT = {
    "none": [],
    "size": ["size"],
    "findings": ["error", "issues"],
    "series": ["SeriesInstanceUID", "SOPInstanceUID"],
    "modality": ["Modality", "Rows", "StudyDate", "SeriesDescription"],
    "all but paths": evil_table().schema.names[1:],
}


@pytest.mark.parametrize("left_out", LEFT_OUT.values(), ids=LEFT_OUT)
def test_columns_and_rows_may_be_missing(tmp_path, left_out):
    table = evil_table().drop_columns(left_out)
    for rows in (table, table.slice(0, 0)):
        page = page_of(rows, tmp_path)
        assert ("The index has no rows." in page.text) == (len(rows) == 0)


def test_a_table_of_nulls_gives_a_page(tmp_path):
    table = evil_table()
    kinds = table.schema
    nulls = {name: table[name] if name == "path" else pa.nulls(3, kinds.field(name).type) for name in kinds.names}
    assert "(none)" in page_of(pa.table(nulls), tmp_path).text


def test_counts_equal_the_table(real_index):
    table = pq.read_table(real_index)
    facts = ask(real_index, "facts")
    read = [row for row in table.to_pylist() if row["error"] is None]
    assert facts.files == len(table)
    assert facts.unreadable + facts.not_dicom == len(table) - len(read)
    assert facts.series == len({row["SeriesInstanceUID"] for row in read} - {None})
    assert facts.deviating == sum(row["issues"] is not None for row in read)
    with connected(real_index) as database:
        counted = Findings(database).counts("Modality")
    assert sum(one.files for one in counted) == len(read)
    assert counted[0].files == sum(row["Modality"] == counted[0].name for row in read)
    assert sum(count for _, count in ask(real_index, "years")) == sum(row["StudyDate"] is not None for row in read)
    assert sum(count for _, count in ask(real_index, "sizes")) == sum(row["size"] > 0 for row in table.to_pylist())
    assert sum(count for _, count, _ in ask(real_index, "errors")) == facts.unreadable
    uids = [row["SOPInstanceUID"] for row in read if row["SOPInstanceUID"]]
    assert ask(real_index, "duplicates")[1] == len(uids) - len(set(uids))


def lying(places, turned=(1, 0, 0, 0, 1, 0), spacing=(1.0, 1.0), series="1.2"):
    return [
        {
            "path": f"{series}-{i}",
            "SeriesInstanceUID": series,
            "Modality": "CT",
            "SeriesDescription": None,
            "ImagePositionPatient": [float(one) for one in place],
            "ImageOrientationPatient": [float(one) for one in turned],
            "PixelSpacing": list(spacing),
            "NumberOfFrames": None,
        }
        for i, place in enumerate(places)
    ]


Z = [(0, 0, z) for z in range(6)]
SERIES = {  # name: (rows, (orientations, pixel spacings, slices missing, slices at one place))
    "plain": (lying(Z), None),
    "not in order": (lying(reversed(Z)), None),
    "a gap of two": (lying([*Z, (0, 0, 8)]), (1, 1, 2, 0)),
    "sagittal, a gap": (lying([(x, 5, 9) for x in (0, 3, 6, 12, 15)], (0, 1, 0, 0, 0, -1)), (1, 1, 1, 0)),
    "twice": (lying([*Z, *Z]), (1, 1, 0, 6)),
    "two planes": (lying(Z) + lying([(x, 0, 0) for x in range(4)], (0, 1, 0, 0, 0, -1)), (2, 1, 0, 0)),
    "two spacings": (lying(Z) + lying([(0, 0, 6)], spacing=(2.0, 2.0)), (1, 2, 0, 0)),
    "one slice": (lying(Z[:1]), None),
    "minus zero": (lying(Z[:3]) + lying(Z[3:], (1, -0.0, 0, 0, 1, -0.0)), None),
    "not a number": (lying([*Z[:3], (0, 0, float("nan"))]), ...),
}


@pytest.mark.parametrize(("rows", "wanted"), SERIES.values(), ids=SERIES)
def test_irregular_geometry_is_counted(rows, wanted):
    sums, worst = ask(pa.Table.from_pylist(rows), "geometry")
    if wanted is ...:
        return
    assert [one[4:] for one in worst] == ([wanted] if wanted else [])
    assert any(sums.values()) == bool(wanted)


def test_pictures_come_from_every_modality(real_index):
    with connected(real_index) as database:
        shown = series_to_show(Findings(database), 6)
    modalities = [rows[0]["Modality"] for _, rows in shown]
    assert len(shown) == 6 == len(set(modalities))
    assert all(1 <= len(rows) <= 3 for _, rows in shown)


def test_a_page_without_the_files_has_no_pictures(real_index, tmp_path):
    table = pq.read_table(real_index)
    moved = table.set_column(0, "path", pa.array([f"/nowhere{one}" for one in table["path"].to_pylist()]))
    page = page_of(moved, tmp_path)
    assert "the files are not available" in page.text
    assert "img" not in page.tags
    assert "Pictures" not in page_of(real_index, tmp_path, pictures=0).text


ROWS = 500_000
MEMORY = """
import resource, sys
from dicomcore.archive import report
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
report(sys.argv[1], sys.argv[2], pictures=0)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def many(rows: int, place: Path) -> str:
    """An index of `rows` slices in series of 100; columns that are unique in practice have unique values."""
    schema = pa.Table.from_pylist([{**lying(Z)[0], "SeriesDescription": "", "NumberOfFrames": 1}]).schema
    schema = schema.append(pa.field("SOPInstanceUID", pa.string())).append(pa.field("size", pa.int64()))
    with pq.ParquetWriter(place, schema) as writer:
        for start in range(0, rows, 50_000):
            numbers = range(start, min(start + 50_000, rows))
            count = len(numbers)
            columns = {
                "path": [f"/archive/of/a/hospital/{i // 100}/{i}.dcm" for i in numbers],
                "SeriesInstanceUID": [f"1.2.840.99999.1.2.{i // 100}.3.4.5.6.7" for i in numbers],
                "Modality": ["CT"] * count,
                "SeriesDescription": [f"Series {i // 100}" for i in numbers],
                "ImagePositionPatient": [[0.0, 0.0, float(i % 100)] for i in numbers],
                "ImageOrientationPatient": [[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]] * count,
                "PixelSpacing": [[0.5, 0.5]] * count,
                "NumberOfFrames": pa.nulls(count, schema.field("NumberOfFrames").type),
                "SOPInstanceUID": [f"1.2.840.99999.1.2.{i}.3.4.5.6.7.8.9" for i in numbers],
                "size": list(numbers),
            }
            writer.write_table(pa.table(columns, schema))
    return str(place)


def test_half_a_million_rows_in_bounded_memory(tmp_path):
    source = many(ROWS, tmp_path / "many.parquet")
    command = [sys.executable, "-c", MEMORY, source, str(tmp_path / "report.html")]
    used = int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert f"{ROWS:,}" in page.text
    assert f"{ROWS // 100:,}" in page.text
    assert used < 700, f"{used} MB"


# ---- the command, and a browser


def test_the_command(real_index, tmp_path, capsys):
    target = tmp_path / "report.html"
    assert main(["report", str(real_index), "-o", str(target), "--title", "A & B", "--pictures", "2"]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert "<title>A &amp; B</title>" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["nowhere", "-o", "x"], 2), ([__file__, "-o", "x"], 2), (["{index}", "-o", "x", "--pictures", "-1"], 2),
     (["{index}", "-o", "none/x.html", "--pictures", "0"], 1)],
    ids=["no index", "no Parquet", "no number", "no folder"],
)  # fmt: skip
def test_wrong_use(arguments, code, real_index, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", *(one.format(index=real_index) for one in arguments)]) == code
    assert capsys.readouterr().err.startswith("dicomcore report: ")
    assert not list(tmp_path.iterdir())


def chromium(tmp_path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: the page was not opened in a browser")
    base = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={tmp_path}/p",
    ]
    return subprocess.run(
        [*base, *arguments], capture_output=True, text=True, check=False, timeout=120, env=without_preloads()
    )


@pytest.mark.parametrize("width", [1280, 500])
def test_a_browser_draws_it(real_page, tmp_path, width):
    from PIL import Image

    picture = tmp_path / "page.png"
    said = chromium(tmp_path, f"--window-size={width},1200", f"--screenshot={picture}", real_page.as_uri())
    assert picture.exists(), said.stderr[-2000:]
    shown = Image.open(picture).convert("RGB")
    assert shown.width == width
    colours = {colour for count, colour in shown.getcolors(1 << 24) if count > width * 2}
    assert {(255, 255, 255), (244, 246, 248), (31, 111, 178)} <= colours  # cards, page and bars


def test_a_browser_runs_no_script_of_the_page(tmp_path):
    """The index has scripts that would change the title, but the document in the browser keeps its own."""
    evil = "<script>document.title='PWNED'</script><img src=x onerror=\"document.title='PWNED'\">"
    table = pa.table({"path": [evil], "Manufacturer": [evil], "issues": [[evil]]})
    page = report(table, tmp_path / "page.html", title="calm")
    said = chromium(tmp_path, "--dump-dom", page.as_uri())
    assert "<title>calm</title>" in said.stdout
    assert html.escape(evil, quote=False)[:40] in said.stdout
