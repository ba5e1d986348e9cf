"""A catalogue over an index: the same answers as a live one, and instances wherever they lie."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicomcore import Dataset, catalogue, dcmread
from dicomcore.catalogue.attributes import COLUMNS, COUNTED, KEYS, LEVELS
from dicomcore.dictionary import dictionary_VR
from tests.catalogue.test_matching import TIMED

pytest.importorskip("duckdb")
archive = pytest.importorskip("dicomcore.archive")

FILES = [
    path
    for path in sorted(Path(pydicom.data.__file__).parent.rglob("*.dcm"))
    if path.read_bytes()[128:132] == b"DICM"
]  # fmt: skip
EVERY = [*archive.DEFAULT_COLUMNS, *(name for level in LEVELS for name in COLUMNS[level]
         if name not in archive.DEFAULT_COLUMNS)]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    for path in FILES:
        shutil.copy(path, made)
    return made


@pytest.fixture(scope="module")
def table(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[catalogue.TableCatalogue]:
    index = tmp_path_factory.mktemp("index") / "index.parquet"
    archive.index([folder], out=index, columns=EVERY)
    with catalogue.open(index) as made:
        yield made


@pytest.fixture(scope="module")
def live(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[catalogue.LiveCatalogue]:
    with catalogue.open(tmp_path_factory.mktemp("live")) as made:
        made.add_all(sorted(folder.iterdir()))
        yield made


@pytest.mark.parametrize("level", LEVELS)
def test_a_table_knows_what_a_live_catalogue_knows(
    table: catalogue.TableCatalogue, live: catalogue.LiveCatalogue, level: str
) -> None:
    query = catalogue.query(level=level)
    key = KEYS[level]
    names = [name for name in (*COLUMNS[level], *COUNTED[level])
             if dictionary_VR(name) not in ("DA", "DS", "IS", "SQ")]  # fmt: skip
    found = {row[key]: [row[name] for name in names] for row in table.search(query)}
    assert found == {row[key]: [row[name] for name in names] for row in live.search(query)}
    assert table.count(query) == live.count(query) == len(found)


TEXTS = st.text(alphabet="*?[]^=\\ ABCDMRTct0123456789.-'\"%_é", max_size=12)
WORDS = ("LO", "PN", "CS", "DA", "TM", "UI", "SH")
KEYWORDS = st.sampled_from([one for level in LEVELS for one in COLUMNS[level] if dictionary_VR(one) in WORDS])


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(level=st.sampled_from(LEVELS), keys=st.dictionaries(KEYWORDS, TEXTS, max_size=3), data=st.data())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_database_finds_what_python_finds(
    table: catalogue.TableCatalogue, level: str, keys: dict[str, str], data: st.DataObject
) -> None:
    everything = list(table.search(catalogue.Query(level)))
    ds = Dataset()
    for keyword, text in keys.items():
        values = sorted({str(row[keyword]) for row in everything if row.get(keyword)})
        vr = dictionary_VR(keyword)
        if vr in TIMED:  # another text is refused
            text = data.draw(TIMED[vr])
        elif values and data.draw(st.booleans()):
            text = data.draw(st.sampled_from(values))
            cut = data.draw(st.integers(0, len(text)))
            text = data.draw(st.sampled_from([text, text[:cut] + "*", "*" + text[cut:], text[:cut] + "?" + text[cut:]]))
        ds.add_new(keyword, vr, text)
    query = catalogue.compile_identifier(ds, level=level, combined=data.draw(st.booleans()))
    names = {name for one in LEVELS[: LEVELS.index(level) + 1] for name in COLUMNS[one]}
    supported = catalogue.Query(level, [term for term in query.terms if term.keyword in names])
    assert [row for row in everything if supported.matches(row)] == list(table.search(query))


def test_pages_and_orders(table: catalogue.TableCatalogue) -> None:
    query = catalogue.query(level="STUDY")
    for order in ("", "arrival", "date", "uid"):
        everything = list(table.search(query, order=order))
        pages: list[dict[str, Any]] = []
        while True:
            page = table.page(query, limit=7, offset=len(pages), order=order or "uid")
            pages += page.rows
            if not page.has_more:
                break
        assert len(pages) == len(everything)
        assert len({row["StudyInstanceUID"] for row in pages}) == len(everything)
    dates = [row["StudyDate"] for row in table.search(query, order="date")]
    assert dates == sorted(dates, reverse=True)


def test_what_the_index_has_not_is_in_the_files(folder: Path) -> None:
    with catalogue.TableCatalogue(archive.index([folder])) as table:
        query = catalogue.query({"ReferringPhysicianName": "Moriarty*", "PatientName": ""}, include=["KVP"])
        assert table.count(query) == len(list(table.search(query))) > 1  # a key that is not supported
        (row,) = table.search(query, deep=True)
        assert row["ReferringPhysicianName"] == "Moriarty^James"


def test_instances_in_archives(tmp_path: Path) -> None:
    chosen = [path for path in FILES if path.name in ("CT_small.dcm", "MR_small.dcm", "color3d_jpeg_baseline.dcm")]
    with zipfile.ZipFile(tmp_path / "some.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(chosen[0], "a/one.dcm")
    with tarfile.open(tmp_path / "some.tar", "w") as tarred:
        tarred.add(chosen[1], "b/two.dcm")
    with catalogue.TableCatalogue(archive.index([tmp_path])) as table:
        for path in chosen[:2]:
            ds = dcmread(path)
            (entry,) = table.instances(instance=str(ds.SOPInstanceUID))
            assert "!/" in entry.path
            read = dcmread(table.source(entry))
            assert read.PixelData == ds.PixelData
            places = table.frames(entry)
            assert len(places) == 1
            ((offset, length),) = places.spans(0)
            assert table.source(entry).read_at(offset, length) == bytes(ds.PixelData)[:length]
        gone = entry._replace(path=str(tmp_path / "some.zip!/gone.dcm"), sop_instance="1")
        with pytest.raises(OSError, match=r"gone\.dcm"):
            table.source(gone)


NO_INDEX = {"empty": b"", "text": b"path,size\n", "a picture": b"\x89PNG\r\n" * 99}


@pytest.mark.parametrize("data", NO_INDEX.values(), ids=NO_INDEX)
def test_what_is_no_index(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ValueError, match="is no index"):
        catalogue.open(tmp_path / "file")


def test_a_folder_of_parts(folder: Path, tmp_path: Path, table: catalogue.TableCatalogue) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    paths = sorted(folder.iterdir())
    archive.index(paths[::2], out=parts / "0.parquet")
    archive.index(paths[1::2], out=parts / "1.parquet")
    with catalogue.open(parts) as both:
        assert len(both) == len(table)
        assert both.is_read_only
        assert both.has(next(table.search(catalogue.query(level="IMAGE")))["SOPInstanceUID"])


@pytest.mark.parametrize("kind", ["live", "table"])
def test_series_of_one_uid_in_two_studies_stay_apart(kind: str, tmp_path: Path) -> None:
    ds = dcmread(pydicom.data.get_testdata_file("CT_small.dcm"))
    (tmp_path / "files").mkdir()
    for study, instance in (("1.1", "1.1.1"), ("1.2", "1.2.1"), ("1.2", "1.2.2")):
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = study, "1.9", instance
        ds.save_as(tmp_path / "files" / f"{instance}.dcm")
    if kind == "table":
        archive.index([tmp_path / "files"], out=tmp_path / "index.parquet", columns=EVERY)
    with catalogue.open(tmp_path / ("files" if kind == "live" else "index.parquet")) as store:
        if isinstance(store, catalogue.LiveCatalogue):
            store.renew()
        studies = {row["StudyInstanceUID"]: row for row in store.search(catalogue.query(level="STUDY"))}
        assert {uid: row["NumberOfStudyRelatedInstances"] for uid, row in studies.items()} == {"1.1": 1, "1.2": 2}
        for study, count in (("1.1", 1), ("1.2", 2)):
            (series,) = store.search(catalogue.query({"StudyInstanceUID": study}, level="SERIES"))
            assert series["NumberOfSeriesRelatedInstances"] == count
            assert {one.study for one in store.instances(study=study, series="1.9")} == {study}
            assert len(store.instances(study=study)) == count
        assert len(store.instances(series="1.9")) == 3
