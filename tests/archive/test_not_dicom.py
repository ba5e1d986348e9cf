"""Files that are not DICOM, as opposed to DICOM files that can't be read: the distinction, and the tools that use it.

No damage may turn a DICOM file into one that is passed over, so every doubtful file counts as damaged.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.corpus import PYDICOM, real
from tests.support.dicom_bytes import BIG_ENDIAN, IMPLICIT, element, item, part10, sequence

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

import dicomcore as dc  # noqa: E402
from dicomcore._native.scan.beginning import resembles_dicom  # noqa: E402
from dicomcore.archive import index, organize, report  # noqa: E402
from dicomcore.archive.organizing.transcoding import transcode_folder  # noqa: E402
from dicomcore.archive.tables.batch import read_batch  # noqa: E402
from dicomcore.archive.tables.columns import Columns  # noqa: E402
from dicomcore.archive.tables.table import schema_of  # noqa: E402
from dicomcore.cli import main  # noqa: E402

TEXT = b"This folder holds the images of a study, and this file says where they come from.\n" * 3
TIFF = b"II*\0\x08\0\0\0" + b"\x0e\0\xfe\0\4\0\1\0\0\0\0\0\0\0\0\1\3\0\1\0\0\0\0\x02\0\0".ljust(120, b"\7")
NUMBERS = bytes(range(9, 33)) + b"".join(bytes([i, 0, 0, 0, 8, 0, 0, 0]) for i in range(4, 99))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + b"\x3e\0\3\0\xfe\xff\x09\0" + bytes(480)


def values(syntax: str | None = None) -> bytes:
    """A small data set; in explicit VR little endian unless a transfer syntax says otherwise."""
    big, implicit = syntax == BIG_ENDIAN, syntax == IMPLICIT
    given = [
        (0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0"),
        (0x00080018, "UI", b"1.2.3.45"),
        (0x00100020, "LO", b"id"),
        (0x00280010, "US", b"\2\1"),
    ]
    return b"".join(element(tag, None if implicit else vr, value, big=big) for tag, vr, value in given)


WHOLE = part10(values())
PATIENT = element(0x00100010, "PN", b"A^B ") + element(0x00100020, "LO", b"id")
PATIENT_IMPLICIT = element(0x00100010, None, b"A^B ") + element(0x00100020, None, b"id")
BIG_PATIENT = element(0x00100010, "PN", b"A^B ", big=True) + element(0x00100020, "LO", b"id", big=True)

READ, DAMAGED, NOT_DICOM = None, "damaged", "not DICOM"
CASES = {  # name: (bytes, error_kind)
    # read, with or without deviations
    "whole": (WHOLE, READ),
    "prefix alone": (bytes(128) + b"DICM", READ),
    "prefix, then garbage": (bytes(128) + b"DICM" + bytes(range(7, 250)), READ),
    "prefix, then text": (bytes(128) + b"DICM" + TEXT, READ),
    "no preamble, prefix at 0": (WHOLE[128:], READ),
    "no preamble, no prefix": (WHOLE[132:], READ),
    "bare data set": (values(), READ),
    "bare data set in implicit VR": (values(IMPLICIT), READ),
    "bare data set in big endian": (values(BIG_ENDIAN), READ),
    "bare data set, cut": (values()[:70], READ),
    "TIFF and DICOM": (TIFF[:128] + WHOLE[128:], READ),
    # not readable, but possibly DICOM
    "empty": (b"", DAMAGED),
    "one zero": (b"\0", DAMAGED),
    "preamble cut": (bytes(100), DAMAGED),
    "prefix cut": (bytes(128) + b"DI", DAMAGED),
    "preamble of leftover memory cut": (b"\x12\0\2\0U\0\0\0I\0\0\0\1\0\0\0\xd0\x16\x89\tHo\x97", DAMAGED),
    "prefix cut behind text": (TEXT[:128] + b"DICM"[:3], DAMAGED),
    "zeros": (bytes(100_000), DAMAGED),
    "zeros, then something": (bytes(4096) + TEXT, DAMAGED),
    "preamble without prefix": (bytes(128) + WHOLE[132:], DAMAGED),
    "prefix of another preamble damaged": (TIFF[:128] + b"DICN" + WHOLE[132:], DAMAGED),
    "prefix of another preamble missing": (TIFF[:128] + values(IMPLICIT), DAMAGED),
    "prefix damaged before an implicit data set": (TIFF[:128] + b"D\0CM" + values(IMPLICIT), DAMAGED),
    "TIFF and DICOM, cut": (TIFF[:100], DAMAGED),
    "prefix at 0, then garbage": (b"DICM" + bytes(range(7, 250)), DAMAGED),
    "prefix at 0, cut": (b"DIC", DAMAGED),
    "first tag cut": (values()[:3], DAMAGED),
    "first header cut": (values()[:7], DAMAGED),
    "first header of meta information cut": (WHOLE[132:138], DAMAGED),
    "meta information of an unknown VR": (WHOLE[132:].replace(b"UL", b"ul", 1), DAMAGED),
    "bare data set that begins with the patient": (PATIENT, DAMAGED),
    "the same in implicit VR": (PATIENT_IMPLICIT, DAMAGED),
    "the same in big endian": (BIG_PATIENT, DAMAGED),
    "a byte too many": (b" " + values(), DAMAGED),
    "a header of another format": (TEXT[:128] + b"ABCD" + TEXT[:100] + WHOLE, DAMAGED),
    "first block overwritten": (b"\xff" * 132 + WHOLE[132:], DAMAGED),
    "gzip of DICOM": (gzip.compress(WHOLE), DAMAGED),
    "gzip of a bare data set": (gzip.compress(values()), DAMAGED),
    "gzip of DICOM, cut": (gzip.compress(WHOLE)[:11], DAMAGED),
    "gzip of DICOM, damaged": (gzip.compress(WHOLE)[:10] + b"\xff" * 50, DAMAGED),
    "bzip2 of DICOM": (bz2.compress(WHOLE), DAMAGED),
    "xz of DICOM": (lzma.compress(WHOLE), DAMAGED),
    "xz of a bare data set": (lzma.compress(values()), DAMAGED),
    "xz of DICOM, cut": (lzma.compress(WHOLE)[:20], DAMAGED),
    "xz that takes much memory": (
        lzma.compress(TEXT, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]),
        DAMAGED,
    ),
    "zstd of DICOM": (b"\x28\xb5\x2f\xfd" + bytes(range(7, 250)), DAMAGED),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(range(200)), DAMAGED),
    "RAR": (b"Rar!\x1a\7\1\0" + bytes(range(200)), DAMAGED),
    # other formats
    "text of one letter": (b"x", NOT_DICOM),
    "text of 100 bytes": (TEXT[:100], NOT_DICOM),
    "text": (TEXT, NOT_DICOM),
    "text about DICOM": (b"DICOM files begin with DICM, then (0008,0005) CS.\n" * 9, NOT_DICOM),
    "text in UTF-16": (TEXT.decode().encode("utf-16"), NOT_DICOM),
    "text in big-endian UTF-16": (TEXT.decode().encode("utf-16-be"), NOT_DICOM),
    "blanks": (b" " * 300, NOT_DICOM),
    "JSON": (json.dumps({"00080018": {"vr": "UI", "Value": ["1.2.3"]}}).encode() * 9, NOT_DICOM),
    "XML": (b'<?xml version="1.0"?><NativeDicomModel><DicomAttribute tag="00080005" vr="CS"/>' * 3, NOT_DICOM),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n" * 3, NOT_DICOM),
    "JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xdb\0\x43\0" + bytes(range(1, 120)), NOT_DICOM),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 " + bytes(200), NOT_DICOM),
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\0\0\0\2\0\x08\0\0\0\0" + bytes(range(200)), NOT_DICOM),
    "TIFF": (TIFF + bytes(range(100)), NOT_DICOM),
    "GIF": (b"GIF89a" + bytes(300), NOT_DICOM),
    ".DS_Store": (b"\0\0\0\1Bud1\0\0\x10\0\0\0\x08\0\0\0\x10\0" + bytes(500), NOT_DICOM),
    "AppleDouble": (b"\0\5\x16\7\0\2\0\0Mac OS X        \0\2\0\0\0\x09\0\0\0\x32" + bytes(200), NOT_DICOM),
    "Thumbs.db": (OLE, NOT_DICOM),
    "desktop.ini": (b"[.ShellClassInfo]\r\nIconResource=C:\\Windows\\system32\\shell32.dll,4\r\n", NOT_DICOM),
    "autorun.exe": (b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8" + bytes(40) + b"\x0e\x1f\xba\x0e" + TEXT, NOT_DICOM),
    "NIfTI": (b"\x5c\1\0\0" + bytes(36) + b"\3\0\0\1\0\1\x80\0\1\0" + bytes(302), NOT_DICOM),
    "NRRD": (b"NRRD0005\ntype: short\ndimension: 3\nsizes: 4 4 4\n\n" + bytes(128), NOT_DICOM),
    "table of small numbers": (NUMBERS, NOT_DICOM),
    "zip": (b"PK\3\4\x14\0\0\0\x08\0" + bytes(range(200)), NOT_DICOM),
    "gzip of text": (gzip.compress(TEXT), NOT_DICOM),
    "xz of text": (lzma.compress(TEXT), NOT_DICOM),
}


def kinds_of(paths: list[str], *, bulk: bool = True) -> list[str | None]:
    columns = Columns(["PatientID", "SOPInstanceUID"])
    rows = read_batch(paths, columns, schema_of(columns), bulk=bulk)
    assert rows["error"].is_null().equals(rows["error_kind"].is_null())
    return rows["error_kind"].to_pylist()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a file for each case, in their order."""
    for i, (data, _) in enumerate(CASES.values()):
        (tmp_path / f"{i:03}").write_bytes(data)
    return tmp_path


@pytest.mark.parametrize("bulk", [True, False])
def test_the_kind_of_each_case(folder, bulk):
    found = kinds_of([str(path) for path in sorted(folder.iterdir())], bulk=bulk)
    assert dict(zip(CASES, found, strict=True)) == {name: kind for name, (_, kind) in CASES.items()}


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz"])
def test_members_of_archives_have_the_same_kinds(folder, tmp_path_factory, suffix):
    out = tmp_path_factory.mktemp("packed") / f"all{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
    else:
        with tarfile.open(out, "w:gz" if suffix == ".tar.gz" else "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name)
    found = index(out)["error_kind"].to_pylist()
    assert dict(zip(CASES, found, strict=True)) == {name: kind for name, (_, kind) in CASES.items()}


@pytest.mark.parametrize(("data", "kind"), CASES.values(), ids=CASES)
def test_dcmread_raises_errors_of_the_same_kind(data, kind):
    try:
        dc.dcmread(io.BytesIO(data))
    except dc.InvalidDicomError as error:
        assert error.may_be_dicom == (kind != NOT_DICOM)
        assert ("is not DICOM" in str(error)) == (kind == NOT_DICOM)
        assert pickle.loads(pickle.dumps(error)).may_be_dicom == error.may_be_dicom
    else:
        assert kind is READ


SMALL = {  # name: a whole file
    "explicit": WHOLE,
    "implicit": part10(values(IMPLICIT), IMPLICIT),
    "big endian": part10(values(BIG_ENDIAN), BIG_ENDIAN),
    "TIFF and DICOM": TIFF[:128] + WHOLE[128:],
    "big-endian TIFF and DICOM": b"MM\0*" + TIFF[4:128] + WHOLE[128:],
    "no preamble": WHOLE[128:],
    "meta information at 0": WHOLE[132:],
    "implicit meta information at 0": element(0x00020010, None, b"1.2.840.10008.1.2\0") + values(IMPLICIT),
    "bare": values(),
    "bare, implicit": values(IMPLICIT),
    "bare, big endian": values(BIG_ENDIAN),
}


@pytest.mark.parametrize("whole", SMALL.values(), ids=SMALL)
def test_no_truncation_makes_a_file_another_kind(tmp_path, whole):
    for end in range(len(whole) + 1):
        (tmp_path / f"{end:04}").write_bytes(whole[:end])
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    for bulk in (True, False):
        found = kinds_of(paths, bulk=bulk)
        assert set(found) <= {READ, DAMAGED}, [end for end, kind in enumerate(found) if kind == NOT_DICOM]
        assert found[-1] is READ


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"x"])
@pytest.mark.parametrize("name", ["explicit", "implicit", "big endian", "TIFF and DICOM", "no preamble"])
def test_no_block_that_is_overwritten_makes_a_file_another_kind(tmp_path, name, fill):
    whole = SMALL[name]
    begin = whole.index(b"DICM")
    for at in range(begin + 30):  # the data set is whole
        data = fill * at + whole[at:]
        (tmp_path / f"{at:04}").write_bytes(data)
    found = kinds_of([str(path) for path in sorted(tmp_path.iterdir())])
    assert set(found) <= {READ, DAMAGED}, [at for at, kind in enumerate(found) if kind == NOT_DICOM]


def test_no_real_file_becomes_another_kind_where_its_beginning_suffers():
    paths = sorted((PYDICOM / "test_files").rglob("*.dcm"))
    heads = [path.read_bytes()[:8192] for path in paths if path.name != "no_meta.dcm"]
    heads = [head for head in heads if len(head) > 600]
    for head in heads:
        for cut in range(132):
            assert resembles_dicom(head[:cut])
        for size in (1, 64, 128, 130, 132, 140):
            for fill in (b"\0", b"\xff", b"A"):
                assert resembles_dicom(fill * size + head[size:]) or head[size:].startswith(b"DICM")
        for lost in (1, 2, 4, 128, 131):
            assert resembles_dicom(head[lost:])
    assert len(heads) > 50


def test_kinds_of_real_files_follow_from_their_content():
    paths = [path for path in sorted(PYDICOM.rglob("*")) if path.is_file()]
    kinds = dict(zip(paths, kinds_of([str(path) for path in paths]), strict=True))
    others = {path.suffix for path, kind in kinds.items() if kind == NOT_DICOM}
    assert {".txt", ".json"} <= others <= {".txt", ".json", ".md", ".dump", ".icc", ".py", ".pyc", ""}
    assert {path.name for path, kind in kinds.items() if kind == DAMAGED} == {"no_meta.dcm", "zipMR.gz"}


@pytest.mark.parametrize("data", [data for data, _ in CASES.values()], ids=CASES)
def test_bytes_behind_the_end_are_ignored(data):
    for size in range(min(len(data), 200) + 1):
        alone = resembles_dicom(data[:size])
        for behind in (bytes(200), b"\xff" * 200, WHOLE[128:]):
            assert resembles_dicom(memoryview(data[:size] + behind)[:size]) == alone, size


def test_unreachable_files_are_a_kind_of_their_own(tmp_path):
    (tmp_path / "gone.dcm").symlink_to(tmp_path / "nowhere")
    (tmp_path / "no.zip").write_bytes(TEXT)
    (tmp_path / "no.tar.gz").write_bytes(TEXT)
    with zipfile.ZipFile(tmp_path / "secret.zip", "w") as archive:
        archive.writestr("a.dcm", WHOLE)
    locked = bytearray((tmp_path / "secret.zip").read_bytes())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.index(mark) + at] |= 1  # says that it is encrypted
    (tmp_path / "secret.zip").write_bytes(locked)
    table = index([tmp_path, tmp_path / "absent.dcm"])
    names = [os.path.basename(path) for path in table["path"].to_pylist()]
    assert dict(zip(names, table["error_kind"].to_pylist(), strict=True)) == {
        "absent.dcm": "unreachable",
        "gone.dcm": "unreachable",
        "no.tar.gz": "damaged",
        "no.zip": "damaged",
        "a.dcm": "unreachable",
    }


def test_limits_are_a_kind_of_their_own(tmp_path):
    deep = 2000 * (element(0x00081140, "SQ", length=0xFFFFFFFF) + element(0xFFFEE000, None, length=0xFFFFFFFF))
    (tmp_path / "deep.dcm").write_bytes(part10(deep))
    assert index(tmp_path)["error_kind"].to_pylist() == ["limit"]


def test_a_dicomdir_is_dicom_and_stands_for_files(tmp_path):
    shutil.copy(real("DICOMDIR"), tmp_path / "DICOMDIR")
    assert index(tmp_path)["error_kind"].to_pylist() == [None]
    (tmp_path / "DICOMDIR").write_bytes(TEXT)
    assert index(tmp_path)["error_kind"].to_pylist() == ["not DICOM"]
    # Never "not DICOM": as a source it should have named files, which are missing now.
    assert index(tmp_path / "DICOMDIR")["error_kind"].to_pylist() == ["damaged"]


def test_rows_by_frame_and_hashes_have_the_kind_too(folder):
    table = index(folder, columns=["PatientID", "all"], level="frame", content_hash="md5", pixel_hash="md5")
    assert table["error_kind"].to_pylist() == [kind for _, kind in CASES.values()]


@pytest.fixture
def archive(tmp_path) -> Path:
    """Two DICOM files, and two that are not."""
    made = tmp_path / "archive"
    made.mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm"):
        shutil.copy(real(name), made / name)
    (made / "README").write_bytes(TEXT)
    (made / ".DS_Store").write_bytes(CASES[".DS_Store"][0])
    return made


def without_kind(path: Path) -> None:
    """Turn a table into one of a version without the column `error_kind`."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        pq.write_table(table.drop_columns(["error_kind"]), path)
        return
    with pa.OSFile(str(path)) as file:
        table = pa.ipc.open_file(file).read_all().drop_columns(["error_kind"])
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


KINDS_OF_TABLES: dict[str, dict] = {"files": {}, "frames": {"level": "frame"}, "sorted": {"sort_by": ["PatientID"]}}


@pytest.mark.parametrize("options", KINDS_OF_TABLES.values(), ids=KINDS_OF_TABLES)
@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_table_of_an_earlier_version_is_resumed(archive, tmp_path, monkeypatch, suffix, options):
    import dicomcore.archive.tables.run as run

    groups = sequence(0x52009230, *[item(element(0x00209057, "UL", bytes([i, 0, 0, 0]))) for i in range(3)])
    (archive / "frames.dcm").write_bytes(part10(element(0x00080018, "UI", b"1.2.3.46") + groups))
    out = tmp_path / f"index{suffix}"
    index(archive, out=out, **options)
    whole = table_of(out)
    without_kind(out)
    read: list[str] = []
    real_read = run.read_batch
    monkeypatch.setattr(run, "read_batch", lambda paths, **given: [read.extend(paths), real_read(paths, **given)][1])
    told: list = []
    index(archive, out=out, progress=told.append, **options)
    assert sorted(map(os.path.basename, read)) == [".DS_Store", "README"]  # files without values are read again
    assert table_of(out).equals(whole)
    assert sum(batch["error_kind"].null_count for batch in told) == len(whole) - 2
    before = out.stat()
    index(archive, out=out, **options)
    assert options.get("sort_by") or out.stat().st_mtime_ns == before.st_mtime_ns


def table_of(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def test_an_earlier_table_of_files_that_are_gone(archive, tmp_path):
    out = tmp_path / "index.parquet"
    index(archive, out=out)
    without_kind(out)
    shutil.rmtree(archive)
    archive.mkdir()
    gone: list[str] = []
    index(archive, out=out, gone=gone.append)
    assert len(gone) == 4
    assert pq.read_table(out).num_rows == 0
    assert "error_kind" in pq.read_schema(out).names


def test_organize_leaves_files_that_are_not_dicom_and_is_complete(archive, tmp_path, capsys):
    out = tmp_path / "index.parquet"
    index(archive, out=out)
    done = organize(out, tmp_path / "into", pattern="{Modality}")
    assert (done.complete, done.counts["placed"], done.counts["not DICOM"], done.failures) == (True, 2, 2, [])
    command = ["organize", str(out), "--into", str(tmp_path / "more"), "--pattern", "{Modality}"]
    assert main(command) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("2 placed; 2 are not DICOM, left where they are\n", "")
    assert main([*command, "--expect-dicom"]) == 1
    assert capsys.readouterr().err == f"dicomcore organize: {out}: 2 are not DICOM\n"
    without_kind(out)
    # A table without `error_kind` does not tell files that are not DICOM from others that failed.
    assert not organize(out, tmp_path / "third", pattern="{Modality}").complete


def test_transcoding_a_folder_passes_over_only_files_that_are_not_dicom(archive, tmp_path, capsys):
    done = transcode_folder(archive, tmp_path / "one", "rle")
    assert (done.counts, done.failures) == ({"not DICOM": 2, "transcoded": 2}, [])
    command = ["transcode", str(archive), "-o", str(tmp_path / "two"), "--to", "rle"]
    assert main(command) == 0
    assert main([*command, "--expect-dicom"]) == 1
    assert capsys.readouterr().err == f"dicomcore transcode: {archive}: 2 are not DICOM\n"
    (archive / "bare").write_bytes(values())
    (archive / "empty.dcm").write_bytes(b"")
    assert main(command) == 1
    told = capsys.readouterr().err
    assert "bare: InvalidDicomError: may be DICOM" in told
    assert "empty.dcm: InvalidDicomError: is empty" in told


def test_a_report_lists_files_that_are_not_dicom_apart_and_not_in_red(archive, tmp_path):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    out = tmp_path / "index.parquet"
    index(archive, out=out)
    page = report(out, tmp_path / "report.html", pictures=0).read_text("utf-8")
    assert '<div class="tile good"><b>0</b><span>unreadable</span></div>' in page
    assert '<div class="tile "><b>2</b><span>not DICOM</span></div>' in page
    assert "2 files are not DICOM and were passed over:" in page
    assert str(archive / "README") in page
    assert "Files that could not be read" not in page
    without_kind(out)
    page = report(out, tmp_path / "report.html", pictures=0).read_text("utf-8")
    assert '<div class="tile bad"><b>2</b><span>unreadable</span></div>' in page
    assert "not DICOM and" not in page
