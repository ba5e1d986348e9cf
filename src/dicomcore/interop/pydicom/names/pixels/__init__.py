"""pydicom.pixels."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dicomcore.interop.pydicom.names.pixels.utils import (
    as_pixel_options,
    compress,
    decompress,
    iter_pixels,
    pack_bits,
    pixel_array,
    set_pixel_data,
    unpack_bits,
)
from dicomcore.interop.pydicom.place import missing

if TYPE_CHECKING:
    from dicomcore.interop.pydicom.names.pixels.processing import (
        apply_color_lut,
        apply_icc_profile,
        apply_modality_lut,
        apply_presentation_lut,
        apply_rescale,
        apply_voi,
        apply_voi_lut,
        apply_windowing,
        convert_color_space,
        create_icc_transform,
    )

__all__ = [
    "apply_color_lut",
    "apply_icc_profile",
    "apply_modality_lut",
    "apply_presentation_lut",
    "apply_rescale",
    "apply_voi",
    "apply_voi_lut",
    "apply_windowing",
    "as_pixel_options",
    "compress",
    "convert_color_space",
    "create_icc_transform",
    "decompress",
    "iter_pixels",
    "pack_bits",
    "pixel_array",
    "set_pixel_data",
    "unpack_bits",
]

PROCESSING = [name for name in __all__ if name not in globals()]


def _processing(name: str) -> Any:
    # What it stands on takes longer to import than pydicom's first page.
    return getattr(import_module(f"{__name__}.processing"), name)


__getattr__ = missing("pydicom.pixels", {name: partial(_processing, name) for name in PROCESSING})
