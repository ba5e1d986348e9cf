"""`dicomcore transcode` over files and folders: written, skipped and resumed files, and exit codes."""

import json
import os

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.archive.organizing.transcoding import transcode_folder
from dicomcore.cli.program import main
from tests.support.made_images import made as image
from tests.transcoding.test_transcode import IMAGES, made


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    for i, name in enumerate(("a.dcm", "deep/b.dcm", "deep/c.dcm")):
        made(IMAGES["grey 12 of 16"][0], 12, InstanceNumber=i).save_as(source / name)
    report = dc.Dataset()
    report.update({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11", "SOPInstanceUID": "1.2.3"})
    report.save_as(source / "report.dcm")
    (source / "readme.txt").write_text("no DICOM")
    return source


def run(*arguments):
    return main(["transcode", *map(str, arguments)])


def said(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("workers", [1, 3])
def test_folder(folder, tmp_path, capsys, workers):
    out = tmp_path / "out"
    arguments = (folder, "-o", out, "--to", "jpeg-lossless", "--workers", workers, "--verify", "--json")
    assert run(*arguments) == 0
    summary = said(capsys)
    assert (summary["transcoded"], summary["copied"], summary["not_DICOM"], summary["failed"]) == (3, 1, 1, 0)
    for name in ("a.dcm", "deep/b.dcm", "deep/c.dcm"):
        ds = dc.dcmread(out / name)
        assert ds.transfer_syntax.keyword == "JPEGLosslessSV1"
        assert np.array_equal(ds.pixel_array, IMAGES["grey 12 of 16"][0])
    assert (out / "report.dcm").read_bytes() == (folder / "report.dcm").read_bytes()
    assert not (out / "readme.txt").exists()


def test_resume(folder, tmp_path, capsys):
    out = tmp_path / "out"
    base = (folder, "-o", out, "--json", "--to")
    assert run(*base, "rle") == 0
    said(capsys)
    (out / "a.dcm").unlink()
    whole = (out / "deep/b.dcm").read_bytes()
    (out / "deep/b.dcm").write_bytes(whole[:-30])  # cut short
    os.utime(folder / "deep/c.dcm", (2**32, 2**32))  # changed since
    assert run(*base, "rle") == 0
    summary = said(capsys)
    assert (summary["transcoded"], summary["skipped"]) == (3, 1)
    assert dc.dcmread(out / "deep/b.dcm").issues == ()
    os.utime(folder / "deep/c.dcm", (1, 1))
    assert run(*base, "rle") == 0
    assert said(capsys)["skipped"] == 4
    assert run(*base, "rle", "--no-resume") == 0
    assert said(capsys)["transcoded"] == 3
    assert run(*base, "jpeg-2000") == 0  # files in another syntax don't count as done
    assert said(capsys)["transcoded"] == 3


def test_a_file_that_fails_does_not_stop_the_others(folder, tmp_path, capsys):
    made(IMAGES["wide"][0], 32).save_as(folder / "deep/wide.dcm")
    assert run(folder, "-o", tmp_path / "out", "--to", "jpeg-lossless", "--json") == 1
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert (summary["transcoded"], summary["failed"]) == (3, 1)
    assert summary["failures"][0]["path"] == os.path.join("deep", "wide.dcm")
    assert "RLE Lossless" in captured.err
    assert not (tmp_path / "out/deep/wide.dcm").exists()


def test_strict(folder, tmp_path, capsys):
    """A truncated file is refused; the message names the file once."""
    imagecodecs = pytest.importorskip("imagecodecs")
    grey = np.arange(1600, dtype="u1").reshape(40, 40)
    codestream = imagecodecs.jpeg8_encode(grey)
    (folder / "cut.dcm").write_bytes(image(grey, [codestream[: len(codestream) // 2]], "1.2.840.10008.1.2.4.50"))
    assert run(folder, "-o", tmp_path / "out", "--to", "explicit", "--strict", "--json") == 1
    told = capsys.readouterr().err
    assert "cut.dcm: PixelDecodeError: frame 0: the JPEG scan breaks off" in told
    assert not (tmp_path / "out/cut.dcm").exists()


def test_output_inside_the_source_is_not_walked(folder):
    first = transcode_folder(folder, folder / "out", "rle")
    again = transcode_folder(folder, folder / "out", "rle")
    assert sum(first.counts.values()) == sum(again.counts.values()) == 5


def test_dicomdir_is_left_out(folder, tmp_path):
    file_set = dc.FileSet()
    file_set.write(tmp_path / "set")
    os.replace(tmp_path / "set/DICOMDIR", folder / "DICOMDIR")
    summary = transcode_folder(folder, tmp_path / "out", "rle")
    assert summary.counts["skipped"] == 1
    assert not (tmp_path / "out/DICOMDIR").exists()


def test_a_file(folder, tmp_path, capsys):
    assert run(folder / "a.dcm", "-o", tmp_path, "--to", "rle", "--verify", "--json") == 0
    record = said(capsys)
    assert (record["transfer_syntax"], record["verified"]) == ("1.2.840.10008.1.2.5", True)
    assert dc.dcmread(tmp_path / "a.dcm").transfer_syntax.keyword == "RLELossless"
    assert (
        run(folder / "a.dcm", "-o", tmp_path / "b.dcm", "--to", "jpeg-extended", "--quality", 80, "--frames", "0-0")
        == 0
    )
    assert run(folder / "a.dcm", "-o", tmp_path / "c.dcm", "--to", "jpeg") == 1
    assert run(folder / "a.dcm", "-o", tmp_path / "c.dcm", "--to", "rle", "--frames", "7") == 1
    assert run(folder / "readme.txt", "-o", tmp_path / "c.dcm", "--to", "rle") == 1
    assert not (tmp_path / "c.dcm").exists()


WRONG = {
    "no source": ("--to", "rle"),
    "no such file": ("/no/such", "-o", "x", "--to", "rle"),
    "no such syntax": (".", "-o", "x", "--to", "gif"),
    "no threads": (".", "-o", "x", "--to", "rle", "--workers", "0"),
    "frames": (".", "-o", "x", "--to", "rle", "--frames", "5-2"),
    "onto itself": (".", "-o", ".", "--to", "rle"),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_use(arguments, capsys):
    assert run(*arguments) == 2
    assert capsys.readouterr().err.startswith("dicomcore transcode: ")


def test_list(capsys):
    assert run("--list") == 0
    assert "1.2.840.10008.1.2.4.70" in capsys.readouterr().out
