"""`dicomcore check`: its output and exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dicomcore import dcmread
from dicomcore.cli import main
from tests.support.corpus import real


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clean file, one with findings, a note alone, and a text."""
    clean, broken = dcmread(real("MR_small.dcm")), dcmread(real("MR_small.dcm"))
    clean.save_as(tmp_path / "a.dcm")
    broken.BitsStored = 17
    broken.save_as(tmp_path / "b.dcm")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.dcm").write_bytes(real("CT_small.dcm").read_bytes())
    (tmp_path / "README").write_text("Nothing but text, long enough to be no DICOM file. " * 9)
    return tmp_path


def test_clean_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "a.dcm"), "--rule", "coherence"]) == 0
    assert capsys.readouterr().out == ""


def test_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder), "--rule", "coherence", "--workers", "2"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{folder}/b.dcm: MR Image: 1 error",
        "error BITS_STORED: BitsStored is 17, with 16 bits allocated [PS3.5 8.1.1]",
    ]
    assert err == ""


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder), "--json", "--rule", "coherence", "--at-least", "note"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(Path(line["file"]).name, [one["code"] for one in line["findings"]]) for line in lines] == [
        ("a.dcm", []),
        ("b.dcm", ["BITS_STORED"]),
        ("c.dcm", ["ZERO_UNLIKELY"]),
    ]


def test_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    target = folder / "found.parquet"
    assert main(["check", str(folder), "--out", str(target), "--rule", "coherence", "--at-least", "note"]) == 1
    table = pq.read_table(target)
    names = [Path(name).name for name in table["file"].to_pylist()]
    assert list(zip(names, table["code"].to_pylist(), strict=True)) == [
        ("README", None),
        ("a.dcm", None),
        ("b.dcm", "BITS_STORED"),
        ("c.dcm", "ZERO_UNLIKELY"),
    ]
    summary = capsys.readouterr().out
    assert summary.splitlines() == [
        "    files  findings",
        "        1         1 error   BITS_STORED             MR Image",
        "        1         1 note    ZERO_UNLIKELY           CT Image",
        "1 is not DICOM",
        "3 files checked, 2 of them with findings",
    ]
    again = ["check", str(folder), "--out", str(target), "--rule", "coherence", "--at-least", "note"]
    assert main(again) == 1
    assert capsys.readouterr().out == summary
    assert main([*again, "--no-resume", "--quiet"]) == 1
    assert capsys.readouterr() == ("", "")
    assert pq.read_table(target).equals(table)


def test_out_of_clean_files(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("pyarrow")
    target = str(tmp_path_factory.mktemp("out") / "found.csv")
    assert main(["check", str(folder / "a.dcm"), "-o", target, "--rule", "coherence"]) == 0
    assert Path(target).read_text().count("\n") == 2
    assert main(["check", str(folder / "a.dcm"), "-o", "found.docx"]) == 2


def test_members_of_an_archive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.make_archive(str(folder / "packed"), "zip", folder / "deep")
    assert main(["check", str(folder / "packed.zip"), "--rule", "coherence", "--at-least", "note"]) == 1
    assert capsys.readouterr().out.startswith(f"{folder}/packed.zip!/c.dcm: CT Image: 1 note\n")


def test_a_named_file_has_to_be_dicom(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "README"), str(folder / "a.dcm"), "--rule", "coherence"]) == 1
    assert capsys.readouterr().err.startswith(f"dicomcore check: {folder}/README: InvalidDicomError: is not DICOM")


def test_left_out_rule(folder: Path) -> None:
    assert main(["check", str(folder), "--rule", "coherence", "--skip", "BITS_STORED"]) == 0
    assert main(["check", str(folder), "--rule", "HIGH_BIT"]) == 0


def test_unreadable(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = folder / "empty.dcm"
    empty.write_bytes(b"")
    assert main(["check", str(empty)]) == 1
    assert str(empty) in capsys.readouterr().err


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--explain", "bits_stored"]) == 0
    assert capsys.readouterr().out.startswith("BITS_STORED (error, coherence, PS3.5 8.1.1)\n\n")


@pytest.mark.parametrize(
    "arguments",
    [[], ["nowhere.dcm"], [".", "--rule", "NONE"], [".", "--iod", "x"], [".", "--workers", "0"], ["--explain", "NONE"]],
)
def test_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *arguments]) == 2
    assert capsys.readouterr().err.startswith("dicomcore check: ")
