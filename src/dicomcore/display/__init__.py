"""Render stored values as a picture for a screen (PS3.3 C.11, PS3.4 N.2), given arrays and parameters."""

from dicomcore.display import gsdf
from dicomcore.display.reading import display_of
from dicomcore.display.rendering import Display, View, Window, apply_modality, apply_window, render
from dicomcore.display.screen import Conformance, Screen
from dicomcore.display.tables import LookUpTable, Palette

__all__ = [
    "Conformance",
    "Display",
    "LookUpTable",
    "Palette",
    "Screen",
    "View",
    "Window",
    "apply_modality",
    "apply_window",
    "display_of",
    "gsdf",
    "render",
]
