"""The command line: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dicomcore
from dicomcore.cli import main
from tests.support.corpus import real

COMMAND = [sys.executable, "-m", "dicomcore.cli"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm"):
        shutil.copy(real(name), folder / name)
    return folder


def wrong_use(*argv: str) -> bool:
    with pytest.raises(SystemExit) as left:
        main(argv)
    return left.value.code == 2


@pytest.mark.parametrize("argv", [["--help"], ["index", "--help"], ["dump", "--help"]])
def test_help(argv, capsys):
    with pytest.raises(SystemExit) as left:
        main(argv)
    assert left.value.code == 0
    assert "dicomcore" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"dicomcore {dicomcore.__version__}\n"


def test_a_missing_command_is_wrong_use():
    assert wrong_use()
    assert wrong_use("index", "somewhere")
    assert wrong_use("dump")


class TestIndex:
    """`dicomcore index`, which needs the extra `archive`."""

    @pytest.fixture(autouse=True)
    def parquet(self):
        self.pq = pytest.importorskip("pyarrow.parquet")

    def test_all_read(self, archive, tmp_path, capsys):
        out = tmp_path / "index.parquet"
        assert main(["index", str(archive), "-o", str(out), "--workers", "1"]) == 0
        assert self.pq.read_table(out)["PatientID"].to_pylist() == ["1CT1", "4MR1"]
        assert capsys.readouterr().out.startswith("2 files in ")

    def test_some_unreadable(self, archive, tmp_path, capsys):
        (archive / "a.txt").write_text("no DICOM")
        (archive / "b.txt").write_text("nor this")
        (archive / "empty.dcm").write_bytes(b"")
        assert main(["index", str(archive), "-o", str(tmp_path / "index.parquet")]) == 1
        told = capsys.readouterr().out.splitlines()
        assert told[1] == "2 indexed; 1 could not be read, 2 are not DICOM"
        examples = [line.strip() for line in told if "e.g." in line]
        assert examples == [f"e.g. {archive / 'empty.dcm'}", f"e.g. {archive / 'a.txt'}"]

    def test_files_that_are_not_dicom(self, archive, tmp_path, capsys):
        (archive / "notes.txt").write_text("no DICOM")
        command = ["index", str(archive), "-o", str(tmp_path / "index.parquet")]
        assert main(command) == 0
        assert "2 indexed; 0 could not be read, 1 is not DICOM" in capsys.readouterr().out
        assert main([*command, "--expect-dicom"]) == 1
        assert capsys.readouterr().err == "dicomcore index: 1 is not DICOM\n"
        (archive / "notes.txt").unlink()
        assert main([*command, "--expect-dicom"]) == 0
        assert "not DICOM" not in capsys.readouterr().out.splitlines()[-1]

    def test_json(self, archive, tmp_path, capsys):
        (archive / "notes.txt").write_text("no DICOM")
        (archive / "empty.dcm").write_bytes(b"")
        assert main(["index", str(archive), "-o", str(tmp_path / "index.parquet"), "--json"]) == 1
        told = json.loads(capsys.readouterr().out)
        assert (told["files"], told["read"], told["unreadable"], told["not_dicom"]) == (4, 2, 1, 1)
        assert told["with_issues"] == 0
        assert [(one["kind"], one["example"]) for one in told["reasons"]] == [
            ("damaged", str(archive / "empty.dcm")),
            ("not DICOM", str(archive / "notes.txt")),
        ]

    @pytest.mark.parametrize(
        ("given", "wanted"),
        [
            ("Rows,00100020", ["Rows", "PatientID"]),
            ("@list", ["PatientID", "Modality"]),
            ("@list,Rows", ["PatientID", "Modality", "Rows"]),
            ("0019,1002:GEMS_ACQU_01,0010,0020,all", ["0019xx02:GEMS_ACQU_01", "PatientID", "elements"]),
        ],
    )
    def test_columns(self, archive, tmp_path, given, wanted, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "list").write_text("PatientID  # who\n\nModality\n")
        assert main(["index", str(archive), "-o", "index.parquet", "--columns", given]) == 0
        assert self.pq.read_table("index.parquet").schema.names[4:-3] == wanted

    def test_frames_and_hashes(self, archive, tmp_path):
        out = tmp_path / "index.csv"
        options = ["--columns", "Rows", "--level", "frame", "--content-hash", "md5", "--pixel-hash", "sha1", "-q"]
        assert main(["index", str(archive), "-o", str(out), *options, "--sort-by", "Rows,path"]) == 0
        head, first, _ = out.read_text().splitlines()
        assert head.replace('"', "") == (
            "path,size,mtime,etag,frame,Rows,DimensionIndexValues,content_hash,pixel_hash,issues,error,error_kind"
        )
        assert "MR_small" in first

    def test_default_columns_and_one_more(self, archive, tmp_path):
        out = tmp_path / "index.parquet"
        assert main(["index", str(archive), "-o", str(out), "-q", "--columns", "default,PatientWeight"]) == 0
        assert self.pq.read_table(out).schema.names[-6:-4] == ["PixelRepresentation", "PatientWeight"]

    @pytest.mark.parametrize(
        "extra",
        [
            ["--columns", "Nonsense"],
            ["--columns", "@absent"],
            ["--workers", "0"],
            ["--pixel-hash", "crc"],
            ["--sort-by", "ImageType"],
        ],
    )
    def test_wrong_use(self, archive, tmp_path, extra, capsys):
        assert main(["index", str(archive), "-o", str(tmp_path / "index.parquet"), *extra]) == 2
        told = capsys.readouterr().err
        assert told.startswith("dicomcore index: ")
        assert ("absent" in told) == ("@absent" in extra)
        assert not (tmp_path / "index.parquet").exists()

    def test_a_missing_folder_is_wrong_use(self, tmp_path, capsys):
        assert main(["index", str(tmp_path / "nowhere"), "-o", str(tmp_path / "index.parquet")]) == 2
        assert "nowhere" in capsys.readouterr().err

    def test_a_table_that_can_not_be_written(self, archive, tmp_path, capsys):
        assert main(["index", str(archive), "-o", str(tmp_path / "nowhere" / "index.parquet")]) == 2
        assert capsys.readouterr().err.count("\n") == 1

    def test_without_pyarrow_it_names_the_extra(self, archive, tmp_path):
        code = "import sys; sys.modules['pyarrow'] = None; from dicomcore.cli import main; sys.exit(main())"
        ran = subprocess.run(
            [sys.executable, "-c", code, "index", str(archive), "-o", str(tmp_path / "i.parquet")],
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 2
        assert 'pip install "dicomcore[archive]"' in ran.stderr
        assert "Traceback" not in ran.stderr


def test_dump_prints_the_text_of_the_data_set(capsys):
    path = real("CT_small.dcm")
    assert main(["dump", str(path)]) == 0
    assert capsys.readouterr().out == f"{dicomcore.dcmread(path)}\n"


def test_dump_offsets(capsys):
    assert main(["dump", "--offsets", str(real("rtplan.dcm"))]) == 0
    lines = capsys.readouterr().out.splitlines()
    beam = next(line for line in lines if "Beam Name" in line)
    offset, length, rest = beam.split(maxsplit=2)
    element = dicomcore.dcmread(real("rtplan.dcm")).BeamSequence[0]["BeamName"]
    assert (int(offset), int(length)) == (element.offset, element.length)
    assert rest == f"{element}"


def test_dump_lines_has_one_object_a_line(capsys):
    assert main(["dump", "--lines", str(real("rtplan.dcm"))]) == 0
    found = {line["path"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert found["BeamSequence[0].BeamName"]["tag"] == "300A00C2"
    assert found["PatientID"] | {"offset": 0} == {
        "file": str(real("rtplan.dcm")), "path": "PatientID", "tag": "00100020", "VR": "LO", "keyword": "PatientID",
        "value": "id00001", "offset": 0, "length": 8,
    }  # fmt: skip
    assert found["BeamSequence"]["value"] == 1
    assert found["TransferSyntaxUID"]["VR"] == "UI"


def test_dump_json_has_one_object_a_file(capsys):
    paths = [real("CT_small.dcm"), real("rtplan.dcm")]
    assert main(["dump", "--json", *map(str, paths)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [dicomcore.dcmread(path).to_json() for path in paths]
    assert main(["dump", "--json", "--indent", "2", "--meta", str(paths[0])]) == 0
    told = capsys.readouterr().out
    assert told.startswith('{\n  "00020001": {\n    "vr": "OB",\n')
    assert json.loads(told) == dicomcore.dcmread(paths[0]).to_json_dict(file_meta=True)


def test_dump_xml(capsys):
    path = str(real("rtplan.dcm"))
    assert main(["dump", "--xml", path]) == 0
    assert capsys.readouterr().out == dicomcore.dcmread(path).to_xml()
    assert main(["dump", "--xml", path, path]) == 2
    assert wrong_use("dump", "--xml", "--json", path)


@pytest.mark.parametrize("name", ["CT_small.dcm", "SC_rgb_rle.dcm", "liver.dcm", "waveform_ecg.dcm", "chrX1.dcm"])
@pytest.mark.parametrize("option", ["--lines", "--offsets"])
def test_dump_describes_every_element(name, option, capsys):
    assert main(["dump", option, str(real(name))]) == 0
    data_set = dicomcore.dcmread(real(name))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(data_set.file_meta) + sum(1 for _ in data_set.iterall())


def test_dump_goes_on_after_an_unreadable_file(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no DICOM")
    files = [str(tmp_path / "nowhere"), str(tmp_path / "notes.txt"), str(tmp_path), str(real("CT_small.dcm"))]
    assert main(["dump", *files]) == 1
    told = capsys.readouterr()
    assert f"# {files[-1]}\n" in told.out
    assert [line.split(": ")[1] for line in told.err.splitlines()] == files[:3]


def test_dump_reports_deviations(tmp_path, capsys):
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(real("CT_small.dcm").read_bytes()[:397])
    assert main(["dump", str(cut)]) == 0
    assert "LENGTH_BEYOND_END" in capsys.readouterr().err
    assert main(["dump", "-q", str(cut)]) == 0
    assert capsys.readouterr().err == ""


def test_dump_force(tmp_path, capsys):
    bare = real("no_meta.dcm")
    assert main(["dump", str(bare)]) == 1
    assert main(["dump", "--force", "-q", str(bare)]) == 0


@pytest.mark.skipif(os.name == "nt", reason="no such pipes")
def test_a_closed_pipe_ends_a_command_quietly():
    command = " ".join([*COMMAND, "dump", "--json", *([str(real("CT_small.dcm"))] * 40)])
    ran = subprocess.run(f"{command} | head -1; exit ${{PIPESTATUS[0]}}", shell=True, executable="/bin/bash",
                         capture_output=True, text=True)  # fmt: skip
    assert ran.returncode == 141
    assert ran.stderr == ""
    assert ran.stdout.count("\n") == 1
