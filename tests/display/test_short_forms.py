"""`frames.render` and `Presentation.render` are short forms of `display.render`."""

from __future__ import annotations

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import display
from dicomcore.objects import Presentation
from tests.display.states import area, made, state_of, window
from tests.support import corpus

REAL = [file for file in corpus.dicom_files() if "pixels" in file.line and file.line["size"] < 600_000]


@pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT)
@pytest.mark.parametrize("file", REAL, ids=[file.name for file in REAL])
def test_real_images(file):
    """Without a state, without overlays and in the colours of the image: what the frame alone gives."""
    try:
        image = dc.dcmread(file.path, force=True)
        frame = len(image.frames) - 1
        alone = image.frames.render(frame)
    except dc.DicomError:
        pytest.skip("has no picture")
    assert "ShutterShape" not in image
    picture = display.render(image, frame=frame, graphics=False, profile=None)
    assert np.array_equal(picture, alone)
    whole = display.render(image, frame=frame, size=64)
    assert max(whole.shape[:2]) == 64


@pytest.mark.parametrize(("rotation", "flip"), [(0, "N"), (90, "Y"), (270, "N")])
@pytest.mark.parametrize("crop", [False, True])
def test_presentation_states(rotation, flip, crop):
    image = made(np.arange(240, dtype=np.uint8).reshape(12, 20))
    corners = {0: ((3, 2), (9, 7)), 90: ((3, 2), (9, 7)), 270: ((9, 2), (3, 7))}[rotation]
    state = state_of(image, ImageRotation=rotation, ImageHorizontalFlip=flip, SoftcopyVOILUTSequence=[window(90, 100)])
    if crop:
        state.DisplayedAreaSelectionSequence = [area(*corners)]
    assert np.array_equal(Presentation(state).render(image, crop=crop), display.render(image, state))
