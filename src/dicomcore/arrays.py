"""NumPy arrays in the form that native code takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_bytes"]


def as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The bytes of a contiguous array, as a one-dimensional view: writing to it changes the array."""
    return array.reshape(-1).view(np.uint8)
