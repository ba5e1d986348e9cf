"""The archive index: the walk, the values of a row, and a file that appears complete or not at all."""

from __future__ import annotations

import os
import shutil
import socket
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.support.corpus import real
from tests.support.dicom_bytes import element, item, meta, part10, sequence

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from dicomcore.archive import DEFAULT_COLUMNS, index, iter_batches  # noqa: E402
from dicomcore.archive.sources import walk  # noqa: E402

SMALL = ("PatientID", "PatientName", "StudyDate", "PixelSpacing", "Rows", "InstanceNumber", "ImageType")


def file_of(*elements: bytes) -> bytes:
    return part10(b"".join(elements))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Folders with real files, and one file that is not DICOM."""
    for folder, name in (("b", "CT_small.dcm"), ("a", "MR_small.dcm"), ("a", "rtplan.dcm"), ("b/c", "JPEG2000.dcm")):
        (tmp_path / "archive" / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(real(name), tmp_path / "archive" / folder / name)
    (tmp_path / "archive" / "notes.txt").write_text("no DICOM")
    return tmp_path / "archive"


def rows_of(source, **options) -> list[dict]:
    return index(source, **options).to_pylist()


def test_each_file_is_a_row_in_the_order_of_names(archive):
    table = index(archive)
    names = [Path(path).relative_to(archive).as_posix() for path in table["path"].to_pylist()]
    assert names == ["a/MR_small.dcm", "a/rtplan.dcm", "b/CT_small.dcm", "b/c/JPEG2000.dcm", "notes.txt"]
    said = ["duplicate", "issues", "error", "error_kind"]
    assert table.schema.names == ["path", "size", "mtime", "etag", *DEFAULT_COLUMNS, *said]


def test_values_have_the_types_of_their_vr(archive):
    row = rows_of(archive / "b" / "CT_small.dcm")[0]
    assert row["PatientID"] == "1CT1"
    assert row["StudyDate"] == date(2004, 1, 19)
    assert row["PixelSpacing"] == [0.661468, 0.661468]
    assert row["ImagePositionPatient"] == [-158.135803, -179.035797, -75.699997]
    assert row["ImageType"] == ["ORIGINAL", "PRIMARY", "AXIAL"]
    assert (row["Rows"], row["InstanceNumber"], row["PixelRepresentation"]) == (128, 1, 1)
    assert row["TransferSyntaxUID"] == "1.2.840.10008.1.2.1"
    facts = (archive / "b" / "CT_small.dcm").stat()
    assert row["size"] == facts.st_size
    assert row["mtime"] == datetime.fromtimestamp(facts.st_mtime_ns // 1000 / 1e6, UTC)
    assert row["error"] is None


MISFITS = {  # name: (element, column, end of the issue's text)
    "no date": (element(0x00080020, "DA", b"00000000"), "StudyDate", "'00000000' does not fit"),
    "no day": (element(0x00080020, "DA", b"20230229"), "StudyDate", "'20230229' does not fit"),
    "no number": (element(0x00200013, "IS", b"1A"), "InstanceNumber", "'1A' does not fit"),
    "a fraction": (element(0x00200013, "IS", b"1.5 "), "InstanceNumber", "'1.5' does not fit"),
    "two for one": (element(0x00200013, "IS", b"1\\2 "), "InstanceNumber", r"'1\\2' does not fit"),
    "a gap": (element(0x00280030, "DS", b"1\\\\2"), "PixelSpacing", r"'1\\\\2' does not fit"),
}


@pytest.mark.parametrize("bulk", [True, False])
@pytest.mark.parametrize(("given", "column", "said"), MISFITS.values(), ids=MISFITS)
def test_a_value_that_does_not_fit_is_null_and_an_issue(tmp_path, given, column, said, bulk):
    # Elements out of order make the bulk loop hand the file back.
    odd = b"" if bulk else element(0x00200010, "SH", b"a") + element(0x0020000D, "UI", b"1.2")
    (tmp_path / "one.dcm").write_bytes(file_of(*sorted([given])) + odd)
    row = rows_of(tmp_path, columns=(*SMALL, "StudyID"))[0]
    assert row[column] is None
    assert row["error"] is None
    assert next(issue for issue in row["issues"] if issue.startswith("VALUE_MISFIT")).endswith(said)


def test_a_date_may_have_dots(tmp_path):
    (tmp_path / "one.dcm").write_bytes(file_of(element(0x00080020, "DA", b"1997.02.28")))
    assert rows_of(tmp_path)[0]["StudyDate"] == date(1997, 2, 28)


TEXTS = {  # name: (Specific Character Set, value, text)
    "latin 1": (b"ISO_IR 100", b"M\xfcller", "Müller"),
    "utf-8": (b"ISO_IR 192", "山田^太郎 ".encode(), "山田^太郎"),
    "cyrillic": (b"ISO_IR 144", b"\xbb\xee\xda", "Люк"),
    "japanese": (b"\\ISO 2022 IR 87 ", b"Yamada=\x1b$B;3ED\x1b(B ", "Yamada=山田"),
    "empty groups": (b"ISO_IR 192", "山==".encode(), "山"),
    "empty": (b"ISO_IR 192", b"= ", None),
}


@pytest.mark.parametrize(("terms", "value", "text"), TEXTS.values(), ids=TEXTS)
def test_text_is_read_by_its_character_set(tmp_path, terms, value, text):
    value += b" " * (len(value) % 2)
    given = element(0x00080005, "CS", terms), element(0x00100010, "PN", value), element(0x00100020, "LO", b"id")
    (tmp_path / "one.dcm").write_bytes(file_of(*given))
    row = rows_of(tmp_path, columns=SMALL)[0]
    assert (row["PatientName"], row["PatientID"], row["issues"]) == (text, "id", None)


def test_deviations_are_issues(tmp_path):
    (tmp_path / "odd.dcm").write_bytes(file_of(element(0x00100020, "LO", b"odd")))
    wrong = element(0x00100020, "LO", b"id")
    (tmp_path / "wrong.dcm").write_bytes(bytes(128) + b"DICM" + meta(length=3) + wrong)
    (tmp_path / "absent.dcm").write_bytes(bytes(128) + b"DICM" + meta(with_length=False) + wrong)
    rows = rows_of(tmp_path, columns=SMALL)
    assert [row["issues"][0].split()[0] for row in rows] == ["META_LENGTH", "ODD_LENGTH", "META_LENGTH"]
    assert [row["PatientID"] for row in rows] == ["id", "odd", "id"]


def test_a_bare_data_set_is_read(tmp_path):
    bare = element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0") + element(0x00100020, "LO", b"bare")
    (tmp_path / "bare").write_bytes(bare)
    row = rows_of(tmp_path)[0]
    assert (row["PatientID"], row["TransferSyntaxUID"], row["error"]) == ("bare", None, None)
    assert {issue.split()[0] for issue in row["issues"]} == {"MISSING_PREAMBLE", "MISSING_META"}


@pytest.mark.skipif(os.name == "nt", reason="no such files")
def test_bad_files_are_rows(tmp_path):
    nested = 2000 * (sequence(0x00081140, undefined=True)[:12] + item(undefined=True)[:8])
    (tmp_path / "1 empty").write_bytes(b"")
    (tmp_path / "2 short").write_bytes(b"\0" * 100)
    (tmp_path / "3 cut").write_bytes(real("CT_small.dcm").read_bytes()[:397])
    (tmp_path / "4 deep").write_bytes(file_of(nested))
    (tmp_path / "5 dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "6 fifo")
    (tmp_path / "7 circle").symlink_to(tmp_path / "7 circle")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(tmp_path / "8"))
    rows = rows_of(tmp_path)
    listener.close()
    kinds = [row["error"] and row["error"].split(":")[0] for row in rows]
    assert kinds[:5] == ["InvalidDicomError", "InvalidDicomError", None, "LimitError", "FileNotFoundError"]
    assert rows[2]["issues"][0].startswith("LENGTH_BEYOND_END")
    assert kinds[5:] == ["OSError"] * 3
    assert rows[0]["error"] == "InvalidDicomError: is empty"
    assert rows[5]["error"] == "OSError: Not a regular file"


def test_a_folder_that_may_not_be_read_is_a_row(archive, monkeypatch):
    entries = walk._entries

    def refuse(folder):
        if Path(folder).name == "b":
            raise PermissionError(13, "Permission denied")
        return entries(folder)

    monkeypatch.setattr(walk, "_entries", refuse)
    rows = rows_of(archive)
    assert [os.path.basename(row["path"]) for row in rows] == ["MR_small.dcm", "rtplan.dcm", "b", "notes.txt"]
    assert rows[2]["error"] == "PermissionError: Permission denied"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_row(archive):
    (archive / "b" / "CT_small.dcm").chmod(0)
    assert rows_of(archive)[2]["error"] == "PermissionError: Permission denied"


def test_a_source_that_is_not_there_is_a_row(tmp_path):
    row = rows_of([tmp_path / "nowhere"])[0]
    assert (row["path"], row["size"]) == (str(tmp_path / "nowhere"), None)
    assert row["error"].startswith("FileNotFoundError")


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_links_are_followed_but_not_round_in_a_circle(archive):
    (archive / "a" / "up").symlink_to(archive, target_is_directory=True)
    (archive / "z").symlink_to(archive / "a", target_is_directory=True)
    assert len(rows_of(archive)) == 5
    assert len(rows_of([archive, archive / "b"])) == 5


@pytest.mark.skipif(os.name == "nt", reason="names are UTF-16 there")
def test_a_name_that_is_not_utf8_is_shown_with_escapes(tmp_path):
    raw = os.fsencode(tmp_path) + b"/caf\xe9.dcm"
    try:
        with open(raw, "wb") as file:
            file.write(file_of(element(0x00100020, "LO", b"id")))
    except OSError:
        pytest.skip("this file system takes no such name")
    row = rows_of(tmp_path)[0]
    assert (row["path"], row["PatientID"]) == (f"{tmp_path}/caf\\xe9.dcm", "id")


@pytest.mark.parametrize("workers", [1, 4])
def test_workers_and_batches_change_nothing(archive, workers, monkeypatch):
    whole = index(archive)
    monkeypatch.setattr("dicomcore.archive.tables.run.BATCH", 2)
    assert index(archive, workers=workers).equals(whole)
    batches = list(iter_batches(archive, workers=workers))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert pa.Table.from_batches(batches).equals(whole)


def test_columns_by_keyword_and_tag_in_the_order_asked_for(archive):
    table = index(archive, columns=["Rows", 0x00100020, "00080060", "ImplementationVersionName"])
    assert table.schema.names[4:-3] == ["Rows", "PatientID", "Modality", "ImplementationVersionName"]


@pytest.mark.parametrize(
    "wrong", [{"columns": ["Patient"]}, {"columns": ["PixelData"]}, {"columns": ["Rows", 0x00280010]}, {"workers": 0},
              {"columns": ["ReferencedStudySequence"]}, {"engine": "steam"}]
)  # fmt: skip
def test_wrong_use_is_an_error(archive, wrong):
    with pytest.raises(ValueError, match=r"\w"):
        index(archive, **wrong)


def test_no_files_give_a_table_without_rows(tmp_path):
    (tmp_path / "archive").mkdir()
    out = index(tmp_path / "archive", out=tmp_path / "index.parquet")
    assert pq.read_table(out).num_rows == 0
    assert index([]).num_rows == 0


def test_the_file_equals_the_table(archive, tmp_path):
    out = index(archive, out=tmp_path / "index.parquet")
    assert out == tmp_path / "index.parquet"
    assert pq.read_table(out).equals(index(archive))


def test_the_file_appears_whole_or_not_at_all(archive, tmp_path):
    class StopError(Exception):
        pass

    def stop(_):
        raise StopError

    out = tmp_path / "out" / "index.parquet"
    out.parent.mkdir()
    with pytest.raises(StopError):
        index(archive, out=out, progress=stop)
    kept = out.parent / ".index.parquet.part"
    assert list(out.parent.iterdir()) == [kept]  # the batches that were finished, for the next run
    index(archive / "a", out=out)
    before = out.read_bytes()
    assert list(out.parent.iterdir()) == [out]
    with pytest.raises(StopError):
        index(archive, out=out, progress=stop)
    assert out.read_bytes() == before
    index(archive, out=out)
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_the_output_is_not_a_row_of_itself(archive):
    out = archive / "b" / "index.parquet"
    (archive / "b" / ".index.parquet.part").mkdir()
    (archive / "b" / ".index.parquet.part" / "0123abcd.tmp").write_bytes(b"of a run that was killed")
    for _ in range(2):
        assert pq.read_table(index(archive, out=out)).num_rows == 5


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_resume_reuses_only_rows_of_unchanged_files(archive, tmp_path):
    out = tmp_path / "index.parquet"
    index(archive, out=out)
    same, changed = archive / "a" / "MR_small.dcm", archive / "b" / "CT_small.dcm"
    facts = same.stat()
    for path in (same, changed):
        path.write_bytes(path.read_bytes().replace(b"MR1", b"XX1").replace(b"1CT1", b"XCTX"))
    os.utime(same, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    os.utime(changed, ns=(1, 1_000_000_000))
    (archive / "a" / "rtplan.dcm").unlink()
    shutil.copy(real("JPEG2000.dcm"), archive / "b" / "new.dcm")
    fresh = index(archive)
    kept = pq.read_table(index(archive, out=out))
    assert kept["path"].equals(fresh["path"])
    differ = [i for i in range(len(fresh)) if not kept.slice(i, 1).equals(fresh.slice(i, 1))]
    assert [kept["path"][i].as_py() for i in differ] == [str(same)]  # its row was reused without reading the file
    assert pq.read_table(index(archive, out=out, resume=False)).equals(fresh)


def test_resume_reads_failed_files_again(archive, tmp_path):
    out = tmp_path / "index.parquet"
    broken = archive / "notes.txt"
    index(archive, out=out)
    facts = broken.stat()
    broken.write_bytes(b"\0" * facts.st_size)
    os.utime(broken, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    row = pq.read_table(index(archive, out=out)).to_pylist()[-1]
    assert row["error"] is not None


@pytest.mark.parametrize("found", [b"", b"no Parquet", None])
def test_resume_reads_all_files_without_a_table_to_resume(archive, tmp_path, found):
    out = tmp_path / "index.parquet"
    if found is None:
        index(archive, out=out, columns=["Rows"])
    else:
        out.write_bytes(found)
    assert pq.read_table(index(archive, out=out)).equals(index(archive))
