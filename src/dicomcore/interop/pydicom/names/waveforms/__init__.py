"""pydicom.waveforms."""

from dicomcore.interop.pydicom.names.waveforms.numpy_handler import generate_multiplex, multiplex_array

__all__ = ["generate_multiplex", "multiplex_array"]
