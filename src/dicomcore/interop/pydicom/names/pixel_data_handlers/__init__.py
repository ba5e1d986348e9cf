"""pydicom.pixel_data_handlers: former names of what is in pydicom.pixels."""

from __future__ import annotations

from dicomcore.interop.pydicom.names.former import former_names
from dicomcore.interop.pydicom.names.pixels import processing, utils

__all__: list[str] = []

PROCESSING = (
    "apply_color_lut",
    "apply_modality_lut",
    "apply_rescale",
    "apply_voi",
    "apply_voi_lut",
    "apply_windowing",
    "convert_color_space",
)
INSTEAD = "The 'pydicom.pixel_data_handlers' module will be removed in v4.0, please use 'from {} import {}' instead"

MOVED = {
    **{name: (getattr(processing, name), INSTEAD.format("pydicom.pixels", name)) for name in PROCESSING},
    **{name: (getattr(utils, name), INSTEAD.format("pydicom.pixels", name)) for name in ("pack_bits", "unpack_bits")},
    "expand_ybr422": (utils.expand_ybr422, INSTEAD.format("pydicom.pixels.utils", "expand_ybr422")),
}

__getattr__ = former_names("pydicom.pixel_data_handlers", MOVED)
