"""Damaged presentation states: a picture within the limits, or one of our exceptions."""

from __future__ import annotations

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import display
from dicomcore.display import annotating, curves
from fuzz.rendering import LIMITS, TARGETS, images, state_seeds
from tests.display.states import figure, item, layer, state_of
from tests.support.mutate import mutants

pytest.importorskip("PIL")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(7))
def test_damaged_states(number):
    seed = list(state_seeds())[number]
    for damaged in mutants(seed, 18, 120):
        TARGETS["display"](damaged)
    for end in range(132, len(seed), max(len(seed) // 40, 1)):
        TARGETS["display"](seed[:end])


def test_dashes_far_outside_are_not_made(monkeypatch):
    """A dashed line over 200 000 pixels, of which the picture shows a few."""
    made = []
    monkeypatch.setattr(annotating, "dashes", lambda *given: made.append(curves.dashes(*given)) or made[-1])
    style = item(
        PatternOnOpacity=1.0, LineThickness=1.0, LineDashingStyle="DASHED", LinePattern=0x55555555, ShadowStyle="OFF"
    )
    far = figure("POLYLINE", [(-1e5, 5.5), (1e5, 5.5)], LineStyleSequence=[style])
    image = images()[0]
    note = item(GraphicLayer="A", GraphicObjectSequence=[far])
    state = state_of(image, GraphicLayerSequence=[layer("A", 1)], GraphicAnnotationSequence=[note])
    picture = display.render(image, state)
    ((on, off),) = made
    assert len(on) + len(off) < 50
    changed = picture.astype(int) - display.render(image, state, graphics=False)
    assert {row for row, _ in np.argwhere(changed)} <= {4, 5, 6}


def test_limits_are_those_of_the_image():
    with pytest.raises(dc.LimitError, match=str(LIMITS.pixels)):
        display.render(images()[0], size=400)
