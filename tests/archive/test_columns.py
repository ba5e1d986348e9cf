"""Columns besides top-level keywords: private and nested elements, all elements, hashes, and rows by frame."""

from __future__ import annotations

import hashlib
import os
import random
import struct
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.support.corpus import ABSENT, PYDICOM, ROOT, real
from tests.support.dicom_bytes import element, item, part10, sequence

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")
pq = pytest.importorskip("pyarrow.parquet")
feather = pytest.importorskip("pyarrow.feather")

import dicomcore as dc  # noqa: E402
from dicomcore._native.bulk.digest import Met  # noqa: E402
from dicomcore._native.bulk.extract import Extractor  # noqa: E402
from dicomcore.archive import index  # noqa: E402
from dicomcore.archive.sources.sources import Sources  # noqa: E402
from dicomcore.archive.tables.batch import read_batch  # noqa: E402
from dicomcore.archive.tables.columns import Column, Columns  # noqa: E402
from dicomcore.archive.tables.table import schema_of, text_parts  # noqa: E402
from dicomcore.dictionary import keyword_for_tag  # noqa: E402

SPACING = "SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing"
NAMES = {  # requested column: (name in the table, kind, whether it is a list)
    "PatientID": ("PatientID", "text", False),
    "(0010,0020)": ("PatientID", "text", False),
    "0010,0020": ("PatientID", "text", False),
    "0x00280030": ("PixelSpacing", "float64", True),
    SPACING: (SPACING, "float64", True),
    SPACING.replace("PixelMeasuresSequence", "00289110"): (SPACING, "float64", True),
    "ReferencedStudySequence[*].ReferencedSOPInstanceUID": (None, "text", True),
    "0019,1002:GEMS_ACQU_01": ("0019xx02:GEMS_ACQU_01", "int32", False),
    "0019XX02:GEMS_ACQU_01": ("0019xx02:GEMS_ACQU_01", "int32", False),
    "0029xx10:SIEMENS CSA HEADER": ("0029xx10:SIEMENS CSA HEADER", "text", False),
    "0011xx01:1.2.840.1": (None, "text", False),
    "0019xx02:SOMEBODY[0].PatientID": (None, "text", False),
    "all": ("elements", "map", False),
}


@pytest.mark.parametrize("given", NAMES)
def test_columns_are_named_and_typed(given):
    name, kind, many = NAMES[given]
    column = Column.of(given)
    assert (column.name, column.kind, column.many) == (name or given, kind, many)


WRONG = ("", "Nonsense", "PixelData", "ReferencedStudySequence", "ReferencedStudySequence[0]", "0018xx01:X", "00191001",
         "ReferencedStudySequence[0].", "ReferencedStudySequence[x].Rows", "ReferencedStudySequence.Rows",
         "PatientID[0].Rows", "(0010,00200)", "0019xx02:", "Rows.", "[0].Rows")  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_invalid_columns_raise(wrong):
    with pytest.raises(ValueError, match="column"):
        Column.of(wrong)


def words(group: int, block: int, creator: bytes, *elements: bytes) -> bytes:
    return element(group << 16 | block, "LO", creator) + b"".join(elements)


def test_private_elements_by_creator_wherever_their_block_is(tmp_path):
    value = element(0x00191002, "SL", struct.pack("<i", -7))
    moved = element(0x00191102, "SL", struct.pack("<i", 8))
    (tmp_path / "1").write_bytes(part10(words(0x19, 0x10, b"GEMS_ACQU_01", value)))
    other = words(0x19, 0x10, b"OTHER ", element(0x00190011, "LO", b"GEMS_ACQU_01"), value, moved)
    (tmp_path / "2").write_bytes(part10(other))
    (tmp_path / "3").write_bytes(part10(words(0x19, 0x10, b"OTHER ", value)))
    (tmp_path / "4").write_bytes(part10(words(0x19, 0x10, b"GEMS_ACQU_01", element(0x00191002, "LO", b"none"))))
    table = index(tmp_path, columns=["0019xx02:GEMS_ACQU_01", "0019xx02:OTHER"])
    assert table["0019xx02:GEMS_ACQU_01"].to_pylist() == [-7, 8, None, None]
    assert table["0019xx02:OTHER"].to_pylist() == [None, "-7", "-7", None]
    assert table["issues"].to_pylist()[3] == ["VALUE_MISFIT 0019xx02:GEMS_ACQU_01: 'none' does not fit"]


def study(uid: bytes) -> bytes:
    return item(element(0x00081155, "UI", uid))


def test_nested_elements_by_item(tmp_path):
    given = [[b"1.2 ", b"3.4 "], [b"5.6 "], [], None]
    for i, uids in enumerate(given):
        content = b"" if uids is None else sequence(0x00081110, *map(study, uids))
        (tmp_path / f"{i}").write_bytes(part10(content + element(0x00100020, "LO", b"id")))
    path = "ReferencedStudySequence[{}].ReferencedSOPInstanceUID"
    table = index(tmp_path, columns=["PatientID", *(path.format(i) for i in (0, 1, "*"))])
    assert table[path.format(0)].to_pylist() == ["1.2", "5.6", None, None]
    assert table[path.format(1)].to_pylist() == ["3.4", None, None, None]
    assert table[path.format("*")].to_pylist() == [["1.2", "3.4"], ["5.6"], None, None]
    assert table["PatientID"].to_pylist() == ["id"] * 4


def test_a_value_in_place_of_a_sequence_is_an_issue(tmp_path):
    (tmp_path / "1").write_bytes(part10(element(0x00081110, "LO", b"none")))
    row = index(tmp_path, columns=["ReferencedStudySequence[0].ReferencedSOPInstanceUID"]).to_pylist()[0]
    assert row["error"] is None
    assert row["issues"][0].endswith("a value of VR LO stands where a sequence was due")


def deep_columns(paths: list[str], most: int) -> list[str]:
    """The paths of private and nested elements in the files."""
    found: dict[str, None] = {}
    for path in paths:
        try:
            visit(dc.dcmread(path), "", 0, found)
        except dc.DicomError:
            continue
    names = sorted(found)
    random.Random(3).shuffle(names)
    columns = {}
    for name in names[: 2 * most]:
        try:
            columns[Column.of(name).name] = None
        except ValueError:  # no column can show this VR
            continue
    return list(columns)[:most]


def visit(data_set, prefix, depth, found):
    for one in data_set:
        if one.tag.is_private:
            creator = data_set.get(one.tag.private_creator) if not one.tag.is_private_creator else None
            if creator is None:
                continue
            name = f"{one.tag.group:04x}xx{one.tag.element & 0xFF:02x}:{creator.value}"
        elif not (name := keyword_for_tag(one.tag)):
            continue
        if one.VR != "SQ" and (depth or one.tag.is_private):
            found[prefix + name] = None
        elif one.VR == "SQ" and depth < 4:
            for i, inner in enumerate(one.value[:2]):
                visit(inner, f"{prefix}{name}[{i}].", depth + 1, found)


def test_the_bulk_loop_and_dcmread_give_the_same_private_and_nested_values():
    files = [path for path in Sources([str(PYDICOM), str(ROOT / "files")]) if type(path) is str]
    columns = Columns([*deep_columns(files, 50), "SourceImageSequence[*].ReferencedSOPInstanceUID"])
    schema = schema_of(columns)
    bulk, slow = (read_batch(files, columns, schema, bulk=bulk).to_pylist() for bulk in (True, False))
    for one, other in zip(bulk, slow, strict=True):
        assert one == other or repr(one) == repr(other), one["path"]
    assert sum(row[column.name] is not None for row in bulk for column in columns.shown) > 100
    assert sum(Extractor(columns.native, columns.stop_tag, [path]).run() for path in files) > len(files) / 2


def test_all_elements_as_a_map(tmp_path):
    path = real("CT_small.dcm")
    row = index([path], columns=["Rows", "all"]).to_pylist()[0]
    found, data_set = dict(row["elements"]), dc.dcmread(path)
    assert len(found) == len(data_set) + len(data_set.file_meta)
    assert (found["PatientID"], found["Rows"], found["PixelData"]) == ("1CT1", "128", "<32768 bytes>")
    assert found["PixelSpacing"] == "0.661468\\0.661468"
    assert found["OtherPatientIDsSequence"] == "<2 items>"
    assert found["0019xx02:GEMS_ACQU_01"] == str(data_set[0x00191002].value)
    assert row["Rows"] == 128
    (tmp_path / "notes.txt").write_text("no DICOM")
    assert index(tmp_path, columns=["all"])["elements"].to_pylist() == [None]


def test_hashes_of_files_and_of_pixels(tmp_path):
    names = ("CT_small.dcm", "JPEG2000.dcm", "rtplan.dcm")
    table = index([real(name) for name in names] + [tmp_path / "nowhere"], content_hash="SHA256", pixel_hash="md5")
    whole = [hashlib.sha256(real(name).read_bytes()).hexdigest() for name in names]
    assert table["content_hash"].to_pylist() == [*whole, None]
    ct, jpeg = (dc.dcmread(real(name)) for name in names[:2])
    pixels = [hashlib.md5(ct["PixelData"].raw).hexdigest(), hashlib.md5(jpeg.frames.encoded(0)).hexdigest()]
    assert table["pixel_hash"].to_pylist() == [*pixels, None, None]
    assert table.schema.field("content_hash").metadata == {b"algorithm": b"sha256"}
    with pytest.raises(ValueError, match="no known hash"):
        index(tmp_path, content_hash="crc")


WHOLE_FILES = {"a hash": {"pixel_hash": "md5"}, "all elements": {"columns": ["PatientID", "all"]}}


@pytest.mark.parametrize("options", WHOLE_FILES.values(), ids=WHOLE_FILES)
def test_truncated_pixel_data_is_an_issue_if_it_is_read(options, tmp_path):
    """The hash of truncated pixel data would pass for that of a whole file."""
    whole = real("CT_small.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[:-5000])
    (tmp_path / "whole.dcm").write_bytes(whole)
    told = index(tmp_path, **options)["issues"].to_pylist()
    assert len(told[0]) == 1
    assert told[0][0].startswith("LENGTH_BEYOND_END (7FE0,0010)")
    assert told[1] is None


def test_members_of_an_archive_have_all_columns_too(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(real("JPEG2000.dcm"), "1")
        archive.writestr("2", enhanced([b"0\\0\\1 ", b"0\\0\\2 "]))
    table = index(path, columns=[*FRAME_COLUMNS, "all"], level="frame", content_hash="md5", pixel_hash="md5")
    (tmp_path / "1").write_bytes(real("JPEG2000.dcm").read_bytes())
    (tmp_path / "2").write_bytes(enhanced([b"0\\0\\1 ", b"0\\0\\2 "]))
    plain = index([tmp_path / "1", tmp_path / "2"], columns=[*FRAME_COLUMNS, "all"], level="frame",
                  content_hash="md5", pixel_hash="md5")  # fmt: skip
    apart = ["path", "mtime", "etag"]
    assert table.drop_columns(apart).equals(plain.drop_columns(apart))
    assert table["content_hash"].null_count == 0


@pytest.mark.skipif(os.name == "nt", reason="no such files")
def test_a_pipe_is_not_opened_for_a_hash(tmp_path):
    os.mkfifo(tmp_path / "fifo")  # opening it would wait for a writer
    row = index(tmp_path, columns=["all"], level="frame", content_hash="md5", pixel_hash="md5").to_pylist()[0]
    assert [row[name] for name in ("elements", "content_hash", "pixel_hash", "frame")] == [None] * 4
    assert row["error"].startswith("OSError")


def test_a_hash_by_another_algorithm_is_computed_again(tmp_path):
    out = tmp_path / "index.parquet"
    for algorithm in ("md5", "sha1", "sha1", None):
        table = pq.read_table(index([real("CT_small.dcm")], out=out, content_hash=algorithm))
        expected = hashlib.new(algorithm, real("CT_small.dcm").read_bytes()).hexdigest() if algorithm else None
        assert (table["content_hash"].to_pylist() if algorithm else [None]) == [expected]


def test_duplicates_are_found_when_the_table_of_hashes_grows():
    met, marks = Met(), []
    for first in range(0, 20_000, 3_000):  # half of each batch repeats earlier UIDs, and half is new
        texts = [b"1.2.%d" % number for number in range(first, first + 6_000)]
        starts = np.cumsum([0, *map(len, texts)], dtype=np.int32)
        marks.append(np.zeros(len(texts), np.uint8))
        met.mark(b"".join(texts), starts, marks[-1])
    assert not marks[0].any()
    assert all(mark[:3_000].all() and not mark[3_000:].any() for mark in marks[1:])
    assert len(met) == 6_000 + 3_000 * (len(marks) - 1)


def test_duplicated_instances_are_flagged(tmp_path):
    for name, uid in {"1": b"1.2 ", "2": b"1.3 ", "3": b"1.2 ", "4": b"", "5": b"", "6": b"1.2\0"}.items():
        (tmp_path / name).write_bytes(part10(element(0x00080018, "UI", uid) + element(0x00100020, "LO", b"id")))
    flags = [False, False, True, None, None, True]
    assert index(tmp_path)["duplicate"].to_pylist() == flags
    assert "duplicate" not in index(tmp_path, columns=["Rows"]).schema.names
    assert index(tmp_path, columns=["SOPInstanceUID"], level="frame")["duplicate"].to_pylist() == flags


def test_texts_may_have_any_alignment():
    """A worker's batch lies in the buffer of its message, at any address."""
    texts = pa.array(["1.2", None, "", "1.3", "1.2", "é"])
    _, starts, text = texts.buffers()
    shifted = pa.py_buffer(b"x" + starts.to_pybytes())[1:]
    for moved in (texts, pa.Array.from_buffers(texts.type, len(texts), [texts.buffers()[0], shifted, text])):
        held, begins = text_parts(moved[1:])
        assert begins.flags.aligned
        assert [bytes(held[begin:end]) for begin, end in pairwise(begins)] == [b"", b"", b"1.3", b"1.2", "é".encode()]
    held, begins = text_parts(texts[:0])
    assert (held.size, begins.tolist()) == (0, [0])


def frame(number: int, position: bytes | None) -> bytes:
    content = sequence(0x00209111, item(element(0x00209157, "UL", struct.pack("<II", 1, number + 1))))
    return item(content + (sequence(0x00209113, item(element(0x00200032, "DS", position))) if position else b""))


def enhanced(positions: list[bytes | None]) -> bytes:
    shared = sequence(0x00289110, item(element(0x00280030, "DS", b"0.5\\0.25")))
    return part10(
        element(0x00080018, "UI", b"1.2 ")
        + element(0x00200037, "DS", b"1\\0\\0\\0\\1\\0 ")
        + sequence(0x52009229, item(shared))
        + sequence(0x52009230, *(frame(i, position) for i, position in enumerate(positions)))
    )


FRAME_COLUMNS = ["SOPInstanceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", SPACING]


def test_level_frame_gives_a_row_for_each_frame(tmp_path):
    (tmp_path / "1").write_bytes(part10(element(0x00080018, "UI", b"1.1 ") + element(0x00280030, "DS", b"1\\2 ")))
    (tmp_path / "2").write_bytes(enhanced([b"0\\0\\1 ", None, b"0\\0\\x "]))
    (tmp_path / "3").write_bytes(enhanced([]))
    table = index(tmp_path, columns=FRAME_COLUMNS, level="frame")
    assert [Path(path).name for path in table["path"].to_pylist()] == ["1", "2", "2", "2", "3"]
    assert table["frame"].to_pylist() == [None, 0, 1, 2, None]
    assert table["ImagePositionPatient"].to_pylist() == [None, [0, 0, 1], None, None, None]
    assert table["ImageOrientationPatient"].to_pylist() == [None, *([[1, 0, 0, 0, 1, 0]] * 4)]
    assert table["PixelSpacing"].to_pylist() == [[1, 2], *([[0.5, 0.25]] * 3), None]
    assert table[SPACING].to_pylist() == [None, *([[0.5, 0.25]] * 4)]
    assert table["DimensionIndexValues"].to_pylist() == [None, [1, 1], [1, 2], [1, 3], None]
    assert table["duplicate"].to_pylist() == [False, False, False, False, True]
    issues = table["issues"].to_pylist()
    assert issues[:3] == [None] * 3
    assert "does not fit" in issues[3][0]


@pytest.mark.parametrize(("stated", "fits"), [(b"2 ", True), (b"3 ", False), (b"1 ", False)])
def test_a_number_of_frames_that_differs_from_the_functional_groups_is_an_issue(stated, fits, tmp_path):
    """Each item of the functional groups is a row, and `frame` is the index into Dataset.frames."""
    groups = sequence(0x52009230, frame(0, b"0\\0\\1 "), frame(1, b"0\\0\\2 "))
    (tmp_path / "1").write_bytes(part10(element(0x00280008, "IS", stated) + groups))
    table = index(tmp_path, columns=FRAME_COLUMNS, level="frame")
    assert table["frame"].to_pylist() == [0, 1]
    issues = table["issues"].to_pylist()
    assert issues == [None] * 2 if fits else all(one[0].startswith("FRAME_GROUPS") for one in issues)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_rows_of_a_table_by_frames_are_reused(tmp_path, monkeypatch, suffix):
    archive, out = tmp_path / "archive", tmp_path / f"index{suffix}"
    archive.mkdir()
    for i in range(12):
        (archive / f"{i:02}").write_bytes(enhanced([b"0\\0\\1 "] * i))
    monkeypatch.setattr("dicomcore.archive.tables.output.GROUP_ROWS", 7)  # a file's rows continue in the next group
    monkeypatch.setattr("dicomcore.archive.tables.writing.GROUP_ROWS", 5)
    monkeypatch.setattr("dicomcore.archive.tables.run.BATCH", 30)
    options = {"columns": FRAME_COLUMNS, "level": "frame"}
    whole = index(archive, **options)
    assert len(whole) == 1 + sum(range(12))
    index(archive, out=out, **options)
    for change in ("nothing", "new", "gone", "changed"):
        if change == "new":
            (archive / "07a").write_bytes(enhanced([b"0\\0\\2 "] * 4))
        elif change == "gone":
            (archive / "03").unlink()
        elif change == "changed":
            (archive / "10").write_bytes(enhanced([b"0\\0\\3 "] * 5))
        index(archive, out=out, **options)
        table = pq.read_table(out) if suffix == ".parquet" else feather.read_table(out)
        assert table.equals(index(archive, **options)), change


def test_real_enhanced_files_by_frame():
    files = [path for path in Sources([str(PYDICOM), str(ROOT / "files")]) if type(path) is str]
    table = index(files, columns=FRAME_COLUMNS, level="frame")
    table.validate(full=True)
    rows = table.filter(pc.is_valid(table["frame"])).to_pylist()
    assert len(rows) > (5 if ABSENT else 50)
    for row in rows:
        group = dc.dcmread(row["path"]).PerFrameFunctionalGroupsSequence[row["frame"]]
        position = group.get("PlanePositionSequence")
        if position:
            assert np.array_equal(row["ImagePositionPatient"], position[0].ImagePositionPatient)
        content = group.get("FrameContentSequence")
        values = content[0].get("DimensionIndexValues") if content else None
        assert row["DimensionIndexValues"] == (values if values is None or isinstance(values, list) else [values])
