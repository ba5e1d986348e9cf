"""Mask subtraction beside its formulae (PS3.3 C.7.6.10, C.11.13, C.11.19)."""

from __future__ import annotations

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import display
from dicomcore.notes import Note
from tests.display.states import item, made, state_of, table_item, window

FRAMES = np.random.default_rng(2).integers(0, 1024, (6, 10, 12)).astype(np.uint16)
IMAGE = made(FRAMES, bits_stored=10, NumberOfFrames=6)
REACH = 1023


def shown(difference: np.ndarray) -> np.ndarray:
    """A difference over its whole range: one bit more than the frames', 0 in the middle."""
    return 255 * (difference + REACH) / (2 * REACH)


def subtraction(kind: str = "grayscale", extra: dict | None = None, **attributes: object) -> dc.Dataset:
    return state_of(IMAGE, kind=kind, MaskSubtractionSequence=[item(**attributes)], **(extra or {}))


REV = {"ApplicableFrameRange": [4, 6]}
OPERATIONS = {  # name: (attributes, frame, the difference)
    "one frame": ({"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [2]}, 4, FRAMES[4] - 1.0 * FRAMES[1]),
    "the mean of frames": (
        {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1, 2, 3]},
        5,
        FRAMES[5] - FRAMES[:3].mean(0),
    ),
    "contrast frames averaged": (
        {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1], "ContrastFrameAveraging": 2},
        3,
        FRAMES[3:5].mean(0) - FRAMES[0],
    ),
    "time interval": ({"MaskOperation": "TID", "TIDOffset": 2}, 3, FRAMES[3] - 1.0 * FRAMES[1]),
    "time interval of 1 by default": ({"MaskOperation": "TID", "TIDOffset": None}, 3, FRAMES[3] - 1.0 * FRAMES[2]),
    "time interval ahead": ({"MaskOperation": "TID", "TIDOffset": -1}, 3, FRAMES[3] - 1.0 * FRAMES[4]),
    "reversed, first": ({"MaskOperation": "REV_TID", "TIDOffset": 1, **REV}, 3, FRAMES[3] - 1.0 * FRAMES[2]),
    "reversed, second": ({"MaskOperation": "REV_TID", "TIDOffset": 1, **REV}, 4, FRAMES[4] - 1.0 * FRAMES[1]),
    "reversed, third": ({"MaskOperation": "REV_TID", "TIDOffset": 1, **REV}, 5, FRAMES[5] - 1.0 * FRAMES[0]),
    "shifted": (
        {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1], "MaskSubPixelShift": [2.0, -1.0]},
        2,
        FRAMES[2] - 1.0 * np.pad(FRAMES[0], ((2, 0), (0, 1)), "edge")[:10, 1:],
    ),
    "shifted by half a pixel": (
        {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1], "MaskSubPixelShift": [0.0, 0.5]},
        2,
        FRAMES[2] - (0.5 * FRAMES[0] + 0.5 * np.pad(FRAMES[0], ((0, 0), (1, 0)), "edge")[:, :12]),
    ),
}


@pytest.mark.parametrize(("attributes", "frame", "difference"), OPERATIONS.values(), ids=OPERATIONS)
def test_operations(attributes, frame, difference):
    picture = display.render(IMAGE, subtraction(**attributes), frame=frame)
    assert np.abs(picture - shown(difference)).max() <= 0.51


UNSUBTRACTED = {  # name: (attributes, of the state, code of the note)
    "none": ({"MaskOperation": "NONE"}, {}, None),
    "native viewing": ({"MaskOperation": "TID"}, {"RecommendedViewingMode": "NAT"}, None),
    "out of the range": ({"MaskOperation": "TID", "ApplicableFrameRange": [4, 6]}, {}, None),
    "before the first frame": ({"MaskOperation": "TID", "TIDOffset": 1}, {}, "mask"),
    "an unknown operation": ({"MaskOperation": "XOR"}, {}, "mask"),
}


@pytest.mark.parametrize(("attributes", "extra", "code"), UNSUBTRACTED.values(), ids=UNSUBTRACTED)
def test_frames_without_a_mask_are_shown_as_they_are(attributes, extra, code):
    notes: list[Note] = []
    picture = display.render(IMAGE, subtraction(extra=extra, **attributes), notes=notes)
    assert np.abs(picture - FRAMES[0] * 255.0 / 1023).max() <= 0.51
    assert [note.code for note in notes] == ([] if code is None else [code])


@pytest.mark.parametrize("numbers", [None, [], [0], [7], [1, 99]])
def test_masks_that_are_missing(numbers):
    with pytest.raises(dc.ParseError, match=r"Mask Frame Numbers \(0028,6110\)"):
        display.render(IMAGE, subtraction(MaskOperation="AVG_SUB", MaskFrameNumbers=numbers))


def test_a_window_and_a_modality_lut():
    """The Modality LUT comes before the subtraction, the window after it."""
    extra = {
        "RescaleSlope": 2.0,
        "RescaleIntercept": 5.0,
        "RescaleType": "US",
        "SoftcopyVOILUTSequence": [window(0.5, 401)],
    }
    picture = display.render(IMAGE, subtraction(extra=extra, MaskOperation="AVG_SUB", MaskFrameNumbers=[1]), frame=2)
    difference = 2.0 * (FRAMES[2] - 1.0 * FRAMES[0])
    assert np.abs(picture - 255 * (difference / 400 + 0.5).clip(0, 1)).max() <= 0.51


def test_equal_frames_are_grey():
    state = subtraction(MaskOperation="AVG_SUB", MaskFrameNumbers=[3])
    assert (display.render(IMAGE, state, frame=2) == 128).all()


# -- XA/XRF


def xa(percentage: float = 0.0, **attributes: object) -> dc.Dataset:
    extra = {"MultiFramePresentationSequence": [item(MaskVisibilityPercentage=percentage)]}
    return subtraction("xa-xrf", extra, **{"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1], **attributes})


@pytest.mark.parametrize("percentage", [0.0, 30.0, 100.0])
def test_a_mask_that_stays_visible(percentage):
    picture = display.render(IMAGE, xa(percentage), frame=2)
    assert np.abs(picture - shown(FRAMES[2] - (1 - percentage / 100) * FRAMES[0])).max() <= 0.51


def test_shifts_of_regions():
    """The last region that holds a pixel counts; pixels in none are not shifted (C.11.19.1.2)."""
    square = [3, 3, 3, 8, 7, 8, 7, 3]
    shifts = item(
        PixelShiftFrameRange=[1, 6],
        RegionPixelShiftSequence=[
            item(MaskSubPixelShift=[1.0, 0.0], VerticesOfTheRegion=square),
            item(MaskSubPixelShift=[0.0, 1.0], VerticesOfTheRegion=[3, 3, 3, 5, 7, 5, 7, 3]),
        ],
    )
    picture = display.render(IMAGE, xa(PixelShiftSequence=[shifts]), frame=2)
    down, right = np.roll(FRAMES[0], 1, 0), np.roll(FRAMES[0], 1, 1)
    mask = FRAMES[0].astype(float)
    mask[2:6, 2:7] = down[2:6, 2:7]
    mask[2:6, 2:4] = right[2:6, 2:4]
    assert np.abs(picture - shown(FRAMES[2] - mask)).max() <= 0.51


def test_a_table_that_makes_values_logarithmic():
    table = table_item(0, 10, 1023 * np.log1p(np.arange(1024)) / np.log(1024))
    table.LUTFrameRange, table.LUTFunction = [1, 6], "TO_LOG"
    picture = display.render(IMAGE, xa(PixelIntensityRelationshipLUTSequence=[table]), frame=2)
    entries = np.rint(1023 * np.log1p(np.arange(1024)) / np.log(1024))
    assert np.abs(picture - shown(entries[FRAMES[2]] - entries[FRAMES[0]])).max() <= 0.51


def test_enhanced_edges_are_noted():
    state = xa()
    state.MultiFramePresentationSequence[0].DisplayFilterPercentage = 40.0
    notes: list[Note] = []
    display.render(IMAGE, state, frame=2, notes=notes)
    assert [note.code for note in notes] == ["edge-enhancement"]
