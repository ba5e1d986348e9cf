"""The former import path of `dicomcore.display.rendering`, kept for existing code."""

from dicomcore.display.rendering import FUNCTIONS, Display, View, Window, apply_modality, apply_window, render

__all__ = ["FUNCTIONS", "Display", "View", "Window", "apply_modality", "apply_window", "render"]
