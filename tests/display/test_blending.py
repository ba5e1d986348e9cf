"""Blending and advanced blending beside their formulae in NumPy (PS3.4 N.2.4, N.2.6)."""

from __future__ import annotations

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import display
from dicomcore._native.pixels import blend as kernels
from dicomcore.errors import MissingReferenceError, UnsupportedStateError
from dicomcore.notes import Note
from tests.display.states import area, item, made, palette, reference, state_of, window

RNG = np.random.default_rng(18)
CT = made(
    RNG.integers(0, 4096, (24, 32)).astype(np.uint16),
    bits_stored=12,
    SOPInstanceUID="2.25.11",
    SeriesInstanceUID="2.25.31",
)
PET = made(
    RNG.integers(0, 1024, (24, 32)).astype(np.uint16),
    bits_stored=12,
    SOPInstanceUID="2.25.12",
    SeriesInstanceUID="2.25.32",
    PixelPaddingValue=0,
)
PET_VALUES = PET.pixel_array
RED = np.stack([np.arange(256) * 257, np.arange(256)[::-1] * 100, np.zeros(256)], -1)


def windowed(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """Values through a LINEAR window, 0 to 255 (PS3.3 C.11.2.1.2.1)."""
    return np.floor((((values - (center - 0.5)) / (width - 1) + 0.5).clip(0, 1)) * 255 + 0.5)


def through_palette(share: np.ndarray, entries: np.ndarray) -> np.ndarray:
    """A share of the palette, in 8 bits a colour."""
    return (entries.astype(int)[np.rint(share * (len(entries) - 1)).astype(int)]) >> 8


def blending(opacity: float = 0.4, **attributes: object) -> dc.Dataset:
    under, over = (
        item(
            BlendingPosition=position,
            StudyInstanceUID="2.25.2",
            ReferencedSeriesSequence=[item(SeriesInstanceUID="2.25.31", ReferencedImageSequence=[reference(image)])],
            SoftcopyVOILUTSequence=[window(*view)],
        )
        for position, image, view in (("UNDERLYING", CT, (2000, 3000)), ("SUPERIMPOSED", PET, (500, 800)))
    )
    state = state_of(kind="blending", BlendingSequence=[under, over], RelativeOpacity=opacity)
    palette(state, RED)
    return item_of(state, attributes)


def item_of(state: dc.Dataset, attributes: dict[str, object]) -> dc.Dataset:
    for keyword, value in attributes.items():
        setattr(state, keyword, value)
    return state


@pytest.mark.parametrize("opacity", [0.0, 0.25, 0.4, 1.0])
def test_a_superimposed_image(opacity):
    """RGB of the superimposed image × opacity + grey of the underlying one × the rest; padding hides nothing."""
    picture = display.render([CT, PET], blending(opacity), profile=None)
    grey = windowed(CT.pixel_array, 2000, 3000)[..., None]
    share = ((PET_VALUES - 499.5) / 799 + 0.5).clip(0, 1)
    wanted = through_palette(share, RED) * opacity + grey * (1 - opacity)
    shown = PET_VALUES != 0
    assert np.abs(picture[shown] - wanted[shown]).max() <= 1
    assert np.array_equal(picture[~shown], np.repeat(grey, 3, -1)[~shown])
    assert np.array_equal(display.render([PET, CT], blending(opacity), profile=None), picture)


def source(number: int, image: dc.Dataset, entries: np.ndarray | None = None, **attributes: object) -> dc.Dataset:
    given = item(BlendingInputNumber=number, StudyInstanceUID="2.25.2", SeriesInstanceUID=image.SeriesInstanceUID)
    if entries is not None:
        given.PaletteColorLookupTableSequence = [palette(item(), entries)]
    return item_of(given, attributes)


def step(*numbers: int, mode: str = "EQUAL", **attributes: object) -> dc.Dataset:
    inputs = [item(BlendingInputNumber=number) for number in numbers]
    return item(BlendingDisplayInputSequence=inputs, BlendingMode=mode, **attributes)


def advanced(inputs: list[dc.Dataset], *steps: dc.Dataset) -> dc.Dataset:
    return state_of(kind="advanced-blending", AdvancedBlendingSequence=inputs, BlendingDisplaySequence=list(steps))


VIEW = {"SoftcopyVOILUTSequence": [window(500, 800)]}
PLAIN = windowed(CT.pixel_array, 2000, 3000)[..., None].repeat(3, -1)
TINTED = through_palette(((PET_VALUES - 499.5) / 799 + 0.5).clip(0, 1), RED)


def inputs() -> list[dc.Dataset]:
    return [source(1, CT, SoftcopyVOILUTSequence=[window(2000, 3000)]), source(2, PET, RED, **VIEW)]


@pytest.mark.parametrize("opacity", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("first", [1, 2])
def test_foreground(first, opacity):
    """The first input with its opacity, the second with the rest; padding has none."""
    state = advanced(inputs(), step(first, 3 - first, mode="FOREGROUND", RelativeOpacity=opacity))
    picture = display.render([CT, PET], state, profile=None)
    share = opacity if first == 2 else 1 - opacity
    wanted = np.where((PET_VALUES == 0)[..., None], PLAIN, share * TINTED + (1 - share) * PLAIN)
    assert np.abs(picture - wanted).max() <= 1


@pytest.mark.parametrize("padding", ["background", "through"])
def test_equal(padding):
    """The mean of the inputs that have no padding."""
    state = advanced([*inputs(), source(3, PET, RED[::-1], **VIEW)], step(1, 2, 3))
    picture = display.render([CT, PET], state, profile=None, padding=padding)
    other = through_palette(((PET_VALUES - 499.5) / 799 + 0.5).clip(0, 1), RED[::-1])
    wanted = (PLAIN + TINTED + other) / 3
    if padding == "background":
        wanted = np.where((PET_VALUES == 0)[..., None], PLAIN, wanted)
    assert np.abs(picture - wanted).max() <= 1


def test_steps_are_taken_when_their_inputs_are_known():
    """The final step, which has no number, comes first in the sequence."""
    state = advanced(
        inputs(),
        step(3, 1, mode="FOREGROUND", RelativeOpacity=0.5),
        step(1, 2, mode="FOREGROUND", RelativeOpacity=0.25, BlendingInputNumber=3),
    )
    inner = np.where((PET_VALUES == 0)[..., None], PLAIN, 0.25 * PLAIN + 0.75 * TINTED)
    assert np.abs(display.render([CT, PET], state, profile=None) - (inner + PLAIN) / 2).max() <= 1.5


THRESHOLDS = {  # name: (items of type and values, the values shown)
    "a range": ([("RANGE_INCL", 100, 300)], lambda v: (v >= 100) & (v <= 300)),
    "outside a range": ([("RANGE_EXCL", 100, 300)], lambda v: (v < 100) | (v > 300)),
    "from a value on": ([("GREATER_OR_EQUAL", 500)], lambda v: v >= 500),
    "above a value": ([("GREATER_THAN", 500)], lambda v: v > 500),
    "up to a value": ([("LESS_OR_EQUAL", 500)], lambda v: v <= 500),
    "below a value": ([("LESS_THAN", 500)], lambda v: v < 500),
    "two ranges": ([("LESS_THAN", 100), ("GREATER_THAN", 900)], lambda v: (v < 100) | (v > 900)),
}


@pytest.mark.parametrize(("stated", "shown"), THRESHOLDS.values(), ids=THRESHOLDS)
def test_thresholds(stated, shown):
    """What no threshold shows is padding; without VOI the palette takes the values from its first one on."""
    entries = np.stack([np.arange(1024) * 64, np.zeros(1024), np.full(1024, 65535)], -1)
    thresholds = [
        item(ThresholdType=kind, ThresholdValueSequence=[item(ThresholdValue=float(value)) for value in values])
        for kind, *values in stated
    ]
    state = advanced([inputs()[0], source(2, PET, entries, ThresholdSequence=thresholds)], step(1, 2))
    picture = display.render([CT, PET], state, profile=None)
    coloured = entries[PET_VALUES].astype(int) >> 8
    visible = shown(PET_VALUES) & (PET_VALUES != 0)
    wanted = np.where(visible[..., None], (PLAIN + coloured) / 2, PLAIN)
    assert np.abs(picture - wanted).max() <= 1


def plane(image: dc.Dataset, position: list[float], spacing: list[float], **attributes: object) -> dc.Dataset:
    image.ImagePositionPatient, image.PixelSpacing = position, spacing
    image.ImageOrientationPatient, image.FrameOfReferenceUID = [1, 0, 0, 0, 1, 0], "2.25.77"
    return item_of(image, attributes)


def test_inputs_are_placed_by_their_planes():
    """A coarser input is brought onto the pixels of the leading one, and lies where the patient says."""
    fine = plane(
        made(np.zeros((40, 40), np.uint8), SOPInstanceUID="2.25.41", SeriesInstanceUID="2.25.51"),
        [0.0, 0.0, 5.0],
        [1.0, 1.0],
        SliceThickness=2,
    )
    samples = np.zeros((3, 4), np.uint8)
    samples[1, 2] = 255
    coarse = plane(made(samples, SOPInstanceUID="2.25.42", SeriesInstanceUID="2.25.52"), [10.0, 12.0, 5.4], [4.0, 4.0])
    far = plane(
        made(samples + 9, SOPInstanceUID="2.25.43", SeriesInstanceUID="2.25.52"), [10.0, 12.0, 15.0], [4.0, 4.0]
    )
    given = [
        source(1, fine, SoftcopyVOILUTSequence=[window(128, 256)], GeometryForDisplay="TRUE"),
        source(2, coarse, np.stack([np.arange(256) * 257] * 3, -1), SoftcopyVOILUTSequence=[window(128, 256)]),
    ]
    state = advanced(given, step(2, 1, mode="FOREGROUND", RelativeOpacity=1.0))
    picture = display.render([far, fine, coarse], state, profile=None)
    rows, columns = np.nonzero(picture[..., 0] > 127)
    # Pixel (1, 2) of 4 mm has its centre at 18, 16 mm.
    assert abs(rows.mean() - 16) < 0.6
    assert abs(columns.mean() - 18) < 0.6
    assert len(rows) == pytest.approx(16, abs=6)
    notes: list[Note] = []
    picture = display.render(
        [far, fine], advanced(given, step(2, 1, mode="FOREGROUND", RelativeOpacity=1.0)), profile=None, notes=notes
    )
    assert not picture.any()
    assert "blending-position" in {note.code for note in notes}
    tilted = plane(
        made(samples, SOPInstanceUID="2.25.44", SeriesInstanceUID="2.25.52"),
        [0, 0, 5],
        [4.0, 4.0],
        ImageOrientationPatient=[1, 0, 0, 0, 0, 1],
    )
    with pytest.raises(UnsupportedStateError, match="different planes"):
        display.render([fine, tilted], state)


STACKS = {  # name: attributes of three frames, 2 mm apart; the second is at 7 mm
    "offsets of a dose": {"GridFrameOffsetVector": [0, 2, 4]},
    "z of a dose": {"GridFrameOffsetVector": [5, 7, 9]},
    "nuclear medicine": {"SliceVector": [1, 2, 3], "SpacingBetweenSlices": 2},
    "nuclear medicine without a vector": {"SpacingBetweenSlices": 2},
}


@pytest.mark.parametrize("attributes", STACKS.values(), ids=STACKS)
def test_frames_of_one_position_lie_at_their_offsets(attributes):
    """PS3.3 C.8.8.3.2, C.8.4.11, C.8.4.15."""
    samples = np.zeros((3, 8, 8), np.uint8)
    samples[1, 2, 5] = 255
    dose = made(samples, SOPInstanceUID="2.25.42", SeriesInstanceUID="2.25.52")
    plane(dose, [0.0, 0.0, 5.0], [1.0, 1.0], **attributes)
    if "SpacingBetweenSlices" in attributes:
        dose.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
        cosines, position = dose.ImageOrientationPatient, dose.ImagePositionPatient
        dose.DetectorInformationSequence = [item(ImagePositionPatient=position, ImageOrientationPatient=cosines)]
        del dose.ImagePositionPatient, dose.ImageOrientationPatient
    for height, shown in ((5.0, 0), (7.0, 1), (9.0, 0)):
        slice_ = made(np.zeros((8, 8), np.uint8), SOPInstanceUID="2.25.41", SeriesInstanceUID="2.25.51")
        given = [
            source(1, plane(slice_, [0.0, 0.0, height], [1.0, 1.0]), GeometryForDisplay="TRUE"),
            source(2, dose, np.stack([np.arange(256) * 257] * 3, -1), SoftcopyVOILUTSequence=[window(128, 256)]),
        ]
        state = advanced(given, step(2, 1, mode="FOREGROUND", RelativeOpacity=1.0))
        picture = display.render([dose, slice_], state, profile=None)
        assert np.argwhere(picture[..., 0] > 127).tolist() == [[2, 5]] * shown


def changed(state: dc.Dataset, **attributes: object) -> dc.Dataset:
    return item_of(state, attributes)


DAMAGED = {  # name: (state, part of the message)
    "no position": (lambda: changed(blending(), BlendingSequence=[]), "no SUPERIMPOSED and UNDERLYING item"),
    "no opacity": (lambda: changed(blending(), RelativeOpacity=None), "Relative Opacity (0070,0403) is None"),
    "too opaque": (lambda: blending(1.5), "is 1.5"),
    "no inputs": (lambda: advanced([], step(1, 2)), "(0070,1B01) has no items"),
    "no steps": (lambda: advanced(inputs()), "no item of Blending Display Sequence"),
    "a step of itself": (lambda: advanced(inputs(), step(1, 3, BlendingInputNumber=3)), "nothing provides"),
    "an unknown input": (lambda: advanced(inputs(), step(1, 7)), "[7]"),
    "three in the foreground": (
        lambda: advanced(inputs(), step(1, 2, 1, mode="FOREGROUND", RelativeOpacity=0.5)),
        "'FOREGROUND' with 3 inputs",
    ),
    "an unknown mode": (lambda: advanced(inputs(), step(1, 2, mode="MIX")), "'MIX'"),
    "an unknown threshold": (
        lambda: advanced([source(1, CT, ThresholdSequence=[item(ThresholdType="ABOUT")])], step(1)),
        "Threshold Type (0070,1B13) is 'ABOUT'",
    ),
    "an input without number": (lambda: advanced([item(SeriesInstanceUID="2.25.31")], step(1)), "no Blending Input"),
}


@pytest.mark.parametrize(("make", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_states_name_the_element(make, message):
    with pytest.raises(dc.ParseError) as caught:
        display.render([CT, PET], make())
    assert message in str(caught.value)
    assert caught.value.tag is not None


def test_missing_images_are_named():
    with pytest.raises(MissingReferenceError, match=r"superimposed.*2\.25\.12") as caught:
        display.render(CT, blending())
    assert caught.value.uids == ("2.25.12",)
    with pytest.raises(MissingReferenceError, match=r"2\.25\.32"):
        display.render(CT, advanced(inputs(), step(1, 2)))
    with pytest.raises(IndexError, match="picture 1 of 1"):
        display.render([CT, PET], blending(), frame=1)


def test_blended_pictures_are_turned_and_cut():
    state = blending(ImageRotation=90, DisplayedAreaSelectionSequence=[area((3, 2), (12, 6))])
    whole = display.render([CT, PET], blending(), profile=None)
    assert np.array_equal(display.render([CT, PET], state, profile=None), np.rot90(whole[1:6, 2:12], -1))


def test_kernels_refuse_sizes_that_differ():
    four, eight = np.zeros(4, np.uint8), np.zeros(8, np.uint8)
    for call in (
        lambda: kernels.foreground(four, eight, eight, 0.5),
        lambda: kernels.foreground(four, four, four, 1.5),
        lambda: kernels.foreground(four, four, four, float("nan")),
        lambda: kernels.accumulate(four, np.zeros(8, np.uint16)),
        lambda: kernels.equal(np.zeros(8, np.uint16), four),
        lambda: kernels.drop_opacity(four, four),
    ):
        with pytest.raises(ValueError, match=r"bytes|sums|opacity"):
            call()
