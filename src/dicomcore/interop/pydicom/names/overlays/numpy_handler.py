"""pydicom.overlays.numpy_handler: Overlay Data as arrays (PS3.3 C.9.2).

`Dataset.frames.overlays` reads overlays in unused bits of the pixels, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels.unpack import unpack_bits
from dicomcore.interop.pydicom.names.misc import warn_and_log
from dicomcore.pixels.overlays import little_endian

__all__ = [
    "DEPENDENCIES",
    "HANDLER_NAME",
    "get_expected_length",
    "get_overlay_array",
    "is_available",
    "reshape_overlay_array",
]

HAVE_NP = True
HANDLER_NAME = "Numpy Overlay"
DEPENDENCIES = {"numpy": ("https://numpy.org/", "NumPy")}
NEEDED = {"OverlayData": 0x3000, "OverlayBitsAllocated": 0x100, "OverlayRows": 0x10, "OverlayColumns": 0x11}
FRAMES = 0x15


def is_available() -> bool:
    """Whether NumPy is there."""
    return HAVE_NP


def get_expected_length(elem: dict[str, Any], unit: str = "bytes") -> int:
    """The length of Overlay Data without padding, in bytes or "pixels", for values by keyword."""
    pixels: int = elem["OverlayRows"] * elem["OverlayColumns"] * elem["NumberOfFramesInOverlay"]
    return pixels if unit == "pixels" else -(-pixels // 8)


def reshape_overlay_array(elem: dict[str, Any], arr: NDArray[Any]) -> NDArray[Any]:
    """([frames,] rows, columns) from the overlay's pixels, for values by keyword."""
    frames = elem["NumberOfFramesInOverlay"]
    if frames < 1:
        raise ValueError(
            f"Unable to reshape the overlay array as a value of {frames} for (60xx,0015) 'Number of Frames in Overlay' "
            "is invalid."
        )
    return arr.reshape(*((frames,) if frames > 1 else ()), elem["OverlayRows"], elem["OverlayColumns"])


def get_overlay_array(ds: Any, group: int) -> NDArray[np.uint8]:
    """The Overlay Data of a group, 0x6000 to 0x60FE even, as 1 and 0: ([frames,] rows, columns).

    Raises AttributeError for a missing element, and ValueError where there are too few bytes; warns of too many.
    """
    found = {keyword: ds.get((group, element)) for keyword, element in NEEDED.items()}
    missing = [keyword for keyword, element in found.items() if element is None]
    if missing:
        raise AttributeError(
            "Unable to convert the overlay data as the following required elements are missing from the dataset: "
            + ", ".join(missing)
        )
    values = {keyword: element.value for keyword, element in found.items()}
    frames = ds.get((group, FRAMES))
    values["NumberOfFramesInOverlay"] = 1 if frames is None else frames.value
    data = little_endian(values["OverlayData"], ds, group << 16 | NEEDED["OverlayData"])
    _check_length(len(data), get_expected_length(values))
    pixels = np.empty(get_expected_length(values, unit="pixels"), np.uint8)
    unpack_bits(data, pixels)
    return reshape_overlay_array(values, pixels)


def _check_length(actual: int, needed: int) -> None:
    padded = needed + needed % 2
    if actual == needed < padded:
        warn_and_log("The overlay data length is odd and misses a padding byte.")
    elif actual < padded:
        raise ValueError(
            f"The length of the overlay data in the dataset ({actual} bytes) doesn't match the expected length "
            f"({padded} bytes). The dataset may be corrupted or there may be an issue with the overlay data handler."
        )
    elif actual > padded:
        warn_and_log(
            f"The length of the overlay data in the dataset ({actual} bytes) indicates it contains excess padding. "
            f"{actual - needed} bytes will be removed from the end of the data"
        )
