"""`dicomcore build`: files from the forms that `dicomcore dump` writes."""

from __future__ import annotations

import io
import json
import sys

import pydicom
import pytest

import dicomcore as dc
from dicomcore.cli import main
from tests.support.corpus import real
from tests.support.dicom_bytes import element, part10


def stderr_lines(capsys) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.fixture
def dumped(tmp_path, capsys):
    """Write the output of `dicomcore dump` for some files into one file."""

    def dump(*names: str, options=("--json",)):
        assert main(["dump", *options, "--meta", *[str(real(name)) for name in names]]) == 0
        path = tmp_path / "dumped"
        path.write_text(capsys.readouterr().out, encoding="utf-8")
        return path

    return dump


@pytest.mark.parametrize("name", ["CT_small.dcm", "SC_rgb_rle.dcm", "rtplan.dcm", "chrH32.dcm", "liver.dcm"])
@pytest.mark.parametrize("options", [("--json",), ("--json", "--indent", "1"), ("--xml",)], ids=" ".join)
def test_dumped_files_are_built_back(name, options, dumped, tmp_path):
    out = tmp_path / "out.dcm"
    assert main(["build", str(dumped(name, options=options)), "-o", str(out)]) == 0
    before, after = dc.dcmread(real(name)), dc.dcmread(out)
    assert after.to_json_dict() == before.to_json_dict()
    assert after.transfer_syntax == before.transfer_syntax
    assert pydicom.dcmread(out).PatientName == pydicom.dcmread(real(name)).PatientName
    if "PixelData" in before:
        assert (after.pixel_array == before.pixel_array).all()


def test_several_files_go_into_a_folder(dumped, tmp_path):
    path = dumped("CT_small.dcm", "MR_small.dcm")
    assert main(["build", str(path), "-o", str(tmp_path)]) == 0
    for name in ("CT_small.dcm", "MR_small.dcm"):
        uid = dc.dcmread(real(name)).SOPInstanceUID
        assert dc.dcmread(tmp_path / f"{uid}.dcm").PatientID == dc.dcmread(real(name)).PatientID


def test_one_data_set_goes_into_a_file(dumped, tmp_path, capsys):
    path = dumped("CT_small.dcm", "MR_small.dcm")
    assert main(["build", str(path), "-o", str(tmp_path / "out.dcm")]) == 1
    assert "several data sets" in stderr_lines(capsys)[0]
    assert main(["build", str(path), str(path), "-o", str(tmp_path / "out.dcm")]) == 2


@pytest.mark.parametrize("name", ["implicit", "ImplicitVRLittleEndian", "1.2.840.10008.1.2"])
def test_transfer_syntax_by_name(name, dumped, tmp_path):
    out = tmp_path / "out.dcm"
    assert main(["build", str(dumped("CT_small.dcm")), "-o", str(out), "--transfer-syntax", name]) == 0
    assert dc.dcmread(out).transfer_syntax == "1.2.840.10008.1.2"


def test_no_transfer_syntax(dumped, tmp_path, capsys):
    out = tmp_path / "out.dcm"
    assert main(["build", str(dumped("CT_small.dcm")), "-o", str(out), "--transfer-syntax", "gif"]) == 2
    assert "'gif' is no transfer syntax" in stderr_lines(capsys)[0]
    assert not out.exists()


def test_standard_input(tmp_path, monkeypatch):
    text = dc.dcmread(real("rtplan.dcm")).to_json(file_meta=True)

    class Input:
        buffer = io.BytesIO(b"\n[" + text.encode() + b"]")

    monkeypatch.setattr(sys, "stdin", Input)
    assert main(["build", "-", "-o", str(tmp_path / "out.dcm")]) == 0
    assert dc.dcmread(tmp_path / "out.dcm").PatientID == "id00001"


def test_names_that_lead_elsewhere_are_refused(tmp_path, capsys):
    model = {"00080018": {"vr": "UI", "Value": ["../1.2"]}, "00080016": {"vr": "UI", "Value": ["1.2"]}}
    for uid in ("../1.2", "", "/1", "..", "1.2\\3"):
        model["00080018"]["Value"] = [uid]
        (tmp_path / "in.json").write_text(json.dumps(model))
        (tmp_path / "out").mkdir(exist_ok=True)
        assert main(["build", str(tmp_path / "in.json"), "-o", str(tmp_path / "out")]) == 1
        assert "no UID that a file can be named after" in stderr_lines(capsys)[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.json", "out"]


def test_encapsulated_pixel_data_needs_a_transfer_syntax(tmp_path, capsys):
    before = dc.dcmread(real("SC_rgb_rle.dcm"))
    (tmp_path / "in.json").write_text(before.to_json())
    build = ["build", str(tmp_path / "in.json"), "-o", str(tmp_path / "out.dcm")]
    assert main(build) == 1
    assert "--transfer-syntax" in stderr_lines(capsys)[0]
    assert main([*build, "--transfer-syntax", str(before.transfer_syntax)]) == 0
    assert (dc.dcmread(tmp_path / "out.dcm").pixel_array == before.pixel_array).all()


def test_values_left_empty_are_reported(tmp_path, capsys):
    text = dc.dcmread(real("CT_small.dcm")).to_json(bulk_data_element_handler=lambda _: "u", file_meta=True)
    (tmp_path / "in.json").write_text(text)
    build = ["build", str(tmp_path / "in.json"), "-o", str(tmp_path / "out.dcm")]
    assert main(build) == 0
    assert [line.split(": ")[2][:17] for line in stderr_lines(capsys)] == ["BULK_DATA 0043102", "BULK_DATA 7FE0001"]
    assert main([*build, "-q"]) == 0
    assert stderr_lines(capsys) == []


@pytest.mark.parametrize("text", ["", "DICM", "[]", "<x/>", "{", '{"0008001A": {"vr": "XX"}}'])
def test_unreadable_input_is_refused(text, tmp_path, capsys):
    (tmp_path / "in").write_text(text)
    assert main(["build", str(tmp_path / "in"), "-o", str(tmp_path / "out.dcm")]) == 1
    assert len(stderr_lines(capsys)) == 1
    assert not (tmp_path / "out.dcm").exists()
    assert main(["build", str(tmp_path / "nowhere"), "-o", str(tmp_path / "out.dcm")]) == 1


def test_a_missing_folder_is_created(dumped, tmp_path):
    """The example of docs/howto/json-xml.md."""
    path = dumped("CT_small.dcm", "MR_small.dcm")
    assert main(["build", str(path), "-o", str(tmp_path / "built") + "/"]) == 0
    assert len(list((tmp_path / "built").iterdir())) == 2


def test_several_data_sets_for_one_file_write_nothing(dumped, tmp_path, capsys):
    path = dumped("CT_small.dcm", "MR_small.dcm")
    assert main(["build", str(path), "-o", str(tmp_path / "out.dcm")]) == 1
    assert not (tmp_path / "out.dcm").exists()
    assert f"-o {tmp_path / 'out.dcm'}/" in stderr_lines(capsys)[0]


def test_an_output_folder_that_is_a_file_is_refused(dumped, tmp_path, capsys):
    (tmp_path / "taken").write_bytes(b"")
    assert main(["build", str(dumped("CT_small.dcm")), "-o", str(tmp_path / "taken") + "/"]) == 2
    assert stderr_lines(capsys) == [f"dicomcore build: {tmp_path / 'taken'}/: Not a directory"]


def test_messages_advise_only_options_of_the_command(tmp_path, capsys):
    (tmp_path / "in.json").write_text('{"00100020": {"vr": "LO", "Value": ["1"]}}')
    assert main(["build", str(tmp_path / "in.json"), "-o", str(tmp_path / "out.dcm")]) == 1
    (line,) = stderr_lines(capsys)
    assert "SOPClassUID" in line
    assert "enforce_standard" not in line


def test_invalid_number_text_survives_dump_and_build(tmp_path, capsys):
    """fo-dicom#1355: build reads all that dump writes."""
    body = element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0") + element(0x00080018, "UI", b"1.2.3\0")
    body += element(0x00101030, "DS", b"70,5") + element(0x00181152, "IS", b"14.5")
    (tmp_path / "in.dcm").write_bytes(part10(body))
    for form in ("--json", "--xml"):
        assert main(["dump", form, "--meta", "-q", str(tmp_path / "in.dcm")]) == 0
        (tmp_path / "dumped").write_text(capsys.readouterr().out, encoding="utf-8")
        assert main(["build", str(tmp_path / "dumped"), "-o", str(tmp_path / "out.dcm")]) == 0
        assert [line.split(": ")[2].split()[0] for line in stderr_lines(capsys)] == ["BAD_VALUE", "BAD_VALUE"]
        assert (tmp_path / "out.dcm").read_bytes().endswith(body[-24:])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_json_in_utf_16(encoding, tmp_path, capsys):
    path = tmp_path / "wide.json"
    path.write_bytes('{"00100020":{"vr":"LO","Value":["x"]}}'.encode(encoding))
    assert main(["build", str(path), "-o", str(tmp_path / "out.dcm")]) == 1
    assert "this is UTF-16" in stderr_lines(capsys)[0]
