"""`dicomcore render`: its files, against what the functions behind it give."""

from __future__ import annotations

import argparse
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

import dicomcore
from dicomcore import iod
from dicomcore.cli import render as command
from dicomcore.display import Screen, make_presentation, render
from dicomcore.objects import Circle, Label, Slide
from dicomcore.uids import generate_uid
from tests.support.slides import picture, write_pyramid

CT, COLOUR = get_testdata_file("CT_small.dcm"), get_testdata_file("SC_rgb_small_odd.dcm")


def run(*arguments) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["render", *map(str, arguments)])
    return parsed.run(parsed)


def seek(film, place) -> int:
    """Go to a picture of a GIF file; return its milliseconds."""
    film.seek(place)
    return film.info["duration"]


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.fixture
def state(tmp_path):
    image = dicomcore.dcmread(CT)
    made = make_presentation(image, window=(40, 400), rotation=90, marks=[Circle(64, 64, 30)])
    dicomcore.dcmwrite(tmp_path / "state", made)
    return tmp_path / "state"


@pytest.fixture
def series(tmp_path):
    """Ten images whose file names are in another order than their places."""
    folder = tmp_path / "series"
    folder.mkdir()
    uid = generate_uid()
    for place in range(10):
        image = dicomcore.dcmread(CT).copy()
        image.SOPInstanceUID, image.SeriesInstanceUID = generate_uid(), uid
        image.ImagePositionPatient = [0, 0, 5 * place]
        image.InstanceNumber = place
        image.WindowCenter, image.WindowWidth = 40 + 100 * place, 400
        dicomcore.dcmwrite(folder / f"{(7 * place) % 10}.dcm", image)
    (folder / "notes.txt").write_text("no DICOM")
    return folder


def test_a_picture_by_the_image_alone(tmp_path, capsys):
    assert run(CT, "-o", tmp_path / "a.png", "--window", "40,400") == 0
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), render(CT, window=(40, 400)))
    assert capsys.readouterr().out == f"{tmp_path / 'a.png'}: 1 picture\n"


def test_a_picture_by_a_state(state, tmp_path):
    assert run(CT, "--ps", state, "-o", tmp_path / "a.png", "--size", 300) == 0
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), render(CT, state, size=300))
    assert run(CT, "--ps", state, "-o", tmp_path / "b.png", "--no-graphics") == 0
    np.testing.assert_array_equal(pixels(tmp_path / "b.png"), render(CT, state, graphics=False))


def test_jpeg(tmp_path):
    assert run(COLOUR, "-o", tmp_path / "a.jpg", "--size", 64, "--icc", "none") == 0
    shown = render(COLOUR, size=64, profile=None)
    assert pixels(tmp_path / "a.jpg").shape == shown.shape
    assert np.abs(pixels(tmp_path / "a.jpg").astype(int) - shown).mean() < 12


def test_a_measured_screen(tmp_path):
    levels = 0.3 + 400 * np.linspace(0, 1, 256) ** 2.2
    (tmp_path / "screen").write_text("\n".join(f"{i} {level}" for i, level in enumerate(levels)))
    assert run(CT, "-o", tmp_path / "a.png", "--screen", tmp_path / "screen") == 0
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), render(CT, screen=Screen(levels)))


def test_a_strip_of_a_series_in_its_order(series, tmp_path):
    assert run(series, "-o", tmp_path / "a.png", "--columns", 5) == 0
    strip = pixels(tmp_path / "a.png")
    assert strip.shape == (2 * 132 - 4, 5 * 132 - 4)
    for place in range(10):
        top, left = place // 5 * 132, place % 5 * 132
        one = render(CT, window=(40 + 100 * place, 400))
        np.testing.assert_array_equal(strip[top : top + 128, left : left + 128], one)


def test_a_film_of_a_series(series, tmp_path):
    assert run(series, "-o", tmp_path / "a.gif", "--rate", 20) == 0
    film = Image.open(tmp_path / "a.gif")
    assert (film.n_frames, film.info["duration"], film.size) == (10, 50, (128, 128))
    film.seek(9)
    assert np.abs(np.asarray(film.convert("L")).astype(int) - render(CT, window=(940, 400))).max() <= 4


def test_mp4(series, tmp_path):
    av = pytest.importorskip("av")
    assert run(series, "-o", tmp_path / "a.mp4", "--size", 101) == 0
    with av.open(BytesIO((tmp_path / "a.mp4").read_bytes())) as film:
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
        assert float(film.streams.video[0].average_rate) == 10
    assert len(frames) == 10
    assert frames[0].shape == (100, 100)
    assert np.abs(frames[5].astype(int) - render(CT, window=(540, 400), size=101)[:100, :100]).mean() < 6


CAPTURES = {  # name: (images, options, frames, shape)
    "grey": ((CT,), (), 1, (128, 128)),
    "colour": ((COLOUR,), (), 1, (3, 3, 3)),
    "grey of two": ((CT, CT), (), 2, (128, 128)),
    "colour and grey": ((CT, COLOUR), (), 2, (128, 128, 3)),
}


@pytest.mark.parametrize(("images", "options", "frames", "shape"), CAPTURES.values(), ids=CAPTURES)
def test_secondary_captures_are_valid(tmp_path, images, options, frames, shape):
    target = tmp_path / "a.dcm"
    assert run(*images, "-o", target, *options) == 0
    assert [str(finding) for finding in iod.check(target)] == []
    capture = dicomcore.dcmread(target)
    assert len(capture.frames) == frames
    assert capture.frames[0].shape == shape
    assert capture.PatientID == dicomcore.dcmread(images[0]).PatientID
    if shape == (128, 128):
        np.testing.assert_array_equal(capture.frames[0], render(CT))


def test_frames_of_one_image(tmp_path):
    file = get_testdata_file("examples_ybr_color.dcm")
    count = len(dicomcore.dcmread(file).frames)
    assert run(file, "--frame", "all", "-o", tmp_path / "a.gif", "--size", 40) == 0
    film = Image.open(tmp_path / "a.gif")
    assert sum(seek(film, place) for place in range(film.n_frames)) == 100 * count  # equal ones are one, and longer
    assert run(file, "--frame", count - 1, "-o", tmp_path / "a.png") == 0
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), render(file, frame=count - 1))


def test_a_whole_slide(tmp_path):
    folder = tmp_path / "slide"
    folder.mkdir()
    write_pyramid(folder, picture(300, 500), 128, 2)
    assert run(folder, "-o", tmp_path / "a.png", "--size", 200) == 0
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), Slide(folder).thumbnail(200))


WRONG = {  # name: (arguments, exit code, what is said)
    "suffix": ((CT, "-o", "a.bmp"), 2, "must end in .png"),
    "size": ((CT, "-o", "a.png", "--size", 0), 2, "--size must be 1"),
    "no such file": (("missing", "-o", "a.png"), 2, "there are no images"),
    "frame": ((CT, "-o", "a.png", "--frame", 5), 2, "nothing could be rendered"),
    "state": ((CT, "-o", "a.png", "--ps", CT), 2, "presentation state"),
    "screen": ((CT, "-o", "a.png", "--screen", CT), 2, "line 2"),
}


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_said(arguments, code, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == code
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_cannot_be_rendered_is_left_out(series, tmp_path, capsys):
    image = dicomcore.dcmread(series / "3.dcm").copy()
    image.Rows = 60000
    dicomcore.dcmwrite(series / "3.dcm", image)
    assert run(series, "-o", tmp_path / "a.gif") == 1
    assert "3.dcm" in capsys.readouterr().err
    assert Image.open(tmp_path / "a.gif").n_frames == 9


def test_texts_need_pillow_and_are_drawn(tmp_path):
    made = make_presentation(dicomcore.dcmread(CT), marks=[Label("TEXT", box=(10, 10, 100, 40))])
    dicomcore.dcmwrite(tmp_path / "state", made)
    assert run(CT, "--ps", tmp_path / "state", "-o", tmp_path / "a.png") == 0
    plain = render(CT, tmp_path / "state", graphics=False)
    assert (pixels(tmp_path / "a.png") != plain).any()
