"""`dicomcore frames`: its files and exit codes."""

import argparse
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from dicomcore.cli import frames as command
from dicomcore.display.png import png
from dicomcore.pixels.coding import foreign
from tests.pixels.test_frames import made
from tests.support.made_images import made as image
from tests.support.pixel_files import ABSENT, named


def run(*arguments) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["frames", *map(str, arguments)])
    return parsed.run(parsed)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "three.dcm"
    path.write_bytes(made(np.arange(48, dtype="u2").reshape(3, 4, 4)))
    return path


def test_arrays(file, tmp_path):
    assert run(file, "-o", tmp_path / "out", "--array") == 0
    for i in range(3):
        assert (np.load(tmp_path / "out" / f"three.{i}.npy") == np.arange(16).reshape(4, 4) + 16 * i).all()


def test_only_the_chosen_frames_are_written(file, tmp_path, capsys):
    assert run(file, "-o", tmp_path / "out", "--raw", "--frame", 2, "--frame", 0, "--json") == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["frame"] for one in said] == [2, 0]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["three.0.npy", "three.2.npy"]


def test_pictures(file, tmp_path):
    assert run(file, "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / "three.1.png").read_bytes() == png(dc.dcmread(file).frames.render(1))


def test_names_sort_by_frame(tmp_path):
    (tmp_path / "many.dcm").write_bytes(made(np.zeros((12, 2, 2), "u1")))
    assert run(tmp_path / "many.dcm", "-o", tmp_path / "out") == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"many.{i:02}.png" for i in range(12)]


@pytest.mark.parametrize("shape", [(1, 40, 20), (1, 40, 20, 3)], ids=["grey", "RGB"])
def test_small_pictures(shape, tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs")
    array = np.zeros(shape, "u1")
    array[0, 20:] = 255
    (tmp_path / "a.dcm").write_bytes(made(array))
    for size, rows in ((10, 10), (64, 40)):  # smaller ones stay as they are
        assert run(tmp_path / "a.dcm", "-o", tmp_path, "--size", size) == 0
        picture = imagecodecs.png_decode((tmp_path / "a.0.png").read_bytes())
        assert picture.shape == (rows, rows // 2, *shape[3:])
        assert (picture[: rows // 2] == 0).all()
        assert (picture[rows // 2 :] == 255).all()


def test_a_window_given_by_the_user(file, tmp_path):
    assert run(file, "-o", tmp_path / "out", "--window=-1,3.5", "--frame", 0) == 0
    assert (tmp_path / "out" / "three.0.png").read_bytes() == png(dc.dcmread(file).frames.render(0, window=(-1, 3.5)))


@pytest.mark.parametrize(
    "options",
    [("--size", 0), ("--array", "--size", 64), ("--encoded", "--overlays"), ("--raw", "--window", 0)],
    ids=["no size", "size of arrays", "overlays in codestreams", "windowed samples"],
)
def test_wrong_use(options, file, tmp_path, capsys):
    assert run(file, "-o", tmp_path / "out", *options) == 2
    assert capsys.readouterr().err.startswith("dicomcore frames: ")


def test_issues_of_rendering_are_reported(tmp_path, capsys):
    (tmp_path / "a.dcm").write_bytes(made(np.zeros((1, 2, 2), "u1"), RescaleSlope="0"))
    assert run(tmp_path / "a.dcm", "-o", tmp_path) == 0
    assert "RESCALE_SLOPE Rescale Slope is 0" in capsys.readouterr().err


def test_codestreams(file, tmp_path):
    assert run(file, "-o", tmp_path / "out", "--encoded", "--frame", 1) == 0
    assert (tmp_path / "out" / "three.1.bin").read_bytes() == np.arange(16, 32, dtype="<u2").tobytes()


def test_isolated(tmp_path, monkeypatch):
    path = Path(pydicom.__file__).parent / "data" / "test_files" / "MR_small_jp2klossless.dcm"
    wanted = dc.dcmread(path).frames[0]
    monkeypatch.setattr(foreign, "import_module", None)  # nothing is decoded here
    assert run(path, "-o", tmp_path, "--array", "--isolate") == 0
    assert (np.load(tmp_path / f"{path.stem}.0.npy") == wanted).all()


def test_strict(tmp_path, capsys):
    """A truncated frame is written and reported, or refused if strict; the message names the file once."""
    imagecodecs = pytest.importorskip("imagecodecs")
    grey = np.arange(1600, dtype="u1").reshape(40, 40)
    codestream = imagecodecs.jpeg8_encode(grey)
    path = tmp_path / "cut.dcm"
    path.write_bytes(image(grey, [codestream[: len(codestream) // 2]], "1.2.840.10008.1.2.4.50"))
    assert run(path, "-o", tmp_path / "out", "--array") == 0
    said = capsys.readouterr().err
    assert "PIXEL_INCOMPLETE" in said
    assert "frame 0: the JPEG scan breaks off" in said
    assert run(path, "-o", tmp_path / "strict", "--array", "--strict") == 1
    assert not list((tmp_path / "strict").iterdir())
    assert capsys.readouterr().err.startswith(f"dicomcore frames: {path}: frame 0: the JPEG scan breaks off")


def test_a_missing_frame_is_wrong_use(file, tmp_path, capsys):
    assert run(file, "-o", tmp_path / "out", "--frame", 3) == 2
    assert "no frame 3" in capsys.readouterr().err


def test_no_dicom(tmp_path, capsys):
    (tmp_path / "x").write_bytes(b"no")
    assert run(tmp_path / "x", "-o", tmp_path) == 1
    assert run(tmp_path / "nothing", "-o", tmp_path) == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_a_bad_frame_ends_with_exit_code_1(tmp_path, capsys):
    assert run(named("JPEG2000-embedded-sequence-delimiter.dcm"), "-o", tmp_path) == 1
    assert "frame 0" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3), (3, 5, 4)])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_png_reads_back(shape, dtype):
    imagecodecs = pytest.importorskip("imagecodecs")
    picture = np.random.default_rng(0).integers(0, 256 ** np.dtype(dtype).itemsize, shape).astype(dtype)
    assert (imagecodecs.png_decode(png(picture)) == picture).all()
