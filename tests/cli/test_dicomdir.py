"""`dicomcore dicomdir`: its output and exit codes."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import pytest

from dicomcore.cli.program import main
from dicomcore.fileset import FileSet
from tests.support.corpus import real
from tests.support.dicom_bytes import element, part10

REAL = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm")


def run(capsys, *arguments) -> tuple[int, str, str]:
    try:
        code = main(["dicomdir", *map(str, arguments)])
    except SystemExit as left:
        code = int(left.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def folder(tmp_path, capsys) -> Path:
    assert run(capsys, "create", tmp_path / "set", *map(real, REAL), "--id", "MY SET", "--invent")[0] == 0
    return tmp_path / "set"


def test_create_from_files(folder):
    file_set = FileSet(folder)
    assert (len(file_set), file_set.ID) == (3, "MY SET")
    assert file_set.check() == ()


def test_create_in_place(tmp_path, capsys):
    shutil.copy(real("CT_small.dcm"), tmp_path / "CT1")
    shutil.copy(real("MR_small.dcm"), tmp_path / "mr.dcm")
    code, out, err = run(capsys, "create", tmp_path)
    assert (code, out) == (1, f"1 added, 1 in {tmp_path / 'DICOMDIR'}\n")
    assert "mr.dcm: its name can't be a File ID" in err
    assert [one.ReferencedFileID for one in FileSet(tmp_path)] == [("CT1",)]
    assert (tmp_path / "mr.dcm").exists()
    assert run(capsys, "create", tmp_path)[0] == 2


def test_add_reports_files_that_it_left_out(folder, capsys, tmp_path):
    (tmp_path / "text").write_text("no DICOM")
    code, out, err = run(capsys, "add", folder, real("CT_small.dcm"), tmp_path / "text", real("rtdose.dcm"), "--invent")
    assert code == 1
    assert "1 added, 4 in" in out
    assert "already" in err
    assert "text" in err


def test_add_refuses_instances_that_the_profile_does_not_allow(folder, capsys):
    before = len(FileSet(folder))
    code, _, err = run(capsys, "add", folder, real("JPEG2000.dcm"), "--profile", "STD-GEN-CD", "--invent")
    assert code == 1
    assert "JPEG 2000" in err
    assert "PS3.11 Annex D" in err
    assert len(FileSet(folder)) == before
    assert run(capsys, "add", folder, real("JPEG2000.dcm"), "--profile", "NOTHING")[0] == 2


def test_list(folder, capsys):
    code, out, _ = run(capsys, "list", folder)
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("MY SET")
    assert [line.split()[0] for line in lines[1:5]] == ["PATIENT", "STUDY", "SERIES", "IMAGE"]
    code, out, _ = run(capsys, "list", folder, "--json", "--PatientID", "1CT1")
    (one,) = [json.loads(line) for line in out.splitlines()]
    assert one["file_id"] == ["PT000000", "ST000000", "SE000000", "IM000000"]
    assert (one["PatientID"], one["Modality"], one["type"]) == ("1CT1", "CT", "IMAGE")


def test_remove_and_move(folder, capsys):
    assert run(capsys, "move", folder, "PT000000/ST000000/SE000000/IM000000", "CT/ONE")[0] == 0
    assert (folder / "CT" / "ONE").is_file()
    assert run(capsys, "move", folder, "NOT/HERE", "CT/TWO")[0] == 1
    assert run(capsys, "move", folder, "CT/ONE", "ct/two")[0] == 2
    assert run(capsys, "remove", folder)[0] == 2
    assert run(capsys, "remove", folder, "NOT/HERE")[0] == 1
    code, out, _ = run(capsys, "remove", folder, "--json", "--PatientID", "1CT1")
    assert (code, json.loads(out)["file_id"]) == (0, ["CT", "ONE"])
    assert not (folder / "CT").exists()
    assert FileSet(folder).check() == ()


def test_check(folder, capsys):
    code, out, _ = run(capsys, "check", folder, "--profile", "STD-GEN-CD", "--json")
    verdict = json.loads(out)
    assert (code, verdict["profile"], verdict["meets"]) == (1, "STD-GEN-CD", False)
    assert {finding["code"] for finding in verdict["findings"]} == {"PROFILE_SYNTAX"}  # the plan is in implicit VR
    code, out, _ = run(capsys, "check", folder)
    assert code == 0
    assert "STD-GEN-MIME: met" in out
    Path(next(iter(FileSet(folder))).path).unlink()
    code, out, _ = run(capsys, "check", folder)
    assert code == 1
    assert "FILE_MISSING" in out
    assert run(capsys, "check", folder, "--no-files")[0] == 0


@pytest.mark.parametrize("kind", ["zip", "mail", "zip-mail"])
def test_pack_and_unpack(kind, folder, tmp_path, capsys):
    assert run(capsys, "pack", folder, tmp_path / "packed", "--as", kind)[0] == 0
    assert run(capsys, "unpack", tmp_path / "packed", tmp_path / "again")[:2] == (
        0,
        f"3 files in {tmp_path / 'again'}\n",
    )
    assert FileSet(tmp_path / "again").check() == ()


def test_icons(tmp_path, capsys):
    code, _, err = run(
        capsys, "create", tmp_path / "set", real("CT_small.dcm"), real("rtplan.dcm"), "--icon", "--invent"
    )
    assert (code, err) == (0, "")
    assert ["IconImageSequence" in one for one in FileSet(tmp_path / "set")] == [True, False]


@pytest.mark.parametrize("action", ["list", "check", "add", "remove", "move", "pack"])
def test_a_folder_without_a_dicomdir_is_refused(action, tmp_path, capsys):
    more = {"add": ["x"], "remove": ["X"], "move": ["X", "Y"], "pack": [tmp_path / "x"]}.get(action, [])
    code, out, err = run(capsys, action, tmp_path / "nowhere", *more)
    assert (code, out) == (2, "")
    assert "nowhere" in err
    assert run(capsys, action, real("CT_small.dcm"), *more)[0] == 2


def odd_file(path: Path, uid: bytes, number: bytes) -> Path:
    """An instance whose Series and Instance Number are this text."""
    texts = [(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0"), (0x00080018, "UI", uid),
             (0x00080020, "DA", b"20200101"), (0x00080030, "TM", b"101010"),
             (0x00080060, "CS", b"CT"), (0x00100010, "PN", b"Doe^J "),
             (0x00100020, "LO", b"P1"), (0x00101030, "DS", b"70,5"), (0x0020000D, "UI", b"1.2.4\0"),
             (0x0020000E, "UI", b"1.2.5\0"), (0x00200010, "SH", b"S1"), (0x00200011, "IS", number),
             (0x00200013, "IS", number)]  # fmt: skip
    path.write_bytes(part10(b"".join(element(*one) for one in texts)))
    return path


def test_invalid_number_text_is_copied_into_the_record(tmp_path, capsys):
    """A scanner's "1.5" in an IS goes into the record as it is."""
    for uid, number in ((b"1.2.31", b"1 "), (b"1.2.32", b"1.5 "), (b"1.2.33", b"N/A ")):
        odd_file(tmp_path / uid.decode(), uid, number)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, out, err = run(capsys, "create", tmp_path / "set", *sorted(tmp_path.glob("1.2*")))
    assert (code, err) == (0, "")
    assert out.startswith("3 added")
    file_set = FileSet(tmp_path / "set")
    assert [one.load().InstanceNumber for one in file_set] == [1, 1.5, "N/A"]
    directory = (tmp_path / "set" / "DICOMDIR").read_bytes()
    assert all(element(0x00200013, "IS", number) in directory for number in (b"1 ", b"1.5 ", b"N/A "))


def test_odd_values_of_a_source_are_reported(tmp_path, capsys):
    source = odd_file(tmp_path / "source.dcm", b"1.2.31", b"1 ")
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.4 x")
    assert main(["encapsulate", str(tmp_path / "x.pdf"), "-o", str(tmp_path / "x.dcm"), "--source", str(source)]) == 0
    said = capsys.readouterr().err
    assert said.startswith(f"dicomcore encapsulate: {source}: (0010,1030): DS is a decimal number, which '70,5' isn't")
    assert element(0x00101030, "DS", b"70,5") in (tmp_path / "x.dcm").read_bytes()
