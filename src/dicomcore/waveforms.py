"""The former path of `dicomcore.objects.waveforms`, kept for code that imports it."""

from dicomcore.objects.waveforms import Waveforms

__all__ = ["Waveforms"]
