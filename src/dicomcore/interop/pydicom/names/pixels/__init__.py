"""pydicom.pixels."""

from dicomcore.interop.pydicom.names.pixels.utils import iter_pixels, pixel_array

__all__ = ["iter_pixels", "pixel_array"]
