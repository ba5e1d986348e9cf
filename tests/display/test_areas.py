"""Displayed areas, turns, sizes, shutters, polarity and the choice of VOI: by the standard's rules."""

from __future__ import annotations

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import display
from dicomcore.display.cielab import to_cielab
from dicomcore.errors import MissingReferenceError, UnsupportedStateError
from dicomcore.notes import Note
from tests.display.states import area, item, made, palette, reference, state_of, table_item, window

SAMPLES = np.arange(12 * 20, dtype=np.uint8).reshape(12, 20)
IMAGE = made(SAMPLES)


def shown(image: dc.Dataset = IMAGE, notes: list[Note] | None = None, options: dict | None = None, **attributes):
    return display.render(image, state_of(image, **attributes), notes=notes, **(options or {}))


# Corners are those of the image that come to lie top left and bottom right (PS3.3 Figure C.10.4-1).
AREAS = {  # name: (rotation, flip, top left, bottom right, picture)
    "all": (0, "N", (1, 1), (20, 12), SAMPLES),
    "a part": (0, "N", (3, 2), (7, 5), SAMPLES[1:5, 2:7]),
    "one pixel": (0, "N", (20, 12), (20, 12), SAMPLES[11:, 19:]),
    "turned": (90, "N", (3, 5), (7, 2), np.rot90(SAMPLES[1:5, 2:7], -1)),
    "turned and flipped": (90, "Y", (3, 2), (7, 5), SAMPLES[1:5, 2:7].T),
    "flipped": (0, "Y", (7, 2), (3, 5), SAMPLES[1:5, 2:7][:, ::-1]),
    "upside down": (180, "N", (7, 5), (3, 2), SAMPLES[1:5, 2:7][::-1, ::-1]),
    "beyond the image": (0, "N", (-1, 0), (22, 13), np.pad(SAMPLES, ((1, 1), (2, 2)))),
    "beyond one corner": (0, "N", (19, 11), (22, 13), np.pad(SAMPLES[10:, 18:], ((0, 1), (0, 2)))),
    "beside the image": (0, "N", (31, 31), (34, 32), np.zeros((2, 4), np.uint8)),
}


@pytest.mark.parametrize(("rotation", "flip", "first", "last", "wanted"), AREAS.values(), ids=AREAS)
def test_areas(rotation, flip, first, last, wanted):
    notes: list[Note] = []
    picture = shown(
        notes=notes,
        ImageRotation=rotation,
        ImageHorizontalFlip=flip,
        DisplayedAreaSelectionSequence=[area(first, last)],
    )
    assert np.array_equal(picture, wanted)
    assert notes == []


def test_corners_in_the_wrong_order_are_noted():
    notes: list[Note] = []
    picture = shown(notes=notes, DisplayedAreaSelectionSequence=[area((7, 5), (3, 2))])
    assert np.array_equal(picture, SAMPLES[1:5, 2:7])
    assert [note.code for note in notes] == ["displayed-area"]


SIZES = {  # name: (attributes of the area, size, shape of the picture)
    "as it is": ({}, None, (12, 20)),
    "longer side": ({}, 40, (24, 40)),
    "shorter": ({}, 10, (6, 10)),
    "a window": ({}, (50, 60), (50, 60)),
    "high pixels": ({"PresentationPixelAspectRatio": [2, 1]}, None, (24, 20)),
    "wide pixels": ({"PresentationPixelAspectRatio": [1, 2]}, None, (12, 40)),
    "by spacing": ({"PresentationPixelSpacing": [0.9, 0.3]}, None, (36, 20)),
    "magnified": ({"mode": "MAGNIFY", "PresentationPixelMagnificationRatio": 2.5}, None, (30, 50)),
    "minified": ({"mode": "MAGNIFY", "PresentationPixelMagnificationRatio": 0.5}, None, (6, 10)),
    "magnified, in a window": ({"mode": "MAGNIFY", "PresentationPixelMagnificationRatio": 2.0}, (10, 10), (10, 10)),
    "magnified, cut": ({"mode": "MAGNIFY", "PresentationPixelMagnificationRatio": 4.0}, 30, (30, 30)),
    "true size, no screen": ({"mode": "TRUE SIZE", "PresentationPixelSpacing": [0.5, 0.5]}, None, (12, 20)),
    "an unknown mode": ({"mode": "HUGE"}, None, (12, 20)),
}


@pytest.mark.parametrize(("attributes", "size", "shape"), SIZES.values(), ids=SIZES)
def test_sizes(attributes, size, shape):
    picture = shown(DisplayedAreaSelectionSequence=[area((1, 1), (20, 12), **attributes)], options={"size": size})
    assert picture.shape == shape


class Screen:
    """A screen of 0.25 mm pixels, with inverted levels."""

    pixel_spacing = (0.25, 0.25)

    def __init__(self, dtype: type = np.uint8) -> None:
        self.dtype = dtype

    def table(self, bits: int) -> np.ndarray:
        most = np.iinfo(self.dtype).max
        return np.linspace(most, 0, 1 << bits).round().astype(self.dtype)


def test_true_size_on_a_screen():
    true = area((1, 1), (20, 12), "TRUE SIZE", PresentationPixelSpacing=[0.5, 0.75])
    assert shown(DisplayedAreaSelectionSequence=[true], options={"screen": Screen()}).shape == (24, 60)
    turned = shown(DisplayedAreaSelectionSequence=[true], ImageRotation=90, options={"screen": Screen()})
    assert turned.shape == (60, 24)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_levels_of_a_screen(dtype):
    ramp = made(np.arange(4096, dtype=np.uint16).reshape(64, 64), bits_stored=12)
    levels = display.render(ramp, state_of(ramp), screen=Screen(dtype))
    assert levels.dtype == dtype
    most = np.iinfo(dtype).max
    assert np.abs(levels.astype(float) - most * (1 - ramp.pixel_array / 4095)).max() <= 0.51 + most / 65535


def test_a_window_shows_the_area_in_its_middle():
    picture = shown(DisplayedAreaSelectionSequence=[area((1, 1), (20, 12))], options={"size": (12, 30)})
    assert np.array_equal(picture, np.pad(SAMPLES, ((0, 0), (5, 5))))


def test_magnified_pixels_lie_where_they_were():
    dot = np.zeros((9, 9), np.uint8)
    dot[2, 6] = 255
    picture = display.render(made(dot), size=90)
    rows, columns = np.nonzero(picture > 127)
    assert abs(rows.mean() - 24.5) < 0.6
    assert abs(columns.mean() - 64.5) < 0.6


def test_shrinking_averages():
    noise = np.random.default_rng(0).integers(0, 256, (200, 300)).astype(np.uint8)
    picture = display.render(made(noise), size=30)
    assert picture.shape == (20, 30)
    assert abs(picture.mean() - noise.mean()) < 2
    assert picture.std() < noise.std() / 5
    flat = display.render(made(np.full((100, 100), 77, np.uint8), WindowCenter=128, WindowWidth=256), size=33)
    assert (flat == flat[0, 0]).all()


def test_pixels_of_an_image_that_are_no_squares():
    image = made(SAMPLES, PixelSpacing=[2.0, 1.0])
    assert display.render(image).shape == (12, 20)
    assert display.render(image, size=24).shape == (24, 20)
    measures = item(PixelMeasuresSequence=[item(PixelSpacing=[1.0, 2.0])])
    assert display.render(made(SAMPLES, SharedFunctionalGroupsSequence=[measures]), size=40).shape == (12, 40)
    assert display.render(made(SAMPLES, PixelAspectRatio=[2, 1]), size=24).shape == (24, 20)


# -- polarity (Weasis#620): inverted once, whatever the image's photometric interpretation


POLARITY = {  # (photometric interpretation, shape of the state): whether the least value is white
    ("MONOCHROME2", "IDENTITY"): False,
    ("MONOCHROME2", "INVERSE"): True,
    ("MONOCHROME1", "IDENTITY"): False,
    ("MONOCHROME1", "INVERSE"): True,
    ("MONOCHROME2", None): False,
    ("MONOCHROME1", None): True,
}


@pytest.mark.parametrize(("interpretation", "shape"), POLARITY)
def test_polarity(interpretation, shape):
    image = made(SAMPLES, PhotometricInterpretation=interpretation, WindowCenter=128, WindowWidth=256)
    state = None if shape is None else state_of(image, PresentationLUTShape=shape)
    wanted = 255 - SAMPLES if POLARITY[interpretation, shape] else SAMPLES
    assert np.array_equal(display.render(image, state), wanted)


# -- shutters


def test_a_shutter_of_the_state_replaces_the_images():
    image = made(
        SAMPLES,
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=5,
        ShutterRightVerticalEdge=8,
        ShutterUpperHorizontalEdge=1,
        ShutterLowerHorizontalEdge=12,
        ShutterPresentationValue=0xFFFF,
        WindowCenter=128,
        WindowWidth=256,
    )
    own = display.render(image)
    assert (own[:, :4] == 255).all()
    assert np.array_equal(own[:, 4:8], SAMPLES[:, 4:8])
    assert np.array_equal(display.render(image, state_of(image)), SAMPLES)
    assert np.array_equal(display.render(image, state_of(image), only=("grey",)), own)


def test_a_coloured_shutter():
    image = made(np.zeros((8, 8, 3), np.uint8))
    state = state_of(
        image,
        kind="colour",
        ShutterShape="CIRCULAR",
        CenterOfCircularShutter=[4, 4],
        RadiusOfCircularShutter=2,
        ShutterPresentationColorCIELabValue=to_cielab((200, 40, 90)),
    )
    picture = display.render(image, state)
    assert np.abs(picture[0, 0].astype(int) - (200, 40, 90)).max() <= 1
    assert not picture[3, 3].any()


def test_shutters_turn_with_the_image():
    state = {
        "ShutterShape": "RECTANGULAR",
        "ShutterLeftVerticalEdge": 1,
        "ShutterRightVerticalEdge": 20,
        "ShutterUpperHorizontalEdge": 4,
        "ShutterLowerHorizontalEdge": 12,
        "ShutterPresentationValue": 0x8000,
    }
    assert (shown(ImageRotation=90, **state)[:, -3:] == 128).all()


# -- what a state says for some frames


def test_views_and_areas_of_frames():
    frames = np.stack([SAMPLES, SAMPLES])
    image = made(frames, NumberOfFrames=2)
    first, second = reference(image, 1), reference(image, 2)
    state = state_of(
        image,
        SoftcopyVOILUTSequence=[
            window(64.5, 130, ReferencedImageSequence=[second]),
            window(128, 256, ReferencedImageSequence=[first]),
        ],
        DisplayedAreaSelectionSequence=[
            area((1, 1), (20, 12), ReferencedImageSequence=[first]),
            area((2, 3), (5, 6), ReferencedImageSequence=[second]),
        ],
    )
    assert np.array_equal(display.render(image, state, frame=0), SAMPLES)
    wanted = np.rint(255 * ((SAMPLES - 64.0) / 129 + 0.5).clip(0, 1))[2:6, 1:5]
    assert np.abs(display.render(image, state, frame=1) - wanted).max() <= 1
    assert display.render(image, state, frame=1, only=("grey",)).shape == (12, 20)
    with pytest.raises(IndexError, match="frame 2 of 2"):
        display.render(image, state, frame=2)


def test_a_modality_lut_that_varies():
    image = made(np.stack([SAMPLES, SAMPLES]), NumberOfFrames=2)
    table = table_item(0, 8, np.arange(256)[::-1])
    table.ModalityLUTType = "US"
    variable = [
        item(ReferencedImageSequence=[reference(image, 1)], RescaleSlope=0.5, RescaleIntercept=0.0, RescaleType="US"),
        item(ReferencedImageSequence=[reference(image, 2)], ModalityLUTSequence=[table]),
    ]
    state = state_of(
        image, kind="variable-modality", VariableModalityLUTSequence=variable, SoftcopyVOILUTSequence=[window(128, 256)]
    )
    assert np.abs(display.render(image, state) - SAMPLES / 2).max() <= 0.51
    assert np.array_equal(display.render(image, state, frame=1), 255 - SAMPLES)


def test_the_callers_window_precedes_the_states():
    picture = shown(SoftcopyVOILUTSequence=[window(10, 20)], options={"window": (128, 256)})
    assert np.array_equal(picture, SAMPLES)


# -- which image, which state


def test_the_image_that_the_state_references_is_shown():
    other = made(255 - SAMPLES, SOPInstanceUID="2.25.8")
    assert np.array_equal(display.render([other, IMAGE], state_of(IMAGE)), SAMPLES)
    with pytest.raises(MissingReferenceError, match=r"references 2\.25\.1") as caught:
        display.render(other, state_of(IMAGE))
    assert caught.value.uids == ("2.25.1",)
    with pytest.raises(ValueError, match="no images"):
        display.render([])


def test_paths_and_data_sets(tmp_path):
    IMAGE.save_as(tmp_path / "image.dcm")
    state_of(IMAGE, ImageRotation=180).save_as(tmp_path / "state.dcm")
    picture = display.render(str(tmp_path / "image.dcm"), tmp_path / "state.dcm")
    assert np.array_equal(picture, SAMPLES[::-1, ::-1])


def test_states_of_images_are_found(tmp_path):
    old, new = (
        state_of(IMAGE, PresentationCreationDate="20200101"),
        state_of(IMAGE, PresentationCreationDate="20210101"),
    )
    other = state_of(made(SAMPLES, SOPInstanceUID="2.25.8"), PresentationCreationDate="20220101")
    new.save_as(tmp_path / "new.dcm")
    (tmp_path / "no.dcm").write_bytes(b"nothing of the kind" * 20)
    found = display.states_for(IMAGE, [old, tmp_path / "new.dcm", other, IMAGE, tmp_path / "no.dcm"])
    assert [state.data_set.PresentationCreationDate for state in found] == ["20210101", "20200101"]
    assert display.states_for([], [old]) == []


KINDS = {  # kind: SOP class, what is said
    "volumetric": ("1.2.840.10008.5.1.4.1.1.11.6", "resampling of a volume"),
    "waveform": ("1.2.840.10008.5.1.4.1.1.9.100.1", "drawing of waveforms"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_states_that_are_read_and_not_rendered(kind):
    uid, lacking = KINDS[kind]
    state = display.read_state(item(SOPClassUID=uid, ContentLabel="A"))
    assert (state.kind, state.label) == (kind, "A")
    with pytest.raises(UnsupportedStateError, match=lacking):
        display.render(IMAGE, state)


def test_wrong_arguments():
    for options, message in (
        ({"padding": "white"}, "padding is background or through"),
        ({"only": ("gray",)}, "only takes grey"),
        ({"size": 0}, "1 or more"),
        ({"size": (0, 5)}, "1 row"),
        ({"screen": type("Bad", (), {"table": lambda self, bits: np.zeros(9, np.uint8)})()}, "65 536"),
    ):
        with pytest.raises(ValueError, match=message):
            display.render(IMAGE, **options)
    with pytest.raises(TypeError, match="its Display"):
        display.render(SAMPLES)


HUGE = {  # name: (area, options)
    "magnified": (area((1, 1), (20, 12), "MAGNIFY", PresentationPixelMagnificationRatio=1e6), {}),
    "a vast area": (area((-(2**31), -(2**31)), (2**31 - 1, 2**31 - 1)), {}),
    "a vast size": (area((1, 1), (20, 12)), {"size": 1 << 20}),
}


@pytest.mark.parametrize(("stated", "options"), HUGE.values(), ids=HUGE)
def test_huge_pictures_cross_the_limit(stated, options):
    with pytest.raises(dc.LimitError, match="crosses the limit of"):
        shown(DisplayedAreaSelectionSequence=[stated], options=options)


def test_a_vast_area_in_a_small_picture():
    vast = area((-(2**31), -(2**31)), (2**31 - 1, 2**31 - 1))
    assert shown(DisplayedAreaSelectionSequence=[vast], options={"size": 16}).shape == (16, 16)


@pytest.mark.parametrize("ratio", [None, 0.0, -1.0])
def test_a_magnification_that_is_none(ratio):
    stated = area((1, 1), (20, 12), "MAGNIFY", PresentationPixelMagnificationRatio=ratio)
    with pytest.raises(dc.ParseError, match=r"\(0070,0103\) is"):
        shown(DisplayedAreaSelectionSequence=[stated])


def test_areas_in_the_total_pixel_matrix():
    tiles = made(np.stack([SAMPLES, 255 - SAMPLES]), NumberOfFrames=2, TotalPixelMatrixColumns=40,
                 TotalPixelMatrixRows=12, WindowCenter=128, WindowWidth=256)  # fmt: skip
    stated = area((19, 2), (23, 4), PixelOriginInterpretation="VOLUME")
    state = state_of(tiles, DisplayedAreaSelectionSequence=[stated])
    left, right = (display.render(tiles, state, frame=frame) for frame in (0, 1))
    assert np.array_equal(left, np.pad(SAMPLES[1:4, 18:], ((0, 0), (0, 3))))
    assert np.array_equal(right, np.pad((255 - SAMPLES)[1:4, :3], ((0, 0), (2, 0))))


# -- supplemental palettes (PS3.4 N.2)


def test_a_supplemental_palette():
    """A grayscale state leaves the colours alone, a pseudo-colour state ignores them."""
    image = palette(made(SAMPLES, PixelPresentation="COLOR"), np.array([(65535, 0, 0), (0, 65535, 0)]), first=200)
    own = display.render(image, state_of(image), profile=None)
    assert (own[SAMPLES == 200] == (255, 0, 0)).all()
    assert (own[SAMPLES > 200] == (0, 255, 0)).all()
    grey = SAMPLES < 200
    assert np.array_equal(own[grey], SAMPLES[grey][:, None].repeat(3, 1))
    blue = np.stack([np.zeros(256), np.zeros(256), np.arange(256) * 257], -1)
    tinted = display.render(image, palette(state_of(image, kind="pseudo-colour"), blue), profile=None)
    assert np.array_equal(tinted[..., 2], SAMPLES)
    assert not tinted[..., :2].any()


SMALL = {  # name: attributes in capital letters
    "a flip": {"ImageHorizontalFlip": "Y"},
    "a shape": {"PresentationLUTShape": "INVERSE"},
    "a shutter": {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [3, 3], "RadiusOfCircularShutter": 2},
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("attributes", SMALL.values(), ids=SMALL)
def test_terms_in_small_letters_count(attributes):
    image = made(np.arange(42, dtype=np.uint8).reshape(6, 7))
    small = {name: value.lower() if isinstance(value, str) else value for name, value in attributes.items()}
    plain, large, lower = (display.render(image, state_of(image, **given)) for given in ({}, attributes, small))
    assert not np.array_equal(plain, large)
    assert np.array_equal(large, lower)
