"""The former path of `dicomcore.display.rendering`, kept for code that imports it."""

from dicomcore.display.rendering import FUNCTIONS, Display, View, Window, apply_modality, apply_window, render

__all__ = ["FUNCTIONS", "Display", "View", "Window", "apply_modality", "apply_window", "render"]
