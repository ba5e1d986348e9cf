"""File-sets as ZIP files and e-mails; unpacking refuses dangerous and broken ones."""

from __future__ import annotations

import io
import zipfile
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

import dicomcore as dc
from dicomcore.fileset import FileSet, to_mail, to_zip, to_zip_mail, unpack
from tests.support.corpus import real


@pytest.fixture
def file_set(tmp_path) -> FileSet:
    made = FileSet()
    for name in ("CT_small.dcm", "MR_small.dcm"):
        made.add(real(name))
    made.write(tmp_path / "set")
    (tmp_path / "set" / "README").write_text("hello")
    made.descriptor_file_id = "README"
    made.descriptor_character_set = "ISO_IR 100"
    made.write()
    return FileSet(tmp_path / "set")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def zipped(file_set: FileSet) -> bytes:
    held = io.BytesIO()
    to_zip(file_set, held)
    return held.getvalue()


PACKAGES = {
    "ZIP file": zipped,
    "e-mail": lambda fs: to_mail(fs).as_bytes(),
    "ZIP file by e-mail": lambda fs: to_zip_mail(fs).as_bytes(),
}


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
@pytest.mark.parametrize("pack", PACKAGES.values(), ids=PACKAGES)
@pytest.mark.parametrize("kind", ["bytes", "path", "stream"])
def test_a_packed_file_set_unpacks_to_the_same_files(pack, kind, file_set, tmp_path):
    data = pack(file_set)
    (tmp_path / "packed").write_bytes(data)
    src = {"bytes": data, "path": tmp_path / "packed", "stream": io.BytesIO(data)}[kind]
    again = unpack(src, tmp_path / "unpacked")
    assert contents(tmp_path / "unpacked") == contents(tmp_path / "set")
    assert len(again) == 2
    assert again.check() == ()
    with pytest.raises(FileExistsError):
        unpack(data, tmp_path / "unpacked")


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_a_zip_file_follows_annex_v(file_set, tmp_path):
    to_zip(file_set, tmp_path / "set.zip", compress=False)
    with zipfile.ZipFile(tmp_path / "set.zip") as packed:
        names = packed.namelist()
        assert packed.testzip() is None
    assert names[0] == "DICOMDIR"
    assert set(names) == {name.replace("\\", "/") for name in contents(tmp_path / "set")}


def test_an_email_follows_annex_k(file_set):
    message = message_from_bytes(to_mail(file_set, subject="For you").as_bytes(), policy=default)
    assert message.get_content_type() == "multipart/mixed"
    parts = [part for part in message.walk() if part.get_content_type() == "application/dicom"]
    ids = [str(part.get_param("id")) for part in parts]
    assert ids[0] == "DICOMDIR"
    assert sorted(ids[1:]) == sorted(["/".join(one.ReferencedFileID) for one in file_set] + ["README"])
    assert [part.get_param("name") for part in parts][:2] == ["DICOMDIR", "IM000000.dcm"]
    assert all(len(one) <= 71 for one in ids)
    assert message["Subject"] == "For you"


def test_a_zip_email_follows_annex_l(file_set):
    message = message_from_bytes(to_zip_mail(file_set, subject="DICOM-ZIP for you").as_bytes(), policy=default)
    (part,) = [part for part in message.walk() if part.get_content_type() == "application/zip"]
    assert (part.get_param("id"), part.get_param("name"), part.get_filename()) == ("DICOM.ZIP",) * 3
    assert part.get_content_disposition() == "attachment"
    with pytest.raises(ValueError, match="DICOM-ZIP"):
        to_zip_mail(file_set, subject="For you")


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_changes_must_be_written_first(file_set):
    file_set.remove(next(iter(file_set)))
    with pytest.raises(dc.DicomError, match="write"):
        zipped(file_set)


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_a_missing_file_leaves_no_zip_file(file_set, tmp_path):
    Path(next(iter(file_set)).path).unlink()
    (tmp_path / "out").mkdir()
    with pytest.raises(FileNotFoundError):
        to_zip(file_set, tmp_path / "out" / "set.zip")
    assert list((tmp_path / "out").iterdir()) == []


def a_zip(**files: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return held.getvalue()


def test_names_that_lead_elsewhere_are_left_out(tmp_path):
    data = a_zip(
        **{"DICOMDIR": FileSet().to_bytes(), "../OUT": b"x", "/OUT": b"x", "A/../../OUT": b"x", "LONGER_NAME": b"x"}
    )
    unpack(data, tmp_path / "in")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["DICOMDIR", "in"]


REFUSED = {
    "no DICOMDIR": (a_zip(A=b"x"), dc.DicomError),
    "no package": (b"anything", dc.DicomError),
    "empty": (b"", dc.DicomError),
    "a ZIP file cut short": (a_zip(DICOMDIR=bytes(range(256)) * 99)[:-40], dc.DicomError),
    "no DICOM in it": (a_zip(DICOMDIR=b"x" * 999), dc.DicomError),
}


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_no_package_is_refused(data, error, tmp_path):
    with pytest.raises(error):
        unpack(data, tmp_path / "in")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_zip_bombs_are_bounded(tmp_path):
    data = a_zip(DICOMDIR=FileSet().to_bytes(), BOMB=bytes(10_000_000))
    with pytest.raises(dc.LimitError, match="most_bytes"):
        unpack(data, tmp_path / "in", most_bytes=1_000_000)
    many = a_zip(DICOMDIR=FileSet().to_bytes(), **{f"F{i}": b"" for i in range(20)})
    with pytest.raises(dc.LimitError, match="most_files"):
        unpack(many, tmp_path / "in", most_files=10)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_zip_file_with_a_broken_member(tmp_path):
    data = bytearray(a_zip(DICOMDIR=FileSet().to_bytes()))
    data[60] ^= 0xFF
    with pytest.raises(dc.DicomError):
        unpack(bytes(data), tmp_path / "in")
