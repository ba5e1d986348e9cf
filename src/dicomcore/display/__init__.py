"""Images as they are to be seen (PS3.3 C.11, PS3.4 N.2): arrays with parameters, images with presentation states."""

from typing import TYPE_CHECKING

from dicomcore.display import gsdf
from dicomcore.display.reading import display_of
from dicomcore.display.rendering import Display, View, Window, apply_modality, apply_window
from dicomcore.display.tables import LookUpTable, Palette
from dicomcore.later import later

if TYPE_CHECKING:
    from dicomcore.display.hanging import Hanging
    from dicomcore.display.screen import Conformance, Screen
    from dicomcore.display.showing import render
    from dicomcore.display.states import State, read_state, states_for
    from dicomcore.objects.make_presentation import Blend, make_presentation

__all__ = [
    "Blend",
    "Conformance",
    "Display",
    "Hanging",
    "LookUpTable",
    "Palette",
    "Screen",
    "State",
    "View",
    "Window",
    "apply_modality",
    "apply_window",
    "display_of",
    "gsdf",
    "make_presentation",
    "read_state",
    "render",
    "states_for",
]

HOMES = {
    ".hanging": ("Hanging",),
    ".screen": ("Conformance", "Screen"),
    ".showing": ("render",),
    ".states": ("State", "read_state", "states_for"),
    "dicomcore.objects": ("Blend", "make_presentation"),  # states are made of the modules that every new object has
}

__getattr__, __dir__ = later(__name__, HOMES)
