"""Images as they are to be seen (PS3.3 C.11, PS3.4 N.2): arrays with parameters, images with presentation states."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dicomcore.display import gsdf
from dicomcore.display.reading import display_of
from dicomcore.display.rendering import Display, View, Window, apply_modality, apply_window
from dicomcore.display.tables import LookUpTable, Palette

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

LAZY = {  # public names whose modules are loaded when they are first asked for
    "Conformance": "screen",
    "Hanging": "hanging",
    "Screen": "screen",
    "State": "states",
    "read_state": "states",
    "render": "showing",
    "states_for": "states",
}
OBJECTS = ("Blend", "make_presentation")  # states are made of the modules that every new object has


def __getattr__(name: str) -> Any:
    if name in LAZY:
        return getattr(import_module(f"dicomcore.display.{LAZY[name]}"), name)
    if name in OBJECTS:
        from dicomcore.objects import Blend, make_presentation

        return Blend if name == "Blend" else make_presentation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
