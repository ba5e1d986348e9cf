"""The package `display`: its public names and its imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import display

ROOT = Path(__file__).resolve().parents[2]


def test_display_imports_nothing_of_pixels():
    code = "import sys, dicomcore.display; assert not [name for name in sys.modules if 'dicomcore.pixels' in name]"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names():
    from dicomcore.pixels import render as former

    assert dc.display is display
    for name in ("Display", "Window", "apply_modality", "apply_window"):
        assert getattr(former, name) is getattr(display, name)
    assert all(getattr(display, name) is not None for name in display.__all__)


def test_display_of_a_data_set():
    ds = dc.Dataset()
    ds.PhotometricInterpretation, ds.BitsAllocated, ds.BitsStored = "MONOCHROME2", 16, 12
    ds.RescaleSlope, ds.RescaleIntercept = 2, -100
    ds.WindowCenter, ds.WindowWidth = [0, 50], [200, 100]
    shown = display.display_of(ds)
    assert (shown.rescale_slope, shown.rescale_intercept, shown.bits_stored) == (2.0, -100.0, 12)
    assert shown.windows == (display.Window(0, 200), display.Window(50, 100))
    samples = np.array([[0, 50, 100]], np.uint16)  # -100, 0 and 100 once they are rescaled
    assert display.render(samples, shown).tolist() == [[0, 128, 255]]
    assert display.render(samples, shown, window=display.Window(0, 1)).tolist() == [[0, 255, 255]]


def test_functional_groups_of_a_frame():
    """A frame's own window precedes the shared one; a frame without groups has the shared one."""
    ds, own, shared = dc.Dataset(), dc.Dataset(), dc.Dataset()
    for groups, center in ((own, 10), (shared, 20)):
        view = dc.Dataset()
        view.WindowCenter, view.WindowWidth = center, 5
        groups.FrameVOILUTSequence = [view]
    ds.PerFrameFunctionalGroupsSequence = [dc.Dataset(), own]
    ds.SharedFunctionalGroupsSequence = [shared]
    centers = [display.display_of(ds, frame).windows[0].center for frame in range(3)]
    assert centers == [20, 10, 20]


@pytest.mark.parametrize("call", ["render(image, state)", "render(image, profile='adobergb')"])
def test_what_needs_pillow_names_the_extra(call):
    code = f"""
import sys; sys.modules["PIL"] = None
import numpy as np, dicomcore as dc
from tests.display.states import figure, item, made, state_of
image = made(np.zeros((4, 4, 3), np.uint8))
note = item(GraphicLayer="A", GraphicObjectSequence=[figure("POINT", [(1, 1)])])
state = state_of(image, kind="colour", GraphicAnnotationSequence=[note])
assert dc.display.render(image, state, graphics=False).shape == (4, 4, 3)
try:
    dc.display.{call}
except ModuleNotFoundError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert 'pip install "dicomcore[picture]"' in done.stdout
