"""pydicom.pixel_data_handlers.util: former names of what is in pydicom.pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from dicomcore.interop.pydicom.names.former import former_names
from dicomcore.interop.pydicom.names.pixel_data_handlers import INSTEAD, MOVED
from dicomcore.interop.pydicom.names.pixels import utils

__all__: list[str] = []

DESCRIBING = (
    "get_expected_length",
    "get_image_pixel_ids",
    "get_j2k_parameters",
    "get_nr_frames",
    "pixel_dtype",
    "reshape_pixel_array",
)


def _dtype_corrected_for_endianness(is_little_endian: bool | None, numpy_dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in this byte order; ValueError where it is not known."""
    if is_little_endian is None:
        raise ValueError("Dataset attribute 'is_little_endian' has to be set before writing the dataset")
    return numpy_dtype.newbyteorder("<" if is_little_endian else ">")


__getattr__ = former_names(
    "pydicom.pixel_data_handlers.util",
    {
        **MOVED,
        **{name: (getattr(utils, name), INSTEAD.format("pydicom.pixels.utils", name)) for name in DESCRIBING},
        "dtype_corrected_for_endianness": (
            _dtype_corrected_for_endianness,
            "'dtype_corrected_for_endianness' is deprecated and will be removed in v4.0",
        ),
    },
)
