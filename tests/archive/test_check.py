"""`archive.check`: a table of what is wrong with many files, and what it comes to."""

from __future__ import annotations

import os
import shutil
import warnings
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dicomcore import DataElement, Dataset, Limits, archive, dcmread, iod
from dicomcore.archive.checking import batch as checking
from dicomcore.archive.checking.rules import Rules
from dicomcore.archive.checking.table import findings_schema
from dicomcore.errors import DicomError
from tests.support.corpus import ABSENT, dicom_files, real

OPTIONS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "notes": {"at_least": "note"},
    "coherence": {"rules": ("coherence",), "at_least": "note"},
    "values": {"rules": ("values",)},
    "without issues": {"rules": ("-ISSUE",), "at_least": "note"},
    "another IOD": {"iod": "CT Image Storage"},
    "few levels": {"limits": Limits(depth=1)},
    "few elements": {"limits": Limits(elements=40)},
    "strict": {"limits": Limits(strict=True)},
}
ITEM = b"\xfe\xff\x00\xe0"
FINDING = ("code", "severity", "path", "tag", "module", "clause", "message", "count")


def rows_of(paths: list[str], *, bulk: bool = True, **options: Any) -> pa.RecordBatch:
    rules = Rules(**options)
    return checking.check_batch(paths, rules, findings_schema(rules), bulk=bulk)


def files() -> list[str]:
    return list(dict.fromkeys(str(one.path) for one in dicom_files()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clean file, one with findings, an empty one, and a text."""
    root = tmp_path / "files"
    root.mkdir()
    shutil.copy(real("MR_small.dcm"), root / "a.dcm")
    broken = dcmread(real("MR_small.dcm"))
    broken.BitsStored = 17
    with warnings.catch_warnings(action="ignore"):
        broken.PatientBirthDate = "19700000"
    broken.save_as(root / "b.dcm")
    (root / "c.dcm").write_bytes(b"")
    (root / "README").write_text("Nothing but text, long enough to be no DICOM file. " * 9)
    return root


# -- the rows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_both_ways_give_the_same_rows(options: dict[str, Any]) -> None:
    paths = files()
    bulk, plain = rows_of(paths, **options), rows_of(paths, bulk=False, **options)
    for mine, other in zip(bulk.to_pylist(), plain.to_pylist(), strict=True):
        assert mine == other
    assert bulk.equals(plain)


def test_the_native_loop_checks_most_files(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[str] = []
    plain = checking._checked

    def counted(path: str, *rest: Any) -> Any:
        handed.append(path)
        return plain(path, *rest)

    monkeypatch.setattr(checking, "_checked", counted)
    paths = [str(real(name)) for name in ("MR_small.dcm", "CT_small.dcm", "rtplan.dcm", "JPEG2000.dcm")]
    rows_of(paths)
    assert handed == []


@pytest.mark.parametrize("name", ["MR_small.dcm", "rtplan.dcm", "liver_1frame.dcm", "JPEG2000.dcm"])
def test_damaged_files_give_the_same_rows(name: str, tmp_path: Path) -> None:
    data = real(name).read_bytes()
    made = [data[:end] for end in range(0, min(len(data), 12000), 97)]
    for at in range(140, min(len(data), 6000), 53):
        made.append(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
    paths = [f"{tmp_path}/{number:04}" for number in range(len(made))]
    for path, damaged in zip(paths, made, strict=True):
        Path(path).write_bytes(damaged)
    options: dict[str, Any] = {"rules": ("-ISSUE",), "at_least": "note"}
    assert rows_of(paths, **options).to_pylist() == rows_of(paths, bulk=False, **options).to_pylist()


def with_frames(ds: Dataset) -> None:
    """Frames that are alike, and one that is not."""
    one = ds.PerFrameFunctionalGroupsSequence[0]
    ds.PerFrameFunctionalGroupsSequence = [deepcopy(one) for _ in range(40)]
    ds.NumberOfFrames = 40
    del ds.PerFrameFunctionalGroupsSequence[17].SegmentIdentificationSequence
    ds.PerFrameFunctionalGroupsSequence[20].FrameContentSequence[0].DimensionIndexValues = [1, 2, 3]


def in_un(ds: Dataset) -> None:
    """A sequence whose VR only the dictionary knows."""
    item = b"\x08\x00\x50\x11\x04\x00\x00\x001.2\x00"
    ds[0x00081140] = DataElement(0x00081140, "UN", ITEM + len(item).to_bytes(4, "little") + item)


def of_a_retired_class(ds: Dataset) -> None:
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6"


def without_a_module(ds: Dataset) -> None:
    del ds.FrameOfReferenceUID, ds.PositionReferenceIndicator


def with_too_many_values(ds: Dataset) -> None:
    """By the dictionary, and by the module as well."""
    ds.StudyDescription = ["a", "b"]
    ds.ImageType = "ORIGINAL"


CHANGED: dict[str, tuple[str, Callable[[Dataset], None], set[str]]] = {
    "frames that are alike": ("liver.dcm", with_frames, {"GROUP_MISSING", "DIMENSION_COUNT"}),
    "a sequence in UN": ("CT_small.dcm", in_un, {"MISSING"}),
    "a retired SOP class": ("CT_small.dcm", of_a_retired_class, {"UNKNOWN_SOP_CLASS", "RETIRED"}),
    "a module that is missing": ("CT_small.dcm", without_a_module, {"MODULE_MISSING"}),
    "numbers of values": ("CT_small.dcm", with_too_many_values, {"VALUE_COUNT"}),
}


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.parametrize("at_least", ["note", "warning"])
def test_changed_files_give_the_same_rows(name: str, at_least: str, tmp_path: Path) -> None:
    source, change, codes = CHANGED[name]
    ds = dcmread(real(source))
    change(ds)
    ds.save_as(tmp_path / "a", enforce_standard=False)
    paths = [str(tmp_path / "a")]
    found = rows_of(paths, at_least=at_least).to_pylist()
    assert found == rows_of(paths, at_least=at_least, bulk=False).to_pylist()
    assert codes <= {one["code"] for one in found} or (at_least == "warning" and name == "a retired SOP class")


def test_what_only_looks_like_file_meta_information(tmp_path: Path) -> None:
    data = real("ExplVR_BigEnd.dcm").read_bytes()
    (tmp_path / "a").write_bytes(data[:134] + b"\x00\xff" + data[136:])  # (0002,FF00) is no element of it
    options: dict[str, Any] = {"rules": ("-ISSUE",)}
    paths = [str(tmp_path / "a")]
    assert rows_of(paths, **options).to_pylist() == rows_of(paths, bulk=False, **options).to_pylist()


@pytest.mark.timeout(60)
def test_fragments_that_are_none(tmp_path: Path) -> None:
    """Behind pixel data the scanner looks far ahead to tell what bytes without a tag are."""
    data = real("emri_small_jpeg_2k_lossless.dcm").read_bytes()
    begin = data.index(b"\xe0\x7f\x10\x00O")
    paths = []
    at = data.find(ITEM, begin)
    while at >= 0:
        paths.append(f"{tmp_path}/{at}")
        Path(paths[-1]).write_bytes(data[:at] + b"\xeb\xd7\x56\x51" + data[at + 4 :])
        at = data.find(ITEM, at + 1)
    assert len(paths) > 5
    options: dict[str, Any] = {"rules": ("-ISSUE",)}
    assert rows_of(paths, **options).to_pylist() == rows_of(paths, bulk=False, **options).to_pylist()


def test_findings_are_those_of_check() -> None:
    paths = [path for path in files() if "DICOMDIR" not in path]  # which stands for the files that it names
    rows = archive.check(paths, at_least="note").to_pylist()
    for path in paths:
        own = [row for row in rows if row["file"] == path]
        try:
            report = iod.check(path, at_least="note")
        except DicomError:
            continue  # also read without file meta information, as an index does
        assert [tuple(row[name] for name in FINDING) for row in own if row["code"]] == [
            tuple(int(value) if name == "tag" else value for name, value in one._asdict().items()) for one in report
        ]
        assert [row["finding"] for row in own] == (list(range(len(report))) or [None])
        assert {row["unknown"] for row in own} == {report.unknown}
        assert {row["iod"] for row in own} == {report.iod or None}


def test_files_that_can_not_be_read(folder: Path) -> None:
    (folder / "nowhere.dcm").symlink_to(folder / "nothing")
    rows = {Path(row["file"]).name: row for row in archive.check([folder, folder / "missing.dcm"]).to_pylist()}
    assert {name: row["error_kind"] for name, row in rows.items()} == {
        "README": "not DICOM",
        "a.dcm": None,
        "b.dcm": None,
        "c.dcm": "damaged",
        "nowhere.dcm": "unreachable",
        "missing.dcm": "unreachable",
    }
    assert rows["nowhere.dcm"]["error"].startswith("FileNotFoundError")
    assert rows["a.dcm"]["size"] == (folder / "a.dcm").stat().st_size
    assert rows["a.dcm"]["mtime"].timestamp() == pytest.approx((folder / "a.dcm").stat().st_mtime, abs=1e-5)
    assert rows["a.dcm"]["sop_instance"] == str(dcmread(folder / "a.dcm").SOPInstanceUID)


def test_members_of_archives(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "files.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, path.name)
    away, here = archive.check(tmp_path / "files.zip"), archive.check(folder)
    assert away["file"].to_pylist() == [f"{tmp_path}/files.zip!/{Path(name).name}" for name in here["file"].to_pylist()]
    for name in ("size", "sop_class", "sop_instance", "error_kind", *FINDING):
        assert away[name].to_pylist() == here[name].to_pylist(), name
    assert away["etag"].null_count == 0


def test_no_files(tmp_path: Path) -> None:
    table = archive.check(tmp_path)
    assert table.num_rows == 0
    assert table.column_names[:4] == ["file", "size", "mtime", "etag"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"rules": ("NONE",)}, ValueError),
        ({"rules": "values"}, TypeError),
        ({"at_least": "fatal"}, ValueError),
        ({"iod": "Nothing Storage"}, KeyError),
        ({"workers": 0}, ValueError),
        ({"out": "findings.txt"}, ValueError),
    ],
)
def test_wrong_options(folder: Path, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        archive.check(folder, **options)


# -- written and renewed -------------------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were checked."""
    checked: list[str] = []
    make = Rules.checker

    def noting(self: Rules, paths: list[str]) -> Any:
        checked.extend(Path(path).name for path in paths)
        return make(self, paths)

    monkeypatch.setattr(Rules, "checker", noting)
    return checked


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_unchanged_files_are_not_checked_again(folder: Path, tmp_path: Path, counted: list[str], suffix: str) -> None:
    out = tmp_path / f"findings{suffix}"
    assert archive.check(folder, out=out) == out
    first = _read(out)
    assert first.drop_columns(["mtime"]).equals(archive.check(folder).drop_columns(["mtime"]))
    counted.clear()
    archive.check(folder, out=out)
    assert counted == ["README", "c.dcm"]  # files that failed are read again
    assert _read(out).equals(first)
    shutil.copy(real("CT_small.dcm"), folder / "a.dcm")
    (folder / "d.dcm").write_bytes((folder / "b.dcm").read_bytes())
    counted.clear()
    archive.check(folder, out=out)
    assert sorted(counted) == ["README", "a.dcm", "c.dcm", "d.dcm"]
    assert _read(out).drop_columns(["mtime"]).equals(archive.check(folder).drop_columns(["mtime"]))


AGAIN: dict[str, tuple[dict[str, Any], int]] = {
    "the same": ({}, 2),
    "the same in other words": ({"rules": ("values", "coherence", "structure")}, 2),
    "without a rule": ({"rules": ("-FORBIDDEN",)}, 4),
    "errors alone": ({"at_least": "error"}, 4),
    "a stated IOD": ({"iod": "MR Image Storage"}, 4),
    "other limits": ({"limits": Limits(depth=9)}, 4),
    "not resumed": ({"resume": False}, 4),
}


@pytest.mark.parametrize(("again", "checked"), AGAIN.values(), ids=AGAIN)
def test_other_rules_check_all_files(
    folder: Path, tmp_path: Path, counted: list[str], again: dict[str, Any], checked: int
) -> None:
    out = tmp_path / "findings.parquet"
    archive.check(folder, out=out)
    counted.clear()
    archive.check(folder, out=out, **again)
    assert len(counted) == checked
    wanted = archive.check(folder, **{name: value for name, value in again.items() if name != "resume"})
    assert _read(out).drop_columns(["mtime"]).equals(wanted.drop_columns(["mtime"]))


def test_a_killed_run_goes_on(
    folder: Path, tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "findings.parquet"

    def killed(batch: pa.RecordBatch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.check(folder, out=out, progress=killed)
    assert not out.exists()
    counted.clear()
    archive.check(folder, out=out)
    assert counted == ["README", "c.dcm"]
    assert sorted(os.listdir(tmp_path)) == ["files", "findings.parquet"]


def test_gone_and_progress(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "findings.parquet"
    archive.check(folder, out=out)
    (folder / "b.dcm").unlink()
    seen: list[str] = []
    gone: list[str] = []
    archive.check(folder, out=out, progress=lambda batch: seen.extend(batch["file"].to_pylist()), gone=gone.append)
    assert [Path(name).name for name in gone] == ["b.dcm"]
    assert {Path(name).name for name in seen} == {"README", "a.dcm", "c.dcm"}
    assert {Path(name).name for name in _read(out)["file"].to_pylist()} == {"README", "a.dcm", "c.dcm"}


def _read(out: Path) -> pa.Table:
    return pq.read_table(out) if out.suffix == ".parquet" else pa.ipc.open_file(out).read_all()


def test_findings_are_no_index(folder: Path, tmp_path: Path) -> None:
    """The column `path` has attributes, not files."""
    out = archive.check(folder, out=tmp_path / "findings.parquet")
    with pytest.raises(ValueError, match="no index: it is a table of findings"):
        archive.report(out, tmp_path / "report.html")
    with pytest.raises(ValueError, match="whose files are in the column 'file'"):
        list(archive.PathList(out))
    listed = dict.fromkeys(archive.PathList(out, column="file"))
    assert [Path(name).name for name in listed] == ["README", "a.dcm", "b.dcm", "c.dcm"]


# -- what it comes to ----------------------------------------------------------------------------------------------


def test_summary(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "b.dcm", folder / "bb.dcm")
    table = archive.check(folder, out=tmp_path / "findings.parquet", rules=("coherence", "BAD_VALUE"))
    summary = archive.check_summary(table).to_pylist()
    mr = ("1.2.840.10008.5.1.4.1.1.4", "MR Image")
    assert [tuple(row.values()) for row in summary if row["error_kind"] is None] == [
        (*mr, "error", "BITS_STORED", 2, 2, None),
        (*mr, "warning", "BAD_VALUE", 2, 2, None),
        (*mr, None, None, 1, 0, None),
    ]
    assert sum(row["files"] for row in summary if row["error_kind"] is not None) == 2
    assert archive.check_summary(_read(table)).to_pylist() == summary


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_batches_may_end_within_a_file(size: int) -> None:
    table = archive.check(files(), at_least="note")
    whole, cut = archive.check_summary(table), archive.check_summary(pa.Table.from_batches(table.to_batches(size)))
    assert cut.to_pylist() == whole.to_pylist()


def test_no_table_of_findings(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no findings"):
        archive.check_summary(pa.table({"file": ["a"]}))
    with pytest.raises(FileNotFoundError):
        archive.check_summary(tmp_path / "nothing.parquet")
    (tmp_path / "text.parquet").write_text("text")
    with pytest.raises(ValueError, match="neither a Parquet nor an Arrow file"):
        archive.check_summary(tmp_path / "text.parquet")
