"""Presentation states made for real images: valid by every checker here, and read back as they were made."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from pydicom.data import get_testdata_file

import dicomcore
from dicomcore import iod
from dicomcore.dataset.building import build
from dicomcore.display import LookUpTable, Palette, Window, render
from dicomcore.objects import (
    Blend,
    Circle,
    Curve,
    DisplayedArea,
    Ellipse,
    Label,
    Layer,
    Point,
    Polyline,
    Presentation,
    Shutter,
    make_presentation,
)
from dicomcore.uids import generate_uid


def _image(name: str = "CT_small.dcm"):
    return dicomcore.dcmread(get_testdata_file(name))


def _series(count: int):
    """Images of one series, each a copy with a window of its own."""
    images = []
    for number in range(count):
        image = _image().copy()
        image.SOPInstanceUID = generate_uid()
        image.WindowCenter, image.WindowWidth = 40 + 100 * number, 400
        images.append(image)
    return images


def _second_series():
    images = _series(2)
    uid = generate_uid()
    for image in images:
        image.SeriesInstanceUID = uid
    return images


def _curve(bits: int = 12, size: int = 256, first: int = 0) -> LookUpTable:
    return LookUpTable((np.linspace(0, 1, size) ** 0.5 * ((1 << bits) - 1)).astype(np.uint16), first, bits)


def _hot(bits: int = 16) -> Palette:
    ramp = np.arange(256)
    channels = [np.clip(ramp * 3 - 255 * part, 0, 255) for part in range(3)]
    dtype = np.uint16 if bits == 16 else np.uint8
    return Palette(tuple((channel * (257 if bits == 16 else 1)).astype(dtype) for channel in channels), 0, bits)


MARKS = (
    Point(10.5, 20.25),
    Polyline(((1, 1), (20, 1), (20, 30), (1, 1)), filled=True, colour=(255, 128, 0), layer="FILLED"),
    Polyline(((0, 0), (0.5, 0.5)), units="DISPLAY", width=2.5),
    Curve(((5, 5), (10, 15), (20, 5), (5, 5))),
    Circle(40, 50, 12.5, filled=True),
    Ellipse(60, 60, (8, 20), angle=30),
    Label("of 3 mm", at=(40, 50), visible=True),
    Label("in a box", box=(0.1, 0.1, 0.6, 0.2), units="DISPLAY", align="CENTER", colour=(0, 255, 0)),
)
MADE = {  # name: what makes the state
    "nothing but the image": lambda: make_presentation(_image()),
    "window": lambda: make_presentation(_image(), window=(40, 400)),
    "exact window": lambda: make_presentation(_image(), window=Window(40, 0.5, "LINEAR_EXACT")),
    "VOI LUT": lambda: make_presentation(_image(), window=_curve(first=-100)),
    "presentation LUT": lambda: make_presentation(_image(), window=(40, 400), presentation=_curve(10)),
    "inverse": lambda: make_presentation(_image(), presentation="INVERSE"),
    "windows of the images": lambda: make_presentation(_series(3)),
    "true size": lambda: make_presentation(_image(), size_mode="TRUE SIZE"),
    "magnified area": lambda: make_presentation(
        _image(), area=(11, 21, 50, 60), size_mode="MAGNIFY", magnification=2.5
    ),
    "area past the image": lambda: make_presentation(_image(), area=(-10, -20, 150, 140)),
    "turned and flipped": lambda: make_presentation(_image(), rotation=90, flip=True),
    "shutters": lambda: make_presentation(
        _image(),
        shutter=Shutter((10, 100, 20, 110), (64, 60, 50), ((5, 5), (5, 120), (120, 60)), 64),
    ),
    "marks": lambda: make_presentation(_image(), marks=MARKS),
    "layers": lambda: make_presentation(
        _image(), marks=MARKS, layers=[Layer("FILLED", 7, "filled lines", (255, 0, 0)), Layer("DRAWING", 3)]
    ),
    "texts": lambda: make_presentation(
        _image(), label="MY STATE", description="Beschreibung", creator="Doe^Jane", marks=[Label("x", at=(1, 1))]
    ),
    "colour": lambda: make_presentation(_image("SC_rgb_small_odd.dcm"), "color", marks=MARKS, rotation=180),
    "pseudo-colour": lambda: make_presentation(_image(), "pseudo_color", palette=_hot(), window=(40, 400)),
    "pseudo-colour of 8 bits": lambda: make_presentation(
        _image(), "pseudo_color", palette=_hot(8), shutter=Shutter(circle=(64, 64, 50))
    ),
    "blending": lambda: make_presentation(
        [Blend(_series(2)), Blend(_second_series(), window=(200, 400), palette=_hot(), opacity=0.4)],
        "advanced_blending",
    ),
    "blending of three": lambda: make_presentation(
        [Blend(_series(1)), Blend(_second_series(), opacity=0.5), Blend(_second_series(), palette=_hot())],
        "advanced_blending",
        marks=MARKS[:2],
    ),
}


MISTAKEN = (  # what dciodvfy says of attributes that are right
    "DisplayedAreaTopLeftHandCorner = (4294967286,4294967276)",  # -10 and -20 read as unsigned: the VR is SL
    "ReferencedSeriesSequence present but Instance does not reference",  # not looked for in Advanced Blending Sequence
)


@pytest.fixture(scope="module", params=MADE, ids=MADE)
def state(request, tmp_path_factory):
    """A state that was made, saved and read again, with its path."""
    path = tmp_path_factory.mktemp("state") / "state.dcm"
    made = MADE[request.param]()
    dicomcore.dcmwrite(path, made)
    return request.param, made, path


def test_iod_check_has_nothing_to_say(state):
    _, _, path = state
    report = iod.check(path)
    assert [str(finding) for finding in report] == []


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dciodvfy (dicom3tools) is not installed")
def test_dciodvfy_finds_no_error(state):
    _, _, path = state
    said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace").stderr
    wrong = [line for line in said.splitlines() if line.startswith("Error")]
    assert [line for line in wrong if not any(known in line for known in MISTAKEN)] == []


@pytest.mark.skipif(not shutil.which("dcmpschk"), reason="DCMTK's dcmpschk is not installed")
def test_dcmpschk_passes_grayscale_states(state):
    name, made, path = state
    if not made.SOPClassUID.endswith(".11.1"):
        pytest.skip("dcmpschk knows grayscale states alone")
    done = subprocess.run(["dcmpschk", path], capture_output=True, text=True, errors="replace")
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("Error", "E:", "F:"))]
    assert (done.returncode, said) == (0, [])
    assert "Test passed" in done.stdout + done.stderr, name


def _plain(data_set):
    """Values by tag; floats as 32 bits hold them."""
    plain = {}
    for element in data_set:
        value = element.value
        if element.VR == "SQ":
            value = [_plain(item) for item in value]
        elif element.VR == "FL":
            value = np.float32(value).tolist()
        plain[str(element.tag)] = value
    return plain


def test_what_is_read_is_what_was_made(state):
    _, made, path = state
    assert _plain(dicomcore.dcmread(path)) == _plain(made)


def test_marks_are_read_back():
    read = Presentation(make_presentation(_image(), marks=MARKS))
    figures = [figure for one in read.annotations for figure in one.figures]
    by_kind = {figure.graphic_type: figure for figure in figures}
    assert [one.layer for one in read.annotations] == ["DRAWING", "FILLED"]
    np.testing.assert_array_equal(by_kind["POINT"].points, [[10.5, 20.25]])
    np.testing.assert_array_equal(by_kind["CIRCLE"].points, [[40, 50], [52.5, 50]])
    assert by_kind["CIRCLE"].filled
    np.testing.assert_array_equal(by_kind["INTERPOLATED"].points, [[5, 5], [10, 15], [20, 5], [5, 5]])
    # the major axis of 20 is turned by 30 degrees from the column
    ends = by_kind["ELLIPSE"].points.astype(float)
    np.testing.assert_allclose(ends.mean(axis=0), [60, 60], atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(ends[1] - ends[0]), 40, rtol=1e-5)
    np.testing.assert_allclose(ends[1] - 60, [-10, 20 * 3**0.5 / 2], atol=1e-4)
    np.testing.assert_allclose(ends[3] - 60, [8 * 3**0.5 / 2, 4], atol=1e-4)
    texts = {text.text: text for one in read.annotations for text in one.texts}
    np.testing.assert_array_equal(texts["of 3 mm"].anchor, [40, 50])
    assert texts["of 3 mm"].anchor_visible
    np.testing.assert_allclose(texts["in a box"].box, [[0.1, 0.1], [0.6, 0.2]])
    assert (texts["in a box"].justification, texts["in a box"].box_units) == ("CENTER", "DISPLAY")


def test_texts_may_have_any_character(tmp_path):
    text = "Läsion ≥ 3 mm, 病変"
    made = make_presentation(_image(), marks=[Label(text, at=(1, 1))], description=text)
    dicomcore.dcmwrite(tmp_path / "state", made)
    read = Presentation(dicomcore.dcmread(tmp_path / "state"))
    assert (read.description, read.annotations[0].texts[0].text) == (text, text)


def test_layers_area_shutter_and_turning_are_read_back():
    layers = (Layer("LOW", 1, "below", (255, 0, 0)), Layer("HIGH", 2))
    shutter = Shutter((10, 100, 20, 110), (64, 60, 50), ((5, 5), (5, 120), (120, 60)), 64)
    area = DisplayedArea((3, 4), (100, 120), "SCALE TO FIT")
    marks = [Point(1, 1, layer="LOW"), Point(2, 2, layer="HIGH"), Point(3, 3, layer="NEW")]
    made = make_presentation(_image(), marks=marks, layers=layers, shutter=shutter, area=area, rotation=270, flip=True)
    read = Presentation(made)
    assert [(layer.name, layer.order) for layer in read.layers] == [("LOW", 1), ("HIGH", 2), ("NEW", 3)]
    assert (read.layers[0].description, read.layers[0].colour) == ("below", (255, 0, 0))
    assert read.shutter == shutter
    (found,) = read.displayed_areas
    assert (found.top_left, found.bottom_right, found.size_mode) == ((100, 120), (3, 4), "SCALE TO FIT")
    assert (read.rotation, read.flipped) == (270, True)


CORNERS = {  # (rotation, flip): what is at the top left and at the bottom right, of columns 3 to 100 and rows 4 to 120
    (0, False): ([3, 4], [100, 120]),
    (90, False): ([3, 120], [100, 4]),
    (180, False): ([100, 120], [3, 4]),
    (270, False): ([100, 4], [3, 120]),
    (0, True): ([100, 4], [3, 120]),
    (90, True): ([3, 4], [100, 120]),
    (180, True): ([3, 120], [100, 4]),
    (270, True): ([100, 120], [3, 4]),
}


@pytest.mark.parametrize(("turned", "corners"), CORNERS.items(), ids=map(str, CORNERS))
def test_corners_of_the_area_are_those_after_turning(turned, corners):
    image = _image()
    made = make_presentation(image, area=(3, 4, 100, 120), rotation=turned[0], flip=turned[1])
    (item,) = made.DisplayedAreaSelectionSequence
    assert (list(item.DisplayedAreaTopLeftHandCorner), list(item.DisplayedAreaBottomRightHandCorner)) == corners
    # the same by turning a picture of coordinates
    grid = np.stack(np.meshgrid(np.arange(3, 101), np.arange(4, 121)), -1)
    shown = np.rot90(grid, -turned[0] // 90)
    shown = shown[:, ::-1] if turned[1] else shown
    assert (shown[0, 0].tolist(), shown[-1, -1].tolist()) == corners
    assert render(image, made).shape == shown.shape[:2]


def test_a_state_without_options_shows_the_image_as_it_is():
    image = _image()
    image.WindowCenter, image.WindowWidth = 40, 400
    picture = Presentation(make_presentation(image)).render(image)
    np.testing.assert_array_equal(picture, image.frames.render(0))


def test_monochrome1_keeps_its_look():
    image = _image()
    image.WindowCenter, image.WindowWidth = 40, 400
    image.PhotometricInterpretation = "MONOCHROME1"
    made = make_presentation(image)
    assert made.PresentationLUTShape == "INVERSE"
    np.testing.assert_array_equal(Presentation(made).render(image), image.frames.render(0))


def test_each_image_keeps_its_window_and_marks_are_for_some():
    images = _series(3)
    images[2].WindowCenter = images[0].WindowCenter
    mark = Circle(5, 5, 2, images=(images[1].SOPInstanceUID,))
    made = make_presentation(images, marks=[mark, Point(1, 1)])
    items = made.SoftcopyVOILUTSequence
    assert [item.WindowCenter for item in items] == [40, 140]
    assert [len(item.ReferencedImageSequence) for item in items] == [2, 1]
    read = Presentation(made)
    assert [len(one.images) for one in read.annotations] == [1, 0]
    for image in images:
        np.testing.assert_array_equal(read.render(image), image.frames.render(0))


def test_blending_puts_later_inputs_in_front():
    made = MADE["blending of three"]()
    first, second = made.BlendingDisplaySequence
    assert [item.BlendingInputNumber for item in first.BlendingDisplayInputSequence] == [2, 1]
    assert (first.BlendingMode, first.RelativeOpacity, first.BlendingInputNumber) == ("FOREGROUND", 0.5, 4)
    assert [item.BlendingInputNumber for item in second.BlendingDisplayInputSequence] == [3, 4]
    assert second.BlendingMode == "EQUAL"
    assert "BlendingInputNumber" not in second


def _with(image, **attributes):
    changed = image.copy()
    for keyword, value in attributes.items():
        setattr(changed, keyword, value)
    return changed


WRONG = {  # name: what is tried, and the message
    "no image": (lambda: make_presentation([]), "at least one"),
    "another kind": (lambda: make_presentation(_image(), "colour"), "'color'"),
    "colour in grey": (lambda: make_presentation(_image("SC_rgb_small_odd.dcm")), "in colour"),
    "twice": (lambda: make_presentation([_image(), _image()]), "given twice"),
    "two studies": (
        lambda: make_presentation([_image(), _with(_image(), SOPInstanceUID="1.2", StudyInstanceUID="1.3")]),
        "several studies",
    ),
    "no instance UID": (lambda: make_presentation(build({"SOPClassUID": "1.2"})), "no SOPInstanceUID"),
    "other rescaling": (
        lambda: make_presentation([_image(), _with(_image(), SOPInstanceUID="1.2", RescaleSlope=2)]),
        "differ in their rescaling",
    ),
    "no width": (lambda: make_presentation(_image(), window=(40, 0)), "width above 0"),
    "narrow": (lambda: make_presentation(_image(), window=(40, 0.5)), "LINEAR_EXACT"),
    "window of colour": (
        lambda: make_presentation(_image("SC_rgb_small_odd.dcm"), "color", window=(1, 2)),
        "no window",
    ),
    "no palette": (lambda: make_presentation(_image(), "pseudo_color"), "palette"),
    "palette": (lambda: make_presentation(_image(), palette=_hot()), "palette"),
    "rotation": (lambda: make_presentation(_image(), rotation=45), "not 45"),
    "area of no size": (lambda: make_presentation(_image(), area=(10, 10, 9, 20)), "no size"),
    "magnification": (lambda: make_presentation(_image(), size_mode="MAGNIFY"), "magnification"),
    "true size": (
        lambda: make_presentation(_with(_image(), PixelSpacing=None), size_mode="TRUE SIZE"),
        "no pixel spacing",
    ),
    "label": (lambda: make_presentation(_image(), label="small"), "upper case"),
    "layer": (lambda: make_presentation(_image(), marks=[Point(1, 1, layer="l")]), "upper case"),
    "layers alone": (lambda: make_presentation(_image(), layers=[Layer("A")]), "without any mark"),
    "open shutter": (lambda: make_presentation(_image(), shutter=Shutter()), "no opening"),
    "mark of another image": (
        lambda: make_presentation(_image(), marks=[Point(1, 1, images=("1.2",))]),
        "image 1.2, which",
    ),
    "not finite": (lambda: make_presentation(_image(), marks=[Point(float("nan"), 1)]), "finite"),
    "units": (lambda: make_presentation(_image(), marks=[Point(1, 1, units="MM")]), "'MM'"),
    "one point": (lambda: make_presentation(_image(), marks=[Polyline(((1, 1),))]), "two points"),
    "open and filled": (lambda: make_presentation(_image(), marks=[Curve(((1, 1), (2, 2)), True)]), "first point"),
    "no radius": (lambda: make_presentation(_image(), marks=[Circle(1, 1, 0)]), "radius"),
    "no text": (lambda: make_presentation(_image(), marks=[Label("", at=(1, 1))]), "1 to 1024"),
    "no place": (lambda: make_presentation(_image(), marks=[Label("a")]), "needs a point"),
    "one input": (lambda: make_presentation([Blend(_series(1))], "advanced_blending"), "two inputs"),
    "images to blend": (lambda: make_presentation(_series(2), "advanced_blending"), "Blend inputs"),
    "opacity": (
        lambda: make_presentation([Blend(_series(1)), Blend(_second_series(), opacity=1.5)], "advanced_blending"),
        "0 to 1, not 1.5",
    ),
    "long table": (
        lambda: make_presentation(_image(), window=replace(_curve(), entries=np.zeros(70000, np.uint16))),
        "70000",
    ),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
