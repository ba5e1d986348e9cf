"""pydicom.overlays."""

from dicomcore.interop.pydicom.names.overlays.numpy_handler import get_overlay_array

__all__ = ["get_overlay_array"]
