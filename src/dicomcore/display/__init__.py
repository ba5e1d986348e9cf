"""Images as they are to be seen (PS3.3 C.11, PS3.4 N.2): arrays with parameters, images with presentation states."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dicomcore.display.reading import display_of
from dicomcore.display.rendering import Display, View, Window, apply_modality, apply_window
from dicomcore.display.tables import LookUpTable, Palette

if TYPE_CHECKING:
    from dicomcore.display.showing import render
    from dicomcore.display.states import State, read_state, states_for

__all__ = [
    "Display",
    "LookUpTable",
    "Palette",
    "State",
    "View",
    "Window",
    "apply_modality",
    "apply_window",
    "display_of",
    "read_state",
    "render",
    "states_for",
]

LAZY = {  # public names whose modules are loaded when they are first asked for
    "State": "states",
    "read_state": "states",
    "render": "showing",
    "states_for": "states",
}


def __getattr__(name: str) -> Any:
    if name in LAZY:
        return getattr(import_module(f"dicomcore.display.{LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
